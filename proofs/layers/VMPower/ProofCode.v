(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 18, VMPower: each function's code meets its specification over the part of the
    underlay that it uses.  Used by [Refine]. *)
From SeKVM.layers.VMPower Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Code.
  Context {N M P : Type}.

  Lemma set_vm_poweroff_code : fun_ok (@U N M P) f_set_vm_poweroff set_vm_poweroff_spec.
  Proof. vm_intro f_set_vm_poweroff; code_cases. Qed.

  (** The answer after a look at the first [k] vCPUs. *)
  Definition on_after (x : vminfo) (k : Z) : Z :=
    if (vm_state x =? 4) && negb (existsb (fun i => vcpu_at x i =? 5) (seqZ 0 k)) then 0 else 1.

  Lemma on_after_S x k : 0 <= k -> on_after x (k + 1) = if vcpu_at x k =? 5 then 1 else on_after x k.
  Proof.
    intros R. unfold on_after. rewrite existsb_seqZ_S by exact R.
    destruct (vm_state x =? 4), (existsb _ (seqZ 0 k)), (vcpu_at x k =? 5); reflexivity.
  Qed.

  Lemma on_after_range x k : 0 <= on_after x k <= 1.
  Proof. unfold on_after. destruct (_ && _); lia. Qed.

  Lemma get_vm_poweron_code : fun_ok (@U N M P) f_get_vm_poweron get_vm_poweron_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. apply p1_inv in E as (v & -> & RV & E). cbv beta in E.
    unfold is_guest in E. boolprop. destruct ((0 <? v) && (v <? 16)) eqn:Gv.
    2:{ cbn in E. injection E as <-. run_vc f_get_vm_poweron. code_cases. }
    destruct (with_vm v s _) as [q|] eqn:W; [|discriminate E]. vm_locked W c. injection W as <-.
    pose proof (vm_ok_state _ OK). cbn [chk] in E. destruct (in_range U32 _); [injection E as <- | discriminate E].
    boolprop. change (if is_off (c_val c) then 0 else 1) with (on_after (c_val c) 8).
    unfold put_vm. run_vc f_get_vm_poweron. ssteps.
    destruct (Z.eqb_spec (vm_state (c_val c)) 4) as [S|S]; ssteps.
    all: match goal with |- wp _ _ _ ?e ?t =>
      apply (wp_while _ _ _ (fun n e' t' => exists k st, e' = [("vmid", Some v); ("on", Some (on_after (c_val c) k)); ("i", Some k);
               ("state", Some st)] /\ t' = t /\ k + Z.of_nat n = 8 /\ 0 <= k)) with (n := 8%nat) end.
    1,3: intros n e' t' (k & st & -> & -> & K & K0); run_vc_goal; pose proof (vm_ok_vcpu_range _ k OK);
      pose proof (on_after_range (c_val c) k); unfold vcpu_at in *;
      destruct (Z.ltb_spec k 8);
      [ ssteps; pose proof (on_after_S (c_val c) k K0) as Sk; unfold vcpu_at in Sk;
        destruct (word (vcpu_state (c_val c)) k =? 5); ssteps; exists (n - 1)%nat; (split; [lia|]); exists (k + 1);
        eexists; rewrite Sk; repeat split; lia
      | replace k with 8 in * by lia; ssteps; reflexivity ].
    all: exists 0; eexists; unfold on_after; cbn [existsb seqZ]; repeat split; try lia.
    all: now destruct (Z.eqb_spec (vm_state (c_val c)) 4).
  Qed.
End Code.
