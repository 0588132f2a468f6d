/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: software finds VT-d's registers as the specification describes them. */
#include "test.h"

#include "queue_pair.h"

/* What software may set, with ones written over a register after reset, and what it
 * reads at reset: written out once more, from the register descriptions. */
static const struct {
	const char *name;
	uint32_t offset, width;
	uint64_t reset, settable;
} rows[] = {
	{ "VER", 0x00, 4, 0x60, 0 },
	{ "GCMD", 0x18, 4, 0, 0 },
	{ "RTADDR", 0x20, 8, 0, UINT64_C(0xfffffffffffffc00) },
	{ "FSTS", 0x34, 4, 0, 0 },
	{ "FECTL", 0x38, 4, 0x80000000, 0x80000000 },
	{ "FEDATA", 0x3c, 4, 0, 0xffffffff },
	{ "FEADDR", 0x40, 4, 0, 0xfffffffc },
	{ "FEUADDR", 0x44, 4, 0, 0xffffffff },
	{ "IQH", 0x80, 8, 0, 0 },
	{ "IQT", 0x88, 8, 0, 0x7fff0 },
	{ "IQA", 0x90, 8, 0, UINT64_C(0xfffffffffffff807) },
	{ "ICS", 0x9c, 4, 0, 0 },
	{ "IECTL", 0xa0, 4, 0x80000000, 0x80000000 },
	{ "IEDATA", 0xa4, 4, 0, 0xffffffff },
	{ "IEADDR", 0xa8, 4, 0, 0xfffffffc },
	{ "IEUADDR", 0xac, 4, 0, 0xffffffff },
	{ "IQERCD", 0xb0, 8, 0, 0 },
	{ "IRTA", 0xb8, 8, 0, UINT64_C(0xfffffffffffff80f) },
	{ "PQH", 0xc0, 8, 0, 0x7ffe0 },
	{ "PQT", 0xc8, 8, 0, 0x7ffe0 },
	{ "PQA", 0xd0, 8, 0, UINT64_C(0xfffffffffffff007) },
	{ "PRS", 0xdc, 4, 0, 0 },
	{ "PECTL", 0xe0, 4, 0x80000000, 0x80000000 },
	{ "PEDATA", 0xe4, 4, 0, 0xffffffff },
	{ "PEADDR", 0xe8, 4, 0, 0xfffffffc },
	{ "PEUADDR", 0xec, 4, 0, 0xffffffff },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

TEST(each_register_has_its_reset_value_and_its_writable_bits)
{
	pair_hardware(IOPF_VTD_PHYSICAL);
	for (unsigned i = 0; i < ROWS; i++)
		CHECK_EQ(pair_reg(rows[i].offset, rows[i].width), rows[i].reset);
	for (unsigned i = 0; i < ROWS; i++) {
		for (unsigned bit = 0; bit < rows[i].width * 8; bit++) {
			uint64_t one = UINT64_C(1) << bit;

			if (rows[i].offset == VTD_GCMD)
				continue;
			pair_set(rows[i].offset, rows[i].width, one);
			if (rows[i].settable == 0)
				CHECK_EQ(pair_reg(rows[i].offset, rows[i].width),
					 rows[i].reset);
			else
				CHECK_EQ(pair_reg(rows[i].offset, rows[i].width),
					 one & rows[i].settable);
		}
	}
}

TEST(halves_of_a_register_are_written_alone)
{
	pair_hardware(IOPF_VTD_PHYSICAL);
	pair_set(VTD_PQA, 4, 0x12345007);
	pair_set(VTD_PQA + 4, 4, 0x00000abc);
	CHECK_EQ(pair_reg(VTD_PQA, 8), UINT64_C(0xabc12345007));
	CHECK_EQ(pair_reg(VTD_PQA + 4, 4), 0xabc);
	/* Two registers in one access. */
	pair_set(VTD_FEADDR, 8, UINT64_C(0x11223344aabbccdd));
	CHECK_EQ(pair_reg(VTD_FEADDR, 4), 0xaabbccdc);
	CHECK_EQ(pair_reg(VTD_FEUADDR, 4), 0x11223344);
}

TEST(nothing_is_read_as_0_and_written_in_vain)
{
	uint64_t value = 1;

	pair_hardware(IOPF_VTD_PHYSICAL);
	CHECK_EQ(pair_reg(0xf00, 8), 0);
	CHECK_EQ(pair_reg(0xffc, 4), 0);
	CHECK_EQ(pair_reg(0x600, 4), 0);
	pair_set(0xf00, 8, UINT64_MAX);
	pair_set(VTD_CAP, 8, 0);
	CHECK_EQ(pair_reg(0xf00, 8), 0);
	CHECK(pair_reg(VTD_CAP, 8) != 0);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->bad_accesses, 6);
	CHECK_EQ(iopf_hardware_read(pair.hardware, 2, 4, &value), -EINVAL);
	CHECK_EQ(iopf_hardware_read(pair.hardware, 4, 8, &value), -EINVAL);
	CHECK_EQ(iopf_hardware_read(pair.hardware, 0, 2, &value), -EINVAL);
	CHECK_EQ(iopf_hardware_read(pair.hardware, 4096, 4, &value), -EINVAL);
	CHECK_EQ(iopf_hardware_write(pair.hardware, UINT32_C(0xfffffffc), 4, 0), -EINVAL);
	CHECK_EQ(value, 1);
}

