(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 26, MmioOps: the layer's refinement theorem.  It holds for any five primitives on
    VMs and their devices that leave the owners of banks alone, over every underlay that
    has them and what the code uses; the owners, their lock, and the operations on SMMUs of
    the layers below are hidden from here on. *)
From SeKVM.machine Require Import Rel.
From SeKVM.layers.MmioOps Require Import Code Spec ProofAccess ProofBank ProofPage.

Section Refine.
  Context {N P : Type}.
  Notation St := (St cell N pmap P).
  Context (get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu : prim St).
  Context (N1 : natural st_smmu set_smmu get_vm_poweron get_vm_poweron).
  Context (N2 : natural st_smmu set_smmu alloc_smmu alloc_smmu).
  Context (N3 : natural st_smmu set_smmu assign_smmu assign_smmu).
  Context (N4 : natural st_smmu set_smmu map_smmu map_smmu).
  Context (N5 : natural st_smmu set_smmu clear_smmu clear_smmu).
  Notation U := (U get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu).
  Notation T := (T get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu).

  Lemma MmioOps_code : mod_ok U code T.
  Proof.
    repeat split.
    - apply emulate_mmio_code.
    - apply el2_free_smmu_pgd_code, N1.
    - apply el2_alloc_smmu_pgd_code, N2.
    - apply smmu_assign_page_code, N3.
    - apply smmu_map_page_code, N4.
    - apply el2_arm_lpae_clear_code, N5.
    - apply el2_arm_lpae_iova_to_phys_code.
  Qed.

  Theorem MmioOps_refines_over (L0 : tbl St) :
    keeps U L0 -> refines req (graph (over T (hide hidden L0))) (sem code (graph L0)).
  Proof. intros K. exact (layer_refines _ _ _ _ _ MmioOps_code K). Qed.

  (** Over exactly what the code uses. *)
  Theorem MmioOps_refines : refines req (graph (over T (hide hidden U))) (sem code (graph U)).
  Proof. apply MmioOps_refines_over. repeat constructor. Qed.
End Refine.
