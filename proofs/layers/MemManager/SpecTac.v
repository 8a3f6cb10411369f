(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the specifications of MemManager; calls of operations on tables
    stay closed and are moved past the map of frames, which they do not touch. *)
From SeKVM.lib Require Import VcStep.
From SeKVM.machine Require Import BottomPagesTac Rel RelTac.
From SeKVM.layers.PageManager Require Export SpecTac.
From SeKVM.layers.MemManager Require Export Spec Natural.

#[export] Hint Unfold acquire_obj release_obj frame put_frame owner_of count_of map_of give recount rebind
  host_use claim reserve reclaim share unshare device_use device_unuse with_frame put publish after denied frame_ok
  map_page_host_spec clear_vm_page_spec assign_pfn_to_vm_spec map_pfn_vm_spec map_vm_io_spec
  grant_vm_page_spec revoke_vm_page_spec assign_pfn_to_smmu_spec update_smmu_page_spec unmap_smmu_page_spec : prims.
#[export] Hint Unfold PAGE_S2 BLOCK_S2 PAGE_S2_DEVICE is_guest frame_of phys : consts.

(** [c] is the map of frames as it is once locked. *)
Definition acquired {X} (c d : cell X) : Prop := acquire_cell d = c.

Ltac hook ::= match goal with
  | |- _ => vstep
  | N : natural st_s2 set_s2 ?p ?p |- context [?p ?vs (set_s2 ?c ?s)] => rewrite (proj1 (N vs s c)); unfold res_map
  | E : acquired ?c ?d |- context [acquire_cell ?d] => rewrite E
  | E : ?x = false |- context [negb ?x] => rewrite E; cbn [negb]
  end.

(** Code proofs of this layer: the locked map becomes a variable before the
    specification is opened. *)
Ltac locked_intro f :=
  apply fun_ok_vc; intros vs s r E; prim_unfold_in E;
  pose proof (eq_refl : acquired (acquire_cell (st_s2 s)) (st_s2 s)) as EC;
  assert (HC : c_held (acquire_cell (st_s2 s)) = true) by reflexivity;
  generalize dependent (acquire_cell (st_s2 s)); intros c E EC HC;
  inv_spec E; autounfold with consts in *; boolprop; state_norm_hyps; run_steps f.

(** The conditions of the code that the specification does not decide. *)
Ltac code_cases := ssteps; finish; repeat (innermost ltac:(split_on); ssteps; finish).

Ltac naturals M :=
  pose proof (@clear_pfn_host_natural M (gmap Z page) (gmap Z page)) as N3;
  pose proof (@map_s2pt_natural M (gmap Z page) (gmap Z page)) as N4.
