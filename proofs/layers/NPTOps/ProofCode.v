(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 8, NPTOps: each function's code meets its specification over the interface
    of NPTWalk.  The calls between acquire and release are resolved one by one.  Used
    by [Refine]. *)
From SeKVM.lib Require Import Bits VcStep LoopTac.
From SeKVM.layers.NPTWalk Require Import Steps.
From SeKVM.layers.NPTOps Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * One call, the table of VM [vm] being [c] *)

Section Call.
  Context (vm : Z) (RV : in_range U32 vm = true).

  Lemma acquire_pt_call (s : nstate) c : st_npts s !! vm = Some c -> c_held c = false ->
    call NPTWalk.Spec.L "acquire_lock_pt" [vm] s = Some (Ok 0 (put_table vm (acquire_cell c) s)).
  Proof.
    intros C H. change (call NPTWalk.Spec.L "acquire_lock_pt" ?l s) with (acquire_vm_obj st_npts set_npts l s).
    unfold acquire_vm_obj, p1. now rewrite RV, C, H.
  Qed.

  Lemma release_pt_call (s : nstate) c : c_held c = true ->
    call NPTWalk.Spec.L "release_lock_pt" [vm] (put_table vm c s) = Some (Ok 0 (put_table vm (published c s) s)).
  Proof.
    intros H. change (call NPTWalk.Spec.L "release_lock_pt" ?l ?x) with (release_vm_obj st_npts set_npts l x).
    unfold release_vm_obj, p1, put_table, set_npts, published; cbn [st_npts st_cpu].
    rewrite RV, lookup_insert, H, insert_insert. reflexivity.
  Qed.

  Context (V : is_vmid vm = true).

  Lemma level_call (s : nstate) c a : c_held c = true -> in_range U64 a = true ->
    call NPTWalk.Spec.L "get_npt_level" [vm; a] (put_table vm c s)
      = Some (Ok (level (c_val c) (page_number a)) (put_table vm c s)).
  Proof.
    intros H RA. change (call NPTWalk.Spec.L "get_npt_level" ?l ?x) with (get_npt_level_spec l x).
    unfold get_npt_level_spec, p2. rewrite RV, RA. unfold put_table; cbn [st_npts set_npts].
    rewrite lookup_insert, H, V. cbn [chk].
    replace (in_range U32 (level (c_val c) (page_number a))) with true; [reflexivity|].
    symmetry. apply in_range_iff. pose proof (level_range (c_val c) (page_number a)). cbn [modulus]. lia.
  Qed.

  Lemma entry_call (s : nstate) c a : c_held c = true -> in_range U64 a = true ->
    in_range U64 (entry (c_val c) (page_number a)) = true ->
    call NPTWalk.Spec.L "walk_npt" [vm; a] (put_table vm c s)
      = Some (Ok (entry (c_val c) (page_number a)) (put_table vm c s)).
  Proof.
    intros H RA RE. change (call NPTWalk.Spec.L "walk_npt" ?l ?x) with (walk_npt_spec l x).
    unfold walk_npt_spec, p2. rewrite RV, RA. unfold put_table; cbn [st_npts set_npts].
    rewrite lookup_insert, H, V. cbn [chk]. now rewrite RE.
  Qed.

  (** The table after an update, still locked. *)
  Definition updated (a : Z) (o : outcome pmap pmap) (c : cell pmap) (s : nstate) : res nstate :=
    match o with
    | Updated p => Ok 0 (put_table vm (set_val p c) (set_outs (Tlb_flush vm a :: st_outs s) s))
    | Full p | Under_block p => Halt (put_table vm (set_val p c) s)
    end.

  Lemma update_put a o c (s : nstate) :
    update vm a o (put_table vm c s) = Some (updated a o c s).
  Proof.
    unfold update, updated, put_table, set_npts, set_outs; cbn [st_npts st_outs st_cpu].
    rewrite lookup_insert. destruct o; rewrite insert_insert; reflexivity.
  Qed.

  Lemma set_call (s : nstate) c a lvl e : c_held c = true ->
    in_range U64 a = true -> in_range U32 lvl = true -> in_range U64 e = true ->
    call NPTWalk.Spec.L "set_npt" [vm; a; lvl; e] (put_table vm c s) = Some
      (if lvl =? 2
       then if Z.land e 3 =? 3 then Halt (put_table vm c s)
            else updated ALL_ADDRESSES (pset (npt_geom vm) 2 (page_number a) e (c_val c)) c s
       else updated a (pset (npt_geom vm) 3 (page_number a) e (c_val c)) c s).
  Proof.
    intros H RA RL RE. change (call NPTWalk.Spec.L "set_npt" ?l ?x) with (set_npt_spec l x).
    unfold set_npt_spec, p4. rewrite RV, RA, RL, RE. cbv beta.
    replace (st_npts (put_table vm c s) !! vm) with (Some c) by (symmetry; apply lookup_insert).
    rewrite H, V, !update_put.
    destruct (lvl =? 2); [destruct (Z.land e 3 =? 3); [reflexivity|]|]; unfold updated;
      destruct (pset _ _ _ _ _); reflexivity.
  Qed.

  (** Releasing after an update. *)
  Lemma publish_updated a o c (s : nstate) : c_held c = true ->
    match updated a o c s with
    | Ok _ s' => call NPTWalk.Spec.L "release_lock_pt" [vm] s'
    | Halt s' => Some (Halt s')
    end = publish_update vm a o c s.
  Proof.
    intros H. unfold updated, publish_update. destruct o as [p|p|p]; [|reflexivity|reflexivity].
    rewrite release_pt_call by exact H. reflexivity.
  Qed.
