(* SPDX-License-Identifier: Apache-2.0 *)
(** The bottom primitives on VMs pass through every change of view, and through a change
    of representation of the tables and of the page metadata.  Rests on [ViewPass]; used
    where the primitives of all layers are passed up. *)
From SeKVM.machine Require Import VmViewTac RelTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Changes of view *)

Section VmView.
  Context {F G : Type -> Type} {VF : View F} {VG : View G} {N M P : Type}.
  Context (RF : view_relation F G) (C : view_compat RF).
  Notation R := (@R_view F G N M P RF).

  Lemma set_core_rel (s : St F N M P) (t : St G N M P) f g :
    views_rel RF s t -> RF (cpu_id (st_cpu s)) _ f g -> @views_rel F G N M P RF (set_core f s) (set_core g t).
  Proof. intros [V1 V2 V3 V4 V5 V6 D5 D6 V7 V8 V9 V10 V11 V12] Y. constructor; auto. Qed.

  Lemma vms_lookup_rel (s : St F N M P) (t : St G N M P) i f :
    views_rel RF s t -> st_vms s !! i = Some f ->
    exists g, st_vms t !! i = Some g /\ RF (cpu_id (st_cpu s)) _ f g.
  Proof. intros V E. pose proof (vr_vms _ _ _ V i) as W. rewrite E in W. inversion W; subst. eauto. Qed.

  Lemma set_vms_rel (s : St F N M P) (t : St G N M P) i f0 f g :
    views_rel RF s t -> st_vms s !! i = Some f0 -> RF (cpu_id (st_cpu s)) _ f g ->
    @views_rel F G N M P RF (set_vms (<[i := f]> (st_vms s)) s) (set_vms (<[i := g]> (st_vms t)) t).
  Proof.
    intros [V1 V2 V3 V4 V5 V6 D5 D6 V7 V8 V9 V10 V11 V12] E Y.
    constructor; auto; [now apply option_Forall2_insert | exact (valid_insert _ _ _ _ E D6)].
  Qed.

  Lemma core_get_rel t f : prim_rel R (core_get t f) (core_get t f).
  Proof.
    intros vs s u r V E. unfold core_get, p0 in *. destruct vs; [|discriminate].
    destruct (C _ _ _ _ (vr_core _ _ _ V)) as (O & Z0). rewrite <- O.
    destruct (own (st_core s)); [|discriminate]. destruct (Z0 eq_refl) as (W & _). rewrite <- W.
    unfold chk in *. destruct (in_range t _); [|discriminate].
    injection E as <-. eexists. split; [reflexivity|]. split; auto.
  Qed.

  Lemma core_set_rel t f : prim_rel R (core_set t f) (core_set t f).
  Proof.
    intros vs s u r V E. unfold core_set, p1 in *. destruct vs as [|w [|]]; try discriminate.
    destruct (in_range t w); [|discriminate].
    destruct (C _ _ _ _ (vr_core _ _ _ V)) as (O & Z0). rewrite <- O.
    destruct (own (st_core s)); [|discriminate]. destruct (Z0 eq_refl) as (W & S). rewrite <- W. cbn in E. injection E as <-.
    eexists. split; [reflexivity|]. split; [reflexivity|]. now apply set_core_rel.
  Qed.

  Lemma vm_get_rel t f : prim_rel R (vm_get t f) (vm_get t f).
  Proof.
    intros vs s u r V E. unfold vm_get, p1 in *. destruct vs as [|vm [|]]; try discriminate.
    destruct (in_range U32 vm); [|discriminate].
    destruct (st_vms s !! vm) as [x|] eqn:A; [|discriminate].
    destruct (vms_lookup_rel _ _ _ _ V A) as (g & -> & Y).
    destruct (C _ _ _ _ Y) as (O & Z0). rewrite <- O.
    destruct (own x); [|discriminate]. destruct (Z0 eq_refl) as (W & _). rewrite <- W.
    unfold chk in *. destruct (in_range t _); [|discriminate].
    injection E as <-. eexists. split; [reflexivity|]. split; auto.
  Qed.

  Lemma vm_set_rel t f : prim_rel R (vm_set t f) (vm_set t f).
  Proof.
    intros vs s u r V E. unfold vm_set, p2 in *. destruct vs as [|vm [|w [|]]]; try discriminate.
    destruct (in_range U32 vm); [|discriminate]. destruct (in_range t w); [|discriminate].
    destruct (st_vms s !! vm) as [x|] eqn:A; [|discriminate].
    destruct (vms_lookup_rel _ _ _ _ V A) as (g & -> & Y).
    destruct (C _ _ _ _ Y) as (O & Z0). rewrite <- O.
    destruct (own x); [|discriminate]. destruct (Z0 eq_refl) as (W & S). rewrite <- W. cbn in E. injection E as <-.
    eexists. split; [reflexivity|]. split; [reflexivity|]. eapply set_vms_rel; eauto.
  Qed.

  Lemma vm_get_at_rel n t f : prim_rel R (vm_get_at n t f) (vm_get_at n t f).
  Proof.
    intros vs s u r V E. unfold vm_get_at, p2 in *. destruct vs as [|vm [|i [|]]]; try discriminate.
    destruct (in_range U32 vm); [|discriminate]. destruct (in_range U32 i); [|discriminate].
    destruct (st_vms s !! vm) as [x|] eqn:A; [|discriminate].
    destruct (vms_lookup_rel _ _ _ _ V A) as (g & -> & Y).
    destruct (C _ _ _ _ Y) as (O & Z0). rewrite <- O.
    destruct (own x); [|discriminate]. destruct (Z0 eq_refl) as (W & _). rewrite <- W. destruct (below n i); [|discriminate].
    unfold chk in *. destruct (in_range t _); [|discriminate].
    injection E as <-. eexists. split; [reflexivity|]. split; auto.
  Qed.

  Lemma vm_set_at_rel n t f : prim_rel R (vm_set_at n t f) (vm_set_at n t f).
  Proof.
    intros vs s u r V E. unfold vm_set_at, p3 in *. destruct vs as [|vm [|i [|w [|]]]]; try discriminate.
    destruct (in_range U32 vm); [|discriminate]. destruct (in_range U32 i); [|discriminate].
    destruct (in_range t w); [|discriminate].
    destruct (st_vms s !! vm) as [x|] eqn:A; [|discriminate].
    destruct (vms_lookup_rel _ _ _ _ V A) as (g & -> & Y).
    destruct (C _ _ _ _ Y) as (O & Z0). rewrite <- O.
    destruct (own x); [|discriminate]. destruct (Z0 eq_refl) as (W & S). rewrite <- W. destruct (below n i); [|discriminate].
    cbn in E. injection E as <-.
    eexists. split; [reflexivity|]. split; [reflexivity|]. eapply set_vms_rel; eauto.
  Qed.

  Lemma core_view_rel : tbl_rel R T_core T_core.
  Proof. repeat constructor; first [apply core_get_rel | apply core_set_rel]. Qed.

  Lemma vminfo_view_rel : tbl_rel R T_vminfo T_vminfo.
  Proof. repeat constructor; first [apply vm_get_rel | apply vm_set_rel | apply vm_get_at_rel | apply vm_set_at_rel]. Qed.

  (** The record only says whether its lock is held. *)
  Lemma handover_rel (f : Z -> cell regfile -> cell regfile) (h : bool -> bool) :
    prim_rel R
      (p2 None U32 U32 (fun vm i s =>
        some c := st_vms s !! vm; rely own c; rely below MAX_VCPU i;
        some x := st_ctxts s !! ctxt_id vm i; rely h (c_held x);
        ret 0 (set_ctxts (<[ctxt_id vm i := f (cpu_id (st_cpu s)) x]> (st_ctxts s)) s)))
      (p2 None U32 U32 (fun vm i s =>
        some c := st_vms s !! vm; rely own c; rely below MAX_VCPU i;
        some x := st_ctxts s !! ctxt_id vm i; rely h (c_held x);
        ret 0 (set_ctxts (<[ctxt_id vm i := f (cpu_id (st_cpu s)) x]> (st_ctxts s)) s))).
  Proof.
    intros vs s u r V E. unfold p2 in *. destruct vs as [|vm [|i [|]]]; try discriminate.
    destruct (in_range U32 vm); [|discriminate]. destruct (in_range U32 i); [|discriminate].
    destruct (st_vms s !! vm) as [x|] eqn:A; [|discriminate].
    destruct (vms_lookup_rel _ _ _ _ V A) as (g & -> & Y).
    destruct (C _ _ _ _ Y) as (O & _). rewrite <- O, <- (vr_ctxts _ _ _ V), <- (vr_cpu _ _ _ V).
    destruct (own x); [|discriminate]. destruct (below _ i); [|discriminate].
    destruct (st_ctxts s !! _) as [y|]; [|discriminate]. destruct (h (c_held y)); [|discriminate].
    cbn in E |- *. injection E as <-. eexists. split; [reflexivity|]. split; [reflexivity|].
    destruct V. constructor; auto.
  Qed.

  Lemma vmctxt_view_rel : tbl_rel R T_vmctxt T_vmctxt.
  Proof.
    apply Forall2_cons_2; [split; [reflexivity|]|].
    { exact (handover_rel (fun _ => acquire_cell) negb). }
    apply Forall2_cons_2; [split; [reflexivity|]|].
    { exact (handover_rel release_cell (fun b => b)). }
    plain_tbl_tac.
  Qed.

  Lemma image_view_rel : tbl_rel R T_image T_image.
  Proof. plain_tbl_tac. Qed.

  Theorem vm_view_rel : tbl_rel R T_vm T_vm.
  Proof.
    unfold T_vm. apply tbl_rel_app; [apply core_view_rel|]. apply tbl_rel_app; [apply vminfo_view_rel|].
    apply tbl_rel_app; [apply vmctxt_view_rel | apply image_view_rel].
  Qed.
End VmView.

(** * Changes of representation *)

Lemma vm_natural_npts {N N' M P} : @natural_tbl (St cell N M P) (St cell N' M P) _ _ st_npts set_npts T_vm T_vm.
Proof. natural_tbl_tac. Qed.

Lemma vm_natural_spt {N M M' P} : @natural_tbl (St cell N M P) (St cell N M' P) _ _ st_spt set_spt T_vm T_vm.
Proof. natural_tbl_tac. Qed.

Lemma vm_natural_s2 {N M P P'} : @natural_tbl (St cell N M P) (St cell N M P') _ _ st_s2 set_s2 T_vm T_vm.
Proof. natural_tbl_tac. Qed.
