(* SPDX-License-Identifier: Apache-2.0 *)
(** Users: threads beyond the kernel's CPUs (user programs, virtual machines), whose programs are unknown, and the tables
    through which the MMU translates their accesses.  The tables lie in kernel memory and are written by the kernel. *)
From Coq Require Import List Arith.
From SeKVM.wdrf.isolated Require Import Base.

Record mmu := Mmu {
  levels : nat;                              (* table levels that a walk reads *)
  root : tid -> nat -> addr;                 (* user, virtual address: the entry of level 0 *)
  next : nat -> val -> nat -> option addr;   (* level, entry, virtual address: entry of the next level, or the word of
                                                memory after the last level; [None] is a fault *)
  table : tid -> nat -> addr -> Prop;        (* the entries of each user at each level; at level [levels]: the words
                                                of memory that the user may access *)
  tlb : addr }.                              (* the synchronisation location that stands for TLB invalidations *)

(** Static facts about the tables; [well_typed] is what the kernel may store in an entry. *)
Record geometry (K : kernel) (X : mmu) : Prop := {
  geo_root : forall u va, table X u 0 (root X u va);
  geo_kernel : forall u l a, l < levels X -> table X u l a -> class_of K a = Data;
  geo_next : forall u l a v va a', l < levels X -> table X u l a -> well_typed K a v = true ->
    next X l v va = Some a' -> table X u (S l) a';
  geo_page : forall u a, table X u (levels X) a -> class_of K a = User;
  geo_initial : forall u l a, l < levels X -> table X u l a -> well_typed K a (initial K a) = true;
  geo_tlb : class_of K (tlb X) = Sync }.

(** The kernel invalidates TLBs: dsb; tlbi; dsb; isb.  The invalidation takes its place after every earlier access of the
    CPU (as a release does) and before every later one. *)
Definition tlbi (X : mmu) : list instr :=
  stlr (Const (tlb X)) (Const 0) nil :: Fence DmbSy :: Fence Isb :: nil.
