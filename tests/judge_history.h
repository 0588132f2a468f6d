/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * judge_history.h - a recording that breaks no rule, and a judge over it. Lines have names,
 * so that a test can change one.
 */
#ifndef TESTS_JUDGE_HISTORY_H
#define TESTS_JUDGE_HISTORY_H

#include "iopf/judge.h"
#include "test.h"

enum { VIOLATION_MAX = 64, HISTORY_BYTES = 1 << 16 };

static struct {
	struct iopf_judge *judge;
	void *memory;
	struct iopf_violation violations[VIOLATION_MAX];
	unsigned count;
} court;

static void court_violation(void *context, const struct iopf_violation *violation)
{
	(void)context;
	if (court.count < VIOLATION_MAX)
		court.violations[court.count] = *violation;
	court.count++;
}

static void court_open_with(uint32_t flags, uint32_t group_max)
{
	const struct iopf_judge_options options = { .size_bytes = sizeof(options),
						    .flags = flags,
						    .source_max = 8,
						    .endpoint_max = 64,
						    .owner_max = 8,
						    .space_max = 256,
						    .group_max = group_max,
						    .command_max = 16,
						    .violation = court_violation };
	size_t size_bytes = iopf_judge_size_bytes(&options);

	free(court.memory);
	CHECK(size_bytes > 0);
	court.memory = aligned_alloc(64, (size_bytes + 63) & ~(size_t)63);
	CHECK(court.memory != NULL);
	memset(court.memory, 0xa5, size_bytes);
	court.count = 0;
	CHECK_EQ(iopf_judge_create(&options, court.memory, size_bytes, &court.judge), 0);
}

static inline void court_open(void)
{
	court_open_with(IOPF_JUDGE_WHOLE, 1024);
}

static inline void court_read(const char *text)
{
	char problem[1024] = "";
	int result = iopf_judge_read(court.judge, "history", text, strlen(text), problem,
				     sizeof(problem));

	if (result != 0)
		printf("%s\n", problem);
	CHECK_EQ(result, 0);
	iopf_judge_end(court.judge);
}

static inline void court_print(void)
{
	for (unsigned n = 0; n < court.count && n < VIOLATION_MAX; n++) {
		const struct iopf_violation *v = &court.violations[n];

		printf("  %s", iopf_judge_rule(v->rule)->id);
		for (unsigned m = 0; m < v->line_count; m++)
			printf(" %u", (unsigned)v->line[m]);
		printf(": %s: %s; %s\n", v->where, v->was, v->wanted);
	}
}

/* ---- The history ------------------------------------------------------------------- */

struct history_line {
	const char *name; /* or NULL */
	const char *text; /* of an event, without its time */
};

#define F " interface=function"
#define Q " interface=queue"

