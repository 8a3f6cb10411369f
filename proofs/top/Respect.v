(* SPDX-License-Identifier: Apache-2.0 *)
(** What an access of a principal does to the views of the others.  A load or store through a stage-2 table, and a
    device's access through the table of its bank, leave what a VM alone may touch as it is ([access_respects],
    [device_respects]), and a load tells nothing of it ([load_reads_its_view]), if the table is isolated.  Rests on
    [View]; [Operations] has the operations on frames, [Isolation] proves that the host's table is isolated. *)
From SeKVM.lib Require Import VcTac PrimInv.
From SeKVM.machine Require Import StateTac.
From SeKVM.top Require Export View.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Frames *)

(** What one may touch alone, no other may touch. *)
Lemma private_alone p q x : private p x = true -> may_touch q x = true -> p = q.
Proof.
  destruct x as [[k|v [k|] g|]|]; cbn; try discriminate; rewrite ?andb_true_iff, ?orb_true_iff, ?andb_true_iff,
    ?negb_true_iff, ?Z.eqb_eq, ?Z.eqb_neq; lia.
Qed.

Lemma private_touch p x : private p x = true -> may_touch p x = true.
Proof.
  destruct x as [[k|v [k|] g|]|]; cbn; try discriminate; auto. intros A. apply andb_true_iff in A as [-> _].
  reflexivity.
Qed.

(** It is what layer 16 lets the host map. *)
Lemma host_may_touch x : frame_ok x = true ->
  may_touch 0 x = match host_use x with Some _ => true | None => false end.
Proof.
  intros F. destruct x as [[k|v u g|]|]; try reflexivity.
  assert (E : (0 =? v) = false).
  { cbn [frame_ok] in F. unfold is_guest in F. rewrite !andb_true_iff in F. boolprop. apply Z.eqb_neq. lia. }
  destruct u as [k|]; cbn [may_touch host_use]; rewrite E; [destruct (k =? 0)|]; reflexivity.
Qed.

(** * Words *)

Section Words.
  Context (f : option page -> bool) (m : gmap Z page) (ws : gmap Z Z).

  Lemma words_of_lookup a : words_of f m ws !! a =
    match ws !! a with Some w => if (negb (w =? 0)) && f (m !! frame_of_addr a) then Some w else None | None => None
      end.
  Proof.
    unfold words_of. rewrite map_filter_lookup. destruct (ws !! a) as [w|]; cbn [mbind option_bind]; [|reflexivity].
    case_option_guard as X; cbn [fst snd] in X.
    - destruct X as [N ->]. apply Z.eqb_neq in N. now rewrite N.
    - destruct (Z.eqb_spec w 0) as [|N]; [reflexivity|]. destruct (f (m !! frame_of_addr a)) eqn:F; [|reflexivity].
      exfalso. apply X. auto.
  Qed.

  Lemma words_of_insert a w : f (m !! frame_of_addr a) = false -> words_of f m (<[a := w]> ws) = words_of f m ws.
  Proof. intros F. apply map_filter_insert_not. intros y [_ X]. cbn in X. congruence. Qed.

  (** A word of a frame that is seen can be read off the view. *)
  Lemma words_of_word a : f (m !! frame_of_addr a) = true -> word (words_of f m ws) a = word ws a.
  Proof.
    intros F. unfold word. rewrite words_of_lookup. destruct (ws !! a) as [w|]; [|reflexivity]. rewrite F.
    destruct (Z.eqb_spec w 0) as [->|]; reflexivity.
  Qed.
End Words.

(** * Accesses *)

Lemma now_release {X} me (c : cell X) : tl (c_script c) = [] -> now (release_cell me (acquire_cell c)) = now c.
Proof. destruct c as [x h l sc]. cbn. intros E. unfold now, acquire_cell. cbn. now rewrite E. Qed.

Lemma now_updated {X} me (x : X) (c : cell X) : tl (c_script c) = [] ->
  now (release_cell me (set_val x (acquire_cell c))) = x.
Proof. destruct c as [y h l sc]. cbn. intros E. unfold now, acquire_cell. cbn. now rewrite E. Qed.

Lemma table_now_release me u c v (s : hstate) : st_npts s !! u = Some c -> tl (c_script c) = [] ->
  table_now v (set_npts (<[u := release_cell me (acquire_cell c)]> (st_npts s)) s) = table_now v s.
Proof.
  intros E T. unfold table_now. cbn [st_npts set_npts]. destruct (Z.eq_dec v u) as [->|N].
  - rewrite lookup_insert, E. now rewrite now_release.
  - now rewrite lookup_insert_ne by auto.
