/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: whatever happens in whatever order, no tag is resumed twice or for nothing,
 * and every slot of the pool comes back. The oracle is the SMMU's own pool.
 */
#include <errno.h>

#include "iopf/iopf.h"
#include "test.h"

enum { STREAMS = 3, TAGS = 12, SLOTS = 6, STEPS = 400000 };

/* A slot of the SMMU's pool: what is stalled there, and what the broker was told of it. */
struct slot {
	bool stalled, told, shown;
	uint64_t token;
};

struct stream {
	uint32_t id, owner;
	bool present, blocked;
	enum iopf_operation_kind op;
	struct slot slot[TAGS];
	unsigned told; /* left over in the event queue, terminated meanwhile */
};

static struct iopf_broker *broker;
static struct stream streams[STREAMS];
static uint32_t queue, owners[STREAMS];
static uint64_t seed, now_ns, resumed, terminated, aborted;

static unsigned draw(unsigned below)
{
	return (unsigned)(test_random(&seed) % below);
}

static uint32_t sid_of(const struct stream *stream)
{
	return 0x40 + (uint32_t)(stream - streams);
}

static void tell(const struct stream *stream, unsigned tag)
{
	struct iopf_request request = { .rid = sid_of(stream),
					.pasid = IOPF_PASID_NONE,
					.index = (uint16_t)tag,
					.addr = test_random(&seed) & ~UINT64_C(0xfff),
					.perm = IOPF_READ,
					.flags = IOPF_LAST | IOPF_STALL };

	CHECK_EQ(iopf_broker_request(broker, queue, &request, now_ns), 0);
}

/* A transaction stalls, unless its stream's entry aborts; its event is read, now or later,
 * and sometimes twice. */
static void do_stall(void)
{
	struct stream *stream = &streams[draw(STREAMS)];
	unsigned tag = draw(TAGS);
	struct slot *slot = &stream->slot[tag];

	if (slot->stalled && slot->told) {
		if (draw(16) == 0)
			tell(stream, tag);
		return;
	}
	if (!slot->stalled && stream->blocked)
		return;
	slot->stalled = true;
	if (draw(4) == 0)
		return;
	slot->told = true;
	tell(stream, tag);
}

static void do_fetch(void)
{
	uint32_t owner = owners[draw(STREAMS)];
	struct iopf_group group;

	if (iopf_broker_fetch(broker, owner, &group, now_ns) != 0)
		return;
	for (struct stream *stream = streams; stream < streams + STREAMS; stream++) {
		struct slot *slot = &stream->slot[group.index];

		if (group.rid != sid_of(stream))
			continue;
		CHECK(slot->stalled && slot->told && !slot->shown);
		CHECK_EQ(stream->owner, owner);
		slot->shown = true;
		slot->token = group.token;
	}
}

static void do_answer(void)
{
	static uint64_t old[64];
	static unsigned count;
	struct stream *stream = &streams[draw(STREAMS)];
	const struct slot *slot = &stream->slot[draw(TAGS)];
	uint64_t token = draw(4) == 0 ? old[draw(64)] : slot->token;
	uint32_t owner = draw(8) == 0 ? owners[draw(STREAMS)] : stream->owner;

	iopf_broker_answer(broker, owner, token,
			   draw(2) == 0 ? IOPF_SUCCESS : IOPF_INVALID, now_ns);
	old[count++ % 64] = token;
}

/* The SMMU takes them: each finds a transaction that is stalled. */
static void do_respond(void)
{
	struct iopf_response out[8];
	int got = iopf_broker_respond(broker, queue, out, draw(9), now_ns);

	for (int i = 0; i < got; i++) {
		struct stream *stream = &streams[out[i].rid - 0x40];
		struct slot *slot = &stream->slot[out[i].index];

		CHECK_EQ(out[i].flags, IOPF_STALL);
		CHECK(slot->stalled && slot->told);
		CHECK(out[i].code == IOPF_INVALID || slot->shown);
		aborted += out[i].code == IOPF_INVALID;
		resumed += out[i].code == IOPF_SUCCESS;
		*slot = (struct slot){ 0 };
	}
}

/* ---- Operations ---------------------------------------------------------------------------- */

static void terminate(struct stream *stream)
{
	for (unsigned tag = 0; tag < TAGS; tag++) {
		struct slot *slot = &stream->slot[tag];

		terminated += slot->stalled;
		stream->told += slot->stalled && !slot->told;
		*slot = (struct slot){ 0 };
	}
}

static void add(struct stream *stream)
{
	struct iopf_endpoint_options options = { .size_bytes = sizeof(options),
						 .source = queue,
						 .rid = sid_of(stream),
						 .allocation = SLOTS,
						 .mechanism = IOPF_STALLS };

	*stream = (struct stream){ .present = true, .owner = owners[draw(STREAMS)] };
	CHECK_EQ(iopf_broker_add_endpoint(broker, &options, &stream->id), 0);
	CHECK_EQ(iopf_broker_attach(broker, stream->id, IOPF_PASID_NONE, stream->owner), 0);
}

