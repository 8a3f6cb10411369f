(* SPDX-License-Identifier: Apache-2.0 *)
(** Hiding: an interface is the one below with the new primitives in front and the names that end here dropped, so that
    what passes through needs no list.  Rests on [Layer]; used by the layers that keep the state of the layer below. *)
From SeKVM.lib Require Export Layer.

Definition is_one_of (f : ident) (ns : list ident) : bool := existsb (String.eqb f) ns.

(** The table without the names [ns]. *)
Definition hide {S} (ns : list ident) (L : tbl S) : tbl S := List.filter (fun x => negb (is_one_of (fst x) ns)) L.

Lemma assoc_hide {S} ns (L : tbl S) f : assoc f (hide ns L) = if is_one_of f ns then None else assoc f L.
Proof.
  unfold hide. induction L as [|[g p] L IH]; cbn; [now destruct (is_one_of f ns)|].
  destruct (is_one_of g ns) eqn:H; cbn; rewrite IH; destruct (String.eqb_spec f g) as [->|]; now rewrite ?H.
Qed.

(** What is left behaves as before. *)
Lemma refines_hide {S} ns (L : tbl S) : refines req (graph (hide ns L)) (graph L).
Proof.
  intros f vs s t r E Z. cbn in E. subst t. exists r. split; [|apply res_rel_req].
  unfold graph, call in *. rewrite assoc_hide in Z. destruct (is_one_of f ns); [discriminate | exact Z].
Qed.

(** Code that is right over the part [U] of an interface, which is all that it uses, is right over the interface. *)
Lemma mod_ok_keep {S} (U L : tbl S) T : keeps U L -> forall M, mod_ok U M T -> mod_ok L M T.
Proof.
  intros K. induction T as [|[f p] T IH]; intros [|[g fn] M]; cbn; try tauto.
  intros (-> & O & X). split; [reflexivity|]. split; [exact (fun_ok_keep U L fn p K O) | exact (IH M X)].
Qed.

(** The layer theorem, same state: the names [ns] end here. *)
Theorem mod_ok_refines_hide {S} (L : tbl S) M T ns :
  mod_ok L M T -> refines req (graph (over T (hide ns L))) (sem M (graph L)).
Proof. intros X. apply mod_sim_refines; [apply mod_ok_sim, X | apply refines_hide]. Qed.

(** The same for a code proof over the part [U] of the interface below. *)
Corollary layer_refines {S} (U L : tbl S) M T ns :
  mod_ok U M T -> keeps U L -> refines req (graph (over T (hide ns L))) (sem M (graph L)).
Proof. intros X K. apply mod_ok_refines_hide. exact (mod_ok_keep U L T K M X). Qed.

(** Vertical composition where the upper layer keeps the state. *)
Lemma vcomp_same {A B} (R : srel A B) M L2 L1 lo :
  refines req L2 (sem M L1) -> refines R L1 lo -> refines R L2 (sem M lo).
Proof.
  intros X Y f vs s t r E Z. destruct (X f vs s s r eq_refl Z) as (r1 & Z1 & G).
  assert (r1 = r) as -> by (destruct r, r1; cbn in G; try tauto; [now destruct G as [-> ->] | now subst]).
  exact (sem_mono R M L1 lo Y f vs s t r E Z1).
Qed.

(** * Parts of layered interfaces

    [repeat constructor] proves [keeps] of concrete tables by looking every name up.  These step through one layer by the
    names alone. *)

Definition none_of {A} (ns : list ident) (U : list (ident * A)) : bool := forallb (fun x => negb (is_one_of (fst x) ns)) U.

Lemma keeps_hide {S} ns (U L : tbl S) : keeps U L -> none_of ns U = true -> keeps U (hide ns L).
Proof.
  unfold keeps, none_of. rewrite forallb_forall, !List.Forall_forall. intros K N x I.
  rewrite assoc_hide. specialize (N x I). apply negb_true_iff in N. rewrite N. exact (K x I).
Qed.

Lemma assoc_not_in {A} f (T : list (ident * A)) : is_one_of f (map fst T) = false -> assoc f T = None.
Proof.
  induction T as [|[g p] T IH]; cbn; [reflexivity|]. intros H. apply orb_false_iff in H as [H1 H2].
  rewrite H1. exact (IH H2).
Qed.

Lemma keeps_over {S} (T U L : tbl S) : keeps U L -> none_of (map fst T) U = true -> keeps U (over T L).
Proof.
  unfold keeps, none_of, over. rewrite forallb_forall, !List.Forall_forall. intros K N x I.
  rewrite assoc_app. specialize (N x I). apply negb_true_iff in N. rewrite (assoc_not_in _ _ N). exact (K x I).
Qed.

Lemma keeps_app {S} (U V L : tbl S) : keeps U L -> keeps V L -> keeps (U ++ V) L.
Proof. intros K1 K2. now apply Forall_app. Qed.
