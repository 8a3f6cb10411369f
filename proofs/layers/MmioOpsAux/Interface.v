(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 25, MmioOpsAux: its interface, on the state of layers 16 to 34.  Where the SMMUs are ends here, and what
    the hardware says of a trapped access.  Rests on [Spec]; used by [Refine] and the layers above. *)
From SeKVM.layers.MmioCore Require Export Interface.
From SeKVM.layers.MmioOpsAux Require Export Spec.
Local Open Scope string_scope.

Definition hidden : list ident :=
  ["get_smmu_base"; "get_smmu_size"; "handle_smmu_write"; "handle_smmu_read"; "host_dabt_get_as";
   "host_dabt_is_write"; "host_get_fault_ipa"; "host_skip_instr"].
Definition L : tbl hstate := over T (hide hidden MmioCore.Interface.L).
