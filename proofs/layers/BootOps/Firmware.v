(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: what the firmware says of the machine never changes, so what the specification of [map_io]
    relies on, that bases and sizes of SMMUs fit their type, holds of every state that can be reached from one that
    has it. Rests on the same fact about tables and frames; used by the theorems about whole runs. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.machine Require Import Rel RelTac RestPass.
From SeKVM.machine Require Import BottomVmTac.
From SeKVM.layers.PageManager Require Import Passes.
From SeKVM.layers.BootOps Require Import Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** After the step [o] from [s] the description is the same, at a panic too. *)
Definition same_boot (s : hstate) (o : option (res hstate)) : Prop := res_all (fun s' => st_boot s' = st_boot s) o.

(** * Parts *)

Lemma chk_same rt s o : same_boot s o -> same_boot s (chk rt o).
Proof.
  destruct o as [[v t|t]|]; cbn [chk]; auto. destruct rt as [ty|]; [destruct (in_range ty v) | destruct (v =? 0)];
    auto; exact (fun _ => I).
Qed.
Lemma later_same s t o : st_boot t = st_boot s -> same_boot t o -> same_boot s o.
Proof. intros E. destruct o as [[v u|u]|]; cbn; congruence. Qed.
Lemma then_same s o k : same_boot s o -> (forall v t, same_boot t (k v t)) -> same_boot s (and_then o k).
Proof. intros E K. destruct o as [[v t|t]|]; cbn [and_then]; auto. exact (later_same _ _ _ E (K v t)). Qed.
Lemma iterate_same f n s : (forall i t, same_boot t (f i t)) -> same_boot s (iterate f n s).
Proof.
  intros F. unfold iterate. generalize 0 as i. revert s.
  induction (Z.to_nat n) as [|k IH]; intros s i; cbn [iterate_from];
    [reflexivity|]. apply then_same; auto.
Qed.
Lemma vm_same v s k : (forall c, same_boot s (k c)) -> same_boot s (with_vm v s k).
Proof.
  intros K. unfold with_vm. destruct (st_vms s !! v); [|exact I]. destruct (negb _); [|exact I].
    destruct (vm_ok _); [apply K | exact I].
Qed.
Lemma inside_same v c s o k : same_boot s o -> (forall r t, st_boot t = st_boot s -> same_boot t (k r t)) ->
  same_boot s (inside v c o k).
Proof. intros E K. destruct o as [[r t|t]|]; cbn [inside]; auto. exact (later_same _ _ _ E (K r t E)). Qed.
(** The step before was in vain. *)
Lemma denied_same v c s t : st_boot t = st_boot s -> same_boot t (denied_vm v c s).
Proof. intros E. cbn. congruence. Qed.
Lemma frame_same pfn s k : (forall c q, same_boot s (k c q)) -> same_boot s (with_frame pfn s k).
Proof.
  intros K. unfold with_frame. destruct (negb _); [|exact I]. cbv zeta. destruct (frame_ok _); [apply K | exact I].
Qed.
Lemma after_same s o c k : same_boot s o -> (forall v t, same_boot t (k v t)) -> same_boot s (after o c k).
Proof. intros E K. destruct o as [[v t|t]|]; cbn [after]; auto. exact (later_same _ _ _ E (K v t)). Qed.
Lemma core_same s k : (forall c, same_boot s (k c)) -> same_boot s (with_core s k).
Proof.
  intros K. unfold with_core. destruct (negb _); [|exact I]. destruct (counters_typed _); [apply K | exact I].
Qed.

(** A context changes hands. *)
Lemma pulled_same v i s k : (forall t, same_boot t (k t)) ->
  same_boot s (match pulled v i s with Some t => k t | None => None end).
Proof.
  intros K. unfold pulled. destruct (st_ctxts s !! _); [|exact I]. destruct (negb _); [|exact I].
  refine (later_same s _ _ _ (K _)). reflexivity.
Qed.
Lemma pushed_same v i s k : (forall t, same_boot t (k t)) ->
  same_boot s (match pushed v i s with Some t => k t | None => None end).
Proof.
  intros K. unfold pushed. destruct (st_ctxts s !! _); [|exact I]. destruct (c_held _); [|exact I].
  refine (later_same s _ _ _ (K _)). reflexivity.
Qed.
Lemma renewed_same v i s k : (forall t, same_boot t (k t)) ->
  same_boot s (match renewed v i s with Some t => k t | None => None end).
Proof.
  intros K. unfold renewed. destruct (st_ctxts s !! _); [|exact I]. destruct (negb _); [|exact I].
  refine (later_same s _ _ _ (K _)). reflexivity.
