(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 17, MemoryOps: what the releases of a lock leave alone.  Between two critical
    sections of this CPU the others may have changed the object; what each of their
    releases keeps, the next acquire finds.  Used by [Safe], where the releases of all
    CPUs are shown to keep a VM's frames, and by [Stays] for a VM's table. *)
From SeKVM.lib Require Export Cell.
From stdpp Require Import relations.
From Coq Require Import List ZArith.
Import ListNotations.

Section History.
  Context {X : Type} (Q : X -> X -> Prop).

  (** In the history [l], newest release first, each release keeps [Q]. *)
  Fixpoint kept (l : list (Z * X)) : Prop :=
    match l with
    | (_, y) :: l' => match l' with (_, x) :: _ => Q x y | [] => True end /\ kept l'
    | [] => True
    end.

  (** What this CPU sees is what was released last. *)
  Definition is_latest (c : cell X) : Prop := match c_log c with (_, x) :: _ => x = c_val c | [] => False end.

  Lemma kept_app evs l : kept (evs ++ l) -> kept l.
  Proof. induction evs as [|[d y] evs IH]; [auto|]. cbn [app kept]. intros [_ H]. auto. Qed.

  Context (Qrefl : forall x, Q x x) (Qtrans : forall x y z, Q x y -> Q y z -> Q x z).

  Lemma kept_newest evs d x l : kept (evs ++ (d, x) :: l) -> Q x (newest evs x).
  Proof using Qrefl Qtrans.
    induction evs as [|[e y] evs IH]; [intros _; apply Qrefl|].
    intros H. cbn [app kept] in H. destruct H as [H1 H2]. specialize (IH H2). cbn [newest].
    destruct evs as [|[e' y'] evs]; [exact H1 | exact (Qtrans _ _ _ IH H1)].
  Qed.

  (** The next acquire sees an object that the others kept. *)
  Lemma kept_acquire c : is_latest c -> kept (c_log (acquire_cell c)) -> Q (c_val c) (c_val (acquire_cell c)).
  Proof using Qrefl Qtrans.
    destruct c as [x h l sc]. unfold is_latest, acquire_cell. cbn [c_log c_val c_script].
    destruct l as [|[d y] l]; [intros []|]. intros ->. apply kept_newest.
  Qed.

  (** Acquire, change, release: the history grows, and its head is what this CPU sees. *)
  Definition updated (me : Z) (y : X) (c : cell X) : cell X := release_cell me (set_val y (acquire_cell c)).

  Lemma updated_latest me y c : is_latest (updated me y c).
  Proof. reflexivity. Qed.

  Lemma updated_kept me y c : kept (c_log (updated me y c)) -> kept (c_log (acquire_cell c)).
  Proof. cbn [updated release_cell set_val c_log kept]. now intros [_ H]. Qed.

  Lemma acquire_latest c : is_latest c -> is_latest (acquire_cell c).
  Proof.
    destruct c as [x h l sc]. unfold is_latest, acquire_cell. cbn [c_log c_val c_script].
    destruct (hd [] sc) as [|[d y] evs]; cbn; auto.
  Qed.

  (** The whole critical section keeps what the history says. *)
  Lemma kept_updated me y c : is_latest c -> kept (c_log (updated me y c)) -> Q (c_val c) y.
  Proof using Qrefl Qtrans.
    intros La K. pose proof (updated_kept _ _ _ K) as K1.
    apply (Qtrans _ (c_val (acquire_cell c))); [exact (kept_acquire c La K1)|].
    apply acquire_latest in La. unfold is_latest in La. cbn [updated release_cell set_val c_log kept] in K.
    destruct (c_log (acquire_cell c)) as [|[d x] l]; [destruct La|]. destruct K as [K _]. now rewrite <- La.
  Qed.

  Lemma acquire_kept c : kept (c_log (acquire_cell c)) -> kept (c_log c).
  Proof. apply kept_app. Qed.

  (** ** Any number of critical sections of CPU [me] *)

  (** The releases by others keep [Q]; nothing is asked of those by [me]. *)
  Fixpoint others_keep (me : Z) (l : list (Z * X)) : Prop :=
    match l with
    | (d, y) :: l' => (d <> me -> match l' with (_, x) :: _ => Q x y | [] => True end) /\ others_keep me l'
    | [] => True
    end.

  (** One critical section that keeps [Q]; the script holds releases by others only. *)
  Definition critical (me : Z) (c c' : cell X) : Prop := exists y, c' = updated me y c /\ Q (c_val (acquire_cell c)) y.
  Definition of_others (me : Z) (c : cell X) : Prop := Forall (Forall (fun e => fst e <> me)) (c_script c).

  Lemma others_keep_app me evs l : others_keep me (evs ++ l) -> others_keep me l.
  Proof. induction evs as [|[d y] evs IH]; [auto|]. cbn [app others_keep]. intros [_ H]. auto. Qed.

  Lemma others_keep_kept me evs l : Forall (fun e => fst e <> me) evs ->
    others_keep me (evs ++ l) -> kept l -> kept (evs ++ l).
  Proof.
    intros O. induction O as [|[d y] evs N O IH]; [auto|]. cbn [app others_keep kept fst] in *. intros [A B] K.
    split; [exact (A N) | exact (IH B K)].
  Qed.

  Lemma others_keep_newest me evs d x l : Forall (fun e => fst e <> me) evs -> others_keep me (evs ++ (d, x) :: l) ->
    Q x (newest evs x).
  Proof using Qrefl Qtrans.
    intros O. induction O as [|[e y] evs N O IH]; [intros _; apply Qrefl|].
    cbn [app others_keep fst] in *. intros [A B]. specialize (IH B). specialize (A N). cbn [newest].
    destruct evs as [|[e' y'] evs]; [exact A | exact (Qtrans _ _ _ IH A)].
  Qed.

  Lemma sections_log me c c' : rtc (critical me) c c' -> exists evs, c_log c' = evs ++ c_log c.
  Proof.
    induction 1 as [c|c c1 c' (y & -> & _) _ (evs & ->)]; [now exists []|].
    cbn [updated release_cell set_val c_log acquire_cell]. exists (evs ++ (me, y) :: hd [] (c_script c)).
    now rewrite <- app_assoc.
  Qed.

  (** Read: if [me]'s critical sections keep [Q], and so do the releases of the others, then [Q]
      holds from the object as [me] saw it first to the object as it sees it last, and all of the
      history between keeps [Q]. *)
  Theorem sections_keep me c c' : rtc (critical me) c c' -> is_latest c -> of_others me c -> others_keep me (c_log c') ->
    Q (c_val c) (c_val c') /\ (kept (c_log c) -> kept (c_log c')).
  Proof using Qrefl Qtrans.
    induction 1 as [c|c c1 c' (y & E & Y) R IH]; intros La Ot K; [auto|].
    assert (La1 : is_latest c1) by (rewrite E; apply updated_latest).
    assert (Ot1 : of_others me c1).
    { rewrite E. clear -Ot. destruct c as [x h lg sc]. unfold of_others in *. cbn in *.
      destruct Ot; [constructor | assumption]. }
    destruct (IH La1 Ot1 K) as [Q1 K1]. clear IH. destruct (sections_log _ _ _ R) as (evs & Lg).
    rewrite Lg in K. apply others_keep_app in K. clear R Lg evs. subst c1.
    cbn [updated release_cell set_val c_log c_val acquire_cell] in *. cbn [others_keep] in K. destruct K as [_ K].
    assert (O : Forall (fun e => fst e <> me) (hd [] (c_script c))) by (destruct Ot; [constructor | assumption]).
    unfold is_latest in La. destruct (c_log c) as [|[d x] l] eqn:Lc; [destruct La|]. subst x. split.
    - apply (Qtrans _ y); [|exact Q1]. apply (Qtrans _ (newest (hd [] (c_script c)) (c_val c))); [|exact Y].
      exact (others_keep_newest me _ d _ l O K).
    - intros K0. apply K1. cbn [kept]. split; [|exact (others_keep_kept me _ _ O K K0)].
      destruct (hd [] (c_script c)) as [|[d' x'] evs]; exact Y.
  Qed.
End History.
