/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * linux/host.h - a VMM for cases inside the kernel: broker and fault descriptor over the
 * kernel's real driver, owners that do what a case says, and a book.
 *
 * The book holds what was said to the kernel, response by response, as the ledger inside
 * has it; host_compare() holds that against what the function finally received.
 */
#ifndef LINUX_HOST_H
#define LINUX_HOST_H

#include <iopf/iommufd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "case.h"
#include "device.h"
#include "examples/vmm_kernel.h"

enum {
	HOST_FUNCTIONS = 2,
	HOST_GROUPS = 4096,     /* that may be open */
	HOST_SAID = 65536,
	HOST_PAGES = 1024,      /* of guest-physical memory, tables first */
	HOST_TABLE_PAGES = 512,
	HOST_SPACES = 8,
};

#define NONE IOPF_PASID_NONE
#define LAST BENCH_LAST
#define RW   (BENCH_READ | BENCH_WRITE)

/* A response, as the ledger has it and as the function is to see it. */
struct said {
	uint32_t pasid;
	uint16_t index; /* of the function's */
	uint8_t code;   /* enum iopf_code */
	bool by_kernel; /* the kernel said it: of several, in an order of its own */
};

struct space {
	bool used;
	uint32_t pasid, table;
	uint64_t root; /* guest-physical */
};

struct function {
	const char *name;
	struct vmm_device vfio;
	struct device device; /* its bench and its engine */
	uint32_t endpoint;
	uint64_t log; /* where the log began for this case */
	struct said said[HOST_SAID];
	uint32_t said_count;
	uint64_t unexpected; /* responses that it did not wait for, until now, */
	uint64_t surprises;  /* and as many more belong to this case */
	struct space spaces[HOST_SPACES];
};

/* A group as the descriptor gave it. */
struct raw {
	uint32_t device, pasid, cookie;
	uint16_t index;
	uint64_t addr; /* of its last */
};

static struct {
	bool open;
	struct vmm_iommu iommu;
	struct iopf_broker *broker;
	struct iopf_iommufd *source;
	void *broker_memory, *source_memory;
	uint8_t *memory; /* guest-physical, from 0 */
	uint64_t table_next;
	uint32_t source_id, owner, function_count;
	struct raw raw[HOST_GROUPS]; /* of the last read */
	uint32_t raw_count;
	struct raw by_cookie[HOST_GROUPS * 2]; /* read and not answered */
	struct raw by_index[65536];            /* by the source's own index */
	uint32_t refused;                      /* answers that the kernel did not take */
} host;

static struct function functions[HOST_FUNCTIONS] = { { .name = "0001:00:01.0" },
						     { .name = "0001:00:02.0" } };
static struct function *const f = &functions[0]; /* what most cases are about */

/* ---- The book ------------------------------------------------------------------------ */

static struct function *function_of(uint32_t device)
{
	for (uint32_t i = 0; i < host.function_count; i++)
		if (functions[i].vfio.id == device)
			return &functions[i];
	case_fail(__FILE__, __LINE__, "device %u is not ours", device);
}

static void said(struct function *function, uint32_t pasid, uint16_t index, uint8_t code,
		 bool by_kernel)
{
	CHECK(function->said_count < HOST_SAID);
	function->said[function->said_count++] =
		(struct said){ pasid, index, code, by_kernel };
}

/* The kernel answers this by itself, and the ledger inside never hears of it. */
static inline void kernel_says(struct function *function, uint32_t pasid, uint16_t index)
{
	said(function, pasid, index, IOPF_INVALID, true);
}

/* ---- The descriptor, looked at on the way --------------------------------------------- */

static uint32_t word(const uint8_t *bytes, unsigned at)
{
	uint32_t value;

	memcpy(&value, bytes + at, sizeof(value));
	return value;
}

static void note_record(const uint8_t *bytes)
{
	uint32_t flags = word(bytes, IOPF_IOMMUFD_FAULT_FLAGS);
	struct raw *raw = &host.raw[host.raw_count];

	if (!(flags & IOPF_IOMMUFD_LAST))
		return;
	*raw = (struct raw){
		.device = word(bytes, IOPF_IOMMUFD_FAULT_DEVICE),
		.pasid = flags & IOPF_IOMMUFD_PASID ?
				 word(bytes, IOPF_IOMMUFD_FAULT_PASID) :
				 NONE,
		.cookie = word(bytes, IOPF_IOMMUFD_FAULT_COOKIE),
		.index = (uint16_t)word(bytes, IOPF_IOMMUFD_FAULT_GROUP),
	};
	memcpy(&raw->addr, bytes + IOPF_IOMMUFD_FAULT_ADDR, sizeof(raw->addr));
	CHECK(raw->cookie < HOST_GROUPS * 2);
	host.by_cookie[raw->cookie] = *raw;
	host.raw_count++;
}

