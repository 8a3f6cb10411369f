(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 31, FaultHandler: the layer's refinement theorem, for any primitive that
    emulates SMMU registers, over every underlay that has what the code uses; other
    primitives pass through.  Rests on [ProofCode]. *)
From SeKVM.lib Require Import Hide.
From SeKVM.layers.FaultHandler Require Import Code Spec ProofCode.

Section Refine.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).
  Context (emulate_mmio : prim St).

  Lemma FaultHandler_code : mod_ok (U emulate_mmio) code (T emulate_mmio).
  Proof.
    repeat split.
    - apply handle_host_stage2_fault_code.
    - apply core_handle_pvops_code.
  Qed.

  Theorem FaultHandler_refines (L0 : tbl St) : keeps (U emulate_mmio) L0 ->
    refines req (graph (over (T emulate_mmio) (hide hidden L0))) (sem code (graph L0)).
  Proof. exact (layer_refines (U emulate_mmio) L0 code (T emulate_mmio) hidden FaultHandler_code). Qed.
End Refine.
