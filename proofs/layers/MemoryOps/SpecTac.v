(* SPDX-License-Identifier: Apache-2.0 *)
(** Tactics for the code proofs of MemoryOps: sharing and taking back are the same code
    but for the step.  Rests on [LoopTac]. *)
From SeKVM.lib Require Export LoopTac.
From SeKVM.layers.MemoryOps Require Import Spec Ranges.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** A round: look the page up, and do the step if it is mapped. *)
Ltac mapped_round F :=
  match type of F with with_mapped _ ?v ?g ?s = Some ?q =>
    unfold with_mapped, and_then, frame_at, is_page_entry in F; straight; closed_call;
    destruct (walk_s2pt_spec [v; g * 4096] s) as [[pte s1|s1]|];
    [ | injection F as <-; reflexivity | discriminate F ];
    change (Z.land pte 281474976706560 / 4096) with (frame_of pte);
    pose proof (frame_of_range pte); pose proof (mod_block g ltac:(lia));
    destruct (frame_of pte =? 0);
    [ injection F as <-; cbv beta delta [round] iota; straight; eauto
    | destruct (Z.land pte 3 =? 3); call_is F; round_done q ]
  end.

(** Sharing, or taking back, the [n] bytes from [a] on, for VM [v]; [E] is what the
    specification says of it. *)
Ltac range_loop E v a n r :=
  match type of E with
  | iterate _ ?k _ = _ =>
      loop_by (fun j x => exists p q,
        x = [("vmid", Some v); ("addr", Some a); ("size", Some n); ("gfn", Some (a / 4096)); ("num", Some k);
             ("pte", p); ("pfn", q); ("i", Some j)]) E;
      [ intros j x t u J (p & q & ->) F; run_vc_goal; mapped_round F
      | intros x (p & q & ->); run_vc_goal; straight; exact I
      | do 2 eexists; reflexivity
      | destruct r; [intros x (p & q & ->) | ]; subst; reflexivity ]
  end.
Ltac range_code f E v a n r :=
  match goal with RA : 0 <= a < _, RN : 0 <= n < _ |- _ =>
    pose proof (page_of_addr a RA); pose proof (page_of_addr n RN) end;
  unfold is_guest, pages_of, PFN_LIMIT in E; run_vc f; straight;
  destruct (n mod 4096 =? 0); rewrite ?Z.add_0_r in E; straight;
  match type of E with context [?x <=? 68719476736] =>
    destruct (Z.ltb_spec 0 v), (Z.ltb_spec v 16), (Z.leb_spec x 68719476736) end;
  cbn [andb] in E; straight;
  first [ range_loop E v a n r
        | injection E as <-; repeat innermost ltac:(split_on); straight; reflexivity ].
