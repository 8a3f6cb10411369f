(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the specifications of MemRegion. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.layers.MemRegion Require Import Spec.

#[export] Hint Unfold mem_region_search_spec : prims.
