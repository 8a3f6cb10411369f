(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 2, LockOpsQ: the layer's refinement theorem.  The queue of CPUs is what the
    tickets mean: whatever the queue specifications say, the code over the ticket
    lock's specifications does. *)
From SeKVM.machine Require Import RestView.
From SeKVM.layers.LockOpsQ Require Import Code Spec ProofCode.

Lemma LockOpsQ_code : mod_sim R LockOps.Spec.L code T.
Proof. repeat split; [exact wait_qlock_code | exact pass_qlock_code]. Qed.

Lemma RV_view : view_compat RV.
Proof.
  intros me X v t [V1 V2 V3 V4 V5 V6 V7]. split; [exact V2|]. intros _. split; [exact V1|].
  intros x. split; auto.
Qed.

Lemma RV_pull : pull_compat RV.
Proof.
  intros me X v t [V1 V2 V3 V4 V5 V6 V7]. split.
  - intros b. split; auto.
  - intros e. split; auto. cbn. now rewrite V3.
Qed.

Lemma LockOpsQ_passes : refines R (graph Lkeep) (graph LockOps.Spec.L).
Proof.
  eapply tbl_rel_keep; [exact (objects_view_rel RV RV_view RV_pull)|]. repeat constructor.
Qed.

Theorem LockOpsQ_refines : refines R (graph LockOpsQ.Spec.L) (sem code (graph LockOps.Spec.L)).
Proof. exact (mod_sim_refines _ _ _ _ _ LockOpsQ_code LockOpsQ_passes). Qed.
