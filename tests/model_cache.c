/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: an IOMMU's cache forgets what the rules of its family name, and no more. */
#include <errno.h>

#include "iopf/wire.h"
#include "model/cache.h"
#include "test.h"

#define PAGE UINT64_C(0x40000000)
#define K4   UINT64_C(4096)
#define ALL  (1u << IOPF_ALL)

enum { RID = 0x120, PASID = 7, DOMAIN = 3, READ_WRITE = IOPF_READ | IOPF_WRITE };

struct configuration {
	uint64_t word[3];
};

/* A rule of every kind of name. */
static const struct cache_rule rules[] = {
	{ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
	  .granularities = ALL,
	  .entries = CACHE_LINES,
	  .processes = CACHE_LINES,
	  .translations = CACHE_LINES },
	{ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
	  .granularities = 1 << IOPF_DEVICE,
	  .entries = CACHE_LINES | CACHE_BY_RID,
	  .processes = CACHE_LINES | CACHE_BY_RID },
	{ .kind = IOPF_COMMAND_INVALIDATE_PASID,
	  .granularities = 1 << IOPF_ONE_PASID,
	  .processes = CACHE_LINES | CACHE_BY_RID | CACHE_BY_PASID },
	{ .kind = IOPF_COMMAND_INVALIDATE_PASID,
	  .granularities = 1 << IOPF_DOMAIN,
	  .processes = CACHE_LINES | CACHE_BY_DOMAIN },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_ONE_PASID,
	  .translations = CACHE_LINES | CACHE_BY_DOMAIN | CACHE_BY_ASID |
			  CACHE_HAS_FIRST | CACHE_NOT_GLOBAL },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_PAGE,
	  .pasid = CACHE_PASID_GIVEN,
	  .translations =
		  CACHE_LINES | CACHE_BY_DOMAIN | CACHE_BY_PASID | CACHE_BY_RANGE },
	/* Without a number: what a second stage alone has made, by its page ... */
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_PAGE,
	  .pasid = CACHE_PASID_NONE,
	  .translations =
		  CACHE_LINES | CACHE_BY_DOMAIN | CACHE_NO_FIRST | CACHE_BY_RANGE },
	/* ... and all that both have made. */
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_PAGE,
	  .pasid = CACHE_PASID_NONE,
	  .translations =
		  CACHE_LINES | CACHE_BY_DOMAIN | CACHE_HAS_FIRST | CACHE_HAS_SECOND },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_DOMAIN,
	  .hints = IOPF_HINT_FIRST,
	  .hints_set = IOPF_HINT_FIRST,
	  .translations = CACHE_LINES | CACHE_BY_DOMAIN | CACHE_NO_SECOND },
	{ .kind = IOPF_COMMAND_NONE },
};

static struct cache cache;

static void fresh(void)
{
	const struct cache_options options = { .entries = 16,
					       .processes = 16,
					       .translations = 64,
					       .entry_bytes =
						       sizeof(struct configuration),
					       .process_bytes =
						       sizeof(struct configuration),
					       .rules = rules };

	cache_destroy(&cache);
	CHECK_EQ(cache_create(&cache, &options), 0);
}

static struct cache_line line_of(uint32_t domain, uint32_t number, uint8_t stages,
				 uint64_t base)
{
	return (struct cache_line){
		.addr = base + 0x1000000,
		.base = base,
		.size_bytes = K4,
		.tag = { .domain = domain, .number = number, .stages = stages },
		.perm = READ_WRITE
	};
}

static bool found(const struct cache_line *line)
{
	return cache_translation(&cache, &line->tag, line->base, line->perm) != NULL;
}

TEST(entries_and_processes_come_back_as_they_were_given)
{
	const struct configuration one = { { 1, 2, 3 } }, two = { { 4, 5, 6 } };

	fresh();
	CHECK(cache_entry(&cache, RID) == NULL);
	CHECK(cache_process(&cache, RID, PASID) == NULL);
	cache_add_entry(&cache, RID, &one);
	cache_add_process(&cache, RID, PASID, DOMAIN, &two);
	CHECK(memcmp(cache_entry(&cache, RID), &one, sizeof(one)) == 0);
	CHECK(memcmp(cache_process(&cache, RID, PASID), &two, sizeof(two)) == 0);
	CHECK(cache_process(&cache, RID, PASID + 1) == NULL);
	CHECK(cache_process(&cache, RID + 1, PASID) == NULL);
	CHECK(cache_entry(&cache, RID + 1) == NULL);
	cache_add_entry(&cache, RID, &two); /* in the same place */
	CHECK(memcmp(cache_entry(&cache, RID), &two, sizeof(two)) == 0);
}

