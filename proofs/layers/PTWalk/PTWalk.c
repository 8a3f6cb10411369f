/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 6, PTWalk: one step down a stage-2 table.
 *
 * The walk functions load the entry of one level for an address.  With alloc = 1
 * an empty entry gets a fresh table of the next level, taken from the VM's pool.
 * A parent entry of zero has no table, and the walk returns zero.  The caller
 * holds the lock of the VM's table.
 */
#include "../prims.h"

u64 walk_pgd(u32 vmid, u64 vttbr, u64 addr, u32 alloc)
{
	u64 p = PHYS_PAGE(vttbr) | (PGD_INDEX(addr) * 8ULL);
	u64 pgd = pt_load(vmid, p);
	u64 page;

	if (pgd == 0ULL && alloc == 1U) {
		page = alloc_pgd_page(vmid);
		pgd = page | PTE_TABLE;
		pt_store(vmid, p, pgd);
	}
	return pgd;
}

u64 walk_pud(u32 vmid, u64 pgd, u64 addr, u32 alloc)
{
	u64 p;
	u64 pud;
	u64 page;

	if (pgd == 0ULL)
		return 0ULL;
	p = PHYS_PAGE(pgd) | (PUD_INDEX(addr) * 8ULL);
	pud = pt_load(vmid, p);
	if (pud == 0ULL && alloc == 1U) {
		page = alloc_pud_page(vmid);
		pud = page | PTE_TABLE;
		pt_store(vmid, p, pud);
	}
	return pud;
}

u64 walk_pmd(u32 vmid, u64 pud, u64 addr, u32 alloc)
{
	u64 p;
	u64 pmd;
	u64 page;

	if (pud == 0ULL)
		return 0ULL;
	p = PHYS_PAGE(pud) | (PMD_INDEX(addr) * 8ULL);
	pmd = pt_load(vmid, p);
	if (pmd == 0ULL && alloc == 1U) {
		page = alloc_pmd_page(vmid);
		pmd = page | PTE_TABLE;
		pt_store(vmid, p, pmd);
	}
	return pmd;
}

u64 walk_pte(u32 vmid, u64 pmd, u64 addr)
{
	u64 pte;

	if (pmd == 0ULL)
		return 0ULL;
	pte = pt_load(vmid, PHYS_PAGE(pmd) | (PTE_INDEX(addr) * 8ULL));
	return pte;
}

void set_pmd(u32 vmid, u64 pud, u64 addr, u64 pmd)
{
	pt_store(vmid, PHYS_PAGE(pud) | (PMD_INDEX(addr) * 8ULL), pmd);
}

void set_pte(u32 vmid, u64 pmd, u64 addr, u64 pte)
{
	pt_store(vmid, PHYS_PAGE(pmd) | (PTE_INDEX(addr) * 8ULL), pte);
}
