(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 23, MmioCoreAux: each function's code meets its specification, over the
    primitives that it uses.  Used by [Refine]. *)
From SeKVM.lib Require Import Bits VcTac.
From SeKVM.layers.MmioRaw Require Import ProofCode.
From SeKVM.layers.MmioCoreAux Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** The bank of an offset among the attributes. *)
Lemma cbar_bank off : (4096 <=? off) = true -> (off <? 4128) = true ->
  0 <= (off - 4096) / 4 < 8 /\ 0 <= off - 4096 < 32.
Proof. intros A B. boolprop. Z.div_mod_to_equations. lia. Qed.

Lemma low_word_range v : 0 <= low_word v < 4294967296.
Proof. apply Z.mod_pos_bound. lia. Qed.

Lemma device_value_range {F : Type -> Type} {N M P} t (s : St F N M P) : 0 <= device_value t s < modulus t.
Proof. apply wrap_range. Qed.

Section Code.
  Context {N M P : Type}.

  Lemma handle_smmu_global_access_code : fun_ok (@U N M P) f_handle_smmu_global_access handle_smmu_global_access_spec.
  Proof.
    code_intro f_handle_smmu_global_access.
    match goal with E : context [smmu_global_policy] |- _ => clear E end.
    repeat sstep. do_call. sstep. cbv iota beta.
    match goal with |- context [host_word ?r ?m] => generalize (host_word r m) end. intros d.
    unfold smmu_global_policy, scr0_ok, scr2_ok, cbar_ok. same_cases;
      (split; [lia|]);
      match goal with A : (4096 <=? ?o) = true, B : (?o <? 4128) = true |- _ => pose proof (cbar_bank o A B) end;
      boolprop; ssteps; finish.
  Qed.

  Lemma handle_smmu_cb_access_code : fun_ok (@U N M P) f_handle_smmu_cb_access handle_smmu_cb_access_spec.
  Proof.
    code_intro f_handle_smmu_cb_access. match goal with E : context [smmu_cb_policy] |- _ => clear E end.
    rewrite mask12. ssteps. unfold smmu_cb_policy. same_cases.
  Qed.

  Lemma __handle_smmu_write_code : fun_ok (@U N M P) f___handle_smmu_write __handle_smmu_write_spec.
  Proof.
    code_intro f___handle_smmu_write; low_words;
      try match goal with E : host_ctxt ?s = Some ?m |- context [host_word ?r _] => pose proof (host_word_range r m) end;
      try match goal with |- context [Mmio_write _ 4 (low_word ?v)] => pose proof (low_word_range v) end;
      ssteps; finish.
  Qed.

  Lemma __handle_smmu_read_code : fun_ok (@U N M P) f___handle_smmu_read __handle_smmu_read_spec.
  Proof.
    code_intro f___handle_smmu_read;
      pose proof (device_value_range U64 s) as V8; pose proof (device_value_range U32 s) as V4;
      cbn [modulus] in V4, V8;
      match goal with |- context [call _ "host_dabt_get_rd" [?h]] => pose proof (dabt_rd_range h) end;
      try match goal with E : host_ctxt (set_ins ?i ?s) = Some _ |- _ =>
        change (host_ctxt (set_ins i s)) with (host_ctxt s) in E; unfold host_ctxt, HOSTVISOR in E; inv_spec E end;
      ssteps; finish.
  Qed.
End Code.
