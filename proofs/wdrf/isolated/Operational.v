(* SPDX-License-Identifier: Apache-2.0 *)
(** The Promising machine as a transition system: promises are appended to the messages while threads run, in any order.
    Wherever no promise is outstanding it is in a state that a promise-first execution describes.  Certification of promises
    is omitted, which only adds executions. *)
From Coq Require Import List Arith Lia.
From SeKVM.wdrf Require Import Tactics.
From SeKVM.wdrf.isolated Require Import Base Promising Thread.
Import ListNotations.

Inductive machine_step (K : kernel) : memory * (tid -> thread) -> memory * (tid -> thread) -> Prop :=
| promise : forall M x i a v, i < cpus K -> machine_step K (M, x) (M ++ [Message i a v], x)
| execute : forall M x i e st, step K M i (x i) e st -> machine_step K (M, x) (M, upd x i st).

Inductive machine_reach (K : kernel) : memory -> (tid -> thread) -> Prop :=
| machine_initial : machine_reach K [] (fun _ => thread_initial)
| machine_next : forall M x M' x',
    machine_reach K M x -> machine_step K (M, x) (M', x') -> machine_reach K M' x'.

Section Append.
Variable K : kernel.
Variable M : memory.
Variable new : message.

Lemma msg_at_app ts m : msg_at M ts = Some m -> msg_at (M ++ [new]) ts = Some m.
Proof.
  destruct ts as [|n]; simpl; [discriminate|]. intros found. rewrite nth_error_app1; [exact found|].
  apply nth_error_Some. congruence.
Qed.

Lemma msg_at_app_old ts m : msg_at (M ++ [new]) ts = Some m -> ts <= length M -> msg_at M ts = Some m.
Proof. destruct ts as [|n]; simpl; [discriminate|]. intros found le. rewrite nth_error_app1 in found; [exact found|lia]. Qed.

Lemma value_at_app a ts v : value_at K M a ts v -> value_at K (M ++ [new]) a ts v.
Proof.
  intros [old|(m & found & same)]; [left; exact old|right]. exists m. split; [apply msg_at_app; exact found|exact same].
Qed.

Lemma no_write_app a lo hi : no_write M a lo hi -> hi <= length M -> no_write (M ++ [new]) a lo hi.
Proof. intros none le ts m above below found. eapply none; [exact above|exact below|]. apply msg_at_app_old; [exact found|lia]. Qed.

Lemma can_read_app i st k a av ts v : thread_wf M i st -> av <= vro st ->
  can_read K M st k a av ts v -> can_read K (M ++ [new]) st k a av ts v.
Proof.
  intros wf le [value none]. split; [apply value_at_app; exact value|]. apply no_write_app; [exact none|].
  destruct wf as [w1 _ w3 w4 _ _ w7 w8 _ _]. specialize (w4 a).
  apply Nat.max_lub; [lia|]. unfold pre_read. apply Nat.max_lub; [lia|]. apply Nat.max_lub; [lia|]. destruct k; simpl; lia.
Qed.

Lemma can_write_app i st k a av d dv ts : can_write M i st k a av d dv ts -> can_write (M ++ [new]) i st k a av d dv ts.
Proof. intros (found & rest). split; [apply msg_at_app; exact found|exact rest]. Qed.

Lemma step_app i st e st' : thread_wf M i st -> step K M i st e st' -> step K (M ++ [new]) i st e st'.
Proof.
  intros wf stp. pose proof (tw_regs _ _ _ wf) as views. step_cases stp.
  - econstructor; eassumption.
  - econstructor; eassumption.
  - econstructor; eassumption.
  - econstructor; [eassumption|eassumption|]. eapply can_read_app; [exact wf| |exact readable].
    eapply veval_view_eq; eassumption.
  - econstructor; [eassumption|eassumption|eassumption|]. apply can_write_app. exact writable.
  - econstructor; try eassumption.
    + eapply can_read_app; [exact wf| |exact readable]. eapply veval_view_eq; eassumption.
    + apply can_write_app. exact writable.
    + destruct writable as (found & _). apply msg_at_bound in found. apply no_write_app; [exact atomic|lia].
Qed.

Lemma thread_wf_app i st : thread_wf M i st -> thread_wf (M ++ [new]) i st.
Proof.
  intros [w1 w2 w3 w4 w5 w6 w7 w8 w9 w10].
  assert (longer : length M <= length (M ++ [new])) by (rewrite app_length; lia).
  constructor; try assumption; try lia.
  - intros a. destruct (w9 a) as [none|(lt & le & done & v & found)]; [left; exact none|right].
    repeat split; try assumption. exists v. apply msg_at_app. exact found.
  - intros ts done. destruct (w10 ts done) as (a & v & found & le). exists a, v. split; [apply msg_at_app; exact found|exact le].
Qed.

Lemma run_app i st es st' : thread_wf M i st -> run K M i st es st' -> run K (M ++ [new]) i st es st'.
Proof.
  intros wf r. induction r as [st|st e st1 es st2 stp r IH]; [constructor|].
  econstructor; [eapply step_app; eassumption|]. apply IH. eapply step_wf; eassumption.
Qed.
End Append.

Lemma run_snoc K M i st es st1 e st2 : run K M i st es st1 -> step K M i st1 e st2 -> run K M i st (es ++ [e]) st2.
Proof.
  intros r stp. induction r as [st|st e' st' es st1 stp' r IH]; [repeat (econstructor; try eassumption)|].
  econstructor; [eassumption|]. apply IH. exact stp.
Qed.

Lemma machine_reach_runs K M x : machine_reach K M x ->
  (forall i, thread_wf M i (x i) /\ exists es, run K M i thread_initial es (x i)) /\
  (forall ts m, msg_at M ts = Some m -> mtid m < cpus K).
Proof.
  induction 1 as [|M x M' x' reach [IH own] stp].
  - split; [|intros [|[|ts]] m found; discriminate]. intros i. split; [apply thread_initial_wf|exists []; constructor].
  - inversion stp as [M0 x0 i a v lt|M0 x0 i e st one]; subst.
    + split.
      * intros j. destruct (IH j) as [wf [es r]]. split; [apply thread_wf_app; exact wf|]. exists es.
        apply run_app; [apply thread_initial_wf|exact r].
      * intros ts m found. destruct (le_lt_dec ts (length M)) as [le|gt].
        -- eapply own. eapply msg_at_app_old; eassumption.
        -- destruct ts as [|n]; [discriminate|]. simpl in found. rewrite nth_error_app2 in found by lia.
           destruct (n - length M) as [|[|k]]; simpl in found; try discriminate. injection found as <-. exact lt.
    + split; [|exact own]. intros j. destruct (IH j) as [wf [es r]]. who j i; [|eauto].
      split; [eapply step_wf; eassumption|]. exists (es ++ [e]). eapply run_snoc; eassumption.
Qed.

Lemma idle_thread K M i es st : well_formed K -> cpus K <= i -> run K M i thread_initial es st -> st = thread_initial.
Proof.
  intros wf out steps. inversion steps as [|st0 e0 st1 es' st2 stp steps']; subst; [reflexivity|exfalso].
  assert (some : exists ins, fetch K i 0 = Some ins) by (step_cases stp; eauto).
  destruct some as [ins fetched]. unfold fetch in fetched. rewrite (wf_cpus K wf i out) in fetched. discriminate.
Qed.
