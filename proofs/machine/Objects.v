(* SPDX-License-Identifier: Apache-2.0 *)
(** The machine's state as one CPU's view of many objects: the protected objects under
    their lock numbers, in one type of values, and the rest, which is private.  This is
    the form in which the many-CPU theorem [lib/Smp.v] speaks of a CPU.  Rests on
    [LockView]; used by [layers/Locks/Smp.v]. *)
From Coq Require Import Lia.
From SeKVM.machine Require Export LockView.
Local Open Scope Z_scope.

(** The value of an object. *)
Inductive objval :=
| VCore (x : core_data)
| VS2 (x : gmap Z s2page)
| VSpt (x : sptab)
| VSmmu (x : gmap Z Z)
| VNpt (x : npt)
| VVm (x : vminfo).

(** All that is not a lock-protected object. *)
Record private := mkprivate {
  p_mem : memview; p_cpu : cpu; p_ctxts : gmap Z (cell regfile);
  p_boot : bootmap; p_ins : gmap Z (list Z); p_outs : list out_event }.
Definition priv (s : state) : private :=
  mkprivate (st_mem s) (st_cpu s) (st_ctxts s) (st_boot s) (st_ins s) (st_outs s).

Definition event_map {A B} (h : A -> B) (e : Z * A) : Z * B := (fst e, h (snd e)).
Definition cell_map {A B} (h : A -> B) (c : cell A) : cell B :=
  mkcell (h (c_val c)) (c_held c) (map (event_map h) (c_log c)) (map (map (event_map h)) (c_script c)).

(** The view of the object with number [k]. *)
Definition cell_at (k : Z) (s : state) : option (cell objval) :=
  if k =? lock_core then Some (cell_map VCore (st_core s))
  else if k =? lock_s2page then Some (cell_map VS2 (st_s2 s))
  else if k =? lock_spt then Some (cell_map VSpt (st_spt s))
  else if k =? lock_smmu then Some (cell_map VSmmu (st_smmu s))
  else if (lock_npt 0 <=? k) && (k <? lock_vm 0) then option_map (cell_map VNpt) (st_npts s !! (k - lock_npt 0))
  else if (lock_vm 0 <=? k) && (k <? lock_end) then option_map (cell_map VVm) (st_vms s !! (k - lock_vm 0))
  else None.

(** The tables of VMs are those of the valid VMs. *)
Definition dom_ok (s : state) : Prop :=
  (forall i, is_Some (st_npts s !! i) <-> is_vmid i = true) /\
  (forall i, is_Some (st_vms s !! i) <-> is_vmid i = true).

(** ** Lock operations, object by object *)

Lemma is_Some_insert {A} (m : gmap Z A) i a b j :
  m !! i = Some b -> is_Some (<[i := a]> m !! j) <-> is_Some (m !! j).
Proof.
  intros E. destruct (decide (j = i)) as [->|N].
  - rewrite lookup_insert, E. split; eauto.
  - rewrite lookup_insert_ne by auto. reflexivity.
Qed.

(** [op] does to every object what [hop] does to its view here. *)
Definition uniform (op : view_op cell) (hop : cell objval -> cell objval) : Prop :=
  forall X (h : X -> objval) c v c', op X c = Some (v, c') -> hop (cell_map h c) = cell_map h c'.

(** After an operation at lock [k] the view of [k] is [hop]'s, and all else is as before. *)
Theorem at_lock_cell op hop k s v s' : uniform op hop -> at_lock op k s = Some (v, s') ->
  exists cl, cell_at k s = Some cl /\ cell_at k s' = Some (hop cl) /\
    (forall k', k' <> k -> cell_at k' s' = cell_at k' s) /\ priv s' = priv s /\ (dom_ok s -> dom_ok s').
