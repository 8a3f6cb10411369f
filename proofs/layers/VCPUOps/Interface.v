(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 28, VCPUOps: its interface, on the state of layers 16 to 34, with the operations of MemoryOps, VMPower
    and BootOps.  The parts of entry and exit end here.  Rests on [Spec]; used by [Refine] and the layers above. *)
From SeKVM.layers.VCPUOpsAux Require Export Interface.
From SeKVM.layers.VCPUOps Require Export Spec.

Definition T : tbl hstate :=
  VCPUOps.Spec.T search_load_info_spec set_vm_poweroff_spec prot_and_map_vm_s2pt_spec is_inc_exe_spec.
Definition U : tbl hstate :=
  VCPUOps.Spec.U search_load_info_spec set_vm_poweroff_spec prot_and_map_vm_s2pt_spec is_inc_exe_spec.
Definition L : tbl hstate := over T (hide hidden VCPUOpsAux.Interface.L).