Qed.

(** * Primitives and operations below *)

Definition Below : tbl hstate := (NPTOps.Spec.T ++ MmioSPTOps.Spec.T ++ T_vm)%list.
Lemma below_boot : tbl_boot_kept Below.
Proof. apply boot_kept_app; [apply npt_ops_boot|]. apply boot_kept_app; [apply spt_ops_boot | apply vm_boot]. Qed.
Lemma below f p : Lang.assoc f Below = Some p -> boot_kept p.
Proof.
  generalize below_boot. generalize Below as l. induction l as [|[g q] l IH]; cbn [Lang.assoc]; [discriminate|].
    intros B.
  apply List.Forall_cons_iff in B as [B1 B2]. destruct (String.eqb f g); [now intros [= <-] | auto].
Qed.

Ltac below_step f := exact (below f _ eq_refl _ _).
Ltac same := repeat first
  [ exact I | reflexivity
  | lazymatch goal with
    | |- same_boot _ (chk _ _) => apply chk_same
    | |- same_boot _ (and_then _ _) => apply then_same; [|intros ? ?]
    | |- same_boot _ (iterate _ _ _) => apply iterate_same; intros ? ?
    | |- same_boot _ (with_vm _ _ _) => apply vm_same; intros ?
    | |- same_boot _ (inside _ _ _ _) => apply inside_same; [|intros ? ? ?]
    | E : st_boot ?t = st_boot ?s |- same_boot ?t (denied_vm _ _ ?s) => exact (denied_same _ _ _ _ E)
    | |- same_boot _ (with_frame _ _ _) => apply frame_same; intros ? ?
    | |- same_boot _ (after _ _ _) => apply after_same; [|intros ? ?]
    | |- same_boot _ (with_core _ _) => apply core_same; intros ?
    | |- same_boot _ (match pulled _ _ _ with _ => _ end) => apply pulled_same; intros ?
    | |- same_boot _ (match pushed _ _ _ with _ => _ end) => apply pushed_same; intros ?
    | |- same_boot _ (match renewed _ _ _ with _ => _ end) => apply renewed_same; intros ?
    | |- same_boot _ (walk_s2pt_spec _ _) => below_step "walk_s2pt"
    | |- same_boot _ (map_s2pt_spec _ _) => below_step "map_s2pt"
    | |- same_boot _ (clear_pfn_host_spec _ _) => below_step "clear_pfn_host"
    | |- same_boot _ (init_spt_spec _ _) => below_step "init_spt"
    | |- same_boot _ (map_spt_spec _ _) => below_step "map_spt"
    | |- same_boot _ (unmap_spt_spec _ _) => below_step "unmap_spt"
    | |- same_boot _ (get_shared_kvm _ _) => below_step "get_shared_kvm"
    | |- same_boot _ (get_shared_vcpu _ _) => below_step "get_shared_vcpu"
    | |- same_boot _ (get_image_digest _ _) => below_step "get_image_digest"
    | |- same_boot _ (hash_page _ _) => below_step "hash_page"
    | |- same_boot _ (encrypt_mem_buf _ _) => below_step "encrypt_mem_buf"
    | |- same_boot _ (decrypt_mem_buf _ _) => below_step "decrypt_mem_buf"
    | |- same_boot _ (encrypt_regs gp_regs _ _) => below_step "encrypt_gp_regs"
    | |- same_boot _ (encrypt_regs sys_regs _ _) => below_step "encrypt_sys_regs"
    | |- same_boot _ (decrypt_regs gp_regs _ _) => below_step "decrypt_gp_regs"
    | |- same_boot _ (decrypt_regs sys_regs _ _) => below_step "decrypt_sys_regs"
    | K : boot_kept ?p |- same_boot _ (?p _ _) => apply K
    | |- same_boot _ (if ?b then _ else _) => destruct b
    | |- same_boot _ (match ?x with _ => _ end) => destruct x
    end ].
(** A typed primitive: its arguments, and then its body. *)
Ltac typed := intros vs s; unfold p0, p1, p2, p3, p4;
  repeat match goal with
  | |- res_all _ (match ?l with _ => _ end) => is_var l; destruct l; try exact I
  | |- res_all _ (if in_range _ _ then _ else None) => destruct (in_range _ _); [|exact I]
  end;
  lazymatch goal with |- res_all _ ?o => change (same_boot s o) end.

