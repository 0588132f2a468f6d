/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what does not fit is refused and nothing is written; unknown types. */
#include <errno.h>

#include "test.h"
#include "wire/wire.h"
#include "iopf/wire.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct iopf_wire *const vtd = &iopf_wire_vtd;

static void check_untouched(const uint8_t *record)
{
	for (unsigned i = 0; i < 32; i++)
		CHECK_EQ(record[i], 0xa5);
}

static const struct {
	int error;
	struct iopf_request request;
} requests[] = {
	{ -ERANGE, { .pasid = 0, .rid = 0x10000 } },
	{ -ERANGE, { .pasid = 0x100000 } },
	{ -ERANGE, { .pasid = IOPF_PASID_ANY } },
	{ -ERANGE, { .pasid = 0, .index = 0x200 } },
	{ -ERANGE, { .pasid = 0, .addr = 1 } },
	{ -ERANGE, { .pasid = 0, .addr = 0x800 } },
	{ -ERANGE, { .pasid = 0, .perm = 0x10 } },
	{ -ERANGE, { .pasid = 0, .flags = 0x10 } },
	{ -ERANGE, { .pasid = IOPF_PASID_NONE, .perm = IOPF_READ | IOPF_EXEC } },
	{ -ERANGE, { .pasid = IOPF_PASID_NONE, .perm = IOPF_READ | IOPF_PRIV } },
	/* would be a stop marker on the wire */
	{ -ERANGE, { .pasid = 0, .flags = IOPF_LAST } },
	{ -ERANGE, { .pasid = 0, .flags = IOPF_LAST, .perm = IOPF_EXEC } },
	/* a stop marker has a PASID and nothing else */
	{ -ERANGE, { .pasid = IOPF_PASID_NONE, .flags = IOPF_STOP } },
	{ -ERANGE, { .pasid = 0, .flags = IOPF_STOP, .addr = 0x1000 } },
	{ -ERANGE, { .pasid = 0, .flags = IOPF_STOP, .index = 1 } },
	{ -ERANGE, { .pasid = 0, .flags = IOPF_STOP, .perm = IOPF_READ } },
	{ -EOPNOTSUPP, { .pasid = 0, .flags = IOPF_LAST | IOPF_STALL, .perm = 1 } },
};

TEST(a_request_that_does_not_fit_is_not_written)
{
	for (size_t i = 0; i < COUNT(requests); i++) {
		uint8_t record[32];

		memset(record, 0xa5, sizeof(record));
		CHECK_EQ(vtd->encode_request(&requests[i].request, record),
			 requests[i].error);
		check_untouched(record);
	}
}

#define RESPONSE .kind = IOPF_COMMAND_RESPONSE
#define CONTEXT  .kind = IOPF_COMMAND_INVALIDATE_CONTEXT
#define PASID    .kind = IOPF_COMMAND_INVALIDATE_PASID
#define IOTLB    .kind = IOPF_COMMAND_INVALIDATE_IOTLB
#define DEVICE   .kind = IOPF_COMMAND_INVALIDATE_DEVICE
#define NO_PASID .pasid = IOPF_PASID_NONE
#define PAGE     .granularity = IOPF_PAGE, .size_bytes = 4096

