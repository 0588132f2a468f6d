/* SPDX-License-Identifier: BSD-3-Clause */
/* queue/driver.c - software's end of an IOMMU's queues, whatever the family. */
#include "queue/driver.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

enum { PAGE_BYTES = 4096, ORDER_MAX = 7 };

static const struct driver_family *const families[] = { &driver_vtd };

int driver_read(struct iopf_driver *driver, uint32_t offset, uint32_t width,
		uint64_t *value)
{
	return driver->options.registers->read(driver->options.context, offset, width,
					       value);
}

int driver_write(struct iopf_driver *driver, uint32_t offset, uint32_t width,
		 uint64_t value)
{
	return driver->options.registers->write(driver->options.context, offset, width,
						value);
}

size_t iopf_driver_size_bytes(void)
{
	return sizeof(struct iopf_driver);
}

static const struct driver_family *family_of(const struct iopf_wire *wire)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (families[i]->wire == wire)
			return families[i];
	}
	return NULL;
}

static bool options_valid(const struct iopf_driver_options *options)
{
	const struct iopf_wire *wire = options->wire;

	return options->size_bytes == sizeof(*options) && wire != NULL &&
	       options->registers != NULL && options->memory != NULL &&
	       options->command_bytes != 0 &&
	       (options->command_bytes == wire->command_bytes[0] ||
		options->command_bytes == wire->command_bytes[1]) &&
	       options->request_order <= ORDER_MAX &&
	       options->command_order <= ORDER_MAX &&
	       options->root_addr % PAGE_BYTES == 0 &&
	       options->request_addr % PAGE_BYTES == 0 &&
	       options->command_addr % PAGE_BYTES == 0 &&
	       options->status_addr % sizeof(uint32_t) == 0;
}

static bool queues_there(const struct iopf_driver_options *options)
{
	const struct iopf_memory *memory = options->memory;

	return memory_at(memory, options->request_addr,
			 (uint64_t)PAGE_BYTES << options->request_order) != NULL &&
	       memory_at(memory, options->command_addr,
			 (uint64_t)PAGE_BYTES << options->command_order) != NULL &&
	       memory_at(memory, options->status_addr, sizeof(uint32_t)) != NULL;
}

int iopf_driver_create(const struct iopf_driver_options *options, void *memory,
		       size_t memory_bytes, struct iopf_driver **driver)
{
	struct iopf_driver *made = memory;
	const struct driver_family *family;

	if (!options_valid(options) || (uintptr_t)memory % sizeof(uint64_t) != 0)
		return -EINVAL;
	if (memory_bytes < sizeof(*made))
		return -ENOSPC;
	family = family_of(options->wire);
	if (family == NULL)
		return -EOPNOTSUPP;
	if (!queues_there(options))
		return -EFAULT;
	memset(made, 0, sizeof(*made));
	made->family = family;
	made->options = *options;
	ring_create(&made->request, family->convention, options->request_addr,
		    (uint64_t)PAGE_BYTES << options->request_order,
		    options->wire->request_bytes);
	ring_create(&made->command, family->convention, options->command_addr,
		    (uint64_t)PAGE_BYTES << options->command_order,
		    options->command_bytes);
	*driver = made;
	return 0;
}

void driver_reset(struct iopf_driver *driver)
{
	driver->request_tail = 0;
	driver->request_head = 0;
	driver->command_prod = 0;
	driver->command_published = 0;
	driver->command_cons = 0;
	driver->wait_seen = driver->wait_submitted;
	ring_status_store(driver->options.memory, driver->options.status_addr,
			  (uint32_t)driver->wait_submitted);
}

int iopf_driver_start(struct iopf_driver *driver)
{
	return driver->family->start(driver);
}

int iopf_driver_stop(struct iopf_driver *driver)
{
	return driver->family->stop(driver);
}

/* ---- Requests --------------------------------------------------------------------- */

static int tail_read(struct iopf_driver *driver)
{
	uint64_t value;
	uint32_t index;
	int error = driver_read(driver, driver->family->request.prod, 8, &value);

	if (error != 0)
		return error;
	if (!ring_index(&driver->request, value, &index)) {
		driver->stats.bad_indices++;
		return -EIO;
	}
	driver->request_tail = index;
	return 0;
}

