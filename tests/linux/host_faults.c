/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: page requests through the kernel's driver, and what comes back. */
#include "host.h"
#include "host_layout.h"

#define ADDR UINT64_C(0x5000000)

CASE(a_request_without_a_pasid_is_the_devices_own)
{
	host_open(1);
	host_attach(f, NONE);
	ask(f, NONE, 7, ADDR, RW | LAST, 1);
	EXPECT(NONE, 1, IOPF_SUCCESS);
	CHECK_EQ(group.page.addr, ADDR);
	CHECK_EQ(group.page.perm, IOPF_READ | IOPF_WRITE);
	ask(f, NONE, 7, ADDR, BENCH_READ | LAST, 1);
	EXPECT(NONE, 1, IOPF_INVALID);
	host_end();
}

CASE(a_request_with_a_pasid_is_that_address_spaces)
{
	host_open(1);
	host_attach(f, 5);
	ask(f, 5, 9, ADDR, RW | LAST, 1);
	EXPECT(5, 1, IOPF_SUCCESS);
	ask(f, 5, 9, ADDR, RW | LAST, 1);
	EXPECT(5, 1, IOPF_INVALID);
	HOST("flags with bits that no header names: %u of 2 requests",
	     (unsigned)iopf_iommufd_stats(host.source)->unknown_bits);
	host_end();
}

CASE(what_nobody_attached_gets_invalid_from_the_kernel)
{
	host_open(1);
	host_attach(f, 5);
	ask(f, 6, 9, ADDR, RW | LAST, 1);
	kernel_says(f, 6, 9);
	ask(f, NONE, 10, ADDR, RW | LAST, 1);
	kernel_says(f, NONE, 10);
	host_compare(f);
	CHECK_EQ(host_take(), 0);
	host_end();
}

CASE(a_group_that_nobody_takes_is_answered_page_by_page)
{
	uint64_t responses;

	host_open(1);
	host_attach(f, 5);
	responses = bench_get(&f->device, BENCH_RESPONSES);
	ask(f, 6, 9, ADDR, RW | LAST, 2);
	CHECK_SOON(bench_get(&f->device, BENCH_RESPONSES) - responses == 2);
	NOTE("a group of two pages whose PASID nobody attached gets two responses");
	kernel_says(f, 6, 9);
	kernel_says(f, 6, 9);
	f->surprises = 1; /* the second */
	CHECK_EQ(host_take(), 0);
	host_end();
}

CASE(a_group_comes_whole_with_its_last)
{
	host_open(1);
	host_attach(f, 5);
	ask(f, 5, 3, ADDR, BENCH_READ, 7);
	ask(f, 5, 4, ADDR, RW | LAST, 1);
	EXPECT(5, 1, IOPF_SUCCESS); /* behind it, and alone */
	ask(f, 5, 3, ADDR + 7 * 4096, BENCH_READ | LAST, 1);
	EXPECT(5, 8, IOPF_INVALID);
	host_end();
}

CASE(a_group_of_512_pages_gets_one_response)
{
	static struct iopf_page pages[512];

	host_open(1);
	host_attach(f, 5);
	ask(f, 5, 511, ADDR, RW | LAST, 512);
	CHECK_SOON(host_fetch());
	CHECK_EQ(group.page_count, 512);
	CHECK_EQ(iopf_broker_pages(host.broker, group.token, 0, pages, 512), 512);
	for (uint32_t i = 0; i < 512; i++)
		CHECK_EQ(pages[i].addr, ADDR + i * UINT64_C(4096));
	CHECK_EQ(host_answer(group.token, IOPF_SUCCESS), 0);
	host_end();
}

CASE(answers_leave_in_the_order_in_which_they_were_given)
{
	enum { MANY = 300 };
	static uint64_t tokens[MANY];

	host_open(1);
	host_attach(f, 5);
	ask(f, 5, 100, ADDR, RW | LAST | BENCH_EACH, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		CHECK_SOON(host_fetch());
		tokens[i] = group.token;
	}
	for (uint32_t i = 0; i < MANY; i++) /* backwards, with strides */
		CHECK_EQ(host_answer(tokens[(MANY - 1 - i) * 7 % MANY],
				     i % 3 ? IOPF_SUCCESS : IOPF_INVALID),
			 0);
	host_end();
}

CASE(many_answers_leave_with_one_write)
{
	enum { MANY = 64 };
	struct iopf_response responses[MANY];
	uint32_t before;

	host_open(1);
	host_attach(f, 5);
	ask(f, 5, 0, ADDR, RW | LAST | BENCH_EACH, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		CHECK_SOON(host_fetch());
		CHECK_EQ(iopf_broker_answer(host.broker, host.owner, group.token,
					    i % 2 ? IOPF_SUCCESS : IOPF_INVALID, 0),
			 0);
	}
	CHECK_EQ(iopf_broker_respond(host.broker, host.source_id, responses, MANY, 0), MANY);
	before = f->said_count;
	CHECK_EQ(iopf_iommufd_write(host.source, responses, MANY), 0);
	CHECK_EQ(f->said_count, before + MANY);
	for (uint32_t i = 0; i < MANY; i++)
		CHECK_EQ(f->said[before + i].code, responses[i].code);
	host_end();
}

