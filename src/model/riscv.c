/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/riscv.c - a RISC-V IOMMU with both stages and page requests: what software asks of
 * it, what devices send, what it answers by itself.
 *
 * RISC-V IOMMU Architecture Specification 1.0, "Process to translate an IOVA", "PCIe ATS
 * translation request handling", "Handling of PCIe Page Requests". It stalls nothing: an
 * access that faults is aborted.
 */
#include <errno.h>

#include "model/cache.h"
#include "model/iommu_state.h"
#include "queue/riscv.h"
#include "table/riscv.h"

struct model_riscv {
	struct model_iommu iommu; /* first */
	struct riscv_features features;
	struct cache cache; /* of device contexts; of first stages, by process */
};

static struct model_riscv *riscv_of(struct model_iommu *iommu)
{
	return (struct model_riscv *)iommu;
}

/* ---- Commands ----------------------------------------------------------------------------- */

#define IOTLB(granularity, hints_, set, named)                                            \
	{                                                                                 \
		.kind = IOPF_COMMAND_INVALIDATE_IOTLB, .granularities = 1 << (granularity), \
		.hints = (hints_), .hints_set = (set), .translations = CACHE_LINES | (named) \
	}
enum {
	ALONE = IOPF_HINT_ALONE,
	SECOND = IOPF_HINT_SECOND,
	ANY = IOPF_HINT_ANY_ASID,
	OF_VM = CACHE_BY_DOMAIN | CACHE_HAS_SECOND,
	OF_PROCESS = CACHE_BY_ASID | CACHE_HAS_FIRST | CACHE_NOT_GLOBAL,
};

/* "IOMMU Page-Table cache invalidation commands", "... directory cache invalidation". A
 * guest address is no tag of what came through both stages: all of the VM's goes. */
static const struct cache_rule cache_rules[] = {
	{ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
	  .granularities = 1 << IOPF_ALL,
	  .entries = CACHE_LINES,
	  .processes = CACHE_LINES },
	{ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
	  .granularities = 1 << IOPF_DEVICE,
	  .entries = CACHE_LINES | CACHE_BY_RID,
	  .processes = CACHE_LINES | CACHE_BY_RID },
	{ .kind = IOPF_COMMAND_INVALIDATE_PASID,
	  .granularities = 1 << IOPF_ONE_PASID,
	  .processes = CACHE_LINES | CACHE_BY_RID | CACHE_BY_PASID },
	IOTLB(IOPF_ALL, ALONE | SECOND, ALONE, CACHE_NO_SECOND),
	IOTLB(IOPF_ALL, ALONE | SECOND, SECOND, CACHE_HAS_SECOND),
	IOTLB(IOPF_DOMAIN, 0, 0, OF_VM),
	IOTLB(IOPF_ONE_PASID, ALONE, ALONE, OF_PROCESS | CACHE_NO_SECOND),
	IOTLB(IOPF_ONE_PASID, ALONE, 0, OF_PROCESS | OF_VM),
	IOTLB(IOPF_PAGE, ALONE | ANY, ALONE, OF_PROCESS | CACHE_NO_SECOND | CACHE_BY_RANGE),
	IOTLB(IOPF_PAGE, ALONE | ANY, ALONE | ANY, CACHE_NO_SECOND | CACHE_BY_RANGE),
	IOTLB(IOPF_PAGE, ALONE | ANY | SECOND, 0, OF_PROCESS | OF_VM | CACHE_BY_RANGE),
	IOTLB(IOPF_PAGE, ALONE | ANY | SECOND, ANY, OF_VM | CACHE_HAS_FIRST | CACHE_BY_RANGE),
	IOTLB(IOPF_PAGE, SECOND, SECOND, OF_VM),
	{ .kind = IOPF_COMMAND_NONE },
};

static int do_cache(struct model_iommu *iommu, const struct iopf_command *command)
{
	cache_invalidate(&riscv_of(iommu)->cache, command);
	return 0;
}

/* Records are written when they arise, and commands complete in order: a fence has nothing
 * to wait for. */
