(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 12, MmioSPTOps: examples by computation.  On concrete states the
    specification, the code run by the interpreter and a written value agree; and the
    layers from here down to the allocators of SMMU tables agree with them too, on
    trees in memory. *)
From SeKVM.lib Require Import Calls.
From SeKVM.layers.NPTWalk Require Refine.
From SeKVM.layers.MmioPTAlloc Require Code.
From SeKVM.layers.MmioPTWalk Require Code.
From SeKVM.layers.MmioSPTWalk Require Code Refine.
From SeKVM.layers.MmioSPTOps Require Import Code Spec.
Import MmioSPTWalk.Refine.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition by_spec : stepper mstate := call MmioSPTOps.Spec.L.
Definition by_c : stepper mstate := by_code code MmioSPTWalk.Spec.L.
Definition by_stack : stepper nstate :=
  by_code (code ++ MmioSPTWalk.Code.code ++ MmioPTWalk.Code.code ++ MmioPTAlloc.Code.code)%list NPTOps.Spec.L.

(** Observed: the invalidations, and whether the lock is held. *)
Definition obs {M} (s : St cell pmap M (gmap Z s2page)) : list out_event * bool := (st_outs s, c_held (st_spt s)).

Definition agree (w : world) (smaps : list (list (Z * pmap))) (cs : list (ident * list Z))
    (v : list Z * ended * (list out_event * bool)) : Prop :=
  observe by_spec obs cs (init_all_maps (fun _ => []) smaps w) = v /\
  observe by_c obs cs (init_all_maps (fun _ => []) smaps w) = v /\
  observe by_stack obs cs (NPTWalk.Refine.init_maps (fun _ => []) w) = v.
Definition alone := agree (quiet 0) [].

(** What was mapped is found and returned by the unmapping; unmapping nothing changes
    nothing. *)
Example map_walk_unmap :
  alone
    [("map_spt", [1; 0; 0x5000; 0x8000747]); ("walk_spt", [1; 0; 0x5fff]); ("walk_spt", [1; 1; 0x5000]);
     ("unmap_spt", [1; 0; 0x6000]); ("unmap_spt", [1; 0; 0x5000]); ("walk_spt", [1; 0; 0x5000]);
     ("unmap_spt", [1; 0; 0x5000])]
    ([0; 0x8000747; 0; 0; 0x8000747; 0; 0], Finished, ([Smmu_flush 0 1 0x5000; Smmu_flush 0 1 0x5000], false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** A bank starts empty, whatever was there; the others stay. *)
Example bank_restarted :
  alone
    [("map_spt", [7; 1; 0x5000; 0x8000747]); ("map_spt", [6; 1; 0x5000; 0x9000747]); ("init_spt", [7; 1]);
     ("walk_spt", [7; 1; 0x5000]); ("walk_spt", [6; 1; 0x5000])]
    ([0; 0; 0; 0; 0x9000747], Finished,
     ([Smmu_flush 1 7 18446744073709551615; Smmu_flush 1 6 0x5000; Smmu_flush 1 7 0x5000], false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** Another CPU left one table of the second level, none below: the next table is a
    panic, with the lock held. *)
Definition full_map : pmap := mkpmap ∅ ∅ (list_to_map [(1%nat, 1); (2%nat, 0)]).
Definition full_tree : sptab := mkspt (SMMU_PMD_START - 4096) SMMU_POOL_END ∅.
Definition full_world : world :=
  mkworld 0 (mkboot [] []) ∅ [] [] [[(1, full_tree)]] [] (fun _ => []) (fun _ => []) (fun _ => []) [] ∅.

Example pool_empty :
  agree full_world [[(1, full_map)]]
    [("unmap_spt", [0; 0; 0x5000]); ("map_spt", [0; 0; 0x5000; 0x8000747])] ([0], Panicked, ([], true)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** Arguments that there are not: a bank, an SMMU, an address beyond 40 bits.  Nothing is
    found there and nothing can be mapped.  The checks come before the lock. *)
Example no_such_bank :
  alone [("init_spt", [7; 1]); ("init_spt", [8; 1])] ([0], Panicked, ([Smmu_flush 1 7 18446744073709551615], false)) /\
  alone [("walk_spt", [8; 0; 0x5000])] ([], Panicked, ([], false)) /\
  alone [("map_spt", [8; 0; 0x5000; 0x8000747])] ([], Panicked, ([], false)) /\
  alone [("unmap_spt", [8; 0; 0x5000])] ([], Panicked, ([], false)).
Proof. split; [|split; [|split]]; (split; [|split]); vm_compute; reflexivity. Qed.

Example no_such_smmu :
  alone [("init_spt", [0; 2])] ([], Panicked, ([], false)) /\
  alone [("walk_spt", [0; 1; 0x5000]); ("walk_spt", [0; 2; 0x5000])] ([0], Panicked, ([], false)) /\
  alone [("map_spt", [0; 2; 0x5000; 0x8000747])] ([], Panicked, ([], false)) /\
  alone [("unmap_spt", [0; 2; 0x5000])] ([], Panicked, ([], false)).
Proof. split; [|split; [|split]]; (split; [|split]); vm_compute; reflexivity. Qed.

(** The last page of a bank's address space, and the one beyond, which would be the first
    page of the next bank. *)
Example no_such_address :
  alone
    [("map_spt", [0; 0; 0xfffffff000; 0x8000747]); ("walk_spt", [0; 0; 0xffffffffff]);
     ("map_spt", [0; 0; 0; 0x9000747]); ("map_spt", [1; 0; 0; 0xa000747]);
     ("walk_spt", [0; 0; 0x10000000000]); ("unmap_spt", [0; 0; 0x10000000000]); ("walk_spt", [1; 0; 0]);
     ("unmap_spt", [0; 0; 0xffffffffff]); ("map_spt", [0; 0; 0x10000000000; 0xb000747])]
    ([0; 0x8000747; 0; 0; 0; 0; 0xa000747; 0x8000747], Panicked,
     ([Smmu_flush 0 0 0xffffffffff; Smmu_flush 0 1 0; Smmu_flush 0 0 0; Smmu_flush 0 0 0xfffffff000], false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** The lock of SMMU tables is hidden above this layer, as are the operations under it. *)
Example spt_lock_hidden :
  call MmioSPTOps.Spec.L "acquire_lock_spt" [] (init_all_maps (fun _ => []) [] (quiet 0)) = None.
Proof. reflexivity. Qed.

Example unlocked_hidden :
  call MmioSPTOps.Spec.L "set_smmu_pt" [0; 0; 0; 0] (init_all_maps (fun _ => []) [] (quiet 0)) = None.
Proof. reflexivity. Qed.
