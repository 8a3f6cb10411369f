(* SPDX-License-Identifier: Apache-2.0 *)
(** Laws of the calls that layer 28 makes of layer 27, and the tactics of its code proofs. *)
From SeKVM.lib Require Export VcStep.
From SeKVM.layers.VCPUOpsAux Require Export SpecTac.
From SeKVM.layers.VCPUOps Require Export Spec.
Local Open Scope Z_scope.

Section Calls.
  Context {N M P : Type}.
  Implicit Type s : St cell N M P.

  Lemma prep_wfx_ok v c s m : get_ctxt v c s = Some m -> in_range U32 v = true -> in_range U32 c = true ->
    prep_wfx_spec [v; c] s = Some (Ok 0 (put_ctxt v c (mark DIRTY_PC m) s)).
  Proof. intros G A B. unfold prep_wfx_spec, p2, chk. now rewrite A, B, G. Qed.
  Lemma prep_abort_ok v c s m : get_ctxt v c s = Some m -> in_range U32 v = true -> in_range U32 c = true ->
    prep_abort_spec [v; c] s = Some (Ok 0 (put_ctxt v c (abort_marks (reg_word ESR_EL2 m) (reg_word HPFAR_EL2 m) m)
      (set_outs (show v c m (abort_shown (reg_word ESR_EL2 m) (reg_word HPFAR_EL2 m)) (st_outs s)) s))).
  Proof. intros G A B. unfold prep_abort_spec, p2, chk. now rewrite A, B, G. Qed.
  Lemma prep_hvc_ok off v c s m : get_ctxt v c s = Some m -> in_range U32 v = true -> in_range U32 c = true ->
    prep_hvc_spec off [v; c] s =
      let s' := put_ctxt v c (mark 1 m) (set_outs (show v c m (hvc_shown (hvc_function m)) (st_outs s)) s) in
      if hvc_function m =? SYSTEM_OFF then then_ (off [v] s') (fun _ s => ret 0 s) else ret 0 s'.
  Proof.
    intros G A B. unfold prep_hvc_spec, p2. rewrite A, B, G. cbv zeta.
    destruct (hvc_function m =? SYSTEM_OFF); [|reflexivity].
    destruct (off _ _) as [[z s1|s1]|]; reflexivity.
  Qed.
  Lemma sync_ok v c s m : get_ctxt v c s = Some m -> in_range U32 v = true -> in_range U32 c = true ->
    sync_dirty_to_shadow_spec [v; c] s =
      let x := sync (src_host_vcpu v c) (reg_word DIRTY m) (st_ins s) m in
      Some (Ok 0 (put_ctxt v c (snd x) (set_ins (fst x) s))).
  Proof.
    intros G A B. unfold sync_dirty_to_shadow_spec, p2, chk. rewrite A, B, G. cbv zeta.
    destruct (fold_left _ _ _) as [i x]. reflexivity.
  Qed.
  Lemma update_ok v c s m : get_ctxt v c s = Some m -> in_range U32 v = true -> in_range U32 c = true ->
    update_exception_gp_regs_spec [v; c] s = Some (Ok 0 (put_ctxt v c (inject m) s)).
  Proof. intros G A B. unfold update_exception_gp_regs_spec, p2, chk. now rewrite A, B, G. Qed.
End Calls.

(** One register more is shown. *)
Lemma show_cons v c m i l o : show v c m (i :: l) o = show v c m l (Flow v HOSTVISOR [c; i; shown i m] :: o).
Proof. reflexivity. Qed.

(** Calls of layer 27 among the steps. *)
Ltac aux_law := first
  [ eapply prep_wfx_ok; [get_side | range_side ..] | eapply prep_abort_ok; [get_side | range_side ..]
  | eapply sync_ok; [get_side | range_side ..] | eapply update_ok; [get_side | range_side ..] ].
Ltac ostep := first [cstep | find_call; eapply match_ok; [solve [aux_law] | cbv beta; by_number]].
Ltac osteps := repeat ostep.

(** The same where the code is run one statement at a time, up to the next condition. *)
Ltac aux_call := lazymatch goal with
  | |- context [match ?x with _ => _ end] => lazymatch x with call _ _ _ _ => ostep end
  end.
Ltac run_on := repeat first [vstep | aux_call].
