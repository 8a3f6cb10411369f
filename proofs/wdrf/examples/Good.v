(* SPDX-License-Identifier: Apache-2.0 *)
(** Kernels that meet every premise of Theorem 2, with what the theorem then gives on the Promising machine: message
    passing, the context switch of a virtual CPU, the registration of virtual machines under a ticket lock, and a mapping
    that is set once and then read by everyone.  [Handover] breaks the lock. *)
From Coq Require Import List Arith Bool Lia.
From SeKVM.wdrf Require Import Statements.
From SeKVM.wdrf.isolated Require Import Base SC DRF Promising Proof.
From SeKVM.wdrf.litmus Require Import ExploreSC.
From SeKVM.wdrf.examples Require Import Check.
Import ListNotations.

(** ** Checking the premises *)
Definition no_user_access (threads : list (list instr)) : bool :=
  forallb (forallb (fun ins => match access_of ins with Some (ToUser, _) => false | _ => true end)) threads.

Section Premises.
Variables (threads : list (list instr)) (sync once boot : addr -> bool) (own : tid -> addr -> bool) (pay : addr -> addr -> bool).

Definition example_kernel : kernel :=
  {| cpus := length threads; program := program_of threads; initial := fun _ => 0;
     class_of := fun a => if sync a then Sync else Data; write_once := once; established := boot;
     well_typed := fun _ _ => true; owner0 := own; payload0 := pay |}.

Lemma example_bounded : bounded example_kernel.
Proof. intros i out. apply program_of_end. exact out. Qed.

Lemma example_isolated : no_user_access threads = true -> isolated example_kernel.
Proof.
  intros none. constructor.
  - intros a. simpl. destruct (sync a); discriminate.
  - reflexivity.
  - intros i pc ins k a fetched acc ->. unfold fetch in fetched. simpl in fetched. apply nth_error_In in fetched.
    unfold no_user_access in none. rewrite forallb_forall in none.
    destruct (Nat.lt_ge_cases i (length threads)) as [lt|out].
    + specialize (none (nth i threads []) (nth_In _ _ lt)). rewrite forallb_forall in none.
      specialize (none ins fetched). rewrite acc in none. discriminate.
    + rewrite program_of_end in fetched by exact out. exact fetched.
Qed.

Lemma example_wdrf : exclusive own pay -> no_user_access threads = true -> simple example_kernel = true ->
  holds example_kernel (race_free example_kernel) = true ->
  holds example_kernel (fun ins s i _ => ordered_on_sync example_kernel ins s i) = true ->
  holds example_kernel (written_once example_kernel) = true -> wdrf_isolated example_kernel.
Proof.
  intros ex none good drf bar wo. constructor.
  - constructor; [exact example_bounded|exact ex].
  - apply example_isolated. exact none.
  - apply holds_always; [exact good|exact example_bounded|exact drf].
  - apply holds_always; [exact good|exact example_bounded|exact bar].
  - apply holds_always; [exact good|exact example_bounded|exact wo].
Qed.
End Premises.

(** What Theorem 2 transfers: a property of all SC states, of program counters and registers, holds of all executions. *)
Lemma transfer K Q M f : wdrf_isolated K -> simple K = true -> bounded K ->
  everywhere K (fun s => Q (sc_pc s) (sc_reg s)) = true -> behaviour K M f ->
  (forall pcs pcs' rs rs', (forall i, pcs i = pcs' i) -> (forall i r, rs i r = rs' i r) -> Q pcs rs = Q pcs' rs') ->
  Q (fun i => pc (f i)) (fun i r => fst (regs (f i) r)) = true.
Proof.
  intros cond good few all beh ext. destruct (wdrf_sc K M f cond beh) as (s & g & reach & [same_pc same_reg _]).
  rewrite <- (everywhere_reach K _ good few all s g reach). apply ext; intros; symmetry; auto.
Qed.

Definition only_owner (who : tid) (what : list addr) (i : tid) (a : addr) : bool := (i =? who) && mem_list what a.
Definition guards (lock : addr) (what : list addr) (l a : addr) : bool := (l =? lock) && mem_list what a.
Definition no_entry : addr -> bool := fun _ => false.
Definition nobody : tid -> addr -> bool := fun _ _ => false.

