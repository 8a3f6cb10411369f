(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 33, TrapHandlerRaw: its interface, on the state of layers 16 to 34, with the operations of CtxtSwitch and
    FaultHandler.  The way into KCore and out of it ends here.  Rests on [Spec]; used by [Refine] and the layer
    above. *)
From SeKVM.layers.TrapDispatcher Require Export Interface.
From SeKVM.layers.TrapHandlerRaw Require Export Spec.

Definition host_fault : prim hstate := handle_host_stage2_fault_spec emulate_mmio_spec.
Definition save_vm : prim hstate := save_vm_spec set_vm_poweroff_spec set_vcpu_inactive_spec.
Definition restore_vm : prim hstate := restore_vm_spec set_vcpu_active_spec enter.

Definition T : tbl hstate := TrapHandlerRaw.Spec.T ops core_handle_pvops_spec host_fault save_vm restore_vm.
Definition U : tbl hstate := TrapHandlerRaw.Spec.U ops core_handle_pvops_spec host_fault save_vm restore_vm.
Definition L : tbl hstate := over T (hide hidden TrapDispatcher.Interface.L).
