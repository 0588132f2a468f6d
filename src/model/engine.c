/* SPDX-License-Identifier: BSD-3-Clause */
/* model/engine.c - a DMA engine: registers, the life of its jobs, what it is told. */
#include "model/engine_state.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME_ROW(name, text) #name,

const char *model_job_status_name(enum model_job_status status)
{
	static const char *const name[] = { MODEL_JOB_STATUSES(NAME_ROW) };

	return (unsigned)status < MODEL_JOB_STATUS_COUNT ? name[status] : "?";
}

const char *model_engine_counter_name(enum model_engine_counter counter)
{
	static const char *const name[] = { MODEL_ENGINE_COUNTER_LIST(NAME_ROW) };

	return (unsigned)counter < MODEL_ENGINE_COUNTER_COUNT ? name[counter] : "?";
}

/* ---- The life of a job --------------------------------------------------------- */

static void job_start(struct model_engine *engine, struct job *job)
{
	job->serial = ++engine->serial;
	job->refused = JOB_NO_GROUP;
	job->done = job->fault = job->result = 0;
	job->status = MODEL_JOB_STATUS_running;
	engine->counter[MODEL_ENGINE_COUNTER_jobs]++;
	if (!job_begin(engine, job))
		job_end(engine, job, MODEL_JOB_STATUS_descriptor, 0);
}

void job_end(struct model_engine *engine, struct job *job, enum model_job_status status,
	     uint64_t fault_addr)
{
	const struct model_engine_hooks *hooks = &engine->options.hooks;
	struct model_completion completion = {
		.done_bytes = job->done,
		.result = job->result,
		.fault_addr = fault_addr,
		.pasid = job->pasid,
		.slot = (uint32_t)(job - engine->job),
		.status = (uint8_t)status,
	};

	if (job->refused != JOB_NO_GROUP) {
		engine->asks[job->refused].state = ASK_FREE;
		job->outstanding--;
		job->refused = JOB_NO_GROUP;
	}
	job_release(engine, job);
	job->status = status;
	job->fault = fault_addr;
	engine->counter[MODEL_ENGINE_COUNTER_failed] += status != MODEL_JOB_STATUS_done;
	if (hooks->completed != NULL)
		hooks->completed(hooks->context, &completion);
	if (job->control & MODEL_JOB_INTERRUPT)
		engine->calls->interrupt(engine->device);
}

static bool is_running(const struct job *job)
{
	return job->status == MODEL_JOB_STATUS_running;
}

/* ---- What the function tells --------------------------------------------------- */

static void answered(void *context, uint32_t cookie, enum model_outcome outcome)
{
	struct model_engine *engine = context;
	const struct model_engine_hooks *hooks = &engine->options.hooks;
	struct job *job = &engine->job[cookie / engine->options.window];
	struct ask *ask = &engine->asks[cookie];

	if (hooks->group != NULL)
		hooks->group(hooks->context, ask->pasid, ask->count, ask->issued_ns,
			     outcome);
	job->outstanding--;
	ask->state = ASK_FREE;
	if (outcome == MODEL_OUTCOME_SUCCESS || outcome == MODEL_OUTCOME_LOST ||
	    ask->serial != job->serial || !is_running(job))
		return;
	/* The job ends at its next step: there it may look whose fault it was. */
	ask->outcome = (uint8_t)outcome;
	if (job->refused == JOB_NO_GROUP) {
		job->refused = cookie;
		job->outstanding++;
		ask->state = ASK_REFUSED;
	}
}

/* Every group was lost before. Registers are as after power-on. */
static void reset(void *context)
{
	struct model_engine *engine = context;

	for (uint32_t n = 0; n < engine->options.job_max; n++) {
		struct job *job = &engine->job[n];

		job->control &= ~(uint64_t)MODEL_JOB_INTERRUPT;
		if (is_running(job))
			job_end(engine, job, MODEL_JOB_STATUS_reset, 0);
		for (uint32_t k = 0; k < engine->options.window; k++)
			job_asks(engine, job)[k].state = ASK_FREE;
		*job = (struct job){ .pasid = IOPF_PASID_NONE };
		job->role[0].use = job->role[1].use = JOB_NO_USE;
		job->refused = JOB_NO_GROUP;
	}
	engine->stop_pasid = 0;
}