static uint32_t requests_left(const struct iopf_driver *driver)
{
	return ring_used(&driver->request, driver->request_tail, driver->request_head);
}

/*
 * Flags first, then the tail. Pending that is cleared after the tail was read would
 * hide an entry that came between the two. An overflow that was seen before the tail
 * is over when the queue is empty: nothing comes in while the flag stands.
 */
static int requests_look(struct iopf_driver *driver)
{
	const struct driver_family *family = driver->family;
	uint64_t status;
	int error = driver_read(driver, family->status, 4, &status);

	if (error == 0 && (status & family->pending) != 0)
		error = driver_write(driver, family->status, 4, family->pending);
	if (error == 0)
		error = tail_read(driver);
	if (error == 0 && requests_left(driver) == 0 && (status & family->overflow) != 0)
		error = -EOVERFLOW;
	return error;
}

/* True: @request is the entry at the head. The head goes on in any case. */
static bool request_take(struct iopf_driver *driver, struct iopf_request *request)
{
	uint8_t record[RING_ENTRY_MAX];
	bool reserved = false;
	bool good = ring_load(&driver->request, driver->options.memory,
			      driver->request_head, record) &&
		    driver->options.wire->decode_request(record, request, &reserved) == 0;

	driver->request_head = ring_next(&driver->request, driver->request_head);
	driver->stats.requests += good;
	driver->stats.undecodable += !good;
	driver->stats.reserved_bits += good && reserved;
	return good;
}

int iopf_driver_poll(struct iopf_driver *driver, struct iopf_request *requests,
		     uint32_t max)
{
	uint32_t count = 0;
	int error = 0;

	if (max == 0 || max > INT_MAX)
		return -EINVAL;
	if (requests_left(driver) == 0)
		error = requests_look(driver);
	if (error != 0 || requests_left(driver) == 0)
		return error;
	/* Bounded by the tail as read, whatever the records are. */
	while (count < max && requests_left(driver) > 0)
		count += request_take(driver, &requests[count]);
	/* release: the entries are copied; pairs with hardware's read of the head */
	error = driver_write(driver, driver->family->request.cons, 8,
			     ring_register(&driver->request, driver->request_head));
	return error != 0 && count == 0 ? error : (int)count;
}

int iopf_driver_recover(struct iopf_driver *driver)
{
	const struct driver_family *family = driver->family;
	uint64_t status;
	int error = driver_read(driver, family->status, 4, &status);

	if (error != 0 || (status & family->overflow) == 0)
		return error;
	error = tail_read(driver);
	if (error != 0)
		return error;
	if (requests_left(driver) > 0)
		return -EAGAIN;
	error = driver_write(driver, family->status, 4, family->overflow);
	driver->stats.overflows += error == 0;
	return error;
}

int iopf_driver_backlog(struct iopf_driver *driver, uint32_t *count, bool *lost)
{
	uint64_t status;
	int error = driver_read(driver, driver->family->status, 4, &status);

	if (error == 0)
		error = tail_read(driver);
	if (error != 0)
		return error;
	*count = requests_left(driver);
	*lost = (status & driver->family->overflow) != 0;
	return 0;
}

/* ---- Faults ----------------------------------------------------------------------- */

int iopf_driver_poll_faults(struct iopf_driver *driver, struct iopf_fault *faults,
			    uint32_t max)
{
	(void)driver;
	(void)faults;
	return max == 0 || max > INT_MAX ? -EINVAL : -EOPNOTSUPP;
}

int iopf_driver_fault_backlog(struct iopf_driver *driver, uint32_t *count)
{
	(void)driver;
	*count = 0;
	return 0;
}

uint32_t iopf_driver_stall_max(const struct iopf_driver *driver)
{
	(void)driver;
	return 0;
}

/* ---- Commands --------------------------------------------------------------------- */

