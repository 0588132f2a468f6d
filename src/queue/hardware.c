/* SPDX-License-Identifier: BSD-3-Clause */
/* queue/hardware.c - the hardware end: one front, a row behind it for each family. */
#include "queue/hardware.h"

#include <errno.h>
#include <string.h>

#include "base/name.h"

const struct hardware_family *const hardware_families[] = {
	&hardware_vtd,
	&hardware_smmuv3,
	&hardware_amd,
	&hardware_smmuv2,
	&hardware_riscv,
	NULL,
};

const struct hardware_family *hardware_family_find(const char *name)
{
	const struct hardware_family *const *family = hardware_families;

	while (*family != NULL && !name_is((*family)->wire->name, name))
		family++;
	return *family;
}

const struct hardware_family *hardware_family_first(enum iopf_mechanism mechanism)
{
	const struct hardware_family *const *family = hardware_families;

	while (*family != NULL &&
	       ((*family)->mechanisms & (*family)->guest_mechanisms & 1u << mechanism) == 0)
		family++;
	return *family;
}

size_t iopf_hardware_size_bytes(void)
{
	return sizeof(struct iopf_hardware);
}

static const struct hardware_family *family_of(const struct iopf_wire *wire)
{
	const struct hardware_family *const *family = hardware_families;

	while (*family != NULL && (*family)->wire != wire)
		family++;
	return *family;
}

static bool ops_complete(const struct iopf_hardware_ops *ops)
{
	return ops != NULL && ops->command != NULL && ops->interrupt != NULL &&
	       ops->root_changed != NULL && ops->translation_changed != NULL &&
	       ops->queue_changed != NULL;
}

int iopf_hardware_create(const struct iopf_hardware_options *options, void *memory,
			 size_t memory_bytes, struct iopf_hardware **hardware)
{
	const struct hardware_family *family = family_of(options->wire);
	struct iopf_hardware *made = memory;

	if (options->size_bytes != sizeof(*options) || family == NULL ||
	    options->memory == NULL || !ops_complete(options->ops) ||
	    (uintptr_t)memory % sizeof(uint64_t) != 0)
		return -EINVAL;
	if (memory_bytes < sizeof(*made))
		return -ENOSPC;
	memset(made, 0, sizeof(*made));
	made->family = family;
	made->options = *options;
	if (!family->create(made))
		return -EINVAL;
	*hardware = made;
	return 0;
}

/* ---- Registers ---------------------------------------------------------------------- */

static bool access_valid(const struct iopf_hardware *hardware, uint32_t offset,
			 uint32_t width)
{
	return (width == 4 || width == 8) && offset % width == 0 &&
	       offset <= hardware->file.layout->size_bytes - width;
}

int iopf_hardware_read(struct iopf_hardware *hardware, uint32_t offset, uint32_t width,
		       uint64_t *value)
{
	if (!access_valid(hardware, offset, width)) {
		hardware->stats.bad_accesses++;
		return -EINVAL;
	}
	hardware->stats.bad_accesses +=
		!registers_read(&hardware->file, offset, width, value);
	return 0;
}

int iopf_hardware_write(struct iopf_hardware *hardware, uint32_t offset, uint32_t width,
			uint64_t value)
{
	const struct hardware_family *family = hardware->family;

	if (!access_valid(hardware, offset, width)) {
		hardware->stats.bad_accesses++;
		return -EINVAL;
	}
	hardware->stats.bad_accesses +=
		!registers_write(&hardware->file, offset, width, value);
	for (uint32_t i = 0; i < family->action_count; i++) {
		if (family->actions[i].offset < offset + width &&
		    offset < family->actions[i].end)
			family->actions[i].written(hardware);
	}
	if (family->wrote != NULL)
		family->wrote(hardware, offset);
	return 0;
}

static int register_read(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	return iopf_hardware_read(context, offset, width, value);
}

static int register_write(void *context, uint32_t offset, uint32_t width, uint64_t value)
{
	return iopf_hardware_write(context, offset, width, value);
}

const struct iopf_register_ops iopf_hardware_registers = { register_read,
							   register_write };

uint64_t iopf_hardware_root(const struct iopf_hardware *hardware)
{
	return hardware->family->root(hardware);
}

uint64_t iopf_hardware_root_config(const struct iopf_hardware *hardware)
{
	return hardware->family->root_config(hardware);
}

bool iopf_hardware_translates(const struct iopf_hardware *hardware)
{
	return hardware->family->translates(hardware);
}

const struct iopf_hardware_stats *
iopf_hardware_stats(const struct iopf_hardware *hardware)
{
	return &hardware->stats;
}

/* ---- Those who look on --------------------------------------------------------------- */

void hardware_observe(struct iopf_hardware *hardware,
		      const struct hardware_observer *observer)
{
	hardware->observer = observer;
}

void hardware_observe_command(const struct iopf_hardware *hardware)
{
	if (hardware->observer != NULL)
		hardware->observer->command(hardware->observer->context, &hardware->held);
}

/* ---- Queues ------------------------------------------------------------------------- */

int iopf_hardware_post(struct iopf_hardware *hardware, const struct iopf_request *request)
{
	uint8_t record[RING_ENTRY_MAX] = { 0 };
	int error;

	if (hardware->family->post == NULL)
		return -EOPNOTSUPP;
	error = hardware->family->wire->encode_request(request, record);

	return error != 0 ? error : hardware->family->post(hardware, request, record);
}

bool iopf_hardware_fault(struct iopf_hardware *hardware, const struct iopf_fault *fault)
{
	return hardware->family->fault(hardware, fault);
}

bool iopf_hardware_fault_room(const struct iopf_hardware *hardware, uint32_t *room,
			      uint32_t *size)
{
	return hardware->family->fault_room != NULL &&
	       hardware->family->fault_room(hardware, room, size);
}

uint32_t iopf_hardware_run(struct iopf_hardware *hardware, uint32_t budget)
{
	uint32_t count = 0;

	while (count < budget && hardware->family->step(hardware))
		count++;
	return count;
}
