/* SPDX-License-Identifier: BSD-3-Clause */
/* sim/check_audit.c - the broker's numbers held against the books. */
#include <string.h>

#include "sim/check_state.h"

/* ---- Reading ---------------------------------------------------------------- */

static void add_row(uint64_t *sum, const struct iopf_stats_row *row)
{
	for (unsigned n = 0; n < IOPF_COUNTER_COUNT; n++)
		sum[n] += __atomic_load_n(&row->counter[n], __ATOMIC_RELAXED);
}

void sim_check_read(const struct sim_check *check, struct iopf_host *host,
		    const struct model_iommu *iommu, struct sim_check_reading *reading)
{
	const struct iopf_broker *broker = iopf_host_broker(host);
	const struct iopf_stats_page *page = iopf_broker_stats(broker);
	const struct model_iommu_stats stats = model_iommu_stats(iommu);
	uint32_t owners = page->endpoint_max + page->owner_max;

	memset(reading, 0, sizeof(*reading));
	for (uint32_t n = 0; n < owners + page->source_max; n++)
		add_row(n >= page->endpoint_max && n < owners ? reading->owner :
								reading->counter,
			&page->row[n]);
	reading->own_responses =
		stats.auto_success + stats.unqueued + stats.refused_requests;
	for (uint32_t n = 0; n < check->function_count; n++) {
		uint32_t endpoint = check->functions[n].endpoint;

		if (endpoint >= page->endpoint_max)
			continue;
		reading->function[n].bound = true;
		if (check->functions[n].value.stalls)
			reading->function[n].slots =
				model_iommu_stalled(iommu, check->functions[n].value.rid);
		add_row(reading->function[n].counter, &page->row[endpoint]);
		for (unsigned gauge = 0; gauge < IOPF_GAUGE_COUNT; gauge++)
			reading->function[n].gauge[gauge] = iopf_broker_gauge(
				broker, endpoint, (enum iopf_gauge)gauge);
	}
}

/* ---- One function ----------------------------------------------------------- */

static unsigned rid_of(const struct check_function *function)
{
	return (unsigned)function->value.rid;
}

static uint32_t open_of(const uint32_t *gauge)
{
	return gauge[IOPF_GAUGE_ready] + gauge[IOPF_GAUGE_delivered] +
	       gauge[IOPF_GAUGE_leaving];
}

/* Requests of a virtual function are in the ledger under its own name. */
static uint32_t ledger_of(const struct sim_check *check, uint32_t interface,
			  const struct sim_check_reading *reading)
{
	uint32_t sum = 0;

	for (uint32_t n = 0; n < check->function_count; n++)
		if (check->functions[n].interface == interface)
			sum += reading->function[n].gauge[IOPF_GAUGE_credits_in_use];
	return sum;
}

/* Credits can be followed where every function of the interface can. */
static bool is_followed(const struct sim_check *check, uint32_t interface)
{
	bool followed = true;

	for (uint32_t n = 0; n < check->function_count; n++)
		followed &= check->functions[n].interface != interface ||
			    !check->functions[n].off;
	return followed;
}

static void audit_credits(struct sim_check *check, const struct check_function *function,
			  uint32_t ledger, enum sim_rest rest)
{
	struct model_function_state state;

	check_holds(check, SIM_I1, ledger == function->ledger,
		    "function 0x%04x: %u credits in the ledger, it took %u and gave none "
		    "back for them",
		    rid_of(function), ledger, function->ledger);
	check_holds(check, SIM_I6, ledger <= function->allocation,
		    "function 0x%04x: %u credits in the ledger, its allocation is %u",
		    rid_of(function), ledger, function->allocation);
	if (function->function == NULL)
		return;
	model_function_state(function->function, &state);
	check_holds(check, SIM_I1, state.credits_in_use == function->credits,
		    "function 0x%04x: %u credits in use, %u requests are unanswered",
		    rid_of(function), state.credits_in_use, function->credits);
	if (rest == SIM_RUNNING || function->lossy)
		return;
	check_holds(check, SIM_I1, function->credits == function->ledger,
		    "function 0x%04x: %u credits in use at rest, the ledger knows of %u and "
		    "nothing was lost",
		    rid_of(function), function->credits, function->ledger);
}

/* The ledger has nothing of the stream any more, and not by responses: the whole stream is
 * being ended. */
static void give_up(struct check_function *function)
{
	function->off = true;
	function->given_up = true;
}

