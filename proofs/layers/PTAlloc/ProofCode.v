(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 5, PTAlloc: each function's code meets its specification over the interface
    of Locks.  Used by [Refine]. *)
From SeKVM.machine Require Import StateTac BottomTac.
From SeKVM.layers.PTAlloc Require Import Code Spec SpecTac.

Lemma alloc_pgd_page_code : fun_ok Locks.Spec.L f_alloc_pgd_page alloc_pgd_page_spec.
Proof. code_ok f_alloc_pgd_page. Qed.

Lemma alloc_pud_page_code : fun_ok Locks.Spec.L f_alloc_pud_page alloc_pud_page_spec.
Proof. code_ok f_alloc_pud_page. Qed.

Lemma alloc_pmd_page_code : fun_ok Locks.Spec.L f_alloc_pmd_page alloc_pmd_page_spec.
Proof. code_ok f_alloc_pmd_page. Qed.
