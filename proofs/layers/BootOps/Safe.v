(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: every operation keeps what holds of the records of VMs and only goes
    forward.  So in every state that can be reached the states of a VM come in the order
    UNUSED, READY, VERIFIED, POWEROFF, an active vCPU belongs to a VM that was verified,
    and what a VM was loaded with does not change after verification.  Rests on [LifeOk]
    and [Natural]. *)
From SeKVM.lib Require Import VcTac PrimInv.
From SeKVM.machine Require Import CellInv Rel.
From SeKVM.machine Require Import BottomVmTac.
From SeKVM.layers.VMPower Require Import VmFacts Safe.
From SeKVM.layers.BootOps Require Import Spec SpecTac LifeOk Natural.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition step_ok (s : hstate) (o : option (res hstate)) : Prop := forall r, o = Some r -> safe_step s (Some r).

(** * Parts *)

(** A critical section: [k] gets the locked record. *)
Lemma section_ok v (s : hstate) k : vms_ok s ->
  (forall c0, st_vms s !! v = Some c0 -> vm_ok (c_val (acquire_cell c0)) = true -> step_ok s (k (acquire_cell c0))) ->
  step_ok s (with_vm v s k).
Proof. intros I K r E. apply with_vm_inv in E as (c0 & c & C & _ & <- & _ & OK & E). exact (K c0 C OK r E). Qed.

(** Work on other objects inside. *)
Lemma inside_ok v c0 s s1 (f : hstate -> option (res hstate)) k : vms_ok s -> st_vms s !! v = Some c0 -> st_vms s1 = st_vms s ->
  records_free f ->
  (forall w t, f s1 = Some (Ok w t) -> st_vms t = st_vms s -> step_ok s (k w t)) ->
  step_ok s (inside v (acquire_cell c0) (f s1) k).
Proof.
  intros I C E N K r. unfold inside. pose proof (proj2 (N s1 (st_vms s1))) as V.
  destruct (f s1) as [[w t|t]|] eqn:F; cbn in V; [| |discriminate].
  - apply K; [reflexivity | congruence].
  - intros X. exact (denied_safe v c0 (Some r) s t I C ltac:(congruence) X).
Qed.

Lemma pulled_records v i s t : pulled v i s = Some t -> st_vms t = st_vms s.
Proof. unfold pulled. destruct (st_ctxts s !! _); [|discriminate]. destruct (negb _); [|discriminate]. now intros [= <-]. Qed.
Lemma pushed_records v i s t : pushed v i s = Some t -> st_vms t = st_vms s.
Proof. unfold pushed. destruct (st_ctxts s !! _); [|discriminate]. destruct (c_held _); [|discriminate]. now intros [= <-]. Qed.
Lemma renewed_records v i s t : renewed v i s = Some t -> st_vms t = st_vms s.
Proof. unfold renewed. destruct (st_ctxts s !! _); [|discriminate]. destruct (negb _); [|discriminate]. now intros [= <-]. Qed.

Lemma halt_ok (s : hstate) : vms_ok s -> step_ok s (Some (Halt s)).
Proof. intros I r [= <-]. now apply same_records. Qed.
Lemma ret_ok (s : hstate) v : vms_ok s -> step_ok s (ret v s).
Proof. intros I r [= <-]. now apply same_records. Qed.

Lemma guest_ok (b : bool) s o : vms_ok s -> step_ok s o -> step_ok s (if b then o else Some (Halt s)).
Proof. intros I K. destruct b; [exact K | now apply halt_ok]. Qed.

Lemma configuring_ok v f s : vms_ok s -> records_free f -> step_ok s (configuring v f s).
Proof.
  intros I N. unfold configuring. apply section_ok; [exact I|]. intros c0 C OK.
  destruct (may_configure v _); [|intros r; now apply (denied_safe v c0 _ s s)].
  apply inside_ok; auto. intros w t _ E r. now apply (kept_safe v c0 _ _ s t).
Qed.

