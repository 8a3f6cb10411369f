(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 17, MemoryOps: once mapped, a page of a VM keeps its frame.  Every operation of
    layers 8, 16 and 17, and every access, releases the VM's table only with all translations
    kept ([table_guarantee]); so they stay under any sequence of such calls on this CPU, while
    the other CPUs do the same ([mapped_stays], [given_stays]).  Rests on NPTOps; read
    with [Guarantee], which says the same of who owns the frame. *)
From SeKVM.lib Require Import Bits VcTac PrimInv Runs.
From SeKVM.machine Require Import StateTac BottomPagesTac Rel RelTac.
From SeKVM.layers.NPTOps Require Export Stays.
From SeKVM.layers.MemManager Require Import Interface Natural.
From SeKVM.layers.MemoryOps Require Import Spec Ranges Safe.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * The guarantee of one CPU *)

Section Guarantee.
  Context (v : Z) (V : is_guest v = true).

  (** From [s] to [s'] VM [v]'s table went through critical sections of this CPU, each of which
      kept every translation. *)
  Definition table_kept (s s' : hstate) : Prop :=
    cpu_id (st_cpu s') = cpu_id (st_cpu s) /\
    forall c, st_npts s !! v = Some c ->
      exists c', st_npts s' !! v = Some c' /\ rtc (critical keeps_memory (cpu_id (st_cpu s))) c c'.
  Definition keeps_table (p : prim hstate) : Prop :=
    forall vs s w s', p vs s = Some (Ok w s') -> table_kept s s'.

  Lemma kept_same s s' : cpu_id (st_cpu s') = cpu_id (st_cpu s) -> st_npts s' !! v = st_npts s !! v ->
    table_kept s s'.
  Proof. intros C N. split; [exact C|]. intros c E. exists c. rewrite N. split; [exact E | constructor]. Qed.

  Lemma kept_then s s1 s' : table_kept s s1 -> table_kept s1 s' -> table_kept s s'.
  Proof.
    intros [C1 A] [C2 B]. split; [congruence|]. intros c E. destruct (A c E) as (c1 & E1 & R1).
    destruct (B c1 E1) as (c' & E' & R2). exists c'. split; [exact E'|]. rewrite C1 in R2. now transitivity c1.
  Qed.

  (** The table of [u] is released with [p]. *)
  Lemma kept_release u c p (s s' : hstate) : st_npts s !! u = Some c -> st_cpu s' = st_cpu s ->
    st_npts s' = <[u := published (set_val p (acquire_cell c)) s]> (st_npts s) ->
    (u = v -> keeps_memory (c_val (acquire_cell c)) p) -> table_kept s s'.
  Proof.
    intros C Ci N K. split; [now rewrite Ci|]. intros d D. rewrite N.
    destruct (decide (v = u)) as [<-|Ne]; [rewrite lookup_insert|rewrite lookup_insert_ne by auto; exists d; split;
      [exact D | constructor]].
    rewrite C in D. injection D as <-. eexists. split; [reflexivity|]. apply rtc_once. exists p.
    split; [reflexivity | auto].
  Qed.

  (** ** Layer 8 and accesses *)

  Lemma look_keeps rt f : keeps_table (p2 rt U32 U64 (locked_look f)).
  Proof.
    intros vs s w s' E. apply p2_inv in E as (u & a & -> & _ & _ & E). unfold locked_look in E.
    destruct (negb (is_vmid u)); [discriminate E|].
    assert (X : forall o : option (res hstate), chk rt o = Some (Ok w s') -> exists x, o = Some (Ok x s')).
    { intros o. destruct o as [[x t|t]|]; [|discriminate|discriminate]. destruct rt; cbn [chk];
        [destruct (in_range _ _) | destruct (_ =? 0)]; intros [=]; subst; eauto. }
    apply X in E as (x & E). destruct (ADDR_LIMIT <=? a); [injection E as _ <-; now apply kept_same|].
    destruct (st_npts s !! u) as [c|] eqn:C; [|discriminate E]. destruct (c_held c); [discriminate E|].
    injection E as _ <-. apply (kept_release u c (c_val (acquire_cell c))); [exact C | reflexivity | reflexivity|].
    intros _. apply keeps_memory_refl.
  Qed.

  Lemma map_keeps : keeps_table map_s2pt_spec.
  Proof using V.
    intros vs s w s' E. pose proof E as X. unfold map_s2pt_spec in X.
    apply p4_inv in X as (u & a & lvl & e & -> & _ & _ & _ & _ & _).
    apply map_s2pt_inv in E as (Vu & _ & K & c & p & C & F & PS & N & _ & Ci).
    apply (kept_release u c p s s' C Ci N). intros ->. exact (map_keeps_memory v lvl a e _ p Vu K (F V) PS).
  Qed.

  Lemma clear_host_keeps : keeps_table clear_pfn_host_spec.
  Proof using V.
    intros vs s w s' E. unfold clear_pfn_host_spec in E. apply p1_inv in E as (pfn & -> & _ & E).
    apply chk_void in E as [E _].
    assert (N : HOSTVISOR <> v) by (intros <-; discriminate V).
    destruct (PFN_LIMIT <=? pfn); [discriminate E|]. destruct (st_npts s !! HOSTVISOR) as [c|]; [|discriminate E].
    destruct (c_held c); [discriminate E|]. cbn [negb] in E. cbv zeta in E. destruct (_ =? 0).
    - injection E as _ <-. apply kept_same; [reflexivity | now apply lookup_insert_ne].
    - unfold publish_update in E. destruct (pset _ _ _ _ _); try discriminate E. injection E as _ <-.
      apply kept_same; [reflexivity | now apply lookup_insert_ne].
  Qed.

  Lemma access_keeps k f : (forall pa r (s : hstate), st_npts (f pa r s) = st_npts s /\
    cpu_id (st_cpu (f pa r s)) = cpu_id (st_cpu s)) ->
    keeps_table (mem_access k f).
  Proof.
    intros Q vs s w s' E. apply p3_inv in E as (u & a & r & -> & _ & _ & _ & E).
    destruct (negb (is_vmid u)); [discriminate E|].
    destruct (if in_memory a then user_reg r else None) as [x|]; [|apply chk_inv in E as [_ E];
      injection E as _ <-; now apply kept_same].
    destruct (st_npts s !! u) as [c|] eqn:C; [|discriminate E]. destruct (c_held c); [discriminate E|].
    cbn [negb] in E. cbv zeta in E.
    set (t := set_npts _ s) in E.
    assert (T : table_kept s t).
    { apply (kept_release u c (c_val (acquire_cell c))); [exact C | reflexivity | reflexivity | intros _;
      apply keeps_memory_refl]. }
    destruct (translate _ _ _) as [pa|]; apply chk_inv in E as [_ E]; injection E as _ ->; [|exact T].
    destruct (Q pa x t) as [Q1 Q2]. apply (kept_then _ _ _ T), kept_same; [exact Q2 | now rewrite Q1].
  Qed.

  (** ** Layer 16 *)

  Lemma publish_kept c (s s1 s' : hstate) w : table_kept s s1 -> publish c s1 = Some (Ok w s') -> table_kept s s'.
  Proof. intros T [= _ <-]. apply (kept_then _ _ _ T). now apply kept_same. Qed.

  Lemma same_kept (s : hstate) : table_kept s s.
  Proof. now apply kept_same. Qed.

  (** Table work, then the rest of the critical section of the map of frames. *)
  Lemma after_kept p vs c k (s s' : hstate) w : keeps_table p -> after (p vs s) c k = Some (Ok w s') ->
    (forall u s1, table_kept s s1 -> k u s1 = Some (Ok w s') -> table_kept s s') -> table_kept s s'.
  Proof. intros K E X. unfold after in E. destruct (p vs s) as [[u s1|s1]|] eqn:P; [|discriminate|discriminate].
  eauto. Qed.

  Lemma map_spt_keeps : keeps_table map_spt_spec.
  Proof.
    intros vs s w s' E. unfold map_spt_spec, publish_spt_update, publish_spt in E. prim_unfold_in E.
    inv_spec E; now apply kept_same.
  Qed.
  Lemma unmap_spt_keeps : keeps_table unmap_spt_spec.
  Proof.
    intros vs s w s' E. unfold unmap_spt_spec, publish_spt_update, publish_spt in E. prim_unfold_in E.
    inv_spec E; now apply kept_same.
  Qed.

  Lemma map_page_host_keeps : keeps_table map_page_host_spec.
  Proof using V.
    intros vs s w s' E. apply p1_inv in E as (a & -> & _ & E). apply chk_void in E as [E _].
    apply with_frame_inv in E.
    destruct (host_use _); [|discriminate]. apply (after_kept _ _ _ _ _ _ _ map_keeps E). intros u s1.
    apply publish_kept.
  Qed.

  Lemma clear_vm_page_keeps : keeps_table clear_vm_page_spec.
  Proof using V.
    intros vs s w s' E. apply p2_inv in E as (u & pfn & -> & _ & _ & E). apply chk_void in E as [E _].
    apply with_frame_inv in E.
    destruct (reclaim _ _); [|exact (publish_kept _ _ _ _ _ (same_kept s) E)].
    apply (after_kept _ _ _ _ _ _ _ clear_host_keeps E). intros x s1 T. apply publish_kept, (kept_then _ _ _ T).
    now apply kept_same.
  Qed.

  Lemma assign_keeps : keeps_table assign_pfn_to_vm_spec.
  Proof using V.
    intros vs s w s' E. apply p3_inv in E as (u & g & pfn & -> & _ & _ & _ & E). apply chk_void in E as [E _].
    destruct (_ && _); [|discriminate]. apply with_frame_inv in E.
    destruct (claim _ _ _) as [[b q]|]; [|discriminate].
    destruct b; [|exact (publish_kept _ _ _ _ _ (same_kept s) E)].
    apply (after_kept _ _ _ _ _ _ _ clear_host_keeps E). intros x s1. apply publish_kept.
  Qed.

  Lemma map_pfn_vm_keeps : keeps_table map_pfn_vm_spec.
  Proof using V.
    intros vs s w s' E. apply p4_inv in E as (u & a & e & l & -> & _ & _ & _ & _ & E). apply chk_void in E as [E _].
    destruct (l =? 2); [destruct (_ =? 0); [|discriminate]|]; exact (map_keeps _ _ _ _ E).
  Qed.

  Lemma map_vm_io_keeps : keeps_table map_vm_io_spec.
  Proof using V.
    intros vs s w s' E. apply p3_inv in E as (u & a & pa & -> & _ & _ & _ & E). apply chk_void in E as [E _].
    apply with_frame_inv in E.
    destruct (_ !! _); [exact (publish_kept _ _ _ _ _ (same_kept s) E)|].
    apply (after_kept _ _ _ _ _ _ _ map_keeps E). intros x s1. apply publish_kept.
  Qed.

  Lemma grant_keeps : keeps_table grant_vm_page_spec.
  Proof.
    intros vs s w s' E. apply p2_inv in E as (u & pfn & -> & _ & _ & E). apply chk_void in E as [E _].
    apply with_frame_inv in E.
    destruct (share _ _); exact (publish_kept _ _ _ _ _ (same_kept s) E).
  Qed.

  Lemma revoke_keeps : keeps_table revoke_vm_page_spec.
  Proof using V.
    intros vs s w s' E. apply p2_inv in E as (u & pfn & -> & _ & _ & E). apply chk_void in E as [E _].
    apply with_frame_inv in E.
    destruct (unshare _ _) as [[b q]|]; [|exact (publish_kept _ _ _ _ _ (same_kept s) E)].
    destruct b; [|exact (publish_kept _ _ _ _ _ (same_kept s) E)].
    apply (after_kept _ _ _ _ _ _ _ clear_host_keeps E). intros x s1. apply publish_kept.
  Qed.

  Lemma assign_smmu_keeps : keeps_table assign_pfn_to_smmu_spec.
  Proof using V.
    intros vs s w s' E. apply p3_inv in E as (u & g & pfn & -> & _ & _ & _ & E). apply chk_void in E as [E _].
    destruct (_ && _); [|discriminate]. apply with_frame_inv in E.
    destruct (reserve _ _ _) as [[q|]|]; [|exact (publish_kept _ _ _ _ _ (same_kept s) E)|discriminate].
    apply (after_kept _ _ _ _ _ _ _ clear_host_keeps E). intros x s1. apply publish_kept.
  Qed.

  Lemma update_smmu_keeps : keeps_table (update_smmu_page_spec map_spt_spec).
  Proof.
    intros vs s w s' E. unfold update_smmu_page_spec in E. destruct vs as [|u [|b [|i [|a [|e [|]]]]]];
      try discriminate.
    do 5 (destruct (in_range _ _); [|discriminate]). destruct (_ <? 16); [|discriminate]. apply with_frame_inv in E.
    destruct (device_use _ _ _) as [q|]; [|discriminate].
    apply (after_kept _ _ _ _ _ _ _ map_spt_keeps E). intros x s1. apply publish_kept.
  Qed.

  Lemma unmap_smmu_keeps : keeps_table (unmap_smmu_page_spec unmap_spt_spec).
  Proof.
    intros vs s w s' E. apply p3_inv in E as (b & i & a & -> & _ & _ & _ & E). apply chk_void in E as [E _].
    destruct (c_held _); [discriminate|]. cbn [negb] in E. cbv zeta in E.
    apply (after_kept _ _ _ _ _ _ _ unmap_spt_keeps E). intros e s1 T X.
    destruct (in_range _ _); [|discriminate]. destruct (frame_ok _); [|discriminate].
    destruct (device_unuse _); [destruct (_ =? 0)|]; exact (publish_kept _ _ _ _ _ T X).
  Qed.

  (** ** Layer 17 *)

  Lemma iterate_keeps f n (s s' : hstate) w : (forall i t u t', f i t = Some (Ok u t') -> table_kept t t') ->
    iterate f n s = Some (Ok w s') -> table_kept s s'.
  Proof.
    intros X E. unfold iterate in E.
    apply (iterate_from_inv f (fun _ t => table_kept s t) (fun _ => True)) in E;
      [exact (proj2 E) | | apply same_kept].
    intros i t [u t'|t'] _ T F; [|trivial]. exact (kept_then _ _ _ T (X _ _ _ _ F)).
  Qed.

  Lemma and_then_kept o k (s s' : hstate) w : and_then o k = Some (Ok w s') ->
    (forall u s1, o = Some (Ok u s1) -> k u s1 = Some (Ok w s') -> table_kept s s') -> table_kept s s'.
  Proof. intros E X. unfold and_then in E. destruct o as [[u s1|s1]|]; [|discriminate|discriminate]. eauto. Qed.

  Lemma clear_range_keeps : keeps_table clear_vm_range_spec.
  Proof using V.
    intros vs s w s' E. apply p3_inv in E as (u & pfn & n & -> & _ & _ & _ & E). apply chk_void in E as [E _].
    destruct (_ <=? _); [|injection E as _ <-; apply same_kept].
    apply iterate_keeps in E; [exact E|]. intros i t x t'. apply clear_vm_page_keeps.
  Qed.

  Lemma prot_and_map_keeps : keeps_table prot_and_map_vm_s2pt_spec.
  Proof using V.
    intros vs s w s' E. apply p4_inv in E as (u & a & e & l & -> & _ & _ & _ & _ & E). apply chk_void in E as [E _].
    destruct (_ <? _); [|discriminate]. destruct (l =? 2); [destruct (_ =? 0); [|discriminate]|];
      apply (and_then_kept _ _ _ _ _ E); intros x s1 A B; apply map_pfn_vm_keeps in B; refine (kept_then _ _ _ _ B).
    - apply iterate_keeps in A; [exact A|]. intros i t y t'. apply assign_keeps.
    - exact (assign_keeps _ _ _ _ A).
  Qed.

  Lemma with_range_keeps f : keeps_table f -> keeps_table (with_range f).
  Proof.
    intros K vs s w s' E. apply p3_inv in E as (u & a & n & -> & _ & _ & _ & E). apply chk_void in E as [E _].
    destruct (_ && _); [|injection E as _ <-; apply same_kept].
    apply iterate_keeps in E; [exact E|]. intros i t x t' F. apply (and_then_kept _ _ _ _ _ F). intros d t1 A B.
    pose proof (look_keeps (Some U64) entry _ _ _ _ A : table_kept t t1) as T. clear A. destruct (frame_of d =? 0); [injection B as _ <-; exact T|].
    exact (kept_then _ _ _ T (K _ _ _ _ B)).
  Qed.

  (** ** All of them *)

  Definition T_all : tbl hstate := (MemoryOps.Spec.T ++ MemManager.Interface.T ++ NPTOps.Spec.T ++ T_access)%list.

  (** Read: whatever operation of layers 8, 16 or 17, or access, any CPU does, for whomever, its
      releases of VM [v]'s table keep every translation. *)
  Theorem table_guarantee f vs s w s' : call T_all f vs s = Some (Ok w s') -> table_kept s s'.
  Proof using V.
    assert (A : Forall (fun x => keeps_table (snd x)) T_all).
    { repeat apply List.Forall_cons; cbn [snd]; try apply List.Forall_nil.
      - exact clear_range_keeps.
      - exact prot_and_map_keeps.
      - apply with_range_keeps, grant_keeps.
      - apply with_range_keeps, revoke_keeps.
      - exact map_page_host_keeps.
      - exact clear_vm_page_keeps.
      - exact assign_keeps.
      - exact map_pfn_vm_keeps.
      - exact map_vm_io_keeps.
      - exact grant_keeps.
      - exact revoke_keeps.
      - exact assign_smmu_keeps.
      - exact update_smmu_keeps.
      - exact unmap_smmu_keeps.
      - apply look_keeps.
      - apply look_keeps.
      - exact map_keeps.
      - exact clear_host_keeps.
      - apply access_keeps. intros; split; reflexivity.
      - apply access_keeps. intros; split; reflexivity. }
    unfold call. induction A as [|[g p] l P A IH]; cbn [Lang.assoc]; [discriminate|].
    destruct (String.eqb f g); [apply P | exact IH].
  Qed.

  Lemma runs_kept cs s r : runs (graph T_all) cs s r -> match r with Ok _ s' => table_kept s s' | Halt _ => True end.
  Proof using V.
    induction 1 as [s | f vs cs s x s1 r C R IH | f vs cs s s1 C]; [apply same_kept | | trivial].
    destruct r as [w s'|s']; [|trivial]. exact (kept_then _ _ _ (table_guarantee _ _ _ _ _ C) IH).
  Qed.
End Guarantee.

(** * What a VM gains *)

(** Read: let this CPU make any sequence of calls while the other CPUs' releases of VM [v]'s
    table keep every translation, as [table_guarantee] says that they do.  Then what the table
    translated before is translated to the same address afterwards, for loads and for stores;
    and the history that the others see keeps it too. *)
Theorem mapped_stays v cs (s s' : hstate) w c c' : is_guest v = true ->
  runs (graph T_all) cs s (Ok w s') -> st_npts s !! v = Some c -> st_npts s' !! v = Some c' ->
  is_latest c -> of_others (cpu_id (st_cpu s)) c -> others_keep keeps_memory (cpu_id (st_cpu s)) (c_log c') ->
  keeps_memory (c_val c) (c_val c') /\ (kept keeps_memory (c_log c) -> kept keeps_memory (c_log c')).
Proof.
  intros V R C C' La Ot K. apply (runs_kept v V) in R as [_ R]. destruct (R c C) as (d & D & S).
  rewrite C' in D. injection D as <-.
  exact (sections_keep keeps_memory keeps_memory_refl keeps_memory_trans _ _ _ S La Ot K).
Qed.

(** ** A page that the host gave *)

Lemma table_addr_entry e k : 0 <= k < 4096 -> table_addr (Z.lor (phys e) k) = frame_of e * 4096.
Proof.
  intros K. rewrite <- (frame_of_entry e k K). generalize (Z.lor (phys e) k). intros x.
  unfold frame_of, phys, table_addr. now rewrite frame_bits, Z.div_mul by discriminate.
Qed.

Lemma entry_bits e b k : 0 <= k < 4096 -> Z.land (Z.lor (phys e) b) k = Z.land b k.
Proof.
  intros K. rewrite Z.land_lor_distr_l. unfold phys. rewrite frame_bits. change 4096 with (2 ^ 12).
  now rewrite land_shifted_low by lia.
Qed.

Lemma entry_translates p lvl g e i off k : leaves p !! (map_start lvl g + i) = Some (map_level lvl,
  Z.lor (phys e) (map_bits lvl)) ->
  ((lvl =? 2) = true -> frame_of e mod 512 = 0) -> 0 <= g < PFN_LIMIT -> 0 <= i < map_size lvl -> 0 <= off < 4096 ->
  k = PTE_READ \/ k = PTE_WRITE ->
  translate k p ((map_start lvl g + i) * 4096 + off) = Some ((frame_of e + i) * 4096 + off).
Proof.
  unfold PFN_LIMIT. intros Lf A G I O K. unfold translate.
  assert (PN : page_number ((map_start lvl g + i) * 4096 + off) = map_start lvl g + i).
  { unfold page_number, map_start, map_size, block_start in *. destruct (lvl =? 2); Z.div_mod_to_equations; lia. }
  rewrite PN, Lf. unfold lets, out_addr, leaf_size, map_level, map_bits, map_start, map_size, block_start in *.
  rewrite !entry_bits by (destruct K as [-> | ->]; unfold PTE_READ, PTE_WRITE; lia).
  destruct (lvl =? 2); cbn [Nat.eqb].
  - rewrite table_addr_entry by (unfold BLOCK_S2; lia). specialize (A eq_refl).
    replace (_ && _) with true by (destruct K as [-> | ->]; reflexivity). f_equal.
    unfold BLOCK_SIZE. pose proof (frame_of_range e). Z.div_mod_to_equations. lia.
  - rewrite table_addr_entry by (unfold PAGE_S2; lia).
    replace (_ && _) with true by (destruct K as [-> | ->]; reflexivity). f_equal.
    unfold PAGE. pose proof (frame_of_range e). Z.div_mod_to_equations. lia.
Qed.

(** Read: the host gave VM [v] a page, or a block of 512.  Whatever calls follow, every byte of
    it is in the frame that the host named then, while the other CPUs keep what they guarantee. *)
Theorem given_stays v a e lvl cs (s s1 s' : hstate) w w' :
  prot_and_map_vm_s2pt_spec [v; a; e; lvl] s = Some (Ok w s1) -> runs (graph T_all) cs s1 (Ok w' s') ->
  exists c1 c', st_npts s1 !! v = Some c1 /\ st_npts s' !! v = Some c' /\
    (of_others (cpu_id (st_cpu s1)) c1 -> others_keep keeps_memory (cpu_id (st_cpu s1)) (c_log c') ->
     forall i off permission, 0 <= i < map_size lvl -> 0 <= off < 4096 ->
       permission = PTE_READ \/ permission = PTE_WRITE ->
       translate permission (c_val c') ((map_start lvl (a / 4096) + i) * 4096 + off)
       = Some ((frame_of e + i) * 4096 + off)).
Proof.
  intros E R. pose proof (proj1 (mapped_is_bound _ _ _ _ _ _ _ E)) as V.
  unfold prot_and_map_vm_s2pt_spec in E.
  apply p4_inv in E as (v' & a' & e' & l' & [= <- <- <- <-] & _ & RA & _ & _ & E).
  apply chk_void in E as [E _]. apply in_range_iff in RA. pose proof (page_of_addr a RA) as RG.
  destruct (Z.ltb_spec (a / 4096) PFN_LIMIT) as [LA|]; [|discriminate E].
  assert (X : exists t, map_pfn_vm_spec [v; a; e; lvl] t = Some (Ok w s1)).
  { destruct (lvl =? 2); [destruct (_ =? 0); [|discriminate E]|]; unfold and_then in E;
      [destruct (assign_range _ _ _ _ s) as [[u t|t]|]|destruct (assign_pfn_to_vm_spec _ s) as [[u t|t]|]];
        try discriminate E; eauto. }
  destruct X as (t & X). apply map_pfn_vm_entries in X as (A & c & me & p & C & N & Lf); [|lia].
  pose proof (runs_kept v V _ _ _ R) as [_ K].
  assert (C1 : st_npts s1 !! v = Some (updated me p c)) by (rewrite N; apply lookup_insert).
  destruct (K _ C1) as (c' & C' & _). exists (updated me p c), c'. split; [exact C1|]. split; [exact C'|].
  intros Ot Ok i off k I O P.
  destruct (mapped_stays v cs s1 s' w' _ c' V R C1 C' (updated_latest _ _ _) Ot Ok) as [S _].
  apply S; [exact P|]. apply entry_translates; auto. lia.
Qed.
