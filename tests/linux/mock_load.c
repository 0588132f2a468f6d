/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mock_load.c - devices ask from threads of their own while the descriptor is read, answered
 * and detached: what waits wakes up, and no group is answered twice or not at all.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>

#include "mock.h"

enum {
	DEVICES = 2,
	ASKED = 6000, /* groups of each, */
	A_TURN = 24,  /* so many in a turn of the loop */
	GROUP_MAX = 512,
	READ_MAX = 512,
};

static struct mock mocks[DEVICES];
static struct iopf_iommufd *source;
static struct iopf_broker *broker;
static uint32_t source_id, owner, endpoints[DEVICES];
static uint8_t answered[DEVICES][ASKED];
static uint32_t successes;
static uint64_t now_ns;

/* Asks as the kernel's test interface does: with the device's lock held. */
static void ask(const struct mock *mock, uint32_t group)
{
	uint32_t words[6] = { mock->device, 5, group, IOPF_READ, group << 12 };

	if (mock_call(mock->iommu, MOCK_TRIGGER, 0, words, 6) != 0)
		abort();
}

/* ---- Waiting --------------------------------------------------------------------------- */

static void *ask_one(void *argument)
{
	const struct mock *mock = argument;

	ask(mock, 1);
	return NULL;
}

CASE(who_waits_wakes_up)
{
	struct pollfd fd = { .events = POLLIN };
	pthread_t thread;

	mock_open(&mocks[0]);
	fd.fd = mocks[0].fault;
	CHECK_EQ(pthread_create(&thread, NULL, ask_one, &mocks[0]), 0);
	CHECK_EQ(poll(&fd, 1, CASE_SOON_MS), 1);
	CHECK(fd.revents & POLLIN);
	pthread_join(thread, NULL);
	mock_close(&mocks[0]);
}

CASE(each_group_is_an_edge)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET }, seen;
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	mock_open(&mocks[0]);
	CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, mocks[0].fault, &event), 0);
	CHECK_EQ(epoll_wait(epoll, &seen, 1, 0), 0);
	for (uint32_t i = 0; i < 3; i++) {
		ask(&mocks[0], i);
		CHECK_EQ(epoll_wait(epoll, &seen, 1, 0), 1);
		CHECK_EQ(epoll_wait(epoll, &seen, 1, 0), 0);
	}
	close(epoll);
	mock_close(&mocks[0]);
}

/* ---- Under load ------------------------------------------------------------------------ */

static atomic_uint running, turns;

static void *ask_many(void *argument)
{
	const struct mock *mock = argument;

	for (uint32_t i = 0; i < ASKED; i++) {
		while (i > atomic_load(&turns) * A_TURN) /* or all come before a detach */
			sched_yield();
		ask(mock, i);
	}
	atomic_fetch_sub(&running, 1);
	return NULL;
}

static void make_broker(void)
{
	static _Alignas(64) uint8_t memory[4 << 20];
	struct iopf_broker_options options = { .size_bytes = sizeof options,
					       .instance = 1,
					       .source_max = 1,
					       .endpoint_max = DEVICES,
					       .owner_max = 1,
					       .attachment_max = DEVICES,
					       .group_max = 4096 };

	CHECK(iopf_broker_size_bytes(&options) <= sizeof memory);
	CHECK_EQ(iopf_broker_create(&options, memory, sizeof memory, &broker), 0);
	CHECK_EQ(iopf_broker_add_source(broker,
					&(struct iopf_source_options){
						.size_bytes = sizeof(struct iopf_source_options),
						.reserve_count = READ_MAX },
					&source_id),
		 0);
	CHECK_EQ(iopf_broker_add_owner(broker,
				       &(struct iopf_owner_options){
					       .size_bytes = sizeof(struct iopf_owner_options) },
				       &owner),
		 0);
}

static void make_source(int *fault)
{
	static _Alignas(8) uint8_t memory[1 << 20];
	struct iopf_iommufd_options options = { .size_bytes = sizeof options,
						.group_max = GROUP_MAX,
						.group_read_max = READ_MAX,
						.io = &iopf_iommufd_system,
						.context = fault };

	CHECK(iopf_iommufd_size_bytes(&options) <= sizeof memory);
	CHECK_EQ(iopf_iommufd_create(&options, memory, sizeof memory, &source), 0);
}

/* Two devices, one page table, one descriptor. */
static void world(void)
{
	mock_open(&mocks[0]);
	mocks[1] = mocks[0];
	CHECK_EQ(mock_device(&mocks[1], 0), 0);
	CHECK_EQ(mock_replace(&mocks[1], mocks[1].table), 0);
	make_broker();
	make_source(&mocks[0].fault);
	for (uint32_t i = 0; i < DEVICES; i++) {
		struct iopf_endpoint_options options = { .size_bytes = sizeof options,
							 .source = source_id,
							 .rid = mocks[i].device,
							 .allocation = 256,
							 .descriptor = true };

		CHECK_EQ(iopf_broker_add_endpoint(broker, &options, &endpoints[i]), 0);
		CHECK_EQ(iopf_broker_attach(broker, endpoints[i], IOPF_PASID_ANY, owner), 0);
	}
	memset(answered, 0, sizeof answered);
	successes = 0;
	atomic_store(&running, DEVICES);
	atomic_store(&turns, 0);
}