/* ---- Create -------------------------------------------------------------------- */

static bool in_range(uint32_t value, uint32_t last)
{
	return value >= 1 && value <= last;
}

int model_engine_create(const struct model_engine_options *options,
			struct model_engine **engine)
{
	struct model_engine *new;

	if (!in_range(options->job_max, MODEL_ENGINE_JOB_MAX) ||
	    !in_range(options->window, MODEL_ENGINE_WINDOW_MAX) ||
	    !in_range(options->group_pages, MODEL_ENGINE_PAGES_MAX) ||
	    !in_range(options->piece_bytes, 4096) || options->retry_max == 0 ||
	    (options->function == NULL) == (options->master == NULL))
		return -EINVAL;
	new = calloc(1, sizeof(*new));
	if (new == NULL)
		return -ENOMEM;
	new->asks = calloc((size_t)options->job_max * options->window, sizeof(*new->asks));
	if (new->asks == NULL) {
		free(new);
		return -ENOMEM;
	}
	new->options = *options;
	new->calls = options->master != NULL ? &engine_master : &engine_function;
	new->device = options->master != NULL ? (void *)options->master :
						(void *)options->function;
	if (options->master != NULL)
		new->options.group_pages = 1;
	new->client = (struct model_client){ new, answered, reset };
	reset(new);
	new->calls->set_client(new->device, &new->client);
	*engine = new;
	return 0;
}

void model_engine_destroy(struct model_engine *engine)
{
	if (engine == NULL)
		return;
	for (uint32_t n = 0; n < engine->options.job_max; n++)
		job_release(engine, &engine->job[n]);
	engine->calls->set_client(engine->device, NULL);
	free(engine->asks);
	free(engine);
}

/* ---- Registers ----------------------------------------------------------------- */

#define JOB_REGISTER(member) (uint16_t)offsetof(struct job, member)

static const struct job_register {
	uint16_t offset;
	uint16_t member;
	bool write;
} job_registers[] = {
	{ MODEL_JOB_SOURCE, JOB_REGISTER(source), true },
	{ MODEL_JOB_DESTINATION, JOB_REGISTER(destination), true },
	{ MODEL_JOB_LENGTH, JOB_REGISTER(length), true },
	{ MODEL_JOB_PATTERN, JOB_REGISTER(pattern), true },
	{ MODEL_JOB_PASID, JOB_REGISTER(pasid_register), true },
	{ MODEL_JOB_CONTROL, JOB_REGISTER(control), true },
	{ MODEL_JOB_STATUS, JOB_REGISTER(status), false },
	{ MODEL_JOB_DONE, JOB_REGISTER(done), false },
	{ MODEL_JOB_RESULT, JOB_REGISTER(result), false },
	{ MODEL_JOB_FAULT, JOB_REGISTER(fault), false },
};

/* The job register at @offset of the block and the slot that it belongs to. */
static const struct job_register *job_register_at(const struct model_engine *engine,
						  uint32_t offset, uint32_t *slot)
{
	uint32_t within = (offset - MODEL_ENGINE_JOBS) % MODEL_JOB_STRIDE;
	uint32_t number = (offset - MODEL_ENGINE_JOBS) / MODEL_JOB_STRIDE;

	if (offset < MODEL_ENGINE_JOBS || number >= engine->options.job_max)
		return NULL;
	for (size_t n = 0; n < sizeof(job_registers) / sizeof(job_registers[0]); n++)
		if (job_registers[n].offset == within) {
			*slot = number;
			return &job_registers[n];
		}
	return NULL;
}

static uint64_t stop_read(const struct model_engine *engine)
{
	uint32_t pasid = (uint32_t)engine->stop_pasid;

	return engine->calls->stopping(engine->device, pasid) ? 1 : 0;
}

static uint64_t global_read(const struct model_engine *engine, uint32_t offset)
{
	const struct model_engine_options *options = &engine->options;
	uint32_t counter = (offset - MODEL_ENGINE_COUNTERS) / 8;

	if (offset == MODEL_ENGINE_ID)
		return MODEL_ENGINE_MAGIC;
	if (offset == MODEL_ENGINE_LIMITS)
		return options->job_max | options->window << 8 | options->group_pages << 16;
	if (offset == MODEL_ENGINE_STOP)
		return stop_read(engine);
	if (offset >= MODEL_ENGINE_COUNTERS && counter < MODEL_ENGINE_COUNTER_COUNT)
		return engine->counter[counter];
	return 0;
}

