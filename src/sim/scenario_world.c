/* SPDX-License-Identifier: BSD-3-Clause */
/* sim/scenario_world.c - what the world lines of a scenario say, built. */
#include "sim/scenario_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	REQUESTS_A_PAGE = 128, /* entries of the smallest queue */
	QUEUE_ORDER_MAX = 7,
	WAIT_TURNS = 4096, /* I7: longer than anything a scenario does on purpose */
};

/* ---- Lines ------------------------------------------------------------------ */

static void copy_name(char *to, const char *name)
{
	memcpy(to, name, strlen(name) + 1); /* the language bounds it */
}

/* A queue's entries, as pages: 2^n. */
static bool order_of(struct scenario *s, uint32_t entries, uint32_t *order)
{
	*order = 0;
	while (*order <= QUEUE_ORDER_MAX && (uint32_t)REQUESTS_A_PAGE << *order != entries)
		++*order;
	return *order <= QUEUE_ORDER_MAX ||
	       scenario_bad(s, TRACE_KEY_entries,
			    "entries=%u, expected 128 to 16384, a power of two", entries);
}

static bool stalls(const struct scenario *s)
{
	return trace_number(s->event, TRACE_KEY_mechanism,
			    scenario_is(s, TRACE_TRAIT_STALL) ? TRACE_MECHANISM_stall :
								TRACE_MECHANISM_pri) ==
	       TRACE_MECHANISM_stall;
}

static bool endpoint_line(struct scenario *s)
{
	struct scenario_endpoint *endpoint = &s->endpoints[s->endpoint_count];
	const struct trace_event *event = s->event;
	const char *owner = trace_name(event, TRACE_KEY_owner);
	const char *physical = trace_name(event, TRACE_KEY_physical);
	uint64_t capacity = trace_number(event, TRACE_KEY_allocation, 32);

	if (s->endpoint_count == SCENARIO_ENDPOINT_MAX)
		return scenario_bad(s, TRACE_KEY_endpoint, "one more endpoint, expected %u",
				    (unsigned)SCENARIO_ENDPOINT_MAX);
	if (trace_find(event, TRACE_KEY_rid) == NULL)
		return scenario_bad(s, TRACE_KEY_endpoint, "endpoint without 'rid', expected it");
	if (capacity < 1 || capacity > IOPF_HOST_ALLOCATION_MAX)
		return scenario_bad(s, TRACE_KEY_allocation, "expected an allocation of 1 to %u",
				    (unsigned)IOPF_HOST_ALLOCATION_MAX);
	*endpoint = (struct scenario_endpoint){
		.options = { .rid = (uint32_t)trace_number(event, TRACE_KEY_rid, 0),
			     .stalls = stalls(s),
			     .allocation = (uint32_t)capacity,
			     .allocation_min =
				     (uint32_t)trace_number(event, TRACE_KEY_allocation_min, 0),
			     .no_pasid_in_response =
				     !trace_number(event, TRACE_KEY_pasid_in_response,
						   !scenario_is(s, TRACE_TRAIT_NOPASID)),
			     .stop_marker =
				     trace_number(event, TRACE_KEY_sends_stop_markers, 0),
			     .unexpected = (uint8_t)trace_number(event, TRACE_KEY_unexpected,
								 MODEL_UNEXPECTED_UPRGI) },
		.guest = SCENARIO_NONE,
		.endpoint = IOPF_NO_ID,
		.line = event->line,
	};
	copy_name(endpoint->name, trace_name(event, TRACE_KEY_endpoint));
	copy_name(endpoint->owner_name, owner != NULL ? owner : "");
	copy_name(endpoint->physical, physical != NULL ? physical : "");
	s->endpoint_count++;
	return true;
}

/* The names of hosts' families, or of @guests'. */
static const char *names(bool guests)
{
	static char text[256];
	const struct hardware_family *const *family = hardware_families;
	size_t end = 0;

	text[0] = '\0';
	for (; *family != NULL && end < sizeof(text); family++)
		if (!guests || (*family)->guest_mechanisms != 0)
			end += (size_t)snprintf(text + end, sizeof(text) - end, "%s%s",
						end > 0 ? ", " : "", (*family)->wire->name);
	return text;
}

/* The family called @name; NULL, and said where @name is one: unknown. */
static const struct hardware_family *known(struct scenario *s, const char *name, bool guest)
{
	const struct hardware_family *family = name != NULL ? hardware_family_find(name) : NULL;

	if (family != NULL && (!guest || family->guest_mechanisms != 0))
		return family;
	if (name != NULL)
		scenario_bad(s, TRACE_KEY_family, "family=%s, expected one of %s", name,
			     names(guest));
	return NULL;
}

