(* SPDX-License-Identifier: Apache-2.0 *)
(** Tactics for primitives that look only at what belongs to this CPU: what they read and write is laid open, then every
    match is split.  The values that they compute stay closed.  Rests on [ViewPass]. *)
From SeKVM.machine Require Export ViewPass RelTac BottomCtxtTac.

Ltac open_ctxt :=
  prim_unfold; unfold cur_ctxt, put_cur, get_ctxt, put_ctxt, phys_regs, put_regs, input, consume; state_norm.
Ltac split_matches := repeat match goal with |- context [match ?x with _ => _ end] =>
  lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x end end.

(** States with other views of objects. *)
Ltac private_view_tac :=
  let V := fresh "V" in
  intros vs s t r V; destruct s, t; destruct V as [V1 V2 V3 V4 V5 V6 D5 D6 V7 V8 V9 V10 V11 V12];
  cbn in V1, V2, V3, V4, V5, V6, D5, D6, V7, V8, V9, V10, V11, V12; subst;
  open_ctxt; split_matches; try discriminate;
  (let E := fresh in intros E; apply Some_inj in E; subst r);
  (eexists; split; [reflexivity|]; split; [reflexivity|]; constructor; state_norm; assumption || reflexivity).

(** States with another representation of a table. *)
Ltac private_natural_tac := intros vs s m; split; open_ctxt; split_matches; exact I || reflexivity.
Ltac private_natural_tbl_tac :=
  red; repeat first
    [ apply Forall2_nil_2
    | eapply Forall2_cons_2; [split; [reflexivity | cbn [snd]; private_natural_tac] | ] ].
