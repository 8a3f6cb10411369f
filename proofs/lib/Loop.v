(* SPDX-License-Identifier: Apache-2.0 *)
(** Steps in turn, and counted loops of steps, as specifications and as code.  An
    operation on a range is not one step of the machine: between two of its steps the
    other CPUs act.  Its specification is [iterate], and [wp_iterate] says when a C loop
    meets it.  Rests on [Wp] and [Prim]; used by the layers from MemoryOps on. *)
From SeKVM.lib Require Export Wp Prim.
From Coq Require Import Lia.
Local Open Scope Z_scope.

(** First [o], then [k] from where it ended; a panic ends it all. *)
Definition and_then {S} (o : option (res S)) (k : Z -> S -> option (res S)) : option (res S) :=
  match o with
  | Some (Ok v s) => k v s
  | Some (Halt s) => Some (Halt s)
  | None => None
  end.

(** The [k] steps [f i], [f (i + 1)], ...; and [n] steps from [f 0] on. *)
Fixpoint iterate_from {S} (f : Z -> S -> option (res S)) (k : nat) (i : Z) (s : S) : option (res S) :=
  match k with
  | O => Some (Ok 0 s)
  | Datatypes.S k => and_then (f i s) (fun _ s => iterate_from f k (i + 1) s)
  end.
Definition iterate {S} (f : Z -> S -> option (res S)) (n : Z) (s : S) : option (res S) :=
  iterate_from f (Z.to_nat n) 0 s.

(** What a specification without a result says. *)
Lemma chk_void {S} (o : option (res S)) r :
  chk None o = Some r -> o = Some r /\ match r with Ok v _ => v = 0 | Halt _ => True end.
Proof.
  destruct o as [[v s|s]|]; cbn [chk]; [|now intros [= <-]|discriminate].
  destruct (Z.eqb_spec v 0) as [->|]; [now intros [= <-] | discriminate].
Qed.

(** * Reasoning about them *)

Section Facts.
  Context {S : Type} (f : Z -> S -> option (res S)).

  (** What every step keeps holds at the end, or at the panic. *)
  Lemma iterate_from_inv (J : Z -> S -> Prop) (H : S -> Prop) k : forall i s r,
    (forall j s r, i <= j < i + Z.of_nat k -> J j s -> f j s = Some r ->
       match r with Ok _ s' => J (j + 1) s' | Halt s' => H s' end) ->
    J i s -> iterate_from f k i s = Some r ->
    match r with Ok v s' => v = 0 /\ J (i + Z.of_nat k) s' | Halt s' => H s' end.
  Proof.
    induction k as [|k IH]; intros i s r X Y; cbn [iterate_from].
    - intros [= <-]. split; [reflexivity|]. now replace (i + Z.of_nat 0) with i by lia.
    - unfold and_then. destruct (f i s) as [[v s1|s1]|] eqn:F; [|intros [= <-]|discriminate].
      + intros E. apply IH in E; [|intros j t q R; apply X; lia|exact (X i s _ ltac:(lia) Y F)].
        now replace (i + Z.of_nat (Datatypes.S k)) with (i + 1 + Z.of_nat k) by lia.
      + exact (X i s _ ltac:(lia) Y F).
  Qed.

  Lemma iterate_inv (J : Z -> S -> Prop) (H : S -> Prop) n s r : 0 <= n ->
    (forall j s r, 0 <= j < n -> J j s -> f j s = Some r ->
       match r with Ok _ s' => J (j + 1) s' | Halt s' => H s' end) ->
    J 0 s -> iterate f n s = Some r -> match r with Ok v s' => v = 0 /\ J n s' | Halt s' => H s' end.
  Proof.
    intros N X Y E. apply (iterate_from_inv J H) in E; [|intros j t q R; apply X; lia|exact Y].
    now replace (0 + Z.of_nat (Z.to_nat n)) with n in E by lia.
  Qed.

  (** Steps that are defined, wherever the steps before them lead, make a defined loop. *)
  Lemma iterate_from_defined (J : Z -> S -> Prop) k : forall i s,
    (forall j s, i <= j < i + Z.of_nat k -> J j s ->
       exists r, f j s = Some r /\ match r with Ok _ s' => J (j + 1) s' | Halt _ => True end) ->
    J i s -> exists r, iterate_from f k i s = Some r.
  Proof.
    induction k as [|k IH]; intros i s X Y; cbn [iterate_from]; [eauto|].
    destruct (X i s ltac:(lia) Y) as ([v s1|s1] & -> & Z1); cbn [and_then]; [|eauto].
    apply IH; [intros j t R; apply X; lia | exact Z1].
  Qed.

  Lemma iterate_defined (J : Z -> S -> Prop) n s : 0 <= n ->
    (forall j s, 0 <= j < n -> J j s ->
       exists r, f j s = Some r /\ match r with Ok _ s' => J (j + 1) s' | Halt _ => True end) ->
    J 0 s -> exists r, iterate f n s = Some r.
  Proof. intros N X Y. apply (iterate_from_defined J); [intros j t R; apply X; lia | exact Y]. Qed.