static const struct {
	int error;
	struct iopf_command command;
} commands[] = {
	{ -EOPNOTSUPP, { .kind = IOPF_COMMAND_NONE } },
	{ -EOPNOTSUPP, { .kind = IOPF_COMMAND_OTHER } },
	{ -EOPNOTSUPP, { .kind = IOPF_COMMAND_KIND_COUNT } },
	{ -EOPNOTSUPP, { .kind = 255 } },
	{ -EOPNOTSUPP, { RESPONSE, .flags = IOPF_STALL } },
	{ -ERANGE, { RESPONSE, .flags = IOPF_STOP } },
	{ -ERANGE, { RESPONSE, .rid = 0x10000 } },
	{ -ERANGE, { RESPONSE, .pasid = 0x100000 } },
	{ -ERANGE, { RESPONSE, .pasid = IOPF_PASID_ANY } },
	{ -ERANGE, { RESPONSE, .index = 0x200 } },
	{ -ERANGE, { RESPONSE, .code = IOPF_CODE_COUNT } },
	{ -ERANGE, { RESPONSE, .code = 0xf } },
	{ -EOPNOTSUPP, { CONTEXT, .granularity = IOPF_PAGE } },
	{ -EOPNOTSUPP, { CONTEXT, .granularity = IOPF_ONE_PASID } },
	{ -EOPNOTSUPP, { CONTEXT, .granularity = 255 } },
	{ -ERANGE, { CONTEXT, .granularity = IOPF_DEVICE, .rid = 0x10000 } },
	{ -ERANGE, { CONTEXT, .granularity = IOPF_DEVICE, .rid_mask = 1 } },
	{ -ERANGE, { CONTEXT, .granularity = IOPF_DEVICE, .rid_mask = 8 } },
	{ -EOPNOTSUPP, { PASID, .granularity = IOPF_DEVICE } },
	{ -EOPNOTSUPP, { PASID, .granularity = 255 } },
	{ -ERANGE, { PASID, .granularity = IOPF_ONE_PASID, .pasid = 0x100000 } },
	{ -ERANGE, { PASID, .granularity = IOPF_ONE_PASID, NO_PASID } },
	{ -EOPNOTSUPP, { IOTLB, .granularity = IOPF_DEVICE } },
	{ -EOPNOTSUPP, { IOTLB, .granularity = 255 } },
	{ -ERANGE, { IOTLB, .granularity = IOPF_ONE_PASID, NO_PASID } },
	{ -ERANGE, { IOTLB, PAGE, .pasid = 0x100000 } },
	{ -ERANGE, { IOTLB, PAGE, .pasid = IOPF_PASID_ANY } },
	{ -ERANGE, { IOTLB, PAGE, NO_PASID, .addr = 1 } },
	{ -ERANGE, { IOTLB, PAGE, .addr = 1 } },
	{ -ERANGE, { IOTLB, .granularity = IOPF_PAGE, NO_PASID } },
	{ -ERANGE, { IOTLB, .granularity = IOPF_PAGE, NO_PASID, .size_bytes = 2048 } },
	{ -ERANGE, { IOTLB, .granularity = IOPF_PAGE, NO_PASID, .size_bytes = 12288 } },
	{ -ERANGE, { IOTLB, .granularity = IOPF_PAGE, .size_bytes = 8192,
		     .addr = 0x1000 } },
	{ -EOPNOTSUPP, { DEVICE, NO_PASID, .granularity = IOPF_DOMAIN } },
	{ -EOPNOTSUPP, { DEVICE, .granularity = IOPF_ONE_PASID } },
	{ -ERANGE, { DEVICE, PAGE, NO_PASID, .rid = 0x10000 } },
	{ -ERANGE, { DEVICE, PAGE, .rid = 0x10000 } },
	{ -ERANGE, { DEVICE, PAGE, NO_PASID, .pf_rid = 0x10000 } },
	{ -ERANGE, { DEVICE, PAGE, .pf_rid = 0x10000 } },
	{ -ERANGE, { DEVICE, PAGE, NO_PASID, .pending_max = 32 } },
	{ -ERANGE, { DEVICE, PAGE, .pending_max = 32 } },
	{ -ERANGE, { DEVICE, PAGE, .pasid = 0x100000 } },
	{ -ERANGE, { DEVICE, PAGE, NO_PASID, .addr = 0x800 } },
	{ -ERANGE, { DEVICE, .granularity = IOPF_PAGE, .size_bytes = 0 } },
	{ -ERANGE, { DEVICE, .granularity = IOPF_PAGE, .size_bytes = 0x3000 } },
	{ -ERANGE, { .kind = IOPF_COMMAND_WAIT, .wait_flags = 16 } },
	{ -ERANGE, { .kind = IOPF_COMMAND_WAIT, .wait_flags = IOPF_WAIT_STATUS,
		     .status_addr = 2 } },
};

