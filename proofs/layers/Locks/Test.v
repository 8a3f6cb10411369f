(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 4, Locks: examples by computation: specification and code agree on all
    twelve functions; an object is accessible only while its lock is held, in the
    specification and in the code. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import LockInit.
From SeKVM.layers.Locks Require Import Code Rel.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition free_hview {X} (x : X) (s : list (list (Z * X))) : hview X := mkhview x false false [] s.

Definition by_spec : stepper state := call Locks.Spec.L.
Definition by_c : stepper (St hview npt sptab (gmap Z s2page)) := by_code code LockOpsH.Spec.L.

Definition cell3 (s : state) : option (bool * list Z) :=
  some c := st_npts s !! 3; Some (c_held c, map fst (c_log c)).
Definition hview3 (s : St hview npt sptab (gmap Z s2page)) : option (bool * bool * list Z) :=
  some h := st_npts s !! 3; Some (h_held h, h_own h, map fst (h_log h)).

Definition table (n : Z) : npt := mknpt n (pud_start 3) (pmd_start 3) ∅.
Definition sections : list (list (Z * npt)) := [[(2, table 2); (1, table 1)]; [(4, table 4)]].

(** Read, write and publish under the lock of VM 3's table. *)
Example critical_section :
  let cs := [("acquire_lock_pt", [3]); ("get_pgd_next", [3]); ("set_pgd_next", [3; 99]);
             ("release_lock_pt", [3]); ("acquire_lock_pt", [3]); ("get_pgd_next", [3])] in
  observe by_spec cell3 cs (init_view (@free_cell) (quiet 0) (on_npt3 sections))
    = ([0; 2; 0; 0; 0; 4], Finished, Some (true, [4; 0; 2; 1])) /\
  observe by_c hview3 cs (init_view (@free_hview) (quiet 0) (on_npt3 sections))
    = ([0; 2; 0; 0; 0; 4], Finished, Some (true, true, [4; 0; 2; 1])).
Proof. split; vm_compute; reflexivity. Qed.

(** Every lock can be taken and given back, nested. *)
Definition all_locks : list (ident * list Z) :=
  [("acquire_lock_vm", [16]); ("acquire_lock_pt", [16]); ("acquire_lock_core", []);
   ("acquire_lock_s2page", []); ("acquire_lock_spt", []); ("acquire_lock_smmu", []);
   ("release_lock_smmu", []); ("release_lock_spt", []); ("release_lock_s2page", []);
   ("release_lock_core", []); ("release_lock_pt", [16]); ("release_lock_vm", [16])].
Example nested :
  let v := ([0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 0], Finished, tt) in
  observe by_spec (fun _ => tt) all_locks (init (quiet 0)) = v /\
  observe by_c (fun _ => tt) all_locks (init_view (@free_hview) (quiet 0) no_events) = v.
Proof. split; vm_compute; reflexivity. Qed.

(** A touch without the lock is undefined in both; so is taking a lock twice. *)
Example race :
  let cs := [("acquire_lock_pt", [4]); ("get_pgd_next", [3])] in
  observe by_spec (fun _ => tt) cs (init (quiet 0)) = ([0], Undefined, tt) /\
  observe by_c (fun _ => tt) cs (init_view (@free_hview) (quiet 0) no_events) = ([0], Undefined, tt).
Proof. split; vm_compute; reflexivity. Qed.

Example twice :
  let cs := [("acquire_lock_pt", [3]); ("acquire_lock_pt", [3])] in
  observe by_spec (fun _ => tt) cs (init (quiet 0)) = ([0], Undefined, tt) /\
  observe by_c (fun _ => tt) cs (init_view (@free_hview) (quiet 0) no_events) = ([0], Undefined, tt).
Proof. split; vm_compute; reflexivity. Qed.

(** A VM's number beyond the last must not reach another object's lock. *)
Example no_such_vm :
  let cs := [("acquire_lock_pt", [17])] in
  observe by_spec (fun _ => tt) cs (init (quiet 0)) = ([], Undefined, tt).
Proof. vm_compute. reflexivity. Qed.
