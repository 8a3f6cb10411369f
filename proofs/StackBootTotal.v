(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21 is defined for all arguments of its C types.  [StackUpperSafe.upper_call_safe] asks of the caller that a
    context which an operation takes is not here already; that follows from the records: a context that this CPU has
    is that of an active vCPU ([contexts_active]), and of an active vCPU these operations say no, with a panic.  One
    condition is left: who stops a vCPU runs it.  Rests on [StackUpperSafe]; [StackUpperTest] shows that the
    condition is needed. *)
From SeKVM.lib Require Import VcTac PrimInv.
From SeKVM.machine Require Import CellInv StateTac BottomPagesTac BottomVmTac.
From SeKVM.layers.BootOps Require Import Spec.
From SeKVM Require Import StackUpper StackUpperSafe StackUpperTest.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** The contexts that this CPU has, [h], are of vCPUs that are active, and stay so while others publish. *)
Definition contexts_active (h : gset Z) (s : hstate) : Prop := forall v i, 0 <= i -> is_vcpu v i = true ->
  ctxt_id v i ∈ h -> forall c, st_vms s !! v = Some c -> cell_ok (fun x => vcpu_at x i = ACTIVE) c.

(** Calls with any arguments of the C types. *)
Inductive boot_call (h : gset Z) : ident * list Z -> Prop :=
| b_search v a : u32 v -> u64 a -> boot_call h ("search_load_info", [v; a])
| b_active v i : u32 v -> u32 i -> boot_call h ("set_vcpu_active", [v; i])
| b_inactive v i : u32 v -> u32 i -> (is_vcpu v i = true -> ctxt_id v i ∈ h) ->
    boot_call h ("set_vcpu_inactive", [v; i])
| b_vcpu v i : u32 v -> u32 i -> boot_call h ("register_vcpu", [v; i])
| b_kvm : boot_call h ("register_kvm", [])
| b_image v a z : u32 v -> u64 a -> u64 z -> boot_call h ("set_boot_info", [v; a; z])
| b_remap v p i : u32 v -> u64 p -> u32 i -> boot_call h ("remap_vm_image", [v; p; i])
| b_verify v : u32 v -> boot_call h ("verify_and_load_images", [v])
| b_alloc v b i : u32 v -> u32 b -> u32 i -> boot_call h ("alloc_smmu", [v; b; i])
| b_assign v p g : u32 v -> u64 p -> u64 g -> boot_call h ("assign_smmu", [v; p; g])
| b_map v b i a e : u32 v -> u32 b -> u32 i -> u64 a -> u64 e -> boot_call h ("map_smmu", [v; b; i; a; e])
| b_clear v b i a : u32 v -> u32 b -> u32 i -> u64 a -> boot_call h ("clear_smmu", [v; b; i; a])
| b_io v a p : u32 v -> u64 a -> u64 p -> boot_call h ("map_io", [v; a; p])
| b_inc v : u32 v -> boot_call h ("is_inc_exe", [v])
| b_save v i : u32 v -> u32 i -> boot_call h ("save_encrypted_vcpu", [v; i])
| b_load v i : u32 v -> u32 i -> boot_call h ("load_encrypted_vcpu", [v; i])
| b_save_buf v a b : u32 v -> u64 a -> u64 b -> boot_call h ("save_encrypt_buf", [v; a; b])
| b_load_buf v a : u32 v -> u64 a -> boot_call h ("load_decrypt_buf", [v; a]).

Definition defined (o : option (res hstate)) : Prop := exists r, o = Some r.
Lemma ends_defined h Q o : ends h Q o -> defined o.
Proof. destruct o as [r|]; [now exists r | intros []]. Qed.

(** * An active vCPU *)

