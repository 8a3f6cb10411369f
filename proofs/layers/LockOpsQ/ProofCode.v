(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 2, LockOpsQ: the queue specification is met by the ticket lock.  The heart:
    the position of a waiting CPU in the queue is its ticket minus [now], whatever the
    others do, so it is the head exactly when its ticket is served; and at most eight
    tickets are outstanding, because each CPU queues once. *)
From SeKVM.machine Require Import ViewPass.
From SeKVM.layers.LockOpsQ Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * The code only passes the call on *)

Section Code.
  Context {N M P : Type}.
  Definition U : tbl (St tview N M P) := LockOps.Spec.T.

  Lemma wait_qlock_calls : fun_ok U f_wait_qlock wait_lock_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. unfold wait_lock_spec, lock_prim, p1 in E.
    destruct vs as [|lk [|]]; try discriminate. destruct (in_range U32 lk) eqn:Rg; [|discriminate].
    run_vc f_wait_qlock. split; [apply in_range_iff; exact Rg|].
    change (call U "wait_lock" [lk] s) with (wait_lock_spec [lk] s).
    unfold wait_lock_spec, lock_prim, p1. rewrite Rg. unfold chk in E |- *.
    destruct (at_lock _ lk s) as [[v s']|]; [|discriminate].
    destruct (v =? 0); [|discriminate]. now injection E as <-.
  Qed.

  Lemma pass_qlock_calls : fun_ok U f_pass_qlock pass_lock_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. unfold pass_lock_spec, lock_prim, p1 in E.
    destruct vs as [|lk [|]]; try discriminate. destruct (in_range U32 lk) eqn:Rg; [|discriminate].
    run_vc f_pass_qlock. split; [apply in_range_iff; exact Rg|].
    change (call U "pass_lock" [lk] s) with (pass_lock_spec [lk] s).
    unfold pass_lock_spec, lock_prim, p1. rewrite Rg. unfold chk in E |- *.
    destruct (at_lock _ lk s) as [[v s']|]; [|discriminate].
    destruct (v =? 0); [|discriminate]. now injection E as <-.
  Qed.
End Code.

(** * Queues *)

Lemma queued_In c q : queued c q = true <-> In c q.
Proof.
  unfold queued. rewrite existsb_exists. split.
  - intros (d & I & E). apply Z.eqb_eq in E. now subst.
  - intros I. exists c. split; [exact I | apply Z.eqb_refl].
Qed.

Lemma not_queued c q : queued c q = false -> ~ In c q.
Proof. intros E I. apply queued_In in I. congruence. Qed.

(** A queue of distinct CPUs has at most eight. *)
Lemma queue_short q :
  List.NoDup q -> List.Forall (fun c => is_cpu c = true) q -> (length q <= 8)%nat.
Proof.
  intros D C. change 8%nat with (length (seqZ 0 8)). apply List.NoDup_incl_length; [exact D|].
  intros c I. apply elem_of_list_In, elem_of_seqZ.
  pose proof (proj1 (List.Forall_forall _ _) C c I) as B. unfold is_cpu, TOTAL_CPU in B.
  apply andb_true_iff in B as [A B]. apply Z.leb_le in A. apply Z.ltb_lt in B. lia.
Qed.

Lemma NoDup_snoc (q : list Z) c : List.NoDup q -> ~ In c q -> List.NoDup (q ++ [c]).
Proof.
  intros D Nq. apply (List.NoDup_Add (a := c) (l := q)).
  - pose proof (List.Add_app c q []) as A. rewrite app_nil_r in A. exact A.
  - auto.
Qed.

(** Well-formed queues, and the place of [me] in one: [k] CPUs are before it. *)
Definition queue_ok (q : list Z) : Prop := List.NoDup q /\ List.Forall (fun c => is_cpu c = true) q.
Definition place (me : Z) (k : nat) (q : list Z) : Prop :=
  exists pre post, q = (pre ++ me :: post)%list /\ length pre = k /\ ~ In me pre.

Lemma queue_ok_snoc q c : queue_ok q -> is_cpu c = true -> ~ In c q -> queue_ok (q ++ [c]).
Proof.
  intros [D C] B Nq. split; [now apply NoDup_snoc|]. apply List.Forall_app. auto.
Qed.

Lemma queue_ok_tl h q : queue_ok (h :: q) -> queue_ok q.
Proof. intros [D C]. inversion D; inversion C; subst. split; assumption. Qed.

Lemma place_snoc me k q c : place me k q -> place me k (q ++ [c]).
Proof.
  intros (pre & post & -> & L & Nq). exists pre, (post ++ [c])%list.
  split; [now rewrite <- app_assoc | auto].
Qed.

(** When another CPU, the head, leaves, [me] moves up. *)
Lemma place_tl me k h q : place me k (h :: q) -> h <> me -> exists k', k = S k' /\ place me k' q.
Proof.
  intros (pre & post & E & L & Nq) Ne. destruct pre as [|x pre]; cbn in E.
  - injection E as -> _. now destruct Ne.
  - injection E as -> ->. exists (length pre). split; [now rewrite <- L|].
    exists pre, post. split; [reflexivity|]. split; [reflexivity|]. intros I. apply Nq. now right.
Qed.

Lemma place_head me k q : queue_ok q -> place me k q ->
  match q with h :: _ => h =? me | [] => false end = Nat.eqb k 0.
Proof.
  intros _ (pre & post & -> & L & Nq). destruct pre as [|x pre]; cbn in *; subst k.
  - apply Z.eqb_refl.
  - cbn. apply Z.eqb_neq. intros ->. apply Nq. now left.
Qed.

(** * Events on the queue and on the counters *)

(** The counters after valid events: they count the queue, [now] moves with the head. *)
Record same_state {X} (q : list Z) (evs : list (Z * X)) (t u : tview X) : Prop := {
  ss_val : t_val u = newest evs (t_val t);
  ss_own : t_own u = t_own t;
  ss_log : t_log u = (evs ++ t_log t)%list;
  ss_next : t_next u = t_now u + Z.of_nat (length q) }.

Lemma event_rel {X} me (e : lock_event X) q q' evs t :
  q_event me e q = Some (q', evs) -> queue_ok q -> t_next t = t_now t + Z.of_nat (length q) ->
  queue_ok q' /\ same_state q' evs t (t_apply Z.succ e t) /\
  (forall k, place me k q -> exists k', place me k' q' /\
     t_now (t_apply Z.succ e t) + Z.of_nat k' = t_now t + Z.of_nat k).
Proof.
  intros E O Nx. destruct e as [c|c x]; cbn [q_event] in E.
  - destruct (is_cpu c) eqn:B; [|discriminate]. destruct (Z.eqb_spec c me) as [->|Ne]; [discriminate|].
    destruct (queued c q) eqn:Q; [discriminate|]. cbn in E. injection E as <- <-. split; [|split].
    + apply queue_ok_snoc; auto. now apply not_queued.
    + split; cbn; auto. rewrite app_length. cbn. lia.
    + intros k Pk. exists k. split; [now apply place_snoc | reflexivity].
  - destruct q as [|h q]; [discriminate|]. destruct (Z.eqb_spec h c) as [->|]; [|discriminate].
    destruct (Z.eqb_spec c me) as [->|Ne]; [discriminate|]. cbn in E. injection E as <- <-. split; [|split].
    + exact (queue_ok_tl _ _ O).
    + split; cbn in *; auto. lia.
    + intros k Pk. destruct (place_tl _ _ _ _ Pk Ne) as (k' & -> & Pk'). exists k'.
      split; [exact Pk'|]. cbn. lia.
Qed.

Lemma newest_app {X} (a b : list (Z * X)) x : newest (a ++ b) x = newest a (newest b x).
Proof. destruct a as [|[d y] a]; reflexivity. Qed.

Lemma batch_rel {X} me (b : list (lock_event X)) : forall q q' evs t,
  q_batch me b q = Some (q', evs) -> queue_ok q -> t_next t = t_now t + Z.of_nat (length q) ->
  let u := fold_right (t_apply Z.succ) t b in
  queue_ok q' /\ same_state q' evs t u /\
  (forall k, place me k q -> exists k', place me k' q' /\
     t_now u + Z.of_nat k' = t_now t + Z.of_nat k).
Proof.
  induction b as [|e b IH]; intros q q' evs t E O Nx; cbn [q_batch fold_right] in *.
  - injection E as <- <-. split; [exact O|]. split; [now split | eauto].
  - destruct (q_batch me b q) as [[q1 evs1]|] eqn:E1; [|discriminate].
    destruct (q_event me e q1) as [[q2 evs2]|] eqn:E2; [|discriminate]. injection E as <- <-.
    destruct (IH _ _ _ _ E1 O Nx) as (O1 & [S1 S2 S3 S4] & P1).
    destruct (event_rel _ _ _ _ _ _ E2 O1 S4) as (O2 & [U1 U2 U3 U4] & P2).
    split; [exact O2|]. split.
    + split; [now rewrite U1, S1, newest_app | now rewrite U2 | now rewrite U3, S3, app_assoc | exact U4].
    + intros k Pk. destruct (P1 k Pk) as (k1 & Pk1 & Q1). destruct (P2 k1 Pk1) as (k2 & Pk2 & Q2).
      exists k2. split; [exact Pk2 | lia].
Qed.

Lemma sync_rel {X} me (t : tview X) q q' evs :
  q_batch me (hd [] (t_script t)) q = Some (q', evs) -> queue_ok q ->
  t_next t = t_now t + Z.of_nat (length q) ->
  let u := t_sync Z.succ t in
  queue_ok q' /\ same_state q' evs t u /\ t_script u = tl (t_script t) /\
  (forall k, place me k q -> exists k', place me k' q' /\
     t_now u + Z.of_nat k' = t_now t + Z.of_nat k).
Proof.
  intros E O Nx u. destruct (batch_rel _ _ _ _ _ _ E O Nx) as (O' & [S1 S2 S3 S4] & P).
  split; [exact O'|]. split; [now split|]. split; [reflexivity | exact P].
Qed.

(** * Polling *)

Lemma poll_rel {X} me n : forall (t : tview X) q q' evs s' my k,
  q_poll n me q (t_script t) = Some (q', evs, s') -> queue_ok q ->
  t_next t = t_now t + Z.of_nat (length q) -> place me k q -> my = t_now t + Z.of_nat k ->
  exists u, poll n my t = Some u /\ queue_ok q' /\ same_state q' evs t u /\ t_script u = s'.
Proof.
  induction n as [|n IH]; intros t q q' evs s' my k E O Nx Pk My; cbn [q_poll poll] in *; [discriminate|].
  destruct (q_batch me (hd [] (t_script t)) q) as [[q1 evs1]|] eqn:E1; [|discriminate].
  destruct (sync_rel _ _ _ _ _ E1 O Nx) as (O1 & Sy & Sc & P1).
  destruct (P1 k Pk) as (k1 & Pk1 & Q1). set (u1 := t_sync Z.succ t) in *.
  assert (Short : (k1 <= 8)%nat).
  { pose proof (queue_short q1 (proj1 O1) (proj2 O1)) as Len.
    destruct Pk1 as (pre & post & -> & <- & _). rewrite app_length in Len. lia. }
  assert (A1 : (t_now u1 <=? my) = true) by (apply Z.leb_le; lia).
  assert (A2 : (my <? t_now u1 + 4294967296) = true) by (apply Z.ltb_lt; lia).
  rewrite A1, A2. cbn [andb].
  rewrite (place_head me k1 q1 O1 Pk1) in E.
  destruct (Nat.eqb_spec k1 0) as [Ze|Nz].
  - injection E as <- <- <-. assert (A3 : (t_now u1 =? my) = true) by (apply Z.eqb_eq; lia).
    rewrite A3. exists u1. auto.
  - assert (A3 : (t_now u1 =? my) = false) by (apply Z.eqb_neq; lia). rewrite A3.
    rewrite <- Sc in E.
    destruct (q_poll n me q1 (t_script u1)) as [[[q2 evs2] s2]|] eqn:E2; [|discriminate].
    injection E as <- <- <-. destruct Sy as [S1 S2 S3 S4].
    destruct (IH u1 _ _ _ _ my k1 E2 O1 S4 Pk1) as (u & Y1 & Y2 & [U1 U2 U3 U4] & Y4); [lia|].
    exists u. split; [exact Y1|]. split; [exact Y2|]. split; [|exact Y4].
    split; [now rewrite U1, S1, newest_app | now rewrite U2 | now rewrite U3, S3, app_assoc | exact U4].
Qed.

Lemma wait_qlock_rel me : op_rel RV me (wait_qlock_op me) wait_lock_op.
Proof.
  intros X v t r v' [V1 V2 V3 V4 V5 V6 V7] E. unfold wait_qlock_op in E.
  destruct (q_wait me (q_queue v) (q_script v)) as [[[q evs] s]|] eqn:W; [|discriminate].
  injection E as <- <-. unfold q_wait in W. rewrite V4 in W.
  destruct (q_batch me (hd [] (t_script t)) (q_queue v)) as [[q1 evs1]|] eqn:E1; [|discriminate].
  destruct (is_cpu me) eqn:B; [|discriminate]. destruct (queued me q1) eqn:Q; [discriminate|]. cbn [andb negb] in W.
  destruct (sync_rel _ _ _ _ _ E1 (conj V6 V7) V5) as (O1 & [S1 S2 S3 S4] & Sc & _).
  unfold wait_lock_op, take_op. cbv zeta. set (u := t_sync Z.succ t) in *.
  set (u1 := mktview (t_val u) (t_own u) (Z.succ (t_next u)) (t_now u) (t_log u) (t_script u)).
  destruct (q_poll (S (length (tl (t_script t)))) me (q1 ++ [me]) (tl (t_script t))) as [[[q2 evs2] s2]|] eqn:E2;
    [|discriminate]. injection W as <- <- <-.
  assert (F : fuel u1 = S (length (tl (t_script t)))) by (unfold fuel; cbn [t_script u1]; now rewrite Sc).
  rewrite <- F in E2. rewrite <- Sc in E2. apply not_queued in Q.
  destruct (poll_rel me (fuel u1) u1 (q1 ++ [me]) q2 evs2 s2 (t_next u) (length q1)) as (w & Y1 & Y2 & [U1 U2 U3 U4] & Y4).
  - exact E2.
  - now apply queue_ok_snoc.
  - cbn [t_next t_now u1]. rewrite app_length. cbn [length]. lia.
  - exists q1, []. auto.
  - cbn [t_now u1]. exact S4.
  - rewrite Y1. exists w. split; [reflexivity|]. cbn [t_val t_own t_log u1] in U1, U2, U3.
    constructor; cbn [q_val q_own q_log q_script q_queue].
    + now rewrite U1, S1, newest_app, V1.
    + now rewrite U2, S2.
    + now rewrite U3, S3, V3, app_assoc.
    + now rewrite Y4.
    + exact U4.
    + exact (proj1 Y2).
    + exact (proj2 Y2).
Qed.

Lemma pass_qlock_rel me : op_rel RV me (pass_qlock_op me) pass_lock_op.
Proof.
  intros X v t r v' [V1 V2 V3 V4 V5 V6 V7] E. unfold pass_qlock_op in E.
  destruct (q_queue v) as [|h q] eqn:Q; [discriminate|]. destruct (h =? me); [|discriminate].
  injection E as <- <-. eexists. split; [reflexivity|].
  destruct (queue_ok_tl h q (conj V6 V7)) as [D C].
  constructor; cbn in *; auto. lia.
Qed.

(** * The functions *)

Lemma U_keeps : keeps U LockOps.Spec.L.
Proof. repeat constructor. Qed.

Lemma wait_qlock_code : fun_sim R LockOps.Spec.L f_wait_qlock wait_qlock_spec.
Proof.
  eapply fun_sim_spec; [exact (fun_ok_keep _ _ _ _ U_keeps wait_qlock_calls)|].
  apply lock_prim_rel. exact wait_qlock_rel.
Qed.

Lemma pass_qlock_code : fun_sim R LockOps.Spec.L f_pass_qlock pass_qlock_spec.
Proof.
  eapply fun_sim_spec; [exact (fun_ok_keep _ _ _ _ U_keeps pass_qlock_calls)|].
  apply lock_prim_rel. exact pass_qlock_rel.
Qed.
