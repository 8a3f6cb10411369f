(* SPDX-License-Identifier: Apache-2.0 *)
(** Tactics for the code of MmioCore: the calls of MmioCoreAux stay closed and are
    rewritten to what they answer. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.machine Require Export BottomMmioTac.
From SeKVM.layers.MmioCore Require Export Spec.

(** One call of MmioCoreAux. *)
Ltac aux_call := match goal with
  | |- context [call ?L ?f ?vs ?s] =>
      let p := eval hnf in (Lang.assoc f L) in
      lazymatch p with Some ?q => change (call L f vs s) with (q vs s) end
  end.
