(* SPDX-License-Identifier: Apache-2.0 *)
(** Bottom primitives for the life cycle of VMs: the allocation counters of KCore, the
    record of each VM, saved contexts changing hands, what the host and the signed image
    tell KCore, the hash of a frame, and the cipher of encrypted transfer.  One accessor
    each and no policy: this file is part of what a reader must trust.  Counters and
    records may be touched only while their lock is held.  Rests on [State] and [Hash];
    C prototypes in [layers/prims.h].

    Inputs.  [get_shared_kvm] and [get_shared_vcpu] are addresses that the host hands
    over: any words.  [get_image_digest] is the digest in the signed header of a VM's
    image: checking the signature is outside the model, so the word comes from the VM's
    owner and not from the host.

    Cipher.  A word of ciphertext is the exclusive or of the plaintext with one word of
    the VM's key stream, which is an input.  This says that the ciphertext depends on
    the plaintext, that the same key stream opens it, and that it goes to the host: each
    word is in the ledger [st_outs].  It does not say that the key stream is secret, nor
    that a change of the ciphertext is noticed. *)
From SeKVM.machine Require Export BottomPages Hash.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Memory and inputs *)

(** The writes of other CPUs that came before this access have happened. *)
Definition sync_mem (m : memview) : memview :=
  let before := hd [] (m_script m) in
  mkmem (apply_writes before (m_words m)) (before ++ m_log m)%list (tl (m_script m)).

(** The words of frame [pfn], and the memory after CPU [me] stored [ws] there. *)
Definition frame_contents (pfn : Z) (m : memview) : list Z := map (word (m_words m)) (frame_words pfn).
Definition store_frame (me pfn : Z) (ws : list Z) (m : memview) : memview :=
  let evs := map (fun p => (me, p)) (combine (frame_words pfn) ws) in
  mkmem (apply_writes evs (m_words m)) (evs ++ m_log m)%list (m_script m).

(** The next [n] words from a source, of 64 bits each, and the inputs after them. *)
Definition inputs (n : nat) (src : Z) (i : gmap Z (list Z)) : list Z :=
  map (fun k => wrap U64 (nth k (default [] (i !! src)) 0)) (seq 0 n).
Definition skip_inputs (n : nat) (src : Z) (i : gmap Z (list Z)) : gmap Z (list Z) :=
  <[src := drop n (default [] (i !! src))]> i.

(** The words of a frame; a number that nothing computes. *)
Definition FRAME_WORDS : nat := Z.to_nat 512.

(** Sources of VM [v], and of its vCPU [c]. *)
Definition src_kvm (v : Z) : Z := 1000 + v.
Definition src_digest (v : Z) : Z := 1100 + v.
Definition src_keystream (v : Z) : Z := 1200 + v.
Definition ctxt_id (v c : Z) : Z := 8 * v + c.
Definition src_vcpu (v c : Z) : Z := 1300 + ctxt_id v c.
Definition src_cipher (v c : Z) : Z := 1500 + ctxt_id v c.

(** The cipher: sealing and opening are the same. *)
Definition seal (keys ws : list Z) : list Z := map (fun p => wrap U64 (Z.lxor (fst p) (snd p))) (combine keys ws).

(** * Records *)

Definition set_next_vmid (v : Z) (x : core_data) : core_data := mkcore v (next_remap_ptr x).
Definition set_next_remap_ptr (v : Z) (x : core_data) : core_data := mkcore (next_vmid x) v.

Definition set_vm_kvm (v : Z) (x : vminfo) : vminfo :=
  mkvminfo v (vm_state x) (vm_power x) (vm_inc_exe x) (vcpu_state x) (vcpu_ptr x)
    (load_next x) (load_addr x) (load_size x) (load_remap x) (load_mapped x) (load_digest x).
Definition set_vm_state (v : Z) (x : vminfo) : vminfo :=
  mkvminfo (vm_kvm x) v (vm_power x) (vm_inc_exe x) (vcpu_state x) (vcpu_ptr x)
    (load_next x) (load_addr x) (load_size x) (load_remap x) (load_mapped x) (load_digest x).
Definition set_vm_inc_exe (v : Z) (x : vminfo) : vminfo :=
  mkvminfo (vm_kvm x) (vm_state x) (vm_power x) v (vcpu_state x) (vcpu_ptr x)
    (load_next x) (load_addr x) (load_size x) (load_remap x) (load_mapped x) (load_digest x).
