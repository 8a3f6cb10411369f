(* SPDX-License-Identifier: Apache-2.0 *)
(** The wDRF conditions of a kernel with users.  Those about executions quantify over SC executions with data oracles
    only: the user programs and the relaxed machine occur in none of them. *)
From Coq Require Import List Arith.
From SeKVM.wdrf.isolated Require Import Base SC DRF Promising.
From SeKVM.wdrf.full Require Import Base SC.

(** The hypotheses of Theorem 4. *)
Record wdrf_full (K : kernel) (X : mmu) : Prop := {
  wf_well_formed : well_formed K;
  wf_geometry : geometry K X;
  wf_safe : sc_safe K }.

(** Memory-Isolation in its strong form: the kernel does not read user memory either. *)
Definition strong_memory_isolation (K : kernel) : Prop := weak_memory_isolation K /\ no_user_reads K.

(** The hypotheses of Theorem 3. *)
Record wdrf_strong (K : kernel) (X : mmu) : Prop := {
  ws_full : wdrf_full K X;
  ws_strong : strong_memory_isolation K }.

(** What can be seen of a piece of the kernel: program counters, registers and words of kernel memory, as many as one
    likes. *)
Record observation := Observation {
  obs_pcs : list (tid * nat);
  obs_regs : list (tid * reg * val);
  obs_words : list (addr * val) }.

Definition shows (K : kernel) (o : observation) (pcs : tid -> nat) (regs : tid -> reg -> val) (word : addr -> val -> Prop) : Prop :=
  (forall i p, In (i, p) (obs_pcs o) -> pcs i = p) /\
  (forall i r v, In (i, r, v) (obs_regs o) -> regs i r = v) /\
  (forall a v, In (a, v) (obs_words o) -> class_of K a <> User /\ word a v).