/* The whole register that lies at @offset, a multiple of 8. */
static uint64_t register_read(const struct model_engine *engine, uint32_t offset)
{
	uint32_t slot = 0;
	const struct job_register *at = job_register_at(engine, offset, &slot);
	uint64_t value;

	if (at == NULL)
		return global_read(engine, offset);
	memcpy(&value, (const char *)&engine->job[slot] + at->member, sizeof(value));
	return value;
}

static bool access_fits(uint32_t offset, uint32_t size_bytes)
{
	return (size_bytes == 4 || size_bytes == 8) && offset % size_bytes == 0 &&
	       offset < MODEL_ENGINE_BYTES;
}

uint64_t model_engine_read(const struct model_engine *engine, uint32_t offset,
			   uint32_t size_bytes)
{
	uint64_t value;

	if (!access_fits(offset, size_bytes))
		return UINT64_MAX;
	if (!engine->calls->decodes(engine->device))
		return size_bytes == 8 ? UINT64_MAX : UINT32_MAX;
	value = register_read(engine, offset & ~7u);
	return size_bytes == 8 ? value : value >> 8 * (offset & 4) & UINT32_MAX;
}

static void stop_written(struct model_engine *engine, uint64_t value)
{
	uint32_t pasid = (uint32_t)value;

	engine->stop_pasid = pasid;
	for (uint32_t n = 0; n < engine->options.job_max; n++)
		if (is_running(&engine->job[n]) && engine->job[n].pasid == pasid)
			job_end(engine, &engine->job[n], MODEL_JOB_STATUS_stopped, 0);
	engine->calls->stop(engine->device, pasid);
}

/* A running job's registers are its own; only an abort gets through. */
static void job_written(struct model_engine *engine, struct job *job,
			const struct job_register *at, uint64_t value, bool low)
{
	bool control = at->offset == MODEL_JOB_CONTROL && low;
	bool abort = control && (value & 0xff) == MODEL_JOB_ABORT;

	if (is_running(job) && abort)
		job_end(engine, job, MODEL_JOB_STATUS_stopped, 0);
	if (is_running(job) || abort || !at->write)
		return;
	memcpy((char *)job + at->member, &value, sizeof(value));
	if (control)
		job_start(engine, job);
}

void model_engine_write(struct model_engine *engine, uint32_t offset, uint32_t size_bytes,
			uint64_t value)
{
	uint32_t slot = 0, shift = 8 * (offset & 4);
	const struct job_register *at = job_register_at(engine, offset & ~7u, &slot);

	if (!access_fits(offset, size_bytes) ||
	    !engine->calls->decodes(engine->device))
		return;
	if (size_bytes == 4)
		value = (register_read(engine, offset & ~7u) &
			 ~((uint64_t)UINT32_MAX << shift)) |
			(value & UINT32_MAX) << shift;
	if (at != NULL)
		job_written(engine, &engine->job[slot], at, value, shift == 0);
	else if (offset == MODEL_ENGINE_STOP)
		stop_written(engine, value);
}

/* ---- Work ---------------------------------------------------------------------- */

uint32_t model_engine_run(struct model_engine *engine, uint32_t budget, uint64_t now_ns)
{
	uint32_t steps = 0, idle = 0;

	engine->now_ns = now_ns;
	while (steps < budget && idle < engine->options.job_max) {
		struct job *job = &engine->job[engine->turn];
		bool went_on = is_running(job) && job_step(engine, job);

		/* Where the budget ends, the next run goes on. */
		engine->turn = (engine->turn + 1) % engine->options.job_max;
		steps += went_on;
		idle = went_on ? 0 : idle + 1;
	}
	return steps;
}

bool model_engine_busy(const struct model_engine *engine)
{
	for (uint32_t n = 0; n < engine->options.job_max; n++)
		if (is_running(&engine->job[n]))
			return true;
	return false;
}

uint64_t model_engine_counter(const struct model_engine *engine,
			      enum model_engine_counter counter)
{
	assert((unsigned)counter < MODEL_ENGINE_COUNTER_COUNT);
	return engine->counter[counter];
}
