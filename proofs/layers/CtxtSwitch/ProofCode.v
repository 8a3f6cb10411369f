(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 29, CtxtSwitch: each function's code meets its specification, over what the layer uses.  Used by [Refine]. *)
From SeKVM.layers.CtxtSwitch Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Code.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (set_vm_poweroff set_vcpu_active set_vcpu_inactive restore_shadow_kvm_regs : prim St).
  Notation U := (U set_vm_poweroff set_vcpu_active set_vcpu_inactive restore_shadow_kvm_regs).

  Lemma save_host_code : fun_ok U f_save_host save_host_spec.
  Proof.
    open0 H. destruct (cur_ctxt s) as [m|] eqn:G in H; [|discriminate H]. answer H.
    unfold f_save_host. run_vc_goal. law @save_regs_ok; [exact G|]. law @save_regs_ok; [eapply cur_put_cur, G|]. reflexivity.
  Qed.

  Lemma restore_host_code : fun_ok U f_restore_host restore_host_spec.
  Proof.
    open0 H. destruct (cur_ctxt _) as [m|] eqn:G in H; [|discriminate H]. answer H.
    unfold f_restore_host. run_vc_goal. law @set_host_ok. law @host_el2_ok. law @restore_regs_ok; [exact G|].
    law @restore_regs_ok; [exact G|]. reflexivity.
  Qed.

  Lemma save_vm_code : fun_ok U f_save_vm (save_vm_spec set_vm_poweroff set_vcpu_inactive).
  Proof.
    open0 H. destruct (cur_ctxt s) as [m|] eqn:G in H; [|discriminate H].
    unfold f_save_vm. run_vc_goal. law @save_regs_ok; [exact G|]. law @save_regs_ok; [eapply cur_put_cur, G|].
    law @set_control_ok. law @set_control_ok.
    change (on_reg CNTHCTL_EL2 timer_free (put_all host_traps (phys_regs s))) with (no_traps (phys_regs s)).
    destruct (save_shadow_kvm_regs_spec _ _ _) as [[z s1|s1]|] eqn:SV; cbn [then_] in H; [| |discriminate H].
    - find_call. eapply match_ok; [exact SV|]. cbv beta.
      destruct (in_range U32 (cpu_vmid _) && _) eqn:R in H; [|discriminate H]. apply andb_true_iff in R as [Rv Rc].
      cstep. cstep. destruct (set_vcpu_inactive _ _) as [[z2 s2|s2]|] eqn:SI; cbn [then_] in H; [| |discriminate H];
        answer H; find_call; [eapply match_ok | eapply match_halt]; try exact SI; reflexivity.
    - answer H. find_call. eapply match_halt; [exact SV|]. reflexivity.
  Qed.

  Lemma restore_vm_code : fun_ok U f_restore_vm (restore_vm_spec set_vcpu_active restore_shadow_kvm_regs).
  Proof.
    open0 H. destruct (in_range U32 (cpu_vcpuid _)) eqn:Rc in H; [|discriminate H].
    destruct (get_ctxt HOSTVISOR _ s) as [h|] eqn:G in H; [|discriminate H].
    unfold f_restore_vm. run_vc_goal. cstep. cstep.
    assert (RX : 0 <= reg_word X0 h < 18446744073709551616) by apply (trunc_range U64).
    destruct ((0 <? reg_word X0 h) && (reg_word X0 h <? COREVISOR)) eqn:V.
    - pose proof V as V'. unfold COREVISOR in V'. apply andb_true_iff in V' as [V1 V2].
      apply Z.ltb_lt in V1. apply Z.ltb_lt in V2.
      assert (E0 : (reg_word X0 h =? 0) = false) by (apply Z.eqb_neq; lia). rewrite E0.
      assert (E1 : (16 <=? reg_word X0 h) = false) by (apply Z.leb_gt; lia). rewrite E1.
      replace (wrap U32 (reg_word X0 h)) with (reg_word X0 h) by (symmetry; apply wrap_id; cbn; lia).
      assert (Rv : in_range U32 (reg_word X0 h) = true) by (apply in_range_iff; cbn; lia).
      find_call. eapply match_ok; [apply get_run_ok; exact Rv | cbv beta].
      pose proof (trunc_range U32 (hd 0 (default [] (st_ins s !! src_host_run (reg_word X0 h))))) as RI.
      change (trunc U32 _) with (input U32 (src_host_run (reg_word X0 h)) s) in RI. cbn [modulus] in RI.
      destruct (input U32 _ s <? 8) eqn:C.
      + assert (E2 : (8 <=? input U32 (src_host_run (reg_word X0 h)) s) = false) by (apply Z.leb_gt; apply Z.ltb_lt in C; lia).
        rewrite E2.
        destruct (set_vcpu_active _ _) as [[z s1|s1]|] eqn:SA; cbn [then_] in H; [| |discriminate H].
        * find_call. eapply match_ok; [exact SA | cbv beta].
          find_call. eapply match_ok; [apply set_vm_ok; first [exact Rv | apply input_in_range | exact V | exact C] | cbv beta].
          destruct (restore_shadow_kvm_regs _ _) as [[z2 s2|s2]|] eqn:RS; cbn [then_] in H; [| |discriminate H].
          -- find_call. eapply match_ok; [exact RS | cbv beta].
             destruct (cur_ctxt s2) as [m|] eqn:G2 in H; [|discriminate H]. answer H.
             law @vm_el2_ok; [exact G2|]. law @set_control_ok. law @set_control_ok. law @restore_regs_ok; [exact G2|].
             law @restore_regs_ok; [exact G2|]. reflexivity.
          -- answer H. find_call. eapply match_halt; [exact RS | reflexivity].
        * answer H. find_call. eapply match_halt; [exact SA | reflexivity].
      + assert (E2 : (8 <=? input U32 (src_host_run (reg_word X0 h)) s) = true) by (apply Z.leb_le; apply Z.ltb_ge in C; lia).
        rewrite E2. answer H. find_call. eapply match_halt; [apply panic_ok | reflexivity].
    - answer H. assert (E : (reg_word X0 h =? 0) = true \/ (reg_word X0 h =? 0) = false /\ (16 <=? reg_word X0 h) = true).
      { unfold COREVISOR in V. destruct (Z.eqb_spec (reg_word X0 h) 0); [now left | right]. split; [reflexivity|].
        apply Z.leb_le. apply andb_false_iff in V as [V|V]; [apply Z.ltb_ge in V; lia | apply Z.ltb_ge in V; lia]. }
      destruct E as [E | [E E']]; rewrite E, ?E'; find_call; (eapply match_halt; [apply panic_ok | reflexivity]).
  Qed.
End Code.
