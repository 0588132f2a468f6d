/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * linux/guest.h - what the programs inside a stock Linux share that is the guest of our
 * virtual VT-d: the driver that serves page requests, the engine, and what the kernel and
 * the host below it did during a case.
 *
 *   guest_engine.c  the engine works, and faults, in tables of the kernel
 *   guest_life.c    spaces, the function and its driver go away with groups open
 *   guest_queue.c   records in the page request queue that no function of ours would send
 *   guest_silence.c the function does not answer what the kernel takes away
 *   guest_random.c  all of that in any order, while the engine works
 *   guest_end.c     the machine ends with groups open
 *
 * Calls of the driver return 0, a count, or a negative errno.
 */
#ifndef LINUX_GUEST_H
#define LINUX_GUEST_H

#include "case.h"
#include "device.h"
#include "iopf_lane.h"
#include "wire/config.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>

enum {
	GUEST_PAGE = 4096,
	GUEST_RID = 0x0008, /* of GUEST_FUNCTION */
	GUEST_PASIDS = 4096,
	GUEST_PASIDS_OF_A_CASE = 8,
	GUEST_SLOTS = 4,    /* jobs of the cases, too */
};
#define GUEST_FUNCTION "0001:00:01.0"
#define GUEST_CONFIG   "/sys/bus/pci/devices/" GUEST_FUNCTION "/config"
#define GUEST_MODULE   "/modules/iopf_lane.ko"

/* What guest_attach() allows: pages to be mapped when asked for; nobody allows NOWHERE. */
#define GUEST_IOVA    UINT64_C(0x40000000)
#define GUEST_BYTES   UINT64_C(0x10000000)
#define GUEST_NOWHERE UINT64_C(0x7000)

static struct guest {
	struct device device;
	int lane; /* the driver */
	uint32_t pasid; /* the first of those of this case: no other case has them */
	bool attached[GUEST_PASIDS];
	uint64_t counters[BENCH_END / 8]; /* what they were when the case began */
	uint64_t log;                     /* what came since is from here on */
} guest = { .lane = -1 };

/* ---- The driver ------------------------------------------------------------------- */

static inline int guest_load(void)
{
	int module = open(GUEST_MODULE, O_RDONLY | O_CLOEXEC);
	int error = 0;

	if (module < 0)
		return -errno;
	if (syscall(SYS_finit_module, module, "", 0) != 0 && errno != EEXIST)
		error = -errno;
	close(module);
	if (error != 0)
		return error;
	guest.lane = open(IOPF_LANE_PATH, O_RDWR | O_CLOEXEC);
	return guest.lane >= 0 ? 0 : -errno;
}

static inline int guest_unload(void)
{
	if (guest.lane >= 0)
		close(guest.lane);
	guest.lane = -1;
	memset(guest.attached, 0, sizeof(guest.attached));
	return syscall(SYS_delete_module, "iopf_lane", O_NONBLOCK) == 0 ? 0 : -errno;
}

static inline int guest_ioctl(unsigned long number, void *argument)
{
	return ioctl(guest.lane, number, argument) == 0 ? 0 : -errno;
}

static inline int guest_allow(uint32_t pasid, uint64_t iova, uint64_t length,
			      uint32_t perm)
{
	struct iopf_lane_allow allow = {
		.pasid = pasid,
		.perm = perm,
		.iova = iova,
		.length = length,
	};

	return guest_ioctl(IOPF_LANE_ALLOW, &allow);
}

static inline int guest_attach_bare(uint32_t pasid, uint32_t flags)
{
	struct iopf_lane_attach attach = { .pasid = pasid, .flags = flags };
	int error = guest_ioctl(IOPF_LANE_ATTACH, &attach);

	if (error == 0 && pasid < GUEST_PASIDS)
		guest.attached[pasid] = true;
	return error;
}

/* A space for @pasid, with pages to write at GUEST_IOVA. */
static inline int guest_attach(uint32_t pasid)
{
	int error = guest_attach_bare(pasid, 0);

	if (error != 0)
		return error;
	return guest_allow(pasid, GUEST_IOVA, GUEST_BYTES, IOPF_LANE_READ_WRITE);
}

static inline int guest_detach(uint32_t pasid, uint32_t flags)
{
	struct iopf_lane_detach detach = { .pasid = pasid, .flags = flags };
	int error = guest_ioctl(IOPF_LANE_DETACH, &detach);

	if (error == 0 && pasid < GUEST_PASIDS)
		guest.attached[pasid] = false;
	return error;
}

static inline int guest_hold(uint32_t pasid, bool hold)
{
	struct iopf_lane_hold argument = { .pasid = pasid, .hold = hold };

	return guest_ioctl(IOPF_LANE_HOLD, &argument);
}

/* Answers what waits, without a page; how many groups. */
static inline int guest_answer(uint32_t pasid, uint32_t code)
{
	struct iopf_lane_answer answer = { .pasid = pasid, .code = code };
	int error = guest_ioctl(IOPF_LANE_ANSWER, &answer);

	return error != 0 ? error : (int)answer.groups;
}

