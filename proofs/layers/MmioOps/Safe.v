(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 26, MmioOps: what the SMMUs are made to do.  Whatever is called, every store to a
    device goes to a frame of SMMU registers and leaves there what the policy allows: the
    table base of a bank is KCore's, its attributes name its owner.  Owners stay owners, and
    an access of the host is always defined.  Rests on [Spec] and MmioCore's [Safe]. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import Bits VcTac PrimInv Calls.
From SeKVM.machine Require Import Rel RelTac CellInv.
From SeKVM.layers.MmioCore Require Import Safe.
From SeKVM.layers.MmioOpsAux Require Import ProofCode.
From SeKVM.layers.MmioOps Require Import Spec SpecTac ProofAccess.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Outputs *)

Definition final {S} (r : res S) : S := match r with Ok _ s | Halt s => s end.

(** A store to a device is in the frame of an SMMU of [l], and each register that it covers
    gets a word that is allowed by the owners of banks. *)
Definition store_ok (l : list smmu_dev) (owners : gmap Z Z) (e : out_event) : Prop :=
  match e with
  | Mmio_write a len v => exists ix d,
      l !! Z.to_nat ix = Some d /\ smmu_base d <= a /\ a + len <= smmu_base d + 65536 /\
      Forall (fun p => reg_ok owners ix (fst p) (snd p) = true) (covers (a - smmu_base d) len v)
  | _ => True
  end.

Definition no_store (e : out_event) : Prop := match e with Mmio_write _ _ _ => False | _ => True end.

