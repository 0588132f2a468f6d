/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/smmuv2.c - an Arm SMMUv2 with stream matching and context banks that do stage 1 or
 * stage 2, and stall.
 *
 * A bank shows one stalled transaction. Those that fault behind it wait unseen, in the order
 * of arrival, and each is looked at again when its turn comes: with what is in force then it
 * may go on, and nobody ever hears of it. What is on its way when RESUME comes is retried or
 * aborted at the next run; where SCTLR.HUPCF is 0, nothing of the bank is looked at before.
 *
 *	arrives, LINE ---> carried out, aborted
 *	    LINE ---> SHOWN ---> RESUMED ---> LINE, carried out, aborted
 *
 *	LINE     [another is shown, or was resumed and not done with]
 *	SHOWN    [the registers hold its fault] known by the number of its bank
 *	RESUMED  [RESUME was written] a retry is an arrival
 *
 * There are no SubstreamIDs. Nothing of the registers is remembered; what tables said is,
 * until it is invalidated.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/cache.h"
#include "model/iommu_state.h"
#include "queue/hardware.h"
#include "table/smmuv2.h"
#include "wire/smmuv2.h"

/* Places in line, for all banks together. */
enum { LINE_MAX = 4096, NOBODY = LINE_MAX };

struct parked {
	const struct model_transaction *transaction;
	uint32_t next;
};

struct bank {
	bool shown, resumed, retry;
	bool ever; /* something was shown here before */
	const struct model_transaction *transaction; /* of either; NULL: nobody's */
	uint32_t rid;
	uint32_t first, last; /* in line, or NOBODY */
};

struct model_smmuv2 {
	struct model_iommu iommu; /* first */
	struct smmuv2_features features;
	struct cache cache;
	struct bank bank[IOPF_SMMUV2_BANK_MAX];
	struct parked *parked;
	uint32_t first_free;
};

static struct model_smmuv2 *smmu_of(struct model_iommu *iommu)
{
	return (struct model_smmuv2 *)iommu;
}

static struct family_registers registers_of(const struct model_smmuv2 *smmu)
{
	return (struct family_registers){ .read = iopf_hardware_registers.read,
					  .write = iopf_hardware_registers.write,
					  .context = smmu->iommu.hardware };
}

/* ---- Lines --------------------------------------------------------------------------------- */

/* False: there is no place. */
static bool line_append(struct model_smmuv2 *smmu, struct bank *bank,
			const struct model_transaction *transaction)
{
	uint32_t at = smmu->first_free;

	if (at == NOBODY)
		return false;
	smmu->first_free = smmu->parked[at].next;
	smmu->parked[at] = (struct parked){ transaction, NOBODY };
	if (bank->first == NOBODY)
		bank->first = at;
	else
		smmu->parked[bank->last].next = at;
	bank->last = at;
	return true;
}

static void line_remove(struct model_smmuv2 *smmu, struct bank *bank, uint32_t before)
{
	uint32_t *link = before == NOBODY ? &bank->first : &smmu->parked[before].next;
	uint32_t at = *link;

	*link = smmu->parked[at].next;
	if (bank->last == at)
		bank->last = before;
	smmu->parked[at].next = smmu->first_free;
	smmu->first_free = at;
}

static bool is_busy(const struct bank *bank)
{
	return bank->shown || bank->resumed || bank->first != NOBODY;
}

/* ---- Translation --------------------------------------------------------------------------- */

static void global_fault(struct model_smmuv2 *smmu, uint32_t what, uint32_t rid)
{
	struct iopf_hardware *hardware = smmu->iommu.hardware;

	if (reg32(hardware, SMMUV2_GFSR) == 0)
		reg32_set(hardware, SMMUV2_GFSYNR1, rid);
	reg32_set(hardware, SMMUV2_GFSR, reg32(hardware, SMMUV2_GFSR) | what);
}

