/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 10, MmioPTWalk: one step down an SMMU table.
 *
 * As for stage-2 tables, with three levels.  A root has 1024 entries in two pages,
 * so that its index has ten bits.  clear_smmu_pgd empties a root; the tables below
 * it are not given back.  The caller holds the lock of the SMMU tables.
 */
#include "../prims.h"

u64 walk_smmu_pgd(u64 ttbr, u64 addr, u32 alloc)
{
	u64 p = PHYS_PAGE(ttbr) + (SMMU_PGD_INDEX(addr) * 8ULL);
	u64 pgd = smmu_pt_load(p);
	u64 page;

	if (pgd == 0ULL && alloc == 1U) {
		page = alloc_smmu_pgd_page();
		pgd = page | PTE_TABLE;
		smmu_pt_store(p, pgd);
	}
	return pgd;
}

u64 walk_smmu_pmd(u64 pgd, u64 addr, u32 alloc)
{
	u64 p;
	u64 pmd;
	u64 page;

	if (pgd == 0ULL)
		return 0ULL;
	p = PHYS_PAGE(pgd) | (PMD_INDEX(addr) * 8ULL);
	pmd = smmu_pt_load(p);
	if (pmd == 0ULL && alloc == 1U) {
		page = alloc_smmu_pmd_page();
		pmd = page | PTE_TABLE;
		smmu_pt_store(p, pmd);
	}
	return pmd;
}

u64 walk_smmu_pte(u64 pmd, u64 addr)
{
	u64 pte;

	if (pmd == 0ULL)
		return 0ULL;
	pte = smmu_pt_load(PHYS_PAGE(pmd) | (PTE_INDEX(addr) * 8ULL));
	return pte;
}

void set_smmu_pte(u64 pmd, u64 addr, u64 pte)
{
	smmu_pt_store(PHYS_PAGE(pmd) | (PTE_INDEX(addr) * 8ULL), pte);
}

void clear_smmu_pgd(u64 ttbr)
{
	u64 p = PHYS_PAGE(ttbr);
	u64 left = SMMU_PGD_ENTRIES;

	while (left != 0ULL) {
		smmu_pt_store(p, 0ULL);
		p = p + 8ULL;
		left = left - 1ULL;
	}
}
