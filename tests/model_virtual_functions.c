/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: virtual functions page through their physical function's interface. */
#include <errno.h>

#include "iopf/wire.h"
#include "model/config.h"
#include "model/function.h"

#include "test.h"

enum { PF, VF1, VF2, COUNT, SENT_MAX = 64, COOKIES = 8 };

#define PASID 0x12345u

static struct member {
	struct model_function *function;
	enum model_verdict verdict; /* of the last response */
	uint32_t resets[MODEL_REMOVED + 1];
	uint32_t client_resets;
	enum model_outcome outcome[COOKIES];
	uint32_t outcomes[COOKIES];
	uint32_t in_use, credit_calls; /* as observed */
} members[COUNT];

static struct iopf_request sent[SENT_MAX];
static uint32_t sent_count;

static uint32_t rid_of(unsigned n)
{
	return 0x0300 + 8 * n;
}

static struct member *member_of(const struct model_function *function)
{
	unsigned n = 0;

	while (n < COUNT && members[n].function != function)
		n++;
	CHECK(n < COUNT);
	return &members[n];
}

static enum model_status stub_translate(void *context,
					const struct model_translation_request *request,
					struct model_translation *translation)
{
	(void)context;
	*translation = (struct model_translation){ .addr = request->addr,
						   .size_bytes = 4096,
						   .perm = IOPF_READ };
	return MODEL_SUCCESS;
}

static void stub_page_request(void *context, uint32_t rid, uint32_t pasid, uint8_t perm,
			      uint64_t payload)
{
	(void)context;
	CHECK(sent_count < SENT_MAX);
	(void)iopf_pcie_decode_request(payload, rid, pasid, perm, &sent[sent_count++]);
}

static enum model_status stub_access(void *context, uint32_t rid, uint64_t addr,
				     void *buffer, uint32_t size_bytes, bool write)
{
	(void)context, (void)rid, (void)addr, (void)buffer, (void)size_bytes, (void)write;
	return MODEL_UR;
}

static void stub_interrupt(void *context, uint32_t rid, uint64_t addr, uint32_t data)
{
	(void)context, (void)rid, (void)addr, (void)data;
}

static void saw_request(void *context, struct model_function *function, uint32_t pasid,
			uint8_t perm, uint64_t payload)
{
	(void)context, (void)function, (void)pasid, (void)perm, (void)payload;
}

static void saw_response(void *context, struct model_function *function, uint32_t pasid,
			 uint64_t payload, enum model_verdict verdict)
{
	(void)context, (void)pasid, (void)payload;
	member_of(function)->verdict = verdict;
}

static void saw_reset(void *context, struct model_function *function,
		      enum model_reset reset)
{
	(void)context;
	member_of(function)->resets[reset]++;
}

static void saw_credits(void *context, struct model_function *function, uint32_t in_use,
			uint32_t allocation)
{
	struct member *member = member_of(function);

	(void)context, (void)allocation;
	member->in_use = in_use;
	member->credit_calls++;
}

static void answered(void *context, uint32_t cookie, enum model_outcome outcome)
{
	struct member *member = context;

	member->outcome[cookie] = outcome;
	member->outcomes[cookie]++;
}

static void client_reset(void *context)
{
	struct member *member = context;

	member->client_resets++;
}

static uint32_t get(unsigned n, uint32_t offset, uint32_t size_bytes)
{
	return model_function_config_read(members[n].function, offset, size_bytes);
}

static void set(unsigned n, uint32_t offset, uint32_t size_bytes, uint32_t value)
{
	model_function_config_write(members[n].function, offset, size_bytes, value);
}

static struct model_function_state state_of(unsigned n)
{
	struct model_function_state state;

	model_function_state(members[n].function, &state);
	return state;
}

static void destroy(void)
{
	for (unsigned n = COUNT; n-- > 0;)
		model_function_destroy(members[n].function);
	memset(members, 0, sizeof(members));
}

static struct model_function_options options_of(unsigned n)
{
	return (struct model_function_options){
		.upstream = { .translate = stub_translate,
			      .page_request = stub_page_request,
			      .access = stub_access,
			      .interrupt = stub_interrupt },
		.observer = { NULL, saw_request, saw_response, saw_reset, saw_credits },
		.rid = rid_of(n),
		.capacity = 64,
		.atc_entries = 64,
		.pasid_width = n == PF ? 20 : 0,
		.exec = n == PF,
		.pasid_in_response = n == PF,
		.physical = n == PF ? NULL : members[PF].function,
	};
}

