/* SPDX-License-Identifier: BSD-3-Clause */
/* sim/check_state.h - the books of the checkers; for check*.c only. */
#ifndef SIM_CHECK_STATE_H
#define SIM_CHECK_STATE_H

#include "base/map.h"
#include "sim/check.h"

enum check_limits {
	CHECK_GROUP_MAX = 65536,      /* of all functions */
	CHECK_ATTACHMENT_MAX = 65536, /* address spaces that ever had an owner */
	CHECK_JUDGED_MAX = 32768,     /* groups that the judge remembers */
};

#define CHECK_NONE UINT32_MAX

enum check_group_state {
	CHECK_FREE,
	CHECK_OPEN,    /* its last has not left the function */
	CHECK_WAITING, /* it waits for a response */
	CHECK_STRAY,   /* forgotten by a function reset */
};

enum check_list { CHECK_ALL, CHECK_UNSEEN, CHECK_LIST_COUNT };

struct check_link {
	uint32_t next, prev;
};

/* Who had an address space at a moment: an owner, and which of its times there. */
struct check_time {
	uint32_t guest; /* or CHECK_NONE */
	uint32_t epoch;
};

struct check_group {
	uint64_t token; /* 0: nobody was told */
	uint64_t since_ns, since_turn; /* when its last left the function */
	struct check_link link[CHECK_LIST_COUNT];
	struct check_time asked;  /* when its first request left the function */
	struct check_time bound;  /* when the host took its first request */
	struct check_time closed; /* when the host took its last */
	uint32_t function;
	uint32_t pasid;
	uint64_t page;  /* of its first request */
	uint32_t sent;  /* requests: credits of the function */
	uint32_t taken; /* of them: credits in the ledger */
	uint32_t shown_to; /* guest, or CHECK_NONE */
	uint16_t index;
	uint8_t state; /* enum check_group_state */
	bool unseen;   /* on that list: neither shown, served nor ended */
	bool last_taken, answered, responded;
	uint8_t answer, code; /* enum iopf_code */
	bool late;
};

struct check_function {
	struct sim_check_function value;
	struct model_function *function; /* once something was seen of it */
	uint32_t endpoint; /* IOPF_NO_ID: not the host's */
	uint32_t judged;   /* the judge's number of it */
	uint32_t allocation;
	struct check_link list[CHECK_LIST_COUNT]; /* first, last */
	uint32_t interface; /* whose page request interface it uses: mostly its own */
	/* Of that interface: in use; of them, taken into the ledger and not given back; of
	 * those, of partials that the function does not have any more. */
	uint32_t credits, ledger, orphans;
	uint32_t open;    /* groups whose last was taken, and no response left */
	bool pasid_in_response;
	/* The page that was last told to be asked for again though its owner has no room, and
	 * how often in a row. */
	struct {
		uint64_t page, ns;
		uint32_t pasid, count;
	} retried;
	bool failed; /* the host was told that the interface got a response failure */
	bool off;    /* the ledger cannot be followed until it is reset and enabled */
	bool silent; /* reset, and not enabled: what still comes is from before */
	bool lossy;  /* credits may be lost until the next reset */
	/* The host has said that everything of the stream ends; the ledger has given up what
	 * it had of the stream, and that has to be said. */
	bool terminating, given_up;
	uint64_t ended[IOPF_ENDING_COUNT]; /* responses that left, since it was bound */
	uint64_t requests, lasts;          /* that the host took, since then */
};

struct sim_check {
	struct sim_check_options options;
	struct sim_check_result result[SIM_INVARIANT_COUNT];
	struct sim_check_wait longest;
	struct check_function functions[SIM_CHECK_FUNCTION_MAX];
	uint32_t function_count;
	struct check_group *groups;
	uint32_t group_free;
	struct map keys;   /* function, PASID, index -> group */
	struct map tokens; /* token -> group */
	struct map spaces; /* function, PASID -> time */
	struct check_time *times;
	uint64_t now_ns, turn;
	uint64_t own_responses; /* that only the IOMMU can have made */
	/* What the host took and said, everything together. */
	uint64_t requests, lasts, stop_markers, overflows, refused;
	uint64_t ended[IOPF_ENDING_COUNT];
	struct iopf_judge *judge;
	void *judge_memory;
	bool judge_over; /* what is due was asked for */
	struct sim_check_result judged; /* of the judge */
};

