/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 9, MmioPTAlloc: pages for SMMU tables.
 *
 * One pool of zeroed pages for each level below the roots, shared by all context
 * banks and handed out in order.  Pages are never given back.  An empty pool is a
 * panic.  The caller holds the lock of the SMMU tables.
 */
#include "../prims.h"

u64 alloc_smmu_pgd_page(void)
{
	u64 next = get_smmu_pgd_next();

	if (next + PAGE_SIZE <= SMMU_PMD_START)
		set_smmu_pgd_next(next + PAGE_SIZE);
	else
		panic();
	return next;
}

u64 alloc_smmu_pmd_page(void)
{
	u64 next = get_smmu_pmd_next();

	if (next + PAGE_SIZE <= SMMU_POOL_END)
		set_smmu_pmd_next(next + PAGE_SIZE);
	else
		panic();
	return next;
}
