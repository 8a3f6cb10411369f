(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 16, MemManager: the operations on stage-2 tables do not touch the map of
    frames; and the ranges of frame numbers.  Used by the code proofs. *)
From SeKVM.lib Require Import Bits VcTac.
From SeKVM.machine Require Import StateTac BottomPagesTac Rel RelTac.
From SeKVM.layers.MemManager Require Import Spec.
Local Open Scope Z_scope.

Lemma clear_pfn_host_natural {M P P'} :
  @natural (St cell pmap M P) (St cell pmap M P') _ _ st_s2 set_s2 clear_pfn_host_spec clear_pfn_host_spec.
Proof. unfold clear_pfn_host_spec, publish_update, put_table, published. natural_tac. Qed.

Lemma map_s2pt_natural {M P P'} :
  @natural (St cell pmap M P) (St cell pmap M P') _ _ st_s2 set_s2 map_s2pt_spec map_s2pt_spec.
Proof. unfold map_s2pt_spec, publish_update, put_table, published. natural_tac. Qed.

Lemma phys_range e : 0 <= Z.land e 281474976706560 < 281474976710656.
Proof. rewrite frame_bits. pose proof (Z.mod_pos_bound (e / 4096) 68719476736 eq_refl). lia. Qed.

Lemma div_page_range a n : 0 <= a < n -> 0 <= a / 4096 < n /\ 0 <= a / 4096 * 4096 <= a.
Proof. intros H. Z.div_mod_to_equations. lia. Qed.
