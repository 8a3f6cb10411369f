(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 1, LockOps: the layer's refinement theorem.  The code of the ticket lock over
    the bottom machine, whose counters wrap, does what the specifications over
    unbounded counters say; everything about protected objects passes through. *)
From SeKVM.machine Require Import RestView.
From SeKVM.layers.LockOps Require Import Code Spec ProofCode.

Lemma LockOps_code : mod_sim R L0 code T.
Proof. repeat split; [exact wait_lock_code | exact pass_lock_code]. Qed.

Lemma RV_view : view_compat RV.
Proof. intros me X t ? ->. repeat split; reflexivity. Qed.

Lemma RV_pull : pull_compat RV.
Proof. intros me X t ? ->. repeat split; reflexivity. Qed.

Lemma LockOps_passes : refines R (graph Lkeep) (graph L0).
Proof.
  eapply tbl_rel_keep; [exact (objects_view_rel RV RV_view RV_pull)|]. repeat constructor.
Qed.

Theorem LockOps_refines : refines R (graph LockOps.Spec.L) (sem code (graph L0)).
Proof. exact (mod_sim_refines _ _ _ _ _ LockOps_code LockOps_passes). Qed.
