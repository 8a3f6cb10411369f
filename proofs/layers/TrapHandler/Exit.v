(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 34, TrapHandler: what an exit shows, for the interface of the joined layers.  Switching a VM off and
stopping a
    vCPU leave the ledger alone, and what a VM may ask of KCore adds invalidations but no flow, so the premises of
    [Safe.exit_shows] hold.  Rests on [Interface] and [Safe]; for the security theorem. *)
From SeKVM.lib Require Import PrimInv Loop.
From SeKVM.layers.VCPUOps Require Safe.
From SeKVM.layers.TrapHandler Require Import Interface Safe.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** Split a defined result into its cases. *)
Ltac cases H := repeat match type of H with
  | context [match ?x with _ => _ end] =>
      lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x; try discriminate H end
  end.

Lemma set_vm_poweroff_silent : VCPUOps.Safe.silent (set_vm_poweroff_spec (N := pmap) (M := pmap) (P := gmap Z page)).
Proof.
  intros vs s r H. unfold set_vm_poweroff_spec in H. apply p1_inv in H as (v & _ & _ & H).
  unfold with_vm, publish_vm, denied_vm, chk in H. cases H; injection H as <-; reflexivity.
Qed.

Lemma set_vcpu_inactive_silent : VCPUOps.Safe.silent set_vcpu_inactive_spec.
Proof.
  intros vs s r H. unfold set_vcpu_inactive_spec in H. apply p2_inv in H as (v & i & _ & _ & _ & H).
  unfold with_vm, publish_vm, denied_vm, pushed, chk in H. cases H; injection H as <-; reflexivity.
Qed.

(** A step without a flow. *)
Definition calm (p : prim hstate) : Prop := forall vs s v s', p vs s = Some (Ok v s') -> flows s' = flows s.

Lemma walk_calm : calm walk_s2pt_spec.
Proof.
  intros vs s v s' H. unfold walk_s2pt_spec in H. apply p2_inv in H as (w & a & _ & _ & _ & H).
  unfold locked_look, chk in H. cases H; injection H as <- <-; reflexivity.
Qed.

Lemma clear_host_calm : calm clear_pfn_host_spec.
Proof.
  intros vs s v s' H. unfold clear_pfn_host_spec in H. apply p1_inv in H as (a & _ & _ & H).
  unfold publish_update, chk in H. cases H; injection H as <- <-; reflexivity.
Qed.

Lemma grant_calm : calm grant_vm_page_spec.
Proof.
  intros vs s v s' H. unfold grant_vm_page_spec in H. apply p2_inv in H as (w & a & _ & _ & _ & H).
  unfold with_frame, publish, chk in H. cases H; injection H as <- <-; reflexivity.
Qed.

Lemma revoke_calm : calm revoke_vm_page_spec.
Proof.
  intros vs s v s' H. unfold revoke_vm_page_spec in H. apply p2_inv in H as (w & a & _ & _ & _ & H).
  unfold with_frame, after, publish, chk in H.
  destruct (negb _); [|discriminate H]. cbv zeta in H. destruct (frame_ok _); [|discriminate H].
  destruct (unshare _ _) as [[[|] q]|].
  - destruct (clear_pfn_host_spec [a] s) as [[z u|u]|] eqn:E; try discriminate H.
    apply clear_host_calm in E. injection H as <- <-. exact E.
  - injection H as <- <-. reflexivity.
  - injection H as <- <-. reflexivity.
Qed.

Lemma iterate_calm (f : Z -> hstate -> option (res hstate)) n : forall i s v s',
  (forall i s v s', f i s = Some (Ok v s') -> flows s' = flows s) ->
  iterate_from f n i s = Some (Ok v s') -> flows s' = flows s.
Proof.
  induction n as [|n IH]; intros i s v s' A H; cbn [iterate_from] in H; [now injection H as _ <-|].
  destruct (f i s) as [[w u|u]|] eqn:E; cbn [and_then] in H; try discriminate H.
  rewrite (IH _ _ _ _ A H). exact (A _ _ _ _ E).
Qed.

Lemma range_calm p : calm p -> calm (with_range p).
Proof.
  intros A vs s v s' H. unfold with_range in H. apply p3_inv in H as (w & a & n & _ & _ & _ & _ & H).
  apply chk_void in H as [H _]. destruct (_ && _); [|now injection H as _ <-].
  unfold iterate in H. apply iterate_calm in H; [exact H|]. intros i t x t' E. unfold with_mapped in E.
  destruct (walk_s2pt_spec _ t) as [[e u|u]|] eqn:W; cbn [and_then] in E; try discriminate E.
  apply walk_calm in W. rewrite <- W. destruct (_ =? 0); [now injection E as _ <- | exact (A _ _ _ _ E)].
Qed.

Lemma core_handle_pvops_says_nothing : says_nothing (core_handle_pvops_spec (M := pmap)).
Proof.
  intros s z s' H. unfold core_handle_pvops_spec in H. apply p0_inv in H as (_ & H). cbv zeta in H.
  destruct (in_range U32 (cpu_vmid _)); [|discriminate H]. destruct (in_range U32 (cpu_vcpuid _)); [|discriminate H].
  destruct (is_guest _); [|discriminate H]. destruct (get_ctxt _ _ s) as [m|]; [|discriminate H].
  unfold shares in H. cbv zeta in H. destruct (_ =? HVC_KVM_SET_DESC_PFN).
  - destruct (grant_stage2_sg_gpa_spec _ s) as [[w u|u]|] eqn:E; cbn in H; try discriminate H.
    unfold grant_stage2_sg_gpa_spec in E. apply (range_calm _ grant_calm) in E. now injection H as _ <-.
  - destruct (_ =? HVC_KVM_UNSET_DESC_PFN).
    + destruct (revoke_stage2_sg_gpa_spec _ s) as [[w u|u]|] eqn:E; cbn in H; try discriminate H.
      unfold revoke_stage2_sg_gpa_spec in E. apply (range_calm _ revoke_calm) in E. now injection H as _ <-.
    + now injection H as _ <-.
Qed.

(** What an exit of a VM shows to the host is nothing, or the list for its reason. *)
Theorem kcore_exit_shows (s s' : hstate) z : call L "vm_exit_handler" [] s = Some (Ok z s') ->
  servable (phys_regs s) = true /\ flows s' = flows s \/
  flows s' = show (cpu_vmid (st_cpu s)) (cpu_vcpuid (st_cpu s)) (phys_regs s) (exit_shown (exit_of (phys_regs s)))
    (flows s).
Proof.
  change (call L "vm_exit_handler" [] s) with (vm_exit_handler_spec core_handle_pvops_spec save_vm [] s).
  apply exit_shows;
    [apply set_vm_poweroff_silent | apply set_vcpu_inactive_silent | apply core_handle_pvops_says_nothing |
    apply core_handle_pvops_leaves_alone].
Qed.
