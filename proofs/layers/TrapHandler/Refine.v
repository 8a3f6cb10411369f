(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 34, TrapHandler: the layer's refinement theorem.  Its interface is eight functions and nothing else: what
    the interface below has beside what the code uses ends here.  Rests on [ProofCode]. *)
From SeKVM.lib Require Import UsesTac.
From SeKVM.layers.TrapHandler Require Import Code Interface ProofCode.

Section Refine.
  Context {P : Type}.
  Notation St := (St cell pmap pmap P).
  Context (ops : ident -> prim St) (core_handle_pvops handle_host_stage2_fault save_vm restore_vm : prim St).

  Lemma TrapHandler_code :
    mod_ok (TrapHandler.Spec.U ops core_handle_pvops handle_host_stage2_fault save_vm restore_vm) code
      (TrapHandler.Spec.T ops core_handle_pvops handle_host_stage2_fault save_vm restore_vm).
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
End Refine.

Lemma TrapHandler_serves : serves U TrapHandlerRaw.Interface.L (mcalls code).
Proof. served. Qed.

Theorem TrapHandler_refines :
  refines req (graph TrapHandler.Interface.L) (sem code (graph TrapHandlerRaw.Interface.L)).
Proof.
  rewrite <- (app_nil_r TrapHandler.Interface.L).
  apply (mod_ok_refines_keep TrapHandlerRaw.Interface.L code _ []); [|constructor].
  exact (mod_ok_calls U _ _ code TrapHandler_serves (TrapHandler_code _ _ _ _ _)).
Qed.
