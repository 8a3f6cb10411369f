(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 30, MemHandler: each function's code meets its specification.  The primitives
    of the layers below stay closed.  Used by [Refine]. *)
From SeKVM.lib Require Import LoopTac.
From SeKVM.layers.MemoryOps Require Import Ranges SpecTac.
From SeKVM.layers.MemHandler Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Code.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).
  Context (get_vm_poweron vm_has_bank map_io smmu_init_pte smmu_assign_page smmu_map_page : prim St).
  Notation U := (U get_vm_poweron vm_has_bank map_io smmu_init_pte smmu_assign_page smmu_map_page).

  Lemma clear_vm_stage2_range_code : fun_ok U f_clear_vm_stage2_range (clear_vm_stage2_range_spec get_vm_poweron vm_has_bank).
  Proof.
    apply fun_ok_vc. intros vs s r E. apply p3_inv in E as (v & a & n & -> & RV & RA & RN & E).
    apply chk_void in E as [E R0]. boolprop. run_vc f_clear_vm_stage2_range. straight. unfold and_then in E. closed_call.
    destruct (get_vm_poweron [v] s) as [[on t|t]|]; [ | injection E as <-; reflexivity | discriminate E ].
    destruct (on =? 0); straight; [|injection E as <-; reflexivity]. closed_call.
    destruct (vm_has_bank [v] t) as [[banks u|u]|]; [ | injection E as <-; reflexivity | discriminate E ].
    destruct (banks =? 0); straight.
    - call_is E. destruct r; subst; reflexivity.
    - injection E as <-. reflexivity.
  Qed.

  Lemma el2_arm_lpae_map_code :
    fun_ok U f_el2_arm_lpae_map (el2_arm_lpae_map_spec smmu_init_pte smmu_assign_page smmu_map_page).
  Proof.
    apply fun_ok_vc. intros vs s r E. unfold el2_arm_lpae_map_spec in E.
    destruct vs as [|a [|pa [|prot [|cb [|ix [|]]]]]]; try discriminate E.
    destruct (in_range U64 a) eqn:RA; [|discriminate E]. destruct (in_range U64 pa) eqn:RP; [|discriminate E].
    destruct (in_range U64 prot) eqn:RO; [|discriminate E]. destruct (in_range U32 cb) eqn:RC; [|discriminate E].
    destruct (in_range U32 ix) eqn:RI; [|discriminate E]. apply chk_void in E as [E R0]. boolprop.
    run_vc f_el2_arm_lpae_map. straight. unfold and_then in E. closed_call.
    destruct (smmu_init_pte [prot; pa] s) as [[e t|t]|]; [ | injection E as <-; reflexivity | discriminate E ].
    straight. closed_call.
    destruct (smmu_assign_page _ t) as [[w u|u]|]; [ | injection E as <-; reflexivity | discriminate E ].
    call_is E. destruct r; subst; reflexivity.
  Qed.

  Lemma kvm_phys_addr_ioremap_code : fun_ok U f_kvm_phys_addr_ioremap (kvm_phys_addr_ioremap_spec map_io).
  Proof.
    apply fun_ok_vc. intros vs s r E. apply p4_inv in E as (v & g & p & n & -> & RV & RG & RP & RN & E).
    apply chk_void in E as [E R0]. boolprop.
    pose proof (page_of_addr g RG). pose proof (page_of_addr p RP). pose proof (page_of_addr n RN).
    unfold pages_of, PFN_LIMIT in E. run_vc f_kvm_phys_addr_ioremap. straight.
    destruct (n mod 4096 =? 0); rewrite ?Z.add_0_r in E; straight;
      match type of E with context [g / 4096 + ?k <=? _] =>
        destruct (Z.leb_spec (g / 4096 + k) 68719476736); [|injection E as <-; straight; reflexivity];
        destruct (Z.leb_spec (p / 4096 + k) 68719476736); [|injection E as <-; straight; reflexivity];
        cbn [andb] in E; straight;
        loop_by (fun j x => x = [("vmid", Some v); ("gpa", Some g); ("pa", Some p); ("size", Some n);
          ("gfn", Some (g / 4096)); ("pfn", Some (p / 4096)); ("num", Some k); ("i", Some j)]) E;
        [ intros j x t q J -> F; run_vc_goal; call_is F; round_done q
        | intros x ->; run_vc_goal; straight; exact I
        | reflexivity
        | destruct r; [intros x -> | ]; subst; reflexivity ]
      end.
  Qed.
End Code.
