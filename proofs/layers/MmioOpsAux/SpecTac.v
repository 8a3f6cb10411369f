(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the specifications of MmioOpsAux; an access is a closed call. *)
From SeKVM.machine Require Export BottomCtxtTac.
From SeKVM.layers.MmioCore Require Export SpecTac.
From SeKVM.layers.MmioOpsAux Require Export Spec.

#[export] Hint Unfold is_smmu_range_spec : prims.
