(* SPDX-License-Identifier: Apache-2.0 *)
(** The host's way through KCore is total: while the host runs on this CPU ([host_runs]), every call, with whatever
    its registers hold, and every fault ends with the host going on, or in a panic.  For this the premise of
    TrapDispatcher's [dispatch_defined] is proved for the joined layers.  Rests on [StackUpperSafe]; [StackTrapTest]
    shows that the premise is met and needed. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import Bits VcTac PrimInv.
From SeKVM.machine Require Import CellInv StateTac BottomPagesTac BottomVmTac.
From SeKVM.layers.MemoryOps Require Import Spec Total.
From SeKVM.layers.BootCore Require Import Spec.
From SeKVM.layers.BootAux Require Import Spec.
From SeKVM.layers.BootOps Require Import Spec.
From SeKVM.layers.MmioOps Require Import Spec.
From SeKVM.layers.MmioRaw Require ProofCode.
From SeKVM.layers.TrapHandler Require Import Interface.
From SeKVM.layers.TrapDispatcher Require Import Safe.
From SeKVM Require Import StackUpper StackUpperSafe.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Who runs on this CPU does not change *)

Definition who (s : hstate) : Z * Z * Z := (cpu_id (st_cpu s), cpu_vmid (st_cpu s), cpu_vcpuid (st_cpu s)).
Definition stay (s t : hstate) : Prop := who t = who s.

Lemma stay_refl s : stay s s.
Proof. reflexivity. Qed.
Lemma stay_trans a b c : stay a b -> stay b c -> stay a c.
Proof. unfold stay. congruence. Qed.
Lemma stay_s2 s c : stay s (set_s2 c s).
Proof. reflexivity. Qed.
Lemma aside_stay f : only aside f -> only stay f.
Proof. intros F s v t E. destruct (F s v t E) as (_ & _ & _ & _ & C & _). unfold stay, who. now rewrite C. Qed.
Lemma stage2_stay f : only stage2 f -> only stay f.
Proof. intros F. now apply aside_stay, weaker. Qed.

Notation then_stay := (only_then stay stay_trans).
Notation after_stay := (only_after stay stay_trans).

Lemma stay_vm v body : (forall c, only stay (body c)) -> only stay (fun s => with_vm v s (fun c => body c s)).
Proof.
  intros B s w t. unfold with_vm. destruct (st_vms s !! v) as [c|]; [|discriminate].
  destruct (negb _); [|discriminate]. destruct (vm_ok _); [|discriminate]. apply B.
Qed.
Lemma stay_inside v c f k : only stay f -> (forall s w, only stay (k s w)) ->
  only stay (fun s => inside v c (f s) (k s)).
Proof.
  intros F K s w t. destruct (f s) as [[x u|u]|] eqn:E; cbn [inside]; try discriminate.
  intros X. exact (stay_trans _ _ _ (F s x u E) (K s x u w t X)).
Qed.
Lemma stay_during c f k : only stay f -> (forall w, only stay (k w)) -> only stay (fun s => during (f s) c k).
Proof.
  intros F K s w t. destruct (f s) as [[x u|u]|] eqn:E; cbn [during]; try discriminate.
  intros X. exact (stay_trans _ _ _ (F s x u E) (K x u w t X)).
Qed.
Lemma stay_owner cb ix body : (forall c w, only stay (body c w)) ->
  only stay (fun s => with_owner cb ix s (fun c w => body c w s)).
Proof.
  intros B s w t. unfold with_owner. destruct (is_bank cb ix); [|discriminate]. destruct (negb _); [|discriminate].
  cbv zeta. destruct (owner_ok _); [|discriminate]. apply B.
Qed.
Lemma stay_publish v c r : only stay (publish_vm v c r).
Proof. intros s w t [= _ <-]. reflexivity. Qed.
Lemma stay_denied v c : only stay (denied_vm v c).
Proof. intros s w t. discriminate. Qed.
Lemma stay_owners r c : only stay (publish_owners r c).
Proof. intros s w t [= _ <-]. reflexivity. Qed.
Lemma stay_some (f : hstate -> option hstate) k : (forall s t, f s = Some t -> stay s t) -> only stay k ->
  only stay (fun s => match f s with Some u => k u | None => None end).
Proof.
  intros F K s w t. destruct (f s) as [u|] eqn:E; [|discriminate]. intros X.
  exact (stay_trans _ _ _ (F s u E) (K u w t X)).
Qed.
Lemma stay_configuring v f : only stay f -> only stay (configuring v f).
Proof.
  intros F. unfold configuring. apply (stay_vm v (fun c s => if may_configure v (c_val c)
    then inside v c (f s) (fun _ => publish_vm v c 0) else denied_vm v c s)). intros c.
  destruct (may_configure _ _); [|apply stay_denied].
  apply (stay_inside v c f (fun _ _ => publish_vm v c 0)); [exact F | intros _ _; apply stay_publish].
Qed.
Lemma stay_by_owner cb ix (o : Z -> hop) : (forall w, only stay (o w)) ->
  only stay (fun s => by_owner cb ix s (fun w => o w s)).
Proof.
  intros O. unfold by_owner. apply (stay_owner cb ix (fun c w s => if w =? INVALID then publish_owners 0 c s
    else during (o w s) c (fun _ => publish_owners 0 c))). intros c w.
  destruct (w =? INVALID); [apply stay_owners|]. apply stay_during; [apply O | intros _; apply stay_owners].
