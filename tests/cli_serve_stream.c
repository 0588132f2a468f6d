/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli_serve_stream.c ROLE MEMORY PROXY QTEST - what `iopf serve --smmuv3` takes for a QEMU:
 * a machine whose registers are the last MiB of its memory, with the library's own agent as
 * the guest's SMMU driver. Some roles do something else with them.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/serve.h"
#include "cli_serve_program.h"
#include "iopf/guest.h"
#include "linux/bench.h"
#include "queue/smmuv3.h"

enum {
	STREAM = 1,
	SUBSTREAM = 5,
	PAGE = 4096,
	PAGES = 16,
	REGISTERS_BYTES = 0x100000, /* the last of the memory */
	DEVICE = 0x20000,           /* in them */
	EVENT = 0x70,
};

#define BASE        UINT64_C(0x40000000)
#define FRAME       UINT64_C(0x08020040)
#define REGION      (BASE + 0x100000) /* of the agent */
#define REGION_SIZE UINT64_C(0x400000)
#define SOURCE      UINT64_C(0x600000)
#define DESTINATION UINT64_C(0x700000)
#define IOVA        UINT64_C(0x4000000000)
#define IOVA_TO     UINT64_C(0x5000000000)

static struct {
	int qtest;
	uint8_t *memory, *registers;
	struct iopf_segment segment;
	struct iopf_agent *agent;
	uint32_t interrupts;
	uint32_t held; /* stalls that wait, as long as */
	bool hold;     /* they are to wait */
} machine;

/* ---- Registers --------------------------------------------------------------------- */

static uint64_t get(uint32_t at, uint32_t width)
{
	const void *from = machine.registers + at;

	return width == 8 ? __atomic_load_n((const uint64_t *)from, __ATOMIC_SEQ_CST) :
			    __atomic_load_n((const uint32_t *)from, __ATOMIC_SEQ_CST);
}

static void put(uint32_t at, uint32_t width, uint64_t value)
{
	void *to = machine.registers + at;

	if (width == 8)
		__atomic_store_n((uint64_t *)to, value, __ATOMIC_SEQ_CST);
	else
		__atomic_store_n((uint32_t *)to, (uint32_t)value, __ATOMIC_SEQ_CST);
}

static int register_read(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	(void)context;
	*value = get(offset, width);
	return 0;
}

static int register_write(void *context, uint32_t offset, uint32_t width, uint64_t value)
{
	(void)context;
	put(offset, width, value);
	return 0;
}

static const struct iopf_register_ops registers = { register_read, register_write };

static uint64_t bench(enum bench_register at)
{
	return get(DEVICE + BENCH_AT + (uint32_t)at, 8);
}

static void verdict(enum serve_verdict value)
{
	put(DEVICE + BENCH_AT + BENCH_VERDICT, 8, value);
}

static uint32_t job_at(uint32_t slot, enum model_job_register at)
{
	return DEVICE + MODEL_ENGINE_JOBS + slot * MODEL_JOB_STRIDE + (uint32_t)at;
}

static uint64_t job_get(uint32_t slot, enum model_job_register at)
{
	return get(job_at(slot, at), 8);
}

/* ---- Waiting, ten seconds at most -------------------------------------------------- */

static void on_interrupt(uint64_t addr, uint32_t data)
{
	EXPECT(addr == FRAME && data == EVENT, addr);
	machine.interrupts++;
}

#define UNTIL(condition)                               \
	do {                                           \
		time_t end_ = time(NULL) + 10;         \
		while (!(condition)) {                 \
			turn();                        \
			EXPECT(time(NULL) < end_, 0);  \
		}                                      \
	} while (0)

/* Interrupts alone make it look: who is not told of a stall does not come to its end. */
static void turn(void)
{
	uint32_t before = machine.interrupts;
	struct pollfd ring = { .fd = machine.qtest, .events = POLLIN };

	(void)poll(&ring, 1, 1);
	interrupts_take(machine.qtest, on_interrupt);
	if (machine.agent == NULL)
		return;
	while (machine.interrupts != before && iopf_agent_poll(machine.agent, 64) == 64)
		;
	iopf_agent_kick(machine.agent);
}

/* ---- The guest's driver ------------------------------------------------------------ */

static int on_fault(void *context, const struct iopf_request *request, uint64_t *gpa,
		    uint8_t *perm)
{
	uint64_t addr = request->addr & ~(uint64_t)(PAGE - 1);
	uint64_t from = addr - IOVA, to = addr - IOVA_TO;

	(void)context;
	if (machine.hold) {
		machine.held++;
		return -EAGAIN;
	}
	if (from >= PAGES * PAGE && to >= PAGES * PAGE)
		return -EFAULT;
	*gpa = BASE + (from < PAGES * PAGE ? SOURCE + from : DESTINATION + to);
	*perm = from < PAGES * PAGE ? IOPF_READ : IOPF_READ | IOPF_WRITE;
	return 0;
}