End Call.

Lemma panic_call (s : nstate) : call NPTWalk.Spec.L "panic" [] s = Some (Halt s).
Proof. reflexivity. Qed.

(** * The functions *)

Lemma get_level_s2pt_code : fun_ok NPTWalk.Spec.L f_get_level_s2pt get_level_s2pt_spec.
Proof.
  apply fun_ok_vc. intros vs s r E. apply p2_inv in E as (vm & a & -> & RV & RA & E). unfold locked_look in E.
  run_vc f_get_level_s2pt. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  rewrite (vmid_test vm RV), panic_call. destruct (is_vmid vm) eqn:V; cbn [negb] in E |- *; [|now injection E as <-].
  unfold ADDR_LIMIT in E. rewrite Z.ltb_antisym. destruct (281474976710656 <=? a); cbn [negb]; [now injection E as <-|].
  destruct (st_npts s !! vm) as [c|] eqn:C; [|discriminate E]. destruct (c_held c) eqn:Hd; [discriminate E|].
  apply chk_inv in E. destruct E as [RL ->].
  rewrite (acquire_pt_call vm RV s c C Hd), (level_call vm RV V), (release_pt_call vm RV) by (exact RA || reflexivity).
  rewrite wrap_id by now apply in_range_iff. reflexivity.
Qed.

Lemma walk_s2pt_code : fun_ok NPTWalk.Spec.L f_walk_s2pt walk_s2pt_spec.
Proof.
  apply fun_ok_vc. intros vs s r E. apply p2_inv in E as (vm & a & -> & RV & RA & E). unfold locked_look in E.
  run_vc f_walk_s2pt. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
  rewrite (vmid_test vm RV), panic_call. destruct (is_vmid vm) eqn:V; cbn [negb] in E |- *; [|now injection E as <-].
  unfold ADDR_LIMIT in E. rewrite Z.ltb_antisym. destruct (281474976710656 <=? a); cbn [negb]; [now injection E as <-|].
  destruct (st_npts s !! vm) as [c|] eqn:C; [|discriminate E]. destruct (c_held c) eqn:Hd; [discriminate E|].
  apply chk_inv in E. destruct E as [RL ->].
  rewrite (acquire_pt_call vm RV s c C Hd), (entry_call vm RV V), (release_pt_call vm RV)
    by (exact RA || exact RL || reflexivity).
  rewrite wrap_id by now apply in_range_iff. reflexivity.
Qed.

