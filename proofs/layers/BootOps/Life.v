(* SPDX-License-Identifier: Apache-2.0 *)
(** The life of a VM as pure transitions of its record: [None] is what the state does not
    allow.  Layer 21 does them under the lock of the record, and a machine above all
    layers can do them at once.  Rests on the record in [VMPower/Vm.v]; [LifeOk.v] proves
    that they keep [vm_ok] and go forward. *)
From SeKVM.layers.VMPower Require Export Vm.
Local Open Scope Z_scope.

(** A vCPU starts and stops to run. *)
Definition activate (i : Z) (x : vminfo) : option vminfo :=
  if (vm_state x =? VERIFIED) && (vcpu_at x i =? READY) then Some (set_vcpu_state i ACTIVE x) else None.
Definition deactivate (i : Z) (x : vminfo) : option vminfo :=
  if vcpu_at x i =? ACTIVE then Some (set_vcpu_state i READY x) else None.

(** A new vCPU, and a new VM; [p] is the host's name for it. *)
Definition new_vcpu (i p : Z) (x : vminfo) : option vminfo :=
  if (vm_state x =? READY) && (vcpu_at x i =? UNUSED) then Some (set_vcpu_state i READY (set_vcpu_ptr i p x)) else None.
Definition register (p : Z) (x : vminfo) : option vminfo :=
  if vm_state x =? UNUSED then Some (set_vm_state READY (set_vm_kvm p x)) else None.

(** An image of [n] pages at [a] can be recorded; its record, with KCore's addresses and
    the digest that the signed image has. *)
Definition fits (a n : Z) (x : vminfo) : bool :=
  (load_next x <? MAX_LOAD_INFO) && (a mod 4096 =? 0) && (a <? 281474976710656) && (a + 4096 * n <=? 281474976710656) &&
  forallb (image_apart x a n) (seqZ 0 (load_next x)).
Definition add_image (a size remap d : Z) (x : vminfo) : vminfo :=
  let i := load_next x in
  set_load_next (i + 1) (set_load_digest i d (set_load_mapped i 0 (set_load_remap i remap
    (set_load_size i size (set_load_addr i a x))))).

(** KCore's address of the next page of image [i], if one is missing; and one page more. *)
Definition next_slot (i : Z) (x : vminfo) : option Z :=
  if (i <? load_next x) && (img_mapped x i <? img_pages x i)
  then Some (img_remap x i + 4096 * img_mapped x i) else None.
Definition add_page (i : Z) (x : vminfo) : vminfo := set_load_mapped i (img_mapped x i + 1) x.

(** All images were loaded and hashed. *)
Definition verified (x : vminfo) : vminfo := set_vm_state VERIFIED x.

(** The registers of a vCPU came from elsewhere. *)
Definition import_vcpu (i : Z) (x : vminfo) : option vminfo :=
  if (vm_state x =? READY) && (vcpu_at x i =? READY) then Some (set_vm_inc_exe 1 x) else None.

(** KCore's address of the byte that the VM has at [a]: of the last image that holds it;
    images do not overlap, so there is at most one. *)
Definition holds (x : vminfo) (a i : Z) : bool := (img_addr x i <=? a) && (a - img_addr x i <? img_size x i).
Fixpoint find_image (x : vminfo) (a : Z) (is : list Z) (found : Z) : Z :=
  match is with
  | [] => found
  | i :: is => find_image x a is (if holds x a i then img_remap x i + (a - img_addr x i) else found)
  end.

(** The devices of VM [v] may be configured: the host's always, a VM's until it is
    verified, and never again. *)
Definition may_configure (v : Z) (x : vminfo) : bool := (v =? HOSTVISOR) || (vm_state x =? READY).
