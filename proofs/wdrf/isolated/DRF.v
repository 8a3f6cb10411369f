(* SPDX-License-Identifier: Apache-2.0 *)
(** The wDRF conditions on a kernel.  Each quantifies over the SC executions of the kernel and over nothing else: the
    relaxed machine occurs in none of them. *)
From Coq Require Import List Arith.
From SeKVM.wdrf.isolated Require Import Base SC.

(** [P] holds of every instruction that any thread is about to execute, in every SC execution of [K]. *)
Definition always (K : kernel) (P : instr -> sc_state -> tid -> ghost -> bool) : Prop :=
  forall s g i ins, sc_reach K s g -> fetch K i (sc_pc s i) = Some ins -> P ins s i g = true.

Definition drf_kernel (K : kernel) : Prop := always K (race_free K).
Definition no_barrier_misuse (K : kernel) : Prop := always K (fun ins s i _ => ordered_on_sync K ins s i).
Definition write_once_kernel_mapping (K : kernel) : Prop := always K (written_once K).
Definition weak_memory_isolation (K : kernel) : Prop := always K (fun ins s i _ => isolates K ins s i).

(** All checks together: what the simulation consumes. *)
Record sc_safe (K : kernel) : Prop := {
  safe_drf : drf_kernel K;
  safe_barrier : no_barrier_misuse K;
  safe_once : write_once_kernel_mapping K;
  safe_isolation : weak_memory_isolation K }.

(** A kernel on its own: no user memory, no access to it, no typing of stores. *)
Record isolated (K : kernel) : Prop := {
  iso_class : forall a, class_of K a <> User;
  iso_typed : forall a v, well_typed K a v = true;
  iso_access : forall i pc ins k a, fetch K i pc = Some ins -> access_of ins = Some (k, a) -> k <> ToUser }.

(** The hypotheses of Theorem 2. *)
Record wdrf_isolated (K : kernel) : Prop := {
  wi_well_formed : well_formed K;
  wi_isolated : isolated K;
  wi_drf : drf_kernel K;
  wi_barrier : no_barrier_misuse K;
  wi_once : write_once_kernel_mapping K }.
