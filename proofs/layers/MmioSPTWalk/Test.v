(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 11, MmioSPTWalk: examples by computation.  From the initial states the
    specification on maps, the code run by the interpreter on trees in memory and a
    written value agree: lookups, updates, a bank emptied, an empty pool, and calls that
    are undefined. *)
From SeKVM.lib Require Import Calls.
From SeKVM.layers.NPTWalk Require Refine.
From SeKVM.layers.MmioSPTWalk Require Import Code Spec Refine.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition by_spec : stepper mstate := call MmioSPTWalk.Spec.L.
Definition by_c : stepper nstate := by_code code MmioPTWalk.Spec.L.

(** Observed: the invalidations. *)
Definition outs {M} (s : St cell pmap M (gmap Z s2page)) : list out_event := st_outs s.

Definition agree (w : world) (smaps : list (list (Z * pmap))) (cs : list (ident * list Z))
    (v : list Z * ended * list out_event) : Prop :=
  observe by_spec outs cs (init_all_maps (fun _ => []) smaps w) = v /\
  observe by_c outs cs (NPTWalk.Refine.init_maps (fun _ => []) w) = v.
Definition alone := agree (quiet 0) [].

(** A page is mapped, changed and unmapped; its neighbour and the other banks are not. *)
Example page :
  alone
    [("acquire_lock_spt", []); ("walk_smmu_pt", [1; 0; 20480]); ("set_smmu_pt", [1; 0; 20480; 0x8000747]);
     ("walk_smmu_pt", [1; 0; 20487]); ("walk_smmu_pt", [1; 0; 24576]); ("walk_smmu_pt", [1; 1; 20480]);
     ("walk_smmu_pt", [0; 1; 20480]); ("set_smmu_pt", [1; 0; 20480; 0x9000707]); ("walk_smmu_pt", [1; 0; 20480]);
     ("set_smmu_pt", [1; 0; 20480; 0]); ("walk_smmu_pt", [1; 0; 20480]); ("release_lock_spt", [])]
    ([0; 0; 0; 0x8000747; 0; 0; 0; 0; 0x9000707; 0; 0; 0], Finished,
     [Smmu_flush 0 1 20480; Smmu_flush 0 1 20480; Smmu_flush 0 1 20480]).
Proof. split; vm_compute; reflexivity. Qed.

(** Emptying a bank leaves the others. *)
Example bank_emptied :
  alone
    [("acquire_lock_spt", []); ("set_smmu_pt", [7; 1; 0xffffff5000; 0x8000747]); ("set_smmu_pt", [6; 1; 4096; 0x9000747]);
     ("clear_smmu_pt", [7; 1]); ("walk_smmu_pt", [7; 1; 0xffffff5000]); ("walk_smmu_pt", [6; 1; 4096])]
    ([0; 0; 0; 0; 0; 0x9000747], Finished,
     [Smmu_flush 1 7 18446744073709551615; Smmu_flush 1 6 4096; Smmu_flush 1 7 0xffffff5000]).
Proof. split; vm_compute; reflexivity. Qed.

(** Another CPU left one table of the second level, none below. *)
Definition full_map : pmap := mkpmap ∅ ∅ (list_to_map [(1%nat, 1); (2%nat, 0)]).
Definition full_tree : sptab := mkspt (SMMU_PMD_START - 4096) SMMU_POOL_END ∅.
Definition full_world : world :=
  mkworld 0 (mkboot [] []) ∅ [] [] [[(1, full_tree)]] [] (fun _ => []) (fun _ => []) (fun _ => []) [] ∅.

Example pool_empty :
  agree full_world [[(1, full_map)]]
    [("acquire_lock_spt", []); ("walk_smmu_pt", [0; 0; 4096]); ("set_smmu_pt", [0; 0; 4096; 0x8000747])]
    ([0; 0], Panicked, []).
Proof. split; vm_compute; reflexivity. Qed.

(** ** Undefined, and hidden *)

Example no_lock : alone [("walk_smmu_pt", [0; 0; 4096])] ([], Undefined, []).
Proof. split; vm_compute; reflexivity. Qed.

Example no_such_bank : alone [("acquire_lock_spt", []); ("set_smmu_pt", [8; 0; 4096; 0])] ([0], Undefined, []).
Proof. split; vm_compute; reflexivity. Qed.

Example steps_hidden :
  call MmioSPTWalk.Spec.L "walk_smmu_pgd" [65536; 0; 0] (init_all_maps (fun _ => []) [] (quiet 0)) = None.
Proof. reflexivity. Qed.
