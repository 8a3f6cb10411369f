(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 4, Locks: open a primitive of the bottom machine and see what it changed. *)
From SeKVM.machine Require Import BottomTac.

(** Goal: [Forall (fun x => touches (snd x)) T] for a concrete table. *)
Ltac touches_tac :=
  repeat (apply List.Forall_cons; [intros vs s r E; cbn [snd] in E; prim_unfold_in E|]); [..|apply List.Forall_nil];
  repeat match goal with
  | E : context [match ?x with _ => _ end] |- _ =>
      lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x eqn:? end
  end; try discriminate;
  match goal with E : Some _ = Some _ |- _ => injection E as <- end;
  econstructor; eassumption.
