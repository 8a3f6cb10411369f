(* SPDX-License-Identifier: Apache-2.0 *)
(** The stack theorem: the specification of the top layer is implemented by the linked
    C code of all layers on the bottom machine, one flat program.  This file ends
    at layer 10, [StackSmmu] goes on to layer 12.  That the specifications say something, for runs from the
    concrete initial state, is in [StackSafe]. *)
From SeKVM.lib Require Import Link.
From SeKVM.machine Require Import Tickets.
From SeKVM.layers.Locks Require Import Boot.
From SeKVM.layers.LockOps Require Code Refine.
From SeKVM.layers.LockOpsQ Require Code Refine.
From SeKVM.layers.LockOpsH Require Code Refine.
From SeKVM.layers.Locks Require Code Refine.
From SeKVM.layers.PTAlloc Require Code Refine.
From SeKVM.layers.PTWalk Require Code Refine.
From SeKVM.layers.NPTWalk Require Code Refine.
From SeKVM.layers.NPTOps Require Code Refine.
From SeKVM.layers.MmioPTAlloc Require Code Refine.
From SeKVM.layers.MmioPTWalk Require Code Refine.

(** The code, lowest layer first. *)
Definition modules : list module :=
  [LockOps.Code.code; LockOpsQ.Code.code; LockOpsH.Code.code; Locks.Code.code; PTAlloc.Code.code;
   PTWalk.Code.code; NPTWalk.Code.code; NPTOps.Code.code; MmioPTAlloc.Code.code;
   MmioPTWalk.Code.code].
Definition program : module := List.concat modules.

(** The top layer. *)
Definition top : tbl NPTWalk.Spec.nstate := MmioPTWalk.Spec.L.

(** The relation between a state of the top layer and one of the bottom machine is the
    composition of the layers' relations, top first. *)
Definition R_stack : srel NPTWalk.Spec.nstate (St tview npt sptab (gmap Z s2page)) :=
  rcomp req (rcomp req (rcomp req (rcomp NPTWalk.Spec.R (rcomp req (rcomp req R_boot))))).

(** Of these, equality goes away. *)
Lemma R_stack_rel s t :
  rel R_stack s t <-> exists u, rel NPTWalk.Spec.R s u /\ rel R_boot u t.
Proof.
  split.
  - intros (a & Ea & b & Eb & c & Ec & u & Ru & d & Ed & e & Ee & Rt). cbn in Ea, Eb, Ec, Ed, Ee. subst a b c d e.
    exists u. auto.
  - intros (u & Ru & Rt). do 3 (exists s; split; [reflexivity|]).
    exists u. split; [exact Ru|]. do 2 (exists u; split; [reflexivity|]). exact Rt.
Qed.

Lemma stack_nested : refines R_stack (graph top) (nested (graph L0) modules).
Proof.
  cbn [nested modules].
  eapply vcomp; [exact MmioPTWalk.Refine.MmioPTWalk_refines|].
  eapply vcomp; [exact MmioPTAlloc.Refine.MmioPTAlloc_refines|].
  eapply vcomp; [exact NPTOps.Refine.NPTOps_refines|].
  eapply vcomp; [exact NPTWalk.Refine.NPTWalk_refines|].
  eapply vcomp; [exact PTWalk.Refine.PTWalk_refines|].
  eapply vcomp; [exact PTAlloc.Refine.PTAlloc_refines|].
  eapply vcomp; [exact Locks.Refine.Locks_refines|].
  eapply vcomp; [exact LockOpsH.Refine.LockOpsH_refines|].
  eapply vcomp; [exact LockOpsQ.Refine.LockOpsQ_refines|].
  exact LockOps.Refine.LockOps_refines.
Qed.

Theorem stack : refines R_stack (graph top) (flat program (graph L0)).
Proof. apply end_to_end; [vm_compute; reflexivity | exact stack_nested]. Qed.

(** The program has one behaviour, so the refinement is exact: what it does is what
    the specification says. *)
Corollary stack_exact f vs s t r : rel R_stack s t -> call top f vs s = Some r ->
  exists r', flat program (graph L0) f vs t r' /\ res_rel R_stack r r' /\
    forall r'', flat program (graph L0) f vs t r'' -> r'' = r'.
Proof.
  intros V E. destruct (stack f vs s t r V E) as (r' & X & G). exists r'. split; [exact X|]. split; [exact G|].
  intros r'' Y. exact (flat_det _ _ (graph_det L0) _ _ _ _ _ Y X).
Qed.

(** No client can tell the program from the specification. *)
Corollary stack_contextual (C : module) :
  refines R_stack (sem C (graph top)) (sem C (flat program (graph L0))).
Proof. apply contextual, stack. Qed.
