/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trace/words.h - every word of the event language: kinds, keys, closed lists.
 *
 * A word's place in its list is its number in the binary form. Words are added at the
 * end of a list and never change their meaning. The same lists are the tables of
 * docs/formats.md.
 */
#ifndef TRACE_WORDS_H
#define TRACE_WORDS_H

#include "iopf/iopf.h"

/* Kinds: X(name, timed, text). What is not timed has no time in front: it describes the
 * world, or holds where it stands. */
/* clang-format off */
#define TRACE_KINDS(X) \
	X(world,       0, "what there is: an endpoint, else an owner, else a source") \
	X(require,     0, "what has to hold at this place, or the scenario fails") \
	X(request,     1, "a page is asked for, or a transaction stalls") \
	X(stop,        1, "a stop marker: nothing that the function asked comes after it") \
	X(show,        1, "an owner is shown a group") \
	X(page,        1, "one page of a group that is shown, in the order asked") \
	X(answer,      1, "an owner answers") \
	X(refuse,      1, "an answer was refused") \
	X(response,    1, "a response leaves, or reaches the function") \
	X(end,         1, "the host ends a group under a named reason") \
	X(drop,        1, "a request or a group leaves without a response") \
	X(attach,      1, "an address space is given to an owner") \
	X(detach,      1, "an address space is taken from its owner") \
	X(replace,     1, "an address space goes from its owner to another") \
	X(enable,      1, "paging of an endpoint is switched on") \
	X(disable,     1, "paging of an endpoint is switched off, its groups answered") \
	X(restart,     1, "paging off, page request interface reset, on again") \
	X(reset,       1, "function reset: its groups end without a response") \
	X(remove,      1, "the function is gone") \
	X(step,        1, "an operation under way does one step") \
	X(status,      1, "the function's page request status, as read") \
	X(event,       1, "the host was told something") \
	X(overflow,    1, "a page request queue lost requests") \
	X(queue,       1, "an owner's queue is set up again, switched on or off") \
	X(invalidate,  1, "translations are to be forgotten") \
	X(invalidated, 1, "the invalidation completed") \
	X(wait,        1, "an owner's queue waits for what stands before it") \
	X(waited,      1, "the wait completed") \
	X(translate,   1, "a function asked for a translation and got this") \
	X(map,         1, "an owner makes a page present in its tables") \
	X(unmap,       1, "an owner takes a page out of its tables") \
	X(dma,         1, "a function begins to move bytes") \
	X(moved,       1, "the function is done with it") \
	X(pause,       1, "not emptied (source), no time (owner), no reply (endpoint)") \
	X(resume,      1, "the pause is over") \
	X(flood,       1, "a function asks again and again whenever it may") \
	X(calm,        1, "the flood is over") \
	X(kill,        1, "an owner's process dies") \
	X(hostile,     1, "an owner does what no honest one would") \
	X(count,       1, "counters as the program shows them") \
	X(mark,        1, "nothing: a name for this moment") \
	X(policy,      1, "an operator changes what an owner may hold, and for how long") \
	X(service,     1, "an owner is taken out of service at an endpoint, or put back") \
	X(release,     1, "an owner is given up by whoever made it") \
	X(forget,      1, "a page request interface is reset: it forgets what it asked") \
	X(terminate,   1, "every stall of the endpoint's stream ends in the IOMMU")
/* clang-format on */
#define TRACE_KIND_ENUM(name, timed, text) TRACE_KIND_##name,
enum trace_kind { TRACE_KINDS(TRACE_KIND_ENUM) TRACE_KIND_COUNT };

/* What a key's value is. Closed lists are types of their own. */
/* clang-format off */
#define TRACE_TYPES(X) \
	X(number,      "a number") \
	X(hex,         "a number, written 0x") \
	X(name,        "1 to 31 of A-Z a-z 0-9 _ . : -") \
	X(flag,        "0 or 1") \
	X(duration,    "a number with ns, us, ms, s, m or h; without one, nanoseconds") \
	X(pasid,       "0 to 1048575, none or any") \
	X(perm,        "letters of rwxp in this order, or - for none of them") \
	X(code,        "a response code") \
	X(ending,      "how a group left the ledger") \
	X(reason,      "which check refused an answer") \
	X(result,      "what a call came to") \
	X(event,       "what the host was told") \
	X(operation,   "an operation on an endpoint") \
	X(step,        "a step of an operation") \
	X(interface,   "where it was seen") \
	X(mechanism,   "how an endpoint pages") \
	X(role,        "what kind of owner") \
	X(granularity, "what an invalidation reaches") \
	X(unexpected,  "how a function complains of a response that it did not expect")
