/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sim/check_stall.c - stalled transactions, as the IOMMU has them.
 *
 * A stall is a group of one request: its name is its stream and tag, and its slot of the
 * IOMMU's pool is the credit. It leaves its slot by a RESUME, which is the response, or by
 * the end of its whole stream.
 */
#include "sim/check_state.h"

static struct check_function *stream_of(struct sim_check *check, uint32_t rid)
{
	struct check_function *function = check_function_of_rid(check, rid);

	return function != NULL && function->value.stalls ? function : NULL;
}

static void on_stalled(void *context, const struct iopf_fault *fault)
{
	struct sim_check *check = context;
	struct check_function *function = stream_of(check, fault->rid);
	const struct iopf_request request = iopf_request_from_fault(fault);
	struct check_group *group;

	if (function == NULL)
		return;
	check_judge_request(check, function, &request, IOPF_AT_FUNCTION);
	group = check_group_find(check, function, fault->pasid, fault->index, false);
	if (!check_holds(check, SIM_I2, group == NULL,
			 CHECK_GROUP_FORMAT "stalled under the tag of one that is stalled",
			 CHECK_GROUP_NAME(function, fault->pasid, fault->index)))
		return;
	group = check_group_new(check, function, fault->pasid, fault->index);
	if (group == NULL)
		return;
	function->terminating = false; /* what was terminated came before it */
	group->sent = 1;
	function->credits++;
	check_group_wait(check, group);
}

/* Nothing is stalled there. It did no harm this time: another may be, the next. */
static void resumed_nowhere(struct sim_check *check, const struct check_function *function,
			    uint16_t tag, enum model_stall_verdict verdict)
{
	check_wrong(check, SIM_I2, CHECK_GROUP_FORMAT "%s",
		    CHECK_GROUP_NAME(function, IOPF_PASID_NONE, tag),
		    verdict == MODEL_STALL_SECOND ? "a second RESUME left" :
						    "a RESUME left and nothing is stalled");
}

static void on_resumed(void *context, uint32_t rid, uint16_t tag, enum iopf_code code,
		       enum model_stall_verdict verdict)
{
	struct sim_check *check = context;
	struct check_function *function = stream_of(check, rid);
	struct check_group *group;

	if (function == NULL)
		return;
	check_judge_response(check, function, IOPF_PASID_NONE, tag, code, -1);
	group = check_group_find(check, function, IOPF_PASID_NONE, tag, false);
	if (verdict != MODEL_STALL_TAKEN || group == NULL) {
		resumed_nowhere(check, function, tag, verdict);
		return;
	}
	check->result[SIM_I2].checked++;
	/* Whatever is no retry is an abort there. */
	if (!function->off &&
	    check_holds(check, SIM_I4, group->responded,
			CHECK_GROUP_FORMAT "a RESUME came that the ledger never made",
			CHECK_GROUP_NAME(function, group->pasid, tag)))
		check_holds(check, SIM_I4,
			    (group->code == IOPF_SUCCESS) == (code == IOPF_SUCCESS),
			    CHECK_GROUP_FORMAT "%s came, the ledger said %s",
			    CHECK_GROUP_NAME(function, group->pasid, tag),
			    iopf_code_name(code),
			    iopf_code_name((enum iopf_code)group->code));
	check_group_drop(check, group);
}

static void on_terminated(void *context, uint32_t rid, uint16_t tag)
{
	struct sim_check *check = context;
	struct check_function *function = stream_of(check, rid);
	struct check_group *group;

	if (function == NULL)
		return;
	check_judge_dropped(check, function, tag);
	group = check_group_find(check, function, IOPF_PASID_NONE, tag, false);
	if (group == NULL)
		return;
	check_holds(check, SIM_I3, function->terminating || function->endpoint == IOPF_NO_ID,
		    CHECK_GROUP_FORMAT "ended with its stream, and nobody said so",
		    CHECK_GROUP_NAME(function, group->pasid, tag));
	check_group_drop(check, group);
}

struct model_stall_observer sim_check_stalls(struct sim_check *check)
{
	return (struct model_stall_observer){ .context = check,
					      .stalled = on_stalled,
					      .resumed = on_resumed,
					      .terminated = on_terminated };
}
