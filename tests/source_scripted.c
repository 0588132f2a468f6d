/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: what a kernel might hand over or take that none was seen to: torn, short,
 * blocking, impossible. A script, no kernel: the test sits at the other end of a socket pair
 * and says what is read, and takes what is written.
 */
#include "source_kernel.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DEVICE = 7, NEAR = 0, FAR = 1 };

static int ends[2];

/* A packet is what one read gives. */
static void script(uint32_t group_max, uint32_t group_read_max)
{
	if (ends[NEAR] > 0) {
		close(ends[NEAR]);
		close(ends[FAR]);
	}
	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
	source_over(&iopf_iommufd_system, &ends[NEAR], group_max, group_read_max);
}

struct record {
	uint32_t flags, device, pasid, prgi, perm, rsvd;
	uint64_t addr;
	uint32_t length, cookie;
};
_Static_assert(sizeof(struct record) == 40, "the interface's");

static struct record a_record(uint32_t cookie, uint32_t flags)
{
	return (struct record){ .flags = flags,
				.device = DEVICE,
				.pasid = 5,
				.prgi = 1,
				.perm = IOPF_READ,
				.addr = 0x1000,
				.cookie = cookie };
}

static void say(const void *bytes, size_t size_bytes)
{
	CHECK_EQ(send(ends[FAR], bytes, size_bytes, 0), (ssize_t)size_bytes);
}

static void say_group(uint32_t cookie)
{
	struct record record = a_record(cookie, 3);

	say(&record, sizeof(record));
}

/* The one answer that was written: its cookie, and its code. */
static uint32_t heard(uint32_t *code)
{
	uint32_t words[256];
	ssize_t got = recv(ends[FAR], words, sizeof(words), 0);

	CHECK_EQ(got, 8);
	*code = words[1];
	return words[0];
}

static bool nothing_heard(void)
{
	char byte;

	return recv(ends[FAR], &byte, 1, 0) < 0 && errno == EAGAIN;
}

TEST(descriptor_that_would_block_has_nothing)
{
	struct pollfd fd;

	script(8, 4);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 0);
	fd = (struct pollfd){ .fd = ends[NEAR], .events = POLLIN };
	CHECK_EQ(poll(&fd, 1, 0), 0);
	say_group(1);
	CHECK_EQ(poll(&fd, 1, 0), 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 1);
	CHECK_EQ(poll(&fd, 1, 0), 0);
}

TEST(what_ends_within_a_record_gives_the_whole_ones)
{
	struct record records[2] = { a_record(1, 3), a_record(2, 3) };

	script(8, 4);
	say(records, 79);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 1);
	CHECK_EQ(COUNTED(torn), 1);
	say(records, 39);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 0);
	CHECK_EQ(COUNTED(torn), 2);
	CHECK_EQ(iopf_iommufd_owed(source), 1);
}

/* Its cookie came, so that it can be answered: at once, as nobody can be shown half. */
TEST(half_a_group_is_answered_invalid)
{
	struct record records[2] = { a_record(3, 1), a_record(3, 1) };
	uint32_t code;

	script(8, 4);
	say(records, sizeof(records));
	CHECK_EQ(iopf_iommufd_read(source, &requests), 0);
	CHECK_EQ(heard(&code), 3);
	CHECK_EQ(code, IOPF_IOMMUFD_INVALID);
	CHECK_EQ(COUNTED(malformed), 1);
	CHECK_EQ(iopf_iommufd_owed(source), 0);
}

TEST(group_that_another_cuts_short_is_answered_invalid_and_the_other_is_read)
{
	struct record records[3] = { a_record(3, 1), a_record(4, 1), a_record(4, 3) };
	uint32_t code;

	script(8, 4);
	say(records, sizeof(records));
	CHECK_EQ(iopf_iommufd_read(source, &requests), 2);
	CHECK_EQ(heard(&code), 3);
	CHECK_EQ(code, IOPF_IOMMUFD_INVALID);
	CHECK_EQ(respond(&requests[1], IOPF_SUCCESS), 0);
	CHECK_EQ(heard(&code), 4);
	CHECK_EQ(code, IOPF_IOMMUFD_SUCCESS);
}

TEST(group_of_two_devices_is_answered_invalid)
{
	struct record records[2] = { a_record(3, 1), a_record(3, 3) };
	uint32_t code;

	script(8, 4);
	records[0].device = DEVICE + 1;
	say(records, sizeof(records));
	CHECK_EQ(iopf_iommufd_read(source, &requests), 0);
	CHECK_EQ(heard(&code), 3);
	CHECK_EQ(code, IOPF_IOMMUFD_INVALID);
}

