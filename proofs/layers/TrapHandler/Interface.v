(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 34, TrapHandler: its interface, that of the machine on top: eight functions, and nothing else.  Rests on
    [Spec], with the operations of the layers below; used by [Refine] and the stack theorem. *)
From SeKVM.layers.TrapHandlerRaw Require Export Interface.
From SeKVM.layers.TrapHandler Require Export Spec.

Definition L : tbl hstate := TrapHandler.Spec.T ops core_handle_pvops_spec host_fault save_vm restore_vm.
(** What this layer's code uses. *)
Definition U : tbl hstate := TrapHandler.Spec.U ops core_handle_pvops_spec host_fault save_vm restore_vm.
