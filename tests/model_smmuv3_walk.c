/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: a function and a platform master copy memory that is not there yet, through
 * one SMMU and a driver that serves its two queues.
 */
#include "smmuv3_world.h"

#include "model/config.h"
#include "model/engine.h"

enum { JOB_PAGES = 24, COPY = 0x100000, ROUNDS = 10000 };

static struct {
	struct model_function *function;
	struct model_master *master;
	struct model_engine *engine[2]; /* of the function, of the master */
	uint8_t driver_bytes[4096] __attribute__((aligned(8)));
	struct iopf_driver *driver;
	uint64_t page[2][512]; /* guest pages that were given: source, destination */
	bool liar;             /* says success and maps nothing */
	enum iopf_code code;
	uint32_t requests, stalls;
} walk;

static void on_response(void *context, uint32_t pasid, uint64_t payload)
{
	model_function_response(context, pasid, payload);
}

static int on_invalidate(void *context, uint32_t pasid, uint64_t payload)
{
	return model_function_invalidate(context, pasid, payload);
}

static void on_released(void *context, const struct model_transaction *transaction,
			int result)
{
	model_master_released(context, transaction, result);
}

static void destroy(void)
{
	model_engine_destroy(walk.engine[0]);
	model_engine_destroy(walk.engine[1]);
	if (w.iommu != NULL) {
		model_iommu_connect(w.iommu, STREAM, NULL);
		model_iommu_connect(w.iommu, RID, NULL);
	}
	model_master_destroy(walk.master);
	model_function_destroy(walk.function);
	memset(&walk, 0, sizeof(walk));
}

static void devices_create(void)
{
	const struct model_function_options function = {
		.upstream = w.up,
		.rid = RID,
		.capacity = 32,
		.atc_entries = 64,
		.pasid_width = 20,
		.pasid_in_response = true,
	};
	const struct model_master_options master = {
		.upstream = w.up, .rid = STREAM, .transactions = 16, .pasid_width = 20 };
	struct model_engine_options engine = { .job_max = 2, .window = 8, .group_pages = 4,
					       .retry_max = 2, .piece_bytes = 1000 };
	struct model_downstream down = { .response = on_response,
					 .invalidate = on_invalidate };

	CHECK_EQ(model_function_create(&function, &walk.function), 0);
	CHECK_EQ(model_master_create(&master, &walk.master), 0);
	engine.function = walk.function;
	CHECK_EQ(model_engine_create(&engine, &walk.engine[0]), 0);
	engine.function = NULL;
	engine.master = walk.master;
	CHECK_EQ(model_engine_create(&engine, &walk.engine[1]), 0);
	down.context = walk.function;
	CHECK_EQ(model_iommu_connect(w.iommu, RID, &down), 0);
	down = (struct model_downstream){ .context = walk.master, .released = on_released };
	CHECK_EQ(model_iommu_connect(w.iommu, STREAM, &down), 0);
}

static void config_set(uint32_t offset, uint32_t size_bytes, uint32_t value)
{
	model_function_config_write(walk.function, offset, size_bytes, value);
}

static void software_start(void)
{
	struct iopf_driver_options options = {
		.size_bytes = sizeof(options),
		.command_bytes = 16,
		.wire = &iopf_wire_smmuv3,
		.registers = &iopf_hardware_registers,
		.context = model_iommu_hardware(w.iommu),
		.memory = &w.host.memory,
		.root_addr = w.builder.root,
		.root_config = w.builder.root_config,
		.request_addr = host_pages(1),
		.command_addr = host_pages(1),
		.event_addr = host_pages(1),
		.status_addr = host_pages(1),
	};
	int error;

	reg_set(SMMUV3_CR0, 4, 0);
	CHECK_EQ(iopf_driver_create(&options, walk.driver_bytes, sizeof(walk.driver_bytes),
				    &walk.driver), 0);
	while ((error = iopf_driver_start(walk.driver)) == -EAGAIN)
		run();
	CHECK_EQ(error, 0);
	CHECK_EQ(iopf_driver_stall_max(walk.driver), STALL_MAX);
	config_set(CONFIG_COMMAND, 2, COMMAND_BUS_MASTER | COMMAND_MEMORY);
	config_set(CONFIG_PASID_CONTROL, 2, PASID_ENABLE);
	config_set(CONFIG_ATS_CONTROL, 2, ATS_ENABLE);
	config_set(CONFIG_PRI_ALLOCATION, 4, 16);
	config_set(CONFIG_PRI_CONTROL, 2, PRI_ENABLE);
}

