(* SPDX-License-Identifier: Apache-2.0 *)
(** What an operation that is addressed to a VM does to the VM's view: giving it a frame ([assign_is_donation]).
    Rests on [Operations]; the other operations have no event yet. *)
From SeKVM.lib Require Import VcTac PrimInv Loop.
From SeKVM.machine Require Import StateTac.
From SeKVM.layers.MemoryOps Require Import History Guarantee.
From SeKVM.top Require Export Operations.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** From view [x] to view [y]: frame [pfn], used as [u], becomes guest page [g] of VM [v], with the words [ws] that it
    has.  The words of all other frames, the tables, the banks and the record stay. *)
Definition donated (v g pfn : Z) (u : use) (ws : gmap Z Z) (x y : view) : Prop :=
  v_frames y = <[pfn := Vm v u (Some g)]> (v_frames x) /\
  (forall a, frame_of_addr a = pfn ->
    word (if private v (Some (Vm v u (Some g))) then v_private y else v_shared y) a = word ws a) /\
  (forall a, frame_of_addr a <> pfn -> v_private y !! a = v_private x !! a /\ v_shared y !! a = v_shared x !! a) /\
  v_table y = v_table x /\ v_banks y = v_banks x /\ v_devices y = v_devices x /\ v_life y = v_life x.

Lemma claim_is v g q b q' : claim v g q = Some (b, q') -> exists u, q' = Vm v u (Some g).
Proof. intros C. destruct (claim_bound v g q b q' C) as (u & E). exists u. congruence. Qed.

Lemma publish_donated v g pfn u (s s1 s' : hstate) w : is_guest v = true -> last_batch s -> unseen v s s1 ->
  publish (put pfn (Vm v u (Some g)) (acquire_cell (st_s2 s))) s1 = Some (Ok w s') ->
  donated v g pfn u (words_now s) (view_of v s) (view_of v s').
Proof.
  intros G (L & _) (F & Me & B & Vm0 & T & D) [= _ <-]. set (s' := set_s2 _ s1).
  assert (F' : frames_now s' = <[pfn := Vm v u (Some g)]> (frames_now s))
    by (unfold frames_now, s'; cbn [st_s2 set_s2]; unfold put; now rewrite now_updated by exact L).
  assert (W' : words_now s' = words_now s) by (unfold words_now; cbn [s' st_mem set_s2]; now rewrite Me).
  assert (Bk : banks_now s' = banks_now s) by (unfold banks_now; cbn [s' st_smmu set_s2]; now rewrite B).
  unfold donated, view_of. cbn [v_frames v_private v_shared v_table v_banks v_devices v_life]. rewrite F', W', Bk.
  repeat split; try assumption.
  - unfold owned. rewrite (proj1 (guest_not_host v G)). apply map_filter_insert_True. reflexivity.
  - intros a E. destruct (private v _) eqn:P; apply words_of_word; rewrite E, lookup_insert; [exact P|].
    cbn [may_touch] in *. rewrite P. destruct u; rewrite Z.eqb_refl; reflexivity.
  - rewrite !words_of_lookup, lookup_insert_ne by auto. reflexivity.
  - rewrite !words_of_lookup, lookup_insert_ne by auto. reflexivity.
  - unfold life_now. cbn [s' st_vms set_s2]. now rewrite Vm0.
Qed.

(** Read: what [assign_pfn_to_vm] does to the view of the VM that it names: the frame becomes the page, with the words
    that the host left in it. *)
Theorem assign_is_donation v g pfn (s s' : hstate) w : last_batch s ->
  assign_pfn_to_vm_spec [v; g; pfn] s = Some (Ok w s') ->
  exists u, donated v g pfn u (words_now s) (view_of v s) (view_of v s').
Proof.
  intros L. unfold assign_pfn_to_vm_spec. intros E.
  apply p3_inv in E as (v' & g' & f' & [= <- <- <-] & _ & _ & _ & E).
  apply chk_void in E as [E _]. destruct (is_guest v) eqn:G; [|discriminate E].
  destruct (negb _); [|discriminate E].
  cbn [andb] in E. apply with_frame_inv in E. destruct (claim v g _) as [[b q]|] eqn:CL; [|discriminate E].
  destruct (claim_is _ _ _ _ _ CL) as (u & ->). exists u. destruct b.
  - apply after_inv2 in E as (y & s1 & E1 & E).
    exact (publish_donated v g pfn u s s1 s' w G L (clear_unseen v _ _ _ _ G E1) E).
  - exact (publish_donated v g pfn u s s s' w G L (unseen_refl v s) E).
Qed.