(** Between two states there are new outputs, all of them [Q], and the machine is the same. *)
Definition added {N M P} (Q : out_event -> Prop) (s s' : St cell N M P) : Prop :=
  st_boot s' = st_boot s /\ exists new, st_outs s' = (new ++ st_outs s)%list /\ Forall Q new.

Lemma added_same {N M P} Q (s s' : St cell N M P) : st_boot s' = st_boot s -> st_outs s' = st_outs s -> added Q s s'.
Proof. intros B O. split; [exact B|]. exists []. split; [exact O | constructor]. Qed.

Lemma added_trans {N M P} Q (s1 s2 s3 : St cell N M P) : added Q s1 s2 -> added Q s2 s3 -> added Q s1 s3.
Proof.
  intros [B1 (n1 & O1 & F1)] [B2 (n2 & O2 & F2)]. split; [congruence|]. exists (n2 ++ n1)%list.
  split; [rewrite O2, O1; apply app_assoc | now apply Forall_app].
Qed.

Lemma added_weaken {N M P} (Q Q' : out_event -> Prop) (s s' : St cell N M P) :
  (forall e, Q e -> Q' e) -> added Q s s' -> added Q' s s'.
Proof. intros W [B (n & O & F)]. split; [exact B|]. exists n. split; [exact O|]. eapply Forall_impl; eauto. Qed.

Lemma res_all_final {S} (I : S -> Prop) o r : res_all I o -> o = Some r -> I (final r).
Proof. intros X ->. destruct r; exact X. Qed.

(** ** One access of the host *)

(** The address that the CPU adds is in the page of the fault. *)
Lemma fault_ipa_page {F : Type -> Type} {N M P} a (s : St F N M P) : 0 <= a -> fault_ipa a s / 4096 = a / 4096.
Proof.
  intros A. unfold fault_ipa. set (x := Z.land _ 4095).
  assert (X : 0 <= x < 4096) by (subst x; pose proof (land_range (reg_get FAR_EL2 (cpu_regs (st_cpu s))) 4095 12); lia).
  rewrite <- !shr12, Z.shiftr_lor, (shr12 x), (Z.div_small x 4096) by lia. apply Z.lor_0_r.
Qed.

(** So it is in the frame of the SMMU that was found, and its low half is the place there. *)
Lemma fault_in_frame {F : Type -> Type} {N M P} a l (s : St F N M P) : 0 <= a -> smmus_ok l = true ->
  smmu_at a l <> INVALID -> exists d, l !! Z.to_nat (smmu_at a l) = Some d /\
    smmu_base d <= fault_ipa a s < smmu_base d + 65536 /\ fault_ipa a s mod 65536 = fault_ipa a s - smmu_base d.
Proof.
  intros A OK I. unfold smmu_at in *. destruct (smmu_search_spec a l 0 INVALID) as [E|(k & d & E & H & ->)]; [contradiction|].
  exists d. replace (Z.to_nat (0 + Z.of_nat k)) with k by lia. split; [exact E|].
  pose proof (smmus_ok_one _ _ _ OK E) as B. unfold smmu_ok in B. unfold smmu_hit in H. boolprop.
  pose proof (fault_ipa_page a s A) as X.
  assert (Y : fault_ipa a s / 65536 = smmu_base d / 65536).
  { change 65536 with (4096 * 16). rewrite <- !Z.div_div, X by lia. Z.div_mod_to_equations. lia. }
  Z.div_mod_to_equations. lia.
Qed.

Section Access.
  Context {N M P : Type}.
  Notation St := (St cell N M P).

  Lemma device_store_added (Q : out_event -> Prop) a len v (s : St) : Q (Mmio_write a 8 v) \/ len <> 8 ->
    Q (Mmio_write a 4 (low_word v)) \/ len <> 4 -> res_all (added Q s) (device_store a len v s).
  Proof.
    intros X Y. unfold device_store. destruct (Z.eqb_spec len 8) as [->|N8].
    - split; [reflexivity|]. exists [Mmio_write a 8 v]. split; [reflexivity|]. constructor; [|constructor]. now destruct X.
    - destruct (Z.eqb_spec len 4) as [->|N4]; [|now apply added_same].
      split; [reflexivity|]. exists [Mmio_write a 4 (low_word v)]. split; [reflexivity|]. constructor; [|constructor].
      now destruct Y.
  Qed.

  (** The words in a store that the policy lets through. *)
  Lemma policy_store l ix d owners a len w v : l !! Z.to_nat ix = Some d -> smmu_base d <= a < smmu_base d + 65536 ->
    a mod 65536 = a - smmu_base d -> store_policy owners ix (a mod 65536) len w = Some v ->
    (store_ok l owners (Mmio_write a 8 v) \/ len <> 8) /\ (store_ok l owners (Mmio_write a 4 (low_word v)) \/ len <> 4).
  Proof.
    intros E B M0 X. assert (A0 : 0 <= a mod 65536) by (apply Z.mod_pos_bound; reflexivity).
    pose proof (store_policy_ok _ _ _ _ _ _ A0 X) as F. pose proof (store_in_half _ _ _ _ _ _ A0 X) as [_ H]. rewrite M0 in F, H.
    split; [destruct (Z.eq_dec len 8) as [->|]; [left|now right] | destruct (Z.eq_dec len 4) as [->|]; [left|now right]];
      exists ix, d; (split; [exact E|]; split; [lia|]; split; [lia|]); [exact F|].
    unfold covers in *. change (4 =? 8) with false in *. cbv iota in *.
    inversion F as [|p q F1 F2]. constructor; [|constructor]. cbn [fst snd] in *.
    replace (low_word (low_word v)) with (low_word v); [exact F1|]. unfold low_word. now rewrite Z.mod_mod by lia.
  Qed.

  Lemma host_access_added l ix d hsr a (s : St) : l !! Z.to_nat ix = Some d ->
    smmu_base d <= a < smmu_base d + 65536 -> a mod 65536 = a - smmu_base d ->
    res_all (added (store_ok l (c_val (st_smmu s))) s) (host_access hsr a ix s).
  Proof.
    intros E B M0. unfold host_access. destruct (dabt_store hsr =? 0).
    - unfold handle_smmu_read_spec, p3.
      destruct (in_range U32 hsr); [|exact I].
      destruct (in_range U64 a); [|exact I].
      destruct (in_range U32 (dabt_bytes hsr)); [|exact I].
      apply res_all_chk. destruct (access_ok _ _); [|now apply added_same]. unfold __handle_smmu_read_spec, p3.
      destruct (in_range U32 hsr); [|exact I].
      destruct (in_range U64 a); [|exact I].
      destruct (in_range U32 (dabt_bytes hsr)); [|exact I].
      apply res_all_chk. unfold host_put.
      destruct (_ =? 8); [|destruct (_ =? 4); [|now apply added_same]];
        (destruct (_ =? 31); [now apply added_same|]; destruct (host_ctxt _); [now apply added_same | exact I]).
    - unfold handle_smmu_write_spec, p4.
      destruct (in_range U32 hsr); [|exact I].
      destruct (in_range U64 a); [|exact I].
      destruct (in_range U32 (dabt_bytes hsr)); [|exact I].
      destruct (in_range U32 ix); [|exact I].
      apply res_all_chk. destruct (host_ctxt s) as [m|]; [|exact I]. destruct (c_held (st_smmu s)); [|exact I].
      destruct (ix <? 2); [|exact I]. destruct (owner_known a ix s); [|exact I].
      destruct (store_policy _ _ _ _ _) as [v|] eqn:X; [|now apply added_same].
      destruct (policy_store l ix d _ a _ _ _ E B M0 X). now apply device_store_added.
  Qed.
End Access.

Lemma handle_host_mmio_added {N M P} l ix d hsr a (s : St cell N M P) : l !! Z.to_nat ix = Some d ->
  smmu_base d <= fault_ipa a s < smmu_base d + 65536 -> fault_ipa a s mod 65536 = fault_ipa a s - smmu_base d ->
  res_all (added (store_ok l (c_val (st_smmu s))) s) (handle_host_mmio_spec [a; ix; hsr] s).
Proof.
  intros E B M0. unfold handle_host_mmio_spec, p3.
  destruct (in_range U64 a); [|exact I]. destruct (in_range U32 ix); [|exact I]. destruct (in_range U32 hsr); [|exact I].
  apply res_all_chk. destruct (dabt_valid hsr); [|now apply added_same].
  pose proof (host_access_added l ix d hsr _ s E B M0) as X.
  destruct (host_access hsr (fault_ipa a s) ix s) as [[v s'|s']|]; [|exact X|exact I].
  cbn [res_all] in X |- *. eapply added_trans; [exact X|]. now apply added_same.
Qed.

(** The stores of one access are allowed by the owners that it found. *)
Theorem emulate_output {N P} vs (s : St cell N pmap P) r : emulate_mmio_spec vs s = Some r ->
  added (store_ok (boot_smmus (st_boot s)) (c_val (acquire_cell (st_smmu s)))) s (final r).
Proof.
  intros E. apply p2_inv in E as (a & hsr & -> & R1 & R2 & E).
  destruct (smmus_ok (boot_smmus (st_boot s))) eqn:OK; [|discriminate E].
  destruct (negb (c_held (st_smmu s))); [|discriminate E]. cbv zeta in E.
  set (c := acquire_cell (st_smmu s)) in *.
  destruct (Z.eqb_spec (smmu_at a (boot_smmus (st_boot s))) INVALID) as [J|J].
  - apply chk_inv in E as [_ ->]. now apply added_same.
  - apply in_range_iff in R1.
    destruct (fault_in_frame a _ (set_smmu c s) (proj1 R1) OK J) as (d & D & B & M0).
    pose proof (handle_host_mmio_added _ _ d hsr a (set_smmu c s) D B M0) as X.
    destruct (handle_host_mmio_spec _ _) as [[v s'|s']|]; [| injection E as <-; exact X | discriminate E].
    apply chk_inv in E as [_ ->]. exact X.
Qed.

Section Ops.
  Context {N P : Type}.
  Notation St := (St cell N pmap P).
  Context (get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu : prim St).
  Notation T := (T get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu).

  (** ** All operations *)

  (** A primitive that stores to no device and leaves the machine as it is. *)
  Definition calm (p : prim St) : Prop := forall vs s, res_all (added no_store s) (p vs s).
  Context (C1 : calm get_vm_poweron) (C2 : calm alloc_smmu) (C3 : calm assign_smmu) (C4 : calm map_smmu) (C5 : calm clear_smmu).

  Lemma init_spt_calm : calm init_spt_spec.
  Proof.
    intros vs s. unfold init_spt_spec, p2, publish_spt_update, publish_spt.
    destruct vs as [|cb [|ix [|]]]; try exact I. destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 ix); [|exact I].
    apply res_all_chk. destruct (negb (is_bank cb ix)); [now apply added_same|]. destruct (negb _); [|exact I].
    split; [reflexivity|]. eexists [_]. split; [reflexivity|]. now constructor.
  Qed.
  Lemma walk_spt_calm : calm walk_spt_spec.
  Proof.
    intros vs s. unfold walk_spt_spec, p3, publish_spt.
    destruct vs as [|cb [|ix [|a [|]]]]; try exact I.
    destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 ix); [|exact I]. destruct (in_range U64 a); [|exact I].
    apply res_all_chk. destruct (negb (is_bank cb ix)); [now apply added_same|].
    destruct (_ <=? a); [now apply added_same|]. destruct (negb _); [now apply added_same | exact I].
  Qed.

  Lemma during_calm o c k (s : St) : res_all (added no_store s) o ->
    (forall v s1, res_all (added no_store s1) (k v s1)) -> res_all (added no_store s) (during o c k).
  Proof.
    intros O K. unfold during. destruct o as [[v s1|s1]|]; [|exact O|exact I]. cbn [res_all] in O.
    specialize (K v s1). destruct (k v s1) as [[w s2|s2]|]; [| |exact I]; cbn [res_all] in *; eapply added_trans; eauto.
  Qed.
  Lemma publish_calm v c (s : St) : res_all (added no_store s) (publish_owners v c s).
  Proof. now apply added_same. Qed.
  Lemma with_owner_calm cb ix (s : St) k : (forall c w, res_all (added no_store s) (k c w)) ->
    res_all (added no_store s) (with_owner cb ix s k).
  Proof.
    intros K. unfold with_owner. destruct (is_bank cb ix); [|now apply added_same].
    destruct (negb _); [|exact I]. destruct (owner_ok _); [apply K | exact I].
  Qed.
  Lemma by_owner_calm cb ix (s : St) o : (forall w, res_all (added no_store s) (o w)) ->
    res_all (added no_store s) (by_owner cb ix s o).
  Proof.
    intros O. apply with_owner_calm. intros c w. destruct (w =? INVALID); [apply publish_calm|].
    apply during_calm; [apply O | intros; apply publish_calm].
  Qed.

  Lemma free_calm : calm (el2_free_smmu_pgd_spec get_vm_poweron).
  Proof.
    intros vs s. unfold el2_free_smmu_pgd_spec, p2. destruct vs as [|cb [|ix [|]]]; try exact I.
    destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 ix); [|exact I]. apply res_all_chk.
    apply with_owner_calm. intros c w. destruct (w =? INVALID); [apply publish_calm|].
    apply during_calm; [apply C1|]. intros on s1. destruct (in_range U32 on); [|exact I].
    destruct (on =? 0); [|now apply added_same]. apply during_calm; [apply init_spt_calm | intros; apply publish_calm].
  Qed.
  Lemma alloc_calm : calm (el2_alloc_smmu_pgd_spec alloc_smmu).
  Proof.
    intros vs s. unfold el2_alloc_smmu_pgd_spec, p3. destruct vs as [|cb [|v [|ix [|]]]]; try exact I.
    destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 v); [|exact I]. destruct (in_range U32 ix); [|exact I].
    apply res_all_chk. destruct (smmus_ok _); [|exact I]. destruct (may_alloc _ _ _ _); [|now apply added_same].
    apply with_owner_calm. intros c w. destruct (w =? INVALID); [|apply publish_calm].
    apply during_calm; [apply C2 | intros; apply publish_calm].
  Qed.
  Lemma assign_calm : calm (smmu_assign_page_spec assign_smmu).
  Proof.
    intros vs s. unfold smmu_assign_page_spec, p4. destruct vs as [|cb [|ix [|pfn [|g [|]]]]]; try exact I.
    destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 ix); [|exact I].
    destruct (in_range U64 pfn); [|exact I]. destruct (in_range U64 g); [|exact I].
    apply res_all_chk, by_owner_calm. intros w. apply C3.
  Qed.
  Lemma map_calm : calm (smmu_map_page_spec map_smmu).
  Proof.
    intros vs s. unfold smmu_map_page_spec, p4. destruct vs as [|cb [|ix [|a [|e [|]]]]]; try exact I.
    destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 ix); [|exact I].
    destruct (in_range U64 a); [|exact I]. destruct (in_range U64 e); [|exact I].
    apply res_all_chk. destruct (a <? SMMU_IOVA_LIMIT); [|now apply added_same].
    apply by_owner_calm. intros w. apply C4.
  Qed.
  Lemma clear_calm : calm (el2_arm_lpae_clear_spec clear_smmu).
  Proof.
    intros vs s. unfold el2_arm_lpae_clear_spec, p3. destruct vs as [|a [|cb [|ix [|]]]]; try exact I.
    destruct (in_range U64 a); [|exact I]. destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 ix); [|exact I].
    apply res_all_chk. destruct (a <? SMMU_IOVA_LIMIT); [|now apply added_same].
    apply by_owner_calm. intros w. apply C5.
  Qed.
  Lemma iova_calm : calm el2_arm_lpae_iova_to_phys_spec.
  Proof.
    intros vs s. unfold el2_arm_lpae_iova_to_phys_spec, p3. destruct vs as [|a [|cb [|ix [|]]]]; try exact I.
    destruct (in_range U64 a); [|exact I]. destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 ix); [|exact I].
    apply res_all_chk. destruct (_ && _); [|now apply added_same].
    pose proof (walk_spt_calm [cb; ix; a] s) as X. destruct (walk_spt_spec [cb; ix; a] s) as [[e s1|s1]|]; exact X.
  Qed.

  Lemma has_bank_calm : calm vm_has_bank_spec.
  Proof.
    intros vs s. unfold vm_has_bank_spec, p1. destruct vs as [|v [|]]; try exact I. destruct (in_range U32 v); [|exact I].
    apply res_all_chk. destruct (negb _); [|exact I]. cbv zeta. destruct (forallb _ _); [apply publish_calm | exact I].
  Qed.

  Lemma no_store_ok l e : no_store e -> store_ok l ∅ e.
  Proof. now destruct e. Qed.

  (** Stores allowed by the owners of some time. *)
  Definition store_allowed (l : list smmu_dev) (e : out_event) : Prop := exists owners, store_ok l owners e.

  Theorem call_output f vs (s : St) r : call T f vs s = Some r ->
    added (store_allowed (boot_smmus (st_boot s))) s (final r).
  Proof.
    unfold call. cbn [Lang.assoc T MmioOps.Spec.T].
    assert (K : forall p, calm p -> p vs s = Some r -> added (store_allowed (boot_smmus (st_boot s))) s (final r)).
    { intros p C E. eapply added_weaken; [|exact (res_all_final _ _ _ (C vs s) E)].
      intros e Z. exists ∅. now apply no_store_ok. }
    destruct (String.eqb f _).
    { intros E. eapply added_weaken; [|exact (emulate_output _ _ _ E)]. intros e X. eexists. exact X. }
    destruct (String.eqb f _); [apply K, free_calm|]. destruct (String.eqb f _); [apply K, alloc_calm|].
    destruct (String.eqb f _); [apply K, assign_calm|]. destruct (String.eqb f _); [apply K, map_calm|].
    destruct (String.eqb f _); [apply K, clear_calm|]. destruct (String.eqb f _); [apply K, iova_calm|].
    destruct (String.eqb f _); [apply K, has_bank_calm|]. discriminate.
  Qed.

  (** Whatever is called, in any order and with any arguments. *)
  Theorem run_outputs cs : forall (s : St) r, run_calls (call T) cs s = Some r ->
    added (store_allowed (boot_smmus (st_boot s))) s (final r).
  Proof.
    induction cs as [|[f vs] cs IH]; cbn [run_calls]; intros s r.
    - intros [= <-]. now apply added_same.
    - destruct (call T f vs s) as [[v s1|s1]|] eqn:E; [| |discriminate].
      + intros X. pose proof (call_output f vs s _ E) as A. apply IH in X. cbn [final] in A.
        eapply added_trans; [exact A|]. now rewrite (proj1 A) in X.
      + intros [= <-]. exact (call_output f vs s _ E).
  Qed.
