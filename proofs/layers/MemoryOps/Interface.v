(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 17, MemoryOps: its interface, on the state of layers 16 to 34.  What works on
    one page ends here.  Rests on [Spec]; used by [Refine] and the layers above. *)
From SeKVM.layers.MemManager Require Export Interface.
From SeKVM.layers.MemoryOps Require Export Spec.

Definition L : tbl hstate := over T (hide hidden MemManager.Interface.L).
