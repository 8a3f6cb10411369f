(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 16, MemManager: each function's code meets its specification over the part of
    the underlay that it uses.  Table work is a closed call; it commutes with replacing
    the map of frames.  Used by [Refine]. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.machine Require Import StateTac BottomPagesTac Rel.
From SeKVM.layers.MemManager Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Code.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).
  Context (map_spt unmap_spt : prim St).
  Notation U := (U map_spt unmap_spt).

  Lemma grant_vm_page_code : fun_ok U f_grant_vm_page grant_vm_page_spec.
  Proof. naturals M. locked_intro f_grant_vm_page; code_cases. Qed.

  Lemma revoke_vm_page_code : fun_ok U f_revoke_vm_page revoke_vm_page_spec.
  Proof. naturals M. locked_intro f_revoke_vm_page; code_cases. Qed.

  Lemma clear_vm_page_code : fun_ok U f_clear_vm_page clear_vm_page_spec.
  Proof. naturals M. locked_intro f_clear_vm_page; code_cases. Qed.
End Code.
