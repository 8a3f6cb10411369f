(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 26, MmioOps: its interface, on the state of layers 16 to 34, with the operations of VMPower and BootOps.
    The owners of banks and their lock end here, and the operations on SMMUs of the layers below.  Rests on
    [Spec]; used by [Refine] and the layers above. *)
From SeKVM.layers.MmioOpsAux Require Export Interface.
From SeKVM.layers.MmioOps Require Export Spec.

Definition T : tbl hstate :=
  MmioOps.Spec.T get_vm_poweron_spec alloc_smmu_spec assign_smmu_spec map_smmu_spec clear_smmu_spec.
(** What this layer's code uses. *)
Definition U : tbl hstate :=
  MmioOps.Spec.U get_vm_poweron_spec alloc_smmu_spec assign_smmu_spec map_smmu_spec clear_smmu_spec.
Definition L : tbl hstate := over T (hide hidden MmioOpsAux.Interface.L).
