/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 28, VCPUOps: what the host learns when a vCPU stops.
 */
#include "../prims.h"

/* The reason is shown; the rest of the report depends on it.  A class that nobody
 * serves is the VM's doing: it is reported, not a reason to stop the machine. */
void save_shadow_kvm_regs(void)
{
	u32 vmid;
	u32 vcpuid;
	u64 reason;
	u64 syndrome;
	u32 esr;
	u32 class;

	vmid = get_cur_vmid();
	vcpuid = get_cur_vcpuid();
	reason = get_shadow_ctxt(vmid, vcpuid, REG_EC);
	set_int_fault(vmid, vcpuid, REG_EC, reason);
	if (reason == EXCEPTION_TRAP) {
		syndrome = get_shadow_ctxt(vmid, vcpuid, REG_ESR_EL2);
		set_int_fault(vmid, vcpuid, REG_ESR_EL2, syndrome);
		esr = get_shadow_esr(vmid, vcpuid);
		class = ESR_CLASS(esr);
		if (class == CLASS_WFX)
			prep_wfx(vmid, vcpuid);
		else if (class == CLASS_HVC32 || class == CLASS_HVC64)
			prep_hvc(vmid, vcpuid);
		else if (class == CLASS_IABT || class == CLASS_DABT)
			prep_abort(vmid, vcpuid);
	}
}
