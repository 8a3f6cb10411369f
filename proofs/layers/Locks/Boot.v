(* SPDX-License-Identifier: Apache-2.0 *)
(** The initial states of layers 0 and 4 are related: if the world's scripts at layer 4
    are the counterparts of the bottom machine's, the concrete initial state of the
    bottom machine is one of layer 4's.  And every fair bottom world has such a
    counterpart.  Used by [Stack]. *)
From SeKVM.machine Require Import LockInit.
From SeKVM.layers.LockOpsH Require Import Fair.
From SeKVM.layers.LockOpsQ Require ProofCode.
From SeKVM.layers.Locks Require Import Rel.
Local Open Scope Z_scope.

Definition free_qview {X} (x : X) (s : list (list (lock_event X))) : qview X := mkqview x false [] [] s.
Definition free_hview {X} (x : X) (s : list (list (Z * X))) : hview X := mkhview x false false [] s.

(** For every object, the waits of this CPU under the bottom script are those of the
    world's script. *)
Record counterparts (w : world) (sc : scripts lock_event) : Prop := mkcounterparts {
  cp_core : waits (w_cpu w) [] (sc_core sc) (w_core w);
  cp_s2 : waits (w_cpu w) [] (sc_s2 sc) (w_s2 w);
  cp_spt : waits (w_cpu w) [] (sc_spt sc) (w_spt w);
  cp_smmu : waits (w_cpu w) [] (sc_smmu sc) (w_smmu w);
  cp_npts : forall vm, 0 <= vm < 17 -> waits (w_cpu w) [] (sc_npts sc vm) (w_npts w vm);
  cp_vms : forall vm, 0 <= vm < 17 -> waits (w_cpu w) [] (sc_vms sc vm) (w_vms w vm) }.

(** From the bottom machine's state to layer 4's, through three layers. *)
Definition R_boot : srel state (St tview npt sptab (gmap Z s2page)) :=
  rcomp Locks.Rel.R (rcomp LockOpsH.Spec.R (rcomp LockOpsQ.Spec.R LockOps.Spec.R)).

Theorem boot_related n w sc :
  0 <= n < 4294967296 -> counterparts w sc -> rel R_boot (init w) (init0 n w sc).
Proof.
  intros Rn [C1 C2 C3 C4 C5 C6]. rewrite init_is_view.
  exists (init_view (@free_hview) w (world_scripts w)). split.
  { apply (init_view_rel Locks.Rel.RV (@free_cell) (@free_hview) w _ _ (fun X => eq)); auto.
    intros X x s t <-. split; reflexivity. }
  exists (init_view (@free_qview) w sc). split.
  { apply (init_view_rel LockOpsH.Spec.RV (@free_hview) (@free_qview) w _ _
             (fun X hs s => waits (w_cpu w) [] s hs)); auto.
    intros X x hs s Y. split; auto. }
  exists (init0 n w sc). split.
  { apply (init_view_rel LockOpsQ.Spec.RV (@free_qview) (@free_tview n) w _ _ (fun X => eq)); auto.
    intros X x s t <-. split; auto; try constructor. cbn. lia. }
  apply (init_view_rel LockOps.Spec.RV (@free_tview n) (@free_tview n) w _ _ (fun X => eq)); auto.
  intros X x s t <-. unfold LockOps.Spec.RV, wrapped, free_tview, wrap. cbn.
  now rewrite !(Z.mod_small n 4294967296).
Qed.

(** The bottom worlds whose other CPUs are fair, for every lock. *)
Record fair_scripts (me : Z) (B : nat) (sc : scripts lock_event) : Prop := mkfair {
  fs_core : fair me B Idle [] (sc_core sc);
  fs_s2 : fair me B Idle [] (sc_s2 sc);
  fs_spt : fair me B Idle [] (sc_spt sc);
  fs_smmu : fair me B Idle [] (sc_smmu sc);
  fs_npts : forall vm, fair me B Idle [] (sc_npts sc vm);
  fs_vms : forall vm, fair me B Idle [] (sc_vms sc vm) }.

(** Waiting is deterministic, so the counterpart can be computed. *)
Fixpoint counterpart {X} (n : nat) (me : Z) (q : list Z) (s : list (list (lock_event X))) : list (list (Z * X)) :=
  match n, s with
  | S n, _ :: _ =>
      match q_wait me q s with
      | Some (_ :: q', evs, s') => evs :: counterpart n me q' s'
      | _ => []
      end
  | _, _ => []
  end.

Lemma counterpart_waits {X} me B : is_cpu me = true -> forall n q (s : list (list (lock_event X))),
  fair me B Idle q s -> LockOpsQ.ProofCode.queue_ok q -> ~ In me q -> (length s <= n)%nat ->
  waits me q s (counterpart n me q s).
Proof.
  intros Cp. induction n as [|n IH]; intros q s Fa O Nq Le.
  - destruct s; [|cbn in Le; lia]. cbn in Fa. subst q. now constructor.
  - destruct s as [|b s]; [cbn in Fa; subst q; now constructor|].
    destruct (fair_wait me B q b s Cp Fa O Nq) as (q' & evs & s' & W & Fa' & O' & Nq' & Le').
    cbn [counterpart]. rewrite W. eapply waits_step; [exact W|]. apply IH; auto. cbn in Le. lia.
Qed.

(** The world of layer 4 that corresponds to bottom scripts. *)
Definition world_of (w : world) (sc : scripts lock_event) : world :=
  let f := fun X (s : list (list (lock_event X))) => counterpart (length s) (w_cpu w) [] s in
  mkworld (w_cpu w) (w_boot w) (w_words w) (f _ (sc_core sc)) (f _ (sc_s2 sc)) (f _ (sc_spt sc))
          (f _ (sc_smmu sc)) (fun vm => f _ (sc_npts sc vm)) (fun vm => f _ (sc_vms sc vm))
          (w_ctxts w) (w_mem w) (w_ins w).

Theorem fair_counterparts w B sc :
  is_cpu (w_cpu w) = true -> fair_scripts (w_cpu w) B sc -> counterparts (world_of w sc) sc.
Proof.
  intros Cp [F1 F2 F3 F4 F5 F6].
  assert (Q : LockOpsQ.ProofCode.queue_ok []) by (split; constructor).
  constructor; cbn; intros; apply (counterpart_waits _ B Cp); auto.
Qed.

(** Read: however the other CPUs behave fairly, the bottom machine starts in a state
    that is an initial state of layer 4. *)
Corollary fair_boot n w B sc :
  0 <= n < 4294967296 -> is_cpu (w_cpu w) = true -> fair_scripts (w_cpu w) B sc ->
  rel R_boot (init (world_of w sc)) (init0 n w sc).
Proof.
  intros Rn Cp Fa. exact (boot_related n (world_of w sc) sc Rn (fair_counterparts w B sc Cp Fa)).
Qed.
