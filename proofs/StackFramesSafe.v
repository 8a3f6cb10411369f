(* SPDX-License-Identifier: Apache-2.0 *)
(** The specification of layer 16 says something.  From the concrete initial state of the bottom machine, whatever the other
    CPUs fairly do, the linked program of layers 1 to 16 makes every sequence of operations on frames, with any arguments of
    their C types, to its end or to a panic; tables and frames keep their invariants.  Rests on [StackFrames] and on the
    [Safe] files of layers 8, 12 and 16. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import Runs PrimInv.
From SeKVM.machine Require Import LockInit CellInv StateTac BottomPagesTac Rel.
From SeKVM.layers.LockOpsH Require Import Fair.
From SeKVM.layers.Locks Require Import Boot.
From SeKVM.layers.NPTOps Require Import Safe.
From SeKVM.layers.MmioSPTOps Require Import Safe.
From SeKVM.layers.PageManager Require Import Slots Refine.
From SeKVM.layers.MemManager Require Import Interface Natural Safe.
From SeKVM Require Import StackSafe StackFrames.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * The invariant *)

(** Tables and frames are well formed, also those that others will publish, and this CPU holds none of their locks. *)
Definition frames_inv (s : hstate) : Prop :=
  npts_ok ∅ s /\ spt_ok ∅ s /\ s2_ok s /\ c_held (st_s2 s) = false.

(** After a panic locks may be held. *)
Definition frames_good (r : res hstate) : Prop :=
  match r with
  | Ok _ s => frames_inv s
  | Halt s => (exists h, npts_ok h s) /\ (exists h, spt_ok h s) /\ s2_ok s
  end.

(** The part of it that is not about frames; an operation returns nothing. *)
Definition settled (r : res hstate) : Prop :=
  match r with
  | Ok v s => v = 0 /\ npts_ok ∅ s /\ spt_ok ∅ s /\ c_held (st_s2 s) = false
  | Halt s => (exists h, npts_ok h s) /\ (exists h, spt_ok h s)
  end.
Definition settles (o : option (res hstate)) : Prop := exists r, o = Some r /\ settled r.

Lemma settles_chk o : settles o -> settles (chk None o).
Proof. intros ([v s|s] & -> & G); [destruct G as [-> G]|]; (eexists; split; [reflexivity|]); [now split | exact G]. Qed.

Lemma settles_halt s : frames_inv s -> settles (Some (Halt s)).
Proof. intros (A & B & _). eexists. split; [reflexivity|]. split; eauto. Qed.

Lemma settles_denied c s : frames_inv s -> settles (denied c s).
Proof. intros (A & B & _). eexists. split; [reflexivity|]. split; eauto. Qed.

Lemma settles_publish c s : npts_ok ∅ s -> spt_ok ∅ s -> settles (publish c s).
Proof.
  intros A B. eexists. split; [reflexivity|]. split; [reflexivity|]. split; [exact A|]. split; [exact B | reflexivity].
Qed.

Lemma settles_frame pfn s k : frames_inv s ->
  (forall c, settles (k c (c_val c !! pfn))) -> settles (with_frame pfn s k).
Proof.
  intros (_ & _ & C & H) K. unfold with_frame. rewrite H. cbn [negb].
  rewrite (proj1 (acquire_ok _ _ C) pfn). apply K.
Qed.

(** Table work keeps what the rest of the operation needs. *)
Lemma settles_after_npt o c k s : frames_inv s -> (exists r, o = Some r /\ NPTWalk.Safe.good ∅ s r) ->
  (forall v s', npts_ok ∅ s' -> spt_ok ∅ s' -> settles (k v s')) -> settles (after o c k).
Proof.
  intros (_ & B & _) ([v s'|s'] & -> & G) K; cbn in G.
  - destruct G as (G & m & x & ->). exact (K v _ G B).
  - destruct G as (h & _ & G & m & x & ->). eexists. split; [reflexivity|]. split; [exists h; exact G | exists ∅; exact B].
Qed.

