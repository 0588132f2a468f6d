/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * judge/book.h - the judge's books: sources, endpoints, address spaces, groups, commands;
 * and what its files say to each other.
 *
 * A group in the book of an interface:
 *
 *   OPEN ---> WAITING ---> ANSWERED
 *     |          |
 *     +----------+-------> FORGOTTEN
 *
 *   OPEN      [book_group_new]    requests came, the last one has not
 *   WAITING   [book_group_wait]   a response is due
 *   ANSWERED  [book_group_close]  it had its response
 *   FORGOTTEN [book_group_close]  reset, removal, overflow: there is none
 *   MARKED    [book_group_close]  no group: a stop marker was sent under this index
 *
 * Closed ones are remembered until their place is needed, the oldest first, or their index
 * is used again.
 */
#ifndef JUDGE_BOOK_H
#define JUDGE_BOOK_H

#include "base/map.h"
#include "judge/rules.h"

#define BOOK_NONE UINT32_MAX

enum { BOOK_NAME_MAX = 31, BOOK_SCAN_MAX = 512 };

/* The PASID of a key where the index alone names a group. */
#define BOOK_PASID_ALL (UINT32_C(1) << 21)
#define BOOK_PASID_MASK UINT32_C(0x3fffff)

enum book_state {
	BOOK_FREE,
	BOOK_OPEN,
	BOOK_WAITING,
	BOOK_ANSWERED,
	BOOK_FORGOTTEN,
	BOOK_MARKED,
};

enum book_link { BOOK_LIVE, BOOK_SPACE, BOOK_LINK_COUNT };

struct book_list {
	uint32_t first, last;
};

struct book_group {
	uint64_t key;
	uint64_t asked_line, last_line, end_line; /* first and last request; how it ended */
	uint64_t pages;    /* of what was asked: a sum that has no order */
	uint64_t token;    /* 0: nobody was shown it */
	uint32_t next[BOOK_LINK_COUNT], prev[BOOK_LINK_COUNT];
	uint32_t endpoint; /* a source's, of a kernel's cookie */
	uint32_t pasid;
	uint32_t requests;
	uint32_t matched;  /* function: requests of it that the queue has shown */
	uint32_t leftover; /* function: of those before it under this index, not yet shown */
	uint32_t space, epoch;      /* when it was first asked; BOOK_NONE: nobody's */
	uint32_t in_space;          /* whose list it is in */
	uint16_t index;
	uint8_t state, interface;
	uint8_t code;      /* of its response */
	bool stall;
	bool arrived;      /* queue: its response reached the function */
	bool shown;        /* queue */
	bool torn;         /* what was asked is not known for certain */
	bool optional;     /* a response may leave, or not */
};

struct book_space {
	uint64_t line;   /* where it was last given or taken */
	uint32_t owner;
	uint32_t epoch;  /* how often that was */
	struct book_list list[IOPF_AT_COUNT];
	bool attached;
};

/* What an owner was shown, by its token. */
struct book_show {
	uint64_t token;
	uint64_t line, answer_line, end_line;
	uint32_t endpoint, owner;
	uint32_t next; /* of those that are over, in order */
	bool answered, ended;
	uint8_t code;
};

struct book_source {
	char name[BOOK_NAME_MAX + 1];
	int family; /* judge_family(); -1: not known */
	uint32_t slots, stalled;
	uint64_t paused_line; /* 0: it is not */
	uint32_t kernel_open; /* a cookie's group that is being read, or BOOK_NONE */
	bool queue_seen;      /* a request in its queue, of whomever */
};

struct book_owner {
	char name[BOOK_NAME_MAX + 1];
	uint64_t paused_line;
};

/* Where paging of an endpoint stands, at the function. */
enum book_paging { BOOK_PAGING_UNKNOWN, BOOK_PAGING_ON, BOOK_PAGING_OFF };

