(* SPDX-License-Identifier: Apache-2.0 *)
(** A tactic of [LifeOk]: what a transition does not touch of images is as before. *)
From SeKVM.layers.VMPower Require Import Vm.
From SeKVM.lib Require Import VcTac.
From SeKVM.machine Require Import BottomVmTac.

Ltac same_images := intros j Rj; unfold img_addr, img_size, img_remap, img_digest, img_mapped; state_norm;
  repeat split; auto; lia.
