(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 15, PageManager: what passes through the change of frames' representation.  The operations on tables do not look
    at frames, and nothing changes the firmware's map, on which the relation depends.  Used by [Refine]. *)
From SeKVM.machine Require Import RestPass RelTac.
From SeKVM.layers.PageManager Require Import Spec.
Local Open Scope Z_scope.

(** ** Operations on tables *)

Lemma map_spt_natural_s2 {N P P'} : @natural (St cell N pmap P) (St cell N pmap P') _ _ st_s2 set_s2 map_spt_spec map_spt_spec.
Proof. unfold map_spt_spec, publish_spt_update, publish_spt. natural_tac. Qed.

Lemma unmap_spt_natural_s2 {N P P'} :
  @natural (St cell N pmap P) (St cell N pmap P') _ _ st_s2 set_s2 unmap_spt_spec unmap_spt_spec.
Proof. unfold unmap_spt_spec, publish_spt_update, publish_spt. natural_tac. Qed.

Lemma spt_ops_natural_s2 {N P P'} :
  @natural_tbl (St cell N pmap P) (St cell N pmap P') _ _ st_s2 set_s2 MmioSPTOps.Spec.T MmioSPTOps.Spec.T.
Proof. unfold MmioSPTOps.Spec.T, init_spt_spec, walk_spt_spec, map_spt_spec, unmap_spt_spec, publish_spt_update, publish_spt.
  natural_tbl_tac.
Qed.

Lemma npt_ops_natural_s2 {M P P'} :
  @natural_tbl (St cell pmap M P) (St cell pmap M P') _ _ st_s2 set_s2 NPTOps.Spec.T NPTOps.Spec.T.
Proof.
  unfold NPTOps.Spec.T, get_level_s2pt_spec, walk_s2pt_spec, map_s2pt_spec, clear_pfn_host_spec,
    locked_look, publish_update, put_table, published.
  natural_tbl_tac.
Qed.

Lemma access_natural_s2 {M P P'} :
  @natural_tbl (St cell pmap M P) (St cell pmap M P') _ _ st_s2 set_s2 T_access T_access.
Proof. unfold T_access, mem_load_ref_spec, mem_store_ref_spec, mem_access, load_word, store_word. natural_tbl_tac. Qed.

Lemma device_natural_s2 {N P P'} :
  @natural_tbl (St cell N pmap P) (St cell N pmap P') _ _ st_s2 set_s2 T_device T_device.
Proof. unfold T_device, dev_load_ref_spec, dev_store_ref_spec, dev_access, load_word, store_word. natural_tbl_tac. Qed.

Lemma access_boot {M P} : tbl_boot_kept (@T_access M P).
Proof. unfold T_access, mem_load_ref_spec, mem_store_ref_spec, mem_access, load_word, store_word. boot_tac. Qed.

Lemma device_boot {N P} : tbl_boot_kept (@T_device N P).
Proof. unfold T_device, dev_load_ref_spec, dev_store_ref_spec, dev_access, load_word, store_word. boot_tac. Qed.

Lemma spt_ops_boot {N P} : tbl_boot_kept (@MmioSPTOps.Spec.T N P).
Proof.
  unfold MmioSPTOps.Spec.T, init_spt_spec, walk_spt_spec, map_spt_spec, unmap_spt_spec, publish_spt_update, publish_spt.
  boot_tac.
Qed.

Lemma npt_ops_boot {M P} : tbl_boot_kept (@NPTOps.Spec.T M P).
Proof.
  unfold NPTOps.Spec.T, get_level_s2pt_spec, walk_s2pt_spec, map_s2pt_spec, clear_pfn_host_spec,
    locked_look, publish_update, put_table, published.
  boot_tac.
Qed.

(** ** Everything *)

(** What passes through every change of the frames' representation, and leaves the firmware's map alone, passes through
    this one. *)
Lemma prim_passes {N M} (p : prim (St cell N M (gmap Z page))) (q : prim (St cell N M (gmap Z s2page))) :
  (forall RP', prim_rel (R_s2 RP') p q) -> boot_kept p -> prim_rel R p q.
Proof.
  intros X B vs s t r [FW RR] E. destruct (X _ vs s t r RR E) as (r' & E' & G).
  exists r'. split; [exact E'|]. specialize (B vs s). rewrite E in B.
  destruct r as [v s'|s'], r' as [v' t'|t']; cbn in B, G |- *; try tauto; rewrite B; tauto.
Qed.

Lemma tbl_passes {N M} (Hi : tbl (St cell N M (gmap Z page))) (Lo : tbl (St cell N M (gmap Z s2page))) :
  (forall RP', tbl_rel (R_s2 RP') Hi Lo) -> tbl_boot_kept Hi -> tbl_rel R Hi Lo.
Proof.
  revert Lo. induction Hi as [|[f p] Hi IH]; intros [|[g q] Lo] X B.
  - constructor.
  - specialize (X (fun _ _ => True)). inversion X.
  - specialize (X (fun _ _ => True)). inversion X.
  - inversion B as [|? ? B1 B2]; subst. constructor.
    + pose proof (X (fun _ _ => True)) as Y. inversion Y as [|? ? ? ? [E _] _]; subst. split; [exact E|].
      apply prim_passes; [|exact B1]. intros RP'. specialize (X RP'). inversion X as [|? ? ? ? [_ Z] _]; exact Z.
    + apply IH; [|exact B2]. intros RP'. specialize (X RP'). now inversion X.
Qed.

Lemma kept_locks_boot {N M P} :
  tbl_boot_kept (@T_lock_vm N M P ++ T_lock_core ++ T_lock_s2page ++ T_lock_smmu)%list.
Proof. boot_tac. Qed.

Lemma PageManager_passes : tbl_rel R Lkeep Lkeep.
Proof.
  apply tbl_passes.
  - intros RP'.
    apply tbl_rel_app; [apply natural_tbl_rel, spt_ops_natural_s2|].
    apply tbl_rel_app; [apply natural_tbl_rel, npt_ops_natural_s2|].
    apply tbl_rel_app; [rel_tbl_tac @acquire_s2_rel @release_s2_rel|].
    apply natural_tbl_rel.
    apply natural_tbl_app; [apply scrub_natural_s2|].
    apply natural_tbl_app; [apply ctl_natural_s2|].
    apply natural_tbl_app; [apply aside_s2, rest_aside|].
    apply natural_tbl_app; [apply access_natural_s2|].
    apply device_natural_s2.
  - apply boot_kept_app; [apply spt_ops_boot|].
    apply boot_kept_app; [apply npt_ops_boot|].
    apply boot_kept_app; [apply kept_locks_boot|].
    apply boot_kept_app; [apply scrub_boot|].
    apply boot_kept_app; [apply ctl_boot|].
    apply boot_kept_app; [apply rest_boot|].
    apply boot_kept_app; [apply access_boot|].
    apply device_boot.
Qed.
