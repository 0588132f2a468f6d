/* SPDX-License-Identifier: BSD-3-Clause */
/* sim/check_note.c - what the host says it did, held against what functions asked. */
#include "sim/check_state.h"

/* What any policy may say, and how long a page is remembered at the least. */
enum { RETRY_MAX = 3, RETRY_MEMORY_NS = 1000000 };

#define HOLDS(invariant, holds, ...) \
	check_holds(check, invariant, holds, CHECK_GROUP_FORMAT __VA_ARGS__)

/* ---- Into the ledger -------------------------------------------------------- */

/* The ledger has a request of it, or more: as the broker counts credits. */
static void take_kept(struct sim_check *check, struct check_function *function,
		      struct check_group *group, bool last)
{
	struct check_function *interface = check_interface(check, function);
	uint32_t room_for = function->value.stalls ? function->value.slots :
						     interface->allocation;
	bool room = interface->ledger < room_for;

	if (room) {
		if (group->taken == 0)
			group->bound = check_time_of(check, function, group->pasid);
		group->taken++;
		interface->ledger++;
	} else {
		function->lossy = true;
	}
	if (!last)
		return;
	group->closed = check_time_of(check, function, group->pasid);
	group->last_taken = true;
	function->open++;
}

/* Of a group that the function has been answered meanwhile: its last was lost, and the
 * IOMMU answered it. The next overflow, which is under way, throws it away. */
static void take_orphan(struct sim_check *check, struct check_function *function, bool last)
{
	struct check_function *interface = check_interface(check, function);

	if (last) {
		function->off = true;
		return;
	}
	if (interface->ledger == interface->allocation)
		return;
	interface->ledger++;
	interface->orphans++;
}

static void take(struct sim_check *check, struct check_function *function,
		 const struct iopf_request *request)
{
	bool last = request->flags & IOPF_LAST;
	struct check_group *group = check_group_find(check, function, request->pasid,
						     request->index, false);

	if (function->off || function->silent)
		return;
	if (function->value.stalls && group == NULL)
		return; /* left over of what was ended with its stream */
	if (group == NULL) {
		take_orphan(check, function, last);
	} else if (group->responded) {
		function->off = true; /* it used an index again before it was answered */
	} else if (group->last_taken || group->pasid != request->pasid) {
		function->lossy = true; /* used again: the host takes it for nothing */
	} else {
		take_kept(check, function, group, last);
	}
}

/* Partial groups are thrown away: of one PASID, or, with IOPF_PASID_ANY, all. */
static void drop_partials(struct sim_check *check, struct check_function *function,
			  uint32_t pasid)
{
	for (uint32_t n = check_first(function, CHECK_ALL); n != CHECK_NONE;
	     n = check->groups[n].link[CHECK_ALL].next) {
		struct check_group *group = &check->groups[n];

		if (group->state == CHECK_STRAY || group->last_taken || group->taken == 0 ||
		    (pasid != IOPF_PASID_ANY && group->pasid != pasid))
			continue;
		check_interface(check, function)->ledger -= group->taken;
		group->taken = 0;
		function->lossy = true;
	}
}

static void note_request(struct sim_check *check, const struct iopf_note *note)
{
	const struct iopf_request *request = note->request;
	struct check_function *function = check_function_of_rid(check, request->rid);

	if (request->flags & IOPF_STOP) {
		check->stop_markers++;
		if (function != NULL)
			drop_partials(check, function, request->pasid);
		return;
	}
	check->requests++;
	check->lasts += (request->flags & IOPF_LAST) != 0;
	if (function == NULL || function->endpoint == IOPF_NO_ID)
		return;
	function->requests++;
	function->lasts += (request->flags & IOPF_LAST) != 0;
	take(check, function, request);
}

static void note_overflow(struct sim_check *check, const struct iopf_note *note)
{
	(void)note;
	check->overflows++;
	for (uint32_t n = 0; n < check->function_count; n++) {
		struct check_function *function = &check->functions[n];

		drop_partials(check, function, IOPF_PASID_ANY);
		function->ledger -= function->orphans;
		function->orphans = 0;
		function->lossy = true;
	}
}