TEST(a_command_that_does_not_fit_is_not_written)
{
	for (size_t i = 0; i < COUNT(commands); i++) {
		uint8_t record[32];
		int result;

		memset(record, 0xa5, sizeof(record));
		result = vtd->encode_command(&commands[i].command, 32, record);
		if (result != commands[i].error)
			printf("row %zu: ", i);
		CHECK_EQ(result, commands[i].error);
		CHECK_EQ(vtd->encode_command(&commands[i].command, 16, record),
			 commands[i].error);
		check_untouched(record);
	}
}

TEST(private_data_needs_32_bytes)
{
	const struct iopf_command command = { RESPONSE, .flags = IOPF_PRIVATE };
	struct iopf_command got = { .kind = 77 };
	uint8_t record[32];

	memset(record, 0xa5, sizeof(record));
	CHECK_EQ(vtd->encode_command(&command, 16, record), -ERANGE);
	check_untouched(record);
	CHECK_EQ(vtd->encode_command(&command, 32, record), 0);
	CHECK_EQ(vtd->decode_command(record, 16, &got), -EBADMSG);
	CHECK_EQ(got.kind, 77);
	CHECK_EQ(vtd->decode_command(record, 32, &got), 0);
}

TEST(a_command_of_another_size_is_not_touched)
{
	const struct iopf_command command = { RESPONSE };
	struct iopf_command got = { .kind = 77 };
	uint8_t record[32];

	memset(record, 0xa5, sizeof(record));
	for (uint32_t size_bytes = 0; size_bytes < 65; size_bytes++) {
		if (size_bytes == 16 || size_bytes == 32)
			continue;
		CHECK_EQ(vtd->encode_command(&command, size_bytes, record), -EINVAL);
		CHECK_EQ(vtd->decode_command(record, size_bytes, &got), -EINVAL);
	}
	check_untouched(record);
	CHECK_EQ(got.kind, 77);
}

TEST(unknown_types_are_no_records)
{
	for (unsigned type = 0; type < 128; type++) {
		uint64_t word = (type & 0xf) | (uint64_t)(type >> 4) << 9 | 3 << 4;
		bool known = type >= 1 && type <= 9;
		uint8_t record[32] = { 0 };
		struct iopf_command got;

		/* G 3 is known to those that have a G; others reserve those bits or not */
		if (type == 3 || type == 4 || type == 9)
			word &= ~UINT64_C(0x30);
		le64_put(record, word);
		CHECK_EQ(vtd->decode_command(record, 32, &got), known ? 0 : -EBADMSG);
		CHECK_EQ(vtd->decode_command(record, 16, &got), known ? 0 : -EBADMSG);
	}
	for (unsigned type = 0; type < 256; type++) {
		uint8_t record[32] = { (uint8_t)type };
		struct iopf_request got;
		bool reserved;

		CHECK_EQ(vtd->decode_request(record, &got, &reserved),
			 type == 1 ? 0 : -EBADMSG);
	}
}

TEST(a_granularity_that_is_reserved_is_refused)
{
	static const uint8_t words[] = { 0x01, 0x02, 0x06, 0x16, 0x27 };

	for (size_t i = 0; i < COUNT(words); i++) {
		uint8_t record[32] = { words[i] };
		struct iopf_command got;

		CHECK_EQ(vtd->decode_command(record, 32, &got), -EBADMSG);
	}
}

TEST(an_address_mask_beyond_the_address_space_is_refused)
{
	for (unsigned am = 0; am < 64; am++) {
		for (uint8_t type = 0x32; type <= 0x36; type = (uint8_t)(type + 4)) {
			uint8_t record[32] = { type };
			struct iopf_command got;

			le64_put(record + 8, UINT64_C(0xfffffffffffff000) | am);
			CHECK_EQ(vtd->decode_command(record, 32, &got),
				 am < 52 ? 0 : -EBADMSG);
			if (am < 52) {
				CHECK_EQ(got.size_bytes, UINT64_C(4096) << am);
				CHECK_EQ(got.addr, -got.size_bytes);
			}
		}
	}
}

