/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: QEMU's proxied device, from its other end: whatever comes, in whatever pieces. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/proxy.h"
#include "test.h"

enum { WINDOW_BYTES = 0x400000 };

static struct {
	struct proxy proxy;
	int other;
	uint64_t read_offset, written_offset, written, placed;
	uint32_t width, reads, writes, places, resets;
} world;

static uint64_t on_read(void *context, uint64_t offset, uint32_t width)
{
	CHECK(context == &world);
	world.reads++;
	world.read_offset = offset;
	world.width = width;
	return UINT64_C(0x1122334455667788);
}

static void on_write(void *context, uint64_t offset, uint32_t width, uint64_t value)
{
	CHECK(context == &world);
	world.writes++;
	world.written_offset = offset;
	world.width = width;
	world.written = value;
}

static void on_placed(void *context, uint64_t addr)
{
	CHECK(context == &world);
	world.places++;
	world.placed = addr;
}

static void on_reset(void *context)
{
	CHECK(context == &world);
	world.resets++;
}

static const struct proxy_ops ops = { on_read, on_write, on_placed, on_reset };

static void start(void)
{
	int pair[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	memset(&world, 0, sizeof(world));
	world.other = pair[1];
	proxy_create(&world.proxy, pair[0], WINDOW_BYTES, &ops, &world);
}

static void stop(void)
{
	proxy_destroy(&world.proxy);
	close(world.other);
}

/* ---- Messages ---------------------------------------------------------------------- */

static size_t header(uint8_t *bytes, uint32_t command, uint64_t size)
{
	memset(bytes, 0, PROXY_MESSAGE_BYTES);
	memcpy(bytes, &command, 4);
	memcpy(bytes + 8, &size, 8);
	return PROXY_HEADER_BYTES + (size_t)size;
}

static size_t config_message(uint8_t *bytes, uint32_t command, uint32_t addr,
			     uint32_t value, uint32_t width)
{
	const uint32_t body[] = { addr, value, width };
	size_t size = header(bytes, command, sizeof(body));

	memcpy(bytes + PROXY_HEADER_BYTES, body, sizeof(body));
	return size;
}

static size_t bar_message(uint8_t *bytes, uint32_t command, uint64_t addr, uint64_t value,
			  uint32_t width)
{
	size_t size = header(bytes, command, 24);

	memcpy(bytes + PROXY_HEADER_BYTES, &addr, 8);
	memcpy(bytes + PROXY_HEADER_BYTES + 8, &value, 8);
	memcpy(bytes + PROXY_HEADER_BYTES + 16, &width, 4);
	return size;
}

static void put(const uint8_t *bytes, size_t size)
{
	CHECK_EQ(send(world.other, bytes, size, 0), (ssize_t)size);
}

/* The one reply that there is. */
static uint64_t take_reply(void)
{
	uint8_t bytes[64];
	uint64_t value, size;
	uint32_t command;

	CHECK_EQ(recv(world.other, bytes, sizeof(bytes), MSG_DONTWAIT), 24);
	memcpy(&command, bytes, 4);
	CHECK_EQ(command, PROXY_reply);
	memcpy(&size, bytes + 8, 8);
	CHECK_EQ(size, 8);
	memcpy(&value, bytes + PROXY_HEADER_BYTES, 8);
	return value;
}

static uint64_t config(uint32_t command, uint32_t addr, uint32_t value, uint32_t width)
{
	uint8_t bytes[PROXY_MESSAGE_BYTES];

	put(bytes, config_message(bytes, command, addr, value, width));
	CHECK_EQ(proxy_serve(&world.proxy, 64), 1);
	return take_reply();
}

static uint64_t bar(uint32_t command, uint64_t addr, uint64_t value, uint32_t width)
{
	uint8_t bytes[PROXY_MESSAGE_BYTES];

	put(bytes, bar_message(bytes, command, addr, value, width));
	CHECK_EQ(proxy_serve(&world.proxy, 64), 1);
	return take_reply();
}

/* ---- Configuration space ----------------------------------------------------------- */

TEST(firmware_sizes_and_places_the_window)
{
	start();
	CHECK_EQ(config(PROXY_config_read, 0x00, 0, 4), 0x5a5b1234);
	CHECK_EQ(config(PROXY_config_read, 0x08, 0, 4), 0); /* a device of no class */
	config(PROXY_config_write, 0x10, 0xffffffff, 4);
	CHECK_EQ(config(PROXY_config_read, 0x10, 0, 4), 0xffc00000);
	config(PROXY_config_write, 0x14, 0xffffffff, 4);
	CHECK_EQ(config(PROXY_config_read, 0x14, 0, 4), 0);
	config(PROXY_config_write, 0x10, 0xfe7fffff, 4);
	CHECK_EQ(world.places, 0);
	config(PROXY_config_write, 0x04, 0xffff, 2);
	CHECK_EQ(config(PROXY_config_read, 0x04, 0, 4), 0x0006);
	CHECK_EQ(world.places, 1);
	CHECK_EQ(world.placed, 0xfe400000);
	config(PROXY_config_write, 0x04, 0x0002, 2); /* on already */
	CHECK_EQ(world.places, 1);
	stop();
}

TEST(bytes_of_configuration_space_are_written_one_by_one)
{
	start();
	config(PROXY_config_write, 0x13, 0xfe, 1);
	config(PROXY_config_write, 0x12, 0xff, 1);
	CHECK_EQ(config(PROXY_config_read, 0x10, 0, 4), 0xfec00000);
	CHECK_EQ(config(PROXY_config_read, 0x12, 0, 2), 0xfec0);
	config(PROXY_config_write, 0x00, 0, 4); /* read only */
	CHECK_EQ(config(PROXY_config_read, 0x00, 0, 2), 0x1234);
	stop();
}

TEST(configuration_space_has_an_end)
{
	static const uint32_t bad[][2] = { { 256, 1 }, { 253, 4 },	  { 255, 2 },
					   { 0, 0 },   { 0, 3 },	  { 0, 8 },
					   { UINT32_MAX, 1 }, { 0, UINT32_MAX } };

	start();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_EQ(config(PROXY_config_read, bad[i][0], 0, bad[i][1]), UINT32_MAX);
		CHECK_EQ(config(PROXY_config_write, bad[i][0], 0, bad[i][1]), 0);
	}
	CHECK_EQ(config(PROXY_config_read, 255, 0, 1), 0);
	stop();
}

