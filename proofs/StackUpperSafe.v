(* SPDX-License-Identifier: Apache-2.0 *)
(** Every operation of layers 17 to 26, with any arguments of its C types, runs to its end or to a panic and keeps
    the joint invariant; so does every sequence of them ([upper_safe]).  The invariant holds at the start of the
    machine ([init_whole]).  Rests on [StackUpper]. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import VcTac PrimInv Calls.
From SeKVM.machine Require Import CellInv StateTac BottomPagesTac BottomVmTac.
From SeKVM.layers.NPTOps Require Import Safe.
From SeKVM.layers.MmioSPTOps Require Import Safe.
From SeKVM.layers.MemManager Require Import Interface Safe.
From SeKVM.layers.MemoryOps Require Import Spec Ranges Total.
From SeKVM.layers.VMPower Require Import VmFacts.
From SeKVM.layers.BootCore Require Import Spec Safe.
From SeKVM.layers.BootAux Require Import Spec Total.
From SeKVM.layers.BootOps Require Import Spec LifeOk.
From SeKVM.layers.BootOps Require Safe.
From SeKVM.layers.MmioOps Require Import Spec Safe Interface.
From SeKVM Require Import StackFramesSafe StackUpper.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Notation any := (fun _ : Z => True).

(** * Parts *)

Lemma guest_vm v : is_guest v = true -> 0 <= v < 17.
Proof. unfold is_guest. intros G. boolprop. lia. Qed.
Lemma guest_u32 v : is_guest v = true -> in_range U32 v = true.
Proof. unfold is_guest. intros G. boolprop. apply in_range_iff. cbn [modulus]. lia. Qed.

Lemma ends_typed h (Q : Z -> Prop) rt o : ends h Q o -> (forall v, Q v -> typed rt v) -> ends h Q (chk rt o).
Proof.
  destruct o as [[v s|s]|]; cbn; auto. intros [A B] T. specialize (T v A). destruct rt as [t|]; cbn in T.
  - rewrite T. now split.
  - subst v. now split.
Qed.
Lemma ends_any h (Q : Z -> Prop) o : ends h Q o -> ends h any o.
Proof. apply ends_weaken. auto. Qed.

(** ** Contexts *)

Lemma vcpu_id v i : is_vcpu v i = true -> in_range U32 i = true ->
  0 <= ctxt_id v i < 136 /\ is_guest v = true /\ 0 <= i < 8.
Proof.
  unfold is_vcpu, MAX_VCPU, ctxt_id. intros G R. apply andb_true_iff in G as [G I0]. pose proof (guest_vm v G).
  apply in_range_iff in R. boolprop. unfold is_guest in G. boolprop. repeat split; try lia. unfold is_guest.
  bool_goal.
Qed.

Lemma pulled_ok h v i s : whole h s -> 0 <= ctxt_id v i < 136 -> ctxt_id v i ∉ h ->
  exists t, pulled v i s = Some t /\ whole ({[ctxt_id v i]} ∪ h) t.
Proof.
  intros W R N. destruct (wh_ctxts _ _ W _ R) as (x & E & H). rewrite bool_decide_eq_false_2 in H by exact N.
  unfold pulled. rewrite E, H. cbn [negb]. eexists. split; [reflexivity|].
  apply (whole_ctxt h); [exact W | |set_solver].
  symmetry. apply bool_decide_eq_true. set_solver.
Qed.
Lemma pushed_ok h v i s : whole h s -> 0 <= ctxt_id v i < 136 -> ctxt_id v i ∈ h ->
  exists t, pushed v i s = Some t /\ whole (h ∖ {[ctxt_id v i]}) t.
Proof.
  intros W R N. destruct (wh_ctxts _ _ W _ R) as (x & E & H). rewrite bool_decide_eq_true_2 in H by exact N.
  unfold pushed. rewrite E, H. eexists. split; [reflexivity|]. apply (whole_ctxt h); [exact W | |set_solver].
  symmetry. apply bool_decide_eq_false. set_solver.
Qed.
Lemma renewed_ok h v i s : whole h s -> 0 <= ctxt_id v i < 136 -> ctxt_id v i ∉ h ->
  exists t, renewed v i s = Some t /\ whole h t.
Proof.
  intros W R N. destruct (wh_ctxts _ _ W _ R) as (x & E & H). rewrite bool_decide_eq_false_2 in H by exact N.
  unfold renewed. rewrite E, H. cbn [negb]. eexists. split; [reflexivity|].
  apply (whole_ctxt h); [exact W | |reflexivity].
  symmetry. now apply bool_decide_eq_false.
Qed.

Lemma ends_encrypt h rs v i s : whole h s -> in_range U32 v = true -> in_range U32 i = true -> 0 <= i < 8 ->
  0 <= ctxt_id v i < 136 -> ctxt_id v i ∈ h -> ends h (typed None) (encrypt_regs rs [v; i] s).
Proof.
  intros W V I0 I1 R N. destruct (wh_ctxts _ _ W _ R) as (x & E & H). rewrite bool_decide_eq_true_2 in H by exact N.
  unfold encrypt_regs, p2. rewrite V, I0. unfold below, MAX_VCPU.
  rewrite (proj2 (Z.leb_le 0 i)), (proj2 (Z.ltb_lt i 8)) by lia. cbn [andb]. rewrite E, H. split; [reflexivity|].
  apply (whole_same h s); [exact W | repeat split | reflexivity | reflexivity | reflexivity].
Qed.
Lemma ends_decrypt h rs v i s : whole h s -> in_range U32 v = true -> in_range U32 i = true -> 0 <= i < 8 ->
  0 <= ctxt_id v i < 136 -> ctxt_id v i ∈ h -> ends h (typed None) (decrypt_regs rs [v; i] s).
Proof.
  intros W V I0 I1 R N. destruct (wh_ctxts _ _ W _ R) as (x & E & H). pose proof H as H'.
  rewrite bool_decide_eq_true_2 in H by exact N.
  unfold decrypt_regs, p2. rewrite V, I0. unfold below, MAX_VCPU.
  rewrite (proj2 (Z.leb_le 0 i)), (proj2 (Z.ltb_lt i 8)) by lia. cbn [andb]. rewrite E, H. split; [reflexivity|].
  set (y := set_val _ x). apply (whole_same h (set_ctxts (<[ctxt_id v i := y]> (st_ctxts s)) s));
    [|repeat split | reflexivity | reflexivity | reflexivity].
  apply (whole_ctxt h); [exact W | exact H' | reflexivity].
Qed.

(** ** Inputs and memory *)

#[local] Transparent inputs hash_words.
Lemma input_word n src ins : in_range U64 (hd 0 (inputs n src ins)) = true.
Proof. apply in_range_iff. unfold inputs. destruct n; cbn [seq map hd]; [cbn; lia | apply wrap_range]. Qed.

Lemma ends_kvm h v s : whole h s -> in_range U32 v = true -> ends h (typed (Some U64)) (get_shared_kvm [v] s).
Proof.
  intros W V. unfold get_shared_kvm, p1. rewrite V. apply ends_chk. split; [apply input_word|].
  apply (whole_same h s); [exact W | repeat split | reflexivity | reflexivity | reflexivity].
Qed.
Lemma ends_vcpu h v i s : whole h s -> in_range U32 v = true -> in_range U32 i = true ->
  ends h (typed (Some U64)) (get_shared_vcpu [v; i] s).
Proof.
  intros W V I0. unfold get_shared_vcpu, p2. rewrite V, I0. apply ends_chk. split; [apply input_word|].
  apply (whole_same h s); [exact W | repeat split | reflexivity | reflexivity | reflexivity].
Qed.
Lemma ends_digest h v s : whole h s -> in_range U32 v = true -> ends h (typed (Some U64)) (get_image_digest [v] s).
Proof.
  intros W V. unfold get_image_digest, p1. rewrite V. apply ends_chk. split; [apply input_word|].
  apply (whole_same h s); [exact W | repeat split | reflexivity | reflexivity | reflexivity].
Qed.
Lemma ends_hash h pfn k s : whole h s -> in_range U64 pfn = true -> in_range U64 k = true ->
  ends h (typed (Some U64)) (hash_page [pfn; k] s).
Proof.
  intros W P K. unfold hash_page, p2. rewrite P, K. apply ends_chk. split; [now apply hash_words_range|].
  apply (whole_same h s); [exact W | repeat split | reflexivity | reflexivity | reflexivity].
Qed.
Lemma ends_seal h v a b s : whole h s -> in_range U32 v = true -> in_range U64 a = true -> in_range U64 b = true ->
  ends h (typed None) (encrypt_mem_buf [v; a; b] s).
Proof.
  intros W V A B. unfold encrypt_mem_buf, p3. rewrite V, A, B. apply ends_chk. split; [reflexivity|].
  apply (whole_same h s); [exact W | repeat split | reflexivity | reflexivity | reflexivity].
Qed.
Lemma ends_open h v a s : whole h s -> in_range U32 v = true -> in_range U64 a = true ->
  ends h (typed None) (decrypt_mem_buf [v; a] s).
Proof.
  intros W V A. unfold decrypt_mem_buf, p2. rewrite V, A. apply ends_chk. split; [reflexivity|].
  apply (whole_same h s); [exact W | repeat split | reflexivity | reflexivity | reflexivity].
Qed.

(** * VMPower and BootCore *)

Lemma poweron_ends h v s : whole h s -> in_range U32 v = true ->
  ends h (typed (Some U32)) (get_vm_poweron_spec [v] s).
Proof.
  intros W V. unfold get_vm_poweron_spec, p1. rewrite V. apply ends_chk. destruct (is_guest v) eqn:G.
  - apply (ends_vm h); [exact W | now apply guest_vm|]. intros c C _. apply ends_publish_vm; [exact W | exact C|].
    now destruct (is_off _).
  - now split.
Qed.
Lemma poweroff_ends h v s : whole h s -> in_range U32 v = true -> ends h (typed None) (set_vm_poweroff_spec [v] s).
Proof.
  intros W V. unfold set_vm_poweroff_spec, p1. rewrite V. apply ends_chk. destruct (is_guest v) eqn:G; [|exact I].
  apply (ends_vm h); [exact W | now apply guest_vm|]. intros c C OK. destruct (power_off _) as [x|] eqn:X; [|exact I].
  apply ends_changed_vm; [exact W | exact C | exact (proj1 (power_off_le _ _ X OK)) | reflexivity].
Qed.

Lemma vmid_ends h s : whole h s -> ends h (fun v => is_guest v = true) (gen_vmid_spec [] s).
Proof.
  intros W. pose proof (acquire_ok _ _ (wh_core _ _ W : cell_ok core_ok _)) as A.
  unfold gen_vmid_spec, p0, with_core. rewrite (wh_core_free _ _ W), (core_ok_typed _ (proj1 A)). cbn [negb].
  apply ends_typed; [|exact guest_u32]. destruct (fresh_vmid _) as [[v x]|] eqn:E; [|exact I].
  destruct (fresh_vmid_ok _ _ _ E (proj1 A)) as (G & _ & OK & _). split; [exact G|].
  apply whole_core; [exact W | now apply release_ok, set_val_ok | reflexivity].
Qed.

Definition is_range (n p : Z) : Prop :=
  p = 0 \/ 1 <= n /\ REMAP_START <= p /\ p mod 4096 = 0 /\ p + 4096 * n <= REMAP_END.
Lemma remap_ends h n s : whole h s -> in_range U64 n = true -> ends h (is_range n) (alloc_remap_addr_spec [n] s).
Proof.
  intros W N. pose proof (acquire_ok _ _ (wh_core _ _ W : cell_ok core_ok _)) as A.
  unfold alloc_remap_addr_spec, p1, with_core. rewrite N, (wh_core_free _ _ W), (core_ok_typed _ (proj1 A)).
  cbn [negb].
  apply ends_typed.
  - destruct (fresh_range n _) as [[p x]|] eqn:E.
    + destruct (fresh_range_ok _ _ _ _ E (proj1 A)) as (B1 & B2 & B3 & B4 & _ & _ & OK & _).
      split; [right; repeat split; auto; lia|].
      apply whole_core; [exact W | now apply release_ok, set_val_ok | reflexivity].
    + split; [now left|]. apply whole_core; [exact W | now apply release_ok | reflexivity].
  - unfold is_range, REMAP_END, REMAP_START. intros p P. apply in_range_iff. cbn [modulus]. lia.
Qed.

(** * BootOps: life *)

Lemma pages_le n : 0 < n -> n <= 4096 * Vm.pages n /\ 0 <= Vm.pages n.
Proof.
  intros P. unfold Vm.pages. pose proof (Z.div_mod (n + 4095) 4096 ltac:(lia)).
  pose proof (Z.mod_pos_bound (n + 4095) 4096 ltac:(lia)). lia.
Qed.

Lemma images x i : vm_ok x = true -> 0 <= i < load_next x -> 0 <= img_addr x i /\ img_addr x i mod 4096 = 0 /\
  0 < img_size x i /\ img_addr x i + 4096 * img_pages x i <= 281474976710656 /\ 33554432 <= img_remap x i /\
  img_remap x i mod 4096 = 0 /\ img_remap x i + 4096 * img_pages x i <= 67108864 /\
  0 <= img_mapped x i <= img_pages x i /\ img_size x i <= 4096 * img_pages x i /\ 0 <= img_pages x i.
Proof.
  intros OK R. apply vm_ok_iff in OK as (_ & _ & _ & _ & _ & A & _). specialize (A i R).
  unfold image_ok, REMAP_START, REMAP_END in A. boolprop.
  pose proof (pages_le (img_size x i)). unfold img_pages in *.
  repeat split; try assumption; lia.
Qed.

Lemma find_range x a is : vm_ok x = true -> Forall (fun i => 0 <= i < load_next x) is ->
  forall found, in_range U64 found = true -> in_range U64 (find_image x a is found) = true.
Proof.
  intros OK. induction 1 as [|i is R _ IH]; intros found F; cbn [find_image]; [exact F|]. apply IH.
  destruct (holds x a i) eqn:H; [|exact F]. unfold holds in H. boolprop. pose proof (images x i OK R).
  apply in_range_iff. cbn [modulus]. lia.
Qed.

Lemma search_ends h v a s : whole h s -> in_range U32 v = true -> in_range U64 a = true ->
  ends h (typed (Some U64)) (search_load_info_spec [v; a] s).
Proof.
  intros W V A. unfold search_load_info_spec, p2. rewrite V, A. apply ends_chk.
  destruct (is_guest v) eqn:G; [|now split].
  apply (ends_vm h); [exact W | now apply guest_vm|]. intros c C OK. apply ends_publish_vm; [exact W | exact C|].
  apply find_range; [exact OK | | reflexivity]. apply List.Forall_forall. intros j J.
  apply elem_of_list_In, elem_of_seqZ in J. lia.
Qed.

(** The contexts that this CPU has after it started a vCPU. *)
Definition with_vcpu (v i : Z) (h : gset Z) : gset Z := if is_vcpu v i then {[ctxt_id v i]} ∪ h else h.
Definition without_vcpu (v i : Z) (h : gset Z) : gset Z := if is_vcpu v i then h ∖ {[ctxt_id v i]} else h.

Lemma active_ends h v i s : whole h s -> in_range U32 v = true -> in_range U32 i = true ->
  (is_vcpu v i = true -> ctxt_id v i ∉ h) -> ends (with_vcpu v i h) (typed None) (set_vcpu_active_spec [v; i] s).
Proof.
  intros W V I0 N. unfold set_vcpu_active_spec, p2, with_vcpu. rewrite V, I0. apply ends_chk.
  destruct (is_vcpu v i) eqn:G; [|exact I]. destruct (vcpu_id v i G I0) as (R & Gv & _).
  apply (ends_vm h); [exact W | now apply guest_vm|]. intros c C OK.
  destruct (activate i _) as [x|] eqn:X; [|exact I].
  destruct (pulled_ok h v i s W R (N eq_refl)) as (t & -> & T).
  apply ends_changed_vm; [exact T | exact C | exact (proj1 (activate_ok _ _ _ X OK)) | reflexivity].
Qed.
Lemma inactive_ends h v i s : whole h s -> in_range U32 v = true -> in_range U32 i = true ->
  (is_vcpu v i = true -> ctxt_id v i ∈ h) -> ends (without_vcpu v i h) (typed None) (set_vcpu_inactive_spec [v; i] s).
Proof.
  intros W V I0 N. unfold set_vcpu_inactive_spec, p2, without_vcpu. rewrite V, I0. apply ends_chk.
  destruct (is_vcpu v i) eqn:G; [|exact I]. destruct (vcpu_id v i G I0) as (R & Gv & _).
  apply (ends_vm h); [exact W | now apply guest_vm|]. intros c C OK.
  destruct (deactivate i _) as [x|] eqn:X; [|exact I].
  destruct (pushed_ok h v i s W R (N eq_refl)) as (t & -> & T).
  apply ends_changed_vm; [exact T | exact C | exact (proj1 (deactivate_ok _ _ _ X OK)) | reflexivity].
Qed.
Lemma register_vcpu_ends h v i s : whole h s -> in_range U32 v = true -> in_range U32 i = true ->
  (is_vcpu v i = true -> ctxt_id v i ∉ h) -> ends h (typed None) (register_vcpu_spec [v; i] s).
Proof.
  intros W V I0 N. unfold register_vcpu_spec, p2. rewrite V, I0. apply ends_chk.
  destruct (is_vcpu v i) eqn:G; [|exact I]. destruct (vcpu_id v i G I0) as (R & Gv & _).
  apply (ends_vm h); [exact W | now apply guest_vm|]. intros c C OK.
  apply (ends_inside v c h h (typed (Some U64))); [now apply ends_vcpu|]. intros p t P T.
  destruct (new_vcpu i p _) as [x|] eqn:X; [|exact I]. destruct (renewed_ok h v i t T R (N eq_refl)) as (u & -> & Y).
  apply ends_changed_vm; [exact Y | exact C | exact (proj1 (new_vcpu_ok _ _ _ _ X OK)) | reflexivity].
Qed.
Lemma register_kvm_ends h s : whole h s -> ends h (typed (Some U32)) (register_kvm_spec [] s).
Proof.
  intros W. unfold register_kvm_spec, p0. apply ends_chk.
  apply (ends_then h h (fun v => is_guest v = true)); [now apply vmid_ends|]. intros v t G T.
  apply (ends_vm h); [exact T | now apply guest_vm|]. intros c C OK.
  apply (ends_inside v c h h (typed (Some U64))); [apply ends_kvm; [exact T | now apply guest_u32]|]. intros p u P U.
  destruct (register p _) as [x|] eqn:X; [|exact I].
  apply ends_changed_vm; [exact U | exact C | exact (proj1 (register_ok _ _ _ X P OK)) | now apply guest_u32].
Qed.

(** * BootOps: images *)

Lemma set_boot_ends h v a size s : whole h s -> in_range U32 v = true -> in_range U64 a = true ->
  in_range U64 size = true ->
  ends h (typed (Some U32)) (set_boot_info_spec [v; a; size] s).
Proof.
  intros W V A Z0. unfold set_boot_info_spec, p3. rewrite V, A, Z0. apply ends_chk. apply in_range_iff in A, Z0.
  cbn [modulus] in A, Z0. destruct (is_guest v) eqn:G; [|exact I].
  apply (ends_vm h); [exact W | now apply guest_vm|]. intros c C OK.
  destruct (vm_state (c_val c) =? READY) eqn:R; [|exact I]. apply Z.eqb_eq in R.
  destruct (Life.fits a (Vm.pages size) (c_val c)) eqn:Ft; [|now apply ends_publish_vm].
  assert (P0 : 0 <= Vm.pages size < 18446744073709551616).
  { unfold Vm.pages. pose proof (Z.div_mod (size + 4095) 4096 ltac:(lia)).
    pose proof (Z.mod_pos_bound (size + 4095) 4096 ltac:(lia)). lia. }
  apply (ends_inside v c h h (is_range (Vm.pages size))); [apply remap_ends; [exact W | now apply in_range_iff]|].
  intros p t P T. destruct (Z.eqb_spec p 0) as [->|Np]; [now apply ends_publish_vm|].
  destruct P as [P|(P1 & P2 & P3 & P4)]; [contradiction|].
  apply (ends_inside v c h h (typed (Some U64))); [now apply ends_digest|]. intros d u D U.
  assert (S0 : 0 < size).
  { destruct (Z.eq_dec size 0) as [->|]; [change (Vm.pages 0) with 0 in P1; lia | lia]. }
  destruct (add_image_ok a size p d (c_val c) R Ft (proj1 A) S0 P2 P3 P4 D OK) as [O _].
  apply ends_changed_vm; [exact U | exact C | exact O|]. apply vm_ok_iff in OK as (_ & _ & _ & L & _).
  apply in_range_iff. cbn [modulus]. lia.
Qed.

Lemma map_ends h vm a lvl e s : whole h s -> in_range U32 vm = true -> in_range U64 a = true ->
  in_range U32 lvl = true ->
  in_range U64 e = true -> ends h any (map_s2pt_spec [vm; a; lvl; e] s).
Proof.
  intros W V A L E. apply (ends_table h any (map_s2pt_spec _) s W (map_stage2 _)); [|auto].
  exact (map_work s vm a lvl e (wh_frames _ _ W) V A L E).
Qed.

Lemma remap_image_ends h v pfn i s : whole h s -> in_range U32 v = true -> in_range U64 pfn = true ->
  in_range U32 i = true -> ends h (typed None) (remap_vm_image_spec [v; pfn; i] s).
Proof.
  intros W V P I0. unfold remap_vm_image_spec, p3. rewrite V, P, I0. apply ends_chk. apply in_range_iff in P, I0.
  cbn [modulus] in P, I0. destruct (is_guest v && (pfn <? PFN_LIMIT)) eqn:G; [|exact I].
  apply andb_true_iff in G as [G Pl]. apply Z.ltb_lt in Pl. unfold PFN_LIMIT in Pl.
  apply (ends_vm h); [exact W | now apply guest_vm|]. intros c C OK.
  destruct (vm_state (c_val c) =? READY) eqn:R; [|exact I]. apply Z.eqb_eq in R.
  destruct (next_slot i (c_val c)) as [a|] eqn:X; [|now apply ends_publish_vm].
  assert (B : in_range U64 a = true).
  { unfold next_slot in X. destruct (_ && _) eqn:E; [|discriminate]. injection X as <-. boolprop.
    pose proof (images (c_val c) i OK ltac:(lia)). apply in_range_iff. cbn [modulus]. lia. }
  apply (ends_inside v c h h any).
  - apply map_ends; [exact W | reflexivity | exact B | reflexivity|]. apply lor_u64; [lia | unfold PAGE_HYP; lia].
  - intros _ t _ T. destruct (add_page_ok _ _ _ X ltac:(lia) R OK) as [O _].
    now apply ends_changed_vm.
Qed.

Lemma hash_vm_page_ends h v g k s : whole h s -> in_range U32 v = true -> in_range U64 (g * 4096) = true ->
  in_range U64 k = true -> ends h (typed (Some U64)) (hash_vm_page v g k s).
Proof.
  intros W V G K. unfold hash_vm_page. apply (ends_then h h (typed (Some U64))); [now apply ends_walk|].
  intros e t _ T.
  apply (ends_frame h); [exact T|]. intros c C _. destruct (is_page_of v g _); [|exact I].
  apply (ends_after c h h (typed (Some U64))).
  - apply ends_hash; [exact T | | exact K]. pose proof (frame_of_range e). apply in_range_iff. cbn [modulus]. lia.
  - intros k' u K' U. split; [exact K'|]. apply whole_s2; [exact U | now apply release_ok | reflexivity].
Qed.

Lemma hash_vm_pages_ends h v n : forall g k s, whole h s -> in_range U32 v = true -> 0 <= g ->
  g + Z.of_nat n <= 68719476736 -> in_range U64 k = true -> ends h (typed (Some U64)) (hash_vm_pages v n g k s).
Proof.
  induction n as [|n IH]; intros g k s W V G B K; cbn [hash_vm_pages]; [now split|].
  apply (ends_then h h (typed (Some U64))).
  - apply hash_vm_page_ends; [exact W | exact V | apply in_range_iff; cbn [modulus]; lia | exact K].
  - intros k' t K' T. apply IH; [exact T | exact V | lia | lia | exact K'].
Qed.

Lemma load_stage2 vs : only stage2 (unmap_and_load_vm_image_spec vs).
Proof.
  apply only_load; [exact stage2_refl | exact stage2_trans | exact stage2_s2 | exact walk_stage2 | exact map_stage2 |
    exact clear_stage2].
Qed.

Lemma load_image_ends h v x i s : whole h s -> in_range U32 v = true -> vm_ok x = true -> 0 <= i < load_next x ->
  ends h any (load_image v x i s).
Proof.
  intros W V OK R. unfold load_image. destruct (complete x i); [|exact I].
  pose proof (images x i OK R) as (A1 & A2 & A3 & A4 & A5 & A6 & A7 & A8 & A9 & A10).
  apply (ends_then h h any).
  - apply (ends_ready h any (unmap_and_load_vm_image_spec _) s W (load_stage2 _)); [|auto].
    apply BootAux_defined; [exact no_npt_empty | now apply (whole_ready h) | exact V | | |];
      apply in_range_iff; cbn [modulus]; lia.
  - intros _ t _ T. apply (ends_then h h (typed (Some U64))).
    + apply hash_vm_pages_ends; [exact T | exact V | | | reflexivity].
      * apply Z.div_pos; lia.
      * rewrite Z2Nat.id by lia. pose proof (Z.div_mod (img_addr x i) 4096 ltac:(lia)). lia.
    + intros k u _ U. destruct (k =? _); [now split | exact I].
Qed.

Lemma verify_ends h v s : whole h s -> in_range U32 v = true ->
  ends h (typed None) (verify_and_load_images_spec [v] s).
Proof.
  intros W V. unfold verify_and_load_images_spec, p1. rewrite V. apply ends_chk.
  destruct (is_guest v) eqn:G; [|exact I].
  apply (ends_vm h); [exact W | now apply guest_vm|]. intros c C OK.
  destruct (vm_state (c_val c) =? READY) eqn:R; [|exact I]. apply Z.eqb_eq in R.
  pose proof OK as OK'. apply vm_ok_iff in OK' as (_ & _ & _ & L & _).
  assert (E : ends h (typed None) (iterate (load_image v (c_val c)) (load_next (c_val c)) s)).
  { apply ends_iterate; [lia | | exact W]. intros i t Ri T. now apply load_image_ends. }
  destruct (iterate (load_image v (c_val c)) (load_next (c_val c)) s) as [[w t|t]|] eqn:X; [|exact I | exact E].
  cbn [inside]. destruct E as [_ T]. destruct (verified_ok (c_val c) R) as [O _]; [|exact OK|].
  - intros j Rj. unfold iterate in X. refine (BootOps.Safe.images_complete _ _ _ _ _ _ _ _ X j _); lia.
  - now apply ends_changed_vm.
Qed.

(** * BootOps: devices *)

Lemma configuring_ends h v f s : whole h s -> 0 <= v < 17 -> ends h any (f s) ->
  ends h (typed None) (configuring v f s).
Proof.
  intros W V F. apply (ends_vm h); [exact W | exact V|]. intros c C OK. destruct (may_configure _ _); [|exact I].
  apply (ends_inside v c h h any); [exact F|]. intros _ t _ T. now apply ends_publish_vm.
Qed.

Lemma no_spt_empty : lock_spt ∉ (∅ : gset Z).
Proof. apply not_elem_of_empty. Qed.

Lemma init_ends h cb ix s : whole h s -> in_range U32 cb = true -> in_range U32 ix = true ->
  ends h any (init_spt_spec [cb; ix] s).
Proof.
  intros W B I0. apply (ends_spt h any (init_spt_spec _) s W (init_spt_aside _)); [|auto].
  exact (init_spt_safe ∅ s cb ix (proj1 (proj2 (wh_frames _ _ W))) no_spt_empty B I0).
Qed.

Lemma assign_smmu_aside vs : only aside (assign_pfn_to_smmu_spec vs).
Proof.
  apply weaker, only_assign_smmu; [exact stage2_refl | exact stage2_trans | exact stage2_s2 | exact clear_stage2].
Qed.
Lemma map_io_aside vs : only aside (map_vm_io_spec vs).
Proof. apply weaker, only_map_io; [exact stage2_refl | exact stage2_trans | exact stage2_s2 | exact map_stage2]. Qed.

Lemma alloc_smmu_ends h v b i s : whole h s -> in_range U32 v = true -> in_range U32 b = true ->
  in_range U32 i = true ->
  ends h (typed None) (alloc_smmu_spec [v; b; i] s).
Proof.
  intros W V B I0. unfold alloc_smmu_spec, p3. rewrite V, B, I0. apply ends_chk.
  destruct (_ && _) eqn:G; [|exact I].
  apply (configuring_ends h v (init_spt_spec [b; i])); [exact W | | now apply init_ends].
  apply in_range_iff in V. unfold COREVISOR in G. boolprop. lia.
Qed.
Lemma assign_smmu_ends h v pfn g s : whole h s -> in_range U32 v = true -> in_range U64 pfn = true ->
  in_range U64 g = true -> ends h (typed None) (assign_smmu_spec [v; pfn; g] s).
Proof.
  intros W V P G0. unfold assign_smmu_spec, p3. rewrite V, P, G0. apply ends_chk.
  destruct (v <? COREVISOR) eqn:G; [|exact I]. destruct (v =? HOSTVISOR); [now split|].
  apply (configuring_ends h v (assign_pfn_to_smmu_spec [v; g; pfn])); [exact W | |].
  - apply in_range_iff in V. unfold COREVISOR in G. boolprop. lia.
  - refine (ends_frame_call h "assign_pfn_to_smmu" [v; g; pfn] s _ (assign_smmu_aside _) W). now constructor.
Qed.
Lemma map_smmu_ends h v b i a e s : whole h s -> in_range U32 v = true -> in_range U32 b = true ->
  in_range U32 i = true ->
  in_range U64 a = true -> in_range U64 e = true -> ends h (typed None) (map_smmu_spec [v; b; i; a; e] s).
Proof.
  intros W V B I0 A E. unfold map_smmu_spec. rewrite V, B, I0, A, E. destruct (_ && _) eqn:G; [|exact I].
  apply (configuring_ends h v (update_smmu_page_spec map_spt_spec [v; b; i; a; e])); [exact W | |].
  - apply in_range_iff in V. unfold COREVISOR in G. boolprop. lia.
  - refine (ends_frame_call h "update_smmu_page" [v; b; i; a; e] s _ (update_aside _) W). now constructor.
Qed.
Lemma clear_smmu_ends h v b i a s : whole h s -> in_range U32 v = true -> in_range U32 b = true ->
  in_range U32 i = true ->
  in_range U64 a = true -> ends h (typed None) (clear_smmu_spec [v; b; i; a] s).
Proof.
  intros W V B I0 A. unfold clear_smmu_spec, p4. rewrite V, B, I0, A. apply ends_chk.
  destruct (_ && _) eqn:G; [|exact I].
  apply (configuring_ends h v (unmap_smmu_page_spec unmap_spt_spec [b; i; a])); [exact W | |].
  - apply in_range_iff in V. unfold COREVISOR in G. boolprop. lia.
  - exact (ends_frame_call h "unmap_smmu_page" [b; i; a] s (call_unmap_page b i a B I0 A) (unmap_aside _) W).
Qed.
Lemma ok_typed l : smmus_ok l = true -> smmus_typed l = true.
Proof.
  unfold smmus_ok, smmus_typed. intros O. apply andb_true_iff in O as [L O]. apply Z.leb_le in L.
  apply andb_true_iff. split.
  - apply in_range_iff. cbn [modulus]. lia.
  - rewrite forallb_forall in O |- *. intros d D. specialize (O d D). unfold smmu_ok in O.
    unfold smmu_typed. boolprop.
    apply andb_true_iff. split; apply in_range_iff; cbn [modulus]; lia.
Qed.

Lemma map_io_ends h v a pa s : whole h s -> in_range U32 v = true -> in_range U64 a = true ->
  in_range U64 pa = true ->
  ends h (typed None) (map_io_spec [v; a; pa] s).
Proof.
  intros W V A P. unfold map_io_spec, p3. rewrite V, A, P, (ok_typed _ (wh_smmus _ _ W)). apply ends_chk.
  destruct (_ && _) eqn:G; [|exact I].
  apply andb_true_iff in G as [G _]. apply (ends_vm h); [exact W | now apply guest_vm|]. intros c C OK.
  destruct (_ =? READY); [|exact I]. apply (ends_inside v c h h any).
  - exact (ends_frame_call h "map_vm_io" [v; a; pa] s (call_map_io v a pa V A P) (map_io_aside _) W).
  - intros _ t _ T. now apply ends_publish_vm.
Qed.

(** * BootOps: saved states *)

Lemma inc_exe_ends h v s : whole h s -> in_range U32 v = true -> ends h (typed (Some U32)) (is_inc_exe_spec [v] s).
Proof.
  intros W V. unfold is_inc_exe_spec, p1. rewrite V. apply ends_chk. destruct (is_guest v) eqn:G; [|now split].
  apply (ends_vm h); [exact W | now apply guest_vm|]. intros c C OK. apply ends_publish_vm; [exact W | exact C|].
  apply vm_ok_iff in OK as (_ & _ & E & _). exact E.
Qed.

Lemma given_back (h : gset Z) (k : Z) : k ∉ h -> ({[k]} ∪ h) ∖ {[k]} = h.
Proof. intros N. set_solver. Qed.

Lemma save_vcpu_ends h v i s : whole h s -> in_range U32 v = true -> in_range U32 i = true ->
  (is_vcpu v i = true -> ctxt_id v i ∉ h) -> ends h (typed None) (save_encrypted_vcpu_spec [v; i] s).
Proof.
  intros W V I0 N. unfold save_encrypted_vcpu_spec, p2. rewrite V, I0. apply ends_chk.
  destruct (is_vcpu v i) eqn:G; [|exact I]. destruct (vcpu_id v i G I0) as (R & Gv & Ri). specialize (N eq_refl).
  apply (ends_vm h); [exact W | now apply guest_vm|]. intros c C OK. destruct (_ =? READY); [|exact I].
  destruct (pulled_ok h v i s W R N) as (t & -> & T). assert (M : ctxt_id v i ∈ {[ctxt_id v i]} ∪ h) by set_solver.
  apply (ends_inside v c ({[ctxt_id v i]} ∪ h) h (typed None)).
  - apply (ends_then ({[ctxt_id v i]} ∪ h) _ (typed None)); [now apply ends_encrypt|].
    intros _ u _ U. now apply ends_encrypt.
  - intros _ u _ U. destruct (pushed_ok _ v i u U R M) as (w & -> & Y). rewrite (given_back h _ N) in Y.
    now apply ends_publish_vm.
Qed.
Lemma load_vcpu_ends h v i s : whole h s -> in_range U32 v = true -> in_range U32 i = true ->
  (is_vcpu v i = true -> ctxt_id v i ∉ h) -> ends h (typed None) (load_encrypted_vcpu_spec [v; i] s).
Proof.
  intros W V I0 N. unfold load_encrypted_vcpu_spec, p2. rewrite V, I0. apply ends_chk.
  destruct (is_vcpu v i) eqn:G; [|exact I]. destruct (vcpu_id v i G I0) as (R & Gv & Ri). specialize (N eq_refl).
  apply (ends_vm h); [exact W | now apply guest_vm|]. intros c C OK.
  destruct (import_vcpu i _) as [x|] eqn:X; [|exact I].
  destruct (pulled_ok h v i s W R N) as (t & -> & T). assert (M : ctxt_id v i ∈ {[ctxt_id v i]} ∪ h) by set_solver.
  apply (ends_inside v c ({[ctxt_id v i]} ∪ h) h (typed None)).
  - apply (ends_then ({[ctxt_id v i]} ∪ h) _ (typed None)); [now apply ends_decrypt|].
    intros _ u _ U. now apply ends_decrypt.
  - intros _ u _ U. destruct (pushed_ok _ v i u U R M) as (w & -> & Y). rewrite (given_back h _ N) in Y.
    apply ends_changed_vm; [exact Y | exact C | exact (proj1 (import_vcpu_ok _ _ _ X OK)) | reflexivity].
Qed.

Lemma frame_u64 a : in_range U64 a = true -> in_range U64 (a / 4096) = true.
Proof.
  intros A. apply in_range_iff in A. apply in_range_iff. cbn [modulus] in *.
  pose proof (Z.div_mod a 4096 ltac:(lia)). pose proof (Z.mod_pos_bound a 4096 ltac:(lia)). lia.
Qed.

Lemma save_buf_ends h v from to s : whole h s -> in_range U32 v = true -> in_range U64 from = true ->
  in_range U64 to = true -> ends h (typed None) (save_encrypt_buf_spec [v; from; to] s).
Proof.
  intros W V A B. unfold save_encrypt_buf_spec, p3. rewrite V, A, B. apply ends_chk.
  destruct (is_guest v); [|exact I].
  destruct (wh_frames _ _ W) as (_ & _ & C & H). rewrite H. cbn [negb]. cbv zeta. pose proof (acquire_ok _ _ C) as K.
  rewrite (proj1 K (from / 4096)), (proj1 K (to / 4096)). cbn [andb]. destruct (_ && _); [|exact I].
  apply (ends_after _ h h (typed None)).
  - apply ends_seal; [exact W | exact V | now apply frame_u64 | now apply frame_u64].
  - intros _ t _ T. now apply ends_publish.
Qed.

Lemma clear_ends h pfn s : whole h s -> in_range U64 pfn = true -> ends h any (clear_pfn_host_spec [pfn] s).
Proof.
  intros W P. apply (ends_table h any (clear_pfn_host_spec _) s W (clear_stage2 _)); [|auto].
  exact (clear_work s pfn (wh_frames _ _ W) P).
Qed.

Lemma load_buf_ends h v a s : whole h s -> in_range U32 v = true -> in_range U64 a = true ->
  ends h (typed None) (load_decrypt_buf_spec [v; a] s).
Proof.
  intros W V A. unfold load_decrypt_buf_spec, p2. rewrite V, A. apply ends_chk.
  destruct (is_guest v) eqn:G; [|exact I].
  apply (ends_vm h); [exact W | now apply guest_vm|]. intros c C OK. destruct (_ =? READY); [|exact I].
  apply (ends_inside v c h h (typed None)); [|intros _ t _ T; now apply ends_publish_vm].
  apply (ends_frame h); [exact W|]. intros d D _. destruct (import_frame v _) as [q|] eqn:X; [|exact I].
  assert (Q : frame_ok (Some q) = true).
  { unfold import_frame in X. destruct (c_val d !! _) as [[k| |]|]; try discriminate.
    destruct (k =? 0); [|discriminate].
    injection X as <-. apply page_frame_ok. split; [unfold is_guest in G; unfold COREVISOR; boolprop; lia|].
    split; [unfold INVALID; lia | exact I]. }
  apply (ends_after d h h (typed None)).
  - apply (ends_then h h any); [apply clear_ends; [exact W | now apply frame_u64]|].
    intros _ t _ T. apply ends_open; [exact T | exact V | now apply frame_u64].
  - intros _ t _ T. apply ends_publish; [exact T | now apply put_ok].
Qed.

(** * MmioOps *)

Notation free_pgd := (el2_free_smmu_pgd_spec get_vm_poweron_spec).
Notation alloc_pgd := (el2_alloc_smmu_pgd_spec alloc_smmu_spec).
Notation assign_page := (smmu_assign_page_spec assign_smmu_spec).
Notation map_page := (smmu_map_page_spec map_smmu_spec).
Notation clear_page := (el2_arm_lpae_clear_spec clear_smmu_spec).

Lemma owner_vm w : owner_ok w = true -> w <> INVALID -> in_range U32 w = true.
Proof.
  unfold owner_ok. intros O N. apply orb_true_iff in O as [O|O]; [apply Z.eqb_eq in O; contradiction|]. boolprop.
  apply in_range_iff. cbn [modulus]. lia.
Qed.

Lemma free_ends h cb ix s : whole h s -> in_range U32 cb = true -> in_range U32 ix = true ->
  ends h (typed None) (free_pgd [cb; ix] s).
Proof.
  intros W B X. unfold el2_free_smmu_pgd_spec, p2. rewrite B, X. apply ends_chk. apply (ends_owner h); [exact W|].
  intros c w C O. destruct (Z.eqb_spec w INVALID) as [|N]; [now apply ends_publish_owners|].
  apply (ends_during c h h (typed (Some U32))); [apply poweron_ends; [exact W | now apply owner_vm]|].
  intros on t On T. cbn [typed] in On. rewrite On. destruct (on =? 0); [|exact I].
  apply (ends_during c h h any); [now apply init_ends|]. intros _ u _ U.
  apply ends_publish_owners; [exact U | now apply set_owner_ok | reflexivity].
Qed.

Lemma alloc_ends h cb v ix s : whole h s -> in_range U32 cb = true -> in_range U32 v = true ->
  in_range U32 ix = true ->
  ends h (typed None) (alloc_pgd [cb; v; ix] s).
Proof.
  intros W B V X. unfold el2_alloc_smmu_pgd_spec, p3. rewrite B, V, X. apply ends_chk. rewrite (wh_smmus _ _ W).
  destruct (may_alloc _ _ _ _) eqn:A; [|exact I]. apply (ends_owner h); [exact W|].
  intros c w C O. destruct (w =? INVALID); [|now apply ends_publish_owners].
  apply (ends_during c h h (typed None)); [now apply alloc_smmu_ends|]. intros _ u _ U.
  apply ends_publish_owners; [exact U | | reflexivity]. apply set_owner_ok; [exact C|].
  unfold may_alloc in A. apply andb_true_iff in A as [A _]. apply andb_true_iff in A as [_ A].
  apply in_range_iff in V. unfold owner_ok. apply orb_true_iff. right. apply andb_true_iff.
  split; [now apply Z.leb_le | exact A].
Qed.

Lemma by_owner_ends h cb ix s o : whole h s ->
  (forall w, in_range U32 w = true -> ends h (typed None) (o w)) -> ends h (typed None) (by_owner cb ix s o).
Proof.
  intros W K. apply (ends_owner h); [exact W|]. intros c w C O.
  destruct (Z.eqb_spec w INVALID) as [|N]; [now apply ends_publish_owners|].
  apply (ends_during c h h (typed None)); [apply K; now apply owner_vm|]. intros _ t _ T.
  now apply ends_publish_owners.
Qed.

Lemma assign_page_ends h cb ix pfn g s : whole h s -> in_range U32 cb = true -> in_range U32 ix = true ->
  in_range U64 pfn = true -> in_range U64 g = true -> ends h (typed None) (assign_page [cb; ix; pfn; g] s).
Proof.
  intros W B X P G. unfold smmu_assign_page_spec, p4. rewrite B, X, P, G. apply ends_chk.
  apply by_owner_ends; [exact W|].
  intros w V. now apply assign_smmu_ends.
Qed.
Lemma map_page_ends h cb ix a e s : whole h s -> in_range U32 cb = true -> in_range U32 ix = true ->
  in_range U64 a = true -> in_range U64 e = true -> ends h (typed None) (map_page [cb; ix; a; e] s).
Proof.
  intros W B X A E. unfold smmu_map_page_spec, p4. rewrite B, X, A, E. apply ends_chk. destruct (_ <? _); [|exact I].
  apply by_owner_ends; [exact W|]. intros w V. now apply map_smmu_ends.
Qed.
Lemma clear_page_ends h a cb ix s : whole h s -> in_range U64 a = true -> in_range U32 cb = true ->
  in_range U32 ix = true ->
  ends h (typed None) (clear_page [a; cb; ix] s).
Proof.
  intros W A B X. unfold el2_arm_lpae_clear_spec, p3. rewrite A, B, X. apply ends_chk. destruct (_ <? _); [|exact I].
  apply by_owner_ends; [exact W|]. intros w V. now apply clear_smmu_ends.
Qed.

Lemma iova_ends h a cb ix s : whole h s -> in_range U64 a = true -> in_range U32 cb = true ->
  in_range U32 ix = true ->
  ends h (typed (Some U64)) (el2_arm_lpae_iova_to_phys_spec [a; cb; ix] s).
Proof.
  intros W A B X. unfold el2_arm_lpae_iova_to_phys_spec, p3. rewrite A, B, X. apply ends_chk.
  destruct (_ && _); [|exact I].
  assert (E : ends h any (walk_spt_spec [cb; ix; a] s)).
  { apply (ends_spt h any (walk_spt_spec _) s W (walk_spt_aside _)); [|auto].
    exact (walk_spt_safe ∅ s cb ix a (proj1 (proj2 (wh_frames _ _ W))) no_spt_empty B X A). }
  destruct (walk_spt_spec [cb; ix; a] s) as [[e t|t]|]; [|exact I | exact E]. destruct E as [_ T]. split; [|exact T].
  unfold phys. pose proof (MemManager.Natural.phys_range e). pose proof (Z.mod_pos_bound a 4096 ltac:(lia)).
  apply in_range_iff.
  cbn [modulus]. lia.
Qed.

Lemma has_bank_ends h v s : whole h s -> in_range U32 v = true -> ends h (typed (Some U32)) (vm_has_bank_spec [v] s).
Proof.
  intros W V. unfold vm_has_bank_spec, p1. rewrite V, (wh_owners_free _ _ W). cbn [negb]. cbv zeta. apply ends_chk.
  pose proof (acquire_ok _ _ (wh_owners _ _ W)) as A. rewrite (proj2 (forallb_forall _ _)) by (intros b _; apply A).
  apply ends_publish_owners; [exact W | exact A | now destruct (has_bank _ _)].
Qed.

(** ** Accesses of the host to an SMMU *)

(** Registers, inputs and outputs change, and the value of a context. *)
Definition handled (s t : hstate) : Prop :=
  st_core t = st_core s /\ st_smmu t = st_smmu s /\ st_vms t = st_vms s /\ st_boot t = st_boot s /\
  st_npts t = st_npts s /\ st_spt t = st_spt s /\ st_s2 t = st_s2 s /\
  cpu_id (st_cpu t) = cpu_id (st_cpu s) /\ cpu_vcpuid (st_cpu t) = cpu_vcpuid (st_cpu s) /\
  forall k, c_held <$> st_ctxts t !! k = c_held <$> st_ctxts s !! k.

Lemma handled_refl s : handled s s.
Proof. repeat split. Qed.
Lemma handled_trans a b c : handled a b -> handled b c -> handled a c.
Proof.
  unfold handled. intros (? & ? & ? & ? & ? & ? & ? & ? & ? & A) (? & ? & ? & ? & ? & ? & ? & ? & ? & B).
  repeat split; congruence.
Qed.

Lemma put_handled v c m s : handled s (put_ctxt v c m s).
Proof.
  unfold handled, put_ctxt. repeat split. intros k. cbn [st_ctxts set_ctxts].
  destruct (decide (k = 8 * v + c)) as [->|N].
  - rewrite lookup_alter. now destruct (st_ctxts s !! _).
  - now rewrite lookup_alter_ne by congruence.
Qed.

Lemma host_put_handled rd x s v t : host_put rd x s = Some (Ok v t) -> handled s t.
Proof.
  unfold host_put. destruct (rd =? 31); [intros [= _ <-]; apply handled_refl|].
  destruct (host_ctxt s); [|discriminate]. intros [= _ <-]. apply put_handled.
Qed.

Lemma whole_handled h s t : whole h s -> handled s t -> whole h t.
Proof.
  intros W (A & B & C & D & N & S & P & E & F & K). pose proof (wh_frames _ _ W) as (F1 & F2 & F3 & F4).
  destruct W. constructor; unfold counters_ok; rewrite ?A, ?B, ?C, ?D, ?E, ?F; auto.
  - split; [intros vm V; rewrite N; exact (F1 vm V)|].
    split; [unfold spt_ok; rewrite S; exact F2|]. split; [unfold s2_ok; rewrite P; exact F3 | rewrite P; exact F4].
  - intros k R. destruct (wh_ctxts k R) as (x & L & H). specialize (K k). rewrite L in K. cbn in K.
    destruct (st_ctxts t !! k) as [y|]; [|discriminate K]. exists y. split; [reflexivity|]. injection K as K.
    congruence.
Qed.

Lemma host_mmio_handled vs s v t : handle_host_mmio_spec vs s = Some (Ok v t) -> handled s t.
Proof.
  unfold handle_host_mmio_spec. intros X. apply p3_inv in X as (a & ix & hsr & -> & _ & _ & _ & X).
  apply chk_void in X as [X _].
  destruct (dabt_valid hsr); [|discriminate].
  destruct (host_access hsr (fault_ipa a s) ix s) as [[w u|u]|] eqn:Y; try discriminate.
  assert (B : handled u t).
  { unfold skip_instr, set_control, p0 in X. apply chk_void in X as [X _]. injection X as _ <-. repeat split. }
  refine (handled_trans _ u _ _ B). unfold host_access in Y. destruct (dabt_store hsr =? 0).
  - unfold handle_smmu_read_spec in Y. apply p3_inv in Y as (h' & a' & l' & _ & _ & _ & _ & Y).
    apply chk_void in Y as [Y _].
    destruct (access_ok _ _); [|discriminate]. unfold __handle_smmu_read_spec in Y.
    apply p3_inv in Y as (h2 & a2 & l2 & _ & _ & _ & _ & Y). apply chk_void in Y as [Y _].
    refine (handled_trans _ (device_taken s) _ _ _); [repeat split|].
    destruct (l2 =? 8); [|destruct (l2 =? 4); [|discriminate]]; exact (host_put_handled _ _ _ _ _ Y).
  - unfold handle_smmu_write_spec in Y. apply p4_inv in Y as (h' & a' & l' & i' & _ & _ & _ & _ & _ & Y).
    apply chk_void in Y as [Y _]. destruct (host_ctxt s); [|discriminate].
    destruct (c_held (st_smmu s)); [|discriminate].
    destruct (i' <? 2); [|discriminate]. destruct (owner_known _ _ _); [|discriminate].
    destruct (store_policy _ _ _ _ _); [|discriminate]. unfold device_store in Y.
    destruct (l' =? 8); [|destruct (l' =? 4); [|discriminate]]; injection Y as _ <-; repeat split.
Qed.

(** The host's context on this CPU is this CPU's. *)
Lemma host_context h s : whole h s -> exists m, host_ctxt s = Some m.
Proof.
  intros W. destruct (wh_cpu _ _ W) as [E R]. unfold host_ctxt, get_ctxt. rewrite E.
  rewrite (proj2 (in_range_iff U32 _)) by (cbn [modulus]; lia). change (is_vmid HOSTVISOR) with true.
  rewrite (proj2 (Z.ltb_lt _ 8)) by lia. cbn [andb].
  destruct (wh_ctxts _ _ W (8 * HOSTVISOR + cpu_id (st_cpu s)) ltac:(unfold HOSTVISOR; lia)) as (x & L & _).
  rewrite L.
  rewrite !Z.eqb_refl. cbn [andb]. rewrite orb_true_r. eauto.
Qed.

Lemma emulate_ends h a hsr s : whole h s -> in_range U64 a = true -> in_range U32 hsr = true ->
  ends h any (emulate_mmio_spec [a; hsr] s).
Proof.
  intros W A H. destruct (host_context h s W) as [m Hm]. pose proof A as A'. pose proof H as H'.
  apply in_range_iff in A', H'. cbn [modulus] in A', H'.
  destruct (emulate_defined a hsr m s A' H' (wh_smmus _ _ W) (wh_owners_free _ _ W) (wh_owners _ _ W) Hm) as [r E].
  rewrite E. destruct r as [v t|t]; [|exact I]. split; [exact I|]. revert E. unfold emulate_mmio_spec, p2.
  rewrite A, H.
  unfold chk. rewrite (wh_smmus _ _ W), (wh_owners_free _ _ W). cbn [negb]. cbv zeta.
  pose proof (acquire_ok _ _ (wh_owners _ _ W)) as C. set (c := acquire_cell (st_smmu s)) in *.
  assert (G : forall u, handled (set_smmu c s) u ->
            whole h (set_smmu (release_cell (cpu_id (st_cpu u)) c) u)).
  { intros u X. apply (whole_handled h (set_smmu (release_cell (cpu_id (st_cpu u)) c) s)).
    - apply whole_owners; [exact W | now apply release_ok | reflexivity].
    - destruct X as (X1 & X2 & X3 & X4 & X5 & X6 & X7 & X8 & X9 & X10). repeat split; assumption. }
  destruct (smmu_at a _ =? INVALID).
  - unfold publish_owners. destruct (in_range U32 (smmu_at _ _)); [|discriminate]. intros [= _ <-].
    apply whole_owners; [exact W | now apply release_ok | reflexivity].
  - destruct (handle_host_mmio_spec _ _) as [[w u|u]|] eqn:X; try discriminate. unfold publish_owners.
    destruct (in_range U32 (smmu_at _ _)); [|discriminate]. intros [= _ <-].
    exact (G u (host_mmio_handled _ _ _ _ X)).
Qed.

(** * MemoryOps *)

Lemma range_ends h f vs s : range_call (f, vs) -> whole h s -> ends h any (call MemoryOps.Spec.T f vs s).
Proof.
  intros X W. apply (ends_ready h any (call MemoryOps.Spec.T f vs) s W); [|
    exact (MemoryOps_defined ∅ no_npt_empty f vs s X (whole_ready h s W)) | auto].
  inversion X; subst.
  - exact (only_clear_range stage2 stage2_refl stage2_trans stage2_s2 stage2_mem clear_stage2 _).
  - exact (only_prot stage2 stage2_refl stage2_trans stage2_s2 map_stage2 clear_stage2 _).
  - apply (only_range stage2 stage2_refl stage2_trans walk_stage2). exact (only_grant stage2 stage2_s2).
  - apply (only_range stage2 stage2_refl stage2_trans walk_stage2).
    exact (only_revoke stage2 stage2_refl stage2_trans stage2_s2 clear_stage2).
Qed.

Lemma host_page_ends h a s : whole h s -> in_range U64 a = true -> ends h any (map_page_host_spec [a] s).
Proof.
  intros W A. refine (ends_frame_call h "map_page_host" [a] s (call_map_page_host a A) _ W).
  exact (weaker _ (only_map_page_host stage2 stage2_refl stage2_trans stage2_s2 map_stage2 _)).
Qed.

(** * Accesses of VMs and devices *)

(** They move words between memory and registers of this CPU, and synchronise with one kind of tables. *)
Definition moved (s t : hstate) : Prop :=
  st_core t = st_core s /\ st_smmu t = st_smmu s /\ st_vms t = st_vms s /\ st_ctxts t = st_ctxts s /\
  st_boot t = st_boot s /\ st_s2 t = st_s2 s /\ cpu_id (st_cpu t) = cpu_id (st_cpu s) /\
  cpu_vcpuid (st_cpu t) = cpu_vcpuid (st_cpu s).

Lemma whole_moved h s t : whole h s -> moved s t -> npts_ok ∅ t -> spt_ok ∅ t -> whole h t.
Proof.
  intros W (A & B & C & D & E & F & G & H) N S. destruct (wh_frames _ _ W) as (_ & _ & F3 & F4).
  destruct W. constructor; unfold counters_ok; rewrite ?A, ?B, ?C, ?D, ?E, ?G, ?H; auto.
  split; [exact N|]. split; [exact S|]. split; [unfold s2_ok; rewrite F; exact F3 | rewrite F; exact F4].
Qed.

Lemma mem_moved p f vs (s : hstate) v t : (forall pa x u, moved u (f pa x u) /\ st_spt (f pa x u) = st_spt u) ->
  mem_access p f vs s = Some (Ok v t) -> moved s t /\ st_spt t = st_spt s.
Proof.
  intros K X. unfold mem_access in X. apply p3_inv in X as (vm & a & r & -> & _ & _ & _ & X). revert X.
  destruct (negb (is_vmid vm)); [discriminate|]. unfold chk.
  destruct (if in_memory a then user_reg r else None) as [x|]; [|intros [= _ <-]; repeat split].
  destruct (st_npts s !! vm) as [c|]; [|discriminate]. destruct (negb (c_held c)); [|discriminate]. cbv zeta.
  destruct (translate _ _ _) as [pa|]; intros [= _ <-]; [|repeat split].
  match goal with |- moved s (f _ _ ?u) /\ _ => exact (K pa x u) end.
Qed.
Lemma dev_moved p f vs (s : hstate) v t : (forall pa x u, moved u (f pa x u) /\ st_npts (f pa x u) = st_npts u) ->
  dev_access p f vs s = Some (Ok v t) -> moved s t /\ st_npts t = st_npts s.
Proof.
  intros K X. unfold dev_access in X. apply p4_inv in X as (cb & ix & a & r & -> & _ & _ & _ & _ & X). revert X.
  destruct (negb (is_bank cb ix)); [discriminate|]. unfold chk.
  destruct (if _ && _ then user_reg r else None) as [x|]; [|intros [= _ <-]; repeat split].
  destruct (negb (c_held (st_spt s))); [|discriminate]. cbv zeta.
  destruct (smmu_translate _ _ _ _) as [pa|]; intros [= _ <-]; [|repeat split].
  match goal with |- moved s (f _ _ ?u) /\ _ => exact (K pa x u) end.
Qed.

Lemma mem_ends h f vs s : mem_call (f, vs) -> whole h s -> ends h any (call NPTWalk.Spec.T_access f vs s).
Proof.
  intros X W. destruct (wh_frames _ _ W) as (F1 & F2 & _ & _).
  destruct (mem_access_safe ∅ f vs s X F1 no_npt_empty) as (r & E & G).
  assert (E' : call NPTWalk.Spec.T_access f vs s = Some r) by (inversion X; subst; exact E).
  rewrite E'. destruct r as [v t|t]; [|exact I]. split; [exact I|]. destruct G as [G _].
  assert (M : moved s t /\ st_spt t = st_spt s).
  { inversion X; subst; refine (mem_moved _ _ _ s v t _ E'); intros; repeat split. }
  destruct M as [M S]. apply (whole_moved h s t W M G). unfold spt_ok. rewrite S. exact F2.
Qed.
Lemma dev_ends h f vs s : dev_call (f, vs) -> whole h s -> ends h any (call MmioSPTWalk.Spec.T_device f vs s).
Proof.
  intros X W. destruct (wh_frames _ _ W) as (F1 & F2 & _ & _).
  destruct (dev_access_safe ∅ f vs s X F2 no_spt_empty) as (r & E & G).
  assert (E' : call MmioSPTWalk.Spec.T_device f vs s = Some r) by (inversion X; subst; exact E).
  rewrite E'. destruct r as [v t|t]; [|exact I]. split; [exact I|]. destruct G as [G _].
  assert (M : moved s t /\ st_npts t = st_npts s).
  { inversion X; subst; refine (dev_moved _ _ _ s v t _ E'); intros; repeat split. }
  destruct M as [M S]. apply (whole_moved h s t W M); [|exact G]. intros vm V. rewrite S. exact (F1 vm V).
Qed.

(** * All operations *)

(** What layers 17 to 26 offer to the layers above, and the accesses of VMs and devices. *)
Definition upper : tbl hstate :=
  (MmioOps.Spec.T get_vm_poweron_spec alloc_smmu_spec assign_smmu_spec map_smmu_spec clear_smmu_spec ++
   [("search_load_info", search_load_info_spec); ("set_vcpu_active", set_vcpu_active_spec);
    ("set_vcpu_inactive", set_vcpu_inactive_spec); ("register_vcpu", register_vcpu_spec);
    ("register_kvm", register_kvm_spec); ("set_boot_info", set_boot_info_spec);
    ("remap_vm_image", remap_vm_image_spec); ("verify_and_load_images", verify_and_load_images_spec);
    ("map_io", map_io_spec); ("is_inc_exe", is_inc_exe_spec);
    ("save_encrypted_vcpu", save_encrypted_vcpu_spec); ("load_encrypted_vcpu", load_encrypted_vcpu_spec);
    ("save_encrypt_buf", save_encrypt_buf_spec); ("load_decrypt_buf", load_decrypt_buf_spec)] ++
   VMPower.Spec.T ++ MemoryOps.Spec.T ++ [("map_page_host", map_page_host_spec)] ++
   NPTWalk.Spec.T_access ++ MmioSPTWalk.Spec.T_device ++ [("panic", panic)])%list.

Notation u32 := (fun x => in_range U32 x = true).
Notation u64 := (fun x => in_range U64 x = true).

(** Calls with any arguments of the C types. *)
Inductive plain_call : ident * list Z -> Prop :=
| p_emulate a hsr : u64 a -> u32 hsr -> plain_call ("emulate_mmio", [a; hsr])
| p_free cb ix : u32 cb -> u32 ix -> plain_call ("el2_free_smmu_pgd", [cb; ix])
| p_alloc cb v ix : u32 cb -> u32 v -> u32 ix -> plain_call ("el2_alloc_smmu_pgd", [cb; v; ix])
| p_assign cb ix p g : u32 cb -> u32 ix -> u64 p -> u64 g -> plain_call ("smmu_assign_page", [cb; ix; p; g])
| p_map cb ix a e : u32 cb -> u32 ix -> u64 a -> u64 e -> plain_call ("smmu_map_page", [cb; ix; a; e])
| p_clear a cb ix : u64 a -> u32 cb -> u32 ix -> plain_call ("el2_arm_lpae_clear", [a; cb; ix])
| p_iova a cb ix : u64 a -> u32 cb -> u32 ix -> plain_call ("el2_arm_lpae_iova_to_phys", [a; cb; ix])
| p_bank v : u32 v -> plain_call ("vm_has_bank", [v])
| p_search v a : u32 v -> u64 a -> plain_call ("search_load_info", [v; a])
| p_kvm : plain_call ("register_kvm", [])
| p_boot v a z : u32 v -> u64 a -> u64 z -> plain_call ("set_boot_info", [v; a; z])
| p_remap v p i : u32 v -> u64 p -> u32 i -> plain_call ("remap_vm_image", [v; p; i])
| p_verify v : u32 v -> plain_call ("verify_and_load_images", [v])
| p_io v a p : u32 v -> u64 a -> u64 p -> plain_call ("map_io", [v; a; p])
| p_inc v : u32 v -> plain_call ("is_inc_exe", [v])
| p_save v a b : u32 v -> u64 a -> u64 b -> plain_call ("save_encrypt_buf", [v; a; b])
| p_load v a : u32 v -> u64 a -> plain_call ("load_decrypt_buf", [v; a])
| p_on v : u32 v -> plain_call ("get_vm_poweron", [v])
| p_off v : u32 v -> plain_call ("set_vm_poweroff", [v])
| p_range c : range_call c -> plain_call c
| p_host a : u64 a -> plain_call ("map_page_host", [a])
| p_vm c : mem_call c -> plain_call c
| p_device c : dev_call c -> plain_call c
| p_panic : plain_call ("panic", []).

(** A call, with the contexts of vCPUs that this CPU has before and after.  Of these the caller takes none that it
    has, and gives back none that it does not have; vCPUs that do not exist are a panic. *)
Inductive upper_call (h : gset Z) : ident * list Z -> gset Z -> Prop :=
| plain c : plain_call c -> upper_call h c h
| starts v i : u32 v -> u32 i -> (is_vcpu v i = true -> ctxt_id v i ∉ h) ->
    upper_call h ("set_vcpu_active", [v; i]) (with_vcpu v i h)
| stops v i : u32 v -> u32 i -> (is_vcpu v i = true -> ctxt_id v i ∈ h) ->
    upper_call h ("set_vcpu_inactive", [v; i]) (without_vcpu v i h)
| registers v i : u32 v -> u32 i -> (is_vcpu v i = true -> ctxt_id v i ∉ h) ->
    upper_call h ("register_vcpu", [v; i]) h
| saves v i : u32 v -> u32 i -> (is_vcpu v i = true -> ctxt_id v i ∉ h) ->
    upper_call h ("save_encrypted_vcpu", [v; i]) h
| loads v i : u32 v -> u32 i -> (is_vcpu v i = true -> ctxt_id v i ∉ h) ->
    upper_call h ("load_encrypted_vcpu", [v; i]) h.

(** They are in the interface of layer 26 as they are here. *)
Lemma upper_keeps : keeps upper MmioOps.Interface.L.
Proof. repeat constructor. Qed.

Lemma in_interface h Q f vs s : ends h Q (call upper f vs s) -> ends h Q (call MmioOps.Interface.L f vs s).
Proof.
  unfold call. destruct (Lang.assoc f upper) as [p|] eqn:E; [|intros []].
  now rewrite (keeps_assoc _ _ _ _ upper_keeps E).
Qed.

Lemma plain_ends h f vs s : plain_call (f, vs) -> whole h s -> ends h any (call upper f vs s).
Proof.
  intros X W. inversion X as [a hsr A H | cb ix B Y | cb v ix B V Y | cb ix p g B Y P G | cb ix a e B Y A E
    | a cb ix A B Y | a cb ix A B Y | v V | v a V A | | v a z V A Z0 | v p i V P I0 | v V | v a p V A P | v V
    | v a b V A B | v a V A | v V | v V | c R | a A | c R | c R |]; subst.
  - exact (emulate_ends h a hsr s W A H).
  - exact (ends_any _ _ _ (free_ends h cb ix s W B Y)).
  - exact (ends_any _ _ _ (alloc_ends h cb v ix s W B V Y)).
  - exact (ends_any _ _ _ (assign_page_ends h cb ix p g s W B Y P G)).
  - exact (ends_any _ _ _ (map_page_ends h cb ix a e s W B Y A E)).
  - exact (ends_any _ _ _ (clear_page_ends h a cb ix s W A B Y)).
  - exact (ends_any _ _ _ (iova_ends h a cb ix s W A B Y)).
  - exact (ends_any _ _ _ (has_bank_ends h v s W V)).
  - exact (ends_any _ _ _ (search_ends h v a s W V A)).
  - exact (ends_any _ _ _ (register_kvm_ends h s W)).
  - exact (ends_any _ _ _ (set_boot_ends h v a z s W V A Z0)).
  - exact (ends_any _ _ _ (remap_image_ends h v p i s W V P I0)).
  - exact (ends_any _ _ _ (verify_ends h v s W V)).
  - exact (ends_any _ _ _ (map_io_ends h v a p s W V A P)).
  - exact (ends_any _ _ _ (inc_exe_ends h v s W V)).
  - exact (ends_any _ _ _ (save_buf_ends h v a b s W V A B)).
  - exact (ends_any _ _ _ (load_buf_ends h v a s W V A)).
  - exact (ends_any _ _ _ (poweron_ends h v s W V)).
  - exact (ends_any _ _ _ (poweroff_ends h v s W V)).
  - pose proof (range_ends h f vs s R W) as E. inversion R; subst; exact E.
  - exact (host_page_ends h a s W A).
  - pose proof (mem_ends h f vs s R W) as E. inversion R; subst; exact E.
  - pose proof (dev_ends h f vs s R W) as E. inversion R; subst; exact E.
  - exact I.
Qed.

(** Read: every operation, with any arguments of its C types, runs to its end or to a panic, and keeps the
    invariant. *)
Theorem upper_call_safe h f vs h' s : upper_call h (f, vs) h' -> whole h s ->
  ends h' any (call MmioOps.Interface.L f vs s).
Proof.
  intros X W. apply in_interface.
  inversion X as [c P | v i V I0 N | v i V I0 N | v i V I0 N | v i V I0 N | v i V I0 N]; subst.
  - now apply plain_ends.
  - exact (ends_any _ _ _ (active_ends h v i s W V I0 N)).
  - exact (ends_any _ _ _ (inactive_ends h v i s W V I0 N)).
  - exact (ends_any _ _ _ (register_vcpu_ends h' v i s W V I0 N)).
  - exact (ends_any _ _ _ (save_vcpu_ends h' v i s W V I0 N)).
  - exact (ends_any _ _ _ (load_vcpu_ends h' v i s W V I0 N)).
Qed.

Inductive upper_calls : gset Z -> list (ident * list Z) -> gset Z -> Prop :=
| upper_nil h : upper_calls h [] h
| upper_cons h c h' cs h'' : upper_call h c h' -> upper_calls h' cs h'' -> upper_calls h (c :: cs) h''.

(** * From the start *)

(** What the other CPUs will publish of records, counters and owners is good. *)
Definition publishes {X} (I : X -> Prop) (l : list (list (Z * X))) : Prop :=
  List.Forall (List.Forall (fun e => I (snd e))) l.

Lemma core0_good : core_ok core0.
Proof. exact core0_ok. Qed.
Lemma vminfo0_good : record_ok vminfo0.
Proof. vm_compute. reflexivity. Qed.

Theorem init_whole maps smaps pages w : StackSafe.maps_of w maps smaps ->
  PageManager.Spec.firmware_ok (boot_mem (w_boot w)) = true ->
  Forall2 (Forall2 (event_rel (PageManager.Spec.RP (boot_mem (w_boot w))))) pages (w_s2 w) ->
  publishes core_ok (w_core w) -> publishes owners_ok (w_smmu w) -> (forall v, publishes record_ok (w_vms w v)) ->
  0 <= w_cpu w < 8 -> smmus_ok (boot_smmus (w_boot w)) = true ->
  whole ∅ (PageManager.Refine.init_frames maps smaps pages w).
Proof.
  intros Mp FW S Pc Po Pv Cp Sm. constructor.
  - now apply init_frames_inv.
  - split; [exact core0_good | exact Pc].
  - reflexivity.
  - split; [exact owners_ok_init | exact Po].
  - reflexivity.
  - intros v V. change (st_vms (PageManager.Refine.init_frames maps smaps pages w)) with
      (table 17 (fun vm => free_cell vminfo0 (w_vms w vm))). rewrite lookup_table by exact V. eexists.
      split; [reflexivity|].
    split; [reflexivity|]. split; [exact vminfo0_good | apply Pv].
  - intros k K. change (st_ctxts (PageManager.Refine.init_frames maps smaps pages w)) with
      (table 136 (fun i => free_cell (∅ : regfile) (w_ctxts w i))). rewrite lookup_table by exact K. eexists.
    split; [reflexivity|]. symmetry. apply bool_decide_eq_false, not_elem_of_empty.
  - split; [reflexivity | exact Cp].
  - exact Sm.
Qed.

(** Read: from every state that satisfies the invariant, every sequence of the operations of layers 17 to 26, with
    any arguments of their C types, runs to its end or to a panic, and the invariant holds at its end. *)
Theorem upper_safe h cs h' s : upper_calls h cs h' -> whole h s ->
  exists r, run_calls (call MmioOps.Interface.L) cs s = Some r /\
    match r with Ok _ s' => whole h' s' | Halt _ => True end.
Proof.
  intros X. revert s. induction X as [h | h [f vs] h1 cs h' C _ IH]; intros s W; cbn [run_calls].
  - eexists. split; [reflexivity | exact W].
  - pose proof (upper_call_safe h f vs h1 s C W) as E.
    destruct (call MmioOps.Interface.L f vs s) as [[v t|t]|]; cbn in E.
    + exact (IH t (proj2 E)).
    + eexists. split; [reflexivity | exact I].
    + destruct E.
Qed.
