(* SPDX-License-Identifier: Apache-2.0 *)
(** The Promising machine with users.  A user's program is unknown: it may issue any messages, at addresses that the MMU
    yields.  The MMU walks the tables racily: each level may be read at a timestamp of its own, arbitrarily old down to the
    last TLB invalidation and independent of the other levels, so that caches of whole or partial walks (TLBs) add nothing.
    The kernel's threads are as in the isolated machine; they may read what users wrote. *)
From Coq Require Import List Arith.
From SeKVM.wdrf.isolated Require Import Base Promising.
From SeKVM.wdrf.full Require Import Base.

(** The last TLB invalidation before [now]. *)
Definition last_tlbi (M : memory) (X : mmu) (now : view) : view := last_write M (tlb X) now.

(** The walk of user [u] for address [va], by an access with timestamp [now], is at [a] after [l] levels. *)
Inductive walk (K : kernel) (X : mmu) (M : memory) (u : tid) (now : view) (va : nat) : nat -> addr -> Prop :=
| walk_root : walk K X M u now va 0 (root X u va)
| walk_next : forall l a ts v a',
    walk K X M u now va l a -> l < levels X ->
    value_at K M a ts v -> ts < now -> no_write M a ts (last_tlbi M X now) ->
    next X l v va = Some a' -> walk K X M u now va (S l) a'.

(** The user may access memory word [pa] at time [now]. *)
Definition accesses (K : kernel) (X : mmu) (M : memory) (u : tid) (now : view) (pa : addr) : Prop :=
  exists va, walk K X M u now va (levels X) pa.

Record full_behaviour (K : kernel) (X : mmu) (M : memory) (f : tid -> thread) : Prop := {
  fb_kernel : kernel_run K M f;
  fb_users : forall ts m, msg_at M ts = Some m -> cpus K <= mtid m -> accesses K X M (mtid m) ts (mloc m) }.
