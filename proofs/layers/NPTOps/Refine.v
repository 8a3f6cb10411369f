(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 8, NPTOps: the layer's refinement theorem.  Whatever the interface of NPTOps
    says in one step, the C code does over the interface of NPTWalk, on the same
    state; the lock of stage-2 tables is hidden from here on. *)
From SeKVM.layers.NPTOps Require Import Code Spec ProofCode.

Lemma NPTOps_code : mod_ok NPTWalk.Spec.L code T.
Proof.
  repeat split.
  - exact get_level_s2pt_code.
  - exact walk_s2pt_code.
  - exact map_s2pt_code.
  - exact clear_pfn_host_code.
Qed.

Theorem NPTOps_refines : refines req (graph NPTOps.Spec.L) (sem code (graph NPTWalk.Spec.L)).
Proof. exact (mod_ok_refines_hide _ _ _ _ NPTOps_code). Qed.
