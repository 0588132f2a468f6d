/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * judge.h - the rules of an interface, held against what happened there.
 *
 * A judge is told, in order, what was seen at a function's end of the link, in an IOMMU's
 * queues, in a guest's own, at a kernel's fault descriptor: by whoever stands there, or
 * out of a recording in the event language (docs/formats.md). It has books of its own,
 * the rules of the specifications, a row for each family of IOMMUs, and nothing of a
 * broker: what it finds right is right by somebody else's reading.
 *
 * What cannot be known is no violation. A recording may begin in the middle, end early,
 * or show one interface out of several: what that leaves open is counted as not judged.
 * Whoever knows that a recording has everything says so (IOPF_JUDGE_WHOLE).
 *
 * Memory. All of it is given at create; a table that is full is named, and what it would
 * have held is not judged. Threads. A judge is one thread's at a time.
 */
#ifndef IOPF_JUDGE_H
#define IOPF_JUDGE_H

#include <stddef.h>

#include "iopf/iopf.h"

#ifdef __cplusplus
extern "C" {
#endif

struct iopf_judge;

/* ---- Rules ------------------------------------------------------------------------- */

/* Whose rule it is: who broke it, if it does not hold. */
enum iopf_judge_party {
	IOPF_PARTY_DEVICE, /* the function, or the master */
	IOPF_PARTY_IOMMU,  /* or the kernel, or the virtual IOMMU: what stands between */
	IOPF_PARTY_HOST,   /* whoever answers */
	IOPF_PARTY_RECORD, /* the recording itself */
	IOPF_PARTY_COUNT
};

/* Where something was seen. */
enum iopf_judge_interface {
	IOPF_AT_FUNCTION, /* at the function's end of the link; where a stall is held */
	IOPF_AT_QUEUE,    /* in the IOMMU's queues */
	IOPF_AT_GUEST,    /* in an owner's own queues */
	IOPF_AT_KERNEL,   /* at a kernel's fault descriptor */
	IOPF_AT_COUNT
};

struct iopf_judge_rule {
	const char *id;     /* stable: never means anything else */
	const char *text;   /* what holds */
	const char *source; /* specification and section that it comes from */
	uint8_t party;      /* enum iopf_judge_party */
	uint8_t at;         /* 1 << enum iopf_judge_interface, together */
	uint8_t mechanisms; /* 1 << enum iopf_mechanism, together */
	uint8_t rsvd[5];
};

/* Rules are numbered from 0; NULL behind the last. Static. */
const struct iopf_judge_rule *iopf_judge_rule(uint32_t number);

/* Names of families that the judge has a row for, from 0; NULL behind the last. Those with
 * a mechanism of @mechanisms (1 << enum iopf_mechanism, together) alone. Static. */
const char *iopf_judge_family(uint32_t number, uint8_t mechanisms);

/* ---- A judge ----------------------------------------------------------------------- */

/* Line numbers of a violation, oldest first: the last is where it was seen. */
#define IOPF_JUDGE_LINE_MAX 4

struct iopf_violation {
	uint64_t ns;
	uint64_t line[IOPF_JUDGE_LINE_MAX];
	uint32_t line_count;
	uint32_t rule;       /* a number of iopf_judge_rule() */
	uint32_t endpoint;   /* as it was added, or IOPF_NO_ID */
	uint8_t interface;   /* enum iopf_judge_interface */
	uint8_t rsvd[3];
	char where[96];      /* endpoint, PASID, index: as far as there are */
	char was[160];       /* what was seen */
	char wanted[160];    /* what should have been */
};

enum iopf_judge_flag {
	IOPF_JUDGE_WHOLE = 1, /* nothing came before the first event, or after the last */
};

struct iopf_judge_options {
	uint32_t size_bytes;   /* of this struct */
	uint32_t flags;        /* enum iopf_judge_flag */
	uint32_t source_max;   /* 1..255 */
	uint32_t endpoint_max; /* 1..65534 */
	uint32_t owner_max;    /* 1..65534 */
	uint32_t space_max;    /* 1..1048576: (endpoint, PASID) pairs that ever had an owner */
	uint32_t group_max;    /* 1..16777216: groups open, and remembered */
	uint32_t command_max;  /* 1..1048576: invalidations and waits under way */
	void (*violation)(void *context, const struct iopf_violation *violation); /* or NULL;
		* called before the call that told of it returns */
	void *context;
};

/* Bytes of a judge's memory; 0 where an option is out of its range, or all of it larger
 * than half of what there can be. */
size_t iopf_judge_size_bytes(const struct iopf_judge_options *options);

/*
 * Make a judge in @memory, aligned to 64.
 *
 * Owns:    borrows @memory until it is reused.
 * Returns: 0, -EINVAL (an option out of its range), -ENOSPC (@memory_bytes).
 */
int iopf_judge_create(const struct iopf_judge_options *options, void *memory,
		      size_t memory_bytes, struct iopf_judge **judge);

/* What is not known of it is not judged. Names: 1 to 31 characters. */
struct iopf_judge_source {
	const char *name;   /* copied */
	const char *family; /* or NULL: not known */
	uint32_t slots;     /* transactions that it stalls at once; 0: not known */
};

struct iopf_judge_endpoint {
	const char *name;        /* copied */
	uint32_t source;         /* IOPF_NO_ID: not known */
	uint32_t physical;       /* a virtual function's: whose interface it uses; or IOPF_NO_ID */
	uint32_t rid;            /* or IOPF_NO_ID */
	uint32_t allocation;     /* outstanding page requests; 0: not known */
	int8_t mechanism;        /* enum iopf_mechanism; -1: not known */
	int8_t pasid_in_response; /* PRG Response PASID Required: 0, 1; -1: not known */
};

/*
 * What there is, before it is named in an event: again with more where more is known.
 *
 * Returns: its number, the same for the same name; -EINVAL (a name), -ENOSPC.
 */
int iopf_judge_add_source(struct iopf_judge *judge, const struct iopf_judge_source *source);
int iopf_judge_add_endpoint(struct iopf_judge *judge,
			    const struct iopf_judge_endpoint *endpoint);
int iopf_judge_add_owner(struct iopf_judge *judge, const char *name);

/* ---- What happened ----------------------------------------------------------------- */

/* As in the event language, where those words are said at length. */
/* clang-format off */
#define IOPF_JUDGE_KINDS(X) \
	X(REQUEST,     request,     "a page is asked for, or a transaction stalls") \
	X(STOP,        stop,        "a stop marker") \
	X(SHOW,        show,        "an owner is shown a group") \
	X(ANSWER,      answer,      "an owner answers") \
	X(RESPONSE,    response,    "a response leaves, or reaches the function") \
	X(DROP,        drop,        "a request or a group leaves without a response") \
	X(ATTACH,      attach,      "an address space is given to an owner") \
	X(DETACH,      detach,      "it was taken from its owner") \
	X(REPLACE,     replace,     "it went from its owner to another") \
	X(ENABLE,      enable,      "paging is switched on") \
	X(DISABLE,     disable,     "paging was switched off, its groups answered") \
	X(RESTART,     restart,     "paging off, page request interface reset, on again") \
	X(FORGET,      forget,      "a page request interface was reset") \
	X(RESET,       reset,       "function reset: its groups end without a response") \
	X(REMOVE,      remove,      "the function is gone") \
	X(TERMINATE,   terminate,   "every stall of the endpoint's stream ends") \
	X(FAILED,      failed,      "the function is known to have stopped its paging") \
	X(OVERFLOW,    overflow,    "a page request queue lost requests") \
	X(INVALIDATE,  invalidate,  "translations are to be forgotten") \
	X(INVALIDATED, invalidated, "the invalidation completed") \
	X(WAIT,        wait,        "a queue waits for what stands before it") \
	X(WAITED,      waited,      "the wait completed") \
	X(PAUSE,       pause,       "not emptied (source), no time (owner), no reply (endpoint)") \
	X(RESUME,      resume,      "the pause is over")
/* clang-format on */
#define IOPF_JUDGE_KIND_ENUM(name, word, text) IOPF_JUDGE_##name,
enum iopf_judge_kind { IOPF_JUDGE_KINDS(IOPF_JUDGE_KIND_ENUM) IOPF_JUDGE_KIND_COUNT };

enum iopf_judge_event_flag {
	IOPF_JUDGE_LAST = 1,       /* request: closes its group */
	IOPF_JUDGE_STALL = 2,      /* request, response: a stalled transaction */
	IOPF_JUDGE_FORCED = 4,     /* request: against the rules, on purpose; from here on the
				    * rules of devices are not held against this one */
	IOPF_JUDGE_AUTOMATIC = 8,  /* response: known to be the IOMMU's own */
	IOPF_JUDGE_REFUSED = 16,   /* it was tried, and did not come to be */
	IOPF_JUDGE_INDEX = 32,     /* @index says something */
	IOPF_JUDGE_RAW = 64,       /* response: its code's bits are not the family's for it */
	IOPF_JUDGE_ENDING = 128,   /* response: @ending says something */
	IOPF_JUDGE_DEVICE = 256,   /* invalidate: in the function's cache */
	IOPF_JUDGE_DRAIN = 512,    /* wait: requests sent before are shown or ended first */
};

struct iopf_judge_event {
	uint64_t ns;
	uint64_t line;      /* where it stands in a recording; 0: events are counted */
	uint64_t addr;
	uint64_t token;     /* the ledger's name of a group, a kernel's cookie; 0: none */
	uint32_t source, endpoint, owner; /* as they were added; IOPF_NO_ID: not said */
	uint32_t rid;       /* IOPF_NO_ID: not said */
	uint32_t pasid;     /* IOPF_PASID_NONE, IOPF_PASID_ANY */
	uint32_t count;     /* show: pages; response: credits; enable: allocation; 0: not
			     * said */
	uint16_t index;
	uint16_t flags;     /* enum iopf_judge_event_flag */
	uint8_t kind;       /* enum iopf_judge_kind */
	uint8_t interface;  /* enum iopf_judge_interface */
	uint8_t perm;       /* enum iopf_perm */
	uint8_t code;       /* enum iopf_code */
	uint8_t ending;     /* enum iopf_ending */
	uint8_t raw_code;
	uint8_t rsvd[6];
};

/* Nothing said: zeros are values. */
#define IOPF_JUDGE_EVENT_NONE                                                       \
	{                                                                           \
		.source = IOPF_NO_ID, .endpoint = IOPF_NO_ID, .owner = IOPF_NO_ID, \
		.rid = IOPF_NO_ID, .pasid = IOPF_PASID_NONE                         \
	}

/* One event. What it names and nobody added, and kinds out of range, are not judged. */
void iopf_judge_event(struct iopf_judge *judge, const struct iopf_judge_event *event);

/*
 * All of a recording, text or binary: what there is, and what happened. @file: its name,
 * for messages. Not the end: iopf_judge_end().
 *
 * Returns: 0; -EBADMSG: "file:line:column: what, expected what" is in @problem, cut off
 *          at @problem_bytes, and what stood before was judged.
 */
int iopf_judge_read(struct iopf_judge *judge, const char *file, const void *bytes,
		    size_t size_bytes, char *problem, size_t problem_bytes);

/* Nothing more comes: what is still due is missing, where the recording is whole. */
void iopf_judge_end(struct iopf_judge *judge);

/* From here on neither the rules of the device nor those of the IOMMU are held against
 * what is seen of @endpoint: somebody plays them. */
void iopf_judge_excuse(struct iopf_judge *judge, uint32_t endpoint);

/* ---- The verdict ------------------------------------------------------------------- */

struct iopf_judge_tally {
	uint64_t judged;     /* times that it could be held against something */
	uint64_t violations; /* of them */
	uint64_t not_judged; /* times that something was not known */
	uint64_t excused;    /* it did not hold, on purpose */
};

/* Of rule @number, or, with IOPF_NO_ID, of all together. Zeros out of range. */
struct iopf_judge_tally iopf_judge_tally(const struct iopf_judge *judge, uint32_t number);

/* That it was told of. */
uint64_t iopf_judge_events(const struct iopf_judge *judge);

/* Tables that were full: its name and its option's value; NULL behind the last.
 * @lost: how often there was no room. */
const char *iopf_judge_full(const struct iopf_judge *judge, uint32_t number,
			    uint32_t *max, uint64_t *lost);

#ifdef __cplusplus
}
#endif

#endif
