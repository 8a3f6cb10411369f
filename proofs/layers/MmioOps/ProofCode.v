(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 26, MmioOps: each function's code meets its specification.  The proofs stand in four files, so that each is
    checked quickly; here every function has its theorem under one roof, for the reader and for the audit. *)
From SeKVM.layers.MmioOps Require ProofAccess ProofBank ProofPage ProofHasBank.

Definition emulate_mmio_code := @ProofAccess.emulate_mmio_code.
Definition el2_free_smmu_pgd_code := @ProofBank.el2_free_smmu_pgd_code.
Definition el2_alloc_smmu_pgd_code := @ProofBank.el2_alloc_smmu_pgd_code.
Definition smmu_assign_page_code := @ProofPage.smmu_assign_page_code.
Definition smmu_map_page_code := @ProofPage.smmu_map_page_code.
Definition el2_arm_lpae_clear_code := @ProofPage.el2_arm_lpae_clear_code.
Definition el2_arm_lpae_iova_to_phys_code := @ProofPage.el2_arm_lpae_iova_to_phys_code.
Definition vm_has_bank_code := @ProofHasBank.vm_has_bank_code.
