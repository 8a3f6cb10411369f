(* SPDX-License-Identifier: Apache-2.0 *)
(** The lock calls of a run, in order, and a checker of C code: every run of a program that it accepts takes each
    lock after all that it holds, in one given order, and gives back what it took ([checked_ordered]).  The log of
    lock calls is a part of the state that changes nothing else ([logged_run], [run_logged]), so the theorem is
    about the semantics of [Lang].  Rests on [Runs]; [layers/Locks/Deadlock.v] and [StackLocks] use it. *)
From SeKVM.lib Require Export Runs.
From Coq Require Import Lia.
Local Open Scope Z_scope.

(** A lock is a class and the arguments of the calls that take it and give it back. *)
Definition lock (C : Type) : Type := C * list Z.
Inductive lock_action (C : Type) := Acquire (l : lock C) | Release (l : lock C).
Arguments Acquire {C}.
Arguments Release {C}.

Section LockLog.
  (** The classes of locks and their ranks; which functions are lock calls, [true] for an acquire. *)
  Context {C : Type} (C_dec : forall a b : C, {a = b} + {a <> b}) (rank : C -> Z)
          (lock_calls : list (ident * (bool * C))).
  Notation lock := (lock C).
  Notation action := (lock_action C).
  Notation log := (list action).

  Definition actions (f : ident) (vs : list Z) : log :=
    match assoc f lock_calls with
    | Some (true, c) => [Acquire (c, vs)]
    | Some (false, c) => [Release (c, vs)]
    | None => []
    end.

  (** * Order *)

  Definition lock_dec : forall a b : lock, {a = b} + {a <> b}.
  Proof. intros a b. decide equality; solve [apply C_dec | apply list_eq_dec, Z.eq_dec]. Defined.

  Fixpoint drop (l : lock) (held : list lock) : option (list lock) :=
    match held with
    | [] => None
    | j :: held =>
        if lock_dec l j then Some held else match drop l held with Some h => Some (j :: h) | None => None end
    end.

  (** All locks that are held come before rank [n]. *)
  Definition below (n : Z) (held : list lock) : bool := forallb (fun j => rank (fst j) <? n) held.

  (** The locks that are held after the log, from those held before; [None] if it takes a lock out of order, or
      releases one that is not held. *)
  Definition after1 (held : list lock) (a : action) : option (list lock) :=
    match a with
    | Acquire l => if below (rank (fst l)) held then Some (l :: held) else None
    | Release l => drop l held
    end.
  Fixpoint after (held : list lock) (t : log) : option (list lock) :=
    match t with
    | [] => Some held
    | a :: t => match after1 held a with Some h => after h t | None => None end
    end.

  Lemma after_app t1 : forall h t2, after h (t1 ++ t2) =
    match after h t1 with Some h1 => after h1 t2 | None => None end.
  Proof.
    induction t1 as [|a t1 IH]; intros h t2; cbn; [reflexivity|]. destruct (after1 h a); [apply IH | reflexivity].
  Qed.

  (** What an ordered log says: whenever it takes a lock, all that it holds has a smaller rank. *)
  Lemma after_acquire t l t' h0 h : after h0 (t ++ Acquire l :: t') = Some h ->
    exists held, after h0 t = Some held /\ Forall (fun j => rank (fst j) < rank (fst l)) held.
  Proof.
    rewrite after_app. destruct (after h0 t) as [held|]; [|discriminate]. cbn.
    destruct (below (rank (fst l)) held) eqn:B; [|discriminate]. intros _. exists held. split; [reflexivity|].
    apply List.Forall_forall. intros j I. unfold below in B. rewrite forallb_forall in B. now apply Z.ltb_lt, B.
  Qed.

  (** Locks held all along change nothing if they come before all that is taken. *)
  Definition acquires_above (held : list lock) (t : log) : Prop :=
    Forall (fun a => match a with Acquire l => below (rank (fst l)) held = true | Release _ => True end) t.

  Lemma drop_app l h1 h : forall h2, drop l h1 = Some h2 -> drop l (h1 ++ h) = Some (h2 ++ h).
  Proof.
    induction h1 as [|j h1 IH]; cbn; intros h2 D; [discriminate|]. destruct (lock_dec l j); [now injection D as <-|].
    destruct (drop l h1) as [h3|]; [|discriminate]. injection D as <-. now rewrite (IH h3 eq_refl).
  Qed.

  Lemma below_app n h1 h2 : below n (h1 ++ h2) = below n h1 && below n h2.
  Proof. apply forallb_app. Qed.

  Lemma after_frame held t : forall h1 h2, acquires_above held t -> after h1 t = Some h2 ->
    after (h1 ++ held) t = Some (h2 ++ held).
  Proof.
    induction t as [|a t IH]; intros h1 h2 B A; cbn in *; [now injection A as <-|].
    inversion B as [|a' t' B1 B2]; subst. destruct a as [l|l]; cbn in *.
    - rewrite below_app, B1. destruct (below _ h1); [|discriminate]. exact (IH (l :: h1) h2 B2 A).
    - destruct (drop l h1) as [h3|] eqn:D; [|discriminate]. rewrite (drop_app _ _ _ _ D). exact (IH h3 h2 B2 A).
  Qed.

  (** * The log of a run *)

  (** A layer with the log of its lock calls in the state. *)
  Definition logged {S} (L : layer S) : layer (S * log) := fun f vs s r =>
    match r with
    | Ok v s' => L f vs (fst s) (Ok v (fst s')) /\ snd s' = snd s ++ actions f vs
    | Halt s' => L f vs (fst s) (Halt (fst s')) /\ snd s' = snd s ++ actions f vs
    end.

  Definition R_forget {S} : srel (S * log) S := mksrel (fun s t => fst s = t) (fun s t => fst s = t).
  Definition R_recall {S} : srel S (S * log) := mksrel (fun t s => t = fst s) (fun t s => t = fst s).

  Lemma logged_forget {S} (L : layer S) : refines R_forget (logged L) L.
  Proof. intros f vs s t [v s'|s'] <- [X _]; eexists; (split; [exact X | now cbn]). Qed.

  Lemma logged_recall {S} (L : layer S) : refines R_recall L (logged L).
  Proof.
    intros f vs t s [v t'|t'] -> X.
    - exists (Ok v (t', snd s ++ actions f vs)). now cbn.
    - exists (Halt (t', snd s ++ actions f vs)). now cbn.
  Qed.

  Definition plain {S} (r : res (S * log)) : res S :=
    match r with Ok v s => Ok v (fst s) | Halt s => Halt (fst s) end.
  Definition log_of {S} (r : res (S * log)) : log := match r with Ok _ s => snd s | Halt s => snd s end.

  (** A run with a log is a run, and every run has a log. *)
  Lemma logged_run {S} P (L : layer S) cs s t r : runs (flat P (logged L)) cs (s, t) r ->
    runs (flat P L) cs s (plain r).
  Proof.
    intros X. destruct (refines_runs _ _ _ (flat_mono _ P _ _ (logged_forget L)) cs _ _ X s eq_refl) as (r' & Y & G).
    destruct r as [v q|q], r' as [v' q'|q']; cbn in G; try tauto.
    - destruct G as [<- <-]. exact Y.
    - subst q'. exact Y.
  Qed.

  Lemma run_logged {S} P (L : layer S) cs s t r : runs (flat P L) cs s r ->
    exists r', runs (flat P (logged L)) cs (s, t) r' /\ plain r' = r.
  Proof.
    intros X. pose proof (flat_mono _ P _ _ (logged_recall L)) as F.
    destruct (refines_runs _ _ _ F cs _ _ X (s, t) eq_refl) as (r' & Y & G).
    exists r'. split; [exact Y|]. destruct r as [v q|q], r' as [v' q'|q']; cbn in G; try tauto; cbn.
    - now destruct G as [<- ->].
    - now rewrite G.
  Qed.

  (** The same as a table, for runs by computation. *)
  Definition with_log {S} (T : tbl S) : tbl (S * log) :=
    map (fun p => (fst p, fun vs s =>
      match snd p vs (fst s) with
      | Some (Ok v s') => Some (Ok v (s', snd s ++ actions (fst p) vs))
      | Some (Halt s') => Some (Halt (s', snd s ++ actions (fst p) vs))
      | None => None
      end)) T.

  Lemma with_log_logged {S} (T : tbl S) : included (graph (with_log T)) (logged (graph T)).
  Proof.
    intros f vs s r. unfold graph, call, with_log, logged. induction T as [|[g p] T IH]; cbn; [discriminate|].
    destruct (String.eqb_spec f g) as [->|N]; [|destruct r; apply IH].
    destruct (p vs (fst s)) as [[v q|q]|]; [| |discriminate]; intros [= <-]; cbn; auto.
  Qed.

  (** * The checker *)

  (** A lock that is held, by the expressions that gave its arguments. *)
  Definition named : Type := C * list expr.

  Definition expr_dec : forall a b : expr, {a = b} + {a <> b}.
  Proof. repeat decide equality. Defined.
  Definition named_dec : forall a b : named, {a = b} + {a <> b}.
  Proof. intros a b. decide equality; solve [apply C_dec | apply list_eq_dec, expr_dec]. Defined.

  Fixpoint uses (x : ident) (a : expr) : bool :=
    match a with
    | Econst _ => false
    | Evar y => String.eqb x y
    | Ecast _ a | Enot _ a | Elnot a => uses x a
    | Ebin _ _ a b | Ecmp _ a b | Eland a b | Elor a b => uses x a || uses x b
    end.
  (** No lock that is held has [x] in its name. *)
  Definition free_of (x : ident) (held : list named) : bool :=
    forallb (fun l => forallb (fun a => negb (uses x a)) (snd l)) held.
  Definition all_below (n : Z) (held : list named) : bool := forallb (fun l => rank (fst l) <? n) held.

  Section Check.
    (** The smallest rank that each function takes; functions that are not listed take none. *)
    Context (least : list (ident * Z)).

    (** [b] is what may be taken, at the least; [None] is nothing. *)
    Definition within (b : option Z) (n : Z) : bool := match b with Some m => m <=? n | None => false end.

    Definition join (r q : option (option (list named))) : option (option (list named)) :=
      match r, q with
      | Some None, r | r, Some None => r
      | Some (Some h), Some (Some h') => if list_eq_dec named_dec h h' then Some (Some h) else None
      | _, _ => None
      end.

    (** The locks held where the statement ends normally; [Some None] if it does not; [None] is rejected. *)
    Fixpoint check (b : option Z) (st : stmt) (held : list named) : option (option (list named)) :=
      match st with
      | Sskip => Some (Some held)
      | Sset x _ => if free_of x held then Some (Some held) else None
      | Scall x f l =>
          match assoc f lock_calls, x with
          | Some (true, c), None =>
              if within b (rank c) && all_below (rank c) held then Some (Some ((c, l) :: held)) else None
          | Some (false, c), None =>
              match held with
              | j :: rest => if named_dec (c, l) j then Some (Some rest) else None
              | [] => None
              end
          | Some _, Some _ => None
          | None, x =>
              if match assoc f least with Some n => within b n && all_below n held | None => true end
                 && match x with Some x => free_of x held | None => true end
              then Some (Some held) else None
          end
      | Sseq p q => match check b p held with Some (Some h) => check b q h | r => r end
      | Sif _ p q => join (check b p held) (check b q held)
      | Swhile _ p =>
          match check b p held with
          | Some (Some h) => if list_eq_dec named_dec h held then Some (Some held) else None
          | r => match r with Some None => Some (Some held) | _ => None end
          end
      | Sreturn _ => match held with [] => Some None | _ => None end
      end.

    Definition check_fun (f : ident) (fn : func) : bool :=
      match check (assoc f least) (fn_body fn) [] with Some None | Some (Some []) => true | _ => false end.

    Definition check_all (P : module) : bool :=
      forallb (fun p => check_fun (fst p) (snd p) && negb (member (fst p) (names lock_calls))) P.

    (** ** It is right *)

    Definition within_all (b : option Z) (t : log) : Prop :=
      Forall (fun a => match a with Acquire l => within b (rank (fst l)) = true | Release _ => True end) t.

    (** The names stand for the locks that are held. *)
    Definition stands (e : env) (ns : list named) (held : list lock) : Prop :=
      Forall2 (fun n l => fst n = fst l /\ evals (snd n) e = Some (snd l)) ns held.

    (** What is claimed of a call, and of a statement. *)
    Definition obeys {S} (M : layer (S * log)) : Prop := forall f vs s r, M f vs s r ->
      exists t, log_of r = snd s ++ t /\
        match assoc f lock_calls with
        | Some _ => t = actions f vs
        | None => within_all (assoc f least) t /\
            match r with Ok _ _ => after [] t = Some [] | Halt _ => exists h, after [] t = Some h end
        end.
    Definition out_log {S} (o : out (S * log)) : log :=
      match o with Normal _ s => snd s | Return _ s => snd s | Halted s => snd s end.
    Definition ends {S} (o : out (S * log)) (res : option (list named)) (held : list lock) (t : log) : Prop :=
      match o with
      | Normal e _ => exists ns h, res = Some ns /\ after held t = Some h /\ stands e ns h
      | Return _ _ => after held t = Some []
      | Halted _ => exists h, after held t = Some h
      end.

    Lemma ends_join {S} (o : out (S * log)) r q res held t : join r q = Some res ->
      (exists a, r = Some a /\ ends o a held t) \/ (exists a, q = Some a /\ ends o a held t) -> ends o res held t.
    Proof.
      intros J.
      assert (G : forall a, r = Some a \/ q = Some a -> a = None \/ a = res).
      { intros a. destruct r as [[r|]|], q as [[q|]|]; cbn in J; try discriminate;
          try (destruct (list_eq_dec named_dec r q); [subst|discriminate]); injection J as <-;
          intros [E|E]; injection E as <-; auto. }
      assert (W : forall a, ends o a held t -> a = None \/ a = res -> ends o res held t).
      { intros a E [->|<-]; [|exact E]. destruct o; cbn in *; auto. destruct E as (ns & h & E & _). discriminate. }
      intros [(a & E & X)|(a & E & X)]; apply (W a X), G; auto.
    Qed.

    Lemma assoc_upd x y v : forall e, x <> y -> assoc y (upd x v e) = assoc y e.
    Proof.
      induction e as [|[z w] e IH]; intros N; cbn.
      - destruct (String.eqb_spec y x); congruence.
      - destruct (String.eqb_spec x z) as [->|M]; cbn.
        + destruct (String.eqb_spec y z); congruence.
        + destruct (String.eqb y z); auto.
    Qed.

    Lemma eval_upd x v e a : uses x a = false -> eval a (upd x v e) = eval a e.
    Proof.
      induction a as [ z | y | t a IH | t a IH | o t a IHa b IHb | o a IHa b IHb | a IHa b IHb | a IHa b IHb | a IH ];
        cbn; intros U; try (apply orb_false_iff in U as [U1 U2]; rewrite (IHa U1), (IHb U2)); try rewrite (IH U);
          try reflexivity.
      apply String.eqb_neq in U. now rewrite assoc_upd.
    Qed.

    Lemma evals_upd x v e l : forallb (fun a => negb (uses x a)) l = true -> evals l (upd x v e) = evals l e.
    Proof.
      induction l as [|a l IH]; cbn; intros U; [reflexivity|]. apply andb_true_iff in U as [U1 U2].
      apply negb_true_iff in U1. now rewrite (eval_upd x v e a U1), (IH U2).
    Qed.

    Lemma stands_upd x v e ns held : free_of x ns = true -> stands e ns held -> stands (upd x v e) ns held.
    Proof.
      intros U X. induction X as [|n l ns held [A B] X IH]; [constructor|]. cbn in U.
      apply andb_true_iff in U as [U1 U2].
      constructor; [|exact (IH U2)]. split; [exact A|]. now rewrite evals_upd.
    Qed.

    Lemma stands_below n e ns held : stands e ns held -> all_below n ns = below n held.
    Proof. intros X. induction X as [|m l ns held [A _] X IH]; [reflexivity|].
      change ((rank (fst m) <? n) && all_below n ns = (rank (fst l) <? n) && below n held). now rewrite A, IH.
    Qed.

    Lemma below_le n m held : n <= m -> below n held = true -> below m held = true.
    Proof.
      unfold below. rewrite !forallb_forall. intros L B j I. specialize (B j I). apply Z.ltb_lt in B. apply Z.ltb_lt.
      lia.
    Qed.

    (** A call inside: its locks come after those that are held. *)
    Lemma call_frame f b e ns held t h :
      match assoc f least with Some n => within b n && all_below n ns | None => true end = true ->
      stands e ns held -> within_all (assoc f least) t -> after [] t = Some h ->
      within_all b t /\ after held t = Some (h ++ held).
    Proof.
      intros K X W A.
      assert (Q : Forall (fun a => match a with
                  | Acquire l => within b (rank (fst l)) = true /\ below (rank (fst l)) held = true
                  | Release _ => True end) t).
      { eapply Forall_impl; [|exact W]. cbn beta. intros [l|l]; [|auto]. intros N.
        destruct (assoc f least) as [n|]; [|discriminate].
        apply andb_true_iff in K as [K1 K2]. rewrite (stands_below n e ns held X) in K2. cbn in N.
        apply Z.leb_le in N. split.
        - destruct b as [m|]; [|discriminate]. cbn in *. apply Z.leb_le in K1. apply Z.leb_le. lia.
        - exact (below_le n _ held N K2). }
      split.
      - eapply Forall_impl; [|exact Q]. intros [l|l]; tauto.
      - apply (after_frame held t [] h); [|exact A]. eapply Forall_impl; [|exact Q]. intros [l|l]; tauto.
    Qed.

    Lemma check_call {S} (M : layer (S * log)) x f l b e s r vs ns held res : obeys M -> evals l e = Some vs ->
      M f vs s r -> check b (Scall x f l) ns = Some res -> stands e ns held ->
      exists t, log_of r = snd s ++ t /\ within_all b t /\
        match r with
        | Ok v _ => exists ns' h, res = Some ns' /\ after held t = Some h /\ stands (setopt x v e) ns' h
        | Halt _ => exists h, after held t = Some h
        end.
    Proof.
      intros O E X K St. destruct (O f vs s r X) as (t & T & G). exists t. split; [exact T|]. cbn [check] in K.
      unfold actions in G.
      destruct (assoc f lock_calls) as [[[|] c]|].
      - destruct x; [discriminate|]. destruct (within b (rank c)) eqn:W; [|discriminate].
        destruct (all_below (rank c) ns) eqn:B; [|discriminate]. injection K as <-.
        rewrite (stands_below _ e ns held St) in B.
        subst t. cbn. rewrite B. split; [repeat constructor; exact W|].
        destruct r; [|eauto]. do 2 eexists. split; [reflexivity|]. split; [reflexivity|].
        constructor; [now split | exact St].
      - destruct x; [discriminate|]. destruct ns as [|j rest]; [discriminate|].
        destruct (named_dec (c, l) j) as [<-|]; [|discriminate].
        injection K as <-. inversion St as [|n [c' vs'] ns' held' [A B] St']; subst. cbn in A, B. subst c'.
        rewrite E in B. injection B as <-. cbn [after after1 drop].
        destruct (lock_dec (c, vs) (c, vs)) as [_|N]; [|now destruct N]. split; [repeat constructor|].
        destruct r; [|eauto]. do 2 eexists. split; [reflexivity|]. split; [reflexivity | exact St'].
      - destruct (match assoc f least with Some n => within b n && all_below n ns | None => true end) eqn:K1;
          [|discriminate].
        destruct (match x with Some x => free_of x ns | None => true end) eqn:K2; [|discriminate]. injection K as <-.
        destruct G as [W G]. destruct r as [v s'|s'].
        + destruct (call_frame f b e ns held t [] K1 St W G) as [W' A]. split; [exact W'|]. exists ns, held.
          split; [reflexivity|]. split; [exact A|]. destruct x as [x|]; [now apply stands_upd | exact St].
        + destruct G as [h G]. destruct (call_frame f b e ns held t h K1 St W G) as [W' A]. split; [exact W'|]. eauto.
    Qed.

    Lemma check_sound {S} (M : layer (S * log)) b : obeys M -> forall st e s o, exec M st e s o ->
      forall ns held res, check b st ns = Some res -> stands e ns held ->
      exists t, out_log o = snd s ++ t /\ within_all b t /\ ends o res held t.
    Proof.
      intros O st e s o X.
      induction X as [ e s | x a v e s E | x f l vs v e s s' E X | x f l vs e s s' E X
                     | p q e s e1 s1 o X1 IH1 X2 IH2 | p q e s o X IH N | c v p q e s o E X IH
                     | c v p e s E Tv | c v p e s o E Tv X IH | a v e s E | e s ]; intros ns held res K St.
      - injection K as <-. exists []. rewrite app_nil_r. split; [reflexivity|]. split; [constructor|]. cbn. eauto.
      - cbn [check] in K. destruct (free_of x ns) eqn:U; [|discriminate]. injection K as <-. exists [].
        rewrite app_nil_r.
        split; [reflexivity|]. split; [constructor|]. exists ns, held. auto using stands_upd.
      - destruct (check_call M x f l b e s _ vs ns held res O E X K St) as (t & T & W & G). exists t. auto.
      - destruct (check_call M x f l b e s _ vs ns held res O E X K St) as (t & T & W & G). exists t. auto.
      - cbn [check] in K. destruct (check b p ns) as [res1|] eqn:K1; [|discriminate].
        destruct (IH1 ns held res1 K1 St) as (t1 & T1 & W1 & ns1 & h1 & -> & A1 & St1).
        destruct (IH2 ns1 h1 res K St1) as (t2 & T2 & W2 & G). cbn in T1. exists (t1 ++ t2).
        split; [now rewrite T2, T1, app_assoc|]. split; [now apply Forall_app|].
        destruct o; cbn in *; rewrite after_app, A1; exact G.
      - cbn [check] in K. destruct (check b p ns) as [[ns1|]|] eqn:K1; [| |discriminate].
        + destruct (IH ns held _ K1 St) as (t & T & W & G). exists t. split; [exact T|]. split; [exact W|].
          destruct o as [e1 s1| |]; [now destruct (N e1 s1) | exact G | exact G].
        + injection K as <-. exact (IH ns held _ K1 St).
      - cbn [check] in K.
        assert (G : exists a, (if truth v then check b p ns else check b q ns) = Some a).
        { destruct (truth v), (check b p ns) as [[|]|], (check b q ns) as [[|]|]; cbn in K; try discriminate; eauto. }
        destruct G as [a Ga].
        assert (Ka : check b (if truth v then p else q) ns = Some a) by (destruct (truth v); exact Ga).
        destruct (IH ns held a Ka St) as (t & T & W & G). exists t. split; [exact T|]. split; [exact W|].
        apply (ends_join o _ _ _ held t K). destruct (truth v); eauto.
      - exists []. rewrite app_nil_r. split; [reflexivity|]. split; [constructor|]. exists ns, held.
        split; [|split; [reflexivity | exact St]]. cbn [check] in K.
        destruct (check b p ns) as [[ns1|]|]; try discriminate.
        + destruct (list_eq_dec named_dec ns1 ns); [now injection K as <- | discriminate].
        + now injection K as <-.
      - pose proof K as K0. cbn [check] in K. destruct (check b p ns) as [[ns1|]|] eqn:K1; try discriminate.
        + destruct (list_eq_dec named_dec ns1 ns) as [->|]; [|discriminate]. apply (IH ns held res); [|exact St].
          cbn [check]. rewrite K1. exact K0.
        + injection K as <-. assert (Kn : check b (Sseq p (Swhile c p)) ns = Some None) by (cbn [check];
            now rewrite K1).
          destruct (IH ns held None Kn St) as (t & T & W & G). exists t. split; [exact T|]. split; [exact W|].
          destruct o; cbn in *; auto. destruct G as (? & ? & ? & _). discriminate.
      - cbn [check] in K. destruct ns; [|discriminate]. injection K as <-. inversion St; subst. exists [].
        rewrite app_nil_r.
        split; [reflexivity|]. split; [constructor | reflexivity].
      - cbn [check] in K. destruct ns; [|discriminate]. injection K as <-. inversion St; subst. exists [].
        rewrite app_nil_r.
        split; [reflexivity|]. split; [constructor | reflexivity].
    Qed.

    Lemma check_fun_sound {S} (M : layer (S * log)) f fn vs s r : obeys M -> check_fun f fn = true ->
      exec_fun M fn vs s r ->
      exists t, log_of r = snd s ++ t /\ within_all (assoc f least) t /\
        match r with Ok _ _ => after [] t = Some [] | Halt _ => exists h, after [] t = Some h end.
    Proof.
      intros O K (e & o & _ & X & F). unfold check_fun in K.
      destruct (check (assoc f least) (fn_body fn) []) as [res|] eqn:E; [|discriminate].
      destruct (check_sound M _ O _ _ _ _ X [] [] res E (Forall2_nil _)) as (t & T & W & G).
      exists t.
      assert (N : forall e1 s1, o = Normal e1 s1 -> after [] t = Some []).
      { intros e1 s1 ->. destruct G as (ns & h & -> & A & St). destruct ns; [|discriminate]. inversion St; subst.
        exact A. }
      destruct o as [e1 s1|v s1|s1], (fn_ret fn); cbn in F, T, G; try discriminate; injection F as <-; cbn;
        repeat split; eauto.
    Qed.

    Lemma flatn_obeys {S} P (L : layer S) n : check_all P = true -> obeys (flatn P (logged L) n).
    Proof.
      intros K. unfold check_all in K. rewrite forallb_forall in K.
      assert (Prim : obeys (logged L)).
      { intros f vs s r X. exists (actions f vs). split; [destruct r; apply X|]. unfold actions.
        destruct (assoc f lock_calls); [reflexivity|]. split; [constructor|]. destruct r; cbn; eauto. }
      induction n as [|n IH]; intros f vs s r X.
      - exact (Prim f vs s r (proj2 X)).
      - change (sem P (flatn P (logged L) n) f vs s r) in X. unfold sem in X.
        destruct (assoc f P) as [fn|] eqn:E; [|exact (IH f vs s r X)].
        specialize (K (f, fn) (assoc_In _ _ _ E)). apply andb_true_iff in K as [K1 K2].
        rewrite (assoc_None f lock_calls).
        + exact (check_fun_sound _ f fn vs s r IH K1 X).
        + intros I. apply member_In in I. cbn in K2. rewrite I in K2. discriminate.
    Qed.
  End Check.

  (** ** The smallest ranks, by computation *)

  Definition smaller (m n : option Z) : option Z :=
    match m, n with Some a, Some b => Some (Z.min a b) | None, r => r | r, None => r end.
  Fixpoint smallest (least : list (ident * Z)) (st : stmt) : option Z :=
    match st with
    | Scall _ f _ => match assoc f lock_calls with Some (_, c) => Some (rank c) | None => assoc f least end
    | Sseq p q | Sif _ p q => smaller (smallest least p) (smallest least q)
    | Swhile _ p => smallest least p
    | _ => None
    end.
  (** The functions of a program that take locks, lowest layer first. *)
  Definition ranks_of (P : module) : list (ident * Z) :=
    fold_left (fun least p =>
      match smallest least (fn_body (snd p)) with Some n => (fst p, n) :: least | None => least end) P [].
  Definition ordered (P : module) : bool := check_all (ranks_of P) P.

  (** * The theorem *)

  (** Calls of anything but the lock functions themselves. *)
  Definition client (cs : list (ident * list Z)) : Prop := Forall (fun c => assoc (fst c) lock_calls = None) cs.

  (** Read: let a program that the checker accepts run over any layer of primitives.  The lock calls of any sequence
      of calls of its functions and of primitives are in order, and where the sequence ends, no lock is held.  Where
      it ends in a panic, they are in order up to there. *)
  Theorem checked_ordered {S} P (L : layer S) cs s r : ordered P = true -> client cs ->
    runs (flat P (logged L)) cs (s, []) r ->
    match r with Ok _ _ => after [] (log_of r) = Some [] | Halt _ => exists h, after [] (log_of r) = Some h end.
  Proof.
    intros K Cl X. remember (s, []) as s0 eqn:E0.
    assert (B : after [] (snd s0) = Some []) by now subst.
    clear E0 s. induction X as [s0 | f vs cs s0 v s1 r Y X IH | f vs cs s0 s1 Y]; [exact B| |];
      inversion Cl as [|c cs' Nl Cl']; subst; cbn in Nl; destruct Y as [n Y];
      destruct (flatn_obeys (ranks_of P) P L n K f vs _ _ Y) as (t & T & G); rewrite Nl in G; destruct G as [_ G].
    - apply (IH Cl'). cbn in T. rewrite T, after_app, B. exact G.
    - cbn in *. destruct G as [h G]. exists h. now rewrite T, after_app, B.
  Qed.
End LockLog.
