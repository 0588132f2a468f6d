/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/serve_stream.c - machine C: this library's host side, and the program is its guest,
 * of another architecture: a virtual SMMUv3, and a platform master whose transactions
 * stall where pages are missing.
 *
 * Nothing waits for an answer here: registers are the last MiB of the machine's memory,
 * which the program's kernel keeps its hands off (cli/shared.h).
 *
 *   +0x00000  128 KiB  registers of the SMMUv3
 *   +0x20000   64 KiB  of the device: its engine, and from +0x8000 what there is of a bench
 */
#include <assert.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/serve_house.h"
#include "cli/shared.h"
#include "queue/smmuv3.h"
#include "tests/linux/bench.h"

enum {
	STREAM = 1, /* physical and as the guest sees it */
	SPACES = 64,
	PAGES_BYTES = 0x100000,
	DEVICE_AT = 0x20000,
	SLOTS = 4, /* of the engine */
};

/* How long after something happened every moment is looked at. */
static const uint64_t awake_ns = 2000000;

struct serve_stream {
	struct serve_house house;
	struct shared iommu, device;
	uint64_t busy_ns; /* when something happened last */
};

static struct serve_stream *state(const struct serve *serve)
{
	return serve->state;
}

static struct serve *serve_of(const struct serve_stream *machine)
{
	return machine->house.run.context;
}

/* ---- The SMMU's registers ---------------------------------------------------------- */

static const struct shared_register iommu_registers[] = {
	{ SMMUV3_IDR0, 4 },
	{ SMMUV3_IDR1, 4 },
	{ SMMUV3_IDR2, 4 },
	{ SMMUV3_IDR3, 4 },
	{ SMMUV3_IDR4, 4 },
	{ SMMUV3_IDR5, 4 },
	{ SMMUV3_IIDR, 4 },
	{ SMMUV3_AIDR, 4 },
	{ SMMUV3_CR1, 4 },
	{ SMMUV3_CR2, 4 },
	{ SMMUV3_GBPA, 4 },
	{ SMMUV3_GERRORN, 4 },
	{ SMMUV3_GERROR_IRQ_CFG0, 8 },
	{ SMMUV3_GERROR_IRQ_CFG1, 4 },
	{ SMMUV3_GERROR_IRQ_CFG2, 4 },
	{ SMMUV3_STRTAB_BASE, 8 },
	{ SMMUV3_STRTAB_BASE_CFG, 4 },
	{ SMMUV3_CMDQ_BASE, 8 },
	{ SMMUV3_CMDQ_CONS, 4 },
	{ SMMUV3_EVENTQ_BASE, 8 },
	{ SMMUV3_EVENTQ_IRQ_CFG0, 8 },
	{ SMMUV3_EVENTQ_IRQ_CFG1, 4 },
	{ SMMUV3_EVENTQ_IRQ_CFG2, 4 },
	{ SMMUV3_PRIQ_BASE, 8 },
	{ SMMUV3_PRIQ_IRQ_CFG0, 8 },
	{ SMMUV3_PRIQ_IRQ_CFG1, 4 },
	{ SMMUV3_PRIQ_IRQ_CFG2, 4 },
	{ SMMUV3_EVENTQ_PROD, 4 },
	{ SMMUV3_EVENTQ_CONS, 4 },
	{ SMMUV3_PRIQ_PROD, 4 },
	{ SMMUV3_PRIQ_CONS, 4 },
	{ SMMUV3_CMDQ_PROD, 4 },
	{ SMMUV3_GERROR, 4 }, /* which command it was stands in CMDQ_CONS */
	{ SMMUV3_IRQ_CTRL, 4 },
	{ SMMUV3_CR0, 4 },
	{ SMMUV3_IRQ_CTRLACK, 4 },
	{ SMMUV3_CR0ACK, 4 },
};

static uint64_t iommu_read(void *context, uint32_t offset, uint32_t width_bytes)
{
	const struct run_guest *guest = &((struct serve_stream *)context)->house.guest;

	return iopf_host_guest_read(guest->machine->host, guest->id, offset, width_bytes);
}

static void iommu_write(void *context, uint32_t offset, uint32_t width_bytes,
			uint64_t value)
{
	const struct run_guest *guest = &((struct serve_stream *)context)->house.guest;

	iopf_host_guest_write(guest->machine->host, guest->id, offset, width_bytes, value);
}

/* Without an address it would be a wire (3.18), and none is laid. */
static void message(const struct serve_stream *machine, uint64_t addr, uint32_t data)
{
	if (addr != 0)
		serve_interrupt(serve_of(machine), addr, data);
}

