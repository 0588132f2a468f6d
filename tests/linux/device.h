/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * linux/device.h - our function as a program inside the machine sees it: its BAR mapped,
 * its engine's jobs, its bench. Every wait has an end (DEVICE_PATIENCE_NS) and polls what
 * it waits for.
 *
 * The machine is an x86: registers are read and written in one 8-byte access.
 *
 * With DEVICE_SHARED registers are memory that another process looks at in turn (the
 * machine with a stream): what was written is in force when that process has seen it.
 */
#ifndef LINUX_DEVICE_H
#define LINUX_DEVICE_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "model/engine.h"

#define DEVICE_PATIENCE_NS UINT64_C(10000000000)
#define DEVICE_NO_PASID    UINT32_MAX

struct device {
	volatile uint8_t *bar;
};

/* ---- Time ------------------------------------------------------------------------- */

static inline uint64_t device_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* One more look at something that began at *@since (0: now): false where that has lasted
 * longer than @patience_ns. */
static inline bool device_patient(uint64_t *since, uint64_t patience_ns)
{
	uint64_t now = device_now_ns();

	*since = *since == 0 ? now : *since;
	sched_yield();
	return now - *since < patience_ns;
}

/* True as soon as @condition holds, false where it does not in the end. */
#define DEVICE_UNTIL(condition)                                                    \
	({                                                                         \
		uint64_t since_ = 0;                                               \
		bool holds_;                                                       \
		while (!(holds_ = (condition)) &&                                  \
		       device_patient(&since_, DEVICE_PATIENCE_NS))                \
			;                                                          \
		holds_;                                                            \
	})

/* ---- Registers -------------------------------------------------------------------- */

/* Map BAR 0, @size_bytes at @offset of @descriptor: a vfio region, a resource file.
 * Returns: 0 or a negative errno. */
static inline int device_map(struct device *device, int descriptor, uint64_t offset)
{
	void *bar = mmap(NULL, BENCH_BAR_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			 descriptor, (off_t)offset);

	if (bar == MAP_FAILED)
		return -errno;
	device->bar = bar;
	return 0;
}

static inline void device_unmap(struct device *device)
{
	if (device->bar != NULL)
		munmap((void *)(uintptr_t)device->bar, BENCH_BAR_BYTES);
	device->bar = NULL;
}

static inline int device_attribute(const char *name, const char *attribute)
{
	char path[128];
	int descriptor;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", name, attribute);
	descriptor = open(path, O_RDWR | O_CLOEXEC);
	return descriptor >= 0 ? descriptor : -errno;
}

/* Map the BAR of @name ("0001:00:01.0") and switch its memory space on, if no driver has.
 * Returns: 0 or a negative errno. */
static inline int device_open(struct device *device, const char *name)
{
	int resource = device_attribute(name, "resource0");
	int enable = device_attribute(name, "enable");
	int error = resource < 0 ? resource : enable < 0 ? enable : 0;

	*device = (struct device){ NULL };
	if (error == 0 && write(enable, "1", 1) != 1 && errno != EBUSY)
		error = -errno;
	if (error == 0)
		error = device_map(device, resource, 0);
	if (resource >= 0)
		close(resource);
	if (enable >= 0)
		close(enable);
	return error;
}

#ifdef DEVICE_SHARED
/* Map the device whose registers lie at the address that the environment says: device.
 * Returns: 0 or a negative errno. */
static inline int device_open_shared(struct device *device)
{
	const char *where = getenv("device");
	int memory = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	int error = memory < 0 ? -errno : -ENODEV;

	if (memory >= 0 && where != NULL)
		error = device_map(device, memory, strtoull(where, NULL, 0));
	if (memory >= 0)
		close(memory);
	return error;
}
#endif

static inline uint64_t device_read(const struct device *device, uint32_t offset)
{
	return *(const volatile uint64_t *)(const volatile void *)(device->bar + offset);
}

static inline void device_write(struct device *device, uint32_t offset, uint64_t value)
{
	*(volatile uint64_t *)(volatile void *)(device->bar + offset) = value;
}

static inline uint64_t bench_get(const struct device *device, enum bench_register at)
{
	return device_read(device, BENCH_AT + (uint32_t)at);
}

static inline void bench_set(struct device *device, enum bench_register at,
			     uint64_t value)
{
	device_write(device, BENCH_AT + (uint32_t)at, value);
}

static inline bool device_there(const struct device *device)
{
	return device_read(device, MODEL_ENGINE_ID) == MODEL_ENGINE_MAGIC &&
	       bench_get(device, BENCH_MAGIC) == BENCH_MAGIC_VALUE;
}

/* ---- Raw requests ----------------------------------------------------------------- */

/* What BENCH_RESULT says: how many left, or a negative errno. */
static inline int bench_result(const struct device *device)
{
	return (int)(int64_t)bench_get(device, BENCH_RESULT);
}

static inline int bench_command(struct device *device, enum bench_command command)
{
	bench_set(device, BENCH_COMMAND, command);
	return bench_result(device);
}

