/* SPDX-License-Identifier: BSD-3-Clause */
/* model/engine_job.c - one job of a DMA engine: it asks for pages and moves bytes. */
#include "model/engine_state.h"

#include <errno.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/le.h"

#define PAGE UINT64_C(4096)

/* ---- Operations ---------------------------------------------------------------- */

static int role_access(struct model_engine *engine, struct job *job, uint32_t role,
		       uint32_t count, bool write)
{
	uint32_t offset = (uint32_t)((job->role[role].base + job->done) % PAGE);

	return engine->calls->access(engine->device, job->role[role].use, offset,
				     engine->buffer[write ? 0 : role], count, write);
}

static int move_copy(struct model_engine *engine, struct job *job, uint32_t count)
{
	int result = role_access(engine, job, 0, count, false);

	return result != 0 ? result : role_access(engine, job, 1, count, true);
}

static int move_fill(struct model_engine *engine, struct job *job, uint32_t count)
{
	uint8_t pattern[8];

	le64_put(pattern, job->pattern);
	for (uint32_t n = 0; n < count; n++)
		engine->buffer[0][n] = pattern[(job->done + n) % 8];
	return role_access(engine, job, 0, count, true);
}

/* The first difference is the result, and the end. */
static int move_compare(struct model_engine *engine, struct job *job, uint32_t count)
{
	int result = role_access(engine, job, 0, count, false);

	if (result == 0)
		result = role_access(engine, job, 1, count, false);
	if (result != 0 || memcmp(engine->buffer[0], engine->buffer[1], count) == 0)
		return result;
	for (uint32_t n = 0; n < count; n++)
		if (engine->buffer[0][n] != engine->buffer[1][n]) {
			job->result = job->done + n;
			break;
		}
	return 0;
}

static int move_crc32c(struct model_engine *engine, struct job *job, uint32_t count)
{
	int result = role_access(engine, job, 0, count, false);

	if (result == 0)
		job->result = crc32c((uint32_t)job->result, engine->buffer[0], count);
	return result;
}

static const struct operation {
	int (*move)(struct model_engine *engine, struct job *job, uint32_t count);
	uint64_t result; /* before the first byte */
	struct {
		bool used, destination;
		uint8_t perm;
	} role[2];
} operations[MODEL_JOB_OPERATION_COUNT] = {
	[MODEL_JOB_COPY] = { move_copy, 0,
			     { { true, false, IOPF_READ }, { true, true, IOPF_WRITE } } },
	[MODEL_JOB_FILL] = { move_fill, 0, { { true, true, IOPF_WRITE } } },
	[MODEL_JOB_COMPARE] = { move_compare, UINT64_MAX,
				{ { true, false, IOPF_READ }, { true, true, IOPF_READ } } },
	[MODEL_JOB_CRC32C] = { move_crc32c, 0, { { true, false, IOPF_READ } } },
};

static const struct operation *operation_of(const struct job *job)
{
	return &operations[job->control & 0xff];
}

/* ---- Begin --------------------------------------------------------------------- */

static bool control_fits(const struct job *job)
{
	const uint64_t with_pasid = MODEL_JOB_PRIV | MODEL_JOB_EXEC;
	uint64_t operation = job->control & 0xff, flags = job->control & ~UINT64_C(0xff);

	if (operation == MODEL_JOB_ABORT || operation >= MODEL_JOB_OPERATION_COUNT ||
	    flags & ~(with_pasid | MODEL_JOB_INTERRUPT))
		return false;
	return job->pasid != IOPF_PASID_NONE ? job->pasid <= IOPF_PASID_MAX :
					       (flags & with_pasid) == 0;
}

static uint8_t perm_of(const struct job *job, bool destination, uint8_t perm)
{
	if (job->control & MODEL_JOB_PRIV)
		perm |= IOPF_PRIV;
	if (job->control & MODEL_JOB_EXEC && !destination)
		perm |= IOPF_EXEC;
	return perm;
}