Lemma settles_after_spt o c k s : frames_inv s -> (exists r, o = Some r /\ spt_good ∅ s r) ->
  (forall v s', npts_ok ∅ s' -> spt_ok ∅ s' -> o = Some (Ok v s') -> settles (k v s')) -> settles (after o c k).
Proof.
  intros (A & _ & _) ([v s'|s'] & E & G) K; rewrite E; cbn in G.
  - destruct G as (G & m & x & ->). exact (K v (set_outs x (set_spt m s)) A G E).
  - destruct G as (h & _ & G & m & x & ->). eexists. split; [reflexivity|]. split; [exists ∅; exact A | exists h; exact G].
Qed.

Lemma no_npt_empty : no_npt ∅.
Proof. intros vm V. apply not_elem_of_empty. Qed.

(** * Each operation *)

Lemma lor_u64 a b : 0 <= a < 18446744073709551616 -> 0 <= b < 18446744073709551616 -> in_range U64 (Z.lor a b) = true.
Proof.
  intros A B. apply in_range_iff. change (modulus U64) with (2 ^ 64).
  assert (N : 0 <= Z.lor a b) by (apply Z.lor_nonneg; lia). split; [exact N|].
  destruct (Z.eq_dec (Z.lor a b) 0) as [->|D]; [lia|]. apply Z.log2_lt_pow2; [lia|]. rewrite Z.log2_lor by lia.
  apply Z.max_lub_lt.
  - destruct (Z.eq_dec a 0) as [->|]; [cbn; lia | apply Z.log2_lt_pow2; lia].
  - destruct (Z.eq_dec b 0) as [->|]; [cbn; lia | apply Z.log2_lt_pow2; lia].
Qed.

Lemma phys_u64 e b : 0 <= b < 18446744073709551616 -> in_range U64 (Z.lor (phys e) b) = true.
Proof. intros B. apply lor_u64; [|exact B]. unfold phys. pose proof (phys_range e). lia. Qed.

(** A result is checked once, and is of its C type. *)
Lemma p4_checked {S} t1 t2 t3 t4 f vs (s : S) : p4 None t1 t2 t3 t4 f vs s = chk None (p4 None t1 t2 t3 t4 f vs s).
Proof.
  unfold p4. destruct vs as [|a [|b [|c [|d [|]]]]]; try reflexivity.
  destruct (in_range t1 a), (in_range t2 b), (in_range t3 c), (in_range t4 d); try reflexivity.
  destruct (f a b c d s) as [[w u|u]|]; cbn [chk]; try reflexivity. destruct (w =? 0); reflexivity.
Qed.

Lemma p3_range {S} t t1 t2 t3 f vs (s : S) v s' : p3 (Some t) t1 t2 t3 f vs s = Some (Ok v s') -> in_range t v = true.
Proof.
  unfold p3. destruct vs as [|a [|b [|c [|]]]]; try discriminate.
  destruct (in_range t1 a), (in_range t2 b), (in_range t3 c); try discriminate. unfold chk.
  destruct (f a b c s) as [[w u|u]|]; try discriminate. destruct (in_range t w) eqn:R; [|discriminate].
  intros [= <- _]. exact R.
Qed.

(** The operations, with any arguments of their C types. *)
Inductive frame_call : ident * list Z -> Prop :=
| call_map_page_host a : in_range U64 a = true -> frame_call ("map_page_host", [a])
| call_clear_vm_page v p : in_range U32 v = true -> in_range U64 p = true -> frame_call ("clear_vm_page", [v; p])
| call_assign_vm v g p : in_range U32 v = true -> in_range U64 g = true -> in_range U64 p = true ->
    frame_call ("assign_pfn_to_vm", [v; g; p])
| call_map_pfn v a e l : in_range U32 v = true -> in_range U64 a = true -> in_range U64 e = true -> in_range U32 l = true ->
    frame_call ("map_pfn_vm", [v; a; e; l])
| call_map_io v a p : in_range U32 v = true -> in_range U64 a = true -> in_range U64 p = true ->
    frame_call ("map_vm_io", [v; a; p])
| call_grant v p : in_range U32 v = true -> in_range U64 p = true -> frame_call ("grant_vm_page", [v; p])
| call_revoke v p : in_range U32 v = true -> in_range U64 p = true -> frame_call ("revoke_vm_page", [v; p])
| call_assign_smmu v g p : in_range U32 v = true -> in_range U64 g = true -> in_range U64 p = true ->
    frame_call ("assign_pfn_to_smmu", [v; g; p])
