(* SPDX-License-Identifier: Apache-2.0 *)
(** The two kinds of write to a well-formed tree keep it well formed, and what they
    do to every walk: linking a fresh table into an empty entry changes no leaf;
    overwriting the entries that lead to a set of tables cuts these off and changes
    the pages below them only.  Rests on [Wf]; used by [Refine]. *)
From Coq Require Import Lia.
From SeKVM.pagetable Require Export Wf.
Local Open Scope Z_scope.

(** * Linking a fresh table *)

Section Link.
  Context (G : geom) (OK : geom_ok G) (T : gmap (nat * Z) Z) (t : tree) (W : wf G T t).
  Context (l : nat) (g a : Z) (n : nat -> Z).
  Context (X : tab G T l (pre G l g) = Some a) (E : rd (words t) (slot G a l g) = 0).
  Context (B : (S l < depth G)%nat) (F : next t (S l) + tab_size G (S l) <= hi G (S l)).
  Context (N : forall k, n (S k) = if (k =? l)%nat then next t (S k) + tab_size G (S k) else next t (S k)).

  Let q := next t (S l).
  Let c := pre G (S l) g.
  Let T' := <[(S l, c) := q]> T.
  Let t' := mktree (<[slot G a l g := link q]> (words t)) n.

  Local Lemma new_none : T !! (S l, c) = None.
  Proof. destruct (entry_at G OK T t W l g a X) as (_ & _ & Y). now rewrite E, is_link_0 in Y. Qed.

  Local Lemma new_place : lo G (S l) <= q /\ q mod tab_size G (S l) = 0 /\ q mod 4096 = 0 /\ 0 <= q < 2 ^ 48.
  Proof.
    destruct (wf_next G T t W l B) as [R A]. pose proof (ok_pool G OK (S l) B).
    pose proof (lo_pos G OK (S l) B). pose proof (size_pos G OK (S l) B).
    fold q in R, A, F. repeat split; try lia. now apply (aligned_page G OK q (S l)).
  Qed.

  Local Lemma new_phys : phys_page (link q) = q.
  Proof. apply phys_page_link; apply new_place. Qed.

  Local Lemma new_link : is_link G l (link q) = true.
  Proof. apply is_link_link; [exact B | apply new_place]. Qed.

  Local Lemma tab_mono k m b : tab G T k m = Some b -> tab G T' k m = Some b.
  Proof.
    intros Y. unfold T'. rewrite tab_insert. destruct (decide _) as [[-> ->]|]; [|exact Y].
    cbn [tab] in Y. now rewrite new_none in Y.
  Qed.

  (** The entries of the tables after the write. *)
  Local Lemma rd_old k m b i : tab G T k m = Some b -> 0 <= i < 2 ^ bits G k ->
    rd (words t') (b + 8 * i) =
      if decide (k = l /\ m * 2 ^ bits G k + i = c) then link q else rd (words t) (b + 8 * i).
  Proof.
    intros Y I. unfold t'; cbn [words]. rewrite rd_insert. destruct (tab_place G OK T t W _ _ _ X) as (B' & _).
    unfold c. destruct (Z.eqb_spec (b + 8 * i) (slot G a l g)) as [Q|Q].
    - destruct (slot_inj G OK T t W _ _ _ _ _ _ _ _ Y X I (idx_range G OK l g B') Q) as (-> & -> & ->).
      destruct (decide _) as [|D]; [reflexivity|]. destruct D. split; [reflexivity|]. now rewrite pre_split.
    - destruct (decide _) as [[-> D]|]; [|reflexivity]. destruct Q.
      rewrite (pre_split G OK l g B') in D. apply (child_inj G OK) in D as [-> ->];
        [|exact B' | exact I | now apply idx_range].
      rewrite X in Y. injection Y as ->. reflexivity.
  Qed.

  Local Lemma rd_new i : 0 <= i < 2 ^ bits G (S l) -> rd (words t') (q + 8 * i) = 0.
  Proof.
    intros I. unfold t'; cbn [words]. rewrite rd_insert. destruct (tab_place G OK T t W _ _ _ X) as (B' & _).
    assert (R : next t (S l) <= q + 8 * i < hi G (S l)) by (fold q; unfold tab_size in F; lia).
    destruct (Z.eqb_spec (q + 8 * i) (slot G a l g)) as [Q|Q].
    - now destruct (fresh_no_slot G OK T t W l _ a _ l _ X (idx_range G OK l g B') B R).
    - exact (wf_fresh G T t W l _ B R).
  Qed.

  Local Lemma no_child k m b : T !! (S k, m) = Some b -> tab G T k (m / 2 ^ bits G k) <> None.
  Proof. intros Y. destruct (wf_parent G T t W _ _ _ Y) as [x Z]. congruence. Qed.

  Lemma link_wf : wf G T' t'.
  Proof.
    pose proof new_place as (QL & QA & QP & QR). pose proof (size_pos G OK (S l) B) as SP.
    destruct (tab_place G OK T t W _ _ _ X) as (B' & _).
    constructor; try change (next t') with n.
    - intros k m b Y. unfold T' in Y. apply lookup_insert_Some in Y as [[D <-]|[_ Y]].
      + injection D as -> ->. rewrite N, Nat.eqb_refl. fold q. repeat split; auto with lia.
      + destruct (wf_tab G T t W _ _ _ Y) as (B1 & L1 & N1 & A1). rewrite N.
        destruct (Nat.eqb_spec k l) as [->|_]; repeat split; auto with lia.
    - intros k m m' b Y Z. unfold T' in Y, Z.
      apply lookup_insert_Some in Y as [[D <-]|[_ Y]]; apply lookup_insert_Some in Z as [[D' Q]|[_ Z]].
      + congruence.
      + injection D as -> ->. apply (wf_tab G T t W) in Z. unfold q in Z. lia.
      + injection D' as -> ->. subst b. apply (wf_tab G T t W) in Y. unfold q in Y. lia.
      + exact (wf_inj G T t W _ _ _ _ Y Z).
    - intros k m b Y. unfold T' in Y. apply lookup_insert_Some in Y as [[D _]|[_ Y]].
      + injection D as <- <-. unfold c. rewrite <- (pre_step G OK) by exact B'. exists a. now apply tab_mono.
      + destruct (wf_parent G T t W _ _ _ Y) as [x Z]. exists x. now apply tab_mono.
    - intros k m b i Y I. unfold T' in Y. rewrite tab_insert in Y. destruct (decide _) as [[-> ->]|D].
      + injection Y as <-. rewrite rd_new by exact I. split; [lia|]. split; [congruence|].
        rewrite is_link_0. unfold T'. rewrite lookup_insert_ne by (intros D; injection D; lia).
        destruct (T !! _) as [x|] eqn:Z; [|reflexivity]. apply no_child in Z.
        rewrite (child_div G OK) in Z by assumption. now destruct (Z new_none).
      + destruct (tab_place G OK T t W _ _ _ Y) as (K & _). rewrite (rd_old _ _ _ _ Y I).
        destruct (decide _) as [[-> D']|D'].
        * pose proof (link_range q QR). rewrite D'. split; [lia|]. rewrite new_link. split; [reflexivity|].
          rewrite new_phys. apply lookup_insert.
        * destruct (wf_entry G T t W _ _ _ _ Y I) as (R & Q & Z). split; [exact R|]. split; [exact Q|].
          unfold T'. rewrite lookup_insert_ne; [exact Z|]. intros D2. injection D2 as -> D2. auto.
    - intros k K. rewrite N. pose proof (wf_next G T t W k K) as [R A]. destruct (Nat.eqb_spec k l) as [->|_].
      + fold q in R, A, F |- *. split; [lia|]. rewrite <- Z.add_mod_idemp_r, Z_mod_same_full, Z.add_0_r; [exact A | lia].
      + auto.
    - intros k x K R. rewrite N in R. assert (R' : next t (S k) <= x < hi G (S k)).
      { pose proof (size_pos G OK (S k) K). destruct (k =? l)%nat; lia. }
      unfold t'; cbn [words]. rewrite rd_insert. destruct (Z.eqb_spec x (slot G a l g)) as [Q|Q].
      + now destruct (fresh_no_slot G OK T t W l _ a _ k x X (idx_range G OK l g B') K R').
      + exact (wf_fresh G T t W k x K R').
  Qed.

  Lemma link_tab : tab G T' (S l) c = Some q.
  Proof. apply lookup_insert. Qed.

  Lemma link_walk h : 0 <= h < pages G -> leaf (walk G (words t') h) = leaf (walk G (words t) h).
  Proof.
    intros R. destruct (walk G (words t) h) as [k e] eqn:H.
    apply (walk_iff G OK T t W h k e R) in H as (b & Y & Z & L).
    destruct (tab_place G OK T t W _ _ _ Y) as (K & _).
    pose proof (rd_old _ _ _ _ Y (idx_range G OK k h K)) as O. rewrite <- (pre_split G OK k h K) in O.
    fold (slot G b k h) in O. destruct (decide _) as [[-> D]|D].
    - assert (e = 0) as ->.
      { rewrite <- Z, <- E. unfold c in D. rewrite (pre_step G OK l h K), D, <- (pre_step G OK l g K) in Y.
        rewrite X in Y. injection Y as ->. unfold slot, idx. now rewrite D. }
      rewrite (proj2 (walk_iff G OK T' t' link_wf h (S l) 0 R)); [reflexivity|].
      exists q. rewrite D. split; [exact link_tab|]. split; [|apply is_link_0].
      apply rd_new, idx_range; assumption.
    - rewrite (proj2 (walk_iff G OK T' t' link_wf h k e R)); [reflexivity|].
      exists b. split; [now apply tab_mono|]. split; [now rewrite O | exact L].
  Qed.
End Link.

(** * Cutting tables off *)

(** The entries of level [k] whose number [m] lies under [c] (a number of level [l])
    are overwritten by [e], which is no link. *)
Section Cut.
  Context (G : geom) (OK : geom_ok G) (T : gmap (nat * Z) Z) (t : tree) (W : wf G T t).
  Context (k l : nat) (c e : Z) (w : gmap Z Z) (n : nat -> Z).
  Context (K : (k < depth G)%nat) (L : (l <= S k)%nat).

  Definition hit (j : nat) (m : Z) : bool := (j =? k)%nat && under G (S k) l c (S j, m).

  Context (H : forall j m a i, tab G T j m = Some a -> 0 <= i < 2 ^ bits G j ->
                 rd w (a + 8 * i) = if hit j (m * 2 ^ bits G j + i) then e else rd (words t) (a + 8 * i)).
  Context (D : forall x, rd w x <> rd (words t) x ->
                 exists j m a i, tab G T j m = Some a /\ 0 <= i < 2 ^ bits G j /\ x = a + 8 * i).
  Context (R : 0 <= e < 2 ^ 64) (NL : is_link G k e = false).
  Context (BL : (S k < depth G)%nat -> block G k = false -> e = 0).
  Context (N : forall j, n (S j) = next t (S j)).

  Let T' := filter (fun x => under G (S k) l c x.1 = false) T.
  Let t' := mktree w n.

  Local Lemma cut_Some j m a : T' !! (j, m) = Some a <-> T !! (j, m) = Some a /\ under G (S k) l c (j, m) = false.
  Proof. apply map_filter_lookup_Some. Qed.

  Local Lemma cut_tab j m a : tab G T' j m = Some a -> tab G T j m = Some a.
  Proof. destruct j as [|j]; cbn [tab]; [auto|]. intros Y. now apply cut_Some in Y. Qed.

  Local Lemma cut_tab_keep j m a : tab G T j m = Some a -> under G (S k) l c (j, m) = false -> tab G T' j m = Some a.
  Proof. destruct j as [|j]; cbn [tab]; [auto|]. intros Y U. now apply cut_Some. Qed.

  Local Lemma cut_tab_not j m a : tab G T' j m = Some a -> under G (S k) l c (j, m) = false.
  Proof. destruct j as [|j]; cbn [tab]; [reflexivity|]. intros Y. now apply cut_Some in Y. Qed.

  (** Below the first cut level a table is under [c] if and only if its parent is. *)
  Local Lemma under_child j m i : (j < depth G)%nat -> (S k <= j)%nat -> 0 <= i < 2 ^ bits G j ->
    under G (S k) l c (S j, m * 2 ^ bits G j + i) = under G (S k) l c (j, m).
  Proof.
    intros J Q I. unfold under; cbn [fst snd]. rewrite <- (div_step G OK) by lia.
    rewrite (child_div G OK) by assumption.
    destruct (Nat.leb_spec (S k) (S j)), (Nat.leb_spec (S k) j); reflexivity || lia.
  Qed.

  Local Lemma cut_child j m a i : tab G T' j m = Some a -> 0 <= i < 2 ^ bits G j ->
    under G (S k) l c (S j, m * 2 ^ bits G j + i) = hit j (m * 2 ^ bits G j + i).
  Proof.
    intros Y I. pose proof (cut_tab_not _ _ _ Y) as U. apply cut_tab in Y.
    destruct (tab_place G OK T t W _ _ _ Y) as (J & _). unfold hit.
    destruct (Nat.eqb_spec j k) as [->|Q]; [reflexivity|]. cbn [andb].
    destruct (Nat.lt_ge_cases j k) as [Q'|Q'].
    - unfold under; cbn [fst snd]. destruct (Nat.leb_spec (S k) (S j)); [lia | reflexivity].
    - rewrite under_child by (assumption || lia). exact U.
  Qed.

  Lemma cut_wf : wf G T' t'.
  Proof.
    constructor; try change (next t') with n; try change (words t') with w.
    - intros j m a Y. apply cut_Some in Y as [Y _]. rewrite N. exact (wf_tab G T t W _ _ _ Y).
    - intros j m m' a Y Z. apply cut_Some in Y as [Y _]. apply cut_Some in Z as [Z _].
      exact (wf_inj G T t W _ _ _ _ Y Z).
    - intros j m a Y. apply cut_Some in Y as [Y U]. destruct (wf_parent G T t W _ _ _ Y) as [b Z].
      destruct (wf_tab G T t W _ _ _ Y) as (J & _). exists b. apply cut_tab_keep; [exact Z|].
      unfold under in *; cbn [fst snd] in *. destruct (Nat.leb_spec (S k) j) as [Q|Q]; [|reflexivity].
      destruct (Nat.leb_spec (S k) (S j)) as [_|Q']; [|lia].
      rewrite <- (div_step G OK) in U by lia. exact U.
    - intros j m a i Y I. pose proof (cut_child _ _ _ _ Y I) as U. apply cut_tab in Y. rewrite (H _ _ _ _ Y I).
      destruct (hit j _) eqn:V.
      + apply andb_prop in V as [V _]. apply Nat.eqb_eq in V as ->.
        split; [exact R|]. split; [intros; exfalso; auto|]. rewrite NL.
        apply eq_None_not_Some. intros [x Z]. apply cut_Some in Z as [_ Z]. congruence.
      + destruct (wf_entry G T t W _ _ _ _ Y I) as (R' & Q & Z). split; [exact R'|]. split; [exact Q|].
        rewrite <- Z. destruct (T !! _) as [x|] eqn:O.
        * apply cut_Some. auto.
        * apply eq_None_not_Some. intros [x Z']. apply cut_Some in Z' as [Z' _]. congruence.
    - intros j J. rewrite N. now apply (wf_next G T t W).
    - intros j x J Q. rewrite N in Q. pose proof (wf_fresh G T t W j x J Q) as F.
      destruct (Z.eq_dec (rd w x) (rd (words t) x)) as [E|E]; [congruence|].
      destruct (D x E) as (j' & m & a & i & Y & I & Z).
      now destruct (fresh_no_slot G OK T t W j' m a i j x Y I J Q).
  Qed.

  Lemma cut_walk_out h : 0 <= h < pages G -> pre G l h <> c -> walk G w h = walk G (words t) h.
  Proof.
    intros P Q. destruct (walk G (words t) h) as [j x] eqn:Z.
    apply (walk_iff G OK T t W h j x P) in Z as (a & Y & Z & V).
    destruct (tab_place G OK T t W _ _ _ Y) as (J & _).
    assert (U : forall i, (i <= depth G)%nat -> under G (S k) l c (i, pre G i h) = false).
    { intros i I. unfold under; cbn [fst snd]. destruct (Nat.leb_spec (S k) i); [|reflexivity].
      rewrite (pre_div G OK) by lia. now apply Z.eqb_neq. }
    apply (walk_iff G OK T' t' cut_wf h j x P). exists a. split; [apply cut_tab_keep; auto with lia|].
    split; [|exact V]. unfold slot. change (words t') with w. rewrite (H _ _ _ _ Y) by now apply idx_range.
    rewrite <- (pre_split G OK) by exact J. unfold hit. rewrite U by lia. now rewrite andb_false_r.
  Qed.

  Lemma cut_walk_in h a : 0 <= h < pages G -> pre G l h = c -> tab G T k (pre G k h) = Some a -> walk G w h = (k, e).
  Proof.
    intros P Q Y. apply (walk_iff G OK T' t' cut_wf h k e P). exists a.
    split; [|split; [|exact NL]].
    - apply cut_tab_keep; [exact Y|]. unfold under; cbn [fst snd].
      destruct (Nat.leb_spec (S k) k); [lia | reflexivity].
    - unfold slot. change (words t') with w. rewrite (H _ _ _ _ Y) by now apply idx_range.
      rewrite <- (pre_split G OK) by exact K. unfold hit, under; cbn [fst snd].
      rewrite (pre_div G OK) by lia. rewrite Nat.eqb_refl, Nat.leb_refl, Q, Z.eqb_refl. reflexivity.
  Qed.
End Cut.
