/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_pair.h - both halves of a guest against each other in one process, and a host
 * that only writes down what it was asked and says what it is told to say.
 */
#ifndef TESTS_GUEST_PAIR_H
#define TESTS_GUEST_PAIR_H

#include <errno.h>

#include "base/memory.h"
#include "base/name.h"
#include "iopf/guest.h"
#include "queue/driver.h"
#include "queue/hardware.h"
#include "queue/smmuv3.h"
#include "queue/vtd.h"
#include "table/family.h"
#include "test.h"

enum {
	PAIR_MEMORY = 16 << 20,
	PAIR_REGION = 8 << 20, /* the agent's; the pages of the pager lie above it */
	PAIR_LOG = 4096,
	PAIR_RID = 0x0310,
	PAIR_OTHER_RID = 0x0318,
	PAIR_ENDPOINT = 70,
	PAIR_OTHER_ENDPOINT = 71,
};

/*
 * The virtual IOMMU that tests run with, and how PAIR_RID is shown what it asked. A program
 * that says pair_main() is run with each that there is, by the lists of families.
 */
struct pair_kind {
	const char *family;
	uint8_t mechanism; /* enum iopf_mechanism */
};

static struct pair_kind pair_kind = { "vtd", IOPF_PRI };

static inline const struct hardware_family *pair_row(void)
{
	return hardware_family_find(pair_kind.family);
}

static inline const struct family *pair_family(void)
{
	return family_find(pair_kind.family);
}

/* For what only one of them has: its own registers, its own layouts. */
static inline bool pair_is(const char *family)
{
	return name_is(pair_kind.family, family);
}

static inline bool pair_stalls(void)
{
	return pair_kind.mechanism == IOPF_STALLS;
}

/* Can its guests be shown both? */
static inline bool pair_both(void)
{
	return pair_row()->guest_mechanisms == (1u << IOPF_PRI | 1u << IOPF_STALLS);
}

/* Does it offer first levels of as many? */
static inline bool pair_levels(uint32_t levels)
{
	const struct hardware_offer offer = { .levels = levels };
	struct iopf_hardware_options ignored = { 0 };

	return pair_row()->offer(&offer, &ignored) == 0;
}

static inline int pair_main(void)
{
	int result = 0;

	for (size_t i = 0; hardware_families[i] != NULL; i++) {
		for (uint8_t how = IOPF_PRI; how <= IOPF_STALLS; how++) {
			if (!(hardware_families[i]->guest_mechanisms >> how & 1))
				continue;
			pair_kind = (struct pair_kind){ hardware_families[i]->wire->name,
							how };
			printf("# %s%s\n", pair_kind.family,
			       how == IOPF_STALLS ? ", stalls" : "");
			result |= test_main();
		}
	}
	return result;
}

/* What the host was asked, in order. */
struct pair_entry {
	char kind; /* a attach, d detach, i invalidate, r answer, f forgotten */
	uint32_t endpoint, pasid;
	uint64_t token;
	int code;
	struct iopf_address_space space;
	struct iopf_command command;
};

struct pair {
	unsigned char *bytes;
	struct iopf_segment segment;
	struct iopf_memory memory;
	struct iopf_guest *guest;
	struct iopf_agent *agent;
	void *guest_memory, *agent_memory;
	uint64_t now_ns;

	/* The host. */
	struct pair_entry log[PAIR_LOG];
	uint32_t count;
	int attach, detach, invalidate, invalidated, drained; /* what it says */
	uint32_t invalidate_room; /* how often invalidate is 0 before it says that */
	uint32_t attach_calls, detach_calls, drained_calls;
	uint32_t interrupts;
	bool closes; /* detach takes what is shown, as a broker does */
	uint64_t open[2 * IOPF_GUEST_INDEX_COUNT];
	uint32_t open_count;

	void (*turn)(bool mine); /* whose turn it is with the guest; NULL: one thread */

	/* The pager. */
	int fault; /* what it says */
	uint32_t faults;
	uint16_t index; /* of the last request */
	uint64_t next_gpa;
	uint8_t grant;
};

