(* SPDX-License-Identifier: Apache-2.0 *)
(** What updates do, in terms that need no proof to understand: an updated page reads
    back what was written and every other page what it read before, in the map and,
    through the refinement, in the tree; other roots are untouched; an update is
    refused exactly below a block, and fails for want of tables only when the pool of
    a missing table is used up.  Rests on [Refine]. *)
From Coq Require Import Lia.
From SeKVM.pagetable Require Export Refine.
Local Open Scope Z_scope.

Section Facts.
  Context (G : geom) (OK : geom_ok G).

  Lemma ensure_leaves l g p q : ensure G l g p = Updated q -> leaves q = leaves p.
  Proof.
    unfold ensure. destruct (has_tab _ _ _); [congruence|]. destruct (leaves p !! g); [discriminate|].
    destruct (0 <? _); [|discriminate]. now intros [= <-].
  Qed.

  Lemma ensure_from_leaves k : forall l g p q, ensure_from G k l g p = Updated q -> leaves q = leaves p.
  Proof.
    induction k as [|k IH]; intros l g p q; cbn [ensure_from]; [congruence|].
    destruct (ensure G l g p) as [p1|p1|p1] eqn:E; try discriminate. intros X.
    rewrite (IH _ _ _ _ X). now apply ensure_leaves in E.
  Qed.

  (** Reading the map after an update: the pages that share the entry, the others. *)
  Theorem pset_lookup target g e p q h : (target < depth G)%nat ->
    pset G target g e p = Updated q ->
    leaves q !! h = if pre G (S target) h =? pre G (S target) g then leaf (target, e) else leaves p !! h.
  Proof using OK.
    unfold pset. intros B. destruct (ensure_from G target 0 g p) as [p1|p1|p1] eqn:E; try discriminate.
    intros [= <-]. rewrite (pput_lookup G OK) by exact B. now rewrite (ensure_from_leaves _ _ _ _ _ E).
  Qed.

  (** At the last level that is one page. *)
  Corollary pset_page target g e p q h : S target = depth G ->
    pset G target g e p = Updated q ->
    leaves q !! h = if h =? g then leaf (target, e) else leaves p !! h.
  Proof using OK.
    intros B X. rewrite (pset_lookup target g e p q h) by (lia || exact X). now rewrite B, !pre_depth.
  Qed.

  (** Other roots see nothing of an update. *)
  Corollary pset_other_root target g e p q h : (target < depth G)%nat ->
    pset G target g e p = Updated q -> pre G 0 h <> pre G 0 g -> leaves q !! h = leaves p !! h.
  Proof using OK.
    intros B X N. rewrite (pset_lookup target g e p q h B X).
    destruct (Z.eqb_spec (pre G (S target) h) (pre G (S target) g)) as [E|_]; [|reflexivity].
    destruct N. rewrite <- (pre_div G OK 0 (S target) h), <- (pre_div G OK 0 (S target) g) by lia. now rewrite E.
  Qed.

  Theorem pclear_lookup r p h : leaves (pclear G r p) !! h = if pre G 0 h =? r then None else leaves p !! h.
  Proof.
    unfold pclear; cbn [leaves]. destruct (Z.eqb_spec (pre G 0 h) r) as [E|E].
    - apply map_filter_lookup_None. right. intros x _ N. now destruct N.
    - destruct (leaves p !! h) as [x|] eqn:X.
      + apply map_filter_lookup_Some. auto.
      + apply map_filter_lookup_None. auto.
  Qed.

  (** The same of walks in memory. *)
  Theorem set_walk target g e p t u h : refines_pt G p t -> (target < depth G)%nat ->
    0 <= g < pages G -> 0 <= h < pages G -> 0 <= e < 2 ^ 64 -> is_link G target e = false ->
    ((S target < depth G)%nat -> block G target = false -> e = 0) ->
    tset G target g e t = Updated u ->
    leaf (walk G (words u) h) =
      if pre G (S target) h =? pre G (S target) g then leaf (target, e) else leaf (walk G (words t) h).
  Proof using OK.
    intros X B RG RH E L BL U. pose proof (set_refines G OK g e RG E p t target X B L BL) as Y.
    rewrite U in Y. destruct (pset G target g e p) as [q|q|q] eqn:Q; cbn [outcome_rel] in Y; try tauto.
    rewrite <- (rpt_leaves _ _ _ Y h RH), <- (rpt_leaves _ _ _ X h RH). exact (pset_lookup _ _ _ _ _ _ B Q).
  Qed.

  Theorem clear_walk r p t h : refines_pt G p t -> 0 <= r < roots G -> 0 <= h < pages G ->
    leaf (walk G (words (tclear G r t)) h) = if pre G 0 h =? r then None else leaf (walk G (words t) h).
  Proof using OK.
    intros X R H. rewrite <- (rpt_leaves _ _ _ (clear_refines G OK r p t R X) h H), pclear_lookup,
      (rpt_leaves _ _ _ X h H). reflexivity.
  Qed.

  (** ** When an update fails *)

  Lemma ensure_full l g p q : ensure G l g p = Full q ->
    (S l, pre G (S l) g) ∉ tabs p /\ room_at (S l) p <= 0.
  Proof.
    unfold ensure, has_tab. destruct (decide _) as [D|D]; [discriminate|].
    destruct (leaves p !! g); [discriminate|]. destruct (Z.ltb_spec 0 (room_at (S l) p)); [discriminate | auto].
  Qed.

  Lemma ensure_other l g p q k : ensure G l g p = Updated q -> k <> l ->
    room_at (S k) q = room_at (S k) p /\
    ((S k, pre G (S k) g) ∈ tabs q <-> (S k, pre G (S k) g) ∈ tabs p).
  Proof.
    unfold ensure. destruct (has_tab _ _ _); [intros [= <-]; tauto|].
    destruct (leaves p !! g); [discriminate|]. destruct (0 <? _); [|discriminate].
    intros [= <-] N. unfold room_at, grow; cbn [room tabs]. split.
    - now rewrite lookup_insert_ne by lia.
    - rewrite elem_of_union, elem_of_singleton. split; [|auto]. intros [E|E]; [|exact E].
      injection E as ->. tauto.
  Qed.

  (** Want of tables: some table on the way is missing and its pool is empty. *)
  Theorem pset_full target g e p q : pset G target g e p = Full q ->
    exists l, (l < target)%nat /\ (S l, pre G (S l) g) ∉ tabs p /\ room_at (S l) p <= 0.
  Proof.
    unfold pset. intros X. assert (E : ensure_from G target 0 g p = Full q).
    { destruct (ensure_from G target 0 g p); congruence. }
    clear X. enough (Y : exists l, (0 <= l < 0 + target)%nat /\
      (S l, pre G (S l) g) ∉ tabs p /\ room_at (S l) p <= 0).
    { destruct Y as (l & L & Y). exists l. split; [lia | exact Y]. }
    revert E. generalize 0%nat. revert p. induction target as [|k IH]; intros p l; cbn [ensure_from]; [discriminate|].
    destruct (ensure G l g p) as [p1|p1|p1] eqn:E; try discriminate.
    - intros X. destruct (IH p1 (S l) X) as (j & J & N & R). exists j. split; [lia|].
      destruct (ensure_other l g p p1 j E ltac:(lia)) as [<- <-]. auto.
    - intros _. exists l. split; [lia|]. exact (ensure_full _ _ _ _ E).
  Qed.

  (** Refusal: there is a leaf above the level of the update. *)
  Theorem pset_under_block target g e p t : refines_pt G p t -> (target < depth G)%nat -> 0 <= g < pages G ->
    (exists q, pset G target g e p = Under_block q) <->
    exists l x, (l < target)%nat /\ leaves p !! g = Some (l, x).
  Proof using OK.
    intros X B R. unfold pset. apply refines_pt_with in X as (T & X).
    assert (Y : (exists q, ensure_from G target 0 g p = Under_block q) <->
                exists l x, (0 <= l < 0 + target)%nat /\ leaves p !! g = Some (l, x)).
    { pose proof (tab_root G T _ (root_range G OK g R)) as A.
      assert (C : (0 + target < depth G)%nat) by lia. revert A C. generalize (root G (pre G 0 g)) as a.
      generalize 0%nat as l. clear B. revert p t T X. induction target as [|k IH]; intros p t T X l a A C; cbn [ensure_from].
      - split; [intros [q Q]; discriminate Q|]. intros (j & x & J & _). lia.
      - pose proof (child_refines G OK T p t X g R l a A ltac:(lia)) as S1.
        destruct (ensure G l g p) as [q|q|q] eqn:E.
        + destruct (child G a l g t) as [[b u]|u|u]; cbn [outcome_rel] in S1; try tauto.
          destruct S1 as (T' & X' & A'). cbn [fst snd] in *.
          rewrite (IH q u T' X' (S l) b A' ltac:(lia)), (ensure_leaves _ _ _ _ E). split.
          * intros (j & x & J & Y). exists j, x. split; [lia | exact Y].
          * intros (j & x & J & Y). exists j, x. split; [|exact Y]. enough (j <> l) by lia. intros ->.
            rewrite <- (ensure_leaves _ _ _ _ E), (rw_leaves _ _ _ _ X' g R) in Y.
            destruct (walk G (words u) g) as [j e'] eqn:W. apply leaf_Some in Y as (-> & -> & _).
            apply (walk_iff G OK T' u (rw_wf _ _ _ _ X') g j e' R) in W as (a' & A2 & E2 & L2).
            destruct (tab_up G OK T' u (rw_wf _ _ _ _ X') j g b A') as (a3 & A3 & L3 & _). congruence.
        + split; [intros [q' Q]; discriminate Q|]. intros (j & x & J & Y). exfalso. unfold ensure in E.
          destruct (has_tab _ _ _); [discriminate E|]. rewrite Y in E. discriminate E.
        + split; [|eauto]. intros _. unfold ensure in E.
          destruct (has_tab _ _ _) eqn:Ht; [discriminate E|]. destruct (leaves p !! g) as [[j x]|] eqn:Y;
            [|destruct (0 <? _); discriminate E].
          exists j, x. split; [|reflexivity].
          destruct (entry_refines G OK T p t X g R l a A) as (_ & HL & _ & F). rewrite Ht in HL.
          rewrite Y in F. symmetry in HL. specialize (F HL). symmetry in F. apply leaf_Some in F as (-> & _). lia. }
    split.
    - intros [q Z]. destruct (ensure_from G target 0 g p) as [p1|p1|p1] eqn:E; try discriminate.
      destruct (proj1 Y (ex_intro _ p1 eq_refl)) as (l & x & L & Q). exists l, x. split; [lia | exact Q].
    - intros (l & x & L & Q). destruct (proj2 Y) as [q Z]; [exists l, x; split; [lia | exact Q]|].
      rewrite Z. eauto.
  Qed.

  (** A failed update changes no leaf. *)
  Theorem pset_failed target g e p q :
    pset G target g e p = Full q \/ pset G target g e p = Under_block q -> leaves q = leaves p.
  Proof.
    unfold pset. intros X. assert (E : ensure_from G target 0 g p = Full q \/ ensure_from G target 0 g p = Under_block q).
    { destruct (ensure_from G target 0 g p); destruct X as [X|X]; discriminate X || (injection X as ->); auto. }
    clear X. revert E. generalize 0%nat. revert p. induction target as [|k IH]; intros p l; cbn [ensure_from].
    - intros [E|E]; discriminate E.
    - destruct (ensure G l g p) as [p1|p1|p1] eqn:E.
      + intros X. rewrite (IH _ _ X). now apply ensure_leaves in E.
      + unfold ensure in E. destruct (has_tab _ _ _); [discriminate E|]. destruct (leaves p !! g); [discriminate E|].
        destruct (0 <? _); [discriminate E|]. injection E as <-. intros [X|X]; congruence.
      + unfold ensure in E. destruct (has_tab _ _ _); [discriminate E|]. destruct (leaves p !! g).
        * injection E as <-. intros [X|X]; congruence.
        * destruct (0 <? _); discriminate E.
  Qed.
End Facts.
