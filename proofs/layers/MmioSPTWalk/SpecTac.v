(* SPDX-License-Identifier: Apache-2.0 *)
(** A tactic for the code proofs of MmioSPTWalk: a call by name of an operation of
    MmioPTWalk is its specification. *)
From SeKVM.layers.MmioSPTWalk Require Import Spec.
Local Open Scope Z_scope.

Ltac smmu_call f spec := change (call MmioPTWalk.Spec.L f ?l ?x) with (spec pmap (gmap Z s2page) l x).