/* Slots in use at the IOMMU are those of the books: in the ledger, or on their way in. */
static void audit_slots(struct sim_check *check, struct check_function *function,
			const uint32_t *gauge, uint32_t slots, enum sim_rest rest)
{
	uint32_t ledger = gauge[IOPF_GAUGE_credits_in_use];

	if (ledger == 0 && function->ledger > 0) {
		give_up(function);
		return;
	}
	/* One that waits for room in the event queue has a slot, and no record yet. */
	check_holds(check, SIM_I1,
		    rest == SIM_RUNNING ? slots >= function->credits :
					  slots == function->credits,
		    "stream 0x%04x: %u slots in use, %u stalls are unanswered",
		    rid_of(function), slots, function->credits);
	check_holds(check, SIM_I1, ledger == function->ledger,
		    "stream 0x%04x: %u stalls in the ledger, it took %u and ended none of them",
		    rid_of(function), ledger, function->ledger);
	check_holds(check, SIM_I6, ledger <= function->value.slots,
		    "stream 0x%04x: %u stalls in the ledger, its share is %u",
		    rid_of(function), ledger, function->value.slots);
	if (rest != SIM_RUNNING)
		check_holds(check, SIM_I1, slots == ledger,
			    "stream 0x%04x: %u slots in use at rest, the ledger knows of %u",
			    rid_of(function), slots, ledger);
}

/* After its stream was terminated: followed again when there is nothing on either side. */
static void follow_again(struct sim_check *check, struct check_function *function,
			 const uint32_t *gauge, enum sim_rest rest)
{
	check_holds(check, SIM_I1, !function->given_up || rest == SIM_RUNNING,
		    "stream 0x%04x: %u stalls have left the ledger, and nobody has ended them",
		    rid_of(function), function->credits);
	if (!function->value.stalls || !function->off || function->credits > 0 ||
	    gauge[IOPF_GAUGE_credits_in_use] > 0)
		return;
	function->ledger = function->orphans = function->open = 0;
	function->off = false;
}

static void audit_groups(struct sim_check *check, const struct check_function *function,
			 const uint32_t *gauge)
{
	check_holds(check, SIM_I2, open_of(gauge) == function->open,
		    "function 0x%04x: %u groups open in the ledger, %u wait for it",
		    rid_of(function), open_of(gauge), function->open);
}

/* Nothing is on its way: what waits still, waits for an owner. */
static void audit_rest(struct sim_check *check, const struct check_function *function,
		       enum sim_rest rest)
{
	for (uint32_t n = check_first(function, CHECK_ALL); n != CHECK_NONE;
	     n = check->groups[n].link[CHECK_ALL].next) {
		const struct check_group *group = &check->groups[n];
		const char *where = !group->last_taken ? "never reached the host" :
				    group->responded   ? "its response never came" :
							 "nobody answers any more";

		if (group->state != CHECK_WAITING)
			continue;
		check_holds(check, SIM_I2,
			    rest == SIM_AT_REST && group->last_taken && !group->responded,
			    CHECK_GROUP_FORMAT "it waits, and %s",
			    CHECK_GROUP_NAME(function, group->pasid, group->index), where);
	}
}

/* A stream's stalls may end by its detach without a RESUME each: they were terminated. */
static uint64_t silent_ends(unsigned ending, const uint64_t *counter)
{
	return ending == IOPF_ENDING_detach ? counter[IOPF_COUNTER_terminated] : 0;
}

static void audit_counters(struct sim_check *check, const struct check_function *function,
			   const uint64_t *counter)
{
	check_holds(check, SIM_I10,
		    counter[IOPF_COUNTER_requests] == function->requests &&
			    counter[IOPF_COUNTER_lasts] == function->lasts,
		    "function 0x%04x: %llu requests counted, the host took %llu",
		    rid_of(function), (unsigned long long)counter[IOPF_COUNTER_requests],
		    (unsigned long long)function->requests);
	for (unsigned n = 0; n < IOPF_ENDING_COUNT; n++) {
		uint64_t counted = counter[iopf_ending_counter((enum iopf_ending)n)];

		if (iopf_ending_is_silent((enum iopf_ending)n))
			continue;
		check_holds(check, SIM_I10,
			    counted >= function->ended[n] &&
				    counted <= function->ended[n] +
						       silent_ends(n, counter),
			    "function 0x%04x: %llu groups counted as %s, it was %llu",
			    rid_of(function), (unsigned long long)counted,
			    iopf_ending_name((enum iopf_ending)n),
			    (unsigned long long)function->ended[n]);
	}
}

/* ---- All of them ------------------------------------------------------------ */

/* Every last that came in is open, or counted under one ending. */
static void audit_lasts(struct sim_check *check, const struct sim_check_reading *reading,
			enum sim_rest rest)
{
	uint64_t lasts = reading->counter[IOPF_COUNTER_lasts], ended = 0, open = 0;

