/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/serve_bench_registers.c - what software does with a bench: requests, commands. */
#include "cli/serve_bench_state.h"

#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "queue/vtd_hardware.h"

#define PAGE_BYTES  UINT64_C(4096)
#define INDEX_COUNT 512u
#define MILLISECOND_NS UINT64_C(1000000)

/* ---- Raw requests ----------------------------------------------------------------- */

/* Whatever software wrote becomes something that a link can carry. */
static struct iopf_request request_next(const struct bench *bench, uint64_t n, bool end)
{
	const uint64_t *written = bench->written;
	uint64_t flags = written[BENCH_FLAGS / 8];
	uint32_t pasid = (uint32_t)written[BENCH_PASID / 8];
	bool each = (flags & BENCH_EACH) != 0;
	struct iopf_request request = {
		.rid = (uint32_t)written[BENCH_RID / 8] & 0xffff,
		.pasid = pasid == UINT32_MAX ? IOPF_PASID_NONE : pasid & IOPF_PASID_MAX,
	};

	if ((flags & BENCH_STOP) != 0) {
		request.flags = IOPF_STOP;
		return request;
	}
	request.addr = (written[BENCH_ADDR / 8] + n * PAGE_BYTES) & ~(PAGE_BYTES - 1);
	request.index = (uint16_t)((written[BENCH_INDEX / 8] + (each ? n : 0)) % INDEX_COUNT);
	request.perm = (uint8_t)((flags & BENCH_READ ? IOPF_READ : 0) |
				 (flags & BENCH_WRITE ? IOPF_WRITE : 0));
	if (request.pasid != IOPF_PASID_NONE)
		request.perm |= (uint8_t)((flags & BENCH_EXEC ? IOPF_EXEC : 0) |
					  (flags & BENCH_PRIV ? IOPF_PRIV : 0));
	if (each || (end && (flags & BENCH_LAST) != 0))
		request.flags = IOPF_LAST;
	return request;
}

/* A PASID, last, and nothing wanted: on the wire that is a stop marker, and a marker
 * needs a PASID. */
static bool request_valid(const struct iopf_request *request)
{
	bool wants = (request->perm & (IOPF_READ | IOPF_WRITE)) != 0;

	if ((request->flags & IOPF_STOP) != 0)
		return request->pasid != IOPF_PASID_NONE;
	return wants || request->pasid == IOPF_PASID_NONE ||
	       (request->flags & IOPF_LAST) == 0;
}

/* Returns: 1: it left; 0: the queue had no room for it; or a negative errno. */
static int request_send(const struct bench *bench, struct iopf_request *request)
{
	int posted;

	if (!request_valid(request))
		return -EINVAL;
	if (bench->written[BENCH_TARGET / 8] == BENCH_TARGET_LINK) {
		model_function_send_raw(bench->function, request->pasid,
					request->perm & (IOPF_EXEC | IOPF_PRIV),
					iopf_pcie_encode_request(request));
		return 1;
	}
	if (bench->queue == NULL)
		return -ENODEV;
	if (request->rid == 0)
		request->rid = model_function_rid(bench->function);
	posted = iopf_hardware_post(bench->queue->hardware, request);
	return posted < 0 ? posted : posted == IOPF_POSTED;
}

static int64_t requests_send(struct bench *bench, uint64_t count)
{
	int64_t sent = 0;

	if (count == 0 || count > BENCH_SEND_MAX ||
	    bench->written[BENCH_TARGET / 8] > BENCH_TARGET_QUEUE)
		return -EINVAL;
	for (uint64_t n = 0; n < count; n++) {
		struct iopf_request request = request_next(bench, n, n + 1 == count);
		int result = request_send(bench, &request);

		if (result < 0)
			return result;
		sent += result;
	}
	return sent;
}

/* ---- Commands --------------------------------------------------------------------- */

static void command_hold(struct bench *bench)
{
	bench->queue->holding = true;
}

static void command_let_go(struct bench *bench)
{
	bench_queue_let_go(bench->queue);
}

static void command_overflow(struct bench *bench)
{
	vtd_request_overflow(bench->queue->hardware);
}

static void command_flr(struct bench *bench)
{
	model_function_reset(bench->function);
}

static void command_mute(struct bench *bench)
{
	model_function_answer_invalidations(bench->function, false);
}

static void command_speak(struct bench *bench)
{
	model_function_answer_invalidations(bench->function, true);
}

