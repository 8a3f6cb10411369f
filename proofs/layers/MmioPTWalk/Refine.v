(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 10, MmioPTWalk: the layer's refinement theorem.  Whatever the interface of
    MmioPTWalk says, the C code does over the interface of MmioPTAlloc, on the same
    state; the memory of SMMU tables and the allocators are hidden from here on. *)
From SeKVM.layers.MmioPTWalk Require Import Code Spec ProofCode.

Lemma MmioPTWalk_code : mod_ok MmioPTAlloc.Spec.L code T.
Proof.
  repeat split.
  - exact walk_smmu_pgd_code.
  - exact walk_smmu_pmd_code.
  - exact walk_smmu_pte_code.
  - exact set_smmu_pte_code.
  - exact clear_smmu_pgd_code.
Qed.

Theorem MmioPTWalk_refines : refines req (graph MmioPTWalk.Spec.L) (sem code (graph MmioPTAlloc.Spec.L)).
Proof. exact (mod_ok_refines_hide _ _ _ _ MmioPTWalk_code). Qed.
