(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 3, LockOpsH: the layer's refinement theorem. *)
From SeKVM.machine Require Import RestView.
From SeKVM.layers.LockOpsH Require Import Code Spec ProofCode.

Lemma LockOpsH_code : mod_sim R LockOpsQ.Spec.L code T.
Proof. repeat split; [exact wait_hlock_code | exact pass_hlock_code]. Qed.

Lemma RV_view : view_compat RV.
Proof.
  intros me X h v [V1 V2 V3 V4]. split; [exact V2|]. intros _. split; [exact V1|].
  intros x. split; auto.
Qed.

Lemma RV_pull : pull_compat RV.
Proof.
  intros me X h v [V1 V2 V3 V4]. split.
  - intros b. split; auto.
  - intros e. split; auto. cbn. now rewrite V3.
Qed.

Lemma LockOpsH_passes : refines R (graph Lkeep) (graph LockOpsQ.Spec.L).
Proof.
  eapply tbl_rel_keep; [exact (objects_view_rel RV RV_view RV_pull)|]. repeat constructor.
Qed.

Theorem LockOpsH_refines : refines R (graph LockOpsH.Spec.L) (sem code (graph LockOpsQ.Spec.L)).
Proof. exact (mod_sim_refines _ _ _ _ _ LockOpsH_code LockOpsH_passes). Qed.
