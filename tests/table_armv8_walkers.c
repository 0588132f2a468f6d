/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: Armv8 walkers in threads of their own, which mark what they use, beside the
 * one thread that maps. */
#include <pthread.h>

#include "table/smmuv3_nested.h"

#include "table_world.h"

#define K4     UINT64_C(4096)
#define M2     (K4 << 9)
#define WINDOW UINT64_C(0x7fffc00000) /* crosses tables of every level but the root */
#define HOST   UINT64_C(0x800000000)
#define FIRST  (UINT64_C(1) << 33)    /* where the pages that are mapped begin */
#define R      IOPF_READ
#define W      IOPF_WRITE
#define X      IOPF_EXEC

enum { PAGES = 128, WALKERS = 3, OPERATIONS = 300000, DELAY = 512 };

static struct world guest, host;
static struct vmsa_table first;
static struct vmsas2_table second;
static struct smmuv3_ste ste;
static struct smmuv3_cd cd;
static struct iopf_segment segments[2];
static const struct iopf_memory memory = { .segments = segments, .count = 2 };
static const struct smmuv3_features features = { .address_bits = 48 };

/* Pages that the mapper gave back wait until no walk that began before is under way. */
static uint64_t waiting[DELAY];
static unsigned waiting_count;

/* Walks under way, as numbers that grow: odd while a walk goes on. */
static uint64_t turn[WALKERS];
static int stop;
static uint64_t found[WALKERS], missed[WALKERS], wrong[WALKERS];

/* What lies at each page that was ever mapped: the page it was mapped for. */
static unsigned content[OPERATIONS];

static void give_later(void *context, uint64_t addr, uint32_t page_count)
{
	(void)context;
	(void)page_count;
	CHECK(waiting_count < DELAY);
	waiting[waiting_count++] = addr;
}

static void invalidate(void)
{
	for (unsigned i = 0; i < WALKERS; i++) {
		uint64_t seen = __atomic_load_n(&turn[i], __ATOMIC_ACQUIRE);

		while (seen % 2 == 1 && __atomic_load_n(&turn[i], __ATOMIC_ACQUIRE) == seen)
			sched_yield();
	}
	while (waiting_count > 0)
		world_give(&guest, waiting[--waiting_count], 1);
}

static uint64_t addr_of(unsigned page)
{
	return WINDOW + page / 4 * M2 + page % 4 * K4;
}

static uint64_t out_of(unsigned operation)
{
	return FIRST + operation * K4;
}

static void create(void)
{
	const struct vmsa_format vmsa = { .half = { { .input_bits = 48 }, { .disabled = true } },
					  .output_bits = 48, .access = true, .dirty = true };
	const struct vmsas2_format vmsas2 = { .levels = 3, .input_bits = 40, .output_bits = 48,
					      .access = true, .dirty = true };

	world_create(&guest, 0);
	world_create(&host, UINT64_C(1) << 40);
	guest.pages.give = give_later;
	CHECK_EQ(vmsa_create(&first, &guest.memory, &guest.pages, &vmsa), 0);
	CHECK_EQ(vmsas2_create(&second, &host.memory, &host.pages, &vmsas2), 0);
	for (uint64_t at = 0; at < guest.segment.size_bytes; at += M2)
		CHECK_EQ(vmsas2_map(&second, at, HOST + at, M2, R | W, VMSA_DBM), 0);
	for (uint64_t at = out_of(0); at < out_of(OPERATIONS); at += M2)
		CHECK_EQ(vmsas2_map(&second, at, at, M2, R | W, VMSA_DBM), 0);
	segments[0] = guest.segment;
	segments[0].base = HOST;
	segments[1] = host.segment;
	ste = (struct smmuv3_ste){ .config = SMMUV3_BOTH, .second = second.format };
	cd = (struct smmuv3_cd){ .first = first.format };
}

static bool walk(uint64_t addr, uint8_t perm, struct smmuv3_result *result)
{
	const struct smmuv3_walk how = { &features, &memory, &ste, true };

	return smmuv3_walk(&how, &cd, addr, perm, result);
}

