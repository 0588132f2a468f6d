/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: whatever masters and software do, each transaction that was held is let go
 * once, and no tag has two records that nobody has answered.
 */
#include "smmuv3_world.h"

enum { SEEDS = 40, STEPS = 600, PAGES = 12, SLOTS = 48, OPEN_MAX = 64 };

/* What two masters have sent. */
static struct slot {
	struct model_transaction transaction;
	bool held;
} slots[SLOTS];

/* Records that software has read and not answered. */
static struct iopf_fault open[OPEN_MAX];
static uint32_t open_count;
static struct iopf_fault answered; /* the last that it has */

static bool mapped[PAGES], blocked, on;
static bool tags[2][STALL_MAX]; /* visible, as observed: by stream */
static uint64_t random_state;
static uint32_t held_count, let_go;

static uint32_t dice(uint32_t sides)
{
	return (uint32_t)(test_random(&random_state) % sides);
}

static bool *tag_at(uint32_t rid, uint16_t tag)
{
	CHECK(tag < STALL_MAX && (rid == STREAM || rid == OTHER));
	return &tags[rid == OTHER][tag];
}

/* ---- What is seen ----------------------------------------------------------------------- */

static void note_released(void *context, const struct model_transaction *transaction,
			  int result)
{
	struct slot *slot = &slots[0];

	(void)context;
	while (&slot->transaction != transaction)
		slot++;
	CHECK(slot < slots + SLOTS && slot->held);
	CHECK(result == 0 || result == -EFAULT);
	slot->held = false;
	let_go++;
}

static void note_stalled(void *context, const struct iopf_fault *fault)
{
	(void)context;
	CHECK(!*tag_at(STREAM, fault->index) && !*tag_at(OTHER, fault->index));
	*tag_at(fault->rid, fault->index) = true;
}

static void note_resumed(void *context, uint32_t rid, uint16_t tag, enum iopf_code code,
			 enum model_stall_verdict verdict)
{
	(void)context, (void)code;
	CHECK_EQ(*tag_at(rid, tag), verdict == MODEL_STALL_TAKEN);
	*tag_at(rid, tag) = false;
}

static void note_terminated(void *context, uint32_t rid, uint16_t tag)
{
	(void)context;
	CHECK(*tag_at(rid, tag));
	*tag_at(rid, tag) = false;
}

/* ---- What is done ----------------------------------------------------------------------- */

static void do_touch(void)
{
	struct slot *slot = &slots[dice(SLOTS)];
	uint64_t addr = IOVA + dice(PAGES) * K4 + dice(512) * 8;

	if (slot->held)
		return;
	slot->transaction = touch_of(addr, dice(2) ? R : W);
	slot->transaction.rid = (slot - slots) % 2 ? STREAM : OTHER;
	slot->held = transact(&slot->transaction) == -EINPROGRESS;
	held_count += slot->held;
}

static void forget(uint8_t kind, uint8_t granularity)
{
	submit((struct iopf_command){ .kind = kind, .granularity = granularity,
				      .rid = STREAM, .domain = VMID });
}

static void do_map(void)
{
	uint32_t n = dice(PAGES);

	if (mapped[n])
		CHECK(vmsa_unmap(&w.first, IOVA + n * K4, K4) > 0);
	else
		map(IOVA + n * K4, (512 + n) * K4, R | W);
	mapped[n] = !mapped[n];
	forget(IOPF_COMMAND_INVALIDATE_IOTLB, IOPF_DOMAIN);
}

static void do_read(void)
{
	struct iopf_fault fault;

	while (open_count < OPEN_MAX && event(&fault))
		if (fault.stall)
			open[open_count++] = fault;
}

static void do_answer(void)
{
	uint32_t n = open_count > 0 ? dice(open_count) : 0;

	if (open_count == 0)
		return;
	answered = open[n];
	open[n] = open[--open_count];
	submit(resume_of(answered.rid, answered.index,
			 dice(3) ? IOPF_SUCCESS : IOPF_INVALID));
}

/* Once more, or under a tag that is nobody's: what is not in use now. */
static void do_wrong(void)
{
	uint16_t tag = dice(2) ? answered.index : (uint16_t)dice(STALL_MAX);

	if (!*tag_at(STREAM, tag))
		command(resume_of(STREAM, tag, IOPF_SUCCESS));
}

