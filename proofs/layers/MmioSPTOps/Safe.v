(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 12, MmioSPTOps: every operation is defined for all arguments of its C types, to
    its end or to a panic, and keeps the invariant of the tables; no lock is asked of the
    caller.  Rests on the layer below's [Safe]; used by [StackSafe]. *)
From SeKVM.machine Require Import CellInv StateTac BottomTac.
From SeKVM.layers.MmioSPTWalk Require Export Safe.
From SeKVM.layers.MmioSPTOps Require Import Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Safe.
  Context {N P : Type}.
  Notation St := (St cell N pmap P).

  Lemma spt_halt_good h (s : St) : spt_ok h s -> spt_good h s (Halt s).
  Proof. intros I. exists h. split; [now intros k|]. split; [exact I | apply spt_changed_same]. Qed.

  Lemma spt_same_good h (s : St) v : spt_ok h s -> spt_good h s (Ok v s).
  Proof. intros I. split; [exact I | apply spt_changed_same]. Qed.

  Lemma publish_spt_ok h (s : St) c : lock_spt ∉ h -> cell_ok (leaves_ok smmu_geom) c -> spt_ok h (publish_spt c s).
  Proof. intros F C. split; [symmetry; now apply bool_decide_eq_false | now apply release_ok]. Qed.

  (** A panic with the lock held. *)
  Lemma spt_locked h (s : St) c : cell_ok (leaves_ok smmu_geom) c -> c_held c = true -> spt_good h s (Halt (set_spt c s)).
  Proof.
    intros C H. exists ({[lock_spt]} ∪ h). split; [|split; [|apply spt_changed_spt]].
    - intros k K. set_solver.
    - split; [cbn; rewrite H; symmetry; apply bool_decide_eq_true; set_solver | exact C].
  Qed.

  Lemma spt_update_safe h (s : St) rt cb ix a v o c : lock_spt ∉ h ->
    cell_ok (leaves_ok smmu_geom) c -> c_held c = true ->
    match o with Updated q | Full q | Under_block q => leaves_ok smmu_geom q end ->
    match rt with Some t => in_range t v = true | None => v = 0 end ->
    exists r, chk rt (publish_spt_update cb ix a v o c s) = Some r /\ spt_good h s r.
  Proof.
    intros F C H O Rv. unfold publish_spt_update. destruct o as [q|q|q]; cbn [chk].
    - exists (Ok v (set_outs (Smmu_flush ix cb a :: st_outs s) (publish_spt (set_val q c) s))). split.
      + destruct rt as [t|]; [now rewrite Rv | now subst v].
      + split; [exact (publish_spt_ok h s _ F (set_val_ok _ q c C O)) | do 2 eexists; reflexivity].
    - eexists. split; [reflexivity|]. apply spt_locked; [now apply set_val_ok | exact H].
    - eexists. split; [reflexivity|]. apply spt_locked; [now apply set_val_ok | exact H].
  Qed.

  Lemma spt_acquired h (s : St) : spt_ok h s -> lock_spt ∉ h ->
    c_held (st_spt s) = false /\ cell_ok (leaves_ok smmu_geom) (acquire_cell (st_spt s)).
  Proof. intros [H C] F. split; [rewrite H; now apply bool_decide_eq_false | now apply acquire_ok]. Qed.

  Lemma init_spt_safe h (s : St) cb ix : spt_ok h s -> lock_spt ∉ h -> in_range U32 cb = true -> in_range U32 ix = true ->
    exists r, init_spt_spec [cb; ix] s = Some r /\ spt_good h s r.
  Proof.
    intros I F Rc Ri. unfold init_spt_spec, p2. rewrite Rc, Ri.
    destruct (is_bank cb ix) eqn:V; cbn [negb]; [|eexists; split; [reflexivity | now apply spt_halt_good]].
    destruct (spt_acquired h s I F) as [H C]. rewrite H. cbn [negb].
    apply spt_update_safe; auto. apply pclear_ok, (proj1 C).
  Qed.

  Lemma walk_spt_safe h (s : St) cb ix a : spt_ok h s -> lock_spt ∉ h ->
    in_range U32 cb = true -> in_range U32 ix = true -> in_range U64 a = true ->
    exists r, walk_spt_spec [cb; ix; a] s = Some r /\ spt_good h s r.
  Proof.
    intros I F Rc Ri Ra. unfold walk_spt_spec, p3. rewrite Rc, Ri, Ra.
    destruct (is_bank cb ix) eqn:V; cbn [negb]; [|eexists; split; [reflexivity | now apply spt_halt_good]].
    destruct (SMMU_ADDR_LIMIT <=? a); [eexists; split; [reflexivity | now apply spt_same_good]|].
    destruct (spt_acquired h s I F) as [H C]. rewrite H. cbn [negb chk]. rewrite (smmu_entry_u64 _ _ _ _ (proj1 C)) by assumption.
    eexists. split; [reflexivity|]. split; [now apply publish_spt_ok | apply spt_changed_spt].
  Qed.

  Lemma map_spt_safe h (s : St) cb ix a e : spt_ok h s -> lock_spt ∉ h ->
    in_range U32 cb = true -> in_range U32 ix = true -> in_range U64 a = true -> in_range U64 e = true ->
    exists r, map_spt_spec [cb; ix; a; e] s = Some r /\ spt_good h s r.
  Proof.
    intros I F Rc Ri Ra Re. unfold map_spt_spec, p4. rewrite Rc, Ri, Ra, Re.
    destruct (_ && _); cbn [negb]; [|eexists; split; [reflexivity | now apply spt_halt_good]].
    destruct (spt_acquired h s I F) as [H C]. rewrite H. cbn [negb].
    apply spt_update_safe; auto.
    exact (pset_ok _ smmu_geom_ok 2 _ e _ (smmu_leaf e Re) (proj1 C)).
  Qed.

  Lemma unmap_spt_safe h (s : St) cb ix a : spt_ok h s -> lock_spt ∉ h ->
    in_range U32 cb = true -> in_range U32 ix = true -> in_range U64 a = true ->
    exists r, unmap_spt_spec [cb; ix; a] s = Some r /\ spt_good h s r.
  Proof.
    intros I F Rc Ri Ra. unfold unmap_spt_spec, p3. rewrite Rc, Ri, Ra.
    destruct (is_bank cb ix) eqn:V; cbn [negb]; [|eexists; split; [reflexivity | now apply spt_halt_good]].
    destruct (SMMU_ADDR_LIMIT <=? a); [eexists; split; [reflexivity | now apply spt_same_good]|].
    destruct (spt_acquired h s I F) as [H C]. rewrite H. cbn [negb].
    pose proof (smmu_entry_u64 _ cb ix a (proj1 C) Rc Ri V) as Re. rewrite Re.
    destruct (_ =? 0).
    - eexists. split; [reflexivity|]. split; [now apply publish_spt_ok | apply spt_changed_spt].
    - apply spt_update_safe; auto.
      exact (pset_ok _ smmu_geom_ok 2 _ 0 _ (smmu_leaf 0 eq_refl) (proj1 C)).
  Qed.
End Safe.

(** The operations, with any arguments of their C types. *)
Inductive smmu_call : ident * list Z -> Prop :=
| call_init cb ix : in_range U32 cb = true -> in_range U32 ix = true -> smmu_call ("init_spt", [cb; ix])
| call_walk_spt cb ix a : in_range U32 cb = true -> in_range U32 ix = true -> in_range U64 a = true ->
    smmu_call ("walk_spt", [cb; ix; a])
| call_map_spt cb ix a e : in_range U32 cb = true -> in_range U32 ix = true -> in_range U64 a = true ->
    in_range U64 e = true -> smmu_call ("map_spt", [cb; ix; a; e])
| call_unmap cb ix a : in_range U32 cb = true -> in_range U32 ix = true -> in_range U64 a = true ->
    smmu_call ("unmap_spt", [cb; ix; a]).

Theorem MmioSPTOps_safe {N P} h f vs (s : St cell N pmap P) : smmu_call (f, vs) -> spt_ok h s -> lock_spt ∉ h ->
  exists r, call MmioSPTOps.Spec.T f vs s = Some r /\ spt_good h s r.
Proof.
  intros X I F.
  inversion X as [cb ix Rc Ri | cb ix a Rc Ri Ra | cb ix a e Rc Ri Ra Re | cb ix a Rc Ri Ra]; subst.
  - now apply init_spt_safe.
  - now apply walk_spt_safe.
  - now apply map_spt_safe.
  - now apply unmap_spt_safe.
Qed.
