/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli_serve_machine.c ROLE MEMORY PROXY QTEST [N] - what `iopf serve` takes for a QEMU: it
 * speaks the proxied device's protocol and the test protocol, and does to the window what
 * firmware, an operating system and a driver do, with the library's own agent as the
 * guest's IOMMU driver. Some roles do something else. With N it dies in its Nth access.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cli/serve.h"
#include "iopf/guest.h"
#include "cli_serve_link.h"
#include "linux/bench.h"
#include "model/config.h"

enum {
	RID = 0x0008,
	PASID = 5,
	PAGE = 4096,
	PAGES = 16, /* of each of source and destination */
	VECTOR_REQUESTS = 0x21,
	VECTOR_DEVICE = 0x22,
};

#define WINDOW      UINT64_C(0xfe400000)
#define APIC        UINT64_C(0xfee00000)
#define REGION      UINT64_C(0x100000) /* of the agent, in memory */
#define REGION_SIZE UINT64_C(0x400000)
#define SOURCE      UINT64_C(0x600000)
#define DESTINATION UINT64_C(0x700000)
#define IOVA        UINT64_C(0x4000000000)
#define IOVA_TO     UINT64_C(0x5000000000)

static struct {
	int qtest;
	uint8_t *memory;
	struct iopf_segment segment;
	struct iopf_agent *agent;
	uint64_t bar; /* of the function */
	uint32_t interrupts[2]; /* requests, device */
	uint16_t held[64];      /* indices of groups that wait for an answer, */
	uint32_t held_count;    /* as long as */
	bool hold;              /* they are to wait */
} machine;

/* ---- Interrupts -------------------------------------------------------------------- */

static void on_interrupt(uint64_t addr, uint32_t data)
{
	EXPECT(addr == APIC, addr);
	EXPECT(data == VECTOR_REQUESTS || data == VECTOR_DEVICE, data);
	machine.interrupts[data - VECTOR_REQUESTS]++;
}

/* ---- Firmware ---------------------------------------------------------------------- */

/* PCI 3.0, 6.2.5: how large is it; then where, and on. */
static void firmware(uint64_t window)
{
	config(PROXY_config_write, 0x10, 0xffffffff, 4);
	EXPECT(config(PROXY_config_read, 0x10, 0, 4) == 0xffc00000,
	       config(PROXY_config_read, 0x10, 0, 4));
	EXPECT(config(PROXY_config_read, 0x0a, 0, 2) == 0, 0); /* of no class */
	config(PROXY_config_write, 0x10, (uint32_t)window, 4);
	config(PROXY_config_write, 0x04, 0x0107, 2);
	EXPECT(config(PROXY_config_read, 0x04, 0, 2) == 0x0006,
	       config(PROXY_config_read, 0x04, 0, 2));
}

/* ---- An operating system ----------------------------------------------------------- */

static uint64_t ecam(uint32_t rid, uint32_t offset)
{
	return WINDOW + SERVE_ECAM + ((uint64_t)rid << 12) + offset;
}

/* Where the extended capability @id is; 0: nowhere. */
static uint32_t capability(uint32_t id)
{
	uint32_t at = 0x100;

	while (at != 0 && (get(ecam(RID, at), 4) & 0xffff) != id)
		at = (uint32_t)(get(ecam(RID, at), 4) >> 20);
	EXPECT(at != 0, id);
	return at;
}

static void msi_set(void)
{
	uint32_t at = (uint32_t)get(ecam(RID, 0x34), 1);

	while (at != 0 && get(ecam(RID, at), 1) != 0x05)
		at = (uint32_t)get(ecam(RID, at + 1), 1);
	EXPECT(at != 0, 0x05);
	put(ecam(RID, at + 4), 4, APIC);
	put(ecam(RID, at + 8), 4, 0);
	put(ecam(RID, at + 12), 2, VECTOR_DEVICE);
	put(ecam(RID, at + 2), 2, MSI_ENABLE);
}

