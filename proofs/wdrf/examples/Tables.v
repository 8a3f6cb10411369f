(* SPDX-License-Identifier: Apache-2.0 *)
(** The theorems about page tables are not vacuous: a two-level table is linked and filled, the two stores become visible
    in the opposite order, and a user gets through.  All premises of [MapOnlyPageTable], hence those of
    [TransactionalPageTable], [StableTranslation] and Theorem 3, hold. *)
From Coq Require Import List Arith Bool Lia.
From SeKVM.wdrf Require Import Statements.
From SeKVM.wdrf.isolated Require Import Base SC DRF Promising.
From SeKVM.wdrf.litmus Require Import ExploreSC.
From SeKVM.wdrf.full Require Import Base SC Promising DRF PageTable.
From SeKVM.wdrf.full Require Proof.
From SeKVM.wdrf.examples Require Import Check Users.
Import ListNotations.

(** Entry 100 is to lead to entry 200, and that to page 300. *)
Definition typed_tables (a : addr) (v : val) : bool :=
  if a =? 100 then (v =? 0) || (v =? 200) else if a =? 200 then (v =? 0) || (v =? 300) else true.

Definition tables : mmu :=
  {| levels := 2; root := fun _ _ => 100; next := fun _ v _ => if v =? 0 then None else Some v;
     table := fun _ l a => match l with 0 => a = 100 | 1 => a = 200 | _ => a = page end; tlb := 50 |}.

Definition linking : kernel :=
  {| cpus := 1; program := program_of [[str (Const 100) (Const 200); str (Const 200) (Const 300)]];
     initial := fun _ => 0; class_of := class_here; write_once := fun a => (a =? 100) || (a =? 200);
     established := fun _ => false; well_typed := typed_tables; owner0 := fun i _ => i =? 0;
     payload0 := fun _ _ => false |}.

Lemma linking_bounded : bounded linking.
Proof. intros i out. apply program_of_end. exact out. Qed.

Lemma leads_typed v b c : (v =? 0) || (v =? b) = true -> (if v =? 0 then None else Some v) = Some c -> c = b.
Proof.
  intros typed step. destruct (Nat.eqb_spec v 0) as [->|ne]; [discriminate|]. injection step as <-.
  simpl in typed. apply Nat.eqb_eq. exact typed.
Qed.

Theorem linking_meets :
  wdrf_strong linking tables /\ linked_once linking tables /\ map_only linking tables.
Proof.
  split; [|split].
  - constructor; [constructor|split].
    + constructor; [exact linking_bounded|]. split; [|split]; [|discriminate|discriminate].
      intros i j a o1 o2. apply Nat.eqb_eq in o1, o2. congruence.
    + constructor; simpl.
      * reflexivity.
      * intros u [|[|l]] a lt tab; [subst a; reflexivity|subst a; reflexivity|lia].
      * intros u [|[|l]] a v va a' lt tab typed step; [| |lia]; subst a; unfold typed_tables in typed; simpl in typed.
        -- exact (leads_typed v 200 a' typed step).
        -- exact (leads_typed v page a' typed step).
      * intros u a ->. reflexivity.
      * intros u [|[|l]] a lt tab; [subst a; reflexivity|subst a; reflexivity|lia].
      * reflexivity.
    + constructor; apply holds_always; try exact linking_bounded; vm_compute; reflexivity.
    + apply holds_always; [reflexivity|exact linking_bounded|vm_compute; reflexivity].
    + intros i p ins found. unfold fetch in found. destruct i as [|i]; [|destruct i, p; discriminate].
      destruct p as [|[|p]]; simpl in found; try discriminate; [| |destruct p; discriminate]; injection found as <-; simpl; tauto.
  - constructor; simpl.
    + intros u l a lt tab. assert (l = 0) as -> by lia. subst a. reflexivity.
    + reflexivity.
  - intros u l a last tab. simpl in last. assert (l = 1) as -> by lia. simpl in tab. subst a. reflexivity.
Qed.

(** The leaf is visible before the link. *)
Definition linking_messages : memory := [Message 0 200 300; Message 0 100 200; Message 1 page 7].
Definition after_root : thread := at_pc (do_write thread_initial Plain 100 0 0 2) 1.
Definition after_leaf : thread := at_pc (do_write after_root Plain 200 0 0 1) 2.
Definition linking_end (i : tid) : thread := match i with 0 => after_leaf | _ => thread_initial end.

Lemma user_walk : walk linking tables linking_messages 1 3 0 2 page.
Proof.
  assert (fresh : forall a ts, no_write linking_messages a ts (last_tlbi linking_messages tables 3)).
  { intros a ts n m above below. change (n <= 0) in below. lia. }
  eapply (walk_next linking tables linking_messages 1 3 0 1 200 1 300);
    [|simpl; lia| |lia|apply fresh|reflexivity].
  - eapply (walk_next linking tables linking_messages 1 3 0 0 100 2 200);
      [apply (walk_root linking tables linking_messages 1 3 0)|simpl; lia| |lia|apply fresh|reflexivity].
    right. exists (Message 0 100 200). repeat split.
  - right. exists (Message 0 200 300). repeat split.
Qed.

Theorem linking_behaviour : full_behaviour linking tables linking_messages linking_end.
Proof.
  constructor; [constructor|].
  - intros i lt. simpl in lt. assert (i = 0) as -> by lia. eexists. econstructor; [|econstructor; [|constructor]].
    + eapply (step_store linking linking_messages 0 thread_initial Plain (Const 100) (Const 200) [] 100 0 200 0 2);
        [reflexivity|reflexivity|reflexivity|apply can_write_by_computation; reflexivity].
    + eapply (step_store linking linking_messages 0 after_root Plain (Const 200) (Const 300) [] 200 0 300 0 1);
        [reflexivity|reflexivity|reflexivity|apply can_write_by_computation; reflexivity].
  - intros [|i] out; [simpl in out; lia|reflexivity].
  - intros i lt [|[|[|[|ts]]]] m found own; simpl in found, lt; try discriminate.
    + assert (i = 0) as -> by lia. reflexivity.
    + assert (i = 0) as -> by lia. reflexivity.
    + injection found as <-. simpl in own. lia.
    + destruct ts; discriminate.
  - intros [|[|[|[|ts]]]] m found out; simpl in found; try discriminate.
    + injection found as <-. simpl in out. lia.
    + injection found as <-. simpl in out. lia.
    + injection found as <-. exists 0. exact user_walk.
    + destruct ts; discriminate.
Qed.

(** The theorem applied: at some moment before the user's access the tables led to the page. *)
Theorem linking_atomic : exists s, s < 3 /\ snapshot linking tables linking_messages 1 s 0 2 page.
Proof.
  destruct linking_meets as ([full _] & once & leaves).
  destruct (Proof.map_only_page_table linking tables linking_messages linking_end 1 3 0 page full linking_behaviour once leaves
              user_walk) as (s & _ & before & snap); [cbv; lia|].
  exists s. auto.
Qed.

(** Any user that gets through with this address, at any time, gets there. *)
Theorem linking_stable u now pa : walk linking tables linking_messages u now 0 2 pa -> u = 1 -> pa = page.
Proof.
  intros w ->. destruct linking_meets as ([full _] & once & leaves).
  exact (Proof.stable_translation linking tables linking_messages linking_end 1 now 3 0 pa page full linking_behaviour once leaves
           w user_walk).
Qed.
