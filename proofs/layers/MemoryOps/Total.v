(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 17, MemoryOps: every operation is defined for all arguments of its C types, to
    its end or to a panic, whatever the other CPUs publish in between as long as it is
    well formed; and it leaves such a state.  So no argument of the host or of a VM can
    take the machine out of its specification.  Rests on the [Safe] of NPTOps and of
    MemManager. *)
From SeKVM.machine Require Import CellInv StateTac BottomPagesTac.
From SeKVM.lib Require Import Bits VcTac PrimInv.
From SeKVM.layers.NPTOps Require Import Safe.
From SeKVM.layers.MemManager Require Import Safe.
From SeKVM.layers.MemoryOps Require Import Spec Ranges.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Total.
  Context {M : Type} (h : gset Z) (NoNpt : no_npt h).
  Notation St := (St cell pmap M (gmap Z page)).

  (** The locks in [h] are held, among them none of a stage-2 table, and not that of the
      map of frames; tables and frames are good, as seen and as others will publish them. *)
  Definition ready (s : St) : Prop := npts_ok h s /\ s2_ok s /\ c_held (st_s2 s) = false.
  Definition fine (r : res St) : Prop := match r with Ok _ s => ready s | Halt _ => True end.

  (** * Table work leaves the map of frames alone *)

  Lemma changed_frames (s s' : St) : npts_changed s s' -> st_s2 s' = st_s2 s.
  Proof. intros (m & o & ->). reflexivity. Qed.

  Lemma good_fine (s : St) r : ready s -> good h s r -> fine r.
  Proof.
    intros (_ & F & H) G. destruct r as [v s'|s']; [|exact I]. destruct G as [N C]. apply changed_frames in C.
    split; [exact N|]. unfold s2_ok. rewrite C. auto.
  Qed.

  Lemma walk_ready (s : St) u a : ready s -> in_range U32 u = true -> in_range U64 a = true ->
    exists r, walk_s2pt_spec [u; a] s = Some r /\ fine r.
  Proof.
    intros R U A. destruct (NPTOps_safe h "walk_s2pt" [u; a] s (call_walk u a U A) (proj1 R) NoNpt) as (r & E & G).
    exists r. split; [exact E | exact (good_fine s r R G)].
  Qed.

  Lemma map_ready (s : St) u a l e : ready s ->
    in_range U32 u = true -> in_range U64 a = true -> in_range U32 l = true -> in_range U64 e = true ->
    exists r, map_s2pt_spec [u; a; l; e] s = Some r /\ fine r.
  Proof.
    intros R U A L E. destruct (map_safe h s u a l e (proj1 R) NoNpt U A L E) as (r & X & G).
    exists r. split; [exact X | exact (good_fine s r R G)].
  Qed.

  (** * Critical sections of the map of frames *)

  (** The result of a section, apart from the frames, which [MemManager.Safe] is about. *)
  Definition calm (r : option (res St)) : Prop :=
    match r with
    | Some (Ok v s) => v = 0 /\ npts_ok h s /\ c_held (st_s2 s) = false
    | Some (Halt _) => True
    | None => False
    end.

  Lemma publish_calm c (s : St) : npts_ok h s -> calm (publish c s).
  Proof. intros N. cbn. auto. Qed.

  Lemma section_calm pfn (s : St) k : ready s ->
    (forall c q, calm (k c q)) -> calm (with_frame pfn s k).
  Proof.
    intros (_ & F & H) K. unfold with_frame. rewrite H. cbn [negb].
    rewrite (proj1 (acquire_ok _ _ F) pfn). apply K.
  Qed.

  Lemma after_clear pfn c (s : St) k : ready s -> in_range U64 pfn = true ->
    (forall v s', npts_ok h s' -> calm (k v s')) -> calm (after (clear_pfn_host_spec [pfn] s) c k).
  Proof.
    intros R P K. destruct (clear_safe h s pfn (proj1 R) NoNpt P) as (r & -> & G). destruct r as [v s'|s']; cbn [after].
    - apply K, G.
    - exact I.
  Qed.

  Lemma calm_fine (p : prim St) vs (s : St) o : ready s ->
    (forall r, s2_ok s -> p vs s = Some r -> res_all s2_ok (Some r)) -> p vs s = chk None o -> calm o ->
    exists r, p vs s = Some r /\ fine r.
  Proof.
    intros R K E C. destruct o as [[v s'|s']|]; cbn [calm chk] in *; [|exists (Halt s'); split; [exact E | exact I]|destruct C].
    destruct C as (-> & N & H). exists (Ok 0 s'). split; [exact E|]. cbn [Z.eqb] in E.
    split; [exact N|]. split; [|exact H]. exact (K _ (proj1 (proj2 R)) E).
  Qed.

  Lemma clear_page_ready (s : St) v pfn : ready s -> in_range U32 v = true -> in_range U64 pfn = true ->
    exists r, clear_vm_page_spec [v; pfn] s = Some r /\ fine r.
  Proof.
    intros R V P. eapply (calm_fine clear_vm_page_spec); [exact R | intros r; apply clear_vm_page_keeps | |].
    - unfold clear_vm_page_spec, p2. rewrite V, P. reflexivity.
    - apply section_calm; [exact R|]. intros c q. destruct (reclaim v q); [|apply publish_calm, R].
      apply after_clear; [exact R | exact P|]. intros _ s' N. now apply publish_calm.
  Qed.

  Lemma assign_ready (s : St) v g pfn : ready s -> in_range U32 v = true -> in_range U64 g = true -> in_range U64 pfn = true ->
    exists r, assign_pfn_to_vm_spec [v; g; pfn] s = Some r /\ fine r.
  Proof.
    intros R V G P. eapply (calm_fine assign_pfn_to_vm_spec); [exact R | intros r; apply assign_pfn_to_vm_keeps | |].
    - unfold assign_pfn_to_vm_spec, p3. rewrite V, G, P. reflexivity.
    - destruct (_ && _); [|exact I]. apply section_calm; [exact R|]. intros c q.
      destruct (claim v g q) as [[b q']|]; [|exact I]. destruct b; [|apply publish_calm, R].
      apply after_clear; [exact R | exact P|]. intros _ s' N. now apply publish_calm.
  Qed.

  Lemma grant_ready (s : St) v pfn : ready s -> in_range U32 v = true -> in_range U64 pfn = true ->
    exists r, grant_vm_page_spec [v; pfn] s = Some r /\ fine r.
  Proof.
    intros R V P. eapply (calm_fine grant_vm_page_spec); [exact R | intros r; apply grant_vm_page_keeps | |].
    - unfold grant_vm_page_spec, p2. rewrite V, P. reflexivity.
    - apply section_calm; [exact R|]. intros c q. destruct (share v q); apply publish_calm, R.
  Qed.

  Lemma revoke_ready (s : St) v pfn : ready s -> in_range U32 v = true -> in_range U64 pfn = true ->
    exists r, revoke_vm_page_spec [v; pfn] s = Some r /\ fine r.
  Proof.
    intros R V P. eapply (calm_fine revoke_vm_page_spec); [exact R | intros r; apply revoke_vm_page_keeps | |].
    - unfold revoke_vm_page_spec, p2. rewrite V, P. reflexivity.
    - apply section_calm; [exact R|]. intros c q. destruct (unshare v q) as [[b q']|]; [|apply publish_calm, R].
      destruct b; [|apply publish_calm, R]. apply after_clear; [exact R | exact P|]. intros _ s' N. now apply publish_calm.
  Qed.

  Lemma entry_range e k : 0 <= k < 4096 -> in_range U64 (Z.lor (phys e) k) = true.
  Proof.
    intros K. unfold phys. rewrite frame_bits, (lor_add _ k 12) by (change (2 ^ 12) with 4096; lia).
    pose proof (Z.mod_pos_bound (e / 4096) 68719476736 eq_refl). change (2 ^ 12) with 4096. bool_goal.
  Qed.

  Lemma map_pfn_ready (s : St) v a e l : ready s ->
    in_range U32 v = true -> in_range U64 a = true -> in_range U64 e = true -> in_range U32 l = true ->
    exists r, map_pfn_vm_spec [v; a; e; l] s = Some r /\ fine r.
  Proof.
    intros R V A E L. unfold map_pfn_vm_spec, p4. rewrite V, A, E, L.
    assert (X : forall k, 0 <= k < 4096 -> forall l', in_range U32 l' = true ->
      exists r, chk None (map_s2pt_spec [v; a; l'; Z.lor (phys e) k] s) = Some r /\ fine r).
    { intros k K l' L'. destruct (map_ready s v a l' _ R V A L' (entry_range e k K)) as (r & Y & F).
      unfold map_s2pt_spec in Y |- *. pose proof Y as Y1.
      apply p4_inv in Y1 as (v1 & a1 & l1 & e1 & _ & _ & _ & _ & _ & Y1). apply chk_void in Y1 as [_ Z0].
      rewrite Y. destruct r as [w t|t]; cbn [chk]; [rewrite Z0; cbn [Z.eqb]|]; eexists; (split; [reflexivity|]); exact F. }
    destruct (l =? 2); [destruct (_ =? 0); [|exists (Halt s); split; [reflexivity | exact I]]|]; apply X;
      unfold BLOCK_S2, PAGE_S2; lia || reflexivity.
  Qed.

  (** * Ranges *)

  Lemma iterate_ready f n (s : St) : 0 <= n ->
    (forall i s, 0 <= i < n -> ready s -> exists r, f i s = Some r /\ fine r) ->
    ready s -> exists r, chk None (iterate f n s) = Some r /\ fine r.
  Proof.
    intros N X R. destruct (iterate_defined f (fun _ => ready) n s N) as (r & E); [|exact R|].
    - intros i t I0 Y. destruct (X i t I0 Y) as (r & F & G). exists r. split; [exact F|]. destruct r; [exact G | exact I].
    - pose proof E as E1. apply (iterate_inv f (fun _ => ready) (fun _ => True)) in E1; [|exact N| |exact R].
      + rewrite E. destruct r as [v t|t]; cbn [chk]; [destruct E1 as [-> E1]; cbn [Z.eqb]|]; eexists; (split; [reflexivity|]);
          [exact E1 | exact I].
      + intros i t q I0 Y F. destruct (X i t I0 Y) as (q' & F' & G). rewrite F in F'. injection F' as <-.
        destruct q; [exact G | exact I].
  Qed.

  Lemma with_mapped_ready (f : prim St) v g (s : St) :
    (forall s pfn, ready s -> in_range U64 pfn = true -> exists r, f [v; pfn] s = Some r /\ fine r) ->
    ready s -> in_range U32 v = true -> 0 <= g < 68719476736 -> exists r, with_mapped f v g s = Some r /\ fine r.
  Proof.
    intros X R V G. unfold with_mapped.
    destruct (walk_ready s v (g * 4096) R V ltac:(bool_goal)) as (r & -> & F). destruct r as [e t|t]; cbn [and_then].
    - destruct (frame_of e =? 0); [eexists; split; [reflexivity | exact F]|]. apply X; [exact F|].
      pose proof (frame_of_range e). pose proof (mod_block g ltac:(lia)). unfold frame_at. destruct (is_page_entry e); bool_goal.
    - exists (Halt t). split; [reflexivity | exact I].
  Qed.

  Lemma with_range_ready (f : prim St) v a n (s : St) :
    (forall s v pfn, ready s -> in_range U32 v = true -> in_range U64 pfn = true -> exists r, f [v; pfn] s = Some r /\ fine r) ->
    ready s -> in_range U32 v = true -> in_range U64 a = true -> in_range U64 n = true ->
    exists r, with_range f [v; a; n] s = Some r /\ fine r.
  Proof.
    intros X R V A N. unfold with_range, p3. rewrite V, A, N. apply in_range_iff in A, N. cbn [modulus] in A, N.
    destruct (is_guest v && _) eqn:G; [|eexists; split; [reflexivity | exact R]].
    apply andb_true_iff in G as [_ G]. apply Z.leb_le in G. unfold PFN_LIMIT in G.
    pose proof (page_of_addr a A). pose proof (page_of_addr n N).
    assert (0 <= pages_of n) by (unfold pages_of; destruct (n mod 4096 =? 0); lia).
    apply iterate_ready; [lia | | exact R]. intros i t I0 T.
    apply with_mapped_ready; [intros u pfn U P; now apply X | exact T | exact V | lia].
  Qed.

  (** * The operations, with any arguments of their C types *)

  Inductive range_call : ident * list Z -> Prop :=
  | call_clear_range v pfn n : in_range U32 v = true -> in_range U64 pfn = true -> in_range U64 n = true ->
      range_call ("clear_vm_range", [v; pfn; n])
  | call_prot_and_map v a e l : in_range U32 v = true -> in_range U64 a = true -> in_range U64 e = true ->
      in_range U32 l = true -> range_call ("prot_and_map_vm_s2pt", [v; a; e; l])
  | call_grant v a n : in_range U32 v = true -> in_range U64 a = true -> in_range U64 n = true ->
      range_call ("grant_stage2_sg_gpa", [v; a; n])
  | call_revoke v a n : in_range U32 v = true -> in_range U64 a = true -> in_range U64 n = true ->
      range_call ("revoke_stage2_sg_gpa", [v; a; n]).

  Theorem MemoryOps_defined f vs (s : St) : range_call (f, vs) -> ready s ->
    exists r, call MemoryOps.Spec.T f vs s = Some r /\ fine r.
  Proof using NoNpt.
    intros X R. inversion X as [v pfn n V P N | v a e l V A E L | v a n V A N | v a n V A N]; subst.
    - change (exists r, clear_vm_range_spec [v; pfn; n] s = Some r /\ fine r). unfold clear_vm_range_spec, p3.
      rewrite V, P, N. apply in_range_iff in P, N. cbn [modulus] in P, N.
      destruct (Z.leb_spec (pfn + n) PFN_LIMIT) as [B|B]; [|eexists; split; [reflexivity | exact R]].
      unfold PFN_LIMIT in B. apply iterate_ready; [lia | | exact R]. intros i t I0 T.
      apply clear_page_ready; [exact T | exact V|bool_goal].
    - change (exists r, prot_and_map_vm_s2pt_spec [v; a; e; l] s = Some r /\ fine r). unfold prot_and_map_vm_s2pt_spec, p4.
      rewrite V, A, E, L. pose proof A as A'. apply in_range_iff in A'. cbn [modulus] in A'.
      pose proof (page_of_addr a A'). pose proof (frame_of_range e).
      assert (K : forall o : option (res St), (exists r, o = Some r /\ fine r) ->
        exists r, chk None (and_then o (fun _ => map_pfn_vm_spec [v; a; e; l])) = Some r /\ fine r).
      { intros o (r & -> & F). destruct r as [w t|t]; cbn [and_then]; [|exists (Halt t); split; [reflexivity | exact I]].
        destruct (map_pfn_ready t v a e l F V A E L) as (r & Y & G). rewrite Y. pose proof Y as Y1.
        unfold map_pfn_vm_spec in Y1. apply p4_inv in Y1 as (v1 & a1 & e1 & l1 & _ & _ & _ & _ & _ & Y1).
        apply chk_void in Y1 as [_ Z0].
        destruct r as [u q|q]; cbn [chk]; [rewrite Z0; cbn [Z.eqb]|]; eexists; (split; [reflexivity|]); exact G. }
      destruct (a / 4096 <? PFN_LIMIT); [|exists (Halt s); split; [reflexivity | exact I]]. destruct (l =? 2).
      + destruct (_ =? 0); [|exists (Halt s); split; [reflexivity | exact I]]. apply K.
        destruct (iterate_ready (fun i => assign_pfn_to_vm_spec [v; block_start (a / 4096) + i; frame_of e + i]) 512 s)
          as (r & Y & G);
          [lia | | exact R|].
        * intros i t I0 T. pose proof (mod_block (a / 4096) ltac:(lia)). unfold block_start.
          apply assign_ready; [exact T | exact V | bool_goal | bool_goal].
        * apply chk_void in Y as [Y _]. exists r. auto.
      + apply K. apply assign_ready; [exact R | exact V | bool_goal | bool_goal].
    - apply (with_range_ready grant_vm_page_spec); auto. intros t u pfn. apply grant_ready.
    - apply (with_range_ready revoke_vm_page_spec); auto. intros t u pfn. apply revoke_ready.
  Qed.
End Total.
