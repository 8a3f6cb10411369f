(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 27, VCPUOpsAux: the parts of a vCPU's entry and exit.  Each is one pure transition of the saved context, and a
    list of the registers that the host is shown.  Stands on the primitives on contexts and on any three operations for
    boot images, power and memory of a VM.  Used by layer 28. *)
From SeKVM.machine Require Export BottomCtxt.
From SeKVM.layers.Locks Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Transitions of a context *)

Definition EL1H : Z := 5.
Definition PSTATE_EL1 : Z := 0x3C5.
(** A vCPU starts at EL1, whatever the host asks. *)
Definition start_state (ps : Z) : Z := if Z.land ps 31 =? EL1H then ps else PSTATE_EL1.
Definition first_regs (pc ps : Z) (m : regfile) : regfile :=
  zeros fp_regs (<[PC := pc]> (<[PSTATE := start_state ps]> (zeros x_regs m))).

(** The system registers of a vCPU that starts: its number, the CPU's [actlr], reset values. *)
Definition mpidr (c : Z) : Z := c mod 16 + c / 16 mod 256 * 256 + c / 4096 mod 256 * 65536 + 2147483648.
Definition sys_value (c actlr i : Z) : Z := if i =? 1 then mpidr c else if i =? 4 then actlr else sys_reset i.
Definition set_sys (c actlr : Z) (m : regfile) (i : Z) : regfile := put_numbered (46 + i) (sys_value c actlr i) m.
Definition first_sys_regs (c actlr : Z) (m : regfile) : regfile := fold_left (set_sys c actlr) (seqZ 1 24) m.

(** The host's values for the registers that are dirty in [d], in order, from the inputs. *)
Definition bit (d i : Z) : bool := negb (Z.land d (Z.shiftl 1 i) =? 0).
Definition next_input (src : Z) (ins : gmap Z (list Z)) : Z := trunc U64 (hd 0 (default [] (ins !! src))).
Definition rest_inputs (src : Z) (ins : gmap Z (list Z)) : gmap Z (list Z) := <[src := tl (default [] (ins !! src))]> ins.
Definition sync_reg (src d : Z) (x : gmap Z (list Z) * regfile) (i : Z) : gmap Z (list Z) * regfile :=
  if bit d i then (rest_inputs src (fst x), put_numbered i (next_input src (fst x)) (snd x)) else x.
Notation sync src d ins m := (fold_left (sync_reg src d) (seqZ 0 31) (ins, m)).

(** The VM takes an exception at its own vector. *)
Definition inject (m : regfile) : regfile :=
  put_all [(ESR_EL1, 0); (SPSR_EL1, reg_word PSTATE m); (PSTATE, PSTATE_EL1);
           (PC, trunc U64 (reg_word VBAR_EL1 m + vector_offset (reg_word PSTATE m))); (ELR_EL1, reg_word PC m)] m.

(** * What the host is shown *)

(** The value that stands for register [i]: of the fault address only the place in the page. *)
Definition shown (i : Z) (m : regfile) : Z := if i =? 41 then numbered i m mod 4096 else numbered i m.
Definition show (v c : Z) (m : regfile) (l : list Z) (o : list out_event) : list out_event :=
  fold_left (fun o i => Flow v HOSTVISOR [c; i; shown i m] :: o) l o.

Definition DIRTY_PC : Z := 4294967296.
Definition CPU_ON64 : Z := 0xC4000003.
Definition AFFINITY_INFO : Z := 0x84000004.
Definition AFFINITY_INFO64 : Z := 0xC4000004.
Definition SYSTEM_OFF : Z := 0x84000008.

(** A call to the firmware shows its number and the arguments that the number has. *)
Definition hvc_function (m : regfile) : Z := trunc U32 (reg_word X0 m).
Definition hvc_shown (f : Z) : list Z :=
  if f =? CPU_ON64 then [0; 1; 2; 3]
  else if (f =? AFFINITY_INFO) || (f =? AFFINITY_INFO64) then [0; 1; 2] else [0].

(** An abort shows the page; where devices are emulated also the place in it, and the register that is stored. *)
Definition srt (esr : Z) : Z := Z.land (Z.shiftr esr 16) 31.
Definition syndrome_valid (esr : Z) : bool := negb (Z.land esr 16777216 =? 0).
Definition is_store (esr : Z) : bool := negb (Z.land esr 64 =? 0).
Definition is_mmio (hpfar : Z) : bool := Z.shiftr hpfar 4 <? 262144.
Definition abort_shown (esr hpfar : Z) : list Z :=
  if is_mmio hpfar then [42; 41] ++ (if syndrome_valid esr && is_store esr then [srt esr] else []) else [42].
(** A load asks the host for its register. *)
Definition abort_marks (esr hpfar : Z) (m : regfile) : regfile :=
  if is_mmio hpfar
  then mark DIRTY_PC (if syndrome_valid esr && negb (is_store esr) then mark (Z.shiftl 1 (srt esr)) m else m)
  else m.

(** * Steps of the machine *)

(** Go on with the result of a step. *)
Definition then_ {S} (o : option (res S)) (k : Z -> S -> option (res S)) : option (res S) :=
  match o with Some (Ok v s) => k v s | Some (Halt s) => Some (Halt s) | None => None end.

Section VCPUOpsAux.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (search_load_info set_vm_poweroff prot_and_map_vm_s2pt : prim St).

  Definition reset_gp_regs_spec : prim St :=
    p2 None U32 U32 (fun v c s =>
      let src := src_host_vcpu v c in
      let pc := input U64 src s in
      then_ (search_load_info [v; pc] (consume src s)) (fun load s =>
        if load =? 0 then Some (Halt s)
        else
          let s' := consume src s in
          some m := get_ctxt v c s';
          ret 0 (put_ctxt v c (first_regs pc (input U64 src s) m) s'))).

  Definition reset_sys_regs_spec : prim St :=
    p2 None U32 U32 (fun v c s =>
      some m := get_ctxt v c s;
      ret 0 (put_ctxt v c (first_sys_regs c (reg_word ACTLR_EL1 (phys_regs s)) m) s)).

  Definition sync_dirty_to_shadow_spec : prim St :=
    p2 None U32 U32 (fun v c s =>
      some m := get_ctxt v c s;
      let (ins, m') := sync (src_host_vcpu v c) (reg_word DIRTY m) (st_ins s) m in
      ret 0 (put_ctxt v c m' (set_ins ins s))).

  Definition prep_wfx_spec : prim St :=
    p2 None U32 U32 (fun v c s => some m := get_ctxt v c s; ret 0 (put_ctxt v c (mark DIRTY_PC m) s)).

  Definition prep_hvc_spec : prim St :=
    p2 None U32 U32 (fun v c s =>
      some m := get_ctxt v c s;
      let f := hvc_function m in
      let s := put_ctxt v c (mark 1 m) (set_outs (show v c m (hvc_shown f) (st_outs s)) s) in
      if f =? SYSTEM_OFF then then_ (set_vm_poweroff [v] s) (fun _ s => ret 0 s) else ret 0 s).

  Definition prep_abort_spec : prim St :=
    p2 None U32 U32 (fun v c s =>
      some m := get_ctxt v c s;
      let esr := reg_word ESR_EL2 m in
      let hpfar := reg_word HPFAR_EL2 m in
      ret 0 (put_ctxt v c (abort_marks esr hpfar m) (set_outs (show v c m (abort_shown esr hpfar) (st_outs s)) s))).

  Definition update_exception_gp_regs_spec : prim St :=
    p2 None U32 U32 (fun v c s => some m := get_ctxt v c s; ret 0 (put_ctxt v c (inject m) s)).

  Definition post_handle_shadow_s2pt_fault_spec : prim St :=
    p3 None U32 U32 U64 (fun v c a s =>
      let src := src_host_vcpu v c in
      let pte := input U64 src s in
      let s := consume src s in
      let level := input U32 src s in
      then_ (prot_and_map_vm_s2pt [v; a; pte; if level =? 2 then 2 else 3] (consume src s)) (fun _ s => ret 0 s)).

  Definition T : tbl St :=
    [("reset_gp_regs", reset_gp_regs_spec); ("reset_sys_regs", reset_sys_regs_spec);
     ("sync_dirty_to_shadow", sync_dirty_to_shadow_spec); ("prep_wfx", prep_wfx_spec); ("prep_hvc", prep_hvc_spec);
     ("prep_abort", prep_abort_spec); ("update_exception_gp_regs", update_exception_gp_regs_spec);
     ("post_handle_shadow_s2pt_fault", post_handle_shadow_s2pt_fault_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    (T_ctxt ++ [("panic", panic); ("search_load_info", search_load_info); ("set_vm_poweroff", set_vm_poweroff);
                ("prot_and_map_vm_s2pt", prot_and_map_vm_s2pt)])%list.
End VCPUOpsAux.

(** What ends at this layer. *)
Definition hidden : list ident :=
  ["get_int_pc"; "get_int_pstate"; "get_int_gpr"; "set_int_gpr"; "get_int_new_pte"; "get_int_new_level";
   "clear_shadow_gp_regs"; "reset_fp_regs"; "get_sys_reg_desc_val"; "get_exception_vector"; "read_actlr_el1";
   "search_load_info"; "set_vm_poweroff"; "prot_and_map_vm_s2pt"].
