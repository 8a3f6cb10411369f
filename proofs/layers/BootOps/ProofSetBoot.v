(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the code that records an image meets its specification over the part
    of the underlay that it uses.  After [k] rounds of the loop its flag says whether the
    image fits the address space and is apart from the first [k] images.  Used by
    [ProofCode]. *)
From SeKVM.layers.BootOps Require Import Code Spec StepTac Natural Ranges.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Lemma pages_code size : pages size = size / 4096 + (if size mod 4096 =? 0 then 0 else 1).
Proof. unfold pages. destruct (Z.eqb_spec (size mod 4096) 0); Z.div_mod_to_equations; lia. Qed.

(** The image of [n] pages at [a] fits the address space and is apart from the first [k] images of [x]. *)
Definition fits_first (a n : Z) (x : vminfo) : bool :=
  (load_next x <? MAX_LOAD_INFO) && (a mod 4096 =? 0) && (a <? 281474976710656) && (a + 4096 * n <=? 281474976710656).
Definition fits_after (a n : Z) (x : vminfo) (k : Z) : bool :=
  fits_first a n x && forallb (image_apart x a n) (seqZ 0 k).

Lemma fits_after_S a n x k : 0 <= k -> fits_after a n x (k + 1) = fits_after a n x k && image_apart x a n k.
Proof. intros R. unfold fits_after. rewrite forallb_seqZ_S by exact R. apply andb_assoc. Qed.

(** The locals in round [k] of the loop, which looked at [b] and [o] last. *)
Definition loop_locals (v a z k : Z) (x : vminfo) (b o : option Z) : env :=
  [("vmid", Some v); ("load_addr", Some a); ("size", Some z); ("num", Some (pages z)); ("remap", Some 0);
   ("fits", Some (if fits_after a (pages z) x k then 1 else 0)); ("i", Some k); ("state", Some (vm_state x));
   ("n", Some (load_next x)); ("base", b); ("other", o); ("digest", None)].

