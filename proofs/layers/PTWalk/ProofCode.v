(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 6, PTWalk: each function's code meets its specification over the interface
    of PTAlloc.  Used by [Refine]. *)
From SeKVM.machine Require Import StateTac BottomTac.
From SeKVM.layers.PTAlloc Require Import SpecTac.
From SeKVM.layers.PTWalk Require Import Code Spec SpecTac.

Lemma walk_pgd_code : fun_ok PTAlloc.Spec.L f_walk_pgd walk_pgd_spec.
Proof. walk_ok f_walk_pgd. Qed.

Lemma walk_pud_code : fun_ok PTAlloc.Spec.L f_walk_pud walk_pud_spec.
Proof. walk_ok f_walk_pud. Qed.

Lemma walk_pmd_code : fun_ok PTAlloc.Spec.L f_walk_pmd walk_pmd_spec.
Proof. walk_ok f_walk_pmd. Qed.

Lemma walk_pte_code : fun_ok PTAlloc.Spec.L f_walk_pte walk_pte_spec.
Proof. walk_ok f_walk_pte. Qed.

Lemma set_pmd_code : fun_ok PTAlloc.Spec.L f_set_pmd set_pmd_spec.
Proof. walk_ok f_set_pmd. Qed.

Lemma set_pte_code : fun_ok PTAlloc.Spec.L f_set_pte set_pte_spec.
Proof. walk_ok f_set_pte. Qed.
