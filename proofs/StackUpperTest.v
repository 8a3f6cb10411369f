(* SPDX-License-Identifier: Apache-2.0 *)
(** The premises of [StackUpperSafe.upper_safe] can be met, by a machine on which another CPU is busy too, and its
    conditions are needed: examples by computation.  Rests on [StackUpperSafe]. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import Calls Runs.
From SeKVM.machine Require Import Init LockInit Tickets CellInv BottomVmTac.
From SeKVM.layers.LockOpsH Require Import Fair.
From SeKVM.layers.Locks Require Import Boot.
From SeKVM.layers.PageManager Require Import Spec Refine.
From SeKVM.layers.MmioOps Require Import Interface Safe.
From SeKVM.layers.BootCore Require Import Safe.
From SeKVM.layers.BootOps Require Import Life.
From SeKVM Require Import StackSafe StackFrames StackFramesSafe StackUpper StackUpperSafe StackTop StackUpperBoot.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * The machine *)

(** One SMMU and frames from 0x40000 on.  Before us CPU 3 registers VM 1 and gives bank 2 to it; later it takes a
    number. *)
Definition registered : vminfo := set_vm_state READY vminfo0.
Definition w : world :=
  mkworld 0 (mkboot [mkmemblock 0x40000000 0x8000 1 0] [mksmmu 0x9010000 65536 0 8 12]) ∅
    [[(3, mkcore 2 33554432)]] [] [] [[(3, {[ 2 := 1 ]})]] (fun _ => [])
    (fun v => if v =? 1 then [[(3, registered)]] else [])
    (fun _ => []) [] ∅.
Definition start : hstate := init_frames (fun _ => []) [] [] w.

Example start_whole : whole ∅ start.
Proof.
  apply init_whole.
  - split; [intros vm _|]; constructor.
  - reflexivity.
  - constructor.
  - repeat constructor; vm_compute; congruence.
  - repeat constructor. intros b. apply owners_ok_insert; [exact owners_ok_init | reflexivity].
  - intros v. unfold w. cbn [w_vms]. destruct (v =? 1); [|constructor]. repeat constructor.
  - cbn. lia.
  - reflexivity.
Qed.

(** * A run *)

Definition obs (s : hstate) : option (Z * Z) * list Z :=
  ((some c := st_vms s !! 1; Some (vm_state (c_val c), vcpu_at (c_val c) 0)),
   map (bank_owner (c_val (st_smmu s))) [1; 2]).
Definition here : stepper hstate := call MmioOps.Interface.L.

(** VM 1 is there already; it gets a vCPU, a bank, a page for its devices.  Our own VM is number 2. *)
Definition calls : list (ident * list Z) :=
  [("register_vcpu", [1; 0]); ("register_kvm", []); ("el2_alloc_smmu_pgd", [1; 1; 0]);
   ("smmu_assign_page", [1; 0; 0x40001; 5]);
   ("smmu_map_page", [1; 0; 0x5000; 0x40001747]); ("el2_arm_lpae_iova_to_phys", [0x5008; 1; 0]);
   ("verify_and_load_images", [1]); ("set_vcpu_active", [1; 0]); ("set_vcpu_inactive", [1; 0]);
   ("set_vm_poweroff", [1]); ("get_vm_poweron", [1]); ("vm_has_bank", [1]); ("el2_free_smmu_pgd", [1; 0]);
   ("clear_vm_range", [1; 0x40000; 8]); ("mem_load_ref", [1; 0x5000; 0]); ("dev_store_ref", [2; 0; 0x5000; 1])].
Example run :
  observe here obs calls start
  = ([0; 2; 0; 0; 0; 0x40001008; 0; 0; 0; 0; 0; 1; 0; 0; 0; 0], Finished, (Some (POWEROFF, READY), [INVALID; 1])).
Proof. vm_compute. reflexivity. Qed.

Example calls_allowed : upper_calls ∅ calls ∅.
Proof.
  assert (E : without_vcpu 1 0 (with_vcpu 1 0 ∅) = ∅) by exact (given_back ∅ (ctxt_id 1 0) (not_elem_of_empty _)).
  rewrite <- E at 2. repeat first
    [ apply upper_nil
    | eapply upper_cons; [apply plain; first [constructor; reflexivity | apply p_range; constructor; reflexivity
        | apply p_vm; constructor; reflexivity | apply p_device; constructor; reflexivity]|]
    | eapply upper_cons; [apply registers; [reflexivity | reflexivity | intros _; apply not_elem_of_empty]|]
    | eapply upper_cons; [apply starts; [reflexivity | reflexivity | intros _; apply not_elem_of_empty]|]
    | eapply upper_cons; [apply stops; [reflexivity | reflexivity | intros _; apply elem_of_union; left;
        now apply elem_of_singleton]|] ].
