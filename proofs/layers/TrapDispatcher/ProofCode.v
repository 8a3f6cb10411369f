(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 32, TrapDispatcher: each function's code meets its specification, over what the layer uses.  The
    dispatcher's long part is [Dispatch.chain] for the generated table.  Used by [Refine]. *)
From SeKVM.lib Require Import VcStep.
From SeKVM.layers.VCPUOps Require Import SpecTac.
From SeKVM.layers.TrapDispatcher Require Import Dispatch Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** The entries of the table are ones of which [Dispatch] speaks. *)
Lemma calls_well_formed : forallb well_formed calls = true.
Proof. reflexivity. Qed.

(** Up to the first condition. *)
Ltac to_condition := repeat lazymatch goal with
  | |- vc _ (Sif _ _ _) _ _ _ => fail
  | _ => first [vstep | aux_call]
  end.

(** The locals hold the words of the registers. *)
Lemma env_words m v c x i : (i <= 5)%nat ->
  Lang.assoc (local i) [("vmid", v); ("vcpuid", c); ("number", Some (reg_word X0 m)); ("arg1", Some (reg_word X1 m));
    ("arg2", Some (reg_word X2 m)); ("arg3", Some (reg_word X3 m)); ("arg4", Some (reg_word X4 m));
    ("arg5", Some (reg_word X5 m)); ("answer", x)] = Some (Some (words m i)).
Proof. intros B. do 6 (destruct i as [|i]; [reflexivity|]). lia. Qed.
Lemma words_bounded m i : 0 <= words m i < 18446744073709551616.
Proof. apply (in_range_iff U64), numbered_in_range. Qed.

(** The syndrome's lower half, taken from the word or from the register. *)
Lemma short_word z : trunc U32 z = trunc U32 (trunc U64 z).
Proof. unfold trunc. apply Znumtheory.Zmod_div_mod; [reflexivity | reflexivity | now exists 4294967296]. Qed.

Section Code.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (ops : ident -> prim St) (core_handle_pvops : prim St).
  Notation U := (U ops core_handle_pvops).

  Lemma calls_known : Forall (fun h => well_formed h = true /\ Lang.assoc (handler h) U =
    Some (ops (handler h))) calls.
  Proof. repeat constructor. Qed.

  Lemma host_hvc_dispatcher_code : fun_ok U f_host_hvc_dispatcher (host_hvc_dispatcher_spec ops).
  Proof.
    open0 H. unfold with_cur in H.
    destruct (in_range U32 (cpu_vmid _) && _) eqn:R in H; [|discriminate H]. apply andb_true_iff in R as [Rv Rc].
    destruct (get_ctxt _ _ s) as [m|] eqn:G in H; [|discriminate H].
    assert (Ev := cur_vmid_ok s Rv). assert (Ec := cur_vcpuid_ok s Rc).
    set (v := cpu_vmid (st_cpu s)) in *. set (c := cpu_vcpuid (st_cpu s)) in *. clearbody v c.
    run_steps f_host_hvc_dispatcher. to_condition. clear Ev Ec.
    lazymatch goal with |- vc _ ?code _ _ _ =>
      let E := fresh in assert (E : code = chain calls) by (vm_compute; reflexivity); rewrite E; clear E
    end.
    eapply (chain_ok (words m)); [apply env_words | apply words_bounded | apply calls_known |]. unfold serve in H.
    destruct (request (words m) calls) as [h|].
    - destruct (ops _ _ _) as [[r1 s1|s1]|]; cbn [then_] in H; [| |discriminate H].
      + unfold answer in H. destruct (in_range U64 _) eqn:Ra in H; [|discriminate H].
        destruct (get_ctxt v c s1) as [m1|] eqn:G1 in H; [|discriminate H]. answer H.
        set (x := if has_result h then r1 else 0) in *. clearbody x. run_atom. run_on. reflexivity.
      + answer H. run_atom. run_on. reflexivity.
    - unfold answer in H. cbn [in_range] in H. rewrite G in H. answer H. run_on. reflexivity.
  Qed.

  Lemma vm_exit_dispatcher_code : fun_ok U f_vm_exit_dispatcher (vm_exit_dispatcher_spec core_handle_pvops).
  Proof.
    open2 v c Rv Rc H. destruct (get_ctxt v c s) as [m|] eqn:G in H; [|discriminate H].
    unfold service_of, class_of, short_esr, SYS64, HVC64 in H.
    rewrite (short_word (reg_get ESR_EL2 m)) in H. fold (reg_word ESR_EL2 m) in H.
    unfold f_vm_exit_dispatcher. run_vc_goal. cstep. cstep. call_step. split; [cbn; lia|].
    change (wrap U32) with (trunc U32) at 1 2. destruct (Z.shiftr _ 26 =? 24); [|destruct (Z.shiftr _ 26 =? 22)].
    - apply chk_inv in H as [_ ->]. find_call. eapply match_ok; reflexivity.
    - find_call. destruct (core_handle_pvops [] s) as [[z t|t]|]; cbn [chk] in H; [| |discriminate H].
      + destruct (in_range U32 z) eqn:Rz; [|discriminate H]. injection H as <-.
        rewrite wrap_id by (apply in_range_iff, Rz). reflexivity.
      + injection H as <-. reflexivity.
    - apply chk_inv in H as [_ ->]. reflexivity.
  Qed.
End Code.
