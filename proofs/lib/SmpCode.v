(* SPDX-License-Identifier: Apache-2.0 *)
(** Many CPUs that run code.  A CPU's part of a run of the interleaving machine, if its
    code can make those calls, is a run of the same code on the CPU-local machine
    ([smp_sound]); and if the code is defined locally under every script, then in the
    interleaving machine the next call of a CPU in the middle of its code is never
    stuck, except that it may wait for a lock ([never_stuck]).  Rests on [Smp]. *)
From stdpp Require Import gmap.
From SeKVM.lib Require Export Smp.
Local Open Scope Z_scope.

Section SmpCode.
  Context {X P : Type} (opof : ident -> list Z -> option (@op X P)).
  Notation glob := (@glob X P).
  Notation loc := (@loc X P).
  Notation grun := (grun opof).
  Notation lrun := (lrun opof).

  (** * Layers over traces *)

  (** The layer whose state is the list of calls still to be made, with their results:
      code runs over it if it makes just these calls. *)
  Definition Ltrace : layer (list label) := fun f vs tr r =>
    match tr with
    | (g, ws, Some v) :: tr' => g = f /\ ws = vs /\ r = Ok v tr'
    | (g, ws, None) :: tr' => g = f /\ ws = vs /\ r = Halt tr'
    | [] => False
    end.

  (** Code runs over it up to the end of the trace and then asks for the call [g ws]. *)
  Definition Lask (g : ident) (ws : list Z) : layer (list label) := fun f vs tr r =>
    match tr with
    | (h, us, Some v) :: tr' => h = f /\ us = vs /\ r = Ok v tr'
    | (_, _, None) :: _ => False
    | [] => f = g /\ vs = ws /\ r = Halt []
    end.

  (** The CPU-local machine as a layer. *)
  Definition Llocal (c : Z) : layer loc := fun f vs s r =>
    exists o, opof f vs = Some o /\
      match r with Ok v s' => lstep c o s (Some v) s' | Halt s' => lstep c o s None s' end.

  (** * Complete runs of code *)

  Definition R_trace (c : Z) (send : loc) : srel (list label) loc :=
    mksrel (fun tr s => lrun c tr s send) (fun tr s => lrun c tr s send).

  Lemma trace_local c send : refines (R_trace c send) Ltrace (Llocal c).
  Proof.
    intros f vs tr s r E C. cbn in E. destruct tr as [|[[g ws] [v|]] tr]; cbn in C; [tauto| |];
      destruct C as (-> & -> & ->); inversion E as [|f' vs' v' o tr' s1 s' s2 O St Y]; subst.
    - exists (Ok v s'). split; [exists o; auto | cbn; auto].
    - exists (Halt s'). split; [exists o; auto | exact Y].
  Qed.

  (** Read: in any run of the interleaving machine, let CPU [c] have run the function
      [f] of the program [Pr] from its first call to its result (a value, or a panic).
      Then [Pr]'s [f] does the same on the local machine, from [c]'s view of the start
      under a script of the other CPUs' releases, and ends in [c]'s view of the end. *)
  Theorem smp_sound (Pr : module) f vs tr g0 g c s0 pend r :
    grun tr g0 g -> view_of c g0 s0 pend -> flat Pr Ltrace f vs (proj c tr) r ->
    match r with Ok _ rest | Halt rest => rest = [] end ->
    exists scr s' pend', view_of c g s' pend' /\
      flat Pr (Llocal c) f vs (with_script scr s0) (match r with Ok v _ => Ok v s' | Halt _ => Halt s' end) /\
      forall k b e, In b (scr k) -> In e b -> fst e <> c /\ In e (g_log g k).
  Proof.
    intros G V F Done. destruct (local_view opof c tr g0 g G s0 pend V) as (scr & s' & pend' & Y & V' & S).
    exists scr, s', pend'. split; [exact V'|]. split; [|exact S].
    destruct (flat_mono (R_trace c s') Pr _ _ (trace_local c s') f vs _ _ _ Y F) as (r' & F' & G').
    destruct r as [v rest|rest], r' as [w s1|s1]; cbn in G'; try tauto; subst rest.
    - destruct G' as [<- E]. inversion E; subst. exact F'.
    - inversion G'; subst. exact F'.
  Qed.

  (** * Code that stops in the middle *)

  Lemma lstep_det c (o : @op X P) (s : loc) v s' w s'' : lstep c o s v s' -> lstep c o s w s'' -> v = w /\ s' = s''.
  Proof.
    intros A B. destruct A as [ k cl p cs C Hd Ot | k cl p cs C Hd | f v q m p cs E D | f q m p cs E D ];
      inversion B as [ k' cl' p' cs' C' Hd' Ot' | k' cl' p' cs' C' Hd' | f' v' q' m' p' cs' E' D' | f' q' m' p' cs' E' D' ];
      subst; split; congruence.
  Qed.

  Section Ask.
    (** The CPU, its state after the trace, and what it asks for. *)
    Context (c : Z) (s1 : loc) (g : ident) (ws : list Z).

    Definition next_defined : Prop := exists o v s2, opof g ws = Some o /\ lstep c o s1 v s2.

    (** A run over the trace that ends in the question, beside a local run. *)
    Definition res_ask (r : res (list label)) (q : res loc) : Prop :=
      match r, q with
      | Ok v tr, Ok w s => v = w /\ lrun c tr s s1
      | Halt _, _ => next_defined
      | _, _ => False
      end.
    Definition out_ask (o : out (list label)) (q : out loc) : Prop :=
      match o, q with
      | Normal e tr, Normal e' s => e = e' /\ lrun c tr s s1
      | Return v tr, Return w s => v = w /\ lrun c tr s s1
      | Halted _, _ => next_defined
      | _, _ => False
      end.
    Definition beside (A : layer (list label)) (B : layer loc) : Prop :=
      forall f vs tr r s q, lrun c tr s s1 -> A f vs tr r -> B f vs s q -> res_ask r q.

    Lemma ask_local : beside (Lask g ws) (Llocal c).
    Proof.
      intros f vs tr r s q Y A (o & O & St). destruct tr as [|[[h us] [v|]] tr]; cbn in A; [| |tauto].
      - destruct A as (-> & -> & ->). inversion Y; subst. cbn.
        destruct q as [w s2|s2]; [exists o, (Some w), s2 | exists o, None, s2]; auto.
      - destruct A as (-> & -> & ->).
        inversion Y as [|f' vs' v' o' tr' s0 s' s3 O' St' Y']; subst.
        assert (o' = o) as -> by congruence.
        destruct q as [w s2|s2]; destruct (lstep_det _ _ _ _ _ _ _ St St') as [Ev Es]; [|discriminate].
        injection Ev as ->. subst s2. cbn. auto.
    Qed.

    Lemma exec_beside A B : beside A B -> forall st e tr o, exec A st e tr o ->
      forall s q, lrun c tr s s1 -> exec B st e s q -> out_ask o q.
    Proof.
      intros Be st e tr o Ex.
      induction Ex as [ e tr | x a v e tr E | x f l vs v e tr tr' E C | x f l vs e tr tr' E C
                      | a b e tr e1 tr1 o X1 IH1 X2 IH2 | a b e tr o X1 IH N | k v a b e tr o E X1 IH
                      | k v b e tr E T | k v b e tr o E T X1 IH | a v e tr E | e tr ];
        intros s q Y B0; inversion B0; subst; clear B0;
        repeat match goal with
        | E1 : evals ?l ?e = Some _, E2 : evals ?l ?e = Some _ |- _ => rewrite E1 in E2; injection E2 as <-
        | E1 : eval ?l ?e = Some _, E2 : eval ?l ?e = Some _ |- _ => rewrite E1 in E2; injection E2 as <-
        end; try congruence; try (cbn; auto; fail);
        try match goal with
        | C : A ?f ?vs ?tr ?r, D : B ?f ?vs ?s ?q |- _ =>
            pose proof (Be f vs tr r s q Y C D) as Z; cbn in Z |- *; try tauto;
            destruct Z as [<- Z]; auto
        end;
        try match goal with
        | IH : forall s q, lrun c _ s s1 -> exec B ?a ?e s q -> _, D : exec B ?a ?e ?s ?q |- out_ask _ ?q =>
            exact (IH s q Y D)
        end;
        match goal with
        | IH : forall s q, lrun c _ s s1 -> exec B ?a ?e s q -> _, D : exec B ?a ?e ?s ?q |- _ =>
            pose proof (IH s q Y D) as Z
        end.
      - cbn in Z. destruct Z as [<- Z]. eauto.
      - match goal with N : forall e s, ?q <> Normal e s |- _ => destruct q as [e2 s2|v2 s2|s2]; cbn in Z; try tauto;
          now destruct (N e2 s2) end.
      - destruct o as [e2 t2|v2 t2|t2]; cbn in Z |- *; [now destruct (N e2 t2) | tauto | exact Z].
    Qed.

    Lemma exec_fun_beside A B fn vs tr r s q : beside A B -> lrun c tr s s1 ->
      exec_fun A fn vs tr r -> exec_fun B fn vs s q -> res_ask r q.
    Proof.
      intros Be Y (e & o & E1 & X1 & F1) (e' & o' & E2 & X2 & F2).
      rewrite E1 in E2. injection E2 as <-.
      pose proof (exec_beside A B Be _ _ _ _ X1 _ _ Y X2) as Z.
      destruct o as [e1 t1|v1 t1|t1], o' as [e2 t2|v2 t2|t2]; cbn in Z; try tauto;
        destruct (fn_ret fn); cbn in F1, F2; try discriminate;
        injection F1 as <-; try (injection F2 as <-); cbn; auto.
      all: try (destruct Z as [<- Z]; auto).
    Qed.

    Lemma flatn_beside (Pr : module) n : beside (flatn Pr (Lask g ws) n) (flatn Pr (Llocal c) n).
    Proof.
      induction n as [|n IH]; intros f vs tr r s q Y A B.
      - destruct A as [_ A], B as [_ B]. exact (ask_local f vs tr r s q Y A B).
      - change (sem Pr (flatn Pr (Lask g ws) n) f vs tr r) in A.
        change (sem Pr (flatn Pr (Llocal c) n) f vs s q) in B. unfold sem in A, B.
        destruct (assoc f Pr) as [fn|]; [exact (exec_fun_beside _ _ fn vs tr r s q IH Y A B) | exact (IH f vs tr r s q Y A B)].
    Qed.
  End Ask.

  (** Read: in any run of the interleaving machine, let CPU [c] be in the middle of its
      code: the program's [f] has made the calls of [c]'s part of the run and now asks
      for [g ws].  Let [f] be defined on the local machine under every script of the
      other CPUs' own releases.  Then the machine can take [c]'s step, or it is an
      acquire and another CPU holds the lock.  So a data race, a double acquire and
      every other undefined use of a primitive are excluded. *)
  Theorem never_stuck (Pr : module) f vs tr g0 gl c s0 pend g ws :
    grun tr g0 gl -> view_of c g0 s0 pend -> g_stop gl = false ->
    flat Pr (Lask g ws) f vs (proj c tr) (Halt []) ->
    (forall scr, (forall k b e, In b (scr k) -> In e b -> fst e <> c /\ In e (g_log gl k)) ->
       exists q, flat Pr (Llocal c) f vs (with_script scr s0) q) ->
    exists o, opof g ws = Some o /\
      ((exists v g', gstep c o gl v g') \/
       (exists k d, o = Acq k /\ g_own gl !! k = Some d /\ d <> c)).
  Proof.
    intros G V Run [n A] Def.
    destruct (local_view opof c tr g0 gl G s0 pend V) as (scr & s1 & pend' & Y & V' & S).
    destruct (Def scr S) as (q & m & B).
    pose proof (flatn_le _ _ n (n + m) ltac:(lia) _ _ _ _ A) as A'.
    pose proof (flatn_le _ _ m (n + m) ltac:(lia) _ _ _ _ B) as B'.
    destruct (flatn_beside c s1 g ws Pr (n + m) f vs _ _ _ _ Y A' B') as (o & v & s2 & O & St).
    exists o. split; [exact O|]. exact (enabled c o gl s1 s2 v pend' V' Run St).
  Qed.
End SmpCode.
