(* SPDX-License-Identifier: Apache-2.0 *)
(** Attacks of a VM: on memory of the host and of the other VM, and by its calls.  None stops the machine: each ends
    with the VM or the host going on.  Form and checks are those of [HostMemory].  Rests on [World]. *)
From SeKVM.scenarios Require Import World.
Local Open Scope list_scope.

(** VM 1 runs; it names frames of VM 2 and of the host. *)
Succeed Definition guest_reads_memory_of_other_vm :
  attack (booted ++ start_vm 1) [("mem_load", [0x40002008; 3]); ("mem_load", [0x40006008; 3])]
    [("mem_load", [0x80000008; 3])] [Reg X3; Frame 0x40002] [[0]; [2; 0; 0x80000]] Finished [[99]; [2; 0; 0x80000]]
  := ltac:(split; vm_compute; reflexivity).
Succeed Definition guest_writes_memory_of_other_vm :
  attack (booted ++ start_vm 1 ++ [("x", [3; 7])])
    [("mem_store", [0x40002008; 3]); ("mem_store", [0x40006008; 3])] [("mem_store", [0x80000008; 3])]
    [Word 0x40001008; Word 0x40002008; Word 0x40006008] [[99]; [99]; [66]] Finished [[7]; [99]; [66]]
  := ltac:(split; vm_compute; reflexivity).

(** It shares: the address of a frame of VM 2, a range that wraps around; its own page. *)
Definition share (a n : Z) : list move := vm_call [11; 0; a; n].
Succeed Definition guest_shares_frame_of_other_vm :
  attack (booted ++ start_vm 1) (share 0x40002000 4096) (share 0x80000000 4096)
    [Frame 0x40001; Frame 0x40002; Word 0x40002008] [[1; 0; 0x80000]; [2; 0; 0x80000]; [99]] Finished
    [[1; 1; 0x80000]; [2; 0; 0x80000]; [99]]
  := ltac:(split; vm_compute; reflexivity).
Succeed Definition guest_shares_range_that_wraps_around :
  attack (booted ++ start_vm 1) (share 0x80000000 0xffffffffffffffff) (share 0x80000000 1)
    [Frame 0x40001; Frame 0x40002] [[1; 0; 0x80000]; [2; 0; 0x80000]] Finished [[1; 1; 0x80000]; [2; 0; 0x80000]]
  := ltac:(split; vm_compute; reflexivity).

(** It switches off, and names VM 2 in the call; VM 2 does it itself.  A call to start a vCPU is shown to the host as
    VM 1's. *)
Succeed Definition guest_psci_off_into_other_vm :
  attack (booted ++ start_vm 1) (vm_call [SYSTEM_OFF; 2; 2]) (interrupt ++ start_vm 2 ++ vm_call [SYSTEM_OFF])
    [Life 2; Frame 0x40002; Saved 2 0 PC] [[VERIFIED; READY; READY]; [2; 0; 0x80000]; [0]] Finished
    [[POWEROFF; READY; READY]; [2; 0; 0x80000]; [0x80000000]]
  := ltac:(split; vm_compute; reflexivity).
Succeed Definition guest_psci_on_into_other_vm :
  attack (booted ++ start_vm 1) (vm_call [CPU_ON64; 0x200000001; 0x80000000; 0]) (interrupt ++ start_vm 2)
    [Life 2; Frame 0x40002; Saved 2 0 PC] [[VERIFIED; READY; READY]; [2; 0; 0x80000]; [0]] Finished
    [[VERIFIED; ACTIVE; READY]; [2; 0; 0x80000]; [0x80000000]]
  := ltac:(split; vm_compute; reflexivity).

(** The VM shared its page, the host mapped it, and the VM took it back: the host's entry has no frame,
    and is not valid. *)
Definition back (v : Z) : list move := ("tell", [src_host_vcpu v 0; 0; 0]) :: run_vm v.
Succeed Definition host_reads_page_that_was_unshared :
  attack (booted_1 ++ start_vm 1 ++ share 0x80000000 4096 ++ interrupt ++ host_fault 0x40001000
          ++ host_fault 0x40006000 ++ back 1 ++ vm_call [12; 0; 0x80000000; 4096] ++ interrupt ++ [("x", [3; 0])])
    [("mem_load", [0x40001008; 3])] [("mem_load", [0x40006008; 3])]
    [Frame 0x40001; Entry 0 0x40001000; Word 0x40001008; Reg X3]
    [[1; 0; 0x80000]; [0x200000000000000]; [99]; [0]] Finished
    [[1; 0; 0x80000]; [0x200000000000000]; [99]; [66]]
  := ltac:(split; vm_compute; reflexivity).
