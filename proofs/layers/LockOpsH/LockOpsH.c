/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 3, LockOpsH: the same lock, free or held.
 *
 * The functions add nothing to the code; above this layer there is no waiting.
 */
#include "../prims.h"

void wait_hlock(u32 lk)
{
	wait_qlock(lk);
}

void pass_hlock(u32 lk)
{
	pass_qlock(lk);
}
