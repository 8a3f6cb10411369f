(* SPDX-License-Identifier: Apache-2.0 *)
(** Relations that change the representation of one lock-protected component:
    stage-2 tables ([R_npts]), SMMU tables ([R_spt]), page metadata ([R_s2]).  Values,
    published values and scripts are related pointwise; primitives that do not look at
    the component pass through by [natural].  Used by the layers that change a
    representation; that locks and other primitives pass through is in [PassThrough]. *)
From SeKVM.machine Require Export State.
From SeKVM.lib Require Export Layer.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Views of an object in two representations *)

Definition event_rel {A B} (RX : A -> B -> Prop) (e : Z * A) (e' : Z * B) : Prop :=
  fst e = fst e' /\ RX (snd e) (snd e').

Record cell_rel {A B} (RX : A -> B -> Prop) (c : cell A) (d : cell B) : Prop := mkcell_rel {
  cr_val : RX (c_val c) (c_val d);
  cr_held : c_held c = c_held d;
  cr_log : Forall2 (event_rel RX) (c_log c) (c_log d);
  cr_script : Forall2 (Forall2 (event_rel RX)) (c_script c) (c_script d) }.

Lemma newest_rel {A B} (RX : A -> B -> Prop) l m x y :
  Forall2 (event_rel RX) l m -> RX x y -> RX (newest l x) (newest m y).
Proof. destruct 1 as [|[d a] [d' b] l m [E X] Y]; cbn; auto. Qed.

Lemma acquire_cell_rel {A B} (RX : A -> B -> Prop) c d :
  cell_rel RX c d -> cell_rel RX (acquire_cell c) (acquire_cell d).
Proof.
  destruct c as [x h l s], d as [y h' l' s']. intros [V H Lg Sc]; cbn in *. subst h'.
  unfold acquire_cell. destruct Sc as [|b b' s s' B0 Sc]; split; cbn; auto.
  - now apply newest_rel.
  - now apply Forall2_app.
Qed.

Lemma release_cell_rel {A B} (RX : A -> B -> Prop) me c d :
  cell_rel RX c d -> cell_rel RX (release_cell me c) (release_cell me d).
Proof.
  destruct c as [x h l s], d as [y h' l' s']. intros [V H Lg Sc]; cbn in *. subst h'.
  split; cbn; auto. constructor; [split|]; auto.
Qed.

Lemma set_val_rel {A B} (RX : A -> B -> Prop) c d x y :
  cell_rel RX c d -> RX x y -> cell_rel RX (set_val x c) (set_val y d).
Proof. intros [V H Lg Sc] X. split; cbn; auto. Qed.

(** A script in the abstract representation exists for every concrete one whose
    values have an abstraction. *)
Lemma script_abs {A B} (RX : A -> B -> Prop) (abs : B -> A) (s : list (list (Z * B))) :
  Forall (Forall (fun e => RX (abs (snd e)) (snd e))) s ->
  Forall2 (Forall2 (event_rel RX)) (map (map (fun e => (fst e, abs (snd e)))) s) s.
Proof.
  induction 1 as [|b s H _ IH]; constructor; auto.
  induction H; constructor; auto. split; auto.
Qed.

(** * Replacing one component *)

Definition res_map {S T} (f : S -> T) (r : option (res S)) : option (res T) :=
  match r with
  | Some (Ok v s) => Some (Ok v (f s))
  | Some (Halt s) => Some (Halt (f s))
  | None => None
  end.
Definition res_all {S} (I : S -> Prop) (r : option (res S)) : Prop :=
  match r with Some (Ok _ s) | Some (Halt s) => I s | None => True end.

(** [p] and [q] are the same primitive at two types of a component, and neither looks
    at it nor writes it. *)
Definition natural {Sh Sl C D} (get : Sh -> C) (set : D -> Sh -> Sl) (p : prim Sh) (q : prim Sl) : Prop :=
  forall vs s m, q vs (set m s) = res_map (set m) (p vs s) /\
                 res_all (fun s' => get s' = get s) (p vs s).

(** The relation "the component is replaced by a related one". *)
Definition replace_rel {Sh Sl C D} (get : Sh -> C) (set : D -> Sh -> Sl) (RC : C -> D -> Prop) : srel Sh Sl :=
  let r := fun s t => exists m, t = set m s /\ RC (get s) m in mksrel r r.

Lemma natural_rel {Sh Sl C D} (get : Sh -> C) (set : D -> Sh -> Sl) (RC : C -> D -> Prop) p q :
  natural get set p q -> prim_rel (replace_rel get set RC) p q.
Proof.
  intros N vs s t r (m & -> & X) E. destruct (N vs s m) as [Y Z]. rewrite E in Y, Z.
  destruct r as [v s'|s']; cbn in Y, Z; eexists; (split; [exact Y|]); cbn.
  - split; [reflexivity|]. exists m. now rewrite Z.
  - exists m. now rewrite Z.
Qed.

(** Tables whose primitives are all [natural]. *)
Definition natural_tbl {Sh Sl C D} (get : Sh -> C) (set : D -> Sh -> Sl) : tbl Sh -> tbl Sl -> Prop :=
  Forall2 (fun a b => fst a = fst b /\ natural get set (snd a) (snd b)).

Lemma natural_tbl_rel {Sh Sl C D} (get : Sh -> C) (set : D -> Sh -> Sl) (RC : C -> D -> Prop) T U :
  natural_tbl get set T U -> tbl_rel (replace_rel get set RC) T U.
Proof. induction 1 as [|a b T U [N X] Y IH]; constructor; auto. split; [exact N | now apply natural_rel]. Qed.

(** * The three components *)

Section Components.
  Context {N N' M M' P P' : Type}.

  (** Stage-2 tables, one relation for each VM. *)
  Definition npts_rel (RN : Z -> N -> N' -> Prop) (m : gmap Z (cell N)) (m' : gmap Z (cell N')) : Prop :=
    forall vm, option_Forall2 (cell_rel (RN vm)) (m !! vm) (m' !! vm).
  Definition R_npts (RN : Z -> N -> N' -> Prop) : srel (St cell N M P) (St cell N' M P) :=
    replace_rel st_npts set_npts (npts_rel RN).

  Definition R_spt (RM : M -> M' -> Prop) : srel (St cell N M P) (St cell N M' P) :=
    replace_rel st_spt set_spt (cell_rel RM).

  Definition R_s2 (RP : P -> P' -> Prop) : srel (St cell N M P) (St cell N M P') :=
    replace_rel st_s2 set_s2 (cell_rel RP).

  Lemma npts_rel_lookup RN (m : gmap Z (cell N)) (m' : gmap Z (cell N')) vm c :
    npts_rel RN m m' -> m !! vm = Some c -> exists d, m' !! vm = Some d /\ cell_rel (RN vm) c d.
  Proof. intros X E. specialize (X vm). rewrite E in X. inversion X; subst; eauto. Qed.

  Lemma npts_rel_insert RN (m : gmap Z (cell N)) (m' : gmap Z (cell N')) vm c d :
    npts_rel RN m m' -> cell_rel (RN vm) c d -> npts_rel RN (<[vm := c]> m) (<[vm := d]> m').
  Proof.
    intros X Y vm'. destruct (decide (vm' = vm)) as [->|Ne].
    - rewrite !lookup_insert. now constructor.
    - rewrite !lookup_insert_ne by auto. apply X.
  Qed.
End Components.