static const struct hardware_family *usual(bool stall)
{
	return hardware_family_first(stall ? IOPF_STALLS : IOPF_PRI);
}

/* The family of the virtual IOMMU that an owner has; NULL: it has none. */
static const char *family_of_owner(const struct scenario *s)
{
	const char *family = trace_name(s->event, TRACE_KEY_family);

	if (family != NULL || !scenario_is(s, TRACE_TRAIT_GUEST) ||
	    trace_number(s->event, TRACE_KEY_role, TRACE_ROLE_guest) != TRACE_ROLE_guest)
		return family;
	if (s->options->guest != NULL)
		return s->options->guest;
	return usual(scenario_is(s, TRACE_TRAIT_STALL))->wire->name;
}

static bool owner_line(struct scenario *s)
{
	struct scenario_owner *owner = &s->owners[s->owner_count];
	const struct trace_event *event = s->event;
	const struct hardware_family *family;
	const char *character = trace_name(event, TRACE_KEY_character);

	if (s->owner_count == SCENARIO_OWNER_MAX)
		return scenario_bad(s, TRACE_KEY_owner, "one more owner, expected %u",
				    (unsigned)SCENARIO_OWNER_MAX);
	family = known(s, family_of_owner(s), true);
	if (family == NULL && s->result->outcome != SCENARIO_OK)
		return false;
	if (character != NULL && strcmp(character, "honest") != 0)
		return scenario_bad(s, TRACE_KEY_character, "character=%s, expected honest",
				    character);
	*owner = (struct scenario_owner){
		.queues = family != NULL,
		.honest = character != NULL,
		.family = family != NULL ? family->wire->name : NULL,
		.may_fail = trace_number(event, TRACE_KEY_may_fail, 0),
		.entries = (uint32_t)trace_number(event, TRACE_KEY_entries, REQUESTS_A_PAGE),
		.note = SCENARIO_OWNER_BASE + s->owner_count,
		.guest = SCENARIO_NONE,
	};
	scenario_policy_read(s, &owner->policy);
	copy_name(owner->name, trace_name(event, TRACE_KEY_owner));
	s->owner_count++;
	return true;
}

static bool source_line(struct scenario *s)
{
	const char *family = trace_name(s->event, TRACE_KEY_family);

	if (s->source_name[0] != '\0')
		return scenario_bad(s, TRACE_KEY_source, "a second source, expected one");
	if (family != NULL) {
		s->family = known(s, family, false);
		if (s->family == NULL)
			return false;
	}
	s->slots = (uint32_t)trace_number(s->event, TRACE_KEY_slots, 0);
	copy_name(s->source_name, trace_name(s->event, TRACE_KEY_source));
	s->entries = (uint32_t)trace_number(s->event, TRACE_KEY_entries, REQUESTS_A_PAGE);
	return true;
}

bool scenario_world_line(struct scenario *s)
{
	if (trace_name(s->event, TRACE_KEY_endpoint) != NULL)
		return endpoint_line(s);
	if (trace_name(s->event, TRACE_KEY_owner) != NULL)
		return owner_line(s);
	if (trace_name(s->event, TRACE_KEY_source) != NULL)
		return source_line(s);
	return true; /* who wrote it, and the like */
}

/* ---- Who has what ----------------------------------------------------------- */

/* The guest that an endpoint belongs to: named, or the only one with queues. */
static bool find_guest(struct scenario *s, struct scenario_endpoint *endpoint)
{
	uint32_t with_queues = 0, only = SCENARIO_NONE;

	for (uint32_t n = 0; n < s->owner_count; n++) {
		if (strcmp(endpoint->owner_name, s->owners[n].name) == 0) {
			endpoint->guest = s->owners[n].queues ? n : SCENARIO_NONE;
			return true;
		}
		if (s->owners[n].queues) {
			with_queues++;
			only = n;
		}
	}
	if (endpoint->owner_name[0] != '\0')
		return scenario_bad(s, TRACE_KEY_NONE, "endpoint %s belongs to %s, expected "
						       "an owner that a world line describes",
				    endpoint->name, endpoint->owner_name);
	endpoint->guest = with_queues == 1 && s->owner_count == 1 ? only : SCENARIO_NONE;
	return true;
}

