/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: AMD: what does not fit is refused and nothing is written; what is reserved
 * is no command, or is noticed; random values survive the way there and back. */
#include <errno.h>

#include "test.h"
#include "wire/amd.h"
#include "iopf/wire.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { ROUNDS = 200000 };

static const struct iopf_wire *const amd = &iopf_wire_amd;
static uint64_t seed;

static uint64_t random_bits(unsigned bits)
{
	return test_random(&seed) >> (64 - bits);
}

static void put(uint8_t *record, uint64_t low, uint64_t high)
{
	le64_put(record, low);
	le64_put(record + 8, high);
}

static void check_untouched(const uint8_t *record)
{
	for (unsigned i = 0; i < 32; i++)
		CHECK_EQ(record[i], 0xa5);
}

/* ---- Requests ---------------------------------------------------------------------- */

static const struct {
	int error;
	struct iopf_request request;
} requests[] = {
	{ -ERANGE, { .pasid = 0x100000 } },
	{ -ERANGE, { .pasid = IOPF_PASID_ANY } },
	{ -ERANGE, { .pasid = 0, .rid = 0x10000 } },
	{ -ERANGE, { .pasid = 0, .index = 0x200 } },
	{ -ERANGE, { .pasid = 0, .addr = 0x800 } },
	{ -ERANGE, { .pasid = 0, .perm = 0x10 } },
	{ -ERANGE, { .pasid = 0, .flags = 0x10 } },
	{ -ERANGE, { .pasid = IOPF_PASID_NONE, .perm = IOPF_READ | IOPF_EXEC } },
	{ -ERANGE, { .pasid = IOPF_PASID_NONE, .perm = IOPF_READ | IOPF_PRIV } },
	/* would be a stop marker in the log */
	{ -ERANGE, { .pasid = 0, .flags = IOPF_LAST } },
	{ -ERANGE, { .pasid = IOPF_PASID_NONE, .flags = IOPF_STOP } },
	{ -ERANGE, { .pasid = 0, .flags = IOPF_STOP, .addr = 0x1000 } },
	{ -ERANGE, { .pasid = 0, .flags = IOPF_STOP, .index = 1 } },
	{ -EOPNOTSUPP, { .pasid = 0, .flags = IOPF_LAST | IOPF_STALL, .perm = 1 } },
	{ -EOPNOTSUPP, { .pasid = 0, .flags = IOPF_PRIVATE, .perm = 1 } },
};

TEST(a_request_that_does_not_fit_is_not_written)
{
	for (size_t i = 0; i < COUNT(requests); i++) {
		uint8_t record[32];

		memset(record, 0xa5, sizeof(record));
		CHECK_EQ(amd->encode_request(&requests[i].request, record),
			 requests[i].error);
		check_untouched(record);
	}
}

/* A log's tail runs ahead of its entries. */
TEST(an_entry_that_is_not_written_yet_is_no_request_and_no_event)
{
	uint8_t record[16] = { 0x10, 0x03 };
	struct iopf_request request;
	struct iopf_fault fault;
	bool reserved;

	for (unsigned code = 0; code < 16; code++) {
		record[7] = (uint8_t)(code << 4);
		CHECK_EQ(amd->decode_request(record, &request, &reserved),
			 code == 1 ? 0 : -EBADMSG);
		CHECK_EQ(amd->decode_fault(record, &fault, &reserved),
			 code != 0 ? 0 : -EBADMSG);
	}
}

TEST(a_user_is_1_and_without_a_pasid_nobody_is_anything)
{
	struct iopf_request request;
	bool reserved = true;
	uint8_t record[16];

	put(record, 0x1144000000000310, 0x1000); /* GN, US, R */
	CHECK_EQ(amd->decode_request(record, &request, &reserved), 0);
	CHECK_EQ(request.perm, IOPF_READ);
	CHECK_EQ(request.pasid, 0);
	put(record, 0x1104000000000310, 0x1000);
	CHECK_EQ(amd->decode_request(record, &request, &reserved), 0);
	CHECK_EQ(request.perm, IOPF_READ | IOPF_PRIV);
	CHECK(!reserved);
	for (unsigned us = 0; us < 2; us++) {
		put(record, UINT64_C(0x1004000012340310) | (uint64_t)us << 54, 0x1000);
		CHECK_EQ(amd->decode_request(record, &request, &reserved), 0);
		CHECK_EQ(request.perm, IOPF_READ);
		CHECK_EQ(request.pasid, IOPF_PASID_NONE);
		CHECK(!reserved);
	}
}

