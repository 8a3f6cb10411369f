(* SPDX-License-Identifier: Apache-2.0 *)
(** Tactics for the code of MmioCore: the calls of MmioCoreAux stay closed and are
    rewritten to what they answer. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.layers.MmioRaw Require Export SpecTac.
From SeKVM.layers.MmioCore Require Export Spec.
