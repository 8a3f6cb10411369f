(* SPDX-License-Identifier: Apache-2.0 *)
(** The record of a VM: the states of a VM and of its vCPUs, what holds of every record
    that can occur ([vm_ok]), and being off.  Pure, so that layers 18 to 21 and a machine
    above them speak of one thing.  Rests on [BottomVm] and on MemManager's numbers of VMs; [BootOps/Life.v] has the other
    transitions. *)
From SeKVM.machine Require Export BottomVm.
From SeKVM.layers.MemManager Require Export Spec.
Local Open Scope Z_scope.

(** States of a VM (the first, second, third and fourth), and of a vCPU (first, second
    and fifth). *)
Definition UNUSED : Z := 0.
Definition READY : Z := 2.
Definition VERIFIED : Z := 3.
Definition POWEROFF : Z := 4.
Definition ACTIVE : Z := 5.

(** Where images are collected. *)
Definition REMAP_START : Z := 33554432.
Definition REMAP_END : Z := 67108864.

Definition vcpu_at (x : vminfo) (i : Z) : Z := word (vcpu_state x) i.

(** Image [i]: its guest address, whole pages of guest memory, and KCore's addresses. *)
Definition pages (size : Z) : Z := (size + 4095) / 4096.
Definition img_addr (x : vminfo) (i : Z) : Z := word (load_addr x) i.
Definition img_size (x : vminfo) (i : Z) : Z := word (load_size x) i.
Definition img_pages (x : vminfo) (i : Z) : Z := pages (img_size x i).
Definition img_remap (x : vminfo) (i : Z) : Z := word (load_remap x) i.
Definition img_mapped (x : vminfo) (i : Z) : Z := word (load_mapped x) i.
Definition img_digest (x : vminfo) (i : Z) : Z := word (load_digest x) i.

(** * What holds of every record *)

(** A vCPU runs only in a VM that was verified. *)
Definition vcpu_ok (x : vminfo) (i : Z) : bool :=
  (vcpu_at x i =? UNUSED) || (vcpu_at x i =? READY) || (vcpu_at x i =? ACTIVE) && (VERIFIED <=? vm_state x).

Definition image_ok (x : vminfo) (i : Z) : bool :=
  (0 <=? img_addr x i) && (img_addr x i mod 4096 =? 0) && (0 <? img_size x i) &&
  (img_addr x i + 4096 * img_pages x i <=? 281474976710656) &&
  (REMAP_START <=? img_remap x i) && (img_remap x i mod 4096 =? 0) &&
  (img_remap x i + 4096 * img_pages x i <=? REMAP_END) &&
  (0 <=? img_mapped x i) && (img_mapped x i <=? img_pages x i) && in_range U64 (img_digest x i).

(** The pages of two images of the same VM are different. *)
Definition image_apart (x : vminfo) (a n i : Z) : bool :=
  (img_addr x i + 4096 * img_pages x i <=? a) || (a + 4096 * n <=? img_addr x i).
Definition images_apart (x : vminfo) (i : Z) : bool :=
  forallb (image_apart x (img_addr x i) (img_pages x i)) (seqZ 0 i).

Definition complete (x : vminfo) (i : Z) : bool := img_mapped x i =? img_pages x i.

Definition state_ok (z : Z) : bool := (z =? UNUSED) || (z =? READY) || (z =? VERIFIED) || (z =? POWEROFF).

Definition vm_ok (x : vminfo) : bool :=
  state_ok (vm_state x) && in_range U64 (vm_kvm x) && in_range U32 (vm_inc_exe x) &&
  (0 <=? load_next x) && (load_next x <=? MAX_LOAD_INFO) &&
  forallb (vcpu_ok x) (seqZ 0 MAX_VCPU) &&
  forallb (image_ok x) (seqZ 0 (load_next x)) && forallb (images_apart x) (seqZ 0 (load_next x)) &&
  (negb (vm_state x =? VERIFIED) || forallb (complete x) (seqZ 0 (load_next x))).

(** * Being off *)

Definition any_active (x : vminfo) : bool := existsb (fun i => vcpu_at x i =? ACTIVE) (seqZ 0 MAX_VCPU).
Definition is_off (x : vminfo) : bool := (vm_state x =? POWEROFF) && negb (any_active x).

(** Switching off; not before the VM was registered. *)
Definition power_off (x : vminfo) : option vminfo :=
  if vm_state x =? UNUSED then None else Some (set_vm_state POWEROFF x).

(** * What any CPU may do to a record *)

(** Forward only: states grow; no vCPU starts once the VM is off; images stay, and all
    about them is frozen once the VM was verified. *)
Record vm_le (x y : vminfo) : Prop := mkvm_le {
  le_state : vm_state x <= vm_state y;
  le_start : forall i, vcpu_at y i = ACTIVE -> vcpu_at x i = ACTIVE \/ vm_state x < POWEROFF;
  le_next : load_next x <= load_next y;
  le_image : forall i, 0 <= i < load_next x ->
    img_addr y i = img_addr x i /\ img_size y i = img_size x i /\ img_remap y i = img_remap x i /\
    img_digest y i = img_digest x i /\ img_mapped x i <= img_mapped y i;
  le_frozen : VERIFIED <= vm_state x ->
    load_next y = load_next x /\ vm_inc_exe y = vm_inc_exe x /\ vm_kvm y = vm_kvm x /\ vcpu_ptr y = vcpu_ptr x /\
    load_mapped y = load_mapped x /\ (forall i, vcpu_at x i = UNUSED <-> vcpu_at y i = UNUSED) }.

(** * Critical sections of a VM's record *)

Section WithVm.
  Context {N M P : Type}.
  Notation St := (St cell N M P).

  Definition put_vm (v : Z) (c : cell vminfo) (s : St) : St := set_vms (<[v := c]> (st_vms s)) s.

  (** Lock the record of [v]; [k] gets the locked record. *)
  Definition with_vm (v : Z) (s : St) (k : cell vminfo -> option (res St)) : option (res St) :=
    some c := st_vms s !! v;
    rely negb (c_held c);
    rely vm_ok (c_val (acquire_cell c));
    k (acquire_cell c).

  (** Publish the record [c] and return [r]; or stop while it is locked. *)
  Definition publish_vm (v : Z) (c : cell vminfo) (r : Z) (s : St) : option (res St) :=
    ret r (put_vm v (release_cell (cpu_id (st_cpu s)) c) s).
  Definition denied_vm (v : Z) (c : cell vminfo) (s : St) : option (res St) := Some (Halt (put_vm v c s)).
End WithVm.