/* How many pages were taken away. */
static inline int guest_unmap(uint32_t pasid, uint64_t iova, uint64_t length,
			      uint32_t flags)
{
	struct iopf_lane_unmap unmap = {
		.pasid = pasid,
		.flags = flags,
		.iova = iova,
		.length = length,
	};
	int error = guest_ioctl(IOPF_LANE_UNMAP, &unmap);

	return error != 0 ? error : (int)unmap.pages;
}

static inline int guest_copy(unsigned long number, uint32_t pasid, uint64_t iova,
			     const void *buffer, uint64_t length)
{
	struct iopf_lane_copy argument = {
		.pasid = pasid,
		.iova = iova,
		.length = length,
		.buffer = (uintptr_t)buffer,
	};

	return guest_ioctl(number, &argument);
}

static inline int guest_read(uint32_t pasid, uint64_t iova, void *buffer,
			     uint64_t length)
{
	return guest_copy(IOPF_LANE_READ, pasid, iova, buffer, length);
}

static inline int guest_write(uint32_t pasid, uint64_t iova, const void *buffer,
			      uint64_t length)
{
	return guest_copy(IOPF_LANE_WRITE, pasid, iova, buffer, length);
}

static inline uint64_t guest_phys(uint32_t pasid, uint64_t iova)
{
	struct iopf_lane_phys phys = { .pasid = pasid, .iova = iova };

	CHECK_EQ(guest_ioctl(IOPF_LANE_PHYS, &phys), 0);
	return phys.phys;
}

static inline struct iopf_lane_state guest_state(uint32_t pasid)
{
	struct iopf_lane_state state = { .pasid = pasid };

	CHECK_EQ(guest_ioctl(IOPF_LANE_STATE, &state), 0);
	return state;
}

/* Of the pages that were taken from the device since the last look: how many were written
 * afterwards. */
static inline uint64_t guest_spoiled(void)
{
	struct iopf_lane_lost lost = { 0 };

	CHECK_EQ(guest_ioctl(IOPF_LANE_LOST, &lost), 0);
	return lost.spoiled;
}

static inline int guest_feature(bool on)
{
	struct iopf_lane_feature feature = { .on = on };

	return guest_ioctl(IOPF_LANE_FEATURE, &feature);
}

static inline int guest_reset(void)
{
	return guest_ioctl(IOPF_LANE_RESET, NULL);
}

/* ---- The engine ------------------------------------------------------------------- */

static inline void guest_start_fill(uint32_t slot, uint32_t pasid, uint64_t iova,
				    uint64_t length, uint64_t pattern)
{
	struct device_job job = {
		.destination = iova,
		.length = length,
		.pattern = pattern,
		.control = MODEL_JOB_FILL,
		.pasid = pasid,
		.slot = slot,
	};

	device_start(&guest.device, &job);
}

/* How it ended, or that it did not. */
static inline enum model_job_status guest_finish(uint32_t slot)
{
	(void)DEVICE_UNTIL(device_job_status(&guest.device, slot) !=
			   MODEL_JOB_STATUS_running);
	return device_job_status(&guest.device, slot);
}

static inline enum model_job_status guest_fill(uint32_t pasid, uint64_t iova,
					       uint64_t length, uint64_t pattern)
{
	guest_start_fill(0, pasid, iova, length, pattern);
	return guest_finish(0);
}

/* The pages of the space are there, and hold @pattern from end to end. */
static inline bool guest_holds(uint32_t pasid, uint64_t iova, uint64_t length,
			       uint64_t pattern)
{
	static uint64_t page[GUEST_PAGE / 8];

	for (uint64_t at = 0; at < length; at += sizeof(page)) {
		if (guest_read(pasid, iova + at, page, sizeof(page)) != 0)
			return false;
		for (size_t i = 0; i < GUEST_PAGE / 8; i++)
			if (page[i] != pattern)
				return false;
	}
	return true;
}

static inline const char *guest_status_name(enum model_job_status status)
{
#define STATUS_NAME(name, text) #name,
	static const char *const names[] = { MODEL_JOB_STATUSES(STATUS_NAME) };

	return status < MODEL_JOB_STATUS_COUNT ? names[status] : "?";
}

/* ---- A case ------------------------------------------------------------------------ */

static inline uint32_t guest_credits(void)
{
	return (uint32_t)bench_get(&guest.device, BENCH_CREDITS);
}

static inline bool guest_is_in_state(uint64_t status)
{
	return (bench_get(&guest.device, BENCH_STATUS) & status) != 0;
}

/* The page request capability in configuration space that the guest sees: what the host
 * makes of it; BENCH_STATUS is the function's own. Returns: a descriptor; @at is where. */
static inline int guest_pri_open(uint32_t *at)
{
	int config = open(GUEST_CONFIG, O_RDWR | O_CLOEXEC);
	uint32_t header = 0;

	for (*at = CONFIG_EXTENDED; *at != 0; *at = header >> 20) {
		CHECK_EQ(pread(config, &header, sizeof(header), *at), sizeof(header));
		if ((header & 0xffff) == EXTENDED_PRI)
			break;
	}
	CHECK(*at != 0);
	return config;
}

