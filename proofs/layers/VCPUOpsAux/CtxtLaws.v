(* SPDX-License-Identifier: Apache-2.0 *)
(** Contexts, inputs, outputs and registers are different parts of the state.  Used as rewriting rules by the code proofs
    of layers 27 to 33. *)
From SeKVM.lib Require Import Wp.
From Coq Require Import Lia.
From SeKVM.layers.VCPUOpsAux Require Import Spec.
Local Open Scope Z_scope.

Section Laws.
  Context {F : Type -> Type} {N M P : Type}.
  Implicit Type s : St F N M P.

  Lemma get_ctxt_consume v c src s : get_ctxt v c (consume src s) = get_ctxt v c s.
  Proof. reflexivity. Qed.
  Lemma get_ctxt_outs v c o s : get_ctxt v c (set_outs o s) = get_ctxt v c s.
  Proof. reflexivity. Qed.
  Lemma consume_put src v c m s : consume src (put_ctxt v c m s) = put_ctxt v c m (consume src s).
  Proof. reflexivity. Qed.
  Lemma consume_outs src o s : consume src (set_outs o s) = set_outs o (consume src s).
  Proof. reflexivity. Qed.
  Lemma put_outs v c m o s : put_ctxt v c m (set_outs o s) = set_outs o (put_ctxt v c m s).
  Proof. reflexivity. Qed.
  Lemma outs_outs o o' s : set_outs o (set_outs o' s) = set_outs o s.
  Proof. reflexivity. Qed.
  Lemma input_put t src v c m s : input t src (put_ctxt v c m s) = input t src s.
  Proof. reflexivity. Qed.
  Lemma input_outs t src o s : input t src (set_outs o s) = input t src s.
  Proof. reflexivity. Qed.
  Lemma st_outs_put v c m s : st_outs (put_ctxt v c m s) = st_outs s.
  Proof. reflexivity. Qed.
  Lemma st_outs_consume src s : st_outs (consume src s) = st_outs s.
  Proof. reflexivity. Qed.
  Lemma phys_regs_put v c m s : phys_regs (put_ctxt v c m s) = phys_regs s.
  Proof. reflexivity. Qed.
  Lemma phys_regs_consume src s : phys_regs (consume src s) = phys_regs s.
  Proof. reflexivity. Qed.
  Lemma phys_regs_outs o s : phys_regs (set_outs o s) = phys_regs s.
  Proof. reflexivity. Qed.
  Lemma input_in_range t src s : in_range t (input t src s) = true.
  Proof. apply trunc_in_range. Qed.
End Laws.

Lemma reg_word_in_range r m : in_range U64 (reg_word r m) = true.
Proof. apply trunc_in_range. Qed.
Lemma numbered_in_range i m : in_range U64 (numbered i m) = true.
Proof. unfold numbered. destruct (reg_of_code i); [apply trunc_in_range | reflexivity]. Qed.

(** The host's inputs as a map. *)
Section Inputs.
  Context {F : Type -> Type} {N M P : Type}.
  Implicit Type s : St F N M P.

  Lemma get_ctxt_ins v c i s : get_ctxt v c (set_ins i s) = get_ctxt v c s.
  Proof. reflexivity. Qed.
  Lemma input_ins src i s : input U64 src (set_ins i s) = next_input src i.
  Proof. reflexivity. Qed.
  Lemma consume_ins src i s : consume src (set_ins i s) = set_ins (rest_inputs src i) s.
  Proof. reflexivity. Qed.
  Lemma phys_regs_ins i s : phys_regs (set_ins i s) = phys_regs s.
  Proof. reflexivity. Qed.
  Lemma st_outs_ins i s : st_outs (set_ins i s) = st_outs s.
  Proof. reflexivity. Qed.
End Inputs.

Lemma next_input_in_range src i : in_range U64 (next_input src i) = true.
Proof. apply trunc_in_range. Qed.

(** Ranges. *)
Lemma bit_range i : 0 <= i < 32 -> 0 <= Z.shiftl 1 i < 4294967296.
Proof.
  intros [A B]. rewrite Z.shiftl_1_l. split; [now apply Z.pow_nonneg|]. change 4294967296 with (2 ^ 32).
  now apply Z.pow_lt_mono_r.
Qed.
Lemma srt_range e : 0 <= srt e < 32.
Proof. unfold srt. change 31 with (Z.ones 5). rewrite Z.land_ones by easy. now apply Z.mod_pos_bound. Qed.
Lemma st_outs_set {F N M P} o (s : St F N M P) : st_outs (set_outs o s) = o.
Proof. reflexivity. Qed.
Lemma in_page_in_range x : in_range U64 (x mod 4096) = true.
Proof.
  pose proof (Z.mod_pos_bound x 4096 eq_refl). unfold in_range. apply andb_true_iff.
  split; [apply Z.leb_le | apply Z.ltb_lt]; cbn; lia.
Qed.

(** The register of a syndrome, as the code computes it. *)
Lemma wrap_srt e : wrap U32 (Z.land (Z.shiftr e 16) 31) = srt e.
Proof. apply wrap_id. pose proof (srt_range e). unfold srt in *. cbn. lia. Qed.
Lemma wrap_bit i : 0 <= i < 32 -> wrap U64 (Z.shiftl 1 i) = Z.shiftl 1 i.
Proof. intros R. apply wrap_id. pose proof (bit_range i R). cbn. lia. Qed.
Lemma shown_gpr i m : i < 32 -> shown i m = numbered i m.
Proof. intros R. unfold shown. destruct (Z.eqb_spec i 41); [lia | reflexivity]. Qed.
Lemma srt_in_range t e : in_range t (srt e) = true.
Proof.
  pose proof (srt_range e). unfold in_range. apply andb_true_iff.
  split; [apply Z.leb_le | apply Z.ltb_lt]; destruct t; cbn; lia.
Qed.
Lemma wrap32_in_range z : in_range U64 (wrap U32 z) = true.
Proof.
  pose proof (Z.mod_pos_bound z 4294967296 eq_refl) as B. unfold in_range, wrap. cbn [modulus].
  apply andb_true_iff. split; [apply Z.leb_le | apply Z.ltb_lt]; lia.
Qed.