static void start(void)
{
	struct model_iommu_options options = iommu_usual();

	destroy();
	options.observer = (struct model_stall_observer){ .context = NULL };
	smmuv3_world_create_with(&options);
	back_all();
	devices_create();
	software_start();
}

/* ---- Software --------------------------------------------------------------------------- */

static void give(uint64_t addr)
{
	bool copy = addr >= IOVA + COPY;
	uint64_t n = (addr - IOVA - (copy ? COPY : 0)) / K4;

	CHECK(n < 512);
	if (walk.page[copy][n] != 0 || walk.liar)
		return;
	walk.page[copy][n] = guest_page();
	map(addr & ~(K4 - 1), walk.page[copy][n], R | W);
	for (uint64_t i = 0; !copy && i < K4; i++)
		((uint8_t *)guest_memory(walk.page[copy][n]))[i] = (uint8_t)(n * 7 + i);
}

static void respond(const struct iopf_request *request)
{
	struct iopf_response response = { .rid = request->rid,
					  .pasid = request->pasid,
					  .index = request->index,
					  .code = (uint8_t)walk.code,
					  .flags = request->flags };
	struct iopf_command command = iopf_command_from_response(&response);

	CHECK_EQ(iopf_driver_submit(walk.driver, &command), 0);
}

static uint32_t serve(void)
{
	struct iopf_request requests[8];
	struct iopf_fault faults[8];
	int taken = iopf_driver_poll(walk.driver, requests, 8);
	int told = iopf_driver_poll_faults(walk.driver, faults, 8);

	CHECK(taken >= 0 && told >= 0);
	for (int n = 0; n < told; n++) {
		struct iopf_request stall = iopf_request_from_fault(&faults[n]);

		CHECK(faults[n].stall);
		walk.stalls++;
		give(stall.addr);
		respond(&stall);
	}
	for (int n = 0; n < taken; n++) {
		walk.requests++;
		give(requests[n].addr);
		if (requests[n].flags & IOPF_LAST)
			respond(&requests[n]);
	}
	CHECK_EQ(iopf_driver_kick(walk.driver), 0);
	return (uint32_t)(taken + told);
}

static void turn_all(uint32_t rounds)
{
	uint32_t quiet = 0;

	for (uint32_t n = 0; n < rounds && quiet < 3; n++) {
		uint32_t done = model_engine_run(walk.engine[0], 100, n) +
				model_engine_run(walk.engine[1], 100, n);

		run();
		done += serve();
		quiet = done == 0 ? quiet + 1 : 0;
	}
}

static uint64_t job_get(uint32_t engine, uint32_t offset)
{
	return model_engine_read(walk.engine[engine], MODEL_ENGINE_JOBS + offset, 8);
}

static void job(uint32_t engine, uint32_t pasid, uint64_t operation)
{
	const uint64_t registers[][2] = {
		{ MODEL_JOB_SOURCE, IOVA + 123 },
		{ MODEL_JOB_DESTINATION, IOVA + COPY + 45 },
		{ MODEL_JOB_LENGTH, JOB_PAGES * K4 },
		{ MODEL_JOB_PASID, pasid },
		{ MODEL_JOB_CONTROL, operation },
	};

	for (size_t n = 0; n < sizeof(registers) / sizeof(registers[0]); n++)
		model_engine_write(walk.engine[engine],
				   MODEL_ENGINE_JOBS + (uint32_t)registers[n][0], 8,
				   registers[n][1]);
}

