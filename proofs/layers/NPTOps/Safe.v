(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 8, NPTOps: every operation is defined for all arguments of its C types, to its
    end or to a panic, and keeps the invariant of the tables; no lock is asked of the
    caller.  Rests on the layer below's [Safe]; used by [StackSafe]. *)
From SeKVM.machine Require Import CellInv StateTac BottomTac.
From SeKVM.layers.NPTWalk Require Export Safe.
From SeKVM.layers.NPTWalk Require Import Steps.
From SeKVM.layers.NPTOps Require Import Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Safe.
  Context {M P : Type}.
  Notation St := (St cell pmap M P).

  (** No lock of a stage-2 table is held. *)
  Definition no_npt (h : gset Z) : Prop := forall vm, 0 <= vm < 17 -> lock_npt vm ∉ h.

  Lemma table_free h (s : St) vm : npts_ok h s -> no_npt h -> 0 <= vm < 17 ->
    exists c, st_npts s !! vm = Some c /\ c_held c = false /\ cell_ok (leaves_ok (npt_geom vm)) c.
  Proof.
    intros I F V. destruct (I vm V) as (c & E & H & C). exists c. split; [exact E|]. split; [|exact C].
    rewrite H. apply bool_decide_eq_false, F, V.
  Qed.

  (** A table is published. *)
  Lemma put_published h (s : St) vm c : npts_ok h s -> no_npt h -> 0 <= vm < 17 -> cell_ok (leaves_ok (npt_geom vm)) c ->
    npts_ok h (put_table vm (published c s) s).
  Proof.
    intros I F V C. apply (npts_ok_insert h); auto using release_ok.
    cbn. symmetry. apply bool_decide_eq_false, F, V.
  Qed.

  (** A panic with the lock held. *)
  Lemma put_locked h (s : St) vm c : npts_ok h s -> 0 <= vm < 17 -> cell_ok (leaves_ok (npt_geom vm)) c -> c_held c = true ->
    good h s (Halt (put_table vm c s)).
  Proof.
    intros I V C H. exists ({[lock_npt vm]} ∪ h). split; [|split; [|apply changed_npts]].
    - intros k K. unfold lock_npt, lock_vm in K |- *. set_solver by lia.
    - apply (npts_ok_insert h); auto.
      + rewrite H. symmetry. apply bool_decide_eq_true. set_solver.
      + set_solver.
  Qed.

  Lemma halt_good h (s : St) : npts_ok h s -> good h s (Halt s).
  Proof. intros I. exists h. split; [now intros k|]. split; [exact I | apply changed_same]. Qed.

  Lemma same_good h (s : St) v : npts_ok h s -> good h s (Ok v s).
  Proof. intros I. split; [exact I | apply changed_same]. Qed.

  Lemma valid_vmid vm : in_range U32 vm = true -> is_vmid vm = true -> 0 <= vm < 17.
  Proof. unfold is_vmid. intros _ V. boolprop. lia. Qed.

  Lemma look_op_safe h (s : St) rt f vm a : npts_ok h s -> no_npt h -> in_range U32 vm = true -> in_range U64 a = true ->
    in_range rt 0 = true -> (forall p, leaves_ok (npt_geom vm) p -> in_range rt (f p (page_number a)) = true) ->
    exists r, p2 (Some rt) U32 U64 (locked_look f) [vm; a] s = Some r /\ good h s r.
  Proof.
    intros I Fr Rv Ra R0 F. unfold p2, locked_look. rewrite Rv, Ra.
    destruct (is_vmid vm) eqn:V; cbn [negb]; [|eexists; split; [reflexivity | now apply halt_good]].
    destruct (ADDR_LIMIT <=? a); [cbn [chk]; rewrite R0; eexists; split; [reflexivity | now apply same_good]|].
    apply valid_vmid in V; [|exact Rv]. destruct (table_free h s vm I Fr V) as (c & E & H & C).
    pose proof (acquire_ok _ _ C) as C'. rewrite E, H. cbn [negb chk]. rewrite (F _ (proj1 C')).
    eexists. split; [reflexivity|]. split; [now apply put_published | apply changed_npts].
  Qed.

  Lemma publish_safe h (s : St) vm a target g e c : npts_ok h s -> no_npt h -> 0 <= vm < 17 ->
    leaf_ok (npt_geom vm) target e -> cell_ok (leaves_ok (npt_geom vm)) c -> c_held c = true ->
    exists r, chk None (publish_update vm a (pset (npt_geom vm) target g e (c_val c)) c s) = Some r /\ good h s r.
  Proof.
    intros I F V Le C H. destruct (vmid_range vm V) as [_ R2].
    pose proof (pset_ok _ (npt_geom_ok vm R2) target g e (c_val c) Le (proj1 C)) as O. unfold publish_update.
    destruct (pset (npt_geom vm) target g e (c_val c)) as [q|q|q]; cbn [chk Z.eqb]; (eexists; split; [reflexivity|]).
    - split; [|do 2 eexists; reflexivity]. exact (put_published h s vm _ I F V (set_val_ok _ q c C O)).
    - apply put_locked; auto using set_val_ok.
    - apply put_locked; auto using set_val_ok.
  Qed.

  Lemma words_ok vm lvl a p : leaves_ok (npt_geom vm) p -> words_at lvl (page_number a) p = true.
  Proof.
    intros O. apply forallb_forall. intros i I. apply elem_of_list_In, elem_of_seqZ in I.
    apply (entry_u64 (npt_geom vm)); [exact O|]. change (pages (npt_geom vm)) with 68719476736.
    pose proof (page_number_range vm a) as R. change (pages (npt_geom vm)) with 68719476736 in R.
    unfold map_start, map_size, block_start in *. destruct (lvl =? 2); [|lia]. Z.div_mod_to_equations. lia.
  Qed.

  Lemma map_safe h (s : St) vm a lvl e : npts_ok h s -> no_npt h ->
    in_range U32 vm = true -> in_range U64 a = true -> in_range U32 lvl = true -> in_range U64 e = true ->
    exists r, map_s2pt_spec [vm; a; lvl; e] s = Some r /\ good h s r.
  Proof.
    intros I F Rv Ra Rl Re. unfold map_s2pt_spec, p4. rewrite Rv, Ra, Rl, Re.
    destruct (is_vmid vm) eqn:V; cbn [negb andb]; [|eexists; split; [reflexivity | now apply halt_good]].
    destruct (a <? ADDR_LIMIT); cbn [negb andb]; [|eexists; split; [reflexivity | now apply halt_good]].
    destruct (can_map lvl e) eqn:K; cbn [negb]; [|eexists; split; [reflexivity | now apply halt_good]].
    apply valid_vmid in V; [|exact Rv]. destruct (table_free h s vm I F V) as (c & E & H & C).
    pose proof (acquire_ok _ _ C) as C'. rewrite E, H. cbn [negb]. cbv zeta.
    rewrite (words_ok vm), orb_true_r by apply C'.
    destruct (is_guest vm && _); [eexists; split; [reflexivity|]; now apply put_locked|].
    apply publish_safe; auto. unfold can_map, map_level in *. destruct (lvl =? 2); apply andb_true_iff in K as [K _].
    - apply block_leaf; [exact Re|]. apply Z.eqb_eq in K. now rewrite K.
    - now apply page_leaf.
  Qed.

  Lemma clear_safe h (s : St) pfn : npts_ok h s -> no_npt h -> in_range U64 pfn = true ->
    exists r, clear_pfn_host_spec [pfn] s = Some r /\ good h s r.
  Proof.
    intros I F Rp. unfold clear_pfn_host_spec, p1. rewrite Rp.
    destruct (PFN_LIMIT <=? pfn); [eexists; split; [reflexivity | now apply halt_good]|].
    assert (V : 0 <= HOSTVISOR < 17) by (unfold HOSTVISOR; lia).
    destruct (table_free h s HOSTVISOR I F V) as (c & E & H & C).
    pose proof (acquire_ok _ _ C) as C'. rewrite E, H. cbn [negb]. destruct (level _ _ =? 0).
    - eexists. split; [reflexivity|]. split; [now apply put_published | apply changed_npts].
    - apply publish_safe; auto. now apply page_leaf.
  Qed.
