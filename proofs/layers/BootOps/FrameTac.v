(* SPDX-License-Identifier: Apache-2.0 *)
(** Tactics for the functions of BootOps that are run one statement at a time: those that lock the map of frames
    inside the record of a VM, and those with many steps. Unfold hints for that critical section, and table work
    moved past both objects. A file of its own because tactics carry source positions. *)
From SeKVM.lib Require Export VcStep.
From SeKVM.layers.BootOps Require Export SpecTac.

#[export] Hint Unfold get_pfn_owner_spec get_pfn_count_spec set_pfn_owner_spec frame_get frame put_frame
  PageManager.Spec.change
  give with_frame after denied publish put import_frame load_decrypt_buf_spec save_encrypt_buf_spec : prims.

(** [c] is the map of frames as it is once locked. *)
Definition acquired {X} (c d : cell X) : Prop := acquire_cell d = c.

Ltac hook ::= match goal with
  | |- _ => vstep
  | E : locked ?c ?d |- context [acquire_cell ?d] => rewrite E
  | E : acquired ?c ?d |- context [acquire_cell ?d] => rewrite E
  | E : ?x = false |- context [negb ?x] => rewrite E; cbn [negb]
  | |- context [c_held (acquire_cell ?x)] => change (c_held (acquire_cell x)) with true
  | N : natural st_s2 set_s2 ?p ?p |- context [?p ?vs (set_s2 ?c ?s)] => rewrite (proj1 (N vs s c)); unfold res_map
  | N : natural st_vms set_vms ?p ?p |- context [?p ?vs (set_vms ?c ?s)] => rewrite (proj1 (N vs s c)); unfold res_map
  end.

(** The beginning of a proof, as [op_intro]. *)
Ltac op_steps f sp := apply fun_ok_vc; intros vs s r E; unfold sp in E; args_of E; cbv beta in E;
  match type of E with context [if ?g then _ else _] =>
    destruct g eqn:?; [section_of E | cbn [chk] in E; inv_spec E] end;
  autounfold with prims consts in *; boolprop; state_norm_hyps; run_steps f.
