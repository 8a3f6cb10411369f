(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 8, NPTOps: examples by computation.  On concrete states the specification,
    the code run by the interpreter and a written value agree; and the whole stack
    from here down to the allocators agrees with them too, on trees in memory. *)
From SeKVM.lib Require Import Calls.
From SeKVM.layers.PTAlloc Require Code.
From SeKVM.layers.PTWalk Require Code.
From SeKVM.layers.NPTWalk Require Code Refine.
From SeKVM.layers.NPTOps Require Import Code Spec Stays.
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

(** KCore's table, like the host's, may be mapped otherwise. *)
Example map_walk_remap :
  alone
    [("walk_s2pt", [16; 0x5000]); ("map_s2pt", [16; 0x5000; 3; 0x8000747]); ("walk_s2pt", [16; 0x5000]);
     ("get_level_s2pt", [16; 0x5fff]); ("map_s2pt", [16; 0x5000; 3; 0x9000707]); ("walk_s2pt", [16; 0x5000])]
    ([0; 0; 0x8000747; 3; 0; 0x9000707], Finished, ([Tlb_flush 16 0x5000; Tlb_flush 16 0x5000], Some false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** ** A page of a VM keeps its frame *)

(** Two CPUs of VM 3 fault on one page.  The host may answer with one frame, once or twice, but
    not with two, nor with other rights. *)
Example one_frame :
  alone
    [("map_s2pt", [3; 0x5000; 3; 0x8000747]); ("map_s2pt", [3; 0x5000; 3; 0x8000747]); ("walk_s2pt", [3; 0x5000])]
    ([0; 0; 0x8000747], Finished, ([Tlb_flush 3 0x5000; Tlb_flush 3 0x5000], Some false)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.
Example second_frame :
  Forall (fun e => alone [("map_s2pt", [3; 0x5000; 3; 0x8000747]); ("walk_s2pt", [3; 0x5000]);
                          ("map_s2pt", [3; 0x5000; 3; e])]
                     ([0; 0x8000747], Panicked, ([Tlb_flush 3 0x5000], Some true)))
    [0x9000747; 0x80007c7].
Proof. repeat (apply List.Forall_cons; [split; [|split]; vm_compute; reflexivity|]). apply List.Forall_nil. Qed.

(** Without the check, which is what layer 7 does under the lock, the second frame takes the
    place of the first; and then what the VM reads there is another's. *)
Definition unchecked (e : Z) : list (ident * list Z) :=
  [("acquire_lock_pt", [3]); ("set_npt", [3; 0x5000; 3; e]); ("release_lock_pt", [3])].
Example swapped :
  observe (call NPTWalk.Spec.L) obs
    (unchecked 0x8000747 ++ unchecked 0x9000747 ++ [("acquire_lock_pt", [3]); ("walk_npt", [3; 0x5000])])
    (init_maps (fun _ => []) (quiet 0))
  = ([0; 0; 0; 0; 0; 0; 0; 0x9000747], Finished, ([Tlb_flush 3 0x5000; Tlb_flush 3 0x5000], Some true)).
Proof. vm_compute. reflexivity. Qed.

Definition page_5 (e : Z) : pmap :=
  match pset (npt_geom 3) 3 5 e (pempty (npt_geom 3)) with Updated p | Full p | Under_block p => p end.
Example swap_not_kept : ~ keeps_memory (page_5 0x8000747) (page_5 0x9000747).
Proof. intros K. specialize (K PTE_READ 0x5000 0x8000000 (or_introl eq_refl) eq_refl). discriminate K. Qed.

(** A block takes the place of pages that are its own, as after an image was loaded page by
    page, and of the same block; the pages beside it do not matter.  The runs of the code, which look at 512
    pages each, are checked here and not kept: the independent checker has no virtual machine. *)
Definition by_spec_alone (cs : list (ident * list Z)) (v : list Z * ended * (list out_event * option bool)) : Prop :=
  observe by_spec obs cs (init_maps (fun _ => []) (quiet 0)) = v.

Definition own_pages : list (ident * list Z) :=
  [("map_s2pt", [3; 0x1ff000; 3; 0x8000747]); ("map_s2pt", [3; 0x400000; 3; 0x9000747]);
   ("map_s2pt", [3; 0x205000; 3; 0x40005747]); ("map_s2pt", [3; 0x3ff000; 3; 0x401ff747]);
   ("map_s2pt", [3; 0x205000; 2; 0x40000745]); ("map_s2pt", [3; 0x200000; 2; 0x40000745]);
   ("walk_s2pt", [3; 0x205000]); ("get_level_s2pt", [3; 0x205000])].
Definition own_pages_result : list Z * ended * (list out_event * option bool) :=
  ([0; 0; 0; 0; 0; 0; 0x40000745; 2], Finished,
   ([Tlb_flush 3 18446744073709551615; Tlb_flush 3 18446744073709551615; Tlb_flush 3 0x3ff000; Tlb_flush 3 0x205000;
     Tlb_flush 3 0x400000; Tlb_flush 3 0x1ff000], Some false)).
Example block_of_its_pages : by_spec_alone own_pages own_pages_result.
Proof. vm_compute. reflexivity. Qed.
Succeed Definition block_of_its_pages_by_c : alone own_pages own_pages_result :=
  ltac:(split; [|split]; vm_compute; reflexivity).

(** Not of the first or last page with another frame or other rights, nor of another block. *)
Definition over_other (f : list (ident * list Z) -> list Z * ended * (list out_event * option bool) -> Prop)
    (x : list Z * Z) : Prop :=
  f [("map_s2pt", fst x); ("map_s2pt", [3; 0x205000; 2; 0x40000745])] ([0], Panicked, ([Tlb_flush 3 (snd x)], Some true)).
Definition others : list (list Z * Z) :=
  [([3; 0x200000; 3; 0x40001747], 0x200000); ([3; 0x3ff000; 3; 0x40000747], 0x3ff000);
   ([3; 0x3ff000; 3; 0x401ff7c7], 0x3ff000); ([3; 0x200000; 2; 0x40200745], 18446744073709551615)].
Example block_over_others : Forall (over_other by_spec_alone) others.
Proof. repeat (apply List.Forall_cons; [vm_compute; reflexivity|]). apply List.Forall_nil. Qed.
Succeed Definition block_over_others_by_c : Forall (over_other alone) others :=
  ltac:(repeat (apply List.Forall_cons; [split; [|split]; vm_compute; reflexivity|]); apply List.Forall_nil).

(** VMs 1 and 15 are guarded too. *)
Example first_and_last_vm :
  Forall (fun v => alone [("map_s2pt", [v; 0x5000; 3; 0x8000747]); ("map_s2pt", [v; 0x5000; 3; 0x9000747])]
                     ([0], Panicked, ([Tlb_flush v 0x5000], Some false))) [1; 15].
Proof. repeat (apply List.Forall_cons; [split; [|split]; vm_compute; reflexivity|]). apply List.Forall_nil. Qed.

(** Entries of another level, without access, and blocks that the hardware would take for
    others: none of them is mapped in any table. *)
Example no_such_entry :
  Forall (fun x => alone [("map_s2pt", x)] ([], Panicked, ([], Some false)))
    [[3; 0x5000; 3; 0]; [3; 0x5000; 3; 0x8000745]; [3; 0x200000; 2; 0x40000747]; [3; 0x200000; 2; 0x40000744];
     [3; 0x200000; 2; 0x40001745]; [0; 0x200000; 2; 0x40100745]; [0; 0x5000; 3; 0x8000746]].
Proof. repeat (apply List.Forall_cons; [split; [|split]; vm_compute; reflexivity|]). apply List.Forall_nil. Qed.

(** ** The host's frames *)

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

(** Block over page, then page below the block: a panic. *)
Example page_under_block :
  alone
    [("map_s2pt", [16; 0x205000; 3; 0x8000747]); ("map_s2pt", [16; 0x200000; 2; 0x40000745]);
     ("walk_s2pt", [16; 0x205000]); ("get_level_s2pt", [16; 0x205000]); ("map_s2pt", [16; 0x205000; 3; 0x8000747])]
    ([0; 0; 0x40000745; 2], Panicked, ([Tlb_flush 16 18446744073709551615; Tlb_flush 16 0x205000], Some false)).
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
