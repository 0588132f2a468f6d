/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: SMMUv3: what does not fit is refused and nothing is written; what is
 * illegal is no command. */
#include <errno.h>

#include "test.h"
#include "iopf/wire.h"

#include "base/le.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct iopf_wire *const smmuv3 = &iopf_wire_smmuv3;

static void check_untouched(const uint8_t *record)
{
	for (unsigned i = 0; i < 32; i++)
		CHECK_EQ(record[i], 0xa5);
}

static const struct {
	int error;
	struct iopf_request request;
} requests[] = {
	{ -ERANGE, { .pasid = 0x100000 } },
	{ -ERANGE, { .pasid = IOPF_PASID_ANY } },
	{ -ERANGE, { .pasid = 0, .index = 0x200 } },
	{ -ERANGE, { .pasid = 0, .addr = 0x800 } },
	{ -ERANGE, { .pasid = 0, .perm = 0x10 } },
	{ -ERANGE, { .pasid = 0, .flags = 0x10 } },
	{ -ERANGE, { .pasid = IOPF_PASID_NONE, .perm = IOPF_READ | IOPF_EXEC } },
	{ -ERANGE, { .pasid = IOPF_PASID_NONE, .perm = IOPF_READ | IOPF_PRIV } },
	/* would be a stop marker in the queue */
	{ -ERANGE, { .pasid = 0, .flags = IOPF_LAST } },
	/* a stop marker has a PASID and nothing else */
	{ -ERANGE, { .pasid = IOPF_PASID_NONE, .flags = IOPF_STOP } },
	{ -ERANGE, { .pasid = 0, .flags = IOPF_STOP, .addr = 0x1000 } },
	{ -ERANGE, { .pasid = 0, .flags = IOPF_STOP, .index = 1 } },
	{ -ERANGE, { .pasid = 0, .flags = IOPF_STOP, .perm = IOPF_READ } },
	{ -EOPNOTSUPP, { .pasid = 0, .flags = IOPF_LAST | IOPF_STALL, .perm = 1 } },
	{ -EOPNOTSUPP, { .pasid = 0, .flags = IOPF_PRIVATE, .perm = 1 } },
};

TEST(a_request_that_does_not_fit_is_not_written)
{
	for (size_t i = 0; i < COUNT(requests); i++) {
		uint8_t record[32];

		memset(record, 0xa5, sizeof(record));
		CHECK_EQ(smmuv3->encode_request(&requests[i].request, record),
			 requests[i].error);
		check_untouched(record);
	}
}

#define MISS .reason = IOPF_SMMUV3_F_TRANSLATION, .pasid = 0
#define BOTH (IOPF_READ | IOPF_WRITE)

static const struct {
	int error;
	struct iopf_fault fault;
} faults[] = {
	{ -EOPNOTSUPP, { .reason = 0, .pasid = 0 } },
	{ -EOPNOTSUPP, { .reason = 0x14, .pasid = 0 } },
	{ -EOPNOTSUPP, { .reason = 0xe0, .pasid = 0 } },
	/* only translation faults stall */
	{ -EOPNOTSUPP, { .reason = IOPF_SMMUV3_C_BAD_STE, .pasid = 0, .stall = true } },
	{ -EOPNOTSUPP,
	  { .reason = IOPF_SMMUV3_F_WALK_EABT,
	    .pasid = 0,
	    .stage = 1,
	    .perm = IOPF_READ,
	    .stall = true } },
	{ -ERANGE, { .reason = IOPF_SMMUV3_C_BAD_STE, .pasid = 0x100000 } },
	{ -ERANGE, { .reason = IOPF_SMMUV3_C_BAD_STE, .pasid = IOPF_PASID_ANY } },
	{ -ERANGE,
	  { .reason = IOPF_SMMUV3_C_BAD_SUBSTREAMID, .pasid = IOPF_PASID_NONE } },
	{ -ERANGE, { MISS, .stage = 1, .perm = 0 } },
	{ -ERANGE, { MISS, .stage = 1, .perm = BOTH } },
	{ -ERANGE, { MISS, .stage = 1, .perm = IOPF_EXEC } },
	{ -ERANGE, { MISS, .stage = 1, .perm = IOPF_WRITE | IOPF_EXEC } },
	{ -ERANGE, { MISS, .stage = 1, .perm = IOPF_READ | 0x10 } },
	{ -ERANGE, { MISS, .stage = 0, .perm = IOPF_READ } },
	{ -ERANGE, { MISS, .stage = 3, .perm = IOPF_READ } },
	{ -ERANGE, { MISS, .stage = 1, .perm = IOPF_READ, .what = 3 } },
	{ -ERANGE, { MISS, .stage = 2, .perm = IOPF_READ, .gpa = UINT64_C(1) << 56 } },
	{ -ERANGE,
	  { .reason = IOPF_SMMUV3_F_STE_FETCH, .pasid = 0, .gpa = UINT64_C(1) << 56 } },
	{ -ERANGE, { .reason = IOPF_SMMUV3_E_PAGE_REQUEST, .pasid = 0, .perm = 0x10 } },
};

