(* SPDX-License-Identifier: Apache-2.0 *)
(** Code needs of an interface only the functions that it calls: a code proof over a table holds over every interface that
    answers these calls alike.  Rests on [Link] and [Hide]; used by layers whose code proofs are over whole tables of
    primitives of which some have ended. *)
From SeKVM.lib Require Export Hide Link.

(** The interface [L] answers the functions [fs] as [U] does. *)
Definition serves {S} (U L : tbl S) (fs : list ident) : Prop := Forall (fun f => assoc f L = assoc f U) fs.

Lemma serves_incl {S} (U L : tbl S) fs gs : forallb (fun f => member f gs) fs = true -> serves U L gs -> serves U L fs.
Proof.
  unfold serves. rewrite forallb_forall, !List.Forall_forall. intros I G f F. apply G, member_In, I, F.
Qed.

Lemma fun_ok_calls {S} (U L : tbl S) fn p : serves U L (calls (fn_body fn)) -> fun_ok U fn p -> fun_ok L fn p.
Proof.
  unfold serves. rewrite List.Forall_forall. intros K X vs s r Z. destruct (X vs s r Z) as (e & o & B & E & F).
  exists e, o. split; [exact B|]. split; [|exact F]. apply (exec_calls _ _ _ _ _ _ E).
  intros f ws t q C. unfold graph, call. now rewrite (K f C).
Qed.

Lemma mod_ok_calls {S} (U L : tbl S) T : forall M, serves U L (mcalls M) -> mod_ok U M T -> mod_ok L M T.
Proof.
  induction T as [|[f p] T IH]; intros [|[g fn] M]; cbn; try tauto. intros K (-> & O & X).
  apply Forall_app in K as [K1 K2]. split; [reflexivity|]. split; [exact (fun_ok_calls U L fn p K1 O) | exact (IH M K2 X)].
Qed.

(** The layer theorem; the names [ns] end here. *)
Corollary uses_refines {S} (U L : tbl S) M T ns :
  mod_ok U M T -> serves U L (mcalls M) -> refines req (graph (over T (hide ns L))) (sem M (graph L)).
Proof. intros X K. apply mod_ok_refines_hide. exact (mod_ok_calls U L T M K X). Qed.

(** * Looking a name up in layered interfaces, by the names alone *)

Lemma assoc_new {S} f (T L : tbl S) p : assoc f T = Some p -> assoc f (over T L) = Some p.
Proof. unfold over. rewrite assoc_app. now intros ->. Qed.

Lemma assoc_kept {S} f (T L : tbl S) ns p :
  is_one_of f (map fst T) = false -> is_one_of f ns = false -> assoc f L = Some p -> assoc f (over T (hide ns L)) = Some p.
Proof. intros A B C. unfold over. rewrite assoc_app, (assoc_not_in _ _ A), assoc_hide, B. exact C. Qed.