static inline void pair_log(struct pair *pair, struct pair_entry entry)
{
	if (pair->count < PAIR_LOG)
		pair->log[pair->count++] = entry;
}

static inline int pair_attach(void *context, uint32_t endpoint, uint32_t pasid,
			      const struct iopf_address_space *space)
{
	struct pair *pair = context;

	pair->attach_calls++;
	if (pair->attach == 0)
		pair_log(pair, (struct pair_entry){ .kind = 'a', .endpoint = endpoint,
						    .pasid = pasid, .space = *space });
	return pair->attach;
}

static inline int pair_detach(void *context, uint32_t endpoint, uint32_t pasid)
{
	struct pair *pair = context;

	pair->detach_calls++;
	for (uint32_t i = 0; i < pair->open_count && pair->closes; i++)
		iopf_guest_taken(pair->guest, pair->open[i], pair->now_ns);
	if (pair->detach == 0)
		pair_log(pair, (struct pair_entry){ .kind = 'd', .endpoint = endpoint,
						    .pasid = pasid });
	return pair->detach;
}

static inline int pair_invalidate(void *context, uint32_t endpoint, uint32_t pasid,
				  const struct iopf_command *command)
{
	struct pair *pair = context;
	bool room = pair->invalidate_room > 0;

	pair->invalidate_room -= room;
	if (room || pair->invalidate == 0)
		pair_log(pair, (struct pair_entry){ .kind = 'i', .endpoint = endpoint,
						    .pasid = pasid, .command = *command });
	return room ? 0 : pair->invalidate;
}

static inline int pair_invalidated(void *context)
{
	return ((struct pair *)context)->invalidated;
}

static inline int pair_drained(void *context)
{
	struct pair *pair = context;

	pair->drained_calls++;
	return pair->drained;
}

static inline void pair_answer(void *context, uint64_t token, enum iopf_code code)
{
	pair_log(context, (struct pair_entry){ .kind = 'r', .token = token,
					       .code = (int)code });
}

static inline void pair_forgotten(void *context, uint64_t token)
{
	pair_log(context, (struct pair_entry){ .kind = 'f', .token = token });
}

static inline void pair_interrupt(void *context, uint64_t addr, uint32_t data)
{
	(void)addr;
	(void)data;
	((struct pair *)context)->interrupts++;
}

static const struct iopf_guest_ops pair_guest_ops = {
	.attach = pair_attach,           .detach = pair_detach,
	.invalidate = pair_invalidate,   .invalidated = pair_invalidated,
	.drained = pair_drained,         .answer = pair_answer,
	.forgotten = pair_forgotten,     .interrupt = pair_interrupt,
};

static inline int pair_read(void *context, uint32_t offset, uint32_t width,
			    uint64_t *value)
{
	struct pair *pair = context;

	if (pair->turn != NULL)
		pair->turn(true);
	*value = iopf_guest_read(pair->guest, offset, width);
	if (pair->turn != NULL)
		pair->turn(false);
	return 0;
}

static inline int pair_write(void *context, uint32_t offset, uint32_t width,
			     uint64_t value)
{
	struct pair *pair = context;

	if (pair->turn != NULL)
		pair->turn(true);
	iopf_guest_write(pair->guest, offset, width, value);
	if (pair->turn != NULL)
		pair->turn(false);
	return 0;
}

static const struct iopf_register_ops pair_registers = { pair_read, pair_write };

static inline int pair_fault(void *context, const struct iopf_request *request,
			     uint64_t *gpa, uint8_t *perm)
{
	struct pair *pair = context;

	pair->faults++;
	pair->index = request->index;
	if (pair->fault != 0)
		return pair->fault;
	*gpa = pair->next_gpa;
	*perm = pair->grant != 0 ? pair->grant : request->perm;
	pair->next_gpa += 4096;
	if (pair->next_gpa == PAIR_MEMORY)
		pair->next_gpa = PAIR_REGION;
	return 0;
}

static const struct iopf_agent_ops pair_agent_ops = { pair_fault };