static int64_t host_read(void *context, void *bytes, size_t size_bytes)
{
	int64_t got = iopf_iommufd_system.read(context, bytes, size_bytes);

	for (int64_t at = 0; at < got; at += IOPF_IOMMUFD_FAULT_BYTES)
		note_record((const uint8_t *)bytes + at);
	return got;
}

static int64_t host_write(void *context, const void *bytes, size_t size_bytes)
{
	int64_t put = iopf_iommufd_system.write(context, bytes, size_bytes);

	for (int64_t at = 0; at < put; at += IOPF_IOMMUFD_ANSWER_BYTES) {
		const uint8_t *answer = (const uint8_t *)bytes + at;
		const struct raw *raw =
			&host.by_cookie[word(answer, IOPF_IOMMUFD_ANSWER_COOKIE)];

		said(function_of(raw->device), raw->pasid, raw->index,
		     word(answer, IOPF_IOMMUFD_ANSWER_CODE) == IOPF_IOMMUFD_SUCCESS ?
			     IOPF_SUCCESS :
			     IOPF_INVALID,
		     false);
	}
	host.refused += put < 0;
	return put;
}

static const struct iopf_iommufd_io host_io = { host_read, host_write };

/* ---- The turns of a VMM ----------------------------------------------------------------- */

/* Each response that leaves the ledger is what was said to the kernel, or what the kernel
 * had said already. */
static void host_respond(void)
{
	struct iopf_response response;

	while (iopf_broker_respond(host.broker, host.source_id, &response, 1, 0) == 1) {
		struct function *function = function_of(response.rid);
		uint32_t before = function->said_count;

		CHECK_EQ(iopf_iommufd_write(host.source, &response, 1), 0);
		if (function->said_count == before)
			said(function, response.pasid, host.by_index[response.index].index,
			     response.code, true);
		CHECK_EQ(function->said_count, before + 1);
		CHECK_EQ(function->said[before].pasid, response.pasid);
		CHECK_EQ(function->said[before].code, response.code);
	}
}

/* Which of the function's groups has which of the source's indices: what the source takes
 * comes in the order in which it was read. */
static void note_indices(const struct iopf_request *requests, int count)
{
	uint32_t at = 0;

	for (int i = 0; i < count; i++) {
		if (!(requests[i].flags & IOPF_LAST))
			continue;
		while (at < host.raw_count && (host.raw[at].addr != requests[i].addr ||
					       host.raw[at].pasid != requests[i].pasid))
			at++;
		CHECK(at < host.raw_count);
		host.by_index[requests[i].index] = host.raw[at++];
	}
}

/* Everything that the descriptor holds. Returns: how many requests that were. */
static inline int host_take(void)
{
	const struct iopf_request *requests;
	int count, all = 0;

	for (;;) {
		host.raw_count = 0;
		count = iopf_iommufd_read(host.source, &requests);
		CHECK(count >= 0);
		if (count == 0)
			return all;
		note_indices(requests, count);
		CHECK_EQ(iopf_broker_requests(host.broker, host.source_id, requests,
					      (uint32_t)count, 0),
			 count);
		host_respond();
		all += count;
	}
}

static struct iopf_group group; /* the one that was fetched last */

static inline bool host_fetch(void)
{
	(void)host_take();
	return iopf_broker_fetch(host.broker, host.owner, &group, 0) == 0;
}

static inline int host_answer(uint64_t token, enum iopf_code code)
{
	int error = iopf_broker_answer(host.broker, host.owner, token, code, 0);

	host_respond();
	return error;
}

/* The next group is that of @pasid with @pages pages; what is said to it. */
#define EXPECT(pasid_, pages, code)                             \
	do {                                                    \
		CHECK_SOON(host_fetch());                       \
		CHECK_EQ(group.pasid, pasid_);                  \
		CHECK_EQ(group.page_count, pages);              \
		CHECK_EQ(host_answer(group.token, code), 0);    \
	} while (0)

/* ---- Address spaces ------------------------------------------------------------------- */

static struct space *space_of(struct function *function, uint32_t pasid)
{
	for (struct space *at = function->spaces; at < function->spaces + HOST_SPACES; at++)
		if (at->used && at->pasid == pasid)
			return at;
	return NULL;
}

static uint64_t table_page(void)
{
	uint64_t page = host.table_next;

	CHECK(page < HOST_TABLE_PAGES * UINT64_C(4096));
	host.table_next += 4096;
	memset(host.memory + page, 0, 4096);
	return page;
}

