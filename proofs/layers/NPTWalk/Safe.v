(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 7, NPTWalk: its specifications say something.  The leaves of a table are
    pages and blocks of 64 bits; updates keep that; and while this CPU holds
    the lock of a VM's table, every call on it is defined, to its end or to a panic.  So
    what the specifications rely on is a fact for who holds the lock, which is NPTOps.
    Rests on [Spec]; used by the safety theorems above. *)
From SeKVM.machine Require Import CellInv StateTac BottomTac.
From SeKVM.pagetable Require Export Leaves.
From SeKVM.layers.NPTWalk Require Import Spec Steps.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Values *)

Lemma level_u32 p g : in_range U32 (level p g) = true.
Proof. apply in_range_iff. pose proof (level_range p g). ranges_goal. lia. Qed.

Lemma entry_u64 G p g : leaves_ok G p -> 0 <= g < pages G -> in_range U64 (entry p g) = true.
Proof.
  intros O R. apply in_range_iff. unfold entry.
  destruct (leaves p !! g) as [[l e]|] eqn:E; [exact (proj1 (O _ _ _ R E)) | cbn; lia].
Qed.

(** A page is a good leaf, and a block that does not read as a link. *)
Lemma page_leaf vm e : in_range U64 e = true -> leaf_ok (npt_geom vm) 3 e.
Proof. intros R. apply in_range_iff in R. split; [exact R|]. split; [cbn; lia|]. split; [reflexivity | cbn; lia]. Qed.

Lemma block_leaf vm e : in_range U64 e = true -> Z.land e 3 <> 3 -> leaf_ok (npt_geom vm) 2 e.
Proof.
  intros R N. apply in_range_iff in R. split; [exact R|]. split; [cbn; lia|]. split; [|reflexivity].
  unfold is_link. apply Z.eqb_neq in N. now rewrite N, andb_false_r.
Qed.

(** * The invariant *)

