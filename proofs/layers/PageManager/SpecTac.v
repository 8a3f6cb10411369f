(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the specifications of PageManager, and its rewriting step. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.layers.PageIndex Require Export SpecTac.
From SeKVM.layers.PageManager Require Import Spec Slots.

#[export] Hint Unfold get_pfn_owner_spec get_pfn_count_spec get_pfn_map_spec
  set_pfn_owner_spec set_pfn_count_spec set_pfn_map_spec frame_get change : prims.

(** Reading a slot that was just written. *)
Ltac hook ::= progress rewrite ?raw_page_insert.

(** The beginning of a proof about a function of this layer: arguments, the held lock,
    and both tables at the frame.  [E] is what is left of the specification. *)
Ltac open_frame :=
  match goal with RR : rel R ?s ?t, E : chk _ (if c_held (st_s2 ?s) then _ else None) = _ |- _ =>
    destruct RR as [FW (m & -> & X)];
    pose proof FW as OK; unfold firmware_ok in OK; apply andb_true_iff in OK as [OK _];
    destruct (c_held (st_s2 s)) eqn:HD; [|discriminate E];
    pose proof (eq_trans (eq_sym (cr_held _ _ _ X)) HD) as HM
  end.
Ltac cases_of pfn :=
  match goal with X : cell_rel _ ?c ?m, OK : map_ok _ = true |- _ =>
    destruct (frame_cases _ _ _ pfn (cr_val _ _ _ X) ltac:(lia) OK)
      as [[F [G|[G S]]] | (i & q & F & Q & En & FS & G & S & I)]
  end.
(** A function that leaves the state as it is. *)
Ltac same_states :=
  match goal with FW : firmware_ok _ = true, X : cell_rel _ _ ?m |- _ =>
    first [ exact (conj FW (ex_intro _ m (conj eq_refl X)))
          | exact (conj eq_refl (conj FW (ex_intro _ m (conj eq_refl X)))) ] end.
Ltac entry_fields := unfold encode; cbn [s2_owner s2_count s2_gfn set_s2_owner set_s2_count set_s2_gfn].
