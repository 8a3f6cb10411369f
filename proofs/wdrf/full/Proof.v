(* SPDX-License-Identifier: Apache-2.0 *)
(** Theorem 4 with memory isolation, Theorems 1 and 3, and the theorems about page tables and TLBs, as stated in
    [Statements].  The replay is that of the isolated development ([Whole]): users are its environment. *)
From Coq Require Import List Arith Lia Bool.
From SeKVM.wdrf Require Import Statements.
From SeKVM.wdrf.isolated Require Import Base SC DRF Promising Thread Whole.
From SeKVM.wdrf.isolated Require Schedule.
From SeKVM.wdrf.full Require Import Base SC Promising DRF PageTable.
Import ListNotations.

Section Full.
Variables (K : kernel) (X : mmu) (M : memory) (f : tid -> thread).
Hypothesis cond : wdrf_full K X.
Hypothesis beh : full_behaviour K X M f.

Notation env_isolated := (Schedule.env_isolated K M).

Let wf : well_formed K := wf_well_formed K X cond.
Let geo : geometry K X := wf_geometry K X cond.
Let safe : sc_safe K := wf_safe K X cond.
Let running : kernel_run K M f := fb_kernel K X M f beh.

(** Table entries that a walk reads before [now] are well typed, if users are isolated until then. *)
Lemma entry_typed now u l a ts v : env_isolated now -> l < levels X -> table X u l a ->
  value_at K M a ts v -> ts < now -> well_typed K a v = true.
Proof.
  intros iso lt tab [[_ ->]|(m & found & here & <-)] before; [exact (geo_initial K X geo u l a lt tab)|].
  pose proof (geo_kernel K X geo u l a lt tab) as da. rewrite <- here in da |- *.
  apply (kernel_stores_typed K M f wf safe running ts m).
  - eapply Schedule.env_isolated_le; [exact iso|lia].
  - exact found.
  - destruct (le_lt_dec (cpus K) (mtid m)) as [out|]; [exfalso|assumption].
    pose proof (iso ts m before found out). congruence.
  - exact da.
Qed.

