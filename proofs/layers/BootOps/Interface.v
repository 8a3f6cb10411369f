(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: its interface, on the state of layers 16 to 34.  The records of VMs and their lock end here, and with
    them who owns a frame, its lock, and the work on frames and tables that they guard.  Rests on [Spec]; used by [Refine] and
    the layers above. *)
From SeKVM.lib Require Import Link.
From SeKVM.layers.BootAux Require Export Interface.
From SeKVM.layers.BootOps Require Export Spec.
Local Open Scope string_scope.

Definition hidden : list ident :=
  (names (T_vm : tbl hstate) ++ names (T_lock_vm : tbl hstate) ++ names (T_lock_s2page : tbl hstate) ++
   names (BootCore.Spec.T : tbl hstate) ++ names (BootAux.Spec.T : tbl hstate) ++
   ["get_pfn_owner"; "set_pfn_owner"; "get_pfn_count"; "get_pfn_map"; "walk_s2pt"; "map_s2pt"; "clear_pfn_host"; "map_vm_io";
    "assign_pfn_to_smmu"; "update_smmu_page"; "unmap_smmu_page"])%list.
Definition L : tbl hstate := over T (hide hidden BootAux.Interface.L).
