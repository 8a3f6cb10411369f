(* SPDX-License-Identifier: Apache-2.0 *)
(** Code that passes the check of [Locks] meets the wDRF conditions, on any number of CPUs and whatever its critical
    sections compute.  With Theorem 2 it follows that such code behaves on relaxed hardware as on SC hardware.  Rests on
    [Queue] (tickets exclude) and [Words]. *)
From Coq Require Import List Arith Bool Lia.
From SeKVM.wdrf.isolated Require Import Base SC DRF.
From SeKVM.wdrf.locks Require Import Locks Queue Words.
Import ListNotations.

(** ** What the check says of one instruction *)
Inductive admitted (ls : list lock) (c : code) (pc : nat) : phase -> instr -> Prop :=
| adm_mov : forall h r e,
    ~ In r (reserved h) -> phase_at c (S pc) = Run h -> admitted ls c pc (Run h) (Mov r e)
| adm_branch : forall h e t,
    phase_at c (S pc) = Run h -> phase_at c t = Run h -> admitted ls c pc (Run h) (Branch e t)
| adm_fence : forall h b, phase_at c (S pc) = Run h -> admitted ls c pc (Run h) (Fence b)
| adm_load : forall h r a e ps,
    ~ In r (reserved h) -> inside ls h a = true -> phase_at c (S pc) = Run h ->
    admitted ls c pc (Run h) (Load Plain r a e ps)
| adm_store : forall h a e qs,
    inside ls h a = true -> phase_at c (S pc) = Run h -> admitted ls c pc (Run h) (Store Plain a e qs)
| adm_draw : forall h k rt,
    k < length ls -> ~ In k (locks_of h) -> ~ In rt (reserved h) -> phase_at c (S pc) = Wait h k rt ->
    admitted ls c pc (Run h) (draw (lock_at ls k) rt)
| adm_hand : forall h k rt,
    phase_at c (S pc) = Run h -> admitted ls c pc (Run ((k, rt) :: h)) (hand_over (lock_at ls k) rt)
| adm_poll : forall h k rt rn,
    rn <> rt -> ~ In rn (reserved h) -> phase_at c (S pc) = Test h k rt rn ->
    admitted ls c pc (Wait h k rt) (poll (lock_at ls k) rt rn)
| adm_again : forall h k rt rn t,
    phase_at c t = Wait h k rt -> phase_at c (S pc) = Run ((k, rt) :: h) ->
    admitted ls c pc (Test h k rt rn) (again rt rn t).

Lemma is_phase_eq p q : is_phase p q = true -> p = q.
Proof. unfold is_phase. destruct (eq_phase p q); [auto | discriminate]. Qed.

Lemma is_instr_eq p q : is_instr p q = true -> p = q.
Proof. unfold is_instr. destruct (eq_instr p q); [auto | discriminate]. Qed.

