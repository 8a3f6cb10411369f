(* SPDX-License-Identifier: Apache-2.0 *)
(** The primitives on objects pass through every change of view: they ask only
    whether the object is accessible, read it and write it.  Rests on [LockView] and
    [Bottom]; used by layers 1 to 4. *)
From SeKVM.lib Require Import Layer.
From SeKVM.machine Require Export LockView Tickets BottomTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** Code that meets a specification on its own state, and that specification related to
    a higher one. *)
Lemma fun_sim_spec {Sh Sl} (R : srel Sh Sl) Lo fn (p : prim Sh) (q : prim Sl) :
  fun_ok Lo fn q -> prim_rel R p q -> fun_sim R Lo fn p.
Proof.
  intros O Q vs s t r E Z. destruct (Q vs s t r E Z) as (r' & Z' & G). exists r'. split; [exact (O _ _ _ Z') | exact G].
Qed.

(** A run of a function by its verification condition. *)
Lemma exec_fun_vc {S} (L : tbl S) fn vs s r :
  bind_vc (fn_temps fn) (fn_params fn) vs (fun e => vc L (fn_body fn)
    (post (fn_ret fn) (fun v s' => r = Ok v s') (fun s' => r = Halt s')) e s) ->
  exec_fun (graph L) fn vs s r.
Proof.
  intros X. eapply bind_vc_weaken in X; [|intros e; apply vc_wp].
  apply fun_wp in X as ([v t|t] & Y & ->); exact Y.
Qed.

(** Related views agree on what a primitive can see of an accessible object, and stay
    related when it writes. *)
Definition view_compat {F G} {VF : View F} {VG : View G} (RF : view_relation F G) : Prop :=
  forall me X (f : F X) (g : G X), RF me X f g ->
  own f = own g /\ (own f = true -> value f = value g /\ (forall x, RF me X (store x f) (store x g))).

Section ViewPass.
  Context {F G : Type -> Type} {VF : View F} {VG : View G} {N M P : Type}.
  Context (RF : view_relation F G) (C : view_compat RF).

  Lemma npts_lookup_rel (s : St F N M P) (t : St G N M P) i f :
    views_rel RF s t -> st_npts s !! i = Some f ->
    exists g, st_npts t !! i = Some g /\ RF (cpu_id (st_cpu s)) _ f g.
  Proof. intros V E. pose proof (vr_npts _ _ _ V i) as W. rewrite E in W. inversion W; subst. eauto. Qed.

  Lemma set_npts_rel (s : St F N M P) (t : St G N M P) i f0 f g :
    views_rel RF s t -> st_npts s !! i = Some f0 -> RF (cpu_id (st_cpu s)) _ f g ->
    @views_rel F G N M P RF (set_npts (<[i := f]> (st_npts s)) s) (set_npts (<[i := g]> (st_npts t)) t).
  Proof.
    intros [V1 V2 V3 V4 V5 V6 D5 D6 V7 V8 V9 V10 V11 V12] E Y.
    constructor; auto; [now apply option_Forall2_insert | exact (valid_insert _ _ _ _ E D5)].
  Qed.

  Lemma set_spt_rel (s : St F N M P) (t : St G N M P) f g :
    views_rel RF s t -> RF (cpu_id (st_cpu s)) _ f g ->
    @views_rel F G N M P RF (set_spt f s) (set_spt g t).
  Proof. intros [V1 V2 V3 V4 V5 V6 D5 D6 V7 V8 V9 V10 V11 V12] Y. constructor; auto. Qed.
End ViewPass.

