(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 33, TrapHandlerRaw: moves by a list of registers are moves by its parts, in any order if no register stands
    in both.  So the steps of an entry and of an exit are one transition each.  Used by the code proofs. *)
From SeKVM.layers.TrapHandlerRaw Require Import Spec.
Local Open Scope Z_scope.

Lemma move_app a b src dst : move_regs (a ++ b) src dst = move_regs a src (move_regs b src dst).
Proof. apply fold_right_app. Qed.

Lemma move_past k z b src dst : ~ In k (map fst b) ->
  move_regs b src (<[k := z]> dst) = <[k := z]> (move_regs b src dst).
Proof.
  induction b as [|[d x] b IH]; cbn [move_regs fold_right map fst snd]; intros N; [reflexivity|].
  fold (move_regs b src (<[k := z]> dst)). fold (move_regs b src dst). rewrite IH by (intros I; apply N; now right).
  apply insert_commute. intros ->. apply N. now left.
Qed.

Lemma move_swap a b src dst : (forall r, In r (map fst a) -> ~ In r (map fst b)) ->
  move_regs b src (move_regs a src dst) = move_regs a src (move_regs b src dst).
Proof.
  induction a as [|[d x] a IH]; intros D; [reflexivity|].
  change (move_regs ((d, x) :: a) src ?y) with (<[d := reg_get x src]> (move_regs a src y)).
  rewrite move_past by (apply D; now left). f_equal. apply IH. intros r I. apply D. now right.
Qed.

Lemma apart (a b : list (reg * reg)) : forallb (fun r => negb (bool_decide (r ∈ map fst b))) (map fst a) = true ->
  forall r, In r (map fst a) -> ~ In r (map fst b).
Proof.
  rewrite forallb_forall. intros A r I J. specialize (A r I). apply negb_true_iff, bool_decide_eq_false in A.
  now apply A, elem_of_list_In.
Qed.

(** A save of the host: general registers at the entry, the others by the switch.  A restore: the general registers
    come last, which makes no difference. *)
Lemma reversed_app a b : reversed (a ++ b) = reversed a ++ reversed b.
Proof. apply map_app. Qed.

Lemma last_first (a b c : list (reg * reg)) src dst :
  (forall r, In r (map fst a) -> ~ In r (map fst b)) -> (forall r, In r (map fst a) -> ~ In r (map fst c)) ->
  move_regs a src (move_regs c src (move_regs b src dst)) = move_regs (c ++ b ++ a) src dst.
Proof. intros B C. now rewrite !move_app, (move_swap a b), (move_swap a c) by assumption. Qed.

Lemma gp_sys_apart : forall r, In r (map fst (reversed gp_moves)) -> ~ In r (map fst (reversed sys_moves)).
Proof. apply apart. vm_compute. reflexivity. Qed.
Lemma gp_fp_apart : forall r, In r (map fst (reversed gp_moves)) -> ~ In r (map fst (reversed fp_moves)).
Proof. apply apart. vm_compute. reflexivity. Qed.

#[local] Opaque gp_moves sys_moves fp_moves.

Lemma save_everything phys m : saved phys (entered phys m) = move_regs everything phys m.
Proof. unfold everything, saved, entered. now rewrite !move_app. Qed.

Lemma restore_everything m phys : resumed m (restored m phys) = move_regs (reversed everything) m phys.
Proof.
  unfold everything, resumed, restored. rewrite !reversed_app.
  apply last_first; [exact gp_sys_apart | exact gp_fp_apart].
Qed.
