/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 27, VCPUOpsAux: the parts of a vCPU's entry and exit, on its saved context.
 *
 * The caller has the right to the context.  What the host may learn of a register is
 * written with set_int_gpr and set_int_fault, nothing else shows the context to it;
 * which register, is decided by the hardware's syndrome, never by what the host says.
 */
#include "../prims.h"

/* A vCPU starts at the host's address inside a verified image, with empty registers.
 * Its state is one of EL1: with a state of EL2 the host would run code as KCore. */
void reset_gp_regs(u32 vmid, u32 vcpuid)
{
	u64 pc;
	u64 load;
	u64 pstate;

	pc = get_int_pc(vmid, vcpuid);
	load = search_load_info(vmid, pc);
	if (load == 0ULL)
		panic();
	pstate = get_int_pstate(vmid, vcpuid);
	if ((pstate & PSTATE_MODE) != PSTATE_EL1H)
		pstate = PSTATE_EL1;
	clear_shadow_gp_regs(vmid, vcpuid);
	set_shadow_ctxt(vmid, vcpuid, REG_PSTATE, pstate);
	set_shadow_ctxt(vmid, vcpuid, REG_PC, pc);
	reset_fp_regs(vmid, vcpuid);
}

/* The 24 system registers that follow FLAGS in the context. */
void reset_sys_regs(u32 vmid, u32 vcpuid)
{
	u32 i = 1U;
	u64 value;

	while (i <= 24U) {
		if (i == 1U) {
			value = vcpuid % 16U + ((vcpuid / 16U) % 256U) * 256U +
				((vcpuid / 4096U) % 256U) * 65536U + 0x80000000U;
		} else if (i == 4U) {
			value = read_actlr_el1();
		} else {
			value = get_sys_reg_desc_val(i);
		}
		set_shadow_ctxt(vmid, vcpuid, REG_FLAGS + i, value);
		i = i + 1U;
	}
}

/* The registers that the host was asked to set. */
void sync_dirty_to_shadow(u32 vmid, u32 vcpuid)
{
	u64 dirty;
	u64 value;
	u32 i = 0U;

	dirty = get_shadow_dirty_bit(vmid, vcpuid);
	while (i < 31U) {
		if ((dirty & (1ULL << i)) != 0ULL) {
			value = get_int_gpr(vmid, vcpuid, i);
			set_shadow_ctxt(vmid, vcpuid, i, value);
		}
		i = i + 1U;
	}
}

/* The VM waits: the host learns nothing more. */
void prep_wfx(u32 vmid, u32 vcpuid)
{
	set_shadow_dirty_bit(vmid, vcpuid, DIRTY_PC);
}

/* A call to the firmware: the host serves it and sets x0. */
void prep_hvc(u32 vmid, u32 vcpuid)
{
	u64 number;
	u64 arg;
	u32 function;

	number = get_shadow_ctxt(vmid, vcpuid, 0U);
	set_int_gpr(vmid, vcpuid, 0U, number);
	function = (u32)number;
	if (function == PSCI_CPU_ON64 || function == PSCI_AFFINITY_INFO ||
	    function == PSCI_AFFINITY_INFO64) {
		arg = get_shadow_ctxt(vmid, vcpuid, 1U);
		set_int_gpr(vmid, vcpuid, 1U, arg);
		arg = get_shadow_ctxt(vmid, vcpuid, 2U);
		set_int_gpr(vmid, vcpuid, 2U, arg);
		if (function == PSCI_CPU_ON64) {
			arg = get_shadow_ctxt(vmid, vcpuid, 3U);
			set_int_gpr(vmid, vcpuid, 3U, arg);
		}
	}
	set_shadow_dirty_bit(vmid, vcpuid, DIRTY_X0);
	if (function == PSCI_SYSTEM_OFF)
		set_vm_poweroff(vmid);
}

/* The VM touched what is not mapped.  The host learns the page; where it emulates a
 * device also the place in the page, and the value that is stored. */
void prep_abort(u32 vmid, u32 vcpuid)
{
	u64 esr;
	u64 hpfar;
	u64 far;
	u64 value;
	u32 rd;

	esr = get_shadow_ctxt(vmid, vcpuid, REG_ESR_EL2);
	hpfar = get_shadow_ctxt(vmid, vcpuid, REG_HPFAR_EL2);
	set_int_fault(vmid, vcpuid, REG_HPFAR_EL2, hpfar);
	if ((hpfar >> 4) < MAX_MMIO_PAGE) {
		far = get_shadow_ctxt(vmid, vcpuid, REG_FAR_EL2);
		set_int_fault(vmid, vcpuid, REG_FAR_EL2, far % PAGE_SIZE);
		if ((esr & ESR_ISV) != 0ULL) {
			rd = ESR_SRT(esr);
			if ((esr & ESR_WNR) != 0ULL) {
				value = get_shadow_ctxt(vmid, vcpuid, rd);
				set_int_gpr(vmid, vcpuid, rd, value);
			} else {
				set_shadow_dirty_bit(vmid, vcpuid, 1ULL << rd);
			}
		}
		set_shadow_dirty_bit(vmid, vcpuid, DIRTY_PC);
	}
}

/* The VM takes an undefined-instruction exception to EL1, at its own vector. */
void update_exception_gp_regs(u32 vmid, u32 vcpuid)
{
	u64 pstate;
	u64 pc;
	u64 base;
	u64 offset;

	pstate = get_shadow_ctxt(vmid, vcpuid, REG_PSTATE);
	pc = get_shadow_ctxt(vmid, vcpuid, REG_PC);
	base = get_shadow_ctxt(vmid, vcpuid, REG_VBAR_EL1);
	offset = get_exception_vector(pstate);
	set_shadow_ctxt(vmid, vcpuid, REG_ELR_EL1, pc);
	set_shadow_ctxt(vmid, vcpuid, REG_PC, base + offset);
	set_shadow_ctxt(vmid, vcpuid, REG_PSTATE, PSTATE_EL1);
	set_shadow_ctxt(vmid, vcpuid, REG_SPSR_EL1, pstate);
	set_shadow_ctxt(vmid, vcpuid, REG_ESR_EL1, 0ULL);
}

/* The page or block that the host gives for the address at which the VM faulted. */
void post_handle_shadow_s2pt_fault(u32 vmid, u32 vcpuid, u64 addr)
{
	u64 pte;
	u32 level;

	pte = get_int_new_pte(vmid, vcpuid);
	level = get_int_new_level(vmid, vcpuid);
	if (level == 2U)
		prot_and_map_vm_s2pt(vmid, addr, pte, 2U);
	else
		prot_and_map_vm_s2pt(vmid, addr, pte, 3U);
}
