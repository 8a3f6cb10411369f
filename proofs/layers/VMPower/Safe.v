(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 18, VMPower: being off is for ever.  The records of VMs satisfy [vm_ok] at start
    and after every step, and every step goes forward ([vm_le]); a VM that is off stays off
    whatever any CPU does then, so its frames can be taken back after the lock was given
    up without hitting a running vCPU.  Rests on [VmFacts]; [BootOps/Safe.v] has the rest
    of the steps on records. *)
From SeKVM.lib Require Import VcTac PrimInv.
From SeKVM.machine Require Import CellInv Init Rel.
From SeKVM.machine Require Import BottomVmTac.
From SeKVM.layers.VMPower Require Import Spec VmFacts.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Records.
  Context {N M P : Type}.
  Notation St := (St cell N M P).

  (** The records that this CPU sees and those that others will publish. *)
  Definition vms_ok (s : St) : Prop :=
    forall v c, st_vms s !! v = Some c -> cell_ok (fun x => vm_ok x = true) c.

  (** Every record of [s'] is that of [s], or comes after the one that was locked. *)
  Definition forward (s s' : St) : Prop :=
    forall v c', st_vms s' !! v = Some c' ->
    exists c, st_vms s !! v = Some c /\ (c' = c \/ vm_le (c_val (acquire_cell c)) (c_val c')).

  (** What a step on records must do. *)
  Definition safe_step (s : St) (r : option (res St)) : Prop := res_all (fun s' => vms_ok s' /\ forward s s') r.

  Lemma same_records (s s' : St) : vms_ok s -> st_vms s' = st_vms s -> vms_ok s' /\ forward s s'.
  Proof. intros I E. split; intros v c; rewrite E; [apply I | eauto]. Qed.

  (** The record [x] replaces the locked one, published or not. *)
  Lemma put_safe v c0 c (s s1 : St) : vms_ok s -> st_vms s !! v = Some c0 -> st_vms s1 = st_vms s ->
    cell_ok (fun x => vm_ok x = true) c -> vm_le (c_val (acquire_cell c0)) (c_val c) ->
    vms_ok (put_vm v c s1) /\ forward s (put_vm v c s1).
  Proof.
    intros I E E1 C L. unfold put_vm. split; intros w d; state_norm; rewrite E1;
      destruct (decide (w = v)) as [->|Ne]; rewrite ?lookup_insert, ?lookup_insert_ne by congruence.
    - now intros [= <-].
    - apply I.
    - intros [= <-]. exists c0. auto.
    - intros D. exists d. auto.
  Qed.

  Lemma publish_safe v c0 x k r (s s1 : St) : vms_ok s -> st_vms s !! v = Some c0 -> st_vms s1 = st_vms s ->
    vm_ok x = true -> vm_le (c_val (acquire_cell c0)) x ->
    publish_vm v (set_val x (acquire_cell c0)) k s1 = r -> safe_step s r.
  Proof.
    intros I E E1 X L <-. apply (put_safe v c0); auto.
    apply release_ok, set_val_ok; [|exact X]. apply acquire_ok. exact (I v c0 E).
  Qed.

  Lemma kept_safe v c0 k r (s s1 : St) : vms_ok s -> st_vms s !! v = Some c0 -> st_vms s1 = st_vms s ->
    publish_vm v (acquire_cell c0) k s1 = r -> safe_step s r.
  Proof.
    intros I E E1 <-. apply (put_safe v c0); auto; [|apply vm_le_refl].
    apply release_ok, acquire_ok. exact (I v c0 E).
  Qed.

  Lemma denied_safe v c0 r (s s1 : St) : vms_ok s -> st_vms s !! v = Some c0 -> st_vms s1 = st_vms s ->
    denied_vm v (acquire_cell c0) s1 = r -> safe_step s r.
  Proof.
    intros I E E1 <-. apply (put_safe v c0); auto; [|apply vm_le_refl]. apply acquire_ok. exact (I v c0 E).
  Qed.

  (** The result type of a primitive changes nothing. *)
  Lemma chk_safe rt o r (s : St) : chk rt o = Some r -> (forall r, o = Some r -> safe_step s (Some r)) -> safe_step s (Some r).
  Proof.
    destruct o as [[v t|t]|]; cbn [chk]; [|intros [= <-]; auto|discriminate].
    intros X K. specialize (K _ eq_refl). destruct rt as [ty|]; [destruct (in_range ty v) | destruct (v =? 0)];
      try discriminate; injection X as <-; exact K.
  Qed.

  (** * This layer *)

  Theorem VMPower_safe f vs (s : St) r : vms_ok s -> call T f vs s = Some r -> safe_step s (Some r).
  Proof.
    intros I. unfold call, T. cbn [Lang.assoc].
      repeat match goal with |- context [String.eqb f ?g] => destruct (String.eqb f g) end; try discriminate; intros E.
    - unfold get_vm_poweron_spec, set_vm_poweroff_spec in E. apply p1_inv in E as (v & -> & _ & E).
      apply (chk_safe _ _ _ _ E). clear E r. intros r E.
      destruct (is_guest v); [|injection E as <-; now apply same_records].
      apply with_vm_inv in E as (c0 & c & C & _ & <- & _ & OK & E). exact (kept_safe v c0 _ _ s s I C eq_refl E).
    - unfold get_vm_poweron_spec, set_vm_poweroff_spec in E. apply p1_inv in E as (v & -> & _ & E).
      apply (chk_safe _ _ _ _ E). clear E r. intros r E.
      destruct (is_guest v); [|injection E as <-; now apply same_records].
      apply with_vm_inv in E as (c0 & c & C & _ & <- & _ & OK & E).
      destruct (power_off _) as [x|] eqn:X; [|exact (denied_safe v c0 _ s s I C eq_refl E)].
      destruct (power_off_le _ _ X OK) as [OK' L]. exact (publish_safe v c0 x _ _ s s I C eq_refl OK' L E).
  Qed.

  (** The answer "off" is about the record that is left; with [off_stays] it is true of
      every record that comes after it. *)
  Theorem off_answer v (s s' : St) : get_vm_poweron_spec [v] s = Some (Ok 0 s') ->
    exists c, st_vms s' !! v = Some c /\ c_held c = false /\ is_off (c_val c) = true.
  Proof.
    unfold get_vm_poweron_spec. intros E. apply p1_inv in E as (w & [= <-] & _ & E). destruct (is_guest v); [|discriminate].
    destruct (with_vm v s _) as [q|] eqn:W; [|discriminate].
    apply with_vm_inv in W as (c0 & c & C & _ & EC & _ & _ & W). injection W as <-. cbn [chk] in E.
    destruct (in_range U32 _); [|discriminate]. injection E as E <-.
    exists (release_cell (cpu_id (st_cpu s)) c). unfold put_vm. state_norm. rewrite lookup_insert.
    split; [reflexivity|]. split; [reflexivity|]. cbn [release_cell c_val]. destruct (is_off (c_val c));
      [reflexivity | discriminate].
  Qed.
End Records.

(** At start no VM is registered. *)
Lemma vminfo0_ok : vm_ok vminfo0 = true.
Proof. vm_compute. reflexivity. Qed.

(** Without the condition on vCPUs an answer would not last: a vCPU that is active in a VM
    that was switched off runs on. *)
Example switched_off_but_running :
  exists x, vm_ok x = true /\ vm_state x = POWEROFF /\ any_active x = true.
Proof. exists (set_vcpu_state 2 ACTIVE (set_vm_state POWEROFF vminfo0)). repeat split. Qed.
