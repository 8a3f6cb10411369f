/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 31, FaultHandler: the host touched memory that it does not map, and a VM shares
 * memory with the host or takes it back.
 */
#include "../prims.h"

/* Registers of an SMMU are emulated; all else becomes the host's if it may have it. */
void handle_host_stage2_fault(void)
{
	u64 hpfar = read_hpfar_el2();
	u32 hsr = read_esr_el2();
	u32 found = emulate_mmio(HPFAR_PAGE(hpfar), hsr);

	if (found == INVALID)
		map_page_host(HPFAR_PAGE(hpfar));
}

/* Of the VM that runs: 0 if the call was for KCore, 1 if it is for the host. */
u32 core_handle_pvops(void)
{
	u32 vmid = get_cur_vmid();
	u32 vcpuid = get_cur_vcpuid();
	u64 what;
	u64 addr;
	u64 size;
	u32 ret = 1U;

	if (vmid == HOSTVISOR || vmid >= COREVISOR)
		panic();
	what = get_shadow_ctxt(vmid, vcpuid, 0U);
	addr = get_shadow_ctxt(vmid, vcpuid, 2U);
	size = get_shadow_ctxt(vmid, vcpuid, 3U);
	if (what == HVC_KVM_SET_DESC_PFN) {
		grant_stage2_sg_gpa(vmid, addr, size);
		ret = 0U;
	}
	if (what == HVC_KVM_UNSET_DESC_PFN) {
		revoke_stage2_sg_gpa(vmid, addr, size);
		ret = 0U;
	}
	return ret;
}
