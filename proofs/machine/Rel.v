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

Lemma natural_tbl_app {Sh Sl C D} (get : Sh -> C) (set : D -> Sh -> Sl) T1 T2 U1 U2 :
  natural_tbl get set T1 U1 -> natural_tbl get set T2 U2 -> natural_tbl get set (T1 ++ T2)%list (U1 ++ U2)%list.
Proof. apply Forall2_app. Qed.

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

(** * Primitives that no change of representation concerns *)

(** The three components at once. *)
Definition set_tables {N N' M M' P P'} (n : gmap Z (cell N')) (m : cell M') (p : cell P') (s : St cell N M P) : St cell N' M' P' :=
  set_npts n (set_spt m (set_s2 p s)).
Definition tables_same {N M P} (s s' : St cell N M P) : Prop :=
  st_npts s' = st_npts s /\ st_spt s' = st_spt s /\ st_s2 s' = st_s2 s.

(** [p] and [q] are one primitive at two representations; it neither looks at these components nor writes them. *)
Definition aside {N N' M M' P P'} (p : prim (St cell N M P)) (q : prim (St cell N' M' P')) : Prop :=
  forall vs s n m x, q vs (set_tables n m x s) = res_map (set_tables n m x) (p vs s) /\ res_all (tables_same s) (p vs s).
Definition aside_tbl {N N' M M' P P'} : tbl (St cell N M P) -> tbl (St cell N' M' P') -> Prop :=
  Forall2 (fun a b => fst a = fst b /\ aside (snd a) (snd b)).

Lemma aside_tbl_app {N N' M M' P P'} (T1 T2 : tbl (St cell N M P)) (U1 U2 : tbl (St cell N' M' P')) :
  aside_tbl T1 U1 -> aside_tbl T2 U2 -> aside_tbl (T1 ++ T2)%list (U1 ++ U2)%list.
Proof. apply Forall2_app. Qed.

(** So it passes through each single change. *)
Lemma aside_natural {N N' M M' P P'} {C D} (get : St cell N M P -> C) (set : D -> St cell N M P -> St cell N' M' P') T U :
  (forall d s, exists n m x, set d s = set_tables n m x s /\
     forall s', tables_same s s' -> set d s' = set_tables n m x s' /\ get s' = get s) ->
  aside_tbl T U -> natural_tbl get set T U.
Proof.
  intros X. induction 1 as [|[f p] [g q] T U [E A] B IH]; constructor; [|exact IH]. split; [exact E|]. cbn [snd] in *.
  intros vs s d. destruct (X d s) as (n & m & x & -> & Y). destruct (A vs s n m x) as [Q R]. rewrite Q.
  destruct (p vs s) as [[v s'|s']|]; cbn in R |- *; [| |auto]; destruct (Y s' R) as [-> ->]; auto.
Qed.

Corollary aside_npts {N N' M P} T U : aside_tbl T U -> @natural_tbl (St cell N M P) (St cell N' M P) _ _ st_npts set_npts T U.
Proof.
  apply aside_natural. intros d s. exists d, (st_spt s), (st_s2 s). split; [now destruct s|].
  intros s' (A & B & C). destruct s, s'; cbn in *. now subst.
Qed.

Corollary aside_spt {N M M' P} T U : aside_tbl T U -> @natural_tbl (St cell N M P) (St cell N M' P) _ _ st_spt set_spt T U.
Proof.
  apply aside_natural. intros d s. exists (st_npts s), d, (st_s2 s). split; [now destruct s|].
  intros s' (A & B & C). destruct s, s'; cbn in *. now subst.
Qed.

Corollary aside_s2 {N M P P'} T U : aside_tbl T U -> @natural_tbl (St cell N M P) (St cell N M P') _ _ st_s2 set_s2 T U.
Proof.
  apply aside_natural. intros d s. exists (st_npts s), (st_spt s), d. split; [now destruct s|].
  intros s' (A & B & C). destruct s, s'; cbn in *. now subst.
Qed.

(** Primitives that leave the firmware's map alone. *)
Definition boot_kept {F N M P} (p : prim (St F N M P)) : Prop :=
  forall vs s, res_all (fun s' => st_boot s' = st_boot s) (p vs s).
Definition tbl_boot_kept {F N M P} (T : tbl (St F N M P)) : Prop := List.Forall (fun x => boot_kept (snd x)) T.

Lemma boot_kept_app {F N M P} (T U : tbl (St F N M P)) : tbl_boot_kept T -> tbl_boot_kept U -> tbl_boot_kept (T ++ U)%list.
Proof. intros A B. apply List.Forall_app. auto. Qed.
