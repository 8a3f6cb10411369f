(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 34, TrapHandler: what each side sees of the other.  After an exit the host's registers are those of its own
    context, and the ledger has grown by exactly the list that the reason of the exit allows; a VM stops the machine
    only through the operations that serve it; a refused call of the host changes x0 alone.  Rests on [Spec], and on
    what VCPUOps proves of an exit. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import PrimInv.
From SeKVM.layers.VCPUOpsAux Require Import CtxtLaws.
From SeKVM.layers.VCPUOps Require Safe.
From SeKVM.layers.CtxtSwitch Require Safe.
From SeKVM.layers.FaultHandler Require Spec.
From SeKVM.layers.TrapHandlerRaw Require Import Moves.
From SeKVM.layers.TrapHandler Require Import Spec Registers.
Local Open Scope Z_scope.

(** * Registers *)

(** The registers of a switch, once each on either side. *)
Lemma everything_distinct : base.NoDup (map fst everything) /\ base.NoDup (map snd everything).
Proof. split; apply (bool_decide_unpack (base.NoDup _)); vm_compute; exact I. Qed.

(** The host's registers after an exit are a function of its own context: nothing of the VM remains in them. *)
Theorem host_sees_its_own m phys phys' r : In r (map snd everything) ->
  reg_get r (host_regs m phys) = reg_get r (host_regs m phys').
Proof.
  intros J. apply in_map_iff in J as ([x y] & <- & J). unfold host_regs.
  assert (R : In (y, x) (reversed everything)) by (apply in_map_iff; exists (x, y); auto).
  assert (D : base.NoDup (map fst (reversed everything))) by (unfold reversed; rewrite map_map;
    apply everything_distinct).
  cbn [snd]. rewrite (move_in _ m (host_control phys) y x D R). symmetry.
  exact (move_in _ m (host_control phys') y x D R).
Qed.

(** And they are what the host had when it let the VM run. *)
Theorem host_goes_on phys h phys' r : In r (map snd everything) ->
  reg_get r (host_regs (move_regs everything phys h) phys') = reg_get r phys.
Proof.
  intros J. apply in_map_iff in J as ([x y] & <- & J).
  exact (round_trip everything phys h (host_control phys') x y (proj1 everything_distinct) (proj2
    everything_distinct) J).
Qed.

(** * What an exit shows *)

(** A switch saves other registers of the context than those that say why it came. *)
Lemma saved_other phys m r : In (r, r) (fault_moves ++ gp_moves) -> reg_get r (saved phys m) = reg_get r m.
Proof.
  intros J. unfold saved.
  assert (A : forallb (fun p => negb (bool_decide (fst p ∈ map fst fp_moves)) &&
    negb (bool_decide (fst p ∈ map fst sys_moves)))
                (fault_moves ++ gp_moves) = true) by (vm_compute; reflexivity).
  rewrite forallb_forall in A. specialize (A _ J). cbn [fst] in A. apply andb_true_iff in A as [A B].
  apply negb_true_iff, bool_decide_eq_false in A. apply negb_true_iff, bool_decide_eq_false in B.
  rewrite !move_out; [reflexivity | |]; intros K; [apply B | apply A]; now apply elem_of_list_In.
Qed.

(** So what an exit is about stands in the context as the CPU had it. *)
Lemma trap_register phys m r : In (r, r) (fault_moves ++ gp_moves) ->
  reg_get r (saved phys (trapped phys m)) = reg_get r phys.
Proof. intros J. rewrite saved_other by exact J. now apply trapped_get. Qed.

Ltac in_list := vm_compute; repeat (first [left; reflexivity | right]).

Lemma trap_numbered phys m i : In i [44; 72; 42; 41] \/ 0 <= i < 32 ->
  numbered i (saved phys (trapped phys m)) = numbered i phys.
Proof.
  intros J. unfold numbered. destruct (reg_of_code i) as [r|] eqn:E; [|reflexivity].
  unfold reg_word. rewrite trap_register; [reflexivity|]. destruct J as [J|J].
  - cbn in J. destruct J as [<-|[<-|[<-|[<-|[]]]]]; injection E as <-; in_list.
  - assert (K : In r x_regs).
    { unfold x_regs, regs_from. apply elem_of_list_In, elem_of_list_omap. exists i. split; [|exact E].
      apply elem_of_seqZ. assert (i <> 31) by (intros ->; discriminate E). lia. }
    apply in_or_app. right. unfold gp_moves, same_name. apply in_map_iff. exists r. split; [reflexivity | exact K].
Qed.

Lemma trap_exit phys m : exit_of (saved phys (trapped phys m)) = exit_of phys.
Proof.
  unfold exit_of, short_esr, hvc_function, reg_word. rewrite !trap_register by in_list. reflexivity.
Qed.

Lemma trap_shown phys m i : In i (exit_shown (exit_of phys)) -> shown i (saved phys (trapped phys m)) = shown i phys.
Proof.
  intros J. unfold shown. rewrite trap_numbered; [reflexivity|].
  destruct (VCPUOps.Safe.exit_shown_bounded (exit_of phys)) as (l & E & L). rewrite E in J.
  destruct J as [<-|J]; [left; now left|]. specialize (L _ J).
  destruct (exit_of phys) as [| | |f|esr hpfar]; cbn in L.
  - destruct L.
  - left. cbn. tauto.
  - left. cbn. tauto.
  - destruct L as [<-|[<-|[<-|[<-|[<-|[]]]]]]; [left; cbn; tauto | right; lia ..].
  - destruct L as [<-|[<-|[<-|[<-|[]]]]]; [left; cbn; tauto .. | right]. unfold srt.
    change 31 with (Z.ones 5). rewrite Z.land_ones by lia. change 32 with (2 ^ 5). apply Z.mod_pos_bound. lia.
Qed.

Section Exit.
  Context {P : Type}.
  Notation St := (St cell pmap pmap P).
  Context (off inactive pvops : prim St).
  Implicit Type s : St.
  Notation silent := VCPUOps.Safe.silent.

  (** The entries of the ledger of flows. *)
  Definition is_flow (o : out_event) : bool := match o with Flow _ _ _ => true | _ => false end.
  Definition flows s : list out_event := List.filter is_flow (st_outs s).

  Lemma flows_show v c m l o : List.filter is_flow (show v c m l o) = show v c m l (List.filter is_flow o).
  Proof.
    unfold show. revert o. induction l as [|i l IH]; intros o; [reflexivity|]. cbn [fold_left]. now rewrite IH.
  Qed.

  (** Leaving the VM adds what the CPU's registers say of the exit. *)
  Lemma to_host_shows s m0 v s' : silent off -> silent inactive -> cur_ctxt s = Some (trapped (phys_regs s) m0) ->
    to_host (save_vm_spec off inactive) s = Some (Ok v s') ->
    st_outs s' = show (cpu_vmid (st_cpu s)) (cpu_vcpuid (st_cpu s)) (phys_regs s) (exit_shown (exit_of (phys_regs
      s))) (st_outs s).
  Proof.
    intros QO QI G H. unfold to_host in H.
    destruct (save_vm_spec off inactive [] s) as [[z s3|s3]|] eqn:SV; cbn [then_] in H; try discriminate H.
    cbv zeta in H. destruct (cur_ctxt _) as [h|] in H; [|discriminate H]. injection H as <- <-.
    cbn [st_outs put_regs set_cpu].
    unfold save_vm_spec in SV. apply p0_inv in SV as (_ & SV). rewrite G in SV. cbv zeta in SV.
    set (m := saved (phys_regs s) (trapped (phys_regs s) m0)) in *.
    set (s1 := put_regs (no_traps (phys_regs s)) (put_cur m s)) in *.
    destruct (save_shadow_kvm_regs_spec off [] s1) as [[z2 s2|s2]|] eqn:SS; cbn [then_ chk] in SV;
      try discriminate SV.
    apply (VCPUOps.Safe.exit_exposes off s1 z2 s2 m QO) in SS; [|exact (get_put_ctxt _ _ s _ m G)].
    destruct (_ && _) in SV; [|discriminate SV].
    destruct (inactive _ s2) as [[z3 s4|s4]|] eqn:SI; cbn [then_ chk] in SV; try discriminate SV.
    change (0 =? 0) with true in SV. cbv iota in SV. injection SV as _ <-.
    apply QI in SI. rewrite SI, SS. symmetry. apply VCPUOps.Safe.exit_hides; [symmetry; apply trap_exit|].
    intros i J. symmetry. now apply trap_shown.
  Qed.

  (** What a VM's call does if KCore serves it: no flow; and if not: nothing. *)
  Definition says_nothing (p : prim St) : Prop := forall s z s', p [] s = Some (Ok z s') -> flows s' = flows s.
  Definition leaves_alone (p : prim St) : Prop := forall s z s', p [] s = Some (Ok z s') -> z <> 0 -> s' = s.

  (** Traps that KCore may serve itself. *)
  Definition servable (phys : regfile) : bool :=
    (reg_word EC phys =? TRAP) && match service_of phys with Leave => false | _ => true end.

  (** The whole of what an exit shows to the host: nothing if it was served here, else the registers of the list for
      its reason, with the values that they had on the CPU. *)
  Theorem exit_shows s z s' : silent off -> silent inactive -> says_nothing pvops -> leaves_alone pvops ->
    vm_exit_handler_spec pvops (save_vm_spec off inactive) [] s = Some (Ok z s') ->
    servable (phys_regs s) = true /\ flows s' = flows s \/
    flows s' = show (cpu_vmid (st_cpu s)) (cpu_vcpuid (st_cpu s)) (phys_regs s) (exit_shown (exit_of (phys_regs s)))
      (flows s).
  Proof.
    intros QO QI QP AP H. unfold vm_exit_handler_spec in H. apply p0_inv in H as (_ & H). unfold with_cur in H.
    cbv zeta in H.
    destruct (_ && _) in H; [|discriminate H]. destruct (get_ctxt _ _ s) as [m|] eqn:G in H; [|discriminate H].
    set (s0 := put_ctxt _ _ (trapped (phys_regs s) m) s) in H.
    assert (G0 : cur_ctxt s0 = Some (trapped (phys_regs s0) m)) by exact (get_put_ctxt _ _ s _ _ G).
    assert (OUT : forall r, chk None (to_host (save_vm_spec off inactive) s0) = Some (Ok z r) ->
      flows r = show (cpu_vmid (st_cpu s)) (cpu_vcpuid (st_cpu s)) (phys_regs s) (exit_shown (exit_of (phys_regs s)))
        (flows s)).
    { intros r E. unfold chk in E.
      destruct (to_host _ s0) as [[w u|u]|] eqn:T; try discriminate E. destruct (w =? 0); [|discriminate E].
      injection E as _ <-. apply (to_host_shows s0 m w u QO QI G0) in T. unfold flows. rewrite T. apply flows_show. }
    assert (STAY : forall u r, chk None (resume u) = Some (Ok z r) -> flows r = flows u).
    { intros u r E. unfold resume in E. destruct (cur_ctxt u) as [k|]; [|discriminate E]. cbn [chk] in E.
      injection E as _ <-. reflexivity. }
    unfold servable. destruct (reg_word EC (phys_regs s) =? TRAP); [|right; now apply OUT].
    destruct (service_of (phys_regs s)).
    - left. split; [reflexivity|]. now apply STAY in H.
    - destruct (pvops [] s0) as [[leave s1|s1]|] eqn:PV; cbn [chk] in H; [| discriminate H | discriminate H].
      destruct (in_range U32 leave); cbn [then_] in H; [|discriminate H].
      destruct (Z.eqb_spec leave 0) as [->|NZ].
      + left. split; [reflexivity|]. apply STAY in H. rewrite H. exact (QP _ _ _ PV).
      + right. rewrite (AP _ _ _ PV NZ) in H. now apply OUT.
    - right. now apply OUT.
  Qed.

  (** A VM's exit stops the machine only through the operation that serves its call, or through saving it. *)
  Theorem exit_stops save_vm s t : vm_exit_handler_spec pvops save_vm [] s = Some (Halt t) ->
    exists u, pvops [] u = Some (Halt t) \/ save_vm [] u = Some (Halt t).
  Proof.
    intros H. unfold vm_exit_handler_spec in H. apply p0_inv in H as (_ & H). unfold with_cur in H. cbv zeta in H.
    destruct (_ && _) in H; [|discriminate H]. destruct (get_ctxt _ _ s) as [m|] in H; [|discriminate H].
    set (s0 := put_ctxt _ _ (trapped (phys_regs s) m) s) in H.
    assert (OUT : forall u, chk None (to_host save_vm u) = Some (Halt t) -> save_vm [] u = Some (Halt t)).
    { intros u E. unfold to_host in E. destruct (save_vm [] u) as [[w x|x]|]; cbn [then_] in E; try discriminate E.
      - cbv zeta in E. destruct (cur_ctxt _) in E; discriminate E.
      - cbn [chk] in E. now injection E as <-. }
    assert (STAY : forall u, chk None (resume u) <> Some (Halt t)).
    { intros u E. unfold resume in E. destruct (cur_ctxt u); discriminate E. }
    destruct (reg_word EC (phys_regs s) =? TRAP); [|exists s0; right; now apply OUT].
    destruct (service_of (phys_regs s)).
    - exfalso. now apply STAY in H.
    - destruct (pvops [] s0) as [[leave s1|s1]|] eqn:PV; cbn [chk] in H; [| | discriminate H].
      + destruct (in_range U32 leave); cbn [then_] in H; [|discriminate H].
        destruct (leave =? 0); [exfalso; now apply STAY in H | exists s1; right; now apply OUT].
      + cbn [then_ chk] in H. exists s0. left. now injection H as <-.
    - exists s0. right. now apply OUT.
  Qed.
End Exit.

(** * Calls of the host *)

Section Calls.
  Context {P : Type}.
  Notation St := (St cell pmap pmap P).
  Context (ops : ident -> prim St).

  Lemma answered_regs x phys m r :
    reg_get r (resumed (<[X0 := x]> (entered phys m)) phys) = if decide (r = X0) then x else reg_get r phys.
  Proof.
    assert (D : base.NoDup (map fst (reversed gp_moves))).
    { unfold reversed. rewrite map_map. apply CtxtSwitch.Safe.gp_distinct. }
    unfold resumed. destruct (decide (r ∈ x_regs)) as [J|J].
    - apply elem_of_list_In in J. rewrite (move_in (reversed gp_moves) _ _ r r D).
      + rewrite reg_get_insert. destruct (decide (r = X0)); [reflexivity | now apply entered_get].
      + unfold reversed, gp_moves, same_name. rewrite map_map. apply in_map_iff. exists r. auto.
    - rewrite move_out.
      + destruct (decide (r = X0)) as [->|]; [|reflexivity]. destruct J. apply elem_of_list_In. now left.
      + unfold reversed, gp_moves, same_name. rewrite !map_map. cbn [fst snd]. rewrite map_id. intros K.
        apply J. now apply elem_of_list_In.
  Qed.

  (** A call that is refused changes x0 on the CPU, and in the state only the host's own context beside it. *)
  Theorem refused_call (s : St) m :
    in_range U32 (cpu_vmid (st_cpu s)) && in_range U32 (cpu_vcpuid (st_cpu s)) = true -> cur_ctxt s = Some m ->
    request (words (phys_regs s)) calls = None ->
    exists phys m', host_hvc_handler_spec ops [] s = Some (Ok 0 (put_regs phys (put_cur m' s))) /\
      forall r, reg_get r phys = if decide (r = X0) then REFUSED else reg_get r (phys_regs s).
  Proof.
    intros R G E. set (m1 := entered (phys_regs s) m). set (m2 := <[X0 := REFUSED]> m1).
    exists (resumed m2 (phys_regs s)), m2. split; [|apply answered_regs].
    unfold host_hvc_handler_spec, p0, with_cur. cbv zeta. unfold cur_ctxt in G. rewrite R, G.
    unfold host_call. rewrite E. unfold answer. cbn [in_range]. fold m1.
    rewrite (get_put_ctxt _ _ _ _ m1 G). fold m2. rewrite put_put_ctxt.
    assert (C : cur_ctxt (put_cur m2 s) = Some m2) by exact (get_put_ctxt _ _ _ _ m2 G).
    cbn [then_]. unfold resume.
    change (put_ctxt (cpu_vmid (st_cpu s)) (cpu_vcpuid (st_cpu s)) m2 s) with (put_cur m2 s).
    change (in_range U64 REFUSED) with true. cbv iota. cbn [then_]. rewrite C. reflexivity.
  Qed.
End Calls.

(** * The premises hold of what layer 31 provides *)

(** A VM's call that is not for KCore leaves the state alone. *)
Lemma core_handle_pvops_leaves_alone : leaves_alone (FaultHandler.Spec.core_handle_pvops_spec (M := pmap)).
Proof.
  intros s z s' H NZ. unfold FaultHandler.Spec.core_handle_pvops_spec in H. apply p0_inv in H as (_ & H).
  cbv zeta in H.
  destruct (in_range U32 (cpu_vmid _)) in H; [|discriminate H].
  destruct (in_range U32 (cpu_vcpuid _)) in H; [|discriminate H].
  destruct (NPTOps.Spec.is_guest _) in H; [|discriminate H].
  destruct (get_ctxt _ _ s) as [m|] in H; [|discriminate H].
  unfold FaultHandler.Spec.shares in H. cbv zeta in H.
  destruct (_ =? FaultHandler.Spec.HVC_KVM_SET_DESC_PFN) in H.
  - destruct (MemoryOps.Spec.grant_stage2_sg_gpa_spec _ s) as [[w u|u]|] in H; cbn in H; try discriminate H.
    congruence.
  - destruct (_ =? FaultHandler.Spec.HVC_KVM_UNSET_DESC_PFN) in H.
    + destruct (MemoryOps.Spec.revoke_stage2_sg_gpa_spec _ s) as [[w u|u]|] in H; cbn in H; try discriminate H.
      congruence.
    + cbn in H. congruence.
Qed.
