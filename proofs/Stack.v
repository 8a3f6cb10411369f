(* SPDX-License-Identifier: Apache-2.0 *)
(** The stack theorem: the specification of the top layer is implemented by the linked
    C code of all layers on the bottom machine, one flat program.  With it, that the
    specification says something: from the concrete initial state of the bottom
    machine, whatever the other CPUs fairly do, the program runs every polite sequence
    of calls to its end or to a panic.  At present the stack ends at layer 5. *)
From SeKVM.lib Require Import Runs.
From SeKVM.machine Require Import LockInit.
From SeKVM.layers.LockOpsH Require Import Fair.
From SeKVM.layers.Locks Require Import Boot.
From SeKVM.layers.LockOps Require Code Refine.
From SeKVM.layers.LockOpsQ Require Code Refine.
From SeKVM.layers.LockOpsH Require Code Refine.
From SeKVM.layers.Locks Require Code Refine.
From SeKVM.layers.PTAlloc Require Code Refine Safe.
Local Open Scope Z_scope.

(** The code, lowest layer first. *)
Definition modules : list module :=
  [LockOps.Code.code; LockOpsQ.Code.code; LockOpsH.Code.code; Locks.Code.code; PTAlloc.Code.code].
Definition program : module := List.concat modules.

(** The relation between a state of the top layer and one of the bottom machine: the
    composition of the layers' relations. *)
Definition R_stack : srel state (St tview npt sptab (gmap Z s2page)) := rcomp req R_boot.

Theorem stack : refines R_stack (graph PTAlloc.Spec.L) (flat program (graph L0)).
Proof.
  apply end_to_end; [vm_compute; reflexivity|]. cbn [nested modules].
  eapply vcomp; [exact PTAlloc.Refine.PTAlloc_refines|].
  eapply vcomp; [exact Locks.Refine.Locks_refines|].
  eapply vcomp; [exact LockOpsH.Refine.LockOpsH_refines|].
  eapply vcomp; [exact LockOpsQ.Refine.LockOpsQ_refines|].
  exact LockOps.Refine.LockOps_refines.
Qed.

(** The program has one behaviour, so the refinement is exact: what it does is what
    the specification says. *)
Corollary stack_exact f vs s t r : rel R_stack s t -> call PTAlloc.Spec.L f vs s = Some r ->
  exists r', flat program (graph L0) f vs t r' /\ res_rel R_stack r r' /\
    forall r'', flat program (graph L0) f vs t r'' -> r'' = r'.
Proof.
  intros V E. destruct (stack f vs s t r V E) as (r' & X & G). exists r'. split; [exact X|]. split; [exact G|].
  intros r'' Y. exact (flat_det _ _ (graph_det L0) _ _ _ _ _ Y X).
Qed.

(** No client can tell the program from the specification. *)
Corollary stack_contextual (C : module) :
  refines R_stack (sem C (graph PTAlloc.Spec.L)) (sem C (flat program (graph L0))).
Proof. apply contextual, stack. Qed.

(** Read: let the bottom machine start with any value of the ticket counters, and let
    the other CPUs behave fairly on every lock and leave every object as their
    invariant says.  Then the linked program runs every polite sequence of calls, to
    its end or to a panic, and the invariant holds of what the last state means. *)
Theorem top_safe n w B sc cs :
  0 <= n < 4294967296 -> is_cpu (w_cpu w) = true -> fair_scripts (w_cpu w) B sc ->
  PTAlloc.Safe.world_ok (world_of w sc) -> PTAlloc.Safe.polite ∅ cs ->
  exists r', runs (flat program (graph L0)) cs (init0 n w sc) r' /\
    exists r h, res_rel R_stack r r' /\ match r with Ok _ s | Halt s => PTAlloc.Safe.inv h s end.
Proof.
  intros Rn Cp Fa W Po.
  destruct (PTAlloc.Safe.PTAlloc_top_safe (world_of w sc) cs W Po) as (r & E & h & I).
  apply run_calls_runs in E.
  assert (V : rel R_stack (init (world_of w sc)) (init0 n w sc)).
  { exists (init (world_of w sc)). split; [reflexivity|]. exact (fair_boot n w B sc Rn Cp Fa). }
  destruct (refines_runs R_stack _ _ stack cs _ _ E _ V) as (r' & X & G).
  exists r'. split; [exact X|]. exists r, h. auto.
Qed.
