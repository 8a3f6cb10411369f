(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 16, MemManager: the layer's refinement theorem.  It holds for any two
    primitives on SMMU tables that leave the map of frames alone, over every underlay
    that has them, PageManager's interface and NPTOps's operations, and whatever else
    passes through. *)
From SeKVM.machine Require Import Rel.
From SeKVM.layers.MemManager Require Import Code Spec ProofShare ProofAssign ProofReserve ProofMap.

Section Refine.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).
  Context (map_spt unmap_spt : prim St).
  Context (N1 : natural st_s2 set_s2 map_spt map_spt) (N2 : natural st_s2 set_s2 unmap_spt unmap_spt).
  Notation U := (U map_spt unmap_spt).
  Notation T := (T map_spt unmap_spt).

  Lemma MemManager_code (L0 : tbl St) : keeps U L0 -> mod_ok L0 code T.
  Proof.
    intros K. repeat split; apply (fun_ok_keep _ _ _ _ K).
    - exact (map_page_host_code map_spt unmap_spt).
    - exact (clear_vm_page_code map_spt unmap_spt).
    - exact (assign_pfn_to_vm_code map_spt unmap_spt).
    - exact (map_pfn_vm_code map_spt unmap_spt).
    - exact (map_vm_io_code map_spt unmap_spt).
    - exact (grant_vm_page_code map_spt unmap_spt).
    - exact (revoke_vm_page_code map_spt unmap_spt).
    - exact (assign_pfn_to_smmu_code map_spt unmap_spt).
    - exact (update_smmu_page_code map_spt unmap_spt N1).
    - exact (unmap_smmu_page_code map_spt unmap_spt N2).
  Qed.

  Theorem MemManager_refines_over (L0 Keep : tbl St) :
    keeps U L0 -> keeps Keep L0 -> refines req (graph (over T Keep)) (sem code (graph L0)).
  Proof. intros K1 K2. exact (mod_ok_refines_keep _ _ _ _ (MemManager_code L0 K1) K2). Qed.

  (** Over exactly what the code uses. *)
  Theorem MemManager_refines :
    refines req (graph (MemManager.Spec.L map_spt unmap_spt)) (sem code (graph U)).
  Proof. apply MemManager_refines_over; repeat constructor. Qed.
End Refine.
