(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 27, VCPUOpsAux: the layer's refinement theorem, over every underlay that has what the code uses. *)
From SeKVM.layers.VCPUOpsAux Require Import Code Spec ProofCode.

Section Refine.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (search_load_info set_vm_poweroff prot_and_map_vm_s2pt : prim St).
  Notation U := (U search_load_info set_vm_poweroff prot_and_map_vm_s2pt).
  Notation T := (T search_load_info set_vm_poweroff prot_and_map_vm_s2pt).

  Lemma VCPUOpsAux_code (L0 : tbl St) : keeps U L0 -> mod_ok L0 code T.
  Proof.
    intros K. repeat split; apply (fun_ok_keep _ _ _ _ K).
    - apply reset_gp_regs_code.
    - apply reset_sys_regs_code.
    - apply sync_dirty_to_shadow_code.
    - apply prep_wfx_code.
    - apply prep_hvc_code.
    - apply prep_abort_code.
    - apply update_exception_gp_regs_code.
    - apply post_handle_shadow_s2pt_fault_code.
  Qed.

  Theorem VCPUOpsAux_refines (L0 Keep : tbl St) :
    keeps U L0 -> keeps Keep L0 -> refines req (graph (over T Keep)) (sem code (graph L0)).
  Proof. intros K1 K2. exact (mod_ok_refines_keep _ _ _ _ (VCPUOpsAux_code L0 K1) K2). Qed.
End Refine.