/* ---- check_judge.c ---------------------------------------------------------- */

/* Returns: 0, or not: no memory. */
int check_judge_create(struct sim_check *check);
/* What is known of it, or more than before. */
void check_judge_function(struct sim_check *check, struct check_function *function);
/* NULL: a function that nobody knows. */
void check_judge_request(struct sim_check *check, const struct check_function *function,
			 const struct iopf_request *request,
			 enum iopf_judge_interface interface);
/* @raw_code: what is not the code's own; or -1. */
void check_judge_response(struct sim_check *check, const struct check_function *function,
			  uint32_t pasid, uint16_t index, enum iopf_code code,
			  int raw_code);
/* A stall ended with its stream. */
void check_judge_dropped(struct sim_check *check, const struct check_function *function,
			 uint16_t tag);
void check_judge_reset(struct sim_check *check, const struct check_function *function,
		       enum model_reset reset);
void check_judge_failed(struct sim_check *check, const struct check_function *function);
void check_judge_note(struct sim_check *check, const struct iopf_note *note);
void check_judge_end(struct sim_check *check);

/* ---- check_book.c ----------------------------------------------------------- */

struct check_function *check_function_of_rid(struct sim_check *check, uint32_t rid);
struct check_function *check_function_of_endpoint(struct sim_check *check,
						  uint32_t endpoint);
uint32_t check_function_number(const struct sim_check *check,
			       const struct check_function *function);

struct check_group *check_group_find(struct sim_check *check,
				     const struct check_function *function, uint32_t pasid,
				     uint16_t index, bool stray);
struct check_group *check_group_of_token(struct sim_check *check, uint64_t token);
/* NULL: no room; the function is off from here. */
struct check_group *check_group_new(struct sim_check *check,
				    struct check_function *function, uint32_t pasid,
				    uint16_t index);
/* What the ledger has of it is an orphan from here. */
void check_group_drop(struct sim_check *check, struct check_group *group);
/* Its last has left the function. */
void check_group_wait(struct sim_check *check, struct check_group *group);
/* Shown, served or ended. */
void check_group_seen(struct sim_check *check, struct check_group *group);
void check_group_token(struct sim_check *check, struct check_group *group,
		       uint64_t token);
/* A function reset: everything is a stray. A PRI reset: nothing is there. */
void check_function_clear(struct sim_check *check, struct check_function *function,
			  bool strays);

/* The one that has the credits. */
static inline struct check_function *check_interface(struct sim_check *check,
						     const struct check_function *function)
{
	return &check->functions[function->interface];
}

/* Its groups: the number of the first, or CHECK_NONE; then link[list].next. */
static inline uint32_t check_first(const struct check_function *function,
				   enum check_list list)
{
	return function->list[list].next;
}

struct check_time check_time_of(struct sim_check *check,
				const struct check_function *function, uint32_t pasid);
/* A new time of (function, pasid) begins. */
void check_time_begin(struct sim_check *check, const struct check_function *function,
		      uint32_t pasid, uint32_t guest);

static inline bool check_time_same(struct check_time a, struct check_time b)
{
	return a.guest == b.guest && a.epoch == b.epoch;
}

/* ---- check.c ---------------------------------------------------------------- */

/* @what did not hold: the first one of an invariant is kept in words. */
void check_wrong(struct sim_check *check, enum sim_invariant invariant,
		 const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same, counted, where @holds does not. Returns: @holds. */
bool check_holds(struct sim_check *check, enum sim_invariant invariant, bool holds,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The beginning of each message about a group. */
#define CHECK_GROUP_FORMAT "function 0x%04x, PASID %d, index %u: "
#define CHECK_GROUP_NAME(f, pasid, index) \
	(unsigned)(f)->value.rid, (int)(pasid), (unsigned)(index)

#endif
