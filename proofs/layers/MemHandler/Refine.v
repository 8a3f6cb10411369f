(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 30, MemHandler: the layer's refinement theorem.  The code proofs hold for any six primitives on VMs and
    their devices; the interface below has those of VMPower, BootOps, MmioRaw and MmioOps.  Rests on [ProofCode]. *)
From SeKVM.layers.MemHandler Require Import Code Interface ProofCode.

Section Refine.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).
  Context (get_vm_poweron vm_has_bank map_io smmu_init_pte smmu_assign_page smmu_map_page : prim St).

  Lemma MemHandler_code :
    mod_ok (MemHandler.Spec.U get_vm_poweron vm_has_bank map_io smmu_init_pte smmu_assign_page smmu_map_page) code
      (MemHandler.Spec.T get_vm_poweron vm_has_bank map_io smmu_init_pte smmu_assign_page smmu_map_page).
  Proof.
    repeat split.
    - apply clear_vm_stage2_range_code.
    - apply el2_arm_lpae_map_code.
    - apply kvm_phys_addr_ioremap_code.
  Qed.
End Refine.

Lemma MemHandler_keeps : keeps U CtxtSwitch.Interface.L.
Proof. repeat constructor. Qed.

Theorem MemHandler_refines : refines req (graph MemHandler.Interface.L) (sem code (graph CtxtSwitch.Interface.L)).
Proof. exact (layer_refines U _ code T hidden (MemHandler_code _ _ _ _ _ _) MemHandler_keeps). Qed.
