(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the code that gives frames to devices meets its specification over
    the part of the underlay that it uses.  Used by [ProofCode]. *)
From SeKVM.layers.BootOps Require Import Code Spec SpecTac Natural.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Lemma assign_smmu_code : fun_ok U f_assign_smmu assign_smmu_spec.
Proof.
  pose proof assign_pfn_to_smmu_records as N1. apply fun_ok_vc. intros vs s r E. unfold assign_smmu_spec, configuring in E.
  args_of E. cbv beta in E. destruct (v <? COREVISOR) eqn:G; [|cbn [chk] in E; inv_spec E].
  - destruct (v =? HOSTVISOR) eqn:G0; [cbn [chk] in E; inv_spec E | section_of E];
      autounfold with prims consts in *; boolprop; state_norm_hyps; run_vc f_assign_smmu; op_cases.
  - autounfold with prims consts in *; boolprop; run_vc f_assign_smmu; op_cases.
Qed.

Lemma map_smmu_code : fun_ok U f_map_smmu map_smmu_spec.
Proof.
  pose proof update_smmu_page_records as N1. apply fun_ok_vc. intros vs s r E. unfold map_smmu_spec, configuring in E.
  destruct vs as [|v [|b [|i [|a [|e [|]]]]]]; try discriminate E.
  do 5 (destruct (in_range _ _) eqn:? in E; [|discriminate E]).
  destruct ((v <? COREVISOR) && bank_named b i) eqn:G; [section_of E | inv_spec E];
    autounfold with prims consts in *; boolprop; state_norm_hyps; run_vc f_map_smmu; op_cases.
Qed.
