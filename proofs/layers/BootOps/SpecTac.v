(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the specifications of BootOps.  Work on other objects than the VM's
    record stays closed. *)
From SeKVM.lib Require Export LoopTac.
From SeKVM.layers.VMPower Require Export SpecTac.
From SeKVM.layers.BootOps Require Export Spec.

#[export] Hint Unfold inside change_vm pulled pushed renewed is_vcpu activate deactivate new_vcpu register add_image next_slot add_page
  verified import_vcpu may_configure configuring bank_named vcpu_at img_addr img_size img_pages img_remap img_mapped img_digest
  and_then set_vcpu_active_spec set_vcpu_inactive_spec register_vcpu_spec register_kvm_spec set_boot_info_spec
  remap_vm_image_spec alloc_smmu_spec assign_smmu_spec map_smmu_spec clear_smmu_spec map_io_spec is_inc_exe_spec
  save_encrypted_vcpu_spec load_encrypted_vcpu_spec : prims.
#[export] Hint Unfold PAGE_HYP PFN_LIMIT INVALID : consts.

(** Open the specification [sp] of the function [f] down to its critical section. *)
Ltac args_of E := first
  [ apply p1_inv in E; let v := fresh "v" in destruct E as (v & -> & ? & E)
  | apply p2_inv in E; let v := fresh "v" in let i := fresh "i" in destruct E as (v & i & -> & ? & ? & E)
  | apply p3_inv in E; let v := fresh "v" in let i := fresh "i" in let a := fresh "a" in
      destruct E as (v & i & a & -> & ? & ? & ? & E)
  | apply p4_inv in E; let v := fresh "v" in let i := fresh "i" in let a := fresh "a" in let b := fresh "b" in
      destruct E as (v & i & a & b & -> & ? & ? & ? & ? & E) ].
Ltac section_of E := match type of E with context [with_vm ?v ?s ?k] =>
    let W := fresh "W" in let q := fresh "q" in let c := fresh "c" in
    destruct (with_vm v s k) as [q|] eqn:W; [|discriminate E];
    vm_locked W c; cbv beta in W; prim_unfold_in W; inv_spec W; state_norm_hyps;
    cbn [chk] in E; inv_spec E;
    match goal with OK : vm_ok (c_val c) = true |- _ => pose proof (vm_ok_state _ OK) end
  end.
Ltac op_intro f sp := apply fun_ok_vc; intros vs s r E; unfold sp, configuring in E; args_of E; cbv beta in E;
  match type of E with context [if ?g then _ else _] => destruct g eqn:?; [section_of E | cbn [chk] in E; inv_spec E] end;
  autounfold with prims consts in *; boolprop; state_norm_hyps; run_vc f.

(** The state of the vCPU that the specification looks at is that of a vCPU. *)
Ltac vcpu_known := try match goal with
  | OK : vm_ok (c_val ?c) = true, E : context [word (vcpu_state (c_val ?c)) ?i] |- _ =>
      let R := fresh "R" in pose proof (vm_ok_vcpu_range (c_val c) i OK ltac:(lia)) as R; unfold vcpu_at in R
  end.

(** What closed work left of the records. *)
Lemma natural_ok (p : prim hstate) vs s v t : vms_natural p -> p vs s = Some (Ok v t) -> st_vms t = st_vms s.
Proof. intros N E. pose proof (proj2 (N vs s (st_vms s))) as X. now rewrite E in X. Qed.
Lemma natural_halt (p : prim hstate) vs s t : vms_natural p -> p vs s = Some (Halt t) -> st_vms t = st_vms s.
Proof. intros N E. pose proof (proj2 (N vs s (st_vms s))) as X. now rewrite E in X. Qed.
Ltac records_kept := repeat match goal with
  | N : vms_natural ?p, E : ?p ?vs ?s = Some (Ok ?v ?t) |- _ => apply (natural_ok p vs s v t N) in E
  | N : vms_natural ?p, E : ?p ?vs ?s = Some (Halt ?t) |- _ => apply (natural_halt p vs s t N) in E
  end; repeat match goal with K : st_vms ?t = st_vms ?s |- _ => rewrite K; clear K end.
Ltac op_cases := code_cases; records_kept; state_norm; reflexivity.