Qed.

(** ** The steps *)

Ltac step_tac :=
  intros s v t;
  repeat match goal with
  | |- context [match ?x with _ => _ end] =>
      lazymatch x with context [match _ with _ => _ end] => fail | _ => destruct x end
  end; try discriminate; intros [= _ <-]; reflexivity.

Lemma stay_pulled v i s t : pulled v i s = Some t -> stay s t.
Proof. unfold pulled. destruct (st_ctxts s !! _); [|discriminate]. destruct (negb _); [|discriminate].
  now intros [= <-]. Qed.
Lemma stay_pushed v i s t : pushed v i s = Some t -> stay s t.
Proof. unfold pushed. destruct (st_ctxts s !! _); [|discriminate]. destruct (c_held _); [|discriminate].
  now intros [= <-]. Qed.
Lemma stay_renewed v i s t : renewed v i s = Some t -> stay s t.
Proof. unfold renewed. destruct (st_ctxts s !! _); [|discriminate]. destruct (negb _); [|discriminate].
  now intros [= <-]. Qed.

Lemma stay_poweron vs : only stay (get_vm_poweron_spec vs).
Proof.
  apply only_p1. intros v. destruct (is_guest v); [|apply only_ret; exact stay_refl].
  apply (stay_vm v (fun c => publish_vm v c _)). intros c. apply stay_publish.
Qed.
Lemma stay_vmid vs : only stay (gen_vmid_spec vs).
Proof. unfold gen_vmid_spec, p0, chk, with_core, publish_core. destruct vs; step_tac. Qed.
Lemma stay_remap vs : only stay (alloc_remap_addr_spec vs).
Proof. unfold alloc_remap_addr_spec, p1, chk, with_core, publish_core. destruct vs as [|n [|]]; step_tac. Qed.

(** What reads, hashes and ciphers. *)
Lemma stay_to (f : hstate -> Z) (g : hstate -> hstate) : (forall s, stay s (g s)) ->
  only stay (fun s => Some (Ok (f s) (g s))).
Proof. intros G s v t E. injection E as _ <-. apply G. Qed.

Lemma stay_kvm vs : only stay (get_shared_kvm vs).
Proof. apply only_p1. intros v. apply stay_to. intros s. reflexivity. Qed.
Lemma stay_vcpu vs : only stay (get_shared_vcpu vs).
Proof. apply only_p2. intros v i. apply stay_to. intros s. reflexivity. Qed.
Lemma stay_digest vs : only stay (get_image_digest vs).
Proof. apply only_p1. intros v. apply stay_to. intros s. reflexivity. Qed.
Lemma stay_hash vs : only stay (hash_page vs).
Proof. apply only_p2. intros p k. apply stay_to. intros s. reflexivity. Qed.
Lemma stay_seal vs : only stay (encrypt_mem_buf vs).
Proof. apply only_p3. intros v a b. apply stay_to. intros s. reflexivity. Qed.
Lemma stay_open vs : only stay (decrypt_mem_buf vs).
Proof. apply only_p2. intros v a. apply stay_to. intros s. reflexivity. Qed.
Lemma stay_ciphered v i (f : cell regfile -> hop) : (forall x, only stay (f x)) -> only stay (fun s =>
  rely below MAX_VCPU i; some x := st_ctxts s !! ctxt_id v i; rely c_held x; f x s).
Proof.
  intros F s w t. destruct (below MAX_VCPU i); [|discriminate]. destruct (st_ctxts s !! _) as [x|]; [|discriminate].
  destruct (c_held x); [|discriminate]. apply F.
Qed.
Lemma stay_encrypt rs vs : only stay (encrypt_regs rs vs).
Proof.
  apply only_p2. intros v i. apply (stay_ciphered v i). intros x. cbv zeta. apply stay_to. intros s. reflexivity.
Qed.
Lemma stay_decrypt rs vs : only stay (decrypt_regs rs vs).
Proof.
  apply only_p2. intros v i. apply (stay_ciphered v i). intros x. cbv zeta. apply stay_to. intros s. reflexivity.
Qed.

(** ** The operations *)

Ltac part := first
  [ apply stay_publish | apply stay_denied | apply stay_owners | apply only_halt | apply only_none
  | apply only_ret; exact stay_refl | apply only_publish; exact stay_s2 | apply only_denied
  | intros ? ? ?; discriminate ].

(** The work in a critical section, and the rest. *)
Ltac within := cbv beta; lazymatch goal with
  | |- only stay (fun s => inside ?v ?c (@?f s) (@?k s)) =>
      apply (stay_inside v c f k); cbv beta; [|intros ?]
  | |- only stay (fun s => during (@?f s) ?c ?k) => apply (stay_during c f k)
  | |- only stay (fun s => after (@?f s) ?c ?k) => apply (after_stay f c k)
  end.

Lemma stay_register_vcpu vs : only stay (register_vcpu_spec vs).
Proof.
  apply only_p2. intros v i. apply only_if; [|part]. apply stay_vm. intros c.
  within; [apply stay_vcpu|]. intros p. destruct (new_vcpu i p _) as [x|]; [|part].
  apply (stay_some (renewed v i) (publish_vm v (set_val x c) 0) (stay_renewed v i)). part.
