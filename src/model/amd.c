/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/amd.c - an AMD IOMMU: what software sees, and what functions send.
 *
 * 48882, 2.2 "Data Structures", 2.4 "Commands", 2.5 "Event Logging", 2.6 "PPR Logging".
 * Entries that keep everything out are not remembered.
 */
#include <errno.h>

#include "model/cache.h"
#include "model/iommu_state.h"
#include "table/amd.h"

struct model_amd {
	struct model_iommu iommu; /* first */
	struct amd_features features;
	struct cache cache;
};

static struct model_amd *amd_of(struct model_iommu *iommu)
{
	return (struct model_amd *)iommu;
}

/* ---- What is forgotten ------------------------------------------------------------- */

#define NAMED_DOMAIN (CACHE_LINES | CACHE_BY_DOMAIN)
#define NAMED_PASID  (NAMED_DOMAIN | CACHE_BY_PASID)

/* 2.4.2, 2.4.3, 2.4.8. The entry of a PASID goes with all that came through it, where more
 * than the last level has changed (PDE). */
static const struct cache_rule cache_rules[] = {
	{ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
	  .granularities = 1 << IOPF_DEVICE,
	  .entries = CACHE_LINES | CACHE_BY_RID },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_ALL,
	  .entries = CACHE_LINES,
	  .processes = CACHE_LINES,
	  .translations = CACHE_LINES },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_DOMAIN,
	  .translations = NAMED_DOMAIN },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_DOMAIN,
	  .hints = IOPF_HINT_LEAF,
	  .processes = NAMED_DOMAIN },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_ONE_PASID,
	  .translations = NAMED_PASID | CACHE_HAS_FIRST },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_ONE_PASID,
	  .hints = IOPF_HINT_LEAF,
	  .processes = NAMED_PASID },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_PAGE,
	  .pasid = CACHE_PASID_GIVEN,
	  .translations = NAMED_PASID | CACHE_HAS_FIRST | CACHE_BY_RANGE },
	/* Pages of host tables: what came through them by guest tables goes as a whole. */
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_PAGE,
	  .pasid = CACHE_PASID_NONE,
	  .translations = NAMED_DOMAIN | CACHE_NO_FIRST | CACHE_BY_RANGE },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_PAGE,
	  .pasid = CACHE_PASID_NONE,
	  .translations = NAMED_DOMAIN | CACHE_HAS_FIRST },
	{ .kind = IOPF_COMMAND_NONE },
};

static int do_cache(struct model_iommu *iommu, const struct iopf_command *command)
{
	cache_invalidate(&amd_of(iommu)->cache, command);
	return 0;
}

/* What came before a wait is in the log: functions post straight into it. */
static int hardware_command(void *context, const struct iopf_command *command)
{
	static int (*const doers[IOPF_COMMAND_KIND_COUNT])(
		struct model_iommu * iommu, const struct iopf_command *command) = {
		[IOPF_COMMAND_RESPONSE] = iommu_do_response,
		[IOPF_COMMAND_INVALIDATE_CONTEXT] = do_cache,
		[IOPF_COMMAND_INVALIDATE_IOTLB] = do_cache,
		[IOPF_COMMAND_INVALIDATE_DEVICE] = iommu_do_device,
		[IOPF_COMMAND_WAIT] = iommu_do_nothing,
		[IOPF_COMMAND_OTHER] = iommu_do_nothing,
	};

	return doers[command->kind] != NULL ? doers[command->kind](context, command) :
					      -EOPNOTSUPP;
}

/* Neither forgets anything by itself. */
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

/* ---- Events ------------------------------------------------------------------------ */

/* What a function sent, as the IOMMU looks at it. */
struct amd_request {
	uint64_t addr;
	uint32_t rid, pasid;
	uint8_t perm;
	bool translation; /* ATS; otherwise a translated access */
};

/* What a search for an address space has come to. */
struct amd_found {
	struct amd_dte dte;
	uint32_t number; /* what the GCR3 table is asked for; UINT32_MAX: nothing */
	uint64_t cr3;    /* UINT64_MAX: the host table alone */
	uint64_t at;     /* a structure that cannot be read */
};

