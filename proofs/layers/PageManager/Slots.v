(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 15, PageManager: slots and frames.  On a well-formed map no two frames have
    the same slot, so a change of one frame is a change of one slot; and every
    ownership table whose entries are those of frames has a map of frames.  Used by
    [ProofCode] and [Refine]. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.machine Require Import StateTac BottomPagesTac.
From SeKVM.layers.MemRegion Require Import ProofCode.
From SeKVM.layers.PageIndex Require Import ProofCode.
From SeKVM.layers.PageManager Require Import Spec.
Local Open Scope Z_scope.

Lemma slots_apart_sym b c : slots_apart b c = slots_apart c b.
Proof.
  unfold slots_apart. destruct (mb_index b =? INVALID64), (mb_index c =? INVALID64); cbn; try reflexivity.
  apply orb_comm.
Qed.

Lemma all_apart_lookup l : all_apart l = true -> forall i j b c,
  l !! i = Some b -> l !! j = Some c -> i <> j -> slots_apart b c = true.
Proof.
  induction l as [|a l IH]; intros H i j b c I J N; [discriminate I|].
  cbn [all_apart] in H. apply andb_true_iff in H as [A H]. rewrite forallb_forall in A.
  assert (In : forall k d, l !! k = Some d -> slots_apart a d = true).
  { intros k d K. apply A, elem_of_list_In. exact (elem_of_list_lookup_2 _ _ _ K). }
  destruct i as [|i], j as [|j]; cbn in I, J.
  - congruence.
  - injection I as <-. exact (In _ _ J).
  - injection J as <-. rewrite slots_apart_sym. exact (In _ _ I).
  - exact (IH H i j b c I J ltac:(congruence)).
Qed.

(** What having a slot means. *)
Lemma slot_inv l a i : map_ok l = true -> slot l a = Some i -> exists k b,
  l !! k = Some b /\ (mb_index b =? INVALID64) = false /\ i = mb_index b + (a - mb_base b) / 4096 /\
  0 <= (a - mb_base b) / 4096 < mb_size b / 4096 /\ mb_base b <= a < mb_base b + mb_size b /\
  mb_base b mod 4096 = 0.
Proof.
  intros OK. unfold slot. destruct (block_of a l) as [b|] eqn:B; [|discriminate].
  destruct (block_of_in _ _ _ B) as (k & K & H). pose proof (map_ok_block _ _ _ OK K) as BO.
  destruct (mb_index b =? INVALID64) eqn:T; [discriminate|]. intros [= <-].
  exists k, b. repeat split; auto; try apply (offset_range b a BO H).
  - unfold hit in H. boolprop. lia.
  - unfold hit in H. boolprop. lia.
  - unfold block_ok in BO. boolprop. auto.
Qed.

Lemma slot_inj l x y i : firmware_ok l = true ->
  slot l (x * 4096) = Some i -> slot l (y * 4096) = Some i -> x = y.
Proof.
  unfold firmware_ok. intros OK X Y. apply andb_true_iff in OK as [OK AP].
  destruct (slot_inv _ _ _ OK X) as (k & b & K & TB & Ib & Rb & Hb & Mb).
  destruct (slot_inv _ _ _ OK Y) as (j & c & J & TC & Ic & Rc & Hc & Mc).
  destruct (decide (k = j)) as [->|Ne].
  - rewrite K in J. injection J as <-.
    assert ((x * 4096 - mb_base b) / 4096 = (y * 4096 - mb_base b) / 4096) by lia.
    clear - H Mb. Z.div_mod_to_equations. lia.
  - pose proof (all_apart_lookup l AP k j b c K J Ne) as A. unfold slots_apart in A.
    rewrite TB, TC in A. cbn [orb] in A. apply orb_true_iff in A as [A|A]; boolprop; lia.
Qed.

Lemma frame_slot_inj l x y i : firmware_ok l = true ->
  frame_slot l x = Some i -> frame_slot l y = Some i -> x = y.
Proof.
  unfold frame_slot. intros OK.
  destruct ((0 <=? x) && (x <? 68719476736)); [|discriminate].
  destruct ((0 <=? y) && (y <? 68719476736)); [|discriminate].
  now apply slot_inj.
Qed.

Lemma raw_page_insert m i e : raw_page (<[i := e]> m) i = e.
Proof. unfold raw_page. now rewrite lookup_insert. Qed.

Lemma RP_insert l p m pfn i q : firmware_ok l = true -> RP l p m ->
  frame_slot l pfn = Some i -> page_ok q -> RP l (<[pfn := q]> p) (<[i := encode q]> m).
Proof.
  intros OK X S Q pfn'. specialize (X pfn'). destruct (decide (pfn' = pfn)) as [->|Ne].
  - rewrite S. exists q. rewrite lookup_insert, raw_page_insert. auto.
  - rewrite lookup_insert_ne by auto. destruct (frame_slot l pfn') as [j|] eqn:S'; [|exact X].
    destruct X as (q' & A & B & C). exists q'. repeat split; auto. unfold raw_page.
    rewrite lookup_insert_ne; [exact C|]. intros ->. apply Ne. exact (frame_slot_inj l _ _ _ OK S' S).
Qed.

(** One frame in both representations: not tracked on both sides (too big a number,
    or no slot), or a frame and its entry. *)
Lemma frame_cases l (p : gmap Z page) m pfn : RP l p m -> 0 <= pfn -> map_ok l = true ->
  (p !! pfn = None /\ (68719476736 <= pfn \/ pfn < 68719476736 /\ slot l (pfn * 4096) = None)) \/
  exists i q, p !! pfn = Some q /\ page_ok q /\ raw_page m i = encode q /\ frame_slot l pfn = Some i /\
    pfn < 68719476736 /\ slot l (pfn * 4096) = Some i /\ 0 <= i < 16777216.
Proof.
  intros X P OK. specialize (X pfn). unfold frame_slot in *.
  replace (0 <=? pfn) with true in * by lia. cbn [andb] in *.
  destruct (Z.ltb_spec pfn 68719476736); [|left; auto].
  destruct (slot l (pfn * 4096)) as [i|] eqn:S; [right|left; auto].
  destruct X as (q & A & B & C). exists i, q. repeat split; auto; apply (PageIndex.ProofCode.slot_range _ _ _ OK S).
Qed.

(** * Every table of good entries has a map of frames *)

Definition decode (e : s2page) : page :=
  if s2_owner e =? HOSTVISOR then Host (s2_count e)
  else if s2_owner e =? COREVISOR then Core
  else Vm (s2_owner e) (if s2_count e =? INVALID then Dma else Shared (s2_count e))
          (if s2_gfn e =? INVALID64 then None else Some (s2_gfn e)).

(** The frames that the blocks of [l] cover. *)
Definition frames (l : list memblock) : list Z :=
  flat_map (fun b => seqZ (mb_base b / 4096) (mb_size b / 4096)) l.

Definition decode_table (l : list memblock) (m : gmap Z s2page) : gmap Z page :=
  list_to_map (omap (fun pfn => match frame_slot l pfn with
                                | Some i => Some (pfn, decode (raw_page m i)) | None => None end) (frames l)).

Lemma frame_slot_frames l pfn i : map_ok l = true -> frame_slot l pfn = Some i -> pfn ∈ frames l.
Proof.
  unfold frame_slot. intros OK. destruct ((0 <=? pfn) && (pfn <? 68719476736)); [|discriminate]. intros S.
  destruct (slot_inv _ _ _ OK S) as (k & b & K & _ & _ & R & H & M).
  apply elem_of_list_In, in_flat_map. exists b. split.
  - apply elem_of_list_In. exact (elem_of_list_lookup_2 _ _ _ K).
  - apply elem_of_list_In, elem_of_seqZ. clear - R H M. Z.div_mod_to_equations. lia.
Qed.

Lemma lookup_function {A} (f : Z -> option A) ks k :
  (list_to_map (omap (fun x => match f x with Some v => Some (x, v) | None => None end) ks) : gmap Z A) !! k
  = if decide (k ∈ ks) then f k else None.
Proof.
  induction ks as [|x ks IH]; cbn; [reflexivity|].
  destruct (decide (k = x)) as [->|Ne].
  - rewrite decide_True by left. destruct (f x) as [v|] eqn:F; cbn.
    + apply lookup_insert.
    + rewrite IH. now destruct (decide (x ∈ ks)).
  - assert (D : (if decide (k ∈ x :: ks) then f k else None) = (if decide (k ∈ ks) then f k else None)).
    { destruct (decide (k ∈ ks)) as [I|I].
      - now rewrite decide_True by (now right).
      - rewrite decide_False; [reflexivity|]. intros J. apply elem_of_cons in J as [J|J]; auto. }
    rewrite D. destruct (f x) as [v|]; cbn; [|exact IH]. rewrite lookup_insert_ne by auto. exact IH.
Qed.

(** Entries of tracked frames are the code of a frame. *)
Definition table_ok (l : list memblock) (m : gmap Z s2page) : Prop :=
  forall pfn i, frame_slot l pfn = Some i ->
    page_ok (decode (raw_page m i)) /\ encode (decode (raw_page m i)) = raw_page m i.

Lemma RP_decode l m : map_ok l = true -> table_ok l m -> RP l (decode_table l m) m.
Proof.
  intros OK T pfn. unfold decode_table.
  assert (E : (list_to_map (omap (fun pfn => match frame_slot l pfn with
                | Some i => Some (pfn, decode (raw_page m i)) | None => None end) (frames l)) : gmap Z page) !! pfn
          = match frame_slot l pfn with Some i => Some (decode (raw_page m i)) | None => None end).
  { replace (omap _ (frames l)) with (omap (fun x => match
        match frame_slot l x with Some i => Some (decode (raw_page m i)) | None => None end
        with Some v => Some (x, v) | None => None end) (frames l)).
    - rewrite (lookup_function (fun x => match frame_slot l x with
                 Some i => Some (decode (raw_page m i)) | None => None end)).
      destruct (frame_slot l pfn) as [i|] eqn:S; [|now destruct (decide _)].
      now rewrite decide_True by exact (frame_slot_frames _ _ _ OK S).
    - clear T. induction (frames l) as [|x ks IH]; cbn; [reflexivity|]. rewrite IH. now destruct (frame_slot l x). }
  rewrite E. destruct (frame_slot l pfn) as [i|] eqn:S; [|reflexivity].
  destruct (T pfn i S) as [A B]. eauto.
Qed.
