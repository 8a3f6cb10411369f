(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 30, MemHandler: the layer's refinement theorem, for any five primitives on VMs
    and their devices, over every underlay that has what the code uses; other primitives
    pass through.  Rests on [ProofCode]. *)
From SeKVM.lib Require Import Hide.
From SeKVM.layers.MemHandler Require Import Code Spec ProofCode.

Section Refine.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).
  Context (get_vm_poweron map_io smmu_init_pte smmu_assign_page smmu_map_page : prim St).
  Notation T := (T get_vm_poweron map_io smmu_init_pte smmu_assign_page smmu_map_page).
  Notation U := (U get_vm_poweron map_io smmu_init_pte smmu_assign_page smmu_map_page).

  Lemma MemHandler_code : mod_ok U code T.
  Proof.
    repeat split.
    - apply clear_vm_stage2_range_code.
    - apply el2_arm_lpae_map_code.
    - apply kvm_phys_addr_ioremap_code.
  Qed.

  Theorem MemHandler_refines (L0 : tbl St) : keeps U L0 ->
    refines req (graph (over T (hide hidden L0))) (sem code (graph L0)).
  Proof. exact (layer_refines U L0 code T hidden MemHandler_code). Qed.
End Refine.
