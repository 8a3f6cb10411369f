(* SPDX-License-Identifier: Apache-2.0 *)
(** The invariant that relates a relaxed execution, of which each thread has been replayed up to some point, to the SC
    state reached by the replay, and its preservation by each kind of access.  [t] is a taint threshold: values that
    depend on timestamps from [t] on may differ between the two machines.  [sy] says whether synchronisation locations
    are replayed in timestamp order (the main part of the replay) or not (its tail, see [Schedule]). *)
From Coq Require Import List Arith Lia Bool.
From SeKVM.wdrf Require Import Tactics.
From SeKVM.wdrf.isolated Require Import Base SC Promising Thread Latest.
Import ListNotations.

Lemma mem_list_forall (P : addr -> bool) l a : forallb P l = true -> mem_list l a = true -> P a = true.
Proof.
  intros all within. apply existsb_exists in within as (b & here & eq). apply Nat.eqb_eq in eq as ->.
  rewrite forallb_forall in all. auto.
Qed.

Section Invariant.
Variable K : kernel.
Variable M : memory.

(** SC memory agrees with the latest executed message, as far as its data is untainted. *)
Definition mem_at (t : view) (x : cfg) (m : addr -> val) (a : addr) : Prop :=
  (latest M x a = 0 -> m a = initial K a) /\
  (forall msg, msg_at M (latest M x a) = Some msg -> snd (fwd (x (mtid msg)) a) < t -> m a = mval msg).

(** What other threads have done at [a] is below whatever thread [i] reads or writes next. *)
Definition own_at (x : cfg) (i : tid) (a : addr) : Prop :=
  forall j, j <> i -> coh (x j) a <= vrn (x i) /\ coh (x j) a <= vwn (x i).

Record core (sy : bool) (t : view) (x : cfg) (rs : tid -> reg -> val) (m : addr -> val) (g : ghost) : Prop := {
  c_wf : forall i, thread_wf M i (x i);
  c_reg : forall i r, snd (regs (x i) r) < t -> rs i r = fst (regs (x i) r);
  c_mem : forall a, class_of K a <> User -> class_of K a = Data \/ sy = true -> mem_at t x m a;
  c_own : forall i a, class_of K a = Data -> settled K g a = false -> owns g i a = true -> own_at x i a;
  c_pay : sy = true -> forall l a, class_of K l = Sync -> class_of K a = Data -> settled K g a = false ->
    payload g l a = true -> forall j, coh (x j) a <= latest M x l;
  c_sync : forall i l, class_of K l = Sync -> fst (fwd (x i) l) <= vrel (x i);
  c_exclusive : exclusive (owns g) (payload g);
  c_written : forall a, class_of K a = Data -> (latest M x a <> 0 \/ established K a = true <-> written g a = true);
  c_told : forall a, (forall i, knows g i a = true -> written g a = true) /\
                     (forall l, news g l a = true -> written g a = true);
  c_once : forall a ts msg, class_of K a = Data -> write_once K a = true -> executed M x a ts msg ->
    established K a = false /\ ts = latest M x a;
  c_knows : forall i a, class_of K a = Data -> write_once K a = true -> knows g i a = true ->
    latest M x a <= max (coh (x i) a) (vrn (x i));
  c_news : sy = true -> forall l a, class_of K l = Sync -> class_of K a = Data -> write_once K a = true ->
    news g l a = true -> latest M x a <= latest M x l }.

(** ** Weakening *)
Lemma core_weaken sy t t' x rs m g : core sy t x rs m g -> t' <= t -> core sy t' x rs m g.
Proof.
  intros c le. pose proof (c_reg _ _ _ _ _ _ c) as same. pose proof (c_mem _ _ _ _ _ _ c) as mems.
  destruct c. constructor; try assumption.
  - intros i r lt. apply same. lia.
  - intros a nu ds. destruct (mems a nu ds) as [z w]. split; [exact z|]. intros msg found lt. apply w; [exact found|lia].
Qed.

Lemma core_unordered sy t x rs m g : core sy t x rs m g -> core false t x rs m g.
Proof.
  intros c. pose proof (c_mem _ _ _ _ _ _ c) as mems. destruct c. constructor; try assumption; try discriminate.
  intros a nu [da|]; [|discriminate]. apply mems; auto.
Qed.

(** ** What the invariant says about reads *)
Lemma veval_exact t rs srs e a av :
  (forall r, snd (rs r) < t -> srs r = fst (rs r)) -> veval rs e = (a, av) -> av < t -> eval srs e = a.
