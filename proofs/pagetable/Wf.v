(* SPDX-License-Identifier: Apache-2.0 *)
(** Consequences of well-formedness: where slots are, that no two tables share one,
    and that the walk of a page ends exactly at the table and entry that [at_leaf]
    describes.  With these, every later argument is about one slot at a time.  Rests
    on [Shape]; used by [Update]. *)
From Coq Require Import Lia.
From SeKVM.pagetable Require Export Shape.
Local Open Scope Z_scope.

Section Wf.
  Context (G : geom) (OK : geom_ok G).

  Lemma child_div n i l : (l < depth G)%nat -> 0 <= i < 2 ^ bits G l ->
    (n * 2 ^ bits G l + i) / 2 ^ bits G l = n.
  Proof.
    intros B I. pose proof (entries_pos G OK l B). rewrite Z.div_add_l, Z.div_small by lia. lia.
  Qed.

  Lemma child_inj n i n' i' l : (l < depth G)%nat ->
    0 <= i < 2 ^ bits G l -> 0 <= i' < 2 ^ bits G l ->
    n * 2 ^ bits G l + i = n' * 2 ^ bits G l + i' -> n = n' /\ i = i'.
  Proof.
    intros B I I' E. rewrite <- (child_div n i l) at 1 by assumption. rewrite E, child_div by assumption.
    split; [reflexivity|]. enough (n = n') by (subst; lia).
    rewrite <- (child_div n i l), E by assumption. now apply child_div.
  Qed.

  Lemma tab_insert T l c q k n :
    tab G (<[(S l, c) := q]> T) k n = if decide (k = S l /\ n = c) then Some q else tab G T k n.
  Proof.
    destruct k as [|k]; cbn [tab].
    - destruct (decide _) as [[E _]|]; [discriminate E | reflexivity].
    - destruct (decide _) as [[-> ->]|N]; [apply lookup_insert|].
      apply lookup_insert_ne. intros E. injection E as -> ->. tauto.
  Qed.

  Section Tree.
    Context (T : gmap (nat * Z) Z) (t : tree) (W : wf G T t).

    Lemma tab_place l n a : tab G T l n = Some a ->
      (l < depth G)%nat /\ lo G l <= a /\ a + tab_size G l <= hi G l /\ a mod tab_size G l = 0.
    Proof.
      destruct l as [|l]; cbn [tab].
      - destruct (Z.leb_spec 0 n), (Z.ltb_spec n (roots G)); cbn; try discriminate. intros [= <-].
        pose proof (ok_depth G OK) as D. pose proof (ok_root G OK). pose proof (size_pos G OK 0 D).
        pose proof (ok_align G OK 0 D) as [A _]. unfold root. repeat split; try nia; try lia.
        rewrite Z.mul_comm, Z.mod_add by lia. exact A.
      - intros X. destruct (wf_tab G T t W _ _ _ X) as (B & L & N & A).
        destruct (wf_next G T t W l B) as [E _]. repeat split; try assumption; lia.
    Qed.

    Lemma tab_next l n a : tab G T (S l) n = Some a -> a + tab_size G (S l) <= next t (S l).
    Proof. intros X. now apply (wf_tab G T t W) in X. Qed.

    Lemma slot_inj l n a i k m b j :
      tab G T l n = Some a -> tab G T k m = Some b ->
      0 <= i < 2 ^ bits G l -> 0 <= j < 2 ^ bits G k ->
      a + 8 * i = b + 8 * j -> l = k /\ n = m /\ i = j.
    Proof.
      intros X Y I J E. destruct (tab_place _ _ _ X) as (B & P & Q & A).
      destruct (tab_place _ _ _ Y) as (B' & P' & Q' & A').
      assert (l = k) as <-.
      { unfold tab_size in *. destruct (Nat.lt_trichotomy l k) as [L|[L|L]]; [|exact L|]; exfalso.
        - pose proof (pools_apart G OK l k (conj L B')). lia.
        - pose proof (pools_apart G OK k l (conj L B)). lia. }
      destruct (aligned_apart G OK a b l (8 * i) (8 * j)) as [<- IJ]; try assumption; unfold tab_size; try lia.
      split; [reflexivity|]. split; [|lia]. destruct l as [|l]; cbn [tab] in *.
      - pose proof (size_pos G OK 0 B).
        destruct ((0 <=? n) && (n <? roots G)); [injection X as X|discriminate X].
        destruct ((0 <=? m) && (m <? roots G)); [injection Y as Y|discriminate Y].
        unfold root in *. nia.
      - exact (wf_inj G T t W _ _ _ _ X Y).
    Qed.

    (** What has not been handed out is no slot. *)
    Lemma fresh_no_slot l n a i k x :
      tab G T l n = Some a -> 0 <= i < 2 ^ bits G l ->
      (S k < depth G)%nat -> next t (S k) <= x < hi G (S k) -> x <> a + 8 * i.
    Proof.
      intros X I B R E. destruct (tab_place _ _ _ X) as (B' & P & Q & A).
      destruct (wf_next G T t W k B) as [N _]. unfold tab_size in *.
      destruct (Nat.lt_trichotomy l (S k)) as [L|[->|L]].
      - pose proof (pools_apart G OK l (S k) ltac:(lia)). lia.
      - apply tab_next in X. unfold tab_size in *. lia.
      - pose proof (pools_apart G OK (S k) l ltac:(lia)). lia.
    Qed.

    (** * One step of a walk *)

    Lemma entry_at l g a : tab G T l (pre G l g) = Some a ->
      entry_ok G T l (pre G (S l) g) (rd (words t) (slot G a l g)).
    Proof.
      intros X. destruct (tab_place _ _ _ X) as (B & _).
      rewrite pre_split by assumption. apply (wf_entry G T t W); [exact X | now apply idx_range].
    Qed.

    Lemma tab_down l g a : tab G T l (pre G l g) = Some a ->
      is_link G l (rd (words t) (slot G a l g)) = true ->
      tab G T (S l) (pre G (S l) g) = Some (phys_page (rd (words t) (slot G a l g))).
    Proof. intros X E. destruct (entry_at l g a X) as (_ & _ & Y). now rewrite E in Y. Qed.

    Lemma tab_up l g b : tab G T (S l) (pre G (S l) g) = Some b ->
      exists a, tab G T l (pre G l g) = Some a /\
        is_link G l (rd (words t) (slot G a l g)) = true /\ phys_page (rd (words t) (slot G a l g)) = b.
    Proof.
      intros X. destruct (tab_place _ _ _ X) as (B & _).
      destruct (wf_parent G T t W l _ _ X) as [a Y]. rewrite <- (pre_step G OK) in Y by lia.
      exists a. split; [exact Y|]. destruct (entry_at l g a Y) as (_ & _ & Z). cbn [tab] in X.
      rewrite X in Z. destruct (is_link G l _); [|discriminate Z]. now injection Z as ->.
    Qed.

    Lemma tab_above l k g b : (l < k)%nat -> tab G T k (pre G k g) = Some b ->
      exists a, tab G T l (pre G l g) = Some a /\ is_link G l (rd (words t) (slot G a l g)) = true.
    Proof.
      intros L. revert b. induction L as [|k L IH]; intros b X; apply tab_up in X as (a & X & E & _).
      - eauto.
      - exact (IH a X).
    Qed.

    (** * Where a walk ends *)

    Definition at_leaf (g : Z) (l : nat) (e : Z) : Prop :=
      exists a, tab G T l (pre G l g) = Some a /\
        rd (words t) (slot G a l g) = e /\ is_link G l e = false.

    Lemma at_leaf_unique g l e l' e' : at_leaf g l e -> at_leaf g l' e' -> l = l' /\ e = e'.
    Proof.
      intros (a & X & E & N) (a' & X' & E' & N').
      destruct (Nat.lt_trichotomy l l') as [L|[L|L]].
      - destruct (tab_above l l' g a' L X') as (b & Y & Z). congruence.
      - subst l'. split; congruence.
      - destruct (tab_above l' l g a L X) as (b & Y & Z). congruence.
    Qed.

    Lemma walk_from_at g k : forall a l, tab G T l (pre G l g) = Some a -> (depth G <= S (l + k))%nat ->
      at_leaf g (walk_from G (words t) k a l g).1 (walk_from G (words t) k a l g).2.
    Proof.
      induction k as [|k IH]; intros a l X F; cbn [walk_from].
      - exists a. split; [exact X|]. split; [reflexivity|]. unfold is_link; cbn [fst snd].
        destruct (Nat.ltb_spec (S l) (depth G)); [lia | reflexivity].
      - destruct (is_link G l _) eqn:E.
        + apply IH; [now apply tab_down | lia].
        + exists a. auto.
    Qed.

    Lemma tab_root r : 0 <= r < roots G -> tab G T 0 r = Some (root G r).
    Proof. intros R. cbn [tab]. destruct (Z.leb_spec 0 r), (Z.ltb_spec r (roots G)); cbn; reflexivity || lia. Qed.

    Lemma walk_iff g l e : 0 <= g < pages G -> walk G (words t) g = (l, e) <-> at_leaf g l e.
    Proof.
      intros R. pose proof (walk_from_at g (depth G) (root G (pre G 0 g)) 0) as A.
      specialize (A (tab_root _ (root_range G OK g R)) ltac:(lia)). fold (walk G (words t) g) in A. split.
      - intros E. now rewrite E in A.
      - intros A'. destruct (at_leaf_unique _ _ _ _ _ A A') as [<- <-]. now destruct (walk G (words t) g).
    Qed.

    (** Where a table is missing or the entry is a leaf, the walk has ended. *)
    Lemma at_leaf_entry g l a : tab G T l (pre G l g) = Some a ->
      T !! (S l, pre G (S l) g) = None -> at_leaf g l (rd (words t) (slot G a l g)).
    Proof.
      intros X N. destruct (entry_at l g a X) as (_ & _ & Y). exists a. split; [exact X|].
      split; [reflexivity|]. rewrite N in Y. destruct (is_link G l _); [discriminate Y | reflexivity].
    Qed.
  End Tree.

  (** Only the values of the bump pointers of real levels matter. *)
  Lemma wf_next_ext T t n :
    (forall l, (S l < depth G)%nat -> n (S l) = next t (S l)) -> wf G T t -> wf G T (mktree (words t) n).
  Proof.
    intros E W. constructor; cbn [words next].
    - intros l m a X. destruct (wf_tab G T t W _ _ _ X) as (B & Y). rewrite E by exact B. auto.
    - apply (wf_inj G T t W).
    - apply (wf_parent G T t W).
    - apply (wf_entry G T t W).
    - intros l B. rewrite E by exact B. now apply (wf_next G T t W).
    - intros l a B. rewrite E by exact B. now apply (wf_fresh G T t W).
  Qed.
End Wf.
