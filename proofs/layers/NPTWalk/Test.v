(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 7, NPTWalk: examples by computation.  From the initial states the
    specification on maps, the code run by the interpreter on trees in memory and a
    written value agree: lookups, updates, blocks, refusals, an empty pool, and calls
    that are undefined. *)
From SeKVM.lib Require Import Calls.
From SeKVM.layers.NPTWalk Require Import Code Spec Refine.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition by_spec : stepper nstate := call NPTWalk.Spec.L.
Definition by_c : stepper state := by_code code PTWalk.Spec.L.

(** Observed: the invalidations. *)
Definition outs {N} (s : St cell N sptab (gmap Z s2page)) : list out_event := st_outs s.

Definition agree_on (s : nstate) (t : state) (cs : list (ident * list Z)) (v : list Z * ended * list out_event) : Prop :=
  observe by_spec outs cs s = v /\ observe by_c outs cs t = v.
Definition agree := agree_on (init_maps (fun _ => []) (quiet 0)) (init (quiet 0)).

(** A page is mapped, changed and unmapped; its neighbours stay unmapped. *)
Example page :
  agree
    [("acquire_lock_pt", [3]); ("walk_npt", [3; 20480]); ("set_npt", [3; 20480; 3; 0x8000747]);
     ("walk_npt", [3; 20480]); ("get_npt_level", [3; 20487]); ("get_npt_level", [3; 24576]);
     ("set_npt", [3; 20480; 3; 0x9000707]); ("walk_npt", [3; 20480]); ("set_npt", [3; 20480; 3; 0]);
     ("walk_npt", [3; 20480]); ("get_npt_level", [3; 20480]); ("release_lock_pt", [3])]
    ([0; 0; 0; 0x8000747; 3; 0; 0; 0x9000707; 0; 0; 0; 0], Finished,
     [Tlb_flush 3 20480; Tlb_flush 3 20480; Tlb_flush 3 20480]).
Proof. split; vm_compute; reflexivity. Qed.

(** An entry without an address (a page that the VM must not use) has level 0. *)
Example no_address :
  agree
    [("acquire_lock_pt", [0]); ("set_npt", [0; 4096; 3; 0x200000000000000]); ("walk_npt", [0; 4096]);
     ("get_npt_level", [0; 4096])]
    ([0; 0; 0x200000000000000; 0], Finished, [Tlb_flush 0 4096]).
Proof. split; vm_compute; reflexivity. Qed.

(** A block covers 512 pages and replaces a page that was there; the whole table is
    invalidated. *)
Example block :
  agree
    [("acquire_lock_pt", [3]); ("set_npt", [3; 0x205000; 3; 0x8000747]); ("set_npt", [3; 0x205000; 2; 0x40000745]);
     ("walk_npt", [3; 0x200000]); ("walk_npt", [3; 0x3ff000]); ("get_npt_level", [3; 0x205000]);
     ("get_npt_level", [3; 0x400000]); ("get_npt_level", [3; 0x1ff000])]
    ([0; 0; 0; 0x40000745; 0x40000745; 2; 0; 0], Finished,
     [Tlb_flush 3 18446744073709551615; Tlb_flush 3 0x205000]).
Proof. split; vm_compute; reflexivity. Qed.

(** A page is not mapped below a block. *)
Example page_under_block :
  agree [("acquire_lock_pt", [3]); ("set_npt", [3; 0x205000; 2; 0x40000745]); ("set_npt", [3; 0x205000; 3; 0x8000747])]
    ([0; 0], Panicked, [Tlb_flush 3 18446744073709551615]).
Proof. split; vm_compute; reflexivity. Qed.

(** A block entry that would read as a link to a table is refused. *)
Example block_like_link :
  agree [("acquire_lock_pt", [3]); ("set_npt", [3; 0x205000; 2; 0x40000747])] ([0], Panicked, []).
Proof. split; vm_compute; reflexivity. Qed.

(** Tables of different VMs are apart. *)
Example two_vms :
  agree [("acquire_lock_pt", [3]); ("acquire_lock_pt", [4]); ("set_npt", [3; 20480; 3; 0x8000747]);
         ("walk_npt", [4; 20480]); ("walk_npt", [3; 20480])]
    ([0; 0; 0; 0; 0x8000747], Finished, [Tlb_flush 3 20480]).
Proof. split; vm_compute; reflexivity. Qed.

(** ** An empty pool: another CPU left VM 3 one table of the second level, none below *)

Definition full_map : pmap := mkpmap ∅ ∅ (list_to_map [(1%nat, 1); (2%nat, 0); (3%nat, 5)]).
Definition full_tree : npt := mknpt (pud_start 3 - 4096) (pmd_start 3) (pool_end 3 - 20480) ∅.
Definition full_world : world :=
  mkworld 0 (mkboot [] []) ∅ [] [] [] [] (fun vm => if vm =? 3 then [[(1, full_tree)]] else [])
          (fun _ => []) (fun _ => []) [] ∅.
Definition full_maps (vm : Z) : list (list (Z * pmap)) := if vm =? 3 then [[(1, full_map)]] else [].

Example pool_empty :
  agree_on (init_maps full_maps full_world) (init full_world)
    [("acquire_lock_pt", [3]); ("walk_npt", [3; 20480]); ("set_npt", [3; 20480; 3; 0x8000747])]
    ([0; 0], Panicked, []).
Proof. split; vm_compute; reflexivity. Qed.

(** ** Undefined, and hidden *)

Example no_lock : agree [("walk_npt", [3; 20480])] ([], Undefined, []).
Proof. split; vm_compute; reflexivity. Qed.

Example no_such_vm : agree [("acquire_lock_pt", [3]); ("set_npt", [17; 0; 3; 0])] ([0], Undefined, []).
Proof. split; vm_compute; reflexivity. Qed.

Example steps_hidden : call NPTWalk.Spec.L "walk_pgd" [3; 844425030860800; 0; 0] (init_maps (fun _ => []) (quiet 0)) = None.
Proof. reflexivity. Qed.
