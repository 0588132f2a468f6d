/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: SMMUv3: random values and random bytes survive the way there and back. */
#include <errno.h>

#include "test.h"
#include "wire/smmuv3.h"
#include "iopf/wire.h"

enum { ROUNDS = 500000 };

static const struct iopf_wire *const smmuv3 = &iopf_wire_smmuv3;
static uint64_t seed;
static uint64_t scratch[RECORD_WORDS];

static uint64_t random_bits(unsigned bits)
{
	return test_random(&seed) >> (64 - bits);
}

static uint32_t random_pasid(void)
{
	return random_bits(2) == 0 ? IOPF_PASID_NONE : (uint32_t)random_bits(20);
}

static struct iopf_request random_request(void)
{
	struct iopf_request request = {
		.addr = random_bits(52) << 12,
		.rid = (uint32_t)random_bits(32),
		.pasid = random_pasid(),
		.index = (uint16_t)random_bits(9),
		.perm = (uint8_t)random_bits(4),
		.flags = random_bits(1) ? IOPF_LAST : 0,
	};

	if (request.pasid == IOPF_PASID_NONE)
		request.perm &= IOPF_READ | IOPF_WRITE;
	else if (request.flags & IOPF_LAST && !(request.perm & (IOPF_READ | IOPF_WRITE)))
		request = (struct iopf_request){ .rid = request.rid,
						 .pasid = request.pasid,
						 .flags = IOPF_STOP };
	return request;
}

TEST(random_requests_come_back)
{
	for (seed = 0; seed < ROUNDS;) {
		uint64_t round = seed;
		struct iopf_request request = random_request(), got;
		bool reserved = true;
		uint8_t record[16];

		CHECK_EQ(smmuv3->encode_request(&request, record), 0);
		CHECK_EQ(smmuv3->decode_request(record, &got, &reserved), 0);
		CHECK(memcmp(&got, &request, sizeof(got)) == 0 && !reserved);
		seed = round + 1;
	}
}

#define NUMBER(name, number, text) number,
static const uint8_t numbers[] = { IOPF_SMMUV3_EVENTS(NUMBER) };

TEST(any_bytes_are_an_event_and_keep_what_they_say)
{
	uint32_t stalls = 0;

	for (seed = 0; seed < ROUNDS;) {
		struct iopf_fault fault, got;
		uint8_t record[32], again[32];
		bool reserved, clean = true;
		uint64_t round = seed;

		for (unsigned i = 0; i < 4; i++)
			le64_put(record + 8 * i, random_bits(64) & random_bits(64));
		record[0] = numbers[random_bits(32) % sizeof(numbers)];
		if (random_bits(1)) {
			const struct iopf_layout *layout = smmuv3_event_pick(record, scratch);

			for (unsigned i = 0; i < 4; i++)
				le64_put(record + 8 * i,
					 le64_get(record + 8 * i) & ~layout->reserved[i]);
		}
		CHECK_EQ(smmuv3->decode_fault(record, &fault, &reserved), 0);
		seed = round + 1;
		if (fault.stall && fault.perm == 0) {
			stalls++;
			CHECK(reserved);
			CHECK_EQ(smmuv3->encode_fault(&fault, again), -EOPNOTSUPP);
			continue;
		}
		CHECK_EQ(smmuv3->encode_fault(&fault, again), 0);
		CHECK_EQ(smmuv3->decode_fault(again, &got, &clean), 0);
		CHECK(memcmp(&got, &fault, sizeof(got)) == 0 && !clean);
	}
	CHECK(stalls > ROUNDS / 100);
}

static void random_range(struct iopf_command *command, unsigned bits)
{
	unsigned order = (unsigned)(random_bits(8) % 37);

	command->size_bytes = UINT64_C(4096) << order;
	command->addr = random_bits(bits) & ~(command->size_bytes - 1);
}

static void random_response(struct iopf_command *c)
{
	c->rid = (uint32_t)random_bits(32);
	c->pasid = random_pasid();
	c->index = (uint16_t)random_bits(9);
	c->code = (uint8_t)(random_bits(8) % IOPF_CODE_COUNT);
	if (random_bits(1) == 0)
		return;
	c->flags = IOPF_STALL;
	c->pasid = IOPF_PASID_NONE;
	c->index = (uint16_t)random_bits(16);
	c->code = random_bits(1) ? IOPF_SUCCESS : IOPF_INVALID;
}

static void random_context(struct iopf_command *c)
{
	if (random_bits(3) == 0)
		return;
	c->granularity = IOPF_DEVICE;
	c->rid_mask = (uint8_t)((1u << random_bits(8) % 9) - 1);
	c->rid = (uint32_t)random_bits(32) & ~(uint32_t)c->rid_mask;
	if (c->rid_mask == 0)
		c->hints = (uint8_t)random_bits(1);
}

static void random_pasid_cache(struct iopf_command *c)
{
	c->granularity = random_bits(1) ? IOPF_DEVICE : IOPF_ONE_PASID;
	c->rid = (uint32_t)random_bits(32);
	if (c->granularity == IOPF_DEVICE)
		return;
	c->pasid = (uint32_t)random_bits(20);
	c->hints = (uint8_t)random_bits(1);
}

static void random_page(struct iopf_command *c)
{
	static const uint8_t scopes[] = { 0, IOPF_HINT_ANY_ASID, IOPF_HINT_SECOND };

	c->hints = (uint8_t)(scopes[random_bits(8) % 3] | random_bits(1));
	random_range(c, c->hints & IOPF_HINT_SECOND ? 56 : 64);
	if (c->hints <= IOPF_HINT_LEAF)
		c->asid = (uint16_t)random_bits(16);
}

