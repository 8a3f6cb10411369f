(* SPDX-License-Identifier: Apache-2.0 *)
(** Vocabulary of the schedule by which a relaxed execution is replayed on SC, and the central notion of an offending
    message: one whose writer would, when the replay reaches it, break a condition on SC.  A read that does not read the
    latest executed message points to an offending message ([good_or_offending]).  Used by [Order]. *)
From Coq Require Import List Arith Lia Bool.
From SeKVM.wdrf Require Import Tactics.
From SeKVM.wdrf.isolated Require Import Base SC DRF Promising Thread Latest Invariant Access Replay.
Import ListNotations.

Section Schedule.
Variable K : kernel.
Variable M : memory.
Hypothesis wfK : well_formed K.
Hypothesis safe : sc_safe K.
(** The end of the execution. *)
Variable f : tid -> thread.
Hypothesis finished : forall i, i < cpus K -> complete M i (f i).

(** What remains to be replayed. *)
Definition remaining (x : cfg) (rest : tid -> list event) : Prop := forall i, run K M i (x i) (rest i) (f i).

(** Messages of the environment before [t] are in user memory. *)
Definition env_isolated (t : view) : Prop :=
  forall ts m, ts < t -> msg_at M ts = Some m -> cpus K <= mtid m -> class_of K (mloc m) = User.

Lemma env_isolated_le t t' : env_isolated t -> t' <= t -> env_isolated t'.
Proof. intros iso le ts m lt. apply iso. lia. Qed.

Lemma remaining_pop x rest i e es : remaining x rest -> rest i = e :: es ->
  exists st, step K M i (x i) e st /\ run K M i st es (f i).
Proof. intros rem eq. specialize (rem i). rewrite eq in rem. inversion rem; subst. eauto. Qed.

Lemma remaining_upd x rest i st es : remaining x rest -> run K M i st es (f i) ->
  remaining (upd x i st) (upd rest i es).
Proof. intros rem r j. who j i; [exact r|apply rem]. Qed.

Lemma step_fetches i st e st' : step K M i st e st' -> exists ins, fetch K i (pc st) = Some ins.
Proof. intros stp. step_cases stp; eauto. Qed.

Lemma remaining_kernel x rest i e es : remaining x rest -> rest i = e :: es -> i < cpus K.
Proof.
  intros rem eq. destruct (le_lt_dec (cpus K) i) as [out|]; [exfalso|assumption].
  destruct (remaining_pop x rest i e es rem eq) as (st & stp & _). apply step_fetches in stp as [ins fetched].
  unfold fetch in fetched. rewrite (wf_cpus K wfK i out) in fetched. destruct (pc (x i)); discriminate.
Qed.

Lemma remaining_kernel_nil x rest i : remaining x rest -> cpus K <= i -> rest i = [].
Proof.
  intros rem out. destruct (rest i) as [|e es] eqn:eq; [reflexivity|].
  pose proof (remaining_kernel x rest i e es rem eq). lia.
Qed.

Lemma remaining_nil_complete x rest j ts a : remaining x rest -> rest j = [] -> j < cpus K -> pending M j (x j) ts a -> False.
Proof.
  intros rem eq lt [[v found] fresh]. specialize (rem j). rewrite eq in rem. inversion rem; subst.
  pose proof (finished j lt ts _ found eq_refl). congruence.
Qed.

Lemma executed_grows x y a ts m : grows x y -> executed M x a ts m -> executed M y a ts m.
Proof. intros gr (found & here & done). repeat split; try assumption. apply (le_fulfilled _ _ (gr (mtid m))). exact done. Qed.

Lemma latest_grows x y a : grows x y -> latest M x a <= latest M y a.
Proof.
  intros gr. destruct (latest_spec M x a) as [->|[m ex]]; [lia|]. apply (latest_max M y a _ m).
  eapply executed_grows; eassumption.
Qed.

