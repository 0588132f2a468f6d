/* SPDX-License-Identifier: BSD-3-Clause */
/* vmm_guest.c - see vmm_guest.h. */
#include "vmm_guest.h"

#include <errno.h>
#include <iopf/guest.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Its memory: what the agent builds, then a pair of buffers, and another: what was unmapped
 * is mapped elsewhere the next time. */
enum { PAGE = 4096, REGION_BYTES = 0x400000, BUFFER_BYTES = 64 * PAGE };
enum { PAIRS_AT = REGION_BYTES, PAIR_BYTES = 2 * BUFFER_BYTES };
/* And where its engine sees them. */
#define IOVA_SOURCE      UINT64_C(0x10000000)
#define IOVA_DESTINATION UINT64_C(0x20000000)

struct guest {
	int socket;
	unsigned char *memory;
	volatile uint64_t *job; /* registers of the engine's first job */
	struct iopf_agent *agent;
	unsigned pair; /* of buffers that is mapped: 0, 1 */
	bool alone; /* nobody is behind the socket any more */
};

/* ---- Registers and interrupts ------------------------------------------------------ */

/* Take a message; true: it is the reply to a read. Interrupts mean nothing but: look. */
static bool receive(struct guest *guest, int timeout_ms, uint64_t *value)
{
	struct pollfd wait = { .fd = guest->socket, .events = POLLIN };
	struct vmm_message message;

	if (poll(&wait, 1, timeout_ms) <= 0)
		return false;
	guest->alone |= recv(guest->socket, &message, sizeof(message), 0) != sizeof(message);
	if (guest->alone || message.kind != VMM_REPLY)
		return false;
	*value = message.value;
	return true;
}

static int send_message(struct guest *guest, const struct vmm_message *message)
{
	guest->alone |= send(guest->socket, message, sizeof(*message), MSG_NOSIGNAL) < 0;
	return guest->alone ? -EIO : 0;
}

static int register_read(void *context, uint32_t offset, uint32_t width_bytes,
			 uint64_t *value)
{
	struct guest *guest = context;
	const struct vmm_message message = { VMM_READ, offset, width_bytes, 0, 0 };
	int error = send_message(guest, &message);

	while (error == 0 && !receive(guest, -1, value))
		error = guest->alone ? -EIO : 0;
	return error;
}

static int register_write(void *context, uint32_t offset, uint32_t width_bytes,
			  uint64_t value)
{
	const struct vmm_message message = { VMM_WRITE, offset, width_bytes, 0, value };

	return send_message(context, &message);
}

/* Until something rings, or 1 ms; then serve what the engine asks for. */
static void turn(struct guest *guest)
{
	enum { BUDGET = 64 };
	uint64_t unused;

	(void)receive(guest, 1, &unused);
	while (!guest->alone && iopf_agent_poll(guest->agent, BUDGET) == BUDGET)
		;
	(void)iopf_agent_recover(guest->agent);
}

/* ---- The pager --------------------------------------------------------------------- */

/* Where the buffers are in its memory: the source, behind it the destination. */
static uint64_t source_at(const struct guest *guest)
{
	return PAIRS_AT + guest->pair * (uint64_t)PAIR_BYTES;
}

static int fault(void *context, const struct iopf_request *request, uint64_t *gpa,
		 uint8_t *perm)
{
	uint64_t source = request->addr - IOVA_SOURCE;
	uint64_t destination = request->addr - IOVA_DESTINATION;

	*gpa = VMM_GUEST_BASE + source_at(context);
	if (source < BUFFER_BYTES && !(request->perm & IOPF_WRITE))
		*gpa += source;
	else if (destination < BUFFER_BYTES)
		*gpa += BUFFER_BYTES + destination;
	else
		return -EFAULT;
	*perm = destination < BUFFER_BYTES ? IOPF_READ | IOPF_WRITE : IOPF_READ;
	return 0;
}

static struct iopf_agent *agent_make(struct guest *guest)
{
	static const struct iopf_register_ops registers = { register_read, register_write };
	static const struct iopf_agent_ops ops = { .fault = fault };
	static const uint32_t rid = VMM_GUEST_RID;
	static struct iopf_segment segment;
	const struct iopf_agent_options options = {
		.size_bytes = sizeof(options),
		.rid_count = 1,
		.rids = &rid,
		.memory = { &segment, 1 },
		.base = VMM_GUEST_BASE,
		.region_bytes = REGION_BYTES,
		.levels = 4,
		.pasid_max = 4,
		.pasid_bits = 16,
		.command_order = 1,
		.request_order = 1,
		.interrupt_addr = 0xfee00000,
		.registers = &registers,
		.register_context = guest,
		.ops = &ops,
		.context = guest,
	};
	size_t size_bytes = (iopf_agent_size_bytes(&options) + 63) / 64 * 64;
	void *memory = aligned_alloc(64, size_bytes);
	struct iopf_agent *agent = NULL;

	segment = (struct iopf_segment){ VMM_GUEST_BASE, VMM_GUEST_BYTES, guest->memory };
	if (memory == NULL || iopf_agent_create(&options, memory, size_bytes, &agent) != 0)
		return NULL;
	return agent;
}

/* @error says "not now": serve meanwhile; true: ask again. */
static bool again(struct guest *guest, int error)
{
	if (error != -EAGAIN || guest->alone)
		return false;
	turn(guest);
	return true;
}

