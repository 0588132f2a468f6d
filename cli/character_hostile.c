/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/character_hostile.c - a hostile guest's rounds, and tables that change under walks. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/hostile.h"
#include "queue/driver.h"

#define MILLISECOND UINT64_C(1000000)

/* How long it waits for its IOMMU to come up, and for a group to play with. */
#define PATIENCE_NS (1000 * MILLISECOND)
#define HOLD_NS     (250 * MILLISECOND)

/* There is one hostile guest in a process, and the agent's pager has to find it. */
static struct hostile self;

/* ---- Help for acts ----------------------------------------------------------------- */

static bool commands_over(struct hostile *hostile)
{
	const struct driver_family *family = hostile->driver->family;
	struct port *port = &hostile->guest->port;
	uint64_t prod = port_read(port, PORT_read, family->command.prod,
				  family->index_bytes);
	uint64_t cons = port_read(port, PORT_read, family->command.cons,
				  family->index_bytes);
	int errors;

	if (((prod ^ cons) & ~(uint64_t)family->command_flags) == 0)
		return true;
	errors = iopf_driver_errors(hostile->driver);
	return errors < 0 || (errors & IOPF_DRIVER_STOPPED) != 0;
}

/* The host has come to the end of its commands, or stopped at one: what is switched off
 * before that was never looked at. Some acts leave a queue that has no end. */
static void commands_wait(struct hostile *hostile)
{
	enum { LOOKS = 50 };
	struct port *port = &hostile->guest->port;

	for (uint32_t i = 0; i < LOOKS && !port->gone; i++) {
		if (commands_over(hostile))
			return;
		hostile_turns(hostile, 1);
	}
}

void hostile_did(struct hostile *hostile, enum hostile_act act, uint64_t count,
		 bool refused)
{
	struct port_message message = { .kind = PORT_act,
					.offset = act,
					.tag = refused };

	commands_wait(hostile);
	hostile->count[act] += count;
	message.value = hostile->count[act];
	port_send(&hostile->guest->port, &message);
}

uint64_t hostile_random(struct hostile *hostile)
{
	return cli_random(&hostile->guest->chance);
}

void hostile_write(struct hostile *hostile, uint32_t offset, uint32_t width,
		   uint64_t value)
{
	port_write(&hostile->guest->port, PORT_write, offset, width, value);
}

void hostile_turns(struct hostile *hostile, uint32_t count)
{
	enum { PAUSE_NS = 100000 };

	for (uint32_t i = 0; i < count && !hostile->guest->port.gone; i++)
		guest_turn(hostile->guest, PAUSE_NS);
}

static void device_begin(struct hostile *hostile)
{
	struct guest_job job = { .source = LAYOUT_IOVA_SOURCE,
				 .destination = LAYOUT_IOVA_DESTINATION,
				 .length = hostile->guest->layout.page_count *
					   LAYOUT_PAGE,
				 .control = MODEL_JOB_COPY };

	guest_job_start(hostile->guest, &job);
}

bool hostile_hold(struct hostile *hostile, struct iopf_request *request)
{
	uint64_t end_ns = cli_now_ns() + HOLD_NS;

	for (uint32_t i = 0; hostile->held_first == hostile->held_end &&
			     cli_now_ns() < end_ns && !hostile->guest->port.stop;
	     i++) {
		if (i % 16 == 0)
			device_begin(hostile);
		hostile_turns(hostile, 1);
	}
	if (hostile->held_first == hostile->held_end)
		return false;
	*request = hostile->held[hostile->held_first++ % HOSTILE_HELD_MAX];
	return true;
}

/* Every fourth group gets an honest answer, so that there is something to spoil. */
static int hostile_fault(void *context, const struct iopf_request *request, uint64_t *gpa,
			 uint8_t *perm)
{
	if (request->index % 4 == 3)
		return guest_plan(context, request, gpa, perm);
	if (request->flags & IOPF_LAST)
		self.held[self.held_end++ % HOSTILE_HELD_MAX] = *request;
	if (self.held_end - self.held_first > HOSTILE_HELD_MAX)
		self.held_first = self.held_end - HOSTILE_HELD_MAX;
	return -EAGAIN;
}

/* ---- Tables under walks ------------------------------------------------------------ */

/* A thread of its own, as another processor of the guest would: it writes entries into
 * the pages that the agent built, until it is told to stop. */
struct scribbler {
	const struct guest *guest;
	uint64_t first, end; /* guest-physical */
	uint64_t chance;
	uint64_t (*entry)(struct scribbler *scribbler, uint64_t addr);
	atomic_bool stop;
	uint64_t count;
};

static void *scribble(void *context)
{
	struct scribbler *scribbler = context;
	uint64_t words = (scribbler->end - scribbler->first) / 8;

	while (!atomic_load_explicit(&scribbler->stop, memory_order_relaxed)) {
		uint64_t addr = scribbler->first +
				cli_random(&scribbler->chance) % words * 8;

		memory_store64(&scribbler->guest->space, addr,
			       scribbler->entry(scribbler, addr));
		scribbler->count++;
	}
	return NULL;
}

