(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 12, MmioSPTOps: each function's code meets its specification over the
    interface of MmioSPTWalk.  The calls between acquire and release are resolved one
    by one.  Used by [Refine]. *)
From SeKVM.lib Require Import VcTac PrimInv.
From SeKVM.layers.MmioSPTWalk Require Import Steps.
From SeKVM.layers.MmioSPTOps Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * One call, the tables being [c] *)

Lemma acquire_spt_call (s : mstate) : c_held (st_spt s) = false ->
  call MmioSPTWalk.Spec.L "acquire_lock_spt" [] s = Some (Ok 0 (set_spt (acquire_cell (st_spt s)) s)).
Proof.
  intros H. change (call MmioSPTWalk.Spec.L "acquire_lock_spt" ?l s) with (acquire_obj st_spt set_spt l s).
  unfold acquire_obj, p0. now rewrite H.
Qed.

Lemma release_spt_call (s : mstate) c : c_held c = true ->
  call MmioSPTWalk.Spec.L "release_lock_spt" [] (set_spt c s) = Some (Ok 0 (publish_spt c s)).
Proof.
  intros H. change (call MmioSPTWalk.Spec.L "release_lock_spt" ?l ?x) with (release_obj st_spt set_spt l x).
  unfold release_obj, p0; cbn [st_spt set_spt]. now rewrite H.
Qed.

Section Call.
  Context (cb ix : Z) (RC : in_range U32 cb = true) (RI : in_range U32 ix = true) (V : is_bank cb ix = true).

  Lemma walk_smmu_call (s : mstate) c a : c_held c = true -> in_range U64 a = true ->
    in_range U64 (entry (c_val c) (bank_page (bank cb ix) a)) = true ->
    call MmioSPTWalk.Spec.L "walk_smmu_pt" [cb; ix; a] (set_spt c s)
      = Some (Ok (entry (c_val c) (bank_page (bank cb ix) a)) (set_spt c s)).
  Proof.
    intros H RA RE. change (call MmioSPTWalk.Spec.L "walk_smmu_pt" ?l ?x) with (walk_smmu_pt_spec l x).
    unfold walk_smmu_pt_spec, p3; cbn [st_spt set_spt]. rewrite RC, RI, RA, H, V. cbn [chk]. now rewrite RE.
  Qed.

  (** The tables after an update, still locked. *)
  Definition spt_updated (a : Z) (o : outcome pmap pmap) (c : cell pmap) (s : mstate) : res mstate :=
    match o with
    | Updated p => Ok 0 (set_spt (set_val p c) (set_outs (Smmu_flush ix cb a :: st_outs s) s))
    | Full p | Under_block p => Halt (set_spt (set_val p c) s)
    end.

  Lemma set_smmu_call (s : mstate) c a e : c_held c = true -> in_range U64 a = true -> in_range U64 e = true ->
    call MmioSPTWalk.Spec.L "set_smmu_pt" [cb; ix; a; e] (set_spt c s)
      = Some (spt_updated a (pset smmu_geom 2 (bank_page (bank cb ix) a) e (c_val c)) c s).
  Proof.
    intros H RA RE. change (call MmioSPTWalk.Spec.L "set_smmu_pt" ?l ?x) with (set_smmu_pt_spec l x).
    unfold set_smmu_pt_spec, p4, spt_updated; cbn [st_spt set_spt]. rewrite RC, RI, RA, RE, H, V.
    destruct (pset _ _ _ _ _); reflexivity.
  Qed.

  Lemma clear_smmu_call (s : mstate) c : c_held c = true ->
    call MmioSPTWalk.Spec.L "clear_smmu_pt" [cb; ix] (set_spt c s)
      = Some (spt_updated ALL_ADDRESSES (Updated (pclear smmu_geom (bank cb ix) (c_val c))) c s).
  Proof.
    intros H. change (call MmioSPTWalk.Spec.L "clear_smmu_pt" ?l ?x) with (clear_smmu_pt_spec l x).
    unfold clear_smmu_pt_spec, p2, spt_updated; cbn [st_spt set_spt]. now rewrite RC, RI, H, V.
  Qed.
End Call.

Lemma panic_call (s : mstate) : call MmioSPTWalk.Spec.L "panic" [] s = Some (Halt s).
Proof. reflexivity. Qed.

(** * The checks *)

Lemma addr_test a : (a <? SMMU_ADDR_LIMIT) = negb (1099511627776 <=? a).
Proof. apply Z.ltb_antisym. Qed.

(** * The functions *)

