/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * smmuv3_world.h - an SMMUv3 model with software on one side, written out by hand, and
 * stubs of devices on the other: a function that asks for translations and pages, and a
 * platform master whose transactions stall. Host memory, and in it a guest's memory with
 * descriptors and stage 1 tables of the guest's own.
 */
#ifndef TESTS_SMMUV3_WORLD_H
#define TESTS_SMMUV3_WORLD_H

#include "table_world.h"

#include "base/le.h"
#include "model/iommu.h"
#include "queue/smmuv3.h"
#include "table/smmuv3_nested.h"

enum {
	RID = 0x0310,    /* the function, */
	PASID = 5,
	ASID = 0x51,
	STREAM = 0x0042, /* the master, */
	SUBSTREAM = 6,
	STALL_ASID = 0x61,
	OTHER = 0x0043,  /* another one */
	VMID = 7,
	CONTEXT_BITS = 4,
	GUEST_PAGES = 1024,
	STALL_MAX = 8,
	EVENTS = 16,
	REQUESTS = 16,
	COMMANDS = 64,
	NOTES_MAX = 256,
};

#define K4   UINT64_C(4096)
#define IOVA UINT64_C(0x7f0012345000)
#define R    IOPF_READ
#define W    IOPF_WRITE

struct note {
	uint32_t rid;
	uint16_t tag;
	uint8_t code, verdict;
};

struct released {
	const struct model_transaction *transaction;
	int result;
};

static struct {
	struct world host, guest;
	uint64_t guest_at;    /* host address of guest address 0 */
	uint64_t contexts;    /* guest address of its descriptors */
	struct vmsa_table first;
	struct vmsas2_table second;
	struct smmuv3_builder builder;
	struct model_iommu *iommu;
	struct model_upstream up;
	uint64_t commands, events, requests;
	uint32_t interrupts;
	uint64_t now_ns;

	struct iopf_prg_response response[NOTES_MAX];
	uint32_t response_count;
	uint32_t invalidations;
	uint64_t payload;
	int invalidate_result;

	struct released released[NOTES_MAX];
	uint32_t released_count;
	struct iopf_fault seen[NOTES_MAX];
	struct note resumed[NOTES_MAX], terminated[NOTES_MAX];
	uint32_t seen_count, resumed_count, terminated_count;
} w;

/* ---- Devices ------------------------------------------------------------------------ */

static void stub_response(void *context, uint32_t pasid, uint64_t payload)
{
	(void)context;
	CHECK(w.response_count < NOTES_MAX);
	CHECK_EQ(iopf_pcie_decode_response(payload, pasid,
					   &w.response[w.response_count++]), 0);
}

static int stub_invalidate(void *context, uint32_t pasid, uint64_t payload)
{
	(void)context, (void)pasid;
	w.invalidations++;
	w.payload = payload;
	return w.invalidate_result;
}

static void stub_released(void *context, const struct model_transaction *transaction,
			  int result)
{
	(void)context;
	CHECK(w.released_count < NOTES_MAX);
	w.released[w.released_count++] = (struct released){ transaction, result };
}

static void saw_stalled(void *context, const struct iopf_fault *fault)
{
	(void)context;
	CHECK(w.seen_count < NOTES_MAX);
	w.seen[w.seen_count++] = *fault;
}

static void saw_resumed(void *context, uint32_t rid, uint16_t tag, enum iopf_code code,
			enum model_stall_verdict verdict)
{
	(void)context;
	CHECK(w.resumed_count < NOTES_MAX);
	w.resumed[w.resumed_count++] =
		(struct note){ rid, tag, (uint8_t)code, (uint8_t)verdict };
}

static void saw_terminated(void *context, uint32_t rid, uint16_t tag)
{
	(void)context;
	CHECK(w.terminated_count < NOTES_MAX);
	w.terminated[w.terminated_count++] = (struct note){ rid, tag, 0, 0 };
}

static void world_interrupt(void *context, uint32_t rid, uint64_t addr, uint32_t data)
{
	(void)context, (void)rid, (void)addr, (void)data;
	w.interrupts++;
}

/* ---- Software's hands --------------------------------------------------------------- */

