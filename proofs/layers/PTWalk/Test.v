(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 6, PTWalk: examples by computation.  On concrete states the specification,
    the code run by the interpreter and a written value agree: steps that find, that
    allocate, that panic, and calls that are undefined. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.PTWalk Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition by_spec : stepper state := call PTWalk.Spec.L.
Definition by_c : stepper state := by_code code PTAlloc.Spec.L.

(** What VM 3's table holds: its words (in the map's order), the bump pointers. *)
Definition table3 (s : state) : option (list (Z * Z) * (Z * Z * Z)) :=
  some c := st_npts s !! 3;
  Some (map_to_list (npt_words (c_val c)), (pgd_next (c_val c), pud_next (c_val c), pmd_next (c_val c))).

(** Before this CPU's first acquire of VM 3's table, CPU 1 leaves it as [t]. *)
Definition others_leave (t : npt) : world :=
  mkworld 0 (mkboot [] []) ∅ [] [] [] [] (fun vm => if vm =? 3 then [[(1, t)]] else [])
          (fun _ => []) (fun _ => []) [] ∅.

Definition agree (w : world) (cs : list (ident * list Z)) (v : list Z * ended * option (list (Z * Z) * (Z * Z * Z))) : Prop :=
  observe by_spec table3 cs (init w) = v /\ observe by_c table3 cs (init w) = v.

(** A page at address 2^39 + 5 * 2^30 + 6 * 2^21 + 7 * 2^12: a table for each level,
    then the entry; the second walk finds what the first one built. *)
Definition a := 555137134592.

Example build_and_find :
  agree (quiet 0)
    [("acquire_lock_pt", [3]); ("walk_pgd", [3; 844425030860800; a; 1]); ("walk_pud", [3; 100732931; a; 1]);
     ("walk_pmd", [3; 101781507; a; 1]); ("set_pte", [3; 110170115; a; 0x8000747]);
     ("walk_pgd", [3; 844425030860800; a; 0]); ("walk_pud", [3; 100732931; a; 0]);
     ("walk_pmd", [3; 101781507; a; 0]); ("walk_pte", [3; 110170115; a]); ("walk_pte", [3; 110170115; a + 4096])]
    ([0; 100732931; 101781507; 110170115; 0; 100732931; 101781507; 110170115; 0x8000747; 0], Finished,
     Some ([(101781552, 110170115); (100728840, 100732931); (100732968, 101781507); (110170168, 0x8000747)],
           (100737024, 101785600, 110174208))).
Proof. split; vm_compute; reflexivity. Qed.

(** Without allocation an empty entry stays empty, and there is nothing below it. *)
Example find_nothing :
  agree (quiet 0)
    [("acquire_lock_pt", [3]); ("walk_pgd", [3; 844425030860800; a; 0]); ("walk_pud", [3; 0; a; 1]);
     ("walk_pmd", [3; 0; a; 1]); ("walk_pte", [3; 0; a])]
    ([0; 0; 0; 0; 0], Finished, Some ([], (100732928, 101781504, 110170112))).
Proof. split; vm_compute; reflexivity. Qed.

(** Only [alloc = 1] allocates. *)
Example other_alloc :
  agree (quiet 0) [("acquire_lock_pt", [3]); ("walk_pgd", [3; 844425030860800; a; 2])]
    ([0; 0], Finished, Some ([], (100732928, 101781504, 110170112))).
Proof. split; vm_compute; reflexivity. Qed.

(** A block entry replaces whatever was there. *)
Example block_entry :
  agree (quiet 0)
    [("acquire_lock_pt", [3]); ("walk_pgd", [3; 844425030860800; a; 1]); ("walk_pud", [3; 100732931; a; 1]);
     ("set_pmd", [3; 101781507; a; 0x8000745]); ("walk_pmd", [3; 101781507; a + 4096; 1])]
    ([0; 100732931; 101781507; 0; 0x8000745], Finished,
     Some ([(101781552, 0x8000745); (100728840, 100732931); (100732968, 101781507)],
           (100737024, 101785600, 110170112))).
Proof. split; vm_compute; reflexivity. Qed.

Example pool_empty :
  agree (others_leave (mknpt (pud_start 3) (pud_start 3) (pmd_start 3) ∅))
    [("acquire_lock_pt", [3]); ("walk_pgd", [3; 844425030860800; a; 0]); ("walk_pgd", [3; 844425030860800; a; 1])]
    ([0; 0], Panicked, Some ([], (101781504, 101781504, 110170112))).
Proof. split; vm_compute; reflexivity. Qed.

(** Undefined: without the lock; a parent outside the VM's pool. *)
Example no_lock : agree (quiet 0) [("walk_pgd", [3; 844425030860800; a; 0])] ([], Undefined, table3 (init (quiet 0))).
Proof. split; vm_compute; reflexivity. Qed.

Example foreign_table :
  agree (quiet 0) [("acquire_lock_pt", [3]); ("walk_pud", [3; 67174403; a; 1])]
    ([0], Undefined, table3 (init (quiet 0))).
Proof. split; vm_compute; reflexivity. Qed.

(** Page-table memory is hidden above this layer. *)
Example memory_hidden : call PTWalk.Spec.L "pt_store" [3; 100728832; 0] (init (quiet 0)) = None.
Proof. reflexivity. Qed.

Example allocators_hidden : call PTWalk.Spec.L "alloc_pgd_page" [3] (init (quiet 0)) = None.
Proof. reflexivity. Qed.
