(* SPDX-License-Identifier: Apache-2.0 *)
(** One step of the replay: where the invariant holds and the SC executions obey the conditions, an SC step of the same
    instruction follows each relaxed step whose address and control are untainted.  Rests on [Access]; used by
    [Schedule], which chooses the order of the steps. *)
From Coq Require Import List Arith Lia Bool.
From SeKVM.wdrf Require Import Tactics.
From SeKVM.wdrf.isolated Require Import Base SC DRF Promising Thread Latest Invariant Access.
Import ListNotations.

Section Replay.
Variable K : kernel.
Variable M : memory.
Hypothesis safe : sc_safe K.

Record inv (sy : bool) (t : view) (x : cfg) (s : sc_state) (g : ghost) : Prop := {
  i_reach : sc_reach K s g;
  i_pc : forall i, sc_pc s i = pc (x i);
  i_core : core K M sy t x (sc_reg s) (sc_mem s) g }.

Lemma inv_weaken sy t t' x s g : inv sy t x s g -> t' <= t -> inv sy t' x s g.
Proof. intros [r p c] le. constructor; [exact r|exact p|eapply core_weaken; eassumption]. Qed.

Lemma inv_unordered sy t x s g : inv sy t x s g -> inv false t x s g.
Proof. intros [r p c]. constructor; [exact r|exact p|eapply core_unordered; eassumption]. Qed.

Lemma inv_wf sy t x s g i : inv sy t x s g -> thread_wf M i (x i).
Proof. intros [_ _ c]. apply (c_wf _ _ _ _ _ _ _ _ c). Qed.

Lemma inv_fetch sy t x s g i ins : inv sy t x s g -> fetch K i (pc (x i)) = Some ins -> fetch K i (sc_pc s i) = Some ins.
Proof. intros [_ p _]. rewrite p. auto. Qed.

(** The SC side of a step, and the invariant after it. *)
Lemma inv_step sy t x s g i ins oracle st :
  sc_reach K s g -> (forall j, sc_pc s j = pc (x j)) -> fetch K i (sc_pc s i) = Some ins ->
  sc_pc (sc_exec ins s i oracle) i = pc st ->
  (forall j, j <> i -> sc_pc (sc_exec ins s i oracle) j = sc_pc s j) ->
  core K M sy t (upd x i st) (sc_reg (sc_exec ins s i oracle)) (sc_mem (sc_exec ins s i oracle)) (ghost_exec ins s i g) ->
  exists s' g', inv sy t (upd x i st) s' g'.
Proof.
  intros r p f pci pco c. exists (sc_exec ins s i oracle), (ghost_exec ins s i g). constructor.
  - apply reach_step; assumption.
  - intros j. destruct (Nat.eq_dec j i) as [->|ne]; [rewrite upd_same; exact pci|].
    rewrite upd_other by exact ne. rewrite pco by exact ne. apply p.
  - exact c.
Qed.

Lemma exec_pc_other ins s i oracle j : j <> i -> sc_pc (sc_exec ins s i oracle) j = sc_pc s j.
Proof. intros ne. destruct ins; simpl; apply upd_other; exact ne. Qed.

(** ** What the conditions say about the next access *)
Lemma kind_class sy t x s g i ins k ea a av :
  inv sy t x s g -> fetch K i (pc (x i)) = Some ins -> access_of ins = Some (k, ea) ->
  veval (regs (x i)) ea = (a, av) -> av < t ->
  class_of K a = match k with Plain => Data | Ordered => Sync | ToUser => User end.
Proof.
  intros I f acc value lt. apply (inv_fetch _ _ _ _ _ _ _ I) in f.
  pose proof (core_eval K M _ _ _ _ _ _ _ _ _ _ (i_core _ _ _ _ _ I) value lt) as ea_eq.
  pose proof (safe_barrier K safe s g i ins (i_reach _ _ _ _ _ I) f) as bar.
  pose proof (safe_isolation K safe s g i ins (i_reach _ _ _ _ _ I) f) as iso.
  unfold ordered_on_sync in bar. unfold isolates in iso. rewrite acc, ea_eq in *.
  apply andb_true_iff in iso as [iso _]. destruct k, (class_of K a); simpl in *; congruence.
Qed.

Lemma plain_read_allowed sy t x s g i r ea c ps a av :
  inv sy t x s g -> fetch K i (pc (x i)) = Some (Load Plain r ea c ps) -> veval (regs (x i)) ea = (a, av) -> av < t ->
  may_read K g i a = true.
