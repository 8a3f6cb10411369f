(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the bottom primitives on VMs, and [state_norm] for the records of VMs
    and the counters.  Rests on [BottomVm]. *)
From SeKVM.machine Require Export BottomPagesTac BottomVm.

#[export] Hint Unfold core_get core_set vm_get vm_set vm_get_at vm_set_at pull_ctxt push_ctxt new_shadow_ctxt
  get_shared_kvm get_shared_vcpu get_image_digest hash_page encrypt_mem_buf decrypt_mem_buf encrypt_regs decrypt_regs
  : prims.
#[export] Hint Unfold MAX_VCPU MAX_LOAD_INFO below : consts.

(** Functions of whole frames are never opened in proofs about calls: they are long. *)
#[global] Opaque hash_words frame_contents store_frame inputs skip_inputs seal.

Ltac state_norm ::= cbn [
  st_core st_s2 st_spt st_smmu st_npts st_vms st_mem st_cpu st_ctxts st_boot st_ins st_outs
  set_core set_s2 set_spt set_smmu set_npts set_vms set_mem set_cpu set_ctxts set_boot set_ins set_outs
  c_val c_held c_log c_script set_val
  pgd_next pud_next pmd_next npt_words set_pgd_next set_pud_next set_pmd_next set_npt_words
  spt_pgd_next spt_pmd_next spt_words set_spt_pgd_next set_spt_pmd_next set_spt_words
  next_vmid next_remap_ptr set_next_vmid set_next_remap_ptr
  vm_kvm vm_state vm_power vm_inc_exe vcpu_state vcpu_ptr load_next load_addr load_size load_remap load_mapped load_digest
  set_vm_kvm set_vm_state set_vm_inc_exe set_vcpu_state set_vcpu_ptr set_load_next set_load_addr set_load_size
  set_load_remap set_load_mapped set_load_digest
  fst snd].

Ltac state_norm_hyps ::= repeat match goal with
  | E : <[?i := _]> _ !! ?i = Some ?x |- _ => rewrite lookup_insert in E; injection E as <-
  | E : true = true |- _ => clear E
  end; cbn [
  st_core st_s2 st_spt st_smmu st_npts st_vms st_mem st_cpu st_ctxts st_boot st_ins st_outs
  set_core set_s2 set_spt set_smmu set_npts set_vms set_mem set_cpu set_ctxts set_boot set_ins set_outs
  c_val c_held c_log c_script set_val
  pgd_next pud_next pmd_next npt_words set_pgd_next set_pud_next set_pmd_next set_npt_words
  spt_pgd_next spt_pmd_next spt_words set_spt_pgd_next set_spt_pmd_next set_spt_words
  next_vmid next_remap_ptr set_next_vmid set_next_remap_ptr
  vm_kvm vm_state vm_power vm_inc_exe vcpu_state vcpu_ptr load_next load_addr load_size load_remap load_mapped load_digest
  set_vm_kvm set_vm_state set_vm_inc_exe set_vcpu_state set_vcpu_ptr set_load_next set_load_addr set_load_size
  set_load_remap set_load_mapped set_load_digest
  fst snd] in *.
