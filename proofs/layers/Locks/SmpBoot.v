(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 4, Locks, on many CPUs, from the start of the machine.  The interleaving
    machine boots with every object initial and every lock free; whatever all CPUs then
    do, each of them runs over this layer's specifications from [init w] for a world
    [w] whose scripts are the others' own releases ([locks_smp_boot]).  So the worlds
    over which the theorems of all higher layers quantify are no assumption: they are
    what a real run gives.  Rests on [Smp]. *)
From SeKVM.lib Require Import SmpCode.
From SeKVM.machine Require Import Objects Init.
From SeKVM.layers.Locks Require Import Smp.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Objects keep their kind *)

Definition kind (k : Z) (v : objval) : Prop :=
  match v with
  | VCore _ => k = lock_core
  | VS2 _ => k = lock_s2page
  | VSpt _ => k = lock_spt
  | VSmmu _ => k = lock_smmu
  | VNpt _ => lock_npt 0 <= k < lock_vm 0
  | VVm _ => lock_vm 0 <= k < lock_end
  end.

Lemma cell_at_kind k s c : cell_at k s = Some c -> kind k (c_val c).
Proof.
  unfold cell_at.
  destruct (Z.eqb_spec k lock_core); [intros [= <-]; assumption|].
  destruct (Z.eqb_spec k lock_s2page); [intros [= <-]; assumption|].
  destruct (Z.eqb_spec k lock_spt); [intros [= <-]; assumption|].
  destruct (Z.eqb_spec k lock_smmu); [intros [= <-]; assumption|].
  destruct (Z.leb_spec (lock_npt 0) k), (Z.ltb_spec k (lock_vm 0)); cbn [andb].
  - destruct (st_npts s !! _); [|discriminate]. intros [= <-]. cbn. lia.
  - destruct (Z.leb_spec (lock_vm 0) k), (Z.ltb_spec k lock_end); cbn [andb]; try discriminate.
    destruct (st_vms s !! _); [|discriminate]. intros [= <-]. cbn. lia.
  - destruct (Z.leb_spec (lock_vm 0) k), (Z.ltb_spec k lock_end); cbn [andb]; try discriminate.
    destruct (st_vms s !! _); [|discriminate]. intros [= <-]. cbn. lia.
  - destruct (Z.leb_spec (lock_vm 0) k), (Z.ltb_spec k lock_end); cbn [andb]; try discriminate.
    destruct (st_vms s !! _); [|discriminate]. intros [= <-]. cbn. lia.
Qed.