Qed.
Lemma stay_register_kvm vs : only stay (register_kvm_spec vs).
Proof.
  destruct vs; [|intros s v t; discriminate]. unfold register_kvm_spec, p0. apply only_chk.
  apply (then_stay (gen_vmid_spec [])); [apply stay_vmid|]. intros v. apply stay_vm. intros c.
  within; [apply stay_kvm|]. intros p. destruct (register p _); part.
Qed.
Lemma stay_set_boot vs : only stay (set_boot_info_spec vs).
Proof.
  apply only_p3. intros v a z. apply only_if; [|part]. apply stay_vm. intros c. apply only_if; [|part].
  apply only_if; [|part]. within; [apply stay_remap|]. intros r. apply only_if; [part|].
  within; [apply stay_digest | intros d; part].
Qed.
Lemma stay_remap_image vs : only stay (remap_vm_image_spec vs).
Proof.
  apply only_p3. intros v p i. apply only_if; [|part]. apply stay_vm. intros c. apply only_if; [|part].
  destruct (next_slot i _); [|part]. within; [apply stage2_stay, map_stage2 | intros _; part].
Qed.
Lemma stay_hash_page v g k : only stay (hash_vm_page v g k).
Proof.
  apply (then_stay (walk_s2pt_spec _)); [apply stage2_stay, walk_stage2|]. intros e.
  apply only_frame. intros c q. apply only_if; [|part]. apply (after_stay (hash_page _)); [apply stay_hash|].
  intros h s w t [= _ <-]. reflexivity.
Qed.
Lemma stay_hash_pages v n : forall g k, only stay (hash_vm_pages v n g k).
Proof.
  induction n as [|n IH]; intros g k; cbn [hash_vm_pages]; [part|].
  apply (then_stay (hash_vm_page v g k)); [apply stay_hash_page | intros h; apply IH].
Qed.
Lemma stay_load v x i : only stay (load_image v x i).
Proof.
  unfold load_image. destruct (complete x i); [|part].
  apply (then_stay (unmap_and_load_vm_image_spec _)); [apply stage2_stay, load_stage2|]. intros _.
  apply (then_stay (hash_vm_pages v _ _ _)); [apply stay_hash_pages|]. intros h. apply only_if; part.
Qed.
Lemma stay_verify vs : only stay (verify_and_load_images_spec vs).
Proof.
  apply only_p1. intros v. apply only_if; [|part]. apply stay_vm. intros c. apply only_if; [|part].
  within; [|intros _; part].
  apply only_iterate; [exact stay_refl | exact stay_trans | intros i; apply stay_load].
Qed.
Lemma stay_init vs : only stay (init_spt_spec vs).
Proof. apply aside_stay, init_spt_aside. Qed.
Lemma stay_alloc_smmu vs : only stay (alloc_smmu_spec vs).
Proof. apply only_p3. intros v b i. apply only_if; [|part]. apply stay_configuring, stay_init. Qed.
Lemma stay_assign_smmu vs : only stay (assign_smmu_spec vs).
Proof.
  apply only_p3. intros v p g. apply only_if; [|part]. apply only_if; [part|].
  apply stay_configuring, aside_stay, assign_smmu_aside.
Qed.
Lemma stay_map_smmu vs : only stay (map_smmu_spec vs).
Proof.
  unfold map_smmu_spec. destruct vs as [|v [|b [|i [|a [|e [|]]]]]]; try part.
  do 5 (destruct (in_range _ _); [|part]). apply only_if; [|part]. apply stay_configuring, aside_stay, update_aside.
Qed.
Lemma stay_clear_smmu vs : only stay (clear_smmu_spec vs).
Proof.
  apply only_p4. intros v b i a. apply only_if; [|part]. apply stay_configuring, aside_stay, unmap_aside.
Qed.
Lemma stay_map_io vs : only stay (map_io_spec vs).
Proof.
  apply only_p3. intros v a p s w t. destruct (smmus_typed _); [|discriminate].
  destruct (_ && _); [|discriminate]. revert s w t. apply stay_vm. intros c. apply only_if; [|part].
  within; [apply aside_stay, map_io_aside | intros _; part].
Qed.
Lemma stay_save_vcpu vs : only stay (save_encrypted_vcpu_spec vs).
Proof.
  apply only_p2. intros v i. apply only_if; [|part]. apply stay_vm. intros c. apply only_if; [|part].
  apply (stay_some (pulled v i) _ (stay_pulled v i)). within.
  - apply (then_stay (encrypt_regs _ _)); [|intros _]; apply stay_encrypt.
  - intros _. apply (stay_some (pushed v i) _ (stay_pushed v i)). part.
Qed.
Lemma stay_load_vcpu vs : only stay (load_encrypted_vcpu_spec vs).
Proof.
  apply only_p2. intros v i. apply only_if; [|part]. apply stay_vm. intros c.
  destruct (import_vcpu i _) as [x|]; [|part].
  apply (stay_some (pulled v i) _ (stay_pulled v i)). within.
  - apply (then_stay (decrypt_regs _ _)); [|intros _]; apply stay_decrypt.
  - intros _. apply (stay_some (pushed v i) _ (stay_pushed v i)). part.
Qed.
Lemma stay_save_buf vs : only stay (save_encrypt_buf_spec vs).
Proof.
  apply only_p3. intros v a b. apply only_if; [|part]. intros s w t. destruct (negb _); [|discriminate]. cbv zeta.
  destruct (_ && _); [|discriminate]. destruct (_ && _); [|discriminate].
  apply (after_stay (encrypt_mem_buf _)); [apply stay_seal | intros _; part].
