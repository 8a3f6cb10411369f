/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 11, MmioSPTWalk: whole SMMU tables.
 *
 * Look an address of a context bank up, set the entry of a page, and empty the table
 * of a bank.  Tables in between are made as needed; an empty pool is a panic, and
 * tables that are no longer linked are not given back.  Every change is followed by
 * an invalidation of what the SMMU's translation caches hold: of the address for a
 * page, of the whole bank when its table is emptied.  The caller holds the lock of
 * the SMMU tables.
 */
#include "../prims.h"

u64 walk_smmu_pt(u32 cbndx, u32 index, u64 addr)
{
	u64 ttbr = get_smmu_cfg_hw_ttbr(cbndx, index);
	u64 pgd = walk_smmu_pgd(ttbr, addr, 0U);
	u64 pmd = walk_smmu_pmd(pgd, addr, 0U);
	u64 pte = walk_smmu_pte(pmd, addr);

	return pte;
}

void set_smmu_pt(u32 cbndx, u32 index, u64 addr, u64 pte)
{
	u64 ttbr = get_smmu_cfg_hw_ttbr(cbndx, index);
	u64 pgd = walk_smmu_pgd(ttbr, addr, 1U);
	u64 pmd = walk_smmu_pmd(pgd, addr, 1U);

	set_smmu_pte(pmd, addr, pte);
	smmu_tlb_flush(cbndx, index, addr);
}

void clear_smmu_pt(u32 cbndx, u32 index)
{
	u64 ttbr = get_smmu_cfg_hw_ttbr(cbndx, index);

	clear_smmu_pgd(ttbr);
	smmu_tlb_flush(cbndx, index, ALL_ADDRESSES);
}