/* ---- To the owner ----------------------------------------------------------- */

/* The book's group behind what is shown or served. */
static struct check_group *given(struct sim_check *check, struct check_function **function,
				 const struct iopf_note *note)
{
	const struct iopf_group *said = note->group;
	const struct check_function *f = check_function_of_rid(check, said->rid);
	struct check_group *g;
	bool open;

	*function = check_function_of_rid(check, said->rid);
	if (f == NULL || f->off)
		return NULL;
	g = check_group_find(check, f, said->pasid, said->index, false);
	if (g == NULL && check_group_find(check, f, said->pasid, said->index, true)) {
		HOLDS(SIM_I5, false, "shown after the function was reset",
		      CHECK_GROUP_NAME(f, said->pasid, said->index));
		return NULL;
	}
	open = g != NULL && g->last_taken && !g->responded;
	HOLDS(SIM_I3, open, "shown, and no such group is open",
	      CHECK_GROUP_NAME(f, said->pasid, said->index));
	if (!open)
		return NULL;
	HOLDS(SIM_I1, said->page_count == g->taken,
	      "%u pages shown, the function asked for %u",
	      CHECK_GROUP_NAME(f, g->pasid, g->index), said->page_count, g->taken);
	check_group_token(check, g, said->token);
	check_group_seen(check, g);
	return g;
}

/* Who is shown a question is the one in whose time it was asked. */
static void show_to_owner(struct sim_check *check, const struct check_function *f,
			  const struct check_group *g, uint32_t guest)
{
	struct check_time now = check_time_of(check, f, g->pasid);

	if (now.guest == guest) {
		HOLDS(SIM_I9,
		      g->asked.guest == CHECK_NONE || check_time_same(g->asked, now),
		      "asked in the time of guest %d, shown to guest %d later",
		      CHECK_GROUP_NAME(f, g->pasid, g->index), (int)g->asked.guest,
		      (int)guest);
	} else if (now.guest == CHECK_NONE && g->bound.guest == guest) {
		HOLDS(SIM_I5, false, "shown to guest %d after its detach",
		      CHECK_GROUP_NAME(f, g->pasid, g->index), (int)guest);
	} else {
		HOLDS(SIM_I3, false, "shown to guest %d, its owner is %d",
		      CHECK_GROUP_NAME(f, g->pasid, g->index), (int)guest,
		      (int)now.guest);
	}
}

static void note_show(struct sim_check *check, const struct iopf_note *note)
{
	struct check_function *function;
	struct check_group *group = given(check, &function, note);

	if (group == NULL)
		return;
	show_to_owner(check, function, group, note->guest);
	group->shown_to = note->guest;
}

static void note_pager(struct sim_check *check, const struct iopf_note *note)
{
	struct check_function *function;
	struct check_group *group = given(check, &function, note);

	if (group == NULL)
		return;
	group->shown_to = note->guest;
	group->answered = true;
	group->answer = note->code;
}

static void note_answer(struct sim_check *check, const struct iopf_note *note)
{
	struct check_group *g = check_group_of_token(check, note->token);
	const struct check_function *f;

	if (g == NULL || g->state == CHECK_STRAY)
		return; /* where it leads to a response, that is seen there */
	f = &check->functions[g->function];
	HOLDS(SIM_I3, g->shown_to == note->guest,
	      "guest %d answered, shown it was guest %d",
	      CHECK_GROUP_NAME(f, g->pasid, g->index), (int)note->guest,
	      (int)g->shown_to);
	HOLDS(SIM_I3, !g->answered && !g->responded, "a second answer was taken",
	      CHECK_GROUP_NAME(f, g->pasid, g->index));
	g->answered = true;
	g->answer = note->code;
}

/* ---- Out of the ledger ------------------------------------------------------ */