int driver_command_head(struct iopf_driver *driver, uint32_t *index)
{
	const struct ring *ring = &driver->command;
	uint64_t value;
	uint32_t head;
	int error = driver_read(driver, driver->family->command.cons, 8, &value);

	if (error != 0)
		return error;
	/* It moves forward from where it was, up to what is published. */
	if (!ring_index(ring, value, &head) ||
	    ring_used(ring, driver->command_published, head) >
		    ring_used(ring, driver->command_published, driver->command_cons)) {
		driver->stats.bad_indices++;
		return -EIO;
	}
	*index = head;
	return 0;
}

static uint32_t command_room(const struct iopf_driver *driver)
{
	return ring_capacity(&driver->command) -
	       ring_used(&driver->command, driver->command_prod, driver->command_cons);
}

uint32_t iopf_driver_room(struct iopf_driver *driver)
{
	/* A register access only when the head that was seen last leaves little: a caller
	 * may want more than one place and has to see all that there are. */
	if (command_room(driver) < ring_capacity(&driver->command) / 2)
		(void)driver_command_head(driver, &driver->command_cons);
	return command_room(driver);
}

int iopf_driver_submit(struct iopf_driver *driver, const struct iopf_command *command)
{
	uint8_t record[RING_ENTRY_MAX] = { 0 };
	int error;

	if (command_room(driver) == 0 && iopf_driver_room(driver) == 0)
		return -EAGAIN;
	error = driver->options.wire->encode_command(
		command, driver->options.command_bytes, record);
	if (error != 0)
		return error;
	if (!ring_store(&driver->command, driver->options.memory, driver->command_prod,
			record))
		return -EFAULT;
	driver->command_prod = ring_next(&driver->command, driver->command_prod);
	driver->stats.commands++;
	return 0;
}

int iopf_driver_kick(struct iopf_driver *driver)
{
	int error;

	if (driver->command_published == driver->command_prod)
		return 0;
	/* release: entries are written; pairs with hardware's read of the tail */
	error = driver_write(driver, driver->family->command.prod, 8,
			     ring_register(&driver->command, driver->command_prod));
	if (error == 0)
		driver->command_published = driver->command_prod;
	return error;
}

int iopf_driver_wait(struct iopf_driver *driver, uint32_t flags, uint64_t *wait)
{
	const uint32_t known = IOPF_WAIT_FENCE | IOPF_WAIT_DRAIN | IOPF_WAIT_INTERRUPT;
	struct iopf_command command = {
		.kind = IOPF_COMMAND_WAIT,
		.wait_flags = (uint8_t)(flags | IOPF_WAIT_STATUS),
		.pasid = IOPF_PASID_NONE,
		.status_data = (uint32_t)(driver->wait_submitted + 1),
		.status_addr = driver->options.status_addr,
	};
	int error;

	if ((flags & ~known) != 0)
		return -EINVAL;
	error = iopf_driver_submit(driver, &command);
	if (error != 0)
		return error;
	driver->stats.waits++;
	*wait = ++driver->wait_submitted;
	return 0;
}

bool iopf_driver_waited(struct iopf_driver *driver, uint64_t wait)
{
	uint32_t value, behind;

	if (wait <= driver->wait_seen)
		return true;
	if (!ring_status_load(driver->options.memory, driver->options.status_addr,
			      &value))
		return false;
	behind = (uint32_t)driver->wait_submitted - value;
	if (behind > driver->wait_submitted - driver->wait_seen) {
		driver->stats.bad_indices++;
		return false;
	}
	driver->wait_seen = driver->wait_submitted - behind;
	return wait <= driver->wait_seen;
}

int iopf_driver_errors(struct iopf_driver *driver)
{
	return driver->family->errors(driver);
}

uint32_t iopf_driver_silent(const struct iopf_driver *driver)
{
	return driver->silent_rid != 0 ? driver->silent_rid : IOPF_NO_ID;
}

int iopf_driver_skip(struct iopf_driver *driver)
{
	return driver->family->skip(driver);
}

const struct iopf_driver_stats *iopf_driver_stats(const struct iopf_driver *driver)
{
	return &driver->stats;
}