Section Stage2.
  Context {F G : Type -> Type} {VF : View F} {VG : View G} {M P : Type}.
  Context (RF : view_relation F G) (C : view_compat RF).
  Notation R := (@R_view F G npt M P RF).

  Lemma npt_get_rel h : prim_rel R (npt_get h) (npt_get h).
  Proof.
    intros vs s t r V E. unfold npt_get, p1 in *. destruct vs as [|vm [|]]; try discriminate.
    destruct (in_range U32 vm); [|discriminate].
    destruct (st_npts s !! vm) as [f|] eqn:A; [|discriminate].
    destruct (npts_lookup_rel RF _ _ _ _ V A) as (g & -> & Y).
    destruct (C _ _ _ _ Y) as (O & Z0). rewrite <- O.
    destruct (own f); [|discriminate]. destruct (Z0 eq_refl) as (W & _). rewrite <- W. unfold chk in *. destruct (in_range U64 _); [|discriminate].
    injection E as <-. eexists. split; [reflexivity|]. split; auto.
  Qed.

  Lemma npt_set_rel h : prim_rel R (npt_set h) (npt_set h).
  Proof.
    intros vs s t r V E. unfold npt_set, p2 in *. destruct vs as [|vm [|w [|]]]; try discriminate.
    destruct (in_range U32 vm); [|discriminate]. destruct (in_range U64 w); [|discriminate].
    destruct (st_npts s !! vm) as [f|] eqn:A; [|discriminate].
    destruct (npts_lookup_rel RF _ _ _ _ V A) as (g & -> & Y).
    destruct (C _ _ _ _ Y) as (O & Z0). rewrite <- O.
    destruct (own f); [|discriminate]. destruct (Z0 eq_refl) as (W & S). rewrite <- W. cbn in E. injection E as <-.
    eexists. split; [reflexivity|]. split; [reflexivity|]. eapply set_npts_rel; eauto.
  Qed.

  Lemma pt_load_rel : prim_rel R pt_load pt_load.
  Proof.
    intros vs s t r V E. unfold pt_load, p2 in *. destruct vs as [|vm [|a [|]]]; try discriminate.
    destruct (in_range U32 vm); [|discriminate]. destruct (in_range U64 a); [|discriminate].
    destruct (st_npts s !! vm) as [f|] eqn:A; [|discriminate].
    destruct (npts_lookup_rel RF _ _ _ _ V A) as (g & -> & Y).
    destruct (C _ _ _ _ Y) as (O & Z0). rewrite <- O.
    destruct (own f); [|discriminate]. destruct (Z0 eq_refl) as (W & _). rewrite <- W. destruct (in_pool vm a); [|discriminate].
    unfold chk in *. destruct (in_range U64 _); [|discriminate].
    injection E as <-. eexists. split; [reflexivity|]. split; auto.
  Qed.

  Lemma pt_store_rel : prim_rel R pt_store pt_store.
  Proof.
    intros vs s t r V E. unfold pt_store, p3 in *. destruct vs as [|vm [|a [|w [|]]]]; try discriminate.
    destruct (in_range U32 vm); [|discriminate]. destruct (in_range U64 a); [|discriminate].
    destruct (in_range U64 w); [|discriminate].
    destruct (st_npts s !! vm) as [f|] eqn:A; [|discriminate].
    destruct (npts_lookup_rel RF _ _ _ _ V A) as (g & -> & Y).
    destruct (C _ _ _ _ Y) as (O & Z0). rewrite <- O.
    destruct (own f); [|discriminate]. destruct (Z0 eq_refl) as (W & S). rewrite <- W. destruct (in_pool vm a); [|discriminate].
    cbn in E. injection E as <-.
    eexists. split; [reflexivity|]. split; [reflexivity|]. eapply set_npts_rel; eauto.
  Qed.

  Lemma bump_view_rel : tbl_rel R T_bump T_bump.
  Proof. repeat constructor; first [apply npt_get_rel | apply npt_set_rel]. Qed.

  Lemma ptmem_view_rel : tbl_rel R T_ptmem T_ptmem.
  Proof. repeat constructor; [apply pt_load_rel | apply pt_store_rel]. Qed.
End Stage2.

