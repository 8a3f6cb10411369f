(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 3, LockOpsH: waiting ends.  A script is fair if the others keep the protocol
    and a lock that this CPU waits for is released within [B] polls, every time.  Then
    a wait ends within [(k + 1) * (B + 1)] polls, [k] being the CPUs before this one
    ([bounded_waiting]), and the script has a counterpart at this layer ([fair_waits]),
    so that the relation of the layer can always be met.  Used by [Stack]. *)
From Coq Require Import Lia.
From SeKVM.layers.LockOpsQ Require Import ProofCode.
From SeKVM.layers.LockOpsH Require Export Spec.
Local Open Scope Z_scope.

(** * Fair scripts *)

(** This CPU is idle, or waits and has seen no release for some polls: [n] more may
    pass without one. *)
Inductive phase := Idle | Waiting (n : nat).

Definition is_head (me : Z) (q : list Z) : bool := match q with h :: _ => h =? me | [] => false end.

(** [fair me B p q s]: in phase [p], with the queue [q], the script [s] keeps the
    protocol and never lets this CPU wait for more than [B] polls without a release.
    Where the script ends nobody else is left in the queue. *)
Fixpoint fair {X} (me : Z) (B : nat) (p : phase) (q : list Z) (s : list (list (lock_event X))) : Prop :=
  match s with
  | [] => match p with Idle => q = [] | Waiting _ => q = [me] end
  | b :: s =>
      exists q1 evs, q_batch me b q = Some (q1, evs) /\
      match p with
      | Idle => fair me B (Waiting B) (q1 ++ [me]) s
      | Waiting n =>
          if is_head me q1 then fair me B Idle (tl q1) s
          else match evs, n with
               | _ :: _, _ => fair me B (Waiting B) q1 s
               | [], S n => fair me B (Waiting n) q1 s
               | [], O => False
               end
      end
  end.

(** * Queues under the others' events *)

Lemma q_event_ok {X} me (e : lock_event X) q q' evs :
  q_event me e q = Some (q', evs) -> queue_ok q ->
  queue_ok q' /\ (~ In me q -> ~ In me q') /\
  (forall k, place me k q -> exists k', place me k' q' /\ k = (k' + length evs)%nat).
Proof.
  intros E O. destruct e as [c|c x]; cbn [q_event] in E.
  - destruct (is_cpu c) eqn:B; [|discriminate]. destruct (Z.eqb_spec c me) as [->|Ne]; [discriminate|].
    destruct (queued c q) eqn:Q; [discriminate|]. cbn in E. injection E as <- <-.
    apply not_queued in Q. split; [now apply queue_ok_snoc|]. split.
    + intros Nq I. apply in_app_or in I as [I|[I|[]]]; auto.
    + intros k Pk. exists k. split; [now apply place_snoc | cbn; lia].
  - destruct q as [|h q]; [discriminate|]. destruct (Z.eqb_spec h c) as [->|]; [|discriminate].
    destruct (Z.eqb_spec c me) as [->|Ne]; [discriminate|]. cbn in E. injection E as <- <-.
    split; [exact (queue_ok_tl _ _ O)|]. split.
    + intros Nq I. apply Nq. now right.
    + intros k Pk. destruct (place_tl _ _ _ _ Pk Ne) as (k' & -> & Pk'). exists k'. split; [exact Pk' | cbn; lia].
Qed.

Lemma q_batch_ok {X} me (b : list (lock_event X)) : forall q q' evs,
  q_batch me b q = Some (q', evs) -> queue_ok q ->
  queue_ok q' /\ (~ In me q -> ~ In me q') /\
  (forall k, place me k q -> exists k', place me k' q' /\ k = (k' + length evs)%nat).
Proof.
  induction b as [|e b IH]; intros q q' evs E O; cbn [q_batch] in E.
  - injection E as <- <-. split; [exact O|]. split; [auto|]. intros k Pk. exists k. split; [exact Pk | cbn; lia].
  - destruct (q_batch me b q) as [[q1 evs1]|] eqn:E1; [|discriminate].
    destruct (q_event me e q1) as [[q2 evs2]|] eqn:E2; [|discriminate]. injection E as <- <-.
    destruct (IH _ _ _ E1 O) as (O1 & N1 & P1). destruct (q_event_ok _ _ _ _ _ E2 O1) as (O2 & N2 & P2).
    split; [exact O2|]. split; [auto|]. intros k Pk.
    destruct (P1 k Pk) as (k1 & Pk1 & ->). destruct (P2 k1 Pk1) as (k2 & Pk2 & ->).
    exists k2. split; [exact Pk2|]. rewrite app_length. lia.
Qed.

