(* SPDX-License-Identifier: Apache-2.0 *)
(** Litmus tests by computation on the Promising machine: [can_arm] decides whether an outcome is possible in a complete
    execution in which every thread has run to its end, and is proved to mean just that.  It tries every list of
    candidate messages with every run of every thread.  Rests on [Steps] and [Messages]; used by [Litmus]. *)
From Coq Require Import List Arith Bool Lia.
From SeKVM.wdrf.isolated Require Import Base SC Promising.
From SeKVM.wdrf.litmus Require Import ExploreSC Steps Messages.
Import ListNotations.

(** ** All runs of one thread to its end *)
Definition complete_b (M : memory) (i : tid) (st : thread) : bool :=
  forallb (fun ts => match msg_at M ts with
                     | Some m => negb (mtid m =? i) || fulfilled st ts
                     | None => true
                     end) (timestamps M).

Lemma complete_b_spec M i st : complete_b M i st = true <-> complete M i st.
Proof.
  unfold complete_b, complete. rewrite forallb_forall. split.
  - intros all ts m found own. specialize (all ts (msg_at_timestamp _ _ _ found)). rewrite found in all.
    apply Nat.eqb_eq in own. now rewrite own in all.
  - intros all ts _. destruct (msg_at M ts) as [m|] eqn:found; [|reflexivity].
    destruct (Nat.eqb_spec (mtid m) i) as [own|]; [|reflexivity]. simpl. eapply all; eassumption.
Qed.

Fixpoint finals (K : kernel) (M : memory) (i : tid) (fuel : nat) (st : thread) : list thread :=
  match fetch K i (pc st) with
  | None => if complete_b M i st then [st] else []
  | Some _ =>
      match fuel with
      | 0 => []
      | S fuel => flat_map (fun '(_, st') => finals K M i fuel st') (steps K M i st)
      end
  end.

Lemma step_fetch K M i st e st' : step K M i st e st' -> exists ins, fetch K i (pc st) = Some ins.
Proof. destruct 1; eauto. Qed.

Lemma step_forward K M i st e st' : simple K = true -> bounded K -> step K M i st e st' -> pc st < pc st'.
Proof.
  intros good few made. destruct made as [ |x t c cv found value| | | | ]; simpl; try lia.
  pose proof (simple_fetch _ _ _ _ good few found) as forward. simpl in forward. apply Nat.ltb_lt in forward.
  destruct (c =? 0); lia.
Qed.

Lemma finals_spec K M i st' : simple K = true -> bounded K -> forall fuel st,
  length (program K i) - pc st <= fuel ->
  (In st' (finals K M i fuel st) <->
   exists es, run K M i st es st' /\ fetch K i (pc st') = None /\ complete_b M i st' = true).
