(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 9, MmioPTAlloc: its specifications say something.  From the initial state of any
    world whose other CPUs keep the pools' invariant, every run that takes the lock of the
    SMMU tables before it allocates is defined to its end or to a panic, and the invariant
    holds afterwards; a page handed out is an aligned page of its pool that was not handed
    out before.  Rests on [Spec] and on what PTAlloc says of pools. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init CellInv StateTac BottomTac.
From SeKVM.layers.PTAlloc Require Import Safe.
From SeKVM.layers.NPTWalk Require Refine.
From SeKVM.layers.MmioPTAlloc Require Import Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * The invariant *)

Definition pools_ok (x : sptab) : Prop :=
  bump_ok SMMU_PGD_START SMMU_PMD_START (spt_pgd_next x) /\ bump_ok SMMU_PMD_START SMMU_POOL_END (spt_pmd_next x).

(** [h]: this CPU holds the lock of the tables. *)
Definition smmu_inv {N P} (h : bool) (s : St cell N sptab P) : Prop :=
  c_held (st_spt s) = h /\ cell_ok pools_ok (st_spt s).

Lemma spt0_ok : pools_ok spt0.
Proof. split; split; reflexivity || (cbn; unfold SMMU_PGD_START, SMMU_PMD_START, SMMU_POOL_END; lia). Qed.

Theorem init_smmu_inv maps w : Forall (Forall (fun e => pools_ok (snd e))) (w_spt w) ->
  smmu_inv false (NPTWalk.Refine.init_maps maps w).
Proof. intros W. split; [reflexivity|]. split; [exact spt0_ok | exact W]. Qed.

(** * Each call *)

Lemma acquire_spt_safe (s : nstate) : smmu_inv false s ->
  exists s', call MmioPTAlloc.Spec.L "acquire_lock_spt" [] s = Some (Ok 0 s') /\ smmu_inv true s'.
Proof.
  intros [H C]. exists (set_spt (acquire_cell (st_spt s)) s). split.
  - change (call MmioPTAlloc.Spec.L "acquire_lock_spt" [] s) with (acquire_obj st_spt set_spt [] s).
    unfold acquire_obj, p0. now rewrite H.
  - split; [reflexivity | now apply acquire_ok].
Qed.

Lemma release_spt_safe (s : nstate) : smmu_inv true s ->
  exists s', call MmioPTAlloc.Spec.L "release_lock_spt" [] s = Some (Ok 0 s') /\ smmu_inv false s'.
Proof.
  intros [H C]. exists (set_spt (release_cell (cpu_id (st_cpu s)) (st_spt s)) s). split.
  - change (call MmioPTAlloc.Spec.L "release_lock_spt" [] s) with (release_obj st_spt set_spt [] s).
    unfold release_obj, p0. now rewrite H.
  - split; [reflexivity | now apply release_ok].
Qed.

(** One of the two allocators: how it reads and moves its pointer. *)
Definition smmu_lens_ok (next : sptab -> Z) (set_next : Z -> sptab -> sptab) (lo hi : Z) : Prop :=
  (forall x, pools_ok x -> bump_ok lo hi (next x)) /\
  (forall x p, pools_ok x -> bump_ok lo hi p -> pools_ok (set_next p x)) /\
  (forall x p, next (set_next p x) = p) /\ 0 <= lo /\ hi < 2 ^ 48.

