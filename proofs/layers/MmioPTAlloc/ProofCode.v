(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 9, MmioPTAlloc: each function's code meets its specification over the
    interface of NPTOps.  Used by [Refine]. *)
From SeKVM.machine Require Import StateTac BottomTac.
From SeKVM.layers.MmioPTAlloc Require Import Code Spec SpecTac.

Lemma alloc_smmu_pgd_page_code : fun_ok NPTOps.Spec.L f_alloc_smmu_pgd_page alloc_smmu_pgd_page_spec.
Proof. code_ok f_alloc_smmu_pgd_page. Qed.

Lemma alloc_smmu_pmd_page_code : fun_ok NPTOps.Spec.L f_alloc_smmu_pmd_page alloc_smmu_pmd_page_spec.
Proof. code_ok f_alloc_smmu_pmd_page. Qed.
