(* SPDX-License-Identifier: Apache-2.0 *)
(** Tactics of the code proofs: run a verification condition, open specifications and
    calls, decide conditions by [lia].  A file of its own because tactics carry
    source positions into the compiled interface.  Rests on [Wp] and [Prim];
    [machine/StateTac.v] fills in [state_norm] and the unfold databases. *)
From SeKVM.lib Require Export Wp Prim.
From Coq Require Export Lia.
Local Open Scope Z_scope.

(** [prims]: every specification constant of a primitive.
    [consts]: address constants and predicates that [lia] must see through. *)
Create HintDb prims discriminated.
Create HintDb consts discriminated.

(** Normalise getters after setters in the goal, and in all hypotheses. *)
Ltac state_norm := idtac.
Ltac state_norm_hyps := idtac.

(** * Booleans and ranges *)

Ltac ranges_goal :=
  change (modulus U32) with 4294967296; change (modulus U64) with 18446744073709551616;
  change (width U32) with 32; change (width U64) with 64.
Ltac ranges_hyps :=
  change (modulus U32) with 4294967296 in *; change (modulus U64) with 18446744073709551616 in *;
  change (width U32) with 32 in *; change (width U64) with 64 in *.

(** Boolean hypotheses to propositions. *)
Ltac boolprop := repeat match goal with
  | H : in_range _ _ = true |- _ => apply in_range_iff in H
  | H : (_ && _)%bool = true |- _ => apply andb_true_iff in H; destruct H
  | H : (_ || _)%bool = false |- _ => apply orb_false_iff in H; destruct H
  | H : (_ && _)%bool = false |- _ => apply andb_false_iff in H
  | H : (_ || _)%bool = true |- _ => apply orb_true_iff in H
  | H : negb _ = true |- _ => apply negb_true_iff in H
  | H : negb _ = false |- _ => apply negb_false_iff in H
  | H : (_ <? _) = true |- _ => apply Z.ltb_lt in H
  | H : (_ <? _) = false |- _ => apply Z.ltb_ge in H
  | H : (_ <=? _) = true |- _ => apply Z.leb_le in H
  | H : (_ <=? _) = false |- _ => apply Z.leb_gt in H
  | H : (_ =? _) = true |- _ => apply Z.eqb_eq in H
  | H : (_ =? _) = false |- _ => apply Z.eqb_neq in H
  end; ranges_hyps.

(** The same for a goal, ending in [lia] where that is enough. *)
Ltac bool_goal := repeat match goal with
  | |- in_range _ _ = true => apply in_range_iff
  | |- (_ && _)%bool = true => apply andb_true_iff; split
  | |- (_ || _)%bool = false => apply orb_false_iff; split
  | |- (_ && _)%bool = false => apply andb_false_iff
  | |- (_ || _)%bool = true => apply orb_true_iff
  | |- negb _ = true => apply negb_true_iff
  | |- negb _ = false => apply negb_false_iff
  | |- (_ <? _) = true => apply Z.ltb_lt
  | |- (_ <? _) = false => apply Z.ltb_ge
  | |- (_ <=? _) = true => apply Z.leb_le
  | |- (_ <=? _) = false => apply Z.leb_gt
  | |- (_ =? _) = true => apply Z.eqb_eq
  | |- (_ =? _) = false => apply Z.eqb_neq
  end; ranges_goal; try lia.

(** Remove a [wrap] whose argument is in range. *)
Ltac unwrap := repeat match goal with
  | |- context [wrap ?t ?z] =>
      lazymatch z with context [wrap] => fail | _ => rewrite (wrap_id t z) by (ranges_goal; lia) end
  end.

(** * Specifications *)