/* Where a stream goes. Returns: 1 and *@bank; 0: past everything; -EFAULT. */
static int route(struct model_smmuv2 *smmu, uint32_t rid, uint32_t *bank)
{
	const struct family_registers registers = registers_of(smmu);
	uint32_t control = reg32(smmu->iommu.hardware, SMMUV2_CR0), number, type;
	uint64_t word;

	if ((control & SMMUV2_CR0_CLIENTPD) != 0 ||
	    smmuv2_stream_find(&registers, &smmu->features, rid, &number, &word) != 0)
		return 0;
	if (number == SMMUV2_NONE) {
		if ((control & SMMUV2_CR0_USFCFG) == 0)
			return 0;
		global_fault(smmu, SMMUV2_GFSR_USF, rid);
		return -EFAULT;
	}
	type = (uint32_t)field_of(word, SMMUV2_STREAM_TYPE);
	*bank = (uint32_t)field_of(word, SMMUV2_STREAM_CBNDX);
	if (type == SMMUV2_BYPASS)
		return 0;
	if (type == SMMUV2_TRANSLATE && *bank < smmu->features.banks)
		return 1;
	global_fault(smmu, SMMUV2_GFSR_ICF, rid);
	return -EFAULT;
}

static const uint8_t reasons[TABLE_FAULT_COUNT] = {
	[TABLE_NOT_PRESENT] = SMMUV2_TF, [TABLE_PERMISSION] = SMMUV2_PF,
	[TABLE_RESERVED] = SMMUV2_TF,    [TABLE_ADDRESS] = SMMUV2_TF,
	[TABLE_OUTSIDE] = SMMUV2_EF,     [TABLE_SECOND] = SMMUV2_EF,
	[TABLE_UPDATE] = SMMUV2_EF,      [TABLE_INTERRUPT] = SMMUV2_EF,
	[TABLE_SIZE] = SMMUV2_ASF,       [TABLE_ACCESS] = SMMUV2_AFF,
};

/* Out of the TLB, or of the tables. Returns: 0 and *@out, or the number of the fault. */
static uint16_t translate(struct model_smmuv2 *smmu, const struct smmuv2_bank *bank,
			  uint64_t addr, uint8_t perm, uint64_t *out)
{
	bool first = bank->type != SMMUV2_SECOND;
	const struct cache_tag tag = { .domain = bank->vmid,
				       .number = first ? bank->asid : 0,
				       .stages = first ? CACHE_FIRST : CACHE_SECOND };
	const struct table_space space = { .memory = smmu->iommu.options.memory };
	const struct cache_line *known;
	struct table_result result;
	bool there;

	if (bank->type == SMMUV2_FIRST_FAULT)
		return SMMUV2_TF;
	/* An instruction fetch needs no right to read. */
	if (perm & IOPF_EXEC)
		perm &= (uint8_t)~IOPF_READ;
	known = cache_translation(&smmu->cache, &tag, addr, perm);
	if (known != NULL) {
		*out = known->addr + (addr - known->base);
		return 0;
	}
	there = first ? vmsa_walk(&space, &bank->first, addr, perm, false, &result) :
			vmsas2_walk(&space, &bank->second, addr, perm, false, &result);
	if (!there)
		return reasons[result.fault];
	*out = result.addr;
	cache_add_translation(&smmu->cache, addr,
			      &(struct cache_line){
				      .addr = result.addr & ~(result.size_bytes - 1),
				      .base = addr & ~(result.size_bytes - 1),
				      .size_bytes = result.size_bytes,
				      .tag = tag,
				      .perm = perm });
	return 0;
}

/* ---- Transactions -------------------------------------------------------------------------- */

static int carry_out(const struct model_smmuv2 *smmu,
		     const struct model_transaction *transaction, uint64_t addr)
{
	return transaction->size_bytes == 0 ||
			       iommu_reach(&smmu->iommu, addr, transaction->buffer,
					   transaction->size_bytes,
					   transaction->perm & IOPF_WRITE) ?
		       0 :
		       -EFAULT;
}

/* What does not stall: told, if there is room, and aborted; or, CFRE = 0, reads are 0 and
 * writes are nothing. */
