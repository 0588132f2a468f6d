/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/hostile_answers.c - what a hostile guest puts into its command queue. */
#include <string.h>

#include "base/le.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/hostile_family.h"

enum { COMMAND_MAX = 32, SOME = 16, FOREIGN_RIDS = 64 };

/* ---- Answers ----------------------------------------------------------------------- */

static struct iopf_command answer_to(const struct iopf_request *request)
{
	return (struct iopf_command){ .kind = IOPF_COMMAND_RESPONSE,
				      .rid = request->rid,
				      .pasid = request->pasid,
				      .index = request->index,
				      .flags = request->flags & IOPF_STALL,
				      .code = IOPF_SUCCESS };
}

static void command_put(struct hostile *hostile, const struct iopf_command *command)
{
	(void)iopf_agent_command(hostile->guest->agent, command);
	iopf_agent_kick(hostile->guest->agent);
}

static void descriptor_put(struct hostile *hostile, const uint8_t *bytes)
{
	(void)iopf_agent_descriptor(hostile->guest->agent, bytes);
	iopf_agent_kick(hostile->guest->agent);
}

/* The host stops at a bad command; a guest has to clear that to go on. */
static void errors_clear(struct hostile *hostile)
{
	hostile_turns(hostile, 2);
	(void)iopf_agent_recover(hostile->guest->agent);
}

void hostile_answer_unasked(struct hostile *hostile)
{
	for (uint32_t i = 0; i < SOME; i++) {
		const struct iopf_request never = {
			.rid = LAYOUT_RID,
			.pasid = i % 2 == 0 ? 1 : IOPF_PASID_NONE,
			.index = (uint16_t)(hostile_random(hostile) % 512),
		};
		struct iopf_command command = answer_to(&never);

		command.code = (uint8_t)(i % IOPF_CODE_COUNT);
		command_put(hostile, &command);
	}
	hostile_turns(hostile, 2);
	hostile_did(hostile, HOSTILE_answer_unasked, SOME, true);
}

void hostile_answer_twice(struct hostile *hostile)
{
	struct iopf_request request;

	if (!hostile_hold(hostile, &request))
		return;
	for (uint32_t i = 0; i < 3; i++) {
		struct iopf_command command = answer_to(&request);

		command.code = i == 0 ? IOPF_INVALID : IOPF_SUCCESS;
		command_put(hostile, &command);
		hostile_turns(hostile, 1);
	}
	hostile_did(hostile, HOSTILE_answer_twice, 2, true);
}

/* The host ends what is open when its address space goes. Nothing is drained, so that
 * it is still owed; and the answer comes then. */
void hostile_answer_late(struct hostile *hostile)
{
	struct guest *guest = hostile->guest;
	struct iopf_request request;
	struct iopf_command command;
	uint64_t ticket;

	if (!hostile_hold(hostile, &request) ||
	    !memory_store64(&guest->space, hostile->family->space_addr(guest, &request), 0))
		return;
	command_put(hostile, &hostile->family->forget);
	if (iopf_agent_wait(guest->agent, false, &ticket) != 0)
		return;
	iopf_agent_kick(guest->agent);
	while (!iopf_agent_waited(guest->agent, ticket) && !guest->port.stop &&
	       cli_now_ns() < guest->give_up_ns)
		hostile_turns(hostile, 1);
	if (!iopf_agent_waited(guest->agent, ticket))
		return; /* it may not be late yet */
	command = answer_to(&request);
	command_put(hostile, &command);
	hostile_turns(hostile, 2);
	hostile_did(hostile, HOSTILE_answer_late, 1, true);
}

/* The requester ids of other guests' functions, as the host numbers them. */
void hostile_answer_foreign_rid(struct hostile *hostile)
{
	struct iopf_request request;

	if (!hostile_hold(hostile, &request))
		return;
	for (uint32_t i = 0; i < FOREIGN_RIDS; i++) {
		struct iopf_command command = answer_to(&request);

		command.rid = 0x0100 + 8 * i;
		command.code = (uint8_t)(i % IOPF_CODE_COUNT);
		command_put(hostile, &command);
	}
	hostile_turns(hostile, 2);
	hostile_did(hostile, HOSTILE_answer_foreign_rid, FOREIGN_RIDS, true);
}

void hostile_answer_other_pasid(struct hostile *hostile)
{
	static const uint32_t pasids[] = { 2, 0, 42, IOPF_PASID_MAX, IOPF_PASID_NONE };
	struct iopf_request request;

	if (!hostile_hold(hostile, &request))
		return;
	for (size_t i = 0; i < CLI_COUNT(pasids); i++) {
		struct iopf_command command = answer_to(&request);

		command.pasid = pasids[i];
		command_put(hostile, &command);
	}
	hostile_turns(hostile, 2);
	hostile_did(hostile, HOSTILE_answer_other_pasid, CLI_COUNT(pasids), true);
}

void hostile_answer_other_index(struct hostile *hostile)
{
	struct iopf_request request;

	if (!hostile_hold(hostile, &request))
		return;
	for (uint32_t i = 1; i < SOME; i++) {
		struct iopf_command command = answer_to(&request);

		command.index = (uint16_t)((request.index + i) % 512);
		command_put(hostile, &command);
	}
	hostile_turns(hostile, 2);
	hostile_did(hostile, HOSTILE_answer_other_index, SOME - 1, true);
}

void hostile_answer_private(struct hostile *hostile)
{
	struct iopf_request request;
	struct iopf_command command;

	if (!hostile_hold(hostile, &request))
		return;
	command = answer_to(&request);
	command.flags |= IOPF_PRIVATE;
	command.private_data[0] = hostile_random(hostile);
	command.private_data[1] = hostile_random(hostile);
	command_put(hostile, &command);
	hostile_turns(hostile, 2);
	hostile_did(hostile, HOSTILE_answer_private, 1, true);
}

