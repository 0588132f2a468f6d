/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/pri.c - a function's page request interface (PCIe 6.x, 10.4 and 10.5.2).
 *
 * Every event is settled first (books, registers), then observed, then told to the
 * client, then followed by what it makes possible: a message may be answered before
 * the call that sends it returns.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "model/function_state.h"
#include "iopf/wire.h"

/* ---- Who is told --------------------------------------------------------------- */

static void client_tell(const struct model_function *function, uint32_t cookie,
			enum model_outcome outcome)
{
	if (function->client != NULL && cookie != PRI_NO_CLIENT)
		function->client->answered(function->client->context, cookie, outcome);
}

static void observe_credits(struct model_function *function)
{
	struct model_function *physical = function->physical;
	const struct model_observer *observer = &physical->options.observer;

	if (observer->credits != NULL)
		observer->credits(observer->context, physical,
				  physical->pri.credits_in_use, pri_allocation(physical));
}

/* What happens to the interface happens to every function that has it. */
static void observe_reset(struct model_function *physical, enum model_reset reset)
{
	struct model_function *each = physical->first_virtual;

	function_observe_reset(physical, reset);
	for (; each != NULL; each = each->next_virtual)
		function_observe_reset(each, reset);
}

/* ---- Messages ------------------------------------------------------------------ */

static void message_send(struct model_function *function, uint32_t pasid, uint8_t perm,
			 uint64_t payload)
{
	const struct model_observer *observer = &function->options.observer;
	const struct model_upstream *upstream = &function->options.upstream;

	if (observer->request != NULL)
		observer->request(observer->context, function, pasid, perm, payload);
	upstream->page_request(upstream->context, function->options.rid, pasid, perm,
			       payload);
}

static void marker_send(struct model_function *function, uint32_t pasid)
{
	struct iopf_request marker = {
		.rid = function->options.rid,
		.pasid = pasid,
		.flags = IOPF_STOP,
	};

	function->counts.stop_markers++;
	message_send(function, pasid, 0, iopf_pcie_encode_request(&marker));
}

/* Its last has left: nobody has to close it any more. */
static void group_wait(struct pri *pri, struct pri_group *group)
{
	pri->closing -= group->closing;
	group->closing = false;
	pri_group_move(pri, group, PRI_WAITING);
}

static void request_send(struct pri_group *group, bool last)
{
	struct model_function *function = group->function;
	struct pri *pri = &function->physical->pri;
	struct iopf_request request = {
		.addr = group->addr,
		.rid = function->options.rid,
		.pasid = group->pasid,
		.index = group->index,
		.perm = group->perm,
		.flags = last ? IOPF_LAST : 0,
	};

	group->requests++;
	pri->credits_in_use++;
	if (last)
		group_wait(pri, group);
	function->counts.requests++;
	observe_credits(function);
	message_send(function, request.pasid, request.perm & (IOPF_EXEC | IOPF_PRIV),
		     iopf_pcie_encode_request(&request));
}

/* An open group that nobody adds to any more: its last page once more, as the last.
 * False: there is no credit for it. */
static bool group_close(struct pri_group *group)
{
	struct model_function *function = group->function;
	struct pri *pri = &function->physical->pri;

	if (group->requests == 0) {
		uint32_t cookie = group->cookie;

		pri_group_free(function, group);
		client_tell(function, cookie, MODEL_OUTCOME_STOPPED);
		return true;
	}
	pri->closing += !group->closing;
	group->closing = true;
	if (pri->credits_in_use >= pri_allocation(function))
		return false;
	request_send(group, true);
	return true;
}

/* Groups that waited for a credit to be closed with. */
static void closing_step(struct pri *pri)
{
	for (uint32_t n = 0; n < pri->group_max && pri->closing > 0; n++)
		if (pri->groups[n].closing && !group_close(&pri->groups[n]))
			return;
}

/* Whether @group is one of @function's in @pasid, or of all that @function covers. */
static bool is_of(const struct pri_group *group, const struct model_function *function,
		  uint32_t pasid)
{
	if (group->state == PRI_FREE)
		return false;
	return pasid == IOPF_PASID_ANY ?
		       function_covers(function, group->function) :
		       function == group->function && pasid == group->pasid;
}

/* True: none of @pasid's groups is open. IOPF_PASID_ANY: of all groups. */
static bool groups_close(const struct model_function *function, uint32_t pasid)
{
	struct pri *pri = &function->physical->pri;
	bool closed = true;

	for (uint32_t n = 0; n < pri->group_max && pri->in_state[PRI_OPEN] > 0; n++) {
		struct pri_group *group = &pri->groups[n];

		if (group->state == PRI_OPEN && is_of(group, function, pasid))
			closed = group_close(group) && closed;
	}
	return closed;
}

