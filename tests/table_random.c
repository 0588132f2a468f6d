/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: editor and walker against a plain array of pages, every format. */
#include "table/amdv1.h"
#include "table/sv.h"
#include "table/vmsa.h"
#include "table/vmsas2.h"
#include "table/vtdss.h"
#include "table/x86.h"

#include "table_world.h"

#define K4 UINT64_C(4096)
#define M2 (K4 << 9)
#define G1 (M2 << 9)

enum { PAGES = 4096, STEPS = 200000 };

/* What should be there: one for each 4 KiB of a window. */
struct page {
	uint64_t out;
	uint32_t count, slot; /* of these in the page it is of, and in an entry of that */
	uint8_t perm;
	bool present, dirty;
};

/* Pages that a format has. */
struct size {
	uint32_t count, slot;
};

struct format {
	int (*map)(uint64_t addr, uint64_t out, uint64_t size_bytes, uint8_t perm);
	int (*unmap)(uint64_t addr, uint64_t size_bytes);
	int (*protect)(uint64_t addr, uint64_t size_bytes, uint8_t perm);
	bool (*walk)(uint64_t addr, uint8_t perm, struct table_result *result);
	uint64_t dirty_bit, dirty_value; /* what it is where the page is dirty */
	uint8_t least;                   /* rights that a page has at least */
	const struct size *sizes;
	uint32_t size_count;
};

static const struct size plain_sizes[] = { { 1, 1 }, { 512, 512 } };
static const struct size amdv1_sizes[] = { { 1, 1 },   { 2, 1 },     { 64, 1 },
					   { 256, 1 }, { 512, 512 }, { 1024, 512 } };
static const struct size sv_sizes[] = { { 1, 1 }, { 16, 1 }, { 512, 512 } };

#define SIZES(list) (list), sizeof(list) / sizeof((list)[0])

static struct world world;
static struct x86_table x86;
static struct vtdss_table vtdss;
static struct vmsa_table vmsa;
static struct vmsas2_table vmsas2;
static struct amdv1_table amdv1;
static struct sv_table sv;
static struct page pages[PAGES];
static uint64_t window;

static int map_x86(uint64_t addr, uint64_t out, uint64_t size_bytes, uint8_t perm)
{
	return x86_map(&x86, addr, out, size_bytes, perm, 0);
}

static int unmap_x86(uint64_t addr, uint64_t size_bytes)
{
	return x86_unmap(&x86, addr, size_bytes);
}

static int protect_x86(uint64_t addr, uint64_t size_bytes, uint8_t perm)
{
	return x86_protect(&x86, addr, size_bytes, perm);
}

static bool walk_x86(uint64_t addr, uint8_t perm, struct table_result *result)
{
	return x86_walk(&world.space, &x86.format, x86.root, addr, perm, true, result);
}

static int map_vtdss(uint64_t addr, uint64_t out, uint64_t size_bytes, uint8_t perm)
{
	return vtdss_map(&vtdss, addr, out, size_bytes, perm);
}

static int unmap_vtdss(uint64_t addr, uint64_t size_bytes)
{
	return vtdss_unmap(&vtdss, addr, size_bytes);
}

static int protect_vtdss(uint64_t addr, uint64_t size_bytes, uint8_t perm)
{
	return vtdss_protect(&vtdss, addr, size_bytes, perm);
}

static bool walk_vtdss(uint64_t addr, uint8_t perm, struct table_result *result)
{
	return vtdss_walk(&world.space, &vtdss.format, vtdss.root, addr, perm, true,
			  result);
}

static int map_vmsa(uint64_t addr, uint64_t out, uint64_t size_bytes, uint8_t perm)
{
	return vmsa_map(&vmsa, addr, out, size_bytes, perm, VMSA_DBM);
}

static int unmap_vmsa(uint64_t addr, uint64_t size_bytes)
{
	return vmsa_unmap(&vmsa, addr, size_bytes);
}

static int protect_vmsa(uint64_t addr, uint64_t size_bytes, uint8_t perm)
{
	return vmsa_protect(&vmsa, addr, size_bytes, perm);
}

static bool walk_vmsa(uint64_t addr, uint8_t perm, struct table_result *result)
{
	return vmsa_walk(&world.space, &vmsa.format, addr, perm, true, result);
}

static int map_vmsas2(uint64_t addr, uint64_t out, uint64_t size_bytes, uint8_t perm)
{
	return vmsas2_map(&vmsas2, addr, out, size_bytes, perm, VMSA_DBM);
}

