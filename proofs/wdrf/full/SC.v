(* SPDX-License-Identifier: Apache-2.0 *)
(** SC executions of a kernel that does not read user memory: no oracle is consulted.  Used by Theorem 3. *)
From Coq Require Import List Arith.
From SeKVM.wdrf.isolated Require Import Base SC.

(** SC executions without oracles. *)
Inductive sc_reach_closed (K : kernel) : sc_state -> Prop :=
| closed_initial : sc_reach_closed K (sc_initial K)
| closed_step : forall s i ins,
    sc_reach_closed K s -> fetch K i (sc_pc s i) = Some ins -> sc_reach_closed K (sc_exec ins s i 0).

Definition reads_user (ins : instr) : Prop := match ins with Load ToUser _ _ _ _ => True | _ => False end.

Definition no_user_reads (K : kernel) : Prop := forall i pc ins, fetch K i pc = Some ins -> ~ reads_user ins.

Lemma exec_closed ins s i oracle : ~ reads_user ins -> sc_exec ins s i oracle = sc_exec ins s i 0.
Proof. destruct ins as [| | |k r a c ps| |]; try reflexivity. destruct k; simpl; tauto. Qed.

Lemma reach_closed K s g : no_user_reads K -> sc_reach K s g -> sc_reach_closed K s.
Proof.
  intros none. induction 1 as [|s g i ins oracle reach IH fetched]; [constructor|].
  rewrite exec_closed by (eapply none; exact fetched). constructor; assumption.
Qed.
