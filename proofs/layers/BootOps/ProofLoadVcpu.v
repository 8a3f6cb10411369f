(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the code that gives a vCPU the registers of sealed ones meets its specification over the part
    of the underlay that it uses. The two sets of registers are opened one after the other, each a step that writes
    the saved context and adds to the ledger. Used by [ProofCode]. *)
From SeKVM.layers.BootOps Require Import Code Spec Natural FrameTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Lemma load_encrypted_vcpu_code : fun_ok U f_load_encrypted_vcpu load_encrypted_vcpu_spec.
Proof. op_steps f_load_encrypted_vcpu load_encrypted_vcpu_spec; vcpu_known; state_norm_hyps; op_cases. Qed.