/* What it has read of a stream that was terminated is answered: software forgets it. */
static void forget_open(uint32_t rid)
{
	uint32_t kept = 0;

	do_read();
	for (uint32_t n = 0; n < open_count; n++)
		if (rid != IOPF_NO_ID && open[n].rid != rid)
			open[kept++] = open[n];
	open_count = kept;
}

static void do_block(void)
{
	blocked = !blocked;
	CHECK_EQ(smmuv3_builder_block(&w.builder, STREAM, blocked), 0);
	forget(IOPF_COMMAND_INVALIDATE_CONTEXT, IOPF_DEVICE);
	sync();
	run();
	if (!blocked)
		return;
	command((struct iopf_command){ .kind = IOPF_COMMAND_TERMINATE, .rid = STREAM });
	CHECK_EQ(model_iommu_stalled(w.iommu, STREAM), 0);
	forget_open(STREAM);
}

static void do_switch(void)
{
	reg_set(SMMUV3_CR0, 4, CR0_ON & ~SMMUV3_SMMUEN & ~SMMUV3_PRIQEN);
	CHECK_EQ(model_iommu_stalled(w.iommu, IOPF_NO_ID), 0);
	CHECK_EQ(held_count, let_go);
	forget_open(IOPF_NO_ID);
	reg_set(SMMUV3_CR0, 4, CR0_ON);
}

static void do_junk(void)
{
	struct model_transaction bad = touch_of(IOVA, R);

	bad.pasid = 15;
	CHECK_EQ(transact(&bad), -EFAULT);
}

static void do_events(void)
{
	on = !on;
	reg_set(SMMUV3_CR0, 4, on ? CR0_ON : CR0_ON & ~SMMUV3_EVENTQEN);
}

static void step(void)
{
	static const struct {
		uint32_t weight;
		void (*act)(void);
	} acts[] = { { 60, do_touch }, { 20, do_map },  { 25, do_read }, { 40, do_answer },
		     { 5, do_wrong },  { 3, do_block }, { 1, do_switch }, { 6, do_junk },
		     { 2, do_events }, { 40, run } };
	uint32_t sum = 0, n = 0, thrown;

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		sum += acts[i].weight;
	for (thrown = dice(sum); thrown >= acts[n].weight; n++)
		thrown -= acts[n].weight;
	if (acts[n].act == do_block || acts[n].act == do_wrong || acts[n].act == do_switch)
		run();
	acts[n].act();
	CHECK(model_iommu_stalled(w.iommu, IOPF_NO_ID) <= STALL_MAX);
}

static void settle(void)
{
	reg_set(SMMUV3_CR0, 4, CR0_ON);
	for (uint32_t n = 0; held_count != let_go || open_count > 0; n++) {
		CHECK(n < 10000);
		run();
		do_read();
		while (open_count > 0) {
			answered = open[--open_count];
			command(resume_of(answered.rid, answered.index, IOPF_INVALID));
		}
	}
	CHECK_EQ(model_iommu_stalled(w.iommu, IOPF_NO_ID), 0);
}

static void play(uint64_t seed, bool suppress, bool early)
{
	const struct model_downstream master = { .released = note_released };
	struct model_iommu_options options = iommu_usual();

	options.observer = (struct model_stall_observer){ NULL, note_stalled, note_resumed,
							  note_terminated };
	options.suppress_stalls = suppress;
	options.retry_stalls = early;
	memset(slots, 0, sizeof(slots));
	memset(mapped, 0, sizeof(mapped));
	memset(tags, 0, sizeof(tags));
	open_count = held_count = let_go = 0;
	answered = (struct iopf_fault){ .rid = STREAM };
	blocked = false;
	on = true;
	random_state = seed;
	smmuv3_world_create_with(&options);
	back_all();
	CHECK_EQ(model_iommu_connect(w.iommu, STREAM, &master), 0);
	CHECK_EQ(model_iommu_connect(w.iommu, OTHER, &master), 0);
	for (uint32_t n = 0; n < STEPS; n++)
		step();
	settle();
}

TEST(each_is_let_go_once)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		printf("seed %d\n", (int)seed);
		play(seed, seed % 2, seed / 2 % 2);
	}
}

int main(void)
{
	int failed = test_main();

	model_iommu_destroy(w.iommu);
	return failed;
}
