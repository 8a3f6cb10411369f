(* SPDX-License-Identifier: Apache-2.0 *)
(** Unfold hints for the bottom primitives of the SMMUs.  Rests on [BottomMmio]. *)
From SeKVM.machine Require Export BottomPagesTac BottomMmio.

#[export] Hint Unfold get_smmu_num smmu_get device_read device_write device_word device_taken
  host_dabt_get_rd host_dabt_get_as host_dabt_is_write fault_ipa host_get_fault_ipa
  get_smmu_cfg_vmid set_smmu_cfg_vmid : prims.
#[export] Hint Unfold bank_exists bank_number src_mmio : consts.