/* ---- What the client asks for -------------------------------------------------- */

bool model_function_stopping(const struct model_function *function, uint32_t pasid)
{
	const struct pri *pri = &function->physical->pri;

	for (uint32_t n = 0; n < pri->stopping_count; n++)
		if (pri->stopping[n].function == function &&
		    pri->stopping[n].pasid == pasid)
			return true;
	return false;
}

int model_group_room(const struct model_function *function, uint32_t pasid)
{
	uint32_t allocation = pri_allocation(function);
	uint32_t in_use = function->physical->pri.credits_in_use;

	if (function->gone)
		return -ENODEV;
	if (function->physical->pri.failed)
		return -EPIPE;
	if (!pri_enabled(function) || !function_pasid_enabled(function, pasid) ||
	    model_function_stopping(function, pasid))
		return -EACCES;
	return in_use < allocation ? (int)(allocation - in_use) : -EAGAIN;
}

int model_group_open(struct model_function *function, uint32_t pasid, uint32_t cookie)
{
	struct pri *pri = &function->physical->pri;
	struct pri_group *group;
	int room = model_group_room(function, pasid), index;

	if (room < 0)
		return room;
	index = pri_index_choose(function, pasid);
	if (index < 0)
		return index;
	group = pri_group_new(function, pasid, (uint16_t)index, cookie);
	if (group == NULL)
		return -EAGAIN;
	pri->next_index = (uint16_t)((index + 1) % (int)PRI_INDEX_COUNT);
	return (int)(group - pri->groups);
}

/* PCIe 10.4.1: something is wanted, and R with Execute. */
static bool perm_allowed(const struct model_function *function, uint32_t pasid,
			 uint8_t perm)
{
	return perm & (IOPF_READ | IOPF_WRITE) &&
	       (!(perm & IOPF_EXEC) || perm & IOPF_READ) &&
	       function_perm_enabled(function, pasid, perm);
}

static struct pri_group *open_group(const struct model_function *function, uint32_t group)
{
	const struct pri *pri = &function->physical->pri;

	if (group >= pri->group_max || pri->groups[group].state != PRI_OPEN ||
	    pri->groups[group].function != function)
		return NULL;
	return &pri->groups[group];
}

int model_group_add(struct model_function *function, uint32_t group, uint64_t addr,
		    uint8_t perm, bool last)
{
	struct pri *pri = &function->physical->pri;
	struct pri_group *open = open_group(function, group);
	uint32_t allocation = pri_allocation(function);

	if (open == NULL || open->closing)
		return -ENOENT;
	if (addr % 4096 != 0 || !perm_allowed(function, open->pasid, perm))
		return -EINVAL;
	if (pri->credits_in_use >= allocation)
		return -EAGAIN;
	open->addr = addr;
	open->perm = perm;
	last = last || pri->credits_in_use + 1 == allocation;
	request_send(open, last);
	return last;
}

int model_group_close(struct model_function *function, uint32_t group)
{
	struct pri_group *open = open_group(function, group);

	if (open == NULL)
		return -ENOENT;
	group_close(open);
	return 0;
}

/* ---- Stopping a PASID ---------------------------------------------------------- */

/* With a marker, what waits is given up: credits come back with its response. After a
 * failure, what is open too; those credits come back with a PRI reset. */
static void give_up(const struct model_function *function, uint32_t pasid,
		    enum model_outcome outcome)
{
	struct pri *pri = &function->physical->pri;

	for (uint32_t n = 0; n < pri->group_max; n++) {
		struct pri_group *group = &pri->groups[n];

		if (group->state == PRI_STALE || !is_of(group, function, pasid))
			continue;
		pri->closing -= group->closing;
		group->closing = false;
		pri_group_move(pri, group, PRI_STALE);
		client_tell(group->function, group->cookie, outcome);
	}
}

static bool any_of(const struct model_function *function, uint32_t pasid)
{
	const struct pri *pri = &function->physical->pri;

	for (uint32_t n = 0; n < pri->group_max; n++)
		if (is_of(&pri->groups[n], function, pasid))
			return true;
	return false;
}

