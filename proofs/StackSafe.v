(* SPDX-License-Identifier: Apache-2.0 *)
(** The specifications of the stack say something.  From the concrete initial state of the
    bottom machine, whatever the other CPUs fairly do, the linked program of layers 1 to 12
    makes every sequence of calls of the interface of layer 12, stage-2 and SMMU, and of
    accesses of VMs and devices, with any arguments of their C types, to its end or to a panic; the invariant holds afterwards.
    The operations on tables take their locks themselves; of the locks that pass through,
    the caller takes none twice and releases none that it does not hold.  Rests on
    [StackSmmu] and on the [Safe] files of the layers; [StackTest] shows that the premises
    can be met. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import Runs.
From SeKVM.machine Require Import LockInit CellInv StateTac BottomTac.
From SeKVM.layers.LockOpsH Require Import Fair.
From SeKVM.layers.Locks Require Import Boot.
From SeKVM.layers.NPTOps Require Export Safe.
From SeKVM.layers.MmioSPTOps Require Export Safe.
From SeKVM.layers.MmioSPTOps Require Import Spec.
From SeKVM.layers.NPTWalk Require Steps.
From SeKVM.layers.MmioSPTWalk Require Steps Refine.
From SeKVM Require Import Stack StackSmmu.
Import MmioSPTWalk.Refine.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * The invariant *)

(** The locks that pass through, and which of them this CPU holds. *)
Definition passing (k : Z) : Prop :=
  k = lock_core \/ k = lock_s2page \/ k = lock_smmu \/ lock_vm 0 <= k < lock_end.
Definition held (k : Z) (s : mstate) : option bool :=
  if k =? lock_core then Some (c_held (st_core s))
  else if k =? lock_s2page then Some (c_held (st_s2 s))
  else if k =? lock_smmu then Some (c_held (st_smmu s))
  else c_held <$> st_vms s !! (k - lock_vm 0).
Definition locks_ok (h : gset Z) (s : mstate) : Prop :=
  forall k, passing k -> held k s = Some (bool_decide (k ∈ h)).

(** [h] is the set of locks that this CPU holds.  The tables of all VMs and of the SMMUs
    have good leaves, also those that others will publish. *)
Definition inv (h : gset Z) (s : mstate) : Prop := npts_ok h s /\ spt_ok h s /\ locks_ok h s.

(** Between operations no lock of a table is held. *)
Definition no_table (h : gset Z) : Prop := no_npt h /\ lock_spt ∉ h.

(** After a panic the lock of a table may be held. *)
Definition good (h : gset Z) (r : res mstate) : Prop :=
  match r with Ok _ s => inv h s | Halt s => exists h', inv h' s end.

Lemma locks_ok_ext h h' s : (forall k, passing k -> k ∈ h <-> k ∈ h') -> locks_ok h s -> locks_ok h' s.
Proof. intros X K k Q. rewrite (K k Q). f_equal. apply bool_decide_ext, X, Q. Qed.

Lemma passing_not_table k : passing k -> k <> lock_spt /\ (k < lock_npt 0 \/ lock_vm 0 <= k).
Proof. unfold passing, lock_core, lock_s2page, lock_smmu, lock_spt, lock_npt, lock_vm, lock_end. lia. Qed.

(** * Calls, with the locks held before and after *)

(** The locks of single objects. *)
Definition object_locks : list (ident * ident * Z) :=
  [("acquire_lock_core", "release_lock_core", lock_core);
   ("acquire_lock_s2page", "release_lock_s2page", lock_s2page);
   ("acquire_lock_smmu", "release_lock_smmu", lock_smmu)].

Inductive layer_call (h : gset Z) : ident * list Z -> gset Z -> Prop :=
| on_stage2 c : stage2_call c -> layer_call h c h
| on_smmu c : smmu_call c -> layer_call h c h
| by_context c : mem_call c -> layer_call h c h
| by_device c : dev_call c -> layer_call h c h
| stop : layer_call h ("panic", []) h
| flush vm a : in_range U32 vm = true -> in_range U64 a = true -> layer_call h ("tlb_flush", [vm; a]) h
| flush_smmu cb ix a : in_range U32 cb = true -> in_range U32 ix = true -> in_range U64 a = true ->
    layer_call h ("smmu_tlb_flush", [cb; ix; a]) h
