(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 5, PTAlloc: its specifications say something.  From the initial state of
    any world whose other CPUs keep the tables' invariant, every run that takes a
    table's lock before it allocates is defined to its end or to a panic, and the
    invariant holds afterwards; a page handed out is an aligned page of its pool that
    was not handed out before.  Rests on [Spec] and [Init]. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init CellInv StateTac BottomTac.
From SeKVM.layers.PTAlloc Require Import Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * The invariant *)

(** A bump pointer is a page boundary in its pool, its end included. *)
Definition bump_ok (lo hi p : Z) : Prop := lo <= p <= hi /\ p mod PAGE = 0.

Definition npt_ok (vm : Z) (t : npt) : Prop :=
  bump_ok (pgd_start vm) (pud_start vm) (pgd_next t) /\
  bump_ok (pud_start vm) (pmd_start vm) (pud_next t) /\
  bump_ok (pmd_start vm) (pool_end vm) (pmd_next t).

(** [h] is the set of VMs whose table this CPU has locked. *)
Definition inv {M P} (h : gset Z) (s : St cell npt M P) : Prop :=
  forall vm, 0 <= vm < 17 -> exists c,
    st_npts s !! vm = Some c /\ c_held c = bool_decide (vm ∈ h) /\ cell_ok (npt_ok vm) c.

(** The worlds in which the other CPUs keep the invariant. *)
Definition world_ok (w : world) : Prop :=
  forall vm, 0 <= vm < 17 -> Forall (Forall (fun e => npt_ok vm (snd e))) (w_npts w vm).

Lemma npt0_ok vm : 0 <= vm < 17 -> npt_ok vm (npt0 vm).
Proof.
  intros V. unfold npt_ok, bump_ok, npt0. cbn [pgd_next pud_next pmd_next].
  autounfold with consts. repeat split; Z.div_mod_to_equations; lia.
Qed.

Theorem init_inv w : world_ok w -> inv ∅ (init w).
Proof.
  intros W vm V. unfold init. cbn [st_npts]. rewrite lookup_table by exact V.
  eexists. split; [reflexivity|]. split; [symmetry; now apply bool_decide_eq_false|].
  split; [now apply npt0_ok | exact (W vm V)].
Qed.

(** The other CPUs may keep the invariant: the quiet world is one example. *)
Lemma quiet_ok n : world_ok (quiet n).
Proof. intros vm V. constructor. Qed.

(** * Each call *)

