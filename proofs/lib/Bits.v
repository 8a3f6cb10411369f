(* SPDX-License-Identifier: Apache-2.0 *)
(** Bit operations as arithmetic, with the side conditions that make them true:
    masks are remainders, shifts are products and quotients, or-ing a field into
    aligned bits is addition.  Rests on the standard library; used by the page-table
    and SMMU layers. *)
From Coq Require Import ZArith Lia Bool.
Local Open Scope Z_scope.

(** * General lemmas *)

Lemma land_ones_mod a n : 0 <= n -> Z.land a (2 ^ n - 1) = a mod 2 ^ n.
Proof.
  intros N. replace (2 ^ n - 1) with (Z.ones n) by (rewrite Z.ones_equiv; lia).
  now apply Z.land_ones.
Qed.

(** Bits below [2^n] are zero in a multiple of it and zero above it in a remainder. *)
Lemma land_shifted_low a b n : 0 <= n -> 0 <= b < 2 ^ n -> Z.land (a * 2 ^ n) b = 0.
Proof.
  intros N B. apply Z.bits_inj'. intros k K.
  rewrite Z.land_spec, Z.bits_0, <- Z.shiftl_mul_pow2 by lia.
  destruct (Z.ltb_spec k n) as [Lt|Ge].
  - now rewrite Z.shiftl_spec_low by lia.
  - apply andb_false_intro2. rewrite <- (Z.mod_small b (2 ^ n)) by lia.
    apply Z.mod_pow2_bits_high. lia.
Qed.

Lemma lor_add a b n : 0 <= n -> 0 <= b < 2 ^ n -> Z.lor (a * 2 ^ n) b = a * 2 ^ n + b.
Proof.
  intros N B. pose proof (land_shifted_low a b n N B) as D.
  rewrite Z.add_nocarry_lxor, Z.lxor_lor; auto.
Qed.

Lemma lor_aligned a b n :
  0 <= n -> a mod 2 ^ n = 0 -> 0 <= b < 2 ^ n -> Z.lor a b = a + b.
Proof.
  intros N A B. assert (P : 2 ^ n <> 0) by (apply Z.pow_nonzero; lia).
  rewrite (Z.div_mod a (2 ^ n) P), A, Z.add_0_r, Z.mul_comm. now apply lor_add.
Qed.

(** Bits [m, n) of [a], in place. *)
Lemma land_field a m n : 0 <= m <= n ->
  Z.land a (2 ^ n - 2 ^ m) = (a / 2 ^ m) mod 2 ^ (n - m) * 2 ^ m.
Proof.
  intros X. replace (2 ^ n - 2 ^ m) with (Z.shiftl (Z.ones (n - m)) m).
  - rewrite <- Z.land_ones, <- Z.shiftr_div_pow2, <- Z.shiftl_mul_pow2 by lia.
    apply Z.bits_inj'. intros k K. rewrite Z.land_spec.
    destruct (Z.ltb_spec k m) as [Lt|Ge].
    + rewrite !Z.shiftl_spec_low by lia. apply andb_false_r.
    + rewrite !Z.shiftl_spec, Z.land_spec, Z.shiftr_spec by lia. f_equal. f_equal. lia.
  - rewrite Z.shiftl_mul_pow2, Z.ones_equiv by lia. rewrite Z.mul_pred_l, <- Z.pow_add_r by lia.
    f_equal. f_equal. lia.
Qed.

Lemma land_range a b n : 0 <= n -> 0 <= b < 2 ^ n -> 0 <= Z.land a b < 2 ^ n.
Proof.
  intros N B. assert (E : Z.land a b = Z.land a b mod 2 ^ n).
  { rewrite <- !Z.land_ones by lia. rewrite <- Z.land_assoc. f_equal.
    rewrite Z.land_ones by lia. symmetry. now apply Z.mod_small. }
  rewrite E. apply Z.mod_pos_bound, Z.pow_pos_nonneg; lia.
Qed.

Lemma lor_range a b n :
  0 <= n -> 0 <= a < 2 ^ n -> 0 <= b < 2 ^ n -> 0 <= Z.lor a b < 2 ^ n.
Proof.
  intros N A B. assert (E : Z.lor a b = Z.lor a b mod 2 ^ n).
  { rewrite <- Z.land_ones, Z.land_lor_distr_l by lia.
    rewrite !Z.land_ones, !Z.mod_small by lia. reflexivity. }
  rewrite E. apply Z.mod_pos_bound, Z.pow_pos_nonneg; lia.
Qed.

Lemma lor_zero_iff a b : Z.lor a b = 0 <-> a = 0 /\ b = 0.
Proof. apply Z.lor_eq_0_iff. Qed.

(** The low bits of an or with an aligned value. *)
Lemma land_lor_low a b n : 0 <= n -> a mod 2 ^ n = 0 -> 0 <= b < 2 ^ n ->
  Z.land (Z.lor a b) (2 ^ n - 1) = b.
Proof.
  intros N A B. rewrite land_ones_mod, <- Z.land_ones, Z.land_lor_distr_l by lia.
  rewrite !Z.land_ones, A, Z.mod_small by lia. apply Z.lor_0_l.
Qed.

(** * Pages of 4096 bytes, as the C code writes them *)

Lemma shl12 a : Z.shiftl a 12 = a * 4096.
Proof. apply Z.shiftl_mul_pow2. lia. Qed.

Lemma shr12 a : Z.shiftr a 12 = a / 4096.
Proof. apply Z.shiftr_div_pow2. lia. Qed.

Lemma mask12 a : Z.land a 4095 = a mod 4096.
Proof. apply (land_ones_mod a 12). lia. Qed.

Lemma pack12 a b : 0 <= b < 4096 -> Z.lor (Z.shiftl a 12) b = a * 4096 + b.
Proof. intros B. rewrite shl12. apply (lor_add a b 12); lia. Qed.

(** Bits 12..47: the frame of a page-table entry, as an address. *)
Lemma frame_bits a : Z.land a 281474976706560 = (a / 4096) mod 68719476736 * 4096.
Proof. apply (land_field a 12 48). lia. Qed.
