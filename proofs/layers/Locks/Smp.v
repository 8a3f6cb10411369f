(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 4, Locks, on many CPUs.  The interface of this layer is what one CPU sees of
    an interleaving machine of all CPUs: objects exist once, a lock has one owner, and
    a primitive works on the objects that its CPU holds and on nothing else.  Proved
    for all primitives of the interface ([local_is_Locks]); so every run of code on
    the interleaving machine is, for each CPU, a run over this layer's specifications
    under a script of the other CPUs' own releases ([locks_smp]).  Rests on
    [lib/SmpCode.v] and [machine/Objects.v]. *)
From SeKVM.lib Require Import SmpCode.
From SeKVM.machine Require Import Objects Init RestView.
From SeKVM.layers.Locks Require Import Rel SmpTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * The interface as operations of the interleaving machine *)

(** The lock functions: acquire or release, and the number of the lock. *)
Definition own_lock (k : Z) (vs : list Z) : option Z := match vs with [] => Some k | _ => None end.
Definition vm_lock (number : Z -> Z) (vs : list Z) : option Z :=
  match vs with [vm] => rely is_vmid vm; Some (number vm) | _ => None end.

Definition lock_functions : list (ident * (bool * (list Z -> option Z))) :=
  [("acquire_lock_pt", (true, vm_lock lock_npt)); ("release_lock_pt", (false, vm_lock lock_npt));
   ("acquire_lock_vm", (true, vm_lock lock_vm)); ("release_lock_vm", (false, vm_lock lock_vm));
   ("acquire_lock_core", (true, own_lock lock_core)); ("release_lock_core", (false, own_lock lock_core));
   ("acquire_lock_s2page", (true, own_lock lock_s2page)); ("release_lock_s2page", (false, own_lock lock_s2page));
   ("acquire_lock_spt", (true, own_lock lock_spt)); ("release_lock_spt", (false, own_lock lock_spt));
   ("acquire_lock_smmu", (true, own_lock lock_smmu)); ("release_lock_smmu", (false, own_lock lock_smmu))].

(** A state that has nothing but a private part and held objects [m]; an object that is
    not held is not accessible in it. *)
Definition held_cell {X} (of : objval -> option X) (x0 : X) (o : option objval) : cell X :=
  match o with
  | Some v => match of v with Some x => mkcell x true [] [] | None => mkcell x0 false [] [] end
  | None => mkcell x0 false [] []
  end.
Definition assemble (p : private) (m : gmap Z objval) : state :=
  mkSt (held_cell (fun v => match v with VCore x => Some x | _ => None end) core0 (m !! lock_core))
       (held_cell (fun v => match v with VS2 x => Some x | _ => None end) ∅ (m !! lock_s2page))
       (held_cell (fun v => match v with VSpt x => Some x | _ => None end) spt0 (m !! lock_spt))
       (held_cell (fun v => match v with VSmmu x => Some x | _ => None end) ∅ (m !! lock_smmu))
       (table 17 (fun vm => held_cell (fun v => match v with VNpt x => Some x | _ => None end) (npt0 vm) (m !! lock_npt vm)))
       (table 17 (fun vm => held_cell (fun v => match v with VVm x => Some x | _ => None end) vminfo0 (m !! lock_vm vm)))
       (p_mem p) (p_cpu p) (p_ctxts p) (p_boot p) (p_ins p) (p_outs p).

(** The values of the same objects afterwards. *)
Definition values (s : state) (m : gmap Z objval) : gmap Z objval :=
  map_imap (fun k x => Some (match cell_at k s with Some c => c_val c | None => x end)) m.

(** A primitive of the interface, on a private part and held objects. *)
Definition on_held (f : ident) (vs : list Z) (pm : private * gmap Z objval) : option (res (private * gmap Z objval)) :=
  match call Lkeep f vs (assemble (fst pm) (snd pm)) with
  | Some (Ok v s) => Some (Ok v (priv s, values s (snd pm)))
  | Some (Halt s) => Some (Halt (priv s, values s (snd pm)))
  | None => None
  end.

