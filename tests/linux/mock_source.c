/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mock_source.c - iopf/iommufd.h on a real fault descriptor, with a broker behind it: what
 * the devices were answered is what the ledger says, each group once.
 */
#include "mock_court.h"

enum {
	GROUPS = 256,      /* open at the source */
	READ_MAX = 600,
	ALLOCATION = 1024,
	RESERVE = READ_MAX,
};

static struct mock mock;
static struct iopf_iommufd *source;
static struct iopf_broker *broker;
static uint32_t source_id, owner, endpoint;
static uint64_t now_ns;
static struct iopf_mock_answer answers[4096];

static uint32_t add_endpoint(uint32_t device)
{
	struct iopf_endpoint_options options = { .size_bytes = sizeof options,
						 .source = source_id,
						 .rid = device,
						 .allocation = ALLOCATION,
						 .pasid_in_response = true,
						 .descriptor = true };
	uint32_t id;

	CHECK_EQ(iopf_broker_add_endpoint(broker, &options, &id), 0);
	CHECK_EQ(iopf_broker_attach(broker, id, IOPF_PASID_NONE, owner), 0);
	CHECK_EQ(iopf_broker_attach(broker, id, IOPF_PASID_ANY, owner), 0);
	return id;
}

static void make_broker(void)
{
	static _Alignas(64) uint8_t memory[4 << 20];
	struct iopf_broker_options options = { .size_bytes = sizeof options,
					       .instance = 1,
					       .source_max = 1,
					       .endpoint_max = 4,
					       .owner_max = 2,
					       .attachment_max = 16,
					       .group_max = 4 * ALLOCATION };

	CHECK(iopf_broker_size_bytes(&options) <= sizeof memory);
	CHECK_EQ(iopf_broker_create(&options, memory, sizeof memory, &broker), 0);
	CHECK_EQ(iopf_broker_add_source(broker,
					&(struct iopf_source_options){
						.size_bytes = sizeof(struct iopf_source_options),
						.reserve_count = RESERVE },
					&source_id),
		 0);
	CHECK_EQ(iopf_broker_add_owner(broker,
				       &(struct iopf_owner_options){
					       .size_bytes = sizeof(struct iopf_owner_options) },
				       &owner),
		 0);
}

static void make_source(uint32_t group_max)
{
	static _Alignas(8) uint8_t memory[1 << 20];
	struct iopf_iommufd_options options = { .size_bytes = sizeof options,
						.group_max = group_max,
						.group_read_max = READ_MAX,
						.io = &court_io };

	CHECK(iopf_iommufd_size_bytes(&options) <= sizeof memory);
	court_open(&mock.fault);
	CHECK_EQ(iopf_iommufd_create(&options, memory, sizeof memory, &source), 0);
}

static void world_of(uint32_t group_max)
{
	mock_open(&mock);
	now_ns = 1;
	make_broker();
	make_source(group_max);
	endpoint = add_endpoint(mock.device);
}

static void world(void)
{
	world_of(GROUPS);
}

/* ---- A VMM's loop, in pieces ----------------------------------------------------------- */

/* Returns: how many requests came. */
static int pump_in(void)
{
	const struct iopf_request *requests;
	int got, all = 0;

	while ((got = iopf_iommufd_read(source, &requests)) > 0) {
		CHECK_EQ(iopf_broker_requests(broker, source_id, requests, (uint32_t)got,
					      ++now_ns),
			 got);
		all += got;
	}
	CHECK_EQ(got, 0);
	return all;
}

static void pump_out(void)
{
	struct iopf_response responses[64];
	int got;

	while ((got = iopf_broker_respond(broker, source_id, responses, 64, ++now_ns)) > 0)
		CHECK_EQ(iopf_iommufd_write(source, responses, (uint32_t)got), 0);
	CHECK_EQ(got, 0);
}

static struct iopf_group fetched(void)
{
	struct iopf_group group;

	CHECK_EQ(iopf_broker_fetch(broker, owner, &group, ++now_ns), 0);
	return group;
}

static void say(const struct iopf_group *group, enum iopf_code code)
{
	CHECK_EQ(iopf_broker_answer(broker, owner, group->token, code, ++now_ns), 0);
}

static uint64_t counted(enum iopf_counter counter)
{
	return iopf_broker_stats(broker)->row[endpoint].counter[counter];
}

#define SOURCE_COUNTED(name) (iopf_iommufd_stats(source)->name)

