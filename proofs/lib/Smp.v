(* SPDX-License-Identifier: Apache-2.0 *)
(** Many CPUs.  An interleaving machine of all CPUs, with many lock-protected objects,
    private state for each CPU and panics, against the CPU-local machine with
    environment scripts on which all specifications are stated.  Proved: every run of
    the interleaving machine, also one that stops in the middle of functions, is for
    each CPU a local run under scripts made of the other CPUs' own releases
    ([local_view]); what each CPU guarantees is what the others rely on
    ([rely_guarantee]); a step that is defined locally is enabled in the interleaving
    machine unless it waits for a lock ([enabled]).  Rests on [Link] and [Cell]. *)
From stdpp Require Import gmap.
From SeKVM.lib Require Export Link Cell.
Local Open Scope Z_scope.

(** Pointwise update of a total function. *)
Definition fupd {A} (k : Z) (a : A) (f : Z -> A) : Z -> A := fun k' => if k' =? k then a else f k'.

Lemma fupd_same {A} k (a : A) f : fupd k a f k = a.
Proof. unfold fupd. now rewrite Z.eqb_refl. Qed.

Lemma fupd_other {A} k k' (a : A) f : k' <> k -> fupd k a f k' = f k'.
Proof. intros N. unfold fupd. now apply Z.eqb_neq in N as ->. Qed.

