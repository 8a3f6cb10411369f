/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 5, PTAlloc: pages for stage-2 tables.
 *
 * Each VM has three pools of zeroed pages, one for each level below the root, and
 * hands them out in order.  Pages are never given back, so a page that was handed
 * out once is nobody else's.  An empty pool is a panic.  The caller holds the lock
 * of the VM's table.
 */
#include "../prims.h"

u64 alloc_pgd_page(u32 vmid)
{
	u64 next = get_pgd_next(vmid);

	if (next + PAGE_SIZE <= PUD_START(vmid))
		set_pgd_next(vmid, next + PAGE_SIZE);
	else
		panic();
	return next;
}

u64 alloc_pud_page(u32 vmid)
{
	u64 next = get_pud_next(vmid);

	if (next + PAGE_SIZE <= PMD_START(vmid))
		set_pud_next(vmid, next + PAGE_SIZE);
	else
		panic();
	return next;
}

u64 alloc_pmd_page(u32 vmid)
{
	u64 next = get_pmd_next(vmid);

	if (next + PAGE_SIZE <= POOL_END(vmid))
		set_pmd_next(vmid, next + PAGE_SIZE);
	else
		panic();
	return next;
}
