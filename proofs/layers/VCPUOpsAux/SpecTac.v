(* SPDX-License-Identifier: Apache-2.0 *)
(** Tactics for the layers of contexts.  A code proof runs the function call by call, each by its law ([CallLaws]); the
    conditions of the code are split, and in the end both states are brought to one form: outputs, then contexts, then
    inputs. *)
From SeKVM.lib Require Export VcTac PrimInv.
From SeKVM.machine Require Export StateTac BottomCtxtTac.
From SeKVM.layers.VCPUOpsAux Require Export CallLaws.

Create HintDb ctxt discriminated.
#[export] Hint Rewrite @get_ctxt_consume @get_ctxt_outs @get_ctxt_ins @consume_put @consume_outs @consume_ins
  @put_outs @put_put_ctxt @outs_outs @input_put @input_outs @input_ins @st_outs_put @st_outs_consume @st_outs_ins
  @st_outs_set @phys_regs_put @phys_regs_consume @phys_regs_outs @phys_regs_ins : ctxt.

(** A register by a known number. *)
Ltac numeral i := lazymatch i with Z0 => idtac | Zpos _ => idtac end.
Ltac by_number := repeat match goal with
  | |- context [numbered ?i ?m] => numeral i;
      let r := eval vm_compute in (reg_of_code i) in
      match r with Some ?q => change (numbered i m) with (reg_word q m) end
  | |- context [put_numbered ?i ?x ?m] => numeral i;
      let r := eval vm_compute in (reg_of_code i) in
      match r with Some ?q => change (put_numbered i x m) with (<[q := x]> m) end
  end.

(** Side conditions of the laws: the context may be touched, and values have their types. *)
Ltac get_side := lazymatch goal with
  | |- get_ctxt _ _ (put_ctxt _ _ _ _) = _ => eapply get_put_ctxt; get_side
  | |- get_ctxt _ _ (consume _ _) = _ => rewrite get_ctxt_consume; get_side
  | |- get_ctxt _ _ (set_outs _ _) = _ => rewrite get_ctxt_outs; get_side
  | |- get_ctxt _ _ (set_ins _ _) = _ => rewrite get_ctxt_ins; get_side
  | |- _ => eassumption
  end.
Ltac range_side := lazymatch goal with
  | |- in_range U64 (wrap U32 _) = true => apply wrap32_in_range
  | |- in_range U64 (trunc U32 _) = true => apply wrap32_in_range
  | |- in_range _ (wrap _ _) = true => apply wrap_in_range
  | |- in_range _ (trunc _ _) = true => apply trunc_in_range
  | |- in_range _ (reg_word _ _) = true => apply reg_word_in_range
  | |- in_range _ (numbered _ _) = true => apply numbered_in_range
  | |- in_range _ (input _ _ _) = true => apply input_in_range
  | |- in_range _ (vector_offset _) = true => apply vector_in_range
  | |- in_range _ (sys_reset _) = true => apply sys_reset_in_range
  | |- in_range _ (_ mod 4096) = true => apply in_page_in_range
  | |- in_range _ (srt _) = true => apply srt_in_range
  | |- in_range _ ?x = true => first [assumption | is_var x; fail 1 | apply in_range_iff; ranges_goal; lia]
  end.
Ltac call_law := first
  [ eapply get_shadow_ctxt_ok; [get_side | range_side ..]
  | eapply set_shadow_ctxt_ok; [get_side | range_side ..]
  | eapply set_int_ok; range_side
  | eapply set_dirty_ok; [get_side | range_side ..]
  | eapply get_dirty_ok; [get_side | range_side ..]
  | eapply get_shadow_esr_ok; [get_side | range_side ..]
  | eapply clear_regs_ok; [get_side | range_side ..]
  | eapply get_int_ok; range_side
  | eapply get_int_gpr_ok; range_side
  | eapply get_run_ok; range_side
  | eapply sys_reset_ok; range_side
  | eapply vector_ok; range_side
  | eapply cur_vmid_ok; range_side
  | eapply cur_vcpuid_ok; range_side
  | eapply read_reg_ok ].

(** A call that the layer's specification makes too: its result is a hypothesis. *)
Ltac same_call := autorewrite with ctxt; first
  [ eapply match_ok; [eassumption | cbv beta] | eapply match_halt; [eassumption | cbv beta] ].

Ltac find_call := lazymatch goal with
  | |- context [match ?x with _ => _ end] =>
      lazymatch x with
      | call ?L ?f ?vs ?s =>
          let p := eval hnf in (Lang.assoc f L) in
          lazymatch p with Some ?q => change (call L f vs s) with (q vs s) end
      end
  end.
Ltac call_step := find_call; first
  [ eapply match_ok; [solve [call_law] | cbv beta; by_number]
  | eapply match_halt; [exact (panic_ok _) | cbv beta]
  | same_call ].

(** One step of the code. *)
Ltac cstep := lazymatch goal with
  | |- _ /\ _ => split; [solve [ranges_goal; lia | apply in_range_iff; assumption]|]
  | |- _ = _ => fail
  | |- context [match ?x with _ => _ end] =>
      lazymatch x with call _ _ _ _ => call_step | _ => let E := fresh "B" in destruct x eqn:E end
  end.
Ltac csteps := repeat cstep.

(** The arguments of a call of a specification, and the context [m] that it works on. *)
Ltac open0 H := apply fun_ok_vc; intros vs s r H; apply p0_inv in H as (-> & H); cbv beta zeta in H.
Ltac open2 v c Rv Rc H := apply fun_ok_vc; intros vs s r H; apply p2_inv in H as (v & c & -> & Rv & Rc & H); cbv beta zeta in H.
Ltac open3 v c a Rv Rc Ra H :=
  apply fun_ok_vc; intros vs s r H; apply p3_inv in H as (v & c & a & -> & Rv & Rc & Ra & H); cbv beta zeta in H.
Ltac open_ctxt_of v c m G H := destruct (get_ctxt v c _) as [m|] eqn:G in H; [|discriminate H].
Ltac answer H := cbn [chk] in H; change (0 =? 0) with true in H; cbv iota in H; apply Some_inj in H; subst.

(** The conditions that the code met decide those of the specification. *)
Ltac decide_spec := repeat match goal with
  | E : negb _ = true |- _ => apply negb_true_iff in E
  | E : negb _ = false |- _ => apply negb_false_iff in E
  end;
  repeat match goal with
  | E : ?b = true |- context [?b] => lazymatch b with true => fail | false => fail | _ => rewrite E end
  | E : ?b = false |- context [?b] => lazymatch b with true => fail | false => fail | _ => rewrite E end
  end; cbn [negb andb orb].
Ltac same_state := autorewrite with ctxt; by_number; decide_spec; reflexivity.

(** The same for a hypothesis. *)
Ltac decide_in H := repeat match goal with
  | E : ?b = true |- _ =>
      lazymatch b with true => fail | false => fail | _ => lazymatch type of H with context [b] => rewrite E in H end end
  | E : ?b = false |- _ =>
      lazymatch b with true => fail | false => fail | _ => lazymatch type of H with context [b] => rewrite E in H end end
  end; cbn [negb andb orb] in H; cbv iota in H.