Lemma assign_vm_boot : @boot_kept cell pmap pmap (gmap Z page) assign_pfn_to_vm_spec.
Proof. unfold assign_pfn_to_vm_spec. typed. same. Qed.
Lemma assign_smmu_boot : @boot_kept cell pmap pmap (gmap Z page) assign_pfn_to_smmu_spec.
Proof. unfold assign_pfn_to_smmu_spec. typed. same. Qed.
Lemma map_vm_boot : @boot_kept cell pmap pmap (gmap Z page) map_pfn_vm_spec.
Proof. unfold map_pfn_vm_spec. typed. same. Qed.
Lemma map_io_boot : @boot_kept cell pmap pmap (gmap Z page) map_vm_io_spec.
Proof. unfold map_vm_io_spec. typed. same. Qed.
Lemma update_boot : boot_kept (update_smmu_page_spec map_spt_spec : prim hstate).
Proof. unfold update_smmu_page_spec. typed. same. Qed.
Lemma unmap_boot : boot_kept (unmap_smmu_page_spec unmap_spt_spec : prim hstate).
Proof. unfold unmap_smmu_page_spec. typed. same. Qed.
Lemma gen_boot : boot_kept (gen_vmid_spec : prim hstate).
Proof. unfold gen_vmid_spec. typed. same. Qed.
Lemma alloc_boot : boot_kept (alloc_remap_addr_spec : prim hstate).
Proof. unfold alloc_remap_addr_spec. typed. same. Qed.
Lemma prot_boot : boot_kept (prot_and_map_vm_s2pt_spec : prim hstate).
Proof.
  pose proof assign_vm_boot. pose proof map_vm_boot. unfold prot_and_map_vm_s2pt_spec, assign_range. typed. same.
Qed.
Lemma load_boot : boot_kept (unmap_and_load_vm_image_spec : prim hstate).
Proof. pose proof prot_boot. unfold unmap_and_load_vm_image_spec, load_page. typed. same. Qed.

Lemma hash_boot v n : forall g h s, same_boot s (hash_vm_pages v n g h s).
Proof.
  induction n as [|n IH]; intros g h s; cbn [hash_vm_pages]; [reflexivity|]. apply then_same; [|intros; apply IH].
  unfold hash_vm_page. same.
Qed.
Lemma image_boot v x i s : same_boot s (load_image v x i s).
Proof.
  pose proof load_boot. unfold load_image. destruct (complete x i); [|reflexivity]. apply then_same; [same|].
    intros ? t.
  apply then_same; [apply hash_boot | intros; same].
Qed.

(** * The layer *)

Lemma BootOps_boot_kept : tbl_boot_kept T.
Proof.
  pose proof assign_smmu_boot. pose proof map_io_boot. pose proof update_boot. pose proof unmap_boot.
    pose proof gen_boot.
  pose proof alloc_boot.
  unfold T. repeat apply List.Forall_cons; try apply List.Forall_nil; cbn [snd];
    unfold search_load_info_spec, set_vcpu_active_spec, set_vcpu_inactive_spec, register_vcpu_spec, register_kvm_spec,
      set_boot_info_spec, remap_vm_image_spec, verify_and_load_images_spec, alloc_smmu_spec, assign_smmu_spec,
      map_smmu_spec, clear_smmu_spec, map_io_spec, is_inc_exe_spec, save_encrypted_vcpu_spec, load_encrypted_vcpu_spec,
      save_encrypt_buf_spec, load_decrypt_buf_spec, configuring; typed; same.
  apply image_boot.
Qed.

(** Read: no function of this layer changes what the firmware says. *)
Theorem BootOps_boot f vs (s : hstate) r : call T f vs s = Some r ->
  match r with Ok _ s' | Halt s' => st_boot s' = st_boot s end.
Proof.
  unfold call. pose proof BootOps_boot_kept as A. unfold tbl_boot_kept in A.
  induction A as [|[g p] l B A IH]; cbn [Lang.assoc]; [discriminate|].
  destruct (String.eqb f g); [|exact IH]. intros E. specialize (B vs s). cbn [snd] in B. rewrite E in B.
  destruct r; exact B.
Qed.

(** So the condition of [map_io] stays. *)
Corollary typed_stays f vs (s : hstate) r : smmus_typed (boot_smmus (st_boot s)) = true -> call T f vs s = Some r ->
  match r with Ok _ s' | Halt s' => smmus_typed (boot_smmus (st_boot s')) = true end.
Proof. intros H E. apply BootOps_boot in E. destruct r; now rewrite E. Qed.

(** A machine that has it; and one that could not be described to the C code, whose words have 64 bits. *)
Example typed_machine : smmus_typed [mksmmu 0x9010000 65536 0 8 12] = true.
Proof. reflexivity. Qed.
Example untyped_machine : smmus_typed [mksmmu (2 ^ 64) 65536 0 8 12] = false.
Proof. reflexivity. Qed.
