/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * source_kernel.h - a fault descriptor as Linux 6.12.117 and 7.3.4 were seen to behave, in
 * memory, for tests; and a source over it. Switches make it behave as others might.
 */
#ifndef TESTS_SOURCE_KERNEL_H
#define TESTS_SOURCE_KERNEL_H

#include <errno.h>

#include "iopf/iommufd.h"
#include "test.h"

enum { KERNEL_GROUPS = 4096, KERNEL_FAULTS = 600 };

/* A group of page requests, and who answered it. */
struct kernel_group {
	uint32_t device, pasid, prgi; /* of its last */
	uint32_t cookie;              /* 0: not read, or answered */
	uint32_t faults;
	uint32_t answers; /* must become one */
	uint32_t code;
	bool by_kernel; /* it was answered by a detach */
};

struct kernel {
	struct kernel_group groups[KERNEL_GROUPS];
	uint32_t group_count;
	uint32_t deliver[KERNEL_GROUPS]; /* groups, oldest first */
	uint32_t deliver_count;
	bool zero_for_einval; /* of a write */
	bool write_blocks, write_interrupts, read_blocks;
	uint32_t write_max;   /* answers of one write; 0: all */
	uint32_t extra_flags; /* bits beyond the interface, in each record */
	uint64_t writes, reads;
};

static struct kernel kernel;

/* The lowest number that is free, from 1 on. */
static uint32_t kernel_cookie(void)
{
	uint32_t cookie = 1;

	for (uint32_t i = 0; i < kernel.group_count; i++) {
		if (kernel.groups[i].cookie == cookie) {
			cookie++;
			i = UINT32_MAX; /* from the start again */
		}
	}
	return cookie;
}

static uint32_t kernel_fault(uint32_t device, uint32_t pasid, uint32_t prgi,
			     uint32_t faults)
{
	uint32_t id = kernel.group_count++;

	if (id == KERNEL_GROUPS || faults > KERNEL_FAULTS)
		abort();
	kernel.groups[id] = (struct kernel_group){
		.device = device, .pasid = pasid, .prgi = prgi, .faults = faults
	};
	kernel.deliver[kernel.deliver_count++] = id;
	return id;
}

static void kernel_answer(uint32_t id, uint32_t code, bool by_kernel)
{
	kernel.groups[id].cookie = 0;
	kernel.groups[id].answers++;
	kernel.groups[id].code = code;
	kernel.groups[id].by_kernel = by_kernel;
}

/* A record: which group and which page of it, in its address. */
static void kernel_record(uint8_t *bytes, uint32_t id, uint32_t page)
{
	const struct kernel_group *group = &kernel.groups[id];
	bool none = group->pasid == IOPF_PASID_NONE;
	uint32_t words[6] = { (none ? 0u : 1u) | (page + 1 == group->faults ? 2u : 0u) |
				      kernel.extra_flags,
			      group->device,
			      none ? 0 : group->pasid,
			      group->prgi,
			      IOPF_READ,
			      0 };
	uint64_t addr = ((uint64_t)id << 16 | page) << 12;

	memcpy(bytes, words, sizeof(words));
	memcpy(bytes + 24, &addr, 8);
	memset(bytes + 32, 0, 4);
	memcpy(bytes + 36, &group->cookie, 4);
}

__attribute__((unused)) static uint32_t group_of(uint64_t addr)
{
	return (uint32_t)(addr >> 28);
}

static void kernel_undeliver(uint32_t at)
{
	kernel.deliver_count--;
	memmove(&kernel.deliver[at], &kernel.deliver[at + 1],
		(kernel.deliver_count - at) * sizeof(kernel.deliver[0]));
}

static int64_t kernel_read(void *context, void *bytes, size_t size_bytes)
{
	size_t done = 0;

	(void)context;
	kernel.reads++;
	if (kernel.read_blocks)
		return -EAGAIN;
	if (size_bytes % 40 != 0)
		return -ESPIPE;
	while (kernel.deliver_count > 0) {
		uint32_t id = kernel.deliver[0];

		if (kernel.groups[id].faults * UINT64_C(40) > size_bytes - done)
			return done > 0 ? (int64_t)done : -EINVAL;
		kernel.groups[id].cookie = kernel_cookie();
		for (uint32_t i = 0; i < kernel.groups[id].faults; i++, done += 40)
			kernel_record((uint8_t *)bytes + done, id, i);
		kernel_undeliver(0);
	}
	return (int64_t)done;
}

