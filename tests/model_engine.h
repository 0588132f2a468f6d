/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tests/model_engine.h - an engine on a function whose upstream is a plain table: for
 * each PASID a few hundred virtual pages, absent until somebody answers for them.
 */
#ifndef TESTS_MODEL_ENGINE_H
#define TESTS_MODEL_ENGINE_H

#include <errno.h>

#include "iopf/wire.h"
#include "model/config.h"
#include "model/engine.h"

#include "test.h"

#define RID        0x0310u
#define PAGES      256u
#define VA         UINT64_C(0x7f0000000000)
#define SPACES     2u /* PASID 0 is space 0, PASID 1 or none space 1 */
#define PHYSICAL   UINT64_C(0x100000000)
#define SPACE_SIZE (PAGES * 4096)

enum character { HONEST, SILENT, LIAR, REFUSER, BREAKER, READ_ONLY };

static struct world {
	struct model_function *function;
	struct model_engine *engine;
	uint8_t memory[SPACES][SPACE_SIZE];
	uint8_t perm[SPACES][PAGES]; /* 0: absent */
	enum character character;
	uint64_t refuse_page;  /* REFUSER: this page of space 0 only; 0: every one */
	enum model_status status; /* of every translation */
	bool large;            /* translations of 16 KiB */
	bool untranslated;     /* translations may not be used as such */
	uint32_t translations;
	struct iopf_request open[512];
	uint32_t open_count;
	uint32_t requests, interrupts;
	uint64_t interrupt_addr;
	uint32_t interrupt_data;
	uint32_t accesses;
	uint32_t completions;
	struct model_completion completion; /* the last */
	uint32_t groups;
	uint64_t issued_ns;
	uint64_t now_ns;
} world;

static uint32_t space_of(uint32_t pasid)
{
	return pasid == 0 ? 0 : 1;
}

static uint64_t page_of(uint64_t addr)
{
	return (addr - VA) / 4096;
}

static enum model_status world_translate(void *context,
					 const struct model_translation_request *request,
					 struct model_translation *translation)
{
	uint64_t page = page_of(request->addr), size = world.large ? 16384 : 4096;
	uint32_t space = space_of(request->pasid);

	(void)context;
	CHECK_EQ(request->rid, RID);
	CHECK(request->addr % 4096 == 0 && request->perm & IOPF_READ);
	world.translations++;
	if (world.status != MODEL_SUCCESS)
		return world.status;
	*translation = (struct model_translation){ .size_bytes = 4096 };
	if (page >= PAGES || world.perm[space][page] == 0)
		return MODEL_SUCCESS;
	*translation = (struct model_translation){
		.addr = PHYSICAL + space * SPACE_SIZE + ((page * 4096) & ~(size - 1)),
		.size_bytes = size,
		.perm = world.perm[space][page],
		.untranslated = world.untranslated,
	};
	return MODEL_SUCCESS;
}

static void world_page_request(void *context, uint32_t rid, uint32_t pasid, uint8_t perm,
			       uint64_t payload)
{
	struct iopf_request request;

	(void)context;
	CHECK_EQ(iopf_pcie_decode_request(payload, rid, pasid, perm, &request), 0);
	if (request.flags & IOPF_STOP)
		return;
	CHECK(world.open_count < 512);
	world.open[world.open_count++] = request;
	world.requests++;
}

static enum model_status world_access(void *context, uint32_t rid, uint64_t addr,
				      void *buffer, uint32_t size_bytes, bool write)
{
	uint8_t *at = &world.memory[0][0] + (addr - PHYSICAL);

	(void)context;
	CHECK_EQ(rid, RID);
	CHECK(addr >= PHYSICAL && addr - PHYSICAL + size_bytes <= sizeof(world.memory));
	CHECK(addr % 4096 + size_bytes <= 4096);
	world.accesses++;
	memcpy(write ? at : buffer, write ? buffer : at, size_bytes);
	return MODEL_SUCCESS;
}

static void world_interrupt(void *context, uint32_t rid, uint64_t addr, uint32_t data)
{
	(void)context;
	CHECK_EQ(rid, RID);
	world.interrupts++;
	world.interrupt_addr = addr;
	world.interrupt_data = data;
}

static void world_group(void *context, uint32_t pasid, uint32_t page_count,
			uint64_t issued_ns, enum model_outcome outcome)
{
	(void)context, (void)pasid, (void)outcome;
	CHECK(page_count > 0);
	world.groups++;
	world.issued_ns = issued_ns;
}

static void world_completed(void *context, const struct model_completion *completion)
{
	(void)context;
	world.completions++;
	world.completion = *completion;
}

static uint8_t answer_for(const struct iopf_request *request)
{
	uint32_t space = space_of(request->pasid);
	uint64_t page = page_of(request->addr);

	if (page >= PAGES)
		return 1;
	if (world.character == REFUSER &&
	    (world.refuse_page == 0 || world.refuse_page == page))
		return 1;
	if (world.character == READ_ONLY)
		world.perm[space][page] = IOPF_READ;
	if (world.character == HONEST || world.character == REFUSER)
		world.perm[space][page] |=
			(uint8_t)(request->perm & (IOPF_READ | IOPF_WRITE | IOPF_EXEC)) |
			IOPF_READ;
	return world.character == BREAKER ? 15 : 0;
}