Lemma set_boot_info_code : fun_ok U f_set_boot_info set_boot_info_spec.
Proof.
  pose proof alloc_remap_addr_records as N1. apply fun_ok_vc. intros vs s r E. unfold set_boot_info_spec in E.
  apply p3_inv in E as (v & a & z & -> & RV & RA & RZ & E). cbv beta in E. unfold is_guest in E. boolprop.
  assert (P0 : 0 <= z / 4096 < 4503599627370496) by (Z.div_mod_to_equations; lia).
  pose proof (pages_code z) as PZ.
  destruct ((0 <? v) && (v <? 16)) eqn:G.
  2:{ cbn [chk] in E. injection E as <-. run_steps f_set_boot_info. lsteps.
      repeat (innermost ltac:(split_on); lsteps); reflexivity. }
  destruct (with_vm v s _) as [q|] eqn:W; [|discriminate E]. vm_locked W c.
  pose proof (load_next_range _ OK). pose proof (vm_ok_state _ OK). boolprop. unfold READY in W.
  assert (Hm : (<[v:=c]> (st_vms s)) !! v = Some c) by apply lookup_insert.
  assert (PN : 0 <= pages z < 4503599627370497) by (rewrite PZ; destruct (z mod 4096 =? 0); lia).
  run_steps f_set_boot_info. lsteps.
  join_at (fun e => e = [("vmid", Some v); ("load_addr", Some a); ("size", Some z); ("num", Some (pages z));
    ("remap", Some 0); ("fits", Some 1); ("i", Some 0); ("state", None); ("n", None); ("base", None); ("other", None);
    ("digest", None)]).
  2:{ destruct (Z.eqb_spec (z mod 4096) 0); lsteps; apply J; rewrite PZ; now rewrite ?Z.add_0_r. }
  intros e ->.
  assert (Qr : q = r /\ match q with Ok w _ => 0 <= w < 4294967296 | Halt _ => True end).
  { destruct q as [w t|t]; cbn [chk] in E; [|now injection E as <-].
    destruct (in_range U32 w) eqn:Rw; [injection E as <-; boolprop; auto | discriminate E]. }
  clear E. destruct Qr as [-> Qr].
  destruct (Z.eqb_spec (vm_state (c_val c)) 2) as [Rd|Rd].
  2:{ injection W as <-. lsteps. reflexivity. }
  lsteps.
  join_at (fun e => e = [("vmid", Some v); ("load_addr", Some a); ("size", Some z); ("num", Some (pages z));
    ("remap", Some 0); ("fits", Some (if fits_first a (pages z) (c_val c) then 1 else 0)); ("i", Some 0);
    ("state", Some (vm_state (c_val c))); ("n", Some (load_next (c_val c))); ("base", None); ("other", None);
    ("digest", None)]).
  2:{ destruct (fits_first a (pages z) (c_val c)) eqn:FF; pose proof FF as FF';
        unfold fits_first, MAX_LOAD_INFO in FF'.
      - boolprop. assert (pages z <= (281474976710656 - a) / 4096) by (Z.div_mod_to_equations; lia).
        lsteps. now apply J.
      - lsteps. repeat (innermost ltac:(split_on); lsteps); try now apply J.
        exfalso. apply not_true_iff_false in FF. apply FF. unfold fits_first, MAX_LOAD_INFO.
        assert (a + 4096 * pages z <= 281474976710656) by (Z.div_mod_to_equations; lia). bool_goal. }
  intros e ->.
  change (fits a (pages z) (c_val c)) with
    (fits_after a (pages z) (c_val c) (load_next (c_val c))) in W.
  vstep. vstep. at_loop.
  apply (wp_while _ _ _ (fun n e' t' => exists k b o, e' = loop_locals v a z k (c_val c) b o /\
    t' = set_vms (<[v:=c]> (st_vms s)) s /\ k + Z.of_nat n = load_next (c_val c) /\ 0 <= k))
    with (n := Z.to_nat (load_next (c_val c))).
  2:{ exists 0. do 2 eexists. unfold loop_locals, fits_after. rewrite (seqZ_nil 0 0) by lia. cbn [forallb].
      rewrite andb_true_r. repeat split; lia. }
  intros n e' t' (k & b & o & -> & -> & K & K0). unfold loop_locals. run_atom.
  destruct (Z.ltb_spec k (load_next (c_val c))) as [L|L].
  - (* image k *)
    destruct (image_range (c_val c) k OK ltac:(lia)) as ((A1 & A2 & A3) & A4 & A5 & A6 & A7).
    pose proof (fits_after_S a (pages z) (c_val c) k K0) as FS. unfold image_apart in FS. images_open.
    assert (M : forall e' b' o', e' = loop_locals v a z (k + 1) (c_val c) b' o' -> exists m, (m < n)%nat /\
      exists k b o, e' = loop_locals v a z k (c_val c) b o /\
        set_vms (<[v:=c]> (st_vms s)) s = set_vms (<[v:=c]> (st_vms s)) s /\
        k + Z.of_nat m = load_next (c_val c) /\ 0 <= k).
    { intros e' b' o' ->. exists (n - 1)%nat. split; [lia|]. exists (k + 1), b', o'. repeat split; lia. }
    lsteps. destruct (fits_after a ((z + 4095) / 4096) (c_val c) k) eqn:FA; cbn [andb] in FS.
    2:{ lsteps. eapply M. unfold loop_locals, pages. now rewrite FS. }
    assert (FF : fits_first a ((z + 4095) / 4096) (c_val c) = true) by now apply andb_true_iff in FA as [FA _].
    unfold fits_first in FF. boolprop. lsteps.
    destruct (Z.ltb_spec a (word (load_addr (c_val c)) k + (word (load_size (c_val c)) k + 4095) / 4096 * 4096));
      lsteps.
    2:{ eapply M. unfold loop_locals, pages. rewrite FS. replace (_ || _) with true; [reflexivity|]. symmetry.
        bool_goal. }
    destruct (Z.ltb_spec (word (load_addr (c_val c)) k) (a + (z + 4095) / 4096 * 4096)); lsteps.
    2:{ eapply M. unfold loop_locals, pages. rewrite FS. replace (_ || _) with true; [reflexivity|]. symmetry.
        bool_goal. }
    eapply M. unfold loop_locals, pages. rewrite FS. replace (_ || _) with false; [reflexivity|]. symmetry. bool_goal.
  - (* the end *)
    assert (k = load_next (c_val c)) as -> by lia.
    destruct (fits_after a (pages z) (c_val c) (load_next (c_val c))) eqn:FA.
    2:{ unfold publish_vm, put_vm in W. injection W as <-. lsteps. reflexivity. }
    assert (L5 : load_next (c_val c) < 5).
    { apply andb_true_iff in FA as [FA _]. unfold fits_first, MAX_LOAD_INFO in FA. boolprop. assumption. }
    unfold inside, publish_vm, denied_vm, put_vm in W.
    destruct (alloc_remap_addr_spec [pages z] s) as [[p t|t]|] eqn:AL; [| |discriminate W].
    2:{ injection W as <-. lsteps. records_kept. reflexivity. }
    assert (RPt : 0 <= p < 18446744073709551616).
    { pose proof AL as AL'. unfold alloc_remap_addr_spec in AL'. apply p1_inv in AL' as (? & _ & _ & AL').
      destruct (with_core s _) as [[p' t'|t']|]; cbn [chk] in AL'; try discriminate AL'.
      destruct (in_range U64 p') eqn:RP; [|discriminate AL']. injection AL' as -> _. boolprop. assumption. }
    destruct (p =? 0) eqn:P1.
    + injection W as <-. lsteps. records_kept. reflexivity.
    + unfold get_image_digest in W. lazy beta iota delta [p1 chk] in W.
      replace (in_range U32 v) with true in W by (symmetry; bool_goal).
      destruct (in_range U64 (hd _ _)) eqn:RD; [|discriminate W]. boolprop. unfold add_image in W. injection W as <-.
      lsteps. records_kept. reflexivity.
Qed.
