/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: SMMUv3: each bit of each record counts, is reserved and noticed, or is
 * one that the architecture ignores. */
#include <errno.h>

#include "test.h"
#include "wire/smmuv3.h"
#include "wire/wire.h"
#include "iopf/wire.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ALL          UINT64_MAX
#define SSID         UINT64_C(0x00000000fffff000)

static const struct iopf_wire *const smmuv3 = &iopf_wire_smmuv3;

static void flip(uint8_t *record, unsigned bit)
{
	record[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

static bool in(const uint64_t *words, unsigned bit)
{
	return (words[bit / 64] >> bit % 64 & 1) != 0;
}

#define CHECK_BIT(what, row, bit)                                  \
	do {                                                       \
		if (!(what))                                       \
			printf("row %zu, bit %u: ", (row), (bit)); \
		CHECK(what);                                       \
	} while (0)

/* ---- Commands ---------------------------------------------------------------------- */

/* What IHI 0070, chapter 4 leaves undefined, by opcode; SSec, bit 10, is to be 0. */
static const struct {
	uint8_t opcode;
	uint64_t reserved[2];
} commands[] = {
	{ 0x01, { 0x0000000000000700, ALL } },
	{ 0x02, { 0x0000000000000700, 0x0000000000000c00 } },
	{ 0x03, { 0x00000000ffffff00, 0xfffffffffffffffe } },
	{ 0x04, { 0x00000000ffffff00, 0xffffffffffffffe0 } },
	{ 0x05, { 0x0000000000000f00, 0xfffffffffffffffe } },
	{ 0x06, { 0x00000000ffffff00, ALL } },
	{ 0x10, { 0xffff0000ffffff00, ALL } },
	{ 0x11, { 0x00000000ffffff00, ALL } },
	{ 0x12, { 0x00000000fe0e0f00, 0x00000000000000fe } },
	{ 0x13, { 0xffff0000fe0e0f00, 0x00000000000000fe } },
	{ 0x28, { 0xffff0000ffffff00, ALL } },
	{ 0x2a, { 0xffff0000fe0e0f00, 0xff000000000000fe } },
	{ 0x30, { 0xffffffffffffff00, ALL } },
	{ 0x40, { 0x0000000000000500, 0x0000000000000fc0 } },
	{ 0x41, { 0x0000000000000700, 0xffffffffffffce00 } },
	{ 0x44, { 0x00000000ffffcf00, 0xffffffffffff0000 } },
	{ 0x45, { 0x00000000ffffff00, ALL } },
	{ 0x46, { 0x00000000f03fcf00, 0xff00000000000003 } },
};

TEST(a_reserved_bit_in_a_command_is_refused)
{
	for (size_t i = 0; i < COUNT(commands); i++) {
		for (unsigned bit = 8; bit < 128; bit++) {
			uint8_t record[16] = { commands[i].opcode };
			struct iopf_command got, untouched;
			int result;

			memset(&untouched, 0xa5, sizeof(untouched));
			got = untouched;
			flip(record, bit);
			result = smmuv3->decode_command(record, 16, &got);
			if (in(commands[i].reserved, bit))
				CHECK_BIT(result == -EBADMSG, i, bit);
			if (result != 0)
				CHECK(memcmp(&got, &untouched, sizeof(got)) == 0);
		}
	}
}

/* Each way to say something, and the bits that do not count then. */
static const struct {
	struct iopf_command command;
	uint64_t ignored[2];
} said[] = {
	{ { .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
	    .granularity = IOPF_DEVICE,
	    .rid = UINT32_MAX },
	  { 0 } },
	{ { .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
	    .granularity = IOPF_DEVICE,
	    .rid = 0x310,
	    .rid_mask = 3 },
	  { UINT64_C(3) << 32, 0 } },
	/* CFGI_ALL: no StreamID counts, and no other range of more than 256. */
	{ { .kind = IOPF_COMMAND_INVALIDATE_CONTEXT, .granularity = IOPF_ALL },
	  { UINT64_C(0xffffffff) << 32, 0x1f } },
	{ { .kind = IOPF_COMMAND_INVALIDATE_PASID,
	    .granularity = IOPF_ONE_PASID,
	    .rid = UINT32_MAX,
	    .pasid = IOPF_PASID_MAX,
	    .hints = IOPF_HINT_LEAF },
	  { 0 } },
	{ { .kind = IOPF_COMMAND_INVALIDATE_PASID, .granularity = IOPF_DEVICE }, { 0 } },
	{ { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	    .granularity = IOPF_DOMAIN,
	    .domain = 0xffff },
	  { 0 } },
	{ { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	    .granularity = IOPF_DOMAIN,
	    .hints = IOPF_HINT_FIRST },
	  { 0 } },
	{ { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	    .granularity = IOPF_ONE_PASID,
	    .domain = 0xffff,
	    .asid = 0xffff },
	  { 0 } },
	{ { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	    .granularity = IOPF_PAGE,
	    .domain = 0xffff,
	    .asid = 0xffff,
	    .addr = UINT64_MAX - 4095,
	    .size_bytes = 4096,
	    .hints = IOPF_HINT_LEAF },
	  { 0 } },
	{ { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	    .granularity = IOPF_PAGE,
	    .addr = 0,
	    .size_bytes = 4096,
	    .hints = IOPF_HINT_ANY_ASID },
	  { 0 } },
	{ { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	    .granularity = IOPF_PAGE,
	    .addr = 0,
	    .size_bytes = 4096,
	    .hints = IOPF_HINT_SECOND },
	  { 0 } },
	/* Levels are a hint that leaves entries out. */
	{ { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	    .granularity = IOPF_PAGE,
	    .addr = 0x200000,
	    .size_bytes = 0x2000,
	    .hints = IOPF_HINT_SECOND },
	  { 0, UINT64_C(3) << 8 } },
	{ { .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
	    .granularity = IOPF_PAGE,
	    .rid = UINT32_MAX,
	    .pasid = IOPF_PASID_MAX,
	    .addr = UINT64_MAX - 4095,
	    .size_bytes = 4096 },
	  { 0 } },
	{ { .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
	    .granularity = IOPF_PAGE,
	    .rid = 0,
	    .pasid = IOPF_PASID_NONE,
	    .addr = 0x4000,
	    .size_bytes = 0x4000 },
	  { SSID | 0x200, 0x3000 } },
	{ { .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
	    .granularity = IOPF_ALL,
	    .rid = 0,
	    .pasid = IOPF_PASID_ANY },
	  { SSID, ~UINT64_C(0xfff) } },
	{ { .kind = IOPF_COMMAND_RESPONSE,
	    .rid = UINT32_MAX,
	    .pasid = IOPF_PASID_MAX,
	    .index = 0x1ff,
	    .code = IOPF_SUCCESS },
	  { 0 } },
	{ { .kind = IOPF_COMMAND_RESPONSE,
	    .rid = 0,
	    .pasid = IOPF_PASID_NONE,
	    .code = IOPF_INVALID },
	  { SSID, 0 } },
	{ { .kind = IOPF_COMMAND_RESPONSE, .rid = 0, .pasid = 0, .code = IOPF_FAILURE },
	  { 0 } },
	/* With retry nobody asks how to end it; ended is ended. */
	{ { .kind = IOPF_COMMAND_RESPONSE,
	    .rid = UINT32_MAX,
	    .pasid = IOPF_PASID_NONE,
	    .index = 0xffff,
	    .code = IOPF_SUCCESS,
	    .flags = IOPF_STALL },
	  { 0x2000, 0 } },
	{ { .kind = IOPF_COMMAND_RESPONSE,
	    .rid = 0,
	    .pasid = IOPF_PASID_NONE,
	    .code = IOPF_INVALID,
	    .flags = IOPF_STALL },
	  { 0x2000, 0 } },
	{ { .kind = IOPF_COMMAND_TERMINATE, .rid = UINT32_MAX }, { 0 } },
	/* Memory attributes are the bus's; without a message nothing of it counts. */
	{ { .kind = IOPF_COMMAND_WAIT,
	    .wait_flags = IOPF_WAIT_STATUS,
	    .status_data = UINT32_MAX,
	    .status_addr = 0x00fffffffffffffc },
	  { 0x000000000fc00000, 0 } },
	{ { .kind = IOPF_COMMAND_WAIT }, { 0xffffffff0fc02000, 0x00fffffffffffffc } },
};

static void walk_command(size_t row, const uint8_t *record)
{
	for (unsigned bit = 8; bit < 128; bit++) {
		struct iopf_command got;
		uint8_t changed[16];
		int result;
		bool same;

		memcpy(changed, record, 16);
		flip(changed, bit);
		result = smmuv3->decode_command(changed, 16, &got);
		same = result == 0 && memcmp(&got, &said[row].command, sizeof(got)) == 0;
		CHECK_BIT(same == in(said[row].ignored, bit), row, bit);
	}
}

TEST(each_bit_of_a_command_counts_or_is_known_not_to)
{
	for (size_t i = 0; i < COUNT(said); i++) {
		struct iopf_command got;
		uint8_t record[16];

		CHECK_EQ(smmuv3->encode_command(&said[i].command, 16, record), 0);
		CHECK_EQ(smmuv3->decode_command(record, 16, &got), 0);
		CHECK_BIT(memcmp(&got, &said[i].command, sizeof(got)) == 0, i, 0u);
		walk_command(i, record);
	}
}

/* ---- Requests ---------------------------------------------------------------------- */

static const struct {
	struct iopf_request request;
	uint64_t reserved[2], ignored[2];
} requests[] = {
	{ { .pasid = 0 }, { 0x03f0000000000000, 0xe00 }, { 0 } },
	{ { .pasid = IOPF_PASID_MAX,
	    .rid = UINT32_MAX,
	    .index = 0x1ff,
	    .perm = 15,
	    .addr = UINT64_MAX - 4095,
	    .flags = IOPF_LAST },
	  { 0x03f0000000000000, 0xe00 },
	  { 0 } },
	{ { .pasid = IOPF_PASID_NONE, .flags = IOPF_LAST },
	  { 0x0ff0000000000000, 0xe00 },
	  { 0x000fffff00000000, 0 } },
	{ { .pasid = IOPF_PASID_MAX, .flags = IOPF_STOP },
	  { 0x0ff0000000000000, ALL },
	  { 0 } },
};

static void walk_request(size_t row, const uint8_t *record)
{
	for (unsigned bit = 0; bit < 128; bit++) {
		bool reserved = false, same;
		struct iopf_request got;
		uint8_t changed[16];

		memcpy(changed, record, 16);
		flip(changed, bit);
		CHECK_EQ(smmuv3->decode_request(changed, &got, &reserved), 0);
		same = memcmp(&got, &requests[row].request, sizeof(got)) == 0;
		CHECK_BIT(same == (in(requests[row].reserved, bit) ||
				   in(requests[row].ignored, bit)),
			  row, bit);
		if (same)
			CHECK_BIT(reserved == in(requests[row].reserved, bit), row, bit);
	}
}

TEST(each_bit_of_a_request_counts_or_is_reported)
{
	for (size_t i = 0; i < COUNT(requests); i++) {
		bool reserved = true;
		struct iopf_request got;
		uint8_t record[16];

		CHECK_EQ(smmuv3->encode_request(&requests[i].request, record), 0);
		CHECK_EQ(smmuv3->decode_request(record, &got, &reserved), 0);
		CHECK(!reserved);
		CHECK(memcmp(&got, &requests[i].request, sizeof(got)) == 0);
		walk_request(i, record);
	}
}

/* ---- Events ------------------------------------------------------------------------ */

#define HEAD UINT64_C(0x700)
#define CONFIG                                     \
	{                                          \
		HEAD, 0xffffffffffffffff, ALL, ALL \
	}
#define FETCH                                                     \
	{                                                         \
		HEAD, 0xfffffffffffe0000, ALL, 0xff00000000000007 \
	}
#define FAULT                                                   \
	{                                                       \
		HEAD, 0xfffffc717fff0000, 0, 0xff00000000000fff \
	}
#define NO_TAG                  \
	{                       \
		0, 0xffff, 0, 0 \
	}

/* What IHI 0070, 7.3 leaves undefined, and what is not valid where it stands. The stall
 * bit is in none of them: see below. */
static const struct {
	struct iopf_fault fault;
	uint64_t reserved[4], ignored[4];
} events[] = {
	{ { .reason = 0x01, .pasid = 1, .perm = IOPF_READ },
	  { HEAD, 0xfffffff1ffff0000, 0, ALL },
	  NO_TAG },
	{ { .reason = 0x02, .pasid = 1 }, CONFIG, { 0 } },
	{ { .reason = 0x03, .pasid = IOPF_PASID_NONE }, FETCH, { SSID, 0x1ffff, 0, 0 } },
	{ { .reason = 0x04, .pasid = 1 }, CONFIG, { 0 } },
	{ { .reason = 0x05, .pasid = 1, .request = true },
	  { HEAD, 0xfffffc71fffe0000, 0, ALL },
	  { 0, 0x38e0001ffff, 0, 0 } },
	{ { .reason = 0x06, .pasid = IOPF_PASID_NONE }, CONFIG, { SSID, 0, 0, 0 } },
	{ { .reason = 0x07, .pasid = 1, .perm = IOPF_WRITE },
	  { HEAD, 0xfffffff7ffffffff, 0, ALL },
	  { 0 } },
	{ { .reason = 0x08, .pasid = 1 }, { HEAD | 0x800, ALL, ALL, ALL }, { 0 } },
	{ { .reason = 0x09, .pasid = 1 }, FETCH, { 0, 0x1ffff, 0, 0 } },
	{ { .reason = 0x0a, .pasid = 1 }, CONFIG, { 0 } },
	{ { .reason = 0x0b,
	    .pasid = 1,
	    .perm = IOPF_READ,
	    .stage = 2,
	    .what = IOPF_FAULT_INPUT },
	  { HEAD, 0xfffffc71fffe0000, 0, 0xff00000000000007 },
	  { 0, 0x1ffff, 0, 0 } },
	{ { .reason = 0x10,
	    .pasid = 1,
	    .perm = IOPF_READ,
	    .stage = 2,
	    .what = IOPF_FAULT_INPUT },
	  FAULT,
	  NO_TAG },
	{ { .reason = 0x11,
	    .pasid = IOPF_PASID_NONE,
	    .perm = IOPF_READ,
	    .stage = 1,
	    .what = IOPF_FAULT_INPUT },
	  FAULT,
	  { SSID, 0xffff, 0, 0x00fffffffffff000 } },
	{ { .reason = 0x12,
	    .pasid = IOPF_PASID_MAX,
	    .perm = IOPF_READ | IOPF_EXEC | IOPF_PRIV,
	    .stage = 2,
	    .what = IOPF_FAULT_TABLE,
	    .table_perm = IOPF_READ,
	    .stall = true,
	    .index = 0xffff,
	    .rid = UINT32_MAX,
	    .addr = ALL,
	    .gpa = 0x00fffffffffff000 },
	  FAULT,
	  { 0 } },
	{ { .reason = 0x13,
	    .pasid = 1,
	    .perm = IOPF_READ,
	    .stage = 2,
	    .what = IOPF_FAULT_TABLE,
	    .table_perm = IOPF_WRITE },
	  { HEAD, 0xffffec717fff0000, 0, 0xff00000000000fff },
	  NO_TAG },
	/* TTRnW is unknown where it was no table. */
	{ { .reason = 0x13,
	    .pasid = 1,
	    .perm = IOPF_READ,
	    .stage = 2,
	    .what = IOPF_FAULT_INPUT },
	  { HEAD, 0xffffec717fff0000, 0, 0xff00000000000fff },
	  { 0, 0x10000000ffff, 0, 0 } },
	{ { .reason = 0x20,
	    .pasid = 1,
	    .perm = IOPF_READ,
	    .stage = 2,
	    .what = IOPF_FAULT_INPUT },
	  { HEAD, 0xfffffc71ffff0000, 0, 0xff00000000000fff },
	  NO_TAG },
	{ { .reason = 0x21, .pasid = 1 },
	  { HEAD, 0xffffffff00000000, ALL, ALL },
	  { 0, 0xffffffff, 0, 0 } },
	{ { .reason = 0x24, .pasid = 1, .request = true },
	  { HEAD, 0xfff00f11ffffffff, 0xfff, ALL },
	  { 0, 0x000ff00000000000, 0, 0 } },
	{ { .reason = 0x25, .pasid = 1 }, FETCH, { 0, 0x1ffff, 0, 0 } },
};

/* Where nothing else stands there. */
static bool is_stall_bit(const struct iopf_fault *fault, unsigned bit)
{
	return bit == 95 && fault->reason != IOPF_SMMUV3_F_BAD_ATS_TREQ &&
	       fault->reason != IOPF_SMMUV3_F_CFG_CONFLICT;
}

/* CLASS 2 becomes 3, which is reserved and read as 2. */
static bool is_class_bit(const struct iopf_fault *fault, unsigned bit)
{
	return bit == 104 && fault->stage != 0 && fault->what == IOPF_FAULT_INPUT;
}

static void walk_event(size_t row, const uint8_t *record)
{
	for (unsigned bit = 8; bit < 256; bit++) {
		bool reserved = false, same, odd;
		struct iopf_fault got;
		uint8_t changed[32];

		memcpy(changed, record, 32);
		flip(changed, bit);
		CHECK_EQ(smmuv3->decode_fault(changed, &got, &reserved), 0);
		same = memcmp(&got, &events[row].fault, sizeof(got)) == 0;
		odd = in(events[row].reserved, bit) ||
		      is_class_bit(&events[row].fault, bit);
		if (is_stall_bit(&events[row].fault, bit)) {
			CHECK_BIT(!same && got.stall == !events[row].fault.stall, row,
				  bit);
			continue;
		}
		CHECK_BIT(same == (odd || in(events[row].ignored, bit)), row, bit);
		if (same)
			CHECK_BIT(reserved == odd, row, bit);
	}
}

TEST(each_bit_of_an_event_counts_or_is_reported)
{
	for (size_t i = 0; i < COUNT(events); i++) {
		bool reserved = true;
		struct iopf_fault got;
		uint8_t record[32];

		CHECK_EQ(smmuv3->encode_fault(&events[i].fault, record), 0);
		/* Nobody asks for 0 pages. */
		if (events[i].fault.reason == IOPF_SMMUV3_E_PAGE_REQUEST)
			CHECK_EQ(le64_get(record + 8), UINT64_C(1) << 44);
		CHECK_EQ(smmuv3->decode_fault(record, &got, &reserved), 0);
		CHECK(!reserved);
		CHECK_BIT(memcmp(&got, &events[i].fault, sizeof(got)) == 0, i, 0u);
		walk_event(i, record);
	}
}

TEST(a_stall_that_cannot_be_resumed_is_told_and_has_no_rights)
{
	for (unsigned number = 0; number < 256; number++) {
		uint8_t record[32] = { (uint8_t)number };
		bool resumable = number >= 0x10 && number <= 0x13;
		bool other = number == IOPF_SMMUV3_F_CFG_CONFLICT ||
			     number == IOPF_SMMUV3_F_BAD_ATS_TREQ;
		struct iopf_fault got;
		bool reserved;

		le64_put(record + 8, UINT64_C(0x0000000f80008003));
		le64_put(record + 16, 0x1000);
		CHECK_EQ(smmuv3->decode_fault(record, &got, &reserved), 0);
		CHECK_EQ(got.reason, number);
		CHECK_EQ(got.stall, !other);
		CHECK_EQ(got.index, other ? 0 : 0x8003);
		CHECK_EQ(got.perm != 0, resumable);
		CHECK_EQ(got.request, number == IOPF_SMMUV3_F_BAD_ATS_TREQ ||
					      number == IOPF_SMMUV3_E_PAGE_REQUEST);
	}
}

TEST(numbers_that_nobody_knows_are_reported_with_what_all_records_have)
{
	for (unsigned number = 0; number < 256; number++) {
		uint8_t record[32] = { (uint8_t)number, 0x58 };
		bool known = false, reserved;
		struct iopf_fault got;

		for (size_t i = 0; i < COUNT(events); i++)
			known |= events[i].fault.reason == number;
		if (known)
			continue;
		record[4] = 0x40;
		CHECK_EQ(smmuv3->decode_fault(record, &got, &reserved), 0);
		CHECK(reserved && !got.stall && got.reason == number);
		CHECK(got.rid == 0x40 && got.pasid == 5 && got.perm == 0);
		CHECK_EQ(smmuv3->encode_fault(&got, record), -EOPNOTSUPP);
	}
}

TEST(combinations_that_nothing_writes_are_reported)
{
	uint8_t record[32] = { IOPF_SMMUV3_F_TRANSLATION };
	struct iopf_fault got;
	bool reserved;

	/* An instruction that is written, at a class that is none. */
	le64_put(record + 8, UINT64_C(0x0000020400000000));
	CHECK_EQ(smmuv3->decode_fault(record, &got, &reserved), 0);
	CHECK(reserved && got.perm == IOPF_WRITE);
	le64_put(record + 8, UINT64_C(0x0000030000000000));
	CHECK_EQ(smmuv3->decode_fault(record, &got, &reserved), 0);
	CHECK(reserved && got.what == IOPF_FAULT_INPUT);
}

int main(void)
{
	return test_main();
}
