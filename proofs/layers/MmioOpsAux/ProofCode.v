(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 25, MmioOpsAux: the loop over the SMMUs computes [smmu_search]; an access is a
    closed call of MmioCore.  Used by [Refine] and by the layer above. *)
From SeKVM.lib Require Import Bits VcTac PrimInv.
From SeKVM.layers.MmioOpsAux Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Lemma smmu_ok_range d : smmu_ok d = true -> 0 <= smmu_base d /\ smmu_base d + 65536 <= 281474976710656 /\ smmu_size d = 65536.
Proof. unfold smmu_ok. intros H. boolprop. auto. Qed.

Lemma smmus_ok_one l k d : smmus_ok l = true -> l !! k = Some d -> smmu_ok d = true.
Proof.
  unfold smmus_ok. intros H B. apply andb_true_iff in H as [_ H].
  rewrite forallb_forall in H. apply H. apply elem_of_list_In. exact (elem_of_list_lookup_2 _ _ _ B).
Qed.

Lemma smmus_ok_length l : smmus_ok l = true -> Z.of_nat (length l) <= 2.
Proof. unfold smmus_ok. intros H. apply andb_true_iff in H as [H _]. now apply Z.leb_le. Qed.

(** What the search finds. *)
Lemma smmu_search_spec a l : forall i found, smmu_search a l i found = found \/
  exists k d, l !! k = Some d /\ smmu_hit a d = true /\ smmu_search a l i found = i + Z.of_nat k.
Proof.
  induction l as [|d l IH]; intros i found; cbn [smmu_search]; [now left|].
  destruct (IH (i + 1) (if smmu_hit a d then i else found)) as [->|(k & e & E & H & ->)].
  - destruct (smmu_hit a d) eqn:H; [|now left]. right. exists 0%nat, d. cbn. split; [reflexivity|]. split; [exact H|]. lia.
  - right. exists (S k), e. split; [exact E|]. split; [exact H|]. lia.
Qed.

Lemma fault_ipa_range {F : Type -> Type} {N M P} a (s : St F N M P) :
  0 <= a < 18446744073709551616 -> 0 <= fault_ipa a s < 18446744073709551616.
Proof.
  intros A. unfold fault_ipa. apply (lor_range _ _ 64); [lia | lia|].
  pose proof (land_range (reg_get FAR_EL2 (cpu_regs (st_cpu s))) 4095 12). lia.
Qed.

Lemma dabt_bytes_range hsr : 0 <= dabt_bytes hsr < 16.
Proof.
  unfold dabt_bytes. pose proof (land_range (Z.shiftr hsr 22) 3 2 ltac:(lia) ltac:(lia)) as B.
  rewrite Z.shiftl_mul_pow2 by lia. assert (C : Z.land (Z.shiftr hsr 22) 3 = 0 \/ Z.land (Z.shiftr hsr 22) 3 = 1 \/
    Z.land (Z.shiftr hsr 22) 3 = 2 \/ Z.land (Z.shiftr hsr 22) 3 = 3) by lia.
  destruct C as [-> | [-> | [-> | ->]]]; cbn; lia.
Qed.

Lemma dabt_store_range hsr : 0 <= dabt_store hsr < 2.
Proof. unfold dabt_store. apply (land_range _ _ 1); lia. Qed.

