(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 34, TrapHandler: each function's code meets its specification, over what the layer uses.  The handlers are
    those of layer 33, whose decisions are read from the saved context; that the CPU's registers say the same is the
    proof.  Used by [Refine]. *)
From SeKVM.layers.CtxtSwitch Require Import SpecTac.
From SeKVM.layers.TrapDispatcher Require Import ProofCode.
From SeKVM.layers.TrapHandler Require Import Code Spec Registers.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** The same decisions. *)
Section Same.
  Context {P : Type}.
  Notation St := (St cell pmap pmap P).
  Context (ops : ident -> prim St) (core_handle_pvops save_vm : prim St).

  Lemma host_call_serve v c phys m (s : St) : host_call ops v c phys s = serve ops v c (entered phys m) s.
  Proof.
    unfold host_call, serve. rewrite (request_same _ _ (words_entered phys m) calls calls_well_formed).
    destruct (request (words phys) calls) as [h|] eqn:E; [|reflexivity]. apply request_in in E as (I & _ & _).
    pose proof calls_well_formed as W. rewrite forallb_forall in W.
    now rewrite (passed_same _ _ (words_entered phys m) h (W h I)).
  Qed.

  Lemma hvc_same vs (s : St) : host_hvc_handler_spec ops vs s = host_hvc_handler_raw_spec ops vs s.
  Proof.
    destruct vs; [|reflexivity]. unfold host_hvc_handler_spec, host_hvc_handler_raw_spec, p0, with_cur. f_equal.
    destruct (_ && _); [|reflexivity]. destruct (get_ctxt _ _ s) as [m|]; [|reflexivity]. cbv zeta.
    now rewrite (host_call_serve _ _ _ m).
  Qed.

  Lemma exit_same vs (s : St) :
    vm_exit_handler_spec core_handle_pvops save_vm vs s = vm_exit_handler_raw_spec core_handle_pvops save_vm vs s.
  Proof.
    destruct vs; [|reflexivity]. unfold vm_exit_handler_spec, vm_exit_handler_raw_spec, p0, with_cur. f_equal.
    destruct (in_range U32 (cpu_vmid _)) eqn:Rv; [|reflexivity].
    destruct (in_range U32 (cpu_vcpuid _)) eqn:Rc; [|reflexivity]. cbn [andb].
    destruct (get_ctxt _ _ s) as [m|] eqn:G; [|reflexivity]. cbv zeta.
    rewrite trapped_reason. destruct (_ =? TRAP); [|reflexivity].
    unfold vm_exit_dispatcher_spec, p2. rewrite Rv, Rc, (get_put_ctxt _ _ _ _ _ G), trapped_service.
    destruct (service_of (phys_regs s)); reflexivity.
  Qed.
End Same.

Lemma void_result {S} f vs (s t : S) v : p0 None f vs s = Some (Ok v t) -> v = 0.
Proof.
  unfold p0, chk. destruct vs; [|discriminate]. destruct (f s) as [[w u|u]|]; try discriminate.
  destruct (w =? 0); [|discriminate]. now intros [= <- _].
Qed.

