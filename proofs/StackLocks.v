(* SPDX-License-Identifier: Apache-2.0 *)
(** The lock order, proved of the code.  Every run of functions of layers 5 to 34, over any layer of primitives and
    so also in the one linked program on the bottom machine, takes locks in the order of [machine/LockOrder.v] and
    gives back all of them, except where it ends in a panic ([lock_order], [lock_order_bottom]); and CPUs that run
    these functions do not deadlock ([program_no_deadlock]).  Rests on [LockLog], [Deadlock] and the
    generated code. *)
From SeKVM.lib Require Import Calls Split SmpCode.
From SeKVM.machine Require Import LockOrder Tickets.
From SeKVM.layers.LockOps Require Code.
From SeKVM.layers.LockOpsQ Require Code.
From SeKVM.layers.LockOpsH Require Code.
From SeKVM.layers.Locks Require Code.
From SeKVM.layers.Locks Require Import Smp Deadlock.
From SeKVM.layers.PTAlloc Require Code.
From SeKVM.layers.PTWalk Require Code.
From SeKVM.layers.NPTWalk Require Code.
From SeKVM.layers.NPTOps Require Code.
From SeKVM.layers.MmioPTAlloc Require Code.
From SeKVM.layers.MmioPTWalk Require Code.
From SeKVM.layers.MmioSPTWalk Require Code.
From SeKVM.layers.MmioSPTOps Require Code.
From SeKVM.layers.MemRegion Require Code.
From SeKVM.layers.PageIndex Require Code.
From SeKVM.layers.PageManager Require Code.
From SeKVM.layers.MemManager Require Code.
From SeKVM.layers.MemoryOps Require Code.
From SeKVM.layers.VMPower Require Code.
From SeKVM.layers.BootCore Require Code.
From SeKVM.layers.BootAux Require Code.
From SeKVM.layers.BootOps Require Code.
From SeKVM.layers.MmioRaw Require Code.
From SeKVM.layers.MmioCoreAux Require Code.
From SeKVM.layers.MmioCore Require Code.
From SeKVM.layers.MmioOpsAux Require Code.
From SeKVM.layers.MmioOps Require Code.
From SeKVM.layers.VCPUOpsAux Require Code.
From SeKVM.layers.VCPUOps Require Code.
From SeKVM.layers.CtxtSwitch Require Code.
From SeKVM.layers.MemHandler Require Code.
From SeKVM.layers.FaultHandler Require Code.
From SeKVM.layers.TrapDispatcher Require Code.
From SeKVM.layers.TrapHandlerRaw Require Code.
From SeKVM.layers.TrapHandler Require Code.
From SeKVM Require StackTop.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * The program *)

(** The locks themselves, and what takes them; lowest layer first. *)
Definition lock_program : module :=
  List.concat [LockOps.Code.code; LockOpsQ.Code.code; LockOpsH.Code.code; Locks.Code.code].
Definition locking_modules : list module :=
  [PTAlloc.Code.code; PTWalk.Code.code; NPTWalk.Code.code; NPTOps.Code.code; MmioPTAlloc.Code.code;
   MmioPTWalk.Code.code; MmioSPTWalk.Code.code; MmioSPTOps.Code.code; MemRegion.Code.code; PageIndex.Code.code;
   PageManager.Code.code; MemManager.Code.code; MemoryOps.Code.code; VMPower.Code.code; BootCore.Code.code;
   BootAux.Code.code; BootOps.Code.code; MmioRaw.Code.code; MmioCoreAux.Code.code; MmioCore.Code.code;
   MmioOpsAux.Code.code; MmioOps.Code.code; VCPUOpsAux.Code.code; VCPUOps.Code.code; CtxtSwitch.Code.code;
   MemHandler.Code.code; FaultHandler.Code.code;
   TrapDispatcher.Code.code; TrapHandlerRaw.Code.code; TrapHandler.Code.code].
Definition locking_program : module := List.concat locking_modules.

Lemma in_order : ordered locking_program = true.
Proof. vm_compute. reflexivity. Qed.

(** Together they are the program of the stack theorem. *)
Lemma all_layers : StackTop.top_program = (lock_program ++ locking_program)%list.
Proof. reflexivity. Qed.

(** Of layers 1 to 4 it calls the lock functions only: nobody draws a ticket by hand. *)
Lemma locks_by_name :
  forallb (fun f => negb (member f (names lock_program)) || member f (names lock_calls)) (mcalls locking_program)
  = true.
Proof. vm_compute. reflexivity. Qed.

(** * The order *)

(** Read: take any layer of primitives and any sequence of calls of the program's functions and of primitives, with
    any arguments, that ends.  Its lock calls are in order; and at its end all locks are given back, if it is not a
    panic. *)
Theorem lock_order {S} (L : layer S) cs s r : client cs -> runs (flat locking_program L) cs s r ->
  exists r', runs (flat locking_program (logged L)) cs (s, []) r' /\ LockLog.plain r' = r /\
    match r' with
    | Ok _ (_, t) => after [] t = Some []
    | Halt (_, t) => exists held, after [] t = Some held
    end.
Proof.
  intros Cl X. destruct (LockLog.run_logged lock_calls locking_program L cs s [] r X) as (r' & Y & E).
  exists r'. split; [exact Y|]. split; [exact E|].
  pose proof (LockLog.checked_ordered class_dec rank lock_calls locking_program L cs s r' in_order Cl Y) as A.
  destruct r' as [v [q t]|[q t]]; exact A.
Qed.

Lemma runs_mono {S} (L L' : layer S) cs s r : included L L' -> runs L cs s r -> runs L' cs s r.
Proof. intros I X. induction X; [constructor | eapply runs_call; eauto | eapply runs_halt; eauto]. Qed.

(** The same of the one flat program of all layers, the ticket locks included, on the bottom machine. *)
Theorem lock_order_bottom cs s r : client cs ->
  runs (flat StackTop.top_program (graph L0)) cs s r ->
  exists r', runs (flat locking_program (logged (flat lock_program (graph L0)))) cs (s, []) r' /\
    LockLog.plain r' = r /\
    match r' with
    | Ok _ (_, t) => after [] t = Some []
    | Halt (_, t) => exists held, after [] t = Some held
    end.
Proof.
  intros Cl X. rewrite all_layers in X. apply lock_order; [exact Cl|]. refine (runs_mono _ _ cs s r _ X).
  apply flat_split; vm_compute; reflexivity.
Qed.

(** * No deadlock *)

(** Read: let every CPU of the interleaving machine run functions of the program, from a state in which all locks
    are free. If a CPU is in the middle of one, then some CPU is that does not wait for a lock. *)
Theorem program_no_deadlock tr g0 g next :
  grun opof tr g0 g -> (forall k, g_own g0 !! k = None) -> (forall c, stands locking_program (proj c tr) (next c)) ->
  forall c call, next c = Some call -> exists d call', next d = Some call' /\ ~ waits g call'.
Proof. intros X F W. exact (no_deadlock locking_program in_order tr g0 g X F next W). Qed.
