(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 14, PageIndex: the layer's refinement theorem.  The code proof is over what
    the code uses, whatever else the interface below has. *)
From SeKVM.layers.PageIndex Require Import Code Spec ProofCode.

Lemma PageIndex_code {N M P} : mod_ok (@U N M P) code T.
Proof. repeat split. exact get_s2_page_index_code. Qed.

Theorem PageIndex_refines : refines req (graph PageIndex.Spec.L) (sem code (graph MemRegion.Spec.L)).
Proof. apply (layer_refines U); [exact PageIndex_code | repeat constructor]. Qed.
