(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: work on frames, tables, counters, memory and contexts does not touch
    the records of VMs.  Used by the code proofs and by [Safe]. *)
From SeKVM.lib Require Import VcTac PrimInv.
From SeKVM.machine Require Import BottomPagesTac Rel RelTac.
From SeKVM.machine Require Import BottomVmTac.
From SeKVM.layers.BootOps Require Import Spec.
Local Open Scope Z_scope.

(** The function [f] commutes with replacing the records. *)
Definition records_free (f : hstate -> option (res hstate)) : Prop :=
  forall s m, f (set_vms m s) = res_map (set_vms m) (f s) /\ res_all (fun s' => st_vms s' = st_vms s) (f s).

Lemma records_free_natural (p : prim hstate) : (forall vs, records_free (p vs)) <-> vms_natural p.
Proof. split; intros H; [intros vs s m; exact (H vs s m) | intros vs s m; exact (H vs s m)]. Qed.

Lemma natural_free (p : prim hstate) vs : vms_natural p -> records_free (p vs).
Proof. intros H s m. exact (H vs s m). Qed.

(** Sequences and loops of such work are such work. *)
Lemma and_then_free f k : records_free f -> (forall v, records_free (k v)) -> records_free (fun s => and_then (f s) k).
Proof.
  intros F K s m. destruct (F s m) as [E V]. rewrite E. destruct (f s) as [[v t|t]|]; cbn in V |- *; [|auto|auto].
  destruct (K v t m) as [E' V']. rewrite E'. split; [reflexivity|].
  destruct (k v t) as [[w u|u]|]; cbn in V' |- *; congruence || exact I.
Qed.

Lemma iterate_from_free f k : (forall i, records_free (f i)) -> forall i, records_free (iterate_from f k i).
Proof.
  intros F. induction k as [|k IH]; intros i; cbn [iterate_from]; [intros s m; split; reflexivity|].
  apply (and_then_free (f i) (fun _ s => iterate_from f k (i + 1) s)); [apply F | intros _; apply IH].
Qed.

Lemma if_free (b : bool) f g : records_free f -> records_free g -> records_free (fun s => if b then f s else g s).
Proof. intros F G. destruct b; assumption. Qed.

Lemma halt_free : records_free (fun s => Some (Halt s)).
Proof. intros s m. split; reflexivity. Qed.
Lemma ret_free v : records_free (fun s => ret v s).
Proof. intros s m. split; reflexivity. Qed.

(** * The primitives *)

Lemma walk_s2pt_records : vms_natural walk_s2pt_spec.
Proof. unfold walk_s2pt_spec, locked_look, put_table, published. natural_tac. Qed.
Lemma map_s2pt_records : vms_natural map_s2pt_spec.
Proof. unfold map_s2pt_spec, publish_update, put_table, published. natural_tac. Qed.
Lemma clear_pfn_host_records : vms_natural clear_pfn_host_spec.
Proof. unfold clear_pfn_host_spec, publish_update, put_table, published. natural_tac. Qed.
Lemma init_spt_records : vms_natural init_spt_spec.
Proof. unfold init_spt_spec, publish_spt_update, publish_spt. natural_tac. Qed.
Lemma map_spt_records : vms_natural map_spt_spec.
Proof. unfold map_spt_spec, publish_spt_update, publish_spt. natural_tac. Qed.
Lemma unmap_spt_records : vms_natural unmap_spt_spec.
Proof. unfold unmap_spt_spec, publish_spt_update, publish_spt. natural_tac. Qed.
Lemma hash_page_records : vms_natural hash_page.
Proof. natural_tac. Qed.
Lemma get_image_digest_records : vms_natural get_image_digest.
Proof. natural_tac. Qed.
Lemma decrypt_mem_buf_records : vms_natural decrypt_mem_buf.
Proof. natural_tac. Qed.
Lemma alloc_remap_addr_records : vms_natural alloc_remap_addr_spec.
Proof. unfold alloc_remap_addr_spec, with_core, publish_core. natural_tac. Qed.
Lemma gen_vmid_records : vms_natural gen_vmid_spec.
Proof. unfold gen_vmid_spec, with_core, publish_core. natural_tac. Qed.

(** * Operations on frames *)

