(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 2, LockOpsQ: a lock is the queue of the CPUs that have drawn a ticket, in
    the order in which they drew it; its head is served.  So the lock is first come,
    first served by construction, and at most one CPU is served.  Waiting enqueues
    this CPU and lets the others' events happen until it is the head.  Hides the
    ticket numbers. *)
From SeKVM.layers.LockOps Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** The machine has eight CPUs. *)
Definition TOTAL_CPU : Z := 8.
Definition is_cpu (c : Z) : bool := (0 <=? c) && (c <? TOTAL_CPU).
Definition queued (c : Z) (q : list Z) : bool := existsb (Z.eqb c) q.

(** * Queues and scripts *)

(** What an event of another CPU than [me] does: the queue after it and the release
    that it makes known.  Undefined if it breaks the protocol: a CPU queues once, and
    only the head passes the lock on. *)
Definition q_event {X} (me : Z) (e : lock_event X) (q : list Z) : option (list Z * list (Z * X)) :=
  match e with
  | Take c =>
      rely is_cpu c && negb (c =? me) && negb (queued c q);
      Some (q ++ [c], [])%list
  | Pass c x =>
      match q with
      | [] => None
      | h :: q' => rely (h =? c) && negb (c =? me); Some (q', [(c, x)])
      end
  end.

(** A batch, newest event first; so are the releases. *)
Fixpoint q_batch {X} (me : Z) (b : list (lock_event X)) (q : list Z) : option (list Z * list (Z * X)) :=
  match b with
  | [] => Some (q, [])
  | e :: b =>
      some (q1, evs1) := q_batch me b q;
      some (q2, evs2) := q_event me e q1;
      Some (q2, evs2 ++ evs1)%list
  end.

(** Poll until [me] is the head: the queue, the releases meanwhile, the script left. *)
Fixpoint q_poll {X} (n : nat) (me : Z) (q : list Z) (s : list (list (lock_event X)))
  : option (list Z * list (Z * X) * list (list (lock_event X))) :=
  match n with
  | O => None
  | S n =>
      some (q1, evs1) := q_batch me (hd [] s) q;
      if match q1 with h :: _ => h =? me | [] => false end
      then Some (q1, evs1, tl s)
      else some (q2, evs2, s2) := q_poll n me q1 (tl s); Some (q2, evs2 ++ evs1, s2)%list
  end.

(** Draw a ticket, then poll. *)
Definition q_wait {X} (me : Z) (q : list Z) (s : list (list (lock_event X)))
  : option (list Z * list (Z * X) * list (list (lock_event X))) :=
  some (q1, evs1) := q_batch me (hd [] s) q;
  rely is_cpu me && negb (queued me q1);
  some (q2, evs2, s2) := q_poll (S (length (tl s))) me (q1 ++ [me])%list (tl s);
  Some (q2, evs2 ++ evs1, s2)%list.

(** * The view *)

Record qview (X : Type) := mkqview {
  q_val : X;
  q_own : bool;
  q_queue : list Z;                       (* head first *)
  q_log : list (Z * X);
  q_script : list (list (lock_event X)) }.
Arguments mkqview {X}.
Arguments q_val {X}.
Arguments q_own {X}.
Arguments q_queue {X}.
Arguments q_log {X}.
Arguments q_script {X}.

#[global] Instance qview_view : View qview := mkView qview (@q_own) (@q_val)
  (fun X x v => mkqview x (q_own v) (q_queue v) (q_log v) (q_script v)).
#[global] Instance qview_pull : PullView qview := mkPullView qview
  (fun X b v => mkqview (q_val v) b (q_queue v) (q_log v) (q_script v))
  (fun X e v => mkqview (q_val v) (q_own v) (q_queue v) (e :: q_log v) (q_script v)).

Definition wait_qlock_op (me : Z) : view_op qview := fun X v =>
  some (q, evs, s) := q_wait me (q_queue v) (q_script v);
  Some (0, mkqview (newest evs (q_val v)) (q_own v) q (evs ++ q_log v)%list s).

Definition pass_qlock_op (me : Z) : view_op qview := fun X v =>
  match q_queue v with
  | h :: q => rely h =? me; Some (0, mkqview (q_val v) (q_own v) q (q_log v) (q_script v))
  | [] => None
  end.

Section LockOpsQ.
  Context {N M P : Type}.
  Definition wait_qlock_spec : prim (St qview N M P) := lock_prim None wait_qlock_op.
  Definition pass_qlock_spec : prim (St qview N M P) := lock_prim None pass_qlock_op.
  Definition T : tbl (St qview N M P) := [("wait_qlock", wait_qlock_spec); ("pass_qlock", pass_qlock_spec)].
End LockOpsQ.

Definition Lkeep : tbl (St qview npt sptab (gmap Z s2page)) := T_objects.
Definition L : tbl (St qview npt sptab (gmap Z s2page)) := over T Lkeep.

(** * Queue and tickets *)

(** The tickets from [now] up to [next] belong to the CPUs in the queue, in order.
    Only CPUs queue, each at most once. *)
Record queue_rel {X} (v : qview X) (t : tview X) : Prop := mkqueue_rel {
  qr_val : q_val v = t_val t;
  qr_own : q_own v = t_own t;
  qr_log : q_log v = t_log t;
  qr_script : q_script v = t_script t;
  qr_next : t_next t = t_now t + Z.of_nat (length (q_queue v));
  qr_nodup : List.NoDup (q_queue v);
  qr_cpus : List.Forall (fun c => is_cpu c = true) (q_queue v) }.

Definition RV : view_relation qview tview := fun _ X v t => queue_rel v t.
Definition R : srel (St qview npt sptab (gmap Z s2page)) (St tview npt sptab (gmap Z s2page)) := R_view RV.
