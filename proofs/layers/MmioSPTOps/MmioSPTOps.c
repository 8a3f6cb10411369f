/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 12, MmioSPTOps: operations on SMMU tables, each under their lock.
 *
 * The arguments are checked here: a context bank that does not exist, and a mapping at an
 * address that there is not, is a panic; nothing is mapped at an address beyond the 40 bits
 * that the tables translate.
 *
 * unmap_spt returns the entry that it removed, zero if there was none; in that case
 * it does not write, so that no tables are made for a page that is not mapped.
 */
#include "../prims.h"

void init_spt(u32 cbndx, u32 index)
{
	if (cbndx >= SMMU_BANK_LIMIT || index >= SMMU_LIMIT)
		panic();
	acquire_lock_spt();
	clear_smmu_pt(cbndx, index);
	release_lock_spt();
}

u64 walk_spt(u32 cbndx, u32 index, u64 addr)
{
	u64 pte = 0ULL;

	if (cbndx >= SMMU_BANK_LIMIT || index >= SMMU_LIMIT)
		panic();
	if (addr < SMMU_ADDR_LIMIT) {
		acquire_lock_spt();
		pte = walk_smmu_pt(cbndx, index, addr);
		release_lock_spt();
	}
	return pte;
}

void map_spt(u32 cbndx, u32 index, u64 addr, u64 pte)
{
	if (cbndx >= SMMU_BANK_LIMIT || index >= SMMU_LIMIT || addr >= SMMU_ADDR_LIMIT)
		panic();
	acquire_lock_spt();
	set_smmu_pt(cbndx, index, addr, pte);
	release_lock_spt();
}

u64 unmap_spt(u32 cbndx, u32 index, u64 addr)
{
	u64 pte = 0ULL;

	if (cbndx >= SMMU_BANK_LIMIT || index >= SMMU_LIMIT)
		panic();
	if (addr < SMMU_ADDR_LIMIT) {
		acquire_lock_spt();
		pte = walk_smmu_pt(cbndx, index, addr);
		if (pte != 0ULL)
			set_smmu_pt(cbndx, index, addr, 0ULL);
		release_lock_spt();
	}
	return pte;
}
