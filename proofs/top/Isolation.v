(* SPDX-License-Identifier: Apache-2.0 *)
(** The host's stage-2 table maps no frame that the host may not touch: every operation on frames keeps that
    ([operations_keep_host_table]), and so the premises of [Respect] are facts for the host.  Rests on [Operations].
    *)
From SeKVM.lib Require Import Bits VcTac PrimInv Loop.
From SeKVM.machine Require Import StateTac.
From SeKVM.layers.MemManager Require Import Natural Safe.
From SeKVM.layers.MemoryOps Require Import History Guarantee Ranges.
From SeKVM.top Require Export Operations.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * The invariant

    Frame 0 is not tracked: an entry that names it counts as empty, so the host would not lose it.  The host's table
    has pages only, each to a device, or to the frame of the same number, which the host may touch. *)
Definition host_entry (m : gmap Z page) (g : Z) (l : nat) (e : Z) : Prop :=
  l = 3%nat /\ (m !! entry_frame e = None \/ entry_frame e = g /\ may_touch 0 (m !! g) = true).
Definition host_table (t : gmap Z (nat * Z)) (m : gmap Z page) : Prop :=
  m !! 0 = None /\ forall g l e, t !! g = Some (l, e) -> host_entry m g l e.
Definition host_table_ok (s : hstate) : Prop := host_table (table_now 0 s) (frames_now s).

(** The frame that a page translates to. *)
Lemma page_frame e a : frame_of_addr (out_addr 3 e a) = entry_frame e.
Proof.
  unfold frame_of_addr, out_addr, entry_frame. cbn [leaf_size Nat.eqb]. unfold PAGE.
  rewrite Z.div_add_l by discriminate. rewrite (Z.div_small (a mod 4096)) by (apply Z.mod_pos_bound; reflexivity).
  apply Z.add_0_r.
Qed.

(** It is isolation. *)
Lemma host_table_isolated s : host_table_ok s -> table_isolated 0 s.
Proof.
  intros [Z0 H] c C permission a pa _ Tr. unfold translate in Tr. unfold table_now in H. rewrite C in H.
  destruct (leaves (now c) !! page_number a) as [[l e]|] eqn:E; [|discriminate Tr].
  destruct (lets permission l e); [|discriminate Tr]. injection Tr as <-. destruct (H _ _ _ E) as [-> T].
  rewrite page_frame. destruct T as [->|[-> T]]; [reflexivity | exact T].
Qed.

(** ** Steps of the table and of the frames *)

Lemma host_lost t t' m pfn q' : host_table t m -> lost pfn t t' -> m !! pfn <> None ->
  host_table t' (<[pfn := q']> m).
Proof.
  intros [Z0 H] Lo T. assert (P0 : pfn <> 0) by (intros ->; auto).
  split; [now rewrite lookup_insert_ne|]. intros g l e E. destruct (Lo _ _ _ E) as [[-> F]|[E0 F]].
  - split; [reflexivity|]. left. rewrite F. now rewrite lookup_insert_ne.
  - destruct (H _ _ _ E0) as [-> X]. split; [reflexivity|].
    destruct (Z.eq_dec g pfn) as [->|N]; [left; rewrite F by reflexivity; now rewrite lookup_insert_ne|].
    destruct X as [X|[X Y]].
    + left. rewrite lookup_insert_ne by congruence. exact X.
    + right. split; [exact X|]. now rewrite lookup_insert_ne by congruence.
Qed.