/* ---- The window -------------------------------------------------------------------- */

static void place(void)
{
	config(PROXY_config_write, 0x10, 0xfe400000, 4);
	config(PROXY_config_write, 0x04, 0x0002, 2);
}

TEST(accesses_reach_the_window_by_their_place_in_it)
{
	start();
	place();
	CHECK_EQ(bar(PROXY_bar_read, 0xfe400088, 0, 8), UINT64_C(0x1122334455667788));
	CHECK_EQ(world.read_offset, 0x88);
	CHECK_EQ(world.width, 8);
	CHECK_EQ(bar(PROXY_bar_write, 0xfe7fffff, 0xab, 1), 0);
	CHECK_EQ(world.written_offset, 0x3fffff);
	CHECK_EQ(world.written, 0xab);
	CHECK_EQ(world.width, 1);
	CHECK_EQ(world.proxy.stats.misplaced, 0);
	stop();
}

TEST(accesses_beside_the_window_or_of_no_width_reach_nothing)
{
	static const struct {
		uint64_t addr;
		uint32_t width;
	} bad[] = {
		{ 0xfe3ffff8, 8 }, { 0xfe800000, 1 }, { 0xfe400001, 2 }, { 0xfe400004, 8 },
		{ 0xfe400000, 0 }, { 0xfe400000, 3 }, { 0xfe400000, 16 }, { 0, 4 },
		{ UINT64_MAX, 1 }, { 0xfe400000, UINT32_MAX }, { 0xfe400000, 1u << 31 },
	};

	start();
	place();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_EQ(bar(PROXY_bar_read, bad[i].addr, 0, bad[i].width), UINT64_MAX);
		CHECK_EQ(bar(PROXY_bar_write, bad[i].addr, 1, bad[i].width), 0);
	}
	CHECK_EQ(world.reads + world.writes, 0);
	CHECK_EQ(world.proxy.stats.misplaced, 2 * sizeof(bad) / sizeof(bad[0]));
	stop();
}

TEST(a_reset_puts_the_device_back_and_is_told)
{
	uint8_t bytes[PROXY_MESSAGE_BYTES];

	start();
	place();
	put(bytes, header(bytes, PROXY_reset, 0));
	CHECK_EQ(proxy_serve(&world.proxy, 64), 1);
	CHECK_EQ(take_reply(), 0);
	CHECK_EQ(world.resets, 1);
	CHECK_EQ(config(PROXY_config_read, 0x10, 0, 4), 0);
	CHECK_EQ(config(PROXY_config_read, 0x04, 0, 2), 0);
	stop();
}

/* ---- Pieces and garbage ------------------------------------------------------------ */

