/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iommufd.h - Linux's fault descriptor (IOMMU_FAULT_QUEUE_ALLOC) as a source.
 *
 * The kernel keeps each group of page requests and gives it a number, its cookie, when it
 * is read; a cookie and a code written back answer it. This source reads groups, gives
 * each an index of its own, and writes what leaves the broker:
 *
 *	poll(descriptor, POLLIN, until iopf_broker_next_deadline_ns());
 *	while ((n = iopf_iommufd_read(source, &requests)) > 0)
 *		iopf_broker_requests(broker, id, requests, (uint32_t)n, now_ns);
 *	...
 *	while ((n = iopf_broker_respond(broker, id, responses, MAX, now_ns)) > 0)
 *		iopf_iommufd_write(source, responses, (uint32_t)n);
 *
 * With iopf_source_options.reserve_count at least group_read_max, and all responses taken
 * before the next read, iopf_broker_requests() takes all that it is given.
 *
 * What the broker has to know: iopf_endpoint_options.rid is the kernel's number of the
 * device (out_devid of VFIO_DEVICE_BIND_IOMMUFD), and .descriptor is true: indices are
 * this source's (16 bits), and the page request interface is the kernel's.
 *
 * Cookies. The kernel gives a number again as soon as its group is answered, and takes
 * whatever is written for its present group. So a cookie is written once at most, and
 * never after the kernel may have given it to another group: numbers are given by read()
 * alone, every read goes through this source, and a number that comes again makes the
 * group that had it a dead one. Hence nobody else may read the descriptor.
 *
 * Reading always goes on: a descriptor has no back-pressure, the kernel keeps without
 * limit what is not read. What finds no room here gets invalid at once, and is counted;
 * who may hold how much is the broker's to decide (its quotas, its allocations). A loop
 * that serves others, too, bounds its reads of one turn: poll tells that there is more.
 *
 * Guests have descriptors of their own: room here is shared by all devices behind one, and
 * a group that is too large to be read stands before whatever came after it.
 *
 * What the kernel does by itself. When an attachment is detached or replaced, its device
 * unbound, or the last descriptor closed, the kernel answers invalid to everything of it
 * that is open, and tells nobody: iopf_iommufd_forget() does. The broker's responses to
 * those groups are swallowed, and counted.
 *
 * What a descriptor cannot do is -EOPNOTSUPP, of iopf_iommufd_step() and nowhere else:
 *   - it knows no credits: allocations of the broker are bounds, not the function's own;
 *   - PRI is the kernel's: no Enable, no Stopped, no reset. Detach instead: the kernel
 *     drains, answers and switches off as it must;
 *   - no stalled transaction can be ended but by its answer, or by a detach;
 *   - failure cannot be said: the device gets invalid;
 *   - it does not hear of a function reset, and an answer written after one is sent to a
 *     function that has forgotten the question. So end its groups while it is alive:
 *
 *	iopf_broker_disable(broker, endpoint);
 *	... at IOPF_STEP_DRAIN: detach each attachment (VFIO_DEVICE_DETACH_IOMMUFD_PT), or
 *	    replace its page table; iopf_iommufd_forget(source, device, IOPF_PASID_ANY);
 *	    read until nothing comes; at IOPF_STEP_RESPOND: respond and write, as above
 *	... VFIO_DEVICE_RESET
 *	... attach again; iopf_broker_enable(broker, endpoint);
 *
 *     Where it was reset all the same: iopf_broker_reset(), then iopf_iommufd_reset().
 *   - answering is not enough where a page was taken away: IOMMU_HWPT_INVALIDATE first,
 *     then success.
 *
 * Trust. The descriptor is the kernel's, but its records are checked like anybody's.
 * Threads. A source belongs to one thread; so do the calls that detach and replace.
 * Memory. All of it is given at create.
 *
 * Source of the rules: Linux 6.12.117 (drivers/iommu/iommufd/fault.c) and 7.3.4
 * (eventq.c), as read there and as seen to happen (make linux-mock, docs/formats.md).
 */
#ifndef IOPF_IOMMUFD_H
#define IOPF_IOMMUFD_H

#include "iopf/wire.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One read and one write of the descriptor, at no offset: how many bytes, or a negative
 * errno. Neither may wait: a fault descriptor never does (its read is 0 when empty). */
struct iopf_iommufd_io {
	int64_t (*read)(void *context, void *bytes, size_t size_bytes);
	int64_t (*write)(void *context, const void *bytes, size_t size_bytes);
};

/* The system's read() and write(); their context points to the descriptor, an int. */
extern const struct iopf_iommufd_io iopf_iommufd_system;

struct iopf_iommufd;

struct iopf_iommufd_options {
	uint32_t size_bytes; /* of this struct */
	uint32_t group_max;      /* open groups, 1..32768: at least the allocations of all
				  * endpoints behind the descriptor together */
	uint32_t group_read_max; /* requests of the largest group, 1..32768: at least the
				  * page request capacity of each device; also what one
				  * read can bring. 512 is usual */
	uint32_t rsvd;
	const struct iopf_iommufd_io *io; /* borrowed */
	void *context;
};

