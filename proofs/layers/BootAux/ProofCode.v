(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 20, BootAux: the loop over the pages of an image meets its specification.  The
    look-up and the step of MemoryOps stay closed.  Used by [Refine]. *)
From SeKVM.lib Require Import Bits LoopTac.
From SeKVM.layers.MemoryOps Require Import Ranges SpecTac.
From SeKVM.layers.BootAux Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** An entry without an address gives frame 0, and only such. *)
Lemma no_address e : (Z.land e 281474976706560 =? 0) = (frame_of e =? 0).
Proof.
  unfold frame_of, phys. rewrite frame_bits, Z.div_mul by discriminate.
  destruct (Z.eqb_spec ((e / 4096) mod 68719476736) 0) as [->|N]; [reflexivity|]. apply Z.eqb_neq. lia.
Qed.

Section Code.
  Context {M : Type}.
  Notation U := (@U M).

  Lemma unmap_and_load_vm_image_code : fun_ok U f_unmap_and_load_vm_image unmap_and_load_vm_image_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. apply p4_inv in E as (v & t & m & n & -> & RV & RT & RM & RN & E).
    apply chk_void in E as [E R0]. boolprop. unfold PFN_LIMIT in E.
    pose proof (page_of_addr t RT). pose proof (page_of_addr m RM).
    unfold is_guest in E. run_vc f_unmap_and_load_vm_image. straight.
    destruct (Z.ltb_spec 0 v); [|injection E as <-; straight; reflexivity].
    destruct (Z.ltb_spec v 16); [|injection E as <-; straight; reflexivity].
    destruct (t mod 4096 =? 0); [|injection E as <-; straight; reflexivity].
    destruct (m mod 4096 =? 0); [|injection E as <-; straight; reflexivity].
    destruct (Z.leb_spec n 68719476736);
      [|destruct (Z.leb_spec (t / 4096 + n) 68719476736); [lia|]; injection E as <-; straight; reflexivity].
    destruct (Z.leb_spec (t / 4096 + n) 68719476736); [|injection E as <-; straight; reflexivity].
    destruct (Z.leb_spec (m / 4096 + n) 68719476736); [|injection E as <-; straight; reflexivity].
    cbn [andb] in E. straight.
    loop_by (fun j x => exists p d, x = [("vmid", Some v); ("target_addr", Some t); ("remap_addr", Some m); ("num", Some n);
      ("gfn", Some (t / 4096)); ("slot", Some (m / 4096)); ("pte", p); ("old", d); ("i", Some j)]) E.
    - intros j x s1 q J (p & d & ->) F. run_vc_goal. unfold load_page, and_then in F. straight. closed_call.
      change 16 with COREVISOR.
      destruct (walk_s2pt_spec [COREVISOR; (m / 4096 + j) * 4096] s1) as [[e s2|s2]|];
        [ | injection F as <-; reflexivity | discriminate F ].
      rewrite no_address. destruct (frame_of e =? 0); [injection F as <-; reflexivity|].
      straight. closed_call.
      destruct (walk_s2pt_spec [v; (t / 4096 + j) * 4096] s2) as [[o s3|s3]|];
        [ | injection F as <-; reflexivity | discriminate F ].
      destruct (o =? 0); cbn [negb]; [|injection F as <-; reflexivity].
      call_is F. round_done q.
    - intros x (p & d & ->). run_vc_goal. straight. exact I.
    - do 2 eexists. reflexivity.
    - destruct r; [intros x (p & d & ->)|]; subst; reflexivity.
  Qed.
End Code.