/* What each ending may say; IOPF_CODE_COUNT: it says nothing. */
static const uint8_t code_of_ending[] = {
	[IOPF_ENDING_success] = IOPF_SUCCESS,
	[IOPF_ENDING_invalid] = IOPF_INVALID,
	[IOPF_ENDING_failure] = IOPF_FAILURE,
	[IOPF_ENDING_deadline] = IOPF_INVALID,
	[IOPF_ENDING_quota] = IOPF_INVALID,
	[IOPF_ENDING_detach] = IOPF_INVALID,
	[IOPF_ENDING_no_owner] = IOPF_INVALID,
	[IOPF_ENDING_malformed] = IOPF_INVALID,
	[IOPF_ENDING_guest_overflow] = IOPF_SUCCESS,
	[IOPF_ENDING_reset] = IOPF_CODE_COUNT,
	[IOPF_ENDING_removal] = IOPF_CODE_COUNT,
	[IOPF_ENDING_response_failure] = IOPF_CODE_COUNT,
	[IOPF_ENDING_liar] = IOPF_INVALID,
};
_Static_assert(sizeof(code_of_ending) == IOPF_ENDING_COUNT, "a code each");

static void response_code(struct sim_check *check, const struct check_function *f,
			  const struct check_group *g, const struct iopf_response *r)
{
	bool softened = g->answer == IOPF_FAILURE && r->code == IOPF_INVALID;
	bool said = g->answered && (g->answer == r->code || softened);

	if (r->code == IOPF_FAILURE) {
		HOLDS(SIM_I8, f->value.may_fail && r->ending == IOPF_ENDING_failure && said,
		      "failure leaves under %s",
		      CHECK_GROUP_NAME(f, g->pasid, g->index),
		      iopf_ending_name((enum iopf_ending)r->ending));
		return;
	}
	check->result[SIM_I8].checked++;
	if (r->ending > IOPF_ENDING_failure)
		said = code_of_ending[r->ending] == r->code;
	if (r->ending == IOPF_ENDING_quota) /* a page request may be tried again */
		said = r->code == IOPF_INVALID ||
		       (r->code == IOPF_SUCCESS && !f->value.stalls);
	HOLDS(SIM_I3, said, "%s leaves under %s, %s",
	      CHECK_GROUP_NAME(f, g->pasid, g->index),
	      iopf_code_name((enum iopf_code)r->code),
	      iopf_ending_name((enum iopf_ending)r->ending),
	      g->answered ? iopf_code_name((enum iopf_code)g->answer) :
			    "nobody answered");
}

/* A stall that was never anybody's: beyond a share, or broken. It was not in the ledger for
 * its address space, and no detach waits for it: there may always be one more. */
static bool is_rejection(const struct check_function *f, const struct check_group *g,
			 const struct iopf_response *r)
{
	return f->value.stalls && g->shown_to == CHECK_NONE &&
	       (r->ending == IOPF_ENDING_quota || r->ending == IOPF_ENDING_malformed ||
		r->ending == IOPF_ENDING_no_owner);
}

static void response_fields(struct sim_check *check, const struct check_function *f,
			    const struct check_group *g, const struct iopf_response *r)
{
	uint32_t pasid = f->pasid_in_response ? g->pasid : IOPF_PASID_NONE;
	uint32_t count = g->taken > 0 ? g->taken : 1;

	HOLDS(SIM_I4, r->pasid == pasid && r->request_count == count,
	      "PASID %d and %u credits leave, the ledger has %d and %u",
	      CHECK_GROUP_NAME(f, g->pasid, g->index), (int)r->pasid,
	      r->request_count, (int)pasid, count);
	HOLDS(SIM_I4, g->token == 0 || g->token == r->token,
	      "token 0x%llx leaves, shown was 0x%llx",
	      CHECK_GROUP_NAME(f, g->pasid, g->index), (unsigned long long)r->token,
	      (unsigned long long)g->token);
	HOLDS(SIM_I5,
	      g->closed.guest == CHECK_NONE || is_rejection(f, g, r) ||
		      check_time_same(g->closed, check_time_of(check, f, g->pasid)),
	      "a response leaves after its detach was done",
	      CHECK_GROUP_NAME(f, g->pasid, g->index));
}

