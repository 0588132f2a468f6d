/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: the fault that an SMMUv2's context bank holds, read and written. */
#include <errno.h>

#include "wire/smmuv2.h"

#include "test.h"
#include "iopf/wire.h"

static const struct iopf_wire *const wire = &iopf_wire_smmuv2;

static struct iopf_fault any_fault(uint64_t *seed)
{
	static const uint8_t perms[] = { IOPF_READ, IOPF_WRITE, IOPF_READ | IOPF_EXEC };
	bool nested = test_random(seed) % 2, table = nested && test_random(seed) % 2;
	struct iopf_fault fault = {
		.addr = test_random(seed),
		.gpa = nested ? test_random(seed) : 0,
		.rid = (uint32_t)test_random(seed) & 0xffff,
		.pasid = IOPF_PASID_NONE,
		.perm = perms[test_random(seed) % 3],
		.reason = (uint16_t)(1 + test_random(seed) % 8),
		.stage = nested ? 2 : 0,
		.what = table ? IOPF_FAULT_TABLE : IOPF_FAULT_INPUT,
		.table_perm = table ? IOPF_READ : 0,
	};

	fault.perm |= test_random(seed) % 2 ? IOPF_PRIV : 0;
	fault.stall = smmuv2_resumable(fault.reason) && test_random(seed) % 2;
	return fault;
}

TEST(what_is_written_is_read_again)
{
	uint64_t seed = 2;

	for (unsigned i = 0; i < 200000; i++) {
		struct iopf_fault wanted = any_fault(&seed), got;
		uint8_t record[SMMUV2_FAULT_BYTES];
		bool reserved;

		CHECK_EQ(wire->encode_fault(&wanted, record), 0);
		CHECK_EQ(wire->decode_fault(record, &got, &reserved), 0);
		CHECK(memcmp(&got, &wanted, sizeof(got)) == 0 && !reserved);
	}
}

TEST(what_registers_cannot_say_is_not_written)
{
	const struct iopf_fault good = { .rid = 0x40,
					 .pasid = IOPF_PASID_NONE,
					 .perm = IOPF_READ,
					 .reason = SMMUV2_TF,
					 .stall = true };
	struct iopf_fault bad[] = { good, good, good, good, good, good, good, good, good };
	uint8_t record[SMMUV2_FAULT_BYTES];

	bad[0].pasid = 0;
	bad[1].rid = 0x10000;
	bad[2].reason = 0;
	bad[3].reason = 9;
	bad[4].reason = SMMUV2_EF; /* and it would wait for ever */
	bad[5].perm = IOPF_WRITE | IOPF_EXEC;
	bad[6].perm = 0;
	bad[7].stage = 1;
	bad[8].gpa = 0x1000; /* of what stage? */
	CHECK_EQ(wire->encode_fault(&good, record), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(record, 0xa5, sizeof(record));
		CHECK_EQ(wire->encode_fault(&bad[i], record), -ERANGE);
		CHECK_EQ(record[0], 0xa5);
	}
}

TEST(registers_without_a_fault_are_no_record)
{
	uint8_t record[SMMUV2_FAULT_BYTES];
	struct iopf_fault fault = { .rid = 7 };
	bool reserved = false;

	memset(record, 0xff, sizeof(record));
	record[0] = 1;
	record[1] = 0xfe;
	CHECK_EQ(wire->decode_fault(record, &fault, &reserved), -EBADMSG);
	CHECK(fault.rid == 7 && !reserved);
}

int main(void)
{
	return test_main();
}
