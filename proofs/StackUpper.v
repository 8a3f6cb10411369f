(* SPDX-License-Identifier: Apache-2.0 *)
(** What layers 17 to 26 rely on together ([whole]), and how their operations keep it: which of them leave the
    records of VMs, the counters, the owners of banks and the contexts alone ([only]), and how a critical section
    ends ([ends]).  Rests on the [Safe] and [Total] files of the layers; [StackUpperSafe] goes through the
    operations. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import VcTac PrimInv.
From SeKVM.machine Require Import CellInv StateTac BottomPagesTac BottomVmTac.
From SeKVM.layers.NPTOps Require Import Safe.
From SeKVM.layers.MmioSPTOps Require Import Safe.
From SeKVM.layers.MemManager Require Import Interface Safe.
From SeKVM.layers.MemoryOps Require Import Spec Total.
From SeKVM.layers.VMPower Require Import VmFacts.
From SeKVM.layers.BootCore Require Import Spec Safe.
From SeKVM.layers.BootAux Require Import Spec Total.
From SeKVM.layers.BootOps Require Import Spec.
From SeKVM.layers.MmioOps Require Import Spec Safe.
From SeKVM Require Import StackFramesSafe.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Notation hop := (hstate -> option (res hstate)).

(** * What an operation leaves alone *)

Definition aside (s s' : hstate) : Prop :=
  st_core s' = st_core s /\ st_smmu s' = st_smmu s /\ st_vms s' = st_vms s /\ st_ctxts s' = st_ctxts s /\
  st_cpu s' = st_cpu s /\ st_boot s' = st_boot s.
(** Also the SMMU tables. *)
Definition stage2 (s s' : hstate) : Prop := aside s s' /\ st_spt s' = st_spt s.

Lemma aside_refl s : aside s s.
Proof. repeat split. Qed.
Lemma aside_trans a b c : aside a b -> aside b c -> aside a c.
Proof. unfold aside. intros (? & ? & ? & ? & ? & ?) (? & ? & ? & ? & ? & ?). repeat split; congruence. Qed.
Lemma stage2_refl s : stage2 s s.
Proof. repeat split. Qed.
Lemma stage2_trans a b c : stage2 a b -> stage2 b c -> stage2 a c.
Proof. intros [A1 A2] [B1 B2]. split; [exact (aside_trans _ _ _ A1 B1) | congruence]. Qed.

Section Only.
  Context (R : hstate -> hstate -> Prop) (R_refl : forall s, R s s) (R_trans : forall a b c, R a b -> R b c -> R a c)
          (R_s2 : forall s c, R s (set_s2 c s)) (R_mem : forall s m, R s (set_mem m s)).

  Definition only (f : hop) : Prop := forall s v t, f s = Some (Ok v t) -> R s t.

  Lemma only_then f k : only f -> (forall v, only (k v)) -> only (fun s => and_then (f s) k).
  Proof.
    intros F K s v t. destruct (f s) as [[w u|u]|] eqn:E; cbn [and_then]; try discriminate.
    intros X. exact (R_trans _ _ _ (F s w u E) (K w u v t X)).
  Qed.
  Lemma only_after f c k : only f -> (forall v, only (k v)) -> only (fun s => after (f s) c k).
  Proof.
    intros F K s v t. destruct (f s) as [[w u|u]|] eqn:E; cbn [after]; try discriminate.
    intros X. exact (R_trans _ _ _ (F s w u E) (K w u v t X)).
  Qed.
  Lemma only_iterate f n : (forall i, only (f i)) -> only (iterate f n).
  Proof.
    intros F. unfold iterate. generalize 0. induction (Z.to_nat n) as [|k IH]; intros i; cbn [iterate_from].
    - intros s v t [= _ <-]. apply R_refl.
    - apply (only_then (f i) (fun _ s => iterate_from f k (i + 1) s)); [apply F | intros _; apply IH].
  Qed.
  Lemma only_if (b : bool) f g : only f -> only g -> only (fun s => if b then f s else g s).
  Proof. destruct b; auto. Qed.
  Lemma only_chk rt f : only f -> only (fun s => chk rt (f s)).
  Proof.
    intros F s v t. destruct (f s) as [[w u|u]|] eqn:E; cbn [chk]; try discriminate.
    destruct rt as [ty|]; [destruct (in_range ty w) | destruct (w =? 0)]; try discriminate; intros [= _ <-];
      exact (F s w u E).
  Qed.
  Lemma only_halt : only (fun s => Some (Halt s)).
  Proof. intros s v t. discriminate. Qed.
  Lemma only_none : only (fun _ => None).
  Proof. intros s v t. discriminate. Qed.
  Lemma only_ret v : only (fun s => ret v s).
  Proof. intros s w t [= _ <-]. apply R_refl. Qed.
  Lemma only_publish c : only (publish c).
  Proof. intros s v t [= _ <-]. apply R_s2. Qed.
  Lemma only_denied c : only (denied c).
  Proof. intros s v t. discriminate. Qed.
  Lemma only_frame pfn body : (forall c q, only (body c q)) ->
    only (fun s => with_frame pfn s (fun c q => body c q s)).
  Proof.
    intros B s v t. unfold with_frame. destruct (negb _); [|discriminate]. cbv zeta.
    destruct (frame_ok _); [|discriminate].
    apply B.
  Qed.
  Lemma only_p1 rt t1 f : (forall a, only (f a)) -> forall vs, only (p1 rt t1 f vs).
  Proof.
    intros F [|a [|]]; try apply only_none. unfold p1.
    destruct (in_range t1 a); [apply only_chk, F | apply only_none].
  Qed.
  Lemma only_p2 rt t1 t2 f : (forall a b, only (f a b)) -> forall vs, only (p2 rt t1 t2 f vs).
  Proof.
    intros F [|a [|b [|]]]; try apply only_none. unfold p2.
    do 2 (destruct (in_range _ _); [|apply only_none]). apply only_chk, F.
  Qed.
  Lemma only_p3 rt t1 t2 t3 f : (forall a b c, only (f a b c)) -> forall vs, only (p3 rt t1 t2 t3 f vs).
  Proof.
    intros F [|a [|b [|c [|]]]]; try apply only_none. unfold p3.
    do 3 (destruct (in_range _ _); [|apply only_none]). apply only_chk, F.
  Qed.
  Lemma only_p4 rt t1 t2 t3 t4 f : (forall a b c d, only (f a b c d)) -> forall vs, only (p4 rt t1 t2 t3 t4 f vs).
  Proof.
    intros F [|a [|b [|c [|d [|]]]]]; try apply only_none. unfold p4.
    do 4 (destruct (in_range _ _); [|apply only_none]). apply only_chk, F.
  Qed.

  (** ** From table work to operations on frames and on ranges *)

  Context (walk : forall vs, only (walk_s2pt_spec vs)) (map_ : forall vs, only (map_s2pt_spec vs))
          (clear : forall vs, only (clear_pfn_host_spec vs)).

  Lemma only_map_page_host vs : only (map_page_host_spec vs).
  Proof using R_trans R_s2 map_ R_refl.
    apply only_p1. intros a. apply only_frame. intros c q. destruct (host_use q) as [d|]; [|apply only_denied].
    apply (only_after (map_s2pt_spec _)); [apply map_ | intros _; apply only_publish].
  Qed.
  Lemma only_clear_page vs : only (clear_vm_page_spec vs).
  Proof using R_trans R_s2 R_mem clear R_refl.
    apply only_p2. intros v pfn. apply only_frame. intros c q. apply only_if; [|apply only_publish].
    apply (only_after (clear_pfn_host_spec _)); [apply clear | intros _ s w t [= _ <-]].
    exact (R_trans _ _ _ (R_mem s _) (R_s2 _ _)).
  Qed.
  Lemma only_assign vs : only (assign_pfn_to_vm_spec vs).
  Proof using R_trans R_s2 clear R_refl.
    apply only_p3. intros v g pfn. apply only_if; [|apply only_halt]. apply only_frame. intros c q.
    destruct (claim v g q) as [[[|] q']|]; [|apply only_publish|apply only_denied].
    apply (only_after (clear_pfn_host_spec _)); [apply clear | intros _; apply only_publish].
  Qed.
  Lemma only_assign_smmu vs : only (assign_pfn_to_smmu_spec vs).
  Proof using R_trans R_s2 clear R_refl.
    apply only_p3. intros v g pfn. apply only_if; [|apply only_halt]. apply only_frame. intros c q.
    destruct (reserve v g q) as [[q'|]|]; [|apply only_publish|apply only_denied].
    apply (only_after (clear_pfn_host_spec _)); [apply clear | intros _; apply only_publish].
  Qed.
  Lemma only_grant vs : only (grant_vm_page_spec vs).
  Proof using R_s2.
    apply only_p2. intros v pfn. apply only_frame. intros c q. destruct (share v q); apply only_publish.
  Qed.
  Lemma only_revoke vs : only (revoke_vm_page_spec vs).
  Proof using R_trans R_s2 clear R_refl.
    apply only_p2. intros v pfn. apply only_frame. intros c q.
    destruct (unshare v q) as [[[|] q']|]; [|apply only_publish|apply only_publish].
    apply (only_after (clear_pfn_host_spec _)); [apply clear | intros _; apply only_publish].
  Qed.
  Lemma only_map_io vs : only (map_vm_io_spec vs).
  Proof using R_trans R_s2 map_ R_refl.
    apply only_p3. intros v a pa. apply only_frame. intros c [q|]; [apply only_publish|].
    apply (only_after (map_s2pt_spec _)); [apply map_ | intros _; apply only_publish].
  Qed.
  Lemma only_map_pfn vs : only (map_pfn_vm_spec vs).
  Proof using map_ R_refl R_trans R_s2.
    apply only_p4. intros v a e l. apply only_if; [apply only_if; [|apply only_halt]|]; apply map_.
  Qed.

  Lemma only_mapped (f : prim hstate) v g : (forall vs, only (f vs)) -> only (with_mapped f v g).
  Proof using R_trans walk R_refl.
    intros F. apply (only_then (walk_s2pt_spec _)); [apply walk|]. intros e.
    apply only_if; [apply only_ret | apply F].
  Qed.
  Lemma only_range (f : prim hstate) vs : (forall vs, only (f vs)) -> only (with_range f vs).
  Proof using R_trans walk R_refl.
    intros F. apply only_p3. intros v a n. apply only_if; [|apply only_ret]. apply only_iterate. intros i.
    apply only_mapped, F.
  Qed.
  Lemma only_clear_range vs : only (clear_vm_range_spec vs).
  Proof using R_trans R_s2 R_mem clear R_refl.
    apply only_p3. intros v pfn n. apply only_if; [|apply only_ret]. apply only_iterate. intros i.
    apply only_clear_page.
  Qed.
  Lemma only_prot vs : only (prot_and_map_vm_s2pt_spec vs).
  Proof using R_trans R_s2 clear map_ R_refl.
    apply only_p4. intros v a e l. apply only_if; [|apply only_halt]. apply only_if.
    - apply only_if; [|apply only_halt]. apply (only_then (assign_range v _ _ 512)); [|intros _; apply only_map_pfn].
      apply only_iterate. intros i. apply only_assign.
    - apply (only_then (assign_pfn_to_vm_spec _)); [apply only_assign | intros _; apply only_map_pfn].
  Qed.
  Lemma only_load vs : only (unmap_and_load_vm_image_spec vs).
  Proof using R_trans R_s2 walk clear map_ R_refl.
    apply only_p4. intros v target remap n. apply only_if; [|apply only_halt]. apply only_iterate. intros i.
    unfold load_page.
    apply (only_then (walk_s2pt_spec _)); [apply walk|]. intros e. apply only_if; [apply only_halt|].
    apply (only_then (walk_s2pt_spec _)); [apply walk|]. intros d. apply only_if; [apply only_prot | apply only_halt].
  Qed.
End Only.

(** Table work: split until the states are the same. *)
Ltac only_tac :=
  intros vs s v t E; revert E; open_prim;
  repeat match goal with
  | |- context [match ?x with _ => _ end] =>
      lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x end
  end; try discriminate; intros [= _ <-]; repeat split.

Lemma walk_stage2 : forall vs, only stage2 (walk_s2pt_spec vs).
Proof. unfold walk_s2pt_spec, locked_look, put_table, published. only_tac. Qed.
Lemma map_stage2 : forall vs, only stage2 (map_s2pt_spec vs).
Proof. unfold map_s2pt_spec, publish_update, put_table, published. only_tac. Qed.
Lemma clear_stage2 : forall vs, only stage2 (clear_pfn_host_spec vs).
Proof. unfold clear_pfn_host_spec, publish_update, put_table, published. only_tac. Qed.
Lemma init_spt_aside : forall vs, only aside (init_spt_spec vs).
Proof. unfold init_spt_spec, publish_spt_update, publish_spt. only_tac. Qed.
Lemma walk_spt_aside : forall vs, only aside (walk_spt_spec vs).
Proof. unfold walk_spt_spec, publish_spt. only_tac. Qed.
Lemma map_spt_aside : forall vs, only aside (map_spt_spec vs).
Proof. unfold map_spt_spec, publish_spt_update, publish_spt. only_tac. Qed.
Lemma unmap_spt_aside : forall vs, only aside (unmap_spt_spec vs).
Proof. unfold unmap_spt_spec, publish_spt_update, publish_spt. only_tac. Qed.

Lemma stage2_s2 s c : stage2 s (set_s2 c s).
Proof. repeat split. Qed.
Lemma stage2_mem s m : stage2 s (set_mem m s).
Proof. repeat split. Qed.

Lemma update_aside vs : only aside (update_smmu_page_spec map_spt_spec vs).
Proof.
  unfold update_smmu_page_spec. destruct vs as [|v [|b [|i [|a [|e [|]]]]]]; try apply only_none.
  do 5 (destruct (in_range _ _); [|apply only_none]). apply only_if; [|apply only_halt]. apply only_frame. intros c q.
  destruct (device_use _ _ q) as [q'|]; [|apply only_denied].
  apply (only_after aside aside_trans (map_spt_spec _)); [apply map_spt_aside |].
  intros _ s w t [= _ <-]. repeat split.
Qed.
Lemma unmap_aside vs : only aside (unmap_smmu_page_spec unmap_spt_spec vs).
Proof.
  apply only_p3. intros b i a s v t. destruct (negb (c_held (st_s2 s))); [|discriminate]. cbv zeta.
  apply (only_after aside aside_trans (unmap_spt_spec [b; i; a])); [apply unmap_spt_aside|].
  intros e u w r. destruct (in_range U64 e); [|discriminate]. destruct (frame_ok _); [|discriminate].
  destruct (device_unuse _) as [q'|]; [destruct (_ =? 0)|]; intros [= _ <-]; repeat split.
Qed.

Lemma weaker f : only stage2 f -> only aside f.
Proof. intros F s v t E. exact (proj1 (F s v t E)). Qed.

(** * The joint invariant *)

Definition record_ok (x : vminfo) : Prop := vm_ok x = true.

(** [h] are the contexts that this CPU has.  Tables, frames, records, counters and owners are good, as seen and as
    others will publish them; no lock is held; this CPU runs in its context of the host, which is its own; the
    firmware's list of SMMUs is well formed. *)
Record whole (h : gset Z) (s : hstate) : Prop := mkwhole {
  wh_frames : frames_inv s;
  wh_core : counters_ok s;
  wh_core_free : c_held (st_core s) = false;
  wh_owners : cell_ok owners_ok (st_smmu s);
  wh_owners_free : c_held (st_smmu s) = false;
  wh_vms : forall v, 0 <= v < 17 -> exists c, st_vms s !! v = Some c /\ c_held c = false /\ cell_ok record_ok c;
  wh_ctxts : forall k, 0 <= k < 136 -> exists x, st_ctxts s !! k = Some x /\ c_held x = bool_decide (k ∈ h);
  wh_cpu : cpu_vcpuid (st_cpu s) = cpu_id (st_cpu s) /\ 0 <= cpu_id (st_cpu s) < 8;
  wh_smmus : smmus_ok (boot_smmus (st_boot s)) = true }.

Lemma whole_aside h s t : whole h s -> aside s t -> frames_inv t -> whole h t.
Proof.
  intros W (A & B & C & D & E & F) Fr. destruct W.
  constructor; unfold counters_ok; rewrite ?A, ?B, ?C, ?D, ?E, ?F; auto.
Qed.

(** Memory, inputs and outputs do not matter. *)
Lemma whole_same h s t : whole h s -> aside s t -> st_npts t = st_npts s -> st_spt t = st_spt s ->
  st_s2 t = st_s2 s -> whole h t.
Proof.
  intros W A N S P. apply (whole_aside h s t W A). destruct (wh_frames _ _ W) as (F1 & F2 & F3 & F4).
  split; [intros vm V; rewrite N; exact (F1 vm V)|].
  split; [unfold spt_ok; rewrite S; exact F2|]. split; [unfold s2_ok; rewrite P; exact F3 | rewrite P; exact F4].
Qed.

Lemma whole_s2 h s c : whole h s -> cell_ok frames_ok c -> c_held c = false -> whole h (set_s2 c s).
Proof.
  intros W C H. apply (whole_aside h s); [exact W | repeat split|].
  destruct (wh_frames _ _ W) as (F1 & F2 & _ & _). split; [exact F1|]. split; [exact F2|]. split; assumption.
Qed.
Lemma whole_core h s c : whole h s -> cell_ok core_ok c -> c_held c = false -> whole h (set_core c s).
Proof. intros W C H. destruct W. now constructor. Qed.
Lemma whole_owners h s c : whole h s -> cell_ok owners_ok c -> c_held c = false -> whole h (set_smmu c s).
Proof. intros W C H. destruct W. now constructor. Qed.
Lemma whole_vm h s v c : whole h s -> cell_ok record_ok c -> c_held c = false -> whole h (put_vm v c s).
Proof.
  intros W C H. destruct W. constructor; try assumption. intros w V. unfold put_vm. cbn [st_vms set_vms].
  destruct (decide (w = v)) as [->|N]; [rewrite lookup_insert; eauto | rewrite lookup_insert_ne by congruence; auto].
Qed.
Lemma whole_ctxt h h' s k x : whole h s -> c_held x = bool_decide (k ∈ h') ->
  (forall j, j <> k -> j ∈ h <-> j ∈ h') ->
  whole h' (set_ctxts (<[k := x]> (st_ctxts s)) s).
Proof.
  intros W H S. destruct W. constructor; try assumption. intros j V. cbn [st_ctxts set_ctxts].
  destruct (decide (j = k)) as [->|N]; [rewrite lookup_insert; eauto | rewrite lookup_insert_ne by congruence].
  destruct (wh_ctxts0 j V) as (y & E & D). exists y. split; [exact E|]. rewrite D. apply bool_decide_ext. auto.
Qed.

(** * How operations end *)

(** In a panic, or with a value that is [Q] and the invariant. *)
Definition ends (h : gset Z) (Q : Z -> Prop) (o : option (res hstate)) : Prop :=
  match o with Some (Ok v s) => Q v /\ whole h s | Some (Halt _) => True | None => False end.

Lemma ends_weaken h (Q Q' : Z -> Prop) o : (forall v, Q v -> Q' v) -> ends h Q o -> ends h Q' o.
Proof. intros W. destruct o as [[v s|s]|]; cbn; auto. intros [A B]. auto. Qed.

Definition typed (rt : option ty) (v : Z) : Prop :=
  match rt with Some t => in_range t v = true | None => v = 0 end.
Lemma ends_chk h rt o : ends h (typed rt) o -> ends h (typed rt) (chk rt o).
Proof.
  destruct o as [[v s|s]|]; cbn; auto. intros [A B]. destruct rt as [t|]; cbn in A.
  - rewrite A. now split.
  - subst v. now split.
Qed.

(** The rest [k] of an operation after a part [o]. *)
Lemma ends_then h h' (Q Q' : Z -> Prop) o k : ends h Q o -> (forall v s, Q v -> whole h s -> ends h' Q' (k v s)) ->
  ends h' Q' (and_then o k).
Proof. destruct o as [[v s|s]|]; cbn; auto. intros [A B] K. auto. Qed.
Lemma ends_inside v c h h' (Q Q' : Z -> Prop) o k : ends h Q o ->
  (forall w s, Q w -> whole h s -> ends h' Q' (k w s)) ->
  ends h' Q' (inside v c o k).
Proof. destruct o as [[w s|s]|]; cbn; auto. intros [A B] K. auto. Qed.
Lemma ends_after c h h' (Q Q' : Z -> Prop) o k : ends h Q o -> (forall w s, Q w -> whole h s -> ends h' Q' (k w s)) ->
  ends h' Q' (after o c k).
Proof. destruct o as [[w s|s]|]; cbn; auto. intros [A B] K. auto. Qed.
Lemma ends_during c h h' (Q Q' : Z -> Prop) o k : ends h Q o ->
  (forall w s, Q w -> whole h s -> ends h' Q' (k w s)) ->
  ends h' Q' (during o c k).
Proof. destruct o as [[w s|s]|]; cbn; auto. intros [A B] K. auto. Qed.

(** Critical sections of records, of frames and of owners. *)
Lemma ends_vm h h' Q v s k : whole h s -> 0 <= v < 17 ->
  (forall c, cell_ok record_ok c -> vm_ok (c_val c) = true -> ends h' Q (k c)) -> ends h' Q (with_vm v s k).
Proof.
  intros W V K. destruct (wh_vms _ _ W v V) as (c & E & H & C). unfold with_vm. rewrite E, H. cbn [negb].
  pose proof (acquire_ok _ _ C) as A. rewrite (proj1 A : vm_ok _ = true). apply K; [exact A | exact (proj1 A)].
Qed.
Lemma ends_publish_vm h (Q : Z -> Prop) v c r s : whole h s -> cell_ok record_ok c -> Q r ->
  ends h Q (publish_vm v c r s).
Proof. intros W C R. split; [exact R|]. apply whole_vm; [exact W | now apply release_ok | reflexivity]. Qed.
Lemma ends_changed_vm h (Q : Z -> Prop) v c x r s : whole h s -> cell_ok record_ok c -> vm_ok x = true -> Q r ->
  ends h Q (publish_vm v (set_val x c) r s).
Proof. intros W C X R. apply ends_publish_vm; [exact W | now apply set_val_ok | exact R]. Qed.

Lemma ends_frame h h' Q pfn s k : whole h s ->
  (forall c, cell_ok frames_ok c -> frame_ok (c_val c !! pfn) = true -> ends h' Q (k c (c_val c !! pfn))) ->
  ends h' Q (with_frame pfn s k).
Proof.
  intros W K. destruct (wh_frames _ _ W) as (_ & _ & C & H). unfold with_frame. rewrite H. cbn [negb]. cbv zeta.
  pose proof (acquire_ok _ _ C) as A. rewrite (proj1 A pfn). apply K; [exact A | exact (proj1 A pfn)].
Qed.
Lemma ends_publish h c s : whole h s -> cell_ok frames_ok c -> ends h (typed None) (publish c s).
Proof. intros W C. split; [reflexivity|]. apply whole_s2; [exact W | now apply release_ok | reflexivity]. Qed.

Lemma ends_owner h h' Q cb ix s k : whole h s ->
  (forall c w, cell_ok owners_ok c -> owner_ok w = true -> ends h' Q (k c w)) -> ends h' Q (with_owner cb ix s k).
Proof.
  intros W K. unfold with_owner. destruct (is_bank cb ix); [|exact I]. rewrite (wh_owners_free _ _ W). cbn [negb].
  cbv zeta.
  pose proof (acquire_ok _ _ (wh_owners _ _ W)) as A.
  rewrite (proj1 A _). apply K; [exact A | exact (proj1 A _)].
Qed.
Lemma ends_publish_owners h (Q : Z -> Prop) v c s : whole h s -> cell_ok owners_ok c -> Q v ->
  ends h Q (publish_owners v c s).
Proof. intros W C V. split; [exact V|]. apply whole_owners; [exact W | now apply release_ok | reflexivity]. Qed.

Lemma ends_iterate h f n s : 0 <= n ->
  (forall i s, 0 <= i < n -> whole h s -> ends h (fun _ => True) (f i s)) -> whole h s ->
    ends h (typed None) (iterate f n s).
Proof.
  intros N F. unfold iterate.
  assert (G : forall k i s, 0 <= i -> i + Z.of_nat k <= n -> whole h s -> ends h (typed None) (iterate_from f k i s)).
  { induction k as [|k IH]; intros i t I0 B W; cbn [iterate_from]; [split; [reflexivity | exact W]|].
    apply (ends_then h h (fun _ => True)); [apply F; [lia | exact W]|]. intros _ u _ U.
    apply IH; [lia | lia | exact U]. }
  apply G; lia.
Qed.

(** * Work on tables, frames and ranges *)

Lemma ends_table h (Q : Z -> Prop) (f : hop) s : whole h s -> only stage2 f ->
  (exists r, f s = Some r /\ NPTWalk.Safe.good ∅ s r) -> (forall v t, f s = Some (Ok v t) -> Q v) -> ends h Q (f s).
Proof.
  intros W O (r & E & G) K. destruct r as [v t|t]; rewrite E; [|exact I]. split; [exact (K v t E)|].
  destruct (O s v t E) as [A S]. apply (whole_aside h s t W A). destruct (wh_frames _ _ W) as (F1 & F2 & F3 & F4).
  cbn in G. destruct G as (G & m & o & ->). split; [exact G|]. split; [exact F2|]. split; [exact F3 | exact F4].
Qed.

Lemma ends_spt h (Q : Z -> Prop) (f : hop) s : whole h s -> only aside f ->
  (exists r, f s = Some r /\ spt_good ∅ s r) -> (forall v t, f s = Some (Ok v t) -> Q v) -> ends h Q (f s).
Proof.
  intros W O (r & E & G) K. destruct r as [v t|t]; rewrite E; [|exact I]. split; [exact (K v t E)|].
  apply (whole_aside h s t W (O s v t E)). destruct (wh_frames _ _ W) as (F1 & F2 & F3 & F4).
  cbn in G. destruct G as (G & m & o & ->). split; [exact F1|]. split; [exact G|]. split; [exact F3 | exact F4].
Qed.

Lemma ends_ready h (Q : Z -> Prop) (f : hop) s : whole h s -> only stage2 f ->
  (exists r, f s = Some r /\ Total.fine ∅ r) -> (forall v t, f s = Some (Ok v t) -> Q v) -> ends h Q (f s).
Proof.
  intros W O (r & E & G) K. destruct r as [v t|t]; rewrite E; [|exact I]. split; [exact (K v t E)|].
  destruct (O s v t E) as [A S]. apply (whole_aside h s t W A). destruct (wh_frames _ _ W) as (_ & F2 & _ & _).
  destruct G as (G1 & G2 & G3). split; [exact G1|]. split; [unfold spt_ok; rewrite S; exact F2|]. now split.
Qed.

Lemma ends_frame_call h f vs s : frame_call (f, vs) -> only aside (call MemManager.Interface.L f vs) -> whole h s ->
  ends h (fun _ => True) (call MemManager.Interface.L f vs s).
Proof.
  intros X O W. destruct (frame_call_safe f vs s X (wh_frames _ _ W)) as (r & E & G). rewrite E.
  destruct r as [v t|t]; [|exact I]. split; [exact I|]. exact (whole_aside h s t W (O s v t E) G).
Qed.

Lemma whole_ready h s : whole h s -> ready ∅ s.
Proof. intros W. destruct (wh_frames _ _ W) as (A & _ & B & C). now split. Qed.

Lemma chk_range t o v s' : chk (Some t) o = Some (Ok v s' : res hstate) -> in_range t v = true.
Proof.
  unfold chk. destruct o as [[w u|u]|]; try discriminate. destruct (in_range t w) eqn:R; [|discriminate].
  intros [= <- _]. exact R.
Qed.

Lemma ends_walk h s u a : whole h s -> in_range U32 u = true -> in_range U64 a = true ->
  ends h (typed (Some U64)) (walk_s2pt_spec [u; a] s).
Proof.
  intros W U A. apply (ends_ready h _ (walk_s2pt_spec [u; a]) s W (walk_stage2 _)).
  - exact (walk_ready ∅ no_npt_empty s u a (whole_ready h s W) U A).
  - intros v t E. unfold walk_s2pt_spec, p2 in E. rewrite U, A in E. exact (chk_range _ _ _ _ E).
Qed.
