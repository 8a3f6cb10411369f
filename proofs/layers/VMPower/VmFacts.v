(* SPDX-License-Identifier: Apache-2.0 *)
(** What follows from [vm_ok] and from a defined critical section of a VM's record.  Used
    by the code proofs of layers 18 to 21. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.machine Require Import BottomVmTac.
From SeKVM.layers.VMPower Require Import Vm.
Local Open Scope Z_scope.

(** [c] is the record [d] once locked. *)
Definition locked {X} (c d : cell X) : Prop := acquire_cell d = c.

Lemma with_vm_inv {N M P} v (s : St cell N M P) k r : with_vm v s k = Some r ->
  exists c0 c, st_vms s !! v = Some c0 /\ c_held c0 = false /\ locked c c0 /\ c_held c = true /\
    vm_ok (c_val c) = true /\ k c = Some r.
Proof.
  unfold with_vm. destruct (st_vms s !! v) as [c0|]; [|discriminate].
  destruct (c_held c0) eqn:H; [discriminate|]. cbn [negb].
  destruct (vm_ok _) eqn:O; [|discriminate]. intros E. exists c0, (acquire_cell c0). repeat split; auto.
Qed.

Lemma forallb_seqZ f n : forallb f (seqZ 0 n) = true <-> forall i, 0 <= i < n -> f i = true.
Proof.
  rewrite forallb_forall. split; intros H i.
  - intros R. apply H. apply elem_of_list_In, elem_of_seqZ. lia.
  - intros I. apply H. apply elem_of_list_In, elem_of_seqZ in I. lia.
Qed.

(** Adding the last index. *)
Lemma seqZ_last k : 0 <= k -> seqZ 0 (k + 1) = (seqZ 0 k ++ [k])%list.
Proof.
  intros R. rewrite seqZ_app by lia. reflexivity.
Qed.
Lemma existsb_seqZ_S f k : 0 <= k -> existsb f (seqZ 0 (k + 1)) = existsb f (seqZ 0 k) || f k.
Proof. intros R. rewrite seqZ_last, existsb_app by exact R. cbn. now rewrite orb_false_r. Qed.
Lemma forallb_seqZ_S f k : 0 <= k -> forallb f (seqZ 0 (k + 1)) = forallb f (seqZ 0 k) && f k.
Proof. intros R. rewrite seqZ_last, forallb_app by exact R. cbn. now rewrite andb_true_r. Qed.

(** [vm_ok] part by part. *)
Lemma vm_ok_iff x : vm_ok x = true <->
  state_ok (vm_state x) = true /\ in_range U64 (vm_kvm x) = true /\ in_range U32 (vm_inc_exe x) = true /\
  0 <= load_next x <= 5 /\ (forall i, 0 <= i < 8 -> vcpu_ok x i = true) /\
  (forall i, 0 <= i < load_next x -> image_ok x i = true) /\
  (forall i, 0 <= i < load_next x -> images_apart x i = true) /\
  (vm_state x = VERIFIED -> forall i, 0 <= i < load_next x -> complete x i = true).
Proof.
  unfold vm_ok, MAX_LOAD_INFO, MAX_VCPU. rewrite !andb_true_iff, !forallb_seqZ, orb_true_iff, negb_true_iff, Z.eqb_neq,
    !Z.leb_le, forallb_seqZ.
  split.
  - intros ((((((((S & K) & I) & L1) & L2) & V) & A) & B) & C). repeat split; auto. intros E. destruct C as [C|C]; [lia | exact C].
  - intros (S & K & I & L & V & A & B & C). repeat split; auto; try lia.
    destruct (Z.eq_dec (vm_state x) VERIFIED); [right; auto | left; auto].
Qed.

Lemma state_ok_range z : state_ok z = true -> 0 <= z <= 4.
Proof. unfold state_ok, UNUSED, READY, VERIFIED, POWEROFF. intros H. boolprop. lia. Qed.

Lemma vm_ok_state x : vm_ok x = true -> 0 <= vm_state x <= 4.
Proof. intros H. apply vm_ok_iff in H as [H _]. now apply state_ok_range. Qed.

Lemma vm_ok_vcpu_range x i : vm_ok x = true -> 0 <= i < 8 -> 0 <= vcpu_at x i <= 5.
Proof.
  intros H R. apply vm_ok_iff in H as (_ & _ & _ & _ & V & _). specialize (V i R).
  unfold vcpu_ok, UNUSED, READY, ACTIVE in V. boolprop. lia.
Qed.

(** Going forward is a preorder. *)
Lemma vm_le_refl x : vm_le x x.
Proof. split; auto; try lia; repeat split; auto; lia. Qed.

Lemma vm_le_trans x y z : vm_le x y -> vm_le y z -> vm_le x z.
Proof.
  intros [S1 A1 N1 I1 F1] [S2 A2 N2 I2 F2]. split; [lia | | lia | |].
  - intros i E. destruct (A2 i E) as [E'|L]; [exact (A1 i E') | right; lia].
  - intros i R. destruct (I1 i R) as (A & B & C & D & M1), (I2 i ltac:(lia)) as (A' & B' & C' & D' & M2).
    repeat split; try congruence; lia.
  - intros R. destruct (F1 R) as (A & B & C & D & E & U1), (F2 ltac:(lia)) as (A' & B' & C' & D' & E' & U2).
    repeat split; try congruence; intros X; [now apply U2, U1 | now apply U1, U2].
Qed.

Lemma any_active_iff x : any_active x = true <-> exists i, 0 <= i < 8 /\ vcpu_at x i = ACTIVE.
Proof.
  unfold any_active. rewrite existsb_exists. split; intros (i & I & E); exists i.
  - apply elem_of_list_In, elem_of_seqZ in I. unfold MAX_VCPU in I. split; [lia | now apply Z.eqb_eq].
  - split; [apply elem_of_list_In, elem_of_seqZ; unfold MAX_VCPU; lia | now apply Z.eqb_eq].
Qed.

(** Off is for ever. *)
Theorem off_stays x y : vm_ok y = true -> vm_le x y -> is_off x = true -> is_off y = true.
Proof.
  intros OK [LS LA _ _ _] O. unfold is_off in *. apply andb_true_iff in O as [O1 O2]. apply Z.eqb_eq in O1.
  pose proof (vm_ok_state y OK). apply andb_true_iff. split; [apply Z.eqb_eq; unfold POWEROFF in *; lia|].
  apply negb_true_iff in O2. apply negb_true_iff. destruct (any_active y) eqn:A; [|reflexivity].
  apply any_active_iff in A as (i & R & E). destruct (LA i E) as [E'|L]; [|lia].
  rewrite <- O2. symmetry. apply any_active_iff. eauto.
Qed.

(** Switching off is a step forward, and keeps what holds of records. *)
Lemma power_off_le x y : power_off x = Some y -> vm_ok x = true -> vm_ok y = true /\ vm_le x y.
Proof.
  unfold power_off. destruct (vm_state x =? UNUSED) eqn:E; [discriminate|]. intros [= <-] OK. boolprop.
  pose proof (vm_ok_state x OK). apply vm_ok_iff in OK as (S & K & I & L & V & A & B & C). split.
  - apply vm_ok_iff. repeat split; auto; try apply L; try discriminate.
    intros i R. specialize (V i R). unfold vcpu_ok, vcpu_at in *. cbn. boolprop. bool_goal.
  - unfold POWEROFF, VERIFIED, UNUSED in *. split; unfold vcpu_at, img_addr, img_size, img_remap, img_digest, img_mapped;
      state_norm; [lia | auto | lia | intros; repeat split; auto; lia | intros _; repeat split; auto].
Qed.
