(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the numbers that a good record has for its images are far from the
    ends of their C types, so the arithmetic of the code does not wrap.  Rests on [vm_ok];
    used by the code proofs on images. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.layers.VMPower Require Import Vm VmFacts.
Local Open Scope Z_scope.

Lemma image_range x i : vm_ok x = true -> 0 <= i < load_next x ->
  (0 <= img_addr x i /\ img_addr x i mod 4096 = 0 /\ img_addr x i + 4096 * img_pages x i <= 281474976710656) /\
  (0 < img_size x i <= 4096 * img_pages x i) /\
  (33554432 <= img_remap x i /\ img_remap x i + 4096 * img_pages x i <= 67108864) /\
  0 <= img_mapped x i <= img_pages x i /\ 0 <= img_digest x i < 18446744073709551616.
Proof.
  intros OK R. apply vm_ok_iff in OK as (_ & _ & _ & _ & _ & A & _). specialize (A i R).
  unfold image_ok, REMAP_START, REMAP_END in A.
  assert (P : img_size x i <= 4096 * img_pages x i) by (unfold img_pages, pages; Z.div_mod_to_equations; lia).
  boolprop. repeat split; lia || assumption.
Qed.

Lemma load_next_range x : vm_ok x = true -> 0 <= load_next x <= 5.
Proof. intros OK. now apply vm_ok_iff in OK as (_ & _ & _ & L & _). Qed.
