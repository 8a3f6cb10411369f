(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 16, MemManager: its interface, on the state of all layers above.  Stage-2 tables, SMMU tables and the ownership
    of frames are maps; no layer above changes a representation.  Rests on [Spec], with the operations of MmioSPTOps for
    SMMU tables; the layers 17 to 34 stand on it. *)
From SeKVM.layers.MemManager Require Export Spec.
Local Open Scope string_scope.

(** What the layer adds to PageManager's interface, and what ends here. *)
Definition T : tbl hstate := MemManager.Spec.T map_spt_spec unmap_spt_spec.
Definition L : tbl hstate :=
  over T (hide ["get_pfn_count"; "get_pfn_map"; "map_spt"; "unmap_spt"; "clear_phys_page"] PageManager.Spec.L).