/* Every walk of host and IOMMU meets it: a job runs, and what the structures say is to
 * be looked at again and again. */
static void tables_play(struct hostile *hostile, enum hostile_act act,
			uint64_t (*entry)(struct scribbler *scribbler, uint64_t addr))
{
	enum { LOOKS = 16 };
	struct guest *guest = hostile->guest;
	struct iopf_agent_layout layout;
	struct scribbler scribbler = { .guest = guest,
				       .chance = hostile_random(hostile),
				       .entry = entry };
	static const struct iopf_command commands[] = {
		{ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT },
		{ .kind = IOPF_COMMAND_INVALIDATE_PASID, .pasid = IOPF_PASID_NONE },
		{ .kind = IOPF_COMMAND_INVALIDATE_PASID,
		  .granularity = IOPF_DEVICE,
		  .rid = LAYOUT_RID,
		  .pasid = IOPF_PASID_NONE },
		{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB },
	};
	struct iopf_request request;
	pthread_t thread;

	(void)hostile_hold(hostile, &request);
	iopf_agent_layout(guest->agent, &layout);
	scribbler.first = layout.root;
	scribbler.end = layout.end;
	atomic_init(&scribbler.stop, false);
	if (pthread_create(&thread, NULL, scribble, &scribbler) != 0)
		return;
	for (uint32_t i = 0; i < LOOKS; i++) {
		/* Not every family has all of them. */
		(void)iopf_agent_command(guest->agent, &commands[i % CLI_COUNT(commands)]);
		iopf_agent_kick(guest->agent);
		device_begin(hostile);
		hostile_turns(hostile, 2);
	}
	atomic_store_explicit(&scribbler.stop, true, memory_order_relaxed);
	pthread_join(thread, NULL);
	hostile_did(hostile, act, scribbler.count, true);
}

static uint64_t any_entry(struct scribbler *scribbler, uint64_t addr)
{
	(void)addr;
	return cli_random(&scribbler->chance);
}

/* An entry that leads to the page of @addr, in some format: addresses stand where they are
 * or two bits lower; present or valid are the lowest bits. */
static uint64_t entry_of(struct scribbler *scribbler, uint64_t addr)
{
	static const uint8_t present[] = { 7, 3, 1 };
	uint64_t chance = cli_random(&scribbler->chance);

	return (addr & ~(LAYOUT_PAGE - 1)) >> (chance & 1) * 2 |
	       present[(chance >> 1) % CLI_COUNT(present)];
}

/* It leads to the page that it stands in. */
static uint64_t looped_entry(struct scribbler *scribbler, uint64_t addr)
{
	return entry_of(scribbler, addr);
}

static uint64_t lost_entry(struct scribbler *scribbler, uint64_t addr)
{
	(void)addr;
	return entry_of(scribbler, cli_random(&scribbler->chance) &
					   UINT64_C(0x0000fffffffff000));
}

void hostile_tables_rewritten(struct hostile *hostile)
{
	tables_play(hostile, HOSTILE_tables_rewritten, any_entry);
}

void hostile_tables_looped(struct hostile *hostile)
{
	tables_play(hostile, HOSTILE_tables_looped, looped_entry);
}

void hostile_tables_nowhere(struct hostile *hostile)
{
	tables_play(hostile, HOSTILE_tables_nowhere, lost_entry);
}

/* ---- Rounds ------------------------------------------------------------------------ */

#define HOSTILE_ACT(name, text) [HOSTILE_##name] = hostile_##name,
static void (*const acts[HOSTILE_ACT_COUNT])(struct hostile *hostile) = { HOSTILE_ACTS(
	HOSTILE_ACT) };

/* Built anew: its driver finds the IOMMU in whatever state it is, and begins by switching
 * everything off. False: not this time. */
static bool rebuild(struct hostile *hostile)
{
	struct guest *guest = hostile->guest;

	port_write(&guest->port, PORT_device_write,
		   MODEL_ENGINE_JOBS + MODEL_JOB_CONTROL, 8, MODEL_JOB_ABORT);
	hostile->held_first = hostile->held_end = 0;
	if (guest_build(guest) != 0)
		return false;
	hostile->driver = iopf_agent_driver(guest->agent);
	return guest_start(guest) == 0 && guest_attach(guest, guest_pasid(guest, 1)) &&
	       (!guest->pasids || guest_attach(guest, 2));
}

static void hostile_work(struct guest *guest)
{
	self.guest = guest;
	while (!guest->port.stop)
		for (unsigned i = 0; i < HOSTILE_ACT_COUNT && !guest->port.stop; i++) {
			guest->give_up_ns = cli_now_ns() + PATIENCE_NS;
			if (hostile_can(guest->family, i) && rebuild(&self))
				acts[i](&self);
			hostile_turns(&self, 1);
		}
	guest->give_up_ns = cli_now_ns() + PATIENCE_NS;
	(void)rebuild(&self);
}

const struct guest_behaviour guest_hostile = { .fault = hostile_fault,
					       .work = hostile_work };
