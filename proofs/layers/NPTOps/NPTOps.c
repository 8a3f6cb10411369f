/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 8, NPTOps: operations on stage-2 tables, each under the table's lock.
 *
 * The arguments are checked here: a table that does not exist, and a mapping at an address, a
 * level or of a frame that there is not, is a panic; nothing is mapped at an address beyond
 * the 48 bits that tables translate.  Without the check the tables would take such an address
 * for its low 48 bits, and the host could reach a frame under a number that nobody tracks.
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

void map_s2pt(u32 vmid, u64 addr, u32 level, u64 pte)
{
	if (vmid > COREVISOR || addr >= ADDR_LIMIT || (level != 2U && level != 3U))
		panic();
	acquire_lock_pt(vmid);
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
