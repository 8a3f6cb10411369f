(* SPDX-License-Identifier: Apache-2.0 *)
(** What an operation on frames, of layer 16, does to the view of a VM that it is not addressed to: nothing
    ([operations_respect]).  Rests on [View]; [Isolation] uses what is said here of the work on tables. *)
From SeKVM.lib Require Import VcTac PrimInv Loop.
From SeKVM.machine Require Import StateTac.
From SeKVM.pagetable Require Import Facts.
From SeKVM.layers.MemManager Require Import Natural.
From SeKVM.layers.MemoryOps Require Import History Guarantee Ranges.
From SeKVM.top Require Export Respect.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Work on tables *)

(** The frame that an entry names. *)
Definition entry_frame (e : Z) : Z := table_addr e / 4096.

Lemma entry_frame_mod e : entry_frame e = (e / 4096) mod 68719476736.
Proof. unfold entry_frame, table_addr. now rewrite Z.div_mul. Qed.

(** The table [c] of VM [u] is locked, replaced by [p] and published. *)
Definition table_put (u : Z) (c : cell pmap) (p : pmap) (o : list out_event) (s : hstate) : hstate :=
  set_outs o (put_table u (updated (cpu_id (st_cpu s)) p c) s).
Definition devices_put (p : pmap) (o : list out_event) (s : hstate) : hstate :=
  set_outs o (set_spt (updated (cpu_id (st_cpu s)) p (st_spt s)) s).

Lemma map_effect u a lvl e (s s' : hstate) w : map_s2pt_spec [u; a; lvl; e] s = Some (Ok w s') ->
  is_vmid u = true /\ exists c p o, st_npts s !! u = Some c /\ s' = table_put u c p o s /\
    (lvl = 3 -> forall h, leaves p !! h = if h =? page_number a then leaf (3%nat, e) else leaves (now c) !! h).
Proof.
  unfold map_s2pt_spec. intros E. apply p4_inv in E as (u' & a' & l' & e' & [= <- <- <- <-] & _ & _ & _ & _ & E).
  apply chk_void in E as [E _].
  destruct (is_vmid u) eqn:V; [|discriminate E]. cbn [andb] in E. split; [reflexivity|].
  destruct (a <? ADDR_LIMIT); [|discriminate E]. cbn [andb] in E. destruct (can_map _ _); [|discriminate E].
  cbn [negb] in E.
  destruct (st_npts s !! u) as [c|]; [|discriminate E]. destruct (c_held c); [discriminate E|]. cbn [negb] in E.
  cbv zeta in E. destruct (negb (is_guest u) || _); [|discriminate E]. destruct (is_guest u && _); [discriminate E|].
  exists c. unfold publish_update in E.
  destruct (pset _ _ _ _ _) as [p|p|p] eqn:P; [|discriminate E|discriminate E].
  injection E as _ <-. exists p. eexists. split; [reflexivity|]. split; [reflexivity|]. intros -> h.
  exact (pset_page _ (npt_geom_ok u V) 3 _ _ _ _ h eq_refl P).
Qed.

