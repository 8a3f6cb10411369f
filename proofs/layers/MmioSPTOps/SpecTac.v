(* SPDX-License-Identifier: Apache-2.0 *)
(** The first step of the code proofs of MmioSPTOps: where a specification is defined,
    the lock is free and the bank exists. *)
From SeKVM.layers.MmioSPTOps Require Import Spec.
Local Open Scope Z_scope.

(** [E]: the specification gives a result; [H], [V]: names for the two facts. *)
Ltac open_spt E H V :=
  match type of E with context [c_held (st_spt ?s)] => destruct (c_held (st_spt s)) eqn:H; [discriminate E|] end;
  match type of E with context [is_bank ?cb ?ix] => destruct (is_bank cb ix) eqn:V; [|discriminate E] end;
  cbn [negb] in E.