/* TYPE: of INVALID_DEVICE_REQUEST (2.5.9), I is 0 in the entry, or V; of hardware errors
 * (2.5.4, 2.5.5). */
enum { TYPE_NOT_ALLOWED = 1, TYPE_MASTER_ABORT = 1 };

/* An event of @request; what its kind does not have is left out. */
static void record(const struct model_amd *amd, const struct amd_request *request,
		   enum amd_event event, uint64_t at)
{
	static const struct {
		uint16_t flags;
		bool directed; /* read or write */
		bool pasid;
		bool rights; /* with a PASID: execute, privileged */
	} kinds[] = {
		[AMD_EVENT_ILLEGAL_DTE] = { IOPF_AMD_RZ, true, true, false },
		[AMD_EVENT_PAGE_FAULT] = { IOPF_AMD_RZ | IOPF_AMD_PR, true, true, true },
		[AMD_EVENT_DEVICE_TABLE] = { TYPE_MASTER_ABORT * IOPF_AMD_TYPE, true,
					     false, false },
		[AMD_EVENT_PAGE_TABLE] = { TYPE_MASTER_ABORT * IOPF_AMD_TYPE, true, true,
					   false },
		[AMD_EVENT_REQUEST] = { TYPE_NOT_ALLOWED * IOPF_AMD_TYPE, false, true,
					false },
	};
	bool pasid = kinds[event].pasid && request->pasid != IOPF_PASID_NONE;
	uint8_t way = request->perm & IOPF_WRITE ? IOPF_WRITE : IOPF_READ;
	uint8_t rights = request->perm & (IOPF_EXEC | IOPF_PRIV);
	const struct iopf_fault fault = {
		.addr = request->addr,
		.gpa = at,
		.rid = request->rid,
		.pasid = pasid ? request->pasid : IOPF_PASID_NONE,
		.perm = (uint8_t)((kinds[event].directed ? way : 0) |
				  (pasid && kinds[event].rights ? rights : 0)),
		.reason = IOPF_AMD_REASON(event, kinds[event].flags),
		.request = request->translation,
	};

	iopf_hardware_fault(amd->iommu.hardware, &fault);
}

/*
 * How a request that found nothing completes: what software broke is a completer abort, what it
 * did not allow is unsupported, and what may become present is a success without rights,
 * after which a function may ask for the page. Only the first two are recorded.
 */
static enum model_status failed(const struct model_amd *amd,
				const struct amd_request *request, enum amd_event event,
				uint64_t at)
{
	static const uint8_t statuses[] = {
		[AMD_EVENT_ILLEGAL_DTE] = MODEL_CA,
		[AMD_EVENT_PAGE_FAULT] = MODEL_SUCCESS,
		[AMD_EVENT_DEVICE_TABLE] = MODEL_CA,
		[AMD_EVENT_PAGE_TABLE] = MODEL_CA,
		[AMD_EVENT_REQUEST] = MODEL_UR,
	};

	if (statuses[event] != MODEL_SUCCESS)
		record(amd, request, event, at);
	return (enum model_status)statuses[event];
}

/* ---- Finding an address space ------------------------------------------------------ */

/* Out of the cache, or of memory. */
static enum amd_event find_dte(struct model_amd *amd, uint32_t rid,
			       struct amd_found *found)
{
	const struct iopf_hardware *hardware = amd->iommu.hardware;
	const struct amd_dte *line = cache_entry(&amd->cache, rid);
	uint64_t root = iopf_hardware_root(hardware);
	enum amd_event event;

	*found = (struct amd_found){ .number = UINT32_MAX, .cr3 = UINT64_MAX };
	if (line != NULL) {
		found->dte = *line;
		return AMD_EVENT_NONE;
	}
	found->at = (root & AMD_TABLE_ADDR) + (uint64_t)rid * AMD_DTE_BYTES;
	event = amd_find_dte(amd->iommu.options.memory, &amd->features, root,
			     iopf_hardware_root_config(hardware), rid, &found->dte);
	if (event == AMD_EVENT_NONE)
		cache_add_entry(&amd->cache, rid, &found->dte);
	return event;
}

/* Only an entry with I lets in what functions have from their own caches, or want there
 * (2.2.2.1, "IOTLB enable"). */
