(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 15, PageManager: the layer's refinement theorem.  What the interface says of
    frames as a variant, the C code does over slots and the raw ownership table.  It
    holds over every underlay that has these and for everything else that passes
    through; the relation is inhabited by the initial states of every machine with a
    well-formed map. *)
From Coq Require Import Lia.
From SeKVM.machine Require Import PassThrough Init RelTac BottomPagesTac.
From SeKVM.layers.PageManager Require Import Code Spec Slots ProofCode.
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

(** * What passes through *)

(** What passes through every change of the metadata's representation, and leaves the
    firmware's map alone, passes through this one. *)
Definition boot_kept {F N M P} (p : prim (St F N M P)) : Prop :=
  forall vs s, res_all (fun s' => st_boot s' = st_boot s) (p vs s).

Lemma prim_passes {N M} (p : prim (St cell N M (gmap Z page))) (q : prim (St cell N M (gmap Z s2page))) :
  (forall RP', prim_rel (R_s2 RP') p q) -> boot_kept p -> prim_rel R p q.
Proof.
  intros X B vs s t r [FW RR] E. destruct (X _ vs s t r RR E) as (r' & E' & G).
  exists r'. split; [exact E'|]. specialize (B vs s). rewrite E in B.
  destruct r as [v s'|s'], r' as [v' t'|t']; cbn in B, G |- *; try tauto; rewrite B; tauto.
Qed.

Lemma tbl_passes {N M} (Hi : tbl (St cell N M (gmap Z page))) (Lo : tbl (St cell N M (gmap Z s2page))) :
  (forall RP', tbl_rel (R_s2 RP') Hi Lo) -> Forall (fun x => boot_kept (snd x)) Hi -> tbl_rel R Hi Lo.
Proof.
  revert Lo. induction Hi as [|[f p] Hi IH]; intros [|[g q] Lo] X B.
  - constructor.
  - specialize (X (fun _ _ => True)). inversion X.
  - specialize (X (fun _ _ => True)). inversion X.
  - inversion B as [|? ? B1 B2]; subst. constructor.
    + pose proof (X (fun _ _ => True)) as Y. inversion Y as [|? ? ? ? [E _] _]; subst. split; [exact E|].
      apply prim_passes; [|exact B1]. intros RP'. specialize (X RP'). inversion X as [|? ? ? ? [_ Z] _]; exact Z.
    + apply IH; [|exact B2]. intros RP'. specialize (X RP'). now inversion X.
Qed.

Lemma scrub_natural {N M P P'} :
  @natural_tbl (St cell N M P) (St cell N M P') _ _ st_s2 set_s2 T_scrub T_scrub.
Proof.
  constructor; [|constructor]. split; [reflexivity|]. intros vs s m. cbn [snd].
  unfold clear_phys_page, p1. destruct vs as [|a [|b vs]]; cbn [res_map res_all]; try (split; [reflexivity | exact I]).
  destruct (in_range U64 a); split; reflexivity || exact I.
Qed.

Lemma PageManager_passes {N M} : tbl_rel R (@Lkeep N M (gmap Z page)) (@Lkeep N M (gmap Z s2page)).
Proof.
  apply tbl_passes.
  - intros RP'. apply tbl_rel_app; [apply natural_tbl_rel, scrub_natural|].
    apply tbl_rel_app; [|apply natural_tbl_rel, ctl_natural_s2].
    constructor; [split; [reflexivity | apply acquire_s2_rel]|].
    constructor; [split; [reflexivity | apply release_s2_rel]|]. constructor.
  - unfold Lkeep, T_scrub, T_lock_s2page, T_ctl. cbn [app].
    repeat first [apply List.Forall_nil | apply List.Forall_cons; [intros vs s | ]]; cbn [snd]; prim_unfold;
      repeat match goal with |- context [match ?x with _ => _ end] =>
        lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x end end;
      cbn; reflexivity || exact I.
Qed.

(** [Keep] is what else passes through. *)
Theorem PageManager_refines_over {N M} (L0 : tbl (St cell N M (gmap Z s2page))) Keep Kept :
  keeps U L0 -> tbl_rel R Keep Kept -> keeps Kept L0 ->
  refines R (graph (over T Keep)) (sem code (graph L0)).
Proof. intros K1 P K2. exact (mod_sim_refines _ _ _ _ _ (PageManager_code L0 K1) (tbl_rel_keep _ _ _ _ P K2)). Qed.

Theorem PageManager_refines {N M} :
  refines R (graph (@PageManager.Spec.L N M)) (sem code (graph PageIndex.Spec.L)).
Proof. apply (PageManager_refines_over _ Lkeep Lkeep); [repeat constructor | apply PageManager_passes | repeat constructor]. Qed.

(** * The relation holds of the initial states *)

(** At start every tracked frame is the host's; other CPUs will leave the map of frames
    as [pages] says. *)
Definition init_pages (pages : script (gmap Z page)) (w : world) : St cell npt sptab (gmap Z page) :=
  set_s2 (free_cell (decode_table (boot_mem (w_boot w)) ∅) pages) (init w).

Lemma table0_ok l : table_ok l ∅.
Proof.
  intros pfn i _. unfold raw_page. rewrite lookup_empty. cbn [default].
  split; [split; [discriminate | reflexivity] | reflexivity].
Qed.

Theorem init_related w pages : firmware_ok (boot_mem (w_boot w)) = true ->
  Forall2 (Forall2 (event_rel (RP (boot_mem (w_boot w))))) pages (w_s2 w) ->
  rel R (init_pages pages w) (init w).
Proof.
  intros FW S. split; [exact FW|]. exists (st_s2 (init w)). split; [reflexivity|]. split; cbn.
  - apply RP_decode; [now apply andb_true_iff in FW as [? _] | apply table0_ok].
  - reflexivity.
  - constructor.
  - exact S.
Qed.