static const struct history_line history[] = {
	{ NULL, "world source=v family=vtd entries=256" },
	{ NULL, "world source=s family=smmuv3 entries=256 slots=2" },
	{ NULL, "world source=w family=smmuv2 slots=2" },
	{ NULL, "world source=k" },
	{ NULL, "world owner=A" },
	{ NULL, "world owner=B" },
	{ NULL, "world endpoint=D source=v rid=0x10 allocation=4 mechanism=pri "
		"pasid_in_response=1" },
	{ NULL, "world endpoint=F source=v rid=0x18 allocation=4 mechanism=pri "
		"pasid_in_response=1" },
	{ NULL, "world endpoint=G source=v rid=0x19 allocation=4 mechanism=pri "
		"pasid_in_response=1" },
	{ NULL, "world endpoint=Y source=v rid=0x1a mechanism=pri pasid_in_response=1" },
	{ NULL, "world endpoint=E source=s rid=0x20 allocation=4 mechanism=pri "
		"pasid_in_response=0" },
	{ NULL, "world endpoint=H source=s rid=0x21 allocation=4 mechanism=pri "
		"pasid_in_response=0" },
	{ NULL, "world endpoint=S source=s rid=0x30 mechanism=stall" },
	{ NULL, "world endpoint=W source=w rid=0x40 mechanism=stall" },
	{ NULL, "world endpoint=X source=w rid=0x41 mechanism=pri" },
	{ NULL, "world endpoint=K source=k" },
	{ NULL, "enable endpoint=D allocation=4" F },
	{ NULL, "enable endpoint=F allocation=4" F },
	{ NULL, "enable endpoint=G allocation=4" F },
	{ "disabled", "disable endpoint=G" F },
	{ NULL, "enable endpoint=E allocation=4" F },
	{ NULL, "enable endpoint=S" F },
	{ NULL, "attach endpoint=D pasid=1 owner=A" },
	{ NULL, "attach endpoint=E pasid=1 owner=A" },
	{ NULL, "attach endpoint=S pasid=1 owner=A" },

	/* A group of two, shown, answered. */
	{ NULL, "request endpoint=D pasid=1 index=5 addr=0x1000 perm=r" F },
	{ NULL, "request endpoint=D pasid=1 index=5 addr=0x2000 perm=rw last=1" F },
	{ "first", "request endpoint=D pasid=1 index=5 addr=0x1000 perm=r" Q },
	{ "last", "request endpoint=D pasid=1 index=5 addr=0x2000 perm=rw last=1" Q },
	{ "shown", "show endpoint=D owner=A pasid=1 index=5 token=0x1 page_count=2" },
	{ "answered", "answer owner=A token=0x1 code=success" },
	{ "left", "response endpoint=D pasid=1 index=5 token=0x1 code=success ending=success "
		  "request_count=2" Q },
	{ "arrived", "response endpoint=D pasid=1 index=5 code=success" F },

	{ NULL, "request endpoint=F pasid=1 index=3 addr=0x1000 perm=r last=1" F },
	{ NULL, "request endpoint=F pasid=1 index=3 addr=0x1000 perm=r last=1" Q },
	{ NULL, "response endpoint=F pasid=1 index=3 code=invalid" Q },
	{ NULL, "stop endpoint=F pasid=1 index=3" F }, /* names nothing, whatever its index */
	{ NULL, "stop endpoint=F pasid=1 index=3" Q },
	{ NULL, "response endpoint=F pasid=1 index=3 code=invalid" F },

	/* Without the PASID in the response; one that the IOMMU answers, being full. */
	{ NULL, "request endpoint=E pasid=1 index=7 addr=0x1000 perm=r last=1" F },
	{ NULL, "request endpoint=E pasid=1 index=7 addr=0x1000 perm=r last=1" Q },
	{ "bare", "response endpoint=E index=7 code=invalid ending=no_owner" Q },
	{ NULL, "response endpoint=E index=7 code=invalid" F },
	{ NULL, "request endpoint=E pasid=1 index=8 addr=0x1000 perm=r last=1" F },
	{ NULL, "response endpoint=E index=8 code=success" F },
	{ NULL, "enable endpoint=H allocation=4" F },
	{ NULL, "request endpoint=H pasid=1 index=1 addr=0x1000 perm=r last=1" F },
	{ NULL, "response endpoint=H pasid=1 index=1 code=success" F },
	{ NULL, "overflow source=s" Q },

	{ NULL, "stop endpoint=D pasid=1 index=32" F },
	{ "marker", "stop endpoint=D pasid=1 index=32" Q },

	/* Stalls: one that is answered, one that ends with its stream, one of an SMMUv2. */
	{ "stall", "request endpoint=S pasid=1 index=7 addr=0x1004 perm=w last=1 stall=1" F },
	{ NULL, "request endpoint=S pasid=1 index=7 addr=0x1004 perm=w last=1 stall=1" Q },
	{ NULL, "show endpoint=S owner=A pasid=1 index=7 token=0x2 page_count=1 stall=1" },
	{ NULL, "answer owner=A token=0x2 code=invalid" },
	{ "resumed", "response endpoint=S index=7 token=0x2 code=invalid ending=invalid "
		     "stall=1" Q },
	{ NULL, "response endpoint=S index=7 code=invalid stall=1" F },
	{ NULL, "request endpoint=S pasid=1 index=8 addr=0x2000 perm=w last=1 stall=1" F },
	{ NULL, "request endpoint=S pasid=1 index=8 addr=0x2000 perm=w last=1 stall=1" Q },
	{ "terminated", "terminate endpoint=S" Q },
	{ NULL, "drop endpoint=S index=8" F },
	{ "bank", "request endpoint=W index=0 addr=0x1000 perm=r last=1 stall=1" F },
	{ NULL, "response endpoint=W index=0 code=success stall=1" F },

	/* A detach answers what is open. */
	{ NULL, "request endpoint=D pasid=1 index=6 addr=0x3000 perm=r last=1" F },
	{ "open", "request endpoint=D pasid=1 index=6 addr=0x3000 perm=r last=1" Q },
	{ "ended", "response endpoint=D pasid=1 index=6 code=invalid ending=detach" Q },
	{ NULL, "detach endpoint=D pasid=1 owner=A" },
	{ NULL, "response endpoint=D pasid=1 index=6 code=invalid" F },
	{ NULL, "attach endpoint=D pasid=1 owner=B" },

	/* A reset does not, and what was in the queue is nobody's. */
	{ NULL, "request endpoint=D pasid=1 index=1 addr=0x3000 perm=r last=1" F },
	{ NULL, "request endpoint=D pasid=1 index=1 addr=0x3000 perm=r last=1" Q },
	{ NULL, "request endpoint=D pasid=1 index=2 addr=0x3000 perm=r last=1" F },
	{ "reset", "reset endpoint=D" Q },
	{ NULL, "request endpoint=D pasid=1 index=2 addr=0x3000 perm=r last=1" Q },
	{ NULL, "reset endpoint=D" F },
	{ NULL, "forget endpoint=D" F },
	{ NULL, "enable endpoint=D allocation=8" F },
	{ NULL, "request endpoint=D pasid=1 index=1 addr=0x4000 perm=r last=1" F },
	{ NULL, "request endpoint=D pasid=1 index=1 addr=0x4000 perm=r last=1" Q },
	{ NULL, "response endpoint=D pasid=1 index=1 code=invalid ending=quota" Q },
	{ NULL, "response endpoint=D pasid=1 index=1 code=invalid" F },

	{ "before_removal", "request endpoint=E index=4 addr=0x4000 perm=r last=1" F },
	{ NULL, "request endpoint=E index=4 addr=0x4000 perm=r last=1" Q },
	{ "removed", "remove endpoint=E" Q },
	{ NULL, "remove endpoint=E" F },

	/* A guest's queue of commands. */
	{ NULL, "invalidate endpoint=D owner=A pasid=1 addr=0x1000 size_bytes=4096 "
		"interface=guest" },
	{ NULL, "wait owner=A interface=guest" },
	{ "invalidated", "invalidated endpoint=D owner=A pasid=1 addr=0x1000 size_bytes=4096 "
			 "interface=guest" },
	{ "waited", "waited owner=A interface=guest" },

/* A kernel's descriptor. */
#define K " interface=kernel"
	{ "read", "request endpoint=K token=0x1 addr=0x1000 perm=r" K },
	{ "read_last", "request endpoint=K token=0x1 addr=0x2000 perm=r last=1" K },
	{ "written", "response endpoint=K token=0x1 code=success" K },
	{ NULL, "request endpoint=K token=0x1 pasid=2 addr=0x3000 perm=r last=1" K },
	{ "detached", "detach endpoint=K pasid=2" K },

	{ "paused", "pause source=v" Q },
	{ "unpaused", "resume source=v" Q },
	{ "end", "mark name=end" },
};

enum { HISTORY_LINES = sizeof(history) / sizeof(history[0]) };

#endif