Definition opof (f : ident) (vs : list Z) : option (@op objval private) :=
  match Lang.assoc f lock_functions with
  | Some (true, number) => some k := number vs; Some (Acq k)
  | Some (false, number) => some k := number vs; Some (Rel k)
  | None => Some (Do (on_held f vs))
  end.

(** * The CPU-local machine and this layer's states *)

Record is_view (l : @loc objval private) (s : state) : Prop := mkis_view {
  iv_priv : l_priv l = priv s;
  iv_cells : forall k, l_cells l !! k = cell_at k s;
  iv_dom : dom_ok s }.

(** CPU [c]'s states. *)
Definition R_smp (c : Z) : srel (@loc objval private) state :=
  let r := fun l s => is_view l s /\ cpu_id (st_cpu s) = c in mksrel r r.

(** ** Lock functions *)

Lemma acquire_uniform : uniform acquire_op acquire_cell.
Proof.
  intros X h c v c' E. unfold acquire_op in E. destruct (c_held c); [discriminate|]. injection E as <- <-.
  destruct c as [x b l s]. unfold acquire_cell, cell_map. cbn. destruct s as [|evs s]; cbn.
  - reflexivity.
  - f_equal; [destruct evs as [|[d y] evs]; reflexivity | now rewrite map_app].
Qed.

Lemma release_uniform me : uniform (release_op me) (release_cell me).
Proof.
  intros X h c v c' E. unfold release_op in E. destruct (c_held c); [|discriminate]. injection E as <- <-.
  reflexivity.
Qed.

(** A lock operation at [k], on both sides. *)
Lemma lock_step op hop b k l s cl :
  uniform op hop -> (forall X (c : cell X), c_held c = b -> exists c', op X c = Some (0, c')) ->
  is_view l s -> l_cells l !! k = Some cl -> c_held cl = b ->
  exists s', at_lock op k s = Some (0, s') /\
    is_view (mkloc (l_priv l) (<[k := hop cl]> (l_cells l))) s' /\ st_cpu s' = st_cpu s.
Proof.
  intros Un Df [V1 V2 V3] C H. rewrite V2 in C.
  destruct (at_lock_defined op b k s cl Df C H) as [s' A]. exists s'. split; [exact A|].
  destruct (at_lock_cell op hop k s 0 s' Un A) as (cl' & C1 & C2 & Ot & Pr & D).
  assert (cl' = cl) as -> by congruence. split; [|exact (at_lock_cpu _ _ _ _ _ A)].
  constructor; cbn [l_priv l_cells].
  - now rewrite Pr.
  - intros k'. destruct (decide (k' = k)) as [->|N].
    + now rewrite lookup_insert.
    + rewrite lookup_insert_ne, Ot by auto. apply V2.
  - auto.
Qed.

