(* SPDX-License-Identifier: Apache-2.0 *)
(** Verification conditions.  [vc] computes, in continuation-passing style, a
    proposition that implies that a statement terminates in a given postcondition;
    loops need an invariant indexed by a natural number.  Rests on [Layer]; the
    tactics that run it are in [VcTac]. *)
From SeKVM.lib Require Export Layer.
From Coq Require Import Lia.
Local Open Scope Z_scope.

(** Total correctness of one statement. *)
Definition wp {S} (L : layer S) (st : stmt) (K : out S -> Prop) (e : env) (s : S) : Prop :=
  exists o, exec L st e s o /\ K o.

(** * Expressions *)

(** Undefined operations become side conditions of the verification condition. *)
Definition bin_vc (o : binop) (t : ty) (v w : Z) (K : Z -> Prop) : Prop :=
  match o with
  | Oadd => K (wrap t (v + w))
  | Osub => K (wrap t (v - w))
  | Omul => K (wrap t (v * w))
  | Odiv => w <> 0 /\ K (v / w)
  | Omod => w <> 0 /\ K (v mod w)
  | Oand => K (Z.land v w)
  | Oor => K (Z.lor v w)
  | Oxor => K (Z.lxor v w)
  | Oshl => 0 <= w < width t /\ K (wrap t (Z.shiftl v w))
  | Oshr => 0 <= w < width t /\ K (Z.shiftr v w)
  end.

Fixpoint ev (a : expr) (e : env) (K : Z -> Prop) : Prop :=
  match a with
  | Econst z => K z
  | Evar x => match assoc x e with Some (Some v) => K v | _ => False end
  | Ecast t a => ev a e (fun v => K (wrap t v))
  | Enot t a => ev a e (fun v => K (modulus t - 1 - v))
  | Ebin o t a b => ev a e (fun v => ev b e (fun w => bin_vc o t v w K))
  | Ecmp o a b => ev a e (fun v => ev b e (fun w => K (b2z (cmp o v w))))
  | Eland a b =>
      ev a e (fun v => if truth v then ev b e (fun w => K (b2z (truth w))) else K 0)
  | Elor a b =>
      ev a e (fun v => if truth v then K 1 else ev b e (fun w => K (b2z (truth w))))
  | Elnot a => ev a e (fun v => K (b2z (negb (truth v))))
  end.

(** Conditions as booleans, so that [if (a < b)] shows [a <? b] and no encoding. *)
Fixpoint evb (a : expr) (e : env) (K : bool -> Prop) : Prop :=
  match a with
  | Ecmp o a b => ev a e (fun v => ev b e (fun w => K (cmp o v w)))
  | Eland a b => evb a e (fun v => if v then evb b e K else K false)
  | Elor a b => evb a e (fun v => if v then K true else evb b e K)
  | Elnot a => evb a e (fun v => K (negb v))
  | a => ev a e (fun v => K (truth v))
  end.

Fixpoint evl (l : list expr) (e : env) (K : list Z -> Prop) : Prop :=
  match l with
  | [] => K []
  | a :: l => ev a e (fun v => evl l e (fun vs => K (v :: vs)))
  end.

Lemma binsem_ok o t v w K : bin_vc o t v w K -> exists r, binsem o t v w = Some r /\ K r.
Proof.
  destruct o; cbn; intros X; eauto.
  - destruct X as [N X]. apply Z.eqb_neq in N. rewrite N. eauto.
  - destruct X as [N X]. apply Z.eqb_neq in N. rewrite N. eauto.
  - destruct X as [[A B] X]. apply Z.leb_le in A. apply Z.ltb_lt in B. rewrite A, B. cbn. eauto.
  - destruct X as [[A B] X]. apply Z.leb_le in A. apply Z.ltb_lt in B. rewrite A, B. cbn. eauto.
Qed.

Lemma ev_ok a : forall e K, ev a e K -> exists v, eval a e = Some v /\ K v.
Proof.
  induction a as [ z | x | t a IH | t a IH | o t a IHa b IHb | o a IHa b IHb
                 | a IHa b IHb | a IHa b IHb | a IH ]; intros e K X; cbn in *.
  - eauto.
  - destruct (assoc x e) as [[v|]|]; [eauto | tauto | tauto].
  - apply IH in X as (v & -> & X). eauto.
  - apply IH in X as (v & -> & X). eauto.
  - apply IHa in X as (v & -> & X). apply IHb in X as (w & -> & X). now apply binsem_ok.
  - apply IHa in X as (v & -> & X). apply IHb in X as (w & -> & X). eauto.
  - apply IHa in X as (v & -> & X). destruct (truth v); eauto.
    apply IHb in X as (w & -> & X). eauto.
  - apply IHa in X as (v & -> & X). destruct (truth v); eauto.
    apply IHb in X as (w & -> & X). eauto.
  - apply IH in X as (v & -> & X). eauto.
