(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 8, NPTOps: what is mapped in a VM's table stays mapped.  If an entry fits what the
    table has ([fits]), then every address that the table translated before is translated to
    the same address after it was written, for loads and for stores.  Rests on [Spec]; the
    guarantee of the layers above ([MemoryOps/Stays.v]) uses it. *)
From SeKVM.lib Require Import Bits VcTac PrimInv.
From SeKVM.machine Require Import StateTac.
From SeKVM.layers.NPTOps Require Import Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * What addresses mean *)

(** From [p] to [q] no translation is lost or changed; new ones may come. *)
Definition keeps_memory (p q : pmap) : Prop :=
  forall permission a pa, permission = PTE_READ \/ permission = PTE_WRITE ->
    translate permission p a = Some pa -> translate permission q a = Some pa.

Lemma keeps_memory_refl p : keeps_memory p p.
Proof. intros k a pa _ T. exact T. Qed.
Lemma keeps_memory_trans p q r : keeps_memory p q -> keeps_memory q r -> keeps_memory p r.
Proof. intros A B k a pa K T. auto. Qed.

(** * Entries *)

Lemma or_same e : Z.land e 3 = 3 -> Z.lor e 3 = e.
Proof.
  intros K. rewrite <- K at 1. apply Z.bits_inj'. intros n _. rewrite Z.lor_spec, Z.land_spec.
  now destruct (Z.testbit e n), (Z.testbit 3 n).
Qed.

