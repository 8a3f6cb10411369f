(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 6, PTWalk: the layer's refinement theorem.  Whatever the interface of PTWalk
    says, the C code does over the interface of PTAlloc, on the same state; page-table
    memory and the allocators are hidden from here on. *)
From SeKVM.layers.PTWalk Require Import Code Spec ProofCode.

Lemma PTWalk_code : mod_ok PTAlloc.Spec.L code T.
Proof.
  repeat split.
  - exact walk_pgd_code.
  - exact walk_pud_code.
  - exact walk_pmd_code.
  - exact walk_pte_code.
  - exact set_pmd_code.
  - exact set_pte_code.
Qed.

Theorem PTWalk_refines : refines req (graph PTWalk.Spec.L) (sem code (graph PTAlloc.Spec.L)).
Proof. exact (mod_ok_refines_hide _ _ _ _ PTWalk_code). Qed.
