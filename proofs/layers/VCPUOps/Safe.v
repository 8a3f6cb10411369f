(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 28, VCPUOps: what a vCPU's exit exposes.  The ledger grows by one entry for each register of [exit_shown], with
    that register's value, and by nothing else; and [exit_shown] is short: the reason, the syndrome, the page, and at most
    the four registers of a call or the one register of a store.  Rests on [Spec]. *)
From SeKVM.machine Require Import StateTac.
From SeKVM.layers.VCPUOps Require Import Spec.
From SeKVM.layers.VCPUOpsAux Require Import CtxtLaws.
Local Open Scope Z_scope.

Section Exit.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (off : prim St).

  (** Powering off says nothing to the host. *)
  Definition silent (p : prim St) : Prop := forall vs s r, p vs s = Some r ->
    match r with Ok _ s' | Halt s' => st_outs s' = st_outs s end.

  Theorem exit_exposes (s : St) v s' m :
    silent off -> get_ctxt (cpu_vmid (st_cpu s)) (cpu_vcpuid (st_cpu s)) s = Some m ->
    save_shadow_kvm_regs_spec off [] s = Some (Ok v s') ->
    st_outs s' = show (cpu_vmid (st_cpu s)) (cpu_vcpuid (st_cpu s)) m (exit_shown (exit_of m)) (st_outs s).
  Proof.
    intros Q G. unfold save_shadow_kvm_regs_spec, p0, with_cur. destruct (_ && _); [|discriminate]. rewrite G. cbv zeta.
    destruct (powers_off (exit_of m)).
    - destruct (off _ _) as [[w s1|s1]|] eqn:O; cbn [then_ chk]; try discriminate. cbn [Z.eqb].
      intros E. apply Some_inj in E. injection E as <- <-. exact (Q _ _ _ O).
    - cbn [chk Z.eqb]. intros E. apply Some_inj in E. injection E as <- <-. reflexivity.
  Qed.
End Exit.

(** What is shown, one by one: entries of this VM to the host, with the value of the register. *)
Lemma show_entries v c m l o : show v c m l o = rev (map (fun i => Flow v HOSTVISOR [c; i; shown i m]) l) ++ o.
Proof.
  unfold show. revert o. induction l as [|i l IH]; intros o; cbn; [reflexivity|]. rewrite IH. rewrite <- app_assoc. reflexivity.
Qed.

Theorem exit_shown_bounded e : exists l, exit_shown e = 44 :: l /\ incl l
  match e with
  | Ex_other => []
  | Ex_unknown | Ex_wfx => [72]
  | Ex_hvc _ => [72; 0; 1; 2; 3]
  | Ex_abort esr _ => [72; 42; 41; srt esr]
  end.
Proof.
  destruct e as [| | |f|esr hpfar]; cbn [exit_shown]; eexists; (split; [reflexivity|]); intros x I; cbn in I |- *; try tauto.
  - unfold hvc_shown in I. destruct (f =? CPU_ON64); [cbn in I; tauto|].
    destruct ((f =? AFFINITY_INFO) || (f =? AFFINITY_INFO64)); cbn in I; tauto.
  - unfold abort_shown in I. destruct (is_mmio hpfar); [|cbn in I; tauto].
    destruct (syndrome_valid esr && is_store esr); cbn in I; tauto.
Qed.

(** A fault in memory shows no general register, whatever the syndrome says. *)
Theorem memory_fault_private esr hpfar : is_mmio hpfar = false -> exit_shown (Ex_abort esr hpfar) = [44; 72; 42].
Proof. intros E. cbn. unfold abort_shown. now rewrite E. Qed.

(** An interrupt shows only that it was one. *)
Theorem interrupt_private m : reg_word EC m <> TRAP -> exit_shown (exit_of m) = [44].
Proof. intros E. unfold exit_of. destruct (Z.eqb_spec (reg_word EC m) TRAP); [contradiction | reflexivity]. Qed.

(** Two contexts that agree on the registers that an exit shows look the same to the host. *)
Theorem exit_hides v c m m' o : exit_of m = exit_of m' ->
  (forall i, In i (exit_shown (exit_of m)) -> shown i m = shown i m') ->
  show v c m (exit_shown (exit_of m)) o = show v c m' (exit_shown (exit_of m')) o.
Proof.
  intros E A. rewrite <- E. rewrite !show_entries. f_equal. f_equal. apply map_ext_in. intros i I. now rewrite A.
Qed.