static int unmap_vmsas2(uint64_t addr, uint64_t size_bytes)
{
	return vmsas2_unmap(&vmsas2, addr, size_bytes);
}

static int protect_vmsas2(uint64_t addr, uint64_t size_bytes, uint8_t perm)
{
	return vmsas2_protect(&vmsas2, addr, size_bytes, perm);
}

static bool walk_vmsas2(uint64_t addr, uint8_t perm, struct table_result *result)
{
	return vmsas2_walk(&world.space, &vmsas2.format, addr, perm, true, result);
}

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

static const struct format x86_ops = { map_x86,   unmap_x86,         protect_x86,
				       walk_x86,  X86_DIRTY,         X86_DIRTY,
				       IOPF_READ, SIZES(plain_sizes) };
static const struct format vtdss_ops = { map_vtdss,  unmap_vtdss,       protect_vtdss,
					 walk_vtdss, VTDSS_DIRTY,       VTDSS_DIRTY,
					 0,          SIZES(plain_sizes) };
/* Where a page may be written, dirty is what a clean one lacks. */
static const struct format vmsa_ops = { map_vmsa,  unmap_vmsa,        protect_vmsa,
					walk_vmsa, VMSA_READ_ONLY,    0,
					IOPF_READ, SIZES(plain_sizes) };
static const struct format vmsas2_ops = { map_vmsas2,  unmap_vmsas2,      protect_vmsas2,
					  walk_vmsas2, VMSAS2_WRITE,      VMSAS2_WRITE,
					  0,           SIZES(plain_sizes) };
static const struct format amdv1_ops = { map_amdv1,  unmap_amdv1,       protect_amdv1,
					 walk_amdv1, AMDV1_DIRTY,       AMDV1_DIRTY,
					 0,          SIZES(amdv1_sizes) };
static const struct format sv_ops = { map_sv,   unmap_sv, protect_sv, walk_sv,
				      SV_DIRTY, SV_DIRTY, IOPF_READ,  SIZES(sv_sizes) };

/* Armv8 has no mark of its own: a page that was made writable counts as written. */
static bool right_is_mark(const struct format *ops)
{
	return ops == &vmsa_ops || ops == &vmsas2_ops;
}

static uint64_t addr_of(unsigned page)
{
	return window + page * K4;
}

static void step_map(const struct format *ops, uint64_t *seed)
{
	bool large = test_random(seed) % 4 == 0, taken = false;
	const struct size *size =
		&ops->sizes[large ? 1 + test_random(seed) % (ops->size_count - 1) : 0];
	unsigned count = size->count;
	unsigned first = (unsigned)(test_random(seed) % PAGES) / count * count;
	uint64_t out = test_random(seed) % (UINT64_C(1) << 25) * count * K4;
	uint8_t perm = (uint8_t)(1 + test_random(seed) % 3) | ops->least;

	for (unsigned i = first; i < first + count; i++)
		taken |= pages[i].present;
	CHECK_EQ(ops->map(addr_of(first), out, count * K4, perm), taken ? -EEXIST : 0);
	for (unsigned i = 0; i < count && !taken; i++)
		pages[first + i] = (struct page){ .out = out + i * K4,
						  .perm = perm,
						  .present = true,
						  .count = count,
						  .slot = size->slot };
}

/* The page that holds page @at is cut: first into its entries, then those. */
static void model_split(unsigned at, unsigned first, unsigned end)
{
	unsigned count = pages[at].count, slot = pages[at].slot, from;

	if (!pages[at].present || count == 1)
		return;
	from = at / count * count;
	if (from >= first && from + count <= end)
		return;
	for (unsigned i = from; i < from + count; i++)
		pages[i].count = slot;
	from = at / slot * slot;
	if (from >= first && from + slot <= end)
		return;
	for (unsigned i = from; i < from + slot; i++)
		pages[i].count = pages[i].slot = 1;
}

static void step_change(const struct format *ops, uint64_t *seed)
{
	bool unmap = test_random(seed) % 2 == 0;
	unsigned first = (unsigned)(test_random(seed) % PAGES);
	unsigned span = test_random(seed) % 8 == 0 ? 1500 : 20, entries = 0;
	unsigned end = first + 1 + (unsigned)(test_random(seed) % span);
	uint8_t perm = (uint8_t)(1 + test_random(seed) % 3) | ops->least;

	end = end < PAGES ? end : PAGES;
	for (unsigned i = first; i < end; i++)
		model_split(i, first, end);
	for (unsigned i = first; i < end; i++) {
		entries += pages[i].present && i % pages[i].slot == 0;
		if (unmap)
			pages[i] = (struct page){ .present = false };
		else
			pages[i].perm = perm;
		if (!unmap && right_is_mark(ops))
			pages[i].dirty = (perm & IOPF_WRITE) != 0;
	}
	if (unmap)
		CHECK_EQ(ops->unmap(addr_of(first), (end - first) * K4), entries);
	else
		CHECK_EQ(ops->protect(addr_of(first), (end - first) * K4, perm), entries);
}

