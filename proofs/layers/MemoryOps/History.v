(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 17, MemoryOps: what the releases of a lock leave alone.  Between two critical
    sections of this CPU the others may have changed the object; what each of their
    releases keeps, the next acquire finds.  Used by [Safe], where the releases of all
    CPUs are shown to keep a VM's frames. *)
From SeKVM.lib Require Export Cell.
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
End History.
