/* SPDX-License-Identifier: BSD-3-Clause */
/* broker_oracle_operations.h - operations as the functions see them, for broker_random.c. */
#ifndef TESTS_BROKER_ORACLE_OPERATIONS_H
#define TESTS_BROKER_ORACLE_OPERATIONS_H

#include "broker_oracle.h"

/* Its partials are nobody's. */
static void disown(struct function *f, int pasid)
{
	EACH(asked, p, i)
		if (asked->live && !asked->last &&
		    asked->attached == f->attached[pasid].name)
			asked->held = false;
}

static bool is_owner_of(const struct function *f, int owner)
{
	for (int p = 0; p <= PASIDS; p++)
		if (f->attached[p].owner == owner)
			return true;
	return false;
}

/* What an operation on one attachment was about is over: it is its successor's, if
 * there is one. */
static void undetach(struct function *f, bool succeeds)
{
	if (f->detaching >= 0) {
		struct attached *it = &f->attached[f->detaching];

		disown(f, f->detaching);
		it->owner = succeeds ? f->successor : -1;
		it->closing = false;
		it->name = ++attach_count;
	}
	f->detaching = f->successor = -1;
	for (int owner = 0; owner < OWNERS; owner++)
		f->out[owner] &= is_owner_of(f, owner);
}

static void do_begin(void)
{
	struct function *f = &functions[draw(FUNCTIONS)];
	unsigned kind = IOPF_OPERATION_DETACH + draw(6);
	int pasid = (int)draw(PASIDS + 1), successor, got;
	bool busy = f->op != IOPF_OPERATION_NONE;

	if (!f->present)
		return;
	successor = owner_for(f);
	if (f->state != ON && draw(2) == 0) /* most of the time paging is on */
		kind = IOPF_OPERATION_RESTART;
	else if (draw(4) != 0)
		kind = draw(2) == 0 ? IOPF_OPERATION_DETACH : IOPF_OPERATION_REPLACE;
	if (!is_whole((enum iopf_operation_kind)kind)) {
		got = kind == IOPF_OPERATION_DETACH ?
			      iopf_broker_detach(broker, f->id, pasid_of(pasid)) :
			      iopf_broker_replace(broker, f->id, pasid_of(pasid),
						  owners[successor], now_ns);
		if (f->attached[pasid].owner < 0) {
			CHECK_EQ(got, -ENOENT);
			return;
		}
		CHECK_EQ(got, busy ? -EBUSY : 0);
		if (got == 0) {
			f->detaching = pasid;
			f->attached[pasid].closing = true;
			f->successor = kind == IOPF_OPERATION_REPLACE ? successor : -1;
			begin(f, (enum iopf_operation_kind)kind);
		}
	} else if (kind < IOPF_OPERATION_RESET) {
		got = kind == IOPF_OPERATION_DISABLE ? iopf_broker_disable(broker, f->id) :
						       iopf_broker_restart(broker, f->id);
		CHECK_EQ(got, busy ? -EBUSY : 0);
		if (got == 0)
			begin(f, (enum iopf_operation_kind)kind);
	} else {
		got = kind == IOPF_OPERATION_RESET ?
			      iopf_broker_reset(broker, f->id, now_ns) :
			      iopf_broker_remove(broker, f->id, now_ns);
		CHECK_EQ(got, f->op == IOPF_OPERATION_REMOVE ? -EBUSY : 0);
		if (got == 0) {
			forget(f);
			undetach(f, true);
			f->restart_wanted = false;
			begin(f, (enum iopf_operation_kind)kind);
		}
	}
}

static void drained(struct function *f)
{
	if (f->drained)
		return;
	f->drained = true;
	if (f->op == IOPF_OPERATION_RESET || f->op == IOPF_OPERATION_REMOVE)
		return;
	EACH(asked, p, i)
		if (is_open(asked) &&
		    (is_whole(f->op) ||
		     asked->attached == f->attached[f->detaching].name))
			host_ends(f, p, i, IOPF_INVALID, IOPF_ENDING_detach);
	if (is_whole(f->op))
		f->epoch++;
}

static unsigned waiting_for(struct function *f)
{
	unsigned waiting = 0;

	if (is_whole(f->op)) {
		for (unsigned i = 0; i < leaving_count; i++)
			waiting += &functions[leaving[i].function] == f;
		return waiting;
	}
	EACH(asked, p, i)
		waiting += asked->ended && asked->owner >= 0 &&
			   asked->attached == f->attached[f->detaching].name;
	return waiting;
}

static void done(struct function *f)
{
	enum iopf_operation_kind kind = f->op;
	bool restart = f->restart_wanted;

	if (is_whole(kind)) /* nothing but what began after a PRI reset */
		EACH(asked, p, i)
			CHECK(!asked->live || (f->fresh && asked->epoch == f->epoch));
	f->fresh = false;
	done_total[kind]++;
	undetach(f, true);
	f->op = IOPF_OPERATION_NONE;
	f->restart_wanted = false;
	if (kind == IOPF_OPERATION_REMOVE)
		f->present = false;
	else if (is_whole(kind))
		f->state = kind == IOPF_OPERATION_RESTART ? ON : OFF;
	if (restart)
		restart_by_itself(f);
}

static void failed(struct function *f)
{
	if (f->op == IOPF_OPERATION_REMOVE) {
		done(f);
		return;
	}
	forget(f);
	undetach(f, false);
	f->op = IOPF_OPERATION_NONE;
	f->restart_wanted = f->fresh = false;
	f->state = FAILED;
}

/* One step, done well, not finished, or (rarely) of a function that does not answer. */
static void do_step(void)
{
	struct function *f = &functions[draw(FUNCTIONS)];
	int step, next, result = draw(8) == 0 ? -EAGAIN : draw(512) == 0 ? -ENODEV : 0;
	unsigned waiting;

	if (!f->present || f->op == IOPF_OPERATION_NONE) {
		CHECK(!f->present || iopf_broker_step(broker, f->id) == IOPF_STEP_NONE);
		return;
	}
	step = iopf_broker_step(broker, f->id);
	CHECK(step > IOPF_STEP_NONE && step < IOPF_STEP_DONE);
	if (step == IOPF_STEP_RESPOND && draw(2) == 0)
		respond(LEAVING_MAX);
	if (result == -EAGAIN && step != IOPF_STEP_DRAIN && step != IOPF_STEP_STOPPED)
		result = 0;
	waiting = waiting_for(f);
	next = iopf_broker_did(broker, f->id, result, now_ns);
	if (result == 0 && step == IOPF_STEP_DRAIN)
		drained(f);
	if (result == 0 && step == IOPF_STEP_PRI_RESET) {
		forget(f);
		f->fresh = next == IOPF_STEP_PRI_ON;
	}
	if (step == IOPF_STEP_RESPOND && result == 0)
		CHECK(next < 0 || (next == step) == (waiting > 0));
	if (next < 0 || (result == -ENODEV && next == IOPF_STEP_DONE))
		failed(f);
	else if (next == IOPF_STEP_DONE)
		done(f);
}

#endif