/* As software enables: the interface at the physical function, ATS at each. */
static void start_marking(uint32_t allocation, bool marker)
{
	static struct model_client clients[COUNT];

	destroy();
	sent_count = 0;
	for (unsigned n = 0; n < COUNT; n++) {
		struct model_function_options options = options_of(n);

		options.stop_marker = marker;
		CHECK_EQ(model_function_create(&options, &members[n].function), 0);
		clients[n] = (struct model_client){ &members[n], answered, client_reset };
		model_function_set_client(members[n].function, &clients[n]);
		set(n, CONFIG_COMMAND, 2, COMMAND_BUS_MASTER | COMMAND_MEMORY);
	}
	set(PF, CONFIG_PASID_CONTROL, 2, PASID_ENABLE | PASID_EXEC);
	for (unsigned n = 0; n < COUNT; n++)
		set(n, CONFIG_ATS_CONTROL, 2, ATS_ENABLE);
	set(PF, CONFIG_PRI_ALLOCATION, 4, allocation);
	set(PF, CONFIG_PRI_CONTROL, 2, PRI_ENABLE);
}

static void start(uint32_t allocation)
{
	start_marking(allocation, false);
}

/* A group of @count pages. Returns: the number of its first message. */
static uint32_t ask(unsigned n, uint32_t pasid, uint32_t cookie, uint32_t count)
{
	uint32_t first = sent_count;
	int group = model_group_open(members[n].function, pasid, cookie);

	CHECK(group >= 0);
	for (uint32_t i = 0; i < count; i++)
		CHECK(model_group_add(members[n].function, (uint32_t)group,
				      0x9000 + i * 4096, IOPF_READ, i + 1 == count) >= 0);
	return first;
}

/* A response for message @message arrives at function @n. */
static void respond_at(unsigned n, uint32_t message, uint8_t code)
{
	const struct iopf_prg_response response = { .rid = rid_of(n),
						    .pasid = sent[message].pasid,
						    .index = sent[message].index,
						    .code = code };

	model_function_response(members[n].function, response.pasid,
				iopf_pcie_encode_response(&response));
}

/* ---- What it is --------------------------------------------------------------------- */

TEST(a_virtual_function_has_ats_and_neither_pri_nor_pasid)
{
	uint32_t at = 0x100, ids[8], count = 0;

	start(8);
	for (; at != 0; at = get(VF1, at, 4) >> 20)
		ids[count++] = get(VF1, at, 4) & 0xffff;
	CHECK_EQ(count, 2);
	CHECK_EQ(ids[0], 0x0001);
	CHECK_EQ(ids[1], 0x000f);
	set(VF1, CONFIG_PRI_ALLOCATION, 4, 32);
	set(VF1, CONFIG_PRI_CONTROL, 2, PRI_RESET);
	set(VF1, CONFIG_PASID_CONTROL, 2, PASID_ENABLE);
	for (uint32_t offset = CONFIG_PRI; offset < CONFIG_PASID + 8; offset += 4)
		CHECK_EQ(get(VF1, offset, 4), 0);
	CHECK_EQ(state_of(PF).allocation, 8);
	CHECK(state_of(VF1).paging);
	CHECK_EQ(state_of(VF1).physical_rid, rid_of(PF));
}

TEST(a_virtual_function_of_a_virtual_one_is_refused)
{
	struct model_function_options options;
	struct model_function *none = NULL;

	start(8);
	options = options_of(VF1);
	options.physical = members[VF2].function;
	CHECK_EQ(model_function_create(&options, &none), -EINVAL);
	CHECK(none == NULL);
}

TEST(ats_is_each_functions_own)
{
	uint32_t use;

	start(8);
	set(VF1, CONFIG_ATS_CONTROL, 2, 0);
	CHECK_EQ(model_function_translate(members[VF1].function, PASID, 0x9000, IOPF_READ,
					  &use), -EACCES);
	CHECK_EQ(model_function_translate(members[VF2].function, PASID, 0x9000, IOPF_READ,
					  &use), 0);
	model_function_release(members[VF2].function, use);
	CHECK_EQ(state_of(VF2).atc_misses, 1);
	CHECK_EQ(state_of(PF).atc_misses, 0);
}