(** ** Offending messages *)
Definition offending (x : cfg) (rest : tid -> list event) (ts : view) (j : tid) (a : addr) : Prop :=
  (j < cpus K /\ class_of K a <> User) /\ pending M j (x j) ts a /\
  ((* an ordinary store to a synchronisation location *)
   (class_of K a = Sync /\ plain_write (rest j) a ts) \/
   (* a store to data that another thread has already passed *)
   (class_of K a = Data /\ exists i, i <> j /\ ts <= coh (x i) a) \/
   (* an ill-typed store *)
   (class_of K a = Data /\ exists v, msg_at M ts = Some (Message j a v) /\ well_typed K a v = false) \/
   (* a second store to a write-once entry *)
   (class_of K a = Data /\ write_once K a = true /\ (latest M x a <> 0 \/ established K a = true))).

Lemma offending_step x rest ts j a i e es st :
  remaining x rest -> rest i = e :: es -> step K M i (x i) e st -> offending x rest ts j a ->
  (i = j -> writes e <> Some (a, ts)) -> offending (upd x i st) (upd rest i es) ts j a.
Proof.
  intros rem eq stp (kern & pend & why) not_now.
  assert (gr : grows x (upd x i st)) by (apply upd_grows; eapply step_le; exact stp).
  split; [exact kern|]. split.
  - destruct (Nat.eq_dec j i) as [->|ne]; [rewrite upd_same|rewrite upd_other by exact ne; exact pend].
    destruct (step_pending _ _ _ _ _ _ _ _ stp pend) as [still|now]; [exact still|].
    exfalso. exact (not_now eq_refl now).
  - destruct why as [[sy pw]|[[da (k & nk & le)]|[ill|[da [once set]]]]].
    + left. split; [exact sy|]. destruct (Nat.eq_dec j i) as [->|ne]; [rewrite upd_same|rewrite upd_other by exact ne; exact pw].
      rewrite eq in pw. destruct pw as (k & av & nk & [now|later]); [|exists k, av; auto].
      exfalso. apply (not_now eq_refl). rewrite now. reflexivity.
    + right; left. split; [exact da|]. exists k. split; [exact nk|]. pose proof (le_coh _ _ (gr k) a). lia.
    + right; right; left. exact ill.
    + right; right; right. split; [exact da|]. split; [exact once|]. destruct set as [set|set]; [left|right; exact set].
      pose proof (latest_grows x _ a gr). lia.
Qed.

(** Writing an offending message breaks a condition on SC. *)
Lemma offending_hit sy t x s g rest ts j a e es st :
  inv K M sy t x s g -> rest j = e :: es -> step K M j (x j) e st -> run K M j st es (f j) ->
  offending x rest ts j a -> ts <= t -> writes e = Some (a, ts) -> False.