End Facts.

(** * Code *)

(** The end [o] of a round that should have done step [j] with result [r]: the locals
    are as [I] says for the next round. *)
Definition round {S} (I : Z -> env -> Prop) (j : Z) (r : res S) (o : out S) : Prop :=
  match o, r with
  | Normal e s, Ok _ s' => s' = s /\ I (j + 1) e
  | Halted s, Halt s' => s' = s
  | _, _ => False
  end.

Section Code.
  Context {S : Type} (L : tbl S) (c : expr) (b : stmt) (K : out S -> Prop).
  Context (f : Z -> S -> option (res S)) (I : Z -> env -> Prop).

  Lemma wp_iterate_from k : forall i e s r,
    (forall j e s r, i <= j < i + Z.of_nat k -> I j e -> f j s = Some r ->
       evb c e (fun v => if v then vc L b (round I j r) e s else False)) ->
    (forall e, I (i + Z.of_nat k) e -> evb c e (fun v => if v then False else True)) ->
    I i e -> iterate_from f k i s = Some r ->
    match r with
    | Ok _ s' => forall e', I (i + Z.of_nat k) e' -> K (Normal e' s')
    | Halt s' => K (Halted s')
    end -> wp (graph L) (Swhile c b) K e s.
  Proof.
    induction k as [|k IH]; intros i e s r B N Y; cbn [iterate_from].
    - intros [= <-] X. replace (i + Z.of_nat 0) with i in * by lia.
      destruct (evb_ok _ _ _ (N e Y)) as (v & E & T). destruct (truth v) eqn:Tv; [destruct T|].
      exists (Normal e s). split; [exact (ex_while_end _ _ _ _ _ _ E Tv) | exact (X e Y)].
    - unfold and_then. destruct (f i s) as [q|] eqn:F; [|discriminate].
      destruct (evb_ok _ _ _ (B i e s q ltac:(lia) Y F)) as (v & E & T). destruct (truth v) eqn:Tv; [|destruct T].
      apply vc_wp in T as (o & Z & Q).
      replace (i + Z.of_nat (Datatypes.S k)) with (i + 1 + Z.of_nat k) in * by lia.
      destruct o as [e1 s1|w s1|s1], q as [u s2|s2]; cbn [round] in Q; try tauto.
      + destruct Q as [-> Y1]. intros R X.
        destruct (IH (i + 1) e1 s1 r) as (o & W & KO); [|exact N|exact Y1|exact R|exact X|].
        * intros j e' s' r' J. apply B. lia.
        * exists o. split; [|exact KO]. eapply ex_while; [exact E | exact Tv|]. eapply ex_seq; eauto.
      + subst s2. intros [= <-] X. exists (Halted s1). split; [|exact X].
        eapply ex_while; [exact E | exact Tv|]. apply ex_seq_stop; [exact Z | discriminate].
  Qed.

  (** Read: a loop does [iterate f n] if each round with the locals of round [j] does
      step [j] and leaves the locals of round [j + 1], and the condition holds in those
      of the rounds [0] to [n - 1] and not in those of [n]. *)
  Lemma wp_iterate n e s r : 0 <= n ->
    (forall j e s r, 0 <= j < n -> I j e -> f j s = Some r ->
       evb c e (fun v => if v then vc L b (round I j r) e s else False)) ->
    (forall e, I n e -> evb c e (fun v => if v then False else True)) ->
    I 0 e -> iterate f n s = Some r ->
    match r with
    | Ok _ s' => forall e', I n e' -> K (Normal e' s')
    | Halt s' => K (Halted s')
    end -> wp (graph L) (Swhile c b) K e s.
  Proof.
    intros N B Q Y E KR. assert (X : 0 + Z.of_nat (Z.to_nat n) = n) by lia.
    apply (wp_iterate_from (Z.to_nat n) 0 e s r); rewrite ?X; auto.
  Qed.
End Code.
