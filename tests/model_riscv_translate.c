/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: RISC-V's translation requests, through device context, process context and
 * both stages.
 */
#include "riscv_world.h"

static void create(void)
{
	riscv_world_create();
	if (setup.second != 0)
		back_all();
}

/* ---- What is found --------------------------------------------------------------------- */

TEST(a_page_is_found_through_both_stages)
{
	struct model_translation translation;
	uint64_t gpa;

	create();
	gpa = map(IOVA, R | W, MARKED);
	CHECK_EQ(ask(IOVA, R | W, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.addr, w.guest_at + gpa);
	CHECK_EQ(translation.size_bytes, K4);
	CHECK_EQ(translation.perm, R | W);
	CHECK_EQ(model_iommu_stats(w.iommu).granted, 1);
	CHECK(no_event());
}

/* The first and the last address of each width, and one beyond it. */
static void check_width(uint8_t first, uint8_t second)
{
	uint64_t half = UINT64_C(1) << (9 * first + 11);
	const uint64_t at[] = { 0x5000, half - K4, 0 - half, 0 - K4 };
	struct model_translation translation;

	setup.first = first;
	setup.second = second;
	create();
	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		CHECK_EQ(asked(at[i], R | W, map(at[i], R | W, MARKED)), R | W);
	CHECK_EQ(ask(half, R, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.perm, 0);
	CHECK(no_event());
}

TEST(every_width_of_either_stage_is_walked)
{
	for (uint8_t first = 3; first <= 5; first++)
		for (uint8_t second = 2; second <= 5; second++)
			check_width(first, second == 2 ? 0 : second);
	setup.first = setup.second = 4;
}

TEST(every_depth_of_process_directories_is_walked)
{
	static const struct {
		uint8_t directory;
		uint32_t pasid, beyond;
	} rows[] = { { 1, 0x45, 0x145 }, { 2, 0x12345, 0x32345 }, { 3, 0x92345, NONE } };

	for (unsigned i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned row = i / 2;
		struct model_translation translation;
		uint64_t gpa;

		setup.directory = rows[row].directory;
		setup.second = i % 2 == 0 ? 4 : 0;
		create();
		pc_write(rows[row].pasid, 1, w.first.root);
		gpa = map(IOVA, R, MARKED);
		CHECK_EQ(ask_as(RID, rows[row].pasid, IOVA, R, &translation), MODEL_SUCCESS);
		CHECK_EQ(translation.perm, R);
		CHECK_EQ(translation.addr, (setup.second != 0 ? w.guest_at : 0) + gpa);
		/* A process that is not there; wider than the directory is not allowed. */
		CHECK_EQ(ask_as(RID, rows[row].pasid ^ 1, IOVA, R, &translation), MODEL_SUCCESS);
		CHECK_EQ(translation.perm, 0);
		CHECK(no_event());
		if (rows[row].beyond == NONE)
			continue;
		CHECK_EQ(ask_as(RID, rows[row].beyond, IOVA, R, &translation), MODEL_UR);
		CHECK_EQ(only_event().reason, IOPF_RISCV_disallowed);
	}
	setup.second = 4;
	setup.directory = RISCV_PD20;
}

/* A context may have a first stage itself, or none; DPE makes nobody's process 0. */
TEST(requests_without_a_process_have_the_second_stage_the_context_s_first_or_process_0)
{
	struct model_translation translation;
	uint64_t gpa;

	create();
	gpa = map(IOVA, R | W, MARKED);
	CHECK_EQ(ask_as(RID, NONE, gpa, R | W, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.addr, w.guest_at + gpa);
	create();
	gpa = map(IOVA, R | W, MARKED);
	w.dc.word[3] = UINT64_C(9) << 60 | w.first.root >> 12;
	tc_set(0, TC(PDTV));
	CHECK_EQ(ask_as(RID, NONE, IOVA, R | W, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.addr, w.guest_at + gpa);
	CHECK_EQ(ask(IOVA, R | W, &translation), MODEL_UR);
	CHECK_EQ(only_event().reason, IOPF_RISCV_disallowed);
	create();
	gpa = map(IOVA, R | W, MARKED);
	pc_write(0, 1, w.first.root);
	tc_set(TC(DPE), 0);
	CHECK_EQ(ask_as(RID, NONE, IOVA, R | W, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.addr, w.guest_at + gpa);
	CHECK(no_event());
}

TEST(with_T2GPA_the_answer_is_a_guest_address_and_so_is_what_is_accessed)
{
	uint8_t out[64] = "hello", in[64] = "";
	struct model_translation translation;
	uint64_t gpa;

	setup.features = RISCV_HAS_T2GPA;
	create();
	setup.features = 0;
	tc_set(TC(T2GPA), 0);
	gpa = map(IOVA, R | W, MARKED);
	CHECK_EQ(ask(IOVA, R | W, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.addr, gpa);
	CHECK_EQ(w.up.access(w.up.context, RID, gpa, out, 64, true), MODEL_SUCCESS);
	CHECK_EQ(w.up.access(w.up.context, RID, gpa, in, 64, false), MODEL_SUCCESS);
	CHECK_STR((char *)in, "hello");
	CHECK_EQ(world_load(&w.guest, gpa), le64_get(out));
	CHECK_EQ(w.up.access(w.up.context, RID, UINT64_C(1) << 40, in, 64, false), MODEL_UR);
	CHECK_EQ(only_event().reason, IOPF_RISCV_read_guest_page);
}

/* ---- What is not there, or not allowed ------------------------------------------------- */

TEST(what_is_not_there_is_a_success_without_rights_and_no_record)
{
	create();
	CHECK_EQ(asked(IOVA, R | W, 0), 0);
	/* Not remembered: mapped, it is there at once. */
	CHECK_EQ(asked(IOVA, R | W, map(IOVA, R | W, MARKED)), R | W);
	CHECK(no_event());
}

TEST(pages_that_the_host_has_not_mapped_are_not_there_either)
{
	uint64_t gpa;

	riscv_world_create();
	gpa = map(IOVA, R | W, MARKED);
	/* Directories, tables and the page: each is missing until the host maps it. */
	for (uint64_t at = K4; at < w.guest.used * K4; at += K4) {
		CHECK_EQ(asked(IOVA, R, gpa), 0);
		back(at, R | W);
	}
	CHECK_EQ(asked(IOVA, R, gpa), R);
	CHECK(no_event());
}

TEST(no_more_rights_are_granted_than_both_stages_give)
{
	uint64_t gpa;

	create();
	gpa = map(IOVA, R, MARKED);
	CHECK_EQ(asked(IOVA, R | W, gpa), R);
	CHECK_EQ(asked(IOVA, W, gpa), 0);
	CHECK_EQ(asked(IOVA, R | X, gpa), R);
	gpa = map(IOVA + K4, R | W, MARKED);
	CHECK_EQ(sv_protect(&w.second, gpa, K4, R), 1);
	CHECK_EQ(asked(IOVA + K4, R | W, gpa), R);
	gpa = map(IOVA + 2 * K4, R | X, MARKED);
	CHECK_EQ(asked(IOVA + 2 * K4, R, gpa), R);
	CHECK_EQ(asked(IOVA + 2 * K4, R | X, gpa), R);
	CHECK_EQ(sv_protect(&w.second, gpa, K4, R | X), 1);
	CHECK_EQ(asked(IOVA + 2 * K4, R | X, gpa), R | X);
	/* Execution is granted together with reading. */
	gpa = map(IOVA + 3 * K4, X, MARKED);
	CHECK_EQ(sv_protect(&w.second, gpa, K4, R | X), 1);
	CHECK_EQ(asked(IOVA + 3 * K4, R | X, 0), 0);
	CHECK(no_event());
}

static void nothing(void)
{
}

static void off(void)
{
	reg_set(RISCV_DDTP, 8, RISCV_MODE_OFF);
}

static void bare(void)
{
	mode_set(RISCV_MODE_BARE);
}

static void narrow(void)
{
	mode_set(RISCV_MODE_1LVL);
}

static void lost_directory(void)
{
	world_store(&w.host, w.ddt[2], 1 | NOWHERE >> 2);
}

static void invalid(void)
{
	tc_set(0, TC(V));
}

static void reserved(void)
{
	tc_set(1 << 12, 0);
}

static void no_ats(void)
{
	tc_set(0, TC(EN_ATS) | TC(EN_PRI) | TC(PRPR));
}

/* The guest's directory lies where the host has mapped it, and there is no memory. */
static void lost_processes(void)
{
	CHECK_EQ(sv_unmap(&w.second, w.pdt, K4), 1);
	CHECK_EQ(sv_map(&w.second, w.pdt, NOWHERE, K4, R | W, MARKED), 0);
}

static void reserved_processes(void)
{
	world_store(&w.guest, w.pdt + (PASID >> 17) * 8,
		    world_load(&w.guest, w.pdt + (PASID >> 17) * 8) | 2);
}

static void reserved_process(void)
{
	pc_write(PASID, 1 | 8, w.first.root);
}

static void wrong_mode(void)
{
	world_store(&w.guest, pc_at(PASID) + 8, UINT64_C(3) << 60 | w.first.root >> 12);
}

static void lost_table(void)
{
	CHECK_EQ(sv_unmap(&w.second, w.first.root, K4), 1);
	CHECK_EQ(sv_map(&w.second, w.first.root, NOWHERE, K4, R | W, MARKED), 0);
}

static void lost_second(void)
{
	w.dc.word[1] = (w.dc.word[1] & ~FIELD_MASK(RISCV_DC_GPPN)) | NOWHERE >> 14 << 2;
	dc_write(RID);
}

static void no_process(void)
{
	pc_write(PASID, 0, 0);
}

static void reserved_entry(void)
{
	uint64_t at = w.first.root + (IOVA >> 39 & 511) * 8;

	world_store(&w.guest, at, world_load(&w.guest, at) | UINT64_C(1) << 54);
}

static const struct {
	const char *name;
	void (*spoil)(void);
	uint8_t status;
	uint16_t cause; /* that is recorded */
	bool always;    /* whatever DTF says */
} ends[] = {
	{ "nothing", nothing, MODEL_SUCCESS, 0, false },
	{ "Off", off, MODEL_UR, IOPF_RISCV_off, true },
	{ "Bare", bare, MODEL_UR, IOPF_RISCV_disallowed, true },
	{ "device too wide", narrow, MODEL_UR, IOPF_RISCV_disallowed, true },
	{ "no memory for a directory", lost_directory, MODEL_UR, IOPF_RISCV_ddt_access, true },
	{ "V is 0", invalid, MODEL_UR, IOPF_RISCV_ddt_invalid, true },
	{ "reserved bits", reserved, MODEL_UR, IOPF_RISCV_ddt_misconfigured, true },
	{ "EN_ATS is 0", no_ats, MODEL_UR, IOPF_RISCV_disallowed, false },
	{ "no memory for processes", lost_processes, MODEL_CA, IOPF_RISCV_pdt_access, false },
	{ "reserved bits of processes", reserved_processes, MODEL_CA,
	  IOPF_RISCV_pdt_misconfigured, false },
	{ "reserved bits of a process", reserved_process, MODEL_CA,
	  IOPF_RISCV_pdt_misconfigured, false },
	{ "mode of a process", wrong_mode, MODEL_CA, IOPF_RISCV_pdt_misconfigured, false },
	{ "no such process", no_process, MODEL_SUCCESS, 0, false },
	{ "no memory for a table", lost_table, MODEL_CA, IOPF_RISCV_read_access, false },
	{ "no memory for the second stage", lost_second, MODEL_CA, IOPF_RISCV_pdt_access, false },
	{ "reserved bits of a table", reserved_entry, MODEL_SUCCESS, 0, false },
};

static void check_end(unsigned row, bool dtf)
{
	struct model_translation translation = { .perm = 0 };
	struct iopf_fault fault;

	create();
	(void)map(IOVA, R, MARKED);
	if (dtf)
		tc_set(TC(DTF), 0);
	ends[row].spoil();
	CHECK_EQ(ask(IOVA, R, &translation), ends[row].status);
	CHECK_EQ(translation.perm, ends[row].spoil == nothing ? R : 0);
	CHECK_EQ(model_iommu_stats(w.iommu).refused, ends[row].status != MODEL_SUCCESS);
	if (ends[row].cause == 0 || (dtf && !ends[row].always)) {
		CHECK(no_event());
		return;
	}
	fault = only_event();
	CHECK_EQ(fault.reason, ends[row].cause);
	CHECK_EQ(fault.rid, RID);
	CHECK_EQ(fault.pasid, PASID);
	CHECK_EQ(fault.addr, IOVA);
	CHECK_EQ(fault.type, 8);
	CHECK(fault.request);
}

/* What may become present is silent; UR: not allowed; CA: broken. */
TEST(each_cause_ends_as_it_should_and_DTF_hides_what_it_may)
{
	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		printf("# %s\n", ends[i].name);
		check_end(i, false);
		check_end(i, true);
	}
}

/* ---- Privilege, accessed and dirty ----------------------------------------------------- */

TEST(privilege_needs_ENS_and_SUM_for_what_is_the_users)
{
	struct model_translation translation;

	create();
	(void)map(IOVA, R | W, MARKED);
	(void)map(IOVA + K4, R | W | IOPF_PRIV, MARKED);
	CHECK_EQ(asked(IOVA + K4, R, 0), 0);
	CHECK_EQ(ask(IOVA, R | IOPF_PRIV, &translation), MODEL_UR);
	CHECK_EQ(only_event().reason, IOPF_RISCV_disallowed);
	create();
	pc_write(PASID, 1 | 2, w.first.root);
	(void)map(IOVA, R | W, MARKED);
	CHECK_EQ(asked(IOVA, R | IOPF_PRIV, 0), 0);
	(void)map(IOVA + K4, R | IOPF_PRIV, MARKED);
	CHECK_EQ(ask(IOVA + K4, R | IOPF_PRIV, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.perm, R | IOPF_PRIV);
	create();
	pc_write(PASID, 1 | 2 | 4, w.first.root);
	(void)map(IOVA, R | W, MARKED);
	CHECK_EQ(ask(IOVA, R | IOPF_PRIV, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.perm, R | IOPF_PRIV);
}

static uint64_t leaf_of(const struct world *world, const struct sv_table *table, uint64_t addr)
{
	struct sv_format format = table->format;
	struct table_result result;

	format.update = true; /* of this look only: nothing is written */
	CHECK(sv_walk(&world->space, &format, table->root, addr, R, false, &result));
	return world_load(world, result.entry_addr);
}

/* What software marked beforehand, with and without hardware's updates in that stage. */
TEST(rights_follow_accessed_and_dirty_of_either_stage)
{
	static const struct {
		uint64_t marks;
		bool update;
		uint8_t perm, granted;
		uint64_t left;
	} rows[] = {
		{ 0, false, R, 0, 0 },
		{ 0, false, R | W, 0, 0 },
		{ SV_ACCESSED, false, R, R, SV_ACCESSED },
		{ SV_ACCESSED, false, R | W, R, SV_ACCESSED },
		{ SV_ACCESSED, false, W, 0, SV_ACCESSED },
		{ MARKED, false, R, R, MARKED },
		{ MARKED, false, R | W, R | W, MARKED },
		{ 0, true, R, R, SV_ACCESSED },
		{ 0, true, R | W, R | W, MARKED },
		{ 0, true, W, W, MARKED },
		{ SV_ACCESSED, true, R, R, SV_ACCESSED },
		{ SV_ACCESSED, true, R | W, R | W, MARKED },
	};

	for (unsigned i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned row = i / 2;
		bool second = i % 2 != 0;
		uint64_t gpa, left;

		printf("# row %u, stage %u\n", row, second ? 2 : 1);
		create();
		w.guest.space.memory = &w.guest.memory;
		gpa = map(IOVA, R | W, second ? MARKED : rows[row].marks);
		if (second) {
			CHECK_EQ(sv_unmap(&w.second, gpa, K4), 1);
			CHECK_EQ(sv_map(&w.second, gpa, w.guest_at + gpa, K4, R | W,
					rows[row].marks), 0);
		}
		tc_set(!rows[row].update ? 0 : second ? TC(GADE) : TC(SADE), 0);
		CHECK_EQ(asked(IOVA, rows[row].perm, gpa), rows[row].granted);
		left = second ? leaf_of(&w.host, &w.second, gpa) :
				leaf_of(&w.guest, &w.first, IOVA);
		CHECK_EQ(left & MARKED, rows[row].left);
		CHECK(no_event());
	}
}

/* ---- Accesses -------------------------------------------------------------------------- */

TEST(translated_accesses_reach_memory_if_the_context_lets_them)
{
	uint8_t out[64] = "hello", in[64] = "";
	uint64_t addr;

	create();
	addr = w.guest_at + 0x5000;
	CHECK_EQ(w.up.access(w.up.context, RID, addr, out, 64, true), MODEL_SUCCESS);
	CHECK_EQ(w.up.access(w.up.context, RID, addr, in, 64, false), MODEL_SUCCESS);
	CHECK_STR((char *)in, "hello");
	CHECK_EQ(w.up.access(w.up.context, RID, UINT64_C(1) << 45, in, 64, false), MODEL_UR);
	CHECK(no_event());
	w.dc.word[0] = TC(V) | TC(PDTV);
	dc_write(RID + 1);
	CHECK_EQ(w.up.access(w.up.context, RID + 1, addr, in, 64, true), MODEL_UR);
	CHECK_EQ(only_event().reason, IOPF_RISCV_disallowed);
	CHECK_EQ(model_iommu_stats(w.iommu).refused_accesses, 2);
}

static int transact(uint64_t addr, void *buffer, uint8_t perm)
{
	const struct model_transaction transaction = { .addr = addr, .buffer = buffer,
						       .rid = RID, .pasid = PASID,
						       .size_bytes = 8, .perm = perm };

	return w.up.transact(w.up.context, &transaction);
}

/* Nothing stalls. */
TEST(an_untranslated_access_moves_or_is_aborted_and_recorded)
{
	uint64_t value = 0x1122334455667788;
	struct iopf_fault fault;
	uint64_t gpa;

	create();
	gpa = map(IOVA, R, MARKED);
	world_store(&w.guest, gpa + 16, 42);
	CHECK_EQ(transact(IOVA + 16, &value, R), 0);
	CHECK_EQ(le64_get(&value), 42);
	CHECK(no_event());
	CHECK_EQ(transact(IOVA + 16, &value, W), -EFAULT);
	fault = only_event();
	CHECK_EQ(fault.reason, IOPF_RISCV_write_page);
	CHECK_EQ(fault.type, 3);
	CHECK_EQ(fault.addr, IOVA + 16);
	CHECK_EQ(fault.stage, 1);
	CHECK_EQ(sv_unmap(&w.second, gpa, K4), 1);
	CHECK_EQ(transact(IOVA + 24, &value, W), -EFAULT);
	CHECK_EQ(only_event().reason, IOPF_RISCV_write_page);
	tc_set(TC(DTF), 0);
	command((struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
				       .granularity = IOPF_ALL });
	CHECK_EQ(transact(IOVA + 24, &value, W), -EFAULT);
	CHECK(no_event());
}

/* What the second stage lacks is told to the byte, and whether it was a table's. */
TEST(a_guest_page_fault_says_what_missed)
{
	struct iopf_fault fault;
	uint64_t value = 0, gpa;

	create();
	gpa = map(IOVA, R, MARKED);
	CHECK_EQ(sv_unmap(&w.second, gpa, K4), 1);
	CHECK_EQ(transact(IOVA + 24, &value, R), -EFAULT);
	fault = only_event();
	CHECK_EQ(fault.reason, IOPF_RISCV_read_guest_page);
	CHECK_EQ(fault.gpa, gpa + 24);
	CHECK_EQ(fault.stage, 2);
	CHECK_EQ(fault.what, IOPF_FAULT_INPUT);
	CHECK_EQ(sv_unmap(&w.second, w.first.root, K4), 1);
	CHECK_EQ(transact(IOVA + 24, &value, R), -EFAULT);
	fault = only_event();
	CHECK_EQ(fault.gpa, w.first.root + (IOVA >> 39 & 511) * 8);
	CHECK_EQ(fault.what, IOPF_FAULT_TABLE);
	CHECK_EQ(fault.table_perm, R);
}

int main(void)
{
	return test_main();
}