Section Block.
  Context (e i : Z) (K : Z.land e 3 = 1) (I : 0 <= i < 512).

  (** The entry of page [i] of the block [e]: a page, with the block's permissions. *)
  Lemma block_page_kind : Z.land (Z.lor (Z.lor e 3) (i * 4096)) 3 = 3.
  Proof using K.
    rewrite !Z.land_lor_distr_l, K. change 4096 with (2 ^ 12). rewrite (land_shifted_low i 3 12) by lia. reflexivity.
  Qed.

  Lemma block_page_permission k : k = PTE_READ \/ k = PTE_WRITE ->
    Z.land (Z.lor (Z.lor e 3) (i * 4096)) k = Z.land e k.
  Proof.
    intros P. rewrite !Z.land_lor_distr_l. change 4096 with (2 ^ 12).
    rewrite (land_shifted_low i k 12) by (destruct P as [-> | ->]; unfold PTE_READ, PTE_WRITE; lia).
    rewrite Z.lor_0_r. destruct P as [-> | ->]; [change (Z.land 3 PTE_READ) with 0 | change (Z.land 3 PTE_WRITE) with 0];
      apply Z.lor_0_r.
  Qed.

  Lemma block_page_addr : table_addr e mod BLOCK_SIZE = 0 ->
    table_addr (Z.lor (Z.lor e 3) (i * 4096)) = table_addr e + i * 4096.
  Proof using I.
    unfold table_addr, BLOCK_SIZE. rewrite <- !frame_bits. intros A. rewrite !Z.land_lor_distr_l.
    change (Z.land 3 281474976706560) with 0. rewrite Z.lor_0_r, (frame_bits (i * 4096)), Z.div_mul, (Z.mod_small i) by lia.
    apply Z.div_exact in A; [|lia]. rewrite A, Z.mul_comm. change 2097152 with (2 ^ 21).
    apply lor_add; [lia|]. change (2 ^ 21) with 2097152. lia.
  Qed.
End Block.

(** An address in page [i] of a block. *)
Lemma in_block a : a mod 2097152 = page_number a mod 512 * 4096 + a mod 4096.
Proof. unfold page_number. Z.div_mod_to_equations. lia. Qed.

Lemma page_in_block g h : h / 512 = g / 512 -> h = map_start 2 g + h mod 512.
Proof. unfold map_start, block_start. cbn [Z.eqb Pos.eqb]. intros E. Z.div_mod_to_equations. lia. Qed.

(** * The theorem *)

Lemma fits_entry lvl g e p i : fits lvl g e p = true -> 0 <= i < map_size lvl -> fits_at (map_start lvl g) e p i = true.
Proof.
  unfold fits. rewrite forallb_forall. intros F R. apply F, elem_of_list_In, elem_of_seqZ. lia.
Qed.

(** Read: an entry of its level that fits what the table has changes no translation. *)
Theorem map_keeps_memory vm lvl a e p q : is_vmid vm = true -> can_map lvl e = true ->
  fits lvl (page_number a) e p = true -> pset (npt_geom vm) (map_level lvl) (page_number a) e p = Updated q ->
  keeps_memory p q.
Proof.
  intros V C F PS k h pa P. unfold translate. unfold can_map in C. unfold map_level in PS.
  destruct (Z.eqb_spec lvl 2) as [->|L2].
  - apply andb_true_iff in C as [C A]. apply Z.eqb_eq in C, A.
    rewrite (pset_lookup _ (npt_geom_ok vm V) 2 _ _ _ _ _ ltac:(cbn; lia) PS).
    unfold pre; cbn [up bits npt_geom depth]. change (2 ^ _) with 512.
    destruct (Z.eqb_spec (page_number h / 512) (page_number a / 512)) as [B|_]; [|trivial].
    apply page_in_block in B. pose proof (Z.mod_pos_bound (page_number h) 512 eq_refl) as I.
    apply (fits_entry _ _ _ _ _ F) in I. pose proof (Z.mod_pos_bound (page_number h) 512 eq_refl) as J.
    unfold fits_at in I. cbv zeta in I. rewrite <- B in I. unfold entry in I.
    destruct (leaves p !! page_number h) as [[l d]|]; [|discriminate]. unfold lets, leaf. cbn [snd].
    destruct (Z.eqb_spec e 0) as [->|_]; [discriminate C|]. change (2 =? 2)%nat with true. cbv iota. rewrite C.
    apply orb_true_iff in I as [I|I]; [apply orb_true_iff in I as [I|I]|]; apply Z.eqb_eq in I; subst d.
    + destruct (l =? 2)%nat; discriminate.
    + rewrite C. destruct l as [|[|[|l]]]; try discriminate. cbn [Nat.eqb]. trivial.
    + rewrite block_page_kind by exact C. rewrite block_page_permission by exact P.
      destruct (l =? 2)%nat eqn:L; [discriminate|]. cbn [Z.eqb Pos.eqb andb].
      destruct (negb (Z.land e k =? 0)); [|discriminate]. intros [= <-]. f_equal.
      unfold out_addr, leaf_size. rewrite L. change (2 =? 2)%nat with true. cbv iota.
      rewrite block_page_addr by (exact J || exact A). unfold BLOCK_SIZE, PAGE in *.
      rewrite (in_block h). pose proof (Z.mod_pos_bound h 4096 eq_refl).
      set (i := page_number h mod 512) in *. clearbody i. unfold table_addr in *.
      set (t := (e / 4096) mod 68719476736) in *. clearbody t. Z.div_mod_to_equations. lia.
  - apply andb_true_iff in C as [_ C]. apply Z.eqb_eq in C.
    rewrite (pset_page _ (npt_geom_ok vm V) 3 _ _ _ _ _ eq_refl PS).
    destruct (Z.eqb_spec (page_number h) (page_number a)) as [B|_]; [|trivial].
    assert (I : fits_at (map_start lvl (page_number a)) e p 0 = true).
    { apply (fits_entry _ _ _ _ _ F). unfold map_size. destruct (lvl =? 2); lia. }
    unfold fits_at, map_start in I. apply Z.eqb_neq in L2. rewrite L2 in I. cbv zeta in I.
    rewrite Z.add_0_r, <- B, (or_same e C), Z.lor_0_r, <- orb_assoc, orb_diag in I. unfold entry in I.
    destruct (leaves p !! page_number h) as [[l d]|]; [|discriminate]. unfold lets, leaf. cbn [snd].
    destruct (Z.eqb_spec e 0) as [->|_]; [discriminate C|]. change (3 =? 2)%nat with false. cbv iota. rewrite C.
    apply orb_true_iff in I as [I|I]; apply Z.eqb_eq in I; subst d.
    + destruct (l =? 2)%nat; discriminate.
    + rewrite C. unfold out_addr, leaf_size. destruct (l =? 2)%nat; [discriminate | trivial].
Qed.

(** * What a call of [map_s2pt] has done when it returns *)

Lemma map_s2pt_inv {M P} u a lvl e (s s' : St cell pmap M P) w : map_s2pt_spec [u; a; lvl; e] s = Some (Ok w s') ->
  is_vmid u = true /\ (a <? ADDR_LIMIT) = true /\ can_map lvl e = true /\
  exists c p, st_npts s !! u = Some c /\
    (is_guest u = true -> fits lvl (page_number a) e (c_val (acquire_cell c)) = true) /\
    pset (npt_geom u) (map_level lvl) (page_number a) e (c_val (acquire_cell c)) = Updated p /\
    st_npts s' = <[u := published (set_val p (acquire_cell c)) s]> (st_npts s) /\
    st_s2 s' = st_s2 s /\ st_cpu s' = st_cpu s.
Proof.
  unfold map_s2pt_spec. intros E. apply p4_inv in E as (u' & a' & l' & e' & [= <- <- <- <-] & _ & _ & _ & _ & E).
  destruct (is_vmid u); [|discriminate E]. destruct (a <? ADDR_LIMIT); [|discriminate E].
  destruct (can_map lvl e); [|discriminate E]. cbn [andb negb] in E.
  destruct (st_npts s !! u) as [c|]; [|discriminate E]. destruct (c_held c); [discriminate E|]. cbn [negb] in E.
  cbv zeta in E. set (d := acquire_cell c) in *. destruct (negb (is_guest u) || _); [|discriminate E].
  destruct (is_guest u && negb (fits lvl (page_number a) e (c_val d))) eqn:F; [discriminate E|].
  unfold publish_update in E. destruct (pset _ _ _ _ _) as [p|p|p] eqn:PS; [|discriminate E|discriminate E].
  cbn [chk Z.eqb] in E. injection E as _ <-. repeat (split; [reflexivity|]).
  exists c, p. split; [reflexivity|]. split; [|split; [exact PS | repeat split]].
  intros G. rewrite G in F. cbn [andb] in F. now apply negb_false_iff in F.
Qed.
