/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what a function asks its IOMMU, what it keeps and what it refuses. */
#include "model_engine.h"

#define ALL_RIGHTS (IOPF_READ | IOPF_WRITE | IOPF_EXEC)

/* The result for the first page, released at once. */
static int translate(uint32_t pasid, uint8_t perm)
{
	uint32_t use;
	int result = model_function_translate(world.function, pasid, VA + 5, perm, &use);

	if (result == 0)
		model_function_release(world.function, use);
	return result;
}

static void start_present(uint8_t perm)
{
	start();
	memset(world.perm, perm, sizeof(world.perm));
}

TEST(a_second_use_asks_nobody)
{
	start_present(IOPF_READ | IOPF_WRITE);
	CHECK_EQ(translate(0, IOPF_READ), 0);
	CHECK_EQ(translate(0, IOPF_WRITE), 0);
	CHECK_EQ(world.translations, 1);
	CHECK_EQ(translate(1, IOPF_READ), 0);
	CHECK_EQ(world.translations, 2);
}

TEST(what_is_not_granted_is_a_fault_and_is_not_kept)
{
	start_present(0);
	CHECK_EQ(translate(0, IOPF_READ), -EFAULT);
	memset(world.perm, IOPF_READ, sizeof(world.perm));
	CHECK_EQ(translate(0, IOPF_READ), 0);
	CHECK_EQ(translate(0, IOPF_WRITE), -EFAULT);
	CHECK_EQ(translate(0, IOPF_READ | IOPF_EXEC), -EFAULT);
	memset(world.perm, ALL_RIGHTS, sizeof(world.perm));
	CHECK_EQ(translate(0, IOPF_WRITE), 0);
	CHECK_EQ(translate(0, IOPF_READ | IOPF_EXEC), 0);
}

/* The rights of a privileged access say nothing of another's. */
TEST(privileged_translations_are_kept_apart)
{
	start_present(IOPF_READ);
	CHECK_EQ(translate(0, IOPF_READ | IOPF_PRIV), 0);
	CHECK_EQ(translate(0, IOPF_READ), 0);
	CHECK_EQ(world.translations, 2);
	CHECK_EQ(translate(0, IOPF_READ | IOPF_PRIV), 0);
	CHECK_EQ(world.translations, 2);
}

TEST(nothing_is_kept_where_ats_goes_off_or_the_function_is_reset)
{
	for (int reset = 0; reset < 2; reset++) {
		start_present(IOPF_READ);
		CHECK_EQ(translate(0, IOPF_READ), 0);
		if (reset)
			model_function_reset(world.function);
		else
			set(CONFIG_ATS_CONTROL, 2, 0);
		CHECK_EQ(translate(0, IOPF_READ), -EACCES);
		memset(world.perm, 0, sizeof(world.perm));
		enable(64);
		CHECK_EQ(translate(0, IOPF_READ), -EFAULT);
	}
}

TEST(completions_that_it_cannot_use_are_refused)
{
	start_present(IOPF_READ);
	world.untranslated = true;
	CHECK_EQ(translate(0, IOPF_READ), -EIO);
	start_present(IOPF_READ);
	world.status = MODEL_UR;
	CHECK_EQ(translate(0, IOPF_READ), -EIO);
	world.status = MODEL_CA;
	CHECK_EQ(translate(0, IOPF_READ), -EIO);
	/* A unit of 8 KiB: one of 4 KiB is none of its own; 16 KiB is. */
	start_present(IOPF_READ);
	set(CONFIG_ATS_CONTROL, 2, 0);
	set(CONFIG_ATS_CONTROL, 2, ATS_ENABLE | 1);
	CHECK_EQ(translate(0, IOPF_READ), -EIO);
	world.large = true;
	CHECK_EQ(translate(0, IOPF_READ), 0);
}

TEST(what_is_not_enabled_is_not_asked)
{
	static const struct {
		uint32_t offset, value, pasid;
		uint8_t perm;
	} row[] = {
		{ CONFIG_COMMAND, COMMAND_MEMORY, 0, IOPF_READ },
		{ CONFIG_ATS_CONTROL, 0, 0, IOPF_READ },
		{ CONFIG_PASID_CONTROL, 0, 0, IOPF_READ },
		{ CONFIG_PASID_CONTROL, PASID_ENABLE, 0, IOPF_READ | IOPF_EXEC },
		{ CONFIG_PASID_CONTROL, PASID_ENABLE, 0, IOPF_READ | IOPF_PRIV },
		{ CONFIG_PASID_CONTROL, PASID_ENABLE, IOPF_PASID_MAX + 1, IOPF_READ },
	};

	for (size_t n = 0; n < sizeof(row) / sizeof(row[0]); n++) {
		start_present(ALL_RIGHTS);
		set(row[n].offset, 2, row[n].value);
		CHECK_EQ(translate(row[n].pasid, row[n].perm), -EACCES);
		CHECK_EQ(world.translations, 0);
	}
}

TEST(an_access_stays_in_its_page_and_its_rights)
{
	uint8_t bytes[8];
	uint32_t use;

	start_present(IOPF_READ);
	CHECK_EQ(model_function_translate(world.function, 0, VA, IOPF_READ, &use), 0);
	CHECK_EQ(model_function_access(world.function, use, 4088, bytes, 8, false), 0);
	CHECK_EQ(model_function_access(world.function, use, 4089, bytes, 8, false), -EACCES);
	CHECK_EQ(model_function_access(world.function, use, 4096, bytes, 0, false), -EACCES);
	CHECK_EQ(model_function_access(world.function, use, 0, bytes, 8, true), -EACCES);
	CHECK_EQ(model_function_invalidate(world.function, 0,
					   model_invalidate_payload(0, 0, false)), -EAGAIN);
	CHECK_EQ(model_function_access(world.function, use, 0, bytes, 8, false), -ESTALE);
	model_function_release(world.function, use);
}

int main(void)
{
	int failed = test_main();

	stop();
	return failed;
}