(** A frame changes, and the host may touch it as before. *)
Lemma host_same t m pfn q q' : host_table t m -> m !! pfn = Some q -> (may_touch 0 (Some q) = true ->
  may_touch 0 (Some q') = true) ->
  host_table t (<[pfn := q']> m).
Proof.
  intros [Z0 H] Q T. split; [rewrite lookup_insert_ne; congruence|]. intros g l e E. destruct (H _ _ _ E) as [-> X].
  split; [reflexivity|]. destruct X as [X|[X Y]].
  - left. rewrite lookup_insert_ne; congruence.
  - right. split; [exact X|]. destruct (Z.eq_dec g pfn) as [->|N]; [rewrite lookup_insert; apply T; congruence|].
    now rewrite lookup_insert_ne by congruence.
Qed.

(** A page is added. *)
Lemma host_mapped t t' m g e : host_table t m -> (forall h, t' !! h = if h =? g then leaf (3%nat, e) else t !! h) ->
  host_entry m g 3 e -> host_table t' m.
Proof.
  intros [Z0 H] T X. split; [exact Z0|]. intros h l x E. rewrite T in E.
  destruct (Z.eqb_spec h g) as [->|N]; [|exact (H _ _ _ E)].
  unfold leaf in E. destruct (_ =? 0); [discriminate E|]. injection E as <- <-. exact X.
Qed.

(** * Every operation *)

(** In [s1] the host's table and the frames are as in [s], if nothing was published. *)
Lemma table_put_now u c p o (s : hstate) : last_batch s -> st_npts s !! u = Some c ->
  table_now u (table_put u c p o s) = leaves p.
Proof.
  intros (_ & _ & _ & L) C. unfold table_now, table_put, put_table. cbn [st_npts set_outs set_npts].
  rewrite lookup_insert.
  unfold updated. now rewrite now_updated by exact (L u c C).
Qed.
Lemma table_put_other v u c p o (s : hstate) : v <> u -> table_now v (table_put u c p o s) = table_now v s.
Proof. intros N. unfold table_now, table_put, put_table. cbn [st_npts set_outs set_npts].
now rewrite lookup_insert_ne by auto. Qed.

(** Same frames, same table. *)
Lemma ok_same (s s1 s' : hstate) w : last_batch s -> host_table (table_now 0 s1) (frames_now s) ->
  publish (acquire_cell (st_s2 s)) s1 = Some (Ok w s') -> host_table_ok s'.
Proof.
  intros (L & _) H [= _ <-]. unfold host_table_ok, frames_now. cbn [st_s2 set_s2]. rewrite now_release by exact L.
  exact H.
Qed.
Lemma ok_put (s s1 s' : hstate) pfn q' w : last_batch s ->
  host_table (table_now 0 s1) (<[pfn := q']> (frames_now s)) ->
  publish (put pfn q' (acquire_cell (st_s2 s))) s1 = Some (Ok w s') -> host_table_ok s'.
Proof.
  intros (L & _) H [= _ <-]. unfold host_table_ok, frames_now. cbn [st_s2 set_s2]. unfold put.
  rewrite now_updated by exact L. exact H.
Qed.

(** What the host's table is after it lost a frame. *)
Lemma clear_lost pfn (s s1 : hstate) w : last_batch s -> clear_pfn_host_spec [pfn] s = Some (Ok w s1) ->
  lost pfn (table_now 0 s) (table_now 0 s1).
Proof.
  intros L E. apply clear_effect in E as (c & p & o & C & -> & X). rewrite (table_put_now 0 c p o s L C).
  unfold table_now. now rewrite C.
Qed.

Ltac transition := intros E; revert E;
  repeat match goal with |- context [match ?x with _ => _ end] =>
    lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x eqn:? end end;
  try discriminate; intros E; injection E; intros; subst; boolprop; subst; eexists; (split; [reflexivity|]); cbn;
    auto.

Lemma claim_tracked u g q b q' : claim u g q = Some (b, q') -> q <> None.
Proof. now destruct q. Qed.
Lemma claim_touch u g q q' : claim u g q = Some (false, q') ->
  exists p, q = Some p /\ (may_touch 0 (Some p) = true -> may_touch 0 (Some q') = true).
Proof. unfold claim. transition. Qed.
Lemma share_touch u q q' : frame_ok q = true -> share u q = Some q' ->
  exists p, q = Some p /\ (may_touch 0 (Some p) = true -> may_touch 0 (Some q') = true).
Proof.
  unfold share. destruct q as [[k|w [k|] g|]|]; try discriminate. destruct (_ && _) eqn:B; [|discriminate].
  intros F [= <-].
  eexists. split; [reflexivity|]. cbn [may_touch frame_ok] in *. boolprop. intros _. apply orb_true_iff. right.
  cbn [Z.eqb andb]. apply negb_true_iff, Z.eqb_neq. lia.
Qed.
Lemma unshare_touch u q q' : unshare u q = Some (false, q') ->
  exists p, q = Some p /\ (may_touch 0 (Some p) = true -> may_touch 0 (Some q') = true).
Proof.
  unfold unshare. destruct q as [[k|w [k|] g|]|]; try discriminate. destruct (_ && _) eqn:B; [|discriminate].
  intros [= K <-].
  eexists. split; [reflexivity|]. cbn [may_touch] in *. boolprop. intros _. apply orb_true_iff. right.
  cbn [Z.eqb andb]. apply negb_true_iff, Z.eqb_neq. lia.
Qed.
Lemma use_touch u g q q' : device_use u g q = Some (Some q') ->
  exists p, q = Some p /\ (may_touch 0 (Some p) = true -> may_touch 0 (Some q') = true).
Proof. unfold device_use. transition. Qed.
Lemma unuse_touch q q' : device_unuse q = Some q' ->
  exists p, q = Some p /\ (may_touch 0 (Some p) = true -> may_touch 0 (Some q') = true).
Proof. unfold device_unuse. transition. Qed.

Lemma with_frame_inv2 pfn (s : hstate) k r : with_frame pfn s k = Some r ->
  frame_ok (frames_now s !! pfn) = true /\ k (acquire_cell (st_s2 s)) (frames_now s !! pfn) = Some r.
Proof.
  unfold with_frame, frames_now, now. destruct (c_held _); [discriminate|]. cbn [negb].
  destruct (frame_ok _); [auto | discriminate].
Qed.

(** The frame of an entry made of a frame and attributes. *)
Lemma entry_frame_made x k : 0 <= k < 4096 \/ k = PAGE_S2_DEVICE ->
  entry_frame (Z.lor (x * 4096) k) = x mod 68719476736.
Proof.
  intros K. rewrite entry_frame_mod.
  assert (D : Z.lor (x * 4096) k / 4096 = Z.lor x (k / 4096)).
  { change 4096 with (2 ^ 12). rewrite <- !Z.shiftr_div_pow2 by lia. rewrite Z.shiftr_lor. f_equal.
    rewrite Z.shiftr_div_pow2 by lia. now rewrite Z.div_mul. }
  rewrite D. change 68719476736 with (2 ^ 36). rewrite <- !Z.land_ones by lia. rewrite Z.land_lor_distr_l.
  assert (X : Z.land (k / 4096) (Z.ones 36) = 0) by (destruct K as [K| ->];
    [now rewrite (Z.div_small k) | reflexivity]).
  now rewrite X, Z.lor_0_r.
Qed.

Lemma io_frame pa : entry_frame (Z.lor (phys pa) PAGE_S2_DEVICE) = frame_of pa.
Proof.
  unfold frame_of, phys. rewrite (frame_bits pa), entry_frame_made by now right.
  now rewrite Z.div_mul, Z.mod_mod by discriminate.
Qed.

(** The frame of an address beyond 48 bits is not mapped. *)
Lemma map_small u a l e (s s1 : hstate) w : map_s2pt_spec [u; a; l; e] s = Some (Ok w s1) -> a < ADDR_LIMIT.
Proof.
  unfold map_s2pt_spec. intros E. apply p4_inv in E as (u' & a' & l' & e' & [= <- <- <- <-] & _ & _ & _ & _ & E).
  destruct (Z.ltb_spec a ADDR_LIMIT); [assumption|]. destruct (is_vmid u); discriminate E.
Qed.

Lemma map_other u a l e (s s1 : hstate) w : u <> 0 -> map_s2pt_spec [u; a; l; e] s = Some (Ok w s1) ->
  table_now 0 s1 = table_now 0 s /\ st_s2 s1 = st_s2 s.
Proof.
  intros N E. apply map_effect in E as (_ & c & p & o & _ & -> & _). split; [|reflexivity]. apply table_put_other.
  congruence.
Qed.

(** Read: every operation on frames leaves a host's table that is isolated; [map_pfn_vm], which does not look at the
    frame, if it is not for the host: layer 17, where it ends, calls it for VMs only. *)
Theorem operations_keep_host_table f vs (s s' : hstate) w : last_batch s -> host_table_ok s ->
  call MemManager.Interface.T f vs s = Some (Ok w s') -> (f = "map_pfn_vm" -> hd_error vs <> Some 0) ->
    host_table_ok s'.
Proof.
  intros L I. pose proof I as I0. unfold host_table_ok in I0.
  unfold call, MemManager.Interface.T, MemManager.Spec.T. cbn [Lang.assoc].
  destruct (String.eqb_spec f "map_page_host") as [->|_].
  { intros E _. unfold map_page_host_spec in E. apply p1_inv in E as (a & -> & R & E). apply chk_void in E as [E _].
    apply with_frame_inv2 in E as [F E].
    destruct (host_use _) as [dev|] eqn:HU; [|discriminate]. apply after_inv2 in E as (y & s1 & E1 & E).
    apply (ok_same s s1 s' w L); [|exact E]. pose proof (map_small _ _ _ _ _ _ _ E1) as A.
    apply in_range_iff in R. change (modulus U64) with 18446744073709551616 in R.
    apply map_effect in E1 as (_ & c & p & o & C & -> & T). rewrite (table_put_now 0 c p o s L C).
    eapply (host_mapped (table_now 0 s) _ _ (page_number a)); [exact I0 | |].
    - intros h. rewrite (T eq_refl h). unfold table_now. now rewrite C.
    - split; [reflexivity|]. right. rewrite entry_frame_made by (destruct dev; [now right | left; unfold PAGE_S2;
        lia]).
      split; [reflexivity|].
      replace (page_number a) with (a / 4096) by (unfold page_number, ADDR_LIMIT in *; symmetry; apply Z.mod_small;
        clear -A R; Z.div_mod_to_equations; lia).
      rewrite host_may_touch by exact F. now rewrite HU. }
  destruct (String.eqb_spec f "clear_vm_page") as [->|_].
  { intros E _. unfold clear_vm_page_spec in E. operation E. apply with_frame_inv2 in E as [_ E].
    destruct (reclaim _ _) eqn:RC; [|exact (ok_same s s s' w L I0 E)]. apply after_inv2 in E as (y & s1 & E1 & E).
    refine (ok_put s _ s' _ _ w L _ E). change (table_now 0 (set_mem _ s1)) with (table_now 0 s1).
    refine (host_lost _ _ _ _ _ I0 (clear_lost _ s s1 y L E1) _). intros X. rewrite X in RC. discriminate RC. }
  destruct (String.eqb_spec f "assign_pfn_to_vm") as [->|_].
  { intros E _. unfold assign_pfn_to_vm_spec in E. operation E. destruct (_ && _); [|discriminate].
    apply with_frame_inv2 in E as [_ E]. destruct (claim _ _ _) as [[[|] q]|] eqn:CL; [| |discriminate].
    - apply after_inv2 in E as (y & s1 & E1 & E). refine (ok_put s s1 s' _ _ w L _ E).
      exact (host_lost _ _ _ _ _ I0 (clear_lost _ s s1 y L E1) (claim_tracked _ _ _ _ _ CL)).
    - refine (ok_put s s s' _ _ w L _ E). apply claim_touch in CL as (old & P & Q).
      exact (host_same _ _ _ old _ I0 P Q). }
  destruct (String.eqb_spec f "map_pfn_vm") as [->|_].
  { intros E N. specialize (N eq_refl). unfold map_pfn_vm_spec in E.
    apply p4_inv in E as (u & a & e & l & -> & _ & _ & _ & _ & E). apply chk_void in E as [E _].
    assert (U : table_now 0 s' = table_now 0 s /\ st_s2 s' = st_s2 s).
    { assert (Nu : u <> 0) by (intros ->; now apply N).
      destruct (l =? 2); [destruct (_ =? 0); [|discriminate E]|]; exact (map_other _ _ _ _ _ _ _ Nu E). }
    unfold host_table_ok, frames_now. destruct U as [-> ->]. exact I. }
  destruct (String.eqb_spec f "map_vm_io") as [->|_].
  { intros E _. unfold map_vm_io_spec in E. apply p3_inv in E as (u & a & pa & -> & _ & _ & _ & E).
    apply chk_void in E as [E _].
    apply with_frame_inv2 in E as [_ E]. destruct (_ !! _) eqn:Q; [exact (ok_same s s s' w L I0 E)|].
    apply after_inv2 in E as (y & s1 & E1 & E). apply (ok_same s s1 s' w L); [|exact E].
    destruct (Z.eq_dec u 0) as [->|N]; [|now destruct (map_other _ _ _ _ _ _ _ N E1) as [-> _]].
    apply map_effect in E1 as (_ & c & p & o & C & -> & T). rewrite (table_put_now 0 c p o s L C).
    eapply (host_mapped (table_now 0 s) _ _ (page_number a)); [exact I0 | |].
    - intros h. rewrite (T eq_refl h). unfold table_now. now rewrite C.
    - split; [reflexivity|]. left. now rewrite io_frame. }
  destruct (String.eqb_spec f "grant_vm_page") as [->|_].
  { intros E _. unfold grant_vm_page_spec in E. operation E. apply with_frame_inv2 in E as [F E].
    destruct (share _ _) eqn:SH; [|exact (ok_same s s s' w L I0 E)]. refine (ok_put s s s' _ _ w L _ E).
    destruct (share_touch _ _ _ F SH) as (old & P & Q). exact (host_same _ _ _ old _ I0 P Q). }
  destruct (String.eqb_spec f "revoke_vm_page") as [->|_].
  { intros E _. unfold revoke_vm_page_spec in E. operation E. apply with_frame_inv2 in E as [_ E].
    destruct (unshare _ _) as [[[|] q]|] eqn:SH; [| |exact (ok_same s s s' w L I0 E)].
    - apply after_inv2 in E as (y & s1 & E1 & E). refine (ok_put s s1 s' _ _ w L _ E).
      refine (host_lost _ _ _ _ _ I0 (clear_lost _ s s1 y L E1) _). intros X. rewrite X in SH. discriminate SH.
    - refine (ok_put s s s' _ _ w L _ E). apply unshare_touch in SH as (old & P & Q).
      exact (host_same _ _ _ old _ I0 P Q). }
  destruct (String.eqb_spec f "assign_pfn_to_smmu") as [->|_].
  { intros E _. unfold assign_pfn_to_smmu_spec in E. operation E. destruct (_ && _); [|discriminate].
    apply with_frame_inv2 in E as [_ E]. destruct (reserve _ _ _) as [[q|]|] eqn:RS;
      [|exact (ok_same s s s' w L I0 E)|discriminate].
    apply after_inv2 in E as (y & s1 & E1 & E). refine (ok_put s s1 s' _ _ w L _ E).
    refine (host_lost _ _ _ _ _ I0 (clear_lost _ s s1 y L E1) _). intros X. rewrite X in RS. discriminate RS. }
  destruct (String.eqb_spec f "update_smmu_page") as [->|_].
  { intros E _. unfold update_smmu_page_spec in E. destruct vs as [|u [|b [|i [|a [|e [|]]]]]]; try discriminate.
    do 5 (destruct (in_range _ _); [|discriminate]). destruct (_ <? 16); [|discriminate].
    apply with_frame_inv2 in E as [_ E].
    destruct (device_use _ _ _) as [q|] eqn:DU; [|discriminate]. apply after_inv2 in E as (y & s1 & E1 & E).
    apply map_spt_effect in E1 as (p & o & -> & _).
    change (table_now 0 s) with (table_now 0 (devices_put p o s)) in I0.
    destruct q as [q|]; [|exact (ok_same s _ s' w L I0 E)]. refine (ok_put s (devices_put p o s) s' _ _ w L _ E).
    destruct (use_touch _ _ _ _ DU) as (old & P & Q). exact (host_same _ _ _ old _ I0 P Q). }
  destruct (String.eqb_spec f "unmap_smmu_page") as [->|_]; [|discriminate].
  intros E _. unfold unmap_smmu_page_spec in E. apply p3_inv in E as (b & i & a & -> & _ & _ & _ & E).
  apply chk_void in E as [E _].
  destruct (c_held _); [discriminate|]. cbn [negb] in E. cbv zeta in E. apply after_inv2 in E as (y & s1 & E1 & E).
  assert (U : table_now 0 s1 = table_now 0 s) by (apply unmap_spt_effect in E1 as [->|(p & o & -> & _)]; reflexivity).
  rewrite <- U in I0. destruct (in_range _ _); [|discriminate]. destruct (frame_ok _); [|discriminate].
  destruct (device_unuse _) as [q|] eqn:DU; [|exact (ok_same s s1 s' w L I0 E)].
  destruct (_ =? 0); [exact (ok_same s s1 s' w L I0 E)|]. refine (ok_put s s1 s' _ _ w L _ E).
  destruct (unuse_touch _ _ DU) as (old & P & Q). exact (host_same _ _ _ old _ I0 P Q).
Qed.
