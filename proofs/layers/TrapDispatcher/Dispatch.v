(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 32, TrapDispatcher: the code of a dispatcher for any table of calls, and that it is the lookup in this
    table.  The code proof shows that the generated C is this code for the generated table, so a change of the table
    needs no new proof.  Rests on [Call] and [Wp]; used by [ProofCode]. *)
From SeKVM.lib Require Import Wp.
From SeKVM.layers.TrapDispatcher Require Import Call.
From Coq Require Import Lia.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * The code *)

(** The locals that hold the words of x0 to x5. *)
Definition local (i : nat) : ident := nth i ["number"; "arg1"; "arg2"; "arg3"; "arg4"; "arg5"] "".

(** The sum of two words may wrap around, a difference that is not negative does not. *)
Definition tests_of (c : condition) : list expr :=
  match c with
  | Atleast i z => [Ecmp Cge (Evar (local i)) (Econst z)]
  | Below i z => [Ecmp Clt (Evar (local i)) (Econst z)]
  | Fit i j z => [Ecmp Cle (Evar (local j)) (Econst z);
                  Ecmp Cle (Evar (local i)) (Ebin Osub U64 (Econst z) (Evar (local j)))]
  end.
Definition guard (ts : list expr) (st : stmt) : stmt :=
  match ts with [] => st | t :: ts => Sif (fold_left Eland ts t) st Sskip end.
Definition argument (p : nat * ty) : expr :=
  match snd p with U32 => Ecast U32 (Evar (local (fst p))) | U64 => Evar (local (fst p)) end.
Definition arguments (h : hypercall) : list expr :=
  map argument (combine (seq 1 (List.length (parameters h))) (parameters h)).
Definition act (h : hypercall) : stmt :=
  if has_result h then Scall (Some "answer") (handler h) (arguments h)
  else Sseq (Scall None (handler h) (arguments h)) (Sset "answer" (Econst 0)).
Definition chain (cs : list hypercall) : stmt :=
  fold_right (fun h rest => Sif (Ecmp Ceq (Evar (local 0)) (Econst (number h)))
                                (guard (flat_map tests_of (conditions h)) (act h)) rest) Sskip cs.

(** * It is the lookup *)