static void ticket_wait(struct guest *guest, uint64_t ticket)
{
	while (!iopf_agent_waited(guest->agent, ticket) && !guest->alone)
		turn(guest);
}

/* ---- Its work ---------------------------------------------------------------------- */

enum { JOBS = 0x100, COPY = 1, RUNNING = 1, DONE = 2 };
enum { JOB_SOURCE, JOB_DESTINATION, JOB_LENGTH, JOB_PATTERN, JOB_PASID, JOB_CONTROL, JOB_STATUS };

static void job_start(struct guest *guest, uint32_t pasid)
{
	guest->job[JOB_SOURCE] = IOVA_SOURCE;
	guest->job[JOB_DESTINATION] = IOVA_DESTINATION;
	guest->job[JOB_LENGTH] = BUFFER_BYTES;
	guest->job[JOB_PASID] = pasid;
	guest->job[JOB_CONTROL] = COPY;
}

static bool copy(struct guest *guest, uint32_t pasid, unsigned round)
{
	unsigned char *source = guest->memory + source_at(guest);
	unsigned char *destination = source + BUFFER_BYTES;

	for (uint32_t i = 0; i < BUFFER_BYTES; i++)
		source[i] = (unsigned char)(i / PAGE + i * 7 + round);
	memset(destination, 0xaa, BUFFER_BYTES);
	job_start(guest, pasid);
	while (guest->job[JOB_STATUS] == RUNNING && !guest->alone)
		turn(guest);
	return guest->job[JOB_STATUS] == DONE &&
	       memcmp(source, destination, BUFFER_BYTES) == 0;
}

static void range_unmap(struct guest *guest, uint32_t pasid, uint64_t addr)
{
	uint64_t ticket;
	int error;

	do
		error = iopf_agent_unmap(guest->agent, VMM_GUEST_RID, pasid, addr,
					 BUFFER_BYTES, &ticket);
	while (again(guest, error));
	if (error == 0)
		ticket_wait(guest, ticket);
}

static void unmap(struct guest *guest, uint32_t pasid)
{
	range_unmap(guest, pasid, IOVA_SOURCE);
	range_unmap(guest, pasid, IOVA_DESTINATION);
	guest->pair ^= 1;
}

static bool attach(struct guest *guest, uint32_t pasid)
{
	uint64_t ticket;
	int error;

	do
		error = iopf_agent_attach(guest->agent, VMM_GUEST_RID, pasid, &ticket);
	while (again(guest, error));
	if (error == 0)
		ticket_wait(guest, ticket);
	return error == 0;
}

static void detach(struct guest *guest, uint32_t pasid)
{
	int error;

	do
		error = iopf_agent_detach(guest->agent, VMM_GUEST_RID, pasid);
	while (again(guest, error));
	while (iopf_agent_attached(guest->agent, VMM_GUEST_RID, pasid) == -EBUSY &&
	       !guest->alone)
		turn(guest);
}

/* While it asks for pages. What it asked is over; what it asks then is new. */
static bool reset(struct guest *guest, uint32_t pasid)
{
	const struct vmm_message message = { .kind = VMM_RESET };
	uint64_t unused;

	job_start(guest, pasid);
	(void)send_message(guest, &message);
	(void)register_read(guest, 0, 4, &unused); /* it is done when this is answered */
	return guest->job[JOB_STATUS] != RUNNING;
}

/* In an address space of its own; once more when its pages were taken away; and again when
 * the function was reset in the middle. */
static bool work(struct guest *guest, uint32_t pasid, unsigned round)
{
	bool good = attach(guest, pasid) && copy(guest, pasid, round);

	unmap(guest, pasid);
	good = good && copy(guest, pasid, round + 1);
	unmap(guest, pasid);
	good = good && reset(guest, pasid) && copy(guest, pasid, round + 2);
	detach(guest, pasid);
	return good;
}

static bool start(struct guest *guest)
{
	int error;

	do
		error = iopf_agent_start(guest->agent);
	while (again(guest, error));
	return error == 0;
}

static void stop(struct guest *guest)
{
	int error;

	do
		error = iopf_agent_stop(guest->agent);
	while (again(guest, error));
}

static int guest_main(int socket, void *memory, volatile void *bar, unsigned rounds)
{
	static const uint32_t pasids[] = { 1, IOPF_PASID_NONE, 0xfffe };
	struct guest guest = { .socket = socket,
			       .memory = memory,
			       .job = (volatile uint64_t *)bar + JOBS / sizeof(uint64_t) };
	bool good;

	guest.agent = agent_make(&guest);
	good = guest.agent != NULL && start(&guest);
	for (unsigned i = 0; good && !guest.alone && (rounds == 0 || i < rounds); i++)
		good = work(&guest, pasids[i % 3], i);
	if (guest.agent != NULL)
		stop(&guest);
	if (!good)
		fprintf(stderr, "guest: the engine did not copy what it was to copy\n");
	return !good;
}

/* What it has is its memory, its device and one end of the socket. */
pid_t vmm_guest_start(void *memory, volatile void *bar, unsigned rounds, int *socket)
{
	enum { SOCKET = 3 };
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(pair[1], SOCKET);
		close_range(SOCKET + 1, ~0u, 0);
		_exit(guest_main(SOCKET, memory, bar, rounds));
	}
	close(pair[1]);
	*socket = pair[0];
	return pid;
}
