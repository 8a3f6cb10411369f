(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 32, TrapDispatcher: the layer's refinement theorem.  The code proofs hold for any operations on the host's
    calls and on a VM's; the interface below has those of MemHandler, FaultHandler, MmioOps and BootOps.  Rests on
    [ProofCode]. *)
From SeKVM.lib Require Import UsesTac.
From SeKVM.layers.TrapDispatcher Require Import Code Interface ProofCode.

Section Refine.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (ops : ident -> prim St) (core_handle_pvops : prim St).

  Lemma TrapDispatcher_code :
    mod_ok (TrapDispatcher.Spec.U ops core_handle_pvops) code (TrapDispatcher.Spec.T ops core_handle_pvops).
  Proof.
    repeat split.
    - apply host_hvc_dispatcher_code.
    - apply vm_exit_dispatcher_code.
  Qed.
End Refine.

Lemma TrapDispatcher_serves : serves U FaultHandler.Interface.L (mcalls code).
Proof. served. Qed.

Theorem TrapDispatcher_refines :
  refines req (graph TrapDispatcher.Interface.L) (sem code (graph FaultHandler.Interface.L)).
Proof. exact (uses_refines U _ code T hidden (TrapDispatcher_code _ _) TrapDispatcher_serves). Qed.