static void step_walk(const struct format *ops, unsigned at, uint8_t wanted)
{
	struct page *page = &pages[at];
	struct table_result result;
	bool allowed = page->present && (wanted & ~page->perm) == 0;
	bool clean =
		ops == &sv_ops && allowed && !page->dirty && (wanted & IOPF_WRITE) == 0;

	CHECK_EQ(ops->walk(addr_of(at) + 0x123, wanted, &result), allowed);
	if (!page->present) {
		CHECK_EQ(result.fault, TABLE_NOT_PRESENT);
		return;
	}
	CHECK_EQ(result.addr, page->out + 0x123);
	CHECK_EQ(result.size_bytes, page->count * K4);
	CHECK_EQ(result.perm & (IOPF_READ | IOPF_WRITE),
		 page->perm & (clean ? ~IOPF_WRITE : ~0));
	if (!allowed)
		CHECK_EQ(result.missing, wanted & ~page->perm);
	for (unsigned i = 0; i < page->slot && allowed && (wanted & IOPF_WRITE) != 0; i++)
		pages[at / page->slot * page->slot + i].dirty = true;
	CHECK_EQ((world_load(&world, result.entry_addr) & ops->dirty_bit) ==
			 ops->dirty_value,
		 page->dirty);
}

static void run(const struct format *ops, uint64_t seed)
{
	memset(pages, 0, sizeof(pages));
	for (unsigned step = 0; step < STEPS; step++) {
		uint64_t dice = test_random(&seed) % 8;

		if (dice < 3)
			step_map(ops, &seed);
		else if (dice < 4)
			step_change(ops, &seed);
		else
			step_walk(ops, (unsigned)(test_random(&seed) % PAGES),
				  (uint8_t)(1 + test_random(&seed) % 3));
		for (unsigned i = 0; i < PAGES && step % 5000 == 0; i++)
			step_walk(ops, i, IOPF_READ);
	}
	CHECK(ops->unmap(window, PAGES * K4) > 0);
}

