(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 28, VCPUOps: what the host learns when a vCPU stops, and what it may change before the vCPU goes on.  Stands on
    VCPUOpsAux and on any four operations for boot images, power and memory of a VM.  Used by layer 29. *)
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

(** * A vCPU goes on *)

Definition FIRST_RUN : Z := 18446744073709551615.

(** The exception that the host injects, or the end of the instruction that it served. *)
Definition go_on (injected : bool) (dirty : Z) (m : regfile) : regfile :=
  if injected then inject m
  else if negb (Z.land dirty DIRTY_PC =? 0) then <[PC := trunc U64 (reg_word PC m + 4)]> m else m.
Definition clean (m : regfile) : regfile := <[FAR_EL2 := 0]> (mark 0 m).

Section VCPUOps.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (search_load_info set_vm_poweroff prot_and_map_vm_s2pt is_inc_exe : prim St).

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

  (** The first run. *)
  Definition first_run (v c : Z) (s : St) : option (res St) :=
    then_ (is_inc_exe [v] s) (fun f s =>
    then_ (if f =? 0
           then then_ (reset_gp_regs_spec search_load_info [v; c] s) (fun _ s => reset_sys_regs_spec [v; c] s)
           else ret 0 s) (fun _ s =>
    some m := get_ctxt v c s;
    ret 0 (put_ctxt v c (mark 0 m) s))).

  Definition next_run (v c : Z) (m : regfile) (s : St) : option (res St) :=
    let src := src_host_vcpu v c in
    let dirty := reg_word DIRTY m in
    let x := if reg_word EC m =? TRAP then sync src dirty (st_ins s) m else (st_ins s, m) in
    let s := set_ins (fst x) s in
    let injected := negb (input U32 src s =? 0) in
    let s := consume src s in
    let a := input U64 src s in
    let s := put_ctxt v c (clean (go_on injected dirty (snd x))) (consume src s) in
    if (PAGE <=? a) && (a <? 281474976710656)
    then post_handle_shadow_s2pt_fault_spec prot_and_map_vm_s2pt [v; c; a] s else ret 0 s.

  Definition restore_shadow_kvm_regs_spec : prim St :=
    p0 None (fun s => with_cur s (fun v c m =>
      if reg_word DIRTY m =? FIRST_RUN then first_run v c s else next_run v c m s)).

  Definition T : tbl St :=
    [("save_shadow_kvm_regs", save_shadow_kvm_regs_spec); ("restore_shadow_kvm_regs", restore_shadow_kvm_regs_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    (VCPUOpsAux.Spec.T search_load_info set_vm_poweroff prot_and_map_vm_s2pt ++ T_ctxt ++ [("is_inc_exe", is_inc_exe)])%list.
End VCPUOps.

(** What ends at this layer. *)
Definition hidden : list ident :=
  ["reset_gp_regs"; "reset_sys_regs"; "sync_dirty_to_shadow"; "prep_wfx"; "prep_hvc"; "prep_abort";
   "update_exception_gp_regs"; "post_handle_shadow_s2pt_fault"; "get_shadow_esr"; "get_shadow_dirty_bit";
   "set_shadow_dirty_bit"; "get_vm_fault_addr"; "get_int_inject"; "set_int_fault"; "is_inc_exe"].