Lemma chk_free rt f : records_free f -> records_free (fun s => chk rt (f s)).
Proof.
  intros F s m. destruct (F s m) as [E V]. rewrite E. destruct (f s) as [[v t|t]|]; cbn in V |- *; auto.
  destruct rt as [ty|]; [destruct (in_range ty v) | destruct (v =? 0)]; cbn; auto.
Qed.

Lemma none_free : records_free (fun _ => None).
Proof. intros s m. split; reflexivity. Qed.

Lemma p1_free rt t1 f : (forall a, records_free (f a)) -> forall vs, records_free (p1 rt t1 f vs).
Proof.
  intros F vs. unfold p1. destruct vs as [|a [|]]; try apply none_free.
  destruct (in_range t1 a); [apply chk_free, F | apply none_free].
Qed.
Lemma p2_free rt t1 t2 f : (forall a b, records_free (f a b)) -> forall vs, records_free (p2 rt t1 t2 f vs).
Proof.
  intros F vs. unfold p2. destruct vs as [|a [|b [|]]]; try apply none_free.
  do 2 (destruct (in_range _ _); [|apply none_free]). apply chk_free, F.
Qed.
Lemma p3_free rt t1 t2 t3 f : (forall a b c, records_free (f a b c)) -> forall vs, records_free (p3 rt t1 t2 t3 f vs).
Proof.
  intros F vs. unfold p3. destruct vs as [|a [|b [|c [|]]]]; try apply none_free.
  do 3 (destruct (in_range _ _); [|apply none_free]). apply chk_free, F.
Qed.
Lemma p4_free rt t1 t2 t3 t4 f : (forall a b c d, records_free (f a b c d)) -> forall vs, records_free (p4 rt t1 t2 t3 t4 f vs).
Proof.
  intros F vs. unfold p4. destruct vs as [|a [|b [|c [|d [|]]]]]; try apply none_free.
  do 4 (destruct (in_range _ _); [|apply none_free]). apply chk_free, F.
Qed.

Lemma with_frame_free pfn body : (forall c q, records_free (body c q)) ->
  records_free (fun s => with_frame pfn s (fun c q => body c q s)).
Proof.
  intros F s m. unfold with_frame. change (st_s2 (set_vms m s)) with (st_s2 s).
  destruct (negb (c_held (st_s2 s))); [|split; reflexivity]. cbv zeta.
  destruct (frame_ok _); [apply F | split; reflexivity].
Qed.
Lemma publish_free c : records_free (publish c).
Proof. intros s m. split; reflexivity. Qed.
Lemma denied_free c : records_free (denied c).
Proof. intros s m. split; reflexivity. Qed.
Lemma after_free f c k : records_free f -> (forall v, records_free (k v)) -> records_free (fun s => after (f s) c k).
Proof.
  intros F K s m. destruct (F s m) as [E V]. rewrite E. destruct (f s) as [[v t|t]|]; cbn in V |- *; [|auto|auto].
  destruct (K v t m) as [E' V']. rewrite E'. split; [reflexivity|].
  destruct (k v t) as [[w u|u]|]; cbn in V' |- *; congruence || exact I.
Qed.

