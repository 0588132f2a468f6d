/* SPDX-License-Identifier: BSD-3-Clause */
/* model/smmuv3_request.c - what devices send up to the SMMUv3 model. */
#include <errno.h>
#include <string.h>

#include "model/smmuv3_state.h"

/* ---- Configuration ----------------------------------------------------------------- */

/* What a configuration error does: recorded, and abort (3.12). */
static struct smmuv3_result bad_configuration(enum smmuv3_event event, uint64_t addr)
{
	return (struct smmuv3_result){ .event = (uint8_t)event,
				       .fetch_addr = addr,
				       .index = UINT32_MAX,
				       .record = true,
				       .abort = true };
}

bool smmuv3_entry(struct model_smmuv3 *smmu, uint32_t rid, struct smmuv3_ste *ste,
		  struct smmuv3_result *result)
{
	const struct smmuv3_ste *known = cache_entry(&smmu->cache, rid);
	enum smmuv3_event event;
	uint64_t addr;

	if (known != NULL) {
		*ste = *known;
		return true;
	}
	event = smmuv3_find_ste(smmu->iommu.options.memory, &smmu->features,
				iopf_hardware_root(smmu->iommu.hardware),
				iopf_hardware_root_config(smmu->iommu.hardware), rid,
				&addr, ste);
	if (event != SMMUV3_EVENT_NONE) {
		*result = bad_configuration(event, addr);
		return false;
	}
	cache_add_entry(&smmu->cache, rid, ste);
	return true;
}

static struct smmuv3_walk walk_of(const struct model_smmuv3 *smmu,
				  const struct smmuv3_ste *ste)
{
	return (struct smmuv3_walk){ .features = &smmu->features,
				     .memory = smmu->iommu.options.memory,
				     .ste = ste,
				     .update = true };
}

/* The descriptor, out of the cache or of memory. True with an index that is none: stage 1
 * is bypassed. */
static bool find_context(struct model_smmuv3 *smmu, const struct smmuv3_ste *ste,
			 uint32_t rid, uint32_t pasid, struct smmuv3_cd *cd,
			 struct smmuv3_result *result)
{
	const struct smmuv3_walk walk = walk_of(smmu, ste);
	const struct smmuv3_cd *known = NULL;
	uint32_t index;

	if (smmuv3_find_number(ste, pasid, &index) == SMMUV3_EVENT_NONE &&
	    index != UINT32_MAX)
		known = cache_process(&smmu->cache, rid, index);
	if (known != NULL) {
		*cd = *known;
		result->index = index;
		return true;
	}
	if (!smmuv3_context(&walk, pasid, cd, result))
		return false;
	if (result->index != UINT32_MAX)
		cache_add_process(&smmu->cache, rid, result->index, 0, cd);
	return true;
}

/* ---- Translation ------------------------------------------------------------------- */

/* What is asked for. */
struct access {
	uint64_t addr;
	uint32_t rid;
	uint32_t pasid;
	uint8_t perm;
};

/* 3.4.1: with TBI the top byte means nothing, neither to a walk nor to the TLB. */
static uint64_t plain(const struct smmuv3_cd *cd, uint64_t addr)
{
	bool high = addr >> 55 & 1;

	if (!cd->first.half[high].top_ignored)
		return addr;
	return high ? addr | UINT64_C(0xff) << 56 : addr & UINT64_MAX >> 8;
}

static struct cache_tag tag_of(const struct smmuv3_ste *ste, const struct smmuv3_cd *cd)
{
	return (struct cache_tag){
		.domain = ste->vmid,
		.number = cd != NULL ? cd->asid : 0,
		.stages = (uint8_t)((cd != NULL ? CACHE_FIRST : 0) |
				    (smmuv3_has_second(ste) ? CACHE_SECOND : 0))
	};
}

/* Out of the TLB, or of the tables. Access flags and dirty state are set for what is
 * asked for, and no more than that is remembered: who reads has not made it dirty. */
static bool walk_through(struct model_smmuv3 *smmu, const struct smmuv3_ste *ste,
			 const struct smmuv3_cd *cd, const struct access *access,
			 struct smmuv3_result *result)
{
	const struct smmuv3_walk walk = walk_of(smmu, ste);
	const struct cache_tag tag = tag_of(ste, cd);
	uint64_t addr = cd != NULL ? plain(cd, access->addr) : access->addr;
	const struct cache_line *line;
	struct cache_line made;