static inline uint64_t reg(uint32_t offset, uint32_t width)
{
	uint64_t value = 0;

	CHECK_EQ(iopf_hardware_read(model_iommu_hardware(w.iommu), offset, width, &value),
		 0);
	return value;
}

static inline void reg_set(uint32_t offset, uint32_t width, uint64_t value)
{
	CHECK_EQ(iopf_hardware_write(model_iommu_hardware(w.iommu), offset, width, value),
		 0);
}

static inline void run(void)
{
	model_iommu_run(w.iommu, 64, w.now_ns);
}

static inline void *host_at(uint64_t addr, uint64_t size_bytes)
{
	void *at = memory_at(&w.host.memory, addr, size_bytes);

	CHECK(at != NULL);
	return at;
}

/* Put @command into the queue. */
static inline void submit(struct iopf_command command)
{
	uint32_t prod = (uint32_t)reg(SMMUV3_CMDQ_PROD, 4);
	uint8_t *slot = host_at(w.commands + prod % COMMANDS * 16, 16);

	CHECK_EQ(iopf_wire_smmuv3.encode_command(&command, 16, slot), 0);
	reg_set(SMMUV3_CMDQ_PROD, 4, (prod + 1) % (2 * COMMANDS));
}

static inline void sync(void)
{
	submit((struct iopf_command){ .kind = IOPF_COMMAND_WAIT });
}

/* ... and have it done. */
static inline void command(struct iopf_command command)
{
	submit(command);
	sync();
	run();
	CHECK_EQ(reg(SMMUV3_CMDQ_CONS, 4), reg(SMMUV3_CMDQ_PROD, 4));
	CHECK_EQ(reg(SMMUV3_GERROR, 4), reg(SMMUV3_GERRORN, 4));
}

/* The next entry of a queue in @bytes, or NULL; it is given back. */
static inline const uint8_t *take(uint64_t base, uint32_t prod_at, uint32_t cons_at,
				  uint32_t entries, uint32_t size_bytes)
{
	const uint32_t mask = 2 * entries - 1;
	uint32_t prod = (uint32_t)reg(prod_at, 4), cons = (uint32_t)reg(cons_at, 4);
	const uint8_t *record = host_at(base + cons % entries * size_bytes, size_bytes);

	if (((prod ^ cons) & mask) == 0)
		return NULL;
	reg_set(cons_at, 4, ((cons + 1) & mask) | (prod & SMMUV3_QUEUE_OVERFLOW));
	return record;
}

/* The next event; false: there is none. */
static inline bool event(struct iopf_fault *fault)
{
	const uint8_t *record =
		take(w.events, SMMUV3_EVENTQ_PROD, SMMUV3_EVENTQ_CONS, EVENTS, 32);
	bool reserved;

	*fault = (struct iopf_fault){ 0 };
	if (record == NULL)
		return false;
	CHECK_EQ(iopf_wire_smmuv3.decode_fault(record, fault, &reserved), 0);
	CHECK(!reserved);
	return true;
}

static inline bool request(struct iopf_request *taken)
{
	const uint8_t *record =
		take(w.requests, SMMUV3_PRIQ_PROD, SMMUV3_PRIQ_CONS, REQUESTS, 16);
	bool reserved;

	if (record == NULL)
		return false;
	CHECK_EQ(iopf_wire_smmuv3.decode_request(record, taken, &reserved), 0);
	return true;
}

/* The only event there is. */
static inline struct iopf_fault only_event(void)
{
	struct iopf_fault fault, none;

	CHECK(event(&fault));
	CHECK(!event(&none));
	return fault;
}

static inline bool no_event(void)
{
	struct iopf_fault none;

	return !event(&none);
}

static inline struct iopf_command resume_of(uint32_t rid, uint16_t tag,
					    enum iopf_code code)
{
	return (struct iopf_command){ .kind = IOPF_COMMAND_RESPONSE,
				      .rid = rid,
				      .pasid = IOPF_PASID_NONE,
				      .index = tag,
				      .code = (uint8_t)code,
				      .flags = IOPF_STALL };
}

