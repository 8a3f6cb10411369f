(* SPDX-License-Identifier: Apache-2.0 *)
(** The lock primitives of the bottom machine: two 32-bit counters for each lock, which
    all CPUs use, and the ghost steps that hand the protected object over.  With
    [Bottom.v] this is the trusted meaning of the primitives.  Used by layer 1.

    The other CPUs show in a script of batches; a batch is what they did to this lock
    between two accesses of this CPU, newest first. *)
From SeKVM.machine Require Export LockView Rest.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** What another CPU can do to a lock: draw a ticket, or pass the lock on, leaving the
    object with value [x]. *)
Inductive lock_event (X : Type) := Take (c : Z) | Pass (c : Z) (x : X).
Arguments Take {X}.
Arguments Pass {X}.

Record tview (X : Type) := mktview {
  t_val : X;                              (* the object, in memory *)
  t_own : bool;                           (* ghost: pulled by this CPU *)
  t_next : Z;                             (* counter: the next ticket *)
  t_now : Z;                              (* counter: the ticket that is served *)
  t_log : list (Z * X);                   (* releases so far, newest first *)
  t_script : list (list (lock_event X))   (* batches to come *) }.
Arguments mktview {X}.
Arguments t_val {X}.
Arguments t_own {X}.
Arguments t_next {X}.
Arguments t_now {X}.
Arguments t_log {X}.
Arguments t_script {X}.

Definition set_t_val {X} (x : X) (t : tview X) : tview X :=
  mktview x (t_own t) (t_next t) (t_now t) (t_log t) (t_script t).

#[global] Instance tview_view : View tview := mkView tview (@t_own) (@t_val) (@set_t_val).

(** Counters as they are in memory wrap at 2^32.  Layer 1 shows that integers will do,
    so what follows is for any successor function. *)
Definition tick (n : Z) : Z := wrap U32 (n + 1).

Definition t_apply {X} (succ : Z -> Z) (e : lock_event X) (t : tview X) : tview X :=
  match e with
  | Take _ => mktview (t_val t) (t_own t) (succ (t_next t)) (t_now t) (t_log t) (t_script t)
  | Pass c x => mktview x (t_own t) (t_next t) (succ (t_now t)) ((c, x) :: t_log t) (t_script t)
  end.

(** The next batch happens. *)
Definition t_sync {X} (succ : Z -> Z) (t : tview X) : tview X :=
  let u := fold_right (t_apply succ) t (hd [] (t_script t)) in
  mktview (t_val u) (t_own u) (t_next u) (t_now u) (t_log u) (tl (t_script t)).

(** * The primitives *)

(** Atomic fetch and increment of [next]. *)
Definition take_op (succ : Z -> Z) : view_op tview := fun X t =>
  let u := t_sync succ t in
  Some (t_next u, mktview (t_val u) (t_own u) (succ (t_next u)) (t_now u) (t_log u) (t_script u)).

(** Load of [now]. *)
Definition now_op (succ : Z -> Z) : view_op tview := fun X t => let u := t_sync succ t in Some (t_now u, u).

(** Store of [now + 1]: only the holder writes [now]. *)
Definition pass_op (succ : Z -> Z) : view_op tview := fun X t =>
  Some (0, mktview (t_val t) (t_own t) (t_next t) (succ (t_now t)) (t_log t) (t_script t)).

(** Ghost steps: the object becomes accessible to this CPU; and the end of that, with
    the value that the others will find. *)
Class PullView (F : Type -> Type) := mkPullView {
  set_own : forall {X}, bool -> F X -> F X;
  add_log : forall {X}, Z * X -> F X -> F X }.

#[global] Instance tview_pull : PullView tview := mkPullView tview
  (fun X b t => mktview (t_val t) b (t_next t) (t_now t) (t_log t) (t_script t))
  (fun X e t => mktview (t_val t) (t_own t) (t_next t) (t_now t) (e :: t_log t) (t_script t)).

Definition pull_op {F} {V : View F} {W : PullView F} : view_op F := fun X f =>
  if own f then None else Some (0, set_own true f).
Definition push_op {F} {V : View F} {W : PullView F} (me : Z) : view_op F := fun X f =>
  if own f then Some (0, add_log (me, value f) (set_own false f)) else None.

Section Tables.
  Context {F : Type -> Type} {N M P : Type}.

  (** Orders memory accesses; on this machine, whose memory is sequentially
      consistent, it does nothing.  The relaxed-memory argument needs it. *)
  Definition barrier : prim (St F N M P) := p0 None (fun s => ret 0 s).
End Tables.

Definition T_barrier {F N M P} : tbl (St F N M P) := [("barrier", barrier)].
Definition T_ticket {N M P} : tbl (St tview N M P) :=
  [("incr_ticket", lock_prim (Some U32) (fun _ => take_op tick));
   ("get_now", lock_prim (Some U32) (fun _ => now_op tick));
   ("incr_now", lock_prim None (fun _ => pass_op tick))].
Definition T_pull {F} {V : View F} {W : PullView F} {N M P} : tbl (St F N M P) :=
  [("pull", lock_prim None (fun _ => pull_op));
   ("push", lock_prim None push_op)].

(** What all layers below Locks have in common. *)
Definition T_objects {F} {V : View F} {W : PullView F} : tbl (St F npt sptab (gmap Z s2page)) :=
  (T_pull ++ T_bottom)%list.

(** The bottom machine. *)
Definition L0 : tbl (St tview npt sptab (gmap Z s2page)) := (T_ticket ++ T_barrier ++ T_objects)%list.
