/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 17, MemoryOps: operations on ranges of pages.
 *
 * No lock is held from one page to the next, so other CPUs act in between.  A range
 * that leaves the address space is refused whole: by doing nothing where a powered-off
 * VM's memory is taken back or a VM shares its own, by a panic where the host wants
 * to give memory to a VM.
 */
#include "../prims.h"

/* The VM's frames among num frames from pfn on go back to the host, empty. */
void clear_vm_range(u32 vmid, u64 pfn, u64 num)
{
	u64 i;

	if (pfn <= PFN_LIMIT && num <= PFN_LIMIT - pfn) {
		for (i = 0ULL; i < num; i++)
			clear_vm_page(vmid, pfn + i);
	}
}

/* A VM gets the frame of pte at addr, or at level 2 the block of 512 frames of pte at the
 * block of addr; all that is mapped is the VM's before.  The hardware takes a block to
 * begin at an aligned frame, whatever the entry says: others are not blocks. */
void prot_and_map_vm_s2pt(u32 vmid, u64 addr, u64 pte, u32 level)
{
	u64 gfn = addr / PAGE_SIZE;
	u64 pfn = PHYS_PAGE(pte) / PAGE_SIZE;
	u64 i;

	if (gfn >= PFN_LIMIT)
		panic();
	if (level == 2U) {
		if (pfn % PAGES_PER_BLOCK != 0ULL)
			panic();
		gfn = gfn - gfn % PAGES_PER_BLOCK;
		for (i = 0ULL; i < PAGES_PER_BLOCK; i++)
			assign_pfn_to_vm(vmid, gfn + i, pfn + i);
	} else {
		assign_pfn_to_vm(vmid, gfn, pfn);
	}
	map_pfn_vm(vmid, addr, pte, level);
}

/* A VM shares the size bytes from addr on with the host, page by page, as far as they are
 * mapped.  One look at the table gives both the entry and its kind: with a second look
 * for the kind, another frame of the VM could be shared if the entry changed between. */
void grant_stage2_sg_gpa(u32 vmid, u64 addr, u64 size)
{
	u64 gfn = addr / PAGE_SIZE;
	u64 num = size / PAGE_SIZE;
	u64 pte;
	u64 pfn;
	u64 i;

	if (size % PAGE_SIZE != 0ULL)
		num = num + 1ULL;
	if (vmid != HOSTVISOR && vmid < COREVISOR && gfn + num <= PFN_LIMIT) {
		for (i = 0ULL; i < num; i++) {
			pte = walk_s2pt(vmid, (gfn + i) * PAGE_SIZE);
			pfn = PHYS_PAGE(pte) / PAGE_SIZE;
			if (pfn != 0ULL) {
				if ((pte & PTE_TABLE) != PTE_TABLE)
					pfn = pfn + (gfn + i) % PAGES_PER_BLOCK;
				grant_vm_page(vmid, pfn);
			}
		}
	}
}

/* The same, taking back one share of each page. */
void revoke_stage2_sg_gpa(u32 vmid, u64 addr, u64 size)
{
	u64 gfn = addr / PAGE_SIZE;
	u64 num = size / PAGE_SIZE;
	u64 pte;
	u64 pfn;
	u64 i;

	if (size % PAGE_SIZE != 0ULL)
		num = num + 1ULL;
	if (vmid != HOSTVISOR && vmid < COREVISOR && gfn + num <= PFN_LIMIT) {
		for (i = 0ULL; i < num; i++) {
			pte = walk_s2pt(vmid, (gfn + i) * PAGE_SIZE);
			pfn = PHYS_PAGE(pte) / PAGE_SIZE;
			if (pfn != 0ULL) {
				if ((pte & PTE_TABLE) != PTE_TABLE)
					pfn = pfn + (gfn + i) % PAGES_PER_BLOCK;
				revoke_vm_page(vmid, pfn);
			}
		}
	}
}
