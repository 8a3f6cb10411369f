(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the specifications of MmioPTAlloc. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.layers.MmioPTAlloc Require Import Spec.

#[export] Hint Unfold alloc_smmu alloc_smmu_pgd_page_spec alloc_smmu_pmd_page_spec : prims.
