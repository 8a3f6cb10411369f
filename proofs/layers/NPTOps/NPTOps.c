/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 8, NPTOps: operations on stage-2 tables, each under the table's lock.
 *
 * The arguments are checked here: a table that does not exist, and a mapping at an address, a
 * level or of a frame that there is not, is a panic; nothing is mapped at an address beyond
 * the 48 bits that tables translate.  Without the check the tables would take such an address
 * for its low 48 bits, and the host could reach a frame under a number that nobody tracks.
 *
 * What is mapped in a VM's table stays: a page has one frame for good.  Else the host could
 * answer two faults on one page with two frames and so swap what a running VM has in memory.
 * The check is in the critical section that maps, because only there it is true.
 *
 * clear_pfn_host takes a page away from the host: if the host maps the frame (it
 * maps frames to themselves), the entry becomes PAGE_GUEST, which points nowhere.
 */
#include "../prims.h"

u32 get_level_s2pt(u32 vmid, u64 addr)
{
	u32 level = 0U;

	if (vmid > COREVISOR)
		panic();
	if (addr < ADDR_LIMIT) {
		acquire_lock_pt(vmid);
		level = get_npt_level(vmid, addr);
		release_lock_pt(vmid);
	}
	return level;
}

u64 walk_s2pt(u32 vmid, u64 addr)
{
	u64 pte = 0ULL;

	if (vmid > COREVISOR)
		panic();
	if (addr < ADDR_LIMIT) {
		acquire_lock_pt(vmid);
		pte = walk_npt(vmid, addr);
		release_lock_pt(vmid);
	}
	return pte;
}

/* Only entries of their level are mapped, and only blocks that the hardware has: 512 frames
 * from an aligned one on.  In a VM's table each page must be free, or have this very entry, or
 * the entry that makes it the same page of the same frame outside a block. */
void map_s2pt(u32 vmid, u64 addr, u32 level, u64 pte)
{
	u64 gfn = addr / PAGE_SIZE;
	u64 num = 1ULL;
	u64 old;
	u64 i;

	if (vmid > COREVISOR || addr >= ADDR_LIMIT)
		panic();
	if (level == 2U) {
		if ((pte & PTE_TABLE) != PTE_BLOCK || PHYS_PAGE(pte) % BLOCK_SIZE != 0ULL)
			panic();
		gfn = gfn - gfn % PAGES_PER_BLOCK;
		num = PAGES_PER_BLOCK;
	} else {
		if (level != 3U || (pte & PTE_TABLE) != PTE_TABLE)
			panic();
	}
	acquire_lock_pt(vmid);
	if (vmid != HOSTVISOR && vmid != COREVISOR) {
		for (i = 0ULL; i < num; i++) {
			old = walk_npt(vmid, (gfn + i) * PAGE_SIZE);
			if (old != 0ULL && old != pte && old != (pte | PTE_TABLE | (i * PAGE_SIZE)))
				panic();
		}
	}
	set_npt(vmid, addr, level, pte);
	release_lock_pt(vmid);
}

void clear_pfn_host(u64 pfn)
{
	u32 level;

	if (pfn >= PFN_LIMIT)
		panic();
	acquire_lock_pt(HOSTVISOR);
	level = get_npt_level(HOSTVISOR, pfn * PAGE_SIZE);
	if (level != 0U)
		set_npt(HOSTVISOR, pfn * PAGE_SIZE, 3U, PAGE_GUEST);
	release_lock_pt(HOSTVISOR);
}
