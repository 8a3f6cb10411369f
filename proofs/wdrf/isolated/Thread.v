(* SPDX-License-Identifier: Apache-2.0 *)
(** Facts about one thread of the Promising machine: views only grow, reachable thread states are well formed, and a
    message that is not yet written lies above the coherence, write and control views.  Used by the simulation. *)
From Coq Require Import List Arith Lia.
From SeKVM.wdrf Require Import Tactics.
From SeKVM.wdrf.isolated Require Import Base Promising.
Import ListNotations.

(** ** Views only grow *)
Record thread_le (s s' : thread) : Prop := {
  le_coh : forall a, coh s a <= coh s' a;
  le_vrn : vrn s <= vrn s';
  le_vwn : vwn s <= vwn s';
  le_vro : vro s <= vro s';
  le_vwo : vwo s <= vwo s';
  le_vcap : vcap s <= vcap s';
  le_vrel : vrel s <= vrel s';
  le_fulfilled : forall ts, fulfilled s ts = true -> fulfilled s' ts = true }.

Lemma thread_le_refl s : thread_le s s.
Proof. constructor; auto. Qed.

Lemma thread_le_trans s1 s2 s3 : thread_le s1 s2 -> thread_le s2 s3 -> thread_le s1 s3.
Proof. intros [] []. constructor; intros; try (eapply Nat.le_trans; eauto); auto. Qed.

Lemma at_pc_le st p : thread_le st (at_pc st p).
Proof. constructor; simpl; auto. Qed.

Lemma with_reg_le st r x : thread_le st (with_reg st r x).
Proof. constructor; simpl; auto. Qed.

Lemma with_cap_le st v : thread_le st (with_cap st v).
Proof. constructor; simpl; auto; lia. Qed.

Lemma with_fence_le st vr vw : thread_le st (with_fence st vr vw).
Proof. constructor; simpl; auto; lia. Qed.

Lemma do_read_le st k r a av ts v : thread_le st (do_read st k r a av ts v).
Proof. constructor; simpl; auto; try lia. intro b. upd_cases; lia. Qed.

Lemma do_write_le M i st k a av d dv ts :
  can_write M i st k a av d dv ts -> thread_le st (do_write st k a av dv ts).
Proof.
  intros (_ & _ & above & _). constructor; simpl; auto; try lia.
  - intro b. upd_cases; lia.
  - intros t done. upd_cases; auto.
Qed.

Lemma step_le K M i s e s' : step K M i s e s' -> thread_le s s'.
Proof.
  intros st. step_cases st; (eapply thread_le_trans; [|apply at_pc_le]).
  - apply with_reg_le.
  - apply with_cap_le.
  - apply with_fence_le.
  - apply do_read_le.
  - eapply do_write_le; eassumption.
  - eapply thread_le_trans; [apply do_read_le | eapply do_write_le; eassumption].
Qed.

Lemma run_le K M i s es s' : run K M i s es s' -> thread_le s s'.
Proof.
  induction 1; [apply thread_le_refl|]. eapply thread_le_trans; [eapply step_le|]; eassumption.
Qed.

(** ** Well-formed thread states *)
Definition fwd_wf (M : memory) (i : tid) (st : thread) (a : addr) : Prop :=
  fwd st a = (0, 0) \/
  (snd (fwd st a) < fst (fwd st a) /\ fst (fwd st a) <= coh st a /\ fulfilled st (fst (fwd st a)) = true /\
   exists v, msg_at M (fst (fwd st a)) = Some (Message i a v)).

Record thread_wf (M : memory) (i : tid) (st : thread) : Prop := {
  tw_vrn : vrn st <= max (vro st) (vwo st);
  tw_vwn : vwn st <= max (vro st) (vwo st);
  tw_vrel : vrel st <= vwo st;
  tw_coh : forall a, coh st a <= max (vro st) (vwo st);
  tw_regs : forall r, snd (regs st r) <= vro st;
  tw_vcap : vcap st <= vro st;
  tw_vro : vro st <= length M;
  tw_vwo : vwo st <= length M;
  tw_fwd : forall a, fwd_wf M i st a;
  tw_fulfilled : forall ts, fulfilled st ts = true ->
    exists a v, msg_at M ts = Some (Message i a v) /\ ts <= fst (fwd st a) }.

Lemma msg_at_bound M ts m : msg_at M ts = Some m -> 0 < ts /\ ts <= length M.
Proof.
  destruct ts as [|n]; simpl; [discriminate|]. intros found.
  assert (inside : nth_error M n <> None) by congruence. apply nth_error_Some in inside. lia.
Qed.

Lemma value_at_bound K M a ts v : value_at K M a ts v -> ts <= length M.
Proof. intros [[-> _]|(m & found & _)]; [lia|]. apply msg_at_bound in found. lia. Qed.

Lemma veval_view rs n e : (forall r, snd (rs r) <= n) -> snd (veval rs e) <= n.
Proof. intros bound. induction e; simpl; auto; lia. Qed.

Lemma veval_view_eq rs n e a av : (forall r, snd (rs r) <= n) -> veval rs e = (a, av) -> av <= n.
Proof. intros bound value. pose proof (veval_view rs n e bound) as le. rewrite value in le. exact le. Qed.

Lemma thread_initial_wf M i : thread_wf M i thread_initial.
Proof. constructor; simpl; intros; try lia; try discriminate. left. reflexivity. Qed.

Lemma source_view_le M i st a ts : thread_wf M i st -> source_view st a ts <= ts.
Proof.
  intros wf. unfold source_view. destruct (Nat.eqb_spec (fst (fwd st a)) ts) as [own|]; [|lia].
  destruct (tw_fwd _ _ _ wf a) as [none|(lt & _)]; [rewrite none in *; simpl in *; lia | lia].
Qed.

Lemma at_pc_wf M i st p : thread_wf M i st -> thread_wf M i (at_pc st p).
Proof. intros []. constructor; assumption. Qed.

Lemma with_reg_wf M i st r x : thread_wf M i st -> snd x <= vro st -> thread_wf M i (with_reg st r x).
Proof. intros [] le. constructor; try assumption. simpl. intro r'. upd_cases; auto. Qed.

Lemma with_cap_wf M i st v : thread_wf M i st -> v <= vro st -> thread_wf M i (with_cap st v).
Proof. intros [] le. constructor; try assumption; simpl; lia. Qed.

Lemma with_fence_wf M i st vr vw :
  thread_wf M i st -> vr <= max (vro st) (vwo st) -> vw <= max (vro st) (vwo st) -> thread_wf M i (with_fence st vr vw).
Proof. intros [] ler lew. constructor; try assumption; simpl; lia. Qed.

Lemma fence_views M i st b : thread_wf M i st ->
  fence_reads st b <= max (vro st) (vwo st) /\ fence_writes st b <= max (vro st) (vwo st).
Proof. intros wf. pose proof (tw_vcap _ _ _ wf). destruct b; simpl; lia. Qed.

Lemma post_read_bound M i st k a av ts :
  thread_wf M i st -> av <= vro st -> ts <= length M -> post_read st k a av ts <= length M.
Proof.
  intros wf le inside. pose proof (source_view_le M i st a ts wf). destruct wf.
  unfold post_read, pre_read. destruct k; simpl; lia.
Qed.

Lemma do_read_wf K M i st k r a av ts v :
  thread_wf M i st -> av <= vro st -> can_read K M st k a av ts v -> thread_wf M i (do_read st k r a av ts v).
Proof.
  intros wf le (value & _). apply value_at_bound in value.
  pose proof (post_read_bound M i st k a av ts wf le value) as bound.
  destruct wf as [w_vrn w_vwn w_vrel w_coh w_regs w_vcap w_vro w_vwo w_fwd w_done].
  constructor; simpl.
  - destruct k; simpl; lia.
  - destruct k; simpl; lia.
  - exact w_vrel.
  - intro b. pose proof (w_coh b). upd_cases; lia.
  - intro r'. pose proof (w_regs r'). upd_cases; simpl; lia.
  - lia.
  - lia.
  - exact w_vwo.
  - intro b. destruct (w_fwd b) as [none|(lt & lec & done & msg)]; [left; exact none|right].
    simpl. split; [exact lt|]. split; [|split; assumption]. upd_cases; lia.
  - exact w_done.
