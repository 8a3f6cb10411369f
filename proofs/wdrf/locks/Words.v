(* SPDX-License-Identifier: Apache-2.0 *)
(** Facts about [separate] locks, bounded expressions and lists of addresses that [Sound] uses. *)
From Coq Require Import List Arith Bool Lia.
From SeKVM.wdrf.isolated Require Import Base SC.
From SeKVM.wdrf.locks Require Import Locks.
Import ListNotations.

Lemma mem_list_In l a : mem_list l a = true <-> In a l.
Proof.
  unfold mem_list. rewrite existsb_exists. split.
  - intros (b & inside & same). apply Nat.eqb_eq in same as ->. exact inside.
  - intros inside. exists a. split; [exact inside | apply Nat.eqb_refl].
Qed.

Lemma mem_list_not l a : mem_list l a = false <-> ~ In a l.
Proof. rewrite <- mem_list_In. destruct (mem_list l a); split; congruence. Qed.

Lemma distinct_NoDup l : distinct l = true -> NoDup l.
Proof.
  induction l as [|a l IH]; simpl; intros fine; constructor; apply andb_prop in fine as [fresh fine]; auto.
  apply negb_true_iff, mem_list_not in fresh. exact fresh.
Qed.

Lemma NoDup_app_split {A} (l m : list A) : NoDup (l ++ m) -> NoDup l /\ NoDup m /\ forall x, In x l -> In x m -> False.
Proof.
  induction l as [|a l IH]; simpl; intros once; [repeat split; [constructor | exact once | contradiction]|].
  inversion once as [|x rest fresh once']; subst. destruct (IH once') as (left & right & apart). repeat split; auto.
  - constructor; [|exact left]. intros inside. apply fresh, in_or_app. now left.
  - intros x [<-|inside] there; [apply fresh, in_or_app; now right | eauto].
Qed.

