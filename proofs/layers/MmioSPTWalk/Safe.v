(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 11, MmioSPTWalk: its specifications say something.  The leaves of SMMU tables are
    pages of 64 bits; every operation keeps that; and while this CPU
    holds the lock of the tables, every call for a bank that exists is defined, to its end
    or to a panic.  So what the specifications rely on is a fact for who holds the lock,
    which is MmioSPTOps.  Rests on [Spec]; used by the safety theorems above. *)
From SeKVM.machine Require Import CellInv StateTac BottomTac.
From SeKVM.layers.NPTWalk Require Export Safe.
From SeKVM.layers.MmioSPTWalk Require Import Spec Steps.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Lemma smmu_leaf e : in_range U64 e = true -> leaf_ok smmu_geom 2 e.
Proof. intros R. apply in_range_iff in R. split; [exact R|]. split; [cbn; lia|]. split; [reflexivity | cbn; lia]. Qed.

Lemma smmu_entry_u64 p cb ix a : leaves_ok smmu_geom p ->
  in_range U32 cb = true -> in_range U32 ix = true -> is_bank cb ix = true ->
  in_range U64 (entry p (bank_page (bank cb ix) a)) = true.
Proof.
  intros O Rc Ri V. apply (entry_u64 smmu_geom); [exact O|]. apply bank_page_range.
  apply in_range_iff in Rc, Ri. apply is_bank_range; lia || exact V.
Qed.

