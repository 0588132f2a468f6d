/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: stalls that a guest is shown: events, tags, retry and abort, a full queue. */
#include "guest_smmuv3.h"

#define ADDR UINT64_C(0x7f0000000123) /* stalls have addresses of bytes */

/* The record of the guest's event queue at @index. */
static struct iopf_fault event(struct pair *pair, uint32_t index)
{
	struct iopf_agent_layout layout;
	uint8_t record[32];
	struct iopf_fault fault;
	bool reserved;

	iopf_agent_layout(pair->agent, &layout);
	memcpy(record, pair->bytes + layout.event_queue + index * sizeof(record),
	       sizeof(record));
	CHECK_EQ(iopf_wire_smmuv3.decode_fault(record, &fault, &reserved), 0);
	CHECK(!reserved);
	return fault;
}

static int show_page(struct pair *pair, uint64_t token, uint64_t addr, uint8_t perm)
{
	const struct iopf_page page = { .addr = addr, .perm = perm };
	const struct iopf_group group = { .token = token, .endpoint = PAIR_ENDPOINT,
					  .pasid = 1, .page_count = 1,
					  .flags = IOPF_STALL };

	return iopf_guest_show(pair->guest, &group, &page, pair->now_ns);
}

static uint64_t term(struct pair *pair, uint32_t rid)
{
	return say(pair, (struct iopf_command){ .kind = IOPF_COMMAND_TERMINATE,
						.rid = rid });
}

TEST(a_stall_is_an_event_with_its_address_and_its_access)
{
	static const struct {
		uint8_t wanted, shown;
	} perms[] = {
		{ IOPF_READ, IOPF_READ },
		{ IOPF_WRITE, IOPF_WRITE },
		{ IOPF_READ | IOPF_WRITE, IOPF_WRITE },
		{ IOPF_READ | IOPF_EXEC, IOPF_READ | IOPF_EXEC },
		{ IOPF_READ | IOPF_PRIV, IOPF_READ | IOPF_PRIV },
		{ IOPF_WRITE | IOPF_PRIV, IOPF_WRITE | IOPF_PRIV },
		{ 0, IOPF_READ },
	};
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	for (uint32_t i = 0; i < sizeof(perms) / sizeof(perms[0]); i++) {
		struct iopf_fault fault;

		CHECK_EQ(show_page(pair, i, ADDR + 4096 * i, perms[i].wanted), 0);
		fault = event(pair, i);
		CHECK(fault.stall);
		CHECK_EQ(fault.rid, PAIR_RID);
		CHECK_EQ(fault.pasid, 1);
		CHECK_EQ(fault.addr, ADDR + 4096 * i);
		CHECK_EQ(fault.perm, perms[i].shown);
		CHECK_EQ(fault.index, i);
		CHECK_EQ(fault.stage, 1);
		CHECK_EQ(fault.what, IOPF_FAULT_INPUT);
		CHECK_EQ(fault.reason, IOPF_SMMUV3_F_TRANSLATION);
	}
	CHECK_EQ(pair->interrupts, 1);
}

TEST(an_event_says_what_the_guests_tables_lack)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	CHECK_EQ(iopf_agent_map(pair->agent, PAIR_RID, 1, ADDR & ~UINT64_C(4095),
				PAIR_REGION, IOPF_READ), 0);
	CHECK_EQ(show_page(pair, 1, ADDR, IOPF_WRITE), 0);
	CHECK_EQ(event(pair, 0).reason, IOPF_SMMUV3_F_PERMISSION);
	/* It was mapped meanwhile. */
	CHECK_EQ(show_page(pair, 2, ADDR, IOPF_READ), 0);
	CHECK_EQ(event(pair, 1).reason, IOPF_SMMUV3_F_TRANSLATION);
	/* Without hardware that sets the flag: an access flag fault. */
	change(pair, find(pair, 1).cd_addr,
	       FIELD_MASK(SMMUV3_CD_HA) | FIELD_MASK(SMMUV3_CD_HD), 0);
	cfgi_cd(pair, 1);
	CHECK_EQ(show_page(pair, 3, ADDR, IOPF_READ), 0);
	CHECK_EQ(event(pair, 2).reason, IOPF_SMMUV3_F_ACCESS);
}

TEST(retry_is_success_and_abort_and_terminate_are_invalid)
{
	/* RESUME: Ac is bit 12, Ab bit 13. */
	static const struct {
		uint8_t bits;
		enum iopf_code code;
	} resumes[] = { { 0x10, IOPF_SUCCESS }, { 0x20, IOPF_INVALID }, { 0, IOPF_INVALID } };

	for (uint32_t i = 0; i < 3; i++) {
		struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
		uint8_t record[16] = { 0x44, resumes[i].bits, 0, 0, PAIR_RID & 0xff,
				       PAIR_RID >> 8 };

		record[8] = (uint8_t)pair_hold(pair, 7, 1, ADDR);
		CHECK_EQ(iopf_agent_descriptor(pair->agent, record), 0);
		iopf_agent_kick(pair->agent);
		pair_run(pair);
		CHECK_EQ(pair_find(pair, 'r').token, 7);
		CHECK_EQ(pair_find(pair, 'r').code, resumes[i].code);
	}
}

