(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 15, PageManager: the layer's refinement theorem.  What the interface says of
    frames as a variant, the C code does over slots and the raw ownership table.  The
    relation is inhabited by the initial states of every machine with a well-formed
    map. *)
From Coq Require Import Lia.
From SeKVM.machine Require Import Init.
From SeKVM.layers.MmioSPTWalk Require Refine.
From SeKVM.layers.PageManager Require Import Code Spec Slots ProofCode Passes.
Local Open Scope Z_scope.

Lemma PageManager_code {N M} (L0 : tbl (St cell N M (gmap Z s2page))) : keeps U L0 -> mod_sim R L0 code T.
Proof.
  intros K. repeat split.
  - exact (fun_sim_keep _ _ _ _ _ K get_pfn_owner_code).
  - exact (fun_sim_keep _ _ _ _ _ K set_pfn_owner_code).
  - exact (fun_sim_keep _ _ _ _ _ K get_pfn_count_code).
  - exact (fun_sim_keep _ _ _ _ _ K set_pfn_count_code).
  - exact (fun_sim_keep _ _ _ _ _ K get_pfn_map_code).
  - exact (fun_sim_keep _ _ _ _ _ K set_pfn_map_code).
Qed.

Lemma PageManager_keeps : keeps Lkeep PageIndex.Spec.L.
Proof. repeat constructor. Qed.

Theorem PageManager_refines : refines R (graph PageManager.Spec.L) (sem code (graph PageIndex.Spec.L)).
Proof.
  apply mod_sim_refines; [apply PageManager_code; repeat constructor|].
  exact (tbl_rel_keep _ _ _ _ PageManager_passes PageManager_keeps).
Qed.

(** * The relation holds of the initial states *)


Lemma table0_ok l : table_ok l ∅.
Proof.
  intros pfn i _. unfold raw_page. rewrite lookup_empty. cbn [default].
  split; [split; [discriminate | reflexivity] | reflexivity].
Qed.

(** The machine at start with tables and frames as maps: every tracked frame is the host's; other CPUs will leave the map
    of frames as [pages] says. *)
Definition init_frames (maps : Z -> script pmap) (smaps : script pmap) (pages : script (gmap Z page)) (w : world) : hstate :=
  set_s2 (free_cell (decode_table (boot_mem (w_boot w)) ∅) pages) (MmioSPTWalk.Refine.init_all_maps maps smaps w).

Theorem init_frames_related w maps smaps pages : firmware_ok (boot_mem (w_boot w)) = true ->
  Forall2 (Forall2 (event_rel (RP (boot_mem (w_boot w))))) pages (w_s2 w) ->
  rel R (init_frames maps smaps pages w) (MmioSPTWalk.Refine.init_all_maps maps smaps w).
Proof.
  intros FW S. split; [exact FW|]. exists (free_cell ∅ (w_s2 w)). split; [reflexivity|]. split; cbn.
  - apply RP_decode; [now apply andb_true_iff in FW as [? _] | apply table0_ok].
  - reflexivity.
  - constructor.
  - exact S.
Qed.
