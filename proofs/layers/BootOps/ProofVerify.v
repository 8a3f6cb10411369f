(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the two loops of verification meet their specification over the part
    of the underlay that they use.  While the record is locked nothing that they call
    touches it ([Natural]), so each round reads the same images.  Used by [ProofCode]. *)
From SeKVM.layers.MemoryOps Require Import Ranges.
From SeKVM.layers.BootOps Require Import Code Spec StepTac Natural Ranges.
Local Open Scope string_scope.
Local Open Scope Z_scope.

#[local] Hint Unfold get_pfn_owner_spec get_pfn_count_spec get_pfn_map_spec frame_get frame : prims.

(** What the three accessors say of a frame decides whether it is the VM's private page. *)
Lemma page_seen v g q : frame_ok q = true -> 0 < v < 16 -> 0 <= g < 68719476736 ->
  0 <= owner_of q < 4294967296 /\ 0 <= count_of q < 4294967296 /\ 0 <= map_of q < 18446744073709551616 /\
  is_page_of v g q = (owner_of q =? v) && (count_of q =? 0) && (map_of q =? g).
Proof.
  intros OK V G.
  assert (A : forall x y, x <> y -> (x =? y) = false) by (intros x y; apply Z.eqb_neq).
  destruct q as [[k|w [k|] [b|]|]|]; cbn [frame_ok owner_of count_of map_of is_page_of] in *;
    unfold is_guest, INVALID, INVALID64, HOSTVISOR, COREVISOR in *; boolprop; repeat split; try lia.
  all: rewrite ?(A 0 v), ?(A 16 v), ?(A 4294967295 v), ?(A 4294967295 0), ?(A 18446744073709551615 g) by lia.
  all: rewrite ?andb_false_r; reflexivity.
Qed.

Lemma verify_and_load_images_code : fun_ok U f_verify_and_load_images verify_and_load_images_spec.
Proof.
  pose proof unmap_and_load_vm_image_records as N1. pose proof walk_s2pt_records as N2.
  apply fun_ok_vc. intros vs s r E. unfold verify_and_load_images_spec in E. apply p1_inv in E as (v & -> & RV & E).
  cbv beta in E. apply chk_void in E as [E R0]. unfold is_guest in E. boolprop.
  destruct ((0 <? v) && (v <? 16)) eqn:G.
  2:{ injection E as <-. run_vc f_verify_and_load_images. code_cases. }
  vm_locked E c. pose proof (load_next_range _ OK). pose proof (vm_ok_state _ OK). boolprop. unfold READY in E.
  destruct (Z.eqb_spec (vm_state (c_val c)) 2) as [Rd|Rd].
  2:{ injection E as <-. run_steps f_verify_and_load_images. lsteps. reflexivity. }
  assert (Hm : (<[v:=c]> (st_vms s)) !! v = Some c) by apply lookup_insert.
  remember (<[v:=c]> (st_vms s)) as m eqn:Em.
  destruct (iterate_from_free (load_image v (c_val c)) (Z.to_nat (load_next (c_val c)))
    (fun i => load_image_free v (c_val c) i) 0 s m) as [EM KM].
  unfold iterate in E.
  remember (iterate_from (load_image v (c_val c)) (Z.to_nat (load_next (c_val c))) 0 s) as o eqn:Eo.
  assert (Halts : forall t1, res_map (set_vms m) o = Some (Halt t1) -> r = Halt t1).
  { intros t1 X. destruct o as [[w t|t]|]; cbn [res_map] in X; try discriminate X. injection X as <-.
    cbn [inside] in E.
    cbn [res_all] in KM. unfold denied_vm, put_vm in E. rewrite KM, <- Em in E. now injection E as <-. }
  assert (Ends : forall w t1, res_map (set_vms m) o = Some (Ok w t1) ->
    r = Ok 0 (set_vms (<[v := release_cell (cpu_id (st_cpu t1)) (set_val (verified (c_val c)) c)]> m) t1)).
  { intros w t1 X. destruct o as [[u t|t]|]; cbn [res_map] in X; try discriminate X. injection X as <- <-.
    cbn [inside] in E.
    cbn [res_all] in KM. unfold publish_vm, put_vm in E. rewrite KM in E. injection E as <-. subst m.
    rewrite insert_insert. reflexivity. }
  assert (Defd : res_map (set_vms m) o <> None)
    by (destruct o as [[w t|t]|]; [discriminate | discriminate | discriminate E]).
  clear E KM Eo. generalize dependent (res_map (set_vms m) o). intros rm EM Halts Ends Defd. clear o.
  run_steps f_verify_and_load_images. lsteps. rewrite <- Em. at_loop.
  apply (wp_while _ _ _ (fun n e' t' => exists k ow co nu ma ba re di ha j pt pf gf,
    e' = [("vmid", Some v); ("i", Some k); ("state", Some (vm_state (c_val c))); ("n", Some (load_next (c_val c)));
          ("owner", ow); ("count", co); ("num", nu); ("mapped", ma); ("base", ba); ("remap", re); ("digest", di);
          ("hash", ha); ("j", j); ("pte", pt); ("pfn", pf); ("gfn", gf)] /\
    k + Z.of_nat n = load_next (c_val c) /\ 0 <= k /\ st_vms t' = m /\
    iterate_from (load_image v (c_val c)) n k t' = rm))
    with (n := Z.to_nat (load_next (c_val c))).
  2:{ exists 0. do 12 eexists. repeat split; try lia. exact EM. }
  clear EM.
  intros n e' t' (k & ow & co & nu & ma & ba & re & di & ha & j & pt & pf & gf & -> & K & K0 & Vt & It).
  rewrite <- Vt in Hm. run_atom.
  destruct (Z.ltb_spec k (load_next (c_val c))) as [L|L].
  2:{ assert (n = 0%nat) as -> by lia. cbn [iterate_from] in It. symmetry in It. apply Ends in It. lsteps.
      rewrite It, Vt. reflexivity. }
  destruct (image_range (c_val c) k OK ltac:(lia)) as ((A1 & A2 & A3) & A4 & A5 & A6 & A7).
  destruct n as [|n]; [lia|]. cbn [iterate_from] in It. unfold load_image at 1 in It. unfold complete in It.
  destruct (Z.eqb_spec (img_mapped (c_val c) k) (img_pages (c_val c) k)) as [Co|Co].
  2:{ cbn [and_then] in It. symmetry in It. apply Halts in It. images_open. lsteps. exact It. }
  images_open. unfold and_then at 2 in It.
  destruct (unmap_and_load_vm_image_spec _ t') as [[w1 t1|t1]|] eqn:U1; cbn [and_then] in It; [| |congruence].
  2:{ symmetry in It. apply Halts in It. lsteps. exact It. }
  apply (natural_ok _ _ _ _ _ N1) in U1 as V1. rewrite Vt in V1.
  remember (hash_vm_pages v _ _ HASH_START t1) as Q eqn:EQ.
  assert (HaltQ : forall t2 : hstate, Q = Some (Halt t2) -> r = Halt t2).
  { intros t2 ->. cbn [and_then] in It. symmetry in It. exact (Halts _ It). }
  assert (EndQ : forall h t2, Q = Some (Ok h t2) -> if h =? word (load_digest (c_val c)) k
    then iterate_from (load_image v (c_val c)) n (k + 1) t2 = rm else r = Halt t2).
  { intros h t2 ->. cbn [and_then] in It. destruct (h =? _); cbn [and_then] in It; [exact It|].
    symmetry in It. exact (Halts _ It). }
  assert (DefQ : Q <> None) by (intros ->; cbn [and_then] in It; congruence).
  assert (Kept : forall t : hstate, st_vms t = m -> st_vms t !! v = Some c)
    by (intros t Et; rewrite Et, <- Vt; exact Hm).
  clear It. pose proof (Kept _ V1) as Hm1.
  lsteps. at_loop.
  apply (wp_while _ _ _ (fun l e' t => exists jj h ow co ma pt pf gf,
    e' = [("vmid", Some v); ("i", Some k); ("state", Some (vm_state (c_val c))); ("n", Some (load_next (c_val c)));
          ("owner", ow); ("count", co); ("num", Some ((word (load_size (c_val c)) k + 4095) / 4096)); ("mapped", ma);
          ("base", Some (word (load_addr (c_val c)) k)); ("remap", Some (word (load_remap (c_val c)) k));
          ("digest", Some (word (load_digest (c_val c)) k)); ("hash", Some h); ("j", Some jj);
          ("pte", pt); ("pfn", pf); ("gfn", gf)] /\
    jj + Z.of_nat l = (word (load_size (c_val c)) k + 4095) / 4096 /\ 0 <= jj /\ 0 <= h < 18446744073709551616 /\
    st_vms t = m /\ hash_vm_pages v l (word (load_addr (c_val c)) k / 4096 + jj) h t = Q))
    with (n := Z.to_nat ((word (load_size (c_val c)) k + 4095) / 4096)).
  2:{ exists 0, HASH_START. do 6 eexists. rewrite Z.add_0_r. unfold HASH_START. repeat split; try lia.
      - exact V1.
      - symmetry. exact EQ. }
  clear EQ ow co nu ma ba re di ha j pt pf gf.
  intros l e' t (jj & h & ow & co & ma & pt & pf & gf & -> & J & J0 & Rh & Vt2 & Hq). pose proof (Kept _ Vt2) as Hm2.
  run_atom. destruct (Z.ltb_spec jj ((word (load_size (c_val c)) k + 4095) / 4096)) as [B|B].
  2:{ (* the end of the image *)
      assert (l = 0%nat) as -> by lia. cbn [hash_vm_pages] in Hq. symmetry in Hq. apply EndQ in Hq.
      lsteps. destruct (Z.eqb_spec h (word (load_digest (c_val c)) k)) as [D|D]; lsteps; [|exact Hq].
      exists n. split; [lia|]. exists (k + 1). do 12 eexists. repeat split; [lia | lia | exact Vt2 | exact Hq]. }
  destruct l as [|l]; [lia|]. cbn [hash_vm_pages] in Hq. unfold hash_vm_page in Hq. unfold and_then at 2 in Hq.
  assert (R2 : 0 <= word (load_addr (c_val c)) k / 4096 < 68719476736) by (Z.div_mod_to_equations; lia).
  assert (R3 : word (load_addr (c_val c)) k / 4096 + jj < 68719476736) by (Z.div_mod_to_equations; lia).
  destruct (walk_s2pt_spec _ t) as [[e u|u]|] eqn:W; cbn [and_then] in Hq; [| |congruence].
  2:{ symmetry in Hq. apply HaltQ in Hq. lsteps. exact Hq. }
  apply (natural_ok _ _ _ _ _ N2) in W as V2. rewrite Vt2 in V2.
  pose proof (frame_of_range e) as Re. unfold with_frame in Hq.
  destruct (negb (c_held (st_s2 u))) eqn:Hs; [|cbn [and_then] in Hq; congruence]. cbv zeta in Hq.
  pose proof (eq_refl : locked (acquire_cell (st_s2 u)) (st_s2 u)) as Ed.
  assert (Hd : c_held (acquire_cell (st_s2 u)) = true) by reflexivity.
  generalize dependent (acquire_cell (st_s2 u)). intros d Hq Ed Hd.
  destruct (frame_ok (c_val d !! frame_of e)) eqn:Fo; [|cbn [and_then] in Hq; congruence].
  destruct (page_seen v (word (load_addr (c_val c)) k / 4096 + jj) _ Fo ltac:(lia) ltac:(lia)) as (O1 & O2 & O3 & Pg).
  rewrite Pg in Hq. clear Pg. unfold frame_of, phys in Re, Fo, O1, O2, O3, Hq. unfold denied in Hq.
  remember (Z.land e 281474976706560 / 4096) as f eqn:Ef.
  assert (HaltF : forall t2 : hstate, and_then (Some (Halt t2)) (fun h => hash_vm_pages v l
    (word (load_addr (c_val c)) k / 4096 + jj + 1) h) = Q -> r = Halt t2).
  { intros t2 X. symmetry in X. exact (HaltQ _ X). }
  lsteps. rewrite <- Ef. lsteps.
  destruct (Z.eqb_spec (owner_of (c_val d !! f)) v); [|apply HaltF in Hq; lsteps; exact Hq].
  destruct (Z.eqb_spec (count_of (c_val d !! f)) 0); [|apply HaltF in Hq; lsteps; exact Hq].
  destruct (Z.eqb_spec (map_of (c_val d !! f)) (word (load_addr (c_val c)) k / 4096 + jj));
    [|apply HaltF in Hq; lsteps; exact Hq].
  cbn [andb] in Hq. clear HaltF.
  unfold hash_page in Hq. lazy beta iota zeta delta [p2 chk] in Hq.
  replace (in_range U64 f) with true in Hq by (symmetry; bool_goal).
  replace (in_range U64 h) with true in Hq by (symmetry; bool_goal).
  destruct (in_range U64 (hash_words _ _)) eqn:Rw; cbn [after and_then] in Hq; [|congruence].
  boolprop. lsteps. exists l. split; [lia|].
  exists (jj + 1), (hash_words h (frame_contents f (BottomVm.sync_mem (st_mem u)))). do 6 eexists.
  repeat split; [lia | lia | lia | lia | exact V2 | rewrite Z.add_assoc; exact Hq].
Qed.
