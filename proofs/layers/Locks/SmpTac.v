(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 4, Locks: open a primitive of the bottom machine and see what it changed. *)
From SeKVM.machine Require Export RestTac.

(** What a component is after a primitive: as before, or with a new value of a held object. *)
Tactic Notation "touched_tac" uconstr(same) uconstr(insert) :=
  constructor; state_norm; cbn [cpu_id];
  first
  [ left; reflexivity
  | right; split; [eassumption | eexists; reflexivity]
  | apply same
  | eapply insert; eassumption
  | reflexivity ].

(** Goal: [Forall (fun x => touches (snd x)) T] for a concrete table. *)
Tactic Notation "touches_tac" uconstr(same) uconstr(insert) :=
  repeat
    lazymatch goal with
    | |- List.Forall ?Q ?T =>
        let T' := eval hnf in T in change (List.Forall Q T');
        first [ apply List.Forall_nil
              | apply List.Forall_cons;
                [ intros vs s r E; cbn [snd] in E; open_prim_in E;
                  repeat match goal with
                  | E : context [match ?x with _ => _ end] |- _ =>
                      lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x eqn:? end
                  end; try discriminate;
                  match goal with E : Some _ = Some _ |- _ => injection E as <- end;
                  touched_tac same insert | ] ]
    end.
