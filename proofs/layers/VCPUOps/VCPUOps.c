/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 28, VCPUOps: what the host learns when a vCPU stops, and what it may change
 * before the vCPU goes on.
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

/* A vCPU that never ran gets its first registers; one of an encrypted image has them.
 * An injected exception takes the place of going on after the instruction. */
void restore_shadow_kvm_regs(void)
{
	u32 vmid;
	u32 vcpuid;
	u64 dirty;
	u64 reason;
	u64 pc;
	u64 addr;
	u32 flag;

	vmid = get_cur_vmid();
	vcpuid = get_cur_vcpuid();
	dirty = get_shadow_dirty_bit(vmid, vcpuid);
	if (dirty == NEVER_RAN) {
		flag = is_inc_exe(vmid);
		if (flag == 0U) {
			reset_gp_regs(vmid, vcpuid);
			reset_sys_regs(vmid, vcpuid);
		}
		set_shadow_dirty_bit(vmid, vcpuid, 0ULL);
	} else {
		reason = get_shadow_ctxt(vmid, vcpuid, REG_EC);
		if (reason == EXCEPTION_TRAP)
			sync_dirty_to_shadow(vmid, vcpuid);
		flag = get_int_inject(vmid, vcpuid);
		if (flag != 0U) {
			update_exception_gp_regs(vmid, vcpuid);
		} else if ((dirty & DIRTY_PC) != 0ULL) {
			pc = get_shadow_ctxt(vmid, vcpuid, REG_PC);
			set_shadow_ctxt(vmid, vcpuid, REG_PC, pc + 4ULL);
		}
		set_shadow_dirty_bit(vmid, vcpuid, 0ULL);
		set_shadow_ctxt(vmid, vcpuid, REG_FAR_EL2, 0ULL);
		addr = get_vm_fault_addr(vmid, vcpuid);
		if (PAGE_SIZE <= addr && addr < ADDR_LIMIT)
			post_handle_shadow_s2pt_fault(vmid, vcpuid, addr);
	}
}
