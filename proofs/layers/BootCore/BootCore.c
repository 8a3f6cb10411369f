/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 19, BootCore: fresh VM numbers, and fresh ranges of KCore's addresses for
 * images.  Both only grow: nothing is handed out twice.
 */
#include "../prims.h"

/* 0 is the host's number and is never handed out. */
u32 gen_vmid(void)
{
	u32 vmid;

	acquire_lock_core();
	vmid = get_next_vmid();
	if (vmid == HOSTVISOR || vmid >= COREVISOR)
		panic();
	set_next_vmid(vmid + 1U);
	release_lock_core();
	return vmid;
}

/* The first address of pgnum pages, or 0 if there is no room; no pages are refused. */
u64 alloc_remap_addr(u64 pgnum)
{
	u64 ptr;

	acquire_lock_core();
	ptr = get_next_remap_ptr();
	if (ptr < REMAP_START || ptr > REMAP_END || ptr % PAGE_SIZE != 0ULL || pgnum == 0ULL ||
	    pgnum > (REMAP_END - ptr) / PAGE_SIZE)
		ptr = 0ULL;
	else
		set_next_remap_ptr(ptr + pgnum * PAGE_SIZE);
	release_lock_core();
	return ptr;
}
