(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the specifications of VMPower, and the beginning of code proofs about
    a VM's record: the locked record becomes a variable of which [vm_ok] is known.  Work on other objects stays
    a closed call and is moved past the record, which it does not touch. *)
From SeKVM.lib Require Export VcTac PrimInv.
From SeKVM.machine Require Export RelTac.
From SeKVM.machine Require Export BottomVmTac.
From SeKVM.layers.VMPower Require Export Spec VmFacts.

#[export] Hint Unfold put_vm publish_vm denied_vm power_off get_vm_poweron_spec set_vm_poweroff_spec : prims.
#[export] Hint Unfold is_guest state_ok UNUSED READY VERIFIED POWEROFF ACTIVE REMAP_START REMAP_END : consts.

(** Open [E : with_vm v s k = Some r]; [c] is the record as it is once locked. *)
Ltac vm_locked E c := let c0 := fresh "c0" in let C0 := fresh "C0" in let H0 := fresh "H0" in
  let EC := fresh "EC" in let HC := fresh "HC" in let OK := fresh "OK" in
  apply with_vm_inv in E as (c0 & c & C0 & H0 & EC & HC & OK & E).

Ltac hook ::= match goal with
  | E : locked ?c ?d |- context [acquire_cell ?d] => rewrite E
  | E : ?x = false |- context [negb ?x] => rewrite E; cbn [negb]
  | |- context [c_held (acquire_cell ?x)] => change (c_held (acquire_cell x)) with true
  | N : natural st_vms set_vms ?p ?p |- context [?p ?vs (set_vms ?c ?s)] => rewrite (proj1 (N vs s c)); unfold res_map
  end.

(** Open a specification whose work is one critical section: first what comes before it,
    then what the locked record makes of it. *)
Ltac vm_open E := match type of E with context [with_vm ?v ?s ?k] =>
    let W := fresh "W" in let q := fresh "q" in let c := fresh "c" in
    destruct (with_vm v s k) as [q|] eqn:W; [|discriminate E];
    vm_locked W c; cbv beta in W; inv_spec W; inv_spec E;
    match goal with OK : vm_ok (c_val c) = true |- _ => pose proof (vm_ok_state _ OK) end
  end.
Ltac vm_intro f := apply fun_ok_vc; intros vs s r E; prim_unfold_in E; inv_spec E; try vm_open E;
  autounfold with consts in *; boolprop; state_norm_hyps; run_vc f.
Ltac code_cases := ssteps; finish; repeat (innermost ltac:(split_on); ssteps; finish).