/* What happened at a descriptor. */
/* clang-format off */
#define IOPF_IOMMUFD_COUNTERS(X) \
	X(reads,        "reads that brought something") \
	X(groups,       "groups read and given to the broker") \
	X(requests,     "requests of those groups") \
	X(answers,      "answers that the kernel took") \
	X(refused,      "answers that it did not: it had ended the group itself") \
	X(forgotten,    "open groups that it ended itself, as iopf_iommufd_forget() told") \
	X(replaced,     "open groups whose cookie came again, with nobody telling") \
	X(swallowed,    "responses of the broker to groups that were over: not written") \
	X(kept_back,    "groups of functions that were reset: never answered from here") \
	X(full,         "groups that found no room here: answered invalid") \
	X(malformed,    "groups that were not whole, or impossible: answered invalid") \
	X(other_pasid,  "requests left out of a group that was another PASID's") \
	X(unknown_bits, "requests with bits set beyond those known") \
	X(torn,         "reads and writes that ended within a record") \
	X(oversized,    "reads that met a group larger than group_read_max") \
	X(failures,     "failure, said as invalid") \
	X(unknown,      "responses to nothing that was read here")
/* clang-format on */
#define IOPF_IOMMUFD_MEMBER(name, text) uint64_t name;
struct iopf_iommufd_stats {
	IOPF_IOMMUFD_COUNTERS(IOPF_IOMMUFD_MEMBER)
};

/*
 * Bytes of a source with @options; it needs alignment to 8.
 *
 * Returns: the size, or 0 where an option is out of its range.
 */
size_t iopf_iommufd_size_bytes(const struct iopf_iommufd_options *options);

/*
 * Make a source in @memory. Touches no descriptor.
 *
 * Owns:    borrows @memory, options->io and options->context until @memory is reused:
 *          there is nothing to destroy.
 * Returns: 0, -EINVAL (an option or the alignment), -ENOSPC (memory too small).
 */
int iopf_iommufd_create(const struct iopf_iommufd_options *options, void *memory,
			size_t memory_bytes, struct iopf_iommufd **source);

/*
 * Whole groups, oldest first, ready for iopf_broker_requests(). *@requests points to them
 * until the next call; every one of them has to be given to the broker.
 *
 * A group belongs to the PASID of its last request, since its answer does: requests of
 * other PASIDs that the kernel put into it are left out.
 *
 * Returns: how many; 0: nothing is there (or a great many that were answered here: poll
 *          tells);
 *          -EMSGSIZE: the oldest group is larger than group_read_max. Nothing behind it
 *          can be read until its device is detached;
 *          -EAGAIN: answers wait, and the descriptor takes none now;
 *          -EIO: it does not behave like a fault descriptor; or what @io said.
 * Source of the rules: Linux, as above: a length that is no multiple of 40 bytes is
 * ESPIPE, one below the oldest group's EINVAL; partial requests are matched by their PRG
 * index alone, whatever their PASIDs.
 */
int iopf_iommufd_read(struct iopf_iommufd *source, const struct iopf_request **requests);

/*
 * Write @count responses as iopf_broker_respond() gave them, and what still waits. All of
 * them are taken, whatever is returned; with @count 0, what waits is tried again.
 *
 * Returns: 0: nothing waits any more; -EAGAIN: the descriptor takes none now; -EIO, or
 *          what @io said: it is of no use any more (detach: the kernel answers then).
 * Source of the rules: Linux, as above: an unknown cookie is EINVAL where it is first,
 * and ends the write short where it is not.
 */
int iopf_iommufd_write(struct iopf_iommufd *source, const struct iopf_response *responses,
		       uint32_t count);

/*
 * The kernel has ended everything of (@device, @pasid): call it when a detach or a replace
 * has returned, before the next read. Replacing a page table by itself ends nothing.
 * @pasid: a PASID with an attachment of its own, IOPF_PASID_NONE: that of the device
 * itself, IOPF_PASID_ANY: the whole device, as where it is unbound, or where its page
 * table has the guest's PASIDs in it (SMMUv3, AMD).
 *
 * Returns: how many open groups that were.
 */
uint32_t iopf_iommufd_forget(struct iopf_iommufd *source, uint32_t device, uint32_t pasid);

/*
 * The broker has ended everything of @device without a response: call it when
 * iopf_broker_reset() or iopf_broker_remove() is done, or a response failure was told.
 * The kernel's part of it stays until iopf_iommufd_forget(): it is never answered from
 * here, since the function would not know of what.
 *
 * Returns: how many groups that were.
 */
uint32_t iopf_iommufd_reset(struct iopf_iommufd *source, uint32_t device);

/*
 * Whether a step of the broker can be carried out with a descriptor. Endpoints that are
 * .descriptor are not asked for one that cannot.
 *
 * Returns: 0; -EOPNOTSUPP: only the kernel can do it, and does when the device is
 *          detached; -EINVAL: no step.
 */
int iopf_iommufd_step(enum iopf_step step);

/* Groups that the kernel waits for an answer to, from here. */
uint32_t iopf_iommufd_owed(const struct iopf_iommufd *source);

/* What happened. Borrowed until the memory is reused. */
const struct iopf_iommufd_stats *iopf_iommufd_stats(const struct iopf_iommufd *source);

#ifdef __cplusplus
}
#endif

#endif
