(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 17, MemoryOps: ranges of frames and page numbers, and what the entries of a
    VM's pages and blocks say.  Used by the proofs of this layer and of BootAux. *)
From SeKVM.lib Require Import Bits VcTac.
From SeKVM.layers.MemManager Require Import Natural.
From SeKVM.layers.MemoryOps Require Import Spec.
Local Open Scope Z_scope.

Lemma frame_of_range e : 0 <= frame_of e < 68719476736.
Proof. unfold frame_of, phys. pose proof (phys_range e). Z.div_mod_to_equations. lia. Qed.

Lemma page_of_addr a : 0 <= a < 18446744073709551616 -> 0 <= a / 4096 < 4503599627370496.
Proof. intros H. Z.div_mod_to_equations. lia. Qed.

Lemma mod_block g : 0 <= g -> 0 <= g mod 512 < 512 /\ g mod 512 <= g.
Proof. intros H. Z.div_mod_to_equations. lia. Qed.

(** An entry made of a frame and low bits. *)
Lemma frame_of_entry e k : 0 <= k < 4096 -> frame_of (Z.lor (phys e) k) = frame_of e.
Proof.
  intros K. unfold frame_of, phys. rewrite (frame_bits (Z.lor _ _)). rewrite (frame_bits e).
  rewrite !Z.div_mul by discriminate.
  rewrite (lor_add _ k 12) by (change (2 ^ 12) with 4096; lia). change (2 ^ 12) with 4096.
  rewrite Z.div_add_l, (Z.div_small k 4096), Z.add_0_r by lia. now rewrite Z.mod_mod by lia.
Qed.

Lemma low_of_entry e k : 0 <= k < 4096 -> Z.land (Z.lor (phys e) k) 3 = k mod 4.
Proof.
  intros K. unfold phys. rewrite frame_bits. rewrite (lor_add _ k 12) by (change (2 ^ 12) with 4096; lia).
  rewrite (land_ones_mod _ 2) by lia. change (2 ^ 12) with (1024 * 2 ^ 2).
  rewrite Z.mul_assoc, Z.add_comm, Z.mod_add by lia. reflexivity.
Qed.

Lemma page_entry_frame g e : frame_at g (Z.lor (phys e) PAGE_S2) = frame_of e.
Proof.
  unfold frame_at, is_page_entry, PAGE_S2. rewrite low_of_entry, frame_of_entry by lia. reflexivity.
Qed.

Lemma block_entry_frame g e : frame_at g (Z.lor (phys e) BLOCK_S2) = frame_of e + g mod 512.
Proof.
  unfold frame_at, is_page_entry, BLOCK_S2. rewrite low_of_entry, frame_of_entry by lia. reflexivity.
Qed.
