(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 29, CtxtSwitch: the CPU changes between the host and a VM.  What moves is given by the lists of registers of the
    bottom machine.  Stands on VCPUOps and on any operations for the life cycle of a VM and for a
    vCPU's entry.  Used by
    layer 33. *)
From SeKVM.layers.VCPUOps Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Transitions of the CPU's registers and of a context *)

Definition saved (phys m : regfile) : regfile := move_regs fp_moves phys (move_regs sys_moves phys m).
Definition restored (m phys : regfile) : regfile := move_regs (reversed fp_moves) m (move_regs (reversed sys_moves) m phys).

(** The host's control registers: its own stage 2, no traps but to KCore. *)
Definition host_control : regfile -> regfile := put_all [(VTTBR_EL2, pt_vttbr HOSTVISOR); (HCR_EL2, HCR_HOST); (TPIDR_EL2, 0)].
Definition no_traps (phys : regfile) : regfile := on_reg CNTHCTL_EL2 timer_free (put_all host_traps phys).
(** VM [v]'s: its stage 2, all traps. *)
Definition vm_control (v : Z) (m phys : regfile) : regfile :=
  put_all vm_traps (on_reg CNTHCTL_EL2 timer_trapped
    (put_all [(VTTBR_EL2, pt_vttbr v); (HCR_EL2, HCR_VM); (TPIDR_EL2, reg_get TPIDR_EL2 m)] phys)).

Definition load (v c : Z) (k : cpu) : cpu := mkcpu (cpu_id k) v c (cpu_regs k).

Section CtxtSwitch.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (set_vm_poweroff set_vcpu_active set_vcpu_inactive restore_shadow_kvm_regs : prim St).

  Definition save_host_spec : prim St :=
    p0 None (fun s => some m := cur_ctxt s; ret 0 (put_cur (saved (phys_regs s) m) s)).

  Definition restore_host_spec : prim St :=
    p0 None (fun s =>
      let s := set_cpu (load HOSTVISOR (cpu_id (st_cpu s)) (st_cpu s)) s in
      some m := cur_ctxt s;
      ret 0 (put_regs (restored m (host_control (phys_regs s))) s)).

  Definition save_vm_spec : prim St :=
    p0 None (fun s =>
      some m := cur_ctxt s;
      let s := put_regs (no_traps (phys_regs s)) (put_cur (saved (phys_regs s) m) s) in
      then_ (save_shadow_kvm_regs_spec set_vm_poweroff [] s) (fun _ s =>
      let v := cpu_vmid (st_cpu s) in
      let c := cpu_vcpuid (st_cpu s) in
      rely in_range U32 v && in_range U32 c;
      then_ (set_vcpu_inactive [v; c] s) (fun _ s => ret 0 s))).

  Definition restore_vm_spec : prim St :=
    p0 None (fun s =>
      let cpu := cpu_vcpuid (st_cpu s) in
      rely in_range U32 cpu;
      some h := get_ctxt HOSTVISOR cpu s;
      let v := reg_word X0 h in
      if (0 <? v) && (v <? COREVISOR) then
        let c := input U32 (src_host_run v) s in
        let s := consume (src_host_run v) s in
        if c <? 8 then
          then_ (set_vcpu_active [v; c] s) (fun _ s =>
          then_ (restore_shadow_kvm_regs [] (set_cpu (load v c (st_cpu s)) s)) (fun _ s =>
          some m := cur_ctxt s;
          ret 0 (put_regs (restored m (vm_control (cpu_vmid (st_cpu s)) m (phys_regs s))) s)))
        else Some (Halt s)
      else Some (Halt s)).

  Definition T : tbl St :=
    [("save_host", save_host_spec); ("restore_host", restore_host_spec); ("save_vm", save_vm_spec);
     ("restore_vm", restore_vm_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    (T_ctxt ++ [("panic", panic); ("save_shadow_kvm_regs", save_shadow_kvm_regs_spec set_vm_poweroff);
                ("restore_shadow_kvm_regs", restore_shadow_kvm_regs);
                ("set_vcpu_active", set_vcpu_active); ("set_vcpu_inactive", set_vcpu_inactive)])%list.
End CtxtSwitch.

(** What ends at this layer. *)
Definition hidden : list ident :=
  ["save_shadow_kvm_regs"; "restore_shadow_kvm_regs"; "set_vcpu_active"; "set_vcpu_inactive"; "get_int_run_vcpuid";
   "set_per_cpu"; "save_sysregs"; "restore_sysregs"; "fpsimd_save_state";
   "fpsimd_restore_state"; "activate_traps"; "deactivate_traps"; "timer_enable_traps"; "timer_disable_traps";
   "host_el2_restore_state"; "vm_el2_restore_state"].
