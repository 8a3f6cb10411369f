(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 17, MemoryOps: the layer's refinement theorem.  A range operation is at both
    levels a sequence of steps with the other CPUs in between; the theorem says that the
    loops of the C code are those sequences, for all arguments.  Rests on [ProofCode]. *)
From SeKVM.layers.MemoryOps Require Import Code Interface ProofCode.

Lemma MemoryOps_code {M} : mod_ok (@U M) code T.
Proof.
  repeat split.
  - exact clear_vm_range_code.
  - exact prot_and_map_vm_s2pt_code.
  - exact grant_stage2_sg_gpa_code.
  - exact revoke_stage2_sg_gpa_code.
Qed.

Lemma MemoryOps_keeps : keeps U MemManager.Interface.L.
Proof. repeat constructor. Qed.

Theorem MemoryOps_refines : refines req (graph MemoryOps.Interface.L) (sem code (graph MemManager.Interface.L)).
Proof. exact (layer_refines U _ code T hidden MemoryOps_code MemoryOps_keeps). Qed.
