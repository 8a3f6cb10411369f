(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the primitives of users' accesses.  Rests on [BottomMem]. *)
From SeKVM.machine Require Export BottomPagesTac BottomMem.

#[export] Hint Unfold phys_access phys_load phys_store load_word store_word : prims.
#[export] Hint Unfold in_memory : consts.