static void host_table(const struct function *function, struct space *space)
{
	struct iopf_address_space wanted = { .root = table_page(), .levels = 4 };

	space->root = wanted.root;
	CHECK_EQ(vmm_table_create(&function->vfio, &wanted, &space->table), 0);
}

static inline void host_attach(struct function *function, uint32_t pasid)
{
	struct space *space = function->spaces;

	while (space->used)
		space++;
	CHECK(space < function->spaces + HOST_SPACES);
	*space = (struct space){ .pasid = pasid };
	host_table(function, space);
	CHECK_EQ(iopf_broker_attach(host.broker, function->endpoint, pasid, host.owner), 0);
	CHECK_EQ(vmm_device_attach(&function->vfio, pasid, space->table), 0);
	space->used = true;
}

/* The broker's operation on an endpoint, whose groups the kernel has ended. */
static void host_finish(struct function *function)
{
	(void)host_take();
	while (iopf_broker_did(host.broker, function->endpoint, 0, 0) == IOPF_STEP_RESPOND)
		host_respond();
	host_respond();
}

static inline void host_detach(struct function *function, uint32_t pasid)
{
	struct space *space = space_of(function, pasid);

	CHECK(space != NULL);
	CHECK_EQ(iopf_broker_detach(host.broker, function->endpoint, pasid), 0);
	CHECK_EQ(vmm_device_detach(&function->vfio, pasid), 0);
	iopf_iommufd_forget(host.source, function->vfio.id, pasid);
	host_finish(function);
	CHECK_EQ(vmm_table_destroy(&function->vfio, space->table), 0);
	space->used = false;
}

/* One page in the tables of (@function, @pasid): @addr leads to guest-physical @gpa. */
static inline void host_map(struct function *function, uint32_t pasid, uint64_t addr,
			    uint64_t gpa)
{
	enum { PRESENT = 1, WRITE = 2, USER = 4 };
	uint64_t table = space_of(function, pasid)->root;

	for (int shift = 39; shift >= 12; shift -= 9) {
		volatile uint64_t *entry =
			(volatile uint64_t *)(void *)(host.memory + table) + (addr >> shift & 511);

		if (shift == 12)
			*entry = gpa | PRESENT | WRITE | USER;
		else if (*entry == 0)
			*entry = table_page() | PRESENT | WRITE | USER;
		table = *entry & UINT64_C(0xffffffffff000);
	}
}

/* ---- Open and close --------------------------------------------------------------------- */

static inline void host_close(void)
{
	if (!host.open)
		return;
	host.open = false;
	for (uint32_t i = 0; i < host.function_count; i++) {
		device_unmap(&functions[i].device);
		vmm_device_close(&functions[i].vfio);
	}
	vmm_iommu_close(&host.iommu);
	munmap(host.memory, HOST_PAGES * UINT64_C(4096));
	free(host.broker_memory);
	free(host.source_memory);
}

static void open_source(void)
{
	const struct iopf_iommufd_options options = {
		.size_bytes = sizeof(options),
		.group_max = HOST_GROUPS,
		.group_read_max = 2048,
		.io = &host_io,
		.context = &host.iommu.queue,
	};
	size_t size_bytes = iopf_iommufd_size_bytes(&options);

	host.source_memory = aligned_alloc(64, (size_bytes + 63) / 64 * 64);
	CHECK_EQ(iopf_iommufd_create(&options, host.source_memory, size_bytes, &host.source),
		 0);
}

static void open_broker(void)
{
	const struct iopf_broker_options options = {
		.size_bytes = sizeof(options), .instance = 1, .source_max = 1,
		.endpoint_max = HOST_FUNCTIONS, .owner_max = 1,
		.attachment_max = HOST_FUNCTIONS * HOST_SPACES,
		.group_max = HOST_GROUPS + 2048,
	};
	const struct iopf_source_options source = { .size_bytes = sizeof(source),
						    .reserve_count = 2048 };
	const struct iopf_owner_options owner = { .size_bytes = sizeof(owner) };
	size_t size_bytes = (iopf_broker_size_bytes(&options) + 63) / 64 * 64;

	host.broker_memory = aligned_alloc(64, size_bytes);
	CHECK_EQ(iopf_broker_create(&options, host.broker_memory, size_bytes, &host.broker), 0);
	CHECK_EQ(iopf_broker_add_source(host.broker, &source, &host.source_id), 0);
	CHECK_EQ(iopf_broker_add_owner(host.broker, &owner, &host.owner), 0);
}