Qed.

Lemma truth_b2z b : truth (b2z b) = b.
Proof. destruct b; reflexivity. Qed.

Lemma evb_ok a : forall e K, evb a e K -> exists v, eval a e = Some v /\ K (truth v).
Proof.
  induction a as [ z | x | t a IH | t a IH | o t a IHa b IHb | o a IHa b IHb
                 | a IHa b IHb | a IHa b IHb | a IH ]; intros e K X;
    try (apply ev_ok in X; exact X); cbn in X |- *.
  - apply ev_ok in X as (v & -> & X). apply ev_ok in X as (w & -> & X).
    eexists. split; [reflexivity | now rewrite truth_b2z].
  - apply IHa in X as (v & -> & X). destruct (truth v); eauto.
    apply IHb in X as (w & -> & X). eexists. split; [reflexivity | now rewrite truth_b2z].
  - apply IHa in X as (v & -> & X). destruct (truth v); eauto.
    apply IHb in X as (w & -> & X). eexists. split; [reflexivity | now rewrite truth_b2z].
  - apply IH in X as (v & -> & X). eexists. split; [reflexivity | now rewrite truth_b2z].
Qed.

Lemma evl_ok l : forall e K, evl l e K -> exists vs, evals l e = Some vs /\ K vs.
Proof.
  induction l as [|a l IH]; cbn; intros e K X; eauto.
  apply ev_ok in X as (v & -> & X). apply IH in X as (vs & -> & X). eauto.
Qed.

(** * Statements *)