Section Smp.
  (** Values of objects, private states. *)
  Context {X P : Type}.

  Definition event : Type := Z * X.

  (** What a primitive does: lock operations on an object, or a computation on the
      private state and on the objects that the CPU holds, and on nothing else. *)
  Inductive op :=
  | Acq (k : Z)
  | Rel (k : Z)
  | Do (p : P * gmap Z X -> option (res (P * gmap Z X))).

  Context (opof : ident -> list Z -> option op).

  (** * The interleaving machine *)

  Record glob := mkglob {
    g_obj : gmap Z X;              (* the objects, each once *)
    g_own : gmap Z Z;              (* who holds which lock *)
    g_log : Z -> list event;       (* all releases, newest first *)
    g_priv : Z -> P;               (* private state of each CPU *)
    g_stop : bool                  (* some CPU has panicked: all stop *) }.

  (** The objects that CPU [c] holds. *)
  Definition held_by (c : Z) (g : glob) : gmap Z X :=
    map_imap (fun k x => if decide (g_own g !! k = Some c) then Some x else None) (g_obj g).

  (** A step of CPU [c]: the result [Some v], or [None] for a panic.  A computation on
      an object that [c] does not hold finds it absent. *)
  Inductive gstep (c : Z) : op -> glob -> option Z -> glob -> Prop :=
  | g_acq k x o w l p :
      o !! k = Some x -> w !! k = None ->
      gstep c (Acq k) (mkglob o w l p false) (Some 0) (mkglob o (<[k := c]> w) l p false)
  | g_rel k x o w l p :
      o !! k = Some x -> w !! k = Some c ->
      gstep c (Rel k) (mkglob o w l p false) (Some 0)
            (mkglob o (delete k w) (fupd k ((c, x) :: l k) l) p false)
  | g_do f v q m o w l p :
      f (p c, held_by c (mkglob o w l p false)) = Some (Ok v (q, m)) ->
      dom m = dom (held_by c (mkglob o w l p false)) ->
      gstep c (Do f) (mkglob o w l p false) (Some v) (mkglob (m ∪ o) w l (fupd c q p) false)
  | g_panic f q m o w l p :
      f (p c, held_by c (mkglob o w l p false)) = Some (Halt (q, m)) ->
      dom m = dom (held_by c (mkglob o w l p false)) ->
      gstep c (Do f) (mkglob o w l p false) None (mkglob (m ∪ o) w l (fupd c q p) true).

  (** * The CPU-local machine *)

  Record loc := mkloc { l_priv : P; l_cells : gmap Z (cell X) }.

  Definition holding (s : loc) : gmap Z X :=
    omap (fun cl => if c_held cl then Some (c_val cl) else None) (l_cells s).
  Definition put (m : gmap Z X) (cs : gmap Z (cell X)) : gmap Z (cell X) :=
    map_imap (fun k cl => Some (match m !! k with Some x => set_val x cl | None => cl end)) cs.

  Inductive lstep (c : Z) : op -> loc -> option Z -> loc -> Prop :=
  | l_acq k cl p cs :
      cs !! k = Some cl -> c_held cl = false ->
      Forall (fun e => fst e <> c) (hd [] (c_script cl)) ->
      lstep c (Acq k) (mkloc p cs) (Some 0) (mkloc p (<[k := acquire_cell cl]> cs))
  | l_rel k cl p cs :
      cs !! k = Some cl -> c_held cl = true ->
      lstep c (Rel k) (mkloc p cs) (Some 0) (mkloc p (<[k := release_cell c cl]> cs))
  | l_do f v q m p cs :
      f (p, holding (mkloc p cs)) = Some (Ok v (q, m)) -> dom m = dom (holding (mkloc p cs)) ->
      lstep c (Do f) (mkloc p cs) (Some v) (mkloc q (put m cs))
  | l_panic f q m p cs :
      f (p, holding (mkloc p cs)) = Some (Halt (q, m)) -> dom m = dom (holding (mkloc p cs)) ->
      lstep c (Do f) (mkloc p cs) None (mkloc q (put m cs)).

  (** * Runs *)

  (** A call with its result, [None] for a panic. *)
  Definition label : Type := ident * list Z * option Z.

  Inductive grun : list (Z * label) -> glob -> glob -> Prop :=
  | grun_nil g : grun [] g g
  | grun_cons c f vs v o tr g g' g'' :
      opof f vs = Some o -> gstep c o g v g' -> grun tr g' g'' -> grun ((c, (f, vs, v)) :: tr) g g''.

  Inductive lrun (c : Z) : list label -> loc -> loc -> Prop :=
  | lrun_nil s : lrun c [] s s
  | lrun_cons f vs v o tr s s' s'' :
      opof f vs = Some o -> lstep c o s v s' -> lrun c tr s' s'' -> lrun c ((f, vs, v) :: tr) s s''.

  (** CPU [c]'s part of a run. *)
  Fixpoint proj (c : Z) (tr : list (Z * label)) : list label :=
    match tr with
    | [] => []
    | (d, e) :: tr => if d =? c then e :: proj c tr else proj c tr
    end.

  (** * The view of one CPU *)

  (** The local state with its scripts replaced. *)
  Definition with_script (scr : Z -> list (list event)) (s : loc) : loc :=
    mkloc (l_priv s)
          (map_imap (fun k cl => Some (mkcell (c_val cl) (c_held cl) (c_log cl) (scr k))) (l_cells s)).

  (** What relates the machine to the view of CPU [c]; [pend k] are the releases of
      object [k] that [c] has not seen yet. *)
  Record cell_view_of (c : Z) (g : glob) (k : Z) (x : X) (cl : cell X) (pend : list event) : Prop := {
    cv_log : g_log g k = pend ++ c_log cl;
    cv_others : Forall (fun e => fst e <> c) pend;
    cv_held : c_held cl = true <-> g_own g !! k = Some c;
    cv_mine : c_held cl = true -> c_val cl = x /\ pend = [];
    cv_free : g_own g !! k = None -> x = newest pend (c_val cl) }.

  Record view_of (c : Z) (g : glob) (s : loc) (pend : Z -> list event) : Prop := {
    vo_priv : l_priv s = g_priv g c;
    vo_dom : dom (g_obj g) = dom (l_cells s);
    vo_cell : forall k x cl, g_obj g !! k = Some x -> l_cells s !! k = Some cl ->
              cell_view_of c g k x cl (pend k) }.

  Lemma lookup_held_by c g k :
    held_by c g !! k = if decide (g_own g !! k = Some c) then g_obj g !! k else None.
  Proof.
    unfold held_by. rewrite map_lookup_imap. destruct (g_obj g !! k); cbn.
    - destruct (decide _); reflexivity.
    - destruct (decide _); reflexivity.
  Qed.

  Lemma held_by_dom c g (m : gmap Z X) k y :
    dom m = dom (held_by c g) -> m !! k = Some y -> g_own g !! k = Some c /\ is_Some (g_obj g !! k).
  Proof.
    intros D E. assert (I : k ∈ dom (held_by c g)) by (rewrite <- D; now apply elem_of_dom_2 in E).
    apply elem_of_dom in I. rewrite lookup_held_by in I.
    destruct (decide _); [auto | destruct I; discriminate].
  Qed.

  Lemma union_dom c g (m : gmap Z X) : dom m = dom (held_by c g) -> dom (m ∪ g_obj g) = dom (g_obj g).
  Proof.
    intros D. rewrite dom_union_L. apply set_eq. intros k. rewrite elem_of_union.
    split; [|auto]. intros [I|I]; [|exact I]. apply elem_of_dom in I as [y E].
    apply elem_of_dom. exact (proj2 (held_by_dom c g m k y D E)).
  Qed.

  (** The local view of an object that exists. *)
  Lemma view_lookup c g s pend k x :
    view_of c g s pend -> g_obj g !! k = Some x ->
    exists cl, l_cells s !! k = Some cl /\ cell_view_of c g k x cl (pend k).
  Proof.
    intros V E. assert (I : k ∈ dom (l_cells s)).
    { rewrite <- (vo_dom _ _ _ _ V). now apply elem_of_dom_2 in E. }
    apply elem_of_dom in I as [cl C]. exists cl. split; [exact C|]. exact (vo_cell _ _ _ _ V _ _ _ E C).
  Qed.

  (** What a CPU holds is the same in both machines. *)
  Lemma holding_view c g s pend : view_of c g s pend -> holding s = held_by c g.
  Proof.
    intros V. apply map_eq. intros k. rewrite lookup_held_by. unfold holding. rewrite lookup_omap.
    destruct (g_obj g !! k) as [x|] eqn:E.
    - destruct (view_lookup _ _ _ _ _ _ V E) as (cl & C & W). rewrite C. cbn.
      destruct (c_held cl) eqn:H.
      + rewrite decide_True by (now apply (cv_held _ _ _ _ _ _ W)).
        destruct (cv_mine _ _ _ _ _ _ W H) as [-> _]. reflexivity.
      + rewrite decide_False; [reflexivity|]. intros O.
        apply (cv_held _ _ _ _ _ _ W) in O. congruence.
    - assert (C : l_cells s !! k = None).
      { apply not_elem_of_dom. rewrite <- (vo_dom _ _ _ _ V). now apply not_elem_of_dom. }
      rewrite C. cbn. destruct (decide _); reflexivity.
  Qed.

  (** ** Steps of the other CPUs *)

  Lemma other_write d c g (m : gmap Z X) q b s pend :
    dom m = dom (held_by d g) -> d <> c -> view_of c g s pend ->
    view_of c (mkglob (m ∪ g_obj g) (g_own g) (g_log g) (fupd d q (g_priv g)) b) s pend.
  Proof.
    intros D N [V1 V2 V3]. split; cbn [g_obj g_own g_log g_priv].
    - now rewrite fupd_other by auto.
    - now rewrite (union_dom d g m D).
    - intros k x cl O C. apply lookup_union_Some_raw in O as [O|[_ O]].
      + destruct (held_by_dom _ _ _ _ _ D O) as [B [x0 B']].
        destruct (V3 _ _ _ B' C) as [W1 W2 W3 W4 W5].
        split; cbn [g_own g_log]; auto; [|congruence].
        intros H. apply W3 in H. congruence.
      + destruct (V3 _ _ _ O C) as [W1 W2 W3 W4 W5]. split; auto.
  Qed.

  Lemma other_step c d o g v g' s pend :
    gstep d o g v g' -> d <> c -> view_of c g s pend -> exists pend', view_of c g' s pend'.
  Proof.
    intros G N V.
    destruct G as [ k x o w l p E1 E2 | k x o w l p E1 E2 | f u q m o w l p E D | f q m o w l p E D ].
    - destruct V as [V1 V2 V3]. exists pend. split; [exact V1 | exact V2 |].
      intros k' x' cl O C. destruct (V3 _ _ _ O C) as [W1 W2 W3 W4 W5]. cbn [g_own g_log] in *.
      destruct (decide (k' = k)) as [->|Nk].
      + split; cbn [g_own g_log]; rewrite ?lookup_insert; [exact W1 | exact W2 | | exact W4 | discriminate].
        split; [intros H; apply W3 in H; congruence | intros [= ->]; congruence].
      + split; cbn [g_own g_log]; rewrite ?lookup_insert_ne by auto; auto.
    - destruct V as [V1 V2 V3]. exists (fupd k ((d, x) :: pend k) pend). split; [exact V1 | exact V2 |].
      intros k' x' cl O C. destruct (V3 _ _ _ O C) as [W1 W2 W3 W4 W5]. cbn [g_obj g_own g_log] in *.
      destruct (decide (k' = k)) as [->|Nk].
      + rewrite fupd_same. rewrite E1 in O. injection O as <-.
        split; cbn [g_own g_log]; rewrite ?fupd_same, ?lookup_delete.
        * cbn. now rewrite W1.
        * constructor; auto.
        * split; [intros H; apply W3 in H; congruence | discriminate].
        * intros H. apply W3 in H. congruence.
        * reflexivity.
      + rewrite fupd_other by auto.
        split; cbn [g_own g_log]; rewrite ?fupd_other, ?lookup_delete_ne by auto; auto.
    - exists pend. exact (other_write d c (mkglob o w l p false) m q false s pend D N V).
    - exists pend. exact (other_write d c (mkglob o w l p false) m q true s pend D N V).
  Qed.

  (** ** Steps of the CPU itself *)

  Lemma own_acq c k x o w l p cs q pend :
    o !! k = Some x -> w !! k = None -> view_of c (mkglob o w l p false) (mkloc q cs) pend ->
    exists cl, cs !! k = Some cl /\ c_held cl = false /\ Forall (fun e => fst e <> c) (pend k) /\
      forall rest, view_of c (mkglob o (<[k := c]> w) l p false)
        (mkloc q (<[k := mkcell (newest (pend k) (c_val cl)) true (pend k ++ c_log cl) rest]> cs))
        (fupd k [] pend).
  Proof.
    intros E1 E2 V. destruct (view_lookup _ _ _ _ _ _ V E1) as (cl & C & [W1 W2 W3 W4 W5]).
    cbn [l_cells g_own g_log] in *. exists cl. split; [exact C|]. split.
    - destruct (c_held cl); [|reflexivity]. apply proj1 in W3. rewrite E2 in W3. now specialize (W3 eq_refl).
    - split; [exact W2|]. intros rest. destruct V as [V1 V2 V3]. split; [exact V1 | |].
      + cbn in V2 |- *. rewrite V2, dom_insert_L.
        apply elem_of_dom_2 in C. set_solver.
      + intros k' x' cl' O C'. cbn [g_obj l_cells] in O, C'. destruct (decide (k' = k)) as [->|N].
        * rewrite E1 in O. injection O as <-. rewrite lookup_insert in C'. injection C' as <-.
          rewrite fupd_same. split; cbn [g_own g_log c_held c_val c_log]; rewrite ?lookup_insert.
          -- exact W1.
          -- constructor.
          -- tauto.
          -- intros _. split; [|reflexivity]. symmetry. now apply W5.
          -- discriminate.
        * rewrite lookup_insert_ne in C' by auto. rewrite fupd_other by auto.
          destruct (V3 _ _ _ O C') as [U1 U2 U3 U4 U5]. cbn [g_own g_log] in *.
          split; cbn [g_own g_log]; auto; now rewrite lookup_insert_ne by auto.
  Qed.

  Lemma own_rel c k x o w l p cs q pend :
    o !! k = Some x -> w !! k = Some c -> view_of c (mkglob o w l p false) (mkloc q cs) pend ->
    exists cl, cs !! k = Some cl /\ c_held cl = true /\
      forall rest, view_of c (mkglob o (delete k w) (fupd k ((c, x) :: l k) l) p false)
        (mkloc q (<[k := mkcell (c_val cl) false ((c, c_val cl) :: c_log cl) rest]> cs)) pend.
  Proof.
    intros E1 E2 V. destruct (view_lookup _ _ _ _ _ _ V E1) as (cl & C & [W1 W2 W3 W4 W5]).
    cbn [l_cells g_own g_log] in *. exists cl. split; [exact C|].
    assert (H : c_held cl = true) by (now apply W3). split; [exact H|].
    destruct (W4 H) as [Ev Ep]. intros rest. destruct V as [V1 V2 V3]. split; [exact V1 | |].
    - cbn in V2 |- *. rewrite V2, dom_insert_L. apply elem_of_dom_2 in C. set_solver.
    - intros k' x' cl' O C'. cbn [g_obj l_cells] in O, C'. destruct (decide (k' = k)) as [->|N].
      + rewrite E1 in O. injection O as <-. rewrite lookup_insert in C'. injection C' as <-.
        rewrite Ep. split; cbn [g_own g_log c_held c_val c_log]; rewrite ?fupd_same, ?lookup_delete.
        * cbn. rewrite W1, Ep, Ev. reflexivity.
        * constructor.
        * split; discriminate.
        * discriminate.
        * intros _. symmetry. exact Ev.
      + rewrite lookup_insert_ne in C' by auto.
        destruct (V3 _ _ _ O C') as [U1 U2 U3 U4 U5]. cbn [g_own g_log] in *.
        split; cbn [g_own g_log]; rewrite ?fupd_other, ?lookup_delete_ne by auto; auto.
  Qed.

  Lemma lookup_put (m : gmap Z X) cs k :
    put m cs !! k = match cs !! k with
                    | Some cl => Some (match m !! k with Some x => set_val x cl | None => cl end)
                    | None => None end.
  Proof. unfold put. rewrite map_lookup_imap. destruct (cs !! k); reflexivity. Qed.

  Lemma own_write c g (m : gmap Z X) q b s pend :
    dom m = dom (held_by c g) -> view_of c g s pend ->
    view_of c (mkglob (m ∪ g_obj g) (g_own g) (g_log g) (fupd c q (g_priv g)) b)
      (mkloc q (put m (l_cells s))) pend.
  Proof.
    intros D V. destruct V as [V1 V2 V3]. split; cbn [g_obj g_own g_log g_priv l_priv l_cells].
    - now rewrite fupd_same.
    - rewrite (union_dom c g m D), V2. apply set_eq. intros k. rewrite !elem_of_dom, lookup_put.
      destruct (l_cells s !! k) as [cl|].
      + split; intros _; eexists; reflexivity.
      + split; intros [? ?]; discriminate.
    - intros k x cl O C. rewrite lookup_put in C. destruct (l_cells s !! k) as [cl0|] eqn:C0; [|discriminate].
      injection C as <-. apply lookup_union_Some_raw in O as [O|[O' O]].
      + rewrite O. destruct (held_by_dom _ _ _ _ _ D O) as [B [x0 B']].
        destruct (V3 _ _ _ B' C0) as [W1 W2 W3 W4 W5]. apply W3 in B as H.
        split; cbn [g_own g_log c_held c_val c_log set_val]; auto.
        * intros _. split; [reflexivity|]. exact (proj2 (W4 H)).
        * congruence.
      + rewrite O'. destruct (V3 _ _ _ O C0) as [W1 W2 W3 W4 W5]. split; auto.
  Qed.

  (** ** Scripts *)

  Lemma lookup_script scr s k :
    l_cells (with_script scr s) !! k =
    match l_cells s !! k with
    | Some cl => Some (mkcell (c_val cl) (c_held cl) (c_log cl) (scr k))
    | None => None end.
  Proof. cbn. rewrite map_lookup_imap. destruct (l_cells s !! k); reflexivity. Qed.

  Lemma with_script_insert scr q k cl cs :
    mkloc q (<[k := mkcell (c_val cl) (c_held cl) (c_log cl) (scr k)]> (l_cells (with_script scr (mkloc q cs))))
    = with_script scr (mkloc q (<[k := cl]> cs)).
  Proof.
    unfold with_script. cbn. f_equal. apply map_eq. intros k'. rewrite map_lookup_imap.
    destruct (decide (k' = k)) as [->|N].
    - now rewrite !lookup_insert.
    - rewrite !lookup_insert_ne by auto. now rewrite map_lookup_imap.
  Qed.

  (** Only the script of [k] is looked at when the cell of [k] is replaced. *)
  Lemma script_insert_ext scr scr' q k cl cs :
    (forall k', k' <> k -> scr' k' = scr k') ->
    <[k := cl]> (l_cells (with_script scr (mkloc q cs))) = <[k := cl]> (l_cells (with_script scr' (mkloc q cs))).
  Proof.
    intros E. apply map_eq. intros k'. destruct (decide (k' = k)) as [->|N].
    - now rewrite !lookup_insert.
    - rewrite !lookup_insert_ne by auto. rewrite !lookup_script. cbn. now rewrite E by auto.
  Qed.

  Lemma holding_script scr s : holding (with_script scr s) = holding s.
  Proof.
    apply map_eq. intros k. unfold holding. rewrite !lookup_omap, lookup_script.
    destruct (l_cells s !! k); reflexivity.
  Qed.

  Lemma put_script scr q (m : gmap Z X) s :
    mkloc q (put m (l_cells (with_script scr s))) = with_script scr (mkloc q (put m (l_cells s))).
  Proof.
    unfold with_script. cbn. f_equal. apply map_eq. intros k.
    rewrite lookup_put, !map_lookup_imap, lookup_put. destruct (l_cells s !! k) as [cl|]; cbn; [|reflexivity].
    destruct (m !! k); reflexivity.
  Qed.

  Lemma view_script c g s pend scr : view_of c g s pend -> view_of c g (with_script scr s) pend.
  Proof.
    intros [V1 V2 V3]. split; [exact V1 | |].
    - rewrite V2. apply set_eq. intros k. rewrite !elem_of_dom, lookup_script.
      destruct (l_cells s !! k); split; intros [? ?]; try discriminate; eexists; reflexivity.
    - intros k x cl O C. rewrite lookup_script in C. destruct (l_cells s !! k) as [cl0|] eqn:C0; [|discriminate].
      injection C as <-. destruct (V3 _ _ _ O C0) as [W1 W2 W3 W4 W5]. split; assumption.
  Qed.

  (** ** Logs only grow *)

  Lemma gstep_log c o g v g' k e : gstep c o g v g' -> In e (g_log g k) -> In e (g_log g' k).
  Proof.
    intros G I. destruct G; cbn [g_log] in *; auto.
    unfold fupd. destruct (Z.eqb_spec k k0) as [->|N]; [right|]; exact I.
  Qed.

  Lemma grun_log tr g g' k e : grun tr g g' -> In e (g_log g k) -> In e (g_log g' k).
  Proof. induction 1; eauto using gstep_log. Qed.

  (** * Every run is a local run of each CPU *)

  (** Read: take any run of the interleaving machine, complete or not, and any CPU
      [c].  What [c] did is a run of the local machine from [c]'s view of the start,
      under scripts made only of releases by other CPUs in that very run; and its end
      is [c]'s view of the end of the run. *)
  Theorem local_view c tr g g' : grun tr g g' -> forall s pend, view_of c g s pend ->
    exists scr s' pend',
      lrun c (proj c tr) (with_script scr s) s' /\ view_of c g' s' pend' /\
      forall k b e, In b (scr k) -> In e b -> fst e <> c /\ In e (g_log g' k).
  Proof.
    induction 1 as [g | d f vs v o tr g g1 g' O G R IH]; intros s pend V; cbn [proj].
    - exists (fun _ => []), (with_script (fun _ => []) s), pend.
      split; [constructor|]. split; [now apply view_script|]. intros k b e [].
    - destruct (Z.eqb_spec d c) as [->|N].
      2:{ destruct (other_step c d o g v g1 s pend G N V) as (pend1 & V1). exact (IH _ _ V1). }
      destruct s as [q cs].
      destruct G as [ k x ob w l p E1 E2 | k x ob w l p E1 E2 | h u q1 m ob w l p E D | h q1 m ob w l p E D ].
      + destruct (own_acq c k x ob w l p cs q pend E1 E2 V) as (cl & C & Hd & Ot & V1).
        destruct (IH _ _ (V1 [])) as (scr & s' & pend' & Y1 & Y2 & Y3).
        exists (fupd k (pend k :: scr k) scr), s', pend'. split; [|split; [exact Y2|]].
        * eapply lrun_cons; [exact O | | exact Y1].
          rewrite <- (with_script_insert scr q k). cbn [c_val c_held c_log].
          rewrite (script_insert_ext scr (fupd k (pend k :: scr k) scr)) by (intros; now apply fupd_other).
          apply (l_acq c k (mkcell (c_val cl) (c_held cl) (c_log cl) (pend k :: scr k))).
          -- change (l_cells (with_script (fupd k (pend k :: scr k) scr) (mkloc q cs)) !! k
                     = Some (mkcell (c_val cl) (c_held cl) (c_log cl) (pend k :: scr k))).
             rewrite lookup_script. cbn [l_cells]. rewrite C, fupd_same. reflexivity.
          -- exact Hd.
          -- exact Ot.
        * intros k' b e I J. unfold fupd in I. destruct (Z.eqb_spec k' k) as [->|Nk]; [|exact (Y3 _ _ _ I J)].
          destruct I as [<-|I]; [|exact (Y3 _ _ _ I J)]. split.
          -- exact (proj1 (List.Forall_forall _ _) Ot e J).
          -- apply (grun_log _ _ _ _ _ R). cbn [g_log].
             pose proof (vo_cell _ _ _ _ V k x cl E1 C) as W. rewrite (cv_log _ _ _ _ _ _ W : l k = _).
             apply in_or_app. now left.
      + destruct (own_rel c k x ob w l p cs q pend E1 E2 V) as (cl & C & Hd & V1).
        destruct (IH _ _ (V1 [])) as (scr & s' & pend' & Y1 & Y2 & Y3).
        exists scr, s', pend'. split; [|split; [exact Y2 | exact Y3]].
        eapply lrun_cons; [exact O | | exact Y1].
        rewrite <- (with_script_insert scr q k). cbn [c_val c_held c_log].
        apply (l_rel c k (mkcell (c_val cl) (c_held cl) (c_log cl) (scr k))); [|exact Hd].
        change (l_cells (with_script scr (mkloc q cs)) !! k
                = Some (mkcell (c_val cl) (c_held cl) (c_log cl) (scr k))).
        rewrite lookup_script. cbn [l_cells]. now rewrite C.
      + pose proof (own_write c _ m q1 false _ pend D V) as V1.
        destruct (IH _ _ V1) as (scr & s' & pend' & Y1 & Y2 & Y3).
        exists scr, s', pend'. split; [|split; [exact Y2 | exact Y3]].
        eapply lrun_cons; [exact O | | exact Y1]. rewrite <- put_script.
        rewrite <- (holding_view _ _ _ _ V) in E, D. rewrite <- (holding_script scr) in E, D.
        rewrite <- (vo_priv _ _ _ _ V : q = p c) in E. exact (l_do c h u q1 m _ _ E D).
      + pose proof (own_write c _ m q1 true _ pend D V) as V1.
        destruct (IH _ _ V1) as (scr & s' & pend' & Y1 & Y2 & Y3).
        exists scr, s', pend'. split; [|split; [exact Y2 | exact Y3]].
        eapply lrun_cons; [exact O | | exact Y1]. rewrite <- put_script.
        rewrite <- (holding_view _ _ _ _ V) in E, D. rewrite <- (holding_script scr) in E, D.
        rewrite <- (vo_priv _ _ _ _ V : q = p c) in E. exact (l_panic c h q1 m _ _ E D).
  Qed.

  (** * No CPU is stuck: data races and forgotten locks are undefined locally *)

  (** Read: a primitive that is defined in [c]'s local view is enabled in the
      interleaving machine, or it is an acquire and another CPU holds the lock. *)
  Theorem enabled c o g s s1 v pend :
    view_of c g s pend -> g_stop g = false -> lstep c o s v s1 ->
    (exists v' g', gstep c o g v' g') \/
    (exists k d, o = Acq k /\ g_own g !! k = Some d /\ d <> c).
  Proof.
    intros V Run Y. destruct g as [ob w l p b]. cbn [g_stop] in Run. subst b.
    assert (Ob : forall k cl q cs, view_of c (mkglob ob w l p false) (mkloc q cs) pend ->
                cs !! k = Some cl -> exists x, ob !! k = Some x).
    { intros k cl q cs W C. apply elem_of_dom_2 in C. pose proof (vo_dom _ _ _ _ W) as D. cbn in D.
      rewrite <- D in C. apply elem_of_dom in C as [x E]. eauto. }
    destruct Y as [ k cl q cs C Hd Ot | k cl q cs C Hd | h u q1 m q cs E D | h q1 m q cs E D ].
    - destruct (Ob _ _ _ _ V C) as [x Ex]. destruct (w !! k) as [d|] eqn:Ew.
      + right. exists k, d. split; [reflexivity|]. split; [exact Ew|]. intros ->.
        pose proof (vo_cell _ _ _ _ V k x cl Ex C) as W.
        apply (cv_held _ _ _ _ _ _ W) in Ew. congruence.
      + left. do 2 eexists. eapply g_acq; eauto.
    - destruct (Ob _ _ _ _ V C) as [x Ex]. left. do 2 eexists. eapply g_rel; [exact Ex|].
      pose proof (vo_cell _ _ _ _ V k x cl Ex C) as W. now apply (cv_held _ _ _ _ _ _ W).
    - left. rewrite (holding_view _ _ _ _ V) in E, D. rewrite (vo_priv _ _ _ _ V : q = p c) in E.
      do 2 eexists. eapply g_do; eauto.
    - left. rewrite (holding_view _ _ _ _ V) in E, D. rewrite (vo_priv _ _ _ _ V : q = p c) in E.
      do 2 eexists. eapply g_panic; eauto.
  Qed.

  (** * Rely is guarantee *)

  Lemma grun_snoc_inv tr e g g' : grun (tr ++ [e]) g g' ->
    exists g1 c f vs v o, e = (c, (f, vs, v)) /\ grun tr g g1 /\ opof f vs = Some o /\ gstep c o g1 v g'.
  Proof.
    revert g. induction tr as [|a tr IH]; intros g R; inversion R as [|c f vs v o tr' g0 g1 g2 O G R']; subst.
    - inversion R'; subst. do 6 eexists. split; [reflexivity|]. split; [constructor|]. eauto.
    - destruct (IH _ R') as (g3 & c3 & f3 & vs3 & v3 & o3 & E & Y & Z). exists g3, c3, f3, vs3, v3, o3.
      split; [exact E|]. split; [|exact Z]. eapply grun_cons; eauto.
  Qed.

  Lemma proj_app c t1 t2 : proj c (t1 ++ t2) = proj c t1 ++ proj c t2.
  Proof.
    induction t1 as [|[d e] t1 IH]; cbn; [reflexivity|].
    destruct (d =? c); cbn; now rewrite IH.
  Qed.

  Section Guarantee.
    (** [I k]: what is promised of the published values of object [k].  [Beh c]: what
        the code of CPU [c] may do, closed under stopping early. *)
    Context (I : Z -> X -> Prop) (Beh : Z -> list label -> Prop)
            (Beh_prefix : forall c t1 t2, Beh c (t1 ++ t2) -> Beh c t1).

    (** CPU [c], started in [s0], publishes only what is promised, provided that the
        others do. *)
    Definition guarantees (c : Z) (s0 : loc) : Prop :=
      forall tr scr s', Beh c tr -> lrun c tr (with_script scr s0) s' ->
      (forall k b e, In b (scr k) -> In e b -> I k (snd e)) ->
      forall k cl x, l_cells s' !! k = Some cl -> In (c, x) (c_log cl) -> I k x.

    (** Read: if each CPU keeps the promise under the assumption that the others keep
        it, then all keep it in every run: the assumption is discharged. *)
    Theorem rely_guarantee tr g0 g (s0 : Z -> loc) :
      (forall k, g_log g0 k = []) ->
      (forall c, view_of c g0 (s0 c) (fun _ => [])) ->
      (forall c, guarantees c (s0 c)) ->
      grun tr g0 g -> (forall c, Beh c (proj c tr)) ->
      forall k e, In e (g_log g k) -> I k (snd e).
    Proof.
      intros L0 V0 Gu. revert g. induction tr as [|[d lab] tr IH] using rev_ind; intros g R B k e Ie.
      - inversion R; subst. rewrite L0 in Ie. destruct Ie.
      - destruct (grun_snoc_inv _ _ _ _ R) as (g1 & c & f & vs & v & o & [= <- ->] & R1 & O & G).
        assert (B1 : forall c, Beh c (proj c tr)).
        { intros c. eapply Beh_prefix. rewrite <- proj_app. exact (B c). }
        specialize (IH g1 R1 B1).
        destruct (local_view d _ _ _ R _ _ (V0 d)) as (scr & s' & pend' & Y1 & Y2 & Y3).
        (* only [d] can have added an event in the last step *)
        assert (New : forall k e, In e (g_log g k) ->
                  In e (g_log g1 k) \/ (fst e = d /\ exists x, g_obj g !! k = Some x)).
        { clear -G. intros k e Ie. destruct G; cbn [g_log g_obj] in *; auto.
          unfold fupd in Ie. destruct (Z.eqb_spec k k0) as [->|N]; auto.
          destruct Ie as [<-|Ie]; [right; cbn; eauto | auto]. }
        destruct (New k e Ie) as [Old|[Ed [x Ex]]]; [exact (IH k e Old)|].
        destruct (view_lookup _ _ _ _ _ _ Y2 Ex) as (cl & C & W).
        rewrite (cv_log _ _ _ _ _ _ W) in Ie. apply in_app_or in Ie as [Ie|Ie].
        + destruct (proj1 (List.Forall_forall _ _) (cv_others _ _ _ _ _ _ W) e Ie Ed).
        + destruct e as [d' y]. cbn in Ed. subst d'. cbn.
          refine (Gu d _ scr s' (B d) Y1 _ k cl y C Ie).
          intros k' b e' Ib Ie'. destruct (Y3 _ _ _ Ib Ie') as [Nd Il].
          destruct (New _ _ Il) as [Old|[Ed _]]; [exact (IH _ _ Old) | destruct (Nd Ed)].
    Qed.
  End Guarantee.
End Smp.
