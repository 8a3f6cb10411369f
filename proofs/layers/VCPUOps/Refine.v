(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 28, VCPUOps: the layer's refinement theorem.  The code proofs hold for any four operations on boot
    images, power and memory of a VM, over all primitives on contexts; the interface below has those that the code
    calls.  Rests on [ProofCode]. *)
From SeKVM.lib Require Import UsesTac.
From SeKVM.layers.VCPUOps Require Import Code Interface ProofCode.

Section Refine.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (search_load_info set_vm_poweroff prot_and_map_vm_s2pt is_inc_exe : prim St).
  Notation U := (VCPUOps.Spec.U search_load_info set_vm_poweroff prot_and_map_vm_s2pt is_inc_exe).
  Notation T := (VCPUOps.Spec.T search_load_info set_vm_poweroff prot_and_map_vm_s2pt is_inc_exe).

  Lemma VCPUOps_code : mod_ok U code T.
  Proof.
    repeat split.
    - apply save_shadow_kvm_regs_code.
    - apply restore_shadow_kvm_regs_code.
  Qed.
End Refine.

Lemma VCPUOps_serves : serves U VCPUOpsAux.Interface.L (mcalls code).
Proof. served. Qed.

Theorem VCPUOps_refines : refines req (graph VCPUOps.Interface.L) (sem code (graph VCPUOpsAux.Interface.L)).
Proof. exact (uses_refines U _ code T hidden (VCPUOps_code _ _ _ _) VCPUOps_serves). Qed.
