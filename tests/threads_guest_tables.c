/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: a guest maps and unmaps while its host routes and hardware walks. */
#include <pthread.h>

#include "table/vtd_scalable.h"

#include "guest_pair.h"
#include "table_world.h"

#define WINDOW UINT64_C(0x7fffc00000) /* crosses tables of every level but the root */
#define HOST   UINT64_C(0x800000000)
#define K4     UINT64_C(4096)
#define R      IOPF_READ
#define W      IOPF_WRITE

/* Each page of the window has FRAMES pages of guest memory of its own, so that wherever
 * a walk ends tells which page it was made for; the last is missing in the second stage. */
enum { PAGES = 128, FRAMES = 16, WALKERS = 2 };

/* What each thread does at least: a million together. */
enum { OPERATIONS = 250000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct pair *pair;
static struct world host;
static struct vtdss_table second;
static struct nested_tables tables;
static struct iopf_segment segments[2];
static const struct iopf_memory memory = { .segments = segments, .count = 2 };
static int stop;

/* What each of the other threads saw: where an access would go, and who lacks it. */
static struct seen {
	uint64_t count, found, first, second, wrong;
} seen[WALKERS + 1];

static bool goes_on(struct seen *mine)
{
	return ++mine->count <= OPERATIONS || !__atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void take_turn(bool mine)
{
	(void)(mine ? pthread_mutex_lock(&mutex) : pthread_mutex_unlock(&mutex));
}

/* Mostly the same one: they shall meet. */
static unsigned pick(uint64_t *seed)
{
	return test_random(seed) % 8 != 0 ? 0 : (unsigned)(test_random(seed) % PAGES);
}

static uint64_t addr_of(unsigned page)
{
	return WINDOW + page / 4 * (K4 << 9) + page % 4 * K4;
}

static uint64_t frame_of(unsigned page, unsigned frame)
{
	return PAIR_REGION + (page * FRAMES + frame) * K4;
}

static bool belongs(uint64_t gpa, unsigned page)
{
	return gpa / K4 * K4 >= frame_of(page, 0) && gpa < frame_of(page + 1, 0);
}

static bool is_hole(uint64_t gpa)
{
	return gpa >= PAIR_REGION && (gpa - PAIR_REGION) / K4 % FRAMES == FRAMES - 1;
}

static void create_second(void)
{
	static const struct vtdss_format format = { .levels = 4, .address_bits = 46,
						    .pages_2m = true,
						    .accessed_dirty = true };

	world_create(&host, UINT64_C(1) << 40);
	CHECK_EQ(vtdss_create(&second, &host.memory, &host.pages, &format), 0);
	for (uint64_t gpa = 0; gpa < PAIR_MEMORY; gpa += K4)
		if (!is_hole(gpa))
			CHECK_EQ(vtdss_map(&second, gpa, HOST + gpa, K4, R | W), 0);
	segments[0] = pair->segment;
	segments[0].base = HOST;
	segments[1] = host.segment;
}

static void create(void)
{
	static const struct vtd_features features = { .address_bits = 48 };
	struct iopf_address_space space;

	pair = pair_with_pasid((struct pair_options){ 0 });
	create_second();
	CHECK_EQ(iopf_guest_space(pair->guest, PAIR_ENDPOINT, 1, &space), 0);
	tables = vtd_tables(&(struct vtd_pasid){ .pgtt = VTD_PGTT_NESTED,
						 .first_root = space.root,
						 .first_levels = space.levels },
			    &features);
	tables.second_root = second.root;
	tables.second = second.format;
	pair->turn = take_turn;
}

/* ---- Hardware: nested walks that mark what they use -------------------------------- */

static bool believable(const struct nested_result *result, unsigned page, bool walked)
{
	if (walked)
		return belongs(result->addr - HOST, page);
	if (result->stage == NESTED_STAGE_SECOND)
		return is_hole(result->gpa) && belongs(result->gpa, page);
	return result->fault == TABLE_NOT_PRESENT || result->fault == TABLE_PERMISSION;
}

static void *walker(void *context)
{
	struct seen *mine = context;
	uint64_t seed = (uint64_t)(mine - seen) + 100;
	struct nested_result result;

	while (goes_on(mine)) {
		unsigned page = pick(&seed);
		uint8_t perm = test_random(&seed) % 2 == 0 ? R : R | W;
		bool walked = nested_walk(&tables, &memory, addr_of(page), perm, true,
					  &result);

		mine->found += walked;
		mine->first += !walked && result.stage == NESTED_STAGE_FIRST;
		mine->second += !walked && result.stage == NESTED_STAGE_SECOND;
		mine->wrong += !believable(&result, page, walked);
	}
	return NULL;
}

/* ---- The host: runs the guest's commands, and routes ---------------------------------- */

static bool mapped(void *context, uint64_t gpa, uint8_t perm)
{
	struct table_result result;

	(void)context;
	return vtdss_walk(&(struct table_space){ .memory = &memory }, &second.format,
			  second.root, gpa, perm, false, &result);
}

static bool route_believable(const struct iopf_route *route, unsigned page)
{
	if (route->stages == IOPF_STAGE_SECOND)
		return route->missing_count == 1 && is_hole(route->missing[0].addr) &&
		       belongs(route->missing[0].addr, page);
	return route->stages == 0 || route->stages == IOPF_STAGE_FIRST;
}

static void *router(void *context)
{
	struct seen *mine = context;
	struct iopf_route route;
	uint64_t seed = 7;

	while (goes_on(mine)) {
		unsigned page = pick(&seed);
		int result;

		take_turn(true);
		iopf_guest_run(pair->guest, 64, 0);
		result = iopf_guest_route(pair->guest, PAIR_ENDPOINT, 1, addr_of(page),
					  R | W, mapped, NULL, &route);
		take_turn(false);
		sched_yield();
		mine->found += route.stages == 0;
		mine->first += route.stages == IOPF_STAGE_FIRST;
		mine->second += route.stages == IOPF_STAGE_SECOND;
		mine->wrong += result != 0 || !route_believable(&route, page);
	}
	return NULL;
}

/* ---- The guest: what it did itself has to hold, whatever the others do ---------------- */

static void unmap(unsigned page)
{
	uint64_t ticket;
	int result;

	while ((result = iopf_agent_unmap(pair->agent, PAIR_RID, 1, addr_of(page), K4,
					  &ticket)) == -EAGAIN)
		sched_yield();
	CHECK_EQ(result, 0);
}

static void guest(void)
{
	uint64_t seed = 1, frame;
	struct nested_result result;

	for (unsigned i = 0; i < OPERATIONS; i++) {
		unsigned page = pick(&seed);
		uint8_t perm = test_random(&seed) % 2 == 0 ? R : R | W;

		if (i % 16 == 0) {
			unmap(page);
			CHECK(!nested_walk(&tables, &memory, addr_of(page), R, true,
					   &result));
			CHECK_EQ(result.stage, NESTED_STAGE_FIRST);
			continue;
		}
		frame = frame_of(page, (unsigned)(test_random(&seed) % FRAMES));
		CHECK_EQ(iopf_agent_map(pair->agent, PAIR_RID, 1, addr_of(page), frame,
					perm), 0);
		CHECK_EQ(nested_walk(&tables, &memory, addr_of(page), perm, true, &result),
			 !is_hole(frame));
		CHECK_EQ(result.gpa, frame);
	}
}

TEST(a_guest_changes_its_tables_while_others_read_and_mark_them)
{
	pthread_t thread[WALKERS + 1];

	create();
	for (unsigned i = 0; i <= WALKERS; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, i < WALKERS ? walker : router,
					&seen[i]), 0);
	guest();
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i <= WALKERS; i++) {
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
		CHECK_EQ(seen[i].wrong, 0);
		CHECK(seen[i].found > 0 && seen[i].first > 0 && seen[i].second > 0);
	}
	CHECK(pair_stats(pair).invalidations > OPERATIONS / 16);
}

int main(void)
{
	return test_main();
}
