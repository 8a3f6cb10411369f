(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 31, FaultHandler: the layer's refinement theorem.  The code proofs hold for any primitive that emulates
    SMMU registers; the interface below has that of MmioOps.  Rests on [ProofCode]. *)
From SeKVM.layers.FaultHandler Require Import Code Interface ProofCode.

Section Refine.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).
  Context (emulate_mmio : prim St).

  Lemma FaultHandler_code : mod_ok (FaultHandler.Spec.U emulate_mmio) code (FaultHandler.Spec.T emulate_mmio).
  Proof.
    repeat split.
    - apply handle_host_stage2_fault_code.
    - apply core_handle_pvops_code.
  Qed.
End Refine.

Lemma FaultHandler_keeps : keeps U MemHandler.Interface.L.
Proof. repeat constructor. Qed.

Theorem FaultHandler_refines : refines req (graph FaultHandler.Interface.L) (sem code (graph MemHandler.Interface.L)).
Proof. exact (layer_refines U _ code T hidden (FaultHandler_code _) FaultHandler_keeps). Qed.
