(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 9, MmioPTAlloc: examples by computation.  On concrete states the
    specification, the code run by the interpreter and a written value agree, on
    success, on panic and where both are undefined. *)
From SeKVM.lib Require Import Calls.
From SeKVM.layers.NPTWalk Require Refine.
From SeKVM.layers.MmioPTAlloc Require Import Code Spec.
Import NPTWalk.Refine.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition by_spec : stepper nstate := call MmioPTAlloc.Spec.L.
Definition by_c : stepper nstate := by_code code NPTOps.Spec.L.

Definition bumps (s : nstate) : Z * Z := (spt_pgd_next (c_val (st_spt s)), spt_pmd_next (c_val (st_spt s))).

(** Before this CPU's first acquire of the SMMU tables, CPU 1 leaves them as [x]. *)
Definition others_leave (x : sptab) : world :=
  mkworld 0 (mkboot [] []) ∅ [] [] [[(1, x)]] [] (fun _ => []) (fun _ => []) (fun _ => []) [] ∅.

Definition agree (w : world) (cs : list (ident * list Z)) (v : list Z * ended * (Z * Z)) : Prop :=
  observe by_spec bumps cs (init_maps (fun _ => []) w) = v /\
  observe by_c bumps cs (init_maps (fun _ => []) w) = v.

Example success :
  agree (quiet 0)
    [("acquire_lock_spt", []); ("alloc_smmu_pgd_page", []); ("alloc_smmu_pgd_page", []);
     ("alloc_smmu_pmd_page", []); ("release_lock_spt", [])]
    ([0; 1114112; 1118208; 2162688; 0], Finished, (1122304, 2166784)).
Proof. split; vm_compute; reflexivity. Qed.

(** The last page of a pool is handed out, and the next request panics. *)
Example last_page :
  agree (others_leave (mkspt (SMMU_PMD_START - 4096) (SMMU_POOL_END - 4096) ∅))
    [("acquire_lock_spt", []); ("alloc_smmu_pgd_page", []); ("alloc_smmu_pmd_page", []); ("alloc_smmu_pmd_page", [])]
    ([0; 2158592; 3207168], Panicked, (2162688, 3211264)).
Proof. split; vm_compute; reflexivity. Qed.

Example pgd_pool_empty :
  agree (others_leave (mkspt SMMU_PMD_START SMMU_PMD_START ∅))
    [("acquire_lock_spt", []); ("alloc_smmu_pgd_page", [])] ([0], Panicked, (2162688, 2162688)).
Proof. split; vm_compute; reflexivity. Qed.

(** Undefined: without the lock; with a pointer outside its pool. *)
Example no_lock : agree (quiet 0) [("alloc_smmu_pgd_page", [])] ([], Undefined, (1114112, 2162688)).
Proof. split; vm_compute; reflexivity. Qed.

Example outside_pool :
  observe by_spec bumps [("acquire_lock_spt", []); ("alloc_smmu_pgd_page", [])]
    (init_maps (fun _ => []) (others_leave (mkspt SMMU_POOL_START SMMU_PMD_START ∅)))
  = ([0], Undefined, (65536, 2162688)).
Proof. vm_compute. reflexivity. Qed.

(** The bump pointers are hidden above this layer. *)
Example bumps_hidden : call MmioPTAlloc.Spec.L "set_smmu_pgd_next" [0] (init_maps (fun _ => []) (quiet 0)) = None.
Proof. reflexivity. Qed.
