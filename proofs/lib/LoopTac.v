(* SPDX-License-Identifier: Apache-2.0 *)
(** Tactics for code over closed primitives, with loops.  A file of its own because
    tactics carry source positions into the compiled interface.  Rests on [Loop] and
    [VcTac]. *)
From SeKVM.lib Require Export Loop VcTac PrimInv.
Local Open Scope Z_scope.

(** The first call of the goal becomes the primitive itself, closed. *)
Ltac closed_call := match goal with
  | |- context [call ?L ?f ?vs ?s] =>
      let p := eval hnf in (assoc f L) in
      lazymatch p with Some ?q => change (call L f vs s) with (q vs s) end
  end.

(** Resolve conditions and ranges up to the next call; and use what is known of the call. *)
Ltac straight := repeat sstep.
Ltac call_is E := straight; closed_call; rewrite E; cbv beta iota.

(** After the call that is the step of a round, with result [q]. *)
Ltac round_done q := destruct q; cbv beta delta [round] iota; straight; eauto.

(** A loop is [E : iterate f n s = Some r]; [I] are the locals of each round.  Left are
    a round, the end of the loop, the first locals, and what comes after. *)
Ltac loop_by I E := match type of E with
  | iterate ?f ?n ?s = Some ?r => apply (wp_iterate _ _ _ _ f I n _ s r); [lia | | | | exact E | ]
  end.
