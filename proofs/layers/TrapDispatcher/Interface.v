(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 32, TrapDispatcher: its interface, on the state of layers 16 to 34.  The calls of the host are the
    operations of that name in the interface below, and end here.  Rests on [Spec]; used by [Refine] and the layers
    above. *)
From SeKVM.layers.FaultHandler Require Export Interface.
From SeKVM.layers.TrapDispatcher Require Export Spec.

(** The operations by name. *)
Definition ops (f : ident) : prim hstate :=
  match Lang.assoc f FaultHandler.Interface.L with Some p => p | None => fun _ _ => None end.

Definition T : tbl hstate := TrapDispatcher.Spec.T ops core_handle_pvops_spec.
Definition U : tbl hstate := TrapDispatcher.Spec.U ops core_handle_pvops_spec.
Definition L : tbl hstate := over T (hide hidden FaultHandler.Interface.L).
