(* SPDX-License-Identifier: Apache-2.0 *)
(** Bottom primitives for the registers of this CPU, the saved contexts of vCPUs, and the structure through which the
    host sees a vCPU.  One accessor each and no policy; the sets of registers that a switch moves are lists.  This file is
    part of what a reader must trust.  Rests on [State]; used by layers 21 to 34.

    Who may touch a saved context.  A CPU's own context of the host is its own.  The context of a vCPU may be touched only
    while this CPU has it: it changes hands under the VM's lock, and whoever made the vCPU ACTIVE has it until the vCPU is
    inactive again.  All else is undefined. *)
From SeKVM.machine Require Export Bottom.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Sets of registers *)

Definition regs_from (first n : Z) : list reg := omap reg_of_code (seqZ first n).
Definition x_regs : list reg := regs_from 0 31.
Definition fp_regs : list reg := regs_from 96 34.

Definition same_name (l : list reg) : list (reg * reg) := map (fun r => (r, r)) l.

(** What a switch saves and restores: the context's name of a register, and the CPU's. *)
Definition sys_moves : list (reg * reg) :=
  ([(PC, ELR_EL2); (PSTATE, SPSR_EL2); (MPIDR_EL1, VMPIDR_EL2)] ++
   same_name [CSSELR_EL1; SCTLR_EL1; ACTLR_EL1; CPACR_EL1; TTBR0_EL1; TTBR1_EL1; TCR_EL1; ESR_EL1; AFSR0_EL1; AFSR1_EL1;
         FAR_EL1; MAIR_EL1; VBAR_EL1; CONTEXTIDR_EL1; TPIDR_EL0; TPIDRRO_EL0; TPIDR_EL1; AMAIR_EL1; CNTKCTL_EL1;
         PAR_EL1; MDSCR_EL1; SP_EL0; SP_EL1; ELR_EL1; SPSR_EL1])%list.
Definition gp_moves : list (reg * reg) := same_name x_regs.
Definition fp_moves : list (reg * reg) := same_name fp_regs.
(** How a trap is described; [EC] is the reason that the entry code gives. *)
Definition fault_moves : list (reg * reg) := same_name [EC; ESR_EL2; FAR_EL2; HPFAR_EL2].

(** For every pair, the first register of [dst] gets the value of the second of [src]. *)
Definition move_regs (l : list (reg * reg)) (src dst : regfile) : regfile :=
  fold_right (fun p m => <[fst p := reg_get (snd p) src]> m) dst l.
Definition reversed (l : list (reg * reg)) : list (reg * reg) := map (fun p => (snd p, fst p)) l.
Definition put_all (l : list (reg * Z)) (m : regfile) : regfile := fold_right (fun p m => <[fst p := snd p]> m) m l.

(** What the C code sees of a value: as many bits as its type has. *)
Definition trunc (t : ty) (z : Z) : Z := z mod modulus t.
Definition reg_word (r : reg) (m : regfile) : Z := trunc U64 (reg_get r m).
(** By number: an unknown number reads as zero and is ignored. *)
Definition numbered (i : Z) (m : regfile) : Z := match reg_of_code i with Some r => reg_word r m | None => 0 end.
Definition put_numbered (i x : Z) (m : regfile) : regfile := match reg_of_code i with Some r => <[r := x]> m | None => m end.

(** The dirty word collects bits until it is cleared by zero. *)
Definition mark (x : Z) (m : regfile) : regfile := <[DIRTY := if x =? 0 then 0 else Z.lor (reg_word DIRTY m) x]> m.
Definition zeros (l : list reg) (m : regfile) : regfile := put_all (map (fun r => (r, 0)) l) m.

Lemma trunc_range t z : 0 <= trunc t z < modulus t.
Proof. apply Z.mod_pos_bound. destruct t; reflexivity. Qed.
Lemma trunc_in_range t z : in_range t (trunc t z) = true.
Proof. unfold in_range. destruct (trunc_range t z). apply andb_true_iff. split; [now apply Z.leb_le | now apply Z.ltb_lt]. Qed.

(** * Values of control registers *)

(** HCR_EL2: stage 2 on; for a VM also traps of WFI, WFE, SMC, and interrupts to EL2. *)
Definition HCR_HOST : Z := 0x80000001.
Definition HCR_VM : Z := 0x8018623B.
Definition host_traps : list (reg * Z) := [(PMUSERENR_EL0, 0); (MDCR_EL2, 0); (CPTR_EL2, 0x33FF)].
Definition vm_traps : list (reg * Z) :=
  [(PMUSELR_EL0, 0); (PMUSERENR_EL0, 15); (MDCR_EL2, 0xE60); (CPTR_EL2, 0x1033FF)].
