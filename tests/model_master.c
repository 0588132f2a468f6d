/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: a platform master's work waits while its transactions are held. */
#include <errno.h>

#include "model/engine.h"

#include "test.h"

#define STREAM    0x42u
#define PAGES     64u
#define SPACES    3u /* PASIDs 0 and 1, and none */
#define VA        UINT64_C(0x7f0000000000)
#define HELD_MAX  64u
#define R         IOPF_READ
#define W         IOPF_WRITE

/* An upstream that is a plain table: what is absent is held, what is refused aborted. */
static struct {
	struct model_master *master;
	struct model_engine *engine;
	uint8_t memory[SPACES][PAGES][4096];
	uint8_t perm[SPACES][PAGES];
	bool refuse;                     /* everything is aborted */
	const struct model_transaction *held[HELD_MAX];
	uint32_t held_count, most_held;
	uint32_t transactions, moving;   /* that came; of them, with bytes */
	uint8_t last_perm;
	uint32_t interrupts, groups, lost;
	struct model_completion completion;
	uint32_t completions;
} world;

static uint32_t space_of(uint32_t pasid)
{
	return pasid == IOPF_PASID_NONE ? 2 : pasid;
}

static uint8_t *perm_at(uint32_t pasid, uint64_t addr)
{
	CHECK(addr >= VA && (addr - VA) / 4096 < PAGES && space_of(pasid) < SPACES);
	return &world.perm[space_of(pasid)][(addr - VA) / 4096];
}

/* False: it is not there. */
static bool carry_out(const struct model_transaction *transaction)
{
	uint8_t *page = world.memory[space_of(transaction->pasid)]
				    [(transaction->addr - VA) / 4096];
	uint8_t *at = page + transaction->addr % 4096;
	uint8_t wanted = transaction->perm & (R | W);

	CHECK(transaction->addr % 4096 + transaction->size_bytes <= 4096);
	if ((*perm_at(transaction->pasid, transaction->addr) & wanted) != wanted)
		return false;
	if (transaction->size_bytes > 0)
		memcpy(wanted & W ? at : transaction->buffer,
		       wanted & W ? transaction->buffer : at, transaction->size_bytes);
	return true;
}

static int stub_transact(void *context, const struct model_transaction *transaction)
{
	(void)context;
	CHECK_EQ(transaction->rid, STREAM);
	world.transactions++;
	world.moving += transaction->size_bytes > 0;
	world.last_perm = transaction->perm;
	if (world.refuse)
		return -EFAULT;
	if (carry_out(transaction))
		return 0;
	CHECK(world.held_count < HELD_MAX);
	world.held[world.held_count++] = transaction;
	if (world.held_count > world.most_held)
		world.most_held = world.held_count;
	return -EINPROGRESS;
}

static void stub_interrupt(void *context, uint32_t rid, uint64_t addr, uint32_t data)
{
	(void)context;
	CHECK_EQ(rid, STREAM);
	CHECK_EQ(addr, 0xfee00000);
	CHECK_EQ(data, 0x77);
	world.interrupts++;
}

static const struct model_transaction *take(uint32_t n)
{
	const struct model_transaction *transaction = world.held[n];

	CHECK(n < world.held_count);
	world.held[n] = world.held[--world.held_count];
	return transaction;
}

/* As a RESUME: it looks again, and is held again where that does not help. */
static bool retry(uint32_t n)
{
	if (!carry_out(world.held[n]))
		return false;
	model_master_released(world.master, take(n), 0);
	return true;
}

static void abort_one(uint32_t n)
{
	model_master_released(world.master, take(n), -EFAULT);
}

/* Give the page that @n waits for, and let it look again. */
static void serve(uint32_t n)
{
	const struct model_transaction *held = world.held[n];

	*perm_at(held->pasid, held->addr) |= held->perm & (R | W);
	CHECK(retry(n));
}

static void saw_group(void *context, uint32_t pasid, uint32_t page_count,
		      uint64_t issued_ns, enum model_outcome outcome)
{
	(void)context, (void)pasid, (void)issued_ns;
	CHECK_EQ(page_count, 1);
	world.groups++;
	world.lost += outcome == MODEL_OUTCOME_LOST;
}

static void saw_completed(void *context, const struct model_completion *completion)
{
	(void)context;
	world.completions++;
	world.completion = *completion;
}

static void destroy(void)
{
	model_engine_destroy(world.engine);
	model_master_destroy(world.master);
}

