/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * amd_world.h - an AMD IOMMU model with a driver on one side and a stub of a function on
 * the other. Host memory, and in it a guest's memory with guest tables of the guest's own,
 * under a host table.
 */
#ifndef TESTS_AMD_WORLD_H
#define TESTS_AMD_WORLD_H

#include "table_world.h"

#include "base/le.h"
#include "model/iommu.h"
#include "queue/amd.h"
#include "table/amd.h"

enum {
	RID = 0x0310,
	PASID = 0x12345,
	DOMAIN = 7,
	GUEST_PAGES = 1024,
	RESPONSES_MAX = 512,
	DEVICE_PAGES = 7, /* up to RID's bus and device, and no further */
	ENTRIES = 256,    /* of a log of one page */
};

#define K4   UINT64_C(4096)
#define IOVA UINT64_C(0x7f0012345000)
#define R    IOPF_READ
#define W    IOPF_WRITE
#define NONE IOPF_PASID_NONE

static struct {
	struct world host, guest;
	uint64_t guest_at; /* host address of guest address 0 */
	struct x86_table first;
	struct amdv1_table second;
	uint64_t devices; /* the device table */
	struct amd_dte dte;
	struct model_iommu *iommu;
	struct model_upstream up;
	uint8_t driver_bytes[4096] __attribute__((aligned(8)));
	struct iopf_driver *driver;
	uint64_t interrupts, now_ns;

	struct iopf_prg_response response[RESPONSES_MAX];
	uint32_t response_count;
	uint32_t invalidations;
	uint64_t payload;
	uint32_t pasid;
	int invalidate_result;
} w;

static uint32_t quirks; /* of the IOMMU that is made next */

static void stub_response(void *context, uint32_t pasid, uint64_t payload)
{
	(void)context;
	CHECK(w.response_count < RESPONSES_MAX);
	CHECK_EQ(iopf_pcie_decode_response(payload, pasid,
					   &w.response[w.response_count++]), 0);
}

static int stub_invalidate(void *context, uint32_t pasid, uint64_t payload)
{
	(void)context;
	w.invalidations++;
	w.pasid = pasid;
	w.payload = payload;
	return w.invalidate_result;
}

static void world_interrupt(void *context, uint32_t rid, uint64_t addr, uint32_t data)
{
	(void)context, (void)rid, (void)addr, (void)data;
	w.interrupts++;
}

static inline uint64_t host_pages(uint32_t count)
{
	uint64_t addr = 0;

	CHECK_EQ(table_take_zeroed(&w.host.memory, &w.host.pages, count, &addr), 0);
	return addr;
}

/* Guest memory is a part of host memory, seen at its own addresses. */
static inline void guest_create(void)
{
	struct world *guest = &w.guest;

	w.guest_at = host_pages(GUEST_PAGES);
	*guest = (struct world){ .used = 1, .limit = GUEST_PAGES };
	guest->segment = (struct iopf_segment){
		.size_bytes = GUEST_PAGES * K4,
		.memory = memory_at(&w.host.memory, w.guest_at, GUEST_PAGES * K4),
	};
	guest->memory = (struct iopf_memory){ .segments = &guest->segment, .count = 1 };
	guest->pages = (struct table_pages){ world_take, world_give, guest };
}

/* w.dte as it stands is what memory has for @rid. */
static inline void dte_write(uint32_t rid)
{
	uint64_t words[AMD_DTE_WORDS];

	CHECK_EQ(amd_dte_encode(&w.dte, words), 0);
	for (unsigned i = 0; i < AMD_DTE_WORDS; i++)
		world_store(&w.host, w.devices + rid * AMD_DTE_BYTES + i * 8, words[i]);
}

/* The guest's table is PASID's, over the host's. */
static inline void tables_create(void)
{
	const struct x86_format first = { .levels = 4, .address_bits = 52,
					  .pages_1g = true, .exec = true };
	const struct amdv1_format second = { .levels = 4, .address_bits = 46,
					     .accessed = true, .dirty = true };

	CHECK_EQ(x86_create(&w.first, &w.guest.memory, &w.guest.pages, &first), 0);
	CHECK_EQ(amdv1_create(&w.second, &w.host.memory, &w.host.pages, &second), 0);
	w.devices = host_pages(DEVICE_PAGES);
	w.dte = (struct amd_dte){
		.root = w.second.root, .gcr3 = { host_pages(1), 2 }, .domain = DOMAIN,
		.mode = 4, .levels = 4, .read = true, .write = true, .ats = true,
		.pri = true, .response_pasid = true, .accessed = true, .dirty = true,
	};
	dte_write(RID);
	CHECK_EQ(gcr3_put(&w.host.memory, &w.host.pages, &w.dte.gcr3, PASID, w.first.root),
		 0);
}

