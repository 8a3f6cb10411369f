(* SPDX-License-Identifier: Apache-2.0 *)
(** Invariants of lock-protected objects: the value that this CPU sees satisfies the
    invariant, and so does every value that the other CPUs will publish.  Acquire and
    release keep it; who writes the object while holding it has to restore it before
    the release.  Used by the safety theorems of the layers. *)
From SeKVM.lib Require Export Cell.
From Coq Require Import List ZArith.
Import ListNotations.

Definition cell_ok {X} (I : X -> Prop) (c : cell X) : Prop :=
  I (c_val c) /\ Forall (Forall (fun e => I (snd e))) (c_script c).

Lemma newest_ok {X} (I : X -> Prop) (evs : list (Z * X)) x :
  Forall (fun e => I (snd e)) evs -> I x -> I (newest evs x).
Proof. destruct 1 as [|[d y] evs E _]; cbn; auto. Qed.

Lemma acquire_ok {X} (I : X -> Prop) (c : cell X) : cell_ok I c -> cell_ok I (acquire_cell c).
Proof.
  destruct c as [x h l s]. intros [A B]. cbn in A, B. unfold acquire_cell. cbn.
  destruct B as [|evs rest B1 B2]; split; cbn; auto. now apply newest_ok.
Qed.

Lemma release_ok {X} (I : X -> Prop) me (c : cell X) : cell_ok I c -> cell_ok I (release_cell me c).
Proof. intros [A B]. split; assumption. Qed.

Lemma set_val_ok {X} (I : X -> Prop) x (c : cell X) : cell_ok I c -> I x -> cell_ok I (set_val x c).
Proof. intros [A B] X0. split; assumption. Qed.

Lemma cell_ok_weaken {X} (I J : X -> Prop) (c : cell X) :
  (forall x, I x -> J x) -> cell_ok I c -> cell_ok J c.
Proof.
  intros W [A B]. split; [now apply W|]. eapply Forall_impl; [|exact B].
  intros b. apply Forall_impl. intros e. apply W.
Qed.
