(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 8, NPTOps: each function's code meets its specification over the interface
    of NPTWalk.  The calls between acquire and release are resolved one by one.  Used
    by [Refine]. *)
From SeKVM.lib Require Import VcTac PrimInv.
From SeKVM.layers.NPTWalk Require Import Steps.
From SeKVM.layers.NPTOps Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * One call, the table of VM [vm] being [c] *)

Section Call.
  Context (vm : Z) (RV : in_range U32 vm = true).

  Lemma acquire_pt_call (s : nstate) c : st_npts s !! vm = Some c -> c_held c = false ->
    call NPTWalk.Spec.L "acquire_lock_pt" [vm] s = Some (Ok 0 (put_table vm (acquire_cell c) s)).
  Proof.
    intros C H. change (call NPTWalk.Spec.L "acquire_lock_pt" ?l s) with (acquire_vm_obj st_npts set_npts l s).
    unfold acquire_vm_obj, p1. now rewrite RV, C, H.
  Qed.

  Lemma release_pt_call (s : nstate) c : c_held c = true ->
    call NPTWalk.Spec.L "release_lock_pt" [vm] (put_table vm c s) = Some (Ok 0 (put_table vm (published c s) s)).
  Proof.
    intros H. change (call NPTWalk.Spec.L "release_lock_pt" ?l ?x) with (release_vm_obj st_npts set_npts l x).
    unfold release_vm_obj, p1, put_table, set_npts, published; cbn [st_npts st_cpu].
    rewrite RV, lookup_insert, H, insert_insert. reflexivity.
  Qed.

  Context (V : is_vmid vm = true).

  Lemma level_call (s : nstate) c a : c_held c = true -> in_range U64 a = true ->
    call NPTWalk.Spec.L "get_npt_level" [vm; a] (put_table vm c s)
      = Some (Ok (level (c_val c) (page_number a)) (put_table vm c s)).
  Proof.
    intros H RA. change (call NPTWalk.Spec.L "get_npt_level" ?l ?x) with (get_npt_level_spec l x).
    unfold get_npt_level_spec, p2. rewrite RV, RA. unfold put_table; cbn [st_npts set_npts].
    rewrite lookup_insert, H, V. cbn [chk].
    replace (in_range U32 (level (c_val c) (page_number a))) with true; [reflexivity|].
    symmetry. apply in_range_iff. pose proof (level_range (c_val c) (page_number a)). cbn [modulus]. lia.
  Qed.

  Lemma entry_call (s : nstate) c a : c_held c = true -> in_range U64 a = true ->
    in_range U64 (entry (c_val c) (page_number a)) = true ->
    call NPTWalk.Spec.L "walk_npt" [vm; a] (put_table vm c s)
      = Some (Ok (entry (c_val c) (page_number a)) (put_table vm c s)).
  Proof.
    intros H RA RE. change (call NPTWalk.Spec.L "walk_npt" ?l ?x) with (walk_npt_spec l x).
    unfold walk_npt_spec, p2. rewrite RV, RA. unfold put_table; cbn [st_npts set_npts].
    rewrite lookup_insert, H, V. cbn [chk]. now rewrite RE.
  Qed.

  (** The table after an update, still locked. *)
  Definition updated (a : Z) (o : outcome pmap pmap) (c : cell pmap) (s : nstate) : res nstate :=
    match o with
    | Updated p => Ok 0 (put_table vm (set_val p c) (set_outs (Tlb_flush vm a :: st_outs s) s))
    | Full p | Under_block p => Halt (put_table vm (set_val p c) s)
    end.

  Lemma update_put a o c (s : nstate) :
    update vm a o (put_table vm c s) = Some (updated a o c s).
  Proof.
    unfold update, updated, put_table, set_npts, set_outs; cbn [st_npts st_outs st_cpu].
    rewrite lookup_insert. destruct o; rewrite insert_insert; reflexivity.
  Qed.

  Lemma set_call (s : nstate) c a lvl e : c_held c = true ->
    in_range U64 a = true -> in_range U32 lvl = true -> in_range U64 e = true ->
    call NPTWalk.Spec.L "set_npt" [vm; a; lvl; e] (put_table vm c s) = Some
      (if lvl =? 2
       then if Z.land e 3 =? 3 then Halt (put_table vm c s)
            else updated ALL_ADDRESSES (pset (npt_geom vm) 2 (page_number a) e (c_val c)) c s
       else updated a (pset (npt_geom vm) 3 (page_number a) e (c_val c)) c s).
  Proof.
    intros H RA RL RE. change (call NPTWalk.Spec.L "set_npt" ?l ?x) with (set_npt_spec l x).
    unfold set_npt_spec, p4. rewrite RV, RA, RL, RE. cbv beta.
    replace (st_npts (put_table vm c s) !! vm) with (Some c) by (symmetry; apply lookup_insert).
    rewrite H, V, !update_put.
    destruct (lvl =? 2); [destruct (Z.land e 3 =? 3); [reflexivity|]|]; unfold updated;
      destruct (pset _ _ _ _ _); reflexivity.
  Qed.

  (** Releasing after an update. *)
  Lemma publish_updated a o c (s : nstate) : c_held c = true ->
    match updated a o c s with
    | Ok _ s' => call NPTWalk.Spec.L "release_lock_pt" [vm] s'
    | Halt s' => Some (Halt s')
    end = publish_update vm a o c s.
  Proof.
    intros H. unfold updated, publish_update. destruct o as [p|p|p]; [|reflexivity|reflexivity].
    rewrite release_pt_call by exact H. reflexivity.
  Qed.