TEST(pasids_are_those_of_the_physical_function)
{
	uint32_t use;

	start(8);
	set(VF1, CONFIG_ATS_CONTROL, 2, 0);
	set(PF, CONFIG_ATS_CONTROL, 2, 0);
	set(PF, CONFIG_PASID_CONTROL, 2, 0);
	set(VF1, CONFIG_ATS_CONTROL, 2, ATS_ENABLE);
	CHECK_EQ(model_function_translate(members[VF1].function, PASID, 0x9000, IOPF_READ,
					  &use), -EACCES);
	CHECK_EQ(model_group_open(members[VF1].function, PASID, 0), -EACCES);
	CHECK(model_group_open(members[VF1].function, IOPF_PASID_NONE, 0) >= 0);
}

/* ---- One interface ------------------------------------------------------------------ */

TEST(credits_are_one_pool)
{
	start(4);
	ask(VF1, PASID, 0, 3);
	CHECK_EQ(model_group_room(members[PF].function, PASID), 1);
	CHECK_EQ(model_group_room(members[VF2].function, PASID), 1);
	ask(VF2, PASID, 0, 1);
	CHECK_EQ(model_group_room(members[PF].function, PASID), -EAGAIN);
	CHECK_EQ(state_of(PF).credits_in_use, 4);
	CHECK_EQ(state_of(VF1).credits_in_use, 3);
	CHECK_EQ(state_of(VF2).credits_in_use, 1);
	CHECK_EQ(members[PF].in_use, 4);
	CHECK_EQ(members[VF1].credit_calls, 0);
	respond_at(VF1, 0, 0);
	CHECK_EQ(model_group_room(members[VF2].function, PASID), 3);
}

TEST(the_last_credit_closes_a_group_whoever_took_the_others)
{
	uint32_t first;
	int group;

	start(3);
	ask(VF1, PASID, 0, 2);
	group = model_group_open(members[VF2].function, PASID, 0);
	first = sent_count;
	CHECK_EQ(model_group_add(members[VF2].function, (uint32_t)group, 0x9000, IOPF_READ,
				 false), 1);
	CHECK(sent[first].flags & IOPF_LAST);
}

TEST(no_index_is_in_use_at_two_functions)
{
	start(64);
	for (unsigned n = 0; n < 12; n++)
		ask(n % COUNT, PASID, n / COUNT, 1);
	for (unsigned a = 0; a < 12; a++) {
		CHECK_EQ(sent[a].rid, rid_of(a % COUNT));
		for (unsigned b = 0; b < a; b++)
			CHECK(sent[a].index != sent[b].index);
	}
}

TEST(a_group_is_only_its_own_functions_to_add_to)
{
	int group;

	start(8);
	group = model_group_open(members[VF1].function, PASID, 0);
	CHECK_EQ(model_group_add(members[VF2].function, (uint32_t)group, 0x9000, IOPF_READ,
				 true), -ENOENT);
	CHECK_EQ(model_group_close(members[PF].function, (uint32_t)group), -ENOENT);
	CHECK_EQ(sent_count, 0);
}

TEST(a_response_counts_only_at_the_function_that_asked)
{
	start(8);
	ask(VF1, PASID, 0, 2);
	respond_at(VF2, 0, 0);
	CHECK_EQ(members[VF2].verdict, MODEL_UNEXPECTED);
	CHECK_EQ(members[VF1].outcomes[0], 0);
	CHECK_EQ(state_of(PF).credits_in_use, 2);
	CHECK_EQ(get(PF, CONFIG_PRI_STATUS, 2) & PRI_UPRGI, PRI_UPRGI);
	set(PF, CONFIG_PRI_STATUS, 2, PRI_UPRGI);
	respond_at(VF1, 0, 1);
	CHECK_EQ(members[VF1].verdict, MODEL_TAKEN);
	CHECK_EQ(members[VF1].outcome[0], MODEL_OUTCOME_INVALID);
	CHECK_EQ(state_of(PF).credits_in_use, 0);
	CHECK_EQ(get(PF, CONFIG_PRI_STATUS, 2) & PRI_UPRGI, 0);
}