Section VC.
  Context {S : Type} (L : tbl S).

  Definition call_vc (f : ident) (vs : list Z) (s : S) (K : Z -> S -> Prop) (KH : S -> Prop) : Prop :=
    match call L f vs s with
    | Some (Ok v s') => K v s'
    | Some (Halt s') => KH s'
    | None => False
    end.

  (** A loop is left as a [wp], for [wp_while]. *)
  Fixpoint vc (st : stmt) (K : out S -> Prop) (e : env) (s : S) {struct st} : Prop :=
    match st with
    | Sskip => K (Normal e s)
    | Sset x a => ev a e (fun v => K (Normal (upd x v e) s))
    | Scall x f l =>
        evl l e (fun vs =>
          call_vc f vs s (fun v s' => K (Normal (setopt x v e) s')) (fun s' => K (Halted s')))
    | Sseq a b => vc a (fun o => match o with Normal e' s' => vc b K e' s' | o => K o end) e s
    | Sif c a b => evb c e (fun v => if v then vc a K e s else vc b K e s)
    | Swhile c b => wp (graph L) (Swhile c b) K e s
    | Sreturn (Some a) => ev a e (fun v => K (Return v s))
    | Sreturn None => K (Return 0 s)
    end.

  (** Sequencing: the first part either runs on into the second or ends it all. *)
  Lemma wp_seq a b (K : out S -> Prop) e s :
    wp (graph L) a
       (fun o => match o with Normal e' s' => wp (graph L) b K e' s' | o => K o end) e s ->
    wp (graph L) (Sseq a b) K e s.
  Proof.
    intros ([e1 s1|v s1|s1] & Y & X).
    - destruct X as (o & Z & X). exists o. split; [eapply ex_seq; eauto | exact X].
    - eexists. split; [apply ex_seq_stop; [exact Y | discriminate] | exact X].
    - eexists. split; [apply ex_seq_stop; [exact Y | discriminate] | exact X].
  Qed.

  Lemma wp_weaken st (K K' : out S -> Prop) e s :
    (forall o, K o -> K' o) -> wp (graph L) st K e s -> wp (graph L) st K' e s.
  Proof. intros X (o & Y & Z). exists o. auto. Qed.

  Lemma vc_wp st : forall K e s, vc st K e s -> wp (graph L) st K e s.
  Proof.
    induction st as [ | x a | x f l | a IHa b IHb | c a IHa b IHb | c b IHb | [a|] ];
      intros K e s X; cbn in X.
    - eexists. split; [constructor | exact X].
    - apply ev_ok in X as (v & E & X). eexists. split; [constructor; eauto | exact X].
    - apply evl_ok in X as (vs & E & X). unfold call_vc in X.
      destruct (call L f vs s) as [[v s'|s']|] eqn:C; [| |tauto];
        eexists; (split; [|exact X]); [eapply ex_call | eapply ex_call_halt]; eauto.
    - apply wp_seq. apply IHa in X. eapply wp_weaken; [|exact X].
      intros [e1 s1|v s1|s1]; auto.
    - apply evb_ok in X as (v & E & X). destruct (truth v) eqn:T.
      + apply IHa in X as (o & Z & X). exists o. split; [|exact X].
        eapply ex_if; eauto. now rewrite T.
      + apply IHb in X as (o & Z & X). exists o. split; [|exact X].
        eapply ex_if; eauto. now rewrite T.
    - exact X.
    - apply ev_ok in X as (v & E & X). eexists. split; [apply ex_return, E | exact X].
    - eexists. split; [constructor | exact X].
  Qed.

  (** Cutting a sequence at an intermediate assertion [I]: k sequential
      conditionals cost k verification conditions and not 2^k. *)
  Lemma wp_cut a b (I : env -> S -> Prop) (K : out S -> Prop) e s :
    vc a (fun o => match o with Normal e' s' => I e' s' | o => K o end) e s ->
    (forall e' s', I e' s' -> wp (graph L) b K e' s') ->
    wp (graph L) (Sseq a b) K e s.
  Proof.
    intros X Y. apply wp_seq. apply vc_wp in X. eapply wp_weaken; [|exact X].
    intros [e1 s1|v s1|s1]; auto.
  Qed.

  (** Loops: an invariant indexed by a natural number that every round lowers. *)
  Lemma wp_while c b (I : nat -> env -> S -> Prop) (K : out S -> Prop) :
    (forall n e s, I n e s ->
       evb c e (fun v =>
         if v
         then vc b (fun o => match o with
                             | Normal e' s' => exists m, (m < n)%nat /\ I m e' s'
                             | o => K o end) e s
         else K (Normal e s))) ->
    forall n e s, I n e s -> wp (graph L) (Swhile c b) K e s.
  Proof.
    intros X n. induction n as [n IH] using (well_founded_induction Wf_nat.lt_wf).
    intros e s Y. apply X in Y. apply evb_ok in Y as (v & E & Y). destruct (truth v) eqn:T.
    - apply vc_wp in Y.
      assert (W : wp (graph L) (Sseq b (Swhile c b)) K e s).
      { apply wp_seq. eapply wp_weaken; [|exact Y]. intros [e1 s1|w s1|s1]; auto.
        intros (m & Lt & Z). exact (IH m Lt e1 s1 Z). }
      destruct W as (o & W & Z). exists o. split; [eapply ex_while; eauto | exact Z].
    - eexists. split; [eapply ex_while_end; eauto | exact Y].
  Qed.

  (** * Functions *)

  Fixpoint bind_vc (ts : list ident) (ps : list (ident * ty)) (vs : list Z) (K : env -> Prop) : Prop :=
    match ps, vs with
    | [], [] => K (map (fun x => (x, None)) ts)
    | (x, t) :: ps, v :: vs =>
        0 <= v < modulus t /\ bind_vc ts ps vs (fun e => K ((x, Some v) :: e))
    | _, _ => False
    end.

  Lemma bind_vc_ok ts ps : forall vs K,
    bind_vc ts ps vs K -> exists e, bind_params ts ps vs = Some e /\ K e.
  Proof.
    induction ps as [|[x t] ps IH]; intros [|v vs] K X; cbn in *; try tauto; eauto.
    destruct X as [[A B] X]. apply IH in X as (e & E & X). unfold in_range.
    apply Z.leb_le in A. apply Z.ltb_lt in B. rewrite A, B, E. cbn. eauto.
  Qed.

  (** The postcondition of a body that makes the function end in [K] or [KH]. *)
  Definition post (rt : option ty) (K : Z -> S -> Prop) (KH : S -> Prop) (o : out S) : Prop :=
    match o, rt with
    | Return v s, Some t => K (wrap t v) s
    | Return _ s, None => K 0 s
    | Normal _ s, None => K 0 s
    | Normal _ _, Some _ => False
    | Halted s, _ => KH s
    end.

  Lemma post_result rt K KH o : post rt K KH o ->
    exists r, fn_result rt o = Some r /\ match r with Ok v s' => K v s' | Halt s' => KH s' end.
  Proof. destruct o, rt; cbn; intros X; try tauto; eauto. Qed.

  Lemma fun_wp fn vs s (K : Z -> S -> Prop) (KH : S -> Prop) :
    bind_vc (fn_temps fn) (fn_params fn) vs (fun e =>
      wp (graph L) (fn_body fn) (post (fn_ret fn) K KH) e s) ->
    exists r, exec_fun (graph L) fn vs s r /\ match r with Ok v s' => K v s' | Halt s' => KH s' end.
  Proof.
    intros X. apply bind_vc_ok in X as (e & B & o & Z & P).
    apply post_result in P as (r & F & P). exists r. split; [exists e, o; auto | exact P].
  Qed.

  Lemma bind_vc_weaken ts ps : forall vs (K K' : env -> Prop),
    (forall e, K e -> K' e) -> bind_vc ts ps vs K -> bind_vc ts ps vs K'.
  Proof.
    induction ps as [|[x t] ps IH]; intros [|v vs] K K' X; cbn; try tauto; eauto.
    intros [A B]. split; [exact A|]. eapply IH; [|exact B]. cbn. auto.
  Qed.

  (** Code meets a spec on the same state: by [vc], and by any [wp] (for [wp_cut]). *)
  Lemma fun_ok_wp fn (p : prim S) :
    (forall vs s r, p vs s = Some r ->
       bind_vc (fn_temps fn) (fn_params fn) vs (fun e =>
         wp (graph L) (fn_body fn)
            (post (fn_ret fn) (fun v s' => r = Ok v s') (fun s' => r = Halt s')) e s)) ->
    fun_ok L fn p.
  Proof.
    intros X vs s r E. apply X in E. apply fun_wp in E as ([v t|t] & Y & ->); exact Y.
  Qed.

  Lemma fun_ok_vc fn (p : prim S) :
    (forall vs s r, p vs s = Some r ->
       bind_vc (fn_temps fn) (fn_params fn) vs (fun e =>
         vc (fn_body fn)
            (post (fn_ret fn) (fun v s' => r = Ok v s') (fun s' => r = Halt s')) e s)) ->
    fun_ok L fn p.
  Proof.
    intros X. apply fun_ok_wp. intros vs s r E.
    eapply bind_vc_weaken; [|exact (X vs s r E)]. intros e. apply vc_wp.
  Qed.

  (** ... and under a change of representation. *)
  Lemma fun_sim_wp {Sh} (R : srel Sh S) fn (p : prim Sh) :
    (forall vs s t r, rel R s t -> p vs s = Some r ->
       bind_vc (fn_temps fn) (fn_params fn) vs (fun e =>
         wp (graph L) (fn_body fn)
            (post (fn_ret fn) (fun v t' => res_rel R r (Ok v t')) (fun t' => res_rel R r (Halt t')))
            e t)) ->
    fun_sim R L fn p.
  Proof.
    intros X vs s t r E Z. specialize (X _ _ _ _ E Z).
    apply fun_wp in X as ([v t'|t'] & Y & W); eauto.
  Qed.

  Lemma fun_sim_vc {Sh} (R : srel Sh S) fn (p : prim Sh) :
    (forall vs s t r, rel R s t -> p vs s = Some r ->
       bind_vc (fn_temps fn) (fn_params fn) vs (fun e =>
         vc (fn_body fn)
            (post (fn_ret fn) (fun v t' => res_rel R r (Ok v t')) (fun t' => res_rel R r (Halt t')))
            e t)) ->
    fun_sim R L fn p.
  Proof.
    intros X. apply fun_sim_wp. intros vs s t r E Z.
    eapply bind_vc_weaken; [|exact (X vs s t r E Z)]. intros e. apply vc_wp.
  Qed.
End VC.

(** * Ranges *)

Lemma wrap_id t z : 0 <= z < modulus t -> wrap t z = z.
Proof. intros X. apply Z.mod_small, X. Qed.

Lemma wrap_range t z : 0 <= wrap t z < modulus t.
Proof. apply Z.mod_pos_bound. destruct t; reflexivity. Qed.

Lemma in_range_iff t z : in_range t z = true <-> 0 <= z < modulus t.
Proof. unfold in_range. rewrite andb_true_iff, Z.leb_le, Z.ltb_lt. tauto. Qed.
