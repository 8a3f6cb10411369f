(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 23, MmioCoreAux: each function's code meets its specification, over the
    primitives that it uses.  Used by [Refine]. *)
From SeKVM.lib Require Import Bits VcTac PrimInv.
From SeKVM.layers.MmioRaw Require Import ProofCode.
From SeKVM.layers.MmioCoreAux Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** The bank of an offset among the attributes. *)
Lemma cbar_bank off : (4096 <=? off) = true -> (off <? 4128) = true ->
  0 <= (off - 4096) / 4 < 8 /\ 0 <= off - 4096 < 32.
Proof. intros A B. boolprop. Z.div_mod_to_equations. lia. Qed.

Lemma low_word_range v : 0 <= low_word v < 4294967296.
Proof. apply Z.mod_pos_bound. lia. Qed.

Section Code.
  Context {N M P : Type}.
  Notation St := (St cell N M P).

  Lemma handle_smmu_global_access_code : fun_ok (@U N M P) f_handle_smmu_global_access handle_smmu_global_access_spec.
  Proof.
    code_intro f_handle_smmu_global_access.
    match goal with E : context [smmu_global_policy] |- _ => clear E end.
    repeat sstep. do_call. sstep. cbv iota beta.
    match goal with |- context [host_word ?r ?m] => generalize (host_word r m) end. intros d.
    unfold smmu_global_policy, scr0_ok, scr2_ok, cbar_ok. same_cases;
      (split; [lia|]);
      match goal with A : (4096 <=? ?o) = true, B : (?o <? 4128) = true |- _ => pose proof (cbar_bank o A B) end;
      boolprop; ssteps; finish.
  Qed.

  Lemma handle_smmu_cb_access_code : fun_ok (@U N M P) f_handle_smmu_cb_access handle_smmu_cb_access_spec.
  Proof.
    code_intro f_handle_smmu_cb_access. match goal with E : context [smmu_cb_policy] |- _ => clear E end.
    rewrite mask12. ssteps. unfold smmu_cb_policy. same_cases.
  Qed.

  Lemma __handle_smmu_write_code : fun_ok (@U N M P) f___handle_smmu_write __handle_smmu_write_spec.
  Proof.
    code_intro f___handle_smmu_write; low_words;
      try match goal with E : host_ctxt ?s = Some ?m |- context [host_word ?r _] => pose proof (host_word_range r m) end;
      try match goal with |- context [Mmio_write _ 4 (low_word ?v)] => pose proof (low_word_range v) end;
      ssteps; finish.
  Qed.

  (** The load, and the register that it goes to. *)
  Lemma load_call t a (s : St) : in_range U64 a = true -> device_read t [a] s = Some (Ok (device_value t s) (device_taken s)).
  Proof.
    intros R. unfold device_read, p1. rewrite R. cbn [chk]. unfold device_value.
    assert (in_range t (wrap t (device_word s)) = true) as -> by apply in_range_iff, wrap_range. reflexivity.
  Qed.

  Lemma device_value_range t (s : St) : in_range U64 (device_value t s) = true.
  Proof.
    apply in_range_iff. pose proof (wrap_range t (device_word s)) as B. unfold device_value.
    destruct t; cbn [modulus] in *; lia.
  Qed.

  Lemma rd_call hsr (s : St) : in_range U32 hsr = true -> host_dabt_get_rd [hsr] s = Some (Ok (dabt_rd hsr) s).
  Proof.
    intros R. unfold host_dabt_get_rd, p1. rewrite R. cbn [chk]. pose proof (dabt_rd_range hsr).
    assert (in_range U32 (dabt_rd hsr) = true) as -> by (apply in_range_iff; cbn [modulus]; lia). reflexivity.
  Qed.

  Lemma host_ctxt_calls rd v m (s : St) : host_ctxt s = Some m -> 0 <= rd < 32 -> in_range U64 v = true ->
    get_cur_vcpuid [] s = Some (Ok (cpu_vcpuid (st_cpu s)) s) /\
    set_shadow_ctxt [0; cpu_vcpuid (st_cpu s); rd; v] s =
      Some (Ok 0 (put_ctxt HOSTVISOR (cpu_vcpuid (st_cpu s)) (put_numbered rd v m) s)).
  Proof.
    unfold host_ctxt. destruct (in_range U32 (cpu_vcpuid (st_cpu s))) eqn:R; [|discriminate]. intros E B V.
    unfold get_cur_vcpuid, set_shadow_ctxt, p0, p4. cbn [chk]. rewrite R. split; [reflexivity|].
    change (in_range U32 0) with true.
    assert (in_range U32 rd = true) as -> by (apply in_range_iff; cbn [modulus]; lia).
    rewrite V. change (get_ctxt 0 ?c ?x) with (get_ctxt HOSTVISOR c x). now rewrite E.
  Qed.

  (** A void function's last statement: the host's register is written, or there is none. *)
  Lemma host_put_ends rd v (s : St) r : 0 <= rd < 32 -> in_range U64 v = true -> chk None (host_put rd v s) = Some r ->
    if negb (rd =? 31)
    then match get_cur_vcpuid [] s with
         | Some (Ok c s1) =>
             match set_shadow_ctxt [0; c; rd; v] s1 with
             | Some (Ok _ s2) => r = Ok 0 s2 | Some (Halt s2) => r = Halt s2 | None => False
             end
         | Some (Halt s1) => r = Halt s1
         | None => False
         end
    else r = Ok 0 s.
  Proof.
    intros B V. unfold host_put. destruct (rd =? 31); cbn [negb]; [now intros [= <-]|].
    destruct (host_ctxt s) as [m|] eqn:C; [|discriminate]. destruct (host_ctxt_calls rd v m s C B V) as [-> ->].
    now intros [= <-].
  Qed.

  Lemma __handle_smmu_read_code : fun_ok (@U N M P) f___handle_smmu_read __handle_smmu_read_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. apply p3_inv in E as (hsr & a & len & -> & R1 & R2 & R3 & E).
    run_vc f___handle_smmu_read. do 3 (split; [now apply in_range_iff|]).
    aux_call. rewrite rd_call by exact R1. cbv beta iota.
    destruct (len =? 8); [|destruct (len =? 4); cbn [negb]].
    - aux_call. rewrite load_call by exact R2. apply host_put_ends; [apply dabt_rd_range | apply device_value_range | exact E].
    - aux_call. rewrite load_call by exact R2. apply host_put_ends; [apply dabt_rd_range | apply device_value_range | exact E].
    - injection E as <-. aux_call. reflexivity.
  Qed.
End Code.