/* The broker's names for none and any are no PASIDs, whoever says them. */
TEST(pasid_beyond_twenty_bits_is_answered_invalid)
{
	static const uint32_t pasids[] = { IOPF_PASID_NONE, IOPF_PASID_ANY, IOPF_PASID_MAX + 1 };
	uint32_t code;

	script(8, 4);
	for (unsigned i = 0; i < 3; i++) {
		struct record record = a_record(i + 1, 3);

		record.pasid = pasids[i];
		say(&record, sizeof(record));
		CHECK_EQ(iopf_iommufd_read(source, &requests), 0);
		CHECK_EQ(heard(&code), i + 1);
		CHECK_EQ(code, IOPF_IOMMUFD_INVALID);
	}
}

/* Linux matches partial requests by their PRG index alone: the answer is the last's. */
TEST(requests_of_other_pasids_are_left_out_of_a_group)
{
	struct record records[3] = { a_record(3, 1), a_record(3, 0), a_record(3, 3) };

	script(8, 4);
	records[0].pasid = 9;
	say(records, sizeof(records));
	CHECK_EQ(iopf_iommufd_read(source, &requests), 1);
	CHECK_EQ(requests[0].pasid, 5);
	CHECK_EQ(requests[0].flags, IOPF_LAST);
	CHECK_EQ(COUNTED(other_pasid), 2);
}

TEST(one_cookie_twice_in_a_read_is_the_later_groups)
{
	struct record records[2] = { a_record(3, 3), a_record(3, 3) };
	struct iopf_request first, second;
	uint32_t code;

	script(8, 4);
	say(records, sizeof(records));
	CHECK_EQ(iopf_iommufd_read(source, &requests), 2);
	first = requests[0];
	second = requests[1];
	CHECK(first.index != second.index);
	CHECK_EQ(respond(&first, IOPF_SUCCESS), 0);
	CHECK(nothing_heard());
	CHECK_EQ(respond(&second, IOPF_INVALID), 0);
	CHECK_EQ(heard(&code), 3);
	CHECK_EQ(code, IOPF_IOMMUFD_INVALID);
	CHECK_EQ(respond(&second, IOPF_INVALID), 0);
	CHECK(nothing_heard());
}

TEST(every_cookie_is_a_cookie)
{
	static const uint32_t cookies[] = { 0, 1, UINT32_MAX, UINT32_MAX - 1 };
	uint32_t code;

	script(8, 4);
	for (unsigned i = 0; i < 4; i++) {
		say_group(cookies[i]);
		CHECK_EQ(iopf_iommufd_read(source, &requests), 1);
		CHECK_EQ(respond(&requests[0], IOPF_SUCCESS), 0);
		CHECK_EQ(heard(&code), cookies[i]);
	}
}

