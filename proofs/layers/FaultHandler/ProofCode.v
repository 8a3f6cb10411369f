(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 31, FaultHandler: each function's code meets its specification.  Reading a
    register or a context is one call, resolved by a lemma; the primitives of the layers
    below stay closed.  Used by [Refine]. *)
From SeKVM.lib Require Import Bits LoopTac.
From SeKVM.layers.FaultHandler Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Lemma numbered_in_range i m : in_range U64 (numbered i m) = true.
Proof. unfold numbered. destruct (reg_of_code i); [apply trunc_in_range | reflexivity]. Qed.

Lemma hpfar_range x : 0 <= hpfar_page x < 281474976710656.
Proof.
  unfold hpfar_page. pose proof (land_range x 1099511627760 40 ltac:(lia) ltac:(lia)) as R.
  rewrite Z.shiftl_mul_pow2 by lia. change (2 ^ 8) with 256. change (2 ^ 40) with 1099511627776 in R. lia.
Qed.

Section Code.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).
  Context (emulate_mmio : prim St).
  Notation U := (U emulate_mmio).

  Lemma read_reg_call t r (s : St) : read_reg t r [] s = Some (Ok (trunc t (reg_get r (phys_regs s))) s).
  Proof. unfold read_reg, p0, chk. now rewrite trunc_in_range. Qed.

  Lemma get_shadow_call v c i m (s : St) : in_range U32 v = true -> in_range U32 c = true -> in_range U32 i = true ->
    get_ctxt v c s = Some m -> get_shadow_ctxt [v; c; i] s = Some (Ok (numbered i m) s).
  Proof. intros V C I E. unfold get_shadow_ctxt, p3, chk. now rewrite V, C, I, E, numbered_in_range. Qed.

  Lemma handle_host_stage2_fault_code : fun_ok U f_handle_host_stage2_fault (handle_host_stage2_fault_spec emulate_mmio).
  Proof.
    apply fun_ok_vc. intros vs s r E. destruct vs; [|discriminate E]. apply chk_void in E as [E R0]. cbv zeta in E.
    run_vc f_handle_host_stage2_fault. closed_call. rewrite read_reg_call. closed_call. rewrite read_reg_call.
    change (Z.shiftl (Z.land ?x 1099511627760) 8) with (hpfar_page x).
    pose proof (hpfar_range (trunc U64 (reg_get HPFAR_EL2 (phys_regs s)))). straight. closed_call.
    unfold and_then, reg_word in E.
    destruct (emulate_mmio _ s) as [[x t|t]|]; [ | injection E as <-; reflexivity | discriminate E ].
    change INVALID with 4294967295 in E. destruct (x =? 4294967295); straight.
    - call_is E. destruct r; subst; reflexivity.
    - injection E as <-. reflexivity.
  Qed.

  Lemma core_handle_pvops_code : fun_ok U f_core_handle_pvops core_handle_pvops_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. destruct vs; [|discriminate E]. unfold core_handle_pvops_spec, p0 in E. cbv zeta in E.
    destruct (in_range U32 (cpu_vmid (st_cpu s))) eqn:RV; [|discriminate E].
    destruct (in_range U32 (cpu_vcpuid (st_cpu s))) eqn:RC; [|discriminate E].
    assert (GV : get_cur_vmid [] s = Some (Ok (cpu_vmid (st_cpu s)) s)) by (unfold get_cur_vmid, p0, chk; now rewrite RV).
    assert (GC : get_cur_vcpuid [] s = Some (Ok (cpu_vcpuid (st_cpu s)) s)) by (unfold get_cur_vcpuid, p0, chk; now rewrite RC).
    set (v := cpu_vmid (st_cpu s)) in *. set (c := cpu_vcpuid (st_cpu s)) in *.
    boolprop. unfold is_guest in E.
    run_vc f_core_handle_pvops. closed_call. rewrite GV. closed_call. rewrite GC.
    destruct (Z.ltb_spec 0 v); cbn [andb] in E; [|injection E as <-; straight; reflexivity].
    destruct (Z.ltb_spec v 16); [|injection E as <-; straight; reflexivity]. straight.
    destruct (get_ctxt v c s) as [m|] eqn:X; [|discriminate E].
    assert (RV' : in_range U32 v = true) by (apply in_range_iff; exact RV).
    assert (RC' : in_range U32 c = true) by (apply in_range_iff; exact RC).
    do 3 (closed_call; rewrite (fun i R => get_shadow_call v c i m s RV' RC' R X) by reflexivity; cbv beta iota).
    unfold shares, HVC_KVM_SET_DESC_PFN, HVC_KVM_UNSET_DESC_PFN in E. cbv zeta in E.
    destruct (Z.eqb_spec (numbered 0 m) 11) as [E11|N11].
    - straight. closed_call. unfold and_then in E.
      destruct (grant_stage2_sg_gpa_spec _ s) as [[w t|t]|]; [ | injection E as <-; reflexivity | discriminate E ].
      straight. apply chk_inv in E as [_ ->]. reflexivity.
    - destruct (Z.eqb_spec (numbered 0 m) 12) as [E12|N12]; straight.
      + closed_call. unfold and_then in E.
        destruct (revoke_stage2_sg_gpa_spec _ s) as [[w t|t]|]; [ | injection E as <-; reflexivity | discriminate E ].
        straight. apply chk_inv in E as [_ ->]. reflexivity.
      + apply chk_inv in E as [_ ->]. reflexivity.
  Qed.
End Code.