Section Code.
  Context {P : Type}.
  Notation St := (St cell pmap pmap P).
  Context (ops : ident -> prim St) (core_handle_pvops handle_host_stage2_fault save_vm restore_vm : prim St).
  Notation U := (U ops core_handle_pvops handle_host_stage2_fault save_vm restore_vm).

  (** A function that only calls another without arguments. *)
  Ltac tail_call f :=
    apply fun_ok_vc; intros vs s r H; destruct vs; [|discriminate H]; unfold f; run_vc_goal; find_call;
    destruct r as [v t|t];
    [ eapply match_ok; [exact H|]; cbv beta; f_equal; exact (void_result _ _ _ _ _ H)
    | eapply match_halt; [exact H | reflexivity] ].

  Lemma host_hvc_handler_code : fun_ok U f_host_hvc_handler (host_hvc_handler_spec ops).
  Proof.
    intros vs s r E. rewrite hvc_same in E. revert vs s r E.
    change (fun_ok U f_host_hvc_handler (host_hvc_handler_raw_spec ops)). tail_call f_host_hvc_handler.
  Qed.

  Lemma host_npt_handler_code : fun_ok U f_host_npt_handler (host_npt_handler_spec handle_host_stage2_fault).
  Proof. unfold host_npt_handler_spec. tail_call f_host_npt_handler. Qed.

  Lemma host_vcpu_run_handler_code : fun_ok U f_host_vcpu_run_handler (host_vcpu_run_handler_spec restore_vm).
  Proof. unfold host_vcpu_run_handler_spec. tail_call f_host_vcpu_run_handler. Qed.

  Lemma vm_exit_handler_code : fun_ok U f_vm_exit_handler (vm_exit_handler_spec core_handle_pvops save_vm).
  Proof.
    intros vs s r E. rewrite exit_same in E. revert vs s r E.
    change (fun_ok U f_vm_exit_handler (vm_exit_handler_raw_spec core_handle_pvops save_vm)).
    tail_call f_vm_exit_handler.
  Qed.

  (** What an access answers has its type. *)
  Lemma answer_typed t o (s : St) v : chk (Some t) o = Some (Ok v s) -> in_range t v = true /\ o = Some (Ok v s).
  Proof.
    unfold chk. destruct o as [[w u|u]|]; try discriminate. destruct (in_range t w) eqn:R; [|discriminate].
    intros [= <- <-]. auto.
  Qed.
  Lemma halt_typed t o (s : St) : chk (Some t) o = Some (Halt s) -> o = Some (Halt s).
  Proof. unfold chk. destruct o as [[w u|u]|]; try discriminate; [destruct (in_range t w)|]; congruence. Qed.

  Ltac own_call f :=
    apply fun_ok_vc; intros vs s r H; apply p2_inv in H as (a & x & -> & Ra & Rx & H); cbv beta in H;
    assert (V : in_range U32 (cpu_vmid (st_cpu s)) = true)
      by (unfold mem_access, p3 in H; destruct (in_range U32 (cpu_vmid (st_cpu s))); [reflexivity | discriminate H]);
    boolprop; unfold f; run_vc_goal; split; [assumption|]; split; [assumption|];
    find_call; (eapply match_ok; [apply cur_vmid_ok; apply in_range_iff; ranges_goal; lia|]); cbv beta; find_call;
    destruct r as [v t|t];
    [ apply answer_typed in H as [R H]; eapply match_ok; [exact H|]; cbv beta;
      apply in_range_iff in R; rewrite wrap_id by exact R; reflexivity
    | apply halt_typed in H; eapply match_halt; [exact H | reflexivity] ].

  Lemma mem_load_code : fun_ok U f_mem_load mem_load_spec.
  Proof. unfold mem_load_spec, own_access. own_call f_mem_load. Qed.
  Lemma mem_store_code : fun_ok U f_mem_store mem_store_spec.
  Proof. unfold mem_store_spec, own_access. own_call f_mem_store. Qed.

  Ltac device_call f :=
    apply fun_ok_vc; intros vs s r H; apply p4_inv in H as (a & x & cb & ix & -> & Ra & Rx & Rc & Ri & H);
      cbv beta in H;
    boolprop; unfold f; run_vc_goal; do 4 (split; [assumption|]); find_call;
    destruct r as [v t|t];
    [ apply answer_typed in H as [R H]; eapply match_ok; [exact H|]; cbv beta;
      apply in_range_iff in R; rewrite wrap_id by exact R; reflexivity
    | apply halt_typed in H; eapply match_halt; [exact H | reflexivity] ].

  Lemma dev_load_code : fun_ok U f_dev_load dev_load_spec.
  Proof. unfold dev_load_spec, device_access. device_call f_dev_load. Qed.
  Lemma dev_store_code : fun_ok U f_dev_store dev_store_spec.
  Proof. unfold dev_store_spec, device_access. device_call f_dev_store. Qed.
End Code.