Qed.
Lemma stay_load_buf vs : only stay (load_decrypt_buf_spec vs).
Proof.
  apply only_p2. intros v a. apply only_if; [|part]. apply stay_vm. intros c. apply only_if; [|part].
  within; [|intros _; part]. apply only_frame. intros d q. destruct (import_frame v q); [|part].
  within; [|intros _; part].
  apply (then_stay (clear_pfn_host_spec _)); [apply stage2_stay, clear_stage2 | intros _; apply stay_open].
Qed.
Lemma stay_free vs : only stay (el2_free_smmu_pgd_spec get_vm_poweron_spec vs).
Proof.
  apply only_p2. intros cb ix. apply stay_owner. intros c w. apply only_if; [part|].
  within; [apply stay_poweron|]. intros on. destruct (in_range U32 on); [|part]. apply only_if; [|part].
  within; [apply stay_init | intros _; part].
Qed.
Lemma stay_alloc vs : only stay (el2_alloc_smmu_pgd_spec alloc_smmu_spec vs).
Proof.
  apply only_p3. intros cb v ix s w t. destruct (smmus_ok _); [|discriminate].
  destruct (may_alloc _ _ _ _); [|discriminate].
  revert s w t. apply stay_owner. intros c w. apply only_if; [|part].
  within; [apply stay_alloc_smmu | intros _; part].
Qed.
Lemma stay_assign_page vs : only stay (smmu_assign_page_spec assign_smmu_spec vs).
Proof.
  apply only_p4. intros cb ix p g. apply (stay_by_owner cb ix (fun w => assign_smmu_spec [w; p; g])).
  intros w. apply stay_assign_smmu.
Qed.
Lemma stay_map_page vs : only stay (smmu_map_page_spec map_smmu_spec vs).
Proof.
  apply only_p4. intros cb ix a e. apply only_if; [|part].
  apply (stay_by_owner cb ix (fun w => map_smmu_spec [w; cb; ix; a; e])). intros w. apply stay_map_smmu.
Qed.
Lemma stay_clear_page vs : only stay (el2_arm_lpae_clear_spec clear_smmu_spec vs).
Proof.
  apply only_p3. intros a cb ix. apply only_if; [|part].
  apply (stay_by_owner cb ix (fun w => clear_smmu_spec [w; cb; ix; a])). intros w. apply stay_clear_smmu.
Qed.
Lemma stay_iova vs : only stay (el2_arm_lpae_iova_to_phys_spec vs).
Proof.
  apply only_p3. intros a cb ix. apply only_if; [|part]. intros s w t.
  destruct (walk_spt_spec _ s) as [[e u|u]|] eqn:E; try discriminate.
  intros [= _ <-]. exact (aside_stay _ (walk_spt_aside _) s e u E).
Qed.
Lemma stay_has_bank vs : only stay (vm_has_bank_spec vs).
Proof.
  apply only_p1. intros v s w t. destruct (negb _); [|discriminate]. cbv zeta.
  destruct (forallb _ _); [|discriminate].
  apply stay_owners.
Qed.

(** * MemHandler *)

Notation clear_stage2_range := (clear_vm_stage2_range_spec get_vm_poweron_spec vm_has_bank_spec).
Notation lpae_map := (el2_arm_lpae_map_spec smmu_init_pte_spec MemHandler.Interface.assign_page map_page).
Notation ioremap := (kvm_phys_addr_ioremap_spec map_io_spec).

Lemma stay_clear_range vs : only stay (clear_vm_range_spec vs).
Proof.
  apply stage2_stay. exact (only_clear_range stage2 stage2_refl stage2_trans stage2_s2 stage2_mem clear_stage2 _).
Qed.
Lemma stay_stage2_range vs : only stay (clear_stage2_range vs).
Proof.
  apply only_p3. intros v a n. apply (then_stay (get_vm_poweron_spec _)); [apply stay_poweron|]. intros on.
  apply only_if; [|part]. apply (then_stay (vm_has_bank_spec _)); [apply stay_has_bank|]. intros b.
  apply only_if; [apply stay_clear_range | part].
Qed.
Lemma stay_lpae_map vs : only stay (lpae_map vs).
Proof.
  unfold el2_arm_lpae_map_spec. destruct vs as [|a [|pa [|prot [|cb [|ix [|]]]]]]; try part.
  do 5 (destruct (in_range _ _); [|part]). apply only_chk.
  apply (then_stay (smmu_init_pte_spec _)); [apply only_p2; intros; part|]. intros e.
  apply (then_stay (smmu_assign_page_spec _ _)); [apply stay_assign_page | intros _; apply stay_map_page].
Qed.
Lemma stay_ioremap vs : only stay (ioremap vs).
Proof.
  apply only_p4. intros v g p n. apply only_if; [|part].
  apply only_iterate; [exact stay_refl | exact stay_trans | intros i; apply stay_map_io].
Qed.

Lemma pages_of_nonneg n : in_range U64 n = true -> 0 <= pages_of n.
Proof.
  intros N. apply in_range_iff in N. unfold pages_of. pose proof (Z.div_pos n 4096 ltac:(lia) ltac:(lia)).
  destruct (_ =? 0); lia.
