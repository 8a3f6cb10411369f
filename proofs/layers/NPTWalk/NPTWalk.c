/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 7, NPTWalk: whole stage-2 tables.
 *
 * Look an address up, and set the entry of a page (level 3) or of a block of 512
 * pages (level 2).  Tables in between are made as needed.  A page is not set below
 * a block, and a block entry must not look like a link to a table: both are a
 * panic, as is an empty pool.  Every change is followed by an invalidation of what
 * translation caches hold: of the address for a page, of the whole table for a
 * block, which may have taken the place of many pages.  The caller holds the lock
 * of the VM's table.
 */
#include "../prims.h"

u32 get_npt_level(u32 vmid, u64 addr)
{
	u64 vttbr = get_pt_vttbr(vmid);
	u64 pgd = walk_pgd(vmid, vttbr, addr, 0U);
	u64 pud = walk_pud(vmid, pgd, addr, 0U);
	u64 pmd = walk_pmd(vmid, pud, addr, 0U);
	u64 pte;
	u32 level = 0U;

	if ((pmd & PTE_TABLE) == PTE_TABLE) {
		pte = walk_pte(vmid, pmd, addr);
		if (PHYS_PAGE(pte) != 0ULL)
			level = 3U;
	} else {
		if (PHYS_PAGE(pmd) != 0ULL)
			level = 2U;
	}
	return level;
}

u64 walk_npt(u32 vmid, u64 addr)
{
	u64 vttbr = get_pt_vttbr(vmid);
	u64 pgd = walk_pgd(vmid, vttbr, addr, 0U);
	u64 pud = walk_pud(vmid, pgd, addr, 0U);
	u64 pmd = walk_pmd(vmid, pud, addr, 0U);
	u64 pte = pmd;

	if ((pmd & PTE_TABLE) == PTE_TABLE)
		pte = walk_pte(vmid, pmd, addr);
	return pte;
}

void set_npt(u32 vmid, u64 addr, u32 level, u64 pte)
{
	u64 vttbr = get_pt_vttbr(vmid);
	u64 pgd;
	u64 pud;
	u64 pmd;

	if (level == 2U && (pte & PTE_TABLE) == PTE_TABLE)
		panic();
	pgd = walk_pgd(vmid, vttbr, addr, 1U);
	pud = walk_pud(vmid, pgd, addr, 1U);
	if (level == 2U) {
		set_pmd(vmid, pud, addr, pte);
		tlb_flush(vmid, ALL_ADDRESSES);
	} else {
		pmd = walk_pmd(vmid, pud, addr, 1U);
		if ((pmd & PTE_TABLE) != PTE_TABLE)
			panic();
		set_pte(vmid, pmd, addr, pte);
		tlb_flush(vmid, addr);
	}
}
