(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 17, MemoryOps: what is mapped in a VM is the VM's.  The steps of a range
    operation are apart, so the claim rests on what happened to the map of frames in
    between, and that is in its history: each release keeps what is bound to the VM, as
    [Guarantee] proves of all operations but the reclaim of this VM.  Used by BootAux. *)
From SeKVM.lib Require Import VcTac PrimInv.
From SeKVM.machine Require Import StateTac BottomPagesTac Rel.
From SeKVM.layers.NPTOps Require Import Stays.
From SeKVM.layers.MemManager Require Import Spec Natural.
From SeKVM.layers.MemoryOps Require Import Spec Ranges.
From SeKVM.layers.MemoryOps Require Export History Guarantee.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Safe.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).

  (** All frames from [pfn] on are [v]'s pages from [g] on. *)
  Definition range_bound (v g pfn n : Z) (x : gmap Z page) : Prop :=
    forall i, 0 <= i < n -> bound_to v (g + i) (x !! (pfn + i)).

  (** * One step, and a range *)

  Lemma assign_step v g pfn (s s' : St) w : assign_pfn_to_vm_spec [v; g; pfn] s = Some (Ok w s') ->
    is_guest v = true /\
    exists me q, st_s2 s' = updated me (<[pfn := q]> (c_val (acquire_cell (st_s2 s)))) (st_s2 s) /\ bound_to v g (Some q).
  Proof.
    intros E. unfold assign_pfn_to_vm_spec in E. apply p3_inv in E as (v' & g' & pfn' & [= <- <- <-] & _ & _ & _ & E).
    apply chk_void in E as [E _].
    destruct (is_guest v); [|discriminate]. destruct (negb _); [|discriminate]. cbn [andb] in E.
    split; [reflexivity|]. apply with_frame_inv in E.
    destruct (claim _ _ _) as [[b q]|] eqn:CL; [|discriminate]. apply claim_bound in CL.
    destruct b; [apply after_inv in E as (x & s1 & E)|]; injection E as _ <-; eexists _, q; (split; [reflexivity | exact CL]).
  Qed.

  (** If the history says that what was bound to [v] stayed so, then after the last step all
      frames of the range are bound, and not only the last. *)
  Theorem assign_range_bound v g pfn n (s s' : St) w : 0 <= n -> assign_range v g pfn n s = Some (Ok w s') ->
    (0 < n -> is_guest v = true /\ is_latest (st_s2 s')) /\
    (kept (keeps_vm v) (c_log (st_s2 s')) -> range_bound v g pfn n (c_val (st_s2 s'))).
  Proof.
    intros N E.
    apply (iterate_inv _ (fun i t => (0 < i -> is_guest v = true /\ is_latest (st_s2 t)) /\
      (kept (keeps_vm v) (c_log (st_s2 t)) -> range_bound v g pfn i (c_val (st_s2 t)))) (fun _ => True)) in E;
      [exact (proj2 E) | exact N | | split; [lia | intros _ i I; lia]].
    clear s s' w E. intros i s [w s'|s'] I [La B] E; [|trivial].
    destruct (assign_step _ _ _ _ _ _ E) as (V & me & q & -> & Q). split; [intros _; split; [exact V | apply updated_latest]|].
    intros K. apply updated_kept in K. pose proof (acquire_kept _ _ K) as K0. specialize (B K0).
    intros j J. cbn [updated release_cell set_val c_val].
    destruct (Z.eq_dec j i) as [->|Nj]; [now rewrite lookup_insert|]. rewrite lookup_insert_ne by lia.
    apply (kept_acquire _ (keeps_refl v) (keeps_trans v) (st_s2 s)); [apply La; lia | exact K | apply B; lia].
  Qed.

  (** * The table *)

  (** In VM [v]'s table as this CPU left it, pages [g] on are mapped to frames [pfn] on. *)
  Definition range_mapped (v g pfn n : Z) (s : St) : Prop :=
    exists c, st_npts s !! v = Some c /\
      forall i, 0 <= i < n -> exists l e, leaves (c_val c) !! (g + i) = Some (l, e) /\ frame_at (g + i) e = pfn + i.

  Lemma leaf_entry (l : nat) e k : 0 < k < 4096 -> leaf (l, Z.lor (phys e) k) = Some (l, Z.lor (phys e) k).
  Proof.
    intros K. unfold leaf; cbn [snd]. destruct (Z.eqb_spec (Z.lor (phys e) k) 0) as [Z0|]; [|reflexivity].
    apply Z.lor_eq_0_iff in Z0. lia.
  Qed.

  (** The low bits of a VM's entries. *)
  Definition map_bits (lvl : Z) : Z := if lvl =? 2 then BLOCK_S2 else PAGE_S2.

  (** What a mapping has done when it returns: one release of the VM's table, with these entries. *)
  Lemma map_pfn_vm_entries v a e lvl (s s' : St) w : 0 <= a / 4096 < PFN_LIMIT ->
    map_pfn_vm_spec [v; a; e; lvl] s = Some (Ok w s') ->
    ((lvl =? 2) = true -> frame_of e mod 512 = 0) /\
    exists c me p, st_npts s !! v = Some c /\ st_npts s' = <[v := updated me p c]> (st_npts s) /\
      forall i, 0 <= i < map_size lvl ->
        leaves p !! (map_start lvl (a / 4096) + i) = Some (map_level lvl, Z.lor (phys e) (map_bits lvl)).
  Proof.
    unfold PFN_LIMIT. intros RA E.
    unfold map_pfn_vm_spec in E. apply p4_inv in E as (v' & a' & e' & l' & [= <- <- <- <-] & _ & _ & _ & _ & E).
    apply chk_void in E as [E _].
    assert (PN : page_number a = a / 4096) by (unfold page_number; apply Z.mod_small; lia).
    unfold map_start, map_size, map_level, map_bits. destruct (lvl =? 2).
    - destruct (Z.eqb_spec (frame_of e mod 512) 0) as [A|]; [|discriminate E]. split; [intros _; exact A|].
      apply map_s2pt_inv in E as (V & _ & _ & c & p & C & _ & PS & N & _).
      exists c, (cpu_id (st_cpu s)), p. split; [exact C|]. split; [exact N|]. intros i I.
      rewrite (pset_lookup _ (npt_geom_ok v V) 2 _ _ _ _ _ ltac:(cbn; lia) PS). rewrite PN.
      unfold pre; cbn [up bits npt_geom depth]. change (2 ^ _) with 512.
      unfold block_start. rewrite (leaf_entry 2) by (unfold BLOCK_S2; lia).
      destruct (Z.eqb_spec ((a / 4096 - (a / 4096) mod 512 + i) / 512) (a / 4096 / 512)) as [_|Ne]; [reflexivity|].
      destruct Ne. clear -I RA. Z.div_mod_to_equations. lia.
    - split; [discriminate|]. apply map_s2pt_inv in E as (V & _ & _ & c & p & C & _ & PS & N & _).
      exists c, (cpu_id (st_cpu s)), p. split; [exact C|]. split; [exact N|]. intros i I.
      replace i with 0 by lia. rewrite Z.add_0_r, (pset_page _ (npt_geom_ok v V) 3 _ _ _ _ _ eq_refl PS), PN, Z.eqb_refl.
      apply leaf_entry. unfold PAGE_S2. lia.
  Qed.

  Lemma map_pfn_vm_mapped v a e lvl (s s' : St) w : 0 <= a / 4096 < PFN_LIMIT ->
    map_pfn_vm_spec [v; a; e; lvl] s = Some (Ok w s') ->
    range_mapped v (map_start lvl (a / 4096)) (frame_of e) (map_size lvl) s'.
  Proof.
    intros RA E. apply map_pfn_vm_entries in E as (_ & c & me & p & _ & N & Lf); [|exact RA].
    exists (updated me p c). rewrite N, lookup_insert. split; [reflexivity|]. intros i I. do 2 eexists.
    split; [exact (Lf i I)|]. unfold map_bits, map_start, map_size in *. destruct (lvl =? 2).
    - rewrite block_entry_frame. unfold block_start. f_equal. clear -I RA. Z.div_mod_to_equations. lia.
    - rewrite page_entry_frame. lia.
  Qed.

  (** * The theorem *)

  (** Read: when the operation has returned, the page or the 512 pages of the block are
      mapped to the frames that the host named, and each of these frames is the VM's at
      exactly this page; provided that in the history of the map of frames each release,
      by whichever CPU, kept what was bound to the VM. *)
  Theorem mapped_is_bound v a e lvl (s s' : St) w :
    prot_and_map_vm_s2pt_spec [v; a; e; lvl] s = Some (Ok w s') ->
    is_guest v = true /\
    range_mapped v (map_start lvl (a / 4096)) (frame_of e) (map_size lvl) s' /\
    (kept (keeps_vm v) (c_log (st_s2 s')) ->
     range_bound v (map_start lvl (a / 4096)) (frame_of e) (map_size lvl) (c_val (st_s2 s'))).
  Proof.
    intros E. unfold prot_and_map_vm_s2pt_spec in E.
    apply p4_inv in E as (v' & a' & e' & l' & [= <- <- <- <-] & _ & RA & _ & _ & E).
    apply chk_void in E as [E _]. apply in_range_iff in RA. pose proof (page_of_addr a RA) as RG.
    destruct (Z.ltb_spec (a / 4096) PFN_LIMIT) as [LA|]; [|discriminate E].
    pose proof (fun t t' u => map_pfn_vm_mapped v a e lvl t t' u (conj (proj1 RG) LA)) as MP.
    unfold map_start, map_size in *. destruct (lvl =? 2).
    - destruct (_ =? 0); [|discriminate E]. unfold and_then in E.
      destruct (assign_range _ _ _ _ s) as [[u t|t]|] eqn:F; [|discriminate E|discriminate E].
      split; [|split; [exact (MP _ _ _ E)|]].
      + apply (assign_range_bound v _ _ 512 s t u ltac:(lia) F). lia.
      + rewrite (map_pfn_vm_frames _ _ _ _ E). apply (assign_range_bound v _ _ 512 s t u ltac:(lia) F).
    - unfold and_then in E. destruct (assign_pfn_to_vm_spec _ s) as [[u t|t]|] eqn:F; [|discriminate E|discriminate E].
      split; [exact (proj1 (assign_step _ _ _ _ _ _ F))|]. split; [exact (MP _ _ _ E)|].
      rewrite (map_pfn_vm_frames _ _ _ _ E). destruct (assign_step _ _ _ _ _ _ F) as (_ & me & q & -> & Q).
      intros _ i I. replace i with 0 by lia. rewrite !Z.add_0_r. cbn [updated release_cell set_val c_val].
      now rewrite lookup_insert.
  Qed.
End Safe.
