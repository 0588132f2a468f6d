/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: pages of several entries come, are cut and go under walkers in threads of
 * their own, which mark what they use. */
#include <pthread.h>

#include "table/amdv1.h"
#include "table/sv.h"

#include "table_world.h"

#define K4     UINT64_C(4096)
#define K64    UINT64_C(65536)
#define M2     (K4 << 9)
#define WINDOW UINT64_C(0x3fffc00000) /* crosses tables of every level but the root */
#define FIRST  (UINT64_C(1) << 33)    /* where the pages that are mapped begin */
#define R      IOPF_READ
#define W      IOPF_WRITE

enum {
	RUN = 16,
	RUNS = 12,
	PAGES = RUN * RUNS,
	WALKERS = 3,
	OPERATIONS = 100000,
	DELAY = 512
};

struct format {
	int (*map)(uint64_t addr, uint64_t out, uint64_t size_bytes, uint8_t perm);
	int (*unmap)(uint64_t addr, uint64_t size_bytes);
	int (*protect)(uint64_t addr, uint64_t size_bytes, uint8_t perm);
	bool (*walk)(uint64_t addr, uint8_t perm, struct table_result *result);
	uint64_t marks;
};

static struct world world;
static struct amdv1_table amdv1;
static struct sv_table sv;
static const struct format *ops;

static int map_amdv1(uint64_t addr, uint64_t out, uint64_t size_bytes, uint8_t perm)
{
	return amdv1_map(&amdv1, addr, out, size_bytes, perm, 0);
}

static int unmap_amdv1(uint64_t addr, uint64_t size_bytes)
{
	return amdv1_unmap(&amdv1, addr, size_bytes);
}

static int protect_amdv1(uint64_t addr, uint64_t size_bytes, uint8_t perm)
{
	return amdv1_protect(&amdv1, addr, size_bytes, perm);
}

static bool walk_amdv1(uint64_t addr, uint8_t perm, struct table_result *result)
{
	return amdv1_walk(&world.space, &amdv1.format, amdv1.root, addr, perm, true,
			  result);
}

static int map_sv(uint64_t addr, uint64_t out, uint64_t size_bytes, uint8_t perm)
{
	return sv_map(&sv, addr, out, size_bytes, perm, 0);
}

static int unmap_sv(uint64_t addr, uint64_t size_bytes)
{
	return sv_unmap(&sv, addr, size_bytes);
}

static int protect_sv(uint64_t addr, uint64_t size_bytes, uint8_t perm)
{
	return sv_protect(&sv, addr, size_bytes, perm);
}

static bool walk_sv(uint64_t addr, uint8_t perm, struct table_result *result)
{
	return sv_walk(&world.space, &sv.format, sv.root, addr, perm, true, result);
}

static const struct format amdv1_ops = { map_amdv1, unmap_amdv1, protect_amdv1,
					 walk_amdv1, AMDV1_ACCESSED | AMDV1_DIRTY };
static const struct format sv_ops = { map_sv, unmap_sv, protect_sv, walk_sv,
				      SV_ACCESSED | SV_DIRTY };

/* Pages that the mapper gave back wait until no walk that began before is under way. */
static uint64_t waiting[DELAY];
static unsigned waiting_count;

/* Walks under way, as numbers that grow: odd while a walk goes on. */
static uint64_t turn[WALKERS];
static int stop;
static uint64_t found[WALKERS], missed[WALKERS], wrong[WALKERS];

/* What lies at each page that was ever mapped: the page it was mapped for. */
static unsigned content[OPERATIONS * RUN];

static void give_later(void *context, uint64_t addr, uint32_t page_count)
{
	(void)context;
	CHECK(waiting_count < DELAY && page_count == 1);
	waiting[waiting_count++] = addr;
}

static void invalidate(void)
{
	for (unsigned i = 0; i < WALKERS; i++) {
		uint64_t seen = __atomic_load_n(&turn[i], __ATOMIC_ACQUIRE);

		while (seen % 2 == 1 &&
		       __atomic_load_n(&turn[i], __ATOMIC_ACQUIRE) == seen)
			sched_yield();
	}
	while (waiting_count > 0)
		world_give(&world, waiting[--waiting_count], 1);
}

/* Two runs a table. */
static uint64_t addr_of(unsigned page)
{
	return WINDOW + page / RUN / 2 * M2 + page / RUN % 2 * K64 + page % RUN * K4;
}

static void create(const struct format *format)
{
	const struct amdv1_format of_amdv1 = {
		.levels = 4, .address_bits = 52, .accessed = true, .dirty = true
	};
	const struct sv_format of_sv = { .levels = 4,
					 .address_bits = 56,
					 .update = true };

	ops = format;
	world_create(&world, 0);
	world.pages.give = give_later;
	if (format == &amdv1_ops)
		CHECK_EQ(amdv1_create(&amdv1, &world.memory, &world.pages, &of_amdv1), 0);
	else
		CHECK_EQ(sv_create(&sv, &world.memory, &world.pages, &of_sv), 0);
}