End Call.

Lemma panic_call (s : nstate) : call NPTWalk.Spec.L "panic" [] s = Some (Halt s).
Proof. reflexivity. Qed.

(** * The functions *)

Lemma get_level_s2pt_code : fun_ok NPTWalk.Spec.L f_get_level_s2pt get_level_s2pt_spec.
Proof.
  apply fun_ok_vc. intros vs s r E. apply p2_inv in E as (vm & a & -> & RV & RA & E). unfold locked_look in E.
  run_vc f_get_level_s2pt. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  rewrite (vmid_test vm RV), panic_call. destruct (is_vmid vm) eqn:V; cbn [negb] in E |- *; [|now injection E as <-].
  unfold ADDR_LIMIT in E. rewrite Z.ltb_antisym. destruct (281474976710656 <=? a); cbn [negb]; [now injection E as <-|].
  destruct (st_npts s !! vm) as [c|] eqn:C; [|discriminate E]. destruct (c_held c) eqn:Hd; [discriminate E|].
  apply chk_inv in E. destruct E as [RL ->].
  rewrite (acquire_pt_call vm RV s c C Hd), (level_call vm RV V), (release_pt_call vm RV) by (exact RA || reflexivity).
  rewrite wrap_id by now apply in_range_iff. reflexivity.
Qed.

Lemma walk_s2pt_code : fun_ok NPTWalk.Spec.L f_walk_s2pt walk_s2pt_spec.
Proof.
  apply fun_ok_vc. intros vs s r E. apply p2_inv in E as (vm & a & -> & RV & RA & E). unfold locked_look in E.
  run_vc f_walk_s2pt. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  rewrite (vmid_test vm RV), panic_call. destruct (is_vmid vm) eqn:V; cbn [negb] in E |- *; [|now injection E as <-].
  unfold ADDR_LIMIT in E. rewrite Z.ltb_antisym. destruct (281474976710656 <=? a); cbn [negb]; [now injection E as <-|].
  destruct (st_npts s !! vm) as [c|] eqn:C; [|discriminate E]. destruct (c_held c) eqn:Hd; [discriminate E|].
  apply chk_inv in E. destruct E as [RL ->].
  rewrite (acquire_pt_call vm RV s c C Hd), (entry_call vm RV V), (release_pt_call vm RV)
    by (exact RA || exact RL || reflexivity).
  rewrite wrap_id by now apply in_range_iff. reflexivity.
Qed.