static int hardware_command(void *context, const struct iopf_command *command)
{
	static int (*const doers[IOPF_COMMAND_KIND_COUNT])(
		struct model_iommu * iommu, const struct iopf_command *command) = {
		[IOPF_COMMAND_RESPONSE] = iommu_do_response,
		[IOPF_COMMAND_INVALIDATE_CONTEXT] = do_cache,
		[IOPF_COMMAND_INVALIDATE_PASID] = do_cache,
		[IOPF_COMMAND_INVALIDATE_IOTLB] = do_cache,
		[IOPF_COMMAND_INVALIDATE_DEVICE] = iommu_do_device,
		[IOPF_COMMAND_WAIT] = iommu_do_nothing,
	};

	return doers[command->kind] != NULL ? doers[command->kind](context, command) :
					      -EOPNOTSUPP;
}

/* A new root, or none, forgets nothing by itself. */
static void hardware_root_changed(void *context)
{
	(void)context;
}

static void hardware_translation_changed(void *context, bool on)
{
	(void)context;
	(void)on;
}

static void hardware_queue_changed(void *context, enum iopf_queue_change change)
{
	(void)context;
	(void)change;
}

static const struct iopf_hardware_ops hardware_ops = {
	.command = hardware_command,
	.interrupt = iommu_send_interrupt,
	.root_changed = hardware_root_changed,
	.translation_changed = hardware_translation_changed,
	.queue_changed = hardware_queue_changed,
};

/* ---- Faults ------------------------------------------------------------------------------- */

/* What came in: TTYP of an access of each kind, and of others. */
enum arrival { UNTRANSLATED = 1, TRANSLATED = 5, TRANSLATION_REQUEST = 8, MESSAGE = 9 };
enum { PAGE_REQUEST_CODE = 0x04 };

struct access {
	uint64_t addr;
	uint32_t rid;
	uint32_t pasid;
	uint8_t perm;
	uint8_t arrival; /* enum arrival */
};

static uint8_t type_of(const struct access *access)
{
	uint8_t kind = (access->perm & IOPF_EXEC) != 0 ? 0 :
		       (access->perm & IOPF_READ) != 0 ? 1 :
							 2;

	return access->arrival >= TRANSLATION_REQUEST ? access->arrival :
							(uint8_t)(access->arrival + kind);
}

/* DTF hides what is of the address translation process, once there is a context. */
static void record(struct model_riscv *riscv, const struct access *access, unsigned cause,
		   const struct riscv_result *result, bool dtf)
{
	bool second = cause >= IOPF_RISCV_exec_guest_page && cause <= IOPF_RISCV_write_guest_page;
	bool first = cause >= IOPF_RISCV_exec_page && cause <= IOPF_RISCV_write_page;
	uint8_t type = type_of(access), shown = access->perm;
	struct iopf_fault fault = {
		.addr = access->arrival == MESSAGE ? PAGE_REQUEST_CODE : access->addr,
		.rid = access->rid,
		.pasid = access->pasid,
		.reason = (uint16_t)cause,
		.stage = second ? 2 : first,
		.request = type >= TRANSLATION_REQUEST,
		.type = type,
	};

	if (dtf)
		return;
	if (fault.request)
		shown = 0;
	else if ((shown & IOPF_READ) != 0)
		shown &= IOPF_READ | IOPF_EXEC;
	fault.perm = (uint8_t)((shown & ~IOPF_PRIV) |
			       (access->pasid != IOPF_PASID_NONE ? access->perm & IOPF_PRIV : 0));
	if (second && result != NULL) {
		fault.gpa = result->gpa & ~UINT64_C(3);
		fault.what = result->implicit ? IOPF_FAULT_TABLE : IOPF_FAULT_INPUT;
		if (result->implicit)
			fault.table_perm = result->gpa_perm & IOPF_WRITE ? IOPF_WRITE : IOPF_READ;
	}
	(void)iopf_hardware_fault(riscv->iommu.hardware, &fault);
}

/* ---- Finding an address space -------------------------------------------------------------- */

