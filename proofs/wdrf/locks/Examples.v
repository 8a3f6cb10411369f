(* SPDX-License-Identifier: Apache-2.0 *)
(** Locked code that passes the check, for any number of CPUs: a counter, the allocation of VM identifiers, an array under
    nested locks.  And code that does not: each lacks one thing.  A run by computation shows that the locks are taken. *)
From Coq Require Import List Arith Bool.
From SeKVM.wdrf.isolated Require Import Base SC DRF Promising Proof.
From SeKVM.wdrf Require Import Statements.
From SeKVM.wdrf.locks Require Import Locks Sound.
Import ListNotations.

(** Two locks: words 0 to 3; lock 0 guards word 4, lock 1 guards the array of words 10 to 17. *)
Definition two_locks : list lock := [Lock 0 1 [4]; Lock 2 3 (seq 10 8)].

Lemma two_locks_separate : separate two_locks = true.
Proof. reflexivity. Qed.

(** ** A counter *)
(** Registers 0 and 1 are the lock's, 2 is ours. *)
Definition count_once : code :=
  with_lock two_locks [] 0 0 1
    (plain [(0, 0)] [ldr 2 (Const 4); str (Const 4) (Bin Add (Reg 2) (Const 1))]).

Definition count : code := forever count_once.

(** ** VM identifiers: take the next one, if there is one left, and keep it in register 5 *)
Definition gen_vmid : code :=
  with_lock two_locks [] 0 0 1
    (plain [(0, 0)]
       [ldr 2 (Const 4);
        Branch (Bin Lt (Const 15) (Reg 2)) 4;
        Mov 5 (Reg 2);
        str (Const 4) (Bin Add (Reg 2) (Const 1))]).

(** ** Nested locks, and an index that the program computes: add to entry [x4] of the array *)
Definition entry : expr := Bin Add (Const 10) (Bin Mul (Reg 4) (Bin Lt (Reg 4) (Const 8))).

Definition transfer : code :=
  with_lock two_locks [] 0 0 1
    (plain [(0, 0)] [ldr 4 (Const 4)] ++
     relocate 1 (with_lock two_locks [(0, 0)] 1 2 3
       (plain [(1, 2); (0, 0)] [ldr 5 entry; str entry (Bin Add (Reg 5) (Const 1)); str (Const 4) (Reg 5)]))).

Lemma examples_checked : checked two_locks count = true /\ checked two_locks gen_vmid = true /\
  checked two_locks (forever transfer) = true.
Proof. repeat split. Qed.

(** Any number of CPUs, each with any of them. *)
Theorem locked_kernel n (choose : tid -> nat) init :
  wdrf_isolated (kernel_of two_locks n (fun i => nth (choose i) [count; gen_vmid; forever transfer] []) init).
Proof.
  apply checked_code_is_wdrf; [exact two_locks_separate|]. intros i _.
  destruct (choose i) as [|[|[|k]]]; try reflexivity. destruct k; reflexivity.
Qed.

(** So it runs on relaxed hardware as on SC. *)
Corollary locked_kernel_on_arm n choose init M f :
  let K := kernel_of two_locks n (fun i => nth (choose i) [count; gen_vmid; forever transfer] []) init in
  behaviour K M f ->
  exists s g, sc_reach K s g /\ same_outcome K M f (fun _ => True) (sc_pc s) (sc_reg s) (sc_mem s).
Proof. intros K. apply wdrf_sc, locked_kernel. Qed.

(** ** The locks are really taken: two CPUs count, in an order in which the second has to wait *)
Fixpoint follow (K : kernel) (schedule : list tid) (s : sc_state) : option sc_state :=
  match schedule with
  | [] => Some s
  | i :: rest => match fetch K i (sc_pc s i) with Some ins => follow K rest (sc_exec ins s i 0) | None => None end
  end.

Lemma follow_reach K schedule : forall s g s', sc_reach K s g -> follow K schedule s = Some s' ->
  exists g', sc_reach K s' g'.
Proof.
  induction schedule as [|i rest IH]; intros s g s' reach made; simpl in made.
  - injection made as <-. eauto.
  - destruct (fetch K i (sc_pc s i)) as [ins|] eqn:found; [|discriminate].
    eapply IH; [|exact made]. eapply reach_step; eassumption.
Qed.

Definition counters : kernel := kernel_of two_locks 2 (fun _ => count_once) (fun _ => 0).

Example both_count : exists s g, sc_reach counters s g /\ sc_mem s 4 = 2 /\
  (forall i, i < 2 -> fetch counters i (sc_pc s i) = None).
Proof.
  destruct (follow counters [0; 0; 1; 1; 1; 0; 0; 1; 0; 0; 1; 1; 1; 1; 1; 1] (sc_initial counters)) as [s|] eqn:made;
    [|vm_compute in made; discriminate].
  destruct (follow_reach _ _ _ _ _ (reach_initial counters) made) as [g reach]. exists s, g. split; [exact reach|].
  vm_compute in made. injection made as <-. split; [reflexivity|].
  intros [|[|i]] lt; [reflexivity | reflexivity |]. do 2 apply Nat.succ_lt_mono in lt. inversion lt.
Qed.

(** ** What the check refuses *)
Definition refused (c : code) : Prop := checked two_locks c = false.

(** Data of a lock that is not held. *)
Example refuses_bare_access : refused (plain [] [ldr 2 (Const 4)]).
Proof. reflexivity. Qed.

(** Data of the wrong lock. *)
Example refuses_wrong_lock : refused (with_lock two_locks [] 1 0 1 (plain [(1, 0)] [ldr 2 (Const 4)])).
Proof. reflexivity. Qed.

(** A lock that is never released. *)
Example refuses_kept_lock : refused (removelast count_once).
Proof. reflexivity. Qed.

(** A release by an ordinary store. *)
Example refuses_plain_release :
  refused (removelast count_once ++ [(Run [(0, 0)], str (Const 1) (Bin Add (Reg 0) (Const 1)))]).
Proof. reflexivity. Qed.

(** The ticket's register overwritten. *)
Example refuses_lost_ticket : refused (with_lock two_locks [] 0 0 1 (plain [(0, 0)] [Mov 0 (Const 7)])).
Proof. reflexivity. Qed.

(** The same lock taken twice. *)
Example refuses_second_take :
  refused (with_lock two_locks [] 0 0 1 (with_lock two_locks [(0, 0)] 0 2 3 [])).
Proof. reflexivity. Qed.

(** An index that may leave the array. *)
Example refuses_wild_index :
  refused (with_lock two_locks [] 1 0 1 (plain [(1, 0)] [ldr 2 (Bin Add (Const 10) (Reg 4))])).
Proof. reflexivity. Qed.