static int64_t command(struct bench *bench, uint64_t number)
{
	static void (*const commands[])(struct bench *bench) = {
		[BENCH_COMMAND_HOLD] = command_hold,
		[BENCH_COMMAND_LET_GO] = command_let_go,
		[BENCH_COMMAND_OVERFLOW] = command_overflow,
		[BENCH_COMMAND_FLR] = command_flr,
		[BENCH_COMMAND_MUTE] = command_mute,
		[BENCH_COMMAND_SPEAK] = command_speak,
	};

	if (number >= CLI_COUNT(commands) || commands[number] == NULL)
		return -EINVAL;
	if (bench->queue == NULL)
		return -ENODEV;
	commands[number](bench);
	return 0;
}

/* ---- Registers -------------------------------------------------------------------- */

static uint64_t queue_register(const struct bench *bench, uint32_t offset, uint32_t width)
{
	return bench->queue != NULL ? registers_get(&bench->queue->hardware->file, offset,
						    width) : 0;
}

static uint64_t read_magic(const struct bench *bench)
{
	(void)bench;
	return BENCH_MAGIC_VALUE;
}

static uint64_t read_credits(const struct bench *bench)
{
	struct model_function_state state;

	model_function_state(bench->function, &state);
	return state.credits_in_use | (uint64_t)state.allocation << 32;
}

static uint64_t read_status(const struct bench *bench)
{
	struct model_function_state state;
	uint64_t status = 0;

	model_function_state(bench->function, &state);
	status |= state.enabled ? BENCH_STATUS_ENABLED : 0;
	status |= state.stopped ? BENCH_STATUS_STOPPED : 0;
	status |= state.rf ? BENCH_STATUS_RF : 0;
	status |= state.uprgi ? BENCH_STATUS_UPRGI : 0;
	status |= state.gone ? BENCH_STATUS_GONE : 0;
	status |= bench->queue != NULL && bench->queue->holding ? BENCH_STATUS_HOLDING : 0;
	status |= queue_register(bench, VTD_PRS, 4) & VTD_PRS_PRO ?
			  BENCH_STATUS_OVERFLOW : 0;
	status |= bench->engine != NULL && model_engine_busy(bench->engine) ?
			  BENCH_STATUS_BUSY : 0;
	return status;
}

static uint64_t read_result(const struct bench *bench)
{
	return (uint64_t)bench->result;
}

static uint64_t read_shown(const struct bench *bench)
{
	const struct bench_options *options = &bench->options;

	return options->shown != NULL ? options->shown(options->context) : 0;
}

static uint64_t read_broken(const struct bench *bench)
{
	const struct bench_options *options = &bench->options;

	return options->broken != NULL ? options->broken(options->context) : 0;
}

static uint64_t read_posted(const struct bench *bench)
{
	return bench->queue != NULL ?
		       iopf_hardware_stats(bench->queue->hardware)->posted : 0;
}

static uint64_t read_overflows(const struct bench *bench)
{
	return bench->queue != NULL ?
		       iopf_hardware_stats(bench->queue->hardware)->overflows : 0;
}

static uint64_t read_head(const struct bench *bench)
{
	return queue_register(bench, VTD_PQH, 8);
}

static uint64_t read_tail(const struct bench *bench)
{
	return queue_register(bench, VTD_PQT, 8);
}

static uint64_t read_silence(const struct bench *bench)
{
	uint64_t now_ns = bench->options.now_ns();

	return now_ns < bench->silent_until_ns ?
		       (bench->silent_until_ns - now_ns + MILLISECOND_NS - 1) / MILLISECOND_NS :
		       0;
}

/* An hour is enough for anybody. */
static void write_silence(struct bench *bench, uint64_t value)
{
	bench->silent_until_ns = bench->options.now_ns() +
				 CLI_MIN(value, UINT64_C(3600000)) * MILLISECOND_NS;
}

static void write_send(struct bench *bench, uint64_t value)
{
	bench->result = requests_send(bench, value);
}

static void write_command(struct bench *bench, uint64_t value)
{
	bench->result = command(bench, value);
}

#define OWN(member)   .at = (uint16_t)offsetof(struct bench, member), .of = OF_BENCH
#define QUEUE(member) .at = (uint16_t)offsetof(struct bench_queue, member), .of = OF_QUEUE

