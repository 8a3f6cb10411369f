(* SPDX-License-Identifier: Apache-2.0 *)
(** Each kind of access preserves the invariant of [Invariant]: data reads and writes by the ownership rules, ordered
    reads and writes by the rules of taking and giving, accesses to user memory because the invariant ignores it. *)
From Coq Require Import List Arith Lia Bool.
From SeKVM.wdrf Require Import Tactics.
From SeKVM.wdrf.isolated Require Import Base SC Promising Thread Latest Invariant.
Import ListNotations.

(** ** Ghost algebra *)
Lemma pull_owns g i l ps j a : forallb (payload g l) ps = true -> owns (pull g i l ps) j a = true ->
  owns g j a = true \/ (j = i /\ mem_list ps a = true /\ payload g l a = true).
Proof.
  intros all. simpl. who j i; [|auto]. intros own. apply orb_true_iff in own as [own|within]; [auto|].
  right. repeat split; auto. eapply mem_list_forall; eassumption.
Qed.

Lemma pull_payload g i l ps l' a : payload (pull g i l ps) l' a = true ->
  payload g l' a = true /\ (l' = l -> mem_list ps a = false).
Proof.
  simpl. who l' l; [|intros pay; split; [exact pay|congruence]]. intros pay. apply andb_true_iff in pay as [pay out].
  apply negb_true_iff in out. auto.
Qed.

Lemma pull_exclusive g i l ps : exclusive (owns g) (payload g) -> forallb (payload g l) ps = true ->
  exclusive (owns (pull g i l ps)) (payload (pull g i l ps)).
