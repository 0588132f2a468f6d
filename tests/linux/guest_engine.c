/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * linux/guest_engine.c - the function's engine works in address spaces of a stock kernel:
 * it faults, the kernel maps in its own tables and answers, and the bytes are where they
 * belong. What the kernel takes away the engine loses at once.
 */
#include "guest.h"

/* One job, its own data; @length bytes of @pattern at @iova of @pasid arrived. */
static void fill_and_look(uint32_t pasid, uint64_t iova, uint64_t length, uint64_t pattern)
{
	CHECK_EQ(guest_fill(pasid, iova, length, pattern), MODEL_JOB_STATUS_done);
	CHECK(guest_holds(pasid, iova, length, pattern));
}

CASE(a_fault_is_served_by_the_kernel)
{
	struct device_record response;

	guest_begin();
	CHECK_EQ(guest_attach(guest.pasid), 0);
	fill_and_look(guest.pasid, GUEST_IOVA, GUEST_PAGE, 0x1122334455667788);
	CHECK(device_wait(&guest.device, &guest.log, 1 << BENCH_RESPONSE, &response));
	CHECK_EQ(response.code, 0);
	CHECK_EQ(response.verdict, 0);
	CHECK_EQ(response.pasid, guest.pasid);
	CHECK_EQ(guest_state(guest.pasid).groups, guest_grown(BENCH_GUEST_RESPONSES));
	CHECK_EQ(guest_grown(BENCH_RESPONSES), guest_grown(BENCH_SHOWN));
	guest_end();
}

/* The program's own file: read by the kernel, copied by the engine, page after page. */
static uint8_t *own_file(size_t *bytes)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	off_t length = lseek(file, 0, SEEK_END);
	void *data = mmap(NULL, (size_t)length, PROT_READ, MAP_PRIVATE, file, 0);

	close(file);
	CHECK(data != MAP_FAILED);
	*bytes = (size_t)length;
	return data;
}

CASE(a_file_is_copied_page_by_page)
{
	uint64_t to = GUEST_IOVA + GUEST_BYTES / 2, began_ns;
	size_t bytes;
	uint8_t *file = own_file(&bytes), *copy = malloc(bytes);
	struct iopf_lane_state state;

	guest_begin();
	CHECK_EQ(guest_attach(guest.pasid), 0);
	CHECK_EQ(guest_write(guest.pasid, GUEST_IOVA, file, bytes), 0);
	CHECK_EQ(guest_state(guest.pasid).mapped, 0);
	began_ns = device_now_ns();
	CHECK_EQ(device_run(&guest.device, &(struct device_job){
		.source = GUEST_IOVA, .destination = to, .length = bytes,
		.control = MODEL_JOB_COPY, .pasid = guest.pasid }), MODEL_JOB_STATUS_done);
	state = guest_state(guest.pasid);
	NOTE("%zu bytes in %" PRIu64 " ms, %" PRIu64 " pages mapped in %" PRIu64 " groups",
	     bytes, (device_now_ns() - began_ns) / 1000000, (uint64_t)state.mapped,
	     (uint64_t)state.groups);
	CHECK_EQ(state.mapped, 2 * ((bytes + GUEST_PAGE - 1) / GUEST_PAGE));
	CHECK_EQ(guest_read(guest.pasid, to, copy, bytes), 0);
	CHECK(memcmp(file, copy, bytes) == 0);
	guest_end();
	free(copy);
	munmap(file, bytes);
}

CASE(a_group_has_several_pages)
{
	struct iopf_lane_state state;

	guest_begin();
	CHECK_EQ(guest_attach(guest.pasid), 0);
	fill_and_look(guest.pasid, GUEST_IOVA, 256 * GUEST_PAGE, 2);
	state = guest_state(guest.pasid);
	NOTE("%" PRIu64 " requests in %" PRIu64 " groups", (uint64_t)state.requests,
	     (uint64_t)state.groups);
	CHECK_EQ(state.mapped, 256);
	CHECK(state.groups < state.requests);
	guest_end();
}

