(* SPDX-License-Identifier: Apache-2.0 *)
(** Attacks of the host on the memory of VMs: VMs have booted, and the host tries to reach or replace what is theirs,
    by faults, calls and devices.  Each is refused with the victim as before, and the same moves with honest
    arguments are done.  The runs are checked here and not kept ([Succeed]): they hash images, and the independent
    checker has no virtual machine.  Rests on [World]. *)
From SeKVM.scenarios Require Import World.
Local Open Scope list_scope.

(** The host faults at a VM's frame; at one of its own. *)
Succeed Definition host_maps_private_frame_of_vm :
  attack booted_1 (host_fault 0x40001000) (host_fault 0x40006000)
    [Frame 0x40001; Word 0x40001008; Entry 1 0x80000000; Entry 0 0x40001000; Entry 0 0x40006000]
    [[1; 0; 0x80000]; [99]; [0x40001fff]; [0]; [0]] Panicked
    [[1; 0; 0x80000]; [99]; [0x40001fff]; [0]; [0x40006fff]]
  := ltac:(split; vm_compute; reflexivity).

(** The host loads and stores without a mapping: the access does nothing. *)
Succeed Definition host_reads_private_frame_of_vm :
  attack (booted_1 ++ host_fault 0x40006000) [("mem_load", [0x40001008; 3])] [("mem_load", [0x40006008; 3])]
    [Frame 0x40001; Reg X3] [[1; 0; 0x80000]; [0]] Finished [[1; 0; 0x80000]; [66]]
  := ltac:(split; vm_compute; reflexivity).
Succeed Definition host_writes_private_frame_of_vm :
  attack (booted_1 ++ host_fault 0x40006000 ++ [("x", [3; 7])])
    [("mem_store", [0x40001008; 3])] [("mem_store", [0x40006008; 3])]
    [Frame 0x40001; Word 0x40001008; Word 0x40006008]
    [[1; 0; 0x80000]; [99]; [66]] Finished [[1; 0; 0x80000]; [99]; [7]]
  := ltac:(split; vm_compute; reflexivity).

(** VM 1 lacks a page, and the host answers with a frame of VM 2, or with the one that holds another page of VM 1. *)
Definition lacks_page : list move := booted ++ start_vm 1 ++ vm_fault 0x80001000.
Definition shared_facts : list fact :=
  [Frame 0x40001; Frame 0x40002; Frame 0x40007; Entry 1 0x80000000; Entry 1 0x80001000; Entry 2 0x80000000].
Definition shared_before : list (list Z) :=
  [[1; 0; 0x80000]; [2; 0; 0x80000]; [0; 0; NONE]; [0x40001fff]; [0]; [0x40002fff]].
Definition shared_after : list (list Z) :=
  [[1; 0; 0x80000]; [2; 0; 0x80000]; [1; 0; 0x80001]; [0x40001fff]; [0x40007fff]; [0x40002fff]].
Succeed Definition host_assigns_frame_of_other_vm :
  attack lacks_page (go_on_with 1 0x80001000 0x40002) (go_on_with 1 0x80001000 0x40007)
    shared_facts shared_before Panicked shared_after
  := ltac:(split; vm_compute; reflexivity).
Succeed Definition host_aliases_page_of_vm :
  attack lacks_page (go_on_with 1 0x80001000 0x40001) (go_on_with 1 0x80001000 0x40007)
    shared_facts shared_before Panicked shared_after
  := ltac:(split; vm_compute; reflexivity).

(** The host gives a VM's frame to a device of its own, bank 3. *)
Succeed Definition host_maps_frame_of_vm_for_device :
  attack (booted_1 ++ hvc [HVC_SMMU_ALLOC_PGD; 3; 0; 0])
    (hvc [HVC_SMMU_LPAE_MAP; 0x9000; 0x40001000; 0xc0; 3; 0])
    (hvc [HVC_SMMU_LPAE_MAP; 0x9000; 0x40007000; 0xc0; 3; 0])
    [Frame 0x40001; Frame 0x40007; Word 0x40001008; Bank 3] [[1; 0; 0x80000]; [0; 0; NONE]; [99]; [0]] Panicked
    [[1; 0; 0x80000]; [0; 1; NONE]; [99]; [0]]
  := ltac:(split; vm_compute; reflexivity).

(** A frame of VM 1 for a device of VM 2, which is still prepared. *)
Succeed Definition host_maps_frame_of_vm_for_other_vm :
  attack half
    (hvc [HVC_SMMU_LPAE_MAP; 0x9000; 0x40001000; 0xc0; 2; 0])
    (hvc [HVC_SMMU_LPAE_MAP; 0x9000; 0x40007000; 0xc0; 2; 0])
    [Frame 0x40001; Frame 0x40007; Word 0x40001008; Bank 2] [[1; 0; 0x80000]; [0; 0; NONE]; [99]; [2]] Panicked
    [[1; 0; 0x80000]; [2; INVALID; 9]; [99]; [2]]
  := ltac:(split; vm_compute; reflexivity).