/* clang-format on */
#define TRACE_TYPE_ENUM(name, text) TRACE_TYPE_##name,
enum trace_type { TRACE_TYPES(TRACE_TYPE_ENUM) TRACE_TYPE_COUNT };

/* What a call came to: X(name, errno, text); scenarios require it, recordings say it. */
/* clang-format off */
#define TRACE_RESULTS(X) \
	X(ok,          0,          "done") \
	X(refused,     ENOENT,     "no such thing, or a refused answer") \
	X(forbidden,   EPERM,      "this owner may not say that") \
	X(nothing,     EAGAIN,     "nothing is there, or not now") \
	X(full,        ENOSPC,     "a fixed table is full") \
	X(busy,        EBUSY,      "an operation is under way, or something old is left") \
	X(exists,      EEXIST,     "it is there already") \
	X(bad,         EINVAL,     "it could never be right") \
	X(needs_reset, ETIMEDOUT,  "only a function reset helps") \
	X(gone,        ENODEV,     "the function is gone") \
	X(no_room,     EDQUOT,     "the source has no room for the allocation") \
	X(range,       ERANGE,     "a knob of a policy is out of its range")
/* clang-format on */
#define TRACE_RESULT_ENUM(name, error, text) TRACE_RESULT_##name,
enum trace_result { TRACE_RESULTS(TRACE_RESULT_ENUM) TRACE_RESULT_COUNT };

enum trace_reason {
	TRACE_REASON_unknown,
	TRACE_REASON_duplicate,
	TRACE_REASON_stale,
	TRACE_REASON_foreign,
	TRACE_REASON_malformed,
	TRACE_REASON_forbidden,
	TRACE_REASON_COUNT
};

enum trace_interface {
	TRACE_INTERFACE_function, /* at the function's end of the link */
	TRACE_INTERFACE_queue,    /* in the IOMMU's queues */
	TRACE_INTERFACE_guest,    /* in an owner's own queues */
	TRACE_INTERFACE_kernel,   /* at a kernel's fault descriptor */
	TRACE_INTERFACE_COUNT
};

/* As enum model_unexpected has it: the PRI capability's bit, or AER. */
enum trace_unexpected {
	TRACE_UNEXPECTED_uprgi,
	TRACE_UNEXPECTED_completion,
	TRACE_UNEXPECTED_request,
	TRACE_UNEXPECTED_COUNT
};

enum trace_mechanism { TRACE_MECHANISM_pri, TRACE_MECHANISM_stall, TRACE_MECHANISM_COUNT };

enum trace_role {
	TRACE_ROLE_guest,
	TRACE_ROLE_pager,
	TRACE_ROLE_callback,
	TRACE_ROLE_COUNT
};

/* What a line of a scenario may be for: X(name, word, text). `@word` before it. */
/* clang-format off */
#define TRACE_TRAITS(X) \
	X(PRI,     "pri",      "functions send page requests") \
	X(STALL,   "stall",    "transactions of streams stall") \
	X(DIRECT,  "direct",   "owners answer through the broker's interface") \
	X(GUEST,   "guest",    "owners are guests, and answer through their own queues") \
	X(PASID,   "pasid",    "PRG responses carry the PASID") \
	X(NOPASID, "no-pasid", "PRG responses do not carry the PASID")
/* clang-format on */
#define TRACE_TRAIT_ENUM(name, word, text) TRACE_TRAIT_##name,
enum trace_trait { TRACE_TRAITS(TRACE_TRAIT_ENUM) TRACE_TRAIT_COUNT };

#define TRACE_IS(trait) (1U << TRACE_TRAIT_##trait)

/* Ways to play a scenario: X(name, word, traits, text). */
/* clang-format off */
#define TRACE_VARIANTS(X) \
	X(PRI, "pri", TRACE_IS(PRI) | TRACE_IS(DIRECT) | TRACE_IS(PASID), \
	  "page requests, responses carry the PASID") \
	X(PRI_NOPASID, "pri-no-pasid", TRACE_IS(PRI) | TRACE_IS(DIRECT) | TRACE_IS(NOPASID), \
	  "page requests, responses do not carry it") \
	X(STALL, "stall", TRACE_IS(STALL) | TRACE_IS(DIRECT), \
	  "stalled transactions of a stream") \
	X(GUEST, "guest", TRACE_IS(PRI) | TRACE_IS(GUEST) | TRACE_IS(PASID), \
	  "page requests through a guest's queue, responses carry the PASID") \
	X(GUEST_NOPASID, "guest-no-pasid", \
	  TRACE_IS(PRI) | TRACE_IS(GUEST) | TRACE_IS(NOPASID), \
	  "page requests through a guest's queue, responses do not carry it") \
	X(GUEST_STALL, "guest-stall", TRACE_IS(STALL) | TRACE_IS(GUEST), \
	  "stalled transactions through a guest's event queue")
