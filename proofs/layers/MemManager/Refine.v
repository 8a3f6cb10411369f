(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 16, MemManager: the layer's refinement theorem.  The code proofs hold for any
    two primitives on SMMU tables that leave the map of frames alone, over what the code
    uses; those of MmioSPTOps are such, and the interface below has it all. *)
From SeKVM.machine Require Import Rel.
From SeKVM.layers.PageManager Require Import Passes.
From SeKVM.layers.MemManager Require Import Code Interface ProofShare ProofAssign ProofReserve ProofMap.

Section Refine.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).
  Context (map_spt unmap_spt : prim St).
  Context (N1 : natural st_s2 set_s2 map_spt map_spt) (N2 : natural st_s2 set_s2 unmap_spt unmap_spt).
  Notation U := (MemManager.Spec.U map_spt unmap_spt).
  Notation T := (MemManager.Spec.T map_spt unmap_spt).

  Lemma MemManager_code : mod_ok U code T.
  Proof.
    repeat split.
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
End Refine.

Theorem MemManager_refines : refines req (graph MemManager.Interface.L) (sem code (graph PageManager.Spec.L)).
Proof.
  apply (layer_refines (MemManager.Spec.U map_spt_spec unmap_spt_spec)).
  - exact (MemManager_code _ _ map_spt_natural_s2 unmap_spt_natural_s2).
  - repeat constructor.
Qed.