Lemma assign_pfn_to_vm_records : vms_natural assign_pfn_to_vm_spec.
Proof.
  apply records_free_natural, p3_free. intros v g pfn. apply if_free; [|apply halt_free]. apply with_frame_free.
  intros c q. destruct (claim v g q) as [[[|] q']|]; [|apply publish_free|apply denied_free].
  apply after_free; [apply natural_free, clear_pfn_host_records | intros _; apply publish_free].
Qed.
Lemma assign_pfn_to_smmu_records : vms_natural assign_pfn_to_smmu_spec.
Proof.
  apply records_free_natural, p3_free. intros v g pfn. apply if_free; [|apply halt_free]. apply with_frame_free.
  intros c q. destruct (reserve v g q) as [[q'|]|]; [|apply publish_free|apply denied_free].
  apply after_free; [apply natural_free, clear_pfn_host_records | intros _; apply publish_free].
Qed.
Lemma map_vm_io_records : vms_natural map_vm_io_spec.
Proof.
  apply records_free_natural, p3_free. intros v a pa. apply with_frame_free.
  intros c [q|]; [apply publish_free|].
  apply after_free; [apply natural_free, map_s2pt_records | intros _; apply publish_free].
Qed.
Lemma map_pfn_vm_records : vms_natural map_pfn_vm_spec.
Proof.
  apply records_free_natural, p4_free. intros v a e l.
  apply if_free; [apply if_free; [|apply halt_free]|]; exact (natural_free map_s2pt_spec _ map_s2pt_records).
Qed.
Lemma update_smmu_page_records : vms_natural (update_smmu_page_spec map_spt_spec).
Proof.
  apply records_free_natural. intros vs. unfold update_smmu_page_spec.
  destruct vs as [|v [|b [|i [|a [|e [|]]]]]]; try apply none_free.
  do 5 (destruct (in_range _ _); [|apply none_free]). apply if_free; [|apply halt_free]. apply with_frame_free.
  intros c q. destruct (device_use _ _ q) as [q'|]; [|apply denied_free].
  apply after_free; [apply natural_free, map_spt_records | intros _; destruct q'; apply publish_free].
Qed.
Lemma unmap_smmu_page_records : vms_natural (unmap_smmu_page_spec unmap_spt_spec).
Proof.
  apply records_free_natural, p3_free. intros b i a s m. change (st_s2 (set_vms m s)) with (st_s2 s).
  destruct (negb (c_held (st_s2 s))); [|split; reflexivity]. cbv zeta.
  apply (after_free (unmap_spt_spec [b; i; a])); [apply natural_free, unmap_spt_records|].
  intros e. destruct (in_range U64 e); [|apply none_free]. destruct (frame_ok _); [|apply none_free].
  destruct (device_unuse _) as [q'|]; [|apply publish_free]. apply if_free; apply publish_free.
Qed.

Lemma prot_and_map_vm_s2pt_records : vms_natural prot_and_map_vm_s2pt_spec.
Proof.
  apply records_free_natural, p4_free. intros v a e l. apply if_free; [|apply halt_free].
  pose proof (fun vs => natural_free _ vs assign_pfn_to_vm_records) as A.
  pose proof (fun vs => natural_free _ vs map_pfn_vm_records) as B.
  apply if_free; [apply if_free; [|apply halt_free]|].
  - apply (and_then_free (fun s => assign_range v _ _ 512 s)); [|intros _; apply B].
    unfold assign_range, iterate. apply iterate_from_free. intros i. apply A.
  - apply (and_then_free (assign_pfn_to_vm_spec [v; a / 4096; frame_of e])); [apply A | intros _; apply B].
Qed.

Lemma unmap_and_load_vm_image_records : vms_natural unmap_and_load_vm_image_spec.
Proof.
  apply records_free_natural, p4_free. intros v target remap n. apply if_free; [|apply halt_free].
  unfold iterate. apply iterate_from_free. intros i. unfold load_page.
  apply (and_then_free (walk_s2pt_spec [COREVISOR; (remap / 4096 + i) * 4096])).
  - apply natural_free, walk_s2pt_records.
  - intros e. apply if_free; [apply halt_free|].
    apply (and_then_free (walk_s2pt_spec [v; (target / 4096 + i) * 4096])); [apply natural_free, walk_s2pt_records|].
    intros d. apply if_free; [apply natural_free, prot_and_map_vm_s2pt_records | apply halt_free].
Qed.

(** * Verification *)

Lemma hash_vm_page_free v g h : records_free (hash_vm_page v g h).
Proof.
  unfold hash_vm_page. apply (and_then_free (walk_s2pt_spec [v; g * 4096])); [apply natural_free, walk_s2pt_records|].
  intros e. apply with_frame_free. intros c q. destruct (is_page_of v g q); [|apply denied_free].
  apply (after_free (hash_page [frame_of e; h])); [apply natural_free, hash_page_records|].
  intros h' s m. split; reflexivity.
Qed.

Lemma hash_vm_pages_free v n : forall g h, records_free (hash_vm_pages v n g h).
Proof.
  induction n as [|n IH]; intros g h; cbn [hash_vm_pages]; [apply ret_free|].
  apply (and_then_free (hash_vm_page v g h)); [apply hash_vm_page_free | intros h'; apply IH].
Qed.

Lemma load_image_free v x i : records_free (load_image v x i).
Proof.
  unfold load_image. apply if_free; [|apply halt_free].
  apply (and_then_free (unmap_and_load_vm_image_spec [v; img_addr x i; img_remap x i; img_pages x i]));
    [apply natural_free, unmap_and_load_vm_image_records|]. intros _.
  apply (and_then_free (hash_vm_pages v _ _ _)); [apply hash_vm_pages_free|].
  intros h. apply if_free; [apply ret_free | apply halt_free].
Qed.
