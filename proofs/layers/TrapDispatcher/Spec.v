(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 32, TrapDispatcher: a call of the host is looked up in the table of calls, and a trap of a VM in the
    short list of those that KCore serves.  Neither can be a reason to stop the machine before a handler runs.
    Stands on the contexts of VCPUOps, on any operations for the host's calls, by name, and on any operation for
    the calls of a VM. *)
From SeKVM.layers.VCPUOps Require Export Spec.
From SeKVM.layers.TrapDispatcher Require Export Call Table.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** The answer to a call that is refused. *)
Definition REFUSED : Z := 18446744073709551615.

(** The words of the registers of a context, by number. *)
Definition words (m : regfile) (i : nat) : Z := numbered (Z.of_nat i) m.

(** What KCore does about a trap of a VM. *)
Inductive service :=
| Skip           (* an access to a system register: on with the next instruction *)
| Ask            (* a call: it may be about sharing memory *)
| Leave.         (* for the host *)
Definition SYS64 : Z := 24.
Definition HVC64 : Z := 22.
Definition service_of (m : regfile) : service :=
  let class := class_of (short_esr m) in
  if class =? SYS64 then Skip else if class =? HVC64 then Ask else Leave.

Definition skip (phys : regfile) : regfile := on_reg ELR_EL2 (fun z => trunc U64 (z + 4)) phys.

Section TrapDispatcher.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (ops : ident -> prim St) (core_handle_pvops : prim St).

  (** The answer goes to x0 of the context as the operation left it. *)
  Definition answer (v c x : Z) (s : St) : option (res St) :=
    rely in_range U64 x; some m := get_ctxt v c s; ret 0 (put_ctxt v c (<[X0 := x]> m) s).

  (** The call in the registers [m] of context [c] of [v]. *)
  Definition serve (v c : Z) (m : regfile) (s : St) : option (res St) :=
    match request (words m) calls with
    | Some h => then_ (ops (handler h) (passed (words m) h) s) (fun r s =>
      answer v c (if has_result h then r else 0) s)
    | None => answer v c REFUSED s
    end.

  Definition host_hvc_dispatcher_spec : prim St := p0 None (fun s => with_cur s (fun v c m => serve v c m s)).

  (** 0 if the VM goes on, anything else if the host is next. *)
  Definition vm_exit_dispatcher_spec : prim St :=
    p2 (Some U32) U32 U32 (fun v c s =>
      some m := get_ctxt v c s;
      match service_of m with
      | Skip => ret 0 (put_regs (skip (phys_regs s)) s)
      | Ask => core_handle_pvops [] s
      | Leave => ret 1 s
      end).

  Definition T : tbl St :=
    [("host_hvc_dispatcher", host_hvc_dispatcher_spec); ("vm_exit_dispatcher", vm_exit_dispatcher_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    ([("get_cur_vmid", get_cur_vmid); ("get_cur_vcpuid", get_cur_vcpuid); ("get_shadow_ctxt", get_shadow_ctxt);
      ("set_shadow_ctxt", set_shadow_ctxt); ("core_handle_sys64", skip_instr);
      ("core_handle_pvops", core_handle_pvops)]
     ++ map (fun h => (handler h, ops (handler h))) calls)%list.
End TrapDispatcher.

(** What ends at this layer. *)
Definition hidden : list ident := (["core_handle_sys64"; "core_handle_pvops";
  "set_shadow_ctxt"] ++ map handler calls)%list.
