(* SPDX-License-Identifier: Apache-2.0 *)
(** The last executed message of a location, while a relaxed execution is replayed: threads have run different distances,
    and [latest x a] is the largest timestamp of a message on [a] that its thread has already written. *)
From Coq Require Import List Arith Lia Bool.
From SeKVM.wdrf Require Import Tactics.
From SeKVM.wdrf.isolated Require Import Base Promising Thread.
Import ListNotations.

(** How far each thread has run. *)
Definition cfg := tid -> thread.

Section Latest.
Variable M : memory.

Fixpoint latest_below (x : cfg) (a : addr) (n : nat) : view :=
  match n with
  | 0 => 0
  | S k =>
      match msg_at M (S k) with
      | Some m => if (mloc m =? a) && fulfilled (x (mtid m)) (S k) then S k else latest_below x a k
      | None => latest_below x a k
      end
  end.

Definition latest (x : cfg) (a : addr) : view := latest_below x a (length M).

(** [ts] is an executed message on [a]. *)
Definition executed (x : cfg) (a : addr) (ts : view) (m : message) : Prop :=
  msg_at M ts = Some m /\ mloc m = a /\ fulfilled (x (mtid m)) ts = true.

Lemma latest_below_spec x a n : latest_below x a n = 0 \/ exists m, executed x a (latest_below x a n) m.
Proof.
  induction n as [|k IH]; cbn [latest_below]; [auto|].
  destruct (msg_at M (S k)) as [m|] eqn:found; [|exact IH].
  destruct (Nat.eqb_spec (mloc m) a) as [here|]; [|exact IH].
  destruct (fulfilled (x (mtid m)) (S k)) eqn:done; [|exact IH].
  right. exists m. repeat split; assumption.
Qed.

Lemma latest_below_max x a n ts m : ts <= n -> executed x a ts m -> ts <= latest_below x a n.
Proof.
  induction n as [|k IH]; intros le ex; [lia|]. cbn [latest_below].
  destruct (Nat.eq_dec ts (S k)) as [->|ne].
  - destruct ex as (-> & here & done). rewrite here, Nat.eqb_refl, done. simpl. lia.
  - assert (below : ts <= latest_below x a k) by (apply IH; [lia|exact ex]).
    destruct (msg_at M (S k)) as [m'|]; [|exact below]. destruct (_ && _); lia.
Qed.

Lemma latest_spec x a : latest x a = 0 \/ exists m, executed x a (latest x a) m.
Proof. apply latest_below_spec. Qed.

Lemma latest_max x a ts m : executed x a ts m -> ts <= latest x a.
Proof. intros ex. apply (latest_below_max x a _ ts m); [|exact ex]. destruct ex as (found & _). now apply msg_at_bound in found. Qed.

Lemma latest_unique x a n :
  (n = 0 \/ exists m, executed x a n m) -> (forall ts m, executed x a ts m -> ts <= n) -> latest x a = n.
Proof.
  intros at_n all. destruct (latest_spec x a) as [z|[m ex]].
  - destruct at_n as [->|[m ex]]; [exact z|]. apply latest_max in ex as le. destruct ex as (found & _).
    apply msg_at_bound in found. lia.
  - apply all in ex as le. destruct at_n as [->|[m' ex']]; [lia|]. apply latest_max in ex'. lia.
Qed.

(** Two configurations with the same executed messages on [a] have the same latest one. *)
Lemma latest_ext x y a :
  (forall ts m, msg_at M ts = Some m -> mloc m = a -> fulfilled (x (mtid m)) ts = fulfilled (y (mtid m)) ts) ->
  latest x a = latest y a.
Proof.
  intros same. apply latest_unique.
  - destruct (latest_spec y a) as [z|(m & found & here & done)]; [left; exact z|right].
    exists m. repeat split; try assumption. rewrite same; assumption.
  - intros ts m (found & here & done). apply (latest_max y a ts m). repeat split; try assumption. rewrite <- same; assumption.
Qed.

Lemma latest_same x i st a :
  (forall ts, fulfilled st ts = fulfilled (x i) ts) -> latest (upd x i st) a = latest x a.
Proof. intros same. apply latest_ext. intros ts m _ _. who (mtid m) i; auto. Qed.

(** Thread [i] writes message [n] on [b]. *)
Lemma latest_write_other x i st n b v a :
  (forall ts, fulfilled st ts = upd (fulfilled (x i)) n true ts) -> msg_at M n = Some (Message i b v) -> a <> b ->
  latest (upd x i st) a = latest x a.
Proof.
  intros done found ne. apply latest_ext. intros ts m found' here. who (mtid m) i; [|reflexivity]. rewrite done.
  who ts n; [|reflexivity]. rewrite found in found'. injection found' as <-. simpl in here. congruence.
Qed.

Lemma latest_write_same x i st n v a :
  (forall ts, fulfilled st ts = upd (fulfilled (x i)) n true ts) -> msg_at M n = Some (Message i a v) -> latest x a < n ->
  latest (upd x i st) a = n.
Proof.
  intros done found lt. apply latest_unique.
  - right. exists (Message i a v). repeat split; [exact found|]. simpl. rewrite upd_same, done, upd_same. reflexivity.
  - intros ts m (found' & here & done'). destruct (Nat.eq_dec ts n) as [->|ne]; [lia|].
    assert (ex : executed x a ts m).
    { repeat split; try assumption. destruct (Nat.eq_dec (mtid m) i) as [eq|ne'].
      - rewrite eq, upd_same, done, upd_other in done' by exact ne. rewrite eq. exact done'.
      - rewrite upd_other in done' by exact ne'. exact done'. }
    apply latest_max in ex. lia.
Qed.

Lemma latest_initial a : latest (fun _ => thread_initial) a = 0.
Proof. apply latest_unique; [auto|]. intros ts m (_ & _ & done). discriminate. Qed.

(** The latest message on [a] is its author's forwarding entry, and depends on less than itself. *)
Lemma latest_fwd x a m :
  (forall i, thread_wf M i (x i)) -> executed x a (latest x a) m ->
  fst (fwd (x (mtid m)) a) = latest x a /\ snd (fwd (x (mtid m)) a) < latest x a /\ latest x a <= coh (x (mtid m)) a.
Proof.
  intros wf ex. pose proof ex as (found & here & done).
  destruct (tw_fulfilled _ _ _ (wf (mtid m)) _ done) as (b & v & found' & le).
  rewrite found in found'. injection found' as eq.
  assert (same : b = a) by (rewrite <- here, eq; reflexivity). rewrite same in le. clear same eq b v.
  destruct (tw_fwd _ _ _ (wf (mtid m)) a) as [none|(lt & lec & own & v & msg)].
  - rewrite none in le. apply msg_at_bound in found. simpl in le. lia.
  - assert (below : fst (fwd (x (mtid m)) a) <= latest x a).
    { apply (latest_max x a _ (Message (mtid m) a v)). repeat split; assumption. }
    lia.
Qed.
End Latest.
