(* SPDX-License-Identifier: Apache-2.0 *)
(** Attacks of the host on memory that leaves a VM: it wants frames back too early, looks for what was in them,
    exports what is another VM's, or imports over it.  Form and checks are those of [HostMemory].  Rests on
    [World]. *)
From SeKVM.scenarios Require Import World.
Local Open Scope list_scope.

(** The host wants a VM's frame back while the VM is on; when it is off and its bank is free, the frame comes
    emptied. *)
Definition take_back : list move := hvc [HVC_CLEAR_VM_S2_RANGE; 1; 0x40001000; 4096].
Definition off : list move := start_vm 1 ++ vm_call [SYSTEM_OFF].
Succeed Definition host_reclaims_memory_of_running_vm :
  attack booted_1 take_back (off ++ hvc [HVC_SMMU_FREE_PGD; 1; 0] ++ take_back)
    [Frame 0x40001; Word 0x40001008] [[1; 0; 0x80000]; [99]] Finished [[0; 0; NONE]; [0]]
  := ltac:(split; vm_compute; reflexivity).
(** The VM is off, but its devices still reach the frame. *)
Succeed Definition host_reclaims_memory_under_device :
  attack (booted_1 ++ off) take_back (hvc [HVC_SMMU_FREE_PGD; 1; 0] ++ take_back)
    [Frame 0x40001; Word 0x40001008; Bank 1] [[1; 0; 0x80000]; [99]; [1]] Finished [[0; 0; NONE]; [0]; [FREE]]
  := ltac:(split; vm_compute; reflexivity).
(** What it then reads of the frame is zero; the word that it reads of its own frame is there. *)
Succeed Definition host_reads_scrubbed_frame :
  attack (booted_1 ++ off ++ hvc [HVC_SMMU_FREE_PGD; 1; 0] ++ take_back ++ host_fault 0x40001000
          ++ host_fault 0x40006000 ++ [("x", [3; 0])])
    [("mem_load", [0x40001008; 3])] [("mem_load", [0x40006008; 3])] [Frame 0x40001; Reg X3]
    [[0; 0; NONE]; [0]] Finished [[0; 0; NONE]; [66]]
  := ltac:(split; vm_compute; reflexivity).

(** A frame of VM 2 exported as VM 1's. *)
Succeed Definition host_exports_frame_of_other_vm :
  attack booted (hvc [HVC_ENCRYPT_BUF; 1; 0x40002000; 0x40007000]) (hvc [HVC_ENCRYPT_BUF; 1; 0x40001000; 0x40007000])
    [Frame 0x40002; Word 0x40002008; Word 0x40007008]
    [[2; 0; 0x80000]; [99]; [0]] Panicked [[2; 0; 0x80000]; [99]; [99]]
  := ltac:(split; vm_compute; reflexivity).
(** A sealed frame imported over one of VM 1's. *)
Succeed Definition host_imports_over_frame_of_other_vm :
  attack half
    (hvc [HVC_DECRYPT_BUF; 2; 0x40001000]) (hvc [HVC_DECRYPT_BUF; 2; 0x40007000])
    [Frame 0x40001; Word 0x40001008; Frame 0x40007] [[1; 0; 0x80000]; [99]; [0; 0; NONE]] Panicked
    [[1; 0; 0x80000]; [99]; [2; 0; NONE]]
  := ltac:(split; vm_compute; reflexivity).