Qed.

Lemma pre_write_bounds st k av dv :
  av <= pre_write st k av dv /\ dv <= pre_write st k av dv /\ vcap st <= pre_write st k av dv /\
  vwn st <= pre_write st k av dv.
Proof. unfold pre_write. lia. Qed.

Lemma pre_write_lt st k av dv ts : pre_write st k av dv < ts ->
  av < ts /\ dv < ts /\ vcap st < ts /\ vwn st < ts.
Proof. intros lt. pose proof (pre_write_bounds st k av dv). lia. Qed.

Lemma pre_write_ordered_lt st av dv ts : pre_write st Ordered av dv < ts -> vro st < ts /\ vwo st < ts.
Proof. unfold pre_write. simpl. lia. Qed.

(** What the write part of an atomic update is above. *)
Lemma update_bounds M i st r a av tr v d dv post tw :
  can_write M i (do_read st Ordered r a av tr v) Ordered a av d (max dv post) tw ->
  av < tw /\ dv < tw /\ post < tw /\ vcap st < tw /\ vwn st < tw /\ vro st < tw /\ vwo st < tw /\ coh st a < tw /\
  post_read st Ordered a av tr < tw.
Proof.
  intros (_ & _ & above & pre).
  apply pre_write_ordered_lt in pre as ordered. apply pre_write_lt in pre. simpl in *. rewrite upd_same in above.
  destruct ordered as [o1 o2]. destruct pre as (p1 & p2 & p3 & p4).
  apply Nat.max_lub_lt_iff in p2, p3, p4, o1, above. tauto.