Qed.

Lemma stage2_range_ends h v a n s : whole h s -> in_range U32 v = true -> in_range U64 a = true ->
  in_range U64 n = true -> ends h (typed None) (clear_stage2_range [v; a; n] s).
Proof.
  intros W V A N. unfold clear_vm_stage2_range_spec, p3. rewrite V, A, N. apply ends_chk.
  apply (ends_then h h (typed (Some U32))); [now apply poweron_ends|]. intros on t _ T.
  destruct (on =? 0); [|now split].
  apply (ends_then h h (typed (Some U32))); [now apply has_bank_ends|]. intros b u _ X.
  destruct (b =? 0); [|now split].
  pose proof (range_ends h "clear_vm_range" [v; a / 4096; n / 4096] u
    (call_clear_range v _ _ V (frame_u64 a A) (frame_u64 n N)) X) as E.
  change (call MemoryOps.Spec.T "clear_vm_range" [v; a / 4096; n / 4096] u)
    with (clear_vm_range_spec [v; a / 4096; n / 4096] u) in E.
  unfold clear_vm_range_spec, p3 in E |- *. revert E.
  match goal with |- context [if ?b then _ else None] => destruct b; [|intros []] end.
  match goal with |- context [if ?b then _ else None] => destruct b; [|intros []] end.
  match goal with |- context [if ?b then _ else None] => destruct b; [|intros []] end.
  unfold chk. destruct (if _ <=? _ then _ else _) as [[w y|y]|]; cbn; auto.
  destruct (Z.eqb_spec w 0) as [->|]; [intros [_ Y]; now split | intros []].
Qed.

Lemma lpae_map_ends h a pa prot cb ix s : whole h s -> in_range U64 a = true -> in_range U64 pa = true ->
  in_range U64 prot = true -> in_range U32 cb = true -> in_range U32 ix = true ->
  ends h (typed None) (lpae_map [a; pa; prot; cb; ix] s).
Proof.
  intros W A P R B X. unfold el2_arm_lpae_map_spec. rewrite A, P, R, B, X. apply ends_chk.
  apply (ends_then h h (typed (Some U64))).
  - unfold smmu_init_pte_spec, p2. rewrite P, R. apply ends_chk. split; [|exact W].
    apply in_range_iff. apply MmioRaw.ProofCode.smmu_pte_range.
  - intros e t E T. apply (ends_then h h (typed None)).
    + apply assign_page_ends; try assumption; now apply frame_u64.
    + intros _ u _ U. now apply map_page_ends.
Qed.

Lemma ioremap_ends h v g p n s : whole h s -> in_range U32 v = true -> in_range U64 g = true ->
  in_range U64 p = true -> in_range U64 n = true -> ends h (typed None) (ioremap [v; g; p; n] s).
Proof.
  intros W V G P N. unfold kvm_phys_addr_ioremap_spec, p4. rewrite V, G, P, N. apply ends_chk.
  pose proof (pages_of_nonneg n N) as K. apply in_range_iff in G, P.
  pose proof (Z.div_pos g 4096 ltac:(lia) ltac:(lia)). pose proof (Z.div_pos p 4096 ltac:(lia) ltac:(lia)).
  destruct (_ && _) eqn:F; [|exact I]. unfold PFN_LIMIT in F. apply andb_true_iff in F as [F1 F2].
  apply Z.leb_le in F1, F2. apply ends_iterate; [exact K | | exact W]. intros i t I0 T.
  apply (ends_any h (typed None)), map_io_ends; [exact T | exact V | |]; apply in_range_iff; cbn [modulus]; lia.
Qed.

(** * The table of calls *)

(** The operations behind the table, as they are in the interface below. *)
Definition served : tbl hstate :=
  [("timer_set_cntvoff", timer_set_cntvoff); ("clear_vm_stage2_range", clear_stage2_range);
   ("set_boot_info", set_boot_info_spec); ("remap_vm_image", remap_vm_image_spec);
   ("verify_and_load_images", verify_and_load_images_spec);
   ("el2_free_smmu_pgd", el2_free_smmu_pgd_spec get_vm_poweron_spec);
   ("el2_alloc_smmu_pgd", el2_alloc_smmu_pgd_spec alloc_smmu_spec); ("el2_arm_lpae_map", lpae_map);
   ("el2_arm_lpae_iova_to_phys", el2_arm_lpae_iova_to_phys_spec);
   ("el2_arm_lpae_clear", el2_arm_lpae_clear_spec clear_smmu_spec); ("kvm_phys_addr_ioremap", ioremap);
   ("register_kvm", register_kvm_spec); ("register_vcpu", register_vcpu_spec);
   ("save_encrypt_buf", save_encrypt_buf_spec); ("load_decrypt_buf", load_decrypt_buf_spec);
   ("save_encrypted_vcpu", save_encrypted_vcpu_spec); ("load_encrypted_vcpu", load_encrypted_vcpu_spec)].

Lemma served_keeps : keeps served FaultHandler.Interface.L.
Proof. repeat constructor. Qed.
Lemma served_ops f p : Lang.assoc f served = Some p -> ops f = p.
Proof. intros E. unfold ops. now rewrite (keeps_assoc _ _ _ _ served_keeps E). Qed.
Ltac operation := match goal with |- context [ops ?f] => erewrite (served_ops f) by reflexivity end.