Lemma place_is_head me k q : place me k q -> is_head me q = Nat.eqb k 0.
Proof.
  intros (pre & post & -> & L & Nq). destruct pre as [|x pre]; cbn in *; subst k.
  - apply Z.eqb_refl.
  - cbn. apply Z.eqb_neq. intros ->. apply Nq. now left.
Qed.

Lemma head_cons me q : is_head me q = true -> q = me :: tl q.
Proof. destruct q as [|h q]; cbn; [discriminate|]. intros E. apply Z.eqb_eq in E. now subst. Qed.

Lemma head_not_in me q : queue_ok q -> is_head me q = true -> ~ In me (tl q).
Proof.
  intros [D _] H. apply head_cons in H. rewrite H in D. now inversion D.
Qed.

(** * Fuel *)

(** More fuel does no harm. *)
Lemma q_poll_more {X} n : forall m me q (s : list (list (lock_event X))) r,
  q_poll n me q s = Some r -> (n <= m)%nat -> q_poll m me q s = Some r.
Proof.
  induction n as [|n IH]; intros m me q s r E Le; [discriminate|].
  destruct m as [|m]; [lia|]. cbn [q_poll] in *.
  destruct (q_batch me (hd [] s) q) as [[q1 evs1]|]; [|discriminate].
  destruct (match q1 with h :: _ => h =? me | [] => false end); [exact E|].
  destruct (q_poll n me q1 (tl s)) as [[[q2 evs2] s2]|] eqn:E2; [|discriminate].
  rewrite (IH m _ _ _ _ E2) by lia. exact E.
Qed.

(** One poll more than the script is long is enough: after it nothing changes. *)
Lemma q_poll_enough {X} n : forall me q (s : list (list (lock_event X))) r,
  q_poll n me q s = Some r -> q_poll (S (length s)) me q s = Some r.
Proof.
  induction n as [|n IH]; intros me q s r E; [discriminate|].
  destruct s as [|b s]; cbn [q_poll hd tl length] in *.
  - cbn [q_batch] in *. destruct (match q with h :: _ => h =? me | [] => false end) eqn:H; [exact E|].
    destruct (q_poll n me q []) as [[[q2 evs2] s2]|] eqn:E2; [|discriminate].
    apply IH in E2. cbn [q_poll hd tl length q_batch] in E2. rewrite H in E2. discriminate.
  - destruct (q_batch me b q) as [[q1 evs1]|]; [|discriminate].
    destruct (match q1 with h :: _ => h =? me | [] => false end); [exact E|].
    destruct (q_poll n me q1 s) as [[[q2 evs2] s2]|] eqn:E2; [|discriminate].
    apply IH in E2. cbn [q_poll] in E2. rewrite E2. exact E.
Qed.

(** * Waiting ends *)

(** Read: with [k] CPUs before this one, and a release at least every [B + 1] polls,
    at most [(n + 1) + k * (B + 1)] polls are needed; [n = B] when the wait begins. *)
Theorem bounded_waiting {X} me B : forall (s : list (list (lock_event X))) n q k,
  fair me B (Waiting n) q s -> queue_ok q -> place me k q ->
  exists q' evs s', q_poll (S n + k * S B) me q s = Some (me :: q', evs, s') /\
    fair me B Idle q' s' /\ queue_ok q' /\ ~ In me q' /\ (length s' <= length s)%nat /\
    (s <> [] -> (length s' < length s)%nat).
Proof.
  induction s as [|b s IH]; intros n q k Fa O Pk.
  - cbn in Fa. subst q. exists [], [], []. split; [cbn; now rewrite Z.eqb_refl|].
    split; [reflexivity|]. split; [split; constructor|]. split; [auto|]. split; [auto|]. tauto.
  - cbn [fair] in Fa. destruct Fa as (q1 & evs1 & E1 & Fa).
    destruct (q_batch_ok _ _ _ _ _ E1 O) as (O1 & _ & P1). destruct (P1 k Pk) as (k1 & Pk1 & Ek).
    cbn [Nat.add q_poll hd tl]. rewrite E1. fold (is_head me q1).
    rewrite (place_is_head _ _ _ Pk1) in Fa |- *. destruct (Nat.eqb_spec k1 0) as [Ze|Nz].
    + assert (H : is_head me q1 = true) by (rewrite (place_is_head _ _ _ Pk1); now apply Nat.eqb_eq).
      exists (tl q1), evs1, s. split; [now rewrite <- (head_cons _ _ H)|]. split; [exact Fa|].
      split; [rewrite (head_cons _ _ H) in O1; exact (queue_ok_tl _ _ O1)|].
      split; [exact (head_not_in _ _ O1 H)|]. cbn. lia.
    + assert (Next : exists m, fair me B (Waiting m) q1 s /\ (S m + k1 * S B <= n + k * S B)%nat).
      { destruct evs1 as [|e evs1].
        - destruct n as [|n]; [destruct Fa|]. exists n. split; [exact Fa|]. cbn in Ek. replace k with k1 by lia. lia.
        - exists B. split; [exact Fa|]. cbn [length] in Ek.
          assert (A : (S k1 * S B <= k * S B)%nat) by (apply Nat.mul_le_mono_r; lia). cbn [Nat.mul] in A. lia. }
      destruct Next as (m & Fm & Le).
      destruct (IH m q1 k1 Fm O1 Pk1) as (q' & evs & s' & Y1 & Y2 & Y3 & Y4 & Y5 & _).
      rewrite (q_poll_more _ _ _ _ _ _ Y1 Le). exists q', (evs ++ evs1)%list, s'.
      split; [reflexivity|]. repeat split; auto; try exact (proj1 Y3); try exact (proj2 Y3); cbn; lia.