static inline void resume(const struct iopf_fault *fault, enum iopf_code code)
{
	CHECK(fault->stall);
	command(resume_of(fault->rid, fault->index, code));
}

/* ---- Tables --------------------------------------------------------------------------- */

static inline uint64_t host_pages(uint32_t count)
{
	uint64_t addr = 0;

	CHECK_EQ(table_take_aligned(&w.host.memory, &w.host.pages, count, &addr), 0);
	return addr;
}

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

/* A page of the guest's own. */
static inline uint64_t guest_page(void)
{
	uint64_t gpa = 0;

	CHECK_EQ(table_take_zeroed(&w.guest.memory, &w.guest.pages, 1, &gpa), 0);
	return gpa;
}

static inline void *guest_memory(uint64_t gpa)
{
	return host_at(w.guest_at + gpa, K4);
}

static inline void context_put(uint32_t index, const struct smmuv3_cd *cd)
{
	uint64_t words[SMMUV3_CD_WORDS];

	CHECK_EQ(smmuv3_cd_encode(cd, words), 0);
	for (uint32_t i = 0; i < SMMUV3_CD_WORDS; i++)
		world_store(&w.guest, w.contexts + index * 64 + 8 * i, words[i]);
}

static inline struct smmuv3_cd context_usual(uint16_t asid, bool stall)
{
	struct smmuv3_cd cd = { .first = w.first.format,
				.asid = asid,
				.abort = true,
				.record = true,
				.stall = stall };

	return cd;
}

/* A nested stream: the guest's descriptors and stage 1, the host's stage 2. */
static inline struct smmuv3_ste entry_usual(bool stall)
{
	return (struct smmuv3_ste){ .context_addr = w.contexts,
				    .config = SMMUV3_BOTH,
				    .contexts = SMMUV3_LINEAR,
				    .context_bits = CONTEXT_BITS,
				    .without = SMMUV3_DEFAULT_ZERO,
				    .ats = stall ? SMMUV3_ATS_OFF : SMMUV3_ATS_FULL,
				    .vmid = VMID,
				    .stall_off = !stall,
				    .response_pasid = true,
				    .stall = stall,
				    .record = true,
				    .second = w.second.format };
}

static inline void entry_put(uint32_t rid, const struct smmuv3_ste *ste)
{
	CHECK_EQ(smmuv3_builder_ste(&w.builder, rid, ste), 0);
}

static inline void tables_create(const struct smmuv3_features *features)
{
	const struct vmsa_format first = {
		.half = { { .input_bits = 48 }, { .input_bits = 48, .disabled = true } },
		.output_bits = 48, .access = true, .dirty = true };
	const struct vmsas2_format second = { .input_bits = 40, .levels = 3,
					      .output_bits = 48, .access = true,
					      .dirty = true };
	struct smmuv3_cd cd;
	struct smmuv3_ste ste;

	CHECK_EQ(vmsa_create(&w.first, &w.guest.memory, &w.guest.pages, &first), 0);
	CHECK_EQ(vmsas2_create(&w.second, &w.host.memory, &w.host.pages, &second), 0);
	CHECK_EQ(smmuv3_builder_create(&w.builder, &w.host.memory, &w.host.pages, features),
		 0);
	w.contexts = guest_page();
	cd = context_usual(ASID, false);
	context_put(PASID, &cd);
	cd = context_usual(STALL_ASID, true);
	context_put(SUBSTREAM, &cd);
	ste = entry_usual(false);
	entry_put(RID, &ste);
	ste = entry_usual(true);
	entry_put(STREAM, &ste);
	entry_put(OTHER, &ste);
}

/* The host lets the guest reach this page, or all of its memory. */
static inline void back(uint64_t gpa, uint8_t perm)
{
	gpa &= ~(K4 - 1);
	CHECK_EQ(vmsas2_map(&w.second, gpa, w.guest_at + gpa, K4, perm, 0), 0);
}

static inline void back_all(void)
{
	for (uint64_t gpa = 0; gpa < GUEST_PAGES * K4; gpa += K4)
		back(gpa, R | W | IOPF_EXEC);
}

