/* SPDX-License-Identifier: BSD-3-Clause */
/* model/vtd_request.c - what functions send up to the VT-d model. */
#include <errno.h>

#include "model/vtd_state.h"

#define PAGE_MASK UINT64_C(0xfff)

/* ---- Finding an address space ---------------------------------------------------------- */

static struct table_space space_of(const struct model_vtd *vtd)
{
	return (struct table_space){ .memory = vtd->iommu.options.memory };
}

static uint64_t root_of(const struct model_vtd *vtd)
{
	return iopf_hardware_root(vtd->iommu.hardware) & ~PAGE_MASK;
}

/* Out of the context cache, or of memory. */
static enum vtd_reason find_context(struct model_vtd *vtd,
				    const struct vtd_request *request,
				    struct vtd_found *found)
{
	const struct vtd_context_line *line = cache_entry(&vtd->cache, request->rid);
	const struct table_space space = space_of(vtd);
	struct vtd_context_line made;
	enum vtd_reason reason;

	if (request->pasid != IOPF_PASID_NONE &&
	    request->pasid >> vtd->iommu.options.pasid_bits != 0) {
		*found = (struct vtd_found){ .perm = request->perm };
		return VTD_REASON_PASID_TOO_LARGE;
	}
	if (line != NULL) {
		*found = (struct vtd_found){ .context = line->context,
					     .perm = request->perm,
					     .quiet = line->quiet };
		return vtd_context_admits(&line->context, request);
	}
	reason = vtd_find_context(&space, &vtd->features, root_of(vtd), request, found);
	if (reason != VTD_REASON_NONE)
		return reason;
	made = (struct vtd_context_line){ .context = found->context,
					  .quiet = found->quiet };
	cache_add_entry(&vtd->cache, request->rid, &made);
	return VTD_REASON_NONE;
}

static enum vtd_reason find_pasid(struct model_vtd *vtd, uint32_t rid,
				  struct vtd_found *found)
{
	const struct vtd_pasid_line *line =
		cache_process(&vtd->cache, rid, found->number);
	const struct table_space space = space_of(vtd);
	struct vtd_pasid_line made;
	enum vtd_reason reason;

	if (line != NULL) {
		found->pasid = line->pasid;
		found->quiet |= line->quiet;
		return vtd_pasid_admits(&line->pasid, found->perm);
	}
	reason = vtd_find_pasid(&space, &vtd->features, found);
	if (reason != VTD_REASON_NONE)
		return reason;
	made = (struct vtd_pasid_line){ .pasid = found->pasid, .quiet = found->quiet };
	cache_add_process(&vtd->cache, rid, found->number, found->pasid.domain, &made);
	return VTD_REASON_NONE;
}

static void record_fault(struct model_vtd *vtd, const struct vtd_request *request,
			 const struct vtd_found *found, uint64_t addr,
			 enum vtd_reason reason)
{
	const struct iopf_fault fault = {
		.addr = addr,
		.rid = request->rid,
		.pasid = request->pasid,
		.perm = request->perm,
		.reason = (uint8_t)reason,
		.request = request->kind == VTD_PAGE_REQUEST,
	};

	if (!found->quiet)
		iopf_hardware_fault(vtd->iommu.hardware, &fault);
}

/* ---- ATS translation requests ------------------------------------------------------------ */

/*
 * How a translation request completes (VT-d, "Fault Conditions and Remapping Hardware
 * Behavior for Scalable-Mode Address Translation"): what software broke is a completer
 * abort, what it did not allow is unsupported, and what may become present is a success
 * without rights, after which a function may ask for the page. Only the first two are
 * faults to record.
 */
static enum model_status status_of(enum vtd_reason reason)
{
	static const uint8_t statuses[256] = {
		[VTD_REASON_ROOT_ACCESS] = MODEL_CA,
		[VTD_REASON_ROOT_NOT_PRESENT] = MODEL_UR,
		[VTD_REASON_ROOT_RESERVED] = MODEL_CA,
		[VTD_REASON_CONTEXT_ACCESS] = MODEL_CA,
		[VTD_REASON_CONTEXT_NOT_PRESENT] = MODEL_UR,
		[VTD_REASON_CONTEXT_RESERVED] = MODEL_CA,
		[VTD_REASON_CONTEXT_INVALID] = MODEL_CA,
		[VTD_REASON_DTE_CLEAR] = MODEL_UR,
		[VTD_REASON_PASIDE_CLEAR] = MODEL_UR,
		[VTD_REASON_PASID_TOO_LARGE] = MODEL_UR,
		[VTD_REASON_RID_PASID] = MODEL_CA,
		[VTD_REASON_DIR_ACCESS] = MODEL_CA,
		[VTD_REASON_DIR_RESERVED] = MODEL_CA,
		[VTD_REASON_PASID_ACCESS] = MODEL_CA,
		[VTD_REASON_PASID_RESERVED] = MODEL_CA,
		[VTD_REASON_PASID_INVALID] = MODEL_CA,
		[VTD_REASON_FIRST_ACCESS] = MODEL_CA,
		[VTD_REASON_FIRST_RESERVED] = MODEL_CA,
		[VTD_REASON_FIRST_ROOT_ACCESS] = MODEL_CA,
		[VTD_REASON_SECOND_ACCESS] = MODEL_CA,
		[VTD_REASON_SECOND_RESERVED] = MODEL_CA,
	};

