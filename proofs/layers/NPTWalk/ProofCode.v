(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 7, NPTWalk: each function's code over the interface of PTWalk, on trees in
    memory, implements its specification on maps.  The proofs string together the
    lemmas of [Steps], call by call.  Used by [Refine]. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import Bits PrimInv.
From SeKVM.machine Require Import StateTac BottomTac BottomMemTac.
From SeKVM.layers.NPTWalk Require Import Code Spec Steps.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Tables on both sides *)

(** The table of a valid VM whose lock is held, on both sides. *)
Lemma table_rel (s : nstate) (t : state) vm c : rel R s t ->
  st_npts s !! vm = Some c -> c_held c = true -> is_vmid vm = true ->
  exists m d T, t = set_npts m s /\ npts_rel RN (st_npts s) m /\ m !! vm = Some d /\ c_held d = true /\
    cell_rel (RN vm) c d /\ refines_with (npt_geom vm) T (c_val c) (npt_tree (c_val d)).
Proof.
  intros (m & -> & X) C H V. destruct (npts_rel_lookup RN _ _ _ _ X C) as (d & D & Y).
  destruct (proj1 (refines_pt_with _ _ _) (cr_val _ _ _ Y V)) as (T & W).
  exists m, d, T. split; [reflexivity|]. split; [exact X|]. split; [exact D|].
  split; [now rewrite <- (cr_held _ _ _ Y) | auto].
Qed.

(** States that differ in one table, related again. *)
Lemma rel_update (s : nstate) m vm c d p x : npts_rel RN (st_npts s) m -> cell_rel (RN vm) c d ->
  refines_pt (npt_geom vm) p (npt_tree x) ->
  npts_rel RN (<[vm := set_val p c]> (st_npts s)) (<[vm := set_val x d]> m).
Proof. intros X Y Z. apply npts_rel_insert; [exact X|]. apply set_val_rel; [exact Y|]. intros _. exact Z. Qed.

Lemma vttbr_call (t : state) vm : is_vmid vm = true -> in_range U32 vm = true ->
  call PTWalk.Spec.L "get_pt_vttbr" [vm] t = Some (Ok (pt_vttbr vm) t).
Proof.
  intros V RV. change (call PTWalk.Spec.L "get_pt_vttbr" [vm] t) with (get_pt_vttbr [vm] t).
  unfold get_pt_vttbr, p1. rewrite RV, V. cbn [chk]. now rewrite vttbr_range.
Qed.

Lemma level_leaf p g l e : leaves p !! g = leaf (l, e) -> level p g = if table_addr e =? 0 then 0 else if (l =? 2)%nat then 2 else 3.
Proof.
  unfold level, leaf. cbn [snd]. intros ->. destruct (Z.eqb_spec e 0) as [->|]; reflexivity.
Qed.

Lemma entry_leaf p g l e : leaves p !! g = leaf (l, e) -> entry p g = e.
Proof. unfold entry, leaf. cbn [snd]. intros ->. destruct (Z.eqb_spec e 0); congruence. Qed.

(** * The functions *)