CASE(an_address_without_a_page_is_invalid)
{
	guest_begin();
	CHECK_EQ(guest_attach(guest.pasid), 0);
	CHECK_EQ(guest_fill(guest.pasid, GUEST_NOWHERE, GUEST_PAGE, 3), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(device_job_read(&guest.device, 0, MODEL_JOB_FAULT), GUEST_NOWHERE);
	CHECK_EQ(guest_state(guest.pasid).mapped, 0);
	fill_and_look(guest.pasid, GUEST_IOVA, GUEST_PAGE, 4);
	guest_end();
}

CASE(a_page_to_read_is_not_written)
{
	static const uint64_t words[GUEST_PAGE / 8] = { 5, 6, 7 };
	uint64_t page[GUEST_PAGE / 8], iova = GUEST_IOVA + GUEST_BYTES;

	guest_begin();
	CHECK_EQ(guest_attach(guest.pasid), 0);
	CHECK_EQ(guest_allow(guest.pasid, iova, GUEST_PAGE, IOPF_LANE_READ_ONLY), 0);
	CHECK_EQ(guest_write(guest.pasid, iova, words, sizeof(words)), 0);
	CHECK_EQ(guest_fill(guest.pasid, iova, GUEST_PAGE, 8), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(device_run(&guest.device, &(struct device_job){
		.source = iova, .destination = GUEST_IOVA, .length = GUEST_PAGE,
		.control = MODEL_JOB_COPY, .pasid = guest.pasid }), MODEL_JOB_STATUS_done);
	/* It is there by now; that does not make it one to write. */
	CHECK_EQ(guest_fill(guest.pasid, iova, GUEST_PAGE, 8), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(guest_read(guest.pasid, iova, page, sizeof(page)), 0);
	CHECK(memcmp(page, words, sizeof(page)) == 0);
	CHECK_EQ(guest_read(guest.pasid, GUEST_IOVA, page, sizeof(page)), 0);
	CHECK(memcmp(page, words, sizeof(page)) == 0);
	guest_end();
}

CASE(a_pasid_of_nobody_is_invalid)
{
	guest_begin();
	CHECK_EQ(guest_attach(guest.pasid), 0);
	CHECK_EQ(guest_fill(guest.pasid + 1, GUEST_IOVA, GUEST_PAGE, 9), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(guest_state(guest.pasid).groups, 0);
	guest_end();
}

/* Does the kernel let the function through (iommu=pt), or translate for it (iommu=nopt)? */
static bool is_let_through(void)
{
	int file = open("/sys/bus/pci/devices/" GUEST_FUNCTION "/iommu_group/type", O_RDONLY);
	char type[32] = "";

	CHECK(read(file, type, sizeof(type) - 1) > 0);
	close(file);
	return strncmp(type, "identity", 8) == 0;
}

/* Physical addresses are good where the kernel lets the function through, and nothing is
 * asked for; where it translates they are nobody's. */
CASE(without_a_pasid_memory_is_what_the_kernel_lets_it_be)
{
	bool through = is_let_through();
	enum model_job_status status;

	guest_begin();
	CHECK_EQ(guest_attach(guest.pasid), 0);
	fill_and_look(guest.pasid, GUEST_IOVA, 2 * GUEST_PAGE, 10);
	status = guest_fill(DEVICE_NO_PASID, guest_phys(guest.pasid, GUEST_IOVA), GUEST_PAGE, 11);
	NOTE("the function is %s", through ? "let through" : "translated for");
	CHECK_EQ(status, through ? MODEL_JOB_STATUS_done : MODEL_JOB_STATUS_invalid);
	CHECK(guest_holds(guest.pasid, GUEST_IOVA, GUEST_PAGE, through ? 11 : 10));
	CHECK(guest_holds(guest.pasid, GUEST_IOVA + GUEST_PAGE, GUEST_PAGE, 10));
	guest_end();
}

CASE(several_pasids_work_at_once)
{
	enum { BYTES = 1 << 20 };

	guest_begin();
	for (uint32_t slot = 0; slot < GUEST_SLOTS; slot++)
		CHECK_EQ(guest_attach(guest.pasid + slot), 0);
	for (uint32_t slot = 0; slot < GUEST_SLOTS; slot++)
		guest_start_fill(slot, guest.pasid + slot, GUEST_IOVA, BYTES, 100 + slot);
	for (uint32_t slot = 0; slot < GUEST_SLOTS; slot++)
		CHECK_EQ(guest_finish(slot), MODEL_JOB_STATUS_done);
	for (uint32_t slot = 0; slot < GUEST_SLOTS; slot++)
		CHECK(guest_holds(guest.pasid + slot, GUEST_IOVA, BYTES, 100 + slot));
	guest_end();
}

CASE(what_is_unmapped_is_asked_for_again)
{
	uint64_t requests;

	NEEDS(invalidations);
	guest_begin();
	CHECK_EQ(guest_attach(guest.pasid), 0);
	fill_and_look(guest.pasid, GUEST_IOVA, 8 * GUEST_PAGE, 12);
	CHECK_EQ(guest_unmap(guest.pasid, GUEST_IOVA + 2 * GUEST_PAGE, GUEST_PAGE,
			     IOPF_LANE_KEEP), 1);
	requests = guest_state(guest.pasid).requests;
	CHECK_EQ(device_run(&guest.device, &(struct device_job){
		.source = GUEST_IOVA, .length = 8 * GUEST_PAGE,
		.control = MODEL_JOB_CRC32C, .pasid = guest.pasid }), MODEL_JOB_STATUS_done);
	CHECK_EQ(guest_state(guest.pasid).requests, requests + 1);
	CHECK(guest_holds(guest.pasid, GUEST_IOVA, 8 * GUEST_PAGE, 12));
	guest_end();
}

CASE(what_is_unmapped_is_not_written_any_more)
{
	NEEDS(invalidations);
	guest_begin();
	CHECK_EQ(guest_attach(guest.pasid), 0);
	fill_and_look(guest.pasid, GUEST_IOVA, 64 * GUEST_PAGE, 13);
	CHECK_EQ(guest_unmap(guest.pasid, GUEST_IOVA, 64 * GUEST_PAGE, 0), 64);
	CHECK_EQ(guest_fill(guest.pasid, GUEST_IOVA, 64 * GUEST_PAGE, 14), MODEL_JOB_STATUS_done);
	CHECK_EQ(guest_spoiled(), 0);
	CHECK(guest_holds(guest.pasid, GUEST_IOVA, 64 * GUEST_PAGE, 14));
	guest_end();
}

/* Random pages and runs of pages go while the engine writes them. */
static unsigned fill_while_unmapping(uint32_t pasid, uint64_t bytes, uint64_t pattern,
				     uint32_t *random)
{
	unsigned taken = 0;

	guest_start_fill(0, pasid, GUEST_IOVA, bytes, pattern);
	while (device_job_status(&guest.device, 0) == MODEL_JOB_STATUS_running) {
		uint64_t page, pages;
		int count;

		*random = *random * 1664525 + 1013904223;
		page = (*random >> 8) % (bytes / GUEST_PAGE);
		pages = 1 + (*random >> 28);
		count = guest_unmap(pasid, GUEST_IOVA + page * GUEST_PAGE, pages * GUEST_PAGE, 0);
		CHECK(count >= 0);
		taken += (unsigned)count;
		sched_yield();
	}
	return taken;
}

CASE(pages_go_while_the_engine_writes)
{
	enum { BYTES = 256 * GUEST_PAGE, JOBS = 20 };
	uint32_t random = 1;
	unsigned taken = 0;

	NEEDS(invalidations);
	guest_begin();
	CHECK_EQ(guest_attach(guest.pasid), 0);
	for (unsigned job = 0; job < JOBS; job++) {
		taken += fill_while_unmapping(guest.pasid, BYTES, 200 + job, &random);
		CHECK_EQ(device_job_status(&guest.device, 0), MODEL_JOB_STATUS_done);
	}
	NOTE("%u pages taken from %d jobs", taken, JOBS);
	CHECK(taken > 0);
	CHECK_EQ(guest_spoiled(), 0);
	fill_and_look(guest.pasid, GUEST_IOVA, BYTES, 15);
	guest_end();
}

int main(void)
{
	return guest_main(0);
}