static int end_faulted(struct model_smmuv2 *smmu, const struct smmuv2_bank *bank,
		       const struct model_transaction *transaction,
		       const struct iopf_fault *fault)
{
	(void)iopf_hardware_fault(smmu->iommu.hardware, fault);
	if (bank->abort)
		return -EFAULT;
	if (transaction->size_bytes > 0 && !(transaction->perm & IOPF_WRITE))
		memset(transaction->buffer, 0, transaction->size_bytes);
	return 0;
}

/* Returns: 1 and *@bank; otherwise what is the end of it. */
static int enter(struct model_smmuv2 *smmu, const struct model_transaction *transaction,
		 uint32_t *number, struct smmuv2_bank *bank)
{
	const struct family_registers registers = registers_of(smmu);
	uint64_t words[SMMUV2_BANK_WORDS];
	int where = transaction->pasid == IOPF_PASID_NONE ?
			    route(smmu, transaction->rid, number) :
			    -EFAULT;

	if (where == 0)
		return carry_out(smmu, transaction, transaction->addr);
	if (where < 0)
		return where;
	if (smmuv2_bank_read(&registers, &smmu->features, *number, words) != 0 ||
	    !smmuv2_bank_decode(words, &smmu->features, bank))
		return -EFAULT;
	return bank->on ? 1 : carry_out(smmu, transaction, transaction->addr);
}

/*
 * Carry @transaction out, or find out why not. Returns: 0; -EFAULT: aborted; -EINPROGRESS:
 * it is to wait at bank fault->index.
 */
static int attempt(struct model_smmuv2 *smmu, const struct model_transaction *transaction,
		   struct iopf_fault *fault)
{
	struct smmuv2_bank bank = { 0 };
	uint32_t number = 0;
	uint64_t out = 0;
	int way = enter(smmu, transaction, &number, &bank);

	if (way != 1)
		return way;
	*fault = (struct iopf_fault){ .addr = transaction->addr,
				      .rid = transaction->rid,
				      .pasid = IOPF_PASID_NONE,
				      .index = (uint16_t)number,
				      .perm = transaction->perm };
	/* SCTLR.HUPCF: behind a fault nothing is looked at. */
	if (!bank.independent && smmu->bank[number].shown)
		return bank.stall ? -EINPROGRESS : -EFAULT;
	fault->reason = translate(smmu, &bank, transaction->addr, transaction->perm, &out);
	if (fault->reason == 0)
		return carry_out(smmu, transaction, out);
	fault->stall = bank.stall && smmuv2_resumable(fault->reason);
	return fault->stall ? -EINPROGRESS : end_faulted(smmu, &bank, transaction, fault);
}

/* ---- Stalls -------------------------------------------------------------------------------- */

static void master_tell(struct model_smmuv2 *smmu,
			const struct model_transaction *transaction, int result)
{
	const struct port *port = iommu_port(&smmu->iommu, transaction->rid);

	smmu->iommu.stats.aborted += result != 0;
	if (port != NULL && port->device.released != NULL)
		port->device.released(port->device.context, transaction, result);
}

/* The registers of its bank are free. */
static bool show(struct model_smmuv2 *smmu, const struct model_transaction *transaction,
		 const struct iopf_fault *fault)
{
	const struct model_stall_observer *observer = &smmu->iommu.options.observer;
	struct bank *bank = &smmu->bank[fault->index];

	if (!iopf_hardware_fault(smmu->iommu.hardware, fault))
		return false;
	bank->shown = bank->ever = true;
	bank->transaction = transaction;
	bank->rid = fault->rid;
	smmu->iommu.stats.stalled++;
	if (observer->stalled != NULL)
		observer->stalled(observer->context, fault);
	return true;
}

/* In line at its bank. Returns: -EINPROGRESS, or -EAGAIN (the bus does not take it yet). */
static int park(struct model_smmuv2 *smmu, const struct model_transaction *transaction,
		const struct iopf_fault *fault)
{
	return line_append(smmu, &smmu->bank[fault->index], transaction) ? -EINPROGRESS :
									   -EAGAIN;
}

