(* SPDX-License-Identifier: Apache-2.0 *)
(** The life of two VMs, from the initial state: they boot from verified images, run, fault in a page, share and take
    back, use their devices, start and stop by PSCI, and their memory goes back emptied.  The runs are checked here
    and not kept ([Succeed]), as in [HostMemory].  Rests on [World]. *)
From Coq Require Import Lia.
From SeKVM.layers.LockOpsH Require Import Fair.
From SeKVM.layers.Locks Require Import Boot.
From SeKVM.layers.PageManager Require Import Refine.
From SeKVM Require Import StackFrames.
From SeKVM.scenarios Require Import World.
Local Open Scope list_scope.

(** Both boot; VM 1 runs, is interrupted, and VM 2 runs. *)
Succeed Definition two_vms_boot_and_run :
  scenario (booted ++ start_vm 1 ++ [("mem_load", [0x80000008; 3])] ++ interrupt ++ start_vm 2)
    [Life 1; Life 2; Entry 1 0x80000000; Entry 2 0x80000000; Running; Reg X3; Saved 1 0 X3; Shown]
    [[VERIFIED; READY; READY]; [VERIFIED; ACTIVE; READY]; [0x40001fff]; [0x40002fff]; [2; 0; 0x80000000]; [0]; [99];
     [1; 0; 44; 31]]
  := ltac:(split; vm_compute; reflexivity).

(** VM 1 lacks a page, gets a frame of the host's, uses and shares it; the host reads it; VM 1 takes it back. *)
Definition page_in : list move :=
  booted ++ start_vm 1 ++ vm_fault 0x80001000 ++ go_on_with 1 0x80001000 0x40007
  ++ [("x", [3; 7]); ("mem_store", [0x80001008; 3])].
Definition share : list move := vm_call [11; 0; 0x80001000; 4096].
Definition goes_on : list move := ("tell", [src_host_vcpu 1 0; 0; 0]) :: run_vm 1.
Definition unshare : list move := vm_call [12; 0; 0x80001000; 4096].
Succeed Definition page_is_shared :
  scenario (page_in ++ share ++ interrupt ++ host_fault 0x40007000 ++ [("mem_load", [0x40007008; 4])])
    [Frame 0x40007; Entry 1 0x80001000; Entry 0 0x40007000; Word 0x40007008; Reg X4]
    [[1; 1; 0x80001]; [0x40007fff]; [0x40007fff]; [7]; [7]]
  := ltac:(split; vm_compute; reflexivity).
Succeed Definition page_is_taken_back :
  scenario (page_in ++ share ++ interrupt ++ host_fault 0x40007000 ++ goes_on ++ unshare)
    [Frame 0x40007; Entry 1 0x80001000; Entry 0 0x40007000; Running]
    [[1; 0; 0x80001]; [0x40007fff]; [0x200000000000000]; [1; 0; 0x80000000]]
  := ltac:(split; vm_compute; reflexivity).

(** A device of VM 1 stores through its bank.  VM 1 asks for its second vCPU; the host lets it run.  Then VM 1
    switches off, its bank is freed, and its memory goes back emptied; VM 2 is as before. *)
Definition second_vcpu : list move :=
  start_vm 1 ++ vm_call [CPU_ON64; 1; 0x80000000; 0]
  ++ [("tell", [src_host_run 1; 1]); ("tell", [src_host_vcpu 1 1; 0x80000000; 5])] ++ run_vm 1.
Succeed Definition second_vcpu_runs :
  scenario (booted ++ second_vcpu) [Life 1; Running; Shown]
    [[VERIFIED; READY; ACTIVE]; [1; 1; 0x80000000];
     [1; 0; 3; 0; 1; 0; 2; 0x80000000; 1; 0; 1; 1; 1; 0; 0; CPU_ON64; 1; 0; 72; 0x58000000; 1; 0; 44; 2]]
  := ltac:(split; vm_compute; reflexivity).
Succeed Definition vm_ends :
  scenario (booted ++ [("x", [3; 9]); ("dev_store", [0x7008; 3; 1; 0])] ++ second_vcpu ++ vm_call [SYSTEM_OFF]
            ++ hvc [HVC_SMMU_FREE_PGD; 1; 0] ++ hvc [HVC_CLEAR_VM_S2_RANGE; 1; 0x40000000; 0x10000])
    [Life 1; Life 2; Bank 1; Frame 0x40001; Word 0x40001008; Frame 0x40009; Word 0x40009008; Frame 0x40002;
     Word 0x40002008]
    [[POWEROFF; READY; READY]; [VERIFIED; READY; READY]; [FREE]; [0; 0; NONE]; [0]; [0; 0; NONE]; [0];
     [2; 0; 0x80000]; [99]]
  := ltac:(split; vm_compute; reflexivity).

(** * A vCPU that another CPU ran in between *)

(** One CPU's view of a vCPU that migrates: vCPU 0 of VM 1 runs here and is interrupted; CPU 1 takes its context, runs
    it, and leaves it with 55 in x5, at 0x80000010; then it runs here again, from there.  What is shown is that the
    context is given up and taken with what the other CPU left; the run on CPU 1 is an event, and not a run of this
    program. *)
Definition left_by_other : regfile := {[ X5 := 55; PC := 0x80000010; PSTATE := EL1H; EC := INTERRUPT ]}.
Definition w_moved : world :=
  mkworld (w_cpu w) (w_boot w) (w_words w) [] [] [] [] (fun _ => []) (fun _ => [])
    (fun i => if i =? ctxt_id 1 0 then [[]; []; [(1, left_by_other)]] else []) [] (w_ins w).
Definition moved_low : St tview npt sptab (gmap Z s2page) := init0 4294967290 w_moved no_events.
Definition moved_high : hstate := init_frames (fun _ => []) [] [] w_moved.
Lemma moved_related : rel R_frames moved_high moved_low.
Proof.
  apply (frames_boot 4294967290 w_moved 0 no_events);
    [lia | reflexivity | constructor; reflexivity | reflexivity | intros vm _ | |]; apply Forall2_nil_2.
Qed.
Succeed Definition vcpu_migrates :
  let before := booted_1 ++ start_vm 1 ++ [("x", [5; 77])] in
  let xs := [Running; Reg X5; Life 1] in
  let r := Some ([[1; 0; 0x80000000]; [77]; [VERIFIED; ACTIVE; READY]],
    [(Finished, [[0; 2; 0]; [0]; [VERIFIED; READY; READY]]);
     (Finished, [[1; 0; 0x80000010]; [55]; [VERIFIED; ACTIVE; READY]])]) in
  try by_spec see_high before [interrupt; interrupt ++ goes_on] xs moved_high = r /\
  try by_c see_low before [interrupt; interrupt ++ goes_on] xs moved_low = r
  := ltac:(split; vm_compute; reflexivity).