static void start_with(uint32_t transactions, uint32_t window)
{
	const struct model_master_options options = {
		.upstream = { .transact = stub_transact, .interrupt = stub_interrupt },
		.rid = STREAM,
		.transactions = transactions,
		.pasid_width = 1,
		.interrupt = true,
		.interrupt_addr = 0xfee00000,
		.interrupt_data = 0x77,
	};
	struct model_engine_options engine = {
		.hooks = { NULL, saw_group, saw_completed },
		.job_max = 4,
		.window = window,
		.group_pages = 8,
		.retry_max = 3,
		.piece_bytes = 4096,
	};
	uint64_t random = 3;

	destroy();
	memset(&world, 0, sizeof(world));
	for (size_t n = 0; n < sizeof(world.memory); n++)
		(&world.memory[0][0][0])[n] = (uint8_t)test_random(&random);
	CHECK_EQ(model_master_create(&options, &world.master), 0);
	engine.master = world.master;
	CHECK_EQ(model_engine_create(&engine, &world.engine), 0);
}

static void start(void)
{
	start_with(16, 4);
}

static uint64_t job_get(uint32_t slot, uint32_t offset)
{
	return model_engine_read(world.engine,
				 MODEL_ENGINE_JOBS + slot * MODEL_JOB_STRIDE + offset, 8);
}

static void job_set(uint32_t slot, uint32_t offset, uint64_t value)
{
	model_engine_write(world.engine,
			   MODEL_ENGINE_JOBS + slot * MODEL_JOB_STRIDE + offset, 8, value);
}

static void job(uint32_t slot, uint32_t pasid, uint64_t control, uint64_t source,
		uint64_t destination, uint64_t length)
{
	job_set(slot, MODEL_JOB_SOURCE, VA + source);
	job_set(slot, MODEL_JOB_DESTINATION, VA + destination);
	job_set(slot, MODEL_JOB_LENGTH, length);
	job_set(slot, MODEL_JOB_PASID, pasid);
	job_set(slot, MODEL_JOB_CONTROL, control);
}

static void run(void)
{
	CHECK(model_engine_run(world.engine, 10000, 1) < 10000);
}

/* Until nothing is held any more: whatever waits is given its page. */
static void run_served(void)
{
	for (run(); world.held_count > 0; run())
		serve(0);
}

static enum model_job_status status(uint32_t slot)
{
	return (enum model_job_status)job_get(slot, MODEL_JOB_STATUS);
}

static struct model_master_state state_now(void)
{
	struct model_master_state state;

	model_master_state(world.master, &state);
	return state;
}

static void give_all(uint8_t perm)
{
	memset(world.perm, perm, sizeof(world.perm));
}

/* ---- Work --------------------------------------------------------------------------- */

TEST(a_copy_waits_for_each_missing_page_and_moves_every_byte)
{
	start();
	job(0, 1, MODEL_JOB_COPY, 0x123, 0x20456, 0x5000);
	run_served();
	CHECK_EQ(status(0), MODEL_JOB_STATUS_done);
	CHECK_EQ(job_get(0, MODEL_JOB_DONE), 0x5000);
	CHECK(memcmp(&world.memory[1][0][0x123], &world.memory[1][0x20][0x456], 0x5000) == 0);
	CHECK_EQ(model_engine_counter(world.engine, MODEL_ENGINE_COUNTER_faults), 12);
	CHECK_EQ(world.groups, 12);
	CHECK(model_master_quiet(world.master));
	CHECK_EQ(state_now().stalls, 12);
}

TEST(what_is_there_stalls_nothing)
{
	start();
	give_all(R | W);
	job(0, IOPF_PASID_NONE, MODEL_JOB_FILL | MODEL_JOB_INTERRUPT, 0, 0, 0x4000);
	run();
	CHECK_EQ(status(0), MODEL_JOB_STATUS_done);
	CHECK_EQ(world.groups, 0);
	CHECK_EQ(state_now().stalls, 0);
	CHECK_EQ(world.moving, 4);
	CHECK_EQ(world.interrupts, 1);
}

TEST(as_many_pages_are_asked_for_ahead_as_the_window_has_groups)
{
	start();
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 16 * 4096);
	run();
	CHECK_EQ(world.held_count, 4);
	for (uint32_t n = 0; n < 4; n++)
		CHECK_EQ(world.held[n]->addr, VA + n * 4096);
	CHECK_EQ(model_engine_read(world.engine, MODEL_ENGINE_LIMITS, 8) >> 16, 1);
}

TEST(no_more_is_held_than_a_master_can_have_outstanding)
{
	start_with(2, 8);
	job(0, 0, MODEL_JOB_FILL, 0, 0, 16 * 4096);
	job(1, 1, MODEL_JOB_FILL, 0, 0, 16 * 4096);
	run_served();
	CHECK_EQ(world.most_held, 2);
	CHECK_EQ(status(0), MODEL_JOB_STATUS_done);
	CHECK_EQ(status(1), MODEL_JOB_STATUS_done);
}