Qed.

(** What a load and a store do to memory. *)
Lemma words_load a x (s : hstate) : tl (m_script (st_mem s)) = [] -> words_now (load_word a x s) = words_now s.
Proof. unfold words_now, load_word, sync_mem. cbn. now intros ->. Qed.

Lemma words_store a x (s : hstate) : tl (m_script (st_mem s)) = [] ->
  words_now (store_word a x s) = <[a := wrap U64 (reg_get x (cpu_regs (st_cpu s)))]> (words_now s).
Proof. unfold words_now, store_word, sync_mem, write_mem. cbn. now intros ->. Qed.

Definition is_load (f : Z -> reg -> hstate -> hstate) : Prop := f = load_word.
Definition is_access (f : Z -> reg -> hstate -> hstate) : Prop := f = load_word \/ f = store_word.

(** The access at the physical address [pa], in a state with the same views. *)
Lemma access_view v f pa x (s s1 : hstate) : is_access f -> last_batch s ->
  frames_now s1 = frames_now s -> st_mem s1 = st_mem s -> st_smmu s1 = st_smmu s -> st_vms s1 = st_vms s ->
  devices_now s1 = devices_now s -> table_now v s1 = table_now v s ->
  (f = store_word -> private v (frames_now s !! frame_of_addr pa) = false) ->
  same_but_shared (view_of v s) (view_of v (f pa x s1)) /\
  (f = load_word \/ may_touch v (frames_now s !! frame_of_addr pa) = false -> view_of v (f pa x s1) = view_of v s).
Proof.
  intros A (_ & _ & L & _) F Me B V D T P.
  assert (W : words_of (private v) (frames_now s) (words_now (f pa x s1)) = words_of (private v) (frames_now s)
    (words_now s)).
  { destruct A as [-> | ->].
    - rewrite words_load by now rewrite Me. unfold words_now. now rewrite Me.
    - rewrite words_store by now rewrite Me. rewrite words_of_insert by auto. unfold words_now. now rewrite Me. }
  assert (O : frames_now (f pa x s1) = frames_now s /\ banks_now (f pa x s1) = banks_now s /\
    devices_now (f pa x s1) = devices_now s /\ table_now v (f pa x s1) = table_now v s /\
      life_now v (f pa x s1) = life_now v s).
  { unfold banks_now, life_now. rewrite <- F, <- D, <- T, <- B, <- V. destruct A as [-> | ->]; repeat split. }
  destruct O as (O1 & O2 & O3 & O4 & O5).
  split.
  - unfold same_but_shared, view_of. cbn [v_frames v_private v_shared v_table v_banks v_devices v_life].
    rewrite O1, O2, O3, O4, O5, W. reflexivity.
  - intros Q. unfold view_of. rewrite O1, O2, O3, O4, O5, W. f_equal. destruct A as [-> | ->].
    + rewrite words_load by now rewrite Me. unfold words_now. now rewrite Me.
    + rewrite words_store by now rewrite Me. unfold words_now. rewrite Me. apply words_of_insert.
      destruct Q as [Q|Q]; [|now rewrite Q].
      apply (f_equal (fun g => m_log (st_mem (g 0 x (set_mem (mkmem ∅ [] []) s1))))) in Q. discriminate Q.
Qed.

Lemma same_but_shared_refl x : same_but_shared x x.
Proof. now destruct x. Qed.

(** ** Through a stage-2 table *)

Lemma mem_access_inv permission f q a r (s s' : hstate) w : mem_access permission f [q; a; r] s = Some (Ok w s') ->
  s' = s \/ exists c, st_npts s !! q = Some c /\
    let s1 := set_npts (<[q := release_cell (cpu_id (st_cpu s)) (acquire_cell c)]> (st_npts s)) s in
    (s' = s1 \/ exists pa x, translate permission (now c) a = Some pa /\ s' = f pa x s1).