static int upstream_transact(void *context, const struct model_transaction *transaction)
{
	struct model_smmuv2 *smmu = context;
	struct iopf_fault fault = { 0 };
	int result = attempt(smmu, transaction, &fault);

	if (result == -EINPROGRESS &&
	    (is_busy(&smmu->bank[fault.index]) || !show(smmu, transaction, &fault)))
		result = park(smmu, transaction, &fault);
	smmu->iommu.stats.transactions += result != -EAGAIN;
	smmu->iommu.stats.aborted += result == -EFAULT;
	return result;
}

/* What became of one that waited: @result of an attempt, which said @fault. */
static void waited(struct model_smmuv2 *smmu, const struct model_transaction *transaction,
		   int result, const struct iopf_fault *fault)
{
	if (result == -EINPROGRESS)
		result = park(smmu, transaction, fault);
	if (result != -EINPROGRESS)
		master_tell(smmu, transaction, result == -EAGAIN ? -EFAULT : result);
}

/* The bank's answer is carried out. */
static uint32_t resume_do(struct model_smmuv2 *smmu, struct bank *bank)
{
	const struct model_transaction *transaction = bank->transaction;
	struct iopf_fault fault = { 0 };

	if (!bank->resumed)
		return 0;
	bank->resumed = false;
	bank->transaction = NULL;
	if (transaction != NULL)
		waited(smmu, transaction,
		       bank->retry ? attempt(smmu, transaction, &fault) : -EFAULT, &fault);
	return 1;
}

/* Who is first in line has just arrived. False: it waits on. */
static bool first_look(struct model_smmuv2 *smmu, struct bank *bank)
{
	const struct model_transaction *transaction = smmu->parked[bank->first].transaction;
	struct iopf_fault fault = { 0 };
	int result = attempt(smmu, transaction, &fault);
	/* Or its stream goes elsewhere now. */
	bool here = result == -EINPROGRESS && &smmu->bank[fault.index] == bank;

	if (here && (!fault.stall || !show(smmu, transaction, &fault)))
		return false;
	line_remove(smmu, bank, NOBODY);
	if (!here)
		waited(smmu, transaction, result, &fault);
	return true;
}

/* It goes on by itself, as hardware may before software has answered: what stands in the
 * registers stays. */
static uint32_t look_early(struct model_smmuv2 *smmu, struct bank *bank)
{
	const struct model_transaction *transaction = bank->transaction;
	struct smmuv2_bank there = { 0 };
	uint32_t number = 0;
	uint64_t out = 0;

	if (!bank->shown || transaction == NULL ||
	    enter(smmu, transaction, &number, &there) != 1 ||
	    translate(smmu, &there, transaction->addr, transaction->perm, &out) != 0)
		return 0;
	bank->transaction = NULL;
	master_tell(smmu, transaction, carry_out(smmu, transaction, out));
	return 1;
}

/* As many as are in line now: who is told may send the next at once. */
static uint32_t line_run(struct model_smmuv2 *smmu, struct bank *bank)
{
	uint32_t last = bank->last, done = 0, at;

	while (bank->first != NOBODY && !bank->shown) {
		at = bank->first;
		if (!first_look(smmu, bank))
			break;
		done++;
		if (at == last)
			break;
	}
	return done;
}

static uint32_t smmuv2_run(struct model_iommu *iommu)
{
	struct model_smmuv2 *smmu = smmu_of(iommu);
	uint32_t done = 0;

	for (uint32_t n = 0; n < smmu->features.banks; n++) {
		struct bank *bank = &smmu->bank[n];

		if (iommu->options.retry_stalls)
			done += look_early(smmu, bank);
		done += resume_do(smmu, bank);
		done += line_run(smmu, bank);
	}
	return done;
}

/* ---- Commands ------------------------------------------------------------------------------ */

