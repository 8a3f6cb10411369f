(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the bottom primitives on physical pages.  Rests on [BottomPages]. *)
From SeKVM.machine Require Export BottomTac BottomPages.

#[export] Hint Unfold get_mem_region_cnt region_get clear_phys_page s2_get s2_set : prims.
#[export] Hint Unfold INVALID INVALID64 is_slot : consts.
