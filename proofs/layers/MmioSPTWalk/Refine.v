(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 11, MmioSPTWalk: the layer's refinement theorem.  Whatever the interface of
    MmioSPTWalk says of SMMU tables as maps, the C code does over the interface of
    MmioPTWalk on trees in memory; the single steps are hidden from here on.  The
    relation is inhabited: the machine's initial tables mean the empty map. *)
From SeKVM.machine Require Import RestPass.
From SeKVM.layers.NPTWalk Require Refine.
From SeKVM.layers.MmioSPTWalk Require Import Code Spec ProofCode.
Local Open Scope Z_scope.

Lemma MmioSPTWalk_code : mod_sim R MmioPTWalk.Spec.L code T.
Proof.
  repeat split.
  - exact walk_smmu_pt_code.
  - exact set_smmu_pt_code.
  - exact clear_smmu_pt_code.
  - exact dev_load_ref_code.
  - exact dev_store_ref_code.
Qed.

Lemma npt_ops_natural_spt {M M' P} :
  @natural_tbl (St cell pmap M P) (St cell pmap M' P) _ _ st_spt set_spt NPTOps.Spec.T NPTOps.Spec.T.
Proof.
  unfold NPTOps.Spec.T, get_level_s2pt_spec, walk_s2pt_spec, map_s2pt_spec, clear_pfn_host_spec,
    locked_look, publish_update, put_table, published.
  natural_tbl_tac.
Qed.

Lemma access_natural_spt {M M' P} :
  @natural_tbl (St cell pmap M P) (St cell pmap M' P) _ _ st_spt set_spt T_access T_access.
Proof. unfold T_access, mem_load_ref_spec, mem_store_ref_spec, mem_access, load_word, store_word. natural_tbl_tac. Qed.

Lemma MmioSPTWalk_passes : tbl_rel R Lkeep Lkeep.
Proof.
  apply tbl_rel_app; [apply natural_tbl_rel, npt_ops_natural_spt|].
  apply tbl_rel_app; [rel_tbl_tac @acquire_spt_rel @release_spt_rel|].
  apply natural_tbl_rel.
  apply natural_tbl_app; [apply ctl_natural_spt|].
  apply natural_tbl_app; [apply pages_natural_spt|].
  apply natural_tbl_app; [apply aside_spt, rest_aside|].
  apply access_natural_spt.
Qed.

Lemma MmioSPTWalk_keeps : keeps Lkeep MmioPTWalk.Spec.L.
Proof. repeat constructor. Qed.

Theorem MmioSPTWalk_refines : refines R (graph MmioSPTWalk.Spec.L) (sem code (graph MmioPTWalk.Spec.L)).
Proof.
  exact (mod_sim_refines _ _ _ _ _ MmioSPTWalk_code (tbl_rel_keep _ _ _ _ MmioSPTWalk_passes MmioSPTWalk_keeps)).
Qed.

(** * The relation holds of the initial states *)

(** The machine at start with all tables as maps; other CPUs will leave stage-2 tables
    as [maps] and SMMU tables as [smaps] say. *)
Definition init_all_maps (maps : Z -> list (list (Z * pmap))) (smaps : list (list (Z * pmap))) (w : world) : mstate :=
  set_spt (free_cell (pempty smmu_geom) smaps) (NPTWalk.Refine.init_maps maps w).

Theorem init_spt_related w maps smaps :
  Forall2 (Forall2 (event_rel RM)) smaps (w_spt w) ->
  rel R (init_all_maps maps smaps w) (NPTWalk.Refine.init_maps maps w).
Proof.
  intros S. exists (free_cell spt0 (w_spt w)). split; [reflexivity|]. split; cbn.
  - exact spt0_refines.
  - reflexivity.
  - constructor.
  - exact S.
Qed.

(** In particular with no other CPU about. *)
Corollary init_spt_quiet_related cpu maps :
  rel R (init_all_maps maps [] (quiet cpu)) (NPTWalk.Refine.init_maps maps (quiet cpu)).
Proof. apply init_spt_related. constructor. Qed.
