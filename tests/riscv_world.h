/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * riscv_world.h - a RISC-V IOMMU model with a driver on one side and a stub of a function
 * on the other. Host memory, and in it a guest's memory with a process directory and a
 * first stage of the guest's own, under a second stage. Contexts are written by hand.
 */
#ifndef TESTS_RISCV_WORLD_H
#define TESTS_RISCV_WORLD_H

#include "table_world.h"

#include "base/le.h"
#include "model/iommu.h"
#include "queue/riscv.h"
#include "table/riscv.h"

enum {
	RID = 0x0310,
	PASID = 0x92345,
	GSCID = 7,
	PSCID = 0x54321,
	GUEST_PAGES = 1024,
	RESPONSES_MAX = 512,
	ENTRIES = 256, /* of a page-request queue of one page */
};

#define K4      UINT64_C(4096)
#define IOVA    UINT64_C(0x3012345000)
#define NOWHERE UINT64_C(0x3ffffffff000) /* no memory is there */
#define R       IOPF_READ
#define W       IOPF_WRITE
#define X       IOPF_EXEC
#define NONE    IOPF_PASID_NONE
#define MARKED  (SV_ACCESSED | SV_DIRTY)
#define TC(field) FIELD_MASK(RISCV_DC_##field)

/* Of the world that is made next. */
static struct {
	uint8_t first, second; /* levels; no second: the first stage leads to memory */
	uint8_t directory;     /* levels of processes: PD8, PD17, PD20 */
	uint32_t features;     /* more than a physical one has */
	uint32_t lacking;
} setup = { .first = 4, .second = 4, .directory = RISCV_PD20 };

static struct {
	struct world host, guest;
	uint64_t guest_at; /* host address of guest address 0 */
	struct sv_table first, second;
	uint64_t ddt[3]; /* the leaf, and what leads there */
	uint64_t pdt;
	struct riscv_dc dc;
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

/* Where the first stage and what leads to it lie. */
static inline struct world *below(void)
{
	return setup.second != 0 ? &w.guest : &w.host;
}

static inline uint64_t below_page(void)
{
	uint64_t addr = 0;

	CHECK_EQ(table_take_zeroed(&below()->memory, &below()->pages, 1, &addr), 0);
	return addr;
}

static inline uint64_t dc_at(uint32_t rid)
{
	return w.ddt[0] + (rid & 0x7f) * RISCV_DC_WORDS * 8;
}

/* w.dc as it stands is what memory has for @rid, of RID's leaf. */
static inline void dc_write(uint32_t rid)
{
	for (unsigned i = 0; i < RISCV_DC_WORDS; i++)
		world_store(&w.host, dc_at(rid) + i * 8, w.dc.word[i]);
}

static inline void tc_set(uint64_t set, uint64_t clear)
{
	w.dc.word[0] = (w.dc.word[0] & ~clear) | set;
	dc_write(RID);
}

/* Where @pasid's context is: every directory on the way is made. */
static inline uint64_t pc_at(uint32_t pasid)
{
	uint64_t at = w.pdt;

	for (unsigned level = setup.directory - 1u; level > 0; level--) {
		uint64_t entry = at + (pasid >> (9 * level - 1) & 511) * 8;

		if (world_load(below(), entry) == 0)
			world_store(below(), entry, 1 | below_page() >> 2);
		at = world_load(below(), entry) >> 10 << 12;
	}
	return at + (pasid & 255) * 16;
}

static inline void pc_write(uint32_t pasid, uint64_t ta, uint64_t root)
{
	uint64_t mode = RISCV_SV39 + setup.first - 3u;

	world_store(below(), pc_at(pasid) + 8, root == 0 ? 0 : mode << 60 | root >> 12);
	world_store(below(), pc_at(pasid), ta);
}

static inline void tables_create(void)
{
	const struct sv_format first = { .levels = setup.first, .address_bits = 46 };
	const struct sv_format second = { .levels = setup.second, .address_bits = 46,
					  .second = true };

	CHECK_EQ(sv_create(&w.first, &below()->memory, &below()->pages, &first), 0);
	if (setup.second != 0)
		CHECK_EQ(sv_create(&w.second, &w.host.memory, &w.host.pages, &second), 0);
	for (unsigned i = 0; i < 3; i++)
		w.ddt[i] = host_pages(1);
	world_store(&w.host, w.ddt[2] + (RID >> 16) * 8, 1 | w.ddt[1] >> 2);
	world_store(&w.host, w.ddt[1] + (RID >> 7) * 8, 1 | w.ddt[0] >> 2);
	w.pdt = below_page();
	w.dc.word[0] = TC(V) | TC(EN_ATS) | TC(EN_PRI) | TC(PRPR) | TC(PDTV);
	if (setup.second != 0)
		w.dc.word[1] = (uint64_t)(RISCV_SV39 + setup.second - 3u) << 60 |
			       (uint64_t)GSCID << 44 | w.second.root >> 12;
	w.dc.word[3] = (uint64_t)setup.directory << 60 | w.pdt >> 12;
	dc_write(RID);
	pc_write(PASID, 1 | (uint64_t)PSCID << 12, w.first.root);
}

static inline void software_start(void)
{
	struct iopf_driver_options options = {
		.size_bytes = sizeof(options),
		.command_bytes = 16,
		.wire = &iopf_wire_riscv,
		.registers = &iopf_hardware_registers,
		.context = model_iommu_hardware(w.iommu),
		.memory = &w.host.memory,
		.root_addr = w.ddt[2],
		.root_config = RISCV_MODE_3LVL,
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

static inline void riscv_world_create(void)
{
	struct model_iommu_options options = {
		.family = "riscv",
		.memory = &w.host.memory,
		.features = (RISCV_PHYSICAL | setup.features) & ~setup.lacking,
		.pasid_bits = 20,
		.address_bits = 46,
		.context_lines = 16,
		.pasid_lines = 16,
		.translation_lines = 64,
		.invalidation_timeout_ns = 1000,
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
	CHECK_EQ(sv_map(&w.second, gpa, w.guest_at + gpa, K4, perm, MARKED), 0);
}

static inline void back_all(void)
{
	for (uint64_t gpa = 0; gpa < GUEST_PAGES * K4; gpa += K4)
		back(gpa, R | W);
}

/* A page of the guest's own that @addr leads to. */
static inline uint64_t map(uint64_t addr, uint8_t perm, uint64_t marks)
{
	uint64_t gpa = below_page();

	CHECK_EQ(sv_map(&w.first, addr, gpa, K4, perm, marks), 0);
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
		CHECK_EQ(translation.addr, setup.second != 0 ? w.guest_at + gpa : gpa);
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

static inline uint32_t reg(uint32_t offset)
{
	uint64_t value = 0;

	CHECK_EQ(iopf_hardware_read(model_iommu_hardware(w.iommu), offset, 4, &value), 0);
	return (uint32_t)value;
}

static inline void reg_set(uint32_t offset, uint32_t width, uint64_t value)
{
	CHECK_EQ(iopf_hardware_write(model_iommu_hardware(w.iommu), offset, width, value), 0);
}

/* From one number of levels to another the way is by Bare. */
static inline void mode_set(enum riscv_mode mode)
{
	uint64_t root = mode > RISCV_MODE_BARE ? w.ddt[mode - RISCV_MODE_1LVL] : 0;

	reg_set(RISCV_DDTP, 8, RISCV_MODE_BARE);
	reg_set(RISCV_DDTP, 8, root >> 2 | mode);
}

/* The only record in the fault queue. */
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
