(* SPDX-License-Identifier: Apache-2.0 *)
(** The few tactics of the relaxed-memory development, in a file of their own because files with tactics are costly to
    change.  They only do case analysis: on equality of keys, and on the rule that a step was made by. *)
From Coq Require Import Arith.
From SeKVM.wdrf.isolated Require Import Base Promising.

(** Decide every [upd f k v x] in the goal. *)
Ltac upd_cases :=
  unfold upd;
  repeat match goal with
  | |- context [Nat.eqb ?x ?y] => destruct (Nat.eqb_spec x y); subst
  end.

(** Is thread (or address) [j] the one that [upd] changed, [i]? *)
Ltac who j i :=
  let E := fresh "other" in
  destruct (Nat.eq_dec j i) as [E|E];
  [ rewrite E in *; rewrite ?upd_same in * | rewrite ?(upd_other _ i _ j E) in * ].

(** The six rules of [step], with names for their parts. *)
Ltac step_cases st :=
  destruct st as
    [ r e fetched
    | e target cond cv fetched condition
    | b fetched
    | k r ea guard pulls a av ts v fetched address readable
    | k ea ed pushes a av d dv ts fetched address datum writable
    | op r ea ed guard pulls pushes a av d dv tr v post tw fetched address datum readable post_is writable later atomic ].
