(* SPDX-License-Identifier: Apache-2.0 *)
(** The ticket lock on the interleaving machine: eight CPUs that share two 32-bit
    counters and take their steps in any order.  Proved of every reachable state, with
    wrap-around: at most one CPU holds the lock ([mutual_exclusion]); it is served in
    the order of the tickets ([first_come_first_served]); no state is a dead end
    ([deadlock_free]).  And what layers 1 to 3 assume of the other CPUs is true: the
    events of a real run, as one CPU sees them between its own accesses, are a script
    that keeps the protocol and has a counterpart at layer 3 ([real_scripts]). *)
From Coq Require Import Lia.
From SeKVM.lib Require Import Wp.
From SeKVM.machine Require Import Tickets.
From SeKVM.layers.LockOps Require Import ProofCode.
From SeKVM.layers.LockOpsQ Require Import ProofCode.
From SeKVM.layers.LockOpsH Require Import Spec Fair.
Local Open Scope Z_scope.

(** * The machine *)

(** Where a CPU is in the protocol. *)
Inductive status := Out | Queued (my : Z) | Inside.

(** What a CPU does, with what it reads. *)
Inductive act (X : Type) := ATake (my : Z) | APoll (now : Z) | AWrite (x : X) | APass.
Arguments ATake {X}.
Arguments APoll {X}.
Arguments AWrite {X}.
Arguments APass {X}.