Definition set_vcpu_state (i v : Z) (x : vminfo) : vminfo :=
  mkvminfo (vm_kvm x) (vm_state x) (vm_power x) (vm_inc_exe x) (<[i := v]> (vcpu_state x)) (vcpu_ptr x)
    (load_next x) (load_addr x) (load_size x) (load_remap x) (load_mapped x) (load_digest x).
Definition set_vcpu_ptr (i v : Z) (x : vminfo) : vminfo :=
  mkvminfo (vm_kvm x) (vm_state x) (vm_power x) (vm_inc_exe x) (vcpu_state x) (<[i := v]> (vcpu_ptr x))
    (load_next x) (load_addr x) (load_size x) (load_remap x) (load_mapped x) (load_digest x).
Definition set_load_next (v : Z) (x : vminfo) : vminfo :=
  mkvminfo (vm_kvm x) (vm_state x) (vm_power x) (vm_inc_exe x) (vcpu_state x) (vcpu_ptr x)
    v (load_addr x) (load_size x) (load_remap x) (load_mapped x) (load_digest x).
Definition set_load_addr (i v : Z) (x : vminfo) : vminfo :=
  mkvminfo (vm_kvm x) (vm_state x) (vm_power x) (vm_inc_exe x) (vcpu_state x) (vcpu_ptr x)
    (load_next x) (<[i := v]> (load_addr x)) (load_size x) (load_remap x) (load_mapped x) (load_digest x).
Definition set_load_size (i v : Z) (x : vminfo) : vminfo :=
  mkvminfo (vm_kvm x) (vm_state x) (vm_power x) (vm_inc_exe x) (vcpu_state x) (vcpu_ptr x)
    (load_next x) (load_addr x) (<[i := v]> (load_size x)) (load_remap x) (load_mapped x) (load_digest x).
Definition set_load_remap (i v : Z) (x : vminfo) : vminfo :=
  mkvminfo (vm_kvm x) (vm_state x) (vm_power x) (vm_inc_exe x) (vcpu_state x) (vcpu_ptr x)
    (load_next x) (load_addr x) (load_size x) (<[i := v]> (load_remap x)) (load_mapped x) (load_digest x).
Definition set_load_mapped (i v : Z) (x : vminfo) : vminfo :=
  mkvminfo (vm_kvm x) (vm_state x) (vm_power x) (vm_inc_exe x) (vcpu_state x) (vcpu_ptr x)
    (load_next x) (load_addr x) (load_size x) (load_remap x) (<[i := v]> (load_mapped x)) (load_digest x).
Definition set_load_digest (i v : Z) (x : vminfo) : vminfo :=
  mkvminfo (vm_kvm x) (vm_state x) (vm_power x) (vm_inc_exe x) (vcpu_state x) (vcpu_ptr x)
    (load_next x) (load_addr x) (load_size x) (load_remap x) (load_mapped x) (<[i := v]> (load_digest x)).

(** A VM has eight vCPUs and at most five images. *)
Definition MAX_VCPU : Z := 8.
Definition MAX_LOAD_INFO : Z := 5.
Definition below (n i : Z) : bool := (0 <=? i) && (i <? n).

(** * Primitives *)

