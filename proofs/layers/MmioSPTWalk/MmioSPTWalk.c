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
 *
 * Two more functions are an access of a device to memory, through the table of its
 * bank; they take the lock themselves.
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

/*
 * An access of a device of context bank cbndx of SMMU index to the word at addr, as
 * the hardware makes it; see mem_load_ref.  A device has no registers in this
 * machine: it works for the context that runs, which gives the word that it stores
 * and gets the word that it loads.
 */
u32 dev_load_ref(u32 cbndx, u32 index, u64 addr, u32 reg)
{
	u64 ttbr;
	u64 pgd;
	u64 pmd;
	u64 pte;
	u32 done = 0U;

	if (cbndx >= SMMU_BANK_LIMIT || index >= SMMU_LIMIT)
		panic();
	if (addr >= SMMU_ADDR_LIMIT || addr % 8ULL != 0ULL || reg >= USER_REGS)
		return 0U;
	ttbr = get_smmu_cfg_hw_ttbr(cbndx, index);
	acquire_lock_spt();
	pgd = walk_smmu_pgd(ttbr, addr, 0U);
	pmd = walk_smmu_pmd(pgd, addr, 0U);
	pte = walk_smmu_pte(pmd, addr);
	if ((pte & PTE_TABLE) == PTE_TABLE && (pte & PTE_READ) != 0ULL) {
		phys_load(PHYS_PAGE(pte) + addr % PAGE_SIZE, reg);
		done = 1U;
	}
	release_lock_spt();
	return done;
}

u32 dev_store_ref(u32 cbndx, u32 index, u64 addr, u32 reg)
{
	u64 ttbr;
	u64 pgd;
	u64 pmd;
	u64 pte;
	u32 done = 0U;

	if (cbndx >= SMMU_BANK_LIMIT || index >= SMMU_LIMIT)
		panic();
	if (addr >= SMMU_ADDR_LIMIT || addr % 8ULL != 0ULL || reg >= USER_REGS)
		return 0U;
	ttbr = get_smmu_cfg_hw_ttbr(cbndx, index);
	acquire_lock_spt();
	pgd = walk_smmu_pgd(ttbr, addr, 0U);
	pmd = walk_smmu_pmd(pgd, addr, 0U);
	pte = walk_smmu_pte(pmd, addr);
	if ((pte & PTE_TABLE) == PTE_TABLE && (pte & PTE_WRITE) != 0ULL) {
		phys_store(PHYS_PAGE(pte) + addr % PAGE_SIZE, reg);
		done = 1U;
	}
	release_lock_spt();
	return done;
}
