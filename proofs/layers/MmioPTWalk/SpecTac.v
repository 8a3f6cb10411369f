(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the specifications of MmioPTWalk, and the layer's code-proof
    tactic: addresses of entries as the C code computes them. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import Bits VcTac.
From SeKVM.layers.PTWalk Require Export SpecTac.
From SeKVM.layers.MmioPTWalk Require Import Spec.
Local Open Scope Z_scope.

#[export] Hint Unfold smmu_step walk_smmu_pgd_spec walk_smmu_pmd_spec walk_smmu_pte_spec
  set_smmu_words set_smmu_pte_spec : prims.

Lemma table_addr_range e : 0 <= table_addr e < 281474976710656.
Proof. unfold table_addr. pose proof (Z.mod_pos_bound (e / 4096) 68719476736 ltac:(lia)). lia. Qed.

Lemma root_entry_addr_c e a :
  wrap U64 (Z.land e 281474976706560 + wrap U64 (Z.land (Z.shiftr a 30) 1023 * 8)) = root_entry_addr e a.
Proof.
  rewrite frame_bits, Z.shiftr_div_pow2 by lia.
  pose proof (land_ones_mod (a / 2 ^ 30) 10 ltac:(lia)) as X. change (2 ^ 10 - 1) with 1023 in X. rewrite X.
  change (2 ^ 10) with 1024. pose proof (Z.mod_pos_bound (a / 2 ^ 30) 1024 ltac:(lia)).
  pose proof (table_addr_range e) as R. unfold root_entry_addr, table_addr in *.
  rewrite !wrap_id by (cbn [modulus]; try rewrite wrap_id by (cbn [modulus]; lia); lia). lia.
Qed.

Ltac smmu_walk_ok f :=
  code_intro f; rewrite ?root_entry_addr_c, ?entry_addr_c by lia; ssteps; finish; repeat split_more.