Lemma only_owner_exclusive who what : exclusive (only_owner who what) nobody.
Proof.
  split; [|split]; [|discriminate|discriminate]. unfold only_owner. intros i j a o1 o2.
  apply andb_prop in o1 as [o1 _]. apply andb_prop in o2 as [o2 _]. apply Nat.eqb_eq in o1, o2. congruence.
Qed.

Lemma guards_exclusive lock what : exclusive nobody (guards lock what).
Proof.
  split; [|split]; [discriminate|discriminate|]. unfold guards. intros l l' a p1 p2.
  apply andb_prop in p1 as [p1 _]. apply andb_prop in p2 as [p2 _]. apply Nat.eqb_eq in p1, p2. congruence.
Qed.

(** ** Message passing *)
Definition data := Const 0.
Definition flag := Const 1.

(** The writer gives the data with the flag; the reader takes it if it sees the flag. *)
Definition passing : list (list instr) :=
  [ [str data (Const 7); stlr flag (Const 1) [data]];
    [ldar 0 flag (Reg 0) [data]; Branch (Bin Eq (Reg 0) (Const 0)) 3; ldr 1 data] ].
Definition passing_kernel : kernel := example_kernel passing (Nat.eqb 1) no_entry no_entry (only_owner 0 [0]) nobody.

Theorem passing_meets : wdrf_isolated passing_kernel.
Proof. apply example_wdrf; [apply only_owner_exclusive|..]; vm_compute; reflexivity. Qed.

Definition passing_ok (pcs : tid -> nat) (rs : tid -> reg -> val) : bool :=
  negb ((pcs 1 =? 3) && (rs 1 0 =? 1)) || (rs 1 1 =? 7).

(** A reader that has seen the flag has read the data. *)
Theorem passing_correct M f : behaviour passing_kernel M f -> pc (f 1) = 3 -> fst (regs (f 1) 0) = 1 -> fst (regs (f 1) 1) = 7.
Proof.
  intros beh at_end seen.
  pose proof (transfer passing_kernel passing_ok M f passing_meets eq_refl (example_bounded _ _ _ _ _ _)
                ltac:(vm_compute; reflexivity) beh) as ok.
  unfold passing_ok in ok. rewrite at_end, seen in ok. simpl in ok. apply Nat.eqb_eq. apply ok.
  intros pcs pcs' rs rs' same_pc same_reg. rewrite same_pc, !same_reg. reflexivity.
Qed.

(** ** Context switch *)
(** CPU 0 saves the context of a virtual CPU and marks it inactive; CPU 1 restores it if it sees that. *)
Definition context := Const 0.
Definition state := Const 1.
Definition inactive := Const 2.

Definition switch : list (list instr) :=
  [ [str context (Const 5); stlr state inactive [context]];
    [ldar 0 state (Bin Eq (Reg 0) inactive) [context]; Branch (Bin Sub (Const 1) (Bin Eq (Reg 0) inactive)) 4;
     ldr 1 context; str context (Bin Add (Reg 1) (Const 1))] ].
Definition switch_kernel : kernel := example_kernel switch (Nat.eqb 1) no_entry no_entry (only_owner 0 [0]) nobody.

Theorem switch_meets : wdrf_isolated switch_kernel.
Proof. apply example_wdrf; [apply only_owner_exclusive|..]; vm_compute; reflexivity. Qed.

Definition switch_ok (pcs : tid -> nat) (rs : tid -> reg -> val) : bool :=
  negb ((3 <=? pcs 1) && (rs 1 0 =? 2)) || (rs 1 1 =? 5).

(** The restored context is the saved one. *)
Theorem switch_correct M f : behaviour switch_kernel M f -> 3 <= pc (f 1) -> fst (regs (f 1) 0) = 2 -> fst (regs (f 1) 1) = 5.
Proof.
  intros beh at_end seen.
  pose proof (transfer switch_kernel switch_ok M f switch_meets eq_refl (example_bounded _ _ _ _ _ _)
                ltac:(vm_compute; reflexivity) beh) as ok.
  unfold switch_ok in ok. apply Nat.leb_le in at_end. rewrite at_end, seen in ok. simpl in ok. apply Nat.eqb_eq. apply ok.
  intros pcs pcs' rs rs' same_pc same_reg. rewrite same_pc, !same_reg. reflexivity.
Qed.

