(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 30, MemHandler: the operations on banks and on frames do steps of the machine of [Confined]. From the
    values that an operation finds when it locks owners, tables and frames to those that it publishes is one step,
    or nothing. And a VM that is off gets no bank, so what [clear_vm_stage2_range] has asked stays true. *)
From SeKVM.lib Require Import VcTac PrimInv Loop.
From SeKVM.machine Require Import BottomVmTac.
From SeKVM.layers.VMPower Require Import VmFacts Safe.
From SeKVM.layers.MmioOps Require Import Interface.
From SeKVM.layers.MemHandler Require Import Spec Confined.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** What an operation from [s] finds when it locks the three objects. *)
Definition found (s : hstate) : dma :=
  mkdma (c_val (acquire_cell (st_smmu s))) (c_val (acquire_cell (st_spt s))) (c_val (acquire_cell (st_s2 s))).
(** An object is left as [x]: published so, or not locked. *)
Definition left_as {X} (c c' : cell X) (x : X) : Prop := c_val c' = x \/ c' = c /\ c_val (acquire_cell c) = x.
Definition does_step (s s' : hstate) : Prop := exists d,
  left_as (st_smmu s) (st_smmu s') (d_owners d) /\ left_as (st_spt s) (st_spt s') (d_tables d) /\
  left_as (st_s2 s) (st_s2 s') (d_frames d) /\ (d = found s \/ dma_step (found s) d).

#[local] Hint Unfold smmu_map_page_spec el2_arm_lpae_clear_spec el2_alloc_smmu_pgd_spec el2_free_smmu_pgd_spec
  smmu_assign_page_spec by_owner with_owner during set_owner map_smmu_spec clear_smmu_spec alloc_smmu_spec
    assign_smmu_spec
  configuring with_vm inside update_smmu_page_spec unmap_smmu_page_spec assign_pfn_to_smmu_spec with_frame after
    map_spt_spec
  unmap_spt_spec init_spt_spec publish_spt_update publish_spt publish put publish_vm put_vm publish_owners denied
    denied_vm
  get_vm_poweron_spec clear_vm_page_spec assign_pfn_to_vm_spec grant_vm_page_spec revoke_vm_page_spec
    load_decrypt_buf_spec
  and_then : prims.

Lemma bank_range cb ix : 0 <= cb -> 0 <= ix -> is_bank cb ix = true -> is_bank_number (bank cb ix).
Proof. unfold is_bank, is_bank_number, bank. intros A B H. boolprop. lia. Qed.

(** The host loses a frame by its own table, which is none of the three objects. *)
Lemma clear_pfn_host_apart vs (s : hstate) z t : clear_pfn_host_spec vs s = Some (Ok z t) ->
  st_smmu t = st_smmu s /\ st_spt t = st_spt s /\ st_s2 t = st_s2 s.
Proof.
  unfold clear_pfn_host_spec, publish_update, put_table, published. intros E. prim_unfold_in E.
    inv_spec E; repeat split.
Qed.

Ltac opened E := prim_unfold_in E; inv_spec E;
  repeat match goal with H : clear_pfn_host_spec _ _ = Some (Ok _ _) |- _ =>
    apply clear_pfn_host_apart in H; destruct H as (? & ? & ?) end;
  try match goal with A : 0 <= ?cb < _, B : 0 <= ?ix < _, C : is_bank ?cb ?ix = true |- _ =>
    pose proof (bank_range cb ix (proj1 A) (proj1 B) C) end;
  change bank_number with bank in *; unfold does_step, found, left_as; state_norm.
(** The operation leaves [d]; it leaves everything as it was found; it leaves what the step [X] leads to. *)
Ltac leaves_as d := exists d; cbn [d_owners d_tables d_frames];
  do 3 (split; [first [left; reflexivity | right; split; [reflexivity || assumption | reflexivity]]|]).
Ltac as_found := match goal with |- exists d, _ /\ _ /\ _ /\ (d = ?x \/ _) => leaves_as x; left; reflexivity end.
Ltac by_step X := match type of X with dma_step _ ?d => leaves_as d; right; exact X end.

Theorem map_is_step vs (s s' : hstate) z : smmu_map_page_spec map_smmu_spec vs s = Some (Ok z s') -> does_step s s'.
Proof.
  intros E. apply p4_inv in E as (cb & ix & a & e & -> & R1 & R2 & R3 & R4 & E). opened E; [as_found|].
  match goal with D : device_use _ _ _ = Some ?o, P : pset _ _ _ _ _ = Updated ?t |- _ =>
    pose proof (fun B A W => step_map _ _ _ (bank cb ix) a e o t B A W D P) as X;
    specialize (X ltac:(assumption) ltac:(unfold is_iova; lia) ltac:(lia)); destruct o; by_step X
  end.
Qed.

Theorem unmap_is_step vs (s s' : hstate) z : el2_arm_lpae_clear_spec clear_smmu_spec vs s = Some (Ok z s') ->
  does_step s s'.
Proof.
  intros E. apply p3_inv in E as (a & cb & ix & -> & R1 & R2 & R3 & E). opened E; try as_found.
  all: try match goal with X : frame_of 0 <> 0 |- _ => now destruct X end.
  all: match goal with P : pset _ _ _ _ _ = Updated ?t |- _ =>
    pose proof (fun pfn q B A => step_unmap (c_val (acquire_cell (st_smmu s))) _ (c_val (acquire_cell (st_s2 s)))
      (bank cb ix) a t
      pfn q B A P) as X end.
  all: first [ match goal with D : device_unuse (_ !! ?n) = Some ?p |- _ =>
                 specialize (X n (Some p) ltac:(assumption) ltac:(unfold is_iova; lia) (or_intror D)); by_step X end
             | specialize (X 0 None ltac:(assumption) ltac:(unfold is_iova; lia) (or_introl eq_refl)); by_step X ].
Qed.

Theorem give_is_step vs (s s' : hstate) z : el2_alloc_smmu_pgd_spec alloc_smmu_spec vs s = Some (Ok z s') ->
  does_step s s'.
Proof.
  intros E. apply p3_inv in E as (cb & v & ix & -> & R1 & R2 & R3 & E). unfold may_alloc in E. opened E; try as_found.
  all: match goal with B : is_bank_number _, O : bank_owner _ _ = INVALID |- _ =>
    pose proof (step_give _ (c_val (acquire_cell (st_spt s))) (c_val (acquire_cell (st_s2 s))) _ v B O) as X;
      by_step X end.
Qed.

Theorem free_is_step vs (s s' : hstate) z : el2_free_smmu_pgd_spec get_vm_poweron_spec vs s = Some (Ok z s') ->
  does_step s s'.
Proof.
  intros E. apply p2_inv in E as (cb & ix & -> & R1 & R2 & E). opened E; try as_found.
  match goal with B : is_bank_number _ |- _ =>
    pose proof (step_free (c_val (acquire_cell (st_smmu s))) (c_val (acquire_cell (st_spt s)))
      (c_val (acquire_cell (st_s2 s))) _ B) as X; by_step X end.
Qed.

Theorem assign_is_step vs (s s' : hstate) z : smmu_assign_page_spec assign_smmu_spec vs s = Some (Ok z s') ->
  does_step s s'.
Proof.
  intros E. apply p4_inv in E as (cb & ix & pfn & g & -> & R1 & R2 & R3 & R4 & E). opened E; try as_found.
  all: match goal with V : reserve _ _ _ = Some (Some _) |- _ =>
    pose proof (step_frame (c_val (acquire_cell (st_smmu s))) (c_val (acquire_cell (st_spt s))) _ _ _
      (step_reserve _ _ _ _ V)) as X; by_step X end.
Qed.

(** Whatever the owners are, if the VM has no bank. *)
Theorem reclaim_is_step v pfn (s s' : hstate) z o t :
  clear_vm_page_spec [v; pfn] s = Some (Ok z s') -> has_bank v o = false ->
  st_smmu s' = st_smmu s /\ st_spt s' = st_spt s /\
  (c_val (st_s2 s') = c_val (acquire_cell (st_s2 s)) \/
   dma_step (mkdma o t (c_val (acquire_cell (st_s2 s)))) (mkdma o t (c_val (st_s2 s')))).
Proof.
  intros E N. opened E; (split; [reflexivity || assumption|]; split; [reflexivity || assumption|]);
    [right | now left].
  match goal with V : reclaim _ _ = true |- _ => exact (step_reclaim o t _ v pfn N V) end.
Qed.

(** A frame is claimed by a VM, shared, taken back, or comes sealed from elsewhere. *)
Theorem claim_is_step vs (s s' : hstate) z : assign_pfn_to_vm_spec vs s = Some (Ok z s') -> does_step s s'.
Proof.
  intros E. unfold assign_pfn_to_vm_spec in E. apply p3_inv in E as (v & g & pfn & -> & R1 & R2 & R3 & E).
    opened E; try as_found.
  all: match goal with V : claim _ _ _ = Some _ |- _ =>
    pose proof (step_frame (c_val (acquire_cell (st_smmu s))) (c_val (acquire_cell (st_spt s))) _ _ _
      (step_claim _ _ _ _ _ V)) as X; by_step X end.
Qed.
Theorem share_is_step vs (s s' : hstate) z : grant_vm_page_spec vs s = Some (Ok z s') -> does_step s s'.
Proof.
  intros E. unfold grant_vm_page_spec in E. apply p2_inv in E as (v & pfn & -> & R1 & R2 & E). opened E; try as_found.
  all: match goal with V : share _ _ = Some _ |- _ =>
    pose proof (step_frame (c_val (acquire_cell (st_smmu s))) (c_val (acquire_cell (st_spt s))) _ _ _
      (step_share _ _ _ V)) as X; by_step X end.
Qed.
Theorem unshare_is_step vs (s s' : hstate) z : revoke_vm_page_spec vs s = Some (Ok z s') -> does_step s s'.
Proof.
  intros E. unfold revoke_vm_page_spec in E. apply p2_inv in E as (v & pfn & -> & R1 & R2 & E).
    opened E; try as_found.
  all: match goal with V : unshare _ _ = Some _ |- _ =>
    pose proof (step_frame (c_val (acquire_cell (st_smmu s))) (c_val (acquire_cell (st_spt s))) _ _ _
      (step_unshare _ _ _ _ V)) as X; by_step X end.
Qed.
Theorem import_is_step vs (s s' : hstate) z : load_decrypt_buf_spec vs s = Some (Ok z s') -> does_step s s'.
Proof.
  intros E. unfold load_decrypt_buf_spec in E. apply p2_inv in E as (v & a & -> & R1 & R2 & E).
    opened E; try as_found.
  all: match goal with V : import_frame _ _ = Some _ |- _ =>
    pose proof (step_frame (c_val (acquire_cell (st_smmu s))) (c_val (acquire_cell (st_spt s))) _ _ _
      (step_import _ _ _ V)) as X; by_step X end.
Qed.

(** So they keep what [Confined] says of devices. *)
Corollary steps_confined (s s' : hstate) : does_step s s' -> confined (found s) -> exists d, confined d /\
  left_as (st_smmu s) (st_smmu s') (d_owners d) /\ left_as (st_spt s) (st_spt s') (d_tables d) /\
  left_as (st_s2 s) (st_s2 s') (d_frames d).
Proof. intros (d & O & T & F & [-> | X]) C; [exists (found s) | exists d]; repeat split; auto.
  exact (confined_step _ _ X C). Qed.

(** * Reclaim *)

Lemma poweron_frames vs (s t : hstate) z : get_vm_poweron_spec vs s = Some (Ok z t) -> st_s2 t = st_s2 s.
Proof. intros E. prim_unfold_in E. inv_spec E; reflexivity. Qed.
Lemma has_bank_answer v (s t : hstate) z : vm_has_bank_spec [v] s = Some (Ok z t) ->
  st_s2 t = st_s2 s /\ (z = 0 -> has_bank v (c_val (st_smmu t)) = false).
Proof.
  intros E. unfold vm_has_bank_spec in E. apply p1_inv in E as (w & [= <-] & _ & E).
    destruct (negb _); [|discriminate E]. cbv zeta in E.
  destruct (forallb _ _); [|discriminate E]. unfold publish_owners in E.
  destruct (has_bank v _) eqn:H; cbn in E; injection E as <- <-; (split; [reflexivity|]); [discriminate | intros _;
    exact H].
Qed.

(** Read: memory is taken back from a VM that is off and then has no bank; else no frame changes. *)
Theorem reclaim_asks v a n (s s' : hstate) :
  clear_vm_stage2_range_spec get_vm_poweron_spec vm_has_bank_spec [v; a; n] s = Some (Ok 0 s') ->
  st_s2 s' = st_s2 s \/
  exists t1 t, get_vm_poweron_spec [v] s = Some (Ok 0 t1) /\ vm_has_bank_spec [v] t1 = Some (Ok 0 t) /\
    has_bank v (c_val (st_smmu t)) = false /\ clear_vm_range_spec [v; a / 4096; n / 4096] t = Some (Ok 0 s').
Proof.
  intros E. unfold clear_vm_stage2_range_spec in E. apply p3_inv in E as (w & b & m & [= <- <- <-] & _ & _ & _ & E).
    apply chk_void in E as [E _]. unfold and_then in E.
  destruct (get_vm_poweron_spec [v] s) as [[on t1|t1]|] eqn:P; try discriminate E.
    pose proof (poweron_frames _ _ _ _ P) as F1.
  destruct (Z.eqb_spec on 0) as [->|]; [|injection E as <-; now left].
  destruct (vm_has_bank_spec [v] t1) as [[z t|t]|] eqn:B; try discriminate E.
    destruct (has_bank_answer _ _ _ _ B) as [F2 A].
  destruct (Z.eqb_spec z 0) as [->|]; [|injection E as <-; left; congruence]. right. exists t1, t. auto.
Qed.

(** * Once without a bank *)

Lemma has_bank_iff v m : has_bank v m = false <-> forall b, is_bank_number b -> bank_owner m b <> v.
Proof.
  split; [intros H b; now apply has_bank_false|]. intros H. apply not_true_iff_false. intros X.
    apply existsb_exists in X as (b & B & E).
  apply elem_of_list_In, elem_of_seqZ in B. apply (H b); [unfold is_bank_number; lia | now apply Z.eqb_eq].
Qed.

(** A bank is given to the host or to a VM that is being prepared. *)
Theorem no_new_bank vs v (s s' : hstate) z : el2_alloc_smmu_pgd_spec alloc_smmu_spec vs s = Some (Ok z s') ->
  is_guest v = true -> (forall c, st_vms s !! v = Some c -> vm_state (c_val (acquire_cell c)) <> READY) ->
  has_bank v (c_val (acquire_cell (st_smmu s))) = false -> has_bank v (c_val (st_smmu s')) = false.
Proof.
  intros E G R N. apply p3_inv in E as (cb & w & ix & -> & R1 & R2 & R3 & E). unfold may_alloc in E.
    opened E; try exact N.
  all: match goal with C : st_vms _ !! ?x = Some ?c, M : may_configure ?x _ = true |- _ =>
    assert (x <> v) by (intros X; pose proof (R c ltac:(rewrite <- X; exact C));
      unfold may_configure, is_guest, HOSTVISOR in *;
      boolprop; lia) end.
  all: rewrite has_bank_iff in N |- *; intros b B; specialize (N b B); cbn [release_cell c_val set_val];
    unfold bank_owner in *; destruct (decide (b = bank cb ix)) as [->|Ne];
    [rewrite lookup_insert; assumption | rewrite lookup_insert_ne by congruence; exact N].
Qed.

(** Such is no VM that is off, nor ever will be. *)
Theorem off_not_ready x y : is_off x = true -> vm_ok y = true -> vm_le x y -> vm_state y <> READY.
Proof.
  intros O K L. pose proof (off_stays x y K L O) as O'. unfold is_off, POWEROFF, READY in *. boolprop. lia.
Qed.
