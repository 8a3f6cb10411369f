(* SPDX-License-Identifier: Apache-2.0 *)
(** The stack theorem of all 34 layers: the specification of TrapHandler, which is what software outside of KCore can
    do, is implemented by the linked C code of all layers on the bottom machine.  No layer above 16 changes the state,
    so the relation is that of [StackFrames].  Rests on it and on [StackHandlers]. *)
From SeKVM.lib Require Import Link Hide.
From SeKVM.machine Require Import Tickets.
From SeKVM Require Import StackFrames StackHandlers.
From SeKVM.layers.MemoryOps Require Code Interface Refine.
From SeKVM.layers.VMPower Require Code Interface Refine.
From SeKVM.layers.BootCore Require Code Interface Refine.
From SeKVM.layers.BootAux Require Code Interface Refine.
From SeKVM.layers.BootOps Require Code Interface Refine.
From SeKVM.layers.TrapHandler Require Interface.

(** The code of layers 17 to 21, and of all layers above 16, lowest first. *)
Definition vm_modules : list module :=
  [MemoryOps.Code.code; VMPower.Code.code; BootCore.Code.code; BootAux.Code.code; BootOps.Code.code].
Definition upper_modules : list module := (vm_modules ++ handler_modules)%list.
Definition top_program : module := List.concat (frames_modules ++ upper_modules).
Definition top := TrapHandler.Interface.L.

Lemma top_nested : refines R_frames (graph top) (nested (graph L0) (frames_modules ++ upper_modules)).
Proof.
  unfold upper_modules. rewrite !nested_app. apply handlers_nested. cbn [nested vm_modules].
  eapply vcomp_same; [exact BootOps.Refine.BootOps_refines|].
  eapply vcomp_same; [exact BootAux.Refine.BootAux_refines|].
  eapply vcomp_same; [exact BootCore.Refine.BootCore_refines|].
  eapply vcomp_same; [exact VMPower.Refine.VMPower_refines|].
  eapply vcomp_same; [exact MemoryOps.Refine.MemoryOps_refines|].
  exact frames_nested.
Qed.

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