Lemma stay_timer vs : only stay (timer_set_cntvoff vs).
Proof. apply only_p1. intros x. apply stay_to. intros s. reflexivity. Qed.
Lemma timer_ends h x s : whole h s -> in_range U64 x = true -> ends h (typed None) (timer_set_cntvoff [x] s).
Proof.
  intros W X. unfold timer_set_cntvoff, p1. rewrite X. split; [reflexivity|].
  apply (whole_handled h s); [exact W | repeat split].
Qed.

Lemma handler_stays h vs : In h calls -> only stay (ops (handler h) vs).
Proof.
  intros J. unfold calls in J. cbn [In] in J.
  repeat (destruct J as [<-|J]; [cbn [handler]; operation|]); [..|destruct J].
  - apply stay_timer.
  - apply stay_stage2_range.
  - apply stay_set_boot.
  - apply stay_remap_image.
  - apply stay_verify.
  - apply stay_free.
  - apply stay_alloc.
  - apply stay_lpae_map.
  - apply stay_iova.
  - apply stay_clear_page.
  - apply stay_ioremap.
  - apply stay_register_kvm.
  - apply stay_register_vcpu.
  - apply stay_save_buf.
  - apply stay_load_buf.
  - apply stay_save_vcpu.
  - apply stay_load_vcpu.
Qed.

(** The answer of a call that has one is a word. *)
Definition answers (h : hypercall) (r : Z) : Prop := has_result h = true -> in_range U64 r = true.
Lemma short_answer h r : typed (Some U32) r -> answers h r.
Proof. cbn. intros R _. apply in_range_iff in R. apply in_range_iff. cbn [modulus] in *. lia. Qed.
Lemma no_answer h r : has_result h = false -> answers h r.
Proof. unfold answers. congruence. Qed.

(** Read: each operation of the table, with any arguments of its C types, from any state that satisfies the joint
    invariant and in which this CPU has no vCPU, runs to its end or to a panic, and keeps the invariant. *)
Theorem handler_ends h vs s : In h calls -> Forall2 (fun t z => in_range t z = true) (parameters h) vs ->
  whole ∅ s ->
  ends ∅ (answers h) (ops (handler h) vs s).
Proof.
  intros J F W. assert (N : forall v i, is_vcpu v i = true -> ctxt_id v i ∉ (∅ : gset Z)).
  { intros v i _. apply not_elem_of_empty. }
  unfold calls in J. cbn [In] in J.
  repeat (destruct J as [<-|J]; [cbn [handler parameters] in F |- *; operation;
    repeat match goal with
    | F : Forall2 _ (_ :: _) _ |- _ => apply Forall2_cons_inv_l in F as (? & ? & ? & F & ->)
    | F : Forall2 _ [] _ |- _ => apply Forall2_nil_inv_l in F as -> end|]); [..|destruct J];
  try (eapply ends_weaken; [intros r _; apply no_answer; reflexivity|]).
  - apply timer_ends; assumption.
  - apply stage2_range_ends; assumption.
  - eapply ends_weaken; [apply short_answer | apply set_boot_ends; assumption].
  - apply remap_image_ends; assumption.
  - apply verify_ends; assumption.
  - apply free_ends; assumption.
  - apply alloc_ends; assumption.
  - apply lpae_map_ends; assumption.
  - eapply ends_weaken; [|apply iova_ends; assumption]. intros r R _. exact R.
  - apply clear_page_ends; assumption.
  - apply ioremap_ends; assumption.
  - eapply ends_weaken; [apply short_answer | apply register_kvm_ends; assumption].
  - apply register_vcpu_ends; auto.
  - apply save_buf_ends; assumption.
  - apply load_buf_ends; assumption.
  - apply save_vcpu_ends; auto.
  - apply load_vcpu_ends; auto.
Qed.

(** * The dispatcher *)

