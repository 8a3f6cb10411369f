(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 7, NPTWalk: the layer's refinement theorem.  Whatever the interface of
    NPTWalk says of stage-2 tables as maps, the C code does over the interface of
    PTWalk on trees in memory; the single steps are hidden from here on.  The relation
    is inhabited: the machine's initial tables mean the empty map. *)
From Coq Require Import Lia.
From SeKVM.machine Require Import RestPass.
From SeKVM.layers.NPTWalk Require Import Code Spec ProofCode.
Local Open Scope Z_scope.

Lemma NPTWalk_code : mod_sim R PTWalk.Spec.L code T.
Proof.
  repeat split.
  - exact get_npt_level_code.
  - exact walk_npt_code.
  - exact set_npt_code.
  - exact mem_load_ref_code.
  - exact mem_store_ref_code.
Qed.

Lemma NPTWalk_passes : tbl_rel R Lkeep Lkeep.
Proof.
  apply tbl_rel_app; [apply locks_rel_npts|].
  apply natural_tbl_rel.
  apply natural_tbl_app; [apply ctl_natural_npts|].
  apply natural_tbl_app; [apply smmu_ptmem_natural_npts|].
  apply natural_tbl_app; [apply smmu_bump_natural_npts|].
  apply natural_tbl_app; [apply pages_natural_npts|].
  apply aside_npts, rest_aside.
Qed.

Lemma NPTWalk_keeps : keeps Lkeep PTWalk.Spec.L.
Proof. repeat constructor. Qed.

Theorem NPTWalk_refines : refines R (graph NPTWalk.Spec.L) (sem code (graph PTWalk.Spec.L)).
Proof.
  exact (mod_sim_refines _ _ _ _ _ NPTWalk_code (tbl_rel_keep _ _ _ _ NPTWalk_passes NPTWalk_keeps)).
Qed.

(** * The relation holds of the initial states *)

(** The machine at start with stage-2 tables as maps; other CPUs will leave the
    tables as [maps] says. *)
Definition init_maps (maps : Z -> list (list (Z * pmap))) (w : world) : nstate :=
  set_npts (table 17 (fun vm => free_cell (pempty (npt_geom vm)) (maps vm))) (init w).

Theorem init_related w maps :
  (forall vm, is_vmid vm = true ->
     Forall2 (Forall2 (event_rel (RN vm))) (maps vm) (w_npts w vm)) ->
  rel R (init_maps maps w) (init w).
Proof.
  intros S. exists (st_npts (init w)). split; [reflexivity|]. intros vm.
  unfold init_maps; cbn [st_npts set_npts init].
  destruct (is_vmid vm) eqn:V.
  - assert (B : 0 <= vm < 17).
    { unfold is_vmid in V. apply andb_prop in V as [A B]. apply Z.leb_le in A. apply Z.ltb_lt in B. auto. }
    rewrite !lookup_table by exact B. constructor. split; cbn.
    + intros _. now apply npt0_refines.
    + reflexivity.
    + constructor.
    + now apply S.
  - assert (N : forall A (f : Z -> A), table 17 f !! vm = None).
    { intros A f. unfold table. apply not_elem_of_list_to_map_1. rewrite map_map. cbn. rewrite map_id.
      intros E. apply elem_of_seqZ in E. unfold is_vmid in V.
      destruct (Z.leb_spec 0 vm), (Z.ltb_spec vm 17); cbn in V; discriminate V || lia. }
    rewrite !N. constructor.
Qed.

(** In particular with no other CPU about. *)
Corollary init_quiet_related cpu : rel R (init_maps (fun _ => []) (quiet cpu)) (init (quiet cpu)).
Proof. apply init_related. intros vm _. constructor. Qed.