(** CNTHCTL_EL2: bit 0 lets EL1 read the counter, bit 1 lets it use the physical timer. *)
Definition timer_trapped (z : Z) : Z := Z.lor (Z.ldiff z 2) 1.
Definition timer_free (z : Z) : Z := Z.lor z 3.

(** System registers after reset, by their place after [FLAGS]. *)
Definition sys_reset (i : Z) : Z := if i =? 3 then 0xC50078 else 0.

(** Offset of the vector for a synchronous exception taken in state [pstate]. *)
Definition vector_offset (pstate : Z) : Z :=
  match Z.land pstate 31 with 4 => 0 | 5 => 0x200 | 0 => 0x400 | _ => 0x600 end.

(** * External inputs: what the host put into the structure of vCPU [c] of VM [v] *)

Definition src_host_vcpu (v c : Z) : Z := 2000 + 8 * v + c.
Definition src_host_run (v : Z) : Z := 2200 + v.

Section Ctxt.
  Context {F : Type -> Type} {N M P : Type}.
  Notation St := (St F N M P).

  (** ** This CPU *)

  Definition phys_regs (s : St) : regfile := cpu_regs (st_cpu s).
  Definition put_regs (m : regfile) (s : St) : St :=
    set_cpu (mkcpu (cpu_id (st_cpu s)) (cpu_vmid (st_cpu s)) (cpu_vcpuid (st_cpu s)) m) s.

  Definition get_cur_vmid : prim St := p0 (Some U32) (fun s => ret (cpu_vmid (st_cpu s)) s).
  Definition get_cur_vcpuid : prim St := p0 (Some U32) (fun s => ret (cpu_vcpuid (st_cpu s)) s).

  (** Whose context is loaded; the host's and KCore's vCPU is the CPU itself. *)
  Definition set_per_cpu : prim St :=
    p2 None U32 U32 (fun v c s =>
      rely is_vmid v;
      let own_cpu := (v =? HOSTVISOR) || (v =? COREVISOR) in
      rely own_cpu || (c <? 8);
      ret 0 (set_cpu (mkcpu (cpu_id (st_cpu s)) v (if own_cpu then cpu_id (st_cpu s) else c) (phys_regs s)) s)).

  (** ** Saved contexts *)

  (** The context, if this CPU may touch it. *)
  Definition get_ctxt (v c : Z) (s : St) : option regfile :=
    if is_vmid v && (c <? 8)
    then match st_ctxts s !! (8 * v + c) with
         | Some x => if c_held x || ((v =? HOSTVISOR) && (c =? cpu_id (st_cpu s))) then Some (c_val x) else None
         | None => None
         end
    else None.
  Definition put_ctxt (v c : Z) (m : regfile) (s : St) : St := set_ctxts (alter (set_val m) ((8 * v + c)) (st_ctxts s)) s.

  Definition get_shadow_ctxt : prim St :=
    p3 (Some U64) U32 U32 U32 (fun v c i s => some m := get_ctxt v c s; ret (numbered i m) s).
  Definition set_shadow_ctxt : prim St :=
    p4 None U32 U32 U32 U64 (fun v c i x s => some m := get_ctxt v c s; ret 0 (put_ctxt v c (put_numbered i x m) s)).

  Definition get_shadow_esr : prim St :=
    p2 (Some U32) U32 U32 (fun v c s => some m := get_ctxt v c s; ret (trunc U32 (reg_get ESR_EL2 m)) s).

  Definition get_shadow_dirty_bit : prim St :=
    p2 (Some U64) U32 U32 (fun v c s => some m := get_ctxt v c s; ret (reg_word DIRTY m) s).
  Definition set_shadow_dirty_bit : prim St :=
    p3 None U32 U32 U64 (fun v c x s =>
      some m := get_ctxt v c s; ret 0 (put_ctxt v c (mark x m) s)).

  Definition clear_regs (l : list reg) : prim St :=
    p2 None U32 U32 (fun v c s =>
      some m := get_ctxt v c s; ret 0 (put_ctxt v c (zeros l m) s)).

  (** ** Between this CPU and the context that is loaded *)

  Definition cur_ctxt (s : St) : option regfile := get_ctxt (cpu_vmid (st_cpu s)) (cpu_vcpuid (st_cpu s)) s.
  Definition put_cur (m : regfile) (s : St) : St := put_ctxt (cpu_vmid (st_cpu s)) (cpu_vcpuid (st_cpu s)) m s.

  Definition save_regs (l : list (reg * reg)) : prim St :=
    p0 None (fun s => some m := cur_ctxt s; ret 0 (put_cur (move_regs l (phys_regs s) m) s)).
  Definition restore_regs (l : list (reg * reg)) : prim St :=
    p0 None (fun s => some m := cur_ctxt s; ret 0 (put_regs (move_regs (reversed l) m (phys_regs s)) s)).

  Definition set_control (f : regfile -> regfile) : prim St := p0 None (fun s => ret 0 (put_regs (f (phys_regs s)) s)).
  Definition on_reg (r : reg) (f : Z -> Z) (m : regfile) : regfile := <[r := f (reg_get r m)]> m.

  (** The translation, the traps and the pointer of the context's per-CPU data at EL2. *)
  Definition vm_el2_restore_state : prim St :=
    p0 None (fun s =>
      some m := cur_ctxt s;
      ret 0 (put_regs (put_all [(VTTBR_EL2, pt_vttbr (cpu_vmid (st_cpu s))); (HCR_EL2, HCR_VM);
                                (TPIDR_EL2, reg_get TPIDR_EL2 m)] (phys_regs s)) s)).
  Definition host_el2_restore_state : prim St :=
    set_control (put_all [(VTTBR_EL2, pt_vttbr HOSTVISOR); (HCR_EL2, HCR_HOST); (TPIDR_EL2, 0)]).

  (** The instruction that trapped is done: go on with the next. *)
  Definition skip_instr : prim St := set_control (on_reg ELR_EL2 (fun z => trunc U64 (z + 4))).

  Definition read_reg (t : ty) (r : reg) : prim St := p0 (Some t) (fun s => ret (trunc t (reg_get r (phys_regs s))) s).
  Definition timer_set_cntvoff : prim St := p1 None U64 (fun x s => ret 0 (put_regs (<[CNTVOFF_EL2 := x]> (phys_regs s)) s)).

  (** ** The structure that the host sees *)

  (** The next value of an input, zero when it has run out; and the state when it is read. *)
  Definition input (t : ty) (src : Z) (s : St) : Z := trunc t (hd 0 (default [] (st_ins s !! src))).
  Definition consume (src : Z) (s : St) : St := set_ins (<[src := tl (default [] (st_ins s !! src))]> (st_ins s)) s.
  Definition read_input (t : ty) (src : Z) (s : St) : option (res St) := ret (input t src s) (consume src s).

  Definition get_int (t : ty) : prim St := p2 (Some t) U32 U32 (fun v c => read_input t (src_host_vcpu v c)).
  Definition get_int_gpr : prim St := p3 (Some U64) U32 U32 U32 (fun v c _ => read_input U64 (src_host_vcpu v c)).
  Definition get_int_run_vcpuid : prim St := p1 (Some U32) U32 (fun v => read_input U32 (src_host_run v)).

  (** Register [i] of the vCPU is shown to the host. *)
  Definition set_int : prim St :=
    p4 None U32 U32 U32 U64 (fun v c i x s => ret 0 (set_outs (Flow v HOSTVISOR [c; i; x] :: st_outs s) s)).

  Definition get_sys_reg_desc_val : prim St := p1 (Some U64) U32 (fun i s => ret (sys_reset i) s).
  Definition get_exception_vector : prim St := p1 (Some U64) U64 (fun x s => ret (vector_offset x) s).

  (** ** Tables *)

  Definition T_cpu : tbl St :=
    [("get_cur_vmid", get_cur_vmid); ("get_cur_vcpuid", get_cur_vcpuid); ("set_per_cpu", set_per_cpu);
     ("read_actlr_el1", read_reg U64 ACTLR_EL1); ("read_hpfar_el2", read_reg U64 HPFAR_EL2);
     ("read_esr_el2", read_reg U32 ESR_EL2);
     ("host_skip_instr", skip_instr); ("core_handle_sys64", skip_instr); ("timer_set_cntvoff", timer_set_cntvoff);
     ("activate_traps", set_control (put_all vm_traps)); ("deactivate_traps", set_control (put_all host_traps));
     ("timer_enable_traps", set_control (on_reg CNTHCTL_EL2 timer_trapped));
     ("timer_disable_traps", set_control (on_reg CNTHCTL_EL2 timer_free));
     ("host_el2_restore_state", host_el2_restore_state); ("vm_el2_restore_state", vm_el2_restore_state)].

  Definition T_moves : tbl St :=
    [("host_to_core", save_regs gp_moves); ("vm_to_core", save_regs gp_moves);
     ("core_to_host", restore_regs gp_moves); ("core_to_vm", restore_regs gp_moves);
     ("exit_populate_fault", save_regs fault_moves);
     ("save_sysregs", save_regs sys_moves); ("restore_sysregs", restore_regs sys_moves);
     ("fpsimd_save_state", save_regs fp_moves); ("fpsimd_restore_state", restore_regs fp_moves)].

  Definition T_shadow : tbl St :=
    [("get_shadow_ctxt", get_shadow_ctxt); ("set_shadow_ctxt", set_shadow_ctxt); ("get_shadow_esr", get_shadow_esr);
     ("get_shadow_dirty_bit", get_shadow_dirty_bit); ("set_shadow_dirty_bit", set_shadow_dirty_bit);
     ("clear_shadow_gp_regs", clear_regs x_regs); ("reset_fp_regs", clear_regs fp_regs);
     ("get_sys_reg_desc_val", get_sys_reg_desc_val); ("get_exception_vector", get_exception_vector)].

  Definition T_int : tbl St :=
    [("get_int_pc", get_int U64); ("get_int_pstate", get_int U64); ("get_int_gpr", get_int_gpr);
     ("get_int_inject", get_int U32); ("get_vm_fault_addr", get_int U64); ("get_int_new_pte", get_int U64);
     ("get_int_new_level", get_int U32); ("get_int_run_vcpuid", get_int_run_vcpuid);
     ("set_int_gpr", set_int); ("set_int_fault", set_int)].

  Definition T_ctxt : tbl St := (T_cpu ++ T_moves ++ T_shadow ++ T_int)%list.
End Ctxt.

(** * A context that may be touched *)

Section Laws.
  Context {F : Type -> Type} {N M P : Type}.
  Implicit Type s : St F N M P.

  (** Putting back what is there changes nothing. *)
  Lemma put_ctxt_id v c s m : get_ctxt v c s = Some m -> put_ctxt v c m s = s.
  Proof.
    unfold get_ctxt, put_ctxt. destruct (is_vmid v && (c <? 8)); [|discriminate].
    destruct (st_ctxts s !! (8 * v + c)) as [x|] eqn:L; [|discriminate].
    destruct (c_held x || _); [|discriminate]. intros [= <-]. rewrite alter_id; [apply set_ctxts_id|].
    intros y E. rewrite L in E. injection E as <-. now destruct x.
  Qed.
  (** What was put is got, and only the last put counts. *)
  Lemma get_put_ctxt v c s m m' : get_ctxt v c s = Some m -> get_ctxt v c (put_ctxt v c m' s) = Some m'.
  Proof.
    unfold get_ctxt, put_ctxt. cbn [st_ctxts st_cpu set_ctxts]. rewrite lookup_alter.
    destruct (is_vmid v && (c <? 8)); [|discriminate].
    destruct (st_ctxts s !! (8 * v + c)) as [x|]; [|discriminate]. cbn.
    destruct (c_held x || _); [reflexivity | discriminate].
  Qed.
  Lemma put_put_ctxt v c s m m' : put_ctxt v c m' (put_ctxt v c m s) = put_ctxt v c m' s.
  Proof. unfold put_ctxt, set_ctxts. cbn. f_equal. rewrite <- alter_compose. reflexivity. Qed.
