/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: golden vectors of PCIe, VT-d and SMMUv3, read and written. */
#include <errno.h>

#include "vectors.h"

static struct vector vector;
static uint8_t bytes[32], again[32];

/* A check below fails by a jump: say first where we are. */
static bool next(FILE *file)
{
	memset(again, 0xa5, sizeof(again));
	memset(bytes, 0, sizeof(bytes));
	if (!vector_next(file, &vector))
		return false;
	vector_bytes(&vector, bytes);
	return true;
}

static void same(const void *got, const void *wanted, size_t size_bytes)
{
	if (memcmp(got, wanted, size_bytes) != 0)
		printf("differs: %s", vector.line);
	CHECK(memcmp(got, wanted, size_bytes) == 0);
}

static void pcie_request(void)
{
	struct iopf_request wanted = vector_request(&vector), got;

	CHECK_EQ(iopf_pcie_encode_request(&wanted), vector.words[0]);
	CHECK_EQ(iopf_pcie_decode_request(vector.words[0], wanted.rid, wanted.pasid,
					  wanted.perm & (IOPF_EXEC | IOPF_PRIV), &got),
		 0);
	same(&got, &wanted, sizeof(got));
}

static void pcie_response(void)
{
	struct iopf_prg_response got, wanted = {
		.rid = (uint32_t)vector_number(&vector, "rid"),
		.pasid = vector_pasid(&vector),
		.index = (uint16_t)vector_number(&vector, "index"),
		.code = (uint8_t)vector_number(&vector, "code"),
	};

	CHECK_EQ(iopf_pcie_encode_response(&wanted), vector.words[0]);
	CHECK_EQ(iopf_pcie_decode_response(vector.words[0], wanted.pasid, &got), 0);
	same(&got, &wanted, sizeof(got));
}

TEST(pcie_messages_are_what_the_vectors_say)
{
	FILE *file = vectors_open("pcie.txt");
	int count = 0;

	for (; next(file); count++) {
		if (strcmp(vector.record, "page_request") == 0)
			pcie_request();
		else {
			CHECK_STR(vector.record, "prg_response");
			pcie_response();
		}
	}
	fclose(file);
	CHECK_EQ(count, 10);
}

static void family_request(const struct iopf_wire *wire)
{
	struct iopf_request wanted = vector_request(&vector), got;
	bool reserved = true;

	CHECK_EQ(8 * vector.word_count, wire->request_bytes);
	CHECK_EQ(wire->decode_request(bytes, &got, &reserved), 0);
	same(&got, &wanted, sizeof(got));
	CHECK(!reserved);
	CHECK_EQ(wire->encode_request(&wanted, again), 0);
	same(again, bytes, wire->request_bytes);
}

static void family_command(const struct iopf_wire *wire, uint32_t size_bytes)
{
	struct iopf_command wanted = vector_command(&vector), got;

	CHECK_EQ(wire->decode_command(bytes, size_bytes, &got), 0);
	same(&got, &wanted, sizeof(got));
	if (wanted.kind == IOPF_COMMAND_OTHER) {
		CHECK_EQ(wire->encode_command(&wanted, size_bytes, again), -EOPNOTSUPP);
		return;
	}
	CHECK_EQ(wire->encode_command(&wanted, size_bytes, again), 0);
	same(again, bytes, size_bytes);
}

static void vtd_old_response(bool stream)
{
	struct iopf_vtd_old_response got, wanted = {
		.addr = vector_number(&vector, "addr"),
		.rid = (uint32_t)vector_number(&vector, "rid"),
		.pasid = vector_pasid(&vector),
		.private_data = (uint32_t)vector_number(&vector, "private0"),
		.index = (uint16_t)vector_number(&vector, "index"),
		.code = vector_names(&vector, "code", vector_code_names),
	};

	if (stream) {
		CHECK_EQ(iopf_vtd_decode_stream_response(bytes, &got), 0);
		CHECK_EQ(iopf_vtd_encode_stream_response(&wanted, again), 0);
	} else {
		CHECK_EQ(iopf_vtd_decode_old_group_response(bytes, &got), 0);
		CHECK_EQ(iopf_vtd_encode_old_group_response(&wanted, again), 0);
	}
	same(&got, &wanted, sizeof(got));
	same(again, bytes, 16);
}

TEST(vtd_records_are_what_the_vectors_say)
{
	const struct iopf_wire *wire = iopf_wire_find("vtd");
	FILE *file = vectors_open("vtd.txt");
	int count = 0;

	CHECK(wire == &iopf_wire_vtd);
	for (; next(file); count++) {
		if (strcmp(vector.record, "page_request") == 0)
			family_request(wire);
		else if (strcmp(vector.record, "command") == 0) {
			family_command(wire, 8 * vector.word_count);
			family_command(wire, 32);
		} else if (strcmp(vector.record, "old_stream_response") == 0) {
			vtd_old_response(true);
		} else {
			CHECK_STR(vector.record, "old_group_response");
			vtd_old_response(false);
		}
	}
	fclose(file);
	CHECK_EQ(count, 35);
}

static void smmuv3_command(const struct iopf_wire *wire, bool read_only)
{
	struct iopf_command wanted = vector_command(&vector), got;

	/* Address spaces are named by ASID in its TLBs. */
	if (wanted.kind == IOPF_COMMAND_INVALIDATE_IOTLB)
		wanted.pasid = 0;
	CHECK_EQ(vector.word_count, 2);
	CHECK_EQ(wire->decode_command(bytes, 16, &got), 0);
	same(&got, &wanted, sizeof(got));
	if (wanted.kind == IOPF_COMMAND_OTHER) {
		CHECK_EQ(wire->encode_command(&wanted, 16, again), -EOPNOTSUPP);
		return;
	}
	CHECK_EQ(wire->encode_command(&wanted, 16, again), 0);
	if (!read_only)
		same(again, bytes, 16);
	CHECK_EQ(wire->decode_command(again, 16, &got), 0);
	same(&got, &wanted, sizeof(got));
}

