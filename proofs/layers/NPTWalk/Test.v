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

(** ** Accesses of the context that runs *)

(** Memory holds 11 in frame 0x8000 and 22 in the block at 0x40000000; before our second
    access CPU 1 writes there.  Registers hold zeros but X3 = 77. *)
Definition words : gmap Z Z := list_to_map [(0x8000008, 11); (0x40005010, 22)].
Definition user (w : world) : world :=
  mkworld (w_cpu w) (w_boot w) words [] [] [] [] (fun _ => []) (fun _ => []) (fun _ => [])
    [[]; [(1, (0x40005018, 33))]] ∅.
Definition with_x3 {N M P} (s : St cell N M P) : St cell N M P := set_cpu (set_reg X3 77 (st_cpu s)) s.

(** Observed: X0 and X1, the words of interest, the accesses of memory, whether VM 3's table is locked. *)
Definition memory {N} (s : St cell N sptab (gmap Z s2page)) : Z * Z * list Z * list (Z * (Z * Z)) * option bool :=
  (reg_get X0 (cpu_regs (st_cpu s)), reg_get X1 (cpu_regs (st_cpu s)),
   map (word (m_words (st_mem s))) [0x8000008; 0x40005010; 0x40005018; 0x8000ff8], m_log (st_mem s),
   c_held <$> st_npts s !! 3).

Definition access_agree (cs : list (ident * list Z))
    (v : list Z * ended * (Z * Z * list Z * list (Z * (Z * Z)) * option bool)) : Prop :=
  observe by_spec memory cs (with_x3 (init_maps (fun _ => []) (user (quiet 0)))) = v /\
  observe by_c memory cs (with_x3 (init (user (quiet 0)))) = v.

(** A page that may be read and written at 0x5000, a block that may be read at 0x200000. *)
Definition mapped : list (ident * list Z) :=
  [("acquire_lock_pt", [3]); ("set_npt", [3; 0x5000; 3; 0x80007ff]); ("set_npt", [3; 0x200000; 2; 0x40000745]);
   ("release_lock_pt", [3])].

(** Loads find the word of the page and of the block, at the right offsets, and what CPU 1
    wrote before the second access; a store reaches the page's last word. *)
Example loads_and_stores :
  access_agree (mapped ++ [("mem_load_ref", [3; 0x5008; 0]); ("mem_load_ref", [3; 0x205018; 1]); ("mem_store_ref", [3; 0x5ff8; 3])])
    ([0; 0; 0; 0; 1; 1; 1], Finished,
     (11, 33, [11; 22; 33; 77], [(0, (0x8000ff8, 77)); (1, (0x40005018, 33))], Some false)).
Proof. split; vm_compute; reflexivity. Qed.

(** A block that may not be written; addresses that are not mapped, not of a word, beyond 48
    bits; a register that there is not: the access faults and changes nothing. *)
Example faults :
  access_agree (mapped ++
    [("mem_store_ref", [3; 0x205018; 3]); ("mem_load_ref", [3; 0x6000; 0]); ("mem_store_ref", [3; 0x6000; 3]);
     ("mem_load_ref", [4; 0x5008; 0]); ("mem_load_ref", [3; 0x500c; 0]); ("mem_store_ref", [3; 0x500c; 3]);
     ("mem_load_ref", [3; 0x1000000005008; 0]); ("mem_store_ref", [3; 0x1000000005008; 3]);
     ("mem_load_ref", [3; 0x5008; 31]); ("mem_store_ref", [3; 0x5008; 31])])
    ([0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 0], Finished, (0, 0, [11; 22; 0; 0], [], Some false)).
Proof. split; vm_compute; reflexivity. Qed.

(** Bits decide: an invalid page, a page whose bits are a block's, a page that may be
    written but not read, and a page of the host that was taken away. *)
Example bits_decide :
  access_agree
    [("acquire_lock_pt", [3]); ("set_npt", [3; 0x1000; 3; 0x80007fe]); ("set_npt", [3; 0x2000; 3; 0x80007fd]);
     ("set_npt", [3; 0x3000; 3; 0x80007bf]); ("set_npt", [3; 0x4000; 3; 0x200000000000000]);
     ("release_lock_pt", [3]); ("mem_load_ref", [3; 0x1008; 0]); ("mem_store_ref", [3; 0x1008; 3]);
     ("mem_load_ref", [3; 0x2008; 0]); ("mem_store_ref", [3; 0x2008; 3]); ("mem_load_ref", [3; 0x3008; 0]);
     ("mem_store_ref", [3; 0x3ff8; 3]); ("mem_load_ref", [3; 0x4008; 0]); ("mem_store_ref", [3; 0x4008; 3])]
    ([0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 1; 0; 0], Finished,
     (0, 0, [11; 22; 0; 77], [(0, (0x8000ff8, 77))], Some false)).
Proof. split; vm_compute; reflexivity. Qed.

(** A context that there is not stops the machine. *)
Example no_such_context :
  access_agree [("mem_load_ref", [16; 0; 0]); ("mem_load_ref", [17; 0; 0])] ([0], Panicked, (0, 0, [11; 22; 0; 0], [], Some false)) /\
  access_agree [("mem_store_ref", [17; 0; 0])] ([], Panicked, (0, 0, [11; 22; 0; 0], [], Some false)).
Proof. split; split; vm_compute; reflexivity. Qed.

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
