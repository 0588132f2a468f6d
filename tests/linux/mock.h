/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mock.h - a device of iommufd's own tests, with a fault queue, for programs in a guest.
 *
 * What the kernel's test interface is was read off what it does in Linux 6.12.117 and
 * 7.3.4: numbers and places below, nothing of its text. It is no stable interface; a
 * kernel that changed it fails in mock_open(), at the first call.
 */
#ifndef TESTS_LINUX_MOCK_H
#define TESTS_LINUX_MOCK_H

#include <errno.h>
#include <linux/iommufd.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "case.h"
#include "iopf/iommufd.h"
#include "iopf_mock.h"

/* The test call: 32-bit words; an address is two. */
enum mock_word {
	MOCK_BYTES,      /* of all words */
	MOCK_OPERATION,
	MOCK_OBJECT,
	MOCK_FIRST = 4,  /* what the operation needs, and gives back */
	MOCK_WORDS = 18,
};
#define MOCK_CALL _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 32)

enum mock_operation {
	MOCK_DEVICE = 2,          /* object: page table; gives device, page table, id */
	MOCK_REPLACE = 10,        /* object: device; page table */
	MOCK_DEVICE_FLAGS = 12,   /* as 2; flags in the fourth word */
	MOCK_TRIGGER = 15,        /* device, PASID, group, rights, address: a group of one */
	MOCK_PASID_ATTACH = 18,   /* object: device; PASID, page table. Since 6.15 */
	MOCK_PASID_REPLACE = 19,
	MOCK_PASID_DETACH = 20,
};

enum {
	MOCK_FLAG_PASID = 4,        /* of a device */
	MOCK_STAGE_1 = 0xdead,      /* kind of page table: nested, and its one word: */
	MOCK_STAGE_1_WORD = 0xbadbeef,
};

typedef struct iommu_hwpt_pgfault mock_record;
typedef struct iommu_hwpt_page_response mock_response;
_Static_assert(sizeof(mock_record) == IOPF_IOMMUFD_FAULT_BYTES &&
		       offsetof(mock_record, cookie) == IOPF_IOMMUFD_FAULT_COOKIE &&
		       offsetof(mock_record, addr) == IOPF_IOMMUFD_FAULT_ADDR &&
		       sizeof(mock_response) == IOPF_IOMMUFD_ANSWER_BYTES,
	       "the kernel's header says what ours does");

/* One context: a device, attached to a stage 1 page table with a fault queue. */
struct mock {
	int iommu, fault;
	uint32_t ioas, parent, queue, table;
	uint32_t object; /* of the test device */
	uint32_t device; /* its number in events */
	uint32_t number; /* its number at /dev/iopf_mock */
};

static int mock_other = -1; /* /dev/iopf_mock */

/* -1 becomes the error. */
static inline int mock_ioctl(int fd, unsigned long call, void *argument)
{
	return ioctl(fd, call, argument) < 0 ? -errno : 0;
}

static inline int mock_call(int iommu, enum mock_operation operation, uint32_t object,
			    uint32_t *words, unsigned count)
{
	uint32_t call[MOCK_WORDS] = { [MOCK_BYTES] = sizeof call,
				      [MOCK_OPERATION] = operation,
				      [MOCK_OBJECT] = object };
	int result;

	memcpy(&call[MOCK_FIRST], words, count * sizeof(*words));
	result = mock_ioctl(iommu, MOCK_CALL, call);
	memcpy(words, &call[MOCK_FIRST], count * sizeof(*words));
	return result;
}

/* What the devices were answered since the last time. Returns: how many. */
static inline uint32_t mock_answers(struct iopf_mock_answer *answers, uint32_t max)
{
	ssize_t got = read(mock_other, answers, max * sizeof(*answers));

	CHECK(got >= 0 && got % (ssize_t)sizeof(*answers) == 0);
	return (uint32_t)got / sizeof(*answers);
}

