(* SPDX-License-Identifier: Apache-2.0 *)
(** The paper's example of virtual-machine registration with a lock whose hand-over lacks barriers: without the release,
    without the acquire, or without both, two CPUs register the same id on the Promising machine, and never on SC.  With
    both they cannot ([Good.register_correct]).  The broken locks are rejected by No-Barrier-Misuse on SC. *)
From Coq Require Import List Arith Bool Lia.
From SeKVM.wdrf.isolated Require Import Base SC DRF Promising.
From SeKVM.wdrf.litmus Require Import ExploreSC Messages ExploreArm.
From SeKVM.wdrf.examples Require Import Check Good.
Import ListNotations.

(** [Good.register] with other accesses to the word [now]. *)
Definition register_with (enter : instr) (leave : expr -> instr) : list instr :=
  [ Rmw Add 0 ticket (Const 1) (Const 0) [] []; enter; Branch (Bin Sub (Const 1) my_turn) 6;
    ldr 2 next_id; str next_id (Bin Add (Reg 2) (Const 1)); leave (Bin Add (Reg 0) (Const 1)) ].

Definition acquire : instr := ldar 1 now my_turn [next_id].
Definition release (e : expr) : instr := stlr now e [next_id].

Definition kernel_with (enter : instr) (leave : expr -> instr) : kernel :=
  example_kernel [register_with enter leave; register_with enter leave] lock_word no_entry no_entry nobody (guards 11 [20]).

Definition without_release := kernel_with acquire (str now).
Definition without_acquire := kernel_with (ldr 1 now) release.
Definition without_both := kernel_with (ldr 1 now) (str now).

(** Both CPUs had their turn (tickets 0 and 1), and read the same id. *)
Definition same_id : query := Query [(0, 0, 0); (0, 1, 0); (1, 0, 1); (1, 1, 1); (0, 2, 0); (1, 2, 0)] [].

(** CPU 0 hands over before its store of the id is visible. *)
Definition early_handover : memory :=
  [Message 0 10 1; Message 0 11 1; Message 1 10 2; Message 0 20 1; Message 1 20 1; Message 1 11 2].
(** CPU 1 reads the id before it has its turn. *)
Definition late_entry : memory :=
  [Message 0 10 1; Message 1 10 2; Message 0 20 1; Message 0 11 1; Message 1 20 1; Message 1 11 2].

Definition clashes (K : kernel) : Prop := arm_allows K same_id /\ ~ sc_allows K same_id /\ ~ no_barrier_misuse K.

Lemma clash_by_witness enter leave M :
  let K := kernel_with enter leave in
  simple K && query_ok K same_id && can_arm_with K same_id M && negb (can_sc K same_id) &&
  fails K (fun ins s i _ => ordered_on_sync K ins s i) = true -> clashes K.
Proof.
  intros K found. rewrite !andb_true_iff, negb_true_iff in found. destruct found as [[[[good asked] arm] sc] bar].
  assert (few : bounded K) by apply example_bounded. split; [|split].
  - exact (can_arm_with_sound K same_id M good few asked arm).
  - intros on_sc. apply (can_sc_correct K same_id good few) in on_sc. congruence.
  - apply fails_not_always. exact bar.
Qed.

Theorem without_release_clashes : clashes without_release.
Proof. apply (clash_by_witness _ _ early_handover). vm_compute. reflexivity. Qed.

Theorem without_acquire_clashes : clashes without_acquire.
Proof. apply (clash_by_witness _ _ late_entry). vm_compute. reflexivity. Qed.

Theorem without_both_clashes : clashes without_both.
Proof. apply (clash_by_witness _ _ early_handover). vm_compute. reflexivity. Qed.