static uint32_t kernel_owed(uint32_t cookie)
{
	for (uint32_t i = 0; i < kernel.group_count; i++) {
		if (cookie != 0 && kernel.groups[i].cookie == cookie)
			return i;
	}
	return UINT32_MAX;
}

static int64_t kernel_write(void *context, const void *bytes, size_t size_bytes)
{
	size_t done = 0;

	(void)context;
	kernel.writes++;
	if (kernel.write_blocks || kernel.write_interrupts)
		return kernel.write_blocks ? -EAGAIN : -EINTR;
	if (size_bytes % 8 != 0)
		return -ESPIPE;
	for (; done < size_bytes; done += 8) {
		uint32_t words[2];
		uint32_t id;

		if (kernel.write_max != 0 && done == kernel.write_max * UINT64_C(8))
			break;
		memcpy(words, (const uint8_t *)bytes + done, 8);
		id = kernel_owed(words[0]);
		if (words[1] > 1 || id == UINT32_MAX)
			return done > 0               ? (int64_t)done :
			       kernel.zero_for_einval ? 0 :
							-EINVAL;
		kernel_answer(id, words[1], false);
	}
	return (int64_t)done;
}

/* Everything of (device, pasid) is answered invalid, and nobody is told. */
__attribute__((unused)) static void kernel_detach(uint32_t device, uint32_t pasid)
{
	for (uint32_t i = 0; i < kernel.deliver_count;) {
		uint32_t id = kernel.deliver[i];

		if (kernel.groups[id].device != device ||
		    kernel.groups[id].pasid != pasid) {
			i++;
			continue;
		}
		kernel_undeliver(i);
		kernel_answer(id, IOPF_IOMMUFD_INVALID, true);
	}
	for (uint32_t id = 0; id < kernel.group_count; id++) {
		if (kernel.groups[id].cookie != 0 && kernel.groups[id].device == device &&
		    kernel.groups[id].pasid == pasid)
			kernel_answer(id, IOPF_IOMMUFD_INVALID, true);
	}
}

/* ---- A source over it, and what a broker would hold ---------------------------------------- */

static const struct iopf_iommufd_io kernel_io = { .read = kernel_read,
						  .write = kernel_write };
static struct iopf_iommufd *source;
__attribute__((unused)) static const struct iopf_request *requests;

#define COUNTED(name) (iopf_iommufd_stats(source)->name)

__attribute__((unused)) static void source_over(const struct iopf_iommufd_io *io, void *context,
			uint32_t group_max, uint32_t group_read_max)
{
	static _Alignas(8) uint8_t memory[1 << 20];
	struct iopf_iommufd_options options = { .size_bytes = sizeof(options),
						.group_max = group_max,
						.group_read_max = group_read_max,
						.io = io,
						.context = context };
	size_t size_bytes = iopf_iommufd_size_bytes(&options);

	CHECK(size_bytes > 0 && size_bytes <= sizeof(memory));
	memset(memory, 0xa5, sizeof(memory));
	CHECK_EQ(iopf_iommufd_create(&options, memory, size_bytes, &source), 0);
}

__attribute__((unused)) static void world_create(uint32_t group_max,
						 uint32_t group_read_max)
{
	memset(&kernel, 0, sizeof(kernel));
	source_over(&kernel_io, NULL, group_max, group_read_max);
}

/* What a broker would respond to the group of @request. */
__attribute__((unused)) static struct iopf_response
response_to(const struct iopf_request *request, enum iopf_code code)
{
	return (struct iopf_response){ .rid = request->rid,
				       .pasid = request->pasid,
				       .index = request->index,
				       .code = (uint8_t)code };
}

__attribute__((unused)) static int respond(const struct iopf_request *request,
					   enum iopf_code code)
{
	struct iopf_response response = response_to(request, code);

	return iopf_iommufd_write(source, &response, 1);
}

#endif
