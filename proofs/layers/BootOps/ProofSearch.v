(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the loop that looks an address up in the images of a VM meets its
    specification over the part of the underlay that it uses.  After [k] rounds the rest of
    the look-up, from what was found so far, is the whole look-up.  Used by [ProofCode]. *)
From SeKVM.layers.BootOps Require Import Code Spec SpecTac Ranges.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** A round of the look-up. *)
Lemma find_image_step x a k n f : k < n -> find_image x a (seqZ k (n - k)) f =
  find_image x a (seqZ (k + 1) (n - (k + 1))) (if holds x a k then img_remap x k + (a - img_addr x k) else f).
Proof. intros R. rewrite seqZ_cons by lia. cbn [find_image]. do 2 f_equal; lia. Qed.

Lemma search_load_info_code : fun_ok U f_search_load_info search_load_info_spec.
Proof.
  apply fun_ok_vc. intros vs s r E. apply p2_inv in E as (v & a & -> & RV & RA & E). cbv beta in E.
  unfold is_guest in E. boolprop. destruct ((0 <? v) && (v <? 16)) eqn:G.
  2:{ cbn [chk] in E. injection E as <-. run_vc f_search_load_info. code_cases. }
  destruct (with_vm v s _) as [q|] eqn:W; [|discriminate E]. vm_locked W c. injection W as <-.
  cbn [chk] in E. destruct (in_range U64 _); [injection E as <- | discriminate E].
  pose proof (load_next_range _ OK). boolprop. unfold put_vm. run_vc f_search_load_info. ssteps.
  match goal with |- wp _ _ _ ?e ?t =>
    apply (wp_while _ _ _ (fun n e' t' => exists k f b z m,
      e' = [("vmid", Some v); ("addr", Some a); ("found", Some f); ("i", Some k); ("n", Some (load_next (c_val c)));
            ("base", b); ("size", z); ("remap", m)] /\ t' = t /\ k + Z.of_nat n = load_next (c_val c) /\ 0 <= k /\
      0 <= f < 18446744073709551616 /\
      find_image (c_val c) a (seqZ k (load_next (c_val c) - k)) f =
        find_image (c_val c) a (seqZ 0 (load_next (c_val c))) 0)) with (n := Z.to_nat (load_next (c_val c))) end.
  2:{ exists 0, 0. do 3 eexists. rewrite Z.sub_0_r. repeat split; lia. }
  intros n e' t' (k & f & b & z & m & -> & -> & K & K0 & Rf & F). run_vc_goal.
  destruct (Z.ltb_spec k (load_next (c_val c))) as [L|L].
  - destruct (image_range (c_val c) k OK ltac:(lia)) as (A1 & A2 & A3 & _). rewrite find_image_step in F by exact L.
    unfold holds, img_addr, img_size, img_remap in *. ssteps.
    destruct (Z.leb_spec (word (load_addr (c_val c)) k) a); cbn [andb] in F; ssteps.
    1: destruct (Z.ltb_spec (a - word (load_addr (c_val c)) k) (word (load_size (c_val c)) k)); ssteps.
    all: exists (n - 1)%nat; (split; [lia|]); exists (k + 1); do 4 eexists; (split; [reflexivity|]).
    all: split; [reflexivity|]; repeat split; try lia; exact F.
  - rewrite seqZ_nil in F by lia. cbn [find_image] in F. subst f. ssteps. reflexivity.
Qed.
