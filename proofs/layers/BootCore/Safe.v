(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 19, BootCore: nothing is handed out twice.  The counters hold numbers of VMs and
    pages of KCore's window ([core_ok]), at the start and after every request; and they
    only grow, so two requests, with whatever other CPUs request between, get different
    numbers and disjoint ranges.  Rests on [Spec]. *)
From SeKVM.lib Require Import VcTac PrimInv.
From SeKVM.machine Require Import StateTac Rel CellInv Init.
From SeKVM.layers.BootCore Require Import Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * The counters *)

Definition core_ok (x : core_data) : Prop :=
  1 <= next_vmid x <= 16 /\ REMAP_START <= next_remap_ptr x <= REMAP_END /\ next_remap_ptr x mod 4096 = 0.

Lemma core0_ok : core_ok core0.
Proof. repeat split; vm_compute; congruence. Qed.

Lemma core_ok_typed x : core_ok x -> counters_typed x = true.
Proof.
  unfold core_ok, REMAP_START, REMAP_END. intros (A & B & _). unfold counters_typed, in_range. cbn [modulus]. bool_goal.
Qed.

(** What others may do to them. *)
Definition core_le (x y : core_data) : Prop := next_vmid x <= next_vmid y /\ next_remap_ptr x <= next_remap_ptr y.

Lemma core_le_refl x : core_le x x.
Proof. split; lia. Qed.
Lemma core_le_trans x y z : core_le x y -> core_le y z -> core_le x z.
Proof. unfold core_le. lia. Qed.

Lemma fresh_vmid_ok x v y : fresh_vmid x = Some (v, y) -> core_ok x ->
  is_guest v = true /\ next_vmid x <= v < next_vmid y /\ core_ok y /\ core_le x y.
Proof.
  unfold fresh_vmid, core_ok, core_le, is_guest. destruct ((0 <? next_vmid x) && (next_vmid x <? 16)) eqn:E; [|discriminate].
  intros [= <- <-] H. rewrite E. cbn [set_next_vmid next_vmid next_remap_ptr]. boolprop. repeat split; lia.
Qed.

(** A range lies in the window, from a page on, and above all that was handed out. *)
Lemma fresh_range_ok n x p y : fresh_range n x = Some (p, y) -> core_ok x ->
  1 <= n /\ REMAP_START <= p /\ p + n * 4096 <= REMAP_END /\ p mod 4096 = 0 /\
  next_remap_ptr x <= p /\ p + n * 4096 <= next_remap_ptr y /\ core_ok y /\ core_le x y.
Proof.
  unfold fresh_range, core_ok, core_le. cbv zeta.
  destruct ((REMAP_START <=? next_remap_ptr x) && (next_remap_ptr x mod 4096 =? 0) && (1 <=? n) && (next_remap_ptr x + n *
    4096 <=? REMAP_END)) eqn:E; [|discriminate].
  intros [= <- <-] (A & B & D). cbn [set_next_remap_ptr next_vmid next_remap_ptr]. boolprop.
  assert ((next_remap_ptr x + n * 4096) mod 4096 = 0) by (Z.div_mod_to_equations; lia).
  repeat split; auto; lia.
Qed.

(** * Two requests *)

(** The counters [y] of the later request are those that the earlier one left, or come
    after them. *)
Theorem numbers_differ x v x' y w y' : core_ok x -> fresh_vmid x = Some (v, x') -> core_le x' y -> core_ok y ->
  fresh_vmid y = Some (w, y') -> v < w.
Proof.
  intros X E [L _] Y F. destruct (fresh_vmid_ok _ _ _ E X) as (_ & A & _). destruct (fresh_vmid_ok _ _ _ F Y) as (_ & B & _). lia.
Qed.

Theorem ranges_disjoint x n p x' y m q y' : core_ok x -> fresh_range n x = Some (p, x') -> core_le x' y -> core_ok y ->
  fresh_range m y = Some (q, y') -> p + n * 4096 <= q.
Proof.
  intros X E [_ L] Y F. destruct (fresh_range_ok _ _ _ _ E X) as (_ & _ & _ & _ & _ & A & _).
  destruct (fresh_range_ok _ _ _ _ F Y) as (_ & _ & _ & _ & B & _). lia.
Qed.

(** * Steps of the machine *)

Section Step.
  Context {N M P : Type}.
  Notation St := (St cell N M P).

  (** What this CPU sees and the others will publish is [core_ok]. *)
  Definition counters_ok (s : St) : Prop := cell_ok core_ok (st_core s).

  (** Read: each function of this layer, called while the counters are free, is defined
      for every argument, keeps the counters good, and changes nothing else; a fresh
      number or range is as the transition says. *)
  Theorem gen_vmid_safe (s : St) : counters_ok s -> c_held (st_core s) = false ->
    exists r, gen_vmid_spec [] s = Some r /\ res_all counters_ok (Some r) /\
      match r with
      | Ok v s' => fresh_vmid (c_val (acquire_cell (st_core s))) = Some (v, c_val (st_core s'))
      | Halt _ => next_vmid (c_val (acquire_cell (st_core s))) = 16
      end.
  Proof.
    intros I H. pose proof (acquire_ok _ _ I) as A. pose proof (core_ok_typed _ (proj1 A)) as Ty.
    unfold gen_vmid_spec, p0, with_core. rewrite H, Ty. cbn [negb].
    destruct (fresh_vmid _) as [[v x]|] eqn:E.
    - destruct (fresh_vmid_ok _ _ _ E (proj1 A)) as (G & _ & OK & _).
      unfold publish_core, chk. replace (in_range U32 v) with true
        by (unfold is_guest, in_range in *; cbn [modulus]; boolprop; symmetry; bool_goal).
      eexists. split; [reflexivity|]. split; [|reflexivity]. apply release_ok. now apply set_val_ok.
    - eexists. split; [reflexivity|]. split; [exact A|]. destruct A as [(R & _) _].
      unfold fresh_vmid in E. destruct (is_guest _) eqn:G; [discriminate|]. unfold is_guest in G. boolprop. lia.
  Qed.

  Theorem alloc_remap_addr_safe n (s : St) : in_range U64 n = true -> counters_ok s -> c_held (st_core s) = false ->
    exists r s', alloc_remap_addr_spec [n] s = Some (Ok r s') /\ counters_ok s' /\
      (fresh_range n (c_val (acquire_cell (st_core s))) = Some (r, c_val (st_core s')) \/
       r = 0 /\ c_val (st_core s') = c_val (acquire_cell (st_core s))).
  Proof.
    intros Rn I H. pose proof (acquire_ok _ _ I) as A. pose proof (core_ok_typed _ (proj1 A)) as Ty.
    unfold alloc_remap_addr_spec, p1, with_core. rewrite Rn, H, Ty. cbn [negb].
    destruct (fresh_range n _) as [[p x]|] eqn:E.
    - destruct (fresh_range_ok _ _ _ _ E (proj1 A)) as (B1 & B2 & B3 & _ & _ & _ & OK & _).
      unfold publish_core, chk. replace (in_range U64 p) with true
        by (unfold REMAP_START, REMAP_END, in_range in *; cbn [modulus]; symmetry; bool_goal).
      do 2 eexists. split; [reflexivity|]. split; [|left; reflexivity]. apply release_ok. now apply set_val_ok.
    - do 2 eexists. split; [reflexivity|]. split; [|right; split; reflexivity]. now apply release_ok.
  Qed.
End Step.
