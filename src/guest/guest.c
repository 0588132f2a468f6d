/* SPDX-License-Identifier: BSD-3-Clause */
/* guest/guest.c - a guest as owner: create, registers, time. */
#include "guest/guest.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Address spaces that one call of iopf_guest_reset() ends: others wait meanwhile. */
#define GUEST_RESET_STEPS 256

/* ---- Create ------------------------------------------------------------------------- */

/* Where the parts of a guest lie in its memory. */
struct guest_plan {
	size_t hardware, functions, shown, spaces, space_cells, token_cells, end;
};

static size_t plan_part(struct guest_plan *plan, size_t size_bytes)
{
	size_t at = plan->end;

	plan->end = (at + size_bytes + 63) & ~(size_t)63;
	return at;
}

static struct guest_plan guest_plan(const struct iopf_guest_options *options)
{
	struct guest_plan plan = { .end = 0 };
	uint32_t functions = options->endpoint_count;

	plan_part(&plan, sizeof(struct iopf_guest));
	plan.hardware = plan_part(&plan, iopf_hardware_size_bytes());
	plan.functions = plan_part(&plan, functions * sizeof(struct guest_function));
	plan.shown = plan_part(&plan, functions * sizeof(struct shown));
	plan.spaces = plan_part(&plan, options->pasid_max * sizeof(struct guest_space));
	plan.space_cells = plan_part(&plan, map_size_bytes(options->pasid_max));
	plan.token_cells =
		plan_part(&plan, map_size_bytes(functions * IOPF_GUEST_INDEX_COUNT));
	return plan;
}

/* The family of @options, where a guest can have it. */
static const struct family *family_of(const struct iopf_guest_options *options)
{
	const struct family *family = family_find(options->family);

	return family == NULL || family->guest == NULL ||
			       hardware_family_find(family->name) == NULL ?
		       NULL :
		       family;
}

/* As many stalls as its streams can be shown; where none stalls, none can be. */
static uint32_t stall_max(const struct iopf_guest *guest)
{
	uint32_t count = 0;

	static_assert(IOPF_GUEST_ENDPOINT_MAX * IOPF_GUEST_INDEX_COUNT <= UINT16_MAX,
		      "what an SMMUv3 can say");
	for (uint32_t i = 0; i < guest->function_count; i++)
		if (guest->functions[i].value.mechanism == IOPF_STALLS)
			count += IOPF_GUEST_INDEX_COUNT;
	return count;
}

static bool levels_valid(const struct hardware_family *registers, uint32_t levels)
{
	const struct hardware_offer offer = { .levels = levels };
	struct iopf_hardware_options ignored = { 0 };

	return registers->offer(&offer, &ignored) == 0;
}

static bool options_valid(const struct iopf_guest_options *options)
{
	const struct family *family = family_of(options);
	const struct iopf_guest_ops *ops = options->ops;

	return family != NULL && options->size_bytes == sizeof(*options) &&
	       options->endpoint_count > 0 &&
	       options->endpoint_count <= IOPF_GUEST_ENDPOINT_MAX &&
	       options->endpoints != NULL && options->pasid_max > 0 &&
	       options->pasid_max <= IOPF_GUEST_PASID_MAX &&
	       levels_valid(hardware_family_find(family->name), options->levels) &&
	       ops != NULL && ops->attach != NULL && ops->detach != NULL &&
	       ops->invalidate != NULL && ops->drained != NULL && ops->answer != NULL &&
	       ops->forgotten != NULL && ops->interrupt != NULL;
}

static bool endpoints_valid(const struct iopf_guest_options *options)
{
	const struct family *family = family_of(options);
	const struct hardware_family *registers =
		family != NULL ? hardware_family_find(family->name) : NULL;

	for (uint32_t i = 0; registers != NULL && i < options->endpoint_count; i++) {
		const struct iopf_guest_endpoint *at = &options->endpoints[i];

		if (at->rid > registers->rid_max || at->endpoint == IOPF_NO_ID ||
		    !(registers->guest_mechanisms >> at->mechanism & 1))
			return false;
		for (uint32_t j = 0; j < i; j++)
			if (at->rid == options->endpoints[j].rid ||
			    at->endpoint == options->endpoints[j].endpoint)
				return false;
	}
	return registers != NULL;
}