Section Machine.
  Context {X : Type}.

  Record tm := mktm {
    m_val : X;                   (* the protected object *)
    m_next : Z;                  (* the counters, in memory *)
    m_now : Z;
    m_log : list (Z * X);        (* ghost: releases, newest first *)
    m_st : Z -> status }.

  Definition move (c : Z) (s : status) (f : Z -> status) : Z -> status :=
    fun d => if d =? c then s else f d.

  (** A CPU waits until it reads its own ticket; only then does it touch the object
      and pass the lock on.  Nothing else restricts who steps when. *)
  Inductive tstep (c : Z) : act X -> tm -> tm -> Prop :=
  | t_take v n w l f : f c = Out ->
      tstep c (ATake n) (mktm v n w l f) (mktm v (tick n) w l (move c (Queued n) f))
  | t_poll v n w l f my : f c = Queued my ->
      tstep c (APoll w) (mktm v n w l f)
            (mktm v n w l (move c (if w =? my then Inside else Queued my) f))
  | t_write v n w l f x : f c = Inside -> tstep c (AWrite x) (mktm v n w l f) (mktm x n w l f)
  | t_pass v n w l f : f c = Inside ->
      tstep c APass (mktm v n w l f) (mktm v n (tick w) ((c, v) :: l) (move c Out f)).

  Inductive trun : list (Z * act X) -> tm -> tm -> Prop :=
  | trun_nil m : trun [] m m
  | trun_cons c a tr m m' m'' :
      is_cpu c = true -> tstep c a m m' -> trun tr m' m'' -> trun ((c, a) :: tr) m m''.

  (** All CPUs out, both counters at [n]. *)
  Definition start (x : X) (n : Z) : tm := mktm x n n [] (fun _ => Out).

  (** * The queue behind the counters *)

  (** The CPU at place [i] of the queue holds ticket [now + i]; the first may be in. *)
  Record tinv (m : tm) (q : list Z) : Prop := mktinv {
    ti_queue : queue_ok q;
    ti_member : forall c, In c q <-> m_st m c <> Out;
    ti_now : 0 <= m_now m < 4294967296;
    ti_next : m_next m = wrap U32 (m_now m + Z.of_nat (length q));
    ti_place : forall i c, nth_error q i = Some c ->
      m_st m c = Queued (wrap U32 (m_now m + Z.of_nat i)) \/ (i = O /\ m_st m c = Inside) }.

  Lemma start_inv x n : 0 <= n < 4294967296 -> tinv (start x n) [].
  Proof.
    intros R. constructor; cbn.
    - split; constructor.
    - tauto.
    - exact R.
    - rewrite Z.add_0_r. unfold wrap. symmetry. now apply Z.mod_small.
    - intros [|i] c E; discriminate.
  Qed.

  Lemma move_same c s f : move c s f c = s.
  Proof. unfold move. now rewrite Z.eqb_refl. Qed.

  Lemma move_other c d s f : d <> c -> move c s f d = f d.
  Proof. intros N. unfold move. now apply Z.eqb_neq in N as ->. Qed.

  Lemma nth_place q i c : queue_ok q -> nth_error q i = Some c -> (i < 8)%nat.
  Proof.
    intros [D C] E. assert (L : (i < length q)%nat) by (apply nth_error_Some; congruence).
    pose proof (queue_short q D C). lia.
  Qed.

  (** A CPU is at one place only. *)
  Lemma place_unique q i j c : queue_ok q -> nth_error q i = Some c -> nth_error q j = Some c -> i = j.
  Proof.
    intros [D _] E1 E2. apply (proj1 (List.NoDup_nth_error q) D); [|congruence].
    apply nth_error_Some. congruence.
  Qed.

  Lemma member_place m q c : tinv m q -> m_st m c <> Out -> exists i, nth_error q i = Some c.
  Proof. intros T N. apply (ti_member _ _ T) in N. now apply In_nth_error. Qed.

  (** Who is in is first. *)
  Lemma in_is_first m q c : tinv m q -> m_st m c = Inside -> nth_error q 0 = Some c.
  Proof.
    intros T E. destruct (member_place m q c T) as [i I]; [congruence|].
    destruct (ti_place _ _ T i c I) as [Q|[-> _]]; [congruence | exact I].
  Qed.

  (** A ticket is served exactly at the first place. *)
  Lemma served_is_first m q i c :
    tinv m q -> nth_error q i = Some c -> (m_now m =? wrap U32 (m_now m + Z.of_nat i)) = Nat.eqb i 0.
  Proof.
    intros T I. pose proof (nth_place _ _ _ (ti_queue _ _ T) I) as L.
    rewrite <- (Z.mod_small (m_now m) 4294967296) at 1 by exact (ti_now _ _ T).
    change (m_now m mod 4294967296) with (wrap U32 (m_now m)).
    rewrite wrap_eq by lia. destruct i as [|i]; cbn [Nat.eqb].
    - apply Z.eqb_eq. lia.
    - apply Z.eqb_neq. lia.
  Qed.

  (** * Steps keep the invariant *)

  (** The queue after a step. *)
  Definition queue_after (c : Z) (a : act X) (q : list Z) : list Z :=
    match a with ATake _ => q ++ [c] | APass => tl q | _ => q end.

  Lemma wrap_add a b : wrap U32 (wrap U32 a + b) = wrap U32 (a + b).
  Proof. unfold wrap. apply Zplus_mod_idemp_l. Qed.

  Lemma step_inv c a m m' q : is_cpu c = true -> tstep c a m m' -> tinv m q -> tinv m' (queue_after c a q).
  Proof.
    intros Cp St T. destruct St as [v n w l f E | v n w l f my E | v n w l f x E | v n w l f E]; cbn [queue_after].
    - assert (Nq : ~ In c q) by (rewrite (ti_member _ _ T); cbn; congruence).
      destruct T as [T1 T2 T3 T4 T5]. cbn [m_st m_now m_next] in *.
      constructor; cbn [m_st m_now m_next].
      + now apply queue_ok_snoc.
      + intros d. rewrite in_app_iff. cbn. destruct (Z.eq_dec d c) as [->|N].
        * rewrite move_same. split; [discriminate | auto].
        * rewrite move_other by auto. rewrite <- T2. split; [intros [I|[->|[]]]; [exact I | now destruct N] | auto].
      + exact T3.
      + rewrite T4. unfold tick. rewrite wrap_add, app_length. cbn. f_equal. lia.
      + intros i d I. destruct (Nat.lt_ge_cases i (length q)) as [L|L].
        * rewrite nth_error_app1 in I by exact L.
          assert (d <> c) by (intros ->; apply Nq; eapply nth_error_In; eauto).
          rewrite move_other by auto. exact (T5 i d I).
        * rewrite nth_error_app2 in I by exact L. destruct (i - length q)%nat as [|k] eqn:K.
          -- cbn in I. injection I as <-. rewrite move_same. left. rewrite T4. now replace i with (length q) by lia.
          -- cbn in I. destruct k; discriminate.
    - destruct (member_place _ q c T) as [i I]; [cbn; congruence|].
      assert (My : my = wrap U32 (w + Z.of_nat i)).
      { destruct (ti_place _ _ T i c I) as [Q|[_ Q]]; cbn in Q; congruence. }
      pose proof (served_is_first _ _ _ _ T I) as Sv. cbn [m_now] in Sv. rewrite <- My in Sv.
      destruct T as [T1 T2 T3 T4 T5]. cbn [m_st m_now m_next] in *.
      constructor; cbn [m_st m_now m_next]; auto.
      + intros d. destruct (Z.eq_dec d c) as [->|N].
        * rewrite move_same. rewrite T2, E. destruct (w =? my); split; discriminate.
        * rewrite move_other by auto. apply T2.
      + intros j d J. destruct (Z.eq_dec d c) as [->|N].
        * rewrite move_same, Sv. rewrite (place_unique q j i c T1 J I).
          destruct (Nat.eqb_spec i 0) as [->|Nz]; [right; auto | left; now rewrite My].
        * rewrite move_other by auto. exact (T5 j d J).
    - destruct T as [T1 T2 T3 T4 T5]. now constructor.
    - pose proof (in_is_first _ _ _ T E) as F. destruct q as [|h q]; [discriminate|].
      cbn in F. injection F as ->. destruct T as [T1 T2 T3 T4 T5]. cbn [m_st m_now m_next tl length] in *.
      assert (Nq : ~ In c q) by (destruct T1 as [D _]; now inversion D).
      constructor; cbn [m_st m_now m_next].
      + exact (queue_ok_tl _ _ T1).
      + intros d. destruct (Z.eq_dec d c) as [->|N].
        * rewrite move_same. tauto.
        * rewrite move_other by auto. rewrite <- T2. cbn. split; [auto | intros [->|I]; [now destruct N | exact I]].
      + apply (wrap_range U32).
      + rewrite T4. unfold tick. rewrite wrap_add. f_equal. lia.
      + intros i d I. assert (d <> c) by (intros ->; apply Nq; eapply nth_error_In; eauto).
        rewrite move_other by auto. destruct (T5 (S i) d I) as [Q|[Q _]]; [|discriminate].
        left. rewrite Q. unfold tick. rewrite wrap_add. do 2 f_equal. lia.
  Qed.

  Lemma run_inv tr m m' : trun tr m m' -> forall q, tinv m q -> exists q', tinv m' q'.
  Proof.
    induction 1 as [m | c a tr m m1 m' Cp St R IH]; intros q T; [eauto|].
    exact (IH _ (step_inv _ _ _ _ _ Cp St T)).
  Qed.

  (** * What a lock is for *)

  Definition reachable (m : tm) : Prop := exists x n tr, 0 <= n < 4294967296 /\ trun tr (start x n) m.

  Lemma reachable_inv m : reachable m -> exists q, tinv m q.
  Proof. intros (x & n & tr & R & Tr). exact (run_inv _ _ _ Tr _ (start_inv x n R)). Qed.

  (** Read: in every reachable state at most one CPU is in. *)
  Theorem mutual_exclusion m c d : reachable m -> m_st m c = Inside -> m_st m d = Inside -> c = d.
  Proof.
    intros Re E1 E2. destruct (reachable_inv m Re) as [q T].
    pose proof (in_is_first _ _ _ T E1). pose proof (in_is_first _ _ _ T E2). congruence.
  Qed.

  (** [c] queues, and [d] does not or is behind it. *)
  Definition ahead (c d : Z) (q : list Z) : Prop :=
    exists i, nth_error q i = Some c /\ forall j, nth_error q j = Some d -> (i < j)%nat.

  Lemma ahead_step c d e a m m' q :
    c <> d -> is_cpu e = true -> tstep e a m m' -> tinv m q -> ahead c d q ->
    (e, a) <> (c, APass) -> ahead c d (queue_after e a q).
  Proof.
    intros Ne Cp St T (i & I & J) Np. destruct St as [v n w l f E | v n w l f my E | v n w l f x E | v n w l f E];
      cbn [queue_after]; try (exists i; auto; fail).
    - assert (L : (i < length q)%nat) by (apply nth_error_Some; congruence).
      exists i. split; [now rewrite nth_error_app1|]. intros j Q.
      destruct (Nat.lt_ge_cases j (length q)) as [Lj|Lj]; [|lia].
      rewrite nth_error_app1 in Q by exact Lj. auto.
    - pose proof (in_is_first _ _ _ T E) as F. destruct q as [|h q]; [discriminate|]. cbn in F. injection F as ->.
      destruct i as [|i]; [cbn in I; injection I as ->; now destruct Np|].
      exists i. split; [exact I|]. intros j Q. specialize (J (S j) Q). lia.
  Qed.

  (** Read: if [c] has a ticket while [d] has none, then [d] does not get in before [c]
      has been in and has passed the lock on. *)
  Theorem first_come_first_served tr m m' c d :
    reachable m -> m_st m c <> Out -> m_st m d = Out -> trun tr m m' -> m_st m' d = Inside ->
    In (c, APass) tr.
  Proof.
    intros Re Ec Ed Tr Ein. destruct (reachable_inv m Re) as [q T].
    assert (Ne : c <> d) by congruence.
    assert (A : ahead c d q).
    { destruct (member_place m q c T Ec) as [i I]. exists i. split; [exact I|]. intros j J.
      apply nth_error_In in J. apply (ti_member _ _ T) in J. congruence. }
    clear Re Ec Ed. revert q T A. induction Tr as [m | e a tr m m1 m' Cp St R IH]; intros q T A.
    - exfalso. destruct A as (i & _ & J). specialize (J 0%nat (in_is_first _ _ _ T Ein)). lia.
    - assert (Dec : {(e, a) = (c, APass)} + {(e, a) <> (c, APass)}).
      { destruct (Z.eq_dec e c) as [->|N]; [|right; congruence]. destruct a; try (right; congruence). now left. }
      destruct Dec as [Q|Q]; [left; exact Q|]. right. apply (IH Ein (queue_after e a q)).
      + exact (step_inv _ _ _ _ _ Cp St T).
      + exact (ahead_step _ _ _ _ _ _ _ Ne Cp St T A Q).
  Qed.

  (** Read: from every reachable state the CPUs can all get out, in the order of the
      queue: nobody is stuck for good. *)
  Theorem deadlock_free m : reachable m -> exists tr m', trun tr m m' /\ forall c, m_st m' c = Out.
  Proof.
    intros Re. destruct (reachable_inv m Re) as [q T]. clear Re. revert m T.
    induction q as [|h q IH]; intros m T.
    - exists [], m. split; [constructor|]. intros c. destruct (m_st m c) eqn:E; [reflexivity| |];
        exfalso; apply (in_nil (a := c)); apply (ti_member _ _ T); congruence.
    - assert (Cp : is_cpu h = true) by (destruct (ti_queue _ _ T) as [_ C]; now inversion C).
      assert (Getin : exists tr m1, trun tr m m1 /\ tinv m1 (h :: q) /\ m_st m1 h = Inside).
      { destruct (ti_place _ _ T 0%nat h eq_refl) as [Q|[_ Q]].
        - destruct m as [v n w l f]. cbn in Q.
          pose proof (served_is_first _ _ 0%nat h T eq_refl) as Sv. cbn [m_now Nat.eqb] in Sv.
          pose proof (t_poll h v n w l f _ Q) as St.
          exists [(h, APoll w)]. eexists. split; [eapply trun_cons; [exact Cp | exact St | constructor]|].
          split; [exact (step_inv _ _ _ _ _ Cp St T)|]. cbn [m_st]. rewrite move_same.
          cbn [m_now] in Sv |- *. now rewrite Sv.
        - exists [], m. split; [constructor | auto]. }
      destruct Getin as (tr1 & m1 & R1 & T1 & E1). destruct m1 as [v n w l f]. cbn in E1.
      pose proof (t_pass h v n w l f E1) as St.
      destruct (IH _ (step_inv _ _ _ _ _ Cp St T1)) as (tr2 & m2 & R2 & O2).
      exists (tr1 ++ (h, APass) :: tr2)%list, m2. split; [|exact O2].
      clear -R1 R2 St Cp. induction R1 as [m | c a tr m m1 m3 Cc S1 R IH]; cbn.
      + eapply trun_cons; eauto.
      + eapply trun_cons; eauto.
  Qed.
End Machine.