Ltac args E := match type of E with
  | p1 _ _ _ _ _ = _ => let v := fresh "v" in let R := fresh "R" in apply p1_inv in E as (v & -> & R & E)
  | p2 _ _ _ _ _ _ = _ => let v := fresh "v" in let i := fresh "i" in apply p2_inv in E as (v & i & -> & ? & ? & E)
  | p3 _ _ _ _ _ _ _ = _ => let v := fresh "v" in let i := fresh "i" in let a := fresh "a" in
      apply p3_inv in E as (v & i & a & -> & ? & ? & ? & E)
  | p4 _ _ _ _ _ _ _ _ = _ => let v := fresh "v" in let i := fresh "i" in let a := fresh "a" in let b := fresh "b" in
      apply p4_inv in E as (v & i & a & b & -> & ? & ? & ? & ? & E)
  end.
Ltac start sp E := let I := fresh "I" in intros I E; unfold sp in E; args E; cbv beta in E; apply (chk_safe _ _ _ _ E);
  clear E; match goal with |- forall r, ?o = Some r -> safe_step ?s (Some r) => change (step_ok s o) end.

Notation keeps_records p := (forall vs s r, vms_ok s -> p vs s = Some r -> safe_step s (Some r)).

(** * Life *)

Lemma search_load_info_keeps : keeps_records search_load_info_spec.
Proof.
  intros vs s r. start search_load_info_spec E. destruct (is_guest v); [|now apply ret_ok].
  apply section_ok; [assumption|]. intros c0 C OK r0. now apply (kept_safe v c0 _ _ s s).
Qed.

Lemma is_inc_exe_keeps : keeps_records is_inc_exe_spec.
Proof.
  intros vs s r. start is_inc_exe_spec E. destruct (is_guest v); [|now apply ret_ok].
  apply section_ok; [assumption|]. intros c0 C OK r0. now apply (kept_safe v c0 _ _ s s).
Qed.

Lemma set_vcpu_active_keeps : keeps_records set_vcpu_active_spec.
Proof.
  intros vs s r. start set_vcpu_active_spec E. apply guest_ok; [assumption|]. apply section_ok; [assumption|]. intros c0 C OK.
  destruct (activate i _) as [x|] eqn:X; [|intros r0; now apply (denied_safe v c0 _ s s)].
  destruct (pulled v i s) as [t|] eqn:P; [|discriminate]. destruct (activate_ok _ _ _ X OK). intros r0.
  apply (publish_safe v c0 x _ _ s t); auto. exact (pulled_records _ _ _ _ P).
Qed.

Lemma set_vcpu_inactive_keeps : keeps_records set_vcpu_inactive_spec.
Proof.
  intros vs s r. start set_vcpu_inactive_spec E. apply guest_ok; [assumption|]. apply section_ok; [assumption|]. intros c0 C OK.
  destruct (deactivate i _) as [x|] eqn:X; [|intros r0; now apply (denied_safe v c0 _ s s)].
  destruct (pushed v i s) as [t|] eqn:P; [|discriminate]. destruct (deactivate_ok _ _ _ X OK). intros r0.
  apply (publish_safe v c0 x _ _ s t); auto. exact (pushed_records _ _ _ _ P).
Qed.

Lemma get_shared_vcpu_records : vms_natural get_shared_vcpu.
Proof. RelTac.natural_tac. Qed.
Lemma get_shared_kvm_records : vms_natural get_shared_kvm.
Proof. RelTac.natural_tac. Qed.

Lemma register_vcpu_keeps : keeps_records register_vcpu_spec.
Proof.
  intros vs s r. start register_vcpu_spec E. apply guest_ok; [assumption|]. apply section_ok; [assumption|]. intros c0 C OK.
  apply inside_ok; auto; [apply natural_free, get_shared_vcpu_records|]. intros p t _ K.
  destruct (new_vcpu i p _) as [x|] eqn:X; [|intros r0; now apply (denied_safe v c0 _ s s)].
  destruct (renewed v i t) as [u|] eqn:P; [|discriminate]. destruct (new_vcpu_ok _ _ _ _ X OK). intros r0.
  apply (publish_safe v c0 x _ _ s u); auto. rewrite (renewed_records _ _ _ _ P). exact K.