static void function_set(void)
{
	uint32_t pri;

	EXPECT(get(ecam(0, 0), 4) == 0xffffffff, get(ecam(0, 0), 4));
	EXPECT(get(ecam(RID, 0), 4) == 0x5a5a1234, get(ecam(RID, 0), 4));
	put(ecam(RID, CONFIG_BAR0), 4, 0xffffffff);
	EXPECT((get(ecam(RID, CONFIG_BAR0), 4) & ~15u) == 0xffff0000,
	       get(ecam(RID, CONFIG_BAR0), 4));
	machine.bar = WINDOW + SERVE_MEMORY + 0x30000;
	put(ecam(RID, CONFIG_BAR0), 4, machine.bar);
	put(ecam(RID, CONFIG_BAR0 + 4), 4, 0);
	EXPECT(get(machine.bar, 8) == UINT64_MAX, get(machine.bar, 8));
	put(ecam(RID, CONFIG_COMMAND), 2, COMMAND_MEMORY | COMMAND_BUS_MASTER);
	EXPECT(get(machine.bar, 8) == MODEL_ENGINE_MAGIC, get(machine.bar, 8));
	EXPECT(get(machine.bar + BENCH_AT, 8) == BENCH_MAGIC_VALUE,
	       get(machine.bar + BENCH_AT, 8));
	msi_set();
	put(ecam(RID, capability(0x001b) + 6), 2, PASID_ENABLE);
	put(ecam(RID, capability(0x000f) + 6), 2, ATS_ENABLE);
	pri = capability(0x0013);
	put(ecam(RID, pri + 12), 4, 32);
	put(ecam(RID, pri + 4), 2, PRI_ENABLE);
}

/* ---- A driver ---------------------------------------------------------------------- */

static int register_read(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	(void)context;
	*value = get(WINDOW + offset, width);
	return 0;
}

static int register_write(void *context, uint32_t offset, uint32_t width, uint64_t value)
{
	(void)context;
	put(WINDOW + offset, width, value);
	return 0;
}

static const struct iopf_register_ops registers = { register_read, register_write };

static int on_fault(void *context, const struct iopf_request *request, uint64_t *gpa,
		    uint8_t *perm)
{
	uint64_t from = request->addr - IOVA, to = request->addr - IOVA_TO;

	(void)context;
	if (machine.hold) {
		EXPECT(machine.held_count < 64, machine.held_count);
		machine.held[machine.held_count] = request->index;
		machine.held_count += (request->flags & IOPF_LAST) != 0;
		return -EAGAIN;
	}
	if (from >= PAGES * PAGE && to >= PAGES * PAGE)
		return -EFAULT;
	*gpa = from < PAGES * PAGE ? SOURCE + from : DESTINATION + to;
	*perm = from < PAGES * PAGE ? IOPF_READ : IOPF_READ | IOPF_WRITE;
	return 0;
}

static void agent_create(void)
{
	static const uint32_t rids[] = { RID };
	static const struct iopf_agent_ops ops = { .fault = on_fault };
	const struct iopf_agent_options options = {
		.size_bytes = sizeof(options),
		.rid_count = 1,
		.rids = rids,
		.memory = { &machine.segment, 1 },
		.base = REGION,
		.region_bytes = REGION_SIZE,
		.levels = 4,
		.pasid_max = 4,
		.pasid_bits = 16,
		.command_order = 2,
		.request_order = 1,
		.interrupt_addr = APIC,
		.interrupt_data = VECTOR_REQUESTS,
		.registers = &registers,
		.ops = &ops,
	};
	size_t bytes = (iopf_agent_size_bytes(&options) + 63) & ~(size_t)63;
	int error = iopf_agent_create(&options, aligned_alloc(64, bytes), bytes,
				      &machine.agent);

	EXPECT(error == 0, (uint64_t)-error);
	while ((error = iopf_agent_start(machine.agent)) == -EAGAIN)
		;
	EXPECT(error == 0, (uint64_t)-error);
}

/* Serve until @done; the machine has ten seconds. */
static void until(bool (*done)(uint64_t of), uint64_t of)
{
	time_t end = time(NULL) + 10;

	while (!done(of)) {
		struct pollfd rings = { .fd = machine.qtest, .events = POLLIN };

		(void)poll(&rings, 1, 1);
		interrupts_take(machine.qtest, on_interrupt);
		iopf_agent_poll(machine.agent, 64);
		iopf_agent_kick(machine.agent);
		EXPECT(time(NULL) < end, of);
	}
}

static bool waited(uint64_t ticket)
{
	return iopf_agent_waited(machine.agent, ticket);
}

static bool detached(uint64_t pasid)
{
	return iopf_agent_attached(machine.agent, RID, (uint32_t)pasid) == -ENOENT;
}

static bool job_over(uint64_t slot)
{
	return get(machine.bar + MODEL_ENGINE_JOBS + slot * MODEL_JOB_STRIDE +
			   MODEL_JOB_STATUS,
		   8) > MODEL_JOB_STATUS_running;
}

static bool device_rang(uint64_t times)
{
	return machine.interrupts[1] >= times;
}

/* It is asked for, or moved already. */
static bool job_settled(uint64_t slot)
{
	return machine.held_count > 0 || job_over(slot);
}

static bool groups_held(uint64_t count)
{
	return machine.held_count >= count;
}