| call_update v b i a e : in_range U32 v = true -> in_range U32 b = true -> in_range U32 i = true ->
    in_range U64 a = true -> in_range U64 e = true -> frame_call ("update_smmu_page", [v; b; i; a; e])
| call_unmap_page b i a : in_range U32 b = true -> in_range U32 i = true -> in_range U64 a = true ->
    frame_call ("unmap_smmu_page", [b; i; a]).

Lemma clear_work s pfn : frames_inv s -> in_range U64 pfn = true ->
  exists r, clear_pfn_host_spec [pfn] s = Some r /\ NPTWalk.Safe.good ∅ s r.
Proof. intros (A & _) R. exact (clear_safe ∅ s pfn A no_npt_empty R). Qed.

Lemma map_work s vm a lvl e : frames_inv s ->
  in_range U32 vm = true -> in_range U64 a = true -> in_range U32 lvl = true -> in_range U64 e = true ->
  exists r, map_s2pt_spec [vm; a; lvl; e] s = Some r /\ NPTWalk.Safe.good ∅ s r.
Proof. intros (A & _). exact (map_safe ∅ s vm a lvl e A no_npt_empty). Qed.

Lemma frame_call_settles f vs s : frame_call (f, vs) -> frames_inv s -> settles (call MemManager.Interface.L f vs s).
Proof.
  intros X I. pose proof I as (A & B & C & H).
  inversion X as [a Ra | v p Rv Rp | v g p Rv Rg Rp | v a e l Rv Ra Re Rl | v a p Rv Ra Rp | v p Rv Rp | v p Rv Rp
    | v g p Rv Rg Rp | v b i a e Rv Rb Ri Ra Re | b i a Rb Ri Ra]; subst.
  - change (settles (map_page_host_spec [a] s)). unfold map_page_host_spec, p1. rewrite Ra.
    apply settles_chk, settles_frame; [exact I|]; intros c.
    destruct (host_use _) as [dev|]; [|now apply settles_denied].
    apply (settles_after_npt _ _ _ s I); [|intros; now apply settles_publish]. apply map_work; auto.
    apply in_range_iff in Ra. change (modulus U64) with 18446744073709551616 in Ra.
    apply lor_u64; [pose proof (div_page_range a _ Ra); lia|]. destruct dev; unfold PAGE_S2_DEVICE, PAGE_S2; lia.
  - change (settles (clear_vm_page_spec [v; p] s)). unfold clear_vm_page_spec, p2. rewrite Rv, Rp.
    apply settles_chk, settles_frame; [exact I|]; intros c.
    destruct (reclaim v _); [|intros; now apply settles_publish].
    apply (settles_after_npt _ _ _ s I); [now apply clear_work | intros; now apply settles_publish].
  - change (settles (assign_pfn_to_vm_spec [v; g; p] s)). unfold assign_pfn_to_vm_spec, p3. rewrite Rv, Rg, Rp.
    destruct (_ && _); [|now apply settles_chk, settles_halt]. apply settles_chk, settles_frame; [exact I|]; intros c.
    destruct (claim v g _) as [[[|] q]|]; [|intros; now apply settles_publish | now apply settles_denied].
    apply (settles_after_npt _ _ _ s I); [now apply clear_work | intros; now apply settles_publish].
  - change (settles (map_pfn_vm_spec [v; a; e; l] s)). unfold map_pfn_vm_spec, p4. rewrite Rv, Ra, Re, Rl.
    assert (W : forall lvl b, in_range U32 lvl = true -> 0 <= b < 18446744073709551616 ->
              settles (chk None (map_s2pt_spec [v; a; lvl; Z.lor (phys e) b] s))).
    { intros lvl b Rb Bb. destruct (map_work s v a lvl _ I Rv Ra Rb (phys_u64 e b Bb)) as (r & E & G).
      pose proof (p4_checked _ _ _ _ _ _ _ : map_s2pt_spec [v; a; lvl; Z.lor (phys e) b] s = chk None (map_s2pt_spec _ s)) as E0.
      rewrite <- E0, E. exists r. split; [reflexivity|].
      destruct r as [w u|u]; cbn in G.
      - destruct G as (G & m & x & ->). rewrite E in E0. cbn [chk] in E0. destruct (Z.eqb_spec w 0) as [->|]; [|discriminate].
        split; [reflexivity|]. split; [exact G|]. split; [exact B | exact H].
      - destruct G as (h & _ & G & m & x & ->). split; [exists h; exact G | exists ∅; exact B]. }
    destruct (l =? 2); [destruct (_ =? 0)|].
    + apply W; [reflexivity | unfold BLOCK_S2; lia].
    + now apply settles_chk, settles_halt.
    + apply W; [reflexivity | unfold PAGE_S2; lia].
  - change (settles (map_vm_io_spec [v; a; p] s)). unfold map_vm_io_spec, p3. rewrite Rv, Ra, Rp.
    apply settles_chk, settles_frame; [exact I|]; intros c.
    destruct (c_val c !! frame_of p); [intros; now apply settles_publish|].
    apply (settles_after_npt _ _ _ s I); [|intros; now apply settles_publish]. apply map_work; auto.
    apply phys_u64. unfold PAGE_S2_DEVICE. lia.
  - change (settles (grant_vm_page_spec [v; p] s)). unfold grant_vm_page_spec, p2. rewrite Rv, Rp.
    apply settles_chk, settles_frame; [exact I|]; intros c.
    destruct (share v _); intros; now apply settles_publish.
  - change (settles (revoke_vm_page_spec [v; p] s)). unfold revoke_vm_page_spec, p2. rewrite Rv, Rp.
    apply settles_chk, settles_frame; [exact I|]; intros c.
    destruct (unshare v _) as [[[|] q]|]; [|intros; now apply settles_publish | intros; now apply settles_publish].
    apply (settles_after_npt _ _ _ s I); [now apply clear_work | intros; now apply settles_publish].
  - change (settles (assign_pfn_to_smmu_spec [v; g; p] s)). unfold assign_pfn_to_smmu_spec, p3. rewrite Rv, Rg, Rp.
    destruct (_ && _); [|now apply settles_chk, settles_halt]. apply settles_chk, settles_frame; [exact I|]; intros c.
    destruct (reserve v g _) as [[q|]|]; [|intros; now apply settles_publish | now apply settles_denied].
    apply (settles_after_npt _ _ _ s I); [now apply clear_work | intros; now apply settles_publish].
  - change (settles (update_smmu_page_spec map_spt_spec [v; b; i; a; e] s)). unfold update_smmu_page_spec.
    rewrite Rv, Rb, Ri, Ra, Re. destruct (v <? 16); [|now apply settles_halt].
    apply settles_frame; [exact I|]. intros c.
    destruct (device_use v _ _) as [q|]; [|now apply settles_denied].
    apply (settles_after_spt _ _ _ s I); [|intros; now apply settles_publish].
    apply map_spt_safe; auto. apply not_elem_of_empty.
  - change (settles (unmap_smmu_page_spec unmap_spt_spec [b; i; a] s)). unfold unmap_smmu_page_spec, p3.
    rewrite Rb, Ri, Ra, H. cbn [negb]. apply settles_chk.
    pose proof (proj1 (acquire_ok _ _ C)) as F. set (c := acquire_cell (st_s2 s)) in *.
    apply (settles_after_spt _ _ _ s I).
    + apply unmap_spt_safe; auto. apply not_elem_of_empty.
    + intros e s' A' B' E.
      pose proof (p3_range _ _ _ _ _ _ _ _ _ E) as Re.
      rewrite Re, (F (frame_of e)).
      destruct (device_unuse _); [destruct (_ =? 0)|]; intros; now apply settles_publish.
