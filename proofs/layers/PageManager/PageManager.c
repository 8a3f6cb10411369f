/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 15, PageManager: who owns a page frame, by frame number.
 *
 * Each tracked frame has an owner, a count and a guest address.  The count is the
 * number of uses by the host (of a VM's frame: how often the VM shared it; of the
 * host's: by devices), or INVALID if a VM's frame is reserved for its devices.
 * Frames that are not tracked read as INVALID and are not changed.  A new owner
 * starts with count 0 and no guest address.  A change that nobody may make is a
 * panic: of KCore's frames, to an owner that is no VM, of the guest address of a
 * frame of the host, and reserving a frame of the host for devices.  The caller
 * holds the lock of the page-ownership table.
 */
#include "../prims.h"

u32 get_pfn_owner(u64 pfn)
{
	u64 index = INVALID64;
	u32 owner = INVALID;

	if (pfn < PFN_LIMIT)
		index = get_s2_page_index(pfn * PAGE_SIZE);
	if (index != INVALID64)
		owner = get_s2_page_vmid(index);
	return owner;
}

void set_pfn_owner(u64 pfn, u32 vmid)
{
	u64 index = INVALID64;
	u32 owner;

	if (vmid >= COREVISOR)
		panic();
	if (pfn < PFN_LIMIT)
		index = get_s2_page_index(pfn * PAGE_SIZE);
	if (index != INVALID64) {
		owner = get_s2_page_vmid(index);
		if (owner == COREVISOR)
			panic();
		set_s2_page_vmid(index, vmid);
		set_s2_page_count(index, 0U);
		set_s2_page_gfn(index, INVALID64);
	}
}

u32 get_pfn_count(u64 pfn)
{
	u64 index = INVALID64;
	u32 count = INVALID;

	if (pfn < PFN_LIMIT)
		index = get_s2_page_index(pfn * PAGE_SIZE);
	if (index != INVALID64)
		count = get_s2_page_count(index);
	return count;
}

void set_pfn_count(u64 pfn, u32 count)
{
	u64 index = INVALID64;
	u32 owner;

	if (pfn < PFN_LIMIT)
		index = get_s2_page_index(pfn * PAGE_SIZE);
	if (index != INVALID64) {
		owner = get_s2_page_vmid(index);
		if (owner == COREVISOR)
			panic();
		if (owner == HOSTVISOR && count == INVALID)
			panic();
		set_s2_page_count(index, count);
	}
}

u64 get_pfn_map(u64 pfn)
{
	u64 index = INVALID64;
	u64 gfn = INVALID64;

	if (pfn < PFN_LIMIT)
		index = get_s2_page_index(pfn * PAGE_SIZE);
	if (index != INVALID64)
		gfn = get_s2_page_gfn(index);
	return gfn;
}

void set_pfn_map(u64 pfn, u64 gfn)
{
	u64 index = INVALID64;
	u32 owner;

	if (pfn < PFN_LIMIT)
		index = get_s2_page_index(pfn * PAGE_SIZE);
	if (index != INVALID64) {
		owner = get_s2_page_vmid(index);
		if (owner == HOSTVISOR || owner == COREVISOR)
			panic();
		set_s2_page_gfn(index, gfn);
	}
}
