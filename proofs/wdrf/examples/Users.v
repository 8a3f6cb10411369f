(* SPDX-License-Identifier: Apache-2.0 *)
(** The theorems with users are not vacuous: a kernel CPU maps a page for a user, the user writes it through the MMU, the
    kernel reads the value.  All premises hold ([mapped_meets], [mapped_behaviour]).  Without barriers around a TLB
    invalidation a user keeps a page after it ([unfused_keeps_page]), and re-using a linked table yields a translation
    that exists in no SC state ([recycled_mixes]): the paper's examples 6 and 5. *)
From Coq Require Import List Arith Bool Lia.
From SeKVM.wdrf Require Import Statements.
From SeKVM.wdrf.isolated Require Import Base SC DRF Promising.
From SeKVM.wdrf.litmus Require Import ExploreSC.
From SeKVM.wdrf.full Require Import Base SC Promising DRF PageTable.
From SeKVM.wdrf.full Require Proof.
From SeKVM.wdrf.examples Require Import Check.
Import ListNotations.

(** One level of tables: entry 100 leads to page 300.  Thread 1 is the user; 50 stands for the TLB. *)
Definition entry : addr := 100.
Definition page : addr := 300.

Definition class_here (a : addr) : class := if a =? 50 then Sync else if a =? page then User else Data.
Definition typed_here (a : addr) (v : val) : bool := negb (a =? entry) || (v =? 0) || (v =? page).

Definition one_level : mmu :=
  {| levels := 1; root := fun _ _ => entry; next := fun _ v _ => if v =? 0 then None else Some v;
     table := fun _ l a => match l with 0 => a = entry | _ => a = page end; tlb := 50 |}.

Definition kernel_here (code : list instr) (start : addr -> val) (boot : bool) : kernel :=
  {| cpus := 1; program := program_of [code]; initial := start; class_of := class_here;
     write_once := fun a => negb boot && (a =? entry); established := fun _ => false; well_typed := typed_here;
     owner0 := fun i a => (i =? 0) && (a =? entry); payload0 := fun _ _ => false |}.

Lemma geometry_here code start boot : typed_here entry (start entry) = true ->
  geometry (kernel_here code start boot) one_level.
Proof.
  intros typed. constructor; simpl.
  - reflexivity.
  - intros u l a lt tab. destruct l; [subst a; reflexivity|lia].
  - intros u l a v va a' lt tab ok step. destruct l; [subst a|lia].
    destruct (Nat.eqb_spec v 0); [discriminate|]. injection step as <-.
    unfold typed_here in ok. rewrite Nat.eqb_refl in ok. apply orb_prop in ok as [ok|ok].
    + apply orb_prop in ok as [ok|ok]; [discriminate|]. apply Nat.eqb_eq in ok. contradiction.
    + apply Nat.eqb_eq in ok. exact ok.
  - intros u a ->. reflexivity.
  - intros u l a lt tab. destruct l; [subst a; exact typed|lia].
  - reflexivity.
Qed.

(** ** A page is mapped, written by the user, and read by the kernel *)
Definition mapped : kernel := kernel_here [str (Const entry) (Const page); ldr_user 0 (Const page)] (fun _ => 0) false.

Lemma mapped_fetch i p ins : fetch mapped i p = Some ins ->
  i = 0 /\ ((p = 0 /\ ins = str (Const entry) (Const page)) \/ (p = 1 /\ ins = ldr_user 0 (Const page))).
Proof.
  unfold fetch. destruct i as [|i]; [|destruct i, p; discriminate].
  destruct p as [|[|[|p]]]; simpl; intros found; try discriminate; injection found as <-; auto.
Qed.

Lemma mapped_reach s g : sc_reach mapped s g ->
  owns g 0 entry = true /\ (sc_pc s 0 = 0 -> written g entry = false).
Proof.
  induction 1 as [|s g i ins o reach [own unset] found]; [split; reflexivity|].
  apply mapped_fetch in found as [-> [[at_0 ->]|[at_1 ->]]]; simpl; (split; [exact own|]); rewrite upd_same; lia.
Qed.

Theorem mapped_meets : wdrf_full mapped one_level /\ linked_once mapped one_level /\ map_only mapped one_level.
Proof.
  split; [constructor|split].
  - constructor; [intros i out; apply program_of_end; exact out|].
    split; [|split]; [|discriminate|discriminate]. intros i j a o1 o2. simpl in o1, o2.
    apply andb_prop in o1 as [o1 _]. apply andb_prop in o2 as [o2 _]. apply Nat.eqb_eq in o1, o2. congruence.
  - apply geometry_here. reflexivity.
  - constructor; intros s g i ins reach found; destruct (mapped_reach s g reach) as [own unset];
      apply mapped_fetch in found as [-> [[at_0 ->]|[at_1 ->]]]; try reflexivity; simpl.
    + unfold if_data. simpl. exact own.
    + unfold settled. rewrite (unset at_0). apply negb_true_iff, andb_false_r.
  - constructor; simpl; [intros u l a lt; lia|]. reflexivity.
  - intros u l a lt tab. simpl in lt. assert (l = 0) as -> by lia. simpl in tab. subst a. reflexivity.
Qed.

Definition mapped_messages : memory := [Message 0 entry page; Message 1 page 7].
Definition after_map : thread := at_pc (do_write thread_initial Plain entry 0 0 1) 1.
Definition after_read : thread := at_pc (do_read after_map ToUser 0 page 0 2 7) 2.
Definition mapped_end (i : tid) : thread := match i with 0 => after_read | _ => thread_initial end.

Lemma can_write_by_computation M i st k a av d dv ts :
  msg_at M ts = Some (Message i a d) -> fulfilled st ts = false ->
  (coh st a <? ts) && (pre_write st k av dv <? ts) = true -> can_write M i st k a av d dv ts.
Proof.
  intros found fresh above. apply andb_prop in above as [above pre]. apply Nat.ltb_lt in above, pre.
  repeat (split; [assumption|]). assumption.
Qed.

Lemma two_messages m1 m2 ts m : msg_at [m1; m2] ts = Some m -> (ts = 1 /\ m = m1) \/ (ts = 2 /\ m = m2).
Proof. destruct ts as [|[|[|ts]]]; simpl; intros found; try discriminate; try injection found as <-; auto. destruct ts; discriminate. Qed.

Theorem mapped_behaviour : full_behaviour mapped one_level mapped_messages mapped_end.
Proof.
  constructor; [constructor|].
  - intros i lt. simpl in lt. assert (i = 0) as -> by lia. eexists. econstructor; [|econstructor; [|constructor]].
    + eapply (step_store mapped mapped_messages 0 thread_initial Plain (Const entry) (Const page) [] entry 0 page 0 1);
        [reflexivity|reflexivity|reflexivity|apply can_write_by_computation; reflexivity].
    + eapply (step_load mapped mapped_messages 0 after_map ToUser 0 (Const page) (Const 0) [] page 0 2 7);
        [reflexivity|reflexivity|]. split.
      * right. exists (Message 1 page 7). repeat split.
      * assert (none : max (coh after_map page) (pre_read after_map ToUser 0) = 0) by reflexivity.
        rewrite none. intros ts m above below. lia.
  - intros [|i] out; [simpl in out; lia|reflexivity].
  - intros i lt ts m found own. simpl in lt. assert (i = 0) as -> by lia.
    apply two_messages in found as [[-> ->]|[-> ->]]; [reflexivity|discriminate].
  - intros ts m found out. apply two_messages in found as [[-> ->]|[-> ->]]; [simpl in out; lia|].
    exists 0. simpl. eapply (walk_next mapped one_level mapped_messages 1 2 0 0 entry 1 page).
    + apply (walk_root mapped one_level mapped_messages 1 2 0).
    + simpl. lia.
    + right. exists (Message 0 entry page). repeat split.
    + lia.
    + intros n m above below. change (n <= 0) in below. lia.
    + reflexivity.
Qed.

(** Theorem 4 applied: the kernel's state is that of an SC execution in which the oracle said 7. *)
Theorem mapped_sc : exists s g, sc_reach mapped s g /\ sc_reg s 0 0 = 7 /\ sc_mem s entry = page.
Proof.
  destruct (Proof.theorem4 mapped one_level mapped_messages mapped_end (proj1 mapped_meets) mapped_behaviour)
    as (s & g & reach & [_ regs mem]).
  exists s, g. split; [exact reach|]. split; [apply (regs 0 0)|].
  destruct (mem entry) as [[bad _]|(m & found & _ & <-)]; [discriminate|discriminate bad|].
  simpl in found. injection found as <-. reflexivity.
Qed.

(** ** A TLB invalidation without barriers *)
(** The page is mapped at the start; the kernel unmaps it and invalidates the TLB by an ordinary store. *)
Definition unfused : kernel :=
  kernel_here [str (Const entry) (Const 0); str (Const 50) (Const 0)] (fun a => if a =? entry then page else 0) true.

(** The invalidation overtakes the unmapping; the user's write comes between. *)
Definition unfused_messages : memory := [Message 0 50 0; Message 1 page 7; Message 0 entry 0].
Definition after_unmap : thread := at_pc (do_write thread_initial Plain entry 0 0 3) 1.
Definition after_tlbi : thread := at_pc (do_write after_unmap Plain 50 0 0 1) 2.

Theorem unfused_keeps_page :
  ~ no_barrier_misuse unfused /\
  (* in program order the entry is cleared (message 3) before the invalidation (message 1) *)
  run unfused unfused_messages 0 thread_initial [Write Plain entry 0 3; Write Plain 50 0 1] after_tlbi /\
  complete unfused_messages 0 after_tlbi /\
  (* yet the user writes the page after the invalidation *)
  last_tlbi unfused_messages one_level 2 = 1 /\ accesses unfused one_level unfused_messages 1 2 page.
Proof.
  split; [apply fails_not_always; vm_compute; reflexivity|]. split; [|split; [|split]].
  - econstructor; [|econstructor; [|constructor]].
    + eapply (step_store unfused unfused_messages 0 thread_initial Plain (Const entry) (Const 0) [] entry 0 0 0 3);
        [reflexivity|reflexivity|reflexivity|apply can_write_by_computation; reflexivity].
    + eapply (step_store unfused unfused_messages 0 after_unmap Plain (Const 50) (Const 0) [] 50 0 0 0 1);
        [reflexivity|reflexivity|reflexivity|apply can_write_by_computation; reflexivity].
  - intros [|[|[|[|ts]]]] m found own; simpl in found; try discriminate; try reflexivity.
    + injection found as <-. discriminate.
    + destruct ts; discriminate.
  - reflexivity.
  - exists 0. eapply (walk_next unfused one_level unfused_messages 1 2 0 0 entry 0 page).
    + apply (walk_root unfused one_level unfused_messages 1 2 0).
    + simpl. lia.
    + left. split; reflexivity.
    + lia.
    + intros n m above below found. change (n <= 1) in below. assert (n = 1) as -> by lia.
      simpl in found. injection found as <-. discriminate.
    + reflexivity.
Qed.

(** ** A table that is re-used *)
(** Entry 100 leads to table 200, whose entry leads to page 700.  The kernel prepares table 300, which still holds page
    900, for page 800, and then links it. *)
Definition recycled_start (a : addr) : val := if a =? 100 then 200 else if a =? 200 then 700 else if a =? 300 then 900 else 0.
Definition recycled : kernel :=
  {| cpus := 1; program := program_of [[str (Const 300) (Const 800); str (Const 100) (Const 300)]];
     initial := recycled_start; class_of := fun a => if a <? 500 then Data else User; write_once := fun _ => false;
     established := fun _ => false; well_typed := fun _ _ => true; owner0 := fun i _ => i =? 0;
     payload0 := fun _ _ => false |}.
Definition two_levels : mmu :=
  {| levels := 2; root := fun _ _ => 100; next := fun _ v _ => Some v;
     table := fun _ l a => match l with 0 => a = 100 | 1 => a = 200 \/ a = 300 | _ => 500 <= a end; tlb := 50 |}.

(** The link is visible before the new content. *)
Definition recycled_messages : memory := [Message 0 100 300; Message 0 300 800].
Definition after_content : thread := at_pc (do_write thread_initial Plain 300 0 0 2) 1.
Definition after_link : thread := at_pc (do_write after_content Plain 100 0 0 1) 2.

(** The translation in an SC state. *)
Definition sc_translation (s : sc_state) : val := sc_mem s (sc_mem s 100).

Theorem recycled_mixes :
  run recycled recycled_messages 0 thread_initial [Write Plain 300 0 2; Write Plain 100 0 1] after_link /\
  complete recycled_messages 0 after_link /\
  walk recycled two_levels recycled_messages 1 3 0 2 900 /\
  forall s g, sc_reach recycled s g -> sc_translation s = 700 \/ sc_translation s = 800.
Proof.
  split; [|split; [|split]].
  - econstructor; [|econstructor; [|constructor]].
    + eapply (step_store recycled recycled_messages 0 thread_initial Plain (Const 300) (Const 800) [] 300 0 800 0 2);
        [reflexivity|reflexivity|reflexivity|apply can_write_by_computation; reflexivity].
    + eapply (step_store recycled recycled_messages 0 after_content Plain (Const 100) (Const 300) [] 100 0 300 0 1);
        [reflexivity|reflexivity|reflexivity|apply can_write_by_computation; reflexivity].
  - intros ts m found own. apply two_messages in found as [[-> ->]|[-> ->]]; reflexivity.
  - assert (fresh : forall a ts, no_write recycled_messages a ts (last_tlbi recycled_messages two_levels 3)).
    { intros a ts n m above below. change (n <= 0) in below. lia. }
    eapply (walk_next recycled two_levels recycled_messages 1 3 0 1 300 0 900);
      [|simpl; lia|left; split; reflexivity|lia|apply fresh|reflexivity].
    eapply (walk_next recycled two_levels recycled_messages 1 3 0 0 100 1 300);
      [apply (walk_root recycled two_levels recycled_messages 1 3 0)|simpl; lia| |lia|apply fresh|reflexivity].
    right. exists (Message 0 100 300). repeat split.
  - intros s g reach.
    assert (all : forall s g, sc_reach recycled s g ->
      (fun s => (sc_translation s =? 700) || (sc_translation s =? 800)) s = true).
    { apply everywhere_reach; [reflexivity|intros i out; apply program_of_end; exact out|vm_compute; reflexivity]. }
    specialize (all s g reach). simpl in all. apply orb_prop in all as [all|all]; apply Nat.eqb_eq in all; auto.
Qed.

(** ** Walks see updates out of order *)
(** Two entries, which lead from pages 600 and 601 to pages 700 and 701 once the kernel has changed them, in this order
    and with a release between. *)
Definition remapped_start (a : addr) : val := if a =? 100 then 600 else if a =? 101 then 601 else 0.
Definition two_entries : mmu :=
  {| levels := 1; root := fun _ va => 100 + va; next := fun _ v _ => if v =? 0 then None else Some v;
     table := fun _ l a => match l with 0 => 100 <= a | _ => 500 <= a end; tlb := 50 |}.
Definition remapped : kernel :=
  {| cpus := 1; program := program_of [[str (Const 100) (Const 700); stlr (Const 51) (Const 1) []; str (Const 101) (Const 701)]];
     initial := remapped_start; class_of := fun a => if a <? 100 then Sync else if a <? 500 then Data else User;
     write_once := fun _ => false; established := fun _ => false; well_typed := fun _ _ => true;
     owner0 := fun i _ => i =? 0; payload0 := fun _ _ => false |}.
Definition remapped_messages : memory := [Message 0 100 700; Message 0 51 1; Message 0 101 701].

Lemma snapshot_one K X M u s va pa : snapshot K X M u s va 1 pa ->
  exists v, value_at K M (root X u va) (last_write M (root X u va) s) v /\ next X 0 v va = Some pa.
Proof.
  intros whole. inversion whole as [|l a v b start lt value step]; subst. inversion start; subst. eauto.
Qed.

(** A user's walk sees the second change, and a later walk does not see the first; at no moment were the tables so. *)
Theorem walks_out_of_order :
  walk remapped two_entries remapped_messages 1 4 1 1 701 /\ walk remapped two_entries remapped_messages 1 5 0 1 600 /\
  ~ exists s, snapshot remapped two_entries remapped_messages 1 s 1 1 701 /\
              snapshot remapped two_entries remapped_messages 1 s 0 1 600.
Proof.
  assert (fresh : forall a ts now, now <= 5 -> no_write remapped_messages a ts (last_tlbi remapped_messages two_entries now)).
  { intros a ts now le n m above below. exfalso.
    assert (none : last_tlbi remapped_messages two_entries now = 0).
    { do 6 (destruct now as [|now]; [reflexivity|]). lia. }
    lia. }
  assert (four : 4 <= 5) by lia.
  split; [|split].
  - eapply (walk_next remapped two_entries remapped_messages 1 4 1 0 101 3 701);
      [apply (walk_root remapped two_entries remapped_messages 1 4 1)|simpl; lia| |lia|exact (fresh 101 3 4 four)|reflexivity].
    right. exists (Message 0 101 701). repeat split.
  - eapply (walk_next remapped two_entries remapped_messages 1 5 0 0 100 0 600);
      [apply (walk_root remapped two_entries remapped_messages 1 5 0)|simpl; lia|left; split; reflexivity|lia|exact (fresh 100 0 5 (le_n 5))|
       reflexivity].
  - intros (s & new & old).
    apply snapshot_one in new as (v & value & step). apply snapshot_one in old as (w & value' & step').
    simpl in value, step, value', step'.
    assert (later : 0 < last_write remapped_messages 101 s).
    { destruct (last_write remapped_messages 101 s) as [|n]; [exfalso|lia].
      destruct value as [[_ ->]|(m & found & _)]; [vm_compute in step; discriminate step|discriminate found]. }
    assert (past : 3 <= s) by (destruct s as [|[|[|s]]]; simpl in later; lia).
    assert (set : last_write remapped_messages 100 s = 1).
    { clear - past. do 3 (destruct s as [|s]; [lia|]). clear past. induction s as [|s IH]; [reflexivity|].
      cbn [last_write]. replace (msg_at remapped_messages (S (S (S (S s))))) with (@None message); [exact IH|].
      destruct s; reflexivity. }
    rewrite set in value'. destruct value' as [[bad _]|(m & found & _ & same)]; [discriminate bad|].
    injection found as <-. simpl in same. subst w. vm_compute in step'. discriminate step'.
Qed.
