/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/guest_work.c - a guest's work: jobs for its device, on pages that are not there. */
#include <errno.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/le.h"
#include "cli/cli.h"
#include "cli/guest.h"

/* How long to sleep where nothing rings when it is done. */
#define PAUSE_NS UINT64_C(50000)

/* Nothing rang for so long: look whether something got lost. */
#define QUIET_NS UINT64_C(100000000)

/* ---- The pager --------------------------------------------------------------------- */

static uint64_t copy_bytes(const struct guest *guest)
{
	return guest->layout.page_count * LAYOUT_PAGE;
}

int guest_plan(const struct guest *guest, const struct iopf_request *request,
	       uint64_t *gpa, uint8_t *perm)
{
	uint64_t source = request->addr - LAYOUT_IOVA_SOURCE;
	uint64_t destination = request->addr - LAYOUT_IOVA_DESTINATION;

	if (source < copy_bytes(guest) && !(request->perm & IOPF_WRITE)) {
		*gpa = guest->layout.source + source;
		*perm = IOPF_READ;
		return 0;
	}
	if (destination < copy_bytes(guest)) {
		*gpa = guest->layout.destination + destination;
		*perm = IOPF_READ | IOPF_WRITE;
		return 0;
	}
	return -EFAULT;
}

/* Nobody is there any more, or this one does not wait that long. */
static bool given_up(const struct guest *guest)
{
	return guest->port.gone ||
	       (guest->give_up_ns != 0 && cli_now_ns() > guest->give_up_ns);
}

/* ---- Turns ------------------------------------------------------------------------- */

/* Has the queue stopped? Was an interrupt lost? */
static void look_after(struct guest *guest)
{
	(void)iopf_agent_recover(guest->agent);
	guest->port.vectors |= 1u << PORT_VECTOR_REQUESTS | 1u << PORT_VECTOR_DEVICE;
}

static uint64_t wait_ns(const struct guest *guest, uint64_t timeout_ns)
{
	uint64_t now_ns = cli_now_ns();

	if (guest->turn_ns == 0 || guest->turn_ns > now_ns + timeout_ns)
		return timeout_ns;
	return guest->turn_ns > now_ns ? guest->turn_ns - now_ns : 0;
}

void guest_turn(struct guest *guest, uint64_t timeout_ns)
{
	enum { BUDGET = 64 };
	uint64_t now_ns;
	uint32_t vectors;

	port_wait(&guest->port, wait_ns(guest, timeout_ns));
	now_ns = cli_now_ns();
	if (guest->port.vectors != 0)
		guest->quiet_ns = now_ns;
	else if (now_ns - guest->quiet_ns > QUIET_NS) {
		guest->quiet_ns = now_ns;
		look_after(guest);
	}
	vectors = guest->port.vectors;
	guest->port.vectors = 0;
	guest->device_rang |= (vectors & 1u << PORT_VECTOR_DEVICE) != 0;
	if (vectors & 1u << PORT_VECTOR_REQUESTS)
		while (iopf_agent_poll(guest->agent, BUDGET) == BUDGET)
			;
	if (guest->behaviour->turn != NULL)
		guest->turn_ns = guest->behaviour->turn(guest);
}

static void ticket_wait(struct guest *guest, uint64_t ticket)
{
	while (!iopf_agent_waited(guest->agent, ticket) && !given_up(guest))
		guest_turn(guest, PAUSE_NS);
}

/* ---- Address spaces ---------------------------------------------------------------- */

uint32_t guest_pasid(const struct guest *guest, uint32_t pasid)
{
	return guest->pasids ? pasid : IOPF_PASID_NONE;
}

bool guest_attach(struct guest *guest, uint32_t pasid)
{
	uint64_t ticket;
	int error;

	while ((error = iopf_agent_attach(guest->agent, LAYOUT_RID, pasid, &ticket)) ==
		       -EAGAIN &&
	       !given_up(guest))
		guest_turn(guest, PAUSE_NS);
	if (error != 0)
		return false;
	ticket_wait(guest, ticket);
	guest->pasid = pasid;
	return true;
}

