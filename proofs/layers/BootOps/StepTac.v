(* SPDX-License-Identifier: Apache-2.0 *)
(** Tactics for the code of BootOps on images, which has conditions with several
    connectives and loops: one statement at a time ([VcStep]), and a join after a
    condition, so that what follows is proved once.  A file of its own because tactics
    carry source positions.  Used by [ProofRemap], [ProofSetBoot] and [ProofVerify]. *)
From SeKVM.lib Require Export VcStep.
From SeKVM.layers.BootOps Require Export SpecTac.
Local Open Scope Z_scope.

Ltac lstep := first [sstep | vstep].
Ltac lsteps := repeat (repeat lstep; do_call; open_goal); repeat lstep.

(** What follows the statement at hand, from all locals [e] with [P e]. *)
Ltac join_at P := match goal with
  | |- context [vc ?L _ (fun o =>
      match o with Normal e' s' => vc ?L ?r ?K e' s' | Return _ _ => _ | Halted _ => _ end) _ ?s] =>
      assert (J : forall e, P e -> vc L r K e s)
  end.
Ltac at_loop := match goal with |- vc ?L (Swhile ?c ?b) ?K ?e ?s => change (wp (graph L) (Swhile c b) K e s) end.

(** Images as the code reads them. *)
Ltac images_open := unfold img_pages, img_addr, img_size, img_remap, img_mapped, img_digest, pages in *.