/* What a test may want otherwise. */
struct pair_options {
	uint32_t levels, pasid_max, agent_pasid_max, request_order;
	uint64_t hold_ns, region_bytes;
	bool mixed; /* PAIR_OTHER_RID asks in the other way */
	bool pasid_optional; /* PRG Response PASID Required is 0 */
	struct iopf_config *config; /* of PAIR_RID; NULL: none */
};

static inline void *pair_alloc(size_t size_bytes)
{
	return aligned_alloc(64, (size_bytes + 63) & ~(size_t)63);
}

static inline void pair_make_guest(struct pair *pair, struct pair_options want)
{
	const struct iopf_guest_endpoint endpoints[] = {
		{ .rid = PAIR_RID,
		  .endpoint = PAIR_ENDPOINT,
		  .pasid_in_response = !want.pasid_optional,
		  .mechanism = pair_kind.mechanism,
		  .config = want.config },
		{ .rid = PAIR_OTHER_RID,
		  .endpoint = PAIR_OTHER_ENDPOINT,
		  .pasid_in_response = true,
		  .mechanism = want.mixed ? !pair_kind.mechanism : pair_kind.mechanism },
	};
	const struct iopf_guest_options options = {
		.size_bytes = sizeof(options),
		.endpoint_count = 2,
		.endpoints = endpoints,
		.memory = pair->memory,
		.pasid_max = want.pasid_max != 0 ? want.pasid_max : 8,
		.levels = want.levels != 0 ? want.levels : 4,
		.hold_ns = want.hold_ns,
		.family = pair_kind.family,
		.ops = &pair_guest_ops,
		.context = pair,
	};
	size_t size_bytes = iopf_guest_size_bytes(&options);

	pair->guest_memory = pair_alloc(size_bytes);
	CHECK(iopf_guest_create(&options, pair->guest_memory, size_bytes, &pair->guest) ==
	      0);
}

static inline void pair_make_agent(struct pair *pair, struct pair_options want)
{
	static const uint32_t rids[] = { PAIR_RID, PAIR_OTHER_RID };
	const uint8_t mechanisms[] = { pair_kind.mechanism,
				       want.mixed ? !pair_kind.mechanism :
						    pair_kind.mechanism };
	const struct iopf_agent_options options = {
		.size_bytes = sizeof(options),
		.rid_count = 2,
		.rids = rids,
		.mechanisms = mechanisms,
		.family = pair_kind.family,
		.memory = pair->memory,
		.base = 0,
		.region_bytes = want.region_bytes != 0 ? want.region_bytes : PAIR_REGION,
		.levels = want.levels != 0 ? want.levels : 4,
		.pasid_max = want.agent_pasid_max != 0 ? want.agent_pasid_max : 8,
		.pasid_bits = 13,
		.command_order = 2,
		.request_order = want.request_order,
		.interrupt_addr = 0xfee00000,
		.registers = &pair_registers,
		.register_context = pair,
		.ops = &pair_agent_ops,
		.context = pair,
	};
	size_t size_bytes = iopf_agent_size_bytes(&options);

	pair->agent_memory = pair_alloc(size_bytes);
	CHECK(iopf_agent_create(&options, pair->agent_memory, size_bytes, &pair->agent) ==
	      0);
}

static inline void pair_run(struct pair *pair)
{
	while (iopf_guest_run(pair->guest, 100000, pair->now_ns) == 100000)
		;
}

/* Both sides, until neither has anything to do. */
static inline void pair_settle(struct pair *pair)
{
	for (int i = 0; i < 4; i++) {
		pair_run(pair);
		while (iopf_agent_poll(pair->agent, 64) == 64)
			pair_run(pair);
	}
	pair_run(pair);
}

static inline void pair_start(struct pair *pair)
{
	int result = -EAGAIN;

	for (int i = 0; i < 100 && result == -EAGAIN; i++) {
		result = iopf_agent_start(pair->agent);
		pair_run(pair);
	}
	CHECK_EQ(result, 0);
}

static struct pair *pair_last;

