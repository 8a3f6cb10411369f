(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 11, MmioSPTWalk: what one call of MmioPTWalk does to SMMU tables that
    implement a map.  Looking finds what the map says; making a table is a step of the
    map's [ensure]; writing an entry is [pput].  Each lemma is about one call;
    [ProofCode] strings them together. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import Bits.
From SeKVM.machine Require Import StateTac BottomTac.
From SeKVM.layers.PTWalk Require Import SpecTac.
From SeKVM.layers.NPTWalk Require Import Steps.
From SeKVM.layers.MmioSPTWalk Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Addresses *)

Notation G := smmu_geom.
Notation OK := smmu_geom_ok.

Lemma bank_page_range b a : 0 <= b < 16 -> 0 <= bank_page b a < pages G.
Proof.
  intros B. change (pages G) with 4294967296. unfold bank_page.
  pose proof (Z.mod_pos_bound (a / 4096) 268435456 ltac:(lia)). lia.
Qed.

Lemma div_add_pages a n : 0 <= n -> a / 2 ^ (12 + n) = a / 4096 / 2 ^ n.
Proof. intros N. rewrite Z.pow_add_r, <- Z.div_div by (try apply Z.pow_pos_nonneg; lia). reflexivity. Qed.

Lemma pre_bank b a : pre G 0 (bank_page b a) = b.
Proof.
  unfold pre, bank_page. change (2 ^ (up G (depth G) - up G 0)) with 268435456.
  Z.div_mod_to_equations; lia.
Qed.

Lemma idx_root b a : idx G 0 (bank_page b a) = (a / 2 ^ 30) mod 1024.
Proof.
  unfold idx, pre, bank_page. change (2 ^ (up G (depth G) - up G 1)) with 262144. change (2 ^ bits G 0) with 1024.
  change 30 with (12 + 18). rewrite div_add_pages by lia. change (2 ^ 18) with 262144.
  Z.div_mod_to_equations; lia.
Qed.

Lemma idx_pmd b a : idx G 1 (bank_page b a) = (a / 2 ^ 21) mod 512.
Proof.
  unfold idx, pre, bank_page. change (2 ^ (up G (depth G) - up G 2)) with 512. change (2 ^ bits G 1) with 512.
  change 21 with (12 + 9). rewrite div_add_pages by lia. change (2 ^ 9) with 512.
  Z.div_mod_to_equations; lia.
Qed.

Lemma idx_pte b a : idx G 2 (bank_page b a) = (a / 2 ^ 12) mod 512.
Proof.
  unfold idx, pre, bank_page. change (2 ^ (up G (depth G) - up G 3)) with 1. change (2 ^ bits G 2) with 512.
  change (2 ^ 12) with 4096. Z.div_mod_to_equations; lia.
Qed.

Lemma root_slot b e a : table_addr e = root G b -> root_entry_addr e a = slot G (root G b) 0 (bank_page b a).
Proof. intros E. unfold root_entry_addr, slot. now rewrite idx_root, E. Qed.

Lemma pmd_slot b e a : entry_addr 21 e a = slot G (phys_page e) 1 (bank_page b a).
Proof. unfold entry_addr, slot. now rewrite idx_pmd, table_addr_phys. Qed.

Lemma pte_slot b e a : entry_addr 12 e a = slot G (phys_page e) 2 (bank_page b a).
Proof. unfold entry_addr, slot. now rewrite idx_pte, table_addr_phys. Qed.

Lemma is_bank_range cb ix : is_bank cb ix = true -> 0 <= cb -> 0 <= ix -> 0 <= bank cb ix < 16.
Proof.
  unfold is_bank, bank. intros V. apply andb_prop in V as [A B]. apply Z.ltb_lt in A, B. lia.
Qed.

