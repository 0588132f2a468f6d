/* SPDX-License-Identifier: BSD-3-Clause */
/* host/members.c - guests, pagers and their functions: taken in, and out again. */
#include "host/host.h"

#include <errno.h>

static void on_taken(void *context, uint64_t token, enum iopf_ending ending)
{
	struct host_guest *guest = context;

	(void)ending;
	if (guest->guest != NULL)
		iopf_guest_taken(guest->guest, token, guest->host->now_ns);
	if (guest->parked && guest->parked_group.token == token)
		guest->parked = false;
}

static bool rid_used(const struct iopf_host *host, uint32_t rid)
{
	for (uint32_t i = 0; i < host->function_end; i++)
		if (function_used(&host->functions[i]) && host->functions[i].rid == rid)
			return true;
	return false;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* A quota that is smaller than what functions may ask makes that smaller: otherwise their
 * owner, alone there, would be refused what they were promised. It is for all of an owner's
 * functions together, each gets a part; a virtual one uses its physical function's. */
static uint32_t quota_of(const struct iopf_host_function_options *functions, uint32_t count,
			 uint8_t mechanism, const struct iopf_policy *policy)
{
	uint64_t quota =
		mechanism == IOPF_STALLS ? policy->quota_stalls : policy->quota_groups;
	uint32_t parts = 0;

	for (uint32_t i = 0; i < count; i++)
		parts += functions[i].mechanism == mechanism && !functions[i].has_physical;
	if (quota == 0 || parts == 0 || quota / parts > IOPF_HOST_ALLOCATION_MAX)
		return IOPF_HOST_ALLOCATION_MAX;
	return quota < parts ? 1 : (uint32_t)(quota / parts);
}

static int add_endpoint(struct iopf_host *host, struct host_function *function,
			const struct iopf_host_function_options *from, uint32_t allocation)
{
	bool is_virtual = function->physical != IOPF_NO_ID;
	const struct iopf_endpoint_options endpoint = {
		.size_bytes = sizeof(endpoint),
		.source = host->sources[function_source(function)].id,
		.rid = function->rid,
		.allocation = allocation,
		.allocation_min = least(from->allocation_min, allocation),
		.pasid_in_response = function->wants_pasid,
		.mechanism = function->master != NULL ? IOPF_STALLS : IOPF_PRI,
		.has_physical = is_virtual,
		.physical = is_virtual ? host->functions[function->physical].endpoint : 0,
	};
	int error = iopf_broker_add_endpoint(host->broker, &endpoint, &function->endpoint);

	if (error != 0)
		return error;
	function->allocation =
		iopf_broker_gauge(host->broker, function->endpoint, IOPF_GAUGE_granted);
	host->function_of_endpoint[function->endpoint] =
		(uint32_t)(function - host->functions);
	function_move(host, function, FUNCTION_PRESENT);
	return 0;
}

/* The physical function of @options, or none. Returns: 0, -ENOENT. */
static int find_physical(const struct iopf_host *host,
			 const struct iopf_host_function_options *options, uint32_t *physical)
{
	const struct host_function *function;

	*physical = IOPF_NO_ID;
	if (!options->has_physical)
		return 0;
	function = host_function_of(host, iopf_host_endpoint(host, options->physical_rid));
	if (function == NULL || function->master != NULL || function->physical != IOPF_NO_ID)
		return -ENOENT;
	*physical = (uint32_t)(function - host->functions);
	return 0;
}

/* A PCIe function never stalls (SMMUv3, "PCIe and stalls"), a master does nothing else. */
static int options_wrong(const struct iopf_host *host,
			 const struct iopf_host_function_options *options)
{
	bool stalls = options->mechanism == IOPF_STALLS;

	if (options->allocation < 1 || options->allocation > IOPF_HOST_ALLOCATION_MAX ||
	    options->mechanism > IOPF_STALLS || stalls != (options->master != NULL) ||
	    stalls != (options->ops == NULL) ||
	    (stalls && (options->has_physical || options->config != NULL)))
		return -EINVAL;
	if (host->sources[stalls ? HOST_STALLS : HOST_PRI].id == IOPF_NO_ID)
		return -EOPNOTSUPP;
	return 0;
}

/* What fails once it is used is undone by guest_leave(). */
static int add_function(struct iopf_host *host, struct host_guest *guest,
			const struct iopf_host_function_options *options, uint32_t quota,
			struct host_function *function)
{
	uint32_t capacity;
	int error = options_wrong(host, options);

	*function = (struct host_function){ .state = FUNCTION_TAKEN,
					    .rid = options->rid,
					    .guest_rid = options->guest_rid,
					    .guest = (uint32_t)(guest - host->guests),
					    .physical = IOPF_NO_ID,
					    .other_shown = options->other_shown,
					    .ops = options->ops,
					    .master = options->master,
					    .context = options->context };
	if (error != 0)
		return error;
	if (rid_used(host, options->rid))
		return -EEXIST;
	error = find_physical(host, options, &function->physical);
	if (error == 0)
		error = function_probe(host, function);
	if (error != 0)
		return error;
	capacity = function_capacity(host, function);
	if (capacity == 0)
		return -ENODEV;
	guest->sources |= (uint8_t)(1u << function_source(function));
	capacity = least(capacity, quota);
	error = add_endpoint(host, function, options, least(capacity, options->allocation));
	if (error == 0)
		error = function_door(host, function, FAMILY_OPEN);
	return error != 0 ? error : function_enable(function);
}

static struct iopf_guest_options guest_options(const struct iopf_host_guest_options *from)
{
	return (struct iopf_guest_options){
		.size_bytes = sizeof(struct iopf_guest_options),
		.endpoint_count = from->function_count,
		.memory = from->memory,
		.pasid_max = from->pasid_max,
		.levels = from->levels,
		.hold_ns = from->hold_ns,
		.ops = &host_guest_ops,
		.family = from->family,
	};
}

/* Tables of another format than the host's IOMMU reads are shadowed. Which family that is
 * shows only when the guest is taken in, so whoever names its own brings the memory. */
static bool may_shadow(const struct iopf_host_guest_options *options)
{
	return options->shadow || options->family != NULL;
}

/* The shadows follow the guest in its memory. */
static size_t shadows_at(const struct iopf_host_guest_options *options)
{
	static const struct iopf_guest_endpoint any = { 0 };
	struct iopf_guest_options guest = guest_options(options);

	guest.endpoints = &any; /* only their number matters for the size */
	return (iopf_guest_size_bytes(&guest) + 63) / 64 * 64;
}

/* And behind them stand the configuration spaces. */
static size_t views_at(const struct iopf_host_guest_options *options)
{
	size_t shadows = may_shadow(options) ? shadows_size_bytes(options->pasid_max) : 0;

	return shadows_at(options) + (shadows + 63) / 64 * 64;
}

size_t iopf_host_guest_size_bytes(const struct iopf_host_guest_options *options)
{
	return shadows_at(options) == 0 ? 0 :
					  views_at(options) + views_size_bytes(options);
}

/* Returns: 0, -EOPNOTSUPP (no such family). */
static int create_shadows(const struct iopf_host *host, struct host_guest *guest,
			  const struct iopf_host_guest_options *from)
{
	const struct family *family =
		from->family == NULL ? host->family : family_find(from->family);

	if (family == NULL)
		return -EOPNOTSUPP;
	if (from->shadow || family->first != host->family->first)
		shadows_create(&guest->shadows, from->pasid_max,
			       (uint8_t *)from->guest_memory + shadows_at(from));
	return 0;
}

/* As it asks, or as it is wanted to look; where the guest's family knows that. */
static uint8_t shown_as(const struct hardware_family *hardware,
			const struct host_function *function)
{
	bool stalls = (function->master != NULL) != function->other_shown;

	return (uint8_t)hardware_family_shown(hardware, stalls ? IOPF_STALLS : IOPF_PRI);
}

static int create_guest(struct iopf_host *host, struct host_guest *guest,
			const struct iopf_host_guest_options *from)
{
	struct iopf_guest_endpoint endpoints[IOPF_GUEST_ENDPOINT_MAX];
	struct iopf_guest_options options = guest_options(from);
	const struct hardware_family *hardware =
		from->family == NULL ? host->hardware : hardware_family_find(from->family);
	int error;

	if (hardware == NULL)
		return -EOPNOTSUPP;
	if (from->guest_memory_bytes < iopf_host_guest_size_bytes(from))
		return -ENOSPC;
	error = views_create(host, guest, from,
			     (uint8_t *)from->guest_memory + views_at(from));
	if (error != 0)
		return error;
	for (uint32_t i = 0; i < from->function_count; i++) {
		const struct host_function *function =
			&host->functions[guest->function_first + i];

		endpoints[i] = (struct iopf_guest_endpoint){
			.rid = function->guest_rid,
			.endpoint = function->endpoint,
			.pasid_in_response = function->wants_pasid,
			.mechanism = shown_as(hardware, function),
			.config = function->config,
		};
	}

	options.endpoints = endpoints;
	options.context = guest;
	if (options.family == NULL)
		options.family = host->family->name;
	error = iopf_guest_create(&options, from->guest_memory, from->guest_memory_bytes,
				  &guest->guest);
	return error != 0 ? error : create_shadows(host, guest, from);
}

static int add_owner(struct iopf_host *host, struct host_guest *guest,
		     struct iopf_owner_options owner)
{
	int error;

	owner.size_bytes = sizeof(owner);
	owner.taken = on_taken;
	owner.context = guest;
	error = iopf_broker_add_owner(host->broker, &owner, &guest->owner);
	guest->owned = error == 0;
	return error;
}

static int add_functions(struct iopf_host *host, struct host_guest *guest,
			 const struct iopf_host_function_options *functions,
			 const struct iopf_policy *policy)
{
	int error = 0;

	for (uint32_t i = 0; error == 0 && i < guest->function_count; i++)
		error = add_function(host, guest, &functions[i],
				     quota_of(functions, guest->function_count,
					      functions[i].mechanism, policy),
				     &host->functions[guest->function_first + i]);
	return error;
}

static int fill_guest(struct iopf_host *host, struct host_guest *guest,
		      const struct iopf_host_guest_options *options)
{
	int error = pager_create(&guest->pager, host->family, &host->tables, FAMILY_SECOND,
				 options->regions, options->region_count);

	if (error == 0)
		error = add_functions(host, guest, options->functions, &options->policy);
	if (error == 0)
		error = create_guest(host, guest, options);
	if (error == 0)
		error = add_owner(host, guest,
				  (struct iopf_owner_options){
					  .policy = options->policy,
					  .name = options->name });
	return error;
}

static int attach_all(struct host_guest *guest, const uint32_t *pasids,
		      uint32_t pasid_count)
{
	const struct iopf_address_space stage_alone = { .levels = 0 };
	int error = 0;

	for (uint32_t i = 0; error == 0 && i < guest->function_count * pasid_count; i++)
		error = guest_space(guest,
				    &guest->host->functions[guest->function_first +
							    i / pasid_count],
				    pasids[i % pasid_count], &stage_alone);
	return error;
}

static int fill_pager(struct iopf_host *host, struct host_guest *guest,
		      const struct iopf_host_pager_options *options)
{
	static const struct iopf_policy none;
	int error = pager_create(&guest->pager, host->family, &host->tables,
				 (enum family_table)host->family->alone, options->regions,
				 options->region_count);

	if (error == 0)
		error = add_functions(host, guest, options->functions, &none);
	if (error == 0)
		error = add_owner(host, guest,
				  (struct iopf_owner_options){ .flags = IOPF_OWNER_HOST,
							       .name = options->name });
	return error != 0 ? error :
			    attach_all(guest, options->pasids, options->pasid_count);
}

/* ---- Places -------------------------------------------------------------------- */

/* Where @count adjoining functions belong to nobody; function_max: nowhere. */
static uint32_t find_functions(const struct iopf_host *host, uint32_t count)
{
	uint32_t run = 0;

	for (uint32_t i = 0; i < host->options.function_max; i++) {
		run = host->functions[i].state != FUNCTION_FREE ? 0 : run + 1;
		if (run == count)
			return i + 1 - count;
	}
	return host->options.function_max;
}

static void mark_functions(struct iopf_host *host, uint32_t first, uint32_t count,
			   bool taken)
{
	for (uint32_t i = 0; i < count; i++)
		host->functions[first + i] = (struct host_function){
			.state = taken ? FUNCTION_TAKEN : FUNCTION_FREE };
	if (taken && first + count > host->function_end)
		host->function_end = first + count;
}

/* A free place for @function_count functions and @spaces address spaces, which are its
 * own from here: what another guest attaches does not count against them.
 * Returns: 0, -EINVAL, -ENOSPC. */
static int find_place(struct iopf_host *host, uint32_t function_count, uint32_t spaces,
		      uint32_t *id)
{
	uint32_t at = 0, first;

	if (function_count < 1 || function_count > IOPF_GUEST_ENDPOINT_MAX)
		return -EINVAL;
	first = find_functions(host, function_count);
	while (at < host->options.guest_max && host->guests[at].used)
		at++;
	if (at == host->options.guest_max || first == host->options.function_max ||
	    spaces > host->options.attachment_max - host->spaces)
		return -ENOSPC;
	host->spaces += spaces;
	host->guests[at] = (struct host_guest){ .used = true,
						.host = host,
						.spaces = spaces,
						.function_first = first,
						.function_count = function_count };
	mark_functions(host, first, function_count, true);
	*id = at;
	return 0;
}

static void free_place(struct iopf_host *host, struct host_guest *guest)
{
	mark_functions(host, guest->function_first, guest->function_count, false);
	host->spaces -= guest->spaces;
	guest->used = false;
}

/* Where it could not be taken in, what is done already is undone in turns. */
static int settle(struct iopf_host *host, struct host_guest *guest, int error)
{
	if (error == 0)
		return 0;
	guest->failed = true;
	guest->guest = NULL; /* its memory is the caller's again */
	guest->shadows = (struct host_shadows){ 0 };
	for (uint32_t i = 0; i < guest->function_count; i++)
		host->functions[guest->function_first + i].config = NULL;
	guest_leave(host, guest);
	return error;
}

int iopf_host_add_guest(struct iopf_host *host,
			const struct iopf_host_guest_options *options, uint32_t *out)
{
	struct host_guest *guest;
	int error;

	if (options->size_bytes != sizeof(*options))
		return -EINVAL;
	error = find_place(host, options->function_count, options->pasid_max, out);
	if (error != 0)
		return error;
	guest = &host->guests[*out];
	guest->interrupt = options->interrupt;
	guest->context = options->context;
	return settle(host, guest, fill_guest(host, guest, options));
}

int iopf_host_add_pager(struct iopf_host *host,
			const struct iopf_host_pager_options *options, uint32_t *out)
{
	int error;

	if (options->size_bytes != sizeof(*options) || options->pasid_count < 1 ||
	    options->pasid_count > IOPF_PASID_MAX)
		return -EINVAL;
	error = find_place(host, options->function_count,
			   options->function_count * options->pasid_count, out);
	if (error != 0)
		return error;
	return settle(host, &host->guests[*out],
		      fill_pager(host, &host->guests[*out], options));
}

/* ---- And out again ------------------------------------------------------------- */

/* Answered and stopped while it is there to hear it, then removed. False: not yet. */
static bool function_left(struct iopf_host *host, struct host_function *function)
{
	if (!function_used(function))
		return true;
	if (function->state == FUNCTION_CLOSING ||
	    iopf_host_busy(host, function->endpoint))
		return false;
	if (!function->leaving) {
		function->leaving = true;
		iopf_broker_disable(host->broker, function->endpoint);
	} else {
		function_disable(function);
		iopf_host_remove_function(host, function->endpoint, host->now_ns);
	}
	return false;
}

int guest_leave(struct iopf_host *host, struct host_guest *guest)
{
	bool left = true;

	for (uint32_t i = 0; i < guest->function_count; i++)
		left &= function_left(host, &host->functions[guest->function_first + i]);
	if (!shadows_run(guest) || !left)
		return -EAGAIN;
	if (guest->owned && iopf_broker_remove_owner(host->broker, guest->owner) != 0)
		return -EAGAIN;
	pager_destroy(&guest->pager);
	free_place(host, guest);
	return 0;
}

int iopf_host_remove_guest(struct iopf_host *host, uint32_t id, uint64_t now_ns)
{
	struct host_guest *guest = guest_get(host, id);

	if (guest == NULL)
		return -ENOENT;
	host->now_ns = now_ns;
	if (guest->guest != NULL && !guest->over) {
		guest->gone = true;
		return -EAGAIN;
	}
	return guest_leave(host, guest);
}