TEST(commands_of_gcmd_show_in_gsts)
{
	pair_hardware(IOPF_VTD_PHYSICAL);
	pair_set(VTD_RTADDR, 8, ROOT_AT | VTD_RTADDR_SCALABLE);
	CHECK_EQ(iopf_hardware_root(pair.hardware), 0);
	pair_set(VTD_GCMD, 4, VTD_SRTP);
	CHECK_EQ(pair_reg(VTD_GCMD, 4), 0);
	CHECK_EQ(pair_reg(VTD_GSTS, 4), VTD_SRTP);
	CHECK_EQ(iopf_hardware_root(pair.hardware), ROOT_AT | VTD_RTADDR_SCALABLE);
	CHECK_EQ(pair.roots, 1);
	/* Levels go up and down; what was set once stays. */
	pair_set(VTD_GCMD, 4, VTD_TE);
	CHECK_EQ(pair_reg(VTD_GSTS, 4), VTD_SRTP | VTD_TE);
	CHECK(iopf_hardware_translates(pair.hardware));
	pair_set(VTD_GCMD, 4, VTD_TE | VTD_QIE);
	CHECK_EQ(pair_reg(VTD_GSTS, 4), VTD_SRTP | VTD_TE | VTD_QIE);
	CHECK_EQ(pair.on, 1);
	pair_set(VTD_GCMD, 4, VTD_QIE | VTD_SIRTP);
	CHECK_EQ(pair_reg(VTD_GSTS, 4), VTD_SRTP | VTD_SIRTP | VTD_QIE);
	CHECK_EQ(pair.off, 1);
	CHECK_EQ(pair.roots, 1);
	/* A new pointer is in force with the command, not with the register. */
	pair_set(VTD_RTADDR, 8, 0x7000);
	CHECK_EQ(iopf_hardware_root(pair.hardware), ROOT_AT | VTD_RTADDR_SCALABLE);
}

TEST(a_request_queue_comes_moves_and_goes)
{
	pair_hardware(IOPF_VTD_PHYSICAL);
	pair_set(VTD_PQA, 8, REQUESTS_AT);
	CHECK_EQ(pair.change, IOPF_QUEUE_ENABLED);
	pair_set(VTD_PQA, 8, REQUESTS_AT);
	CHECK_EQ(pair.changes, 1);
	pair_set(VTD_PQA, 8, REQUESTS_AT | 1);
	CHECK_EQ(pair.change, IOPF_QUEUE_REBASED);
	pair_set(VTD_PQA, 8, 0);
	CHECK_EQ(pair.change, IOPF_QUEUE_DISABLED);
	CHECK_EQ(pair.changes, 3);
}

