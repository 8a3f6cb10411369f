(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 1, LockOps: the ticket lock over counters that do not wrap.  Waiting is one
    step: draw a ticket, then let batches of the other CPUs' events happen until the
    ticket is served.  Passing serves the next ticket.  Hides the counters. *)
From SeKVM.machine Require Export Tickets.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** Poll until [my] is served, at most [n] times.  Undefined if it is not served by
    then, or if the others break the protocol: serve past [my], or have 2^32 tickets
    outstanding, which a poll of a 32-bit counter could not tell from its turn. *)
Fixpoint poll {X} (n : nat) (my : Z) (t : tview X) : option (tview X) :=
  match n with
  | O => None
  | S n =>
      let u := t_sync Z.succ t in
      rely (t_now u <=? my) && (my <? t_now u + 4294967296);
      if t_now u =? my then Some u else poll n my u
  end.

(** When the script has run out nothing more happens, so one poll more decides. *)
Definition fuel {X} (t : tview X) : nat := S (length (t_script t)).

Definition wait_lock_op : view_op tview := fun X t =>
  some (my, u) := take_op Z.succ X t;
  some u' := poll (fuel u) my u;
  Some (0, u').

Definition pass_lock_op : view_op tview := pass_op Z.succ.

Section LockOps.
  Context {N M P : Type}.
  Definition wait_lock_spec : prim (St tview N M P) := lock_prim None (fun _ => wait_lock_op).
  Definition pass_lock_spec : prim (St tview N M P) := lock_prim None (fun _ => pass_lock_op).
  Definition T : tbl (St tview N M P) := [("wait_lock", wait_lock_spec); ("pass_lock", pass_lock_spec)].
End LockOps.

Definition Lkeep : tbl (St tview npt sptab (gmap Z s2page)) := T_objects.
Definition L : tbl (St tview npt sptab (gmap Z s2page)) := over T Lkeep.

(** * The counters in memory are those of the specification modulo 2^32 *)

Definition wrapped {X} (t : tview X) : tview X :=
  mktview (t_val t) (t_own t) (wrap U32 (t_next t)) (wrap U32 (t_now t)) (t_log t) (t_script t).

Definition RV : view_relation tview tview := fun _ X hi lo => lo = wrapped hi.
Definition R : srel (St tview npt sptab (gmap Z s2page)) (St tview npt sptab (gmap Z s2page)) := R_view RV.
