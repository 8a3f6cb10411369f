(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 4, Locks: each function's code meets its specification over LockOpsH.  The
    functions are two operations at lock numbers of six kinds; what is proved
    once is that the two calls of each body, in a row, are the operation. *)
From SeKVM.machine Require Import StateTac BottomTac ViewPass.
From SeKVM.layers.Locks Require Import Code Rel LocksTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * The operations *)

Lemma acquire_rel me : op_rel RV me acquire_op (op_bind wait_hlock_op (fun _ => pull_op)).
Proof.
  intros X c h v c' [V1 V2 V3 V4 V5] E. unfold acquire_op in E.
  destruct (c_held c) eqn:H; [discriminate|]. injection E as <- <-.
  unfold op_bind, wait_hlock_op, pull_op. rewrite <- V2. cbn. rewrite <- V3.
  eexists. split; [reflexivity|].
  split; cbn; rewrite ?V1, ?V4, ?V5; reflexivity.
Qed.

Lemma release_rel me : op_rel RV me (release_op me) (op_bind (push_op me) (fun _ => pass_hlock_op)).
Proof.
  intros X c h v c' [V1 V2 V3 V4 V5] E. unfold release_op in E.
  destruct (c_held c) eqn:H; [|discriminate]. injection E as <- <-.
  unfold op_bind, push_op, pass_hlock_op. cbn [own hview_view value]. rewrite <- V3. cbn. rewrite <- V2.
  eexists. split; [reflexivity|].
  split; cbn; rewrite ?V1, ?V4, ?V5; reflexivity.
Qed.

Lemma wait_hlock_zero X (h : hview X) v h' : wait_hlock_op X h = Some (v, h') -> v = 0.
Proof. unfold wait_hlock_op. destruct (h_held h); [discriminate|]. now intros [= <- _]. Qed.

Lemma push_zero me X (h : hview X) v h' : push_op me X h = Some (v, h') -> v = 0.
Proof. unfold push_op. destruct (own h); [|discriminate]. now intros [= <- _]. Qed.

Lemma acquire_zero X (c : cell X) v c' : acquire_op X c = Some (v, c') -> v = 0.
Proof. unfold acquire_op. destruct (c_held c); [discriminate|]. now intros [= <- _]. Qed.

Lemma release_zero me X (c : cell X) v c' : release_op me X c = Some (v, c') -> v = 0.
Proof. unfold release_op. destruct (c_held c); [|discriminate]. now intros [= <- _]. Qed.

(** * The calls *)

Definition Lo : tbl (St hview npt sptab (gmap Z s2page)) := (LockOpsH.Spec.T ++ T_pull)%list.

(** Run on [vs] from [t], the code of [fn] makes these two calls and ends. *)
Definition makes (fn : func) (vs : list Z) (f g : ident) (lk : Z) : Prop :=
  forall t t1 t2, call Lo f [lk] t = Some (Ok 0 t1) -> call Lo g [lk] t1 = Some (Ok 0 t2) ->
  exec_fun (graph Lo) fn vs t (Ok 0 t2).

(** What a specification of this layer says: the operation at the lock [lk]. *)
Definition is_at {S} (at_op : Z -> S -> option (Z * S)) (lk : Z) (s : S) (r : res S) : Prop :=
  in_range U32 lk = true /\ exists s', at_op lk s = Some (0, s') /\ r = Ok 0 s'.

Lemma acquire_sim fn (p : prim state) :
  (forall vs s r, (forall i, is_Some (st_npts s !! i) -> is_vmid i = true) ->
     (forall i, is_Some (st_vms s !! i) -> is_vmid i = true) -> p vs s = Some r ->
     exists lk, is_at (at_lock acquire_op) lk s r /\ makes fn vs "wait_hlock" "pull" lk) ->
  fun_sim R Lo fn p.