/* The function is done with it first: nothing of its requests is on the way. */
static void device_stop(struct guest *guest, uint32_t pasid)
{
	port_write(&guest->port, PORT_device_write, MODEL_ENGINE_STOP, 8, pasid);
	while (port_read(&guest->port, PORT_device_read, MODEL_ENGINE_STOP, 8) == 1 &&
	       !given_up(guest))
		guest_turn(guest, PAUSE_NS);
}

/* What was left for later is answered. */
static void answers_wait(struct guest *guest)
{
	while (guest->turn_ns != 0 && guest->turn_ns != UINT64_MAX && !given_up(guest))
		guest_turn(guest, PAUSE_NS);
}

void guest_detach(struct guest *guest, uint32_t pasid)
{
	device_stop(guest, pasid);
	answers_wait(guest);
	while (iopf_agent_detach(guest->agent, LAYOUT_RID, pasid) == -EAGAIN &&
	       !given_up(guest))
		guest_turn(guest, PAUSE_NS);
	while (iopf_agent_attached(guest->agent, LAYOUT_RID, pasid) == -EBUSY &&
	       !given_up(guest)) {
		guest->port.vectors |= 1u << PORT_VECTOR_REQUESTS;
		guest_turn(guest, PAUSE_NS);
	}
}

static void range_unmap(struct guest *guest, uint64_t addr)
{
	uint64_t ticket;
	int error;

	while ((error = iopf_agent_unmap(guest->agent, LAYOUT_RID, guest->pasid, addr,
					 copy_bytes(guest), &ticket)) == -EAGAIN &&
	       !given_up(guest))
		guest_turn(guest, PAUSE_NS);
	if (error == 0)
		ticket_wait(guest, ticket);
}

void guest_unmap(struct guest *guest)
{
	range_unmap(guest, LAYOUT_IOVA_SOURCE);
	range_unmap(guest, LAYOUT_IOVA_DESTINATION);
}

/* ---- Jobs -------------------------------------------------------------------------- */

static uint32_t job_at(const struct guest_job *job, enum model_job_register offset)
{
	return MODEL_ENGINE_JOBS + job->slot * MODEL_JOB_STRIDE + offset;
}

static void job_write(struct guest *guest, const struct guest_job *job,
		      enum model_job_register offset, uint64_t value)
{
	port_write(&guest->port, PORT_device_write, job_at(job, offset), 8, value);
}

static uint64_t job_read(struct guest *guest, const struct guest_job *job,
			 enum model_job_register offset)
{
	return port_read(&guest->port, PORT_device_read, job_at(job, offset), 8);
}

void guest_job_start(struct guest *guest, const struct guest_job *job)
{
	job_write(guest, job, MODEL_JOB_SOURCE, job->source);
	job_write(guest, job, MODEL_JOB_DESTINATION, job->destination);
	job_write(guest, job, MODEL_JOB_LENGTH, job->length);
	job_write(guest, job, MODEL_JOB_PATTERN, job->pattern);
	job_write(guest, job, MODEL_JOB_PASID, guest->pasid);
	job_write(guest, job, MODEL_JOB_CONTROL, job->control | MODEL_JOB_INTERRUPT);
}

bool guest_job_over(struct guest *guest, struct guest_job *job)
{
	job->status = job_read(guest, job, MODEL_JOB_STATUS);
	return job->status != MODEL_JOB_STATUS_running;
}

bool guest_job_wait(struct guest *guest, struct guest_job *job)
{
	job->status = MODEL_JOB_STATUS_running;
	while (job->status == MODEL_JOB_STATUS_running && !guest->port.stop) {
		guest_turn(guest, QUIET_NS);
		if (!guest->device_rang)
			continue;
		guest->device_rang = false;
		(void)guest_job_over(guest, job);
	}
	job->bytes = job_read(guest, job, MODEL_JOB_DONE);
	job->result = job_read(guest, job, MODEL_JOB_RESULT);
	return job->status == MODEL_JOB_STATUS_done;
}

/* ---- Passes ------------------------------------------------------------------------ */

static const unsigned char *destination_of(const struct guest *guest)
{
	return guest->memory + (guest->layout.destination - LAYOUT_BASE);
}