(** In a list of lists without repetition, an element tells its place. *)
Lemma flat_map_place {A} (f : lock -> list A) ls d k k' x : NoDup (flat_map f ls) -> k < length ls -> k' < length ls ->
  In x (f (nth k ls d)) -> In x (f (nth k' ls d)) -> k = k'.
Proof.
  revert k k'. induction ls as [|l ls IH]; intros k k' once lt lt' here there; simpl in *; [lia|].
  apply NoDup_app_split in once as (_ & once & apart).
  assert (later : forall n, n < length ls -> In x (f (nth n ls d)) -> In x (flat_map f ls)).
  { intros n less inside. apply in_flat_map. exists (nth n ls d). split; [apply nth_In; exact less | exact inside]. }
  destruct k as [|k], k' as [|k']; auto.
  - exfalso. apply (apart x here), (later k'); [lia | exact there].
  - exfalso. apply (apart x there), (later k); [lia | exact here].
  - f_equal. apply IH; auto; lia.
Qed.

Lemma flat_map_once {A} (f : lock -> list A) ls l : NoDup (flat_map f ls) -> In l ls -> NoDup (f l).
Proof.
  induction ls as [|l' ls IH]; simpl; intros once inside; [contradiction|].
  apply NoDup_app_split in once as (here & once & _). destruct inside as [<-|inside]; auto.
Qed.

Section Separate.
  Context (ls : list lock).
  Hypothesis apart : separate ls = true.

  Lemma separate_parts : NoDup (words ls) /\ NoDup (guarded ls) /\ forall a, In a (words ls) -> In a (guarded ls) -> False.
  Proof. apply NoDup_app_split, distinct_NoDup, apart. Qed.

  Lemma ticket_word k : k < length ls -> In (ticket (lock_at ls k)) (words ls).
  Proof. intros lt. apply in_flat_map. exists (lock_at ls k). split; [apply nth_In, lt | now left]. Qed.

  Lemma serving_word k : k < length ls -> In (serving (lock_at ls k)) (words ls).
  Proof. intros lt. apply in_flat_map. exists (lock_at ls k). split; [apply nth_In, lt | right; now left]. Qed.

  Lemma guard_guarded k a : k < length ls -> In a (guard (lock_at ls k)) -> In a (guarded ls).
  Proof. intros lt inside. apply in_flat_map. exists (lock_at ls k). split; [apply nth_In, lt | exact inside]. Qed.

  Lemma ticket_inj k k' : k < length ls -> k' < length ls -> ticket (lock_at ls k) = ticket (lock_at ls k') -> k = k'.
  Proof.
    intros lt lt' same. destruct separate_parts as (once & _).
    apply (flat_map_place (fun l => [ticket l; serving l]) ls no_lock k k' (ticket (lock_at ls k))); auto.
    - now left.
    - rewrite same. now left.
  Qed.

  Lemma serving_inj k k' : k < length ls -> k' < length ls -> serving (lock_at ls k) = serving (lock_at ls k') -> k = k'.
  Proof.
    intros lt lt' same. destruct separate_parts as (once & _).
    apply (flat_map_place (fun l => [ticket l; serving l]) ls no_lock k k' (serving (lock_at ls k))); auto.
    - right. now left.
    - rewrite same. right. now left.
  Qed.

  Lemma ticket_serving k k' : k < length ls -> k' < length ls -> ticket (lock_at ls k) <> serving (lock_at ls k').
  Proof.
    intros lt lt' same. destruct separate_parts as (once & _).
    assert (k = k') as <-.
    { apply (flat_map_place (fun l => [ticket l; serving l]) ls no_lock k k' (ticket (lock_at ls k))); auto.
      - now left.
      - rewrite same. right. now left. }
    assert (two : NoDup [ticket (lock_at ls k); serving (lock_at ls k)]).
    { apply (flat_map_once (fun l => [ticket l; serving l]) ls _ once), nth_In, lt. }
    rewrite same in two. inversion two as [|x l fresh _]; subst. apply fresh. now left.
  Qed.

  Lemma guard_place k k' a : k < length ls -> k' < length ls ->
    In a (guard (lock_at ls k)) -> In a (guard (lock_at ls k')) -> k = k'.
  Proof. destruct separate_parts as (_ & once & _). intros. eapply (flat_map_place guard ls no_lock); eassumption. Qed.

  Lemma guard_no_word k a : k < length ls -> In a (guard (lock_at ls k)) -> ~ In a (words ls).
  Proof. intros lt inside word. apply (proj2 (proj2 separate_parts) a word), (guard_guarded k); auto. Qed.
End Separate.

(** ** Bounds *)
Lemma clamp_le rs a b n : clamp a b = Some n -> eval rs a * eval rs b <= n.
Proof.
  destruct b as [v|r|[] c [m|r|op d e]]; simpl; try discriminate. unfold is_expr.
  destruct (eq_expr a c) as [<-|_]; [|discriminate]. intros [= <-]. destruct (Nat.ltb_spec (eval rs a) m); simpl; lia.
Qed.

Lemma bound_le rs e : forall n, bound e = Some n -> eval rs e <= n.
Proof.
  induction e as [v|r|op a left b right]; intros n; cbn [bound eval]; [intros [= <-]; lia | discriminate|].
  destruct op; cbn [binop_val].
  - destruct (bound a) as [m|], (bound b) as [m'|]; try discriminate. intros [= <-].
    specialize (left _ eq_refl). specialize (right _ eq_refl). lia.
  - intros found. specialize (left _ found). lia.
  - destruct (clamp a b) as [m|] eqn:clamped; [intros [= <-]; now apply clamp_le|].
    destruct (bound a) as [m|], (bound b) as [m'|]; try discriminate. intros [= <-]. apply Nat.mul_le_mono; auto.
  - intros [= <-]. unfold bool_val. destruct (eval rs a =? eval rs b); lia.
  - intros [= <-]. unfold bool_val. destruct (eval rs a <? eval rs b); lia.
  - apply right.
Qed.

Lemma reach_In rs e l : reach e = Some l -> In (eval rs e) l.
Proof.
  destruct e as [v|r|op a b]; simpl; [intros [= <-]; now left | discriminate|].
  destruct op; try discriminate. destruct a as [v|r|op' a a']; try discriminate.
  destruct (bound b) as [n|] eqn:found; [|discriminate]. intros [= <-]. apply (bound_le rs) in found. simpl.
  destruct (Nat.eq_dec (eval rs b) 0) as [zero|some]; [left; lia|]. right. apply in_seq. lia.
Qed.

(** An address that passes the check is guarded by a lock held. *)
Lemma inside_guard ls h e rs : inside ls h e = true -> exists k, In k (locks_of h) /\ In (eval rs e) (guard (lock_at ls k)).
Proof.
  unfold inside. destruct (reach e) as [l|] eqn:found; [|discriminate]. intros some.
  apply existsb_exists in some as (k & held & all). exists k. split; [exact held|].
  rewrite forallb_forall in all. apply mem_list_In, all. now apply reach_In.
Qed.