/* RESUME has no name: it is for what is shown. In a bank that does not stall any more it is
 * the end of its stream, which is to be let in nowhere by then. */
static int do_response(struct model_iommu *iommu, const struct iopf_command *command)
{
	const struct model_stall_observer *observer = &iommu->options.observer;
	struct model_smmuv2 *smmu = smmu_of(iommu);
	struct bank *bank = &smmu->bank[command->index];
	uint32_t control = reg32(iommu->hardware,
				 smmuv2_bank_at(&smmu->features, SMMUV2_SCTLR, command->index));
	bool closes = command->code != IOPF_SUCCESS && (control & SMMUV2_SCTLR_CFCFG) == 0;
	enum model_stall_verdict verdict = bank->shown ? MODEL_STALL_TAKEN :
					   bank->ever  ? MODEL_STALL_SECOND :
							 MODEL_STALL_UNKNOWN;
	uint32_t rid = bank->ever ? bank->rid : command->rid, at;

	if (bank->shown) {
		bank->resumed = true;
		bank->shown = false;
		bank->retry = command->code == IOPF_SUCCESS;
	}
	if (verdict == MODEL_STALL_TAKEN && closes) {
		iommu->stats.misused += route(smmu, rid, &at) == 1;
		iommu->stats.terminated++;
		if (observer->terminated != NULL)
			observer->terminated(observer->context, rid, command->index);
		return 0;
	}
	iommu->stats.resumed[verdict]++;
	if (observer->resumed != NULL)
		observer->resumed(observer->context, rid, command->index,
				  (enum iopf_code)command->code, verdict);
	return 0;
}

/* What a TLBI register names: in its VMID. */
#define NAMED       (CACHE_LINES | CACHE_BY_DOMAIN)
#define NAMED_FIRST (NAMED | CACHE_HAS_FIRST)
#define RULE(granularity, set, names)                                                  \
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB, .granularities = 1 << (granularity), \
	  .hints = IOPF_HINT_ANY_ASID, .hints_set = (set), .translations = (names) }
static const struct cache_rule cache_rules[] = {
	RULE(IOPF_ALL, 0, CACHE_LINES),
	RULE(IOPF_DOMAIN, 0, NAMED),
	RULE(IOPF_ONE_PASID, 0, NAMED_FIRST | CACHE_BY_ASID),
	RULE(IOPF_PAGE, 0, NAMED_FIRST | CACHE_BY_ASID | CACHE_BY_RANGE),
	RULE(IOPF_PAGE, IOPF_HINT_ANY_ASID, NAMED_FIRST | CACHE_BY_RANGE),
	{ .kind = IOPF_COMMAND_NONE },
};

static int hardware_command(void *context, const struct iopf_command *command)
{
	struct model_iommu *iommu = context;

	if (command->kind == IOPF_COMMAND_RESPONSE)
		return do_response(iommu, command);
	cache_invalidate(&smmu_of(iommu)->cache, command);
	return 0;
}

/* What waits is looked at again when its turn comes, whatever has changed. */
static const struct iopf_hardware_ops hardware_ops = {
	.command = hardware_command,
	.interrupt = iommu_send_interrupt,
	.root_changed = iommu_no_root,
	.translation_changed = iommu_no_translation_change,
	.queue_changed = iommu_no_queue,
};

/* There are no translation requests, no page requests. */
static const struct model_upstream upstream = {
	.translate = iommu_no_translation,
	.page_request = iommu_no_page_request,
	.access = iommu_no_access,
	.transact = upstream_transact,
	.interrupt = iommu_pass_interrupt,
};

/* ---- Life ---------------------------------------------------------------------------------- */