TEST(the_second_resume_of_a_tag_goes_nowhere)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint16_t tag = pair_hold(pair, 7, 1, ADDR), other;

	pair_say(pair, PAIR_RID, 1, tag, IOPF_SUCCESS);
	other = pair_hold(pair, 8, 1, ADDR + 4096);
	CHECK(other != tag);
	pair_say(pair, PAIR_RID, 1, tag, IOPF_INVALID);
	CHECK_EQ(pair_stats(pair).refused_duplicate, 1);
	CHECK_EQ(pair_count(pair, 'r'), 1);
	CHECK_EQ(pair_stats(pair).held, 1);
	CHECK_EQ(stopped(pair), 0);
}

TEST(what_was_never_shown_is_unknown_whatever_it_is_answered_with)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	struct iopf_command command = { .kind = IOPF_COMMAND_RESPONSE, .rid = PAIR_RID };
	uint16_t tag = pair_hold(pair, 7, 1, ADDR);

	/* A tag has 16 bits. */
	pair_say(pair, PAIR_RID, 1, 0xffff, IOPF_SUCCESS);
	CHECK_EQ(pair_stats(pair).refused_unknown, 1);
	/* A page response is none for a stall. */
	command.pasid = 1;
	command.index = tag;
	say(pair, command);
	CHECK_EQ(pair_stats(pair).refused_unknown, 2);
	CHECK_EQ(pair_stats(pair).held, 1);
	pair_say(pair, 0x0700, 1, tag, IOPF_SUCCESS);
	CHECK_EQ(pair_stats(pair).refused_unknown + pair_stats(pair).refused_foreign, 3);
	CHECK_EQ(pair_count(pair, 'r'), 0);
}

TEST(a_stall_that_finds_no_room_waits_and_nothing_is_lost)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	for (uint64_t token = 0; token < 128; token++)
		CHECK_EQ(show_page(pair, token, ADDR + token * 4096, IOPF_READ), 0);
	CHECK_EQ(show_page(pair, 128, ADDR, IOPF_READ), -EAGAIN);
	CHECK_EQ(show_page(pair, 128, ADDR, IOPF_READ), -EAGAIN);
	CHECK_EQ(pair_stats(pair).parked, 2);
	CHECK_EQ(pair_stats(pair).overflows, 0);
	CHECK_EQ((iopf_guest_read(pair->guest, SMMUV3_EVENTQ_PROD, 4) ^
		  iopf_guest_read(pair->guest, SMMUV3_EVENTQ_CONS, 4)) &
			 SMMUV3_QUEUE_OVERFLOW, 0);
	CHECK_EQ(iopf_agent_poll(pair->agent, 1), 1);
	CHECK_EQ(show_page(pair, 128, ADDR, IOPF_READ), 0);
	pair_settle(pair);
	CHECK_EQ(pair_count(pair, 'r'), 129);
}

TEST(with_every_tag_held_a_stall_is_parked_until_one_is_answered)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	for (uint64_t i = 0; i < IOPF_GUEST_INDEX_COUNT; i++)
		CHECK_EQ(pair_hold(pair, i, 1, ADDR), i);
	CHECK_EQ(show_page(pair, 1000, ADDR, IOPF_READ), -EAGAIN);
	pair_say(pair, PAIR_RID, 1, 77, IOPF_SUCCESS);
	CHECK_EQ(pair_hold(pair, 1000, 1, ADDR), 77);
}