Lemma fits_admitted ls c pc p ins : fits ls c pc p ins = true -> admitted ls c pc p ins.
Proof.
  unfold fits. destruct p as [h|h k rt|h k rt rn].
  - destruct ins as [r e|e t|b|[] r a e ps|[] a e qs|f r a e e' ps qs]; try discriminate; rewrite ?andb_true_iff.
    + intros [free next]. apply is_phase_eq in next. apply negb_true_iff, mem_list_not in free. now constructor.
    + intros [next there]. apply is_phase_eq in next, there. now constructor.
    + intros next. apply is_phase_eq in next. now constructor.
    + intros [[free held] next]. apply is_phase_eq in next. apply negb_true_iff, mem_list_not in free. now constructor.
    + intros [held next]. apply is_phase_eq in next. now constructor.
    + destruct h as [|[k rt] h]; [discriminate|]. rewrite andb_true_iff. intros [next same].
      apply is_phase_eq in next. apply is_instr_eq in same. rewrite same. now constructor.
    + destruct (phase_at c (S pc)) as [h'|h' k rt|h' k rt rn] eqn:next; try discriminate. rewrite !andb_true_iff.
      intros [[[[[same known] fresh] reg] free] shape]. apply is_phase_eq in same. injection same as ->.
      apply Nat.ltb_lt in known. apply negb_true_iff, mem_list_not in fresh, free. apply Nat.eqb_eq in reg as ->.
      apply is_instr_eq in shape. rewrite shape. now constructor.
  - destruct (phase_at c (S pc)) as [h'|h' k' rt'|h' k' rt' rn] eqn:next; try discriminate. rewrite !andb_true_iff.
    intros [[same free] shape]. apply is_phase_eq in same. injection same as -> -> ->.
    apply negb_true_iff, mem_list_not in free. simpl in free. apply is_instr_eq in shape. rewrite shape.
    constructor; [| |exact next]; intros clash; apply free; [left; auto | right; exact clash].
  - destruct ins as [r e|e t|b|k' r a e ps|k' a e qs|f r a e e' ps qs]; try discriminate. rewrite !andb_true_iff.
    intros [[shape there] next]. apply is_phase_eq in there, next. apply is_instr_eq in shape. rewrite shape.
    now constructor.
Qed.

(** ** Tickets that a thread has *)
Definition tickets_of (h : holding) (rs : reg -> val) : list (lock_id * val) := map (fun '(k, r) => (k, rs r)) h.

Definition served (p : phase) (rs : reg -> val) : list (lock_id * val) :=
  match p with
  | Run h | Wait h _ _ => tickets_of h rs
  | Test h k rt rn => if rs rn =? rs rt then (k, rs rt) :: tickets_of h rs else tickets_of h rs
  end.

Definition queued (p : phase) (rs : reg -> val) : list (lock_id * val) :=
  match p with
  | Run _ => []
  | Wait _ k rt => [(k, rs rt)]
  | Test _ k rt rn => if rs rn =? rs rt then [] else [(k, rs rt)]
  end.

Lemma tickets_of_upd h rs r v : ~ In r (reserved h) -> tickets_of h (upd rs r v) = tickets_of h rs.
Proof.
  intros free. apply map_ext_in. intros [k r'] held. rewrite upd_other; [reflexivity|].
  intros ->. apply free, (in_map snd _ _ held).
Qed.

Lemma tickets_of_locks h rs : map fst (tickets_of h rs) = locks_of h.
Proof. unfold tickets_of, locks_of. rewrite map_map. apply map_ext. now intros [k r]. Qed.

Lemma map_const (rs : reg -> val) l : map (eval rs) (map Const l) = l.
Proof. rewrite map_map. apply map_id. Qed.

Section Sound.
  Context (ls : list lock) (n : nat) (c : tid -> code) (init : addr -> val).
  Hypothesis apart : separate ls = true.
  Hypothesis good : forall i, i < n -> checked ls (c i) = true.

  Let K := kernel_of ls n c init.
  Let size := length ls.
  Let ticket_of k := ticket (lock_at ls k).
  Let serving_of k := serving (lock_at ls k).
  Let guard_of k := guard (lock_at ls k).

  Definition phase_of (s : sc_state) (i : tid) : phase := if i <? n then phase_at (c i) (sc_pc s i) else Run [].

  Lemma fetched i pc ins : fetch K i pc = Some ins -> i < n /\ admitted ls (c i) pc (phase_at (c i) pc) ins.
  Proof.
    unfold fetch, K. simpl. destruct (Nat.ltb_spec i n) as [cpu|]; [|now destruct pc].
    intros found. split; [exact cpu|]. unfold instrs in found. rewrite nth_error_map in found.
    destruct (nth_error (c i) pc) as [[p ins']|] eqn:here; [|discriminate]. injection found as ->.
    assert (inside : pc < length (c i)) by (apply nth_error_Some; congruence).
    assert (claimed : phase_at (c i) pc = p).
    { unfold phase_at. erewrite nth_error_nth; [reflexivity|]. rewrite nth_error_map, here. reflexivity. }
    rewrite claimed. apply fits_admitted. pose proof (good i cpu) as all. apply andb_prop in all as [_ all].
    rewrite forallb_forall in all. specialize (all pc). rewrite here in all. apply all, in_seq. lia.
  Qed.

  (** The invariant: the tickets are those of a queue, and what a lock guards is with its holder or with the lock. *)
  Definition owner (g : ghost) (i : tid) (k : lock_id) : Prop := forall a, In a (guard_of k) -> owns g i a = true.
  Definition kept (g : ghost) (k : lock_id) : Prop := forall a, In a (guard_of k) -> payload g (serving_of k) a = true.

  Record inv (s : sc_state) (g : ghost) : Prop := {
    inv_queue : queue size (fun i => served (phase_of s i) (sc_reg s i)) (fun i => queued (phase_of s i) (sc_reg s i))
                  (fun k => sc_mem s (ticket_of k)) (fun k => sc_mem s (serving_of k)) (owner g) (kept g);
    inv_order : forall k, k < size -> sc_mem s (serving_of k) <= sc_mem s (ticket_of k) }.

  Lemma initial_word a : In a (words ls) -> initial K a = 0.
  Proof. intros word. unfold K, kernel_of, initial. now rewrite (proj2 (mem_list_In _ _) word). Qed.

  Lemma inv_initial : inv (sc_initial K) (ghost_initial K).
  Proof.
    split.
    - assert (start : forall i, phase_of (sc_initial K) i = Run []).
      { intros i. unfold phase_of. simpl. destruct (Nat.ltb_spec i n) as [cpu|]; [|reflexivity].
        pose proof (good i cpu) as fine. apply andb_prop in fine as [first _]. now apply is_phase_eq in first. }
      split.
      + intros i k t here. rewrite start in here. contradiction.
      + intros i k t here. rewrite start in here. contradiction.
      + intros i j k t here. rewrite start in here. contradiction.
      + intros k lt _ a guarded. apply existsb_exists. exists (lock_at ls k). split; [apply nth_In, lt|].
        apply andb_true_iff. split; [apply Nat.eqb_refl | now apply mem_list_In].
      + intros i. rewrite start. constructor.
    - intros k lt. change (initial K (serving_of k) <= initial K (ticket_of k)).
      rewrite (initial_word (serving_of k)) by (apply serving_word, lt). lia.
  Qed.

  (** A step of one thread leaves the others where they are. *)
  Lemma others_same ins s i o j : j <> i ->
    phase_of (sc_exec ins s i o) j = phase_of s j /\ sc_reg (sc_exec ins s i o) j = sc_reg s j.
  Proof.
    intros other. unfold phase_of. destruct ins; simpl; rewrite ?(upd_other _ i _ j other); auto.
  Qed.

  Lemma others_tickets ins s i o j : j <> i ->
    served (phase_of (sc_exec ins s i o) j) (sc_reg (sc_exec ins s i o) j) = served (phase_of s j) (sc_reg s j) /\
    queued (phase_of (sc_exec ins s i o) j) (sc_reg (sc_exec ins s i o) j) = queued (phase_of s j) (sc_reg s j).
  Proof. intros other. destruct (others_same ins s i o j other) as [-> ->]. auto. Qed.

  (** What thread [i] may access. *)
  Lemma held_owns s g i h e : inv s g -> phase_of s i = Run h -> inside ls h e = true ->
    exists k, k < size /\ In (eval (sc_reg s i) e) (guard_of k) /\ owns g i (eval (sc_reg s i) e) = true.
  Proof.
    intros [q _] at_h held. destruct (inside_guard ls h e (sc_reg s i) held) as (k & member & guarded).
    apply in_map_iff in member as ([k' r] & same & member). simpl in same. subst k'.
    destruct (q_served _ _ _ _ _ _ _ q i k (sc_reg s i r)) as (lt & _ & _ & own).
    - rewrite at_h. simpl. apply in_map_iff. exists (k, r). auto.
    - exists k. repeat split; auto.
  Qed.

  Lemma class_word a : In a (words ls) -> class_of K a = Sync.
  Proof. intros word. unfold K, kernel_of, class_of. now rewrite (proj2 (mem_list_In _ _) word). Qed.

  Lemma class_guard k a : k < size -> In a (guard_of k) -> class_of K a = Data.
  Proof.
    intros lt guarded. unfold K, kernel_of, class_of.
    now rewrite (proj2 (mem_list_not _ _) (guard_no_word ls apart k a lt guarded)).
  Qed.

  (** The lock that a waiting or holding thread means exists. *)
  Lemma queued_known s g i k t : inv s g -> In (k, t) (queued (phase_of s i) (sc_reg s i)) -> k < size.
  Proof. intros [q _] here. apply (q_queued _ _ _ _ _ _ _ q i k t here). Qed.

  Lemma served_known s g i k t : inv s g -> In (k, t) (served (phase_of s i) (sc_reg s i)) -> k < size.
  Proof. intros [q _] here. apply (q_served _ _ _ _ _ _ _ q i k t here). Qed.

  Lemma next_phase ins s i o p : i < n -> phase_at (c i) (sc_pc (sc_exec ins s i o) i) = p ->
    phase_of (sc_exec ins s i o) i = p.
  Proof. intros cpu next. unfold phase_of. now rewrite (proj2 (Nat.ltb_lt i n) cpu). Qed.

  (** *** The checks *)
  Lemma admitted_fine s g i ins : inv s g -> i < n -> admitted ls (c i) (sc_pc s i) (phase_of s i) ins ->
    race_free K ins s i g = true /\ ordered_on_sync K ins s i = true /\ isolates K ins s i = true.
  Proof.
    intros fine cpu ok. remember (phase_of s i) as p eqn:at_p. symmetry in at_p.
    destruct ok as [h r e free next|h e t next there|h b next|h r a e ps free held next|h a e qs held next
      |h k rt lt fresh free next|h k rt next|h k rt rn ne free next|h k rt rn t there next];
      unfold ordered_on_sync, isolates; cbn [access_of race_free draw poll hand_over again eval kind_eqb]; auto.
    - destruct (held_owns s g i h a fine at_p held) as (k & lt & guarded & own).
      rewrite (class_guard k _ lt guarded). unfold may_read, settled.
      change (write_once K (eval (sc_reg s i) a)) with false. cbn [andb]. rewrite own.
      unfold if_data. now rewrite (class_guard k _ lt guarded).
    - destruct (held_owns s g i h a fine at_p held) as (k & lt & guarded & own).
      rewrite own. unfold if_data. now rewrite (class_guard k _ lt guarded).
    - rewrite (class_word _ (ticket_word ls k lt)). auto.
    - assert (mine : In (k, sc_reg s i rt) (served (phase_of s i) (sc_reg s i))) by (rewrite at_p; now left).
      pose proof (served_known s g i k _ fine mine) as lt. rewrite (class_word _ (serving_word ls k lt)).
      split; [|split; reflexivity]. rewrite map_const. apply forallb_forall.
      apply (q_served _ _ _ _ _ _ _ (inv_queue _ _ fine) i k _ mine).
    - assert (mine : In (k, sc_reg s i rt) (queued (phase_of s i) (sc_reg s i))) by (rewrite at_p; now left).
      pose proof (queued_known s g i k _ fine mine) as lt. rewrite (class_word _ (serving_word ls k lt)).
      split; [|split; reflexivity]. unfold taken. cbn [eval binop_val]. rewrite upd_same, upd_other by auto.
      destruct (Nat.eqb_spec (sc_mem s (serving (lock_at ls k))) (sc_reg s i rt)) as [turn|]; cbn; [|reflexivity].
      rewrite map_const. apply forallb_forall.
      apply (q_turn _ _ _ _ _ _ _ i k (inv_queue _ _ fine) _ mine). symmetry. exact turn.
  Qed.

  (** *** Steps *)
  Lemma inv_same s g i ins o : inv s g ->
    served (phase_of (sc_exec ins s i o) i) (sc_reg (sc_exec ins s i o) i) = served (phase_of s i) (sc_reg s i) ->
    queued (phase_of (sc_exec ins s i o) i) (sc_reg (sc_exec ins s i o) i) = queued (phase_of s i) (sc_reg s i) ->
    (forall k, k < size -> sc_mem (sc_exec ins s i o) (ticket_of k) = sc_mem s (ticket_of k)) ->
    (forall k, k < size -> sc_mem (sc_exec ins s i o) (serving_of k) = sc_mem s (serving_of k)) ->
    (forall j a, owns (ghost_exec ins s i g) j a = owns g j a) ->
    (forall l a, payload (ghost_exec ins s i g) l a = payload g l a) ->
    inv (sc_exec ins s i o) (ghost_exec ins s i g).
  Proof.
    intros [q order] sv qu nx nw ow pay. split.
    - destruct q as [b1 b2 b3 b4 b5].
      assert (all : forall j,
        served (phase_of (sc_exec ins s i o) j) (sc_reg (sc_exec ins s i o) j) = served (phase_of s j) (sc_reg s j) /\
        queued (phase_of (sc_exec ins s i o) j) (sc_reg (sc_exec ins s i o) j) = queued (phase_of s j) (sc_reg s j)).
      { intros j. destruct (Nat.eq_dec j i) as [->|other]; [split; assumption | now apply others_tickets]. }
      split.
      + intros j k t here. rewrite (proj1 (all j)) in here. destruct (b1 j k t here) as (lt & turn & less & own).
        rewrite nx, nw by exact lt. repeat split; auto. intros a guarded. rewrite ow. now apply own.
      + intros j k t here. rewrite (proj2 (all j)) in here. pose proof (b2 j k t here) as (lt & more & less).
        now rewrite nx, nw by exact lt.
      + intros j1 j2 k t. rewrite (proj1 (all j1)), (proj2 (all j1)), (proj1 (all j2)), (proj2 (all j2)). apply b3.
      + intros k lt none a guarded. rewrite pay. apply (b4 k lt); [|exact guarded].
        intros j t. rewrite <- (proj1 (all j)). apply none.
      + intros j. rewrite (proj1 (all j)), (proj2 (all j)). apply b5.
    - intros k lt. rewrite nx, nw by exact lt. now apply order.
  Qed.

  Lemma draw_ghost s i g k rt : let g' := ghost_exec (draw (lock_at ls k) rt) s i g in
    (forall j a, owns g' j a = owns g j a) /\ (forall l a, payload g' l a = payload g l a).
  Proof.
    simpl. split.
    - intros j a. destruct (Nat.eq_dec j i) as [->|other].
      + rewrite !upd_same. simpl. now rewrite andb_true_r, orb_false_r.
      + now rewrite !upd_other by exact other.
    - intros l a. destruct (Nat.eq_dec l (ticket (lock_at ls k))) as [->|other].
      + rewrite !upd_same. simpl. now rewrite orb_false_r, andb_true_r.
      + now rewrite !upd_other by exact other.
  Qed.

  Lemma admitted_keeps s g i ins o : inv s g -> i < n -> admitted ls (c i) (sc_pc s i) (phase_of s i) ins ->
    inv (sc_exec ins s i o) (ghost_exec ins s i g).
  Proof.
    intros fine cpu ok. remember (phase_of s i) as p eqn:at_p. symmetry in at_p.
    destruct ok as [h r e free next|h e t next there|h b next|h r a e ps free held next|h a e qs held next
      |h k rt lt fresh free next|h k rt next|h k rt rn ne free next|h k rt rn t there next].
    - (* Mov *)
      assert (after : phase_of (sc_exec (Mov r e) s i o) i = Run h).
      { apply next_phase; [exact cpu|]. simpl. rewrite upd_same. exact next. }
      apply inv_same; auto; rewrite after, at_p; simpl; [|reflexivity]. rewrite upd_same. now apply tickets_of_upd.
    - (* Branch *)
      assert (after : phase_of (sc_exec (Branch e t) s i o) i = Run h).
      { apply next_phase; [exact cpu|]. simpl. rewrite upd_same. destruct (eval (sc_reg s i) e =? 0); assumption. }
      apply inv_same; auto; rewrite after, at_p; simpl; [|reflexivity]. now rewrite upd_same.
    - (* Fence *)
      assert (after : phase_of (sc_exec (Fence b) s i o) i = Run h).
      { apply next_phase; [exact cpu|]. simpl. rewrite upd_same. exact next. }
      apply inv_same; auto; rewrite after, at_p; simpl; [|reflexivity]. now rewrite upd_same.
    - (* Load *)
      assert (after : phase_of (sc_exec (Load Plain r a e ps) s i o) i = Run h).
      { apply next_phase; [exact cpu|]. simpl. rewrite upd_same. exact next. }
      apply inv_same; auto; rewrite after, at_p; simpl; [|reflexivity]. rewrite upd_same. now apply tickets_of_upd.
    - (* Store *)
      destruct (held_owns s g i h a fine at_p held) as (k & lt & guarded & own).
      assert (apart_from : forall b, In b (words ls) -> b <> eval (sc_reg s i) a).
      { intros b word ->. exact (guard_no_word ls apart k _ lt guarded word). }
      assert (after : phase_of (sc_exec (Store Plain a e qs) s i o) i = Run h).
      { apply next_phase; [exact cpu|]. simpl. rewrite upd_same. exact next. }
      apply inv_same; auto.
      + rewrite after, at_p. simpl. now rewrite upd_same.
      + now rewrite after, at_p.
      + intros k' lt'. simpl. apply upd_other, apart_from, ticket_word, lt'.
      + intros k' lt'. simpl. apply upd_other, apart_from, serving_word, lt'.
    - (* draw *)
      destruct fine as [q order]. destruct (draw_ghost s i g k rt) as [ow pay].
      assert (after : phase_of (sc_exec (draw (lock_at ls k) rt) s i o) i = Wait h k rt).
      { apply next_phase; [exact cpu|]. simpl. now rewrite upd_same. }
      assert (mem_t : forall l, l < size -> sc_mem (sc_exec (draw (lock_at ls k) rt) s i o) (serving_of l) = sc_mem s (serving_of l)).
      { intros l less. simpl. apply upd_other. intros clash. symmetry in clash. now apply (ticket_serving ls apart k l lt less) in clash. }
      assert (mem_o : forall l, l < size -> l <> k ->
        sc_mem (sc_exec (draw (lock_at ls k) rt) s i o) (ticket_of l) = sc_mem s (ticket_of l)).
      { intros l less other. simpl. apply upd_other. intros clash. apply other. now apply (ticket_inj ls apart). }
      assert (mem_k : sc_mem (sc_exec (draw (lock_at ls k) rt) s i o) (ticket_of k) = S (sc_mem s (ticket_of k))).
      { simpl. unfold ticket_of. rewrite upd_same. lia. }
      split.
      + set (nx := fun l => if l =? k then S (sc_mem s (ticket_of k)) else sc_mem s (ticket_of l)).
        assert (ideal : queue size
          (fun j => served (phase_of (sc_exec (draw (lock_at ls k) rt) s i o) j) (sc_reg (sc_exec (draw (lock_at ls k) rt) s i o) j))
          (fun j => queued (phase_of (sc_exec (draw (lock_at ls k) rt) s i o) j) (sc_reg (sc_exec (draw (lock_at ls k) rt) s i o) j))
          nx (fun l => sc_mem s (serving_of l)) (owner (ghost_exec (draw (lock_at ls k) rt) s i g))
          (kept (ghost_exec (draw (lock_at ls k) rt) s i g))).
        { eapply (q_draw size _ _ _ _ _ _ nx _ _ _ _ _ i k q); unfold nx; auto.
          - intros j other. now apply others_tickets.
          - rewrite at_p, app_nil_r. simpl. now rewrite tickets_of_locks.
          - rewrite after, at_p. simpl. rewrite upd_same. now apply tickets_of_upd.
          - now rewrite at_p.
          - rewrite after. simpl. now rewrite !upd_same.
          - now rewrite Nat.eqb_refl.
          - intros l other. now rewrite (proj2 (Nat.eqb_neq l k) other).
          - intros j l _ own a guarded. rewrite ow. now apply own.
          - intros l _ none a guarded. rewrite pay. now apply none. }
        destruct ideal as [b1 b2 b3 b4 b5]. split; auto.
        * intros j l t here. destruct (b1 j l t here) as (less & turn & below & own). rewrite mem_t by exact less.
          repeat split; auto. unfold nx in below. destruct (Nat.eqb_spec l k) as [->|other]; [now rewrite mem_k | now rewrite mem_o].
        * intros j l t here. destruct (b2 j l t here) as (less & more & below). rewrite mem_t by exact less.
          repeat split; auto. unfold nx in below. destruct (Nat.eqb_spec l k) as [->|other]; [now rewrite mem_k | now rewrite mem_o].
      + intros l less. rewrite mem_t by exact less. specialize (order l less).
        destruct (Nat.eq_dec l k) as [->|other]; [rewrite mem_k; lia | now rewrite mem_o].
    - (* hand_over *)
      assert (mine : In (k, sc_reg s i rt) (served (phase_of s i) (sc_reg s i))) by (rewrite at_p; now left).
      pose proof (served_known s g i k _ fine mine) as lt. destruct fine as [q order].
      destruct (q_served _ _ _ _ _ _ _ q i k _ mine) as (_ & turn & below & own).
      set (ins := hand_over (lock_at ls k) rt). set (g' := ghost_exec ins s i g).
      assert (after : phase_of (sc_exec ins s i o) i = Run h).
      { apply next_phase; [exact cpu|]. simpl. now rewrite upd_same. }
      assert (mem_t : forall l, l < size -> sc_mem (sc_exec ins s i o) (ticket_of l) = sc_mem s (ticket_of l)).
      { intros l less. simpl. apply upd_other. intros clash. now apply (ticket_serving ls apart l k less lt) in clash. }
      assert (mem_o : forall l, l < size -> l <> k -> sc_mem (sc_exec ins s i o) (serving_of l) = sc_mem s (serving_of l)).
      { intros l less other. simpl. apply upd_other. intros clash. apply other. now apply (serving_inj ls apart). }
      assert (mem_k : sc_mem (sc_exec ins s i o) (serving_of k) = S (sc_reg s i rt)).
      { simpl. unfold serving_of. rewrite upd_same. lia. }
      assert (given : map (eval (sc_reg s i)) (map Const (guard (lock_at ls k))) = guard_of k) by apply map_const.
      split.
      + set (nw := fun l => if l =? k then S (sc_reg s i rt) else sc_mem s (serving_of l)).
        assert (ideal : queue size
          (fun j => served (phase_of (sc_exec ins s i o) j) (sc_reg (sc_exec ins s i o) j))
          (fun j => queued (phase_of (sc_exec ins s i o) j) (sc_reg (sc_exec ins s i o) j))
          (fun l => sc_mem s (ticket_of l)) nw (owner g') (kept g')).
        { eapply (q_release size _ _ _ _ _ _ _ nw _ _ _ _ i k q (fun j other => others_tickets ins s i o j other)
            (sc_reg s i rt)); unfold nw; auto.
          - rewrite after, at_p. simpl. now rewrite upd_same.
          - rewrite after, at_p. reflexivity.
          - now rewrite Nat.eqb_refl.
          - intros l other. now rewrite (proj2 (Nat.eqb_neq l k) other).
          - intros j l less own' differ a guarded. unfold g', ins. simpl. rewrite given. unfold upd.
            destruct (Nat.eqb_spec j i) as [->|]; [|now apply own'].
            rewrite (own' a guarded). simpl. apply negb_true_iff, mem_list_not. intros clash.
            destruct differ as [ne|ne]; [contradiction|]. apply ne. eapply (guard_place ls apart); eassumption.
          - intros a guarded. unfold g', ins. simpl. unfold serving_of. rewrite upd_same, given. simpl. now apply mem_list_In.
          - intros l less other none a guarded. unfold g', ins. simpl. rewrite upd_other; [now apply none|].
            intros clash. apply other. now apply (serving_inj ls apart). }
        destruct ideal as [b1 b2 b3 b4 b5]. split; auto.
        * intros j l t here. destruct (b1 j l t here) as (less & turn' & below' & own'). rewrite mem_t by exact less.
          repeat split; auto. unfold nw in turn'. destruct (Nat.eqb_spec l k) as [->|other]; [now rewrite mem_k | now rewrite mem_o].
        * intros j l t here. destruct (b2 j l t here) as (less & more & below'). rewrite mem_t by exact less.
          repeat split; auto. unfold nw in more. destruct (Nat.eqb_spec l k) as [->|other]; [now rewrite mem_k | now rewrite mem_o].
      + intros l less. rewrite mem_t by exact less. specialize (order l less).
        destruct (Nat.eq_dec l k) as [->|other]; [rewrite mem_k; unfold ticket_of in *; lia | now rewrite mem_o].
    - (* poll *)
      assert (mine : In (k, sc_reg s i rt) (queued (phase_of s i) (sc_reg s i))) by (rewrite at_p; now left).
      pose proof (queued_known s g i k _ fine mine) as lt.
      set (ins := poll (lock_at ls k) rt rn).
      assert (after : phase_of (sc_exec ins s i o) i = Test h k rt rn).
      { apply next_phase; [exact cpu|]. simpl. now rewrite upd_same. }
      assert (regs_i : sc_reg (sc_exec ins s i o) i = upd (sc_reg s i) rn (sc_mem s (serving_of k))).
      { simpl. now rewrite upd_same. }
      assert (test : taken (upd (sc_reg s i) rn (sc_mem s (serving_of k))) (Bin Eq (Reg rn) (Reg rt)) (map Const (guard (lock_at ls k))) =
        if sc_mem s (serving_of k) =? sc_reg s i rt then guard_of k else []).
      { unfold taken. cbn [eval binop_val]. rewrite upd_same, upd_other by auto.
        destruct (sc_mem s (serving_of k) =? sc_reg s i rt); [apply map_const | reflexivity]. }
      destruct (Nat.eqb_spec (sc_mem s (serving_of k)) (sc_reg s i rt)) as [turn|wait].
      + destruct fine as [q order]. split; [|exact order].
        eapply (q_win size _ _ _ _ _ _ _ _ _ _ _ _ i k q (fun j other => others_tickets ins s i o j other) (sc_reg s i rt)); auto.
        * now rewrite at_p.
        * rewrite after, regs_i, at_p. simpl. rewrite upd_same, upd_other by auto.
          rewrite (proj2 (Nat.eqb_eq _ _) turn), tickets_of_upd; auto.
        * rewrite after, regs_i. simpl. rewrite upd_same, upd_other by auto. now rewrite (proj2 (Nat.eqb_eq _ _) turn).
        * intros a guarded. unfold ins. simpl. change (serving (lock_at ls k)) with (serving_of k). rewrite test, upd_same.
          rewrite (proj2 (mem_list_In _ _) guarded). apply orb_true_r.
        * intros j l _ own a guarded. unfold ins. simpl. unfold upd. destruct (Nat.eqb_spec j i) as [->|]; [|now apply own].
          now rewrite (own a guarded).
        * intros l less other none a guarded. unfold ins. simpl. rewrite upd_other; [now apply none|].
          intros clash. apply other. now apply (serving_inj ls apart).
      + apply inv_same; auto.
        * rewrite after, regs_i, at_p. simpl. rewrite upd_same, upd_other by auto.
          rewrite (proj2 (Nat.eqb_neq _ _) wait). now apply tickets_of_upd.
        * rewrite after, regs_i, at_p. simpl. rewrite upd_same, upd_other by auto. now rewrite (proj2 (Nat.eqb_neq _ _) wait).
        * intros j a. unfold ins. simpl. change (serving (lock_at ls k)) with (serving_of k). rewrite test. unfold upd.
          destruct (Nat.eqb_spec j i) as [->|]; [|reflexivity]. apply orb_false_r.
        * intros l a. unfold ins. simpl. change (serving (lock_at ls k)) with (serving_of k). rewrite test. unfold upd.
          destruct (Nat.eqb_spec l (serving_of k)) as [->|]; [|reflexivity]. apply andb_true_r.
    - (* again *)
      set (ins := again rt rn t).
      assert (regs_i : sc_reg (sc_exec ins s i o) i = sc_reg s i) by (simpl; now rewrite upd_same).
      destruct (Nat.eqb_spec (sc_reg s i rn) (sc_reg s i rt)) as [turn|wait].
      + assert (after : phase_of (sc_exec ins s i o) i = Run ((k, rt) :: h)).
        { apply next_phase; [exact cpu|]. simpl. rewrite upd_same, (proj2 (Nat.eqb_eq _ _) turn). exact next. }
        apply inv_same; auto; rewrite after, regs_i, at_p; simpl; now rewrite (proj2 (Nat.eqb_eq _ _) turn).
      + assert (after : phase_of (sc_exec ins s i o) i = Wait h k rt).
        { apply next_phase; [exact cpu|]. simpl. rewrite upd_same, (proj2 (Nat.eqb_neq _ _) wait). exact there. }
        apply inv_same; auto; rewrite after, regs_i, at_p; simpl; now rewrite (proj2 (Nat.eqb_neq _ _) wait).
  Qed.

  Lemma reach_inv s g : sc_reach K s g -> inv s g.
  Proof.
    induction 1 as [|s g i ins o reach fine found]; [apply inv_initial|].
    destruct (fetched i _ ins found) as [cpu ok]. apply admitted_keeps; [exact fine | exact cpu|].
    unfold phase_of. now rewrite (proj2 (Nat.ltb_lt i n) cpu).
  Qed.

  Lemma reach_fine s g i ins : sc_reach K s g -> fetch K i (sc_pc s i) = Some ins ->
    race_free K ins s i g = true /\ ordered_on_sync K ins s i = true /\ isolates K ins s i = true.
  Proof.
    intros reach found. destruct (fetched i _ ins found) as [cpu ok].
    apply admitted_fine; [now apply reach_inv | exact cpu|]. unfold phase_of. now rewrite (proj2 (Nat.ltb_lt i n) cpu).
  Qed.

  (** Read: take any locks that do not overlap, any number of CPUs, and for each CPU code whose shape is checked.  Then the
      kernel made of them meets all hypotheses of Theorem 2. *)
  Theorem checked_code_is_wdrf : wdrf_isolated K.
  Proof.
    split.
    - split.
      + intros i idle. simpl. destruct (Nat.ltb_spec i n) as [cpu|]; [simpl in idle; lia | reflexivity].
      + repeat split; simpl; try discriminate. intros l l' a here there.
        apply existsb_exists in here as (x & in_x & here), there as (y & in_y & there).
        apply andb_prop in here as [lx ax], there as [ly ay]. apply Nat.eqb_eq in lx as <-, ly as <-.
        apply mem_list_In in ax, ay. apply (In_nth _ _ no_lock) in in_x as (k & lt & <-), in_y as (k' & lt' & <-).
        f_equal. f_equal. eapply (guard_place ls apart); eassumption.
    - split.
      + intros a. simpl. destruct (mem_list (words ls) a); discriminate.
      + reflexivity.
      + intros i pc ins k a found access. destruct (fetched i pc ins found) as [_ ok].
        destruct ok; simpl in access; try discriminate; injection access as <- _; discriminate.
    - intros s g i ins reach found. apply (reach_fine s g i ins reach found).
    - intros s g i ins reach found. apply (reach_fine s g i ins reach found).
    - intros s g i ins reach found. unfold written_once, settled. simpl. now destruct ins as [| | | |[] | ].
  Qed.
End Sound.
