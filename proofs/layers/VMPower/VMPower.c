/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 18, VMPower: whether a VM is off.
 *
 * A VM may switch itself off while other vCPUs of it still run.  It counts as off when
 * it was switched off and none of its vCPUs is active: no vCPU of such a VM becomes
 * active again, so the answer stays true after the lock is given back.  Without the
 * second condition its frames could be taken away while a vCPU still uses them.
 */
#include "../prims.h"

/* Other numbers than those of VMs are always on. */
u32 get_vm_poweron(u32 vmid)
{
	u32 on = 0U;
	u32 i = 0U;
	u32 state;

	if (vmid == HOSTVISOR || vmid >= COREVISOR)
		return 1U;
	acquire_lock_vm(vmid);
	state = get_vm_state(vmid);
	if (state != POWEROFF)
		on = 1U;
	while (i < MAX_VCPU) {
		state = get_vcpu_state(vmid, i);
		if (state == ACTIVE)
			on = 1U;
		i = i + 1U;
	}
	release_lock_vm(vmid);
	return on;
}

/* A VM that was never registered cannot be switched off. */
void set_vm_poweroff(u32 vmid)
{
	u32 state;

	if (vmid == HOSTVISOR || vmid >= COREVISOR)
		panic();
	acquire_lock_vm(vmid);
	state = get_vm_state(vmid);
	if (state == UNUSED)
		panic();
	set_vm_state(vmid, POWEROFF);
	release_lock_vm(vmid);
}
