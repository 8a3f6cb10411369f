(* SPDX-License-Identifier: Apache-2.0 *)
(** A step of the code proofs of MmioSPTOps: where a specification is defined beyond its
    checks, the lock is free. *)
From SeKVM.layers.MmioSPTOps Require Import Spec.
Local Open Scope Z_scope.

(** [E]: the specification gives a result; [H]: the name of the fact. *)
Ltac lock_free E H :=
  match type of E with context [c_held (st_spt ?s)] => destruct (c_held (st_spt s)) eqn:H; [discriminate E|] end;
  cbn [negb] in E.
