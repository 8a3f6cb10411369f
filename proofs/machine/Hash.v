(* SPDX-License-Identifier: Apache-2.0 *)
(** The hash of an image: a fold of one mixing step over the 64-bit words of its frames
    (the multiplicative step of FNV-1a, a word at a time).  It is a function of the
    contents and nothing else is claimed of it: that two images have different hashes is
    assumed nowhere, so a theorem about verification says what was hashed, not that it
    could not have been forged.  Used by the bottom primitive that hashes a frame. *)
From SeKVM.lib Require Export Lang.
From Coq Require Import Lia.
Local Open Scope Z_scope.

Definition HASH_START : Z := 14695981039346656037.
Definition HASH_FACTOR : Z := 1099511628211.

Definition hash_word (h w : Z) : Z := wrap U64 (Z.lxor h w * HASH_FACTOR).
Definition hash_words (h : Z) (ws : list Z) : Z := fold_left hash_word ws h.

(** The hash of a whole image. *)
Definition digest (ws : list Z) : Z := hash_words HASH_START ws.

Lemma hash_words_app h ws vs : hash_words h (ws ++ vs) = hash_words (hash_words h ws) vs.
Proof. apply fold_left_app. Qed.

Lemma hash_word_range h w : in_range U64 (hash_word h w) = true.
Proof.
  unfold hash_word, in_range, wrap. pose proof (Z.mod_pos_bound (Z.lxor h w * HASH_FACTOR) (modulus U64) eq_refl).
  apply andb_true_iff. split; [apply Z.leb_le | apply Z.ltb_lt]; lia.
Qed.

Lemma hash_words_range ws : forall h, in_range U64 h = true -> in_range U64 (hash_words h ws) = true.
Proof. induction ws as [|w ws IH]; intros h H; [exact H|]. apply IH, hash_word_range. Qed.

(** It depends on each word, and on their order: examples. *)
Example hash_differs : digest [1; 2] <> digest [2; 1] /\ digest [1; 2] <> digest [1; 3] /\ digest [0] <> digest [0; 0].
Proof. repeat split; intros H; vm_compute in H; discriminate. Qed.
