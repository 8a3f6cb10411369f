(* SPDX-License-Identifier: Apache-2.0 *)
(** The primitives of the SMMUs pass through every change of view of objects and through
    every change of representation of a table: they look at the owners of banks while the
    lock is held, and else only at what belongs to this CPU.  Rests on [BottomMmio]; used
    where the rest of the bottom machine passes through. *)
From SeKVM.machine Require Import BottomMmioTac PassThrough ViewPass.
Local Open Scope Z_scope.

Section View.
  Context {F G : Type -> Type} {VF : View F} {VG : View G} {N M P : Type}.
  Context (RF : view_relation F G) (C : view_compat RF).
  Notation R := (@R_view F G N M P RF).

  Lemma get_smmu_cfg_vmid_rel : prim_rel R get_smmu_cfg_vmid get_smmu_cfg_vmid.
  Proof.
    intros vs s t r V E. unfold get_smmu_cfg_vmid, p2 in *. destruct vs as [|cb [|ix [|]]]; try discriminate.
    destruct (in_range U32 cb); [|discriminate]. destruct (in_range U32 ix); [|discriminate].
    destruct (C _ _ _ _ (vr_smmu _ _ _ V)) as (O & Z0). rewrite <- O.
    destruct (own (st_smmu s)); [|discriminate]. destruct (Z0 eq_refl) as (W & _). rewrite <- W.
    destruct (bank_exists cb ix); [|discriminate]. unfold chk in *. destruct (in_range U32 _); [|discriminate].
    injection E as <-. eexists. split; [reflexivity|]. split; auto.
  Qed.

  Lemma set_smmu_cfg_vmid_rel : prim_rel R set_smmu_cfg_vmid set_smmu_cfg_vmid.
  Proof.
    intros vs s t r V E. unfold set_smmu_cfg_vmid, p3 in *. destruct vs as [|cb [|ix [|w [|]]]]; try discriminate.
    destruct (in_range U32 cb); [|discriminate]. destruct (in_range U32 ix); [|discriminate].
    destruct (in_range U32 w); [|discriminate].
    destruct (C _ _ _ _ (vr_smmu _ _ _ V)) as (O & Z0). rewrite <- O.
    destruct (own (st_smmu s)); [|discriminate]. destruct (Z0 eq_refl) as (W & S). rewrite <- W.
    destruct (bank_exists cb ix); [|discriminate]. cbn in E. injection E as <-.
    eexists. split; [reflexivity|]. split; [reflexivity|].
    destruct V as [V1 V2 V3 V4 V5 V6 D5 D6 V7 V8 V9 V10 V11 V12]. constructor; cbn; auto.
  Qed.

  Lemma mmio_view_rel : tbl_rel R T_mmio T_mmio.
  Proof.
    repeat constructor; first [apply get_smmu_cfg_vmid_rel | apply set_smmu_cfg_vmid_rel | idtac];
      (intros vs s t r V; destruct s, t; destruct V as [V1 V2 V3 V4 V5 V6 D5 D6 V7 V8 V9 V10 V11 V12];
       cbn in V1, V2, V3, V4, V5, V6, D5, D6, V7, V8, V9, V10, V11, V12; subst; prim_unfold; state_norm;
       repeat match goal with
       | |- context [match ?x with _ => _ end] =>
           lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x end
       end; try discriminate; intros [= <-]; eexists; (split; [reflexivity|]); split; [reflexivity|]; constructor; cbn; auto).
  Qed.
End View.

Lemma mmio_natural_npts {N N' M P} : @natural_tbl (St cell N M P) (St cell N' M P) _ _ st_npts set_npts T_mmio T_mmio.
Proof. natural_tbl_tac. Qed.

Lemma mmio_natural_spt {N M M' P} : @natural_tbl (St cell N M P) (St cell N M' P) _ _ st_spt set_spt T_mmio T_mmio.
Proof. natural_tbl_tac. Qed.

Lemma mmio_natural_s2 {N M P P'} : @natural_tbl (St cell N M P) (St cell N M P') _ _ st_s2 set_s2 T_mmio T_mmio.
Proof. natural_tbl_tac. Qed.
