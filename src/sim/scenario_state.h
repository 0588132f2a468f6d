/* SPDX-License-Identifier: BSD-3-Clause */
/* sim/scenario_state.h - a scenario that is being played; for scenario*.c only. */
#ifndef SIM_SCENARIO_STATE_H
#define SIM_SCENARIO_STATE_H

#include "queue/hardware.h"
#include "sim/check.h"
#include "sim/scenario.h"
#include "sim/world.h"

enum scenario_limits {
	SCENARIO_ENDPOINT_MAX = WORLD_FUNCTION_MAX,
	SCENARIO_OWNER_MAX = 7, /* one place of the host is for functions of nobody */
	SCENARIO_MARK_MAX = 64,
	SCENARIO_PENDING_MAX = WORLD_INBOX_ENTRIES,
	SCENARIO_PAGE_MAX = 512,
};

#define SCENARIO_NONE UINT32_MAX
/* In notes to the checkers: owners that are no guests of the host. */
#define SCENARIO_OWNER_BASE 1000u

/* A group as its function asked for it. */
struct scenario_group {
	char name[TRACE_NAME_MAX + 1]; /* or "" */
	uint64_t token;                /* 0: not known yet */
	uint64_t addr;                 /* of its first request */
	uint32_t endpoint;
	uint32_t pasid;
	uint16_t index;
	uint16_t virtual_index; /* as its guest was shown it */
	bool answered;          /* a response has reached the function */
	bool forgotten;         /* by a reset */
	uint32_t page_first, page_count; /* as its owner was shown it */
};

/* What was seen; which of these fields count depends on the log. */
struct scenario_seen {
	uint64_t ns;
	uint32_t endpoint, owner, group;
	uint32_t pasid;
	uint16_t index;
	uint8_t code, raw_code;
	uint8_t what; /* enum iopf_event_kind */
	bool automatic;
	bool unread; /* shown to a guest that passed it over */
};

struct scenario_log {
	struct scenario_seen *seen;
	uint32_t count, room;
};

enum scenario_log_kind {
	SCENARIO_RESPONSES, /* that reached functions */
	SCENARIO_SHOWS,
	SCENARIO_EVENTS,
	SCENARIO_LOG_COUNT
};

struct scenario_mark {
	char name[TRACE_NAME_MAX + 1];
	uint32_t at[SCENARIO_LOG_COUNT];
};

struct scenario_flood {
	bool on, forced;
	uint32_t count, pasid;
	uint16_t index;
	uint8_t perm;
	uint64_t addr;
};

struct scenario_endpoint {
	char name[TRACE_NAME_MAX + 1];
	char owner_name[TRACE_NAME_MAX + 1]; /* the guest that has it, or "" */
	char physical[TRACE_NAME_MAX + 1];   /* whose virtual function it is, or "" */
	struct world_function_options options;
	uint32_t guest; /* owner, or SCENARIO_NONE: nobody's */
	uint32_t endpoint;
	uint32_t line;
	struct world_function *function;
	struct scenario_flood flood;
	/* An operation that a statement began, and whose end the checkers are told. */
	bool detaching;
	uint32_t detach_pasid;
	const struct scenario_owner *successor; /* of a replacement */
	uint32_t rounds; /* turns of the host that its last operation has drained */
	bool draining;
	uint64_t dma_addr, dma_bytes; /* of the last job */
	uint32_t dma_pasid;
	uint64_t failures; /* response failures that reached it */
	uint64_t strays;   /* commands for stalls of it that were not there any more */
	uint64_t ends;     /* stalls that ended with the stream */
};

struct scenario_owner {
	char name[TRACE_NAME_MAX + 1];
	bool queues;   /* a guest with a virtual IOMMU */
	bool honest;   /* it serves what it is shown by itself */
	bool gone, released;
	bool asleep; /* the guest gets no time */
	bool may_fail;
	struct iopf_policy policy;
	uint32_t entries; /* of its request queue */
	const char *family;
	uint32_t guest;   /* place in the world */
	uint32_t owner;   /* the broker's number */
	uint32_t note;    /* its number in notes */
	/* Groups that the guest was shown, as its own queue had them: read up to @read,
	 * complete up to @whole. */
	struct scenario_log inbox;
	uint32_t read, whole;
};

/* What an owner without queues was given. */
struct scenario_space {
	uint32_t endpoint, pasid, owner;
};

/* An answer in an owner's inbox. */
struct scenario_pending {
	uint64_t token;
	uint32_t owner;
	uint8_t code;
};

struct scenario {
	const struct scenario_options *options;
	struct scenario_result *result;
	const uint8_t *bytes;
	size_t size_bytes;
	struct trace_event statement;
	const struct trace_event *event; /* the present statement; NULL: at the end */
	uint8_t traits; /* of the variant */
	struct world world;
	bool built;
	struct sim_check *check;
	char source_name[TRACE_NAME_MAX + 1];
	const struct hardware_family *family; /* of the IOMMU */
	uint32_t entries, slots;
	struct scenario_endpoint endpoints[SCENARIO_ENDPOINT_MAX];
	struct scenario_owner owners[SCENARIO_OWNER_MAX];
	uint32_t endpoint_count, owner_count;
	struct scenario_group *groups;
	uint32_t group_count, group_room;
	struct iopf_page *pages;
	uint32_t page_count, page_room;
	struct scenario_log log[SCENARIO_LOG_COUNT];
	struct scenario_mark marks[SCENARIO_MARK_MAX];
	uint32_t mark_count;
	struct scenario_pending pending[SCENARIO_PENDING_MAX];
	uint32_t pending_count;
	uint64_t own_responses; /* of the IOMMU, when last looked at */
	uint32_t flooding;
	bool forged; /* the response that comes now was sent by nobody */
	struct scenario_space *spaces;
	uint32_t space_count, space_room;
};

