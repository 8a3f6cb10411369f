(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 16, MemManager: its interface, on the state of all layers above.  Stage-2 tables, SMMU tables and the ownership
    of frames are maps; no layer above changes a representation.  Rests on [Spec], with the operations of MmioSPTOps for
    SMMU tables; the layers 17 to 34 stand on it. *)
From SeKVM.lib Require Export Hide.
From SeKVM.machine Require Export Rest.
From SeKVM.layers.MmioSPTOps Require Export Spec.
From SeKVM.layers.MemManager Require Export Spec.
Local Open Scope string_scope.

(** The state of layers 16 to 34. *)
Notation hstate := (St cell pmap pmap (gmap Z page)).

(** What the layer adds. *)
Definition T : tbl hstate := MemManager.Spec.T map_spt_spec unmap_spt_spec.

(** The interface of PageManager; and what MemManager has alone. *)
Definition Below : tbl hstate :=
  over PageManager.Spec.T
    (MmioSPTOps.Spec.T ++ NPTOps.Spec.T ++ T_lock_vm ++ T_lock_core ++ T_lock_s2page ++ T_lock_smmu ++ T_scrub ++ T_ctl
     ++ T_rest)%list.
Definition L : tbl hstate :=
  over T (hide ["get_pfn_count"; "get_pfn_map"; "map_spt"; "unmap_spt"; "clear_phys_page"] Below).