static void check_copied(void)
{
	for (uint64_t at = 0; at < JOB_PAGES * K4; at++) {
		uint64_t from = at + 123, to = at + 45;
		const uint8_t *source = guest_memory(walk.page[0][from / K4]);
		const uint8_t *copy = guest_memory(walk.page[1][to / K4]);

		CHECK_EQ(copy[to % K4], source[from % K4]);
	}
}

/* Nothing is owed at either device's end. */
static void check_quiet(void)
{
	struct model_function_state state;

	model_function_state(walk.function, &state);
	CHECK_EQ(state.credits_in_use + state.waiting + state.open + state.stale, 0);
	CHECK_EQ(state.uprgi_count, 0);
	CHECK(!state.rf);
	CHECK(model_master_quiet(walk.master));
	CHECK_EQ(model_iommu_stalled(w.iommu, IOPF_NO_ID), 0);
	CHECK_EQ(stats().resumed[MODEL_STALL_UNKNOWN] + stats().resumed[MODEL_STALL_SECOND],
		 0);
	CHECK_EQ(stats().stalled, stats().resumed[MODEL_STALL_TAKEN]);
}

/* ---- Walks ------------------------------------------------------------------------------ */

TEST(a_function_copies_what_it_has_to_ask_for)
{
	start();
	job(0, PASID, MODEL_JOB_COPY);
	turn_all(ROUNDS);
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
	check_copied();
	check_quiet();
	CHECK(walk.requests >= 2 * JOB_PAGES);
	CHECK_EQ(walk.stalls, 0);
}

TEST(a_master_copies_what_it_has_to_wait_for)
{
	start();
	job(1, SUBSTREAM, MODEL_JOB_COPY);
	turn_all(ROUNDS);
	CHECK_EQ(job_get(1, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
	check_copied();
	check_quiet();
	CHECK_EQ(walk.stalls, 2 * (JOB_PAGES + 1));
	CHECK_EQ(walk.requests, 0);
}

TEST(both_at_once_do_not_disturb_each_other)
{
	start();
	job(0, PASID, MODEL_JOB_CRC32C);
	job(1, SUBSTREAM, MODEL_JOB_CRC32C);
	turn_all(ROUNDS);
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
	CHECK_EQ(job_get(1, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
	CHECK_EQ(job_get(0, MODEL_JOB_RESULT), job_get(1, MODEL_JOB_RESULT));
	check_quiet();
}

TEST(what_is_refused_ends_the_work_of_either)
{
	start();
	walk.code = IOPF_INVALID;
	walk.liar = true;
	job(0, PASID, MODEL_JOB_CRC32C);
	job(1, SUBSTREAM, MODEL_JOB_CRC32C);
	turn_all(ROUNDS);
	for (uint32_t n = 0; n < 2; n++) {
		CHECK_EQ(job_get(n, MODEL_JOB_STATUS), MODEL_JOB_STATUS_invalid);
		CHECK_EQ(job_get(n, MODEL_JOB_FAULT), IOVA);
	}
	check_quiet();
}

/* A function gives up a page that never comes; a stall is software's to end. */
TEST(a_liar_is_left_by_a_function_and_keeps_a_master)
{
	start();
	walk.liar = true;
	job(0, PASID, MODEL_JOB_CRC32C);
	job(1, SUBSTREAM, MODEL_JOB_CRC32C);
	turn_all(200);
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_page_fault);
	CHECK_EQ(job_get(1, MODEL_JOB_STATUS), MODEL_JOB_STATUS_running);
	CHECK(walk.stalls > 200);
	walk.liar = false;
	turn_all(ROUNDS);
	CHECK_EQ(job_get(1, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
	check_quiet();
}

int main(void)
{
	int failed = test_main();

	destroy();
	model_iommu_destroy(w.iommu);
	return failed;
}
