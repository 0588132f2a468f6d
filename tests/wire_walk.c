/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: each bit of each record counts, or is reserved and is noticed. */
#include <errno.h>

#include "test.h"
#include "wire/pcie.h"
#include "wire/vtd.h"
#include "wire/wire.h"
#include "iopf/wire.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct iopf_wire *const vtd = &iopf_wire_vtd;

/* The row of a bit; NULL: the record is shorter. */
static const struct field_row *row_of(const struct iopf_layout *layout, unsigned bit)
{
	for (uint32_t i = 0; i < layout->row_count; i++) {
		uint32_t field = layout->rows[i].field;

		if (FIELD_WORD(field) == bit / 64 &&
		    (FIELD_MASK(field) >> bit % 64 & 1) != 0)
			return &layout->rows[i];
	}
	return NULL;
}

static bool is_reserved(const struct iopf_layout *layout, unsigned bit)
{
	const struct field_row *row = row_of(layout, bit);

	return row == NULL || strstr(row->name, "_RSVD") != NULL;
}

static void flip(uint8_t *record, unsigned bit)
{
	record[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

static void say(const struct iopf_layout *layout, unsigned bit)
{
	const struct field_row *row = row_of(layout, bit);

	printf("%s, bit %u (%s): ", layout->name, bit, row == NULL ? "-" : row->name);
}

#define CHECK_BIT(what, layout, bit)          \
	do {                                  \
		if (!(what))                  \
			say((layout), (bit)); \
		CHECK(what);                  \
	} while (0)

TEST(layouts_are_in_bit_order_and_know_what_is_reserved)
{
	for (uint32_t i = 0; wire_layouts[i] != NULL; i++) {
		const struct iopf_layout *layout = wire_layouts[i];
		unsigned next = 0;

		for (uint32_t k = 0; k < layout->row_count; k++) {
			uint32_t field = layout->rows[k].field;

			CHECK_EQ(FIELD_WORD(field) * 64 + FIELD_LSB(field), next);
			next += FIELD_WIDTH(field);
		}
		CHECK_EQ(next, 8 * layout->size_bytes);
		for (unsigned bit = 0; bit < next; bit++) {
			uint8_t record[64] = { 0 };

			flip(record, bit);
			CHECK_BIT(wire_reserved(layout, record) ==
					  is_reserved(layout, bit), layout, bit);
		}
		CHECK(wire_layout_find(layout->name) == layout);
	}
	CHECK(wire_layout_find("vtd") == NULL);
}

/* The same bits as QEMU refuses, except what is named here and reserved there: PFSID
 * without ECAP.DIT, and private data. */
TEST(reserved_bits_are_those_of_the_specification)
{
	static const struct {
		const char *name;
		uint64_t words[2];
	} masks[] = {
		{ "vtd_context_cache", { 0xfffc00000000f1c0, UINT64_MAX } },
		{ "vtd_iotlb", { 0xffffffff0000f100, 0xf80 } },
		{ "vtd_device_tlb", { 0x000f0000ffe001f0, 0xffe } },
		{ "vtd_interrupt_entry_cache", { 0xffff000007fff1e0, UINT64_MAX } },
		{ "vtd_wait", { 0x00000000fffff100, 0x3 } },
		{ "vtd_pasid_iotlb", { 0xfff000000000f1c0, 0xf80 } },
		{ "vtd_pasid_cache", { 0xfff000000000f1c0, UINT64_MAX } },
		{ "vtd_pasid_device_tlb", { 0, 0x7fe } },
		{ "vtd_page_group_response", { 0xfff00000000001c0, 0xfffffffffffff003 } },
		{ "vtd_page_request", { 0xffc000000000fc00, 0 } },
		{ "pcie_prg_response", { 0x00000e00ffffffff, 0 } },
	};

	for (size_t i = 0; i < COUNT(masks); i++) {
		const struct iopf_layout *layout = wire_layout_find(masks[i].name);

		CHECK(layout != NULL);
		CHECK_EQ(layout->reserved[0], masks[i].words[0]);
		CHECK_EQ(layout->reserved[1], masks[i].words[1]);
	}
}

/* Members that a descriptor does not have are ignored: each value below is made into
 * every kind that fits. All bits of all fields 0, then all 1. */
static const struct iopf_command commands[] = {
	{ .kind = IOPF_COMMAND_RESPONSE, .pasid = 0 },
	{ .kind = IOPF_COMMAND_RESPONSE, .pasid = IOPF_PASID_MAX, .rid = 0xffff,
	  .index = 0x1ff, .code = IOPF_INVALID, .flags = IOPF_LAST | IOPF_PRIVATE,
	  .private_data = { UINT64_MAX, UINT64_MAX } },
	{ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT, .granularity = IOPF_DEVICE },
	{ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT, .granularity = IOPF_DEVICE,
	  .domain = 0xffff, .rid = 0xffff, .rid_mask = 7 },
	{ .kind = IOPF_COMMAND_INVALIDATE_PASID, .granularity = IOPF_ONE_PASID },
	{ .kind = IOPF_COMMAND_INVALIDATE_PASID,
	  .granularity = IOPF_ONE_PASID,
	  .domain = 0xffff,
	  .pasid = IOPF_PASID_MAX },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularity = IOPF_PAGE,
	  .pasid = IOPF_PASID_NONE,
	  .size_bytes = 4096 },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularity = IOPF_PAGE,
	  .pasid = IOPF_PASID_NONE,
	  .domain = 0xffff,
	  .addr = UINT64_MAX - 4095,
	  .size_bytes = 4096,
	  .hints = IOPF_HINT_LEAF | IOPF_HINT_DRAIN_READS | IOPF_HINT_DRAIN_WRITES },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularity = IOPF_PAGE,
	  .size_bytes = 4096 },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularity = IOPF_PAGE,
	  .pasid = IOPF_PASID_MAX,
	  .domain = 0xffff,
	  .addr = UINT64_MAX - 4095,
	  .size_bytes = 4096,
	  .hints = IOPF_HINT_LEAF },
	{ .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
	  .granularity = IOPF_PAGE,
	  .pasid = IOPF_PASID_NONE,
	  .size_bytes = 4096 },
	{ .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
	  .granularity = IOPF_PAGE,
	  .pasid = IOPF_PASID_NONE,
	  .rid = 0xffff,
	  .pf_rid = 0xffff,
	  .pending_max = 31,
	  .addr = UINT64_MAX - 8191,
	  .size_bytes = 8192 },
	{ .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
	  .granularity = IOPF_PAGE,
	  .size_bytes = 4096 },
	{ .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
	  .granularity = IOPF_PAGE,
	  .pasid = IOPF_PASID_MAX,
	  .rid = 0xffff,
	  .pf_rid = 0xffff,
	  .pending_max = 31,
	  .addr = UINT64_MAX - 8191,
	  .size_bytes = 8192 },
	{ .kind = IOPF_COMMAND_WAIT, .wait_flags = IOPF_WAIT_STATUS },
	{ .kind = IOPF_COMMAND_WAIT, .wait_flags = IOPF_WAIT_STATUS | IOPF_WAIT_FENCE |
	  IOPF_WAIT_DRAIN | IOPF_WAIT_INTERRUPT, .status_data = UINT32_MAX,
	  .status_addr = UINT64_MAX - 3 },
};

