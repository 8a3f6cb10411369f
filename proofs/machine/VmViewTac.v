(* SPDX-License-Identifier: Apache-2.0 *)
(** Tactics of [VmView]: a primitive that looks at no lock-protected object is the same at
    two related views.  Rests on [ViewPass] and [BottomVmTac]. *)
From SeKVM.machine Require Export ViewPass BottomVmTac.

(** Both sides are the same function of the parts that the states share. *)
Ltac plain_tac := intros vs s t r V E;
  destruct V as [V1 V2 V3 V4 V5 V6 D5 D6 V7 V8 V9 V10 V11 V12]; cbn [snd] in *; prim_unfold_in E; prim_unfold;
  rewrite <- ?V7, <- ?V8, <- ?V9, <- ?V11, <- ?V12;
  repeat match type of E with context [match ?x with _ => _ end] =>
    lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x; try discriminate E end end;
  injection E as <-; eexists; (split; [reflexivity|]); split; [reflexivity | constructor; auto].

Ltac plain_tbl_tac := try red; repeat first
  [ apply Forall2_nil_2 | eapply Forall2_cons_2; [split; [reflexivity | plain_tac] | ] ].
