(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 20, BootAux: which frames an image becomes.  After the operation the frame under
    each slot of KCore's window, as KCore maps it then, is the VM's at the page of the
    image that the slot holds, and the VM's table maps this page to this frame.  So what
    is read through the window afterwards is what the VM will run, and nothing else came
    in.  Rests on MemoryOps; the layer that verifies images uses it. *)
From SeKVM.lib Require Import VcTac PrimInv.
From SeKVM.machine Require Import StateTac BottomPagesTac Rel.
From SeKVM.layers.MemoryOps Require Import Ranges Safe Stays.
From SeKVM.layers.BootAux Require Import Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * What the history of the three objects has to keep *)

(** KCore's entries for the window, [n] pages from [slot] on. *)
Definition same_entries (slot n : Z) (k k' : pmap) : Prop :=
  forall i, 0 <= i < n -> entry k' (slot + i) = entry k (slot + i).

Lemma same_entries_refl slot n k : same_entries slot n k k.
Proof. intros i I. reflexivity. Qed.
Lemma same_entries_trans slot n a b c : same_entries slot n a b -> same_entries slot n b c -> same_entries slot n a c.
Proof. intros X Y i I. rewrite (Y i I). exact (X i I). Qed.

(** Page [i] of the image: KCore's slot, the frame's owner, the VM's table. *)
Definition loaded (v g slot i : Z) (k c : pmap) (m : gmap Z page) : Prop :=
  let pfn := frame_of (entry k (slot + i)) in
  pfn <> 0 /\ bound_to v (g + i) (m !! pfn) /\
  forall off permission, 0 <= off < 4096 -> permission = PTE_READ \/ permission = PTE_WRITE ->
    translate permission c ((g + i) * 4096 + off) = Some (pfn * 4096 + off).

Lemma loaded_kept v g slot n i k k' c c' m m' : 0 <= i < n ->
  same_entries slot n k k' -> keeps_memory c c' -> keeps_vm v m m' ->
  loaded v g slot i k c m -> loaded v g slot i k' c' m'.
Proof.
  intros I K C V (N & B & F). unfold loaded. rewrite (K i I).
  split; [exact N|]. split; [exact (V _ _ B)|]. intros off p O P. exact (C p _ _ P (F off p O P)).
Qed.

Section Safe.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).

  Lemma set_val_same {X} (c : cell X) : set_val (c_val c) c = c.
  Proof. destruct c. reflexivity. Qed.

  (** * Steps *)

  Lemma page_number_page g : 0 <= g < PFN_LIMIT -> page_number (g * 4096) = g /\ (g * 4096 <? ADDR_LIMIT) = true.
  Proof.
    unfold PFN_LIMIT, ADDR_LIMIT, page_number. intros R. rewrite Z.div_mul by discriminate.
    split; [apply Z.mod_small; lia | apply Z.ltb_lt; lia].
  Qed.

  Lemma walk_step u g (s s' : St) e : 0 <= g < PFN_LIMIT -> walk_s2pt_spec [u; g * 4096] s = Some (Ok e s') ->
    exists c me, st_npts s !! u = Some c /\ st_npts s' = <[u := updated me (c_val (acquire_cell c)) c]> (st_npts s) /\
      st_s2 s' = st_s2 s /\ e = entry (c_val (acquire_cell c)) g.
  Proof.
    intros R E. destruct (page_number_page g R) as [PN LT].
    unfold walk_s2pt_spec in E. apply p2_inv in E as (u' & a' & [= <- <-] & _ & _ & E). unfold locked_look in E.
    destruct (negb (is_vmid u)); [discriminate E|].
    replace (ADDR_LIMIT <=? g * 4096) with false in E by (symmetry; apply Z.leb_gt, Z.ltb_lt; exact LT).
    destruct (st_npts s !! u) as [c|]; [|discriminate E]. destruct (c_held c); [discriminate E|]. cbn [negb] in E.
    apply chk_inv in E as [_ E]. rewrite PN in E. injection E as -> ->. exists c, (cpu_id (st_cpu s)).
    split; [reflexivity|]. unfold updated. rewrite set_val_same. repeat split.
  Qed.

  Lemma clear_step pfn (s s' : St) w u : clear_pfn_host_spec [pfn] s = Some (Ok w s') -> u <> HOSTVISOR ->
    st_npts s' !! u = st_npts s !! u.
  Proof.
    intros E N. unfold clear_pfn_host_spec in E. apply p1_inv in E as (p & [= <-] & _ & E). apply chk_void in E as [E _].
    destruct (PFN_LIMIT <=? pfn); [discriminate E|]. destruct (st_npts s !! HOSTVISOR) as [c|]; [|discriminate E].
    destruct (c_held c); [discriminate E|]. cbn [negb] in E. cbv zeta in E.
    destruct (_ =? 0).
    - injection E as _ <-. apply lookup_insert_ne. auto.
    - unfold publish_update in E. destruct (pset _ _ _ _ _); try discriminate E.
      injection E as _ <-. apply lookup_insert_ne. auto.
  Qed.

  Lemma assign_tables v g pfn (s s' : St) w u : assign_pfn_to_vm_spec [v; g; pfn] s = Some (Ok w s') -> u <> HOSTVISOR ->
    st_npts s' !! u = st_npts s !! u.
  Proof.
    intros E N. unfold assign_pfn_to_vm_spec in E. apply p3_inv in E as (v' & g' & p' & [= <- <- <-] & _ & _ & _ & E).
    apply chk_void in E as [E _]. destruct (_ && _); [|discriminate E]. apply with_frame_inv in E.
    destruct (claim _ _ _) as [[b q]|]; [|discriminate E]. destruct b; [|injection E as _ <-; reflexivity].
    destruct (clear_pfn_host_spec [pfn] s) as [[x s1|s1]|] eqn:C; cbn [after] in E; try discriminate E.
    injection E as _ <-. exact (clear_step _ _ _ _ _ C N).
  Qed.

  Lemma map_page_step v g e (s s' : St) w : 0 <= g < PFN_LIMIT -> map_pfn_vm_spec [v; g * 4096; e; 3] s = Some (Ok w s') ->
    exists c me p, st_npts s !! v = Some c /\ st_npts s' = <[v := updated me p c]> (st_npts s) /\
      leaves p !! g = Some (3%nat, Z.lor (phys e) PAGE_S2).
  Proof.
    intros R E. apply map_pfn_vm_entries in E as (_ & c & me & p & C & N & Lf); [|now rewrite Z.div_mul by discriminate].
    exists c, me, p. split; [exact C|]. split; [exact N|]. specialize (Lf 0 ltac:(cbn; lia)).
    rewrite Z.div_mul, Z.add_0_r in Lf by discriminate. exact Lf.
  Qed.

  (** * The theorem *)

  Section Image.
    Context (v g slot n : Z) (V : is_guest v = true) (RG : 0 <= g /\ g + n <= PFN_LIMIT)
      (RS : 0 <= slot /\ slot + n <= PFN_LIMIT).

    Definition tables_latest (s : St) : Prop :=
      exists k c, st_npts s !! COREVISOR = Some k /\ st_npts s !! v = Some c /\
        is_latest k /\ is_latest c /\ is_latest (st_s2 s).
    Definition pages_loaded (i : Z) (s : St) : Prop :=
      forall k c, st_npts s !! COREVISOR = Some k -> st_npts s !! v = Some c ->
        kept (same_entries slot n) (c_log k) -> kept keeps_memory (c_log c) -> kept (keeps_vm v) (c_log (st_s2 s)) ->
        forall j, 0 <= j < i -> loaded v g slot j (c_val k) (c_val c) (c_val (st_s2 s)).

    Lemma load_page_step i (s s' : St) w : 0 <= i < n ->
      (0 < i -> tables_latest s) -> pages_loaded i s -> load_page v (g + i) (slot + i) s = Some (Ok w s') ->
      tables_latest s' /\ pages_loaded (i + 1) s'.
    Proof using V RG RS.
      intros I La P E. unfold is_guest in V. boolprop.
      unfold load_page, and_then in E.
      destruct (walk_s2pt_spec [COREVISOR; _] s) as [[e s1|s1]|] eqn:W1; try discriminate E.
      destruct (frame_of e =? 0) eqn:FE; [discriminate E|].
      destruct (walk_s2pt_spec [v; _] s1) as [[d s2|s2]|] eqn:W2; try discriminate E.
      destruct (d =? 0); [|discriminate E].
      apply walk_step in W1 as (k0 & m0 & K0 & N1 & S1 & ->); [|lia].
      apply walk_step in W2 as (c0 & m1 & C0 & N2 & S2 & _); [|lia].
      rewrite N1, lookup_insert_ne in C0 by (unfold COREVISOR; lia).
      unfold prot_and_map_vm_s2pt_spec in E. apply p4_inv in E as (v' & a' & e' & l' & [= <- <- <- <-] & _ & _ & _ & _ & E).
      apply chk_void in E as [E _]. destruct (_ <? PFN_LIMIT); [|discriminate E]. cbn [Z.eqb Pos.eqb] in E.
      rewrite Z.div_mul in E by discriminate. set (e := entry _ _) in *. unfold and_then in E.
      destruct (assign_pfn_to_vm_spec _ s2) as [[x s3|s3]|] eqn:A; try discriminate E.
      pose proof (fun u => assign_tables _ _ _ _ _ _ u A) as N3.
      apply assign_step in A as (_ & m2 & q & S3 & B). rewrite S2, S1 in S3.
      pose proof (map_pfn_vm_frames _ _ _ _ E) as S4.
      apply map_page_step in E as (c1 & m3 & p & C1 & N4 & LF); [|lia].
      rewrite N3, N2, lookup_insert in C1 by (unfold HOSTVISOR; lia). injection C1 as <-.
      assert (KS : st_npts s' !! COREVISOR = Some (updated m0 (c_val (acquire_cell k0)) k0)).
      { rewrite N4, lookup_insert_ne, N3, N2, lookup_insert_ne, N1 by (unfold HOSTVISOR, COREVISOR; lia). apply lookup_insert. }
      assert (CS : st_npts s' !! v = Some (updated m3 p (updated m1 (c_val (acquire_cell c0)) c0))).
      { rewrite N4. apply lookup_insert. }
      rewrite S3 in S4. split; [|intros k c EK EC].
      - eexists _, _. split; [exact KS|]. split; [exact CS|]. rewrite S4. repeat split; apply updated_latest.
      - rewrite KS in EK. rewrite CS in EC. injection EK as <-. injection EC as <-. rewrite S4.
        intros HK HC HM j J. destruct (Z.eq_dec j i) as [->|Nj].
        + unfold loaded. cbn [updated release_cell set_val c_val]. fold e. boolprop.
          split; [exact FE|]. split; [now rewrite lookup_insert|].
          intros off p' O P'. pose proof (entry_translates p 3 (g + i) e 0 off p') as T.
          cbn [map_start map_level map_bits map_size Z.eqb Pos.eqb] in T. rewrite !Z.add_0_r in T.
          apply T; [exact LF | discriminate | unfold PFN_LIMIT in *; lia | lia | exact O | exact P'].
        + destruct (La ltac:(lia)) as (k & c & EK & EC & LK & LC & LM).
          rewrite K0 in EK. injection EK as <-. rewrite C0 in EC. injection EC as <-.
          pose proof (updated_kept _ _ _ _ HC) as HC1. apply acquire_kept in HC1.
          assert (J1 : 0 <= j < n) by lia. assert (J2 : 0 <= j < i) by lia.
          refine (loaded_kept _ _ _ _ _ _ _ _ _ _ _ J1 _ _ _ (P k0 c0 K0 C0 _ _ _ j J2)).
          * exact (kept_updated _ (same_entries_refl slot n) (same_entries_trans slot n) _ _ _ LK HK).
          * apply (keeps_memory_trans _ (c_val (updated m1 (c_val (acquire_cell c0)) c0))).
            -- exact (kept_updated _ keeps_memory_refl keeps_memory_trans _ _ _ LC HC1).
            -- exact (kept_updated _ keeps_memory_refl keeps_memory_trans _ _ _ (updated_latest _ _ _) HC).
          * exact (kept_updated _ (keeps_refl v) (keeps_trans v) _ _ _ LM HM).
          * exact (acquire_kept _ _ (updated_kept _ _ _ _ HK)).
          * exact (acquire_kept _ _ (updated_kept _ _ _ _ HC1)).
          * exact (acquire_kept _ _ (updated_kept _ _ _ _ HM)).
    Qed.
  End Image.

  (** Read: an image of [n] pages was loaded to [target] from the window at [remap].  If in
      the histories of the three objects no release changed KCore's entries for the
      window, a translation of the VM's table, or what was bound to the VM, then for
      every page of the image: the frame that KCore now maps in its slot is not frame 0, it
      is the VM's, as this very page, and the VM's table translates this page to it.  The
      second condition is what every CPU guarantees ([table_guarantee]). *)
  Theorem image_loaded v target remap n (s s' : St) w : 0 < n ->
    unmap_and_load_vm_image_spec [v; target; remap; n] s = Some (Ok w s') ->
    is_guest v = true /\
    exists k c, st_npts s' !! COREVISOR = Some k /\ st_npts s' !! v = Some c /\
      (kept (same_entries (remap / 4096) n) (c_log k) -> kept keeps_memory (c_log c) ->
       kept (keeps_vm v) (c_log (st_s2 s')) ->
       forall i, 0 <= i < n -> loaded v (target / 4096) (remap / 4096) i (c_val k) (c_val c) (c_val (st_s2 s'))).
  Proof.
    intros N E. unfold unmap_and_load_vm_image_spec in E.
    apply p4_inv in E as (v' & t' & r' & n' & [= <- <- <- <-] & _ & RT & RR & _ & E). apply chk_void in E as [E _].
    apply in_range_iff in RT, RR. pose proof (page_of_addr _ RT). pose proof (page_of_addr _ RR).
    destruct (is_guest v) eqn:V; [|discriminate E]. destruct (target mod 4096 =? 0); [|discriminate E].
    destruct (remap mod 4096 =? 0); [|discriminate E].
    destruct (Z.leb_spec (target / 4096 + n) PFN_LIMIT); [|discriminate E].
    destruct (Z.leb_spec (remap / 4096 + n) PFN_LIMIT); [|discriminate E]. cbn [andb] in E. split; [reflexivity|].
    set (g := target / 4096) in *. set (slot := remap / 4096) in *.
    apply (iterate_inv _ (fun i t => (0 < i -> tables_latest v t) /\ pages_loaded v g slot n i t) (fun _ => True)) in E.
    - destruct E as (_ & La & P). destruct (La N) as (k & c & K & C & _). exists k, c.
      split; [exact K|]. split; [exact C|]. intros HK HC HM i I. exact (P k c K C HK HC HM i I).
    - lia.
    - intros i t [u t'|t'] I [La P] X; [|trivial].
      destruct (load_page_step v g slot n V ltac:(lia) ltac:(lia) i t t' u I La P X) as [Y1 Y2].
      split; [intros _; exact Y1 | exact Y2].
    - split; [lia | intros k c _ _ _ _ _ j J; lia].
  Qed.
End Safe.

(** Loading an image keeps every translation of every VM's table, as the operations below do. *)
Theorem load_keeps v : is_guest v = true -> keeps_table v unmap_and_load_vm_image_spec.
Proof.
  intros V vs s w s' E. unfold unmap_and_load_vm_image_spec in E.
  apply p4_inv in E as (u & t & r & n & -> & _ & _ & _ & _ & E). apply chk_void in E as [E _].
  destruct (_ && _); [|discriminate E]. apply (iterate_keeps v) in E; [exact E|]. clear E.
  intros i s1 x s2 F. unfold load_page in F. apply (and_then_kept v _ _ _ _ _ F). intros e s3 A B.
  pose proof (look_keeps v (Some U64) entry _ _ _ _ A : table_kept v s1 s3) as T1.
  destruct (frame_of e =? 0); [discriminate B|]. apply (kept_then v _ _ _ T1), (and_then_kept v _ _ _ _ _ B).
  intros d s4 C D. pose proof (look_keeps v (Some U64) entry _ _ _ _ C : table_kept v s3 s4) as T2.
  destruct (d =? 0); [|discriminate D]. exact (kept_then v _ _ _ T2 (prot_and_map_keeps v V _ _ _ _ D)).
Qed.
