/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what the kernel ends by itself, and that our ledger says the same. */
#include "host.h"

#define ADDR UINT64_C(0x5000000)

static bool queue_is_taken(void)
{
	return bench_get(&f->device, BENCH_QUEUE_HEAD) ==
	       bench_get(&f->device, BENCH_QUEUE_TAIL);
}

/* A write of the kernel's own descriptor, past our source. */
static int64_t write_raw(uint32_t cookie, uint32_t code)
{
	uint32_t answer[2] = { cookie, code };
	ssize_t put = write(host.iommu.queue, answer, sizeof(answer));

	return put < 0 ? -errno : put;
}

CASE(a_detach_ends_what_was_read_and_what_was_not)
{
	uint64_t token, other;
	uint32_t cookie;

	host_open(1);
	host_attach(f, 5);
	host_attach(f, 7);
	ask(f, 7, 1, ADDR, RW | LAST, 1);
	CHECK_SOON(host_fetch());
	other = group.token;
	ask(f, 5, 1, ADDR, RW | LAST, 1);
	CHECK_SOON(host_fetch());
	token = group.token;
	cookie = host.raw[0].cookie;
	ask(f, 5, 2, ADDR, RW | LAST, 1); /* not read */
	ask(f, 5, 3, ADDR, RW, 2);        /* a part of a group */
	CHECK_SOON(queue_is_taken());
	kernel_says(f, 5, 2);
	host_detach(f, 5);
	CHECK_EQ(iopf_iommufd_stats(host.source)->swallowed, 1);
	CHECK_EQ(host_answer(token, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(write_raw(cookie, 0), -EINVAL);
	NOTE("a detach answers invalid to the unread group and the read one, not to the partial");
	CHECK_EQ(host_answer(other, IOPF_SUCCESS), 0); /* another PASID's feels nothing */
	host_end();
}

CASE(a_dead_pasids_partial_comes_back)
{
	host_open(1);
	host_attach(f, 5);
	host_attach(f, 7);
	ask(f, 5, 3, ADDR, RW, 2);
	CHECK_SOON(queue_is_taken());
	host_detach(f, 5);
	ask(f, 7, 3, ADDR + 4 * 4096, RW | LAST, 1);
	CHECK_SOON(host_fetch());
	NOTE("PASID 5 is detached, and its partial is in a group of PASID 7");
	CHECK_EQ(group.pasid, 7);
	CHECK_EQ(group.page_count, 1);
	CHECK_EQ(iopf_iommufd_stats(host.source)->other_pasid, 2);
	HOST("other_pasid 2: they are left out");
	CHECK_EQ(host_answer(group.token, IOPF_SUCCESS), 0);
	host_end();
}

CASE(a_replaced_table_takes_its_groups_along)
{
	struct space *space;
	uint32_t old;
	uint64_t token;

	host_open(1);
	host_attach(f, NONE);
	host_attach(f, 5);
	ask(f, 5, 9, ADDR, RW | LAST, 1);
	CHECK_SOON(host_fetch());
	token = group.token;
	ask(f, NONE, 1, ADDR, RW | LAST, 1);
	CHECK_SOON(host_fetch());
	ask(f, NONE, 2, ADDR, RW | LAST, 1);
	CHECK_SOON(queue_is_taken());
	kernel_says(f, NONE, 2);
	space = space_of(f, NONE);
	old = space->table;
	CHECK_EQ(iopf_broker_replace(host.broker, f->endpoint, NONE, host.owner, 0), 0);
	host_table(f, space);
	CHECK_EQ(vmm_device_attach(&f->vfio, NONE, space->table), 0);
	CHECK_EQ(iopf_iommufd_forget(host.source, f->vfio.id, NONE), 1);
	host_finish(f);
	CHECK_EQ(vmm_table_destroy(&f->vfio, old), 0);
	ask(f, NONE, 1, ADDR, RW | LAST, 1); /* of the new one */
	EXPECT(NONE, 1, IOPF_SUCCESS);
	CHECK_EQ(host_answer(token, IOPF_INVALID), 0);
	host_end();
}

/* ---- Ends of descriptors and processes ------------------------------------------------- */

CASE(a_closed_queue_keeps_silent_until_the_detach)
{
	int queue;

	host_open(1);
	host_attach(f, 5);
	ask(f, 5, 1, ADDR, RW | LAST, 1);
	CHECK_SOON(host_fetch());
	queue = host.iommu.queue;
	host.iommu.queue = open("/dev/null", O_RDWR | O_CLOEXEC);
	close(queue);
	ask(f, 5, 2, ADDR, RW | LAST, 1);
	CHECK_SOON(queue_is_taken());
	CHECK_EQ(bench_get(&f->device, BENCH_LOG_COUNT), f->log);
	NOTE("close of the queue answers nothing; what comes then is swallowed until a detach");
	CHECK_EQ(vmm_device_detach(&f->vfio, 5), 0);
	CHECK_EQ(iopf_iommufd_forget(host.source, f->vfio.id, 5), 1);
	CHECK_EQ(iopf_broker_detach(host.broker, f->endpoint, 5), 0);
	kernel_says(f, 5, 2);
	host_finish(f);
	space_of(f, 5)->used = false;
	host_end();
}

CASE(a_process_that_ends_owes_nothing)
{
	uint64_t at, unexpected;
	int status;

	host_open(1);
	at = f->log;
	unexpected = f->unexpected;
	host_close();
	if (fork() == 0) {
		host_open(1);
		host_attach(f, NONE);
		host_attach(f, 5);
		ask(f, NONE, 1, ADDR, RW | LAST | BENCH_EACH, 3);
		ask(f, 5, 11, ADDR, RW | LAST | BENCH_EACH, 3);
		for (uint32_t i = 0; i < 6; i++)
			CHECK_SOON(host_fetch());
		ask(f, NONE, 21, ADDR, RW | LAST | BENCH_EACH, 3);
		ask(f, 5, 31, ADDR, RW | LAST | BENCH_EACH, 3);
		CHECK_SOON(queue_is_taken());
		_exit(0);
	}
	CHECK(wait(&status) > 0 && status == 0);
	host_open(1);
	for (uint16_t i = 0; i < 3; i++) {
		kernel_says(f, NONE, 1 + i);
		kernel_says(f, 5, 11 + i);
		kernel_says(f, NONE, 21 + i);
		kernel_says(f, 5, 31 + i);
	}
	f->log = at;
	host_compare(f);
	NOTE("a process ends with 12 groups open: 12 responses, %u of them to a function that "
	     "was reset before",
	     (unsigned)(f->unexpected - unexpected));
	host_end();
}

/* ---- Function reset -------------------------------------------------------------------- */

CASE(a_late_answer_reaches_a_function_that_was_reset)
{
	struct device_record record;
	uint64_t at;

	host_open(1);
	host_attach(f, 5);
	ask(f, 5, 1, ADDR, RW | LAST, 1);
	CHECK_SOON(host_fetch());
	CHECK_EQ(vmm_device_reset(&f->vfio), 0);
	at = device_log_end(&f->device);
	CHECK_EQ(write_raw(host.raw[0].cookie, 0), 8);
	CHECK_SOON(received(f, &at, &record));
	NOTE("an answer after VFIO_DEVICE_RESET is sent on: the function calls it %s",
	     record.verdict == 0 ? "expected" : "unexpected");
	CHECK(record.verdict != 0);
	f->log = at;
	f->surprises = 1;
	/* What our engine would have said is what the kernel has ended. */
	CHECK_EQ(iopf_broker_reset(host.broker, f->endpoint, 0), 0);
	host_finish(f);
	CHECK_EQ(iopf_iommufd_reset(host.source, f->vfio.id), 1);
	host_respond();
	HOST("a broker that is told too late lets nothing leave");
	CHECK_EQ(f->said_count, 0);
	CHECK_EQ(vmm_device_detach(&f->vfio, 5), 0);
	iopf_iommufd_forget(host.source, f->vfio.id, IOPF_PASID_ANY);
	space_of(f, 5)->used = false;
	host_end();
}

CASE(a_function_is_reset_when_its_groups_have_ended)
{
	uint64_t token, unexpected;
	struct space *space;

	host_open(1);
	host_attach(f, 5);
	unexpected = bench_get(&f->device, BENCH_UNEXPECTED);
	ask(f, 5, 1, ADDR, RW | LAST, 1);
	CHECK_SOON(host_fetch());
	token = group.token;
	ask(f, 5, 2, ADDR, RW | LAST, 1);
	CHECK_SOON(queue_is_taken());
	space = space_of(f, 5);
	CHECK_EQ(iopf_broker_disable(host.broker, f->endpoint), 0);
	kernel_says(f, 5, 2);
	CHECK_EQ(vmm_device_detach(&f->vfio, 5), 0);
	iopf_iommufd_forget(host.source, f->vfio.id, IOPF_PASID_ANY);
	host_finish(f);
	host_compare(f); /* everything was answered */
	CHECK_EQ(vmm_device_reset(&f->vfio), 0);
	CHECK_EQ(host_answer(token, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(vmm_device_attach(&f->vfio, 5, space->table), 0);
	CHECK_EQ(iopf_broker_enable(host.broker, f->endpoint), 0);
	CHECK_EQ(bench_get(&f->device, BENCH_UNEXPECTED), unexpected);
	f->log = device_log_end(&f->device);
	ask(f, 5, 1, ADDR, RW | LAST, 1); /* the same index, and its own answer */
	EXPECT(5, 1, IOPF_SUCCESS);
	host_end();
}

/* ---- At the same time ------------------------------------------------------------------ */

static void *let_go_later(void *context)
{
	const struct timespec pause = { .tv_nsec = 200000000 };

	(void)context;
	nanosleep(&pause, NULL);
	(void)bench_command(&f->device, BENCH_COMMAND_LET_GO);
	return NULL;
}

CASE(a_detach_waits_for_an_interrupt_that_is_late)
{
	uint64_t begin, took_ms;
	pthread_t thread;

	host_open(1);
	host_attach(f, 5);
	CHECK(bench_command(&f->device, BENCH_COMMAND_HOLD) >= 0);
	ask(f, 5, 1, ADDR, RW | LAST, 1);
	CHECK_EQ(host_take(), 0);
	CHECK_EQ(pthread_create(&thread, NULL, let_go_later, NULL), 0);
	begin = case_now_ns();
	kernel_says(f, 5, 1);
	host_detach(f, 5);
	took_ms = (case_now_ns() - begin) / 1000000;
	pthread_join(thread, NULL);
	NOTE("a detach with a request in the queue and the interrupt 200 ms late took %u ms",
	     (unsigned)took_ms);
	host_end();
}

static uint32_t chance_state;

static uint32_t chance(uint32_t below)
{
	chance_state = chance_state * 1664525 + 1013904223;
	return (chance_state >> 8) % below;
}

/* Each group that was sent got one response, and success is what the ledger said, in its
 * order; what the kernel said for a PASID that was not attached then is invalid. */
static void compare_load(struct function *function, uint32_t sent)
{
	uint32_t count = 0, success = 0, at_said = 0;
	struct device_record record;

	while (received(function, &function->log, &record)) {
		count++;
		CHECK_EQ(record.verdict, 0);
		if (record.code != 0) {
			CHECK_EQ(record.code, 1);
			continue;
		}
		while (at_said < function->said_count &&
		       function->said[at_said].code != IOPF_SUCCESS)
			at_said++;
		CHECK(at_said < function->said_count);
		CHECK(is_same(&function->said[at_said], &record));
		at_said++;
		success++;
	}
	while (at_said < function->said_count) /* and none is missing */
		CHECK(function->said[at_said++].code != IOPF_SUCCESS);
	CHECK_EQ(count, sent);
	HOST("%u groups, %u responses, %u of them success in the ledger's order", sent, count,
	     success);
	function->said_count = 0;
}

CASE(attach_and_detach_under_load)
{
	enum { OPEN_MAX = 64 };
	static uint64_t open[OPEN_MAX];
	uint32_t open_count = 0, sent = 0, detaches = 0, refused = 0;
	uint64_t end = case_now_ns() + UINT64_C(4000000000);
	static const uint32_t pasids[] = { 5, 7, NONE };
	uint16_t index = 0;

	chance_state = 1;
	host_open(1);
	for (uint32_t i = 0; i < 3; i++)
		host_attach(f, pasids[i]);
	while (case_now_ns() < end && sent < 3000) {
		uint32_t pasid = pasids[chance(3)], pages = 1 + chance(4), at;

		ask(f, pasid, index, ADDR + (uint64_t)sent * 65536, RW | LAST, pages);
		index = (index + 1) % 512;
		sent++;
		if (open_count < OPEN_MAX && host_fetch())
			open[open_count++] = group.token;
		if (open_count > 0 && (chance(3) > 0 || open_count == OPEN_MAX)) {
			at = chance(open_count);
			refused += host_answer(open[at], chance(4) ? IOPF_SUCCESS :
								     IOPF_INVALID) != 0;
			open[at] = open[--open_count];
		}
		if (chance(40) == 0) {
			pasid = pasids[chance(3)];
			host_detach(f, pasid);
			host.table_next = 4096 * 64;
			host_attach(f, pasid);
			detaches++;
		}
	}
	NOTE("%u detaches, after them %u answers were late", detaches, refused);
	for (uint32_t i = 0; i < 3; i++)
		host_detach(f, pasids[i]);
	CHECK_SOON(queue_is_taken());
	compare_load(f, sent);
	CHECK(refused > 0 && detaches > 10);
	host_end();
}

int main(void)
{
	return case_main();
}