TEST(to_terminate_a_stream_ends_all_its_stalls_and_no_others)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	const struct iopf_page page = { .addr = ADDR, .perm = IOPF_READ };
	const struct iopf_group other = { .token = 50, .endpoint = PAIR_OTHER_ENDPOINT,
					  .pasid = 1, .page_count = 1 };
	uint16_t tags[4];

	pair_attach_pasid(pair, PAIR_OTHER_RID, 1);
	for (uint64_t i = 0; i < 4; i++)
		tags[i] = pair_hold(pair, 10 + i, 1, ADDR + i * 4096);
	CHECK_EQ(iopf_guest_show(pair->guest, &other, &page, 0), 0);
	pair_settle(pair);
	CHECK_EQ(iopf_guest_taken(pair->guest, 13, 1), 0);
	term(pair, PAIR_RID);
	CHECK_EQ(pair_count(pair, 'r'), 3);
	for (uint32_t i = 0; i < pair->count; i++)
		if (pair->log[i].kind == 'r')
			CHECK_EQ(pair->log[i].code, IOPF_INVALID);
	CHECK_EQ(pair_stats(pair).terminated, 3);
	CHECK_EQ(pair_stats(pair).held, 1);
	CHECK_EQ(pair_stats(pair).owed, 0);
	/* Answered they are: a RESUME that comes later meets nothing. */
	for (uint32_t i = 0; i < 4; i++)
		pair_say(pair, PAIR_RID, 1, tags[i], IOPF_SUCCESS);
	CHECK_EQ(pair_stats(pair).refused_duplicate, 4);
	CHECK_EQ(pair_count(pair, 'r'), 3);
	term(pair, 0x0700);
	CHECK_EQ(pair_stats(pair).refused_foreign, 1);
	term(pair, PAIR_OTHER_RID);
	CHECK_EQ(pair_find(pair, 'r').token, 50);
}

TEST(an_event_queue_that_is_off_shows_nothing_and_forgets)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	pair_hold(pair, 1, 1, ADDR);
	/* That of page requests is another one. */
	pair_cr0(pair, SMMUV3_PRIQEN, 0);
	CHECK_EQ(pair_count(pair, 'f'), 0);
	CHECK_EQ(show_page(pair, 2, ADDR, IOPF_READ), 0);
	pair_cr0(pair, SMMUV3_EVENTQEN, 0);
	CHECK_EQ(pair_count(pair, 'f'), 2);
	CHECK_EQ(pair_stats(pair).held, 0);
	CHECK_EQ(show_page(pair, 3, ADDR, IOPF_READ), -ENOENT);
	CHECK_EQ(pair_stats(pair).unshown, 1);
}

TEST(a_queue_outside_of_memory_shows_nothing)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	pair_queue_at(pair, UINT64_C(0xfffffffff000));
	CHECK_EQ(show_page(pair, 1, ADDR, IOPF_READ), -ENOENT);
	CHECK_EQ(pair_stats(pair).held, 0);
	/* The error stands until the guest acknowledges it. */
	CHECK_EQ(show_page(pair, 1, ADDR, IOPF_READ), -ENOENT);
	CHECK((iopf_guest_read(pair->guest, SMMUV3_GERROR, 4) ^
	       iopf_guest_read(pair->guest, SMMUV3_GERRORN, 4)) & SMMUV3_EVENTQ_ABT_ERR);
}

TEST(a_descriptor_that_does_not_stall_is_shown_no_stalls)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	change(pair, find(pair, 1).cd_addr, FIELD_MASK(SMMUV3_CD_S), 0);
	cfgi_cd(pair, 1);
	CHECK_EQ(pair_stats(pair).spaces, 1);
	CHECK_EQ(show_page(pair, 1, ADDR, IOPF_READ), -ENOENT);
}

TEST(the_pager_is_asked_for_what_the_event_says_and_a_plain_event_for_nothing)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	const uint8_t record[32] = { IOPF_SMMUV3_C_BAD_STE, 0, 0, 0, PAIR_RID & 0xff,
				     PAIR_RID >> 8 };
	struct iopf_agent_layout layout;
	struct iopf_agent_stats stats;

	CHECK_EQ(show_page(pair, 1, ADDR, IOPF_READ), 0);
	/* As if the event had been another one. */
	iopf_agent_layout(pair->agent, &layout);
	memcpy(pair->bytes + layout.event_queue, record, sizeof(record));
	CHECK_EQ(show_page(pair, 2, ADDR, IOPF_WRITE), 0);
	pair_settle(pair);
	iopf_agent_stats(pair->agent, &stats);
	CHECK_EQ(stats.faults, 1);
	CHECK_EQ(stats.requests, 1);
	CHECK_EQ(pair->faults, 1);
	CHECK_EQ(pair_count(pair, 'r'), 1);
	CHECK_EQ(pair_find(pair, 'r').token, 2);
}

TEST(a_stall_of_nobody_is_aborted_by_the_guest)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	struct iopf_agent_stats stats;
	uint8_t record[32];
	struct iopf_agent_layout layout;
	struct iopf_fault fault;
	bool reserved;

	CHECK_EQ(show_page(pair, 1, ADDR, IOPF_READ), 0);
	iopf_agent_layout(pair->agent, &layout);
	memcpy(record, pair->bytes + layout.event_queue, sizeof(record));
	CHECK_EQ(iopf_wire_smmuv3.decode_fault(record, &fault, &reserved), 0);
	fault.pasid = 4;
	CHECK_EQ(iopf_wire_smmuv3.encode_fault(&fault,
					       pair->bytes + layout.event_queue), 0);
	pair_settle(pair);
	iopf_agent_stats(pair->agent, &stats);
	CHECK_EQ(stats.invalid, 1);
	CHECK_EQ(pair_find(pair, 'r').code, IOPF_INVALID);
}

