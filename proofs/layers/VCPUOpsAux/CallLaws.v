(* SPDX-License-Identifier: Apache-2.0 *)
(** What a call of each primitive on contexts, inputs and outputs does, as one equation.  The code proofs of layers 27 to
    33 run their calls by these, so that nothing is opened but what the function itself does. *)
From SeKVM.layers.VCPUOpsAux Require Export Spec CtxtLaws.
Local Open Scope Z_scope.

Lemma wrap_in_range t z : in_range t (wrap t z) = true.
Proof. apply trunc_in_range. Qed.
Lemma vector_in_range ps : in_range U64 (vector_offset ps) = true.
Proof. unfold vector_offset. repeat (case_match; try reflexivity). Qed.
Lemma sys_reset_in_range i : in_range U64 (sys_reset i) = true.
Proof. unfold sys_reset. destruct (i =? 3); reflexivity. Qed.

Section Match.
  Context {S : Type} (o : option (res S)) (K : Z -> S -> Prop) (H : S -> Prop).
  Lemma match_ok v s : o = Some (Ok v s) -> K v s ->
    match o with Some (Ok v s) => K v s | Some (Halt s) => H s | None => False end.
  Proof. now intros ->. Qed.
  Lemma match_halt s : o = Some (Halt s) -> H s ->
    match o with Some (Ok v s) => K v s | Some (Halt s) => H s | None => False end.
  Proof. now intros ->. Qed.
End Match.

Section Calls.
  Context {F : Type -> Type} {N M P : Type}.
  Implicit Type s : St F N M P.
  Notation "'u32' x" := (in_range U32 x = true) (at level 10, x at level 9).
  Notation "'u64' x" := (in_range U64 x = true) (at level 10, x at level 9).

  Lemma get_shadow_ctxt_ok v c i s m : get_ctxt v c s = Some m -> u32 v -> u32 c -> u32 i ->
    get_shadow_ctxt [v; c; i] s = Some (Ok (numbered i m) s).
  Proof. intros G A B C. unfold get_shadow_ctxt, p3, chk. now rewrite A, B, C, G, numbered_in_range. Qed.
  Lemma set_shadow_ctxt_ok v c i x s m : get_ctxt v c s = Some m -> u32 v -> u32 c -> u32 i -> u64 x ->
    set_shadow_ctxt [v; c; i; x] s = Some (Ok 0 (put_ctxt v c (put_numbered i x m) s)).
  Proof. intros G A B C D. unfold set_shadow_ctxt, p4, chk. now rewrite A, B, C, D, G. Qed.
  Lemma get_shadow_esr_ok v c s m : get_ctxt v c s = Some m -> u32 v -> u32 c ->
    get_shadow_esr [v; c] s = Some (Ok (trunc U32 (reg_get ESR_EL2 m)) s).
  Proof. intros G A B. unfold get_shadow_esr, p2, chk. now rewrite A, B, G, trunc_in_range. Qed.
  Lemma get_dirty_ok v c s m : get_ctxt v c s = Some m -> u32 v -> u32 c ->
    get_shadow_dirty_bit [v; c] s = Some (Ok (reg_word DIRTY m) s).
  Proof. intros G A B. unfold get_shadow_dirty_bit, p2, chk. now rewrite A, B, G, reg_word_in_range. Qed.
  Lemma set_dirty_ok v c x s m : get_ctxt v c s = Some m -> u32 v -> u32 c -> u64 x ->
    set_shadow_dirty_bit [v; c; x] s = Some (Ok 0 (put_ctxt v c (mark x m) s)).
  Proof. intros G A B C. unfold set_shadow_dirty_bit, p3, chk. now rewrite A, B, C, G. Qed.
  Lemma clear_regs_ok l v c s m : get_ctxt v c s = Some m -> u32 v -> u32 c ->
    clear_regs l [v; c] s = Some (Ok 0 (put_ctxt v c (zeros l m) s)).
  Proof. intros G A B. unfold clear_regs, p2, chk. now rewrite A, B, G. Qed.

  Lemma get_int_ok t v c s : u32 v -> u32 c ->
    get_int t [v; c] s = Some (Ok (input t (src_host_vcpu v c) s) (consume (src_host_vcpu v c) s)).
  Proof. intros A B. unfold get_int, p2, read_input, chk. now rewrite A, B, input_in_range. Qed.
  Lemma get_int_gpr_ok v c i s : u32 v -> u32 c -> u32 i ->
    get_int_gpr [v; c; i] s = Some (Ok (input U64 (src_host_vcpu v c) s) (consume (src_host_vcpu v c) s)).
  Proof. intros A B C. unfold get_int_gpr, p3, read_input, chk. now rewrite A, B, C, input_in_range. Qed.
  Lemma get_run_ok v s : u32 v ->
    get_int_run_vcpuid [v] s = Some (Ok (input U32 (src_host_run v) s) (consume (src_host_run v) s)).
  Proof. intros A. unfold get_int_run_vcpuid, p1, read_input, chk. now rewrite A, input_in_range. Qed.
  Lemma set_int_ok v c i x s : u32 v -> u32 c -> u32 i -> u64 x ->
    set_int [v; c; i; x] s = Some (Ok 0 (set_outs (Flow v HOSTVISOR [c; i; x] :: st_outs s) s)).
  Proof. intros A B C D. unfold set_int, p4, chk. now rewrite A, B, C, D. Qed.

  Lemma sys_reset_ok i s : u32 i -> get_sys_reg_desc_val [i] s = Some (Ok (sys_reset i) s).
  Proof. intros A. unfold get_sys_reg_desc_val, p1, chk. now rewrite A, sys_reset_in_range. Qed.
  Lemma vector_ok x s : u64 x -> get_exception_vector [x] s = Some (Ok (vector_offset x) s).
  Proof. intros A. unfold get_exception_vector, p1, chk. now rewrite A, vector_in_range. Qed.
  Lemma read_reg_ok t r s : read_reg t r [] s = Some (Ok (trunc t (reg_get r (phys_regs s))) s).
  Proof. unfold read_reg, p0, chk. now rewrite trunc_in_range. Qed.
  Lemma cur_vmid_ok s : u32 (cpu_vmid (st_cpu s)) -> get_cur_vmid [] s = Some (Ok (cpu_vmid (st_cpu s)) s).
  Proof. intros A. unfold get_cur_vmid, p0, chk. now rewrite A. Qed.
  Lemma cur_vcpuid_ok s : u32 (cpu_vcpuid (st_cpu s)) -> get_cur_vcpuid [] s = Some (Ok (cpu_vcpuid (st_cpu s)) s).
  Proof. intros A. unfold get_cur_vcpuid, p0, chk. now rewrite A. Qed.
  Lemma panic_ok s : panic [] s = Some (Halt s).
  Proof. reflexivity. Qed.
End Calls.