static enum amd_event find_open(struct model_amd *amd, uint32_t rid,
				struct amd_found *found)
{
	enum amd_event event = find_dte(amd, rid, found);

	return event == AMD_EVENT_NONE && !found->dte.ats ? AMD_EVENT_REQUEST : event;
}

static enum amd_event find_gcr3(struct model_amd *amd, uint32_t rid,
				struct amd_found *found)
{
	const uint64_t *line = cache_process(&amd->cache, rid, found->number);
	enum amd_event event;
	uint32_t last;

	if (line != NULL) {
		found->cr3 = *line;
		return AMD_EVENT_NONE;
	}
	found->at = found->dte.gcr3.root;
	event = amd_find_gcr3(amd->iommu.options.memory, &found->dte, found->number,
			      &found->cr3, &last);
	if (event == AMD_EVENT_NONE)
		cache_add_process(&amd->cache, rid, found->number, found->dte.domain,
				  &found->cr3);
	return event;
}

static enum amd_event find_space(struct model_amd *amd, const struct amd_request *request,
				 struct amd_found *found)
{
	enum amd_event event = find_open(amd, request->rid, found);

	if (event == AMD_EVENT_NONE)
		event = amd_find_number(&amd->features, &found->dte, request->pasid,
					&found->number);
	if (event == AMD_EVENT_NONE && found->number != UINT32_MAX)
		event = find_gcr3(amd, request->rid, found);
	return event;
}

static struct cache_tag tag_of(const struct amd_found *found)
{
	bool guest = found->number != UINT32_MAX;

	return (struct cache_tag){
		.domain = found->dte.domain,
		.number = guest ? found->number : 0,
		.stages = (uint8_t)((guest ? CACHE_FIRST : 0) |
				    (found->dte.mode != 0 ? CACHE_SECOND : 0)),
	};
}

/* ---- ATS translation requests ------------------------------------------------------ */

/* What is missing when less is wanted: a page may be read-only, or data. 0: all. */
static uint8_t less(const struct nested_result *result, uint8_t perm)
{
	uint8_t missing = (uint8_t)(result->first.missing | result->second.missing);

	if (result->fault != TABLE_PERMISSION || result->table_page)
		return 0;
	missing &= (uint8_t)(perm & (IOPF_WRITE | IOPF_EXEC));
	return missing != 0 ? (uint8_t)(perm & ~missing) : 0;
}

static uint64_t broken_at(const struct nested_result *result)
{
	return result->stage == NESTED_STAGE_FIRST ? result->first.entry_addr :
						     result->second.entry_addr;
}

/* Walk for as much as the tables grant; marks are set for that. An entry may keep page faults,
 * and nothing else, out of the log (SE, SA). */
static enum model_status walk(struct model_amd *amd, const struct amd_request *request,
			      const struct amd_found *found, struct cache_line *line)
{
	const struct nested_tables tables =
		amd_tables(&amd->features, &found->dte, found->cr3);
	uint8_t perm = (uint8_t)(request->perm & ~tables.withheld);
	struct nested_result result = { .fault = TABLE_PERMISSION };

	while ((perm & (IOPF_READ | IOPF_WRITE)) != 0 &&
	       !nested_walk(&tables, amd->iommu.options.memory, request->addr, perm, true,
			    &result))
		perm = less(&result, perm);
	if ((perm & (IOPF_READ | IOPF_WRITE)) == 0 && result.fault == TABLE_RESERVED) {
		if (!found->dte.quiet)
			record(amd, request, AMD_EVENT_PAGE_FAULT, 0);
		return MODEL_CA;
	}
	if ((perm & (IOPF_READ | IOPF_WRITE)) == 0)
		return failed(amd, request, amd_event_of(&result), broken_at(&result));
	*line = (struct cache_line){ .addr = result.addr & ~(result.size_bytes - 1),
				     .base = request->addr & ~(result.size_bytes - 1),
				     .size_bytes = result.size_bytes,
				     .tag = tag_of(found),
				     .perm = perm };
	cache_add_translation(&amd->cache, request->addr, line);
	return MODEL_SUCCESS;
}

static enum model_status translate(struct model_amd *amd,
				   const struct amd_request *request,
				   struct cache_line *line)
{
	const struct cache_line *hit;
	struct amd_found found;
	struct cache_tag tag;
	enum amd_event event = find_space(amd, request, &found);

