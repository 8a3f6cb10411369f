(* SPDX-License-Identifier: Apache-2.0 *)
(** The specifications of the stack say something.  From the concrete initial state of
    the bottom machine, whatever the other CPUs fairly do, the linked program runs
    every sequence of stage-2 operations, with any arguments of their C types and any
    VM, to its end or to a panic; the invariant holds afterwards.  No lock protocol is
    asked of the caller: the operations take their locks themselves.  Rests on
    [Stack]; [StackTest] shows that the premises can be met. *)
From SeKVM.lib Require Import Runs.
From SeKVM.machine Require Import LockInit CellInv StateTac BottomTac.
From SeKVM.pagetable Require Import Facts.
From SeKVM.layers.LockOpsH Require Import Fair.
From SeKVM.layers.Locks Require Import Boot.
From SeKVM.layers.NPTOps Require Import Spec.
From SeKVM.layers.NPTWalk Require Refine.
From SeKVM Require Import Stack.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * The invariant *)

(** Every entry of a table is a 64-bit word. *)
Definition pmap_ok (p : pmap) : Prop := forall g l e, leaves p !! g = Some (l, e) -> in_range U64 e = true.

(** The tables of all VMs are there and well formed, also what others will publish. *)
Definition tables_ok (s : nstate) : Prop :=
  forall vm, 0 <= vm < 17 -> exists c, st_npts s !! vm = Some c /\ cell_ok pmap_ok c.

(** ... and this CPU holds the lock of none of them. *)
Definition inv (s : nstate) : Prop :=
  forall vm, 0 <= vm < 17 -> exists c, st_npts s !! vm = Some c /\ c_held c = false /\ cell_ok pmap_ok c.

Lemma inv_tables s : inv s -> tables_ok s.
Proof. intros I vm V. destruct (I vm V) as (c & E & _ & C). eauto. Qed.

Lemma entry_range p g : pmap_ok p -> in_range U64 (entry p g) = true.
Proof.
  intros O. unfold entry. destruct (leaves p !! g) as [[l e]|] eqn:E; [exact (O _ _ _ E) | reflexivity].
Qed.

Lemma level_u32 p g : in_range U32 (level p g) = true.
Proof. apply in_range_iff. pose proof (level_range p g). ranges_goal. lia. Qed.

Lemma pempty_ok G : pmap_ok (pempty G).
Proof. intros g l e E. cbn in E. now rewrite lookup_empty in E. Qed.

(** An update keeps the entries 64 bits wide, however it ends. *)
Lemma pset_ok vm target g e p : is_vmid vm = true -> (target < 4)%nat -> in_range U64 e = true -> pmap_ok p ->
  match pset (npt_geom vm) target g e p with Updated q | Full q | Under_block q => pmap_ok q end.
Proof.
  intros V B Re O. pose proof (npt_geom_ok vm V) as OK.
  destruct (pset (npt_geom vm) target g e p) as [q|q|q] eqn:E.
  - intros h l x L. rewrite (pset_lookup _ OK target g e p q h B E) in L.
    destruct (_ =? _); [|exact (O _ _ _ L)]. unfold leaf in L. cbn in L. destruct (e =? 0); [discriminate|].
    now injection L as <- <-.
  - intros h l x L. rewrite (pset_failed _ target g e p q (or_introl E)) in L. exact (O _ _ _ L).
  - intros h l x L. rewrite (pset_failed _ target g e p q (or_intror E)) in L. exact (O _ _ _ L).
Qed.

(** * Each call *)

Definition good (r : res nstate) : Prop := match r with Ok _ s => inv s | Halt s => tables_ok s end.

(** Replacing the table of one VM; outputs do not matter. *)
Lemma put_inv s vm c o : inv s -> 0 <= vm < 17 -> c_held c = false -> cell_ok pmap_ok c ->
  inv (set_outs o (put_table vm c s)).
