/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 30, MemHandler: what the host asks of KCore about memory of VMs and of devices.
 *
 * The arguments come from the host as they are.  The layers below decide about frames;
 * here a range is split into pages, and one that leaves the address space is refused.
 */
#include "../prims.h"

/* Memory of a VM that is off goes back to the host, when the VM has no SMMU bank left: a
 * bank's tables keep what they map until it is freed, and a device would still write to
 * frames that are somebody else's.  A VM that is off stays off and gets no new bank, so it
 * is enough to ask once. */
void clear_vm_stage2_range(u32 vmid, u64 start, u64 size)
{
	u32 on = get_vm_poweron(vmid);
	u32 banks;

	if (on == 0U) {
		banks = vm_has_bank(vmid);
		if (banks == 0U)
			clear_vm_range(vmid, start / PAGE_SIZE, size / PAGE_SIZE);
	}
}

/* A device may use the page of paddr at iova: the frame becomes its owner's first. */
void el2_arm_lpae_map(u64 iova, u64 paddr, u64 prot, u32 cbndx, u32 index)
{
	u64 pte = smmu_init_pte(prot, paddr);

	smmu_assign_page(cbndx, index, paddr / PAGE_SIZE, iova / PAGE_SIZE);
	smmu_map_page(cbndx, index, iova, pte);
}

/* A device's registers for a VM that is not started yet, page by page. */
void kvm_phys_addr_ioremap(u32 vmid, u64 gpa, u64 pa, u64 size)
{
	u64 gfn = gpa / PAGE_SIZE;
	u64 pfn = pa / PAGE_SIZE;
	u64 num = size / PAGE_SIZE;
	u64 i;

	if (size % PAGE_SIZE != 0ULL)
		num = num + 1ULL;
	if (gfn + num <= PFN_LIMIT && pfn + num <= PFN_LIMIT) {
		for (i = 0ULL; i < num; i++)
			map_io(vmid, (gfn + i) * PAGE_SIZE, (pfn + i) * PAGE_SIZE);
	} else {
		panic();
	}
}
