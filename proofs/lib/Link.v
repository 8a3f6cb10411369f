(* SPDX-License-Identifier: Apache-2.0 *)
(** Linking: the nested layers [sem M_n (... (sem M_1 L0))] are implemented by one
    flat program on one bottom machine.  [end_to_end] is the shape of the stack
    theorem.  Rests on [Layer]; used by [Stack.v] and by the interpreter. *)
From SeKVM.lib Require Export Layer.
From Coq Require Import Lia.

(** * Flat programs *)

(** [flatn P L0 n]: the functions of [P] may call one another to depth [n]. *)
Fixpoint flatn {S} (P : module) (L0 : layer S) (n : nat) : layer S :=
  match n with
  | O => fun f vs s r => assoc f P = None /\ L0 f vs s r
  | Datatypes.S n => sem P (flatn P L0 n)
  end.
Definition flat {S} (P : module) (L0 : layer S) : layer S :=
  fun f vs s r => exists n, flatn P L0 n f vs s r.

Definition included {S} (L L' : layer S) : Prop := forall f vs s r, L f vs s r -> L' f vs s r.

Lemma exec_mono {S} (L L' : layer S) : included L L' ->
  forall st e s o, exec L st e s o -> exec L' st e s o.
Proof. intros X. induction 1; solve [econstructor; eauto]. Qed.

Lemma exec_fun_mono {S} (L L' : layer S) : included L L' ->
  forall fn vs s r, exec_fun L fn vs s r -> exec_fun L' fn vs s r.
Proof. intros X fn vs s r (e & o & B & Z & F). exists e, o. eauto using exec_mono. Qed.

Lemma flatn_succ {S} P (L0 : layer S) n : included (flatn P L0 n) (flatn P L0 (Datatypes.S n)).
Proof.
  induction n as [|n IH]; intros f vs s r X.
  - destruct X as [E X]. unfold flatn, sem. rewrite E. auto.
  - change (sem P (flatn P L0 (Datatypes.S n)) f vs s r).
    change (sem P (flatn P L0 n) f vs s r) in X. unfold sem in X |- *.
    destruct (assoc f P); [exact (exec_fun_mono _ _ IH _ _ _ _ X) | auto].
Qed.

Lemma flatn_le {S} P (L0 : layer S) n m : (n <= m)%nat -> included (flatn P L0 n) (flatn P L0 m).
Proof. induction 1; [intros ? ? ? ?; auto | intros ? ? ? ? X; apply flatn_succ; auto]. Qed.

Lemma flatn_det {S} P (L0 : layer S) n : deterministic L0 -> deterministic (flatn P L0 n).
Proof.
  intros D. induction n as [|n IH].
  - intros g vs s r r' [_ X] [_ Y]. exact (D _ _ _ _ _ X Y).
  - apply sem_det, IH.
Qed.

Theorem flat_det {S} P (L0 : layer S) : deterministic L0 -> deterministic (flat P L0).
Proof.
  intros D f vs s r r' [n X] [m Y].
  eapply (flatn_det P L0 (n + m) D); eapply flatn_le; try eassumption; lia.
Qed.

(** The same flat program over a refined bottom. *)
Theorem flat_mono {Sh Sl} (R : srel Sh Sl) P hi lo :
  refines R hi lo -> refines R (flat P hi) (flat P lo).
Proof.
  intros X.
  assert (G : forall n, refines R (flatn P hi n) (flatn P lo n)).
  { induction n as [|n IH]; [|apply sem_mono, IH].
    intros f vs s t r E [A B]. destruct (X _ _ _ _ _ E B) as (r' & C & D).
    exists r'. split; [split|]; auto. }
  intros f vs s t r E [n Y]. destruct (G n _ _ _ _ _ E Y) as (r' & Z & D).
  exists r'. split; [exists n|]; auto.
Qed.

(** * The side condition of linking, decided by computation *)

Fixpoint calls (s : stmt) : list ident :=
  match s with
  | Scall _ f _ => [f]
  | Sseq a b | Sif _ a b => calls a ++ calls b
  | Swhile _ a => calls a
  | _ => []
  end.
Definition member (x : ident) (l : list ident) : bool := existsb (String.eqb x) l.
Definition names {A} (M : list (ident * A)) : list ident := map fst M.
Definition mcalls (M : module) : list ident := flat_map (fun p => calls (fn_body (snd p))) M.
Definition disjoint (a b : list ident) : bool := forallb (fun x => negb (member x b)) a.

(** Lowest module first.  A module calls nothing of its own nor of later modules
    (so there is no recursion) and redefines nothing. *)
Fixpoint stack_wf (low : module) (Ms : list module) : bool :=
  match Ms with
  | [] => true
  | M :: Ms =>
      disjoint (mcalls M) (names M) && disjoint (mcalls low) (names M) &&
      disjoint (names low) (names M) && stack_wf (low ++ M) Ms
  end.

Fixpoint nested {S} (L : layer S) (Ms : list module) : layer S :=
  match Ms with [] => L | M :: Ms => nested (sem M L) Ms end.

Lemma member_In x l : member x l = true <-> In x l.
Proof.
  unfold member. rewrite existsb_exists. split.
  - intros (y & I & E). apply String.eqb_eq in E. now subst.
  - intros I. exists x. split; [exact I | apply String.eqb_refl].
Qed.

Lemma disjoint_ok a b x : disjoint a b = true -> In x a -> ~ In x b.
Proof.
  unfold disjoint. rewrite forallb_forall. intros X I J. specialize (X x I).
  apply member_In in J. rewrite J in X. discriminate.
Qed.

Lemma assoc_In {A} x (l : list (ident * A)) a : assoc x l = Some a -> In (x, a) l.
Proof.
  induction l as [|[y b] l IH]; cbn; [discriminate|].
  destruct (String.eqb_spec x y) as [->|N]; [intros [= <-]; auto | auto].
Qed.

Lemma assoc_names {A} x (l : list (ident * A)) a : assoc x l = Some a -> In x (names l).
Proof. intros E. apply in_map_iff. exists (x, a). split; [reflexivity | now apply assoc_In]. Qed.

Lemma assoc_None {A} x (l : list (ident * A)) : ~ In x (names l) -> assoc x l = None.
Proof.
  intros N. destruct (assoc x l) as [a|] eqn:E; [|reflexivity].
  destruct (N (assoc_names _ _ _ E)).
Qed.

Lemma assoc_defined {A} x (l : list (ident * A)) : In x (names l) -> assoc x l <> None.
Proof.
  induction l as [|[y b] l IH]; cbn; [tauto|].
  destruct (String.eqb_spec x y) as [->|N]; [discriminate|].
  intros [E|I]; [congruence | auto].
Qed.

Lemma assoc_mcalls M x fn f : assoc x M = Some fn -> In f (calls (fn_body fn)) -> In f (mcalls M).
Proof.
  intros E I. apply in_flat_map. exists (x, fn). split; [now apply assoc_In | exact I].
Qed.

(** * The link theorem *)

(** Only the behaviour of the functions that it calls matters to a statement. *)
Lemma exec_calls {S} (L L' : layer S) st e s o : exec L st e s o ->
  (forall f vs s r, In f (calls st) -> L f vs s r -> L' f vs s r) -> exec L' st e s o.
Proof.
  intros Z.
  induction Z as [ | | x f l vs v e s s' A C | x f l vs e s s' A C
                 | a b e s e1 s1 o Z1 IH1 Z2 IH2 | a b e s o Z IH N | c v a b e s o A Z IH
                 | | c v b e s o A T Z IH | | ]; intros X; cbn [calls] in *;
    try solve [econstructor; eauto].
  - eapply ex_call; eauto. apply X; cbn; auto.
  - eapply ex_call_halt; eauto. apply X; cbn; auto.
  - eapply ex_seq; [apply IH1 | apply IH2]; intros; apply X; auto using in_or_app.
  - apply ex_seq_stop; auto. apply IH. intros; apply X; auto using in_or_app.
  - eapply ex_if; eauto. apply IH. intros f ? ? ? I. apply X.
    destruct (truth v); auto using in_or_app.
  - eapply ex_while; eauto. apply IH. intros f ? ? ? I. apply X.
    apply in_app_or in I. tauto.
Qed.

(** Adding later modules to a program does not change what it did before. *)
Lemma flatn_extend {S} (L0 : layer S) P M : disjoint (mcalls P) (names M) = true ->
  forall n f vs s r, In f (names P) \/ ~ In f (names M) ->
  flatn P L0 n f vs s r -> flatn (P ++ M) L0 n f vs s r.
Proof.
  intros DJ. induction n as [|n IH]; intros f vs s r I X.
  - destruct X as [E X]. split; auto. rewrite assoc_app, E.
    destruct I as [I|I]; [destruct (assoc_defined _ _ I E) | now apply assoc_None].
  - change (sem (P ++ M) (flatn (P ++ M) L0 n) f vs s r).
    change (sem P (flatn P L0 n) f vs s r) in X.
    unfold sem in X |- *. rewrite assoc_app. destruct (assoc f P) as [fn|] eqn:E.
    + destruct X as (e & o & B & Z & F). exists e, o. split; [exact B|]. split; [|exact F].
      eapply exec_calls; [exact Z|]. intros g ? ? ? J. apply IH. right.
      eapply disjoint_ok; [exact DJ|]. exact (assoc_mcalls _ _ _ _ E J).
    + destruct (assoc f M) as [gn|] eqn:E'.
      * destruct I as [I|I]; [destruct (assoc_defined _ _ I E) | destruct (I (assoc_names _ _ _ E'))].
      * apply IH; auto.
Qed.

(** A run over a flat program makes finitely many calls, so one depth suffices. *)
Lemma exec_flat {S} (P : module) (L0 : layer S) st e s o :
  exec (flat P L0) st e s o -> exists n, exec (flatn P L0 n) st e s o.
Proof.
  assert (MO : forall n m st e s o, (n <= m)%nat ->
             exec (flatn P L0 n) st e s o -> exec (flatn P L0 m) st e s o)
    by (intros; eapply exec_mono; [apply flatn_le; eassumption | assumption]).
  intros Z.
  induction Z as [ | | x f l vs v e s s' A [n C] | x f l vs e s s' A [n C]
                 | a b e s e1 s1 o Z1 [n IH1] Z2 [m IH2] | a b e s o Z [n IH] N
                 | c v a b e s o A Z [n IH] | | c v b e s o A T Z [n IH] | | ];
    try solve [exists O; econstructor; eauto]; try solve [exists n; econstructor; eauto].
  exists (n + m)%nat. eapply ex_seq; [eapply (MO n) | eapply (MO m)]; eauto; lia.
Qed.

Lemma link1 {S} (L0 : layer S) P M (L : layer S) :
  disjoint (mcalls M) (names M) = true ->
  disjoint (mcalls P) (names M) = true ->
  disjoint (names P) (names M) = true ->
  included L (flat P L0) -> included (sem M L) (flat (P ++ M) L0).
Proof.
  intros D1 D2 D3 X f vs s r Z. unfold sem in Z. destruct (assoc f M) as [fn|] eqn:E.
  - destruct (exec_fun_mono _ _ X _ _ _ _ Z) as (e & o & B & Y & F).
    destruct (exec_flat _ _ _ _ _ _ Y) as [n Y']. exists (Datatypes.S n).
    change (sem (P ++ M) (flatn (P ++ M) L0 n) f vs s r). unfold sem. rewrite assoc_app.
    assert (assoc f P = None) as ->.
    { apply assoc_None. intros I. exact (disjoint_ok _ _ f D3 I (assoc_names _ _ _ E)). }
    rewrite E. exists e, o. repeat split; auto. eapply exec_calls; [exact Y'|].
    intros g ? ? ? J. apply flatn_extend; auto. right.
    eapply disjoint_ok; [exact D1|]. exact (assoc_mcalls _ _ _ _ E J).
  - destruct (X _ _ _ _ Z) as [n Y]. exists n. apply flatn_extend; auto. right.
    intros I. exact (assoc_defined _ _ I E).
Qed.

Theorem link {S} (L0 : layer S) Ms : forall P (L : layer S),
  stack_wf P Ms = true -> included L (flat P L0) ->
  included (nested L Ms) (flat (P ++ List.concat Ms) L0).
Proof.
  induction Ms as [|M Ms IH]; intros P L W X f vs s r Z; cbn in *.
  - rewrite app_nil_r. auto.
  - apply andb_prop in W as [W W4]. apply andb_prop in W as [W W3]. apply andb_prop in W as [W1 W2].
    rewrite app_assoc. eapply (IH (P ++ M)); [exact W4 | | exact Z]. apply link1; auto.
Qed.

Lemma nested_app {S} (L : layer S) Ms Ns : nested L (Ms ++ Ns) = nested (nested L Ms) Ns.
Proof. revert L. induction Ms; cbn; auto. Qed.

(** Whatever the top layer says, the linked program does on the bottom machine. *)
Theorem end_to_end {Sh S} (R : srel Sh S) (top : layer Sh) (L0 : layer S) Ms :
  stack_wf [] Ms = true -> refines R top (nested L0 Ms) ->
  refines R top (flat (List.concat Ms) L0).
Proof.
  intros W X f vs s t r E Z. destruct (X _ _ _ _ _ E Z) as (r' & Y & G).
  exists r'. split; [|exact G]. apply (link L0 Ms [] L0 W); auto.
  intros g ? ? ? A. exists O. split; auto.
Qed.
