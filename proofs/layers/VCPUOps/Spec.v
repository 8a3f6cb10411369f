(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 28, VCPUOps: what the host learns when a vCPU stops.  Stands on VCPUOpsAux and on the operation that powers a VM
    off.  Used by layer 29. *)
From SeKVM.layers.VCPUOpsAux Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * A vCPU stops *)

Definition TRAP : Z := 2.
Definition INTERRUPT : Z := 31.
Definition class_of (esr : Z) : Z := Z.shiftr esr 26.
Definition WFX : Z := 1.
Definition is_hvc (class : Z) : bool := (class =? 18) || (class =? 22).
Definition is_abort (class : Z) : bool := (class =? 32) || (class =? 36).

(** Why a vCPU stopped, as its context tells. *)
Inductive exit :=
| Ex_other                       (* an interrupt, or a reason that the host shall judge *)
| Ex_unknown                     (* a trap of a class that nobody serves *)
| Ex_wfx
| Ex_hvc (function : Z)
| Ex_abort (esr hpfar : Z).
Definition short_esr (m : regfile) : Z := trunc U32 (reg_get ESR_EL2 m).
Definition exit_of (m : regfile) : exit :=
  if reg_word EC m =? TRAP then
    let class := class_of (short_esr m) in
    if class =? WFX then Ex_wfx
    else if is_hvc class then Ex_hvc (hvc_function m)
    else if is_abort class then Ex_abort (reg_word ESR_EL2 m) (reg_word HPFAR_EL2 m) else Ex_unknown
  else Ex_other.

(** The numbers of the registers that the host is shown: this is the whole list. *)
Definition exit_shown (e : exit) : list Z :=
  match e with
  | Ex_other => [44]
  | Ex_unknown | Ex_wfx => [44; 72]
  | Ex_hvc f => 44 :: 72 :: hvc_shown f
  | Ex_abort esr hpfar => 44 :: 72 :: abort_shown esr hpfar
  end.
(** What is left to do when the vCPU goes on. *)
Definition exit_marks (e : exit) (m : regfile) : regfile :=
  match e with
  | Ex_wfx => mark DIRTY_PC m
  | Ex_hvc _ => mark 1 m
  | Ex_abort esr hpfar => abort_marks esr hpfar m
  | _ => m
  end.
Definition powers_off (e : exit) : bool := match e with Ex_hvc f => f =? SYSTEM_OFF | _ => false end.

Section VCPUOps.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (search_load_info set_vm_poweroff prot_and_map_vm_s2pt : prim St).

  (** The vCPU whose context is loaded, and its context. *)
  Definition with_cur (s : St) (k : Z -> Z -> regfile -> option (res St)) : option (res St) :=
    let v := cpu_vmid (st_cpu s) in
    let c := cpu_vcpuid (st_cpu s) in
    rely in_range U32 v && in_range U32 c;
    some m := get_ctxt v c s;
    k v c m.

  Definition save_shadow_kvm_regs_spec : prim St :=
    p0 None (fun s => with_cur s (fun v c m =>
      let e := exit_of m in
      let s := put_ctxt v c (exit_marks e m) (set_outs (show v c m (exit_shown e) (st_outs s)) s) in
      if powers_off e then then_ (set_vm_poweroff [v] s) (fun _ s => ret 0 s) else ret 0 s)).

  Definition T : tbl St :=
    [("save_shadow_kvm_regs", save_shadow_kvm_regs_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    (VCPUOpsAux.Spec.T search_load_info set_vm_poweroff prot_and_map_vm_s2pt ++ T_ctxt)%list.
End VCPUOps.
