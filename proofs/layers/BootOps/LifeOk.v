(* SPDX-License-Identifier: Apache-2.0 *)
(** The transitions of a VM's record keep what holds of records ([vm_ok]) and go forward
    ([vm_le]).  So the states of a VM only grow, a vCPU that is active belongs to a VM that
    was verified, and what was loaded is frozen then.  Rests on [Life]; used by [Safe]. *)
From SeKVM.lib Require Import VcTac.
From SeKVM.machine Require Import BottomVmTac.
From SeKVM.layers.VMPower Require Import VmFacts.
From SeKVM.layers.BootOps Require Import Life LifeTac.
Local Open Scope Z_scope.

(** * Arrays *)

Lemma word_insert (m : gmap Z Z) i z j : word (<[i := z]> m) j = if j =? i then z else word m j.
Proof.
  unfold word. destruct (Z.eqb_spec j i) as [->|N]; [now rewrite lookup_insert | now rewrite lookup_insert_ne by congruence].
Qed.

Lemma vcpu_at_set x i z j : vcpu_at (set_vcpu_state i z x) j = if j =? i then z else vcpu_at x j.
Proof. apply word_insert. Qed.

(** * vCPUs *)

(** A change of the state of vCPU [i] alone, and of its pointer if the VM is not verified. *)
Lemma vcpu_change i z x : vm_ok x = true -> z = READY \/ z = ACTIVE /\ vm_state x = VERIFIED ->
  (vcpu_at x i = UNUSED -> vm_state x = READY) ->
  vm_ok (set_vcpu_state i z x) = true /\ vm_le x (set_vcpu_state i z x).
Proof.
  intros OK Z0 U. pose proof (vm_ok_state x OK). apply vm_ok_iff in OK as (S & K & I & L & V & A & B & C). split.
  - apply vm_ok_iff. repeat split; auto; try apply L. intros j R. specialize (V j R). unfold vcpu_ok in *.
    rewrite vcpu_at_set. destruct (Z.eqb_spec j i) as [->|]; [|exact V]. state_norm.
    destruct Z0 as [-> | [-> E]]; [reflexivity | rewrite E; reflexivity].
  - split.
    + state_norm. lia.
    + intros j. rewrite vcpu_at_set. destruct (Z.eqb_spec j i); [|auto]. intros ->. right.
      destruct Z0 as [Z0 | [_ E]]; [discriminate | rewrite E; reflexivity].
    + state_norm. lia.
    + intros j R. repeat split; auto. unfold img_mapped. state_norm. lia.
    + intros F. repeat split; auto; rewrite vcpu_at_set;
        match goal with |- context [?j =? i] => destruct (Z.eqb_spec j i) as [->|] end; auto.
      * intros E. specialize (U E). unfold READY, VERIFIED in *. lia.
      * intros E. destruct Z0 as [-> | [-> _]]; discriminate.
Qed.

Lemma activate_ok i x y : activate i x = Some y -> vm_ok x = true -> vm_ok y = true /\ vm_le x y.
Proof.
  unfold activate. destruct ((vm_state x =? VERIFIED) && (vcpu_at x i =? READY)) eqn:E; [|discriminate].
  intros [= <-] OK. boolprop. apply vcpu_change; auto. intros U. rewrite U in *. discriminate.
Qed.

Lemma deactivate_ok i x y : deactivate i x = Some y -> vm_ok x = true -> vm_ok y = true /\ vm_le x y.
Proof.
  unfold deactivate. destruct (vcpu_at x i =? ACTIVE) eqn:E; [|discriminate].
  intros [= <-] OK. boolprop. apply vcpu_change; auto. intros U. rewrite U in *. discriminate.
Qed.

(** A vCPU that becomes active belongs to a verified VM and was not active. *)
Lemma activate_verified i x y : activate i x = Some y -> vm_state x = VERIFIED /\ vcpu_at x i = READY /\ vcpu_at y i = ACTIVE.
Proof.
  unfold activate. destruct ((vm_state x =? VERIFIED) && (vcpu_at x i =? READY)) eqn:E; [|discriminate].
  intros [= <-]. boolprop. rewrite vcpu_at_set, Z.eqb_refl. auto.
Qed.

Lemma set_vcpu_ptr_ok i p x : vm_state x = READY -> vm_ok x = true ->
  vm_ok (set_vcpu_ptr i p x) = true /\ vm_le x (set_vcpu_ptr i p x).
Proof.
  intros R OK. pose proof OK as OK'. apply vm_ok_iff in OK as (S & K & I & L & V & A & B & C). split.
  - apply vm_ok_iff. repeat split; auto; apply L.
  - unfold READY, VERIFIED, POWEROFF in *. split; unfold READY, VERIFIED, POWEROFF; state_norm;
    [lia | auto | lia | same_images | intros ?; exfalso; lia].
