/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 26, MmioOps: the SMMUs as the layers above see them.
 *
 * A context bank belongs to nobody, to the host or to a VM; each operation is a critical
 * section of the owners.  A bank is given away with empty tables and is free again only
 * when its VM is off; its tables are emptied then, because the VM's frames may go to
 * others.  Banks and addresses that do not exist are a panic, an operation on a free
 * bank does nothing.
 */
#include "../prims.h"

/* The host touched addr: the SMMU that is there, if any, and then the access is done. */
u32 emulate_mmio(u64 addr, u32 hsr)
{
	u32 index;

	acquire_lock_smmu();
	index = is_smmu_range(addr);
	if (index != INVALID)
		handle_host_mmio(addr, index, hsr);
	release_lock_smmu();
	return index;
}

void el2_free_smmu_pgd(u32 cbndx, u32 index)
{
	u32 vmid;
	u32 on;

	if (index >= SMMU_NUM || cbndx >= SMMU_NUM_CTXT_BANKS)
		panic();
	acquire_lock_smmu();
	vmid = get_smmu_cfg_vmid(cbndx, index);
	if (vmid != INVALID) {
		on = get_vm_poweron(vmid);
		if (on != 0U)
			panic();
		init_spt(cbndx, index);
		set_smmu_cfg_vmid(cbndx, index, INVALID);
	}
	release_lock_smmu();
}

void el2_alloc_smmu_pgd(u32 cbndx, u32 vmid, u32 index)
{
	u32 smmus = get_smmu_num();
	u32 banks;
	u32 owner;

	if (index >= SMMU_NUM || index >= smmus || cbndx >= SMMU_NUM_CTXT_BANKS || vmid >= COREVISOR)
		panic();
	banks = get_smmu_num_context_banks(index);
	if (cbndx >= banks)
		panic();
	acquire_lock_smmu();
	owner = get_smmu_cfg_vmid(cbndx, index);
	if (owner == INVALID) {
		alloc_smmu(vmid, cbndx, index);
		set_smmu_cfg_vmid(cbndx, index, vmid);
	}
	release_lock_smmu();
}

/* A frame for the devices of the bank's owner, as its page gfn. */
void smmu_assign_page(u32 cbndx, u32 index, u64 pfn, u64 gfn)
{
	u32 vmid;

	if (index >= SMMU_NUM || cbndx >= SMMU_NUM_CTXT_BANKS)
		panic();
	acquire_lock_smmu();
	vmid = get_smmu_cfg_vmid(cbndx, index);
	if (vmid != INVALID)
		assign_smmu(vmid, pfn, gfn);
	release_lock_smmu();
}

void smmu_map_page(u32 cbndx, u32 index, u64 iova, u64 pte)
{
	u32 vmid;

	if (index >= SMMU_NUM || cbndx >= SMMU_NUM_CTXT_BANKS || iova >= SMMU_IOVA_LIMIT)
		panic();
	acquire_lock_smmu();
	vmid = get_smmu_cfg_vmid(cbndx, index);
	if (vmid != INVALID)
		map_smmu(vmid, cbndx, index, iova, pte);
	release_lock_smmu();
}

void el2_arm_lpae_clear(u64 iova, u32 cbndx, u32 index)
{
	u32 vmid;

	if (index >= SMMU_NUM || cbndx >= SMMU_NUM_CTXT_BANKS || iova >= SMMU_IOVA_LIMIT)
		panic();
	acquire_lock_smmu();
	vmid = get_smmu_cfg_vmid(cbndx, index);
	if (vmid != INVALID)
		clear_smmu(vmid, cbndx, index, iova);
	release_lock_smmu();
}

/* Where an address of the bank's devices leads. */
u64 el2_arm_lpae_iova_to_phys(u64 iova, u32 cbndx, u32 index)
{
	u64 pte;

	if (index >= SMMU_NUM || cbndx >= SMMU_NUM_CTXT_BANKS || iova >= SMMU_IOVA_LIMIT)
		panic();
	pte = walk_spt(cbndx, index, iova);
	return PHYS_PAGE(pte) + (iova & 0xFFFULL);
}

/* Does a VM still have a bank?  Then its devices reach the frames that they were given. */
u32 vm_has_bank(u32 vmid)
{
	u32 found = 0U;
	u32 i = 0U;
	u32 owner;

	acquire_lock_smmu();
	while (i < SMMU_NUM * SMMU_NUM_CTXT_BANKS) {
		owner = get_smmu_cfg_vmid(i % SMMU_NUM_CTXT_BANKS, i / SMMU_NUM_CTXT_BANKS);
		if (owner == vmid)
			found = 1U;
		i = i + 1U;
	}
	release_lock_smmu();
	return found;
}