Qed.

Lemma post_read_ge st k a av ts : pre_read st k av <= post_read st k a av ts /\ source_view st a ts <= post_read st k a av ts.
Proof. unfold post_read. lia. Qed.

Lemma pre_read_ge st k av : av <= pre_read st k av /\ vrn st <= pre_read st k av /\ if_ordered k (vrel st) <= pre_read st k av.
Proof. unfold pre_read. lia. Qed.

Lemma do_write_fwd M i st k a av d dv ts b :
  (forall b, fwd_wf M i st b) -> can_write M i st k a av d dv ts -> fwd_wf M i (do_write st k a av dv ts) b.
Proof.
  intros wf (msg & _ & _ & pre). pose proof (pre_write_bounds st k av dv) as (leav & ledv & _).
  unfold fwd_wf. simpl. who b a.
  - right. simpl. split; [lia|]. split; [lia|]. rewrite ?upd_same. eauto.
  - destruct (wf b) as [none|(lt & lec & done & found)]; [left; exact none|right].
    split; [exact lt|]. split; [exact lec|]. split; [|exact found]. upd_cases; auto.
Qed.

Lemma do_write_fulfilled M i st k a av d dv ts :
  thread_wf M i st -> can_write M i st k a av d dv ts ->
  forall t, upd (fulfilled st) ts true t = true ->
  exists b w, msg_at M t = Some (Message i b w) /\ t <= fst (upd (fwd st) a (ts, max av dv) b).
Proof.
  intros wf (msg & _ & above & _) t done. who t ts.
  - exists a, d. rewrite ?upd_same. auto.
  - destruct (tw_fulfilled _ _ _ wf t done) as (b & w & found & le). exists b, w. split; [exact found|].
    who b a; [|exact le]. simpl.
    destruct (tw_fwd _ _ _ wf a) as [none|(_ & lec & _)]; [rewrite none in le; simpl in le|]; lia.
Qed.

Lemma do_write_wf M i st k a av d dv ts :
  thread_wf M i st -> av <= vro st -> can_write M i st k a av d dv ts -> thread_wf M i (do_write st k a av dv ts).
Proof.
  intros wf le can. pose proof can as (msg & fresh & above & pre).
  apply msg_at_bound in msg as inside.
  pose proof (do_write_fulfilled M i st k a av d dv ts wf can) as all_done.
  assert (fwds : forall b, fwd_wf M i (do_write st k a av dv ts) b).
  { intro b. eapply do_write_fwd; [apply (tw_fwd _ _ _ wf)|exact can]. }
  pose proof (tw_coh _ _ _ wf) as cohs.
  destruct wf. constructor; try assumption; simpl; try lia.
  - destruct k; simpl; lia.
  - intro b. pose proof (cohs b). upd_cases; lia.
Qed.

Lemma step_wf K M i s e s' : thread_wf M i s -> step K M i s e s' -> thread_wf M i s'.
Proof.
  intros wf st. pose proof (tw_regs _ _ _ wf) as views.
  step_cases st; apply at_pc_wf.
  - apply with_reg_wf; [exact wf|]. apply veval_view; exact views.
  - apply with_cap_wf; [exact wf|]. eapply veval_view_eq; eassumption.
  - pose proof (fence_views M i s b wf) as [ler lew]. apply with_fence_wf; assumption.
  - eapply do_read_wf; [exact wf| |eassumption]. eapply veval_view_eq; eassumption.
  - eapply do_write_wf; [exact wf| |eassumption]. eapply veval_view_eq; eassumption.
  - assert (av <= vro s) by (eapply veval_view_eq; eassumption).
    eapply do_write_wf; [eapply do_read_wf; eassumption| |eassumption]. simpl. lia.
