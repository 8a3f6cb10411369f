(* SPDX-License-Identifier: Apache-2.0 *)
(** A linked program is its upper part over its lower part: what the flat program of both does, the upper functions
    do over a layer that consists of the lower ones ([flat_split]).  With it a theorem about code over any layer
    holds inside the one flat program.  Rests on [Link]; used by [StackLocks]. *)
From SeKVM.lib Require Export Link.

Section Split.
  Context {S : Type} (L0 : layer S) (P M : module) (no_calls_up : disjoint (mcalls P) (names M) = true).

  (** What is not in the upper part runs without it. *)
  Lemma flatn_lower n : forall f vs s r, ~ In f (names M) -> flatn (P ++ M) L0 n f vs s r -> flatn P L0 n f vs s r.
  Proof.
    induction n as [|n IH]; intros f vs s r N X.
    - destruct X as [E X]. split; [|exact X]. rewrite assoc_app in E.
      destruct (assoc f P); [discriminate | reflexivity].
    - change (sem P (flatn P L0 n) f vs s r). change (sem (P ++ M) (flatn (P ++ M) L0 n) f vs s r) in X.
      unfold sem in X |- *. rewrite assoc_app, (assoc_None f M N) in X.
      destruct (assoc f P) as [fn|] eqn:E; [|exact (IH f vs s r N X)].
      destruct X as (e & o & B & Z & F). exists e, o. split; [exact B|]. split; [|exact F].
      apply (exec_calls _ _ _ _ _ _ Z). intros g ws u q I. apply IH.
      exact (disjoint_ok _ _ g no_calls_up (assoc_mcalls _ _ _ _ E I)).
  Qed.

  Context (no_redefinition : disjoint (names P) (names M) = true).

  Theorem flat_split : included (flat (P ++ M) L0) (flat M (flat P L0)).
  Proof.
    intros f vs s r [n X]. revert f vs s r X. induction n as [|n IH]; intros f vs s r X.
    - destruct X as [E X]. rewrite assoc_app in E. exists O. destruct (assoc f P) eqn:EP; [discriminate|].
      split; [exact E|]. exists O. now split.
    - destruct (assoc f M) as [fn|] eqn:E.
      + change (sem (P ++ M) (flatn (P ++ M) L0 n) f vs s r) in X. unfold sem in X. rewrite assoc_app in X.
        rewrite (assoc_None f P), E in X.
        2:{ intros I. exact (disjoint_ok _ _ f no_redefinition I (assoc_names _ _ _ E)). }
        destruct (exec_fun_mono _ _ IH _ _ _ _ X) as (e & o & B & Z & F).
        destruct (exec_flat _ _ _ _ _ _ Z) as [m Z']. exists (Datatypes.S m).
        change (sem M (flatn M (flat P L0) m) f vs s r). unfold sem. rewrite E. exists e, o. auto.
      + exists O. split; [exact E|]. exists (Datatypes.S n). refine (flatn_lower _ _ _ _ _ _ X).
        intros I. exact (assoc_defined _ _ I E).
  Qed.
End Split.
