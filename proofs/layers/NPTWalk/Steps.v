(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 7, NPTWalk: what one call of PTWalk does to a stage-2 table that implements
    a map.  Looking finds what the map says; making a table is a step of the map's
    [ensure]; writing an entry is [pput].  Each lemma is about one call; [ProofCode]
    strings them together. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import Bits.
From SeKVM.machine Require Import StateTac BottomTac.
From SeKVM.layers.PTWalk Require Import SpecTac.
From SeKVM.layers.NPTWalk Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Addresses *)

Lemma table_addr_phys e : table_addr e = phys_page e.
Proof. symmetry. apply frame_bits. Qed.

Lemma page_number_range vm a : 0 <= page_number a < pages (npt_geom vm).
Proof. change (pages (npt_geom vm)) with 68719476736. apply Z.mod_pos_bound. lia. Qed.

(** Index bits of level [l] start at bit [39 - 9 * l] of the address. *)
Lemma idx_page_number vm l a : (l < 4)%nat ->
  idx (npt_geom vm) l (page_number a) = (a / 2 ^ (39 - 9 * Z.of_nat l)) mod 512.
Proof.
  intros L. unfold idx, pre, page_number. cbn [npt_geom depth bits].
  assert (D : forall n, 0 <= n -> a / 2 ^ (12 + n) = a / 4096 / 2 ^ n).
  { intros n N. rewrite Z.pow_add_r, <- Z.div_div by (try apply Z.pow_pos_nonneg; lia). reflexivity. }
  destruct l as [|[|[|[|l]]]]; [| | | |lia].
  - change (39 - 9 * Z.of_nat 0) with (12 + 27). rewrite D by lia.
    change (2 ^ (up (npt_geom vm) 4 - up (npt_geom vm) 1)) with 134217728. change (2 ^ 27) with 134217728.
    change (2 ^ 9) with 512. Z.div_mod_to_equations; lia.
  - change (39 - 9 * Z.of_nat 1) with (12 + 18). rewrite D by lia.
    change (2 ^ (up (npt_geom vm) 4 - up (npt_geom vm) 2)) with 262144. change (2 ^ 18) with 262144.
    change (2 ^ 9) with 512. Z.div_mod_to_equations; lia.
  - change (39 - 9 * Z.of_nat 2) with (12 + 9). rewrite D by lia.
    change (2 ^ (up (npt_geom vm) 4 - up (npt_geom vm) 3)) with 512. change (2 ^ 9) with 512.
    Z.div_mod_to_equations; lia.
  - change (39 - 9 * Z.of_nat 3) with (12 + 0). rewrite D by lia.
    change (2 ^ (up (npt_geom vm) 4 - up (npt_geom vm) 4)) with 1. change (2 ^ 0) with 1. change (2 ^ 9) with 512.
    Z.div_mod_to_equations; lia.
Qed.

Lemma entry_addr_slot vm l e a : (l < 4)%nat ->
  entry_addr (39 - 9 * Z.of_nat l) e a = slot (npt_geom vm) (phys_page e) l (page_number a).
Proof. intros L. unfold entry_addr, slot. now rewrite idx_page_number, table_addr_phys. Qed.

Lemma is_link_npt vm l e : (l < 3)%nat -> is_link (npt_geom vm) l e = (Z.land e 3 =? 3).
Proof. intros L. unfold is_link; cbn [npt_geom depth]. destruct (Nat.ltb_spec (S l) 4); [reflexivity | lia]. Qed.

Lemma vmid_cases vm : is_vmid vm = true -> In vm [0;1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16].
Proof. unfold is_vmid. intros V. apply andb_prop in V as [A B]. apply Z.leb_le in A. apply Z.ltb_lt in B. cbn. lia. Qed.

(** The code's test of a VM's number. *)
Lemma vmid_test vm : in_range U32 vm = true -> (16 <? vm) = negb (is_vmid vm).
Proof.
  intros R. apply in_range_iff in R. unfold is_vmid.
  destruct (Z.ltb_spec 16 vm), (Z.leb_spec 0 vm), (Z.ltb_spec vm 17); reflexivity || lia.