bool job_begin(struct model_engine *engine, struct job *job)
{
	const struct operation *operation;

	(void)engine;
	job->pasid = (uint32_t)job->pasid_register;
	job->role_count = 0;
	if (!control_fits(job))
		return false;
	operation = operation_of(job);
	job->result = operation->result;
	for (uint32_t n = 0; n < 2 && operation->role[n].used; n++) {
		bool destination = operation->role[n].destination;
		uint64_t base = destination ? job->destination : job->source;

		if (job->length > UINT64_MAX - base)
			return false;
		job->role[job->role_count++] = (struct job_role){
			.base = base,
			.use = JOB_NO_USE,
			.perm = perm_of(job, destination, operation->role[n].perm),
		};
	}
	return true;
}

/* ---- Roles --------------------------------------------------------------------- */

static void role_release(struct model_engine *engine, struct job_role *role)
{
	if (role->use != JOB_NO_USE)
		engine->calls->release(engine->device, role->use);
	role->use = JOB_NO_USE;
}

void job_release(struct model_engine *engine, struct job *job)
{
	for (uint32_t n = 0; n < 2; n++)
		role_release(engine, &job->role[n]);
}

/* The page that @role stands in. */
static uint64_t role_page(const struct job *job, const struct job_role *role)
{
	return (role->base + job->done) & ~(PAGE - 1);
}

static bool is_asked(const struct model_engine *engine, const struct job *job,
		     uint32_t role, uint64_t page)
{
	const struct ask *asks = job_asks(engine, job);

	for (uint32_t n = 0; n < engine->options.window; n++) {
		if (asks[n].state != ASK_SENT || asks[n].serial != job->serial)
			continue;
		for (uint32_t k = 0; k < asks[n].count; k++)
			if (asks[n].page[k] == (page | role))
				return true;
	}
	return false;
}

/* Get hold of the page that @role stands in. 0; -EAGAIN: it is asked for, or is to be;
 * other errors end the job. */
static int role_hold(struct model_engine *engine, struct job *job, uint32_t n)
{
	struct job_role *role = &job->role[n];
	uint64_t page = role_page(job, role);
	int result;

	role->missing = false;
	if (role->use != JOB_NO_USE && engine->calls->usable(engine->device, role->use))
		return 0;
	role_release(engine, role);
	if (is_asked(engine, job, n, page))
		return -EAGAIN;
	result = engine->calls->translate(engine->device, job->pasid, page, role->perm,
					  &role->use);
	if (result == 0)
		return 0;
	role->use = JOB_NO_USE;
	role->missing = result == -EFAULT;
	return role->missing ? -EAGAIN : result;
}

/* ---- Asking for pages ---------------------------------------------------------- */

struct wanted {
	uint64_t page[MODEL_ENGINE_PAGES_MAX];
	uint32_t count, max;
};

/* How far roles look ahead, in bytes: what all groups together can hold, and when to
 * look again: there is room for a whole group. */
static uint64_t ahead_bytes(const struct model_engine *engine, const struct job *job,
			    uint32_t groups)
{
	uint64_t pages = (uint64_t)groups * engine->options.group_pages / job->role_count;

	return pages * PAGE;
}

/* The role that looked least far, if it may look further. */
static struct job_role *role_behind(struct job *job, uint64_t limit)
{
	struct job_role *role = &job->role[0];

	if (job->role_count == 2 && job->role[1].ahead < role->ahead)
		role = &job->role[1];
	return role->ahead < job->length && role->ahead < limit ? role : NULL;
}

static void look_at(struct model_engine *engine, struct job *job, struct job_role *role,
		    struct wanted *wanted)
{
	uint64_t page = (role->base + role->ahead) & ~(PAGE - 1);
	uint32_t use;
	int result = engine->calls->translate(engine->device, job->pasid, page,
					      role->perm, &use);

	role->ahead = page + PAGE - role->base;
	if (result == 0)
		engine->calls->release(engine->device, use);
	if (result == -EFAULT)
		wanted->page[wanted->count++] = page | (uint64_t)(role - job->role);
}

