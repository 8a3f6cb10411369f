(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 22, MmioRaw: each function's code meets its specification, over the three
    primitives that it uses.  Used by [Refine]. *)
From SeKVM.lib Require Import Bits VcTac.
From SeKVM.layers.MmioRaw Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Lemma dabt_rd_range hsr : 0 <= dabt_rd hsr < 32.
Proof. unfold dabt_rd. apply (land_range _ _ 5); lia. Qed.

Lemma numbered_range i m : 0 <= numbered i m < 18446744073709551616.
Proof.
  unfold numbered. destruct (reg_of_code i) as [r|]; [|lia]. apply (wrap_range U64).
Qed.

Lemma host_word_range rd m : 0 <= host_word rd m < 18446744073709551616.
Proof. unfold host_word. destruct (rd =? 31); [lia | apply numbered_range]. Qed.

Lemma cb_of_range off : 0 <= cb_of off < 8.
Proof. unfold cb_of. apply Z.mod_pos_bound. lia. Qed.

Lemma cb_of_bits off : Z.land (Z.shiftr off 12) 7 = cb_of off.
Proof. unfold cb_of. rewrite shr12. apply (land_ones_mod _ 3). lia. Qed.

Lemma smmu_pte_range prot a : 0 <= smmu_pte prot a < 18446744073709551616.
Proof.
  unfold smmu_pte, phys, SMMU_PTE_PROT, SMMU_PTE_FIXED.
  repeat apply (lor_range _ _ 64); try apply (land_range _ _ 64); lia.
Qed.

Section Code.
  Context {N M P : Type}.

  Lemma host_get_mmio_data_code : fun_ok (@U N M P) f_host_get_mmio_data host_get_mmio_data_spec.
  Proof.
    apply fun_ok_vc. intros vs s r H. unfold host_get_mmio_data_spec, host_ctxt in H. open_spec H.
    run_vc f_host_get_mmio_data. unfold host_word in *.
    match goal with |- context [numbered (dabt_rd ?h) ?m] =>
      pose proof (dabt_rd_range h); pose proof (numbered_range (dabt_rd h) m); destruct (dabt_rd h =? 31) eqn:R end;
      boolprop; ssteps; finish.
  Qed.

  Lemma smmu_init_pte_code : fun_ok (@U N M P) f_smmu_init_pte smmu_init_pte_spec.
  Proof.
    code_intro f_smmu_init_pte. ssteps.
    match goal with |- Ok (smmu_pte ?p ?a) _ = _ => change (Z.lor (Z.lor (Z.land a _) _) _) with (smmu_pte p a) end.
    ssteps; finish.
  Qed.

  Lemma smmu_get_cbndx_code : fun_ok (@U N M P) f_smmu_get_cbndx smmu_get_cbndx_spec.
  Proof.
    code_intro f_smmu_get_cbndx. ssteps. rewrite cb_of_bits.
    match goal with |- context [cb_of ?o] => pose proof (cb_of_range o) end. ssteps; finish.
  Qed.
End Code.