Section Smmu.
  Context {F G : Type -> Type} {VF : View F} {VG : View G} {N P : Type}.
  Context (RF : view_relation F G) (C : view_compat RF).
  Notation R := (@R_view F G N sptab P RF).

  Lemma spt_get_rel h : prim_rel R (spt_get h) (spt_get h).
  Proof.
    intros vs s t r V E. unfold spt_get, p0 in *. destruct vs; [|discriminate].
    destruct (C _ _ _ _ (vr_spt _ _ _ V)) as (O & Z0). rewrite <- O.
    destruct (own (st_spt s)); [|discriminate]. destruct (Z0 eq_refl) as (W & _). rewrite <- W. unfold chk in *. destruct (in_range U64 _); [|discriminate].
    injection E as <-. eexists. split; [reflexivity|]. split; auto.
  Qed.

  Lemma spt_set_rel h : prim_rel R (spt_set h) (spt_set h).
  Proof.
    intros vs s t r V E. unfold spt_set, p1 in *. destruct vs as [|w [|]]; try discriminate.
    destruct (in_range U64 w); [|discriminate].
    destruct (C _ _ _ _ (vr_spt _ _ _ V)) as (O & Z0). rewrite <- O.
    destruct (own (st_spt s)); [|discriminate]. destruct (Z0 eq_refl) as (W & S). rewrite <- W. cbn in E. injection E as <-.
    eexists. split; [reflexivity|]. split; [reflexivity|]. now apply set_spt_rel.
  Qed.

  Lemma smmu_pt_load_rel : prim_rel R smmu_pt_load smmu_pt_load.
  Proof.
    intros vs s t r V E. unfold smmu_pt_load, p1 in *. destruct vs as [|a [|]]; try discriminate.
    destruct (in_range U64 a); [|discriminate].
    destruct (C _ _ _ _ (vr_spt _ _ _ V)) as (O & Z0). rewrite <- O.
    destruct (own (st_spt s)); [|discriminate]. destruct (Z0 eq_refl) as (W & _). rewrite <- W. destruct (in_smmu_pool a); [|discriminate].
    unfold chk in *. destruct (in_range U64 _); [|discriminate].
    injection E as <-. eexists. split; [reflexivity|]. split; auto.
  Qed.

  Lemma smmu_pt_store_rel : prim_rel R smmu_pt_store smmu_pt_store.
  Proof.
    intros vs s t r V E. unfold smmu_pt_store, p2 in *. destruct vs as [|a [|w [|]]]; try discriminate.
    destruct (in_range U64 a); [|discriminate]. destruct (in_range U64 w); [|discriminate].
    destruct (C _ _ _ _ (vr_spt _ _ _ V)) as (O & Z0). rewrite <- O.
    destruct (own (st_spt s)); [|discriminate]. destruct (Z0 eq_refl) as (W & S). rewrite <- W. destruct (in_smmu_pool a); [|discriminate].
    cbn in E. injection E as <-.
    eexists. split; [reflexivity|]. split; [reflexivity|]. now apply set_spt_rel.
  Qed.

  Lemma smmu_bump_view_rel : tbl_rel R T_smmu_bump T_smmu_bump.
  Proof. repeat constructor; first [apply spt_get_rel | apply spt_set_rel]. Qed.

  Lemma smmu_ptmem_view_rel : tbl_rel R T_smmu_ptmem T_smmu_ptmem.
  Proof. repeat constructor; [apply smmu_pt_load_rel | apply smmu_pt_store_rel]. Qed.
End Smmu.