static void random_iotlb(struct iopf_command *c)
{
	static const uint8_t granularities[] = { IOPF_ALL, IOPF_DOMAIN, IOPF_ONE_PASID,
						 IOPF_PAGE };

	c->granularity = granularities[random_bits(2)];
	if (c->granularity != IOPF_ALL)
		c->domain = (uint16_t)random_bits(16);
	if (c->granularity == IOPF_DOMAIN && random_bits(1))
		c->hints = IOPF_HINT_FIRST;
	if (c->granularity == IOPF_ONE_PASID)
		c->asid = (uint16_t)random_bits(16);
	if (c->granularity == IOPF_PAGE)
		random_page(c);
}

static void random_device(struct iopf_command *c)
{
	c->granularity = random_bits(1) ? IOPF_ALL : IOPF_PAGE;
	c->rid = (uint32_t)random_bits(32);
	c->pasid = random_bits(3) == 0 ? IOPF_PASID_ANY : random_pasid();
	if (c->granularity == IOPF_PAGE)
		random_range(c, 64);
}

static void random_wait(struct iopf_command *c)
{
	static const uint8_t flags[] = { 0, IOPF_WAIT_INTERRUPT, IOPF_WAIT_STATUS };

	c->wait_flags = flags[random_bits(8) % 3];
	if (c->wait_flags & IOPF_WAIT_STATUS) {
		c->status_data = (uint32_t)random_bits(32);
		c->status_addr = (random_bits(54) | 1) << 2;
	}
}

static void random_terminate(struct iopf_command *c)
{
	c->rid = (uint32_t)random_bits(32);
}

static const struct {
	uint8_t kind;
	void (*make)(struct iopf_command *command);
} makers[] = {
	{ IOPF_COMMAND_RESPONSE, random_response },
	{ IOPF_COMMAND_INVALIDATE_CONTEXT, random_context },
	{ IOPF_COMMAND_INVALIDATE_PASID, random_pasid_cache },
	{ IOPF_COMMAND_INVALIDATE_IOTLB, random_iotlb },
	{ IOPF_COMMAND_INVALIDATE_DEVICE, random_device },
	{ IOPF_COMMAND_WAIT, random_wait },
	{ IOPF_COMMAND_TERMINATE, random_terminate },
};

TEST(random_commands_come_back)
{
	const size_t count = sizeof(makers) / sizeof(makers[0]);

	for (seed = 0; seed < ROUNDS;) {
		struct iopf_command command = { .kind = makers[seed % count].kind }, got;
		uint64_t round = seed;
		uint8_t record[16];

		makers[seed % count].make(&command);
		CHECK_EQ(smmuv3->encode_command(&command, 16, record), 0);
		CHECK_EQ(smmuv3->decode_command(record, 16, &got), 0);
		CHECK(memcmp(&got, &command, sizeof(got)) == 0);
		seed = round + 1;
	}
}

/* What a command of a page means, whatever the plain value covers it with. */
static bool covers(const struct iopf_command *command, const uint8_t *record)
{
	uint64_t low = le64_get(record), high = le64_get(record + 8);
	uint64_t addr = high & ~UINT64_C(0xfff), last;
	unsigned granule = (unsigned)(10 + 2 * (high >> 10 & 3));

	if (command->granularity != IOPF_PAGE)
		return true;
	last = (high >> 10 & 3) == 0 ?
		       addr + 4095 :
		       addr + (((low >> 12 & 31) + 1) << ((low >> 20 & 31) + granule)) -
			       1;
	if (last < addr)
		last = UINT64_MAX;
	return command->addr <= addr && last - command->addr < command->size_bytes;
}

static void random_record(uint8_t *record)
{
	static const uint8_t opcodes[] = {
		0x03, 0x04, 0x05, 0x06, 0x10, 0x11, 0x12, 0x13,
		0x28, 0x2a, 0x30, 0x40, 0x41, 0x44, 0x45, 0x46
	};
	const struct iopf_layout *layout;

	le64_put(record, random_bits(64));
	le64_put(record + 8, random_bits(64));
	record[0] = opcodes[random_bits(4)];
	layout = smmuv3_command_pick(record, scratch);
	for (unsigned i = 0; i < 2 && random_bits(3) != 0; i++)
		le64_put(record + 8 * i, le64_get(record + 8 * i) & ~layout->reserved[i]);
	if (record[0] == 0x13 || record[0] == 0x28 || record[0] == 0x2a ||
	    record[0] == 0x10)
		record[6] = record[7] = 0;
}

TEST(random_command_records_keep_what_they_say)
{
	uint32_t understood = 0, refused = 0;

	for (seed = 0; seed < ROUNDS;) {
		struct iopf_command command, got;
		uint8_t record[16], again[16];
		uint64_t round = seed;
		int result;

		random_record(record);
		result = smmuv3->decode_command(record, 16, &command);
		CHECK(result == 0 || result == -EBADMSG);
		refused += result < 0;
		seed = round + 1;
		if (result < 0)
			continue;
		understood++;
		CHECK_EQ(smmuv3->encode_command(&command, 16, again), 0);
		CHECK_EQ(smmuv3->decode_command(again, 16, &got), 0);
		CHECK(memcmp(&got, &command, sizeof(got)) == 0);
		if (command.kind == IOPF_COMMAND_INVALIDATE_IOTLB)
			CHECK(covers(&command, record));
	}
	CHECK(understood > ROUNDS / 4 && refused > ROUNDS / 10);
}

int main(void)
{
	return test_main();
}