Lemma init_spt_code : fun_ok MmioSPTWalk.Spec.L f_init_spt init_spt_spec.
Proof.
  apply fun_ok_vc. intros vs s r E. apply p2_inv in E as (cb & ix & -> & RC & RI & E).
  run_vc f_init_spt. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  rewrite panic_call, bank_test. destruct (is_bank cb ix) eqn:V; cbn [negb] in E |- *; [|now injection E as <-].
  lock_free E H. injection E as <-.
  rewrite acquire_spt_call by exact H. rewrite (clear_smmu_call cb ix RC RI V) by reflexivity.
  unfold spt_updated. rewrite release_spt_call by reflexivity. reflexivity.
Qed.

Lemma walk_spt_code : fun_ok MmioSPTWalk.Spec.L f_walk_spt walk_spt_spec.
Proof.
  apply fun_ok_vc. intros vs s r E. apply p3_inv in E as (cb & ix & a & -> & RC & RI & RA & E).
  run_vc f_walk_spt. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  split; [now apply in_range_iff|].
  rewrite panic_call, bank_test. destruct (is_bank cb ix) eqn:V; cbn [negb] in E |- *; [|now injection E as <-].
  change (a <? 1099511627776) with (a <? SMMU_ADDR_LIMIT). rewrite addr_test. change SMMU_ADDR_LIMIT with 1099511627776 in E.
  destruct (1099511627776 <=? a); cbn [negb]; [now injection E as <-|].
  lock_free E H. apply chk_inv in E. destruct E as [RE ->].
  rewrite acquire_spt_call by exact H.
  rewrite (walk_smmu_call cb ix RC RI V), release_spt_call by (exact RA || exact RE || reflexivity).
  rewrite wrap_id by now apply in_range_iff. reflexivity.
Qed.

Lemma map_spt_code : fun_ok MmioSPTWalk.Spec.L f_map_spt map_spt_spec.
Proof.
  apply fun_ok_vc. intros vs s r E. apply p4_inv in E as (cb & ix & a & e & -> & RC & RI & RA & RE & E).
  run_vc f_map_spt. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  rewrite panic_call, bank_test. destruct (is_bank cb ix) eqn:V; cbn [negb andb] in E |- *; [|now injection E as <-].
  rewrite addr_test in E. destruct (1099511627776 <=? a); cbn [negb] in E |- *; [now injection E as <-|].
  lock_free E H.
  rewrite acquire_spt_call by exact H. rewrite (set_smmu_call cb ix RC RI V) by (assumption || reflexivity).
  unfold spt_updated, publish_spt_update in *. cbv zeta in E. destruct (pset _ _ _ _ _) as [p|p|p]; injection E as <-;
    reflexivity.
Qed.

Lemma unmap_spt_code : fun_ok MmioSPTWalk.Spec.L f_unmap_spt unmap_spt_spec.
Proof.
  apply fun_ok_vc. intros vs s r E. apply p3_inv in E as (cb & ix & a & -> & RC & RI & RA & E).
  run_vc f_unmap_spt. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  split; [now apply in_range_iff|].
  rewrite panic_call, bank_test. destruct (is_bank cb ix) eqn:V; cbn [negb] in E |- *; [|now injection E as <-].
  change (a <? 1099511627776) with (a <? SMMU_ADDR_LIMIT). rewrite addr_test. change SMMU_ADDR_LIMIT with 1099511627776 in E.
  destruct (1099511627776 <=? a); cbn [negb]; [now injection E as <-|].
  lock_free E H. cbv zeta in E.
  destruct (in_range U64 (entry (c_val (acquire_cell (st_spt s))) (bank_page (bank cb ix) a))) eqn:RE; [|discriminate E].
  rewrite acquire_spt_call by exact H.
  rewrite (walk_smmu_call cb ix RC RI V) by (exact RA || exact RE || reflexivity).
  set (e := entry _ _) in *. assert (We : wrap U64 e = e) by now apply wrap_id, in_range_iff.
  destruct (Z.eqb_spec e 0) as [Z0|N0]; cbn [negb].
  - rewrite release_spt_call by reflexivity. injection E as <-. rewrite We, Z0. reflexivity.
  - rewrite (set_smmu_call cb ix RC RI V) by (assumption || reflexivity).
    unfold spt_updated, publish_spt_update in *.
    destruct (pset _ _ _ _ _) as [p|p|p]; [|injection E as <-; reflexivity | injection E as <-; reflexivity].
    rewrite release_spt_call by reflexivity. apply chk_inv in E. destruct E as [_ ->]. rewrite We. reflexivity.
Qed.
