/* SPDX-License-Identifier: BSD-3-Clause */
/* words.h - requests, groups and responses as plain values. Included by iopf.h. */
#ifndef IOPF_WORDS_H
#define IOPF_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "iopf/stats.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an access wants. X and PRIV exist only with a PASID (PCIe, PASID TLP prefix). */
enum iopf_perm {
	IOPF_READ = 1,
	IOPF_WRITE = 2,
	IOPF_EXEC = 4,
	IOPF_PRIV = 8,
};

/* What an owner may say and a device may be told. Wires map it; nothing casts it. */
/* clang-format off */
#define IOPF_CODES(X) \
	X(SUCCESS, success, "every page of the group was made present: try again") \
	X(INVALID, invalid, "at least one page cannot be made present: give up") \
	X(FAILURE, failure, "the page request interface is broken: stop using it")
/* clang-format on */
#define IOPF_CODE_ENUM(name, word, text) IOPF_##name,
enum iopf_code { IOPF_CODES(IOPF_CODE_ENUM) IOPF_CODE_COUNT };

/* A PASID is 20 bits. "None" is a key of its own, different from PASID 0. */
#define IOPF_PASID_MAX  UINT32_C(0xfffff)
#define IOPF_PASID_NONE UINT32_MAX
/* Attachments only: every PASID (not "none") without an attachment of its own. */
#define IOPF_PASID_ANY (UINT32_MAX - 1)

enum iopf_request_flag {
	IOPF_LAST = 1,    /* closes its group */
	IOPF_STOP = 2,    /* a stop marker: no request, no credit, no response */
	IOPF_STALL = 4,   /* a stalled transaction: index is its tag, a group of one */
	IOPF_PRIVATE = 8, /* private_data is to be given back in the response */
};

/* How an endpoint asks for pages: with page requests (PCIe 6.x, 10.4), or by stalling
 * its transaction in the IOMMU (Arm SMMUv3, "Fault models"). */
enum iopf_mechanism {
	IOPF_PRI,
	IOPF_STALLS,
};

/* One page that a device asks for, or a stop marker, as it came from a source. */
struct iopf_request {
	uint64_t addr;  /* byte address; a multiple of 4096 where the wire says pages */
	uint32_t rid;   /* requester or stream id, as this source knows it */
	uint32_t pasid; /* 0..IOPF_PASID_MAX or IOPF_PASID_NONE */
	uint16_t index; /* PRG index (9 bits) or stall tag (16 bits) */
	uint8_t perm;   /* enum iopf_perm */
	uint8_t flags;  /* enum iopf_request_flag */
	uint32_t rsvd;
	uint64_t private_data[2];
};

/* What leaves for the device. Made by the broker from its ledger alone. */
struct iopf_response {
	uint64_t token;
	uint64_t opened_ns; /* when its last request came in, pauses of its owner left out */
	uint32_t endpoint;  /* IOPF_NO_ID where the request's rid was unknown */
	uint32_t rid;
	uint32_t pasid;     /* IOPF_PASID_NONE: the response carries none */
	uint16_t index;
	uint16_t request_count; /* credits that the response gives back */
	uint8_t code;           /* enum iopf_code */
	uint8_t flags;          /* IOPF_STALL, IOPF_PRIVATE */
	uint8_t ending;         /* enum iopf_ending */
	uint8_t rsvd[5];
	uint64_t private_data[2];
};

/* One page of a group that an owner is shown. */
struct iopf_page {
	uint64_t addr;
	uint8_t perm;
	uint8_t rsvd[7];
};

/* A group that an owner is shown. The token is the only way to answer it. */
struct iopf_group {
	uint64_t token;
	uint64_t opened_ns;
	uint32_t endpoint;
	uint32_t pasid;
	uint32_t rid;
	uint16_t index;
	uint16_t page_count; /* more than one: iopf_broker_pages() */
	uint8_t flags;       /* IOPF_STALL, IOPF_PRIVATE */
	uint8_t rsvd[7];
	struct iopf_page page; /* the first page */
};

/* How a group left the ledger. The names are those of JSON, scenarios and counters. */
/* clang-format off */
#define IOPF_ENDINGS(X) \
	X(success,          "its owner answered success") \
	X(invalid,          "its owner answered invalid") \
	X(failure,          "its owner, alone on its function, answered failure") \
	X(deadline,         "the host stopped waiting for its owner") \
	X(quota,            "its owner held its whole share") \
	X(detach,           "the attachment was closed while it was open") \
	X(no_owner,         "nobody owns its address space, or paging is off") \
	X(malformed,        "the request breaks a rule of its interface") \
	X(guest_overflow,   "the guest's queue was full: answered as hardware would") \
	X(reset,            "the function was reset: no response") \
	X(removal,          "the function is gone: no response") \
	X(response_failure, "the function stopped its paging: no response") \
	X(liar,             "its owner says success again and again, and it is not so")
/* clang-format on */
#define IOPF_ENDING_ENUM(name, text) IOPF_ENDING_##name,
enum iopf_ending { IOPF_ENDINGS(IOPF_ENDING_ENUM) IOPF_ENDING_COUNT };

/* Whether nothing leaves for the device, since it has forgotten the question. */
static inline bool iopf_ending_is_silent(enum iopf_ending ending)
{
	return ending >= IOPF_ENDING_reset && ending <= IOPF_ENDING_response_failure;
}

/* The counter of an ending: counters are added at the end of their list. */
static inline enum iopf_counter iopf_ending_counter(enum iopf_ending ending)
{
	return ending == IOPF_ENDING_liar ?
		       IOPF_COUNTER_ended_liar :
		       (enum iopf_counter)(IOPF_COUNTER_ended_success + (unsigned)ending);
}

/* A broker's numbers for endpoints, owners, sources. */
#define IOPF_NO_ID UINT32_MAX

#ifdef __cplusplus
}
#endif

#endif
