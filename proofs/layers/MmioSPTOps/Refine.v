(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 12, MmioSPTOps: the layer's refinement theorem.  Whatever the interface of
    MmioSPTOps says in one step, the C code does over the interface of MmioSPTWalk, on
    the same state; the lock of SMMU tables is hidden from here on. *)
From SeKVM.layers.MmioSPTOps Require Import Code Spec ProofCode.

Lemma MmioSPTOps_code : mod_ok MmioSPTWalk.Spec.L code T.
Proof.
  repeat split.
  - exact init_spt_code.
  - exact walk_spt_code.
  - exact map_spt_code.
  - exact unmap_spt_code.
Qed.

Theorem MmioSPTOps_refines : refines req (graph MmioSPTOps.Spec.L) (sem code (graph MmioSPTWalk.Spec.L)).
Proof. exact (mod_ok_refines_hide _ _ _ _ MmioSPTOps_code). Qed.