(** A void function's last call is the release after an update. *)
Lemma finish_update vm a o (c : cell pmap) (s : nstate) r : in_range U32 vm = true -> c_held c = true ->
  chk None (publish_update vm a o c s) = Some r ->
  match updated vm a o c s with
  | Ok _ s' => match call NPTWalk.Spec.L "release_lock_pt" [vm] s' with
               | Some (Ok _ s'') => r = Ok 0 s'' | Some (Halt s'') => r = Halt s'' | None => False end
  | Halt s' => r = Halt s'
  end.
Proof.
  intros RV H. rewrite <- (publish_updated vm RV a o c s H).
  destruct (updated vm a o c s) as [v s'|s'].
  - destruct (call _ _ _ s') as [[v' s''|s'']|]; cbn [chk].
    + destruct (v' =? 0); [now intros [= <-] | discriminate].
    + now intros [= <-].
    + discriminate.
  - cbn [chk]. now intros [= <-].
Qed.

(** Reading the pages that an entry covers, under the lock, up to the first that has another. *)
Definition scan (vm g e i : Z) (s : nstate) : option (res nstate) :=
  some c := st_npts s !! vm;
  rely c_held c;
  rely in_range U64 (entry (c_val c) (g + i));
  Some (if fits_at g e (c_val c) i then Ok 0 s else Halt s).

Lemma scan_from vm g e c (s : nstate) k : st_npts s !! vm = Some c -> c_held c = true -> forall i,
  forallb (fun i => in_range U64 (entry (c_val c) (g + i))) (seqZ i (Z.of_nat k)) = true ->
  iterate_from (scan vm g e) k i s
    = Some (if forallb (fits_at g e (c_val c)) (seqZ i (Z.of_nat k)) then Ok 0 s else Halt s).
Proof.
  intros C H. induction k as [|k IH]; intros i; [reflexivity|].
  rewrite seqZ_cons by lia. cbn [iterate_from forallb]. replace (Z.pred (Z.of_nat (S k))) with (Z.of_nat k) by lia.
  intros W. apply andb_true_iff in W as [W1 W]. unfold scan at 1. rewrite C, H, W1.
  destruct (fits_at g e (c_val c) i); cbn [andb and_then]; [exact (IH _ W) | reflexivity].
Qed.

Lemma scan_fits vm lvl g e c (s : nstate) :
  st_npts s !! vm = Some c -> c_held c = true -> words_at lvl g (c_val c) = true ->
  iterate (scan vm (map_start lvl g) e) (map_size lvl) s = Some (if fits lvl g e (c_val c) then Ok 0 s else Halt s).
Proof.
  intros C H W. unfold iterate, fits. assert (N : 0 <= map_size lvl) by (unfold map_size; destruct (lvl =? 2); lia).
  rewrite (scan_from vm _ e c s _ C H) by (rewrite Z2Nat.id by exact N; exact W). now rewrite Z2Nat.id.
Qed.

Lemma map_s2pt_code : fun_ok NPTWalk.Spec.L f_map_s2pt map_s2pt_spec.
Proof.
  apply fun_ok_vc. intros vs s r E. apply p4_inv in E as (vm & a & lvl & e & -> & RV & RA & RL & RE & E).
  pose proof RA as BA. apply in_range_iff in BA. cbn [modulus] in BA.
  run_steps f_map_s2pt. repeat (split; [now apply in_range_iff|]). repeat vstep. split; [discriminate|]. repeat vstep.
  rewrite (vmid_test vm RV). unfold ADDR_LIMIT in E. rewrite Z.ltb_antisym in E.
  destruct (is_vmid vm) eqn:V; cbn [negb andb] in E |- *;
    [|repeat vstep; rewrite panic_call; injection E as <-; unfold ends; reflexivity].
  destruct (Z.leb_spec 281474976710656 a) as [|LA]; cbn [negb andb] in E |- *;
    [repeat vstep; rewrite panic_call; injection E as <-; unfold ends; reflexivity|].
  assert (PN : page_number a = a / 4096) by (unfold page_number; apply Z.mod_small; Z.div_mod_to_equations; lia).
  do 4 vstep.
  (* what follows the checks of the entry *)
  match goal with |- vc ?L _ (fun o => match o with Normal e' s' => vc _ ?R ?K e' s' | _ => _ end) _ _ =>
    assert (Tail : can_map lvl e = true ->
      vc L R K [("vmid", Some vm); ("addr", Some a); ("level", Some lvl); ("pte", Some e);
        ("gfn", Some (map_start lvl (a / 4096))); ("num", Some (map_size lvl)); ("old", None); ("i", None)] s) end.
  { intros K. rewrite K in E. cbn [negb] in E.
    destruct (st_npts s !! vm) as [c|] eqn:C; [|discriminate E]. destruct (c_held c) eqn:Hd; [discriminate E|].
    cbn [negb] in E. cbv zeta in E. repeat vstep. rewrite (acquire_pt_call vm RV s c C Hd).
    set (d := acquire_cell c) in *. assert (HD : c_held d = true) by reflexivity. clearbody d. rewrite PN in E.
    destruct (negb (is_guest vm) || words_at lvl (a / 4096) (c_val d)) eqn:W; [|discriminate E].
    do 2 vstep.
    (* what follows the look at the pages *)
    match goal with |- vc ?L _ (fun o => match o with Normal e' s' => vc _ ?R ?K e' s' | _ => _ end) _ _ =>
      assert (Last : forall old i, is_guest vm && negb (fits lvl (a / 4096) e (c_val d)) = false ->
        vc L R K [("vmid", Some vm); ("addr", Some a); ("level", Some lvl); ("pte", Some e);
          ("gfn", Some (map_start lvl (a / 4096))); ("num", Some (map_size lvl)); ("old", old); ("i", i)]
          (put_table vm d s)) end.
    { intros old i F. rewrite F in E. repeat vstep. rewrite (set_call vm RV V) by assumption. rewrite PN.
      unfold map_level, can_map in *. destruct (lvl =? 2).
      1: apply andb_true_iff in K as [K _]; apply Z.eqb_eq in K; rewrite K; cbn [Z.eqb Pos.eqb].
      all: apply finish_update in E; [|exact RV|exact HD]; destruct (updated _ _ _ _ _) as [x t|t]; [|exact E].
      all: repeat vstep; destruct (call _ _ _ t) as [[y t'|t']|]; [| |destruct E]; repeat vstep; exact E. }
    vstep. assert (Gv : is_guest vm = negb (vm =? 0) && negb (vm =? 16)).
    { unfold is_vmid in V. unfold is_guest. apply andb_true_iff in V as [V1 V2].
      apply Z.leb_le in V1. apply Z.ltb_lt in V2.
      destruct (Z.ltb_spec 0 vm), (Z.ltb_spec vm 16), (Z.eqb_spec vm 0), (Z.eqb_spec vm 16); reflexivity || lia. }
    destruct (negb (vm =? 0)); [destruct (negb (vm =? 16))|]; cbn [andb] in Gv.
    2, 3: repeat vstep; apply Last; now rewrite Gv.
    rewrite Gv in W, E, Last. cbn [negb orb andb] in W, E, Last.
    pose proof (scan_fits vm lvl (a / 4096) e d (put_table vm d s) (lookup_insert _ _ _) HD W) as X.
    assert (NS : 0 <= map_size lvl <= 512) by (unfold map_size; destruct (lvl =? 2); lia).
    assert (MS : forall j, 0 <= j < map_size lvl -> 0 <= map_start lvl (a / 4096) + j < 68719476736).
    { unfold map_start, map_size, block_start. intros j J. destruct (lvl =? 2); Z.div_mod_to_equations; lia. }
    assert (M0 : 0 <= map_start lvl (a / 4096)).
    { specialize (MS 0). unfold map_size in MS. destruct (lvl =? 2); lia. }
    generalize dependent (map_start lvl (a / 4096)). intros g Last X MS M0. repeat vstep.
    match goal with |- vc ?L (Swhile ?c ?b) ?K ?e ?s => change (wp (graph L) (Swhile c b) K e s) end.
    loop_by (fun j x => exists o, x = [("vmid", Some vm); ("addr", Some a); ("level", Some lvl); ("pte", Some e);
      ("gfn", Some g); ("num", Some (map_size lvl)); ("old", o); ("i", Some j)]) X.
    - intros j x t q J (o & ->) F. specialize (MS j J). unfold scan in F.
      destruct (st_npts t !! vm) as [b|] eqn:B; [|discriminate F]. destruct (c_held b) eqn:HB; [|discriminate F].
      destruct (in_range U64 _) eqn:RO in F; [|discriminate F].
      assert (Q : call NPTWalk.Spec.L "walk_npt" [vm; (g + j) * 4096] t = Some (Ok (entry (c_val b) (g + j)) t)).
      { change (call NPTWalk.Spec.L "walk_npt" ?l ?x) with (walk_npt_spec l x). unfold walk_npt_spec, p2. rewrite RV.
        replace (in_range U64 _) with true by (symmetry; apply in_range_iff; cbn [modulus]; lia).
        rewrite B, HB, V. cbn [chk]. unfold page_number. rewrite Z.div_mul, Z.mod_small by lia. now rewrite RO. }
      unfold fits_at in F. cbv zeta in F. apply in_range_iff in RO. cbn [modulus] in RO.
      generalize dependent (entry (c_val b) (g + j)). intros w. intros.
      run_vc_goal. replace (j <? map_size lvl) with true by (symmetry; apply Z.ltb_lt; lia).
      unwrap. rewrite Q. cbv iota beta. rewrite panic_call. 
      destruct (w =? 0), (w =? e), (w =? Z.lor (Z.lor e 3) (j * 4096)); cbn [negb orb] in F |- *; injection F as <-;
        cbn [round]; eauto.
    - intros x (o & ->). run_vc_goal. rewrite Z.ltb_irrefl. exact I.
    - eexists. reflexivity.
    - destruct (fits lvl (a / 4096) e (c_val d)); cbn [negb] in E.
      + intros x (o & ->). now apply Last.
      + injection E as <-. unfold ends. reflexivity. }
  (* the entry is one of its level *)
  destruct (lvl =? 2) eqn:L2.
  all: unfold can_map, map_start, map_size in Tail, E; rewrite L2 in Tail, E; vstep; rewrite L2.
  - do 3 vstep. change (Z.land e 281474976706560) with (phys_page e). rewrite <- table_addr_phys.
    unfold BLOCK_SIZE in Tail, E.
    destruct (Z.land e 3 =? 1); cbn [negb andb] in E, Tail |- *;
      [|repeat vstep; rewrite panic_call; injection E as <-; reflexivity].
    split; [discriminate|].
    destruct (table_addr e mod 2097152 =? 0); cbn [negb] in E, Tail |- *;
      [|repeat vstep; rewrite panic_call; injection E as <-; reflexivity].
    repeat vstep. split; [discriminate|].
    pose proof (Z.mod_pos_bound (a / 4096) 512 eq_refl).
    rewrite (wrap_id U64) by (cbn [modulus]; Z.div_mod_to_equations; lia). repeat vstep. exact (Tail eq_refl).
  - do 2 vstep. destruct (lvl =? 3); cbn [negb andb] in E, Tail |- *.
    2: repeat vstep; rewrite panic_call; injection E as <-; reflexivity.
    destruct (Z.land e 3 =? 3); cbn [negb] in E, Tail |- *; repeat vstep; [exact (Tail eq_refl)|].
    rewrite panic_call; injection E as <-; reflexivity.
Qed.

Lemma clear_pfn_host_code : fun_ok NPTWalk.Spec.L f_clear_pfn_host clear_pfn_host_spec.
Proof.
  apply fun_ok_vc. intros vs s r E. apply p1_inv in E as (pfn & -> & RF & E).
  unfold PFN_LIMIT, PAGE in E. run_vc f_clear_pfn_host. split; [now apply in_range_iff|]. rewrite panic_call.
  destruct (Z.leb_spec 68719476736 pfn) as [Big|Small]; [now injection E as <-|].
  destruct (st_npts s !! HOSTVISOR) as [c|] eqn:C; [|discriminate E].
  destruct (c_held c) eqn:Hd; [discriminate E|]. cbn [negb] in E.
  change (call NPTWalk.Spec.L ?f [0]) with (call NPTWalk.Spec.L f [HOSTVISOR]).
  change (call NPTWalk.Spec.L ?f [0; ?x]) with (call NPTWalk.Spec.L f [HOSTVISOR; x]).
  change (call NPTWalk.Spec.L ?f [0; ?x; ?y; ?z]) with (call NPTWalk.Spec.L f [HOSTVISOR; x; y; z]).
  apply in_range_iff in RF. rewrite (wrap_id U64 (pfn * 4096)) by (cbn [modulus]; lia).
  assert (RA : in_range U64 (pfn * 4096) = true) by (apply in_range_iff; cbn [modulus]; lia).
  rewrite (acquire_pt_call HOSTVISOR eq_refl s c C Hd), (level_call HOSTVISOR eq_refl eq_refl) by (exact RA || reflexivity).
  destruct (level _ _ =? 0).
  - injection E as <-. cbn [negb]. rewrite (release_pt_call HOSTVISOR eq_refl) by reflexivity. reflexivity.
  - cbn [negb]. rewrite (set_call HOSTVISOR eq_refl eq_refl) by (exact RA || reflexivity).
    now apply finish_update in E.
Qed.