/* A virtual function stands behind its physical one. */
static bool find_physical(struct scenario *s, struct scenario_endpoint *endpoint)
{
	if (endpoint->physical[0] == '\0')
		return true;
	for (const struct scenario_endpoint *other = s->endpoints; other < endpoint; other++) {
		if (strcmp(other->name, endpoint->physical) != 0)
			continue;
		endpoint->options.has_physical = true;
		endpoint->options.physical_rid = other->options.rid;
		return true;
	}
	return scenario_bad(s, TRACE_KEY_NONE,
			    "endpoint %s is a virtual function of %s, expected that one before it",
			    endpoint->name, endpoint->physical);
}

/* Every endpoint can be there. @asked: the file leaves open where. */
static bool family_fits(struct scenario *s, bool asked)
{
	for (uint32_t n = 0; n < s->endpoint_count; n++) {
		enum iopf_mechanism mechanism =
			s->endpoints[n].options.stalls ? IOPF_STALLS : IOPF_PRI;

		if (asked && mechanism == IOPF_STALLS && s->family->stall_each != 0 &&
		    s->endpoints[n].options.allocation > s->family->stall_each) {
			s->result->outcome = SCENARIO_CANNOT;
			return scenario_bad(s, TRACE_KEY_NONE,
					    "%s: a stream stalls %u times at once",
					    s->family->wire->name, s->family->stall_each);
		}
		if (hardware_family_pages(s->family, mechanism))
			continue;
		scenario_bad(s, TRACE_KEY_NONE, "%s with devices that %s, expected %s",
			     s->family->wire->name,
			     mechanism == IOPF_STALLS ? "stall" : "ask for pages",
			     hardware_family_first(mechanism)->wire->name);
		if (asked)
			s->result->outcome = SCENARIO_CANNOT;
		return false;
	}
	return true;
}

/* What the source's line says, else what is asked for, else what can stall. */
static bool find_family(struct scenario *s)
{
	bool stall = false, asked = s->family == NULL && s->options->host != NULL;

	for (uint32_t n = 0; n < s->endpoint_count; n++)
		stall |= s->endpoints[n].options.stalls;
	if (asked) {
		s->family = known(s, s->options->host, false);
		if (s->family == NULL)
			return false;
	}
	if (s->family == NULL)
		s->family = usual(stall);
	return family_fits(s, asked);
}

/* Functions of one guest, side by side. Returns: how many. */
static uint32_t functions_of(const struct scenario *s, uint32_t guest,
			     struct world_function_options *options)
{
	uint32_t count = 0;

	for (uint32_t n = 0; n < s->endpoint_count; n++)
		if (s->endpoints[n].guest == guest)
			options[count++] = s->endpoints[n].options;
	return count;
}

struct parts {
	struct world_guest_options guests[WORLD_GUEST_MAX];
	struct world_function_options functions[WORLD_GUEST_MAX][SCENARIO_ENDPOINT_MAX];
	uint32_t guest_count;
};

static bool plan_guests(struct scenario *s, struct parts *parts)
{
	for (uint32_t n = 0; n < s->owner_count; n++) {
		struct scenario_owner *owner = &s->owners[n];
		struct world_guest_options *guest = &parts->guests[parts->guest_count];
		struct world_function_options *functions =
			parts->functions[parts->guest_count];
		uint32_t order;

		if (!owner->queues)
			continue;
		if (!order_of(s, owner->entries, &order))
			return false;
		*guest = (struct world_guest_options){
			.function_count = functions_of(s, n, functions),
			.family = owner->family,
			.functions = functions,
			.request_order = order,
			.policy = owner->policy,
			.fault = owner->honest ? NULL : scenario_guest_fault,
		};
		if (guest->function_count == 0)
			return scenario_bad(s, TRACE_KEY_NONE,
					    "guest %s has no endpoint, expected one",
					    owner->name);
		owner->guest = parts->guest_count++;
	}
	return true;
}

/* ---- Built ------------------------------------------------------------------ */

/* Functions that no guest has lie in the host's own hands, and their address spaces are
 * given to owners through the broker's interface. */
static int build_rest(struct scenario *s)
{
	static const uint32_t nobody[] = { IOPF_PASID_MAX };
	static const struct iopf_pager_region region = { .addr = UINT64_C(1) << 40,
							 .out = 0x1000000,
							 .size_bytes = 4096,
							 .perm = IOPF_READ };
	struct iopf_host_function_options functions[SCENARIO_ENDPOINT_MAX];
	struct iopf_host_pager_options options = { .size_bytes = sizeof(options),
						   .functions = functions,
						   .pasids = nobody,
						   .pasid_count = 1,
						   .regions = &region,
						   .region_count = 1 };
	uint32_t guest;

	for (uint32_t n = 0; n < s->endpoint_count; n++) {
		struct world_function *function;
		int error;

		if (s->endpoints[n].guest != SCENARIO_NONE)
			continue;
		error = world_plug(&s->world, &s->endpoints[n].options, &function);
		if (error != 0)
			return error;
		functions[options.function_count++] =
			world_for_host(function, &s->endpoints[n].options);
	}
	return options.function_count == 0 ?
		       0 :
		       iopf_host_add_pager(s->world.host, &options, &guest);
}