	return (enum model_status)statuses[(unsigned)reason & 0xff];
}

/* What is missing when less is wanted: a page may be read-only, or data. 0: all. */
static uint8_t less(const struct nested_result *result, uint8_t perm)
{
	uint8_t missing = (uint8_t)(result->first.missing | result->second.missing);

	if (result->fault != TABLE_PERMISSION || result->table_page)
		return 0;
	missing &= (uint8_t)(perm & (IOPF_WRITE | IOPF_EXEC));
	return missing != 0 ? (uint8_t)(perm & ~missing) : 0;
}

static struct cache_tag tag_of(const struct vtd_found *found)
{
	static const uint8_t stages[8] = { [VTD_PGTT_FIRST] = CACHE_FIRST,
					   [VTD_PGTT_SECOND] = CACHE_SECOND,
					   [VTD_PGTT_NESTED] = CACHE_NESTED };

	return (struct cache_tag){ .domain = found->pasid.domain,
				   .number = found->number,
				   .stages = stages[found->pasid.pgtt] };
}

/*
 * Walk for as much of @perm as the tables grant. Accessed and dirty bits are set for
 * what is granted: a function writes without asking again.
 */
static enum vtd_reason walk(const struct model_vtd *vtd, const struct vtd_found *found,
			    uint64_t addr, struct cache_line *line)
{
	const struct nested_tables tables = vtd_tables(&found->pasid, &vtd->features);
	struct nested_result result;
	uint8_t perm = found->perm;

	while (!nested_walk(&tables, vtd->iommu.options.memory, addr, perm, true, &result)) {
		perm = less(&result, perm);
		if (perm == 0)
			return vtd_reason_of(&result, &tables);
	}
	*line = (struct cache_line){
		.addr = result.addr & ~(result.size_bytes - 1),
		.base = addr & ~(result.size_bytes - 1),
		.size_bytes = result.size_bytes,
		.tag = tag_of(found),
		.perm = perm,
	};
	return VTD_REASON_NONE;
}

static enum vtd_reason translate(struct model_vtd *vtd, const struct vtd_request *request,
				 uint64_t addr, struct vtd_found *found,
				 struct cache_line *line)
{
	const struct cache_line *hit;
	struct cache_tag tag;
	enum vtd_reason reason = find_context(vtd, request, found);

	if (reason == VTD_REASON_NONE)
		reason = vtd_find_number(&vtd->features, request, found);
	if (reason == VTD_REASON_NONE)
		reason = find_pasid(vtd, request->rid, found);
	if (reason != VTD_REASON_NONE)
		return reason;
	tag = tag_of(found);
	hit = cache_translation(&vtd->cache, &tag, addr, found->perm);
	if (hit != NULL) {
		*line = *hit;
		return VTD_REASON_NONE;
	}
	reason = walk(vtd, found, addr, line);
	if (reason == VTD_REASON_NONE)
		cache_add_translation(&vtd->cache, addr, line);
	return reason;
}

static enum model_status upstream_translate(void *context,
					    const struct model_translation_request *from,
					    struct model_translation *translation)
{
	struct model_vtd *vtd = context;
	const struct vtd_request request = { .rid = from->rid, .pasid = from->pasid,
					     .perm = from->perm, .kind = VTD_TRANSLATION };
	struct cache_line line = { .size_bytes = TABLE_PAGE_BYTES };
	struct vtd_found found = { .quiet = true };
	enum vtd_reason reason = VTD_REASON_CONTEXT_NOT_PRESENT;
	enum model_status status;