End Laws.

(** * Moving registers *)

Lemma reg_get_insert r r' z m : reg_get r (<[r' := z]> m) = if decide (r = r') then z else reg_get r m.
Proof.
  unfold reg_get. destruct (decide (r = r')) as [->|Ne]; [now rewrite lookup_insert | now rewrite lookup_insert_ne by congruence].
Qed.

(** A register that is the destination of one move has the moved value, one that is the
    destination of none has what it had. *)
Lemma move_in l src dst d x : NoDup (map fst l) -> In (d, x) l -> reg_get d (move_regs l src dst) = reg_get x src.
Proof.
  induction l as [|[d' x'] l IH]; cbn; [tauto|]. intros D. apply NoDup_cons in D as [N D].
  rewrite reg_get_insert. intros [[= -> ->]|I]; [now rewrite decide_True by reflexivity|].
  destruct (decide (d = d')) as [->|Ne]; [|auto]. destruct N. apply elem_of_list_In, in_map_iff. now exists (d', x).
Qed.
Lemma move_out l src dst d : ~ In d (map fst l) -> reg_get d (move_regs l src dst) = reg_get d dst.
Proof.
  induction l as [|[d' x'] l IH]; cbn; [reflexivity|]. intros N. rewrite reg_get_insert.
  rewrite decide_False by intuition congruence. auto.
Qed.

(** Saved and restored: every register of the set has its value again. *)
Theorem round_trip l phys ctxt phys' r x : NoDup (map fst l) -> NoDup (map snd l) -> In (r, x) l ->
  reg_get x (move_regs (reversed l) (move_regs l phys ctxt) phys') = reg_get x phys.
Proof.
  intros D1 D2 I. transitivity (reg_get r (move_regs l phys ctxt)).
  - apply move_in; [unfold reversed; now rewrite map_map|]. unfold reversed. apply in_map_iff. now exists (r, x).
  - now apply move_in.
Qed.
