(* SPDX-License-Identifier: Apache-2.0 *)
(** The steps of one thread of the Promising machine against given messages, as a finite list: every step that the
    rules allow and no other.  Rests on [Promising]; used by [ExploreArm]. *)
From Coq Require Import List Arith Bool Lia.
From SeKVM.wdrf.isolated Require Import Base Promising.
Import ListNotations.

Definition timestamps (M : memory) : list view := seq 0 (S (length M)).

Lemma msg_at_timestamp M ts m : msg_at M ts = Some m -> In ts (timestamps M).
Proof.
  intros found. apply in_seq. destruct ts as [|n]; [lia|]. simpl in found.
  assert (inside : nth_error M n <> None) by congruence. apply nth_error_Some in inside. lia.
Qed.

(** ** The premises of the rules, decided *)
Definition read_value (K : kernel) (M : memory) (a : addr) (ts : view) : option val :=
  match ts with
  | 0 => Some (initial K a)
  | _ => match msg_at M ts with
         | Some m => if mloc m =? a then Some (mval m) else None
         | None => None
         end
  end.

Lemma read_value_spec K M a ts v : read_value K M a ts = Some v <-> value_at K M a ts v.
Proof.
  unfold read_value, value_at. destruct ts as [|n].
  - split; [intros [= <-]; left; auto | intros [[_ ->]|(m & found & _)]; [reflexivity | discriminate found]].
  - destruct (msg_at M (S n)) as [m|] eqn:found.
    + destruct (Nat.eqb_spec (mloc m) a) as [here|other].
      * split; [intros [= <-]; right; eauto | intros [[no _]|(m' & [= <-] & _ & <-)]; [discriminate no | reflexivity]].
      * split; [discriminate | intros [[no _]|(m' & [= <-] & here & _)]; [discriminate no | contradiction]].
    + split; [discriminate | intros [[no _]|(m' & [=] & _)]; discriminate no].
Qed.

Definition no_write_b (M : memory) (a : addr) (lo hi : view) : bool :=
  forallb (fun ts => match msg_at M ts with
                     | Some m => negb ((lo <? ts) && (ts <=? hi) && (mloc m =? a))
                     | None => true
                     end) (timestamps M).

Lemma no_write_b_spec M a lo hi : no_write_b M a lo hi = true <-> no_write M a lo hi.
Proof.
  unfold no_write_b, no_write. rewrite forallb_forall. split.
  - intros none ts m above below found here. specialize (none ts (msg_at_timestamp _ _ _ found)).
    rewrite found in none. apply Nat.ltb_lt in above. apply Nat.leb_le in below. apply Nat.eqb_eq in here.
    now rewrite above, below, here in none.
  - intros none ts _. destruct (msg_at M ts) as [m|] eqn:found; [|reflexivity]. apply negb_true_iff.
    destruct ((lo <? ts) && (ts <=? hi) && (mloc m =? a)) eqn:hit; [exfalso|reflexivity].
    apply andb_prop in hit as [hit here]. apply andb_prop in hit as [above below].
    apply Nat.ltb_lt in above. apply Nat.leb_le in below. apply Nat.eqb_eq in here. exact (none ts m above below found here).
Qed.

(** The value that can be read at [ts], if any. *)
Definition readable (K : kernel) (M : memory) (st : thread) (k : kind) (a : addr) (av ts : view) : option val :=
  if no_write_b M a ts (max (coh st a) (pre_read st k av)) then read_value K M a ts else None.

Lemma readable_spec K M st k a av ts v : readable K M st k a av ts = Some v <-> can_read K M st k a av ts v.
Proof.
  unfold readable, can_read. rewrite <- read_value_spec, <- no_write_b_spec.
  destruct (no_write_b _ _ _ _); split; try tauto; try discriminate. intros [_ no]. discriminate no.
Qed.

Definition message_eqb (m n : message) : bool := (mtid m =? mtid n) && (mloc m =? mloc n) && (mval m =? mval n).

Lemma message_eqb_spec m n : message_eqb m n = true <-> m = n.
Proof.
  destruct m as [i a v], n as [j b w]. unfold message_eqb. simpl.
  rewrite !andb_true_iff, !Nat.eqb_eq. split; [intros [[-> ->] ->]; reflexivity | intros [= -> -> ->]; auto].
Qed.

Definition writable (M : memory) (i : tid) (st : thread) (k : kind) (a : addr) (av : view) (d : val) (dv ts : view) : bool :=
  match msg_at M ts with
  | Some m => message_eqb m (Message i a d) && negb (fulfilled st ts) && (coh st a <? ts) && (pre_write st k av dv <? ts)
  | None => false
  end.

Lemma writable_spec M i st k a av d dv ts : writable M i st k a av d dv ts = true <-> can_write M i st k a av d dv ts.
Proof.
  unfold writable, can_write. destruct (msg_at M ts) as [m|].
  - rewrite !andb_true_iff, negb_true_iff, !Nat.ltb_lt, message_eqb_spec. split.
    + intros [[[-> ?] ?] ?]. auto.
    + intros ([= ->] & ? & ? & ?). auto.
  - split; [discriminate | intros ([=] & _)].
Qed.

(** ** The steps *)
Definition read_steps (K : kernel) (M : memory) (st : thread) (k : kind) (r : reg) (a : addr) (av : view) :
    list (view * thread) :=
  flat_map (fun ts => match readable K M st k a av ts with
                      | Some v => [(ts, do_read st k r a av ts v)]
                      | None => []
                      end) (timestamps M).

Definition write_steps (M : memory) (i : tid) (st : thread) (k : kind) (a : addr) (av : view) (d : val) (dv : view) :
    list (view * thread) :=
  flat_map (fun ts => if writable M i st k a av d dv ts then [(ts, do_write st k a av dv ts)] else []) (timestamps M).

Definition update_steps (K : kernel) (M : memory) (i : tid) (st : thread) (f : binop) (r : reg) (a : addr) (av : view)
    (d : val) (dv : view) : list (event * thread) :=
  flat_map (fun tr =>
    match readable K M st Ordered a av tr with
    | Some v =>
        let st' := do_read st Ordered r a av tr v in
        let post := post_read st Ordered a av tr in
        map (fun '(tw, st'') => (Update a av tr post tw, st''))
          (filter (fun '(tw, _) => (tr <? tw) && no_write_b M a tr (tw - 1))
             (write_steps M i st' Ordered a av (binop_val f v d) (max dv post)))
    | None => []
    end) (timestamps M).

Definition steps (K : kernel) (M : memory) (i : tid) (st : thread) : list (event * thread) :=
  match fetch K i (pc st) with
  | None => []
  | Some ins =>
      let next st' := at_pc st' (S (pc st)) in
      match ins with
      | Mov r e => [(Internal 0, next (with_reg st r (veval (regs st) e)))]
      | Branch e t =>
          let '(c, cv) := veval (regs st) e in
          [(Internal cv, at_pc (with_cap st cv) (if c =? 0 then S (pc st) else t))]
      | Fence b => [(Internal 0, next (with_fence st (fence_reads st b) (fence_writes st b)))]
      | Load k r ea _ _ =>
          let '(a, av) := veval (regs st) ea in
          map (fun '(ts, st') => (Read k a av ts (post_read st k a av ts), next st')) (read_steps K M st k r a av)
      | Store k ea ed _ =>
          let '(a, av) := veval (regs st) ea in
          let '(d, dv) := veval (regs st) ed in
          map (fun '(ts, st') => (Write k a av ts, next st')) (write_steps M i st k a av d dv)
      | Rmw f r ea ed _ _ _ =>
          let '(a, av) := veval (regs st) ea in
          let '(d, dv) := veval (regs st) ed in
          map (fun '(e, st') => (e, next st')) (update_steps K M i st f r a av d dv)
      end
  end.

Lemma in_read_steps K M st k r a av ts st' :
  In (ts, st') (read_steps K M st k r a av) <-> exists v, can_read K M st k a av ts v /\ st' = do_read st k r a av ts v.
Proof.
  unfold read_steps. rewrite in_flat_map. split.
  - intros (t & _ & inside). destruct (readable K M st k a av t) as [v|] eqn:ok; [|contradiction].
    destruct inside as [[= <- <-]|[]]. exists v. split; [now apply readable_spec | reflexivity].
  - intros (v & ok & ->). exists ts. pose proof (proj2 (readable_spec _ _ _ _ _ _ _ _) ok) as eq. rewrite eq. split; [|now left].
    destruct ok as [[[-> _]|(m & found & _)] _]; [apply in_seq; lia | eapply msg_at_timestamp; exact found].
Qed.

Lemma in_write_steps M i st k a av d dv ts st' :
  In (ts, st') (write_steps M i st k a av d dv) <-> can_write M i st k a av d dv ts /\ st' = do_write st k a av dv ts.
Proof.
  unfold write_steps. rewrite in_flat_map. split.
  - intros (t & _ & inside). destruct (writable M i st k a av d dv t) eqn:ok; [|contradiction].
    destruct inside as [[= <- <-]|[]]. split; [now apply writable_spec | reflexivity].
  - intros (ok & ->). exists ts. rewrite (proj2 (writable_spec _ _ _ _ _ _ _ _ _) ok). split; [|now left].
    destruct ok as [found _]. eapply msg_at_timestamp. exact found.
Qed.

Lemma in_update_steps K M i st f r a av d dv e st' :
  In (e, st') (update_steps K M i st f r a av d dv) <->
  exists tr v post tw, can_read K M st Ordered a av tr v /\ post = post_read st Ordered a av tr /\
    can_write M i (do_read st Ordered r a av tr v) Ordered a av (binop_val f v d) (max dv post) tw /\
    tr < tw /\ no_write M a tr (tw - 1) /\ e = Update a av tr post tw /\
    st' = do_write (do_read st Ordered r a av tr v) Ordered a av (max dv post) tw.
Proof.
  unfold update_steps. rewrite in_flat_map. split.
  - intros (tr & _ & inside). destruct (readable K M st Ordered a av tr) as [v|] eqn:ok; [|contradiction].
    apply in_map_iff in inside as ([tw st''] & [= <- <-] & inside). apply filter_In in inside as [inside fine].
    apply andb_prop in fine as [later atomic]. apply in_write_steps in inside as [write ->].
    exists tr, v, (post_read st Ordered a av tr), tw.
    rewrite <- readable_spec, <- no_write_b_spec. apply Nat.ltb_lt in later. repeat split; auto; apply write.
  - intros (tr & v & post & tw & read & -> & write & later & atomic & -> & ->).
    assert (inside : In (tr, do_read st Ordered r a av tr v) (read_steps K M st Ordered r a av))
      by (apply in_read_steps; eauto).
    apply in_flat_map in inside as (t & inside & same). exists tr.
    pose proof (proj2 (readable_spec _ _ _ _ _ _ _ _) read) as eq. rewrite eq. split.
    + destruct (readable K M st Ordered a av t); [|contradiction]. now destruct same as [[= <- _]|[]].
    + apply in_map_iff. eexists (tw, _). split; [reflexivity|]. apply filter_In. split.
      * apply in_write_steps. split; [exact write | reflexivity].
      * apply andb_true_iff. split; [now apply Nat.ltb_lt | now apply no_write_b_spec].
Qed.

Theorem in_steps K M i st e st' : In (e, st') (steps K M i st) <-> step K M i st e st'.
Proof.
  unfold steps. split.
  - destruct (fetch K i (pc st)) as [[r x|x t|b|k r x c ps|k x y qs|f r x y c ps qs]|] eqn:found; simpl; [.. | contradiction].
    + intros [[= <- <-]|[]]. now constructor.
    + destruct (veval (regs st) x) as [c cv] eqn:value. intros [[= <- <-]|[]]. econstructor; eassumption.
    + intros [[= <- <-]|[]]. now constructor.
    + destruct (veval (regs st) x) as [a av] eqn:address. rewrite in_map_iff.
      intros ([ts st''] & [= <- <-] & inside). apply in_read_steps in inside as (v & ok & ->).
      econstructor; eassumption.
    + destruct (veval (regs st) x) as [a av] eqn:address, (veval (regs st) y) as [d dv] eqn:datum. rewrite in_map_iff.
      intros ([ts st''] & [= <- <-] & inside). apply in_write_steps in inside as (ok & ->). econstructor; eassumption.
    + destruct (veval (regs st) x) as [a av] eqn:address, (veval (regs st) y) as [d dv] eqn:datum. rewrite in_map_iff.
      intros ([e' st''] & [= <- <-] & inside).
      apply in_update_steps in inside as (tr & v & post & tw & read & -> & write & later & atomic & -> & ->).
      econstructor; eauto.
  - destruct 1 as [r x found|x t c cv found value|b found|k r x c ps a av ts v found address ok
      |k x y qs a av d dv ts found address datum ok
      |f r x y c ps qs a av d dv tr v post tw found address datum read after write later atomic]; rewrite found.
    + now left.
    + rewrite value. now left.
    + now left.
    + rewrite address. apply in_map_iff. eexists (ts, _). split; [reflexivity|]. apply in_read_steps. eauto.
    + rewrite address, datum. apply in_map_iff. eexists (ts, _). split; [reflexivity|]. now apply in_write_steps.
    + rewrite address, datum. apply in_map_iff. eexists (_, _). split; [reflexivity|].
      apply in_update_steps. exists tr, v, post, tw. auto 8.
Qed.
