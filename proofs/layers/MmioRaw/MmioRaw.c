/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 22, MmioRaw: what an access of the host to an SMMU is about.
 *
 * An entry of an SMMU table has its frame from the address and nothing else: of what the
 * host chooses only the memory type, the access rights and the ban on execution get in,
 * so neither the frame nor bits that change how entries are read can be smuggled in.
 */
#include "../prims.h"

/* The word that a trapped store of the host writes. */
u64 host_get_mmio_data(u32 hsr)
{
	u32 rd = host_dabt_get_rd(hsr);
	u32 vcpuid;
	u64 data = 0ULL;

	if (rd != ZERO_REGISTER) {
		vcpuid = get_cur_vcpuid();
		data = get_shadow_ctxt(HOSTVISOR, vcpuid, rd);
	}
	return data;
}

u64 smmu_init_pte(u64 prot, u64 addr)
{
	return PHYS_PAGE(addr) | (prot & SMMU_PTE_PROT) | SMMU_PTE_FIXED;
}

/* The context bank of an offset in the upper half of a frame of registers. */
u32 smmu_get_cbndx(u64 offset)
{
	return (u32)((offset >> 12) & 7ULL);
}
