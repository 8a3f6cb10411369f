(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 16, MemManager: the invariant of frames holds at start and is kept, and no
    request of a VM or of the host changes a frame of another VM.  So the conditions
    [frame_ok] in the specifications are facts of reachable states.  Rests on [Spec]. *)
From SeKVM.lib Require Import VcTac PrimInv.
From SeKVM.machine Require Import StateTac BottomPagesTac Rel CellInv.
From SeKVM.layers.MemManager Require Import Spec Natural.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Frames of a VM *)

(** What VM [w] owns, no other VM [v] can get, reserve, share, take back or use with
    its devices; nor can the host ([v = 0]) use it with its devices; and the host may
    touch it only while it is shared. *)
Theorem frame_of_vm w u b v g : v <> w ->
  claim v g (Some (Vm w u b)) = None /\ reserve v g (Some (Vm w u b)) = None /\
  share v (Some (Vm w u b)) = None /\ unshare v (Some (Vm w u b)) = None /\
  device_use v g (Some (Vm w u b)) = None /\ reclaim v (Some (Vm w u b)) = false.
Proof.
  intros N. assert (E : (w =? v) = false) by now apply Z.eqb_neq; congruence.
  repeat split; cbn; rewrite ?E; try reflexivity; [destruct u | destruct u | destruct b]; reflexivity.
Qed.

Theorem private_not_touched w b : host_use (Some (Vm w (Shared 0) b)) = None /\ host_use (Some (Vm w Dma b)) = None.
Proof. split; reflexivity. Qed.

