(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 32, TrapDispatcher: no argument of the host and no trap of a VM leads out of the specification or stops the
    machine by itself.  Handlers are called with arguments of their C types, what is refused changes nothing but the
    answer, and a panic is a handler's.  Rests on [Spec]; used by who joins the layers. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import Wp PrimInv.
From SeKVM.layers.VCPUOpsAux Require Import CallLaws.
From SeKVM.layers.TrapDispatcher Require Import Spec ProofCode.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** A number stands for one call. *)
Theorem numbers_distinct : base.NoDup (map number calls).
Proof. apply (bool_decide_unpack (base.NoDup _)). vm_compute. exact I. Qed.

(** What a handler is passed has the types of its parameters. *)
Lemma typed_from x ps : forall k,
  (forall i, in_range U64 (x i) = true) ->
  (forall i t, In (i, t) (combine (seq k (List.length ps)) ps) -> t = U32 -> x i < 4294967296) ->
  Forall2 (fun t z => in_range t z = true) ps (map x (seq k (List.length ps))).
Proof.
  induction ps as [|t ps IH]; intros k W B; cbn [List.length seq map]; constructor.
  - specialize (W k). destruct t; [|exact W]. apply in_range_iff in W. apply in_range_iff. cbn [modulus] in *.
    assert (x k < 4294967296) by (eapply B; [now left | reflexivity]). lia.
  - apply IH; [exact W|]. intros i u J. apply B. now right.
Qed.

Theorem passed_typed m h : request (words m) calls = Some h ->
  Forall2 (fun t z => in_range t z = true) (parameters h) (passed (words m) h).
Proof.
  intros E. apply request_in in E as (J & _ & A). pose proof calls_well_formed as W. rewrite forallb_forall in W.
  specialize (W h J). unfold well_formed in W. apply andb_true_iff in W as [_ W]. rewrite forallb_forall in W.
  apply typed_from; [intros i; apply numbered_in_range|]. intros i t K ->. specialize (W _ K). cbn in W.
  exact (narrow_range _ _ _ A W).
Qed.

Section Safe.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Context (ops : ident -> prim St) (core_handle_pvops : prim St).

  (** A context that is loaded here. *)
  Definition loaded (s : St) (m : regfile) : Prop :=
    in_range U32 (cpu_vmid (st_cpu s)) && in_range U32 (cpu_vcpuid (st_cpu s)) = true /\ cur_ctxt s = Some m.

  (** A call that is refused is answered, and nothing else happens. *)
  Theorem refused_is_harmless s m : loaded s m -> request (words m) calls = None ->
    host_hvc_dispatcher_spec ops [] s = Some (Ok 0 (put_cur (<[X0 := REFUSED]> m) s)).
  Proof.
    intros [R G] E. unfold host_hvc_dispatcher_spec, p0, with_cur, serve, answer. cbv zeta. rewrite R.
    unfold cur_ctxt in G.
    now rewrite G, E.
  Qed.

  (** An operation of the table is total on arguments of its types, keeps the caller's context, and answers a word. *)
  Definition serves (h : hypercall) (v c : Z) (s : St) : Prop := forall vs,
    Forall2 (fun t z => in_range t z = true) (parameters h) vs ->
    match ops (handler h) vs s with
    | Some (Ok r t) => (has_result h = true -> in_range U64 r = true) /\ exists m, get_ctxt v c t = Some m
    | Some (Halt _) => True
    | None => False
    end.

  (** Then every call of the host is answered, or one handler panics. *)
  Theorem dispatch_defined s m : loaded s m ->
    (forall h, In h calls -> serves h (cpu_vmid (st_cpu s)) (cpu_vcpuid (st_cpu s)) s) ->
    exists r, host_hvc_dispatcher_spec ops [] s = Some r /\
      match r with
      | Ok v _ => v = 0
      | Halt t => exists h vs, In h calls /\ ops (handler h) vs s = Some (Halt t)
      end.
  Proof.
    intros L A. destruct (request (words m) calls) as [h|] eqn:E.
    - destruct L as [R G]. unfold host_hvc_dispatcher_spec, p0, with_cur, serve. cbv zeta. unfold cur_ctxt in G.
      rewrite R, G, E.
      pose proof (request_in _ _ _ E) as (J & _ & _). specialize (A h J _ (passed_typed m h E)).
      destruct (ops (handler h) _ s) as [[r t|t]|] eqn:O; cbn [then_]; [| |tauto].
      + destruct A as [W [m1 G1]]. unfold answer.
        assert (WX : in_range U64 (if has_result h then r else 0) = true) by (destruct (has_result h);
          [now apply W | reflexivity]).
        rewrite WX, G1. cbn [chk Z.eqb]. eexists. split; reflexivity.
      + cbn [chk]. eexists. split; [reflexivity|]. exists h, (passed (words m) h). auto.
    - rewrite (refused_is_harmless s m L E). eexists. split; reflexivity.
  Qed.

  (** Of the traps of a VM only a call can stop the machine, and only if the operation behind it does. *)
  Theorem exit_stops v c s t : vm_exit_dispatcher_spec core_handle_pvops [v; c] s = Some (Halt t) ->
    exists m, get_ctxt v c s = Some m /\ service_of m = Ask /\ core_handle_pvops [] s = Some (Halt t).
  Proof.
    unfold vm_exit_dispatcher_spec. intros H. apply p2_inv in H as (v' & c' & E & _ & _ & H). injection E as <- <-.
    destruct (get_ctxt v c s) as [m|]; [|discriminate H]. exists m. split; [reflexivity|].
    destruct (service_of m); [discriminate H | | discriminate H]. split; [reflexivity|].
    unfold chk in H. destruct (core_handle_pvops [] s) as [[z u|u]|]; [destruct (in_range U32 z) | |]; congruence.
  Qed.
End Safe.