Lemma get_npt_level_code : fun_sim R PTWalk.Spec.L f_get_npt_level get_npt_level_spec.
Proof.
  apply fun_sim_vc. intros vs s t r RR H. apply p2_inv in H as (vm & a & -> & RV & RA & H).
  destruct (st_npts s !! vm) as [c|] eqn:C; [|discriminate].
  destruct (c_held c) eqn:Hd; [|discriminate]. destruct (is_vmid vm) eqn:V; [|discriminate].
  cbn [chk] in H. destruct (in_range U32 (level (c_val c) (page_number a))); [injection H as <-|discriminate].
  destruct (table_rel s t vm c RR C Hd V) as (m & d & T & -> & X & D & Hd' & Y & W).
  destruct (look vm a V RV RA (set_npts m s) d D Hd' T (c_val c) W) as (pgd & pud & pmd & E0 & E1 & E2 & R2 & E3).
  run_vc f_get_npt_level. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  rewrite vttbr_call by assumption.
  change (call PTWalk.Spec.L "walk_pgd" ?l ?x) with (walk_pgd_spec l x); rewrite E0.
  change (call PTWalk.Spec.L "walk_pud" ?l ?x) with (walk_pud_spec l x); rewrite E1.
  change (call PTWalk.Spec.L "walk_pmd" ?l ?x) with (walk_pmd_spec l x); rewrite E2.
  destruct (Z.land pmd 3 =? 3).
  - destruct E3 as (pte & E3 & R3 & E4).
    change (call PTWalk.Spec.L "walk_pte" ?l ?x) with (walk_pte_spec l x); rewrite E3.
    change (Z.land pte 281474976706560) with (phys_page pte). rewrite <- table_addr_phys, (level_leaf _ _ _ _ E4).
    destruct (table_addr pte =? 0); cbn [negb]; (split; [reflexivity | exists m; auto]).
  - change (Z.land pmd 281474976706560) with (phys_page pmd). rewrite <- table_addr_phys, (level_leaf _ _ _ _ E3).
    destruct (table_addr pmd =? 0); cbn [negb]; (split; [reflexivity | exists m; auto]).
Qed.

Lemma walk_npt_code : fun_sim R PTWalk.Spec.L f_walk_npt walk_npt_spec.
Proof.
  apply fun_sim_vc. intros vs s t r RR H. apply p2_inv in H as (vm & a & -> & RV & RA & H).
  destruct (st_npts s !! vm) as [c|] eqn:C; [|discriminate].
  destruct (c_held c) eqn:Hd; [|discriminate]. destruct (is_vmid vm) eqn:V; [|discriminate].
  cbn [chk] in H. destruct (in_range U64 (entry (c_val c) (page_number a))); [injection H as <-|discriminate].
  destruct (table_rel s t vm c RR C Hd V) as (m & d & T & -> & X & D & Hd' & Y & W).
  destruct (look vm a V RV RA (set_npts m s) d D Hd' T (c_val c) W) as (pgd & pud & pmd & E0 & E1 & E2 & R2 & E3).
  run_vc f_walk_npt. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  rewrite vttbr_call by assumption.
  change (call PTWalk.Spec.L "walk_pgd" ?l ?x) with (walk_pgd_spec l x); rewrite E0.
  change (call PTWalk.Spec.L "walk_pud" ?l ?x) with (walk_pud_spec l x); rewrite E1.
  change (call PTWalk.Spec.L "walk_pmd" ?l ?x) with (walk_pmd_spec l x); rewrite E2.
  destruct (Z.land pmd 3 =? 3).
  - destruct E3 as (pte & E3 & R3 & E4).
    change (call PTWalk.Spec.L "walk_pte" ?l ?x) with (walk_pte_spec l x); rewrite E3.
    rewrite (entry_leaf _ _ _ _ E4). rewrite wrap_id by (now apply in_range_iff).
    split; [reflexivity | exists m; auto].
  - rewrite (entry_leaf _ _ _ _ E3). rewrite wrap_id by (now apply in_range_iff).
    split; [reflexivity | exists m; auto].
Qed.

Lemma flush_call (t : state) vm z : in_range U32 vm = true -> in_range U64 z = true ->
  call PTWalk.Spec.L "tlb_flush" [vm; z] t = Some (Ok 0 (set_outs (Tlb_flush vm z :: st_outs t) t)).
Proof.
  intros RV RZ. change (call PTWalk.Spec.L "tlb_flush" ?l t) with (tlb_flush l t).
  unfold tlb_flush, p2. now rewrite RV, RZ.
Qed.

(** One table after two writes. *)
Lemma set_twice (s : nstate) m vm (x y : npt) d :
  set_npts (<[vm := set_val y (set_val x d)]> (st_npts (set_npts (<[vm := set_val x d]> m) s)))
    (set_npts (<[vm := set_val x d]> m) s) = (set_npts (<[vm := set_val y d]> m) s : state).
Proof. cbn [st_npts set_npts]. unfold set_npts; cbn. now rewrite insert_insert. Qed.

Lemma rel_halt (s : nstate) m vm c d p x : npts_rel RN (st_npts s) m -> cell_rel (RN vm) c d ->
  refines_pt (npt_geom vm) p (npt_tree x) ->
  res_rel R (Halt (set_npts (<[vm := set_val p c]> (st_npts s)) s)) (Halt (set_npts (<[vm := set_val x d]> m) s)).
Proof. intros X Y Z. exists (<[vm := set_val x d]> m). split; [reflexivity | now apply rel_update]. Qed.

Lemma rel_flushed (s : nstate) m vm c d p x z : npts_rel RN (st_npts s) m -> cell_rel (RN vm) c d ->
  refines_pt (npt_geom vm) p (npt_tree x) ->
  res_rel R (Ok 0 (set_outs (Tlb_flush vm z :: st_outs s) (set_npts (<[vm := set_val p c]> (st_npts s)) s)))
    (Ok 0 (set_outs (Tlb_flush vm z :: st_outs s) (set_npts (<[vm := set_val x d]> m) s))).
Proof.
  intros X Y Z. split; [reflexivity|]. exists (<[vm := set_val x d]> m).
  split; [reflexivity | now apply rel_update].
Qed.

Section Set_npt.
  Context (vm a : Z) (V : is_vmid vm = true) (RV : in_range U32 vm = true) (RA : in_range U64 a = true).
  Let G := npt_geom vm.
  Let g := page_number a.
  Context (s : nstate) (m : gmap Z (cell npt)) (c : cell pmap) (d : cell npt).
  Context (X : npts_rel RN (st_npts s) m) (D : m !! vm = Some d) (Hd : c_held d = true) (Y : cell_rel (RN vm) c d).

  Notation st x := (set_npts (<[vm := set_val x d]> m) s : state).

  (** The three calls that make tables, from a state in which the table is [x]. *)
  Lemma after_lookup (x : npt) : st_npts (st x) !! vm = Some (set_val x d).
  Proof. apply lookup_insert. Qed.

  Definition made_st (l : nat) (p : pmap) (x : npt) (r : option (res state)) : Prop :=
    match ensure G l g p with
    | Updated q => exists e y T, r = Some (Ok e (st y)) /\ in_range U64 e = true /\ e <> 0 /\
        is_link G l e = true /\ refines_with G T q (npt_tree y) /\ tab G T (S l) (pre G (S l) g) = Some (phys_page e)
    | Full q => q = p /\ r = Some (Halt (st x))
    | Under_block q => q = p /\ l = 2%nat /\
        exists e, r = Some (Ok e (st x)) /\ in_range U64 e = true /\ is_link G l e = false
    end.

  Lemma made_to_st l p x r : made vm a (st x) (set_val x d) p l r -> made_st l p x r.
  Proof.
    unfold made, made_st. fold G g. destruct (ensure G l g p) as [q|q|q]; auto.
    intros (e & y & T & -> & Z). exists e, y, T. rewrite set_twice. auto.
  Qed.

  Context (T0 : gmap (nat * Z) Z) (W : refines_with G T0 (c_val c) (npt_tree (c_val d))).

  Lemma st_start : set_npts m s = st (c_val d).
  Proof. replace (set_val (c_val d) d) with d by (destruct d; reflexivity). now rewrite insert_id. Qed.

  (** The two upper tables. *)
  Lemma upper_tables : match ensure_from G 2 0 g (c_val c) with
    | Updated q => exists pgd x1 pud x2 T,
        walk_pgd_spec [vm; pt_vttbr vm; a; 1] (set_npts m s) = Some (Ok pgd (st x1)) /\
        walk_pud_spec [vm; pgd; a; 1] (st x1) = Some (Ok pud (st x2)) /\
        in_range U64 pud = true /\ pud <> 0 /\
        refines_with G T q (npt_tree x2) /\ tab G T 2 (pre G 2 g) = Some (phys_page pud)
    | Full q => exists x, refines_pt G q (npt_tree x) /\
        (walk_pgd_spec [vm; pt_vttbr vm; a; 1] (set_npts m s) = Some (Halt (st x)) \/
         exists pgd, walk_pgd_spec [vm; pt_vttbr vm; a; 1] (set_npts m s) = Some (Ok pgd (st x)) /\
                     walk_pud_spec [vm; pgd; a; 1] (st x) = Some (Halt (st x)))
    | Under_block q => False
    end.
  Proof.
    rewrite st_start. cbn [ensure_from].
    pose proof (make_pgd vm a V RV RA (st (c_val d)) _ (after_lookup _) Hd T0 (c_val c) W) as Q1.
    apply made_to_st in Q1. unfold made_st in Q1. destruct (ensure G 0 g (c_val c)) as [p1|p1|p1].
    - destruct Q1 as (pgd & x1 & T1 & E1 & R1 & N1 & K1 & W1 & A1).
      pose proof (make_pud vm a V RV RA (st x1) _ (after_lookup _) Hd T1 p1 W1 pgd R1 N1 A1) as Q2.
      apply made_to_st in Q2. unfold made_st in Q2. destruct (ensure G 1 g p1) as [p2|p2|p2].
      + destruct Q2 as (pud & x2 & T2 & E2 & R2 & N2 & K2 & W2 & A2). exists pgd, x1, pud, x2, T2. auto 8.
      + destruct Q2 as [-> E2]. exists x1. split; [apply refines_pt_with; eauto|]. right. eauto.
      + destruct Q2 as (_ & L & _). discriminate L.
    - destruct Q1 as [-> E1]. exists (c_val d). split; [apply refines_pt_with; eauto|]. auto.
    - destruct Q1 as (_ & L & _). discriminate L.
  Qed.

  (** Writing an entry. *)
  Lemma written l T p x parent w : refines_with G T p (npt_tree x) -> l = 2%nat \/ l = 3%nat ->
    tab G T l (pre G l g) = Some (phys_page parent) -> in_range U64 parent = true ->
    in_range U64 w = true -> is_link G l w = false ->
    exists y, set_entry (39 - 9 * Z.of_nat l) [vm; parent; a; w] (st x) = Some (Ok 0 (st y)) /\
      refines_pt G (pput G l g w p) (npt_tree y).
  Proof.
    intros W' L A RP RW K.
    destruct (set_entry_call vm a V (st x) _ (after_lookup _) Hd T p W' l ltac:(lia) parent A w RV RP RA RW K L)
      as (y & E & Z). exists y. rewrite set_twice in E. auto.
  Qed.
End Set_npt.

Ltac open_call f spec := change (call PTWalk.Spec.L f ?l ?x) with (spec l x).

Lemma set_npt_code : fun_sim R PTWalk.Spec.L f_set_npt set_npt_spec.
Proof.
  apply fun_sim_vc. intros vs s t r RR H.
  apply p4_inv in H as (vm & a & lvl & w & -> & RV & RA & RL & RW & H).
  destruct (st_npts s !! vm) as [c|] eqn:C; [|discriminate].
  destruct (c_held c) eqn:Hd; [|discriminate]. destruct (is_vmid vm) eqn:V; [|discriminate].
  destruct (table_rel s t vm c RR C Hd V) as (m & d & T & -> & X & D & Hd' & Y & W).
  unfold update in H. rewrite C in H.
  run_vc f_set_npt. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  rewrite vttbr_call by assumption.
  pose proof (upper_tables vm a V RV RA s m c d D Hd' Y T W) as U.
  destruct (lvl =? 2).
  - destruct (Z.land w 3 =? 3) eqn:K.
    + injection H as <-. exists m. auto.
    + unfold pset in H. destruct (ensure_from (npt_geom vm) 2 0 (page_number a) (c_val c)) as [q|q|q]; [| |tauto].
      * destruct U as (pgd & x1 & pud & x2 & T2 & E1 & E2 & RP & _ & W2 & A2). injection H as <-.
        destruct (written vm a V RV RA s m d Hd' 2 T2 q x2 pud w W2 (or_introl eq_refl) A2 RP RW) as (y & E3 & Rf).
        { now rewrite is_link_npt by lia. }
        open_call "walk_pgd" (@walk_pgd_spec sptab (gmap Z s2page)); rewrite E1.
        open_call "walk_pud" (@walk_pud_spec sptab (gmap Z s2page)); rewrite E2.
        open_call "set_pmd" (@set_pmd_spec sptab (gmap Z s2page)). unfold set_pmd_spec.
        change 21 with (39 - 9 * Z.of_nat 2). rewrite E3.
        rewrite flush_call by (assumption || reflexivity). now apply rel_flushed.
      * destruct U as (x & Rf & U). injection H as <-.
        open_call "walk_pgd" (@walk_pgd_spec sptab (gmap Z s2page)).
        destruct U as [E1|(pgd & E1 & E2)]; rewrite E1; [now apply rel_halt|].
        open_call "walk_pud" (@walk_pud_spec sptab (gmap Z s2page)); rewrite E2. now apply rel_halt.
  - unfold pset in H.
    assert (F : ensure_from (npt_geom vm) 3 0 (page_number a) (c_val c) =
      match ensure_from (npt_geom vm) 2 0 (page_number a) (c_val c) with
      | Updated q => match ensure (npt_geom vm) 2 (page_number a) q with
                     | Updated q => Updated q | Full q => Full q | Under_block q => Under_block q end
      | Full q => Full q | Under_block q => Under_block q end).
    { cbn [ensure_from]. destruct (ensure _ 0 _ _) as [p1|p1|p1]; try reflexivity.
      destruct (ensure _ 1 _ _) as [p2|p2|p2]; reflexivity. }
    rewrite F in H. clear F.
    destruct (ensure_from (npt_geom vm) 2 0 (page_number a) (c_val c)) as [q|q|q]; [| |tauto].
    + destruct U as (pgd & x1 & pud & x2 & T2 & E1 & E2 & RP & NP & W2 & A2).
      open_call "walk_pgd" (@walk_pgd_spec sptab (gmap Z s2page)); rewrite E1.
      open_call "walk_pud" (@walk_pud_spec sptab (gmap Z s2page)); rewrite E2.
      open_call "walk_pmd" (@walk_pmd_spec sptab (gmap Z s2page)).
      pose proof (make_pmd vm a V RV RA _ _ (after_lookup vm s m d x2) Hd' T2 q W2 pud RP NP A2) as Q3.
      apply made_to_st in Q3. unfold made_st in Q3.
      destruct (ensure (npt_geom vm) 2 (page_number a) q) as [q3|q3|q3]; injection H as <-.
      * destruct Q3 as (pmd & x3 & T3 & E3 & R3 & _ & K3 & W3 & A3). rewrite E3.
        rewrite is_link_npt in K3 by lia. rewrite K3. cbn [negb].
        destruct (written vm a V RV RA s m d Hd' 3 T3 q3 x3 pmd w W3 (or_intror eq_refl) A3 R3 RW eq_refl) as (y & E4 & Rf).
        open_call "set_pte" (@set_pte_spec sptab (gmap Z s2page)). unfold set_pte_spec.
        change 12 with (39 - 9 * Z.of_nat 3). rewrite E4.
        rewrite flush_call by assumption. now apply rel_flushed.
      * destruct Q3 as [-> E3]. rewrite E3. apply rel_halt; auto. apply refines_pt_with. eauto.
      * destruct Q3 as (-> & _ & e & E3 & R3 & K3). rewrite E3.
        rewrite is_link_npt in K3 by lia. rewrite K3. cbn [negb].
        open_call "panic" (@panic cell npt sptab (gmap Z s2page)). cbn [panic p0 chk].
        apply rel_halt; auto. apply refines_pt_with. eauto.
    + destruct U as (x & Rf & U). injection H as <-.
      open_call "walk_pgd" (@walk_pgd_spec sptab (gmap Z s2page)).
      destruct U as [E1|(pgd & E1 & E2)]; rewrite E1; [now apply rel_halt|].
      open_call "walk_pud" (@walk_pud_spec sptab (gmap Z s2page)); rewrite E2. now apply rel_halt.
Qed.

(** * Accesses *)

(** The code's test of address and register is the specification's. *)
Lemma user_reg_some r : 0 <= r < 31 -> is_Some (user_reg r).
Proof.
  intros R. assert (I : In r (map Z.of_nat (seq 0 31))).
  { apply in_map_iff. exists (Z.to_nat r). split; [lia | apply in_seq; lia]. }
  cbn in I. repeat (destruct I as [<-|I]; [eexists; reflexivity|]). destruct I.
Qed.

Lemma access_test a r (X Y : Prop) : in_range U32 r = true ->
  match (if in_memory a then user_reg r else None) with None => X | Some _ => Y end ->
  if 281474976710656 <=? a then X else 8 <> 0 /\ (if negb (a mod 8 =? 0) then X else if 31 <=? r then X else Y).
Proof.
  intros R. apply in_range_iff in R. unfold in_memory. rewrite (Z.ltb_antisym 281474976710656 a).
  destruct (281474976710656 <=? a); [auto|]. intros Q. split; [lia|].
  destruct (a mod 8 =? 0); [|exact Q]. cbn [negb andb] in Q |- *. destruct (Z.leb_spec 31 r) as [B|B].
  - unfold user_reg in Q. destruct (Z.ltb_spec r 31); [lia | exact Q].
  - destruct (user_reg_some r ltac:(lia)) as [z E]. now rewrite E in Q.
Qed.

(** What the code makes of a leaf. *)
Lemma translate_leaf permission p a l e : leaves p !! page_number a = leaf (l, e) ->
  translate permission p a = if lets permission l e then Some (out_addr l e a) else None.
Proof.
  unfold translate, leaf. cbn [snd]. intros ->. destruct (Z.eqb_spec e 0) as [->|]; [|reflexivity].
  unfold lets. rewrite Z.land_0_l. now destruct (l =? 2)%nat.
Qed.

Lemma out_addr_c l e a : in_memory a = true -> in_range U64 a = true ->
  wrap U64 (wrap U64 (Z.land e 281474976706560 / leaf_size l * leaf_size l) + a mod leaf_size l) = out_addr l e a.
Proof.
  intros I R. apply in_range_iff in R. pose proof (out_addr_word l e a I) as W.
  unfold in_memory in W. apply andb_true_iff in W as [W _]. apply Z.ltb_lt in W.
  change (Z.land e 281474976706560) with (phys_page e). rewrite <- table_addr_phys. fold (out_addr l e a).
  assert (T : 0 <= table_addr e) by (unfold table_addr; pose proof (Z.mod_pos_bound (e / 4096) 68719476736 eq_refl); lia).
  assert (S : leaf_size l = 4096 \/ leaf_size l = 2097152) by (unfold leaf_size, BLOCK_SIZE, PAGE; destruct (l =? 2)%nat; auto).
  unfold out_addr in *. cbn [modulus] in R.
  assert (A : 0 <= a mod leaf_size l) by (apply Z.mod_pos_bound; lia).
  assert (B : 0 <= table_addr e / leaf_size l * leaf_size l) by (apply Z.mul_nonneg_nonneg; [apply Z.div_pos; lia | lia]).
  rewrite !wrap_id by (cbn [modulus]; try rewrite wrap_id by (cbn [modulus]; lia); lia). reflexivity.
Qed.

Lemma out_addr_u64 l e a : in_memory a = true -> in_range U64 a = true -> in_range U64 (out_addr l e a) = true.
Proof. intros I R. rewrite <- out_addr_c by assumption. apply in_range_iff, wrap_range. Qed.

(** The walk in a critical section of its own. *)
Lemma locked_walk (s : nstate) (t : state) vm a c : rel R s t -> st_npts s !! vm = Some c -> c_held c = false ->
  is_vmid vm = true -> in_range U32 vm = true -> in_range U64 a = true ->
  exists m d, t = set_npts m s /\ npts_rel RN (st_npts s) m /\ m !! vm = Some d /\ c_held d = false /\ cell_rel (RN vm) c d /\
    let t' : state := set_npts (<[vm := acquire_cell d]> m) s in
    exists pgd pud pmd,
      walk_pgd_spec [vm; pt_vttbr vm; a; 0] t' = Some (Ok pgd t') /\
      walk_pud_spec [vm; pgd; a; 0] t' = Some (Ok pud t') /\
      walk_pmd_spec [vm; pud; a; 0] t' = Some (Ok pmd t') /\ in_range U64 pmd = true /\
      if Z.land pmd 3 =? 3
      then exists pte, walk_pte_spec [vm; pmd; a] t' = Some (Ok pte t') /\ in_range U64 pte = true /\
             leaves (c_val (acquire_cell c)) !! page_number a = leaf (3%nat, pte)
      else leaves (c_val (acquire_cell c)) !! page_number a = leaf (2%nat, pmd).
Proof.
  intros (m & -> & X) C H V RV RA. destruct (npts_rel_lookup RN _ _ _ _ X C) as (d & D & Y).
  exists m, d. split; [reflexivity|]. split; [exact X|]. split; [exact D|].
  split; [now rewrite <- (cr_held _ _ _ Y)|]. split; [exact Y|]. intros t'.
  pose proof (acquire_cell_rel _ _ _ Y) as Z. destruct (proj1 (refines_pt_with _ _ _) (cr_val _ _ _ Z V)) as (T & W).
  exact (look vm a V RV RA t' (acquire_cell d) (lookup_insert _ _ _) eq_refl T _ W).
Qed.

Lemma acquire_call (s : nstate) m vm d : in_range U32 vm = true -> m !! vm = Some d -> c_held d = false ->
  call PTWalk.Spec.L "acquire_lock_pt" [vm] (set_npts m s) = Some (Ok 0 (set_npts (<[vm := acquire_cell d]> m) s)).
Proof.
  intros RV D H. change (call PTWalk.Spec.L "acquire_lock_pt" ?l ?t) with (acquire_vm_obj st_npts set_npts l t).
  unfold acquire_vm_obj, p1. cbn [st_npts set_npts]. now rewrite RV, D, H.
Qed.

Lemma release_call (s : nstate) m vm d : in_range U32 vm = true ->
  call PTWalk.Spec.L "release_lock_pt" [vm] (set_npts (<[vm := acquire_cell d]> m) s)
    = Some (Ok 0 (set_npts (<[vm := release_cell (cpu_id (st_cpu s)) (acquire_cell d)]> m) s)).
Proof.
  intros RV. change (call PTWalk.Spec.L "release_lock_pt" ?l ?t) with (release_vm_obj st_npts set_npts l t).
  unfold release_vm_obj, p1. cbn [st_npts set_npts st_cpu]. rewrite RV, lookup_insert. cbn [c_held acquire_cell].
  now rewrite insert_insert.
Qed.

(** Loading and storing do not touch the tables, nor which CPU this is. *)
Lemma phys_call f (g : forall N, Z -> reg -> St cell N sptab (gmap Z s2page) -> St cell N sptab (gmap Z s2page)) (s : nstate) m a r x :
  call PTWalk.Spec.L f = phys_access (g npt) -> (forall s m, g npt a x (set_npts m s) = set_npts m (g pmap a x s)) ->
  in_range U64 a = true -> in_range U32 r = true -> in_memory a = true -> user_reg r = Some x ->
  call PTWalk.Spec.L f [a; r] (set_npts m s) = Some (Ok 0 (set_npts m (g pmap a x s))).
Proof. intros -> N RA RR I U. unfold phys_access, p2. now rewrite RA, RR, I, U, N. Qed.

(** Related again after the release. *)
Lemma rel_released (s s' : nstate) m vm c d v : npts_rel RN (st_npts s) m -> cell_rel (RN vm) c d -> st_npts s' = st_npts s ->
  res_rel R (Ok v (set_npts (<[vm := release_cell (cpu_id (st_cpu s)) (acquire_cell c)]> (st_npts s)) s'))
    (Ok v (set_npts (<[vm := release_cell (cpu_id (st_cpu s)) (acquire_cell d)]> m) s')).
Proof.
  intros X Y E. split; [reflexivity|]. eexists. split; [reflexivity|]. cbn [st_npts set_npts].
  apply npts_rel_insert; [exact X | now apply release_cell_rel, acquire_cell_rel].
Qed.

Lemma mem_load_ref_code : fun_sim R PTWalk.Spec.L f_mem_load_ref mem_load_ref_spec.
Proof.
  apply fun_sim_vc. intros vs s t r RR H. apply p3_inv in H as (vm & a & rg & -> & RV & RA & Rg & H).
  run_vc f_mem_load_ref. split; [now apply in_range_iff|]. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  rewrite (vmid_test vm RV). destruct (is_vmid vm) eqn:V; cbn [negb] in H |- *.
  2:{ injection H as <-. change (call PTWalk.Spec.L "panic" [] t) with (Some (Halt t)). exact RR. }
  apply access_test; [exact Rg|].
  destruct (if in_memory a then user_reg rg else None) as [x|] eqn:U; [|injection H as <-; now split].
  assert (I : in_memory a = true /\ user_reg rg = Some x) by (destruct (in_memory a); [auto | discriminate U]).
  clear U. destruct I as [I U].
  destruct (st_npts s !! vm) as [c|] eqn:C; [|discriminate H]. destruct (c_held c) eqn:Hd; [discriminate H|].
  cbn [negb] in H. cbv zeta in H.
  destruct (locked_walk s t vm a c RR C Hd V RV RA)
    as (m & d & -> & X & D & Hd' & Y & pgd & pud & pmd & E0 & E1 & E2 & R2 & E3).
  rewrite vttbr_call by assumption. rewrite (acquire_call s m vm d RV D Hd').
  change (call PTWalk.Spec.L "walk_pgd" ?l ?x) with (walk_pgd_spec l x); rewrite E0.
  change (call PTWalk.Spec.L "walk_pud" ?l ?x) with (walk_pud_spec l x); rewrite E1.
  change (call PTWalk.Spec.L "walk_pmd" ?l ?x) with (walk_pmd_spec l x); rewrite E2.
  destruct (Z.land pmd 3 =? 3).
  - destruct E3 as (pte & E3 & R3 & L).
    change (call PTWalk.Spec.L "walk_pte" ?l ?x) with (walk_pte_spec l x); rewrite E3.
    rewrite (translate_leaf _ _ _ _ _ L) in H. unfold lets, PTE_READ in H. cbn [Nat.eqb] in H.
    destruct (Z.land pte 3 =? 3); cbn [andb] in H; [destruct (Z.land pte 64 =? 0); cbn [negb] in H |- *|].
    + rewrite (release_call s m vm d RV). injection H as <-. exact (rel_released s s m vm c d 0 X Y eq_refl).
    + split; [lia|]. split; [lia|].
      rewrite (out_addr_c 3 pte a I RA : wrap U64 (wrap U64 (Z.land pte 281474976706560 / 4096 * 4096) + a mod 4096) = _).
      rewrite (phys_call "phys_load" (fun N => load_word) s _ _ rg x eq_refl (fun _ _ => eq_refl)
        (out_addr_u64 3 pte a I RA) Rg (out_addr_word 3 pte a I) U), (release_call _ m vm d RV).
      injection H as <-. exact (rel_released s (load_word (out_addr 3 pte a) x s) m vm c d 1 X Y eq_refl).
    + rewrite (release_call s m vm d RV). injection H as <-. exact (rel_released s s m vm c d 0 X Y eq_refl).
  - rewrite (translate_leaf _ _ _ _ _ E3) in H. unfold lets, PTE_READ in H. cbn [Nat.eqb] in H.
    destruct (Z.land pmd 3 =? 1); cbn [andb] in H; [destruct (Z.land pmd 64 =? 0); cbn [negb] in H |- *|].
    + rewrite (release_call s m vm d RV). injection H as <-. exact (rel_released s s m vm c d 0 X Y eq_refl).
    + split; [lia|]. split; [lia|].
      rewrite (out_addr_c 2 pmd a I RA :
        wrap U64 (wrap U64 (Z.land pmd 281474976706560 / 2097152 * 2097152) + a mod 2097152) = _).
      rewrite (phys_call "phys_load" (fun N => load_word) s _ _ rg x eq_refl (fun _ _ => eq_refl)
        (out_addr_u64 2 pmd a I RA) Rg (out_addr_word 2 pmd a I) U), (release_call _ m vm d RV).
      injection H as <-. exact (rel_released s (load_word (out_addr 2 pmd a) x s) m vm c d 1 X Y eq_refl).
    + rewrite (release_call s m vm d RV). injection H as <-. exact (rel_released s s m vm c d 0 X Y eq_refl).
Qed.

Lemma mem_store_ref_code : fun_sim R PTWalk.Spec.L f_mem_store_ref mem_store_ref_spec.
Proof.
  apply fun_sim_vc. intros vs s t r RR H. apply p3_inv in H as (vm & a & rg & -> & RV & RA & Rg & H).
  run_vc f_mem_store_ref. split; [now apply in_range_iff|]. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  rewrite (vmid_test vm RV). destruct (is_vmid vm) eqn:V; cbn [negb] in H |- *.
  2:{ injection H as <-. change (call PTWalk.Spec.L "panic" [] t) with (Some (Halt t)). exact RR. }
  apply access_test; [exact Rg|].
  destruct (if in_memory a then user_reg rg else None) as [x|] eqn:U; [|injection H as <-; now split].
  assert (I : in_memory a = true /\ user_reg rg = Some x) by (destruct (in_memory a); [auto | discriminate U]).
  clear U. destruct I as [I U].
  destruct (st_npts s !! vm) as [c|] eqn:C; [|discriminate H]. destruct (c_held c) eqn:Hd; [discriminate H|].
  cbn [negb] in H. cbv zeta in H.
  destruct (locked_walk s t vm a c RR C Hd V RV RA)
    as (m & d & -> & X & D & Hd' & Y & pgd & pud & pmd & E0 & E1 & E2 & R2 & E3).
  rewrite vttbr_call by assumption. rewrite (acquire_call s m vm d RV D Hd').
  change (call PTWalk.Spec.L "walk_pgd" ?l ?x) with (walk_pgd_spec l x); rewrite E0.
  change (call PTWalk.Spec.L "walk_pud" ?l ?x) with (walk_pud_spec l x); rewrite E1.
  change (call PTWalk.Spec.L "walk_pmd" ?l ?x) with (walk_pmd_spec l x); rewrite E2.
  destruct (Z.land pmd 3 =? 3).
  - destruct E3 as (pte & E3 & R3 & L).
    change (call PTWalk.Spec.L "walk_pte" ?l ?x) with (walk_pte_spec l x); rewrite E3.
    rewrite (translate_leaf _ _ _ _ _ L) in H. unfold lets, PTE_WRITE in H. cbn [Nat.eqb] in H.
    destruct (Z.land pte 3 =? 3); cbn [andb] in H; [destruct (Z.land pte 128 =? 0); cbn [negb] in H |- *|].
    + rewrite (release_call s m vm d RV). injection H as <-. exact (rel_released s s m vm c d 0 X Y eq_refl).
    + split; [lia|]. split; [lia|].
      rewrite (out_addr_c 3 pte a I RA : wrap U64 (wrap U64 (Z.land pte 281474976706560 / 4096 * 4096) + a mod 4096) = _).
      rewrite (phys_call "phys_store" (fun N => store_word) s _ _ rg x eq_refl (fun _ _ => eq_refl)
        (out_addr_u64 3 pte a I RA) Rg (out_addr_word 3 pte a I) U), (release_call _ m vm d RV).
      injection H as <-. exact (rel_released s (store_word (out_addr 3 pte a) x s) m vm c d 1 X Y eq_refl).
    + rewrite (release_call s m vm d RV). injection H as <-. exact (rel_released s s m vm c d 0 X Y eq_refl).
  - rewrite (translate_leaf _ _ _ _ _ E3) in H. unfold lets, PTE_WRITE in H. cbn [Nat.eqb] in H.
    destruct (Z.land pmd 3 =? 1); cbn [andb] in H; [destruct (Z.land pmd 128 =? 0); cbn [negb] in H |- *|].
    + rewrite (release_call s m vm d RV). injection H as <-. exact (rel_released s s m vm c d 0 X Y eq_refl).
    + split; [lia|]. split; [lia|].
      rewrite (out_addr_c 2 pmd a I RA :
        wrap U64 (wrap U64 (Z.land pmd 281474976706560 / 2097152 * 2097152) + a mod 2097152) = _).
      rewrite (phys_call "phys_store" (fun N => store_word) s _ _ rg x eq_refl (fun _ _ => eq_refl)
        (out_addr_u64 2 pmd a I RA) Rg (out_addr_word 2 pmd a I) U), (release_call _ m vm d RV).
      injection H as <-. exact (rel_released s (store_word (out_addr 2 pmd a) x s) m vm c d 1 X Y eq_refl).
    + rewrite (release_call s m vm d RV). injection H as <-. exact (rel_released s s m vm c d 0 X Y eq_refl).
Qed.
