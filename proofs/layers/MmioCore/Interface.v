(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 24, MmioCore: its interface, on the state of layers 16 to 34.  The policy ends here, and what KCore
    writes in place of the host.  Rests on [Spec]; used by [Refine] and the layers above. *)
From SeKVM.layers.MmioCoreAux Require Export Interface.
From SeKVM.layers.MmioCore Require Export Spec.
Local Open Scope string_scope.

Definition hidden : list ident :=
  ["handle_smmu_global_access"; "handle_smmu_cb_access"; "__handle_smmu_write"; "__handle_smmu_read";
   "smmu_get_cbndx"; "get_smmu_cfg_hw_ttbr"].
Definition L : tbl hstate := over T (hide hidden MmioCoreAux.Interface.L).
