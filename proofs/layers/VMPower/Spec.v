(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 18, VMPower: whether a VM is off, each question and each change one step under
    the lock of the VM's record.  A VM counts as off when it was switched off and none of
    its vCPUs is active; [Safe] proves that it stays so.  Stands on MemoryOps. *)
From SeKVM.layers.VMPower Require Export Vm.
From SeKVM.layers.Locks Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section VMPower.
  Context {N M P : Type}.
  Notation St := (St cell N M P).

  Definition get_vm_poweron_spec : prim St :=
    p1 (Some U32) U32 (fun v s =>
      if is_guest v
      then with_vm v s (fun c => publish_vm v c (if is_off (c_val c) then 0 else 1) s)
      else ret 1 s).

  Definition set_vm_poweroff_spec : prim St :=
    p1 None U32 (fun v s =>
      if is_guest v
      then with_vm v s (fun c =>
        match power_off (c_val c) with
        | Some x => publish_vm v (set_val x c) 0 s
        | None => denied_vm v c s
        end)
      else Some (Halt s)).

  Definition T : tbl St :=
    [("get_vm_poweron", get_vm_poweron_spec); ("set_vm_poweroff", set_vm_poweroff_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    (T_lock_vm ++ [("panic", panic); ("get_vm_state", vm_get U32 vm_state); ("set_vm_state", vm_set U32 set_vm_state);
                   ("get_vcpu_state", vm_get_at MAX_VCPU U32 vcpu_state)])%list.
End VMPower.