static bool believable(const struct table_result *result, unsigned page, bool walked)
{
	if (walked)
		return content[(result->addr - FIRST) / K4] == page &&
		       (result->size_bytes == K4 || result->size_bytes == K64);
	return result->fault == TABLE_NOT_PRESENT || result->fault == TABLE_PERMISSION;
}

static void *walker(void *context)
{
	unsigned self = (unsigned)(uintptr_t)context;
	uint64_t seed = self + 100;
	struct table_result result;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		unsigned page = (unsigned)(test_random(&seed) % PAGES);
		uint8_t perm = test_random(&seed) % 2 == 0 ? R : R | W;
		bool walked;

		__atomic_fetch_add(&turn[self], 1, __ATOMIC_ACQ_REL);
		walked = ops->walk(addr_of(page), perm, &result);
		__atomic_fetch_add(&turn[self], 1, __ATOMIC_ACQ_REL);
		found[self] += walked;
		missed[self] += !walked;
		wrong[self] += !believable(&result, page, walked);
	}
	return NULL;
}

static bool present[PAGES];

static bool run_is_free(unsigned run)
{
	bool taken = false;

	for (unsigned i = 0; i < RUN; i++)
		taken |= present[run * RUN + i];
	return !taken;
}

/* Map a whole run, which begins at a multiple of its size whatever it is called. */
static void map_run(unsigned run, unsigned operation, uint8_t perm)
{
	for (unsigned i = 0; i < RUN; i++) {
		content[operation * RUN + i] = run * RUN + i;
		present[run * RUN + i] = true;
	}
	CHECK_EQ(ops->map(addr_of(run * RUN), FIRST + operation * K64, K64, perm), 0);
}

/* Map runs; cut, protect and unmap parts of them, until nothing is left. */
static void mapper(void)
{
	uint64_t seed = 1;

	memset(present, 0, sizeof(present));
	for (unsigned i = 0; i < OPERATIONS; i++) {
		unsigned page = (unsigned)(test_random(&seed) % PAGES);
		uint8_t perm = test_random(&seed) % 2 == 0 ? R : R | W;
		unsigned run = page / RUN, dice = (unsigned)(test_random(&seed) % 8);

		if (run_is_free(run)) {
			map_run(run, i, perm);
		} else if (dice == 0) {
			CHECK(ops->unmap(addr_of(run * RUN), K64) > 0);
			memset(&present[run * RUN], 0, RUN * sizeof(present[0]));
		} else if (dice < 4) {
			CHECK_EQ(ops->protect(addr_of(page), K4, perm), present[page]);
		} else {
			CHECK_EQ(ops->unmap(addr_of(page), K4), present[page]);
			present[page] = false;
		}
		if (waiting_count > DELAY - 8)
			invalidate();
	}
}

static void walk_beside(const struct format *format)
{
	pthread_t thread[WALKERS];

	create(format);
	stop = 0;
	for (uintptr_t i = 0; i < WALKERS; i++) {
		found[i] = missed[i] = wrong[i] = 0;
		CHECK_EQ(pthread_create(&thread[i], NULL, walker, (void *)i), 0);
	}
	mapper();
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < WALKERS; i++) {
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
		CHECK_EQ(wrong[i], 0);
		CHECK(found[i] > 0 && missed[i] > 0);
	}
	invalidate();
}

TEST(walkers_of_amdv1_see_what_the_mapper_meant_or_a_fault)
{
	walk_beside(&amdv1_ops);
}

TEST(walkers_of_sv_see_what_the_mapper_meant_or_a_fault)
{
	walk_beside(&sv_ops);
}

static void *writer(void *context)
{
	uint64_t *faults = context;
	struct table_result result;

	for (unsigned i = 0; i < OPERATIONS; i++)
		*faults += !ops->walk(WINDOW + i % RUN * K4, R | W, &result);
	return NULL;
}

/* Sixteen entries are used by all walkers while the mapper changes them, and cuts them. */
static void mark_beside(const struct format *format)
{
	uint64_t faults[WALKERS] = { 0 };
	pthread_t thread[WALKERS];
	struct table_result result;

	create(format);
	CHECK_EQ(ops->map(WINDOW, FIRST, K64, R | W), 0);
	for (unsigned i = 0; i < WALKERS; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, writer, &faults[i]), 0);
	for (unsigned i = 0; i < OPERATIONS / 4; i++)
		CHECK_EQ(ops->protect(WINDOW, i % 256 == 255 ? K4 : K64, R | W),
			 i % 256 == 255 ? 1 : RUN);
	for (unsigned i = 0; i < WALKERS; i++) {
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
		CHECK_EQ(faults[i], 0);
	}
	for (unsigned i = 0; i < RUN; i++) {
		CHECK(ops->walk(WINDOW + i * K4, R, &result));
		CHECK_EQ(result.size_bytes, K4);
		CHECK_EQ(world_load(&world, result.entry_addr) & format->marks,
			 format->marks);
	}
}

TEST(marks_of_amdv1_are_not_lost_under_a_mapper)
{
	mark_beside(&amdv1_ops);
}

TEST(marks_of_sv_are_not_lost_under_a_mapper)
{
	mark_beside(&sv_ops);
}

int main(void)
{
	return test_main();
}