End Ops.

(** The two halves of a bank's table base are those of its root, whoever owned what. *)
Theorem table_base l a len v : store_allowed l (Mmio_write a len v) ->
  exists ix d, l !! Z.to_nat ix = Some d /\ smmu_base d <= a /\ a + len <= smmu_base d + 65536 /\
    forall r w, In (r, w) (covers (a - smmu_base d) len v) -> 32768 <= r ->
      (r mod 4096 = 32 -> w = low_word (smmu_ttbr ix (cb_of r))) /\
      (r mod 4096 = 36 -> w = high_word (smmu_ttbr ix (cb_of r))).
Proof.
  intros (owners & ix & d & E & B1 & B2 & F). exists ix, d. split; [exact E|]. split; [exact B1|]. split; [exact B2|].
  intros r w J R. rewrite List.Forall_forall in F. specialize (F _ J). cbn [fst snd] in F.
  rewrite reg_ok_bank in F by exact R. unfold bank_reg_ok in F.
  split; intros M0; rewrite M0 in F; now apply Z.eqb_eq.
Qed.

(** The attributes of a bank name its owner, and no other kind of translation. *)
Theorem attributes l owners a len v : store_ok l owners (Mmio_write a len v) ->
  exists ix d, l !! Z.to_nat ix = Some d /\ smmu_base d <= a /\ a + len <= smmu_base d + 65536 /\
    forall r w, In (r, w) (covers (a - smmu_base d) len v) -> 4096 <= r < 4128 ->
      Z.land w 255 = bank_owner owners (bank_number ((r - 4096) / 4) ix) /\ Z.land w 196608 = 0.
Proof.
  intros (ix & d & E & B1 & B2 & F). exists ix, d. split; [exact E|]. split; [exact B1|]. split; [exact B2|].
  intros r w J R. rewrite List.Forall_forall in F. specialize (F _ J). cbn [fst snd] in F. unfold reg_ok in F.
  rewrite (proj2 (Z.ltb_lt r 32768)) in F by lia. rewrite (proj2 (Z.eqb_neq r 0)) in F by lia.
  rewrite (proj2 (Z.eqb_neq r 8)) in F by lia. rewrite (proj2 (Z.ltb_ge r 1024)) in F by lia.
  rewrite (proj2 (Z.leb_le 4096 r)) in F by lia. rewrite (proj2 (Z.ltb_lt r 4128)) in F by lia.
  cbn [andb] in F. unfold cbar_ok in F. apply andb_true_iff in F as [F1 F2].
  split; now apply Z.eqb_eq.
Qed.

(** * Owners *)

Definition owners_ok (m : gmap Z Z) : Prop := forall b, owner_ok (bank_owner m b) = true.

Lemma owners_ok_insert m b w : owners_ok m -> owner_ok w = true -> owners_ok (<[b := w]> m).
Proof.
  intros O W b'. unfold bank_owner. destruct (decide (b' = b)) as [->|Ne].
  - now rewrite lookup_insert.
  - rewrite lookup_insert_ne by auto. apply O.
