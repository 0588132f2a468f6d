/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: registers that are memory: what is handed on, what is shown, in which order. */
#include <pthread.h>

#include "cli/shared.h"
#include "test.h"

enum { A = 0x00, B = 0x04, WIDE = 0x08, SET_OFF = 0x10, BESIDE = 0x14, BYTES = 0x18 };

static const struct shared_register registers[] = { { A, 4 },
						    { B, 4 },
						    { WIDE, 8 },
						    { SET_OFF, 4 } };

enum { COUNT = sizeof(registers) / sizeof(registers[0]), WRITES_MAX = 64 };

static struct {
	_Alignas(8) uint8_t bytes[BYTES];
	struct shared shared;
	uint64_t value[BYTES]; /* of the device, by offset */
	uint32_t written[WRITES_MAX], writes;
	uint32_t fixed;                 /* the register that nobody writes; 0: none */
	void (*meanwhile)(uint32_t at); /* software, while a register is shown */
} world;

static uint32_t get32(uint32_t at)
{
	return __atomic_load_n((uint32_t *)(void *)(world.bytes + at), __ATOMIC_SEQ_CST);
}

static void put32(uint32_t at, uint32_t value)
{
	__atomic_store_n((uint32_t *)(void *)(world.bytes + at), value, __ATOMIC_SEQ_CST);
}

static uint64_t get64(uint32_t at)
{
	return __atomic_load_n((uint64_t *)(void *)(world.bytes + at), __ATOMIC_SEQ_CST);
}

static void put64(uint32_t at, uint64_t value)
{
	__atomic_store_n((uint64_t *)(void *)(world.bytes + at), value, __ATOMIC_SEQ_CST);
}

static uint64_t on_read(void *context, uint32_t offset, uint32_t width_bytes)
{
	(void)context;
	(void)width_bytes;
	if (world.meanwhile != NULL)
		world.meanwhile(offset);
	return world.value[offset];
}

static void on_write(void *context, uint32_t offset, uint32_t width_bytes, uint64_t value)
{
	(void)context;
	CHECK_EQ(width_bytes, offset == WIDE ? 8 : 4);
	if (world.writes < WRITES_MAX)
		world.written[world.writes] = offset;
	world.writes++;
	if (world.fixed == 0 || offset != world.fixed)
		world.value[offset] = value;
}

static void start(void)
{
	memset(&world, 0, sizeof(world));
	world.shared = (struct shared){ .bytes = world.bytes,
					.registers = registers,
					.count = COUNT,
					.read = on_read,
					.write = on_write };
	shared_show(&world.shared);
}

TEST(what_was_written_is_handed_on_in_the_order_of_the_list)
{
	start();
	put32(SET_OFF, 4);
	put64(WIDE, UINT64_C(0x100000003));
	put32(A, 1);
	CHECK_EQ(shared_take(&world.shared), 3);
	CHECK_EQ(world.written[0], A);
	CHECK_EQ(world.written[1], WIDE);
	CHECK_EQ(world.written[2], SET_OFF);
	CHECK_EQ(world.value[WIDE], UINT64_C(0x100000003));
	CHECK_EQ(shared_take(&world.shared), 0);
	CHECK_EQ(shared_seen(&world.shared, WIDE), UINT64_C(0x100000003));
	CHECK_EQ(shared_seen(&world.shared, BESIDE), 0);
}

TEST(of_two_writes_between_two_looks_the_last_counts)
{
	start();
	put32(A, 1);
	put32(A, 2);
	CHECK_EQ(shared_take(&world.shared), 1);
	CHECK_EQ(world.value[A], 2);
	put32(A, 5);
	put32(A, 2);
	CHECK_EQ(shared_take(&world.shared), 0);
}

TEST(what_the_device_says_is_shown_and_not_handed_back)
{
	start();
	world.value[B] = 7;
	world.value[WIDE] = UINT64_MAX;
	shared_show(&world.shared);
	CHECK_EQ(get32(B), 7);
	CHECK_EQ(get64(WIDE), UINT64_MAX);
	CHECK_EQ(shared_now(&world.shared, B), 7);
	CHECK_EQ(shared_now(&world.shared, BESIDE), 0);
	CHECK_EQ(shared_take(&world.shared), 0);
}

