(* SPDX-License-Identifier: Apache-2.0 *)
(** What racy hardware walks of tables in kernel memory can yield.  [Transactional-Page-Table]: if links between tables are
    set once, and a leaf entry is rewritten only after the links to it, then a walk that does not fault yields what an
    atomic walk yields at some moment since the last TLB invalidation.  [Sequential-TLB-Invalidation]: after an unmapping
    store followed by a TLB invalidation no access uses the old entry.  The theorems are in [Proof]. *)
From Coq Require Import List Arith Lia Bool.
From SeKVM.wdrf.isolated Require Import Base SC DRF Promising Thread.
From SeKVM.wdrf.full Require Import Base SC Promising DRF.
Import ListNotations.

(** The atomic walk of the tables as they are at time [s]. *)
Inductive snapshot (K : kernel) (X : mmu) (M : memory) (u : tid) (s : view) (va : nat) : nat -> addr -> Prop :=
| snapshot_root : snapshot K X M u s va 0 (root X u va)
| snapshot_next : forall l a v a',
    snapshot K X M u s va l a -> l < levels X -> value_at K M a (last_write M a s) v ->
    next X l v va = Some a' -> snapshot K X M u s va (S l) a'.

(** The walk up to the leaf entry, with [hi] above the timestamps of the links it uses. *)
Inductive links (K : kernel) (X : mmu) (M : memory) (u : tid) (now hi : view) (va : nat) : nat -> addr -> Prop :=
| links_root : links K X M u now hi va 0 (root X u va)
| links_next : forall l a ts v a',
    links K X M u now hi va l a -> S l < levels X ->
    value_at K M a ts v -> ts < now -> no_write M a ts (last_tlbi M X now) -> ts <= hi ->
    next X l v va = Some a' -> links K X M u now hi va (S l) a'.

(** Static and SC-checked part: every entry but those of the last level is write-once (which
    [write_once_kernel_mapping] checks on SC), and entries are invalid until the kernel sets them. *)
Record linked_once (K : kernel) (X : mmu) : Prop := {
  lo_once : forall u l a, S l < levels X -> table X u l a -> write_once K a = true;
  lo_empty : forall u l a va, l < levels X -> table X u l a -> (S l < levels X -> established K a = false) ->
    next X l (initial K a) va = None }.

(** Transactional-Page-Table, on an execution: when links with timestamps up to [hi] lead to a leaf entry, of the stores to
    the entry all but the first come after [hi] (the critical section that links a table writes a leaf of it at most
    once).  [hi] is the timestamp of one of the links. *)
Definition transactional (K : kernel) (X : mmu) (M : memory) : Prop :=
  forall u now hi va l a ts ts' m m', S l = levels X -> links K X M u now hi va l a ->
    (hi = 0 \/ exists l' p ml, S l' < levels X /\ table X u l' p /\ msg_at M hi = Some ml /\ mloc ml = p) ->
    msg_at M ts = Some m -> mloc m = a -> msg_at M ts' = Some m' -> mloc m' = a -> ts < ts' -> hi < ts'.

(** Where tables are never unmapped, leaves are write-once as well, and nothing is asked of executions. *)
Definition map_only (K : kernel) (X : mmu) : Prop :=
  forall u l a, S l = levels X -> table X u l a -> write_once K a = true.