static void walk_command(const uint8_t *record, const struct iopf_command *base,
			 uint32_t size_bytes)
{
	const struct iopf_layout *layout = vtd_command_pick(record, NULL);

	for (unsigned bit = 0; bit < 8 * size_bytes; bit++) {
		struct iopf_command got, untouched;
		uint8_t changed[32];
		bool same;
		int result;

		memcpy(changed, record, size_bytes);
		memset(&untouched, 0xa5, sizeof(untouched));
		got = untouched;
		flip(changed, bit);
		result = vtd->decode_command(changed, size_bytes, &got);
		same = memcmp(&got, base, sizeof(got)) == 0;
		if (is_reserved(layout, bit))
			CHECK_BIT(result == -EBADMSG, layout, bit);
		if (result < 0)
			CHECK_BIT(memcmp(&got, &untouched, sizeof(got)) == 0, layout, bit);
		else
			CHECK_BIT(!same, layout, bit);
	}
}

TEST(each_bit_of_a_command_counts_or_is_refused)
{
	for (size_t i = 0; i < COUNT(commands); i++) {
		struct iopf_command got;
		uint8_t record[32];

		CHECK_EQ(vtd->encode_command(&commands[i], 32, record), 0);
		CHECK_EQ(vtd->decode_command(record, 32, &got), 0);
		CHECK(memcmp(&got, &commands[i], sizeof(got)) == 0);
		walk_command(record, &commands[i], 32);
		if (!(commands[i].flags & IOPF_PRIVATE))
			walk_command(record, &commands[i], 16);
	}
}