Section Chain.
  Context (x : nat -> Z) (e : env).
  Context (here : forall i, (i <= 5)%nat -> assoc (local i) e = Some (Some (x i))).
  Context (bounded : forall i, 0 <= x i < 18446744073709551616).

  Definition tests (a : expr) (b : bool) : Prop := forall K : bool -> Prop, K b -> evb a e K.

  Lemma tests_and a b v w : tests a v -> tests b w -> tests (Eland a b) (v && w).
  Proof. intros A B K H. cbn [evb]. apply A. destruct v; [apply B, H | exact H]. Qed.

  Lemma tests_all ts bs : Forall2 tests ts bs -> forall a v, tests a v -> tests (fold_left Eland ts a) (v &&
    forallb id bs).
  Proof.
    induction 1 as [|t b ts bs T _ IH]; intros a v A; cbn [fold_left forallb].
    - now rewrite andb_true_r.
    - rewrite andb_assoc. apply IH. now apply tests_and.
  Qed.

  Definition values (c : condition) : list bool :=
    match c with Fit i j z => [x j <=? z; x i <=? wrap U64 (z - x j)] | c => [holds x c] end.

  Lemma tests_values c : fine c = true -> Forall2 tests (tests_of c) (values c).
  Proof.
    destruct c as [i z|i z|i j z]; cbn [fine tests_of values holds]; intros F.
    - apply Nat.leb_le in F. constructor; [|constructor]. intros K H. cbn [evb ev]. now rewrite here.
    - apply Nat.leb_le in F. constructor; [|constructor]. intros K H. cbn [evb ev]. now rewrite here.
    - apply andb_true_iff in F as [F _]. apply andb_true_iff in F as [I J]. apply Nat.leb_le in I.
      apply Nat.leb_le in J.
      constructor; [|constructor; [|constructor]]; intros K H; cbn [evb ev bin_vc]; now rewrite !here.
  Qed.

  Lemma values_hold c : fine c = true -> forallb id (values c) = holds x c.
  Proof.
    destruct c as [i z|i z|i j z]; cbn [fine values forallb holds id]; intros F; rewrite ?andb_true_r;
      try reflexivity.
    apply andb_true_iff in F as [_ F]. apply in_range_iff in F. cbn [modulus] in F.
    pose proof (bounded i). pose proof (bounded j). unfold id.
    destruct (Z.leb_spec (x j) z) as [J|J]; cbn [andb].
    - rewrite wrap_id by (cbn [modulus]; lia). apply eq_true_iff_eq. rewrite !Z.leb_le. lia.
    - symmetry. apply Z.leb_gt. lia.
  Qed.

  Lemma tests_conditions cs : forallb fine cs = true ->
    Forall2 tests (flat_map tests_of cs) (flat_map values cs) /\ forallb id (flat_map values cs) =
      forallb (holds x) cs.
  Proof.
    induction cs as [|c cs IH]; cbn [forallb flat_map]; [split; [constructor | reflexivity]|].
    intros F. apply andb_true_iff in F as [F1 F2]. destruct (IH F2) as [A B]. split.
    - apply Forall2_app; [now apply tests_values | exact A].
    - now rewrite forallb_app, values_hold, B by exact F1.
  Qed.

  Lemma arguments_from ps : forall k, (k + List.length ps <= 6)%nat ->
    (forall i t, In (i, t) (combine (seq k (List.length ps)) ps) -> t = U32 -> x i < 4294967296) ->
    forall K : list Z -> Prop, K (map x (seq k (List.length ps))) ->
      evl (map argument (combine (seq k (List.length ps)) ps)) e K.
  Proof.
    induction ps as [|t ps IH]; cbn [List.length seq combine map evl]; intros k B T K H; [exact H|].
    assert (Ev : forall K : Z -> Prop, K (x k) -> ev (argument (k, t)) e K).
    { intros K' H'. unfold argument. cbn [fst snd]. destruct t; cbn [ev]; rewrite here by lia; [|exact H'].
      rewrite wrap_id; [exact H'|]. cbn [modulus]. split; [apply bounded|]. eapply T; [now left | reflexivity]. }
    apply Ev. apply IH; [lia | | exact H]. intros i u I. apply T. now right.
  Qed.

  Context {S : Type} (L : tbl S) (ops : ident -> prim S).

  Theorem chain_ok cs s (K : out S -> Prop) :
    Forall (fun h => well_formed h = true /\ assoc (handler h) L = Some (ops (handler h))) cs ->
    match request x cs with
    | Some h =>
        match ops (handler h) (passed x h) s with
        | Some (Ok v t) => K (Normal (upd "answer" (if has_result h then v else 0) e) t)
        | Some (Halt t) => K (Halted t)
        | None => False
        end
    | None => K (Normal e s)
    end -> vc L (chain cs) K e s.
  Proof.
    induction 1 as [|h cs [W A] _ IH]; intros H; [exact H|].
    cbn [chain fold_right vc evb ev]. rewrite here by lia. cbn [cmp].
    unfold request in H, IH. cbn [find] in H. destruct (x 0 =? number h); [|apply IH, H]. clear IH.
    unfold well_formed in W. apply andb_true_iff in W as [W T]. apply andb_true_iff in W as [W F].
    apply Nat.leb_le in W.
    destruct (tests_conditions _ F) as [C V].
    assert (ACT : accepted x h = true -> vc L (act h) K e s).
    { intros AC. rewrite AC in H.
      assert (ARG : forall K : list Z -> Prop, K (passed x h) -> evl (arguments h) e K).
      { intros K' H'. unfold arguments. apply arguments_from; [lia | | exact H']. intros i t I ->.
        rewrite forallb_forall in T. specialize (T _ I). cbn in T. exact (narrow_range x h i AC T). }
      unfold act. destruct (has_result h); cbn [vc]; apply ARG; unfold call_vc, call; rewrite A;
        destruct (ops (handler h) _ s) as [[v t|t]|]; exact H. }
    fold (accepted x h) in V. revert C V. generalize (flat_map values (conditions h)) as bs. intros bs C V.
    destruct C as [|t b ts bs TT TS]; cbn [guard vc]; cbn [forallb] in V.
    - apply ACT. symmetry. exact V.
    - apply (tests_all _ _ TS _ _ TT). unfold id at 1 in V. rewrite V.
      destruct (accepted x h); [now apply ACT | exact H].
  Qed.
End Chain.
