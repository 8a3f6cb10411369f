(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 18, VMPower: its interface, on the state of layers 16 to 34.  Nothing ends here.
    Rests on [Spec]; used by [Refine] and the layers above. *)
From SeKVM.layers.MemoryOps Require Export Interface.
From SeKVM.layers.VMPower Require Export Spec.

Definition L : tbl hstate := over T (hide [] MemoryOps.Interface.L).
