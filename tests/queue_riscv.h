/* SPDX-License-Identifier: BSD-3-Clause */
/* queue_riscv.h - both ends of a RISC-V IOMMU's queues. */
#ifndef TESTS_QUEUE_RISCV_H
#define TESTS_QUEUE_RISCV_H

#include "queue_pair.h"

#include "queue/riscv.h"

/* One page each; one slot stays free. */
enum { SLOTS = 256, ROOM = SLOTS - 1, FAULT_SLOTS = 128, FAULTS_AT = 0xc000 };
enum { CIP = 1 << RISCV_CIP, FIP = 1 << RISCV_FIP, PIP = 1 << RISCV_PIP };
#define ON (RISCV_CSR_EN | RISCV_CSR_IE | RISCV_CSR_ON)

static uint32_t silent_rid; /* does not answer invalidations */
static uint32_t kinds[32], kind_count;
static struct iopf_command seen[32];

static inline int on_command(void *context, const struct iopf_command *command)
{
	int error = pair_command(context, command);

	if (kind_count < 32) {
		seen[kind_count] = *command;
		kinds[kind_count++] = command->kind;
	}
	return command->kind == IOPF_COMMAND_INVALIDATE_DEVICE && command->rid == silent_rid ?
		       -ETIMEDOUT :
		       error;
}

static const struct iopf_hardware_ops ops = {
	on_command, pair_interrupt, pair_root, pair_translation, pair_change,
};

static inline int hardware_create(uint64_t cap)
{
	struct iopf_hardware_options options = {
		.size_bytes = sizeof(options),
		.wire = &iopf_wire_riscv,
		.version = RISCV_VERSION,
		.cap = cap,
		.memory = &pair.memory,
		.ops = &ops,
		.context = &pair,
	};

	silent_rid = IOPF_NO_ID;
	memset(&pair, 0, sizeof(pair));
	pair.segment = (struct iopf_segment){ 0, sizeof(pair.bytes), pair.bytes };
	pair.memory = (struct iopf_memory){ &pair.segment, 1 };
	return iopf_hardware_create(&options, pair.hardware_bytes, sizeof(pair.hardware_bytes),
				    &pair.hardware);
}

static inline uint64_t caps(uint32_t features)
{
	uint64_t cap = 0;

	CHECK_EQ(riscv_capabilities(features, 20, 56, &cap), 0);
	return cap;
}

static inline struct iopf_driver_options driver_options(void)
{
	struct iopf_driver_options options = pair_driver_options(16);

	options.wire = &iopf_wire_riscv;
	options.event_addr = FAULTS_AT;
	options.root_config = RISCV_MODE_3LVL;
	options.forget_silent = true;
	return options;
}

static inline int run(int (*step)(struct iopf_driver *driver))
{
	int error, rounds = 0;

	while ((error = step(pair.driver)) == -EAGAIN && rounds++ < 100)
		iopf_hardware_run(pair.hardware, 16);
	return error;
}

static inline int start_with(uint64_t cap, const struct iopf_driver_options *options)
{
	int error;

	CHECK_EQ(hardware_create(cap), 0);
	CHECK_EQ(iopf_driver_create(options, pair.driver_bytes, sizeof(pair.driver_bytes),
				    &pair.driver), 0);
	kind_count = 0;
	error = run(iopf_driver_start);
	pair.commands = pair.interrupts = kind_count = 0;
	return error;
}

static inline void start(void)
{
	const struct iopf_driver_options options = driver_options();

	CHECK_EQ(start_with(caps(RISCV_PHYSICAL), &options), 0);
}

static inline int post(uint64_t n, uint8_t flags)
{
	const struct iopf_request request = pair_request(n, flags);

	return iopf_hardware_post(pair.hardware, &request);
}

static inline void submit(struct iopf_command command)
{
	CHECK_EQ(iopf_driver_submit(pair.driver, &command), 0);
}

static inline void drain(void)
{
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	iopf_hardware_run(pair.hardware, 4 * SLOTS);
}

static inline uint32_t csr(uint32_t offset)
{
	return (uint32_t)pair_reg(offset, 4);
}

#endif
