(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 24, MmioCore: what the policies guarantee, for every place, size and word.  A
    store that is not refused leaves each 4-byte register that it covers with a word
    that is allowed there: translation cannot be bypassed, the table base and the way
    tables are read are KCore's, a bank has its owner's VMID.  Rests on [Spec]; used by
    the statement about all outputs in MmioOps. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import VcTac.
From SeKVM.layers.MmioCore Require Import Spec.
Local Open Scope Z_scope.

Definition high_word (v : Z) : Z := (v / 4294967296) mod 4294967296.

(** The registers that a store of [len] bytes at [off] covers, and what they become. *)
Definition covers (off len v : Z) : list (Z * Z) :=
  if len =? 8 then [(off, low_word v); (off + 4, high_word v)] else [(off, low_word v)].

(** The words [w] that register [r] of SMMU [ix] may hold after a store of the host. *)
Definition reg_ok (owners : gmap Z Z) (ix r w : Z) : bool :=
  if r <? 32768 then
    if r =? 0 then scr0_ok w
    else if r =? 8 then scr2_ok w
    else if r <? 1024 then true
    else if (4096 <=? r) && (r <? 4128) then cbar_ok (bank_owner owners (bank_number ((r - 4096) / 4) ix)) w
    else false
  else
    let reg := r mod 4096 in
    if reg =? 0 then w =? SMMU_SCTLR
    else if reg =? 48 then w =? SMMU_TCR
    else if reg =? 32 then w =? low_word (smmu_ttbr ix (cb_of r))
    else if reg =? 36 then w =? high_word (smmu_ttbr ix (cb_of r))
    else negb (reg =? 52).

(** Masks of 32 bits see only the low word. *)
Lemma land_low d m : 0 <= m < 4294967296 -> Z.land (low_word d) m = Z.land d m.
Proof.
  intros M. unfold low_word. change 4294967296 with (2 ^ 32) in *. rewrite <- (Z.land_ones d 32) by lia.
  rewrite <- Z.land_assoc. f_equal. rewrite Z.land_comm, Z.land_ones by lia. now apply Z.mod_small.
Qed.

Lemma scr0_low d : scr0_ok (low_word d) = scr0_ok d.
Proof. unfold scr0_ok. now rewrite land_low by lia. Qed.
Lemma scr2_low d : scr2_ok (low_word d) = scr2_ok d.
Proof. unfold scr2_ok. now rewrite land_low by lia. Qed.
Lemma cbar_low w d : cbar_ok w (low_word d) = cbar_ok w d.
Proof. unfold cbar_ok. now rewrite !land_low by lia. Qed.

(** Whole registers of a bank's page stay in the page. *)
Lemma bank_low off : 0 <= off -> off mod 8 = 0 ->
  (off + 4) mod 4096 = off mod 4096 + 4 /\ cb_of (off + 4) = cb_of off /\ (off mod 4096) mod 8 = 0.
Proof.
  intros P A. assert (D : (off + 4) / 4096 = off / 4096) by (Z.div_mod_to_equations; lia).
  unfold cb_of. rewrite D. split; [|split; [reflexivity|]]; Z.div_mod_to_equations; lia.
Qed.

(** The policies register by register. *)
Lemma global_ok owners ix off len d :
  (len = 4 /\ off mod 4 = 0 \/ len = 8 /\ off mod 8 = 0) -> 0 <= off < 32768 ->
  smmu_global_policy (bank_owner owners (bank_number ((off - 4096) / 4) ix)) off len d = PASS ->
  Forall (fun p => reg_ok owners ix (fst p) (snd p) = true) (covers off len d).
Proof.
  intros A B. unfold smmu_global_policy.
  assert (H : reg_ok owners ix off (low_word d) =
    if off =? 0 then scr0_ok d else if off =? 8 then scr2_ok d else if off <? 1024 then true
    else if (4096 <=? off) && (off <? 4128) then cbar_ok (bank_owner owners (bank_number ((off - 4096) / 4) ix)) d
    else false).
  { unfold reg_ok. replace (off <? 32768) with true by (symmetry; apply Z.ltb_lt; lia).
    now rewrite scr0_low, scr2_low, cbar_low. }
  destruct A as [[-> A]|[-> A]].
  - change (4 =? 4) with true. cbn [andb]. intros E. change (covers off 4 d) with [(off, low_word d)].
    constructor; [|constructor]. cbn [fst snd]. rewrite H. revert E. unfold PASS, REFUSE.
    repeat match goal with |- context [if ?b then _ else _] => destruct b end; reflexivity || discriminate.
  - change (8 =? 4) with false. cbn [andb]. intros E. change (covers off 8 d) with [(off, low_word d); (off + 4, high_word d)].
    destruct (Z.eqb_spec off 0); [discriminate E|]. destruct (Z.eqb_spec off 8); [discriminate E|].
    destruct (Z.ltb_spec off 1024); [|destruct ((4096 <=? off) && (off <? 4128)); discriminate E].
    constructor; [exact H|]. constructor; [|constructor]. cbn [fst snd]. unfold reg_ok.
    assert (off + 4 <> 8 /\ off + 4 < 1024) as [N1 N2] by (Z.div_mod_to_equations; lia).
    replace (off + 4 <? 32768) with true by (symmetry; apply Z.ltb_lt; lia).
    replace (off + 4 =? 0) with false by (symmetry; apply Z.eqb_neq; lia).
    replace (off + 4 =? 8) with false by (symmetry; apply Z.eqb_neq; lia).
    now replace (off + 4 <? 1024) with true by (symmetry; apply Z.ltb_lt; lia).
Qed.

(** What KCore's value leaves in the registers of a bank's page. *)
Definition bank_reg_ok (ix cb reg w : Z) : bool :=
  if reg =? 0 then w =? SMMU_SCTLR
  else if reg =? 48 then w =? SMMU_TCR
  else if reg =? 32 then w =? low_word (smmu_ttbr ix cb)
  else if reg =? 36 then w =? high_word (smmu_ttbr ix cb)
  else negb (reg =? 52).

Lemma reg_ok_bank owners ix r w : 32768 <= r -> reg_ok owners ix r w = bank_reg_ok ix (cb_of r) (r mod 4096) w.
Proof. intros R. unfold reg_ok. now replace (r <? 32768) with false by (symmetry; apply Z.ltb_ge; lia). Qed.

Lemma bank_ok owners ix off len d v :
  (len = 4 /\ off mod 4 = 0 \/ len = 8 /\ off mod 8 = 0) -> 32768 <= off ->
  smmu_cb_policy off len <> REFUSE ->
  v = (if smmu_cb_policy off len =? REPLACE then replacement ix off else d) ->
  Forall (fun p => reg_ok owners ix (fst p) (snd p) = true) (covers off len v).
Proof.
  intros A B NR ->. unfold smmu_cb_policy, REFUSE, REPLACE, PASS in *. cbv zeta in *.
  destruct A as [[-> A]|[-> A]].
  - unfold covers. change (4 =? 8) with false. cbv iota. constructor; [|constructor]. cbn [fst snd].
    rewrite reg_ok_bank by lia. change (4 =? 4) with true in *. unfold bank_reg_ok, replacement. cbv zeta.
    destruct (Z.eqb_spec (off mod 4096) 32) as [->|N32]; [apply Z.eqb_refl|].
    destruct (Z.eqb_spec (off mod 4096) 36) as [->|N36]; [apply Z.eqb_refl|]. cbn [orb] in *.
    destruct (Z.eqb_spec (off mod 4096) 0) as [->|N0]; [reflexivity|].
    destruct (Z.eqb_spec (off mod 4096) 48) as [->|N48]; [reflexivity|]. cbn [orb] in *.
    destruct (off mod 4096 =? 52); [now destruct NR | reflexivity].
  - destruct (bank_low off ltac:(lia) A) as (E1 & E2 & E3).
    unfold covers. change (8 =? 8) with true. cbv iota. constructor; [|constructor; [|constructor]]; cbn [fst snd];
      rewrite reg_ok_bank by lia; rewrite ?E1, ?E2; unfold bank_reg_ok, replacement; cbv zeta;
      change (8 =? 4) with false in *.
    + destruct (Z.eqb_spec (off mod 4096) 32) as [->|N32]; [apply Z.eqb_refl|].
      destruct (Z.eqb_spec (off mod 4096) 36) as [X|N36]; [rewrite X in E3; discriminate E3|]. cbn [orb] in *.
      destruct (Z.eqb_spec (off mod 4096) 0) as [->|N0]; [now destruct NR|].
      destruct (Z.eqb_spec (off mod 4096) 48) as [->|N48]; [now destruct NR|]. cbn [orb] in *.
      destruct (off mod 4096 =? 52); [now destruct NR | reflexivity].
    + remember (off mod 4096) as reg eqn:HR. destruct (Z.eqb_spec reg 32) as [->|N32]; [apply Z.eqb_refl|].
      destruct (Z.eqb_spec reg 36) as [->|N36]; [discriminate E3|]. cbn [orb] in *.
      destruct (Z.eqb_spec reg 0) as [->|N0]; [now destruct NR|].
      destruct (Z.eqb_spec reg 48) as [->|N48]; [now destruct NR|]. cbn [orb] in *.
      assert (reg + 4 <> 0 /\ reg + 4 <> 48 /\ reg + 4 <> 32 /\ reg + 4 <> 36 /\ reg + 4 <> 52) as (M0 & M1 & M2 & M3 & M4).
      { pose proof (Z.mod_pos_bound off 4096 ltac:(lia)). rewrite <- HR in *. Z.div_mod_to_equations. lia. }
      apply Z.eqb_neq in M0, M1, M2, M3, M4. now rewrite M0, M1, M2, M3, M4.
Qed.

Lemma access_ok_sizes off len : access_ok off len = true -> len = 4 /\ off mod 4 = 0 \/ len = 8 /\ off mod 8 = 0.
Proof.
  unfold access_ok. intros H. apply andb_true_iff in H as [L H]. apply Z.eqb_eq in H.
  apply orb_true_iff in L as [L|L]; apply Z.eqb_eq in L; subst len; auto.
Qed.

(** The table of the policy holds for every store that is not refused. *)
Theorem store_policy_ok owners ix off len d v : 0 <= off ->
  store_policy owners ix off len d = Some v ->
  Forall (fun p => reg_ok owners ix (fst p) (snd p) = true) (covers off len v).
Proof.
  intros P. unfold store_policy. destruct (access_ok off len) eqn:A; [|discriminate]. cbv zeta.
  apply access_ok_sizes in A. destruct (Z.ltb_spec off 32768) as [Lt|Ge].
  - set (w := bank_owner owners (bank_number ((off - 4096) / 4) ix)). intros E.
    assert (X : smmu_global_policy w off len d = PASS \/ smmu_global_policy w off len d = REFUSE).
    { unfold smmu_global_policy. repeat match goal with |- context [if ?b then _ else _] => destruct b end; auto. }
    destruct X as [X|X]; rewrite X in E; [|discriminate E]. injection E as <-. now apply global_ok.
  - destruct (smmu_cb_policy off len =? REFUSE) eqn:R; [discriminate|]. intros [= E].
    apply (bank_ok owners ix off len d); auto. now apply Z.eqb_neq.
Qed.

(** A store covers nothing beyond its half of the frame. *)
Theorem store_in_half owners ix off len d v : 0 <= off -> store_policy owners ix off len d = Some v ->
  (off < 32768 -> off + len <= 32768) /\ (off < 65536 -> off + len <= 65536).
Proof.
  intros P. unfold store_policy. destruct (access_ok off len) eqn:A; [|discriminate]. intros _.
  apply access_ok_sizes in A. destruct A as [[-> A]|[-> A]]; Z.div_mod_to_equations; lia.
Qed.

(** What the host needs is open: a store that stays within the limits is done as it is. *)
Theorem open_registers owners ix off d : 16 <= off < 1024 -> off mod 4 = 0 -> store_policy owners ix off 4 d = Some d.
Proof.
  intros B A. unfold store_policy, access_ok. change (4 =? 4) with true. cbn [orb]. rewrite A.
  change ((0 =? 0)) with true. cbn [andb]. cbv zeta.
  replace (off <? 32768) with true by (symmetry; apply Z.ltb_lt; lia). unfold smmu_global_policy.
  replace (off =? 0) with false by (symmetry; apply Z.eqb_neq; lia).
  replace (off =? 8) with false by (symmetry; apply Z.eqb_neq; lia).
  now replace (off <? 1024) with true by (symmetry; apply Z.ltb_lt; lia).
Qed.
Theorem own_attributes owners ix cb d : 0 <= cb < 8 ->
  cbar_ok (bank_owner owners (bank_number cb ix)) d = true -> store_policy owners ix (4096 + 4 * cb) 4 d = Some d.
Proof.
  intros B C. unfold store_policy, access_ok. change (4 =? 4) with true. cbn [orb].
  replace ((4096 + 4 * cb) mod 4 =? 0) with true by (symmetry; apply Z.eqb_eq; Z.div_mod_to_equations; lia).
  cbn [andb]. cbv zeta. replace (4096 + 4 * cb <? 32768) with true by (symmetry; apply Z.ltb_lt; lia).
  replace ((4096 + 4 * cb - 4096) / 4) with cb by (Z.div_mod_to_equations; lia). unfold smmu_global_policy.
  replace (4096 + 4 * cb =? 0) with false by (symmetry; apply Z.eqb_neq; lia).
  replace (4096 + 4 * cb =? 8) with false by (symmetry; apply Z.eqb_neq; lia).
  replace (4096 + 4 * cb <? 1024) with false by (symmetry; apply Z.ltb_ge; lia).
  replace (4096 <=? 4096 + 4 * cb) with true by (symmetry; apply Z.leb_le; lia).
  replace (4096 + 4 * cb <? 4128) with true by (symmetry; apply Z.ltb_lt; lia).
  change (4 =? 4) with true. cbn [andb]. rewrite C. reflexivity.
Qed.