TEST(translations_differ_by_domain_number_stages_and_privilege)
{
	struct cache_line line = line_of(DOMAIN, PASID, CACHE_FIRST, PAGE), other;
	struct cache_line privileged = line;

	fresh();
	privileged.perm = IOPF_READ | IOPF_PRIV;
	privileged.addr += K4;
	cache_add_translation(&cache, PAGE, &line);
	cache_add_translation(&cache, PAGE, &privileged);
	CHECK_EQ(cache_translation(&cache, &line.tag, PAGE, IOPF_WRITE)->addr, line.addr);
	CHECK_EQ(cache_translation(&cache, &line.tag, PAGE, IOPF_READ | IOPF_PRIV)->addr,
		 privileged.addr);
	CHECK(cache_translation(&cache, &line.tag, PAGE, IOPF_EXEC) == NULL);
	CHECK(cache_translation(&cache, &line.tag, PAGE, IOPF_WRITE | IOPF_PRIV) == NULL);
	for (unsigned i = 0; i < 4; i++) {
		other = line_of(DOMAIN + (i == 0), PASID + (i == 1),
				i == 2 ? CACHE_NESTED : CACHE_FIRST,
				PAGE + K4 * (i == 3));
		CHECK(!found(&other));
	}
	CHECK_EQ(cache.hits, 2);
	CHECK_EQ(cache.misses, 6);
}

static struct iopf_command command_of(uint8_t kind, uint8_t granularity)
{
	return (struct iopf_command){ .kind = kind,
				      .granularity = granularity,
				      .domain = DOMAIN,
				      .rid = RID,
				      .pasid = PASID,
				      .asid = PASID,
				      .addr = PAGE,
				      .size_bytes = K4 };
}