static void job(uint64_t source, uint64_t destination, uint64_t bytes)
{
	uint64_t at = machine.bar + MODEL_ENGINE_JOBS;

	put(at + MODEL_JOB_SOURCE, 8, source);
	put(at + MODEL_JOB_DESTINATION, 8, destination);
	put(at + MODEL_JOB_LENGTH, 8, bytes);
	put(at + MODEL_JOB_PASID, 8, PASID);
	put(at + MODEL_JOB_CONTROL, 8, MODEL_JOB_COPY | MODEL_JOB_INTERRUPT);
}

static uint64_t job_status(void)
{
	return get(machine.bar + MODEL_ENGINE_JOBS + MODEL_JOB_STATUS, 8);
}

static void boot(void)
{
	uint64_t ticket;
	int error;

	firmware(WINDOW);
	function_set();
	agent_create();
	error = iopf_agent_attach(machine.agent, RID, PASID, &ticket);
	EXPECT(error == 0, (uint64_t)-error);
	until(waited, ticket);
}

/* Page by page, each asked for; and once more after all of it was taken away. */
static void copy(void)
{
	const uint8_t *to = machine.memory + DESTINATION;
	uint8_t *from = machine.memory + SOURCE;
	uint64_t ticket;

	for (uint32_t i = 0; i < PAGES * PAGE; i++)
		from[i] = (uint8_t)(i * 7 + i / PAGE);
	job(IOVA, IOVA_TO, PAGES * PAGE);
	until(job_over, 0);
	EXPECT(job_status() == MODEL_JOB_STATUS_done, job_status());
	EXPECT(memcmp(from, to, PAGES * PAGE) == 0, 0);
	until(device_rang, 1);
	EXPECT(machine.interrupts[0] > 0, 0);
	EXPECT(iopf_agent_unmap(machine.agent, RID, PASID, IOVA_TO, PAGES * PAGE,
				&ticket) == 0,
	       0);
	until(waited, ticket);
	memset(machine.memory + DESTINATION, 0, PAGES * PAGE);
	machine.hold = true;
	job(IOVA, IOVA_TO, PAGE);
	until(job_settled, 0);
	EXPECT(machine.held_count > 0, to[1]); /* nothing goes past an invalidation */
}

/* ---- Roles ------------------------------------------------------------------------- */

static void answer_held(void)
{
	for (uint32_t i = 0; i < machine.held_count; i++)
		EXPECT(iopf_agent_answer(machine.agent, RID, PASID, machine.held[i],
					 IOPF_INVALID) == 0,
		       i);
	machine.held_count = 0;
	machine.hold = false;
	iopf_agent_kick(machine.agent);
}

static void end_groups(void)
{
	struct iopf_agent_stats stats;

	put(machine.bar + MODEL_ENGINE_STOP, 8, PASID);
	answer_held();
	until(job_over, 0);
	EXPECT(iopf_agent_detach(machine.agent, RID, PASID) == 0, 0);
	until(detached, PASID);
	iopf_agent_stats(machine.agent, &stats);
	EXPECT(stats.requests >= 2 * PAGES, stats.requests);
}

static int role_yes(void)
{
	boot();
	copy();
	end_groups();
	return 2 * SERVE_YES + 1;
}

/* Without bus mastering it moves nothing. */
static int role_master(void)
{
	boot();
	put(ecam(RID, CONFIG_COMMAND), 2, COMMAND_MEMORY);
	job(IOVA, IOVA_TO, PAGE);
	until(job_over, 0);
	EXPECT(job_status() == MODEL_JOB_STATUS_error, job_status());
	put(ecam(RID, CONFIG_COMMAND), 2, COMMAND_MEMORY | COMMAND_BUS_MASTER);
	copy();
	end_groups();
	return 2 * SERVE_YES + 1;
}

static bool function_there(uint64_t id)
{
	return get(ecam(RID, 0), 4) == id;
}

/* The function is reset with groups open, set up again, and pages as before. */
static int role_flr(void)
{
	boot();
	machine.hold = true;
	job(IOVA, IOVA_TO, PAGES * PAGE);
	until(groups_held, 2);
	put(ecam(RID, CONFIG_DEVICE_CONTROL), 2, DEVICE_CONTROL_FLR);
	until(function_there, 0x5a5a1234);
	answer_held(); /* too late, and nobody's */
	function_set();
	EXPECT(job_status() != MODEL_JOB_STATUS_running, job_status());
	copy();
	end_groups();
	return 2 * SERVE_YES + 1;
}

static int role_no(void)
{
	firmware(WINDOW);
	return 2 * SERVE_NO + 1;
}

static int role_silent(void)
{
	return 0;
}

