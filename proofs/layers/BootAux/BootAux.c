/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 20, BootAux: an image that the host loaded becomes the memory of a VM.
 *
 * KCore's own table says, slot by slot of the window for images, in which frame each
 * page of the image lies.  Exactly these frames become the VM's, each at its page of
 * the image: once they are, nobody but the VM can change what is in them, so what is
 * verified afterwards through the window is what the VM runs.  Whole blocks around the
 * image would bring in frames that nobody verifies; and a page that has a frame already
 * is refused, else a second image could replace a page of the first.
 */
#include "../prims.h"

void unmap_and_load_vm_image(u32 vmid, u64 target_addr, u64 remap_addr, u64 num)
{
	u64 gfn = target_addr / PAGE_SIZE;
	u64 slot = remap_addr / PAGE_SIZE;
	u64 pte;
	u64 old;
	u64 i;

	if (vmid != HOSTVISOR && vmid < COREVISOR && target_addr % PAGE_SIZE == 0ULL && remap_addr % PAGE_SIZE == 0ULL
	    && num <= PFN_LIMIT && gfn + num <= PFN_LIMIT && slot + num <= PFN_LIMIT) {
		for (i = 0ULL; i < num; i++) {
			pte = walk_s2pt(COREVISOR, (slot + i) * PAGE_SIZE);
			if (PHYS_PAGE(pte) == 0ULL)
				panic();
			old = walk_s2pt(vmid, (gfn + i) * PAGE_SIZE);
			if (old != 0ULL)
				panic();
			prot_and_map_vm_s2pt(vmid, (gfn + i) * PAGE_SIZE, pte, 3U);
		}
	} else {
		panic();
	}
}
