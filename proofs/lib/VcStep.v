(* SPDX-License-Identifier: Apache-2.0 *)
(** Symbolic execution one statement at a time.  [run_vc] of [VcTac] unrolls a whole body, and a condition with
    [k] connectives then has [k] copies of what follows it; here the rest of the body stays a name until it is
    reached, so the goal is as large as the statement at hand.  A file of its own because tactics carry source
    positions.  Used by layers whose code has many conditions: [run_steps f] in the place of [run_vc f], and [vstep]
    in the layer's [hook]. *)
From SeKVM.lib Require Export VcTac.
Local Open Scope Z_scope.

(** [change] tries conversion at every number of the goal: only where there is something to change. *)
Ltac ranges_goal ::= repeat match goal with
  | |- context [modulus U32] => change (modulus U32) with 4294967296
  | |- context [modulus U64] => change (modulus U64) with 18446744073709551616
  | |- context [width U32] => change (width U32) with 32
  | |- context [width U64] => change (width U64) with 64
  end.

Declare Reduction vc_atom :=
  lazy beta iota zeta delta
    [map fn_temps fn_params fn_body fn_ret bind_vc ev evb evl bin_vc cmp truth Lang.assoc
     upd String.eqb Ascii.eqb Bool.eqb setopt call_vc post].
Ltac run_atom := match goal with |- ?g => let g' := eval vc_atom in g in change g' end.

Ltac vstep := match goal with
  | |- vc ?L ?st ?K ?e ?s =>
      lazymatch st with
      | Sseq ?a ?b =>
          let r := fresh "rest" in pose (r := b);
          change (vc L a (fun o => match o with Normal e' s' => vc L r K e' s' | o' => K o' end) e s)
      | Sif ?c ?a ?b =>
          let x := fresh "rest" in let y := fresh "rest" in pose (x := a); pose (y := b);
          change (evb c e (fun v => if v then vc L x K e s else vc L y K e s)); run_atom
      | Sskip => change (K (Normal e s)); run_atom
      | Sset ?x ?a => change (ev a e (fun v => K (Normal (upd x v e) s))); run_atom
      | Scall ?x ?f ?l =>
          change (evl l e (fun vs => call_vc L f vs s (fun v s' => K (Normal (setopt x v e) s')) (fun s' => K (Halted s'))));
          run_atom
      | Sreturn (Some ?a) => change (ev a e (fun v => K (Return v s))); run_atom
      | Sreturn None => change (K (Return 0 s)); run_atom
      | ?x => is_var x; unfold x; clear x
      end
  | ends := _ |- ?k _ => constr_eq k ends; unfold ends; clear ends; run_atom
  end.

(** The beginning: the body and what is to be shown at its end become names. *)
Ltac run_steps f :=
  let body := fresh "body" in pose (body := fn_body f);
  let ends := fresh "ends" in
  match goal with
  | |- context [vc ?L (fn_body _) ?K] =>
      pose (ends := K); change (vc L (fn_body f) K) with (vc L body ends)
  end;
  unfold f in ends; cbn [fn_ret] in ends; unfold f in body; cbn [fn_body] in body;
  unfold f; run_atom; autounfold with consts.