	line = cache_translation(&smmu->cache, &tag, addr, access->perm);
	if (line != NULL) {
		*result = (struct smmuv3_result){ .addr = line->addr + (addr - line->base),
						  .size_bytes = line->size_bytes,
						  .perm = line->perm };
		result->first.addr = line->between + (addr - line->base);
		return true;
	}
	if (!smmuv3_walk(&walk, cd, access->addr, access->perm, result))
		return false;
	made = (struct cache_line){
		.addr = result->addr & ~(result->size_bytes - 1),
		.between = result->first.addr & ~(result->size_bytes - 1),
		.base = addr & ~(result->size_bytes - 1),
		.size_bytes = result->size_bytes,
		.tag = tag,
		.perm = access->perm,
	};
	if (tag.stages != 0)
		cache_add_translation(&smmu->cache, addr, &made);
	return true;
}

/* Under the entry @ste. */
static bool translate(struct model_smmuv3 *smmu, const struct smmuv3_ste *ste,
		      const struct access *access, struct smmuv3_result *result)
{
	struct smmuv3_cd cd;

	if (!find_context(smmu, ste, access->rid, access->pasid, &cd, result))
		return false;
	return walk_through(smmu, ste, result->index != UINT32_MAX ? &cd : NULL, access,
			    result);
}

/* ---- Events ------------------------------------------------------------------------ */

static struct iopf_fault fault_of(const struct access *access,
				  const struct smmuv3_result *result)
{
	static const uint8_t whats[] = {
		[SMMUV3_CLASS_CD] = IOPF_FAULT_DESCRIPTOR,
		[SMMUV3_CLASS_TT] = IOPF_FAULT_TABLE,
		[SMMUV3_CLASS_IN] = IOPF_FAULT_INPUT,
	};
	bool second = smmuv3_resumable(result->event) && result->stage == 2;
	uint8_t what = result->stage != 0 ? whats[result->what] : IOPF_FAULT_INPUT;

	return (struct iopf_fault){
		.addr = access->addr,
		.gpa = second ? result->ipa : result->fetch_addr,
		.rid = access->rid,
		.pasid = access->pasid,
		.perm = access->perm,
		.reason = result->event,
		.stage = result->stage,
		.what = what,
		.table_perm = second && what != IOPF_FAULT_INPUT ?
				      (result->ipa_perm & IOPF_WRITE ? IOPF_WRITE :
								       IOPF_READ) :
				      0,
		.stall = result->stall,
	};
}

static void record(struct model_smmuv3 *smmu, const struct iopf_fault *fault)
{
	if (fault->reason == SMMUV3_EVENT_C_BAD_STREAMID && !smmuv3_records_bad_streams(smmu))
		return;
	(void)iopf_hardware_fault(smmu->iommu.hardware, fault);
}

/* What ATS has no business to do. */
static void record_ats(struct model_smmuv3 *smmu, const struct access *access,
		       enum smmuv3_event event)
{
	const struct iopf_fault fault = { .addr = access->addr,
					  .rid = access->rid,
					  .pasid = access->pasid,
					  .perm = access->perm,
					  .reason = (uint8_t)event,
					  .request = event == SMMUV3_EVENT_F_BAD_ATS_TREQ };

	record(smmu, &fault);
}

/* ---- Transactions of platform masters ---------------------------------------------- */

/* The output: an error of memory is the interconnect's, not an event. */
static int carry_out(const struct model_smmuv3 *smmu,
		     const struct model_transaction *transaction, uint64_t addr)
{
	if (transaction->size_bytes == 0)
		return 0;
	return iommu_reach(&smmu->iommu, addr, transaction->buffer,
			   transaction->size_bytes, transaction->perm & IOPF_WRITE) ?
		       0 :
		       -EFAULT;
}

/* CD.A = 0 (5.5): reads as zero, writes are ignored. */
static int ignore(const struct model_transaction *transaction)
{
	if (transaction->size_bytes > 0 && !(transaction->perm & IOPF_WRITE))
		memset(transaction->buffer, 0, transaction->size_bytes);
	return 0;
}

static int end_faulted(struct model_smmuv3 *smmu,
		       const struct model_transaction *transaction, bool quiet,
		       const struct smmuv3_result *result, const struct iopf_fault *fault)
{
	if (result->event != SMMUV3_EVENT_NONE && result->record && !quiet)
		record(smmu, fault);
	return result->abort ? -EFAULT : ignore(transaction);
}

