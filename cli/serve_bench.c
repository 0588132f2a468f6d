/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/serve_bench.c - what a bench sees: a function's end of its link, an IOMMU's queues. */
#include "cli/serve_bench_state.h"

#include <errno.h>
#include <stdlib.h>

#include "queue/vtd_hardware.h"

/* ---- The log ---------------------------------------------------------------------- */

struct entry {
	enum bench_kind kind;
	uint8_t code, verdict, what;
	uint16_t index;
	uint32_t rid, pasid;
	uint64_t addr;
};

static void log_add(struct bench *bench, const struct entry *entry)
{
	struct bench_record *record = &bench->log[bench->logged % BENCH_LOG_MAX];

	if ((bench->written[BENCH_LOG_KINDS / 8] >> entry->kind & 1) == 0)
		return;
	*record = (struct bench_record){ {
		(uint64_t)entry->kind | (uint64_t)entry->code << 8 |
			(uint64_t)entry->verdict << 16 | (uint64_t)entry->what << 24 |
			(uint64_t)entry->index << 32,
		(uint64_t)entry->rid | (uint64_t)entry->pasid << 32,
		entry->addr,
		bench->options.now_ns() - bench->begun_ns,
	} };
	bench->logged++;
}

/* LOG_AT is software's: it may be anything. */
uint64_t bench_log_read(const struct bench *bench, uint32_t offset)
{
	uint64_t at = bench->written[BENCH_LOG_AT / 8];
	uint64_t n = at + offset / BENCH_RECORD_BYTES;

	if (n < at || n >= bench->logged || bench->logged - n > BENCH_LOG_MAX)
		return 0;
	return bench->log[n % BENCH_LOG_MAX].word[offset % BENCH_RECORD_BYTES / 8];
}

/* ---- The function's end of the link ------------------------------------------------- */

static uint8_t flags_of(const struct iopf_request *request)
{
	return (uint8_t)((request->perm & IOPF_READ ? BENCH_READ : 0) |
			 (request->perm & IOPF_WRITE ? BENCH_WRITE : 0) |
			 (request->perm & IOPF_EXEC ? BENCH_EXEC : 0) |
			 (request->perm & IOPF_PRIV ? BENCH_PRIV : 0) |
			 (request->flags & IOPF_LAST ? BENCH_LAST : 0) |
			 (request->flags & IOPF_STOP ? BENCH_STOP : 0));
}

static void saw_request(void *context, struct model_function *function, uint32_t pasid,
			uint8_t perm, uint64_t payload)
{
	struct bench *bench = context;
	const struct model_observer *next = &bench->options.next;
	uint32_t rid = model_function_rid(function);
	struct iopf_request request;

	if (iopf_pcie_decode_request(payload, rid, pasid, perm, &request) == 0) {
		bool marker = (request.flags & IOPF_STOP) != 0;

		bench->counts.markers += marker;
		bench->counts.requests += !marker;
		log_add(bench, &(struct entry){ .kind = BENCH_REQUEST,
						.what = flags_of(&request),
						.index = request.index,
						.rid = rid,
						.pasid = pasid,
						.addr = request.addr });
	}
	if (next->request != NULL)
		next->request(next->context, function, pasid, perm, payload);
}

static void saw_response(void *context, struct model_function *function, uint32_t pasid,
			 uint64_t payload, enum model_verdict verdict)
{
	struct bench *bench = context;
	const struct model_observer *next = &bench->options.next;
	struct iopf_prg_response response;

	bench->counts.responses++;
	bench->counts.unexpected += verdict == MODEL_UNEXPECTED;
	if (iopf_pcie_decode_response(payload, pasid, &response) == 0) {
		bench->counts.code[iopf_pcie_meaning(response.code)]++;
		log_add(bench, &(struct entry){ .kind = BENCH_RESPONSE,
						.code = response.code,
						.verdict = (uint8_t)verdict,
						.index = response.index,
						.rid = response.rid,
						.pasid = pasid });
	}
	if (next->response != NULL)
		next->response(next->context, function, pasid, payload, verdict);
}

static void saw_reset(void *context, struct model_function *function,
		      enum model_reset reset)
{
	struct bench *bench = context;
	const struct model_observer *next = &bench->options.next;

	bench->counts.resets += reset == MODEL_FLR;
	log_add(bench, &(struct entry){ .kind = BENCH_RESET,
					.verdict = (uint8_t)reset,
					.rid = model_function_rid(function),
					.pasid = IOPF_PASID_NONE });
	if (next->reset != NULL)
		next->reset(next->context, function, reset);
}