/* ---- Bits -------------------------------------------------------------------------- */

static void encode(const struct hostile *hostile, const struct iopf_command *command,
		   uint8_t *bytes)
{
	memset(bytes, 0, COMMAND_MAX);
	(void)hostile->family->wire->encode_command(command,
						    hostile->family->command_bytes, bytes);
}

void hostile_reserved_code(struct hostile *hostile)
{
	const struct hostile_family *family = hostile->family;
	uint64_t mask = (UINT64_C(1) << family->code_width) - 1, count = 0;

	for (uint64_t code = family->code_first; code <= mask; code++) {
		struct iopf_request request;
		struct iopf_command command;
		uint8_t bytes[COMMAND_MAX], *word = bytes + 8 * family->code_word;

		if (!hostile_hold(hostile, &request))
			break;
		command = answer_to(&request);
		encode(hostile, &command, bytes);
		le64_put(word, (le64_get(word) & ~(mask << family->code_low)) |
				       code << family->code_low);
		descriptor_put(hostile, bytes);
		errors_clear(hostile);
		count++;
	}
	if (count > 0)
		hostile_did(hostile, HOSTILE_reserved_code, count, true);
}

void hostile_reserved_bits(struct hostile *hostile)
{
	const struct hostile_bit *bits = hostile->family->reserved;
	struct iopf_request request;

	if (!hostile_hold(hostile, &request))
		return;
	for (size_t i = 0; i < CLI_COUNT(hostile->family->reserved); i++) {
		const struct iopf_command command = answer_to(&request);
		uint8_t bytes[COMMAND_MAX], *word = bytes + 8 * bits[i].word;

		encode(hostile, &command, bytes);
		le64_put(word, le64_get(word) | UINT64_C(1) << bits[i].bit);
		descriptor_put(hostile, bytes);
		errors_clear(hostile);
	}
	hostile_did(hostile, HOSTILE_reserved_bits, CLI_COUNT(hostile->family->reserved),
		    true);
}

void hostile_malformed(struct hostile *hostile)
{
	for (uint32_t i = 0; i < SOME; i++) {
		uint8_t bytes[COMMAND_MAX];

		for (size_t k = 0; k < sizeof(bytes); k += 8)
			le64_put(bytes + k, hostile_random(hostile));
		/* Types that are not, and nothing at all. */
		if (i < 4)
			memset(bytes, i % 2 == 0 ? 0x0f : 0, sizeof(bytes));
		descriptor_put(hostile, bytes);
		errors_clear(hostile);
	}
	hostile_did(hostile, HOSTILE_malformed, SOME, true);
}

/* ---- Invalidations, waits ---------------------------------------------------------- */

void hostile_invalidate_unasked(struct hostile *hostile)
{
	for (uint32_t i = 0; i < SOME; i++) {
		static const uint8_t kinds[] = {
			IOPF_COMMAND_INVALIDATE_CONTEXT, IOPF_COMMAND_INVALIDATE_PASID,
			IOPF_COMMAND_INVALIDATE_IOTLB, IOPF_COMMAND_INVALIDATE_DEVICE
		};
		const uint64_t size_bytes = LAYOUT_PAGE << i;
		const struct iopf_command command = {
			.kind = kinds[i % 4],
			.granularity = i % 4 == 1 ? IOPF_ONE_PASID :
				       i % 4 == 0 ? IOPF_ALL :
						    IOPF_PAGE,
			.domain = (uint16_t)hostile_random(hostile),
			.rid = LAYOUT_RID,
			.pasid = (uint32_t)hostile_random(hostile) & IOPF_PASID_MAX,
			.addr = hostile_random(hostile) & ~(size_bytes - 1) &
				UINT64_C(0x00007fffffffffff),
			.size_bytes = size_bytes,
		};

		command_put(hostile, &command);
		hostile_turns(hostile, 1);
	}
	errors_clear(hostile);
	hostile_did(hostile, HOSTILE_invalidate_unasked, SOME, true);
}

void hostile_invalidate_foreign(struct hostile *hostile)
{
	for (uint32_t i = 0; i < SOME; i++) {
		const struct iopf_command command = {
			.kind = i % 2 == 0 ? IOPF_COMMAND_INVALIDATE_DEVICE :
					     IOPF_COMMAND_INVALIDATE_CONTEXT,
			.granularity = i % 2 == 0 ? IOPF_ALL : IOPF_DEVICE,
			.rid = 0x0100 + 8 * i,
			.pasid = i % 4 == 0 ? 1 : IOPF_PASID_NONE,
		};

		command_put(hostile, &command);
	}
	errors_clear(hostile);
	hostile_did(hostile, HOSTILE_invalidate_foreign, SOME, true);
}

void hostile_wait_anywhere(struct hostile *hostile)
{
	static const uint64_t addrs[] = { 0, LAYOUT_BASE - 4, UINT64_C(0xfee00000),
					  UINT64_C(1) << 40, UINT64_MAX & ~UINT64_C(3) };

	for (size_t i = 0; i < CLI_COUNT(addrs); i++) {
		const struct iopf_command command = {
			.kind = IOPF_COMMAND_WAIT,
			.wait_flags = IOPF_WAIT_STATUS | IOPF_WAIT_INTERRUPT |
				      (i % 2 == 0 ? IOPF_WAIT_DRAIN : 0),
			.pasid = IOPF_PASID_NONE,
			.status_data = UINT32_MAX,
			.status_addr = addrs[i],
		};

		command_put(hostile, &command);
		errors_clear(hostile);
	}
	hostile_did(hostile, HOSTILE_wait_anywhere, CLI_COUNT(addrs), true);
}
