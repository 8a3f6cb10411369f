(* SPDX-License-Identifier: Apache-2.0 *)
(** The initial state below layer 4, where objects have other views and scripts other
    events: the same machine as [Init.init], every lock free.  Used by the examples of
    layers 1 to 4 and by the theorem that relates the initial states of all levels. *)
From SeKVM.machine Require Export Init Tickets.
Local Open Scope Z_scope.

(** Scripts of events of type [E X] for every object. *)
Record scripts (E : Type -> Type) := mkscripts {
  sc_core : list (list (E core_data));
  sc_s2 : list (list (E (gmap Z s2page)));
  sc_spt : list (list (E sptab));
  sc_smmu : list (list (E (gmap Z Z)));
  sc_npts : Z -> list (list (E npt));
  sc_vms : Z -> list (list (E vminfo)) }.
Arguments mkscripts {E}.
Arguments sc_core {E}.
Arguments sc_s2 {E}.
Arguments sc_spt {E}.
Arguments sc_smmu {E}.
Arguments sc_npts {E}.
Arguments sc_vms {E}.

Section InitView.
  Context {F E : Type -> Type} (free : forall X, X -> list (list (E X)) -> F X).

  Definition init_view (w : world) (sc : scripts E) : St F npt sptab (gmap Z s2page) :=
    mkSt (free _ core0 (sc_core sc))
         (free _ ∅ (sc_s2 sc))
         (free _ spt0 (sc_spt sc))
         (free _ ∅ (sc_smmu sc))
         (table 17 (fun vm => free _ (npt0 vm) (sc_npts sc vm)))
         (table 17 (fun vm => free _ vminfo0 (sc_vms sc vm)))
         (mkmem (w_words w) [] (w_mem w))
         (mkcpu (w_cpu w) HOSTVISOR (w_cpu w) ∅)
         (table 136 (fun i => free_cell ∅ (w_ctxts w i)))
         (w_boot w)
         (w_ins w)
         [].
End InitView.

(** The world's own scripts, for [cell]s. *)
Definition world_scripts (w : world) : scripts (fun X => Z * X)%type :=
  mkscripts (w_core w) (w_s2 w) (w_spt w) (w_smmu w) (w_npts w) (w_vms w).

Lemma init_is_view w : init w = init_view (@free_cell) w (world_scripts w).
Proof. reflexivity. Qed.

(** On the bottom machine: both counters at [n]. *)
Definition free_tview (n : Z) {X} (x : X) (s : list (list (lock_event X))) : tview X :=
  mktview x false n n [] s.
Definition init0 (n : Z) (w : world) (sc : scripts lock_event) : St tview npt sptab (gmap Z s2page) :=
  init_view (@free_tview n) w sc.

Definition no_events {E} : scripts E := mkscripts [] [] [] [] (fun _ => []) (fun _ => []).

(** Only the table of VM 3 is used by others. *)
Definition on_npt3 {E : Type -> Type} (s : list (list (E npt))) : scripts E :=
  mkscripts [] [] [] [] (fun vm => if vm =? 3 then s else []) (fun _ => []).

(** ** Related initial states at two views *)

Lemma table_dom {A} n (f : Z -> A) i : is_Some (table n f !! i) -> 0 <= i < n.
Proof.
  intros [a E]. apply elem_of_list_to_map_2 in E. apply elem_of_list_fmap in E as (j & Ej & I).
  injection Ej as -> _. apply elem_of_seqZ in I. lia.
Qed.

Lemma table_rel {A B} (Q : A -> B -> Prop) n f g :
  (forall i, 0 <= i < n -> Q (f i) (g i)) -> forall i, option_Forall2 Q (table n f !! i) (table n g !! i).
Proof.
  intros X i. destruct (decide (0 <= i < n)) as [R|R].
  - rewrite !lookup_table by exact R. constructor. now apply X.
  - destruct (table n f !! i) eqn:E1; [destruct R; apply (table_dom n f); eauto|].
    destruct (table n g !! i) eqn:E2; [destruct R; apply (table_dom n g); eauto|]. constructor.
Qed.

Lemma init_view_rel {F G E D} (RF : view_relation F G) (freeF : forall X, X -> list (list (E X)) -> F X)
      (freeG : forall X, X -> list (list (D X)) -> G X) w (sc : scripts E) (sd : scripts D)
      (RS : forall X, list (list (E X)) -> list (list (D X)) -> Prop) :
  (forall X x s t, RS X s t -> RF (w_cpu w) X (freeF X x s) (freeG X x t)) ->
  RS _ (sc_core sc) (sc_core sd) -> RS _ (sc_s2 sc) (sc_s2 sd) -> RS _ (sc_spt sc) (sc_spt sd) ->
  RS _ (sc_smmu sc) (sc_smmu sd) ->
  (forall vm, 0 <= vm < 17 -> RS _ (sc_npts sc vm) (sc_npts sd vm)) ->
  (forall vm, 0 <= vm < 17 -> RS _ (sc_vms sc vm) (sc_vms sd vm)) ->
  views_rel RF (init_view freeF w sc) (init_view freeG w sd).
Proof.
  intros X S1 S2 S3 S4 S5 S6.
  constructor; cbn [init_view st_core st_s2 st_spt st_smmu st_npts st_vms st_mem st_cpu st_ctxts st_boot st_ins st_outs cpu_id];
    auto.
  - apply table_rel. auto.
  - apply table_rel. auto.
  - intros i I. apply table_dom in I. unfold is_vmid. apply andb_true_iff.
    split; [apply Z.leb_le | apply Z.ltb_lt]; lia.
  - intros i I. apply table_dom in I. unfold is_vmid. apply andb_true_iff.
    split; [apply Z.leb_le | apply Z.ltb_lt]; lia.
Qed.