static inline struct pair *pair_new(struct pair_options want)
{
	struct pair *pair = pair_last;

	/* The one of the test before, which may have ended anywhere. */
	if (pair != NULL) {
		free(pair->bytes);
		free(pair->guest_memory);
		free(pair->agent_memory);
		free(pair);
	}
	pair = pair_last = calloc(1, sizeof(*pair));
	pair->bytes = aligned_alloc(4096, PAIR_MEMORY);
	memset(pair->bytes, 0, PAIR_MEMORY);
	pair->segment = (struct iopf_segment){ 0, PAIR_MEMORY, pair->bytes };
	pair->memory = (struct iopf_memory){ &pair->segment, 1 };
	pair->next_gpa = PAIR_REGION;
	pair->now_ns = 1000;
	pair_make_guest(pair, want);
	pair_make_agent(pair, want);
	pair_start(pair);
	return pair;
}

/* Invalidations that come with it are not kept in the log: in some families the command
 * for a PASID's entry is one for its translations, too. */
static inline void pair_attach_pasid(struct pair *pair, uint32_t rid, uint32_t pasid)
{
	uint32_t kept = pair->count;
	uint64_t ticket;

	CHECK_EQ(iopf_agent_attach(pair->agent, rid, pasid, &ticket), 0);
	pair_run(pair);
	CHECK(iopf_agent_waited(pair->agent, ticket));
	for (uint32_t i = kept; i < pair->count; i++)
		if (pair->log[i].kind != 'i')
			pair->log[kept++] = pair->log[i];
	pair->count = kept;
}

/* A pair with (PAIR_RID, PASID 1) attached. */
static inline struct pair *pair_with_pasid(struct pair_options want)
{
	struct pair *pair = pair_new(want);

	pair_attach_pasid(pair, PAIR_RID, 1);
	return pair;
}

/* A group of @page_count pages from @addr on. */
static inline int pair_show(struct pair *pair, uint64_t token, uint32_t pasid,
			    uint64_t addr, uint32_t page_count)
{
	static struct iopf_page pages[1024];
	const struct iopf_group group = { .token = token,
					  .endpoint = PAIR_ENDPOINT,
					  .pasid = pasid,
					  .rid = 0x9999, /* the host's, not the guest's */
					  .index = 17,
					  .page_count = (uint16_t)page_count };
	int result;

	for (uint32_t i = 0; i < page_count; i++)
		pages[i] = (struct iopf_page){ .addr = addr + 4096 * (uint64_t)i,
					       .perm = IOPF_READ | IOPF_WRITE };
	result = iopf_guest_show(pair->guest, &group, pages, pair->now_ns);
	if (result == 0 && pair->open_count < 2 * IOPF_GUEST_INDEX_COUNT)
		pair->open[pair->open_count++] = token;
	return result;
}

/* Show a group of one page and let the guest take it and keep it. Returns: its index. */
static inline uint16_t pair_hold(struct pair *pair, uint64_t token, uint32_t pasid,
				 uint64_t addr)
{
	uint32_t faults = pair->faults;

	pair->fault = -EAGAIN;
	CHECK_EQ(pair_show(pair, token, pasid, addr, 1), 0);
	pair_settle(pair);
	CHECK_EQ(pair->faults, faults + 1);
	return pair->index;
}

/* The guest answers by hand, whatever it was asked. */
static inline void pair_say(struct pair *pair, uint32_t rid, uint32_t pasid,
			    uint16_t index, enum iopf_code code)
{
	CHECK_EQ(iopf_agent_answer(pair->agent, rid, pasid, index, code), 0);
	iopf_agent_kick(pair->agent);
	pair_run(pair);
}

/* ---- Registers, by role ------------------------------------------------------------- */

static inline const struct driver_place *pair_place(const struct pair *pair,
						    enum driver_role role)
{
	return &iopf_agent_driver(pair->agent)->family->places[role];
}

/* The queue of requests, or of stalls. */
static inline enum driver_role pair_queue(void)
{
	return pair_stalls() ? DRIVER_EVENTS : DRIVER_REQUESTS;
}

/* What is there by @place comes into force, or goes out of it, others as they are: a switch
 * that is that of the commands, too, stays. */
