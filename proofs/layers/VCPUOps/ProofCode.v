(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 28, VCPUOps: the function's code meets its specification, over what the layer uses.  Used by [Refine]. *)
From SeKVM.layers.VCPUOps Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Code.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (search_load_info set_vm_poweroff prot_and_map_vm_s2pt : prim St).
  Notation U := (U search_load_info set_vm_poweroff prot_and_map_vm_s2pt).

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
End Code.
