(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 14, PageIndex: the layer's refinement theorem, over every underlay that has
    the search and the two accessors of a block, whatever else it has; and its instance
    for the part of the underlay that concerns pages. *)
From SeKVM.layers.PageIndex Require Import Code Spec ProofCode.

Lemma PageIndex_code {N M P} (L0 : tbl (St cell N M P)) : keeps U L0 -> mod_ok L0 code T.
Proof. intros K. repeat split. exact (fun_ok_keep _ _ _ _ K get_s2_page_index_code). Qed.

Theorem PageIndex_refines_over {N M P} (L0 Keep : tbl (St cell N M P)) :
  keeps U L0 -> keeps Keep L0 -> refines req (graph (over T Keep)) (sem code (graph L0)).
Proof. intros K1 K2. exact (mod_ok_refines_keep _ _ _ _ (PageIndex_code L0 K1) K2). Qed.

Theorem PageIndex_refines {N M} : refines req (graph (@PageIndex.Spec.L N M)) (sem code (graph MemRegion.Spec.L)).
Proof. apply PageIndex_refines_over; repeat constructor. Qed.
