(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 33, TrapHandlerRaw: the layer's refinement theorem, for any operations for faults, for saving a VM and for letting
    one run, over every underlay that has what the code uses; other primitives pass through.  Rests on [ProofCode]. *)
From SeKVM.lib Require Import Hide.
From SeKVM.layers.TrapHandlerRaw Require Import Code Spec ProofCode.

Section Refine.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (ops : ident -> prim St) (core_handle_pvops handle_host_stage2_fault save_vm restore_vm : prim St).
  Notation U := (U ops core_handle_pvops handle_host_stage2_fault save_vm restore_vm).
  Notation T := (T ops core_handle_pvops handle_host_stage2_fault save_vm restore_vm).

  Lemma TrapHandlerRaw_code : mod_ok U code T.
  Proof.
    repeat split.
    - apply host_hvc_handler_raw_code.
    - apply host_npt_handler_raw_code.
    - apply host_vcpu_run_handler_raw_code.
    - apply vm_exit_handler_raw_code.
  Qed.

  Theorem TrapHandlerRaw_refines (L0 : tbl St) : keeps U L0 ->
    refines req (graph (over T (hide hidden L0))) (sem code (graph L0)).
  Proof. exact (layer_refines U L0 code T hidden TrapHandlerRaw_code). Qed.
End Refine.
