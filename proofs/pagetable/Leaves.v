(* SPDX-License-Identifier: Apache-2.0 *)
(** What the leaves of a map can be: 64-bit words that are not links, at the last level or
    at one that may hold blocks.  It holds of every map that a well-formed tree means, and
    updates keep it; so it is what specifications on maps may rely on.  Rests on [Facts];
    used by the safety theorems. *)
From Coq Require Import Lia.
From SeKVM.pagetable Require Export Facts.
Local Open Scope Z_scope.

Section Leaves.
  Context (G : geom) (OK : geom_ok G).

  Definition leaf_ok (l : nat) (e : Z) : Prop :=
    0 <= e < 2 ^ 64 /\ (l < depth G)%nat /\ is_link G l e = false /\ ((S l < depth G)%nat -> block G l = true).

  Definition leaves_ok (p : pmap) : Prop :=
    forall g l e, 0 <= g < pages G -> leaves p !! g = Some (l, e) -> leaf_ok l e.

  Lemma pempty_ok : leaves_ok (pempty G).
  Proof. intros g l e _ E. cbn in E. now rewrite lookup_empty in E. Qed.

  (** A tree's meaning. *)
  Theorem refines_leaves_ok p t : refines_pt G p t -> leaves_ok p.
  Proof using OK.
    intros X g l e R L. apply refines_pt_with in X as (T & X).
    rewrite (rw_leaves _ _ _ _ X g R) in L. destruct (walk G (words t) g) as [l' e'] eqn:W.
    apply leaf_Some in L as (-> & -> & N).
    apply (walk_iff G OK T t (rw_wf _ _ _ _ X) g l' e' R) in W as (a & A & E & K).
    destruct (entry_at G OK T t (rw_wf _ _ _ _ X) l' g a A) as (B & D & _). rewrite E in B, D.
    destruct (tab_place G OK T t (rw_wf _ _ _ _ X) _ _ _ A) as (F & _).
    split; [exact B|]. split; [exact F|]. split; [exact K|]. intros S.
    destruct (block G l') eqn:Bl; [reflexivity|]. rewrite (D S eq_refl N) in K. discriminate K.
  Qed.

  (** An update keeps it, however it ends. *)
  Lemma pset_ok target g e p : leaf_ok target e -> leaves_ok p ->
    match pset G target g e p with Updated q | Full q | Under_block q => leaves_ok q end.
  Proof using OK.
    intros Le O. destruct (pset G target g e p) as [q|q|q] eqn:E.
    - intros h l x R L. rewrite (pset_lookup _ OK target g e p q h (proj1 (proj2 Le)) E) in L.
      destruct (_ =? _); [|exact (O _ _ _ R L)]. unfold leaf in L. cbn in L. destruct (e =? 0); [discriminate|].
      now injection L as <- <-.
    - intros h l x R L. rewrite (pset_failed _ target g e p q (or_introl E)) in L. exact (O _ _ _ R L).
    - intros h l x R L. rewrite (pset_failed _ target g e p q (or_intror E)) in L. exact (O _ _ _ R L).
  Qed.

  Lemma pclear_ok r p : leaves_ok p -> leaves_ok (pclear G r p).
  Proof. intros O g l e R. rewrite pclear_lookup. destruct (_ =? r); [discriminate | now apply O]. Qed.
End Leaves.
