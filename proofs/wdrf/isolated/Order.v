(* SPDX-License-Identifier: Apache-2.0 *)
(** The main part of the replay: accesses that are not ordered are replayed eagerly, ordered ones in the order of their
    keys (post-view of an acquire, timestamp of a release or update), writes before reads.  [progress] is one step of it;
    [no_offence] shows that no offending message exists, by strong induction on its timestamp; [replay_all] replays the
    whole execution.  Used by [Proof] and by the full development. *)
From Coq Require Import List Arith Lia Bool.
From SeKVM.wdrf Require Import Tactics.
From SeKVM.wdrf.isolated Require Import Base SC DRF Promising Thread Latest Invariant Access Replay Schedule Search Tail.
Import ListNotations.

(** Twice the key, plus one for reads: the order in which ordered accesses are replayed. *)
Definition rank (l : list event) : nat :=
  match l with
  | e :: _ =>
      match key e with
      | Some k => match writes e with Some _ => 2 * k | None => 2 * k + 1 end
      | None => 0
      end
  | [] => 0
  end.

Definition ready_ordered (t : view) (l : list event) : Prop :=
  match l with e :: _ => ctrl e < t /\ match key e with Some k => k < t | None => False end | [] => False end.
Definition ready_plain (t : view) (l : list event) : Prop :=
  match l with e :: _ => ctrl e < t /\ key e = None | [] => False end.

Lemma ready_ordered_dec t l : {ready_ordered t l} + {~ ready_ordered t l}.
Proof.
  destruct l as [|e l]; simpl; auto. destruct (lt_dec (ctrl e) t); [|right; tauto].
  destruct (key e) as [k|]; [|right; tauto]. destruct (lt_dec k t); [left; auto|right; tauto].
Qed.

Lemma ready_plain_dec t l : {ready_plain t l} + {~ ready_plain t l}.
Proof.
  destruct l as [|e l]; simpl; auto. destruct (lt_dec (ctrl e) t); [|right; tauto].
  destruct (key e); [right; intros [_ ?]; discriminate|left; auto].
Qed.

Lemma ready_or_frozen t l : ready_plain t l \/ ready_ordered t l \/ frozen t l.
Proof.
  destruct l as [|e l]; simpl; auto. destruct (le_lt_dec t (ctrl e)); auto.
  destruct (key e) as [k|]; auto. destruct (le_lt_dec t k); auto.
Qed.

(** A thread has passed [k], or stands before an ordered access with key at least [k], or before a tainted step. *)
Definition clock (st : thread) : view := max (vrn st) (vrel st).
Definition at_ordered (k : view) (l : list event) : Prop :=
  match l with e :: _ => match key e with Some q => k <= q | None => False end | [] => True end.
Definition tainted (t : view) (l : list event) : Prop := match l with e :: _ => t <= ctrl e | [] => False end.

Section Order.
Variable K : kernel.
Variable M : memory.
Hypothesis wfK : well_formed K.
Hypothesis safe : sc_safe K.
Variable f : tid -> thread.
Hypothesis finished : forall i, i < cpus K -> complete M i (f i).

Notation offending := (offending K M).
Notation remaining := (remaining K M f).
Notation env_isolated := (env_isolated K M).

(** Ordered accesses have been replayed up to [k]. *)
Definition paced (t k : view) (x : cfg) (rest : tid -> list event) : Prop :=
  (forall l, class_of K l = Sync -> latest M x l <= k) /\
  (forall i, k <= clock (x i) \/ at_ordered k (rest i) \/ tainted t (rest i)).

Lemma paced_le t t' k x rest : paced t k x rest -> t' <= t -> paced t' k x rest.
Proof.
  intros [a b] le. split; [exact a|]. intros i. destruct (b i) as [p|[p|p]]; [auto|auto|right; right].
  destruct (rest i); simpl in *; [contradiction|lia].
Qed.

Definition no_offence (ts : view) : Prop :=
  env_isolated ts -> forall x s g rest k j a,
  inv K M true ts x s g -> remaining x rest -> paced ts k x rest -> offending x rest ts j a -> False.

Lemma latest_step x i e st l : step K M i (x i) e st -> (forall ts, writes e <> Some (l, ts)) ->
  latest M (upd x i st) l = latest M x l.
Proof.
  intros stp. remember (x i) as from eqn:at_i.
  step_cases stp; simpl; intros other; try (apply latest_same; intros n; rewrite <- at_i; reflexivity).
  - eapply latest_write_other; [intros n; rewrite <- at_i; reflexivity|apply writable|]. intros ->. exact (other ts eq_refl).
  - eapply latest_write_other; [intros n; rewrite <- at_i; reflexivity|apply writable|]. intros ->. exact (other tw eq_refl).