(** Split every match in a hypothesis of the form [spec ... = Some r]. *)
Ltac inv_spec H := repeat match type of H with
  | None = Some _ => discriminate H
  | Some _ = Some _ => injection H; clear H; intros; subst
  | (match ?x with _ => _ end) = Some _ =>
      lazymatch x with
      | context [match _ with _ => _ end] => fail
      | _ => let E := fresh "E" in destruct x eqn:E; try discriminate H
      end
  | context [match ?x with _ => _ end] =>
      lazymatch x with
      | context [match _ with _ => _ end] => fail
      | _ => let E := fresh "E" in destruct x eqn:E; try discriminate H
      end
  end; boolprop.

Ltac prim_unfold := autounfold with prims; lazy beta iota zeta delta [p0 p1 p2 p3 p4 chk].
Ltac prim_unfold_in H :=
  autounfold with prims in H; lazy beta iota zeta delta [p0 p1 p2 p3 p4 chk] in H.

(** * Symbolic execution of the goal *)

(** Find the value of a match's scrutinee: from a hypothesis, by computation, or by
    [lia]. *)
Ltac resolve x :=
  first
  [ match goal with E : x = _ |- _ => rewrite E end
  | let X := fresh in
    first [ assert (X : x = true) by (clear; reflexivity)
          | assert (X : x = false) by (clear; reflexivity)
          | assert (X : x = true) by (solve [bool_goal])
          | assert (X : x = false) by
              (solve [bool_goal; (left; bool_goal; fail) || (right; bool_goal; fail)])
          ]; rewrite X; clear X
  ]; cbv beta iota.

(** Apply [tac] to the scrutinee of an innermost match of the goal. *)
Ltac innermost tac := match goal with
  | |- context [match ?x with _ => _ end] =>
      lazymatch x with context [match _ with _ => _ end] => fail | _ => tac x end
  end.

(** Case analysis on a condition that nothing decides. *)
Ltac split_on x := let E := fresh "E" in destruct x eqn:E; boolprop; try lia.

(** One call: find the primitive by head reduction of the table, open it. *)
Ltac do_call := match goal with
  | |- context [call ?L ?f ?vs ?s] =>
      let p := eval hnf in (assoc f L) in
      lazymatch p with
      | Some ?q => change (call L f vs s) with (q vs s)
      end
  end; prim_unfold.

(** For a layer's own rewriting steps; [Ltac hook ::= ...] in its tactic file. *)
Ltac hook := fail.
Ltac map_step := fail.

Ltac sstep := first
  [ progress state_norm
  | map_step
  | match goal with |- context [wrap _ _] => progress unwrap end
  | match goal with |- _ /\ _ => split; [solve [ranges_goal; lia]|] end
  | innermost resolve
  | hook ].
Ltac open_goal := autounfold with consts; state_norm.

(** Calls are opened only when all before them has been resolved. *)
Ltac ssteps := repeat (repeat sstep; do_call; open_goal); repeat sstep.

(** * Whole proofs *)

Declare Reduction vc_run :=
  lazy beta iota zeta delta
    [map fn_temps fn_params fn_body fn_ret bind_vc vc ev evb evl bin_vc cmp truth assoc
     upd String.eqb Ascii.eqb Bool.eqb setopt call_vc post].
Ltac run_vc_goal := match goal with |- ?g => let g' := eval vc_run in g in change g' end.
Ltac run_vc f := unfold f; run_vc_goal; autounfold with consts.

Ltac open_spec H :=
  prim_unfold_in H; inv_spec H; autounfold with consts in *; boolprop; state_norm_hyps.

(** Code proof on the same state: [code_ok f_foo] is all of it for a loop-free
    function; [code_intro] is its beginning, for proofs that need a hand. *)
Ltac code_intro f := apply fun_ok_vc; intros vs s r H; open_spec H; run_vc f.
Ltac finish := first [reflexivity | state_norm; reflexivity | exfalso; lia | idtac].
Ltac code_ok f := code_intro f; ssteps; finish.

(** Code proof across a relation; [RR] is the relation on the states [s] and [t]. *)
Ltac sim_intro f := apply fun_sim_vc; intros vs s t r RR H; open_spec H; run_vc f.
