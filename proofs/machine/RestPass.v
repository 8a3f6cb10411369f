(* SPDX-License-Identifier: Apache-2.0 *)
(** The primitives for the layers above 16 pass through every change of representation, and leave the firmware's map alone.
    Rests on [PassThrough]; used by the layers that change a representation. *)
From SeKVM.machine Require Export PassThrough.
From SeKVM.machine Require Import BottomVm BottomMmio BottomCtxt BottomMem RestTac.
Local Open Scope Z_scope.

Lemma vm_aside {N N' M M' P P'} : aside_tbl (T_vm : tbl (St cell N M P)) (T_vm : tbl (St cell N' M' P')).
Proof. aside_tbl_tac. Qed.
Lemma mmio_aside {N N' M M' P P'} : aside_tbl (T_mmio : tbl (St cell N M P)) (T_mmio : tbl (St cell N' M' P')).
Proof. aside_tbl_tac. Qed.
Lemma ctxt_aside {N N' M M' P P'} : aside_tbl (T_ctxt : tbl (St cell N M P)) (T_ctxt : tbl (St cell N' M' P')).
Proof. aside_tbl_tac. Qed.
Lemma mem_aside {N N' M M' P P'} : aside_tbl (T_mem : tbl (St cell N M P)) (T_mem : tbl (St cell N' M' P')).
Proof. aside_tbl_tac. Qed.

Lemma rest_aside {N N' M M' P P'} : aside_tbl (T_rest : tbl (St cell N M P)) (T_rest : tbl (St cell N' M' P')).
Proof.
  apply aside_tbl_app; [apply vm_aside|].
  apply aside_tbl_app; [apply mmio_aside|].
  apply aside_tbl_app; [apply ctxt_aside|].
  apply mem_aside.
Qed.

Lemma vm_boot {N M P} : tbl_boot_kept (T_vm : tbl (St cell N M P)).
Proof. boot_tac. Qed.
Lemma mmio_boot {N M P} : tbl_boot_kept (T_mmio : tbl (St cell N M P)).
Proof. boot_tac. Qed.
Lemma ctxt_boot {N M P} : tbl_boot_kept (T_ctxt : tbl (St cell N M P)).
Proof. boot_tac. Qed.
Lemma mem_boot {N M P} : tbl_boot_kept (T_mem : tbl (St cell N M P)).
Proof. boot_tac. Qed.

Lemma rest_boot {N M P} : tbl_boot_kept (T_rest : tbl (St cell N M P)).
Proof.
  apply boot_kept_app; [apply vm_boot|].
  apply boot_kept_app; [apply mmio_boot|].
  apply boot_kept_app; [apply ctxt_boot|].
  apply mem_boot.
Qed.