TEST(a_failure_at_one_stops_all_until_the_interface_is_enabled_again)
{
	start(8);
	ask(PF, PASID, 0, 1);
	ask(VF1, PASID, 0, 1);
	ask(VF2, PASID, 0, 1);
	respond_at(VF1, 1, 15);
	for (unsigned n = 0; n < COUNT; n++) {
		CHECK_EQ(members[n].outcome[0], MODEL_OUTCOME_FAILURE);
		CHECK_EQ(model_group_room(members[n].function, PASID), -EPIPE);
		CHECK(state_of(n).rf);
	}
	respond_at(VF2, 2, 0);
	CHECK_EQ(members[VF2].verdict, MODEL_IGNORED);
	/* A virtual function's reset does not heal it. */
	model_function_reset(members[VF1].function);
	CHECK_EQ(model_group_room(members[VF2].function, PASID), -EPIPE);
	CHECK(state_of(PF).rf);
	set(PF, CONFIG_PRI_CONTROL, 2, PRI_RESET);
	set(PF, CONFIG_PRI_CONTROL, 2, PRI_ENABLE);
	CHECK_EQ(model_group_room(members[VF2].function, PASID), 8);
}

TEST(disabling_stops_all_and_waits_for_all)
{
	start(8);
	ask(VF1, PASID, 0, 1);
	ask(VF2, PASID, 0, 1);
	set(PF, CONFIG_PRI_CONTROL, 2, 0);
	CHECK_EQ(model_group_room(members[VF1].function, PASID), -EACCES);
	respond_at(VF1, 0, 0);
	CHECK(!state_of(PF).stopped);
	respond_at(VF2, 1, 0);
	CHECK(state_of(PF).stopped);
	for (unsigned n = 0; n < COUNT; n++)
		CHECK_EQ(members[n].resets[MODEL_PRI_DISABLED], 1);
}

/* ---- Stopping a PASID ----------------------------------------------------------------- */

TEST(a_stop_is_of_one_functions_pasid)
{
	start(8);
	ask(PF, PASID, 0, 1);
	ask(VF1, PASID, 0, 1);
	CHECK_EQ(model_function_stop(members[PF].function, PASID), -EAGAIN);
	CHECK(!model_function_stopping(members[VF1].function, PASID));
	ask(VF1, PASID, 1, 1);
	respond_at(PF, 0, 0);
	CHECK(!model_function_stopping(members[PF].function, PASID));
}

TEST(a_marker_carries_the_requester_id_of_who_stops)
{
	start_marking(8, true);
	ask(VF1, PASID, 0, 1);
	ask(VF2, PASID, 0, 1);
	CHECK_EQ(model_function_stop(members[VF2].function, PASID), 0);
	CHECK_EQ(sent_count, 3);
	CHECK_EQ(sent[2].flags, IOPF_STOP);
	CHECK_EQ(sent[2].rid, rid_of(VF2));
	CHECK_EQ(members[VF2].outcome[0], MODEL_OUTCOME_STOPPED);
	CHECK_EQ(members[VF1].outcomes[0], 0);
	CHECK_EQ(state_of(VF2).stale, 1);
	CHECK_EQ(state_of(VF1).stale, 0);
}

/* ---- Resets --------------------------------------------------------------------------- */

TEST(a_virtual_functions_reset_ends_its_own_groups_only)
{
	start(4);
	ask(VF1, PASID, 0, 3);
	ask(VF2, PASID, 0, 1);
	CHECK_EQ(model_function_stop(members[VF1].function, PASID), -EAGAIN);
	set(VF1, CONFIG_DEVICE_CONTROL, 2, DEVICE_CONTROL_FLR);
	CHECK_EQ(members[VF1].outcome[0], MODEL_OUTCOME_LOST);
	CHECK_EQ(members[VF1].client_resets, 1);
	CHECK_EQ(members[VF1].resets[MODEL_FLR], 1);
	CHECK(!model_function_stopping(members[VF1].function, PASID));
	CHECK_EQ(members[VF2].outcomes[0], 0);
	CHECK_EQ(members[VF2].client_resets + members[PF].client_resets, 0);
	CHECK_EQ(members[VF2].resets[MODEL_FLR] + members[PF].resets[MODEL_FLR], 0);
	CHECK_EQ(state_of(PF).credits_in_use, 1);
	CHECK(state_of(PF).enabled);
	/* What comes for it now is unexpected, at the interface. */
	respond_at(VF1, 0, 0);
	CHECK_EQ(members[VF1].verdict, MODEL_UNEXPECTED);
	CHECK(state_of(PF).uprgi);
	respond_at(VF2, 3, 0);
	CHECK_EQ(members[VF2].outcome[0], MODEL_OUTCOME_SUCCESS);
}

