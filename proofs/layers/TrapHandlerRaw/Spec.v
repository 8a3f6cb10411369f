(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 33, TrapHandlerRaw: KCore from its entry to its exit.  Saving and restoring are transitions of this CPU's
    registers and of the context that is loaded, each by one list of registers.  Stands on TrapDispatcher and
    CtxtSwitch, and on any operations for the host's faults, for saving a VM and for letting one run. *)
From SeKVM.layers.CtxtSwitch Require Export Spec.
From SeKVM.layers.TrapDispatcher Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Transitions of registers *)

(** All that a switch between the host and a VM saves and restores. *)
Definition everything : list (reg * reg) := (fp_moves ++ sys_moves ++ gp_moves)%list.

(** The context when KCore is entered: by the host; and by a VM, with what the CPU says of the trap. *)
Definition entered (phys m : regfile) : regfile := move_regs gp_moves phys m.
Definition trapped (phys m : regfile) : regfile := move_regs (fault_moves ++ gp_moves) phys m.
(** The CPU's registers when KCore is left for the context [m]; and for the host, whatever ran before. *)
Definition resumed (m phys : regfile) : regfile := move_regs (reversed gp_moves) m phys.
Definition host_regs (m phys : regfile) : regfile := move_regs (reversed everything) m (host_control phys).

Section TrapHandlerRaw.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (ops : ident -> prim St) (core_handle_pvops handle_host_stage2_fault save_vm restore_vm : prim St).

  (** Out of KCore, into the context that is loaded. *)
  Definition resume (s : St) : option (res St) :=
    some m := cur_ctxt s; ret 0 (put_regs (resumed m (phys_regs s)) s).
  (** The host takes the place of the VM. *)
  Definition to_host (s : St) : option (res St) :=
    then_ (save_vm [] s) (fun _ s =>
    let s := set_cpu (load HOSTVISOR (cpu_id (st_cpu s)) (st_cpu s)) s in
    some m := cur_ctxt s; ret 0 (put_regs (host_regs m (phys_regs s)) s)).

  Definition host_hvc_handler_raw_spec : prim St :=
    p0 None (fun s => with_cur s (fun v c m =>
      let m := entered (phys_regs s) m in
      then_ (serve ops v c m (put_ctxt v c m s)) (fun _ s => resume s))).

  Definition host_npt_handler_raw_spec : prim St :=
    p0 None (fun s =>
      some m := cur_ctxt s;
      then_ (handle_host_stage2_fault [] (put_cur (entered (phys_regs s) m) s)) (fun _ s => resume s)).

  Definition host_vcpu_run_handler_raw_spec : prim St :=
    p0 None (fun s =>
      some m := cur_ctxt s;
      then_ (restore_vm [] (put_cur (move_regs everything (phys_regs s) m) s)) (fun _ s => resume s)).

  Definition vm_exit_handler_raw_spec : prim St :=
    p0 None (fun s => with_cur s (fun v c m =>
      let m := trapped (phys_regs s) m in
      let s := put_ctxt v c m s in
      if reg_word EC m =? TRAP
      then then_ (vm_exit_dispatcher_spec core_handle_pvops [v; c] s) (fun leave s =>
        if leave =? 0 then resume s else to_host s)
      else to_host s)).

  Definition T : tbl St :=
    [("host_hvc_handler_raw", host_hvc_handler_raw_spec); ("host_npt_handler_raw", host_npt_handler_raw_spec);
     ("host_vcpu_run_handler_raw", host_vcpu_run_handler_raw_spec);
     ("vm_exit_handler_raw", vm_exit_handler_raw_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    [("get_cur_vmid", get_cur_vmid); ("get_cur_vcpuid", get_cur_vcpuid); ("get_shadow_ctxt", get_shadow_ctxt);
     ("host_to_core", save_regs gp_moves); ("vm_to_core", save_regs gp_moves);
     ("core_to_host", restore_regs gp_moves);
     ("core_to_vm", restore_regs gp_moves); ("exit_populate_fault", save_regs fault_moves);
     ("host_hvc_dispatcher", host_hvc_dispatcher_spec ops);
     ("vm_exit_dispatcher", vm_exit_dispatcher_spec core_handle_pvops);
     ("handle_host_stage2_fault", handle_host_stage2_fault); ("save_host", save_host_spec);
     ("restore_host", restore_host_spec); ("save_vm", save_vm); ("restore_vm", restore_vm)].
End TrapHandlerRaw.

(** What ends at this layer. *)
Definition hidden : list ident :=
  ["get_cur_vcpuid"; "get_shadow_ctxt"; "host_to_core"; "vm_to_core"; "core_to_host"; "core_to_vm";
   "exit_populate_fault";
   "host_hvc_dispatcher"; "vm_exit_dispatcher"; "handle_host_stage2_fault"; "save_host"; "restore_host"; "save_vm";
   "restore_vm"].
