(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 26, MmioOps: the operations of BootOps and VMPower that the layer uses leave the owners of banks alone,
    which is the condition of its code proofs.  Rests on the specifications of these layers; used by [Refine]. *)
From SeKVM.machine Require Import Rel RelTac.
From SeKVM.layers.VMPower Require Import Spec.
From SeKVM.layers.BootOps Require Import Spec.
From SeKVM.layers.MmioOps Require Import Spec.
Local Open Scope Z_scope.

(** The function [f] commutes with replacing the owners. *)
Definition owners_free (f : hstate -> option (res hstate)) : Prop :=
  forall s m, f (set_smmu m s) = res_map (set_smmu m) (f s) /\ res_all (fun s' => st_smmu s' = st_smmu s) (f s).

Lemma init_spt_free cb ix : owners_free (init_spt_spec [cb; ix]).
Proof. generalize [cb; ix]. unfold init_spt_spec, publish_spt_update, publish_spt. natural_tac. Qed.
Lemma assign_free v g pfn : owners_free (assign_pfn_to_smmu_spec [v; g; pfn]).
Proof.
  generalize [v; g; pfn]. unfold assign_pfn_to_smmu_spec, with_frame, publish, denied, after, put, clear_pfn_host_spec,
    publish_update, put_table, published. natural_tac.
Qed.
Lemma update_free vs : owners_free (update_smmu_page_spec map_spt_spec vs).
Proof.
  revert vs. unfold update_smmu_page_spec, with_frame, publish, denied, after, put, map_spt_spec, publish_spt_update,
    publish_spt. natural_tac.
Qed.
Lemma unmap_free vs : owners_free (unmap_smmu_page_spec unmap_spt_spec vs).
Proof.
  revert vs. unfold unmap_smmu_page_spec, publish, after, put, unmap_spt_spec, publish_spt_update, publish_spt. natural_tac.
Qed.

Lemma configuring_free v o : owners_free o -> owners_free (configuring v o).
Proof.
  intros O s m. unfold configuring, with_vm, inside, publish_vm, denied_vm, put_vm. cbn [st_vms st_cpu set_smmu set_vms].
  destruct (st_vms s !! v) as [c|]; [|split; [reflexivity | exact I]].
  destruct (negb (c_held c)); [|split; [reflexivity | exact I]].
  destruct (vm_ok _); [|split; [reflexivity | exact I]].
  destruct (may_configure _ _); [|split; reflexivity].
  destruct (O s m) as [E K]. rewrite E. destruct (o s) as [[w t|t]|]; cbn in K |- *; auto.
Qed.

Lemma chk_free rt f : owners_free f -> owners_free (fun s => chk rt (f s)).
Proof.
  intros F s m. destruct (F s m) as [E K]. rewrite E. destruct (f s) as [[v t|t]|]; cbn in K |- *; auto.
  destruct rt as [t0|]; [destruct (in_range t0 v) | destruct (v =? 0)]; cbn; auto.
Qed.
Lemma halt_free : owners_free (fun s => Some (Halt s)).
Proof. intros s m. split; reflexivity. Qed.
Lemma none_free : owners_free (fun _ => None).
Proof. intros s m. split; [reflexivity | exact I]. Qed.

(** * The five primitives *)

Lemma poweron_natural : @natural hstate hstate _ _ st_smmu set_smmu get_vm_poweron_spec get_vm_poweron_spec.
Proof. unfold get_vm_poweron_spec, with_vm, publish_vm, put_vm. natural_tac. Qed.

Lemma alloc_natural : natural st_smmu set_smmu alloc_smmu_spec alloc_smmu_spec.
Proof.
  intros vs. unfold alloc_smmu_spec, p3. destruct vs as [|v [|b [|i [|]]]]; try apply none_free.
  destruct (in_range U32 v); [|apply none_free]. destruct (in_range U32 b); [|apply none_free].
  destruct (in_range U32 i); [|apply none_free].
  apply (chk_free None (fun s => if (v <? COREVISOR) && bank_named b i then configuring v (init_spt_spec [b; i]) s
                                 else Some (Halt s))).
  destruct (_ && _); [apply configuring_free, init_spt_free | apply halt_free].
Qed.

Lemma assign_natural : natural st_smmu set_smmu assign_smmu_spec assign_smmu_spec.
Proof.
  intros vs. unfold assign_smmu_spec, p3. destruct vs as [|v [|pfn [|g [|]]]]; try apply none_free.
  destruct (in_range U32 v); [|apply none_free]. destruct (in_range U64 pfn); [|apply none_free].
  destruct (in_range U64 g); [|apply none_free].
  apply (chk_free None (fun s =>
    if v <? COREVISOR
    then if v =? HOSTVISOR then ret 0 s else configuring v (assign_pfn_to_smmu_spec [v; g; pfn]) s
    else Some (Halt s))).
  destruct (v <? COREVISOR); [|apply halt_free]. destruct (v =? HOSTVISOR); [intros s m; split; reflexivity|].
  apply configuring_free, assign_free.
Qed.

Lemma map_natural : natural st_smmu set_smmu map_smmu_spec map_smmu_spec.
Proof.
  intros vs. unfold map_smmu_spec. destruct vs as [|v [|b [|i [|a [|e [|]]]]]]; try apply none_free.
  destruct (in_range U32 v); [|apply none_free]. destruct (in_range U32 b); [|apply none_free].
  destruct (in_range U32 i); [|apply none_free]. destruct (in_range U64 a); [|apply none_free].
  destruct (in_range U64 e); [|apply none_free].
  destruct (_ && _); [apply configuring_free, update_free | apply halt_free].
Qed.

Lemma clear_natural : natural st_smmu set_smmu clear_smmu_spec clear_smmu_spec.
Proof.
  intros vs. unfold clear_smmu_spec, p4. destruct vs as [|v [|b [|i [|a [|]]]]]; try apply none_free.
  destruct (in_range U32 v); [|apply none_free]. destruct (in_range U32 b); [|apply none_free].
  destruct (in_range U32 i); [|apply none_free]. destruct (in_range U64 a); [|apply none_free].
  apply (chk_free None (fun s => if (v <? COREVISOR) && bank_named b i
                                 then configuring v (unmap_smmu_page_spec unmap_spt_spec [b; i; a]) s
                                 else Some (Halt s))).
  destruct (_ && _); [apply configuring_free, unmap_free | apply halt_free].
Qed.
