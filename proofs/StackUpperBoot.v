(* SPDX-License-Identifier: Apache-2.0 *)
(** [upper_safe] of the C code: from the concrete initial state of the bottom machine, whatever the other CPUs fairly
    do, the linked program of layers 1 to 26 makes every sequence of the operations of layers 17 to 26, to its end or
    to a panic.  Rests on [StackUpperSafe] and [StackTop]. *)
From SeKVM.lib Require Import Link Runs.
From SeKVM.machine Require Import Tickets LockInit Rel.
From SeKVM.layers.LockOpsH Require Import Fair.
From SeKVM.layers.Locks Require Import Boot.
From SeKVM Require Import StackSafe StackFrames StackFramesSafe StackUpper StackUpperSafe StackTop.
From SeKVM.layers.BootCore Require Safe.
From SeKVM.layers.MmioOpsAux Require Spec.
From SeKVM.layers.MmioOps Require Safe.
Local Open Scope Z_scope.

(** Read: start the bottom machine with any value [n] of the ticket counters, a well-formed map of memory and list of
    SMMUs; let the other CPUs behave fairly on every lock, and leave tables, owners, records and counters that mean
    something.  Then the linked program makes every sequence of the operations of layers 17 to 26, with any arguments
    of their C types, to its end or to a panic, and what its last state means satisfies the invariant. *)
Theorem upper_safe_boot n w B sc maps smaps pages cs h :
  0 <= n < 4294967296 -> is_cpu (w_cpu w) = true -> fair_scripts (w_cpu w) B sc ->
  PageManager.Spec.firmware_ok (boot_mem (w_boot w)) = true -> maps_of (world_of w sc) maps smaps ->
  Forall2 (Forall2 (event_rel (PageManager.Spec.RP (boot_mem (w_boot w))))) pages (w_s2 (world_of w sc)) ->
  publishes BootCore.Safe.core_ok (w_core (world_of w sc)) ->
  publishes MmioOps.Safe.owners_ok (w_smmu (world_of w sc)) ->
  (forall v, publishes record_ok (w_vms (world_of w sc) v)) ->
  MmioOpsAux.Spec.smmus_ok (boot_smmus (w_boot w)) = true ->
  upper_calls ∅ cs h ->
  exists r', runs (flat bank_program (graph L0)) cs (init0 n w sc) r' /\
    exists r, res_rel R_frames r r' /\ match r with Ok _ s => whole h s | Halt _ => True end.
Proof.
  intros Rn Cp Fa FW Mp S Pc Po Pv Sm Cs.
  assert (Ci : 0 <= w_cpu (world_of w sc) < 8).
  { change (w_cpu (world_of w sc)) with (w_cpu w). unfold is_cpu in Cp. apply andb_true_iff in Cp as [C1 C2].
    apply Z.leb_le in C1. apply Z.ltb_lt in C2. split; assumption. }
  pose proof (init_whole maps smaps pages (world_of w sc) Mp FW S Pc Po Pv Ci Sm) as W.
  destruct (upper_safe ∅ cs h _ Cs W) as (r & E & G).
  pose proof (frames_boot n w B sc maps smaps pages Rn Cp Fa FW (proj1 Mp) (proj2 Mp) S) as V.
  destruct (refines_runs R_frames _ _ bank_stack cs _ _ (run_calls_runs _ _ _ _ E) _ V) as (r' & X & Y).
  exists r'. split; [exact X|]. exists r. auto.
Qed.