Lemma walk_typed now u va l a : env_isolated now -> walk K X M u now va l a -> table X u l a.
Proof.
  intros iso. induction 1 as [|l a ts v a' w IH lt value before fresh step]; [apply (geo_root K X geo)|].
  apply (geo_next K X geo u l a v va a' lt IH); [|exact step]. eapply entry_typed; eassumption.
Qed.

(** User writes never reach kernel memory: by induction on timestamps. *)
Lemma users_isolated : forall t, env_isolated t.
Proof.
  induction t as [|t IH]; intros ts m lt found out; [lia|].
  destruct (Nat.eq_dec ts t) as [->|ne]; [|apply (IH ts m); [lia|exact found|exact out]].
  destruct (fb_users K X M f beh t m found out) as [va w].
  apply (geo_page K X geo (mtid m)). eapply walk_typed; [exact IH|exact w].
Qed.

Lemma access_table u now pa : accesses K X M u now pa -> table X u (levels X) pa.
Proof. intros [va w]. eapply walk_typed; [apply users_isolated|exact w]. Qed.

Lemma full_sc : exists s g, sc_reach K s g /\
  same_outcome K M f (fun a => class_of K a <> User) (sc_pc s) (sc_reg s) (sc_mem s).
Proof. apply (whole_sc K M f wf safe running). apply users_isolated. Qed.

(** ** Walks *)
Lemma last_write_le a n : last_write M a n <= n.
Proof.
  induction n as [|n IH]; cbn [last_write]; [lia|].
  destruct (msg_at M (S n)) as [m|]; [destruct (mloc m =? a)|]; lia.
Qed.

Lemma last_write_max a n ts m : msg_at M ts = Some m -> mloc m = a -> ts <= n -> ts <= last_write M a n.
Proof.
  intros found here. induction n as [|n IH]; intros le; [lia|]. cbn [last_write].
  destruct (Nat.eq_dec ts (S n)) as [->|ne].
  - rewrite found, here, Nat.eqb_refl. lia.
  - assert (below : ts <= last_write M a n) by (apply IH; lia).
    destruct (msg_at M (S n)) as [m'|]; [destruct (mloc m' =? a)|]; lia.
Qed.

Lemma last_write_at a n : last_write M a n = 0 \/ exists m, msg_at M (last_write M a n) = Some m /\ mloc m = a.
Proof.
  induction n as [|n IH]; cbn [last_write]; [auto|].
  destruct (msg_at M (S n)) as [m|] eqn:found; [|exact IH]. destruct (Nat.eqb_spec (mloc m) a) as [here|]; [|exact IH].
  right. exists m. auto.
Qed.

Lemma last_write_quiet a ts v s : value_at K M a ts v -> no_write M a ts s -> ts <= s -> last_write M a s = ts.
Proof.
  intros value none le.
  assert (ge : ts <= last_write M a s).
  { destruct value as [[-> _]|(m & found & here & _)]; [lia|]. eapply last_write_max; eassumption. }
  destruct (Nat.eq_dec (last_write M a s) ts) as [|ne]; [assumption|exfalso].
  destruct (last_write_at a s) as [z|(m & found & here)]; [lia|].
  apply (none (last_write M a s) m); [lia|apply last_write_le|exact found|exact here].
Qed.

Section Tables.
Hypothesis once : linked_once K X.

(** An entry whose value leads on has been set, and a link is then never set again. *)
Lemma link_quiet u l a ts v va a' s : S l < levels X -> table X u l a -> value_at K M a ts v -> next X l v va = Some a' ->
  no_write M a ts s.
Proof.
  intros lt tab value leads ts' m' above _ found' here'.
  pose proof (lo_once K X once u l a lt tab) as wo.
  pose proof (geo_kernel K X geo u l a (Nat.lt_trans _ _ _ (Nat.lt_succ_diag_r l) lt) tab) as da.
  assert (uniq : forall n m, msg_at M n = Some m -> mloc m = a -> n = ts' /\ established K a = false).
  { intros n m found here.
    exact (whole_once K M f wf safe running (users_isolated _) a n ts' m m' da wo found here found' here'). }
  destruct value as [[z ->]|(m & found & here & _)].
  - destruct (uniq ts' m' found' here') as [_ new].
    rewrite (lo_empty K X once u l a va) in leads; [discriminate|lia|exact tab|auto].
  - destruct (uniq ts m found here) as [same _]. lia.
Qed.

Lemma links_table u now hi va l a : links K X M u now hi va l a -> table X u l a.
Proof.
  induction 1 as [|l a ts v a' w IH lt value before fresh le step]; [apply (geo_root K X geo)|].
  apply (geo_next K X geo u l a v va a'); [lia|exact IH| |exact step].
  apply (entry_typed now u l a ts v); [apply users_isolated|lia|exact IH|exact value|exact before].
Qed.

Lemma links_raise u now hi hi' va l a : links K X M u now hi va l a -> hi <= hi' -> links K X M u now hi' va l a.
Proof.
  intros w le. induction w as [|l a ts v a' w IH lt value before fresh below step]; [constructor|].
  econstructor; try eassumption. lia.
Qed.

(** The links of a walk are those of the tables at any later moment. *)
Lemma links_snapshot u now hi va l a s : links K X M u now hi va l a -> hi <= s -> snapshot K X M u s va l a.
Proof.
  intros w le. induction w as [|l a ts v a' w IH lt value before fresh below step]; [constructor|].
  pose proof (links_table _ _ _ _ _ _ w) as tab.
  econstructor; [exact IH|lia| |exact step].
  rewrite (last_write_quiet a ts v s value); [exact value| |lia].
  eapply link_quiet; eassumption.
Qed.

(** The latest link of a walk. *)
Lemma walk_links u now va l a : walk K X M u now va l a -> l < levels X ->
  exists hi, (hi < now \/ hi = 0) /\ links K X M u now hi va l a /\
    (hi = 0 \/ exists l' p ml, S l' < levels X /\ table X u l' p /\ msg_at M hi = Some ml /\ mloc ml = p).
Proof.
  induction 1 as [|l a ts v a' w IH lt value before fresh step]; intros inside.
  - exists 0. split; [auto|]. split; [constructor|auto].
  - destruct IH as (hi & below & ls & is_link); [lia|].
    pose proof (links_table _ _ _ _ _ _ ls) as tab.
    exists (max hi ts). split; [left; lia|]. split.
    + econstructor; [eapply links_raise; [exact ls|lia]|exact inside|exact value|exact before|exact fresh|lia|exact step].
    + destruct (Nat.le_gt_cases ts hi) as [le|gt].
      * rewrite Nat.max_l by exact le. exact is_link.
      * rewrite Nat.max_r by lia. destruct value as [[z _]|(m & found & here & _)]; [left; exact z|right].
        exists l, a, m. auto.
Qed.

Lemma walk_atomic u now va pa : transactional K X M -> walk K X M u now va (levels X) pa -> last_tlbi M X now < now ->
  exists s, last_tlbi M X now <= s /\ s < now /\ snapshot K X M u s va (levels X) pa.
Proof.
  intros trans w inv_before. remember (levels X) as top eqn:is_top. destruct w as [|l a ts v a' w' lt value before fresh step].
  - exists (last_tlbi M X now). split; [lia|]. split; [exact inv_before|]. constructor.
  - rename is_top into succ. assert (inside : l < levels X) by lia.
    destruct (walk_links u now va l a w' inside) as (hi & below & ls & is_link).
    pose proof (links_table _ _ _ _ _ _ ls) as tab.
    set (lb := last_tlbi M X now) in *. exists (max (max hi ts) lb). split; [lia|]. split; [destruct below; lia|].
    econstructor; [eapply links_snapshot; [exact ls|lia]|exact inside| |exact step].
    rewrite (last_write_quiet a ts v _ value); [exact value| |lia].
    intros ts' m' above upto found' here'.
    destruct (le_lt_dec ts' lb) as [old|young]; [exact (fresh ts' m' above old found' here')|].
    assert (le : ts' <= hi) by lia.
    destruct value as [[z same]|(m & found & here & _)].
    + rewrite same, (lo_empty K X once u l a va) in step; [discriminate|exact inside|exact tab|]. intros more. lia.
    + pose proof (trans u now hi va l a ts ts' m m' succ ls is_link found here found' here' above). lia.
Qed.

Lemma map_only_transactional : map_only K X -> transactional K X M.
Proof.
  intros leaves u now hi va l a ts ts' m m' succ ls _ found here found' here' above. exfalso.
  pose proof (links_table _ _ _ _ _ _ ls) as tab.
  assert (da : class_of K a = Data) by (apply (geo_kernel K X geo u l a); [lia|exact tab]).
  destruct (whole_once K M f wf safe running (users_isolated _) a ts ts' m m' da (leaves u l a succ tab) found here found' here')
    as [same _]. lia.
Qed.

(** Every entry that leads on has had one value that does. *)
Lemma leading_unique u l a ts ts' v v' va b b' : map_only K X -> l < levels X -> table X u l a ->
  value_at K M a ts v -> next X l v va = Some b -> value_at K M a ts' v' -> next X l v' va = Some b' -> b = b'.
Proof.
  intros leaves lt tab value leads value' leads'.
  assert (wo : write_once K a = true).
  { destruct (Nat.eq_dec (S l) (levels X)) as [last|ne]; [exact (leaves u l a last tab)|].
    apply (lo_once K X once u l a); [lia|exact tab]. }
  pose proof (geo_kernel K X geo u l a lt tab) as da.
  assert (uniq : forall n n' m m', msg_at M n = Some m -> mloc m = a -> msg_at M n' = Some m' -> mloc m' = a ->
    n = n' /\ established K a = false).
  { intros n n' m m' found here found' here'.
    exact (whole_once K M f wf safe running (users_isolated _) a n n' m m' da wo found here found' here'). }
  assert (initially : forall n m w c, msg_at M n = Some m -> mloc m = a -> w = initial K a -> next X l w va = Some c -> False).
  { intros n m w c found here -> lead. destruct (uniq n n m m found here found here) as [_ new].
    rewrite (lo_empty K X once u l a va lt tab (fun _ => new)) in lead. discriminate. }
  destruct value as [[_ init]|(m & found & here & is)], value' as [[_ init']|(m' & found' & here' & is')].
  - congruence.
  - exfalso. exact (initially ts' m' v b found' here' init leads).
  - exfalso. exact (initially ts m v' b' found here init' leads').
  - destruct (uniq ts ts' m m' found here found' here') as [same _]. congruence.
Qed.

Lemma walks_agree u now now' va l a : map_only K X -> walk K X M u now va l a ->
  forall a', walk K X M u now' va l a' -> a = a'.
Proof.
  intros leaves. induction 1 as [|l a ts v b w IH lt value before fresh step]; intros b' w'.
  - remember 0 as zero eqn:is_zero. destruct w' as [|l' a' ts' v' b' w' lt' value' before' fresh' step']; [reflexivity|discriminate].
  - remember (S l) as succ eqn:is_succ. destruct w' as [|l' a' ts' v' b' w' lt' value' before' fresh' step']; [discriminate|].
    injection is_succ as ->. pose proof (IH a' w') as same. subst a'.
    eapply (leading_unique u l a ts ts' v v' va b b'); try eassumption.
    eapply walk_typed; [apply users_isolated|exact w].
Qed.
End Tables.
End Full.

(** ** The theorems *)
Theorem theorem4 : Theorem4.
Proof. intros K X M f cond beh. exact (full_sc K X M f cond beh). Qed.

Theorem isolation : Isolation.
Proof.
  intros K X M f cond beh. split.
  - intros u now pa acc. pose proof (access_table K X M f cond beh u now pa acc) as tab.
    split; [exact tab|]. exact (geo_page K X (wf_geometry K X cond) u pa tab).
  - intros ts m found out. apply (access_table K X M f cond beh (mtid m) ts). exact (fb_users K X M f beh ts m found out).
Qed.

Theorem theorem3 : Theorem3.
Proof.
  intros K X M f [cond [_ none]] beh. destruct (full_sc K X M f cond beh) as (s & g & reach & same).
  exists s. split; [eapply reach_closed; eassumption|exact same].
Qed.

Lemma value_at_unique K M a ts v v' : value_at K M a ts v -> value_at K M a ts v' -> v = v'.
Proof.
  intros [[z ->]|(m & found & _ & <-)] [[z' ->]|(m' & found' & _ & <-)]; try reflexivity.
  - rewrite z in found'. discriminate.
  - rewrite z' in found. discriminate.
  - congruence.
Qed.

Theorem theorem1 : Theorem1.
Proof.
  intros K X o cond (M & f & beh & (pcs & regs & words)).
  destruct (full_sc K X M f cond beh) as (s & g & reach & [same_pc same_reg same_mem]).
  exists s, g. split; [exact reach|]. split; [|split].
  - intros i p within. rewrite same_pc. exact (pcs i p within).
  - intros i r v within. rewrite same_reg. exact (regs i r v within).
  - intros a v within. destruct (words a v within) as [nu final]. split; [exact nu|].
    exact (value_at_unique K M a _ _ _ (same_mem a nu) final).
Qed.

Theorem transactional_page_table : TransactionalPageTable.
Proof.
  intros K X M f u now va pa cond beh once trans w before. eapply walk_atomic; eassumption.
Qed.

Theorem map_only_page_table : MapOnlyPageTable.
Proof.
  intros K X M f u now va pa cond beh once leaves w before.
  eapply walk_atomic; try eassumption. eapply map_only_transactional; eassumption.
Qed.

Theorem stable_translation : StableTranslation.
Proof. intros K X M f u now now' va pa pa' cond beh once leaves w w'. eapply walks_agree; eassumption. Qed.

(** ** TLB invalidation *)
Lemma run_app_split K M i st es es' st' : run K M i st (es ++ es') st' ->
  exists mid, run K M i st es mid /\ run K M i mid es' st'.
Proof.
  revert st. induction es as [|e es IH]; simpl; intros st r; [exists st; split; [constructor|exact r]|].
  inversion r as [|st0 e0 st1 es0 st2 stp r']; subst. destruct (IH st1 r') as (mid & r1 & r2).
  exists mid. split; [econstructor; eassumption|exact r2].
Qed.

Lemma write_vwo K M i st k a av n st' : step K M i st (Write k a av n) st' -> n <= vwo st'.
Proof.
  intros stp. inversion stp as [| | | |k' ea ed qs a' av' d dv ts' fetched address datum writable e1 e2|]; subst. simpl. lia.
Qed.

Theorem sequential_tlb_invalidation : SequentialTlbInvalidation.
Proof.
  intros K X M i st k a av t0 av' t es1 es2 es3 r now ts after fresh.
  apply run_app_split in r as (st1 & _ & r). inversion r as [|s0 e0 st2 es0 s1 stp r']; subst.
  apply run_app_split in r' as (st3 & r2 & r3). inversion r3 as [|s0 e0 st4 es0 s1 stp' r4]; subst.
  apply write_vwo in stp as stored. pose proof (le_vwo _ _ (run_le _ _ _ _ _ _ r2)) as mono.
  destruct (step_ordered_write_bound _ _ _ _ _ _ (tlb X) t t stp' eq_refl eq_refl) as (_ & _ & released).
  destruct (step_write_bound _ _ _ _ _ _ (tlb X) t stp' eq_refl) as (_ & _ & _ & _ & _ & _ & w & invalidated).
  destruct (step_write_bound _ _ _ _ _ _ a t0 stp eq_refl) as (_ & _ & _ & _ & _ & _ & v & unmapped).
  destruct (le_lt_dec t0 ts) as [|stale]; [assumption|exfalso].
  pose proof (last_write_max M (tlb X) now t _ invalidated eq_refl after) as last. fold (last_tlbi M X now) in last.
  assert (seen : t0 <= last_tlbi M X now) by lia. exact (fresh t0 _ stale seen unmapped eq_refl).
Qed.
