(* SPDX-License-Identifier: Apache-2.0 *)
(** The programs of the relaxed-memory development: threads of a small Arm-like language with registers, computed
    addresses, ordinary and ordered (LDAR/STLR/LDADDAL) accesses, barriers, branches, and ghost annotations that say
    which ownership an ordered access takes or gives.  A [kernel] is a program with its initial memory and with the
    classification of its memory.  Both machines ([SC], [Promising]) run these very programs. *)
From Coq Require Import List Arith.
Import ListNotations.

Definition addr := nat.
Definition val := nat.
Definition reg := nat.
Definition tid := nat.
(** A timestamp is a position in the list of messages, from 1; 0 is the initial memory.  A view is a timestamp. *)
Definition view := nat.

(** Pointwise update of a function. *)
Definition upd {A} (f : nat -> A) (k : nat) (v : A) : nat -> A :=
  fun x => if Nat.eqb x k then v else f x.

Lemma upd_same {A} (f : nat -> A) k v : upd f k v k = v.
Proof. unfold upd. now rewrite Nat.eqb_refl. Qed.

Lemma upd_other {A} (f : nat -> A) k v x : x <> k -> upd f k v x = f x.
Proof. intros H. unfold upd. now apply Nat.eqb_neq in H as ->. Qed.

(** ** Expressions *)
Inductive binop := Add | Sub | Mul | Eq | Lt | Second.

Definition bool_val (b : bool) : val := if b then 1 else 0.

Definition binop_val (op : binop) (x y : val) : val :=
  match op with
  | Add => x + y
  | Sub => x - y
  | Mul => x * y
  | Eq => bool_val (x =? y)
  | Lt => bool_val (x <? y)
  | Second => y
  end.

Inductive expr :=
| Const (v : val)
| Reg (r : reg)
| Bin (op : binop) (a b : expr).

Fixpoint eval (rs : reg -> val) (e : expr) : val :=
  match e with
  | Const v => v
  | Reg r => rs r
  | Bin op a b => binop_val op (eval rs a) (eval rs b)
  end.

(** ** Instructions *)
(** [Plain]: ldr/str on kernel data.  [Ordered]: ldar/stlr (acquire, release) on synchronisation locations.
    [ToUser]: the kernel's ldr/str on memory that user programs can reach. *)
Inductive kind := Plain | Ordered | ToUser.

Inductive barrier := DmbSy | DmbLd | DmbSt | Isb.

Inductive instr :=
| Mov (r : reg) (e : expr)
| Branch (e : expr) (target : nat)
    (** jump to instruction number [target] of the thread if [e] is not 0 *)
| Fence (b : barrier)
| Load (k : kind) (r : reg) (a : expr) (c : expr) (pulls : list expr)
    (** ghost: an [Ordered] load takes the ownership of [pulls] from the message that it reads, if [c] is not 0
        once [r] is assigned *)
| Store (k : kind) (a e : expr) (pushes : list expr)
    (** ghost: an [Ordered] store gives the ownership of [pushes] to the message that it writes *)
| Rmw (f : binop) (r : reg) (a e : expr) (c : expr) (pulls pushes : list expr).
    (** r := [a]; [a] := f r e, in one atomic step with acquire and release: LDADDAL ([Add]), SWPAL ([Second]) *)

Definition ldr (r : reg) (a : expr) : instr := Load Plain r a (Const 0) [].
Definition str (a e : expr) : instr := Store Plain a e [].
Definition ldar (r : reg) (a : expr) (c : expr) (pulls : list expr) : instr := Load Ordered r a c pulls.
Definition stlr (a e : expr) (pushes : list expr) : instr := Store Ordered a e pushes.
Definition ldr_user (r : reg) (a : expr) : instr := Load ToUser r a (Const 0) [].
Definition str_user (a e : expr) : instr := Store ToUser a e [].

(** ** Kernels *)
(** [Data]: kernel memory protected by ownership.  [Sync]: lock words, flags.  [User]: memory of user programs, VMs. *)
Inductive class := Data | Sync | User.

Definition class_eqb (c d : class) : bool :=
  match c, d with Data, Data | Sync, Sync | User, User => true | _, _ => false end.

Definition kind_eqb (j k : kind) : bool :=
  match j, k with Plain, Plain | Ordered, Ordered | ToUser, ToUser => true | _, _ => false end.

Record kernel := Kernel {
  cpus : nat;                         (* kernel threads are 0 .. cpus - 1 *)
  program : tid -> list instr;
  initial : addr -> val;
  class_of : addr -> class;
  write_once : addr -> bool;          (* entries of the kernel's own page table, and other data that is set once *)
  established : addr -> bool;         (* the [write_once] entries that are set before the start *)
  well_typed : addr -> val -> bool;   (* the values that may be stored at a kernel address, e.g. in a page table *)
  owner0 : tid -> addr -> bool;       (* ghost: what each thread owns at the start *)
  payload0 : addr -> addr -> bool }.  (* ghost: what each synchronisation location guards at the start *)

(** Ownership is exclusive: an address is with at most one thread or one synchronisation location. *)
Definition exclusive (own : tid -> addr -> bool) (pay : addr -> addr -> bool) : Prop :=
  (forall i j a, own i a = true -> own j a = true -> i = j) /\
  (forall i l a, own i a = true -> pay l a = true -> False) /\
  (forall l l' a, pay l a = true -> pay l' a = true -> l = l').

(** What is asked of a kernel's static data. *)
Record well_formed (K : kernel) : Prop := {
  wf_cpus : forall i, cpus K <= i -> program K i = [];
  wf_exclusive : exclusive (owner0 K) (payload0 K) }.

Definition fetch (K : kernel) (i : tid) (pc : nat) : option instr := nth_error (program K i) pc.
