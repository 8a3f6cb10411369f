(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the specifications of MmioCoreAux; the host's word is a closed call,
    rewritten at once. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.layers.MmioRaw Require Export SpecTac.
From SeKVM.layers.MmioCoreAux Require Export Spec.

(** Truncation under its name. *)
Ltac low_words := change (wrap U32) with low_word in |- *.

Ltac hook ::= match goal with
  | E : host_ctxt ?s = Some ?m |- context [host_get_mmio_data_spec [?h] ?s] =>
      rewrite (host_data_call h m s) by (bool_goal || exact E)
  | |- context [get_ctxt ?v ?c (set_ins ?i ?s)] => change (get_ctxt v c (set_ins i s)) with (get_ctxt v c s)
  end.

(** Conditions that specification and code share. *)
Ltac same_cases := repeat (match goal with |- context [if ?b then _ else _] =>
  lazymatch b with context [if _ then _ else _] => fail | _ => destruct b eqn:? end end; cbn [andb orb negb]; try reflexivity).

#[export] Hint Unfold owner_at handle_smmu_global_access_spec handle_smmu_cb_access_spec device_store
  __handle_smmu_write_spec host_put __handle_smmu_read_spec : prims.
