/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mock_court.h - a judge between a source and a kernel's fault descriptor: what was read
 * and what was written, by the rules of that interface. What the kernel refused was not
 * written.
 */
#ifndef TESTS_LINUX_MOCK_COURT_H
#define TESTS_LINUX_MOCK_COURT_H

#include <iopf/judge.h>

#include "mock.h"

static struct {
	struct iopf_judge *judge;
	int *fault;
	char first[400]; /* violation */
} court;

static inline void court_violation(void *context, const struct iopf_violation *violation)
{
	(void)context;
	if (court.first[0] == '\0')
		snprintf(court.first, sizeof court.first, "%s: %s: %.80s; %.80s",
			 iopf_judge_rule(violation->rule)->id, violation->where,
			 violation->was, violation->wanted);
}

static inline void court_open(int *fault)
{
	static _Alignas(64) uint8_t memory[8 << 20];
	const struct iopf_judge_options options = { .size_bytes = sizeof options,
						    .flags = IOPF_JUDGE_WHOLE,
						    .source_max = 1,
						    .endpoint_max = 1,
						    .owner_max = 1,
						    .space_max = 64,
						    .group_max = 8192,
						    .command_max = 1,
						    .violation = court_violation };
	const struct iopf_judge_endpoint device = { .name = "device",
						    .source = 0,
						    .physical = IOPF_NO_ID,
						    .rid = IOPF_NO_ID,
						    .mechanism = -1,
						    .pasid_in_response = -1 };

	court.fault = fault;
	court.first[0] = '\0';
	CHECK(iopf_judge_size_bytes(&options) <= sizeof memory);
	CHECK_EQ(iopf_judge_create(&options, memory, sizeof memory, &court.judge), 0);
	CHECK_EQ(iopf_judge_add_source(court.judge,
				       &(struct iopf_judge_source){ .name = "descriptor" }),
		 0);
	CHECK_EQ(iopf_judge_add_endpoint(court.judge, &device), 0);
}

static inline void court_tell(enum iopf_judge_kind kind, uint32_t pasid, uint32_t cookie,
			      uint8_t code, bool last)
{
	struct iopf_judge_event event = IOPF_JUDGE_EVENT_NONE;

	event.kind = (uint8_t)kind;
	event.interface = IOPF_AT_KERNEL;
	event.source = event.endpoint = 0;
	event.pasid = pasid;
	event.token = cookie;
	event.code = code;
	event.flags = last ? IOPF_JUDGE_LAST : 0;
	iopf_judge_event(court.judge, &event);
}

/* The kernel has taken the device's table away, and ended what was open. */
static inline void court_detached(void)
{
	court_tell(IOPF_JUDGE_DETACH, IOPF_PASID_ANY, 0, 0, false);
}

static inline int64_t court_read(void *context, void *bytes, size_t size_bytes)
{
	int64_t got = iopf_iommufd_system.read(court.fault, bytes, size_bytes);
	const struct iommu_hwpt_pgfault *faults = bytes;

	(void)context;
	for (int64_t n = 0; n < got / (int64_t)sizeof *faults; n++)
		court_tell(IOPF_JUDGE_REQUEST,
			   faults[n].flags & IOMMU_PGFAULT_FLAGS_PASID_VALID ?
				   faults[n].pasid :
				   IOPF_PASID_NONE,
			   faults[n].cookie, 0,
			   faults[n].flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE);
	return got;
}

static inline int64_t court_write(void *context, const void *bytes, size_t size_bytes)
{
	int64_t done = iopf_iommufd_system.write(court.fault, bytes, size_bytes);
	const struct iommu_hwpt_page_response *responses = bytes;

	(void)context;
	for (int64_t n = 0; n < done / (int64_t)sizeof *responses; n++)
		court_tell(IOPF_JUDGE_RESPONSE, IOPF_PASID_NONE, responses[n].cookie,
			   (uint8_t)responses[n].code, false);
	return done;
}

static const struct iopf_iommufd_io court_io = { .read = court_read, .write = court_write };

/* Nothing broke a rule, and @times at least there was something to hold one against. */
static inline void court_close(uint64_t times)
{
	struct iopf_judge_tally tally;

	iopf_judge_end(court.judge);
	tally = iopf_judge_tally(court.judge, IOPF_NO_ID);
	if (court.first[0] != '\0')
		NOTE("%s", court.first);
	CHECK_EQ(tally.violations, 0);
	CHECK(tally.judged >= times);
	NOTE("judged %" PRIu64 " times", tally.judged);
}

#endif