/* clang-format on */
#define TRACE_VARIANT_ENUM(name, word, traits, text) TRACE_VARIANT_##name,
enum trace_variant { TRACE_VARIANTS(TRACE_VARIANT_ENUM) TRACE_VARIANT_COUNT };

/* Sets of kinds. */
#define TRACE_IN(kind) (UINT64_C(1) << TRACE_KIND_##kind)
#define TRACE_IN_GROUP                                                       \
	(TRACE_IN(request) | TRACE_IN(show) | TRACE_IN(page) | TRACE_IN(answer) | \
	 TRACE_IN(refuse) | TRACE_IN(response) | TRACE_IN(end) | TRACE_IN(drop))
#define TRACE_IN_SPACE (TRACE_IN(attach) | TRACE_IN(detach) | TRACE_IN(replace))
#define TRACE_IN_WHOLE                                                            \
	(TRACE_IN(enable) | TRACE_IN(disable) | TRACE_IN(restart) | TRACE_IN(reset) | \
	 TRACE_IN(remove) | TRACE_IN(status) | TRACE_IN(forget) | TRACE_IN(terminate))
#define TRACE_IN_OPERATION (TRACE_IN_SPACE | TRACE_IN_WHOLE | TRACE_IN(step))
#define TRACE_IN_CACHE                                                      \
	(TRACE_IN(invalidate) | TRACE_IN(invalidated) | TRACE_IN(translate) | \
	 TRACE_IN(map) | TRACE_IN(unmap))
/* What an operator decides about an owner. */
#define TRACE_IN_POLICY (TRACE_IN(world) | TRACE_IN(policy))
#define TRACE_IN_WAIT   (TRACE_IN(wait) | TRACE_IN(waited))
#define TRACE_IN_DMA    (TRACE_IN(dma) | TRACE_IN(moved))
#define TRACE_IN_LIST   (TRACE_IN(require) | TRACE_IN(count))
#define TRACE_IN_SEEN                                                              \
	(((UINT64_C(1) << TRACE_KIND_COUNT) - 1) &                                 \
	 ~(TRACE_IN(world) | TRACE_IN(mark) | TRACE_IN(kill)))

/*
 * Keys: X(name, type, max, must, may, text). @must: kinds that need it; @may: others
 * that may carry it. @max: of numbers.
 */