(** All values, present and released, are of their object's kind. *)
Definition kinds (g : @glob objval private) : Prop :=
  (forall k x, g_obj g !! k = Some x -> kind k x) /\ (forall k e, In e (g_log g k) -> kind k (snd e)).

Lemma values_kind s m k x : (forall k x, m !! k = Some x -> kind k x) -> values s m !! k = Some x -> kind k x.
Proof.
  intros Km E. unfold values in E. rewrite map_lookup_imap in E. destruct (m !! k) as [y|] eqn:L; [|discriminate].
  cbn in E. destruct (cell_at k s) as [c|] eqn:C; injection E as <-.
  - exact (cell_at_kind _ _ _ C).
  - exact (Km _ _ L).
Qed.

Lemma step_kinds c f vs o g v g' : opof f vs = Some o -> gstep c o g v g' -> kinds g -> kinds g'.
Proof.
  intros O St [K1 K2].
  assert (Held : forall k x, held_by c g !! k = Some x -> kind k x).
  { intros k x E. rewrite lookup_held_by in E. destruct (decide _); [exact (K1 _ _ E) | discriminate]. }
  assert (Union : forall q m w l p b, on_held f vs (q, held_by c g) = Some b ->
            (match b with Ok _ (_, m') | Halt (_, m') => m' end) = m ->
            kinds (mkglob (m ∪ g_obj g) w (g_log g) l p)).
  { intros q m w l p b E Em. split; [|exact K2]. intros k x. cbn [g_obj]. intros L.
    apply lookup_union_Some_raw in L as [L|[_ L]]; [|exact (K1 _ _ L)].
    unfold on_held in E. cbn [fst snd] in E.
    destruct (call Rel.Lkeep f vs (assemble q (held_by c g))) as [[u a|a]|]; try discriminate E;
      injection E as <-; subst m; exact (values_kind a _ k x Held L). }
  destruct St as [ k x ob w l p E1 E2 | k x ob w l p E1 E2 | h u q m ob w l p E D | h q m ob w l p E D ];
    cbn [g_obj g_log] in *.
  - split; assumption.
  - split; [exact K1|]. intros k' e. cbn [g_log]. unfold fupd. destruct (Z.eqb_spec k' k) as [->|N]; [|apply K2].
    intros [<-|Ie]; [exact (K1 _ _ E1) | exact (K2 _ _ Ie)].
  - unfold opof in O. destruct (Lang.assoc f lock_functions) as [[[|] number]|];
      [destruct (number vs); discriminate | destruct (number vs); discriminate|].
    injection O as <-. exact (Union (p c) m w (fupd c q p) false _ E eq_refl).
  - unfold opof in O. destruct (Lang.assoc f lock_functions) as [[[|] number]|];
      [destruct (number vs); discriminate | destruct (number vs); discriminate|].
    injection O as <-. exact (Union (p c) m w (fupd c q p) true _ E eq_refl).
Qed.

Lemma run_kinds tr g g' : grun opof tr g g' -> kinds g -> kinds g'.
Proof. induction 1; eauto using step_kinds. Qed.

(** * The start *)

(** The objects under their numbers, 1 to 38. *)
Definition numbered {A} (f : Z -> option A) : gmap Z A :=
  list_to_map (omap (fun k => option_map (pair k) (f k)) (seqZ 1 38)).

Lemma lookup_numbered {A} (f : Z -> option A) k :
  (forall k, is_Some (f k) -> 1 <= k < 39) -> numbered f !! k = f k.
Proof.
  intros R. unfold numbered. destruct (f k) as [a|] eqn:E.
  - apply elem_of_list_to_map_1.
    + assert (Sub : forall l, NoDup l -> NoDup (omap (fun k => option_map (pair k) (f k)) l).*1).
      { induction 1 as [|x l Nx D IH]; [constructor|]. cbn. destruct (f x) as [b|]; cbn; [|exact IH].
        constructor; [|exact IH]. intros I. apply Nx. apply elem_of_list_fmap in I as ([y z] & Ey & I). cbn in Ey. subst y.
        apply elem_of_list_omap in I as (x' & I & Ex). destruct (f x'); [|discriminate]. now injection Ex as -> _. }
      apply Sub, NoDup_seqZ.
    + apply elem_of_list_omap. exists k. split; [|now rewrite E]. apply elem_of_seqZ.
      pose proof (R k ltac:(eauto)). lia.
  - apply not_elem_of_list_to_map_1. intros I. apply elem_of_list_fmap in I as ([y z] & Ey & I). cbn in Ey. subst y.
    apply elem_of_list_omap in I as (x' & I & Ex). destruct (f x') eqn:E'; [|discriminate]. injection Ex as -> _. congruence.
Qed.

Lemma cell_at_range k s : is_Some (cell_at k s) -> 1 <= k < 39.
Proof.
  intros [c E]. pose proof (cell_at_kind _ _ _ E) as K. unfold kind, lock_core, lock_s2page, lock_spt, lock_smmu, lock_npt, lock_vm, lock_end in K.
  destruct (c_val c); lia.
Qed.

Section Boot.
(** What is not a lock-protected object, CPU by CPU: the firmware's map, memory, saved contexts and inputs of [ws c]. *)
Context (ws : Z -> world).

Definition alone (c : Z) : world :=
  mkworld c (w_boot (ws c)) (w_words (ws c)) [] [] [] [] (fun _ => []) (fun _ => []) (w_ctxts (ws c)) (w_mem (ws c)) (w_ins (ws c)).

(** CPU [c]'s view at the start, without scripts. *)
Definition start_loc (c : Z) : @loc objval private :=
  mkloc (priv (init (alone c))) (numbered (fun k => cell_at k (init (alone c)))).

(** The interleaving machine at the start; the objects are the same for all CPUs. *)
Definition start_glob : @glob objval private :=
  mkglob (numbered (fun k => option_map c_val (cell_at k (init (alone 0))))) ∅ (fun _ => [])
         (fun c => priv (init (alone c))) false.

Lemma objects_same c k : option_map c_val (cell_at k (init (alone 0))) = option_map c_val (cell_at k (init (alone c))).
Proof. reflexivity. Qed.

Lemma start_obj k : g_obj start_glob !! k = option_map c_val (cell_at k (init (alone 0))).
Proof.
  apply (lookup_numbered (fun k => option_map c_val (cell_at k (init (alone 0))))).
  intros k' [x E]. destruct (cell_at k' (init (alone 0))) eqn:C; [|discriminate].
  apply (cell_at_range k' (init (alone 0))). rewrite C. eauto.
Qed.

Lemma start_cells c k : l_cells (start_loc c) !! k = cell_at k (init (alone c)).
Proof.
  apply (lookup_numbered (fun k => cell_at k (init (alone c)))). intros k'. apply cell_at_range.
Qed.

Lemma start_kinds : kinds start_glob.
Proof.
  split; [|intros k e []]. intros k x E. rewrite start_obj in E.
  destruct (cell_at k (init (alone 0))) eqn:C; [|discriminate]. injection E as <-. exact (cell_at_kind _ _ _ C).
Qed.

Lemma table_value {A} n (f : Z -> A) i d : table n f !! i = Some d -> exists j, d = f j.
Proof.
  intros E. apply elem_of_list_to_map_2 in E. apply elem_of_list_fmap in E as (j & Ej & _).
  injection Ej as _ ->. eauto.
Qed.

(** At the start every lock is free and nothing is released. *)
Lemma start_free c k cl : cell_at k (init (alone c)) = Some cl -> c_held cl = false /\ c_log cl = [].
Proof.
  unfold cell_at.
  destruct (k =? lock_core); [intros [= <-]; split; reflexivity|].
  destruct (k =? lock_s2page); [intros [= <-]; split; reflexivity|].
  destruct (k =? lock_spt); [intros [= <-]; split; reflexivity|].
  destruct (k =? lock_smmu); [intros [= <-]; split; reflexivity|].
  destruct ((lock_npt 0 <=? k) && (k <? lock_vm 0)).
  - destruct (st_npts (init (alone c)) !! _) as [d|] eqn:E; [|discriminate].
    apply table_value in E as [j ->]. intros [= <-]. split; reflexivity.
  - destruct ((lock_vm 0 <=? k) && (k <? lock_end)); [|discriminate].
    destruct (st_vms (init (alone c)) !! _) as [d|] eqn:E; [|discriminate].
    apply table_value in E as [j ->]. intros [= <-]. split; reflexivity.
Qed.

Lemma start_view c : view_of c start_glob (start_loc c) (fun _ => []).
Proof.
  constructor.
  - reflexivity.
  - apply set_eq. intros k. rewrite !elem_of_dom, start_obj, start_cells, (objects_same c).
    destruct (cell_at k (init (alone c))); cbn; split; intros [? ?]; try discriminate; eexists; reflexivity.
  - intros k x cl E C. rewrite start_obj, (objects_same c) in E. rewrite start_cells in C. rewrite C in E.
    injection E as <-. destruct (start_free _ _ _ C) as [H L]. split; cbn.
    + now rewrite L.
    + constructor.
    + rewrite H, lookup_empty. split; discriminate.
    + rewrite H. discriminate.
    + reflexivity.
Qed.

(** * The world that a run gives *)

Definition is_core v := match v with VCore x => Some x | _ => None end.
Definition is_s2 v := match v with VS2 x => Some x | _ => None end.
Definition is_spt v := match v with VSpt x => Some x | _ => None end.
Definition is_smmu v := match v with VSmmu x => Some x | _ => None end.
Definition is_npt v := match v with VNpt x => Some x | _ => None end.
Definition is_vm v := match v with VVm x => Some x | _ => None end.

(** The values of one kind in a script. *)
Definition typed {X} (of : objval -> option X) (s : list (list (Z * objval))) : list (list (Z * X)) :=
  map (omap (fun e => option_map (pair (fst e)) (of (snd e)))) s.

Lemma typed_map {X} (of : objval -> option X) (h : X -> objval) s :
  (forall b e, In b s -> In e b -> exists x, snd e = h x /\ of (h x) = Some x) ->
  map (map (event_map h)) (typed of s) = s.
Proof.
  intros O. unfold typed. rewrite map_map. rewrite <- (map_id s) at 2. apply map_ext_in. intros b Ib.
  assert (Ob : forall e, In e b -> exists x, snd e = h x /\ of (h x) = Some x) by eauto.
  clear O Ib. induction b as [|[d v] b IH]; [reflexivity|].
  destruct (Ob (d, v) (or_introl eq_refl)) as (x & Ev & Ox). cbn in Ev. subst v. cbn. rewrite Ox. cbn.
  f_equal. apply IH. intros e Ie. apply Ob. now right.
Qed.

Definition world_of_run (c : Z) (scr : Z -> list (list (Z * objval))) : world :=
  mkworld c (w_boot (ws c)) (w_words (ws c)) (typed is_core (scr lock_core)) (typed is_s2 (scr lock_s2page))
    (typed is_spt (scr lock_spt)) (typed is_smmu (scr lock_smmu))
    (fun vm => typed is_npt (scr (lock_npt vm))) (fun vm => typed is_vm (scr (lock_vm vm)))
    (w_ctxts (ws c)) (w_mem (ws c)) (w_ins (ws c)).

Lemma init_dom w : dom_ok (init w).
Proof.
  split; intros i; (split; [apply table_vmid|]); intros B; cbn [init st_npts st_vms]; rewrite vmid_table by exact B; eauto.
Qed.

(** A typed view with its script, and the same view in one type of values. *)
Lemma free_cell_script {X} (h : X -> objval) of x s :
  map (map (event_map h)) (typed of s) = s ->
  mkcell (h x) false [] s = cell_map h (free_cell x (typed of s)).
Proof. intros E. unfold cell_map, free_cell. cbn. now rewrite E. Qed.

Theorem run_view c scr :
  (forall k b e, In b (scr k) -> In e b -> kind k (snd e)) ->
  is_view (with_script scr (start_loc c)) (init (world_of_run c scr)).
Proof.
  intros K. constructor; [reflexivity | | apply init_dom].
  intros k. rewrite lookup_script, start_cells. unfold cell_at.
  destruct (Z.eqb_spec k lock_core) as [->|N1].
  { cbn [cell_map c_val c_held c_log init st_core free_cell map]. f_equal. apply (free_cell_script VCore is_core core0).
    apply typed_map. intros b e Ib Ie. specialize (K _ _ _ Ib Ie). destruct (snd e); cbn in K; try discriminate K; try (unfold lock_core, lock_npt, lock_vm, lock_end in K; lia). eauto. }
  destruct (Z.eqb_spec k lock_s2page) as [->|N2].
  { cbn [cell_map c_val c_held c_log init st_s2 free_cell map]. f_equal. apply (free_cell_script VS2 is_s2 ∅).
    apply typed_map. intros b e Ib Ie. specialize (K _ _ _ Ib Ie). destruct (snd e); cbn in K; try discriminate K; try (unfold lock_s2page, lock_npt, lock_vm, lock_end in K; lia). eauto. }
  destruct (Z.eqb_spec k lock_spt) as [->|N3].
  { cbn [cell_map c_val c_held c_log init st_spt free_cell map]. f_equal. apply (free_cell_script VSpt is_spt spt0).
    apply typed_map. intros b e Ib Ie. specialize (K _ _ _ Ib Ie). destruct (snd e); cbn in K; try discriminate K; try (unfold lock_spt, lock_npt, lock_vm, lock_end in K; lia). eauto. }
  destruct (Z.eqb_spec k lock_smmu) as [->|N4].
  { cbn [cell_map c_val c_held c_log init st_smmu free_cell map]. f_equal. apply (free_cell_script VSmmu is_smmu ∅).
    apply typed_map. intros b e Ib Ie. specialize (K _ _ _ Ib Ie). destruct (snd e); cbn in K; try discriminate K; try (unfold lock_smmu, lock_npt, lock_vm, lock_end in K; lia). eauto. }
  unfold lock_npt, lock_vm, lock_end in *.
  destruct (Z.leb_spec (5 + 0) k), (Z.ltb_spec k (22 + 0)); cbn [andb].
  - cbn [init st_npts]. rewrite !lookup_table by lia. cbn [option_map].
    cbn [cell_map c_val c_held c_log free_cell map w_npts world_of_run]. f_equal.
    replace (lock_npt (k - (5 + 0))) with k by (unfold lock_npt; lia).
    apply (free_cell_script VNpt is_npt (npt0 (k - (5 + 0)))).
    apply typed_map. intros b e Ib Ie. specialize (K _ _ _ Ib Ie).
    destruct (snd e); cbn in K; unfold lock_npt, lock_vm, lock_end in K; try lia. eauto.
  - destruct (Z.leb_spec (22 + 0) k), (Z.ltb_spec k 39); cbn [andb]; try reflexivity.
    cbn [init st_vms]. rewrite !lookup_table by lia. cbn [option_map].
    cbn [cell_map c_val c_held c_log free_cell map w_vms world_of_run]. f_equal.
    replace (lock_vm (k - (22 + 0))) with k by (unfold lock_vm; lia).
    apply (free_cell_script VVm is_vm vminfo0).
    apply typed_map. intros b e Ib Ie. specialize (K _ _ _ Ib Ie).
    destruct (snd e); cbn in K; unfold lock_npt, lock_vm, lock_end in K; try lia. eauto.
  - destruct (Z.leb_spec (22 + 0) k), (Z.ltb_spec k 39); cbn [andb]; try reflexivity; lia.
  - destruct (Z.leb_spec (22 + 0) k), (Z.ltb_spec k 39); cbn [andb]; try reflexivity; lia.
Qed.

(** Read: boot the interleaving machine and let all CPUs run, in any order, ending
    anywhere.  If CPU [c]'s part of it is the program [Pr]'s function [f], run to its
    result, then over the specifications of this layer [f] gives the same result from
    the initial state of a world: the one whose scripts are the other CPUs' releases in
    this run. *)
Theorem locks_smp_boot (Pr : module) f vs tr g c r :
  grun opof tr start_glob g -> flat Pr Ltrace f vs (proj c tr) r ->
  match r with Ok _ rest | Halt rest => rest = [] end ->
  exists scr,
    (forall k b e, In b (scr k) -> In e b -> fst e <> c /\ In e (g_log g k)) /\
    exists l' pend' s', view_of c g l' pend' /\ is_view l' s' /\
      flat Pr (graph Locks.Spec.L) f vs (init (world_of_run c scr))
           (match r with Ok v _ => Ok v s' | Halt _ => Halt s' end).
Proof.
  intros G F Done.
  destruct (locks_smp Pr f vs tr start_glob g c (start_loc c) (fun _ => []) r G (start_view c) F Done)
    as (scr & S & X).
  exists scr. split; [exact S|].
  assert (K : forall k b e, In b (scr k) -> In e b -> kind k (snd e)).
  { intros k b e Ib Ie. apply (proj2 (run_kinds _ _ _ G start_kinds)). exact (proj2 (S k b e Ib Ie)). }
  destruct (X (init (world_of_run c scr)) (run_view c scr K) eq_refl) as (l' & pend' & V & Y).
  exists l', pend'. destruct r as [v rest|rest]; destruct Y as (s' & Y & W); exists s'; auto.
Qed.
End Boot.
