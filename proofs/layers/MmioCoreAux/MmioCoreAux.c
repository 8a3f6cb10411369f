/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 23, MmioCoreAux: which registers of an SMMU the host may write, and the accesses
 * themselves.
 *
 * The host configures the SMMU as a driver does, but may not take a device out of the
 * tables that KCore keeps.  Of the global registers it may write those below the secure
 * aliases and the attributes of context banks, each within limits; streams are bound to
 * banks before the host runs.  In a bank, what says which tables are used and how they
 * are read comes from KCore.  A register with limits is written alone: eight bytes that
 * cover one are refused, but for the table base, which is eight bytes itself.
 */
#include "../prims.h"

u32 handle_smmu_global_access(u32 hsr, u64 offset, u32 len, u32 index)
{
	u64 data = host_get_mmio_data(hsr);
	u32 owner;
	u32 verdict = SMMU_REFUSE;

	if (offset == SMMU_SCR0) {
		if (len == 4U && (data & SMMU_SCR0_FILTER) == SMMU_SCR0_SAFE)
			verdict = SMMU_PASS;
	} else if (offset == SMMU_SCR2) {
		if (len == 4U && (data & SMMU_SCR2_BPVMID) == 0ULL)
			verdict = SMMU_PASS;
	} else if (offset < SMMU_GR0_OPEN) {
		verdict = SMMU_PASS;
	} else if (SMMU_CBAR <= offset && offset < SMMU_CBAR_END) {
		owner = get_smmu_cfg_vmid((u32)(offset - SMMU_CBAR) / 4U, index);
		/* no VMID is INVALID: a free bank gets no attributes */
		if (len == 4U && (data & SMMU_CBAR_TYPE) == 0ULL && (data & SMMU_CBAR_VMID) == owner)
			verdict = SMMU_PASS;
	}
	return verdict;
}

u32 handle_smmu_cb_access(u64 offset, u32 len)
{
	u64 reg = offset & SMMU_CB_MASK;
	u32 verdict = SMMU_PASS;

	if (reg == SMMU_CB_TTBR0 || reg == SMMU_CB_TTBR0_HIGH) {
		verdict = SMMU_REPLACE;
	} else if (reg == SMMU_CB_SCTLR || reg == SMMU_CB_TCR) {
		verdict = SMMU_REFUSE;
		if (len == 4U)
			verdict = SMMU_REPLACE;
	} else if (reg == SMMU_CB_CONTEXTIDR) {
		verdict = SMMU_REFUSE;
	}
	return verdict;
}

/* Store what the host wanted, or value if it is to be replaced. */
void __handle_smmu_write(u32 hsr, u64 fault_ipa, u32 len, u64 value, u32 replace)
{
	u64 data = value;

	if (replace == 0U)
		data = host_get_mmio_data(hsr);
	if (len == 8U) {
		writeq_relaxed(data, fault_ipa);
	} else {
		if (len != 4U)
			panic();
		writel_relaxed((u32)data, fault_ipa);
	}
}

/* Load into the register that the host named. */
void __handle_smmu_read(u32 hsr, u64 fault_ipa, u32 len)
{
	u32 rd = host_dabt_get_rd(hsr);
	u32 vcpuid;
	u64 data;

	if (len == 8U) {
		data = readq_relaxed(fault_ipa);
	} else {
		if (len != 4U)
			panic();
		data = readl_relaxed(fault_ipa);
	}
	if (rd != ZERO_REGISTER) {
		vcpuid = get_cur_vcpuid();
		set_shadow_ctxt(HOSTVISOR, vcpuid, rd, data);
	}
}
