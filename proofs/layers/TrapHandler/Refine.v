(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 34, TrapHandler: the layer's refinement theorem.  Its interface is these eight functions and nothing else: whatever
    the underlay has beside what the code uses ends here.  Rests on [ProofCode]. *)
From SeKVM.lib Require Import Hide.
From SeKVM.layers.TrapHandler Require Import Code Spec ProofCode.

Section Refine.
  Context {P : Type}.
  Notation St := (St cell pmap pmap P).
  Context (ops : ident -> prim St) (core_handle_pvops handle_host_stage2_fault save_vm restore_vm : prim St).
  Notation U := (U ops core_handle_pvops handle_host_stage2_fault save_vm restore_vm).
  Notation T := (T ops core_handle_pvops handle_host_stage2_fault save_vm restore_vm).

  Lemma TrapHandler_code : mod_ok U code T.
  Proof.
    repeat split.
    - apply host_hvc_handler_code.
    - apply host_npt_handler_code.
    - apply host_vcpu_run_handler_code.
    - apply vm_exit_handler_code.
    - apply mem_load_code.
    - apply mem_store_code.
    - apply dev_load_code.
    - apply dev_store_code.
  Qed.

  Theorem TrapHandler_refines (L0 : tbl St) : keeps U L0 -> refines req (graph T) (sem code (graph L0)).
  Proof.
    intros K. rewrite <- (app_nil_r T). apply (mod_ok_refines_keep L0 code T []); [|constructor].
    exact (mod_ok_keep U L0 T K code TrapHandler_code).
  Qed.
End Refine.
