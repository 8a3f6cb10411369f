(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 28, VCPUOps: the layer's refinement theorem, over every underlay that has what the code uses. *)
From SeKVM.layers.VCPUOps Require Import Code Spec ProofCode.

Section Refine.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (search_load_info set_vm_poweroff prot_and_map_vm_s2pt is_inc_exe : prim St).
  Notation U := (U search_load_info set_vm_poweroff prot_and_map_vm_s2pt is_inc_exe).
  Notation T := (T search_load_info set_vm_poweroff prot_and_map_vm_s2pt is_inc_exe).

  Lemma VCPUOps_code (L0 : tbl St) : keeps U L0 -> mod_ok L0 code T.
  Proof.
    intros K. repeat split; apply (fun_ok_keep _ _ _ _ K).
    - apply save_shadow_kvm_regs_code.
    - apply restore_shadow_kvm_regs_code.
  Qed.

  Theorem VCPUOps_refines (L0 Keep : tbl St) :
    keeps U L0 -> keeps Keep L0 -> refines req (graph (over T Keep)) (sem code (graph L0)).
  Proof. intros K1 K2. exact (mod_ok_refines_keep _ _ _ _ (VCPUOps_code L0 K1) K2). Qed.
End Refine.
