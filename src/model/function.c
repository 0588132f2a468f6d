/* SPDX-License-Identifier: BSD-3-Clause */
/* model/function.c - a PCI function: configuration space, translations, its end. */
#include "model/function.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/function_state.h"
#include "base/field.h"

/* ---- Create -------------------------------------------------------------------- */

static bool options_fit(const struct model_function_options *options)
{
	uint32_t atc = options->atc_entries, bar = options->bar_bytes;

	return options->rid <= 0xffff && options->class_code <= 0xffffff &&
	       options->capacity >= 1 && options->capacity <= 65536 && atc >= ATC_WAYS &&
	       atc <= 65536 && (atc & (atc - 1)) == 0 && options->pasid_width <= 20 &&
	       options->unexpected <= MODEL_UNEXPECTED_REQUEST &&
	       (bar == 0 || (bar >= 4096 && (bar & (bar - 1)) == 0)) &&
	       (options->pasid_in_response || !options->index_per_pasid) &&
	       (options->physical == NULL || options->physical->options.physical == NULL);
}

/* PCIe 7.5.3: registers of a link, where there is one: 16 GT/s, four lanes. */
static void config_link(struct config *config)
{
	config_put(config, CONFIG_EXPRESS_CAP, 2, 0x0002);
	config_put(config, CONFIG_LINK_CAP, 4, 0x00400044);
	config_put(config, CONFIG_LINK_STATUS, 2, 0x0044);
	config_put(config, CONFIG_LINK_CAP2, 4, 0x0000001e);
}

static void config_fill(struct config *config,
			const struct model_function_options *options)
{
	uint32_t pasid_caps = (options->exec ? PASID_CAP_EXEC : 0) |
			      (options->priv ? PASID_CAP_PRIV : 0);

	config_default(config);
	config_put(config, CONFIG_VENDOR, 2, options->vendor_id);
	config_put(config, CONFIG_DEVICE, 2, options->device_id);
	config_put(config, CONFIG_SUBSYSTEM_VENDOR, 2, options->vendor_id);
	config_put(config, CONFIG_SUBSYSTEM, 2, options->device_id);
	config_put(config, CONFIG_REVISION, 4, options->class_code << 8 | 1);
	if (options->bar_bytes != 0)
		config_bar(config, options->bar_bytes);
	config_put(config, CONFIG_PRI_CAPACITY, 4, options->capacity);
	config_set_bits(config, CONFIG_PRI_STATUS, 2, PRI_PASID_REQUIRED,
			options->pasid_in_response);
	config_put(config, CONFIG_PASID_CAP, 2,
		   pasid_caps | (uint32_t)options->pasid_width << 8);
	/* The enable bits stand where the support bits do. */
	config->write[CONFIG_PASID_CONTROL] |= (uint8_t)pasid_caps;
	if (options->endpoint)
		config_link(config);
	if (options->physical != NULL)
		config_virtual(config);
	config_settle(config);
}

/* Every index in use once, and once more for each credit where PASIDs multiply them. */
static int pri_create(struct pri *pri, uint32_t group_max)
{
	void *cells = malloc(map_size_bytes(group_max));

	pri->groups = calloc(group_max, sizeof(*pri->groups));
	if (cells == NULL || pri->groups == NULL) {
		free(cells);
		return -ENOMEM;
	}
	map_create(&pri->by_key, group_max, cells);
	pri->group_max = group_max;
	pri->in_state[PRI_FREE] = group_max;
	for (uint32_t n = 0; n < group_max; n++)
		pri->groups[n].next_free = n + 1 < group_max ? n + 1 : MAP_NONE;
	return 0;
}

int model_function_create(const struct model_function_options *options,
			  struct model_function **function)
{
	uint32_t group_max = PRI_INDEX_COUNT +
			     (options->index_per_pasid ? options->capacity : 0);
	bool virtual = options->physical != NULL;
	struct model_function *new;
	struct atc_entry *entries;

	if (!options_fit(options))
		return -EINVAL;
	new = calloc(1, sizeof(*new));
	entries = calloc(options->atc_entries, sizeof(*entries));
	if (new == NULL || entries == NULL ||
	    (!virtual && pri_create(&new->pri, group_max) != 0)) {
		free(entries);
		if (new != NULL)
			free(new->pri.groups);
		free(new);
		return -ENOMEM;
	}
	new->options = *options;
	new->physical = virtual ? options->physical : new;
	if (virtual) {
		new->next_virtual = new->physical->first_virtual;
		new->physical->first_virtual = new;
	}
	config_fill(&new->config, options);
	atc_create(&new->atc, entries, options->atc_entries);
	*function = new;
	return 0;
}

