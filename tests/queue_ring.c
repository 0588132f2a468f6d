/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: one formula of indices holds for the conventions of every family. */
#include "test.h"

#include "queue/ring.h"

/* VT-d, AMD: byte offsets. RISC-V: indices. SMMUv3: indices with a wrap bit. */
static const struct {
	const char *family;
	struct ring_convention convention;
	uint32_t entry_bytes;
} rows[] = {
	{ "vtd", { .byte_offsets = true }, 32 },
	{ "amd", { .byte_offsets = true }, 16 },
	{ "riscv", { .byte_offsets = false }, 16 },
	{ "smmuv3", { .wrap_bit = true }, 16 },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static struct ring make(unsigned row, uint32_t slots)
{
	struct ring ring;

	ring_create(&ring, rows[row].convention, 0x1000,
		    (uint64_t)slots * rows[row].entry_bytes, rows[row].entry_bytes);
	return ring;
}

TEST(used_counts_what_was_put_in_and_not_taken_at_every_index)
{
	for (unsigned row = 0; row < ROWS; row++) {
		for (uint32_t slots = 2; slots <= 64; slots *= 2) {
			struct ring ring = make(row, slots);
			uint32_t cons = 0;

			for (uint32_t i = 0; i < ring.modulus; i++) {
				uint32_t prod = cons, count = 0;

				while (!ring_full(&ring, prod, cons)) {
					CHECK_EQ(ring_used(&ring, prod, cons), count);
					prod = ring_next(&ring, prod);
					count++;
				}
				CHECK_EQ(count, ring_capacity(&ring));
				CHECK_EQ(ring_used(&ring, prod, cons), count);
				cons = ring_next(&ring, cons);
			}
			CHECK_EQ(cons, 0);
		}
	}
}

TEST(one_slot_stays_unused_unless_a_wrap_bit_tells_full_from_empty)
{
	for (unsigned row = 0; row < ROWS; row++) {
		struct ring ring = make(row, 128);
		bool wrap = rows[row].convention.wrap_bit;

		CHECK_EQ(ring_capacity(&ring), wrap ? 128 : 127);
	}
}

TEST(registers_hold_offsets_or_indices_and_only_those_of_a_slot)
{
	for (unsigned row = 0; row < ROWS; row++) {
		struct ring ring = make(row, 128);
		uint32_t unit = rows[row].convention.byte_offsets ?
					rows[row].entry_bytes : 1;
		uint32_t index;

		for (uint32_t i = 0; i < ring.modulus; i++) {
			CHECK_EQ(ring_register(&ring, i), (uint64_t)i * unit);
			CHECK(ring_index(&ring, (uint64_t)i * unit, &index));
			CHECK_EQ(index, i);
			if (unit > 1)
				CHECK(!ring_index(&ring, (uint64_t)i * unit + 1, &index));
		}
		CHECK(!ring_index(&ring, (uint64_t)ring.modulus * unit, &index));
		CHECK(!ring_index(&ring, UINT64_MAX, &index));
		CHECK(!ring_index(&ring, UINT64_C(1) << 40, &index));
	}
}

TEST(both_laps_of_a_wrap_bit_are_the_same_slots)
{
	struct ring ring = make(3, 16);

	for (uint32_t i = 0; i < 16; i++) {
		CHECK_EQ(ring_entry_addr(&ring, i), 0x1000 + 16 * i);
		CHECK_EQ(ring_entry_addr(&ring, i + 16), 0x1000 + 16 * i);
	}
}

int main(void)
{
	return test_main();
}
