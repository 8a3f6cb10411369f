(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 20, BootAux: the layer's refinement theorem, over the interface of
    BootCore.  The loop of the C code is the sequence of steps, one for each page of
    the image, with the other CPUs in between.  Rests on [ProofCode]. *)
From SeKVM.layers.BootAux Require Import Code Interface ProofCode.

Lemma BootAux_code {M} : mod_ok (@U M) code T.
Proof. repeat split. exact unmap_and_load_vm_image_code. Qed.

Lemma BootAux_keeps : keeps U BootCore.Interface.L.
Proof. repeat constructor. Qed.

Theorem BootAux_refines : refines req (graph BootAux.Interface.L) (sem code (graph BootCore.Interface.L)).
Proof. exact (layer_refines U _ code T hidden BootAux_code BootAux_keeps). Qed.