/* Answer the group that @last closes; its worst page decides. */
static void serve_group(const struct iopf_request *last)
{
	struct iopf_prg_response response = { .rid = RID, .pasid = last->pasid,
					      .index = last->index };
	struct iopf_request request = *last;
	uint32_t kept = 0;

	for (uint32_t n = 0; n < world.open_count; n++) {
		const struct iopf_request *one = &world.open[n];

		if (one->index != request.index || one->pasid != request.pasid) {
			world.open[kept++] = *one;
			continue;
		}
		uint8_t code = answer_for(one);

		response.code = code > response.code ? code : response.code;
	}
	world.open_count = kept;
	model_function_response(world.function, request.pasid,
				iopf_pcie_encode_response(&response));
}

/* Answer one closed group; false: there is none, or nobody answers. */
static bool serve(void)
{
	if (world.character == SILENT)
		return false;
	for (uint32_t n = 0; n < world.open_count; n++)
		if (world.open[n].flags & IOPF_LAST) {
			serve_group(&world.open[n]);
			return true;
		}
	return false;
}

/* Until nothing moves any more. */
static inline void run(void)
{
	bool went_on = true;

	for (uint32_t n = 0; went_on; n++) {
		CHECK(n < 100000);
		went_on = model_engine_run(world.engine, 1000, ++world.now_ns) > 0;
		went_on = serve() || went_on;
	}
}

static inline void set(uint32_t offset, uint32_t size_bytes, uint32_t value)
{
	model_function_config_write(world.function, offset, size_bytes, value);
}

static inline void enable(uint32_t allocation)
{
	set(CONFIG_COMMAND, 2, COMMAND_BUS_MASTER | COMMAND_MEMORY);
	set(CONFIG_MSI_ADDR, 4, 0xfee01000);
	set(CONFIG_MSI_DATA, 2, 0x41);
	set(CONFIG_MSI_CONTROL, 2, MSI_ENABLE);
	set(CONFIG_PASID_CONTROL, 2, PASID_ENABLE | PASID_EXEC | PASID_PRIV);
	set(CONFIG_ATS_CONTROL, 2, ATS_ENABLE);
	set(CONFIG_PRI_ALLOCATION, 4, allocation);
	set(CONFIG_PRI_CONTROL, 2, PRI_ENABLE);
}

static inline struct model_engine_options options_usual(void)
{
	return (struct model_engine_options){
		.hooks = { NULL, world_group, world_completed },
		.job_max = 4,
		.window = 4,
		.group_pages = 4,
		.retry_max = 3,
		.piece_bytes = 4096,
	};
}

static inline void stop(void)
{
	model_engine_destroy(world.engine);
	model_function_destroy(world.function);
	world.engine = NULL;
	world.function = NULL;
}

static inline void start_with(struct model_engine_options options, uint32_t allocation,
			      bool stop_marker)
{
	struct model_function_options function = {
		.upstream = { .translate = world_translate,
			      .page_request = world_page_request,
			      .access = world_access,
			      .interrupt = world_interrupt },
		.rid = RID,
		.capacity = 512,
		.atc_entries = 64,
		.pasid_width = 20,
		.exec = true,
		.priv = true,
		.pasid_in_response = true,
		.stop_marker = stop_marker,
	};
	uint64_t random = 3;

	stop();
	memset(&world, 0, sizeof(world));
	for (uint32_t n = 0; n < sizeof(world.memory); n++)
		world.memory[n / SPACE_SIZE][n % SPACE_SIZE] = (uint8_t)test_random(&random);
	CHECK_EQ(model_function_create(&function, &world.function), 0);
	options.function = world.function;
	CHECK_EQ(model_engine_create(&options, &world.engine), 0);
	enable(allocation);
}

static inline void start(void)
{
	start_with(options_usual(), 64, false);
}

static inline uint64_t job_get(uint32_t slot, uint32_t offset)
{
	return model_engine_read(world.engine,
				 MODEL_ENGINE_JOBS + slot * MODEL_JOB_STRIDE + offset, 8);
}

static inline void job_set(uint32_t slot, uint32_t offset, uint64_t value)
{
	model_engine_write(world.engine,
			   MODEL_ENGINE_JOBS + slot * MODEL_JOB_STRIDE + offset, 8, value);
}

/* A job in @pasid on offsets of its space. */
static inline void job(uint32_t slot, uint32_t pasid, uint64_t control, uint64_t source,
		       uint64_t destination, uint64_t length)
{
	job_set(slot, MODEL_JOB_SOURCE, VA + source);
	job_set(slot, MODEL_JOB_DESTINATION, VA + destination);
	job_set(slot, MODEL_JOB_LENGTH, length);
	job_set(slot, MODEL_JOB_PASID, pasid);
	job_set(slot, MODEL_JOB_CONTROL, control);
}

static inline uint64_t counter(enum model_engine_counter which)
{
	return model_engine_counter(world.engine, which);
}

/* Nothing is owed at the function's end. */
static inline void check_quiet(void)
{
	struct model_function_state state;

	model_function_state(world.function, &state);
	CHECK_EQ(state.credits_in_use, 0);
	CHECK_EQ(state.waiting + state.open + state.stale, 0);
	CHECK_EQ(state.uprgi_count, 0);
	CHECK(!model_engine_busy(world.engine));
}

#endif
