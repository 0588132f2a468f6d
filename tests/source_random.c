/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: whatever happens in whatever order, every group of a modelled kernel's queue
 * is answered once, and by nobody else's answer.
 */
#include "source_kernel.h"

enum { DEVICES = 3, PASIDS = 3, OPEN_MAX_ = 64, ROUNDS = 3000 };

/* What a broker would hold: groups that were given to it. */
struct open {
	struct iopf_request last;
	bool used;
};

static struct open open_groups[OPEN_MAX_];
static bool shown[KERNEL_GROUPS]; /* those that are answered elsewhere are not */
static uint64_t seed;
static bool told; /* who detaches says so */

static uint32_t chance(uint32_t of)
{
	return (uint32_t)(test_random(&seed) % of);
}

/* What its owner will say of a group: a wrong one's answer is seen. */
static enum iopf_code code_of(uint32_t group)
{
	return group * 2654435761u >> 31 ? IOPF_SUCCESS : IOPF_INVALID;
}

static void note(const struct iopf_request *last)
{
	struct open *free_one = NULL;

	for (unsigned i = 0; i < OPEN_MAX_; i++) {
		struct open *it = &open_groups[i];

		CHECK(!it->used || it->last.index != last->index);
		if (!it->used)
			free_one = it;
	}
	CHECK(free_one != NULL);
	*free_one = (struct open){ .last = *last, .used = true };
	shown[group_of(last->addr)] = true;
}

static void read_some(void)
{
	int count = iopf_iommufd_read(source, &requests);

	CHECK(count >= 0 || count == -EAGAIN);
	for (int i = 0; i < count; i++) {
		uint32_t id = group_of(requests[i].addr);

		CHECK_EQ(requests[i].rid, kernel.groups[id].device);
		CHECK_EQ(requests[i].pasid, kernel.groups[id].pasid);
		if (requests[i].flags & IOPF_LAST)
			note(&requests[i]);
	}
}

static void answer_some(void)
{
	struct iopf_response out[8];
	uint32_t count = 0;
	int result;

	for (unsigned i = 0; i < OPEN_MAX_ && count < 8; i++) {
		struct open *it = &open_groups[i];

		if (!it->used || chance(4) != 0)
			continue;
		out[count++] = response_to(&it->last, code_of(group_of(it->last.addr)));
		it->used = false;
	}
	result = iopf_iommufd_write(source, out, count);
	CHECK(result == 0 || result == -EAGAIN);
}

static uint32_t a_device(void)
{
	return 10 + chance(DEVICES);
}

static uint32_t a_pasid(void)
{
	uint32_t pasid = chance(PASIDS);

	return pasid == 0 ? IOPF_PASID_NONE : pasid;
}

static void detach(void)
{
	uint32_t device = a_device(), pasid = a_pasid();

	kernel_detach(device, pasid);
	if (told)
		iopf_iommufd_forget(source, device, pasid);
}

/* As a broker does: it forgets, and says nothing; then the kernel's part ends. */
static void reset(void)
{
	uint32_t device = a_device();

	for (unsigned i = 0; i < OPEN_MAX_; i++)
		open_groups[i].used = open_groups[i].used && open_groups[i].last.rid != device;
	iopf_iommufd_reset(source, device);
	kernel_detach(device, IOPF_PASID_NONE);
	for (uint32_t pasid = 1; pasid < PASIDS; pasid++)
		kernel_detach(device, pasid);
	iopf_iommufd_forget(source, device, IOPF_PASID_ANY);
}

static void behave(void)
{
	kernel.write_blocks = chance(6) == 0;
	kernel.write_interrupts = chance(6) == 0;
	kernel.read_blocks = chance(6) == 0;
	kernel.zero_for_einval = chance(2) == 0;
	kernel.write_max = chance(4);
	kernel.extra_flags = chance(2) * 4;
}

static void step(void)
{
	switch (chance(16)) {
	case 0:
		detach();
		break;
	case 1:
		if (chance(4) == 0)
			reset();
		break;
	case 2:
		behave();
		break;
	case 3:
	case 4:
	case 5:
		read_some();
		break;
	case 6:
	case 7:
	case 8:
		answer_some();
		break;
	default:
		if (kernel.group_count < KERNEL_GROUPS)
			kernel_fault(a_device(), a_pasid(), chance(3), 1 + chance(5));
		break;
	}
}

/* Groups and their answers, so far: none has two, and each that has one has its own. */
static void check(void)
{
	for (uint32_t id = 0; id < kernel.group_count; id++) {
		const struct kernel_group *group = &kernel.groups[id];

		CHECK(group->answers <= 1);
		if (group->answers == 1 && !group->by_kernel)
			CHECK_EQ(group->code, shown[id] && code_of(id) == IOPF_SUCCESS ?
						      IOPF_IOMMUFD_SUCCESS :
						      IOPF_IOMMUFD_INVALID);
	}
}

/* Let everything come to its end. */
static void settle(void)
{
	kernel.write_blocks = kernel.write_interrupts = kernel.read_blocks = false;
	for (unsigned i = 0; i < 400; i++) {
		read_some();
		answer_some();
	}
	for (uint32_t id = 0; id < kernel.group_count; id++)
		CHECK_EQ(kernel.groups[id].answers, 1);
	CHECK_EQ(iopf_iommufd_owed(source), 0);
	check();
}

static void history(uint64_t from)
{
	seed = from;
	told = from % 2 == 0;
	memset(open_groups, 0, sizeof(open_groups));
	memset(shown, 0, sizeof(shown));
	world_create(1 + chance(24), 5 + chance(16));
	for (unsigned i = 0; i < ROUNDS; i++)
		step();
	check();
	settle();
}

TEST(every_group_is_answered_once_by_its_own_answer)
{
	uint64_t answers = 0, refused = 0, replaced = 0, swallowed = 0, full = 0;

	for (uint64_t i = 1; i <= 40; i++) {
		history(i);
		answers += COUNTED(answers);
		refused += COUNTED(refused);
		replaced += COUNTED(replaced);
		swallowed += COUNTED(swallowed);
		full += COUNTED(full);
	}
	CHECK(answers > 10000 && refused > 100 && replaced > 100 && swallowed > 1000 &&
	      full > 100);
}

int main(void)
{
	return test_main();
}