size_t iopf_guest_size_bytes(const struct iopf_guest_options *options)
{
	return options_valid(options) ? guest_plan(options).end : 0;
}

static void guest_add_functions(struct iopf_guest *guest,
				const struct iopf_guest_options *options,
				struct shown *shown)
{
	guest->function_count = options->endpoint_count;
	for (uint32_t i = 0; i < options->endpoint_count; i++) {
		guest->functions[i].value = options->endpoints[i];
		guest->functions[i].shown = &shown[i];
		shown_create(&shown[i]);
	}
}

/* The registers and queues as after power-on, in the memory that they had; and what they
 * say that the IOMMU can do. */
static void create_registers(struct iopf_guest *guest)
{
	const struct hardware_offer offer = { .levels = guest->levels,
					      .stall_max = stall_max(guest) };
	struct iopf_hardware_options options = {
		.size_bytes = sizeof(options),
		.wire = guest->registers->wire,
		.memory = &guest->view.memory,
		.ops = &guest_hardware_ops,
		.context = guest,
	};
	struct family_registers registers = { .read = iopf_hardware_registers.read };
	int error = guest->registers->offer(&offer, &options);

	if (error == 0)
		error = iopf_hardware_create(&options, guest->hardware_memory,
					     iopf_hardware_size_bytes(), &guest->hardware);
	registers.context = guest->hardware;
	if (error == 0)
		error = guest->family->features(&registers, &guest->view.features);
	assert(error == 0);
	(void)error;
}

static void guest_power_on(struct iopf_guest *guest)
{
	for (uint32_t i = 0; i < guest->function_count; i++)
		if (guest->functions[i].value.config != NULL)
			iopf_config_reset(guest->functions[i].value.config);
	create_registers(guest);
	guest->begun = false;
	guest->forward = 0;
	guest->forwarded = 0;
	guest->unfinished = false;
	guest->scan = (struct guest_scan){ .phase = GUEST_SCAN_IDLE };
}

int iopf_guest_create(const struct iopf_guest_options *options, void *memory,
		      size_t memory_bytes, struct iopf_guest **out)
{
	struct iopf_guest *guest = memory;
	unsigned char *bytes = memory;
	struct guest_plan plan;

	if (!options_valid(options) || !endpoints_valid(options) ||
	    ((uintptr_t)memory & 63) != 0)
		return -EINVAL;
	plan = guest_plan(options);
	if (memory_bytes < plan.end)
		return -ENOSPC;
	memset(guest, 0, sizeof(*guest));
	guest->hardware_memory = bytes + plan.hardware;
	guest->functions = (void *)(bytes + plan.functions);
	guest->spaces = (void *)(bytes + plan.spaces);
	guest->ops = options->ops;
	guest->context = options->context;
	guest->view.memory = options->memory;
	guest->family = family_of(options);
	guest->structures = guest->family->guest;
	guest->registers = hardware_family_find(guest->family->name);
	guest->levels = options->levels;
	guest->space_max = options->pasid_max;
	guest->hold_ns = options->hold_ns;
	map_create(&guest->space_map, options->pasid_max, bytes + plan.space_cells);
	map_create(&guest->token_map, options->endpoint_count * IOPF_GUEST_INDEX_COUNT,
		   bytes + plan.token_cells);
	guest_add_functions(guest, options, (void *)(bytes + plan.shown));
	guest_power_on(guest);
	*out = guest;
	return 0;
}

uint32_t guest_function_of_rid(const struct iopf_guest *guest, uint32_t rid)
{
	uint32_t i = 0;

	while (i < guest->function_count && guest->functions[i].value.rid != rid)
		i++;
	return i;
}

uint32_t guest_function_of_endpoint(const struct iopf_guest *guest, uint32_t endpoint)
{
	uint32_t i = 0;

	while (i < guest->function_count &&
	       guest->functions[i].value.endpoint != endpoint)
		i++;
	return i;
}

/* ---- Registers and time -------------------------------------------------------------- */

