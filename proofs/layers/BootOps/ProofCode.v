(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: each function's code meets its specification.  The proofs stand in
    several files, so that each is checked quickly; here they are under one roof, for the
    reader and for the audit.  The functions that the manifest calls missing have code, a
    specification and runs ([Test]), and no proof yet. *)
From SeKVM.layers.BootOps Require ProofActive ProofLife ProofAssign ProofSmmu.

Definition set_vcpu_active_code := @ProofActive.set_vcpu_active_code.
Definition set_vcpu_inactive_code := @ProofActive.set_vcpu_inactive_code.
Definition register_vcpu_code := @ProofLife.register_vcpu_code.
Definition register_kvm_code := @ProofLife.register_kvm_code.
Definition is_inc_exe_code := @ProofLife.is_inc_exe_code.
Definition alloc_smmu_code := @ProofSmmu.alloc_smmu_code.
Definition clear_smmu_code := @ProofSmmu.clear_smmu_code.
Definition assign_smmu_code := @ProofAssign.assign_smmu_code.
Definition map_smmu_code := @ProofAssign.map_smmu_code.
