/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: random values survive the way there and back; bytes: wire_records.c. */
#include <errno.h>

#include "test.h"
#include "wire/vtd.h"
#include "iopf/wire.h"

enum { ROUNDS = 1000000 };

static const struct iopf_wire *const vtd = &iopf_wire_vtd;
static uint64_t seed;

static uint64_t random_bits(unsigned bits)
{
	return test_random(&seed) >> (64 - bits);
}

static uint32_t random_pasid(void)
{
	return random_bits(2) == 0 ? IOPF_PASID_NONE : (uint32_t)random_bits(20);
}

static void random_private(uint8_t *flags, uint64_t *private_data)
{
	if (random_bits(1) == 0)
		return;
	*flags |= IOPF_PRIVATE;
	private_data[0] = random_bits(64);
	private_data[1] = random_bits(64);
}

static struct iopf_request random_request(void)
{
	struct iopf_request request = {
		.addr = random_bits(52) << 12,
		.rid = (uint32_t)random_bits(16),
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
	random_private(&request.flags, request.private_data);
	return request;
}

TEST(random_requests_come_back)
{
	for (seed = 0; seed < ROUNDS;) {
		uint64_t round = seed;
		struct iopf_request request = random_request(), got;
		bool reserved = true;
		uint8_t record[32];

		CHECK_EQ(vtd->encode_request(&request, record), 0);
		CHECK_EQ(vtd->decode_request(record, &got, &reserved), 0);
		CHECK(memcmp(&got, &request, sizeof(got)) == 0 && !reserved);
		seed = round + 1;
	}
}

TEST(random_pcie_requests_come_back)
{
	for (seed = 0; seed < ROUNDS;) {
		uint64_t round = seed, payload;
		struct iopf_request request = random_request(), got;

		request.flags &= (uint8_t)~IOPF_PRIVATE;
		memset(request.private_data, 0, sizeof(request.private_data));
		payload = iopf_pcie_encode_request(&request);
		CHECK_EQ(iopf_pcie_decode_request(payload, request.rid, request.pasid,
						  request.perm & (IOPF_EXEC | IOPF_PRIV),
						  &got), 0);
		CHECK(memcmp(&got, &request, sizeof(got)) == 0);
		seed = round + 1;
	}
}

static void random_range(struct iopf_command *command)
{
	unsigned order = (unsigned)(random_bits(8) % 52);

	command->size_bytes = UINT64_C(4096) << order;
	command->addr = random_bits(64) & ~(command->size_bytes - 1);
}

static void random_response(struct iopf_command *c)
{
	c->rid = (uint32_t)random_bits(16);
	c->pasid = random_pasid();
	c->index = (uint16_t)random_bits(9);
	c->code = (uint8_t)(random_bits(8) % IOPF_CODE_COUNT);
	c->flags = random_bits(1) ? IOPF_LAST : 0;
	random_private(&c->flags, c->private_data);
}

static void random_context(struct iopf_command *c)
{
	static const uint8_t masks[] = { 0, 4, 6, 7 };

	c->granularity = (uint8_t)(random_bits(8) % 3);
	if (c->granularity != IOPF_ALL)
		c->domain = (uint16_t)random_bits(16);
	if (c->granularity == IOPF_DEVICE) {
		c->rid = (uint32_t)random_bits(16);
		c->rid_mask = masks[random_bits(2)];
	}
}

static void random_pasid_cache(struct iopf_command *c)
{
	static const uint8_t granularities[] = { IOPF_ALL, IOPF_DOMAIN, IOPF_ONE_PASID };

	c->granularity = granularities[random_bits(8) % 3];
	if (c->granularity != IOPF_ALL)
		c->domain = (uint16_t)random_bits(16);
	if (c->granularity == IOPF_ONE_PASID)
		c->pasid = (uint32_t)random_bits(20);
}

static void random_iotlb(struct iopf_command *c)
{
	static const uint8_t granularities[] = { IOPF_ALL, IOPF_DOMAIN, IOPF_ONE_PASID,
						 IOPF_PAGE };

	c->granularity = granularities[random_bits(2)];
	if (c->granularity != IOPF_ALL)
		c->domain = (uint16_t)random_bits(16);
	if (c->granularity == IOPF_ONE_PASID)
		c->pasid = (uint32_t)random_bits(20);
	else
		c->hints = (uint8_t)(random_bits(2) << 1);
	if (c->granularity != IOPF_PAGE)
		return;
	random_range(c);
	c->pasid = random_pasid();
	c->hints |= (uint8_t)random_bits(1);
	if (c->pasid != IOPF_PASID_NONE)
		c->hints &= IOPF_HINT_LEAF;
}

static void random_device(struct iopf_command *c)
{
	c->granularity = random_bits(1) ? IOPF_ALL : IOPF_PAGE;
	c->rid = (uint32_t)random_bits(16);
	c->pasid = random_bits(3) == 0 ? IOPF_PASID_ANY : random_pasid();
	c->pending_max = (uint8_t)random_bits(5);
	c->pf_rid = (uint32_t)random_bits(16);
	if (c->granularity == IOPF_PAGE)
		random_range(c);
}

static void random_wait(struct iopf_command *c)
{
	c->wait_flags = (uint8_t)random_bits(4);
	if (c->wait_flags & IOPF_WAIT_STATUS) {
		c->status_data = (uint32_t)random_bits(32);
		c->status_addr = random_bits(62) << 2;
	}
}

static void (*const random_command[])(struct iopf_command *) = {
	[IOPF_COMMAND_RESPONSE] = random_response,
	[IOPF_COMMAND_INVALIDATE_CONTEXT] = random_context,
	[IOPF_COMMAND_INVALIDATE_PASID] = random_pasid_cache,
	[IOPF_COMMAND_INVALIDATE_IOTLB] = random_iotlb,
	[IOPF_COMMAND_INVALIDATE_DEVICE] = random_device,
	[IOPF_COMMAND_WAIT] = random_wait,
};

TEST(random_commands_come_back)
{
	for (seed = 0; seed < ROUNDS;) {
		struct iopf_command command = { .kind = (uint8_t)(1 + seed % 6) }, got;
		uint32_t size_bytes = seed / 6 % 2 ? 16 : 32;
		uint64_t round = seed;
		uint8_t record[32];

		random_command[command.kind](&command);
		if (command.flags & IOPF_PRIVATE)
			size_bytes = 32;
		CHECK_EQ(vtd->encode_command(&command, size_bytes, record), 0);
		CHECK_EQ(vtd->decode_command(record, size_bytes, &got), 0);
		CHECK(memcmp(&got, &command, sizeof(got)) == 0);
		seed = round + 1;
	}
}

int main(void)
{
	return test_main();
}