int smmuv3_attempt(struct model_smmuv3 *smmu, const struct model_transaction *transaction,
		   bool quiet, struct iopf_fault *fault)
{
	struct access access = { .addr = transaction->addr,
				 .rid = transaction->rid,
				 .pasid = transaction->pasid,
				 .perm = transaction->perm };
	struct smmuv3_result result;
	struct smmuv3_ste ste;

	if (!iopf_hardware_translates(smmu->iommu.hardware))
		return smmuv3_bypass_aborts(smmu) ?
			       -EFAULT :
			       carry_out(smmu, transaction, transaction->addr);
	/* An instruction fetch needs no right to read. */
	if (access.perm & IOPF_EXEC)
		access.perm &= (uint8_t)~IOPF_READ;
	if (smmuv3_entry(smmu, access.rid, &ste, &result) &&
	    translate(smmu, &ste, &access, &result))
		return carry_out(smmu, transaction, result.addr);
	access.perm = transaction->perm;
	*fault = fault_of(&access, &result);
	if (result.stall)
		return -EINPROGRESS;
	return end_faulted(smmu, transaction, quiet, &result, fault);
}

static int upstream_transact(void *context, const struct model_transaction *transaction)
{
	struct model_smmuv3 *smmu = context;
	struct iopf_fault fault;
	int result = smmuv3_attempt(smmu, transaction, false, &fault);

	if (result == -EINPROGRESS)
		result = smmuv3_stall(smmu, transaction, &fault);
	smmu->iommu.stats.transactions += result != -EAGAIN;
	smmu->iommu.stats.aborted += result == -EFAULT;
	return result;
}

/* ---- ATS translation requests ------------------------------------------------------ */

/* 3.9.1.2: whether @access may ask at all. Otherwise *@status, and maybe an event. */
static bool may_ask(struct model_smmuv3 *smmu, const struct access *access,
		    struct smmuv3_ste *ste, enum model_status *status)
{
	struct smmuv3_result result;
	bool on = iopf_hardware_translates(smmu->iommu.hardware);

	*status = MODEL_UR;
	if (on && !smmuv3_entry(smmu, access->rid, ste, &result)) {
		*status = MODEL_CA;
		return false;
	}
	if (on && ste->config == SMMUV3_ABORT)
		return false;
	if (on && (ste->ats == SMMUV3_ATS_FULL ||
		   (ste->ats == SMMUV3_ATS_SPLIT && smmuv3_checks_ats(smmu))))
		return true;
	record_ats(smmu, access, SMMUV3_EVENT_F_BAD_ATS_TREQ);
	return false;
}

/* What is left to ask for when rights are missing on the page itself; 0: nothing. A page
 * that cannot be read cannot be told as executable either (13.7). */
static uint8_t less(const struct smmuv3_result *result, uint8_t perm)
{
	const uint8_t rights = IOPF_READ | IOPF_WRITE | IOPF_EXEC;
	uint8_t missing = (uint8_t)(result->first.missing | result->second.missing);

	if (result->event != SMMUV3_EVENT_F_PERMISSION ||
	    result->what != SMMUV3_CLASS_IN || (missing & perm & rights) == 0)
		return 0;
	perm &= (uint8_t)~missing;
	if (!(perm & IOPF_READ))
		perm &= (uint8_t)~IOPF_EXEC;
	return perm & rights ? perm : 0;
}

/* Walk for as much as is granted. 0 with an event: a completion without rights is right
 * for those of 3.9.1.2, a completer abort for others. */
static uint8_t grant(struct model_smmuv3 *smmu, const struct smmuv3_ste *ste,
		     const struct access *from, struct smmuv3_result *result)
{
	struct access access = *from;

	while (!translate(smmu, ste, &access, result)) {
		access.perm = less(result, access.perm);
		if (access.perm == 0)
			return 0;
	}
	return access.perm;
}

static enum model_status upstream_translate(void *context,
					    const struct model_translation_request *from,
					    struct model_translation *translation)
{
	struct model_smmuv3 *smmu = context;
	const struct access access = { from->addr, from->rid, from->pasid, from->perm };
	struct smmuv3_result result = { .event = SMMUV3_EVENT_NONE };
	enum model_status status;
	struct smmuv3_ste ste;
	uint8_t perm;

	smmu->iommu.stats.translations++;
	if (!may_ask(smmu, &access, &ste, &status)) {
		smmu->iommu.stats.refused++;
		return status;
	}
	perm = grant(smmu, &ste, &access, &result);
	if (perm == 0 && !smmuv3_resumable(result.event)) {
		smmu->iommu.stats.refused++;
		return MODEL_CA;
	}
	smmu->iommu.stats.granted += perm != 0;
	*translation = (struct model_translation){ .size_bytes = TABLE_PAGE_BYTES };
	if (perm != 0)
		*translation = (struct model_translation){
			.addr = (ste.ats == SMMUV3_ATS_SPLIT ? result.first.addr :
							       result.addr) &
				~(result.size_bytes - 1),
			.size_bytes = result.size_bytes,
			.perm = perm,
		};
	return MODEL_SUCCESS;
}