Section Records.
  Context {F : Type -> Type} {V : View F} {N M P : Type}.
  Notation St := (St F N M P).

  Definition core_get (t : ty) (f : core_data -> Z) : prim St :=
    p0 (Some t) (fun s => rely own (st_core s); ret (f (value (st_core s))) s).
  Definition core_set (t : ty) (f : Z -> core_data -> core_data) : prim St :=
    p1 None t (fun v s => rely own (st_core s); ret 0 (set_core (store (f v (value (st_core s))) (st_core s)) s)).

  (** Fields of the record of VM [vm], and entries of its arrays of [n] entries. *)
  Definition vm_get (t : ty) (f : vminfo -> Z) : prim St :=
    p1 (Some t) U32 (fun vm s => some c := st_vms s !! vm; rely own c; ret (f (value c)) s).
  Definition vm_set (t : ty) (f : Z -> vminfo -> vminfo) : prim St :=
    p2 None U32 t (fun vm v s =>
      some c := st_vms s !! vm; rely own c; ret 0 (set_vms (<[vm := store (f v (value c)) c]> (st_vms s)) s)).
  Definition vm_get_at (n : Z) (t : ty) (f : vminfo -> gmap Z Z) : prim St :=
    p2 (Some t) U32 U32 (fun vm i s =>
      some c := st_vms s !! vm; rely own c; rely below n i; ret (word (f (value c)) i) s).
  Definition vm_set_at (n : Z) (t : ty) (f : Z -> Z -> vminfo -> vminfo) : prim St :=
    p3 None U32 U32 t (fun vm i v s =>
      some c := st_vms s !! vm; rely own c; rely below n i;
      ret 0 (set_vms (<[vm := store (f i v (value c)) c]> (st_vms s)) s)).

  (** ** Saved contexts *)

  (** The saved context of a vCPU changes hands under the VM's lock; both are ghosts,
      like those of the locks. *)
  Definition pull_ctxt : prim St :=
    p2 None U32 U32 (fun vm i s =>
      some c := st_vms s !! vm; rely own c; rely below MAX_VCPU i;
      some x := st_ctxts s !! ctxt_id vm i; rely negb (c_held x);
      ret 0 (set_ctxts (<[ctxt_id vm i := acquire_cell x]> (st_ctxts s)) s)).
  Definition push_ctxt : prim St :=
    p2 None U32 U32 (fun vm i s =>
      some c := st_vms s !! vm; rely own c; rely below MAX_VCPU i;
      some x := st_ctxts s !! ctxt_id vm i; rely c_held x;
      ret 0 (set_ctxts (<[ctxt_id vm i := release_cell (cpu_id (st_cpu s)) x]> (st_ctxts s)) s)).

  (** The context of a vCPU that never ran: zeros, and a mark that says so. *)
  Definition NEVER_RAN : regfile := {[ DIRTY := INVALID64 ]}.
  Definition new_shadow_ctxt : prim St :=
    p2 None U32 U32 (fun vm i s =>
      rely below MAX_VCPU i; some x := st_ctxts s !! ctxt_id vm i; rely c_held x;
      ret 0 (set_ctxts (<[ctxt_id vm i := set_val NEVER_RAN x]> (st_ctxts s)) s)).

  (** ** Inputs *)

  Definition get_shared_kvm : prim St :=
    p1 (Some U64) U32 (fun vm s =>
      ret (hd 0 (inputs 1 (src_kvm vm) (st_ins s))) (set_ins (skip_inputs 1 (src_kvm vm) (st_ins s)) s)).
  Definition get_shared_vcpu : prim St :=
    p2 (Some U64) U32 U32 (fun vm i s =>
      ret (hd 0 (inputs 1 (src_vcpu vm i) (st_ins s))) (set_ins (skip_inputs 1 (src_vcpu vm i) (st_ins s)) s)).
  Definition get_image_digest : prim St :=
    p1 (Some U64) U32 (fun vm s =>
      ret (hd 0 (inputs 1 (src_digest vm) (st_ins s))) (set_ins (skip_inputs 1 (src_digest vm) (st_ins s)) s)).

  (** ** Hash and cipher *)

  (** Continue the hash [h] with the words of frame [pfn]; the 512 loads count as one
      access. *)
  Definition hash_page : prim St :=
    p2 (Some U64) U64 U64 (fun pfn h s =>
      let m := sync_mem (st_mem s) in ret (hash_words h (frame_contents pfn m)) (set_mem m s)).

  (** The frame [from] of VM [vm] goes sealed to the frame [to] of the host. *)
  Definition encrypt_mem_buf : prim St :=
    p3 None U32 U64 U64 (fun vm from to s =>
      let m := sync_mem (st_mem s) in
      let cs := seal (inputs FRAME_WORDS (src_keystream vm) (st_ins s)) (frame_contents from m) in
      ret 0 (set_outs (Flow vm HOSTVISOR cs :: st_outs s)
              (set_ins (skip_inputs FRAME_WORDS (src_keystream vm) (st_ins s))
                (set_mem (store_frame (cpu_id (st_cpu s)) to cs m) s)))).

  (** The frame [pfn] is opened in place for VM [vm], which will see what it holds. *)
  Definition decrypt_mem_buf : prim St :=
    p2 None U32 U64 (fun vm pfn s =>
      let m := sync_mem (st_mem s) in
      let ws := seal (inputs FRAME_WORDS (src_keystream vm) (st_ins s)) (frame_contents pfn m) in
      ret 0 (set_outs (Flow HOSTVISOR vm ws :: st_outs s)
              (set_ins (skip_inputs FRAME_WORDS (src_keystream vm) (st_ins s))
                (set_mem (store_frame (cpu_id (st_cpu s)) pfn ws m) s)))).

  (** What is transferred of a context: general registers, and system registers of EL1. *)
  Definition gp_regs : list reg :=
    [X0; X1; X2; X3; X4; X5; X6; X7; X8; X9; X10; X11; X12; X13; X14; X15; X16; X17; X18; X19; X20; X21; X22; X23;
     X24; X25; X26; X27; X28; X29; X30; PC; PSTATE].
  Definition sys_regs : list reg :=
    [SP_EL1; ELR_EL1; SPSR_EL1; MPIDR_EL1; CSSELR_EL1; SCTLR_EL1; ACTLR_EL1; CPACR_EL1; TTBR0_EL1; TTBR1_EL1; TCR_EL1;
     ESR_EL1; AFSR0_EL1; AFSR1_EL1; FAR_EL1; MAIR_EL1; VBAR_EL1; CONTEXTIDR_EL1; TPIDR_EL0; TPIDRRO_EL0; TPIDR_EL1;
     AMAIR_EL1; CNTKCTL_EL1; PAR_EL1; MDSCR_EL1; SPSR_0; SP_EL0].

  (** The registers [rs] of a context that this CPU has go sealed to the host. *)
  Definition encrypt_regs (rs : list reg) : prim St :=
    p2 None U32 U32 (fun vm i s =>
      rely below MAX_VCPU i; some x := st_ctxts s !! ctxt_id vm i; rely c_held x;
      let n := List.length rs in
      let cs := seal (inputs n (src_keystream vm) (st_ins s)) (map (fun r => reg_get r (c_val x)) rs) in
      ret 0 (set_outs (Flow vm HOSTVISOR cs :: st_outs s)
              (set_ins (skip_inputs n (src_keystream vm) (st_ins s)) s))).

  (** They are opened from words that the host gives. *)
  Definition write_regs (rs : list reg) (ws : list Z) (x : regfile) : regfile :=
    fold_right (fun p x => <[fst p := snd p]> x) x (combine rs ws).
  Definition decrypt_regs (rs : list reg) : prim St :=
    p2 None U32 U32 (fun vm i s =>
      rely below MAX_VCPU i; some x := st_ctxts s !! ctxt_id vm i; rely c_held x;
      let n := List.length rs in
      let ws := seal (inputs n (src_keystream vm) (st_ins s)) (inputs n (src_cipher vm i) (st_ins s)) in
      ret 0 (set_outs (Flow HOSTVISOR vm ws :: st_outs s)
              (set_ins (skip_inputs n (src_cipher vm i) (skip_inputs n (src_keystream vm) (st_ins s)))
                (set_ctxts (<[ctxt_id vm i := set_val (write_regs rs ws (c_val x)) x]> (st_ctxts s)) s)))).

  Definition T_core : tbl St :=
    [("get_next_vmid", core_get U32 next_vmid); ("set_next_vmid", core_set U32 set_next_vmid);
     ("get_next_remap_ptr", core_get U64 next_remap_ptr); ("set_next_remap_ptr", core_set U64 set_next_remap_ptr)].
  Definition T_vminfo : tbl St :=
    [("get_vm_state", vm_get U32 vm_state); ("set_vm_state", vm_set U32 set_vm_state);
     ("get_vm_kvm", vm_get U64 vm_kvm); ("set_vm_kvm", vm_set U64 set_vm_kvm);
     ("get_vm_inc_exe", vm_get U32 vm_inc_exe); ("set_vm_inc_exe", vm_set U32 set_vm_inc_exe);
     ("get_vcpu_state", vm_get_at MAX_VCPU U32 vcpu_state); ("set_vcpu_state", vm_set_at MAX_VCPU U32 set_vcpu_state);
     ("get_vm_vcpu", vm_get_at MAX_VCPU U64 vcpu_ptr); ("set_vm_vcpu", vm_set_at MAX_VCPU U64 set_vcpu_ptr);
     ("get_vm_next_load_idx", vm_get U32 load_next); ("set_vm_next_load_idx", vm_set U32 set_load_next);
     ("get_vm_load_addr", vm_get_at MAX_LOAD_INFO U64 load_addr);
     ("set_vm_load_addr", vm_set_at MAX_LOAD_INFO U64 set_load_addr);
     ("get_vm_load_size", vm_get_at MAX_LOAD_INFO U64 load_size);
     ("set_vm_load_size", vm_set_at MAX_LOAD_INFO U64 set_load_size);
     ("get_vm_remap_addr", vm_get_at MAX_LOAD_INFO U64 load_remap);
     ("set_vm_remap_addr", vm_set_at MAX_LOAD_INFO U64 set_load_remap);
     ("get_vm_mapped_pages", vm_get_at MAX_LOAD_INFO U64 load_mapped);
     ("set_vm_mapped_pages", vm_set_at MAX_LOAD_INFO U64 set_load_mapped);
     ("get_vm_load_digest", vm_get_at MAX_LOAD_INFO U64 load_digest);
     ("set_vm_load_digest", vm_set_at MAX_LOAD_INFO U64 set_load_digest)].
  Definition T_vmctxt : tbl St :=
    [("pull_ctxt", pull_ctxt); ("push_ctxt", push_ctxt); ("new_shadow_ctxt", new_shadow_ctxt);
     ("encrypt_gp_regs", encrypt_regs gp_regs); ("encrypt_sys_regs", encrypt_regs sys_regs);
     ("decrypt_gp_regs", decrypt_regs gp_regs); ("decrypt_sys_regs", decrypt_regs sys_regs)].
  Definition T_image : tbl St :=
    [("get_shared_kvm", get_shared_kvm); ("get_shared_vcpu", get_shared_vcpu); ("get_image_digest", get_image_digest);
     ("hash_page", hash_page); ("encrypt_mem_buf", encrypt_mem_buf); ("decrypt_mem_buf", decrypt_mem_buf)].

  (** All of them. *)
  Definition T_vm : tbl St := (T_core ++ T_vminfo ++ T_vmctxt ++ T_image)%list.
