/* SPDX-License-Identifier: BSD-3-Clause */
/* queue/driver.c - software's end of an IOMMU's queues, whatever the family. */
#include "queue/driver.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

enum {
	PAGE_BYTES = 4096,
	ORDER_MAX = 7,
	DIRECT_ROOM = 0xffff, /* commands that are register writes: as many as one likes */
};

static const struct driver_family *const families[] = { &driver_vtd, &driver_smmuv3,
							&driver_amd, &driver_smmuv2,
							&driver_riscv };

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

const struct driver_family *driver_family_of(const struct iopf_wire *wire)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (families[i]->wire == wire)
			return families[i];
	}
	return NULL;
}

static bool options_sound(const struct iopf_driver_options *options)
{
	const struct iopf_wire *wire = options->wire;

	return options->size_bytes == sizeof(*options) && wire != NULL &&
	       options->registers != NULL && options->memory != NULL &&
	       (options->command_bytes != 0 || wire->command_bytes[0] == 0) &&
	       (options->command_bytes == wire->command_bytes[0] ||
		options->command_bytes == wire->command_bytes[1]) &&
	       options->root_addr % PAGE_BYTES == 0;
}

/* Where a queue lies. */
struct place {
	uint64_t addr;
	uint32_t order;
};

enum { PLACE_REQUEST, PLACE_COMMAND, PLACE_EVENT, PLACE_COUNT };

/* Returns: how many queues the family has. */
static uint32_t places_of(const struct driver_family *family,
			  const struct iopf_driver_options *options, struct place *places)
{
	if (family->direct != NULL)
		return 0;
	places[PLACE_REQUEST] =
		(struct place){ options->request_addr, options->request_order };
	places[PLACE_COMMAND] =
		(struct place){ options->command_addr, options->command_order };
	places[PLACE_EVENT] = (struct place){ options->event_addr, options->event_order };
	return options->wire->fault_bytes != 0 ? PLACE_COUNT : PLACE_EVENT;
}

static uint32_t status_bytes(const struct driver_family *family)
{
	return family->status_bytes != 0 ? family->status_bytes : sizeof(uint32_t);
}

static bool places_valid(const struct driver_family *family,
			 const struct iopf_driver_options *options)
{
	struct place places[PLACE_COUNT];
	uint32_t count = places_of(family, options, places);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t order = family->size_aligned ? places[i].order : 0;

		if (places[i].order > ORDER_MAX ||
		    places[i].addr % ((uint64_t)PAGE_BYTES << order) != 0)
			return false;
	}
	return options->status_addr % status_bytes(family) == 0 &&
	       (family->status_at_zero || options->status_addr != 0);
}

static bool places_there(const struct driver_family *family,
			 const struct iopf_driver_options *options)
{
	struct place places[PLACE_COUNT];
	uint32_t count = places_of(family, options, places);

	for (uint32_t i = 0; i < count; i++) {
		if (memory_at(options->memory, places[i].addr,
			      (uint64_t)PAGE_BYTES << places[i].order) == NULL)
			return false;
	}
	return memory_at(options->memory, options->status_addr, status_bytes(family)) !=
	       NULL;
}

static void rings_create(struct iopf_driver *driver)
{
	const struct iopf_driver_options *options = &driver->options;
	struct ring_convention convention = driver->family->convention;

	if (driver->family->direct != NULL)
		return;
	driver->request.at = driver->family->request;
	ring_create(&driver->request.ring, convention, options->request_addr,
		    (uint64_t)PAGE_BYTES << options->request_order,
		    options->wire->request_bytes);
	ring_create(&driver->command, convention, options->command_addr,
		    (uint64_t)PAGE_BYTES << options->command_order,
		    options->command_bytes);
	if (options->wire->fault_bytes == 0)
		return;
	driver->event.at = driver->family->event;
	ring_create(&driver->event.ring, convention, options->event_addr,
		    (uint64_t)PAGE_BYTES << options->event_order,
		    options->wire->fault_bytes);
}

