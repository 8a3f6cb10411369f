(* SPDX-License-Identifier: Apache-2.0 *)
(** Operations on the lock with a given number, for any view of lock-protected
    objects, and the relation between states that differ in the view of all objects.
    Layers 1 to 4 change the view of every object at once; this file does once what
    they have in common.  Rests on [State] and on the object numbers there. *)
From SeKVM.lib Require Export Prim.
From SeKVM.machine Require Export State.
From Coq Require Import Lia.
Local Open Scope Z_scope.

(** An operation on a view, whatever the object: undefined, or a value and a view. *)
Definition view_op (F : Type -> Type) : Type := forall X : Type, F X -> option (Z * F X).

Definition op_bind {F} (a : view_op F) (b : Z -> view_op F) : view_op F :=
  fun X f => some (v, f') := a X f; b v X f'.

Definition op_ret {F} (v : Z) : view_op F := fun X f => Some (v, f).

(** The same operation, undefined if its value is not of the C type. *)
Definition ranged {F} (a : view_op F) : view_op F :=
  fun X f => some (v, f') := a X f; rely in_range U32 v; Some (v, f').

(** * Locks by number *)

Section AtLock.
  Context {F : Type -> Type} {N M P : Type}.
  Notation St := (St F N M P).

  Definition obj_op {X} (op : view_op F) (g : St -> F X) (u : F X -> St -> St) (s : St) : option (Z * St) :=
    some (v, f) := op X (g s); Some (v, u f s).
  Definition map_op {X} (op : view_op F) (g : St -> gmap Z (F X)) (u : gmap Z (F X) -> St -> St)
             (i : Z) (s : St) : option (Z * St) :=
    some f := g s !! i; some (v, f') := op X f; Some (v, u (<[i := f']> (g s)) s).

  (** The operation [op] on the object that lock [lk] protects. *)
  Definition at_lock (op : view_op F) (lk : Z) (s : St) : option (Z * St) :=
    if lk =? lock_core then obj_op op st_core set_core s
    else if lk =? lock_s2page then obj_op op st_s2 set_s2 s
    else if lk =? lock_spt then obj_op op st_spt set_spt s
    else if lk =? lock_smmu then obj_op op st_smmu set_smmu s
    else if (lock_npt 0 <=? lk) && (lk <? lock_vm 0) then map_op op st_npts set_npts (lk - lock_npt 0) s
    else if (lock_vm 0 <=? lk) && (lk <? lock_end) then map_op op st_vms set_vms (lk - lock_vm 0) s
    else None.

  (** The number of a VM's object leads to the object. *)
  Lemma at_lock_npt op vm s : is_vmid vm = true -> at_lock op (lock_npt vm) s = map_op op st_npts set_npts vm s.
  Proof.
    unfold is_vmid. intros B. apply andb_true_iff in B as [A B]. apply Z.leb_le in A. apply Z.ltb_lt in B.
    unfold at_lock, lock_core, lock_s2page, lock_spt, lock_smmu, lock_npt, lock_vm, lock_end.
    destruct (Z.eqb_spec (5 + vm) 1); [lia|]. destruct (Z.eqb_spec (5 + vm) 2); [lia|].
    destruct (Z.eqb_spec (5 + vm) 3); [lia|]. destruct (Z.eqb_spec (5 + vm) 4); [lia|].
    destruct (Z.leb_spec (5 + 0) (5 + vm)); [|lia]. destruct (Z.ltb_spec (5 + vm) (22 + 0)); [|lia].
    cbn [andb]. now replace (5 + vm - (5 + 0)) with vm by lia.
  Qed.

  Lemma at_lock_vm op vm s : is_vmid vm = true -> at_lock op (lock_vm vm) s = map_op op st_vms set_vms vm s.
  Proof.
    unfold is_vmid. intros B. apply andb_true_iff in B as [A B]. apply Z.leb_le in A. apply Z.ltb_lt in B.
    unfold at_lock, lock_core, lock_s2page, lock_spt, lock_smmu, lock_npt, lock_vm, lock_end.
    destruct (Z.eqb_spec (22 + vm) 1); [lia|]. destruct (Z.eqb_spec (22 + vm) 2); [lia|].
    destruct (Z.eqb_spec (22 + vm) 3); [lia|]. destruct (Z.eqb_spec (22 + vm) 4); [lia|].
    destruct (Z.leb_spec (5 + 0) (22 + vm)); [|lia]. destruct (Z.ltb_spec (22 + vm) (22 + 0)); [lia|].
    destruct (Z.leb_spec (22 + 0) (22 + vm)); [|lia]. destruct (Z.ltb_spec (22 + vm) 39); [|lia].
    cbn [andb]. now replace (22 + vm - (22 + 0)) with vm by lia.
  Qed.

  (** Two operations in a row on the same lock are one. *)
  Lemma at_lock_bind a b lk s :
    at_lock (op_bind a b) lk s = (some (v, s') := at_lock a lk s; at_lock (b v) lk s').
  Proof.
    unfold at_lock, obj_op, map_op, op_bind.
    repeat match goal with |- context [if ?x then _ else _] => destruct x end; try reflexivity.
    - destruct (a _ (st_core s)) as [[v f]|]; [|reflexivity]. cbn. destruct (b v _ f) as [[w g]|]; reflexivity.
    - destruct (a _ (st_s2 s)) as [[v f]|]; [|reflexivity]. cbn. destruct (b v _ f) as [[w g]|]; reflexivity.
    - destruct (a _ (st_spt s)) as [[v f]|]; [|reflexivity]. cbn. destruct (b v _ f) as [[w g]|]; reflexivity.
    - destruct (a _ (st_smmu s)) as [[v f]|]; [|reflexivity]. cbn. destruct (b v _ f) as [[w g]|]; reflexivity.
    - destruct (st_npts s !! _) as [f0|]; [|reflexivity].
      destruct (a _ f0) as [[v f]|]; [|reflexivity]. cbn. rewrite lookup_insert.
      destruct (b v _ f) as [[w g]|]; [|reflexivity]. now rewrite insert_insert.
    - destruct (st_vms s !! _) as [f0|]; [|reflexivity].
      destruct (a _ f0) as [[v f]|]; [|reflexivity]. cbn. rewrite lookup_insert.
      destruct (b v _ f) as [[w g]|]; [|reflexivity]. now rewrite insert_insert.
  Qed.

  Lemma at_lock_ext (a b : view_op F) lk s : (forall X f, a X f = b X f) -> at_lock a lk s = at_lock b lk s.
  Proof.
    intros E. unfold at_lock, obj_op, map_op. rewrite !E.
    repeat match goal with |- context [if ?x then _ else _] => destruct x end; try reflexivity.
    - destruct (st_npts s !! _); [|reflexivity]. now rewrite E.
    - destruct (st_vms s !! _); [|reflexivity]. now rewrite E.
  Qed.

  Lemma at_lock_ranged a lk s v s' :
    at_lock (ranged a) lk s = Some (v, s') -> at_lock a lk s = Some (v, s') /\ in_range U32 v = true.
  Proof.
    unfold at_lock, obj_op, map_op, ranged. intros X.
    repeat match goal with
    | X : context [match ?x with _ => _ end] |- _ =>
        lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x eqn:? end
    end; try discriminate; injection X as <- <-; auto.
  Qed.

  (** An operation that always returns [c]. *)
  Lemma at_lock_value (op : view_op F) c lk s v s' :
    (forall X f w f', op X f = Some (w, f') -> w = c) -> at_lock op lk s = Some (v, s') -> v = c.
  Proof.
    intros O. unfold at_lock, obj_op, map_op. intros X.
    repeat match goal with
    | X : context [match ?x with _ => _ end] |- _ =>
        lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x eqn:? end
    end; try discriminate; injection X as <- <-; eapply O; eassumption.
  Qed.

  (** Doing nothing is doing nothing. *)
  Lemma at_lock_ret v lk s w s' : at_lock (op_ret v) lk s = Some (w, s') -> w = v /\ s' = s.
  Proof.
    unfold at_lock, obj_op, map_op, op_ret.
    repeat match goal with |- context [if ?x then _ else _] => destruct x end; try discriminate.
    - intros [= <- <-]. split; [reflexivity | apply set_core_id].
    - intros [= <- <-]. split; [reflexivity | apply set_s2_id].
    - intros [= <- <-]. split; [reflexivity | apply set_spt_id].
    - intros [= <- <-]. split; [reflexivity | apply set_smmu_id].
    - destruct (st_npts s !! _) as [f|] eqn:E; [|discriminate]. intros [= <- <-].
      split; [reflexivity|]. rewrite insert_id by exact E. apply set_npts_id.
    - destruct (st_vms s !! _) as [f|] eqn:E; [|discriminate]. intros [= <- <-].
      split; [reflexivity|]. rewrite insert_id by exact E. apply set_vms_id.
  Qed.

  (** An operation whose fuel depends on the view. *)
  Lemma at_lock_fuel (fuel : forall X, F X -> nat) (g : nat -> view_op F) lk s r :
    at_lock (fun X f => g (fuel X f) X f) lk s = Some r -> exists n, at_lock (g n) lk s = Some r.
  Proof.
    unfold at_lock, obj_op, map_op.
    repeat match goal with |- context [if ?x then _ else _] => destruct x end; intros E; try discriminate; eauto.
    - destruct (st_npts s !! _); [eauto | discriminate].
    - destruct (st_vms s !! _); [eauto | discriminate].
  Qed.

  (** Operations do not touch this CPU's private part. *)
  Lemma at_lock_cpu op lk s v s' : at_lock op lk s = Some (v, s') -> st_cpu s' = st_cpu s.
  Proof.
    unfold at_lock, obj_op, map_op. intros X.
    repeat match goal with
    | X : context [match ?x with _ => _ end] |- _ =>
        lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x eqn:? end
    end; try discriminate; injection X as <- <-; reflexivity.
  Qed.

  (** As primitives of a layer: one argument, the lock. *)
  Definition lock_prim (rt : option ty) (op : Z -> view_op F) : prim St :=
    p1 rt U32 (fun lk s =>
      some (v, s') := at_lock (op (cpu_id (st_cpu s))) lk s; ret v s').
End AtLock.

(** * Changing the view of all objects *)

(** A relation between two views; it may depend on which CPU this is. *)
Definition view_relation (F G : Type -> Type) : Type := Z -> forall X : Type, F X -> G X -> Prop.

Section RView.
  Context {F G : Type -> Type} {N M P : Type} (RF : view_relation F G).

  Record views_rel (s : St F N M P) (t : St G N M P) : Prop := mkviews_rel {
    vr_core : RF (cpu_id (st_cpu s)) _ (st_core s) (st_core t);
    vr_s2 : RF (cpu_id (st_cpu s)) _ (st_s2 s) (st_s2 t);
    vr_spt : RF (cpu_id (st_cpu s)) _ (st_spt s) (st_spt t);
    vr_smmu : RF (cpu_id (st_cpu s)) _ (st_smmu s) (st_smmu t);
    vr_npts : forall i, option_Forall2 (RF (cpu_id (st_cpu s)) _) (st_npts s !! i) (st_npts t !! i);
    vr_vms : forall i, option_Forall2 (RF (cpu_id (st_cpu s)) _) (st_vms s !! i) (st_vms t !! i);
    vr_npts_dom : forall i, is_Some (st_npts s !! i) -> is_vmid i = true;
    vr_vms_dom : forall i, is_Some (st_vms s !! i) -> is_vmid i = true;
    vr_mem : st_mem s = st_mem t;
    vr_cpu : st_cpu s = st_cpu t;
    vr_ctxts : st_ctxts s = st_ctxts t;
    vr_boot : st_boot s = st_boot t;
    vr_ins : st_ins s = st_ins t;
    vr_outs : st_outs s = st_outs t }.

  Definition R_view : srel (St F N M P) (St G N M P) := mksrel views_rel views_rel.

  Lemma option_Forall2_insert {A B} (Q : A -> B -> Prop) (m : gmap Z A) (m' : gmap Z B) i a b :
    (forall j, option_Forall2 Q (m !! j) (m' !! j)) -> Q a b ->
    forall j, option_Forall2 Q (<[i := a]> m !! j) (<[i := b]> m' !! j).
  Proof.
    intros X Y j. destruct (decide (j = i)) as [->|Ne].
    - rewrite !lookup_insert. now constructor.
    - rewrite !lookup_insert_ne by auto. apply X.
  Qed.

  Lemma option_Forall2_Some {A B} (Q : A -> B -> Prop) a b : option_Forall2 Q (Some a) (Some b) -> Q a b.
  Proof. now inversion 1. Qed.

  Lemma valid_insert {A} (m : gmap Z A) i a b :
    m !! i = Some b -> (forall j, is_Some (m !! j) -> is_vmid j = true) ->
    forall j, is_Some (<[i := a]> m !! j) -> is_vmid j = true.
  Proof.
    intros E X j. destruct (decide (j = i)) as [->|Ne].
    - intros _. apply X. eauto.
    - rewrite lookup_insert_ne by auto. apply X.
  Qed.

  (** The operations [a] and [b] agree on related views. *)
  Definition op_rel (me : Z) (a : view_op F) (b : view_op G) : Prop :=
    forall X f g v f', RF me X f g -> a X f = Some (v, f') ->
    exists g', b X g = Some (v, g') /\ RF me X f' g'.

  Lemma at_lock_rel a b lk s t v s' :
    op_rel (cpu_id (st_cpu s)) a b -> views_rel s t -> at_lock a lk s = Some (v, s') ->
    exists t', at_lock b lk t = Some (v, t') /\ views_rel s' t'.
  Proof.
    intros O [V1 V2 V3 V4 V5 V6 D5 D6 V7 V8 V9 V10 V11 V12]. unfold at_lock, obj_op, map_op.
    repeat match goal with |- context [if ?x then _ else _] => destruct x end; intros E; try discriminate.
    - destruct (a _ (st_core s)) as [[w f]|] eqn:A; [|discriminate]. injection E as <- <-.
      destruct (O _ _ _ _ _ V1 A) as (g & -> & Y). eexists. split; [reflexivity|]. constructor; auto.
    - destruct (a _ (st_s2 s)) as [[w f]|] eqn:A; [|discriminate]. injection E as <- <-.
      destruct (O _ _ _ _ _ V2 A) as (g & -> & Y). eexists. split; [reflexivity|]. constructor; auto.
    - destruct (a _ (st_spt s)) as [[w f]|] eqn:A; [|discriminate]. injection E as <- <-.
      destruct (O _ _ _ _ _ V3 A) as (g & -> & Y). eexists. split; [reflexivity|]. constructor; auto.
    - destruct (a _ (st_smmu s)) as [[w f]|] eqn:A; [|discriminate]. injection E as <- <-.
      destruct (O _ _ _ _ _ V4 A) as (g & -> & Y). eexists. split; [reflexivity|]. constructor; auto.
    - pose proof (V5 (lk - lock_npt 0)) as W. destruct (st_npts s !! _) as [f0|] eqn:L; [|discriminate].
      inversion W as [x y Q E1 E2|]; subst. destruct (a _ f0) as [[w f]|] eqn:A; [|discriminate].
      injection E as <- <-. destruct (O _ _ _ _ _ Q A) as (g & -> & Y).
      eexists. split; [reflexivity|].
      constructor; auto; [now apply option_Forall2_insert | exact (valid_insert _ _ _ _ L D5)].
    - pose proof (V6 (lk - lock_vm 0)) as W. destruct (st_vms s !! _) as [f0|] eqn:L; [|discriminate].
      inversion W as [x y Q E1 E2|]; subst. destruct (a _ f0) as [[w f]|] eqn:A; [|discriminate].
      injection E as <- <-. destruct (O _ _ _ _ _ Q A) as (g & -> & Y).
      eexists. split; [reflexivity|].
      constructor; auto; [now apply option_Forall2_insert | exact (valid_insert _ _ _ _ L D6)].
  Qed.

  (** Lock primitives made of related operations are related. *)
  Lemma lock_prim_rel rt (a : Z -> view_op F) (b : Z -> view_op G) :
    (forall me, op_rel me (a me) (b me)) -> prim_rel R_view (lock_prim rt a) (lock_prim rt b).
  Proof.
    intros O vs s t r V. unfold lock_prim, p1. destruct vs as [|lk [|]]; try discriminate.
    destruct (in_range U32 lk); [|discriminate].
    destruct (at_lock _ lk s) as [[v s']|] eqn:A; [|discriminate].
    destruct (at_lock_rel _ _ _ _ _ _ _ (O _) V A) as (t' & B & V').
    rewrite (vr_cpu _ _ V) in B. rewrite B. unfold chk.
    destruct rt as [ty|]; [destruct (in_range ty v) | destruct (v =? 0)]; intros [= <-];
      eexists; (split; [reflexivity|]); split; auto.
  Qed.
End RView.