Proof.
  unfold mem_access. intros E. apply p3_inv in E as (q' & a' & r' & [= <- <- <-] & _ & _ & _ & E).
  destruct (is_vmid q); cbn [negb] in E; [|discriminate E].
  destruct (if in_memory a then user_reg r else None) as [x|]; [|apply chk_inv in E as [_ [= _ ->]]; now left].
  destruct (st_npts s !! q) as [c|] eqn:C; [|discriminate E]. destruct (c_held c); [discriminate E|]. cbn [negb] in E.
  cbv zeta in E. right. exists c. split; [reflexivity|].
  destruct (translate permission (c_val (acquire_cell c)) a) as [pa|] eqn:Tr; apply chk_inv in E as [_ [= _ ->]];
    [right|left; reflexivity].
  exists pa, x. split; [exact Tr | reflexivity].
Qed.

(** Read: an access of principal [q], the host or a VM, through its stage-2 table, leaves the view of every other VM
    [v] as it is but for words of frames that [v] shares; a load leaves it as it is. *)
Theorem access_respects permission f q v a r (s s' : hstate) w :
  permission = PTE_READ \/ permission = PTE_WRITE -> is_access f -> v <> q -> table_isolated q s -> last_batch s ->
  mem_access permission f [q; a; r] s = Some (Ok w s') ->
  same_but_shared (view_of v s) (view_of v s') /\ (is_load f -> view_of v s' = view_of v s).
Proof.
  intros Pm A N I L E. apply mem_access_inv in E as [->|(c & C & E)]; [split; [apply same_but_shared_refl | auto]|].
  cbv zeta in E. pose proof L as (_ & _ & _ & Ln). specialize (Ln q c C).
  pose proof (table_now_release (cpu_id (st_cpu s)) q c v s C Ln) as T.
  set (s1 := set_npts (<[q := release_cell (cpu_id (st_cpu s)) (acquire_cell c)]> (st_npts s)) s) in *.
  destruct E as [->|(pa & x & Tr & ->)].
  - assert (V : view_of v s1 = view_of v s) by (unfold view_of; now rewrite T).
    rewrite V. split; [apply same_but_shared_refl | auto].
  - destruct (access_view v f pa x s s1 A L eq_refl eq_refl eq_refl eq_refl eq_refl T) as [X Y]; [|split; [exact X|]].
    + intros _. destruct (private v _) eqn:Pv; [|reflexivity].
      destruct N. exact (private_alone v q _ Pv (I c C permission a pa Pm Tr)).
    + intros ->. apply Y. now left.
Qed.

(** ** Through an SMMU table *)

Lemma dev_access_inv permission f cb ix a r (s s' : hstate) w : dev_access permission f [cb; ix; a;
  r] s = Some (Ok w s') ->
  s' = s \/ let s1 := set_spt (release_cell (cpu_id (st_cpu s)) (acquire_cell (st_spt s))) s in
    (s' = s1 \/ exists pa x, smmu_translate permission (now (st_spt s)) (bank cb ix) a = Some pa /\ s' = f pa x s1).
Proof.
  unfold dev_access. intros E. apply p4_inv in E as (cb' & ix' & a' & r' & [= <- <- <- <-] & _ & _ & _ & _ & E).
  destruct (is_bank cb ix); cbn [negb] in E; [|discriminate E].
  destruct (if (a <? SMMU_ADDR_LIMIT) && (a mod 8 =? 0) then user_reg r else None) as [x|];
    [|apply chk_inv in E as [_ [= _ ->]]; now left].
  destruct (c_held (st_spt s)); [discriminate E|]. cbn [negb] in E. cbv zeta in E. right.
  destruct (smmu_translate permission (c_val (acquire_cell (st_spt s))) (bank cb ix) a) as [pa|] eqn:Tr;
    apply chk_inv in E as [_ [= _ ->]]; [right|left; reflexivity].
  exists pa, x. split; [exact Tr | reflexivity].
Qed.

(** Read: the same of a device of principal [q], if the table of its bank is isolated. *)
Theorem device_respects permission f q v cb ix a r (s s' : hstate) w :
  permission = PTE_READ \/ permission = PTE_WRITE -> is_access f -> v <> q -> bank_isolated q (bank cb ix) s ->
    last_batch s ->
  dev_access permission f [cb; ix; a; r] s = Some (Ok w s') ->
  same_but_shared (view_of v s) (view_of v s') /\ (is_load f -> view_of v s' = view_of v s).
Proof.
  intros Pm A N I L E. apply dev_access_inv in E as [->|E]; [split; [apply same_but_shared_refl | auto]|].
  cbv zeta in E. pose proof L as (_ & Ls & _).
  set (s1 := set_spt (release_cell (cpu_id (st_cpu s)) (acquire_cell (st_spt s))) s) in *.
  assert (D : devices_now s1 = devices_now s) by (unfold devices_now; cbn [s1 st_spt set_spt];
    now rewrite now_release).
  destruct E as [->|(pa & x & Tr & ->)].
  - assert (V : view_of v s1 = view_of v s) by (unfold view_of; now rewrite D).
    rewrite V. split; [apply same_but_shared_refl | auto].
  - destruct (access_view v f pa x s s1 A L eq_refl eq_refl eq_refl eq_refl D eq_refl) as [X Y]; [|split; [exact X|]].
    + intros _. destruct (private v _) eqn:Pv; [|reflexivity].
      destruct N. exact (private_alone v q _ Pv (I permission a pa Pm Tr)).
    + intros ->. apply Y. now left.
Qed.

(** * What a load tells *)

(** The word of a frame that [p] may touch is in its view. *)
Definition seen_word (x : view) (a : Z) : Z :=
  if word (v_private x) a =? 0 then word (v_shared x) a else word (v_private x) a.

Lemma seen p (s : hstate) a : may_touch p (frames_now s !! frame_of_addr a) = true ->
  seen_word (view_of p s) a = word (words_now s) a.
Proof.
  intros T. unfold seen_word. cbn [view_of v_private v_shared].
  destruct (private p (frames_now s !! frame_of_addr a)) eqn:Pv.
  - rewrite words_of_word by exact Pv. destruct (Z.eqb_spec (word (words_now s) a) 0) as [->|]; [|reflexivity].
    unfold word. rewrite words_of_lookup. cbv beta. rewrite T, Pv. destruct (words_now s !! a); [|reflexivity].
    now rewrite andb_false_r.
  - assert (E : word (words_of (private p) (frames_now s) (words_now s)) a = 0).
    { unfold word. rewrite words_of_lookup, Pv. destruct (words_now s !! a); [rewrite andb_false_r|]; reflexivity. }
    rewrite E. cbn [Z.eqb]. apply words_of_word. now rewrite T, Pv.
Qed.

Lemma translate_by_leaves permission p p' a : leaves p = leaves p' ->
  translate permission p a = translate permission p' a.
Proof. unfold translate. now intros ->. Qed.

(** Read: what principal [p] loads through its stage-2 table, and whether it faults, is decided by its view and its
    registers.  Two states with equal views and equal registers give equal registers, whatever is in the frames that
    [p] may not touch. *)
Theorem load_reads_its_view p a r (s t s' t' : hstate) w w' :
  table_isolated p s -> table_isolated p t -> view_of p s = view_of p t ->
  cpu_regs (st_cpu s) = cpu_regs (st_cpu t) ->
  mem_load_ref_spec [p; a; r] s = Some (Ok w s') -> mem_load_ref_spec [p; a; r] t = Some (Ok w' t') ->
  w = w' /\ cpu_regs (st_cpu s') = cpu_regs (st_cpu t').
Proof.
  intros Is It V Rg E F.
  unfold mem_load_ref_spec, mem_access in E, F.
  apply p3_inv in E as (q1 & a1 & r1 & [= <- <- <-] & _ & _ & _ & E).
  apply p3_inv in F as (q2 & a2 & r2 & [= <- <- <-] & _ & _ & _ & F).
  destruct (is_vmid p); cbn [negb] in E, F; [|discriminate E].
  destruct (if in_memory a then user_reg r else None) as [x|];
    [|apply chk_inv in E as [_ [= -> ->]]; apply chk_inv in F as [_ [= -> ->]]; auto].
  destruct (st_npts s !! p) as [c|] eqn:C; [|discriminate E]. destruct (c_held c); [discriminate E|].
  destruct (st_npts t !! p) as [d|] eqn:D; [|discriminate F]. destruct (c_held d); [discriminate F|].
  cbn [negb] in E, F. cbv zeta in E, F.
  assert (Tb : leaves (now c) = leaves (now d)).
  { apply (f_equal v_table) in V. cbn [view_of v_table] in V. unfold table_now in V. now rewrite C, D in V. }
  unfold now in Tb. rewrite <- (translate_by_leaves PTE_READ _ _ a Tb) in F.
  destruct (translate PTE_READ (c_val (acquire_cell c)) a) as [pa|] eqn:Tr;
    apply chk_inv in E as [_ [= -> ->]]; apply chk_inv in F as [_ [= -> ->]]; (split; [reflexivity|]); [|exact Rg].
  cbn [load_word st_cpu set_mem set_cpu set_npts set_reg cpu_regs st_mem].
  pose proof (seen p s pa (Is c C PTE_READ a pa (or_introl eq_refl) Tr)) as X.
  rewrite (translate_by_leaves _ _ _ _ Tb) in Tr.
  pose proof (seen p t pa (It d D PTE_READ a pa (or_introl eq_refl) Tr)) as Y.
  rewrite V, Y in X. unfold words_now in X. now rewrite X, Rg.
Qed.