End Records.

(** * The key stream opens what it sealed *)

Lemma lxor_range a b : 0 <= a < modulus U64 -> 0 <= b < modulus U64 -> 0 <= Z.lxor a b < modulus U64.
Proof.
  intros A B. change (modulus U64) with (2 ^ 64) in *.
  assert (0 <= Z.lxor a b) by (apply Z.lxor_nonneg; lia). split; [assumption|].
  destruct (Z.eq_dec (Z.lxor a b) 0) as [->|N]; [reflexivity|].
  apply Z.log2_lt_pow2; [lia|]. pose proof (Z.log2_lxor a b ltac:(lia) ltac:(lia)).
  assert (L : forall x, 0 <= x < 2 ^ 64 -> Z.log2 x < 64).
  { intros x X. destruct (Z.eq_dec x 0) as [->|]; [reflexivity|]. apply Z.log2_lt_pow2; lia. }
  pose proof (L a A). pose proof (L b B). lia.
Qed.

Theorem seal_opens (keys : list Z) : forall ws : list Z, List.length keys = List.length ws ->
  Forall (fun w => in_range U64 w = true) keys -> Forall (fun w => in_range U64 w = true) ws ->
  seal keys (seal keys ws) = ws.
Proof.
  induction keys as [|k keys IH]; intros [|w ws]; cbn; try discriminate; auto.
  intros [= L] K W. inversion K as [|? ? K1 K2]; inversion W as [|? ? W1 W2]; subst.
  unfold in_range in K1, W1. apply andb_true_iff in K1 as [K1 K1'], W1 as [W1 W1'].
  apply Z.leb_le in K1, W1. apply Z.ltb_lt in K1', W1'.
  unfold wrap. rewrite (Z.mod_small (Z.lxor k w)) by (apply lxor_range; lia).
  rewrite <- Z.lxor_assoc, Z.lxor_nilpotent, Z.lxor_0_l, Z.mod_small by lia.
  f_equal. now apply IH.
Qed.