(** The host runs on this CPU: the joint invariant holds, this CPU has the context of no vCPU, and its own context is
    the host's. *)
Definition host_runs (s : hstate) : Prop := whole ∅ s /\ cpu_vmid (st_cpu s) = HOSTVISOR.

(** An operation without a value panics, or the host goes on. *)
Definition goes_on (o : option (res hstate)) : Prop :=
  match o with Some (Ok v t) => v = 0 /\ host_runs t | Some (Halt _) => True | None => False end.

Lemma host_cur s : host_runs s -> exists m, get_ctxt HOSTVISOR (cpu_id (st_cpu s)) s = Some m /\ loaded s m.
Proof.
  intros [W V]. destruct (host_context ∅ s W) as [m M]. destruct (wh_cpu _ _ W) as [E R]. unfold host_ctxt in M.
  destruct (in_range U32 _) eqn:T; [|discriminate]. exists m. unfold loaded, cur_ctxt. rewrite V, T.
  rewrite E in M |- *. auto.
Qed.
Lemma who_host s t : host_runs s -> whole ∅ t -> stay s t ->
  host_runs t /\ cpu_id (st_cpu t) = cpu_id (st_cpu s) /\ cpu_vmid (st_cpu t) = HOSTVISOR.
Proof. intros [_ V] T S. injection S as S1 S2 S3. split; [split; [exact T | congruence] | split; congruence]. Qed.

(** This is the premise of [dispatch_defined]. *)
Theorem host_serves h s : In h calls -> host_runs s -> serves ops h HOSTVISOR (cpu_id (st_cpu s)) s.
Proof.
  intros J H vs F. pose proof (handler_ends h vs s J F (proj1 H)) as E. pose proof (handler_stays h vs J s) as S.
  destruct (ops (handler h) vs s) as [[r t|t]|]; [|exact I | exact E]. destruct E as [R T]. split; [exact R|].
  destruct (who_host s t H T (S _ _ eq_refl)) as (Ht & Id & _). destruct (host_cur t Ht) as (m & M & _).
  rewrite Id in M. now exists m.
Qed.

Lemma runs_put v c m s : host_runs s -> host_runs (put_ctxt v c m s).
Proof. intros [W V]. split; [|exact V]. exact (whole_handled ∅ s _ W (put_handled v c m s)). Qed.
Lemma runs_put_regs m s : host_runs s -> host_runs (put_regs m s).
Proof. intros [W V]. split; [|exact V]. apply (whole_handled ∅ s); [exact W | repeat split]. Qed.

Lemma host_answer s c x : host_runs s -> c = cpu_id (st_cpu s) -> in_range U64 x = true ->
  goes_on (answer HOSTVISOR c x s).
Proof.
  intros H -> X. destruct (host_cur s H) as (m & M & _). unfold answer. rewrite X, M. split; [reflexivity|].
  now apply runs_put.
Qed.

(** A call, by the words of any registers. *)
Lemma call_goes_on phys s : host_runs s -> goes_on (host_call ops HOSTVISOR (cpu_id (st_cpu s)) phys s).
Proof.
  intros H. unfold host_call. destruct (request (words phys) calls) as [h|] eqn:E; [|now apply host_answer].
  pose proof (request_in _ _ _ E) as (J & _ & _). pose proof (passed_typed phys h E) as F.
  pose proof (handler_ends h _ s J F (proj1 H)) as G.
  pose proof (handler_stays h (passed (words phys) h) J s) as S.
  destruct (ops (handler h) _ s) as [[r t|t]|]; cbn [then_]; [|exact I | exact G]. destruct G as [R T].
  destruct (who_host s t H T (S _ _ eq_refl)) as (Ht & Id & _). apply host_answer; [exact Ht | congruence|].
  unfold answers in R. destruct (has_result h); [now apply R | reflexivity].
Qed.

(** Read: while the host runs on this CPU, whatever its saved registers hold, its call is answered, the joint
    invariant holds and the host goes on; or an operation of the table panicked. *)
Theorem dispatch_total s : host_runs s -> exists r, host_hvc_dispatcher_spec ops [] s = Some r /\
  match r with
  | Ok v t => v = 0 /\ host_runs t
  | Halt t => exists h vs, In h calls /\ ops (handler h) vs s = Some (Halt t)
  end.
Proof.
  intros H. destruct (host_cur s H) as (m & M & L). pose proof (proj2 H) as V.
  pose proof (proj1 (wh_cpu _ _ (proj1 H))) as C.
  destruct (dispatch_defined ops s m L) as (r & E & D).
  { intros h J. rewrite V, C. now apply host_serves. }
  exists r. split; [exact E|]. destruct r as [v t|t]; [|exact D]. split; [exact D|].
  pose proof (call_goes_on m s H) as G.
  assert (X : goes_on (host_hvc_dispatcher_spec ops [] s)).
  { destruct L as [L1 L2]. unfold cur_ctxt in L2. unfold host_hvc_dispatcher_spec, p0, with_cur. cbv zeta.
    rewrite L1, L2, V, C. change (goes_on (chk None (host_call ops HOSTVISOR (cpu_id (st_cpu s)) m s))).
    destruct (host_call ops _ _ m s) as [[z t'|t']|]; cbn in G |- *; auto. destruct G as [-> G]. now split. }
  rewrite E in X. exact (proj2 X).
Qed.

(** * The handlers of the host *)

Lemma goes_on_chk o : goes_on o -> goes_on (chk None o).
Proof. destruct o as [[v t|t]|]; cbn; auto. intros [-> H]. now split. Qed.
Lemma goes_on_then o k : goes_on o -> (forall v s, host_runs s -> goes_on (k v s)) -> goes_on (then_ o k).
Proof. destruct o as [[v t|t]|]; cbn; auto. intros [_ H] K. auto. Qed.
Lemma host_resumes s : host_runs s -> goes_on (resume s).
Proof.
  intros H. destruct (host_cur s H) as (m & _ & _ & M). unfold resume. rewrite M. split; [reflexivity|].
  now apply runs_put_regs.
Qed.

(** Read: the host makes a call by its registers, whatever they hold. *)
Theorem hvc_goes_on s : host_runs s -> goes_on (host_hvc_handler_spec ops [] s).
Proof.
  intros H. destruct (host_cur s H) as (m & M & L1 & L2). unfold cur_ctxt in L2.
  unfold host_hvc_handler_spec, p0, with_cur. cbv zeta. rewrite L1, L2. apply goes_on_chk.
  rewrite (proj2 H), (proj1 (wh_cpu _ _ (proj1 H))). apply goes_on_then; [|intros _; exact host_resumes].
  exact (call_goes_on (phys_regs s) _ (runs_put HOSTVISOR _ (entered (phys_regs s) m) s H)).
Qed.

(** ** Faults *)

Lemma stay_host_put rd x : only stay (host_put rd x).
Proof.
  intros s v t. unfold host_put. destruct (rd =? 31); [intros [= _ <-]; reflexivity|].
  destruct (host_ctxt s); [|discriminate]. intros E. injection E as _ <-. reflexivity.
Qed.
Lemma host_mmio_stays vs : only stay (handle_host_mmio_spec vs).
Proof.
  intros s v t. unfold handle_host_mmio_spec. intros X. apply p3_inv in X as (a & ix & hsr & -> & _ & _ & _ & X).
  apply chk_void in X as [X _]. destruct (dabt_valid hsr); [|discriminate].
  destruct (host_access hsr (fault_ipa a s) ix s) as [[w u|u]|] eqn:Y; try discriminate.
  assert (B : stay u t).
  { unfold skip_instr, set_control, p0 in X. apply chk_void in X as [X _]. injection X as _ <-. reflexivity. }
  refine (stay_trans _ u _ _ B). unfold host_access in Y. destruct (dabt_store hsr =? 0).
  - unfold handle_smmu_read_spec in Y. apply p3_inv in Y as (h' & a' & l' & _ & _ & _ & _ & Y).
    apply chk_void in Y as [Y _].
    destruct (access_ok _ _); [|discriminate]. unfold __handle_smmu_read_spec in Y.
    apply p3_inv in Y as (h2 & a2 & l2 & _ & _ & _ & _ & Y). apply chk_void in Y as [Y _].
    refine (stay_trans _ (device_taken s) _ _ _); [reflexivity|].
    destruct (l2 =? 8); [|destruct (l2 =? 4); [|discriminate]]; exact (stay_host_put _ _ _ _ _ Y).
  - unfold handle_smmu_write_spec in Y. apply p4_inv in Y as (h' & a' & l' & i' & _ & _ & _ & _ & _ & Y).
    apply chk_void in Y as [Y _]. destruct (host_ctxt s); [|discriminate].
    destruct (c_held (st_smmu s)); [|discriminate].
    destruct (i' <? 2); [|discriminate]. destruct (owner_known _ _ _); [|discriminate].
    destruct (store_policy _ _ _ _ _); [|discriminate]. unfold device_store in Y.
    destruct (l' =? 8); [|destruct (l' =? 4); [|discriminate]]; injection Y as _ <-; reflexivity.
Qed.
Lemma stay_emulate vs : only stay (emulate_mmio_spec vs).
Proof.
  apply only_p2. intros a hsr s v t. destruct (smmus_ok _); [|discriminate]. destruct (negb _); [|discriminate].
  cbv zeta. destruct (_ =? INVALID); [apply stay_owners|].
  destruct (handle_host_mmio_spec _ _) as [[w u|u]|] eqn:X; try discriminate. intros E.
  apply (stay_trans _ u); [|exact (stay_owners _ _ u v t E)]. exact (host_mmio_stays _ _ _ _ X).
Qed.
Lemma stay_host_page vs : only stay (map_page_host_spec vs).
Proof. apply stage2_stay. exact (only_map_page_host stage2 stage2_refl stage2_trans stage2_s2 map_stage2 vs). Qed.

Lemma hpfar_range x : in_range U64 (hpfar_page x) = true.
Proof.
  unfold hpfar_page. rewrite Z.shiftl_mul_pow2 by lia. change (2 ^ 8) with 256.
  pose proof (land_range x 1099511627760 40). apply in_range_iff. cbn [modulus]. lia.
Qed.

Lemma fault_goes_on s : host_runs s -> goes_on (host_fault [] s).
Proof.
  intros H. unfold host_fault, handle_host_stage2_fault_spec, p0. apply goes_on_chk. cbv zeta.
  set (a := hpfar_page _). set (hsr := trunc U32 _).
  assert (A : in_range U64 a = true) by apply hpfar_range.
  pose proof (emulate_ends ∅ a hsr s (proj1 H) A (trunc_in_range U32 _)) as E.
  pose proof (stay_emulate [a; hsr] s) as S.
  destruct (emulate_mmio_spec [a; hsr] s) as [[found t|t]|]; cbn [and_then]; [|exact I | exact E].
  destruct (who_host s t H (proj2 E) (S _ _ eq_refl)) as (Ht & _ & _).
  destruct (found =? INVALID); [|split; [reflexivity | exact Ht]].
  pose proof (host_page_ends ∅ a t (proj1 Ht) A) as P. pose proof (stay_host_page [a] t) as S'.
  unfold map_page_host_spec, p1 in P, S' |- *. rewrite A in P, S' |- *. unfold chk in P, S' |- *.
  destruct (with_frame _ _ _) as [[z u|u]|]; cbn in P |- *; auto.
  destruct (Z.eqb_spec z 0) as [->|]; [|exact P]. split; [reflexivity|].
  exact (proj1 (who_host t u Ht (proj2 P) (S' _ _ eq_refl))).
Qed.

(** Read: a fault of the host ends in a panic, or the host goes on. *)
Theorem npt_goes_on s : host_runs s -> goes_on (host_npt_handler_spec host_fault [] s).
Proof.
  intros H. destruct (host_cur s H) as (m & _ & _ & M). unfold host_npt_handler_spec, host_npt_handler_raw_spec, p0.
  rewrite M. apply goes_on_chk, goes_on_then; [|intros _; exact host_resumes].
  apply fault_goes_on. exact (runs_put _ _ _ s H).
Qed.
