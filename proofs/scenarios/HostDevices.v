(* SPDX-License-Identifier: Apache-2.0 *)
(** Attacks of the host on devices and banks of VMs, and on the SMMU that keeps devices apart; and accesses of devices
    beyond what their bank maps.  Form and checks are those of [HostMemory].  Rests on [World]. *)
From SeKVM.scenarios Require Import World.
Local Open Scope list_scope.

(** A bank that is VM 1's. *)
Succeed Definition host_takes_bank_of_vm :
  attack booted_1 (hvc [HVC_SMMU_ALLOC_PGD; 1; 0; 0]) (hvc [HVC_SMMU_ALLOC_PGD; 3; 0; 0])
    [Bank 1; Bank 3] [[1]; [FREE]] Finished [[1]; [0]]
  := ltac:(split; vm_compute; reflexivity).
Succeed Definition host_frees_bank_of_running_vm :
  attack booted_1 (hvc [HVC_SMMU_FREE_PGD; 1; 0])
    (start_vm 1 ++ vm_call [SYSTEM_OFF] ++ hvc [HVC_SMMU_FREE_PGD; 1; 0])
    [Bank 1; Frame 0x40009] [[1]; [1; INVALID; 7]] Panicked [[FREE]; [1; INVALID; 7]]
  := ltac:(split; vm_compute; reflexivity).
(** More memory for the devices of a VM that is verified; of one that is not. *)
Succeed Definition host_changes_devices_of_verified_vm :
  attack half (hvc [HVC_SMMU_LPAE_MAP; 0x9000; 0x40007000; 0xc0; 1; 0])
    (hvc [HVC_SMMU_LPAE_MAP; 0x9000; 0x40007000; 0xc0; 2; 0])
    [Frame 0x40007; Frame 0x40009] [[0; 0; NONE]; [1; INVALID; 7]] Panicked [[2; INVALID; 9]; [1; INVALID; 7]]
  := ltac:(split; vm_compute; reflexivity).

(** Registers of the SMMU for a VM, and memory of VM 1 as if it were a device of VM 2. *)
Definition io (v a : Z) : list move := hvc [HVC_PHYS_ADDR_IOREMAP; v; 0x9000000; a; 4096].
Example host_maps_smmu_registers_into_vm :
  attack (prepared 1) (io 1 0x9010000) (io 1 0x9000000) [Entry 1 0x9000000] [[0]] Panicked [[0x400000090007c7]].
Proof. split; vm_compute; reflexivity. Qed.
Succeed Definition host_maps_memory_of_vm_as_device :
  attack half (io 2 0x40001000) (io 2 0x9000000) [Entry 2 0x9000000; Frame 0x40001; Word 0x40001008]
    [[0]; [1; 0; 0x80000]; [99]] Finished [[0x400000090007c7]; [1; 0; 0x80000]; [99]]
  := ltac:(split; vm_compute; reflexivity).

(** The host's own access to the SMMU: translation off (the first word of the global registers), and bank 1 for VM 2
    (its attributes). *)
Example host_switches_translation_off :
  attack (create 1 ++ give_bank 1) (host_store_smmu 0x9010000 0x200401) (host_store_smmu 0x9010000 0x200400)
    [Stores; Bank 1] [[]; [1]] Panicked [[0x9010000; 4; 0x200400]; [1]].
Proof. split; vm_compute; reflexivity. Qed.
Example host_binds_bank_to_other_vm :
  attack (create 1 ++ create 2 ++ give_bank 1) (host_store_smmu 0x9011004 2) (host_store_smmu 0x9011004 1)
    [Stores; Bank 1] [[]; [1]] Panicked [[0x9011004; 4; 1]; [1]].
Proof. split; vm_compute; reflexivity. Qed.

(** * Devices *)

(** A device of VM 1's bank at an address that only VM 2's image has, and at one that the bank does not map. *)
Succeed Definition device_dma_outside_its_bank :
  attack (booted ++ [("x", [3; 9])])
    [("dev_store", [0x40002008; 3; 1; 0]); ("dev_store", [0x8008; 3; 1; 0]); ("dev_store", [0x4000a008; 3; 1; 0])]
    [("dev_store", [0x7008; 3; 1; 0])]
    [Word 0x40002008; Word 0x4000a008; Word 0x40009008] [[99]; [0]; [0]] Finished [[99]; [0]; [9]]
  := ltac:(split; vm_compute; reflexivity).
(** A device whose bank was freed: its VM is off, and the frame went back to the host. *)
Succeed Definition device_dma_after_bank_is_freed :
  attack (booted ++ start_vm 1 ++ vm_call [SYSTEM_OFF] ++ hvc [HVC_SMMU_FREE_PGD; 1; 0]
          ++ hvc [HVC_CLEAR_VM_S2_RANGE; 1; 0x40009000; 4096] ++ [("x", [3; 9])])
    [("dev_store", [0x7008; 3; 1; 0])] [("dev_store", [0x7008; 3; 2; 0])]
    [Frame 0x40009; Word 0x40009008; Word 0x4000a008] [[0; 0; NONE]; [0]; [0]] Finished [[0; 0; NONE]; [0]; [9]]
  := ltac:(split; vm_compute; reflexivity).
