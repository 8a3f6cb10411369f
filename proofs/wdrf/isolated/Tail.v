(* SPDX-License-Identifier: Apache-2.0 *)
(** The tail of the replay: when every thread stands before an access whose place is not below [t], thread [j] alone is
    run on until it writes its offending message at [ts <= t].  Release stores may be passed on the way (ordinary stores
    overtake them), so the invariant here does not speak of the order of synchronisation locations.  Used by [Order]. *)
From Coq Require Import List Arith Lia Bool.
From SeKVM.wdrf Require Import Tactics.
From SeKVM.wdrf.isolated Require Import Base SC DRF Promising Thread Latest Invariant Access Replay Schedule.
Import ListNotations.

(** The next step, if any, is not below [t]. *)
Definition frozen (t : view) (l : list event) : Prop :=
  match l with
  | [] => True
  | e :: _ => t <= ctrl e \/ match key e with Some k => t <= k | None => False end
  end.

(** The next step is an atomic update whose read part is below [t]. *)
Definition straddles (t : view) (l : list event) : Prop :=
  match l with Update _ av _ post _ :: _ => av < t /\ post < t | _ => False end.

Lemma straddles_dec t l : {straddles t l} + {~ straddles t l}.
Proof.
  destruct l as [|[| | |a av tr post tw] l]; simpl; auto.
  destruct (lt_dec av t); [|right; tauto]. destruct (lt_dec post t); [left; auto|right; tauto].
Qed.

Definition halted (t : view) (st : thread) (l : list event) : Prop :=
  t <= vrel st \/ (frozen t l /\ ~ straddles t l).

Section Tail.
Variable K : kernel.
Variable M : memory.
Hypothesis wfK : well_formed K.
Hypothesis safe : sc_safe K.
Variable f : tid -> thread.
Hypothesis finished : forall i, i < cpus K -> complete M i (f i).

Notation offending := (offending K M).
Notation remaining := (remaining K M f).

(** Thread [j] is about to step on, with the offending message still ahead: what the step can be. *)
Lemma halted_step t i st e es st' : halted t st (e :: es) -> step K M i st e st' -> ctrl e < t ->
  vwn st' < t -> t <= vrel st' \/ key e = None /\ t <= vrel st.
Proof.
  intros halt stp lt ltw. pose proof (le_vrel _ _ (step_le _ _ _ _ _ _ stp)) as mono.
  destruct halt as [past|[fr ns]]; [left; lia|]. simpl in fr. destruct fr as [fr|fr]; [lia|].
  pose proof (step_acquire _ _ _ _ _ _ stp) as acq.
  destruct e as [cv|k a av ts post|k a av n|a av tr post tw]; simpl in fr, ns; try contradiction.
  - destruct k; simpl in fr; try contradiction. lia.
  - destruct k; simpl in fr; try contradiction. left. lia.
  - left. lia.
Qed.

Definition no_offence_in_tail (ts : view) : Prop :=
  env_isolated K M ts -> forall x s g rest t j a, ts <= t -> inv K M false ts x s g -> remaining x rest ->
  (forall i, halted t (x i) (rest i)) -> offending x rest ts j a -> False.

Lemma tail_all : forall ts, no_offence_in_tail ts.
Proof.
  induction ts as [ts IH] using lt_wf_ind. intros iso.
  enough (by_length : forall n x s g rest t j a, length (rest j) <= n -> ts <= t -> inv K M false ts x s g ->
    remaining x rest -> (forall i, halted t (x i) (rest i)) -> offending x rest ts j a -> False).
  { intros x s g rest t j a. apply (by_length (length (rest j))). lia. }
  induction n as [|n IHn]; intros x s g rest t j a len le I rem halt off;
    pose proof off as ((lj & _) & pend & _).
  - destruct (rest j) as [|e es] eqn:eq; simpl in len; [|lia].
    eapply remaining_nil_complete; eassumption.
  - destruct (rest j) as [|e es] eqn:eq; [eapply remaining_nil_complete; eassumption|]. simpl in len.
    destruct (remaining_pop K M f x rest j e es rem eq) as (st & stp & r).
    destruct (step_pending _ _ _ _ _ _ _ _ stp pend) as [pend1|now].
    2: { exact (offending_hit K M safe f _ _ _ _ _ _ _ _ _ _ _ _ I eq stp r off (le_n _) now). }
    destruct (pending_later _ _ _ _ _ _ _ _ r (finished j lj) pend1) as (_ & below_w & below_c & _).
    pose proof (step_ctrl_vcap _ _ _ _ _ _ stp) as cap.
    assert (lt : ctrl e < ts) by lia.
    assert (not_now : j = j -> writes e <> Some (a, ts)).
    { intros _ now. destruct (step_write_bound _ _ _ _ _ _ _ _ stp now) as (_ & _ & _ & _ & _ & done & _).
      destruct pend1 as [_ fresh]. congruence. }
    pose proof (offending_step K M f _ _ _ _ _ _ _ _ _ rem eq stp off not_now) as off'.
    pose proof (remaining_upd K M f _ _ _ _ _ rem r) as rem'.
    pose proof (halt j) as haltj. rewrite eq in haltj.
    pose proof (halted_step t j (x j) e es st haltj stp ltac:(lia) ltac:(lia)) as past.
    assert (halt' : forall i, halted t (upd x j st i) (upd rest j es i)).
    { intros i. destruct (Nat.eq_dec i j) as [->|ne]; [rewrite !upd_same; left|rewrite !upd_other by exact ne; apply halt].
      pose proof (le_vrel _ _ (step_le _ _ _ _ _ _ stp)). lia. }
    assert (len' : length (upd rest j es j) <= n) by (rewrite upd_same; lia).
    destruct (key e) as [q|] eqn:ke.
    + pose proof (step_acquire _ _ _ _ _ _ stp) as acq.
      destruct e as [cv|k b av u post|k b av u|b av tr post tw]; simpl in ke; try discriminate.
      * exfalso. destruct k; try discriminate. destruct haltj as [h|[h _]]; simpl in h, lt; [lia|destruct h; lia].
      * destruct k; try discriminate.
        destruct (replay_release K M safe false ts x s g j b av u st I stp lt ltac:(discriminate)) as (s' & g' & I').
        exact (IHn _ _ _ _ t j a len' le I' rem' halt' off').
      * exfalso. destruct haltj as [h|[h ns]]; simpl in h, lt; [lia|]. simpl in ns. lia.
    + destruct (good_or_offending K M wfK safe f finished _ _ _ _ _ _ _ _ _ _ I rem eq stp r ke lt iso)
        as [good|(ts' & j' & b & s' & g' & lts & I' & off1)].
      * destruct (replay_plain K M safe false ts ts x s g j e st I (le_n _) stp ke lt good) as (s' & g' & I').
        exact (IHn _ _ _ _ t j a len' le I' rem' halt' off').
      * exact (IH ts' lts (env_isolated_le K M _ _ iso (Nat.lt_le_incl _ _ lts)) _ _ _ _ t j' b ltac:(lia) I' rem' halt' off1).
Qed.
End Tail.
