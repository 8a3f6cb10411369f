/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 33, TrapHandlerRaw: KCore from its entry to its exit, for each kind of trap.
 *
 * At entry the general registers go to the context that is loaded, at exit they come from
 * the one that is loaded then; what else changes hands is for CtxtSwitch.
 */
#include "../prims.h"

void host_hvc_handler_raw(void)
{
	host_to_core();
	host_hvc_dispatcher();
	core_to_host();
}

void host_npt_handler_raw(void)
{
	host_to_core();
	handle_host_stage2_fault();
	core_to_host();
}

/* The host lets a vCPU run. */
void host_vcpu_run_handler_raw(void)
{
	host_to_core();
	save_host();
	restore_vm();
	core_to_vm();
}

/* A trap may be served here and the VM goes on; an interrupt is the host's, and so is a
 * reason that nobody knows. */
void vm_exit_handler_raw(void)
{
	u32 vmid;
	u32 vcpuid;
	u64 reason;
	u32 leave = 1U;

	vmid = get_cur_vmid();
	vcpuid = get_cur_vcpuid();
	vm_to_core();
	exit_populate_fault();
	reason = get_shadow_ctxt(vmid, vcpuid, REG_EC);
	if (reason == EXCEPTION_TRAP)
		leave = vm_exit_dispatcher(vmid, vcpuid);
	if (leave == 0U) {
		core_to_vm();
	} else {
		save_vm();
		restore_host();
		core_to_host();
	}
}