Qed.

Lemma new_vcpu_ok i p x y : new_vcpu i p x = Some y -> vm_ok x = true -> vm_ok y = true /\ vm_le x y.
Proof.
  unfold new_vcpu. destruct ((vm_state x =? READY) && (vcpu_at x i =? UNUSED)) eqn:E; [|discriminate].
  intros [= <-] OK. boolprop. destruct (set_vcpu_ptr_ok i p x) as [OK1 L1]; auto.
  destruct (vcpu_change i READY (set_vcpu_ptr i p x)) as [OK2 L2]; auto. split; [exact OK2 | exact (vm_le_trans _ _ _ L1 L2)].
Qed.

(** * States *)

Lemma register_ok p x y : register p x = Some y -> in_range U64 p = true -> vm_ok x = true -> vm_ok y = true /\ vm_le x y.
Proof.
  unfold register. destruct (vm_state x =? UNUSED) eqn:E; [|discriminate]. intros [= <-] RP OK. boolprop.
  apply vm_ok_iff in OK as (S & K & I & L & V & A & B & C). split.
  - apply vm_ok_iff. split; [reflexivity|]. split; [now apply in_range_iff|]. split; [exact I|]. split; [exact L|].
    split; [|split; [exact A | split; [exact B | discriminate]]].
    intros j R. specialize (V j R). unfold vcpu_ok, vcpu_at in *. state_norm. rewrite E in V.
    destruct (word (vcpu_state x) j =? ACTIVE), (word (vcpu_state x) j =? UNUSED), (word (vcpu_state x) j =? READY);
      cbn in *; congruence.
  - unfold UNUSED, READY, VERIFIED, POWEROFF in *. split; unfold READY, VERIFIED, POWEROFF; state_norm;
    [lia | auto | lia | same_images | intros ?; exfalso; lia].
Qed.

Lemma verified_ok x : vm_state x = READY -> (forall i, 0 <= i < load_next x -> complete x i = true) -> vm_ok x = true ->
  vm_ok (verified x) = true /\ vm_le x (verified x).
