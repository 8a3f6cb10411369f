(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 26, MmioOps: the loop that asks whether a VM has a context bank computes [has_bank]. Rests on the facts
    about bounded searches of VMPower; used by [Refine]. *)
From SeKVM.lib Require Import Bits LoopTac.
From SeKVM.machine Require Import Rel RelTac.
From SeKVM.layers.VMPower Require Import VmFacts.
From SeKVM.layers.MmioOps Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Code.
  Context {N P : Type}.
  Notation St := (St cell N pmap P).
  Context (get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu : prim St).
  Notation U := (U get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu).

  (** The answer after a look at the first [k] banks. *)
  Definition found_in (v : Z) (m : gmap Z Z) (k : Z) : Z := if existsb (fun b => bank_owner m b =? v) (seqZ 0 k) then
    1 else 0.

  Lemma found_in_S v m k : 0 <= k -> found_in v m (k + 1) = if bank_owner m k =? v then 1 else found_in v m k.
  Proof.
    intros R. unfold found_in. rewrite existsb_seqZ_S by exact R.
      now destruct (existsb _ (seqZ 0 k)), (bank_owner m k =? v).
  Qed.
  Lemma found_in_range v m k : 0 <= found_in v m k <= 1.
  Proof. unfold found_in. destruct (existsb _ _); lia. Qed.

  Lemma vm_has_bank_code : fun_ok U f_vm_has_bank vm_has_bank_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. apply p1_inv in E as (v & -> & RV & E). cbv beta in E.
    destruct (c_held (st_smmu s)) eqn:H; [discriminate E|]. cbn [negb] in E. cbv zeta in E.
    pose proof (eq_refl : acquired (acquire_cell (st_smmu s)) (st_smmu s)) as EC.
    assert (HC : c_held (acquire_cell (st_smmu s)) = true) by reflexivity.
    generalize dependent (acquire_cell (st_smmu s)). intros c E EC HC.
    destruct (forallb _ _) eqn:OK; [|discriminate E]. rewrite forallb_seqZ in OK. unfold publish_owners in E.
      cbn [chk] in E.
    change (if has_bank v (c_val c) then 1 else 0) with (found_in v (c_val c) 16) in E.
    destruct (in_range U32 (found_in v (c_val c) 16)); [injection E as <- | discriminate E]. boolprop.
    run_vc f_vm_has_bank. ssteps.
    eapply (wp_while _ _ _ (fun n e s' => exists k ow, e = [("vmid", Some v);
      ("found", Some (found_in v (c_val c) k)); ("i", Some k);
      ("owner", ow)] /\ s' = set_smmu c s /\ k + Z.of_nat n = 16 /\ 0 <= k)) with (n := 16%nat).
    - intros n e s' (k & ow & -> & -> & K & K0). run_vc_goal. pose proof (found_in_range v (c_val c) k).
      destruct (Z.ltb_spec k 16).
      + pose proof (OK k ltac:(lia)) as O. unfold owner_ok, INVALID in O.
        assert (B : 8 * (k / 8) + k mod 8 = k) by (Z.div_mod_to_equations; lia).
        assert (0 <= k mod 8 < 8 /\ 0 <= k / 8 < 2) as [B1 B2] by (Z.div_mod_to_equations; lia).
        boolprop. pose proof (found_in_S v (c_val c) k K0) as Sk.
        straight. do_call. open_goal. rewrite B. straight. destruct (bank_owner (c_val c) k =? v); ssteps;
          exists (n - 1)%nat; (split; [lia|]); exists (k + 1); eexists; rewrite Sk; repeat split; lia.
      + replace k with 16 in * by lia. ssteps. reflexivity.
    - exists 0, None. repeat split; lia.
  Qed.
End Code.
