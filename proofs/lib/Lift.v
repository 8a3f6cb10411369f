(* SPDX-License-Identifier: Apache-2.0 *)
(** Lifting a primitive of one component to the whole state through a lens, and its
    pass-through across any relation that leaves the lens alone ([frame]).  A layer
    that changes one component proves its frames once and gets every primitive on
    the other components for free.  Rests on [Layer]. *)
From SeKVM.lib Require Export Layer.

Definition lift {S X} (g : S -> X) (u : X -> S -> S) (p : prim X) : prim S :=
  fun vs s =>
    match p vs (g s) with
    | Some (Ok v x) => Some (Ok v (u x s))
    | Some (Halt x) => Some (Halt (u x s))
    | None => None
    end.

Definition lift_tbl {S X} (g : S -> X) (u : X -> S -> S) (T : tbl X) : tbl S :=
  map (fun fp => let '(f, p) := fp in (f, lift g u p)) T.

(** [R] relates states whose component is equal, and writing the same value to the
    component on both sides keeps them related. *)
Record frame {Sh Sl X} (R : srel Sh Sl) (g : Sh -> X) (u : X -> Sh -> Sh)
             (g' : Sl -> X) (u' : X -> Sl -> Sl) : Prop := mkframe {
  frame_get : forall s t, rel R s t -> g s = g' t;
  frame_set : forall s t x, rel R s t -> rel R (u x s) (u' x t);
  frame_halt : forall s t x, rel R s t -> hrel R (u x s) (u' x t) }.

Lemma lift_rel {Sh Sl X} (R : srel Sh Sl) (g : Sh -> X) u g' u' p :
  frame R g u g' u' -> prim_rel R (lift g u p) (lift g' u' p).
Proof.
  intros F vs s t r E. unfold lift. rewrite (frame_get _ _ _ _ _ F _ _ E).
  destruct (p vs (g' t)) as [[v x|x]|]; [| |discriminate]; intros [= <-].
  - eexists. split; [reflexivity|]. cbn. auto using (frame_set _ _ _ _ _ F).
  - eexists. split; [reflexivity|]. cbn. auto using (frame_halt _ _ _ _ _ F).
Qed.

Lemma lift_tbl_rel {Sh Sl X} (R : srel Sh Sl) (g : Sh -> X) u g' u' T :
  frame R g u g' u' -> tbl_rel R (lift_tbl g u T) (lift_tbl g' u' T).
Proof.
  intros F. induction T as [|[f p] T IH]; constructor; auto.
  split; [reflexivity | apply lift_rel, F].
Qed.

(** Two representations of the component itself: it is enough to relate the
    primitives on the component. *)
Record frame_rel {Sh Sl X Y} (R : srel Sh Sl) (Q : srel X Y)
                 (g : Sh -> X) (u : X -> Sh -> Sh) (g' : Sl -> Y) (u' : Y -> Sl -> Sl) : Prop := mkframe_rel {
  frel_get : forall s t, rel R s t -> rel Q (g s) (g' t);
  frel_set : forall s t x y, rel R s t -> rel Q x y -> rel R (u x s) (u' y t);
  frel_halt : forall s t x y, rel R s t -> hrel Q x y -> hrel R (u x s) (u' y t) }.

Lemma lift_prim_rel {Sh Sl X Y} (R : srel Sh Sl) (Q : srel X Y) g u g' u' p q :
  frame_rel R Q g u g' u' -> prim_rel Q p q -> prim_rel R (lift g u p) (lift g' u' q).
Proof.
  intros F P vs s t r E. unfold lift.
  destruct (p vs (g s)) as [r0|] eqn:A; [|discriminate].
  destruct (P _ _ _ _ (frel_get _ _ _ _ _ _ F _ _ E) A) as (r1 & -> & G).
  destruct r0 as [v x|x], r1 as [w y|y]; cbn in G; try tauto; intros [= <-];
    eexists; (split; [reflexivity|]); cbn.
  - destruct G as [-> G]. split; [reflexivity|]. exact (frel_set _ _ _ _ _ _ F _ _ _ _ E G).
  - exact (frel_halt _ _ _ _ _ _ F _ _ _ _ E G).
Qed.
