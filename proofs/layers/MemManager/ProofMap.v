(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 16, MemManager: code of the functions that map frames, over the part of
    the underlay that it uses.  Table work is a closed call; it commutes with replacing
    the map of frames.  Used by [Refine]. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.machine Require Import StateTac BottomPagesTac Rel.
From SeKVM.layers.MemManager Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Code.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).
  Context (map_spt unmap_spt : prim St).
  Context (N1 : natural st_s2 set_s2 map_spt map_spt) (N2 : natural st_s2 set_s2 unmap_spt unmap_spt).
  Notation U := (U map_spt unmap_spt).

  Lemma map_page_host_code : fun_ok U f_map_page_host map_page_host_spec.
  Proof.
    naturals M. locked_intro f_map_page_host;
      match goal with a : Z, R : 0 <= ?a < 18446744073709551616 |- _ => pose proof (div_page_range a _ R) end; code_cases.
  Qed.

  Lemma map_vm_io_code : fun_ok U f_map_vm_io map_vm_io_spec.
  Proof.
    naturals M. locked_intro f_map_vm_io;
      try match goal with E : context [Z.land ?e 281474976706560] |- _ => pose proof (div_page_range _ _ (phys_range e)) end; code_cases.
  Qed.

  Lemma map_pfn_vm_code : fun_ok U f_map_pfn_vm map_pfn_vm_spec.
  Proof. code_ok f_map_pfn_vm. Qed.

  Lemma update_smmu_page_code : fun_ok U f_update_smmu_page (update_smmu_page_spec map_spt).
  Proof.
    naturals M. locked_intro f_update_smmu_page;
      try match goal with E : context [Z.land ?e 281474976706560] |- _ => pose proof (div_page_range _ _ (phys_range e)) end;
      repeat match goal with R : 0 <= ?a < 18446744073709551616 |- _ =>
        lazymatch goal with _ : 0 <= a / 4096 < _ /\ _ |- _ => fail | _ => pose proof (div_page_range a _ R) end
      end;
      code_cases.
  Qed.

  Lemma unmap_smmu_page_code : fun_ok U f_unmap_smmu_page (unmap_smmu_page_spec unmap_spt).
  Proof.
    naturals M. locked_intro f_unmap_smmu_page;
      try match goal with E : context [Z.land ?e 281474976706560] |- _ => pose proof (div_page_range _ _ (phys_range e)) end;
      code_cases.
  Qed.
End Code.
