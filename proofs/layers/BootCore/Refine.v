(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 19, BootCore: the layer's refinement theorem, over the interface of VMPower.
    Rests on [ProofCode]. *)
From SeKVM.layers.BootCore Require Import Code Interface ProofCode.

Lemma BootCore_code {N M P} : mod_ok (@U N M P) code T.
Proof.
  repeat split.
  - exact gen_vmid_code.
  - exact alloc_remap_addr_code.
Qed.

Lemma BootCore_keeps : keeps U VMPower.Interface.L.
Proof. repeat constructor. Qed.

Theorem BootCore_refines : refines req (graph BootCore.Interface.L) (sem code (graph VMPower.Interface.L)).
Proof. exact (layer_refines U _ code T hidden BootCore_code BootCore_keeps). Qed.
