(* SPDX-License-Identifier: Apache-2.0 *)
(** Litmus tests by computation on the SC machine: [can_sc] decides whether an outcome is possible when every thread has
    run to its end, and is proved to mean just that for programs without user accesses.  Rests on [SC]; used by [Litmus]. *)
From Coq Require Import List Arith Bool Lia.
From SeKVM.wdrf.isolated Require Import Base SC.
Import ListNotations.

(** ** Outcomes *)
(** What a litmus test asks: values of registers and of memory at the end. *)
Record query := Query { q_regs : list (tid * reg * val); q_mem : list (addr * val) }.

Definition meets (q : query) (regs : tid -> reg -> val) (mem : addr -> val) : bool :=
  forallb (fun '(i, r, v) => regs i r =? v) (q_regs q) && forallb (fun '(a, v) => mem a =? v) (q_mem q).

Lemma meets_ext q regs regs' mem mem' :
  (forall i r v, In (i, r, v) (q_regs q) -> regs i r = regs' i r) -> (forall a, mem a = mem' a) ->
  meets q regs mem = meets q regs' mem'.
Proof.
  intros same_regs same_mem. unfold meets. f_equal.
  - induction (q_regs q) as [|[[i r] v] l IH]; simpl; [reflexivity|].
    rewrite (same_regs i r v) by (left; reflexivity). f_equal. apply IH. intros j s w inside.
    apply (same_regs j s w). right. exact inside.
  - induction (q_mem q) as [|[a v] l IH]; simpl; [reflexivity|]. rewrite same_mem. f_equal. apply IH.
Qed.

(** ** Programs that can be explored *)
(** Branches go forward, and nothing touches user memory: every thread ends after as many steps as it has instructions,
    and no step depends on an oracle. *)
Definition simple_instr (pc : nat) (ins : instr) : bool :=
  match ins with
  | Branch _ t => pc <? t
  | Load k _ _ _ _ | Store k _ _ _ => negb (kind_eqb k ToUser)
  | _ => true
  end.

Fixpoint simple_from (pc : nat) (l : list instr) : bool :=
  match l with [] => true | ins :: l => simple_instr pc ins && simple_from (S pc) l end.

Definition simple (K : kernel) : bool := forallb (fun i => simple_from 0 (program K i)) (seq 0 (cpus K)).

(** The kernel has no thread beyond its CPUs. *)
Definition bounded (K : kernel) : Prop := forall i, cpus K <= i -> program K i = [].

Lemma simple_from_nth l : forall start n ins,
  simple_from start l = true -> nth_error l n = Some ins -> simple_instr (start + n) ins = true.
Proof.
  induction l as [|first l IH]; intros start [|n] ins good found; simpl in *; try discriminate.
  - injection found as ->. apply andb_prop in good as [good _]. now rewrite Nat.add_0_r.
  - apply andb_prop in good as [_ good]. rewrite <- Nat.add_succ_comm. now apply IH.
Qed.

Lemma fetch_cpu K i pc ins : bounded K -> fetch K i pc = Some ins -> i < cpus K.
Proof.
  intros few found. destruct (Nat.lt_ge_cases i (cpus K)) as [lt|ge]; [exact lt|].
  unfold fetch in found. rewrite (few i ge) in found. now destruct pc.
Qed.

Lemma simple_fetch K i pc ins : simple K = true -> bounded K -> fetch K i pc = Some ins -> simple_instr pc ins = true.
Proof.
  intros good few found. pose proof (fetch_cpu K i pc ins few found) as cpu.
  unfold simple in good. rewrite forallb_forall in good.
  apply (simple_from_nth (program K i) 0 pc ins); [|exact found]. apply good, in_seq. lia.
Qed.

(** ** Exploration *)
Definition ended (K : kernel) (pcs : tid -> nat) : bool :=
  forallb (fun i => match fetch K i (pcs i) with None => true | Some _ => false end) (seq 0 (cpus K)).

(** Is there a way on from [s] to an end that meets [q]? *)
Fixpoint explore_sc (K : kernel) (q : query) (fuel : nat) (s : sc_state) : bool :=
  (ended K (sc_pc s) && meets q (sc_reg s) (sc_mem s)) ||
  match fuel with
  | 0 => false
  | S fuel =>
      existsb (fun i => match fetch K i (sc_pc s i) with
                        | Some ins => explore_sc K q fuel (sc_exec ins s i 0)
                        | None => false
                        end) (seq 0 (cpus K))
  end.

Definition size (K : kernel) : nat := list_sum (map (fun i => length (program K i)) (seq 0 (cpus K))).

Definition can_sc (K : kernel) (q : query) : bool := explore_sc K q (size K) (sc_initial K).

(** What [can_sc] means. *)
Definition sc_allows (K : kernel) (q : query) : Prop :=
  exists s g, sc_reach K s g /\ (forall i, fetch K i (sc_pc s i) = None) /\ meets q (sc_reg s) (sc_mem s) = true.

(** *** Soundness *)
Lemma ended_all K pcs : bounded K -> ended K pcs = true -> forall i, fetch K i (pcs i) = None.
Proof.
  intros few over i. destruct (fetch K i (pcs i)) as [ins|] eqn:found; [exfalso|reflexivity].
  unfold ended in over. rewrite forallb_forall in over.
  specialize (over i). rewrite found in over. discriminate over. apply in_seq.
  pose proof (fetch_cpu _ _ _ _ few found). lia.
Qed.

Lemma explore_sc_sound K q : bounded K -> forall fuel s g,
  sc_reach K s g -> explore_sc K q fuel s = true -> sc_allows K q.
