/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 24, MmioCore: an access of the host to a frame of SMMU registers.
 *
 * Only whole registers are accessed, of 4 or 8 bytes, so no access reaches from one
 * half of the frame into the other or out of it.  All loads are allowed.
 */
#include "../prims.h"

void handle_smmu_write(u32 hsr, u64 fault_ipa, u32 len, u32 index)
{
	u64 offset = fault_ipa & SMMU_OFFSET_MASK;
	u64 reg = offset & SMMU_CB_MASK;
	u32 verdict;
	u32 cbndx;
	u64 value = 0ULL;

	if ((len != 4U && len != 8U) || offset % len != 0ULL)
		panic();
	if (offset < SMMU_CB_BASE)
		verdict = handle_smmu_global_access(hsr, offset, len, index);
	else
		verdict = handle_smmu_cb_access(offset, len);
	if (verdict == SMMU_REFUSE)
		panic();
	if (verdict == SMMU_REPLACE) {
		if (reg == SMMU_CB_SCTLR) {
			value = SMMU_SCTLR_VALUE;
		} else if (reg == SMMU_CB_TCR) {
			value = SMMU_TCR_VALUE;
		} else {
			cbndx = smmu_get_cbndx(offset);
			value = get_smmu_cfg_hw_ttbr(cbndx, index);
			if (reg == SMMU_CB_TTBR0_HIGH)
				value = value >> 32;
		}
		__handle_smmu_write(hsr, fault_ipa, len, value, 1U);
	} else {
		__handle_smmu_write(hsr, fault_ipa, len, 0ULL, 0U);
	}
}

void handle_smmu_read(u32 hsr, u64 fault_ipa, u32 len)
{
	u64 offset = fault_ipa & SMMU_OFFSET_MASK;

	if ((len != 4U && len != 8U) || offset % len != 0ULL)
		panic();
	__handle_smmu_read(hsr, fault_ipa, len);
}
