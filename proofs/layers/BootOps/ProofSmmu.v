(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the code on devices' tables meets its specification over the part of
    the underlay that it uses.  Used by [ProofCode]. *)
From SeKVM.layers.BootOps Require Import Code Spec SpecTac Natural.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Lemma alloc_smmu_code : fun_ok U f_alloc_smmu alloc_smmu_spec.
Proof. pose proof init_spt_records as N1. op_intro f_alloc_smmu alloc_smmu_spec; op_cases. Qed.

Lemma clear_smmu_code : fun_ok U f_clear_smmu clear_smmu_spec.
Proof. pose proof unmap_smmu_page_records as N1. op_intro f_clear_smmu clear_smmu_spec; op_cases. Qed.