Qed.

(** ** Steps that are not ordered *)
Lemma paced_plain t k x s g rest i e es st :
  inv K M true t x s g -> paced t k x rest -> rest i = e :: es -> step K M i (x i) e st -> key e = None -> ctrl e < t ->
  paced t k (upd x i st) (upd rest i es).
Proof.
  intros I [late pace] eq stp nk lt. split.
  - intros l sl. rewrite (latest_step x i e st l stp); [auto|]. intros ts W.
    pose proof (classify K M safe _ _ _ _ _ _ _ _ I stp lt) as cl.
    destruct e as [cv|kd a av u post|kd a av u|a av tr post tw]; simpl in W, nk; try discriminate.
    injection W as -> ->. destruct kd; try discriminate; simpl in cl; [destruct cl|]; congruence.
  - intros j. destruct (Nat.eq_dec j i) as [->|ne]; [rewrite !upd_same; left|rewrite !upd_other by exact ne; apply pace].
    destruct (step_le _ _ _ _ _ _ stp) as [_ m1 _ _ _ _ m2 _]. unfold clock in *.
    destruct (pace i) as [p|[p|p]].
    + lia.
    + rewrite eq in p. simpl in p. rewrite nk in p. contradiction.
    + rewrite eq in p. simpl in p. lia.
Qed.

(** ** Sources of ordered reads *)
(** A pending message on a synchronisation location is not below the next ordered access. *)
Lemma sources_executed t x s g rest k ts l kap b j :
  (forall t0, t0 < t -> no_offence t0) -> env_isolated t -> j < cpus K -> class_of K l = Sync ->
  inv K M true t x s g -> remaining x rest -> paced t k x rest ->
  (forall i, frozen t (rest i) \/ (ready_ordered t (rest i) /\ 2 * kap + b <= rank (rest i))) ->
  ts <= kap -> kap < t -> (ts = kap -> b = 1) -> pending M j (x j) ts l -> False.
Proof.
  intros none iso lj sl I rem pace all le lt tie pend.
  assert (no_plain : ~ plain_write (rest j) l ts).
  { assert (lt0 : ts < t) by lia. assert (le0 : ts <= t) by lia.
    intros pw. apply (none ts lt0 (env_isolated_le K M _ _ iso le0) x s g rest k j l).
    - eapply inv_weaken; [exact I|lia].
    - exact rem.
    - eapply paced_le; [exact pace|lia].
    - split; [split; [exact lj|congruence]|]. split; [exact pend|]. left. auto. }
  destruct (rest j) as [|e es] eqn:eq; [eapply (remaining_nil_complete K M f finished); eassumption|].
  destruct (remaining_pop K M f x rest j e es rem eq) as (st & stp & r).
  pose proof (inv_wf K M _ _ _ _ _ j I) as wfj.
  specialize (all j). rewrite eq in all. simpl in all.
  destruct (step_pending _ _ _ _ _ _ _ _ stp pend) as [pend1|now].
  - destruct (pending_later _ _ _ _ _ _ _ _ r (finished j lj) pend1) as (_ & _ & below & [pw|[b1 b2]]).
    { apply no_plain. apply plain_write_cons. exact pw. }
    pose proof (step_ctrl_vcap _ _ _ _ _ _ stp) as cap.
    destruct (key e) as [q|] eqn:ke; [|destruct all as [[?|[]]|[[_ []] _]]; lia].
    destruct (step_key _ _ _ _ _ _ _ wfj stp ke) as (_ & _ & leq).
    destruct all as [[?|?]|[[_ ?] ge]]; try lia. destruct (writes e); lia.
  - destruct (step_write_bound _ _ _ _ _ _ _ _ stp now) as (_ & _ & _ & ltc & _).
    destruct (key e) as [q|] eqn:ke.
    + destruct (step_ordered_write_bound _ _ _ _ _ _ _ _ _ stp now ke) as (-> & _).
      destruct all as [[?|?]|[[_ ?] ge]]; try lia. rewrite now in ge.
      assert (same : ts = kap) by lia. specialize (tie same). lia.
    + apply no_plain. destruct e as [|kd a av u post|kd a av u|]; simpl in now, ke; try discriminate.
      injection now as -> ->. exists kd, av. split; [intros ->; discriminate|left; reflexivity].
Qed.

