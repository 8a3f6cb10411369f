(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 2, LockOpsQ: examples by computation: first come, first served; a protocol
    error of the other CPUs is undefined; specification and code over the ticket
    specification agree. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import LockInit.
From SeKVM.layers.LockOpsQ Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition free_qview {X} (x : X) (s : list (list (lock_event X))) : qview X := mkqview x false [] [] s.

Definition by_spec : stepper (St qview npt sptab (gmap Z s2page)) := call LockOpsQ.Spec.L.
Definition by_c : stepper (St tview npt sptab (gmap Z s2page)) := by_code code LockOps.Spec.L.

(** Queue, and who released the lock so far. *)
Definition queue3 (s : St qview npt sptab (gmap Z s2page)) : option (list Z * list Z) :=
  some v := st_npts s !! 3; Some (q_queue v, map fst (q_log v)).
Definition tickets3 (s : St tview npt sptab (gmap Z s2page)) : option (Z * list Z) :=
  some t := st_npts s !! 3; Some (t_next t - t_now t, map fst (t_log t)).

Definition table (n : Z) : npt := mknpt n (pud_start 3) (pmd_start 3) ∅.

(** CPUs 1 and 2 come before CPU 0, CPU 4 after it; 1 and 2 are served in order. *)
Definition crowd : list (list (lock_event npt)) :=
  [[Take 2; Take 1]; [Take 4]; [Pass 1 (table 1)]; []; [Pass 2 (table 2)]].

Example fifo :
  let cs := [("wait_qlock", [8]); ("pass_qlock", [8])] in
  observe by_spec queue3 [("wait_qlock", [8])] (init_view (@free_qview) (quiet 0) (on_npt3 crowd))
    = ([0], Finished, Some ([0; 4], [2; 1])) /\
  observe by_spec queue3 cs (init_view (@free_qview) (quiet 0) (on_npt3 crowd))
    = ([0; 0], Finished, Some ([4], [2; 1])) /\
  observe by_c tickets3 cs (init0 5 (quiet 0) (on_npt3 crowd)) = ([0; 0], Finished, Some (1, [2; 1])).
Proof. repeat split; vm_compute; reflexivity. Qed.

(** Passing a lock that one does not hold is undefined. *)
Example not_mine :
  call LockOpsQ.Spec.L "pass_qlock" [8] (init_view (@free_qview) (quiet 0) no_events) = None.
Proof. vm_compute. reflexivity. Qed.

(** So is an environment that breaks the protocol: a CPU other than the head passes
    the lock on; a CPU queues twice. *)
Example intruder :
  q_wait 0 [] [[Take 1]; [Pass 2 (table 2)]] = None /\ q_wait 0 [] [[@Take npt 1; Take 1]] = None.
Proof. split; vm_compute; reflexivity. Qed.
