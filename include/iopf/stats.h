/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats.h - the numbers of a broker and its flight recorder, as they lie in memory.
 *
 * Both hold values only and may be shared memory: whoever maps them reads along, at any
 * time, without the broker knowing. Included by iopf.h.
 */
#ifndef IOPF_STATS_H
#define IOPF_STATS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Every counter there is: the structures, the statistics page, JSON, scenarios and
 * the live view are made from this list. One row per endpoint, owner and source. A
 * source's row holds what no present endpoint can hold: unknown and removed ones. */
/* clang-format off */
#define IOPF_COUNTERS(X) \
	X(requests,            "page requests that came in") \
	X(lasts,               "of them, those that close a group") \
	X(stop_markers,        "stop markers") \
	X(shown,               "groups given to an owner") \
	X(ended_success,       "ended: the owner answered success") \
	X(ended_invalid,       "ended: the owner answered invalid") \
	X(ended_failure,       "ended: the owner answered failure") \
	X(ended_deadline,      "ended: deadline") \
	X(ended_quota,         "ended: quota") \
	X(ended_detach,        "ended: detach or replace") \
	X(ended_no_owner,      "ended: no owner, or paging off") \
	X(ended_malformed,     "ended: malformed request or allocation exceeded") \
	X(ended_guest_overflow, "ended: the guest's queue was full") \
	X(ended_reset,         "ended without a response: function reset") \
	X(ended_removal,       "ended without a response: removal") \
	X(ended_response_failure, "ended without a response: paging stopped by the function") \
	X(response_success,    "responses that left: success") \
	X(response_invalid,    "responses that left: invalid") \
	X(response_failure,    "responses that left: failure") \
	X(refused_unknown,     "answers refused: never issued") \
	X(refused_duplicate,   "answers refused: this owner answered it before") \
	X(refused_stale,       "answers refused: issued, ended otherwise") \
	X(refused_foreign,     "answers refused: somebody else's group") \
	X(refused_malformed,   "answers refused: no such code, or not a valid command") \
	X(refused_forbidden,   "answers refused: a code that this owner may not use") \
	X(allocation_exceeded, "requests beyond the endpoint's allocation") \
	X(index_reused,        "requests with an index that is still open") \
	X(malformed_requests,  "requests that break a rule of the interface") \
	X(reserved_bits,       "records with unknown bits set") \
	X(dropped_requests,    "requests, not last, that nobody could be given") \
	X(dropped_partials,    "partial groups thrown away") \
	X(lost_credits,        "credits of what was thrown away unanswered") \
	X(overflows,           "queue overflows") \
	X(uprgi_seen,          "unexpected PRG index seen at the function") \
	X(rf_seen,             "response failure seen at the function") \
	X(deadline_warnings,   "groups older than the deadline, told once each") \
	X(events_suppressed,   "events not told because of the rate limit") \
	X(ended_liar,          "ended: the owner said success again and again") \
	X(liar,                "pages that were asked too often after success") \
	X(quota_retries,       "responses over the quota that said try again") \
	X(terminated,          "stalls that were terminated with their stream") \
	X(out_of_service,      "groups of an owner that is out of service") \
	X(unexpected_seen,     "unexpected completions told by AER")
/* clang-format on */
#define IOPF_COUNTER_ENUM(name, text) IOPF_COUNTER_##name,
enum iopf_counter { IOPF_COUNTERS(IOPF_COUNTER_ENUM) IOPF_COUNTER_COUNT };

/* A row's present state; gauges go up and down. */
/* clang-format off */
#define IOPF_GAUGES(X) \
	X(partial,        "partial groups") \
	X(ready,          "groups that their owner has not fetched") \
	X(delivered,      "groups that their owner has to answer") \
	X(leaving,        "groups whose response has not left") \
	X(credits_in_use, "credits: requests in the ledger") \
	X(granted,        "credits, or stall slots, that were granted")
/* clang-format on */
#define IOPF_GAUGE_ENUM(name, text) IOPF_GAUGE_##name,
enum iopf_gauge { IOPF_GAUGES(IOPF_GAUGE_ENUM) IOPF_GAUGE_COUNT };

/* One row of the statistics page. A row that is used again counts from 0: id and epoch
 * tell whose numbers they are. The broker's thread writes; anybody may read with
 * relaxed 64-bit loads at any time. Values only, no pointers: it may be shared memory. */
struct iopf_stats_row {
	uint64_t counter[IOPF_COUNTER_COUNT];
	uint64_t gauge[IOPF_GAUGE_COUNT];
	uint64_t id; /* endpoints: source << 32 | rid; owners, sources: the caller's name */
	uint64_t epoch;
};

#define IOPF_STATS_MAGIC UINT64_C(0x3173746174737049) /* "Ipstats1" */

struct iopf_stats_page {
	uint64_t magic;
	uint32_t row_size_bytes;
	uint32_t counter_count;
	uint32_t gauge_count;
	uint32_t endpoint_max; /* rows: endpoints, then owners, then sources */
	uint32_t owner_max;
	uint32_t source_max;
	struct iopf_stats_row row[];
};

/* One step of a group, as the flight recorder keeps it. Kinds never change meaning. */
enum iopf_record_kind {
	IOPF_RECORD_NONE,
	IOPF_RECORD_REQUEST,  /* data: address | perm */
	IOPF_RECORD_STOP,
	IOPF_RECORD_SHOW,
	IOPF_RECORD_ANSWER,   /* detail: code */
	IOPF_RECORD_REFUSE,   /* detail: counter; data: the owner who said it */
	IOPF_RECORD_RESPONSE, /* detail: code << 4 | ending */
	IOPF_RECORD_DROP,     /* detail: ending, by the host or without a response */
	IOPF_RECORD_ATTACH,   /* data: owner */
	IOPF_RECORD_OPERATION, /* detail: kind; data: step */
	IOPF_RECORD_OVERFLOW, /* data: source */
	IOPF_RECORD_EVENT,    /* detail: kind; data: value */
	IOPF_RECORD_KIND_COUNT
};

struct iopf_record {
	uint64_t ns;
	uint64_t token;
	uint64_t data;
	uint32_t pasid;
	uint16_t endpoint;
	uint8_t kind;
	uint8_t detail;
};

#define IOPF_RECORDER_MAGIC UINT64_C(0x3165636172747049) /* "Iptrace1" */

/* A single-writer ring. Entry n lies at entry[n & (entry_count - 1)]. A reader loads
 * head (acquire), copies words (acquire), loads head again: entries at or below
 * head - entry_count may have been overwritten meanwhile. It may be shared memory and
 * outlive its writer. */
struct iopf_recorder {
	uint64_t magic;
	uint32_t record_size_bytes;
	uint32_t entry_count; /* a power of two */
	uint64_t head;        /* records written since create */
	uint64_t rsvd[5];
	struct iopf_record entry[];
};

/*
 * Make a recorder in @memory of @size_bytes (64 bytes and 32 a record, a power of two
 * of them, at least 2).
 *
 * Owns:    borrows @memory until the last broker that writes to it is gone.
 * Returns: the recorder, or NULL where @memory is too small or not aligned to 64.
 */
struct iopf_recorder *iopf_recorder_create(void *memory, size_t size_bytes);

#ifdef __cplusplus
}
#endif

#endif
