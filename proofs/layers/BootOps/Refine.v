(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the layer's refinement theorem, over the interface of BootAux.  The code proofs are over whole
    tables of primitives, of which some have ended there; what the code calls is left.  Rests on [ProofCode]. *)
From SeKVM.lib Require Import UsesTac.
From SeKVM.layers.BootOps Require Import Code Interface ProofCode.

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

Lemma BootOps_serves : serves U BootAux.Interface.L (mcalls code).
Proof. served. Qed.

Theorem BootOps_refines : refines req (graph BootOps.Interface.L) (sem code (graph BootAux.Interface.L)).
Proof. exact (uses_refines U _ code T hidden BootOps_code BootOps_serves). Qed.