	if (event != AMD_EVENT_NONE)
		return failed(amd, request, event, found.at);
	tag = tag_of(&found);
	hit = cache_translation(&amd->cache, &tag, request->addr, request->perm);
	if (hit == NULL)
		return walk(amd, request, &found, line);
	*line = *hit;
	return MODEL_SUCCESS;
}

static enum model_status upstream_translate(void *context,
					    const struct model_translation_request *from,
					    struct model_translation *translation)
{
	struct model_amd *amd = context;
	const struct amd_request request = { .addr = from->addr,
					     .rid = from->rid,
					     .pasid = from->pasid,
					     .perm = from->perm,
					     .translation = true };
	struct cache_line line = { .size_bytes = TABLE_PAGE_BYTES };
	enum model_status status = MODEL_UR;

	if (iopf_hardware_translates(amd->iommu.hardware))
		status = translate(amd, &request, &line);
	amd->iommu.stats.translations++;
	amd->iommu.stats.refused += status != MODEL_SUCCESS;
	if (status != MODEL_SUCCESS)
		return status;
	amd->iommu.stats.granted += line.perm != 0;
	*translation = (struct model_translation){ .addr = line.addr,
						   .size_bytes = line.size_bytes,
						   .perm = line.perm & from->perm };
	return MODEL_SUCCESS;
}

/* ---- Accesses ---------------------------------------------------------------------- */

/* Let in by the entry, then believed. */
static enum model_status upstream_access(void *context, uint32_t rid, uint64_t addr,
					 void *buffer, uint32_t size_bytes, bool write)
{
	struct model_amd *amd = context;
	const struct amd_request request = { .addr = addr,
					     .rid = rid,
					     .pasid = IOPF_PASID_NONE,
					     .perm = write ? IOPF_WRITE : IOPF_READ };
	bool on = iopf_hardware_translates(amd->iommu.hardware);
	enum amd_event event = AMD_EVENT_REQUEST;
	struct amd_found found;

	amd->iommu.stats.accesses++;
	if (on)
		event = find_open(amd, rid, &found);
	if (event == AMD_EVENT_NONE &&
	    iommu_reach(&amd->iommu, addr, buffer, size_bytes, write))
		return MODEL_SUCCESS;
	amd->iommu.stats.refused_accesses++;
	if (on && event != AMD_EVENT_NONE)
		record(amd, &request, event, found.at);
	return MODEL_UR;
}

/* Only functions stand behind a root port, and they ask before they access. */
static int upstream_transact(void *context, const struct model_transaction *transaction)
{
	struct model_amd *amd = context;

	(void)transaction;
	amd->iommu.stats.transactions++;
	amd->iommu.stats.aborted++;
	return -EFAULT;
}

/* ---- Page requests ------------------------------------------------------------------ */

/* A page request, and what its device table entry says. */
struct amd_page_request {
	struct iopf_request request;
	bool pri; /* the entry lets it in */
	bool response_pasid;
};

/* Hardware itself answers; a request that is not the last has no answer. Whether it
 * carries the PASID is software's to say (GPRP). */
static void respond_self(struct model_amd *amd, const struct amd_page_request *page,
			 enum iopf_code code)
{
	const struct iopf_request *request = &page->request;
	uint32_t pasid = page->response_pasid ? request->pasid : IOPF_PASID_NONE;

	if ((request->flags & (IOPF_LAST | IOPF_STOP)) == IOPF_LAST)
		iommu_respond(&amd->iommu, request->rid, pasid, request->index, code);
}

/* 2.5.10 "INVALID_PPR_REQUEST". All that is refused here is answered here. */
static void refuse(struct model_amd *amd, const struct amd_page_request *page)
{
	const struct iopf_request *request = &page->request;
	const struct iopf_fault fault = {
		.addr = request->addr,
		.rid = request->rid,
		.pasid = request->pasid,
		.index = request->index,
		.perm = request->perm,
		.last = (request->flags & (IOPF_LAST | IOPF_STOP)) != 0,
		.request = true,
		.reason = IOPF_AMD_REASON(IOPF_AMD_INVALID_PPR_REQUEST, 0),
	};

	iopf_hardware_fault(amd->iommu.hardware, &fault);
	respond_self(amd, page, IOPF_FAILURE);
}

