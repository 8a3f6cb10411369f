(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 13, MemRegion: the layer's refinement theorem.  The code proof is over what
    the code uses, whatever else the interface below has. *)
From SeKVM.layers.MemRegion Require Import Code Spec ProofCode.

Lemma MemRegion_code {N M P} : mod_ok (@U N M P) code T.
Proof. repeat split. exact mem_region_search_code. Qed.

Theorem MemRegion_refines : refines req (graph MemRegion.Spec.L) (sem code (graph MmioSPTOps.Spec.L)).
Proof. apply (layer_refines U); [exact MemRegion_code | repeat constructor]. Qed.
