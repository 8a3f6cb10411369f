(* SPDX-License-Identifier: Apache-2.0 *)
(** Attacks of the host on what a VM is made of: its image, its start, its registers.  Form and checks are those of
    [HostMemory].  Rests on [World]. *)
From SeKVM.scenarios Require Import World.
Local Open Scope list_scope.

(** The image in frame 0x40003 is not what the owner signed. *)
Succeed Definition host_loads_unverified_image :
  attack (create 1) (load_image 1 0x40003 ++ verify 1) (load_image 1 0x40001 ++ verify 1)
    [Life 1] [[READY; READY; READY]] Panicked [[VERIFIED; READY; READY]]
  := ltac:(split; vm_compute; reflexivity).

(** The host keeps its mapping of the frame and changes a word after KCore took note of the frame. *)
Succeed Definition host_changes_image_before_verification :
  attack (host_fault 0x40001000 ++ host_fault 0x40006000 ++ prepared 1 ++ [("x", [3; 7])])
    (("mem_store", [0x40001010; 3]) :: verify 1) (("mem_store", [0x40006010; 3]) :: verify 1)
    [Life 1] [[READY; READY; READY]] Panicked [[VERIFIED; READY; READY]]
  := ltac:(split; vm_compute; reflexivity).

(** Another frame in place of the verified one; VM 2 is still being prepared. *)
Succeed Definition host_swaps_image_after_verification :
  attack (booted_1 ++ create 2 ++ hvc [HVC_SET_BOOT_INFO; 2; 0x80000000; 4000])
    (hvc [HVC_REMAP_VM_IMAGE; 1; 0x40003; 0]) (hvc [HVC_REMAP_VM_IMAGE; 2; 0x40002; 0] ++ verify 2)
    [Life 1; Life 2; Frame 0x40001; Frame 0x40003; Word 0x40001008; Entry 1 0x80000000]
    [[VERIFIED; READY; READY]; [READY; READY; READY]; [1; 0; 0x80000]; [0; 0; NONE]; [99]; [0x40001fff]] Panicked
    [[VERIFIED; READY; READY]; [VERIFIED; READY; READY]; [1; 0; 0x80000]; [0; 0; NONE]; [99]; [0x40001fff]]
  := ltac:(split; vm_compute; reflexivity).

(** The host lets a VM run that was not verified. *)
Succeed Definition host_runs_vm_before_verification :
  attack (prepared 1) (start_vm 1) (verify 1 ++ start_vm 1)
    [Life 1; Frame 0x40001; Saved 1 0 PC] [[READY; READY; READY]; [0; 0; NONE]; [0]] Panicked
    [[VERIFIED; ACTIVE; READY]; [1; 0; 0x80000]; [0x80000000]]
  := ltac:(split; vm_compute; reflexivity).

(** The host starts a VM at a place that is not in the image. *)
Succeed Definition host_starts_vm_outside_image :
  attack booted_1 (("tell", [src_host_vcpu 1 0; 0x90000000; 5]) :: run_vm 1) (start_vm 1)
    [Saved 1 0 PC; Reg ELR_EL2; Frame 0x40001] [[0]; [0]; [1; 0; 0x80000]] Panicked
    [[0x80000000]; [0x80000000]; [1; 0; 0x80000]]
  := ltac:(split; vm_compute; reflexivity).

(** A VM that is off is not run again. *)
Succeed Definition host_runs_vm_that_is_off :
  attack (booted ++ start_vm 1 ++ vm_call [SYSTEM_OFF]) (run_vm 1) (start_vm 2)
    [Life 1; Life 2; Frame 0x40001] [[POWEROFF; READY; READY]; [VERIFIED; READY; READY]; [1; 0; 0x80000]] Panicked
    [[POWEROFF; READY; READY]; [VERIFIED; ACTIVE; READY]; [1; 0; 0x80000]]
  := ltac:(split; vm_compute; reflexivity).

(** VM 1 has run and stopped with 77 in x5.  The host loads old, sealed registers into it; VM 2 is being prepared. *)
Definition sealed (v : Z) : list move := ("tell", src_cipher v 0 :: repeat 55 31) :: hvc [HVC_LOAD_CRYPT_VCPU; v; 0].
Succeed Definition host_replays_registers_of_vcpu :
  attack (half ++ start_vm 1 ++ [("x", [5; 77])] ++ interrupt) (sealed 1) (sealed 2)
    [Saved 1 0 X5; Saved 2 0 X5; Life 1] [[77]; [0]; [VERIFIED; READY; READY]] Panicked
    [[77]; [55]; [VERIFIED; READY; READY]]
  := ltac:(split; vm_compute; reflexivity).

(** VM 1 is interrupted, and the host has a value for x5; it is read only if the VM asked for one: it loaded x5 from a
    device. *)
Succeed Definition host_sets_register_of_interrupted_vm :
  attack (booted_1 ++ start_vm 1 ++ [("x", [5; 77])])
    (interrupt ++ [("tell", [src_host_vcpu 1 0; 0; 0; 9])] ++ run_vm 1)
    ([("trap", [2; 0x91050000; 0x9000000]); ("vm_exit_handler", []); ("tell", [src_host_vcpu 1 0; 9; 0; 0])]
     ++ run_vm 1)
    [Reg X5] [[77]] Finished [[9]]
  := ltac:(split; vm_compute; reflexivity).
(** Nor does it see the VM's registers: after an exit the CPU has the host's own. *)
Succeed Definition host_reads_registers_of_vm :
  attack (booted_1 ++ [("x", [5; 4])] ++ start_vm 1 ++ [("x", [5; 77])] ++ interrupt) [] (run_vm 1)
    [Reg X5; Saved 1 0 X5; Shown] [[4]; [77]; [1; 0; 44; 31]] Finished [[77]; [77]; [1; 0; 44; 31]]
  := ltac:(split; vm_compute; reflexivity).

(** A number that no VM has. *)
Succeed Definition host_calls_for_vm_that_is_none :
  attack (prepared 1) (hvc [HVC_VERIFY_VM_IMAGE; 16]) (verify 1)
    [Life 1; Frame 0x40001] [[READY; READY; READY]; [0; 0; NONE]] Finished [[VERIFIED; READY; READY]; [1; 0; 0x80000]]
  := ltac:(split; vm_compute; reflexivity).
