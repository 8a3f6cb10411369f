/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 16, MemManager: who may use a frame, and the tables that follow from it.
 *
 * Each function is one critical section of the page-ownership table, with the locks
 * of page tables inside.  A frame that the host must not see any more leaves the
 * host's table before its metadata says so.  What the owner of a frame does not
 * allow is a panic, except that a VM's wrong requests to share are ignored.
 */
#include "../prims.h"

/* The host touched a frame: a device, its own, or one that a VM shares with it. */
void map_page_host(u64 addr)
{
	u64 pfn = addr / PAGE_SIZE;
	u32 owner;
	u32 count;

	acquire_lock_s2page();
	owner = get_pfn_owner(pfn);
	count = get_pfn_count(pfn);
	if (owner == INVALID) {
		map_s2pt(HOSTVISOR, addr, 3U, (pfn * PAGE_SIZE) | PAGE_S2_DEVICE);
	} else {
		if (owner == HOSTVISOR || (count != 0U && count != INVALID))
			map_s2pt(HOSTVISOR, addr, 3U, (pfn * PAGE_SIZE) | PAGE_S2);
		else
			panic();
	}
	release_lock_s2page();
}

/* Frames of a VM go back to the host, empty. */
void clear_vm_page(u32 vmid, u64 pfn)
{
	u32 owner;

	acquire_lock_s2page();
	owner = get_pfn_owner(pfn);
	if (owner == vmid && owner != HOSTVISOR && owner < COREVISOR) {
		clear_pfn_host(pfn);
		clear_phys_page(pfn);
		set_pfn_owner(pfn, HOSTVISOR);
	}
	release_lock_s2page();
}

/* A VM gets an unused frame of the host as its page gfn, or has it already. */
void assign_pfn_to_vm(u32 vmid, u64 gfn, u64 pfn)
{
	u32 owner;
	u32 count;
	u64 map;

	if (vmid == HOSTVISOR || vmid >= COREVISOR || gfn == INVALID64)
		panic();
	acquire_lock_s2page();
	owner = get_pfn_owner(pfn);
	count = get_pfn_count(pfn);
	map = get_pfn_map(pfn);
	if (owner == HOSTVISOR && count == 0U) {
		clear_pfn_host(pfn);
		set_pfn_owner(pfn, vmid);
		set_pfn_map(pfn, gfn);
	} else {
		if (owner != vmid || (map != INVALID64 && map != gfn))
			panic();
		if (count == INVALID) {
			clear_pfn_host(pfn);
			set_pfn_count(pfn, 0U);
		}
		set_pfn_map(pfn, gfn);
	}
	release_lock_s2page();
}

/* The caller has made sure that the frames are the VM's. */
void map_pfn_vm(u32 vmid, u64 addr, u64 pte, u32 level)
{
	if (level == 2U) {
		if ((PHYS_PAGE(pte) / PAGE_SIZE) % PAGES_PER_BLOCK != 0ULL)
			panic();
		map_s2pt(vmid, addr, 2U, PHYS_PAGE(pte) | BLOCK_S2);
	} else {
		map_s2pt(vmid, addr, 3U, PHYS_PAGE(pte) | PAGE_S2);
	}
}

/* A device's registers in a VM's address space. */
void map_vm_io(u32 vmid, u64 gpa, u64 pa)
{
	u32 owner;

	acquire_lock_s2page();
	owner = get_pfn_owner(PHYS_PAGE(pa) / PAGE_SIZE);
	if (owner == INVALID)
		map_s2pt(vmid, gpa, 3U, PHYS_PAGE(pa) | PAGE_S2_DEVICE);
	release_lock_s2page();
}

/* A VM shares a frame with the host once more. */
void grant_vm_page(u32 vmid, u64 pfn)
{
	u32 owner;
	u32 count;

	acquire_lock_s2page();
	owner = get_pfn_owner(pfn);
	count = get_pfn_count(pfn);
	if (owner == vmid && owner != HOSTVISOR && owner < COREVISOR && count < MAX_SHARE_COUNT)
		set_pfn_count(pfn, count + 1U);
	release_lock_s2page();
}

/* A VM takes one share back; with the last one the host loses the frame. */
void revoke_vm_page(u32 vmid, u64 pfn)
{
	u32 owner;
	u32 count;

	acquire_lock_s2page();
	owner = get_pfn_owner(pfn);
	count = get_pfn_count(pfn);
	if (owner == vmid && owner != HOSTVISOR && owner < COREVISOR && count != 0U && count != INVALID) {
		if (count == 1U)
			clear_pfn_host(pfn);
		set_pfn_count(pfn, count - 1U);
	}
	release_lock_s2page();
}

/* A VM's devices get an unused frame of the host as the VM's page gfn. */
void assign_pfn_to_smmu(u32 vmid, u64 gfn, u64 pfn)
{
	u32 owner;
	u32 count;

	if (vmid == HOSTVISOR || vmid >= COREVISOR || gfn == INVALID64)
		panic();
	acquire_lock_s2page();
	owner = get_pfn_owner(pfn);
	count = get_pfn_count(pfn);
	if (owner == HOSTVISOR && count == 0U) {
		clear_pfn_host(pfn);
		set_pfn_owner(pfn, vmid);
		set_pfn_map(pfn, gfn);
		set_pfn_count(pfn, INVALID);
	} else {
		if (owner != vmid)
			panic();
	}
	release_lock_s2page();
}

/* A device of vmid may use the frame of pte at iova: a frame of the host, which is
 * counted, or the VM's page at that address. */
void update_smmu_page(u32 vmid, u32 cbndx, u32 index, u64 iova, u64 pte)
{
	u64 pfn = PHYS_PAGE(pte) / PAGE_SIZE;
	u32 owner;
	u32 count;
	u64 map;

	if (vmid >= COREVISOR)
		panic();
	acquire_lock_s2page();
	owner = get_pfn_owner(pfn);
	count = get_pfn_count(pfn);
	map = get_pfn_map(pfn);
	if (owner != vmid)
		panic();
	if (owner == HOSTVISOR) {
		if (count + 1U == INVALID)
			panic();
		map_spt(cbndx, index, iova, pte);
		set_pfn_count(pfn, count + 1U);
	} else {
		if (map != iova / PAGE_SIZE)
			panic();
		map_spt(cbndx, index, iova, pte);
	}
	release_lock_s2page();
}

void unmap_smmu_page(u32 cbndx, u32 index, u64 iova)
{
	u64 pte;
	u64 pfn;
	u32 owner;
	u32 count;

	acquire_lock_s2page();
	pte = unmap_spt(cbndx, index, iova);
	pfn = PHYS_PAGE(pte) / PAGE_SIZE;
	owner = get_pfn_owner(pfn);
	count = get_pfn_count(pfn);
	if (pfn != 0ULL && owner == HOSTVISOR && count != 0U)
		set_pfn_count(pfn, count - 1U);
	release_lock_s2page();
}
