/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 14, PageIndex: the slot of an address in the page-ownership table.
 *
 * The pages of a block have consecutive slots, from the block's first.  INVALID64
 * for an address outside all blocks, or in a block whose pages are not tracked.
 */
#include "../prims.h"

u64 get_s2_page_index(u64 addr)
{
	u32 block = mem_region_search(addr);
	u64 index = INVALID64;
	u64 base;

	if (block != INVALID) {
		index = get_mem_region_index(block);
		if (index != INVALID64) {
			base = get_mem_region_base(block);
			index = index + (addr - base) / PAGE_SIZE;
		}
	}
	return index;
}
