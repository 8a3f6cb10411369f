(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the specifications of BootCore. *)
From SeKVM.layers.VMPower Require Export SpecTac.
From SeKVM.layers.BootCore Require Export Spec.

#[export] Hint Unfold fresh_vmid fresh_range with_core publish_core counters_typed gen_vmid_spec alloc_remap_addr_spec : prims.

(** Open a specification; the counters as they are once locked become the variable [c]. *)
Ltac core_intro c := apply fun_ok_vc; intros vs s r E; prim_unfold_in E;
  let EC := fresh "EC" in let HC := fresh "HC" in
  pose proof (eq_refl : locked (acquire_cell (st_core s)) (st_core s)) as EC;
  assert (HC : c_held (acquire_cell (st_core s)) = true) by reflexivity;
  generalize dependent (acquire_cell (st_core s)); intros c E EC HC;
  inv_spec E; autounfold with consts in *; boolprop; state_norm_hyps.
