(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 34, TrapHandler: all that software outside of KCore can do, as steps on what it sees.  A call of the host is
    decided by the CPU's registers, and so is an exit of a VM; an access goes through the table of whoever runs.
    Stands on TrapHandlerRaw and on the accesses of NPTWalk and MmioSPTWalk.  This is the interface of the machine on
    top. *)
From SeKVM.layers.MmioSPTWalk Require Export Spec.
From SeKVM.layers.TrapHandlerRaw Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section TrapHandler.
  Context {P : Type}.
  Notation St := (St cell pmap pmap P).
  Context (ops : ident -> prim St) (core_handle_pvops handle_host_stage2_fault save_vm restore_vm : prim St).

  (** The call that the CPU's registers hold; the context is the host's, with these registers saved. *)
  Definition host_call (v c : Z) (phys : regfile) (s : St) : option (res St) :=
    match request (words phys) calls with
    | Some h => then_ (ops (handler h) (passed (words phys) h) s) (fun r s =>
      answer v c (if has_result h then r else 0) s)
    | None => answer v c REFUSED s
    end.
  Definition host_hvc_handler_spec : prim St :=
    p0 None (fun s => with_cur s (fun v c m =>
      then_ (host_call v c (phys_regs s) (put_ctxt v c (entered (phys_regs s) m) s)) (fun _ s => resume s))).

  (** A fault of the host, and its wish to let a vCPU run. *)
  Definition host_npt_handler_spec : prim St := host_npt_handler_raw_spec handle_host_stage2_fault.
  Definition host_vcpu_run_handler_spec : prim St := host_vcpu_run_handler_raw_spec restore_vm.

  (** An exit of a VM: what the CPU says of it decides. *)
  Definition vm_exit_handler_spec : prim St :=
    p0 None (fun s => with_cur s (fun v c m =>
      let phys := phys_regs s in
      let s := put_ctxt v c (trapped phys m) s in
      if reg_word EC phys =? TRAP then
        match service_of phys with
        | Skip => resume (put_regs (skip phys) s)
        | Ask => then_ (chk (Some U32) (core_handle_pvops [] s)) (fun leave s =>
          if leave =? 0 then resume s else to_host save_vm s)
        | Leave => to_host save_vm s
        end
      else to_host save_vm s)).

  (** An access through the table of whoever runs, with its own registers. *)
  Definition own_access (permission : Z) (f : Z -> reg -> St -> St) : prim St :=
    p2 (Some U32) U64 U32 (fun a r s => mem_access permission f [cpu_vmid (st_cpu s); a; r] s).
  Definition mem_load_spec : prim St := own_access PTE_READ load_word.
  Definition mem_store_spec : prim St := own_access PTE_WRITE store_word.

  Definition device_access (permission : Z) (f : Z -> reg -> St -> St) : prim St :=
    p4 (Some U32) U64 U32 U32 U32 (fun a r cb ix s => dev_access permission f [cb; ix; a; r] s).
  Definition dev_load_spec : prim St := device_access PTE_READ load_word.
  Definition dev_store_spec : prim St := device_access PTE_WRITE store_word.

  (** The whole interface. *)
  Definition T : tbl St :=
    [("host_hvc_handler", host_hvc_handler_spec);
     ("host_npt_handler", host_npt_handler_spec); ("host_vcpu_run_handler", host_vcpu_run_handler_spec);
     ("vm_exit_handler", vm_exit_handler_spec);
     ("mem_load", mem_load_spec); ("mem_store", mem_store_spec); ("dev_load", dev_load_spec);
     ("dev_store", dev_store_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    (TrapHandlerRaw.Spec.T ops core_handle_pvops handle_host_stage2_fault save_vm restore_vm
     ++ [("get_cur_vmid", get_cur_vmid)] ++ T_access ++ T_device)%list.
End TrapHandler.