/* Steps 1 to 6. */
static unsigned find_dc(struct model_riscv *riscv, uint32_t rid, struct riscv_dc *dc)
{
	const struct iopf_hardware *hardware = riscv->iommu.hardware;
	uint64_t mode = iopf_hardware_root_config(hardware);
	const struct riscv_dc *line = cache_entry(&riscv->cache, rid);
	unsigned cause;

	*dc = (struct riscv_dc){ { 0 } };
	if (mode == RISCV_MODE_OFF)
		return IOPF_RISCV_off;
	if (mode == RISCV_MODE_BARE)
		return IOPF_RISCV_disallowed;
	if (line != NULL) {
		*dc = *line;
		return 0;
	}
	cause = riscv_find_dc(riscv->iommu.options.memory, &riscv->features,
			      iopf_hardware_root(hardware), mode, rid, dc);
	if (cause == 0)
		cache_add_entry(&riscv->cache, rid, dc);
	else
		*dc = (struct riscv_dc){ { 0 } };
	return cause;
}

static bool says(const struct riscv_dc *dc, uint32_t field)
{
	return field_of(dc->word[0], field) != 0;
}

static struct riscv_walk walk_of(const struct model_riscv *riscv, const struct riscv_dc *dc)
{
	return (struct riscv_walk){ &riscv->features, riscv->iommu.options.memory, dc, true };
}

/* Out of the cache, or of memory. What has no process is not kept. */
static bool find_first(struct model_riscv *riscv, const struct riscv_dc *dc,
		       const struct access *access, struct riscv_first *first,
		       struct riscv_result *result)
{
	const struct riscv_walk walk = walk_of(riscv, dc);
	uint32_t number = access->pasid == IOPF_PASID_NONE ? 0 : access->pasid;
	const struct riscv_first *line = cache_process(&riscv->cache, access->rid, number);
	bool none = access->pasid == IOPF_PASID_NONE && !says(dc, RISCV_DC_DPE);

	if (line != NULL && !none && (line->ens || (access->perm & IOPF_PRIV) == 0)) {
		*first = *line;
		return true;
	}
	if (!riscv_first(&walk, access->pasid, access->perm, first, result))
		return false;
	if (first->process != IOPF_PASID_NONE)
		cache_add_process(&riscv->cache, access->rid, first->process, 0, first);
	return true;
}

static struct cache_tag tag_of(const struct riscv_dc *dc, const struct riscv_first *first)
{
	bool has_first = first != NULL && first->mode != RISCV_BARE;
	bool has_second = dc->word[1] >> 60 != RISCV_BARE;

	return (struct cache_tag){ .domain = has_second ? (uint16_t)(dc->word[1] >> 44) : 0,
				   .number = has_first ? first->pscid : 0,
				   .stages = (uint8_t)((has_first ? CACHE_FIRST : 0) |
						       (has_second ? CACHE_SECOND : 0)) };
}

/* Out of the cache, or of the tables; no more is remembered than was asked for. */
static bool walk_through(struct model_riscv *riscv, const struct riscv_dc *dc,
			 const struct riscv_first *first, const struct access *access,
			 struct riscv_result *result)
{
	const struct riscv_walk walk = walk_of(riscv, dc);
	const struct cache_tag tag = tag_of(dc, first);
	const struct cache_line *line =
		cache_translation(&riscv->cache, &tag, access->addr, access->perm);
	struct cache_line made;

	if (line != NULL) {
		*result = (struct riscv_result){ .addr = line->addr + (access->addr - line->base),
						 .gpa = line->between + (access->addr - line->base),
						 .size_bytes = line->size_bytes,
						 .perm = line->perm };
		return true;
	}
	if (!riscv_translate(&walk, first, access->addr, access->perm, result))
		return false;
	made = (struct cache_line){ .addr = result->addr & ~(result->size_bytes - 1),
				    .between = result->gpa & ~(result->size_bytes - 1),
				    .base = access->addr & ~(result->size_bytes - 1),
				    .size_bytes = result->size_bytes,
				    .tag = tag,
				    .perm = access->perm };
	if (tag.stages != 0)
		cache_add_translation(&riscv->cache, access->addr, &made);
	return true;
}