TEST(a_detach_is_not_done_while_stalls_of_its_time_are_unread)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	for (uint64_t token = 1; token <= 3; token++)
		CHECK_EQ(show_page(pair, token, ADDR + token * 4096, IOPF_READ), 0);
	CHECK_EQ(iopf_agent_detach(pair->agent, PAIR_RID, 1), 0);
	pair_run(pair);
	for (uint32_t i = 0; i < 3; i++) {
		CHECK_EQ(iopf_agent_attached(pair->agent, PAIR_RID, 1), -EBUSY);
		CHECK_EQ(iopf_agent_poll(pair->agent, 1), 1);
	}
	pair_settle(pair);
	CHECK_EQ(iopf_agent_attached(pair->agent, PAIR_RID, 1), -ENOENT);
	CHECK_EQ(pair->faults, 0);
	CHECK_EQ(pair_stats(pair).refused_stale, 3);
	CHECK_EQ(pair_stats(pair).owed, 0);
}

TEST(a_stream_is_terminated_in_the_order_of_the_architecture_and_opened_again)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	struct iopf_agent_stats stats;
	uint16_t tag;

	tag = pair_hold(pair, 1, 1, ADDR);
	pair->fault = 0;
	/* One is in the queue, and not read. */
	CHECK_EQ(show_page(pair, 2, ADDR + 4096, IOPF_READ), 0);
	pair->closes = true;
	pair->open_count = 2;
	pair->open[0] = 1;
	pair->open[1] = 2;
	CHECK_EQ(iopf_agent_terminate(pair->agent, PAIR_RID), 0);
	CHECK_EQ(iopf_agent_terminate(pair->agent, PAIR_RID), -EBUSY);
	CHECK_EQ(iopf_agent_terminate(pair->agent, 0x0700), -EINVAL);
	pair_run(pair);
	/* The entry aborts: nothing of the stream is there, nothing is shown. */
	CHECK_EQ(pair_stats(pair).spaces, 0);
	CHECK_EQ(show_page(pair, 3, ADDR, IOPF_READ), -ENOENT);
	pair_settle(pair);
	iopf_agent_stats(pair->agent, &stats);
	CHECK_EQ(stats.terminations, 1);
	CHECK_EQ(stats.discarded, 1);
	CHECK_EQ(stats.answers, 0);
	CHECK_EQ(pair_stats(pair).held, 0);
	CHECK_EQ(pair_stats(pair).owed, 0);
	/* And it works again, whatever is said of the old tags. */
	CHECK_EQ(pair_stats(pair).spaces, 1);
	CHECK_EQ(show_page(pair, 4, ADDR, IOPF_READ), 0);
	pair_settle(pair);
	CHECK_EQ(pair_find(pair, 'r').token, 4);
	pair_say(pair, PAIR_RID, 1, tag, IOPF_SUCCESS);
	CHECK_EQ(pair_stats(pair).refused_duplicate, 1);
}

TEST(a_guest_whose_event_queue_was_not_there_terminates_what_may_have_stalled)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	struct iopf_agent_stats stats;
	struct iopf_agent_layout layout;

	iopf_agent_layout(pair->agent, &layout);
	pair_queue_at(pair, UINT64_C(0xfffffffff000));
	CHECK_EQ(show_page(pair, 1, ADDR, IOPF_READ), -ENOENT);
	pair_queue_at(pair, layout.event_queue);
	CHECK_EQ(iopf_agent_recover(pair->agent), IOPF_DRIVER_FAULTS_LOST);
	pair_settle(pair);
	iopf_agent_stats(pair->agent, &stats);
	CHECK_EQ(stats.terminations, 2);
	CHECK_EQ(show_page(pair, 2, ADDR, IOPF_READ), 0);
}

TEST(what_sends_page_requests_is_not_terminated)
{
	static const char *const kinds[] = { "vtd", "smmuv3" };

	for (uint32_t kind = 0; kind < 2; kind++) {
		struct pair *pair;

		pair_kind = (struct pair_kind){ kinds[kind], IOPF_PRI };
		pair = pair_with_pasid((struct pair_options){ 0 });
		CHECK_EQ(iopf_agent_terminate(pair->agent, PAIR_RID), -EOPNOTSUPP);
	}
	pair_kind = (struct pair_kind){ "smmuv3", IOPF_STALLS };
}

int main(void)
{
	pair_kind = (struct pair_kind){ "smmuv3", IOPF_STALLS };
	return test_main();
}
