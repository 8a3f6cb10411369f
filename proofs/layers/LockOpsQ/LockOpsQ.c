/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 2, LockOpsQ: the same lock, seen as a queue of CPUs.
 *
 * The functions add nothing to the code; what changes is the specification.
 */
#include "../prims.h"

void wait_qlock(u32 lk)
{
	wait_lock(lk);
}

void pass_qlock(u32 lk)
{
	pass_lock(lk);
}
