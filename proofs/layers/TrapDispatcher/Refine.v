(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 32, TrapDispatcher: the layer's refinement theorem, for any operations on the host's calls and on a VM's, over
    every underlay that has what the code uses; other primitives pass through.  Rests on [ProofCode]. *)
From SeKVM.lib Require Import Hide.
From SeKVM.layers.TrapDispatcher Require Import Code Spec ProofCode.

Section Refine.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (ops : ident -> prim St) (core_handle_pvops : prim St).
  Notation U := (U ops core_handle_pvops).
  Notation T := (T ops core_handle_pvops).

  Lemma TrapDispatcher_code : mod_ok U code T.
  Proof.
    repeat split.
    - apply host_hvc_dispatcher_code.
    - apply vm_exit_dispatcher_code.
  Qed.

  Theorem TrapDispatcher_refines (L0 : tbl St) : keeps U L0 ->
    refines req (graph (over T (hide hidden L0))) (sem code (graph L0)).
  Proof. exact (layer_refines U L0 code T hidden TrapDispatcher_code). Qed.
End Refine.
