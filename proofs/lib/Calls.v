(* SPDX-License-Identifier: Apache-2.0 *)
(** Sequences of calls of an interface, for theorems and examples about whole runs:
    the same sequence can be made on a table of specifications and, through the
    interpreter, on the code over the table below.  Rests on [Interp]. *)
From SeKVM.lib Require Export Interp.
Local Open Scope Z_scope.

Definition stepper (S : Type) := ident -> list Z -> S -> option (res S).

(** The code [P] over the table [L0]: [None] for undefined, and for out of fuel
    (nesting 40, 2000 rounds of a loop). *)
Definition by_code {S} (P : module) (L0 : tbl S) : stepper S :=
  fun f vs s => match run_flat P L0 40 2000 f vs s with Done r => Some r | _ => None end.

(** What the interpreter returns is what the linked program does. *)
Lemma by_code_sound {S} (P : module) (L0 : tbl S) f vs s r :
  by_code P L0 f vs s = Some r -> flat P (graph L0) f vs s r.
Proof.
  unfold by_code. destruct (run_flat P L0 40 2000 f vs s) as [r'| |] eqn:E; try discriminate.
  intros [= <-]. exists 40%nat. exact (run_flat_sound _ _ _ _ _ _ _ _ E).
Qed.

(** Make the calls in order; stop at a panic; undefined if one of them is. *)
Fixpoint run_calls {S} (step : stepper S) (cs : list (ident * list Z)) (s : S) : option (res S) :=
  match cs with
  | [] => Some (Ok 0 s)
  | (f, vs) :: cs =>
      match step f vs s with
      | Some (Ok _ s') => run_calls step cs s'
      | r => r
      end
  end.

(** How a sequence of calls ended, for examples. *)
Inductive ended := Finished | Panicked | Undefined.

(** The values returned, how it ended, and [obs] of the last state reached. *)
Fixpoint observe {S A} (step : stepper S) (obs : S -> A) (cs : list (ident * list Z)) (s : S)
  : list Z * ended * A :=
  match cs with
  | [] => ([], Finished, obs s)
  | (f, vs) :: cs =>
      match step f vs s with
      | Some (Ok v s') => let '(l, e, a) := observe step obs cs s' in (v :: l, e, a)
      | Some (Halt s') => ([], Panicked, obs s')
      | None => ([], Undefined, obs s)
      end
  end.
