/* SPDX-License-Identifier: BSD-3-Clause */
/* sim/check.c - what happens at the functions' end, and how long it takes. */
#include <stdarg.h>
#include <stdio.h>

#include "iopf/wire.h"
#include "sim/check_state.h"

/* ---- Results ---------------------------------------------------------------- */

static const char *const names[] = { "I1", "I2", "I3", "I4", "I5",
				     "I6", "I7", "I8", "I9", "I10" };
static const char *const texts[] = {
	[SIM_I1] = "credits and lasts are conserved",
	[SIM_I2] = "a response for each group, once",
	[SIM_I3] = "only its owner's answer, or a named reason",
	[SIM_I4] = "every field comes from the ledger",
	[SIM_I5] = "what is done stays done",
	[SIM_I6] = "everything stays within its bounds",
	[SIM_I7] = "nobody keeps an honest group waiting",
	[SIM_I8] = "failure does not leave",
	[SIM_I9] = "a PASID comes to its new owner empty",
	[SIM_I10] = "what ends is counted under its name",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == SIM_INVARIANT_COUNT, "a name each");
_Static_assert(sizeof(texts) / sizeof(texts[0]) == SIM_INVARIANT_COUNT, "a text each");

const char *sim_invariant_name(enum sim_invariant invariant)
{
	return invariant < SIM_INVARIANT_COUNT ? names[invariant] : "?";
}

const char *sim_invariant_text(enum sim_invariant invariant)
{
	return invariant < SIM_INVARIANT_COUNT ? texts[invariant] : "?";
}

static void wrong(struct sim_check_result *result, const char *format, va_list arguments)
{
	if (result->violations++ == 0)
		vsnprintf(result->first, sizeof(result->first), format, arguments);
}

void check_wrong(struct sim_check *check, enum sim_invariant invariant,
		 const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	wrong(&check->result[invariant], format, arguments);
	va_end(arguments);
}

bool check_holds(struct sim_check *check, enum sim_invariant invariant, bool holds,
		 const char *format, ...)
{
	va_list arguments;

	check->result[invariant].checked++;
	if (holds)
		return true;
	va_start(arguments, format);
	wrong(&check->result[invariant], format, arguments);
	va_end(arguments);
	return false;
}

const struct sim_check_result *sim_check_result(const struct sim_check *check,
						enum sim_invariant invariant)
{
	return &check->result[invariant];
}

uint64_t sim_check_violations(const struct sim_check *check)
{
	uint64_t sum = check->judged.violations;

	for (unsigned n = 0; n < SIM_INVARIANT_COUNT; n++)
		sum += check->result[n].violations;
	return sum;
}

struct sim_check_wait sim_check_longest(const struct sim_check *check)
{
	return check->longest;
}

/* ---- What leaves a function ------------------------------------------------- */

static struct check_function *function_seen(struct sim_check *check,
					    struct model_function *function)
{
	struct check_function *seen =
		check_function_of_rid(check, model_function_rid(function));
	struct model_function_state state;

	if (seen == NULL || seen->function == function)
		return seen;
	model_function_state(function, &state);
	seen->function = function;
	seen->pasid_in_response = state.pasid_in_response;
	seen->allocation = state.allocation;
	check_judge_function(check, seen);
	return seen;
}

static void on_request(void *context, struct model_function *from, uint32_t pasid,
		       uint8_t perm, uint64_t payload)
{
	struct sim_check *check = context;
	struct check_function *function = function_seen(check, from);
	struct iopf_request request;
	struct check_group *group;

	if (function == NULL ||
	    iopf_pcie_decode_request(payload, function->value.rid, pasid, perm,
				     &request) != 0)
		return;
	check_judge_request(check, function, &request, IOPF_AT_FUNCTION);
	if (request.flags & IOPF_STOP)
		return;
	group = check_group_find(check, function, pasid, request.index, false);
	if (group == NULL) {
		group = check_group_new(check, function, pasid, request.index);
		if (group == NULL)
			return;
		group->page = request.addr;
	}
	/* An index that waits, used again: which question a response is for cannot be told
	 * until the interface is reset. */
	if (group->state == CHECK_WAITING)
		function->off = true;
	group->sent++;
	check_interface(check, function)->credits++;
	if (request.flags & IOPF_LAST && group->state == CHECK_OPEN)
		check_group_wait(check, group);
}

