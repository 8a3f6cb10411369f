(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 17, MemoryOps: each function's code meets its specification.  A round of a
    loop is one step of MemManager, which stays closed.  Used by [Refine]. *)
From SeKVM.layers.MemoryOps Require Import Code Spec SpecTac Ranges.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Code.
  Context {M : Type}.
  Notation U := (@U M).

  Lemma clear_vm_range_code : fun_ok U f_clear_vm_range clear_vm_range_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. apply p3_inv in E as (v & pfn & n & -> & RV & RP & RN & E).
    apply chk_void in E as [E R0]. boolprop. unfold PFN_LIMIT in E. run_vc f_clear_vm_range. straight.
    destruct (Z.leb_spec (pfn + n) 68719476736) as [X|X].
    - straight.
      loop_by (fun j e => e = [("vmid", Some v); ("pfn", Some pfn); ("num", Some n); ("i", Some j)]) E.
      + intros j e t q J -> F. run_vc_goal. call_is F. round_done q.
      + intros e ->. run_vc_goal. straight. exact I.
      + reflexivity.
      + destruct r as [w t|t]; [intros e -> | ]; subst; reflexivity.
    - injection E as <-. straight. destruct (Z.leb_spec pfn 68719476736); straight; reflexivity.
  Qed.

  Lemma prot_and_map_vm_s2pt_code : fun_ok U f_prot_and_map_vm_s2pt prot_and_map_vm_s2pt_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. apply p4_inv in E as (v & a & e & lvl & -> & RV & RA & RE & RL & E).
    apply chk_void in E as [E R0]. boolprop. unfold PFN_LIMIT in E.
    pose proof (page_of_addr a RA). pose proof (frame_of_range e).
    run_vc f_prot_and_map_vm_s2pt. straight. change (Z.land e 281474976706560 / 4096) with (frame_of e).
    destruct (Z.ltb_spec (a / 4096) 68719476736) as [X|X].
    2:{ injection E as <-. straight. reflexivity. }
    destruct (lvl =? 2) eqn:L2.
    - destruct (frame_of e mod 512 =? 0) eqn:A.
      2:{ injection E as <-. straight. reflexivity. }
      pose proof (mod_block (a / 4096) ltac:(lia)). straight.
      unfold assign_range, block_start, and_then in E.
      destruct (iterate _ 512 s) as [q|] eqn:F; [|discriminate E].
      loop_by (fun j x => x = [("vmid", Some v); ("addr", Some a); ("pte", Some e); ("level", Some lvl);
        ("gfn", Some (a / 4096 - a / 4096 mod 512)); ("pfn", Some (frame_of e)); ("i", Some j)]) F.
      + intros j x t u J -> G. run_vc_goal. call_is G. round_done u.
      + intros x ->. run_vc_goal. straight. exact I.
      + reflexivity.
      + destruct q as [w t|t]; [intros x -> | now injection E as <-].
        run_vc_goal. call_is E. destruct r; subst; reflexivity.
    - straight. closed_call. unfold and_then in E.
      destruct (assign_pfn_to_vm_spec [v; a / 4096; frame_of e] s) as [[w t|t]|] eqn:F;
        [|now injection E as <-|discriminate E].
      straight. call_is E. destruct r; subst; reflexivity.
  Qed.

  Lemma grant_stage2_sg_gpa_code : fun_ok U f_grant_stage2_sg_gpa grant_stage2_sg_gpa_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. apply p3_inv in E as (v & a & n & -> & RV & RA & RN & E).
    apply chk_void in E as [E R0]. boolprop.
    range_code f_grant_stage2_sg_gpa E v a n r.
  Qed.

  Lemma revoke_stage2_sg_gpa_code : fun_ok U f_revoke_stage2_sg_gpa revoke_stage2_sg_gpa_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. apply p3_inv in E as (v & a & n & -> & RV & RA & RN & E).
    apply chk_void in E as [E R0]. boolprop.
    range_code f_revoke_stage2_sg_gpa E v a n r.
  Qed.
End Code.