Qed.

(** At start no bank has an owner. *)
Theorem owners_ok_init : owners_ok ∅.
Proof. intros b. unfold bank_owner. now rewrite lookup_empty. Qed.

Section Owners.
  Context {N P : Type}.
  Notation St := (St cell N pmap P).
  Context (get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu : prim St).
  Notation T := (T get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu).

  Lemma walk_spt_owners vs (s : St) : res_all (fun s' => st_smmu s' = st_smmu s) (walk_spt_spec vs s).
  Proof.
    unfold walk_spt_spec, p3, publish_spt. destruct vs as [|cb [|ix [|a [|]]]]; try exact I.
    destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 ix); [|exact I]. destruct (in_range U64 a); [|exact I].
    apply res_all_chk. destruct (negb (is_bank cb ix)); [reflexivity|].
    destruct (_ <=? a); [reflexivity|]. destruct (negb _); [reflexivity | exact I].
  Qed.

  Definition owners_inv (s : St) : Prop := cell_ok owners_ok (st_smmu s).

  Lemma during_owners o c k : cell_ok owners_ok c -> (forall v s1, res_all owners_inv (k v s1)) ->
    res_all owners_inv (during o c k).
  Proof. intros C K. unfold during. destruct o as [[v s1|s1]|]; [apply K | exact C | exact I]. Qed.
  Lemma publish_inv v c (s : St) : cell_ok owners_ok c -> res_all owners_inv (publish_owners v c s).
  Proof. intros C. now apply release_ok. Qed.
  Lemma with_owner_inv cb ix (s : St) k : owners_inv s -> (forall c w, cell_ok owners_ok c -> res_all owners_inv (k c w)) ->
    res_all owners_inv (with_owner cb ix s k).
  Proof.
    intros C K. unfold with_owner. destruct (is_bank cb ix); [|exact C].
    destruct (negb _); [|exact I]. destruct (owner_ok _); [|exact I]. apply K. now apply acquire_ok.
  Qed.
  Lemma by_owner_inv cb ix (s : St) o : owners_inv s -> res_all owners_inv (by_owner cb ix s o).
  Proof.
    intros C. apply with_owner_inv; [exact C|]. intros c w Cc. destruct (w =? INVALID); [now apply publish_inv|].
    apply during_owners; [exact Cc|]. intros. now apply publish_inv.
  Qed.
  Lemma set_owner_ok cb ix w c : cell_ok owners_ok c -> owner_ok w = true -> cell_ok owners_ok (set_owner cb ix w c).
  Proof. intros C W. apply set_val_ok; [exact C|]. apply owners_ok_insert; [apply C | exact W]. Qed.

  (** Every call keeps the invariant: an owner is nobody, the host or a VM. *)
  Theorem call_owners f vs (s : St) r : owners_inv s -> call T f vs s = Some r -> owners_inv (final r).
  Proof.
    intros C E. refine (res_all_final owners_inv _ _ _ E). clear E. unfold call. cbn [Lang.assoc T MmioOps.Spec.T].
    destruct (String.eqb f _).
    { unfold emulate_mmio_spec, p2. destruct vs as [|a [|hsr [|]]]; try exact I.
      destruct (in_range U64 a); [|exact I]. destruct (in_range U32 hsr); [|exact I]. apply res_all_chk.
      destruct (smmus_ok _); [|exact I]. destruct (negb _); [|exact I]. cbv zeta.
      assert (A : cell_ok owners_ok (acquire_cell (st_smmu s))) by now apply acquire_ok.
      set (c := acquire_cell (st_smmu s)) in *. destruct (_ =? INVALID); [now apply publish_inv|].
      pose proof (handle_host_mmio_owners [a; smmu_at a (boot_smmus (st_boot s)); hsr] (set_smmu c s)) as O.
      destruct (handle_host_mmio_spec _ _) as [[v s1|s1]|]; [now apply publish_inv | | exact I].
      cbn [res_all] in O |- *. unfold owners_inv. rewrite O. exact A. }
    destruct (String.eqb f _).
    { unfold el2_free_smmu_pgd_spec, p2. destruct vs as [|cb [|ix [|]]]; try exact I.
      destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 ix); [|exact I]. apply res_all_chk.
      apply with_owner_inv; [exact C|]. intros c w Cc. destruct (w =? INVALID); [now apply publish_inv|].
      apply during_owners; [exact Cc|]. intros on s1. destruct (in_range U32 on); [|exact I].
      destruct (on =? 0); [|exact Cc]. apply during_owners; [exact Cc|]. intros. now apply publish_inv, set_owner_ok. }
    destruct (String.eqb f _).
    { unfold el2_alloc_smmu_pgd_spec, p3. destruct vs as [|cb [|v [|ix [|]]]]; try exact I.
      destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 v) eqn:Rv; [|exact I].
      destruct (in_range U32 ix); [|exact I].
      apply res_all_chk. destruct (smmus_ok _); [|exact I]. destruct (may_alloc _ _ _ _) eqn:A; [|exact C].
      assert (W : owner_ok v = true).
      { unfold may_alloc in A. apply andb_true_iff in A as [A _]. apply andb_true_iff in A as [_ A].
        apply in_range_iff in Rv. unfold owner_ok. apply orb_true_iff. right. apply andb_true_iff.
        split; [now apply Z.leb_le | exact A]. }
      apply with_owner_inv; [exact C|]. intros c w Cc. destruct (w =? INVALID); [|now apply publish_inv].
      apply during_owners; [exact Cc|]. intros. now apply publish_inv, set_owner_ok. }
    destruct (String.eqb f _).
    { unfold smmu_assign_page_spec, p4. destruct vs as [|cb [|ix [|pfn [|g [|]]]]]; try exact I.
      destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 ix); [|exact I].
      destruct (in_range U64 pfn); [|exact I]. destruct (in_range U64 g); [|exact I]. now apply res_all_chk, by_owner_inv. }
    destruct (String.eqb f _).
    { unfold smmu_map_page_spec, p4. destruct vs as [|cb [|ix [|a [|e [|]]]]]; try exact I.
      destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 ix); [|exact I].
      destruct (in_range U64 a); [|exact I]. destruct (in_range U64 e); [|exact I].
      apply res_all_chk. destruct (a <? SMMU_IOVA_LIMIT); [now apply by_owner_inv | exact C]. }
    destruct (String.eqb f _).
    { unfold el2_arm_lpae_clear_spec, p3. destruct vs as [|a [|cb [|ix [|]]]]; try exact I.
      destruct (in_range U64 a); [|exact I]. destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 ix); [|exact I].
      apply res_all_chk. destruct (a <? SMMU_IOVA_LIMIT); [now apply by_owner_inv | exact C]. }
    destruct (String.eqb f _).
    { unfold el2_arm_lpae_iova_to_phys_spec, p3. destruct vs as [|a [|cb [|ix [|]]]]; try exact I.
      destruct (in_range U64 a); [|exact I]. destruct (in_range U32 cb); [|exact I]. destruct (in_range U32 ix); [|exact I].
      apply res_all_chk. destruct (_ && _); [|exact C].
      pose proof (walk_spt_owners [cb; ix; a] s) as O.
      destruct (walk_spt_spec [cb; ix; a] s) as [[e s1|s1]|]; [| |exact I]; cbn [res_all] in O |- *; unfold owners_inv;
        now rewrite O. }
    destruct (String.eqb f _); [|exact I].
    unfold vm_has_bank_spec, p1. destruct vs as [|v [|]]; try exact I. destruct (in_range U32 v); [|exact I].
    apply res_all_chk. destruct (negb _); [|exact I]. cbv zeta. destruct (forallb _ _); [|exact I].
    now apply publish_inv, acquire_ok.
  Qed.