(** The specification of a lock function is the operation at its number. *)
Lemma lock_call f b number vs k (s : state) s' :
  Lang.assoc f lock_functions = Some (b, number) -> number vs = Some k -> dom_ok s ->
  at_lock (if b then acquire_op else release_op (cpu_id (st_cpu s))) k s = Some (0, s') ->
  call Locks.Spec.L f vs s = Some (Ok 0 s').
Proof.
  intros E K D A.
  assert (U32_ok : forall vm, is_vmid vm = true -> in_range U32 vm = true).
  { intros vm V. unfold is_vmid in V. apply andb_true_iff in V as [V1 V2]. apply Z.leb_le in V1. apply Z.ltb_lt in V2.
    apply in_range_iff. change (modulus U32) with 4294967296. lia. }
  cbn [Lang.assoc lock_functions] in E.
  repeat match goal with
  | E : (if String.eqb f ?g then _ else _) = _ |- _ =>
      destruct (String.eqb_spec f g) as [->|]; [injection E as <- <-|]
  end; [..|discriminate]; unfold vm_lock, own_lock in K; destruct vs as [|vm [|]]; try discriminate;
    try (destruct (is_vmid vm) eqn:V; [|discriminate]); injection K as <-;
    try rewrite at_lock_npt in A by exact V; try rewrite at_lock_vm in A by exact V.
  - change (call Locks.Spec.L "acquire_lock_pt" [vm] s) with (acquire_vm_obj st_npts set_npts [vm] s).
    unfold acquire_vm_obj, p1. rewrite (U32_ok vm V). unfold map_op, acquire_op in A.
    destruct (st_npts s !! vm) as [c|]; [|discriminate]. destruct (c_held c); [discriminate|].
    now injection A as <-.
  - change (call Locks.Spec.L "release_lock_pt" [vm] s) with (release_vm_obj st_npts set_npts [vm] s).
    unfold release_vm_obj, p1. rewrite (U32_ok vm V). unfold map_op, release_op in A.
    destruct (st_npts s !! vm) as [c|]; [|discriminate]. destruct (c_held c); [|discriminate].
    now injection A as <-.
  - change (call Locks.Spec.L "acquire_lock_vm" [vm] s) with (acquire_vm_obj st_vms set_vms [vm] s).
    unfold acquire_vm_obj, p1. rewrite (U32_ok vm V). unfold map_op, acquire_op in A.
    destruct (st_vms s !! vm) as [c|]; [|discriminate]. destruct (c_held c); [discriminate|].
    now injection A as <-.
  - change (call Locks.Spec.L "release_lock_vm" [vm] s) with (release_vm_obj st_vms set_vms [vm] s).
    unfold release_vm_obj, p1. rewrite (U32_ok vm V). unfold map_op, release_op in A.
    destruct (st_vms s !! vm) as [c|]; [|discriminate]. destruct (c_held c); [|discriminate].
    now injection A as <-.
  - change (call Locks.Spec.L "acquire_lock_core" [] s) with (acquire_obj st_core set_core [] s).
    change (obj_op acquire_op st_core set_core s = Some (0, s')) in A.
    unfold acquire_obj, p0, obj_op, acquire_op in *. destruct (c_held (st_core s)); [discriminate|]. now injection A as <-.
  - change (call Locks.Spec.L "release_lock_core" [] s) with (release_obj st_core set_core [] s).
    change (obj_op (release_op (cpu_id (st_cpu s))) st_core set_core s = Some (0, s')) in A.
    unfold release_obj, p0, obj_op, release_op in *. destruct (c_held (st_core s)); [|discriminate]. now injection A as <-.
  - change (call Locks.Spec.L "acquire_lock_s2page" [] s) with (acquire_obj st_s2 set_s2 [] s).
    change (obj_op acquire_op st_s2 set_s2 s = Some (0, s')) in A.
    unfold acquire_obj, p0, obj_op, acquire_op in *. destruct (c_held (st_s2 s)); [discriminate|]. now injection A as <-.
  - change (call Locks.Spec.L "release_lock_s2page" [] s) with (release_obj st_s2 set_s2 [] s).
    change (obj_op (release_op (cpu_id (st_cpu s))) st_s2 set_s2 s = Some (0, s')) in A.
    unfold release_obj, p0, obj_op, release_op in *. destruct (c_held (st_s2 s)); [|discriminate]. now injection A as <-.
  - change (call Locks.Spec.L "acquire_lock_spt" [] s) with (acquire_obj st_spt set_spt [] s).
    change (obj_op acquire_op st_spt set_spt s = Some (0, s')) in A.
    unfold acquire_obj, p0, obj_op, acquire_op in *. destruct (c_held (st_spt s)); [discriminate|]. now injection A as <-.
  - change (call Locks.Spec.L "release_lock_spt" [] s) with (release_obj st_spt set_spt [] s).
    change (obj_op (release_op (cpu_id (st_cpu s))) st_spt set_spt s = Some (0, s')) in A.
    unfold release_obj, p0, obj_op, release_op in *. destruct (c_held (st_spt s)); [|discriminate]. now injection A as <-.
  - change (call Locks.Spec.L "acquire_lock_smmu" [] s) with (acquire_obj st_smmu set_smmu [] s).
    change (obj_op acquire_op st_smmu set_smmu s = Some (0, s')) in A.
    unfold acquire_obj, p0, obj_op, acquire_op in *. destruct (c_held (st_smmu s)); [discriminate|]. now injection A as <-.
  - change (call Locks.Spec.L "release_lock_smmu" [] s) with (release_obj st_smmu set_smmu [] s).
    change (obj_op (release_op (cpu_id (st_cpu s))) st_smmu set_smmu s = Some (0, s')) in A.
    unfold release_obj, p0, obj_op, release_op in *. destruct (c_held (st_smmu s)); [|discriminate]. now injection A as <-.
Qed.

(** ** Primitives on held objects *)

(** Equal where the object is held; what is not held cannot be seen. *)
Definition RH : view_relation cell cell := fun _ X c d => c_held c = c_held d /\ (c_held c = true -> c_val c = c_val d).

Lemma RH_view : view_compat RH.
Proof.
  intros me X c d [H V]. split; [exact H|]. intros O. split; [exact (V O)|]. intros x. split; [exact H | reflexivity].
Qed.

Lemma held_cell_rel {X} (h : X -> objval) of x0 (c : cell X) me : (forall x, of (h x) = Some x) ->
  RH me X (held_cell of x0 (if c_held c then Some (h (c_val c)) else None)) c.
Proof.
  intros O. unfold RH. destruct (c_held c); cbn.
  - rewrite O. auto.
  - split; [reflexivity | discriminate].
Qed.

Lemma cell_at_npt vm s : is_vmid vm = true -> cell_at (lock_npt vm) s = option_map (cell_map VNpt) (st_npts s !! vm).
Proof.
  unfold is_vmid. intros B. apply andb_true_iff in B as [A B]. apply Z.leb_le in A. apply Z.ltb_lt in B.
  unfold cell_at, lock_core, lock_s2page, lock_spt, lock_smmu, lock_npt, lock_vm, lock_end.
  destruct (Z.eqb_spec (5 + vm) 1); [lia|]. destruct (Z.eqb_spec (5 + vm) 2); [lia|].
  destruct (Z.eqb_spec (5 + vm) 3); [lia|]. destruct (Z.eqb_spec (5 + vm) 4); [lia|].
  destruct (Z.leb_spec (5 + 0) (5 + vm)); [|lia]. destruct (Z.ltb_spec (5 + vm) (22 + 0)); [|lia].
  cbn [andb]. now replace (5 + vm - (5 + 0)) with vm by lia.
Qed.

Lemma cell_at_vm vm s : is_vmid vm = true -> cell_at (lock_vm vm) s = option_map (cell_map VVm) (st_vms s !! vm).
Proof.
  unfold is_vmid. intros B. apply andb_true_iff in B as [A B]. apply Z.leb_le in A. apply Z.ltb_lt in B.
  unfold cell_at, lock_core, lock_s2page, lock_spt, lock_smmu, lock_npt, lock_vm, lock_end.
  destruct (Z.eqb_spec (22 + vm) 1); [lia|]. destruct (Z.eqb_spec (22 + vm) 2); [lia|].
  destruct (Z.eqb_spec (22 + vm) 3); [lia|]. destruct (Z.eqb_spec (22 + vm) 4); [lia|].
  destruct (Z.leb_spec (5 + 0) (22 + vm)); [|lia]. destruct (Z.ltb_spec (22 + vm) (22 + 0)); [lia|].
  destruct (Z.leb_spec (22 + 0) (22 + vm)); [|lia]. destruct (Z.ltb_spec (22 + vm) 39); [|lia].
  cbn [andb]. now replace (22 + vm - (22 + 0)) with vm by lia.
Qed.

Lemma holding_at l s k : is_view l s ->
  holding l !! k = match cell_at k s with Some c => if c_held c then Some (c_val c) else None | None => None end.
Proof.
  intros V. unfold holding. rewrite lookup_omap, (iv_cells _ _ V). destruct (cell_at k s); reflexivity.
Qed.

Lemma vmid_table {A} (f : Z -> A) i : is_vmid i = true -> table 17 f !! i = Some (f i).
Proof.
  intros B. unfold is_vmid in B. apply andb_true_iff in B as [B1 B2]. apply Z.leb_le in B1. apply Z.ltb_lt in B2.
  apply lookup_table. lia.
Qed.

Lemma table_vmid {A} (f : Z -> A) i : is_Some (table 17 f !! i) -> is_vmid i = true.
Proof.
  intros [a E]. apply elem_of_list_to_map_2 in E. apply elem_of_list_fmap in E as (j & Ej & Ij).
  injection Ej as -> _. apply elem_of_seqZ in Ij. unfold is_vmid. apply andb_true_iff.
  split; [apply Z.leb_le | apply Z.ltb_lt]; lia.
Qed.

(** The assembled state looks like the real one, as far as this CPU may look. *)
Lemma assemble_rel l s : is_view l s -> views_rel RH (assemble (l_priv l) (holding l)) s.
Proof.
  intros V. rewrite (iv_priv _ _ V). destruct (iv_dom _ _ V) as [D1 D2].
  constructor; try reflexivity; unfold assemble; cbn [st_core st_s2 st_spt st_smmu st_npts st_vms].
  - rewrite (holding_at l s lock_core V). exact (held_cell_rel VCore _ _ (st_core s) _ (fun x => eq_refl)).
  - rewrite (holding_at l s lock_s2page V). exact (held_cell_rel VS2 _ _ (st_s2 s) _ (fun x => eq_refl)).
  - rewrite (holding_at l s lock_spt V). exact (held_cell_rel VSpt _ _ (st_spt s) _ (fun x => eq_refl)).
  - rewrite (holding_at l s lock_smmu V). exact (held_cell_rel VSmmu _ _ (st_smmu s) _ (fun x => eq_refl)).
  - intros i. destruct (is_vmid i) eqn:B.
    + rewrite vmid_table by exact B. destruct (proj2 (D1 i) B) as [c E]. rewrite E. constructor.
      cbv beta. rewrite (holding_at l s (lock_npt i) V), (cell_at_npt i s B), E. exact (held_cell_rel VNpt _ _ c _ (fun x => eq_refl)).
    + destruct (table 17 _ !! i) eqn:E1; [rewrite (table_vmid _ i (ex_intro _ _ E1)) in B; discriminate|].
      destruct (st_npts s !! i) eqn:E2; [rewrite (proj1 (D1 i) (ex_intro _ _ E2)) in B; discriminate|]. constructor.
  - intros i. destruct (is_vmid i) eqn:B.
    + rewrite vmid_table by exact B. destruct (proj2 (D2 i) B) as [c E]. rewrite E. constructor.
      cbv beta. rewrite (holding_at l s (lock_vm i) V), (cell_at_vm i s B), E. exact (held_cell_rel VVm _ _ c _ (fun x => eq_refl)).
    + destruct (table 17 _ !! i) eqn:E1; [rewrite (table_vmid _ i (ex_intro _ _ E1)) in B; discriminate|].
      destruct (st_vms s !! i) eqn:E2; [rewrite (proj1 (D2 i) (ex_intro _ _ E2)) in B; discriminate|]. constructor.
  - intros i. apply table_vmid.
  - intros i. apply table_vmid.
Qed.

(** What a primitive may change: the values of held objects, and all that is private but the CPU's number. *)
Definition cell_touched {X} (c d : cell X) : Prop := d = c \/ c_held c = true /\ exists x, d = set_val x c.

Record touched (s s' : state) : Prop := mktouched {
  tc_core : cell_touched (st_core s) (st_core s');
  tc_s2 : cell_touched (st_s2 s) (st_s2 s');
  tc_spt : cell_touched (st_spt s) (st_spt s');
  tc_smmu : cell_touched (st_smmu s) (st_smmu s');
  tc_npts : forall i, option_Forall2 cell_touched (st_npts s !! i) (st_npts s' !! i);
  tc_vms : forall i, option_Forall2 cell_touched (st_vms s !! i) (st_vms s' !! i);
  tc_cpu : cpu_id (st_cpu s') = cpu_id (st_cpu s) }.

Lemma same_touched {X} (m : gmap Z (cell X)) i : option_Forall2 cell_touched (m !! i) (m !! i).
Proof. destruct (m !! i); constructor. now left. Qed.

Lemma insert_touched {X} (m : gmap Z (cell X)) vm c x : m !! vm = Some c -> c_held c = true ->
  forall i, option_Forall2 cell_touched (m !! i) (<[vm := set_val x c]> m !! i).
Proof.
  intros E H i. destruct (decide (i = vm)) as [->|N].
  - rewrite lookup_insert, E. constructor. right. eauto.
  - rewrite lookup_insert_ne by auto. apply same_touched.
Qed.

Definition touches (p : prim state) : Prop :=
  forall vs s r, p vs s = Some r -> touched s (match r with Ok _ s' | Halt s' => s' end).

Lemma Lkeep_touches : Forall (fun x => touches (snd x)) Lkeep.
Proof. touches_tac same_touched insert_touched. Qed.

Lemma call_touches f vs s r : call Lkeep f vs s = Some r -> touched s (match r with Ok _ s' | Halt s' => s' end).
Proof.
  unfold call. destruct (Lang.assoc f Lkeep) as [p|] eqn:E; [|discriminate].
  apply assoc_In in E. exact (proj1 (List.Forall_forall _ _) Lkeep_touches _ E vs s r).
Qed.

(** What that means object by object: held objects may get a new value. *)
Lemma cell_touched_map {X} (h : X -> objval) c d : cell_touched c d ->
  cell_map h d = cell_map h c \/ exists y, c_held (cell_map h c) = true /\ cell_map h d = set_val y (cell_map h c).
Proof. intros [->|(H & x & ->)]; [left; reflexivity | right; exists (h x); split; [exact H | reflexivity]]. Qed.

Lemma touched_cell s s' k : touched s s' ->
  cell_at k s' = cell_at k s \/
  exists cl y, cell_at k s = Some cl /\ c_held cl = true /\ cell_at k s' = Some (set_val y cl).
Proof.
  intros [T1 T2 T3 T4 T5 T6 _]. unfold cell_at.
  assert (Some_case : forall X (h : X -> objval) c d, cell_touched c d ->
    Some (cell_map h d) = Some (cell_map h c) \/ exists cl y,
      Some (cell_map h c) = Some cl /\ c_held cl = true /\ Some (cell_map h d) = Some (set_val y cl)).
  { intros X h c d T. destruct (cell_touched_map h c d T) as [->|(y & H & ->)]; eauto 10. }
  assert (Map_case : forall X (h : X -> objval) (m m' : gmap Z (cell X)) i,
    option_Forall2 cell_touched (m !! i) (m' !! i) ->
    option_map (cell_map h) (m' !! i) = option_map (cell_map h) (m !! i) \/ exists cl y,
      option_map (cell_map h) (m !! i) = Some cl /\ c_held cl = true /\ option_map (cell_map h) (m' !! i) = Some (set_val y cl)).
  { intros X h m m' i [c d T|]; cbn [option_map]; [now apply Some_case | now left]. }
  repeat match goal with |- context [if ?x then _ else _] => destruct x end; auto.
Qed.

Lemma touched_rest s s' : touched s s' -> dom_ok s -> dom_ok s' /\ cpu_id (st_cpu s') = cpu_id (st_cpu s).
Proof.
  intros T [D1 D2]. split; [|exact (tc_cpu _ _ T)].
  split; intros i; [rewrite <- D1 | rewrite <- D2].
  - destruct (tc_npts _ _ T i); split; intros [? ?]; try discriminate; eauto.
  - destruct (tc_vms _ _ T i); split; intros [? ?]; try discriminate; eauto.
Qed.

Lemma RH_map {X} (h : X -> objval) me c d : RH me X c d -> RH me objval (cell_map h c) (cell_map h d).
Proof. intros [H V]. split; [exact H|]. cbn. intros O. now rewrite V. Qed.

Lemma RH_cells s t k : views_rel RH s t -> option_Forall2 (RH (cpu_id (st_cpu s)) objval) (cell_at k s) (cell_at k t).
Proof.
  intros V. unfold cell_at.
  repeat match goal with |- context [if ?x then _ else _] => destruct x end; try constructor.
  - apply RH_map, V.
  - apply RH_map, V.
  - apply RH_map, V.
  - apply RH_map, V.
  - pose proof (vr_npts _ _ _ V (k - lock_npt 0)) as W. inversion W; cbn; constructor. now apply RH_map.
  - pose proof (vr_vms _ _ _ V (k - lock_vm 0)) as W. inversion W; cbn; constructor. now apply RH_map.
Qed.

Lemma RH_priv s t : views_rel RH s t -> priv s = priv t.
Proof. intros V. unfold priv. f_equal; apply V. Qed.

Lemma Lkeep_RH : refines (R_view RH) (graph Lkeep) (graph Lkeep).
Proof.
  eapply tbl_rel_keep; [exact (bottom_view_rel RH RH_view)|]. repeat constructor.
Qed.

(** The view after a primitive: its results on the held objects, put back. *)
Lemma view_after l s a s' : is_view l s -> touched s s' -> views_rel RH a s' ->
  is_view (mkloc (priv a) (put (values a (holding l)) (l_cells l))) s'.
Proof.
  intros V T W. destruct (touched_rest _ _ T (iv_dom _ _ V)) as [D _].
  constructor; cbn [l_priv l_cells]; [exact (RH_priv _ _ W) | | exact D].
  intros k. rewrite lookup_put, (iv_cells _ _ V). unfold values. rewrite map_lookup_imap, (holding_at l s k V).
  destruct (touched_cell s s' k T) as [E|(cl & y & E & H & E')].
  - destruct (cell_at k s) as [cl|] eqn:C; [|now rewrite E]. destruct (c_held cl) eqn:H; cbn.
    + pose proof (RH_cells _ _ k W) as Q. rewrite E in Q. inversion Q as [ca cb [Qh Qv] Ea Eb|]; subst.
      rewrite E, (Qv ltac:(congruence)). destruct cl; reflexivity.
    + now rewrite E.
  - rewrite E, H. cbn. pose proof (RH_cells _ _ k W) as Q. rewrite E' in Q.
    inversion Q as [ca cb [Qh Qv] Ea Eb|]; subst. cbn in Qh, Qv. now rewrite E', (Qv ltac:(congruence)).
Qed.

(** * The theorem *)

Lemma not_a_lock f : Lang.assoc f lock_functions = None -> @Lang.assoc (prim state) f T_locks = None.
Proof.
  intros E. apply assoc_None. intros I. exact (assoc_defined f lock_functions I E).
Qed.

Theorem local_is_Locks c : refines (R_smp c) (Llocal opof c) (graph Locks.Spec.L).
Proof.
  intros f vs l s r [V Me] (o & O & St). unfold opof in O.
  destruct (Lang.assoc f lock_functions) as [[[|] number]|] eqn:F.
  - destruct (number vs) as [k|] eqn:K; [|discriminate]. injection O as <-.
    destruct r as [v l'|l']; inversion St as [k' cl p cs C H Ot E1 E2 E3| | |]; subst.
    assert (Df : forall X (d : cell X), c_held d = false -> exists d', acquire_op X d = Some (0, d')).
    { intros X d Hd. unfold acquire_op. rewrite Hd. eauto. }
    destruct (lock_step acquire_op acquire_cell false k _ s cl acquire_uniform Df V C H) as (s' & A & V' & Cu).
    exists (Ok 0 s'). split; [exact (lock_call f true number vs k s s' F K (iv_dom _ _ V) A)|].
    cbn. split; [reflexivity|]. split; [exact V' | now rewrite Cu].
  - destruct (number vs) as [k|] eqn:K; [|discriminate]. injection O as <-.
    destruct r as [v l'|l']; inversion St as [|k' cl p cs C H E1 E2 E3| |]; subst.
    set (me := cpu_id (st_cpu s)) in *.
    assert (Df : forall X (d : cell X), c_held d = true -> exists d', release_op me X d = Some (0, d')).
    { intros X d Hd. unfold release_op. rewrite Hd. eauto. }
    destruct (lock_step (release_op me) (release_cell me) true k _ s cl (release_uniform me) Df V C H)
      as (s' & A & V' & Cu).
    exists (Ok 0 s'). split; [exact (lock_call f false number vs k s s' F K (iv_dom _ _ V) A)|].
    cbn. split; [reflexivity|]. split; [exact V' | now rewrite Cu].
  - injection O as <-.
    assert (Same : call Locks.Spec.L f vs s = call Lkeep f vs s).
    { unfold call, Locks.Spec.L, over. rewrite assoc_app, (not_a_lock f F). reflexivity. }
    destruct r as [v l'|l']; inversion St as [| |h w q m p cs E D|h q m p cs E D]; subst;
      unfold on_held in E; cbn [fst snd] in E;
      destruct (call Lkeep f vs (assemble p (holding (mkloc p cs)))) as [[w a|a]|] eqn:A; try discriminate E;
      [injection E as -> <- <- | injection E as <- <-];
      destruct (Lkeep_RH f vs _ s _ (assemble_rel _ s V) A) as ([w s'|s'] & B & G); cbn in G; try tauto.
    + destruct G as [<- G]. exists (Ok v s'). unfold graph. rewrite Same. split; [exact B|].
      pose proof (call_touches f vs s _ B) as T. cbn in T. cbn. split; [reflexivity|].
      split; [exact (view_after _ s a s' V T G)|]. now rewrite (proj2 (touched_rest _ _ T (iv_dom _ _ V))).
    + exists (Halt s'). unfold graph. rewrite Same. split; [exact B|].
      pose proof (call_touches f vs s _ B) as T. cbn in T. cbn.
      split; [exact (view_after _ s a s' V T G)|]. now rewrite (proj2 (touched_rest _ _ T (iv_dom _ _ V))).
Qed.

(** Read: in any run of the interleaving machine let CPU [c] have run the function [f] of
    a program [Pr] over this layer's primitives, to its result.  For scripts [scr] of the
    other CPUs' own releases in that run, [Pr]'s [f] does the same over the
    specifications of this layer, from every state that is [c]'s view of the start. *)
Theorem locks_smp (Pr : module) f vs tr g0 g c l0 pend r :
  grun opof tr g0 g -> view_of c g0 l0 pend -> flat Pr Ltrace f vs (proj c tr) r ->
  match r with Ok _ rest | Halt rest => rest = [] end ->
  exists scr,
    (forall k b e, In b (scr k) -> In e b -> fst e <> c /\ In e (g_log g k)) /\
    forall s, is_view (with_script scr l0) s -> cpu_id (st_cpu s) = c ->
    exists l' pend', view_of c g l' pend' /\
      match r with
      | Ok v _ => exists s', flat Pr (graph Locks.Spec.L) f vs s (Ok v s') /\ is_view l' s'
      | Halt _ => exists s', flat Pr (graph Locks.Spec.L) f vs s (Halt s') /\ is_view l' s'
      end.
Proof.
  intros G V F Done.
  destruct (smp_sound opof Pr f vs tr g0 g c l0 pend r G V F Done) as (scr & l' & pend' & V' & X & S).
  exists scr. split; [exact S|]. intros s W Me. exists l', pend'. split; [exact V'|].
  destruct (flat_mono (R_smp c) Pr _ _ (local_is_Locks c) f vs _ s _ (conj W Me) X) as (r' & Y & Q).
  destruct r as [v rest|rest], r' as [w s'|s']; cbn in Q; try tauto.
  - destruct Q as [<- [Q _]]. eauto.
  - destruct Q as [Q _]. eauto.
Qed.
