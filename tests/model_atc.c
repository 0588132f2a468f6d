/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: a function's cache finds what it holds and forgets what it is told to. */
#include "iopf/iopf.h"
#include "model/atc.h"
#include "model/model.h"

#include "test.h"

#define COUNT 64u
#define ALL   UINT64_MAX

static struct atc atc;
static struct atc_entry entries[COUNT];

static uint32_t fill(uint32_t pasid, uint64_t page, uint8_t perm, bool priv)
{
	const struct atc_entry entry = { .page = page, .translated = ~page & ~0xfffull,
					 .pasid = pasid, .perm = perm, .priv = priv };
	return atc_fill(&atc, &entry);
}

static void fill_free(uint32_t pasid, uint64_t page, uint8_t perm)
{
	atc_release(&atc, fill(pasid, page, perm, false));
}

static bool has(uint32_t pasid, uint64_t page, uint8_t perm, bool priv)
{
	uint32_t use = atc_take(&atc, pasid, page, priv, perm);

	if (use != ATC_NONE)
		atc_release(&atc, use);
	return use != ATC_NONE;
}

static void start(void)
{
	atc_create(&atc, entries, COUNT);
}

TEST(an_entry_is_found_for_its_page_pasid_and_rights)
{
	start();
	fill_free(5, 0x1000, IOPF_READ);
	CHECK(has(5, 0x1000, IOPF_READ, false));
	CHECK(!has(5, 0x1000, IOPF_WRITE, false));
	CHECK(!has(5, 0x1000, IOPF_READ, true));
	CHECK(!has(6, 0x1000, IOPF_READ, false));
	CHECK(!has(IOPF_PASID_NONE, 0x1000, IOPF_READ, false));
	CHECK(!has(5, 0x2000, IOPF_READ, false));
	CHECK_EQ(atc.hits, 1);
	CHECK_EQ(atc.misses, 5);
}

TEST(more_rights_replace_fewer)
{
	start();
	fill_free(5, 0x1000, IOPF_READ);
	fill_free(5, 0x1000, IOPF_READ | IOPF_WRITE);
	CHECK(has(5, 0x1000, IOPF_WRITE, false));
	CHECK(atc_invalidate(&atc, 5, false, 0x1000, 0x1fff));
	CHECK(!has(5, 0x1000, IOPF_READ, false));
}

TEST(what_is_held_is_not_evicted)
{
	uint32_t use;

	start();
	use = fill(5, 0x1000, IOPF_READ, false);
	for (uint64_t page = 0x2000; page < 0x400000; page += 0x1000)
		fill_free(5, page, IOPF_READ);
	CHECK(atc_entry(&atc, use) != NULL);
	CHECK_EQ(atc_entry(&atc, use)->page, 0x1000);
	atc_release(&atc, use);
}

TEST(a_set_that_is_wholly_held_takes_no_more)
{
	uint32_t held = 0;

	start();
	/* Sixteen sets: pages 16 apart share one. */
	for (uint64_t n = 0; n < ATC_WAYS; n++)
		held += fill(0, n * 16 * 4096, IOPF_READ, false) != ATC_NONE;
	CHECK_EQ(held, ATC_WAYS);
	CHECK_EQ(fill(0, UINT64_C(64) * 4096, IOPF_READ, false), ATC_NONE);
}

TEST(a_held_entry_dies_and_is_gone_after_its_release)
{
	uint32_t use, other;

	start();
	use = fill(5, 0x1000, IOPF_READ, false);
	CHECK(!atc_invalidate(&atc, 5, false, 0x1000, 0x1fff));
	CHECK(atc_entry(&atc, use) == NULL);
	CHECK(!has(5, 0x1000, IOPF_READ, false));
	/* A new translation of the same page is its own entry and does not complete it. */
	other = fill(5, 0x1000, IOPF_READ, false);
	CHECK(other != use);
	atc_release(&atc, other);
	CHECK(!atc_invalidate(&atc, 5, false, 0x1000, 0x1fff));
	atc_release(&atc, use);
	CHECK(atc_invalidate(&atc, 5, false, 0x1000, 0x1fff));
}

/* Against a plain list: every range, PASID and global. */
TEST(an_invalidation_takes_its_range_and_nothing_else)
{
	uint64_t random = 5;

	for (uint32_t round = 0; round < 3000; round++) {
		uint32_t pasid = (uint32_t)(test_random(&random) % 3);
		uint64_t size = UINT64_C(4096) << test_random(&random) % 6;
		uint64_t first = test_random(&random) % 32 * 4096 & ~(size - 1);
		bool global = test_random(&random) % 4 == 0;
		bool was[3][32];

		start();
		for (uint32_t n = 0; n < 48; n++)
			fill_free((uint32_t)(test_random(&random) % 3),
				  test_random(&random) % 32 * 4096, IOPF_READ);
		for (uint32_t n = 0; n < 96; n++)
			was[n / 32][n % 32] = has(n / 32, n % 32 * 4096, IOPF_READ, false);
		CHECK(atc_invalidate(&atc, pasid, global, first, first + size - 1));
		for (uint32_t n = 0; n < 96; n++) {
			uint64_t page = n % 32 * 4096;
			bool gone = (global || n / 32 == pasid) && page >= first &&
				    page <= first + size - 1;

			CHECK_EQ(has(n / 32, page, IOPF_READ, false),
				 was[n / 32][n % 32] && !gone);
		}
	}
}

TEST(the_size_of_an_invalidation_stands_in_its_address)
{
	static const struct {
		uint64_t addr, size, payload;
	} row[] = {
		{ 0x7f0000001000, 0x1000, 0x7f0000001000 },
		{ 0x2000, 0x2000, 0x2800 },
		{ 0x4000, 0x4000, 0x5800 },
		{ 0x200000, 0x200000, 0x2ff800 },
		{ 0x40000000, 0x40000000, 0x5ffff800 },
		{ UINT64_C(1) << 63, UINT64_C(1) << 63, 0xbffffffffffff800 },
		{ 0, 0, 0x7ffffffffffff800 },
	};

	for (size_t n = 0; n < sizeof(row) / sizeof(row[0]); n++) {
		CHECK_EQ(model_invalidate_payload(row[n].addr, row[n].size, false),
			 row[n].payload);
		CHECK_EQ(model_invalidate_payload(row[n].addr, row[n].size, true),
			 row[n].payload | 1);
	}
}

TEST(everything_can_be_dropped_at_once)
{
	start();
	for (uint64_t page = 0; page < 0x40000; page += 0x1000)
		fill_free((uint32_t)(page >> 12) % 5, page, IOPF_READ);
	CHECK(atc_invalidate(&atc, 0, true, 0, ALL));
	for (uint32_t n = 0; n < COUNT; n++)
		CHECK_EQ(entries[n].state, ATC_FREE);
}

int main(void)
{
	return test_main();
}