/* What was answered before, as where a context is closed, is of no interest. */
static inline void mock_forget(void)
{
	struct iopf_mock_answer answers[64];

	while (mock_answers(answers, 64) > 0)
		;
}

/* ---- Objects ------------------------------------------------------------------------- */

static inline uint32_t mock_queue(int iommu, int *fd)
{
	struct iommu_fault_alloc alloc = { .size = sizeof alloc };

	CHECK_EQ(mock_ioctl(iommu, IOMMU_FAULT_QUEUE_ALLOC, &alloc), 0);
	*fd = (int)alloc.out_fault_fd;
	return alloc.out_fault_id;
}

/* @queue 0: none. Returns: the page table, or a negative errno. */
static inline int64_t mock_table(const struct mock *mock, uint32_t above, uint32_t flags,
				 uint32_t queue)
{
	uint32_t word = MOCK_STAGE_1_WORD;
	bool nested = above != mock->ioas;
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof alloc,
		.flags = flags | (queue != 0 ? IOMMU_HWPT_FAULT_ID_VALID : 0),
		.dev_id = mock->device,
		.pt_id = above,
		.data_type = nested ? MOCK_STAGE_1 : IOMMU_HWPT_DATA_NONE,
		.data_len = nested ? sizeof word : 0,
		.data_uptr = nested ? (uintptr_t)&word : 0,
		.fault_id = queue,
	};
	int result = mock_ioctl(mock->iommu, IOMMU_HWPT_ALLOC, &alloc);

	return result != 0 ? result : (int64_t)alloc.out_hwpt_id;
}

static inline uint32_t mock_stage_1(const struct mock *mock, uint32_t flags, uint32_t queue)
{
	int64_t table = mock_table(mock, mock->parent, flags, queue);

	CHECK(table > 0);
	return (uint32_t)table;
}

/* To the IOAS is to none of ours: a detach. */
static inline int mock_replace(const struct mock *mock, uint32_t table)
{
	return mock_call(mock->iommu, MOCK_REPLACE, mock->object, &table, 1);
}

static inline int mock_destroy(const struct mock *mock, uint32_t object)
{
	struct iommu_destroy destroy = { .size = sizeof destroy, .id = object };

	return mock_ioctl(mock->iommu, IOMMU_DESTROY, &destroy);
}

static inline int mock_pasid(const struct mock *mock, enum mock_operation operation,
			     uint32_t pasid, uint32_t table)
{
	uint32_t words[2] = { pasid, table };

	return mock_call(mock->iommu, operation, mock->object, words, 2);
}

/* @flags: of the device. Returns: 0, or the error of a kernel that has no such flag. */
static inline int mock_device(struct mock *mock, uint32_t flags)
{
	uint32_t words[4] = { [3] = flags };
	int result = mock_call(mock->iommu, flags ? MOCK_DEVICE_FLAGS : MOCK_DEVICE, mock->ioas,
			       words, flags ? 4 : 3);

	if (result != 0)
		return result;
	mock->object = words[0];
	mock->device = words[2];
	CHECK_EQ(ioctl(mock_other, IOPF_MOCK_NEWEST, &mock->number), 0);
	return 0;
}

static inline void mock_context(struct mock *mock)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof alloc };

	if (mock_other < 0)
		mock_other = open(IOPF_MOCK_PATH, O_RDWR | O_CLOEXEC);
	CHECK(mock_other >= 0);
	mock_forget();
	*mock = (struct mock){ .iommu = open("/dev/iommu", O_RDWR | O_CLOEXEC) };
	CHECK(mock->iommu >= 0);
	CHECK_EQ(mock_ioctl(mock->iommu, IOMMU_IOAS_ALLOC, &alloc), 0);
	mock->ioas = alloc.out_ioas_id;
	mock->queue = mock_queue(mock->iommu, &mock->fault);
}

