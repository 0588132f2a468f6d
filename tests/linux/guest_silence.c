/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * linux/guest_silence.c - the function takes its time over what the kernel takes away, and
 * more than it has: then the host keeps it out, and the kernel goes on.
 */
#include "guest.h"

/* One page of the space is taken away while the function is silent. Returns: how long
 * the kernel waited. */
static uint32_t unmap_ms(uint64_t silent_ms)
{
	uint64_t began_ns;

	bench_set(&guest.device, BENCH_SILENCE, silent_ms);
	began_ns = device_now_ns();
	CHECK_EQ(guest_unmap(guest.pasid, GUEST_IOVA, GUEST_PAGE, 0), 1);
	return (uint32_t)((device_now_ns() - began_ns) / 1000000);
}

CASE(a_slow_function_holds_an_unmap_up)
{
	uint32_t took_ms;

	guest_begin();
	CHECK_EQ(guest_attach(guest.pasid), 0);
	CHECK_EQ(guest_fill(guest.pasid, GUEST_IOVA, GUEST_PAGE, 1), MODEL_JOB_STATUS_done);
	took_ms = unmap_ms(300);
	CHECK(took_ms >= 299);
	NOTE("the function is 300 ms late: the unmap took %" PRIu32 " ms", took_ms);
	CHECK_EQ(guest_fill(guest.pasid, GUEST_IOVA, GUEST_PAGE, 2), MODEL_JOB_STATUS_done);
	CHECK(guest_holds(guest.pasid, GUEST_IOVA, GUEST_PAGE, 2));
	guest_end();
}

CASE(a_silent_function_is_kept_out_until_it_is_reset)
{
	enum model_job_status status;
	uint32_t took_ms;

	guest_begin();
	CHECK_EQ(guest_attach(guest.pasid), 0);
	CHECK_EQ(guest_fill(guest.pasid, GUEST_IOVA, GUEST_PAGE, 3), MODEL_JOB_STATUS_done);
	took_ms = unmap_ms(5000);
	NOTE("the unmap took %" PRIu32 " ms", took_ms);
	/* It still has the page in its cache: the host lets nothing of it through. */
	status = guest_fill(guest.pasid, GUEST_IOVA, GUEST_PAGE, 4);
	HOST("a job of the function ends with %s", guest_status_name(status));
	CHECK(status != MODEL_JOB_STATUS_done);
	CHECK_EQ(guest_spoiled(), 0);
	bench_set(&guest.device, BENCH_SILENCE, 0);
	CHECK_EQ(guest_reset(), 0);
	CHECK_EQ(guest_fill(guest.pasid, GUEST_IOVA, GUEST_PAGE, 5), MODEL_JOB_STATUS_done);
	CHECK(guest_holds(guest.pasid, GUEST_IOVA, GUEST_PAGE, 5));
	guest_end();
}

int main(void)
{
	return guest_main(900);
}
