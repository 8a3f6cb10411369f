(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 23, MmioCoreAux: its interface, on the state of layers 16 to 34.  Registers of devices end here: they
    are reached through the policy.  Rests on [Spec]; used by [Refine] and the layers above. *)
From SeKVM.layers.MmioRaw Require Export Interface.
From SeKVM.layers.MmioCoreAux Require Export Spec.
Local Open Scope string_scope.

Definition hidden : list ident :=
  ["readl_relaxed"; "readq_relaxed"; "writel_relaxed"; "writeq_relaxed"; "host_get_mmio_data"; "host_dabt_get_rd"].
Definition L : tbl hstate := over T (hide hidden MmioRaw.Interface.L).
