(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 33, TrapHandlerRaw: the layer's refinement theorem.  The code proofs hold for any operations for faults, for
    saving a VM and for letting one run; the interface below has those of CtxtSwitch and FaultHandler.  Rests on
    [ProofCode]. *)
From SeKVM.lib Require Import UsesTac.
From SeKVM.layers.TrapHandlerRaw Require Import Code Interface ProofCode.

Section Refine.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (ops : ident -> prim St) (core_handle_pvops handle_host_stage2_fault save_vm restore_vm : prim St).

  Lemma TrapHandlerRaw_code :
    mod_ok (TrapHandlerRaw.Spec.U ops core_handle_pvops handle_host_stage2_fault save_vm restore_vm) code
      (TrapHandlerRaw.Spec.T ops core_handle_pvops handle_host_stage2_fault save_vm restore_vm).
  Proof.
    repeat split.
    - apply host_hvc_handler_raw_code.
    - apply host_npt_handler_raw_code.
    - apply host_vcpu_run_handler_raw_code.
    - apply vm_exit_handler_raw_code.
  Qed.
End Refine.

Lemma TrapHandlerRaw_serves : serves U TrapDispatcher.Interface.L (mcalls code).
Proof. served. Qed.

Theorem TrapHandlerRaw_refines :
  refines req (graph TrapHandlerRaw.Interface.L) (sem code (graph TrapDispatcher.Interface.L)).
Proof. exact (uses_refines U _ code T hidden (TrapHandlerRaw_code _ _ _ _ _) TrapHandlerRaw_serves). Qed.
