(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 3, LockOpsH: the code meets the holder specification over the queue. *)
From SeKVM.machine Require Import ViewPass.
From SeKVM.layers.LockOpsH Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Code.
  Context {N M P : Type}.
  Definition U : tbl (St qview N M P) := LockOpsQ.Spec.T.

  Lemma wait_hlock_calls : fun_ok U f_wait_hlock wait_qlock_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. unfold wait_qlock_spec, lock_prim, p1 in E.
    destruct vs as [|lk [|]]; try discriminate. destruct (in_range U32 lk) eqn:Rg; [|discriminate].
    run_vc f_wait_hlock. split; [apply in_range_iff; exact Rg|].
    change (call U "wait_qlock" [lk] s) with (wait_qlock_spec [lk] s).
    unfold wait_qlock_spec, lock_prim, p1. rewrite Rg. unfold chk in E |- *.
    destruct (at_lock _ lk s) as [[v s']|]; [|discriminate].
    destruct (v =? 0); [|discriminate]. now injection E as <-.
  Qed.

  Lemma pass_hlock_calls : fun_ok U f_pass_hlock pass_qlock_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. unfold pass_qlock_spec, lock_prim, p1 in E.
    destruct vs as [|lk [|]]; try discriminate. destruct (in_range U32 lk) eqn:Rg; [|discriminate].
    run_vc f_pass_hlock. split; [apply in_range_iff; exact Rg|].
    change (call U "pass_qlock" [lk] s) with (pass_qlock_spec [lk] s).
    unfold pass_qlock_spec, lock_prim, p1. rewrite Rg. unfold chk in E |- *.
    destruct (at_lock _ lk s) as [[v s']|]; [|discriminate].
    destruct (v =? 0); [|discriminate]. now injection E as <-.
  Qed.
End Code.

(** When nothing more happens and nobody queues, waiting succeeds at once. *)
Lemma wait_alone {X} me : is_cpu me = true -> @q_wait X me [] [] = Some ([me], [], []).
Proof. intros B. cbn. rewrite B. cbn. rewrite Z.eqb_refl. reflexivity. Qed.

Lemma waits_wait {X} me q (s : list (list (lock_event X))) hs : waits me q s hs ->
  exists q' s', q_wait me q s = Some (me :: q', hd [] hs, s') /\ waits me q' s' (tl hs).
Proof.
  destruct 1 as [B | q s evs q' s' hs W Y].
  - exists [], []. split; [exact (wait_alone me B) | now constructor].
  - exists q', s'. auto.
Qed.

Lemma wait_hlock_rel me : op_rel RV me wait_hlock_op (wait_qlock_op me).
Proof.
  intros X h v r h' [V1 V2 V3 V4] E. unfold wait_hlock_op in E.
  destruct (h_held h); [discriminate|]. injection E as <- <-. unfold wait_qlock_op.
  destruct (waits_wait _ _ _ _ V4) as (q' & s' & -> & Y).
  eexists. split; [reflexivity|]. split; cbn; [now rewrite V1 | exact V2 | now rewrite V3 | eauto].
Qed.

Lemma pass_hlock_rel me : op_rel RV me pass_hlock_op (pass_qlock_op me).
Proof.
  intros X h v r h' [V1 V2 V3 V4] E. unfold pass_hlock_op in E.
  destruct (h_held h); [|discriminate]. injection E as <- <-. unfold pass_qlock_op.
  destruct V4 as (q & -> & Y). rewrite Z.eqb_refl.
  eexists. split; [reflexivity|]. split; cbn; auto.
Qed.

(** * The functions *)

Lemma U_keeps : keeps U LockOpsQ.Spec.L.
Proof. repeat constructor. Qed.

Lemma wait_hlock_code : fun_sim R LockOpsQ.Spec.L f_wait_hlock wait_hlock_spec.
Proof.
  eapply fun_sim_spec; [exact (fun_ok_keep _ _ _ _ U_keeps wait_hlock_calls)|].
  apply lock_prim_rel. exact wait_hlock_rel.
Qed.

Lemma pass_hlock_code : fun_sim R LockOpsQ.Spec.L f_pass_hlock pass_hlock_spec.
Proof.
  eapply fun_sim_spec; [exact (fun_ok_keep _ _ _ _ U_keeps pass_hlock_calls)|].
  apply lock_prim_rel. exact pass_hlock_rel.
Qed.
