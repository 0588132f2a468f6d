/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: the doorbell between host and guest: its bytes, and that it never blocks. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/port.h"
#include "test.h"

static const struct port_message sample = { .kind = PORT_write,
					    .width = 8,
					    .offset = 0x12345678,
					    .value = UINT64_C(0x0123456789abcdef),
					    .tag = UINT64_C(0xfedcba9876543210),
					    .extra = UINT64_MAX };

TEST(a_message_comes_back_as_it_was)
{
	struct port_message got;
	uint8_t bytes[PORT_BYTES];

	port_encode(&sample, bytes);
	CHECK_EQ(bytes[4], 0x78);
	CHECK_EQ(bytes[8], 0xef);
	CHECK(port_decode(bytes, PORT_BYTES, true, &got));
	CHECK_EQ(got.kind, PORT_write);
	CHECK_EQ(got.width, 8);
	CHECK_EQ(got.offset, sample.offset);
	CHECK_EQ(got.value, sample.value);
	CHECK_EQ(got.tag, sample.tag);
	CHECK_EQ(got.extra, sample.extra);
}

TEST(other_sizes_kinds_and_bits_are_no_messages)
{
	struct port_message got;
	uint8_t bytes[PORT_BYTES + 1] = { 0 };

	port_encode(&sample, bytes);
	CHECK(!port_decode(bytes, PORT_BYTES - 1, true, &got));
	CHECK(!port_decode(bytes, PORT_BYTES + 1, true, &got));
	CHECK(!port_decode(bytes, PORT_BYTES, false, &got)); /* the host says no such thing */
	bytes[3] = 1;
	CHECK(!port_decode(bytes, PORT_BYTES, true, &got));
	bytes[3] = 0;
	for (unsigned kind = 0; kind < 256; kind++) {
		bytes[0] = (uint8_t)kind;
		CHECK_EQ(port_decode(bytes, PORT_BYTES, true, &got),
			 kind >= PORT_read && kind <= PORT_bye);
		CHECK_EQ(port_decode(bytes, PORT_BYTES, false, &got),
			 kind >= PORT_reply && kind <= PORT_stop);
	}
}

TEST(the_host_does_not_wait_whatever_flags_the_guest_sets)
{
	const struct port_message reply = { .kind = PORT_reply };
	struct port_message got;
	int host, guest, sent = 0;

	CHECK_EQ(port_create(&host, &guest), 0);
	CHECK_EQ(fcntl(guest, F_SETFL, 0), 0);
	CHECK_EQ(fcntl(host, F_SETFL, 0), 0);
	CHECK_EQ(port_take(host, &got), 0);
	while (port_put(host, &reply))
		CHECK(++sent < 1000000);
	CHECK(sent > 16);
	close(guest);
	CHECK(!port_put(host, &reply)); /* and no SIGPIPE */
	close(host);
}

TEST(what_is_no_message_is_thrown_away_and_the_next_one_is_taken)
{
	struct port_message got;
	uint8_t bytes[100] = { 0 };
	int host, guest;

	CHECK_EQ(port_create(&host, &guest), 0);
	CHECK_EQ(send(guest, bytes, sizeof(bytes), 0), sizeof(bytes));
	CHECK_EQ(send(guest, bytes, 0, 0), 0);
	CHECK(port_put(guest, &sample));
	CHECK_EQ(port_take(host, &got), -EBADMSG);
	CHECK_EQ(port_take(host, &got), -ENODATA);
	CHECK_EQ(port_take(host, &got), 1);
	CHECK_EQ(got.value, sample.value);
	CHECK_EQ(port_take(host, &got), 0);
	close(guest);
	CHECK_EQ(port_take(host, &got), -ENODATA);
	close(host);
}

TEST(a_guest_without_its_host_waits_for_nothing)
{
	struct port port = { 0 };
	int host;

	CHECK_EQ(port_create(&host, &port.descriptor), 0);
	close(host);
	CHECK_EQ(port_read(&port, PORT_read, 8, 8), UINT64_MAX);
	CHECK(port.gone && port.stop);
	port_write(&port, PORT_write, 8, 8, 0);
	port_wait(&port, UINT64_C(10000000000));
	close(port.descriptor);
}

int main(void)
{
	return test_main();
}
