(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 16, MemManager: its interface, on the state of all layers above.  Stage-2 tables, SMMU tables and the ownership
    of frames are maps; no layer above changes a representation.  Rests on [Spec], with the operations of MmioSPTOps for
    SMMU tables; the layers 17 to 34 stand on it. *)
From SeKVM.layers.MemManager Require Export Spec.
Local Open Scope string_scope.

(** What ends here: changes of pages in SMMU tables, scrubbing, and what only layers below use: invalidations, the roots of
    stage-2 tables, words of physical memory.  Owners of frames are in reach up to layer 21. *)
Definition hidden : list ident :=
  ["map_spt"; "unmap_spt"; "clear_phys_page"; "set_pfn_count"; "set_pfn_map"; "tlb_flush"; "smmu_tlb_flush"; "get_pt_vttbr";
   "phys_load"; "phys_store"].

(** What the layer adds to PageManager's interface. *)
Definition T : tbl hstate := MemManager.Spec.T map_spt_spec unmap_spt_spec.
Definition L : tbl hstate := over T (hide hidden PageManager.Spec.L).
