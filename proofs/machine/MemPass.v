(* SPDX-License-Identifier: Apache-2.0 *)
(** The primitives of users' accesses to memory pass through every change of view of
    objects and through every change of representation of a table: they look at no object.
    Rests on [BottomMem]; used where the rest of the bottom machine passes through. *)
From SeKVM.machine Require Import BottomMemTac PassThrough ViewPass.
Local Open Scope Z_scope.

Section View.
  Context {F G : Type -> Type} {N M P : Type}.
  Context (RF : view_relation F G).

  Lemma access_rel (f : forall H : Type -> Type, Z -> reg -> St H N M P -> St H N M P) :
    (forall a x s t, views_rel RF s t -> views_rel RF (f F a x s) (f G a x t)) ->
    prim_rel (@R_view F G N M P RF) (phys_access (f F)) (phys_access (f G)).
  Proof.
    intros K vs s t r V E. unfold phys_access, p2 in *. destruct vs as [|a [|r0 [|]]]; try discriminate.
    destruct (in_range U64 a); [|discriminate]. destruct (in_range U32 r0); [|discriminate].
    destruct (in_memory a); [|discriminate]. destruct (user_reg r0) as [x|]; [|discriminate].
    cbn [chk Z.eqb] in *. injection E as <-. eexists. split; [reflexivity|]. split; [reflexivity | now apply K].
  Qed.

  Lemma mem_view_rel : tbl_rel (@R_view F G N M P RF) T_mem T_mem.
  Proof.
    constructor; [split; [reflexivity|]|constructor; [split; [reflexivity|]|constructor]]; cbn [snd].
    - apply (access_rel (fun H => load_word)). intros a x s t [V1 V2 V3 V4 V5 V6 D5 D6 V7 V8 V9 V10 V11 V12].
      unfold load_word. constructor; cbn; auto; rewrite <- ?V7, <- ?V8; reflexivity.
    - apply (access_rel (fun H => store_word)). intros a x s t [V1 V2 V3 V4 V5 V6 D5 D6 V7 V8 V9 V10 V11 V12].
      unfold store_word. constructor; cbn; auto; rewrite <- ?V7, <- ?V8; reflexivity.
  Qed.
End View.

Lemma mem_natural_npts {N N' M P} : @natural_tbl (St cell N M P) (St cell N' M P) _ _ st_npts set_npts T_mem T_mem.
Proof. natural_tbl_tac. Qed.

Lemma mem_natural_spt {N M M' P} : @natural_tbl (St cell N M P) (St cell N M' P) _ _ st_spt set_spt T_mem T_mem.
Proof. natural_tbl_tac. Qed.

Lemma mem_natural_s2 {N M P P'} : @natural_tbl (St cell N M P) (St cell N M P') _ _ st_s2 set_s2 T_mem T_mem.
Proof. natural_tbl_tac. Qed.