CASE(one_index_three_times_at_once_is_three_groups)
{
	uint64_t tokens[3];

	host_open(1);
	host_attach(f, 5);
	for (uint32_t i = 0; i < 3; i++)
		ask(f, 5, 70, ADDR + i * UINT64_C(4096), RW | LAST, 1);
	for (uint32_t i = 0; i < 3; i++) {
		CHECK_SOON(host_fetch());
		tokens[i] = group.token;
	}
	CHECK_EQ(host_answer(tokens[1], IOPF_SUCCESS), 0);
	CHECK_EQ(host_answer(tokens[0], IOPF_INVALID), 0);
	CHECK_EQ(host_answer(tokens[2], IOPF_SUCCESS), 0);
	CHECK_EQ(host_answer(tokens[2], IOPF_SUCCESS), -ENOENT);
	NOTE("each of the three gets a response of its own");
	f->surprises = 2; /* a function that uses an index again knows of one */
	host_end();
}

CASE(two_pasids_under_one_index_are_two_groups)
{
	uint64_t first;

	host_open(1);
	host_attach(f, 5);
	host_attach(f, 7);
	ask(f, 5, 70, ADDR, RW | LAST, 1);
	ask(f, 7, 70, ADDR, RW | LAST, 1);
	CHECK_SOON(host_fetch());
	CHECK_EQ(group.pasid, 5);
	first = group.token;
	EXPECT(7, 1, IOPF_INVALID);
	CHECK_EQ(host_answer(first, IOPF_SUCCESS), 0);
	host_end();
}

CASE(partials_of_two_pasids_under_one_index)
{
	host_open(1);
	host_attach(f, 5);
	host_attach(f, 7);
	ask(f, 5, 70, ADDR, RW, 1);
	ask(f, 7, 70, ADDR + 4096, RW | LAST, 1);
	CHECK_SOON(host_fetch());
	CHECK_EQ(group.pasid, 7);
	NOTE("the partial of PASID 5 is in the group of PASID 7, which gets the one response");
	CHECK_EQ(group.page_count, 1);
	CHECK_EQ(iopf_iommufd_stats(host.source)->other_pasid, 1);
	HOST("other_pasid 1: its page is left out, nobody is asked for what is another's");
	CHECK_EQ(group.page.addr, ADDR + 4096);
	CHECK_EQ(host_answer(group.token, IOPF_SUCCESS), 0);
	host_end();
}

CASE(a_stop_marker_gets_no_response)
{
	host_open(1);
	host_attach(f, 5);
	ask(f, 5, 0, 0, BENCH_STOP, 1);
	ask(f, 5, 4, ADDR, RW | LAST, 1);
	EXPECT(5, 1, IOPF_SUCCESS);
	host_end();
}

CASE(an_overflow_leaves_groups_and_takes_partials)
{
	uint64_t open;

	host_open(1);
	host_attach(f, 5);
	ask(f, 5, 1, ADDR, RW | LAST, 1);
	CHECK_SOON(host_fetch());
	open = group.token;
	ask(f, 5, 2, ADDR, RW, 3);
	CHECK_SOON(bench_get(&f->device, BENCH_QUEUE_HEAD) ==
		   bench_get(&f->device, BENCH_QUEUE_TAIL));
	CHECK(bench_command(&f->device, BENCH_COMMAND_OVERFLOW) >= 0);
	CHECK_SOON(!(bench_get(&f->device, BENCH_STATUS) & BENCH_STATUS_OVERFLOW));
	ask(f, 5, 2, ADDR + 3 * 4096, RW | LAST, 1);
	CHECK_SOON(host_fetch());
	NOTE("a partial before an overflow: %u page%s of 4 left", group.page_count,
	     group.page_count == 1 ? "" : "s");
	CHECK_EQ(group.page_count, 1);
	CHECK_EQ(host_answer(group.token, IOPF_SUCCESS), 0);
	CHECK_EQ(host_answer(open, IOPF_SUCCESS), 0);
	host_end();
}

CASE(a_full_queue_is_emptied_though_nobody_reads)
{
	enum { MANY = 2047 };
	uint32_t count = 0;

	host_open(1);
	host_attach(f, 5);
	ask(f, 5, 0, ADDR, RW | LAST | BENCH_EACH, MANY);
	CHECK_SOON(bench_get(&f->device, BENCH_QUEUE_HEAD) ==
		   bench_get(&f->device, BENCH_QUEUE_TAIL));
	NOTE("the driver takes %u requests with nobody reading: no back-pressure", MANY);
	while (count < MANY) {
		CHECK_SOON(host_fetch());
		CHECK_EQ(host_answer(group.token, count++ % 5 ? IOPF_SUCCESS : IOPF_INVALID),
			 0);
	}
	CHECK(!host_fetch());
	f->surprises = MANY - 512; /* indices were used again */
	host_end();
}

