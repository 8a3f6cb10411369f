(* SPDX-License-Identifier: Apache-2.0 *)
(** What a call of each primitive that moves registers does, as one equation, and the step of a code proof that uses it.
    Used by the code proofs of layer 29. *)
From SeKVM.layers.VCPUOpsAux Require Export SpecTac.
From SeKVM.layers.CtxtSwitch Require Export Spec.
Local Open Scope Z_scope.

Section Laws.
  Context {N M P : Type}.
  Implicit Type s : St cell N M P.

  Lemma save_regs_ok l s m : cur_ctxt s = Some m ->
    save_regs l [] s = Some (Ok 0 (put_cur (move_regs l (phys_regs s) m) s)).
  Proof. intros G. unfold save_regs, p0, chk. now rewrite G. Qed.
  Lemma restore_regs_ok l s m : cur_ctxt s = Some m ->
    restore_regs l [] s = Some (Ok 0 (put_regs (move_regs (reversed l) m (phys_regs s)) s)).
  Proof. intros G. unfold restore_regs, p0, chk. now rewrite G. Qed.
  Lemma set_control_ok f s : set_control f [] s = Some (Ok 0 (put_regs (f (phys_regs s)) s)).
  Proof. reflexivity. Qed.
  Lemma host_el2_ok s : host_el2_restore_state [] s = Some (Ok 0 (put_regs (host_control (phys_regs s)) s)).
  Proof. reflexivity. Qed.
  Lemma vm_el2_ok s m : cur_ctxt s = Some m ->
    vm_el2_restore_state [] s = Some (Ok 0 (put_regs
      (put_all [(VTTBR_EL2, pt_vttbr (cpu_vmid (st_cpu s))); (HCR_EL2, HCR_VM); (TPIDR_EL2, reg_get TPIDR_EL2 m)]
         (phys_regs s)) s)).
  Proof. intros G. unfold vm_el2_restore_state, p0, chk. now rewrite G. Qed.
  Lemma set_host_ok s : set_per_cpu [0; 0] s = Some (Ok 0 (set_cpu (load HOSTVISOR (cpu_id (st_cpu s)) (st_cpu s)) s)).
  Proof. reflexivity. Qed.
  Lemma set_vm_ok v c s : in_range U32 v = true -> in_range U32 c = true -> (0 <? v) && (v <? COREVISOR) = true ->
    c <? 8 = true -> set_per_cpu [v; c] s = Some (Ok 0 (set_cpu (load v c (st_cpu s)) s)).
  Proof.
    intros A B V C. unfold set_per_cpu, p2. rewrite A, B. apply andb_true_iff in V as [V1 V2].
    apply Z.ltb_lt in V1. apply Z.ltb_lt in V2. unfold is_vmid, HOSTVISOR, COREVISOR in *.
    destruct (Z.leb_spec 0 v); [|lia]. destruct (Z.ltb_spec v 17); [|lia]. destruct (Z.eqb_spec v 0); [lia|].
    destruct (Z.eqb_spec v 16); [lia|]. rewrite C. reflexivity.
  Qed.

  Lemma cur_put_cur s m m' : cur_ctxt s = Some m -> cur_ctxt (put_cur m' s) = Some m'.
  Proof. apply get_put_ctxt. Qed.
  Lemma put_put_cur s m m' : put_cur m' (put_cur m s) = put_cur m' s.
  Proof. apply put_put_ctxt. Qed.
  Lemma cur_put_regs s r : cur_ctxt (put_regs r s) = cur_ctxt s.
  Proof. reflexivity. Qed.
  Lemma put_put_regs s r r' : put_regs r (put_regs r' s) = put_regs r s.
  Proof. reflexivity. Qed.
  Lemma phys_put_regs s r : phys_regs (put_regs r s) = r.
  Proof. reflexivity. Qed.
  Lemma phys_put_cur s m : phys_regs (put_cur m s) = phys_regs s.
  Proof. reflexivity. Qed.
End Laws.

Create HintDb switch discriminated.
#[export] Hint Rewrite @put_put_cur @cur_put_regs @put_put_regs @phys_put_regs @phys_put_cur : switch.

Ltac law e := find_call; eapply match_ok; [eapply e | cbv beta; autorewrite with switch].
