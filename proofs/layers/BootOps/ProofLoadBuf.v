(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the code that makes a sealed frame of the host a VM's meets its specification over the part
    of the underlay that it uses. The host loses the frame by a closed call, which is moved past the record of the
    VM and the map of frames, both locked. Used by [ProofCode]. *)
From SeKVM.layers.MemManager Require Import Natural.
From SeKVM.layers.BootOps Require Import Code Spec Natural FrameTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

#[local] Hint Unfold owner_of count_of frame_ok : prims.

Lemma load_decrypt_buf_code : fun_ok U f_load_decrypt_buf load_decrypt_buf_spec.
Proof.
  pose proof clear_pfn_host_records as N1.
  pose proof (@clear_pfn_host_natural pmap (gmap Z page) (gmap Z page)) as N2.
  apply fun_ok_vc. intros vs s r E. unfold load_decrypt_buf_spec in E. args_of E. cbv beta in E.
  match goal with A : in_range U64 i = true |- _ =>
    pose proof (div_page_range i _ (proj1 (in_range_iff U64 i) A)) end.
  destruct (is_guest v) eqn:G; [section_of E | cbn [chk] in E; inv_spec E];
    autounfold with prims consts in *; boolprop; state_norm_hyps; run_steps f_load_decrypt_buf; op_cases.
Qed.
