(* SPDX-License-Identifier: Apache-2.0 *)
(** The primitives on registers and contexts pass through every change of view of objects and through every change of
    representation of a table: they look only at what belongs to this CPU.  Rests on [BottomCtxt];
    used where the rest of the bottom machine passes through. *)
From SeKVM.machine Require Import CtxtPassTac PassThrough.
Local Open Scope Z_scope.

Lemma ctxt_view_rel {F G N M P} (RF : view_relation F G) : tbl_rel (@R_view F G N M P RF) T_ctxt T_ctxt.
Proof. repeat constructor; private_view_tac. Qed.

Lemma ctxt_natural_npts {N N' M P} : @natural_tbl (St cell N M P) (St cell N' M P) _ _ st_npts set_npts T_ctxt T_ctxt.
Proof. private_natural_tbl_tac. Qed.

Lemma ctxt_natural_spt {N M M' P} : @natural_tbl (St cell N M P) (St cell N M' P) _ _ st_spt set_spt T_ctxt T_ctxt.
Proof. private_natural_tbl_tac. Qed.

Lemma ctxt_natural_s2 {N M P P'} : @natural_tbl (St cell N M P) (St cell N M P') _ _ st_s2 set_s2 T_ctxt T_ctxt.
Proof. private_natural_tbl_tac. Qed.