/* What it has asked for is lost with it. */
static void unlink_virtual(struct model_function *function)
{
	struct model_function **link = &function->physical->first_virtual;

	if (function->physical == function)
		return;
	while (*link != function)
		link = &(*link)->next_virtual;
	*link = function->next_virtual;
	pri_forget(function);
}

void model_function_destroy(struct model_function *function)
{
	if (function == NULL)
		return;
	function->client = NULL;
	unlink_virtual(function);
	free(function->pri.by_key.cells);
	free(function->pri.groups);
	free(function->atc.entries);
	free(function);
}

void model_function_set_client(struct model_function *function,
			       const struct model_client *client)
{
	function->client = client;
}

void function_observe_reset(struct model_function *function, enum model_reset reset)
{
	const struct model_observer *observer = &function->options.observer;

	if (observer->reset != NULL)
		observer->reset(observer->context, function, reset);
}

/* ---- Errors -------------------------------------------------------------------- */

/*
 * What is unexpected and not fatal is advisory: told as a correctable error, so that
 * the system learns of it and goes on (PCIe 6.2.3.2.4).
 */
void function_error(struct model_function *function, uint32_t error)
{
	struct config *config = &function->config;
	bool fatal = config_get(config, CONFIG_AER_SEVERITY, 4) & error;
	uint32_t told = fatal ? DEVICE_STATUS_FATAL : DEVICE_STATUS_CORRECTABLE;

	if (config_get(config, CONFIG_AER_UNCORRECTABLE, 4) == 0)
		config_put(config, CONFIG_AER_CONTROL, 4, (uint32_t)__builtin_ctz(error));
	config_set_bits(config, CONFIG_AER_UNCORRECTABLE, 4, error, true);
	if (!fatal)
		config_set_bits(config, CONFIG_AER_CORRECTABLE, 4, AER_ADVISORY_NONFATAL,
				true);
	if (error == AER_UNSUPPORTED_REQUEST)
		told |= DEVICE_STATUS_UR;
	config_set_bits(config, CONFIG_DEVICE_STATUS, 2, told, true);
}

/* ---- What a write to configuration space does beside --------------------------- */

/* ATS goes off or on: nothing stays cached (PCIe 10.5.1.3). STU is fixed while on. */
static void ats_control(struct model_function *function, uint32_t was, uint32_t written)
{
	struct config *config = &function->config;
	uint32_t now = config_get(config, CONFIG_ATS_CONTROL, 2);

	(void)written;
	if (was & ATS_ENABLE && (now & ATS_STU) != (was & ATS_STU)) {
		config_put(config, CONFIG_ATS_CONTROL, 2,
			   (now & ~(uint32_t)ATS_STU) | (was & ATS_STU));
		function->counts.undefined++;
	}
	if ((was ^ now) & ATS_ENABLE)
		atc_invalidate(&function->atc, 0, true, 0, UINT64_MAX);
}

static void pri_control_written(struct model_function *function, uint32_t was,
				uint32_t written)
{
	pri_control(function, was & PRI_ENABLE, written & PRI_RESET);
}

/* The allocation is fixed while PRI is on (PCIe 10.5.2.5). */
static void pri_allocation_written(struct model_function *function, uint32_t was,
				   uint32_t written)
{
	struct config *config = &function->config;

	(void)written;
	if (!(config_get(config, CONFIG_PRI_CONTROL, 2) & PRI_ENABLE))
		return;
	if (config_get(config, CONFIG_PRI_ALLOCATION, 4) != was)
		function->counts.undefined++;
	config_put(config, CONFIG_PRI_ALLOCATION, 4, was);
}

/* Changing PASID enables under ATS is undefined: it is done, and counted. */
static void pasid_control(struct model_function *function, uint32_t was, uint32_t written)
{
	(void)written;
	if (config_get(&function->config, CONFIG_PASID_CONTROL, 2) != was &&
	    config_get(&function->config, CONFIG_ATS_CONTROL, 2) & ATS_ENABLE)
		function->counts.undefined++;
}