Proof.
  intros I f value lt. pose proof (kind_class _ _ _ _ _ _ _ Plain ea a av I f eq_refl value lt) as da.
  apply (inv_fetch _ _ _ _ _ _ _ I) in f.
  pose proof (core_eval K M _ _ _ _ _ _ _ _ _ _ (i_core _ _ _ _ _ I) value lt) as eq. rewrite <- eq in da |- *.
  pose proof (safe_drf K safe s g i _ (i_reach _ _ _ _ _ I) f) as free. simpl in free. unfold if_data in free.
  rewrite da in free. exact free.
Qed.

Lemma plain_write_allowed sy t x s g i ea ed qs a av :
  inv sy t x s g -> fetch K i (pc (x i)) = Some (Store Plain ea ed qs) -> veval (regs (x i)) ea = (a, av) -> av < t ->
  owns g i a = true /\ settled K g a = false /\ well_typed K a (eval (sc_reg s i) ed) = true.
Proof.
  intros I f value lt. pose proof (kind_class _ _ _ _ _ _ _ Plain ea a av I f eq_refl value lt) as da.
  apply (inv_fetch _ _ _ _ _ _ _ I) in f.
  pose proof (core_eval K M _ _ _ _ _ _ _ _ _ _ (i_core _ _ _ _ _ I) value lt) as eq. rewrite <- eq in da |- *.
  pose proof (safe_once K safe s g i _ (i_reach _ _ _ _ _ I) f) as once. apply negb_true_iff in once.
  pose proof (safe_isolation K safe s g i _ (i_reach _ _ _ _ _ I) f) as iso. apply andb_true_iff in iso as [_ typed].
  pose proof (safe_drf K safe s g i _ (i_reach _ _ _ _ _ I) f) as free. simpl in free. unfold if_data in free.
  rewrite da in free. auto.
Qed.

(** The summary that the schedule uses. *)
Lemma classify sy t x s g i e st :
  inv sy t x s g -> step K M i (x i) e st -> ctrl e < t ->
  match e with
  | Internal _ => True
  | Read Plain a _ _ _ => class_of K a = Data /\ may_read K g i a = true
  | Write Plain a _ _ => class_of K a = Data /\ owns g i a = true /\ settled K g a = false
  | Read Ordered a _ _ _ | Write Ordered a _ _ | Update a _ _ _ _ => class_of K a = Sync
  | Read ToUser a _ _ _ | Write ToUser a _ _ => class_of K a = User
  end.
Proof.
  intros I stp. step_cases stp; simpl; intros lt; try exact Logic.I.
  - pose proof (kind_class _ _ _ _ _ _ _ k ea a av I fetched eq_refl address lt) as cl.
    destruct k; try exact cl. split; [exact cl|]. eapply plain_read_allowed; eassumption.
  - pose proof (kind_class _ _ _ _ _ _ _ k ea a av I fetched eq_refl address lt) as cl.
    destruct k; try exact cl. destruct (plain_write_allowed _ _ _ _ _ _ _ _ _ _ _ I fetched address lt) as (own & un & _).
    auto.
  - exact (kind_class _ _ _ _ _ _ _ Ordered ea a av I fetched eq_refl address lt).
Qed.

(** ** Steps *)
(** A read is good for threshold [t] if it reads the latest executed message, or if its result is tainted. *)
Definition good_read (t : view) (x : cfg) (e : event) : Prop :=
  match e with Read Plain a _ ts post => t <= post \/ ts = latest M x a | _ => True end.

Lemma replay_local sy t t' x s g i n st :
  inv sy t x s g -> t' <= t -> step K M i (x i) (Internal n) st -> n < t ->
  exists s' g', inv sy t' (upd x i st) s' g'.