Qed.

Lemma vttbr_root vm : is_vmid vm = true -> phys_page (pt_vttbr vm) = pool_start vm.
Proof. intros V. apply vmid_cases in V. cbn in V. intuition (subst; reflexivity). Qed.

Lemma vttbr_range vm : is_vmid vm = true -> in_range U64 (pt_vttbr vm) = true.
Proof. intros V. apply vmid_cases in V. cbn in V. intuition (subst; reflexivity). Qed.

(** * One call *)

Section Call.
  Context {M P : Type} (vm a : Z) (V : is_vmid vm = true).
  Let G := npt_geom vm.
  Let g := page_number a.
  Let OK : geom_ok G := npt_geom_ok vm V.

  Context (s : St cell npt M P) (c : cell npt) (C : st_npts s !! vm = Some c) (Held : c_held c = true).
  Context (T : gmap (nat * Z) Z) (p : pmap) (X : refines_with G T p (npt_tree (c_val c))).

  Context (l : nat) (L : (l < 4)%nat) (parent : Z).
  Context (A : tab G T l (pre G l g) = Some (phys_page parent)).

  Let e := rd (npt_words (c_val c)) (slot G (phys_page parent) l g).

  Lemma slot_in_pool : in_pool vm (slot G (phys_page parent) l g) = true.
  Proof.
    destruct (tab_place G OK T _ (rw_wf _ _ _ _ X) _ _ _ A) as (_ & B & D & E).
    destruct (slot_range G OK (phys_page parent) l g L) as [F H].
    assert (Lo : pool_start vm <= lo G l /\ hi G l <= pool_end vm).
    { unfold G; cbn [npt_geom lo hi]. unfold pool_end, pmd_start, pud_start, pgd_start.
      clear - vm l. destruct l as [|[|[|k]]]; lia. }
    unfold in_pool. apply andb_true_intro. split; [apply andb_true_intro; split|].
    - apply Z.leb_le. lia.
    - apply Z.ltb_lt. lia.
    - apply Z.eqb_eq. unfold slot. change (tab_size G l) with 4096 in E.
      clear - E. Z.div_mod_to_equations; lia.
  Qed.

  Lemma entry_range : in_range U64 e = true.
  Proof.
    destruct (entry_refines G OK T p _ X g (page_number_range vm a) l _ A) as (B & _).
    apply in_range_iff. exact B.
  Qed.

  (** Looking, or finding a table where one was to be made. *)
  Lemma step_find nx snx lo hi alloc : alloc <> 1 \/ e <> 0 ->
    step (39 - 9 * Z.of_nat l) nx snx lo hi vm parent a alloc s = Some (Ok e s).
  Proof.
    intros N. unfold step. rewrite C, Held, (entry_addr_slot vm) by exact L. fold G g.
    rewrite slot_in_pool. change (word ?m ?x) with (rd m x). fold e.
    replace ((e =? 0) && (alloc =? 1)) with false; [reflexivity|].
    destruct (Z.eqb_spec e 0), (Z.eqb_spec alloc 1); cbn; reflexivity || lia.
  Qed.

  (** What a call that makes a table returns: one step of [ensure]. *)
  Definition made (r : option (res (St cell npt M P))) : Prop :=
    match ensure G l g p with
    | Updated q => exists e' x T',
        r = Some (Ok e' (set_npts (<[vm := set_val x c]> (st_npts s)) s)) /\
        in_range U64 e' = true /\ e' <> 0 /\ is_link G l e' = true /\
        refines_with G T' q (npt_tree x) /\ tab G T' (S l) (pre G (S l) g) = Some (phys_page e')
    | Full q => q = p /\ r = Some (Halt s)
    | Under_block q => q = p /\ l = 2%nat /\
        exists e', r = Some (Ok e' s) /\ in_range U64 e' = true /\ is_link G l e' = false
    end.

  Lemma made_chk r : made r -> made (chk (Some U64) r).
  Proof.
    unfold made. destruct (ensure G l g p) as [q|q|q].
    - intros (e' & x & T' & -> & Y & Z). exists e', x, T'. cbn [chk]. rewrite Y. auto.
    - intros [-> ->]. auto.
    - intros (-> & L2 & e' & -> & Y & Z). split; [reflexivity|]. split; [exact L2|].
      exists e'. cbn [chk]. rewrite Y. auto.
  Qed.

    Lemma step_make nx snx lo' hi' : (S l < 4)%nat ->
    (forall x, nx x = next (npt_tree x) (S l)) ->
    (forall x v, npt_words (snx v x) = npt_words x) ->
    (forall x v k, next (npt_tree (snx v x)) (S k) = if (k =? l)%nat then v else next (npt_tree x) (S k)) ->
    lo' vm = lo G (S l) -> hi' vm = hi G (S l) ->
    made (step (39 - 9 * Z.of_nat l) nx snx lo' hi' vm parent a 1 s).
  Proof.
    intros B NX SW SN EL EH. pose proof (page_number_range vm a) as R. fold g in R.
    destruct (entry_refines G OK T p _ X g R l _ A) as (Q & H & D & F).
    cbn [words npt_tree] in Q, H, D, F. fold e in Q, H, D, F. unfold made, ensure.
    rewrite H. destruct (Z.eq_dec e 0) as [Z0|N0].
    - rewrite Z0, is_link_0 in F |- *. rewrite F by reflexivity. unfold leaf; cbn [snd Z.eqb].
      rewrite <- (room_iff G OK T p _ X l B). change (tab_size G (S l)) with 4096.
      assert (St : step (39 - 9 * Z.of_nat l) nx snx lo' hi' vm parent a 1 s =
        if next (npt_tree (c_val c)) (S l) + 4096 <=? hi G (S l)
        then Some (Ok (link (next (npt_tree (c_val c)) (S l)))
               (set_npts (<[vm := set_val (set_npt_words
                  (<[slot G (phys_page parent) l g := link (next (npt_tree (c_val c)) (S l))]> (npt_words (c_val c)))
                  (snx (next (npt_tree (c_val c)) (S l) + 4096) (c_val c))) c]> (st_npts s)) s))
        else Some (Halt s)).
      { unfold step. rewrite C, Held, (entry_addr_slot vm) by exact L. fold G g.
        rewrite slot_in_pool. change (word ?m ?x) with (rd m x). fold e. rewrite Z0, V, EL, EH, NX.
        cbn [Z.eqb andb negb Pos.eqb].
        destruct (wf_next G T _ (rw_wf _ _ _ _ X) l B) as [[W1 W2] _].
        apply Z.leb_le in W1, W2. rewrite W1, W2. reflexivity. }
      destruct (Z.leb_spec (next (npt_tree (c_val c)) (S l) + 4096) (hi G (S l))) as [Fit|Fit]; [|auto].
      destruct (grow_refines G OK T p _ X g l _ A
        (next (npt_tree (snx (next (npt_tree (c_val c)) (S l) + 4096) (c_val c)))) B Z0 Fit) as [Y1 Y2].
      { intros k. rewrite SN. destruct (Nat.eqb_spec k l) as [->|]; reflexivity. }
      destruct (wf_next G T _ (rw_wf _ _ _ _ X) l B) as [[W1 W2] W3].
      pose proof (lo_pos G OK (S l) B). pose proof (ok_pool G OK (S l) B) as [_ W4].
      assert (QR : 0 <= next (npt_tree (c_val c)) (S l) < 2 ^ 48) by lia.
      pose proof (aligned_page G OK _ (S l) B W3) as AP. pose proof (link_range _ QR) as LR.
      eexists _, _, _. split; [exact St|]. split; [|split; [|split; [|split]]].
      + apply in_range_iff. change (modulus U64) with (2 ^ 64). lia.
      + lia.
      + apply is_link_link; assumption.
      + exact Y1.
      + rewrite phys_page_link by assumption. exact Y2.
    - destruct (is_link G l e) eqn:LK.
      + exists e, (c_val c), T. split.
        * rewrite step_find by auto. replace (set_val (c_val c) c) with c by (destruct c; reflexivity).
          rewrite insert_id by exact C. now rewrite set_npts_id.
        * split; [exact entry_range|]. auto.
      + rewrite F by reflexivity. unfold leaf; cbn [snd]. destruct (Z.eqb_spec e 0); [congruence|].
        split; [reflexivity|]. split.
        * destruct (Nat.eq_dec l 2) as [L2|L2]; [exact L2|]. exfalso.
          pose proof (inner_entry G OK T p _ X g l _ A B) as I. cbn [words npt_tree] in I. fold e in I.
          rewrite LK in I. destruct l as [|[|[|[|k]]]]; try lia; discriminate (I eq_refl N0).
        * exists e. split; [apply step_find; auto|]. split; [exact entry_range | exact LK].
  Qed.

  (** Writing the entry. *)
  Lemma set_entry_call w : in_range U32 vm = true -> in_range U64 parent = true -> in_range U64 a = true ->
    in_range U64 w = true -> is_link G l w = false -> l = 2%nat \/ l = 3%nat ->
    exists x, set_entry (39 - 9 * Z.of_nat l) [vm; parent; a; w] s
        = Some (Ok 0 (set_npts (<[vm := set_val x c]> (st_npts s)) s)) /\
      refines_pt G (pput G l g w p) (npt_tree x).
  Proof.
    intros R1 R2 R3 R4 LK LL. exists (set_npt_words (<[slot G (phys_page parent) l g := w]> (npt_words (c_val c))) (c_val c)).
    split.
    - unfold set_entry, p4. rewrite R1, R2, R3, R4, C, Held, (entry_addr_slot vm) by exact L. fold G g.
      rewrite slot_in_pool. reflexivity.
    - refine (put_refines G OK T p _ X g l _ A w _ _ LK _ _).
      + apply in_range_iff in R4. exact R4.
      + intros B BL. destruct LL as [->| ->]; cbn in B, BL; [discriminate BL | lia].
      + reflexivity.
  Qed.
End Call.

(** * Calls by name *)

Lemma p4_eq {S} rt t1 t2 t3 t4 (f : Z -> Z -> Z -> Z -> S -> option (res S)) x1 x2 x3 x4 s :
  in_range t1 x1 = true -> in_range t2 x2 = true -> in_range t3 x3 = true -> in_range t4 x4 = true ->
  p4 rt t1 t2 t3 t4 f [x1; x2; x3; x4] s = chk rt (f x1 x2 x3 x4 s).
Proof. intros R1 R2 R3 R4. unfold p4. now rewrite R1, R2, R3, R4. Qed.

Lemma p4_ok {S} rt t1 t2 t3 t4 (f : Z -> Z -> Z -> Z -> S -> option (res S)) x1 x2 x3 x4 s r :
  in_range t1 x1 = true -> in_range t2 x2 = true -> in_range t3 x3 = true -> in_range t4 x4 = true ->
  chk rt (f x1 x2 x3 x4 s) = r -> p4 rt t1 t2 t3 t4 f [x1; x2; x3; x4] s = r.
Proof. intros R1 R2 R3 R4 E. now rewrite p4_eq. Qed.

Section Table.
  Context {M P : Type} (vm a : Z) (V : is_vmid vm = true).
  Context (RV : in_range U32 vm = true) (RA : in_range U64 a = true).
  Let G := npt_geom vm.
  Let g := page_number a.
  Let OK : geom_ok G := npt_geom_ok vm V.
  Context (s : St cell npt M P) (c : cell npt) (C : st_npts s !! vm = Some c) (Held : c_held c = true).

  Lemma npt_root T : tab G T 0 (pre G 0 g) = Some (phys_page (pt_vttbr vm)).
  Proof.
    rewrite vttbr_root by exact V. pose proof (root_range G OK g (page_number_range vm a)) as R.
    rewrite (tab_root G T _ R). unfold root. change (roots G) with 1 in R. change (lo G 0) with (pool_start vm).
    f_equal. replace (pre G 0 g) with 0 by lia. lia.
  Qed.

  (** ** Making tables *)

  Section Make.
    Context (T : gmap (nat * Z) Z) (p : pmap) (X : refines_with G T p (npt_tree (c_val c))).

    Lemma make_pgd : made vm a s c p 0 (walk_pgd_spec [vm; pt_vttbr vm; a; 1] s).
    Proof.
      unfold walk_pgd_spec, root_step. rewrite p4_eq by auto using vttbr_range. apply made_chk.
      apply (step_make vm a V s c C Held T p X 0 ltac:(lia) _ (npt_root T)); try reflexivity; [lia|].
      intros x v [|[|[|k]]]; reflexivity.
    Qed.

    Lemma make_pud pgd : in_range U64 pgd = true -> pgd <> 0 ->
      tab G T 1 (pre G 1 g) = Some (phys_page pgd) -> made vm a s c p 1 (walk_pud_spec [vm; pgd; a; 1] s).
    Proof.
      intros R N A. unfold walk_pud_spec, inner_step. rewrite p4_eq by auto. apply made_chk.
      apply Z.eqb_neq in N. rewrite N.
      apply (step_make vm a V s c C Held T p X 1 ltac:(lia) _ A); try reflexivity; [lia|].
      intros x v [|[|[|k]]]; reflexivity.
    Qed.

    Lemma make_pmd pud : in_range U64 pud = true -> pud <> 0 ->
      tab G T 2 (pre G 2 g) = Some (phys_page pud) -> made vm a s c p 2 (walk_pmd_spec [vm; pud; a; 1] s).
    Proof.
      intros R N A. unfold walk_pmd_spec, inner_step. rewrite p4_eq by auto. apply made_chk.
      apply Z.eqb_neq in N. rewrite N.
      apply (step_make vm a V s c C Held T p X 2 ltac:(lia) _ A); try reflexivity; [lia|].
      intros x v [|[|[|k]]]; reflexivity.
    Qed.
  End Make.

  (** ** Looking an address up *)

  Section Look.
    Context (T : gmap (nat * Z) Z) (p : pmap) (X : refines_with G T p (npt_tree (c_val c))).

    (** One level down from [parent], where [e] is found; nothing is below nothing. *)
    Definition found_at (l : nat) (parent e : Z) : Prop :=
      in_range U64 e = true /\
      (e <> 0 -> tab G T l (pre G l g) = Some (phys_page parent) /\
                 is_link G l e = true /\ tab G T (S l) (pre G (S l) g) = Some (phys_page e)) /\
      (e = 0 -> leaves p !! g = None).

    Lemma look_at l parent : (l < 2)%nat -> tab G T l (pre G l g) = Some (phys_page parent) ->
      found_at l parent (rd (npt_words (c_val c)) (slot G (phys_page parent) l g)).
    Proof.
      intros L A. destruct (entry_refines G OK T p _ X g (page_number_range vm a) l _ A) as (B & _ & D & F).
      split; [|split].
      - apply in_range_iff. exact B.
      - intros N. assert (I : is_link G l (rd (npt_words (c_val c)) (slot G (phys_page parent) l g)) = true).
        { apply (inner_entry G OK T p _ X g l _ A); [cbn; lia | | exact N]. now destruct l as [|[|l]]; [| |lia]. }
        split; [exact A|]. split; [exact I | exact (D I)].
      - intros Z0. cbn [words npt_tree] in F. rewrite Z0, is_link_0 in F. now apply F.
    Qed.

    Lemma look : exists pgd pud pmd,
      walk_pgd_spec [vm; pt_vttbr vm; a; 0] s = Some (Ok pgd s) /\
      walk_pud_spec [vm; pgd; a; 0] s = Some (Ok pud s) /\
      walk_pmd_spec [vm; pud; a; 0] s = Some (Ok pmd s) /\ in_range U64 pmd = true /\
      if Z.land pmd 3 =? 3
      then exists pte, walk_pte_spec [vm; pmd; a] s = Some (Ok pte s) /\ in_range U64 pte = true /\
             leaves p !! g = leaf (3%nat, pte)
      else leaves p !! g = leaf (2%nat, pmd).
    Proof.
      pose proof (vttbr_range vm V) as RT. pose proof (npt_root T) as A0.
      destruct (look_at 0 (pt_vttbr vm) ltac:(lia) A0) as (R0 & N0 & Z0).
      set (pgd := rd (npt_words (c_val c)) (slot G (phys_page (pt_vttbr vm)) 0 g)) in *.
      assert (E0 : walk_pgd_spec [vm; pt_vttbr vm; a; 0] s = Some (Ok pgd s)).
      { apply p4_ok; auto. rewrite (step_find vm a V s c C Held T p X 0 ltac:(lia) (pt_vttbr vm) A0) by lia.
        fold G g pgd. cbn [chk]. now rewrite R0. }
      exists pgd. destruct (Z.eq_dec pgd 0) as [Y0|Y0].
      { exists 0, 0. split; [exact E0|]. rewrite Y0. repeat split; try (apply p4_ok; auto; fail).
        cbn. now rewrite Z0. }
      destruct (N0 Y0) as (_ & _ & A1). destruct (look_at 1 pgd ltac:(lia) A1) as (R1 & N1 & Z1).
      set (pud := rd (npt_words (c_val c)) (slot G (phys_page pgd) 1 g)) in *.
      assert (E1 : walk_pud_spec [vm; pgd; a; 0] s = Some (Ok pud s)).
      { apply p4_ok; auto. apply Z.eqb_neq in Y0. rewrite Y0.
        rewrite (step_find vm a V s c C Held T p X 1 ltac:(lia) pgd A1) by lia.
        fold G g pud. cbn [chk]. now rewrite R1. }
      exists pud. destruct (Z.eq_dec pud 0) as [Y1|Y1].
      { exists 0. split; [exact E0|]. split; [exact E1|]. rewrite Y1. repeat split; try (apply p4_ok; auto; fail).
        cbn. now rewrite Z1. }
      destruct (N1 Y1) as (_ & _ & A2).
      destruct (entry_refines G OK T p _ X g (page_number_range vm a) 2 _ A2) as (B2 & _ & D2 & F2).
      cbn [words npt_tree] in B2, D2, F2. set (pmd := rd (npt_words (c_val c)) (slot G (phys_page pud) 2 g)) in *.
      assert (R2 : in_range U64 pmd = true) by (apply in_range_iff; exact B2).
      exists pmd. split; [exact E0|]. split; [exact E1|]. split; [|split; [exact R2|]].
      { apply p4_ok; auto. apply Z.eqb_neq in Y1. rewrite Y1.
        rewrite (step_find vm a V s c C Held T p X 2 ltac:(lia) pud A2) by lia.
        fold G g pmd. cbn [chk]. now rewrite R2. }
      rewrite <- (is_link_npt vm 2) by lia. fold G. destruct (is_link G 2 pmd) eqn:L2; [|now apply F2].
      specialize (D2 eq_refl).
      destruct (entry_refines G OK T p _ X g (page_number_range vm a) 3 _ D2) as (B3 & _ & _ & F3).
      cbn [words npt_tree] in B3, F3. set (pte := rd (npt_words (c_val c)) (slot G (phys_page pmd) 3 g)) in *.
      assert (R3 : in_range U64 pte = true) by (apply in_range_iff; exact B3).
      exists pte. split; [|split; [exact R3 | now apply F3]].
      unfold walk_pte_spec, p3. rewrite RV, R2, RA. apply is_link_nonzero, Z.eqb_neq in L2. rewrite L2, C, Held.
      change 12 with (39 - 9 * Z.of_nat 3). rewrite (entry_addr_slot vm) by lia.
      rewrite (slot_in_pool vm a V c T p X 3 ltac:(lia) pmd D2). change (word ?m ?x) with (rd m x). fold G g pte.
      cbn [chk]. now rewrite R3.
    Qed.
  End Look.
End Table.
