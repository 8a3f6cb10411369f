(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 29, CtxtSwitch: what a switch saves it restores.  Every register of the sets comes back with its value, whatever
    the CPU held in between; so nothing of the other side remains in them.  The host runs with its stage 2 on.  Rests on
    [Spec]. *)
From SeKVM.layers.CtxtSwitch Require Import Spec.
Local Open Scope Z_scope.

(** The sets name no register twice, on either side, and do not overlap. *)
Lemma sys_distinct : NoDup (map fst sys_moves) /\ NoDup (map snd sys_moves).
Proof. split; apply (bool_decide_unpack (NoDup _)); vm_compute; exact I. Qed.
Lemma fp_distinct : NoDup (map fst fp_moves) /\ NoDup (map snd fp_moves).
Proof. split; apply (bool_decide_unpack (NoDup _)); vm_compute; exact I. Qed.
Lemma gp_distinct : NoDup (map fst gp_moves) /\ NoDup (map snd gp_moves).
Proof. split; apply (bool_decide_unpack (NoDup _)); vm_compute; exact I. Qed.

Definition not_in (rs : list reg) (l : list reg) : bool := forallb (fun r => negb (bool_decide (r ∈ l))) rs.
Lemma not_in_spec rs l r : not_in rs l = true -> In r rs -> ~ In r l.
Proof.
  unfold not_in. rewrite forallb_forall. intros A B C. specialize (A r B). apply negb_true_iff in A.
  apply bool_decide_eq_false in A. now apply A, elem_of_list_In.
Qed.

(** The registers of the sets on the CPU's side. *)
Definition sys_phys : list reg := map snd sys_moves.
Definition fp_phys : list reg := map snd fp_moves.

Theorem switch_round_trip phys ctxt phys' r : In r (sys_phys ++ fp_phys)%list ->
  reg_get r (restored (saved phys ctxt) phys') = reg_get r phys.
Proof.
  unfold restored, saved. intros I. apply in_app_iff in I as [I|I].
  - assert (E : ~ In r (map fst (reversed fp_moves))).
    { apply (not_in_spec sys_phys _ r); [vm_compute; reflexivity | exact I]. }
    rewrite move_out by exact E. apply in_map_iff in I as ([x y] & <- & I). cbn [snd].
    transitivity (reg_get x (move_regs fp_moves phys (move_regs sys_moves phys ctxt))).
    + apply move_in; [|apply in_map_iff; now exists (x, y)]. unfold reversed. rewrite map_map. apply sys_distinct.
    + rewrite move_out; [apply move_in; [apply sys_distinct | exact I]|].
      apply (not_in_spec (map fst sys_moves) _ x); [vm_compute; reflexivity|]. apply in_map_iff. now exists (x, y).
  - apply in_map_iff in I as ([x y] & <- & I). cbn [snd].
    transitivity (reg_get x (move_regs fp_moves phys (move_regs sys_moves phys ctxt))).
    + apply move_in; [|apply in_map_iff; now exists (x, y)]. unfold reversed. rewrite map_map. apply fp_distinct.
    + apply move_in; [apply fp_distinct | exact I].
Qed.

(** So after a restore the registers of the sets are a function of the context alone. *)
Theorem restored_only ctxt phys phys' r : In r (sys_phys ++ fp_phys)%list ->
  reg_get r (restored ctxt phys) = reg_get r (restored ctxt phys').
Proof.
  unfold restored. intros I. apply in_app_iff in I as [I|I].
  - assert (E : ~ In r (map fst (reversed fp_moves))).
    { apply (not_in_spec sys_phys _ r); [vm_compute; reflexivity | exact I]. }
    rewrite (move_out _ _ (move_regs (reversed sys_moves) ctxt phys) _ E).
    rewrite (move_out _ _ (move_regs (reversed sys_moves) ctxt phys') _ E). apply in_map_iff in I as ([x y] & <- & I). cbn [snd].
    assert (J : In (y, x) (reversed sys_moves)) by (apply in_map_iff; now exists (x, y)).
    assert (D : NoDup (map fst (reversed sys_moves))) by (unfold reversed; rewrite map_map; apply sys_distinct).
    transitivity (reg_get x ctxt); [|symmetry]; (apply move_in; [exact D | exact J]).
  - apply in_map_iff in I as ([x y] & <- & I). cbn [snd].
    assert (J : In (y, x) (reversed fp_moves)) by (apply in_map_iff; now exists (x, y)).
    assert (D : NoDup (map fst (reversed fp_moves))) by (unfold reversed; rewrite map_map; apply fp_distinct).
    transitivity (reg_get x ctxt); [|symmetry]; (apply move_in; [exact D | exact J]).
Qed.

(** General registers move at entry and exit of KCore, by the same rule. *)
Theorem general_round_trip phys ctxt phys' r : In r x_regs ->
  reg_get r (move_regs (reversed gp_moves) (move_regs gp_moves phys ctxt) phys') = reg_get r phys.
Proof.
  intros I. apply (round_trip gp_moves phys ctxt phys' r r); [apply gp_distinct | apply gp_distinct |].
  unfold gp_moves, same_name. apply in_map_iff. exists r. split; [reflexivity | exact I].
Qed.

(** The program counter and the state are saved: the VM goes on where it was. *)
Theorem goes_on phys ctxt : reg_get PC (saved phys ctxt) = reg_get ELR_EL2 phys /\
  reg_get PSTATE (saved phys ctxt) = reg_get SPSR_EL2 phys.
Proof.
  unfold saved. split; (rewrite move_out; [|apply (not_in_spec [PC; PSTATE])]).
  - apply move_in; [apply sys_distinct | now left].
  - vm_compute. reflexivity.
  - now left.
  - apply move_in; [apply sys_distinct | right; now left].
  - vm_compute. reflexivity.
  - right. now left.
Qed.

(** Stage 2 is on for the host and for every VM, with the table of its own number. *)
Theorem stage2_on phys m v :
  Z.testbit (reg_get HCR_EL2 (host_control phys)) 0 = true /\ reg_get VTTBR_EL2 (host_control phys) = pt_vttbr HOSTVISOR /\
  Z.testbit (reg_get HCR_EL2 (vm_control v m phys)) 0 = true /\ reg_get VTTBR_EL2 (vm_control v m phys) = pt_vttbr v.
Proof.
  unfold host_control, vm_control, on_reg. cbn [put_all fold_right vm_traps fst snd].
  rewrite !reg_get_insert. repeat split; reflexivity.
Qed.
