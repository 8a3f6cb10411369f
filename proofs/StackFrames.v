(* SPDX-License-Identifier: Apache-2.0 *)
(** The stack theorem up to layer 16: the specification of MemManager, in which both kinds of tables and the ownership of
    frames are maps, is implemented by the linked C code of layers 1 to 16 on the bottom machine.  Rests on [StackSmmu];
    [StackTop] goes on from here. *)
From SeKVM.lib Require Import Link Hide.
From SeKVM.machine Require Import Tickets LockInit Rel.
From SeKVM.layers.LockOpsH Require Import Fair.
From SeKVM.layers.Locks Require Import Boot.
From SeKVM Require Import Stack StackSmmu.
From SeKVM.layers.MemRegion Require Code Refine.
From SeKVM.layers.PageIndex Require Code Refine.
From SeKVM.layers.PageManager Require Code Refine.
From SeKVM.layers.MemManager Require Code Interface Refine.
Local Open Scope Z_scope.

Definition frames_modules : list module :=
  (modules ++ smmu_modules ++
   [MemRegion.Code.code; PageIndex.Code.code; PageManager.Code.code; MemManager.Code.code])%list.
Definition frames_program : module := List.concat frames_modules.

(** Frames as a variant stand for the raw ownership table, by the firmware's map; the rest as below. *)
Definition R_frames := rcomp PageManager.Spec.R R_smmu.

Lemma frames_nested : refines R_frames (graph MemManager.Interface.L) (nested (graph L0) frames_modules).
Proof.
  unfold frames_modules. rewrite app_assoc, nested_app. cbn [nested].
  eapply vcomp_same; [exact MemManager.Refine.MemManager_refines|].
  eapply vcomp; [exact PageManager.Refine.PageManager_refines|].
  eapply vcomp_same; [exact PageIndex.Refine.PageIndex_refines|].
  eapply vcomp_same; [exact MemRegion.Refine.MemRegion_refines|].
  exact smmu_nested.
Qed.

Theorem frames_stack : refines R_frames (graph MemManager.Interface.L) (flat frames_program (graph L0)).
Proof. apply end_to_end; [vm_compute; reflexivity | exact frames_nested]. Qed.

(** The program has one behaviour, so the refinement is exact. *)
Corollary frames_stack_exact f vs s t r : rel R_frames s t -> call MemManager.Interface.L f vs s = Some r ->
  exists r', flat frames_program (graph L0) f vs t r' /\ res_rel R_frames r r' /\
    forall r'', flat frames_program (graph L0) f vs t r'' -> r'' = r'.
Proof.
  intros related defined. destruct (frames_stack f vs s t r related defined) as (r' & run & results). exists r'.
  split; [exact run|]. split; [exact results|].
  intros r'' other. exact (flat_det _ _ (graph_det L0) _ _ _ _ _ other run).
Qed.

(** The relation holds at the start: any value [n] of the ticket counters, a firmware whose map is well formed, other CPUs
    that behave fairly on every lock and leave tables and owners that mean something. *)
Theorem frames_boot n w B sc maps smaps pages :
  0 <= n < 4294967296 -> is_cpu (w_cpu w) = true -> fair_scripts (w_cpu w) B sc ->
  PageManager.Spec.firmware_ok (boot_mem (w_boot w)) = true ->
  (forall vm, is_vmid vm = true -> Forall2 (Forall2 (event_rel (NPTWalk.Spec.RN vm))) (maps vm) (w_npts (world_of w sc) vm)) ->
  Forall2 (Forall2 (event_rel MmioSPTWalk.Spec.RM)) smaps (w_spt (world_of w sc)) ->
  Forall2 (Forall2 (event_rel (PageManager.Spec.RP (boot_mem (w_boot w))))) pages (w_s2 (world_of w sc)) ->
  rel R_frames (PageManager.Refine.init_frames maps smaps pages (world_of w sc)) (init0 n w sc).
Proof.
  intros counters cpu fair firmware stage2 smmu owners.
  exists (MmioSPTWalk.Refine.init_all_maps maps smaps (world_of w sc)). split.
  - now apply PageManager.Refine.init_frames_related.
  - exact (smmu_boot n w B sc maps smaps counters cpu fair stage2 smmu).
Qed.