/* A response leaves and nothing of that name is open. */
static void response_nowhere(struct sim_check *check, const struct check_function *f,
			     const struct iopf_response *r)
{
	struct check_group *stray = check_group_find(check, f, r->pasid, r->index, true);

	if (stray != NULL && !stray->responded) {
		stray->responded = true;
		HOLDS(SIM_I5, false, "a response leaves after its function's reset",
		      CHECK_GROUP_NAME(f, r->pasid, r->index));
		return;
	}
	HOLDS(SIM_I2, false, "%s leaves and no such group waits",
	      CHECK_GROUP_NAME(f, r->pasid, r->index),
	      iopf_code_name((enum iopf_code)r->code));
}

/* "Try again" to whoever has no room: not for ever. */
static void response_retries(struct sim_check *check, struct check_function *f,
			     const struct check_group *g, const struct iopf_response *r)
{
	bool same = f->retried.page == g->page && f->retried.pasid == g->pasid &&
		    check->now_ns - f->retried.ns < RETRY_MEMORY_NS;

	if (r->ending != IOPF_ENDING_quota || r->code != IOPF_SUCCESS) {
		f->retried.count = same ? 0 : f->retried.count;
		return;
	}
	f->retried.count = same ? f->retried.count + 1 : 1;
	f->retried.page = g->page;
	f->retried.pasid = g->pasid;
	f->retried.ns = check->now_ns;
	HOLDS(SIM_I6, f->retried.count <= RETRY_MAX, "told to try again %u times",
	      CHECK_GROUP_NAME(f, g->pasid, g->index), f->retried.count);
}

static void note_response(struct sim_check *check, const struct iopf_note *note)
{
	const struct iopf_response *response = note->response;
	struct check_function *function = check_function_of_rid(check, response->rid);
	struct check_group *group;

	check->ended[response->ending]++;
	if (function == NULL || function->endpoint == IOPF_NO_ID)
		return;
	function->ended[response->ending]++;
	check_holds(check, SIM_I5, !check_interface(check, function)->failed,
		    CHECK_GROUP_FORMAT "a response leaves after a response failure",
		    CHECK_GROUP_NAME(function, response->pasid, response->index));
	if (function->off)
		return;
	group = check_group_find(check, function, response->pasid, response->index, false);
	if (group == NULL || !group->last_taken || group->responded) {
		response_nowhere(check, function, response);
		return;
	}
	check->result[SIM_I2].checked++;
	response_code(check, function, group, response);
	response_fields(check, function, group, response);
	response_retries(check, function, group, response);
	check_group_seen(check, group);
	group->responded = true;
	group->code = response->code;
	check_interface(check, function)->ledger -= group->taken;
	function->open--;
}

/* ---- Whose it is ------------------------------------------------------------ */

/* A new owner comes: nothing of the old one's time is in the ledger or the queue. */
static void note_attach(struct sim_check *check, const struct iopf_note *note)
{
	const struct check_function *f = check_function_of_endpoint(check, note->endpoint);

	if (f == NULL)
		return;
	for (uint32_t n = check_first(f, CHECK_ALL); n != CHECK_NONE;
	     n = check->groups[n].link[CHECK_ALL].next) {
		const struct check_group *g = &check->groups[n];

		if (g->pasid != note->pasid || g->state != CHECK_WAITING || g->responded)
			continue;
		HOLDS(SIM_I9, f->off || g->asked.guest == CHECK_NONE,
		      "given to guest %d, and this of guest %d is not ended",
		      CHECK_GROUP_NAME(f, g->pasid, g->index), (int)note->guest,
		      (int)g->asked.guest);
	}
	check->result[SIM_I9].checked++;
	check_time_begin(check, f, note->pasid, note->guest);
}