int iopf_driver_create(const struct iopf_driver_options *options, void *memory,
		       size_t memory_bytes, struct iopf_driver **driver)
{
	struct iopf_driver *made = memory;
	const struct driver_family *family;

	if (!options_sound(options) || (uintptr_t)memory % sizeof(uint64_t) != 0)
		return -EINVAL;
	if (memory_bytes < sizeof(*made))
		return -ENOSPC;
	family = driver_family_of(options->wire);
	if (family == NULL)
		return -EOPNOTSUPP;
	if (!places_valid(family, options))
		return -EINVAL;
	if (!places_there(family, options))
		return -EFAULT;
	memset(made, 0, sizeof(*made));
	made->family = family;
	made->options = *options;
	made->silent_rid = IOPF_NO_ID;
	rings_create(made);
	*driver = made;
	return 0;
}

static void intake_reset(struct driver_intake *intake)
{
	intake->tail = 0;
	intake->head = 0;
	intake->turned = 0;
	intake->followed = 0;
	intake->looks = 0;
}

void driver_reset(struct iopf_driver *driver)
{
	intake_reset(&driver->request);
	intake_reset(&driver->event);
	driver->command_prod = 0;
	driver->command_published = 0;
	driver->command_cons = 0;
	driver->wait_seen = driver->wait_submitted;
	ring_status_store(driver->options.memory, driver->options.status_addr,
			  (uint32_t)driver->wait_submitted);
}

int iopf_driver_start(struct iopf_driver *driver)
{
	return driver_run(driver, &driver->family->start);
}

int iopf_driver_stop(struct iopf_driver *driver)
{
	return driver_run(driver, &driver->family->stop);
}

/* ---- Commands --------------------------------------------------------------------- */

int driver_command_head(struct iopf_driver *driver, uint32_t *index)
{
	const struct ring *ring = &driver->command;
	uint64_t value;
	uint32_t head;
	int error = driver_read(driver, driver->family->command.cons,
				driver->family->index_bytes, &value);

	if (error != 0)
		return error;
	/* It moves forward from where it was, up to what is published. */
	value &= ~(uint64_t)driver->family->command_flags;
	if (!ring_index(ring, value, &head) ||
	    ring_used(ring, driver->command_published, head) >
		    ring_used(ring, driver->command_published, driver->command_cons)) {
		driver->stats.bad_indices++;
		return -EIO;
	}
	*index = head;
	return 0;
}

/* A command may take as many places. */
static uint32_t command_places(const struct iopf_driver *driver)
{
	return driver->family->say != NULL ? 2 : 1;
}

static uint32_t command_room(const struct iopf_driver *driver)
{
	uint32_t used = ring_used(&driver->command, driver->command_prod,
				  driver->command_cons);

	return (ring_capacity(&driver->command) - used) / command_places(driver);
}

uint32_t iopf_driver_room(struct iopf_driver *driver)
{
	uint32_t most;

	if (driver->family->direct != NULL)
		return DIRECT_ROOM;
	most = ring_capacity(&driver->command) / command_places(driver);
	/* A register access only when the head that was seen last leaves little: a caller
	 * may want more than one place and has to see all that there are. */
	if (command_room(driver) < most / 2)
		(void)driver_command_head(driver, &driver->command_cons);
	return command_room(driver);
}

/* Nothing is seen of it before the tail is published: the last may fail. */
static int commands_store(struct iopf_driver *driver, const struct iopf_command *said,
			  uint32_t count)
{
	uint32_t prod = driver->command_prod;

	for (uint32_t i = 0; i < count; i++) {
		uint8_t record[RING_ENTRY_MAX] = { 0 };
		int error = driver->options.wire->encode_command(
			&said[i], driver->options.command_bytes, record);

		if (error != 0)
			return error;
		if (!ring_store(&driver->command, driver->options.memory, prod, record))
			return -EFAULT;
		prod = ring_next(&driver->command, prod);
	}
	driver->command_prod = prod;
	driver->stats.commands++;
	return 0;
}

static int command_write(struct iopf_driver *driver, const struct iopf_command *command)
{
	int error = driver->family->direct->submit(driver, command);

	driver->stats.commands += error == 0;
	return error;
}

int iopf_driver_submit(struct iopf_driver *driver, const struct iopf_command *command)
{
	struct iopf_command said[2] = { *command };
	uint32_t count = 1;

	if (driver->family->direct != NULL)
		return command_write(driver, command);
	if (command_room(driver) == 0 && iopf_driver_room(driver) == 0)
		return -EAGAIN;
	if (driver->family->say != NULL)
		count = driver->family->say(driver, command, said);
	return commands_store(driver, said, count);
}

