(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 1, LockOps: examples by computation.  Specification, code and written value
    agree when another CPU is in the way, also across the wrap-around of the counters;
    both are undefined when the lock is never passed on. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import LockInit.
From SeKVM.layers.LockOps Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition by_spec : stepper (St tview npt sptab (gmap Z s2page)) := call LockOps.Spec.L.
Definition by_c : stepper (St tview npt sptab (gmap Z s2page)) := by_code code L0.

(** Counters, releases known and value of VM 3's table. *)
Definition lock3 (s : St tview npt sptab (gmap Z s2page)) : option (Z * Z * list Z * Z) :=
  some t := st_npts s !! 3; Some (t_next t, t_now t, map fst (t_log t), pgd_next (t_val t)).

Definition left_by_1 : npt := mknpt 777 (pud_start 3) (pmd_start 3) ∅.

(** CPU 1 draws its ticket before us and passes the lock on between our polls. *)
Definition one_before : list (list (lock_event npt)) := [[Take 1]; []; [Pass 1 left_by_1]].

Example uncontended :
  let cs := [("wait_lock", [8]); ("pass_lock", [8])] in
  let s := init0 5 (quiet 0) no_events in
  let v := ([0; 0], Finished, Some (6, 6, [], pgd_start 3)) in
  observe by_spec lock3 cs s = v /\ observe by_c lock3 cs s = v.
Proof. split; vm_compute; reflexivity. Qed.

Example contended :
  let cs := [("wait_lock", [8])] in
  let s := init0 5 (quiet 0) (on_npt3 one_before) in
  let v := ([0], Finished, Some (7, 6, [1], 777)) in
  observe by_spec lock3 cs s = v /\ observe by_c lock3 cs s = v.
Proof. split; vm_compute; reflexivity. Qed.

(** The counters in memory wrap; those of the specification do not, and are equal
    modulo 2^32. *)
Example wrap_around :
  let cs := [("wait_lock", [8]); ("pass_lock", [8])] in
  let s := init0 4294967295 (quiet 0) (on_npt3 one_before) in
  observe by_spec lock3 cs s = ([0; 0], Finished, Some (4294967297, 4294967297, [1], 777)) /\
  observe by_c lock3 cs s = ([0; 0], Finished, Some (1, 1, [1], 777)).
Proof. split; vm_compute; reflexivity. Qed.

(** CPU 1 never passes the lock on: the specification is undefined and the code polls
    until it is out of fuel. *)
Example never_passed :
  let s := init0 5 (quiet 0) (on_npt3 [[Take 1]]) in
  call LockOps.Spec.L "wait_lock" [8] s = None /\
  run_flat code L0 40 2000 "wait_lock" [8] s = NoFuel.
Proof. split; vm_compute; reflexivity. Qed.

(** There are no locks 0 and 39. *)
Example no_such_lock :
  let s := init0 5 (quiet 0) no_events in
  call LockOps.Spec.L "wait_lock" [0] s = None /\ call LockOps.Spec.L "wait_lock" [39] s = None /\
  run_flat code L0 40 2000 "wait_lock" [39] s = Undef.
Proof. repeat split; vm_compute; reflexivity. Qed.

(** Without the protocol the wrapped counter lies: with 2^32 tickets outstanding a
    poll would take another CPU's turn for its own.  The specification refuses. *)
Example too_many_tickets :
  let t := mktview (npt0 3) false (5 + 4294967296) 5 [] [] in
  wait_lock_op _ t = None /\ now_op tick _ (wrapped t) = Some (t_next (wrapped t), wrapped t).
Proof. split; vm_compute; reflexivity. Qed.

Example hidden : call LockOps.Spec.L "incr_ticket" [8] (init0 5 (quiet 0) no_events) = None.
Proof. reflexivity. Qed.