static int build_owners(struct scenario *s)
{
	struct iopf_host *host = s->world.host;
	int error = 0;

	for (uint32_t n = 0; n < s->owner_count && error == 0; n++) {
		struct scenario_owner *owner = &s->owners[n];
		const struct iopf_owner_options options = {
			.size_bytes = sizeof(options),
			.flags = owner->may_fail ? IOPF_OWNER_MAY_FAIL : 0,
			.policy = owner->policy,
			.name = n,
		};

		if (owner->queues) {
			owner->note = s->world.guests[owner->guest].id;
			owner->owner = iopf_host_owner(host, owner->note);
			error = iopf_broker_set_policy(iopf_host_broker(host), owner->owner,
						       &owner->policy);
		} else {
			error = iopf_broker_add_owner(iopf_host_broker(host), &options,
						      &owner->owner);
		}
	}
	return error;
}

static int build_check(struct scenario *s)
{
	const struct sim_check_options options = { .queue_entries = s->entries - 1,
						   .family = s->family->wire->name,
						   .wait_turns = WAIT_TURNS };
	int error = sim_check_create(&options, &s->check);

	for (uint32_t n = 0; n < s->endpoint_count && error == 0; n++) {
		const struct scenario_endpoint *endpoint = &s->endpoints[n];

		error = sim_check_add(
			s->check,
			&(struct sim_check_function){
				.rid = endpoint->options.rid,
				.honest = endpoint->guest != SCENARIO_NONE,
				.stalls = endpoint->options.stalls,
				.has_physical = endpoint->options.has_physical,
				.physical_rid = endpoint->options.physical_rid,
				.slots = endpoint->options.stalls ?
						 endpoint->options.allocation :
						 0,
				.may_fail = s->owner_count > 0 && s->owners[0].may_fail });
	}
	return error;
}

static void bind_endpoints(struct scenario *s)
{
	for (uint32_t n = 0; n < s->endpoint_count; n++) {
		struct scenario_endpoint *endpoint = &s->endpoints[n];
		uint32_t rid = endpoint->options.rid;

		endpoint->function = world_function(&s->world, rid);
		endpoint->endpoint = iopf_host_endpoint(s->world.host, rid);
		sim_check_bind(s->check, rid, endpoint->endpoint);
	}
}

bool scenario_world_build(struct scenario *s)
{
	struct parts parts = { 0 };
	struct world_options options = { .guests = parts.guests,
					 .note = scenario_on_note,
					 .event = scenario_on_event,
					 .context = s };
	int error;

	if (s->source_name[0] == '\0')
		s->entries = REQUESTS_A_PAGE;
	for (uint32_t n = 0; n < s->endpoint_count; n++)
		if (!find_guest(s, &s->endpoints[n]) ||
		    !find_physical(s, &s->endpoints[n]))
			return false;
	if (!find_family(s))
		return false;
	options.family = s->family->wire->name;
	options.stall_max = s->slots;
	if (!plan_guests(s, &parts) || !order_of(s, s->entries, &options.request_order))
		return false;
	options.guest_count = parts.guest_count;
	options.guests_later = true; /* a guest's function may be a virtual one of nobody's */
	options.observer = scenario_observer(s);
	options.stalls = scenario_stall_observer(s);
	error = build_check(s);
	if (error == 0)
		error = world_create(&options, &s->world);
	s->world.options.guests = NULL; /* what there is was copied */
	if (error == 0)
		error = build_rest(s);
	if (error == 0)
		error = world_start_guests(&s->world);
	if (error == 0)
		error = build_owners(s);
	if (error == -ENOSPC)
		return scenario_bad(s, TRACE_KEY_NONE, "more endpoints or credits than the "
						       "source's %u entries hold, expected fewer",
				    s->entries);
	/* Address spaces that the family asked for does not know. */
	if (error == -EOPNOTSUPP && s->options->host != NULL)
		s->result->outcome = SCENARIO_CANNOT;
	if (error != 0)
		return scenario_bad(s, TRACE_KEY_NONE, "the world cannot be built: %s",
				    strerror(-error));
	bind_endpoints(s);
	return true;
}

void scenario_world_destroy(struct scenario *s)
{
	if (s->world.host != NULL)
		world_destroy(&s->world);
}