uint64_t iopf_guest_read(struct iopf_guest *guest, uint32_t offset, uint32_t width_bytes)
{
	uint64_t value = 0;

	if (iopf_hardware_read(guest->hardware, offset, width_bytes, &value) != 0)
		guest->stats.bad_accesses++;
	return value;
}

static bool write_is_doorbell(const struct iopf_guest *guest, uint32_t offset)
{
	const uint32_t *at = guest->registers->doorbells;

	while (*at != 0 && *at != offset)
		at++;
	return *at != 0;
}

void iopf_guest_write(struct iopf_guest *guest, uint32_t offset, uint32_t width_bytes,
		      uint64_t value)
{
	/* Other registers than the doorbells may take a command away that is half done.
	 * What is asked next begins from the start: to do a part twice harms nobody, and
	 * the candidates of an invalidation may have changed their places. */
	if (!write_is_doorbell(guest, offset)) {
		guest->begun = false;
		guest->forward = 0;
		guest->forwarded = 0;
	}
	if (iopf_hardware_write(guest->hardware, offset, width_bytes, value) != 0)
		guest->stats.bad_accesses++;
}

bool guest_step(struct iopf_guest *guest)
{
	if (guest->budget == 0)
		return false;
	guest->budget--;
	return true;
}

int guest_settle(struct iopf_guest *guest, int result)
{
	guest->held = result == -EAGAIN;
	if (!guest->held) {
		guest->holding = false;
		guest->stats.failed_operations += result < 0;
		return result;
	}
	if (!guest->holding) {
		guest->holding = true;
		guest->hold_since_ns = guest->now_ns;
		guest->stats.holds++;
	}
	/* A guest that is gone is held up by nothing, and leaves nothing behind. */
	if (guest->hold_ns == 0 || guest->scan.closing ||
	    guest->now_ns - guest->hold_since_ns < guest->hold_ns)
		return -EAGAIN;
	guest->held = false;
	guest->holding = false;
	guest->stats.hold_timeouts++;
	return GUEST_PASSED_OVER;
}

uint32_t iopf_guest_run(struct iopf_guest *guest, uint32_t budget, uint64_t now_ns)
{
	uint32_t left;

	guest->budget = budget;
	guest->now_ns = now_ns;
	guest->held = false;
	if (guest_scan_run(guest) == 0)
		iopf_hardware_run(guest->hardware, guest->budget);
	left = guest->budget;
	guest->budget = 0; /* a register write carries nothing out */
	return budget - left;
}

bool iopf_guest_held(const struct iopf_guest *guest)
{
	return guest->held;
}

int iopf_guest_reset(struct iopf_guest *guest, uint64_t now_ns)
{
	int result;

	guest->budget = GUEST_RESET_STEPS;
	guest->now_ns = now_ns;
	guest_forget(guest, GUEST_EVERY_MECHANISM);
	if (!guest->scan.closing) {
		guest_scan_all(guest);
		guest->scan.closing = true;
	}
	result = guest_scan_run(guest);
	guest->budget = 0;
	if (result == 0)
		guest_power_on(guest);
	return result;
}

/* ---- What there is -------------------------------------------------------------------- */

int iopf_guest_space(const struct iopf_guest *guest, uint32_t endpoint, uint32_t pasid,
		     struct iopf_address_space *space)
{
	uint32_t function = guest_function_of_endpoint(guest, endpoint);
	const struct guest_space *found = NULL;

	if (function < guest->function_count)
		found = guest_space_find(guest, function, pasid);
	if (found == NULL || found->leaving)
		return -ENOENT;
	*space = found->entry.value;
	return 0;
}

void iopf_guest_stats(const struct iopf_guest *guest, struct iopf_guest_stats *stats)
{
	struct iopf_guest_stats now = guest->stats;

	now.spaces = guest->space_count;
	for (uint32_t i = 0; i < guest->function_count; i++) {
		const struct shown *shown = guest->functions[i].shown;
		uint64_t debt_ns = shown_oldest_debt_ns(shown);

		now.held += shown->held;
		now.owed += shown->owed;
		if (now.oldest_debt_ns == 0 ||
		    (debt_ns != 0 && debt_ns < now.oldest_debt_ns))
			now.oldest_debt_ns = debt_ns;
	}
	*stats = now;
}