struct book_endpoint {
	char name[BOOK_NAME_MAX + 1];
	uint32_t source, physical, rid, allocation;
	int8_t mechanism, pasid_in_response;
	uint8_t paging;   /* enum book_paging */
	uint8_t excused;  /* 1 << enum iopf_judge_party */
	struct book_list live[IOPF_AT_COUNT];
	uint32_t in_flight[IOPF_AT_COUNT]; /* requests */
	bool seen[IOPF_AT_COUNT];   /* something was */
	bool known[IOPF_AT_COUNT];  /* and from the beginning, or since all was forgotten */
	bool failed;      /* a response failure reached it */
	bool failing;     /* one is on its way, or was: no response has to leave any more */
	bool resetting;   /* host: and it has not happened to the function yet */
	bool removed;     /* host: and it was not enabled, or given to anybody, since */
	bool virtuals;    /* others use its page request interface */
	bool gone;        /* function */
	bool exceeded;    /* more requests than credits: what the host made of them is not
			   * to be seen */
	bool lost;        /* an overflow: requests may be missing in the queue */
	bool unsure;      /* an index was used again: which group is meant cannot be told */
	bool wild;        /* by the function itself, or it asked while paging was off: nor
			   * after a reset, as nobody knows what of it is on its way */
	uint64_t paging_line, failed_line, gone_line;
	uint64_t ended_line; /* host: what was asked before has ended: reset, removal, the end
			      * of its stream */
	uint64_t forgotten_line; /* function: so it did with what was asked before */
	uint64_t paused_line;
};

enum book_command_kind { BOOK_INVALIDATE, BOOK_WAIT };

struct book_command {
	uint64_t line, addr;
	uint32_t scope;    /* an owner's or a source's number, and the interface */
	uint32_t endpoint, pasid;
	uint32_t next;
	uint8_t kind;
	bool device;
};

/* Commands of one queue, in order. */
struct book_scope {
	struct book_list list;
	bool begun; /* a command was seen */
};

enum book_table {
	BOOK_SOURCES,
	BOOK_ENDPOINTS,
	BOOK_OWNERS,
	BOOK_SPACES,
	BOOK_GROUPS,
	BOOK_SHOWS,
	BOOK_COMMANDS,
	BOOK_TABLE_COUNT
};

struct iopf_judge {
	struct iopf_judge_options options;
	struct iopf_judge_tally tally[RULE_COUNT];
	uint64_t events, line, now_ns, time_line;
	uint64_t evicted_line; /* groups that closed up to here may be forgotten */
	uint64_t lost[BOOK_TABLE_COUNT];
	struct book_source *sources;
	struct book_endpoint *endpoints;
	struct book_owner *owners;
	struct book_space *spaces;
	struct book_group *groups;
	struct book_show *shows;
	struct book_command *commands;
	struct book_scope *scopes; /* owners at a guest's queue, then sources */
	uint32_t source_count, endpoint_count, owner_count, space_count, group_count,
		show_count;
	uint32_t command_free;
	struct book_list closed;       /* groups, by link BOOK_LIVE */
	struct book_list over;         /* shows */
	struct map names;              /* of sources, endpoints, owners */
	struct map rids;               /* (source, rid) -> endpoint */
	struct map keys;               /* -> group */
	struct map tokens;             /* -> show */
	struct map pairs;              /* (endpoint, PASID) -> space */
};

static inline bool book_whole(const struct iopf_judge *judge)
{
	return judge->options.flags & IOPF_JUDGE_WHOLE;
}

/* ---- book.c ------------------------------------------------------------------------ */

/* Memory: laid out, or, with NULL, counted. */
uint64_t book_layout(struct iopf_judge *judge, const struct iopf_judge_options *options,
		     uint8_t *memory);

enum book_thing { BOOK_SOURCE, BOOK_ENDPOINT, BOOK_OWNER };