TEST(credits_that_a_reset_gives_back_close_what_waits_for_them)
{
	int group;

	start(2);
	group = model_group_open(members[VF2].function, PASID, 0);
	CHECK_EQ(model_group_add(members[VF2].function, (uint32_t)group, 0x9000, IOPF_READ,
				 false), 0);
	ask(VF1, PASID, 0, 1);
	CHECK_EQ(model_function_stop(members[VF2].function, PASID), -EAGAIN);
	CHECK_EQ(sent_count, 2);
	model_function_reset(members[VF1].function);
	CHECK_EQ(sent_count, 3);
	CHECK_EQ(sent[2].rid, rid_of(VF2));
	CHECK(sent[2].flags & IOPF_LAST);
}

TEST(the_physical_functions_reset_ends_all)
{
	start(8);
	ask(PF, PASID, 0, 1);
	ask(VF1, PASID, 0, 2);
	ask(VF2, PASID, 0, 1);
	CHECK_EQ(model_function_stop(members[VF2].function, PASID), -EAGAIN);
	set(PF, CONFIG_DEVICE_CONTROL, 2, DEVICE_CONTROL_FLR);
	for (unsigned n = 0; n < COUNT; n++) {
		CHECK_EQ(members[n].outcome[0], MODEL_OUTCOME_LOST);
		CHECK_EQ(members[n].client_resets, 1);
		CHECK_EQ(members[n].resets[MODEL_FLR], 1);
		CHECK_EQ(get(n, CONFIG_ATS_CONTROL, 2), 0);
		CHECK_EQ(model_group_room(members[n].function, IOPF_PASID_NONE), -EACCES);
	}
	CHECK_EQ(state_of(PF).credits_in_use, 0);
	CHECK(state_of(PF).stopped);
	CHECK(!model_function_stopping(members[VF2].function, PASID));
}

TEST(a_virtual_function_that_is_pulled_out_takes_only_itself)
{
	start(8);
	ask(VF1, PASID, 0, 2);
	ask(VF2, PASID, 0, 1);
	model_function_remove(members[VF1].function);
	CHECK_EQ(members[VF1].resets[MODEL_REMOVED], 1);
	CHECK_EQ(get(VF1, CONFIG_VENDOR, 4), UINT32_MAX);
	CHECK_EQ(model_group_room(members[VF1].function, PASID), -ENODEV);
	CHECK_EQ(state_of(PF).credits_in_use, 1);
	respond_at(VF2, 2, 0);
	CHECK_EQ(members[VF2].outcome[0], MODEL_OUTCOME_SUCCESS);
	model_function_remove(members[PF].function);
	CHECK_EQ(members[VF1].resets[MODEL_REMOVED], 1);
	CHECK_EQ(members[VF2].resets[MODEL_REMOVED], 1);
	CHECK_EQ(get(VF2, CONFIG_VENDOR, 4), UINT32_MAX);
	CHECK_EQ(model_group_room(members[VF2].function, PASID), -ENODEV);
}

TEST(what_a_destroyed_virtual_function_asked_for_is_lost)
{
	start(8);
	ask(VF1, PASID, 0, 2);
	model_function_destroy(members[VF1].function);
	members[VF1].function = NULL;
	CHECK_EQ(state_of(PF).credits_in_use, 0);
	CHECK_EQ(members[VF1].outcomes[0], 0);
	set(PF, CONFIG_DEVICE_CONTROL, 2, DEVICE_CONTROL_FLR);
}

TEST(a_raw_message_under_anothers_index_books_nothing)
{
	const struct iopf_request *other = &sent[0];

	start(8);
	ask(VF1, PASID, 0, 1);
	model_function_send_raw(members[VF2].function, PASID, 0,
				iopf_pcie_encode_request(other));
	CHECK_EQ(sent[1].rid, rid_of(VF2));
	CHECK_EQ(state_of(PF).credits_in_use, 1);
	respond_at(VF1, 0, 0);
	CHECK_EQ(state_of(PF).credits_in_use, 0);
}

int main(void)
{
	int failed = test_main();

	destroy();
	return failed;
}
