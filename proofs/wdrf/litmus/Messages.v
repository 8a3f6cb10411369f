(* SPDX-License-Identifier: Apache-2.0 *)
(** Which messages a simple program can have in a complete execution of the Promising machine: a finite list of
    candidates, computed from the program and a set of values that is closed under it.  The proof goes by induction on
    timestamps, because a store depends on earlier messages only: no values out of thin air.  Used by [ExploreArm]. *)
From Coq Require Import List Arith Bool Lia.
From SeKVM.wdrf.isolated Require Import Base SC Promising.
From SeKVM.wdrf.litmus Require Import ExploreSC.
Import ListNotations.

(** ** Values that expressions can have when registers have values of [V] *)
Fixpoint values (V : list val) (e : expr) : list val :=
  match e with
  | Const v => [v]
  | Reg _ => V
  | Bin op a b =>
      nodup Nat.eq_dec (flat_map (fun x => map (binop_val op x) (values V b)) (values V a))
  end.

(** What an instruction can assign to a register by computation, and the messages it can write. *)
Definition assigned (V : list val) (ins : instr) : list val :=
  match ins with Mov _ e => values V e | _ => [] end.

Definition stored (V : list val) (ins : instr) : list (addr * val) :=
  match ins with
  | Store _ a e _ => list_prod (values V a) (values V e)
  | Rmw f _ a e _ _ _ => list_prod (values V a) (flat_map (fun x => map (binop_val f x) (values V e)) V)
  | _ => []
  end.

Definition included (l V : list val) : bool := forallb (fun v => existsb (Nat.eqb v) V) l.

Definition closed (K : kernel) (V : list val) : bool :=
  included [0] V &&
  forallb (fun i => forallb (fun ins => included (assigned V ins) V && included (map snd (stored V ins)) V) (program K i))
    (seq 0 (cpus K)).

