/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: walkers in threads of their own beside the one thread that maps. */
#include <pthread.h>

#include "table/nested.h"

#include "table_world.h"

#define K4     UINT64_C(4096)
#define WINDOW UINT64_C(0x7fffc00000) /* crosses tables of every level but the root */
#define HOST   UINT64_C(0x800000000)
#define R      IOPF_READ
#define W      IOPF_WRITE

enum { PAGES = 128, WALKERS = 3, OPERATIONS = 1000000, DELAY = 512 };

/* The mapper's side: pages that it gave back wait until no walk that began before can
 * still be under way, as invalidation makes them wait in the world. */
static struct world guest, host;
static struct x86_table first;
static struct vtdss_table second;
static struct nested_tables tables;
static uint64_t waiting[DELAY];
static unsigned waiting_head, waiting_count;
static struct iopf_segment segments[2];
static const struct iopf_memory memory = { .segments = segments, .count = 2 };

/* Walks under way, as numbers that grow: odd while a walk goes on. */
static uint64_t turn[WALKERS];
static int stop;
static uint64_t found[WALKERS], missed[WALKERS], wrong[WALKERS];

static void give_later(void *context, uint64_t addr, uint32_t page_count)
{
	(void)context;
	(void)page_count;
	CHECK(waiting_count < DELAY);
	waiting[(waiting_head + waiting_count++) % DELAY] = addr;
}

/* Wait out every walk that goes on now; then nobody knows the pages given back. */
static void invalidate(void)
{
	for (unsigned i = 0; i < WALKERS; i++) {
		uint64_t seen = __atomic_load_n(&turn[i], __ATOMIC_ACQUIRE);

		while (seen % 2 == 1 && __atomic_load_n(&turn[i], __ATOMIC_ACQUIRE) == seen)
			sched_yield();
	}
	while (waiting_count > 0) {
		world_give(&guest, waiting[waiting_head], 1);
		waiting_head = (waiting_head + 1) % DELAY;
		waiting_count--;
	}
}

/* Four pages a table, so that tables come and go. */
static uint64_t addr_of(unsigned page)
{
	return WINDOW + page / 4 * (K4 << 9) + page % 4 * K4;
}

/* Each mapping has an output address of its own, and what lies there (a plain word, that
 * TSan sees) tells the page that it was made for: any walker's answer can be judged. */
static unsigned content[OPERATIONS];

static uint64_t out_of(unsigned operation)
{
	return (UINT64_C(1) << 33) + operation * K4;
}

static void create(void)
{
	static const struct x86_format x86 = { .levels = 4, .address_bits = 52 };
	static const struct vtdss_format vtdss = { .levels = 4, .address_bits = 46,
						   .pages_2m = true, .accessed_dirty = true };
	const uint64_t m2 = K4 << 9;

	world_create(&guest, 0);
	world_create(&host, UINT64_C(1) << 40);
	guest.pages.give = give_later;
	CHECK_EQ(x86_create(&first, &guest.memory, &guest.pages, &x86), 0);
	CHECK_EQ(vtdss_create(&second, &host.memory, &host.pages, &vtdss), 0);
	for (uint64_t at = 0; at < guest.segment.size_bytes; at += m2)
		CHECK_EQ(vtdss_map(&second, at, HOST + at, m2, R | W), 0);
	for (uint64_t at = out_of(0); at < out_of(OPERATIONS); at += m2)
		CHECK_EQ(vtdss_map(&second, at, at, m2, R | W), 0);
	segments[0] = guest.segment;
	segments[0].base = HOST;
	segments[1] = host.segment;
	tables = (struct nested_tables){ .first_root = first.root,
					 .second_root = second.root,
					 .first = x86,
					 .second = vtdss,
					 .kind = NESTED_BOTH };
}

static bool believable(const struct nested_result *result, unsigned page, bool walked)
{
	if (walked)
		return content[(result->addr - out_of(0)) / K4] == page;
	return result->stage == NESTED_STAGE_FIRST &&
	       (result->fault == TABLE_NOT_PRESENT || result->fault == TABLE_PERMISSION);
}

