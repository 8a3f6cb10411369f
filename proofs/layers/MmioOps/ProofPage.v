(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 26, MmioOps: code of the operations on a bank's pages, over what it uses.  Work on
    frames and tables is a closed call that commutes with replacing the map of owners.
    Used by [Refine]. *)
From SeKVM.lib Require Import Bits VcTac PrimInv.
From SeKVM.machine Require Import Rel RelTac.
From SeKVM.layers.MmioOpsAux Require Import ProofCode.
From SeKVM.layers.MmioOps Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Code.
  Context {N P : Type}.
  Notation St := (St cell N pmap P).
  Context (get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu : prim St).
  Context (N3 : natural st_smmu set_smmu assign_smmu assign_smmu).
  Context (N4 : natural st_smmu set_smmu map_smmu map_smmu).
  Context (N5 : natural st_smmu set_smmu clear_smmu clear_smmu).
  Notation U := (U get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu).

  Lemma smmu_assign_page_code : fun_ok U f_smmu_assign_page (smmu_assign_page_spec assign_smmu).
  Proof. locked_intro f_smmu_assign_page; code_cases. Qed.

  Lemma smmu_map_page_code : fun_ok U f_smmu_map_page (smmu_map_page_spec map_smmu).
  Proof. locked_intro f_smmu_map_page; code_cases. Qed.

  Lemma el2_arm_lpae_clear_code : fun_ok U f_el2_arm_lpae_clear (el2_arm_lpae_clear_spec clear_smmu).
  Proof. locked_intro f_el2_arm_lpae_clear; code_cases. Qed.

  Lemma el2_arm_lpae_iova_to_phys_code : fun_ok U f_el2_arm_lpae_iova_to_phys el2_arm_lpae_iova_to_phys_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. apply p3_inv in E as (a & cb & ix & -> & R1 & R2 & R3 & E).
    run_vc f_el2_arm_lpae_iova_to_phys. do 3 (split; [now apply in_range_iff|]).
    rewrite mask12. unfold is_bank in E. boolprop.
    destruct ((a <? SMMU_IOVA_LIMIT) && ((ix <? 2) && (cb <? 8))) eqn:B; autounfold with consts in B.
    - boolprop. repeat innermost resolve. aux_call.
      destruct (walk_spt_spec [cb; ix; a] s) as [[e s'|s']|]; [|injection E as <-; reflexivity | discriminate E].
      apply chk_inv in E as [_ ->]. unfold phys. rewrite frame_bits.
      pose proof (Z.mod_pos_bound a 4096 eq_refl). pose proof (Z.mod_pos_bound (e / 4096) 68719476736 eq_refl).
      unwrap. reflexivity.
    - injection E as <-. boolprop. code_cases.
  Qed.
End Code.