(** ** Registration of virtual machines under a ticket lock *)
(** Take a ticket; if it is one's turn, read the next id and store its successor; pass the lock on. *)
Definition ticket := Const 10.
Definition now := Const 11.
Definition next_id := Const 20.
Definition my_turn := Bin Eq (Reg 1) (Reg 0).

Definition register : list instr :=
  [ Rmw Add 0 ticket (Const 1) (Const 0) [] [];
    ldar 1 now my_turn [next_id];
    Branch (Bin Sub (Const 1) my_turn) 6;
    ldr 2 next_id;
    str next_id (Bin Add (Reg 2) (Const 1));
    stlr now (Bin Add (Reg 0) (Const 1)) [next_id] ].

Definition lock_word (a : addr) : bool := (a =? 10) || (a =? 11).
Definition register_kernel : kernel :=
  example_kernel [register; register] lock_word no_entry no_entry nobody (guards 11 [20]).

Theorem register_meets : wdrf_isolated register_kernel.
Proof. apply example_wdrf; [apply guards_exclusive|..]; vm_compute; reflexivity. Qed.

Definition distinct_ids (pcs : tid -> nat) (rs : tid -> reg -> val) : bool :=
  negb ((4 <=? pcs 0) && (4 <=? pcs 1) && (rs 0 0 =? rs 0 1) && (rs 1 0 =? rs 1 1)) || negb (rs 0 2 =? rs 1 2).

(** Two CPUs that both got the lock registered different ids. *)
Theorem register_correct M f : behaviour register_kernel M f ->
  4 <= pc (f 0) -> 4 <= pc (f 1) ->
  fst (regs (f 0) 0) = fst (regs (f 0) 1) -> fst (regs (f 1) 0) = fst (regs (f 1) 1) ->
  fst (regs (f 0) 2) <> fst (regs (f 1) 2).
Proof.
  intros beh in0 in1 turn0 turn1 clash.
  pose proof (transfer register_kernel distinct_ids M f register_meets eq_refl (example_bounded _ _ _ _ _ _)
                ltac:(vm_compute; reflexivity) beh) as ok.
  unfold distinct_ids in ok. apply Nat.leb_le in in0, in1.
  rewrite in0, in1, turn0, turn1, clash, !Nat.eqb_refl in ok. simpl in ok.
  enough (bad : false = true) by discriminate bad. apply ok.
  intros pcs pcs' rs rs' same_pc same_reg. rewrite !same_pc, !same_reg. reflexivity.
Qed.

(** ** A mapping that is set once *)
(** CPU 0 sets an entry of the kernel's page table and publishes it; the others translate with it from then on, without
    a lock, and pass the news on. *)
Definition entry := Const 3.
Definition mapping : list (list instr) :=
  [ [str entry (Const 9); stlr flag (Const 1) []; ldr 1 entry];
    [ldar 0 flag (Const 0) []; Branch (Bin Eq (Reg 0) (Const 0)) 4; ldr 1 entry; stlr (Const 2) (Const 1) []];
    [ldar 0 (Const 2) (Const 0) []; Branch (Bin Eq (Reg 0) (Const 0)) 3; ldr 1 entry] ].
Definition flag_word (a : addr) : bool := (a =? 1) || (a =? 2).
Definition mapping_kernel : kernel :=
  example_kernel mapping flag_word (Nat.eqb 3) no_entry (only_owner 0 [3]) nobody.

Theorem mapping_meets : wdrf_isolated mapping_kernel.
Proof. apply example_wdrf; [apply only_owner_exclusive|..]; vm_compute; reflexivity. Qed.

Definition mapping_ok (pcs : tid -> nat) (rs : tid -> reg -> val) : bool :=
  negb ((pcs 2 =? 3) && (rs 2 0 =? 1)) || (rs 2 1 =? 9).

(** Whoever has the news translates with the entry. *)
Theorem mapping_correct M f : behaviour mapping_kernel M f -> pc (f 2) = 3 -> fst (regs (f 2) 0) = 1 -> fst (regs (f 2) 1) = 9.
Proof.
  intros beh at_end seen.
  pose proof (transfer mapping_kernel mapping_ok M f mapping_meets eq_refl (example_bounded _ _ _ _ _ _)
                ltac:(vm_compute; reflexivity) beh) as ok.
  unfold mapping_ok in ok. rewrite at_end, seen in ok. simpl in ok. apply Nat.eqb_eq. apply ok.
  intros pcs pcs' rs rs' same_pc same_reg. rewrite same_pc, !same_reg. reflexivity.
Qed.
