(* SPDX-License-Identifier: Apache-2.0 *)
(** A tactic for [natural]: a primitive that does not look at a component commutes
    with replacing it.  Rests on [StateTac]. *)
From SeKVM.machine Require Export BottomTac Rel.
From SeKVM.layers.Locks Require Export Spec.

#[export] Hint Unfold acquire_obj release_obj acquire_vm_obj release_vm_obj : prims.

(** Both sides have the same matches: split them until the states are the same. *)
Ltac natural_tac :=
  intros vs s m; split; prim_unfold; state_norm;
  repeat match goal with
  | |- context [match ?x with _ => _ end] =>
      lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x end
  end; try reflexivity; try exact I.

(** A whole table. *)
Ltac natural_tbl_tac :=
  red; repeat first
    [ apply Forall2_nil_2
    | eapply Forall2_cons_2; [split; [reflexivity | natural_tac] | ] ].

(** A table in which [acq] and [rel] are known to pass and the rest is natural. *)
Tactic Notation "rel_tbl_tac" uconstr(acq) uconstr(rel) :=
  red; repeat first
    [ apply Forall2_nil_2
    | eapply Forall2_cons_2;
      [split; [reflexivity | first [apply acq | apply rel | apply natural_rel; natural_tac]] | ] ].