TEST(an_interrupt_entry_invalidation_is_passed_over_unless_it_is_malformed)
{
	for (unsigned bit = 0; bit < 256; bit++) {
		uint8_t record[32] = { 4 };
		struct iopf_command got;
		bool reserved = is_reserved(&vtd_interrupt_layout, bit);
		const struct field_row *row = row_of(&vtd_interrupt_layout, bit);

		if (row != NULL && strstr(row->name, "_TYPE") != NULL)
			continue;
		flip(record, bit);
		CHECK_EQ(vtd->decode_command(record, 32, &got), reserved ? -EBADMSG : 0);
		CHECK(reserved || got.kind == IOPF_COMMAND_OTHER);
	}
}

static const struct iopf_request requests[] = {
	{ .pasid = 0 },
	{ .pasid = IOPF_PASID_NONE },
	{ .pasid = IOPF_PASID_NONE, .flags = IOPF_LAST },
	{ .pasid = IOPF_PASID_NONE, .flags = IOPF_LAST, .perm = IOPF_READ | IOPF_WRITE },
	{ .pasid = 0, .flags = IOPF_STOP },
	{ .pasid = IOPF_PASID_MAX, .flags = IOPF_STOP, .rid = 0xffff },
	{ .pasid = IOPF_PASID_MAX, .rid = 0xffff, .index = 0x1ff, .perm = 15,
	  .addr = UINT64_MAX - 4095, .flags = IOPF_LAST },
	{ .pasid = IOPF_PASID_MAX, .rid = 0xffff, .index = 0x1ff, .perm = 15,
	  .addr = UINT64_MAX - 4095, .flags = IOPF_LAST | IOPF_PRIVATE,
	  .private_data = { UINT64_MAX, UINT64_MAX } },
};

static void walk_request(const uint8_t *record, const struct iopf_request *base)
{
	const struct iopf_layout *layout = &vtd_request_layout;

	for (unsigned bit = 0; bit < 256; bit++) {
		struct iopf_request got;
		bool reserved = false, same;
		uint8_t changed[32];

		memcpy(changed, record, 32);
		memset(&got, 0xa5, sizeof(got));
		flip(changed, bit);
		if (bit < 8) {
			CHECK_EQ(vtd->decode_request(changed, &got, &reserved), -EBADMSG);
			CHECK_EQ(got.addr, 0xa5a5a5a5a5a5a5a5);
			continue;
		}
		CHECK_EQ(vtd->decode_request(changed, &got, &reserved), 0);
		same = memcmp(&got, base, sizeof(got)) == 0;
		if (is_reserved(layout, bit))
			CHECK_BIT(same && reserved, layout, bit);
		CHECK_BIT(!same || reserved, layout, bit);
	}
}

TEST(each_bit_of_a_request_counts_or_is_reported)
{
	for (size_t i = 0; i < COUNT(requests); i++) {
		struct iopf_request got;
		uint8_t record[32];
		bool reserved = true;

		CHECK_EQ(vtd->encode_request(&requests[i], record), 0);
		CHECK_EQ(vtd->decode_request(record, &got, &reserved), 0);
		CHECK(memcmp(&got, &requests[i], sizeof(got)) == 0 && !reserved);
		walk_request(record, &requests[i]);
	}
}

