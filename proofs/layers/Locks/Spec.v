(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 4, Locks: what layers 5 to 34 see of locks.  One step acquires the lock of
    an object: the releases of the other CPUs that came before are replayed from the
    script, and the object becomes accessible.  One step releases it, which publishes
    the object.  Acquiring a lock that is held, or releasing one that is not, is
    undefined: callers are proved never to do it. *)
From SeKVM.lib Require Export Hide.
From SeKVM.machine Require Export Rest.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Locks.
  Context {N M P : Type}.
  Notation St := (St cell N M P).

  (** A lock of its own, through the component's getter and setter. *)
  Definition acquire_obj {X} (g : St -> cell X) (u : cell X -> St -> St) : prim St :=
    p0 None (fun s => rely negb (c_held (g s)); ret 0 (u (acquire_cell (g s)) s)).
  Definition release_obj {X} (g : St -> cell X) (u : cell X -> St -> St) : prim St :=
    p0 None (fun s => rely c_held (g s); ret 0 (u (release_cell (cpu_id (st_cpu s)) (g s)) s)).

  (** The lock of one object for each VM. *)
  Definition acquire_vm_obj {X} (g : St -> gmap Z (cell X)) (u : gmap Z (cell X) -> St -> St) : prim St :=
    p1 None U32 (fun vm s =>
      some c := g s !! vm;
      rely negb (c_held c);
      ret 0 (u (<[vm := acquire_cell c]> (g s)) s)).
  Definition release_vm_obj {X} (g : St -> gmap Z (cell X)) (u : gmap Z (cell X) -> St -> St) : prim St :=
    p1 None U32 (fun vm s =>
      some c := g s !! vm;
      rely c_held c;
      ret 0 (u (<[vm := release_cell (cpu_id (st_cpu s)) c]> (g s)) s)).

  (** One table for each kind of object, so that a layer can hide the locks that it
      takes itself. *)
  Definition T_lock_pt : tbl St :=
    [("acquire_lock_pt", acquire_vm_obj st_npts set_npts); ("release_lock_pt", release_vm_obj st_npts set_npts)].
  Definition T_lock_vm : tbl St :=
    [("acquire_lock_vm", acquire_vm_obj st_vms set_vms); ("release_lock_vm", release_vm_obj st_vms set_vms)].
  Definition T_lock_core : tbl St :=
    [("acquire_lock_core", acquire_obj st_core set_core); ("release_lock_core", release_obj st_core set_core)].
  Definition T_lock_s2page : tbl St :=
    [("acquire_lock_s2page", acquire_obj st_s2 set_s2); ("release_lock_s2page", release_obj st_s2 set_s2)].
  Definition T_lock_spt : tbl St :=
    [("acquire_lock_spt", acquire_obj st_spt set_spt); ("release_lock_spt", release_obj st_spt set_spt)].
  Definition T_lock_smmu : tbl St :=
    [("acquire_lock_smmu", acquire_obj st_smmu set_smmu); ("release_lock_smmu", release_obj st_smmu set_smmu)].

  Definition T_locks : tbl St :=
    (T_lock_pt ++ T_lock_vm ++ T_lock_core ++ T_lock_s2page ++ T_lock_spt ++ T_lock_smmu)%list.
End Locks.

(** The whole interface of the layer. *)
Definition L : tbl state := over T_locks T_bottom.