TEST(x86_agrees_with_an_array)
{
	static const struct {
		uint8_t levels;
		uint64_t window;
	} rows[] = {
		{ 4, UINT64_C(0x008000000000) - 8 * 512 * K4 / 2 },
		{ 4, UINT64_MAX - PAGES * K4 + 1 },
		{ 5, UINT64_C(0x0001000000000000) - 3 * 512 * K4 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct x86_format format = { .levels = rows[i].levels,
					     .address_bits = 48 };

		window = rows[i].window;
		world_create(&world, 0);
		CHECK_EQ(x86_create(&x86, &world.memory, &world.pages, &format), 0);
		run(&x86_ops, i);
		/* Every table went back; the root is left. */
		CHECK_EQ(world_taken(&world), 1);
	}
}

TEST(vtdss_agrees_with_an_array)
{
	for (uint8_t levels = 3; levels <= 5; levels++) {
		struct vtdss_format format = { .levels = levels,
					       .address_bits = 48,
					       .pages_2m = true,
					       .accessed_dirty = true };

		window = levels == 3 ? G1 - 2 * M2 : (UINT64_C(1) << 39) - 2 * M2;
		world_create(&world, 0x7000000);
		CHECK_EQ(vtdss_create(&vtdss, &world.memory, &world.pages, &format), 0);
		run(&vtdss_ops, levels);
		CHECK_EQ(world_taken(&world), 1);
	}
}

TEST(vmsa_agrees_with_an_array)
{
	static const struct {
		uint8_t input_bits;
		uint64_t window;
	} rows[] = {
		{ 48, UINT64_C(0x008000000000) - 4 * M2 },
		{ 48, UINT64_MAX - PAGES * K4 + 1 },
		{ 48, UINT64_C(0xffff000000000000) },
		{ 25, (UINT64_C(1) << 25) - PAGES * K4 },
		{ 30, G1 - PAGES * K4 },
		{ 39, G1 - 3 * M2 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vmsa_format format = { .half[0].input_bits = rows[i].input_bits,
					      .half[1].input_bits = 48,
					      .output_bits = 48,
					      .access = true,
					      .dirty = true };

		window = rows[i].window;
		world_create(&world, 0);
		CHECK_EQ(vmsa_create(&vmsa, &world.memory, &world.pages, &format), 0);
		run(&vmsa_ops, i);
		CHECK_EQ(world_taken(&world), 2);
		vmsa_destroy(&vmsa);
		CHECK_EQ(world_taken(&world), 0);
	}
}

TEST(vmsas2_agrees_with_an_array)
{
	static const struct {
		uint8_t levels, input_bits;
		uint64_t window;
	} rows[] = {
		{ 4, 48, (UINT64_C(1) << 39) - 4 * M2 },
		{ 3, 43, (UINT64_C(1) << 42) - 4 * M2 }, /* 16 roots that adjoin */
		{ 3, 40, (UINT64_C(1) << 40) - PAGES * K4 },
		{ 2, 32, 2 * G1 - 4 * M2 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vmsas2_format format = { .levels = rows[i].levels,
						.input_bits = rows[i].input_bits,
						.output_bits = 48,
						.access = true,
						.dirty = true };
		uint32_t roots = 1;

		if (format.input_bits > 12 + 9 * format.levels)
			roots <<= format.input_bits - 12 - 9 * format.levels;
		window = rows[i].window;
		world_create(&world, 0x7003000);
		CHECK_EQ(vmsas2_create(&vmsas2, &world.memory, &world.pages, &format), 0);
		CHECK_EQ(vmsas2.format.root % (roots * K4), 0);
		run(&vmsas2_ops, i);
		CHECK_EQ(world_taken(&world), roots);
	}
}

TEST(amdv1_agrees_with_an_array)
{
	for (uint8_t levels = 2; levels <= 6; levels++) {
		struct amdv1_format format = { .levels = levels,
					       .address_bits = 52,
					       .accessed = true,
					       .dirty = true };

		window = levels == 2 ? G1 - PAGES * K4 :
			 levels == 6 ? UINT64_MAX - PAGES * K4 + 1 :
				       (UINT64_C(1) << 39) - 2 * M2;
		window = levels == 3 ? G1 - 2 * M2 : window;
		world_create(&world, 0x7000000);
		CHECK_EQ(amdv1_create(&amdv1, &world.memory, &world.pages, &format), 0);
		run(&amdv1_ops, levels);
		CHECK_EQ(world_taken(&world), 1);
		amdv1_destroy(&amdv1);
		CHECK_EQ(world_taken(&world), 0);
	}
}

TEST(sv_agrees_with_an_array)
{
	static const struct {
		uint8_t levels;
		bool second;
		uint64_t window;
	} rows[] = {
		{ 3, false, G1 - 2 * M2 },
		{ 3, false, UINT64_MAX - PAGES * K4 + 1 },
		{ 4, false, (UINT64_C(1) << 47) - PAGES * K4 },
		{ 5, false, (UINT64_C(1) << 48) - 3 * M2 },
		{ 3, true, (UINT64_C(1) << 41) - PAGES * K4 },
		{ 4, true, (UINT64_C(1) << 48) - 3 * M2 },
		{ 5, true, (UINT64_C(1) << 57) - 3 * M2 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sv_format format = { .levels = rows[i].levels,
					    .address_bits = 56,
					    .second = rows[i].second,
					    .update = true };
		uint32_t roots = rows[i].second ? 4 : 1;

		window = rows[i].window;
		world_create(&world, 0x7003000);
		CHECK_EQ(sv_create(&sv, &world.memory, &world.pages, &format), 0);
		CHECK_EQ(sv.root % (roots * K4), 0);
		run(&sv_ops, i);
		CHECK_EQ(world_taken(&world), roots);
		sv_destroy(&sv);
		CHECK_EQ(world_taken(&world), 0);
	}
}

TEST(a_huge_page_is_split_twice_and_keeps_its_memory_type)
{
	struct x86_format format = { .levels = 4, .address_bits = 46, .pages_1g = true };
	struct table_result result;
	uint64_t at = G1 + 5 * M2 + 7 * K4;

	world_create(&world, 0);
	CHECK_EQ(x86_create(&x86, &world.memory, &world.pages, &format), 0);
	CHECK_EQ(x86_map(&x86, G1, 3 * G1, G1, IOPF_WRITE, X86_DIRTY), 0);
	CHECK(walk_x86(G1, IOPF_READ, &result));
	world_store(&world, result.entry_addr,
		    world_load(&world, result.entry_addr) | X86_LARGE_PAT);
	CHECK_EQ(x86_unmap(&x86, at, K4), 1);
	CHECK(!walk_x86(at, IOPF_READ, &result));
	CHECK(walk_x86(at + K4, IOPF_WRITE, &result));
	CHECK_EQ(result.addr, at + K4 + 2 * G1);
	CHECK_EQ(result.size_bytes, K4);
	/* Bit 7 of a small page is its PAT bit; the large one's is bit 12. */
	CHECK_EQ(world_load(&world, result.entry_addr) & (X86_LARGE | X86_DIRTY),
		 X86_LARGE | X86_DIRTY);
	CHECK(walk_x86(at + M2, IOPF_WRITE, &result));
	CHECK_EQ(result.addr, at + M2 + 2 * G1);
	CHECK_EQ(result.size_bytes, M2);
	CHECK_EQ(world_load(&world, result.entry_addr) & X86_LARGE_PAT, X86_LARGE_PAT);
	CHECK_EQ(x86_unmap(&x86, G1, G1), 511 + 511);
	CHECK_EQ(world_taken(&world), 1);
}

TEST(no_page_for_a_table_is_an_error_and_maps_nothing)
{
	struct x86_format format = { .levels = 4, .address_bits = 46 };
	struct table_result result;

	for (uint32_t limit = 1; limit < 5; limit++) {
		world_create(&world, 0x10000);
		world.limit = limit;
		CHECK_EQ(x86_create(&x86, &world.memory, &world.pages, &format), 0);
		CHECK_EQ(x86_map(&x86, G1, 0, K4, IOPF_WRITE, 0),
			 limit < 4 ? -ENOMEM : 0);
		CHECK_EQ(walk_x86(G1, IOPF_WRITE, &result), limit == 4);
	}
	/* Nor is there one to split a large page: it stays whole. */
	CHECK_EQ(x86_map(&x86, G1 + M2, M2, M2, IOPF_WRITE, 0), 0);
	CHECK_EQ(x86_unmap(&x86, G1 + M2, K4), -ENOMEM);
	CHECK(walk_x86(G1 + M2, IOPF_WRITE, &result));
	CHECK_EQ(result.size_bytes, M2);
	/* And a page that does not exist is none. */
	world.used = world.limit = WORLD_PAGES;
	world.free[world.free_count++] = UINT64_C(1) << 40;
	CHECK_EQ(x86_unmap(&x86, G1 + M2, K4), -EFAULT);
	world.free_count++;
	CHECK_EQ(x86_create(&x86, &world.memory, &world.pages, &format), -EFAULT);
}

TEST(arguments_that_could_never_be_right_change_nothing)
{
	static const struct {
		uint64_t addr, out, size;
	} rows[] = {
		{ 1, 0, K4 },
		{ 0, 1, K4 },
		{ K4, 0, M2 },
		{ 0, K4, M2 },
		{ 0, 0, G1 },
		{ 0, 0, 0 },
		{ 0, 0, 2 * K4 },
		{ 0, UINT64_C(1) << 46, K4 },
		{ UINT64_C(1) << 47, 0, K4 },
	};
	struct x86_format format = { .levels = 4, .address_bits = 46 };

	world_create(&world, 0);
	CHECK_EQ(x86_create(&x86, &world.memory, &world.pages, &format), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_EQ(map_x86(rows[i].addr, rows[i].out, rows[i].size, 0), -EINVAL);
	CHECK_EQ(unmap_x86(0, 0), -EINVAL);
	CHECK_EQ(unmap_x86(1, K4), -EINVAL);
	CHECK_EQ(unmap_x86(0, K4 + 1), -EINVAL);
	CHECK_EQ(unmap_x86(UINT64_MAX - K4 + 1, 2 * K4), -EINVAL);
	/* A range that wraps around, where there is no sign to tell. */
	CHECK_EQ(vtdss_create(&vtdss, &world.memory, &world.pages,
			      &(struct vtdss_format){ .levels = 3, .address_bits = 46 }),
		 0);
	CHECK_EQ(unmap_vtdss(2 * K4, UINT64_MAX - K4 + 1), -EINVAL);
	/* Both ends are canonical, the middle is not. */
	CHECK_EQ(unmap_x86(0, UINT64_MAX - K4 + 1), -EINVAL);
	CHECK_EQ(world_taken(&world), 2);
}

int main(void)
{
	return test_main();
}
