(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 5, PTAlloc: the layer's refinement theorem.  Whatever the interface of
    PTAlloc says, the C code does over the interface of Locks, on the same state; the
    bump pointers are hidden from here on. *)
From SeKVM.layers.PTAlloc Require Import Code Spec ProofCode.

Lemma PTAlloc_code : mod_ok Locks.Spec.L code T.
Proof.
  repeat split.
  - exact alloc_pgd_page_code.
  - exact alloc_pud_page_code.
  - exact alloc_pmd_page_code.
Qed.

Theorem PTAlloc_refines : refines req (graph PTAlloc.Spec.L) (sem code (graph Locks.Spec.L)).
Proof. exact (mod_ok_refines_hide _ _ _ _ PTAlloc_code). Qed.
