(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 19, BootCore: its interface, on the state of layers 16 to 34.  The counters and
    their lock end here: they change only through the two allocators.  Rests on [Spec];
    used by [Refine] and the layers above. *)
From SeKVM.layers.VMPower Require Export Interface.
From SeKVM.layers.BootCore Require Export Spec.
Local Open Scope string_scope.

Definition hidden : list string :=
  ["acquire_lock_core"; "release_lock_core"; "get_next_vmid"; "set_next_vmid"; "get_next_remap_ptr"; "set_next_remap_ptr"].
Definition L : tbl hstate := over T (hide hidden VMPower.Interface.L).
