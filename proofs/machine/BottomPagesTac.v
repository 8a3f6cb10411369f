(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the bottom primitives on physical pages; and opening a primitive down to the components of the state,
    for the proofs that it passes through.  Rests on [BottomPages]. *)
From SeKVM.machine Require Export BottomTac BottomPages.

#[export] Hint Unfold get_mem_region_cnt region_get clear_phys_page s2_get s2_set : prims.
#[export] Hint Unfold INVALID INVALID64 is_slot : consts.

(** [bodies]: what proofs about code keep closed, and a topic's primitives use. *)
Create HintDb bodies discriminated.
Ltac open_prim := prim_unfold; autounfold with bodies; state_norm.
Ltac open_prim_in E := prim_unfold_in E; autounfold with bodies in E.
