(* SPDX-License-Identifier: Apache-2.0 *)
(** Sequences of calls on any layer, specification or linked code, and their
    refinement.  Rests on [Calls]; used by [Stack]. *)
From SeKVM.lib Require Export Calls.
Local Open Scope Z_scope.

(** Make the calls in order, up to the end or to a panic. *)
Inductive runs {S} (L : layer S) : list (ident * list Z) -> S -> res S -> Prop :=
| runs_end s : runs L [] s (Ok 0 s)
| runs_call f vs cs s v s' r : L f vs s (Ok v s') -> runs L cs s' r -> runs L ((f, vs) :: cs) s r
| runs_halt f vs cs s s' : L f vs s (Halt s') -> runs L ((f, vs) :: cs) s (Halt s').

Lemma run_calls_runs {S} (T : tbl S) cs : forall s r,
  run_calls (call T) cs s = Some r -> runs (graph T) cs s r.
Proof.
  induction cs as [|[f vs] cs IH]; intros s r E; cbn in E.
  - injection E as <-. constructor.
  - destruct (call T f vs s) as [[v s'|s']|] eqn:C; [| |discriminate].
    + eapply runs_call; [exact C | now apply IH].
    + injection E as <-. now apply runs_halt.
Qed.

Theorem refines_runs {Sh Sl} (R : srel Sh Sl) hi lo : refines R hi lo ->
  forall cs s r, runs hi cs s r -> forall t, rel R s t -> exists r', runs lo cs t r' /\ res_rel R r r'.
Proof.
  intros X cs s r Y. induction Y as [s | f vs cs s v s' r C Y IH | f vs cs s s' C]; intros t E.
  - exists (Ok 0 t). split; [constructor | cbn; auto].
  - destruct (X _ _ _ _ _ E C) as ([w t'|t'] & C' & G); cbn in G; [|tauto]. destruct G as [<- G].
    destruct (IH t' G) as (r' & Y' & G'). exists r'. split; [eapply runs_call; eauto | exact G'].
  - destruct (X _ _ _ _ _ E C) as ([w t'|t'] & C' & G); cbn in G; [tauto|].
    exists (Halt t'). split; [now apply runs_halt | exact G].
Qed.

Theorem runs_det {S} (L : layer S) : deterministic L ->
  forall cs s r, runs L cs s r -> forall r', runs L cs s r' -> r = r'.
Proof.
  intros D cs s r X. induction X as [s | f vs cs s v s' r C X IH | f vs cs s s' C]; intros r' Y.
  - now inversion Y.
  - inversion Y as [|g ws ds u w u' q C' Y' | g ws ds u u' C']; subst.
    + pose proof (D _ _ _ _ _ C C') as [= <- <-]. now apply IH.
    + pose proof (D _ _ _ _ _ C C'). discriminate.
  - inversion Y as [|g ws ds u w u' q C' Y' | g ws ds u u' C']; subst.
    + pose proof (D _ _ _ _ _ C C'). discriminate.
    + pose proof (D _ _ _ _ _ C C') as [= <-]. reflexivity.
Qed.