(** Changing one table keeps the invariant of all. *)
Lemma inv_update {M P} h h' (s : St cell npt M P) vm c :
  inv h s -> 0 <= vm < 17 -> c_held c = bool_decide (vm ∈ h') -> cell_ok (npt_ok vm) c ->
  (forall vm', vm' <> vm -> (vm' ∈ h' <-> vm' ∈ h)) ->
  inv h' (set_npts (<[vm := c]> (st_npts s)) s).
Proof.
  intros I V H C O vm' V'. cbn [st_npts set_npts]. destruct (decide (vm' = vm)) as [->|N].
  - exists c. now rewrite lookup_insert.
  - destruct (I vm' V') as (c' & E & H' & C'). exists c'. rewrite lookup_insert_ne by auto.
    split; [exact E|]. split; [|exact C']. rewrite H'. apply bool_decide_ext. symmetry. now apply O.
Qed.

Lemma acquire_safe h (s : state) vm : inv h s -> 0 <= vm < 17 -> vm ∉ h ->
  exists s', call PTAlloc.Spec.L "acquire_lock_pt" [vm] s = Some (Ok 0 s') /\ inv ({[vm]} ∪ h) s'.
Proof.
  intros I V N. destruct (I vm V) as (c & E & H & C).
  rewrite bool_decide_eq_false_2 in H by exact N.
  eexists. split.
  - do_call. rewrite E, H. innermost resolve. cbn. reflexivity.
  - apply (inv_update h); auto using acquire_ok.
    + cbn. symmetry. apply bool_decide_eq_true. set_solver.
    + set_solver.
Qed.

Lemma release_safe h (s : state) vm : inv h s -> 0 <= vm < 17 -> vm ∈ h ->
  exists s', call PTAlloc.Spec.L "release_lock_pt" [vm] s = Some (Ok 0 s') /\ inv (h ∖ {[vm]}) s'.
Proof.
  intros I V N. destruct (I vm V) as (c & E & H & C).
  rewrite bool_decide_eq_true_2 in H by exact N.
  eexists. split.
  - do_call. rewrite E, H. innermost resolve. cbn. reflexivity.
  - apply (inv_update h); auto using release_ok.
    + cbn. symmetry. apply bool_decide_eq_false. set_solver.
    + set_solver.
Qed.

(** What a successful allocation returns: a whole aligned page of the pool, the one
    at the bump pointer, which moves past it; so pages are handed out once. *)
Definition fresh_page (lo hi old new p : Z) : Prop :=
  p = old /\ new = p + PAGE /\ lo <= p /\ p + PAGE <= hi /\ p mod PAGE = 0.

Lemma bump_next lo hi p : bump_ok lo hi p -> p + PAGE <= hi -> bump_ok lo hi (p + PAGE).
Proof.
  unfold bump_ok, PAGE. intros [A B] C. split; [lia|]. rewrite <- B.
  exact (Z_mod_plus_full p 1 4096).
Qed.

(** One of the three allocators: how it reads and moves its pointer. *)
Definition lens_ok (vm : Z) (next : npt -> Z) (set_next : Z -> npt -> npt) (lo hi : Z -> Z) : Prop :=
  (forall t, npt_ok vm t -> bump_ok (lo vm) (hi vm) (next t)) /\
  (forall t p, npt_ok vm t -> bump_ok (lo vm) (hi vm) p -> npt_ok vm (set_next p t)) /\
  (forall t p, next (set_next p t) = p) /\
  0 <= lo vm /\ hi vm < 2 ^ 48.

Lemma alloc_safe next set_next lo hi h (s : state) vm :
  lens_ok vm next set_next lo hi -> inv h s -> 0 <= vm < 17 -> vm ∈ h ->
  exists r, alloc next set_next lo hi [vm] s = Some r /\
    match r with
    | Ok p s' =>
        inv h s' /\
        exists c c', st_npts s !! vm = Some c /\ st_npts s' !! vm = Some c' /\
          fresh_page (lo vm) (hi vm) (next (c_val c)) (next (c_val c')) p
    | Halt s' => s' = s
    end.
Proof.
  intros (B1 & B2 & B3 & B4 & B5) I V N. destruct (I vm V) as (c & E & H & C).
  rewrite bool_decide_eq_true_2 in H by exact N.
  pose proof (B1 _ (proj1 C)) as [[P1 P2] P3]. change (2 ^ 48) with 281474976710656 in B5.
  unfold alloc. prim_unfold. autounfold with consts.
  rewrite E, H. repeat innermost resolve.
  destruct (next (c_val c) + 4096 <=? hi vm) eqn:F; boolprop.
  - innermost resolve. eexists. split; [reflexivity|]. cbn beta iota. split.
    + apply (inv_update h); auto.
      * cbn. rewrite H. symmetry. now apply bool_decide_eq_true.
      * apply set_val_ok; [exact C|]. apply B2; [exact (proj1 C)|].
        apply bump_next; [repeat split; assumption | exact F].
    + exists c. eexists. split; [reflexivity|]. split; [cbn; apply lookup_insert|].
      cbn. rewrite B3. repeat split; auto.
  - eexists. split; [reflexivity | reflexivity].
Qed.

(** * Whole runs *)

Definition allocators : list ident := ["alloc_pgd_page"; "alloc_pud_page"; "alloc_pmd_page"].

(** Runs that hold a table's lock whenever they allocate from it; [h] as in [inv]. *)
Inductive polite : gset Z -> list (ident * list Z) -> Prop :=
| polite_nil h : polite h []
| polite_acquire h vm cs :
    0 <= vm < 17 -> vm ∉ h -> polite ({[vm]} ∪ h) cs -> polite h (("acquire_lock_pt", [vm]) :: cs)
| polite_release h vm cs :
    0 <= vm < 17 -> vm ∈ h -> polite (h ∖ {[vm]}) cs -> polite h (("release_lock_pt", [vm]) :: cs)
| polite_alloc h f vm cs :
    0 <= vm < 17 -> vm ∈ h -> In f allocators -> polite h cs -> polite h ((f, [vm]) :: cs).

Lemma allocator_safe f h (s : state) vm : In f allocators -> inv h s -> 0 <= vm < 17 -> vm ∈ h ->
  exists r, call PTAlloc.Spec.L f [vm] s = Some r /\ match r with Ok _ s' | Halt s' => inv h s' end.
Proof.
  intros A I V N.
  assert (X : exists next set_next lo hi, lens_ok vm next set_next lo hi /\
              call PTAlloc.Spec.L f [vm] s = alloc next set_next lo hi [vm] s).
  { unfold lens_ok, npt_ok. cbn in A. destruct A as [<-|[<-|[<-|[]]]];
      do 4 eexists; (split; [|reflexivity]); cbn;
      (split; [intros t X; apply X|]);
      (split; [intros t p X Y; cbn; tauto|]); autounfold with consts; repeat split; lia. }
  destruct X as (next & set_next & lo & hi & X & ->).
  destruct (alloc_safe next set_next lo hi h s vm X I V N) as ([v t|t] & -> & G).
  - eexists. split; [reflexivity | exact (proj1 G)].
  - eexists. split; [reflexivity|]. cbn in G |- *. now subst t.
Qed.

Theorem PTAlloc_run_safe cs : forall h (s : state), polite h cs -> inv h s ->
  exists r, run_calls (call PTAlloc.Spec.L) cs s = Some r /\
            exists h', match r with Ok _ s' | Halt s' => inv h' s' end.
Proof.
  intros h s X. revert s.
  induction X as [h | h vm cs V N X IH | h vm cs V N X IH | h f vm cs V N A X IH]; intros s I; cbn [run_calls].
  - eexists. split; [reflexivity|]. exists h. exact I.
  - destruct (acquire_safe h s vm I V N) as (s' & -> & I'). exact (IH s' I').
  - destruct (release_safe h s vm I V N) as (s' & -> & I'). exact (IH s' I').
  - destruct (allocator_safe f h s vm A I V N) as ([v t|t] & -> & I').
    + exact (IH t I').
    + eexists. split; [reflexivity|]. exists h. exact I'.
Qed.

(** Read: start the machine in any world whose other CPUs keep the tables'
    invariant; make any polite calls; then every call is defined, up to the end or to
    a panic, and the invariant holds where the run ends. *)
Corollary PTAlloc_top_safe w cs : world_ok w -> polite ∅ cs ->
  exists r, run_calls (call PTAlloc.Spec.L) cs (init w) = Some r /\
            exists h, match r with Ok _ s | Halt s => inv h s end.
Proof. intros W X. exact (PTAlloc_run_safe cs ∅ (init w) X (init_inv w W)). Qed.
