(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 32, TrapDispatcher: what an entry of the table of hypercalls means.  A call is a number with its
    arguments, which are words of the registers x0 to x5; whether it is accepted is a conjunction of comparisons.
    Rests on [Lang] alone; the generated [Table] is a list of these entries. *)
From SeKVM.lib Require Export Lang.
From Coq Require Import Lia.
Local Open Scope Z_scope.

(** A comparison of the word in register [i], or of the sum of two, with a number. *)
Inductive condition :=
| Atleast (i : nat) (z : Z)
| Below (i : nat) (z : Z)
| Fit (i j : nat) (z : Z).

Record hypercall := mkcall {
  number : Z;
  handler : ident;
  has_result : bool;            (* it is the answer; without one the answer is 0 *)
  parameters : list ty;         (* from x1 on *)
  conditions : list condition }.

Section Meaning.
  Context (x : nat -> Z).       (* the words of the registers *)

  Definition holds (c : condition) : bool :=
    match c with Atleast i z => z <=? x i | Below i z => x i <? z | Fit i j z => x i + x j <=? z end.
  Definition accepted (h : hypercall) : bool := forallb holds (conditions h).
  Definition passed (h : hypercall) : list Z := map x (seq 1 (List.length (parameters h))).

  (** The entry that serves the call in the registers, if it is one and is accepted. *)
  Definition request (cs : list hypercall) : option hypercall :=
    match find (fun h => x 0 =? number h) cs with
    | Some h => if accepted h then Some h else None
    | None => None
    end.
End Meaning.

(** An entry speaks of the six registers only, and an argument of type [u32] is checked to be one. *)
Definition narrow (h : hypercall) (i : nat) : bool :=
  existsb (fun c => match c with Below j z => (j =? i)%nat && (z <=? 4294967296) | _ => false end) (conditions h).
Definition fine (c : condition) : bool :=
  match c with
  | Atleast i _ | Below i _ => (i <=? 5)%nat
  | Fit i j z => (i <=? 5)%nat && (j <=? 5)%nat && in_range U64 z
  end.
Definition well_formed (h : hypercall) : bool :=
  (List.length (parameters h) <=? 5)%nat && forallb fine (conditions h) &&
  forallb (fun p => match snd p with U32 => narrow h (fst p) | U64 => true end)
    (combine (seq 1 (List.length (parameters h))) (parameters h)).

(** What is accepted has the handler's types. *)
Lemma narrow_range x h i : accepted x h = true -> narrow h i = true -> x i < 4294967296.
Proof.
  unfold accepted, narrow. rewrite forallb_forall, existsb_exists. intros A (c & I & B). specialize (A c I).
  destruct c as [|j z|]; try discriminate B. apply andb_true_iff in B as [J Z]. apply Nat.eqb_eq in J as ->.
  cbn in A. apply Z.ltb_lt in A. apply Z.leb_le in Z. lia.
Qed.

(** The entry that serves a call depends on the six registers only. *)
Section Six.
  Context (x y : nat -> Z) (same : forall i, (i <= 5)%nat -> x i = y i).

  Lemma accepted_same h : well_formed h = true -> accepted x h = accepted y h.
  Proof.
    unfold well_formed, accepted. intros W. apply andb_true_iff in W as [W _]. apply andb_true_iff in W as [_ W].
    induction (conditions h) as [|c cs IH]; [reflexivity|]. cbn [forallb] in W |- *.
    apply andb_true_iff in W as [F W].
    rewrite IH by exact W. f_equal. destruct c as [i z|i z|i j z]; cbn [fine holds] in F |- *.
    - apply Nat.leb_le in F. now rewrite same.
    - apply Nat.leb_le in F. now rewrite same.
    - apply andb_true_iff in F as [F _]. apply andb_true_iff in F as [I J]. apply Nat.leb_le in I.
      apply Nat.leb_le in J.
      now rewrite !same.
  Qed.

  Lemma passed_same h : well_formed h = true -> passed x h = passed y h.
  Proof.
    unfold well_formed, passed. intros W. apply andb_true_iff in W as [W _]. apply andb_true_iff in W as [W _].
    apply Nat.leb_le in W. apply map_ext_in. intros i I. apply in_seq in I. apply same. lia.
  Qed.

  Lemma request_same cs : forallb well_formed cs = true -> request x cs = request y cs.
  Proof.
    unfold request. rewrite (same 0) by lia. intros W. induction cs as [|h cs IH]; [reflexivity|].
    cbn [forallb find] in W |- *. apply andb_true_iff in W as [W1 W2].
    destruct (y 0 =? number h); [now rewrite (accepted_same h W1) | exact (IH W2)].
  Qed.
End Six.

Lemma request_in x cs h : request x cs = Some h -> In h cs /\ x 0%nat = number h /\ accepted x h = true.
Proof.
  unfold request. destruct (find _ cs) as [g|] eqn:F; [|discriminate]. destruct (accepted x g) eqn:A; [|discriminate].
  intros [= ->]. apply find_some in F as [I E]. apply Z.eqb_eq in E. auto.
Qed.