Proof.
  intros good few. induction fuel as [|fuel IH]; intros st enough; cbn [finals].
  - assert (over : fetch K i (pc st) = None) by (apply nth_error_None; lia). rewrite over. split.
    + destruct (complete_b M i st) eqn:done; [|contradiction]. intros [<-|[]]. exists []. repeat split; auto. constructor.
    + intros (es & path & _ & done). destruct path as [st|st e st1 es st2 made rest]; [rewrite done; now left|].
      apply step_fetch in made as [ins found]. congruence.
  - destruct (fetch K i (pc st)) as [ins|] eqn:found.
    + rewrite in_flat_map. split.
      * intros ([e st1] & made & inside). apply in_steps in made.
        pose proof (step_forward _ _ _ _ _ _ good few made) as more.
        apply IH in inside as (es & path & rest); [|lia]. exists (e :: es). split; [econstructor; eassumption | exact rest].
      * intros (es & path & over & done). destruct path as [st|st e st1 es st2 made rest]; [congruence|].
        exists (e, st1). split; [now apply in_steps|]. pose proof (step_forward _ _ _ _ _ _ good few made) as more.
        apply IH; [lia|]. eauto.
    + split.
      * destruct (complete_b M i st) eqn:done; [|contradiction]. intros [<-|[]]. exists []. repeat split; auto. constructor.
      * intros (es & path & _ & done). destruct path as [st|st e st1 es st2 made rest]; [rewrite done; now left|].
        apply step_fetch in made as [ins found']. congruence.
Qed.

(** ** All lists of messages *)
Definition is_store (ins : instr) : bool := match ins with Store _ _ _ _ | Rmw _ _ _ _ _ _ _ => true | _ => false end.
Definition stores (K : kernel) (i : tid) : nat := length (filter is_store (program K i)).
Definition messages_of (i : tid) (M : memory) : nat := length (filter (fun m => mtid m =? i) M).
Definition fits (K : kernel) (M : memory) : bool :=
  forallb (fun i => messages_of i M <=? stores K i) (seq 0 (cpus K)).

Fixpoint memories (K : kernel) (U : list message) (n : nat) : list memory :=
  match n with
  | 0 => [[]]
  | S n => [] :: filter (fits K) (flat_map (fun M => map (fun m => m :: M) U) (memories K U n))
  end.

Lemma fits_tail K m M : fits K (m :: M) = true -> fits K M = true.
Proof.
  unfold fits. rewrite !forallb_forall. intros all i inside. specialize (all i inside).
  apply Nat.leb_le in all. apply Nat.leb_le. unfold messages_of in *. simpl in all. destruct (mtid m =? i); simpl in all; lia.
Qed.

Lemma in_memories K U n : forall M, length M <= n -> (forall m, In m M -> In m U) -> fits K M = true ->
  In M (memories K U n).
Proof.
  induction n as [|n IH]; intros [|m M] short inside fine; simpl in *; try lia; auto.
  right. apply filter_In. split; [|exact fine]. apply in_flat_map. exists M. split.
  - apply IH; [lia | intros x have; apply inside; now right | eapply fits_tail, fine].
  - apply in_map_iff. exists m. split; [reflexivity|]. apply inside. now left.
Qed.

(** *** A complete execution has no more messages of a thread than the thread has stores *)
(** Timestamps of thread [i]'s messages, the first message having timestamp [n]. *)
Fixpoint own_timestamps (i : tid) (n : view) (M : memory) : list view :=
  match M with
  | [] => []
  | m :: M => (if mtid m =? i then [n] else []) ++ own_timestamps i (S n) M
  end.

Lemma own_timestamps_length i M : forall n, length (own_timestamps i n M) = messages_of i M.
Proof.
  induction M as [|m M IH]; intros n; [reflexivity|]. unfold messages_of in *. simpl. rewrite app_length, IH.
  destruct (mtid m =? i); reflexivity.
Qed.

Lemma own_timestamps_In i M : forall n ts, In ts (own_timestamps i n M) ->
  n <= ts /\ exists m, nth_error M (ts - n) = Some m /\ mtid m = i.
Proof.
  induction M as [|m M IH]; intros n ts inside; simpl in inside; [contradiction|].
  apply in_app_or in inside as [here|later].
  - destruct (Nat.eqb_spec (mtid m) i) as [own|]; [|contradiction]. destruct here as [<-|[]].
    split; [lia|]. exists m. now rewrite Nat.sub_diag.
  - apply IH in later as (le & m' & found & own). split; [lia|]. exists m'. split; [|exact own].
    replace (ts - n) with (S (ts - S n)) by lia. exact found.
Qed.

Lemma own_timestamps_NoDup i M : forall n, NoDup (own_timestamps i n M).
Proof.
  induction M as [|m M IH]; intros n; simpl; [constructor|]. destruct (mtid m =? i); simpl; [|apply IH].
  constructor; [|apply IH]. intros again. apply own_timestamps_In in again. lia.
Qed.

Definition all_writes (es : list event) : list view := flat_map event_writes es.

Lemma run_writes K M i st es st' ts : run K M i st es st' -> fulfilled st' ts = true ->
  fulfilled st ts = true \/ In ts (all_writes es).
Proof.
  induction 1 as [|st e st1 es st2 made rest IH]; intros done; [now left|].
  destruct (IH done) as [before|later].
  - destruct (step_fulfilled _ _ _ _ _ _ _ made before) as [first|here]; [now left|].
    right. apply in_or_app. now left.
  - right. apply in_or_app. now right.
Qed.

Definition stores_from (K : kernel) (i : tid) (p : nat) : nat := length (filter is_store (skipn p (program K i))).

Lemma filter_skipn_le {A} (f : A -> bool) l : forall p q, p <= q -> length (filter f (skipn q l)) <= length (filter f (skipn p l)).
Proof.
  induction l as [|x l IH]; intros p q le; [now rewrite !skipn_nil|].
  destruct q as [|q]; [replace p with 0 by lia; lia|].
  destruct p as [|p]; simpl; [|apply IH; lia].
  transitivity (length (filter f l)); [exact (IH 0 q (Nat.le_0_l q)) |]. destruct (f x); simpl; lia.
Qed.

Lemma stores_from_step K i p q ins : fetch K i p = Some ins -> p < q ->
  (if is_store ins then 1 else 0) + stores_from K i q <= stores_from K i p.
Proof.
  intros found lt. unfold stores_from, fetch in *.
  assert (cut : skipn p (program K i) = ins :: skipn (S p) (program K i)).
  { clear lt. revert p found. induction (program K i) as [|x l IH]; intros [|p] found; simpl in *; try discriminate.
    - now injection found as ->.
    - apply IH, found. }
  rewrite cut. pose proof (filter_skipn_le is_store (program K i) (S p) q lt). cbn [filter]. destruct (is_store ins); cbn [length]; lia.
Qed.

Lemma run_stores K M i st es st' : simple K = true -> bounded K -> run K M i st es st' ->
  length (all_writes es) <= stores_from K i (pc st).
Proof.
  intros good few. induction 1 as [|st e st1 es st2 made rest IH]; [simpl; lia|].
  pose proof (step_forward _ _ _ _ _ _ good few made) as more.
  unfold all_writes in *. simpl. rewrite app_length.
  destruct (step_fetch _ _ _ _ _ _ made) as [ins found].
  pose proof (stores_from_step K i _ _ ins found more) as bound.
  enough (length (event_writes e) <= if is_store ins then 1 else 0) by lia.
  destruct made as [r x fetched|x t c cv fetched value|b fetched|k r x c ps a av ts v fetched address ok
    |k x y qs a av d dv ts fetched address datum ok
    |f r x y c ps qs a av d dv tr v post tw fetched address datum read after write later atomic];
    rewrite fetched in found; injection found as <-; simpl; lia.
Qed.

Lemma behaviour_fits K M f : simple K = true -> bounded K -> behaviour K M f -> fits K M = true.
Proof.
  intros good few [[runs idle completes] own]. apply forallb_forall. intros i inside. apply in_seq in inside.
  apply Nat.leb_le. destruct (runs i) as [es path]; [lia|].
  pose proof (run_stores _ _ _ _ _ _ good few path) as bound. unfold stores_from in bound. simpl in bound.
  rewrite <- (own_timestamps_length i M 1). etransitivity; [|exact bound].
  apply NoDup_incl_length; [apply own_timestamps_NoDup|]. intros ts here.
  apply own_timestamps_In in here as (le & m & found & mine).
  assert (at_ts : msg_at M ts = Some m) by (destruct ts; [lia|]; simpl in *; now rewrite Nat.sub_0_r in found).
  destruct (run_writes _ _ _ _ _ _ ts path) as [before|there]; [|discriminate before | exact there].
  eapply completes; [lia | eassumption | exact mine].
Qed.

Definition total_stores (K : kernel) : nat := list_sum (map (stores K) (seq 0 (cpus K))).

Lemma list_sum_le (f g : nat -> nat) l : (forall i, In i l -> f i <= g i) -> list_sum (map f l) <= list_sum (map g l).
Proof.
  induction l as [|i l IH]; intros le; simpl; [lia|].
  pose proof (le i (or_introl eq_refl)). specialize (IH (fun j inside => le j (or_intror inside))). lia.
Qed.

Lemma list_sum_split l (f g : nat -> nat) : list_sum (map (fun i => f i + g i) l) = list_sum (map f l) + list_sum (map g l).
Proof. induction l as [|i l IH]; simpl; lia. Qed.

Lemma list_sum_single l j : NoDup l -> In j l -> list_sum (map (fun i => if j =? i then 1 else 0) l) = 1.
Proof.
  induction 1 as [|i l fresh nodup IH]; intros inside; simpl; [contradiction|].
  destruct (Nat.eqb_spec j i) as [->|other].
  - enough (list_sum (map (fun k => if i =? k then 1 else 0) l) = 0) by lia.
    clear - fresh. induction l as [|k l IH]; simpl in *; [reflexivity|].
    destruct (Nat.eqb_spec i k) as [->|]; [tauto|]. apply IH. tauto.
  - destruct inside as [->|inside]; [contradiction|]. now apply IH.
Qed.

Lemma messages_total n M : (forall m, In m M -> mtid m < n) ->
  length M = list_sum (map (fun i => messages_of i M) (seq 0 n)).
Proof.
  induction M as [|m M IH]; intros few.
  - simpl. clear few. induction (seq 0 n) as [|i l IH]; simpl; [reflexivity|exact IH].
  - assert (cut : list_sum (map (fun i => messages_of i (m :: M)) (seq 0 n)) =
      list_sum (map (fun i => if mtid m =? i then 1 else 0) (seq 0 n)) + list_sum (map (fun i => messages_of i M) (seq 0 n))).
    { rewrite <- list_sum_split. f_equal. apply map_ext. intros i. unfold messages_of. simpl.
      destruct (mtid m =? i); reflexivity. }
    rewrite cut, list_sum_single, <- IH; auto using seq_NoDup.
    + intros x inside. apply few. now right.
    + apply in_seq. specialize (few m (or_introl eq_refl)). lia.
Qed.

(** ** Outcomes *)
Definition final_mem (K : kernel) (M : memory) (a : addr) : val :=
  match msg_at M (last_write M a (length M)) with Some m => mval m | None => initial K a end.

Definition final_regs (f : tid -> thread) : tid -> reg -> val := fun i r => fst (regs (f i) r).

Definition arm_allows (K : kernel) (q : query) : Prop :=
  exists M f, behaviour K M f /\ (forall i, fetch K i (pc (f i)) = None) /\
    meets q (final_regs f) (final_mem K M) = true.

Definition thread_meets (q : query) (i : tid) (st : thread) : bool :=
  forallb (fun '(j, r, v) => negb (j =? i) || (fst (regs st r) =? v)) (q_regs q).

Definition can_arm_with (K : kernel) (q : query) (M : memory) : bool :=
  forallb (fun m => mtid m <? cpus K) M &&
  forallb (fun '(a, v) => final_mem K M a =? v) (q_mem q) &&
  forallb (fun i => existsb (thread_meets q i) (finals K M i (length (program K i)) thread_initial)) (seq 0 (cpus K)).

Definition can_arm (K : kernel) (V : list val) (q : query) : bool :=
  existsb (can_arm_with K q) (memories K (candidates K V) (total_stores K)).

(** The query asks about threads of the kernel only. *)
Definition query_ok (K : kernel) (q : query) : bool := forallb (fun '(i, _, _) => i <? cpus K) (q_regs q).

Lemma msg_at_In M ts m : msg_at M ts = Some m -> In m M.
Proof. destruct ts as [|n]; [discriminate|]. apply nth_error_In. Qed.

Lemma In_msg_at M m : In m M -> exists ts, msg_at M ts = Some m.
Proof. intros inside. apply In_nth_error in inside as [n found]. now exists (S n). Qed.

Lemma choose_finals (P : tid -> thread -> Prop) n :
  (forall i, i < n -> exists st, P i st) -> exists f, forall i, (i < n -> P i (f i)) /\ (n <= i -> f i = thread_initial).
Proof.
  induction n as [|n IH]; intros all; [exists (fun _ => thread_initial); intros i; split; [lia | reflexivity]|].
  destruct IH as [f rest]; [intros i lt; apply all; lia|]. destruct (all n) as [st here]; [lia|].
  exists (upd f n st). intros i. unfold upd. destruct (Nat.eqb_spec i n) as [->|other].
  - split; [intros _; exact here | lia].
  - destruct (rest i) as [inside outside]. split; intros lt; [apply inside | apply outside]; lia.
Qed.

Lemma can_arm_with_sound K q M : simple K = true -> bounded K -> query_ok K q = true ->
  can_arm_with K q M = true -> arm_allows K q.
Proof.
  intros good few asked can. apply andb_prop in can as [can threads]. apply andb_prop in can as [own mems].
  rewrite forallb_forall in own, threads.
  set (P i st := In st (finals K M i (length (program K i)) thread_initial) /\ thread_meets q i st = true).
  destruct (choose_finals P (cpus K)) as [f pick].
  { intros i cpu. apply existsb_exists. apply threads, in_seq. lia. }
  assert (ends : forall i, i < cpus K -> exists es, run K M i thread_initial es (f i) /\
    fetch K i (pc (f i)) = None /\ complete M i (f i)).
  { intros i cpu. destruct (proj1 (pick i) cpu) as [inside _].
    assert (enough : length (program K i) - pc thread_initial <= length (program K i)) by (simpl; lia).
    apply (finals_spec K M i (f i) good few _ _ enough) in inside as (es & path & over & done). exists es.
    rewrite <- complete_b_spec. auto. }
  exists M, f. split; [split; [split|]|split].
  - intros i cpu. destruct (ends i cpu) as (es & path & _). eauto.
  - intros i idle. apply pick, idle.
  - intros i cpu. destruct (ends i cpu) as (es & _ & _ & done). exact done.
  - intros ts m found. apply Nat.ltb_lt, own. eapply msg_at_In, found.
  - intros i. destruct (Nat.lt_ge_cases i (cpus K)) as [cpu|idle].
    + now destruct (ends i cpu) as (es & _ & over & _).
    + unfold fetch. rewrite (few i idle). now destruct (pc (f i)).
  - unfold meets. apply andb_true_iff. split; [|exact mems]. apply forallb_forall. intros [[i r] v] inside.
    unfold query_ok in asked. rewrite forallb_forall in asked. pose proof (asked _ inside) as cpu. simpl in cpu.
    apply Nat.ltb_lt in cpu. destruct (proj1 (pick i) cpu) as [_ met]. unfold thread_meets in met.
    rewrite forallb_forall in met. specialize (met _ inside). simpl in met. now rewrite Nat.eqb_refl in met.
Qed.

Lemma can_arm_with_complete K q M f : simple K = true -> bounded K -> behaviour K M f ->
  (forall i, fetch K i (pc (f i)) = None) -> meets q (final_regs f) (final_mem K M) = true -> can_arm_with K q M = true.
Proof.
  intros good few [[runs idle completes] own] over met. apply andb_prop in met as [met mems].
  unfold can_arm_with. rewrite mems, !andb_true_iff. repeat split.
  - apply forallb_forall. intros m inside. apply In_msg_at in inside as [ts found]. apply Nat.ltb_lt. eapply own, found.
  - apply forallb_forall. intros i inside. apply in_seq in inside. apply existsb_exists. exists (f i). split.
    + assert (enough : length (program K i) - pc thread_initial <= length (program K i)) by (simpl; lia).
      apply (finals_spec K M i (f i) good few _ _ enough). destruct (runs i) as [es path]; [lia|]. exists es.
      split; [exact path|]. split; [apply over | apply complete_b_spec, completes; lia].
    + apply forallb_forall. intros [[j r] v] here. destruct (Nat.eqb_spec j i) as [->|]; [|reflexivity]. simpl.
      rewrite forallb_forall in met. exact (met _ here).
Qed.

Theorem can_arm_correct K V q : simple K = true -> bounded K -> query_ok K q = true -> closed K V = true ->
  (forall a, In (initial K a) V) -> (can_arm K V q = true <-> arm_allows K q).
Proof.
  intros good few asked finite starts. split.
  - intros can. apply existsb_exists in can as (M & _ & can). eapply can_arm_with_sound; eassumption.
  - intros (M & f & bh & over & met). apply existsb_exists. exists M. split.
    + pose proof (behaviour_fits K M f good few bh) as fine. apply in_memories; [| |exact fine].
      * rewrite (messages_total (cpus K) M).
        -- unfold total_stores. apply list_sum_le. intros i inside. unfold fits in fine. rewrite forallb_forall in fine.
           apply Nat.leb_le, fine, inside.
        -- intros m inside. apply In_msg_at in inside as [ts found]. eapply bh_own; eassumption.
      * intros m inside. apply In_msg_at in inside as [ts found].
        eapply messages_are_candidates; eassumption.
    + eapply can_arm_with_complete; eassumption.
Qed.