static void open_function(struct function *function)
{
	struct iopf_endpoint_options endpoint = {
		.size_bytes = sizeof(endpoint), .source = host.source_id,
		.allocation = HOST_GROUPS / HOST_FUNCTIONS, .pasid_in_response = true,
		.descriptor = true,
	};

	memset(function->spaces, 0, sizeof(function->spaces));
	function->said_count = 0;
	CHECK_EQ(vmm_device_open(&function->vfio, &host.iommu, function->name), 0);
	host.function_count++;
	function->device.bar = vmm_device_bar(&function->vfio);
	CHECK(function->device.bar != NULL && device_there(&function->device));
	endpoint.rid = function->vfio.id;
	CHECK_EQ(iopf_broker_add_endpoint(host.broker, &endpoint, &function->endpoint), 0);
	(void)bench_command(&function->device, BENCH_COMMAND_LET_GO);
	function->log = device_log_end(&function->device);
	function->unexpected = bench_get(&function->device, BENCH_UNEXPECTED);
	function->surprises = 0;
}

/* @count functions, on one queue, with nothing attached. */
static inline void host_open(uint32_t count)
{
	host_close();
	memset(&host, 0, sizeof(host));
	host.memory = mmap(NULL, HOST_PAGES * UINT64_C(4096), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(host.memory != MAP_FAILED);
	host.table_next = 4096;
	CHECK_EQ(vmm_iommu_open(&host.iommu, 0, host.memory, HOST_PAGES * UINT64_C(4096)), 0);
	host.open = true;
	open_source();
	open_broker();
	for (uint32_t i = 0; i < count; i++)
		open_function(&functions[i]);
}

/* ---- What the function received ---------------------------------------------------------- */

/* The next response in its log. */
static bool received(struct function *function, uint64_t *at, struct device_record *record)
{
	return device_next(&function->device, at, 1 << BENCH_RESPONSE, record);
}

static bool is_same(const struct said *said, const struct device_record *record)
{
	static const uint8_t codes[] = { [IOPF_SUCCESS] = 0, [IOPF_INVALID] = 1 };

	return said->pasid == record->pasid && said->index == record->index &&
	       codes[said->code] == record->code;
}

/* Takes the one of @count that @record is out of the list. */
static bool take_same(struct said *list, uint32_t count, const struct device_record *record)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!is_same(&list[i], record))
			continue;
		memmove(&list[i], &list[i + 1], (count - i - 1) * sizeof(list[0]));
		return true;
	}
	return false;
}

/* Response by response: PASID, index, code, and order; and nothing else. What the kernel
 * said at one time it said in an order of its own. */
static inline void host_compare(struct function *function)
{
	uint64_t at = function->log;
	struct device_record record;

	for (uint32_t i = 0, run; i < function->said_count; i += run) {
		for (run = 1; function->said[i].by_kernel && i + run < function->said_count &&
			      function->said[i + run].by_kernel;)
			run++;
		for (uint32_t left = run; left > 0; left--) {
			CHECK_SOON(received(function, &at, &record));
			if (!take_same(&function->said[i], left, &record))
				case_fail(__FILE__, __LINE__,
					  "response %u: PASID %x index %u code %u, and not "
					  "PASID %x index %u code %u",
					  i, record.pasid, record.index, record.code,
					  function->said[i].pasid, function->said[i].index,
					  function->said[i].code);
		}
	}
	if (received(function, &at, &record))
		case_fail(__FILE__, __LINE__, "one too many: PASID %x index %u code %u",
			  record.pasid, record.index, record.code);
	function->log = at;
	function->said_count = 0;
}

/* Detach everything, and compare; no function was told what it did not ask. */
static inline void host_end(void)
{
	for (uint32_t i = 0; i < host.function_count; i++)
		for (uint32_t j = 0; j < HOST_SPACES; j++)
			if (functions[i].spaces[j].used)
				host_detach(&functions[i], functions[i].spaces[j].pasid);
	for (uint32_t i = 0; i < host.function_count; i++) {
		host_compare(&functions[i]);
		CHECK_EQ(bench_get(&functions[i].device, BENCH_UNEXPECTED) -
				 functions[i].unexpected,
			 functions[i].surprises);
	}
	CHECK_EQ(iopf_iommufd_owed(host.source), 0);
	host_close();
}

/* A raw request, or @count of them. */
static inline void ask(struct function *function, uint32_t pasid, uint16_t index,
		       uint64_t addr, uint32_t flags, uint32_t count)
{
	CHECK_EQ(bench_send(&function->device, pasid, index, addr, flags, count), count);
}

#endif
