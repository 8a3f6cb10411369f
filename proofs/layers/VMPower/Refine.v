(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 18, VMPower: the layer's refinement theorem, over the interface of MemoryOps.
    Rests on [ProofCode]. *)
From SeKVM.layers.VMPower Require Import Code Interface ProofCode.

Lemma VMPower_code {N M P} : mod_ok (@U N M P) code T.
Proof.
  repeat split.
  - exact get_vm_poweron_code.
  - exact set_vm_poweroff_code.
Qed.

Lemma VMPower_keeps : keeps U MemoryOps.Interface.L.
Proof. repeat constructor. Qed.

Theorem VMPower_refines : refines req (graph VMPower.Interface.L) (sem code (graph MemoryOps.Interface.L)).
Proof. exact (layer_refines U _ code T [] VMPower_code VMPower_keeps). Qed.
