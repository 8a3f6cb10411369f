(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 10, MmioPTWalk: examples by computation.  On concrete states the
    specification, the code run by the interpreter and a written value agree: steps
    that allocate and find, a root emptied, an empty pool, and calls that are
    undefined. *)
From SeKVM.lib Require Import Calls.
From SeKVM.layers.NPTWalk Require Refine.
From SeKVM.layers.MmioPTWalk Require Import Code Spec.
Import NPTWalk.Refine.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition by_spec : stepper nstate := call MmioPTWalk.Spec.L.
Definition by_c : stepper nstate := by_code code MmioPTAlloc.Spec.L.

Definition bumps (s : nstate) : Z * Z := (spt_pgd_next (c_val (st_spt s)), spt_pmd_next (c_val (st_spt s))).

(** Before this CPU's first acquire of the SMMU tables, CPU 1 leaves them as [x]. *)
Definition others_leave (x : sptab) : world :=
  mkworld 0 (mkboot [] []) ∅ [] [] [[(1, x)]] [] (fun _ => []) (fun _ => []) (fun _ => []) [] ∅.

Definition agree (w : world) (cs : list (ident * list Z)) (v : list Z * ended * (Z * Z)) : Prop :=
  observe by_spec bumps cs (init_maps (fun _ => []) w) = v /\
  observe by_c bumps cs (init_maps (fun _ => []) w) = v.

(** Bank 1 has its root at 73728.  A page is built and found, and is gone when the root
    has been emptied; bank 0's root stays. *)
Example build_find_clear :
  agree (quiet 0)
    [("acquire_lock_spt", []); ("walk_smmu_pgd", [65536; 0; 1]); ("walk_smmu_pgd", [73728; 0xffc0005000; 1]);
     ("walk_smmu_pmd", [1118211; 0xffc0005000; 1]); ("set_smmu_pte", [2162691; 0xffc0005000; 0x8000747]);
     ("walk_smmu_pgd", [73728; 0xffc0005000; 0]); ("walk_smmu_pte", [2162691; 0xffc0005000]);
     ("walk_smmu_pte", [2162691; 0xffc0006000]); ("clear_smmu_pgd", [73728]);
     ("walk_smmu_pgd", [73728; 0xffc0005000; 0]); ("walk_smmu_pgd", [65536; 0; 0])]
    ([0; 1114115; 1118211; 2162691; 0; 1118211; 0x8000747; 0; 0; 0; 1114115], Finished, (1122304, 2166784)).
Proof. split; vm_compute; reflexivity. Qed.

Example pool_empty :
  agree (others_leave (mkspt SMMU_PMD_START SMMU_PMD_START ∅))
    [("acquire_lock_spt", []); ("walk_smmu_pgd", [65536; 0; 0]); ("walk_smmu_pgd", [65536; 0; 1])]
    ([0; 0], Panicked, (2162688, 2162688)).
Proof. split; vm_compute; reflexivity. Qed.

(** Undefined: without the lock; a root outside the pools. *)
Example no_lock : agree (quiet 0) [("walk_smmu_pgd", [65536; 0; 0])] ([], Undefined, (1114112, 2162688)).
Proof. split; vm_compute; reflexivity. Qed.

Example foreign_root :
  agree (quiet 0) [("acquire_lock_spt", []); ("walk_smmu_pgd", [3211264; 0; 1])]
    ([0], Undefined, (1114112, 2162688)).
Proof. split; vm_compute; reflexivity. Qed.

(** The memory of SMMU tables is hidden above this layer. *)
Example smmu_memory_hidden :
  call MmioPTWalk.Spec.L "smmu_pt_store" [65536; 0] (init_maps (fun _ => []) (quiet 0)) = None.
Proof. reflexivity. Qed.
