(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the code that starts and stops vCPUs meets its specification over
    the part of the underlay that it uses.  Used by [ProofCode]. *)
From SeKVM.layers.BootOps Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Lemma set_vcpu_active_code : fun_ok U f_set_vcpu_active set_vcpu_active_spec.
Proof. op_intro f_set_vcpu_active set_vcpu_active_spec; vcpu_known; op_cases. Qed.

Lemma set_vcpu_inactive_code : fun_ok U f_set_vcpu_inactive set_vcpu_inactive_spec.
Proof. op_intro f_set_vcpu_inactive set_vcpu_inactive_spec; vcpu_known; op_cases. Qed.