(** The code's test of a bank. *)
Lemma bank_test {A} cb ix (x y : A) :
  (if 8 <=? cb then x else if 2 <=? ix then x else y) = if negb (is_bank cb ix) then x else y.
Proof. unfold is_bank. rewrite (Z.ltb_antisym 2 ix), (Z.ltb_antisym 8 cb). destruct (8 <=? cb), (2 <=? ix); reflexivity. Qed.

Lemma ttbr_root cb ix : 0 <= bank cb ix < 16 ->
  table_addr (smmu_ttbr ix cb) = root G (bank cb ix) /\ in_range U64 (smmu_ttbr ix cb) = true.
Proof.
  intros B. change (root G (bank cb ix)) with (65536 + 8192 * bank cb ix).
  unfold smmu_ttbr, SMMU_POOL_START, table_addr. fold (bank cb ix). split.
  - Z.div_mod_to_equations; lia.
  - apply in_range_iff. cbn [modulus]. lia.
Qed.

(** * One call *)

Section Call.
  Context {N P : Type} (b a : Z) (B : 0 <= b < 16).
  Let g := bank_page b a.
  Notation St := (St cell N sptab P).

  (** The state with other SMMU tables. *)
  Definition put (x : sptab) (s : St) : St := set_spt (set_val x (st_spt s)) s.

  Lemma put_put x y s : put y (put x s) = put y s.
  Proof. reflexivity. Qed.

  Lemma put_id s : put (c_val (st_spt s)) s = s.
  Proof.
    unfold put. replace (set_val (c_val (st_spt s)) (st_spt s)) with (st_spt s) by (destruct (st_spt s); reflexivity).
    apply set_spt_id.
  Qed.

  Context (s : St) (Held : c_held (st_spt s) = true).
  Context (T : gmap (nat * Z) Z) (p : pmap) (X : refines_with G T p (spt_tree (c_val (st_spt s)))).

  Section At.
  Context (l : nat) (L : (l < 3)%nat) (base : Z) (A : tab G T l (pre G l g) = Some base).

  Let e := rd (spt_words (c_val (st_spt s))) (slot G base l g).

  Lemma smmu_slot_in_pool : in_smmu_pool (slot G base l g) = true.
  Proof.
    destruct (tab_place G OK T _ (rw_wf _ _ _ _ X) _ _ _ A) as (_ & C & D & E).
    destruct (slot_range G OK base l g L) as [F H].
    pose proof (aligned_page G OK base l L E) as AP.
    assert (Lo : 65536 <= lo G l /\ hi G l <= 3211264).
    { clear - l. destruct l as [|[|k]]; cbn; unfold SMMU_POOL_START, SMMU_PGD_START, SMMU_PMD_START, SMMU_POOL_END; lia. }
    unfold in_smmu_pool, SMMU_POOL_START, SMMU_POOL_END. apply andb_true_intro. split; [apply andb_true_intro; split|].
    - apply Z.leb_le. lia.
    - apply Z.ltb_lt. lia.
    - apply Z.eqb_eq. unfold slot. clear - AP. Z.div_mod_to_equations; lia.
  Qed.

  Lemma smmu_entry_range : in_range U64 e = true.
  Proof.
    destruct (entry_refines G OK T p _ X g (bank_page_range b a B) l _ A) as (C & _).
    apply in_range_iff. exact C.
  Qed.

  (** Looking, or finding a table where one was to be made. *)
  Lemma smmu_find nx snx lo hi alloc : alloc <> 1 \/ e <> 0 ->
    chk (Some U64) (smmu_step nx snx lo hi (slot G base l g) alloc s) = Some (Ok e s).
  Proof.
    intros Ne. unfold smmu_step. rewrite Held, smmu_slot_in_pool. change (word ?m ?x) with (rd m x). fold e.
    cbv zeta. replace ((e =? 0) && (alloc =? 1)) with false.
    - cbn [negb chk]. now rewrite smmu_entry_range.
    - destruct (Z.eqb_spec e 0), (Z.eqb_spec alloc 1); cbn; reflexivity || lia.
  Qed.

  (** An inner entry: empty, or a link. *)
  Lemma smmu_inner : (S l < 3)%nat ->
    (e = 0 /\ leaves p !! g = None /\ has_tab (S l) (pre G (S l) g) p = false) \/
    (e <> 0 /\ has_tab (S l) (pre G (S l) g) p = true /\ tab G T (S l) (pre G (S l) g) = Some (phys_page e)).
  Proof.
    intros I. destruct (entry_refines G OK T p _ X g (bank_page_range b a B) l _ A) as (_ & H & D & F).
    cbn [words spt_tree] in H, D, F. fold e in H, D, F. destruct (Z.eq_dec e 0) as [Z0|N0].
    - left. rewrite Z0, is_link_0 in H, F. split; [exact Z0|]. split; [now apply F | exact H].
    - right. split; [exact N0|].
      pose proof (inner_entry G OK T p _ X g l _ A I eq_refl N0) as K. cbn [words spt_tree] in K. fold e in K.
      rewrite K in H. auto.
  Qed.

  (** What a call that makes a table returns: one step of [ensure]. *)
  Definition smmu_made (r : option (res St)) : Prop :=
    match ensure G l g p with
    | Updated q => exists e' x T', r = Some (Ok e' (put x s)) /\ in_range U64 e' = true /\ e' <> 0 /\
        refines_with G T' q (spt_tree x) /\ tab G T' (S l) (pre G (S l) g) = Some (phys_page e')
    | Full q => q = p /\ r = Some (Halt s)
    | Under_block q => False
    end.

  Lemma smmu_make nx snx : (S l < 3)%nat ->
    (forall x, nx x = next (spt_tree x) (S l)) ->
    (forall x v, spt_words (snx v x) = spt_words x) ->
    (forall x v k, next (spt_tree (snx v x)) (S k) = if (k =? l)%nat then v else next (spt_tree x) (S k)) ->
    smmu_made (chk (Some U64) (smmu_step nx snx (lo G (S l)) (hi G (S l)) (slot G base l g) 1 s)).
  Proof.
    intros I NX SW SN. unfold smmu_made, ensure. destruct (smmu_inner I) as [(Z0 & LF & H)|(N0 & H & D)].
    - rewrite H, LF. rewrite <- (room_iff G OK T p _ X l I).
      assert (TS : tab_size G (S l) = 4096) by (clear - I; destruct l as [|[|k]]; [reflexivity | reflexivity | lia]).
      rewrite TS. unfold smmu_step. rewrite Held, smmu_slot_in_pool. change (word ?m ?x) with (rd m x). fold e. cbv zeta.
      rewrite Z0, NX. change (negb ((0 =? 0) && (1 =? 1))) with false. cbv iota.
      destruct (wf_next G T _ (rw_wf _ _ _ _ X) l I) as [[W1 W2] W3].
      pose proof W1 as W1'. pose proof W2 as W2'. apply Z.leb_le in W1', W2'. rewrite W1', W2'. cbn [andb].
      unfold PAGE. set (q := next (spt_tree (c_val (st_spt s))) (S l)) in *.
      destruct (Z.leb_spec (q + 4096) (hi G (S l))) as [Fit|Fit]; [|auto].
      assert (Fit' : q + tab_size G (S l) <= hi G (S l)) by (rewrite TS; exact Fit).
      destruct (grow_refines G OK T p _ X g l _ A
        (next (spt_tree (snx (q + 4096) (c_val (st_spt s))))) I Z0 Fit') as [Y1 Y2].
      { intros k. rewrite SN. destruct (Nat.eqb_spec k l) as [->|]; [now rewrite TS | reflexivity]. }
      pose proof (lo_pos G OK (S l) I) as LP. pose proof (ok_pool G OK (S l) I) as [_ W4].
      assert (QR : 0 <= q < 2 ^ 48) by lia.
      pose proof (aligned_page G OK _ (S l) I W3) as AP. pose proof (link_range _ QR) as LR.
      assert (RL : in_range U64 (link q) = true).
      { apply in_range_iff. change (modulus U64) with (2 ^ 64). lia. }
      change (table_entry q) with (link q). cbn [chk]. rewrite RL.
      eexists _, _, _. split; [reflexivity|]. split; [exact RL|]. split; [lia|]. split; [exact Y1|].
      rewrite phys_page_link by assumption. exact Y2.
    - rewrite H. exists e, (c_val (st_spt s)), T. rewrite smmu_find by auto. rewrite put_id.
      split; [reflexivity|]. split; [exact smmu_entry_range|]. auto.
  Qed.
  End At.

  (** ** Calls by name *)

  Context (ttbr : Z) (RT : in_range U64 ttbr = true) (ET : table_addr ttbr = root G b) (RA : in_range U64 a = true).

  Lemma smmu_root : tab G T 0 (pre G 0 g) = Some (root G b).
  Proof. unfold g. rewrite pre_bank. now apply tab_root. Qed.

  Lemma p3_eq rt t1 t2 t3 (f : Z -> Z -> Z -> St -> option (res St)) x1 x2 x3 :
    in_range t1 x1 = true -> in_range t2 x2 = true -> in_range t3 x3 = true ->
    p3 rt t1 t2 t3 f [x1; x2; x3] s = chk rt (f x1 x2 x3 s).
  Proof. intros R1 R2 R3. unfold p3. now rewrite R1, R2, R3. Qed.

  Lemma make_smmu_pgd : smmu_made 0 (walk_smmu_pgd_spec [ttbr; a; 1] s).
  Proof.
    unfold walk_smmu_pgd_spec. rewrite p3_eq by auto. rewrite (root_slot b) by exact ET.
    apply (smmu_make 0 ltac:(lia) _ smmu_root); try reflexivity; [lia|].
    intros x v [|[|k]]; reflexivity.
  Qed.

  Lemma make_smmu_pmd pgd : in_range U64 pgd = true -> pgd <> 0 ->
    tab G T 1 (pre G 1 g) = Some (phys_page pgd) -> smmu_made 1 (walk_smmu_pmd_spec [pgd; a; 1] s).
  Proof.
    intros R1 N1 A. unfold walk_smmu_pmd_spec. rewrite p3_eq by auto. rewrite (pmd_slot b).
    apply Z.eqb_neq in N1. rewrite N1.
    apply (smmu_make 1 ltac:(lia) _ A); try reflexivity; [lia|].
    intros x v [|[|k]]; reflexivity.
  Qed.

  Lemma set_smmu_pte_call pmd w : in_range U64 pmd = true -> in_range U64 w = true ->
    tab G T 2 (pre G 2 g) = Some (phys_page pmd) ->
    exists x, set_smmu_pte_spec [pmd; a; w] s = Some (Ok 0 (put x s)) /\
      refines_pt G (pput G 2 g w p) (spt_tree x).
  Proof.
    intros R1 R2 A.
    exists (set_spt_words (<[slot G (phys_page pmd) 2 g := w]> (spt_words (c_val (st_spt s)))) (c_val (st_spt s))). split.
    - unfold set_smmu_pte_spec. rewrite p3_eq by auto. rewrite (pte_slot b), Held. fold g.
      rewrite (smmu_slot_in_pool 2 ltac:(lia) _ A). reflexivity.
    - refine (put_refines G OK T p _ X g 2 _ A w _ _ eq_refl _ _).
      + apply in_range_iff in R2. exact R2.
      + intros C. cbn in C. lia.
      + reflexivity.
  Qed.

  Lemma smmu_look : exists pgd pmd pte,
    walk_smmu_pgd_spec [ttbr; a; 0] s = Some (Ok pgd s) /\
    walk_smmu_pmd_spec [pgd; a; 0] s = Some (Ok pmd s) /\
    walk_smmu_pte_spec [pmd; a] s = Some (Ok pte s) /\ in_range U64 pte = true /\
    leaves p !! g = leaf (2%nat, pte).
  Proof.
    pose proof smmu_root as A0. pose proof (smmu_entry_range 0 _ A0) as R0.
    pose proof (smmu_inner 0 _ A0 ltac:(lia)) as I0.
    assert (E0 : walk_smmu_pgd_spec [ttbr; a; 0] s =
      Some (Ok (rd (spt_words (c_val (st_spt s))) (slot G (root G b) 0 g)) s)).
    { unfold walk_smmu_pgd_spec. rewrite p3_eq by auto. rewrite (root_slot b) by exact ET.
      apply (smmu_find 0 ltac:(lia) _ A0). lia. }
    set (pgd := rd _ _) in *. exists pgd. destruct I0 as [(Y0 & Z0 & _)|(Y0 & _ & A1)].
    { exists 0, 0. split; [exact E0|]. rewrite Y0.
      split; [unfold walk_smmu_pmd_spec; now rewrite p3_eq by auto|].
      split; [unfold walk_smmu_pte_spec, p2; now rewrite RA|]. split; [reflexivity | exact Z0]. }
    pose proof (smmu_entry_range 1 _ A1) as R1. pose proof (smmu_inner 1 _ A1 ltac:(lia)) as I1.
    assert (E1 : walk_smmu_pmd_spec [pgd; a; 0] s =
      Some (Ok (rd (spt_words (c_val (st_spt s))) (slot G (phys_page pgd) 1 g)) s)).
    { unfold walk_smmu_pmd_spec. rewrite p3_eq by auto. apply Z.eqb_neq in Y0. rewrite Y0, (pmd_slot b).
      apply (smmu_find 1 ltac:(lia) _ A1). lia. }
    set (pmd := rd _ (slot G (phys_page pgd) 1 g)) in *. exists pmd. destruct I1 as [(Y1 & Z1 & _)|(Y1 & _ & A2)].
    { exists 0. split; [exact E0|]. split; [exact E1|]. rewrite Y1.
      split; [unfold walk_smmu_pte_spec, p2; now rewrite RA|]. split; [reflexivity | exact Z1]. }
    pose proof (smmu_entry_range 2 _ A2) as R2.
    destruct (entry_refines G OK T p _ X g (bank_page_range b a B) 2 _ A2) as (_ & _ & _ & F2).
    cbn [words spt_tree] in F2. set (pte := rd _ (slot G (phys_page pmd) 2 g)) in *. exists pte.
    split; [exact E0|]. split; [exact E1|]. split; [|split; [exact R2 | now apply F2]].
    unfold walk_smmu_pte_spec, p2. rewrite R1, RA. apply Z.eqb_neq in Y1. rewrite Y1, (pte_slot b), Held. fold g.
    rewrite (smmu_slot_in_pool 2 ltac:(lia) _ A2). change (word ?m ?x) with (rd m x). fold pte. cbn [chk]. now rewrite R2.
  Qed.
End Call.