End Safe.

(** The operations, with any arguments of their C types. *)
Inductive stage2_call : ident * list Z -> Prop :=
| call_level vm a : in_range U32 vm = true -> in_range U64 a = true -> stage2_call ("get_level_s2pt", [vm; a])
| call_walk vm a : in_range U32 vm = true -> in_range U64 a = true -> stage2_call ("walk_s2pt", [vm; a])
| call_map vm a lvl e : in_range U32 vm = true -> in_range U64 a = true -> in_range U32 lvl = true ->
    in_range U64 e = true -> stage2_call ("map_s2pt", [vm; a; lvl; e])
| call_clear pfn : in_range U64 pfn = true -> stage2_call ("clear_pfn_host", [pfn]).

Theorem NPTOps_safe {M P} h f vs (s : St cell pmap M P) : stage2_call (f, vs) -> npts_ok h s -> no_npt h ->
  exists r, call NPTOps.Spec.T f vs s = Some r /\ good h s r.
Proof.
  intros X I F. inversion X as [vm a V A | vm a V A | vm a lvl e V A L E | pfn A]; subst.
  - apply look_op_safe; auto. intros p _. apply level_u32.
  - apply look_op_safe; auto. intros p O. exact (entry_u64 _ p _ O (page_number_range vm a)).
  - now apply map_safe.
  - now apply clear_safe.
Qed.
