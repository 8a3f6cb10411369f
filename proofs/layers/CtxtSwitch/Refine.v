(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 29, CtxtSwitch: the layer's refinement theorem, over every underlay that has what the code uses. *)
From SeKVM.layers.CtxtSwitch Require Import Code Spec ProofCode.

Section Refine.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (set_vm_poweroff set_vcpu_active set_vcpu_inactive restore_shadow_kvm_regs : prim St).
  Notation U := (U set_vm_poweroff set_vcpu_active set_vcpu_inactive restore_shadow_kvm_regs).
  Notation T := (T set_vm_poweroff set_vcpu_active set_vcpu_inactive restore_shadow_kvm_regs).

  Lemma CtxtSwitch_code (L0 : tbl St) : keeps U L0 -> mod_ok L0 code T.
  Proof.
    intros K. repeat split; apply (fun_ok_keep _ _ _ _ K).
    - apply save_host_code.
    - apply restore_host_code.
    - apply save_vm_code.
    - apply restore_vm_code.
  Qed.

  Theorem CtxtSwitch_refines (L0 Keep : tbl St) :
    keeps U L0 -> keeps Keep L0 -> refines req (graph (over T Keep)) (sem code (graph L0)).
  Proof. intros K1 K2. exact (mod_ok_refines_keep _ _ _ _ (CtxtSwitch_code L0 K1) K2). Qed.
End Refine.