Qed.

(** ** Events *)
(** The view that the address or the branch condition depends on. *)
Definition ctrl (e : event) : view :=
  match e with Internal cv => cv | Read _ _ av _ _ => av | Write _ _ av _ => av | Update _ av _ _ _ => av end.

(** When an ordered access takes its place among the ordered accesses. *)
Definition key (e : event) : option view :=
  match e with
  | Read Ordered _ _ _ post => Some post
  | Write Ordered _ _ ts => Some ts
  | Update _ _ _ _ tw => Some tw
  | _ => None
  end.

(** The message that the event writes. *)
Definition writes (e : event) : option (addr * view) :=
  match e with Write _ a _ ts => Some (a, ts) | Update a _ _ _ tw => Some (a, tw) | _ => None end.

Lemma step_ctrl_vcap K M i s e s' : step K M i s e s' -> ctrl e <= vcap s'.
Proof. intros st. step_cases st; simpl; lia. Qed.

Lemma step_ctrl_bound K M i s e s' : thread_wf M i s -> step K M i s e s' -> ctrl e <= length M.
Proof.
  intros wf st. pose proof (step_ctrl_vcap _ _ _ _ _ _ st).
  destruct (step_wf _ _ _ _ _ _ wf st). lia.
Qed.

Lemma step_key K M i s e s' q : thread_wf M i s -> step K M i s e s' -> key e = Some q ->
  max (vrn s) (vrel s) <= q /\ q <= max (vrn s') (vrel s') /\ q <= max (vro s') (vwo s').
Proof.
  intros wf st K0. pose proof (tw_vrn _ _ _ wf) as b1. pose proof (tw_vrel _ _ _ wf) as b2. clear wf.
  step_cases st; simpl in K0; try discriminate.
  - destruct k; try discriminate. injection K0 as <-.
    pose proof (post_read_ge s Ordered a av ts) as [g1 _]. pose proof (pre_read_ge s Ordered av) as (_ & g2 & g3).
    simpl in *. repeat split; lia.
  - destruct k; try discriminate. injection K0 as <-. destruct writable as (_ & _ & _ & pre).
    apply pre_write_ordered_lt in pre. simpl in *. repeat split; lia.
  - injection K0 as <-. apply update_bounds in writable as (_ & _ & _ & _ & _ & o1 & o2 & _). simpl. clear post_is.
    repeat split; lia.
Qed.

Lemma step_key_bound K M i s e s' q : thread_wf M i s -> step K M i s e s' -> key e = Some q -> q <= length M.
Proof.
  intros wf st K0. destruct (step_key _ _ _ _ _ _ _ wf st K0) as (_ & _ & le).
  destruct (step_wf _ _ _ _ _ _ wf st). lia.
Qed.

(** An acquire raises both new views above what it reads, hence above the last release. *)
Lemma step_acquire K M i s e s' : step K M i s e s' ->
  match e with
  | Read Ordered _ _ _ post => vrel s <= post /\ post <= vwn s'
  | Update _ _ _ post tw => vrel s <= post /\ post < tw /\ post <= vwn s' /\ tw <= vrel s'
  | Write Ordered _ _ ts => ts <= vrel s'
  | _ => True
  end.
Proof.
  intros st. step_cases st; simpl; auto.
  - destruct k; simpl; auto.
    pose proof (post_read_ge s Ordered a av ts) as [g1 _]. pose proof (pre_read_ge s Ordered av) as (_ & _ & g3).
    simpl in *. lia.
  - destruct k; simpl; auto. lia.
  - apply update_bounds in writable as (_ & _ & lt & _). subst post.
    pose proof (post_read_ge s Ordered a av tr) as [g1 _]. pose proof (pre_read_ge s Ordered av) as (_ & _ & g3).
    simpl in *. lia.
Qed.

Lemma step_write_bound K M i s e s' loc n : step K M i s e s' -> writes e = Some (loc, n) ->
  coh s loc < n /\ vwn s < n /\ vcap s < n /\ ctrl e < n /\ fulfilled s n = false /\ fulfilled s' n = true /\
  exists v, msg_at M n = Some (Message i loc v).