TEST(a_message_may_come_in_pieces)
{
	uint8_t bytes[PROXY_MESSAGE_BYTES];
	size_t size;

	start();
	place();
	size = bar_message(bytes, PROXY_bar_read, 0xfe400010, 0, 4);
	for (size_t i = 0; i + 1 < size; i++) {
		put(bytes + i, 1);
		CHECK_EQ(proxy_serve(&world.proxy, 64), 0);
	}
	put(bytes + size - 1, 1);
	CHECK_EQ(proxy_serve(&world.proxy, 64), 1);
	CHECK_EQ(world.read_offset, 0x10);
	(void)take_reply();
	stop();
}

TEST(no_more_than_the_budget_is_served_at_once)
{
	uint8_t bytes[PROXY_MESSAGE_BYTES];

	start();
	place();
	for (int i = 0; i < 5; i++)
		put(bytes, bar_message(bytes, PROXY_bar_read, 0xfe400000, 0, 4));
	CHECK_EQ(proxy_serve(&world.proxy, 2), 2);
	CHECK_EQ(proxy_serve(&world.proxy, 2), 2);
	CHECK_EQ(proxy_serve(&world.proxy, 2), 1);
	CHECK_EQ(proxy_serve(&world.proxy, 2), 0);
	CHECK_EQ(world.reads, 5);
	stop();
}

TEST(what_is_no_message_is_the_end)
{
	static const struct {
		uint32_t command;
		uint64_t size;
	} bad[] = {
		{ PROXY_reply, 8 }, { 8, 0 }, { UINT32_MAX, 24 }, { PROXY_bar_read, 23 },
		{ PROXY_bar_read, 25 }, { PROXY_config_read, 0 }, { PROXY_reset, 1 },
		{ PROXY_memory, UINT64_MAX }, { PROXY_bar_write, UINT64_C(1) << 32 | 24 },
	};
	uint8_t bytes[PROXY_MESSAGE_BYTES];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start();
		(void)header(bytes, bad[i].command, bad[i].size);
		put(bytes, sizeof(bytes));
		CHECK_EQ(proxy_serve(&world.proxy, 64), -EBADMSG);
		CHECK_EQ(world.proxy.stats.broken, 1);
		CHECK_EQ(world.proxy.socket, -1);
		CHECK_EQ(proxy_serve(&world.proxy, 64), -EPIPE); /* and stays so */
		CHECK_EQ(world.reads + world.writes, 0);
		stop();
	}
}

TEST(a_message_that_the_end_cuts_off_is_none)
{
	uint8_t bytes[PROXY_MESSAGE_BYTES];
	size_t size = bar_message(bytes, PROXY_bar_write, 0xfe400000, 1, 4);

	for (size_t cut = 0; cut <= size; cut++) {
		start();
		if (cut > 0)
			put(bytes, cut);
		shutdown(world.other, SHUT_WR);
		if (cut == size)
			CHECK_EQ(proxy_serve(&world.proxy, 1), 1);
		CHECK_EQ(proxy_serve(&world.proxy, 64),
			 cut == 0 || cut == size ? -EPIPE : -EBADMSG);
		CHECK_EQ(world.writes, 0); /* nothing is placed anywhere */
		stop();
	}
}

static void with_descriptor(const uint8_t *bytes, size_t size, int descriptor)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	uint8_t copy[PROXY_MESSAGE_BYTES];
	struct iovec part = { copy, size };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };

	memcpy(copy, bytes, size);
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(int));
	CHECK_EQ(sendmsg(world.other, &message, 0), (ssize_t)size);
}

TEST(descriptors_that_come_along_are_closed)
{
	uint8_t bytes[PROXY_MESSAGE_BYTES];
	int lowest = dup(0), pipes[2];

	close(lowest);
	start();
	for (int i = 0; i < 100; i++) {
		with_descriptor(bytes, header(bytes, PROXY_memory, 192), 0);
		with_descriptor(bytes, header(bytes, PROXY_interrupt, 0), 0);
		CHECK_EQ(proxy_serve(&world.proxy, 64), 2);
	}
	CHECK_EQ(world.proxy.stats.descriptors, 200);
	CHECK_EQ(pipe(pipes), 0);
	CHECK(pipes[1] <= lowest + 3); /* none is left between */
	close(pipes[0]);
	close(pipes[1]);
	stop();
}

/* Answers that nobody takes fill the socket: it does not wait for room. */
TEST(who_takes_no_answers_is_given_up)
{
	uint8_t bytes[PROXY_MESSAGE_BYTES];
	int got = 1;

	start();
	place();
	fcntl(world.other, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 1000000 && got >= 0; i++) {
		size_t size = bar_message(bytes, PROXY_bar_read, 0xfe400000, 0, 4);

		if (send(world.other, bytes, size, MSG_NOSIGNAL) == (ssize_t)size)
			got = proxy_serve(&world.proxy, 1);
	}
	CHECK_EQ(got, -EPIPE);
	stop();
}

int main(void)
{
	return test_main();
}
