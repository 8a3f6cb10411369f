(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 24, MmioCore: the layer's refinement theorem.  The policies are hidden; what is
    left is an access to a frame of registers. *)
From SeKVM.layers.MmioCore Require Import Code Interface ProofCode.

Lemma MmioCore_code {N M P} : mod_ok (@U N M P) code T.
Proof.
  repeat split.
  - exact handle_smmu_write_code.
  - exact handle_smmu_read_code.
Qed.

Lemma MmioCore_keeps : keeps U MmioCoreAux.Interface.L.
Proof. repeat constructor. Qed.

Theorem MmioCore_refines : refines req (graph MmioCore.Interface.L) (sem code (graph MmioCoreAux.Interface.L)).
Proof. exact (layer_refines _ _ _ _ _ MmioCore_code MmioCore_keeps). Qed.