(** A primitive that looks at no object, and at outputs only to add to them. *)
Section Control.
  Context {F G : Type -> Type} {N M P : Type}.
  Context (RF : view_relation F G).
  Notation R := (@R_view F G N M P RF).

  Lemma add_out_rel (e : out_event) s t :
    views_rel RF s t -> @views_rel F G N M P RF (set_outs (e :: st_outs s) s) (set_outs (e :: st_outs t) t).
  Proof.
    intros [V1 V2 V3 V4 V5 V6 D5 D6 V7 V8 V9 V10 V11 V12]. constructor; auto. cbn. now rewrite V12.
  Qed.

  Lemma ctl_view_rel : tbl_rel R T_ctl T_ctl.
  Proof.
    repeat constructor.
    - intros vs s t r V. unfold panic, p0. destruct vs; [|discriminate]. cbn. intros [= <-].
      eexists. split; [reflexivity | exact V].
    - intros vs s t r V. unfold tlb_flush, p2. destruct vs as [|vm [|a [|]]]; try discriminate.
      cbn [snd]. destruct (in_range U32 vm), (in_range U64 a); try discriminate. intros [= <-].
      eexists. split; [reflexivity|]. split; [reflexivity | now apply add_out_rel].
    - intros vs s t r V. unfold smmu_tlb_flush, p3. destruct vs as [|x [|y [|z [|]]]]; try discriminate.
      cbn [snd]. destruct (in_range U32 x), (in_range U32 y), (in_range U64 z); try discriminate. intros [= <-].
      eexists. split; [reflexivity|]. split; [reflexivity | now apply add_out_rel].
    - intros vs s t r V. unfold get_pt_vttbr, p1. destruct vs as [|vm [|]]; try discriminate.
      cbn [snd]. destruct (in_range U32 vm); [|discriminate]. destruct (is_vmid vm); [|discriminate].
      unfold chk. destruct (in_range U64 _); [|discriminate]. intros [= <-].
      eexists. split; [reflexivity|]. split; auto.
    - intros vs s t r V. unfold get_smmu_cfg_hw_ttbr, p2. destruct vs as [|x [|y [|]]]; try discriminate.
      cbn [snd]. destruct (in_range U32 x), (in_range U32 y); try discriminate.
      destruct ((y <? 2) && (x <? 8)); [|discriminate].
      unfold chk. destruct (in_range U64 _); [|discriminate]. intros [= <-].
      eexists. split; [reflexivity|]. split; auto.
  Qed.
End Control.

(** Handing objects over is the same at every view. *)
Definition pull_compat {F G} {WF : PullView F} {WG : PullView G} (RF : view_relation F G) : Prop :=
  forall me X (f : F X) (g : G X), RF me X f g ->
  (forall b, RF me X (set_own b f) (set_own b g)) /\ (forall e, RF me X (add_log e f) (add_log e g)).

Lemma pull_view_rel {F G} {VF : View F} {VG : View G} {WF : PullView F} {WG : PullView G} {N M P}
      (RF : view_relation F G) :
  view_compat RF -> pull_compat RF -> tbl_rel (@R_view F G N M P RF) T_pull T_pull.
Proof.
  intros C D. repeat constructor; apply lock_prim_rel; intros me X f g v f' Y E.
  - unfold pull_op in *. destruct (C _ _ _ _ Y) as (O & _). rewrite <- O. destruct (own f); [discriminate|].
    injection E as <- <-. eexists. split; [reflexivity|]. now apply D.
  - unfold push_op in *. destruct (C _ _ _ _ Y) as (O & Z0). rewrite <- O.
    destruct (own f); [|discriminate]. destruct (Z0 eq_refl) as (W & _). rewrite <- W. injection E as <- <-. eexists. split; [reflexivity|].
    apply D. now apply D.
Qed.

(** All that layers 1 to 3 pass through. *)
Lemma objects_view_rel {F G} {VF : View F} {VG : View G} {WF : PullView F} {WG : PullView G} {P}
      (RF : view_relation F G) :
  view_compat RF -> pull_compat RF -> tbl_rel (@R_view F G npt sptab P RF) T_objects T_objects.
Proof.
  intros C D. unfold T_objects.
  apply tbl_rel_app; [now apply pull_view_rel|]. apply tbl_rel_app; [apply ctl_view_rel|].
  apply tbl_rel_app; [now apply ptmem_view_rel|]. apply tbl_rel_app; [now apply bump_view_rel|].
  apply tbl_rel_app; [now apply smmu_ptmem_view_rel | now apply smmu_bump_view_rel].
Qed.
