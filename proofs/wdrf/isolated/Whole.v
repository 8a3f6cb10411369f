(* SPDX-License-Identifier: Apache-2.0 *)
(** The replay applied to whole executions of a kernel, possibly beside messages of an environment that stays in user
    memory: the SC execution, the typing of the kernel's stores, and the uniqueness of stores to write-once entries.
    Rests on [Order]; used by the isolated and by the full theorem. *)
From Coq Require Import List Arith Lia Bool.
From SeKVM.wdrf Require Import Tactics.
From SeKVM.wdrf.isolated Require Import Base SC DRF Promising Thread Latest Invariant Access Replay Schedule Tail Order.
Import ListNotations.

Section Whole.
Variable K : kernel.
Variable M : memory.
Variable f : tid -> thread.
Hypothesis wfK : well_formed K.
Hypothesis safe : sc_safe K.
Hypothesis running : kernel_run K M f.

Lemma events_exist : exists rest, remaining K M f (fun _ => thread_initial) rest.
Proof.
  destruct running as [runs idle _].
  assert (upto : forall n, n <= cpus K -> exists rest, forall i, i < n -> run K M i thread_initial (rest i) (f i)).
  { induction n as [|n IH]; intros le; [exists (fun _ => []); intros i lt; lia|].
    destruct IH as [rest all]; [lia|]. destruct (runs n) as [es r]; [lia|]. exists (upd rest n es). intros i lt.
    who i n; [exact r|apply all; lia]. }
  destruct (upto (cpus K) (le_n _)) as [rest all]. exists (fun i => if i <? cpus K then rest i else []). intros i.
  destruct (Nat.ltb_spec i (cpus K)) as [lt|ge]; [apply all; exact lt|]. rewrite idle by exact ge. constructor.
Qed.

Lemma initial_inv t : inv K M true t (fun _ => thread_initial) (sc_initial K) (ghost_initial K).
Proof.
  constructor; [constructor|reflexivity|]. constructor; simpl.
  - intros i. apply thread_initial_wf.
  - reflexivity.
  - intros a _ _. unfold mem_at. rewrite latest_initial. split; [reflexivity|discriminate].
  - intros i a _ _ _ j _. simpl. lia.
  - intros _ l a _ _ _ _ j. lia.
  - intros i l _. lia.
  - apply (wf_exclusive K wfK).
  - intros a _. rewrite latest_initial. split; [intros [bad|es]; [lia|exact es]|auto].
  - intros a. auto.
  - intros a ts m _ _ (_ & _ & done). discriminate.
  - intros i a _ _ _. rewrite latest_initial. lia.
  - intros _ l a _ _ _ _. rewrite latest_initial. lia.
Qed.

Lemma initial_paced t rest : paced K M t 0 (fun _ => thread_initial) rest.
Proof. split; [intros l _; rewrite latest_initial; lia|intros i; left; lia]. Qed.

Lemma no_offence_initially ts j a rest : env_isolated K M ts -> remaining K M f (fun _ => thread_initial) rest ->
  offending K M (fun _ => thread_initial) rest ts j a -> False.
Proof.
  intros iso rem. exact (no_offence_all K M wfK safe f (kr_complete _ _ _ running) ts iso _ _ _ rest 0 j a
                           (initial_inv ts) rem (initial_paced ts rest)).
Qed.

(** A store of the kernel to its data is well typed, if the environment is isolated up to it. *)
Lemma kernel_stores_typed ts m : env_isolated K M ts -> msg_at M ts = Some m -> mtid m < cpus K ->
  class_of K (mloc m) = Data -> well_typed K (mloc m) (mval m) = true.
Proof.
  intros iso found lt da. destruct (well_typed K (mloc m) (mval m)) eqn:typed; [reflexivity|exfalso].
  destruct events_exist as [rest rem].
  assert (same : msg_at M ts = Some (Message (mtid m) (mloc m) (mval m))) by (rewrite found; destruct m; reflexivity).
  apply (no_offence_initially ts (mtid m) (mloc m) rest iso rem).
  split; [split; [exact lt|congruence]|]. split; [split; [eauto|reflexivity]|].
  right; right; left. split; [exact da|]. eauto.
