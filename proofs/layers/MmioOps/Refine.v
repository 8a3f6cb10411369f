(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 26, MmioOps: the layer's refinement theorem.  The code proofs hold for any five primitives on VMs and
    their devices that leave the owners of banks alone; those of BootOps and VMPower are such, and the interface
    below has it all.  Rests on [ProofCode]. *)
From SeKVM.machine Require Import Rel.
From SeKVM.layers.MmioOps Require Import Code Interface ProofAccess ProofBank ProofPage ProofHasBank Natural.

Section Refine.
  Context {N P : Type}.
  Notation St := (St cell N pmap P).
  Context (get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu : prim St).
  Context (N1 : natural st_smmu set_smmu get_vm_poweron get_vm_poweron).
  Context (N2 : natural st_smmu set_smmu alloc_smmu alloc_smmu).
  Context (N3 : natural st_smmu set_smmu assign_smmu assign_smmu).
  Context (N4 : natural st_smmu set_smmu map_smmu map_smmu).
  Context (N5 : natural st_smmu set_smmu clear_smmu clear_smmu).
  Notation U := (MmioOps.Spec.U get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu).
  Notation T := (MmioOps.Spec.T get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu).

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
    - apply vm_has_bank_code.
  Qed.
End Refine.

Lemma MmioOps_keeps : keeps U MmioOpsAux.Interface.L.
Proof. repeat constructor. Qed.

Theorem MmioOps_refines : refines req (graph MmioOps.Interface.L) (sem code (graph MmioOpsAux.Interface.L)).
Proof.
  refine (layer_refines U _ code T hidden _ MmioOps_keeps).
  exact (MmioOps_code _ _ _ _ _ poweron_natural alloc_natural assign_natural map_natural clear_natural).
Qed.
