(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the specifications of PageIndex. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.layers.MemRegion Require Export SpecTac.
From SeKVM.layers.PageIndex Require Import Spec.

#[export] Hint Unfold get_s2_page_index_spec : prims.
