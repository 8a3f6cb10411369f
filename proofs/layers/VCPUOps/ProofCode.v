(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 28, VCPUOps: each function's code meets its specification, over what the layer uses.  Used by [Refine]. *)
From SeKVM.layers.VCPUOps Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Code.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (search_load_info set_vm_poweroff prot_and_map_vm_s2pt is_inc_exe : prim St).
  Notation U := (U search_load_info set_vm_poweroff prot_and_map_vm_s2pt is_inc_exe).

  Lemma save_shadow_kvm_regs_code : fun_ok U f_save_shadow_kvm_regs (save_shadow_kvm_regs_spec set_vm_poweroff).
  Proof.
    open0 H. unfold with_cur in H.
    destruct (in_range U32 (cpu_vmid _) && _) eqn:R in H; [|discriminate H]. apply andb_true_iff in R as [Rv Rc].
    destruct (get_ctxt _ _ s) as [m|] eqn:G in H; [|discriminate H]. cbv zeta in H.
    unfold exit_of, class_of, short_esr, TRAP, WFX, is_hvc, is_abort in H.
    unfold f_save_shadow_kvm_regs. run_vc_goal. osteps;
      try (decide_in H; cbn [powers_off exit_marks exit_shown] in H; answer H; rewrite ?show_cons;
           autorewrite with ctxt; rewrite ?(put_ctxt_id _ _ _ _ G); reflexivity).
    all: decide_in H; cbn [powers_off exit_marks exit_shown] in H; rewrite !show_cons in H;
      find_call; erewrite prep_hvc_ok; [| get_side | range_side ..]; cbv zeta;
      destruct (hvc_function m =? SYSTEM_OFF); [|answer H; autorewrite with ctxt; reflexivity];
      autorewrite with ctxt in H |- *; change (shown 44 m) with (reg_word EC m) in H;
      change (shown 72 m) with (reg_word ESR_EL2 m) in H;
      destruct (set_vm_poweroff _ _) as [[z s1|s1]|]; cbn [then_] in H |- *; [| |discriminate H]; answer H; reflexivity.
  Qed.

  Lemma restore_shadow_kvm_regs_code : fun_ok U f_restore_shadow_kvm_regs
    (restore_shadow_kvm_regs_spec search_load_info prot_and_map_vm_s2pt is_inc_exe).
  Proof.
    open0 H. unfold with_cur in H.
    destruct (in_range U32 (cpu_vmid _) && _) eqn:R in H; [|discriminate H]. apply andb_true_iff in R as [Rv Rc].
    destruct (get_ctxt _ _ s) as [m|] eqn:G in H; [|discriminate H].
    set (v := cpu_vmid (st_cpu s)) in *. set (c := cpu_vcpuid (st_cpu s)) in *.
    run_steps f_restore_shadow_kvm_regs.
    assert (Ev : get_cur_vmid [] s = Some (Ok v s)) by now apply cur_vmid_ok.
    assert (Ec : get_cur_vcpuid [] s = Some (Ok c s)) by now apply cur_vcpuid_ok.
    clearbody v c. unfold FIRST_RUN in H. run_on. destruct (reg_word DIRTY m =? 18446744073709551615) eqn:D.
    - unfold first_run in H. run_on.
      destruct (is_inc_exe _ _) as [[f s1|s1]|] eqn:IE; cbn [then_] in H; [| |discriminate H].
      + same_call. run_on. destruct (f =? 0).
        * destruct (reset_gp_regs_spec _ _ _) as [[z s2|s2]|] eqn:RG; cbn [then_] in H; [| |discriminate H].
          -- destruct (reset_sys_regs_spec _ _) as [[z2 s3|s3]|] eqn:RS; cbn [then_] in H; [| |discriminate H].
             ++ destruct (get_ctxt _ _ s3) as [m3|] eqn:G3 in H; [|discriminate H]. answer H. run_on. reflexivity.
             ++ answer H. run_on. reflexivity.
          -- answer H. run_on. reflexivity.
        * cbn [then_] in H. destruct (get_ctxt _ _ s1) as [m3|] eqn:G3 in H; [|discriminate H]. answer H. run_on. reflexivity.
      + answer H. same_call. run_on. reflexivity.
    - unfold next_run in H. cbv zeta in H. run_on.
      remember (if reg_word EC m =? TRAP then _ else _) as x eqn:X in H.
      lazymatch goal with |- if _ then _ else vc _ _ ?K ?e _ =>
        enough (TAIL : K (Normal e (put_ctxt v c (snd x) (set_ins (fst x) s)))) end.
      { change 2 with TRAP. destruct (reg_word EC m =? TRAP); subst x; run_on; [exact TAIL|].
        cbn [fst snd] in TAIL. now rewrite set_ins_id, (put_ctxt_id _ _ _ _ G) in TAIL. }
      clear X Ev Ec. destruct x as [ins m']. cbn [fst snd] in H |- *. rewrite <- (get_ctxt_ins v c ins s) in G.
      remember (set_ins ins s) as s1 eqn:S1. clear S1 ins s. run_on. autorewrite with ctxt.
      remember (go_on _ _ _) as x eqn:X in H. remember (input U32 _ s1) as f eqn:F in X |- *. clear F.
      enough (TAIL : forall p, vc U rest0 ends
        [("vmid", Some v); ("vcpuid", Some c); ("dirty", Some (reg_word DIRTY m)); ("reason", Some (reg_word EC m));
         ("pc", p); ("addr", None); ("flag", Some f)] (put_ctxt v c x (consume (src_host_vcpu v c) s1))).
      { unfold go_on, DIRTY_PC in X. destruct (negb (f =? 0)); [|run_on; destruct (negb (Z.land _ _ =? 0))];
          subst x; run_on; rewrite ?put_put_ctxt; apply TAIL. }
      intros p. clear X. unfold PAGE, clean in H. run_on. rewrite !consume_put, !input_put, !put_put_ctxt.
      remember (input U64 _ _) as a eqn:A in H |- *.
      assert (Ra : in_range U64 a = true) by (subst a; apply input_in_range). clear A.
      destruct (4096 <=? a); [run_on; destruct (a <? 281474976710656)|]; cbn [andb] in H.
      + destruct (post_handle_shadow_s2pt_fault_spec _ _ _) as [[z s2|s2]|] eqn:PF; [| |discriminate H].
        * cbn [chk] in H. destruct (Z.eqb_spec z 0) as [->|]; [|discriminate H]. apply Some_inj in H. subst. run_on. reflexivity.
        * cbn [chk] in H. apply Some_inj in H. subst. run_on. reflexivity.
      + answer H. run_on. reflexivity.
      + answer H. run_on. reflexivity.
  Qed.
End Code.
