(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 13, MemRegion: the loop over the blocks computes [search].  Used by [Refine]. *)
From SeKVM.machine Require Import StateTac BottomPagesTac.
From SeKVM.layers.MemRegion Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Lemma block_ok_range b : block_ok b = true ->
  0 <= mb_base b /\ 0 <= mb_size b /\ mb_base b + mb_size b <= 281474976710656.
Proof. unfold block_ok. intros H. boolprop. auto. Qed.

Lemma map_ok_block l k b : map_ok l = true -> l !! k = Some b -> block_ok b = true.
Proof.
  unfold map_ok. intros H B. apply andb_true_iff in H as [_ H].
  rewrite forallb_forall in H. apply H. apply elem_of_list_In. exact (elem_of_list_lookup_2 _ _ _ B).
Qed.

Lemma search_range a l : forall i found, 0 <= i -> i + Z.of_nat (length l) <= 4294967296 ->
  0 <= found < 4294967296 -> 0 <= search a l i found < 4294967296.
Proof.
  induction l as [|b l IH]; intros i found I N F; cbn [search length] in *; [exact F|].
  apply IH; [lia | lia | destruct (hit a b); lia].
Qed.

Section Loop.
  Context {N M P : Type}.

  Lemma mem_region_search_code : fun_ok (@U N M P) f_mem_region_search mem_region_search_spec.
  Proof.
    code_intro f_mem_region_search.
    match goal with E : map_ok _ = true |- _ => rename E into OK end.
    assert (LEN : Z.of_nat (length (boot_mem (st_boot s))) <= 32)
      by (unfold map_ok in OK; apply andb_true_iff in OK as [X _]; boolprop; exact X).
    ssteps.
    match goal with |- context [("addr", Some ?z)] => set (a := z) in * end.
    remember (boot_mem (st_boot s)) as l eqn:HL.
    eapply (wp_while _ _ _ (fun n e s' => exists k found ob os,
       e = [("addr", Some a); ("n", Some (Z.of_nat (length l))); ("found", Some found); ("i", Some (Z.of_nat k));
            ("base", ob); ("size", os)]
       /\ s' = s /\ (k + n = length l)%nat /\ 0 <= found < 4294967296
       /\ search a (drop k l) (Z.of_nat k) found = search a l 0 4294967295)) with (n := length l).
    - intros n e s' (k & found & ob & os & -> & -> & K & F & SE). run_vc_goal.
      destruct (Z.ltb_spec (Z.of_nat k) (Z.of_nat (length l))) as [Lt|Ge].
      + destruct (lookup_lt_is_Some_2 l k ltac:(lia)) as [b B].
        pose proof (block_ok_range b (map_ok_block _ _ _ OK B)) as (B1 & B2 & B3).
        rewrite (drop_S _ _ _ B) in SE. cbn [search] in SE.
        assert (E : boot_mem (st_boot s) !! Z.to_nat (Z.of_nat k) = Some b) by (rewrite Nat2Z.id, <- HL; exact B).
        assert (G : exists m, (m < n)%nat /\ (Datatypes.S k + m = length l)%nat) by (exists (n - 1)%nat; lia).
        destruct G as (m & G1 & G2). unfold hit in SE.
        ssteps.
        replace (Z.of_nat k + 1) with (Z.of_nat (Datatypes.S k)) in * by lia.
        destruct (mb_base b <=? a); [destruct (a <? mb_base b + mb_size b)|]; cbn [andb] in SE; ssteps;
          exists m; (split; [exact G1|]); exists (Datatypes.S k); do 3 eexists;
          (split; [repeat f_equal; lia|]); repeat split; auto; lia.
      + rewrite drop_ge in SE by lia. cbn [search] in SE. ssteps. now rewrite SE.
    - exists 0%nat, 4294967295, None, None. rewrite drop_0. repeat split; auto; lia.
  Qed.
End Loop.