End Owners.

(** * Definedness *)

Lemma device_store_defined {N M P} a len v (s : St cell N M P) : exists r, chk None (device_store a len v s) = Some r.
Proof. unfold device_store. destruct (len =? 8); [|destruct (len =? 4)]; cbn; eauto. Qed.

(** Any access of the host, at any address and with any syndrome, is done or is a panic. *)
Theorem emulate_defined {N P} a hsr m (s : St cell N pmap P) : 0 <= a < 2 ^ 64 -> 0 <= hsr < 2 ^ 32 ->
  smmus_ok (boot_smmus (st_boot s)) = true -> c_held (st_smmu s) = false -> cell_ok owners_ok (st_smmu s) ->
  host_ctxt s = Some m -> exists r, emulate_mmio_spec [a; hsr] s = Some r.
Proof.
  intros A H OK F O C. unfold emulate_mmio_spec, p2.
  assert (in_range U64 a = true) as RA by now apply in_range_iff.
  assert (in_range U32 hsr = true) as RH by now apply in_range_iff.
  rewrite RA, RH, OK, F. cbn [negb]. cbv zeta.
  pose proof (smmu_at_range a _ OK) as RI. pose proof (acquire_ok _ _ O) as O1.
  set (c := acquire_cell (st_smmu s)) in *. set (l := boot_smmus (st_boot s)) in *.
  destruct (Z.eqb_spec (smmu_at a l) INVALID) as [J|J]; [cbn [chk publish_owners]; rewrite RI; eauto|].
  destruct (fault_in_frame a l (set_smmu c s) (proj1 A) OK J) as (d & D & B & M0).
  assert (X : exists r, handle_host_mmio_spec [a; smmu_at a l; hsr] (set_smmu c s) = Some r).
  { unfold handle_host_mmio_spec, p3. rewrite RA, RI, RH. destruct (dabt_valid hsr); [|cbn; eauto].
    assert (RF : in_range U64 (fault_ipa a (set_smmu c s)) = true).
    { apply in_range_iff. apply fault_ipa_range. cbn in A |- *. lia. }
    assert (RB : in_range U32 (dabt_bytes hsr) = true).
    { apply in_range_iff. pose proof (dabt_bytes_range hsr). cbn [modulus]. lia. }
    assert (Y : exists r, host_access hsr (fault_ipa a (set_smmu c s)) (smmu_at a l) (set_smmu c s) = Some r).
    { unfold host_access. destruct (dabt_store hsr =? 0).
      - unfold handle_smmu_read_spec, p3. rewrite RH, RF, RB. destruct (access_ok _ _); [|cbn; eauto].
        unfold __handle_smmu_read_spec, p3, host_put. rewrite RH, RF, RB.
        change (host_ctxt (device_taken (set_smmu c s))) with (host_ctxt s). rewrite C.
        destruct (_ =? 8); [|destruct (_ =? 4); [|cbn; eauto]]; (destruct (_ =? 31); cbn; eauto).
      - unfold handle_smmu_write_spec, p4. rewrite RH, RF, RB, RI. change (host_ctxt (set_smmu c s)) with (host_ctxt s).
        rewrite C. change (c_held (st_smmu (set_smmu c s))) with true. cbv iota.
        assert (I2 : smmu_at a l <? 2 = true).
        { unfold smmu_at in *. destruct (smmu_search_spec a l 0 INVALID) as [E|(k & e & E & _ & ->)]; [contradiction|].
          pose proof (lookup_lt_Some _ _ _ E). pose proof (smmus_ok_length _ OK). apply Z.ltb_lt. lia. }
        rewrite I2. unfold owner_known, owner_at. change (st_smmu (set_smmu c s)) with c.
        assert (RW : forall b, in_range U32 (bank_owner (c_val c) b) = true).
        { intros b. apply in_range_iff. cbn [modulus]. pose proof (proj1 O1 b) as W. unfold owner_ok, INVALID in W.
          boolprop. destruct W as [W|W]; boolprop; lia. }
        rewrite RW. destruct (store_policy _ _ _ _ _); [apply device_store_defined | cbn; eauto]. }
    destruct Y as [r Y]. rewrite Y. destruct r as [v s1|s1]; cbn; eauto. }
  destruct X as [r X]. rewrite X. destruct r as [v s1|s1]; cbn [chk publish_owners]; rewrite ?RI; eauto.
Qed.

(** Whether a VM has a bank can always be asked. *)
Theorem has_bank_defined {N P} v (s : St cell N pmap P) : in_range U32 v = true -> c_held (st_smmu s) = false ->
  cell_ok owners_ok (st_smmu s) -> exists r, vm_has_bank_spec [v] s = Some r.
Proof.
  intros R F O. unfold vm_has_bank_spec, p1. rewrite R, F. cbn [negb]. cbv zeta. pose proof (acquire_ok _ _ O) as [O1 _].
  rewrite (proj2 (forallb_forall _ _)) by (intros b _; apply O1). destruct (has_bank _ _); cbn; eauto.
Qed.