TEST(invalidation_by_registers_is_done_at_once)
{
	pair_hardware(IOPF_VTD_PHYSICAL);
	pair_set(VTD_CCMD, 8, VTD_CCMD_ICC | UINT64_C(3) << 61 | UINT64_C(3) << 32 |
			      UINT64_C(0x0310) << 16 | 0x55);
	CHECK_EQ(pair.commands, 1);
	CHECK_EQ(pair.command.kind, IOPF_COMMAND_INVALIDATE_CONTEXT);
	CHECK_EQ(pair.command.granularity, IOPF_DEVICE);
	CHECK_EQ(pair.command.rid, 0x0310);
	CHECK_EQ(pair.command.rid_mask, 7);
	CHECK_EQ(pair.command.domain, 0x55);
	CHECK_EQ(pair_reg(VTD_CCMD, 8) >> 59, 3 << 2 | 3);

	pair_set(VTD_IVA, 8, 0x12345003);
	pair_set(VTD_IOTLB, 8, VTD_IOTLB_IVT | UINT64_C(3) << 60 | UINT64_C(0x77) << 32);
	CHECK_EQ(pair.commands, 2);
	CHECK_EQ(pair.command.kind, IOPF_COMMAND_INVALIDATE_IOTLB);
	CHECK_EQ(pair.command.granularity, IOPF_PAGE);
	CHECK_EQ(pair.command.domain, 0x77);
	CHECK_EQ(pair.command.addr, 0x12340000);
	CHECK_EQ(pair.command.size_bytes, 0x8000);
	CHECK_EQ(pair_reg(VTD_IOTLB, 8) >> 57, 3 << 3 | 3);
	/* Granularity 0 is reserved: it ends, and nothing was done. */
	pair_set(VTD_IOTLB, 8, VTD_IOTLB_IVT);
	CHECK_EQ(pair_reg(VTD_IOTLB, 8), 0);
	/* A mask beyond CAP.MAMV: ignored, and it says so. */
	pair.command.kind = 0;
	pair_set(VTD_IVA, 8, 19);
	pair_set(VTD_IOTLB, 8, VTD_IOTLB_IVT | UINT64_C(3) << 60);
	CHECK_EQ(pair.command.kind, 0);
	CHECK_EQ(pair_reg(VTD_IOTLB, 8) >> 57, 3 << 3);
	CHECK_EQ(pair.commands, 2);
}

TEST(invalidation_by_registers_may_have_to_wait)
{
	pair_hardware(IOPF_VTD_PHYSICAL);
	pair.command_result = -EAGAIN;
	pair_set(VTD_IOTLB, 8, VTD_IOTLB_IVT | UINT64_C(1) << 60);
	CHECK_EQ(pair_reg(VTD_IOTLB, 8) >> 63, 1);
	iopf_hardware_run(pair.hardware, 1);
	CHECK_EQ(pair_reg(VTD_IOTLB, 8) >> 63, 1);
	pair.command_result = 0;
	iopf_hardware_run(pair.hardware, 1);
	CHECK_EQ(pair_reg(VTD_IOTLB, 8) >> 63, 0);
	CHECK_EQ(pair.commands, 1);
}

static struct iopf_fault fault(uint32_t n)
{
	return (struct iopf_fault){ .addr = (uint64_t)n << 12 | 0x123, .rid = n,
				    .pasid = 0x12345, .perm = IOPF_READ, .reason = 0x47,
				    .request = true };
}

TEST(faults_are_recorded_round_and_round_until_none_is_free)
{
	struct iopf_fault f;

	pair_hardware(IOPF_VTD_PHYSICAL);
	pair_set(VTD_FECTL, 4, 0);
	for (uint32_t i = 0; i < 8; i++) {
		f = fault(i);
		CHECK(iopf_hardware_fault(pair.hardware, &f));
	}
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair_reg(VTD_FSTS, 4), VTD_FSTS_PPF);
	CHECK(!iopf_hardware_fault(pair.hardware, &f));
	CHECK_EQ(pair_reg(VTD_FSTS, 4), VTD_FSTS_PPF | VTD_FSTS_PFO);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair_reg(VTD_FRCD + 16 * 3, 8), 0x3000);
	CHECK_EQ(pair_reg(VTD_FRCD + 16 * 3 + 8, 8),
		 VTD_FRCD_F | VTD_FRCD_T2 | VTD_FRCD_PP | UINT64_C(0x12345) << 40 |
			 UINT64_C(0x47) << 32 | 3);
	/* While the overflow stands nothing is recorded, room or not. */
	pair_set(VTD_FRCD + 12, 4, 0x80000000);
	CHECK(!iopf_hardware_fault(pair.hardware, &f));
	pair_set(VTD_FSTS, 4, VTD_FSTS_PFO);
	CHECK(iopf_hardware_fault(pair.hardware, &f));
	for (uint32_t i = 0; i < 8; i++)
		pair_set(VTD_FRCD + 16 * i + 8, 8, VTD_FRCD_F);
	CHECK_EQ(pair_reg(VTD_FSTS, 4) & VTD_FSTS_PPF, 0);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->faults, 9);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->lost_faults, 2);
	/* The index of the first pending one, and an interrupt again. */
	f = fault(1);
	f.request = false;
	CHECK(iopf_hardware_fault(pair.hardware, &f));
	CHECK_EQ(pair_reg(VTD_FSTS, 4), VTD_FSTS_PPF | 1 << 8);
	CHECK_EQ(pair_reg(VTD_FRCD + 16 + 8, 8) & (VTD_FRCD_T1 | VTD_FRCD_T2), VTD_FRCD_T1);
	CHECK_EQ(pair.interrupts, 2);
}