TEST(what_cannot_be_written_is_put_back)
{
	start();
	world.fixed = B;
	world.value[B] = 7;
	shared_show(&world.shared);
	put32(B, 0xffff);
	CHECK_EQ(shared_take(&world.shared), 1);
	CHECK_EQ(get32(B), 0xffff);
	shared_show(&world.shared);
	CHECK_EQ(get32(B), 7);
	CHECK_EQ(shared_take(&world.shared), 0);
}

/* Whoever answers with more bits than a register has, as where nobody is, says no more
 * than fits; and what lies beside stays. */
TEST(a_register_is_as_wide_as_it_is)
{
	start();
	put32(BESIDE, 0x5a5a5a5a);
	world.value[A] = world.value[SET_OFF] = UINT64_MAX;
	shared_show(&world.shared);
	CHECK_EQ(get32(A), UINT32_MAX);
	CHECK_EQ(get32(B), 0);
	CHECK_EQ(get32(BESIDE), 0x5a5a5a5a);
	CHECK_EQ(shared_take(&world.shared), 0);
	shared_show(&world.shared);
	CHECK_EQ(shared_take(&world.shared), 0);
}

static void software_writes(uint32_t at)
{
	if (at != B)
		return;
	put32(B, 3);
	world.meanwhile = NULL;
}

TEST(what_is_written_while_it_is_shown_is_not_lost)
{
	start();
	world.value[B] = 7;
	world.meanwhile = software_writes;
	shared_show(&world.shared);
	CHECK_EQ(get32(B), 3);
	CHECK_EQ(shared_take(&world.shared), 1);
	CHECK_EQ(world.value[B], 3);
	shared_show(&world.shared);
	CHECK_EQ(get32(B), 3);
}

static void software_looks(uint32_t at)
{
	if (at == SET_OFF)
		CHECK_EQ(get32(A), 9);
}

TEST(what_tells_is_shown_behind_what_it_tells_of)
{
	start();
	world.value[A] = 9;
	world.value[SET_OFF] = 1;
	world.meanwhile = software_looks;
	shared_show(&world.shared);
	CHECK_EQ(get32(SET_OFF), 1);
}

/* ---- Another processor ------------------------------------------------------------- */

static bool over;

static void *software(void *context)
{
	(void)context;
	for (uint32_t n = 1; !__atomic_load_n(&over, __ATOMIC_SEQ_CST); n++) {
		put32(A, n);
		put32(SET_OFF, n);
	}
	return NULL;
}

TEST(what_is_set_off_never_comes_before_what_it_looks_at)
{
	pthread_t thread;
	uint32_t early = 0;

	start();
	over = false;
	CHECK_EQ(pthread_create(&thread, NULL, software, NULL), 0);
	for (uint32_t seen = 0; seen < 20000;) {
		seen += shared_take(&world.shared);
		early += (int32_t)((uint32_t)world.value[A] -
				   (uint32_t)world.value[SET_OFF]) < 0;
	}
	__atomic_store_n(&over, true, __ATOMIC_SEQ_CST);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(early, 0);
}

/* Either side does what it wants, one after the other: both agree at the end of a turn, and
 * a register has one of the two last values. */
TEST(both_sides_agree_after_each_turn)
{
	uint64_t chance = 1;

	start();
	for (int i = 0; i < 100000; i++) {
		uint32_t at = registers[test_random(&chance) % COUNT].offset;
		uint64_t value = test_random(&chance) % 4;
		bool wide = at == WIDE;

		if (test_random(&chance) % 2 == 0)
			world.value[at] = value;
		else if (wide)
			put64(at, value);
		else
			put32(at, (uint32_t)value);
		shared_take(&world.shared);
		shared_show(&world.shared);
		CHECK_EQ(wide ? get64(at) : get32(at), value);
		CHECK_EQ(world.value[at], value);
	}
	CHECK_EQ(shared_take(&world.shared), 0);
}

int main(void)
{
	return test_main();
}