Section Inv.
  Context {M P : Type}.
  Notation St := (St cell pmap M P).

  (** The tables of all VMs are there and have good leaves, also those that others will
      publish; [h] is the set of locks that this CPU holds. *)
  Definition npts_ok (h : gset Z) (s : St) : Prop :=
    forall vm, 0 <= vm < 17 -> exists c,
      st_npts s !! vm = Some c /\ c_held c = bool_decide (lock_npt vm ∈ h) /\ cell_ok (leaves_ok (npt_geom vm)) c.

  (** [h] and [h'] have the same locks but those of stage-2 tables. *)
  Definition same_but_npt (h h' : gset Z) : Prop :=
    forall k, k < lock_npt 0 \/ lock_vm 0 <= k -> k ∈ h <-> k ∈ h'.

  (** Only the tables and the outputs differ; no other object differs. *)
  Definition npts_changed (s s' : St) : Prop := exists m o, s' = set_outs o (set_npts m s).
  Definition npts_only (s s' : St) : Prop :=
    st_core s' = st_core s /\ st_s2 s' = st_s2 s /\ st_spt s' = st_spt s /\ st_smmu s' = st_smmu s /\ st_vms s' = st_vms s.

  (** A result: the same locks as before; after a panic that of a table may be held. *)
  Definition good (h : gset Z) (s : St) (r : res St) : Prop :=
    match r with
    | Ok _ s' => npts_ok h s' /\ npts_changed s s'
    | Halt s' => exists h', same_but_npt h h' /\ npts_ok h' s' /\ npts_changed s s'
    end.

  Lemma changed_same s : npts_changed s s.
  Proof. exists (st_npts s), (st_outs s). now destruct s. Qed.

  Lemma changed_npts m s : npts_changed s (set_npts m s).
  Proof. exists m, (st_outs s). now destruct s. Qed.

  Lemma changed_only s s' : npts_changed s s' -> npts_only s s'.
  Proof. intros (m & o & ->). repeat split. Qed.

  (** One table is replaced. *)
  Lemma npts_ok_insert h h' s vm c : npts_ok h s -> 0 <= vm < 17 ->
    c_held c = bool_decide (lock_npt vm ∈ h') -> cell_ok (leaves_ok (npt_geom vm)) c ->
    (forall k, k <> lock_npt vm -> k ∈ h <-> k ∈ h') -> npts_ok h' (set_npts (<[vm := c]> (st_npts s)) s).
  Proof.
    intros I V H C O vm' V'. cbn [st_npts set_npts]. destruct (decide (vm' = vm)) as [->|N].
    - exists c. now rewrite lookup_insert.
    - destruct (I vm' V') as (c' & E & H' & C'). exists c'. rewrite lookup_insert_ne by auto.
      split; [exact E|]. split; [|exact C']. rewrite H'. apply bool_decide_ext, O. unfold lock_npt. lia.
  Qed.

  Lemma vmid_range vm : 0 <= vm < 17 -> in_range U32 vm = true /\ is_vmid vm = true.
  Proof.
    intros V. split; [apply in_range_iff; ranges_goal; lia|].
    unfold is_vmid. apply andb_true_iff. split; [apply Z.leb_le | apply Z.ltb_lt]; lia.
  Qed.

  (** * Calls *)

  Lemma look_safe h (s : St) vm a rt f : npts_ok h s -> 0 <= vm < 17 -> lock_npt vm ∈ h -> in_range U64 a = true ->
    (forall p, leaves_ok (npt_geom vm) p -> in_range rt (f p (page_number a)) = true) ->
    exists r, p2 (Some rt) U32 U64 (fun vm a s =>
        some c := st_npts s !! vm; rely c_held c; rely is_vmid vm; ret (f (c_val c) (page_number a)) s) [vm; a] s = Some r /\
      good h s r.
  Proof.
    intros I V L A F. destruct (vmid_range vm V) as [R1 R2]. destruct (I vm V) as (c & E & H & C).
    unfold p2. rewrite R1, A, E, H, R2, bool_decide_eq_true_2 by exact L. cbn [chk]. rewrite (F _ (proj1 C)).
    eexists. split; [reflexivity|]. split; [exact I | apply changed_same].
  Qed.

  Lemma update_safe h (s : St) vm a target g e c : npts_ok h s -> 0 <= vm < 17 -> lock_npt vm ∈ h ->
    st_npts s !! vm = Some c -> cell_ok (leaves_ok (npt_geom vm)) c -> c_held c = true ->
    leaf_ok (npt_geom vm) target e ->
    exists r, chk None (update vm a (pset (npt_geom vm) target g e (c_val c)) s) = Some r /\ good h s r.
  Proof.
    intros I V L E C H Le. destruct (vmid_range vm V) as [_ R2].
    pose proof (pset_ok _ (npt_geom_ok vm R2) target g e (c_val c) Le (proj1 C)) as O.
    assert (K : forall q, leaves_ok (npt_geom vm) q -> npts_ok h (set_npts (<[vm := set_val q c]> (st_npts s)) s)).
    { intros q Q. apply (npts_ok_insert h); auto.
      - cbn. rewrite H. symmetry. now apply bool_decide_eq_true.
      - now apply set_val_ok. }
    unfold update. rewrite E.
    destruct (pset (npt_geom vm) target g e (c_val c)) as [q|q|q]; cbn [chk Z.eqb]; (eexists; split; [reflexivity|]).
    - split; [exact (K q O) | do 2 eexists; reflexivity].
    - exists h. split; [now intros k|]. split; [exact (K q O) | apply changed_npts].
    - exists h. split; [now intros k|]. split; [exact (K q O) | apply changed_npts].
  Qed.

  Lemma set_npt_safe h (s : St) vm a lvl e : npts_ok h s -> 0 <= vm < 17 -> lock_npt vm ∈ h ->
    in_range U64 a = true -> in_range U32 lvl = true -> in_range U64 e = true ->
    exists r, set_npt_spec [vm; a; lvl; e] s = Some r /\ good h s r.
  Proof.
    intros I V L Ra Rl Re. destruct (vmid_range vm V) as [R1 R2]. destruct (I vm V) as (c & E & H & C).
    rewrite bool_decide_eq_true_2 in H by exact L.
    unfold set_npt_spec, p4. rewrite R1, Ra, Rl, Re, E, H, R2. destruct (lvl =? 2).
    - destruct (Z.eqb_spec (Z.land e 3) 3) as [K|K].
      + eexists. split; [reflexivity|]. exists h. split; [now intros k|]. split; [exact I | apply changed_same].
      + apply update_safe; auto. now apply block_leaf.
    - apply update_safe; auto. now apply page_leaf.
  Qed.

  (** An access: the tables stay as they are, whatever happens to memory and registers. *)
  Definition accessed (h : gset Z) (s : St) (r : res St) : Prop :=
    match r with Ok _ s' | Halt s' => npts_ok h s' /\ npts_only s s' end.

  Lemma access_safe h (s : St) permission (f : Z -> reg -> St -> St) vm a r :
    (forall pa x t, st_npts (f pa x t) = st_npts t /\ npts_only t (f pa x t)) ->
    npts_ok h s -> (forall vm, 0 <= vm < 17 -> lock_npt vm ∉ h) ->
    in_range U32 vm = true -> in_range U64 a = true -> in_range U32 r = true ->
    exists q, mem_access permission f [vm; a; r] s = Some q /\ accessed h s q.
  Proof.
    intros K I L Rv Ra Rr. unfold mem_access, p3. rewrite Rv, Ra, Rr. destruct (is_vmid vm) eqn:V; cbn [negb].
    2:{ eexists. split; [reflexivity|]. split; [exact I | repeat split]. }
    destruct (if in_memory a then user_reg r else None) as [x|].
    2:{ eexists. split; [reflexivity|]. split; [exact I | repeat split]. }
    assert (B : 0 <= vm < 17) by (unfold is_vmid in V; boolprop; lia).
    destruct (I vm B) as (c & E & H & C). rewrite bool_decide_eq_false_2 in H by exact (L vm B). rewrite E, H. cbn [negb].
    assert (J : npts_ok h (set_npts (<[vm := release_cell (cpu_id (st_cpu s)) (acquire_cell c)]> (st_npts s)) s)).
    { apply (npts_ok_insert h); auto using release_ok, acquire_ok. cbn. symmetry. now apply bool_decide_eq_false, L. }
    destruct (translate _ _ _) as [pa|]; cbn [chk]; (eexists; split; [reflexivity|]).
    - destruct (K pa x (set_npts (<[vm := release_cell (cpu_id (st_cpu s)) (acquire_cell c)]> (st_npts s)) s)) as [N O].
      split; [|exact O]. intros vm' V'. rewrite N. exact (J vm' V').
    - split; [exact J | repeat split].
  Qed.
End Inv.

(** A call on a VM's table under its lock. *)
Inductive locked_call (h : gset Z) : ident * list Z -> Prop :=
| call_npt_level vm a : 0 <= vm < 17 -> lock_npt vm ∈ h -> in_range U64 a = true ->
    locked_call h ("get_npt_level", [vm; a])
| call_walk_npt vm a : 0 <= vm < 17 -> lock_npt vm ∈ h -> in_range U64 a = true -> locked_call h ("walk_npt", [vm; a])
| call_set_npt vm a lvl e : 0 <= vm < 17 -> lock_npt vm ∈ h ->
    in_range U64 a = true -> in_range U32 lvl = true -> in_range U64 e = true ->
    locked_call h ("set_npt", [vm; a; lvl; e]).

Theorem NPTWalk_safe h f vs (s : nstate) : locked_call h (f, vs) -> npts_ok h s ->
  exists r, call NPTWalk.Spec.L f vs s = Some r /\ good h s r.
Proof.
  intros X I. inversion X as [vm a V L A | vm a V L A | vm a lvl e V L A Rl Re]; subst.
  - change (call NPTWalk.Spec.L "get_npt_level" [vm; a] s) with (get_npt_level_spec [vm; a] s).
    apply look_safe; auto. intros p _. apply level_u32.
  - change (call NPTWalk.Spec.L "walk_npt" [vm; a] s) with (walk_npt_spec [vm; a] s).
    apply look_safe; auto. intros p O. exact (entry_u64 _ p _ O (page_number_range vm a)).
  - exact (set_npt_safe h s vm a lvl e I V L A Rl Re).
Qed.

(** An access by a context, with any arguments of their C types. *)
Inductive mem_call : ident * list Z -> Prop :=
| call_mem_load vm a r : in_range U32 vm = true -> in_range U64 a = true -> in_range U32 r = true ->
    mem_call ("mem_load_ref", [vm; a; r])
| call_mem_store vm a r : in_range U32 vm = true -> in_range U64 a = true -> in_range U32 r = true ->
    mem_call ("mem_store_ref", [vm; a; r]).

Theorem mem_access_safe {M P} h f vs (s : St cell pmap M P) : mem_call (f, vs) -> npts_ok h s ->
  (forall vm, 0 <= vm < 17 -> lock_npt vm ∉ h) -> exists r, call NPTWalk.Spec.T f vs s = Some r /\ accessed h s r.
Proof. intros X I L. inversion X; subst; (apply access_safe; auto; intros pa x t; split; [reflexivity | repeat split]). Qed.
