(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 30, MemHandler: what the devices of a VM reach is that VM's, also while the VM is being taken apart. The
    owners of context banks, the SMMU tables and the ownership of frames form a small machine, whose steps are the
    pure transitions that layers 16, 21, 26 and 30 publish; each keeps the invariant [confined]. The step that could
    break it is the reclaim of a frame, and layer 30 does it only when the VM has no bank left. Rests on MemoryOps'
    [Guarantee] for frames and on [pagetable] for tables; [reclaimed_too_early] is the run that the condition
    excludes. *)
From SeKVM.lib Require Import Bits VcTac.
From SeKVM.layers.MmioSPTWalk Require Import Spec.
From SeKVM.layers.MemoryOps Require Import Guarantee.
From SeKVM.layers.BootOps Require Import Spec.
From SeKVM.layers.MmioOps Require Import Spec.
Local Open Scope Z_scope.

Record dma := mkdma { d_owners : gmap Z Z; d_tables : pmap; d_frames : gmap Z page }.

(** What happens to one frame, by whichever VM's wish, other than reclaim and use by devices. *)
Inductive frame_step : option page -> page -> Prop :=
| step_claim v g q b q' : claim v g q = Some (b, q') -> frame_step q q'
| step_reserve v g q q' : reserve v g q = Some (Some q') -> frame_step q q'
| step_share v q q' : share v q = Some q' -> frame_step q q'
| step_unshare v q b q' : unshare v q = Some (b, q') -> frame_step q q'
| step_import v q q' : import_frame v q = Some q' -> frame_step q q'.

Definition is_bank_number (b : Z) : Prop := 0 <= b < 16.
Definition is_iova (a : Z) : Prop := 0 <= a < SMMU_ADDR_LIMIT.

Inductive dma_step : dma -> dma -> Prop :=
(* a free bank is given to the host or a VM, with empty tables *)
| step_give o t f b w : is_bank_number b -> bank_owner o b = INVALID ->
    dma_step (mkdma o t f) (mkdma (<[b := w]> o) (pclear smmu_geom b t) f)
(* a bank becomes free, and its tables empty *)
| step_free o t f b : is_bank_number b ->
    dma_step (mkdma o t f) (mkdma (<[b := INVALID]> o) (pclear smmu_geom b t) f)
