(* SPDX-License-Identifier: Apache-2.0 *)
(** Why a ticket lock excludes: the bookkeeping of tickets alone, without programs or memory.  Three things happen: a
    thread draws a ticket, a thread finds that its ticket is served, the holder serves the next one.  Used by [Sound]. *)
From Coq Require Import List Arith Lia.
Import ListNotations.

Section Queue.
  Context (locks : nat).

  (** served, queued: the tickets with which each thread holds locks, and waits for them.  next, now: the next ticket of
      each lock, and the one that is served.  owner: the thread owns what the lock guards.  free: the lock itself does. *)
  Record queue (served queued : nat -> list (nat * nat)) (next now : nat -> nat) (owner : nat -> nat -> Prop)
      (free : nat -> Prop) : Prop := {
    q_served : forall i k t, In (k, t) (served i) -> k < locks /\ t = now k /\ t < next k /\ owner i k;
    q_queued : forall i k t, In (k, t) (queued i) -> k < locks /\ now k <= t /\ t < next k;
    q_one : forall i j k t, In (k, t) (served i ++ queued i) -> In (k, t) (served j ++ queued j) -> i = j;
    q_free : forall k, k < locks -> (forall i t, ~ In (k, t) (served i)) -> free k;
    q_once : forall i, NoDup (map fst (served i ++ queued i)) }.

  Lemma q_initial now owner (free : nat -> Prop) : (forall k, k < locks -> free k) ->
    queue (fun _ => []) (fun _ => []) now now owner free.
  Proof. intros all. split; simpl; try contradiction; auto. intros _. constructor. Qed.

  Section Steps.
    Context (served queued served' queued' : nat -> list (nat * nat)) (next now next' now' : nat -> nat)
      (owner owner' : nat -> nat -> Prop) (free free' : nat -> Prop) (i : nat) (k : nat).
    Hypothesis before : queue served queued next now owner free.
    Hypothesis others : forall j, j <> i -> served' j = served j /\ queued' j = queued j.

    Lemma q_same : served' i = served i -> queued' i = queued i ->
      (forall k, next' k = next k) -> (forall k, now' k = now k) ->
      (forall j k, k < locks -> owner j k -> owner' j k) -> (forall k, k < locks -> free k -> free' k) ->
      queue served' queued' next' now' owner' free'.
    Proof.
      intros sv qu nx nw ow fr. destruct before as [b1 b2 b3 b4 b5].
      assert (svs : forall j, served' j = served j) by (intros j; destruct (Nat.eq_dec j i) as [->|ne]; [exact sv | now apply others]).
      assert (qus : forall j, queued' j = queued j) by (intros j; destruct (Nat.eq_dec j i) as [->|ne]; [exact qu | now apply others]).
      split.
      - intros j l t here. rewrite svs in here. rewrite nx, nw. apply b1 in here as (? & ? & ? & ?). auto.
      - intros j l t here. rewrite qus in here. rewrite nx, nw. eauto.
      - intros j1 j2 l t. rewrite !svs, !qus. apply b3.
      - intros l lt none. apply fr; [exact lt|]. apply b4; [exact lt|]. intros j t. rewrite <- svs. apply none.
      - intros j. rewrite svs, qus. apply b5.
    Qed.

    Lemma q_draw : k < locks -> ~ In k (map fst (served i ++ queued i)) ->
      served' i = served i -> queued i = [] -> queued' i = [(k, next k)] -> now k <= next k ->
      next' k = S (next k) -> (forall l, l <> k -> next' l = next l) -> (forall l, now' l = now l) ->
      (forall j l, l < locks -> owner j l -> owner' j l) -> (forall l, l < locks -> free l -> free' l) ->
      queue served' queued' next' now' owner' free'.
    Proof.
      intros lt fresh sv no qu le nx nxs nw ow fr. destruct before as [b1 b2 b3 b4 b5].
      assert (svs : forall j, served' j = served j) by (intros j; destruct (Nat.eq_dec j i) as [->|ne]; [exact sv | now apply others]).
      assert (more : forall l, next l <= next' l).
      { intros l. destruct (Nat.eq_dec l k) as [->|ne]; [lia | rewrite nxs; auto]. }
      assert (small : forall j l t, In (l, t) (served j ++ queued j) -> t < next l).
      { intros j l t here. apply in_app_or in here as [here|here]; [apply b1 in here | apply b2 in here]; tauto. }
      assert (split_i : forall l t, In (l, t) (served' i ++ queued' i) -> In (l, t) (served i ++ queued i) \/ (l, t) = (k, next k)).
      { intros l t here. rewrite sv, qu in here. apply in_app_or in here as [here|[here|[]]]; [left; apply in_or_app; auto | auto]. }
      split.
      - intros j l t here. rewrite svs in here. rewrite nw. apply b1 in here as (? & ? & ? & ?).
        repeat split; auto. specialize (more l). lia.
      - intros j l t here. rewrite nw. destruct (Nat.eq_dec j i) as [->|ne].
        + rewrite qu in here. destruct here as [[= <- <-]|[]]. lia.
        + rewrite (proj2 (others j ne)) in here. apply b2 in here. specialize (more l). lia.
      - intros j1 j2 l t in1 in2.
        destruct (Nat.eq_dec j1 i) as [->|n1], (Nat.eq_dec j2 i) as [->|n2]; auto.
        + destruct (others j2 n2) as [e1 e2]. rewrite e1, e2 in in2.
          apply split_i in in1 as [in1|[= -> ->]]; [eapply b3; eassumption|]. apply small in in2. lia.
        + destruct (others j1 n1) as [e1 e2]. rewrite e1, e2 in in1.
          apply split_i in in2 as [in2|[= -> ->]]; [eapply b3; eassumption|]. apply small in in1. lia.
        + destruct (others j1 n1) as [e1 e2], (others j2 n2) as [e3 e4]. rewrite e1, e2 in in1. rewrite e3, e4 in in2.
          eapply b3; eassumption.
      - intros l lt' none. apply fr; [exact lt'|]. apply b4; [exact lt'|]. intros j t. rewrite <- svs. apply none.
      - intros j. destruct (Nat.eq_dec j i) as [->|ne].
        + rewrite sv, qu, map_app. simpl. rewrite no, app_nil_r in fresh.
          specialize (b5 i). rewrite no, app_nil_r in b5.
          apply NoDup_rev in b5. rewrite <- (rev_involutive (map fst (served i) ++ [k])). apply NoDup_rev.
          rewrite rev_app_distr. simpl. constructor; [|exact b5]. intros there. apply fresh. now apply in_rev.
        + destruct (others j ne) as [e1 e2]. rewrite e1, e2. apply b5.
    Qed.

    (** A waiting thread whose ticket is served finds the lock free. *)
    Lemma q_turn t : In (k, t) (queued i) -> t = now k -> free k.
    Proof.
      intros here turn. destruct before as [b1 b2 b3 b4 b5]. apply b4; [apply (b2 _ _ _ here)|]. intros j u there.
      pose proof (b1 _ _ _ there) as (_ & same & _). assert (u = t) as -> by lia.
      assert (j = i) as ->.
      { apply (b3 j i k t); apply in_or_app; auto. }
      specialize (b5 i). rewrite map_app in b5. clear - b5 here there.
      apply (in_map fst) in here, there. simpl in *. induction (served i) as [|[l v] rest IH]; simpl in *; [contradiction|].
      inversion b5 as [|x l' fresh once]; subst. destruct there as [->|there]; [|now apply IH].
      apply fresh, in_or_app. now right.
    Qed.

    Lemma q_win t : queued i = [(k, t)] -> t = now k -> served' i = (k, t) :: served i -> queued' i = [] ->
      (forall l, next' l = next l) -> (forall l, now' l = now l) ->
      owner' i k -> (forall j l, l < locks -> owner j l -> owner' j l) ->
      (forall l, l < locks -> l <> k -> free l -> free' l) ->
      queue served' queued' next' now' owner' free'.
    Proof.
      intros qu turn sv qu' nx nw mine ow fr. destruct before as [b1 b2 b3 b4 b5].
      assert (there : In (k, t) (queued i)) by (rewrite qu; now left).
      assert (all_i : forall l u, In (l, u) (served' i ++ queued' i) -> In (l, u) (served i ++ queued i)).
      { intros l u. rewrite sv, qu', qu, app_nil_r. simpl. rewrite in_app_iff. simpl. tauto. }
      split.
      - intros j l u here. rewrite nx, nw. destruct (Nat.eq_dec j i) as [->|ne].
        + rewrite sv in here. destruct here as [[= <- <-]|here].
          * apply b2 in there. repeat split; try apply there; auto.
          * apply b1 in here as (? & ? & ? & ?). auto.
        + rewrite (proj1 (others j ne)) in here. apply b1 in here as (? & ? & ? & ?). auto.
      - intros j l u here. rewrite nx, nw. destruct (Nat.eq_dec j i) as [->|ne]; [rewrite qu' in here; contradiction|].
        rewrite (proj2 (others j ne)) in here. eauto.
      - intros j1 j2 l u in1 in2.
        destruct (Nat.eq_dec j1 i) as [->|n1], (Nat.eq_dec j2 i) as [->|n2]; auto;
          try (destruct (others j1 n1) as [e1 e2]; rewrite e1, e2 in in1);
          try (destruct (others j2 n2) as [e3 e4]; rewrite e3, e4 in in2); eapply b3; eauto.
      - intros l lt none. assert (l <> k).
        { intros ->. apply (none i t). rewrite sv. now left. }
        apply fr; auto. apply b4; [exact lt|]. intros j u here. apply (none j u).
        destruct (Nat.eq_dec j i) as [->|ne]; [rewrite sv; now right | now rewrite (proj1 (others j ne))].
      - intros j. destruct (Nat.eq_dec j i) as [->|ne].
        + specialize (b5 i). rewrite qu, map_app in b5. rewrite sv, qu', app_nil_r. simpl. simpl in b5.
          apply NoDup_remove in b5 as [once fresh]. rewrite app_nil_r in *. constructor; assumption.
        + destruct (others j ne) as [e1 e2]. rewrite e1, e2. apply b5.
    Qed.

    Lemma q_release t : served i = (k, t) :: served' i -> queued' i = queued i ->
      now' k = S t -> (forall l, l <> k -> now' l = now l) -> (forall l, next' l = next l) ->
      (forall j l, l < locks -> owner j l -> (j <> i \/ l <> k) -> owner' j l) ->
      free' k -> (forall l, l < locks -> l <> k -> free l -> free' l) ->
      queue served' queued' next' now' owner' free'.
    Proof.
      intros sv qu nw nws nx ow fk fr. destruct before as [b1 b2 b3 b4 b5].
      assert (mine : In (k, t) (served i)) by (rewrite sv; now left).
      pose proof (b1 _ _ _ mine) as (lt & turn & below & _).
      assert (fresh : forall u, ~ In (k, u) (served' i ++ queued' i)).
      { intros u here. specialize (b5 i). rewrite sv in b5. simpl in b5. inversion b5 as [|x l' no once]; subst x l'.
        apply no. rewrite qu in here. apply (in_map fst _ _ here). }
      assert (back : forall j l u, In (l, u) (served' j) -> In (l, u) (served j) /\ (l = k -> j <> i)).
      { intros j l u here. destruct (Nat.eq_dec j i) as [->|ne].
        - split; [rewrite sv; now right|]. intros ->. exfalso. apply (fresh u), in_or_app. now left.
        - rewrite (proj1 (others j ne)) in here. auto. }
      assert (alone : forall j u, j <> i -> In (k, u) (served j ++ queued j) -> u <> t).
      { intros j u ne here ->. apply ne. apply (b3 j i k t); [exact here|]. apply in_or_app. now left. }
      split.
      - intros j l u here. destruct (back _ _ _ here) as [was ne]. destruct (b1 _ _ _ was) as (? & same & ? & ?).
        destruct (Nat.eq_dec l k) as [->|other].
        + exfalso. apply (alone j u); [auto | apply in_or_app; auto | lia].
        + rewrite nws, nx by exact other. repeat split; auto.
      - intros j l u here. rewrite nx. destruct (Nat.eq_dec l k) as [->|other].
        + destruct (Nat.eq_dec j i) as [->|ne].
          * exfalso. apply (fresh u), in_or_app. now right.
          * rewrite (proj2 (others j ne)) in here. pose proof (b2 _ _ _ here) as (? & ? & ?).
            assert (u <> t) by (apply (alone j); [exact ne | apply in_or_app; auto]). lia.
        + rewrite nws by exact other. destruct (Nat.eq_dec j i) as [->|ne].
          * rewrite qu in here. eauto.
          * rewrite (proj2 (others j ne)) in here. eauto.
      - assert (weaker : forall j l u, In (l, u) (served' j ++ queued' j) -> In (l, u) (served j ++ queued j)).
        { intros j l u here. apply in_app_or in here as [here|here]; apply in_or_app.
          - left. apply (back _ _ _ here).
          - right. destruct (Nat.eq_dec j i) as [->|ne]; [now rewrite <- qu | now rewrite <- (proj2 (others j ne))]. }
        intros j1 j2 l u in1 in2. eapply b3; eauto.
      - intros l lt' none. destruct (Nat.eq_dec l k) as [->|other]; [exact fk|]. apply fr; auto. apply b4; [exact lt'|].
        intros j u here. apply (none j u). destruct (Nat.eq_dec j i) as [->|ne].
        + rewrite sv in here. destruct here as [[= <- _]|here]; [contradiction | exact here].
        + now rewrite (proj1 (others j ne)).
      - intros j. destruct (Nat.eq_dec j i) as [->|ne].
        + specialize (b5 i). rewrite sv, <- qu in b5. simpl in b5. now inversion b5.
        + destruct (others j ne) as [e1 e2]. rewrite e1, e2. apply b5.
    Qed.
  End Steps.
End Queue.
