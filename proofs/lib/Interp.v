(* SPDX-License-Identifier: Apache-2.0 *)
(** A fuelled interpreter of the C subset, proved sound for [exec] and [flatn]: what
    it computes is what the semantics says.  Serves the examples of every [Test.v]
    and the comparison with gcc.  Rests on [Link]. *)
From SeKVM.lib Require Export Link.
Local Open Scope Z_scope.

(** A result, undefined behaviour, or not enough fuel to tell. *)
Inductive run_res (A : Type) := Done (a : A) | Undef | NoFuel.
Arguments Done {A}.
Arguments Undef {A}.
Arguments NoFuel {A}.

Section Interp.
  (** [cf] answers calls. *)
  Context {S : Type} (cf : ident -> list Z -> S -> run_res (res S)).

  (** At most [k] rounds of a loop. *)
  Fixpoint loop (k : nat) (c : env -> option Z) (b : env -> S -> run_res (out S))
           (e : env) (s : S) : run_res (out S) :=
    match k with
    | O => NoFuel
    | Datatypes.S k =>
        match c e with
        | None => Undef
        | Some v =>
            if truth v
            then match b e s with Done (Normal e s) => loop k c b e s | r => r end
            else Done (Normal e s)
        end
    end.

  (** Each loop has [k] rounds. *)
  Fixpoint run (k : nat) (st : stmt) (e : env) (s : S) : run_res (out S) :=
    match st with
    | Sskip => Done (Normal e s)
    | Sset x a => match eval a e with Some v => Done (Normal (upd x v e) s) | None => Undef end
    | Scall x f l =>
        match evals l e with
        | Some vs =>
            match cf f vs s with
            | Done (Ok v s) => Done (Normal (setopt x v e) s)
            | Done (Halt s) => Done (Halted s)
            | Undef => Undef
            | NoFuel => NoFuel
            end
        | None => Undef
        end
    | Sseq a b => match run k a e s with Done (Normal e s) => run k b e s | r => r end
    | Sif c a b =>
        match eval c e with
        | Some v => if truth v then run k a e s else run k b e s
        | None => Undef
        end
    | Swhile c b => loop k (eval c) (run k b) e s
    | Sreturn (Some a) => match eval a e with Some v => Done (Return v s) | None => Undef end
    | Sreturn None => Done (Return 0 s)
    end.

  Definition run_fun (k : nat) (fn : func) (vs : list Z) (s : S) : run_res (res S) :=
    match bind_params (fn_temps fn) (fn_params fn) vs with
    | None => Undef
    | Some e =>
        match run k (fn_body fn) e s with
        | Done o => match fn_result (fn_ret fn) o with Some r => Done r | None => Undef end
        | Undef => Undef
        | NoFuel => NoFuel
        end
    end.

  Context (L : layer S) (cf_sound : forall f vs s r, cf f vs s = Done r -> L f vs s r).

  Lemma loop_sound k c b :
    (forall e s o, run k b e s = Done o -> exec L b e s o) ->
    forall n e s o, loop n (eval c) (run k b) e s = Done o -> exec L (Swhile c b) e s o.
  Proof.
    intros X. induction n as [|n IH]; intros e s o Y; cbn in Y; [discriminate|].
    destruct (eval c e) as [v|] eqn:E; [|discriminate]. destruct (truth v) eqn:T.
    - eapply ex_while; eauto.
      destruct (run k b e s) as [[e1 s1|w s1|s1]| |] eqn:B; try discriminate.
      + eapply ex_seq; eauto.
      + injection Y as <-. apply ex_seq_stop; auto; discriminate.
      + injection Y as <-. apply ex_seq_stop; auto; discriminate.
    - injection Y as <-. eapply ex_while_end; eauto.
  Qed.

  Lemma run_sound k st : forall e s o, run k st e s = Done o -> exec L st e s o.
  Proof.
    induction st as [ | x a | x f l | a IHa b IHb | c a IHa b IHb | c b IHb | [a|] ];
      intros e s o Y; cbn in Y.
    - injection Y as <-. constructor.
    - destruct (eval a e) eqn:E; [|discriminate]. injection Y as <-. now constructor.
    - destruct (evals l e) as [vs|] eqn:E; [|discriminate].
      destruct (cf f vs s) as [[v t|t]| |] eqn:C; try discriminate; injection Y as <-.
      + eapply ex_call; eauto.
      + eapply ex_call_halt; eauto.
    - destruct (run k a e s) as [[e1 s1|v s1|s1]| |] eqn:E; try discriminate.
      + eapply ex_seq; eauto.
      + injection Y as <-. apply ex_seq_stop; auto; discriminate.
      + injection Y as <-. apply ex_seq_stop; auto; discriminate.
    - destruct (eval c e) as [v|] eqn:E; [|discriminate]. eapply ex_if; eauto.
      destruct (truth v); eauto.
    - exact (loop_sound k c b IHb k e s o Y).
    - destruct (eval a e) eqn:E; [|discriminate]. injection Y as <-. now constructor.
    - injection Y as <-. constructor.
  Qed.

  Lemma run_fun_sound k fn vs s r : run_fun k fn vs s = Done r -> exec_fun L fn vs s r.
  Proof.
    unfold run_fun. destruct (bind_params _ _ vs) as [e|] eqn:B; [|discriminate].
    destruct (run k (fn_body fn) e s) as [o| |] eqn:R; try discriminate.
    destruct (fn_result (fn_ret fn) o) as [r'|] eqn:Q; [|discriminate]. intros [= <-].
    exists e, o. eauto using run_sound.
  Qed.
End Interp.

(** The linked program [P] over the table [L0]; calls nest to depth [d]. *)
Fixpoint run_flat {S} (P : module) (L0 : tbl S) (d k : nat) (f : ident) (vs : list Z) (s : S) : run_res (res S) :=
  match assoc f P with
  | Some fn => match d with O => NoFuel | Datatypes.S d => run_fun (run_flat P L0 d k) k fn vs s end
  | None => match call L0 f vs s with Some r => Done r | None => Undef end
  end.

Lemma run_flat_prim {S} P (L0 : tbl S) d k f vs s :
  assoc f P = None ->
  run_flat P L0 d k f vs s = match call L0 f vs s with Some r => Done r | None => Undef end.
Proof. destruct d; cbn; intros ->; reflexivity. Qed.

Theorem run_flat_sound {S} P (L0 : tbl S) k d : forall f vs s r,
  run_flat P L0 d k f vs s = Done r -> flatn P (graph L0) d f vs s r.
Proof.
  assert (G : forall d f vs s r, assoc f P = None -> run_flat P L0 d k f vs s = Done r ->
              flatn P (graph L0) d f vs s r).
  { intros n f vs s r E X. rewrite (run_flat_prim P L0 n k f vs s E) in X.
    apply (flatn_le P (graph L0) 0 n); [apply PeanoNat.Nat.le_0_l|]. split; [exact E|].
    unfold graph. destruct (call L0 f vs s); [now injection X as <- | discriminate]. }
  induction d as [|d IH]; intros f vs s r X; destruct (assoc f P) as [fn|] eqn:E; auto.
  - cbn in X. rewrite E in X. discriminate.
  - cbn in X. rewrite E in X. change (sem P (flatn P (graph L0) d) f vs s r).
    unfold sem. rewrite E. exact (run_fun_sound _ _ IH _ _ _ _ _ X).
Qed.