/* A stream, filled up: it takes some bytes of an answer, then none. */
static void script_full(void)
{
	static const char bytes[4096];
	int small = 2048;

	if (ends[NEAR] > 0) {
		close(ends[NEAR]);
		close(ends[FAR]);
	}
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	CHECK_EQ(setsockopt(ends[NEAR], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	source_over(&iopf_iommufd_system, &ends[NEAR], 8, 4);
	say_group(1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 1);
	while (write(ends[NEAR], bytes, sizeof(bytes)) > 0)
		;
}

static void drain(void)
{
	char bytes[4096];

	while (recv(ends[FAR], bytes, sizeof(bytes), 0) > 0)
		;
}

TEST(answer_waits_for_a_descriptor_that_is_full)
{
	uint32_t code;

	script_full();
	CHECK_EQ(respond(&requests[0], IOPF_SUCCESS), -EAGAIN);
	CHECK_EQ(iopf_iommufd_write(source, NULL, 0), -EAGAIN);
	CHECK_EQ(iopf_iommufd_owed(source), 1);
	drain();
	CHECK_EQ(iopf_iommufd_write(source, NULL, 0), 0);
	CHECK_EQ(heard(&code), 1);
	CHECK_EQ(iopf_iommufd_owed(source), 0);
}

TEST(descriptor_that_is_gone_is_an_error)
{
	signal(SIGPIPE, SIG_IGN);
	script(8, 4);
	say_group(1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 1);
	close(ends[FAR]);
	ends[FAR] = dup(ends[NEAR]);
	CHECK_EQ(respond(&requests[0], IOPF_SUCCESS), -EPIPE);
	CHECK_EQ(iopf_iommufd_owed(source), 1);
	close(ends[NEAR]);
	close(ends[FAR]);
	ends[NEAR] = -1;
	CHECK_EQ(iopf_iommufd_read(source, &requests), -EBADF);
	CHECK_EQ(iopf_iommufd_write(source, NULL, 0), -EBADF);
}

/* ---- A script of results ------------------------------------------------------------------- */

static int64_t results[8];
static unsigned calls;

static int64_t next_read(void *context, void *bytes, size_t size_bytes)
{
	(void)context;
	memset(bytes, 0, size_bytes);
	return results[calls++];
}

static int64_t next_write(void *context, const void *bytes, size_t size_bytes)
{
	(void)context;
	(void)bytes;
	(void)size_bytes;
	return results[calls++];
}

static const struct iopf_iommufd_io results_io = { .read = next_read, .write = next_write };
/* Groups come from the kernel's model; what writing them gives is scripted. */
static const struct iopf_iommufd_io writes_io = { .read = kernel_read, .write = next_write };

TEST(errors_of_a_read_are_told_apart)
{
	static const struct {
		int64_t got;
		int wanted;
	} cases[] = {
		{ 0, 0 },
		{ -EAGAIN, 0 },
		{ -EINTR, 0 },
		{ -EINVAL, -EMSGSIZE },
		{ -EFAULT, -EFAULT },
		{ -ENOMEM, -ENOMEM },
		{ 161, -EIO }, /* more than was asked for */
		{ INT64_MAX, -EIO },
		{ INT64_MIN, -EIO },
		{ -4096, -EIO }, /* no errno */
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		source_over(&results_io, NULL, 8, 4);
		calls = 0;
		results[0] = cases[i].got;
		CHECK_EQ(iopf_iommufd_read(source, &requests), cases[i].wanted);
	}
}

/* Four groups are read, and four answers written: with what results, to what end. */
static int four_answers(const int64_t *wanted)
{
	struct iopf_response out[4];

	memset(&kernel, 0, sizeof(kernel));
	source_over(&writes_io, NULL, 8, 4);
	memcpy(results, wanted, 4 * sizeof(results[0]));
	calls = 0;
	for (unsigned i = 0; i < 4; i++)
		kernel_fault(DEVICE, 5, i, 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 4);
	for (unsigned i = 0; i < 4; i++)
		out[i] = response_to(&requests[i], IOPF_SUCCESS);
	return iopf_iommufd_write(source, out, 4);
}

TEST(results_of_a_write_are_told_apart)
{
	static const struct {
		int64_t results[4];
		int wanted;
		uint32_t answers, refused, owed;
	} cases[] = {
		{ { 32 }, 0, 4, 0, 0 },
		{ { 8, 24 }, 0, 4, 0, 0 },               /* short, and on */
		{ { 8, -EINVAL, 16 }, 0, 3, 1, 0 },      /* short at one it does not know */
		{ { -EINVAL, 24 }, 0, 3, 1, 0 },
		{ { 8, 0, 16 }, 0, 3, 1, 0 },            /* 0 for EINVAL */
		{ { 16, -EAGAIN }, -EAGAIN, 2, 0, 2 },
		{ { 16, -EINTR }, -EAGAIN, 2, 0, 2 },
		{ { 12 }, -EIO, 1, 0, 3 },               /* within a record */
		{ { 4 }, -EIO, 0, 0, 4 },
		{ { 40 }, -EIO, 0, 0, 4 },               /* more than there was */
		{ { INT64_MAX }, -EIO, 0, 0, 4 },
		{ { INT64_MIN }, -EIO, 0, 0, 4 },
		{ { -EFAULT }, -EFAULT, 0, 0, 4 },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_EQ(four_answers(cases[i].results), cases[i].wanted);
		CHECK_EQ(COUNTED(answers), cases[i].answers);
		CHECK_EQ(COUNTED(refused), cases[i].refused);
		CHECK_EQ(iopf_iommufd_owed(source), cases[i].owed);
	}
}

/* No room for what a read may bring: it is not read before there is. */
TEST(read_waits_where_its_own_answers_cannot_leave)
{
	world_create(1, 4);
	kernel.write_blocks = true;
	for (unsigned i = 0; i < 8; i++)
		kernel_fault(DEVICE, 5, i, 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), -EAGAIN);
	CHECK_EQ(kernel.deliver_count, 4);
	kernel.write_blocks = false;
	CHECK_EQ(iopf_iommufd_read(source, &requests), 0);
	CHECK_EQ(kernel.deliver_count, 0);
	CHECK_EQ(COUNTED(full), 7);
}

TEST(random_bytes_end_nothing)
{
	uint64_t seed = 5;

	script(4, 8);
	for (unsigned round = 0; round < 20000; round++) {
		uint8_t bytes[8 * 40];
		size_t size_bytes = (size_t)(test_random(&seed) % sizeof(bytes));
		int got;

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)(test_random(&seed) & test_random(&seed) & 7);
		say(bytes, size_bytes);
		got = iopf_iommufd_read(source, &requests);
		CHECK(got >= 0 && got <= 8);
		for (int i = 0; i < got; i++) {
			CHECK(requests[i].index < 12);
			if (requests[i].flags & IOPF_LAST && test_random(&seed) % 4 != 0)
				CHECK_EQ(respond(&requests[i],
						 (enum iopf_code)(test_random(&seed) % 3)),
					 0);
		}
		if (round % 16 == 0)
			iopf_iommufd_reset(source, (uint32_t)(test_random(&seed) % 8));
		drain();
	}
}

int main(void)
{
	return test_main();
}
