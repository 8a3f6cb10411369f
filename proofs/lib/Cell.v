(* SPDX-License-Identifier: Apache-2.0 *)
(** A lock-protected object as one CPU sees it, and what acquiring and releasing its
    lock does to the view.  Used by the many-CPU theorem [Smp] and, for every object
    of the machine, by [machine/State.v] and the Locks layer. *)
From Coq Require Import ZArith List.
Import ListNotations.

(** An event [(c, x)] is: CPU [c] released the object with value [x]. *)
Record cell (X : Type) := mkcell {
  c_val : X;                       (* the object as last seen *)
  c_held : bool;                   (* this CPU holds the lock *)
  c_log : list (Z * X);            (* releases known to this CPU, newest first *)
  c_script : list (list (Z * X))   (* releases by others before each next acquire *) }.
Arguments mkcell {X}.
Arguments c_val {X}.
Arguments c_held {X}.
Arguments c_log {X}.
Arguments c_script {X}.

Definition set_val {X} (x : X) (c : cell X) : cell X :=
  mkcell x (c_held c) (c_log c) (c_script c).

(** The value of the object after the releases [evs], newest first. *)
Definition newest {X} (evs : list (Z * X)) (x : X) : X :=
  match evs with [] => x | (_, y) :: _ => y end.

(** Acquire: the next batch of the script has happened.  A script that has run out
    stands for empty batches. *)
Definition acquire_cell {X} (c : cell X) : cell X :=
  let evs := hd [] (c_script c) in
  mkcell (newest evs (c_val c)) true (evs ++ c_log c) (tl (c_script c)).

(** Release by CPU [me]: the object is published. *)
Definition release_cell {X} (me : Z) (c : cell X) : cell X :=
  mkcell (c_val c) false ((me, c_val c) :: c_log c) (c_script c).
