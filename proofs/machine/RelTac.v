(* SPDX-License-Identifier: Apache-2.0 *)
(** A tactic for [natural]: a primitive that does not look at a component commutes
    with replacing it.  Rests on [StateTac]. *)
From SeKVM.machine Require Export BottomPagesTac Rel.
From SeKVM.layers.Locks Require Export Spec.

#[export] Hint Unfold acquire_obj release_obj acquire_vm_obj release_vm_obj : prims.

(** Both sides have the same matches: split them until the states are the same. *)
Ltac natural_tac :=
  intros vs s m; split; open_prim;
  repeat match goal with
  | |- context [match ?x with _ => _ end] =>
      lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x end
  end; try reflexivity; try exact I.

(** A whole table. *)
Ltac natural_tbl_tac :=
  red; repeat
    lazymatch goal with
    | |- Forall2 ?Q ?T ?U =>
        let T' := eval hnf in T in let U' := eval hnf in U in change (Forall2 Q T' U');
        first [ apply Forall2_nil_2 | apply Forall2_cons_2; [split; [reflexivity | natural_tac]|] ]
    end.

(** A table in which [acq] and [rel] are known to pass and the rest is natural. *)
Tactic Notation "rel_tbl_tac" uconstr(acq) uconstr(rel) :=
  red; repeat first
    [ apply Forall2_nil_2
    | eapply Forall2_cons_2;
      [split; [reflexivity | first [apply acq | apply rel | apply natural_rel; natural_tac]] | ] ].

(** The same for a primitive that no change of representation concerns. *)
Ltac aside_tbl_tac :=
  red; repeat
    lazymatch goal with
    | |- Forall2 ?Q ?T ?U =>
        let T' := eval hnf in T in let U' := eval hnf in U in change (Forall2 Q T' U');
        first
        [ apply Forall2_nil_2
        | apply Forall2_cons_2;
          [ split; [reflexivity|]; intros vs s n m x; unfold set_tables, tables_same; split; open_prim;
            repeat match goal with
            | |- context [match ?y with _ => _ end] =>
                lazymatch y with context [match _ with _ => _ end] => fail | _ => destruct y end
            end; first [reflexivity | exact I | repeat split] | ] ]
    end.

(** A table whose primitives leave the firmware's map alone. *)
Ltac boot_tac :=
  red; repeat
    lazymatch goal with
    | |- List.Forall ?Q ?T =>
        let T' := eval hnf in T in change (List.Forall Q T');
        first
        [ apply List.Forall_nil
        | apply List.Forall_cons;
          [ intros vs s; cbn [snd]; open_prim;
            repeat match goal with
            | |- context [match ?x with _ => _ end] =>
                lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x end
            end; first [reflexivity | exact I] | ] ]
    end.