TEST(a_retry_that_finds_nothing_leaves_the_work_waiting)
{
	start();
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 4096);
	run();
	CHECK(!retry(0));
	run();
	CHECK_EQ(status(0), MODEL_JOB_STATUS_running);
	CHECK_EQ(world.held_count, 1);
	CHECK_EQ(world.groups, 0);
	serve(0);
	run();
	CHECK_EQ(status(0), MODEL_JOB_STATUS_done);
}

TEST(an_abort_ends_the_job_and_names_its_page)
{
	start_with(16, 1);
	*perm_at(0, VA) = R;
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 3 * 4096);
	run();
	CHECK_EQ(world.held_count, 1);
	abort_one(0);
	run();
	CHECK_EQ(status(0), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(job_get(0, MODEL_JOB_FAULT), VA + 4096);
	CHECK_EQ(job_get(0, MODEL_JOB_DONE), 4096);
	CHECK_EQ(world.held_count, 0); /* and it was not tried once more */
	CHECK_EQ(state_now().aborted, 1);
}

TEST(what_is_aborted_at_once_ends_the_job_with_an_error)
{
	start();
	world.refuse = true;
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 4096);
	run();
	CHECK_EQ(status(0), MODEL_JOB_STATUS_error);
	CHECK_EQ(world.groups, 0);
}

/* Between the try and the bytes the page may be taken away: the bytes are held. */
TEST(bytes_that_are_held_are_moved_when_they_are_let_go)
{
	const struct model_transaction *held;
	uint32_t use, was;
	uint8_t bytes[16];

	start();
	give_all(R | W);
	CHECK_EQ(model_master_translate(world.master, 0, VA, W, &use), 0);
	*perm_at(0, VA) = 0;
	memset(bytes, 0xa5, sizeof(bytes));
	CHECK_EQ(model_master_access(world.master, use, 0x10, bytes, 16, true), -ESTALE);
	model_master_release(world.master, use);
	CHECK_EQ(world.held_count, 1);
	held = world.held[0];
	CHECK_EQ(held->addr, VA + 0x10);
	CHECK_EQ(held->size_bytes, 16);
	/* Trying again waits for that one: it is not held twice. */
	was = world.transactions;
	CHECK_EQ(model_master_translate(world.master, 0, VA, W, &use), -EFAULT);
	CHECK_EQ(world.transactions, was);
	serve(0);
	CHECK(memcmp(&world.memory[0][0][0x10], bytes, 16) == 0);
	CHECK(model_master_quiet(world.master));
}

TEST(rights_go_with_each_transaction)
{
	start();
	give_all(R | W);
	job(0, 0, MODEL_JOB_COPY | MODEL_JOB_PRIV | MODEL_JOB_EXEC, 0, 0x8000, 4096);
	run();
	CHECK_EQ(status(0), MODEL_JOB_STATUS_done);
	CHECK_EQ(world.last_perm, W | IOPF_PRIV);
}

TEST(a_pasid_too_wide_goes_nowhere)
{
	uint32_t use;

	start();
	CHECK_EQ(model_master_translate(world.master, 2, VA, R, &use), -EACCES);
	CHECK_EQ(model_master_group_open(world.master, 2, 0), -EACCES);
	CHECK_EQ(world.transactions, 0);
}

static void note_outcome(void *context, uint32_t cookie, enum model_outcome outcome)
{
	uint32_t *told = context;

	CHECK_EQ(cookie, 9);
	CHECK_EQ(outcome, MODEL_OUTCOME_SUCCESS);
	++*told;
}

TEST(a_page_that_came_between_try_and_wait_is_a_group_that_succeeds_at_once)
{
	uint32_t use, told = 0;
	const struct model_client client = { .context = &told, .answered = note_outcome };

	start();
	model_master_set_client(world.master, &client);
	CHECK_EQ(model_master_translate(world.master, 0, VA, R, &use), -EFAULT);
	serve(0);
	CHECK_EQ(model_master_group_open(world.master, 0, 9), 0);
	CHECK_EQ(model_master_group_open(world.master, 0, 9), -EAGAIN);
	CHECK_EQ(model_master_group_add(world.master, 0, VA, R, true), 1);
	CHECK_EQ(told, 1);
	CHECK(model_master_quiet(world.master));
}

/* ---- Stop, reset, removal ------------------------------------------------------------- */