/* The number of a thing of that name, made where it is new; or -EINVAL, -ENOSPC. */
int book_name(struct iopf_judge *judge, enum book_thing thing, const char *name);
/* NULL: no such number. */
struct book_endpoint *book_endpoint(struct iopf_judge *judge, uint32_t number);
struct book_source *book_source(struct iopf_judge *judge, uint32_t number);
struct book_owner *book_owner(struct iopf_judge *judge, uint32_t number);
/* Whose @event is; one that is known by its rid alone is made. BOOK_NONE: nobody's. */
uint32_t book_endpoint_of(struct iopf_judge *judge, const struct iopf_judge_event *event);
/* NULL: not known. */
const struct judge_family *book_family(const struct iopf_judge *judge,
				       const struct book_endpoint *endpoint);
/* Whose page request interface @endpoint uses. */
struct book_endpoint *book_interface(struct iopf_judge *judge,
				     struct book_endpoint *endpoint);

/* ---- group.c ----------------------------------------------------------------------- */

/* The group of that name in an interface's book; NULL. */
struct book_group *book_group_find(struct iopf_judge *judge, uint32_t endpoint,
				   uint8_t interface, uint32_t pasid, uint16_t index,
				   bool stall);
/* A kernel's, of a source's cookie. */
struct book_group *book_cookie_find(struct iopf_judge *judge, uint32_t source,
				    uint64_t cookie);
/* In the place of the one of that name, if there is one. NULL: no room; said. */
struct book_group *book_group_new(struct iopf_judge *judge, uint32_t endpoint,
				  uint8_t interface, uint32_t pasid, uint16_t index,
				  bool stall);
struct book_group *book_cookie_new(struct iopf_judge *judge, uint32_t source,
				   uint64_t cookie, uint32_t endpoint);
/* Its last request came: it waits, in the list of @space if that is one. */
void book_group_wait(struct iopf_judge *judge, struct book_group *group, uint32_t space);
/* To ANSWERED, FORGOTTEN, MARKED: out of every list, its credits are back. */
void book_group_close(struct iopf_judge *judge, struct book_group *group,
		      enum book_state state);
void book_space_unlink(struct iopf_judge *judge, struct book_group *group);
/* Everything of @endpoint at @interface, or, with IOPF_AT_COUNT, everywhere. */
void book_forget(struct iopf_judge *judge, uint32_t endpoint, uint8_t interface);

static inline uint32_t book_number(const struct iopf_judge *judge,
				   const struct book_group *group)
{
	return (uint32_t)(group - judge->groups);
}

/* A response to it may leave, or not. */
static inline bool book_optional(const struct iopf_judge *judge,
				 const struct book_group *group)
{
	return group->optional ||
	       (group->interface == IOPF_AT_QUEUE &&
		group->asked_line < judge->endpoints[group->endpoint].forgotten_line);
}

/* ---- space.c ----------------------------------------------------------------------- */

/* The number of (endpoint, pasid), made where it is new; BOOK_NONE: no room. */
uint32_t book_space_make(struct iopf_judge *judge, uint32_t endpoint, uint32_t pasid);
/* Whose space a request of (endpoint, pasid) is in now: its own or that of any PASID;
 * BOOK_NONE: nobody has ever had it. */
uint32_t book_space_of(struct iopf_judge *judge, uint32_t endpoint, uint32_t pasid);
struct book_show *book_show_find(struct iopf_judge *judge, uint64_t token);
/* NULL: no room. */
struct book_show *book_show_new(struct iopf_judge *judge, uint64_t token);
/* A response left: it may be forgotten when its place is needed. */
void book_show_over(struct iopf_judge *judge, struct book_show *show);

/* ---- say.c ------------------------------------------------------------------------- */

/*
 * Counted: whether @rule holds of @event, or, with NULL, of a group; where it is not a rule
 * of that interface, nothing is. Returns: whether there is nothing to say: it holds, or is
 * excused.
 */
