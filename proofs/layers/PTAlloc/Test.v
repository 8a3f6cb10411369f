(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 5, PTAlloc: examples by computation.  On concrete states the specification,
    the code run by the interpreter and a written value agree, on success, on panic
    and where both are undefined; and each clause of the invariant is needed. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.PTAlloc Require Import Code Spec Safe.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition by_spec : stepper state := call PTAlloc.Spec.L.
Definition by_c : stepper state := by_code code Locks.Spec.L.

(** The bump pointers of VM [vm]. *)
Definition bumps (vm : Z) (s : state) : option (Z * Z * Z) :=
  some c := st_npts s !! vm;
  Some (pgd_next (c_val c), pud_next (c_val c), pmd_next (c_val c)).

(** Before this CPU's first acquire of VM 3's table, CPU 1 leaves it as [t]. *)
Definition others_leave (t : npt) : world :=
  mkworld 0 (mkboot [] []) ∅ [] [] [] [] (fun vm => if vm =? 3 then [[(1, t)]] else [])
          (fun _ => []) (fun _ => []) [] ∅.

(** Specification and code agree with [v] on the calls [cs] from world [w]. *)
Definition agree (w : world) (cs : list (ident * list Z)) (v : list Z * ended * option (Z * Z * Z)) : Prop :=
  observe by_spec (bumps 3) cs (init w) = v /\ observe by_c (bumps 3) cs (init w) = v.

Example success :
  agree (quiet 0)
    [("acquire_lock_pt", [3]); ("alloc_pgd_page", [3]); ("alloc_pgd_page", [3]);
     ("alloc_pud_page", [3]); ("alloc_pmd_page", [3]); ("release_lock_pt", [3])]
    ([0; 100732928; 100737024; 101781504; 110170112; 0], Finished,
     Some (100741120, 101785600, 110174208)).
Proof. split; vm_compute; reflexivity. Qed.

(** The last page of a pool is handed out, and the next request panics, holding the
    lock and changing nothing. *)
Example last_page :
  agree (others_leave (mknpt (pud_start 3 - 4096) (pmd_start 3 - 4096) (pool_end 3 - 4096) ∅))
    [("acquire_lock_pt", [3]); ("alloc_pgd_page", [3]); ("alloc_pud_page", [3]);
     ("alloc_pmd_page", [3]); ("alloc_pmd_page", [3])]
    ([0; 101777408; 110166016; 134279168], Panicked, Some (101781504, 110170112, 134283264)).
Proof. split; vm_compute; reflexivity. Qed.

Example pgd_pool_empty :
  agree (others_leave (mknpt (pud_start 3) (pud_start 3) (pmd_start 3) ∅))
    [("acquire_lock_pt", [3]); ("alloc_pgd_page", [3])]
    ([0], Panicked, Some (101781504, 101781504, 110170112)).
Proof. split; vm_compute; reflexivity. Qed.

(** Without the lock, for no VM, or with a wrong number of arguments: undefined. *)
Example no_lock :
  agree (quiet 0) [("alloc_pgd_page", [3])] ([], Undefined, bumps 3 (init (quiet 0))).
Proof. split; vm_compute; reflexivity. Qed.

Example wrong_lock :
  agree (quiet 0) [("acquire_lock_pt", [4]); ("alloc_pgd_page", [3])]
    ([0], Undefined, bumps 3 (init (quiet 0))).
Proof. split; vm_compute; reflexivity. Qed.

Example no_such_vm :
  agree (quiet 0) [("acquire_lock_pt", [17])] ([], Undefined, bumps 3 (init (quiet 0))).
Proof. split; vm_compute; reflexivity. Qed.

Example no_argument :
  agree (quiet 0) [("acquire_lock_pt", [3]); ("alloc_pgd_page", [])]
    ([0], Undefined, bumps 3 (init (quiet 0))).
Proof. split; vm_compute; reflexivity. Qed.

(** The bump pointers are hidden above this layer. *)
Example hidden : call PTAlloc.Spec.L "get_pgd_next" [3] (init (quiet 0)) = None.
Proof. reflexivity. Qed.

(** Each clause of [npt_ok] is needed.  If another CPU left a pointer outside its
    pool, an allocation would be undefined; if it left one off a page boundary, the
    page handed out would not be aligned. *)
Example outside_pool :
  observe by_spec (fun _ => tt) [("acquire_lock_pt", [3]); ("alloc_pgd_page", [3])]
    (init (others_leave (mknpt (pgd_start 3 - 4096) (pud_start 3) (pmd_start 3) ∅)))
  = ([0], Undefined, tt).
Proof. vm_compute. reflexivity. Qed.

Example off_boundary :
  observe by_spec (fun _ => tt) [("acquire_lock_pt", [3]); ("alloc_pgd_page", [3])]
    (init (others_leave (mknpt (pgd_start 3 + 8) (pud_start 3) (pmd_start 3) ∅)))
  = ([0; 100732936], Finished, tt).
Proof. vm_compute. reflexivity. Qed.

(** The premises of [PTAlloc_top_safe] can be met by a run that does something. *)
Example polite_run :
  polite ∅ [("acquire_lock_pt", [3]); ("alloc_pgd_page", [3]); ("release_lock_pt", [3])].
Proof.
  apply polite_acquire; [lia | set_solver |].
  apply polite_alloc; [lia | set_solver | cbn; auto |].
  apply polite_release; [lia | set_solver |]. constructor.
Qed.

Example world_with_neighbour :
  world_ok (others_leave (mknpt (pud_start 3) (pud_start 3) (pmd_start 3) ∅)).
Proof.
  intros vm V. cbn. destruct (Z.eqb_spec vm 3) as [->|N]; [|constructor].
  constructor; [|constructor]. constructor; [|constructor].
  repeat split; first [reflexivity | discriminate].
Qed.
