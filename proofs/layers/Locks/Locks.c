/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 4, Locks: the lock of each protected object, joined with the object.
 *
 * pull and push mark where the object comes into this CPU's hands and leaves them;
 * they are no code on hardware.
 */
#include "../prims.h"

void acquire_lock(u32 lk)
{
	wait_hlock(lk);
	pull(lk);
}

void release_lock(u32 lk)
{
	push(lk);
	pass_hlock(lk);
}

void acquire_lock_pt(u32 vmid)
{
	wait_hlock(LOCK_NPT(vmid));
	pull(LOCK_NPT(vmid));
}

void release_lock_pt(u32 vmid)
{
	push(LOCK_NPT(vmid));
	pass_hlock(LOCK_NPT(vmid));
}

void acquire_lock_vm(u32 vmid)
{
	wait_hlock(LOCK_VM(vmid));
	pull(LOCK_VM(vmid));
}

void release_lock_vm(u32 vmid)
{
	push(LOCK_VM(vmid));
	pass_hlock(LOCK_VM(vmid));
}

void acquire_lock_core(void)
{
	wait_hlock(LOCK_CORE);
	pull(LOCK_CORE);
}

void release_lock_core(void)
{
	push(LOCK_CORE);
	pass_hlock(LOCK_CORE);
}

void acquire_lock_s2page(void)
{
	wait_hlock(LOCK_S2PAGE);
	pull(LOCK_S2PAGE);
}

void release_lock_s2page(void)
{
	push(LOCK_S2PAGE);
	pass_hlock(LOCK_S2PAGE);
}

void acquire_lock_spt(void)
{
	wait_hlock(LOCK_SPT);
	pull(LOCK_SPT);
}

void release_lock_spt(void)
{
	push(LOCK_SPT);
	pass_hlock(LOCK_SPT);
}

void acquire_lock_smmu(void)
{
	wait_hlock(LOCK_SMMU);
	pull(LOCK_SMMU);
}

void release_lock_smmu(void)
{
	push(LOCK_SMMU);
	pass_hlock(LOCK_SMMU);
}