/* What the message had too much is the function's own business: it is served. */
TEST(reserved_bits_of_a_request_are_noticed_and_change_nothing)
{
	struct iopf_request plain, request;
	uint8_t record[16];
	bool reserved;

	put(record, 0x116407ab23450310, 0x00007f0012345000);
	CHECK_EQ(amd->decode_request(record, &plain, &reserved), 0);
	CHECK(!reserved);
	for (unsigned bit = 0; bit < 128; bit++) {
		bool rz = bit == 55;

		if (!rz && !(amd_request_layout.reserved[bit / 64] >> bit % 64 & 1))
			continue;
		record[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CHECK_EQ(amd->decode_request(record, &request, &reserved), 0);
		CHECK(reserved && memcmp(&request, &plain, sizeof(plain)) == 0);
		record[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

TEST(any_bytes_of_a_request_keep_what_they_say)
{
	for (seed = 0; seed < ROUNDS;) {
		struct iopf_request request, got;
		uint8_t record[16], again[16];
		bool reserved, clean = true;
		uint64_t round = seed;

		put(record, (random_bits(64) & UINT64_MAX >> 4) | UINT64_C(1) << 60,
		    random_bits(64));
		seed = round + 1;
		CHECK_EQ(amd->decode_request(record, &request, &reserved), 0);
		CHECK_EQ(amd->encode_request(&request, again), 0);
		CHECK_EQ(amd->decode_request(again, &got, &clean), 0);
		CHECK(memcmp(&got, &request, sizeof(got)) == 0 && !clean);
	}
}

/* ---- Events ------------------------------------------------------------------------ */

#define REASON(event, flags) .reason = IOPF_AMD_REASON(IOPF_AMD_##event, flags)
#define FAULT               REASON(IO_PAGE_FAULT, 0)
#define PPR                 REASON(INVALID_PPR_REQUEST, 0)

static const struct {
	int error;
	struct iopf_fault fault;
} faults[] = {
	{ -EOPNOTSUPP, { .reason = 0, .perm = IOPF_READ } },
	{ -EOPNOTSUPP, { .reason = 10 << 12, .perm = IOPF_READ } },
	{ -EOPNOTSUPP, { FAULT, .perm = IOPF_READ, .stall = true } },
	{ -ERANGE, { FAULT, .perm = IOPF_READ, .pasid = 0x100000 } },
	{ -ERANGE, { FAULT, .perm = IOPF_READ, .rid = 0x10000 } },
	{ -ERANGE, { FAULT, .perm = 0 } },
	{ -ERANGE, { FAULT, .perm = IOPF_READ | IOPF_WRITE } },
	{ -ERANGE, { FAULT, .perm = IOPF_READ | IOPF_PRIV, .pasid = IOPF_PASID_NONE } },
	{ -ERANGE, { REASON(IO_PAGE_FAULT, IOPF_AMD_TYPE), .perm = IOPF_READ } },
	{ -ERANGE, { REASON(ILLEGAL_COMMAND_ERROR, IOPF_AMD_RZ) } },
	{ -ERANGE, { REASON(DEV_TAB_HARDWARE_ERROR, 0), .perm = 1, .pasid = 0 } },
	{ -ERANGE, { REASON(INVALID_DEVICE_REQUEST, 0), .perm = IOPF_READ } },
	{ -ERANGE, { PPR, .perm = 0x10 } },
	{ -ERANGE, { PPR, .perm = IOPF_EXEC, .pasid = IOPF_PASID_NONE } },
	{ -ERANGE, { PPR, .addr = 0x800 } },
	{ -ERANGE, { PPR, .index = 0x200 } },
};

TEST(a_fault_that_does_not_fit_is_not_written)
{
	for (size_t i = 0; i < COUNT(faults); i++) {
		uint8_t record[32];
		int result;

		memset(record, 0xa5, sizeof(record));
		result = amd->encode_fault(&faults[i].fault, record);
		if (result != faults[i].error)
			printf("row %zu: ", i);
		CHECK_EQ(result, faults[i].error);
		check_untouched(record);
	}
}

TEST(any_bytes_are_an_event_and_keep_what_they_say)
{
	uint32_t unknown = 0;

	for (seed = 0; seed < ROUNDS;) {
		struct iopf_fault fault, got;
		uint8_t record[16], again[16];
		bool reserved, clean = true;
		uint64_t round = seed;

		put(record, random_bits(64), random_bits(64));
		seed = round + 1;
		if (record[7] >> 4 == 0)
			continue;
		CHECK_EQ(amd->decode_fault(record, &fault, &reserved), 0);
		CHECK_EQ(IOPF_AMD_EVENT(fault.reason), record[7] >> 4);
		CHECK(!fault.stall);
		if (IOPF_AMD_EVENT(fault.reason) > IOPF_AMD_INVALID_PPR_REQUEST) {
			unknown++;
			CHECK(reserved);
			CHECK_EQ(amd->encode_fault(&fault, again), -EOPNOTSUPP);
			continue;
		}
		CHECK_EQ(amd->encode_fault(&fault, again), 0);
		CHECK_EQ(amd->decode_fault(again, &got, &clean), 0);
		CHECK(memcmp(&got, &fault, sizeof(got)) == 0 && !clean);
	}
	CHECK(unknown > ROUNDS / 8);
}

/* ---- Commands ---------------------------------------------------------------------- */

#define RESPONSE  .kind = IOPF_COMMAND_RESPONSE
#define CONTEXT   .kind = IOPF_COMMAND_INVALIDATE_CONTEXT
#define PASID     .kind = IOPF_COMMAND_INVALIDATE_PASID
#define IOTLB     .kind = IOPF_COMMAND_INVALIDATE_IOTLB
#define DEVICE    .kind = IOPF_COMMAND_INVALIDATE_DEVICE
#define WAIT      .kind = IOPF_COMMAND_WAIT
#define NO_PASID  .pasid = IOPF_PASID_NONE
#define RUN(size) .granularity = IOPF_PAGE, .size_bytes = (size)
#define STATUS(a) .wait_flags = IOPF_WAIT_STATUS, .status_addr = (a)

static const struct {
	int error;
	struct iopf_command command;
} commands[] = {
	{ -EOPNOTSUPP, { .kind = IOPF_COMMAND_NONE } },
	{ -EOPNOTSUPP, { .kind = IOPF_COMMAND_OTHER } },
	{ -EOPNOTSUPP, { .kind = IOPF_COMMAND_TERMINATE } },
	{ -EOPNOTSUPP, { .kind = IOPF_COMMAND_KIND_COUNT } },
	{ -EOPNOTSUPP, { RESPONSE, .flags = IOPF_STALL } },
	{ -ERANGE, { RESPONSE, .flags = IOPF_PRIVATE } },
	{ -ERANGE, { RESPONSE, .pasid = 0x100000 } },
	{ -ERANGE, { RESPONSE, .pasid = IOPF_PASID_ANY } },
	{ -ERANGE, { RESPONSE, .rid = 0x10000 } },
	{ -ERANGE, { RESPONSE, .index = 0x200 } },
	{ -ERANGE, { RESPONSE, .code = IOPF_CODE_COUNT } },
	{ -EOPNOTSUPP, { CONTEXT, .granularity = IOPF_DOMAIN } },
	{ -EOPNOTSUPP, { CONTEXT, .granularity = IOPF_DEVICE, .rid_mask = 7 } },
	{ -ERANGE, { CONTEXT, .granularity = IOPF_DEVICE, .rid = 0x10000 } },
	{ -EOPNOTSUPP, { PASID, .granularity = IOPF_DEVICE } },
	{ -EOPNOTSUPP, { PASID, RUN(4096) } },
	{ -ERANGE, { PASID, .granularity = IOPF_ONE_PASID, .pasid = 0x100000 } },
	{ -EOPNOTSUPP, { IOTLB, .granularity = IOPF_DEVICE } },
	{ -EOPNOTSUPP, { IOTLB, .granularity = 255 } },
	{ -ERANGE, { IOTLB, .granularity = IOPF_ONE_PASID, .pasid = 0x100000 } },
	{ -ERANGE, { IOTLB, RUN(0) } },
	{ -ERANGE, { IOTLB, RUN(12288) } },
	{ -ERANGE, { IOTLB, RUN(8192), .addr = 0x1000 } },
	/* one PASID or none */
	{ -EOPNOTSUPP, { DEVICE, .granularity = IOPF_ALL, .pasid = IOPF_PASID_ANY } },
	{ -EOPNOTSUPP, { DEVICE, NO_PASID, .granularity = IOPF_DOMAIN } },
	{ -ERANGE, { DEVICE, .granularity = IOPF_ALL, .pasid = 0x100000 } },
	{ -ERANGE, { DEVICE, NO_PASID, .granularity = IOPF_ALL, .rid = 0x10000 } },
	{ -ERANGE, { DEVICE, NO_PASID, .granularity = IOPF_ALL, .pf_rid = 0x10000 } },
	{ -ERANGE, { DEVICE, NO_PASID, .granularity = IOPF_ALL, .pending_max = 32 } },
	{ -ERANGE, { DEVICE, NO_PASID, RUN(0x3000) } },
	{ -ERANGE, { WAIT, .wait_flags = 16 } },
	{ -ERANGE, { WAIT, STATUS(4) } },
	{ -ERANGE, { WAIT, STATUS(UINT64_C(1) << 52) } },
};

TEST(a_command_that_does_not_fit_is_not_written)
{
	for (size_t i = 0; i < COUNT(commands); i++) {
		uint8_t record[32];
		int result;

		memset(record, 0xa5, sizeof(record));
		result = amd->encode_command(&commands[i].command, 16, record);
		if (result != commands[i].error)
			printf("row %zu: ", i);
		CHECK_EQ(result, commands[i].error);
		check_untouched(record);
	}
}

TEST(a_command_of_another_size_is_not_touched)
{
	const struct iopf_command command = { RESPONSE };
	struct iopf_command got = { .kind = 77 };
	uint8_t record[32];

	memset(record, 0xa5, sizeof(record));
	for (uint32_t size_bytes = 0; size_bytes < 65; size_bytes++) {
		if (size_bytes == 16)
			continue;
		CHECK_EQ(amd->encode_command(&command, size_bytes, record), -EINVAL);
		CHECK_EQ(amd->decode_command(record, size_bytes, &got), -EINVAL);
	}
	check_untouched(record);
	CHECK_EQ(got.kind, 77);
}

/* What 48882, 2.4 reserves, by opcode. */
static const struct {
	uint8_t opcode;
	uint64_t reserved[2];
} masks[] = {
	{ 1, { 0x0ff0000000000000, 0 } },
	{ 2, { 0x0fffffffffff0000, UINT64_MAX } },
	{ 3, { 0x0fff0000fff00000, 0xff8 } },
	{ 4, { 0, 0xffa } },
	{ 5, { 0x0fffffffffff0000, UINT64_MAX } },
	{ 7, { 0x0ff00000ffff0000, 0xffff0e00fffffffb } },
	{ 8, { 0x0fffffffffffffff, UINT64_MAX } },
};

TEST(a_reserved_bit_in_a_command_is_refused)
{
	for (size_t i = 0; i < COUNT(masks); i++) {
		for (unsigned bit = 0; bit < 128; bit++) {
			struct iopf_command got = { .kind = 77 };
			uint8_t record[16] = { 0 };
			bool refused;

			record[7] = (uint8_t)(masks[i].opcode << 4);
			if (bit >= 60 && bit < 64)
				continue;
			record[bit / 8] ^= (uint8_t)(1 << bit % 8);
			refused = masks[i].reserved[bit / 64] >> bit % 64 & 1;
			CHECK_EQ(amd->decode_command(record, 16, &got),
				 refused ? -EBADMSG : 0);
			CHECK(!refused || got.kind == 77);
		}
	}
}

TEST(an_unknown_opcode_is_no_command)
{
	for (unsigned opcode = 0; opcode < 16; opcode++) {
		uint8_t record[16] = { 0 };
		struct iopf_command got;
		bool known = opcode >= 1 && opcode <= 8 && opcode != 6;

		record[7] = (uint8_t)(opcode << 4);
		CHECK_EQ(amd->decode_command(record, 16, &got), known ? 0 : -EBADMSG);
	}
}

/* Linux waits for a store of 64 bits. */
TEST(a_wait_says_no_more_with_a_drain_and_keeps_all_of_its_data)
{
	struct iopf_command command = { WAIT, STATUS(8), .status_data = UINT64_MAX }, got;
	uint8_t record[16];

	command.wait_flags |= IOPF_WAIT_DRAIN;
	CHECK_EQ(amd->encode_command(&command, 16, record), 0);
	CHECK_EQ(le64_get(record), 0x1000000000000009);
	CHECK_EQ(amd->decode_command(record, 16, &got), 0);
	CHECK_EQ(got.status_data, UINT64_MAX);
}

/* The entry of a PASID has no command of its own, and everything has one. */
TEST(what_the_family_says_with_one_command_is_read_as_that)
{
	static const struct {
		struct iopf_command said;
		uint8_t kind, granularity;
	} rows[] = {
		{ { PASID, .granularity = IOPF_ONE_PASID, .pasid = 7, .domain = 3 },
		  IOPF_COMMAND_INVALIDATE_IOTLB, IOPF_ONE_PASID },
		{ { PASID, .granularity = IOPF_DOMAIN, .domain = 3 },
		  IOPF_COMMAND_INVALIDATE_IOTLB, IOPF_DOMAIN },
		{ { PASID, .granularity = IOPF_ALL },
		  IOPF_COMMAND_INVALIDATE_IOTLB, IOPF_ALL },
		{ { CONTEXT, .granularity = IOPF_ALL },
		  IOPF_COMMAND_INVALIDATE_IOTLB, IOPF_ALL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct iopf_command got;
		uint8_t record[16];

		CHECK_EQ(amd->encode_command(&rows[i].said, 16, record), 0);
		CHECK_EQ(amd->decode_command(record, 16, &got), 0);
		CHECK_EQ(got.kind, rows[i].kind);
		CHECK_EQ(got.granularity, rows[i].granularity);
		CHECK_EQ(got.domain, rows[i].said.domain);
		CHECK_EQ(got.pasid, rows[i].said.pasid);
		CHECK_EQ(got.hints, 0);
	}
}

int main(void)
{
	return test_main();
}
