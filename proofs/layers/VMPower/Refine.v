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

Lemma VMPower_keeps : keeps U VMPower.Interface.Below.
Proof. repeat constructor. Qed.

Theorem VMPower_refines : refines req (graph VMPower.Interface.L) (sem code (graph VMPower.Interface.Below)).
Proof. exact (mod_ok_refines VMPower.Interface.Below code T (mod_ok_keep U _ T VMPower_keeps code VMPower_code)). Qed.