/* As VMMs do it: intake closed, the kernel's part, what is left, the ledger's part. */
static void detach_whole(void)
{
	CHECK_EQ(iopf_broker_disable(broker, endpoint), 0);
	CHECK_EQ(iopf_broker_step(broker, endpoint), IOPF_STEP_DRAIN);
	CHECK_EQ(mock_replace(&mock, mock.ioas), 0);
	court_detached();
	iopf_iommufd_forget(source, mock.device, IOPF_PASID_ANY);
	pump_in();
	CHECK_EQ(iopf_broker_did(broker, endpoint, 0, ++now_ns), IOPF_STEP_RESPOND);
	pump_out();
	CHECK_EQ(iopf_broker_did(broker, endpoint, 0, ++now_ns), IOPF_STEP_DONE);
}

static void attach_again(void)
{
	CHECK_EQ(mock_replace(&mock, mock.table), 0);
	CHECK_EQ(iopf_broker_enable(broker, endpoint), 0);
}

/* ---- Cases ------------------------------------------------------------------------------- */

CASE(group_goes_through_and_comes_back)
{
	struct iopf_group group;

	world();
	mock_group(&mock, 5, 70, 3);
	CHECK_EQ(pump_in(), 3);
	group = fetched();
	CHECK_EQ(group.pasid, 5);
	CHECK_EQ(group.page_count, 3);
	CHECK_EQ(group.rid, mock.device);
	CHECK(mock_unanswered());
	say(&group, IOPF_SUCCESS);
	pump_out();
	mock_check_answer(&mock, 70, IOPF_IOMMUFD_SUCCESS);
	CHECK_EQ(SOURCE_COUNTED(answers), 1);
	court_close(4);
	mock_close(&mock);
}

CASE(request_without_a_pasid_goes_through)
{
	struct iopf_group group;

	world();
	CHECK_EQ(mock_request(&mock, IOPF_MOCK_LAST, 0, 7, 0x5000), 0);
	CHECK_EQ(pump_in(), 1);
	group = fetched();
	CHECK_EQ(group.pasid, IOPF_PASID_NONE);
	CHECK_EQ(group.page.addr, 0x5000);
	say(&group, IOPF_INVALID);
	pump_out();
	mock_check_answer(&mock, 7, IOPF_IOMMUFD_INVALID);
	mock_close(&mock);
}

CASE(group_of_512_goes_through)
{
	struct iopf_group group;
	static struct iopf_page pages[512];

	world();
	mock_group(&mock, 5, 70, 512);
	CHECK_EQ(pump_in(), 512);
	group = fetched();
	CHECK_EQ(group.page_count, 512);
	CHECK_EQ(iopf_broker_pages(broker, group.token, 0, pages, 512), 512);
	CHECK_EQ(pages[511].addr, 511 << 12);
	say(&group, IOPF_SUCCESS);
	pump_out();
	mock_check_answer(&mock, 70, IOPF_IOMMUFD_SUCCESS);
	mock_close(&mock);
}

CASE(one_index_three_times_is_answered_three_times)
{
	static const enum iopf_code said[] = { IOPF_SUCCESS, IOPF_INVALID, IOPF_SUCCESS };

	world();
	for (unsigned i = 0; i < 3; i++)
		mock_group(&mock, 5, 70, 1);
	CHECK_EQ(pump_in(), 3);
	for (unsigned i = 0; i < 3; i++) {
		struct iopf_group group = fetched();

		say(&group, said[i]);
		pump_out();
		mock_check_answer(&mock, 70, said[i] == IOPF_SUCCESS ? 0 : 1);
	}
	CHECK_EQ(counted(IOPF_COUNTER_index_reused), 0);
	mock_close(&mock);
}

/* More than PCIe has indices. */
CASE(a_thousand_groups_are_open_at_once)
{
	world_of(ALLOCATION);
	for (unsigned i = 0; i < 1000; i++)
		mock_group(&mock, 5, i % 512, 1);
	CHECK_EQ(pump_in(), 1000);
	for (unsigned i = 0; i < 1000; i++) {
		struct iopf_group group = fetched();

		say(&group, IOPF_SUCCESS);
	}
	CHECK(mock_unanswered());
	pump_out();
	CHECK_EQ(mock_answers(answers, 4096), 1000);
	CHECK_EQ(SOURCE_COUNTED(answers), 1000);
	CHECK_EQ(iopf_iommufd_owed(source), 0);
	mock_close(&mock);
}

