/* SPDX-License-Identifier: BSD-3-Clause */
/* queue/driver_intake.c - software's end of the queues that hardware fills. */
#include "queue/driver.h"

#include <errno.h>
#include <limits.h>

static uint32_t intake_left(const struct driver_intake *intake)
{
	return ring_used(&intake->ring, intake->tail, intake->head);
}

/* The tail moves forward from where it was, and never further than the queue is long
 * (IHI 0070, 3.5.1: what anything else means is for nobody to guess). */
int driver_tail_read(struct iopf_driver *driver, struct driver_intake *intake)
{
	const struct driver_family *family = driver->family;
	uint32_t index = 0, used = 0;
	uint64_t value;
	int error = driver_read(driver, intake->at.prod, family->index_bytes, &value);
	bool good = error == 0 &&
		    ring_index(&intake->ring, value & ~(uint64_t)family->turned, &index);

	if (good)
		used = ring_used(&intake->ring, index, intake->head);
	good = good && used <= ring_capacity(&intake->ring) && used >= intake_left(intake);
	if (error == 0 && !good) {
		driver->stats.bad_indices++;
		error = -EIO;
	}
	if (error != 0)
		return error;
	intake->tail = index;
	intake->turned = (uint32_t)value & family->turned;
	return 0;
}

/* release: the entries are copied; pairs with hardware's read of the head. */
static int head_write(struct iopf_driver *driver, struct driver_intake *intake,
		      uint32_t followed)
{
	int error = driver_write(driver, intake->at.cons, driver->family->index_bytes,
				 ring_register(&intake->ring, intake->head) | followed);

	if (error == 0)
		intake->followed = followed;
	return error;
}

/* How often an entry is waited for that was announced: then hardware has forgotten it. */
enum { LOOKS_MAX = 1 << 16 };

static bool entry_there(const struct iopf_driver *driver, struct driver_intake *intake)
{
	bool there = !driver->family->announced ||
		     ring_written(&intake->ring, driver->options.memory, intake->head) ||
		     intake->looks == LOOKS_MAX;

	intake->looks += !there;
	return there;
}

/* What is announced in its place next is not there before it is written. */
static bool entry_take(const struct iopf_driver *driver, struct driver_intake *intake,
		       uint8_t *record)
{
	static const uint8_t nothing[RING_ENTRY_MAX];
	const struct iopf_memory *memory = driver->options.memory;
	bool good = ring_load(&intake->ring, memory, intake->head, record);

	if (good && driver->family->announced)
		ring_store(&intake->ring, memory, intake->head, nothing);
	intake->head = ring_next(&intake->ring, intake->head);
	intake->looks = 0;
	return good;
}

static bool intake_turned(const struct driver_intake *intake)
{
	return intake->turned != intake->followed;
}

/* ---- Requests --------------------------------------------------------------------- */

/* Before the tail is read: pending that was cleared after it would hide an entry that came
 * between the two. */
static int pending_clear(struct iopf_driver *driver, uint32_t bits)
{
	return driver->family->pending_at == 0 ?
		       0 :
		       driver_write(driver, driver->family->pending_at, 4, bits);
}

/* Once: whoever looks is asked again when something came. */
static int requests_look_again(struct iopf_driver *driver)
{
	const struct driver_family *family = driver->family;
	uint64_t status;
	int error = driver_read(driver, family->status, 4, &status);

	if (error != 0 || intake_left(&driver->request) > 0 ||
	    (status & family->pending) == 0)
		return error;
	error = pending_clear(driver, family->pending);
	return error == 0 ? driver_tail_read(driver, &driver->request) : error;
}

/* The tail, and the flags before it. */
static int requests_look(struct iopf_driver *driver, bool clear, bool *lost)
{
	const struct driver_family *family = driver->family;
	uint64_t status = 0;
	int error = 0;

	*lost = false;
	if (family->direct != NULL)
		return 0;
	if (family->status != 0)
		error = driver_read(driver, family->status, 4, &status);
	if (error == 0 && clear && family->pending_at != 0)
		error = pending_clear(driver, family->pending);
	else if (error == 0 && clear && (status & family->pending) != 0)
		error = driver_write(driver, family->status, 4, family->pending);
	if (error == 0)
		error = driver_tail_read(driver, &driver->request);
	if (error == 0 && clear && family->look_again)
		error = requests_look_again(driver);
	if (error == 0)
		*lost = (status & family->overflow) != 0 ||
			intake_turned(&driver->request);
	return error;
}

/* True: @request is the entry at the head. The head goes on in any case. */
static bool request_take(struct iopf_driver *driver, struct iopf_request *request)
{
	struct driver_intake *intake = &driver->request;
	uint8_t record[RING_ENTRY_MAX];
	bool reserved = false;
	bool good = entry_take(driver, intake, record) &&
		    driver->options.wire->decode_request(record, request, &reserved) == 0;

	driver->stats.requests += good;
	driver->stats.undecodable += !good;
	driver->stats.reserved_bits += good && reserved;
	return good;
}