Section Inv.
  Context {N P : Type}.
  Notation St := (St cell N pmap P).

  (** The tables have good leaves, also as others will publish them; [h] is the set of
      locks that this CPU holds. *)
  Definition spt_ok (h : gset Z) (s : St) : Prop :=
    c_held (st_spt s) = bool_decide (lock_spt ∈ h) /\ cell_ok (leaves_ok smmu_geom) (st_spt s).

  (** Only the tables and the outputs differ; no other object differs. *)
  Definition spt_changed (s s' : St) : Prop := exists c o, s' = set_outs o (set_spt c s).
  Definition spt_only (s s' : St) : Prop :=
    st_core s' = st_core s /\ st_s2 s' = st_s2 s /\ st_npts s' = st_npts s /\ st_smmu s' = st_smmu s /\ st_vms s' = st_vms s.

  (** A result: the same locks as before; after a panic that of the tables may be held. *)
  Definition spt_good (h : gset Z) (s : St) (r : res St) : Prop :=
    match r with
    | Ok _ s' => spt_ok h s' /\ spt_changed s s'
    | Halt s' => exists h', (forall k, k <> lock_spt -> k ∈ h <-> k ∈ h') /\ spt_ok h' s' /\ spt_changed s s'
    end.

  Lemma spt_changed_same s : spt_changed s s.
  Proof. exists (st_spt s), (st_outs s). now destruct s. Qed.

  Lemma spt_changed_spt c s : spt_changed s (set_spt c s).
  Proof. exists c, (st_outs s). now destruct s. Qed.

  Lemma spt_changed_only s s' : spt_changed s s' -> spt_only s s'.
  Proof. intros (c & o & ->). repeat split. Qed.

  Lemma walk_smmu_safe h (s : St) cb ix a : spt_ok h s -> lock_spt ∈ h ->
    in_range U32 cb = true -> in_range U32 ix = true -> in_range U64 a = true -> is_bank cb ix = true ->
    exists r, walk_smmu_pt_spec [cb; ix; a] s = Some r /\ spt_good h s r.
  Proof.
    intros [H C] L Rc Ri Ra V. rewrite bool_decide_eq_true_2 in H by exact L.
    unfold walk_smmu_pt_spec, p3. rewrite Rc, Ri, Ra, H, V. cbn [chk]. rewrite (smmu_entry_u64 _ _ _ _ (proj1 C)) by assumption.
    eexists. split; [reflexivity|]. split; [|apply spt_changed_same].
    split; [rewrite H; symmetry; now apply bool_decide_eq_true | exact C].
  Qed.

  Lemma set_smmu_safe h (s : St) cb ix a e : spt_ok h s -> lock_spt ∈ h -> in_range U32 cb = true ->
    in_range U32 ix = true -> in_range U64 a = true -> in_range U64 e = true -> is_bank cb ix = true ->
    exists r, set_smmu_pt_spec [cb; ix; a; e] s = Some r /\ spt_good h s r.
  Proof.
    intros [H C] L Rc Ri Ra Re V. rewrite bool_decide_eq_true_2 in H by exact L.
    unfold set_smmu_pt_spec, p4. rewrite Rc, Ri, Ra, Re, H, V.
    pose proof (pset_ok _ smmu_geom_ok 2 (bank_page (bank cb ix) a) e _ (smmu_leaf e Re) (proj1 C)) as O.
    assert (K : forall q, leaves_ok smmu_geom q -> spt_ok h (set_spt (set_val q (st_spt s)) s)).
    { intros q Q. split; [cbn; rewrite H; symmetry; now apply bool_decide_eq_true | now apply set_val_ok]. }
    destruct (pset _ _ _ _ _) as [q|q|q]; cbn [chk Z.eqb]; (eexists; split; [reflexivity|]).
    - split; [exact (K q O) | do 2 eexists; reflexivity].
    - exists h. split; [now intros k|]. split; [exact (K q O) | apply spt_changed_spt].
    - exists h. split; [now intros k|]. split; [exact (K q O) | apply spt_changed_spt].
  Qed.

  Lemma clear_smmu_safe h (s : St) cb ix : spt_ok h s -> lock_spt ∈ h ->
    in_range U32 cb = true -> in_range U32 ix = true -> is_bank cb ix = true ->
    exists r, clear_smmu_pt_spec [cb; ix] s = Some r /\ spt_good h s r.
  Proof.
    intros [H C] L Rc Ri V. rewrite bool_decide_eq_true_2 in H by exact L.
    unfold clear_smmu_pt_spec, p2. rewrite Rc, Ri, H, V. cbn [chk Z.eqb].
    eexists. split; [reflexivity|]. split; [|do 2 eexists; reflexivity].
    split; [cbn; rewrite H; symmetry; now apply bool_decide_eq_true | apply set_val_ok; [exact C | apply pclear_ok, (proj1 C)]].
  Qed.

  (** An access: the tables stay as they are, whatever happens to memory and registers. *)
  Definition dev_accessed (h : gset Z) (s : St) (r : res St) : Prop :=
    match r with Ok _ s' | Halt s' => spt_ok h s' /\ spt_only s s' end.

  Lemma dev_safe h (s : St) permission (f : Z -> reg -> St -> St) cb ix a r :
    (forall pa x t, st_spt (f pa x t) = st_spt t /\ spt_only t (f pa x t)) -> spt_ok h s -> lock_spt ∉ h ->
    in_range U32 cb = true -> in_range U32 ix = true -> in_range U64 a = true -> in_range U32 r = true ->
    exists q, dev_access permission f [cb; ix; a; r] s = Some q /\ dev_accessed h s q.
  Proof.
    intros K I L Rc Ri Ra Rr. unfold dev_access, p4. rewrite Rc, Ri, Ra, Rr. destruct (is_bank cb ix); cbn [negb].
    2:{ eexists. split; [reflexivity|]. split; [exact I | repeat split]. }
    destruct (if _ && _ then user_reg r else None) as [x|].
    2:{ eexists. split; [reflexivity|]. split; [exact I | repeat split]. }
    destruct I as [H C]. rewrite bool_decide_eq_false_2 in H by exact L. rewrite H. cbn [negb].
    assert (J : spt_ok h (set_spt (release_cell (cpu_id (st_cpu s)) (acquire_cell (st_spt s))) s)).
    { split; [cbn; symmetry; now apply bool_decide_eq_false | now apply release_ok, acquire_ok]. }
    destruct (smmu_translate _ _ _ _) as [pa|]; cbn [chk]; (eexists; split; [reflexivity|]).
    - destruct (K pa x (set_spt (release_cell (cpu_id (st_cpu s)) (acquire_cell (st_spt s))) s)) as [Q O].
      split; [|exact O]. unfold spt_ok. rewrite Q. exact J.
    - split; [exact J | repeat split].
  Qed.
End Inv.

(** A call for a bank under the lock of the tables. *)
Inductive locked_smmu_call (h : gset Z) : ident * list Z -> Prop :=
| call_walk_smmu cb ix a : lock_spt ∈ h -> in_range U32 cb = true -> in_range U32 ix = true -> in_range U64 a = true ->
    is_bank cb ix = true -> locked_smmu_call h ("walk_smmu_pt", [cb; ix; a])
| call_set_smmu cb ix a e : lock_spt ∈ h -> in_range U32 cb = true -> in_range U32 ix = true -> in_range U64 a = true ->
    in_range U64 e = true -> is_bank cb ix = true -> locked_smmu_call h ("set_smmu_pt", [cb; ix; a; e])
| call_clear_smmu cb ix : lock_spt ∈ h -> in_range U32 cb = true -> in_range U32 ix = true ->
    is_bank cb ix = true -> locked_smmu_call h ("clear_smmu_pt", [cb; ix]).

Theorem MmioSPTWalk_safe h f vs (s : mstate) : locked_smmu_call h (f, vs) -> spt_ok h s ->
  exists r, call MmioSPTWalk.Spec.L f vs s = Some r /\ spt_good h s r.
Proof.
  intros X I.
  inversion X as [cb ix a L Rc Ri Ra V | cb ix a e L Rc Ri Ra Re V | cb ix L Rc Ri V]; subst.
  - exact (walk_smmu_safe h s cb ix a I L Rc Ri Ra V).
  - exact (set_smmu_safe h s cb ix a e I L Rc Ri Ra Re V).
  - exact (clear_smmu_safe h s cb ix I L Rc Ri V).
Qed.

(** An access by a device, with any arguments of their C types. *)
Inductive dev_call : ident * list Z -> Prop :=
| call_dev_load cb ix a r : in_range U32 cb = true -> in_range U32 ix = true -> in_range U64 a = true ->
    in_range U32 r = true -> dev_call ("dev_load_ref", [cb; ix; a; r])
| call_dev_store cb ix a r : in_range U32 cb = true -> in_range U32 ix = true -> in_range U64 a = true ->
    in_range U32 r = true -> dev_call ("dev_store_ref", [cb; ix; a; r]).

Theorem dev_access_safe {N P} h f vs (s : St cell N pmap P) : dev_call (f, vs) -> spt_ok h s -> lock_spt ∉ h ->
  exists r, call MmioSPTWalk.Spec.T f vs s = Some r /\ dev_accessed h s r.
Proof. intros X I L. inversion X; subst; (apply dev_safe; auto; intros pa x t; split; [reflexivity | repeat split]). Qed.
