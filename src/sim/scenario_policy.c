/* SPDX-License-Identifier: BSD-3-Clause */
/* sim/scenario_policy.c - what an operator decides about owners, and how owners end. */
#include "sim/scenario_state.h"

/* ---- Policy ----------------------------------------------------------------- */

/* Keys of the language, and the knobs that they are. */
static const struct {
	uint8_t key; /* enum trace_key */
	size_t member;
} knobs[] = {
	{ TRACE_KEY_deadline, offsetof(struct iopf_policy, deadline_ns) },
	{ TRACE_KEY_deadline_answers, offsetof(struct iopf_policy, deadline_answers) },
	{ TRACE_KEY_quota, offsetof(struct iopf_policy, quota_groups) },
	{ TRACE_KEY_quota_stalls, offsetof(struct iopf_policy, quota_stalls) },
	{ TRACE_KEY_guaranteed, offsetof(struct iopf_policy, guaranteed) },
	{ TRACE_KEY_retry_max, offsetof(struct iopf_policy, retry_max) },
	{ TRACE_KEY_liar_limit, offsetof(struct iopf_policy, liar_limit) },
};

void scenario_policy_read(const struct scenario *s, struct iopf_policy *policy)
{
	for (size_t n = 0; n < sizeof(knobs) / sizeof(knobs[0]); n++) {
		uint64_t *knob = (uint64_t *)(void *)((uint8_t *)policy + knobs[n].member);

		*knob = trace_number(s->event, (enum trace_key)knobs[n].key, *knob);
	}
}

bool scenario_policy(struct scenario *s)
{
	struct scenario_owner *owner = scenario_owner_of(s);
	struct iopf_policy policy;
	int error;

	if (owner == NULL)
		return false;
	policy = owner->policy;
	scenario_policy_read(s, &policy);
	error = iopf_broker_set_policy(iopf_host_broker(s->world.host), owner->owner,
				       &policy);
	if (error == 0)
		owner->policy = policy;
	return scenario_result_holds(s, error);
}

bool scenario_service(struct scenario *s)
{
	const struct scenario_endpoint *endpoint = scenario_endpoint_of(s);
	const struct scenario_owner *owner;

	if (endpoint == NULL)
		return false;
	owner = scenario_owner_of(s);
	return owner != NULL &&
	       scenario_result_holds(
		       s, iopf_broker_out_of_service(
				  iopf_host_broker(s->world.host), endpoint->endpoint,
				  owner->owner,
				  !trace_number(s->event, TRACE_KEY_enabled, 1),
				  s->world.now_ns));
}

/* ---- The end of an owner ---------------------------------------------------- */

/* Whoever holds an owner without queues closes what it held, space after space. */
static bool kill_here(struct scenario *s, uint32_t owner)
{
	uint32_t n = 0;

	while (n < s->space_count) {
		const struct scenario_space space = s->spaces[n];
		struct scenario_endpoint *endpoint = &s->endpoints[space.endpoint];
		int error;

		if (space.owner != owner) {
			n++;
			continue;
		}
		error = scenario_detach_begin(s, endpoint, space.pasid);
		if (!scenario_result_holds(s, error) || error != 0)
			return false;
		if (!scenario_finish(s, endpoint))
			return false;
	}
	return true;
}

bool scenario_kill(struct scenario *s)
{
	struct scenario_owner *owner = scenario_owner_of(s);

	if (owner == NULL)
		return false;
	owner->gone = true;
	if (!owner->queues)
		return kill_here(s, scenario_owner_number(s, owner));
	s->world.guests[owner->guest].options.silent = true;
	return scenario_result_holds(s, iopf_host_guest_gone(s->world.host, owner->note));
}

bool scenario_release(struct scenario *s)
{
	struct scenario_owner *owner = scenario_owner_of(s);
	int error;

	if (owner == NULL)
		return false;
	if (owner->queues)
		return scenario_bad(s, TRACE_KEY_owner,
				    "%s is a guest of the host, expected an owner without queues",
				    owner->name);
	error = iopf_broker_remove_owner(iopf_host_broker(s->world.host), owner->owner);
	owner->released |= error == 0;
	return scenario_result_holds(s, error);
}