Qed.

(** A whole wait under a fair script succeeds, and leaves a fair script. *)
Lemma fair_wait {X} me B q b (s : list (list (lock_event X))) :
  is_cpu me = true -> fair me B Idle q (b :: s) -> queue_ok q -> ~ In me q ->
  exists q' evs s', q_wait me q (b :: s) = Some (me :: q', evs, s') /\
    fair me B Idle q' s' /\ queue_ok q' /\ ~ In me q' /\ (length s' <= length s)%nat.
Proof.
  intros Cp Fa O Nq. cbn [fair] in Fa. destruct Fa as (q1 & evs1 & E1 & Fa).
  destruct (q_batch_ok _ _ _ _ _ E1 O) as (O1 & N1 & _). specialize (N1 Nq).
  assert (O2 : queue_ok (q1 ++ [me])) by (now apply queue_ok_snoc).
  assert (Pk : place me (length q1) (q1 ++ [me])) by (exists q1, []; auto).
  destruct (bounded_waiting me B s B (q1 ++ [me]) (length q1) Fa O2 Pk)
    as (q' & evs & s' & Y1 & Y2 & Y3 & Y4 & Y5 & _).
  apply q_poll_enough in Y1. unfold q_wait. cbn [hd tl]. rewrite E1, Cp.
  destruct (queued me q1) eqn:Q; [apply queued_In in Q; now destruct (N1 Q)|]. cbn [andb negb].
  rewrite Y1. exists q', (evs ++ evs1)%list, s'. auto.
Qed.

(** Read: every fair script of the queue has a counterpart at the holder's layer, so
    that whatever the others fairly do, the layer's relation can be met. *)
Theorem fair_waits {X} me B : is_cpu me = true ->
  forall (s : list (list (lock_event X))) q,
  fair me B Idle q s -> queue_ok q -> ~ In me q -> exists hs, waits me q s hs.
Proof.
  intros Cp s. remember (length s) as n eqn:Len. revert s Len.
  induction n as [n IH] using (well_founded_induction Wf_nat.lt_wf). intros s -> q Fa O Nq.
  destruct s as [|b s].
  - cbn in Fa. subst q. exists []. now constructor.
  - destruct (fair_wait me B q b s Cp Fa O Nq) as (q' & evs & s' & W & Fa' & O' & Nq' & Le).
    assert (Lt : (length s' < length (b :: s))%nat) by (cbn; lia).
    destruct (IH (length s') Lt s' eq_refl q' Fa' O' Nq') as (hs & Y).
    exists (evs :: hs). eapply waits_step; [exact W | exact Y].
Qed.

(** * The conditions are needed and can be met *)

(** A busy script is fair with bound 1: CPU 1 is before us and passes the lock on at
    our second poll; CPU 4 comes after us. *)
Example busy_is_fair (x : Z) :
  fair 0 1 Idle [] [[Take 1]; [Take 4]; [Pass 1 x]; [Pass 4 x]; []].
Proof.
  cbn. do 2 eexists. split; [reflexivity|]. do 2 eexists. split; [reflexivity|]. cbn.
  do 2 eexists. split; [reflexivity|]. cbn. do 2 eexists. split; [reflexivity|].
  do 2 eexists. split; [reflexivity|]. reflexivity.
Qed.

(** Without releases waiting need not end: the script is not fair and has no
    counterpart. *)
Example never_released : ~ exists hs, @waits Z 0 [] [[Take 1]] hs.
Proof. intros (hs & W). inversion W as [|q s evs q' s' hs' E Y]; subst. vm_compute in E. discriminate. Qed.
