(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 33, TrapHandlerRaw: each function's code meets its specification, over what the layer uses.  Used by
    [Refine]. *)
From SeKVM.layers.CtxtSwitch Require Import SpecTac.
From SeKVM.layers.TrapHandlerRaw Require Import Code Spec Moves.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Code.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (ops : ident -> prim St) (core_handle_pvops handle_host_stage2_fault save_vm restore_vm : prim St).
  Notation U := (U ops core_handle_pvops handle_host_stage2_fault save_vm restore_vm).
  Implicit Type s : St.

  (** Leaving KCore is one call. *)
  Lemma resume_ok s r : resume s = Some r -> restore_regs gp_moves [] s = Some r.
  Proof.
    unfold resume, restore_regs, p0, resumed. destruct (cur_ctxt s); [|discriminate]. intros [= <-]. reflexivity.
  Qed.

  Lemma host_npt_handler_raw_code :
    fun_ok U f_host_npt_handler_raw (host_npt_handler_raw_spec handle_host_stage2_fault).
  Proof.
    open0 H. destruct (cur_ctxt s) as [m|] eqn:G in H; [|discriminate H].
    unfold f_host_npt_handler_raw. run_vc_goal. law @save_regs_ok; [exact G|]. fold (entered (phys_regs s) m).
    destruct (handle_host_stage2_fault _ _) as [[z s1|s1]|] eqn:X; cbn [then_] in H; [| |discriminate H].
    - find_call. eapply match_ok; [exact X|]. cbv beta. unfold resume in H.
      destruct (cur_ctxt s1) as [m1|] eqn:G1 in H; [|discriminate H]. answer H. law @restore_regs_ok; [exact G1|].
      reflexivity.
    - answer H. find_call. eapply match_halt; [exact X | reflexivity].
  Qed.

  Lemma host_hvc_handler_raw_code : fun_ok U f_host_hvc_handler_raw (host_hvc_handler_raw_spec ops).
  Proof.
    open0 H. unfold with_cur in H.
    destruct (in_range U32 (cpu_vmid _) && _) eqn:R in H; [|discriminate H].
    destruct (get_ctxt _ _ s) as [m|] eqn:G in H; [|discriminate H]. cbv zeta in H.
    unfold f_host_hvc_handler_raw. run_vc_goal. law @save_regs_ok; [exact G|]. fold (entered (phys_regs s) m).
    set (m1 := entered (phys_regs s) m) in *.
    assert (D : host_hvc_dispatcher_spec ops [] (put_cur m1 s) =
                chk None (serve ops (cpu_vmid (st_cpu s)) (cpu_vcpuid (st_cpu s)) m1 (put_cur m1 s))).
    { unfold host_hvc_dispatcher_spec, p0, with_cur. cbn [st_cpu put_cur put_ctxt set_ctxts]. rewrite R.
      unfold put_cur. now rewrite (get_put_ctxt _ _ _ _ m1 G). }
    change (put_ctxt (cpu_vmid (st_cpu s)) (cpu_vcpuid (st_cpu s)) m1 s) with (put_cur m1 s) in H.
    destruct (serve _ _ _ _ _) as [[z s1|s1]|] eqn:X; cbn [then_] in H; [| |discriminate H].
    - assert (z = 0) as ->.
      { clear - X. unfold serve, answer in X.
        destruct (request _ _); [destruct (ops _ _ _) as [[? ?|?]|]; cbn [then_] in X; try discriminate X|];
          destruct (in_range _ _); try discriminate X; destruct (get_ctxt _ _ _); try discriminate X;
            now injection X. }
      cbn [chk] in D. find_call. eapply match_ok; [exact D|]. cbv beta. unfold resume in H.
      destruct (cur_ctxt s1) as [m2|] eqn:G1 in H; [|discriminate H]. answer H. law @restore_regs_ok; [exact G1|].
      reflexivity.
    - answer H. cbn [chk] in D. find_call. eapply match_halt; [exact D | reflexivity].
  Qed.

  Lemma host_vcpu_run_handler_raw_code :
    fun_ok U f_host_vcpu_run_handler_raw (host_vcpu_run_handler_raw_spec restore_vm).
  Proof.
    open0 H. destruct (cur_ctxt s) as [m|] eqn:G in H; [|discriminate H]. rewrite <- save_everything in H.
    unfold f_host_vcpu_run_handler_raw. run_vc_goal. law @save_regs_ok; [exact G|]. fold (entered (phys_regs s) m).
    set (m1 := entered (phys_regs s) m) in *.
    assert (D : save_host_spec [] (put_cur m1 s) = Some (Ok 0 (put_cur (saved (phys_regs s) m1) s))).
    { unfold save_host_spec, p0. rewrite (cur_put_cur _ _ m1 G). cbn [chk]. now rewrite put_put_cur. }
    find_call. eapply match_ok; [exact D|]. cbv beta.
    destruct (restore_vm _ _) as [[z s1|s1]|] eqn:X; cbn [then_] in H; [| |discriminate H].
    - find_call. eapply match_ok; [exact X|]. cbv beta. unfold resume in H.
      destruct (cur_ctxt s1) as [m2|] eqn:G1 in H; [|discriminate H]. answer H. law @restore_regs_ok; [exact G1|].
      reflexivity.
    - answer H. find_call. eapply match_halt; [exact X | reflexivity].
  Qed.

  Lemma restore_host_ok s m : let s' := set_cpu (load HOSTVISOR (cpu_id (st_cpu s)) (st_cpu s)) s in
    cur_ctxt s' = Some m -> restore_host_spec [] s =
      Some (Ok 0 (put_regs (restored m (host_control (phys_regs s'))) s')).
  Proof. cbv zeta. intros G. unfold restore_host_spec, p0. now rewrite G. Qed.

  (** The two ends of an exit. *)
  Ltac ends_resumed H := unfold resume in H;
    lazymatch type of H with context [cur_ctxt ?t] =>
      let G := fresh "G" in destruct (cur_ctxt t) as [?|] eqn:G in H; [|discriminate H]; answer H;
      law @restore_regs_ok; [exact G|]; reflexivity
    end.
  Ltac ends_in_host H := unfold to_host in H;
    let SV := fresh "SV" in destruct (save_vm [] _) as [[? ?|?]|] eqn:SV; cbn [then_] in H; [| |discriminate H];
    [ find_call; eapply match_ok; [exact SV|]; cbv beta; cbv zeta in H;
      lazymatch type of H with context [cur_ctxt ?t] =>
        let G := fresh "G" in destruct (cur_ctxt t) as [?|] eqn:G in H; [|discriminate H];
        find_call; eapply match_ok; [exact (restore_host_ok _ _ G)|]; cbv beta;
        unfold host_regs in H; rewrite <- restore_everything in H; answer H;
        law @restore_regs_ok; [exact G|]; reflexivity
      end
    | answer H; find_call; eapply match_halt; [exact SV | reflexivity] ].

  Lemma vm_exit_handler_raw_code :
    fun_ok U f_vm_exit_handler_raw (vm_exit_handler_raw_spec core_handle_pvops save_vm).
  Proof.
    open0 H. unfold with_cur in H.
    destruct (in_range U32 (cpu_vmid _) && _) eqn:R in H; [|discriminate H]. apply andb_true_iff in R as [Rv Rc].
    destruct (get_ctxt _ _ s) as [m|] eqn:G in H; [|discriminate H]. cbv zeta in H.
    unfold trapped in H. rewrite move_app in H.
    unfold f_vm_exit_handler_raw. run_vc_goal. cstep. cstep. law @save_regs_ok; [exact G|].
    law @save_regs_ok; [eapply cur_put_cur, G|].
    set (m1 := move_regs fault_moves _ _) in *. find_call.
    eapply match_ok; [apply get_shadow_ctxt_ok; [eapply get_put_ctxt, G | exact Rv | exact Rc | reflexivity]|].
    cbv beta. by_number. unfold TRAP in H.
    change (put_ctxt (cpu_vmid (st_cpu s)) (cpu_vcpuid (st_cpu s)) m1 s) with (put_cur m1 s) in H.
    destruct (reg_word EC m1 =? 2).
    - destruct (vm_exit_dispatcher_spec _ _ _) as [[leave s1|s1]|] eqn:X; cbn [then_] in H; [| |discriminate H].
      + find_call. eapply match_ok; [exact X|]. cbv beta.
        destruct (leave =? 0); [ends_resumed H | ends_in_host H].
      + answer H. find_call. eapply match_halt; [exact X | reflexivity].
    - change (1 =? 0) with false. cbv iota. ends_in_host H.
  Qed.
End Code.