TEST(a_stop_is_over_when_nothing_of_its_pasid_is_held)
{
	start();
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 4096);
	job(1, 1, MODEL_JOB_CRC32C, 0, 0, 4096);
	run();
	CHECK_EQ(world.held_count, 2);
	model_engine_write(world.engine, MODEL_ENGINE_STOP, 4, 0);
	CHECK_EQ(status(0), MODEL_JOB_STATUS_stopped);
	CHECK_EQ(status(1), MODEL_JOB_STATUS_running);
	CHECK_EQ(model_engine_read(world.engine, MODEL_ENGINE_STOP, 4), 1);
	/* A new job of it waits until then. */
	job(2, 0, MODEL_JOB_CRC32C, 0x4000, 0, 4096);
	run();
	CHECK_EQ(world.held_count, 2);
	CHECK_EQ(status(2), MODEL_JOB_STATUS_running);
	abort_one(world.held[0]->pasid == 0 ? 0 : 1);
	CHECK_EQ(model_engine_read(world.engine, MODEL_ENGINE_STOP, 4), 0);
	run_served();
	CHECK_EQ(status(1), MODEL_JOB_STATUS_done);
	CHECK_EQ(status(2), MODEL_JOB_STATUS_done);
}

TEST(a_reset_ends_all_work_but_not_what_is_held)
{
	uint32_t use;
	uint8_t bytes[16] = { 0 }, before[16];

	start();
	give_all(W);
	CHECK_EQ(model_master_translate(world.master, 0, VA, W, &use), 0);
	give_all(0);
	CHECK_EQ(model_master_access(world.master, use, 0, bytes, 16, true), -ESTALE);
	model_master_release(world.master, use);
	job(0, 1, MODEL_JOB_CRC32C, 0, 0, 4096);
	run();
	CHECK_EQ(world.held_count, 2);
	memcpy(before, world.memory[0][0], 16);
	model_master_reset(world.master);
	CHECK_EQ(status(0), MODEL_JOB_STATUS_idle);
	CHECK_EQ(world.completion.status, MODEL_JOB_STATUS_reset);
	CHECK_EQ(world.lost, 1);
	CHECK(!model_master_quiet(world.master));
	CHECK_EQ(state_now().orphans, 2);
	/* Let go, the old work moves nothing and nobody hears of it. */
	serve(0);
	CHECK(memcmp(world.memory[0][0], before, 16) == 0);
	abort_one(0);
	CHECK(model_master_quiet(world.master));
	CHECK_EQ(world.groups, 1);
}

/* New work does not wait for a transaction from before the reset. */
TEST(after_a_reset_the_same_page_is_held_anew)
{
	start();
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 4096);
	run();
	model_master_reset(world.master);
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 4096);
	run();
	CHECK_EQ(world.held_count, 2);
	abort_one(0);
	run();
	CHECK_EQ(status(0), MODEL_JOB_STATUS_running);
	serve(0);
	run();
	CHECK_EQ(status(0), MODEL_JOB_STATUS_done);
}

TEST(a_removed_master_sends_nothing_more)
{
	uint32_t was, use;

	start();
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 4096);
	run();
	was = world.transactions;
	model_master_remove(world.master);
	CHECK_EQ(world.completion.status, MODEL_JOB_STATUS_reset);
	CHECK(state_now().gone && !model_master_quiet(world.master));
	CHECK_EQ(model_master_translate(world.master, 0, VA, R, &use), -ENODEV);
	CHECK_EQ(model_master_stop(world.master, 0), -ENODEV);
	CHECK_EQ(model_engine_read(world.engine, MODEL_ENGINE_ID, 8), UINT64_MAX);
	model_master_interrupt(world.master);
	CHECK_EQ(world.interrupts, 0);
	run();
	CHECK_EQ(world.transactions, was);
	abort_one(0);
	CHECK(model_master_quiet(world.master));
}

TEST(options_out_of_range_are_refused)
{
	const struct model_master_options good = { .transactions = 1 };
	struct model_master_options bad[3] = { good, good, good };
	struct model_engine_options engine = { .job_max = 1, .window = 1, .group_pages = 1,
					       .retry_max = 1, .piece_bytes = 1 };
	struct model_master *none = NULL;
	struct model_engine *nothing = NULL;

	bad[0].transactions = 0;
	bad[1].transactions = MODEL_MASTER_TRANSACTION_MAX + 1;
	bad[2].pasid_width = 21;
	for (int n = 0; n < 3; n++)
		CHECK_EQ(model_master_create(&bad[n], &none), -EINVAL);
	CHECK(none == NULL);
	CHECK_EQ(model_engine_create(&engine, &nothing), -EINVAL);
	model_master_destroy(NULL);
}

int main(void)
{
	int failed = test_main();

	destroy();
	return failed;
}