bool judge_holds(struct iopf_judge *judge, enum judge_rule rule,
		 const struct iopf_judge_event *event,
		 const struct book_endpoint *endpoint, bool holds);
/* Something that it takes is not known. */
void judge_unknown(struct iopf_judge *judge, enum judge_rule rule);

/* What did not hold: lines, oldest first, then what was and what should have been. */
struct say {
	struct iopf_judge *judge;
	struct iopf_violation violation;
};

struct say say_begin(struct iopf_judge *judge, enum judge_rule rule,
		     const struct iopf_judge_event *event, uint32_t endpoint);
/* Of a group: its PASID, its index, its lines. */
struct say say_group(struct iopf_judge *judge, enum judge_rule rule,
		     const struct iopf_judge_event *event, const struct book_group *group);
void say_line(struct say *say, uint64_t line);
void say_was(struct say *say, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* And it is told. */
void say_wanted(struct say *say, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
const char *say_code(uint8_t code);

/* ---- By kind ----------------------------------------------------------------------- */

typedef void judge_fn(struct iopf_judge *judge, const struct iopf_judge_event *event,
		      uint32_t endpoint);

/* request.c */
judge_fn request_seen, request_stop, request_drop;
/* One more request in @group; @last: the last one. */
void request_count(struct iopf_judge *judge, const struct iopf_judge_event *event,
		   struct book_group *group, bool last);
/* What the queue shows of a time before a reset is nobody's any more. */
void request_settle(struct iopf_judge *judge, const struct iopf_judge_event *event,
		    struct book_group *group);
bool request_stalls(const struct iopf_judge *judge, const struct iopf_judge_event *event,
		    uint32_t endpoint);
/* Rules of families, of both mechanisms. */
void request_family(struct iopf_judge *judge, const struct iopf_judge_event *event,
		    uint32_t endpoint, enum iopf_mechanism mechanism);
/* response.c, stall.c, kernel.c */
judge_fn response_seen;
judge_fn stall_request, stall_response, stall_drop, stall_terminate;
judge_fn kernel_request, kernel_response;
void kernel_detach(struct iopf_judge *judge, uint32_t endpoint, uint32_t pasid);

/* link.c: what two interfaces say of one thing. */
enum link {
	LINK_UNKNOWN, /* the other one was not seen, or not all of it */
	LINK_LEFT,    /* it left the queue */
	LINK_NEVER,   /* it did not, and should have: said */
	LINK_OWN,     /* it did not: the IOMMU's own */
};
void link_request(struct iopf_judge *judge, const struct iopf_judge_event *event,
		  struct book_group *group);
void link_pages(struct iopf_judge *judge, struct book_group *group);
/* The group at the function behind one in the queue; NULL: none, or not known. */
struct book_group *link_asked(struct iopf_judge *judge, const struct book_group *group);
/* What the queue shows was asked before the host ended all of it. */
bool link_leftover(struct iopf_judge *judge, const struct book_group *group);
/* Of a response at the function; @group: its group there, or NULL. */
enum link link_response(struct iopf_judge *judge, const struct iopf_judge_event *event,
			uint32_t endpoint, const struct book_group *group);
/* owner.c */
judge_fn owner_attach, owner_detach, owner_replace, owner_show, owner_answer;
/* What leaves under a token and an ending. */
void owner_response(struct iopf_judge *judge, const struct iopf_judge_event *event,
		    struct book_group *group);
/* paging.c */
judge_fn paging_enable, paging_disable, paging_restart, paging_forget, paging_reset,
	paging_remove, paging_failed, paging_overflow;
/* command.c */
judge_fn command_invalidate, command_invalidated, command_wait, command_waited;
judge_fn pause_begin, pause_end;
void pause_silent(struct iopf_judge *judge, const struct iopf_judge_event *event,
		  uint32_t endpoint);
/* end.c */
void end_due(struct iopf_judge *judge);

#endif