/* What the devices were answered. A group of an odd number is never told success. */
static void look(void)
{
	static struct iopf_mock_answer answers[1024];
	uint32_t count;

	while ((count = mock_answers(answers, 1024)) > 0) {
		for (uint32_t i = 0; i < count; i++) {
			uint32_t device = answers[i].device == mocks[1].number;

			CHECK(answers[i].group < ASKED);
			CHECK(answers[i].code == IOPF_IOMMUFD_INVALID || answers[i].group % 2 == 0);
			CHECK_EQ(answered[device][answers[i].group]++, 0);
			successes += answers[i].code == IOPF_IOMMUFD_SUCCESS;
		}
	}
}

static void leave(void)
{
	struct iopf_response responses[64];
	int got;

	while ((got = iopf_broker_respond(broker, source_id, responses, 64, ++now_ns)) > 0)
		CHECK_EQ(iopf_iommufd_write(source, responses, (uint32_t)got), 0);
}

static void turn(void)
{
	const struct iopf_request *requests;
	struct iopf_group group;
	int got;

	for (unsigned i = 0; i < 4 && (got = iopf_iommufd_read(source, &requests)) > 0; i++) {
		CHECK_EQ(iopf_broker_requests(broker, source_id, requests, (uint32_t)got,
					      ++now_ns),
			 got);
		leave();
	}
	for (unsigned i = 0;
	     i < A_TURN && iopf_broker_fetch(broker, owner, &group, ++now_ns) == 0; i++)
		CHECK_EQ(iopf_broker_answer(broker, owner, group.token,
					    group.page.addr >> 12 & 1 ? IOPF_INVALID :
									IOPF_SUCCESS,
					    ++now_ns),
			 0);
	leave();
	look();
}

/* As iommufd.h says it; groups are open, and the other device goes on asking. */
static void detach_and_attach(uint32_t i)
{
	CHECK_EQ(iopf_broker_disable(broker, endpoints[i]), 0);
	CHECK_EQ(mock_replace(&mocks[i], mocks[i].ioas), 0);
	iopf_iommufd_forget(source, mocks[i].device, IOPF_PASID_ANY);
	turn();
	CHECK_EQ(iopf_broker_did(broker, endpoints[i], 0, ++now_ns), IOPF_STEP_RESPOND);
	leave();
	CHECK_EQ(iopf_broker_did(broker, endpoints[i], 0, ++now_ns), IOPF_STEP_DONE);
	CHECK_EQ(mock_replace(&mocks[i], mocks[i].table), 0);
	CHECK_EQ(iopf_broker_enable(broker, endpoints[i]), 0);
}

/* Between a read and its answers the kernel ends some of them. */
static void detach_in_between(uint32_t i)
{
	const struct iopf_request *requests;
	int got = iopf_iommufd_read(source, &requests);

	if (got > 0)
		CHECK_EQ(iopf_broker_requests(broker, source_id, requests, (uint32_t)got,
					      ++now_ns),
			 got);
	CHECK_EQ(mock_replace(&mocks[i], mocks[i].ioas), 0);
	CHECK_EQ(mock_replace(&mocks[i], mocks[i].table), 0);
}

CASE(groups_of_two_busy_devices_are_answered_once_while_they_come_and_go)
{
	const struct iopf_iommufd_stats *stats;
	pthread_t threads[DEVICES];
	uint32_t detaches = 0;

	world();
	for (uint32_t i = 0; i < DEVICES; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, ask_many, &mocks[i]), 0);
	while (atomic_load(&running) > 0) {
		atomic_fetch_add(&turns, 1);
		turn();
		detaches++;
		if (detaches % 3 == 0)
			detach_and_attach(detaches & 1);
		else
			detach_in_between(detaches & 1);
	}
	for (uint32_t i = 0; i < DEVICES; i++) {
		pthread_join(threads[i], NULL);
		detach_and_attach(i);
	}
	turn();
	for (uint32_t i = 0; i < DEVICES; i++)
		for (uint32_t group = 0; group < ASKED; group++)
			CHECK_EQ(answered[i][group], 1);
	stats = iopf_iommufd_stats(source);
	CHECK(successes <= stats->answers);
	CHECK_EQ(iopf_iommufd_owed(source), 0);
	NOTE("%d groups, %u detaches: %" PRIu64 " answered from here (%u success), %" PRIu64
	     " refused, %" PRIu64 " forgotten, %" PRIu64 " cookies that came again",
	     DEVICES * ASKED, detaches, stats->answers, successes, stats->refused,
	     stats->forgotten, stats->replaced);
	mock_close(&mocks[0]);
}

int main(void)
{
	return case_main();
}
