/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy.h - what an operator decides about an owner: how long it may take, how much it
 * may hold, how often it is believed. Included by iopf.h.
 */
#ifndef IOPF_POLICY_H
#define IOPF_POLICY_H

#include <stdint.h>

/*
 * The knobs: one list, from which the struct, parsers, JSON and documents are made.
 * Name, unit, least, most, default, what it does.
 *
 * Quota: an owner may begin one more group while it holds fewer than its quota, at all
 * endpoints together. Alone on an interface its quota is no less than that has credits,
 * since nobody else could use them.
 * Share: of an interface that several owners use (PASIDs of one function, a physical
 * function and its virtual ones) each is promised a part. Whoever holds more than its
 * own part gets one more only while that leaves enough for the others' parts.
 * Over either, a group of page requests ends with success, that is, the function asks
 * again, a few times a page; then, and a stall at once, with invalid: ending `quota`.
 */
/* clang-format off */
#define IOPF_POLICY_KNOBS(X) \
	X(deadline_ns, "ns", 0, UINT64_C(604800000000000), UINT64_C(1000000000), \
	  "age at which a group is told, or ended; 0: never") \
	X(deadline_answers, "flag", 0, 1, 0, \
	  "1: a group that is that old ends with invalid; 0: its age is told, once") \
	X(quota_groups, "groups", 0, 2097152, 0, \
	  "groups of page requests that the owner may hold open; 0: no quota") \
	X(quota_stalls, "slots", 0, 65536, 0, \
	  "stalled transactions that the owner may hold open; 0: no quota") \
	X(guaranteed, "credits", 0, 65535, 0, \
	  "its share of each endpoint that it has with others; 0: an equal one") \
	X(retry_max, "times", 0, 3, 3, \
	  "how often a page over the quota is told to try again before invalid") \
	X(liar_limit, "times", 0, 255, 16, \
	  "how often a page may be asked again after success before invalid; 0: for ever")
/* clang-format on */
#define IOPF_POLICY_MEMBER(name, unit, least, most, normal, text) uint64_t name;
struct iopf_policy {
	IOPF_POLICY_KNOBS(IOPF_POLICY_MEMBER)
};

#define IOPF_POLICY_NORMAL(name, unit, least, most, normal, text) .name = (normal),
#define IOPF_POLICY_DEFAULT { IOPF_POLICY_KNOBS(IOPF_POLICY_NORMAL) }

#endif