CASE(two_functions_on_one_queue_are_told_apart)
{
	struct function *other = &functions[1];

	host_open(2);
	for (uint32_t i = 0; i < 2; i++)
		host_attach(&functions[i], 5);
	for (uint16_t i = 0; i < 50; i++) {
		ask(f, 5, i, ADDR, RW | LAST, 1);
		ask(other, 5, i, ADDR, RW | LAST, 1);
	}
	for (uint32_t i = 0; i < 100; i++) {
		CHECK_SOON(host_fetch());
		CHECK_EQ(host_answer(group.token, group.rid == f->vfio.id ? IOPF_SUCCESS :
									    IOPF_INVALID),
			 0);
	}
	CHECK(!host_fetch());
	ask(f, 5, 200, ADDR, RW | LAST, 1);
	ask(other, 5, 200, ADDR, RW | LAST, 1);
	for (uint32_t i = 0; i < 2; i++)
		CHECK_SOON(host_fetch());
	host_detach(f, 5); /* the other one's group stays */
	CHECK_EQ(iopf_iommufd_owed(host.source), 1);
	host_end();
}

/* ---- The engine --------------------------------------------------------------------------- */

/* Serve each page that is asked for with the next one of memory, until the job is over. */
static enum model_job_status serve(const struct device_job *job, uint64_t *page)
{
	uint64_t since = 0;
	enum model_job_status status;

	device_start(&f->device, job);
	while ((status = device_job_status(&f->device, job->slot)) ==
		       MODEL_JOB_STATUS_running &&
	       device_patient(&since, DEVICE_PATIENCE_NS)) {
		static struct iopf_page pages[512];

		if (!host_fetch())
			continue;
		CHECK(iopf_broker_pages(host.broker, group.token, 0, pages, 512) > 0);
		for (uint32_t i = 0; i < group.page_count; i++, *page += 4096)
			host_map(f, job->pasid, pages[i].addr, *page);
		CHECK_EQ(host_answer(group.token, IOPF_SUCCESS), 0);
	}
	return status;
}

CASE(the_engine_works_in_tables_of_ours)
{
	struct device_job job = { .destination = ADDR,
				  .length = 100 * 4096,
				  .pattern = 0x1122334455667788,
				  .control = MODEL_JOB_FILL,
				  .pasid = 5 };
	uint64_t page = HOST_TABLE_PAGES * UINT64_C(4096), bytes;

	host_open(1);
	for (uint32_t i = 0; i < 2; i++) {
		host_attach(f, i == 0 ? 5 : NONE);
		job.pasid = i == 0 ? 5 : DEVICE_NO_PASID;
		job.pattern += i;
		CHECK_EQ(serve(&job, &page), MODEL_JOB_STATUS_done);
		for (uint64_t at = page - job.length; at < page; at += 8) {
			memcpy(&bytes, host.memory + at, 8);
			CHECK_EQ(bytes, job.pattern);
		}
	}
	host_end();
}

CASE(an_invalidation_reaches_the_functions_cache)
{
	struct device_job job = { .destination = ADDR, .length = 4096, .pattern = 1,
				  .control = MODEL_JOB_FILL, .pasid = 5 };
	uint64_t first = HOST_TABLE_PAGES * UINT64_C(4096), page = first;

	NEEDS(invalidations);
	host_open(1);
	host_attach(f, 5);
	CHECK_EQ(serve(&job, &page), MODEL_JOB_STATUS_done);
	CHECK_EQ(host.memory[first], 1);
	host_map(f, 5, ADDR, first + 4096);
	CHECK_EQ(vmm_table_invalidate(&f->vfio, space_of(f, 5)->table, ADDR, 4096), 0);
	job.pattern = 2;
	CHECK_EQ(device_run(&f->device, &job), MODEL_JOB_STATUS_done);
	CHECK_EQ(host.memory[first], 1);
	CHECK_EQ(host.memory[first + 4096], 2);
	host_end();
}

CASE(an_invalidation_of_many_pages_reaches_them_all)
{
	enum { PAGES = 64 };
	struct device_job job = { .destination = ADDR, .length = PAGES * 4096, .pattern = 1,
				  .control = MODEL_JOB_FILL, .pasid = 5 };
	uint64_t first = HOST_TABLE_PAGES * UINT64_C(4096), page = first;

	NEEDS(invalidations);
	host_open(1);
	host_attach(f, 5);
	CHECK_EQ(serve(&job, &page), MODEL_JOB_STATUS_done);
	for (uint32_t i = 0; i < PAGES; i++, page += 4096)
		host_map(f, 5, ADDR + i * UINT64_C(4096), page);
	CHECK_EQ(vmm_table_invalidate(&f->vfio, space_of(f, 5)->table, ADDR, job.length), 0);
	job.pattern = 2;
	CHECK_EQ(device_run(&f->device, &job), MODEL_JOB_STATUS_done);
	for (uint32_t i = 0; i < PAGES; i++) {
		CHECK_EQ(host.memory[first + i * 4096], 1);
		CHECK_EQ(host.memory[first + (PAGES + i) * 4096], 2);
	}
	host_end();
}

int main(void)
{
	return case_main();
}
