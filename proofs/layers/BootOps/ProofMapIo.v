(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the code that maps a device's registers into a VM meets its specification over the part of
    the underlay that it uses: the loop over the SMMUs decides whether one of them has a register in the page. Used
    by [ProofCode]. *)
From SeKVM.layers.MemManager Require Import Natural.
From SeKVM.layers.BootOps Require Import Code Spec Natural FrameTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

#[local] Hint Unfold get_smmu_num smmu_get : prims.

Lemma smmus_typed_one l k d : smmus_typed l = true -> l !! k = Some d ->
  0 <= smmu_base d < 18446744073709551616 /\ 0 <= smmu_size d < 18446744073709551616.
Proof.
  unfold smmus_typed. intros H B. apply andb_true_iff in H as [_ H]. rewrite forallb_forall in H.
  specialize (H d). unfold smmu_typed in H. rewrite andb_true_iff, !in_range_iff in H. apply H.
  apply elem_of_list_In. exact (elem_of_list_lookup_2 _ _ _ B).
Qed.

(** The locals when [k] SMMUs were looked at. *)
Definition io_locals (v a pa n k : Z) (base size : option Z) : env :=
  [("vmid", Some v); ("gpa", Some a); ("pa", Some pa); ("page", Some (phys pa)); ("i", Some k); ("state", None);
    ("n", Some n);
   ("base", base); ("size", size)].

Lemma map_io_code : fun_ok U f_map_io map_io_spec.
Proof.
  pose proof map_vm_io_records as N1. apply fun_ok_vc. intros vs s r E. unfold map_io_spec in E. args_of E.
    cbv beta in E.
  destruct (smmus_typed (boot_smmus (st_boot s))) eqn:TY; [|discriminate E].
  destruct (is_guest v) eqn:G.
  2:{ cbn [andb chk] in E. inv_spec E; autounfold with consts in *; boolprop; run_steps f_map_io; code_cases. }
  cbn [andb] in E. assert (LEN : 0 <= Z.of_nat (length (boot_smmus (st_boot s))) < 4294967296).
  { unfold smmus_typed in TY. apply andb_true_iff in TY as [L _]. now apply in_range_iff in L. }
  pose proof (phys_range a) as PR. fold (phys a) in PR.
  unfold is_guest in G. boolprop. run_steps f_map_io. ssteps.
  match goal with |- vc ?L (Swhile ?c ?b) ?K ?e ?t =>
    pose (next := K); change (wp (graph L) (Swhile c b) next e t) end.
  remember (boot_smmus (st_boot s)) as l eqn:HL. set (f := meets_smmu (phys a)) in *.
  eapply (wp_while _ _ _ (fun n e s' => exists k ob os, e = io_locals v i a (Z.of_nat (length l)) (Z.of_nat k) ob os
    /\ s' = s /\ (k + n = length l)%nat /\ existsb f (drop k l) = existsb f l)) with (n := length l).
  - intros n e s' (k & ob & os & -> & -> & K & X). unfold io_locals. run_vc_goal.
    destruct (Z.ltb_spec (Z.of_nat k) (Z.of_nat (length l))) as [Lt|Ge].
    + destruct (lookup_lt_is_Some_2 l k ltac:(lia)) as [d D].
      destruct (smmus_typed_one l k d TY D) as [B1 B2].
      rewrite (drop_S _ _ _ D) in X. cbn [existsb] in X.
      assert (LK : boot_smmus (st_boot s) !! Z.to_nat (Z.of_nat k) = Some d) by (rewrite Nat2Z.id, <- HL; exact D).
      assert (X1 : f d = false -> exists m, (m < n)%nat /\ exists k0 ob0 os0,
        io_locals v i a (Z.of_nat (length l)) (Z.of_nat k + 1) (Some (smmu_base d)) (Some (smmu_size d)) =
        io_locals v i a (Z.of_nat (length l)) (Z.of_nat k0) ob0 os0 /\ s = s /\ (k0 + m = length l)%nat /\
        existsb f (drop k0 l) = existsb f l).
      { intros F0. exists (n - 1)%nat. split; [lia|]. exists (Datatypes.S k). do 2 eexists.
        split; [unfold io_locals; repeat f_equal; lia|]. rewrite F0 in X. repeat split; [lia | exact X]. }
      assert (X2 : f d = true -> r = Halt s).
      { intros F0. rewrite F0 in X. cbn [orb] in X. rewrite <- X in E. now injection E as <-. }
      unfold io_locals in X1. unfold f, meets_smmu in X1, X2.
      ssteps. destruct (Z.ltb_spec (smmu_base d) (phys a + 4096)); cbn [andb] in X1, X2;
        [destruct (Z.ltb_spec (phys a) (smmu_base d)); cbn [orb] in X1, X2;
          [|destruct (Z.ltb_spec (phys a - smmu_base d) (smmu_size d))]|]; ssteps; auto.
    + rewrite drop_ge in X by lia. cbn [existsb] in X. rewrite <- X in E. cbn [negb] in E.
      section_of E; autounfold with prims consts in *; boolprop; state_norm_hyps; op_cases.
  - exists 0%nat, None, None. repeat split.
Qed.