static void look_ahead(struct model_engine *engine, struct job *job, struct wanted *wanted)
{
	uint64_t far = ahead_bytes(engine, job, engine->options.window);
	uint64_t again = ahead_bytes(engine, job, engine->options.window - 1);
	struct job_role *role = role_behind(job, job->done + again + 1);

	if (role == NULL)
		return;
	for (; role != NULL && wanted->count < wanted->max;
	     role = role_behind(job, job->done + (far > 0 ? far : 1)))
		look_at(engine, job, role, wanted);
}

/* What the work stands before comes first: it was there when it was looked at, or was
 * asked for and did not come. */
static void look_here(struct model_engine *engine, struct job *job, struct wanted *wanted)
{
	for (uint32_t n = 0; n < job->role_count; n++) {
		struct job_role *role = &job->role[n];

		if (!role->missing || role->ahead <= job->done ||
		    wanted->count == wanted->max)
			continue;
		wanted->page[wanted->count++] = role_page(job, role) | n;
		role->missing = false;
		role->asked++;
		engine->counter[MODEL_ENGINE_COUNTER_retries]++;
	}
}

static void ask_send(struct model_engine *engine, struct job *job, struct ask *ask,
		     const struct wanted *wanted)
{
	uint32_t cookie = (uint32_t)(ask - engine->asks);
	int group = engine->calls->group_open(engine->device, job->pasid, cookie), result = 0;

	if (group < 0)
		return;
	*ask = (struct ask){ .issued_ns = engine->now_ns,
			     .serial = job->serial,
			     .pasid = job->pasid,
			     .state = ASK_SENT };
	job->outstanding++;
	engine->counter[MODEL_ENGINE_COUNTER_groups]++;
	/* With the last one it may be answered at once, and be free again. */
	for (uint32_t n = 0; n < wanted->count && result == 0; n++) {
		ask->page[ask->count++] = wanted->page[n];
		engine->counter[MODEL_ENGINE_COUNTER_faults]++;
		result = engine->calls->group_add(engine->device, (uint32_t)group,
					 wanted->page[n] & ~(PAGE - 1),
					 job->role[wanted->page[n] & 1].perm,
					 n + 1 == wanted->count);
	}
	if (result < 0)
		engine->calls->group_close(engine->device, (uint32_t)group);
}

static struct ask *ask_free(const struct model_engine *engine, const struct job *job)
{
	struct ask *asks = job_asks(engine, job);

	for (uint32_t n = 0; n < engine->options.window; n++)
		if (asks[n].state == ASK_FREE)
			return &asks[n];
	return NULL;
}

/* No page requests can be sent: does the work need one? */
static bool cannot_ask(struct model_engine *engine, struct job *job, int why)
{
	bool waits = why == -EACCES && engine->options.patient;

	for (uint32_t n = 0; n < job->role_count; n++) {
		struct job_role *role = &job->role[n];

		if (!role->missing || waits)
			continue;
		job_end(engine, job,
			why == -EPIPE ? MODEL_JOB_STATUS_failure :
					MODEL_JOB_STATUS_page_fault,
			role_page(job, role));
		return true;
	}
	return false;
}

/* Send a group, if pages are missing and there is room for one. */
static bool ask(struct model_engine *engine, struct job *job)
{
	struct ask *slot = ask_free(engine, job);
	int room = engine->calls->group_room(engine->device, job->pasid);
	struct wanted wanted = { .max = engine->options.group_pages };

	if (room < 0 && room != -EAGAIN)
		return cannot_ask(engine, job, room);
	if (slot == NULL || room == -EAGAIN)
		return false;
	if ((uint32_t)room < wanted.max)
		wanted.max = (uint32_t)room;
	look_here(engine, job, &wanted);
	look_ahead(engine, job, &wanted);
	if (wanted.count == 0)
		return false;
	ask_send(engine, job, slot, &wanted);
	return true;
}

/* ---- A step -------------------------------------------------------------------- */

/* A group was refused as a whole: its first page that is not there is to blame. Of a
 * group of one nothing is tried: a master's attempt would stall once more. */
