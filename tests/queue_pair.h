/* SPDX-License-Identifier: BSD-3-Clause */
/* queue_pair.h - both ends of VT-d's queues over one memory, and what went across. */
#ifndef TESTS_QUEUE_PAIR_H
#define TESTS_QUEUE_PAIR_H

#include <errno.h>
#include <stdalign.h>

#include "iopf/queue.h"
#include "queue/vtd.h"

enum {
	PAGE = 4096,
	PAIR_PAGES = 16,
	ROOT_AT = 0x1000,
	REQUESTS_AT = 0x2000, /* up to 4 pages */
	COMMANDS_AT = 0x6000, /* up to 4 pages */
	STATUS_AT = 0xa000,
	INTERRUPT_ADDR = 0x5a5a5000,
	INTERRUPT_DATA = 0x77,
};

struct pair {
	alignas(4096) uint8_t bytes[PAIR_PAGES * PAGE];
	alignas(8) uint8_t hardware_bytes[16384], driver_bytes[4096];
	struct iopf_segment segment;
	struct iopf_memory memory;
	struct iopf_hardware *hardware;
	struct iopf_driver *driver;

	/* What the hardware end was asked and did. */
	uint32_t commands, interrupts, roots, on, off, changes;
	uint64_t interrupt_addr;
	uint32_t interrupt_data;
	enum iopf_queue_change change;
	struct iopf_command command;
	int command_result; /* what ops->command says */
	uint32_t accesses;  /* of registers, by the driver */
};

static struct pair pair;

static int pair_command(void *context, const struct iopf_command *command)
{
	struct pair *p = context;

	if (p->command_result != -EAGAIN)
		p->commands++;
	p->command = *command;
	return p->command_result;
}

static void pair_interrupt(void *context, uint64_t addr, uint32_t data)
{
	struct pair *p = context;

	p->interrupts++;
	p->interrupt_addr = addr;
	p->interrupt_data = data;
}

static void pair_root(void *context)
{
	((struct pair *)context)->roots++;
}

static void pair_translation(void *context, bool on)
{
	struct pair *p = context;

	p->on += on;
	p->off += !on;
}

static void pair_change(void *context, enum iopf_queue_change change)
{
	struct pair *p = context;

	p->changes++;
	p->change = change;
}

static const struct iopf_hardware_ops pair_ops = {
	pair_command, pair_interrupt, pair_root, pair_translation, pair_change,
};

static inline int pair_read(void *context, uint32_t offset, uint32_t width,
			    uint64_t *value)
{
	struct pair *p = context;

	p->accesses++;
	return iopf_hardware_read(p->hardware, offset, width, value);
}

static inline int pair_write(void *context, uint32_t offset, uint32_t width,
			     uint64_t value)
{
	struct pair *p = context;

	p->accesses++;
	return iopf_hardware_write(p->hardware, offset, width, value);
}

static const struct iopf_register_ops pair_registers = { pair_read, pair_write };

static inline struct iopf_driver_options pair_driver_options(uint32_t command_bytes)
{
	struct iopf_driver_options options = {
		.size_bytes = sizeof(options),
		.command_bytes = command_bytes,
		.wire = &iopf_wire_vtd,
		.registers = &pair_registers,
		.context = &pair,
		.memory = &pair.memory,
		.root_addr = ROOT_AT,
		.request_addr = REQUESTS_AT,
		.command_addr = COMMANDS_AT,
		.status_addr = STATUS_AT,
		.interrupt_addr = INTERRUPT_ADDR,
		.interrupt_data = INTERRUPT_DATA,
	};

	return options;
}

static inline void pair_hardware_ops(uint32_t features, const struct iopf_hardware_ops *ops)
{
	struct iopf_hardware_options options = {
		.size_bytes = sizeof(options),
		.version = IOPF_VTD_VERSION,
		.wire = &iopf_wire_vtd,
		.memory = &pair.memory,
		.ops = ops,
		.context = &pair,
	};

	memset(&pair, 0, sizeof(pair));
	pair.segment = (struct iopf_segment){ 0, sizeof(pair.bytes), pair.bytes };
	pair.memory = (struct iopf_memory){ &pair.segment, 1 };
	CHECK_EQ(iopf_vtd_capability(features, 20, &options.cap, &options.ecap), 0);
	CHECK_EQ(iopf_hardware_create(&options, pair.hardware_bytes,
				      sizeof(pair.hardware_bytes), &pair.hardware), 0);
}

static inline void pair_hardware(uint32_t features)
{
	pair_hardware_ops(features, &pair_ops);
}

/* Up and running, nothing in any queue, all counts of this header 0. */
static inline void pair_start_ops(const struct iopf_driver_options *options,
				  const struct iopf_hardware_ops *ops)
{
	int error, rounds = 0;

	pair_hardware_ops(IOPF_VTD_PHYSICAL, ops);
	CHECK_EQ(iopf_driver_create(options, pair.driver_bytes, sizeof(pair.driver_bytes),
				    &pair.driver), 0);
	while ((error = iopf_driver_start(pair.driver)) == -EAGAIN && rounds++ < 100)
		iopf_hardware_run(pair.hardware, 16);
	CHECK_EQ(error, 0);
	pair.commands = pair.interrupts = 0;
}

static inline void pair_start_with(const struct iopf_driver_options *options)
{
	pair_start_ops(options, &pair_ops);
}

static inline void pair_start(void)
{
	struct iopf_driver_options options = pair_driver_options(32);

	pair_start_with(&options);
}

static inline uint64_t pair_reg(uint32_t offset, uint32_t width)
{
	uint64_t value = 0;

	CHECK_EQ(iopf_hardware_read(pair.hardware, offset, width, &value), 0);
	return value;
}

static inline void pair_set(uint32_t offset, uint32_t width, uint64_t value)
{
	CHECK_EQ(iopf_hardware_write(pair.hardware, offset, width, value), 0);
}

/* Request number @n: its address and index say which it is. */
static inline struct iopf_request pair_request(uint64_t n, uint8_t flags)
{
	struct iopf_request request = {
		.addr = (n & 0xffffffff) << 12,
		.rid = 0x0310,
		.pasid = (uint32_t)(n & 0xfffff),
		.index = (uint16_t)(n & 0x1ff),
		.perm = IOPF_READ,
		.flags = flags,
	};

	return request;
}

static inline int pair_post(uint64_t n)
{
	struct iopf_request request = pair_request(n, IOPF_LAST);

	return iopf_hardware_post(pair.hardware, &request);
}

static inline struct iopf_command pair_response(uint64_t n)
{
	struct iopf_command command = {
		.kind = IOPF_COMMAND_RESPONSE,
		.rid = (uint32_t)(n & 0xffff),
		.pasid = (uint32_t)(n & 0xfffff),
		.index = (uint16_t)(n & 0x1ff),
		.code = IOPF_INVALID,
	};

	return command;
}

#endif