Proof.
  intros same. revert a av. induction e as [v|r|op e1 IH1 e2 IH2]; simpl; intros a av value lt.
  - congruence.
  - rewrite same; rewrite value; auto.
  - injection value as <- <-. destruct (veval rs e1) as [v1 av1], (veval rs e2) as [v2 av2]. simpl in *.
    rewrite (IH1 v1 av1), (IH2 v2 av2) by (reflexivity || lia). reflexivity.
Qed.

Lemma core_eval sy t x rs m g i e a av :
  core sy t x rs m g -> veval (regs (x i)) e = (a, av) -> av < t -> eval (rs i) e = a.
Proof. intros c. apply veval_exact. apply (c_reg _ _ _ _ _ _ c). Qed.

(** Reading the latest executed message gives the SC value. *)
Lemma read_exact sy t x rs m g i a v :
  core sy t x rs m g -> class_of K a <> User -> class_of K a = Data \/ sy = true ->
  value_at K M a (latest M x a) v -> source_view (x i) a (latest M x a) < t -> m a = v.
Proof.
  intros c nu ds value lt. destruct (c_mem _ _ _ _ _ _ c a nu ds) as [z w].
  destruct value as [[at0 ->]|(msg & found & here & <-)]; [auto|]. apply w; [exact found|].
  destruct (latest_spec M x a) as [at0|[msg' ex]]; [rewrite at0 in found; discriminate|].
  pose proof ex as (found' & _). rewrite found in found'. injection found' as <-.
  destruct (latest_fwd M x a msg (c_wf _ _ _ _ _ _ c) ex) as (f1 & f2 & _). unfold source_view in lt.
  destruct (Nat.eqb_spec (fst (fwd (x i) a)) (latest M x a)) as [own|other]; [|lia].
  destruct (tw_fwd _ _ _ (c_wf _ _ _ _ _ _ c i) a) as [none|(_ & _ & _ & v & mine)].
  - rewrite none in own. simpl in own. rewrite <- own in found. discriminate.
  - rewrite own, found in mine. injection mine as ->. exact lt.
Qed.

Lemma own_latest sy t x rs m g i a :
  core sy t x rs m g -> class_of K a = Data -> settled K g a = false -> owns g i a = true ->
  latest M x a <= max (coh (x i) a) (vrn (x i)) /\ latest M x a <= max (coh (x i) a) (vwn (x i)).
Proof.
  intros c da un own. destruct (latest_spec M x a) as [z|[msg ex]]; [lia|].
  destruct (latest_fwd M x a msg (c_wf _ _ _ _ _ _ c) ex) as (_ & _ & le).
  destruct (Nat.eq_dec (mtid msg) i) as [eq|ne]; [rewrite eq in le; lia|].
  destruct (c_own _ _ _ _ _ _ c i a da un own _ ne). lia.
Qed.

Lemma settled_spec g a : settled K g a = true <-> write_once K a = true /\ written g a = true.
Proof. unfold settled. apply andb_true_iff. Qed.

Lemma may_read_latest sy t x rs m g i a :
  core sy t x rs m g -> class_of K a = Data -> may_read K g i a = true ->
  latest M x a <= max (coh (x i) a) (vrn (x i)).
Proof.
  intros c da may. unfold may_read in may. destruct (settled K g a) eqn:se.
  - apply settled_spec in se as [once _]. apply (c_knows _ _ _ _ _ _ c); assumption.
  - apply (own_latest _ _ _ _ _ _ _ _ c da se may).
Qed.

(** An ordered read sees at least what it reads, even when it is forwarded. *)
Lemma sync_source sy t x rs m g i l av ts :
  core sy t x rs m g -> class_of K l = Sync -> ts <= post_read (x i) Ordered l av ts.
Proof.
  intros c sl. pose proof (c_sync _ _ _ _ _ _ c i l sl) as le.
  pose proof (post_read_ge (x i) Ordered l av ts) as [g1 g2].
  pose proof (pre_read_ge (x i) Ordered av) as (_ & _ & g3). simpl in g3.
  revert g2. unfold source_view. destruct (Nat.eqb_spec (fst (fwd (x i) l)) ts); lia.
Qed.

(** ** Frame *)
Definition quiet (x y : cfg) (b : addr) : Prop :=
  (forall j, fwd (y j) b = fwd (x j) b) /\ latest M y b = latest M x b.
Definition calm (x y : cfg) (b : addr) : Prop := forall j, coh (y j) b = coh (x j) b.
Definition grows (x y : cfg) : Prop := forall j, thread_le (x j) (y j).

Lemma mem_at_quiet t x y m m' b : quiet x y b -> m' b = m b -> mem_at t x m b -> mem_at t y m' b.
Proof.
  intros [fwds late] same [z w]. unfold mem_at. rewrite late, same. split; [exact z|].
  intros msg found lt. apply w; [exact found|]. rewrite <- fwds. exact lt.
Qed.

Lemma own_at_calm x y i b : calm x y b -> grows x y -> own_at x i b -> own_at y i b.
Proof.
  intros still gr own j ne. rewrite (still j). destruct (own j ne). destruct (gr i). lia.
Qed.

Lemma knows_calm x y i b n : calm x y b -> grows x y -> n <= max (coh (x i) b) (vrn (x i)) -> n <= max (coh (y i) b) (vrn (y i)).
Proof. intros still gr le. rewrite (still i). destruct (gr i). lia. Qed.

Lemma upd_grows x i st : thread_le (x i) st -> grows x (upd x i st).
Proof. intros le j. who j i; [exact le|apply thread_le_refl]. Qed.

(** Threads moved, but not at kernel locations. *)
Lemma core_frame sy t x y rs rs' m g :
  core sy t x rs m g -> grows x y -> (forall i, thread_wf M i (y i)) ->
  (forall b, class_of K b <> User -> quiet x y b /\ calm x y b) ->
  (forall b ts msg, class_of K b <> User -> executed M y b ts msg -> executed M x b ts msg) ->
  (forall i r, snd (regs (y i) r) < t -> rs' i r = fst (regs (y i) r)) ->
  core sy t y rs' m g.
Proof.
  intros c gr wf off back reg. constructor.
  - exact wf.
  - exact reg.
  - intros a nu ds. destruct (off a nu) as [qu _].
    apply (mem_at_quiet t x y m m a qu eq_refl). apply (c_mem _ _ _ _ _ _ c); assumption.
  - intros i a da un own. destruct (off a) as [_ still]; [congruence|].
    apply (own_at_calm x y i a still gr). apply (c_own _ _ _ _ _ _ c); assumption.
  - intros sy1 l a sl da un pay j. destruct (off a) as [_ still]; [congruence|].
    destruct (off l) as [[_ late] _]; [congruence|].
    rewrite (still j), late. apply (c_pay _ _ _ _ _ _ c); assumption.
  - intros i l sl. destruct (off l) as [[fwds _] _]; [congruence|]. rewrite fwds.
    pose proof (c_sync _ _ _ _ _ _ c i l sl). destruct (gr i). lia.
  - apply (c_exclusive _ _ _ _ _ _ c).
  - intros a da. destruct (off a) as [[_ late] _]; [congruence|]. rewrite late. apply (c_written _ _ _ _ _ _ c a da).
  - apply (c_told _ _ _ _ _ _ c).
  - intros a ts msg da once ex. destruct (off a) as [[_ late] _]; [congruence|]. rewrite late.
    apply (c_once _ _ _ _ _ _ c a ts msg da once). apply back; [congruence|exact ex].
  - intros i a da once kn. destruct (off a) as [[_ late] still]; [congruence|]. rewrite late.
    apply (knows_calm x y i a _ still gr). apply (c_knows _ _ _ _ _ _ c); assumption.
  - intros sy1 l a sl da once nw. destruct (off a) as [[_ late] _]; [congruence|].
    destruct (off l) as [[_ late'] _]; [congruence|]. rewrite late, late'. apply (c_news _ _ _ _ _ _ c); assumption.
Qed.

(** ** Frame facts of each access *)
Section Access.
Variables (x : cfg) (i : tid) (p : nat).

Lemma executed_same st b ts msg : (forall ts, fulfilled st ts = fulfilled (x i) ts) ->
  executed M (upd x i st) b ts msg -> executed M x b ts msg.
Proof.
  intros same (found & here & done). repeat split; try assumption.
  who (mtid msg) i; [rewrite <- same|]; exact done.
Qed.

Lemma local_quiet st b : fwd st = fwd (x i) -> fulfilled st = fulfilled (x i) -> quiet x (upd x i st) b.
Proof.
  intros fs same. split; [|apply latest_same; intros ts; rewrite same; reflexivity].
  intros j. who j i; [rewrite fs|]; reflexivity.
Qed.

Lemma local_calm st b : coh st = coh (x i) -> calm x (upd x i st) b.
Proof. intros same j. who j i; [rewrite same|]; reflexivity. Qed.

Section Read.
Variables (k : kind) (r : reg) (a : addr) (av ts : view) (v : val).
Let y := upd x i (at_pc (do_read (x i) k r a av ts v) p).

Lemma read_grows : grows x y.
Proof. apply upd_grows. eapply thread_le_trans; [apply do_read_le|apply at_pc_le]. Qed.

Lemma read_quiet b : quiet x y b.
Proof. apply local_quiet; reflexivity. Qed.

Lemma read_calm b : b <> a -> calm x y b.
Proof. intros ne j. unfold y. who j i; [|reflexivity]. simpl. apply upd_other. exact ne. Qed.

Lemma read_calm_other j b : j <> i -> coh (y j) b = coh (x j) b.
Proof. intros ne. unfold y. rewrite upd_other by exact ne. reflexivity. Qed.

Lemma read_executed b n msg : executed M y b n msg -> executed M x b n msg.
Proof. apply executed_same. reflexivity. Qed.

Lemma read_wf : (forall j, thread_wf M j (x j)) -> thread_wf M i (at_pc (do_read (x i) k r a av ts v) p) ->
  forall j, thread_wf M j (y j).
Proof. intros wf wfi j. unfold y. who j i; auto. Qed.

Lemma read_regs t rs w :
  (forall j r, snd (regs (x j) r) < t -> rs j r = fst (regs (x j) r)) ->
  (post_read (x i) k a av ts < t -> w = v) ->
  forall j r', snd (regs (y j) r') < t -> upd rs i (upd (rs i) r w) j r' = fst (regs (y j) r').
Proof.
  intros same exact_v j r'. unfold y. who j i; [|apply same]. simpl. who r' r; [simpl; exact exact_v|apply same].
Qed.
End Read.

Section Write.
Variables (k : kind) (a : addr) (av dv n : view) (d : val).
Hypothesis can : can_write M i (x i) k a av d dv n.
Let y := upd x i (at_pc (do_write (x i) k a av dv n) p).

Lemma write_grows : grows x y.
Proof. apply upd_grows. eapply thread_le_trans; [eapply do_write_le; exact can|apply at_pc_le]. Qed.

Lemma write_quiet b : b <> a -> quiet x y b.
Proof.
  intros ne. destruct can as (found & _). split.
  - intros j. unfold y. who j i; [|reflexivity]. simpl. apply upd_other. exact ne.
  - eapply latest_write_other; [reflexivity|exact found|exact ne].
Qed.

Lemma write_calm b : b <> a -> calm x y b.
Proof. intros ne j. unfold y. who j i; [|reflexivity]. simpl. apply upd_other. exact ne. Qed.

Lemma write_calm_other j b : j <> i -> coh (y j) b = coh (x j) b.
Proof. intros ne. unfold y. rewrite upd_other by exact ne. reflexivity. Qed.

Lemma write_latest : latest M x a < n -> latest M y a = n.
Proof. intros lt. destruct can as (found & _). eapply latest_write_same; [reflexivity|exact found|exact lt]. Qed.

Lemma write_executed b ts msg : executed M y b ts msg -> executed M x b ts msg \/ (b = a /\ ts = n).
Proof.
  intros (found & here & done). destruct can as (mine & _). unfold y in done.
  destruct (Nat.eq_dec (mtid msg) i) as [eq|ne].
  - rewrite eq, upd_same in done. simpl in done. destruct (Nat.eq_dec ts n) as [->|ne'].
    + right. rewrite mine in found. injection found as <-. auto.
    + left. rewrite upd_other in done by exact ne'. repeat split; try assumption. rewrite eq. exact done.
  - left. rewrite upd_other in done by exact ne. repeat split; assumption.
Qed.

Lemma write_wf : (forall j, thread_wf M j (x j)) -> thread_wf M i (at_pc (do_write (x i) k a av dv n) p) ->
  forall j, thread_wf M j (y j).
Proof. intros wf wfi j. unfold y. who j i; auto. Qed.

Lemma write_regs t rs :
  (forall j r, snd (regs (x j) r) < t -> rs j r = fst (regs (x j) r)) ->
  forall j r, snd (regs (y j) r) < t -> upd rs i (rs i) j r = fst (regs (y j) r).
Proof. intros same j r. unfold y. who j i; [simpl|]; apply same. Qed.

Lemma write_mem_at t m d' :
  latest M x a < n -> (max av dv < t -> d' = d) -> mem_at t y (upd m a d') a.
Proof.
  intros lt value. unfold mem_at. rewrite write_latest by exact lt. rewrite upd_same. destruct can as (found & _).
  apply msg_at_bound in found as inside. split; [lia|].
  intros msg found'. rewrite found in found'. injection found' as <-. unfold y. simpl. rewrite upd_same. simpl.
  rewrite upd_same. simpl. exact value.
Qed.
End Write.
End Access.
End Invariant.
