(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 34, TrapHandler: what the saved context says at the entry of KCore is what the CPU's registers say, so a
    request can be read from either.  Used by the code proofs of this layer and by its theorems about what is seen. *)
From SeKVM.layers.TrapHandlerRaw Require Import Spec.
From SeKVM.layers.CtxtSwitch Require Safe.
Local Open Scope Z_scope.

Lemma entered_get phys m r : In r x_regs -> reg_get r (entered phys m) = reg_get r phys.
Proof.
  intros I. apply move_in; [apply Safe.gp_distinct|]. unfold gp_moves, same_name. apply in_map_iff.
  exists r. split; [reflexivity | exact I].
Qed.

Lemma trap_distinct : base.NoDup (map fst (fault_moves ++ gp_moves)).
Proof. apply (bool_decide_unpack (base.NoDup _)). vm_compute. exact I. Qed.
Lemma trapped_get phys m r : In (r, r) (fault_moves ++ gp_moves) -> reg_get r (trapped phys m) = reg_get r phys.
Proof. intros I. apply move_in; [apply trap_distinct | exact I]. Qed.

Lemma words_entered phys m i : (i <= 5)%nat -> words (entered phys m) i = words phys i.
Proof.
  intros B. assert (A : exists r, reg_of_code (Z.of_nat i) = Some r /\ In r x_regs).
  { do 6 (destruct i as [|i]; [eexists; split; [reflexivity | vm_compute; tauto]|]). lia. }
  destruct A as (r & E & I). unfold words, numbered. rewrite E. unfold reg_word. now rewrite entered_get.
Qed.

Lemma trapped_reason phys m : reg_word EC (trapped phys m) = reg_word EC phys.
Proof. unfold reg_word. rewrite trapped_get; [reflexivity|]. left. reflexivity. Qed.
Lemma trapped_syndrome phys m : short_esr (trapped phys m) = short_esr phys.
Proof. unfold short_esr. rewrite trapped_get; [reflexivity|]. right. left. reflexivity. Qed.
Lemma trapped_service phys m : service_of (trapped phys m) = service_of phys.
Proof. unfold service_of. now rewrite trapped_syndrome. Qed.