/* What reads as software wrote it, as a number that is counted, or as a function says. */
static const struct bench_row {
	uint16_t offset, at;
	enum { OF_NOBODY, OF_BENCH, OF_QUEUE } of;
	bool kept;
	uint64_t (*read)(const struct bench *bench);
	void (*write)(struct bench *bench, uint64_t value);
} rows[] = {
	{ BENCH_MAGIC, .read = read_magic },
	{ BENCH_TARGET, .kept = true },
	{ BENCH_RID, .kept = true },
	{ BENCH_PASID, .kept = true },
	{ BENCH_INDEX, .kept = true },
	{ BENCH_ADDR, .kept = true },
	{ BENCH_FLAGS, .kept = true },
	{ BENCH_SEND, .write = write_send },
	{ BENCH_RESULT, .read = read_result },
	{ BENCH_COMMAND, .write = write_command },
	{ BENCH_CREDITS, .read = read_credits },
	{ BENCH_STATUS, .read = read_status },
	{ BENCH_RESPONSES, OWN(counts.responses) },
	{ BENCH_INVALIDATIONS, OWN(counts.invalidations) },
	{ BENCH_DRAINS, QUEUE(drains) },
	{ BENCH_RESETS, OWN(counts.resets) },
	{ BENCH_GUEST_RESPONSES, QUEUE(responses) },
	{ BENCH_REQUESTS, OWN(counts.requests) },
	{ BENCH_STOP_MARKERS, OWN(counts.markers) },
	{ BENCH_UNEXPECTED, OWN(counts.unexpected) },
	{ BENCH_SHOWN, .read = read_shown },
	{ BENCH_BROKEN, .read = read_broken },
	{ BENCH_INTERRUPTS, QUEUE(interrupts) },
	{ BENCH_HELD, QUEUE(held) },
	{ BENCH_COMMANDS, QUEUE(commands) },
	{ BENCH_OVERFLOWS, .read = read_overflows },
	{ BENCH_POSTED, .read = read_posted },
	{ BENCH_QUEUE_HEAD, .read = read_head },
	{ BENCH_QUEUE_TAIL, .read = read_tail },
	{ BENCH_SILENCE, .read = read_silence, .write = write_silence },
	{ BENCH_LOG_AT, .kept = true },
	{ BENCH_LOG_COUNT, OWN(logged) },
	{ BENCH_LOG_KINDS, .kept = true },
};

static const struct bench_row *row_at(uint32_t offset)
{
	for (size_t i = 0; i < CLI_COUNT(rows); i++)
		if (rows[i].offset == offset)
			return &rows[i];
	return NULL;
}

static uint64_t counter_read(const struct bench *bench, const struct bench_row *row)
{
	const void *from = row->of == OF_QUEUE ? (const void *)bench->queue :
						 (const void *)bench;
	uint64_t value = 0;

	if (row->of != OF_NOBODY && from != NULL)
		memcpy(&value, (const char *)from + row->at, sizeof(value));
	return value;
}

/* The whole register that lies at @offset, a multiple of 8. */
static uint64_t register_read(const struct bench *bench, uint32_t offset)
{
	const struct bench_row *row = row_at(offset);

	if (offset >= BENCH_WINDOW && offset < BENCH_END)
		return bench_log_read(bench, offset - BENCH_WINDOW);
	if (row == NULL)
		return 0;
	if (row->kept)
		return bench->written[offset / 8];
	return row->read != NULL ? row->read(bench) : counter_read(bench, row);
}

static bool access_fits(uint32_t offset, uint32_t width_bytes)
{
	return (width_bytes == 4 || width_bytes == 8) && offset % width_bytes == 0 &&
	       offset < BENCH_END;
}

uint64_t bench_read(const struct bench *bench, uint32_t offset, uint32_t width_bytes)
{
	uint64_t value;

	if (!access_fits(offset, width_bytes) || bench->function == NULL)
		return UINT64_MAX;
	value = register_read(bench, offset & ~7u);
	return width_bytes == 8 ? value : value >> 8 * (offset & 4) & UINT32_MAX;
}

void bench_write(struct bench *bench, uint32_t offset, uint32_t width_bytes,
		 uint64_t value)
{
	const struct bench_row *row = row_at(offset & ~7u);
	uint64_t lanes = width_bytes == 8 ? UINT64_MAX :
					    (uint64_t)UINT32_MAX << 8 * (offset & 4);
	uint64_t *written;

	if (!access_fits(offset, width_bytes) || bench->function == NULL || row == NULL)
		return;
	value = value << 8 * (offset & 4) & lanes;
	if (row->write != NULL && (offset & 4) == 0)
		row->write(bench, value);
	if (!row->kept)
		return;
	written = &bench->written[row->offset / 8];
	*written = (*written & ~lanes) | value;
}