static void *walker(void *context)
{
	unsigned self = (unsigned)(uintptr_t)context;
	uint64_t seed = self + 100;
	struct nested_result result;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		unsigned page = (unsigned)(test_random(&seed) % PAGES);
		uint8_t perm = test_random(&seed) % 2 == 0 ? R : R | W;
		bool walked;

		__atomic_fetch_add(&turn[self], 1, __ATOMIC_ACQ_REL);
		walked = nested_walk(&tables, &memory, addr_of(page), perm, true, &result);
		__atomic_fetch_add(&turn[self], 1, __ATOMIC_ACQ_REL);
		found[self] += walked;
		missed[self] += !walked;
		wrong[self] += !believable(&result, page, walked);
	}
	return NULL;
}

static void map(unsigned page, unsigned operation, uint8_t perm)
{
	content[operation] = page;
	CHECK_EQ(x86_map(&first, addr_of(page), out_of(operation), K4, perm, 0), 0);
}

static uint8_t unmapped(uint64_t addr)
{
	CHECK_EQ(x86_unmap(&first, addr, K4), 1);
	return 0;
}

/* Map, protect and unmap; what the mapper itself knows has to stay true. */
static void mapper(void)
{
	static bool present[PAGES], writable[PAGES];
	uint64_t seed = 1;

	for (unsigned i = 0; i < OPERATIONS; i++) {
		unsigned page = (unsigned)(test_random(&seed) % PAGES);
		uint64_t addr = addr_of(page);
		uint8_t perm = test_random(&seed) % 2 == 0 ? R : R | W;
		struct table_result result;

		if (!present[page])
			map(page, i, perm);
		else if (test_random(&seed) % 4 == 0)
			CHECK_EQ(x86_protect(&first, addr, K4, perm), 1);
		else
			perm = unmapped(addr);
		present[page] = perm != 0;
		writable[page] = (perm & W) != 0;
		CHECK_EQ(x86_walk(&guest.space, &first.format, first.root, addr, R | W, false,
				  &result), writable[page]);
		if (waiting_count > DELAY - 8)
			invalidate();
	}
}

/* Dirty bits that walkers set are not lost when the mapper changes rights meanwhile:
 * one page, written by all walkers, while the mapper protects it again and again. */
static void *writer(void *context)
{
	uint64_t *faults = context;
	struct nested_result result;

	for (unsigned i = 0; i < OPERATIONS / 4; i++)
		*faults += !nested_walk(&tables, &memory, WINDOW, R | W, true, &result);
	return NULL;
}

TEST(walkers_see_what_the_mapper_meant_or_a_fault)
{
	pthread_t thread[WALKERS];
	uint64_t walks = 0;

	create();
	for (uintptr_t i = 0; i < WALKERS; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, walker, (void *)i), 0);
	mapper();
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < WALKERS; i++) {
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
		CHECK_EQ(wrong[i], 0);
		CHECK(found[i] > 0 && missed[i] > 0);
		walks += found[i] + missed[i];
	}
	CHECK(walks > 1000);
	invalidate();
}

TEST(marks_are_not_lost_under_a_mapper_that_changes_rights)
{
	uint64_t faults[WALKERS] = { 0 };
	pthread_t thread[WALKERS];
	struct table_result result;

	create();
	CHECK_EQ(x86_map(&first, WINDOW, out_of(0), K4, R | W, 0), 0);
	for (unsigned i = 0; i < WALKERS; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, writer, &faults[i]), 0);
	/* Execute comes and goes; the walkers do not care, and write. */
	for (unsigned i = 0; i < OPERATIONS / 4; i++)
		CHECK_EQ(x86_protect(&first, WINDOW, K4,
				     R | W | (i % 2 ? IOPF_EXEC : 0)), 1);
	for (unsigned i = 0; i < WALKERS; i++) {
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
		CHECK_EQ(faults[i], 0);
	}
	CHECK(x86_walk(&guest.space, &first.format, first.root, WINDOW, R | W, false,
		       &result));
	CHECK_EQ(world_load(&guest, result.entry_addr) & (X86_ACCESSED | X86_DIRTY),
		 X86_ACCESSED | X86_DIRTY);
}

int main(void)
{
	return test_main();
}
