(* SPDX-License-Identifier: Apache-2.0 *)
(** What layers 1 to 3 assume of the other CPUs is true of the interleaving machine.
    Take any run of the eight CPUs at one ticket lock that ends with all of them out
    (by [deadlock_free] every run can be extended to one), and any CPU: what it read
    and did is a run of the bottom machine's own operations under a script made of the
    others' events between its accesses; and that script has a counterpart at layer 3.
    So no assumption about the environment is left over.  Rests on [Interleaving]. *)
From Coq Require Import Lia.
From SeKVM.machine Require Import Tickets.
From SeKVM.layers.LockOpsQ Require Import ProofCode.
From SeKVM.layers.LockOpsH Require Import Spec Fair Interleaving.
Local Open Scope Z_scope.

Section Scripts.
  Context {X : Type} (x0 : X) (me : Z) (Cp : is_cpu me = true).

  (** * The bottom machine's operations, as one CPU makes them *)

  Inductive lact : act X -> tview X -> tview X -> Prop :=
  | la_take t my t' : take_op tick X t = Some (my, t') -> lact (ATake my) t t'
  | la_poll t now t' : now_op tick X t = Some (now, t') -> lact (APoll now) t t'
  | la_write t x : lact (AWrite x) t (set_t_val x t)
  | la_pass t t' : pass_op tick X (add_log (me, t_val t) t) = Some (0, t') -> lact APass t t'.

  Inductive lacts : list (act X) -> tview X -> tview X -> Prop :=
  | lacts_nil t : lacts [] t t
  | lacts_cons a l t t' t'' : lact a t t' -> lacts l t' t'' -> lacts (a :: l) t t''.

  (** This CPU's part of a run. *)
  Fixpoint mine (tr : list (Z * act X)) : list (act X) :=
    match tr with [] => [] | (c, a) :: tr => if c =? me then a :: mine tr else mine tr end.

  Definition with_scr (s : list (list (lock_event X))) (t : tview X) : tview X :=
    mktview (t_val t) (t_own t) (t_next t) (t_now t) (t_log t) s.

  (** The view after the events that are still to be seen. *)
  Definition seen (t : tview X) (pend : list (lock_event X)) : tview X := fold_right (t_apply tick) t pend.

  Lemma seen_script s t pend : seen (with_scr s t) pend = with_scr s (seen t pend).
  Proof.
    unfold seen. induction pend as [|e b IH]; [reflexivity|]. cbn [fold_right]. rewrite IH.
    destruct e; reflexivity.
  Qed.

  Lemma sync_script pend s t : t_sync tick (with_scr (pend :: s) t) = with_scr s (seen t pend).
  Proof.
    unfold t_sync. cbn [with_scr t_script hd tl]. fold (with_scr (pend :: s) t).
    change (fold_right (t_apply tick) (with_scr (pend :: s) t) pend) with (seen (with_scr (pend :: s) t) pend).
    now rewrite seen_script.
  Qed.

  (** Tickets drawn by others do not touch the object. *)
  Definition is_take (e : lock_event X) : Prop := match e with Take _ => True | Pass _ _ => False end.

  Lemma seen_takes t pend : Forall is_take pend ->
    t_val (seen t pend) = t_val t /\ t_own (seen t pend) = t_own t /\ t_now (seen t pend) = t_now t /\
    t_log (seen t pend) = t_log t /\ t_script (seen t pend) = t_script t /\
    (forall t', t_next t' = t_next t -> t_next (seen t' pend) = t_next (seen t pend)).
  Proof.
    unfold seen. induction 1 as [|e b E F IH]; cbn [fold_right].
    - repeat split; auto.
    - destruct IH as (I1 & I2 & I3 & I4 & I5 & I6). destruct e as [c|c x]; [|destruct E].
      cbn [t_apply t_val t_own t_now t_log t_script t_next]. repeat split; auto. intros t' N. now rewrite (I6 t' N).
  Qed.

  (** * The machine as this CPU sees it *)

  Record lview (m : @tm X) (t : tview X) (pend : list (lock_event X)) : Prop := mklview {
    lv_next : t_next (seen t pend) = m_next m;
    lv_now : t_now (seen t pend) = m_now m;
    lv_log : t_log (seen t pend) = m_log m;
    lv_in : m_st m me = Inside -> t_val (seen t pend) = m_val m;
    lv_out : m_st m me <> Inside -> t_val (seen t pend) = newest (m_log m) x0;
    lv_free : (forall c, m_st m c <> Inside) -> m_val m = newest (m_log m) x0 }.

  (** The event that a step of another CPU is. *)
  Definition event_of (d : Z) (a : act X) (m : @tm X) : list (lock_event X) :=
    match a with ATake _ => [Take d] | APass => [Pass d (m_val m)] | _ => [] end.

  Lemma other_view d a m m' t pend q :
    d <> me -> tstep d a m m' -> tinv m q -> lview m t pend -> lview m' t (event_of d a m ++ pend).
  Proof.
    intros N St T [V1 V2 V3 V4 V5 V6].
    destruct St as [v n w l f E | v n w l f my E | v n w l f x E | v n w l f E];
      cbn [event_of app m_next m_now m_log m_val m_st] in *.
    - split; cbn [m_next m_now m_log m_val m_st]; unfold seen in *; cbn; rewrite ?V1, ?V2, ?V3; auto.
      + rewrite move_other by auto. exact V4.
      + rewrite move_other by auto. exact V5.
      + intros F. apply V6. intros c. destruct (Z.eq_dec c d) as [->|Nc]; [congruence|].
        specialize (F c). now rewrite move_other in F by auto.
    - split; cbn [m_next m_now m_log m_val m_st]; auto.
      + rewrite move_other by auto. exact V4.
      + rewrite move_other by auto. exact V5.
      + intros F. apply V6. intros c. destruct (Z.eq_dec c d) as [->|Nc]; [congruence|].
        specialize (F c). now rewrite move_other in F by auto.
    - split; cbn [m_next m_now m_log m_val m_st]; auto.
      + intros Em. exfalso. apply N.
        pose proof (in_is_first _ _ _ T E). pose proof (in_is_first _ _ _ T Em). congruence.
      + intros F. now destruct (F d).
    - split; cbn [m_next m_now m_log m_val m_st]; unfold seen in *; cbn; rewrite ?V1, ?V2, ?V3; auto.
  Qed.

  Lemma other_queue d a m m' q0 q evs pend :
    is_cpu d = true -> d <> me -> tstep d a m m' -> tinv m q -> q_batch me pend q0 = Some (q, evs) ->
    exists evs', q_batch me (event_of d a m ++ pend) q0 = Some (queue_after d a q, evs').
  Proof.
    intros Cd N St T B. destruct St as [v n w l f E | v n w l f my E | v n w l f x E | v n w l f E];
      cbn [event_of queue_after app q_batch m_val]; rewrite ?B; eauto.
    - cbn [q_event]. rewrite Cd. apply Z.eqb_neq in N as ->.
      destruct (queued d q) eqn:Q; [|cbn; eauto].
      apply queued_In in Q. apply (ti_member _ _ T) in Q. cbn in Q. congruence.
    - pose proof (in_is_first _ _ _ T E) as F. destruct q as [|h q]; [discriminate|]. cbn in F. injection F as ->.
      cbn [q_event tl]. rewrite Z.eqb_refl. apply Z.eqb_neq in N as ->. cbn. eauto.
  Qed.

  (** While this CPU is in, the others can only draw tickets; and that goes on without
      it when it leaves. *)
  Lemma takes_only pend : forall q1 q evs, Forall is_take pend ->
    q_batch me pend (me :: q1) = Some (q, evs) -> exists q2, q = me :: q2 /\ q_batch me pend q1 = Some (q2, []).
  Proof.
    induction pend as [|e b IH]; intros q1 q evs F B; cbn [q_batch] in *.
    - injection B as <- <-. eauto.
    - inversion F as [|e' b' E F' Eq]; subst. destruct (q_batch me b (me :: q1)) as [[q' evs']|] eqn:B1; [|discriminate].
      destruct (IH _ _ _ F' B1) as (q2 & -> & ->). destruct e as [c|c x]; [|destruct E].
      cbn [q_event] in *. destruct (is_cpu c); [|discriminate].
      destruct (Z.eqb_spec c me) as [->|N]; [discriminate|]. unfold queued in *. cbn [existsb] in B.
      apply Z.eqb_neq in N. rewrite N in B. cbn [orb] in B.
      destruct (existsb (Z.eqb c) q2); [discriminate|]. cbn in B |- *. injection B as <- <-. eauto.
  Qed.

  (** * Real scripts *)

  (** What the script still to come will do, by where this CPU is. *)
  Definition claim (st : status) (q0 : list Z) (s : list (list (lock_event X))) : Prop :=
    match st with
    | Out => exists hs, waits me q0 s hs
    | Queued _ => exists n q' evs s' hs, q_poll n me q0 s = Some (me :: q', evs, s') /\ waits me q' s' hs
    | Inside => exists q1 hs, q0 = me :: q1 /\ waits me q1 s hs
    end.

  Lemma scripts_exist tr m m' : trun tr m m' -> (forall c, m_st m' c = Out) ->
    forall t pend q0 q evs,
    tinv m q -> queue_ok q0 -> q_batch me pend q0 = Some (q, evs) ->
    (m_st m me = Inside -> Forall is_take pend /\ hd_error q0 = Some me) -> lview m t pend ->
    exists s t', lacts (mine tr) (with_scr s t) t' /\ claim (m_st m me) q0 s.
  Proof.
    intros Tr End. induction Tr as [m | c a tr m m1 m' Cc St R IH]; intros t pend q0 q evs T O B In0 V.
    - exists [pend], (with_scr [pend] t). split; [constructor|]. rewrite End.
      assert (q = []) as ->.
      { destruct q as [|h q]; [reflexivity|]. exfalso.
        apply (proj1 (ti_member _ _ T h)); [now left | apply End]. }
      exists [evs]. eapply waits_step; [|constructor; exact Cp].
      unfold q_wait. cbn [hd tl length]. rewrite B, Cp. cbn. rewrite Z.eqb_refl. reflexivity.
    - cbn [mine]. destruct (Z.eqb_spec c me) as [->|N].
      2:{ (* a step of another CPU *)
          destruct (other_queue _ _ _ _ _ _ _ _ Cc N St T B) as (evs' & B').
          assert (Same : m_st m1 me = m_st m me).
          { destruct St; cbn; try reflexivity; now rewrite move_other by auto. }
          rewrite <- Same. apply (IH End t (event_of c a m ++ pend)%list q0 (queue_after c a q) evs').
          - exact (step_inv _ _ _ _ _ Cc St T).
          - exact O.
          - exact B'.
          - rewrite Same. intros Em. destruct (In0 Em) as [F H]. split; [|exact H].
            apply Forall_app. split; [|exact F].
            destruct St as [v n w l f E | v n w l f my E | v n w l f x E | v n w l f E];
              cbn; repeat constructor.
            exfalso. apply N. pose proof (in_is_first _ _ _ T E). pose proof (in_is_first _ _ _ T Em). congruence.
          - exact (other_view _ _ _ _ _ _ _ N St T V). }
      pose proof (step_inv _ _ _ _ _ Cc St T) as T1. destruct V as [V1 V2 V3 V4 V5 V6].
      destruct St as [v n w l f E | v n w l f my E | v n w l f x E | v n w l f E];
        cbn [queue_after m_next m_now m_log m_val m_st] in *.
      + (* draw a ticket *)
        rewrite E in *. specialize (V5 ltac:(discriminate)).
        set (u := seen t pend) in *.
        set (t1 := mktview (t_val u) (t_own u) (tick (t_next u)) (t_now u) (t_log u) (t_script u)).
        assert (O1 : queue_ok (q ++ [me])) by exact (ti_queue _ _ T1).
        destruct (IH End t1 [] (q ++ [me]) (q ++ [me]) []) as (s & t' & L & C).
        * exact T1.
        * exact O1.
        * reflexivity.
        * cbn. rewrite move_same. discriminate.
        * split; cbn [m_next m_now m_log m_val m_st seen fold_right t1 t_next t_now t_log t_val]; auto.
          -- now rewrite V1.
          -- rewrite move_same. discriminate.
          -- intros F. apply V6. intros d. destruct (Z.eq_dec d me) as [Q|Nd]; [subst d; congruence|].
             specialize (F d). now rewrite (move_other me d) in F by exact Nd.
        * cbn [m_st] in C. rewrite move_same in C. destruct C as (k & q' & evs2 & s' & hs & C1 & C2).
          exists (pend :: s), t'. split.
          -- eapply lacts_cons; [|exact L]. apply la_take. unfold take_op. cbv zeta.
             rewrite sync_script. fold u. unfold with_scr, t1. cbn. now rewrite V1.
          -- apply q_poll_enough in C1. exists ((evs2 ++ evs)%list :: hs). eapply waits_step; [|exact C2].
             unfold q_wait. cbn [hd tl]. rewrite B, Cp.
             assert (Q : queued me q = false).
             { destruct (queued me q) eqn:Q; [|reflexivity]. apply queued_In in Q.
               apply (ti_member _ _ T) in Q. cbn in Q. congruence. }
             rewrite Q. cbn [andb negb]. now rewrite C1.
      + (* poll *)
        rewrite E in *. specialize (V5 ltac:(discriminate)). set (u := seen t pend) in *.
        destruct (member_place _ q me T) as [i I]; [cbn; congruence|].
        assert (My : my = wrap U32 (w + Z.of_nat i)).
        { destruct (ti_place _ _ T i me I) as [Q|[_ Q]]; cbn in Q; congruence. }
        pose proof (served_is_first _ _ _ _ T I) as Sv. cbn [m_now] in Sv. rewrite <- My in Sv.
        destruct (IH End u [] q q []) as (s & t' & L & C).
        * exact T1.
        * exact (ti_queue _ _ T).
        * reflexivity.
        * cbn [m_st]. rewrite move_same, Sv. destruct (Nat.eqb_spec i 0) as [->|]; [|discriminate].
          intros _. split; [constructor|]. destruct q; [discriminate|]. exact I.
        * split; cbn [m_next m_now m_log m_val m_st seen fold_right]; auto.
          -- rewrite move_same, Sv. destruct (Nat.eqb_spec i 0) as [->|]; [|discriminate]. intros _.
             rewrite V5. symmetry. apply V6. intros d Ed.
             pose proof (in_is_first _ _ _ T Ed) as F. rewrite I in F. injection F as <-. congruence.
          -- intros F. apply V6. intros d. destruct (Z.eq_dec d me) as [Q|Nd]; [subst d; congruence|].
             specialize (F d). now rewrite (move_other me d) in F by exact Nd.
        * exists (pend :: s), t'. split.
          -- eapply lacts_cons; [|exact L]. apply la_poll. unfold now_op. cbv zeta. rewrite sync_script. fold u.
             cbn [t_now with_scr]. now rewrite V2.
          -- cbn [m_st] in C. rewrite move_same, Sv in C. cbn [claim].
             assert (Hd : is_head me q = Nat.eqb i 0).
             { destruct (Nat.eqb_spec i 0) as [->|Nz].
               - destruct q as [|h q]; [discriminate|]. injection I as ->. apply Z.eqb_refl.
               - destruct q as [|h q]; [reflexivity|]. cbn. apply Z.eqb_neq. intros ->. apply Nz.
                 exact (place_unique _ _ 0%nat _ (ti_queue _ _ T) I eq_refl). }
             destruct (Nat.eqb_spec i 0) as [->|Nz].
             ++ destruct C as (q1 & hs & -> & C). exists 1%nat, q1, evs, s, hs. split; [|exact C].
                cbn [q_poll hd tl]. rewrite B, Z.eqb_refl. reflexivity.
             ++ destruct C as (k & q' & evs2 & s' & hs & C1 & C2).
                exists (S k), q', (evs2 ++ evs)%list, s', hs. split; [|exact C2].
                cbn [q_poll hd tl]. rewrite B. fold (is_head me q). now rewrite Hd, C1.
      + (* write the object *)
        destruct (In0 E) as [F H]. rewrite E in *.
        destruct (seen_takes t pend F) as (K1 & K2 & K3 & K4 & K5 & K6).
        destruct (seen_takes (set_t_val x t) pend F) as (J1 & J2 & J3 & J4 & J5 & J6).
        destruct (IH End (set_t_val x t) pend q0 q evs) as (s & t' & L & C); auto.
        * split; cbn [m_next m_now m_log m_val m_st].
          -- rewrite (K6 (set_t_val x t) eq_refl). exact V1.
          -- rewrite J3, <- V2, K3. reflexivity.
          -- rewrite J4, <- V3, K4. reflexivity.
          -- intros _. exact J1.
          -- intros Q. now destruct (Q E).
          -- intros Q. now destruct (Q me E).
        * exists s, t'. split; [|exact C].
          eapply lacts_cons; [apply la_write|]. exact L.
      + (* pass the lock on *)
        destruct (In0 E) as [F H]. rewrite E in *. specialize (V4 eq_refl).
        destruct (seen_takes t pend F) as (K1 & K2 & K3 & K4 & K5 & K6).
        destruct q0 as [|h q1]; [discriminate|]. cbn in H. injection H as ->.
        destruct (takes_only _ _ _ _ F B) as (q2 & -> & B2). cbn [tl] in T1.
        set (t1 := mktview (t_val t) (t_own t) (t_next t) (tick (t_now t)) ((me, t_val t) :: t_log t) (t_script t)).
        destruct (seen_takes t1 pend F) as (J1 & J2 & J3 & J4 & J5 & J6).
        destruct (IH End t1 pend q1 q2 []) as (s & t' & L & C).
        * exact T1.
        * exact (queue_ok_tl _ _ O).
        * exact B2.
        * cbn. rewrite move_same. discriminate.
        * split; cbn [m_next m_now m_log m_val m_st].
          -- rewrite (K6 t1 eq_refl). exact V1.
          -- rewrite J3. cbn [t1 t_now]. now rewrite <- V2, K3.
          -- rewrite J4. cbn [t1 t_log]. now rewrite <- V3, K4, <- V4, K1.
          -- rewrite move_same. discriminate.
          -- intros _. rewrite J1. cbn [t1 t_val newest]. now rewrite <- V4, K1.
          -- intros _. reflexivity.
        * cbn [m_st] in C. rewrite move_same in C. destruct C as (hs & C).
          exists s, t'. split; [|exists q1, hs; auto].
          eapply lacts_cons; [|exact L]. apply la_pass. reflexivity.
  Qed.
End Scripts.

(** Read: any run of all CPUs from a free lock to a free lock, any CPU [me].  Its own
    draws, polls (with the very numbers that it read), writes and releases are a run
    of the bottom machine's operations under some script [s], and [s] has the
    counterpart [hs] at layer 3. *)
Theorem real_scripts {X} (x : X) n tr m' me :
  0 <= n < 4294967296 -> trun tr (start x n) m' -> (forall c, m_st m' c = Out) -> is_cpu me = true ->
  exists s hs t', lacts me (mine me tr) (mktview x false n n [] s) t' /\ waits me [] s hs.
Proof.
  intros R Tr End Cp.
  destruct (scripts_exist x me Cp tr (start x n) m' Tr End (mktview x false n n [] []) [] [] [] [])
    as (s & t' & L & hs & W).
  - exact (start_inv x n R).
  - split; constructor.
  - reflexivity.
  - discriminate.
  - split; cbn; auto.
  - exists s, hs, t'. split; [exact L | exact W].
Qed.
