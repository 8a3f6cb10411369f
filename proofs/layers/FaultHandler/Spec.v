(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 31, FaultHandler: a fault of the host, and what a VM asks about sharing.  The
    VM's arguments are in its saved context, which is this CPU's while the VM runs here.
    Stands on MemManager, on MemoryOps and on any primitive that emulates SMMU registers. *)
From SeKVM.machine Require Export BottomCtxt.
From SeKVM.layers.MemoryOps Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition HVC_KVM_SET_DESC_PFN : Z := 11.
Definition HVC_KVM_UNSET_DESC_PFN : Z := 12.

(** The address of the page that faulted. *)
Definition hpfar_page (x : Z) : Z := Z.shiftl (Z.land x 1099511627760) 8.

Section FaultHandler.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).
  Context (emulate_mmio : prim St).

  Definition handle_host_stage2_fault_spec : prim St :=
    p0 None (fun s =>
      let a := hpfar_page (reg_word HPFAR_EL2 (phys_regs s)) in
      let hsr := trunc U32 (reg_get ESR_EL2 (phys_regs s)) in
      and_then (emulate_mmio [a; hsr] s) (fun found s =>
        if found =? INVALID then map_page_host_spec [a] s else ret 0 s)).

  (** VM [v]'s call, by the registers of its context. *)
  Definition shares (v : Z) (m : regfile) (s : St) : option (res St) :=
    let range := [v; numbered 2 m; numbered 3 m] in
    if numbered 0 m =? HVC_KVM_SET_DESC_PFN
    then and_then (grant_stage2_sg_gpa_spec range s) (fun _ s => ret 0 s)
    else if numbered 0 m =? HVC_KVM_UNSET_DESC_PFN
    then and_then (revoke_stage2_sg_gpa_spec range s) (fun _ s => ret 0 s)
    else ret 1 s.

  Definition core_handle_pvops_spec : prim St :=
    p0 (Some U32) (fun s =>
      let v := cpu_vmid (st_cpu s) in
      let c := cpu_vcpuid (st_cpu s) in
      rely in_range U32 v; rely in_range U32 c;
      if is_guest v then some m := get_ctxt v c s; shares v m s else Some (Halt s)).

  Definition T : tbl St :=
    [("handle_host_stage2_fault", handle_host_stage2_fault_spec); ("core_handle_pvops", core_handle_pvops_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    [("read_hpfar_el2", read_reg U64 HPFAR_EL2); ("read_esr_el2", read_reg U32 ESR_EL2); ("emulate_mmio", emulate_mmio);
     ("map_page_host", map_page_host_spec); ("get_cur_vmid", get_cur_vmid); ("get_cur_vcpuid", get_cur_vcpuid);
     ("get_shadow_ctxt", get_shadow_ctxt); ("grant_stage2_sg_gpa", grant_stage2_sg_gpa_spec);
     ("revoke_stage2_sg_gpa", revoke_stage2_sg_gpa_spec); ("panic", panic)].
End FaultHandler.

(** What ends here. *)
Definition hidden : list string :=
  ["emulate_mmio"; "map_page_host"; "read_hpfar_el2"; "read_esr_el2"; "grant_stage2_sg_gpa"; "revoke_stage2_sg_gpa"].