TEST(capabilities_are_those_that_were_asked_for)
{
	uint64_t cap, ecap;

	CHECK_EQ(iopf_vtd_capability(IOPF_VTD_PHYSICAL, 20, &cap, &ecap), 0);
	CHECK_EQ(cap >> 7 & 1, 0);      /* CM */
	CHECK_EQ(cap >> 56 & 1, 1);     /* FL1GP */
	CHECK_EQ(cap >> 60 & 1, 1);     /* FL5LP */
	CHECK_EQ(cap >> 8 & 0x1f, 4);   /* SAGAW */
	CHECK_EQ(cap >> 16 & 0x3f, 47); /* MGAW */
	CHECK_EQ(ecap >> 26 & 1, 1);    /* NEST */
	CHECK_EQ(ecap >> 29 & 1, 1);    /* PRS */
	CHECK_EQ(ecap >> 35 & 0x1f, 19); /* PSS */
	CHECK_EQ(ecap >> 42 & 3, 3);    /* PDS, SMTS */
	CHECK_EQ(ecap >> 46 & 3, 3);    /* SLTS, FLTS */
	CHECK_EQ(ecap >> 58 & 1, 1);    /* SMS */
	CHECK_EQ(iopf_vtd_capability(IOPF_VTD_VIRTUAL, 16, &cap, &ecap), 0);
	CHECK_EQ(cap >> 7 & 1, 1);
	CHECK_EQ(ecap >> 26 & 1, 0);
	CHECK_EQ(ecap >> 46 & 3, 2);
	CHECK_EQ(ecap >> 35 & 0x1f, 15);
	CHECK_EQ(iopf_vtd_capability(0, 0, &cap, &ecap), -EINVAL);
	CHECK_EQ(iopf_vtd_capability(0, 21, &cap, &ecap), -EINVAL);
	CHECK_EQ(iopf_vtd_capability(UINT32_C(1) << 31, 20, &cap, &ecap), -EINVAL);
}

TEST(capabilities_that_place_registers_elsewhere_are_refused)
{
	struct iopf_hardware_options options = {
		.size_bytes = sizeof(options), .version = IOPF_VTD_VERSION,
		.wire = &iopf_wire_vtd, .memory = &pair.memory, .ops = &pair_ops,
	};
	struct iopf_hardware *hardware = NULL;
	uint64_t cap, ecap;

	CHECK_EQ(iopf_vtd_capability(IOPF_VTD_PHYSICAL, 20, &cap, &ecap), 0);
	options.cap = cap ^ UINT64_C(1) << 24;
	options.ecap = ecap;
	CHECK_EQ(iopf_hardware_create(&options, pair.hardware_bytes, 16384, &hardware),
		 -EINVAL);
	options.cap = cap;
	options.ecap = ecap ^ UINT64_C(1) << 8;
	CHECK_EQ(iopf_hardware_create(&options, pair.hardware_bytes, 16384, &hardware),
		 -EINVAL);
	options.ecap = ecap;
	CHECK_EQ(iopf_hardware_create(&options, pair.hardware_bytes, 16, &hardware),
		 -ENOSPC);
	CHECK(hardware == NULL);
	CHECK_EQ(iopf_hardware_create(&options, pair.hardware_bytes, 16384, &hardware), 0);
}

int main(void)
{
	return test_main();
}
