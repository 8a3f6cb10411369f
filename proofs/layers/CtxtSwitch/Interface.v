(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 29, CtxtSwitch: its interface, on the state of layers 16 to 34, with the operations of the layers below
    on VMs and vCPUs.  Moves of registers between the CPU and its context end here, but those of entry and exit of
    KCore.  Rests on [Spec]; used by [Refine] and the layers above. *)
From SeKVM.layers.VCPUOps Require Export Interface.
From SeKVM.layers.CtxtSwitch Require Export Spec.

(** A vCPU's entry. *)
Definition enter : prim hstate :=
  restore_shadow_kvm_regs_spec search_load_info_spec prot_and_map_vm_s2pt_spec is_inc_exe_spec.

Definition T : tbl hstate := CtxtSwitch.Spec.T set_vm_poweroff_spec set_vcpu_active_spec set_vcpu_inactive_spec enter.
Definition U : tbl hstate := CtxtSwitch.Spec.U set_vm_poweroff_spec set_vcpu_active_spec set_vcpu_inactive_spec enter.
Definition L : tbl hstate := over T (hide hidden VCPUOps.Interface.L).
