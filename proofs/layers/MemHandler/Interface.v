(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 30, MemHandler: its interface, on the state of layers 16 to 34, with the operations of VMPower, BootOps,
    MmioRaw and MmioOps.  Mappings of devices end here.  Rests on [Spec]; used by [Refine] and the layers above. *)
From SeKVM.layers.CtxtSwitch Require Export Interface.
From SeKVM.layers.MemHandler Require Export Spec.

(** The bank's owner decides. *)
Definition assign_page : prim hstate := smmu_assign_page_spec assign_smmu_spec.
Definition map_page : prim hstate := smmu_map_page_spec map_smmu_spec.

Definition T : tbl hstate :=
  MemHandler.Spec.T get_vm_poweron_spec vm_has_bank_spec map_io_spec smmu_init_pte_spec assign_page map_page.
Definition U : tbl hstate :=
  MemHandler.Spec.U get_vm_poweron_spec vm_has_bank_spec map_io_spec smmu_init_pte_spec assign_page map_page.
Definition L : tbl hstate := over T (hide hidden CtxtSwitch.Interface.L).
