(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: what it means that a VM is verified.  If verification succeeds, then
    for each of its images every page was hashed when it was a private frame of the VM,
    bound to its page and mapped there by the VM's own table, and the hash of these words
    in order is the digest that was recorded.  So the frames that were hashed are the
    frames that the VM has, with the words that were hashed.  Nothing is assumed of the
    hash.  Rests on [Spec]; [Test] has images that fail. *)
From SeKVM.lib Require Import VcTac PrimInv.
From SeKVM.machine Require Import Rel.
From SeKVM.machine Require Import BottomVmTac.
From SeKVM.layers.VMPower Require Import VmFacts.
From SeKVM.layers.BootOps Require Import Spec.
Local Open Scope Z_scope.

(** The pages [g], [g + 1], ... of VM [v] were hashed, with contents [wss], in a run from
    [s] to [s']: each looked up in the VM's table, found to be the VM's private page, and
    read there and then. *)
Inductive hashed (v : Z) : Z -> hstate -> list (list Z) -> hstate -> Prop :=
| hashed_none g s : hashed v g s [] s
| hashed_page g s e t ws wss s' :
    walk_s2pt_spec [v; g * 4096] s = Some (Ok e t) ->
    is_page_of v g (c_val (acquire_cell (st_s2 t)) !! frame_of e) = true ->
    ws = frame_contents (frame_of e) (sync_mem (st_mem t)) ->
    hashed v (g + 1) (set_s2 (release_cell (cpu_id (st_cpu t)) (acquire_cell (st_s2 t))) (set_mem (sync_mem (st_mem t)) t))
      wss s' ->
    hashed v g s (ws :: wss) s'.

(** The image [i] of the record [x] became the VM's memory and was hashed. *)
Definition loaded (v : Z) (x : vminfo) (i : Z) (s s' : hstate) : Prop :=
  complete x i = true /\
  exists t wss, unmap_and_load_vm_image_spec [v; img_addr x i; img_remap x i; img_pages x i] s = Some (Ok 0 t) /\
    hashed v (img_addr x i / 4096) t wss s' /\ Z.of_nat (List.length wss) = Z.max 0 (img_pages x i) /\
    digest (List.concat wss) = img_digest x i.

(** The images from [i] to [n], one after the other. *)
Inductive all_loaded (v : Z) (x : vminfo) (n : Z) : Z -> hstate -> hstate -> Prop :=
| all_done s : all_loaded v x n n s s
| all_next i s t s' : i < n -> loaded v x i s t -> all_loaded v x n (i + 1) t s' -> all_loaded v x n i s s'.

Lemma hash_vm_page_inv v g h s h' s' : hash_vm_page v g h s = Some (Ok h' s') ->
  exists e t, walk_s2pt_spec [v; g * 4096] s = Some (Ok e t) /\
    is_page_of v g (c_val (acquire_cell (st_s2 t)) !! frame_of e) = true /\
    h' = hash_words h (frame_contents (frame_of e) (sync_mem (st_mem t))) /\
    s' = set_s2 (release_cell (cpu_id (st_cpu t)) (acquire_cell (st_s2 t))) (set_mem (sync_mem (st_mem t)) t).
Proof.
  unfold hash_vm_page, and_then. destruct (walk_s2pt_spec _ s) as [[e t|t]|] eqn:W; try discriminate.
  unfold with_frame. destruct (negb (c_held (st_s2 t))); [|discriminate]. cbv zeta. destruct (frame_ok _); [|discriminate].
  destruct (is_page_of v g _) eqn:P; [|discriminate]. unfold after.
  destruct (hash_page _ t) as [[w u|u]|] eqn:H; try discriminate. intros [= <- <-]. exists e, t. split; [reflexivity|].
  split; [exact P|]. unfold hash_page in H. apply p2_inv in H as (a & b & [= <- <-] & _ & _ & H). cbv zeta in H.
  apply chk_inv in H as [_ H]. injection H as -> ->. split; reflexivity.
Qed.

Lemma hash_vm_pages_inv v n : forall g h s h' s', hash_vm_pages v n g h s = Some (Ok h' s') ->
  exists wss, List.length wss = n /\ hashed v g s wss s' /\ h' = hash_words h (List.concat wss).
Proof.
  induction n as [|n IH]; intros g h s h' s'; cbn [hash_vm_pages].
  - intros [= <- <-]. exists []. repeat split. constructor.
  - unfold and_then. destruct (hash_vm_page v g h s) as [[h1 s1|s1]|] eqn:E; try discriminate. intros F.
    apply hash_vm_page_inv in E as (e & t & W & P & -> & ->). apply IH in F as (wss & L & H & ->).
    exists (frame_contents (frame_of e) (sync_mem (st_mem t)) :: wss). split; [cbn; now rewrite L|].
    split; [eapply hashed_page; eauto|]. cbn [List.concat]. symmetry. apply hash_words_app.
Qed.

Lemma load_image_inv v x i s w s' : load_image v x i s = Some (Ok w s') -> w = 0 /\ loaded v x i s s'.
Proof.
  unfold load_image, loaded, and_then. destruct (complete x i); [|discriminate].
  destruct (unmap_and_load_vm_image_spec _ s) as [[u t|t]|] eqn:U; try discriminate.
  destruct (hash_vm_pages _ _ _ _ t) as [[h t'|t']|] eqn:H; try discriminate.
  destruct (Z.eqb_spec h (img_digest x i)) as [E|]; [|discriminate]. intros [= <- <-].
  apply hash_vm_pages_inv in H as (wss & L & H & D). split; [reflexivity|]. split; [reflexivity|]. exists t, wss.
  assert (u = 0) as ->. { unfold unmap_and_load_vm_image_spec in U.
    apply p4_inv in U as (? & ? & ? & ? & _ & _ & _ & _ & _ & U). now apply chk_void in U as [_ U]. }
  repeat split; auto; [lia | unfold digest; congruence].
Qed.

Lemma images_inv v x n k : forall i s w s', 0 <= i -> i + Z.of_nat k = n ->
  iterate_from (load_image v x) k i s = Some (Ok w s') -> all_loaded v x n i s s'.
Proof.
  induction k as [|k IH]; intros i s w s' I0 N; cbn [iterate_from].
  - intros [= <- <-]. replace i with n by lia. constructor.
  - unfold and_then. destruct (load_image v x i s) as [[u t|t]|] eqn:E; try discriminate. intros F.
    apply load_image_inv in E as [_ E]. apply (all_next v x n i s t); [lia | exact E|]. apply (IH (i + 1) t w s');
      [lia | lia | exact F].
Qed.

(** Read: a VM that was verified was READY before, and all its images were loaded and
    hashed, one after the other, from the state in which the call began. *)
Theorem verified_means v s s' : verify_and_load_images_spec [v] s = Some (Ok 0 s') ->
  exists c0 c t, st_vms s !! v = Some c0 /\ c = acquire_cell c0 /\ vm_state (c_val c) = READY /\
    all_loaded v (c_val c) (load_next (c_val c)) 0 s t /\
    s' = put_vm v (release_cell (cpu_id (st_cpu t)) (set_val (verified (c_val c)) c)) t.
Proof.
  intros E. unfold verify_and_load_images_spec in E. apply p1_inv in E as (w & [= <-] & _ & E). apply chk_void in E as [E _].
  destruct (is_guest v); [|discriminate]. apply with_vm_inv in E as (c0 & c & C & _ & <- & _ & OK & E).
  destruct (Z.eqb_spec (vm_state (c_val (acquire_cell c0))) READY) as [R|]; [|discriminate]. unfold inside in E.
  destruct (iterate _ _ s) as [[u t|t]|] eqn:I; try discriminate. injection E as <-.
  exists c0, (acquire_cell c0), t. repeat split; auto. apply vm_ok_iff in OK as (_ & _ & _ & L & _).
  apply (images_inv v (c_val (acquire_cell c0)) (load_next (c_val (acquire_cell c0)))
           (Z.to_nat (load_next (c_val (acquire_cell c0)))) 0 s u t); [lia | lia | exact I].
Qed.

(** Each page that was hashed was the VM's private page, in the frame to which the VM's
    table leads. *)
Theorem hashed_is_private v g s wss s' : hashed v g s wss s' ->
  forall k ws, nth_error wss k = Some ws -> exists (t1 : hstate) (e : Z) (t : hstate),
    walk_s2pt_spec [v; (g + Z.of_nat k) * 4096] t1 = Some (Ok e t) /\
    c_val (acquire_cell (st_s2 t)) !! frame_of e = Some (Vm v (Shared 0) (Some (g + Z.of_nat k))) /\
    ws = frame_contents (frame_of e) (sync_mem (st_mem t)).
Proof.
  induction 1 as [g s|g s e t ws wss s' W P -> H IH]; intros [|k] ws0; cbn [nth_error]; try discriminate.
  - intros [= <-]. exists s, e, t. rewrite Z.add_0_r. split; [exact W|]. split; [|reflexivity].
    unfold is_page_of in P. destruct (_ !! _) as [[|w [n|] [b|]|]|]; try discriminate. boolprop. now subst.
  - intros N. destruct (IH k ws0 N) as (t1 & e1 & t2 & A & B & C). exists t1, e1, t2.
    replace (g + Z.of_nat (Datatypes.S k)) with (g + 1 + Z.of_nat k) by lia. auto.
Qed.