Definition candidates (K : kernel) (V : list val) : list message :=
  flat_map (fun i => flat_map (fun ins => map (fun '(a, v) => Message i a v) (stored V ins)) (program K i))
    (seq 0 (cpus K)).

Lemma included_In l V v : included l V = true -> In v l -> In v V.
Proof.
  unfold included. rewrite forallb_forall. intros all inside. specialize (all v inside).
  apply existsb_exists in all as (w & inside' & same). apply Nat.eqb_eq in same as ->. exact inside'.
Qed.

Lemma closed_instr K V i pc ins : bounded K -> closed K V = true -> fetch K i pc = Some ins ->
  included (assigned V ins) V = true /\ included (map snd (stored V ins)) V = true.
Proof.
  intros few good found. apply andb_prop in good as [_ good]. rewrite forallb_forall in good.
  assert (cpu : In i (seq 0 (cpus K))) by (apply in_seq; pose proof (fetch_cpu _ _ _ _ few found); lia).
  specialize (good i cpu). rewrite forallb_forall in good. apply andb_prop, good. eapply nth_error_In, found.
Qed.

Lemma in_candidates K V i pc ins a v : bounded K -> fetch K i pc = Some ins -> In (a, v) (stored V ins) ->
  In (Message i a v) (candidates K V).
Proof.
  intros few found inside. apply in_flat_map. exists i. split.
  - apply in_seq. pose proof (fetch_cpu _ _ _ _ few found). lia.
  - apply in_flat_map. exists ins. split; [eapply nth_error_In, found|]. apply in_map_iff. exists (a, v). auto.
Qed.

(** ** What depends on early messages only has values of [V] *)
Record low (M : memory) (V : list val) (t : view) (st : thread) : Prop := {
  low_reg : forall r, snd (regs st r) < t -> In (fst (regs st r)) V;
  low_fwd : forall a m, snd (fwd st a) < t -> msg_at M (fst (fwd st a)) = Some m -> In (mval m) V }.

Section Low.
  Context (K : kernel) (M : memory) (V : list val).
  Hypothesis few : bounded K.
  Hypothesis good : closed K V = true.
  Hypothesis starts : forall a, In (initial K a) V.

  Lemma veval_low t rs e : (forall r, snd (rs r) < t -> In (fst (rs r)) V) -> snd (veval rs e) < t ->
    In (fst (veval rs e)) (values V e).
  Proof.
    intros lows. induction e as [v|r|op a IHa b IHb]; simpl; intros early.
    - now left.
    - now apply lows.
    - apply nodup_In, in_flat_map. exists (fst (veval rs a)). split; [apply IHa; lia|]. apply in_map, IHb. lia.
  Qed.

  Lemma veval_low_eq t rs e v w : (forall r, snd (rs r) < t -> In (fst (rs r)) V) -> veval rs e = (v, w) -> w < t ->
    In v (values V e).
  Proof. intros lows value early. pose proof (veval_low t rs e lows) as inside. rewrite value in inside. now apply inside. Qed.

  Lemma low_initial t : low M V t thread_initial.
  Proof.
    split; simpl.
    - intros _ _. apply andb_prop in good as [zero _]. eapply included_In; [exact zero | now left].
    - intros _ m _ found. discriminate found.
  Qed.

  Lemma low_at_pc t st p : low M V t st -> low M V t (at_pc st p).
  Proof. intros []. split; assumption. Qed.

  Lemma low_with_cap t st v : low M V t st -> low M V t (with_cap st v).
  Proof. intros []. split; assumption. Qed.

  Lemma low_with_fence t st vr vw : low M V t st -> low M V t (with_fence st vr vw).
  Proof. intros []. split; assumption. Qed.

  Lemma low_with_reg t st r x : low M V t st -> (snd x < t -> In (fst x) V) -> low M V t (with_reg st r x).
  Proof.
    intros [lows fwds] fine. split; [|assumption]. simpl. intros r'. unfold upd.
    destruct (Nat.eqb r' r); [exact fine | apply lows].
  Qed.

  Hypothesis limit : view.
  Hypothesis earlier : forall ts m, ts < limit -> msg_at M ts = Some m -> In (mval m) V.

  Lemma low_value st k a av ts v : low M V limit st -> can_read K M st k a av ts v -> post_read st k a av ts < limit -> In v V.
  Proof.
    intros [_ fwds] [[[-> ->]|(m & found & here & <-)] _] early; [apply starts|].
    unfold post_read, source_view in early. destruct (Nat.eqb_spec (fst (fwd st a)) ts) as [own|other].
    - apply (fwds a m); [lia | now rewrite own].
    - apply (earlier ts m); [lia | exact found].
  Qed.

  Lemma low_do_read st k r a av ts v : low M V limit st -> can_read K M st k a av ts v -> low M V limit (do_read st k r a av ts v).
  Proof.
    intros fine read. pose proof (low_value st k a av ts v fine read) as value. destruct fine as [lows fwds].
    split; [|exact fwds]. simpl. intros r'. unfold upd. destruct (Nat.eqb r' r); [exact value | apply lows].
  Qed.

  Lemma low_do_write i st k a av d dv ts : low M V limit st -> can_write M i st k a av d dv ts ->
    (max av dv < limit -> In d V) -> low M V limit (do_write st k a av dv ts).
  Proof.
    intros [lows fwds] (found & _) value. split; [exact lows|]. simpl. intros b m. unfold upd.
    destruct (Nat.eqb b a); [|apply fwds]. simpl. intros early found'. rewrite found in found'.
    injection found' as <-. simpl. now apply value.
  Qed.

  (** The messages that an instruction can write, if its operands are early. *)
  Lemma stored_store st k ea ed qs a av d dv : low M V limit st -> veval (regs st) ea = (a, av) ->
    veval (regs st) ed = (d, dv) -> max av dv < limit -> In (a, d) (stored V (Store k ea ed qs)).
  Proof. intros [lows _] address datum early. simpl. apply in_prod; eapply veval_low_eq; eauto; lia. Qed.

  Lemma stored_rmw st f r ea ed c ps qs a av d dv v : low M V limit st -> veval (regs st) ea = (a, av) ->
    veval (regs st) ed = (d, dv) -> max av dv < limit -> In v V ->
    In (a, binop_val f v d) (stored V (Rmw f r ea ed c ps qs)).
  Proof.
    intros [lows _] address datum early value. simpl. apply in_prod; [eapply veval_low_eq; eauto; lia|].
    apply in_flat_map. exists v. split; [exact value|]. apply in_map. eapply veval_low_eq; eauto; lia.
  Qed.

  Lemma stored_closed i pc ins a v : fetch K i pc = Some ins -> In (a, v) (stored V ins) -> In v V.
  Proof.
    intros found inside. destruct (closed_instr K V i pc ins few good found) as [_ fine].
    eapply included_In; [exact fine|]. apply (in_map snd _ _ inside).
  Qed.

  Lemma low_step i st e st' : step K M i st e st' -> low M V limit st -> low M V limit st'.
  Proof.
    intros made fine. destruct made as [r x found|x t c cv found value|b found|k r x c ps a av ts v found address ok
      |k x y qs a av d dv ts found address datum ok
      |f r x y c ps qs a av d dv tr v post tw found address datum read after write later atomic]; apply low_at_pc.
    - apply low_with_reg; [exact fine|]. intros early. destruct (closed_instr K V i _ _ few good found) as [inc _].
      eapply included_In; [exact inc|]. simpl. eapply veval_low; [apply fine | exact early].
    - now apply low_with_cap.
    - now apply low_with_fence.
    - now apply low_do_read.
    - apply (low_do_write i st k a av d dv ts fine ok). intros early.
      eapply stored_closed; [exact found|]. eapply stored_store; eassumption.
    - apply (low_do_write i _ Ordered a av _ _ tw (low_do_read st Ordered r a av tr v fine read) write).
      intros early. eapply stored_closed; [exact found|].
      eapply stored_rmw; try eassumption; [lia|]. eapply low_value; try eassumption. lia.
  Qed.

  Lemma low_run i st es st' : run K M i st es st' -> low M V limit st -> low M V limit st'.
  Proof. induction 1; intros fine; eauto using low_step. Qed.
End Low.

(** ** Every message was written by a step *)
Definition event_writes (e : event) : list view :=
  match e with Write _ _ _ ts => [ts] | Update _ _ _ _ tw => [tw] | _ => [] end.

Lemma step_fulfilled K M i st e st' ts : step K M i st e st' -> fulfilled st' ts = true ->
  fulfilled st ts = true \/ In ts (event_writes e).
Proof.
  destruct 1 as [ | | | |k x y qs a av d dv tw found address datum ok
      |f r x y c ps qs a av d dv tr v post tw found address datum read after write later atomic]; simpl; auto.
  all: unfold upd; destruct (Nat.eqb_spec ts tw); subst; auto.
Qed.

Lemma run_fulfilled K M i st es st' ts : run K M i st es st' -> fulfilled st' ts = true -> fulfilled st ts = false ->
  exists st1 e st2 es1, run K M i st es1 st1 /\ step K M i st1 e st2 /\ In ts (event_writes e).
Proof.
  induction 1 as [st|st e st1 es st2 made rest IH]; intros done open; [congruence|].
  destruct (fulfilled st1 ts) eqn:written.
  - exists st, e, st1, []. split; [constructor|]. split; [exact made|].
    destruct (step_fulfilled _ _ _ _ _ _ _ made written) as [before|here]; [congruence | exact here].
  - destruct (IH done eq_refl) as (s1 & e' & s2 & es1 & before & step' & here).
    exists s1, e', s2, (e :: es1). split; [econstructor; eassumption | auto].
Qed.

Theorem messages_are_candidates K M f V : bounded K -> closed K V = true -> (forall a, In (initial K a) V) ->
  behaviour K M f -> forall ts m, msg_at M ts = Some m -> In m (candidates K V) /\ In (mval m) V.
Proof.
  intros few good starts [[runs idle completes] own] ts. induction ts as [ts IH] using lt_wf_ind. intros m found.
  pose proof (own ts m found) as cpu. destruct (runs _ cpu) as [es path].
  pose proof (completes _ cpu ts m found eq_refl) as done.
  destruct (run_fulfilled _ _ _ _ _ _ ts path done eq_refl) as (st1 & e & st2 & es1 & before & made & here).
  assert (fine : low M V ts st1).
  { eapply low_run; try eassumption; [|now apply low_initial with (K := K)]. intros t n early at_t. now apply (IH t). }
  destruct made as [ | | | |k x y qs a av d dv tw got address datum ok
      |g r x y c ps qs a av d dv tr v post tw got address datum read after write later atomic]; simpl in here;
    try contradiction; destruct here as [->|[]].
  - destruct ok as (at_ts & _ & _ & above). rewrite at_ts in found. injection found as <-.
    assert (inside : In (a, d) (stored V (Store k x y qs))).
    { eapply stored_store; try eassumption. unfold pre_write in above. lia. }
    split; [eapply in_candidates | eapply stored_closed]; eassumption.
  - destruct write as (at_ts & _ & _ & above). rewrite at_ts in found. injection found as <-.
    unfold pre_write in above.
    assert (inside : In (a, binop_val g v d) (stored V (Rmw g r x y c ps qs))).
    { eapply stored_rmw; try eassumption; [lia|]. eapply low_value; try eassumption; [|lia].
      intros t n early at_t. now apply (IH t). }
    split; [eapply in_candidates | eapply stored_closed]; eassumption.
Qed.