(** A void function's last call is the release after an update. *)
Lemma finish_update vm a o (c : cell pmap) (s : nstate) r : in_range U32 vm = true -> c_held c = true ->
  chk None (publish_update vm a o c s) = Some r ->
  match updated vm a o c s with
  | Ok _ s' => match call NPTWalk.Spec.L "release_lock_pt" [vm] s' with
               | Some (Ok _ s'') => r = Ok 0 s'' | Some (Halt s'') => r = Halt s'' | None => False end
  | Halt s' => r = Halt s'
  end.
Proof.
  intros RV H. rewrite <- (publish_updated vm RV a o c s H).
  destruct (updated vm a o c s) as [v s'|s'].
  - destruct (call _ _ _ s') as [[v' s''|s'']|]; cbn [chk].
    + destruct (v' =? 0); [now intros [= <-] | discriminate].
    + now intros [= <-].
    + discriminate.
  - cbn [chk]. now intros [= <-].
Qed.

Lemma map_s2pt_code : fun_ok NPTWalk.Spec.L f_map_s2pt map_s2pt_spec.
Proof.
  apply fun_ok_vc. intros vs s r E. apply p4_inv in E as (vm & a & lvl & e & -> & RV & RA & RL & RE & E).
  run_vc f_map_s2pt. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  unfold ADDR_LIMIT in E. rewrite (vmid_test vm RV), panic_call.
  destruct (is_vmid vm) eqn:V; cbn [negb andb] in E |- *; [|now injection E as <-].
  rewrite Z.ltb_antisym in E. destruct (281474976710656 <=? a); cbn [negb andb] in E |- *; [now injection E as <-|].
  destruct (Z.eqb_spec lvl 2) as [->|L2]; cbn [negb orb andb] in E |- *.
  2: destruct (Z.eqb_spec lvl 3) as [->|L3]; cbn [negb orb andb] in E |- *; [|now injection E as <-].
  all: destruct (st_npts s !! vm) as [c|] eqn:C; [|discriminate E]; destruct (c_held c) eqn:Hd; [discriminate E|].
  all: rewrite (acquire_pt_call vm RV s c C Hd), (set_call vm RV V) by (assumption || reflexivity).
  - change (2 =? 2) with true. cbv iota. destruct (Z.land e 3 =? 3); [now injection E as <-|]. now apply finish_update in E.
  - change (3 =? 2) with false. cbv iota. now apply finish_update in E.
Qed.

Lemma clear_pfn_host_code : fun_ok NPTWalk.Spec.L f_clear_pfn_host clear_pfn_host_spec.
Proof.
  apply fun_ok_vc. intros vs s r E. apply p1_inv in E as (pfn & -> & RF & E).
  unfold PFN_LIMIT, PAGE in E. run_vc f_clear_pfn_host. split; [now apply in_range_iff|]. rewrite panic_call.
  destruct (Z.leb_spec 68719476736 pfn) as [Big|Small]; [now injection E as <-|].
  destruct (st_npts s !! HOSTVISOR) as [c|] eqn:C; [|discriminate E].
  destruct (c_held c) eqn:Hd; [discriminate E|]. cbn [negb] in E.
  change (call NPTWalk.Spec.L ?f [0]) with (call NPTWalk.Spec.L f [HOSTVISOR]).
  change (call NPTWalk.Spec.L ?f [0; ?x]) with (call NPTWalk.Spec.L f [HOSTVISOR; x]).
  change (call NPTWalk.Spec.L ?f [0; ?x; ?y; ?z]) with (call NPTWalk.Spec.L f [HOSTVISOR; x; y; z]).
  apply in_range_iff in RF. rewrite (wrap_id U64 (pfn * 4096)) by (cbn [modulus]; lia).
  assert (RA : in_range U64 (pfn * 4096) = true) by (apply in_range_iff; cbn [modulus]; lia).
  rewrite (acquire_pt_call HOSTVISOR eq_refl s c C Hd), (level_call HOSTVISOR eq_refl eq_refl) by (exact RA || reflexivity).
  destruct (level _ _ =? 0).
  - injection E as <-. cbn [negb]. rewrite (release_pt_call HOSTVISOR eq_refl) by reflexivity. reflexivity.
  - cbn [negb]. rewrite (set_call HOSTVISOR eq_refl eq_refl) by (exact RA || reflexivity).
    now apply finish_update in E.
Qed.