Proof.
  intros st. step_cases st; simpl; intros W; try discriminate; injection W as <- <-; rewrite upd_same.
  - destruct writable as (msg & fresh & above & pre). apply pre_write_lt in pre as (p1 & _ & p3 & p4). eauto 8.
  - apply update_bounds in writable as bounds. destruct bounds as (u1 & _ & _ & u4 & u5 & _ & _ & u8 & _).
    destruct writable as (msg & fresh & _). simpl in fresh. eauto 8.
Qed.

Lemma step_ordered_write_bound K M i s e s' loc n q : step K M i s e s' -> writes e = Some (loc, n) -> key e = Some q ->
  q = n /\ vro s < n /\ vwo s < n.
Proof.
  intros st. step_cases st; simpl; intros W Q; try discriminate; injection W as <- <-.
  - destruct k; try discriminate. injection Q as <-. destruct writable as (_ & _ & _ & pre).
    apply pre_write_ordered_lt in pre. tauto.
  - injection Q as <-. apply update_bounds in writable. tauto.
Qed.

(** ** Messages that are still to be written *)
Definition pending (M : memory) (i : tid) (st : thread) (ts : view) (a : addr) : Prop :=
  (exists v, msg_at M ts = Some (Message i a v)) /\ fulfilled st ts = false.

Lemma step_pending K M i s e s' n loc : step K M i s e s' -> pending M i s n loc ->
  pending M i s' n loc \/ writes e = Some (loc, n).
Proof.
  intros st [[w found] fresh]. unfold pending.
  step_cases st; simpl; try (left; split; [eauto|assumption]).
  - destruct writable as (msg & _). who n ts; [right|left; eauto]. rewrite found in msg. injection msg as -> _. reflexivity.
  - destruct writable as (msg & _). who n tw; [right|left; eauto]. rewrite found in msg. injection msg as -> _. reflexivity.
Qed.

(** The list contains a store that is not ordered and writes message [ts]. *)
Definition plain_write (es : list event) (a : addr) (ts : view) : Prop :=
  exists k av, k <> Ordered /\ In (Write k a av ts) es.

Lemma plain_write_cons e es a ts : plain_write es a ts -> plain_write (e :: es) a ts.
Proof. intros (k & av & ne & within). exists k, av. simpl. auto. Qed.

(** In a complete run a pending message is written later: it lies above the views that bound writes, and if it is written
    by an ordered store then above all earlier accesses as well. *)
Lemma pending_later K M i s es s' ts a : run K M i s es s' -> complete M i s' -> pending M i s ts a ->
  coh s a < ts /\ vwn s < ts /\ vcap s < ts /\ (plain_write es a ts \/ (vro s < ts /\ vwo s < ts)).
Proof.
  intros r done. induction r as [s|s e s1 es s2 st r IH]; intros P.
  - destruct P as [[v found] fresh]. specialize (done _ _ found eq_refl). congruence.
  - destruct (step_pending _ _ _ _ _ _ _ _ st P) as [P1|W].
    + destruct (IH done P1) as (b1 & b2 & b3 & later). destruct (step_le _ _ _ _ _ _ st) as [g1 g2 g3 g4 g5 g6 g7 g8].
      specialize (g1 a). repeat split; try lia.
      destruct later as [later|[b4 b5]]; [left; apply plain_write_cons; exact later|right; lia].
    + destruct (step_write_bound _ _ _ _ _ _ _ _ st W) as (b1 & b2 & b3 & _). repeat split; auto.
      destruct (key e) as [q|] eqn:Q.
      * right. destruct (step_ordered_write_bound _ _ _ _ _ _ _ _ _ st W Q) as (_ & b4 & b5). auto.
      * left. destruct e as [|k a0 av t p|k a0 av t|]; simpl in W, Q; try discriminate.
        injection W as -> ->. exists k, av. split; [intros ->; discriminate|left; reflexivity].
Qed.

(** A message is written once. *)
Lemma plain_write_pending K M i s es s' ts a : run K M i s es s' -> plain_write es a ts -> fulfilled s ts = false.
Proof.
  intros r (k & av & _ & within). induction r as [s|s e s1 es s2 st r IH]; [destruct within|].
  destruct within as [->|within].
  - apply step_write_bound with (loc := a) (n := ts) in st; [tauto|reflexivity].
  - specialize (IH within). destruct (fulfilled s ts) eqn:D; auto.
    apply (le_fulfilled _ _ (step_le _ _ _ _ _ _ st)) in D. congruence.
Qed.
