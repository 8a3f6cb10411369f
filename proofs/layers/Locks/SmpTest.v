(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 4, Locks, on many CPUs: a concrete run of the interleaving machine from boot,
    so that the premises of [locks_smp_boot] can be met; and a data race, on which the
    machine is stuck. *)
From SeKVM.lib Require Import SmpCode.
From SeKVM.machine Require Import Objects Init.
From SeKVM.layers.Locks Require Import Smp SmpBoot.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** CPU 1 takes the core lock and gives it back, then CPU 0 takes it. *)
Definition handover : list (Z * label) :=
  [(1, ("acquire_lock_core", [], Some 0)); (1, ("release_lock_core", [], Some 0));
   (0, ("acquire_lock_core", [], Some 0))].

Lemma core_there : g_obj (start_glob quiet) !! lock_core = Some (VCore core0).
Proof. exact (start_obj quiet lock_core). Qed.

Example handover_runs : exists g, grun opof handover (start_glob quiet) g.
Proof.
  pose proof core_there as E. unfold start_glob in *. cbn [g_obj] in E. eexists.
  eapply grun_cons; [reflexivity | eapply g_acq; [exact E | reflexivity] |].
  eapply grun_cons; [reflexivity | eapply g_rel; [exact E | reflexivity] |].
  eapply grun_cons; [reflexivity | eapply g_acq; [exact E | reflexivity] |].
  constructor.
Qed.

(** CPU 0's part of it is one call, made by its code (here the call itself). *)
Example handover_code : flat [] Ltrace "acquire_lock_core" [] (proj 0 handover) (Ok 0 []).
Proof. exists O. repeat split. Qed.

Lemma acq_free c k (g : @glob objval private) v g' : gstep c (Acq k) g v g' -> g_own g !! k = None /\ g_own g' !! k = Some c.
Proof.
  intros S. inversion S as [k0 x0 o0 w0 l0 p0 E1 E2| | |]; subst. cbn. split; [exact E2 | apply lookup_insert].
Qed.

(** CPU 1 cannot take the lock while CPU 0 holds it. *)
Example exclusive : ~ exists g,
  grun opof [(0, ("acquire_lock_core", [], Some 0)); (1, ("acquire_lock_core", [], Some 0))] (start_glob quiet) g.
Proof.
  intros [g R]. generalize dependent (start_glob quiet). intros g0 R.
  inversion R as [|c1 f1 vs1 v1 o1 tr1 g1 g2 g3 O1 S1 R2]; subst. injection O1 as <-.
  inversion R2 as [|c4 f4 vs4 v4 o4 tr4 g4 g5 g6 O2 S2 R3]; subst. injection O2 as <-.
  destruct (acq_free _ _ _ _ _ S1) as [_ E1]. destruct (acq_free _ _ _ _ _ S2) as [E2 _]. congruence.
Qed.

(** Nor touch the object: without the lock the primitive is undefined for it. *)
Example race : on_held "get_smmu_pgd_next" [] (priv (init (quiet 1)), held_by 1 (start_glob quiet)) = None.
Proof.
  assert (E : held_by 1 (start_glob quiet) = ∅).
  { apply map_eq. intros k. rewrite lookup_held_by, lookup_empty. unfold start_glob. cbn [g_own].
    rewrite lookup_empty. now rewrite decide_False by discriminate. }
  rewrite E. vm_compute. reflexivity.
Qed.
