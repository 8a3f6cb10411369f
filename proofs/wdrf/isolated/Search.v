(* SPDX-License-Identifier: Apache-2.0 *)
(** Search among finitely many threads: one that satisfies a decidable property, or the one with the least measure. *)
From Coq Require Import Arith Lia.

Lemma search (P : nat -> Prop) (dec : forall i, {P i} + {~ P i}) n :
  {i | i < n /\ P i} + {forall i, i < n -> ~ P i}.
Proof.
  induction n as [|n [(i & lt & here)|none]].
  - right. intros i lt. lia.
  - left. exists i. auto.
  - destruct (dec n) as [here|not_here]; [left; exists n; auto|].
    right. intros i lt. destruct (Nat.eq_dec i n) as [->|ne]; [exact not_here|apply none; lia].
Qed.

Lemma search_least (P : nat -> Prop) (dec : forall i, {P i} + {~ P i}) (m : nat -> nat) n :
  (exists i, i < n /\ P i) -> exists i, i < n /\ P i /\ forall j, j < n -> P j -> m i <= m j.
Proof.
  induction n as [|n IH]; intros (i & lt & here); [lia|].
  destruct (search P dec n) as [(k & ltk & hk)|none].
  - destruct IH as (i0 & lt0 & h0 & min0); [exists k; auto|].
    destruct (dec n) as [hn|hn].
    + destruct (le_lt_dec (m i0) (m n)) as [le|gt].
      * exists i0. repeat split; auto. intros j ltj hj. destruct (Nat.eq_dec j n) as [->|ne]; [exact le|apply min0; [lia|exact hj]].
      * exists n. repeat split; auto. intros j ltj hj. destruct (Nat.eq_dec j n) as [->|ne]; [lia|].
        assert (m i0 <= m j) by (apply min0; [lia|exact hj]). lia.
    + exists i0. repeat split; auto. intros j ltj hj. destruct (Nat.eq_dec j n) as [->|ne]; [contradiction|apply min0; [lia|exact hj]].
  - assert (i = n) as -> by (destruct (Nat.eq_dec i n); [assumption|exfalso; apply (none i); [lia|exact here]]).
    exists n. repeat split; auto. intros j ltj hj. destruct (Nat.eq_dec j n) as [->|ne]; [lia|].
    exfalso. apply (none j); [lia|exact hj].
Qed.
