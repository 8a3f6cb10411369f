(* SPDX-License-Identifier: Apache-2.0 *)
(** Arithmetic of table numbers, indices and addresses for a valid shape: a number is
    its parent's number and an index; slots of different tables or indices differ;
    links and addresses are inverse.  Rests on [Tree] and [Bits]; used by [Wf]. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import Bits.
From SeKVM.pagetable Require Export Tree.
Local Open Scope Z_scope.

Section Shape.
  Context (G : geom) (OK : geom_ok G).

  Lemma bits_pos l : (l < depth G)%nat -> 9 <= bits G l.
  Proof. apply OK. Qed.

  Lemma entries_pos l : (l < depth G)%nat -> 0 < 2 ^ bits G l.
  Proof. intros B. pose proof (bits_pos l B). apply Z.pow_pos_nonneg; lia. Qed.

  (** * Levels *)

  Lemma up_le l k : (l <= k <= depth G)%nat -> up G l <= up G k.
  Proof.
    intros [A B]. induction A as [|k A IH]; [lia|]. cbn [up].
    pose proof (bits_pos k ltac:(lia)). specialize (IH ltac:(lia)). lia.
  Qed.

  Lemma up_pos l : (l <= depth G)%nat -> 0 <= up G l.
  Proof. intros B. pose proof (up_le 0 l ltac:(lia)). cbn [up] in *. lia. Qed.

  (** Dividing a number of level [l] by the indices from [k] on, one index at a time. *)
  Lemma div_step l k n : (k <= l < depth G)%nat ->
    n / 2 ^ bits G l / 2 ^ (up G l - up G k) = n / 2 ^ (up G (S l) - up G k).
  Proof.
    intros B. pose proof (bits_pos l ltac:(lia)). pose proof (up_le k l ltac:(lia)).
    rewrite Z.div_div by (try apply Z.pow_nonzero; try apply Z.pow_pos_nonneg; lia).
    rewrite <- Z.pow_add_r by lia. do 2 f_equal. cbn [up]. lia.
  Qed.

  Lemma pre_step l g : (l < depth G)%nat -> pre G l g = pre G (S l) g / 2 ^ bits G l.
  Proof.
    intros B. unfold pre. pose proof (bits_pos l B). pose proof (up_le (S l) (depth G) ltac:(lia)).
    rewrite Z.div_div by (try apply Z.pow_nonzero; try apply Z.pow_pos_nonneg; lia).
    rewrite <- Z.pow_add_r by lia. do 2 f_equal. cbn [up]. lia.
  Qed.

  Lemma pre_split l g : (l < depth G)%nat ->
    pre G (S l) g = pre G l g * 2 ^ bits G l + idx G l g.
  Proof.
    intros B. rewrite (pre_step l g) by lia. unfold idx. pose proof (entries_pos l B).
    rewrite (Z.div_mod (pre G (S l) g) (2 ^ bits G l)) at 1 by lia. lia.
  Qed.

  Lemma idx_range l g : (l < depth G)%nat -> 0 <= idx G l g < 2 ^ bits G l.
  Proof. intros B. apply Z.mod_pos_bound, entries_pos, B. Qed.

  Lemma pre_depth g : pre G (depth G) g = g.
  Proof. unfold pre. rewrite Z.sub_diag. apply Z.div_1_r. Qed.

  (** An upper number is a quotient of a lower one. *)
  Lemma pre_div l k g : (l <= k <= depth G)%nat -> pre G k g / 2 ^ (up G k - up G l) = pre G l g.
  Proof.
    intros B. unfold pre. pose proof (up_le l k ltac:(lia)). pose proof (up_le k (depth G) ltac:(lia)).
    rewrite Z.div_div by (try apply Z.pow_nonzero; try apply Z.pow_pos_nonneg; lia).
    rewrite <- Z.pow_add_r by lia. do 2 f_equal. lia.
  Qed.

  Lemma root_range g : 0 <= g < pages G -> 0 <= pre G 0 g < roots G.
  Proof.
    intros B. unfold pages, pre in *. cbn [up]. rewrite Z.sub_0_r.
    pose proof (up_pos (depth G) ltac:(lia)).
    assert (0 < 2 ^ up G (depth G)) by (apply Z.pow_pos_nonneg; lia). split.
    - apply Z.div_pos; lia.
    - apply Z.div_lt_upper_bound; lia.
  Qed.

  (** The pages that share an entry are an interval. *)
  Lemma span_pos l : (l < depth G)%nat -> 0 < span G l.
  Proof.
    intros B. unfold span. pose proof (up_le (S l) (depth G) ltac:(lia)). apply Z.pow_pos_nonneg; lia.
  Qed.

  Lemma span_iff l g h : (l < depth G)%nat ->
    pre G (S l) h = pre G (S l) g <-> pre G (S l) g * span G l <= h < pre G (S l) g * span G l + span G l.
  Proof.
    intros B. pose proof (span_pos l B) as P. unfold pre, span in *.
    set (k := 2 ^ (up G (depth G) - up G (S l))) in *. split.
    - intros <-. pose proof (Z.mod_pos_bound h k P). pose proof (Z.div_mod h k ltac:(lia)). lia.
    - intros R. symmetry. apply (Z.div_unique_pos h k (g / k) (h - k * (g / k))); lia.
  Qed.

  (** * Addresses *)

  Lemma size_pos l : (l < depth G)%nat -> 0 < tab_size G l.
  Proof. intros B. pose proof (entries_pos l B). unfold tab_size. lia. Qed.

  Lemma size_page l : (l < depth G)%nat -> tab_size G l mod 4096 = 0.
  Proof.
    intros B. pose proof (bits_pos l B). unfold tab_size.
    replace (bits G l) with (9 + (bits G l - 9)) by lia. rewrite Z.pow_add_r by lia.
    change (2 ^ 9) with 512. replace (8 * (512 * 2 ^ (bits G l - 9))) with (2 ^ (bits G l - 9) * 4096) by lia.
    apply Z.mod_mul. lia.
  Qed.

  Lemma aligned_page a l : (l < depth G)%nat -> a mod tab_size G l = 0 -> a mod 4096 = 0.
  Proof.
    intros B A. pose proof (size_pos l B). pose proof (size_page l B) as P.
    apply Z.div_exact in A; [|lia]. apply Z.div_exact in P; [|lia].
    rewrite A, P. rewrite <- Z.mul_assoc, Z.mul_comm. apply Z.mod_mul. lia.
  Qed.

  (** Two tables of one level are equal or apart. *)
  Lemma aligned_apart a b l i j : (l < depth G)%nat ->
    a mod tab_size G l = 0 -> b mod tab_size G l = 0 ->
    0 <= i < tab_size G l -> 0 <= j < tab_size G l -> a + i = b + j -> a = b /\ i = j.
  Proof.
    intros L A B I J E. pose proof (size_pos l L). apply Z.div_exact in A; [|lia].
    apply Z.div_exact in B; [|lia].
    assert (a / tab_size G l = b / tab_size G l).
    { rewrite A, B in E.
      apply (Z.div_unique_pos (tab_size G l * (a / tab_size G l) + i) _ _ j) in E as X; [|lia].
      rewrite Z.mul_comm, Z.div_add_l, (Z.div_small i) in X by lia. lia. }
    split; [congruence|]. enough (a = b) by lia. congruence.
  Qed.

  Lemma pools_apart l k : (l < k < depth G)%nat -> hi G l <= lo G k.
  Proof.
    intros [A B]. induction A as [|k A IH].
    - apply OK. lia.
    - pose proof (ok_order G OK k ltac:(lia)). pose proof (ok_pool G OK k ltac:(lia)).
      specialize (IH ltac:(lia)). lia.
  Qed.

  Lemma lo_pos l : (l < depth G)%nat -> 0 <= lo G l.
  Proof.
    intros B. pose proof (ok_lo G OK). destruct l as [|l]; [assumption|].
    pose proof (pools_apart 0 (S l) ltac:(lia)). pose proof (ok_pool G OK 0 ltac:(lia)). lia.
  Qed.

  (** A slot as the C code computes it. *)
  Lemma slot_lor base l g : (l < depth G)%nat -> base mod tab_size G l = 0 ->
    Z.lor base (8 * idx G l g) = slot G base l g.
  Proof.
    intros B A. pose proof (idx_range l g B). pose proof (bits_pos l B). unfold slot, tab_size in *.
    replace (8 * 2 ^ bits G l) with (2 ^ (3 + bits G l)) in A by (rewrite Z.pow_add_r by lia; reflexivity).
    apply (lor_aligned _ _ (3 + bits G l)); [lia | exact A |].
    rewrite Z.pow_add_r by lia. change (2 ^ 3) with 8. lia.
  Qed.

  Lemma slot_range base l g : (l < depth G)%nat ->
    base <= slot G base l g /\ slot G base l g + 8 <= base + tab_size G l.
  Proof. intros B. pose proof (idx_range l g B). unfold slot, tab_size. lia. Qed.
End Shape.

(** * Words *)

Lemma phys_page_link q : q mod 4096 = 0 -> 0 <= q < 2 ^ 48 -> phys_page (link q) = q.
Proof.
  intros A R. unfold phys_page, link. rewrite frame_bits, (lor_aligned q 3 12); [|lia | exact A | lia].
  apply Z.div_exact in A; [|lia].
  rewrite <- (Z.div_unique_pos (q + 3) 4096 (q / 4096) 3) by lia.
  rewrite Z.mod_small; [lia|]. split; [apply Z.div_pos | apply Z.div_lt_upper_bound]; lia.
Qed.

Lemma link_bits q : q mod 4096 = 0 -> Z.land (link q) 3 = 3.
Proof.
  intros A. apply (land_lor_low q 3 2); [lia | | lia].
  apply Z.div_exact in A; [|lia]. rewrite A. replace (4096 * (q / 4096)) with (q / 4096 * 1024 * 2 ^ 2) by lia.
  apply Z.mod_mul. lia.
Qed.

Lemma link_range q : 0 <= q < 2 ^ 48 -> 0 < link q < 2 ^ 64.
Proof.
  intros R. unfold link. pose proof (lor_range q 3 64 ltac:(lia) ltac:(lia) ltac:(lia)) as B.
  split; [|lia]. enough (Z.lor q 3 <> 0) by lia. intros E. apply Z.lor_eq_0_iff in E. lia.
Qed.

Lemma is_link_0 G l : is_link G l 0 = false.
Proof. apply andb_false_r. Qed.

Lemma is_link_nonzero G l e : is_link G l e = true -> e <> 0.
Proof. intros X ->. now rewrite is_link_0 in X. Qed.

Lemma is_link_inner G l e : is_link G l e = true -> (S l < depth G)%nat.
Proof. unfold is_link. intros X. apply andb_prop in X as [X _]. now apply Nat.ltb_lt. Qed.

Lemma is_link_link G l q : (S l < depth G)%nat -> q mod 4096 = 0 -> is_link G l (link q) = true.
Proof.
  intros B A. unfold is_link. rewrite link_bits by exact A. apply andb_true_intro. split; [|reflexivity].
  now apply Nat.ltb_lt.
Qed.

Lemma leaf_Some l e l' e' : leaf (l, e) = Some (l', e') <-> l' = l /\ e' = e /\ e <> 0.
Proof. unfold leaf. cbn. destruct (Z.eqb_spec e 0); split; intros X; naive_solver. Qed.

(** * Memory *)

Lemma rd_insert m a w b : rd (<[a := w]> m) b = if b =? a then w else rd m b.
Proof.
  unfold rd. destruct (Z.eqb_spec b a) as [->|N].
  - now rewrite lookup_insert.
  - now rewrite lookup_insert_ne by congruence.
Qed.

Lemma rd_zero n : forall a m b,
  rd (zero n a m) b = if (a <=? b) && (b <? a + 8 * Z.of_nat n) && ((b - a) mod 8 =? 0) then 0 else rd m b.
Proof.
  induction n as [|n IH]; intros a m b.
  - cbn [zero]. destruct (Z.leb_spec a b), (Z.ltb_spec b (a + 8 * Z.of_nat 0)); cbn; reflexivity || lia.
  - cbn [zero]. rewrite IH, rd_insert. destruct (Z.eqb_spec b a) as [->|N].
    + rewrite Z.leb_refl, Z.sub_diag. destruct (Z.leb_spec (a + 8) a); [lia|].
      destruct (Z.ltb_spec a (a + 8 * Z.of_nat (S n))); [reflexivity | lia].
    + replace ((b - (a + 8)) mod 8) with ((b - a) mod 8)
        by (replace (b - a) with (b - (a + 8) + 1 * 8) by lia; apply Z.mod_add; lia).
      destruct (Z.eqb_spec ((b - a) mod 8) 0) as [D|D].
      * apply Z.div_exact in D; [|lia].
        destruct (Z.leb_spec (a + 8) b), (Z.leb_spec a b), (Z.ltb_spec b (a + 8 + 8 * Z.of_nat n)),
          (Z.ltb_spec b (a + 8 * Z.of_nat (S n))); cbn; reflexivity || lia.
      * rewrite !andb_false_r. reflexivity.
Qed.