Lemma alloc_smmu_safe {N P} next set_next lo hi (s : St cell N sptab P) : smmu_lens_ok next set_next lo hi -> smmu_inv true s ->
  exists r, alloc_smmu next set_next lo hi [] s = Some r /\
    match r with
    | Ok p s' => smmu_inv true s' /\ fresh_page lo hi (next (c_val (st_spt s))) (next (c_val (st_spt s'))) p
    | Halt s' => s' = s
    end.
Proof.
  intros (B1 & B2 & B3 & B4 & B5) [H C]. pose proof (B1 _ (proj1 C)) as [[P1 P2] P3]. change (2 ^ 48) with 281474976710656 in B5.
  unfold alloc_smmu, p0. rewrite H. replace (_ && _) with true by (symmetry; bool_goal).
  destruct (Z.leb_spec (next (c_val (st_spt s)) + PAGE) hi) as [F|F].
  - cbn [chk]. replace (in_range U64 (next (c_val (st_spt s)))) with true by (symmetry; unfold PAGE in F; bool_goal).
    eexists. split; [reflexivity|]. split; [split|].
    + exact H.
    + apply (set_val_ok _ _ _ C), B2; [exact (proj1 C)|]. apply bump_next; [repeat split; assumption | exact F].
    + cbn. rewrite B3. repeat split; auto.
  - eexists. split; reflexivity.
Qed.

(** * Whole runs *)

Definition smmu_allocators : list ident := ["alloc_smmu_pgd_page"; "alloc_smmu_pmd_page"].

(** Runs that hold the lock whenever they allocate; [h] as in [smmu_inv]. *)
Inductive smmu_polite : bool -> list (ident * list Z) -> Prop :=
| smmu_polite_nil h : smmu_polite h []
| smmu_polite_acquire cs : smmu_polite true cs -> smmu_polite false (("acquire_lock_spt", []) :: cs)
| smmu_polite_release cs : smmu_polite false cs -> smmu_polite true (("release_lock_spt", []) :: cs)
| smmu_polite_alloc f cs : In f smmu_allocators -> smmu_polite true cs -> smmu_polite true ((f, []) :: cs).

Lemma smmu_allocator_safe f (s : nstate) : In f smmu_allocators -> smmu_inv true s ->
  exists r, call MmioPTAlloc.Spec.L f [] s = Some r /\ match r with Ok _ s' | Halt s' => smmu_inv true s' end.
Proof.
  intros A I. assert (X : exists next set_next lo hi, smmu_lens_ok next set_next lo hi /\
    call MmioPTAlloc.Spec.L f [] s = alloc_smmu next set_next lo hi [] s).
  { unfold smmu_lens_ok, pools_ok. cbn in A. destruct A as [<-|[<-|[]]]; do 4 eexists; (split; [|reflexivity]); cbn;
      (split; [intros x X; apply X|]); (split; [intros x p X Y; cbn; tauto|]);
      unfold SMMU_PGD_START, SMMU_PMD_START, SMMU_POOL_END; repeat split; lia. }
  destruct X as (next & set_next & lo & hi & X & ->).
  destruct (alloc_smmu_safe next set_next lo hi s X I) as ([v t|t] & -> & G).
  - eexists. split; [reflexivity | exact (proj1 G)].
  - eexists. split; [reflexivity|]. now subst t.
Qed.

Theorem MmioPTAlloc_run_safe h cs : smmu_polite h cs -> forall s : nstate, smmu_inv h s ->
  exists r, run_calls (call MmioPTAlloc.Spec.L) cs s = Some r /\
            exists h', match r with Ok _ s' | Halt s' => smmu_inv h' s' end.
Proof.
  induction 1 as [h | cs X IH | cs X IH | f cs A X IH]; intros s I; cbn [run_calls].
  - eexists. split; [reflexivity|]. exists h. exact I.
  - destruct (acquire_spt_safe s I) as (s' & -> & I'). exact (IH s' I').
  - destruct (release_spt_safe s I) as (s' & -> & I'). exact (IH s' I').
  - destruct (smmu_allocator_safe f s A I) as ([v t|t] & -> & I').
    + exact (IH t I').
    + eexists. split; [reflexivity|]. exists true. exact I'.
Qed.

(** Read: start the machine in any world whose other CPUs keep the pools' invariant; make
    any polite calls; every call is defined, up to the end or to a panic, and the invariant
    holds where the run ends. *)
Corollary MmioPTAlloc_top_safe maps w cs : Forall (Forall (fun e => pools_ok (snd e))) (w_spt w) -> smmu_polite false cs ->
  exists r, run_calls (call MmioPTAlloc.Spec.L) cs (NPTWalk.Refine.init_maps maps w) = Some r /\
            exists h, match r with Ok _ s | Halt s => smmu_inv h s end.
Proof. intros W X. exact (MmioPTAlloc_run_safe false cs X _ (init_smmu_inv maps w W)). Qed.

(** The premises can be met: a neighbour that has taken a page of each pool, and a run. *)
Example world_with_neighbour :
  Forall (Forall (fun e => pools_ok (snd e))) [[(1, mkspt (SMMU_PGD_START + 4096) (SMMU_PMD_START + 4096) ∅)]].
Proof.
  repeat constructor; cbn; unfold SMMU_PGD_START, SMMU_PMD_START, SMMU_POOL_END; lia.
Qed.

Example polite_run :
  smmu_polite false [("acquire_lock_spt", []); ("alloc_smmu_pgd_page", []); ("alloc_smmu_pmd_page", []); ("release_lock_spt", [])].
Proof.
  apply smmu_polite_acquire, smmu_polite_alloc; [cbn; auto|]. apply smmu_polite_alloc; [cbn; auto|].
  apply smmu_polite_release, smmu_polite_nil.
Qed.
