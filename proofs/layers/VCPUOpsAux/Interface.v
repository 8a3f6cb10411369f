(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 27, VCPUOpsAux: its interface, on the state of layers 16 to 34, with the operations of MemoryOps,
    VMPower and BootOps.  What is read of the host's structure for an entry ends here, and what gives a VM memory.
    Rests on [Spec]; used by [Refine] and the layers above. *)
From SeKVM.layers.MmioOps Require Export Interface.
From SeKVM.layers.VCPUOpsAux Require Export Spec.

Definition T : tbl hstate := VCPUOpsAux.Spec.T search_load_info_spec set_vm_poweroff_spec prot_and_map_vm_s2pt_spec.
Definition U : tbl hstate := VCPUOpsAux.Spec.U search_load_info_spec set_vm_poweroff_spec prot_and_map_vm_s2pt_spec.
Definition L : tbl hstate := over T (hide hidden MmioOps.Interface.L).