/* ---- What reaches it -------------------------------------------------------- */

/* A group that a response is on its way to, whose index is this one's: the response
 * that came has another PASID than it should. */
static bool is_misnamed(const struct sim_check *check, const struct check_function *function,
			uint16_t index)
{
	for (uint32_t n = check_first(function, CHECK_ALL); n != CHECK_NONE;
	     n = check->groups[n].link[CHECK_ALL].next) {
		const struct check_group *group = &check->groups[n];

		if (group->responded && group->index == index)
			return true;
	}
	return false;
}

/* Nothing waits for it. */
static void unexpected(struct sim_check *check, const struct check_function *function,
		       const struct iopf_prg_response *response)
{
	uint32_t pasid = response->pasid;
	struct check_group *stray =
		check_group_find(check, function, pasid, response->index, true);

	if (stray != NULL && stray->responded) { /* it left before the reset */
		check->result[SIM_I2].checked++;
		check_group_drop(check, stray);
		return;
	}
	if (function->off)
		return;
	if (is_misnamed(check, function, response->index))
		check_wrong(check, SIM_I4,
			    CHECK_GROUP_FORMAT "a response came under this name, the ledger "
					       "said another PASID",
			    CHECK_GROUP_NAME(function, pasid, response->index));
	else
		check_wrong(check, SIM_I2,
			    CHECK_GROUP_FORMAT "a response came and nothing waits for one",
			    CHECK_GROUP_NAME(function, pasid, response->index));
}

/* Nothing of it was in the host's hands: an IOMMU answers so by itself. */
static void own_response(struct sim_check *check, const struct check_function *function,
			 const struct check_group *group, enum iopf_code code)
{
	check->own_responses++;
	check_holds(check, SIM_I8, code != IOPF_FAILURE || function->endpoint == IOPF_NO_ID,
		    CHECK_GROUP_FORMAT "failure came from the IOMMU, its context should let "
				       "page requests in",
		    CHECK_GROUP_NAME(function, group->pasid, group->index));
}

static void host_response(struct sim_check *check, const struct check_function *function,
			  const struct check_group *group, enum iopf_code code)
{
	if (!check_holds(check, SIM_I4, group->responded,
			 CHECK_GROUP_FORMAT "a response came that the ledger never made",
			 CHECK_GROUP_NAME(function, group->pasid, group->index)))
		return;
	check_holds(check, SIM_I4, group->code == code,
		    CHECK_GROUP_FORMAT "%s came, the ledger said %s",
		    CHECK_GROUP_NAME(function, group->pasid, group->index),
		    iopf_code_name(code), iopf_code_name((enum iopf_code)group->code));
}

static void on_response(void *context, struct model_function *to, uint32_t pasid,
			uint64_t payload, enum model_verdict verdict)
{
	struct sim_check *check = context;
	struct check_function *function = function_seen(check, to);
	struct iopf_prg_response response;
	struct check_group *group;
	enum iopf_code code;

	if (function == NULL || iopf_pcie_decode_response(payload, pasid, &response) != 0)
		return;
	code = iopf_pcie_meaning(response.code);
	check_judge_response(check, function, pasid, response.index, code,
			     response.code != iopf_pcie_code(code) ? response.code : -1);
	if (verdict == MODEL_IGNORED)
		return;
	group = check_group_find(check, function, pasid, response.index, false);
	if (group != NULL && group->state == CHECK_OPEN)
		group = NULL;
	if (group != NULL && !function->off && !group->last_taken)
		own_response(check, function, group, code);
	else if (group != NULL && !function->off)
		host_response(check, function, group, code);
	if (verdict == MODEL_FAILED) {
		function->off = true; /* no response is expected any more */
		return;
	}
	if (verdict == MODEL_UNEXPECTED || group == NULL) {
		/* An IOMMU names the PASID also where a function wants none. */
		if (group == NULL || group->last_taken)
			unexpected(check, function, &response);
		return;
	}
	check_holds(check, SIM_I2, group->state == CHECK_WAITING,
		    CHECK_GROUP_FORMAT "a response for what does not wait",
		    CHECK_GROUP_NAME(function, pasid, response.index));
	check_group_drop(check, group);
}

