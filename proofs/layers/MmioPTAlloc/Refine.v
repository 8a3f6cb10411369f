(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 9, MmioPTAlloc: the layer's refinement theorem.  Whatever the interface of
    MmioPTAlloc says, the C code does over the interface of NPTOps, on the same state;
    the bump pointers of the SMMU pools are hidden from here on. *)
From SeKVM.layers.MmioPTAlloc Require Import Code Spec ProofCode.

Lemma MmioPTAlloc_code : mod_ok NPTOps.Spec.L code T.
Proof.
  repeat split.
  - exact alloc_smmu_pgd_page_code.
  - exact alloc_smmu_pmd_page_code.
Qed.

Theorem MmioPTAlloc_refines : refines req (graph MmioPTAlloc.Spec.L) (sem code (graph NPTOps.Spec.L)).
Proof. exact (mod_ok_refines_hide _ _ _ _ MmioPTAlloc_code). Qed.