	vtd->iommu.stats.translations++;
	if (iopf_hardware_translates(vtd->iommu.hardware))
		reason = translate(vtd, &request, from->addr, &found, &line);
	status = status_of(reason);
	if (status != MODEL_SUCCESS) {
		vtd->iommu.stats.refused++;
		record_fault(vtd, &request, &found, from->addr, reason);
		return status;
	}
	vtd->iommu.stats.granted += reason == VTD_REASON_NONE;
	*translation = (struct model_translation){ .addr = line.addr,
						   .size_bytes = line.size_bytes,
						   .perm = line.perm & from->perm };
	return MODEL_SUCCESS;
}

/* ---- Accesses ------------------------------------------------------ */

/* VT-d, "Handling of Translated Requests": let in by the context, then believed. */
static enum model_status upstream_access(void *context, uint32_t rid, uint64_t addr,
					 void *buffer, uint32_t size_bytes, bool write)
{
	struct model_vtd *vtd = context;
	const struct vtd_request request = {
		.rid = rid,
		.pasid = IOPF_PASID_NONE,
		.perm = write ? IOPF_WRITE : IOPF_READ,
		.kind = VTD_TRANSLATION,
	};
	struct vtd_found found = { .quiet = true };
	enum vtd_reason reason = VTD_REASON_CONTEXT_NOT_PRESENT;

	vtd->iommu.stats.accesses++;
	if (iopf_hardware_translates(vtd->iommu.hardware))
		reason = find_context(vtd, &request, &found);
	if (reason == VTD_REASON_NONE && iommu_reach(&vtd->iommu, addr, buffer, size_bytes, write))
		return MODEL_SUCCESS;
	vtd->iommu.stats.refused_accesses++;
	if (reason != VTD_REASON_NONE)
		record_fault(vtd, &request, &found, addr, reason);
	return MODEL_UR;
}

/* Only functions stand behind a root port, and they ask before they access. */
static int upstream_transact(void *context, const struct model_transaction *transaction)
{
	struct model_vtd *vtd = context;

	(void)transaction;
	vtd->iommu.stats.transactions++;
	vtd->iommu.stats.aborted++;
	return -EFAULT;
}

/* ---- Page requests ------------------------------------------------------------------------ */

/* Hardware itself answers; a request that is not the last has no answer. It knows
 * nothing of what a function's responses carry: with a PASID where the request had one. */
static void respond_self(struct model_vtd *vtd, const struct iopf_request *request,
			 enum iopf_code code)
{
	if ((request->flags & (IOPF_LAST | IOPF_STOP)) == IOPF_LAST)
		iommu_respond(&vtd->iommu, request->rid, request->pasid, request->index, code);
}

/* VT-d, 7.4: only a context entry with PRE lets page requests in. */
static bool let_in(struct model_vtd *vtd, const struct iopf_request *from)
{
	const struct vtd_request request = { .rid = from->rid, .pasid = from->pasid,
					     .perm = from->perm,
					     .kind = VTD_PAGE_REQUEST };
	struct vtd_found found = { .quiet = true };
	enum vtd_reason reason = VTD_REASON_CONTEXT_NOT_PRESENT;

	if (iopf_hardware_translates(vtd->iommu.hardware))
		reason = find_context(vtd, &request, &found);
	if (reason == VTD_REASON_NONE) {
		/* What was looked up before the page comes must not be found after. */
		if (vtd_find_number(&vtd->features, &request, &found) == VTD_REASON_NONE)
			cache_forget_page(&vtd->cache, found.number, from->addr);
		return true;
	}
	vtd->iommu.stats.refused_requests++;
	record_fault(vtd, &request, &found, from->addr, reason);
	return false;
}

static void upstream_page_request(void *context, uint32_t rid, uint32_t pasid, uint8_t perm,
				  uint64_t payload)
{
	struct model_vtd *vtd = context;
	struct iopf_request request;
	int posted;

	vtd->iommu.stats.requests++;
	if (iopf_pcie_decode_request(payload, rid, pasid, perm, &request) != 0) {
		vtd->iommu.stats.bad_messages++;
		return;
	}
	if (!let_in(vtd, &request)) {
		respond_self(vtd, &request, IOPF_FAILURE);
		return;
	}
	posted = iopf_hardware_post(vtd->iommu.hardware, &request);
	if (posted == IOPF_POSTED_SUCCESS) {
		vtd->iommu.stats.auto_success++;
		respond_self(vtd, &request, IOPF_SUCCESS);
	} else if (posted < 0) {
		vtd->iommu.stats.unqueued++;
		respond_self(vtd, &request, IOPF_INVALID);
	}
}

const struct model_upstream vtd_upstream = {
	.translate = upstream_translate,
	.page_request = upstream_page_request,
	.access = upstream_access,
	.transact = upstream_transact,
	.interrupt = iommu_pass_interrupt,
};
