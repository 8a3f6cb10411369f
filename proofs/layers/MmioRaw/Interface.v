(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 22, MmioRaw: its interface, on the state of layers 16 to 34.  Nothing ends here.  Rests on [Spec]; used
    by [Refine] and the layers above. *)
From SeKVM.layers.BootOps Require Export Interface.
From SeKVM.layers.MmioRaw Require Export Spec.

Definition L : tbl hstate := over T (hide [] BootOps.Interface.L).
