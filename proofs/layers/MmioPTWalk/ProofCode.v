(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 10, MmioPTWalk: each function's code meets its specification over the
    interface of MmioPTAlloc.  Used by [Refine]. *)
From SeKVM.lib Require Import Bits PrimInv.
From SeKVM.machine Require Import StateTac BottomTac.
From SeKVM.pagetable Require Import Tree.
From SeKVM.layers.MmioPTAlloc Require Import SpecTac.
From SeKVM.layers.MmioPTWalk Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Lemma walk_smmu_pgd_code : fun_ok MmioPTAlloc.Spec.L f_walk_smmu_pgd walk_smmu_pgd_spec.
Proof. smmu_walk_ok f_walk_smmu_pgd. Qed.

Lemma walk_smmu_pmd_code : fun_ok MmioPTAlloc.Spec.L f_walk_smmu_pmd walk_smmu_pmd_spec.
Proof. smmu_walk_ok f_walk_smmu_pmd. Qed.

Lemma walk_smmu_pte_code : fun_ok MmioPTAlloc.Spec.L f_walk_smmu_pte walk_smmu_pte_spec.
Proof. smmu_walk_ok f_walk_smmu_pte. Qed.

Lemma set_smmu_pte_code : fun_ok MmioPTAlloc.Spec.L f_set_smmu_pte set_smmu_pte_spec.
Proof. smmu_walk_ok f_set_smmu_pte. Qed.

(** ** Emptying a root: a loop *)

Lemma store_call (s : nstate) p : c_held (st_spt s) = true -> in_smmu_pool p = true -> in_range U64 p = true ->
  call MmioPTAlloc.Spec.L "smmu_pt_store" [p; 0] s
    = Some (Ok 0 (set_smmu_words (<[p := 0]> (spt_words (c_val (st_spt s)))) s)).
Proof.
  intros H I R. change (call MmioPTAlloc.Spec.L "smmu_pt_store" ?l s) with (smmu_pt_store l s).
  unfold smmu_pt_store, p2. rewrite R. change (own (st_spt s)) with (c_held (st_spt s)). now rewrite H, I.
Qed.

Lemma in_smmu_pool_between a p : in_smmu_pool a && in_smmu_pool (a + 8184) = true ->
  a <= p <= a + 8184 -> (p - a) mod 8 = 0 -> in_smmu_pool p = true /\ 0 <= p < 3211264.
Proof.
  unfold in_smmu_pool, SMMU_POOL_START, SMMU_POOL_END. intros B R M. boolprop. split; [|lia].
  apply andb_true_intro; split; [apply andb_true_intro; split|].
  - apply Z.leb_le. lia.
  - apply Z.ltb_lt. lia.
  - apply Z.eqb_eq. Z.div_mod_to_equations; lia.
Qed.

Lemma zero_O a m : zero 0 a m = m.
Proof. reflexivity. Qed.

Lemma zero_S n a m : zero (S n) a m = zero n (a + 8) (<[a := 0]> m).
Proof. reflexivity. Qed.

#[local] Opaque zero.

Lemma clear_smmu_pgd_code : fun_ok MmioPTAlloc.Spec.L f_clear_smmu_pgd clear_smmu_pgd_spec.
Proof.
  apply fun_ok_vc. intros vs s r E. apply p1_inv in E as (ttbr & -> & RT & E).
  destruct (c_held (st_spt s)) eqn:H; [|discriminate E].
  cbv zeta in E.
  destruct (in_smmu_pool (table_addr ttbr) && in_smmu_pool (table_addr ttbr + 8184)) eqn:B; [|discriminate E].
  injection E as <-.
  run_vc f_clear_smmu_pgd. split; [now apply in_range_iff|]. rewrite frame_bits.
  fold (table_addr ttbr). set (a := table_addr ttbr) in *.
  eapply (wp_while _ _ _ (fun n e s' => exists m p,
     e = [("ttbr", Some ttbr); ("p", Some p); ("left", Some (Z.of_nat n))] /\
     s' = set_smmu_words m s /\ p = a + 8 * (1024 - Z.of_nat n) /\ (n <= 1024)%nat /\
     zero n p m = zero 1024 a (spt_words (c_val (st_spt s))))) with (n := 1024%nat).
  - intros n e s' (m & p & -> & -> & -> & Le & Q). run_vc_goal.
    destruct (Z.eqb_spec (Z.of_nat n) 0) as [N0|N0]; cbn [negb].
    + assert (n = 0%nat) as -> by lia. rewrite zero_O in Q. rewrite Q. reflexivity.
    + destruct n as [|n]; [lia|].
      destruct (in_smmu_pool_between a (a + 8 * (1024 - Z.of_nat (S n))) B) as [I J]; [lia | |].
      { replace (a + 8 * (1024 - Z.of_nat (S n)) - a) with ((1024 - Z.of_nat (S n)) * 8) by lia. apply Z.mod_mul. lia. }
      rewrite store_call; [| exact H | exact I | apply in_range_iff; cbn [modulus]; lia].
      exists n. split; [lia|]. exists (<[a + 8 * (1024 - Z.of_nat (S n)) := 0]> m), (a + 8 * (1024 - Z.of_nat n)).
      split; [|split; [reflexivity|]].
      * rewrite !wrap_id by (cbn [modulus]; lia). replace (a + 8 * (1024 - Z.of_nat (S n)) + 8) with (a + 8 * (1024 - Z.of_nat n)) by lia.
        now replace (Z.of_nat (S n) - 1) with (Z.of_nat n) by lia.
      * split; [reflexivity|]. split; [lia|]. rewrite zero_S in Q. rewrite <- Q. f_equal. lia.
  - exists (spt_words (c_val (st_spt s))), a. split; [reflexivity|]. split; [|split; [lia|split; [lia|reflexivity]]].
    unfold set_smmu_words. destruct s as [co s2 spt sm np vm me cp ct bo ins ou]; cbn.
    destruct spt as [v h lg sc]; destruct v; reflexivity.
Qed.