TEST(a_reserved_code_is_a_failure)
{
	for (unsigned code = 0; code < 16; code++) {
		uint8_t record[32] = { 9 };
		struct iopf_command got;

		record[1] = (uint8_t)(code << 4);
		CHECK_EQ(vtd->decode_command(record, 32, &got), 0);
		CHECK_EQ(got.code, code == 0 ? IOPF_SUCCESS :
				   code == 1 ? IOPF_INVALID : IOPF_FAILURE);
		CHECK_EQ(got.pasid, IOPF_PASID_NONE);
	}
}

TEST(pcie_arguments_that_could_never_be_right_are_refused)
{
	struct iopf_request request = { .rid = 77 };
	struct iopf_prg_response response = { .rid = 77 };

	CHECK_EQ(iopf_pcie_decode_request(0, 0x10000, 0, 0, &request), -EINVAL);
	CHECK_EQ(iopf_pcie_decode_request(0, 0, 0x100000, 0, &request), -EINVAL);
	CHECK_EQ(iopf_pcie_decode_request(0, 0, 0, IOPF_READ, &request), -EINVAL);
	CHECK_EQ(iopf_pcie_decode_response(0, IOPF_PASID_ANY, &response), -EINVAL);
	CHECK(request.rid == 77 && response.rid == 77);
	/* Execute and privileged stand in the prefix: no PASID, no prefix. */
	CHECK_EQ(iopf_pcie_decode_request(1, 0, IOPF_PASID_NONE, IOPF_EXEC, &request), 0);
	CHECK_EQ(request.perm, IOPF_READ);
}

TEST(historic_responses_that_do_not_fit_are_not_written)
{
	static const struct iopf_vtd_old_response responses[] = {
		{ .pasid = 0x100000 },
		{ .rid = 0x10000 },
		{ .index = 0x200 },
		{ .private_data = 0x800000 },
		{ .code = IOPF_CODE_COUNT },
	};
	static const struct iopf_vtd_old_response stream_only[] = {
		{ .addr = 0x800 }, { .pasid = IOPF_PASID_NONE },
	};
	uint8_t record[32];

	memset(record, 0xa5, sizeof(record));
	for (size_t i = 0; i < COUNT(responses); i++) {
		CHECK_EQ(iopf_vtd_encode_stream_response(&responses[i], record), -ERANGE);
		CHECK_EQ(iopf_vtd_encode_old_group_response(&responses[i], record),
			 -ERANGE);
	}
	for (size_t i = 0; i < COUNT(stream_only); i++)
		CHECK_EQ(iopf_vtd_encode_stream_response(&stream_only[i], record),
			 -ERANGE);
	check_untouched(record);
}

TEST(a_range_is_said_by_its_lowest_zero)
{
	static const struct {
		uint64_t bits;
		bool s;
		uint64_t addr, size_bytes;
	} rows[] = {
		{ 0x12345000, false, 0x12345000, 0x1000 },
		{ 0x12344000, true, 0x12344000, 0x2000 },
		{ 0x12345000, true, 0x12344000, 0x4000 },
		{ 0x12347000, true, 0x12340000, 0x10000 },
		{ 0x3ffffffffffff000, true, 0, UINT64_C(1) << 63 },
		{ 0xbffffffffffff000, true, UINT64_C(1) << 63, UINT64_C(1) << 63 },
		{ 0x7ffffffffffff000, true, 0, 0 },
	};
	uint64_t addr, size_bytes;
	bool s;

	for (size_t i = 0; i < COUNT(rows); i++) {
		wire_range_decode(rows[i].bits, rows[i].s, &addr, &size_bytes);
		CHECK_EQ(addr, rows[i].addr);
		CHECK_EQ(size_bytes, rows[i].size_bytes);
		CHECK_EQ(wire_range_encode(addr, size_bytes, &s), rows[i].bits);
		CHECK_EQ(s, rows[i].s);
	}
	wire_range_decode(0xfffffffffffff000, true, &addr, &size_bytes);
	CHECK(addr == 0 && size_bytes == 0);
}

int main(void)
{
	return test_main();
}
