(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the specifications of MmioRaw and the primitives below it; the host's
    context and the call for its word stay closed. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.machine Require Export BottomMmioTac BottomCtxtTac.
From SeKVM.layers.MmioRaw Require Export Spec.

#[export] Hint Unfold smmu_init_pte_spec smmu_get_cbndx_spec : prims.

(** The next call of the goal, left closed, to be rewritten to what it answers. *)
Ltac aux_call := match goal with
  | |- context [call ?L ?f ?vs ?s] =>
      let p := eval hnf in (Lang.assoc f L) in
      lazymatch p with Some ?q => change (call L f vs s) with (q vs s) end
  end.
