(* SPDX-License-Identifier: Apache-2.0 *)
(** A tactic: a bottom primitive does the same at two related views.  It opens the primitive on both sides and walks through
    their matches together; of an object it uses that both views of it are accessible or none, and if so have one value
    and stay related when a value is stored.  Rests on [LockView]; used for whole tables by [ViewPass] and [RestView]. *)
From SeKVM.machine Require Export LockView BottomPagesTac.

(** [Q] relates two views of an object: the flag of the right one is that of the left one; what follows from it is [K]. *)
Ltac view_object C Q :=
  let O := fresh "O" in let K := fresh "K" in
  pose proof (C _ _ _ _ Q) as [O K]; try rewrite <- O; clear O.

(** One look at a match of the goal: an entry of a table of objects, or any other condition, the same on both sides. *)
Ltac view_look C x :=
  first
  [ match goal with W : forall i, option_Forall2 _ (?m !! i) (?n !! i) |- _ =>
      let i := lazymatch x with m !! ?i => i | n !! ?i => i end in
      let E := fresh "E" in let E' := fresh "E" in let Q := fresh "Q" in
      pose proof (W i) as Q; destruct (m !! i) eqn:E, (n !! i) eqn:E';
      lazymatch type of Q with
      | option_Forall2 _ (Some ?f) (Some ?g) =>
          apply (option_Forall2_Some _ f g) in Q; view_object C Q
      | option_Forall2 _ None None => clear Q
      | _ => exfalso; inversion Q
      end
    end
  | let E := fresh "E" in destruct x eqn:E ].

Ltac view_step C := match goal with
  | |- None = Some _ -> _ => discriminate
  | K : true = true -> _ |- _ =>
      let Val := fresh "Val" in let S := fresh "S" in
      destruct (K eq_refl) as [Val S]; clear K; try rewrite <- Val; clear Val
  | |- context [match ?x with _ => _ end] =>
      lazymatch x with context [match _ with _ => _ end] => fail | _ => view_look C x end
  end.

(** The states after the primitive, field by field. *)
Ltac view_states :=
  constructor; cbn [st_core st_s2 st_spt st_smmu st_npts st_vms st_mem st_cpu st_ctxts st_boot st_ins st_outs cpu_id];
  first
  [ assumption
  | reflexivity
  | match goal with S : forall x, _ |- _ => exact (S _) end
  | apply option_Forall2_insert; [assumption | match goal with S : forall x, _ |- _ => exact (S _) end]
  | eapply valid_insert; eassumption ].

(** Goal: [prim_rel (R_view RF) p p]; [C] is the compatibility of [RF], with the classes opened. *)
Ltac view_prim_tac C :=
  intros vs [a1 a2 a3 a4 a5 a6 a7 a8 a9 a10 a11 a12] [b1 b2 b3 b4 b5 b6 b7 b8 b9 b10 b11 b12] r
    [V1 V2 V3 V4 V5 V6 D5 D6 E7 E8 E9 E10 E11 E12];
  cbn [st_core st_s2 st_spt st_smmu st_npts st_vms st_mem st_cpu st_ctxts st_boot st_ins st_outs] in *; subst;
  open_prim;
  view_object C V1; view_object C V2; view_object C V3; view_object C V4;
  repeat view_step C;
  intros [= <-]; eexists; (split; [reflexivity|]); cbn [res_rel rel hrel R_view]; (split; [reflexivity|] || idtac); view_states.

(** A whole table at the views [VF] and [VG]; [C] says that their relation is compatible. *)
Ltac view_tbl_tac VF VG C :=
  destruct VF as [ownF valueF storeF], VG as [ownG valueG storeG]; red in C; cbn [own value store] in C; red;
  repeat
    lazymatch goal with
    | |- Forall2 ?Q ?T ?U =>
        let T' := eval hnf in T in let U' := eval hnf in U in change (Forall2 Q T' U');
        first [ apply Forall2_nil_2 | apply Forall2_cons_2; [split; [reflexivity | cbn [snd]; view_prim_tac C]|] ]
    end.
