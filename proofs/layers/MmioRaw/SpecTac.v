(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the specifications of MmioRaw and the primitives below it; the host's
    context and the call for its word stay closed. *)
From SeKVM.machine Require Export BottomMmioTac BottomCtxtTac.
From SeKVM.layers.MmioRaw Require Export Spec.

#[export] Hint Unfold smmu_init_pte_spec smmu_get_cbndx_spec : prims.