static void end_refused(struct model_engine *engine, struct job *job)
{
	static const uint8_t status[] = {
		[MODEL_OUTCOME_INVALID] = MODEL_JOB_STATUS_invalid,
		[MODEL_OUTCOME_FAILURE] = MODEL_JOB_STATUS_failure,
		[MODEL_OUTCOME_STOPPED] = MODEL_JOB_STATUS_stopped,
	};
	struct ask *refused = &engine->asks[job->refused];
	uint64_t page = refused->page[0];

	for (uint32_t n = 0; n < refused->count && refused->count > 1; n++) {
		uint32_t use;

		if (engine->calls->translate(engine->device, job->pasid,
					     refused->page[n] & ~(PAGE - 1),
					     job->role[refused->page[n] & 1].perm,
					     &use) != 0) {
			page = refused->page[n];
			break;
		}
		engine->calls->release(engine->device, use);
	}
	job_end(engine, job, status[refused->outcome], page & ~(PAGE - 1));
}

/* The most that lies in one page of every role. */
static uint32_t piece_of(const struct model_engine *engine, const struct job *job)
{
	uint64_t count = job->length - job->done;

	if (count > engine->options.piece_bytes)
		count = engine->options.piece_bytes;
	for (uint32_t n = 0; n < job->role_count; n++) {
		uint64_t left = PAGE - (job->role[n].base + job->done) % PAGE;

		count = count < left ? count : left;
	}
	return (uint32_t)count;
}

static void role_moved(struct model_engine *engine, struct job *job, struct job_role *role,
		       uint64_t before)
{
	uint64_t page = (role->base + before) / PAGE;

	if (before == 0 || page != role->touched)
		engine->counter[MODEL_ENGINE_COUNTER_pages]++;
	role->touched = page;
	if ((role->base + job->done) % PAGE != 0)
		return;
	role_release(engine, role);
	role->asked = 0;
}

static void moved(struct model_engine *engine, struct job *job, uint32_t count)
{
	uint64_t before = job->done;

	job->done += count;
	engine->counter[MODEL_ENGINE_COUNTER_bytes] += count;
	for (uint32_t n = 0; n < job->role_count && count > 0; n++)
		role_moved(engine, job, &job->role[n], before);
	if (job->done == job->length ||
	    ((job->control & 0xff) == MODEL_JOB_COMPARE && job->result != UINT64_MAX))
		job_end(engine, job, MODEL_JOB_STATUS_done, 0);
}

/* Every role holds its page, or the job has ended or waits. While it waits it holds
 * nothing: an invalidation must not wait for a page fault. */
static bool hold_all(struct model_engine *engine, struct job *job)
{
	bool all = true;

	for (uint32_t n = 0; n < job->role_count; n++) {
		int result = role_hold(engine, job, n);

		all = all && result == 0;
		if (result == 0 || result == -EAGAIN)
			continue;
		job_end(engine, job, MODEL_JOB_STATUS_error, role_page(job, &job->role[n]));
		return false;
	}
	if (!all)
		job_release(engine, job);
	return all;
}

/* The work asked, was told success, and the page is still not there: not for ever. */
static bool out_of_patience(struct model_engine *engine, struct job *job)
{
	for (uint32_t n = 0; n < job->role_count; n++) {
		struct job_role *role = &job->role[n];

		if (!role->missing || role->asked < engine->options.retry_max)
			continue;
		job_end(engine, job, MODEL_JOB_STATUS_page_fault, role_page(job, role));
		return true;
	}
	return false;
}

static bool move(struct model_engine *engine, struct job *job)
{
	uint32_t count = piece_of(engine, job);
	int result;

	if (count > 0 && !hold_all(engine, job))
		return job->status != MODEL_JOB_STATUS_running ||
		       out_of_patience(engine, job);
	result = count > 0 ? operation_of(job)->move(engine, job, count) : 0;
	if (result == 0)
		moved(engine, job, count);
	else if (result == -ESTALE)
		job_release(engine, job);
	else
		job_end(engine, job, MODEL_JOB_STATUS_error, role_page(job, &job->role[0]));
	return true;
}

bool job_step(struct model_engine *engine, struct job *job)
{
	bool went_on;

	if (job->refused != JOB_NO_GROUP) {
		end_refused(engine, job);
		return true;
	}
	went_on = move(engine, job);
	if (job->status != MODEL_JOB_STATUS_running)
		return true;
	return ask(engine, job) || went_on;
}