static void do_begin(void)
{
	struct stream *stream = &streams[draw(STREAMS)];
	enum iopf_operation_kind kind =
		(enum iopf_operation_kind)(IOPF_OPERATION_DISABLE + draw(5));
	int begun = -EBUSY;

	if (!stream->present || stream->op != IOPF_OPERATION_NONE)
		return;
	if (kind == IOPF_OPERATION_DISABLE)
		begun = iopf_broker_disable(broker, stream->id);
	else if (kind == IOPF_OPERATION_RESTART)
		begun = iopf_broker_restart(broker, stream->id);
	else if (kind == IOPF_OPERATION_RESET)
		begun = iopf_broker_reset(broker, stream->id, now_ns);
	else if (kind == IOPF_OPERATION_REMOVE)
		begun = iopf_broker_remove(broker, stream->id, now_ns);
	else if (kind == IOPF_OPERATION_REPLACE)
		begun = iopf_broker_replace(broker, stream->id, IOPF_PASID_NONE,
					    owners[draw(STREAMS)], now_ns);
	CHECK_EQ(begun, 0);
	stream->op = kind;
}

static bool is_owner(const struct stream *stream, uint32_t owner)
{
	struct iopf_broker *it = broker;

	/* Who has it now cannot be asked: out of service is refused to others. */
	return iopf_broker_out_of_service(it, stream->id, owner, false, now_ns) == 0;
}

static void done(struct stream *stream)
{
	CHECK_EQ(stream->told, 0);
	if (stream->op == IOPF_OPERATION_REMOVE) {
		add(stream);
		return;
	}
	CHECK_EQ(iopf_broker_gauge(broker, stream->id, IOPF_GAUGE_leaving), 0);
	stream->op = IOPF_OPERATION_NONE;
	if (stream->blocked)
		CHECK_EQ(iopf_broker_enable(broker, stream->id), 0);
	stream->blocked = false;
}

/* The step is carried out at the SMMU, and then told. */
static void do_step(void)
{
	struct stream *stream = &streams[draw(STREAMS)];
	int step = iopf_broker_step(broker, stream->id), next;

	if (stream->op == IOPF_OPERATION_NONE)
		return;
	if (step == IOPF_STEP_BLOCK)
		stream->blocked = true;
	if (step == IOPF_STEP_TERMINATE)
		terminate(stream);
	for (; step == IOPF_STEP_DRAIN && stream->told > 0; stream->told--)
		tell(stream, draw(TAGS));
	if (step == IOPF_STEP_UNBLOCK)
		stream->blocked = false;
	next = iopf_broker_did(broker, stream->id, draw(8) == 0 ? -EAGAIN : 0, now_ns);
	CHECK(next > 0);
	if (next == IOPF_STEP_UNBLOCK)
		for (unsigned i = 0; i < STREAMS; i++)
			if (is_owner(stream, owners[i]))
				stream->owner = owners[i];
	if (next == IOPF_STEP_DONE)
		done(stream);
}

/* What the broker holds is stalled there. */
static void check_streams(void)
{
	for (const struct stream *stream = streams; stream < streams + STREAMS; stream++) {
		unsigned stalled = 0, held;

		for (unsigned tag = 0; tag < TAGS; tag++)
			stalled += stream->slot[tag].stalled && stream->slot[tag].told;
		held = iopf_broker_gauge(broker, stream->id, IOPF_GAUGE_credits_in_use);
		CHECK(held <= SLOTS && held <= stalled);
		if (iopf_broker_step(broker, stream->id) == IOPF_STEP_NONE)
			CHECK_EQ(iopf_broker_gauge(broker, stream->id, IOPF_GAUGE_ready) +
					 iopf_broker_gauge(broker, stream->id,
							   IOPF_GAUGE_delivered) +
					 iopf_broker_gauge(broker, stream->id,
							   IOPF_GAUGE_leaving),
				 stalled);
	}
}

static void create(void)
{
	static _Alignas(64) uint8_t memory[1 << 17];
	struct iopf_broker_options options = { .size_bytes = sizeof(options),
					       .instance = 1,
					       .source_max = 1,
					       .endpoint_max = STREAMS,
					       .owner_max = STREAMS,
					       .attachment_max = STREAMS,
					       .group_max = STREAMS * SLOTS + 64 };
	struct iopf_source_options smmu = { .size_bytes = sizeof(smmu),
					    .reserve_count = 64,
					    .stall_max = STREAMS * SLOTS };
	struct iopf_owner_options owner = { .size_bytes = sizeof(owner) };

	CHECK(iopf_broker_size_bytes(&options) <= sizeof(memory));
	CHECK_EQ(iopf_broker_create(&options, memory, sizeof(memory), &broker), 0);
	CHECK_EQ(iopf_broker_add_source(broker, &smmu, &queue), 0);
	for (unsigned i = 0; i < STREAMS; i++)
		CHECK_EQ(iopf_broker_add_owner(broker, &owner, &owners[i]), 0);
	for (unsigned i = 0; i < STREAMS; i++)
		add(&streams[i]);
}

TEST(no_tag_is_resumed_twice_and_every_slot_comes_back)
{
	static void (*const acts[])(void) = { do_stall, do_stall,   do_stall,  do_fetch,
					      do_fetch, do_answer,  do_answer, do_respond,
					      do_step,  do_respond, do_step };

	create();
	seed = 11;
	for (unsigned i = 0; i < STEPS; i++, now_ns += 100) {
		acts[draw(sizeof(acts) / sizeof(acts[0]))]();
		if (draw(100) == 0)
			do_begin();
		check_streams();
	}
	CHECK(resumed > 1000);
	CHECK(aborted > 1000);
	CHECK(terminated > 1000);
}

int main(void)
{
	return test_main();
}