(** From [t] to [t'] page [pfn] lost its frame; nothing else was mapped. *)
Definition lost (pfn : Z) (t t' : gmap Z (nat * Z)) : Prop := forall h l e, t' !! h = Some (l, e) ->
  (l = 3%nat /\ entry_frame e = 0) \/ (t !! h = Some (l, e) /\ (h = pfn -> entry_frame e = 0)).

Lemma clear_effect pfn (s s' : hstate) w : clear_pfn_host_spec [pfn] s = Some (Ok w s') ->
  exists c p o, st_npts s !! 0 = Some c /\ s' = table_put 0 c p o s /\ lost pfn (leaves (now c)) (leaves p).
Proof.
  unfold clear_pfn_host_spec. intros E. apply p1_inv in E as (pfn' & [= <-] & R & E). apply chk_void in E as [E _].
  destruct (Z.leb_spec PFN_LIMIT pfn) as [|B]; [discriminate E|]. unfold HOSTVISOR in E.
  destruct (st_npts s !! 0) as [c|]; [|discriminate E].
  destruct (c_held c); [discriminate E|]. cbn [negb] in E. cbv zeta in E. apply in_range_iff in R.
  assert (PN : page_number (pfn * PAGE) = pfn).
  { unfold page_number, PAGE, PFN_LIMIT in *. rewrite Z.div_mul by discriminate. apply Z.mod_small. lia. }
  rewrite PN in E. exists c. destruct (Z.eqb_spec (level (c_val (acquire_cell c)) pfn) 0) as [L|L].
  - injection E as _ <-. exists (now c), (st_outs s). split; [reflexivity|]. split.
    + unfold table_put, updated, put_table, published, now. destruct s. reflexivity.
    + intros h l e H. right. split; [exact H|]. intros ->. unfold level in L. unfold now in H. rewrite H in L.
      unfold entry_frame. destruct (Z.eqb_spec (table_addr e) 0) as [->|]; [reflexivity|].
      destruct (l =? 2)%nat; discriminate L.
  - unfold publish_update in E. destruct (pset _ _ _ _ _) as [p|p|p] eqn:P; [|discriminate E|discriminate E].
    injection E as _ <-. exists p. eexists. split; [reflexivity|]. split; [reflexivity|]. intros h l e H.
    rewrite (pset_page _ (npt_geom_ok 0 eq_refl) 3 _ _ _ _ h eq_refl P) in H. destruct (Z.eqb_spec h pfn) as [->|N].
    + left. cbv in H. injection H as <- <-. split; reflexivity.
    + right. split; [exact H|]. now intros ->.
Qed.

Lemma map_spt_effect cb ix a e (s s' : hstate) w : map_spt_spec [cb; ix; a; e] s = Some (Ok w s') ->
  exists p o, s' = devices_put p o s /\
    forall h, h <> bank_page (bank cb ix) a -> leaves p !! h = leaves (now (st_spt s)) !! h.
Proof.
  unfold map_spt_spec. intros E. apply p4_inv in E as (cb' & ix' & a' & e' & [= <- <- <- <-] & _ & _ & _ & _ & E).
  apply chk_void in E as [E _].
  destruct (_ && _); [|discriminate E]. cbn [negb] in E. destruct (c_held (st_spt s)); [discriminate E|].
  cbn [negb] in E. cbv zeta in E.
  unfold publish_spt_update in E. destruct (pset _ _ _ _ _) as [p|p|p] eqn:P; [|discriminate E|discriminate E].
  injection E as _ <-. exists p. eexists. split; [reflexivity|]. intros h N.
  rewrite (pset_page _ smmu_geom_ok 2 _ _ _ _ h eq_refl P). now destruct (Z.eqb_spec h (bank_page (bank cb ix) a)).
Qed.

Lemma unmap_spt_effect cb ix a (s s' : hstate) w : unmap_spt_spec [cb; ix; a] s = Some (Ok w s') ->
  s' = s \/ exists p o, s' = devices_put p o s /\
    forall h, h <> bank_page (bank cb ix) a -> leaves p !! h = leaves (now (st_spt s)) !! h.
Proof.
  unfold unmap_spt_spec. intros E. apply p3_inv in E as (cb' & ix' & a' & [= <- <- <-] & _ & _ & _ & E).
  destruct (is_bank cb ix); [|discriminate E]. cbn [negb] in E.
  destruct (_ <=? a); [apply chk_inv in E as [_ [= _ ->]]; now left|].
  destruct (c_held (st_spt s)); [discriminate E|]. cbn [negb] in E. cbv zeta in E. right.
  destruct (in_range U64 _); [|discriminate E]. destruct (_ =? 0).
  - apply chk_inv in E as [_ [= _ ->]]. exists (now (st_spt s)), (st_outs s). split; [|reflexivity].
    unfold devices_put, publish_spt, updated, now. destruct s. reflexivity.
  - unfold publish_spt_update in E. destruct (pset _ _ _ _ _) as [p|p|p] eqn:P; [|discriminate E|discriminate E].
    apply chk_inv in E as [_ [= _ ->]]. exists p. eexists. split; [reflexivity|]. intros h N.
    rewrite (pset_page _ smmu_geom_ok 2 _ _ _ _ h eq_refl P). now destruct (Z.eqb_spec h (bank_page (bank cb ix) a)).
Qed.

(** * Steps that VM [v] does not see *)

(** Nothing but tables changed, and nothing in the tables of [v]. *)
Definition unseen (v : Z) (s s1 : hstate) : Prop :=
  st_s2 s1 = st_s2 s /\ st_mem s1 = st_mem s /\ st_smmu s1 = st_smmu s /\ st_vms s1 = st_vms s /\
  table_now v s1 = table_now v s /\
  devices_of v (banks_now s) (devices_now s1) = devices_of v (banks_now s) (devices_now s).

Lemma unseen_refl v s : unseen v s s.
Proof. repeat split. Qed.

Lemma table_unseen v u c p o s : v <> u -> unseen v s (table_put u c p o s).
Proof.
  intros N. repeat split. unfold table_now, table_put, put_table. cbn [st_npts set_outs set_npts].
  now rewrite lookup_insert_ne by auto.
Qed.

Lemma bank_of_bank_page b a : bank_of_page (bank_page b a) = b.
Proof.
  unfold bank_of_page, bank_page. rewrite Z.div_add_l by discriminate.
  rewrite (Z.div_small (_ mod _)) by (apply Z.mod_pos_bound; reflexivity). apply Z.add_0_r.
Qed.

Lemma devices_unseen v b a p o s : last_batch s -> banks_now s !! b <> Some v ->
  (forall h, h <> bank_page b a -> leaves p !! h = leaves (now (st_spt s)) !! h) -> unseen v s (devices_put p o s).
Proof.
  intros (_ & L & _) B H. repeat split. unfold devices_of, devices_now, devices_put. cbn [st_spt set_outs set_spt].
  unfold updated. rewrite now_updated by exact L. apply map_eq. intros h. rewrite !map_filter_lookup.
  destruct (Z.eq_dec h (bank_page b a)) as [->|N]; [|now rewrite H].
  destruct (leaves p !! _), (leaves (now (st_spt s)) !! _); cbn [mbind option_bind]; try reflexivity;
    rewrite ?option_guard_False; auto; cbn [fst]; rewrite bank_of_bank_page; exact B.
Qed.

(** A frame that is not [v]'s, and tracked. *)
Definition foreign (v : Z) (q : option page) : Prop :=
  match q with None => False | Some (Vm w _ _) => w <> v | Some _ => True end.

Lemma guest_not_host v : is_guest v = true -> (v =? 0) = false /\ v < 16.
Proof. unfold is_guest. intros G. boolprop. split; [apply Z.eqb_neq|]; lia. Qed.

Lemma foreign_not_touched v q : is_guest v = true -> foreign v q ->
  may_touch v q = false /\ private v q = false /\ owner_of q <> v.
Proof.
  intros G F. apply guest_not_host in G as [E B].
  destruct q as [[k|w [k|] g|]|]; cbn [foreign] in F; try contradiction; cbn [may_touch private owner_of];
    try (assert (W : (v =? w) = false) by (apply Z.eqb_neq; congruence); rewrite W); rewrite ?E; apply Z.eqb_neq in E;
    unfold HOSTVISOR, COREVISOR; repeat split; auto; lia.
Qed.

(** A frame that is not [v]'s changes hands among others, and its words with it. *)
Lemma words_foreign v f m q' ws ws' pfn : (forall q, foreign v q -> f q = false) -> foreign v (m !! pfn) ->
  foreign v (Some q') ->
  (forall a, frame_of_addr a <> pfn -> ws' !! a = ws !! a) -> words_of f (<[pfn := q']> m) ws' = words_of f m ws.
Proof.
  intros K F F' W. apply map_eq. intros a. rewrite !words_of_lookup.
  destruct (Z.eq_dec (frame_of_addr a) pfn) as [E|N].
  - rewrite E, lookup_insert, !K by assumption. destruct (ws' !! a), (ws !! a); rewrite ?andb_false_r; reflexivity.
  - rewrite lookup_insert_ne by auto. now rewrite W.
Qed.

Lemma owned_foreign v m q' pfn : is_guest v = true -> foreign v (m !! pfn) -> foreign v (Some q') ->
  owned v (<[pfn := q']> m) = owned v m.
Proof.
  intros G F F'. unfold owned. rewrite (proj1 (guest_not_host v G)). apply map_filter_insert_not'.
  - cbn [snd]. now apply foreign_not_touched.
  - intros y Y. cbn [snd]. rewrite <- Y. now apply foreign_not_touched.
Qed.

Lemma view_foreign v (s s' : hstate) pfn q' : is_guest v = true ->
  unseen v s (set_mem (st_mem s) (set_s2 (st_s2 s) s')) ->
  frames_now s' = <[pfn := q']> (frames_now s) -> foreign v (frames_now s !! pfn) -> foreign v (Some q') ->
  (forall a, frame_of_addr a <> pfn -> words_now s' !! a = words_now s !! a) -> view_of v s' = view_of v s.
Proof.
  intros G (_ & _ & B & L & T & D) F Fq Fq' W. cbn in B, L.
  change (table_now v s' = table_now v s) in T.
  change (devices_of v (banks_now s) (devices_now s') = devices_of v (banks_now s) (devices_now s)) in D.
  unfold view_of. rewrite F, (owned_foreign v _ q' pfn G Fq Fq'), T. unfold banks_now at 1 2, life_now. rewrite B, L.
  fold (banks_now s). rewrite D. f_equal.
  - apply (words_foreign v); auto. intros q Q. now apply foreign_not_touched.
  - apply (words_foreign v); auto. intros q Q. now rewrite (proj1 (foreign_not_touched v q G Q)).
Qed.

(** * The ends of operations *)

Lemma publish_unseen v (s s1 s' : hstate) w : last_batch s -> unseen v s s1 ->
  publish (acquire_cell (st_s2 s)) s1 = Some (Ok w s') -> view_of v s' = view_of v s.
Proof.
  intros (L & _) (F & Me & B & Vm & T & D) [= _ <-].
  set (s' := set_s2 _ s1). assert (F' : frames_now s' = frames_now s) by (unfold frames_now; cbn [s' st_s2 set_s2];
    now rewrite now_release).
  assert (W' : words_now s' = words_now s) by (unfold words_now; cbn [s' st_mem set_s2]; now rewrite Me).
  unfold view_of. rewrite F', W'. change (table_now v s') with (table_now v s1).
  change (devices_now s') with (devices_now s1).
  change (banks_now s') with (banks_now s1). change (life_now v s') with (life_now v s1).
  unfold banks_now at 1 2, life_now. rewrite T, B, Vm. fold (banks_now s). now rewrite D.
Qed.

Lemma publish_foreign v (s s1 s' : hstate) pfn q' w : is_guest v = true -> last_batch s -> unseen v s s1 ->
  foreign v (c_val (acquire_cell (st_s2 s)) !! pfn) -> foreign v (Some q') ->
  publish (put pfn q' (acquire_cell (st_s2 s))) s1 = Some (Ok w s') -> view_of v s' = view_of v s.
Proof.
  intros G (L & _) (F & Me & B & Vm & T & D) Fq Fq' [= _ <-].
  apply (view_foreign v s _ pfn q' G); auto.
  - repeat split; cbn; auto.
  - unfold frames_now. cbn [st_s2 set_s2]. unfold put. rewrite now_updated by exact L. reflexivity.
  - intros a _. unfold words_now. cbn [st_mem set_s2]. now rewrite Me.
Qed.

Lemma apply_writes_other evs m a : Forall (fun e : Z * (Z * Z) => fst (snd e) <> a) evs ->
  apply_writes evs m !! a = m !! a.
Proof.
  induction 1 as [|e evs N _ IH]; [reflexivity|]. cbn [apply_writes fold_right]. rewrite lookup_insert_ne by exact N.
  exact IH.
Qed.

Lemma frame_of_frame_word pfn a : a ∈ frame_words pfn -> frame_of_addr a = pfn.
Proof.
  unfold frame_words, frame_of_addr, PAGE. intros I. apply elem_of_list_fmap in I as (i & -> & I).
  apply elem_of_seqZ in I.
  rewrite Z.div_add_l by discriminate. rewrite Z.div_small by lia. lia.
Qed.

Lemma words_scrub me pfn (m : memview) a : tl (m_script m) = [] -> frame_of_addr a <> pfn ->
  m_words (sync_mem (scrub me pfn m)) !! a = m_words (sync_mem m) !! a.
Proof.
  intros L N. unfold sync_mem, scrub. cbn [m_words m_script]. rewrite L. cbn [hd apply_writes fold_right].
  apply apply_writes_other. apply List.Forall_map, List.Forall_forall. intros x I. cbn [fst snd]. intros ->.
  apply elem_of_list_In in I. now apply N, frame_of_frame_word.
Qed.

Lemma publish_scrubbed v (s s1 s' : hstate) pfn q' w : is_guest v = true -> last_batch s -> unseen v s s1 ->
  foreign v (c_val (acquire_cell (st_s2 s)) !! pfn) -> foreign v (Some q') ->
  publish (put pfn q' (acquire_cell (st_s2 s))) (set_mem (scrub (cpu_id (st_cpu s1)) pfn (st_mem s1)) s1) = Some (Ok w
    s') ->
  view_of v s' = view_of v s.
Proof.
  intros G (L & _ & Lm & _) (F & Me & B & Vm & T & D) Fq Fq' [= _ <-].
  apply (view_foreign v s _ pfn q' G); auto.
  - repeat split; cbn; auto.
  - unfold frames_now. cbn [st_s2 set_s2]. unfold put. rewrite now_updated by exact L. reflexivity.
  - intros a N. unfold words_now. cbn [st_mem set_s2 set_mem]. rewrite Me. now apply words_scrub.
Qed.

(** * Transitions of others' frames *)

Ltac transition := intros E; revert E;
  repeat match goal with |- context [match ?x with _ => _ end] =>
    lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x eqn:? end end;
  try discriminate; intros E; injection E; intros; subst; boolprop; subst; cbn [foreign]; repeat split; congruence.

Lemma claim_foreign v u g q b q' : claim u g q = Some (b, q') -> u <> v -> foreign v q /\ foreign v (Some q').
Proof. unfold claim. intros E N. revert E. transition. Qed.
Lemma reserve_foreign v u g q q' : reserve u g q = Some (Some q') -> u <> v -> foreign v q /\ foreign v (Some q').
Proof. unfold reserve. intros E N. revert E. transition. Qed.
Lemma share_foreign v u q q' : share u q = Some q' -> u <> v -> foreign v q /\ foreign v (Some q').
Proof. unfold share. intros E N. revert E. transition. Qed.
Lemma unshare_foreign v u q b q' : unshare u q = Some (b, q') -> u <> v -> foreign v q /\ foreign v (Some q').
Proof. unfold unshare. intros E N. revert E. transition. Qed.
Lemma use_foreign v u g q q' : device_use u g q = Some (Some q') -> foreign v q /\ foreign v (Some q').
Proof. unfold device_use. transition. Qed.
Lemma unuse_foreign v q q' : device_unuse q = Some q' -> foreign v q /\ foreign v (Some q').
Proof. unfold device_unuse. transition. Qed.
Lemma reclaim_foreign v u q : reclaim u q = true -> u <> v -> foreign v q /\ foreign v (Some (Host 0)).
Proof. destruct q as [[k|w x g|]|]; cbn; try discriminate. intros E N. apply Z.eqb_eq in E. subst. repeat split.
exact N. Qed.

(** * Every operation *)

(** Call [f vs] is addressed to VM [v]: it names [v], or works on the SMMU table of a bank of [v]. *)
Definition addressed (v : Z) (banks : gmap Z Z) (f : ident) (vs : list Z) : Prop :=
  if String.eqb f "map_page_host" then False
  else if String.eqb f "update_smmu_page" then exists u cb ix l, vs = u :: cb :: ix :: l /\
    banks !! bank cb ix = Some v
  else if String.eqb f "unmap_smmu_page" then exists cb ix l, vs = cb :: ix :: l /\ banks !! bank cb ix = Some v
  else hd_error vs = Some v.

Lemma clear_unseen v pfn (s s1 : hstate) w : is_guest v = true -> clear_pfn_host_spec [pfn] s = Some (Ok w s1) ->
  unseen v s s1.
Proof.
  intros G E. apply clear_effect in E as (c & p & o & _ & -> & _). apply table_unseen. intros ->. discriminate G.
Qed.

Lemma map_unseen v u a l e (s s1 : hstate) w : v <> u -> map_s2pt_spec [u; a; l;
  e] s = Some (Ok w s1) -> unseen v s s1.
Proof. intros N E. apply map_effect in E as (_ & c & p & o & _ & -> & _). now apply table_unseen. Qed.

(** What is left of an operation after its table work. *)
Lemma after_inv2 (o : option (res hstate)) c k s' w :
  after o c k = Some (Ok w s') -> exists x s1, o = Some (Ok x s1) /\ k x s1 = Some (Ok w s').
Proof. unfold after. destruct o as [[x s1|s1]|]; [eauto | discriminate | discriminate]. Qed.

Ltac operation E := first [apply p1_inv in E as (? & -> & _ & E) | apply p2_inv in E as (? & ? & -> & _ & _ & E)
  | apply p3_inv in E as (? & ? & ? & -> & _ & _ & _ & E)]; apply chk_void in E as [E _].
Ltac named N := let X := fresh in intros X; apply N; cbn; now rewrite X.

(** Read: an operation on frames that any CPU makes for whomever leaves the view of VM [v] as it is, all of it, if it
    is not addressed to [v]. *)
Theorem operations_respect f vs v (s s' : hstate) w : is_guest v = true -> last_batch s ->
  call MemManager.Interface.T f vs s = Some (Ok w s') -> ~ addressed v (banks_now s) f vs ->
    view_of v s' = view_of v s.
Proof.
  intros G L. unfold call, MemManager.Interface.T, MemManager.Spec.T. cbn [Lang.assoc].
  destruct (String.eqb_spec f "map_page_host") as [->|_].
  { intros E _. unfold map_page_host_spec in E. operation E. apply with_frame_inv in E.
    destruct (host_use _); [|discriminate]. apply after_inv2 in E as (y & s1 & E1 & E).
    refine (publish_unseen v s s1 s' _ L _ E). refine (map_unseen _ _ _ _ _ _ _ _ _ E1). intros ->. discriminate G. }
  destruct (String.eqb_spec f "clear_vm_page") as [->|_].
  { intros E N. unfold clear_vm_page_spec in E. operation E. apply with_frame_inv in E.
    destruct (reclaim _ _) eqn:RC; [|exact (publish_unseen v s s s' _ L (unseen_refl v s) E)].
    apply after_inv2 in E as (y & s1 & E1 & E). destruct (reclaim_foreign v _ _ RC) as [F F']; [named N|].
    exact (publish_scrubbed v s s1 s' _ _ _ G L (clear_unseen v _ _ _ _ G E1) F F' E). }
  destruct (String.eqb_spec f "assign_pfn_to_vm") as [->|_].
  { intros E N. unfold assign_pfn_to_vm_spec in E. operation E. destruct (_ && _); [|discriminate].
    apply with_frame_inv in E.
    destruct (claim _ _ _) as [[b q]|] eqn:CL; [|discriminate].
    destruct (claim_foreign v _ _ _ _ _ CL) as [F F']; [named N|].
    destruct b; [apply after_inv2 in E as (y & s1 & E1 & E); apply (clear_unseen v) in E1; [|exact G]|];
      (eapply (publish_foreign v s); [exact G | exact L | | exact F | exact F' | exact E]);
        [exact E1 | apply unseen_refl]. }
  destruct (String.eqb_spec f "map_pfn_vm") as [->|_].
  { intros E N. unfold map_pfn_vm_spec in E. apply p4_inv in E as (u & a & e & l & -> & _ & _ & _ & _ & E).
    apply chk_void in E as [E _].
    assert (U : unseen v s s').
    { assert (Nu : v <> u) by (intros ->; now apply N).
      destruct (l =? 2); [destruct (_ =? 0); [|discriminate E]|]; exact (map_unseen _ _ _ _ _ _ _ _ Nu E). }
    destruct U as (F & Me & B & Vm & T & D). unfold view_of, frames_now, words_now, banks_now, life_now.
    rewrite F, Me, B, Vm, T.
    fold (banks_now s). now rewrite D. }
  destruct (String.eqb_spec f "map_vm_io") as [->|_].
  { intros E N. unfold map_vm_io_spec in E. operation E. apply with_frame_inv in E.
    destruct (_ !! _); [exact (publish_unseen v s s s' _ L (unseen_refl v s) E)|].
    apply after_inv2 in E as (y & s1 & E1 & E).
    refine (publish_unseen v s s1 s' _ L _ E). refine (map_unseen _ _ _ _ _ _ _ _ _ E1). intros ->. now apply N. }
  destruct (String.eqb_spec f "grant_vm_page") as [->|_].
  { intros E N. unfold grant_vm_page_spec in E. operation E. apply with_frame_inv in E.
    destruct (share _ _) eqn:SH; [|exact (publish_unseen v s s s' _ L (unseen_refl v s) E)].
    destruct (share_foreign v _ _ _ SH) as [F F']; [named N|].
    exact (publish_foreign v s s s' _ _ _ G L (unseen_refl v s) F F' E). }
  destruct (String.eqb_spec f "revoke_vm_page") as [->|_].
  { intros E N. unfold revoke_vm_page_spec in E. operation E. apply with_frame_inv in E.
    destruct (unshare _ _) as [[b q]|] eqn:SH; [|exact (publish_unseen v s s s' _ L (unseen_refl v s) E)].
    destruct (unshare_foreign v _ _ _ _ SH) as [F F']; [named N|].
    destruct b; [apply after_inv2 in E as (y & s1 & E1 & E); apply (clear_unseen v) in E1; [|exact G]|];
      (eapply (publish_foreign v s); [exact G | exact L | | exact F | exact F' | exact E]);
        [exact E1 | apply unseen_refl]. }
  destruct (String.eqb_spec f "assign_pfn_to_smmu") as [->|_].
  { intros E N. unfold assign_pfn_to_smmu_spec in E. operation E. destruct (_ && _); [|discriminate].
    apply with_frame_inv in E.
    destruct (reserve _ _ _) as [[q|]|] eqn:RS; [|exact (publish_unseen v s s s' _ L (unseen_refl v s)
      E)|discriminate].
    apply after_inv2 in E as (y & s1 & E1 & E). destruct (reserve_foreign v _ _ _ _ RS) as [F F']; [named N|].
    exact (publish_foreign v s s1 s' _ _ _ G L (clear_unseen v _ _ _ _ G E1) F F' E). }
  destruct (String.eqb_spec f "update_smmu_page") as [->|_].
  { intros E N. unfold update_smmu_page_spec in E. destruct vs as [|u [|b [|i [|a [|e [|]]]]]]; try discriminate.
    do 5 (destruct (in_range _ _); [|discriminate]). destruct (_ <? 16); [|discriminate]. apply with_frame_inv in E.
    destruct (device_use _ _ _) as [q|] eqn:DU; [|discriminate]. apply after_inv2 in E as (y & s1 & E1 & E).
    apply map_spt_effect in E1 as (p & o & -> & H).
    assert (U : unseen v s (devices_put p o s)).
    { apply (devices_unseen v (bank b i) a); [exact L | | exact H]. intros B. apply N. cbn. eauto 6. }
    destruct q as [q|]; [|exact (publish_unseen v s _ s' _ L U E)].
    destruct (use_foreign v _ _ _ _ DU) as [F F']. exact (publish_foreign v s _ s' _ _ _ G L U F F' E). }
  destruct (String.eqb_spec f "unmap_smmu_page") as [->|_]; [|discriminate].
  intros E N. unfold unmap_smmu_page_spec in E. apply p3_inv in E as (b & i & a & -> & _ & _ & _ & E).
  apply chk_void in E as [E _].
  destruct (c_held _); [discriminate|]. cbn [negb] in E. cbv zeta in E. apply after_inv2 in E as (y & s1 & E1 & E).
  assert (U : unseen v s s1).
  { apply unmap_spt_effect in E1 as [->|(p & o & -> & H)]; [apply unseen_refl|].
    apply (devices_unseen v (bank b i) a); [exact L | | exact H]. intros B. apply N. cbn. eauto 6. }
  destruct (in_range _ _); [|discriminate]. destruct (frame_ok _); [|discriminate].
  destruct (device_unuse _) as [q|] eqn:DU; [|exact (publish_unseen v s s1 s' _ L U E)].
  destruct (_ =? 0); [exact (publish_unseen v s s1 s' _ L U E)|].
  destruct (unuse_foreign v _ _ DU) as [F F']. exact (publish_foreign v s s1 s' _ _ _ G L U F F' E).
Qed.
