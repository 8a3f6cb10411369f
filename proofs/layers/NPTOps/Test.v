(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 8, NPTOps: examples by computation.  On concrete states the specification,
    the code run by the interpreter and a written value agree; and the whole stack
    from here down to the allocators agrees with them too, on trees in memory. *)
From SeKVM.lib Require Import Calls.
From SeKVM.layers.PTAlloc Require Code.
From SeKVM.layers.PTWalk Require Code.
From SeKVM.layers.NPTWalk Require Code Refine.
From SeKVM.layers.NPTOps Require Import Code Spec.
Import NPTWalk.Refine.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition by_spec : stepper nstate := call NPTOps.Spec.L.
Definition by_c : stepper nstate := by_code code NPTWalk.Spec.L.
Definition by_stack : stepper state :=
  by_code (code ++ NPTWalk.Code.code ++ PTWalk.Code.code ++ PTAlloc.Code.code)%list Locks.Spec.L.

(** Observed: the invalidations, and whether VM 3's lock is held. *)
Definition obs {N} (s : St cell N sptab (gmap Z s2page)) : list out_event * option bool :=
  (st_outs s, c_held <$> st_npts s !! 3).

Definition agree (w : world) (maps : Z -> list (list (Z * pmap))) (cs : list (ident * list Z))
    (v : list Z * ended * (list out_event * option bool)) : Prop :=
  observe by_spec obs cs (init_maps maps w) = v /\
  observe by_c obs cs (init_maps maps w) = v /\
  observe by_stack obs cs (init w) = v.

Definition alone := agree (quiet 0) (fun _ => []).

Example map_walk_remap_unmap :
  alone
    [("walk_s2pt", [3; 0x5000]); ("map_s2pt", [3; 0x5000; 3; 0x8000747]); ("walk_s2pt", [3; 0x5000]);
     ("get_level_s2pt", [3; 0x5fff]); ("map_s2pt", [3; 0x5000; 3; 0x9000707]); ("walk_s2pt", [3; 0x5000]);
     ("map_s2pt", [3; 0x5000; 3; 0]); ("get_level_s2pt", [3; 0x5000]); ("walk_s2pt", [3; 0x5000])]
    ([0; 0; 0x8000747; 3; 0; 0x9000707; 0; 0; 0], Finished,
     ([Tlb_flush 3 0x5000; Tlb_flush 3 0x5000; Tlb_flush 3 0x5000], Some false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** The host loses a frame that it maps, as a page; a frame that it does not map stays
    as it is. *)
Example clear_frame :
  alone
    [("map_s2pt", [0; 0x40001000; 3; 0x40001fff]); ("get_level_s2pt", [0; 0x40001000]);
     ("clear_pfn_host", [0x40001]); ("get_level_s2pt", [0; 0x40001000]); ("walk_s2pt", [0; 0x40001000]);
     ("clear_pfn_host", [0x40002]); ("walk_s2pt", [0; 0x40002000])]
    ([0; 3; 0; 0; 144115188075855872; 0; 0], Finished,
     ([Tlb_flush 0 0x40001000; Tlb_flush 0 0x40001000], Some false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** Block over page, then page below the block: a panic, the lock stays held. *)
Example page_under_block :
  alone
    [("map_s2pt", [3; 0x205000; 3; 0x8000747]); ("map_s2pt", [3; 0x200000; 2; 0x40000745]);
     ("walk_s2pt", [3; 0x205000]); ("get_level_s2pt", [3; 0x205000]); ("map_s2pt", [3; 0x205000; 3; 0x8000747])]
    ([0; 0; 0x40000745; 2], Panicked, ([Tlb_flush 3 18446744073709551615; Tlb_flush 3 0x205000], Some true)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** The host's frame lies in a block: taking it away is a panic too. *)
Example clear_in_block :
  alone [("map_s2pt", [0; 0x40000000; 2; 0x40000ffd]); ("clear_pfn_host", [0x40001])]
    ([0], Panicked, ([Tlb_flush 0 18446744073709551615], Some false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** Another CPU used up VM 3's pools before: the next table is a panic. *)
Definition full_map : pmap := mkpmap ∅ ∅ (list_to_map [(1%nat, 1); (2%nat, 0); (3%nat, 5)]).
Definition full_tree : npt := mknpt (pud_start 3 - 4096) (pmd_start 3) (pool_end 3 - 20480) ∅.

Example pool_empty :
  agree
    (mkworld 0 (mkboot [] []) ∅ [] [] [] [] (fun vm => if vm =? 3 then [[(1, full_tree)]] else [])
       (fun _ => []) (fun _ => []) [] ∅)
    (fun vm => if vm =? 3 then [[(1, full_map)]] else [])
    [("walk_s2pt", [3; 0x5000]); ("map_s2pt", [3; 0x5000; 3; 0x8000747])]
    ([0], Panicked, ([], Some true)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** Arguments that there are not: a table, an address beyond 48 bits, a level, a frame.
    Nothing is found there, and nothing can be mapped or taken away.  All checks come
    before the lock. *)
Example no_such_vm : alone [("walk_s2pt", [16; 0x5000]); ("walk_s2pt", [17; 0x5000])] ([0], Panicked, ([], Some false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

Example no_level_of_such_vm : alone [("get_level_s2pt", [16; 0]); ("get_level_s2pt", [17; 0])] ([0], Panicked, ([], Some false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

Example no_map_of_such_vm :
  alone [("map_s2pt", [16; 0; 3; 0x8000747]); ("map_s2pt", [17; 0; 3; 0x8000747])]
    ([0], Panicked, ([Tlb_flush 16 0], Some false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** The last page of the address space is not taken for one beyond it. *)
Example no_such_address :
  alone
    [("map_s2pt", [3; 0xfffffffff000; 3; 0x8000747]); ("walk_s2pt", [3; 0xffffffffffff]);
     ("get_level_s2pt", [3; 0xffffffffffff]); ("map_s2pt", [3; 0; 3; 0x9000747]);
     ("walk_s2pt", [3; 0x1000000000000]); ("get_level_s2pt", [3; 0x1000000000000]);
     ("walk_s2pt", [3; 0xffffffffffffffff]); ("map_s2pt", [3; 0x1000000000000; 3; 0xa000747])]
    ([0; 0x8000747; 3; 0; 0; 0; 0], Panicked, ([Tlb_flush 3 0; Tlb_flush 3 0xfffffffff000], Some false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

Example no_such_level :
  alone [("map_s2pt", [3; 0x5000; 1; 0x8000747])] ([], Panicked, ([], Some false)) /\
  alone [("map_s2pt", [3; 0x5000; 4; 0x8000747])] ([], Panicked, ([], Some false)).
Proof. split; (split; [|split]); vm_compute; reflexivity. Qed.

Example no_such_frame :
  alone [("clear_pfn_host", [0xfffffffff]); ("clear_pfn_host", [0x1000000000])] ([0], Panicked, ([], Some false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** The lock of stage-2 tables is hidden above this layer, as are the operations under it. *)
Example lock_hidden : call NPTOps.Spec.L "acquire_lock_pt" [3] (init_maps (fun _ => []) (quiet 0)) = None.
Proof. reflexivity. Qed.

Example unlocked_hidden : call NPTOps.Spec.L "set_npt" [3; 0; 3; 0] (init_maps (fun _ => []) (quiet 0)) = None.
Proof. reflexivity. Qed.