/* Over the guest's own memory, by its own hand. */
static uint32_t destination_crc(const struct guest *guest)
{
	return crc32c(0, destination_of(guest), guest->layout.file_bytes);
}

static bool copied(const struct guest *guest, const struct guest_job *job)
{
	(void)job;
	return destination_crc(guest) == guest->file_crc;
}

static bool compared(const struct guest *guest, const struct guest_job *job)
{
	(void)guest;
	return job->result == UINT64_MAX;
}

static bool summed(const struct guest *guest, const struct guest_job *job)
{
	return job->result == guest->file_crc;
}

static bool filled(const struct guest *guest, const struct guest_job *job)
{
	const unsigned char *bytes = destination_of(guest);
	unsigned char pattern[8];

	le64_put(pattern, job->pattern);
	for (uint64_t i = 0; i < guest->layout.file_bytes; i++)
		if (bytes[i] != pattern[i % 8])
			return false;
	return true;
}

/* In turn. The destination is filled at the end, so that each copy has something to do;
 * the checksum is the device's, of what it copied. */
static const struct pass {
	uint8_t operation;
	uint64_t source, destination;
	bool (*good)(const struct guest *guest, const struct guest_job *job);
} passes[] = {
	{ MODEL_JOB_COPY, LAYOUT_IOVA_SOURCE, LAYOUT_IOVA_DESTINATION, copied },
	{ MODEL_JOB_COMPARE, LAYOUT_IOVA_SOURCE, LAYOUT_IOVA_DESTINATION, compared },
	{ MODEL_JOB_CRC32C, LAYOUT_IOVA_DESTINATION, 0, summed },
	{ MODEL_JOB_FILL, 0, LAYOUT_IOVA_DESTINATION, filled },
};

static void pass_tell(struct guest *guest, const struct pass *pass,
		      const struct guest_job *job, bool good)
{
	bool copy = pass->operation == MODEL_JOB_COPY;
	struct port_message message = {
		.kind = PORT_pass,
		.width = pass->operation,
		.offset = (uint32_t)job->status,
		.value = job->bytes,
		.tag = copy ? destination_crc(guest) : job->result,
		.extra = (good ? PORT_FOUND_GOOD : 0) | (copy ? PORT_FOUND_CRC : 0),
	};

	port_send(&guest->port, &message);
}

/* Each pass begins with every page unmapped. */
static void pass_do(struct guest *guest, const struct pass *pass)
{
	struct guest_job job = { .source = pass->source,
				 .destination = pass->destination,
				 .length = guest->layout.file_bytes,
				 .pattern = cli_random(&guest->chance),
				 .control = pass->operation };
	bool done;

	guest_unmap(guest);
	if (guest->port.stop)
		return;
	guest_job_start(guest, &job);
	done = guest_job_wait(guest, &job);
	if (done || !guest->port.stop)
		pass_tell(guest, pass, &job, done && pass->good(guest, &job));
}

/* From one address space to the next; for a moment there are two, unless it is the same. */
static bool space_change(struct guest *guest, uint32_t pasid)
{
	uint32_t old = guest->pasid;
	bool good;

	if (pasid == old)
		guest_detach(guest, old);
	good = guest_attach(guest, pasid);
	if (good && pasid != old)
		guest_detach(guest, old);
	return good;
}

void guest_work(struct guest *guest)
{
	static const uint32_t pasids[] = { 1, 0xfffe, IOPF_PASID_NONE, 42 };
	uint32_t round = 0;
	bool good = guest_attach(guest, guest_pasid(guest, pasids[0]));

	for (uint32_t i = 0; good && !guest->port.stop; i = (i + 1) % CLI_COUNT(passes)) {
		pass_do(guest, &passes[i]);
		if (i + 1 < CLI_COUNT(passes) || guest->port.stop)
			continue;
		round = (round + 1) % CLI_COUNT(pasids);
		good = space_change(guest, guest_pasid(guest, pasids[round]));
	}
	if (good)
		guest_detach(guest, guest->pasid);
	else
		cli_error("guest: it was not given an address space");
}