Qed.

Section Isolated.
Hypothesis iso : env_isolated K M (S (length M)).

Lemma whole_replay : exists x s g, (forall i, x i = f i) /\ inv K M true (S (length M)) x s g.
Proof.
  destruct events_exist as [rest rem].
  destruct (replay_all K M wfK safe f (kr_complete _ _ _ running) iso _ _ _ _ rest 0 (le_n _) (initial_inv _) rem
              (initial_paced _ _)) as (x & s & g & same & I).
  exists x, s, g. auto.
Qed.

(** In the end every message of kernel memory has been executed. *)
Lemma all_executed x a ts m : (forall i, x i = f i) -> class_of K a <> User -> msg_at M ts = Some m -> mloc m = a ->
  executed M x a ts m.
Proof.
  intros same nu found here. repeat split; [exact found|exact here|]. rewrite same.
  assert (lt : mtid m < cpus K).
  { destruct (le_lt_dec (cpus K) (mtid m)) as [out|]; [exfalso|assumption]. apply nu. rewrite <- here.
    apply msg_at_bound in found as inside. apply (iso ts); [lia|exact found|exact out]. }
  exact (kr_complete _ _ _ running (mtid m) lt ts m found eq_refl).
Qed.

Lemma last_write_latest x a : (forall i, x i = f i) -> class_of K a <> User -> last_write M a (length M) = latest M x a.
Proof.
  intros same nu. unfold latest. generalize (length M) as n. induction n as [|n IH]; [reflexivity|].
  cbn [last_write latest_below]. destruct (msg_at M (S n)) as [m|] eqn:found; [|exact IH].
  destruct (Nat.eqb_spec (mloc m) a) as [here|]; [|exact IH].
  destruct (all_executed x a (S n) m same nu found here) as (_ & _ & ->). reflexivity.
Qed.

Lemma whole_sc : exists s g, sc_reach K s g /\
  same_outcome K M f (fun a => class_of K a <> User) (sc_pc s) (sc_reg s) (sc_mem s).
Proof.
  destruct whole_replay as (x & s & g & same & [reach pcs c]). exists s, g. split; [exact reach|]. constructor.
  - intros i. rewrite pcs, same. reflexivity.
  - intros i r. rewrite <- same. apply (c_reg _ _ _ _ _ _ _ _ c).
    pose proof (tw_regs _ _ _ (c_wf _ _ _ _ _ _ _ _ c i) r). pose proof (tw_vro _ _ _ (c_wf _ _ _ _ _ _ _ _ c i)). lia.
  - intros a nu. destruct (c_mem _ _ _ _ _ _ _ _ c a nu (or_intror eq_refl)) as [z w].
    unfold final_value. rewrite (last_write_latest x a same nu).
    destruct (latest_spec M x a) as [at0|[m ex]]; [left; auto|right].
    pose proof ex as (found & here & _). exists m. split; [exact found|]. split; [exact here|]. symmetry. apply w; [exact found|].
    destruct (latest_fwd M x a m (c_wf _ _ _ _ _ _ _ _ c) ex) as (_ & below & _). apply msg_at_bound in found. lia.
Qed.

(** A write-once entry is written once, and not at all if it was set before the start. *)
Lemma whole_once a ts ts' m m' : class_of K a = Data -> write_once K a = true ->
  msg_at M ts = Some m -> mloc m = a -> msg_at M ts' = Some m' -> mloc m' = a -> ts = ts' /\ established K a = false.
Proof.
  intros da once found here found' here'. destruct whole_replay as (x & s & g & same & [_ _ c]).
  assert (nu : class_of K a <> User) by congruence.
  destruct (c_once _ _ _ _ _ _ _ _ c a ts m da once (all_executed x a ts m same nu found here)) as [new ->].
  destruct (c_once _ _ _ _ _ _ _ _ c a ts' m' da once (all_executed x a ts' m' same nu found' here')) as [_ ->]. auto.
Qed.
End Isolated.
End Whole.
