/* SPDX-License-Identifier: BSD-3-Clause */
/* queue_smmuv3_driver.h - the driver end over SMMUv3's hardware end. */
#ifndef TESTS_QUEUE_SMMUV3_DRIVER_H
#define TESTS_QUEUE_SMMUV3_DRIVER_H

#include "queue_smmuv3.h"

/* One page each: all entries of it are usable. */
enum { REQUESTS = 256, COMMANDS = 256, EVENTS = 128 };

static inline struct iopf_driver_options smmu_driver_options(void)
{
	struct iopf_driver_options options = pair_driver_options(16);

	options.wire = &iopf_wire_smmuv3;
	options.event_addr = SMMU_EVENTS_AT;
	options.root_config = 6;
	return options;
}

static inline int smmu_driver_create(const struct iopf_driver_options *options)
{
	return iopf_driver_create(options, pair.driver_bytes, sizeof(pair.driver_bytes),
				  &pair.driver);
}

static inline int smmu_driver_run(int (*step)(struct iopf_driver *driver))
{
	int error, rounds = 0;

	while ((error = step(pair.driver)) == -EAGAIN && rounds++ < 100)
		iopf_hardware_run(pair.hardware, 16);
	return error;
}

/* Up and running, nothing in any queue, all counts of the pair 0. */
static inline void smmu_driver_start_ops(const struct iopf_driver_options *options,
					 const struct iopf_hardware_ops *ops)
{
	struct iopf_hardware_options hardware = smmu_options(IOPF_SMMUV3_PHYSICAL);

	hardware.ops = ops;
	smmu_create(&hardware);
	CHECK_EQ(smmu_driver_create(options), 0);
	CHECK_EQ(smmu_driver_run(iopf_driver_start), 0);
	pair.commands = pair.interrupts = 0;
}

static inline void smmu_driver_start(void)
{
	struct iopf_driver_options options = smmu_driver_options();

	smmu_driver_start_ops(&options, &pair_ops);
}

static inline const struct iopf_driver_stats *smmu_driver_stats(void)
{
	return iopf_driver_stats(pair.driver);
}

#endif