Proof.
  intros I V H C vm' V'. cbn. destruct (decide (vm' = vm)) as [->|N].
  - exists c. now rewrite lookup_insert.
  - rewrite lookup_insert_ne by auto. exact (I vm' V').
Qed.

Lemma put_inv_same s vm c : inv s -> 0 <= vm < 17 -> c_held c = false -> cell_ok pmap_ok c -> inv (put_table vm c s).
Proof. exact (put_inv s vm c (st_outs s)). Qed.

Lemma put_tables s vm c : inv s -> 0 <= vm < 17 -> cell_ok pmap_ok c -> tables_ok (put_table vm c s).
Proof.
  intros I V C vm' V'. cbn. destruct (decide (vm' = vm)) as [->|N].
  - exists c. now rewrite lookup_insert.
  - rewrite lookup_insert_ne by auto. destruct (I vm' V') as (d & E & _ & D). eauto.
Qed.

Lemma vmid_range vm : 0 <= vm < 17 -> in_range U32 vm = true /\ is_vmid vm = true.
Proof.
  intros V. split; [apply in_range_iff; ranges_goal; lia|].
  unfold is_vmid. apply andb_true_iff. split; [apply Z.leb_le | apply Z.ltb_lt]; lia.
Qed.

Lemma look_safe rt f vm a (s : nstate) : inv s -> 0 <= vm < 17 -> in_range U64 a = true ->
  (forall p g, pmap_ok p -> in_range rt (f p g) = true) ->
  exists r, p2 (Some rt) U32 U64 (locked_look f) [vm; a] s = Some r /\ good r.
Proof.
  intros I V A F. destruct (vmid_range vm V) as [R1 R2]. destruct (I vm V) as (c & E & H & C).
  pose proof (acquire_ok _ _ C) as C'.
  unfold p2. rewrite R1, A. unfold locked_look. rewrite E, H, R2. cbn [negb]. unfold chk.
  rewrite (F _ (page_number a) (proj1 C')). eexists. split; [reflexivity|].
  apply put_inv_same; [exact I | exact V | reflexivity | apply release_ok, C'].
Qed.

(** What a locked update does, before the result is checked for [void]. *)
Lemma publish_safe vm a target g e c (s : nstate) : inv s -> 0 <= vm < 17 -> (target < 4)%nat ->
  in_range U64 e = true -> cell_ok pmap_ok c ->
  exists r, chk None (publish_update vm a (pset (npt_geom vm) target g e (c_val c)) c s) = Some r /\ good r.
Proof.
  intros I V B Re C. destruct (vmid_range vm V) as [_ R2].
  pose proof (pset_ok vm target g e (c_val c) R2 B Re (proj1 C)) as O. unfold publish_update.
  destruct (pset (npt_geom vm) target g e (c_val c)) as [q|q|q]; cbn [chk Z.eqb];
    (eexists; split; [reflexivity|]).
  - apply put_inv; [exact I | exact V | reflexivity | apply release_ok, set_val_ok; [exact C | exact O]].
  - apply put_tables; [exact I | exact V | apply set_val_ok; [exact C | exact O]].
  - apply put_tables; [exact I | exact V | apply set_val_ok; [exact C | exact O]].
Qed.

Lemma map_safe vm a lvl e (s : nstate) : inv s -> 0 <= vm < 17 ->
  in_range U64 a = true -> in_range U32 lvl = true -> in_range U64 e = true ->
  exists r, map_s2pt_spec [vm; a; lvl; e] s = Some r /\ good r.
Proof.
  intros I V Ra Rl Re. destruct (vmid_range vm V) as [R1 R2]. destruct (I vm V) as (c & E & H & C).
  pose proof (acquire_ok _ _ C) as C'.
  unfold map_s2pt_spec, p4. rewrite R1, Ra, Rl, Re, E, H, R2. cbn [negb].
  destruct (lvl =? 2).
  - destruct (Z.land e 3 =? 3).
    + eexists. split; [reflexivity|]. now apply put_tables.
    + apply publish_safe; auto with arith.
  - apply publish_safe; auto with arith.
Qed.

Lemma clear_safe pfn (s : nstate) : inv s -> in_range U64 pfn = true ->
  exists r, clear_pfn_host_spec [pfn] s = Some r /\ good r.
Proof.
  intros I Rp. assert (V : 0 <= HOSTVISOR < 17) by (unfold HOSTVISOR; lia).
  destruct (I HOSTVISOR V) as (c & E & H & C). pose proof (acquire_ok _ _ C) as C'.
  unfold clear_pfn_host_spec, p1. rewrite Rp, E, H. cbn [negb].
  destruct (level _ _ =? 0).
  - eexists. split; [reflexivity|]. apply put_inv_same; [exact I | exact V | reflexivity | apply release_ok, C'].
  - apply publish_safe; auto with arith.
Qed.

(** * Whole runs *)

(** The stage-2 operations, with any arguments of their C types and any VM. *)
Inductive stage2_call : ident * list Z -> Prop :=
| call_level vm a : 0 <= vm < 17 -> in_range U64 a = true -> stage2_call ("get_level_s2pt", [vm; a])
| call_walk vm a : 0 <= vm < 17 -> in_range U64 a = true -> stage2_call ("walk_s2pt", [vm; a])
| call_map vm a lvl e : 0 <= vm < 17 -> in_range U64 a = true -> in_range U32 lvl = true -> in_range U64 e = true ->
    stage2_call ("map_s2pt", [vm; a; lvl; e])
| call_clear pfn : in_range U64 pfn = true -> stage2_call ("clear_pfn_host", [pfn]).

Lemma call_safe f vs (s : nstate) : stage2_call (f, vs) -> inv s ->
  exists r, call top f vs s = Some r /\ good r.
Proof.
  intros X I. inversion X as [vm a V A | vm a V A | vm a lvl e V A L E | pfn A]; subst.
  - change (call top "get_level_s2pt" [vm; a] s) with (get_level_s2pt_spec [vm; a] s).
    apply look_safe; auto. intros p g _. apply level_u32.
  - change (call top "walk_s2pt" [vm; a] s) with (walk_s2pt_spec [vm; a] s).
    apply look_safe; auto. intros p g O. now apply entry_range.
  - exact (map_safe vm a lvl e s I V A L E).
  - exact (clear_safe pfn s I A).
Qed.

Lemma run_safe cs : Forall stage2_call cs -> forall s, inv s ->
  exists r, run_calls (call top) cs s = Some r /\ good r.
Proof.
  induction 1 as [|[f vs] cs X _ IH]; intros s I; cbn [run_calls].
  - eexists. split; [reflexivity | exact I].
  - destruct (call_safe f vs s X I) as ([v s'|s'] & -> & G).
    + exact (IH s' G).
    + eexists. split; [reflexivity | exact G].
Qed.

(** * From the initial state of the bottom machine *)

(** [maps] is what the tables mean that the other CPUs leave, per VM; all entries are
    64 bits wide. *)
Definition maps_of (w : world) (maps : Z -> list (list (Z * pmap))) : Prop :=
  forall vm, is_vmid vm = true ->
    Forall2 (Forall2 (event_rel (RN vm))) (maps vm) (w_npts w vm) /\
    Forall (Forall (fun e => pmap_ok (snd e))) (maps vm).

Lemma init_inv maps w : maps_of w maps -> inv (NPTWalk.Refine.init_maps maps w).
Proof.
  intros Mp vm V. destruct (vmid_range vm V) as [_ R2].
  unfold NPTWalk.Refine.init_maps. cbn [st_npts set_npts]. rewrite lookup_table by exact V.
  eexists. split; [reflexivity|]. split; [reflexivity|]. split; [apply pempty_ok | exact (proj2 (Mp vm R2))].
Qed.

(** Read: start the bottom machine with any value [n] of the ticket counters; let the
    other CPUs behave fairly on every lock, releasing within [B] polls whoever we wait
    for, and leave only tables that mean something.  Then the linked program makes
    every sequence of stage-2 calls, to its end or to a panic, and what its last state
    means satisfies the invariant. *)
Theorem top_safe n w B sc maps cs :
  0 <= n < 4294967296 -> is_cpu (w_cpu w) = true -> fair_scripts (w_cpu w) B sc ->
  maps_of (world_of w sc) maps -> Forall stage2_call cs ->
  exists r', runs (flat program (graph L0)) cs (init0 n w sc) r' /\
    exists r, res_rel R_stack r r' /\ good r.
Proof.
  intros Rn Cp Fa Mp Cs. set (s := NPTWalk.Refine.init_maps maps (world_of w sc)).
  destruct (run_safe cs Cs s (init_inv maps _ Mp)) as (r & E & G).
  assert (V : rel R_stack s (init0 n w sc)).
  { apply R_stack_rel. exists (init (world_of w sc)). split.
    - apply NPTWalk.Refine.init_related. intros vm R2. exact (proj1 (Mp vm R2)).
    - exact (fair_boot n w B sc Rn Cp Fa). }
  destruct (refines_runs R_stack _ _ stack cs _ _ (run_calls_runs _ _ _ _ E) _ V) as (r' & X & Y).
  exists r'. split; [exact X|]. exists r. auto.
Qed.
