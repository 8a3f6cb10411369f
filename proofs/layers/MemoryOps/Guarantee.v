(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 17, MemoryOps: what other CPUs leave alone between the steps of a range
    operation.  Every operation of MemManager, by any CPU and for whomever, publishes a map
    of frames in which what was bound to a VM still is, except the reclaim of that very
    VM.  Used by [Safe], which relies on it. *)
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
  - destruct (Z.eqb_spec w v) as [->|]; cbn; [|discriminate].
    destruct (match o with Some _ => _ | None => _ end); [|discriminate].
    destruct u; intros E; injection E as <- <-; eexists; reflexivity.
Qed.

(** * Every release keeps them *)

Section Guarantee.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).
  Context (map_spt unmap_spt : prim St) (v : Z).

  (** From [s] to [s'] the map of frames was not released, or once, with what is bound to
      [v] kept. *)
  Definition release_keeps (s s' : St) : Prop :=
    st_s2 s' = st_s2 s \/
    exists me y, st_s2 s' = updated me y (st_s2 s) /\ keeps_vm v (c_val (acquire_cell (st_s2 s))) y.

  Lemma publish_same (s s1 s' : St) w : publish (acquire_cell (st_s2 s)) s1 = Some (Ok w s') -> release_keeps s s'.
  Proof.
    intros [= _ <-]. right. exists (cpu_id (st_cpu s1)), (c_val (acquire_cell (st_s2 s))).
    split; [reflexivity | apply keeps_refl].
  Qed.

  Lemma publish_put (s s1 s' : St) pfn q w :
    (forall g, bound_to v g (c_val (acquire_cell (st_s2 s)) !! pfn) -> bound_to v g (Some q)) ->
    publish (put pfn q (acquire_cell (st_s2 s))) s1 = Some (Ok w s') -> release_keeps s s'.
  Proof.
    intros H [= _ <-]. right. exists (cpu_id (st_cpu s1)), (<[pfn := q]> (c_val (acquire_cell (st_s2 s)))).
    split; [reflexivity | now apply keeps_insert].
  Qed.

  Lemma after_inv (o : option (res St)) c k w s' : after o c k = Some (Ok w s') ->
    exists u s1, k u s1 = Some (Ok w s').
  Proof. unfold after. destruct o as [[u s1|s1]|]; [eauto | discriminate | discriminate]. Qed.

  Lemma with_frame_inv pfn (s : St) k r : with_frame pfn s k = Some r ->
    k (acquire_cell (st_s2 s)) (c_val (acquire_cell (st_s2 s)) !! pfn) = Some r.
  Proof. unfold with_frame. destruct (c_held _); [discriminate|]. destruct (frame_ok _); [auto | discriminate]. Qed.

  Lemma map_s2pt_frames vs (s s' : St) w : map_s2pt_spec vs s = Some (Ok w s') -> st_s2 s' = st_s2 s.
  Proof.
    intros E. pose proof (proj2 (@map_s2pt_natural M (gmap Z page) (gmap Z page) vs s (st_s2 s))) as X.
    rewrite E in X. exact X.
  Qed.

  Lemma map_pfn_vm_frames vs (s s' : St) w : map_pfn_vm_spec vs s = Some (Ok w s') -> st_s2 s' = st_s2 s.
  Proof.
    intros E. apply p4_inv in E as (u & a & e & l & -> & _ & _ & _ & _ & E). apply chk_void in E as [E _].
    destruct (l =? 2); [destruct (_ =? 0); [|discriminate]|]; exact (map_s2pt_frames _ _ _ _ E).
  Qed.

  (** Read: whatever operation of layer 16 any CPU does, its release of the map of frames
      keeps what is bound to VM [v], unless it takes back a frame of this very VM. *)
  Theorem MemManager_release_keeps f vs (s s' : St) w :
    call (MemManager.Spec.T map_spt unmap_spt) f vs s = Some (Ok w s') ->
    (f = "clear_vm_page" -> hd_error vs <> Some v) -> release_keeps s s'.
  Proof.
    unfold call, MemManager.Spec.T. cbn [Lang.assoc].
    destruct (String.eqb_spec f "map_page_host") as [->|_].
    { intros E _. apply p1_inv in E as (a & -> & _ & E). apply chk_void in E as [E _]. apply with_frame_inv in E.
      destruct (host_use _); [|discriminate]. apply after_inv in E as (u & s1 & E). exact (publish_same _ _ _ _ E). }
    destruct (String.eqb_spec f "clear_vm_page") as [->|_].
    { intros E N. apply p2_inv in E as (u & pfn & -> & _ & _ & E). apply chk_void in E as [E _]. apply with_frame_inv in E.
      destruct (reclaim _ _) eqn:RC; [|exact (publish_same _ _ _ _ E)]. apply after_inv in E as (x & s1 & E).
      revert E. apply publish_put. intros g (b & B). unfold reclaim in RC. rewrite B in RC. boolprop.
      destruct (N eq_refl). cbn. congruence. }
    destruct (String.eqb_spec f "assign_pfn_to_vm") as [->|_].
    { intros E _. apply p3_inv in E as (u & g & pfn & -> & _ & _ & _ & E). apply chk_void in E as [E _].
      destruct (_ && _); [|discriminate]. apply with_frame_inv in E.
      destruct (claim _ _ _) as [[b q]|] eqn:CL; [|discriminate].
      pose proof (claim_keeps v _ _ _ _ _ CL) as K.
      destruct b; [apply after_inv in E as (x & s1 & E)|]; exact (publish_put _ _ _ _ _ _ K E). }
    destruct (String.eqb_spec f "map_pfn_vm") as [->|_].
    { intros E _. left. exact (map_pfn_vm_frames _ _ _ _ E). }
    destruct (String.eqb_spec f "map_vm_io") as [->|_].
    { intros E _. apply p3_inv in E as (u & a & pa & -> & _ & _ & _ & E). apply chk_void in E as [E _]. apply with_frame_inv in E.
      destruct (_ !! _); [|apply after_inv in E as (x & s1 & E)]; exact (publish_same _ _ _ _ E). }
    destruct (String.eqb_spec f "grant_vm_page") as [->|_].
    { intros E _. apply p2_inv in E as (u & pfn & -> & _ & _ & E). apply chk_void in E as [E _]. apply with_frame_inv in E.
      destruct (share _ _) eqn:SH; [|exact (publish_same _ _ _ _ E)].
      exact (publish_put _ _ _ _ _ _ (share_keeps v _ _ _ SH) E). }
    destruct (String.eqb_spec f "revoke_vm_page") as [->|_].
    { intros E _. apply p2_inv in E as (u & pfn & -> & _ & _ & E). apply chk_void in E as [E _]. apply with_frame_inv in E.
      destruct (unshare _ _) as [[b q]|] eqn:SH; [|exact (publish_same _ _ _ _ E)].
      pose proof (unshare_keeps v _ _ _ _ SH) as K.
      destruct b; [apply after_inv in E as (x & s1 & E)|]; exact (publish_put _ _ _ _ _ _ K E). }
    destruct (String.eqb_spec f "assign_pfn_to_smmu") as [->|_].
    { intros E _. apply p3_inv in E as (u & g & pfn & -> & _ & _ & _ & E). apply chk_void in E as [E _].
      destruct (_ && _); [|discriminate]. apply with_frame_inv in E.
      destruct (reserve _ _ _) as [[q|]|] eqn:RS; [|exact (publish_same _ _ _ _ E)|discriminate].
      apply after_inv in E as (x & s1 & E). exact (publish_put _ _ _ _ _ _ (reserve_keeps v _ _ _ _ RS) E). }
    destruct (String.eqb_spec f "update_smmu_page") as [->|_].
    { intros E _. unfold update_smmu_page_spec in E. destruct vs as [|u [|b [|i [|a [|e [|]]]]]]; try discriminate.
      do 5 (destruct (in_range _ _); [|discriminate]). destruct (_ <? 16); [|discriminate]. apply with_frame_inv in E.
      destruct (device_use _ _ _) as [q|] eqn:DU; [|discriminate]. apply after_inv in E as (x & s1 & E).
      destruct q as [q|]; [|exact (publish_same _ _ _ _ E)].
      exact (publish_put _ _ _ _ _ _ (use_keeps v _ _ _ _ DU) E). }
    destruct (String.eqb_spec f "unmap_smmu_page") as [->|_]; [|discriminate].
    intros E _. apply p3_inv in E as (b & i & a & -> & _ & _ & _ & E). apply chk_void in E as [E _].
    destruct (c_held _); [discriminate|]. cbn [negb] in E. cbv zeta in E. apply after_inv in E as (x & s1 & E).
    destruct (in_range _ _); [|discriminate]. destruct (frame_ok _); [|discriminate].
    destruct (device_unuse _) as [q|] eqn:DU; [|exact (publish_same _ _ _ _ E)].
    destruct (_ =? 0); [exact (publish_same _ _ _ _ E)|].
    exact (publish_put _ _ _ _ _ _ (unuse_keeps v _ _ DU) E).
  Qed.
End Guarantee.