CASE(what_finds_no_room_is_answered_and_reading_goes_on)
{
	uint32_t invalid = 0, count;

	world();
	for (unsigned i = 0; i < 4000; i++)
		mock_group(&mock, 5, i % 512, 1);
	CHECK_EQ(pump_in(), GROUPS);
	count = mock_answers(answers, 4096);
	for (uint32_t i = 0; i < count; i++)
		invalid += answers[i].code == IOPF_IOMMUFD_INVALID;
	CHECK_EQ(count, 4000 - GROUPS);
	CHECK_EQ(invalid, count);
	CHECK_EQ(SOURCE_COUNTED(full), count);
	CHECK_EQ(mock_poll(mock.fault), POLLOUT);
	mock_close(&mock);
}

CASE(broker_answers_what_is_beyond_the_allocation)
{
	world_of(2 * ALLOCATION);
	for (unsigned i = 0; i < ALLOCATION + 10; i++)
		mock_group(&mock, 5, i % 512, 1);
	CHECK_EQ(pump_in(), ALLOCATION + 10);
	pump_out();
	CHECK_EQ(mock_answers(answers, 4096), 10);
	CHECK_EQ(answers[9].code, IOPF_IOMMUFD_INVALID);
	CHECK_EQ(counted(IOPF_COUNTER_ended_quota), 10);
	CHECK_EQ(counted(IOPF_COUNTER_allocation_exceeded), 0);
	mock_close(&mock);
}

CASE(page_of_another_pasid_is_left_out_of_its_group)
{
	struct iopf_group group;

	world();
	mock_request(&mock, IOPF_MOCK_PASID, 5, 70, 0x1000);
	mock_request(&mock, IOPF_MOCK_PASID | IOPF_MOCK_LAST, 7, 70, 0x2000);
	CHECK_EQ(pump_in(), 1);
	group = fetched();
	CHECK_EQ(group.pasid, 7);
	CHECK_EQ(group.page_count, 1);
	CHECK_EQ(group.page.addr, 0x2000);
	CHECK_EQ(SOURCE_COUNTED(other_pasid), 1);
	say(&group, IOPF_SUCCESS);
	pump_out();
	mock_check_answer(&mock, 70, IOPF_IOMMUFD_SUCCESS);
	mock_close(&mock);
}

/* The injector says whatever it likes, and the kernel passes it on. */
CASE(impossible_requests_are_answered_invalid_once)
{
	static const struct {
		uint32_t flags, pasid, perm;
	} impossible[] = {
		{ 3, UINT32_MAX, IOPF_READ },     /* the broker's name of none */
		{ 3, UINT32_MAX - 1, IOPF_READ }, /* of any */
		{ 3, IOPF_PASID_MAX + 1, IOPF_READ },
		{ 3, 5, 0 },
		{ 3, 5, IOPF_EXEC },
		{ 2, 0, IOPF_READ | IOPF_PRIV }, /* without a PASID */
		{ UINT32_MAX, 5, UINT32_MAX & ~3u },
	};
	struct iopf_group group;

	world();
	for (uint32_t i = 0; i < 7; i++) {
		struct iopf_mock_request request = { .device = mock.number,
						     .flags = impossible[i].flags,
						     .pasid = impossible[i].pasid,
						     .group = i,
						     .perm = impossible[i].perm };

		CHECK_EQ(ioctl(mock_other, IOPF_MOCK_REQUEST, &request), 0);
		CHECK_EQ(request.result, 0);
		pump_in();
		CHECK_EQ(iopf_broker_fetch(broker, owner, &group, ++now_ns), -EAGAIN);
		pump_out();
		mock_check_answer(&mock, i, IOPF_IOMMUFD_INVALID);
	}
	CHECK_EQ(SOURCE_COUNTED(malformed), 3);
	CHECK_EQ(counted(IOPF_COUNTER_malformed_requests), 4);
	CHECK_EQ(SOURCE_COUNTED(unknown_bits), 1);
	mock_close(&mock);
}