static void device_control(struct model_function *function, uint32_t was, uint32_t written)
{
	(void)was;
	if (written & DEVICE_CONTROL_FLR)
		model_function_reset(function);
}

static const struct effect {
	uint16_t offset;
	uint8_t size_bytes;
	bool physical; /* a virtual function does not have it */
	void (*written)(struct model_function *function, uint32_t was, uint32_t written);
} effects[] = {
	{ CONFIG_ATS_CONTROL, 2, false, ats_control },
	{ CONFIG_PASID_CONTROL, 2, true, pasid_control },
	{ CONFIG_PRI_ALLOCATION, 4, true, pri_allocation_written },
	{ CONFIG_PRI_CONTROL, 2, true, pri_control_written },
	{ CONFIG_DEVICE_CONTROL, 2, false, device_control },
};

uint32_t model_function_config_read(const struct model_function *function,
				    uint32_t offset, uint32_t size_bytes)
{
	if (!config_access_fits(offset, size_bytes))
		return UINT32_MAX;
	if (function->gone)
		return UINT32_MAX >> 8 * (4 - size_bytes);
	return config_get(&function->config, offset, size_bytes);
}

void model_function_config_write(struct model_function *function, uint32_t offset,
				 uint32_t size_bytes, uint32_t value)
{
	const size_t count = sizeof(effects) / sizeof(effects[0]);
	uint32_t was[sizeof(effects) / sizeof(effects[0])];

	if (function->gone || !config_access_fits(offset, size_bytes))
		return;
	for (size_t n = 0; n < count; n++)
		was[n] = config_get(&function->config, effects[n].offset,
				    effects[n].size_bytes);
	config_write(&function->config, offset, size_bytes, value);
	for (size_t n = 0; n < count; n++) {
		const struct effect *effect = &effects[n];

		if (effect->physical && function->physical != function)
			continue;
		if (offset < effect->offset + effect->size_bytes &&
		    effect->offset < offset + size_bytes)
			effect->written(function, was[n],
					config_written(effect->offset, effect->size_bytes,
						       offset, size_bytes, value));
	}
}

/* ---- Translations -------------------------------------------------------------- */

static bool bus_master(const struct model_function *function)
{
	return config_get(&function->config, CONFIG_COMMAND, 2) & COMMAND_BUS_MASTER;
}

bool function_pasid_enabled(const struct model_function *function, uint32_t pasid)
{
	const struct model_function *physical = function->physical;
	uint32_t control = config_get(&physical->config, CONFIG_PASID_CONTROL, 2);

	return pasid == IOPF_PASID_NONE ||
	       (control & PASID_ENABLE && pasid >> physical->options.pasid_width == 0);
}

bool function_perm_enabled(const struct model_function *function, uint32_t pasid,
			   uint8_t perm)
{
	uint32_t control = config_get(&function->physical->config, CONFIG_PASID_CONTROL, 2);

	if (pasid == IOPF_PASID_NONE)
		return (perm & (IOPF_EXEC | IOPF_PRIV)) == 0;
	return (!(perm & IOPF_EXEC) || control & PASID_EXEC) &&
	       (!(perm & IOPF_PRIV) || control & PASID_PRIV);
}

/* What a completion is worth: 0, -EIO (not one of this function's units), -EFAULT. */
static int translation_check(const struct model_function *function,
			     const struct model_translation *translation, uint8_t perm)
{
	uint32_t stu = config_get(&function->config, CONFIG_ATS_CONTROL, 2) & ATS_STU;
	uint64_t size = translation->size_bytes;

	if ((perm & (IOPF_READ | IOPF_WRITE | IOPF_EXEC) & ~translation->perm) != 0)
		return -EFAULT;
	if (translation->untranslated || (size & (size - 1)) != 0 ||
	    size < UINT64_C(4096) << stu)
		return -EIO;
	return 0;
}

/* One page of what upstream says goes into the cache. */
static int translate_upstream(struct model_function *function, uint32_t pasid,
			      uint64_t page, uint8_t perm, uint32_t *use)
{
	const struct model_upstream *upstream = &function->options.upstream;
	struct model_translation_request request = {
		.addr = page,
		.rid = function->options.rid,
		.pasid = pasid,
		.perm = perm | IOPF_READ,
	};
	struct model_translation translation;
	struct atc_entry entry = { .page = page, .pasid = pasid };
	int result;

	if (upstream->translate(upstream->context, &request, &translation) !=
	    MODEL_SUCCESS)
		return -EIO;
	result = translation_check(function, &translation, perm);
	if (result != 0)
		return result;
	entry.translated = (translation.addr & ~(translation.size_bytes - 1)) |
			   (page & (translation.size_bytes - 1));
	entry.perm = translation.perm;
	entry.priv = perm & IOPF_PRIV;
	*use = atc_fill(&function->atc, &entry);
	return *use == ATC_NONE ? -EAGAIN : 0;
}