/* One more step of stopping @pasid; true: it is stopped. A marker needs a PASID. */
static bool stop_step(const struct model_function *function, uint32_t pasid)
{
	if (function->physical->pri.failed)
		return true;
	if (!groups_close(function, pasid))
		return false;
	if (!function->options.stop_marker || pasid == IOPF_PASID_NONE)
		return !any_of(function, pasid);
	give_up(function, pasid, MODEL_OUTCOME_STOPPED);
	return true;
}

/* Whoever is stopped leaves the list before its marker leaves: that may be answered. */
static void stops_step(struct pri *pri)
{
	for (uint32_t n = 0; n < pri->stopping_count;) {
		const struct pri_stop stop = pri->stopping[n];

		if (!stop_step(stop.function, stop.pasid)) {
			n++;
			continue;
		}
		pri->stopping[n] = pri->stopping[--pri->stopping_count];
		if (stop.function->options.stop_marker && stop.pasid != IOPF_PASID_NONE &&
		    !pri->failed)
			marker_send(stop.function, stop.pasid);
	}
}

/* Something ended: what waited for it goes on. It sends messages, and these may be
 * answered meanwhile: that is one more round here, not a call inside a call. */
static void go_on(struct model_function *function)
{
	struct pri *pri = &function->physical->pri;

	pri->again = true;
	if (pri->going)
		return;
	pri->going = true;
	while (pri->again) {
		pri->again = false;
		if (pri->closing > 0 && !pri->failed)
			closing_step(pri);
		stops_step(pri);
	}
	pri->going = false;
	pri_settle_stopped(function);
}

int model_function_stop(struct model_function *function, uint32_t pasid)
{
	struct pri *pri = &function->physical->pri;

	if (function->gone)
		return -ENODEV;
	if (!model_function_stopping(function, pasid)) {
		if (pri->stopping_count == PRI_STOP_MAX)
			return -ENOSPC;
		pri->stopping[pri->stopping_count++] =
			(struct pri_stop){ function, pasid };
		go_on(function);
	}
	return model_function_stopping(function, pasid) ? -EAGAIN : 0;
}

/* ---- Responses ----------------------------------------------------------------- */

/* The group that @response is for: the function that got it must have asked, it must
 * wait, and without PRPR there is no PASID in a response (10.4.2.2). */
static struct pri_group *group_answered(const struct model_function *function,
					const struct iopf_prg_response *response)
{
	struct pri_group *group;

	if (!function->physical->options.pasid_in_response &&
	    response->pasid != IOPF_PASID_NONE)
		return NULL;
	group = pri_group_find(function, response->pasid, response->index);
	if (group == NULL || group->function != function || group->state == PRI_OPEN)
		return NULL;
	return group;
}

static void response_unexpected(struct model_function *function)
{
	static const uint32_t error[] = {
		[MODEL_UNEXPECTED_UPRGI] = 0,
		[MODEL_UNEXPECTED_COMPLETION] = AER_UNEXPECTED_COMPLETION,
		[MODEL_UNEXPECTED_REQUEST] = AER_UNSUPPORTED_REQUEST,
	};

	function->counts.uprgi_count++;
	if (error[function->physical->options.unexpected] != 0)
		function_error(function, error[function->physical->options.unexpected]);
	else
		pri_status_set(function, PRI_UPRGI, true);
}

/* The index of a failure need not match anything, and it may come before the last. */
static void response_failed(struct model_function *function)
{
	function->physical->pri.failed = true;
	pri_status_set(function, PRI_RF, true);
}

static enum model_verdict response_settle(struct model_function *function,
					  const struct iopf_prg_response *response,
					  uint32_t *cookie)
{
	struct pri_group *group;
	bool stale;

	if (function->physical->pri.failed)
		return MODEL_IGNORED;
	if (iopf_pcie_meaning(response->code) == IOPF_FAILURE) {
		response_failed(function);
		return MODEL_FAILED;
	}
	group = group_answered(function, response);
	if (group == NULL) {
		response_unexpected(function);
		return MODEL_UNEXPECTED;
	}
	stale = group->state == PRI_STALE;
	*cookie = group->cookie;
	pri_group_free(function, group);
	return stale ? MODEL_STALE : MODEL_TAKEN;
}

static void response_observe(struct model_function *function, uint32_t pasid,
			     uint64_t payload, enum model_verdict verdict)
{
	const struct model_observer *observer = &function->options.observer;

	function->counts.response[verdict]++;
	pri_settle_stopped(function);
	if (observer->response != NULL)
		observer->response(observer->context, function, pasid, payload, verdict);
	if (verdict == MODEL_TAKEN || verdict == MODEL_STALE)
		observe_credits(function);
}

