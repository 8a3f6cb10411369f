(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 13, MemRegion: the layer's refinement theorem, over every underlay that has
    the map's primitives, whatever else it has; and its instance for the part of the
    underlay that concerns pages. *)
From SeKVM.layers.MemRegion Require Import Code Spec ProofCode.

Lemma MemRegion_code {N M P} (L0 : tbl (St cell N M P)) : keeps U L0 -> mod_ok L0 code T.
Proof. intros K. repeat split. exact (fun_ok_keep _ _ _ _ K mem_region_search_code). Qed.

(** Whatever passes through, [Keep], may be any part of the underlay. *)
Theorem MemRegion_refines_over {N M P} (L0 Keep : tbl (St cell N M P)) :
  keeps U L0 -> keeps Keep L0 -> refines req (graph (over T Keep)) (sem code (graph L0)).
Proof. intros K1 K2. exact (mod_ok_refines_keep _ _ _ _ (MemRegion_code L0 K1) K2). Qed.

Theorem MemRegion_refines {N M} : refines req (graph (@MemRegion.Spec.L N M)) (sem code (graph Below)).
Proof. apply MemRegion_refines_over; repeat constructor. Qed.
