(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 3, LockOpsH: a lock is free or held.  Waiting has disappeared: one batch of
    the script is all the critical sections of others before this CPU's turn, and
    taking the lock is one step.  The relation to the queue says how the scripts of
    the two levels correspond; that every fair script has a counterpart, so that
    waiting ends, is in [Fair]. *)
From SeKVM.layers.LockOpsQ Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Record hview (X : Type) := mkhview {
  h_val : X;
  h_own : bool;
  h_held : bool;                      (* this CPU holds the lock *)
  h_log : list (Z * X);
  h_script : list (list (Z * X)) }.
Arguments mkhview {X}.
Arguments h_val {X}.
Arguments h_own {X}.
Arguments h_held {X}.
Arguments h_log {X}.
Arguments h_script {X}.

#[global] Instance hview_view : View hview := mkView hview (@h_own) (@h_val)
  (fun X x v => mkhview x (h_own v) (h_held v) (h_log v) (h_script v)).
#[global] Instance hview_pull : PullView hview := mkPullView hview
  (fun X b v => mkhview (h_val v) b (h_held v) (h_log v) (h_script v))
  (fun X e v => mkhview (h_val v) (h_own v) (h_held v) (e :: h_log v) (h_script v)).

Definition wait_hlock_op : view_op hview := fun X v =>
  if h_held v then None
  else let evs := hd [] (h_script v) in
       Some (0, mkhview (newest evs (h_val v)) (h_own v) true (evs ++ h_log v)%list (tl (h_script v))).

Definition pass_hlock_op : view_op hview := fun X v =>
  if h_held v then Some (0, mkhview (h_val v) (h_own v) false (h_log v) (h_script v)) else None.

Section LockOpsH.
  Context {N M P : Type}.
  Definition wait_hlock_spec : prim (St hview N M P) := lock_prim None (fun _ => wait_hlock_op).
  Definition pass_hlock_spec : prim (St hview N M P) := lock_prim None (fun _ => pass_hlock_op).
  Definition T : tbl (St hview N M P) := [("wait_hlock", wait_hlock_spec); ("pass_hlock", pass_hlock_spec)].
End LockOpsH.

Definition Lkeep : tbl (St hview npt sptab (gmap Z s2page)) := T_objects.
Definition L : tbl (St hview npt sptab (gmap Z s2page)) := over T Lkeep.

(** * Scripts of the two levels *)

(** [waits me q s hs]: this CPU does not queue in [q]; its waits, one after another as
    the queue script [s] goes on, succeed after the critical sections of others that
    [hs] lists.  Both scripts end together: then nobody queues. *)
Inductive waits {X} (me : Z) : list Z -> list (list (lock_event X)) -> list (list (Z * X)) -> Prop :=
| waits_end : is_cpu me = true -> waits me [] [] []
| waits_step q s evs q' s' hs :
    q_wait me q s = Some (me :: q', evs, s') -> waits me q' s' hs -> waits me q s (evs :: hs).

(** The lock is held by this CPU when it is the head of the queue, and otherwise this
    CPU does not queue. *)
Record holder_rel {X} (me : Z) (h : hview X) (v : qview X) : Prop := mkholder_rel {
  hr_val : h_val h = q_val v;
  hr_own : h_own h = q_own v;
  hr_log : h_log h = q_log v;
  hr_lock : if h_held h
            then exists q, q_queue v = me :: q /\ waits me q (q_script v) (h_script h)
            else waits me (q_queue v) (q_script v) (h_script h) }.

Definition RV : view_relation hview qview := fun me X h v => holder_rel me h v.
Definition R : srel (St hview npt sptab (gmap Z s2page)) (St qview npt sptab (gmap Z s2page)) := R_view RV.