Proof.
  intros X vs s t r V E.
  destruct (X vs s r (vr_npts_dom _ _ _ V) (vr_vms_dom _ _ _ V) E) as (lk & [Rg (s' & A & ->)] & Mk).
  destruct (at_lock_rel RV _ _ _ _ _ _ _ (acquire_rel _) V A) as (t' & B & V').
  rewrite at_lock_bind in B.
  destruct (at_lock wait_hlock_op lk t) as [[v t1]|] eqn:B1; [|discriminate].
  exists (Ok 0 t'). split; [|split; [reflexivity | exact V']]. eapply Mk.
  - change (call Lo "wait_hlock" [lk] t) with (wait_hlock_spec [lk] t).
    unfold wait_hlock_spec, lock_prim, p1. rewrite Rg, B1.
    now rewrite (at_lock_value _ 0 _ _ _ _ wait_hlock_zero B1).
  - change (call Lo "pull" [lk] t1) with (lock_prim None (fun _ => pull_op) [lk] t1).
    unfold lock_prim, p1. rewrite Rg, B. reflexivity.
Qed.

Lemma release_sim fn (p : prim state) :
  (forall vs s r, (forall i, is_Some (st_npts s !! i) -> is_vmid i = true) ->
     (forall i, is_Some (st_vms s !! i) -> is_vmid i = true) -> p vs s = Some r ->
     exists lk, is_at (at_lock (release_op (cpu_id (st_cpu s)))) lk s r /\ makes fn vs "push" "pass_hlock" lk) ->
  fun_sim R Lo fn p.
Proof.
  intros X vs s t r V E.
  destruct (X vs s r (vr_npts_dom _ _ _ V) (vr_vms_dom _ _ _ V) E) as (lk & [Rg (s' & A & ->)] & Mk).
  destruct (at_lock_rel RV _ _ _ _ _ _ _ (release_rel _) V A) as (t' & B & V').
  rewrite (vr_cpu _ _ _ V) in B. rewrite at_lock_bind in B.
  destruct (at_lock (push_op (cpu_id (st_cpu t))) lk t) as [[v t1]|] eqn:B1; [|discriminate].
  exists (Ok 0 t'). split; [|split; [reflexivity | exact V']]. eapply Mk.
  - change (call Lo "push" [lk] t) with (lock_prim None push_op [lk] t).
    unfold lock_prim, p1. rewrite Rg, B1.
    now rewrite (at_lock_value _ 0 _ _ _ _ (push_zero _) B1).
  - change (call Lo "pass_hlock" [lk] t1) with (pass_hlock_spec [lk] t1).
    unfold pass_hlock_spec, lock_prim, p1. rewrite Rg, B. reflexivity.
Qed.

(** * The six kinds of locks *)

Lemma npt_number vm : is_vmid vm = true -> in_range U32 (lock_npt vm) = true.
Proof. intros V. autounfold with consts in V. boolprop. apply in_range_iff. unfold lock_npt. ranges_goal. lia. Qed.

Lemma vm_number vm : is_vmid vm = true -> in_range U32 (lock_vm vm) = true.
Proof. intros V. autounfold with consts in V. boolprop. apply in_range_iff. unfold lock_vm. ranges_goal. lia. Qed.

(** The specification of the lock of a VM's object, opened. *)
Lemma acquire_vm_at {X} (g : state -> gmap Z (cell X)) u vs s r :
  (forall i, is_Some (g s !! i) -> is_vmid i = true) -> acquire_vm_obj g u vs s = Some r ->
  exists vm s', vs = [vm] /\ is_vmid vm = true /\ map_op acquire_op g u vm s = Some (0, s') /\ r = Ok 0 s'.
Proof.
  intros D E. unfold acquire_vm_obj, p1 in E. destruct vs as [|vm [|]]; try discriminate.
  destruct (in_range U32 vm); [|discriminate]. destruct (g s !! vm) as [c|] eqn:C; [|discriminate].
  destruct (c_held c) eqn:H; [discriminate|]. cbn in E. injection E as <-.
  do 2 eexists. split; [reflexivity|]. split; [apply D; eauto|].
  unfold map_op, acquire_op. rewrite C, H. auto.
Qed.

Lemma release_vm_at {X} (g : state -> gmap Z (cell X)) u vs s r :
  (forall i, is_Some (g s !! i) -> is_vmid i = true) -> release_vm_obj g u vs s = Some r ->
  exists vm s', vs = [vm] /\ is_vmid vm = true /\
    map_op (release_op (cpu_id (st_cpu s))) g u vm s = Some (0, s') /\ r = Ok 0 s'.
Proof.
  intros D E. unfold release_vm_obj, p1 in E. destruct vs as [|vm [|]]; try discriminate.
  destruct (in_range U32 vm); [|discriminate]. destruct (g s !! vm) as [c|] eqn:C; [|discriminate].
  destruct (c_held c) eqn:H; [|discriminate]. cbn in E. injection E as <-.
  do 2 eexists. split; [reflexivity|]. split; [apply D; eauto|].
  unfold map_op, release_op. rewrite C, H. auto.
Qed.

(** ... and of an object of its own. *)
Lemma acquire_at {X} (g : state -> cell X) u vs s r : acquire_obj g u vs s = Some r ->
  vs = [] /\ exists s', obj_op acquire_op g u s = Some (0, s') /\ r = Ok 0 s'.
Proof.
  unfold acquire_obj, p0. destruct vs; [|discriminate]. unfold obj_op, acquire_op.
  destruct (c_held (g s)); [discriminate|]. cbn. intros [= <-]. eauto.
Qed.

Lemma release_at {X} (g : state -> cell X) u vs s r : release_obj g u vs s = Some r ->
  vs = [] /\ exists s', obj_op (release_op (cpu_id (st_cpu s))) g u s = Some (0, s') /\ r = Ok 0 s'.
Proof.
  unfold release_obj, p0. destruct vs; [|discriminate]. unfold obj_op, release_op.
  destruct (c_held (g s)); [|discriminate]. cbn. intros [= <-]. eauto.
Qed.

(** * The functions *)

Lemma acquire_lock_code : fun_sim R Lo f_acquire_lock acquire_lock_spec.
Proof.
  apply acquire_sim. intros vs s r _ _ E. unfold acquire_lock_spec, lock_prim, p1 in E.
  destruct vs as [|lk [|]]; try discriminate. destruct (in_range U32 lk) eqn:Rg; [|discriminate].
  destruct (at_lock acquire_op lk s) as [[v s']|] eqn:A; [|discriminate].
  assert (Z0 : v = 0) by exact (at_lock_value _ 0 _ _ _ _ acquire_zero A). subst v.
  cbn in E. injection E as <-. exists lk. split; [split; [exact Rg | eauto] | two_calls f_acquire_lock].
Qed.

Lemma release_lock_code : fun_sim R Lo f_release_lock release_lock_spec.
Proof.
  apply release_sim. intros vs s r _ _ E. unfold release_lock_spec, lock_prim, p1 in E.
  destruct vs as [|lk [|]]; try discriminate. destruct (in_range U32 lk) eqn:Rg; [|discriminate].
  destruct (at_lock (release_op (cpu_id (st_cpu s))) lk s) as [[v s']|] eqn:A; [|discriminate].
  assert (Z0 : v = 0) by exact (at_lock_value _ 0 _ _ _ _ (release_zero _) A). subst v.
  cbn in E. injection E as <-. exists lk. split; [split; [exact Rg | eauto] | two_calls f_release_lock].
Qed.


Lemma acquire_lock_pt_code : fun_sim R Lo f_acquire_lock_pt acquire_lock_pt_spec.
Proof.
  apply acquire_sim. intros vs s r D _ E.
  destruct (acquire_vm_at _ _ _ _ _ D E) as (vm & s' & -> & V & A & ->).
  exists (lock_npt vm). split; [|two_calls f_acquire_lock_pt].
  split; [now apply npt_number|]. exists s'. rewrite at_lock_npt by exact V. auto.
Qed.

Lemma release_lock_pt_code : fun_sim R Lo f_release_lock_pt release_lock_pt_spec.
Proof.
  apply release_sim. intros vs s r D _ E.
  destruct (release_vm_at _ _ _ _ _ D E) as (vm & s' & -> & V & A & ->).
  exists (lock_npt vm). split; [|two_calls f_release_lock_pt].
  split; [now apply npt_number|]. exists s'. rewrite at_lock_npt by exact V. auto.
Qed.

Lemma acquire_lock_vm_code : fun_sim R Lo f_acquire_lock_vm acquire_lock_vm_spec.
Proof.
  apply acquire_sim. intros vs s r _ D E.
  destruct (acquire_vm_at _ _ _ _ _ D E) as (vm & s' & -> & V & A & ->).
  exists (lock_vm vm). split; [|two_calls f_acquire_lock_vm].
  split; [now apply vm_number|]. exists s'. rewrite at_lock_vm by exact V. auto.
Qed.

Lemma release_lock_vm_code : fun_sim R Lo f_release_lock_vm release_lock_vm_spec.
Proof.
  apply release_sim. intros vs s r _ D E.
  destruct (release_vm_at _ _ _ _ _ D E) as (vm & s' & -> & V & A & ->).
  exists (lock_vm vm). split; [|two_calls f_release_lock_vm].
  split; [now apply vm_number|]. exists s'. rewrite at_lock_vm by exact V. auto.
Qed.

Lemma acquire_lock_core_code : fun_sim R Lo f_acquire_lock_core acquire_lock_core_spec.
Proof.
  apply acquire_sim. intros vs s r _ _ E. destruct (acquire_at _ _ _ _ _ E) as (-> & s' & A & ->).
  exists lock_core. split; [split; [reflexivity|]; exists s'; auto | two_calls f_acquire_lock_core].
Qed.

Lemma release_lock_core_code : fun_sim R Lo f_release_lock_core release_lock_core_spec.
Proof.
  apply release_sim. intros vs s r _ _ E. destruct (release_at _ _ _ _ _ E) as (-> & s' & A & ->).
  exists lock_core. split; [split; [reflexivity|]; exists s'; auto | two_calls f_release_lock_core].
Qed.

Lemma acquire_lock_s2page_code : fun_sim R Lo f_acquire_lock_s2page acquire_lock_s2page_spec.
Proof.
  apply acquire_sim. intros vs s r _ _ E. destruct (acquire_at _ _ _ _ _ E) as (-> & s' & A & ->).
  exists lock_s2page. split; [split; [reflexivity|]; exists s'; auto | two_calls f_acquire_lock_s2page].
Qed.

Lemma release_lock_s2page_code : fun_sim R Lo f_release_lock_s2page release_lock_s2page_spec.
Proof.
  apply release_sim. intros vs s r _ _ E. destruct (release_at _ _ _ _ _ E) as (-> & s' & A & ->).
  exists lock_s2page. split; [split; [reflexivity|]; exists s'; auto | two_calls f_release_lock_s2page].
Qed.

Lemma acquire_lock_spt_code : fun_sim R Lo f_acquire_lock_spt acquire_lock_spt_spec.
Proof.
  apply acquire_sim. intros vs s r _ _ E. destruct (acquire_at _ _ _ _ _ E) as (-> & s' & A & ->).
  exists lock_spt. split; [split; [reflexivity|]; exists s'; auto | two_calls f_acquire_lock_spt].
Qed.

Lemma release_lock_spt_code : fun_sim R Lo f_release_lock_spt release_lock_spt_spec.
Proof.
  apply release_sim. intros vs s r _ _ E. destruct (release_at _ _ _ _ _ E) as (-> & s' & A & ->).
  exists lock_spt. split; [split; [reflexivity|]; exists s'; auto | two_calls f_release_lock_spt].
Qed.

Lemma acquire_lock_smmu_code : fun_sim R Lo f_acquire_lock_smmu acquire_lock_smmu_spec.
Proof.
  apply acquire_sim. intros vs s r _ _ E. destruct (acquire_at _ _ _ _ _ E) as (-> & s' & A & ->).
  exists lock_smmu. split; [split; [reflexivity|]; exists s'; auto | two_calls f_acquire_lock_smmu].
Qed.

Lemma release_lock_smmu_code : fun_sim R Lo f_release_lock_smmu release_lock_smmu_spec.
Proof.
  apply release_sim. intros vs s r _ _ E. destruct (release_at _ _ _ _ _ E) as (-> & s' & A & ->).
  exists lock_smmu. split; [split; [reflexivity|]; exists s'; auto | two_calls f_release_lock_smmu].
Qed.
