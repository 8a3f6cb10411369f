(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the layer's refinement theorem, over every interface that has what
    the code uses.  Rests on [ProofCode]. *)
From SeKVM.layers.BootOps Require Import Code Spec ProofCode.

Lemma BootOps_code : mod_ok U code T.
Proof.
  repeat split.
  - exact search_load_info_code.
  - exact set_vcpu_active_code.
  - exact set_vcpu_inactive_code.
  - exact register_vcpu_code.
  - exact register_kvm_code.
  - exact set_boot_info_code.
  - exact remap_vm_image_code.
  - exact verify_and_load_images_code.
  - exact alloc_smmu_code.
  - exact assign_smmu_code.
  - exact map_smmu_code.
  - exact clear_smmu_code.
  - exact map_io_code.
  - exact is_inc_exe_code.
  - exact save_encrypted_vcpu_code.
  - exact load_encrypted_vcpu_code.
  - exact save_encrypt_buf_code.
  - exact load_decrypt_buf_code.
Qed.

Theorem BootOps_refines (L0 : tbl hstate) ns : keeps U L0 ->
  refines req (graph (over T (hide ns L0))) (sem code (graph L0)).
Proof. intros K. exact (layer_refines U L0 code T ns BootOps_code K). Qed.