TEST(a_fault_that_does_not_fit_is_not_written)
{
	for (size_t i = 0; i < COUNT(faults); i++) {
		uint8_t record[32];
		int result;

		memset(record, 0xa5, sizeof(record));
		result = smmuv3->encode_fault(&faults[i].fault, record);
		if (result != faults[i].error)
			printf("row %zu: ", i);
		CHECK_EQ(result, faults[i].error);
		check_untouched(record);
	}
}

#define RESPONSE  .kind = IOPF_COMMAND_RESPONSE
#define CONTEXT   .kind = IOPF_COMMAND_INVALIDATE_CONTEXT
#define PASID     .kind = IOPF_COMMAND_INVALIDATE_PASID
#define IOTLB     .kind = IOPF_COMMAND_INVALIDATE_IOTLB
#define DEVICE    .kind = IOPF_COMMAND_INVALIDATE_DEVICE
#define WAIT      .kind = IOPF_COMMAND_WAIT
#define NO_PASID  .pasid = IOPF_PASID_NONE
#define PAGE      .granularity = IOPF_PAGE, .size_bytes = 4096
#define RUN(size) .granularity = IOPF_PAGE, .size_bytes = (size)

static const struct {
	int error;
	struct iopf_command command;
} commands[] = {
	{ -EOPNOTSUPP, { .kind = IOPF_COMMAND_NONE } },
	{ -EOPNOTSUPP, { .kind = IOPF_COMMAND_OTHER } },
	{ -EOPNOTSUPP, { .kind = IOPF_COMMAND_KIND_COUNT } },
	{ -EOPNOTSUPP, { .kind = 255 } },
	{ -ERANGE, { RESPONSE, .flags = IOPF_STOP } },
	{ -ERANGE, { RESPONSE, .flags = IOPF_PRIVATE } },
	{ -ERANGE, { RESPONSE, .pasid = 0x100000 } },
	{ -ERANGE, { RESPONSE, .pasid = IOPF_PASID_ANY } },
	{ -ERANGE, { RESPONSE, .index = 0x200 } },
	{ -ERANGE, { RESPONSE, .code = IOPF_CODE_COUNT } },
	{ -ERANGE, { RESPONSE, .code = IOPF_CODE_COUNT, .flags = IOPF_STALL } },
	{ -EOPNOTSUPP, { CONTEXT, .granularity = IOPF_DOMAIN } },
	{ -EOPNOTSUPP, { CONTEXT, .granularity = IOPF_PAGE } },
	{ -EOPNOTSUPP, { CONTEXT, .granularity = 255 } },
	{ -ERANGE, { CONTEXT, .granularity = IOPF_DEVICE, .rid_mask = 4 } },
	{ -ERANGE, { CONTEXT, .granularity = IOPF_DEVICE, .rid_mask = 6 } },
	{ -ERANGE, { CONTEXT, .granularity = IOPF_DEVICE, .rid_mask = 3, .rid = 2 } },
	{ -EOPNOTSUPP, { PASID, .granularity = IOPF_ALL } },
	{ -EOPNOTSUPP, { PASID, .granularity = IOPF_PAGE } },
	{ -EOPNOTSUPP, { PASID, .granularity = 255 } },
	{ -ERANGE, { PASID, .granularity = IOPF_ONE_PASID, .pasid = 0x100000 } },
	{ -ERANGE, { PASID, .granularity = IOPF_ONE_PASID, .pasid = IOPF_PASID_ANY } },
	{ -EOPNOTSUPP, { IOTLB, .granularity = IOPF_DEVICE } },
	{ -EOPNOTSUPP, { IOTLB, .granularity = 255 } },
	{ -EOPNOTSUPP, { IOTLB, PAGE, .hints = IOPF_HINT_SECOND | IOPF_HINT_ANY_ASID } },
	{ -ERANGE, { IOTLB, PAGE, .addr = 1 } },
	{ -ERANGE, { IOTLB, PAGE, .asid = 0x10000 } },
	{ -ERANGE, { IOTLB, .granularity = IOPF_ONE_PASID, .asid = 0x10000 } },
	{ -ERANGE,
	  { IOTLB, PAGE, .addr = UINT64_C(1) << 56, .hints = IOPF_HINT_SECOND } },
	{ -ERANGE, { IOTLB, RUN(0) } },
	{ -ERANGE, { IOTLB, RUN(2048) } },
	{ -ERANGE, { IOTLB, RUN(12288) } },
	{ -ERANGE, { IOTLB, RUN(8192), .addr = 0x1000 } },
	{ -ERANGE, { IOTLB, RUN(UINT64_C(1) << 49) } },
	{ -EOPNOTSUPP, { DEVICE, NO_PASID, .granularity = IOPF_DOMAIN } },
	{ -EOPNOTSUPP, { DEVICE, .granularity = IOPF_ONE_PASID } },
	{ -ERANGE, { DEVICE, PAGE, .pasid = 0x100000 } },
	{ -ERANGE, { DEVICE, PAGE, NO_PASID, .addr = 0x800 } },
	{ -ERANGE, { DEVICE, RUN(0) } },
	{ -ERANGE, { DEVICE, RUN(0x3000) } },
	{ -ERANGE, { WAIT, .wait_flags = 16 } },
	{ -ERANGE, { WAIT, .wait_flags = IOPF_WAIT_STATUS } },
	{ -ERANGE, { WAIT, .wait_flags = IOPF_WAIT_STATUS, .status_addr = 2 } },
	{ -ERANGE,
	  { WAIT, .wait_flags = IOPF_WAIT_STATUS, .status_addr = UINT64_C(1) << 56 } },
	/* one message, or one interrupt */
	{ -EOPNOTSUPP,
	  { WAIT, .wait_flags = IOPF_WAIT_STATUS | IOPF_WAIT_INTERRUPT,
	    .status_addr = 4 } },
};

