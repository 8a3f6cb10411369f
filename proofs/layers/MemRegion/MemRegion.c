/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 13, MemRegion: which block of the firmware's memory map holds an address.
 *
 * The map is read-only and needs no lock.  Of several blocks that hold the address
 * the last one counts; INVALID if there is none.
 */
#include "../prims.h"

u32 mem_region_search(u64 addr)
{
	u32 n = get_mem_region_cnt();
	u32 found = INVALID;
	u32 i = 0U;
	u64 base;
	u64 size;

	while (i < n) {
		base = get_mem_region_base(i);
		size = get_mem_region_size(i);
		if (base <= addr && addr < base + size)
			found = i;
		i = i + 1U;
	}
	return found;
}