static int role_elsewhere(void)
{
	firmware(WINDOW - SERVE_WINDOW_BYTES);
	return 2 * SERVE_YES + 1;
}

/* With groups that nobody will answer, and a part of one that nobody will end. */
static int role_die(void)
{
	uint64_t bench;

	boot();
	machine.hold = true;
	job(IOVA, IOVA_TO, PAGES * PAGE);
	until(groups_held, 2);
	bench = machine.bar + BENCH_AT;
	put(bench + BENCH_PASID, 8, PASID);
	put(bench + BENCH_INDEX, 8, 300);
	put(bench + BENCH_ADDR, 8, IOVA + 64 * PAGE);
	put(bench + BENCH_FLAGS, 8, BENCH_READ);
	put(bench + BENCH_SEND, 8, 1);
	EXPECT(get(bench + BENCH_RESULT, 8) == 1, get(bench + BENCH_RESULT, 8));
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
	boot();
	machine.hold = true;
	job(IOVA, IOVA_TO, PAGES * PAGE);
	until(groups_held, 2);
	puts("waits");
	fflush(stdout);
	wait_for_the_end();
}

static int role_deaf(void)
{
	signal(SIGTERM, SIG_IGN);
	wait_for_the_end();
}

static int role_garbage(void)
{
	uint8_t bytes[64];

	firmware(WINDOW);
	memset(bytes, 0xa5, sizeof(bytes));
	send_bytes(bytes, sizeof(bytes));
	wait_for_the_end();
}

static int role_cut(void)
{
	uint8_t bytes[PROXY_MESSAGE_BYTES];

	firmware(WINDOW);
	message_begin(bytes, PROXY_bar_read, 24);
	send_bytes(bytes, 20);
	close(proxy_link);
	wait_for_the_end();
}

static int role_again(void)
{
	uint8_t bytes[PROXY_MESSAGE_BYTES];

	firmware(WINDOW);
	message_begin(bytes, PROXY_reset, 0);
	send_bytes(bytes, PROXY_HEADER_BYTES);
	reply_wait();
	return 2 * SERVE_YES + 1;
}

static int role_descriptors(void)
{
	for (int i = 0; i < 200; i++) {
		with_descriptors(PROXY_memory, 192);
		with_descriptors(PROXY_interrupt, 0);
	}
	firmware(WINDOW);
	return 2 * SERVE_YES + 1;
}

/* Any access, of any width, with any value: each is answered. */
static int role_random(void)
{
	static const uint32_t widths[] = { 1, 2, 4, 8, 3, 0, 16, UINT32_MAX };
	uint64_t chance = 1;

	firmware(WINDOW);
	function_set();
	for (int i = 0; i < 100000; i++) {
		uint64_t part, addr, value;
		uint32_t width;

		chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407;
		part = chance >> 62;
		width = widths[chance >> 58 & (chance >> 40 & 7 ? 3 : 7)];
		addr = part == 0 ? chance >> 32 & 0xfff :
		       part == 1 ? SERVE_ECAM + (RID << 12) + (chance >> 32 & 0xfff) :
		       part == 2 ? SERVE_MEMORY + 0x30000 + (chance >> 32 & 0xffff) :
				   chance >> 32 & 0x7fffff;
		addr &= ~(uint64_t)(width - 1);
		value = chance * UINT64_C(0x9e3779b97f4a7c15);
		bus(chance >> 50 & 1 ? PROXY_bar_read : PROXY_bar_write, WINDOW + addr,
		    chance >> 51 & 1 ? value : value & 0xff, width);
		while (recv(machine.qtest, &value, sizeof(value), MSG_DONTWAIT) > 0)
			;
	}
	return 2 * SERVE_YES + 1;
}

static const struct {
	const char *name;
	int (*play)(void);
} roles[] = {
	{ "yes", role_yes },		 { "no", role_no },
	{ "master", role_master },	 { "flr", role_flr },
	{ "silent", role_silent },	 { "elsewhere", role_elsewhere },
	{ "die", role_die },		 { "wait", role_wait },
	{ "deaf", role_deaf },		 { "garbage", role_garbage },
	{ "cut", role_cut },		 { "again", role_again },
	{ "descriptors", role_descriptors }, { "random", role_random },
};

int main(int argc, char **argv)
{
	if (argc != 5 && argc != 6)
		return 1;
	machine.segment = memory_map(argv[2], 0);
	machine.memory = machine.segment.memory;
	proxy_link = atoi(argv[3]);
	machine.qtest = atoi(argv[4]);
	dies_after = argc == 6 ? (uint32_t)atoi(argv[5]) : 0;
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(roles[i].name, argv[1]) == 0)
			return roles[i].play();
	return 1;
}
