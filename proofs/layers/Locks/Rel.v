(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 4, Locks: its specifications function by function, and the relation to the
    layer below.  An object is accessible exactly while its lock is held, so that one
    flag remains of two. *)
From SeKVM.layers.LockOpsH Require Export Spec.
From SeKVM.layers.Locks Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Record joined {X} (c : cell X) (h : hview X) : Prop := mkjoined {
  jn_val : c_val c = h_val h;
  jn_held : c_held c = h_held h;
  jn_own : c_held c = h_own h;
  jn_log : c_log c = h_log h;
  jn_script : c_script c = h_script h }.

Definition RV : view_relation cell hview := fun _ X c h => joined c h.
Definition R : srel state (St hview npt sptab (gmap Z s2page)) := R_view RV.

Definition Lkeep : tbl state := T_bottom.

(** The lock operations on a [cell]. *)
Definition acquire_op : view_op cell := fun X c => if c_held c then None else Some (0, acquire_cell c).
Definition release_op (me : Z) : view_op cell := fun X c => if c_held c then Some (0, release_cell me c) else None.

Section Specs.
  Context {N M P : Type}.
  Notation St := (St cell N M P).

  (** By number; layers above take locks by object. *)
  Definition acquire_lock_spec : prim St := lock_prim None (fun _ => acquire_op).
  Definition release_lock_spec : prim St := lock_prim None release_op.

  Definition acquire_lock_pt_spec : prim St := acquire_vm_obj st_npts set_npts.
  Definition release_lock_pt_spec : prim St := release_vm_obj st_npts set_npts.
  Definition acquire_lock_vm_spec : prim St := acquire_vm_obj st_vms set_vms.
  Definition release_lock_vm_spec : prim St := release_vm_obj st_vms set_vms.
  Definition acquire_lock_core_spec : prim St := acquire_obj st_core set_core.
  Definition release_lock_core_spec : prim St := release_obj st_core set_core.
  Definition acquire_lock_s2page_spec : prim St := acquire_obj st_s2 set_s2.
  Definition release_lock_s2page_spec : prim St := release_obj st_s2 set_s2.
  Definition acquire_lock_spt_spec : prim St := acquire_obj st_spt set_spt.
  Definition release_lock_spt_spec : prim St := release_obj st_spt set_spt.
  Definition acquire_lock_smmu_spec : prim St := acquire_obj st_smmu set_smmu.
  Definition release_lock_smmu_spec : prim St := release_obj st_smmu set_smmu.

  (** All fourteen, in the order of the C file. *)
  Definition T : tbl St :=
    (("acquire_lock", acquire_lock_spec) :: ("release_lock", release_lock_spec) :: T_locks)%list.
End Specs.
