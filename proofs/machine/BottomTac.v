(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the bottom primitives and address constants, for the code-proof
    tactics.  Rests on [Bottom]. *)
From SeKVM.machine Require Export StateTac Bottom.

#[export] Hint Unfold npt_get npt_set pt_load pt_store get_pt_vttbr spt_get spt_set
  smmu_pt_load smmu_pt_store get_smmu_cfg_hw_ttbr panic tlb_flush smmu_tlb_flush : prims.

#[export] Hint Unfold PAGE pool_start pgd_start pud_start pmd_start pool_end in_pool
  SMMU_POOL_START SMMU_PGD_START SMMU_PMD_START SMMU_POOL_END in_smmu_pool smmu_ttbr : consts.