Proof.
  intros few. induction fuel as [|fuel IH]; intros s g reach found; simpl in found;
    apply orb_prop in found as [found|found]; try discriminate.
  1, 2: apply andb_prop in found as [over met]; exists s, g; repeat split; auto using ended_all.
  apply existsb_exists in found as (i & _ & found). destruct (fetch K i (sc_pc s i)) as [ins|] eqn:fetched; [|discriminate].
  eapply IH; [eapply reach_step with (oracle := 0); eassumption | exact found].
Qed.

(** *** Completeness *)
(** Paths forward from a state, for programs that do not ask the oracle. *)
Inductive sc_path (K : kernel) : nat -> sc_state -> sc_state -> Prop :=
| path_nil : forall s, sc_path K 0 s s
| path_cons : forall n s s' i ins,
    fetch K i (sc_pc s i) = Some ins -> sc_path K n (sc_exec ins s i 0) s' -> sc_path K (S n) s s'.

Lemma path_snoc K n s s' i ins :
  sc_path K n s s' -> fetch K i (sc_pc s' i) = Some ins -> sc_path K (S n) s (sc_exec ins s' i 0).
Proof. induction 1; intros found; econstructor; eauto using path_nil. Qed.

Lemma sc_exec_oracle pc ins s i o : simple_instr pc ins = true -> sc_exec ins s i o = sc_exec ins s i 0.
Proof. destruct ins as [| | |[] |[] |]; simpl; try discriminate; reflexivity. Qed.

Lemma reach_path K s g : simple K = true -> bounded K -> sc_reach K s g -> exists n, sc_path K n (sc_initial K) s.
Proof.
  intros good few. induction 1 as [|s g i ins o reach [n path] found]; [exists 0; constructor|].
  exists (S n). rewrite (sc_exec_oracle (sc_pc s i)) by eauto using simple_fetch. now apply path_snoc.
Qed.

(** Instructions that are left. *)
Definition left_of (K : kernel) (s : sc_state) (i : tid) : nat := length (program K i) - sc_pc s i.
Definition left_all (K : kernel) (s : sc_state) : nat := list_sum (map (left_of K s) (seq 0 (cpus K))).

Lemma list_sum_lt (f g : nat -> nat) l i :
  In i l -> (forall j, g j <= f j) -> g i < f i -> list_sum (map g l) < list_sum (map f l).
Proof.
  intros inside le lt. induction l as [|j l IH]; simpl in *; [contradiction|].
  assert (rest : list_sum (map g l) <= list_sum (map f l)).
  { clear - le. induction l as [|k l IH]; simpl; [lia|]. specialize (le k). lia. }
  destruct inside as [->|inside]; [lia|]. specialize (IH inside). specialize (le j). lia.
Qed.

Lemma sc_exec_pc ins s i : simple_instr (sc_pc s i) ins = true ->
  sc_pc s i < sc_pc (sc_exec ins s i 0) i /\ (forall j, j <> i -> sc_pc (sc_exec ins s i 0) j = sc_pc s j).
Proof.
  intros good. split.
  - destruct ins; simpl; rewrite upd_same; try lia. simpl in good. apply Nat.ltb_lt in good.
    destruct (_ =? 0); lia.
  - intros j other. destruct ins; simpl; now rewrite upd_other.
Qed.

Lemma left_all_step K s i ins : simple K = true -> bounded K -> fetch K i (sc_pc s i) = Some ins ->
  left_all K (sc_exec ins s i 0) < left_all K s.
Proof.
  intros good few found. pose proof (simple_fetch _ _ _ _ good few found) as fine.
  destruct (sc_exec_pc ins s i fine) as [more same].
  assert (inside : sc_pc s i < length (program K i)).
  { unfold fetch in found. apply nth_error_Some. congruence. }
  apply (list_sum_lt _ _ _ i).
  - apply in_seq. pose proof (fetch_cpu _ _ _ _ few found). lia.
  - intros j. unfold left_of. destruct (Nat.eq_dec j i) as [->|other]; [lia|]. rewrite (same j other). lia.
  - unfold left_of. lia.
Qed.

Lemma path_length K n s s' : simple K = true -> bounded K -> sc_path K n s s' -> n <= left_all K s.
Proof.
  intros good few. induction 1 as [|n s s' i ins found path IH]; [lia|].
  pose proof (left_all_step K s i ins good few found). lia.
Qed.

Lemma explore_sc_complete K q : bounded K -> forall n s s', sc_path K n s s' -> forall fuel, n <= fuel ->
  (forall i, fetch K i (sc_pc s' i) = None) -> meets q (sc_reg s') (sc_mem s') = true -> explore_sc K q fuel s = true.
Proof.
  intros few. induction 1 as [s|n s s' i ins found path IH]; intros fuel enough over met.
  - assert (here : ended K (sc_pc s) = true).
    { apply forallb_forall. intros i _. now rewrite over. }
    destruct fuel; simpl; now rewrite here, met.
  - destruct fuel as [|fuel]; [lia|]. simpl. apply orb_true_iff. right. apply existsb_exists. exists i. split.
    + apply in_seq. pose proof (fetch_cpu _ _ _ _ few found). lia.
    + rewrite found. apply IH; auto. lia.
Qed.

Theorem can_sc_correct K q : simple K = true -> bounded K -> (can_sc K q = true <-> sc_allows K q).
Proof.
  intros good few. split.
  - apply explore_sc_sound with (g := ghost_initial K); [exact few | constructor].
  - intros (s & g & reach & over & met). destruct (reach_path K s g good few reach) as [n path].
    eapply explore_sc_complete; try eassumption. pose proof (path_length _ _ _ _ good few path) as short.
    unfold left_all in short. unfold size.
    erewrite map_ext; [exact short|]. intros i. unfold left_of. simpl. now rewrite Nat.sub_0_r.
Qed.