static inline void pair_switch(struct pair *pair, const struct driver_place *place, bool on)
{
	const struct driver_place *commands = pair_place(pair, DRIVER_COMMANDS);
	uint64_t now = iopf_guest_read(pair->guest, place->shows, place->control_width);
	uint64_t bits = place->bits;

	if (place != commands && place->control == commands->control)
		bits &= ~(uint64_t)commands->bits;
	iopf_guest_write(pair->guest, place->control, place->control_width,
			 on ? now | place->bits : now & ~bits);
}

/* Everything is translated, or nothing. The command queue stays on. */
static inline void pair_translation(struct pair *pair, bool on)
{
	const struct driver_place *root = pair_place(pair, DRIVER_ROOT);
	static uint64_t before;

	if (pair_is("vtd")) {
		iopf_guest_write(pair->guest, VTD_GCMD, 4, VTD_QIE | (on ? VTD_TE : 0));
	} else if (root->bits != 0) {
		pair_switch(pair, root, on);
	} else {
		if (!on)
			before = iopf_guest_read(pair->guest, root->offset, root->width);
		iopf_guest_write(pair->guest, root->offset, root->width, on ? before : 0);
	}
	pair_run(pair);
}

/* No command is taken any more. */
static inline void pair_commands_off(struct pair *pair)
{
	if (pair_is("vtd"))
		iopf_guest_write(pair->guest, VTD_GCMD, 4, VTD_TE);
	else
		pair_switch(pair, pair_place(pair, DRIVER_COMMANDS), false);
	pair_run(pair);
}

static inline void pair_queue_off(struct pair *pair)
{
	const struct driver_place *place = pair_place(pair, pair_queue());

	if (place->bits != 0)
		pair_switch(pair, place, false);
	else
		iopf_guest_write(pair->guest, place->offset, place->width, 0);
}

/* It lies at @addr from now on, as large as it was. */
static inline void pair_queue_at(struct pair *pair, uint64_t addr)
{
	const struct driver_family *family = iopf_agent_driver(pair->agent)->family;
	const struct driver_indices *at = pair_stalls() ? &family->event : &family->request;
	const struct driver_place *place = pair_place(pair, pair_queue());
	uint64_t now = iopf_guest_read(pair->guest, place->offset, place->width);

	if (place->bits != 0)
		pair_switch(pair, place, false);
	now = (now & ~place->addr) | ((addr >> place->addr_shift) & place->addr);
	iopf_guest_write(pair->guest, place->offset, place->width, now);
	if (place->bits == 0)
		return;
	/* Nothing is in it; what hardware owns of the indices, it sees to by itself. */
	iopf_guest_write(pair->guest, at->cons, family->index_bytes, 0);
	iopf_guest_write(pair->guest, at->prod, family->index_bytes, 0);
	pair_switch(pair, place, true);
}

/* Requests were lost and the guest has not acknowledged it. */
static inline bool pair_overflowed(struct pair *pair)
{
	const struct driver_family *family = iopf_agent_driver(pair->agent)->family;

	if (family->turned == 0)
		return iopf_guest_read(pair->guest, family->status, 4) & family->overflow;
	return (iopf_guest_read(pair->guest, family->request.prod, 4) ^
		iopf_guest_read(pair->guest, family->request.cons, 4)) & family->turned;
}

/* Records that it has room for. */
static inline uint32_t pair_queue_room(const struct pair *pair)
{
	const struct driver_family *family = iopf_agent_driver(pair->agent)->family;
	const struct iopf_wire *wire = family->wire;

	return 4096 / (pair_stalls() ? wire->fault_bytes : wire->request_bytes) -
	       !family->convention.wrap_bit;
}

static inline struct iopf_guest_stats pair_stats(const struct pair *pair)
{
	struct iopf_guest_stats stats;

	iopf_guest_stats(pair->guest, &stats);
	return stats;
}

/* How often @kind stands in the log, and its last entry. */
static inline uint32_t pair_count(const struct pair *pair, char kind)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < pair->count; i++)
		count += pair->log[i].kind == kind;
	return count;
}

static inline struct pair_entry pair_find(const struct pair *pair, char kind)
{
	for (uint32_t i = pair->count; i-- > 0;)
		if (pair->log[i].kind == kind)
			return pair->log[i];
	return (struct pair_entry){ .kind = 0, .code = -1 };
}

#endif
