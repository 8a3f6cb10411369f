(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 23, MmioCoreAux: the layer's refinement theorem.  From here on device registers
    are reached only through these functions. *)
From SeKVM.layers.MmioCoreAux Require Import Code Interface ProofCode.

Lemma MmioCoreAux_code {N M P} : mod_ok (@U N M P) code T.
Proof.
  repeat split.
  - exact handle_smmu_global_access_code.
  - exact handle_smmu_cb_access_code.
  - exact __handle_smmu_write_code.
  - exact __handle_smmu_read_code.
Qed.

Lemma MmioCoreAux_keeps : keeps U MmioRaw.Interface.L.
Proof. repeat constructor. Qed.

Theorem MmioCoreAux_refines : refines req (graph MmioCoreAux.Interface.L) (sem code (graph MmioRaw.Interface.L)).
Proof. exact (layer_refines _ _ _ _ _ MmioCoreAux_code MmioCoreAux_keeps). Qed.
