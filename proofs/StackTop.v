(* SPDX-License-Identifier: Apache-2.0 *)
(** The stack theorem of all 34 layers: the specification of TrapHandler, which is what software outside of KCore can
    do, is implemented by the linked C code of all layers on the bottom machine.  No layer above 16 changes the state,
    so the relation is that of [StackFrames].  Rests on it and on [StackHandlers]. *)
From SeKVM.lib Require Import Link Hide Runs.
From SeKVM.machine Require Import Tickets LockInit Rel.
From SeKVM.layers.LockOpsH Require Import Fair.
From SeKVM.layers.Locks Require Import Boot.
From SeKVM Require StackSafe.
From SeKVM Require Import StackFrames StackHandlers.
From SeKVM.layers.MemoryOps Require Code Interface Refine.
From SeKVM.layers.VMPower Require Code Interface Refine.
From SeKVM.layers.BootCore Require Code Interface Refine.
From SeKVM.layers.BootAux Require Code Interface Refine.
From SeKVM.layers.BootOps Require Code Interface Refine.
From SeKVM.layers.MmioOps Require Interface.
From SeKVM.layers.TrapHandler Require Interface.

Local Open Scope Z_scope.

(** * Layers 1 to 26 *)

Definition vm_modules : list module :=
  [MemoryOps.Code.code; VMPower.Code.code; BootCore.Code.code; BootAux.Code.code; BootOps.Code.code].
Definition bank_program : module := List.concat (frames_modules ++ vm_modules ++ bank_modules).

Lemma bank_nested :
  refines R_frames (graph MmioOps.Interface.L) (nested (graph L0) (frames_modules ++ vm_modules ++ bank_modules)).
Proof.
  rewrite !nested_app. apply banks_nested. cbn [nested vm_modules].
  eapply vcomp_same; [exact BootOps.Refine.BootOps_refines|].
  eapply vcomp_same; [exact BootAux.Refine.BootAux_refines|].
  eapply vcomp_same; [exact BootCore.Refine.BootCore_refines|].
  eapply vcomp_same; [exact VMPower.Refine.VMPower_refines|].
  eapply vcomp_same; [exact MemoryOps.Refine.MemoryOps_refines|].
  exact frames_nested.
Qed.

Theorem bank_stack : refines R_frames (graph MmioOps.Interface.L) (flat bank_program (graph L0)).
Proof. apply end_to_end; [vm_compute; reflexivity | exact bank_nested]. Qed.

(** * All layers *)

Definition top_modules : list module := ((frames_modules ++ vm_modules ++ bank_modules) ++ trap_modules)%list.
Definition top_program : module := List.concat top_modules.
Definition top := TrapHandler.Interface.L.

Lemma top_nested : refines R_frames (graph top) (nested (graph L0) top_modules).
Proof. unfold top_modules. rewrite nested_app. apply traps_nested, bank_nested. Qed.

Theorem top_stack : refines R_frames (graph top) (flat top_program (graph L0)).
Proof. apply end_to_end; [vm_compute; reflexivity | exact top_nested]. Qed.

(** The program has one behaviour, so the refinement is exact. *)
Corollary top_stack_exact f vs s t r : rel R_frames s t -> call top f vs s = Some r ->
  exists r', flat top_program (graph L0) f vs t r' /\ res_rel R_frames r r' /\
    forall r'', flat top_program (graph L0) f vs t r'' -> r'' = r'.
Proof.
  intros related defined. destruct (top_stack f vs s t r related defined) as (r' & run & results). exists r'.
  split; [exact run|]. split; [exact results|].
  intros r'' other. exact (flat_det _ _ (graph_det L0) _ _ _ _ _ other run).
Qed.

(** No client can tell the program from the specification. *)
Corollary top_contextual (C : module) : refines R_frames (sem C (graph top)) (sem C (flat top_program (graph L0))).
Proof. apply contextual, top_stack. Qed.

(** From the start: whatever the specification says of a sequence of calls, the program does, and nothing else.  The
    premises are those of [frames_boot]. *)
Theorem top_runs n w B sc maps smaps pages cs r :
  0 <= n < 4294967296 -> is_cpu (w_cpu w) = true -> fair_scripts (w_cpu w) B sc ->
  PageManager.Spec.firmware_ok (boot_mem (w_boot w)) = true -> StackSafe.maps_of (world_of w sc) maps smaps ->
  Forall2 (Forall2 (event_rel (PageManager.Spec.RP (boot_mem (w_boot w))))) pages (w_s2 (world_of w sc)) ->
  run_calls (call top) cs (PageManager.Refine.init_frames maps smaps pages (world_of w sc)) = Some r ->
  exists r', runs (flat top_program (graph L0)) cs (init0 n w sc) r' /\ res_rel R_frames r r' /\
    forall r'', runs (flat top_program (graph L0)) cs (init0 n w sc) r'' -> r' = r''.
Proof.
  intros Rn Cp Fa FW [Mp Ms] S E.
  pose proof (frames_boot n w B sc maps smaps pages Rn Cp Fa FW Mp Ms S) as V.
  destruct (refines_runs R_frames _ _ top_stack cs _ _ (run_calls_runs _ _ _ _ E) _ V) as (r' & X & Y).
  exists r'. split; [exact X|]. split; [exact Y|].
  exact (runs_det _ (flat_det _ _ (graph_det L0)) _ _ _ X).
Qed.
