(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from hypercalls.yaml by `aetool proofs hypercalls`; do not edit *)
(** Layer 32, TrapDispatcher: the calls of the host.  Rests on [Call], which says what an entry means; the
    specification of the dispatcher looks the number in x0 up here. *)
From SeKVM.layers.TrapDispatcher Require Import Call.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition HVC_TIMER_SET_CNTVOFF : Z := 13.
Definition HVC_CLEAR_VM_S2_RANGE : Z := 14.
Definition HVC_SET_BOOT_INFO : Z := 15.
Definition HVC_REMAP_VM_IMAGE : Z := 16.
Definition HVC_VERIFY_VM_IMAGE : Z := 17.
Definition HVC_SMMU_FREE_PGD : Z := 18.
Definition HVC_SMMU_ALLOC_PGD : Z := 19.
Definition HVC_SMMU_LPAE_MAP : Z := 20.
Definition HVC_SMMU_LPAE_IOVA_TO_PHYS : Z := 21.
Definition HVC_SMMU_CLEAR : Z := 22.
Definition HVC_PHYS_ADDR_IOREMAP : Z := 23.
Definition HVC_REGISTER_KVM : Z := 24.
Definition HVC_REGISTER_VCPU : Z := 25.
Definition HVC_ENCRYPT_BUF : Z := 26.
Definition HVC_DECRYPT_BUF : Z := 27.
Definition HVC_SAVE_CRYPT_VCPU : Z := 28.
Definition HVC_LOAD_CRYPT_VCPU : Z := 29.

Definition calls : list hypercall :=
  [mkcall HVC_TIMER_SET_CNTVOFF "timer_set_cntvoff" false [U64]
     [];
   mkcall HVC_CLEAR_VM_S2_RANGE "clear_vm_stage2_range" false [U32; U64; U64]
     [Atleast 1 1; Below 1 16; Fit 2 3 0x1000000000000];
   mkcall HVC_SET_BOOT_INFO "set_boot_info" true [U32; U64; U64]
     [Atleast 1 1; Below 1 16; Fit 2 3 0x1000000000000];
   mkcall HVC_REMAP_VM_IMAGE "remap_vm_image" false [U32; U64; U32]
     [Atleast 1 1; Below 1 16; Below 2 0x1000000000; Below 3 5];
   mkcall HVC_VERIFY_VM_IMAGE "verify_and_load_images" false [U32]
     [Atleast 1 1; Below 1 16];
   mkcall HVC_SMMU_FREE_PGD "el2_free_smmu_pgd" false [U32; U32]
     [Below 1 8; Below 2 2];
   mkcall HVC_SMMU_ALLOC_PGD "el2_alloc_smmu_pgd" false [U32; U32; U32]
     [Below 1 8; Below 2 16; Below 3 2];
   mkcall HVC_SMMU_LPAE_MAP "el2_arm_lpae_map" false [U64; U64; U64; U32; U32]
     [Below 1 0x10000000000; Below 2 0x1000000000000; Below 4 8; Below 5 2];
   mkcall HVC_SMMU_LPAE_IOVA_TO_PHYS "el2_arm_lpae_iova_to_phys" true [U64; U32; U32]
     [Below 1 0x10000000000; Below 2 8; Below 3 2];
   mkcall HVC_SMMU_CLEAR "el2_arm_lpae_clear" false [U64; U32; U32]
     [Below 1 0x10000000000; Below 2 8; Below 3 2];
   mkcall HVC_PHYS_ADDR_IOREMAP "kvm_phys_addr_ioremap" false [U32; U64; U64; U64]
     [Atleast 1 1; Below 1 16; Fit 2 4 0x1000000000000; Fit 3 4 0x1000000000000];
   mkcall HVC_REGISTER_KVM "register_kvm" true []
     [];
   mkcall HVC_REGISTER_VCPU "register_vcpu" false [U32; U32]
     [Atleast 1 1; Below 1 16; Below 2 8];
   mkcall HVC_ENCRYPT_BUF "save_encrypt_buf" false [U32; U64; U64]
     [Atleast 1 1; Below 1 16; Below 2 0x1000000000000; Below 3 0x1000000000000];
   mkcall HVC_DECRYPT_BUF "load_decrypt_buf" false [U32; U64]
     [Atleast 1 1; Below 1 16; Below 2 0x1000000000000];
   mkcall HVC_SAVE_CRYPT_VCPU "save_encrypted_vcpu" false [U32; U32]
     [Atleast 1 1; Below 1 16; Below 2 8];
   mkcall HVC_LOAD_CRYPT_VCPU "load_encrypted_vcpu" false [U32; U32]
     [Atleast 1 1; Below 1 16; Below 2 8]].