/* Without its overflow flag: where records end, or software stands. */
static uint64_t place(uint64_t index)
{
	return index & ~(uint64_t)SMMUV3_QUEUE_OVERFLOW;
}

/*
 * Software may have found the event queue empty before it could see the records that
 * came, and told so after they did: no interrupt was due to who had read PROD then. So
 * where it stands at the end that it saw, it is told again.
 */
static void iommu_show(struct serve_stream *machine)
{
	struct shared *iommu = &machine->iommu;
	uint64_t end = place(shared_seen(iommu, SMMUV3_EVENTQ_PROD));

	shared_show(iommu);
	if (place(shared_seen(iommu, SMMUV3_EVENTQ_PROD)) != end &&
	    place(shared_now(iommu, SMMUV3_EVENTQ_CONS)) == end &&
	    (iommu_read(machine, SMMUV3_IRQ_CTRLACK, 4) & SMMUV3_EVENTQ_IRQEN) != 0)
		message(machine, iommu_read(machine, SMMUV3_EVENTQ_IRQ_CFG0, 8),
			(uint32_t)iommu_read(machine, SMMUV3_EVENTQ_IRQ_CFG1, 4));
}

/* ---- The device's registers -------------------------------------------------------- */

#define JOB(slot, name) { MODEL_ENGINE_JOBS + (slot) * MODEL_JOB_STRIDE + MODEL_JOB_##name, 8 }
/* What sets a job off comes last: shown as 0, it was seen, and its status is the job's.
 * And a status that says that it is over comes behind what came of it. */
#define JOB_REGISTERS(slot) \
	JOB(slot, SOURCE), JOB(slot, DESTINATION), JOB(slot, LENGTH), JOB(slot, PATTERN), \
		JOB(slot, PASID), JOB(slot, DONE), JOB(slot, RESULT), JOB(slot, FAULT), \
		JOB(slot, STATUS), JOB(slot, CONTROL)
#define BENCH(name) { BENCH_AT + BENCH_##name, 8 }

static const struct shared_register device_registers[] = {
	{ MODEL_ENGINE_ID, 8 },
	{ MODEL_ENGINE_LIMITS, 8 },
	{ MODEL_ENGINE_STOP, 8 },
	BENCH(MAGIC),
	BENCH(CREDITS),
	BENCH(RESPONSES),
	BENCH(REQUESTS),
	BENCH(UNEXPECTED),
	BENCH(SHOWN),
	BENCH(BROKEN),
	BENCH(VERDICT),
	JOB_REGISTERS(0),
	JOB_REGISTERS(1),
	JOB_REGISTERS(2),
	JOB_REGISTERS(3),
};

static uint64_t bench_word(const struct serve_stream *machine, enum bench_register at)
{
	const struct run_guest *guest = &machine->house.guest;
	const struct device_state device = device_state(guest);
	struct iopf_guest_stats stats;

	iopf_guest_stats(iopf_host_guest(guest->machine->host, guest->id), &stats);
	switch ((uint32_t)at) {
	case BENCH_MAGIC:
		return BENCH_MAGIC_VALUE;
	case BENCH_CREDITS:
		return (uint64_t)device.allocation << 32 | device.in_use;
	case BENCH_RESPONSES:
		return guest->responses[IOPF_SUCCESS] + guest->responses[IOPF_INVALID] +
		       guest->responses[IOPF_FAILURE];
	case BENCH_REQUESTS:
		return device.requests;
	case BENCH_UNEXPECTED:
		return guest->bad_resumes;
	case BENCH_SHOWN:
		return stats.shown;
	case BENCH_BROKEN:
		return sim_check_violations(guest->machine->check);
	case BENCH_VERDICT:
		return serve_of(machine)->said;
	default:
		return 0;
	}
}

static uint64_t device_read(void *context, uint32_t offset, uint32_t width_bytes)
{
	const struct serve_stream *machine = context;

	if (offset >= BENCH_AT)
		return bench_word(machine, (enum bench_register)(offset - BENCH_AT));
	if (offset >= MODEL_ENGINE_JOBS &&
	    (offset - MODEL_ENGINE_JOBS) % MODEL_JOB_STRIDE == MODEL_JOB_CONTROL)
		return 0;
	return model_engine_read(machine->house.guest.engine, offset, width_bytes);
}

static void device_write(void *context, uint32_t offset, uint32_t width_bytes,
			 uint64_t value)
{
	struct serve_stream *machine = context;

	if (offset == BENCH_AT + BENCH_VERDICT)
		serve_of(machine)->said = value;
	else if (offset < BENCH_AT)
		model_engine_write(machine->house.guest.engine, offset, width_bytes, value);
}