(** KCore's frames and frames that are not tracked do not change. *)
Theorem core_and_devices q v g : q = None \/ q = Some Core ->
  claim v g q = None /\ reserve v g q = None /\ share v q = None /\ unshare v q = None /\
  device_use v g q = None /\ reclaim v q = false /\ device_unuse q = None.
Proof. intros [-> | ->]; repeat split. Qed.

(** A frame becomes private only after the host has lost it. *)
Theorem private_unmapped v g q b q' : claim v g q = Some (b, q') -> host_use (Some q') = None ->
  b = true \/ host_use q = None.
Proof.
  destruct q as [[k|w [k|] [b'|]|]|]; cbn; try discriminate;
    repeat match goal with |- context [if ?x then _ else _] => destruct x eqn:? end;
    intros [= <- <-]; cbn; auto;
    repeat match goal with |- context [if ?x then _ else _] => destruct x eqn:? end; auto; discriminate.
Qed.

(** * The invariant *)

Definition frames_ok (m : gmap Z page) : Prop := forall pfn, frame_ok (m !! pfn) = true.

Lemma frames_ok_insert m pfn q : frames_ok m -> frame_ok (Some q) = true -> frames_ok (<[pfn := q]> m).
Proof.
  intros I Q pfn'. destruct (decide (pfn' = pfn)) as [->|N];
    [now rewrite lookup_insert | rewrite lookup_insert_ne by auto; apply I].
Qed.

(** Each transition keeps the invariant of the frame. *)
Lemma claim_ok v g q b q' : is_guest v = true -> 0 <= g < INVALID64 -> frame_ok q = true ->
  claim v g q = Some (b, q') -> frame_ok (Some q') = true.
Proof.
  unfold is_guest, INVALID64. intros V G F. destruct q as [[k|w u o|]|]; cbn in F |- *; try discriminate.
  - destruct (k =? 0); [|discriminate]. intros [= <- <-]. cbn. unfold is_guest, INVALID, INVALID64. boolprop. bool_goal.
  - destruct ((w =? v) && match o with Some g' => g' =? g | None => true end) eqn:E; [|discriminate].
    apply andb_true_iff in E as [E _]. apply andb_true_iff in F as [F _]. apply andb_true_iff in F as [_ F].
    apply Z.eqb_eq in E as ->.
    destruct u as [k|]; intros X; injection X as <- <-; cbn; unfold is_guest, INVALID, INVALID64 in *; boolprop; bool_goal.
Qed.

Lemma reserve_ok v g q q' : is_guest v = true -> 0 <= g < INVALID64 ->
  reserve v g q = Some (Some q') -> frame_ok (Some q') = true.
Proof.
  unfold is_guest, INVALID64. intros V G. destruct q as [[k|w u o|]|]; cbn; try discriminate.
  - destruct (k =? 0); [|discriminate]. intros [= <-]. cbn. unfold is_guest, INVALID64. boolprop. bool_goal.
  - destruct (w =? v); discriminate.
Qed.

Lemma share_ok v q q' : frame_ok q = true -> share v q = Some q' -> frame_ok (Some q') = true.
Proof.
  intros F. destruct q as [[k|w [k|] o|]|]; cbn in F |- *; try discriminate.
  destruct ((w =? v) && (k <? 100)) eqn:E; [|discriminate]. intros X. injection X as <-. cbn. apply andb_true_iff in F as [F O].
  rewrite O. unfold is_guest, INVALID in *. boolprop. bool_goal.
Qed.

Lemma unshare_ok v q b q' : frame_ok q = true -> unshare v q = Some (b, q') -> frame_ok (Some q') = true.
Proof.
  intros F. destruct q as [[k|w [k|] o|]|]; cbn in F |- *; try discriminate.
  destruct ((w =? v) && negb (k =? 0)) eqn:E; [|discriminate]. intros X. injection X as <- <-. cbn. apply andb_true_iff in F as [F O].
  rewrite O. unfold is_guest, INVALID in *. boolprop. bool_goal.
Qed.

Lemma device_use_ok v g q q' : frame_ok q = true -> device_use v g q = Some (Some q') -> frame_ok (Some q') = true.
Proof.
  intros F. destruct q as [[k|w u [o|]|]|]; cbn in F |- *; try discriminate.
  - destruct ((v =? 0) && negb (k + 1 =? INVALID)) eqn:E; [|discriminate]. intros X. injection X as <-. cbn. unfold INVALID in *. boolprop. bool_goal.
  - destruct ((w =? v) && (o =? g)); discriminate.
Qed.

Lemma device_unuse_ok q q' : frame_ok q = true -> device_unuse q = Some q' -> frame_ok (Some q') = true.
Proof.
  intros F. destruct q as [[k|w u o|]|]; cbn in F |- *; try discriminate.
  destruct (k =? 0) eqn:E; [discriminate|]. intros [= <-]. cbn. unfold INVALID in *. boolprop. bool_goal.
Qed.

Section Step.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).
  Context (map_spt unmap_spt : prim St).

  Definition s2_ok (s : St) : Prop := cell_ok frames_ok (st_s2 s).

  Lemma publish_ok c (s : St) r : cell_ok frames_ok c -> publish c s = Some r -> res_all s2_ok (Some r).
  Proof. intros C [= <-]. now apply release_ok. Qed.

  Lemma put_ok pfn q c : cell_ok frames_ok c -> frame_ok (Some q) = true -> cell_ok frames_ok (put pfn q c).
  Proof. intros C Q. apply set_val_ok; [exact C|]. apply frames_ok_insert; [apply C | exact Q]. Qed.

  Lemma denied_ok c (s : St) r : cell_ok frames_ok c -> denied c s = Some r -> res_all s2_ok (Some r).
  Proof. intros C [= <-]. exact C. Qed.

  Lemma after_ok o c (k : Z -> St -> option (res St)) r : cell_ok frames_ok c ->
    (forall v s r, k v s = Some r -> res_all s2_ok (Some r)) -> after o c k = Some r -> res_all s2_ok (Some r).
  Proof.
    intros C K. unfold after. destruct o as [[v s|s]|]; [apply K | intros [= <-]; exact C | discriminate].
  Qed.

  Lemma with_frame_ok pfn (s : St) k r : s2_ok s ->
    (forall c q r, cell_ok frames_ok c -> frame_ok q = true -> k c q = Some r -> res_all s2_ok (Some r)) ->
    with_frame pfn s k = Some r -> res_all s2_ok (Some r).
  Proof.
    intros I K. unfold with_frame. destruct (c_held (st_s2 s)); [discriminate|]. cbn [negb].
    destruct (frame_ok _) eqn:F; [|discriminate]. apply K; [now apply acquire_ok | exact F].
  Qed.

  Lemma chk_ok rt (o : option (res St)) r : (forall r, o = Some r -> res_all s2_ok (Some r)) ->
    chk rt o = Some r -> res_all s2_ok (Some r).
  Proof.
    intros K. unfold chk. destruct o as [[v s|s]|]; [|intros [= <-]; exact (K _ eq_refl)|discriminate].
    specialize (K _ eq_refl). destruct rt as [t|]; [destruct (in_range t v) | destruct (v =? 0)];
      try discriminate; intros [= <-]; exact K.
  Qed.

  Notation keeps_frames p := (forall vs s r, s2_ok s -> p vs s = Some r -> res_all s2_ok (Some r)).

  Lemma map_page_host_keeps : keeps_frames (@map_page_host_spec M).
  Proof.
    intros vs s r I E. apply p1_inv in E as (a & -> & _ & E). revert E. apply chk_ok. clear r. intros r.
    apply with_frame_ok; [exact I|]. clear r. intros c q r C F. destruct (host_use q) as [dev|]; [|now apply denied_ok].
    apply after_ok; [exact C|]. intros _ s' r'. now apply publish_ok.
  Qed.

  Lemma clear_vm_page_keeps : keeps_frames (@clear_vm_page_spec M).
  Proof.
    intros vs s r I E. apply p2_inv in E as (v & pfn & -> & _ & _ & E). revert E. apply chk_ok. clear r. intros r.
    apply with_frame_ok; [exact I|]. clear r. intros c q r C F. destruct (reclaim v q); [|now apply publish_ok].
    apply after_ok; [exact C|]. intros _ s' r'. apply publish_ok. now apply put_ok.
  Qed.

  Lemma assign_pfn_to_vm_keeps : keeps_frames (@assign_pfn_to_vm_spec M).
  Proof.
    intros vs s r I E. apply p3_inv in E as (v & g & pfn & -> & _ & RG & _ & E). revert E. apply chk_ok. clear r. intros r.
    destruct (is_guest v && negb (g =? INVALID64)) eqn:V; [|intros [= <-]; exact I].
    apply andb_true_iff in V as [V G]. assert (G' : 0 <= g < INVALID64) by (unfold INVALID64 in *; boolprop; lia).
    apply with_frame_ok; [exact I|]. clear r. intros c q r C F.
    destruct (claim v g q) as [[b q']|] eqn:X; [|now apply denied_ok].
    pose proof (put_ok pfn q' c C (claim_ok v g q b q' V G' F X)) as P.
    destruct b; [|now apply publish_ok]. apply after_ok; [exact C|]. intros _ s' r'. now apply publish_ok.
  Qed.

  Lemma map_pfn_vm_keeps : keeps_frames (@map_pfn_vm_spec M).
  Proof.
    intros vs s r I E. apply p4_inv in E as (v & a & e & l & -> & _ & _ & _ & _ & E). revert E. apply chk_ok. clear r. intros r.
    assert (K : forall vs r, map_s2pt_spec vs s = Some r -> res_all s2_ok (Some r)).
    { intros vs r0 E. pose proof (proj2 (@map_s2pt_natural M (gmap Z page) (gmap Z page) vs s (st_s2 s))) as X.
      rewrite E in X. destruct r0 as [w s'|s']; cbn in X |- *; unfold s2_ok; rewrite X; exact I. }
    destruct (l =? 2); [destruct (_ =? 0)|]; [apply K | intros [= <-]; exact I | apply K].
  Qed.

  Lemma map_vm_io_keeps : keeps_frames (@map_vm_io_spec M).
  Proof.
    intros vs s r I E. apply p3_inv in E as (v & a & pa & -> & _ & _ & _ & E). revert E. apply chk_ok. clear r. intros r.
    apply with_frame_ok; [exact I|]. clear r. intros c q r C F. destruct q; [now apply publish_ok|].
    apply after_ok; [exact C|]. intros _ s' r'. now apply publish_ok.
  Qed.

  Lemma grant_vm_page_keeps : keeps_frames (@grant_vm_page_spec M).
  Proof.
    intros vs s r I E. apply p2_inv in E as (v & pfn & -> & _ & _ & E). revert E. apply chk_ok. clear r. intros r.
    apply with_frame_ok; [exact I|]. clear r. intros c q r C F. destruct (share v q) as [q'|] eqn:X; apply publish_ok; [|exact C].
    exact (put_ok pfn q' c C (share_ok v q q' F X)).
  Qed.

  Lemma revoke_vm_page_keeps : keeps_frames (@revoke_vm_page_spec M).
  Proof.
    intros vs s r I E. apply p2_inv in E as (v & pfn & -> & _ & _ & E). revert E. apply chk_ok. clear r. intros r.
    apply with_frame_ok; [exact I|]. clear r. intros c q r C F.
    destruct (unshare v q) as [[b q']|] eqn:X; [|now apply publish_ok].
    pose proof (put_ok pfn q' c C (unshare_ok v q b q' F X)) as P.
    destruct b; [|now apply publish_ok]. apply after_ok; [exact C|]. intros _ s' r'. now apply publish_ok.
  Qed.

  Lemma assign_pfn_to_smmu_keeps : keeps_frames (@assign_pfn_to_smmu_spec M).
  Proof.
    intros vs s r I E. apply p3_inv in E as (v & g & pfn & -> & _ & RG & _ & E). revert E. apply chk_ok. clear r. intros r.
    destruct (is_guest v && negb (g =? INVALID64)) eqn:V; [|intros [= <-]; exact I].
    apply andb_true_iff in V as [V G]. assert (G' : 0 <= g < INVALID64) by (unfold INVALID64 in *; boolprop; lia).
    apply with_frame_ok; [exact I|]. clear r. intros c q r C F.
    destruct (reserve v g q) as [[q'|]|] eqn:X; [|now apply publish_ok | now apply denied_ok].
    apply after_ok; [exact C|]. intros _ s' r'. apply publish_ok. exact (put_ok pfn q' c C (reserve_ok v g q q' V G' X)).
  Qed.

  Lemma update_smmu_page_keeps : keeps_frames (update_smmu_page_spec map_spt).
  Proof.
    intros vs s r I. unfold update_smmu_page_spec. destruct vs as [|v [|b [|i [|a [|e [|]]]]]]; try discriminate.
    do 5 (destruct (in_range _ _); [|discriminate]). destruct (v <? 16); [|intros [= <-]; exact I].
    apply with_frame_ok; [exact I|]. clear r. intros c q r C F.
    destruct (device_use v (a / 4096) q) as [q'|] eqn:X; [|now apply denied_ok].
    apply after_ok; [exact C|]. intros _ s' r'. apply publish_ok. destruct q' as [q'|]; [|exact C].
    exact (put_ok _ q' c C (device_use_ok v _ q q' F X)).
  Qed.

  Lemma unmap_smmu_page_keeps : keeps_frames (unmap_smmu_page_spec unmap_spt).
  Proof.
    intros vs s r I E. apply p3_inv in E as (b & i & a & -> & _ & _ & _ & E). revert E. apply chk_ok. clear r. intros r.
    destruct (c_held (st_s2 s)); [discriminate|]. cbn [negb]. cbv zeta.
    pose proof (acquire_ok _ _ I : cell_ok frames_ok (acquire_cell (st_s2 s))) as C.
    apply after_ok; [exact C|]. intros e s' r'.
    destruct (in_range U64 e); [|discriminate]. destruct (frame_ok _) eqn:F; [|discriminate].
    destruct (device_unuse _) as [q'|] eqn:X; [|now apply publish_ok].
    destruct (frame_of e =? 0); apply publish_ok; [exact C | exact (put_ok _ q' _ C (device_unuse_ok _ q' F X))].
  Qed.

  (** Read: whatever this layer's functions do from a state with good frames, whose
      other CPUs publish good frames, leaves such a state, at a panic too. *)
  Theorem MemManager_keeps_frames f vs (s : St) r :
    s2_ok s -> call (T map_spt unmap_spt) f vs s = Some r -> res_all s2_ok (Some r).
  Proof.
    intros I. assert (A : Forall (fun x => keeps_frames (snd x)) (T map_spt unmap_spt)).
    { repeat apply List.Forall_cons; cbn [snd]; try apply List.Forall_nil.
      - exact map_page_host_keeps.
      - exact clear_vm_page_keeps.
      - exact assign_pfn_to_vm_keeps.
      - exact map_pfn_vm_keeps.
      - exact map_vm_io_keeps.
      - exact grant_vm_page_keeps.
      - exact revoke_vm_page_keeps.
      - exact assign_pfn_to_smmu_keeps.
      - exact update_smmu_page_keeps.
      - exact unmap_smmu_page_keeps. }
    unfold call. induction A as [|[g p] l P A IH]; cbn [Lang.assoc]; [discriminate|].
    destruct (String.eqb f g); [exact (P vs s r I) | exact IH].
  Qed.
End Step.

(** At start all tracked frames are the host's, or KCore's. *)
Lemma start_frames_ok (m : gmap Z page) :
  (forall pfn q, m !! pfn = Some q -> q = Host 0 \/ q = Core) -> frames_ok m.
Proof. intros H pfn. destruct (m !! pfn) as [q|] eqn:E; [destruct (H _ _ E) as [-> | ->]|]; reflexivity. Qed.