static void saw_credits(void *context, struct model_function *function, uint32_t in_use,
			uint32_t allocation)
{
	const struct model_observer *next = &((struct bench *)context)->options.next;

	if (next->credits != NULL)
		next->credits(next->context, function, in_use, allocation);
}

struct model_observer bench_observer(struct bench *bench)
{
	return (struct model_observer){ bench, saw_request, saw_response, saw_reset,
					saw_credits };
}

int bench_invalidate(void *context, uint32_t pasid, uint64_t payload)
{
	struct bench *bench = context;
	int result = 0;

	if (bench->options.now_ns() < bench->silent_until_ns)
		result = -EAGAIN;
	else if (!bench->options.break_invalidations)
		result = model_function_invalidate(bench->function, pasid, payload);
	if (result != 0)
		return result;
	bench->counts.invalidations++;
	log_add(bench, &(struct entry){ .kind = BENCH_INVALIDATION,
					.rid = model_function_rid(bench->function),
					.pasid = pasid,
					.addr = payload });
	return 0;
}

const struct bench_counts *bench_counts(const struct bench *bench)
{
	return &bench->counts;
}

/* ---- The queues that software sees -------------------------------------------------- */

static bool is_drain(const struct iopf_command *command)
{
	return command->kind == IOPF_COMMAND_WAIT &&
	       (command->wait_flags & IOPF_WAIT_DRAIN) != 0;
}

static struct entry entry_of(const struct iopf_command *command)
{
	struct entry entry = { .kind = BENCH_OTHER,
			       .code = command->kind,
			       .verdict = command->granularity,
			       .rid = command->rid,
			       .pasid = command->pasid,
			       .addr = command->addr };

	if (is_drain(command))
		entry.kind = BENCH_DRAIN;
	if (command->kind != IOPF_COMMAND_RESPONSE)
		return entry;
	entry.kind = BENCH_ANSWER;
	entry.index = command->index;
	entry.code = iopf_pcie_code((enum iopf_code)command->code);
	return entry;
}

static struct bench *bench_of(const struct bench_queue *queue, uint32_t rid)
{
	struct bench *bench = queue->first;

	while (bench != NULL && model_function_rid(bench->function) != rid)
		bench = bench->next;
	return bench;
}

/* What is for a function stands in its log; the rest, and what is for none, in all. */
static void saw_command(void *context, const struct iopf_command *command)
{
	struct bench_queue *queue = context;
	const struct entry entry = entry_of(command);
	bool named = command->kind == IOPF_COMMAND_RESPONSE ||
		     command->kind == IOPF_COMMAND_INVALIDATE_DEVICE;
	struct bench *only = named ? bench_of(queue, command->rid) : NULL;

	queue->commands++;
	queue->responses += command->kind == IOPF_COMMAND_RESPONSE;
	queue->drains += is_drain(command);
	for (struct bench *each = queue->first; each != NULL; each = each->next)
		if (only == NULL || only == each)
			log_add(each, &entry);
}

static bool saw_interrupt(void *context)
{
	struct bench_queue *queue = context;

	queue->interrupts++;
	queue->held |= queue->holding;
	return !queue->holding;
}

void bench_queue_let_go(struct bench_queue *queue)
{
	uint64_t held = queue->held;

	queue->holding = false;
	queue->held = 0;
	if (held != 0)
		vtd_request_interrupt(queue->hardware);
}

void bench_queue_create(struct bench_queue *queue, struct iopf_hardware *hardware)
{
	*queue = (struct bench_queue){ .hardware = hardware };
	queue->observer =
		(struct hardware_observer){ queue, saw_command, saw_interrupt };
	hardware_observe(hardware, &queue->observer);
}

void bench_queue_add(struct bench_queue *queue, struct bench *bench)
{
	bench->queue = queue;
	bench->next = queue->first;
	queue->first = bench;
}

/* ---- Life ------------------------------------------------------------------------- */

int bench_create(const struct bench_options *options, struct bench **bench)
{
	struct bench *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return -ENOMEM;
	made->options = *options;
	made->begun_ns = options->now_ns();
	made->written[BENCH_PASID / 8] = UINT32_MAX;
	made->written[BENCH_LOG_KINDS / 8] = BENCH_KINDS_USUAL;
	*bench = made;
	return 0;
}

void bench_destroy(struct bench *bench)
{
	free(bench);
}

void bench_connect(struct bench *bench, struct model_function *function,
		   struct model_engine *engine)
{
	bench->function = function;
	bench->engine = engine;
}
