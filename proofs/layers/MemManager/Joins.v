(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 16, MemManager: its underlay can be had.  The operations on stage-2 tables
    pass through PageManager's change of representation, so PageManager's theorem gives
    an interface with both, over one in which NPTOps's operations stand beside
    PageIndex's; MemManager's code over that interface refines what it should. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.machine Require Import BottomPagesTac PassThrough RelTac.
From SeKVM.layers.PageManager Require Import Refine.
From SeKVM.layers.MemManager Require Import Code Spec Natural Refine.
Local Open Scope string_scope.

Section Joins.
  Context {M : Type}.
  Notation Hi := (St cell pmap M (gmap Z page)).
  Notation Lo := (St cell pmap M (gmap Z s2page)).

  Lemma look_natural {P P'} (t : ty) f :
    @natural (St cell pmap M P) (St cell pmap M P') _ _ st_s2 set_s2
      (p2 (Some t) U32 U64 (locked_look f)) (p2 (Some t) U32 U64 (locked_look f)).
  Proof. unfold locked_look, put_table, published. natural_tac. Qed.

  Lemma NPTOps_natural {P P'} :
    @natural_tbl (St cell pmap M P) (St cell pmap M P') _ _ st_s2 set_s2 NPTOps.Spec.T NPTOps.Spec.T.
  Proof.
    repeat apply Forall2_cons_2; try apply Forall2_nil_2; (split; [reflexivity|]); cbn [snd].
    - apply look_natural.
    - apply look_natural.
    - apply map_s2pt_natural.
    - apply clear_pfn_host_natural.
  Qed.

  (** They leave the firmware's map alone. *)
  Lemma NPTOps_boot : Forall (fun x => boot_kept (snd x)) (@NPTOps.Spec.T M (gmap Z page)).
  Proof.
    repeat apply List.Forall_cons; try apply List.Forall_nil; cbn [snd]; intros vs s;
      unfold get_level_s2pt_spec, walk_s2pt_spec, map_s2pt_spec, clear_pfn_host_spec, locked_look, publish_update,
        put_table, published; prim_unfold;
      repeat match goal with |- context [match ?x with _ => _ end] =>
        lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x end end;
      cbn; reflexivity || exact I.
  Qed.

  Lemma NPTOps_passes : tbl_rel (@PageManager.Spec.R pmap M) NPTOps.Spec.T NPTOps.Spec.T.
  Proof. apply tbl_passes; [intros RP'; apply natural_tbl_rel, NPTOps_natural | exact NPTOps_boot]. Qed.

  (** Any primitives on SMMU tables that pass through do so too. *)
  Context (map_hi unmap_hi : prim Hi) (map_lo unmap_lo : prim Lo).
  Context (N1 : natural st_s2 set_s2 map_hi map_hi) (N2 : natural st_s2 set_s2 unmap_hi unmap_hi).
  Context (S1 : prim_rel PageManager.Spec.R map_hi map_lo) (S2 : prim_rel PageManager.Spec.R unmap_hi unmap_lo).

  (** The underlay of PageManager with the operations on tables beside it. *)
  Definition spt_lo : tbl Lo := [("map_spt", map_lo); ("unmap_spt", unmap_lo)].
  Definition Under : tbl Lo := (PageIndex.Spec.L ++ NPTOps.Spec.T ++ spt_lo)%list.

  Lemma MemManager_underlay :
    refines PageManager.Spec.R (graph (MemManager.Spec.U map_hi unmap_hi)) (sem PageManager.Code.code (graph Under)).
  Proof.
    apply (PageManager_refines_over Under (PageManager.Spec.Lkeep ++ NPTOps.Spec.T ++ T_spt map_hi unmap_hi)%list
             (PageManager.Spec.Lkeep ++ NPTOps.Spec.T ++ spt_lo)%list).
    - repeat constructor.
    - apply tbl_rel_app; [apply PageManager_passes|]. apply tbl_rel_app; [apply NPTOps_passes|].
      constructor; [split; [reflexivity | exact S1]|]. constructor; [split; [reflexivity | exact S2]|]. constructor.
    - repeat constructor.
  Qed.

  (** Layers 15 and 16 together. *)
  Theorem MemManager_PageManager :
    refines (rcomp req PageManager.Spec.R) (graph (MemManager.Spec.L map_hi unmap_hi))
      (sem MemManager.Code.code (sem PageManager.Code.code (graph Under))).
  Proof.
    exact (vcomp req PageManager.Spec.R _ _ _ _ _ (MemManager_refines map_hi unmap_hi N1 N2) MemManager_underlay).
  Qed.
End Joins.