Qed.

(** The number comes from the counters, which are another object. *)
Lemma register_kvm_keeps : keeps_records register_kvm_spec.
Proof.
  intros vs s r I E. unfold register_kvm_spec in E. apply p0_inv in E as [-> E]. apply (chk_safe _ _ _ _ E). clear E.
  unfold and_then. destruct (gen_vmid_spec [] s) as [[v t|t]|] eqn:F; [| |discriminate].
  - apply (natural_ok gen_vmid_spec) in F; [|exact gen_vmid_records].
    assert (It : vms_ok t) by (intros w d; rewrite F; apply I).
    enough (K : step_ok t (with_vm v t (fun c => inside v c (get_shared_kvm [v] t) (fun p s' =>
      match register p (c_val c) with Some x => publish_vm v (set_val x c) v s' | None => denied_vm v c t end)))).
    { intros r0 X. specialize (K r0 X). unfold safe_step, res_all in *. destruct r0 as [w u|u];
        (destruct K as [K1 K2]; split; [exact K1|]; intros w0 d D; destruct (K2 w0 d D) as (d0 & D0 & Y); rewrite F in D0;
          eauto). }
    apply section_ok; [exact It|]. intros c0 C OK. apply inside_ok; auto; [apply natural_free, get_shared_kvm_records|].
    intros p u G K. destruct (register p _) as [x|] eqn:X; [|intros r0; now apply (denied_safe v c0 _ t t)].
    assert (RP : in_range U64 p = true).
    { unfold get_shared_kvm in G. apply p1_inv in G as (? & _ & _ & G). apply chk_inv in G as [G1 G2]. injection G2 as -> _.
      exact G1. }
    destruct (register_ok _ _ _ X RP OK). intros r0. now apply (publish_safe v c0 x _ _ t u).
  - apply (natural_halt gen_vmid_spec) in F; [|exact gen_vmid_records]. intros r0 [= <-]. now apply same_records.
Qed.

(** * Images *)

Lemma alloc_range n (s : hstate) p t : alloc_remap_addr_spec [n] s = Some (Ok p t) -> p <> 0 ->
  1 <= n /\ REMAP_START <= p /\ p mod 4096 = 0 /\ p + 4096 * n <= REMAP_END.
Proof.
  intros E N. unfold alloc_remap_addr_spec in E. apply p1_inv in E as (w & [= <-] & _ & E). unfold with_core in E.
  destruct (negb _); [|discriminate]. destruct (counters_typed _); [|discriminate].
  unfold fresh_range in E. cbv zeta in E.
  match type of E with context [if ?b then _ else _] => destruct b eqn:F end; apply chk_inv in E as [_ E]; injection E as -> _;
    [unfold acquire_cell in *; cbn [c_val] in *; boolprop; repeat split; lia | contradiction].
Qed.

Lemma pages_pos n : 1 <= pages n -> 0 <= n -> 0 < n.
Proof. unfold pages. intros. Z.div_mod_to_equations. lia. Qed.

Lemma set_boot_info_keeps : keeps_records set_boot_info_spec.
Proof.
  intros vs s r. start set_boot_info_spec E. apply guest_ok; [assumption|]. apply section_ok; [assumption|]. intros c0 C OK.
  destruct (Z.eqb_spec (vm_state (c_val (acquire_cell c0))) READY) as [R|]; [|intros r0; now apply (denied_safe v c0 _ s s)].
  destruct (fits _ _ _) eqn:Ft; [|intros r0; now apply (kept_safe v c0 _ _ s s)].
  apply inside_ok; auto; [apply natural_free, alloc_remap_addr_records|]. intros p t A K.
  destruct (Z.eqb_spec p 0) as [|P]; [intros r0; now apply (kept_safe v c0 _ _ s t)|].
  apply inside_ok; auto; [apply natural_free, get_image_digest_records|]. intros d u D Ku r0.
  destruct (alloc_range _ _ _ _ A P) as (A1 & A2 & A3 & A4). boolprop.
  assert (A0 : 0 <= i) by lia. assert (S0 : 0 < a) by (apply pages_pos; lia).
  assert (RD : in_range U64 d = true).
  { unfold get_image_digest in D. apply p1_inv in D as (? & _ & _ & D). apply chk_inv in D as [D1 D2]. injection D2 as -> _.
    exact D1. }
  destruct (add_image_ok i a p d (c_val (acquire_cell c0)) R Ft A0 S0 A2 A3 A4 RD OK) as [O L].
  now apply (publish_safe v c0 _ _ _ s u).
Qed.

Lemma remap_vm_image_keeps : keeps_records remap_vm_image_spec.
Proof.
  intros vs s r. start remap_vm_image_spec E. apply guest_ok; [assumption|]. apply section_ok; [assumption|]. intros c0 C OK.
  destruct (Z.eqb_spec (vm_state (c_val (acquire_cell c0))) READY) as [R|]; [|intros r0; now apply (denied_safe v c0 _ s s)].
  destruct (next_slot a _) as [x|] eqn:X; [|intros r0; now apply (kept_safe v c0 _ _ s s)].
  apply inside_ok; auto; [apply natural_free, map_s2pt_records|]. intros w t _ K r0. boolprop.
  destruct (add_page_ok _ _ _ X ltac:(lia) R OK). now apply (publish_safe v c0 _ _ _ s t).
Qed.

Lemma load_image_complete v x i s w t : load_image v x i s = Some (Ok w t) -> complete x i = true.
Proof. unfold load_image. now destruct (complete x i). Qed.

Lemma images_complete v x k : forall i s w t, 0 <= i -> iterate_from (load_image v x) k i s = Some (Ok w t) ->
  forall j, i <= j < i + Z.of_nat k -> complete x j = true.
Proof.
  induction k as [|k IH]; intros i s w t I0; cbn [iterate_from]; [intros _ j R; lia|]. unfold and_then.
  destruct (load_image v x i s) as [[u t1|t1]|] eqn:E; try discriminate. intros F j R.
  destruct (Z.eq_dec j i) as [->|]; [exact (load_image_complete _ _ _ _ _ _ E)|]. apply (IH (i + 1) t1 w t ltac:(lia) F). lia.
Qed.

Lemma verify_and_load_images_keeps : keeps_records verify_and_load_images_spec.
Proof.
  intros vs s r. start verify_and_load_images_spec E. apply guest_ok; [assumption|]. apply section_ok; [assumption|].
  intros c0 C OK.
  destruct (Z.eqb_spec (vm_state (c_val (acquire_cell c0))) READY) as [R'|]; [|intros r0; now apply (denied_safe v c0 _ s s)].
  apply (inside_ok v c0 s s (iterate (load_image v (c_val (acquire_cell c0))) (load_next (c_val (acquire_cell c0))))); auto.
  { unfold iterate. apply iterate_from_free. intros i. apply load_image_free. }
  intros w t F K r0. unfold iterate in F. destruct (verified_ok (c_val (acquire_cell c0))) as [O L]; auto.
  { intros j Rj. refine (images_complete _ _ _ _ _ _ _ _ F j _); lia. }
  now apply (publish_safe v c0 _ _ _ s t).
Qed.

(** * Devices and saved states *)

Lemma alloc_smmu_keeps : keeps_records alloc_smmu_spec.
Proof.
  intros vs s r. start alloc_smmu_spec E. apply guest_ok; [assumption|].
  apply configuring_ok; [assumption|]. apply natural_free, init_spt_records.
Qed.
Lemma assign_smmu_keeps : keeps_records assign_smmu_spec.
Proof.
  intros vs s r. start assign_smmu_spec E. apply guest_ok; [assumption|]. destruct (v =? HOSTVISOR); [now apply ret_ok|].
  apply configuring_ok; [assumption|]. apply natural_free, assign_pfn_to_smmu_records.
Qed.
Lemma map_smmu_keeps : keeps_records map_smmu_spec.
Proof.
  intros vs s r I E. unfold map_smmu_spec in E. destruct vs as [|v [|b [|i [|a [|e [|]]]]]]; try discriminate E.
  do 5 (destruct (in_range _ _) in E; [|discriminate E]). revert r E. apply guest_ok; [assumption|].
  apply configuring_ok; [assumption|]. apply natural_free, update_smmu_page_records.
Qed.
Lemma clear_smmu_keeps : keeps_records clear_smmu_spec.
Proof.
  intros vs s r. start clear_smmu_spec E. apply guest_ok; [assumption|].
  apply configuring_ok; [assumption|]. apply natural_free, unmap_smmu_page_records.
Qed.

Lemma map_io_keeps : keeps_records map_io_spec.
Proof.
  intros vs s r. start map_io_spec E. destruct (smmus_typed _); [|discriminate]. apply guest_ok; [assumption|]. apply section_ok; [assumption|]. intros c0 C OK.
  destruct (vm_state _ =? READY); [|intros r0; now apply (denied_safe v c0 _ s s)].
  apply inside_ok; auto; [apply natural_free, map_vm_io_records|]. intros w t _ K r0. now apply (kept_safe v c0 _ _ s t).
Qed.

Lemma regs_records rs : vms_natural (encrypt_regs rs) /\ vms_natural (decrypt_regs rs).
Proof. split; RelTac.natural_tac. Qed.
Lemma encrypt_mem_buf_records : vms_natural encrypt_mem_buf.
Proof. RelTac.natural_tac. Qed.

Lemma save_encrypted_vcpu_keeps : keeps_records save_encrypted_vcpu_spec.
Proof.
  intros vs s r. start save_encrypted_vcpu_spec E. apply guest_ok; [assumption|]. apply section_ok; [assumption|]. intros c0 C OK.
  destruct (_ =? READY); [|intros r0; now apply (denied_safe v c0 _ s s)].
  destruct (pulled v i s) as [t|] eqn:P; [|discriminate]. apply pulled_records in P.
  apply (inside_ok v c0 s t (fun t => and_then (encrypt_regs gp_regs [v; i] t) (fun _ => encrypt_regs sys_regs [v; i]))); auto.
  { apply and_then_free; [|intros _]; apply natural_free, regs_records. }
  intros w u _ K. destruct (pushed v i u) as [u'|] eqn:Q; [|discriminate]. apply pushed_records in Q. intros r0.
  apply (kept_safe v c0 _ _ s u'); auto; congruence.
Qed.
Lemma load_encrypted_vcpu_keeps : keeps_records load_encrypted_vcpu_spec.
Proof.
  intros vs s r. start load_encrypted_vcpu_spec E. apply guest_ok; [assumption|]. apply section_ok; [assumption|]. intros c0 C OK.
  destruct (import_vcpu i _) as [x|] eqn:X; [|intros r0; now apply (denied_safe v c0 _ s s)].
  destruct (pulled v i s) as [t|] eqn:P; [|discriminate]. apply pulled_records in P.
  apply (inside_ok v c0 s t (fun t => and_then (decrypt_regs gp_regs [v; i] t) (fun _ => decrypt_regs sys_regs [v; i]))); auto.
  { apply and_then_free; [|intros _]; apply natural_free, regs_records. }
  intros w u _ K. destruct (pushed v i u) as [u'|] eqn:Q; [|discriminate]. apply pushed_records in Q. intros r0.
  destruct (import_vcpu_ok _ _ _ X OK). apply (publish_safe v c0 x _ _ s u'); auto; congruence.
Qed.

Lemma save_encrypt_buf_keeps : keeps_records save_encrypt_buf_spec.
Proof.
  intros vs s r. start save_encrypt_buf_spec E. apply guest_ok; [assumption|].
  destruct (negb (c_held (st_s2 s))); [|discriminate]. cbv zeta. destruct (frame_ok _ && frame_ok _); [|discriminate].
  destruct (_ && _); [|intros r0 [= <-]; now apply same_records].
  pose proof (proj2 (encrypt_mem_buf_records [v; i / 4096; a / 4096] s (st_vms s))) as K. unfold after.
  destruct (encrypt_mem_buf _ s) as [[w t|t]|]; cbn in K; [| |discriminate]; intros r0 [= <-]; now apply same_records.
Qed.
Lemma load_decrypt_buf_keeps : keeps_records load_decrypt_buf_spec.
Proof.
  intros vs s r. start load_decrypt_buf_spec E. apply guest_ok; [assumption|]. apply section_ok; [assumption|]. intros c0 C OK.
  destruct (vm_state _ =? READY); [|intros r0; now apply (denied_safe v c0 _ s s)].
  apply (inside_ok v c0 s s (fun t => with_frame (i / 4096) t (fun d q =>
    match import_frame v q with
    | Some q' => after (and_then (clear_pfn_host_spec [i / 4096] t) (fun _ => decrypt_mem_buf [v; i / 4096])) d
                   (fun _ => publish (put (i / 4096) q' d))
    | None => denied d t
    end))); auto.
  - apply with_frame_free. intros d q. destruct (import_frame v q) as [q'|]; [|apply denied_free].
    apply (after_free (fun t => and_then (clear_pfn_host_spec [i / 4096] t) (fun _ => decrypt_mem_buf [v; i / 4096])));
      [|intros _; apply publish_free].
    apply and_then_free; [|intros _]; apply natural_free; [exact clear_pfn_host_records | exact decrypt_mem_buf_records].
  - intros w t _ K r0. now apply (kept_safe v c0 _ _ s t).
Qed.

(** Read: whatever a function of this layer does from a state whose records are good, and
    whose other CPUs publish good records, leaves such a state, at a panic too; and every
    record that it changed came after the one that it locked. *)
Theorem BootOps_safe f vs s r : vms_ok s -> call T f vs s = Some r -> safe_step s (Some r).
Proof.
  intros I. assert (A : Forall (fun x => keeps_records (snd x)) T).
  { repeat apply List.Forall_cons; cbn [snd]; try apply List.Forall_nil.
    - exact search_load_info_keeps.
    - exact set_vcpu_active_keeps.
    - exact set_vcpu_inactive_keeps.
    - exact register_vcpu_keeps.
    - exact register_kvm_keeps.
    - exact set_boot_info_keeps.
    - exact remap_vm_image_keeps.
    - exact verify_and_load_images_keeps.
    - exact alloc_smmu_keeps.
    - exact assign_smmu_keeps.
    - exact map_smmu_keeps.
    - exact clear_smmu_keeps.
    - exact map_io_keeps.
    - exact is_inc_exe_keeps.
    - exact save_encrypted_vcpu_keeps.
    - exact load_encrypted_vcpu_keeps.
    - exact save_encrypt_buf_keeps.
    - exact load_decrypt_buf_keeps. }
  unfold call. induction A as [|[g p] l P A IH]; cbn [Lang.assoc]; [discriminate|].
  destruct (String.eqb f g); [exact (P vs s r I) | exact IH].
Qed.

(** An active vCPU belongs to a VM that was verified. *)
Theorem active_was_verified (s : hstate) v c i : vms_ok s -> st_vms s !! v = Some c -> 0 <= i < 8 ->
  vcpu_at (c_val c) i = ACTIVE ->
  VERIFIED <= vm_state (c_val c).
Proof.
  intros I C R A. destruct (I v c C) as [OK _]. apply vm_ok_iff in OK as (_ & _ & _ & _ & V & _). specialize (V i R).
  unfold vcpu_ok in V. rewrite A in V. cbn in V. now apply Z.leb_le.
Qed.
