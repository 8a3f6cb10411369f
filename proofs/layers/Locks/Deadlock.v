(* SPDX-License-Identifier: Apache-2.0 *)
(** No deadlock.  Let all CPUs of the interleaving machine run functions of a program that takes locks in
    order.  Then of the CPUs in the middle of a function one is not waiting for a lock ([no_deadlock]), and if each
    of them can go on or waits, one can go on ([progress]): what a CPU waits for is held by a CPU that waits, if it
    does, for a lock of greater rank. Rests on [Smp] and [LockOrder]; [StackLocks] applies it to the program of all
    layers. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import SmpCode.
From SeKVM.machine Require Import Objects LockOrder.
From SeKVM.layers.Locks Require Import Smp.
Local Open Scope Z_scope.
Local Open Scope list_scope.

(** * The log of a CPU's part of a run *)

Definition log_of_run (tr : list label) : log := flat_map (fun e => actions (fst (fst e)) (snd (fst e))) tr.

(** The log of a run of code over a trace: what it has logged and what the rest of the trace will.  At the end of an
    unfinished run the question [last] is in it too. *)
Definition R_log (total last : log) : srel (list label) (list label * log) :=
  mksrel (fun tr s => tr = fst s /\ snd s ++ log_of_run tr = total)
         (fun tr s => snd s ++ log_of_run tr = total ++ last).

Lemma ask_logged g ws total : refines (R_log total (actions g ws)) (Lask g ws) (logged (Lask g ws)).
Proof.
  intros f vs tr [tr' t] r [E T] A. cbn [fst snd] in *. subst tr'.
  destruct tr as [|[[h us] [v|]] tr]; cbn in A; [| |tauto];
    destruct A as (-> & -> & ->).
  - exists (Halt ([], t ++ actions g ws)). cbn in *. rewrite app_nil_r in *. subst t. auto.
  - exists (Ok v (tr, t ++ actions f vs)). cbn in *. rewrite <- app_assoc. auto.
Qed.

Lemma trace_logged total : refines (R_log total []) Ltrace (logged Ltrace).
Proof.
  intros f vs tr [tr' t] r [E T] A. cbn [fst snd] in *. subst tr'.
  destruct tr as [|[[h us] [v|]] tr]; cbn in A; [tauto| |];
    destruct A as (-> & -> & ->).
  - exists (Ok v (tr, t ++ actions f vs)). cbn in *. rewrite <- app_assoc. auto.
  - exists (Halt (tr, t ++ actions f vs)). cbn in *. rewrite <- app_assoc, app_nil_r. auto.
Qed.

(** * Owners *)

(** A step of a CPU, by its lock actions. *)
Lemma op_actions f vs o : opof f vs = Some o ->
  match o with
  | Acq k => exists l, actions f vs = [Acquire l] /\ number l = Some k
  | Rel k => exists l, actions f vs = [Release l] /\ number l = Some k
  | Do _ => actions f vs = []
  end.
Proof.
  intros O. unfold opof in O. destruct (Lang.assoc f lock_functions) as [[b num]|] eqn:F.
  - apply assoc_In in F. cbn in F.
    repeat destruct F as [F|F]; try tauto; injection F as <- <- <-; unfold own_lock, vm_lock in O;
      destruct vs as [|vm [|]]; try discriminate;
      try (destruct (is_vmid vm) eqn:V; [|discriminate]); injection O as <-;
      eexists; (split; [reflexivity|]); cbn; try rewrite V; reflexivity.
  - injection O as <-. unfold LockLog.actions. rewrite (assoc_None f lock_calls); [reflexivity|].
    intros I. exact (assoc_defined f lock_functions I F).
Qed.

(** CPU [c] holds in the machine what its log says. *)
Definition owns (c : Z) (g : @glob objval private) (held : list (lock lock_class)) : Prop :=
  forall k, g_own g !! k = Some c -> exists l, In l held /\ number l = Some k.

Lemma drop_other l j : forall held rest, LockLog.drop class_dec l held = Some rest -> In j held -> j <> l ->
  In j rest.
Proof.
  induction held as [|i held IH]; cbn; intros rest D I N; [discriminate|].
  destruct (LockLog.lock_dec class_dec l i) as [->|M].
  - injection D as <-. destruct I as [->|I]; [now destruct N | exact I].
  - destruct (LockLog.drop class_dec l held) as [rest'|]; [|discriminate]. injection D as <-.
    destruct I as [->|I]; [now left | right; exact (IH rest' eq_refl I N)].
Qed.

Lemma owns_run c tr g g' : grun opof tr g g' -> forall held held',
  owns c g held -> after held (log_of_run (proj c tr)) = Some held' -> owns c g' held'.
Proof.
  induction 1 as [g | d f vs v o tr g g1 g' O G R IH]; intros held held' W A; cbn [proj] in A.
  - now injection A as <-.
  - pose proof (op_actions f vs o O) as X. destruct (Z.eqb_spec d c) as [->|N].
    + change (after held (actions f vs ++ log_of_run (proj c tr)) = Some held') in A.
      rewrite LockLog.after_app in A. destruct (after held (actions f vs)) as [h1|] eqn:B; [|discriminate].
      apply (IH h1 held'); [|exact A].
      destruct G as [ k x ob w l p E1 E2 | k x ob w l p E1 E2 | h u q m ob w l p E D | h q m ob w l p E D ].
      * destruct X as (j & X & Nj). rewrite X in B. cbn in B. destruct (LockLog.below _ _ _); [|discriminate].
        injection B as <-. intros k' Ek. cbn in Ek. destruct (decide (k' = k)) as [->|M].
        -- exists j. split; [now left | exact Nj].
        -- rewrite lookup_insert_ne in Ek by congruence. destruct (W k' Ek) as (i & I & Ni). exists i.
           split; [now right | exact Ni].
      * destruct X as (j & X & Nj). rewrite X in B. cbn in B.
        destruct (LockLog.drop class_dec j held) as [rest|] eqn:D; [|discriminate]. injection B as <-.
        intros k' Ek. cbn in Ek. apply lookup_delete_Some in Ek as [M Ek]. destruct (W k' Ek) as (i & I & Ni).
        exists i. split; [|exact Ni]. apply (drop_other j i held rest D I). intros ->. congruence.
      * rewrite X in B. injection B as <-. exact W.
      * rewrite X in B. injection B as <-. exact W.
    + apply (IH held held'); [|exact A]. intros k Ek. apply W.
      destruct G as [ k0 x ob w l p E1 E2 | k0 x ob w l p E1 E2 | h u q m ob w l p E D | h q m ob w l p E D ];
        cbn in *.
      * destruct (decide (k = k0)) as [->|M]; [rewrite lookup_insert in Ek; congruence|].
        now rewrite lookup_insert_ne in Ek by congruence.
      * now apply lookup_delete_Some in Ek as [_ Ek].
      * exact Ek.
      * exact Ek.
Qed.

(** * Waiting *)

Section Program.
  Context (Pr : module) (in_order : ordered Pr = true).

  (** After the calls [tr], a CPU is between calls of the program's functions, or in the middle of one and asks for
      the call [g ws]. *)
  Inductive stands (tr : list label) : option (ident * list Z) -> Prop :=
  | between cs v : client cs -> runs (flat Pr Ltrace) cs tr (Ok v []) -> stands tr None
  | inside cs g ws : client cs -> runs (flat Pr (Lask g ws)) cs tr (Halt []) -> stands tr (Some (g, ws)).

  Lemma between_holds_none tr : stands tr None -> after [] (log_of_run tr) = Some [].
  Proof.
    intros X. inversion X as [cs v Cl Y|]; subst.
    pose proof (flat_mono _ Pr _ _ (trace_logged (log_of_run tr))) as F.
    destruct (refines_runs _ _ _ F cs _ _ Y (tr, []) (conj eq_refl eq_refl)) as (r & Z & G).
    pose proof (LockLog.checked_ordered class_dec rank lock_calls Pr _ cs tr r in_order Cl Z) as A.
    destruct r as [w [t l]|]; cbn in G; [|tauto]. destruct G as (_ & _ & G). cbn in A, G. rewrite app_nil_r in G.
    now subst.
  Qed.

  Lemma inside_in_order tr g ws : stands tr (Some (g, ws)) ->
    exists h, after [] (log_of_run tr ++ actions g ws) = Some h.
  Proof.
    intros X. inversion X as [|cs g' ws' Cl Y]; subst.
    pose proof (flat_mono _ Pr _ _ (ask_logged g ws (log_of_run tr))) as F.
    destruct (refines_runs _ _ _ F cs _ _ Y (tr, []) (conj eq_refl eq_refl)) as (r & Z & G).
    pose proof (LockLog.checked_ordered class_dec rank lock_calls Pr _ cs tr r in_order Cl Z) as A.
    destruct r as [|[t l]]; cbn in G; [tauto|]. cbn in A. rewrite app_nil_r in G. now subst.
  Qed.

  Context (tr : list (Z * label)) (g0 gl : @glob objval private) (run : grun opof tr g0 gl)
          (free : forall k, g_own g0 !! k = None)
          (next : Z -> option (ident * list Z)) (where_ : forall c, stands (proj c tr) (next c)).

  (** The call asks for a lock that some CPU holds. *)
  Definition waits (call : ident * list Z) : Prop :=
    exists k d, opof (fst call) (snd call) = Some (Acq k) /\ g_own gl !! k = Some d.

  (** A CPU that holds a lock is in the middle of a function, and if it wants another lock, then one of greater
      rank. *)
  Lemma owner_inside k d : g_own gl !! k = Some d ->
    exists l g ws, number l = Some k /\ next d = Some (g, ws) /\
      forall k', opof g ws = Some (Acq k') -> exists l', number l' = Some k' /\ rank (fst l) < rank (fst l').
  Proof.
    intros E. assert (W : owns d g0 []) by (intros j Ej; rewrite free in Ej; discriminate).
    pose proof (where_ d) as At. destruct (next d) as [[g ws]|] eqn:Nx.
    - destruct (inside_in_order _ g ws At) as (h & A). rewrite LockLog.after_app in A.
      destruct (after [] (log_of_run (proj d tr))) as [held|] eqn:B; [|discriminate].
      destruct (owns_run d tr g0 gl run [] held W B k E) as (l & I & Nl). exists l, g, ws.
      split; [exact Nl|]. split; [reflexivity|]. intros k' O. destruct (op_actions g ws _ O) as (l' & X & Nl').
      exists l'. split; [exact Nl'|]. rewrite X in A. cbn in A.
      destruct (LockLog.below rank (rank (fst l')) held) eqn:Bl; [|discriminate].
      unfold LockLog.below in Bl. rewrite forallb_forall in Bl. now apply Z.ltb_lt, Bl.
    - destruct (owns_run d tr g0 gl run [] [] W (between_holds_none _ At) k E) as (l & [] & _).
  Qed.

  (** Read: after any run of the machine from a state in which no lock is held, in which every CPU has run functions
      of the program: if some CPU is in the middle of one, then some CPU is that does not wait for a lock. *)
  Theorem no_deadlock c call : next c = Some call -> exists d call', next d = Some call' /\ ~ waits call'.
  Proof.
    assert (Not : forall c call, next c = Some call -> (forall k, opof (fst call) (snd call) <> Some (Acq k)) ->
      exists d call', next d = Some call' /\ ~ waits call').
    { intros d ca Nd NA. exists d, ca. split; [exact Nd|]. intros (k & e & W & _). exact (NA k W). }
    assert (Step : forall n c call k l, next c = Some call -> opof (fst call) (snd call) = Some (Acq k) ->
      number l = Some k -> 5 - rank (fst l) <= Z.of_nat n -> exists d call', next d = Some call' /\ ~ waits call').
    { induction n as [|n IH]; intros e ca k l Ne O Nl Le; [destruct (fst l); cbn in Le; lia|].
      destruct (g_own gl !! k) as [d|] eqn:E.
      - destruct (owner_inside k d E) as (l1 & g & ws & N1 & Nd & Up).
        destruct (opof g ws) as [[k'| |]|] eqn:O'.
        + destruct (Up k' eq_refl) as (l' & N' & Lt). apply (IH d (g, ws) k' l' Nd O' N').
          rewrite (number_inj l1 l k N1 Nl) in Lt. lia.
        + apply (Not d _ Nd). cbn. congruence.
        + apply (Not d _ Nd). cbn. congruence.
        + apply (Not d _ Nd). cbn. congruence.
      - exists e, ca. split; [exact Ne|]. intros (k' & d & W & H). congruence. }
    intros Nc. destruct (opof (fst call) (snd call)) as [[k| |]|] eqn:O.
    - destruct (op_actions _ _ _ O) as (l & _ & Nl). apply (Step 5%nat c call k l Nc O Nl).
      destruct (fst l); cbn; lia.
    - apply (Not c _ Nc). congruence.
    - apply (Not c _ Nc). congruence.
    - apply (Not c _ Nc). congruence.
  Qed.

  (** With [SmpCode.never_stuck], which gives the second premise for code that is defined locally: the machine goes
      on. *)
  Corollary progress c call : next c = Some call ->
    (forall d g ws, next d = Some (g, ws) -> exists o, opof g ws = Some o /\
       ((exists v g', gstep d o gl v g') \/ exists k e, o = Acq k /\ g_own gl !! k = Some e /\ e <> d)) ->
    exists d g ws o v g', next d = Some (g, ws) /\ opof g ws = Some o /\ gstep d o gl v g'.
  Proof.
    intros Nc En. destruct (no_deadlock c call Nc) as (d & [g ws] & Nd & NW).
    destruct (En d g ws Nd) as (o & O & [(v & g' & St)|(k & e & -> & E & _)]).
    - exists d, g, ws, o, v, g'. auto.
    - destruct NW. exists k, e. auto.
  Qed.
End Program.