| vttbr vm : 0 <= vm < 17 -> layer_call h ("get_pt_vttbr", [vm]) h
| ttbr cb ix : 0 <= cb < 8 -> 0 <= ix < 2 -> layer_call h ("get_smmu_cfg_hw_ttbr", [cb; ix]) h
| take acq rel k : In (acq, rel, k) object_locks -> k ∉ h -> layer_call h (acq, []) ({[k]} ∪ h)
| give acq rel k : In (acq, rel, k) object_locks -> k ∈ h -> layer_call h (rel, []) (h ∖ {[k]})
| take_vm vm : 0 <= vm < 17 -> lock_vm vm ∉ h -> layer_call h ("acquire_lock_vm", [vm]) ({[lock_vm vm]} ∪ h)
| give_vm vm : 0 <= vm < 17 -> lock_vm vm ∈ h -> layer_call h ("release_lock_vm", [vm]) (h ∖ {[lock_vm vm]}).

Inductive orderly : gset Z -> list (ident * list Z) -> gset Z -> Prop :=
| orderly_nil h : orderly h [] h
| orderly_call h c h' cs h'' : layer_call h c h' -> orderly h' cs h'' -> orderly h (c :: cs) h''.

(** * Each call *)

Lemma held_same k (s s' : mstate) : st_core s' = st_core s -> st_s2 s' = st_s2 s -> st_smmu s' = st_smmu s ->
  st_vms s' = st_vms s -> held k s' = held k s.
Proof. intros A B C D. unfold held. now rewrite A, B, C, D. Qed.

(** What keeps the stage-2 tables and touches no other object is good, and the same of SMMU tables. *)
Lemma npts_step h h' (s s' : mstate) : inv h s -> npts_ok h' s' -> npts_only s s' -> same_but_npt h h' -> inv h' s'.
Proof.
  intros (I & [H J] & K) G (A & B & C & D & E) S. split; [exact G|]. split.
  - unfold spt_ok. rewrite C. split; [|exact J]. rewrite H. apply bool_decide_ext, S. unfold lock_spt, lock_npt. lia.
  - apply (locks_ok_ext h); [intros k Q; now apply S, passing_not_table|].
    intros k Q. rewrite (held_same k s s' A B D E). exact (K k Q).
Qed.

Lemma spt_step h h' (s s' : mstate) : inv h s -> spt_ok h' s' -> spt_only s s' ->
  (forall k, k <> lock_spt -> k ∈ h <-> k ∈ h') -> inv h' s'.
Proof.
  intros (I & J & K) G (A & B & C & D & E) S. split; [|split; [exact G|]].
  - intros vm V. rewrite C. destruct (I vm V) as (d & L & H & O). exists d. split; [exact L|]. split; [|exact O].
    rewrite H. apply bool_decide_ext, S. unfold lock_spt, lock_npt. lia.
  - apply (locks_ok_ext h); [intros k Q; now apply S, passing_not_table|].
    intros k Q. rewrite (held_same k s s' A B D E). exact (K k Q).
Qed.

Lemma npts_good h (s : mstate) r : inv h s -> NPTWalk.Safe.good h s r -> good h r.
Proof.
  intros I G. destruct r as [v s'|s']; cbn [NPTWalk.Safe.good] in G.
  - destruct G as [G C]. apply (npts_step h h s s' I G (changed_only s s' C)). now intros k.
  - destruct G as (h' & S & G & C). exists h'. exact (npts_step h h' s s' I G (changed_only s s' C) S).
Qed.

Lemma spts_good h (s : mstate) r : inv h s -> spt_good h s r -> good h r.
Proof.
  intros I G. destruct r as [v s'|s']; cbn [spt_good] in G.
  - destruct G as [G C]. apply (spt_step h h s s' I G (spt_changed_only s s' C)). now intros k.
  - destruct G as (h' & S & G & C). exists h'. exact (spt_step h h' s s' I G (spt_changed_only s s' C) S).
Qed.

Lemma stage2_safe h f vs (s : mstate) : stage2_call (f, vs) -> inv h s -> no_table h ->
  exists r, call MmioSPTOps.Spec.L f vs s = Some r /\ good h r.
Proof.
  intros X I [F _]. destruct (NPTOps_safe h f vs s X (proj1 I) F) as (r & E & G). exists r. split.
  - inversion X; subst; exact E.
  - exact (npts_good h s r I G).
Qed.

Lemma context_safe h f vs (s : mstate) : mem_call (f, vs) -> inv h s -> no_table h ->
  exists r, call MmioSPTOps.Spec.L f vs s = Some r /\ good h r.
Proof.
  intros X I [F _]. destruct (mem_access_safe h f vs s X (proj1 I) F) as (r & E & G). exists r. split.
  - inversion X; subst; exact E.
  - destruct r as [v s'|s']; destruct G as [G O]; [|exists h];
      (apply (npts_step h h s s' I G O); now intros k).
Qed.

Lemma smmu_safe h f vs (s : mstate) : smmu_call (f, vs) -> inv h s -> no_table h ->
  exists r, call MmioSPTOps.Spec.L f vs s = Some r /\ good h r.
Proof.
  intros X I [_ F]. destruct (MmioSPTOps_safe h f vs s X (proj1 (proj2 I)) F) as (r & E & G). exists r. split.
  - inversion X; subst; exact E.
  - exact (spts_good h s r I G).
Qed.

Lemma device_safe h f vs (s : mstate) : dev_call (f, vs) -> inv h s -> no_table h ->
  exists r, call MmioSPTOps.Spec.L f vs s = Some r /\ good h r.
Proof.
  intros X I [_ F]. destruct (dev_access_safe h f vs s X (proj1 (proj2 I)) F) as (r & E & G). exists r. split.
  - inversion X; subst; exact E.
  - destruct r as [v s'|s']; destruct G as [G O]; [|exists h];
      (apply (spt_step h h s s' I G O); now intros k).
Qed.

(** Lock [k], which passes through, is taken or released: nothing else changes. *)
Lemma lock_step h h' k (s s' : mstate) : inv h s -> passing k -> (forall j, j <> k -> j ∈ h <-> j ∈ h') ->
  st_npts s' = st_npts s -> st_spt s' = st_spt s ->
  (forall j, passing j -> j <> k -> held j s' = held j s) -> held k s' = Some (bool_decide (k ∈ h')) -> inv h' s'.
Proof.
  intros (I & [H C] & K) Q X N S O E. apply passing_not_table in Q as [Q1 Q2]. split; [|split].
  - intros vm V. rewrite N. destruct (I vm V) as (c & D & B & F). exists c. split; [exact D|]. split; [|exact F].
    rewrite B. apply bool_decide_ext, X. unfold lock_npt, lock_vm in *. lia.
  - split; rewrite S; [|exact C]. rewrite H. apply bool_decide_ext, X. congruence.
  - intros j J. destruct (Z.eq_dec j k) as [->|Nj]; [exact E|]. rewrite (O j J Nj), (K j J). f_equal.
    now apply bool_decide_ext, X.
Qed.

Lemma taken (h : gset Z) k : Some true = Some (bool_decide (k ∈ {[k]} ∪ h)).
Proof. f_equal. symmetry. apply bool_decide_eq_true. set_solver. Qed.

Lemma given (h : gset Z) k : Some false = Some (bool_decide (k ∈ h ∖ {[k]})).
Proof. f_equal. symmetry. apply bool_decide_eq_false. set_solver. Qed.

Lemma held_core c j s : j <> lock_core -> held j (set_core c s) = held j s.
Proof. intros N. unfold held. apply Z.eqb_neq in N. now rewrite N. Qed.

Lemma held_s2 c j s : j <> lock_s2page -> held j (set_s2 c s) = held j s.
Proof. intros N. unfold held. apply Z.eqb_neq in N. now rewrite N. Qed.

Lemma held_smmu c j s : j <> lock_smmu -> held j (set_smmu c s) = held j s.
Proof. intros N. unfold held. apply Z.eqb_neq in N. now rewrite N. Qed.

Lemma held_vm vm s : 0 <= vm -> held (lock_vm vm) s = c_held <$> st_vms s !! vm.
Proof.
  intros V. unfold held. replace (lock_vm vm - lock_vm 0) with vm by (unfold lock_vm; lia).
  destruct (Z.eqb_spec (lock_vm vm) lock_core) as [E|_]; [unfold lock_vm, lock_core in E; lia|].
  destruct (Z.eqb_spec (lock_vm vm) lock_s2page) as [E|_]; [unfold lock_vm, lock_s2page in E; lia|].
  destruct (Z.eqb_spec (lock_vm vm) lock_smmu) as [E|_]; [unfold lock_vm, lock_smmu in E; lia|]. reflexivity.
Qed.

Lemma held_vms vm c j s : j <> lock_vm vm -> held j (set_vms (<[vm := c]> (st_vms s)) s) = held j s.
Proof.
  intros N. unfold held. cbn [st_core st_s2 st_smmu st_vms set_vms].
  rewrite lookup_insert_ne by (unfold lock_vm in *; lia). reflexivity.
Qed.

Lemma passing_vm vm : 0 <= vm < 17 -> passing (lock_vm vm).
Proof. unfold passing, lock_vm, lock_end. lia. Qed.

Lemma take_safe h acq rel k (s : mstate) : In (acq, rel, k) object_locks -> k ∉ h -> inv h s ->
  exists s', call MmioSPTOps.Spec.L acq [] s = Some (Ok 0 s') /\ inv ({[k]} ∪ h) s'.
Proof.
  intros B N I. assert (Q : passing k) by (unfold passing; cbn in B; intuition congruence).
  pose proof (proj2 (proj2 I) k Q) as H. rewrite bool_decide_eq_false_2 in H by exact N.
  assert (X : forall j, j <> k -> j ∈ h <-> j ∈ {[k]} ∪ h) by set_solver.
  destruct B as [[= <- <- <-]|[[= <- <- <-]|[[= <- <- <-]|[]]]]; injection H as H.
  - exists (set_core (acquire_cell (st_core s)) s). split.
    + change (call MmioSPTOps.Spec.L "acquire_lock_core" [] s) with (acquire_obj st_core set_core [] s).
      unfold acquire_obj, p0. now rewrite H.
    + apply (lock_step h _ lock_core s); auto using held_core, taken.
  - exists (set_s2 (acquire_cell (st_s2 s)) s). split.
    + change (call MmioSPTOps.Spec.L "acquire_lock_s2page" [] s) with (acquire_obj st_s2 set_s2 [] s).
      unfold acquire_obj, p0. now rewrite H.
    + apply (lock_step h _ lock_s2page s); auto using held_s2, taken.
  - exists (set_smmu (acquire_cell (st_smmu s)) s). split.
    + change (call MmioSPTOps.Spec.L "acquire_lock_smmu" [] s) with (acquire_obj st_smmu set_smmu [] s).
      unfold acquire_obj, p0. now rewrite H.
    + apply (lock_step h _ lock_smmu s); auto using held_smmu, taken.
Qed.

Lemma give_safe h acq rel k (s : mstate) : In (acq, rel, k) object_locks -> k ∈ h -> inv h s ->
  exists s', call MmioSPTOps.Spec.L rel [] s = Some (Ok 0 s') /\ inv (h ∖ {[k]}) s'.
Proof.
  intros B N I. assert (Q : passing k) by (unfold passing; cbn in B; intuition congruence).
  pose proof (proj2 (proj2 I) k Q) as H. rewrite bool_decide_eq_true_2 in H by exact N.
  assert (X : forall j, j <> k -> j ∈ h <-> j ∈ h ∖ {[k]}) by set_solver.
  destruct B as [[= <- <- <-]|[[= <- <- <-]|[[= <- <- <-]|[]]]]; injection H as H.
  - exists (set_core (release_cell (cpu_id (st_cpu s)) (st_core s)) s). split.
    + change (call MmioSPTOps.Spec.L "release_lock_core" [] s) with (release_obj st_core set_core [] s).
      unfold release_obj, p0. now rewrite H.
    + apply (lock_step h _ lock_core s); auto using held_core, given.
  - exists (set_s2 (release_cell (cpu_id (st_cpu s)) (st_s2 s)) s). split.
    + change (call MmioSPTOps.Spec.L "release_lock_s2page" [] s) with (release_obj st_s2 set_s2 [] s).
      unfold release_obj, p0. now rewrite H.
    + apply (lock_step h _ lock_s2page s); auto using held_s2, given.
  - exists (set_smmu (release_cell (cpu_id (st_cpu s)) (st_smmu s)) s). split.
    + change (call MmioSPTOps.Spec.L "release_lock_smmu" [] s) with (release_obj st_smmu set_smmu [] s).
      unfold release_obj, p0. now rewrite H.
    + apply (lock_step h _ lock_smmu s); auto using held_smmu, given.
Qed.

Lemma vm_cell h vm (s : mstate) : inv h s -> 0 <= vm < 17 ->
  exists c, st_vms s !! vm = Some c /\ c_held c = bool_decide (lock_vm vm ∈ h).
Proof.
  intros I V. pose proof (proj2 (proj2 I) _ (passing_vm vm V)) as H. rewrite held_vm in H by lia.
  destruct (st_vms s !! vm) as [c|]; [|discriminate H]. exists c. split; [reflexivity | now injection H].
Qed.

Lemma take_vm_safe h vm (s : mstate) : 0 <= vm < 17 -> lock_vm vm ∉ h -> inv h s ->
  exists s', call MmioSPTOps.Spec.L "acquire_lock_vm" [vm] s = Some (Ok 0 s') /\ inv ({[lock_vm vm]} ∪ h) s'.
Proof.
  intros V N I. destruct (vm_cell h vm s I V) as (c & E & H). rewrite bool_decide_eq_false_2 in H by exact N.
  exists (set_vms (<[vm := acquire_cell c]> (st_vms s)) s). split.
  - change (call MmioSPTOps.Spec.L "acquire_lock_vm" [vm] s) with (acquire_vm_obj st_vms set_vms [vm] s).
    unfold acquire_vm_obj, p1. now rewrite (proj1 (vmid_range vm V)), E, H.
  - apply (lock_step h _ (lock_vm vm) s); auto using passing_vm, held_vms; [set_solver|].
    rewrite held_vm by lia. cbn [st_vms set_vms]. rewrite lookup_insert. apply taken.
Qed.

Lemma give_vm_safe h vm (s : mstate) : 0 <= vm < 17 -> lock_vm vm ∈ h -> inv h s ->
  exists s', call MmioSPTOps.Spec.L "release_lock_vm" [vm] s = Some (Ok 0 s') /\ inv (h ∖ {[lock_vm vm]}) s'.
Proof.
  intros V N I. destruct (vm_cell h vm s I V) as (c & E & H). rewrite bool_decide_eq_true_2 in H by exact N.
  exists (set_vms (<[vm := release_cell (cpu_id (st_cpu s)) c]> (st_vms s)) s). split.
  - change (call MmioSPTOps.Spec.L "release_lock_vm" [vm] s) with (release_vm_obj st_vms set_vms [vm] s).
    unfold release_vm_obj, p1. now rewrite (proj1 (vmid_range vm V)), E, H.
  - apply (lock_step h _ (lock_vm vm) s); auto using passing_vm, held_vms; [set_solver|].
    rewrite held_vm by lia. cbn [st_vms set_vms]. rewrite lookup_insert. apply given.
Qed.

Lemma call_safe h f vs h' (s : mstate) : layer_call h (f, vs) h' -> inv h s -> no_table h ->
  exists r, call MmioSPTOps.Spec.L f vs s = Some r /\ good h' r.
Proof.
  intros X I F. inversion X as [c Y | c Y | c Y | c Y | | vm a V A | cb ix a Rc Ri A | vm V | cb ix Rc Ri
    | acq rel k B N | acq rel k B N | vm V N | vm V N]; subst.
  - now apply stage2_safe.
  - now apply smmu_safe.
  - now apply context_safe.
  - now apply device_safe.
  - eexists. split; [reflexivity|]. exists h'. exact I.
  - exists (Ok 0 (set_outs (Tlb_flush vm a :: st_outs s) s)). split; [|exact I].
    change (call MmioSPTOps.Spec.L "tlb_flush" ?l s) with (tlb_flush l s). unfold tlb_flush, p2. now rewrite V, A.
  - exists (Ok 0 (set_outs (Smmu_flush ix cb a :: st_outs s) s)). split; [|exact I].
    change (call MmioSPTOps.Spec.L "smmu_tlb_flush" ?l s) with (smmu_tlb_flush l s).
    unfold smmu_tlb_flush, p3. now rewrite Rc, Ri, A.
  - exists (Ok (pt_vttbr vm) s). split; [|exact I]. destruct (vmid_range vm V) as [R1 R2].
    change (call MmioSPTOps.Spec.L "get_pt_vttbr" ?l s) with (get_pt_vttbr l s).
    unfold get_pt_vttbr, p1. rewrite R1, R2. cbn [chk]. now rewrite (NPTWalk.Steps.vttbr_range vm R2).
  - exists (Ok (smmu_ttbr ix cb) s). split; [|exact I].
    change (call MmioSPTOps.Spec.L "get_smmu_cfg_hw_ttbr" ?l s) with (get_smmu_cfg_hw_ttbr l s).
    assert (R1 : in_range U32 cb = true) by (apply in_range_iff; ranges_goal; lia).
    assert (R2 : in_range U32 ix = true) by (apply in_range_iff; ranges_goal; lia).
    assert (R3 : (ix <? 2) && (cb <? 8) = true) by bool_goal.
    unfold get_smmu_cfg_hw_ttbr, p2. rewrite R1, R2, R3. cbn [chk].
    rewrite (proj2 (MmioSPTWalk.Steps.ttbr_root cb ix ltac:(unfold bank; lia))). reflexivity.
  - destruct (take_safe h f rel k s B N I) as (s' & E & I'). eexists. split; [exact E | exact I'].
  - destruct (give_safe h acq f k s B N I) as (s' & E & I'). eexists. split; [exact E | exact I'].
  - destruct (take_vm_safe h vm s V N I) as (s' & E & I'). eexists. split; [exact E | exact I'].
  - destruct (give_vm_safe h vm s V N I) as (s' & E & I'). eexists. split; [exact E | exact I'].
Qed.

(** * Whole runs *)

(** No call takes the lock of a table and keeps it. *)
Lemma call_no_table h c h' : layer_call h c h' -> no_table h -> no_table h'.
Proof.
  assert (P : forall k, passing k -> no_table h -> no_table ({[k]} ∪ h)).
  { intros k Q [A B]. apply passing_not_table in Q as [Q1 Q2]. split.
    - intros vm V. pose proof (A vm V). unfold lock_npt, lock_vm in *. rewrite elem_of_union, elem_of_singleton. intros [E|E]; [lia | tauto].
    - rewrite elem_of_union, elem_of_singleton. intros [E|E]; [congruence | tauto]. }
  assert (D : forall k, no_table h -> no_table (h ∖ {[k]})).
  { intros k [A B]. split; [intros vm V; pose proof (A vm V); set_solver | set_solver]. }
  destruct 1 as [| | | | | | | | | acq rel k B N | acq rel k B N | vm V N | vm V N]; auto.
  - apply P. unfold passing. cbn in B. intuition congruence.
  - now apply P, passing_vm.
Qed.

Lemma run_safe h cs h' : orderly h cs h' -> forall s, inv h s -> no_table h ->
  exists r, run_calls (call MmioSPTOps.Spec.L) cs s = Some r /\ good h' r.
Proof.
  induction 1 as [h | h [f vs] h1 cs h2 X _ IH]; intros s I F; cbn [run_calls].
  - eexists. split; [reflexivity | exact I].
  - destruct (call_safe h f vs h1 s X I F) as ([v s'|s'] & -> & G).
    + exact (IH s' G (call_no_table _ _ _ X F)).
    + eexists. split; [reflexivity | exact G].
Qed.

(** * From the initial state of the bottom machine *)

(** [maps] and [smaps] are what the tables mean that the other CPUs leave: those of each
    VM, and those of the SMMUs. *)
Definition maps_of (w : world) (maps : Z -> list (list (Z * pmap))) (smaps : list (list (Z * pmap))) : Prop :=
  (forall vm, is_vmid vm = true -> Forall2 (Forall2 (event_rel (NPTWalk.Spec.RN vm))) (maps vm) (w_npts w vm)) /\
  Forall2 (Forall2 (event_rel RM)) smaps (w_spt w).

(** Scripts of maps that mean something have good leaves. *)
Lemma script_ok {A B} (Q : A -> B -> Prop) (I : A -> Prop) (s : list (list (Z * A))) (t : list (list (Z * B))) :
  (forall a b, Q a b -> I a) -> Forall2 (Forall2 (event_rel Q)) s t -> Forall (Forall (fun e => I (snd e))) s.
Proof.
  intros X. induction 1 as [|x y s t E _ IH]; constructor; [|exact IH].
  induction E as [|e d x y [_ E] _ IHE]; constructor; [exact (X _ _ E) | exact IHE].
Qed.

Lemma init_inv maps smaps w : maps_of w maps smaps -> inv ∅ (init_all_maps maps smaps w).
Proof.
  intros [Mp Sp]. split; [|split].
  - intros vm V. destruct (vmid_range vm V) as [_ R2].
    unfold init_all_maps, NPTWalk.Refine.init_maps. cbn [st_npts set_npts set_spt]. rewrite lookup_table by exact V.
    eexists. split; [reflexivity|]. split; [symmetry; now apply bool_decide_eq_false|]. split; [apply pempty_ok|].
    refine (script_ok _ _ _ _ _ (Mp vm R2)). intros p x X. exact (refines_leaves_ok _ (npt_geom_ok vm R2) p _ (X R2)).
  - split; [symmetry; now apply bool_decide_eq_false|]. split; [apply pempty_ok|].
    refine (script_ok _ _ _ _ _ Sp). intros p x. apply refines_leaves_ok, smmu_geom_ok.
  - intros k Q. rewrite bool_decide_eq_false_2 by set_solver. destruct Q as [->|[->|[->|Q]]]; [reflexivity..|].
    replace k with (lock_vm (k - lock_vm 0)) by (unfold lock_vm; lia). unfold lock_vm, lock_end in *. rewrite held_vm by lia.
    unfold init_all_maps, NPTWalk.Refine.init_maps, init. cbn [st_vms set_npts set_spt]. rewrite lookup_table by lia. reflexivity.
Qed.

(** Read: start the bottom machine with any value [n] of the ticket counters; let the
    other CPUs behave fairly on every lock, releasing within [B] polls whoever we wait
    for, and leave only tables that mean something.  Then the linked program makes every
    sequence of calls of layer 12's interface, to its end or to a panic, and what its last
    state means satisfies the invariant. *)
Theorem top_safe n w B sc maps smaps cs h :
  0 <= n < 4294967296 -> is_cpu (w_cpu w) = true -> fair_scripts (w_cpu w) B sc ->
  maps_of (world_of w sc) maps smaps -> orderly ∅ cs h ->
  exists r', runs (flat smmu_program (graph L0)) cs (init0 n w sc) r' /\
    exists r, res_rel R_smmu r r' /\ good h r.
Proof.
  intros Rn Cp Fa Mp Cs. set (s := init_all_maps maps smaps (world_of w sc)).
  assert (F : no_table ∅) by (split; [intros vm V|]; apply not_elem_of_empty).
  destruct (run_safe ∅ cs h Cs s (init_inv maps smaps _ Mp) F) as (r & E & G).
  pose proof (smmu_boot n w B sc maps smaps Rn Cp Fa (proj1 Mp) (proj2 Mp)) as V.
  destruct (refines_runs R_smmu _ _ smmu_stack cs _ _ (run_calls_runs _ _ _ _ E) _ V) as (r' & X & Y).
  exists r'. split; [exact X|]. exists r. auto.
Qed.
