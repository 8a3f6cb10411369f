(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 20, BootAux: its interface, on the state of layers 16 to 34.  A VM gets frames
    together with their mapping from here on.  Rests on [Spec]; used by [Refine] and the
    layers above. *)
From SeKVM.layers.BootCore Require Export Interface.
From SeKVM.layers.BootAux Require Export Spec.

Definition L : tbl hstate := over T (hide hidden BootCore.Interface.L).
