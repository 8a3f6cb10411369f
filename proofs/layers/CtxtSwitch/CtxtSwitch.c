/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 29, CtxtSwitch: the CPU changes between the host and a VM.
 *
 * The host's context on a CPU is that CPU's.  A vCPU's context comes to the CPU with
 * set_vcpu_active, which succeeds for one CPU only, and goes with set_vcpu_inactive.
 */
#include "../prims.h"

void save_host(void)
{
	save_sysregs();
	fpsimd_save_state();
}

void restore_host(void)
{
	set_per_cpu(HOSTVISOR, 0U);
	host_el2_restore_state();
	restore_sysregs();
	fpsimd_restore_state();
}

void save_vm(void)
{
	u32 vmid;
	u32 vcpuid;

	save_sysregs();
	fpsimd_save_state();
	deactivate_traps();
	timer_disable_traps();
	save_shadow_kvm_regs();
	vmid = get_cur_vmid();
	vcpuid = get_cur_vcpuid();
	set_vcpu_inactive(vmid, vcpuid);
}

/* The host says which VM, in x0, and which vCPU. */
void restore_vm(void)
{
	u32 cpu;
	u32 vcpuid;
	u64 vmid;

	cpu = get_cur_vcpuid();
	vmid = get_shadow_ctxt(HOSTVISOR, cpu, 0U);
	if (vmid == 0ULL || vmid >= COREVISOR)
		panic();
	vcpuid = get_int_run_vcpuid((u32)vmid);
	if (vcpuid >= MAX_VCPU)
		panic();
	set_vcpu_active((u32)vmid, vcpuid);
	set_per_cpu((u32)vmid, vcpuid);
	restore_shadow_kvm_regs();
	vm_el2_restore_state();
	timer_enable_traps();
	activate_traps();
	restore_sysregs();
	fpsimd_restore_state();
}