/* ---- ATS translation requests -------------------------------------------------------------- */

/* What is broken aborts, what is not allowed is unsupported; what may become present is a
 * success without rights, and nothing to record. */
static enum model_status status_of(unsigned cause)
{
	switch (cause) {
	case IOPF_RISCV_off:
	case IOPF_RISCV_ddt_access:
	case IOPF_RISCV_ddt_invalid:
	case IOPF_RISCV_ddt_misconfigured:
	case IOPF_RISCV_disallowed:
		return MODEL_UR;
	case IOPF_RISCV_exec_access:
	case IOPF_RISCV_read_access:
	case IOPF_RISCV_write_access:
	case IOPF_RISCV_pdt_access:
	case IOPF_RISCV_pdt_misconfigured:
		return MODEL_CA;
	default:
		return MODEL_SUCCESS;
	}
}

/* What DTF does not hide. */
static bool always_told(unsigned cause)
{
	return cause >= IOPF_RISCV_off && cause <= IOPF_RISCV_ddt_misconfigured;
}

/* What is left to ask for when rights, or marks, are missing on the page itself; 0: nothing.
 * Execution is granted together with reading only. */
static uint8_t less(const struct riscv_result *result, uint8_t perm)
{
	const uint8_t rights = IOPF_READ | IOPF_WRITE | IOPF_EXEC;
	uint8_t missing = (uint8_t)(result->first.missing | result->second.missing);

	if (result->implicit || (missing & IOPF_PRIV) != 0)
		return 0;
	if (result->fault == TABLE_ACCESS && (perm & IOPF_WRITE) != 0)
		missing = IOPF_WRITE; /* read, though not to be written yet */
	else if (result->fault != TABLE_PERMISSION)
		return 0;
	perm &= (uint8_t)~missing;
	if ((perm & IOPF_READ) == 0)
		perm &= (uint8_t)~IOPF_EXEC;
	return (perm & rights) != 0 ? perm : 0;
}

/* Walk for as much as is granted; 0, with the cause in @result: nothing. */
static uint8_t grant(struct model_riscv *riscv, const struct riscv_dc *dc,
		     const struct riscv_first *first, const struct access *from,
		     struct riscv_result *result)
{
	struct access access = *from;

	while (!walk_through(riscv, dc, first, &access, result)) {
		access.perm = less(result, access.perm);
		if (access.perm == 0)
			return 0;
	}
	return access.perm;
}

static unsigned translate(struct model_riscv *riscv, const struct access *access,
			  struct riscv_dc *dc, struct riscv_result *result, uint8_t *perm)
{
	struct riscv_first first;
	unsigned cause = find_dc(riscv, access->rid, dc);

	if (cause == 0 && !says(dc, RISCV_DC_EN_ATS))
		cause = IOPF_RISCV_disallowed;
	if (cause == 0 && !find_first(riscv, dc, access, &first, result))
		cause = result->cause;
	if (cause == 0)
		*perm = grant(riscv, dc, &first, access, result);
	return cause != 0 || *perm != 0 ? cause : result->cause;
}

static enum model_status upstream_translate(void *context,
					    const struct model_translation_request *from,
					    struct model_translation *translation)
{
	struct model_riscv *riscv = context;
	const struct access access = { from->addr, from->rid, from->pasid, from->perm,
				       TRANSLATION_REQUEST };
	struct riscv_result result = { .cause = 0 };
	struct riscv_dc dc;
	uint8_t perm = 0;
	unsigned cause = translate(riscv, &access, &dc, &result, &perm);
	enum model_status status = status_of(cause);