static bool believable(const struct smmuv3_result *result, unsigned page, bool walked)
{
	if (walked)
		return content[(result->addr - FIRST) / K4] == page;
	return result->stage == 1 && (result->event == SMMUV3_EVENT_F_TRANSLATION ||
				      result->event == SMMUV3_EVENT_F_PERMISSION);
}

static void *walker(void *context)
{
	unsigned self = (unsigned)(uintptr_t)context;
	uint64_t seed = self + 100;
	struct smmuv3_result result;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		unsigned page = (unsigned)(test_random(&seed) % PAGES);
		uint8_t perm = test_random(&seed) % 2 == 0 ? R : R | W;
		bool walked;

		__atomic_fetch_add(&turn[self], 1, __ATOMIC_ACQ_REL);
		walked = walk(addr_of(page), perm, &result);
		__atomic_fetch_add(&turn[self], 1, __ATOMIC_ACQ_REL);
		found[self] += walked;
		missed[self] += !walked;
		wrong[self] += !believable(&result, page, walked);
	}
	return NULL;
}

/* Map clean or read-only, protect and unmap; what the mapper knows has to stay true. */
static void mapper(void)
{
	static bool present[PAGES], writable[PAGES];
	uint64_t seed = 1;

	for (unsigned i = 0; i < OPERATIONS; i++) {
		unsigned page = (unsigned)(test_random(&seed) % PAGES);
		uint8_t perm = test_random(&seed) % 2 == 0 ? R : R | W;
		uint64_t addr = addr_of(page);
		struct table_result result;

		if (!present[page]) {
			content[i] = page;
			CHECK_EQ(vmsa_map(&first, addr, out_of(i), K4, perm, VMSA_DBM), 0);
		} else if (test_random(&seed) % 4 == 0) {
			CHECK_EQ(vmsa_protect(&first, addr, K4, perm), 1);
		} else {
			CHECK_EQ(vmsa_unmap(&first, addr, K4), 1);
			perm = 0;
		}
		present[page] = perm != 0;
		writable[page] = (perm & W) != 0;
		CHECK_EQ(vmsa_walk(&guest.space, &first.format, addr, R | W, false, &result),
			 writable[page]);
		if (waiting_count > DELAY - 8)
			invalidate();
	}
}

TEST(walkers_see_what_the_mapper_meant_or_a_fault)
{
	pthread_t thread[WALKERS];

	create();
	for (uintptr_t i = 0; i < WALKERS; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, walker, (void *)i), 0);
	mapper();
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < WALKERS; i++) {
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
		CHECK_EQ(wrong[i], 0);
		CHECK(found[i] > 0 && missed[i] > 0);
	}
	invalidate();
}

static void *writer(void *context)
{
	uint64_t *faults = context;
	struct smmuv3_result result;

	for (unsigned i = 0; i < OPERATIONS; i++)
		*faults += !walk(WINDOW, i % 2 ? R : R | W, &result);
	return NULL;
}

/* One page used by all walkers while the mapper changes it again and again. */
TEST(marks_are_not_lost_under_a_mapper_that_changes_rights)
{
	uint64_t faults[WALKERS] = { 0 };
	pthread_t thread[WALKERS];
	struct smmuv3_result result;

	create();
	CHECK_EQ(vmsa_map(&first, WINDOW, out_of(0), K4, R | W, VMSA_DBM), 0);
	for (unsigned i = 0; i < WALKERS; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, writer, &faults[i]), 0);
	for (unsigned i = 0; i < OPERATIONS; i++)
		CHECK_EQ(vmsa_protect(&first, WINDOW, K4, R | W | (i % 2 ? X : 0)), 1);
	for (unsigned i = 0; i < WALKERS; i++) {
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
		CHECK_EQ(faults[i], 0);
	}
	CHECK(walk(WINDOW, W, &result));
	CHECK_EQ(world_load(&guest, result.first.entry_addr) & (VMSA_ACCESSED | VMSA_READ_ONLY),
		 VMSA_ACCESSED);
	/* Stage 2 saw the page used and written, the tables used and marked. */
	CHECK_EQ(world_load(&host, result.second.entry_addr) & (VMSA_ACCESSED | VMSAS2_WRITE),
		 VMSA_ACCESSED | VMSAS2_WRITE);
}

int main(void)
{
	return test_main();
}