/* An overflow that was seen before the tail, or with it, is over when the queue is
 * empty: nothing comes in while the flag stands. */
int iopf_driver_poll(struct iopf_driver *driver, struct iopf_request *requests,
		     uint32_t max)
{
	struct driver_intake *intake = &driver->request;
	uint32_t count = 0;
	bool lost = false;
	int error = 0;

	if (max == 0 || max > INT_MAX)
		return -EINVAL;
	if (intake_left(intake) == 0)
		error = requests_look(driver, true, &lost);
	if (error != 0)
		return error;
	if (intake_left(intake) == 0)
		return lost ? -EOVERFLOW : 0;
	if (!entry_there(driver, intake))
		return 0;
	/* Bounded by the tail as read, whatever the records are. */
	while (count < max && intake_left(intake) > 0 && entry_there(driver, intake))
		count += request_take(driver, &requests[count]);
	error = head_write(driver, intake, intake->followed);
	return error != 0 && count == 0 ? error : (int)count;
}

int iopf_driver_recover(struct iopf_driver *driver)
{
	const struct driver_family *family = driver->family;
	struct driver_intake *intake = &driver->request;
	bool lost = false;
	int error = requests_look(driver, false, &lost);

	if (error != 0 || !lost)
		return error;
	if (intake_left(intake) > 0)
		return -EAGAIN;
	if (family->recover != NULL)
		error = family->recover(driver);
	else if (family->turned != 0)
		error = head_write(driver, intake, intake->turned);
	else
		error = driver_write(driver, family->status, 4, family->overflow);
	driver->stats.overflows += error == 0;
	return error;
}

int iopf_driver_backlog(struct iopf_driver *driver, uint32_t *count, bool *lost)
{
	bool overflow = false;
	int error = requests_look(driver, false, &overflow);

	if (error != 0)
		return error;
	*count = intake_left(&driver->request);
	*lost = overflow;
	return 0;
}

/* ---- Faults ----------------------------------------------------------------------- */

/* True: @fault is the entry at the head. The head goes on in any case. */
static bool fault_take(struct iopf_driver *driver, struct iopf_fault *fault)
{
	struct driver_intake *intake = &driver->event;
	uint8_t record[RING_ENTRY_MAX];
	bool reserved = false;
	bool good = entry_take(driver, intake, record) &&
		    driver->options.wire->decode_fault(record, fault, &reserved) == 0;

	driver->stats.faults++;
	driver->stats.reserved_bits += good && reserved;
	return good;
}

static int events_recover(struct iopf_driver *driver)
{
	int recovered = driver->family->event_recover(driver);

	driver->stats.fault_overflows += recovered > 0;
	return recovered < 0 && recovered != -EAGAIN ? recovered : 0;
}

/* What stands behind an error waits until that was told (iopf_driver_errors()). */
static bool event_there(struct iopf_driver *driver)
{
	struct driver_intake *intake = &driver->event;

	return intake_left(intake) > 0 &&
	       !(driver->event_silent && intake->head == driver->event_seen) &&
	       entry_there(driver, intake);
}

/* An overflow is acknowledged with what is taken next: no stall was lost, and nothing
 * that comes depends on what was (IHI 0070, 7.4). */
static int events_take(struct iopf_driver *driver, struct iopf_fault *faults, uint32_t max)
{
	struct driver_intake *intake = &driver->event;
	uint32_t count = 0;
	int error = 0;
	bool lost;

	if (intake_left(intake) == 0)
		error = pending_clear(driver, driver->family->event_pending);
	if (error == 0 && intake_left(intake) == 0)
		error = driver_tail_read(driver, intake);
	lost = intake_turned(intake);
	if (error == 0 && intake_left(intake) == 0 && driver->family->event_recover != NULL)
		return events_recover(driver);
	if (error == 0 && driver->family->event_look != NULL)
		error = driver->family->event_look(driver);
	if (error != 0 || (intake_left(intake) == 0 && !lost) ||
	    (intake_left(intake) > 0 && !event_there(driver)))
		return error;
	while (count < max && event_there(driver))
		count += fault_take(driver, &faults[count]);
	error = head_write(driver, intake, intake->turned);
	driver->stats.fault_overflows += error == 0 && lost;
	return error != 0 && count == 0 ? error : (int)count;
}

int iopf_driver_poll_faults(struct iopf_driver *driver, struct iopf_fault *faults,
			    uint32_t max)
{
	if (max == 0 || max > INT_MAX)
		return -EINVAL;
	if (driver->family->faults != NULL)
		return driver->family->faults(driver, faults, max);
	return events_take(driver, faults, max);
}

int iopf_driver_fault_backlog(struct iopf_driver *driver, uint32_t *count)
{
	int error = 0;

	if (driver->family->direct != NULL)
		return driver->family->direct->backlog(driver, count);
	if (driver->options.wire->fault_bytes != 0)
		error = driver_tail_read(driver, &driver->event);
	if (error != 0)
		return error;
	*count = intake_left(&driver->event);
	return 0;
}

uint32_t iopf_driver_stall_max(const struct iopf_driver *driver)
{
	return driver->stall_max;
}