Section Active.
  Context (h : gset Z) (v i : Z) (s : hstate) (W : whole h s) (V : u32 v) (I0 : u32 i) (G : is_vcpu v i = true).
  Context (A : forall c, st_vms s !! v = Some c -> cell_ok (fun x => vcpu_at x i = ACTIVE) c).

  (** What is refused in the critical section of its record is a panic. *)
  Lemma refused_section k : (forall c, vcpu_at (c_val c) i = ACTIVE -> exists t, k c = Some (Halt t)) ->
    exists t, chk None (with_vm v s k) = Some (Halt t).
  Proof using W V I0 G A.
    intros K. destruct (vcpu_id v i G I0) as (_ & Gv & _).
    destruct (wh_vms _ _ W v (guest_vm v Gv)) as (c & E & H & C).
    unfold with_vm. rewrite E, H. cbn [negb]. rewrite (proj1 (acquire_ok _ _ C) : vm_ok _ = true).
    destruct (K (acquire_cell c) (proj1 (acquire_ok _ _ (A c E)))) as (t & ->). now exists t.
  Qed.

  Lemma start_refused : defined (set_vcpu_active_spec [v; i] s).
  Proof using W V I0 G A.
    unfold set_vcpu_active_spec, p2. rewrite V, I0, G.
    match goal with |- defined (chk None (with_vm v s ?k)) => destruct (refused_section k) as (t & E) end;
      [|now exists (Halt t)].
    intros c Ac. unfold activate. rewrite Ac, andb_false_r. now eexists.
  Qed.

  Lemma register_refused : defined (register_vcpu_spec [v; i] s).
  Proof using W V I0 G A.
    unfold register_vcpu_spec, p2. rewrite V, I0, G.
    pose proof (ends_vcpu h v i s W V I0) as D. destruct (get_shared_vcpu [v; i] s) as [r|]; [|destruct D].
    match goal with |- defined (chk None (with_vm v s ?k)) => destruct (refused_section k) as (t & E) end;
      [|now exists (Halt t)].
    intros c Ac. destruct r as [p u|u]; cbn [inside]; [unfold new_vcpu; rewrite Ac, andb_false_r|]; now eexists.
  Qed.

  Lemma save_refused : defined (save_encrypted_vcpu_spec [v; i] s).
  Proof using W V I0 G A.
    unfold save_encrypted_vcpu_spec, p2. rewrite V, I0, G.
    match goal with |- defined (chk None (with_vm v s ?k)) => destruct (refused_section k) as (t & E) end;
      [|now exists (Halt t)].
    intros c Ac. cbv beta. rewrite Ac. now eexists.
  Qed.

  Lemma load_refused : defined (load_encrypted_vcpu_spec [v; i] s).
  Proof using W V I0 G A.
    unfold load_encrypted_vcpu_spec, p2. rewrite V, I0, G.
    match goal with |- defined (chk None (with_vm v s ?k)) => destruct (refused_section k) as (t & E) end;
      [|now exists (Halt t)].
    intros c Ac. unfold import_vcpu. rewrite Ac, andb_false_r. now eexists.
  Qed.
End Active.

(** * The layer *)

(** Read: in every state that satisfies the joint invariant, in which this CPU has contexts of active vCPUs only,
    every function of layer 21 has a result, with any arguments of its C types. *)
Theorem BootOps_defined h f vs s : boot_call h (f, vs) -> whole h s -> contexts_active h s ->
  exists r, call BootOps.Spec.T f vs s = Some r.