Section Code.
  Context {N M P : Type}.
  Notation St := (St cell N M P).

  Lemma is_smmu_range_code : fun_ok (@U N M P) f_is_smmu_range is_smmu_range_spec.
  Proof.
    code_intro f_is_smmu_range.
    match goal with E : smmus_ok _ = true |- _ => rename E into OK end.
    pose proof (smmus_ok_length _ OK) as LEN.
    ssteps. unfold smmu_at in *.
    match goal with |- context [("addr", Some ?z)] => set (a := z) in * end.
    remember (boot_smmus (st_boot s)) as l eqn:HL.
    eapply (wp_while _ _ _ (fun n e s' => exists k found ob os,
       e = [("addr", Some a); ("n", Some (Z.of_nat (length l))); ("found", Some found); ("i", Some (Z.of_nat k));
            ("base", ob); ("size", os)]
       /\ s' = s /\ (k + n = length l)%nat /\ 0 <= found < 4294967296
       /\ smmu_search a (drop k l) (Z.of_nat k) found = smmu_search a l 0 4294967295)) with (n := length l).
    - intros n e s' (k & found & ob & os & -> & -> & K & F & SE). run_vc_goal.
      destruct (Z.ltb_spec (Z.of_nat k) (Z.of_nat (length l))) as [Lt|Ge].
      + destruct (lookup_lt_is_Some_2 l k ltac:(lia)) as [b B].
        pose proof (smmu_ok_range b (smmus_ok_one _ _ _ OK B)) as (B1 & B2 & B3).
        rewrite (drop_S _ _ _ B) in SE. cbn [smmu_search] in SE.
        assert (E : boot_smmus (st_boot s) !! Z.to_nat (Z.of_nat k) = Some b) by (rewrite Nat2Z.id, <- HL; exact B).
        assert (G : exists m, (m < n)%nat /\ (Datatypes.S k + m = length l)%nat) by (exists (n - 1)%nat; lia).
        destruct G as (m & G1 & G2). unfold smmu_hit in SE.
        ssteps.
        replace (Z.of_nat k + 1) with (Z.of_nat (Datatypes.S k)) in * by lia.
        destruct (smmu_base b <=? a); [destruct (a <? smmu_base b + smmu_size b)|]; cbn [andb] in SE; ssteps;
          exists m; (split; [exact G1|]); exists (Datatypes.S k); do 3 eexists;
          (split; [repeat f_equal; lia|]); repeat split; auto; lia.
      + rewrite drop_ge in SE by lia. cbn [smmu_search] in SE. ssteps. now rewrite SE.
    - exists 0%nat, 4294967295, None, None. rewrite drop_0. repeat split; auto; lia.
  Qed.

  (** ** Answers of the calls *)

  Lemma decode_call hsr (s : St) : in_range U32 hsr = true ->
    host_dabt_get_as [hsr] s = Some (Ok (dabt_bytes hsr) s) /\ host_dabt_is_write [hsr] s = Some (Ok (dabt_store hsr) s).
  Proof.
    intros R. unfold host_dabt_get_as, host_dabt_is_write, p1. rewrite R. cbn [chk].
    pose proof (dabt_bytes_range hsr). pose proof (dabt_store_range hsr).
    assert (in_range U32 (dabt_bytes hsr) = true) as -> by (apply in_range_iff; cbn [modulus]; lia).
    assert (in_range U32 (dabt_store hsr) = true) as -> by (apply in_range_iff; cbn [modulus]; lia).
    split; reflexivity.
  Qed.

  Lemma ipa_call a (s : St) : in_range U64 a = true -> host_get_fault_ipa [a] s = Some (Ok (fault_ipa a s) s).
  Proof.
    intros R. unfold host_get_fault_ipa, p1. rewrite R. cbn [chk]. apply in_range_iff in R.
    pose proof (fault_ipa_range a s R) as B.
    assert (in_range U64 (fault_ipa a s) = true) as -> by (apply in_range_iff; exact B). reflexivity.
  Qed.

  (** An access that ends, ends in 0. *)
  Lemma host_access_zero hsr a ix (s : St) v s' : host_access hsr a ix s = Some (Ok v s') -> v = 0.
  Proof.
    unfold host_access, handle_smmu_read_spec, handle_smmu_write_spec, p3, p4.
    assert (X : forall o w t, chk None o = Some (@Ok St w t) -> w = 0).
    { intros [[w t|t]|] w' t'; cbn; try discriminate. destruct (Z.eqb_spec w 0); [now intros [= <- <-] | discriminate]. }
    destruct (dabt_store hsr =? 0); repeat match goal with |- (if ?b then _ else _) = _ -> _ => destruct b; try discriminate end;
      apply X.
  Qed.

  Lemma handle_host_mmio_code : fun_ok (@U N M P) f_handle_host_mmio handle_host_mmio_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. apply p3_inv in E as (a & ix & hsr & -> & R1 & R2 & R3 & E).
    destruct (decode_call hsr s R3) as [D1 D2].
    run_vc f_handle_host_mmio. do 3 (split; [now apply in_range_iff|]).
    aux_call. rewrite ipa_call by exact R1. cbv beta iota. aux_call. rewrite D1. cbv beta iota. aux_call. rewrite D2.
    cbv beta iota. unfold dabt_valid in E.
    destruct (Z.land hsr 16777216 =? 0); cbn [negb] in E; [injection E as <-; aux_call; reflexivity|].
    unfold host_access in E. destruct (dabt_store hsr =? 0) eqn:W; cbn [negb].
    - aux_call. pose proof (host_access_zero hsr (fault_ipa a s) ix s) as Z0. unfold host_access in Z0. rewrite W in Z0.
      destruct (handle_smmu_read_spec _ s) as [[v s'|s']|]; [|injection E as <-; reflexivity | discriminate E].
      aux_call. injection E as <-. reflexivity.
    - aux_call. pose proof (host_access_zero hsr (fault_ipa a s) ix s) as Z0. unfold host_access in Z0. rewrite W in Z0.
      destruct (handle_smmu_write_spec _ s) as [[v s'|s']|]; [|injection E as <-; reflexivity | discriminate E].
      aux_call. injection E as <-. reflexivity.
  Qed.
End Code.
