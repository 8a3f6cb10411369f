(* SPDX-License-Identifier: Apache-2.0 *)
(** The tree implements the map.  [empty_refines]: the initial tree; [set_refines]:
    an update of one entry, with running out of tables and with refusal under a
    block; [clear_refines]: emptying a root.  The lemmas on single steps
    ([entry_refines], [grow_refines], [put_refines]) are what the proofs of C code
    use, one table access each.  Rests on [Update]. *)
From Coq Require Import Lia.
From SeKVM.pagetable Require Export Update.
Local Open Scope Z_scope.

Section Refine.
  Context (G : geom) (OK : geom_ok G).

  (** [refines_pt] with the table of tables at hand. *)
  Record refines_with (T : gmap (nat * Z) Z) (p : pmap) (t : tree) : Prop := mkrefines_with {
    rw_leaves : forall g, 0 <= g < pages G -> leaves p !! g = leaf (walk G (words t) g);
    rw_room : forall l, (S l < depth G)%nat -> next t (S l) = hi G (S l) - tab_size G (S l) * room_at (S l) p;
    rw_wf : wf G T t;
    rw_tabs : forall x, x ∈ tabs p <-> is_Some (T !! x) }.

  Lemma refines_pt_with p t : refines_pt G p t <-> exists T, refines_with T p t.
  Proof.
    split.
    - intros [A B (T & C & D)]. exists T. now constructor.
    - intros (T & [A B C D]). constructor; eauto.
  Qed.

  Lemma has_tab_iff l n p : has_tab l n p = true <-> (l, n) ∈ tabs p.
  Proof. unfold has_tab. destruct (decide _); split; auto; discriminate. Qed.

  (** Only the values of the bump pointers of real levels matter. *)
  Lemma refines_next_ext p w n n' :
    (forall l, (S l < depth G)%nat -> n' (S l) = n (S l)) ->
    refines_pt G p (mktree w n) -> refines_pt G p (mktree w n').
  Proof.
    intros E [A B (T & C & D)]. constructor; cbn [words next] in *.
    - exact A.
    - intros l L. rewrite E by exact L. now apply B.
    - exists T. split; [|exact D]. apply (wf_next_ext G T (mktree w n)); auto.
  Qed.

  (** * The initial state *)

  Lemma room_empty l : (S l < depth G)%nat ->
    room_at (S l) (pempty G) = (hi G (S l) - lo G (S l)) / tab_size G (S l).
  Proof.
    intros B. unfold room_at, pempty. cbn [room].
    rewrite (elem_of_list_to_map_1 _ (S l) ((hi G (S l) - lo G (S l)) / tab_size G (S l))); [reflexivity | |].
    - rewrite <- list_fmap_compose. change (NoDup (id <$> seq 1 (depth G - 1))). rewrite list_fmap_id.
      apply NoDup_seq.
    - apply elem_of_list_fmap. exists (S l). split; [reflexivity|]. apply elem_of_seq. lia.
  Qed.

  Theorem empty_refines : refines_pt G (pempty G) (tempty G).
  Proof using OK.
    assert (W : wf G ∅ (tempty G)).
    { constructor; cbn [words next tempty].
      - intros l n a X. now rewrite lookup_empty in X.
      - intros l n n' a X. now rewrite lookup_empty in X.
      - intros l n a X. now rewrite lookup_empty in X.
      - intros l n a i X I. unfold rd. rewrite lookup_empty. cbn [default]. split; [lia|].
        split; [congruence|]. rewrite is_link_0. apply lookup_empty.
      - intros l B. pose proof (ok_pool G OK (S l) B). pose proof (ok_align G OK (S l) B). split; [lia|tauto].
      - intros l a B R. unfold rd. now rewrite lookup_empty. }
    constructor.
    - intros g R. cbn [leaves pempty]. rewrite lookup_empty. unfold walk, tempty; cbn [words].
      pose proof (ok_depth G OK). destruct (depth G); [lia|]. cbn [walk_from]. unfold rd.
      rewrite lookup_empty. cbn [default]. rewrite is_link_0. reflexivity.
    - intros l B. rewrite room_empty by exact B. cbn [next tempty].
      pose proof (size_pos G OK (S l) B) as P. destruct (ok_align G OK (S l) B) as [E F].
      rewrite <- Z_div_exact_full_2; [lia | lia |].
      now rewrite Zminus_mod, E, F.
    - exists ∅. split; [exact W|]. intros x. cbn [tabs pempty]. rewrite lookup_empty.
      split; [intros X; now apply elem_of_empty in X | intros [y X]; discriminate X].
  Qed.

  (** * One step *)

  Section Step.
    Context (T : gmap (nat * Z) Z) (p : pmap) (t : tree) (X : refines_with T p t).
    Context (g : Z) (R : 0 <= g < pages G) (l : nat) (a : Z) (A : tab G T l (pre G l g) = Some a).

    (** What the map says of an entry that the code has read. *)
    Lemma entry_refines :
      let e := rd (words t) (slot G a l g) in
      0 <= e < 2 ^ 64 /\
      has_tab (S l) (pre G (S l) g) p = is_link G l e /\
      (is_link G l e = true -> tab G T (S l) (pre G (S l) g) = Some (phys_page e)) /\
      (is_link G l e = false -> leaves p !! g = leaf (l, e)).
    Proof using OK X R A.
      intros e. destruct (entry_at G OK T t (rw_wf _ _ _ X) l g a A) as (B & _ & C). fold e in B, C.
      split; [exact B|]. split; [|split].
      - apply eq_true_iff_eq. rewrite has_tab_iff, (rw_tabs _ _ _ X), C.
        destruct (is_link G l e); split; intros D; try discriminate; try reflexivity.
        + eauto.
        + destruct D as [y D]. discriminate D.
      - intros D. now rewrite D in C.
      - intros D. rewrite (rw_leaves _ _ _ X g R). f_equal.
        apply (walk_iff G OK T t (rw_wf _ _ _ X) g l e R). exists a. auto.
    Qed.

    (** An inner entry without blocks is empty or a link. *)
    Lemma inner_entry : (S l < depth G)%nat -> block G l = false ->
      rd (words t) (slot G a l g) <> 0 -> is_link G l (rd (words t) (slot G a l g)) = true.
    Proof using OK X A.
      intros B C. now destruct (entry_at G OK T t (rw_wf _ _ _ X) l g a A) as (_ & D & _); apply D.
    Qed.

    Lemma room_iff : (S l < depth G)%nat ->
      (next t (S l) + tab_size G (S l) <=? hi G (S l)) = (0 <? room_at (S l) p).
    Proof using OK X.
      intros B. rewrite (rw_room _ _ _ X l B). pose proof (size_pos G OK (S l) B).
      apply eq_true_iff_eq. rewrite Z.leb_le, Z.ltb_lt. nia.
    Qed.

    Lemma grow_refines n : (S l < depth G)%nat -> rd (words t) (slot G a l g) = 0 ->
      next t (S l) + tab_size G (S l) <= hi G (S l) ->
      (forall k, n (S k) = if (k =? l)%nat then next t (S k) + tab_size G (S k) else next t (S k)) ->
      let T' := <[(S l, pre G (S l) g) := next t (S l)]> T in
      refines_with T' (grow G l g p) (mktree (<[slot G a l g := link (next t (S l))]> (words t)) n) /\
      tab G T' (S l) (pre G (S l) g) = Some (next t (S l)).
    Proof using OK X A.
      intros B E F N T'. pose proof (rw_wf _ _ _ X) as W. split; [|apply lookup_insert].
      constructor; cbn [leaves tabs room grow words next].
      - intros h H. rewrite (rw_leaves _ _ _ X h H). symmetry.
        exact (link_walk G OK T t W l g a n A E B F N h H).
      - intros k K. rewrite N. unfold room_at, grow; cbn [room].
        pose proof (rw_room _ _ _ X k K) as Y. unfold room_at in Y. destruct (Nat.eqb_spec k l) as [->|D].
        + rewrite lookup_insert, Y. unfold room_at; cbn [from_option]. unfold id. ring.
        + rewrite lookup_insert_ne by lia. exact Y.
      - exact (link_wf G OK T t W l g a n A E B F N).
      - intros x. unfold grow; cbn [tabs]. rewrite elem_of_union, elem_of_singleton, (rw_tabs _ _ _ X).
        unfold T'. rewrite lookup_insert_is_Some. destruct (decide ((S l, pre G (S l) g) = x)) as [D|D].
        + split; auto.
        + split; [intros [D'|D']; [congruence | auto] | intros [D'|[_ D']]; auto].
    Qed.

    Lemma lookup_fill k : forall s x m h,
      fill k s x m !! h = if (s <=? h) && (h <? s + Z.of_nat k) then x else m !! h.
    Proof.
      induction k as [|k IH]; intros s x m h; cbn [fill].
      - destruct (Z.leb_spec s h), (Z.ltb_spec h (s + Z.of_nat 0)); cbn; reflexivity || lia.
      - destruct (Z.eq_dec h s) as [->|D].
        + rewrite lookup_partial_alter, Z.leb_refl. destruct (Z.ltb_spec s (s + Z.of_nat (S k))); [reflexivity|lia].
        + rewrite lookup_partial_alter_ne, IH by congruence.
          destruct (Z.leb_spec (s + 1) h), (Z.leb_spec s h), (Z.ltb_spec h (s + 1 + Z.of_nat k)),
            (Z.ltb_spec h (s + Z.of_nat (S k))); cbn; reflexivity || lia.
    Qed.

    (** Looking up after an update: the pages that share the entry, and the others. *)
    Lemma pput_lookup e h : (l < depth G)%nat ->
      leaves (pput G l g e p) !! h =
        if pre G (S l) h =? pre G (S l) g then leaf (l, e) else leaves p !! h.
    Proof using OK.
      intros B. unfold pput; cbn [leaves]. rewrite lookup_fill.
      pose proof (span_pos G OK l B). rewrite Z2Nat.id by lia.
      pose proof (span_iff G OK l g h B) as I. destruct (Z.eqb_spec (pre G (S l) h) (pre G (S l) g)) as [D|D].
      - apply I in D. destruct (Z.leb_spec (pre G (S l) g * span G l) h),
          (Z.ltb_spec h (pre G (S l) g * span G l + span G l)); cbn; reflexivity || lia.
      - destruct (Z.leb_spec (pre G (S l) g * span G l) h),
          (Z.ltb_spec h (pre G (S l) g * span G l + span G l)); cbn; try reflexivity.
        destruct D. apply I. lia.
    Qed.

    Lemma tabs_cut f x : (forall y, y ∈ tabs p <-> is_Some (T !! y)) ->
      x ∈ filter (fun y => f y = false) (tabs p) <-> is_Some (filter (fun y => f y.1 = false) T !! x).
    Proof.
      intros H. rewrite elem_of_filter, H. split.
      - intros [E [y Y]]. exists y. apply map_filter_lookup_Some. auto.
      - intros [y Y]. apply map_filter_lookup_Some in Y as [Y E]. eauto.
    Qed.

    Lemma put_refines e n : 0 <= e < 2 ^ 64 -> is_link G l e = false ->
      ((S l < depth G)%nat -> block G l = false -> e = 0) ->
      (forall k, n (S k) = next t (S k)) ->
      refines_pt G (pput G l g e p) (mktree (<[slot G a l g := e]> (words t)) n).
    Proof using OK X A.
      intros E L BL N. pose proof (rw_wf _ _ _ X) as W.
      destruct (tab_place G OK T t W _ _ _ A) as (B & _).
      set (w := <[slot G a l g := e]> (words t)).
      assert (H : forall j m b i, tab G T j m = Some b -> 0 <= i < 2 ^ bits G j ->
        rd w (b + 8 * i) = if hit G l (S l) (pre G (S l) g) j (m * 2 ^ bits G j + i)
                           then e else rd (words t) (b + 8 * i)).
      { intros j m b i Y I. unfold w. rewrite rd_insert. unfold hit, under; cbn [fst snd].
        destruct (Z.eqb_spec (b + 8 * i) (slot G a l g)) as [Q|Q].
        - destruct (slot_inj G OK T t W _ _ _ _ _ _ _ _ Y A I (idx_range G OK l g B) Q) as (-> & -> & ->).
          rewrite Z.sub_diag, Z.div_1_r, Nat.eqb_refl, Nat.leb_refl, (pre_split G OK l g B), Z.eqb_refl.
          reflexivity.
        - destruct (Nat.eqb_spec j l) as [->|_]; [|reflexivity]. cbn [andb].
          rewrite Z.sub_diag, Z.div_1_r, Nat.leb_refl, (pre_split G OK l g B). cbn [andb].
          destruct (Z.eqb_spec (m * 2 ^ bits G l + i) (pre G l g * 2 ^ bits G l + idx G l g)) as [D|_]; [|reflexivity].
          destruct Q. apply (child_inj G OK) in D as [-> ->];
            [|exact B | exact I | now apply idx_range]. rewrite A in Y. injection Y as ->. reflexivity. }
      assert (D : forall x, rd w x <> rd (words t) x ->
        exists j m b i, tab G T j m = Some b /\ 0 <= i < 2 ^ bits G j /\ x = b + 8 * i).
      { intros x Y. unfold w in Y. rewrite rd_insert in Y.
        destruct (Z.eqb_spec x (slot G a l g)) as [Q|Q]; [|congruence].
        exists l, (pre G l g), a, (idx G l g). auto using idx_range. }
      constructor; cbn [words next].
      - intros h Q. rewrite pput_lookup by exact B. destruct (Z.eqb_spec (pre G (S l) h) (pre G (S l) g)) as [Y|Y].
        + f_equal. symmetry.
          apply (cut_walk_in G OK T t W l (S l) (pre G (S l) g) e w n B ltac:(lia) H D E L BL N h a Q Y).
          rewrite (pre_step G OK l h B), Y, <- (pre_step G OK l g B). exact A.
        + rewrite (rw_leaves _ _ _ X h Q). f_equal. symmetry.
          exact (cut_walk_out G OK T t W l (S l) (pre G (S l) g) e w n B ltac:(lia) H D E L BL N h Q Y).
      - intros k K. rewrite N, (rw_room _ _ _ X k K). reflexivity.
      - eexists. split.
        + exact (cut_wf G OK T t W l (S l) (pre G (S l) g) e w n B ltac:(lia) H D E L BL N).
        + intros x. apply tabs_cut, (rw_tabs _ _ _ X).
    Qed.

    (** A step of the tree is a step of the map. *)
    Lemma child_refines : (S l < depth G)%nat ->
      outcome_rel (fun q x => exists T', refines_with T' q x.2 /\ tab G T' (S l) (pre G (S l) g) = Some x.1)
                  (refines_pt G) (ensure G l g p) (child G a l g t).
    Proof using OK X R A.
      intros B. unfold ensure, child. destruct entry_refines as (_ & H & D & F). rewrite H.
      destruct (Z.eqb_spec (rd (words t) (slot G a l g)) 0) as [E|E].
      - rewrite E, is_link_0 in F |- *. rewrite F by reflexivity. unfold leaf; cbn [snd Z.eqb].
        rewrite <- room_iff by exact B. destruct (Z.leb_spec (next t (S l) + tab_size G (S l)) (hi G (S l))) as [Q|Q];
          [|cbn [outcome_rel]; apply refines_pt_with; eauto]. cbn [outcome_rel]. eexists. apply grow_refines; auto.
      - destruct (is_link G l _) eqn:L; cbn [outcome_rel].
        + exists T. auto.
        + rewrite F by reflexivity. unfold leaf; cbn [snd]. destruct (Z.eqb_spec (rd (words t) (slot G a l g)) 0);
            [congruence | cbn [outcome_rel]; apply refines_pt_with; eauto].
    Qed.
  End Step.

  (** * Whole operations *)

  Section Set_entry.
    Context (g e : Z) (R : 0 <= g < pages G) (E : 0 <= e < 2 ^ 64).

    Lemma set_from_refines k : forall l T p t a, refines_with T p t -> tab G T l (pre G l g) = Some a ->
      (l + k < depth G)%nat -> is_link G (l + k) e = false ->
      ((S (l + k) < depth G)%nat -> block G (l + k) = false -> e = 0) ->
      outcome_rel (refines_pt G) (refines_pt G)
        match ensure_from G k l g p with
        | Updated p => Updated (pput G (l + k) g e p) | Full p => Full p | Under_block p => Under_block p
        end (set_from G k a l g e t).
    Proof using OK R E.
      induction k as [|k IH]; intros l T p t a X A D L BL; cbn [ensure_from set_from].
      - rewrite Nat.add_0_r in *. cbn [outcome_rel]. apply (put_refines T p t X); auto.
      - pose proof (child_refines T p t X g R l a A ltac:(lia)) as C.
        destruct (ensure G l g p) as [q|q|q], (child G a l g t) as [[b u]|u|u]; cbn [outcome_rel] in C |- *;
          try tauto; try exact C.
        destruct C as (T' & Y & B). cbn [fst snd] in *. replace (l + S k)%nat with (S l + k)%nat in * by lia.
        eapply IH; eauto.
    Qed.

    Theorem set_refines p t target : refines_pt G p t -> (target < depth G)%nat ->
      is_link G target e = false -> ((S target < depth G)%nat -> block G target = false -> e = 0) ->
      outcome_rel (refines_pt G) (refines_pt G) (pset G target g e p) (tset G target g e t).
    Proof using OK R E.
      intros X D L BL. apply refines_pt_with in X as (T & X).
      apply (set_from_refines target 0 T p t); auto. apply tab_root, root_range; assumption.
    Qed.
  End Set_entry.

  Theorem clear_refines r p t : 0 <= r < roots G -> refines_pt G p t ->
    refines_pt G (pclear G r p) (tclear G r t).
  Proof using OK.
    intros R X. apply refines_pt_with in X as (T & X). pose proof (rw_wf _ _ _ X) as W.
    pose proof (ok_depth G OK) as K. pose proof (tab_root G T r R) as A.
    pose proof (entries_pos G OK 0 K) as P. set (w := words (tclear G r t)).
    assert (Z0 : forall x, rd w x = 0 \/ rd w x = rd (words t) x /\
                  forall i, 0 <= i < 2 ^ bits G 0 -> x <> root G r + 8 * i).
    { intros x. unfold w, tclear; cbn [words]. rewrite rd_zero, Z2Nat.id by lia.
      destruct (_ && _ && _) eqn:C; [auto|]. right. split; [reflexivity|]. intros i I ->.
      replace (root G r + 8 * i - root G r) with (i * 8) in C by lia. rewrite Z.mod_mul in C by lia.
      destruct (Z.leb_spec (root G r) (root G r + 8 * i)), (Z.ltb_spec (root G r + 8 * i) (root G r + 8 * 2 ^ bits G 0));
        cbn in C; discriminate || lia. }
    assert (H : forall j m b i, tab G T j m = Some b -> 0 <= i < 2 ^ bits G j ->
      rd w (b + 8 * i) = if hit G 0 0 r j (m * 2 ^ bits G j + i) then 0 else rd (words t) (b + 8 * i)).
    { intros j m b i Y I. unfold hit, under; cbn [fst snd].
      destruct (Nat.eqb_spec j 0) as [->|J]; cbn [andb].
      - cbn [Nat.leb andb]. replace (up G 1 - up G 0) with (bits G 0) by (cbn [up]; lia).
        rewrite (child_div G OK) by assumption. destruct (Z.eqb_spec m r) as [->|M].
        + rewrite A in Y. injection Y as <-. destruct (Z0 (root G r + 8 * i)) as [Q|[_ Q]]; [exact Q|].
          now destruct (Q i I).
        + unfold w, tclear; cbn [words]. rewrite rd_zero, Z2Nat.id by lia. destruct (_ && _ && _) eqn:C; [|reflexivity].
          apply andb_prop in C as [C C3]. apply andb_prop in C as [C1 C2].
          apply Z.leb_le in C1. apply Z.ltb_lt in C2. apply Z.eqb_eq, Z.div_exact in C3; [|lia].
          destruct (slot_inj G OK T t W 0 m b i 0 r (root G r) ((b + 8 * i - root G r) / 8) Y A I) as (_ & Q & _);
            [lia | lia | congruence].
      - unfold w, tclear; cbn [words]. rewrite rd_zero, Z2Nat.id by lia. destruct (_ && _ && _) eqn:C; [|reflexivity].
        apply andb_prop in C as [C C3]. apply andb_prop in C as [C1 C2].
        apply Z.leb_le in C1. apply Z.ltb_lt in C2. apply Z.eqb_eq, Z.div_exact in C3; [|lia].
        destruct (slot_inj G OK T t W j m b i 0 r (root G r) ((b + 8 * i - root G r) / 8) Y A I) as (Q & _ & _);
          [lia | lia | congruence]. }
    assert (D : forall x, rd w x <> rd (words t) x ->
      exists j m b i, tab G T j m = Some b /\ 0 <= i < 2 ^ bits G j /\ x = b + 8 * i).
    { intros x Q. unfold w, tclear in Q; cbn [words] in Q. rewrite rd_zero, Z2Nat.id in Q by lia.
      destruct (_ && _ && _) eqn:C; [|congruence].
      apply andb_prop in C as [C C3]. apply andb_prop in C as [C1 C2].
      apply Z.leb_le in C1. apply Z.ltb_lt in C2. apply Z.eqb_eq, Z.div_exact in C3; [|lia].
      exists 0%nat, r, (root G r), ((x - root G r) / 8). split; [exact A|]. lia. }
    assert (E : 0 <= 0 < 2 ^ 64) by lia. pose proof (is_link_0 G 0) as L.
    assert (BL : (1 < depth G)%nat -> block G 0 = false -> 0 = 0) by reflexivity.
    assert (N : forall j, next (tclear G r t) (S j) = next t (S j)) by reflexivity.
    constructor.
    - intros h Q. unfold pclear; cbn [leaves]. destruct (Z.eq_dec (pre G 0 h) r) as [Y|Y].
      + replace (walk G (words (tclear G r t)) h) with (0%nat, 0).
        * apply map_filter_lookup_None. right. intros x _ O. now destruct O.
        * symmetry. rewrite <- Y in A.
          exact (cut_walk_in G OK T t W 0 0 r 0 w _ K ltac:(lia) H D E L BL N h (root G (pre G 0 h)) Q Y A).
      + fold w. rewrite (cut_walk_out G OK T t W 0 0 r 0 w _ K ltac:(lia) H D E L BL N h Q Y),
          <- (rw_leaves _ _ _ X h Q).
        destruct (leaves p !! h) as [x|] eqn:O.
        * apply map_filter_lookup_Some. auto.
        * apply map_filter_lookup_None. auto.
    - intros k B. rewrite N, (rw_room _ _ _ X k B). reflexivity.
    - eexists. split.
      + exact (cut_wf G OK T t W 0 0 r 0 w _ K ltac:(lia) H D E L BL N).
      + intros x. apply (tabs_cut T p), (rw_tabs _ _ _ X).
  Qed.
End Refine.
