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

(** ** Accesses of devices *)

(** Memory holds 11 in frame 0x8000; before our second access CPU 1 writes there.
    Registers hold zeros but X3 = 77. *)
Definition device_world : world :=
  mkworld 0 (mkboot [] []) {[ 0x8000008 := 11 ]} [] [] [] [] (fun _ => []) (fun _ => []) (fun _ => [])
    [[]; [(1, (0x8000010, 33))]] ∅.
Definition with_x3 {N M P} (s : St cell N M P) : St cell N M P := set_cpu (set_reg X3 77 (st_cpu s)) s.

(** Observed: X0 and X1, the words of interest, the accesses of memory, whether the tables are locked. *)
Definition memory {M} (s : St cell pmap M (gmap Z s2page)) : Z * Z * list Z * list (Z * (Z * Z)) * bool :=
  (reg_get X0 (cpu_regs (st_cpu s)), reg_get X1 (cpu_regs (st_cpu s)),
   map (word (m_words (st_mem s))) [0x8000008; 0x8000010; 0x8000ff8], m_log (st_mem s), c_held (st_spt s)).

Definition access_agree (cs : list (ident * list Z)) (v : list Z * ended * (Z * Z * list Z * list (Z * (Z * Z)) * bool)) : Prop :=
  observe by_spec memory cs (with_x3 (init_all_maps (fun _ => []) [] device_world)) = v /\
  observe by_c memory cs (with_x3 (NPTWalk.Refine.init_maps (fun _ => []) device_world)) = v.

(** Page 5 of bank 1 of SMMU 0 may be read and written, page 6 only read, page 7 only
    written; page 8 has the low bits of a block. *)
Definition mapped : list (ident * list Z) :=
  [("acquire_lock_spt", []); ("set_smmu_pt", [1; 0; 0x5000; 0x80007ff]); ("set_smmu_pt", [1; 0; 0x6000; 0x800077f]);
   ("set_smmu_pt", [1; 0; 0x7000; 0x80007bf]); ("set_smmu_pt", [1; 0; 0x8000; 0x80007fd]); ("release_lock_spt", [])].

Example loads_and_stores :
  access_agree (mapped ++
    [("dev_load_ref", [1; 0; 0x6008; 0]); ("dev_load_ref", [1; 0; 0x5010; 1]); ("dev_store_ref", [1; 0; 0x7ff8; 3])])
    ([0; 0; 0; 0; 0; 0; 1; 1; 1], Finished,
     (11, 33, [11; 33; 77], [(0, (0x8000ff8, 77)); (1, (0x8000010, 33))], false)).
Proof. split; vm_compute; reflexivity. Qed.

(** No permission, no mapping, another bank, no block, no word, an address beyond 40 bits, no
    such register: the access faults and changes nothing. *)
Example faults :
  access_agree (mapped ++
    [("dev_store_ref", [1; 0; 0x6008; 3]); ("dev_load_ref", [1; 0; 0x7008; 0]); ("dev_load_ref", [1; 0; 0x9008; 0]);
     ("dev_load_ref", [1; 1; 0x5008; 0]); ("dev_store_ref", [2; 0; 0x5008; 3]); ("dev_load_ref", [1; 0; 0x8008; 0]);
     ("dev_store_ref", [1; 0; 0x8008; 3]); ("dev_load_ref", [1; 0; 0x500c; 0]); ("dev_store_ref", [1; 0; 0x500c; 3]);
     ("dev_load_ref", [1; 0; 0x10000005008; 0]); ("dev_store_ref", [1; 0; 0x10000005008; 3]);
     ("dev_load_ref", [1; 0; 0x5008; 31]); ("dev_store_ref", [1; 0; 0x5008; 31])])
    ([0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 0], Finished, (0, 0, [11; 0; 0], [], false)).
Proof. split; vm_compute; reflexivity. Qed.

(** A bank that there is not stops the machine. *)
Example no_such_device :
  access_agree [("dev_load_ref", [7; 1; 0; 0]); ("dev_load_ref", [8; 1; 0; 0])] ([0], Panicked, (0, 0, [11; 0; 0], [], false)) /\
  access_agree [("dev_load_ref", [0; 2; 0; 0])] ([], Panicked, (0, 0, [11; 0; 0], [], false)) /\
  access_agree [("dev_store_ref", [7; 1; 0; 0]); ("dev_store_ref", [8; 1; 0; 0])] ([0], Panicked, (0, 0, [11; 0; 0], [], false)) /\
  access_agree [("dev_store_ref", [0; 2; 0; 0])] ([], Panicked, (0, 0, [11; 0; 0], [], false)).
Proof. repeat split; vm_compute; reflexivity. Qed.

(** ** Undefined, and hidden *)

Example no_lock : alone [("walk_smmu_pt", [0; 0; 4096])] ([], Undefined, []).
Proof. split; vm_compute; reflexivity. Qed.

Example no_such_bank : alone [("acquire_lock_spt", []); ("set_smmu_pt", [8; 0; 4096; 0])] ([0], Undefined, []).
Proof. split; vm_compute; reflexivity. Qed.

Example steps_hidden :
  call MmioSPTWalk.Spec.L "walk_smmu_pgd" [65536; 0; 0] (init_all_maps (fun _ => []) [] (quiet 0)) = None.
Proof. reflexivity. Qed.
