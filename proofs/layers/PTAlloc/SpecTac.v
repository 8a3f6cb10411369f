(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the specifications of PTAlloc and of Locks. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.layers.PTAlloc Require Import Spec.

#[export] Hint Unfold acquire_obj release_obj acquire_vm_obj release_vm_obj
  alloc alloc_pgd_page_spec alloc_pud_page_spec alloc_pmd_page_spec : prims.
