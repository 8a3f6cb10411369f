(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the code that notes the next page of an image in KCore's table meets
    its specification over the part of the underlay that it uses.  That the address of the
    page does not wrap is [image_range].  Used by [ProofCode]. *)
From SeKVM.layers.BootOps Require Import Code Spec StepTac Natural Ranges.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Lemma remap_vm_image_code : fun_ok U f_remap_vm_image remap_vm_image_spec.
Proof.
  pose proof map_s2pt_records as N1. apply fun_ok_vc. intros vs s r E. unfold remap_vm_image_spec in E.
  apply p3_inv in E as (v & pfn & i & -> & RV & RP & RI & E). cbv beta in E. apply chk_void in E as [E R0].
  unfold is_guest, PFN_LIMIT in E. boolprop.
  destruct ((0 <? v) && (v <? 16) && (pfn <? 68719476736)) eqn:G.
  2:{ injection E as <-. run_steps f_remap_vm_image. lsteps.
      repeat (innermost ltac:(split_on); lsteps); reflexivity. }
  vm_locked E c. pose proof (load_next_range _ OK). pose proof (vm_ok_state _ OK). boolprop. unfold READY in E.
  assert (Hm : (<[v:=c]> (st_vms s)) !! v = Some c) by apply lookup_insert.
  unfold denied_vm, publish_vm, put_vm in E. run_steps f_remap_vm_image.
  destruct (Z.eqb_spec (vm_state (c_val c)) 2) as [Rd|Rd]; [|injection E as <-; lsteps; reflexivity].
  unfold next_slot, add_page in E. destruct (Z.ltb_spec i (load_next (c_val c))) as [L|L]; cbn [andb] in E;
    [|injection E as <-; lsteps; state_norm; now rewrite ?insert_insert].
  destruct (image_range (c_val c) i OK ltac:(lia)) as ((A1 & A2 & A3) & A4 & A5 & A6 & A7).
  images_open. rewrite (Z.mul_comm 4096 (word (load_mapped _) _)) in E.
  destruct (Z.ltb_spec (word (load_mapped (c_val c)) i) ((word (load_size (c_val c)) i + 4095) / 4096)) as [B|B];
    [|injection E as <-; lsteps; state_norm; now rewrite ?insert_insert].
  unfold inside, denied_vm, put_vm, COREVISOR, PAGE_HYP in E.
  destruct (map_s2pt_spec _ s) as [[w t|t]|] eqn:X; [| |discriminate E];
    injection E as <-; lsteps; records_kept; reflexivity.
Qed.