TEST(each_bit_of_a_pcie_request_counts)
{
	for (size_t i = 0; i < COUNT(requests); i++) {
		struct iopf_request base, got;
		uint64_t payload = iopf_pcie_encode_request(&requests[i]);
		uint32_t pasid = requests[i].pasid;

		CHECK_EQ(iopf_pcie_decode_request(payload, 7, pasid, 0, &base), 0);
		for (unsigned bit = 0; bit < 64; bit++) {
			int result = iopf_pcie_decode_request(
				payload ^ UINT64_C(1) << bit, 7, pasid, 0, &got);
			bool same = memcmp(&got, &base, sizeof(got)) == 0;

			if (requests[i].flags & IOPF_STOP && bit >= 8)
				CHECK(result == 0 && same);
			else if (requests[i].flags & IOPF_STOP && bit >= 3)
				CHECK_EQ(result, -EINVAL);
			else
				CHECK(result == 0 && !same);
		}
	}
}

TEST(each_bit_of_a_prg_response_counts_or_is_reserved)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		struct iopf_prg_response got, base;

		CHECK_EQ(iopf_pcie_decode_response(0, 5, &base), 0);
		CHECK_EQ(iopf_pcie_decode_response(UINT64_C(1) << bit, 5, &got), 0);
		CHECK_EQ(memcmp(&got, &base, sizeof(got)) == 0,
			 is_reserved(&pcie_response_layout, bit));
	}
}

TEST(each_bit_of_the_historic_responses_counts_or_is_refused)
{
	const struct iopf_vtd_old_response value = { .pasid = 0 };
	uint8_t stream[16], group[16];

	CHECK_EQ(iopf_vtd_encode_stream_response(&value, stream), 0);
	CHECK_EQ(iopf_vtd_encode_old_group_response(&value, group), 0);
	for (unsigned bit = 0; bit < 128; bit++) {
		struct iopf_vtd_old_response got = value;

		flip(stream, bit);
		if (iopf_vtd_decode_stream_response(stream, &got) == 0)
			CHECK(memcmp(&got, &value, sizeof(got)) != 0);
		else
			CHECK(bit < 4);
		flip(stream, bit);
		flip(group, bit);
		got = value;
		if (iopf_vtd_decode_old_group_response(group, &got) == 0)
			CHECK(memcmp(&got, &value, sizeof(got)) != 0);
		else
			CHECK(bit < 4 || is_reserved(&vtd_old_response_layout, bit));
		flip(group, bit);
	}
}

/* docs/formats.md: one row a field, "| `NAME` | word | high:low | meaning |". */
static bool is_documented(const char *text, const struct field_row *row)
{
	unsigned low = FIELD_LSB(row->field), high = low + FIELD_WIDTH(row->field) - 1;
	char bits[16], line[128];

	if (high == low)
		snprintf(bits, sizeof(bits), "%u", low);
	else
		snprintf(bits, sizeof(bits), "%u:%u", high, low);
	snprintf(line, sizeof(line), "\n| `%s` | %u | %s | ", row->name,
		 FIELD_WORD(row->field), bits);
	return strstr(text, line) != NULL;
}

TEST(the_documentation_has_every_field)
{
	static char text[1 << 18];
	FILE *file = fopen(TEST_VECTORS "/../../docs/formats.md", "r");
	size_t length;

	CHECK(file != NULL);
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	CHECK(length < sizeof(text) - 1);
	for (uint32_t i = 0; wire_layouts[i] != NULL; i++)
		for (uint32_t k = 0; k < wire_layouts[i]->row_count; k++)
			CHECK_STR(is_documented(text, &wire_layouts[i]->rows[k]) ?
					  wire_layouts[i]->rows[k].name :
					  "not documented", wire_layouts[i]->rows[k].name);
}

int main(void)
{
	return test_main();
}