/* What was looked up before the page comes must not be found after. */
static void look_up(struct model_amd *amd, struct amd_page_request *page)
{
	const struct iopf_request *request = &page->request;
	struct amd_found found;

	page->response_pasid = true; /* nothing says otherwise */
	if (!iopf_hardware_translates(amd->iommu.hardware) ||
	    find_dte(amd, request->rid, &found) != AMD_EVENT_NONE)
		return;
	page->pri = found.dte.pri;
	page->response_pasid = found.dte.response_pasid;
	if (amd_find_number(&amd->features, &found.dte, request->pasid, &found.number) ==
	    AMD_EVENT_NONE)
		cache_forget_page(&amd->cache, tag_of(&found).number, request->addr);
}

static void upstream_page_request(void *context, uint32_t rid, uint32_t pasid,
				  uint8_t perm, uint64_t payload)
{
	/* Of those that found no room, if software has asked for that. */
	static const uint8_t codes[] = { [IOPF_POSTED_SUCCESS] = IOPF_SUCCESS,
					 [IOPF_POSTED_INVALID] = IOPF_INVALID,
					 [IOPF_POSTED_FAILURE] = IOPF_FAILURE };
	struct model_amd *amd = context;
	struct amd_page_request page = { .pri = false };
	int posted;

	amd->iommu.stats.requests++;
	if (iopf_pcie_decode_request(payload, rid, pasid, perm, &page.request) != 0) {
		amd->iommu.stats.bad_messages++;
		return;
	}
	look_up(amd, &page);
	if (!page.pri) {
		amd->iommu.stats.refused_requests++;
		refuse(amd, &page);
		return;
	}
	posted = iopf_hardware_post(amd->iommu.hardware, &page.request);
	if (posted < 0) {
		amd->iommu.stats.unqueued++;
		refuse(amd, &page);
	} else if (posted != IOPF_POSTED && posted != IOPF_POSTED_NOTHING) {
		amd->iommu.stats.auto_success += posted == IOPF_POSTED_SUCCESS;
		respond_self(amd, &page, (enum iopf_code)codes[posted]);
	}
}

static const struct model_upstream upstream = {
	.translate = upstream_translate,
	.page_request = upstream_page_request,
	.access = upstream_access,
	.transact = upstream_transact,
	.interrupt = iommu_pass_interrupt,
};

/* ---- Life -------------------------------------------------------------------------- */

static int amd_create(struct model_iommu *iommu, struct iopf_hardware_options *hardware)
{
	const struct model_iommu_options *options = &iommu->options;
	const struct cache_options lines = {
		.entries = options->context_lines,
		.processes = options->pasid_lines,
		.translations = options->translation_lines,
		.entry_bytes = sizeof(struct amd_dte),
		.process_bytes = sizeof(uint64_t),
		.rules = cache_rules,
	};
	struct model_amd *amd = amd_of(iommu);
	int error;

	if (options->rid_bits != 16)
		return -EINVAL;
	error = cache_create(&amd->cache, &lines);
	if (error == 0)
		error = iopf_amd_extended(options->features, options->pasid_bits,
					  &hardware->cap);
	if (error != 0)
		return error;
	hardware->quirks = options->quirks;
	amd->features = amd_features_of(hardware->cap, options->address_bits);
	return 0;
}

static void amd_destroy(struct model_iommu *iommu)
{
	cache_destroy(&amd_of(iommu)->cache);
}

static void amd_count(const struct model_iommu *iommu, struct model_iommu_stats *stats)
{
	const struct model_amd *amd = (const struct model_amd *)iommu;

	stats->hits = amd->cache.hits;
	stats->misses = amd->cache.misses;
}

const struct iommu_family iommu_family_amd = {
	.name = "amd",
	.wire = &iopf_wire_amd,
	.ops = &hardware_ops,
	.features = IOPF_AMD_PHYSICAL,
	.size_bytes = sizeof(struct model_amd),
	.create = amd_create,
	.destroy = amd_destroy,
	.upstream = &upstream,
	.count = amd_count,
};
