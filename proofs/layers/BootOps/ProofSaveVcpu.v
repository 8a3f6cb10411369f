(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the code that sends a vCPU's registers sealed to the host meets its specification over the
    part of the underlay that it uses. The two sets of registers go one after the other, each a step that reads the
    saved context and adds to the ledger. Used by [ProofCode]. *)
From SeKVM.layers.BootOps Require Import Code Spec Natural FrameTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Lemma save_encrypted_vcpu_code : fun_ok U f_save_encrypted_vcpu save_encrypted_vcpu_spec.
Proof. op_steps f_save_encrypted_vcpu save_encrypted_vcpu_spec; vcpu_known; state_norm_hyps; op_cases. Qed.
