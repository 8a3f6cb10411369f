(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 16, MemManager: each function's code meets its specification.  The proofs stand in four files, so that each is
    checked quickly; here every function has its theorem under one roof, for the reader and for the audit. *)
From SeKVM.layers.MemManager Require ProofShare ProofAssign ProofReserve ProofMap.

Definition map_page_host_code := @ProofMap.map_page_host_code.
Definition clear_vm_page_code := @ProofShare.clear_vm_page_code.
Definition assign_pfn_to_vm_code := @ProofAssign.assign_pfn_to_vm_code.
Definition map_pfn_vm_code := @ProofMap.map_pfn_vm_code.
Definition map_vm_io_code := @ProofMap.map_vm_io_code.
Definition grant_vm_page_code := @ProofShare.grant_vm_page_code.
Definition revoke_vm_page_code := @ProofShare.revoke_vm_page_code.
Definition assign_pfn_to_smmu_code := @ProofReserve.assign_pfn_to_smmu_code.
Definition update_smmu_page_code := @ProofMap.update_smmu_page_code.
Definition unmap_smmu_page_code := @ProofMap.unmap_smmu_page_code.