static inline void map(uint64_t addr, uint64_t gpa, uint8_t perm)
{
	CHECK_EQ(vmsa_map(&w.first, addr, gpa, K4, perm, 0), 0);
}

/* ---- All of it ------------------------------------------------------------------------ */

static inline void registers_start(uint32_t cr0)
{
	w.commands = host_pages(1);
	w.events = host_pages(1);
	w.requests = host_pages(1);
	reg_set(SMMUV3_STRTAB_BASE, 8, w.builder.root);
	reg_set(SMMUV3_STRTAB_BASE_CFG, 4, w.builder.root_config);
	reg_set(SMMUV3_CMDQ_BASE, 8, w.commands | 6);
	reg_set(SMMUV3_EVENTQ_BASE, 8, w.events | 4);
	reg_set(SMMUV3_PRIQ_BASE, 8, w.requests | 4);
	reg_set(SMMUV3_CR0, 4, cr0);
}

static inline struct model_iommu_options iommu_usual(void)
{
	return (struct model_iommu_options){
		.family = "smmuv3",
		.memory = &w.host.memory,
		.pasid_bits = CONTEXT_BITS,
		.address_bits = 48,
		.context_lines = 16,
		.pasid_lines = 16,
		.translation_lines = 64,
		.invalidation_timeout_ns = 1000,
		.stall_max = STALL_MAX,
		.observer = { NULL, saw_stalled, saw_resumed, saw_terminated },
		.interrupt = world_interrupt,
	};
}

#define CR0_ON                                                              \
	(SMMUV3_SMMUEN | SMMUV3_PRIQEN | SMMUV3_EVENTQEN | SMMUV3_CMDQEN |  \
	 SMMUV3_ATSCHK)

static inline void smmuv3_world_create_with(const struct model_iommu_options *options)
{
	const struct model_downstream function = { .response = stub_response,
						   .invalidate = stub_invalidate };
	const struct model_downstream master = { .released = stub_released };
	uint32_t features = options->features != 0 ? options->features :
						     (uint32_t)IOPF_SMMUV3_PHYSICAL;
	struct smmuv3_features what;
	uint32_t idr[6];

	model_iommu_destroy(w.iommu);
	memset(&w, 0, sizeof(w));
	world_create(&w.host, 0);
	w.host.used = 1; /* address 0 is nothing */
	CHECK_EQ(iopf_smmuv3_identification(features, 16, options->pasid_bits,
					    options->stall_max, idr), 0);
	what = smmuv3_features_of(idr);
	guest_create();
	tables_create(&what);
	CHECK_EQ(model_iommu_create(options, &w.iommu), 0);
	w.up = model_iommu_upstream(w.iommu);
	CHECK_EQ(model_iommu_connect(w.iommu, RID, &function), 0);
	CHECK_EQ(model_iommu_connect(w.iommu, STREAM, &master), 0);
	CHECK_EQ(model_iommu_connect(w.iommu, OTHER, &master), 0);
	registers_start(CR0_ON);
}

static inline void smmuv3_world_create(void)
{
	const struct model_iommu_options options = iommu_usual();

	smmuv3_world_create_with(&options);
}

static inline struct model_iommu_stats stats(void)
{
	return model_iommu_stats(w.iommu);
}

/* ---- What devices do ------------------------------------------------------------------ */

static inline enum model_status ask(uint64_t addr, uint8_t perm,
				    struct model_translation *translation)
{
	const struct model_translation_request from = { .addr = addr, .rid = RID,
							.pasid = PASID, .perm = perm };

	return w.up.translate(w.up.context, &from, translation);
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
	const struct iopf_request from = { .addr = addr, .rid = RID, .pasid = PASID,
					   .index = index, .perm = R | W, .flags = flags };

	w.up.page_request(w.up.context, RID, PASID, 0, iopf_pcie_encode_request(&from));
}

/* Of the master: nothing is moved. */
static inline struct model_transaction touch_of(uint64_t addr, uint8_t perm)
{
	return (struct model_transaction){ .addr = addr, .rid = STREAM,
					   .pasid = SUBSTREAM, .perm = perm };
}

static inline int transact(const struct model_transaction *transaction)
{
	return w.up.transact(w.up.context, transaction);
}

#endif