TEST(a_command_that_does_not_fit_is_not_written)
{
	for (size_t i = 0; i < COUNT(commands); i++) {
		uint8_t record[32];
		int result;

		memset(record, 0xa5, sizeof(record));
		result = smmuv3->encode_command(&commands[i].command, 16, record);
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
		CHECK_EQ(smmuv3->encode_command(&command, size_bytes, record), -EINVAL);
		CHECK_EQ(smmuv3->decode_command(record, size_bytes, &got), -EINVAL);
	}
	check_untouched(record);
	CHECK_EQ(got.kind, 77);
}

TEST(unknown_opcodes_are_no_commands)
{
	static const uint8_t known[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
					 0x10, 0x11, 0x12, 0x13, 0x28, 0x2a,
					 0x30, 0x40, 0x41, 0x44, 0x45, 0x46 };

	for (unsigned opcode = 0; opcode < 256; opcode++) {
		uint8_t record[16] = { (uint8_t)opcode };
		struct iopf_command got = { .kind = 77 };
		bool is_known = memchr(known, (int)opcode, sizeof(known)) != NULL;

		CHECK_EQ(smmuv3->decode_command(record, 16, &got),
			 is_known ? 0 : -EBADMSG);
		CHECK(is_known || got.kind == 77);
	}
}

static int decoded(uint64_t word0, uint64_t word1, struct iopf_command *got)
{
	uint8_t record[16];

	le64_put(record, word0);
	le64_put(record + 8, word1);
	return smmuv3->decode_command(record, 16, got);
}

