(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 4, Locks: run a body that is two calls with the same lock number. *)
From SeKVM.machine Require Import StateTac BottomTac ViewPass.
From SeKVM.layers.Locks Require Import Rel.

(** Goal: [makes f vs _ _ lk], with [is_vmid] of the argument in the context if there is one. *)
Ltac two_calls f :=
  intros t t1 t2 Call1 Call2; autounfold with consts in *; boolprop;
  eapply exec_fun_vc; run_vc f;
  unfold lock_npt, lock_vm, lock_core, lock_s2page, lock_spt, lock_smmu in *;
  repeat match goal with |- _ /\ _ => split; [ranges_goal; lia|] end;
  unwrap; rewrite Call1; cbv beta iota; unwrap; rewrite Call2; reflexivity.
