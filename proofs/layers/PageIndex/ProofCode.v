(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 14, PageIndex: the code meets its specification; and what a slot is worth:
    every slot is one of the table, and every tracked page has one.  Used by [Refine]
    and by PageManager. *)
From SeKVM.lib Require Import PrimInv.
From SeKVM.machine Require Import StateTac BottomPagesTac.
From SeKVM.layers.MemRegion Require Import ProofCode.
From SeKVM.layers.PageIndex Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** The search finds the number of the block. *)
Lemma search_block a l : forall i found,
  match block_of a l with
  | None => search a l i found = found
  | Some b => exists k, search a l i found = i + Z.of_nat k /\ l !! k = Some b /\ hit a b = true
  end.
Proof.
  induction l as [|b l IH]; intros i found; cbn [block_of search]; [reflexivity|].
  specialize (IH (i + 1) (if hit a b then i else found)). destruct (block_of a l) as [c|].
  - destruct IH as (k & -> & B & H). exists (S k). split; [lia|]. auto.
  - destruct (hit a b) eqn:H; [|exact IH]. exists 0%nat. split; [lia|]. auto.
Qed.

Lemma block_of_in a l b : block_of a l = Some b -> exists k, l !! k = Some b /\ hit a b = true.
Proof.
  intros B. pose proof (search_block a l 0 0) as X. rewrite B in X. destruct X as (k & _ & L & H). eauto.
Qed.

(** The offset in a block stays below its number of pages. *)
Lemma offset_range b a : block_ok b = true -> hit a b = true ->
  0 <= a - mb_base b < 281474976710656 /\ 0 <= (a - mb_base b) / 4096 < mb_size b / 4096.
Proof.
  unfold block_ok, hit. intros B H. boolprop. split; [lia|].
  split; [apply Z.div_pos; lia|]. apply Z.div_lt_upper_bound; [lia|].
  Z.div_mod_to_equations. lia.
Qed.

Lemma slot_range l a i : map_ok l = true -> slot l a = Some i -> 0 <= i < 16777216.
Proof.
  intros OK. unfold slot. destruct (block_of a l) as [b|] eqn:B; [|discriminate].
  destruct (block_of_in _ _ _ B) as (k & K & H). pose proof (map_ok_block _ _ _ OK K) as BO.
  destruct (mb_index b =? INVALID64) eqn:T; [discriminate|]. intros [= <-].
  destruct (offset_range b a BO H) as [_ O]. unfold block_ok in BO. rewrite T in BO. cbn [orb] in BO.
  boolprop. lia.
Qed.

Section Code.
  Context {N M P : Type}.

  Lemma get_s2_page_index_code : fun_ok (@U N M P) f_get_s2_page_index get_s2_page_index_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. apply p1_inv in E as (a & -> & RA & E). boolprop.
    destruct (map_ok (boot_mem (st_boot s))) eqn:OK; [|discriminate E].
    apply chk_inv in E as [_ ->].
    assert (LEN : Z.of_nat (length (boot_mem (st_boot s))) <= 32)
      by (unfold map_ok in OK; apply andb_true_iff in OK as [X _]; boolprop; exact X).
    pose proof (search_range a (boot_mem (st_boot s)) 0 4294967295 ltac:(lia) ltac:(lia) ltac:(lia)) as RS.
    pose proof (search_block a (boot_mem (st_boot s)) 0 4294967295) as SB.
    pose proof (slot_range (boot_mem (st_boot s)) a) as SR. unfold slot in *.
    run_vc f_get_s2_page_index.
    destruct (block_of a (boot_mem (st_boot s))) as [b|] eqn:B.
    - destruct SB as (k & SK & K & H). pose proof (map_ok_block _ _ _ OK K) as BO.
      pose proof (proj2 (offset_range b a BO H)) as [O1 O2].
      pose proof (proj1 (offset_range b a BO H)) as [O3 O4].
      pose proof (block_ok_range b BO) as (B1 & B2 & B3).
      assert (KL : Z.of_nat k < 32) by (apply lookup_lt_Some in K; lia).
      assert (E1 : boot_mem (st_boot s) !! Z.to_nat (search a (boot_mem (st_boot s)) 0 4294967295) = Some b)
        by (rewrite SK, Z.add_0_l, Nat2Z.id; exact K).
      destruct (mb_index b =? INVALID64) eqn:T; unfold INVALID64 in T.
      + boolprop. autounfold with consts. ssteps. now rewrite T.
      + specialize (SR _ OK eq_refl). assert (I : 0 <= mb_index b <= 16777216).
        { unfold block_ok in BO. unfold INVALID64 in BO. rewrite T in BO. cbn [orb] in BO. boolprop. lia. }
        boolprop. autounfold with consts. ssteps. reflexivity.
    - autounfold with consts. rewrite SB in *. ssteps. reflexivity.
  Qed.
End Code.