Proof.
  intros X W C. change (defined (call BootOps.Spec.T f vs s)).
  assert (K : forall v i (o : option (res hstate)), u32 i ->
    (is_vcpu v i = true ->
      (forall c, st_vms s !! v = Some c -> cell_ok (fun x => vcpu_at x i = ACTIVE) c) -> defined o) ->
    ((is_vcpu v i = true -> ctxt_id v i ∉ h) -> defined o) -> defined o).
  { intros v i o R P Q. destruct (is_vcpu v i) eqn:G; [|apply Q; discriminate]. apply in_range_iff in R.
    destruct (decide (ctxt_id v i ∈ h)) as [H|H]; [exact (P eq_refl (C v i (proj1 R) G H)) | apply Q; auto]. }
  inversion X as [v a V A | v i V I0 | v i V I0 N | v i V I0 | | v a z V A Z0 | v p i V P I0 | v V | v b i V B I0
    | v p g V P G | v b i a e V B I0 A E | v b i a V B I0 A | v a p V A P | v V | v i V I0 | v i V I0 | v a b V A B
    | v a V A]; subst.
  - exact (ends_defined _ _ _ (search_ends h v a s W V A)).
  - apply (K v i); [exact I0 | intros G A; exact (start_refused h v i s W V I0 G A)|].
    intros N. exact (ends_defined _ _ _ (active_ends h v i s W V I0 N)).
  - exact (ends_defined _ _ _ (inactive_ends h v i s W V I0 N)).
  - apply (K v i); [exact I0 | intros G A; exact (register_refused h v i s W V I0 G A)|].
    intros N. exact (ends_defined _ _ _ (register_vcpu_ends h v i s W V I0 N)).
  - exact (ends_defined _ _ _ (register_kvm_ends h s W)).
  - exact (ends_defined _ _ _ (set_boot_ends h v a z s W V A Z0)).
  - exact (ends_defined _ _ _ (remap_image_ends h v p i s W V P I0)).
  - exact (ends_defined _ _ _ (verify_ends h v s W V)).
  - exact (ends_defined _ _ _ (alloc_smmu_ends h v b i s W V B I0)).
  - exact (ends_defined _ _ _ (assign_smmu_ends h v p g s W V P G)).
  - exact (ends_defined _ _ _ (map_smmu_ends h v b i a e s W V B I0 A E)).
  - exact (ends_defined _ _ _ (clear_smmu_ends h v b i a s W V B I0 A)).
  - exact (ends_defined _ _ _ (map_io_ends h v a p s W V A P)).
  - exact (ends_defined _ _ _ (inc_exe_ends h v s W V)).
  - apply (K v i); [exact I0 | intros G A; exact (save_refused h v i s W V I0 G A)|].
    intros N. exact (ends_defined _ _ _ (save_vcpu_ends h v i s W V I0 N)).
  - apply (K v i); [exact I0 | intros G A; exact (load_refused h v i s W V I0 G A)|].
    intros N. exact (ends_defined _ _ _ (load_vcpu_ends h v i s W V I0 N)).
  - exact (ends_defined _ _ _ (save_buf_ends h v a b s W V A B)).
  - exact (ends_defined _ _ _ (load_buf_ends h v a s W V A)).
Qed.

(** * The premises can be met, and the new one is needed *)

Example start_contexts : whole ∅ start /\ contexts_active ∅ start.
Proof. split; [exact start_whole|]. intros v i _ _ H. now apply not_elem_of_empty in H. Qed.

(** This CPU runs vCPU 0 of VM 1; starting it again is a panic. *)
Definition running : hstate :=
  set_ctxts (<[ctxt_id 1 0 := acquire_cell (free_cell ∅ [])]> (st_ctxts elsewhere)) elsewhere.
Example running_contexts : whole {[ctxt_id 1 0]} running /\ contexts_active {[ctxt_id 1 0]} running.
Proof.
  split.
  - assert (W : whole ∅ elsewhere).
    { apply (whole_vm ∅ start); [exact start_whole | split; [vm_compute; reflexivity | constructor] | reflexivity]. }
    destruct (pulled_ok ∅ 1 0 elsewhere W) as (t & P & T); [unfold ctxt_id; lia | apply not_elem_of_empty|].
    assert (L : st_ctxts elsewhere !! ctxt_id 1 0 = Some (free_cell ∅ [])) by (vm_compute; reflexivity).
    assert (E : pulled 1 0 elsewhere = Some running) by (unfold pulled; rewrite L; reflexivity).
    assert (t = running) as -> by congruence. rewrite union_empty_r_L in T. exact T.
  - intros v i I0 G H c E. apply elem_of_singleton in H. unfold is_vcpu, is_guest, MAX_VCPU, ctxt_id in *. boolprop.
    assert (v = 1 /\ i = 0) as [-> ->] by lia. unfold running, elsewhere in E.
    cbn [st_vms set_ctxts set_vms] in E. rewrite lookup_insert in E. injection E as <-.
    split; [vm_compute; reflexivity | constructor].
Qed.
Example started_twice :
  match call BootOps.Spec.T "set_vcpu_active" [1; 0] running with Some (Halt _) => True | _ => False end.
Proof. vm_compute. exact I. Qed.

(** If another CPU could say that this vCPU is ready while we have its context, starting it would have no meaning. *)
Definition stolen : hstate :=
  set_vms (<[1 := free_cell (set_vcpu_state 0 READY (set_vm_state VERIFIED vminfo0)) []]> (st_vms running)) running.
Example needed : call BootOps.Spec.T "set_vcpu_active" [1; 0] stolen = None.
Proof. vm_compute. reflexivity. Qed.
