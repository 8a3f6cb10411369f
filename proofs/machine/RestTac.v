(* SPDX-License-Identifier: Apache-2.0 *)
(** All unfold hints of the bottom primitives, and those for what code proofs keep closed.  Rests on the topics' hints; used
    by the proofs about the whole table. *)
From SeKVM.machine Require Export BottomVmTac BottomMmioTac BottomCtxtTac BottomMemTac.

#[export] Hint Unfold cur_ctxt put_cur get_ctxt put_ctxt phys_regs put_regs input consume : bodies.