int model_function_translate(struct model_function *function, uint32_t pasid,
			     uint64_t addr, uint8_t perm, uint32_t *use)
{
	uint64_t page = addr & ~UINT64_C(0xfff);
	uint32_t found;

	if (function->gone)
		return -ENODEV;
	if (!(config_get(&function->config, CONFIG_ATS_CONTROL, 2) & ATS_ENABLE) ||
	    !bus_master(function) || !function_pasid_enabled(function, pasid) ||
	    !function_perm_enabled(function, pasid, perm))
		return -EACCES;
	found = atc_take(&function->atc, pasid, page, perm & IOPF_PRIV,
			 perm & (IOPF_READ | IOPF_WRITE | IOPF_EXEC));
	if (found == ATC_NONE)
		return translate_upstream(function, pasid, page, perm, use);
	*use = found;
	return 0;
}

bool model_function_usable(const struct model_function *function, uint32_t use)
{
	return !function->gone && atc_entry(&function->atc, use) != NULL;
}

void model_function_release(struct model_function *function, uint32_t use)
{
	atc_release(&function->atc, use);
}

int model_function_access(struct model_function *function, uint32_t use, uint32_t offset,
			  void *buffer, uint32_t size_bytes, bool write)
{
	const struct model_upstream *upstream = &function->options.upstream;
	const struct atc_entry *entry = atc_entry(&function->atc, use);

	if (entry == NULL || function->gone)
		return -ESTALE;
	if (!(entry->perm & (write ? IOPF_WRITE : IOPF_READ)) || !bus_master(function) ||
	    offset >= 4096 || size_bytes > 4096 - offset)
		return -EACCES;
	if (upstream->access(upstream->context, function->options.rid,
			     entry->translated + offset, buffer, size_bytes,
			     write) != MODEL_SUCCESS)
		return -EIO;
	return 0;
}

void model_function_interrupt(struct model_function *function)
{
	const struct model_upstream *upstream = &function->options.upstream;
	const struct config *config = &function->config;
	uint64_t addr = config_get(config, CONFIG_MSI_ADDR, 4) |
			(uint64_t)config_get(config, CONFIG_MSI_ADDR_HIGH, 4) << 32;

	if (function->gone || !bus_master(function) ||
	    !(config_get(config, CONFIG_MSI_CONTROL, 2) & MSI_ENABLE))
		return;
	upstream->interrupt(upstream->context, function->options.rid, addr,
			    config_get(config, CONFIG_MSI_DATA, 2));
}

/* ---- Invalidations (PCIe 10.3.1) ----------------------------------------------- */

/* clang-format off */
#define INVALIDATE_FIELDS(X)             \
	X(INVALIDATE_GLOBAL, 0,  0,  1)  \
	X(INVALIDATE_RSVD,   0,  1, 10)  \
	X(INVALIDATE_S,      0, 11,  1)  \
	X(INVALIDATE_ADDR,   0, 12, 52)
