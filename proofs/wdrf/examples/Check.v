(* SPDX-License-Identifier: Apache-2.0 *)
(** Conditions decided by exploration, for kernels without loops and without user accesses: [holds] explores every SC
    execution and says that a check passes everywhere ([holds_always]); [fails] finds an execution where it does not
    ([fails_not_always]).  Used by the examples. *)
From Coq Require Import List Arith Bool Lia.
From SeKVM.wdrf.isolated Require Import Base SC DRF.
From SeKVM.wdrf.litmus Require Import ExploreSC.
Import ListNotations.

Definition check := instr -> sc_state -> tid -> ghost -> bool.

Fixpoint holds_from (K : kernel) (P : check) (fuel : nat) (s : sc_state) (g : ghost) : bool :=
  forallb (fun i =>
    match fetch K i (sc_pc s i) with
    | Some ins =>
        P ins s i g &&
        match fuel with
        | 0 => false
        | S fuel => holds_from K P fuel (sc_exec ins s i 0) (ghost_exec ins s i g)
        end
    | None => true
    end) (seq 0 (cpus K)).

Fixpoint fails_from (K : kernel) (P : check) (fuel : nat) (s : sc_state) (g : ghost) : bool :=
  existsb (fun i =>
    match fetch K i (sc_pc s i) with
    | Some ins =>
        negb (P ins s i g) ||
        match fuel with
        | 0 => false
        | S fuel => fails_from K P fuel (sc_exec ins s i 0) (ghost_exec ins s i g)
        end
    | None => false
    end) (seq 0 (cpus K)).

Definition holds (K : kernel) (P : check) : bool := holds_from K P (size K) (sc_initial K) (ghost_initial K).
Definition fails (K : kernel) (P : check) : bool := fails_from K P (size K) (sc_initial K) (ghost_initial K).

(** Executions from a state onwards, oracles being 0. *)
Inductive onward (K : kernel) : sc_state -> ghost -> sc_state -> ghost -> Prop :=
| onward_nil : forall s g, onward K s g s g
| onward_cons : forall s g i ins s' g',
    fetch K i (sc_pc s i) = Some ins -> onward K (sc_exec ins s i 0) (ghost_exec ins s i g) s' g' -> onward K s g s' g'.

Lemma onward_snoc K s g s' g' i ins : onward K s g s' g' -> fetch K i (sc_pc s' i) = Some ins ->
  onward K s g (sc_exec ins s' i 0) (ghost_exec ins s' i g').
Proof. induction 1; intros found; econstructor; eauto using onward_nil. Qed.

Lemma reach_onward K s g : simple K = true -> bounded K -> sc_reach K s g ->
  onward K (sc_initial K) (ghost_initial K) s g.
Proof.
  intros good few. induction 1 as [|s g i ins o reach IH found]; [constructor|].
  rewrite (sc_exec_oracle (sc_pc s i)) by eauto using simple_fetch. apply onward_snoc; assumption.
Qed.

Lemma holds_onward K P : bounded K -> forall s g s' g', onward K s g s' g' -> forall fuel, holds_from K P fuel s g = true ->
  forall i ins, fetch K i (sc_pc s' i) = Some ins -> P ins s' i g' = true.
Proof.
  intros few. induction 1 as [s g|s g j ins s' g' found path IH]; intros fuel all i ins' found'.
  - destruct fuel as [|fuel]; cbn [holds_from] in all; rewrite forallb_forall in all;
      (assert (cpu : In i (seq 0 (cpus K))) by (apply in_seq; pose proof (fetch_cpu _ _ _ _ few found'); lia));
      specialize (all i cpu); rewrite found' in all; apply andb_prop in all as [here _]; exact here.
  - destruct fuel as [|fuel]; cbn [holds_from] in all; rewrite forallb_forall in all;
      (assert (cpu : In j (seq 0 (cpus K))) by (apply in_seq; pose proof (fetch_cpu _ _ _ _ few found); lia));
      specialize (all j cpu); rewrite found in all; apply andb_prop in all as [_ later]; [discriminate|].
    eapply IH; eassumption.
Qed.

Theorem holds_always K P : simple K = true -> bounded K -> holds K P = true -> always K P.
Proof.
  intros good few all s g i ins reach found. eapply (holds_onward K P few); [|exact all|exact found].
  apply reach_onward; assumption.
Qed.

Lemma fails_reach K P fuel : forall s g, sc_reach K s g -> fails_from K P fuel s g = true -> ~ always K P.
Proof.
  induction fuel as [|fuel IH]; intros s g reach found all; cbn [fails_from] in found;
    apply existsb_exists in found as (i & _ & found); destruct (fetch K i (sc_pc s i)) as [ins|] eqn:fetched;
    try discriminate; pose proof (all s g i ins reach fetched) as fine; rewrite fine in found; simpl in found; try discriminate.
  eapply IH; [|exact found|exact all]. apply reach_step; assumption.
Qed.

Theorem fails_not_always K P : fails K P = true -> ~ always K P.
Proof. apply fails_reach. constructor. Qed.

(** A property of all states that are reachable on SC. *)
Fixpoint states_from (K : kernel) (Q : sc_state -> bool) (fuel : nat) (s : sc_state) : bool :=
  Q s &&
  forallb (fun i =>
    match fetch K i (sc_pc s i) with
    | Some ins => match fuel with 0 => false | S fuel => states_from K Q fuel (sc_exec ins s i 0) end
    | None => true
    end) (seq 0 (cpus K)).

Definition everywhere (K : kernel) (Q : sc_state -> bool) : bool := states_from K Q (size K) (sc_initial K).

Lemma states_onward K Q : bounded K -> forall s g s' g', onward K s g s' g' -> forall fuel, states_from K Q fuel s = true ->
  Q s' = true.
Proof.
  intros few. induction 1 as [s g|s g j ins s' g' found path IH]; intros fuel all.
  - destruct fuel as [|fuel]; cbn [states_from] in all; apply andb_prop in all as [here _]; exact here.
  - assert (cpu : In j (seq 0 (cpus K))) by (apply in_seq; pose proof (fetch_cpu _ _ _ _ few found); lia).
    destruct fuel as [|fuel]; cbn [states_from] in all; apply andb_prop in all as [_ all]; rewrite forallb_forall in all;
      specialize (all j cpu); rewrite found in all; [discriminate|].
    eapply IH. exact all.
Qed.

Theorem everywhere_reach K Q : simple K = true -> bounded K -> everywhere K Q = true ->
  forall s g, sc_reach K s g -> Q s = true.
Proof.
  intros good few all s g reach. eapply (states_onward K Q few); [apply reach_onward; eassumption|exact all].
Qed.

(** A list of threads as a program. *)
Definition program_of (threads : list (list instr)) (i : tid) : list instr := nth i threads [].

Lemma program_of_end threads i : length threads <= i -> program_of threads i = [].
Proof. intros out. apply nth_overflow. exact out. Qed.
