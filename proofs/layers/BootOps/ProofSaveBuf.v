(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the code that moves a frame of a VM sealed to a frame of the host meets its specification
    over the part of the underlay that it uses. What is known of the two frames is that they can occur ([frame_ok]).
    Used by [ProofCode]. *)
From SeKVM.layers.MemManager Require Import Natural.
From SeKVM.layers.BootOps Require Import Code Spec Natural FrameTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** The owner that is reported of such a frame fits its type. *)
Lemma frame_ok_owner q : frame_ok q = true -> 0 <= owner_of q < 4294967296.
Proof. destruct q as [[k|v u g|]|]; cbn; unfold is_guest, HOSTVISOR, COREVISOR, INVALID; intros H; boolprop; lia. Qed.

Lemma save_encrypt_buf_code : fun_ok U f_save_encrypt_buf save_encrypt_buf_spec.
Proof.
  apply fun_ok_vc. intros vs s r E. unfold save_encrypt_buf_spec in E. args_of E. cbv beta in E.
  destruct (is_guest v) eqn:G.
  2:{ cbn [chk] in E. inv_spec E; autounfold with consts in *; boolprop; run_steps f_save_encrypt_buf; code_cases. }
  destruct (c_held (st_s2 s)) eqn:HS; [discriminate E|]. cbn [negb] in E. cbv zeta in E.
  pose proof (eq_refl : acquired (acquire_cell (st_s2 s)) (st_s2 s)) as EC.
  assert (HC : c_held (acquire_cell (st_s2 s)) = true) by reflexivity.
  generalize dependent (acquire_cell (st_s2 s)). intros c E EC HC.
    destruct (frame_ok _ && frame_ok _) eqn:FO; [|discriminate E].
  apply andb_true_iff in FO as [F1 F2]. apply frame_ok_owner in F1, F2. boolprop.
  match goal with A : 0 <= i < _, B : 0 <= a < _ |- _ => pose proof (div_page_range i _ A);
    pose proof (div_page_range a _ B) end.
  destruct (owner_of (c_val c !! (i / 4096)) =? v) eqn:O1, (owner_of (c_val c !! (a / 4096)) =? HOSTVISOR) eqn:O2;
    cbn [andb] in E; prim_unfold_in E; inv_spec E; autounfold with consts in *; boolprop;
      run_steps f_save_encrypt_buf; code_cases.
Qed.