/* clang-format off */
#define TRACE_KEYS(X) \
	X(endpoint, name, 0, \
	  TRACE_IN_OPERATION | TRACE_IN(dma) | TRACE_IN(flood) | TRACE_IN(calm) | \
	  TRACE_IN(service), \
	  TRACE_IN(world) | TRACE_IN_LIST | TRACE_IN_GROUP | TRACE_IN(stop) | \
	  TRACE_IN(event) | TRACE_IN(overflow) | TRACE_IN_CACHE | TRACE_IN_WAIT | \
	  TRACE_IN(moved) | TRACE_IN(pause) | TRACE_IN(resume) | TRACE_IN(hostile), \
	  "the endpoint's name in this file") \
	X(owner, name, 0, \
	  TRACE_IN(replace) | TRACE_IN(queue) | TRACE_IN(kill) | TRACE_IN(hostile) | \
	  TRACE_IN(policy) | TRACE_IN(service) | TRACE_IN(release), \
	  TRACE_IN(world) | TRACE_IN_LIST | TRACE_IN_GROUP | TRACE_IN(attach) | \
	  TRACE_IN(detach) | TRACE_IN(event) | TRACE_IN_CACHE | TRACE_IN_WAIT | TRACE_IN_DMA | \
	  TRACE_IN(pause) | TRACE_IN(resume), \
	  "the owner's name in this file") \
	X(source, name, 0, 0, \
	  TRACE_IN(world) | TRACE_IN_LIST | TRACE_IN_GROUP | TRACE_IN(stop) | \
	  TRACE_IN(event) | TRACE_IN(overflow) | TRACE_IN(step) | TRACE_IN(pause) | \
	  TRACE_IN(resume), \
	  "the source's name in this file") \
	X(group, name, 0, 0, TRACE_IN_GROUP | TRACE_IN(require) | TRACE_IN(event), \
	  "a person's name for the group") \
	X(name, name, 0, TRACE_IN(mark), TRACE_IN_DMA, "a name for this") \
	X(rid, hex, UINT32_MAX, 0, \
	  TRACE_IN(world) | TRACE_IN_GROUP | TRACE_IN(stop) | TRACE_IN(event) | TRACE_IN_CACHE, \
	  "requester or stream id") \
	X(pasid, pasid, 0, TRACE_IN_SPACE, \
	  TRACE_IN_GROUP | TRACE_IN(require) | TRACE_IN(stop) | TRACE_IN(step) | \
	  TRACE_IN(event) | TRACE_IN_CACHE | TRACE_IN_DMA | TRACE_IN(flood) | \
	  TRACE_IN(hostile), \
	  "absent: none") \
	X(index, number, UINT16_MAX, 0, \
	  TRACE_IN_GROUP | TRACE_IN(require) | TRACE_IN(stop) | TRACE_IN(flood) | \
	  TRACE_IN(hostile), \
	  "PRG index or stall tag") \
	X(virtual_index, number, UINT16_MAX, 0, TRACE_IN_GROUP | TRACE_IN(require), \
	  "the index that a guest is shown") \
	X(token, hex, UINT64_MAX, 0, \
	  TRACE_IN_GROUP | TRACE_IN_SPACE | TRACE_IN(stop) | TRACE_IN(step) | \
	  TRACE_IN(event) | TRACE_IN(overflow) | TRACE_IN(hostile), \
	  "the ledger's name of the group; a kernel's cookie") \
	X(addr, hex, UINT64_MAX, \
	  TRACE_IN(request) | TRACE_IN(page) | TRACE_IN(translate) | TRACE_IN(map) | \
	  TRACE_IN(unmap) | TRACE_IN(dma), \
	  TRACE_IN(require) | TRACE_IN(show) | TRACE_IN(answer) | TRACE_IN(response) | \
	  TRACE_IN(drop) | TRACE_IN(event) | TRACE_IN(invalidate) | \
	  TRACE_IN(invalidated) | TRACE_IN(moved) | TRACE_IN(flood), \
	  "I/O virtual byte address") \
	X(to, hex, UINT64_MAX, 0, TRACE_IN(map) | TRACE_IN(translate) | TRACE_IN(dma), \
	  "where it leads; where the bytes go") \
	X(size_bytes, number, UINT64_MAX, TRACE_IN(dma), TRACE_IN_CACHE | TRACE_IN(moved), \
	  "how much") \
	X(perm, perm, 0, TRACE_IN(request), \
	  TRACE_IN(show) | TRACE_IN(page) | TRACE_IN(map) | TRACE_IN(translate) | \
	  TRACE_IN(dma) | TRACE_IN(flood), \
	  "read, write, execute, privileged") \
	X(last, flag, 1, 0, TRACE_IN(request), "closes its group") \
	X(stall, flag, 1, 0, TRACE_IN(request) | TRACE_IN(show) | TRACE_IN(response), \
	  "a stalled transaction") \
	X(private0, hex, UINT64_MAX, 0, TRACE_IN(request) | TRACE_IN(response), \
	  "private data, bits 63:0") \
	X(private1, hex, UINT64_MAX, 0, TRACE_IN(request) | TRACE_IN(response), \
	  "private data, bits 127:64") \
	X(code, code, 0, TRACE_IN(answer) | TRACE_IN(response), \
	  TRACE_IN(require) | TRACE_IN(refuse) | TRACE_IN(end), "what was said") \
	X(raw_code, number, 15, 0, TRACE_IN(answer) | TRACE_IN(response) | TRACE_IN(require), \
	  "the code's bits, where they are not the family's own for it") \
	X(ending, ending, 0, TRACE_IN(end), \
	  TRACE_IN(response) | TRACE_IN(drop) | TRACE_IN(event), "how it ended") \
	X(reason, reason, 0, TRACE_IN(refuse), 0, "which check refused it") \
	X(result, result, 0, TRACE_IN(moved), \
	  TRACE_IN(require) | TRACE_IN_OPERATION | TRACE_IN(request) | TRACE_IN(show) | \
	  TRACE_IN(answer) | TRACE_IN(end) | TRACE_IN(queue) | TRACE_IN(invalidate) | \
	  TRACE_IN(invalidated) | TRACE_IN_WAIT | TRACE_IN(translate) | TRACE_IN(policy) | \
	  TRACE_IN(service) | TRACE_IN(release), \
	  "what the call came to: required in scenarios, seen in recordings") \
	X(request_count, number, UINT16_MAX, 0, TRACE_IN(response) | TRACE_IN(end), \
	  "credits that the response gives back") \
	X(page_count, number, UINT16_MAX, 0, TRACE_IN(show), "pages of the group") \
	X(number, number, UINT16_MAX, 0, TRACE_IN(page), "which page of the group, from 0") \
	X(count, number, UINT32_MAX, 0, TRACE_IN(request) | TRACE_IN(flood) | TRACE_IN(hostile) | \
	  TRACE_IN(overflow) | TRACE_IN(drop), \
	  "how many: requests of successive pages and indices; requests at a time; acts") \
	X(what, event, 0, TRACE_IN(event), TRACE_IN(require), "what the host was told") \
	X(operation, operation, 0, 0, TRACE_IN(step) | TRACE_IN(event), "which operation") \
	X(step, step, 0, TRACE_IN(step), 0, "which step") \
	X(interface, interface, 0, 0, TRACE_IN_SEEN, "where it was seen, or is to be done") \
	X(since, name, 0, 0, TRACE_IN(require), "only what came after this mark") \
	X(allocation, number, UINT16_MAX, 0, TRACE_IN(world) | TRACE_IN(enable), \
	  "outstanding page request allocation: credits") \
	X(family, name, 0, 0, TRACE_IN(world), "IOMMU family of a source, or of a guest") \
	X(mechanism, mechanism, 0, 0, TRACE_IN(world), "how the endpoint pages") \
	X(entries, number, 1048576, 0, TRACE_IN(world) | TRACE_IN(queue), \
	  "entries of the page request queue") \
	X(pasid_in_response, flag, 1, 0, TRACE_IN(world), \
	  "PRG Response PASID Required of the function") \
	X(sends_stop_markers, flag, 1, 0, TRACE_IN(world), \
	  "the function sends stop markers and does not wait for responses") \
	X(enabled, flag, 1, TRACE_IN(queue) | TRACE_IN(service), TRACE_IN(world), \
	  "switched on") \
	X(role, role, 0, 0, TRACE_IN(world), "what the owner is") \
	X(character, name, 0, 0, TRACE_IN(world), "how the guest behaves") \
	X(deadline, duration, 0, 0, TRACE_IN_POLICY, "when the host stops waiting; 0: never") \
	X(deadline_answers, flag, 1, 0, TRACE_IN_POLICY, \
	  "the deadline ends groups; otherwise it warns") \
	X(quota, number, UINT32_MAX, 0, TRACE_IN_POLICY, \
	  "groups that the owner may hold open; 0: any") \
	X(may_fail, flag, 1, 0, TRACE_IN(world), "the owner may answer failure") \
	X(inbox_entries, number, 65536, 0, TRACE_IN(world), "answers from other threads") \
	X(reserve_count, number, 4096, 0, TRACE_IN(world), \
	  "slots for lasts that nobody can be given") \
	X(seed, number, UINT64_MAX, 0, TRACE_IN(world), "of the history") \
	X(program, name, 0, 0, TRACE_IN(world), "what wrote this") \
	X(version, name, 0, 0, TRACE_IN(world), "of the program") \
	X(uprgi, flag, 1, 0, TRACE_IN(require) | TRACE_IN(status), "unexpected PRG index") \
	X(rf, flag, 1, 0, TRACE_IN(require) | TRACE_IN(status), "response failure") \
	X(stopped, flag, 1, 0, TRACE_IN(require) | TRACE_IN(status), "the function has stopped") \
	X(responses, number, UINT32_MAX, 0, TRACE_IN(require), \
	  "responses that reached the function") \
	X(shows, number, UINT32_MAX, 0, TRACE_IN(require), "groups that the owner was shown") \
	X(events, number, UINT32_MAX, 0, TRACE_IN(require), "what the host was told") \
	X(debts, number, UINT32_MAX, 0, TRACE_IN_LIST, \
	  "groups that the guest owes, ended by the host") \
	X(parked, number, UINT32_MAX, 0, TRACE_IN_LIST, \
	  "groups that wait for a virtual index") \
	X(oldest, duration, 0, 0, TRACE_IN_LIST, "age of the oldest open group") \
	X(rounds, number, UINT32_MAX, 0, TRACE_IN(require) | TRACE_IN(step), \
	  "drain rounds of the operation") \
	X(granularity, granularity, 0, 0, TRACE_IN(invalidate) | TRACE_IN(invalidated), \
	  "what is to be forgotten") \
	X(domain, number, UINT16_MAX, 0, TRACE_IN_CACHE, "domain id") \
	X(device, flag, 1, 0, TRACE_IN(invalidate) | TRACE_IN(invalidated), \
	  "in the function's cache") \
	X(drain, flag, 1, 0, TRACE_IN_WAIT, "requests sent before are shown or ended first") \
	X(fence, flag, 1, 0, TRACE_IN_WAIT, "what stands before completes first") \
	X(forced, flag, 1, 0, TRACE_IN(request) | TRACE_IN(flood), \
	  "sent although the function has no credit") \
	X(remote, flag, 1, 0, TRACE_IN(answer), "from another thread") \
	X(automatic, flag, 1, 0, TRACE_IN(response) | TRACE_IN(require), \
	  "made by the IOMMU because a queue was full") \
	X(stepwise, flag, 1, 0, TRACE_IN_OPERATION & ~TRACE_IN(step) & ~TRACE_IN(status), \
	  "only begun; step lines carry it on") \
	X(act, name, 0, TRACE_IN(hostile), 0, "what it does") \
	X(value, hex, UINT64_MAX, 0, TRACE_IN(event) | TRACE_IN(hostile), \
	  "an address, an age, an error: by what it is") \
	X(suppressed, number, UINT64_MAX, 0, TRACE_IN(event), "events not told before this one") \
	X(crc, hex, UINT32_MAX, 0, TRACE_IN(moved) | TRACE_IN(require), \
	  "CRC-32C of the bytes") \
	X(stalls, number, UINT32_MAX, 0, TRACE_IN_LIST, "stall slots in use at the IOMMU") \
	X(quota_stalls, number, UINT32_MAX, 0, TRACE_IN_POLICY, \
	  "stalled transactions that the owner may hold open; 0: any") \
	X(guaranteed, number, UINT32_MAX, 0, TRACE_IN_POLICY, \
	  "its share of each endpoint that it has with others; 0: an equal one") \
	X(retry_max, number, UINT32_MAX, 0, TRACE_IN_POLICY, \
	  "how often a page over the quota is told to try again") \
	X(liar_limit, number, UINT32_MAX, 0, TRACE_IN_POLICY, \
	  "how often a page may be asked again after success; 0: for ever") \
	X(allocation_min, number, UINT16_MAX, 0, TRACE_IN(world), \
	  "what is enough, where the source has no room for the allocation; 0: all") \
	X(physical, name, 0, 0, TRACE_IN(world), \
	  "the physical function whose page request interface a virtual one uses") \
	X(slots, number, 65536, 0, TRACE_IN(world), \
	  "transactions that the source stalls at once, of all its streams") \
	X(unexpected, unexpected, 0, 0, TRACE_IN(world), \
	  "how the function complains of a response that it did not expect") \
	X(recent, number, UINT32_MAX, 0, TRACE_IN(require), \
	  "of the endpoint's last responses, those that are so")
/* clang-format on */
#define TRACE_KEY_ENUM(name, type, max, must, may, text) TRACE_KEY_##name,
#define TRACE_COUNTER_ENUM(name, text)                   TRACE_KEY_##name,

/* Counters and gauges are keys too. They have numbers of their own, so that either list
 * can grow at its end. */
enum trace_key {
	TRACE_KEYS(TRACE_KEY_ENUM)
	TRACE_KEY_WORDS,
	TRACE_KEY_COUNTERS = 128,
	TRACE_KEY_COUNTERS_BEFORE = TRACE_KEY_COUNTERS - 1,
	IOPF_COUNTERS(TRACE_COUNTER_ENUM)
	TRACE_KEY_COUNTERS_END,
	TRACE_KEY_GAUGES = 224,
	TRACE_KEY_GAUGES_BEFORE = TRACE_KEY_GAUGES - 1,
	IOPF_GAUGES(TRACE_COUNTER_ENUM)
	TRACE_KEY_GAUGES_END,
	TRACE_KEY_NONE = 255
};

#endif
