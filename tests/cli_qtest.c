/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: interrupts by QEMU's test protocol: each goes, in order, and nothing waits. */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/qtest.h"
#include "test.h"

static struct qtest qtest;
static int other;

static void start(void)
{
	int pair[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	qtest_create(&qtest, pair[0]);
	other = pair[1];
}

static void stop(void)
{
	qtest_destroy(&qtest);
	close(other);
}

static void check_lines(const char *lines)
{
	char text[8192] = { 0 };
	size_t size = strlen(lines);

	CHECK_EQ(recv(other, text, sizeof(text) - 1, MSG_DONTWAIT), (ssize_t)size);
	CHECK(strcmp(text, lines) == 0);
}

TEST(an_interrupt_is_a_line)
{
	start();
	qtest_put(&qtest, UINT64_C(0xfee00000), 0x21);
	qtest_put(&qtest, UINT64_C(0x1fee01000), UINT32_MAX);
	CHECK(qtest_waits(&qtest));
	CHECK_EQ(qtest_go_on(&qtest), 2);
	CHECK(!qtest_waits(&qtest));
	check_lines("writel 0xfee00000 0x21\nwritel 0x1fee01000 0xffffffff\n");
	CHECK_EQ(qtest_go_on(&qtest), 0);
	stop();
}

TEST(answers_are_thrown_away)
{
	start();
	for (int i = 0; i < 100; i++)
		CHECK_EQ(send(other, "OK\n", 3, 0), 3);
	CHECK_EQ(qtest_go_on(&qtest), 0);
	CHECK(qtest.socket >= 0);
	CHECK_EQ(recv(qtest.socket, &(char){ 0 }, 1, MSG_DONTWAIT), -1); /* none is left */
	qtest_put(&qtest, 0, 1);
	CHECK_EQ(qtest_go_on(&qtest), 1);
	check_lines("writel 0x0 0x1\n");
	stop();
}

/* An interrupt that waits says all that its like would. The first may be on its way. */
TEST(what_waits_is_not_said_twice)
{
	start();
	qtest_put(&qtest, 1, 1);
	qtest_put(&qtest, 2, 2);
	qtest_put(&qtest, 2, 2);
	qtest_put(&qtest, 1, 1);
	qtest_put(&qtest, 1, 1);
	CHECK_EQ(qtest.stats.joined, 2);
	CHECK_EQ(qtest_go_on(&qtest), 3);
	check_lines("writel 0x1 0x1\nwritel 0x2 0x2\nwritel 0x1 0x1\n");
	stop();
}

static void fill(void)
{
	char block[4096] = { 0 };

	while (send(qtest.socket, block, sizeof(block), MSG_DONTWAIT) > 0)
		;
	while (send(qtest.socket, block, 1, MSG_DONTWAIT) > 0)
		;
}

static void drain(void)
{
	char block[4096];

	while (recv(other, block, sizeof(block), MSG_DONTWAIT) > 0)
		;
}

TEST(what_there_is_no_room_for_waits_and_goes_in_order)
{
	start();
	fill();
	for (uint32_t i = 0; i < QTEST_WRITE_MAX + 3; i++)
		qtest_put(&qtest, 0, i);
	CHECK_EQ(qtest.stats.lost, 3);
	CHECK_EQ(qtest_go_on(&qtest), 0);
	CHECK(qtest_waits(&qtest));
	drain();
	CHECK_EQ(qtest_go_on(&qtest), QTEST_WRITE_MAX);
	for (uint32_t i = 0; i < QTEST_WRITE_MAX; i++) {
		char line[32], got[32] = { 0 };
		int size = snprintf(line, sizeof(line), "writel 0x0 0x%x\n", i);

		CHECK_EQ(recv(other, got, (size_t)size, MSG_DONTWAIT), size);
		CHECK(strcmp(line, got) == 0);
	}
	stop();
}

TEST(who_is_gone_gets_nothing)
{
	start();
	qtest_put(&qtest, 0, 1);
	close(other);
	CHECK_EQ(qtest_go_on(&qtest), 0);
	CHECK_EQ(qtest.socket, -1);
	CHECK(!qtest_waits(&qtest));
	qtest_put(&qtest, 0, 2);
	CHECK_EQ(qtest.stats.lost, 2);
	CHECK_EQ(qtest_go_on(&qtest), 0);
	stop();
}

int main(void)
{
	return test_main();
}
