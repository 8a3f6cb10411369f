(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 11, MmioSPTWalk: each function's code over the interface of MmioPTWalk, on
    trees in memory, implements its specification on maps.  The proofs string together
    the lemmas of [Steps], call by call.  Used by [Refine]. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import Bits PrimInv.
From SeKVM.machine Require Import StateTac BottomTac BottomMemTac.
From SeKVM.layers.NPTWalk Require Import ProofCode.
From SeKVM.layers.MmioSPTWalk Require Import Code Spec SpecTac Steps.
Local Open Scope string_scope.
Local Open Scope Z_scope.

#[local] Opaque zero.

(** * Tables on both sides *)

(** The SMMU tables, whose lock is held, on both sides. *)
Lemma tables_rel (s : mstate) (t : nstate) : rel R s t -> c_held (st_spt s) = true ->
  exists d T, t = set_spt d s /\ c_held d = true /\ cell_rel RM (st_spt s) d /\
    refines_with smmu_geom T (c_val (st_spt s)) (spt_tree (c_val d)).
Proof.
  intros (d & -> & X) H. destruct (proj1 (refines_pt_with _ _ _) (cr_val _ _ _ X)) as (T & W).
  exists d, T. split; [reflexivity|]. split; [now rewrite <- (cr_held _ _ _ X) | auto].
Qed.

(** States that differ in the SMMU tables, related again. *)
Lemma rel_put (s : mstate) d p x : cell_rel RM (st_spt s) d -> refines_pt smmu_geom p (spt_tree x) ->
  rel R (set_spt (set_val p (st_spt s)) s) (put x (set_spt d s)).
Proof. intros X Y. exists (set_val x d). split; [reflexivity | now apply set_val_rel]. Qed.

Lemma rel_put_flushed (s : mstate) d p x ev : cell_rel RM (st_spt s) d -> refines_pt smmu_geom p (spt_tree x) ->
  res_rel R (Ok 0 (set_outs (ev :: st_outs s) (set_spt (set_val p (st_spt s)) s)))
    (Ok 0 (set_outs (ev :: st_outs s) (put x (set_spt d s)))).
Proof. intros X Y. split; [reflexivity|]. exists (set_val x d). split; [reflexivity | now apply set_val_rel]. Qed.

Lemma smmu_ttbr_call (t : nstate) cb ix : is_bank cb ix = true -> in_range U32 cb = true -> in_range U32 ix = true ->
  in_range U64 (smmu_ttbr ix cb) = true ->
  call MmioPTWalk.Spec.L "get_smmu_cfg_hw_ttbr" [cb; ix] t = Some (Ok (smmu_ttbr ix cb) t).
Proof.
  intros V R1 R2 RT. change (call MmioPTWalk.Spec.L "get_smmu_cfg_hw_ttbr" ?l t) with (get_smmu_cfg_hw_ttbr l t).
  unfold get_smmu_cfg_hw_ttbr, p2. unfold is_bank in V. rewrite R1, R2, V. cbn [chk]. now rewrite RT.
Qed.

Lemma smmu_flush_call (t : nstate) cb ix a :
  in_range U32 cb = true -> in_range U32 ix = true -> in_range U64 a = true ->
  call MmioPTWalk.Spec.L "smmu_tlb_flush" [cb; ix; a] t = Some (Ok 0 (set_outs (Smmu_flush ix cb a :: st_outs t) t)).
Proof.
  intros R1 R2 RA. change (call MmioPTWalk.Spec.L "smmu_tlb_flush" ?l t) with (smmu_tlb_flush l t).
  unfold smmu_tlb_flush, p3. now rewrite R1, R2, RA.
Qed.

Lemma bank_number cb ix : in_range U32 cb = true -> in_range U32 ix = true -> is_bank cb ix = true ->
  0 <= bank cb ix < 16.
Proof. intros R1 R2 V. apply in_range_iff in R1, R2. apply is_bank_range; lia || exact V. Qed.

(** * The functions *)

Lemma walk_smmu_pt_code : fun_sim R MmioPTWalk.Spec.L f_walk_smmu_pt walk_smmu_pt_spec.
Proof.
  apply fun_sim_vc. intros vs s t r RR H. apply p3_inv in H as (cb & ix & a & -> & RC & RI & RA & H).
  destruct (c_held (st_spt s)) eqn:Hd; [|discriminate]. destruct (is_bank cb ix) eqn:V; [|discriminate].
  cbn [chk] in H. destruct (in_range U64 (entry _ _)); [injection H as <-|discriminate].
  destruct (tables_rel s t RR Hd) as (d & T & -> & Hd' & Y & W).
  pose proof (bank_number cb ix RC RI V) as B. destruct (ttbr_root cb ix B) as [ET RT].
  destruct (smmu_look (bank cb ix) a B (set_spt d s) Hd' T _ W (smmu_ttbr ix cb) RT ET RA)
    as (pgd & pmd & pte & E0 & E1 & E2 & R2 & E3).
  run_vc f_walk_smmu_pt. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  split; [now apply in_range_iff|]. rewrite smmu_ttbr_call by assumption.
  smmu_call "walk_smmu_pgd" @walk_smmu_pgd_spec; rewrite E0.
  smmu_call "walk_smmu_pmd" @walk_smmu_pmd_spec; rewrite E1.
  smmu_call "walk_smmu_pte" @walk_smmu_pte_spec; rewrite E2.
  rewrite (entry_leaf _ _ _ _ E3), wrap_id by (now apply in_range_iff).
  split; [reflexivity | exists d; auto].
Qed.

Lemma set_smmu_pt_code : fun_sim R MmioPTWalk.Spec.L f_set_smmu_pt set_smmu_pt_spec.
Proof.
  apply fun_sim_vc. intros vs s t r RR H. apply p4_inv in H as (cb & ix & a & w & -> & RC & RI & RA & RW & H).
  destruct (c_held (st_spt s)) eqn:Hd; [|discriminate]. destruct (is_bank cb ix) eqn:V; [|discriminate].
  destruct (tables_rel s t RR Hd) as (d & T & -> & Hd' & Y & W).
  pose proof (bank_number cb ix RC RI V) as B. destruct (ttbr_root cb ix B) as [ET RT].
  unfold pset in H. cbn [ensure_from] in H.
  run_vc f_set_smmu_pt. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  rewrite smmu_ttbr_call by assumption.
  smmu_call "walk_smmu_pgd" @walk_smmu_pgd_spec.
  pose proof (make_smmu_pgd (bank cb ix) a B (set_spt d s) Hd' T _ W (smmu_ttbr ix cb) RT ET RA) as Q1.
  unfold smmu_made in Q1. destruct (ensure smmu_geom 0 _ _) as [p1|p1|p1]; [| |tauto].
  - destruct Q1 as (pgd & x1 & T1 & E1 & R1 & N1 & W1 & A1). rewrite E1.
    smmu_call "walk_smmu_pmd" @walk_smmu_pmd_spec.
    pose proof (make_smmu_pmd (bank cb ix) a B (put x1 (set_spt d s)) Hd' T1 _ W1 RA pgd R1 N1 A1) as Q2.
    unfold smmu_made in Q2. destruct (ensure smmu_geom 1 _ _) as [p2|p2|p2]; [| |tauto].
    + destruct Q2 as (pmd & x2 & T2 & E2 & R2 & N2 & W2 & A2). rewrite E2.
      smmu_call "set_smmu_pte" @set_smmu_pte_spec.
      destruct (set_smmu_pte_call (bank cb ix) a (put x2 (put x1 (set_spt d s))) Hd' T2 _ W2 RA pmd w R2 RW A2)
        as (x3 & E3 & Rf). rewrite E3. injection H as <-.
      rewrite smmu_flush_call by assumption. rewrite !put_put. now apply rel_put_flushed.
    + destruct Q2 as [-> E2]. rewrite E2. injection H as <-. apply rel_put; [exact Y|]. apply refines_pt_with. eauto.
  - destruct Q1 as [-> E1]. rewrite E1. injection H as <-. exists d. split; [reflexivity|].
    replace (st_spt (set_spt _ s)) with (st_spt s); [exact Y|]. cbn. destruct (st_spt s); reflexivity.
Qed.

Lemma clear_call (t : nstate) ttbr b : c_held (st_spt t) = true -> in_range U64 ttbr = true ->
  0 <= b < 16 -> table_addr ttbr = root smmu_geom b ->
  call MmioPTWalk.Spec.L "clear_smmu_pgd" [ttbr] t = Some (Ok 0
    (put (set_spt_words (zero 1024 (root smmu_geom b) (spt_words (c_val (st_spt t)))) (c_val (st_spt t))) t)).
Proof.
  intros H RT B ET. change (call MmioPTWalk.Spec.L "clear_smmu_pgd" ?l t) with (clear_smmu_pgd_spec l t).
  unfold clear_smmu_pgd_spec, p1. rewrite RT, ET, H.
  replace (in_smmu_pool (root smmu_geom b) && in_smmu_pool (root smmu_geom b + 8184)) with true; [reflexivity|].
  change (root smmu_geom b) with (65536 + 8192 * b). unfold in_smmu_pool, SMMU_POOL_START, SMMU_POOL_END.
  symmetry. repeat (apply andb_true_intro; split); try (apply Z.leb_le; lia); try (apply Z.ltb_lt; lia);
    apply Z.eqb_eq; Z.div_mod_to_equations; lia.
Qed.

Lemma cleared b p x : 0 <= b < 16 -> refines_pt smmu_geom p (spt_tree x) ->
  refines_pt smmu_geom (pclear smmu_geom b p)
    (spt_tree (set_spt_words (zero 1024 (root smmu_geom b) (spt_words x)) x)).
Proof. intros B X. exact (clear_refines smmu_geom smmu_geom_ok b p _ B X). Qed.

Lemma clear_smmu_pt_code : fun_sim R MmioPTWalk.Spec.L f_clear_smmu_pt clear_smmu_pt_spec.
Proof.
  apply fun_sim_vc. intros vs s t r RR H. apply p2_inv in H as (cb & ix & -> & RC & RI & H).
  destruct (c_held (st_spt s)) eqn:Hd; [|discriminate]. destruct (is_bank cb ix) eqn:V; [|discriminate].
  injection H as <-.
  destruct (tables_rel s t RR Hd) as (d & T & -> & Hd' & Y & W).
  pose proof (bank_number cb ix RC RI V) as B. destruct (ttbr_root cb ix B) as [ET RT].
  run_vc f_clear_smmu_pt. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  rewrite smmu_ttbr_call by assumption. rewrite (clear_call _ _ (bank cb ix)) by assumption.
  rewrite smmu_flush_call by (assumption || reflexivity).
  apply rel_put_flushed; [exact Y|]. apply cleared; [exact B | exact (cr_val _ _ _ Y)].
Qed.

(** * Accesses *)

(** The code's test of address and register is the specification's. *)
Lemma dev_access_test a r (X Y : Prop) : in_range U32 r = true ->
  match (if (a <? SMMU_ADDR_LIMIT) && (a mod 8 =? 0) then user_reg r else None) with None => X | Some _ => Y end ->
  if 1099511627776 <=? a then X else 8 <> 0 /\ (if negb (a mod 8 =? 0) then X else if 31 <=? r then X else Y).
Proof.
  intros R. apply in_range_iff in R. unfold SMMU_ADDR_LIMIT. rewrite (Z.ltb_antisym 1099511627776 a).
  destruct (1099511627776 <=? a); [auto|]. intros Q. split; [lia|].
  destruct (a mod 8 =? 0); [|exact Q]. cbn [negb andb] in Q |- *. destruct (Z.leb_spec 31 r) as [B|B].
  - unfold user_reg in Q. destruct (Z.ltb_spec r 31); [lia | exact Q].
  - destruct (user_reg_some r ltac:(lia)) as [z E]. now rewrite E in Q.
Qed.

Lemma dev_word a : (a <? SMMU_ADDR_LIMIT) && (a mod 8 =? 0) = true -> in_memory a = true.
Proof.
  unfold in_memory, SMMU_ADDR_LIMIT. intros I. apply andb_true_iff in I as [I ->].
  rewrite andb_true_r. apply Z.ltb_lt in I. apply Z.ltb_lt. lia.
Qed.

(** What the code makes of a leaf. *)
Lemma smmu_translate_leaf permission p b a e : leaves p !! bank_page b a = leaf (2%nat, e) ->
  smmu_translate permission p b a = if lets permission 3 e then Some (out_addr 3 e a) else None.
Proof.
  unfold smmu_translate, leaf. cbn [snd]. intros ->. destruct (Z.eqb_spec e 0) as [->|]; [|reflexivity].
  unfold lets. now rewrite Z.land_0_l.
Qed.

Lemma smmu_out_addr_c e a : in_memory a = true -> in_range U64 a = true ->
  wrap U64 (Z.land e 281474976706560 + a mod 4096) = out_addr 3 e a.
Proof.
  intros I R. rewrite <- (out_addr_c 3 e a I R). change (leaf_size 3) with 4096. f_equal.
  rewrite frame_bits. pose proof (Z.mod_pos_bound (e / 4096) 68719476736 eq_refl).
  rewrite Z.div_mul, wrap_id by (cbn [modulus]; lia). reflexivity.
Qed.

Lemma acquire_smmu_call (s : mstate) d : c_held d = false ->
  call MmioPTWalk.Spec.L "acquire_lock_spt" [] (set_spt d s) = Some (Ok 0 (set_spt (acquire_cell d) s)).
Proof.
  intros H. change (call MmioPTWalk.Spec.L "acquire_lock_spt" ?l ?t) with (acquire_obj st_spt set_spt l t).
  unfold acquire_obj, p0. cbn [st_spt set_spt]. now rewrite H.
Qed.

Lemma release_smmu_call (s : mstate) d :
  call MmioPTWalk.Spec.L "release_lock_spt" [] (set_spt (acquire_cell d) s)
    = Some (Ok 0 (set_spt (release_cell (cpu_id (st_cpu s)) (acquire_cell d)) s)).
Proof. reflexivity. Qed.

(** Loading and storing do not touch the tables, nor which CPU this is. *)
Lemma smmu_phys_call f (g : forall M, Z -> reg -> St cell pmap M (gmap Z s2page) -> St cell pmap M (gmap Z s2page))
    (s : mstate) d a r x :
  call MmioPTWalk.Spec.L f = phys_access (g sptab) -> (forall s d, g sptab a x (set_spt d s) = set_spt d (g pmap a x s)) ->
  in_range U64 a = true -> in_range U32 r = true -> in_memory a = true -> user_reg r = Some x ->
  call MmioPTWalk.Spec.L f [a; r] (set_spt d s) = Some (Ok 0 (set_spt d (g pmap a x s))).
Proof. intros -> N RA RR I U. unfold phys_access, p2. now rewrite RA, RR, I, U, N. Qed.

(** Related again after the release. *)
Lemma rel_smmu_released (s s' : mstate) d v : cell_rel RM (st_spt s) d ->
  res_rel R (Ok v (set_spt (release_cell (cpu_id (st_cpu s)) (acquire_cell (st_spt s))) s'))
    (Ok v (set_spt (release_cell (cpu_id (st_cpu s)) (acquire_cell d)) s')).
Proof.
  intros Y. split; [reflexivity|]. eexists. split; [reflexivity|]. cbn [st_spt set_spt].
  now apply release_cell_rel, acquire_cell_rel.
Qed.

Lemma dev_load_ref_code : fun_sim R MmioPTWalk.Spec.L f_dev_load_ref dev_load_ref_spec.
Proof.
  apply fun_sim_vc. intros vs s t r RR H. apply p4_inv in H as (cb & ix & a & rg & -> & RC & RI & RA & Rg & H).
  run_vc f_dev_load_ref. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  rewrite bank_test. destruct (is_bank cb ix) eqn:V; cbn [negb] in H |- *.
  2:{ injection H as <-. change (call MmioPTWalk.Spec.L "panic" [] t) with (Some (Halt t)). exact RR. }
  apply dev_access_test; [exact Rg|].
  destruct ((a <? SMMU_ADDR_LIMIT) && (a mod 8 =? 0)) eqn:I; [apply dev_word in I|injection H as <-; now split].
  destruct (user_reg rg) as [x|] eqn:U; [|injection H as <-; now split].
  destruct (c_held (st_spt s)) eqn:Hd; [discriminate H|]. cbn [negb] in H. cbv zeta in H.
  destruct RR as (d & -> & Y). pose proof (eq_trans (eq_sym (cr_held _ _ _ Y)) Hd) as Hd'.
  destruct (proj1 (refines_pt_with _ _ _) (cr_val _ _ _ (acquire_cell_rel _ _ _ Y))) as (T & W).
  pose proof (bank_number cb ix RC RI V) as B. destruct (ttbr_root cb ix B) as [ET RT].
  destruct (smmu_look (bank cb ix) a B (set_spt (acquire_cell d) s) eq_refl T _ W (smmu_ttbr ix cb) RT ET RA)
    as (pgd & pmd & pte & E0 & E1 & E2 & R2 & E3).
  rewrite smmu_ttbr_call by assumption. rewrite (acquire_smmu_call s d Hd').
  smmu_call "walk_smmu_pgd" @walk_smmu_pgd_spec; rewrite E0.
  smmu_call "walk_smmu_pmd" @walk_smmu_pmd_spec; rewrite E1.
  smmu_call "walk_smmu_pte" @walk_smmu_pte_spec; rewrite E2.
  rewrite (smmu_translate_leaf _ _ _ _ _ E3) in H. unfold lets, PTE_READ in H. cbn [Nat.eqb] in H.
  destruct (Z.land pte 3 =? 3); cbn [andb] in H; [destruct (Z.land pte 64 =? 0); cbn [negb] in H |- *|].
  - rewrite (release_smmu_call s d). injection H as <-. exact (rel_smmu_released s s d 0 Y).
  - split; [lia|]. rewrite (smmu_out_addr_c pte a I RA).
    rewrite (smmu_phys_call "phys_load" (fun M => load_word) s _ _ rg x eq_refl (fun _ _ => eq_refl)
      (out_addr_u64 3 pte a I RA) Rg (out_addr_word 3 pte a I) U), (release_smmu_call _ d).
    injection H as <-. exact (rel_smmu_released s (load_word (out_addr 3 pte a) x s) d 1 Y).
  - rewrite (release_smmu_call s d). injection H as <-. exact (rel_smmu_released s s d 0 Y).
Qed.

Lemma dev_store_ref_code : fun_sim R MmioPTWalk.Spec.L f_dev_store_ref dev_store_ref_spec.
Proof.
  apply fun_sim_vc. intros vs s t r RR H. apply p4_inv in H as (cb & ix & a & rg & -> & RC & RI & RA & Rg & H).
  run_vc f_dev_store_ref. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  rewrite bank_test. destruct (is_bank cb ix) eqn:V; cbn [negb] in H |- *.
  2:{ injection H as <-. change (call MmioPTWalk.Spec.L "panic" [] t) with (Some (Halt t)). exact RR. }
  apply dev_access_test; [exact Rg|].
  destruct ((a <? SMMU_ADDR_LIMIT) && (a mod 8 =? 0)) eqn:I; [apply dev_word in I|injection H as <-; now split].
  destruct (user_reg rg) as [x|] eqn:U; [|injection H as <-; now split].
  destruct (c_held (st_spt s)) eqn:Hd; [discriminate H|]. cbn [negb] in H. cbv zeta in H.
  destruct RR as (d & -> & Y). pose proof (eq_trans (eq_sym (cr_held _ _ _ Y)) Hd) as Hd'.
  destruct (proj1 (refines_pt_with _ _ _) (cr_val _ _ _ (acquire_cell_rel _ _ _ Y))) as (T & W).
  pose proof (bank_number cb ix RC RI V) as B. destruct (ttbr_root cb ix B) as [ET RT].
  destruct (smmu_look (bank cb ix) a B (set_spt (acquire_cell d) s) eq_refl T _ W (smmu_ttbr ix cb) RT ET RA)
    as (pgd & pmd & pte & E0 & E1 & E2 & R2 & E3).
  rewrite smmu_ttbr_call by assumption. rewrite (acquire_smmu_call s d Hd').
  smmu_call "walk_smmu_pgd" @walk_smmu_pgd_spec; rewrite E0.
  smmu_call "walk_smmu_pmd" @walk_smmu_pmd_spec; rewrite E1.
  smmu_call "walk_smmu_pte" @walk_smmu_pte_spec; rewrite E2.
  rewrite (smmu_translate_leaf _ _ _ _ _ E3) in H. unfold lets, PTE_WRITE in H. cbn [Nat.eqb] in H.
  destruct (Z.land pte 3 =? 3); cbn [andb] in H; [destruct (Z.land pte 128 =? 0); cbn [negb] in H |- *|].
  - rewrite (release_smmu_call s d). injection H as <-. exact (rel_smmu_released s s d 0 Y).
  - split; [lia|]. rewrite (smmu_out_addr_c pte a I RA).
    rewrite (smmu_phys_call "phys_store" (fun M => store_word) s _ _ rg x eq_refl (fun _ _ => eq_refl)
      (out_addr_u64 3 pte a I RA) Rg (out_addr_word 3 pte a I) U), (release_smmu_call _ d).
    injection H as <-. exact (rel_smmu_released s (store_word (out_addr 3 pte a) x s) d 1 Y).
  - rewrite (release_smmu_call s d). injection H as <-. exact (rel_smmu_released s s d 0 Y).
Qed.
