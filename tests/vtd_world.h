/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtd_world.h - a VT-d model with software on one side and stubs of functions on the
 * other: host memory, and in it a guest's memory with tables of the guest's own.
 */
#ifndef TESTS_VTD_WORLD_H
#define TESTS_VTD_WORLD_H

#include "table_world.h"

#include "model/iommu.h"
#include "queue/vtd.h"
#include "table/vtd_scalable.h"

enum {
	RID = 0x0310,
	PASID = 0x12345,
	DOMAIN = 7,
	GUEST_PAGES = 1024,
	RESPONSES_MAX = 512,
};

#define K4   UINT64_C(4096)
#define IOVA UINT64_C(0x7f0012345000)
#define R    IOPF_READ
#define W    IOPF_WRITE

struct stub {
	struct iopf_prg_response response[RESPONSES_MAX];
	uint32_t response_count;
	uint32_t invalidations;
	uint64_t payload;
	uint32_t pasid;
	int result; /* of an invalidation */
};

static struct {
	struct world host, guest;
	uint64_t guest_at; /* host address of guest address 0 */
	struct x86_table first;
	struct vtdss_table second;
	struct vtd_builder builder;
	struct model_iommu *iommu;
	struct model_upstream up;
	uint8_t driver_bytes[4096] __attribute__((aligned(8)));
	struct iopf_driver *driver;
	uint64_t interrupts, now_ns;
	struct stub stub;
} w;

static void stub_response(void *context, uint32_t pasid, uint64_t payload)
{
	struct stub *stub = context;

	CHECK(stub->response_count < RESPONSES_MAX);
	CHECK_EQ(iopf_pcie_decode_response(payload, pasid,
					   &stub->response[stub->response_count++]), 0);
}

static int stub_invalidate(void *context, uint32_t pasid, uint64_t payload)
{
	struct stub *stub = context;

	stub->invalidations++;
	stub->pasid = pasid;
	stub->payload = payload;
	return stub->result;
}

static void world_interrupt(void *context, uint32_t rid, uint64_t addr, uint32_t data)
{
	(void)context;
	(void)rid;
	(void)addr;
	(void)data;
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

static inline void tables_create(const struct vtd_features *features)
{
	const struct x86_format first = { .levels = 4, .address_bits = 52,
					  .pages_1g = true, .exec = true };
	const struct vtdss_format second = { .levels = 4, .address_bits = 46,
					     .pages_2m = true, .accessed_dirty = true };

	CHECK_EQ(x86_create(&w.first, &w.guest.memory, &w.guest.pages, &first), 0);
	CHECK_EQ(vtdss_create(&w.second, &w.host.memory, &w.host.pages, &second), 0);
	CHECK_EQ(vtd_builder_create(&w.builder, &w.host.memory, &w.host.pages, features),
		 0);
}

static inline struct vtd_pasid nested_pasid(void)
{
	return (struct vtd_pasid){ .first_root = w.first.root,
				   .second_root = w.second.root,
				   .domain = DOMAIN,
				   .pgtt = VTD_PGTT_NESTED,
				   .first_levels = 4,
				   .second_levels = 4,
				   .exec = true,
				   .second_ad = true };
}

static inline void entries_create(bool pri)
{
	const struct vtd_context context = { .pdts = 7, .ats = true, .pasid = true,
					     .pri = pri };
	const struct vtd_pasid pasid = nested_pasid();

	CHECK_EQ(vtd_builder_context(&w.builder, RID, &context), 0);
	CHECK_EQ(vtd_builder_pasid(&w.builder, RID, PASID, &pasid), 0);
}

static inline void software_start(void)
{
	struct iopf_driver_options options = {
		.size_bytes = sizeof(options),
		.command_bytes = 32,
		.wire = &iopf_wire_vtd,
		.registers = &iopf_hardware_registers,
		.context = model_iommu_hardware(w.iommu),
		.memory = &w.host.memory,
		.root_addr = w.builder.root,
		.request_addr = host_pages(1),
		.command_addr = host_pages(1),
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

static inline void vtd_world_create(bool pri)
{
	struct model_iommu_options options = {
		.memory = &w.host.memory,
		.features = IOPF_VTD_PHYSICAL,
		.pasid_bits = 20,
		.address_bits = 46,
		.context_lines = 16,
		.pasid_lines = 16,
		.translation_lines = 64,
		.invalidation_timeout_ns = 1000,
		.interrupt = world_interrupt,
	};
	const struct model_downstream stub = { .context = &w.stub,
					       .response = stub_response,
					       .invalidate = stub_invalidate };
	struct vtd_features features;
	uint64_t cap, ecap;

	model_iommu_destroy(w.iommu);
	memset(&w, 0, sizeof(w));
	world_create(&w.host, 0);
	w.host.used = 1; /* address 0 is nothing */
	CHECK_EQ(iopf_vtd_capability(IOPF_VTD_PHYSICAL, 20, &cap, &ecap), 0);
	features = vtd_features_of(cap, ecap, 46);
	guest_create();
	tables_create(&features);
	entries_create(pri);
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
	CHECK_EQ(vtdss_map(&w.second, gpa, w.guest_at + gpa, K4, perm), 0);
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

static inline enum model_status ask(uint64_t addr, uint8_t perm,
				    struct model_translation *translation)
{
	const struct model_translation_request request = { .addr = addr, .rid = RID,
							   .pasid = PASID, .perm = perm };

	return w.up.translate(w.up.context, &request, translation);
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

static inline uint64_t vtd_register(uint32_t offset, uint32_t width)
{
	uint64_t value = 0;

	CHECK_EQ(iopf_hardware_read(model_iommu_hardware(w.iommu), offset, width, &value), 0);
	return value;
}

#endif