(* a page is mapped as the owner of the bank may *)
| step_map o t f b a e q t' : is_bank_number b -> is_iova a -> bank_owner o b < 16 ->
    device_use (bank_owner o b) (a / 4096) (f !! frame_of e) = Some q ->
    pset smmu_geom 2 (bank_page b a) e t = Updated t' ->
    dma_step (mkdma o t f) (mkdma o t' (match q with Some q => <[frame_of e := q]> f | None => f end))
(* a page is unmapped, and the frame that it led to is used once less *)
| step_unmap o t f b a t' pfn q : is_bank_number b -> is_iova a ->
    pset smmu_geom 2 (bank_page b a) 0 t = Updated t' -> (q = None \/ device_unuse (f !! pfn) = q) ->
    dma_step (mkdma o t f) (mkdma o t' (match q with Some q => <[pfn := q]> f | None => f end))
| step_frame o t f pfn q : frame_step (f !! pfn) q -> dma_step (mkdma o t f) (mkdma o t (<[pfn := q]> f))
(* a VM's frame goes back to the host: not while the VM has a bank *)
| step_reclaim o t f v pfn : has_bank v o = false -> reclaim v (f !! pfn) = true ->
    dma_step (mkdma o t f) (mkdma o t (<[pfn := Host 0]> f)).

(** Whatever a bank's table maps, the bank has an owner; and if that is a VM, the frame is the VM's, as the page at
    which it is mapped. *)
Definition confined (d : dma) : Prop := forall b a l e, is_bank_number b -> is_iova a ->
  leaves (d_tables d) !! bank_page b a = Some (l, e) ->
  bank_owner (d_owners d) b = HOSTVISOR \/
  bank_owner (d_owners d) b < 16 /\ bound_to (bank_owner (d_owners d) b) (a / 4096) (d_frames d !! frame_of e).

(** * Banks and pages *)

Lemma bank_page_eq b a b' a' : is_iova a -> is_iova a' -> bank_page b a = bank_page b' a' ->
  b = b' /\ a / 4096 = a' / 4096.
Proof. unfold is_iova, bank_page, SMMU_ADDR_LIMIT. intros A A'. Z.div_mod_to_equations. lia. Qed.

Lemma bank_page_root b a : pre smmu_geom 0 (bank_page b a) = b.
Proof.
  unfold pre. change (2 ^ (up smmu_geom (depth smmu_geom) - up smmu_geom 0)) with 268435456. unfold bank_page.
  pose proof (Z.mod_pos_bound (a / 4096) 268435456 eq_refl). Z.div_mod_to_equations. lia.
Qed.

(** Emptied tables have nothing of the bank. *)
Lemma emptied b b' a t x : leaves (pclear smmu_geom b t) !! bank_page b' a = Some x ->
  b' <> b /\ leaves t !! bank_page b' a = Some x.
Proof.
  rewrite pclear_lookup, bank_page_root. destruct (Z.eqb_spec b' b); [discriminate | auto].
Qed.

Lemma frame_step_keeps w q q' : frame_step q q' -> forall g, bound_to w g q -> bound_to w g (Some q').
Proof.
  destruct 1 as [v g q b q' E|v g q q' E|v q q' E|v q b q' E|v q q' E].
  - exact (claim_keeps _ _ _ _ _ _ E).
  - exact (reserve_keeps _ _ _ _ _ E).
  - exact (share_keeps _ _ _ _ E).
  - exact (unshare_keeps _ _ _ _ _ E).
  - intros g (u & ->). discriminate E.
Qed.

Lemma has_bank_false v o b : has_bank v o = false -> is_bank_number b -> bank_owner o b <> v.
Proof.
  unfold has_bank, is_bank_number. intros H B E. rewrite <- not_true_iff_false in H. apply H. apply existsb_exists.
    exists b.
  split; [apply elem_of_list_In, elem_of_seqZ; lia | now apply Z.eqb_eq].
Qed.

(** A frame that an owner's device may use at page [g] is the host's, or bound to the owner as this page. *)
Lemma device_use_bound w g q q' : device_use w g q = Some q' -> w = HOSTVISOR \/ q' = None /\ bound_to w g q.
Proof.
  destruct q as [[k|v u [b|]|]|]; cbn; try discriminate.
  - destruct (Z.eqb_spec w 0); [now left | discriminate].
  - destruct (Z.eqb_spec v w) as [->|]; [|discriminate]. destruct (Z.eqb_spec b g) as [->|]; [|discriminate].
    intros [= <-]. right. split; [reflexivity|]. now exists u.
Qed.

(** * The invariant *)

(** A frame changed; what is bound to owners of banks still is. *)
Lemma confined_frame o t f pfn q : confined (mkdma o t f) ->
  (forall b g, is_bank_number b -> bound_to (bank_owner o b) g (f !! pfn) -> bound_to (bank_owner o b) g (Some q)) ->
  confined (mkdma o t (<[pfn := q]> f)).
Proof.
  intros C K b a l e B A L. destruct (C b a l e B A L) as [H|[H X]]; [now left | right; split; [exact H|]].
  cbn [d_owners d_tables d_frames] in *.
  destruct (decide (pfn = frame_of e)) as [->|N];
    [rewrite lookup_insert; exact (K _ _ B X) | now rewrite lookup_insert_ne by auto].
Qed.

Theorem confined_step d d' : dma_step d d' -> confined d -> confined d'.
Proof.
  intros E C. destruct E as [o t f b w B F|o t f b B|o t f b a e q t' B A W D P|o t f b a t' pfn q B A P Q|
    o t f pfn q Q|o t f v pfn H R].
  - intros b' a l e B' A L. cbn [d_owners d_tables d_frames] in L. apply emptied in L as [N L].
    destruct (C b' a l e B' A L) as [X|X];
      cbn [d_owners d_tables d_frames] in *; unfold bank_owner in *; rewrite lookup_insert_ne by congruence; auto.
  - intros b' a l e B' A L. cbn [d_owners d_tables d_frames] in L. apply emptied in L as [N L].
    destruct (C b' a l e B' A L) as [X|X];
      cbn [d_owners d_tables d_frames] in *; unfold bank_owner in *; rewrite lookup_insert_ne by congruence; auto.
  - assert (C1 : confined (mkdma o t' f)).
    { intros b' a' l e' B' A' L. cbn [d_owners d_tables d_frames] in L.
      rewrite (pset_page _ smmu_geom_ok _ _ _ _ _ _ eq_refl P) in L.
      destruct (Z.eqb_spec (bank_page b' a') (bank_page b a)) as [E|N]; [|exact (C b' a' l e' B' A' L)].
      apply bank_page_eq in E as [-> E]; auto. unfold leaf in L. cbn [snd] in L. destruct (e =? 0); [discriminate|].
      injection L as <- <-. cbn [d_owners d_tables d_frames]. rewrite E.
        destruct (device_use_bound _ _ _ _ D) as [H|[_ H]]; auto. }
    destruct q as [q|]; [|exact C1]. apply confined_frame; [exact C1|].
    intros b' g _. exact (use_keeps _ _ _ _ _ D g).
  - assert (C1 : confined (mkdma o t' f)).
    { intros b' a' l e' B' A' L. cbn [d_owners d_tables d_frames] in L.
      rewrite (pset_page _ smmu_geom_ok _ _ _ _ _ _ eq_refl P) in L.
      destruct (Z.eqb_spec (bank_page b' a') (bank_page b a)) as [E|N];
        [discriminate | exact (C b' a' l e' B' A' L)]. }
    destruct q as [q|]; [|exact C1]. destruct Q as [Q|Q]; [discriminate|]. apply confined_frame; [exact C1|].
    intros b' g _. exact (unuse_keeps _ _ _ Q g).
  - apply confined_frame; [exact C|]. intros b g _. exact (frame_step_keeps _ _ _ Q g).
  - apply confined_frame; [exact C|]. intros b g B (u & X). rewrite X in R. cbn in R. apply Z.eqb_eq in R.
    destruct (has_bank_false v o b H B). exact R.
Qed.

(** At start nothing is mapped. *)
Theorem confined_start f : confined (mkdma ∅ (pempty smmu_geom) f).
Proof. intros b a l e _ _ L. cbn [d_tables pempty leaves] in L. now rewrite lookup_empty in L. Qed.

(** Read: where a device of a VM's bank is let through, it reaches a frame of this VM. *)
Theorem device_reaches_own d permission b a pa : confined d -> is_bank_number b -> is_iova a ->
  is_guest (bank_owner (d_owners d) b) = true -> smmu_translate permission (d_tables d) b a = Some pa ->
  owner_of (d_frames d !! (pa / 4096)) = bank_owner (d_owners d) b.
Proof.
  intros C B A G T. unfold smmu_translate in T. destruct (leaves _ !! _) as [[l e]|] eqn:L; [|discriminate].
  destruct (lets permission 3 e); [injection T as <- | discriminate].
  destruct (C b a l e B A L) as [H|[_ (u & X)]]; [rewrite H in G; discriminate|].
  replace (out_addr 3 e a / 4096) with (frame_of e); [now rewrite X|].
  unfold out_addr, frame_of, phys, table_addr. rewrite frame_bits. change (leaf_size 3) with 4096.
  pose proof (Z.mod_pos_bound a 4096 eq_refl). Z.div_mod_to_equations. lia.
Qed.

(** * Without the condition *)

(** VM 1 is off and has bank 0, which maps page 7 to frame 5; the frame goes back to the host all the same. *)
Definition with_bank : dma :=
  mkdma {[ 0 := 1 ]} (mkpmap {[ bank_page 0 0x7000 := (2%nat, 0x57c3) ]} ∅ ∅) {[ 5 := Vm 1 Dma (Some 7) ]}.
Definition too_early : dma := mkdma (d_owners with_bank) (d_tables with_bank) {[ 5 := Host 0 ]}.

Example with_bank_confined : confined with_bank.
Proof.
  intros b a l e B A L. cbn [with_bank d_tables leaves] in L. apply lookup_singleton_Some in L as [E [= <- <-]].
    right.
  apply bank_page_eq in E as [<- E]; [|split; reflexivity || discriminate | exact A]. rewrite <- E.
  split; [reflexivity|]. exists Dma. reflexivity.
Qed.
Example reclaimed_too_early : reclaim 1 (d_frames with_bank !! 5) = true /\ has_bank 1 (d_owners with_bank) = true /\
  ~ confined too_early /\ smmu_translate 128 (d_tables too_early) 0 0x7008 = Some 0x5008.
Proof.
  split; [reflexivity|]. split; [reflexivity|]. split; [|reflexivity]. intros C.
  destruct (C 0 0x7000 2%nat 0x57c3) as [H|[_ (u & H)]];
    [split; reflexivity || discriminate | split; reflexivity || discriminate
    | reflexivity | discriminate H | discriminate H].
Qed.
