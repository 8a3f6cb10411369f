(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 25, MmioOpsAux: the layer's refinement theorem.  What the hardware says of a
    trapped access, and where the SMMUs are, is hidden from here on. *)
From SeKVM.layers.MmioOpsAux Require Import Code Interface ProofCode.

Lemma MmioOpsAux_code {N M P} : mod_ok (@U N M P) code T.
Proof.
  repeat split.
  - exact is_smmu_range_code.
  - exact handle_host_mmio_code.
Qed.

Lemma MmioOpsAux_keeps : keeps U MmioCore.Interface.L.
Proof. repeat constructor. Qed.

Theorem MmioOpsAux_refines : refines req (graph MmioOpsAux.Interface.L) (sem code (graph MmioCore.Interface.L)).
Proof. exact (layer_refines _ _ _ _ _ MmioOpsAux_code MmioOpsAux_keeps). Qed.
