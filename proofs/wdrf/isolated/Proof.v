(* SPDX-License-Identifier: Apache-2.0 *)
(** Theorem 2 (kernel in isolation) and operational adequacy, as stated in [Statements].  The replay is in [Order] and
    [Whole]. *)
From Coq Require Import List Arith Lia Bool.
From SeKVM.wdrf Require Import Statements.
From SeKVM.wdrf.isolated Require Import Base SC DRF Promising Thread Operational Whole.
Import ListNotations.

Lemma isolated_safe K : wdrf_isolated K -> sc_safe K.
Proof.
  intros [_ [nu typed acc] drf bar once]. constructor; try assumption.
  intros s g i ins reach fetched. unfold isolates. apply andb_true_iff. split.
  - destruct (access_of ins) as [[k a]|] eqn:ac; [|reflexivity].
    pose proof (acc _ _ _ _ _ fetched ac) as nk. pose proof (nu (eval (sc_reg s i) a)) as nc.
    destruct k, (class_of K (eval (sc_reg s i) a)); try contradiction; reflexivity.
  - destruct ins as [| | | |k a e qs|]; try reflexivity. destruct k; try reflexivity. apply typed.
Qed.

Lemma own_messages_isolated K M f t : behaviour K M f -> Schedule.env_isolated K M t.
Proof. intros [_ own] ts m _ found out. specialize (own ts m found). lia. Qed.

Theorem wdrf_sc : Theorem2.
Proof.
  intros K M f cond beh. pose proof (isolated_safe K cond) as safe. destruct cond as [wf iso _ _ _].
  destruct (whole_sc K M f wf safe (bh_run _ _ _ beh) (own_messages_isolated K M f _ beh)) as (s & g & reach & same).
  exists s, g. split; [exact reach|]. destruct same as [pcs regs mem]. constructor; [exact pcs|exact regs|].
  intros a _. apply mem. apply (iso_class K iso).
Qed.

Theorem operational_adequacy : OperationalAdequacy.
Proof.
  intros K M x wf reach done. destruct (machine_reach_runs K M x reach) as [runs own]. constructor; [constructor|exact own].
  - intros i _. apply runs.
  - intros i out. destruct (runs i) as [_ [es steps]]. eapply idle_thread; eassumption.
  - intros i _. apply done.
Qed.