static inline uint16_t guest_pri(uint32_t offset)
{
	uint32_t at;
	int config = guest_pri_open(&at);
	uint16_t value;

	CHECK_EQ(pread(config, &value, sizeof(value), at + offset), sizeof(value));
	close(config);
	return value;
}

/* Bits of the status that software has seen: written as 1 they go. */
static inline void guest_pri_clear(uint16_t status)
{
	uint32_t at;
	int config = guest_pri_open(&at);

	CHECK_EQ(pwrite(config, &status, sizeof(status), at + PRI_STATUS), sizeof(status));
	close(config);
}

/* By how much a counter has grown in this case. */
static inline uint64_t guest_grown(enum bench_register counter)
{
	return bench_get(&guest.device, counter) - guest.counters[counter / 8];
}

/* Nothing is left of the case before, however it ended. */
static inline void guest_begin(void)
{
	if (guest_is_in_state(BENCH_STATUS_RF) || guest_pri(PRI_STATUS) & (PRI_RF | PRI_UPRGI))
		CHECK_EQ(guest_reset(), 0);
	bench_command(&guest.device, BENCH_COMMAND_LET_GO);
	for (uint32_t pasid = 0; pasid < GUEST_PASIDS; pasid++)
		if (guest.attached[pasid])
			CHECK_EQ(guest_detach(pasid, 0), 0);
	for (uint32_t slot = 0; slot < GUEST_SLOTS; slot++)
		device_write(&guest.device, device_job_at(slot, MODEL_JOB_CONTROL),
			     MODEL_JOB_ABORT);
	CHECK_SOON(!guest_is_in_state(BENCH_STATUS_BUSY));
	CHECK_SOON(guest_credits() == 0);
	(void)guest_spoiled();
	guest.pasid += GUEST_PASIDS_OF_A_CASE;
	for (uint32_t at = BENCH_RESPONSES; at <= BENCH_POSTED; at += 8)
		guest.counters[at / 8] = bench_get(&guest.device, (enum bench_register)at);
	guest.log = device_log_end(&guest.device);
}

struct guest_counter {
	enum bench_register counter;
	const char *name;
};

/* Those that grew in this case, as one line; false: none did. */
static inline bool guest_list(char *line, size_t bytes, const struct guest_counter *row,
			      size_t count)
{
	size_t at = 0;

	line[0] = 0;
	for (; count > 0 && at < bytes; row++, count--)
		if (guest_grown(row->counter) != 0)
			at += (size_t)snprintf(line + at, bytes - at, "%s%" PRIu64 " %s",
					       at == 0 ? "" : ", ",
					       guest_grown(row->counter), row->name);
	return at > 0;
}

static inline void guest_say_counters(void)
{
	static const struct guest_counter kernels[] = {
		{ BENCH_GUEST_RESPONSES, "answers" },
		{ BENCH_DRAINS, "drains" },
		{ BENCH_OVERFLOWS, "overflows" },
	};
	static const struct guest_counter hosts[] = {
		{ BENCH_REQUESTS, "requests of the function" },
		{ BENCH_SHOWN, "groups shown" },
		{ BENCH_RESPONSES, "responses" },
		{ BENCH_INVALIDATIONS, "invalidations" },
		{ BENCH_RESETS, "resets" },
	};
	char line[256];

	if (guest_list(line, sizeof(line), kernels, sizeof(kernels) / sizeof(kernels[0])))
		NOTE("%s", line);
	if (guest_list(line, sizeof(line), hosts, sizeof(hosts) / sizeof(hosts[0])))
		HOST("%s", line);
}

/* The device's end: everything is answered, and once; nothing is broken, and no page was
 * written that the kernel had taken away. */
static inline void guest_end(void)
{
	guest_say_counters();
	CHECK_SOON(guest_credits() == 0);
	CHECK(!guest_is_in_state(BENCH_STATUS_RF | BENCH_STATUS_UPRGI));
	CHECK_EQ(guest_pri(PRI_STATUS) & (PRI_RF | PRI_UPRGI), 0);
	CHECK_EQ(guest_grown(BENCH_UNEXPECTED), 0);
	CHECK_EQ(guest_grown(BENCH_BROKEN), 0);
	CHECK_EQ(guest_spoiled(), 0);
}

/* ---- The program ------------------------------------------------------------------- */

static inline int guest_start(void)
{
	int error = guest_load();

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (error == 0)
		error = device_open(&guest.device, GUEST_FUNCTION);
	if (error == 0 && !device_there(&guest.device))
		error = -ENODEV;
	/* What a program before this one has left. */
	for (uint32_t pasid = 0; error == 0 && pasid < GUEST_PASIDS; pasid++)
		(void)guest_detach(pasid, 0);
	if (error != 0)
		printf("case: guest: FAILED %s, or its driver: %s\n", GUEST_FUNCTION,
		       strerror(-error));
	return error;
}

/* @pasids: this program's begin behind it. Those of a case are used once: what a device
 * remembers of them wrongly can spoil no other case. */
static inline int guest_main(uint32_t pasids)
{
	guest.pasid = pasids;
	return guest_start() == 0 ? case_main() : 1;
}

#endif