Proof.
  unfold verified. intros R C' OK. apply vm_ok_iff in OK as (S & K & I & L & V & A & B & C). split.
  - apply vm_ok_iff. split; [reflexivity|]. split; [exact K|]. split; [exact I|]. split; [exact L|].
    split; [|split; [exact A | split; [exact B | intros _; exact C']]]. intros j Rj. specialize (V j Rj).
    unfold vcpu_ok, vcpu_at in *. state_norm. rewrite R in V.
    destruct (word (vcpu_state x) j =? ACTIVE), (word (vcpu_state x) j =? UNUSED), (word (vcpu_state x) j =? READY);
      cbn in *; congruence.
  - unfold READY, VERIFIED, POWEROFF in *. split; unfold READY, VERIFIED, POWEROFF; state_norm;
    [lia | auto | lia | same_images | intros ?; exfalso; lia].
Qed.

Lemma import_vcpu_ok i x y : import_vcpu i x = Some y -> vm_ok x = true -> vm_ok y = true /\ vm_le x y.
Proof.
  unfold import_vcpu. destruct ((vm_state x =? READY) && (vcpu_at x i =? READY)) eqn:E; [|discriminate].
  intros [= <-] OK. boolprop. apply vm_ok_iff in OK as (S & K & I & L & V & A & B & C). split.
  - apply vm_ok_iff. repeat split; auto; apply L.
  - unfold READY, VERIFIED, POWEROFF in *. split; unfold READY, VERIFIED, POWEROFF; state_norm;
    [lia | auto | lia | same_images | intros ?; exfalso; lia].
Qed.

(** * Images *)

Section AddImage.
  Context (a size r d : Z) (x : vminfo).
  Notation y := (add_image a size r d x).

  Lemma add_image_at j :
    img_addr y j = (if j =? load_next x then a else img_addr x j) /\
    img_size y j = (if j =? load_next x then size else img_size x j) /\
    img_remap y j = (if j =? load_next x then r else img_remap x j) /\
    img_mapped y j = (if j =? load_next x then 0 else img_mapped x j) /\
    img_digest y j = (if j =? load_next x then d else img_digest x j).
  Proof.
    unfold add_image, img_addr, img_size, img_remap, img_mapped, img_digest. cbv zeta. state_norm.
    rewrite !word_insert. auto.
  Qed.

  Lemma add_image_old j : j <> load_next x ->
    img_addr y j = img_addr x j /\ img_size y j = img_size x j /\ img_remap y j = img_remap x j /\
    img_mapped y j = img_mapped x j /\ img_digest y j = img_digest x j.
  Proof. intros N. destruct (add_image_at j) as (-> & -> & -> & -> & ->). apply Z.eqb_neq in N. rewrite N. auto. Qed.

  Lemma add_image_ok : vm_state x = READY -> fits a (pages size) x = true -> 0 <= a -> 0 < size ->
    REMAP_START <= r -> r mod 4096 = 0 -> r + 4096 * pages size <= REMAP_END -> in_range U64 d = true ->
    vm_ok x = true -> vm_ok y = true /\ vm_le x y.
  Proof.
    intros R F A0 S0 R1 R2 R3 D OK. apply vm_ok_iff in OK as (S & K & I & L & V & A & B & C).
    unfold fits in F. apply andb_true_iff in F as [F Fa]. rewrite forallb_seqZ in Fa. unfold MAX_LOAD_INFO in F. boolprop.
    assert (P0 : 0 <= pages size) by (unfold pages; Z.div_mod_to_equations; lia).
    assert (E : load_next y = load_next x + 1) by reflexivity. split.
    - apply vm_ok_iff. rewrite E. split; [exact S|]. split; [now apply in_range_iff|]. split; [now apply in_range_iff|].
      split; [lia|]. split; [exact V|].
      split; [|split].
      + intros j Rj. unfold image_ok, img_pages. destruct (Z.eq_dec j (load_next x)) as [->|Ne].
        * destruct (add_image_at (load_next x)) as (-> & -> & -> & -> & ->). rewrite Z.eqb_refl. bool_goal.
        * destruct (add_image_old j Ne) as (-> & -> & -> & -> & ->). exact (A j ltac:(lia)).
      + intros j Rj. unfold images_apart. apply forallb_seqZ. intros k Rk. unfold image_apart, img_pages.
        destruct (add_image_old k ltac:(lia)) as (-> & -> & _). destruct (Z.eq_dec j (load_next x)) as [->|Ne].
        * destruct (add_image_at (load_next x)) as (-> & -> & _). rewrite Z.eqb_refl. exact (Fa k ltac:(lia)).
        * destruct (add_image_old j Ne) as (-> & -> & _). specialize (B j ltac:(lia)). unfold images_apart in B.
          rewrite forallb_seqZ in B. exact (B k Rk).
      + intros X. change (vm_state y) with (vm_state x) in X. rewrite R in X. discriminate.
    - split.
      + change (vm_state y) with (vm_state x). lia.
      + intros k Hk. left. exact Hk.
      + rewrite E. lia.
      + intros j Rj. destruct (add_image_old j ltac:(lia)) as (-> & -> & -> & -> & ->). repeat split; lia.
      + rewrite R. unfold VERIFIED, READY. intros ?; exfalso; lia.
  Qed.
End AddImage.

Lemma add_page_ok i a x : next_slot i x = Some a -> 0 <= i -> vm_state x = READY -> vm_ok x = true ->
  vm_ok (add_page i x) = true /\ vm_le x (add_page i x).
Proof.
  unfold next_slot. destruct ((i <? load_next x) && (img_mapped x i <? img_pages x i)) eqn:E; [|discriminate].
  intros _ I0 R OK. boolprop. apply vm_ok_iff in OK as (S & K & I & L & V & A & B & C).
  assert (M : forall j, img_mapped (add_page i x) j = if j =? i then img_mapped x i + 1 else img_mapped x j).
  { intros j. apply word_insert. }
  split.
  - apply vm_ok_iff. split; [exact S|]. split; [exact K|]. split; [exact I|]. split; [exact L|]. split; [exact V|].
    split; [|split; [exact B|]].
    + intros j Rj. specialize (A j Rj). unfold image_ok in *. rewrite M.
      change (img_pages (add_page i x) j) with (img_pages x j). destruct (Z.eqb_spec j i) as [->|]; [|exact A].
      change (img_addr (add_page i x) i) with (img_addr x i). change (img_size (add_page i x) i) with (img_size x i).
      change (img_remap (add_page i x) i) with (img_remap x i). change (img_digest (add_page i x) i) with (img_digest x i).
      boolprop. bool_goal.
    + intros X. change (vm_state (add_page i x)) with (vm_state x) in X. rewrite R in X. discriminate.
  - split.
    + change (vm_state (add_page i x)) with (vm_state x). lia.
    + intros k Hk. left. exact Hk.
    + change (load_next (add_page i x)) with (load_next x). lia.
    + intros j Rj. repeat split; auto. rewrite M. destruct (Z.eqb_spec j i) as [->|]; lia.
    + rewrite R. unfold VERIFIED, READY. intros ?; exfalso; lia.
Qed.
