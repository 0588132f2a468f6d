/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: a function that takes its time over an invalidation, and more than it has. */
#include "host.h"

#include <iopf/wire.h>

#define ADDR UINT64_C(0x5000000)

/* Invalidations of the function's cache that the kernel has submitted from *@at on. */
static uint32_t submitted(uint64_t at)
{
	struct device_record record;
	uint32_t count = 0;

	while (device_next(&f->device, &at, 1 << BENCH_OTHER, &record))
		count += record.code == IOPF_COMMAND_INVALIDATE_DEVICE;
	return count;
}

/* The function is silent for @silent_ms. Returns: how long its detach took. */
static uint32_t detach_ms(uint32_t pasid, uint64_t silent_ms)
{
	uint64_t begin_ns;

	bench_set(&f->device, BENCH_SILENCE, silent_ms);
	begin_ns = case_now_ns();
	host_detach(f, pasid);
	return (uint32_t)((case_now_ns() - begin_ns) / 1000000);
}

CASE(a_slow_function_holds_a_detach_up)
{
	uint32_t took_ms;

	host_open(1);
	host_attach(f, 5);
	took_ms = detach_ms(5, 300);
	CHECK(took_ms >= 299);
	NOTE("a function that is 300 ms late: the detach took %u ms", took_ms);
	host_end();
}

CASE(an_invalidation_that_times_out_is_submitted_again)
{
	struct device_job job = { .destination = ADDR, .length = 4096, .pattern = 3,
				  .control = MODEL_JOB_FILL, .pasid = 5 };
	uint64_t log, page = HOST_TABLE_PAGES * UINT64_C(4096);
	uint32_t took_ms, usual, count;

	host_open(1);
	bench_set(&f->device, BENCH_LOG_KINDS, BENCH_KINDS_USUAL | 1 << BENCH_OTHER);
	host_attach(f, 5);
	log = device_log_end(&f->device);
	detach_ms(5, 0);
	usual = submitted(log);
	host_attach(f, 5);
	log = device_log_end(&f->device);
	took_ms = detach_ms(5, 1500); /* the IOMMU waits for one second */
	count = submitted(log);
	CHECK(took_ms >= 1499);
	CHECK_EQ(count, usual + 1);
	NOTE("1500 ms late, and one second is what it has: %u submitted for %u, %u ms", count,
	     usual, took_ms);
	/* And everything is as it was before. */
	host_attach(f, 5);
	host_map(f, 5, ADDR, page);
	CHECK_EQ(device_run(&f->device, &job), MODEL_JOB_STATUS_done);
	CHECK_EQ(host.memory[page], 3);
	host_end();
}

CASE(requests_that_wait_meanwhile_are_served_after_it)
{
	host_open(2);
	host_attach(f, 5);
	host_attach(&functions[1], 5);
	ask(&functions[1], 5, 1, ADDR, RW | LAST, 1);
	detach_ms(5, 1200);
	CHECK_SOON(host_fetch());
	CHECK_EQ(host_answer(group.token, IOPF_SUCCESS), 0);
	host_end();
}

int main(void)
{
	return case_main();
}
