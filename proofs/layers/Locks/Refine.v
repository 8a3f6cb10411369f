(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 4, Locks: the layer's refinement theorem.  Taking the lock and pulling the
    object is the one step that layers 5 to 34 see; the primitives on objects pass
    through. *)
From SeKVM.machine Require Import RestView.
From SeKVM.layers.Locks Require Import Code Rel ProofCode.

Lemma Lo_keeps : keeps Lo LockOpsH.Spec.L.
Proof. repeat constructor. Qed.

Lemma Locks_code : mod_sim R LockOpsH.Spec.L code T.
Proof.
  repeat (split; [reflexivity|]; split; [eapply fun_sim_keep; [exact Lo_keeps|] |]);
    [ exact acquire_lock_code | exact release_lock_code
    | exact acquire_lock_pt_code | exact release_lock_pt_code
    | exact acquire_lock_vm_code | exact release_lock_vm_code
    | exact acquire_lock_core_code | exact release_lock_core_code
    | exact acquire_lock_s2page_code | exact release_lock_s2page_code
    | exact acquire_lock_spt_code | exact release_lock_spt_code
    | exact acquire_lock_smmu_code | exact release_lock_smmu_code
    | exact I ].
Qed.

Lemma RV_view : view_compat RV.
Proof.
  intros me X c h [V1 V2 V3 V4 V5]. split; [exact V3|]. intros _. split; [exact V1|].
  intros x. split; auto.
Qed.

Lemma Locks_passes : refines R (graph Lkeep) (graph LockOpsH.Spec.L).
Proof.
  eapply tbl_rel_keep; [exact (bottom_view_rel RV RV_view)|]. repeat constructor.
Qed.

(** Layers 5 to 34 take locks by object only. *)
Lemma L_part : keeps Locks.Spec.L (over T Lkeep).
Proof. repeat constructor. Qed.

Theorem Locks_refines : refines R (graph Locks.Spec.L) (sem code (graph LockOpsH.Spec.L)).
Proof.
  intros f vs s t r V E. apply (mod_sim_refines _ _ _ _ _ Locks_code Locks_passes f vs s t r V).
  unfold graph, call in *. destruct (Lang.assoc f Locks.Spec.L) as [p|] eqn:A; [|discriminate].
  now rewrite (keeps_assoc _ _ _ _ L_part A).
Qed.
