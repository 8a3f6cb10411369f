(* SPDX-License-Identifier: Apache-2.0 *)
(** Each condition is needed: for each there is a kernel that breaks only this one, on SC, and has an outcome on the
    Promising machine that no SC execution has. *)
From Coq Require Import List Arith Bool Lia.
From SeKVM.wdrf.isolated Require Import Base SC DRF Promising.
From SeKVM.wdrf.litmus Require Import ExploreSC Messages ExploreArm.
From SeKVM.wdrf.examples Require Import Check.
Import ListNotations.

Definition mp_threads : list (list instr) :=
  [[str (Const 0) (Const 1); str (Const 1) (Const 1)]; [ldr 0 (Const 1); ldr 1 (Const 0)]].
Definition sb_threads : list (list instr) :=
  [[str (Const 0) (Const 1); ldr 0 (Const 1)]; [str (Const 1) (Const 1); ldr 0 (Const 0)]].

(** Message passing: the second thread sees the flag but not the data. *)
Definition stale : query := Query [(1, 0, 1); (1, 1, 0)] [].
(** Store buffering: neither thread sees the other's store. *)
Definition both_first : query := Query [(0, 0, 0); (1, 0, 0)] [].

Section Kernels.
Definition plain_kernel (threads : list (list instr)) (c : class) (once : bool) (own : tid -> addr -> bool) : kernel :=
  {| cpus := length threads; program := program_of threads; initial := fun _ => 0; class_of := fun _ => c;
     write_once := fun _ => once; established := fun _ => once; well_typed := fun _ _ => true;
     owner0 := own; payload0 := fun _ _ => false |}.

(** Data shared without ownership. *)
Definition racy : kernel := plain_kernel mp_threads Data false (fun _ _ => false).
(** Two CPUs synchronise by ordinary stores and loads of two flags. *)
Definition no_barriers : kernel := plain_kernel sb_threads Sync false (fun _ _ => false).
(** The owner rewrites two entries that are set, and that the other CPU reads. *)
Definition rewritten : kernel := plain_kernel mp_threads Data true (fun i _ => i =? 0).
(** Two CPUs use memory of user programs as if it were the kernel's. *)
Definition trusting : kernel := plain_kernel mp_threads User false (fun _ _ => false).
End Kernels.

Definition relaxed_only (K : kernel) (q : query) : Prop := arm_allows K q /\ ~ sc_allows K q.

Definition explorable (K : kernel) (q : query) : bool :=
  simple K && query_ok K q && closed K [0; 1] && can_arm K [0; 1] q && negb (can_sc K q).

Lemma relaxed_by_exploration K q : bounded K -> (forall a, initial K a = 0) -> explorable K q = true -> relaxed_only K q.
Proof.
  intros few zero found. unfold explorable in found. rewrite !andb_true_iff, negb_true_iff in found.
  destruct found as [[[[good asked] finite] arm] sc]. split.
  - apply (can_arm_correct K [0; 1] q); try assumption. intros a. rewrite zero. now left.
  - intros on_sc. apply (can_sc_correct K q good few) in on_sc. congruence.
Qed.

Lemma plain_bounded threads c once own : bounded (plain_kernel threads c once own).
Proof. intros i out. apply program_of_end. exact out. Qed.

Theorem drf_kernel_needed :
  ~ drf_kernel racy /\ no_barrier_misuse racy /\ write_once_kernel_mapping racy /\ weak_memory_isolation racy /\
  relaxed_only racy stale.
Proof.
  split; [apply fails_not_always; vm_compute; reflexivity|].
  do 3 (split; [apply holds_always; [reflexivity|apply plain_bounded|vm_compute; reflexivity]|]).
  apply relaxed_by_exploration; [apply plain_bounded|reflexivity|vm_compute; reflexivity].
Qed.

Theorem no_barrier_misuse_needed :
  drf_kernel no_barriers /\ ~ no_barrier_misuse no_barriers /\ write_once_kernel_mapping no_barriers /\
  weak_memory_isolation no_barriers /\ relaxed_only no_barriers both_first.
Proof.
  split; [apply holds_always; [reflexivity|apply plain_bounded|vm_compute; reflexivity]|].
  split; [apply fails_not_always; vm_compute; reflexivity|].
  do 2 (split; [apply holds_always; [reflexivity|apply plain_bounded|vm_compute; reflexivity]|]).
  apply relaxed_by_exploration; [apply plain_bounded|reflexivity|vm_compute; reflexivity].
Qed.

Theorem write_once_needed :
  drf_kernel rewritten /\ no_barrier_misuse rewritten /\ ~ write_once_kernel_mapping rewritten /\
  weak_memory_isolation rewritten /\ relaxed_only rewritten stale.
Proof.
  do 2 (split; [apply holds_always; [reflexivity|apply plain_bounded|vm_compute; reflexivity]|]).
  split; [apply fails_not_always; vm_compute; reflexivity|].
  split; [apply holds_always; [reflexivity|apply plain_bounded|vm_compute; reflexivity]|].
  apply relaxed_by_exploration; [apply plain_bounded|reflexivity|vm_compute; reflexivity].
Qed.

Theorem memory_isolation_needed :
  drf_kernel trusting /\ no_barrier_misuse trusting /\ write_once_kernel_mapping trusting /\
  ~ weak_memory_isolation trusting /\ relaxed_only trusting stale.
Proof.
  do 3 (split; [apply holds_always; [reflexivity|apply plain_bounded|vm_compute; reflexivity]|]).
  split; [apply fails_not_always; vm_compute; reflexivity|].
  apply relaxed_by_exploration; [apply plain_bounded|reflexivity|vm_compute; reflexivity].
Qed.