static void agent_create(void)
{
	static const uint32_t streams[] = { STREAM };
	static const uint8_t mechanisms[] = { IOPF_STALLS };
	static const struct iopf_agent_ops ops = { .fault = on_fault };
	const struct iopf_agent_options options = {
		.size_bytes = sizeof(options),
		.rid_count = 1,
		.rids = streams,
		.memory = { &machine.segment, 1 },
		.base = REGION,
		.region_bytes = REGION_SIZE,
		.levels = 4,
		.pasid_max = 4,
		.pasid_bits = 6,
		.command_order = 1,
		.request_order = 1,
		.interrupt_addr = FRAME,
		.interrupt_data = EVENT,
		.registers = &registers,
		.ops = &ops,
		.family = "smmuv3",
		.mechanisms = mechanisms,
	};
	size_t bytes = (iopf_agent_size_bytes(&options) + 63) & ~(size_t)63;
	int error = iopf_agent_create(&options, aligned_alloc(64, bytes), bytes,
				      &machine.agent);

	EXPECT(error == 0, (uint64_t)-error);
	UNTIL((error = iopf_agent_start(machine.agent)) != -EAGAIN);
	EXPECT(error == 0, (uint64_t)-error);
}

static void boot(void)
{
	uint64_t ticket;
	int error;

	EXPECT(get(DEVICE, 8) == MODEL_ENGINE_MAGIC, get(DEVICE, 8));
	EXPECT(bench(BENCH_MAGIC) == BENCH_MAGIC_VALUE, bench(BENCH_MAGIC));
	agent_create();
	error = iopf_agent_attach(machine.agent, STREAM, SUBSTREAM, &ticket);
	EXPECT(error == 0, (uint64_t)-error);
	UNTIL(iopf_agent_waited(machine.agent, ticket));
}

static bool job_taken(uint32_t slot)
{
	return job_get(slot, MODEL_JOB_CONTROL) == 0;
}

static bool job_over(uint32_t slot)
{
	return job_get(slot, MODEL_JOB_STATUS) > MODEL_JOB_STATUS_running;
}

static void job_start(uint32_t slot, uint64_t source, uint64_t destination, uint64_t bytes)
{
	time_t end = time(NULL) + 10;

	put(job_at(slot, MODEL_JOB_SOURCE), 8, source);
	put(job_at(slot, MODEL_JOB_DESTINATION), 8, destination);
	put(job_at(slot, MODEL_JOB_LENGTH), 8, bytes);
	put(job_at(slot, MODEL_JOB_PASID), 8, SUBSTREAM);
	put(job_at(slot, MODEL_JOB_CONTROL), 8, MODEL_JOB_COPY);
	while (!job_taken(slot))
		EXPECT(time(NULL) < end, slot);
}

static void pattern(void)
{
	for (uint32_t i = 0; i < PAGES * PAGE; i++)
		machine.memory[SOURCE + i] = (uint8_t)(i * 7 + i / PAGE);
}

static void copy(void)
{
	job_start(0, IOVA, IOVA_TO, PAGES * PAGE);
	UNTIL(job_over(0));
	EXPECT(job_get(0, MODEL_JOB_STATUS) == MODEL_JOB_STATUS_done,
	       job_get(0, MODEL_JOB_STATUS));
	EXPECT(memcmp(machine.memory + SOURCE, machine.memory + DESTINATION,
		      PAGES * PAGE) == 0, 0);
}

static void take_away(uint64_t addr)
{
	uint64_t ticket;

	EXPECT(iopf_agent_unmap(machine.agent, STREAM, SUBSTREAM, addr, PAGES * PAGE,
				&ticket) == 0, addr);
	UNTIL(iopf_agent_waited(machine.agent, ticket));
}

static void settled(void)
{
	UNTIL((uint32_t)bench(BENCH_CREDITS) == 0);
	UNTIL(bench(BENCH_RESPONSES) == bench(BENCH_REQUESTS));
	EXPECT(bench(BENCH_UNEXPECTED) == 0, bench(BENCH_UNEXPECTED));
	EXPECT(bench(BENCH_BROKEN) == 0, bench(BENCH_BROKEN));
}

static bool detached(void)
{
	iopf_agent_poll(machine.agent, 64);
	return iopf_agent_attached(machine.agent, STREAM, SUBSTREAM) == -ENOENT;
}

/* ---- Roles ------------------------------------------------------------------------- */

static int role_yes(void)
{
	boot();
	pattern();
	copy();
	EXPECT(bench(BENCH_REQUESTS) >= 2 * PAGES, bench(BENCH_REQUESTS));
	take_away(IOVA_TO);
	memset(machine.memory + DESTINATION, 0, PAGES * PAGE);
	copy();
	EXPECT(bench(BENCH_REQUESTS) >= 3 * PAGES, bench(BENCH_REQUESTS));
	settled();
	EXPECT(iopf_agent_detach(machine.agent, STREAM, SUBSTREAM) == 0, 0);
	UNTIL(detached());
	verdict(SERVE_YES);
	return 0;
}

/* Who looks without a pause finds, with the status that says that it is over, all that came
 * of it; and a status of the job before never. */