Qed.

(** Read: every operation on frames, with any arguments of its C types, runs to its end or to a panic, and tables and frames
    keep their invariants. *)
Theorem frame_call_safe f vs s : frame_call (f, vs) -> frames_inv s ->
  exists r, call MemManager.Interface.L f vs s = Some r /\ frames_good r.
Proof.
  intros X I. destruct (frame_call_settles f vs s X I) as (r & E & G). exists r. split; [exact E|].
  assert (K : res_all s2_ok (Some r)).
  { pose proof I as (_ & _ & C & _).
    apply (MemManager_keeps_frames map_spt_spec unmap_spt_spec f vs s r C). rewrite <- E. inversion X; reflexivity. }
  destruct r as [v s'|s']; cbn in G, K |- *.
  - destruct G as (_ & A & B & H). split; [exact A|]. split; [exact B|]. split; [exact K | exact H].
  - destruct G as (A & B). split; [exact A|]. split; [exact B | exact K].
Qed.

Lemma frame_run_safe cs : Forall frame_call cs -> forall s, frames_inv s ->
  exists r, run_calls (call MemManager.Interface.L) cs s = Some r /\ frames_good r.
Proof.
  induction 1 as [|[f vs] cs X _ IH]; intros s I; cbn [run_calls].
  - eexists. split; [reflexivity | exact I].
  - destruct (frame_call_safe f vs s X I) as ([v s'|s'] & -> & G).
    + exact (IH s' G).
    + eexists. split; [reflexivity | exact G].
Qed.

(** * From the initial state of the bottom machine *)

Lemma page_frame_ok q : page_ok q -> frame_ok (Some q) = true.
Proof.
  destruct q as [k|v u g|]; cbn; [intros K | intros (V & K & G) | reflexivity].
  - unfold INVALID in *. bool_goal.
  - unfold is_guest, COREVISOR, INVALID, INVALID64 in *.
    apply andb_true_iff; split; [apply andb_true_iff; split; [bool_goal|]|].
    + destruct u; [bool_goal | reflexivity].
    + destruct g; [bool_goal | reflexivity].
Qed.

(** A map of frames that stands for an ownership table is well formed. *)
Lemma RP_frames_ok l p m : RP l p m -> frames_ok p.
Proof.
  intros X pfn. specialize (X pfn). destruct (frame_slot l pfn).
  - destruct X as (q & -> & O & _). now apply page_frame_ok.
  - now rewrite X.
Qed.

Lemma init_frames_inv maps smaps pages w : maps_of w maps smaps -> firmware_ok (boot_mem (w_boot w)) = true ->
  Forall2 (Forall2 (event_rel (RP (boot_mem (w_boot w))))) pages (w_s2 w) ->
  frames_inv (init_frames maps smaps pages w).
Proof.
  intros Mp FW S. destruct (init_inv maps smaps w Mp) as (A & B & _).
  split; [exact A|]. split; [exact B|]. split; [|reflexivity]. split; cbn.
  - apply (RP_frames_ok (boot_mem (w_boot w)) _ ∅).
    apply RP_decode; [now apply andb_true_iff in FW as [? _] | apply table0_ok].
  - refine (script_ok _ _ _ _ _ S). intros p m. apply RP_frames_ok.
Qed.

(** Read: start the bottom machine with any value [n] of the ticket counters and a well-formed map of memory; let the other
    CPUs behave fairly on every lock, and leave tables and owners that mean something.  Then the linked program makes every
    sequence of operations on frames, to its end or to a panic, and what its last state means satisfies the invariant. *)
Theorem frames_safe n w B sc maps smaps pages cs :
  0 <= n < 4294967296 -> is_cpu (w_cpu w) = true -> fair_scripts (w_cpu w) B sc ->
  firmware_ok (boot_mem (w_boot w)) = true -> maps_of (world_of w sc) maps smaps ->
  Forall2 (Forall2 (event_rel (RP (boot_mem (w_boot w))))) pages (w_s2 (world_of w sc)) ->
  Forall frame_call cs ->
  exists r', runs (flat frames_program (graph L0)) cs (init0 n w sc) r' /\
    exists r, res_rel R_frames r r' /\ frames_good r.
Proof.
  intros Rn Cp Fa FW Mp S Cs.
  destruct (frame_run_safe cs Cs _ (init_frames_inv maps smaps pages (world_of w sc) Mp FW S)) as (r & E & G).
  pose proof (frames_boot n w B sc maps smaps pages Rn Cp Fa FW (proj1 Mp) (proj2 Mp) S) as V.
  destruct (refines_runs R_frames _ _ frames_stack cs _ _ (run_calls_runs _ _ _ _ E) _ V) as (r' & X & Y).
  exists r'. split; [exact X|]. exists r. auto.
Qed.
