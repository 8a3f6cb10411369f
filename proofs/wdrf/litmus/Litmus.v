(* SPDX-License-Identifier: Apache-2.0 *)
(** Every litmus test of [Shapes] has the published verdict on both machines.  [litmus] says so about the machines, not
    about the explorers: an outcome marked possible has an execution, one marked impossible has none.  It is a check of
    the two models, and with it of the barriers: without any one of them some test changes its verdict. *)
From Coq Require Import List Arith Bool Lia.
From SeKVM.wdrf.isolated Require Import Base SC Promising.
From SeKVM.wdrf.litmus Require Import ExploreSC Messages ExploreArm Shapes.
Import ListNotations.

(** The threads of a test as a kernel.  The machines do not look at the classification of memory. *)
Definition kernel_of (t : shape) : kernel :=
  {| cpus := length (threads t);
     program := fun i => nth i (threads t) [];
     initial := fun _ => 0;
     class_of := fun _ => Data;
     write_once := fun _ => false;
     established := fun _ => false;
     well_typed := fun _ _ => true;
     owner0 := fun _ _ => false;
     payload0 := fun _ _ => false |}.

(** Values that the tests compute with. *)
Definition V : list val := [0; 1; 2].

(** The explorers apply: no loops, no user memory, and no values but those of [V]. *)
Definition suitable (t : shape) : bool :=
  simple (kernel_of t) && query_ok (kernel_of t) (asked t) && closed (kernel_of t) V.

Definition verdicts_hold (t : shape) : bool :=
  eqb (can_sc (kernel_of t) (asked t)) (sc t) && eqb (can_arm (kernel_of t) V (asked t)) (arm t).

Lemma all_suitable : forallb suitable shapes = true.
Proof. vm_compute. reflexivity. Qed.

Lemma all_hold : forallb verdicts_hold shapes = true.
Proof. vm_compute. reflexivity. Qed.

Lemma kernel_of_bounded t : bounded (kernel_of t).
Proof. intros i idle. apply nth_overflow. exact idle. Qed.

Theorem litmus : forall t, In t shapes ->
  (sc t = true <-> sc_allows (kernel_of t) (asked t)) /\ (arm t = true <-> arm_allows (kernel_of t) (asked t)).
Proof.
  intros t inside.
  pose proof (proj1 (forallb_forall _ _) all_suitable t inside) as fine.
  pose proof (proj1 (forallb_forall _ _) all_hold t inside) as held.
  apply andb_prop in fine as [fine finite]. apply andb_prop in fine as [easy about].
  apply andb_prop in held as [on_sc on_arm]. apply eqb_prop in on_sc, on_arm.
  pose proof (kernel_of_bounded t) as few. split.
  - rewrite <- on_sc. now apply can_sc_correct.
  - rewrite <- on_arm. apply can_arm_correct; auto. intros l. now left.
Qed.
