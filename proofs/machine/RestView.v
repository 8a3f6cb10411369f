(* SPDX-License-Identifier: Apache-2.0 *)
(** All bottom primitives pass through every change of view: those of the topics that only the layers above 16 use, and
    with them the whole table.  Rests on [ViewPass]; used by layers 1 to 4. *)
From SeKVM.machine Require Export ViewPass.
From SeKVM.machine Require Import BottomVm BottomMmio BottomCtxt BottomMem RestTac.

Section RestView.
  Context {F G : Type -> Type} {VF : View F} {VG : View G}.
  Context (RF : view_relation F G) (C : view_compat RF).

  Lemma vm_view_rel {N M P} : tbl_rel (@R_view F G N M P RF) T_vm T_vm.
  Proof. view_tbl_tac VF VG C. Qed.
  Lemma mmio_view_rel {N M P} : tbl_rel (@R_view F G N M P RF) T_mmio T_mmio.
  Proof. view_tbl_tac VF VG C. Qed.
  Lemma ctxt_view_rel {N M P} : tbl_rel (@R_view F G N M P RF) T_ctxt T_ctxt.
  Proof. view_tbl_tac VF VG C. Qed.
  Lemma mem_view_rel {N M P} : tbl_rel (@R_view F G N M P RF) T_mem T_mem.
  Proof. view_tbl_tac VF VG C. Qed.

  Lemma rest_view_rel {N M P} : tbl_rel (@R_view F G N M P RF) T_rest T_rest.
  Proof.
    apply tbl_rel_app; [apply vm_view_rel|].
    apply tbl_rel_app; [apply mmio_view_rel|].
    apply tbl_rel_app; [apply ctxt_view_rel|].
    apply mem_view_rel.
  Qed.

  Lemma bottom_view_rel : tbl_rel (R_view RF) T_bottom T_bottom.
  Proof.
    apply tbl_rel_app; [now apply ctl_view_rel|].
    apply tbl_rel_app; [now apply ptmem_view_rel|].
    apply tbl_rel_app; [now apply bump_view_rel|].
    apply tbl_rel_app; [now apply smmu_ptmem_view_rel|].
    apply tbl_rel_app; [now apply smmu_bump_view_rel|].
    apply tbl_rel_app; [now apply pages_view_rel|].
    apply rest_view_rel.
  Qed.
End RestView.

(** All that layers 1 to 3 pass through. *)
Lemma objects_view_rel {F G} {VF : View F} {VG : View G} {WF : PullView F} {WG : PullView G} (RF : view_relation F G) :
  view_compat RF -> pull_compat RF -> tbl_rel (R_view RF) T_objects T_objects.
Proof. intros C D. apply tbl_rel_app; [now apply pull_view_rel | now apply bottom_view_rel]. Qed.
