(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 26, MmioOps: code of giving a context bank away and taking it back, over what it
    uses.  Work on VMs and tables is a closed call that commutes with replacing the map of
    owners.  Used by [Refine]. *)
From SeKVM.lib Require Import Bits VcTac PrimInv.
From SeKVM.machine Require Import Rel RelTac.
From SeKVM.layers.MmioOpsAux Require Import ProofCode.
From SeKVM.layers.MmioOps Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** What the firmware says of banks. *)
Lemma smmu_ok_banks d : smmu_ok d = true -> 0 <= smmu_banks d <= 8.
Proof. unfold smmu_ok. intros H. boolprop. lia. Qed.

Section Code.
  Context {N P : Type}.
  Notation St := (St cell N pmap P).
  Context (get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu : prim St).
  Context (N1 : natural st_smmu set_smmu get_vm_poweron get_vm_poweron).
  Context (N2 : natural st_smmu set_smmu alloc_smmu alloc_smmu).
  Notation U := (U get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu).

  Lemma init_spt_natural : @natural St St _ _ st_smmu set_smmu init_spt_spec init_spt_spec.
  Proof. unfold init_spt_spec, publish_spt_update, publish_spt. natural_tac. Qed.

  Lemma el2_free_smmu_pgd_code : fun_ok U f_el2_free_smmu_pgd (el2_free_smmu_pgd_spec get_vm_poweron).
  Proof. pose proof init_spt_natural as N0. locked_intro f_el2_free_smmu_pgd; code_cases. Qed.

  Lemma el2_alloc_smmu_pgd_code : fun_ok U f_el2_alloc_smmu_pgd (el2_alloc_smmu_pgd_spec alloc_smmu).
  Proof.
    apply fun_ok_vc. intros vs s r E. apply p3_inv in E as (cb & v & ix & -> & R1 & R2 & R3 & E).
    destruct (smmus_ok (boot_smmus (st_boot s))) eqn:OK; [|discriminate E].
    pose proof (smmus_ok_length _ OK) as LEN. unfold may_alloc in E.
    destruct (boot_smmus (st_boot s) !! Z.to_nat ix) as [d|] eqn:D.
    - pose proof (lookup_lt_Some _ _ _ D). pose proof (smmus_ok_one _ _ _ OK D) as B. apply smmu_ok_banks in B.
      boolprop. locked_open f_el2_alloc_smmu_pgd E s; code_cases.
    - pose proof (lookup_ge_None_1 _ _ D). rewrite andb_false_r in E. injection E as <-.
      boolprop. run_vc f_el2_alloc_smmu_pgd. code_cases.
  Qed.
End Code.