/* ---- Translated accesses ----------------------------------------------------------- */

/* 3.9.1.3. With the entry's word for it, or (ATSCHK = 0) unasked. */
static bool let_through(struct model_smmuv3 *smmu, struct access *access)
{
	struct smmuv3_result result;
	struct smmuv3_ste ste;

	if (iopf_hardware_translates(smmu->iommu.hardware)) {
		if (!smmuv3_checks_ats(smmu))
			return true;
		if (!smmuv3_entry(smmu, access->rid, &ste, &result) ||
		    ste.config == SMMUV3_ABORT)
			return false;
		if (ste.ats == SMMUV3_ATS_FULL)
			return true;
		if (ste.ats == SMMUV3_ATS_SPLIT) {
			if (walk_through(smmu, &ste, NULL, access, &result)) {
				access->addr = result.addr;
				return true;
			}
			if (result.record) {
				const struct iopf_fault fault = fault_of(access, &result);

				record(smmu, &fault);
			}
			return false;
		}
	}
	record_ats(smmu, access, SMMUV3_EVENT_F_TRANSL_FORBIDDEN);
	return false;
}

static enum model_status upstream_access(void *context, uint32_t rid, uint64_t addr,
					 void *buffer, uint32_t size_bytes, bool write)
{
	struct model_smmuv3 *smmu = context;
	struct access access = { .addr = addr,
				 .rid = rid,
				 .pasid = IOPF_PASID_NONE,
				 .perm = write ? IOPF_WRITE : IOPF_READ };

	smmu->iommu.stats.accesses++;
	if (let_through(smmu, &access) &&
	    iommu_reach(&smmu->iommu, access.addr, buffer, size_bytes, write))
		return MODEL_SUCCESS;
	smmu->iommu.stats.refused_accesses++;
	return MODEL_UR;
}

/* ---- Page requests ----------------------------------------------------------------- */

/*
 * The SMMU answers a last by itself (8.1): the PASID is on it where every response has it
 * (IDR3.PPS), or where the stream's entry says so; without such an entry it is a failure,
 * which never has one.
 */
static void respond_success(struct model_smmuv3 *smmu, const struct iopf_request *request)
{
	struct smmuv3_result result;
	struct smmuv3_ste ste;
	uint32_t pasid = request->pasid;
	enum iopf_code code = IOPF_SUCCESS;

	if (pasid != IOPF_PASID_NONE &&
	    !(smmu->iommu.options.features & IOPF_SMMUV3_PPS)) {
		if (!smmuv3_entry(smmu, request->rid, &ste, &result)) {
			pasid = IOPF_PASID_NONE;
			code = IOPF_FAILURE;
		} else if (!ste.response_pasid) {
			pasid = IOPF_PASID_NONE;
		}
	}
	smmu->iommu.stats.auto_success++;
	iommu_respond(&smmu->iommu, request->rid, pasid, request->index, code);
}

static void respond_failure(struct model_smmuv3 *smmu, const struct iopf_request *request)
{
	smmu->iommu.stats.unqueued++;
	iommu_respond(&smmu->iommu, request->rid, IOPF_PASID_NONE, request->index,
		      IOPF_FAILURE);
}

/* No entry has a say in whether a page may be asked for. */
static void upstream_page_request(void *context, uint32_t rid, uint32_t pasid, uint8_t perm,
				  uint64_t payload)
{
	struct model_smmuv3 *smmu = context;
	struct iopf_request request;
	int posted;

	smmu->iommu.stats.requests++;
	if (iopf_pcie_decode_request(payload, rid, pasid, perm, &request) != 0) {
		smmu->iommu.stats.bad_messages++;
		return;
	}
	posted = iopf_hardware_post(smmu->iommu.hardware, &request);
	if (posted == IOPF_POSTED_SUCCESS)
		respond_success(smmu, &request);
	else if (posted == IOPF_POSTED_FAILURE ||
		 (posted < 0 && !(request.flags & IOPF_STOP)))
		respond_failure(smmu, &request);
}

const struct model_upstream smmuv3_upstream = {
	.translate = upstream_translate,
	.page_request = upstream_page_request,
	.access = upstream_access,
	.transact = upstream_transact,
	.interrupt = iommu_pass_interrupt,
};