	riscv->iommu.stats.translations++;
	if (cause != 0 && status != MODEL_SUCCESS) {
		riscv->iommu.stats.refused++;
		record(riscv, &access, cause, &result,
		       says(&dc, RISCV_DC_DTF) && !always_told(cause));
		return status;
	}
	riscv->iommu.stats.granted += perm != 0;
	*translation = (struct model_translation){ .size_bytes = TABLE_PAGE_BYTES };
	if (perm != 0)
		*translation = (struct model_translation){
			.addr = (says(&dc, RISCV_DC_T2GPA) ? result.gpa : result.addr) &
				~(result.size_bytes - 1),
			.size_bytes = result.size_bytes,
			.perm = perm,
		};
	return MODEL_SUCCESS;
}

/* ---- Accesses ------------------------------------------------------------------------------ */

/* Steps 8 and 9: a translated address is the end of it, or a guest's. */
static unsigned let_through(struct model_riscv *riscv, struct access *access,
			    struct riscv_dc *dc, struct riscv_result *result)
{
	unsigned cause = find_dc(riscv, access->rid, dc);

	if (cause == 0 && !says(dc, RISCV_DC_EN_ATS))
		cause = IOPF_RISCV_disallowed;
	if (cause != 0 || !says(dc, RISCV_DC_T2GPA))
		return cause;
	if (!walk_through(riscv, dc, NULL, access, result))
		return result->cause;
	access->addr = result->addr;
	return 0;
}

static enum model_status upstream_access(void *context, uint32_t rid, uint64_t addr,
					 void *buffer, uint32_t size_bytes, bool write)
{
	struct model_riscv *riscv = context;
	struct access access = { addr, rid, IOPF_PASID_NONE, write ? IOPF_WRITE : IOPF_READ,
				 TRANSLATED };
	struct riscv_result result = { .cause = 0 };
	struct riscv_dc dc;
	unsigned cause = let_through(riscv, &access, &dc, &result);

	riscv->iommu.stats.accesses++;
	if (cause == 0 &&
	    iommu_reach(&riscv->iommu, access.addr, buffer, size_bytes, write))
		return MODEL_SUCCESS;
	riscv->iommu.stats.refused_accesses++;
	if (cause != 0)
		record(riscv, &access, cause, &result,
		       says(&dc, RISCV_DC_DTF) && !always_told(cause));
	return MODEL_UR;
}

static unsigned untranslated(struct model_riscv *riscv, const struct access *access,
			     struct riscv_dc *dc, struct riscv_result *result)
{
	struct riscv_first first;
	unsigned cause;

	if (iopf_hardware_root_config(riscv->iommu.hardware) == RISCV_MODE_BARE) {
		result->addr = access->addr;
		return 0;
	}
	cause = find_dc(riscv, access->rid, dc);
	if (cause != 0)
		return cause;
	return find_first(riscv, dc, access, &first, result) &&
			       walk_through(riscv, dc, &first, access, result) ?
		       0 :
		       result->cause;
}

static int upstream_transact(void *context, const struct model_transaction *transaction)
{
	struct model_riscv *riscv = context;
	const struct access access = { transaction->addr, transaction->rid, transaction->pasid,
				       transaction->perm, UNTRANSLATED };
	struct riscv_result result = { .cause = 0 };
	struct riscv_dc dc = { { 0 } };
	unsigned cause = untranslated(riscv, &access, &dc, &result);

	riscv->iommu.stats.transactions++;
	if (cause == 0 && (transaction->size_bytes == 0 ||
			   iommu_reach(&riscv->iommu, result.addr, transaction->buffer,
				       transaction->size_bytes,
				       (transaction->perm & IOPF_WRITE) != 0)))
		return 0;
	riscv->iommu.stats.aborted++;
	if (cause != 0)
		record(riscv, &access, cause, &result,
		       says(&dc, RISCV_DC_DTF) && !always_told(cause));
	return -EFAULT;
}

/* ---- Page requests ------------------------------------------------------------------------- */

/* What is not the last of its group, and a marker, get no response. A failure has the PASID
 * that the request had; others where the context says that responses have one, which is not
 * so where there is none. */
static void respond_self(struct model_riscv *riscv, const struct riscv_dc *dc,
			 const struct iopf_request *request, enum iopf_code code)
{
	bool pasid = code == IOPF_FAILURE || says(dc, RISCV_DC_PRPR);

	if ((request->flags & (IOPF_LAST | IOPF_STOP)) == IOPF_LAST)
		iommu_respond(&riscv->iommu, request->rid,
			      pasid ? request->pasid : IOPF_PASID_NONE, request->index, code);
}