/* ---- Create and destroy ------------------------------------------------------------ */

static void on_interrupt(struct run_guest *guest, uint64_t addr, uint32_t data)
{
	message(state(guest->run->context), addr, data);
}

static void on_device_interrupt(struct run_guest *guest)
{
	(void)guest; /* its line leads nowhere: programs look at their jobs */
}

static void adapt(struct run_guest *guest, struct model_function_options *function,
		  struct model_engine_options *engine)
{
	(void)guest;
	(void)function;
	engine->job_max = SLOTS;
	/* A stall counts until it is known that its answer has left, and by then the next
	 * may be there: all jobs together have twice as many within the device's share. */
	engine->window = RUN_STALL_SHARE / SLOTS / 2;
}

static const struct run_hooks hooks = { .interrupt = on_interrupt,
					.device_interrupt = on_device_interrupt,
					.adapt = adapt };

static const struct serve_house_options house_options = {
	.combination = { .host = "smmuv3", .guest = "smmuv3", .mechanism = IOPF_STALLS,
			 .shown = IOPF_STALLS, .pasids = true },
	.hooks = &hooks,
	.endpoint_name = "stream-1",
	.rid = STREAM,
	.space_max = SPACES,
	.levels = 4,
};

static void shared_prepare(struct serve *serve, struct serve_stream *machine)
{
	uint8_t *pages = (uint8_t *)serve->segment.memory + serve->segment.size_bytes -
			 PAGES_BYTES;

	machine->iommu = (struct shared){ .bytes = pages,
					  .registers = iommu_registers,
					  .count = CLI_COUNT(iommu_registers),
					  .read = iommu_read,
					  .write = iommu_write,
					  .context = machine };
	machine->device = (struct shared){ .bytes = pages + DEVICE_AT,
					   .registers = device_registers,
					   .count = CLI_COUNT(device_registers),
					   .read = device_read,
					   .write = device_write,
					   .context = machine };
	shared_show(&machine->iommu);
	shared_show(&machine->device);
}

static int stream_create(struct serve *serve)
{
	struct serve_stream *machine = calloc(1, sizeof(*machine));
	int code;

	static_assert(CLI_COUNT(iommu_registers) <= SHARED_MAX &&
			      CLI_COUNT(device_registers) <= SHARED_MAX,
		      "registers");
	if (machine == NULL)
		return CLI_MISSING;
	serve->state = machine;
	serve_house_prepare(serve, &house_options);
	code = record_open(&machine->house.run);
	if (code == CLI_OK)
		code = machines_create(&machine->house.run);
	if (code != CLI_OK)
		return code;
	shared_prepare(serve, machine);
	machine->house.run.begun_ns = cli_now_ns();
	record_world(&machine->house.run);
	return CLI_OK;
}

static void stream_destroy(struct serve *serve)
{
	struct serve_stream *machine = state(serve);

	if (machine == NULL)
		return;
	record_close(&machine->house.run);
	machines_destroy(&machine->house.run);
	free(machine);
	serve->state = NULL;
}

/* ---- Turns ------------------------------------------------------------------------- */

static uint32_t stream_turn(struct serve *serve, uint64_t now_ns)
{
	struct serve_stream *machine = state(serve);
	bool there = !machine->house.guest.let_go; /* who reads and writes registers */
	uint32_t done = 0;

	if (there)
		done = shared_take(&machine->iommu) + shared_take(&machine->device);
	done += serve_house_turn(serve, now_ns);
	if (there) {
		iommu_show(machine);
		shared_show(&machine->device);
	}
	if (done > 0)
		machine->busy_ns = now_ns;
	return done;
}

/* What it said last may have been said since the last look. */
static void stream_gone(struct serve *serve)
{
	serve->said = shared_now(&state(serve)->device, BENCH_AT + BENCH_VERDICT);
	serve_house_gone(serve);
}

/* The program does not ring: what it wrote has to be looked for. */
static uint64_t stream_next_ns(const struct serve *serve)
{
	const struct serve_stream *machine = state(serve);
	bool awake = serve->now_ns - machine->busy_ns < awake_ns;

	return serve->now_ns + (awake ? 0 : awake_ns / 2);
}

const struct serve_machine_ops serve_stream = {
	.name = "stream",
	.memory_base = UINT64_C(0x40000000), /* as QEMU's machine "virt" has it */
	.create = stream_create,
	.destroy = stream_destroy,
	.turn = stream_turn,
	.next_ns = stream_next_ns,
	.gone = stream_gone,
	.over = serve_house_over,
	.judge = serve_house_judge,
	.report = serve_house_report,
	.report_json = serve_house_report_json,
};