/* @flags of page tables: IOMMU_HWPT_ALLOC_PASID or 0. */
static inline void mock_attach(struct mock *mock, uint32_t flags)
{
	int64_t parent = mock_table(mock, mock->ioas, IOMMU_HWPT_ALLOC_NEST_PARENT | flags, 0);

	CHECK(parent > 0);
	mock->parent = (uint32_t)parent;
	mock->table = mock_stage_1(mock, flags, mock->queue);
	CHECK_EQ(mock_replace(mock, mock->table), 0);
}

static inline void mock_open(struct mock *mock)
{
	mock_context(mock);
	CHECK_EQ(mock_device(mock, 0), 0);
	mock_attach(mock, 0);
}

/* A device that has PASIDs of its own. Returns: whether this kernel has them. */
static inline bool mock_open_pasid(struct mock *mock)
{
	int result;

	mock_context(mock);
	result = mock_device(mock, MOCK_FLAG_PASID);
	if (result == 0) {
		mock_attach(mock, 1u << 3); /* IOMMU_HWPT_ALLOC_PASID */
		return true;
	}
	NOTE("no PASIDs of mock devices: error %d", -result);
	close(mock->fault);
	close(mock->iommu);
	return false;
}

static inline void mock_close(struct mock *mock)
{
	close(mock->fault);
	close(mock->iommu);
}

/* ---- The other side ------------------------------------------------------------------ */

/* Returns: what the kernel said of it. */
static inline int mock_request(const struct mock *mock, uint32_t flags, uint32_t pasid,
			       uint32_t group, uint64_t addr)
{
	struct iopf_mock_request request = { .device = mock->number,
					     .flags = flags,
					     .pasid = pasid,
					     .group = group,
					     .perm = IOPF_READ,
					     .addr = addr };

	CHECK_EQ(ioctl(mock_other, IOPF_MOCK_REQUEST, &request), 0);
	return request.result;
}

/* A group of @count pages, of a PASID. */
static inline void mock_group(const struct mock *mock, uint32_t pasid, uint32_t group,
			      uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		CHECK_EQ(mock_request(mock,
				      IOPF_MOCK_PASID | (i + 1 == count ? IOPF_MOCK_LAST : 0),
				      pasid, group, i << 12),
			 0);
}

/* The one answer since then. */
static inline void mock_check_answer(const struct mock *mock, uint32_t group, uint32_t code)
{
	struct iopf_mock_answer answers[2];

	CHECK_EQ(mock_answers(answers, 2), 1);
	CHECK_EQ(answers[0].device, mock->number);
	CHECK_EQ(answers[0].group, group);
	CHECK_EQ(answers[0].code, code);
}

static inline bool mock_unanswered(void)
{
	struct iopf_mock_answer answer;

	return mock_answers(&answer, 1) == 0;
}

/* ---- The descriptor ------------------------------------------------------------------ */

static inline int64_t mock_read(int fault, void *to, size_t size)
{
	ssize_t got = read(fault, to, size);

	return got < 0 ? -errno : got;
}

static inline int64_t mock_write(int fault, const void *from, size_t size)
{
	ssize_t put = write(fault, from, size);

	return put < 0 ? -errno : put;
}

static inline int64_t mock_answer(int fault, uint32_t cookie, uint32_t code)
{
	mock_response response = { .cookie = cookie, .code = code };

	return mock_write(fault, &response, sizeof response);
}

static inline short mock_poll(int fault)
{
	struct pollfd fd = { .fd = fault,
			     .events = POLLIN | POLLOUT | POLLRDNORM | POLLPRI };

	CHECK(poll(&fd, 1, 0) >= 0);
	return fd.revents;
}

/* The one group of one page that is there. */
static inline mock_record mock_read_one(int fault)
{
	mock_record record;

	CHECK_EQ(mock_read(fault, &record, sizeof record), sizeof record);
	return record;
}

#endif
