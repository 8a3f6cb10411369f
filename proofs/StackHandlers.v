(* SPDX-License-Identifier: Apache-2.0 *)
(** Layers 22 to 26, and 27 to 34, as one program each over what is below: context banks of SMMUs; vCPUs, the world
    switch, and the handlers of traps.  No layer changes the state.  Rests on the layers' refinement theorems;
    [StackTop] puts it on top of the layers below. *)
From SeKVM.lib Require Import Link Hide.
From SeKVM.layers.BootOps Require Interface.
From SeKVM.layers.MmioRaw Require Code Interface Refine.
From SeKVM.layers.MmioCoreAux Require Code Interface Refine.
From SeKVM.layers.MmioCore Require Code Interface Refine.
From SeKVM.layers.MmioOpsAux Require Code Interface Refine.
From SeKVM.layers.MmioOps Require Code Interface Refine.
From SeKVM.layers.VCPUOpsAux Require Code Interface Refine.
From SeKVM.layers.VCPUOps Require Code Interface Refine.
From SeKVM.layers.CtxtSwitch Require Code Interface Refine.
From SeKVM.layers.MemHandler Require Code Interface Refine.
From SeKVM.layers.FaultHandler Require Code Interface Refine.
From SeKVM.layers.TrapDispatcher Require Code Interface Refine.
From SeKVM.layers.TrapHandlerRaw Require Code Interface Refine.
From SeKVM.layers.TrapHandler Require Code Interface Refine.

(** Lowest layer first: context banks of SMMUs, then vCPUs and traps. *)
Definition bank_modules : list module :=
  [MmioRaw.Code.code; MmioCoreAux.Code.code; MmioCore.Code.code; MmioOpsAux.Code.code; MmioOps.Code.code].
Definition trap_modules : list module :=
  [VCPUOpsAux.Code.code; VCPUOps.Code.code; CtxtSwitch.Code.code; MemHandler.Code.code; FaultHandler.Code.code;
   TrapDispatcher.Code.code; TrapHandlerRaw.Code.code; TrapHandler.Code.code].

(** Whatever implements the interface of BootOps, the first five modules over it implement that of MmioOps. *)
Theorem banks_nested {S} R (lo : layer S) :
  refines R (graph BootOps.Interface.L) lo -> refines R (graph MmioOps.Interface.L) (nested lo bank_modules).
Proof.
  intros below. cbn [nested bank_modules].
  eapply vcomp_same; [exact MmioOps.Refine.MmioOps_refines|].
  eapply vcomp_same; [exact MmioOpsAux.Refine.MmioOpsAux_refines|].
  eapply vcomp_same; [exact MmioCore.Refine.MmioCore_refines|].
  eapply vcomp_same; [exact MmioCoreAux.Refine.MmioCoreAux_refines|].
  eapply vcomp_same; [exact MmioRaw.Refine.MmioRaw_refines|].
  exact below.
Qed.

(** And whatever implements that, the other eight over it implement the interface of TrapHandler. *)
Theorem traps_nested {S} R (lo : layer S) :
  refines R (graph MmioOps.Interface.L) lo -> refines R (graph TrapHandler.Interface.L) (nested lo trap_modules).
Proof.
  intros below. cbn [nested trap_modules].
  eapply vcomp_same; [exact TrapHandler.Refine.TrapHandler_refines|].
  eapply vcomp_same; [exact TrapHandlerRaw.Refine.TrapHandlerRaw_refines|].
  eapply vcomp_same; [exact TrapDispatcher.Refine.TrapDispatcher_refines|].
  eapply vcomp_same; [exact FaultHandler.Refine.FaultHandler_refines|].
  eapply vcomp_same; [exact MemHandler.Refine.MemHandler_refines|].
  eapply vcomp_same; [exact CtxtSwitch.Refine.CtxtSwitch_refines|].
  eapply vcomp_same; [exact VCPUOps.Refine.VCPUOps_refines|].
  eapply vcomp_same; [exact VCPUOpsAux.Refine.VCPUOpsAux_refines|].
  exact below.
Qed.