void model_function_response(struct model_function *function, uint32_t pasid,
			     uint64_t payload)
{
	struct iopf_prg_response response;
	uint32_t cookie = PRI_NO_CLIENT;
	enum model_verdict verdict;

	if (function->gone)
		return;
	if (iopf_pcie_decode_response(payload, pasid, &response) != 0 ||
	    response.rid != function->options.rid) {
		function->counts.misrouted++;
		return;
	}
	verdict = response_settle(function, &response, &cookie);
	response_observe(function, pasid, payload, verdict);
	if (verdict == MODEL_TAKEN)
		client_tell(function, cookie,
			    iopf_pcie_meaning(response.code) == IOPF_SUCCESS ?
				    MODEL_OUTCOME_SUCCESS :
				    MODEL_OUTCOME_INVALID);
	if (verdict == MODEL_FAILED)
		give_up(function->physical, IOPF_PASID_ANY, MODEL_OUTCOME_FAILURE);
	go_on(function);
}

/* ---- Enable, disable, reset ---------------------------------------------------- */

/* What a function stopped is stopped: it starts anew. */
static void stops_forget(struct pri *pri, const struct model_function *function)
{
	for (uint32_t n = 0; n < pri->stopping_count;)
		if (function_covers(function, pri->stopping[n].function))
			pri->stopping[n] = pri->stopping[--pri->stopping_count];
		else
			n++;
}

/* Credits of a virtual function may be what others wait for. */
void pri_forget(struct model_function *function)
{
	struct pri *pri = &function->physical->pri;

	stops_forget(pri, function);
	for (uint32_t n = 0; n < pri->group_max; n++) {
		struct pri_group *group = &pri->groups[n];
		const struct model_function *whose = group->function;
		bool told = group->state == PRI_STALE;

		if (!is_of(group, function, IOPF_PASID_ANY))
			continue;
		pri_group_free(function, group);
		if (!told)
			client_tell(whose, group->cookie, MODEL_OUTCOME_LOST);
	}
	assert(function != function->physical ||
	       (pri->credits_in_use == 0 && pri->closing == 0));
	pri_settle_stopped(function);
	observe_credits(function);
	if (function != function->physical)
		go_on(function);
}

static void enable(struct model_function *function)
{
	/* Enabling before Stopped reads 1 has no defined result (10.5.2.2). */
	if (!(config_get(&function->config, CONFIG_PRI_STATUS, 2) & PRI_STOPPED))
		function->counts.undefined++;
	function->pri.failed = false;
	pri_status_set(function, PRI_RF | PRI_UPRGI | PRI_STOPPED, false);
	observe_reset(function, MODEL_PRI_ENABLED);
}

static void disable(struct model_function *function)
{
	if (!function->pri.failed)
		groups_close(function, IOPF_PASID_ANY);
	go_on(function);
	observe_reset(function, MODEL_PRI_DISABLED);
}

void pri_control(struct model_function *function, bool was, bool reset)
{
	if (was && !pri_enabled(function))
		disable(function);
	if (!was && pri_enabled(function))
		enable(function);
	/* Effective only where Enable is, or becomes, 0 (10.5.2.2). */
	if (!reset || pri_enabled(function))
		return;
	pri_forget(function);
	observe_reset(function, MODEL_PRI_RESET);
}

/* ---- Raw messages -------------------------------------------------------------- */

static void raw_settle(struct model_function *function, const struct iopf_request *request)
{
	struct pri *pri = &function->physical->pri;
	struct pri_group *group = pri_group_find(function, request->pasid, request->index);

	if (group == NULL)
		group = pri_group_new(function, request->pasid, request->index,
				      PRI_NO_CLIENT);
	if (group == NULL || group->function != function)
		return;
	group->addr = request->addr;
	group->perm = request->perm;
	group->requests++;
	pri->credits_in_use++;
	if (request->flags & IOPF_LAST && group->state == PRI_OPEN)
		group_wait(pri, group);
	pri_settle_stopped(function);
	observe_credits(function);
}

void model_function_send_raw(struct model_function *function, uint32_t pasid,
			     uint8_t perm, uint64_t payload)
{
	struct iopf_request request;

	if (function->gone)
		return;
	function->counts.raw_requests++;
	if (iopf_pcie_decode_request(payload, function->options.rid, pasid, perm,
				     &request) == 0 &&
	    !(request.flags & IOPF_STOP))
		raw_settle(function, &request);
	message_send(function, pasid, perm, payload);
}