Proof.
  intros I le stp lt.
  pose proof (step_wf _ _ _ _ _ _ (inv_wf _ _ _ _ _ i I) stp) as wfi.
  pose proof (step_le _ _ _ _ _ _ stp) as mono.
  pose proof (core_weaken K M _ _ _ _ _ _ _ (i_core _ _ _ _ _ I) le) as c.
  pose proof (c_reg _ _ _ _ _ _ _ _ c i) as same.
  remember (Internal n) as evt eqn:is_evt. step_cases stp; try discriminate; injection is_evt as is_evt;
    apply (inv_fetch _ _ _ _ _ _ _ I) in fetched as f;
    (eapply (inv_step sy t' x s g i _ 0);
     [apply (i_reach _ _ _ _ _ I)|apply (i_pc _ _ _ _ _ I)|exact f| |intros j ne; apply exec_pc_other; exact ne|]).
  - simpl. rewrite upd_same. f_equal. apply (i_pc _ _ _ _ _ I).
  - apply core_local; try assumption; try reflexivity. intros r'. simpl. who r' r; [|apply same].
    destruct (veval (regs (x i)) e) as [w wv] eqn:value. simpl.
    intros lt'. eapply (core_eval K M _ _ _ _ _ _ _ _ _ _ c); eassumption.
  - simpl. rewrite upd_same. rewrite <- is_evt in lt. rewrite (core_eval K M _ _ _ _ _ _ _ _ _ _ (i_core _ _ _ _ _ I) condition lt).
    rewrite (i_pc _ _ _ _ _ I). reflexivity.
  - apply core_local; try assumption; try reflexivity.
  - simpl. rewrite upd_same. f_equal. apply (i_pc _ _ _ _ _ I).
  - apply core_local; try assumption; try reflexivity.
Qed.

Lemma replay_read sy t t' x s g i k a av ts post st :
  inv sy t x s g -> t' <= t -> step K M i (x i) (Read k a av ts post) st -> k <> Ordered -> av < t ->
  good_read t' x (Read k a av ts post) ->
  exists s' g', inv sy t' (upd x i st) s' g'.
Proof.
  intros I le stp plain lt good.
  pose proof (step_wf _ _ _ _ _ _ (inv_wf _ _ _ _ _ i I) stp) as wfi.
  pose proof (classify _ _ _ _ _ _ _ _ I stp lt) as cl.
  pose proof (core_weaken K M _ _ _ _ _ _ _ (i_core _ _ _ _ _ I) le) as c.
  inversion stp as [| | |k' r ea c' ps a' av' ts' v fetched address readable e1 e2| |]; subst.
  apply (inv_fetch _ _ _ _ _ _ _ I) in fetched as f.
  pose proof (core_eval K M _ _ _ _ _ _ _ _ _ _ (i_core _ _ _ _ _ I) address lt) as ea_eq.
  eapply (inv_step sy t' x s g i _ v);
    [apply (i_reach _ _ _ _ _ I)|apply (i_pc _ _ _ _ _ I)|exact f| |intros j ne; apply exec_pc_other; exact ne|].
  - simpl. rewrite upd_same. f_equal. apply (i_pc _ _ _ _ _ I).
  - simpl. rewrite ea_eq. destruct k; [|contradiction|].
    + destruct cl as [da may]. simpl in good. simpl. apply core_read_data; try assumption.
      intros lt'. destruct good as [tainted|src]; [lia|]. destruct readable as [value _]. rewrite src in value.
      eapply (read_exact K M sy t' x _ _ g i); try eassumption; [congruence|left; exact da|].
      pose proof (post_read_ge (x i) Plain a av ts) as [_ ge]. rewrite <- src. lia.
    + apply core_read_user; assumption.
Qed.

Lemma replay_write sy t t' x s g i k a av n st :
  inv sy t x s g -> t' <= t -> step K M i (x i) (Write k a av n) st -> k <> Ordered -> av < t ->
  exists s' g', inv sy t' (upd x i st) s' g'.
Proof.
  intros I le stp plain lt.
  pose proof (step_wf _ _ _ _ _ _ (inv_wf _ _ _ _ _ i I) stp) as wfi.
  pose proof (classify _ _ _ _ _ _ _ _ I stp lt) as cl.
  pose proof (core_weaken K M _ _ _ _ _ _ _ (i_core _ _ _ _ _ I) le) as c.
  inversion stp as [| | | |k' ea ed qs a' av' d dv ts' fetched address datum writable e1 e2|]; subst.
  apply (inv_fetch _ _ _ _ _ _ _ I) in fetched as f.
  pose proof (core_eval K M _ _ _ _ _ _ _ _ _ _ (i_core _ _ _ _ _ I) address lt) as ea_eq.
  eapply (inv_step sy t' x s g i _ 0);
    [apply (i_reach _ _ _ _ _ I)|apply (i_pc _ _ _ _ _ I)|exact f| |intros j ne; apply exec_pc_other; exact ne|].
  - simpl. rewrite upd_same. f_equal. apply (i_pc _ _ _ _ _ I).
  - simpl. rewrite ea_eq. destruct k; [|contradiction|].
    + destruct cl as (da & own & un). simpl. eapply core_write_data; try eassumption.
      intros lt'. eapply (core_eval K M _ _ _ _ _ _ _ _ _ _ c); [eassumption|lia].
    + simpl. eapply core_write_user; eassumption.
Qed.

(** Steps that are not ordered accesses. *)
Lemma replay_plain sy t t' x s g i e st :
  inv sy t x s g -> t' <= t -> step K M i (x i) e st -> key e = None -> ctrl e < t -> good_read t' x e ->
  exists s' g', inv sy t' (upd x i st) s' g'.
Proof.
  intros I le stp nk lt good. destruct e as [cv|k a av ts post|k a av n|a av tr post tw]; simpl in nk; try discriminate.
  - eapply replay_local; eauto.
  - eapply replay_read; eauto. intros ->. discriminate.
  - eapply replay_write; eauto. intros ->. discriminate.
Qed.

Lemma replay_acquire t x s g i a av ts post st :
  inv true t x s g -> step K M i (x i) (Read Ordered a av ts post) st -> av < t -> post < t -> ts = latest M x a ->
  exists s' g', inv true t (upd x i st) s' g'.
Proof.
  intros I stp lt ltp src.
  pose proof (step_wf _ _ _ _ _ _ (inv_wf _ _ _ _ _ i I) stp) as wfi.
  pose proof (classify _ _ _ _ _ _ _ _ I stp lt) as sa. simpl in sa.
  pose proof (i_core _ _ _ _ _ I) as c.
  inversion stp as [| | |k' r ea c' ps a' av' ts' v fetched address readable e1 e2| |]; subst k' a' av' ts' post st.
  apply (inv_fetch _ _ _ _ _ _ _ I) in fetched as f.
  pose proof (core_eval K M _ _ _ _ _ _ _ _ _ _ c address lt) as ea_eq.
  pose proof (safe_drf K safe s g i _ (i_reach _ _ _ _ _ I) f) as all. simpl in all. rewrite ea_eq in all.
  eapply (inv_step true t x s g i _ 0);
    [apply (i_reach _ _ _ _ _ I)|apply (i_pc _ _ _ _ _ I)|exact f| |intros j ne; apply exec_pc_other; exact ne|].
  - simpl. rewrite upd_same. f_equal. apply (i_pc _ _ _ _ _ I).
  - simpl. rewrite ea_eq. apply core_read_sync; try assumption.
    intros _. destruct readable as [value _]. rewrite src in value.
    eapply (read_exact K M true t x _ _ g i); try eassumption; [congruence|right; reflexivity|].
    pose proof (post_read_ge (x i) Ordered a av ts) as [_ ge]. rewrite <- src. lia.
Qed.

Lemma replay_release sy t x s g i a av n st :
  inv sy t x s g -> step K M i (x i) (Write Ordered a av n) st -> av < t -> (sy = true -> latest M x a < n) ->
  exists s' g', inv sy t (upd x i st) s' g'.
Proof.
  intros I stp lt above.
  pose proof (step_wf _ _ _ _ _ _ (inv_wf _ _ _ _ _ i I) stp) as wfi.
  pose proof (classify _ _ _ _ _ _ _ _ I stp lt) as sa. simpl in sa.
  pose proof (i_core _ _ _ _ _ I) as c.
  inversion stp as [| | | |k' ea ed qs a' av' d dv ts' fetched address datum writable e1 e2|]; subst k' a' av' ts' st.
  apply (inv_fetch _ _ _ _ _ _ _ I) in fetched as f.
  pose proof (core_eval K M _ _ _ _ _ _ _ _ _ _ c address lt) as ea_eq.
  pose proof (safe_drf K safe s g i _ (i_reach _ _ _ _ _ I) f) as all. simpl in all.
  eapply (inv_step sy t x s g i _ 0);
    [apply (i_reach _ _ _ _ _ I)|apply (i_pc _ _ _ _ _ I)|exact f| |intros j ne; apply exec_pc_other; exact ne|].
  - simpl. rewrite upd_same. f_equal. apply (i_pc _ _ _ _ _ I).
  - simpl. rewrite ea_eq. eapply core_write_sync; try eassumption; [discriminate|].
    intros lt'. eapply (core_eval K M _ _ _ _ _ _ _ _ _ _ c); [eassumption|lia].
Qed.

(** An atomic update is an acquiring read and a releasing write with nothing between them. *)
Lemma replay_update t x s g i a av tr post tw st :
  inv true t x s g -> step K M i (x i) (Update a av tr post tw) st -> av < t -> post < t -> tr = latest M x a ->
  exists s' g', inv true t (upd x i st) s' g'.
Proof.
  intros I stp lt ltp src.
  pose proof (inv_wf _ _ _ _ _ i I) as wf0.
  pose proof (step_wf _ _ _ _ _ _ wf0 stp) as wfi.
  pose proof (classify _ _ _ _ _ _ _ _ I stp lt) as sa. simpl in sa.
  pose proof (i_core _ _ _ _ _ I) as c.
  inversion stp as [| | | | |fop r ea ed c' ps qs a' av' d dv tr' v post' tw' fetched address datum readable post_is
                             writable later atomic e1 e2]; subst a' av' tr' post' tw' st.
  apply (inv_fetch _ _ _ _ _ _ _ I) in fetched as f.
  pose proof (core_eval K M _ _ _ _ _ _ _ _ _ _ c address lt) as ea_eq.
  pose proof (safe_drf K safe s g i _ (i_reach _ _ _ _ _ I) f) as all. simpl in all. rewrite ea_eq in all.
  apply andb_true_iff in all as [all_ps all_qs].
  pose proof readable as [value _].
  assert (exact_v : sc_mem s a = v).
  { rewrite src in value. eapply (read_exact K M true t x _ _ g i); try eassumption; [congruence|right; reflexivity|].
    pose proof (post_read_ge (x i) Ordered a av tr) as [_ ge]. rewrite <- src. lia. }
  assert (wf1 : thread_wf M i (do_read (x i) Ordered r a av tr v)).
  { eapply do_read_wf; [exact wf0| |exact readable]. eapply veval_view_eq; [apply (tw_regs _ _ _ wf0)|exact address]. }
  eapply (inv_step true t x s g i _ 0);
    [apply (i_reach _ _ _ _ _ I)|apply (i_pc _ _ _ _ _ I)|exact f| |intros j ne; apply exec_pc_other; exact ne|].
  - simpl. rewrite upd_same. f_equal. apply (i_pc _ _ _ _ _ I).
  - simpl. rewrite ea_eq. set (rs' := upd (sc_reg s i) r (sc_mem s a)) in *.
    pose proof (core_read_sync K M t x (sc_reg s) (sc_mem s) g i (pc (x i)) r a av tr v (taken rs' c' ps) c sa src all_ps
                  wf1 (fun _ => exact_v)) as c1.
    set (y := upd x i (at_pc (do_read (x i) Ordered r a av tr v) (pc (x i)))) in *.
    assert (yi : y i = do_read (x i) Ordered r a av tr v) by (unfold y; rewrite upd_same; reflexivity).
    set (g1 := pull g i a (taken rs' c' ps)) in *.
    assert (can : can_write M i (y i) Ordered a av (binop_val fop v d) (max dv post) tw) by (rewrite yi; exact writable).
    assert (wf2 : thread_wf M i (at_pc (do_write (y i) Ordered a av (max dv post) tw) (S (pc (x i))))).
    { rewrite yi. exact wfi. }
    pose proof (core_write_sync K M true t y (upd (sc_reg s) i rs') (sc_mem s) g1 i (S (pc (x i))) a av (max dv post) tw
                  (binop_val fop v d) (binop_val fop (sc_mem s a) (eval (sc_reg s i) ed))
                  (map (eval rs') qs) (payload g1 a) c1 sa all_qs (fun b p => p)) as c2.
    refine (core_ext K M true t _ _ _ _ _ _ _ (c2 _ can wf2 _) _ _ _).
    + intros _. assert (same : latest M y a = latest M x a) by (apply latest_same; reflexivity). rewrite same. lia.
    + intros lt'. rewrite exact_v. f_equal. eapply (core_eval K M _ _ _ _ _ _ _ _ _ _ c); [eassumption|lia].
    + intros j. who j i; [rewrite yi; reflexivity|]. unfold y. rewrite upd_other by assumption. reflexivity.
    + intros j r'. who j i; [reflexivity|]. reflexivity.
    + reflexivity.
Qed.
End Replay.