static void on_reset(void *context, struct model_function *from, enum model_reset reset)
{
	struct sim_check *check = context;
	struct check_function *function = function_seen(check, from);

	if (function == NULL)
		return;
	check_judge_reset(check, function, reset);
	if (reset == MODEL_PRI_ENABLED)
		function->silent = false;
	function->failed = false;
	if (reset == MODEL_PRI_RESET || reset == MODEL_FLR || reset == MODEL_REMOVED)
		check_function_clear(check, function, reset != MODEL_PRI_RESET);
	if (reset == MODEL_FLR || reset == MODEL_REMOVED)
		function->off = function->silent = true; /* until the host says it, too */
}

static void on_credits(void *context, struct model_function *from, uint32_t in_use,
		       uint32_t allocation)
{
	struct sim_check *check = context;
	struct check_function *function = function_seen(check, from);
	struct model_function_state state;

	if (function == NULL)
		return;
	function->allocation = allocation;
	check->result[SIM_I6].checked++;
	if (in_use <= allocation)
		return;
	model_function_state(from, &state);
	if (state.raw_requests == 0)
		check_wrong(check, SIM_I6,
			    "function 0x%04x: %u requests outstanding, its allocation is %u",
			    (unsigned)function->value.rid, in_use, allocation);
}

struct model_observer sim_check_observer(struct sim_check *check)
{
	return (struct model_observer){ .context = check,
					.request = on_request,
					.response = on_response,
					.reset = on_reset,
					.credits = on_credits };
}

/* ---- Waiting ---------------------------------------------------------------- */

static bool too_long(const struct sim_check_options *options,
		     const struct sim_check_wait *wait)
{
	return (options->wait_ns > 0 || options->wait_turns > 0) &&
	       (options->wait_ns == 0 || wait->ns > options->wait_ns) &&
	       (options->wait_turns == 0 || wait->turns > options->wait_turns);
}

static void look_at_oldest(struct sim_check *check, const struct check_function *function)
{
	uint32_t number = check_first(function, CHECK_UNSEEN);
	struct sim_check_wait wait;
	struct check_group *group;

	if (number == CHECK_NONE)
		return;
	group = &check->groups[number];
	wait.ns = check->now_ns - group->since_ns;
	wait.turns = check->turn - group->since_turn;
	if (wait.ns > check->longest.ns)
		check->longest.ns = wait.ns;
	if (wait.turns > check->longest.turns)
		check->longest.turns = wait.turns;
	check->result[SIM_I7].checked++;
	if (group->late || !too_long(&check->options, &wait))
		return;
	group->late = true;
	check_wrong(check, SIM_I7,
		    CHECK_GROUP_FORMAT "neither shown, served nor ended for %llu turns, %llu "
				       "ns",
		    CHECK_GROUP_NAME(function, group->pasid, group->index),
		    (unsigned long long)wait.turns, (unsigned long long)wait.ns);
}

void sim_check_turn(struct sim_check *check, uint64_t now_ns)
{
	check->turn++;
	check->now_ns = now_ns;
	for (uint32_t n = 0; n < check->function_count; n++) {
		const struct check_function *function = &check->functions[n];

		if (function->value.honest && !function->off &&
		    function->endpoint != IOPF_NO_ID)
			look_at_oldest(check, function);
	}
}
