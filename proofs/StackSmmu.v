(* SPDX-License-Identifier: Apache-2.0 *)
(** The stack theorem up to layer 12: the specification of MmioSPTOps, in which the stage-2 and the SMMU tables are maps, is
    implemented by the linked C code of layers 1 to 12 on the bottom machine.  Rests on [Stack]. *)
From SeKVM.lib Require Import Link.
From SeKVM.machine Require Import Tickets LockInit Rel.
From SeKVM.layers.LockOpsH Require Import Fair.
From SeKVM.layers.Locks Require Import Boot.
From SeKVM Require Import Stack.
From SeKVM.layers.MmioSPTWalk Require Code Refine.
From SeKVM.layers.MmioSPTOps Require Code Refine.
Local Open Scope Z_scope.

Definition smmu_modules : list module := [MmioSPTWalk.Code.code; MmioSPTOps.Code.code].
Definition smmu_program : module := List.concat (modules ++ smmu_modules).

(** A state with both kinds of tables as maps is related to one of the bottom machine through the state of layer 10. *)
Definition R_smmu := rcomp (@req _) (rcomp MmioSPTWalk.Spec.R R_stack).

Lemma smmu_nested : refines R_smmu (graph MmioSPTOps.Spec.L) (nested (graph L0) (modules ++ smmu_modules)).
Proof.
  rewrite nested_app. cbn [nested smmu_modules].
  eapply vcomp; [exact MmioSPTOps.Refine.MmioSPTOps_refines|].
  eapply vcomp; [exact MmioSPTWalk.Refine.MmioSPTWalk_refines|].
  exact stack_nested.
Qed.

Theorem smmu_stack : refines R_smmu (graph MmioSPTOps.Spec.L) (flat smmu_program (graph L0)).
Proof. apply end_to_end; [vm_compute; reflexivity | exact smmu_nested]. Qed.

(** The program has one behaviour, so the refinement is exact. *)
Corollary smmu_stack_exact f vs s t r : rel R_smmu s t -> call MmioSPTOps.Spec.L f vs s = Some r ->
  exists r', flat smmu_program (graph L0) f vs t r' /\ res_rel R_smmu r r' /\
    forall r'', flat smmu_program (graph L0) f vs t r'' -> r'' = r'.
Proof.
  intros related defined. destruct (smmu_stack f vs s t r related defined) as (r' & run & results). exists r'.
  split; [exact run|]. split; [exact results|].
  intros r'' other. exact (flat_det _ _ (graph_det L0) _ _ _ _ _ other run).
Qed.

(** The relation holds at the start: any value [n] of the ticket counters, other CPUs that behave fairly on every lock and
    leave tables that mean something. *)
Theorem smmu_boot n w B sc maps smaps :
  0 <= n < 4294967296 -> is_cpu (w_cpu w) = true -> fair_scripts (w_cpu w) B sc ->
  (forall vm, is_vmid vm = true -> Forall2 (Forall2 (event_rel (NPTWalk.Spec.RN vm))) (maps vm) (w_npts (world_of w sc) vm)) ->
  Forall2 (Forall2 (event_rel MmioSPTWalk.Spec.RM)) smaps (w_spt (world_of w sc)) ->
  rel R_smmu (MmioSPTWalk.Refine.init_all_maps maps smaps (world_of w sc)) (init0 n w sc).
Proof.
  intros counters cpu fair stage2 smmu.
  exists (MmioSPTWalk.Refine.init_all_maps maps smaps (world_of w sc)). split; [reflexivity|].
  exists (NPTWalk.Refine.init_maps maps (world_of w sc)). split.
  - now apply MmioSPTWalk.Refine.init_spt_related.
  - apply R_stack_rel. exists (init (world_of w sc)). split.
    + now apply NPTWalk.Refine.init_related.
    + exact (fair_boot n w B sc counters cpu fair).
Qed.