static void note_detach(struct sim_check *check, const struct iopf_note *note)
{
	const struct check_function *f = check_function_of_endpoint(check, note->endpoint);
	struct check_time now;

	if (f == NULL)
		return;
	now = check_time_of(check, f, note->pasid);
	for (uint32_t n = check_first(f, CHECK_ALL); n != CHECK_NONE;
	     n = check->groups[n].link[CHECK_ALL].next) {
		const struct check_group *g = &check->groups[n];

		if (g->pasid != note->pasid || g->state == CHECK_STRAY)
			continue;
		/* Whether one that nobody was shown was rejected, its response tells. */
		HOLDS(SIM_I5,
		      f->off || !g->last_taken || g->responded ||
			      (f->value.stalls && g->shown_to == CHECK_NONE) ||
			      !check_time_same(g->closed, now), "open when its detach was done",
		      CHECK_GROUP_NAME(f, g->pasid, g->index));
	}
	check->result[SIM_I5].checked++;
	check_time_begin(check, f, note->pasid, CHECK_NONE);
}

static void note_refuse(struct sim_check *check, const struct iopf_note *note)
{
	(void)note;
	check->refused++;
}

/* The host knows of the reset: its ledger holds nothing of before. Where the function was
 * not reset it is blocked: what waits there waits in vain, and the IOMMU refuses it. */
static void note_reset(struct sim_check *check, const struct iopf_note *note)
{
	struct check_function *function =
		check_function_of_endpoint(check, note->endpoint);

	for (uint32_t n = 0; function != NULL && n < check->function_count; n++) {
		struct check_function *other = &check->functions[n];

		/* A physical function's is that of its virtual ones, too. */
		if (other == function ||
		    other->interface == check_function_number(check, function))
			other->off = !other->silent;
	}
	check->result[SIM_I5].checked++;
}

/* Everything of the stream ends in the IOMMU; the ledger follows in its own time. */
static void note_terminate(struct sim_check *check, const struct iopf_note *note)
{
	struct check_function *function =
		check_function_of_endpoint(check, note->endpoint);

	if (function == NULL)
		return;
	function->terminating = true;
	function->given_up = false;
	function->off = true;
	check->result[SIM_I5].checked++;
}

static void note_remove(struct sim_check *check, const struct iopf_note *note)
{
	struct check_function *function =
		check_function_of_endpoint(check, note->endpoint);

	if (function == NULL)
		return;
	function->endpoint = IOPF_NO_ID;
	function->off = true;
}

void sim_check_note(struct sim_check *check, const struct iopf_note *note)
{
	static void (*const takers[IOPF_NOTE_KIND_COUNT])(struct sim_check *check,
							  const struct iopf_note *note) = {
		[IOPF_NOTE_REQUEST] = note_request,   [IOPF_NOTE_SHOW] = note_show,
		[IOPF_NOTE_PAGER] = note_pager,       [IOPF_NOTE_ANSWER] = note_answer,
		[IOPF_NOTE_REFUSE] = note_refuse,     [IOPF_NOTE_RESPONSE] = note_response,
		[IOPF_NOTE_ATTACH] = note_attach,     [IOPF_NOTE_DETACH] = note_detach,
		[IOPF_NOTE_OVERFLOW] = note_overflow, [IOPF_NOTE_RESET] = note_reset,
		[IOPF_NOTE_REMOVE] = note_remove,     [IOPF_NOTE_TERMINATE] = note_terminate,
	};

	check->now_ns = note->ns;
	check_judge_note(check, note);
	if (note->kind < IOPF_NOTE_KIND_COUNT && takers[note->kind] != NULL)
		takers[note->kind](check, note);
}

/* An operation that failed, or a response failure, ends groups without a note each. */
void sim_check_event(struct sim_check *check, const struct iopf_event *event)
{
	struct check_function *function =
		check_function_of_endpoint(check, event->endpoint);

	if (function != NULL && (event->kind == IOPF_EVENT_OPERATION_FAILED ||
				 event->kind == IOPF_EVENT_RF)) {
		function->off = true;
		check_judge_failed(check, function);
	}
	if (function != NULL && event->kind == IOPF_EVENT_RF)
		check_interface(check, function)->failed = true;
}