/* ---- scenario.c ------------------------------------------------------------- */

/* Both return false. A requirement that does not hold; no scenario. @key: at which word
 * of the statement, or TRACE_KEY_NONE. */
bool scenario_fail(struct scenario *s, unsigned key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool scenario_bad(struct scenario *s, unsigned key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Room for one more of a growing array; false: no memory, said. */
bool scenario_room(struct scenario *s, void **array, uint32_t count, uint32_t *room,
		   size_t size_bytes);

bool scenario_is(const struct scenario *s, enum trace_trait trait);

/* Everybody works once. */
uint32_t scenario_turn(struct scenario *s);
/* Until nobody has anything to do, or, where a flood is on, for a while. */
bool scenario_settle(struct scenario *s);
/* Until no operation on it is under way. False: it never ends, said. */
bool scenario_finish(struct scenario *s, struct scenario_endpoint *endpoint);

/* What a key of the present statement names; NULL, and said: nothing. */
struct scenario_endpoint *scenario_endpoint_of(struct scenario *s);
struct scenario_owner *scenario_owner_of(struct scenario *s);
/* The latest group of that name; SCENARIO_NONE, unsaid. */
uint32_t scenario_group_of(const struct scenario *s, const char *name);
uint32_t scenario_number(const struct scenario *s,
			 const struct scenario_endpoint *endpoint);
uint32_t scenario_owner_number(const struct scenario *s,
			       const struct scenario_owner *owner);

/* The statement's result is that of a call: what it requires, or ok. */
bool scenario_result_holds(struct scenario *s, int returned);

/* ---- scenario_world.c ------------------------------------------------------- */

bool scenario_world_line(struct scenario *s);
bool scenario_world_build(struct scenario *s);
void scenario_world_destroy(struct scenario *s);

/* ---- scenario_seen.c -------------------------------------------------------- */

struct model_observer scenario_observer(struct scenario *s);
struct model_stall_observer scenario_stall_observer(struct scenario *s);
uint32_t scenario_endpoint_of_rid(const struct scenario *s, uint32_t rid);
void scenario_on_note(void *context, const struct iopf_note *note);
void scenario_on_event(void *context, const struct iopf_event *event);
/* To the checkers, of what an owner does that is no guest of the host. */
void scenario_note(struct scenario *s, struct iopf_note note);
/* A guest's pager: what it is asked is put down, and answered by statements. */
int scenario_guest_fault(void *context, struct world *world, uint32_t guest,
			 const struct iopf_request *request, uint64_t *gpa,
			 uint8_t *perm);
/* The latest group that (endpoint, PASID, index) can mean; SCENARIO_NONE. */
uint32_t scenario_group_at(const struct scenario *s, uint32_t endpoint, uint32_t pasid,
			   uint16_t index);
/* The same, made where there is none that waits. */
uint32_t scenario_group_asked(struct scenario *s, uint32_t endpoint, uint32_t pasid,
			      uint16_t index, uint64_t addr);
struct scenario_seen *scenario_log_add(struct scenario *s, struct scenario_log *log);

/* ---- scenario_function.c ---------------------------------------------------- */

bool scenario_enable(struct scenario *s);
bool scenario_disable(struct scenario *s);
bool scenario_reset(struct scenario *s);
bool scenario_remove(struct scenario *s);
bool scenario_step(struct scenario *s);
bool scenario_response(struct scenario *s);
bool scenario_drop(struct scenario *s);
bool scenario_pause(struct scenario *s);
bool scenario_resume(struct scenario *s);

/* ---- scenario_policy.c ------------------------------------------------------ */

/* What the statement says of it, changed. */
void scenario_policy_read(const struct scenario *s, struct iopf_policy *policy);
bool scenario_policy(struct scenario *s);
bool scenario_service(struct scenario *s);
bool scenario_kill(struct scenario *s);
bool scenario_release(struct scenario *s);

/* ---- scenario_act.c, scenario_owner.c, scenario_require.c ------------------- */

bool scenario_act(struct scenario *s);
void scenario_flood(struct scenario *s);

bool scenario_attach(struct scenario *s);
bool scenario_detach(struct scenario *s);
bool scenario_replace(struct scenario *s);
bool scenario_show(struct scenario *s);
bool scenario_page(struct scenario *s);
bool scenario_answer(struct scenario *s);
bool scenario_end(struct scenario *s);
/* Before and after a turn: answers from other threads, detaches that are done. */
void scenario_owners_before(struct scenario *s);
/* The broker's operation; its end is told to the checkers by the turn that ends it. */
int scenario_detach_begin(struct scenario *s, struct scenario_endpoint *endpoint,
			  uint32_t pasid);
void scenario_owners_after(struct scenario *s);

bool scenario_require(struct scenario *s);

#endif