Proof.
  intros I eq stp r ([_ nu] & pend & why) le W.
  destruct (step_write_bound _ _ _ _ _ _ _ _ stp W) as (b1 & b2 & b3 & b4 & _ & done & _).
  assert (lt : ctrl e < t) by lia.
  pose proof (classify K M safe _ _ _ _ _ _ _ _ I stp lt) as cl.
  assert (not_plain : class_of K a = Sync -> (forall k av, e = Write k a av ts -> k = Ordered) -> False).
  { intros sa ord. destruct why as [[_ (k & av & nk & within)]|[[da _]|[[da _]|[da _]]]]; try congruence.
    rewrite eq in within. destruct within as [now|later]; [apply nk; eapply ord; exact now|].
    pose proof (plain_write_pending _ _ _ _ _ _ ts a r) as fresh. rewrite fresh in done; [discriminate|].
    exists k, av. auto. }
  destruct e as [| |k b av n|b av tr post tw]; simpl in W; try discriminate; injection W as -> ->; simpl in cl.
  - destruct k; [|apply not_plain; [exact cl|intros k av' eq'; congruence]|contradiction].
    destruct cl as (da & own & un). destruct why as [[sa _]|[[_ (i & ni & lec)]|[[_ (v & found & ill)]|[_ [once set]]]]].
    + congruence.
    + destruct (c_own _ _ _ _ _ _ _ _ (i_core _ _ _ _ _ _ _ I) j a da un own i ni). lia.
    + inversion stp as [| | | |k' ea ed qs a' av' d dv ts' fetched address datum writable e1 e2|]; subst.
      destruct (plain_write_allowed K M safe _ _ _ _ _ _ _ _ _ _ _ I fetched address lt) as (_ & _ & typed).
      destruct writable as (found' & _ & _ & pre). rewrite found in found'. injection found' as <-.
      apply pre_write_lt in pre as (_ & dlt & _).
      rewrite (core_eval K M _ _ _ _ _ _ _ _ _ _ (i_core _ _ _ _ _ _ _ I) datum) in typed by lia. congruence.
    + apply (c_written _ _ _ _ _ _ _ _ (i_core _ _ _ _ _ _ _ I) a da) in set.
      unfold settled in un. rewrite once, set in un. discriminate.
  - apply not_plain; [exact cl|]. intros k av' eq'. discriminate.
Qed.

(** ** Reads *)
(** A read that is allowed on SC does not miss an executed message. *)
Lemma read_not_older x i k a av ts v :
  can_read K M (x i) k a av ts v -> latest M x a <= max (coh (x i) a) (pre_read (x i) k av) -> latest M x a <= ts.
Proof.
  intros [_ none] le. destruct (le_lt_dec (latest M x a) ts) as [|lt]; [assumption|exfalso].
  destruct (latest_spec M x a) as [z|(m & found & here & _)]; [lia|]. exact (none _ m lt le found here).
Qed.

(** What it reads otherwise is a message that is still pending. *)
Lemma read_pending x i a ts v : thread_wf M i (x i) -> value_at K M a ts v -> latest M x a < ts ->
  source_view (x i) a ts = ts /\
  exists m, msg_at M ts = Some m /\ mloc m = a /\ pending M (mtid m) (x (mtid m)) ts a.
Proof.
  intros wf value lt. destruct value as [[z _]|(m & found & here & _)]; [lia|].
  assert (fresh : fulfilled (x (mtid m)) ts = false).
  { destruct (fulfilled (x (mtid m)) ts) eqn:done; [|reflexivity].
    assert (ex : executed M x a ts m) by (repeat split; assumption). apply latest_max in ex. lia. }
  split.
  - unfold source_view. destruct (Nat.eqb_spec (fst (fwd (x i) a)) ts) as [own|]; [|reflexivity].
    destruct (tw_fwd _ _ _ wf a) as [none|(_ & _ & done & w & mine)].
    + rewrite none in own. simpl in own. lia.
    + rewrite own in done, mine. rewrite found in mine. injection mine as ->. simpl in fresh. congruence.
  - exists m. split; [exact found|]. split; [exact here|]. split; [|exact fresh].
    exists (mval m). rewrite found, <- here. destruct m. reflexivity.
Qed.

Lemma bad_read_offending sy t x s g rest i a av ts post es st :
  inv K M sy t x s g -> remaining x rest -> rest i = Read Plain a av ts post :: es ->
  step K M i (x i) (Read Plain a av ts post) st -> run K M i st es (f i) ->
  class_of K a = Data -> may_read K g i a = true -> ts <> latest M x a -> env_isolated (S post) ->
  ts <= post /\ exists j, offending (upd x i st) (upd rest i es) ts j a.
Proof.
  intros I rem eq stp r da may ne iso.
  pose proof (i_core _ _ _ _ _ _ _ I) as c. pose proof (c_wf _ _ _ _ _ _ _ _ c i) as wf.
  pose proof (may_read_latest K M _ _ _ _ _ _ _ _ c da may) as lb.
  inversion stp as [| | |k' reg ea c' ps a' av' ts' v fetched address readable e1 e2| |]; subst k' a' av' ts' post st.
  set (st := at_pc (do_read (x i) Plain reg a av ts v) (S (pc (x i)))) in *.
  assert (gr : grows x (upd x i st)) by (apply upd_grows; eapply step_le; exact stp).
  assert (pend' : forall j, pending M j (x j) ts a -> pending M j (upd x i st j) ts a).
  { intros j pend. destruct (Nat.eq_dec j i) as [->|nj]; [rewrite upd_same|rewrite upd_other by exact nj; exact pend].
    destruct (step_pending _ _ _ _ _ _ _ _ stp pend) as [still|now]; [exact still|discriminate]. }
  pose proof (remaining_kernel _ _ _ _ _ rem eq) as li.
  assert (older : latest M x a <= ts).
  { eapply read_not_older; [exact readable|]. pose proof (pre_read_ge (x i) Plain av) as (_ & ge & _). lia. }
  destruct (read_pending x i a ts v wf (proj1 readable)) as (src & m & found & here & pend); [lia|].
  pose proof (post_read_ge (x i) Plain a av ts) as [_ le]. rewrite src in le.
  split; [exact le|]. exists (mtid m).
  assert (lj : mtid m < cpus K).
  { destruct (le_lt_dec (cpus K) (mtid m)) as [out|]; [exfalso|assumption].
    assert (ua : class_of K (mloc m) = User) by (apply (iso ts); [lia|exact found|exact out]). congruence. }
  split; [split; [exact lj|congruence]|]. split; [apply pend'; exact pend|].
  unfold may_read in may. destruct (settled K g a) eqn:se.
  - apply settled_spec in se as [once set]. apply (c_written _ _ _ _ _ _ _ _ c a da) in set.
    right; right; right. split; [exact da|]. split; [exact once|]. destruct set as [set|set]; [left|right; exact set].
    pose proof (latest_grows x _ a gr). lia.
  - right; left. split; [exact da|].
    assert (seen : ts <= coh (upd x i st i) a).
    { rewrite upd_same. unfold st. simpl. rewrite upd_same. lia. }
    exists i. split; [|exact seen]. intros same.
    assert (pend1 : pending M i st ts a).
    { rewrite <- same in pend. apply pend' in pend. rewrite upd_same in pend. exact pend. }
    destruct (pending_later _ _ _ _ _ _ _ _ r (finished i li) pend1) as (above & _). rewrite upd_same in seen. lia.
Qed.

(** A step that is not ordered can be replayed at threshold [t], or exposes an offending message below [t]. *)
Lemma good_or_offending sy t x s g rest i e es st :
  inv K M sy t x s g -> remaining x rest -> rest i = e :: es -> step K M i (x i) e st -> run K M i st es (f i) ->
  key e = None -> ctrl e < t -> env_isolated t ->
  good_read M t x e \/
  exists ts j a s' g', ts < t /\ inv K M sy ts (upd x i st) s' g' /\ offending (upd x i st) (upd rest i es) ts j a.
Proof.
  intros I rem eq stp r nk lt iso. destruct e as [cv|k a av ts post|k a av n|a av tr post tw]; try (left; exact Logic.I).
  destruct k; try (left; exact Logic.I). simpl.
  destruct (le_lt_dec t post) as [tainted|untainted]; [left; left; exact tainted|].
  destruct (Nat.eq_dec ts (latest M x a)) as [src|ne]; [left; right; exact src|right].
  destruct (classify K M safe _ _ _ _ _ _ _ _ I stp lt) as [da may].
  destruct (bad_read_offending _ _ _ _ _ _ _ _ _ _ _ _ _ I rem eq stp r da may ne) as (le & j & off).
  { eapply env_isolated_le; [exact iso|exact untainted]. }
  assert (good : good_read M ts x (Read Plain a av ts post)) by (left; exact le).
  destruct (replay_plain K M safe sy t ts x s g i (Read Plain a av ts post) st I ltac:(lia) stp nk lt good) as (s' & g' & I').
  exists ts, j, a, s', g'. split; [lia|]. split; assumption.
Qed.
End Schedule.