static int smmuv2_create(struct model_iommu *iommu, struct iopf_hardware_options *hardware)
{
	const struct cache_options cache = { .entries = iommu->options.context_lines,
					     .processes = iommu->options.pasid_lines,
					     .translations = iommu->options.translation_lines,
					     .entry_bytes = 1,
					     .process_bytes = 1,
					     .rules = cache_rules };
	struct model_smmuv2 *smmu = smmu_of(iommu);
	uint32_t banks = iommu->options.stall_max < IOPF_SMMUV2_BANK_MAX ?
				 iommu->options.stall_max :
				 IOPF_SMMUV2_BANK_MAX;
	int error = cache_create(&smmu->cache, &cache);

	smmu->parked = calloc(LINE_MAX, sizeof(*smmu->parked));
	if (error == 0 && smmu->parked == NULL)
		error = -ENOMEM;
	for (uint32_t n = 0; error == 0 && n < LINE_MAX; n++)
		smmu->parked[n].next = n + 1;
	for (uint32_t n = 0; n < IOPF_SMMUV2_BANK_MAX; n++)
		smmu->bank[n].first = smmu->bank[n].last = NOBODY;
	if (error == 0)
		error = iopf_smmuv2_identification(iommu->options.features, banks,
						   hardware->idr);
	if (error == 0)
		smmu->features = smmuv2_features_of(hardware->idr);
	return error;
}

static void smmuv2_destroy(struct model_iommu *iommu)
{
	cache_destroy(&smmu_of(iommu)->cache);
	free(smmu_of(iommu)->parked);
}

static void smmuv2_count(const struct model_iommu *iommu, struct model_iommu_stats *stats)
{
	const struct model_smmuv2 *smmu = (const struct model_smmuv2 *)iommu;

	stats->hits = smmu->cache.hits;
	stats->misses = smmu->cache.misses;
}

/* Who is in line is forgotten; what is shown waits for its answer. */
static void smmuv2_disconnect(struct model_iommu *iommu, uint32_t rid)
{
	struct model_smmuv2 *smmu = smmu_of(iommu);

	for (uint32_t n = 0; n < IOPF_SMMUV2_BANK_MAX; n++) {
		struct bank *bank = &smmu->bank[n];
		uint32_t before = NOBODY, at = bank->first;

		if (bank->transaction != NULL && bank->transaction->rid == rid)
			bank->transaction = NULL;
		while (at != NOBODY) {
			uint32_t next = smmu->parked[at].next;

			if (smmu->parked[at].transaction->rid == rid)
				line_remove(smmu, bank, before);
			else
				before = at;
			at = next;
		}
	}
}

static uint32_t smmuv2_stalled(const struct model_iommu *iommu, uint32_t rid)
{
	const struct model_smmuv2 *smmu = (const struct model_smmuv2 *)iommu;
	uint32_t count = 0;

	for (uint32_t n = 0; n < IOPF_SMMUV2_BANK_MAX; n++)
		count += smmu->bank[n].shown &&
			 (rid == IOPF_NO_ID || smmu->bank[n].rid == rid);
	return count;
}

static int smmuv2_stall(struct model_iommu *iommu, const struct iopf_fault *fault,
			uint16_t *tag)
{
	struct model_smmuv2 *smmu = smmu_of(iommu);
	struct iopf_fault made = *fault;
	uint32_t number;

	if (route(smmu, fault->rid, &number) != 1)
		return -ENODEV;
	made.index = (uint16_t)number;
	made.pasid = IOPF_PASID_NONE;
	made.stage = 0;
	made.stall = true;
	if (is_busy(&smmu->bank[number]) || !show(smmu, NULL, &made))
		return -ENOSPC;
	*tag = made.index;
	return 0;
}

const struct iommu_family iommu_family_smmuv2 = {
	.name = "smmuv2",
	.wire = &iopf_wire_smmuv2,
	.ops = &hardware_ops,
	.features = IOPF_SMMUV2_PHYSICAL,
	.size_bytes = sizeof(struct model_smmuv2),
	.create = smmuv2_create,
	.destroy = smmuv2_destroy,
	.upstream = &upstream,
	.count = smmuv2_count,
	.run = smmuv2_run,
	.disconnect = smmuv2_disconnect,
	.stalled = smmuv2_stalled,
	.stall = smmuv2_stall,
};