static void smmuv3_event(const struct iopf_wire *wire)
{
	struct iopf_fault wanted = vector_fault(&vector), got;
	bool reserved = true;

	CHECK_EQ(8 * vector.word_count, wire->fault_bytes);
	CHECK_EQ(wire->decode_fault(bytes, &got, &reserved), 0);
	same(&got, &wanted, sizeof(got));
	CHECK(!reserved);
	CHECK_EQ(wire->encode_fault(&wanted, again), 0);
	same(again, bytes, wire->fault_bytes);
}

TEST(smmuv3_records_are_what_the_vectors_say)
{
	const struct iopf_wire *wire = iopf_wire_find("smmuv3");
	FILE *file = vectors_open("smmuv3.txt");
	int count = 0;

	CHECK(wire == &iopf_wire_smmuv3);
	for (; next(file); count++) {
		if (strcmp(vector.record, "page_request") == 0) {
			family_request(wire);
		} else if (strcmp(vector.record, "event") == 0) {
			smmuv3_event(wire);
		} else {
			CHECK(strcmp(vector.record, "command") == 0 ||
			      strcmp(vector.record, "command_read") == 0);
			smmuv3_command(wire, strcmp(vector.record, "command_read") == 0);
		}
	}
	fclose(file);
	CHECK_EQ(count, 68);
}

TEST(each_event_of_the_architecture_has_a_vector)
{
#define NUMBER(name, number, text) number,
	static const uint8_t numbers[] = { IOPF_SMMUV3_EVENTS(NUMBER) };
	bool seen[256] = { false };
	FILE *file = vectors_open("smmuv3.txt");

	while (next(file)) {
		if (strcmp(vector.record, "event") == 0)
			seen[vector_number(&vector, "reason")] = true;
	}
	fclose(file);
	for (size_t i = 0; i < sizeof(numbers); i++)
		CHECK(seen[numbers[i]]);
}

TEST(there_is_no_family_of_another_name)
{
	CHECK(iopf_wire_find("") == NULL);
	CHECK(iopf_wire_find("vt") == NULL);
	CHECK(iopf_wire_find("vtd ") == NULL);
}

TEST(a_response_becomes_the_command_that_carries_it)
{
	struct iopf_response response = {
		.rid = 0x310, .pasid = 0x12345, .index = 0x1ab, .code = IOPF_INVALID,
		.flags = IOPF_PRIVATE, .private_data = { 1, 2 }, .token = 77,
	};
	struct iopf_command command = iopf_command_from_response(&response);

	CHECK_EQ(command.kind, IOPF_COMMAND_RESPONSE);
	CHECK_EQ(iopf_wire_vtd.encode_command(&command, 32, bytes), 0);
	CHECK_EQ(le64_get(bytes), 0x0001234503101039);
	CHECK_EQ(le64_get(bytes + 8), 0xd58);
	CHECK_EQ(le64_get(bytes + 16), 1);
	CHECK_EQ(le64_get(bytes + 24), 2);
	response.flags = 0;
	command = iopf_command_from_response(&response);
	CHECK_EQ(iopf_wire_vtd.encode_command(&command, 16, bytes), 0);
	CHECK_EQ(le64_get(bytes), 0x0001234503101019);
	response.flags = IOPF_STALL;
	command = iopf_command_from_response(&response);
	CHECK_EQ(iopf_wire_vtd.encode_command(&command, 32, bytes), -EOPNOTSUPP);
	CHECK_EQ(iopf_wire_smmuv3.encode_command(&command, 16, bytes), 0);
	CHECK_EQ(le64_get(bytes), 0x0000031000002044);
	CHECK_EQ(le64_get(bytes + 8), 0x1ab);
}

TEST(a_stall_becomes_a_request_that_is_a_group_of_one)
{
	const struct iopf_fault fault = {
		.addr = 0x7f0012345678, .gpa = 0x1000, .rid = 0x40, .pasid = 7,
		.index = 0x8003, .perm = IOPF_WRITE, .reason = IOPF_SMMUV3_F_TRANSLATION,
		.stage = 2, .stall = true,
	};
	struct iopf_request request = iopf_request_from_fault(&fault);

	CHECK_EQ(request.addr, 0x7f0012345678);
	CHECK_EQ(request.rid, 0x40);
	CHECK_EQ(request.pasid, 7);
	CHECK_EQ(request.index, 0x8003);
	CHECK_EQ(request.perm, IOPF_WRITE);
	CHECK_EQ(request.flags, IOPF_LAST | IOPF_STALL);
}

TEST(codes_are_a_closed_table)
{
	CHECK_EQ(iopf_pcie_code(IOPF_SUCCESS), 0);
	CHECK_EQ(iopf_pcie_code(IOPF_INVALID), 1);
	CHECK_EQ(iopf_pcie_code(IOPF_FAILURE), 0xf);
	CHECK_EQ(iopf_pcie_meaning(0), IOPF_SUCCESS);
	CHECK_EQ(iopf_pcie_meaning(1), IOPF_INVALID);
	for (unsigned code = 2; code < 256; code++)
		CHECK_EQ(iopf_pcie_meaning((uint8_t)code), IOPF_FAILURE);
}

int main(void)
{
	return test_main();
}
