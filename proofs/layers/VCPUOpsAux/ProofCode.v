(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 27, VCPUOpsAux: each function's code meets its specification, over what the layer uses.  The loops over
    registers have the pure transition so far as their invariant.  Used by [Refine]. *)
From SeKVM.layers.VCPUOpsAux Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Code.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (search_load_info set_vm_poweroff prot_and_map_vm_s2pt : prim St).
  Notation U := (U search_load_info set_vm_poweroff prot_and_map_vm_s2pt).

  Lemma reset_gp_regs_code : fun_ok U f_reset_gp_regs (reset_gp_regs_spec search_load_info).
  Proof.
    open2 v c Rv Rc H. destruct (search_load_info _ _) as [[load s1|s1]|] eqn:SL; cbn [then_] in H; [| |discriminate].
    - destruct (load =? 0) eqn:L0; [answer H | open_ctxt_of v c m G H; answer H];
        unfold f_reset_gp_regs; run_vc_goal; csteps; try congruence; try reflexivity;
        unfold first_regs, start_state, EL1H; same_state.
    - answer H. unfold f_reset_gp_regs. run_vc_goal. csteps. reflexivity.
  Qed.

  Lemma prep_wfx_code : fun_ok U f_prep_wfx prep_wfx_spec.
  Proof. open2 v c Rv Rc H. open_ctxt_of v c m G H. answer H. unfold f_prep_wfx. run_vc_goal. csteps. same_state. Qed.

  Lemma prep_hvc_code : fun_ok U f_prep_hvc (prep_hvc_spec set_vm_poweroff).
  Proof.
    open2 v c Rv Rc H. open_ctxt_of v c m G H. unfold hvc_shown in H.
    change (hvc_function m) with (wrap U32 (reg_word X0 m)) in H.
    destruct (wrap U32 (reg_word X0 m) =? SYSTEM_OFF) eqn:OFF.
    - apply Z.eqb_eq in OFF. rewrite OFF in H. change (SYSTEM_OFF =? CPU_ON64) with false in H.
      change ((SYSTEM_OFF =? AFFINITY_INFO) || (SYSTEM_OFF =? AFFINITY_INFO64)) with false in H. cbv iota in H.
      destruct (set_vm_poweroff _ _) as [[z s1|s1]|] eqn:SP; cbn [then_] in H; [| |discriminate]; answer H;
        unfold f_prep_hvc; run_vc_goal; do 4 cstep; rewrite OFF; csteps; try discriminate; try reflexivity.
    - unfold SYSTEM_OFF in OFF. answer H. unfold f_prep_hvc; run_vc_goal; csteps; try congruence;
        unfold CPU_ON64, AFFINITY_INFO, AFFINITY_INFO64; same_state.
  Qed.

  Lemma prep_abort_code : fun_ok U f_prep_abort prep_abort_spec.
  Proof.
    open2 v c Rv Rc H. open_ctxt_of v c m G H. answer H. unfold f_prep_abort. run_vc_goal.
    csteps; rewrite ?wrap_srt; try (pose proof (srt_range (reg_word ESR_EL2 m)); csteps);
      rewrite ?wrap_bit by assumption;
      unfold abort_shown, abort_marks, is_mmio, syndrome_valid, is_store; autorewrite with ctxt; by_number; decide_spec;
      cbn [app show fold_left]; rewrite ?shown_gpr by lia; rewrite ?(put_ctxt_id v c s m G); reflexivity.
  Qed.

  Lemma update_exception_gp_regs_code : fun_ok U f_update_exception_gp_regs update_exception_gp_regs_spec.
  Proof.
    open2 v c Rv Rc H. open_ctxt_of v c m G H. answer H. unfold f_update_exception_gp_regs. run_vc_goal. csteps.
    same_state.
  Qed.

  Lemma post_handle_shadow_s2pt_fault_code :
    fun_ok U f_post_handle_shadow_s2pt_fault (post_handle_shadow_s2pt_fault_spec prot_and_map_vm_s2pt).
  Proof.
    open3 v c a Rv Rc Ra H.
    destruct (input U32 _ _ =? 2) eqn:L2; destruct (prot_and_map_vm_s2pt _ _) as [[z s1|s1]|] eqn:PM;
      cbn [then_] in H; try discriminate; answer H;
      unfold f_post_handle_shadow_s2pt_fault; run_vc_goal; csteps; try congruence; reflexivity.
  Qed.

  Lemma reset_sys_regs_code : fun_ok U f_reset_sys_regs reset_sys_regs_spec.
  Proof.
    open2 v c Rv Rc H. open_ctxt_of v c m G H. answer H. unfold f_reset_sys_regs. run_vc_goal. do 2 cstep.
    set (actlr := reg_word ACTLR_EL1 (phys_regs s)).
    apply (wp_while _ _ _ (fun n e s' => exists i m' ov,
       e = [("vmid", Some v); ("vcpuid", Some c); ("i", Some i); ("value", ov)] /\
       1 <= i <= 25 /\ n = Z.to_nat (25 - i) /\ s' = put_ctxt v c m' s /\
       fold_left (set_sys c actlr) (seqZ i (25 - i)) m' = first_sys_regs c actlr m)) with (n := 24%nat).
    - intros n e s' (i & m' & ov & -> & Ri & -> & -> & F). run_vc_goal.
      destruct (i <=? 24) eqn:L.
      + apply Z.leb_le in L. rewrite seqZ_cons in F by lia. cbn [fold_left] in F.
        unfold set_sys, sys_value, mpidr in F.
        pose proof (Z.mod_pos_bound c 16 eq_refl). pose proof (Z.mod_pos_bound (c / 16) 256 eq_refl).
        pose proof (Z.mod_pos_bound (c / 4096) 256 eq_refl).
        assert (G' : get_ctxt v c (put_ctxt v c m' s) = Some m') by (eapply get_put_ctxt; exact G).
        assert (Ri' : in_range U32 i = true) by (apply in_range_iff; cbn; lia).
        replace (wrap U32 (46 + i)) with (46 + i) by (symmetry; apply wrap_id; cbn; lia).
        replace (wrap U32 (i + 1)) with (i + 1) by (symmetry; apply wrap_id; cbn; lia).
        assert (Rj : in_range U32 (46 + i) = true) by (apply in_range_iff; cbn; lia).
        destruct (i =? 1) eqn:I1; [|destruct (i =? 4) eqn:I4].
        * unwrap. csteps. exists (Z.to_nat (25 - (i + 1))). split; [lia|].
          do 3 eexists. split; [reflexivity|]. split; [lia|]. split; [reflexivity|]. autorewrite with ctxt.
          split; [reflexivity|]. rewrite <- F. unfold Z.succ, Z.pred. f_equal. f_equal; lia.
        * csteps. exists (Z.to_nat (25 - (i + 1))). split; [lia|].
          do 3 eexists. split; [reflexivity|]. split; [lia|]. split; [reflexivity|]. autorewrite with ctxt.
          split; [reflexivity|]. rewrite <- F. unfold Z.succ, Z.pred. f_equal. f_equal; lia.
        * csteps. exists (Z.to_nat (25 - (i + 1))). split; [lia|].
          do 3 eexists. split; [reflexivity|]. split; [lia|]. split; [reflexivity|]. autorewrite with ctxt.
          split; [reflexivity|]. rewrite <- F. unfold Z.succ, Z.pred. f_equal. f_equal; lia.
      + apply Z.leb_gt in L. assert (i = 25) as -> by lia. assert (E : m' = first_sys_regs c actlr m) by exact F.
        now rewrite E.
    - exists 1, m, None. split; [reflexivity|]. split; [lia|]. split; [reflexivity|].
      split; [symmetry; now apply put_ctxt_id | reflexivity].
  Qed.

  (** The bit test of the code. *)
  Lemma sync_dirty_to_shadow_code : fun_ok U f_sync_dirty_to_shadow sync_dirty_to_shadow_spec.
  Proof.
    open2 v c Rv Rc H. open_ctxt_of v c m G H. destruct (fold_left _ _ _) as [ins0 m0] eqn:SY. answer H.
    unfold f_sync_dirty_to_shadow. run_vc_goal. do 3 cstep.
    remember (reg_word DIRTY m) as d eqn:HD. clear HD.
    apply (wp_while _ _ _ (fun n e s' => exists i ins' m' ov,
       e = [("vmid", Some v); ("vcpuid", Some c); ("dirty", Some d); ("value", ov); ("i", Some i)] /\
       0 <= i <= 31 /\ n = Z.to_nat (31 - i) /\ s' = put_ctxt v c m' (set_ins ins' s) /\
       fold_left (sync_reg (src_host_vcpu v c) d) (seqZ i (31 - i)) (ins', m') = (ins0, m0))) with (n := 31%nat).
    - intros n e s' (i & ins' & m' & ov & -> & Ri & -> & -> & F). run_vc_goal.
      destruct (i <? 31) eqn:L.
      + apply Z.ltb_lt in L. rewrite seqZ_cons in F by lia. cbn [fold_left] in F. unfold sync_reg at 2 in F.
        assert (G' : get_ctxt v c (put_ctxt v c m' (set_ins ins' s)) = Some m') by (eapply get_put_ctxt; exact G).
        assert (Ri' : in_range U32 i = true) by (apply in_range_iff; cbn; lia).
        replace (wrap U32 (i + 1)) with (i + 1) by (symmetry; apply wrap_id; cbn; lia).
        split; [cbn; lia|]. rewrite wrap_bit by lia. change (negb (Z.land d (Z.shiftl 1 i) =? 0)) with (bit d i).
        destruct (bit d i) eqn:BT; cbn [fst snd] in F.
        * csteps. exists (Z.to_nat (31 - (i + 1))). split; [lia|].
          do 4 eexists. split; [reflexivity|]. split; [lia|]. split; [reflexivity|]. autorewrite with ctxt.
          split; [reflexivity|]. rewrite <- F. unfold Z.succ, Z.pred. f_equal. f_equal; lia.
        * csteps. exists (Z.to_nat (31 - (i + 1))). split; [lia|].
          do 4 eexists. split; [reflexivity|]. split; [lia|]. split; [reflexivity|].
          split; [reflexivity|]. rewrite <- F. unfold Z.succ, Z.pred. f_equal. f_equal; lia.
      + apply Z.ltb_ge in L. assert (i = 31) as -> by lia.
        replace (31 - 31) with 0 in F by reflexivity. assert (E : seqZ 31 0 = []) by reflexivity.
        rewrite E in F. cbn [fold_left] in F.
        pose proof (f_equal fst F) as F1. pose proof (f_equal snd F) as F2. cbn [fst snd] in F1, F2. now rewrite F1, F2.
    - exists 0, (st_ins s), m, None. split; [reflexivity|]. split; [lia|]. split; [reflexivity|].
      rewrite set_ins_id. split; [symmetry; apply put_ctxt_id; exact G|]. replace (31 - 0) with 31 by reflexivity. exact SY.
  Qed.
End Code.