Proof.
  intros (e1 & e2 & e3) all. split; [|split].
  - intros j k a o1 o2. apply (pull_owns _ _ _ _ _ _ all) in o1. apply (pull_owns _ _ _ _ _ _ all) in o2.
    destruct o1 as [o1|(-> & _ & p1)], o2 as [o2|(-> & _ & p2)].
    + exact (e1 j k a o1 o2).
    + exfalso. exact (e2 j l a o1 p2).
    + exfalso. exact (e2 k l a o2 p1).
    + reflexivity.
  - intros j l' a o1 p. apply (pull_owns _ _ _ _ _ _ all) in o1. apply pull_payload in p as [p out].
    destruct o1 as [o1|(-> & within & p1)]; [exact (e2 j l' a o1 p)|].
    rewrite (out (e3 l' l a p p1)) in within. discriminate.
  - intros l1 l2 a p1 p2. apply pull_payload in p1 as [p1 _]. apply pull_payload in p2 as [p2 _]. exact (e3 l1 l2 a p1 p2).
Qed.

Lemma push_owns g i l qs rest j a : owns (push g i l qs rest) j a = true ->
  owns g j a = true /\ (j = i -> mem_list qs a = false).
Proof.
  simpl. who j i; [|intros own; split; [exact own|congruence]]. intros own. apply andb_true_iff in own as [own out].
  apply negb_true_iff in out. auto.
Qed.

Lemma push_payload g i l qs rest l' a : forallb (owns g i) qs = true -> (forall b, rest b = true -> payload g l b = true) ->
  payload (push g i l qs rest) l' a = true ->
  payload g l' a = true \/ (l' = l /\ mem_list qs a = true /\ owns g i a = true).
Proof.
  intros all kept. simpl. who l' l; [|auto]. intros pay. apply orb_true_iff in pay as [pay|within]; [auto|].
  right. repeat split; auto. eapply mem_list_forall; eassumption.
Qed.

Lemma push_exclusive g i l qs rest : exclusive (owns g) (payload g) -> forallb (owns g i) qs = true ->
  (forall b, rest b = true -> payload g l b = true) ->
  exclusive (owns (push g i l qs rest)) (payload (push g i l qs rest)).
Proof.
  intros (e1 & e2 & e3) all kept. split; [|split].
  - intros j k a o1 o2. apply push_owns in o1 as [o1 _]. apply push_owns in o2 as [o2 _]. exact (e1 j k a o1 o2).
  - intros j l' a o p. apply push_owns in o as [o out].
    apply (push_payload _ _ _ _ _ _ _ all kept) in p as [p|(-> & within & own)]; [exact (e2 j l' a o p)|].
    rewrite (out (e1 j i a o own)) in within. discriminate.
  - intros l1 l2 a p1 p2. apply (push_payload _ _ _ _ _ _ _ all kept) in p1.
    apply (push_payload _ _ _ _ _ _ _ all kept) in p2.
    destruct p1 as [p1|(-> & _ & o1)], p2 as [p2|(-> & _ & o2)].
    + exact (e3 l1 l2 a p1 p2).
    + exfalso. exact (e2 i l1 a o2 p1).
    + exfalso. exact (e2 i l2 a o1 p2).
    + reflexivity.
Qed.

Section Access.
Variable K : kernel.
Variable M : memory.

Lemma settled_pull g i l ps a : settled K (pull g i l ps) a = settled K g a.
Proof. reflexivity. Qed.
Lemma settled_push g i l qs rest a : settled K (push g i l qs rest) a = settled K g a.
Proof. reflexivity. Qed.

Lemma settled_note g i a b : settled K (note_write g i a) b = false ->
  settled K g b = false /\ (b = a -> write_once K a = false).
Proof.
  unfold settled. simpl. who b a.
  - intros un. apply andb_false_iff in un as [un|un]; [|discriminate]. rewrite un. auto.
  - intros un. split; [exact un|congruence].
Qed.

(** ** Data *)
Section ReadData.
Variables (sy : bool) (t : view) (x : cfg) (rs : tid -> reg -> val) (m : addr -> val) (g : ghost) (i : tid) (p : nat).
Variables (r : reg) (a : addr) (av ts : view) (v : val).
Let y := upd x i (at_pc (do_read (x i) Plain r a av ts v) p).

Lemma core_read_data :
  core K M sy t x rs m g -> class_of K a = Data -> may_read K g i a = true ->
  thread_wf M i (at_pc (do_read (x i) Plain r a av ts v) p) ->
  (post_read (x i) Plain a av ts < t -> m a = v) ->
  core K M sy t y (upd rs i (upd (rs i) r (m a))) m g.
Proof.
  intros c da may wfi exact_v.
  pose proof (read_grows x i p Plain r a av ts v) as gr. fold y in gr.
  assert (qu : forall b, quiet M x y b) by (intros b; apply read_quiet).
  assert (late : forall b, latest M y b = latest M x b) by (intros b; apply qu).
  assert (still : forall b, b <> a -> calm x y b) by (intros b ne; apply read_calm; exact ne).
  destruct (c_exclusive _ _ _ _ _ _ _ _ c) as (e1 & e2 & _).
  assert (others : forall j b, j <> i -> coh (y j) b = coh (x j) b) by (intros j b ne; apply read_calm_other; exact ne).
  assert (mine : forall b, settled K g b = false -> b = a -> owns g i b = true).
  { intros b un ->. unfold may_read in may. rewrite un in may. exact may. }
  constructor.
  - apply read_wf; [apply (c_wf _ _ _ _ _ _ _ _ c)|exact wfi].
  - apply read_regs; [apply (c_reg _ _ _ _ _ _ _ _ c)|exact exact_v].
  - intros b nu ds. apply (mem_at_quiet K M t x y m m b (qu b) eq_refl). apply (c_mem _ _ _ _ _ _ _ _ c); assumption.
  - intros k b db un own. destruct (Nat.eq_dec b a) as [eq|ne].
    + assert (k = i) as -> by (apply (e1 k i b own); apply mine; assumption).
      intros j nj. rewrite others by exact nj. destruct (c_own _ _ _ _ _ _ _ _ c i b db un own j nj).
      destruct (gr i). lia.
    + apply (own_at_calm x y k b (still b ne) gr). apply (c_own _ _ _ _ _ _ _ _ c); assumption.
  - intros sy1 l b sl db un pay j. rewrite late. destruct (Nat.eq_dec b a) as [eq|ne].
    + exfalso. apply (e2 i l b); [apply mine; assumption|exact pay].
    + rewrite (still b ne j). apply (c_pay _ _ _ _ _ _ _ _ c); assumption.
  - intros j l sl. destruct (qu l) as [fwds _]. rewrite fwds. pose proof (c_sync _ _ _ _ _ _ _ _ c j l sl).
    destruct (gr j). lia.
  - apply (c_exclusive _ _ _ _ _ _ _ _ c).
  - intros b db. rewrite late. apply (c_written _ _ _ _ _ _ _ _ c b db).
  - apply (c_told _ _ _ _ _ _ _ _ c).
  - intros b n msg db once ex. rewrite late. apply (c_once _ _ _ _ _ _ _ _ c b n msg db once).
    eapply read_executed. exact ex.
  - intros k b db once kn. rewrite late. pose proof (c_knows _ _ _ _ _ _ _ _ c k b db once kn) as le.
    destruct (gr k) as [gc gv _ _ _ _ _ _]. specialize (gc b). lia.
  - intros sy1 l b sl db once nw. rewrite !late. apply (c_news _ _ _ _ _ _ _ _ c); assumption.
Qed.
End ReadData.

Section WriteData.
Variables (sy : bool) (t : view) (x : cfg) (rs : tid -> reg -> val) (m : addr -> val) (g : ghost) (i : tid) (p : nat).
Variables (a : addr) (av dv n : view) (d d' : val).
Let y := upd x i (at_pc (do_write (x i) Plain a av dv n) p).

Lemma core_write_data :
  core K M sy t x rs m g -> class_of K a = Data -> owns g i a = true -> settled K g a = false ->
  can_write M i (x i) Plain a av d dv n ->
  thread_wf M i (at_pc (do_write (x i) Plain a av dv n) p) ->
  (max av dv < t -> d' = d) ->
  core K M sy t y (upd rs i (rs i)) (upd m a d') (note_write g i a).
Proof.
  intros c da own un can wfi value.
  pose proof (write_grows M x i p Plain a av dv n d can) as gr. fold y in gr.
  assert (qu : forall b, b <> a -> quiet M x y b) by (intros b ne; eapply write_quiet; eassumption).
  assert (still : forall b, b <> a -> calm x y b) by (intros b ne; apply write_calm; exact ne).
  assert (sync_ne : forall l, class_of K l = Sync -> l <> a) by (intros l sl ->; congruence).
  destruct (c_exclusive _ _ _ _ _ _ _ _ c) as (e1 & e2 & _).
  assert (lt : latest M x a < n).
  { destruct (own_latest _ _ _ _ _ _ _ _ _ _ c da un own) as [_ le]. destruct can as (_ & _ & above & pre).
    apply pre_write_lt in pre as (_ & _ & _ & lt). lia. }
  pose proof (write_latest M x i p Plain a av dv n d can lt) as late. fold y in late.
  assert (others : forall j b, j <> i -> coh (y j) b = coh (x j) b) by (intros j b ne; apply write_calm_other; exact ne).
  assert (unwritten : write_once K a = true -> written g a = false).
  { intros once. unfold settled in un. rewrite once in un. exact un. }
  constructor.
  - apply write_wf; [apply (c_wf _ _ _ _ _ _ _ _ c)|exact wfi].
  - apply write_regs. apply (c_reg _ _ _ _ _ _ _ _ c).
  - intros b nu ds. destruct (Nat.eq_dec b a) as [->|ne].
    + eapply write_mem_at; eassumption.
    + apply (mem_at_quiet K M t x y m _ b (qu b ne)); [apply upd_other; exact ne|].
      apply (c_mem _ _ _ _ _ _ _ _ c); assumption.
  - intros k b db un' own'. apply settled_note in un' as [un' _]. simpl in own'. destruct (Nat.eq_dec b a) as [->|ne].
    + assert (k = i) as -> by (apply (e1 k i a); assumption).
      intros j nj. rewrite others by exact nj. destruct (c_own _ _ _ _ _ _ _ _ c i a db un own j nj).
      destruct (gr i). lia.
    + apply (own_at_calm x y k b (still b ne) gr). apply (c_own _ _ _ _ _ _ _ _ c); assumption.
  - intros sy1 l b sl db un' pay j. apply settled_note in un' as [un' _]. simpl in pay.
    destruct (qu l (sync_ne l sl)) as [_ ->]. destruct (Nat.eq_dec b a) as [->|ne].
    + exfalso. apply (e2 i l a); assumption.
    + rewrite (still b ne j). apply (c_pay _ _ _ _ _ _ _ _ c); assumption.
  - intros j l sl. destruct (qu l (sync_ne l sl)) as [fwds _]. rewrite fwds.
    pose proof (c_sync _ _ _ _ _ _ _ _ c j l sl). destruct (gr j). lia.
  - apply (c_exclusive _ _ _ _ _ _ _ _ c).
  - intros b db. simpl. who b a.
    + rewrite late. split; [reflexivity|]. intros _. left. lia.
    + destruct (qu b) as [_ ->]; [assumption|]. apply (c_written _ _ _ _ _ _ _ _ c b db).
  - intros b. destruct (c_told _ _ _ _ _ _ _ _ c b) as [kn nw]. split; intros k; simpl.
    + who b a; [reflexivity|]. who k i; [rewrite upd_other by assumption|]; apply kn.
    + who b a; [reflexivity|]. apply nw.
  - intros b ts msg db once ex. destruct (Nat.eq_dec b a) as [->|ne].
    + specialize (unwritten once). assert (new : established K a = false).
      { destruct (established K a) eqn:es; [|reflexivity].
        rewrite (proj1 (c_written _ _ _ _ _ _ _ _ c a da)) in unwritten by auto. discriminate. }
      split; [exact new|]. rewrite late. eapply write_executed in ex as [ex|[_ ->]]; [|reflexivity|exact can].
      apply (latest_max M) in ex as le. exfalso. destruct ex as (found & _). apply msg_at_bound in found.
      rewrite (proj1 (c_written _ _ _ _ _ _ _ _ c a da)) in unwritten by lia. discriminate.
    + destruct (qu b ne) as [_ ->]. apply (c_once _ _ _ _ _ _ _ _ c b ts msg db once).
      eapply write_executed in ex as [ex|[eq _]]; [exact ex|contradiction|exact can].
  - intros k b db once kn. simpl in kn. destruct (Nat.eq_dec b a) as [->|ne].
    + destruct (Nat.eq_dec k i) as [->|nk].
      * rewrite late. unfold y. rewrite upd_same. simpl. rewrite upd_same. lia.
      * rewrite upd_other in kn by exact nk. apply (c_told _ _ _ _ _ _ _ _ c a) in kn.
        rewrite unwritten in kn by exact once. discriminate.
    + destruct (qu b ne) as [_ ->]. apply (knows_calm x y k b _ (still b ne) gr).
      apply (c_knows _ _ _ _ _ _ _ _ c); [exact db|exact once|].
      who k i; [rewrite upd_other in kn by exact ne|]; exact kn.
  - intros sy1 l b sl db once nw. simpl in nw. destruct (Nat.eq_dec b a) as [->|ne].
    + apply (c_told _ _ _ _ _ _ _ _ c a) in nw. rewrite unwritten in nw by exact once. discriminate.
    + destruct (qu b ne) as [_ ->]. destruct (qu l (sync_ne l sl)) as [_ ->].
      apply (c_news _ _ _ _ _ _ _ _ c); assumption.
Qed.
End WriteData.

(** ** Synchronisation *)
Section ReadSync.
Variables (t : view) (x : cfg) (rs : tid -> reg -> val) (m : addr -> val) (g : ghost) (i : tid) (p : nat).
Variables (r : reg) (a : addr) (av ts : view) (v : val) (ps : list addr).
Let y := upd x i (at_pc (do_read (x i) Ordered r a av ts v) p).

Lemma core_read_sync :
  core K M true t x rs m g -> class_of K a = Sync -> ts = latest M x a -> forallb (payload g a) ps = true ->
  thread_wf M i (at_pc (do_read (x i) Ordered r a av ts v) p) ->
  (post_read (x i) Ordered a av ts < t -> m a = v) ->
  core K M true t y (upd rs i (upd (rs i) r (m a))) m (pull g i a ps).
Proof.
  intros c sa src all wfi exact_v.
  pose proof (read_grows x i p Ordered r a av ts v) as gr. fold y in gr.
  assert (qu : forall b, quiet M x y b) by (intros b; apply read_quiet).
  assert (late : forall b, latest M y b = latest M x b) by (intros b; apply qu).
  assert (data_ne : forall b, class_of K b = Data -> b <> a) by (intros b db ->; congruence).
  assert (still : forall b, class_of K b = Data -> calm x y b) by (intros b db; apply read_calm; auto).
  pose proof (sync_source K M _ _ _ _ _ _ i a av ts c sa) as above. rewrite src in above at 1.
  assert (seen : latest M x a <= vrn (y i) /\ latest M x a <= vwn (y i)).
  { unfold y. rewrite upd_same. simpl. lia. }
  clear above.
  constructor.
  - apply read_wf; [apply (c_wf _ _ _ _ _ _ _ _ c)|exact wfi].
  - apply read_regs; [apply (c_reg _ _ _ _ _ _ _ _ c)|exact exact_v].
  - intros b nu ds. apply (mem_at_quiet K M t x y m m b (qu b) eq_refl). apply (c_mem _ _ _ _ _ _ _ _ c); assumption.
  - intros k b db un own. rewrite settled_pull in un. apply (pull_owns _ _ _ _ _ _ all) in own as [own|(-> & _ & pay)].
    + apply (own_at_calm x y k b (still b db) gr). apply (c_own _ _ _ _ _ _ _ _ c); assumption.
    + intros j nj. rewrite (still b db j). pose proof (c_pay _ _ _ _ _ _ _ _ c eq_refl a b sa db un pay j). lia.
  - intros sy1 l b sl db un pay j. rewrite late, (still b db j). apply pull_payload in pay as [pay _].
    apply (c_pay _ _ _ _ _ _ _ _ c); assumption.
  - intros j l sl. destruct (qu l) as [fwds _]. rewrite fwds. pose proof (c_sync _ _ _ _ _ _ _ _ c j l sl).
    destruct (gr j). lia.
  - apply pull_exclusive; [apply (c_exclusive _ _ _ _ _ _ _ _ c)|exact all].
  - intros b db. rewrite late. apply (c_written _ _ _ _ _ _ _ _ c b db).
  - intros b. destruct (c_told _ _ _ _ _ _ _ _ c b) as [kn nw]. split; [|exact nw].
    intros k. simpl. who k i; [|apply kn]. intros either. apply orb_true_iff in either as [old|new]; [exact (kn i old)|exact (nw a new)].
  - intros b n msg db once ex. rewrite late. apply (c_once _ _ _ _ _ _ _ _ c b n msg db once).
    eapply read_executed. exact ex.
  - intros k b db once kn. rewrite late. simpl in kn.
    assert (old : knows g k b = true -> latest M x b <= max (coh (y k) b) (vrn (y k))).
    { intros kn'. apply (knows_calm x y k b _ (still b db) gr). apply (c_knows _ _ _ _ _ _ _ _ c); assumption. }
    destruct (Nat.eq_dec k i) as [->|nk]; [|rewrite upd_other in kn by exact nk; auto].
    rewrite upd_same in kn. apply orb_true_iff in kn as [kn|nw]; [auto|].
    pose proof (c_news _ _ _ _ _ _ _ _ c eq_refl a b sa db once nw). lia.
  - intros sy1 l b sl db once nw. rewrite !late. apply (c_news _ _ _ _ _ _ _ _ c); assumption.
Qed.
End ReadSync.

Section WriteSync.
Variables (sy : bool) (t : view) (x : cfg) (rs : tid -> reg -> val) (m : addr -> val) (g : ghost) (i : tid) (p : nat).
Variables (a : addr) (av dv n : view) (d d' : val) (qs : list addr) (rest : addr -> bool).
Let y := upd x i (at_pc (do_write (x i) Ordered a av dv n) p).

Lemma core_write_sync :
  core K M sy t x rs m g -> class_of K a = Sync -> forallb (owns g i) qs = true ->
  (forall b, rest b = true -> payload g a b = true) ->
  (sy = true -> latest M x a < n) ->
  can_write M i (x i) Ordered a av d dv n ->
  thread_wf M i (at_pc (do_write (x i) Ordered a av dv n) p) ->
  (max av dv < t -> d' = d) ->
  core K M sy t y (upd rs i (rs i)) (upd m a d') (push g i a qs rest).
Proof.
  intros c sa all kept lt can wfi value.
  pose proof (write_grows M x i p Ordered a av dv n d can) as gr. fold y in gr.
  assert (qu : forall b, b <> a -> quiet M x y b) by (intros b ne; eapply write_quiet; eassumption).
  assert (data_ne : forall b, class_of K b = Data -> b <> a) by (intros b db ->; congruence).
  assert (still : forall b, class_of K b = Data -> calm x y b) by (intros b db; apply write_calm; auto).
  assert (late : sy = true -> latest M y a = n) by (intros s1; eapply write_latest; eauto).
  assert (past : vro (x i) < n /\ vwo (x i) < n).
  { destruct can as (_ & _ & _ & pre). apply pre_write_ordered_lt in pre. exact pre. }
  constructor.
  - apply write_wf; [apply (c_wf _ _ _ _ _ _ _ _ c)|exact wfi].
  - apply write_regs. apply (c_reg _ _ _ _ _ _ _ _ c).
  - intros b nu ds. destruct (Nat.eq_dec b a) as [->|ne].
    + destruct ds as [da|s1]; [congruence|]. eapply write_mem_at; eauto.
    + apply (mem_at_quiet K M t x y m _ b (qu b ne)); [apply upd_other; exact ne|].
      apply (c_mem _ _ _ _ _ _ _ _ c); assumption.
  - intros k b db un own. rewrite settled_push in un. apply push_owns in own as [own _].
    apply (own_at_calm x y k b (still b db) gr). apply (c_own _ _ _ _ _ _ _ _ c); assumption.
  - intros s1 l b sl db un pay j. rewrite (still b db j). apply (push_payload _ _ _ _ _ _ _ all kept) in pay.
    destruct (Nat.eq_dec l a) as [->|ne].
    + rewrite (late s1). specialize (lt s1). destruct pay as [pay|(_ & _ & own)].
      * pose proof (c_pay _ _ _ _ _ _ _ _ c s1 a b sa db un pay j). lia.
      * destruct (Nat.eq_dec j i) as [->|nj].
        -- pose proof (tw_coh _ _ _ (c_wf _ _ _ _ _ _ _ _ c i) b). lia.
        -- destruct (c_own _ _ _ _ _ _ _ _ c i b db un own j nj).
           pose proof (tw_vrn _ _ _ (c_wf _ _ _ _ _ _ _ _ c i)). lia.
    + destruct (qu l ne) as [_ ->]. destruct pay as [pay|(eq & _)]; [|contradiction].
      apply (c_pay _ _ _ _ _ _ _ _ c); assumption.
  - intros j l sl. destruct (Nat.eq_dec l a) as [->|ne].
    + unfold y. who j i; [|apply (c_sync _ _ _ _ _ _ _ _ c); exact sl]. simpl. rewrite upd_same. simpl. lia.
    + destruct (qu l ne) as [fwds _]. rewrite fwds. pose proof (c_sync _ _ _ _ _ _ _ _ c j l sl). destruct (gr j). lia.
  - apply push_exclusive; [apply (c_exclusive _ _ _ _ _ _ _ _ c)|exact all|exact kept].
  - intros b db. destruct (qu b (data_ne b db)) as [_ ->]. apply (c_written _ _ _ _ _ _ _ _ c b db).
  - intros b. destruct (c_told _ _ _ _ _ _ _ _ c b) as [kn nw]. split; [exact kn|].
    intros l. simpl. who l a; [apply kn|apply nw].
  - intros b ts msg db once ex. destruct (qu b (data_ne b db)) as [_ ->].
    apply (c_once _ _ _ _ _ _ _ _ c b ts msg db once).
    eapply write_executed in ex as [ex|[eq _]]; [exact ex|subst b; congruence|exact can].
  - intros k b db once kn. destruct (qu b (data_ne b db)) as [_ ->]. apply (knows_calm x y k b _ (still b db) gr).
    apply (c_knows _ _ _ _ _ _ _ _ c); assumption.
  - intros s1 l b sl db once nw. destruct (qu b (data_ne b db)) as [_ ->]. simpl in nw.
    destruct (Nat.eq_dec l a) as [->|ne].
    + rewrite upd_same in nw. rewrite (late s1). pose proof (c_knows _ _ _ _ _ _ _ _ c i b db once nw).
      pose proof (tw_coh _ _ _ (c_wf _ _ _ _ _ _ _ _ c i) b). pose proof (tw_vrn _ _ _ (c_wf _ _ _ _ _ _ _ _ c i)). lia.
    + rewrite upd_other in nw by exact ne. destruct (qu l ne) as [_ ->].
      apply (c_news _ _ _ _ _ _ _ _ c); assumption.
Qed.
End WriteSync.

(** ** User memory *)
Section ReadUser.
Variables (sy : bool) (t : view) (x : cfg) (rs : tid -> reg -> val) (m : addr -> val) (g : ghost) (i : tid) (p : nat).
Variables (k : kind) (r : reg) (a : addr) (av ts : view) (v : val).

Lemma core_read_user :
  core K M sy t x rs m g -> class_of K a = User ->
  thread_wf M i (at_pc (do_read (x i) k r a av ts v) p) ->
  core K M sy t (upd x i (at_pc (do_read (x i) k r a av ts v) p)) (upd rs i (upd (rs i) r v)) m g.
Proof.
  intros c ua wfi. apply (core_frame K M sy t x _ rs _ m g c).
  - apply read_grows.
  - apply read_wf; [apply (c_wf _ _ _ _ _ _ _ _ c)|exact wfi].
  - intros b nu. split; [apply read_quiet|]. apply read_calm. intros ->. contradiction.
  - intros b n msg _ ex. eapply read_executed. exact ex.
  - apply read_regs; [apply (c_reg _ _ _ _ _ _ _ _ c)|reflexivity].
Qed.
End ReadUser.

Section WriteUser.
Variables (sy : bool) (t : view) (x : cfg) (rs : tid -> reg -> val) (m : addr -> val) (g : ghost) (i : tid) (p : nat).
Variables (k : kind) (a : addr) (av dv n : view) (d : val).

Lemma core_write_user :
  core K M sy t x rs m g -> class_of K a = User -> can_write M i (x i) k a av d dv n ->
  thread_wf M i (at_pc (do_write (x i) k a av dv n) p) ->
  core K M sy t (upd x i (at_pc (do_write (x i) k a av dv n) p)) (upd rs i (rs i)) m g.
Proof.
  intros c ua can wfi. apply (core_frame K M sy t x _ rs _ m g c).
  - eapply write_grows. exact can.
  - apply write_wf; [apply (c_wf _ _ _ _ _ _ _ _ c)|exact wfi].
  - intros b nu. assert (b <> a) by (intros ->; contradiction). split; [eapply write_quiet; eassumption|].
    apply write_calm. assumption.
  - intros b ts msg nu ex. eapply write_executed in ex as [ex|[-> _]]; [exact ex|contradiction|exact can].
  - apply write_regs. apply (c_reg _ _ _ _ _ _ _ _ c).
Qed.
End WriteUser.

(** ** No access *)
Lemma core_local sy t x rs m g i st w :
  core K M sy t x rs m g -> thread_le (x i) st -> thread_wf M i st ->
  coh st = coh (x i) -> fwd st = fwd (x i) -> fulfilled st = fulfilled (x i) ->
  (forall r, snd (regs st r) < t -> w r = fst (regs st r)) ->
  core K M sy t (upd x i st) (upd rs i w) m g.
Proof.
  intros c le wfi ec ef ed reg. apply (core_frame K M sy t x _ rs _ m g c).
  - apply upd_grows. exact le.
  - intros j. who j i; [exact wfi|apply (c_wf _ _ _ _ _ _ _ _ c)].
  - intros b _. split; [apply local_quiet|apply local_calm]; assumption.
  - intros b ts msg _ ex. eapply executed_same; [|exact ex]. intros n. rewrite ed. reflexivity.
  - intros j r. who j i; [apply reg|apply (c_reg _ _ _ _ _ _ _ _ c)].
Qed.

(** The invariant looks at configurations and registers point by point. *)
Lemma core_ext sy t x y rs rs' m m' g :
  core K M sy t x rs m g -> (forall j, y j = x j) -> (forall j r, rs' j r = rs j r) -> (forall a, m' a = m a) ->
  core K M sy t y rs' m' g.
Proof.
  intros c same same_r same_m.
  assert (late : forall a, latest M y a = latest M x a).
  { intros a. apply latest_ext. intros ts msg _ _. rewrite same. reflexivity. }
  assert (c' : core K M sy t y rs' m g).
  { apply (core_frame K M sy t x y rs rs' m g c).
    - intros j. rewrite same. apply thread_le_refl.
    - intros j. rewrite same. apply (c_wf _ _ _ _ _ _ _ _ c).
    - intros b _. split; [split; [intros j; rewrite same; reflexivity|apply late]|intros j; rewrite same; reflexivity].
    - intros b ts msg _ (found & here & done). rewrite same in done. repeat split; assumption.
    - intros j r. rewrite same, same_r. apply (c_reg _ _ _ _ _ _ _ _ c). }
  pose proof (c_mem _ _ _ _ _ _ _ _ c') as mems.
  destruct c'. constructor; try assumption. intros a nu ds. destruct (mems a nu ds) as [z w].
  unfold mem_at. rewrite same_m. auto.
Qed.
End Access.
