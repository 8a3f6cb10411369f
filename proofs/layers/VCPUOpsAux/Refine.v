(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 27, VCPUOpsAux: the layer's refinement theorem.  The code proofs hold for any three operations on boot
    images, power and memory of a VM, over all primitives on contexts; the interface below has those that the code
    calls.  Rests on [ProofCode]. *)
From SeKVM.lib Require Import UsesTac.
From SeKVM.layers.VCPUOpsAux Require Import Code Interface ProofCode.

Section Refine.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (search_load_info set_vm_poweroff prot_and_map_vm_s2pt : prim St).
  Notation U := (VCPUOpsAux.Spec.U search_load_info set_vm_poweroff prot_and_map_vm_s2pt).
  Notation T := (VCPUOpsAux.Spec.T search_load_info set_vm_poweroff prot_and_map_vm_s2pt).

  Lemma VCPUOpsAux_code : mod_ok U code T.
  Proof.
    repeat split.
    - apply reset_gp_regs_code.
    - apply reset_sys_regs_code.
    - apply sync_dirty_to_shadow_code.
    - apply prep_wfx_code.
    - apply prep_hvc_code.
    - apply prep_abort_code.
    - apply update_exception_gp_regs_code.
    - apply post_handle_shadow_s2pt_fault_code.
  Qed.
End Refine.

Lemma VCPUOpsAux_serves : serves U MmioOps.Interface.L (mcalls code).
Proof. served. Qed.

Theorem VCPUOpsAux_refines : refines req (graph VCPUOpsAux.Interface.L) (sem code (graph MmioOps.Interface.L)).
Proof. exact (uses_refines U _ code T hidden (VCPUOpsAux_code _ _ _) VCPUOpsAux_serves). Qed.