CASE(what_a_detach_ends_is_ended_here_too)
{
	struct iopf_group group;

	world();
	mock_group(&mock, 5, 1, 1);
	mock_group(&mock, 5, 2, 1);
	CHECK_EQ(pump_in(), 2);
	group = fetched();
	mock_group(&mock, 5, 3, 1); /* unread */
	detach_whole();
	CHECK_EQ(mock_answers(answers, 64), 3);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(answers[i].code, IOPF_IOMMUFD_INVALID);
	CHECK_EQ(counted(IOPF_COUNTER_ended_detach), 2);
	CHECK_EQ(SOURCE_COUNTED(forgotten), 2);
	CHECK_EQ(SOURCE_COUNTED(swallowed), 2);
	CHECK_EQ(iopf_broker_answer(broker, owner, group.token, IOPF_SUCCESS, ++now_ns), -ENOENT);
	pump_out();
	CHECK(mock_unanswered());
	court_close(4);
	mock_close(&mock);
}

/* The answer of the first comes when its cookie is another's. */
static void late_answer(bool told)
{
	struct iopf_group late, next;

	world();
	mock_group(&mock, 5, 1, 1);
	pump_in();
	late = fetched();
	CHECK_EQ(mock_replace(&mock, mock.ioas), 0);
	mock_check_answer(&mock, 1, IOPF_IOMMUFD_INVALID);
	if (told)
		CHECK_EQ(iopf_iommufd_forget(source, mock.device, IOPF_PASID_ANY), 1);
	CHECK_EQ(mock_replace(&mock, mock.table), 0);
	mock_group(&mock, 5, 2, 1);
	pump_in();
	next = fetched();
	say(&late, IOPF_SUCCESS);
	pump_out();
	CHECK(mock_unanswered());
	CHECK_EQ(SOURCE_COUNTED(swallowed), 1);
	say(&next, IOPF_INVALID);
	pump_out();
	mock_check_answer(&mock, 2, IOPF_IOMMUFD_INVALID);
	mock_close(&mock);
}

CASE(late_answer_is_swallowed_where_the_detach_was_told)
{
	late_answer(true);
}

CASE(late_answer_is_swallowed_where_nobody_told)
{
	late_answer(false);
	CHECK_EQ(SOURCE_COUNTED(replaced), 1);
}

CASE(answer_to_what_was_detached_is_refused_once)
{
	struct iopf_group group;

	world();
	mock_group(&mock, 5, 1, 1);
	pump_in();
	group = fetched();
	CHECK_EQ(mock_replace(&mock, mock.ioas), 0);
	mock_check_answer(&mock, 1, IOPF_IOMMUFD_INVALID);
	say(&group, IOPF_SUCCESS);
	pump_out();
	CHECK_EQ(SOURCE_COUNTED(refused), 1);
	CHECK(mock_unanswered());
	CHECK_EQ(iopf_iommufd_owed(source), 0);
	mock_close(&mock);
}

/* Ended while it is alive; what it asks after its reset is new. */
CASE(function_reset_comes_after_the_detach)
{
	struct iopf_group group;

	world();
	mock_group(&mock, 5, 1, 1);
	pump_in();
	detach_whole();
	mock_check_answer(&mock, 1, IOPF_IOMMUFD_INVALID);
	attach_again(); /* between the two: VFIO_DEVICE_RESET */
	mock_group(&mock, 5, 1, 1);
	CHECK_EQ(pump_in(), 1);
	group = fetched();
	say(&group, IOPF_SUCCESS);
	pump_out();
	mock_check_answer(&mock, 1, IOPF_IOMMUFD_SUCCESS);
	mock_close(&mock);
}

/* It was reset under the source: nothing of before is answered from here any more. */
CASE(function_that_was_reset_is_answered_by_its_detach_alone)
{
	struct iopf_group group;

	world();
	mock_group(&mock, 5, 1, 1);
	pump_in();
	group = fetched();
	CHECK_EQ(iopf_broker_reset(broker, endpoint, ++now_ns), 0);
	CHECK_EQ(iopf_broker_answer(broker, owner, group.token, IOPF_SUCCESS, ++now_ns), -ENOENT);
	CHECK_EQ(iopf_broker_did(broker, endpoint, 0, ++now_ns), IOPF_STEP_DONE);
	CHECK_EQ(iopf_iommufd_reset(source, mock.device), 1);
	pump_out();
	CHECK(mock_unanswered());
	CHECK_EQ(mock_replace(&mock, mock.ioas), 0);
	CHECK_EQ(iopf_iommufd_forget(source, mock.device, IOPF_PASID_ANY), 0);
	mock_check_answer(&mock, 1, IOPF_IOMMUFD_INVALID);
	attach_again();
	mock_group(&mock, 5, 2, 1);
	CHECK_EQ(pump_in(), 1);
	mock_close(&mock);
}

