(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 17, MemoryOps: what is mapped in a VM is the VM's.  The steps of a range
    operation are apart, so the claim rests on what the other CPUs do in between: that
    each release of the map of frames keeps what is bound to the VM.  Every operation of
    MemManager but the reclaim of that very VM does so, which is proved first.  Used by
    BootAux. *)
From SeKVM.lib Require Import VcTac PrimInv.
From SeKVM.machine Require Import StateTac BottomPagesTac Rel.
From SeKVM.layers.MemManager Require Import Spec Natural.
From SeKVM.layers.MemoryOps Require Import Spec History Ranges.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * What keeps a VM's frames *)

(** The frame is VM [v]'s, as its page [g]. *)
Definition bound_to (v g : Z) (q : option page) : Prop := exists u, q = Some (Vm v u (Some g)).
Definition keeps_vm (v : Z) (x y : gmap Z page) : Prop :=
  forall pfn g, bound_to v g (x !! pfn) -> bound_to v g (y !! pfn).

Lemma keeps_refl v x : keeps_vm v x x.
Proof. intros pfn g B. exact B. Qed.
Lemma keeps_trans v x y z : keeps_vm v x y -> keeps_vm v y z -> keeps_vm v x z.
Proof. intros A B pfn g C. auto. Qed.
Lemma keeps_insert v pfn q x : (forall g, bound_to v g (x !! pfn) -> bound_to v g (Some q)) -> keeps_vm v x (<[pfn := q]> x).
Proof.
  intros H pfn' g B. destruct (decide (pfn' = pfn)) as [->|N];
    [rewrite lookup_insert; auto | rewrite lookup_insert_ne by auto; exact B].
Qed.

(** A VM's frame stays what it is under every transition but its reclaim. *)
Ltac transition := intros E h (u' & ->); cbn in E; revert E;
  repeat match goal with |- context [match ?x with _ => _ end] =>
    lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x eqn:? end end;
  try discriminate; intros E; injection E as <-; subst; boolprop; subst; unfold bound_to; eauto.

Lemma claim_keeps w v g q b q' : claim v g q = Some (b, q') -> forall h, bound_to w h q -> bound_to w h (Some q').
Proof. transition. Qed.
Lemma reserve_keeps w v g q q' : reserve v g q = Some (Some q') -> forall h, bound_to w h q -> bound_to w h (Some q').
Proof. transition. Qed.
Lemma share_keeps w v q q' : share v q = Some q' -> forall h, bound_to w h q -> bound_to w h (Some q').
Proof. transition. Qed.
Lemma unshare_keeps w v q b q' : unshare v q = Some (b, q') -> forall h, bound_to w h q -> bound_to w h (Some q').
Proof. transition. Qed.
Lemma use_keeps w v g q q' : device_use v g q = Some (Some q') -> forall h, bound_to w h q -> bound_to w h (Some q').
Proof. transition. Qed.
Lemma unuse_keeps w q q' : device_unuse q = Some q' -> forall h, bound_to w h q -> bound_to w h (Some q').
Proof. transition. Qed.

Lemma claim_bound v g q b q' : claim v g q = Some (b, q') -> bound_to v g (Some q').
Proof.
  destruct q as [[k|w u o|]|]; cbn; try discriminate.
  - destruct (k =? 0); [|discriminate]. intros [= <- <-]. eexists. reflexivity.
  - destruct (Z.eqb_spec w v) as [->|]; cbn; [|discriminate]. destruct (match o with Some _ => _ | None => _ end); [|discriminate].
    destruct u; intros E; injection E as <- <-; eexists; reflexivity.
Qed.
