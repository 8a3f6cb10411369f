(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the specifications of MmioOps; calls on VMs and tables stay closed and
    are moved past the owners of banks, which they do not touch. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.machine Require Import Rel RelTac.
From SeKVM.layers.MmioOpsAux Require Export SpecTac.
From SeKVM.layers.MmioOps Require Export Spec.

#[export] Hint Unfold acquire_obj release_obj publish_owners set_owner with_owner during by_owner emulate_mmio_spec
  el2_free_smmu_pgd_spec el2_alloc_smmu_pgd_spec smmu_assign_page_spec smmu_map_page_spec el2_arm_lpae_clear_spec
  el2_arm_lpae_iova_to_phys_spec : prims.
#[export] Hint Unfold is_bank owner_ok may_alloc SMMU_IOVA_LIMIT : consts.

(** [c] is the map of owners as it is once locked. *)
Definition acquired {X} (c d : cell X) : Prop := acquire_cell d = c.

Ltac hook ::= match goal with
  | N : natural st_smmu set_smmu ?p ?p |- context [?p ?vs (set_smmu ?c ?s)] => rewrite (proj1 (N vs s c)); unfold res_map
  | E : acquired ?c ?d |- context [acquire_cell ?d] => rewrite E
  | E : ?x = false |- context [negb ?x] => rewrite E; cbn [negb]
  end.

(** The locked owners become a variable before the specification, [E], is opened. *)
Ltac locked_open f E s :=
  prim_unfold_in E;
  pose proof (eq_refl : acquired (acquire_cell (st_smmu s)) (st_smmu s)) as EC;
  assert (HC : c_held (acquire_cell (st_smmu s)) = true) by reflexivity;
  generalize dependent (acquire_cell (st_smmu s)); intros c E EC HC;
  inv_spec E; autounfold with consts in *; boolprop; state_norm_hyps; run_vc f.
Ltac locked_intro f := apply fun_ok_vc; intros vs s r E; locked_open f E s.

(** The conditions of the code that the specification does not decide. *)
Ltac code_cases := ssteps; finish; repeat (innermost ltac:(split_on); ssteps; finish).