CASE(device_that_goes_takes_its_groups_along)
{
	world();
	mock_group(&mock, 5, 1, 1);
	pump_in();
	CHECK_EQ(iopf_broker_remove(broker, endpoint, ++now_ns), 0);
	CHECK_EQ(mock_destroy(&mock, mock.object), 0);
	iopf_iommufd_forget(source, mock.device, IOPF_PASID_ANY);
	CHECK_EQ(pump_in(), 0);
	CHECK_EQ(iopf_broker_did(broker, endpoint, 0, ++now_ns), IOPF_STEP_DONE);
	iopf_iommufd_reset(source, mock.device);
	pump_out();
	mock_check_answer(&mock, 1, IOPF_IOMMUFD_INVALID);
	CHECK_EQ(iopf_iommufd_owed(source), 0);
	mock_close(&mock);
}

CASE(group_too_large_to_be_read_is_ended_by_its_detach)
{
	const struct iopf_request *requests;

	world();
	mock_group(&mock, 5, 70, READ_MAX + 1);
	mock_group(&mock, 5, 71, 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), -EMSGSIZE);
	CHECK_EQ(mock_replace(&mock, mock.ioas), 0);
	CHECK_EQ(mock_answers(answers, 64), 2);
	CHECK_EQ(iopf_iommufd_forget(source, mock.device, IOPF_PASID_ANY), 0);
	CHECK_EQ(pump_in(), 0);
	mock_close(&mock);
}

CASE(closed_descriptor_is_an_error)
{
	const struct iopf_request *requests;

	world();
	close(mock.fault);
	CHECK_EQ(iopf_iommufd_read(source, &requests), -EBADF);
	close(mock.iommu);
}

/* ---- A storm ----------------------------------------------------------------------------- */

enum { STORM = 20000 };

static uint16_t storm_asked[512], storm_answered[512];
static uint64_t storm_seed;

static uint32_t chance(uint32_t of)
{
	storm_seed = storm_seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(storm_seed >> 33) % of;
}

static void storm_count(void)
{
	uint32_t count = mock_answers(answers, 4096);

	for (uint32_t i = 0; i < count; i++)
		storm_answered[answers[i].group % 512]++;
}

static void storm_answer(void)
{
	struct iopf_group group;

	for (uint32_t i = chance(8);
	     i > 0 && iopf_broker_fetch(broker, owner, &group, ++now_ns) == 0; i--)
		say(&group, chance(2) ? IOPF_SUCCESS : IOPF_INVALID);
	pump_out();
}

/* As a VMM that is late: the kernel has ended groups, and answers are on their way. */
static void storm_detach(void)
{
	CHECK_EQ(mock_replace(&mock, mock.ioas), 0);
	court_detached();
	if (chance(2))
		iopf_iommufd_forget(source, mock.device, IOPF_PASID_ANY);
	CHECK_EQ(mock_replace(&mock, mock.table), 0);
}

static void storm_step(void)
{
	uint32_t what = chance(64), index = chance(512);

	if (what == 0) {
		storm_detach();
	} else if (what < 20) {
		pump_in();
	} else if (what < 36) {
		storm_answer();
	} else {
		mock_group(&mock, 1 + chance(3), index, 1 + chance(4));
		storm_asked[index]++;
	}
	storm_count();
}

CASE(every_group_of_a_storm_is_answered_once)
{
	uint32_t asked = 0;

	storm_seed = 1;
	memset(storm_asked, 0, sizeof storm_asked);
	memset(storm_answered, 0, sizeof storm_answered);
	world();
	for (unsigned i = 0; i < STORM; i++)
		storm_step();
	detach_whole();
	storm_count();
	for (unsigned i = 0; i < 512; i++) {
		CHECK_EQ(storm_answered[i], storm_asked[i]);
		asked += storm_asked[i];
	}
	NOTE("%u groups: %" PRIu64 " answered, %" PRIu64 " full, %" PRIu64 " refused, %" PRIu64
	     " swallowed, %" PRIu64 " cookies that came again",
	     asked, SOURCE_COUNTED(answers), SOURCE_COUNTED(full), SOURCE_COUNTED(refused),
	     SOURCE_COUNTED(swallowed), SOURCE_COUNTED(replaced));
	court_close(STORM);
	mock_close(&mock);
}

int main(void)
{
	return case_main();
}