	for (unsigned n = 0; n < IOPF_ENDING_COUNT; n++)
		ended += reading->counter[iopf_ending_counter((enum iopf_ending)n)];
	for (uint32_t n = 0; n < check->function_count; n++)
		open += open_of(reading->function[n].gauge);
	check_holds(check, SIM_I1, lasts == check->lasts,
		    "%llu lasts counted, the host took %llu", (unsigned long long)lasts,
		    (unsigned long long)check->lasts);
	/* A last of an unknown function leaves by a slot that no gauge shows. */
	check_holds(check, SIM_I1,
		    rest == SIM_RUNNING ? lasts >= ended + open : lasts == ended + open,
		    "%llu lasts, %llu of them ended and %llu open", (unsigned long long)lasts,
		    (unsigned long long)ended, (unsigned long long)open);
}

static uint64_t refused_of(const uint64_t *counter)
{
	return counter[IOPF_COUNTER_refused_unknown] +
	       counter[IOPF_COUNTER_refused_duplicate] +
	       counter[IOPF_COUNTER_refused_stale] + counter[IOPF_COUNTER_refused_foreign] +
	       counter[IOPF_COUNTER_refused_malformed];
}

static void audit_named(struct sim_check *check, const struct sim_check_reading *reading)
{
	const uint64_t *counter = reading->counter;
	const struct {
		const char *what;
		uint64_t counted, was;
	} rows[] = {
		{ "overflows", counter[IOPF_COUNTER_overflows], check->overflows },
		{ "stop markers", counter[IOPF_COUNTER_stop_markers], check->stop_markers },
		{ "requests", counter[IOPF_COUNTER_requests], check->requests },
		{ "refused answers", refused_of(reading->owner), check->refused },
	};

	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
		check_holds(check, SIM_I10, rows[n].counted == rows[n].was,
			    "%llu %s counted, it was %llu",
			    (unsigned long long)rows[n].counted, rows[n].what,
			    (unsigned long long)rows[n].was);
	for (unsigned n = 0; n < IOPF_ENDING_COUNT; n++) {
		uint64_t counted = counter[iopf_ending_counter((enum iopf_ending)n)];

		if (iopf_ending_is_silent((enum iopf_ending)n))
			continue;
		check_holds(check, SIM_I10,
			    counted >= check->ended[n] &&
				    counted <= check->ended[n] +
						       silent_ends(n, counter),
			    "%llu groups counted as %s, it was %llu",
			    (unsigned long long)counted,
			    iopf_ending_name((enum iopf_ending)n),
			    (unsigned long long)check->ended[n]);
	}
}

static void audit_queue(struct sim_check *check)
{
	uint64_t granted = 0, slots = 0;

	for (uint32_t n = 0; n < check->function_count; n++) {
		if (check->functions[n].endpoint == IOPF_NO_ID)
			continue;
		granted += check->functions[n].allocation;
		slots += check->functions[n].value.slots;
	}
	check_holds(check, SIM_I6,
		    check->options.stall_slots == 0 || slots <= check->options.stall_slots,
		    "%llu slots granted, the pool has %u", (unsigned long long)slots,
		    check->options.stall_slots);
	check_holds(check, SIM_I6,
		    check->options.queue_entries == 0 ||
			    granted <= check->options.queue_entries,
		    "%llu credits granted, the queue has %u entries for them",
		    (unsigned long long)granted, check->options.queue_entries);
}

static void audit_function(struct sim_check *check, struct check_function *function,
			   const struct sim_check_reading *reading, enum sim_rest rest)
{
	uint32_t n = check_function_number(check, function);
	const uint32_t *gauge = reading->function[n].gauge;

	follow_again(check, function, gauge, rest);
	if (!function->off && function->value.stalls)
		audit_slots(check, function, gauge, reading->function[n].slots, rest);
	audit_counters(check, function, reading->function[n].counter);
	if (function->off)
		return;
	if (!function->value.stalls && function->interface == n && is_followed(check, n))
		audit_credits(check, function, ledger_of(check, n, reading), rest);
	audit_groups(check, function, gauge);
	if (rest != SIM_RUNNING)
		audit_rest(check, function, rest);
}

void sim_check_audit(struct sim_check *check, const struct sim_check_reading *reading,
		     enum sim_rest rest)
{
	for (uint32_t n = 0; n < check->function_count; n++)
		if (reading->function[n].bound &&
		    check->functions[n].endpoint != IOPF_NO_ID)
			audit_function(check, &check->functions[n], reading, rest);
	audit_lasts(check, reading, rest);
	audit_named(check, reading);
	audit_queue(check);
	check_holds(check, SIM_I3, check->own_responses <= reading->own_responses,
		    "%llu responses came that the host did not make, the IOMMU made %llu",
		    (unsigned long long)check->own_responses,
		    (unsigned long long)reading->own_responses);
	if (rest == SIM_OVER)
		check_judge_end(check);
}
