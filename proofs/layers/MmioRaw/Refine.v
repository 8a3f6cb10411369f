(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 22, MmioRaw: the layer's refinement theorem.  Whatever its interface says, the
    C code does over the interface below, on the same state; nothing is hidden. *)
From SeKVM.layers.MmioRaw Require Import Code Interface ProofCode.

Lemma MmioRaw_code {N M P} : mod_ok (@U N M P) code T.
Proof.
  repeat split.
  - exact host_get_mmio_data_code.
  - exact smmu_init_pte_code.
  - exact smmu_get_cbndx_code.
Qed.

Lemma MmioRaw_keeps : keeps U BootOps.Interface.L.
Proof. repeat constructor. Qed.

Theorem MmioRaw_refines : refines req (graph MmioRaw.Interface.L) (sem code (graph BootOps.Interface.L)).
Proof. exact (layer_refines _ _ _ _ _ MmioRaw_code MmioRaw_keeps). Qed.
