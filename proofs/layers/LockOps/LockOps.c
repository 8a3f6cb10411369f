/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 1, LockOps: the ticket lock.
 *
 * A CPU draws a ticket and polls until it is served; passing the lock on serves the
 * next ticket.  The counters wrap at 2^32, which is harmless while fewer CPUs wait.
 * The barriers keep the critical section between acquire and release on hardware
 * with relaxed memory.
 */
#include "../prims.h"

void wait_lock(u32 lk)
{
	u32 my = incr_ticket(lk);
	u32 now = get_now(lk);

	while (now != my)
		now = get_now(lk);
	barrier();
}

void pass_lock(u32 lk)
{
	barrier();
	incr_now(lk);
}
