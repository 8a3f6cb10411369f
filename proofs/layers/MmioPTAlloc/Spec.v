(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 9, MmioPTAlloc: bump allocation of pages for SMMU tables from two pools.
    The interface is that of NPTOps with the allocators in the place of the bump
    pointers.  Stands on NPTOps. *)
From SeKVM.layers.NPTOps Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section MmioPTAlloc.
  Context {N P : Type}.

  (** The next page of the pool [lo, hi), or a panic when the pool is used up.
      Defined while the caller holds the lock of the SMMU tables. *)
  Definition alloc_smmu (next : sptab -> Z) (set_next : Z -> sptab -> sptab) (lo hi : Z) : prim (St cell N sptab P) :=
    p0 (Some U64) (fun s =>
      let c := st_spt s in
      rely c_held c;
      rely (lo <=? next (c_val c)) && (next (c_val c) <=? hi);
      if next (c_val c) + PAGE <=? hi
      then ret (next (c_val c)) (set_spt (set_val (set_next (next (c_val c) + PAGE) (c_val c)) c) s)
      else Some (Halt s)).

  Definition alloc_smmu_pgd_page_spec := alloc_smmu spt_pgd_next set_spt_pgd_next SMMU_PGD_START SMMU_PMD_START.
  Definition alloc_smmu_pmd_page_spec := alloc_smmu spt_pmd_next set_spt_pmd_next SMMU_PMD_START SMMU_POOL_END.

  Definition T : tbl (St cell N sptab P) :=
    [("alloc_smmu_pgd_page", alloc_smmu_pgd_page_spec); ("alloc_smmu_pmd_page", alloc_smmu_pmd_page_spec)].
End MmioPTAlloc.

(** The bump pointers of the SMMU pools end here. *)
Definition L : tbl nstate :=
  over T (hide ["get_smmu_pgd_next"; "set_smmu_pgd_next"; "get_smmu_pmd_next"; "set_smmu_pmd_next"] NPTOps.Spec.L).
