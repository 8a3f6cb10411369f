(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 18, VMPower: examples by computation.  The specification and the code run by the
    interpreter agree with written values. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.VMPower Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition by_spec : stepper state := call (over T (@T_ctl cell npt sptab (gmap Z s2page))).
Definition by_c : stepper state := by_code code U.

(** The record of VM 3 in state [z], with vCPU 2 in state [u]; other CPUs will leave it as
    [after], one by one. *)
Definition record_of (z u : Z) : vminfo := set_vcpu_state 2 u (set_vm_state z vminfo0).
Definition start (x : vminfo) (after : list vminfo) : state :=
  set_vms (<[3 := free_cell x (map (fun y => [(1, y)]) after)]> (st_vms (init (quiet 0)))) (init (quiet 0)).

(** Observed: the state of VM 3, and whether its record is locked. *)
Definition obs (s : state) : option (Z * bool) :=
  some c := st_vms s !! 3; Some (vm_state (c_val c), c_held c).
Definition agree (s : state) (cs : list (ident * list Z)) (v : list Z * ended * option (Z * bool)) : Prop :=
  observe by_spec obs cs s = v /\ observe by_c obs cs s = v.

(** A running VM is on; it is switched off while a vCPU runs, and is off when that vCPU
    has stopped. *)
Example switched_off :
  agree (start (record_of VERIFIED ACTIVE) [record_of VERIFIED ACTIVE; record_of VERIFIED ACTIVE; record_of POWEROFF ACTIVE;
                                            record_of POWEROFF READY])
    [("get_vm_poweron", [3]); ("set_vm_poweroff", [3]); ("get_vm_poweron", [3]); ("get_vm_poweron", [3]);
      ("set_vm_poweroff", [3])]
    ([1; 0; 1; 0; 0], Finished, Some (POWEROFF, false)).
Proof. split; vm_compute; reflexivity. Qed.

(** Each vCPU counts, the first and the last too. *)
Example each_counts :
  Forall (fun i => agree (start (set_vcpu_state i ACTIVE (record_of POWEROFF READY)) []) [("get_vm_poweron", [3])]
    ([1], Finished, Some (POWEROFF, false))) (seqZ 0 8).
Proof. repeat constructor; vm_compute; reflexivity. Qed.

(** A VM that is not registered, or that was not switched off, is on; so is what is no VM. *)
Example on :
  Forall (fun z => agree (start (record_of z READY) []) [("get_vm_poweron", [3])] ([1], Finished, Some (z, false)))
    [UNUSED; READY; VERIFIED].
Proof. repeat constructor; vm_compute; reflexivity. Qed.
Example no_vm :
  Forall (fun v => agree (start (record_of READY READY) []) [("get_vm_poweron", [v]); ("set_vm_poweroff", [v])]
    ([1], Panicked, Some (READY, false))) [0; 16; 17; 4294967295].
Proof. repeat constructor; vm_compute; reflexivity. Qed.

(** A VM that was never registered cannot be switched off: the machine stops, the record
    locked. *)
Example never_registered :
  agree (start (record_of UNUSED UNUSED) []) [("set_vm_poweroff", [3])] ([], Panicked, Some (UNUSED, true)).
Proof. split; vm_compute; reflexivity. Qed.

(** A record that no transition makes is outside the specification. *)
Example impossible_record :
  observe by_spec obs [("get_vm_poweron", [3])] (start (record_of READY ACTIVE) []) = ([], Undefined, Some (READY, false)).
Proof. vm_compute. reflexivity. Qed.
