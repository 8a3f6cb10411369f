(* SPDX-License-Identifier: Apache-2.0 *)
(** The layer calculus: refinement between layers, vertical and contextual
    composition, specification layers as tables of primitives, and what it is for
    a module of C code to implement a table, with or without a change of state
    representation.  Rests on [Lang]; every layer's [Refine.v] uses it. *)
From SeKVM.lib Require Export Lang.

(** * Refinement *)

(** A relation between the states of two layers: one for running states and one
    for states in which the machine has panicked. *)
Record srel (Sh Sl : Type) := mksrel { rel : Sh -> Sl -> Prop; hrel : Sh -> Sl -> Prop }.
Arguments mksrel {Sh Sl}.
Arguments rel {Sh Sl}.
Arguments hrel {Sh Sl}.

Definition req {S} : srel S S := mksrel eq eq.
Definition rcomp {A B C} (R : srel A B) (Q : srel B C) : srel A C :=
  mksrel (fun a c => exists b, rel R a b /\ rel Q b c)
         (fun a c => exists b, hrel R a b /\ hrel Q b c).

Definition res_rel {Sh Sl} (R : srel Sh Sl) (r : res Sh) (r' : res Sl) : Prop :=
  match r, r' with
  | Ok v s, Ok v' s' => v = v' /\ rel R s s'
  | Halt s, Halt s' => hrel R s s'
  | _, _ => False
  end.

Definition out_rel {Sh Sl} (R : srel Sh Sl) (o : out Sh) (o' : out Sl) : Prop :=
  match o, o' with
  | Normal e s, Normal e' s' => e = e' /\ rel R s s'
  | Return v s, Return v' s' => v = v' /\ rel R s s'
  | Halted s, Halted s' => hrel R s s'
  | _, _ => False
  end.

(** Whatever [hi] can do, [lo] can do from every related state, with the same
    return value and a related result.  Where [hi] has no result (a call outside
    its domain) nothing is claimed. *)
Definition refines {Sh Sl} (R : srel Sh Sl) (hi : layer Sh) (lo : layer Sl) : Prop :=
  forall f vs s t r, rel R s t -> hi f vs s r -> exists r', lo f vs t r' /\ res_rel R r r'.

Lemma res_rel_req {S} (r : res S) : res_rel req r r.
Proof. destruct r; cbn; auto. Qed.

Lemma refines_refl {S} (L : layer S) : refines req L L.
Proof. intros f vs s t r E X. cbn in E. subst t. exists r. split; [exact X | apply res_rel_req]. Qed.

Lemma res_rel_comp {A B C} (R : srel A B) (Q : srel B C) r1 r2 r3 :
  res_rel R r1 r2 -> res_rel Q r2 r3 -> res_rel (rcomp R Q) r1 r3.
Proof.
  destruct r1 as [v1 a|a], r2 as [v2 b|b], r3 as [v3 c|c]; cbn; try tauto.
  - intros [-> X] [-> Y]. eauto.
  - eauto.
Qed.

Lemma refines_trans {A B C} (R : srel A B) (Q : srel B C) a b c :
  refines R a b -> refines Q b c -> refines (rcomp R Q) a c.
Proof.
  intros X Y f vs s u r (t & E & E') Z.
  destruct (X _ _ _ _ _ E Z) as (r1 & Z1 & G1).
  destruct (Y _ _ _ _ _ E' Z1) as (r2 & Z2 & G2).
  exists r2. split; [exact Z2 | exact (res_rel_comp _ _ _ _ _ G1 G2)].
Qed.

(** The same statement over a refined layer behaves the same. *)
Lemma exec_sim {Sh Sl} (R : srel Sh Sl) hi lo : refines R hi lo ->
  forall st e s o, exec hi st e s o ->
  forall t, rel R s t -> exists o', exec lo st e t o' /\ out_rel R o o'.
Proof.
  intros X st e s o Z.
  induction Z as [ e s | x a v e s A | x f l vs v e s s' A C | x f l vs e s s' A C
                 | a b e s e1 s1 o Z1 IH1 Z2 IH2 | a b e s o Z IH N | c v a b e s o A Z IH
                 | c v b e s A T | c v b e s o A T Z IH | a v e s A | e s ]; intros t E.
  - exists (Normal e t). split; [constructor | cbn; auto].
  - exists (Normal (upd x v e) t). split; [now constructor | cbn; auto].
  - destruct (X _ _ _ _ _ E C) as ([v' t'|t'] & C' & G); cbn in G; [|tauto].
    destruct G as [<- G]. eexists. split; [eapply ex_call; eauto | cbn; auto].
  - destruct (X _ _ _ _ _ E C) as ([v' t'|t'] & C' & G); cbn in G; [tauto|].
    eexists. split; [eapply ex_call_halt; eauto | cbn; auto].
  - destruct (IH1 _ E) as ([e2 t2|v2 t2|t2] & Y & G); cbn in G; try tauto.
    destruct G as [<- G]. destruct (IH2 _ G) as (o' & Y' & G').
    exists o'. split; [eapply ex_seq; eauto | exact G'].
  - destruct (IH _ E) as (o' & Y & G). exists o'. split; [|exact G].
    apply ex_seq_stop; [exact Y|]. intros e1 s1 ->.
    destruct o as [e2 s2| |]; cbn in G; try tauto. exact (N e2 s2 eq_refl).
  - destruct (IH _ E) as (o' & Y & G). exists o'. split; [eapply ex_if; eauto | exact G].
  - exists (Normal e t). split; [eapply ex_while_end; eauto | cbn; auto].
  - destruct (IH _ E) as (o' & Y & G). exists o'. split; [eapply ex_while; eauto | exact G].
  - exists (Return v t). split; [now constructor | cbn; auto].
  - exists (Return 0%Z t). split; [constructor | cbn; auto].
Qed.

Lemma fn_result_rel {Sh Sl} (R : srel Sh Sl) rt o o' r :
  out_rel R o o' -> fn_result rt o = Some r ->
  exists r', fn_result rt o' = Some r' /\ res_rel R r r'.
Proof.
  destruct o as [e s|v s|s], o' as [e' t|v' t|t], rt; cbn; try tauto; try discriminate;
    intros G [= <-]; eexists; (split; [reflexivity|]); cbn; try tauto.
  - destruct G as [<- G]. auto.
Qed.

Lemma exec_fun_sim {Sh Sl} (R : srel Sh Sl) hi lo : refines R hi lo ->
  forall fn vs s t r, rel R s t -> exec_fun hi fn vs s r ->
  exists r', exec_fun lo fn vs t r' /\ res_rel R r r'.
Proof.
  intros X fn vs s t r E (e & o & B & Z & F).
  destruct (exec_sim R _ _ X _ _ _ _ Z _ E) as (o' & Z' & G).
  destruct (fn_result_rel R _ _ _ _ G F) as (r' & F' & G').
  exists r'. split; [exists e, o'; auto | exact G'].
Qed.

(** Any module of code, run over a refined layer. *)
Theorem sem_mono {Sh Sl} (R : srel Sh Sl) M hi lo :
  refines R hi lo -> refines R (sem M hi) (sem M lo).
Proof.
  intros X f vs s t r E. unfold sem.
  destruct (assoc f M) as [fn|]; [apply exec_fun_sim | apply X]; auto.
Qed.

(** Contextual refinement: no client [C] can tell the layers apart. *)
Corollary contextual {Sh Sl} (R : srel Sh Sl) (top : layer Sh) (bot : layer Sl) (C : module) :
  refines R top bot -> refines R (sem C top) (sem C bot).
Proof. apply sem_mono. Qed.

(** Vertical composition of two verified layers. *)
Theorem vcomp {A B C} (R : srel A B) (Q : srel B C) M N L2 L1 L0 :
  refines R L2 (sem M L1) -> refines Q L1 (sem N L0) ->
  refines (rcomp R Q) L2 (sem M (sem N L0)).
Proof. intros X Y. eapply refines_trans; [exact X | apply sem_mono, Y]. Qed.

(** * Specification layers *)

(** An executable primitive; [None] is undefined. *)
Definition prim (S : Type) := list Z -> S -> option (res S).

(** A specification layer is an association list of primitives. *)
Definition tbl (S : Type) := list (ident * prim S).

Definition call {S} (L : tbl S) (f : ident) (vs : list Z) (s : S) : option (res S) :=
  match assoc f L with Some p => p vs s | None => None end.
Definition graph {S} (L : tbl S) : layer S := fun f vs s r => call L f vs s = Some r.

(** The overlay: the new specifications in front of those that pass through. *)
Definition over {S} (T L : tbl S) : tbl S := T ++ L.

Lemma graph_det {S} (L : tbl S) : deterministic (graph L).
Proof. intros f vs s r r' A B. unfold graph in *. congruence. Qed.

Lemma assoc_app {A} x (l m : list (ident * A)) :
  assoc x (l ++ m) = match assoc x l with Some a => Some a | None => assoc x m end.
Proof. induction l as [|[y a] l IH]; cbn; auto. destruct (String.eqb x y); auto. Qed.

(** ** Code that implements a table, same state type *)

Definition fun_ok {S} (L : tbl S) (fn : func) (p : prim S) : Prop :=
  forall vs s r, p vs s = Some r -> exec_fun (graph L) fn vs s r.

(** Table and module list the same names in the same order. *)
Fixpoint mod_ok {S} (L : tbl S) (M : module) (T : tbl S) : Prop :=
  match T, M with
  | [], [] => True
  | (f, p) :: T, (g, fn) :: M => f = g /\ fun_ok L fn p /\ mod_ok L M T
  | _, _ => False
  end.

(** ** Code that implements a table under a change of representation *)

Definition fun_sim {Sh Sl} (R : srel Sh Sl) (Lo : tbl Sl) (fn : func) (p : prim Sh) : Prop :=
  forall vs s t r, rel R s t -> p vs s = Some r ->
  exists r', exec_fun (graph Lo) fn vs t r' /\ res_rel R r r'.

Fixpoint mod_sim {Sh Sl} (R : srel Sh Sl) (Lo : tbl Sl) (M : module) (T : tbl Sh) : Prop :=
  match T, M with
  | [], [] => True
  | (f, p) :: T, (g, fn) :: M => f = g /\ fun_sim R Lo fn p /\ mod_sim R Lo M T
  | _, _ => False
  end.

Lemma mod_sim_assoc {Sh Sl} (R : srel Sh Sl) Lo f T : forall M, mod_sim R Lo M T ->
  match assoc f T with
  | Some p => exists fn, assoc f M = Some fn /\ fun_sim R Lo fn p
  | None => assoc f M = None
  end.
Proof.
  induction T as [|[g p] T IH]; intros [|[h fn] M] X; cbn in *; try tauto.
  destruct X as (<- & O & X). destruct (String.eqb f g); [eauto | apply IH, X].
Qed.

(** The layer theorem: [M] implements the new primitives [T]; the primitives [Hi]
    that the overlay keeps pass through to the underlay [Lo]. *)
Theorem mod_sim_refines {Sh Sl} (R : srel Sh Sl) (Lo : tbl Sl) M T (Hi : tbl Sh) :
  mod_sim R Lo M T -> refines R (graph Hi) (graph Lo) ->
  refines R (graph (over T Hi)) (sem M (graph Lo)).
Proof.
  intros X P f vs s t r E Z. unfold graph at 1, call, over in Z. rewrite assoc_app in Z.
  unfold sem. pose proof (mod_sim_assoc R Lo f T M X) as Y.
  destruct (assoc f T) as [p|].
  - destruct Y as (fn & -> & O). eapply O; eauto.
  - rewrite Y. eapply P; eauto.
Qed.

Lemma mod_ok_sim {S} (L : tbl S) T : forall M, mod_ok L M T -> mod_sim req L M T.
Proof.
  induction T as [|[f p] T IH]; intros [|[g fn] M]; cbn; try tauto.
  intros (-> & O & X). split; [reflexivity|]. split; [|auto].
  intros vs s t r E Z. cbn in E. subst t. exists r. auto using res_rel_req.
Qed.

Theorem mod_ok_refines {S} (L : tbl S) M T :
  mod_ok L M T -> refines req (graph (over T L)) (sem M (graph L)).
Proof. intros X. apply mod_sim_refines; [apply mod_ok_sim, X | apply refines_refl]. Qed.

(** ** Primitives that pass through *)

Definition prim_rel {Sh Sl} (R : srel Sh Sl) (p : prim Sh) (q : prim Sl) : Prop :=
  forall vs s t r, rel R s t -> p vs s = Some r -> exists r', q vs t = Some r' /\ res_rel R r r'.

Definition tbl_rel {Sh Sl} (R : srel Sh Sl) : tbl Sh -> tbl Sl -> Prop :=
  Forall2 (fun a b => fst a = fst b /\ prim_rel R (snd a) (snd b)).

Lemma tbl_rel_app {Sh Sl} (R : srel Sh Sl) T1 T2 U1 U2 :
  tbl_rel R T1 U1 -> tbl_rel R T2 U2 -> tbl_rel R (T1 ++ T2) (U1 ++ U2).
Proof. apply Forall2_app. Qed.

Lemma tbl_rel_req {S} (T : tbl S) : tbl_rel req T T.
Proof.
  induction T as [|[f p] T IH]; constructor; auto. split; [reflexivity|].
  intros vs s t r E X. cbn in E. subst t. exists r. auto using res_rel_req.
Qed.

(** An overlay may keep any part of the underlay, in any order; the rest is hidden.
    For concrete tables [keeps] is proved by [repeat constructor]. *)
Definition keeps {S} (U L : tbl S) : Prop := Forall (fun x => assoc (fst x) L = Some (snd x)) U.

Lemma keeps_assoc {S} (U L : tbl S) f p : keeps U L -> assoc f U = Some p -> assoc f L = Some p.
Proof.
  induction 1 as [|[g q] U E K IH]; cbn in *; [discriminate|].
  destruct (String.eqb_spec f g) as [->|N]; [intros [= <-]; exact E | exact IH].
Qed.

Theorem tbl_rel_keep {Sh Sl} (R : srel Sh Sl) T U L :
  tbl_rel R T U -> keeps U L -> refines R (graph T) (graph L).
Proof.
  intros Y K f vs s t r E Z. unfold graph, call in *.
  destruct (assoc f T) as [p|] eqn:A; [|discriminate].
  assert (B : exists q, assoc f U = Some q /\ prim_rel R p q).
  { clear K Z. induction Y as [|[g p'] [g' q] T U [N P] Y IH]; cbn in *; [discriminate|]. subst g'.
    destruct (String.eqb f g); [injection A as <-; eauto | auto]. }
  destruct B as (q & B & P). rewrite (keeps_assoc _ _ _ _ K B). exact (P _ _ _ _ E Z).
Qed.

Corollary refines_keep {S} (U L : tbl S) : keeps U L -> refines req (graph U) (graph L).
Proof. apply tbl_rel_keep, tbl_rel_req. Qed.

(** The layer theorem with hidden primitives, same state. *)
Corollary mod_ok_refines_keep {S} (L : tbl S) M T U :
  mod_ok L M T -> keeps U L -> refines req (graph (over T U)) (sem M (graph L)).
Proof.
  intros X K. apply mod_sim_refines; [apply mod_ok_sim, X | apply refines_keep, K].
Qed.

(** Code that is right over a part of a table is right over the whole: a layer's code
    proof names only the primitives that it uses. *)
Lemma fun_sim_keep {Sh Sl} (R : srel Sh Sl) (U L : tbl Sl) fn p :
  keeps U L -> fun_sim R U fn p -> fun_sim R L fn p.
Proof.
  intros K X vs s t r E Z. destruct (X vs s t r E Z) as (r1 & Y & G).
  destruct (exec_fun_sim req _ _ (refines_keep U L K) fn vs t t r1 eq_refl Y) as (r2 & Y2 & G2).
  exists r2. split; [exact Y2|]. destruct r1, r2; cbn in G2; try tauto.
  - now destruct G2 as [<- <-].
  - now subst.
Qed.

Lemma fun_ok_keep {S} (U L : tbl S) fn p : keeps U L -> fun_ok U fn p -> fun_ok L fn p.
Proof.
  intros K X vs s r Z.
  destruct (exec_fun_sim req _ _ (refines_keep U L K) fn vs s s r eq_refl (X vs s r Z)) as (r2 & Y2 & G2).
  destruct r, r2; cbn in G2; try tauto.
  - now destruct G2 as [<- <-].
  - now subst.
Qed.