int driver_blank(struct iopf_driver *driver, uint32_t index)
{
	const struct iopf_command nothing = { .kind = IOPF_COMMAND_WAIT,
					      .wait_flags = IOPF_WAIT_FENCE,
					      .pasid = IOPF_PASID_NONE };
	uint8_t record[RING_ENTRY_MAX] = { 0 };
	int error = driver->options.wire->encode_command(
		&nothing, driver->options.command_bytes, record);

	if (error != 0)
		return error;
	return ring_store(&driver->command, driver->options.memory, index, record) ?
		       0 :
		       -EFAULT;
}

int driver_take_back(struct iopf_driver *driver, uint32_t rid)
{
	uint8_t record[RING_ENTRY_MAX];
	uint32_t index;
	int error = driver_command_head(driver, &index);

	for (; error == 0 && index != driver->command_prod;
	     index = ring_next(&driver->command, index)) {
		struct iopf_command command;

		if (!ring_load(&driver->command, driver->options.memory, index, record))
			return -EFAULT;
		if (driver->options.wire->decode_command(
			    record, driver->options.command_bytes, &command) != 0 ||
		    command.kind != IOPF_COMMAND_INVALIDATE_DEVICE || command.rid != rid)
			continue;
		error = driver_blank(driver, index);
		driver->stats.taken_back += error == 0;
	}
	return error;
}

int driver_pass_over(struct iopf_driver *driver)
{
	uint32_t index;
	int error = driver_command_head(driver, &index);

	/* Where nothing is published it stopped at nothing of ours, and what stands there
	 * is to be published next. */
	if (error == 0 && index != driver->command_published)
		error = driver_blank(driver, index);
	driver->stats.queue_errors += error == 0;
	return error;
}

/*
 * Hardware does not say who did not answer; what stands in front of the wait at @index,
 * behind the one before it, often does: all its invalidations are of one device. What
 * was taken is still there, as far as nothing new was written over it.
 */
static uint32_t silent_find(const struct iopf_driver *driver, uint32_t index)
{
	const struct ring *ring = &driver->command;
	uint32_t whole = ring->slots - ring_used(ring, driver->command_prod, index);
	uint32_t rid = IOPF_NO_ID;

	for (; whole > 0; whole--) {
		uint8_t record[RING_ENTRY_MAX];
		struct iopf_command command;

		index = (index - 1) & (ring->modulus - 1);
		if (!ring_load(ring, driver->options.memory, index, record) ||
		    driver->options.wire->decode_command(
			    record, driver->options.command_bytes, &command) != 0 ||
		    command.kind == IOPF_COMMAND_WAIT)
			break;
		if (command.kind != IOPF_COMMAND_INVALIDATE_DEVICE)
			continue;
		if (rid != IOPF_NO_ID && rid != command.rid)
			return IOPF_NO_ID;
		rid = command.rid;
	}
	return rid;
}

int driver_wait_given_up(struct iopf_driver *driver)
{
	uint32_t index;
	int error = driver_command_head(driver, &index);

	if (error != 0)
		return error;
	driver->silent_rid = silent_find(driver, index);
	if (index != driver->command_published)
		error = driver_blank(driver, index);
	if (error != 0)
		return error;
	/* Where that fails the queue goes on all the same. */
	if (driver->options.forget_silent && driver->silent_rid != IOPF_NO_ID)
		(void)driver_take_back(driver, driver->silent_rid);
	driver->stats.timeouts++;
	return 0;
}

int iopf_driver_kick(struct iopf_driver *driver)
{
	int error;

	if (driver->family->direct != NULL)
		return driver->family->direct->look(driver);
	if (driver->command_published == driver->command_prod)
		return 0;
	/* release: entries are written; pairs with hardware's read of the tail */
	error = driver_write(driver, driver->family->command.prod,
			     driver->family->index_bytes,
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

	if (driver->family->direct != NULL)
		(void)driver->family->direct->look(driver);
	if (wait <= driver->wait_seen || driver->family->direct != NULL)
		return wait <= driver->wait_seen;
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
	return driver->silent_rid;
}

int iopf_driver_skip(struct iopf_driver *driver)
{
	return driver->family->skip(driver);
}

const struct iopf_driver_stats *iopf_driver_stats(const struct iopf_driver *driver)
{
	return &driver->stats;
}