/* 0, or the cause for which it is not let in; recorded for any message, though not for each
 * is there a response. Only the device's context is asked. */
static unsigned let_in(struct model_riscv *riscv, const struct iopf_request *request,
		       struct riscv_dc *dc)
{
	const struct access access = { 0, request->rid, request->pasid, request->perm, MESSAGE };
	unsigned cause = find_dc(riscv, request->rid, dc);

	if (cause == 0 && !says(dc, RISCV_DC_EN_PRI))
		cause = IOPF_RISCV_disallowed;
	if (cause == 0)
		return 0;
	riscv->iommu.stats.refused_requests++;
	record(riscv, &access, cause, NULL, says(dc, RISCV_DC_DTF));
	return cause;
}

static void upstream_page_request(void *context, uint32_t rid, uint32_t pasid, uint8_t perm,
				  uint64_t payload)
{
	struct model_riscv *riscv = context;
	struct iopf_request request;
	struct riscv_dc dc;
	unsigned cause;
	int posted;

	riscv->iommu.stats.requests++;
	if (iopf_pcie_decode_request(payload, rid, pasid, perm, &request) != 0) {
		riscv->iommu.stats.bad_messages++;
		return;
	}
	cause = let_in(riscv, &request, &dc);
	if (cause != 0) {
		respond_self(riscv, &dc, &request,
			     cause == IOPF_RISCV_disallowed ? IOPF_INVALID : IOPF_FAILURE);
		return;
	}
	posted = iopf_hardware_post(riscv->iommu.hardware, &request);
	if (posted == IOPF_POSTED_SUCCESS) {
		riscv->iommu.stats.auto_success++;
		respond_self(riscv, &dc, &request, IOPF_SUCCESS);
	} else if (posted == IOPF_POSTED_FAILURE || posted < 0) {
		riscv->iommu.stats.unqueued++;
		respond_self(riscv, &dc, &request, IOPF_FAILURE);
	}
}

static const struct model_upstream riscv_upstream = {
	.translate = upstream_translate,
	.page_request = upstream_page_request,
	.access = upstream_access,
	.transact = upstream_transact,
	.interrupt = iommu_pass_interrupt,
};

/* ---- Life ---------------------------------------------------------------------------------- */

static int riscv_create(struct model_iommu *iommu, struct iopf_hardware_options *hardware)
{
	const struct model_iommu_options *options = &iommu->options;
	const struct cache_options lines = { .entries = options->context_lines,
					     .processes = options->pasid_lines,
					     .translations = options->translation_lines,
					     .entry_bytes = sizeof(struct riscv_dc),
					     .process_bytes = sizeof(struct riscv_first),
					     .rules = cache_rules };
	struct model_riscv *riscv = riscv_of(iommu);
	int error = options->rid_bits > 24 ? -EINVAL : cache_create(&riscv->cache, &lines);

	if (error == 0)
		error = riscv_capabilities(options->features, options->pasid_bits,
					   options->address_bits, &hardware->cap);
	riscv->features.capabilities = hardware->cap;
	return error;
}

static void riscv_destroy(struct model_iommu *iommu)
{
	cache_destroy(&riscv_of(iommu)->cache);
}

static void riscv_count(const struct model_iommu *iommu, struct model_iommu_stats *stats)
{
	const struct model_riscv *riscv = (const struct model_riscv *)iommu;

	stats->hits = riscv->cache.hits;
	stats->misses = riscv->cache.misses;
}

const struct iommu_family iommu_family_riscv = {
	.name = "riscv",
	.wire = &iopf_wire_riscv,
	.ops = &hardware_ops,
	.features = RISCV_PHYSICAL,
	.size_bytes = sizeof(struct model_riscv),
	.create = riscv_create,
	.destroy = riscv_destroy,
	.upstream = &riscv_upstream,
	.count = riscv_count,
};
