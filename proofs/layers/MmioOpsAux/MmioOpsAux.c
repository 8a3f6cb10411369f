/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 25, MmioOpsAux: which SMMU an address of the host is in, and one access of the
 * host to it from the trap to the instruction after it.
 *
 * The hardware says what the trapped instruction does only if the syndrome is valid; of
 * several SMMUs that hold the address the last one counts, INVALID if there is none.
 */
#include "../prims.h"

u32 is_smmu_range(u64 addr)
{
	u32 n = get_smmu_num();
	u32 found = INVALID;
	u32 i = 0U;
	u64 base;
	u64 size;

	while (i < n) {
		base = get_smmu_base(i);
		size = get_smmu_size(i);
		if (base <= addr && addr < base + size)
			found = i;
		i = i + 1U;
	}
	return found;
}

void handle_host_mmio(u64 addr, u32 index, u32 hsr)
{
	u64 fault_ipa = host_get_fault_ipa(addr);
	u32 len = host_dabt_get_as(hsr);
	u32 is_write = host_dabt_is_write(hsr);

	if ((hsr & DABT_VALID) == 0U)
		panic();
	if (is_write != 0U)
		handle_smmu_write(hsr, fault_ipa, len, index);
	else
		handle_smmu_read(hsr, fault_ipa, len);
	host_skip_instr();
}
