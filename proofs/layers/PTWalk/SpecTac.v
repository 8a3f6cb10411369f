(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the specifications of PTWalk, and the layer's code-proof tactic:
    the address of an entry as the C code computes it. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import Bits VcTac.
From SeKVM.layers.PTWalk Require Import Spec.
Local Open Scope Z_scope.

#[export] Hint Unfold step root_step inner_step walk_pgd_spec walk_pud_spec walk_pmd_spec
  walk_pte_spec set_entry set_pmd_spec set_pte_spec table_entry : prims.

Lemma entry_addr_c sh e a : 0 <= sh ->
  Z.lor (Z.land e 281474976706560) (wrap U64 (Z.land (Z.shiftr a sh) 511 * 8)) = entry_addr sh e a.
Proof.
  intros N. rewrite frame_bits, Z.shiftr_div_pow2 by lia.
  pose proof (land_ones_mod (a / 2 ^ sh) 9 ltac:(lia)) as X. change (2 ^ 9 - 1) with 511 in X. rewrite X.
  change (2 ^ 9) with 512. pose proof (Z.mod_pos_bound (a / 2 ^ sh) 512 ltac:(lia)).
  rewrite wrap_id by (cbn; lia). unfold entry_addr, table_addr. rewrite Z.mul_comm with (m := 8).
  apply (lor_aligned _ _ 12); [lia | apply Z.mod_mul; lia | change (2 ^ 12) with 4096; lia].
Qed.

Ltac split_more := innermost ltac:(split_on); ssteps; finish.
Ltac walk_ok f := code_intro f; rewrite ?entry_addr_c by lia; ssteps; finish; repeat split_more.