static inline void software_start(void)
{
	struct iopf_driver_options options = {
		.size_bytes = sizeof(options),
		.command_bytes = 16,
		.wire = &iopf_wire_amd,
		.registers = &iopf_hardware_registers,
		.context = model_iommu_hardware(w.iommu),
		.memory = &w.host.memory,
		.root_addr = w.devices,
		.root_config = DEVICE_PAGES - 1,
		.request_addr = host_pages(1),
		.command_addr = host_pages(1),
		.event_addr = host_pages(1),
		.status_addr = host_pages(1),
		.interrupt_addr = 0xfee00000,
	};
	int error;

	CHECK_EQ(iopf_driver_create(&options, w.driver_bytes, sizeof(w.driver_bytes),
				    &w.driver), 0);
	while ((error = iopf_driver_start(w.driver)) == -EAGAIN)
		model_iommu_run(w.iommu, 16, 0);
	CHECK_EQ(error, 0);
}

static inline void amd_world_create(uint32_t more_features)
{
	struct model_iommu_options options = {
		.family = "amd",
		.memory = &w.host.memory,
		.features = IOPF_AMD_PHYSICAL | more_features,
		.pasid_bits = 20,
		.address_bits = 46,
		.context_lines = 16,
		.pasid_lines = 16,
		.translation_lines = 64,
		.invalidation_timeout_ns = 1000,
		.quirks = quirks,
		.interrupt = world_interrupt,
	};
	const struct model_downstream stub = { .response = stub_response,
					       .invalidate = stub_invalidate };

	model_iommu_destroy(w.iommu);
	memset(&w, 0, sizeof(w));
	world_create(&w.host, 0);
	w.host.used = 1; /* address 0 is nothing */
	guest_create();
	tables_create();
	CHECK_EQ(model_iommu_create(&options, &w.iommu), 0);
	w.up = model_iommu_upstream(w.iommu);
	CHECK_EQ(model_iommu_connect(w.iommu, RID, &stub), 0);
	software_start();
	w.interrupts = 0;
}

/* The host lets the guest reach all of its memory (or only one page). */
static inline void back(uint64_t gpa, uint8_t perm)
{
	gpa &= ~(K4 - 1);
	CHECK_EQ(amdv1_map(&w.second, gpa, w.guest_at + gpa, K4, perm, 0), 0);
}

static inline void back_all(void)
{
	for (uint64_t gpa = 0; gpa < GUEST_PAGES * K4; gpa += K4)
		back(gpa, R | W);
}

/* A page of the guest's own. */
static inline uint64_t guest_page(void)
{
	uint64_t gpa = 0;

	CHECK_EQ(table_take_zeroed(&w.guest.memory, &w.guest.pages, 1, &gpa), 0);
	return gpa;
}

static inline enum model_status ask_as(uint32_t rid, uint32_t pasid, uint64_t addr,
				       uint8_t perm, struct model_translation *translation)
{
	const struct model_translation_request request = { .addr = addr, .rid = rid,
							   .pasid = pasid, .perm = perm };

	return w.up.translate(w.up.context, &request, translation);
}

static inline enum model_status ask(uint64_t addr, uint8_t perm,
				    struct model_translation *translation)
{
	return ask_as(RID, PASID, addr, perm, translation);
}

/* The rights that a translation request gets; its output is @gpa's page. */
static inline uint8_t asked(uint64_t addr, uint8_t perm, uint64_t gpa)
{
	struct model_translation translation = { .addr = 0 };

	CHECK_EQ(ask(addr, perm, &translation), MODEL_SUCCESS);
	if (translation.perm != 0)
		CHECK_EQ(translation.addr, w.guest_at + gpa);
	return translation.perm;
}

static inline void page_request(uint64_t addr, uint16_t index, uint8_t flags)
{
	const struct iopf_request request = { .addr = addr, .rid = RID, .pasid = PASID,
					      .index = index, .perm = R | W,
					      .flags = flags };

	w.up.page_request(w.up.context, RID, PASID, 0, iopf_pcie_encode_request(&request));
}

/* Software's command, done at once, with a wait behind it. */
static inline void command(struct iopf_command command)
{
	uint64_t wait;

	CHECK_EQ(iopf_driver_submit(w.driver, &command), 0);
	CHECK_EQ(iopf_driver_wait(w.driver, 0, &wait), 0);
	CHECK_EQ(iopf_driver_kick(w.driver), 0);
	model_iommu_run(w.iommu, 16, w.now_ns);
	CHECK(iopf_driver_waited(w.driver, wait));
}

static inline uint64_t reg(uint32_t offset)
{
	uint64_t value = 0;

	CHECK_EQ(iopf_hardware_read(model_iommu_hardware(w.iommu), offset, 8, &value), 0);
	return value;
}

static inline void reg_set(uint32_t offset, uint64_t value)
{
	CHECK_EQ(iopf_hardware_write(model_iommu_hardware(w.iommu), offset, 8, value), 0);
}

/* The only event in the log. */
static inline struct iopf_fault only_event(void)
{
	struct iopf_fault faults[2] = { 0 };

	CHECK_EQ(iopf_driver_poll_faults(w.driver, faults, 2), 1);
	return faults[0];
}

static inline bool no_event(void)
{
	struct iopf_fault fault;

	return iopf_driver_poll_faults(w.driver, &fault, 1) == 0;
}

#endif