Qed.

(** Wrong arguments are a panic. *)
Definition panics (c : ident * list Z) : Prop := snd (fst (observe here (fun _ => tt) [c] start)) = Panicked.
Example refused : Forall panics
  [("set_vcpu_active", [99; 99]); ("register_vcpu", [0; 0]); ("set_boot_info", [16; 0; 0]);
   ("remap_vm_image", [1; 2 ^ 40; 0]);
   ("el2_alloc_smmu_pgd", [8; 1; 0]); ("smmu_map_page", [0; 2; 0; 0]); ("load_decrypt_buf", [1; 0x40008000]);
   ("save_encrypt_buf", [1; 0; 0]); ("set_vm_poweroff", [0])].
Proof. repeat constructor. Qed.

(** * What is asked for is needed *)

(** CPU 3 runs vCPU 0 of VM 1.  Who stops it must have its context: for us the call has no meaning. *)
Definition busy : vminfo := set_vcpu_state 0 ACTIVE (set_vm_state VERIFIED vminfo0).
Definition elsewhere : hstate := set_vms (<[1 := free_cell busy []]> (st_vms start)) start.
Example not_ours : record_ok busy /\ call MmioOps.Interface.L "set_vcpu_inactive" [1; 0] elsewhere = None.
Proof. split; vm_compute; reflexivity. Qed.

(** A record that cannot be: an active vCPU of a VM that was not verified. *)
Definition unverified : hstate :=
  set_vms (<[1 := free_cell (set_vcpu_state 0 ACTIVE vminfo0) []]> (st_vms start)) start.
Example bad_record : call MmioOps.Interface.L "get_vm_poweron" [1] unverified = None.
Proof. vm_compute. reflexivity. Qed.

(** A bank whose owner is no VM; a lock that is held already. *)
Example bad_owner :
  call MmioOps.Interface.L "smmu_map_page" [1; 0; 0; 0] (set_smmu (free_cell {[ 1 := 17 ]} []) start) = None /\
  call MmioOps.Interface.L "register_kvm" [] (set_core (acquire_cell (st_core start)) start) = None.
Proof. split; vm_compute; reflexivity. Qed.

(** * The linked program, from the start *)

(** CPU 3 holds the lock of VM 1's record, of the counters and of the owners before us, and leaves what [w] says. *)
Definition others : scripts lock_event :=
  mkscripts [[Take 3]; [Pass 3 (mkcore 2 33554432)]] [] [] [[Take 3]; [Pass 3 {[ 2 := 1 ]}]] (fun _ => [])
    (fun v => if v =? 1 then [[Take 3]; [Pass 3 registered]] else []).

Example others_fair : fair_scripts 0 1 others.
Proof.
  constructor; try reflexivity.
  - repeat (cbn; do 2 eexists; split; [reflexivity|]). reflexivity.
  - repeat (cbn; do 2 eexists; split; [reflexivity|]). reflexivity.
  - intros v. unfold others. cbn [sc_vms]. destruct (v =? 1); [|reflexivity].
    repeat (cbn; do 2 eexists; split; [reflexivity|]). reflexivity.
Qed.

Example others_above : w_vms (world_of w others) 1 = [[(3, registered)]] /\
  w_core (world_of w others) = [[(3, mkcore 2 33554432)]] /\ w_smmu (world_of w others) = [[(3, {[ 2 := 1 ]})]].
Proof. repeat split; reflexivity. Qed.

(** The premises of [upper_safe_boot] hold of this world. *)
Example calls_from_boot : exists r', runs (flat bank_program (graph L0)) calls (init0 4294967294 w others) r' /\
  exists r, res_rel R_frames r r' /\ match r with Ok _ s => whole ∅ s | Halt _ => True end.
Proof.
  destruct others_above as (Ev & Ec & Es).
  apply (upper_safe_boot 4294967294 w 1 others (fun _ => []) [] [] calls ∅).
  - lia.
  - reflexivity.
  - exact others_fair.
  - reflexivity.
  - split; [intros vm _|]; apply Forall2_nil_2.
  - apply Forall2_nil_2.
  - rewrite Ec. repeat constructor; vm_compute; congruence.
  - rewrite Es. repeat constructor. intros b. apply owners_ok_insert; [exact owners_ok_init | reflexivity].
  - intros v. unfold world_of, others. cbn [w_vms sc_vms]. destruct (v =? 1); [|constructor].
    change (publishes record_ok [[(3, registered)]]). repeat constructor.
  - reflexivity.
  - exact calls_allowed.
Qed.
