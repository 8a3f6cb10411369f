(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 26, MmioOps: code of the emulation of an access, over what it uses.  The access
    reads the owners of banks and leaves them alone.  Used by [Refine] and [Safe]. *)
From SeKVM.lib Require Import Bits VcTac PrimInv.
From SeKVM.machine Require Import Rel RelTac.
From SeKVM.layers.MmioOpsAux Require Import ProofCode.
From SeKVM.layers.MmioOps Require Import Code Spec SpecTac.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * What an access of the host leaves alone *)

Section Access.
  Context {N M P : Type}.
  Notation St := (St cell N M P).

  Lemma device_store_owners a len v (s : St) : res_all (fun s' => st_smmu s' = st_smmu s) (device_store a len v s).
  Proof. unfold device_store. destruct (len =? 8); [reflexivity|]. destruct (len =? 4); reflexivity. Qed.

  Lemma res_all_chk {S} (I : S -> Prop) rt o : res_all I o -> res_all I (chk rt o).
  Proof. destruct o as [[v s|s]|]; cbn; auto. destruct rt as [t|]; [destruct (in_range t v) | destruct (v =? 0)]; cbn; auto. Qed.

  Lemma host_access_owners hsr a ix (s : St) : res_all (fun s' => st_smmu s' = st_smmu s) (host_access hsr a ix s).
  Proof.
    unfold host_access. destruct (dabt_store hsr =? 0).
    - unfold handle_smmu_read_spec, p3.
      destruct (in_range U32 hsr); [|exact I].
      destruct (in_range U64 a); [|exact I].
      destruct (in_range U32 (dabt_bytes hsr)); [|exact I].
      apply res_all_chk. destruct (access_ok _ _); [|reflexivity]. unfold __handle_smmu_read_spec, p3.
      destruct (in_range U32 hsr); [|exact I].
      destruct (in_range U64 a); [|exact I].
      destruct (in_range U32 (dabt_bytes hsr)); [|exact I].
      apply res_all_chk. unfold host_put.
      destruct (_ =? 8); [|destruct (_ =? 4); [|reflexivity]];
        (destruct (_ =? 31); [reflexivity|]; destruct (host_ctxt _); [reflexivity | exact I]).
    - unfold handle_smmu_write_spec, p4.
      destruct (in_range U32 hsr); [|exact I].
      destruct (in_range U64 a); [|exact I].
      destruct (in_range U32 (dabt_bytes hsr)); [|exact I].
      destruct (in_range U32 ix); [|exact I].
      apply res_all_chk. destruct (host_ctxt s); [|exact I]. destruct (c_held (st_smmu s)); [|exact I].
      destruct (ix <? 2); [|exact I]. destruct (owner_known a ix s); [|exact I].
      destruct (store_policy _ _ _ _ _); [apply device_store_owners | reflexivity].
  Qed.

  Lemma handle_host_mmio_owners vs (s : St) : res_all (fun s' => st_smmu s' = st_smmu s) (handle_host_mmio_spec vs s).
  Proof.
    unfold handle_host_mmio_spec, p3. destruct vs as [|a [|ix [|hsr [|]]]]; [exact I | exact I | exact I | | exact I].
    destruct (in_range U64 a); [|exact I]. destruct (in_range U32 ix); [|exact I]. destruct (in_range U32 hsr); [|exact I].
    apply res_all_chk. destruct (dabt_valid hsr); [|reflexivity].
    pose proof (host_access_owners hsr (fault_ipa a s) ix s) as X.
    destruct (host_access hsr (fault_ipa a s) ix s) as [[v s'|s']|]; exact X.
  Qed.
End Access.

(** * The search *)

Lemma smmu_at_range a l : smmus_ok l = true -> in_range U32 (smmu_at a l) = true.
Proof.
  intros OK. pose proof (smmus_ok_length _ OK). apply in_range_iff. cbn [modulus]. unfold smmu_at, INVALID.
  destruct (smmu_search_spec a l 0 4294967295) as [->|(k & d & E & _ & ->)]; [lia|].
  pose proof (lookup_lt_Some _ _ _ E). lia.
Qed.

Lemma range_call {N M P} a (s : St cell N M P) : in_range U64 a = true -> smmus_ok (boot_smmus (st_boot s)) = true ->
  is_smmu_range_spec [a] s = Some (Ok (smmu_at a (boot_smmus (st_boot s))) s).
Proof. intros R OK. unfold is_smmu_range_spec, p1. rewrite R, OK. cbn [chk]. now rewrite smmu_at_range. Qed.

Section Code.
  Context {N P : Type}.
  Notation St := (St cell N pmap P).
  Context (get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu : prim St).
  Notation U := (U get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu).

  Lemma emulate_mmio_code : fun_ok U f_emulate_mmio emulate_mmio_spec.
  Proof.
    apply fun_ok_vc. intros vs s r E. apply p2_inv in E as (a & hsr & -> & R1 & R2 & E).
    destruct (smmus_ok (boot_smmus (st_boot s))) eqn:OK; [|discriminate E].
    destruct (c_held (st_smmu s)) eqn:H; [discriminate E|]. cbn [negb] in E. cbv zeta in E.
    run_vc f_emulate_mmio. do 2 (split; [now apply in_range_iff|]).
    aux_call. unfold acquire_obj, p0. rewrite H. cbn [negb chk Z.eqb]. cbv beta iota.
    aux_call. rewrite range_call by (exact R1 || exact OK). cbv beta iota.
    change (boot_smmus (st_boot (set_smmu ?c s))) with (boot_smmus (st_boot s)).
    set (c := acquire_cell (st_smmu s)) in *. set (ix := smmu_at a (boot_smmus (st_boot s))) in *.
    change INVALID with 4294967295 in E. destruct (ix =? 4294967295); cbn [negb].
    - apply chk_inv in E as [I ->]. aux_call. unfold release_obj, p0. cbn [st_smmu set_smmu c_held].
      change (c_held c) with true. cbn [chk Z.eqb]. rewrite wrap_id by now apply in_range_iff. reflexivity.
    - aux_call. pose proof (handle_host_mmio_owners [a; ix; hsr] (set_smmu c s)) as O.
      destruct (handle_host_mmio_spec [a; ix; hsr] (set_smmu c s)) as [[v s'|s']|];
        [|injection E as <-; reflexivity | discriminate E].
      cbn in O. apply chk_inv in E as [I ->]. aux_call. unfold release_obj, p0. rewrite O.
      change (c_held c) with true. cbn [chk Z.eqb]. rewrite wrap_id by now apply in_range_iff. reflexivity.
  Qed.
End Code.
