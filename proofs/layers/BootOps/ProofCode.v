(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: each function's code meets its specification.  The proofs stand in
    several files, so that each is checked quickly; here they are under one roof, for the
    reader and for the audit. *)
From SeKVM.layers.BootOps Require ProofSearch ProofActive ProofLife ProofSetBoot ProofRemap ProofVerify ProofSmmu
  ProofAssign ProofMapIo ProofSaveVcpu ProofLoadVcpu ProofSaveBuf ProofLoadBuf.

Definition search_load_info_code := @ProofSearch.search_load_info_code.
Definition set_vcpu_active_code := @ProofActive.set_vcpu_active_code.
Definition set_vcpu_inactive_code := @ProofActive.set_vcpu_inactive_code.
Definition register_vcpu_code := @ProofLife.register_vcpu_code.
Definition register_kvm_code := @ProofLife.register_kvm_code.
Definition set_boot_info_code := @ProofSetBoot.set_boot_info_code.
Definition remap_vm_image_code := @ProofRemap.remap_vm_image_code.
Definition verify_and_load_images_code := @ProofVerify.verify_and_load_images_code.
Definition alloc_smmu_code := @ProofSmmu.alloc_smmu_code.
Definition assign_smmu_code := @ProofAssign.assign_smmu_code.
Definition map_smmu_code := @ProofAssign.map_smmu_code.
Definition clear_smmu_code := @ProofSmmu.clear_smmu_code.
Definition map_io_code := @ProofMapIo.map_io_code.
Definition is_inc_exe_code := @ProofLife.is_inc_exe_code.
Definition save_encrypted_vcpu_code := @ProofSaveVcpu.save_encrypted_vcpu_code.
Definition load_encrypted_vcpu_code := @ProofLoadVcpu.load_encrypted_vcpu_code.
Definition save_encrypt_buf_code := @ProofSaveBuf.save_encrypt_buf_code.
Definition load_decrypt_buf_code := @ProofLoadBuf.load_decrypt_buf_code.
