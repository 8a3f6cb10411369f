(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 15, PageManager: each function's code on the ownership table by slots meets
    its specification on the map of frames.  Used by [Refine]. *)
From SeKVM.lib Require Import PrimInv.
From SeKVM.machine Require Import StateTac BottomPagesTac.
From SeKVM.layers.PageIndex Require Import ProofCode.
From SeKVM.layers.PageManager Require Import Code Spec Slots SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Code.
  Context {N M : Type}.
  Notation U := (@U N M).

  Lemma code_ranges q : page_ok q ->
    0 <= owner_of (Some q) < 17 /\ 0 <= count_of (Some q) <= 4294967295 /\ 0 <= map_of (Some q) <= 18446744073709551615.
  Proof.
    unfold page_ok, INVALID, INVALID64. destruct q as [k|v [k|] [g|]|]; cbn; autounfold with consts; lia.
  Qed.

  (** A change of a frame and of its slot. *)
  Lemma put_related (s : St cell N M (gmap Z page)) m t' pfn i e q :
    firmware_ok (boot_mem (st_boot s)) = true -> cell_rel (RP (boot_mem (st_boot s))) (st_s2 s) m ->
    frame_slot (boot_mem (st_boot s)) pfn = Some i -> page_ok q -> e = encode q ->
    t' = set_s2 (set_val (<[i := e]> (c_val m)) m) s ->
    res_rel R (Ok 0 (put_frame pfn q s)) (Ok 0 t').
  Proof.
    intros FW X FS Q -> ->. split; [reflexivity|]. split; [exact FW|].
    exists (set_val (<[i := encode q]> (c_val m)) m). split; [reflexivity|].
    apply set_val_rel; [exact X|]. exact (RP_insert _ _ _ pfn i q FW (cr_val _ _ _ X) FS Q).
  Qed.

  Lemma get_pfn_owner_code : fun_sim R U f_get_pfn_owner get_pfn_owner_spec.
  Proof.
    apply fun_sim_vc. intros vs s t r RR E. apply p1_inv in E as (pfn & -> & RA & E). boolprop.
    open_frame. apply chk_inv in E as [RV ->]. unfold frame in *.
    run_vc f_get_pfn_owner. cases_of pfn; rewrite F in *.
    - autounfold with consts. ssteps. same_states.
    - autounfold with consts. ssteps. same_states.
    - destruct (code_ranges q Q) as (R1 & R2 & R3). autounfold with consts. ssteps.
      rewrite En. entry_fields. ssteps. same_states.
  Qed.

  Lemma get_pfn_count_code : fun_sim R U f_get_pfn_count get_pfn_count_spec.
  Proof.
    apply fun_sim_vc. intros vs s t r RR E. apply p1_inv in E as (pfn & -> & RA & E). boolprop.
    open_frame. apply chk_inv in E as [RV ->]. unfold frame in *.
    run_vc f_get_pfn_count. cases_of pfn; rewrite F in *.
    - autounfold with consts. ssteps. same_states.
    - autounfold with consts. ssteps. same_states.
    - destruct (code_ranges q Q) as (R1 & R2 & R3). autounfold with consts. ssteps.
      rewrite En. entry_fields. ssteps. same_states.
  Qed.

  Lemma get_pfn_map_code : fun_sim R U f_get_pfn_map get_pfn_map_spec.
  Proof.
    apply fun_sim_vc. intros vs s t r RR E. apply p1_inv in E as (pfn & -> & RA & E). boolprop.
    open_frame. apply chk_inv in E as [RV ->]. unfold frame in *.
    run_vc f_get_pfn_map. cases_of pfn; rewrite F in *.
    - autounfold with consts. ssteps. same_states.
    - autounfold with consts. ssteps. same_states.
    - destruct (code_ranges q Q) as (R1 & R2 & R3). autounfold with consts. ssteps.
      rewrite En. entry_fields. ssteps. same_states.
  Qed.

  Lemma set_pfn_owner_code : fun_sim R U f_set_pfn_owner set_pfn_owner_spec.
  Proof.
    apply fun_sim_vc. intros vs s t r RR E. apply p2_inv in E as (pfn & x & -> & RA & RX & E). boolprop.
    open_frame. unfold change, frame in E. run_vc f_set_pfn_owner.
    destruct (x <? COREVISOR) eqn:LX; unfold COREVISOR in LX; [|injection E as <-; boolprop; ssteps; same_states].
    boolprop.
    cases_of pfn; rewrite F in E.
    - injection E as <-. autounfold with consts. ssteps. same_states.
    - injection E as <-. autounfold with consts. ssteps. same_states.
    - destruct (code_ranges q Q) as (R1 & R2 & R3). autounfold with consts. ssteps.
      rewrite En. entry_fields. ssteps.
      destruct q as [k|v u g|]; cbn [give recount rebind owner_of chk] in *; autounfold with consts in *.
      + injection E as <-. ssteps. apply (put_related s m _ pfn i (mks2page x 0 18446744073709551615) _ FW X FS).
        * destruct (Z.eqb_spec x 0); cbn; autounfold with consts; lia.
        * destruct (Z.eqb_spec x 0) as [->|]; reflexivity.
        * reflexivity.
      + injection E as <-. cbn [page_ok] in Q. autounfold with consts in Q. ssteps.
        apply (put_related s m _ pfn i (mks2page x 0 18446744073709551615) _ FW X FS).
        * destruct (Z.eqb_spec x 0); cbn; autounfold with consts; lia.
        * destruct (Z.eqb_spec x 0) as [->|]; reflexivity.
        * reflexivity.
      + injection E as <-. ssteps. same_states.
  Qed.

  Lemma set_pfn_count_code : fun_sim R U f_set_pfn_count set_pfn_count_spec.
  Proof.
    apply fun_sim_vc. intros vs s t r RR E. apply p2_inv in E as (pfn & x & -> & RA & RX & E). boolprop.
    open_frame. unfold change, frame in E. run_vc f_set_pfn_count.
    cases_of pfn; rewrite F in E.
    - injection E as <-. autounfold with consts. ssteps. same_states.
    - injection E as <-. autounfold with consts. ssteps. same_states.
    - destruct (code_ranges q Q) as (R1 & R2 & R3). autounfold with consts. ssteps.
      rewrite En. entry_fields. ssteps.
      destruct q as [k|v u g|]; cbn [give recount rebind owner_of chk] in *; autounfold with consts in *.
      + destruct (x =? 4294967295) eqn:XI; injection E as <-; boolprop; ssteps; [same_states|].
        apply (put_related s m _ pfn i (mks2page 0 x 18446744073709551615) (Host x) FW X FS).
        * cbn. autounfold with consts. lia.
        * reflexivity.
        * rewrite En. reflexivity.
      + injection E as <-. cbn [page_ok] in Q. autounfold with consts in Q. ssteps.
        apply (put_related s m _ pfn i (mks2page v x (map_of (Some (Vm v u g)))) _ FW X FS).
        * destruct (Z.eqb_spec x 4294967295); cbn; autounfold with consts; intuition lia.
        * destruct (Z.eqb_spec x 4294967295) as [->|]; reflexivity.
        * rewrite En. reflexivity.
      + injection E as <-. ssteps. same_states.
  Qed.

  Lemma set_pfn_map_code : fun_sim R U f_set_pfn_map set_pfn_map_spec.
  Proof.
    apply fun_sim_vc. intros vs s t r RR E. apply p2_inv in E as (pfn & x & -> & RA & RX & E). boolprop.
    open_frame. unfold change, frame in E. run_vc f_set_pfn_map.
    cases_of pfn; rewrite F in E.
    - injection E as <-. autounfold with consts. ssteps. same_states.
    - injection E as <-. autounfold with consts. ssteps. same_states.
    - destruct (code_ranges q Q) as (R1 & R2 & R3). autounfold with consts. ssteps.
      rewrite En. entry_fields. ssteps.
      destruct q as [k|v u g|]; cbn [give recount rebind owner_of chk] in *; autounfold with consts in *.
      + injection E as <-. ssteps. same_states.
      + injection E as <-. cbn [page_ok] in Q. autounfold with consts in Q. ssteps.
        apply (put_related s m _ pfn i (mks2page v (count_of (Some (Vm v u g))) x) _ FW X FS).
        * destruct (Z.eqb_spec x 18446744073709551615); cbn; autounfold with consts; intuition lia.
        * destruct (Z.eqb_spec x 18446744073709551615) as [->|]; reflexivity.
        * rewrite En. reflexivity.
      + injection E as <-. ssteps. same_states.
  Qed.
End Code.
