(* SPDX-License-Identifier: Apache-2.0 *)
(** The order of the locks, stated once: their classes, the rank of each, and the functions that take and give them
    back. Every lock of the machine has a place in it ([every_lock_has_a_rank]).  Rests on [State] and [LockLog];
    [layers/Locks/Deadlock.v] and [StackLocks] use it. *)
From Coq Require Import Lia.
From SeKVM.lib Require Export LockLog.
From SeKVM.machine Require Export State.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Inductive lock_class := SMMU | VM | CORE | S2PAGE | PT | SPT.

Definition class_dec : forall a b : lock_class, {a = b} + {a <> b}.
Proof. decide equality. Defined.

(** A CPU that holds a lock takes only locks of greater rank.  So of classes with one rank, and of the locks of one
    class, it holds one at a time. *)
Definition rank (c : lock_class) : Z :=
  match c with
  | SMMU => 1          (* owners of context banks *)
  | VM => 2            (* a VM's record *)
  | CORE | S2PAGE => 3 (* fresh numbers; ownership of frames *)
  | PT | SPT => 4      (* a stage-2 table; the SMMU tables *)
  end.

Definition lock_calls : list (ident * (bool * lock_class)) :=
  [("acquire_lock_pt", (true, PT)); ("release_lock_pt", (false, PT));
   ("acquire_lock_vm", (true, VM)); ("release_lock_vm", (false, VM));
   ("acquire_lock_core", (true, CORE)); ("release_lock_core", (false, CORE));
   ("acquire_lock_s2page", (true, S2PAGE)); ("release_lock_s2page", (false, S2PAGE));
   ("acquire_lock_spt", (true, SPT)); ("release_lock_spt", (false, SPT));
   ("acquire_lock_smmu", (true, SMMU)); ("release_lock_smmu", (false, SMMU))].

(** The number of a lock in the machine. *)
Definition number (l : lock lock_class) : option Z :=
  match l with
  | (CORE, []) => Some lock_core
  | (S2PAGE, []) => Some lock_s2page
  | (SPT, []) => Some lock_spt
  | (SMMU, []) => Some lock_smmu
  | (PT, [vm]) => if is_vmid vm then Some (lock_npt vm) else None
  | (VM, [vm]) => if is_vmid vm then Some (lock_vm vm) else None
  | _ => None
  end.

Lemma every_lock_has_a_rank k : 1 <= k < lock_end -> exists l, number l = Some k.
Proof.
  intros R. unfold lock_end in R.
  assert (K : k = 1 \/ k = 2 \/ k = 3 \/ k = 4 \/ 0 <= k - 5 < 17 \/ 0 <= k - 22 < 17) by lia.
  destruct K as [->|[->|[->|[->|[K|K]]]]].
  - now exists (CORE, []).
  - now exists (S2PAGE, []).
  - now exists (SPT, []).
  - now exists (SMMU, []).
  - exists (PT, [k - 5]). cbn. unfold is_vmid.
    rewrite (proj2 (Z.leb_le 0 (k - 5))), (proj2 (Z.ltb_lt (k - 5) 17)) by lia. cbn. f_equal. unfold lock_npt. lia.
  - exists (VM, [k - 22]). cbn. unfold is_vmid.
    rewrite (proj2 (Z.leb_le 0 (k - 22))), (proj2 (Z.ltb_lt (k - 22) 17)) by lia. cbn. f_equal. unfold lock_vm. lia.
Qed.

(** Two locks are not one. *)
Lemma number_inj l l' k : number l = Some k -> number l' = Some k -> l = l'.
Proof.
  assert (V : forall vm, is_vmid vm = true -> 0 <= vm < 17).
  { unfold is_vmid. intros vm B. apply andb_true_iff in B as [A B]. apply Z.leb_le in A. apply Z.ltb_lt in B. lia. }
  unfold number. destruct l as [c vs], l' as [c' vs'].
  destruct c, vs as [|v [|]], c', vs' as [|v' [|]]; try discriminate;
    repeat match goal with |- context [is_vmid ?x] =>
      let B := fresh "B" in destruct (is_vmid x) eqn:B; [apply V in B | discriminate] end;
    intros A A'; rewrite <- A' in A; clear A'; try reflexivity;
    apply (f_equal (fun o => match o with Some z => z | None => 0 end)) in A;
    unfold lock_core, lock_s2page, lock_spt, lock_smmu, lock_npt, lock_vm in A; try lia; repeat f_equal; lia.
Qed.

(** The notions of [LockLog] for these locks. *)
Notation log := (list (lock_action lock_class)).
Notation actions := (LockLog.actions lock_calls).
Notation after := (LockLog.after class_dec rank).
Notation logged := (LockLog.logged lock_calls).
Notation ordered := (LockLog.ordered class_dec rank lock_calls).
Notation client := (LockLog.client lock_calls).