static int role_looks(void)
{
	boot();
	pattern();
	copy();
	for (uint32_t i = 0; i < 500; i++) {
		uint64_t bytes = (1 + i % PAGES) * PAGE;
		time_t end = time(NULL) + 10;

		job_start(0, IOVA, IOVA_TO, bytes);
		while (!job_over(0))
			EXPECT(time(NULL) < end, i);
		EXPECT(job_get(0, MODEL_JOB_DONE) == bytes, job_get(0, MODEL_JOB_DONE));
	}
	settled();
	verdict(SERVE_YES);
	return 0;
}

/* Four jobs at once: their stalls are within what the device was granted. */
static int role_many(void)
{
	boot();
	pattern();
	for (uint32_t i = 0; i < 10; i++) {
		for (uint32_t slot = 0; slot < 4; slot++)
			job_start(slot, IOVA + slot * 4 * PAGE, IOVA_TO + slot * 4 * PAGE,
				  4 * PAGE);
		for (uint32_t slot = 0; slot < 4; slot++) {
			UNTIL(job_over(slot));
			EXPECT(job_get(slot, MODEL_JOB_STATUS) == MODEL_JOB_STATUS_done,
			       job_get(slot, MODEL_JOB_STATUS));
		}
		EXPECT(memcmp(machine.memory + SOURCE, machine.memory + DESTINATION,
			      PAGES * PAGE) == 0, i);
		memset(machine.memory + DESTINATION, 0, PAGES * PAGE);
		take_away(IOVA_TO);
		take_away(IOVA);
	}
	settled();
	verdict(SERVE_YES);
	return 0;
}

static void stalls_held(void)
{
	boot();
	machine.hold = true;
	job_start(0, IOVA, IOVA_TO, PAGES * PAGE);
	UNTIL(machine.held > 0 && bench(BENCH_SHOWN) >= machine.held);
}

static int role_die(void)
{
	stalls_held();
	kill(getpid(), SIGKILL);
	return 1;
}

static _Noreturn void wait_for_the_end(void)
{
	for (;;)
		pause();
}

static int role_wait(void)
{
	stalls_held();
	puts("waits");
	fflush(stdout);
	wait_for_the_end();
}

static int role_no(void)
{
	verdict(SERVE_NO);
	return 0;
}

static int role_silent(void)
{
	return 0;
}

/* What it has said before is not worth much. */
static int role_crash(void)
{
	verdict(SERVE_YES);
	abort();
}

/* The code says no, whatever its device was told. */
static int role_both(void)
{
	verdict(SERVE_YES);
	return 2 * SERVE_NO + 1;
}

/* Its registers are its memory: it may write anything into them, at any time. */
static int role_scribble(void)
{
	time_t end = time(NULL) + 2;
	uint64_t chance = 1, value;

	boot();
	machine.hold = true;
	job_start(0, IOVA, IOVA_TO, PAGES * PAGE);
	while (time(NULL) < end) {
		uint32_t at;

		chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407;
		at = chance >> 62 ? (uint32_t)(chance >> 40) & 0xf8 :
				    DEVICE + ((uint32_t)(chance >> 40) & 0x3f8);
		at += (chance >> 61 & 7) == 7 ? 0x10000 : 0;
		value = chance * UINT64_C(0x9e3779b97f4a7c15);
		put(at + (chance >> 59 & 4), 4, chance >> 58 & 1 ? value : value & 0xff);
		while (recv(machine.qtest, &value, sizeof(value), MSG_DONTWAIT) > 0)
			;
	}
	return 2 * SERVE_YES + 1;
}

/* No interrupt where none is wanted: switched off, or without an address. */
static int role_quiet(void)
{
	uint32_t before;

	boot();
	put(SMMUV3_IRQ_CTRL, 4, 0);
	UNTIL(get(SMMUV3_IRQ_CTRLACK, 4) == 0);
	interrupts_take(machine.qtest, on_interrupt);
	before = machine.interrupts;
	pattern();
	job_start(0, IOVA, IOVA_TO, PAGE);
	while (!job_over(0)) {
		interrupts_take(machine.qtest, on_interrupt);
		iopf_agent_poll(machine.agent, 64);
		iopf_agent_kick(machine.agent);
	}
	EXPECT(machine.interrupts == before, machine.interrupts);
	verdict(SERVE_YES);
	return 0;
}

static const struct {
	const char *name;
	int (*play)(void);
} roles[] = {
	{ "yes", role_yes },	     { "looks", role_looks },	    { "many", role_many },
	{ "die", role_die },	     { "wait", role_wait },	    { "no", role_no },
	{ "silent", role_silent },   { "crash", role_crash },	    { "both", role_both },
	{ "scribble", role_scribble }, { "quiet", role_quiet },
};

int main(int argc, char **argv)
{
	if (argc != 5)
		return 1;
	machine.segment = memory_map(argv[2], BASE);
	machine.memory = machine.segment.memory;
	machine.registers = machine.memory + machine.segment.size_bytes - REGISTERS_BYTES;
	EXPECT(strcmp(argv[3], "@proxy@") == 0, 0); /* there is none */
	machine.qtest = atoi(argv[4]);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(roles[i].name, argv[1]) == 0)
			return roles[i].play();
	return 1;
}