/* @count requests from the page of @addr on; @flags: enum bench_flag. */
static inline int bench_send_to(struct device *device, enum bench_target target,
				uint32_t rid, uint32_t pasid, uint16_t index,
				uint64_t addr, uint32_t flags, uint32_t count)
{
	bench_set(device, BENCH_TARGET, target);
	bench_set(device, BENCH_RID, rid);
	bench_set(device, BENCH_PASID, pasid);
	bench_set(device, BENCH_INDEX, index);
	bench_set(device, BENCH_ADDR, addr);
	bench_set(device, BENCH_FLAGS, flags);
	bench_set(device, BENCH_SEND, count);
	return bench_result(device);
}

/* Onto the function's link. */
static inline int bench_send(struct device *device, uint32_t pasid, uint16_t index,
			     uint64_t addr, uint32_t flags, uint32_t count)
{
	return bench_send_to(device, BENCH_TARGET_LINK, 0, pasid, index, addr, flags,
			     count);
}

/* Into the page request queue, as if of @rid. */
static inline int bench_post(struct device *device, uint32_t rid, uint32_t pasid,
			     uint16_t index, uint64_t addr, uint32_t flags,
			     uint32_t count)
{
	return bench_send_to(device, BENCH_TARGET_QUEUE, rid, pasid, index, addr, flags,
			     count);
}

/* ---- The log ---------------------------------------------------------------------- */

struct device_record {
	uint64_t addr, ns;
	uint32_t rid, pasid;
	uint16_t index;
	uint8_t kind;    /* enum bench_kind */
	uint8_t code;    /* of a response, as on the wire */
	uint8_t verdict;
	uint8_t what;
};

/* Where the log ends now: what comes is from there on. */
static inline uint64_t device_log_end(const struct device *device)
{
	return bench_get(device, BENCH_LOG_COUNT);
}

/* Record @n. False: there is none, or it is lost. */
static inline bool device_log(struct device *device, uint64_t n,
			      struct device_record *record)
{
	uint64_t word[4];

	bench_set(device, BENCH_LOG_AT, n);
	for (uint32_t i = 0; i < 4; i++)
		word[i] = device_read(device, BENCH_AT + BENCH_WINDOW + 8 * i);
	*record = (struct device_record){
		.addr = word[2],
		.ns = word[3],
		.rid = (uint32_t)word[1],
		.pasid = (uint32_t)(word[1] >> 32),
		.index = (uint16_t)(word[0] >> 32),
		.kind = (uint8_t)word[0],
		.code = (uint8_t)(word[0] >> 8),
		.verdict = (uint8_t)(word[0] >> 16),
		.what = (uint8_t)(word[0] >> 24),
	};
	return record->kind != BENCH_NOTHING;
}

/* The next record of one of @kinds (1 << enum bench_kind) from *@at on, which goes behind
 * it. False: there is none yet. */
static inline bool device_next(struct device *device, uint64_t *at, uint32_t kinds,
			       struct device_record *record)
{
	uint64_t end = device_log_end(device);

	while (*at < end)
		if (device_log(device, (*at)++, record) && kinds >> record->kind & 1)
			return true;
	return false;
}

/* The same, and waits for it. */
static inline bool device_wait(struct device *device, uint64_t *at, uint32_t kinds,
			       struct device_record *record)
{
	return DEVICE_UNTIL(device_next(device, at, kinds, record));
}

/* ---- The engine ------------------------------------------------------------------- */

static inline uint32_t device_job_at(uint32_t slot, enum model_job_register reg)
{
	return MODEL_ENGINE_JOBS + slot * MODEL_JOB_STRIDE + (uint32_t)reg;
}

struct device_job {
	uint64_t source, destination, length, pattern;
	uint64_t control; /* enum model_job_operation and flags */
	uint32_t pasid;   /* or DEVICE_NO_PASID */
	uint32_t slot;
};

static inline void device_start(struct device *device, const struct device_job *job)
{
	device_write(device, device_job_at(job->slot, MODEL_JOB_SOURCE), job->source);
	device_write(device, device_job_at(job->slot, MODEL_JOB_DESTINATION),
		     job->destination);
	device_write(device, device_job_at(job->slot, MODEL_JOB_LENGTH), job->length);
	device_write(device, device_job_at(job->slot, MODEL_JOB_PATTERN), job->pattern);
	device_write(device, device_job_at(job->slot, MODEL_JOB_PASID), job->pasid);
	device_write(device, device_job_at(job->slot, MODEL_JOB_CONTROL), job->control);
#ifdef DEVICE_SHARED
	/* Shown as 0 it was seen, and the status is this job's. */
	(void)DEVICE_UNTIL(device_read(device, device_job_at(job->slot,
								    MODEL_JOB_CONTROL)) == 0);
#endif
}

static inline uint64_t device_job_read(const struct device *device, uint32_t slot,
				       enum model_job_register reg)
{
	return device_read(device, device_job_at(slot, reg));
}

static inline enum model_job_status device_job_status(const struct device *device,
						      uint32_t slot)
{
	return (enum model_job_status)device_job_read(device, slot, MODEL_JOB_STATUS);
}

/* Start @job and wait for its end; running where it does not come. */
static inline enum model_job_status device_run(struct device *device,
					       const struct device_job *job)
{
	device_start(device, job);
	(void)DEVICE_UNTIL(device_job_status(device, job->slot) !=
			   MODEL_JOB_STATUS_running);
	return device_job_status(device, job->slot);
}

#endif
