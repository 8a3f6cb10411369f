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
 *
 * Two more functions are an access of a VM or of the host to memory, through its
 * table; they take the lock themselves.
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

/*
 * An access of the context of VM vmid to the word at addr, by an instruction with
 * general register reg, as the hardware makes it: translate, check the permission,
 * load or store.  Returns 1 if the access was made, 0 if it faults: there is no such
 * word or register, no mapping, or no permission.
 *
 * The table is locked from the walk to the access, because who removes a mapping
 * waits until accesses under the old translation are complete.
 */
u32 mem_load_ref(u32 vmid, u64 addr, u32 reg)
{
	u64 vttbr;
	u64 pgd;
	u64 pud;
	u64 pte;
	u64 kind = PTE_BLOCK;
	u64 size = BLOCK_SIZE;
	u32 done = 0U;

	if (vmid > COREVISOR)
		panic();
	if (addr >= ADDR_LIMIT || addr % 8ULL != 0ULL || reg >= USER_REGS)
		return 0U;
	vttbr = get_pt_vttbr(vmid);
	acquire_lock_pt(vmid);
	pgd = walk_pgd(vmid, vttbr, addr, 0U);
	pud = walk_pud(vmid, pgd, addr, 0U);
	pte = walk_pmd(vmid, pud, addr, 0U);
	if ((pte & PTE_TABLE) == PTE_TABLE) {
		pte = walk_pte(vmid, pte, addr);
		kind = PTE_TABLE;
		size = PAGE_SIZE;
	}
	if ((pte & PTE_TABLE) == kind && (pte & PTE_READ) != 0ULL) {
		phys_load(PHYS_PAGE(pte) / size * size + addr % size, reg);
		done = 1U;
	}
	release_lock_pt(vmid);
	return done;
}

u32 mem_store_ref(u32 vmid, u64 addr, u32 reg)
{
	u64 vttbr;
	u64 pgd;
	u64 pud;
	u64 pte;
	u64 kind = PTE_BLOCK;
	u64 size = BLOCK_SIZE;
	u32 done = 0U;

	if (vmid > COREVISOR)
		panic();
	if (addr >= ADDR_LIMIT || addr % 8ULL != 0ULL || reg >= USER_REGS)
		return 0U;
	vttbr = get_pt_vttbr(vmid);
	acquire_lock_pt(vmid);
	pgd = walk_pgd(vmid, vttbr, addr, 0U);
	pud = walk_pud(vmid, pgd, addr, 0U);
	pte = walk_pmd(vmid, pud, addr, 0U);
	if ((pte & PTE_TABLE) == PTE_TABLE) {
		pte = walk_pte(vmid, pte, addr);
		kind = PTE_TABLE;
		size = PAGE_SIZE;
	}
	if ((pte & PTE_TABLE) == kind && (pte & PTE_WRITE) != 0ULL) {
		phys_store(PHYS_PAGE(pte) / size * size + addr % size, reg);
		done = 1U;
	}
	release_lock_pt(vmid);
	return done;
}
