(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 1, LockOps: the code of the ticket lock meets its specification over the
    bottom machine.  First the code is related, on the same state, to a polling
    operation on the wrapping counters; then that operation to the specification,
    where the point is that a wrapped poll sees [my] exactly when it is served. *)
From SeKVM.machine Require Import StateTac BottomTac ViewPass.
From SeKVM.layers.LockOps Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Polling on the counters in memory *)

Fixpoint poll_mem (n : nat) (my : Z) : view_op tview :=
  match n with
  | O => fun X t => None
  | S n => op_bind (ranged (now_op tick)) (fun now => if now =? my then op_ret 0 else poll_mem n my)
  end.

Definition wait_mem : view_op tview :=
  op_bind (ranged (take_op tick)) (fun my X t => poll_mem (fuel t) my X t).

Lemma wait_mem_split {N M P} lk (s : St tview N M P) v s' :
  at_lock wait_mem lk s = Some (v, s') ->
  exists my s1 n, at_lock (take_op tick) lk s = Some (my, s1) /\ in_range U32 my = true /\
                  at_lock (poll_mem n my) lk s1 = Some (v, s').
Proof.
  unfold wait_mem. rewrite at_lock_bind.
  destruct (at_lock (ranged (take_op tick)) lk s) as [[my s1]|] eqn:A; [|discriminate].
  apply at_lock_ranged in A as [A R]. intros E.
  destruct (at_lock_fuel (fun X t => fuel t) (fun n => poll_mem n my) lk s1 _ E) as [n E'].
  exists my, s1, n. auto.
Qed.

Lemma poll_mem_split {N M P} n my lk (s : St tview N M P) v s' :
  at_lock (poll_mem n my) lk s = Some (v, s') ->
  exists m now s1, n = S m /\ at_lock (now_op tick) lk s = Some (now, s1) /\ in_range U32 now = true /\
    (now = my /\ s' = s1 \/ now <> my /\ at_lock (poll_mem m my) lk s1 = Some (v, s')).
Proof.
  destruct n as [|m]; cbn [poll_mem].
  - intros E. exfalso. revert E. unfold at_lock, obj_op, map_op.
    repeat match goal with
    | |- context [match ?x with _ => _ end] => destruct x
    end; discriminate.
  - rewrite at_lock_bind.
    destruct (at_lock (ranged (now_op tick)) lk s) as [[now s1]|] eqn:A; [|discriminate].
    apply at_lock_ranged in A as [A R]. intros E. exists m, now, s1. repeat split; auto.
    destruct (Z.eqb_spec now my) as [Q|Q]; [left | right; auto].
    apply at_lock_ret in E as [_ ->]. auto.
Qed.

(** * The code *)

Section Code.
  Context {N M P : Type}.
  Definition U : tbl (St tview N M P) := (T_ticket ++ T_barrier)%list.

  Lemma call_incr_ticket lk (s : St tview N M P) my s' :
    in_range U32 lk = true -> at_lock (take_op tick) lk s = Some (my, s') -> in_range U32 my = true ->
    call U "incr_ticket" [lk] s = Some (Ok my s').
  Proof.
    intros R A B. change (call U "incr_ticket" [lk] s) with (lock_prim (Some U32) (fun _ => take_op tick) [lk] s).
    unfold lock_prim, p1, chk. now rewrite R, A, B.
  Qed.

  Lemma call_get_now lk (s : St tview N M P) now s' :
    in_range U32 lk = true -> at_lock (now_op tick) lk s = Some (now, s') -> in_range U32 now = true ->
    call U "get_now" [lk] s = Some (Ok now s').
  Proof.
    intros R A B. change (call U "get_now" [lk] s) with (lock_prim (Some U32) (fun _ => now_op tick) [lk] s).
    unfold lock_prim, p1, chk. now rewrite R, A, B.
  Qed.

  Lemma call_incr_now lk (s : St tview N M P) s' :
    in_range U32 lk = true -> at_lock (pass_op tick) lk s = Some (0, s') ->
    call U "incr_now" [lk] s = Some (Ok 0 s').
  Proof.
    intros R A. change (call U "incr_now" [lk] s) with (lock_prim None (fun _ => pass_op tick) [lk] s).
    unfold lock_prim, p1, chk. now rewrite R, A.
  Qed.

  Lemma call_barrier (s : St tview N M P) : call U "barrier" [] s = Some (Ok 0 s).
  Proof. reflexivity. Qed.

  Lemma wait_lock_mem : fun_ok U f_wait_lock (lock_prim None (fun _ => wait_mem)).
  Proof.
    apply fun_ok_vc. intros vs s r E. unfold lock_prim, p1 in E.
    destruct vs as [|lk [|]]; try discriminate. destruct (in_range U32 lk) eqn:R; [|discriminate].
    destruct (at_lock wait_mem lk s) as [[v s']|] eqn:A; [|discriminate].
    unfold chk in E. destruct (v =? 0) eqn:V; [|discriminate]. injection E as <-.
    destruct (wait_mem_split _ _ _ _ A) as (my & s1 & n & A1 & Rm & A2).
    destruct (poll_mem_split _ _ _ _ _ _ A2) as (m & now & s2 & -> & A3 & Rn & A4).
    run_vc f_wait_lock. split; [apply in_range_iff; exact R|].
    rewrite (call_incr_ticket _ _ _ _ R A1 Rm). cbv beta iota.
    rewrite (call_get_now _ _ _ _ R A3 Rn). cbv beta iota.
    (* the loop: either it is over, or [m] polls are left at most *)
    eapply (wp_while U _ _ (fun n e t => exists now,
      e = [("lk", Some lk); ("my", Some my); ("now", Some now)] /\
      (now = my /\ t = s' \/ now <> my /\ at_lock (poll_mem n my) lk t = Some (v, s')))) with (n := m).
    - intros k e t (w & -> & D). run_vc_goal. destruct D as [[-> ->]|[Ne A5]].
      + rewrite Z.eqb_refl. cbv beta iota. rewrite call_barrier. reflexivity.
      + apply Z.eqb_neq in Ne as ->. cbv beta iota.
        destruct (poll_mem_split _ _ _ _ _ _ A5) as (k' & w' & t' & -> & A6 & Rw & D').
        rewrite (call_get_now _ _ _ _ R A6 Rw). cbv beta iota.
        exists k'. split; [lia|]. exists w'. split; [reflexivity|].
        destruct D' as [[-> ->]|D']; auto.
    - exists now. split; [reflexivity|]. destruct A4 as [[-> ->]|D']; auto.
  Qed.

  Lemma pass_lock_mem : fun_ok U f_pass_lock (lock_prim None (fun _ => pass_op tick)).
  Proof.
    apply fun_ok_vc. intros vs s r E. unfold lock_prim, p1 in E.
    destruct vs as [|lk [|]]; try discriminate. destruct (in_range U32 lk) eqn:R; [|discriminate].
    destruct (at_lock (pass_op tick) lk s) as [[v s']|] eqn:A; [|discriminate].
    unfold chk in E. destruct (Z.eqb_spec v 0) as [->|]; [|discriminate]. injection E as <-.
    run_vc f_pass_lock. split; [apply in_range_iff; exact R|].
    rewrite call_barrier. cbv beta iota. rewrite (call_incr_now _ _ _ R A). reflexivity.
  Qed.
End Code.

(** * Wrapping counters against integers *)

Lemma tick_wrap n : tick (wrap U32 n) = wrap U32 (Z.succ n).
Proof. unfold tick, wrap. rewrite Zplus_mod_idemp_l. reflexivity. Qed.

Lemma apply_wrapped {X} (e : lock_event X) t : t_apply tick e (wrapped t) = wrapped (t_apply Z.succ e t).
Proof. destruct e; unfold wrapped; cbn; now rewrite tick_wrap. Qed.

Lemma sync_wrapped {X} (t : tview X) : t_sync tick (wrapped t) = wrapped (t_sync Z.succ t).
Proof.
  unfold t_sync. change (t_script (wrapped t)) with (t_script t).
  assert (E : fold_right (t_apply tick) (wrapped t) (hd [] (t_script t))
              = wrapped (fold_right (t_apply Z.succ) t (hd [] (t_script t)))).
  { induction (hd [] (t_script t)) as [|e b IH]; [reflexivity|].
    cbn [fold_right]. rewrite IH. apply apply_wrapped. }
  rewrite E. reflexivity.
Qed.

(** A poll of the wrapped counter sees the ticket exactly when it is served. *)
Lemma wrap_eq a b : a <= b -> b < a + 4294967296 -> (wrap U32 a =? wrap U32 b) = (a =? b).
Proof.
  intros A B. unfold wrap. change (modulus U32) with 4294967296.
  destruct (Z.eqb_spec a b) as [->|Ne]; [apply Z.eqb_refl|].
  apply Z.eqb_neq. Z.div_mod_to_equations. lia.
Qed.

Lemma wrap_in_range n : in_range U32 (wrap U32 n) = true.
Proof. apply in_range_iff, wrap_range. Qed.

Lemma poll_wrapped {X} n my (t u : tview X) :
  poll n my t = Some u -> poll_mem n (wrap U32 my) X (wrapped t) = Some (0, wrapped u).
Proof.
  revert t. induction n as [|n IH]; intros t E; [discriminate|].
  cbn [poll poll_mem] in *. unfold op_bind, ranged, now_op. rewrite sync_wrapped.
  change (t_now (wrapped (t_sync Z.succ t))) with (wrap U32 (t_now (t_sync Z.succ t))).
  rewrite wrap_in_range.
  destruct (Z.leb_spec (t_now (t_sync Z.succ t)) my) as [A|]; [|discriminate].
  destruct (Z.ltb_spec my (t_now (t_sync Z.succ t) + 4294967296)) as [B|]; [|discriminate].
  cbn [andb] in E. rewrite (wrap_eq _ _ A B).
  destruct (t_now (t_sync Z.succ t) =? my); [|exact (IH _ E)].
  injection E as <-. reflexivity.
Qed.

Lemma wait_lock_rel me : op_rel RV me wait_lock_op wait_mem.
Proof.
  intros X t ? v t' -> E. unfold wait_lock_op, take_op in E. cbv zeta in E.
  unfold wait_mem, op_bind, ranged, take_op. cbv zeta. rewrite sync_wrapped.
  change (t_next (wrapped (t_sync Z.succ t))) with (wrap U32 (t_next (t_sync Z.succ t))).
  rewrite wrap_in_range, tick_wrap. set (u := t_sync Z.succ t) in *.
  set (u1 := mktview (t_val u) (t_own u) (Z.succ (t_next u)) (t_now u) (t_log u) (t_script u)) in *.
  destruct (poll (fuel u1) (t_next u) u1) as [u2|] eqn:A; [|discriminate].
  injection E as <- <-. exists (wrapped u2). split; [|reflexivity].
  exact (poll_wrapped _ _ _ _ A).
Qed.

Lemma pass_lock_rel me : op_rel RV me pass_lock_op (pass_op tick).
Proof.
  intros X t ? v t' -> [= <- <-]. eexists. split; [reflexivity|].
  unfold RV, wrapped. cbn. now rewrite tick_wrap.
Qed.

(** * The functions *)

Lemma U_keeps : keeps U L0.
Proof. repeat constructor. Qed.

Lemma wait_lock_code : fun_sim R L0 f_wait_lock wait_lock_spec.
Proof.
  eapply fun_sim_spec; [exact (fun_ok_keep _ _ _ _ U_keeps wait_lock_mem)|].
  apply lock_prim_rel. exact wait_lock_rel.
Qed.

Lemma pass_lock_code : fun_sim R L0 f_pass_lock pass_lock_spec.
Proof.
  eapply fun_sim_spec; [exact (fun_ok_keep _ _ _ _ U_keeps pass_lock_mem)|].
  apply lock_prim_rel. exact pass_lock_rel.
Qed.
