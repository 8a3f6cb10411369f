(* SPDX-License-Identifier: Apache-2.0 *)
(** Opening a defined call of a typed primitive by hand: the number and ranges of its
    arguments, and its result.  For code proofs that name what they open, where the
    automatic ones would have too much to split.  Rests on [Prim]; used by the layers
    of whole page tables. *)
From SeKVM.lib Require Export Prim.
Local Open Scope Z_scope.

Section Inv.
  Context {S : Type} (rt : option ty) (vs : list Z) (s : S) (r : res S).

  Lemma p0_inv (f : S -> option (res S)) : p0 rt f vs s = Some r -> vs = [] /\ chk rt (f s) = Some r.
  Proof. unfold p0. destruct vs; [auto | discriminate]. Qed.

  Lemma p1_inv t1 (f : Z -> S -> option (res S)) : p1 rt t1 f vs s = Some r ->
    exists x, vs = [x] /\ in_range t1 x = true /\ chk rt (f x s) = Some r.
  Proof.
    unfold p1. destruct vs as [|x [|y l]]; try discriminate.
    destruct (in_range t1 x) eqn:A; try discriminate. eauto.
  Qed.

  Lemma p2_inv t1 t2 (f : Z -> Z -> S -> option (res S)) : p2 rt t1 t2 f vs s = Some r ->
    exists x y, vs = [x; y] /\ in_range t1 x = true /\ in_range t2 y = true /\ chk rt (f x y s) = Some r.
  Proof.
    unfold p2. destruct vs as [|x [|y [|z l]]]; try discriminate.
    destruct (in_range t1 x) eqn:A, (in_range t2 y) eqn:B; try discriminate. intros X. exists x, y. auto.
  Qed.

  Lemma p3_inv t1 t2 t3 (f : Z -> Z -> Z -> S -> option (res S)) : p3 rt t1 t2 t3 f vs s = Some r ->
    exists x y z, vs = [x; y; z] /\ in_range t1 x = true /\ in_range t2 y = true /\
      in_range t3 z = true /\ chk rt (f x y z s) = Some r.
  Proof.
    unfold p3. destruct vs as [|x [|y [|z [|u l]]]]; try discriminate.
    destruct (in_range t1 x) eqn:A, (in_range t2 y) eqn:B, (in_range t3 z) eqn:C; try discriminate.
    intros X. exists x, y, z. auto.
  Qed.

  Lemma p4_inv t1 t2 t3 t4 (f : Z -> Z -> Z -> Z -> S -> option (res S)) : p4 rt t1 t2 t3 t4 f vs s = Some r ->
    exists x y z u, vs = [x; y; z; u] /\ in_range t1 x = true /\ in_range t2 y = true /\
      in_range t3 z = true /\ in_range t4 u = true /\ chk rt (f x y z u s) = Some r.
  Proof.
    unfold p4. destruct vs as [|x [|y [|z [|u [|w l]]]]]; try discriminate.
    destruct (in_range t1 x) eqn:A, (in_range t2 y) eqn:B, (in_range t3 z) eqn:C, (in_range t4 u) eqn:D;
      try discriminate. intros X. exists x, y, z, u. auto 8.
  Qed.

  (** A primitive that returns a value. *)
  Lemma chk_inv t v s' : chk (Some t) (Some (Ok v s')) = Some r -> in_range t v = true /\ r = Ok v s'.
  Proof. cbn [chk]. destruct (in_range t v); [now intros [= <-] | discriminate]. Qed.
End Inv.