TEST(configuration_goes_by_requester_number_and_domain)
{
	const struct {
		uint8_t kind, granularity;
		int rid, pasid, domain;
		uint8_t rid_mask;
		bool entry, process; /* that are still there */
	} rows[] = {
		{ IOPF_COMMAND_INVALIDATE_CONTEXT, IOPF_DEVICE, 0, 0, 0, 0, false,
		  false },
		{ IOPF_COMMAND_INVALIDATE_CONTEXT, IOPF_DEVICE, 1, 0, 0, 0, true, true },
		{ IOPF_COMMAND_INVALIDATE_CONTEXT, IOPF_DEVICE, 1, 0, 0, 3, false,
		  false },
		{ IOPF_COMMAND_INVALIDATE_CONTEXT, IOPF_DOMAIN, 0, 0, 0, 0, true, true },
		{ IOPF_COMMAND_INVALIDATE_CONTEXT, IOPF_ALL, 9, 9, 9, 0, false, false },
		{ IOPF_COMMAND_INVALIDATE_PASID, IOPF_ONE_PASID, 0, 0, 9, 0, true,
		  false },
		{ IOPF_COMMAND_INVALIDATE_PASID, IOPF_ONE_PASID, 1, 0, 9, 0, true, true },
		{ IOPF_COMMAND_INVALIDATE_PASID, IOPF_ONE_PASID, 0, 1, 9, 0, true, true },
		{ IOPF_COMMAND_INVALIDATE_PASID, IOPF_DOMAIN, 9, 9, 0, 0, true, false },
		{ IOPF_COMMAND_INVALIDATE_PASID, IOPF_DOMAIN, 0, 0, 1, 0, true, true },
		{ IOPF_COMMAND_INVALIDATE_IOTLB, IOPF_PAGE, 0, 0, 0, 0, true, true },
	};
	const struct configuration words = { { 7, 8, 9 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct iopf_command command =
			command_of(rows[i].kind, rows[i].granularity);

		fresh();
		cache_add_entry(&cache, RID, &words);
		cache_add_process(&cache, RID, PASID, DOMAIN, &words);
		command.rid += (uint32_t)rows[i].rid;
		command.pasid += (uint32_t)rows[i].pasid;
		command.domain = (uint16_t)(DOMAIN + rows[i].domain);
		command.rid_mask = rows[i].rid_mask;
		cache_invalidate(&cache, &command);
		CHECK_EQ(cache_entry(&cache, RID) != NULL, rows[i].entry);
		CHECK_EQ(cache_process(&cache, RID, PASID) != NULL, rows[i].process);
	}
}

/* The lines that a command is tried upon. */
enum { FIRST, GLOBAL, SECOND, BOTH, NEXT, OTHER, LINE_COUNT };

static void put_lines(struct cache_line *lines)
{
	lines[FIRST] = line_of(DOMAIN, PASID, CACHE_FIRST, PAGE);
	lines[GLOBAL] = line_of(DOMAIN, PASID, CACHE_FIRST, PAGE + 2 * K4);
	lines[GLOBAL].global = true;
	lines[SECOND] = line_of(DOMAIN, 0, CACHE_SECOND, PAGE);
	lines[BOTH] = line_of(DOMAIN, PASID, CACHE_NESTED, PAGE + 3 * K4);
	lines[NEXT] = line_of(DOMAIN, 0, CACHE_SECOND, PAGE + K4);
	lines[OTHER] = line_of(DOMAIN + 1, PASID, CACHE_FIRST, PAGE);
	fresh();
	for (unsigned i = 0; i < LINE_COUNT; i++)
		cache_add_translation(&cache, lines[i].base, &lines[i]);
}

#define BIT(line) (1u << (line))

TEST(translations_go_by_domain_number_range_and_stages)
{
	const struct {
		uint8_t granularity, hints;
		uint32_t pasid;
		uint64_t size_bytes;
		unsigned gone;
	} rows[] = {
		{ IOPF_ONE_PASID, 0, PASID, 0, BIT(FIRST) | BIT(BOTH) },
		{ IOPF_PAGE, 0, PASID, K4, BIT(FIRST) },
		{ IOPF_PAGE, 0, PASID, 4 * K4, BIT(FIRST) | BIT(GLOBAL) | BIT(BOTH) },
		{ IOPF_PAGE, 0, PASID + 1, 4 * K4, 0 },
		{ IOPF_PAGE, 0, IOPF_PASID_NONE, K4, BIT(SECOND) | BIT(BOTH) },
		{ IOPF_PAGE, 0, IOPF_PASID_NONE, 2 * K4,
		  BIT(SECOND) | BIT(NEXT) | BIT(BOTH) },
		{ IOPF_DOMAIN, IOPF_HINT_FIRST, 0, 0, BIT(FIRST) | BIT(GLOBAL) },
		{ IOPF_DOMAIN, 0, 0, 0, 0 }, /* no rule is about it */
		{ IOPF_ALL, 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct iopf_command command =
			command_of(IOPF_COMMAND_INVALIDATE_IOTLB, rows[i].granularity);
		struct cache_line lines[LINE_COUNT];
		unsigned gone = 0;

		put_lines(lines);
		command.pasid = rows[i].pasid;
		command.hints = rows[i].hints;
		command.size_bytes = rows[i].size_bytes;
		cache_invalidate(&cache, &command);
		for (unsigned k = 0; k < LINE_COUNT; k++)
			gone |= found(&lines[k]) ? 0 : BIT(k);
		CHECK_EQ(gone, rows[i].gone);
	}
}

TEST(a_page_of_a_number_is_forgotten_in_every_domain)
{
	struct cache_line lines[LINE_COUNT];

	put_lines(lines);
	cache_forget_page(&cache, PASID, PAGE + 0x123);
	CHECK(!found(&lines[FIRST]) && !found(&lines[OTHER]));
	CHECK(found(&lines[GLOBAL]) && found(&lines[SECOND]) && found(&lines[BOTH]));
}

TEST(sizes_that_no_cache_has_are_refused)
{
	struct cache_options options = { .entries = 16,
					 .processes = 16,
					 .translations = 16,
					 .entry_bytes = 8,
					 .process_bytes = 8,
					 .rules = rules };
	struct cache small;

	options.processes = 6;
	CHECK_EQ(cache_create(&small, &options), -EINVAL);
	options.processes = 16;
	options.translations = 2;
	CHECK_EQ(cache_create(&small, &options), -EINVAL);
	options.translations = 131072;
	CHECK_EQ(cache_create(&small, &options), -EINVAL);
	options.translations = 4;
	CHECK_EQ(cache_create(&small, &options), 0);
	cache_destroy(&small);
}

int main(void)
{
	int result = test_main();

	cache_destroy(&cache);
	return result;
}
