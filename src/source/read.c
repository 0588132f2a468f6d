/* SPDX-License-Identifier: BSD-3-Clause */
/* source/read.c - records become groups, and groups requests under indices of their own. */
#include "source/iommufd.h"

#include <assert.h>
#include <errno.h>

enum { READS_MAX = 64 }; /* of which every group is answered here */

static struct iopf_iommufd_fault fault_at(const struct iopf_iommufd *source,
					  uint32_t which, bool *reserved)
{
	struct iopf_iommufd_fault fault;

	iopf_iommufd_decode_fault(source->bytes + (size_t)which * IOPF_IOMMUFD_FAULT_BYTES,
				  &fault, reserved);
	return fault;
}

static uint32_t pasid_of(const struct iopf_iommufd_fault *fault)
{
	return fault->pasid_valid ? fault->pasid : IOPF_PASID_NONE;
}

/* Where the group that begins at @first ends: with its last, or where another begins. */
static uint32_t group_end(const struct iopf_iommufd *source, uint32_t first,
			  uint32_t count)
{
	bool reserved;
	struct iopf_iommufd_fault fault = fault_at(source, first, &reserved);
	uint32_t cookie = fault.cookie, end = first + 1;

	while (end < count && !fault.last) {
		fault = fault_at(source, end, &reserved);
		if (fault.cookie != cookie)
			break;
		end++;
	}
	return end;
}

/* Whole, and of one device; and a PASID that is valid is one (its 32 bits hold the names
 * of none and any, too). */
static bool group_right(const struct iopf_iommufd *source, uint32_t first, uint32_t end)
{
	bool reserved;
	struct iopf_iommufd_fault last = fault_at(source, end - 1, &reserved);

	if (!last.last || (last.pasid_valid && last.pasid > IOPF_PASID_MAX))
		return false;
	for (uint32_t i = first; i < end; i++) {
		if (fault_at(source, i, &reserved).device != last.device)
			return false;
	}
	return true;
}

static void request_put(struct iopf_iommufd *source,
			const struct iopf_iommufd_fault *fault, uint32_t at)
{
	source->requests[source->request_count++] = (struct iopf_request){
		.addr = fault->addr,
		.rid = fault->device,
		.pasid = pasid_of(fault),
		.index = (uint16_t)at,
		.perm = fault->perm,
		.flags = fault->last ? IOPF_LAST : 0,
	};
}

static void group_show(struct iopf_iommufd *source, uint32_t at, uint32_t first,
		       uint32_t end)
{
	uint32_t before = source->request_count;

	source_move(&source->slots[at], SLOT_SHOWN);
	for (uint32_t i = first; i < end; i++) {
		bool reserved;
		struct iopf_iommufd_fault fault = fault_at(source, i, &reserved);

		if (pasid_of(&fault) != source->slots[at].pasid) {
			source->stats.other_pasid++;
			continue;
		}
		source->stats.unknown_bits += reserved;
		request_put(source, &fault, at);
	}
	source->stats.groups++;
	source->stats.requests += source->request_count - before;
}

/* A cookie that is known already is the kernel's name for another group now. */
static void group_take(struct iopf_iommufd *source, uint32_t first, uint32_t end)
{
	bool reserved;
	struct iopf_iommufd_fault last = fault_at(source, end - 1, &reserved);
	uint32_t known = map_find(&source->cookies, last.cookie), used, at;

	if (known != MAP_NONE) {
		source_over(source, known, true);
		source->stats.replaced++;
	}
	used = source->slot_count - source->free.count;
	at = source_pop(source, &source->free);
	source->slots[at].cookie = last.cookie;
	source->slots[at].device = last.device;
	source->slots[at].pasid = pasid_of(&last);
	map_add(&source->cookies, last.cookie, at);
	if (used < source->options.group_max && group_right(source, first, end)) {
		group_show(source, at, first, end);
		return;
	}
	*(used < source->options.group_max ? &source->stats.malformed :
					     &source->stats.full) += 1;
	source_answer(source, at, IOPF_INVALID);
}

/* What a read came to: how many records, or an error. Less than the oldest group is
 * EINVAL, and the group stays where it is. */
static int64_t read_settle(struct iopf_iommufd *source, int64_t got, size_t asked_bytes)
{
	if (got == -EINVAL) {
		source->stats.oversized++;
		return -EMSGSIZE;
	}
	if (source_is_not_now(got))
		return 0;
	if (got < 0 || (uint64_t)got > asked_bytes)
		return source_errno(got);
	source->stats.reads += got > 0;
	source->stats.torn += got % IOPF_IOMMUFD_FAULT_BYTES != 0;
	return got / IOPF_IOMMUFD_FAULT_BYTES;
}

/* One read, and what it brought. Returns: 1; 0: nothing was there; or an error. */
static int read_once(struct iopf_iommufd *source)
{
	uint32_t max = source->options.group_read_max;
	size_t size_bytes = (size_t)max * IOPF_IOMMUFD_FAULT_BYTES;
	int result = source->free.count < max ? source_flush(source) : 0;
	int64_t count;

	if (result != 0)
		return result;
	assert(source->free.count >= max);
	count = read_settle(source,
			    source->options.io->read(source->options.context,
						     source->bytes, size_bytes),
			    size_bytes);
	if (count <= 0)
		return (int)count;
	for (uint32_t first = 0, end; first < count; first = end) {
		end = group_end(source, first, (uint32_t)count);
		group_take(source, first, end);
	}
	result = source_flush(source); /* those that are answered here; or they wait */
	return result == 0 || result == -EAGAIN || source->request_count > 0 ? 1 : result;
}

int iopf_iommufd_read(struct iopf_iommufd *source, const struct iopf_request **requests)
{
	int result = 1;

	source->request_count = 0;
	for (unsigned i = 0; i < READS_MAX && result > 0 && source->request_count == 0; i++)
		result = read_once(source);
	if (result < 0)
		return result;
	*requests = source->requests;
	return (int)source->request_count;
}