/* clang-format on */
enum invalidate_field { INVALIDATE_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE1(INVALIDATE_FIELDS);

/* The size stands in the address: with S, the lowest bit that is 0 is the highest of
 * the offset; all of the address below it is 1. */
uint64_t model_invalidate_payload(uint64_t addr, uint64_t size_bytes, bool global)
{
	uint64_t ones = (size_bytes - 1) >> 1 & FIELD_MASK(INVALIDATE_ADDR);
	uint64_t size = size_bytes == 4096 ? 0 : FIELD_MASK(INVALIDATE_S);

	return (addr & ~(size_bytes - 1)) | ones | size | global;
}

/* The last address of the range, and in *@first the first one. */
static uint64_t invalidate_range(uint64_t payload, uint64_t *first)
{
	uint64_t low = payload | 0xfff; /* up to bit 11 the address does not count */
	uint64_t size_mask = 0xfff;

	if (field_of(payload, INVALIDATE_S))
		size_mask = low ^ (low + 1); /* the ones, and the first 0 above them */
	*first = payload & ~size_mask & ~UINT64_C(0xfff);
	return *first | size_mask;
}

int model_function_invalidate(struct model_function *function, uint32_t pasid,
			      uint64_t payload)
{
	uint64_t first, last = invalidate_range(payload, &first);
	bool global = field_of(payload, INVALIDATE_GLOBAL);

	if (function->gone || function->mute)
		return -EAGAIN;
	function->counts.invalidations++;
	return atc_invalidate(&function->atc, pasid, global, first, last) ? 0 : -EAGAIN;
}

void model_function_answer_invalidations(struct model_function *function, bool answer)
{
	function->mute = !answer;
}

/* ---- What happens to a function ------------------------------------------------ */

/* The first step is every function's before any is told of the second. */
static void end_registers(struct model_function *function, enum model_reset reset)
{
	function->ending = !function->gone;
	if (reset == MODEL_REMOVED)
		function->gone = true;
	else if (function->ending)
		config_reset(&function->config);
}

static void end_work(struct model_function *function, enum model_reset reset)
{
	if (!function->ending)
		return;
	function->ending = false;
	atc_invalidate(&function->atc, 0, true, 0, UINT64_MAX);
	function_observe_reset(function, reset);
	if (function->client != NULL)
		function->client->reset(function->client->context);
}

/* With a physical function its virtual ones end, too (SR-IOV: its reset clears VF
 * Enable). A virtual one's end leaves the interface as it is. */
static void end(struct model_function *function, enum model_reset reset)
{
	struct model_function *each;

	end_registers(function, reset);
	for (each = function->first_virtual; each != NULL; each = each->next_virtual)
		end_registers(each, reset);
	function->pri.failed = false;
	pri_forget(function);
	end_work(function, reset);
	for (each = function->first_virtual; each != NULL; each = each->next_virtual)
		end_work(each, reset);
}

void model_function_reset(struct model_function *function)
{
	if (!function->gone)
		end(function, MODEL_FLR);
}

void model_function_remove(struct model_function *function)
{
	if (!function->gone)
		end(function, MODEL_REMOVED);
}

/* ---- What can be seen of it ---------------------------------------------------- */

/* Of a virtual function's own groups; the interface's are counted as they go. */
static void count_groups(const struct model_function *function,
			 struct model_function_state *state)
{
	const struct pri *pri = &function->physical->pri;
	uint32_t count[PRI_STATE_COUNT] = { 0 };

	memcpy(count, function->pri.in_state, sizeof(count));
	state->credits_in_use = function->pri.credits_in_use;
	for (uint32_t n = 0; function != function->physical && n < pri->group_max; n++) {
		const struct pri_group *group = &pri->groups[n];

		if (group->state == PRI_FREE || group->function != function)
			continue;
		count[group->state]++;
		state->credits_in_use += group->requests;
	}
	state->open = count[PRI_OPEN];
	state->waiting = count[PRI_WAITING];
	state->stale = count[PRI_STALE];
}

void model_function_state(const struct model_function *function,
			  struct model_function_state *state)
{
	const struct config *config = &function->physical->config;
	uint32_t control = config_get(config, CONFIG_PRI_CONTROL, 2);
	uint32_t status = config_get(config, CONFIG_PRI_STATUS, 2);

	*state = function->counts;
	count_groups(function, state);
	state->rid = function->options.rid;
	state->physical_rid = function->physical->options.rid;
	state->allocation = pri_allocation(function);
	state->enabled = control & PRI_ENABLE;
	state->stopped = status & PRI_STOPPED;
	state->rf = status & PRI_RF;
	state->uprgi = status & PRI_UPRGI;
	state->gone = function->gone;
	state->paging = pri_paging(function);
	state->pasid_in_response = function->physical->options.pasid_in_response;
	state->atc_hits = function->atc.hits;
	state->atc_misses = function->atc.misses;
}

uint32_t model_function_rid(const struct model_function *function)
{
	return function->options.rid;
}

bool model_function_decodes(const struct model_function *function)
{
	return !function->gone &&
	       config_get(&function->config, CONFIG_COMMAND, 2) & COMMAND_MEMORY;
}

int model_function_dump(const struct model_function *function, char *text,
			size_t size_bytes)
{
	return config_dump(&function->config, function->options.rid, text, size_bytes);
}
