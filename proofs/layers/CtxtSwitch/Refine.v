(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 29, CtxtSwitch: the layer's refinement theorem.  The code proofs hold for any four operations on VMs and
    vCPUs, over all primitives on contexts; the interface below has those that the code calls.  Rests on
    [ProofCode]. *)
From SeKVM.lib Require Import UsesTac.
From SeKVM.layers.CtxtSwitch Require Import Code Interface ProofCode.

Section Refine.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (set_vm_poweroff set_vcpu_active set_vcpu_inactive restore_shadow_kvm_regs : prim St).
  Notation U := (CtxtSwitch.Spec.U set_vm_poweroff set_vcpu_active set_vcpu_inactive restore_shadow_kvm_regs).
  Notation T := (CtxtSwitch.Spec.T set_vm_poweroff set_vcpu_active set_vcpu_inactive restore_shadow_kvm_regs).

  Lemma CtxtSwitch_code : mod_ok U code T.
  Proof.
    repeat split.
    - apply save_host_code.
    - apply restore_host_code.
    - apply save_vm_code.
    - apply restore_vm_code.
  Qed.
End Refine.

Lemma CtxtSwitch_serves : serves U VCPUOps.Interface.L (mcalls code).
Proof. served. Qed.

Theorem CtxtSwitch_refines : refines req (graph CtxtSwitch.Interface.L) (sem code (graph VCPUOps.Interface.L)).
Proof. exact (uses_refines U _ code T hidden (CtxtSwitch_code _ _ _ _) CtxtSwitch_serves). Qed.
