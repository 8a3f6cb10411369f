/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 34, TrapHandler: all that software outside of KCore can do.
 *
 * It traps, by a call, a fault or an exit of a VM; and it accesses memory, through the
 * stage-2 table of whoever runs, or from a device through the table of its bank.
 */
#include "../prims.h"

void host_hvc_handler(void)
{
	host_hvc_handler_raw();
}

void host_npt_handler(void)
{
	host_npt_handler_raw();
}

void host_vcpu_run_handler(void)
{
	host_vcpu_run_handler_raw();
}

void vm_exit_handler(void)
{
	vm_exit_handler_raw();
}

/* The table is that of the context that is loaded: nobody names another. */
u32 mem_load(u64 addr, u32 reg)
{
	u32 vmid = get_cur_vmid();

	return mem_load_ref(vmid, addr, reg);
}

u32 mem_store(u64 addr, u32 reg)
{
	u32 vmid = get_cur_vmid();

	return mem_store_ref(vmid, addr, reg);
}

u32 dev_load(u64 addr, u32 reg, u32 cbndx, u32 index)
{
	return dev_load_ref(cbndx, index, addr, reg);
}

u32 dev_store(u64 addr, u32 reg, u32 cbndx, u32 index)
{
	return dev_store_ref(cbndx, index, addr, reg);
}
