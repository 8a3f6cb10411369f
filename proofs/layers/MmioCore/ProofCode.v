(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 24, MmioCore: each function's code meets its specification, over the functions
    of MmioCoreAux, whose answers are computed first.  Used by [Refine]. *)
From SeKVM.lib Require Import Bits VcTac PrimInv.
From SeKVM.layers.MmioCore Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Lemma global_range w off len d : in_range U32 (smmu_global_policy w off len d) = true.
Proof.
  unfold smmu_global_policy, PASS, REFUSE.
  repeat match goal with |- context [if ?b then _ else _] => destruct b; try reflexivity end.
Qed.

Lemma cb_range off len : in_range U32 (smmu_cb_policy off len) = true.
Proof.
  unfold smmu_cb_policy, PASS, REFUSE, REPLACE.
  repeat match goal with |- context [if ?b then _ else _] => destruct b; try reflexivity end.
Qed.

Lemma global_not_replaced w off len d : (smmu_global_policy w off len d =? REPLACE) = false.
Proof.
  unfold smmu_global_policy, PASS, REFUSE.
  repeat match goal with |- context [if ?b then _ else _] => destruct b; try reflexivity end.
Qed.

(** Where KCore's value is the table base, the place is one of its two halves. *)
Lemma mask16 a : Z.land a 65535 = a mod 65536.
Proof. apply (land_ones_mod a 16). lia. Qed.

Lemma ttbr_range cb ix : 0 <= cb < 8 -> 0 <= ix < 2 -> 0 <= smmu_ttbr ix cb < 4294967296.
Proof. unfold smmu_ttbr, SMMU_POOL_START. lia. Qed.

Section Code.
  Context {N M P : Type}.
  Notation St := (St cell N M P).

  (** ** Answers of the calls *)

  Lemma global_call hsr off len ix m (s : St) :
    in_range U32 hsr = true -> in_range U64 off = true -> in_range U32 len = true -> in_range U32 ix = true ->
    host_ctxt s = Some m -> c_held (st_smmu s) = true -> ix <? 2 = true ->
    in_range U32 (owner_at ((off - 4096) / 4) ix s) = true ->
    handle_smmu_global_access_spec [hsr; off; len; ix] s =
      Some (Ok (smmu_global_policy (owner_at ((off - 4096) / 4) ix s) off len (host_word (dabt_rd hsr) m)) s).
  Proof.
    intros R1 R2 R3 R4 E H I O. unfold handle_smmu_global_access_spec, p4. rewrite R1, R2, R3, R4, E, H, I, O. cbn [chk].
    now rewrite global_range.
  Qed.

  Lemma cb_call off len (s : St) : in_range U64 off = true -> in_range U32 len = true ->
    handle_smmu_cb_access_spec [off; len] s = Some (Ok (smmu_cb_policy off len) s).
  Proof. intros R1 R2. unfold handle_smmu_cb_access_spec, p2. rewrite R1, R2. cbn [chk]. now rewrite cb_range. Qed.

  Lemma write_call hsr a len v r m (s : St) :
    in_range U32 hsr = true -> in_range U64 a = true -> in_range U32 len = true -> in_range U64 v = true ->
    in_range U32 r = true -> host_ctxt s = Some m ->
    __handle_smmu_write_spec [hsr; a; len; v; r] s =
      device_store a len (if r =? 0 then host_word (dabt_rd hsr) m else v) s.
  Proof.
    intros R1 R2 R3 R4 R5 E. unfold __handle_smmu_write_spec. rewrite R1, R2, R3, R4, R5.
    destruct (r =? 0); [now rewrite E | reflexivity].
  Qed.

  Lemma cbndx_call off (s : St) : in_range U64 off = true -> smmu_get_cbndx_spec [off] s = Some (Ok (cb_of off) s).
  Proof.
    intros R. unfold smmu_get_cbndx_spec, p1. rewrite R. cbn [chk].
    replace (in_range U32 (cb_of off)) with true; [reflexivity|]. symmetry. apply in_range_iff.
    unfold cb_of. pose proof (Z.mod_pos_bound (off / 4096) 8 ltac:(lia)). cbn [modulus]. lia.
  Qed.

  Lemma ttbr_call off ix (s : St) : in_range U32 ix = true -> ix <? 2 = true ->
    get_smmu_cfg_hw_ttbr [cb_of off; ix] s = Some (Ok (smmu_ttbr ix (cb_of off)) s).
  Proof.
    intros R I. pose proof (Z.mod_pos_bound (off / 4096) 8 ltac:(lia)) as B. change (0 <= cb_of off < 8) in B.
    unfold get_smmu_cfg_hw_ttbr, p2. rewrite R, I.
    replace (in_range U32 (cb_of off)) with true by (symmetry; apply in_range_iff; cbn [modulus]; lia).
    replace (cb_of off <? 8) with true by (symmetry; apply Z.ltb_lt; lia). cbn [andb chk].
    apply in_range_iff in R. apply Z.ltb_lt in I.
    pose proof (ttbr_range (cb_of off) ix ltac:(lia) ltac:(lia)).
    replace (in_range U64 (smmu_ttbr ix (cb_of off))) with true by (symmetry; apply in_range_iff; cbn [modulus]; lia).
    reflexivity.
  Qed.

  (** A store ends in what it did. *)
  Lemma store_ends a len v (s : St) r : chk None (device_store a len v s) = Some r ->
    match device_store a len v s with
    | Some (Ok _ s') => r = Ok 0 s' | Some (Halt s') => r = Halt s' | None => False
    end.
  Proof.
    unfold device_store. destruct (len =? 8); [now intros [= <-]|]. destruct (len =? 4); now intros [= <-].
  Qed.

  (** ** The functions *)

  Lemma handle_smmu_write_code : fun_ok (@U N M P) f_handle_smmu_write handle_smmu_write_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. apply p4_inv in E as (hsr & a & len & ix & -> & R1 & R2 & R3 & R4 & E).
    destruct (host_ctxt s) as [m|] eqn:H; [|discriminate E].
    destruct (c_held (st_smmu s)) eqn:L; [|discriminate E].
    destruct (ix <? 2) eqn:I; [|discriminate E].
    destruct (owner_known a ix s) eqn:O; [|discriminate E]. unfold owner_known in O.
    run_vc f_handle_smmu_write. rewrite mask16, mask12.
    assert (RO : in_range U64 (a mod 65536) = true)
      by (apply in_range_iff; pose proof (Z.mod_pos_bound a 65536 ltac:(lia)); cbn [modulus]; lia).
    set (off := a mod 65536) in *. unfold store_policy in E.
    do 4 (split; [now apply in_range_iff|]).
    (* whole registers *)
    destruct (access_ok off len) eqn:A; unfold access_ok in A; swap 1 2.
    { injection E as <-. destruct (len =? 4) eqn:L4; [|destruct (len =? 8) eqn:L8]; cbn [orb andb negb] in A |- *;
        try (boolprop; split; [lia|]; rewrite (proj2 (Z.eqb_neq _ _) A); cbn [negb]); aux_call; reflexivity. }
    apply andb_true_iff in A as [A1 A2].
    assert (G : forall (Q R : Prop), (len <> 0 -> R) ->
      (if negb (len =? 4) then if negb (len =? 8) then Q else len <> 0 /\ R else len <> 0 /\ R)).
    { intros Q R X. destruct (len =? 4) eqn:L4; [|destruct (len =? 8) eqn:L8]; cbn [orb negb] in A1 |- *;
        boolprop; try discriminate; split; try lia; apply X; lia. }
    rewrite A2. cbn [negb]. apply G. clear G. intros T.
    destruct (off <? 32768) eqn:HF; cbv zeta in E.
    - aux_call. rewrite (global_call hsr off len ix m) by assumption. cbv beta iota.
      change (bank_owner (c_val (st_smmu s)) (bank_number ((off - 4096) / 4) ix)) with (owner_at ((off - 4096) / 4) ix s) in E.
      rewrite global_not_replaced in E.
      pose proof (global_not_replaced (owner_at ((off - 4096) / 4) ix s) off len (host_word (dabt_rd hsr) m)) as NR.
      change REPLACE with 2 in NR. change REFUSE with 0 in E. rewrite NR.
      destruct (smmu_global_policy _ _ _ _ =? 0).
      + injection E as <-. aux_call. reflexivity.
      + aux_call. rewrite (write_call hsr a len 0 0 m) by (assumption || reflexivity). cbn [Z.eqb]. now apply store_ends.
    - aux_call. rewrite (cb_call off len) by assumption. cbv beta iota.
      change REPLACE with 2 in E. change REFUSE with 0 in E.
      destruct (smmu_cb_policy off len =? 0).
      { injection E as <-. aux_call. reflexivity. }
      destruct (smmu_cb_policy off len =? 2).
      + unfold replacement in E. cbv zeta in E.
        destruct (off mod 4096 =? 0);
          [aux_call; rewrite (write_call hsr a len 97 1 m) by (assumption || reflexivity); now apply store_ends|].
        destruct (off mod 4096 =? 48);
          [aux_call; rewrite (write_call hsr a len 2147628376 1 m) by (assumption || reflexivity); now apply store_ends|].
        aux_call. rewrite cbndx_call by assumption. cbv beta iota. aux_call. rewrite ttbr_call by assumption. cbv beta iota.
        assert (B : 0 <= smmu_ttbr ix (cb_of off) < 4294967296).
        { apply ttbr_range; [apply Z.mod_pos_bound; lia|]. apply in_range_iff in R4. apply Z.ltb_lt in I. lia. }
        destruct (off mod 4096 =? 36).
        * split; [cbn; lia|]. rewrite Z.shiftr_div_pow2 by lia. change (2 ^ 32) with 4294967296.
          aux_call. rewrite (write_call hsr a len _ 1 m);
            [now apply store_ends | assumption | assumption | assumption | | reflexivity | assumption].
          apply in_range_iff. rewrite Z.div_small by lia. cbn. lia.
        * aux_call. rewrite (write_call hsr a len _ 1 m);
            [now apply store_ends | assumption | assumption | assumption | | reflexivity | assumption].
          apply in_range_iff. cbn [modulus]. lia.
      + aux_call. rewrite (write_call hsr a len 0 0 m) by (assumption || reflexivity). cbn [Z.eqb]. now apply store_ends.
  Qed.

  Lemma handle_smmu_read_code : fun_ok (@U N M P) f_handle_smmu_read handle_smmu_read_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. apply p3_inv in E as (hsr & a & len & -> & R1 & R2 & R3 & E).
    run_vc f_handle_smmu_read. rewrite mask16. set (off := a mod 65536) in *.
    do 3 (split; [now apply in_range_iff|]).
    destruct (access_ok off len) eqn:A; unfold access_ok in A.
    - apply andb_true_iff in A as [A1 A2]. rewrite A2. cbn [negb].
      assert (X : match __handle_smmu_read_spec [hsr; a; len] s with
                  | Some (Ok _ s') => r = Ok 0 s' | Some (Halt s') => r = Halt s' | None => False end).
      { destruct (__handle_smmu_read_spec [hsr; a; len] s) as [[v s'|s']|]; cbn [chk] in E; [|now injection E|discriminate E].
        destruct (v =? 0); [now injection E | discriminate E]. }
      destruct (len =? 4) eqn:L4; [|destruct (len =? 8) eqn:L8]; cbn [orb negb] in A1 |- *; try discriminate A1;
        (split; [boolprop; lia|]); aux_call; exact X.
    - injection E as <-. destruct (len =? 4) eqn:L4; [|destruct (len =? 8) eqn:L8]; cbn [orb andb negb] in A |- *;
        try (boolprop; split; [lia|]; rewrite (proj2 (Z.eqb_neq _ _) A); cbn [negb]); aux_call; reflexivity.
  Qed.
End Code.