/* IHI 0070, 4.5.2, 4.7.3, 4.4.1.1, 4.5.1. */
TEST(a_value_that_is_illegal_is_refused)
{
	struct iopf_command got;

	CHECK_EQ(decoded(0x41, 0x3000, &got), -EBADMSG); /* response code 3 */
	CHECK_EQ(decoded(0x3046, 0, &got), -EBADMSG);    /* signal 3 */
	for (unsigned size = 0; size < 64; size++)
		CHECK_EQ(decoded(0x40, size, &got), size <= 52 ? 0 : -EBADMSG);
	/* A granule and nothing that needs it; something that needs one, and none. */
	CHECK_EQ(decoded(0x12, 0x400, &got), -EBADMSG);
	CHECK_EQ(decoded(0x12, 0xc00, &got), -EBADMSG);
	CHECK_EQ(decoded(0x12, 0x500, &got), 0);
	CHECK_EQ(decoded(0x1012, 0x400, &got), 0);
	CHECK_EQ(decoded(0x12, 0x100, &got), -EBADMSG);
	CHECK_EQ(decoded(0x1012, 0, &got), -EBADMSG);
	CHECK_EQ(decoded(0x100012, 0, &got), -EBADMSG);
}

TEST(codes_of_responses_are_the_smmus_own)
{
	static const uint8_t codes[] = { IOPF_FAILURE, IOPF_INVALID, IOPF_SUCCESS };
	struct iopf_command got;

	for (unsigned resp = 0; resp < 3; resp++) {
		CHECK_EQ(decoded(0x41, resp << 12, &got), 0);
		CHECK_EQ(got.code, codes[resp]);
		CHECK_EQ(got.pasid, IOPF_PASID_NONE);
	}
}

TEST(whoever_fails_a_stall_aborts_it)
{
	struct iopf_command command = { RESPONSE, .code = IOPF_FAILURE,
					.flags = IOPF_STALL, .index = 7 };
	uint8_t record[16];

	CHECK_EQ(smmuv3->encode_command(&command, 16, record), 0);
	CHECK_EQ(le64_get(record), 0x2044);
	command.code = IOPF_INVALID;
	CHECK_EQ(smmuv3->encode_command(&command, 16, record), 0);
	CHECK_EQ(le64_get(record), 0x2044);
}

TEST(a_wait_has_no_more_to_say_with_a_fence_or_a_drain)
{
	struct iopf_command command = { WAIT,
					.wait_flags = IOPF_WAIT_FENCE | IOPF_WAIT_DRAIN };
	uint8_t record[16];

	CHECK_EQ(smmuv3->encode_command(&command, 16, record), 0);
	CHECK_EQ(le64_get(record), 0x46);
}

/* A cover is never smaller than what it covers, and twice as large where it fits. */
TEST(a_run_that_cannot_be_said_becomes_a_larger_one)
{
	struct iopf_command got;

	/* 5 pages at 0x3000: 8 pages at 0. */
	CHECK_EQ(decoded(0x4012, 0x3400, &got), 0);
	CHECK_EQ(got.granularity, IOPF_PAGE);
	CHECK_EQ(got.addr, 0);
	CHECK_EQ(got.size_bytes, 0x8000);
	/* 32 * 2^31 pages: the largest. */
	CHECK_EQ(decoded(0x1f1f012, 0x400, &got), 0);
	CHECK_EQ(got.granularity, IOPF_PAGE);
	CHECK_EQ(got.size_bytes, UINT64_C(1) << 48);
	/* Somewhere else it needs two of them. */
	CHECK_EQ(decoded(0x1f1f012, 0x1400, &got), 0);
	CHECK_EQ(got.granularity, IOPF_DOMAIN);
	CHECK_EQ(got.hints, IOPF_HINT_FIRST);
	CHECK_EQ(decoded(0x1f1f02a, 0x1400, &got), 0);
	CHECK_EQ(got.granularity, IOPF_DOMAIN);
	CHECK_EQ(got.hints, 0);
	/* Beyond the last address nothing wraps around. */
	CHECK_EQ(decoded(0x1f013, 0xfffffffffffff400, &got), 0);
	CHECK_EQ(got.granularity, IOPF_PAGE);
	CHECK_EQ(got.addr, 0xfffffffffffff000);
	CHECK_EQ(got.size_bytes, 4096);
}

#define NUMBER(name, number, text) number,
static const uint8_t numbers[] = { IOPF_SMMUV3_EVENTS(NUMBER) };

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

		for (size_t i = 0; i < sizeof(numbers); i++)
			known |= numbers[i] == number;
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
