(* SPDX-License-Identifier: Apache-2.0 *)
(** What passes through a change of representation of one component, for every
    relation: the locks, its own included, and the bottom primitives on the other
    components.  Rests on [Rel]; used by the layers that change a representation. *)
From SeKVM.machine Require Export Rel RelTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** ** Locks pass through *)

(** The lock of the component itself. *)
Lemma acquire_npts_rel {N N' M P} (RN : Z -> N -> N' -> Prop) :
  prim_rel (@R_npts N N' M P RN) (acquire_vm_obj st_npts set_npts) (acquire_vm_obj st_npts set_npts).
Proof.
  intros vs s t r (m & -> & X) E. prim_unfold_in E.
  destruct vs as [|vm [|]]; try discriminate. destruct (in_range U32 vm) eqn:Rg; [|discriminate].
  destruct (st_npts s !! vm) as [c|] eqn:C; [|discriminate].
  destruct (npts_rel_lookup RN _ _ _ _ X C) as (d & D & Y).
  destruct (c_held c) eqn:H; [discriminate|]. cbn in E. injection E as <-.
  rewrite (cr_held _ _ _ Y) in H.
  eexists. split; [prim_unfold; state_norm; rewrite Rg, D, H; reflexivity|].
  cbn. split; [reflexivity|]. exists (<[vm := acquire_cell d]> m). split; [reflexivity|].
  apply npts_rel_insert; [exact X | now apply acquire_cell_rel].
Qed.

Lemma release_npts_rel {N N' M P} (RN : Z -> N -> N' -> Prop) :
  prim_rel (@R_npts N N' M P RN) (release_vm_obj st_npts set_npts) (release_vm_obj st_npts set_npts).
Proof.
  intros vs s t r (m & -> & X) E. prim_unfold_in E.
  destruct vs as [|vm [|]]; try discriminate. destruct (in_range U32 vm) eqn:Rg; [|discriminate].
  destruct (st_npts s !! vm) as [c|] eqn:C; [|discriminate].
  destruct (npts_rel_lookup RN _ _ _ _ X C) as (d & D & Y).
  destruct (c_held c) eqn:H; [|discriminate]. cbn in E. injection E as <-.
  rewrite (cr_held _ _ _ Y) in H.
  eexists. split; [prim_unfold; state_norm; rewrite Rg, D, H; reflexivity|].
  cbn. split; [reflexivity|]. exists (<[vm := release_cell (cpu_id (st_cpu s)) d]> m).
  split; [reflexivity|]. apply npts_rel_insert; [exact X | now apply release_cell_rel].
Qed.

Lemma acquire_spt_rel {N M M' P} (RM : M -> M' -> Prop) :
  prim_rel (@R_spt N M M' P RM) (acquire_obj st_spt set_spt) (acquire_obj st_spt set_spt).
Proof.
  intros vs s t r (m & -> & X) E. prim_unfold_in E. destruct vs; [|discriminate].
  destruct (c_held (st_spt s)) eqn:H; [discriminate|]. cbn in E. injection E as <-.
  rewrite (cr_held _ _ _ X) in H.
  eexists. split; [prim_unfold; state_norm; rewrite H; reflexivity|].
  cbn. split; [reflexivity|]. exists (acquire_cell m).
  split; [reflexivity | now apply acquire_cell_rel].
Qed.

Lemma release_spt_rel {N M M' P} (RM : M -> M' -> Prop) :
  prim_rel (@R_spt N M M' P RM) (release_obj st_spt set_spt) (release_obj st_spt set_spt).
Proof.
  intros vs s t r (m & -> & X) E. prim_unfold_in E. destruct vs; [|discriminate].
  destruct (c_held (st_spt s)) eqn:H; [|discriminate]. cbn in E. injection E as <-.
  rewrite (cr_held _ _ _ X) in H.
  eexists. split; [prim_unfold; state_norm; rewrite H; reflexivity|].
  cbn. split; [reflexivity|]. exists (release_cell (cpu_id (st_cpu s)) m).
  split; [reflexivity | now apply release_cell_rel].
Qed.

Lemma acquire_s2_rel {N M P P'} (RP : P -> P' -> Prop) :
  prim_rel (@R_s2 N M P P' RP) (acquire_obj st_s2 set_s2) (acquire_obj st_s2 set_s2).
Proof.
  intros vs s t r (m & -> & X) E. prim_unfold_in E. destruct vs; [|discriminate].
  destruct (c_held (st_s2 s)) eqn:H; [discriminate|]. cbn in E. injection E as <-.
  rewrite (cr_held _ _ _ X) in H.
  eexists. split; [prim_unfold; state_norm; rewrite H; reflexivity|].
  cbn. split; [reflexivity|]. exists (acquire_cell m).
  split; [reflexivity | now apply acquire_cell_rel].
Qed.

Lemma release_s2_rel {N M P P'} (RP : P -> P' -> Prop) :
  prim_rel (@R_s2 N M P P' RP) (release_obj st_s2 set_s2) (release_obj st_s2 set_s2).
Proof.
  intros vs s t r (m & -> & X) E. prim_unfold_in E. destruct vs; [|discriminate].
  destruct (c_held (st_s2 s)) eqn:H; [|discriminate]. cbn in E. injection E as <-.
  rewrite (cr_held _ _ _ X) in H.
  eexists. split; [prim_unfold; state_norm; rewrite H; reflexivity|].
  cbn. split; [reflexivity|]. exists (release_cell (cpu_id (st_cpu s)) m).
  split; [reflexivity | now apply release_cell_rel].
Qed.

(** All twelve locks, for each of the three relations. *)
Lemma locks_rel_npts {N N' M P} (RN : Z -> N -> N' -> Prop) :
  tbl_rel (@R_npts N N' M P RN) T_locks T_locks.
Proof.
  rel_tbl_tac acquire_npts_rel release_npts_rel.
Qed.

Lemma locks_rel_spt {N M M' P} (RM : M -> M' -> Prop) :
  tbl_rel (@R_spt N M M' P RM) T_locks T_locks.
Proof.
  rel_tbl_tac acquire_spt_rel release_spt_rel.
Qed.

Lemma locks_rel_s2 {N M P P'} (RP : P -> P' -> Prop) :
  tbl_rel (@R_s2 N M P P' RP) T_locks T_locks.
Proof.
  rel_tbl_tac acquire_s2_rel release_s2_rel.
Qed.

(** ** Other bottom primitives pass through *)

Lemma ctl_natural_npts {N N' M P} : @natural_tbl (St cell N M P) (St cell N' M P) _ _ st_npts set_npts T_ctl T_ctl.
Proof. natural_tbl_tac. Qed.

Lemma ctl_natural_spt {N M M' P} : @natural_tbl (St cell N M P) (St cell N M' P) _ _ st_spt set_spt T_ctl T_ctl.
Proof. natural_tbl_tac. Qed.

Lemma ctl_natural_s2 {N M P P'} : @natural_tbl (St cell N M P) (St cell N M P') _ _ st_s2 set_s2 T_ctl T_ctl.
Proof. natural_tbl_tac. Qed.

(** The SMMU's memory does not concern a change of the stage-2 tables. *)
Lemma smmu_ptmem_natural_npts {N N' P} :
  @natural_tbl (St cell N sptab P) (St cell N' sptab P) _ _ st_npts set_npts T_smmu_ptmem T_smmu_ptmem.
Proof. natural_tbl_tac. Qed.

Lemma smmu_bump_natural_npts {N N' P} :
  @natural_tbl (St cell N sptab P) (St cell N' sptab P) _ _ st_npts set_npts T_smmu_bump T_smmu_bump.
Proof. natural_tbl_tac. Qed.

(** Tables about pages. *)
Lemma pages_natural_npts {N N' M} :
  @natural_tbl (St cell N M _) (St cell N' M _) _ _ st_npts set_npts T_pages T_pages.
Proof. natural_tbl_tac. Qed.

Lemma pages_natural_spt {N M M'} :
  @natural_tbl (St cell N M _) (St cell N M' _) _ _ st_spt set_spt T_pages T_pages.
Proof. natural_tbl_tac. Qed.

Lemma scrub_natural_s2 {N M P P'} : @natural_tbl (St cell N M P) (St cell N M P') _ _ st_s2 set_s2 T_scrub T_scrub.
Proof. natural_tbl_tac. Qed.

(** ** The firmware's map is left alone *)

Lemma locks_boot {N M P} : tbl_boot_kept (@T_locks N M P).
Proof. boot_tac. Qed.

Lemma ctl_boot {N M P} : tbl_boot_kept (@T_ctl cell N M P).
Proof. boot_tac. Qed.

Lemma scrub_boot {N M P} : tbl_boot_kept (@T_scrub cell N M P).
Proof. boot_tac. Qed.
