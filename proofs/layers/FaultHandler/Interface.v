(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 31, FaultHandler: its interface, on the state of layers 16 to 34, with the operations of MmioOps.
    Faults of the host and sharing end here; what is left is what the dispatchers of traps use.  Rests on [Spec];
    used by [Refine] and the layers above. *)
From SeKVM.layers.MemHandler Require Export Interface.
From SeKVM.layers.FaultHandler Require Export Spec.

Definition T : tbl hstate := FaultHandler.Spec.T emulate_mmio_spec.
Definition U : tbl hstate := FaultHandler.Spec.U emulate_mmio_spec.
Definition L : tbl hstate := over T (hide hidden MemHandler.Interface.L).