Proof.
  intros Un. unfold at_lock, cell_at at 1 2, obj_op, map_op.
  destruct (Z.eqb_spec k lock_core) as [->|N1].
  { destruct (op _ (st_core s)) as [[w c]|] eqn:E; [|discriminate]. intros [= <- <-].
    eexists. split; [reflexivity|]. split; [cbn; now rewrite (Un _ _ _ _ _ E)|].
    split; [|split; [reflexivity | auto]].
    intros k' N. unfold cell_at.
    cbn [st_core st_s2 st_spt st_smmu st_npts st_vms set_core set_s2 set_spt set_smmu].
    apply Z.eqb_neq in N. rewrite N. reflexivity. }
  destruct (Z.eqb_spec k lock_s2page) as [->|N2].
  { destruct (op _ (st_s2 s)) as [[w c]|] eqn:E; [|discriminate]. intros [= <- <-].
    eexists. split; [reflexivity|]. split; [cbn; now rewrite (Un _ _ _ _ _ E)|].
    split; [|split; [reflexivity | auto]].
    intros k' N. unfold cell_at.
    cbn [st_core st_s2 st_spt st_smmu st_npts st_vms set_core set_s2 set_spt set_smmu].
    apply Z.eqb_neq in N. rewrite N. reflexivity. }
  destruct (Z.eqb_spec k lock_spt) as [->|N3].
  { destruct (op _ (st_spt s)) as [[w c]|] eqn:E; [|discriminate]. intros [= <- <-].
    eexists. split; [reflexivity|]. split; [cbn; now rewrite (Un _ _ _ _ _ E)|].
    split; [|split; [reflexivity | auto]].
    intros k' N. unfold cell_at.
    cbn [st_core st_s2 st_spt st_smmu st_npts st_vms set_core set_s2 set_spt set_smmu].
    apply Z.eqb_neq in N. rewrite N. reflexivity. }
  destruct (Z.eqb_spec k lock_smmu) as [->|N4].
  { destruct (op _ (st_smmu s)) as [[w c]|] eqn:E; [|discriminate]. intros [= <- <-].
    eexists. split; [reflexivity|]. split; [cbn; now rewrite (Un _ _ _ _ _ E)|].
    split; [|split; [reflexivity | auto]].
    intros k' N. unfold cell_at.
    cbn [st_core st_s2 st_spt st_smmu st_npts st_vms set_core set_s2 set_spt set_smmu].
    apply Z.eqb_neq in N. rewrite N. reflexivity. }
  destruct ((lock_npt 0 <=? k) && (k <? lock_vm 0)) eqn:B5.
  { destruct (st_npts s !! (k - lock_npt 0)) as [f|] eqn:L; [|discriminate].
    destruct (op _ f) as [[w c]|] eqn:E; [|discriminate]. intros [= <- <-].
    eexists. split; [reflexivity|].
    split; [cbn [st_npts set_npts]; rewrite lookup_insert; cbn; now rewrite (Un _ _ _ _ _ E)|].
    split; [|split; [reflexivity|]].
    - intros k' N. unfold cell_at. cbn [st_core st_s2 st_spt st_smmu st_npts st_vms set_npts].
      rewrite lookup_insert_ne by lia. reflexivity.
    - intros [D1 D2]. split; [|exact D2]. intros i. cbn [st_npts set_npts].
      rewrite (is_Some_insert _ _ _ _ _ L). apply D1. }
  destruct ((lock_vm 0 <=? k) && (k <? lock_end)) eqn:B6; [|discriminate].
  destruct (st_vms s !! (k - lock_vm 0)) as [f|] eqn:L; [|discriminate].
  destruct (op _ f) as [[w c]|] eqn:E; [|discriminate]. intros [= <- <-].
  eexists. split; [reflexivity|].
  split; [cbn [st_vms set_vms]; rewrite lookup_insert; cbn; now rewrite (Un _ _ _ _ _ E)|].
  split; [|split; [reflexivity|]].
  - intros k' N. unfold cell_at. cbn [st_core st_s2 st_spt st_smmu st_npts st_vms set_vms].
    rewrite lookup_insert_ne by lia. reflexivity.
  - intros [D1 D2]. split; [exact D1|]. intros i. cbn [st_vms set_vms].
    rewrite (is_Some_insert _ _ _ _ _ L). apply D2.
Qed.

(** An operation that is defined when the flag [c_held] is [b] is defined at [k] when
    the view of [k] says so. *)
Lemma at_lock_defined op b k s cl :
  (forall X (c : cell X), c_held c = b -> exists c', op X c = Some (0, c')) ->
  cell_at k s = Some cl -> c_held cl = b -> exists s', at_lock op k s = Some (0, s').
Proof.
  intros O. unfold at_lock, cell_at, obj_op, map_op.
  repeat match goal with |- context [if ?x then _ else _] => destruct x end; try discriminate.
  - intros [= <-] H. destruct (O _ (st_core s) H) as [c' ->]. eauto.
  - intros [= <-] H. destruct (O _ (st_s2 s) H) as [c' ->]. eauto.
  - intros [= <-] H. destruct (O _ (st_spt s) H) as [c' ->]. eauto.
  - intros [= <-] H. destruct (O _ (st_smmu s) H) as [c' ->]. eauto.
  - destruct (st_npts s !! _) as [c|]; [|discriminate]. intros [= <-] H. destruct (O _ c H) as [c' ->]. eauto.
  - destruct (st_vms s !! _) as [c|]; [|discriminate]. intros [= <-] H. destruct (O _ c H) as [c' ->]. eauto.
Qed.
