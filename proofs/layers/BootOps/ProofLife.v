(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the code that registers VMs and vCPUs and answers questions meets its
    specification over the part of the underlay that it uses.  Used by [ProofCode]. *)
From SeKVM.layers.BootOps Require Import Code Spec SpecTac Natural.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Lemma is_inc_exe_code : fun_ok U f_is_inc_exe is_inc_exe_spec.
Proof. op_intro f_is_inc_exe is_inc_exe_spec; op_cases. Qed.

Lemma register_vcpu_code : fun_ok U f_register_vcpu register_vcpu_spec.
Proof. op_intro f_register_vcpu register_vcpu_spec; vcpu_known; op_cases. Qed.

Lemma register_kvm_code : fun_ok U f_register_kvm register_kvm_spec.
Proof.
  apply fun_ok_vc. intros vs s r E. unfold register_kvm_spec in E. apply p0_inv in E as [-> E]. unfold and_then in E.
  run_vc f_register_kvm. unfold call_vc. closed_call.
  destruct (gen_vmid_spec [] s) as [[v t|t]|] eqn:F; [|cbn [chk] in E; injection E as <-; reflexivity|discriminate E].
  assert (RV : 0 <= v < 4294967296).
  { unfold gen_vmid_spec in F. apply p0_inv in F as [_ F]. destruct (with_core s _) as [q|]; [|discriminate F].
    destruct q as [w u|u]; [|discriminate F]. apply chk_inv in F as [R F]. injection F as -> _. now apply in_range_iff in R. }
  section_of E; autounfold with prims consts in *; boolprop; state_norm_hyps; op_cases.
Qed.