Lemma source_latest t x s g rest k ts l kap b v :
  (forall t0, t0 < t -> no_offence t0) -> env_isolated t -> class_of K l = Sync ->
  inv K M true t x s g -> remaining x rest -> paced t k x rest ->
  (forall i, frozen t (rest i) \/ (ready_ordered t (rest i) /\ 2 * kap + b <= rank (rest i))) ->
  value_at K M l ts v -> ts <= kap -> kap < t -> (ts = kap -> b = 1) -> ts <= latest M x l.
Proof.
  intros none iso sl I rem pace all value le lt tie.
  destruct (le_lt_dec ts (latest M x l)) as [|late]; [assumption|exfalso].
  destruct (read_pending K M x 0 l ts v (inv_wf K M _ _ _ _ _ 0 I) value late) as (_ & m & found & here & pend).
  assert (lj : mtid m < cpus K).
  { destruct (le_lt_dec (cpus K) (mtid m)) as [out|]; [exfalso|assumption].
    assert (ul : class_of K (mloc m) = User) by (apply (iso ts); [lia|exact found|exact out]). congruence. }
  exact (sources_executed t x s g rest k ts l kap b (mtid m) none iso lj sl I rem pace all le lt tie pend).
Qed.

(** The message that an ordered write is about to write is not the latest one yet. *)
Lemma write_not_latest x i e st a n : step K M i (x i) e st -> writes e = Some (a, n) -> latest M x a <= n -> latest M x a < n.
Proof.
  intros stp W le. destruct (step_write_bound _ _ _ _ _ _ _ _ stp W) as (_ & _ & _ & _ & fresh & _ & v & found).
  destruct (Nat.eq_dec (latest M x a) n) as [eq|]; [exfalso|lia].
  destruct (latest_spec M x a) as [z|(m & found' & _ & done)].
  - rewrite <- eq, z in found. discriminate.
  - rewrite eq in found', done. rewrite found in found'. injection found' as <-. simpl in done. congruence.
Qed.

(** A read part with post-view at least the latest message reads no older message. *)
Lemma ordered_not_older x i a av ts v :
  thread_wf M i (x i) -> can_read K M (x i) Ordered a av ts v -> latest M x a <= post_read (x i) Ordered a av ts ->
  latest M x a <= ts.
Proof.
  intros wf readable le. destruct (le_lt_dec (latest M x a) ts) as [|lt]; [assumption|].
  eapply read_not_older; [exact readable|]. pose proof (source_view_le M i (x i) a ts wf). unfold post_read in le. lia.
Qed.

(** The read part of an update, below the written message. *)
Lemma update_not_older x i a av tr post tw st :
  step K M i (x i) (Update a av tr post tw) st -> latest M x a < tw -> latest M x a <= tr.
Proof.
  intros stp lt. inversion stp as [| | | | |fop r ea ed c' ps qs a' av' d dv tr' v post' tw' fetched address datum readable
    post_is writable later atomic e1 e2]; subst a' av' tr' post' tw' st.
  destruct (le_lt_dec (latest M x a) tr) as [|late]; [assumption|exfalso].
  destruct (latest_spec M x a) as [z|(m & found & here & _)]; [lia|].
  assert (before : latest M x a <= tw - 1) by lia. exact (atomic _ m late before found here).
Qed.

Lemma read_reads x i k a av ts post st : step K M i (x i) (Read k a av ts post) st ->
  (exists v, can_read K M (x i) k a av ts v) /\ post = post_read (x i) k a av ts.
Proof.
  intros stp. inversion stp as [| | |k' rg ea c' ps a' av' ts' v fetched address readable e1 e2| |]; subst k' a' av' ts' post st.
  eauto.
Qed.

Lemma update_reads x i a av tr post tw st : step K M i (x i) (Update a av tr post tw) st ->
  (exists v, can_read K M (x i) Ordered a av tr v) /\ post = post_read (x i) Ordered a av tr /\
  (exists d, msg_at M tw = Some (Message i a d)) /\ tr < tw /\ no_write M a tr (tw - 1).
Proof.
  intros stp. inversion stp as [| | | | |fop r ea ed c' ps qs a' av' d dv tr' v post' tw' fetched address datum readable
    post_is writable later atomic e1 e2]; subst a' av' tr' post' tw' st.
  split; [eauto|]. split; [exact post_is|]. split; [eexists; apply writable|auto].
Qed.

(** ** One step of the replay *)
Definition one_step (t : view) (x : cfg) (rest : tid -> list event) : Prop :=
  exists i e es st s' g' k', i < cpus K /\ rest i = e :: es /\ step K M i (x i) e st /\ run K M i st es (f i) /\
    ctrl e < t /\ inv K M true t (upd x i st) s' g' /\ paced t k' (upd x i st) (upd rest i es).

Lemma progress_plain t x s g rest k i :
  (forall t0, t0 < t -> no_offence t0) -> env_isolated t ->
  inv K M true t x s g -> remaining x rest -> paced t k x rest -> ready_plain t (rest i) -> one_step t x rest.
Proof.
  intros none iso I rem pace ready. destruct (rest i) as [|e es] eqn:eq; [contradiction|]. destruct ready as [lt nk].
  destruct (remaining_pop K M f x rest i e es rem eq) as (st & stp & r).
  pose proof (paced_plain t k x s g rest i e es st I pace eq stp nk lt) as pace'.
  pose proof (remaining_upd K M f _ _ _ _ _ rem r) as rem'.
  destruct (good_or_offending K M wfK safe f finished _ _ _ _ _ _ _ _ _ _ I rem eq stp r nk lt iso)
    as [good|(ts & j & b & s' & g' & lts & I' & off)].
  - destruct (replay_plain K M safe true t t x s g i e st I (le_n _) stp nk lt good) as (s' & g' & I').
    exists i, e, es, st, s', g', k. split; [exact (remaining_kernel K M wfK f _ _ _ _ _ rem eq)|].
    split; [exact eq|]. split; [exact stp|]. split; [exact r|]. split; [exact lt|]. split; [exact I'|exact pace'].
  - exfalso. apply (none ts lts (env_isolated_le K M _ _ iso (Nat.lt_le_incl _ _ lts)) _ _ _ _ k j b I' rem').
    + eapply paced_le; [exact pace'|lia].
    + exact off.
Qed.

(** After an ordered step of least rank. *)
Lemma paced_ordered t kap x rest i e es st :
  thread_wf M i (x i) -> rest i = e :: es -> step K M i (x i) e st -> key e = Some kap ->
  (forall j, frozen t (rest j) \/ (ready_ordered t (rest j) /\ rank (rest i) <= rank (rest j))) ->
  (forall l, class_of K l = Sync -> latest M (upd x i st) l <= kap) ->
  kap < t -> paced t kap (upd x i st) (upd rest i es).
Proof.
  intros wf eq stp ke all late ltk. split; [exact late|].
  destruct (step_key _ _ _ _ _ _ _ wf stp ke) as (_ & q2 & _).
  intros j. destruct (Nat.eq_dec j i) as [->|ne]; [rewrite !upd_same; left; exact q2|rewrite !upd_other by exact ne; right].
  specialize (all j). destruct (rest j) as [|ej esj]; simpl in all; [left; exact Logic.I|]. simpl.
  destruct all as [[tnt|fr]|[[ltc rdy] le]].
  - right. exact tnt.
  - left. destruct (key ej); [lia|contradiction].
  - left. destruct (key ej) as [q|]; [|contradiction].
    rewrite eq in le. simpl in le. rewrite ke in le. destruct (writes e), (writes ej); lia.
Qed.

Lemma late_after_write t x rest i e es st loc kap :
  paced t kap x rest -> rest i = e :: es -> step K M i (x i) e st -> writes e = Some (loc, kap) -> latest M x loc < kap ->
  forall l, class_of K l = Sync -> latest M (upd x i st) l <= kap.
Proof.
  intros [late _] eq stp W lt l sl. destruct (Nat.eq_dec l loc) as [->|ne].
  - remember (x i) as from eqn:at_i.
    step_cases stp; simpl in W; try discriminate; injection W as <- <-;
      (erewrite latest_write_same; [apply le_n|intros n; rewrite <- at_i; reflexivity|apply writable|exact lt]).
  - rewrite (latest_step x i e st l stp); [auto|]. intros ts W'. congruence.
Qed.

Lemma progress_ordered t x s g rest k i :
  (forall t0, t0 < t -> no_offence t0) -> env_isolated t ->
  inv K M true t x s g -> remaining x rest -> paced t k x rest -> i < cpus K -> ready_ordered t (rest i) ->
  (forall j, frozen t (rest j) \/ (ready_ordered t (rest j) /\ rank (rest i) <= rank (rest j))) ->
  one_step t x rest.
Proof.
  intros none iso I rem pace li ready all. destruct (rest i) as [|e es] eqn:eq; [contradiction|].
  destruct ready as [lt ready]. destruct (key e) as [kap|] eqn:ke; [|contradiction].
  destruct (remaining_pop K M f x rest i e es rem eq) as (st & stp & r).
  pose proof (inv_wf K M _ _ _ _ _ i I) as wf.
  destruct (step_key _ _ _ _ _ _ _ wf stp ke) as (q1 & _).
  assert (lek : k <= kap).
  { destruct pace as [_ pace]. specialize (pace i). rewrite eq in pace. simpl in pace. rewrite ke in pace.
    unfold clock in pace. destruct pace as [p|[p|p]]; lia. }
  assert (late : forall l, class_of K l = Sync -> latest M x l <= kap).
  { intros l sl. destruct pace as [late _]. specialize (late l sl). lia. }
  assert (all' : forall j, frozen t (rest j) \/
    (ready_ordered t (rest j) /\ 2 * kap + (match writes e with Some _ => 0 | None => 1 end) <= rank (rest j))).
  { intros j. destruct (all j) as [fr|[rd le]]; [left; exact fr|right; split; [exact rd|]].
    simpl in le. rewrite ke in le. destruct (writes e); lia. }
  assert (pace_kap : paced t kap x rest -> forall l, class_of K l = Sync -> latest M x l <= kap) by (intros [p _]; exact p).
  assert (all_e : forall j, frozen t (rest j) \/ (ready_ordered t (rest j) /\ rank (rest i) <= rank (rest j))).
  { rewrite eq. exact all. }
  assert (conclude : forall s' g', inv K M true t (upd x i st) s' g' ->
    (forall l, class_of K l = Sync -> latest M (upd x i st) l <= kap) -> one_step t x rest).
  { intros s' g' I' late'. exists i, e, es, st, s', g', kap.
    split; [exact li|]. split; [exact eq|]. split; [exact stp|]. split; [exact r|]. split; [exact lt|]. split; [exact I'|].
    exact (paced_ordered t kap x rest i e es st wf eq stp ke all_e late' ready). }
  pose proof (classify K M safe _ _ _ _ _ _ _ _ I stp lt) as sa.
  assert (after_write : forall a, writes e = Some (a, kap) -> class_of K a = Sync -> latest M x a < kap ->
    forall l, class_of K l = Sync -> latest M (upd x i st) l <= kap).
  { intros a W _ ltw l sl. destruct (Nat.eq_dec l a) as [->|ne].
    - assert (pk : paced t kap x rest).
      { split; [exact late|]. intros j. destruct (all_e j) as [fr|[rd le]]; right.
        - destruct (rest j) as [|ej esj]; simpl in *; [left; exact Logic.I|]. destruct fr as [fr|fr]; [right; exact fr|left].
          destruct (key ej); [lia|contradiction].
        - left. rewrite eq in le. destruct (rest j) as [|ej esj]; simpl in *; [exact Logic.I|]. destruct rd as [_ rd].
          destruct (key ej) as [q|]; [|contradiction]. rewrite ke in le. destruct (writes e), (writes ej); lia. }
      exact (late_after_write t x rest i e es st a kap pk eq stp W ltw a sl).
    - rewrite (latest_step x i e st l stp); [auto|]. intros ts W'. congruence. }
  destruct e as [cv|kd a av ts post|kd a av n|a av tr post tw]; simpl in ke; try discriminate.
  - destruct kd; try discriminate. injection ke as ->. simpl in sa, all', lt.
    assert (src : ts = latest M x a).
    { destruct (read_reads x i Ordered a av ts kap st stp) as ((v & readable) & post_is).
      assert (seen : ts <= kap).
      { rewrite post_is. eapply (sync_source K M); [apply (i_core _ _ _ _ _ _ _ I)|exact sa]. }
      apply Nat.le_antisymm.
      - exact (source_latest t x s g rest k ts a kap 1 v none iso sa I rem pace all' (proj1 readable) seen ready (fun _ => eq_refl)).
      - apply (ordered_not_older x i a av ts v wf readable). rewrite <- post_is. apply late. exact sa. }
    destruct (replay_acquire K M safe t x s g i a av ts kap st I stp lt ready src) as (s' & g' & I').
    apply (conclude s' g' I'). intros l sl. rewrite (latest_step x i _ st l stp); [auto|discriminate].
  - destruct kd; try discriminate. injection ke as ->. simpl in sa, lt.
    pose proof (write_not_latest x i _ st a kap stp eq_refl (late a sa)) as ltw.
    destruct (replay_release K M safe true t x s g i a av kap st I stp lt (fun _ => ltw)) as (s' & g' & I').
    apply (conclude s' g' I'). apply (after_write a eq_refl sa ltw).
  - injection ke as ->. simpl in sa, all', lt.
    pose proof (write_not_latest x i _ st a kap stp eq_refl (late a sa)) as ltw.
    destruct (update_reads x i a av tr post kap st stp) as ((v & readable) & post_is & _ & ltr & _).
    pose proof (step_acquire _ _ _ _ _ _ stp) as (_ & ltp & _).
    assert (src : tr = latest M x a).
    { apply Nat.le_antisymm; [|eapply update_not_older; eassumption].
      assert (le0 : tr <= kap) by lia. assert (tie : tr = kap -> 0 = 1) by lia.
      exact (source_latest t x s g rest k tr a kap 0 v none iso sa I rem pace all' (proj1 readable) le0 ready tie). }
    destruct (replay_update K M safe t x s g i a av tr post kap st I stp lt (Nat.lt_trans _ _ _ ltp ready) src) as (s' & g' & I').
    apply (conclude s' g' I'). apply (after_write a eq_refl sa ltw).
Qed.

Lemma progress t x s g rest k :
  (forall t0, t0 < t -> no_offence t0) -> env_isolated t ->
  inv K M true t x s g -> remaining x rest -> paced t k x rest ->
  (forall i, frozen t (rest i)) \/ one_step t x rest.
Proof.
  intros none iso I rem pace.
  destruct (search (fun i => ready_plain t (rest i)) (fun i => ready_plain_dec t (rest i)) (cpus K)) as [(i & li & rd)|np].
  { right. eapply progress_plain; eassumption. }
  assert (idle : forall j, cpus K <= j -> rest j = []).
  { intros j out. exact (remaining_kernel_nil K M wfK f _ _ _ rem out). }
  destruct (search (fun i => ready_ordered t (rest i)) (fun i => ready_ordered_dec t (rest i)) (cpus K)) as [(i0 & l0 & rd0)|no].
  - right. destruct (search_least (fun i => ready_ordered t (rest i)) (fun i => ready_ordered_dec t (rest i))
      (fun i => rank (rest i)) (cpus K)) as (i & li & rd & least); [eauto|].
    apply (progress_ordered t x s g rest k i none iso I rem pace li rd).
    intros j. destruct (le_lt_dec (cpus K) j) as [out|inside]; [left; rewrite (idle j out); exact Logic.I|].
    destruct (ready_or_frozen t (rest j)) as [c|[c|c]]; [exfalso; exact (np j inside c)|right; auto|left; exact c].
  - left. intros j. destruct (le_lt_dec (cpus K) j) as [out|inside]; [rewrite (idle j out); exact Logic.I|].
    destruct (ready_or_frozen t (rest j)) as [c|[c|c]]; [exfalso; exact (np j inside c)|exfalso; exact (no j inside c)|exact c].
Qed.

(** ** Updates that read below [t] and write above it *)
Lemma update_source t x s g rest k i l av tr post tw es :
  (forall t0, t0 < t -> no_offence t0) -> env_isolated t -> inv K M true t x s g -> remaining x rest -> paced t k x rest ->
  (forall i, frozen t (rest i)) -> rest i = Update l av tr post tw :: es -> av < t -> post < t -> tr = latest M x l.
Proof.
  intros none iso I rem pace fr eq ltv ltp.
  destruct (remaining_pop K M f x rest i _ es rem eq) as (st & stp & r).
  pose proof (classify K M safe _ _ _ _ _ _ _ _ I stp ltv) as sl. simpl in sl.
  destruct (update_reads x i l av tr post tw st stp) as ((v & readable) & post_is & _ & ltr & _).
  pose proof (fr i) as fri. rewrite eq in fri. simpl in fri.
  assert (late : latest M x l <= tw).
  { destruct pace as [late pace]. specialize (late l sl). specialize (pace i). rewrite eq in pace. simpl in pace.
    destruct (step_key _ _ _ _ _ _ tw (inv_wf K M _ _ _ _ _ i I) stp eq_refl) as (q & _). unfold clock in pace.
    destruct pace as [p|[p|p]]; lia. }
  pose proof (write_not_latest x i _ st l tw stp eq_refl late) as ltw.
  apply Nat.le_antisymm; [|eapply update_not_older; eassumption].
  assert (seen : tr <= post) by (rewrite post_is; eapply (sync_source K M); [apply (i_core _ _ _ _ _ _ _ I)|exact sl]).
  assert (ltt : tr < t) by lia.
  exact (source_latest t x s g rest k tr l tr 1 v none iso sl I rem pace (fun j => or_introl (fr j)) (proj1 readable)
           (le_n _) ltt (fun _ => eq_refl)).
Qed.

(** Two such updates of one location contradict atomicity. *)
Lemma one_update x i j l av tr post tw st av' tr' post' tw' st' :
  step K M i (x i) (Update l av tr post tw) st -> step K M j (x j) (Update l av' tr' post' tw') st' ->
  i <> j -> tr = tr' -> False.
Proof.
  intros stp stp' ne <-.
  destruct (update_reads x i _ _ _ _ _ _ stp) as (_ & _ & (d & found) & lt & none).
  destruct (update_reads x j _ _ _ _ _ _ stp') as (_ & _ & (d' & found') & lt' & none').
  destruct (lt_eq_lt_dec tw tw') as [[less|same]|more].
  - assert (before : tw <= tw' - 1) by lia. exact (none' tw _ lt before found eq_refl).
  - rewrite same, found' in found. congruence.
  - assert (before : tw' <= tw - 1) by lia. exact (none tw' _ lt' before found' eq_refl).
Qed.

(** Offending messages stay ahead of a step, or the step writes them, which is impossible. *)
Lemma offending_after sy t x s g rest ts j a i e es st :
  inv K M sy t x s g -> remaining x rest -> rest i = e :: es -> step K M i (x i) e st -> run K M i st es (f i) ->
  offending x rest ts j a -> ts <= t -> offending (upd x i st) (upd rest i es) ts j a.
Proof.
  intros I rem eq stp r off le. destruct (Nat.eq_dec i j) as [->|ne].
  - pose proof off as (_ & pend & _).
    destruct (step_pending _ _ _ _ _ _ _ _ stp pend) as [[_ fresh]|now].
    + apply (offending_step K M f _ _ _ _ _ _ _ _ _ rem eq stp off). intros _ now.
      destruct (step_write_bound _ _ _ _ _ _ _ _ stp now) as (_ & _ & _ & _ & _ & done & _). congruence.
    + exfalso. exact (offending_hit K M safe f _ _ _ _ _ _ _ _ _ _ _ _ I eq stp r off le now).
  - apply (offending_step K M f _ _ _ _ _ _ _ _ _ rem eq stp off). intros same. congruence.
Qed.

(** Everything is frozen: replay the straddling updates of the threads below [n], then the tail. *)
Lemma no_offence_frozen t : env_isolated t -> forall n x s g rest j a, n <= cpus K ->
  inv K M true t x s g -> remaining x rest ->
  (forall i, i < n -> frozen t (rest i) /\
     (forall l av tr post tw es, rest i = Update l av tr post tw :: es -> straddles t (rest i) -> tr = latest M x l)) ->
  (forall i, n <= i -> halted t (x i) (rest i)) -> offending x rest t j a -> False.
Proof.
  intros iso. induction n as [|n IH]; intros x s g rest j a le I rem below halt off.
  - eapply (tail_all K M wfK safe f finished t iso x s g rest t); try eassumption; [lia|eapply inv_unordered; exact I|].
    intros i. apply halt. lia.
  - destruct (below n ltac:(lia)) as [fr src].
    destruct (straddles_dec t (rest n)) as [cand|nc].
    2: { apply (IH x s g rest j a ltac:(lia) I rem); [intros i lt; apply below; lia| |exact off].
         intros i ge. destruct (Nat.eq_dec i n) as [->|ne]; [right; auto|apply halt; lia]. }
    destruct (rest n) as [|[| | |l av tr post tw] es] eqn:eq; simpl in cand; try contradiction.
    destruct cand as [ltv ltp].
    destruct (remaining_pop K M f x rest n _ es rem eq) as (st & stp & r).
    specialize (src l av tr post tw es eq_refl (conj ltv ltp)).
    destruct (replay_update K M safe t x s g n l av tr post tw st I stp ltv ltp src) as (s' & g' & I').
    pose proof (remaining_upd K M f _ _ _ _ _ rem r) as rem'.
    pose proof (offending_after _ _ _ _ _ _ _ _ _ _ _ _ _ I rem eq stp r off (le_n _)) as off'.
    pose proof (step_acquire _ _ _ _ _ _ stp) as (_ & _ & _ & rel).
    apply (IH _ s' g' _ j a ltac:(lia) I' rem'); [| |exact off'].
    + intros i lt. assert (ne : i <> n) by lia. rewrite !upd_other by exact ne. destruct (below i ltac:(lia)) as [fri srci].
      split; [exact fri|]. intros l' av' tr' post' tw' es' eq' cand'.
      specialize (srci l' av' tr' post' tw' es' eq' cand').
      destruct (Nat.eq_dec l' l) as [->|nl].
      * exfalso. destruct (remaining_pop K M f x rest i _ es' rem eq') as (st' & stp' & _).
        apply (one_update x n i l _ _ _ _ _ _ _ _ _ _ stp stp'); [lia|congruence].
      * rewrite (latest_step x n _ st l' stp); [exact srci|]. simpl. congruence.
    + intros i ge. destruct (Nat.eq_dec i n) as [->|ne]; [|rewrite !upd_other by exact ne; apply halt; lia].
      left. rewrite upd_same. simpl in fr. lia.
Qed.

(** ** Termination *)
Fixpoint total (n : nat) (rest : tid -> list event) : nat :=
  match n with 0 => 0 | S k => length (rest k) + total k rest end.

Lemma total_other n rest i l : n <= i -> total n (upd rest i l) = total n rest.
Proof. induction n as [|n IH]; simpl; intros le; [reflexivity|]. rewrite upd_other, IH by lia. reflexivity. Qed.

Lemma total_pop n rest i e es : i < n -> rest i = e :: es -> S (total n (upd rest i es)) = total n rest.
Proof.
  induction n as [|n IH]; simpl; intros lt eq; [lia|]. destruct (Nat.eq_dec i n) as [->|ne].
  - rewrite upd_same, total_other, eq by lia. simpl. lia.
  - rewrite upd_other by lia. assert (lt' : i < n) by lia. specialize (IH lt' eq). lia.
Qed.

(** No message offends. *)
Lemma no_offence_all : forall ts, no_offence ts.
Proof.
  induction ts as [ts IH] using lt_wf_ind. intros iso.
  enough (by_total : forall n x s g rest k j a, total (cpus K) rest <= n -> inv K M true ts x s g -> remaining x rest ->
    paced ts k x rest -> offending x rest ts j a -> False).
  { intros x s g rest k j a. apply (by_total (total (cpus K) rest)). lia. }
  induction n as [|n IHn]; intros x s g rest k j a le I rem pace off;
    (destruct (progress ts x s g rest k IH iso I rem pace) as [fr|(i & e & es & st & s' & g' & k' & li & eq & stp & r & lt & I' & pace')];
     [apply (no_offence_frozen ts iso (cpus K) x s g rest j a (le_n _) I rem); [| |exact off]|]).
  1, 4: intros i li; split; [apply fr|]; intros l av tr post tw es eq cand;
    rewrite eq in cand; destruct cand as [ltv ltp]; eapply update_source; eassumption.
  1, 3: intros i out; right; rewrite (remaining_kernel_nil K M wfK f _ _ _ rem out); simpl; tauto.
  - pose proof (total_pop (cpus K) rest i e es li eq). lia.
  - pose proof (total_pop (cpus K) rest i e es li eq) as less.
    assert (le' : total (cpus K) (upd rest i es) <= n) by lia.
    apply (IHn _ s' g' _ k' j a le' I' (remaining_upd K M f _ _ _ _ _ rem r) pace').
    exact (offending_after _ _ _ _ _ _ _ _ _ _ _ _ _ I rem eq stp r off (le_n _)).
Qed.

(** The whole execution can be replayed. *)
Lemma frozen_done x s g rest i : inv K M true (S (length M)) x s g -> remaining x rest ->
  frozen (S (length M)) (rest i) -> x i = f i.
Proof.
  intros I rem fr. destruct (rest i) as [|e es] eqn:eq.
  - specialize (rem i). rewrite eq in rem. inversion rem. reflexivity.
  - exfalso. destruct (remaining_pop K M f x rest i e es rem eq) as (st & stp & _).
    pose proof (inv_wf K M _ _ _ _ _ i I) as wf. pose proof (step_ctrl_bound _ _ _ _ _ _ wf stp).
    simpl in fr. destruct fr as [fr|fr]; [lia|]. destruct (key e) as [q|] eqn:ke; [|contradiction].
    pose proof (step_key_bound _ _ _ _ _ _ _ wf stp ke). lia.
Qed.

Lemma replay_all : env_isolated (S (length M)) -> forall n x s g rest k, total (cpus K) rest <= n ->
  inv K M true (S (length M)) x s g -> remaining x rest -> paced (S (length M)) k x rest ->
  exists x' s' g', (forall i, x' i = f i) /\ inv K M true (S (length M)) x' s' g'.
Proof.
  intros iso. induction n as [|n IH]; intros x s g rest k le I rem pace;
    (destruct (progress _ x s g rest k (fun t _ => no_offence_all t) iso I rem pace)
       as [fr|(i & e & es & st & s' & g' & k' & li & eq & stp & r & lt & I' & pace')];
     [exists x, s, g; split; [intros i; eapply frozen_done; eauto|exact I]|]);
    pose proof (total_pop (cpus K) rest i e es li eq) as less; [lia|].
  assert (le' : total (cpus K) (upd rest i es) <= n) by lia.
  exact (IH _ s' g' _ k' le' I' (remaining_upd K M f _ _ _ _ _ rem r) pace').
Qed.
End Order.
