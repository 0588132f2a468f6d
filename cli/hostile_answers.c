/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/hostile_answers.c - what a hostile guest puts into its command queue.
 *
 * Which bits of an answer are its code, and which have to be 0, is what the family's own
 * codec says about them.
 */
#include <string.h>

#include "base/le.h"
#include "cli/cli.h"
#include "cli/hostile.h"
#include "iopf/wire.h"
#include "queue/driver.h"

enum { COMMAND_MAX = 32, COMMAND_WORDS = COMMAND_MAX / 8, SOME = 16, FOREIGN_RIDS = 64 };

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

/* Returns: 1, or 0 where there is no room or the family has no such command. */
static uint32_t command_put(struct hostile *hostile, const struct iopf_command *command)
{
	int error = iopf_agent_command(hostile->guest->agent, command);

	iopf_agent_kick(hostile->guest->agent);
	return error == 0;
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
	    iopf_agent_forget(guest->agent, request.rid, request.pasid, &ticket) != 0)
		return;
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

/* A command as words. */
struct bits {
	uint64_t word[COMMAND_WORDS];
};

static struct bits bits_of(const struct iopf_wire *wire, uint32_t size_bytes,
			   const struct iopf_command *command)
{
	uint8_t bytes[COMMAND_MAX] = { 0 };
	struct bits bits;

	(void)wire->encode_command(command, size_bytes, bytes);
	for (size_t i = 0; i < COMMAND_WORDS; i++)
		bits.word[i] = le64_get(bytes + 8 * i);
	return bits;
}

static void bits_bytes(const struct bits *bits, uint8_t *bytes)
{
	for (size_t i = 0; i < COMMAND_WORDS; i++)
		le64_put(bytes + 8 * i, bits->word[i]);
}

static void bits_put(struct hostile *hostile, const struct bits *bits)
{
	uint8_t bytes[COMMAND_MAX];

	bits_bytes(bits, bytes);
	descriptor_put(hostile, bytes);
	errors_clear(hostile);
}

/* The IOMMU has to stop at it. */
static bool bits_refused(const struct hostile *hostile, const struct bits *bits)
{
	const struct iopf_driver *driver = hostile->driver;
	struct iopf_command command;
	uint8_t bytes[COMMAND_MAX];

	bits_bytes(bits, bytes);
	return driver->options.wire->decode_command(bytes, driver->options.command_bytes,
						    &command) != 0;
}

/* @request answered with each code that there is. */
static void answers_of(const struct hostile *hostile, const struct iopf_request *request,
		       struct bits answers[IOPF_CODE_COUNT])
{
	const struct iopf_driver_options *options = &hostile->driver->options;
	struct iopf_command command = answer_to(request);

	for (unsigned code = 0; code < IOPF_CODE_COUNT; code++) {
		command.code = (uint8_t)code;
		answers[code] = bits_of(options->wire, options->command_bytes, &command);
	}
}

/* Where answers differ is their code. */
static uint64_t code_mask(const struct bits answers[IOPF_CODE_COUNT], size_t word)
{
	uint64_t mask = 0;

	for (unsigned code = 1; code < IOPF_CODE_COUNT; code++)
		mask |= answers[code].word[word] ^ answers[0].word[word];
	return mask;
}

static bool code_known(const struct bits answers[IOPF_CODE_COUNT], size_t word,
		       uint64_t value)
{
	for (unsigned code = 0; code < IOPF_CODE_COUNT; code++)
		if (answers[code].word[word] == value)
			return true;
	return false;
}

/* The answer @number of those whose code is none. False: there are no more of them. */
static bool reserved_answer(const struct bits answers[IOPF_CODE_COUNT], uint32_t number,
			    struct bits *answer)
{
	for (size_t i = 0; i < COMMAND_WORDS; i++) {
		uint64_t mask = code_mask(answers, i), code = 0;

		if (mask == 0)
			continue;
		do {
			*answer = answers[0];
			answer->word[i] = (answer->word[i] & ~mask) | code;
			if (!code_known(answers, i, answer->word[i]) && number-- == 0)
				return true;
			code = (code - mask) & mask; /* the next that has no other bits */
		} while (code != 0);
	}
	return false;
}

void hostile_reserved_code(struct hostile *hostile)
{
	struct bits answers[IOPF_CODE_COUNT], answer;
	struct iopf_request request;
	uint32_t count = 0;

	while (hostile_hold(hostile, &request)) {
		answers_of(hostile, &request, answers);
		if (!reserved_answer(answers, count, &answer))
			break;
		bits_put(hostile, &answer);
		count++;
	}
	if (count > 0)
		hostile_did(hostile, HOSTILE_reserved_code, count, true);
}

/* Every bit that makes of @answer something that has to be refused. Returns: how many. */
static uint32_t bad_bits(const struct hostile *hostile, const struct bits *answer,
			 uint8_t bits[64 * COMMAND_WORDS])
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < 8 * hostile->driver->options.command_bytes; i++) {
		struct bits bad = *answer;

		bad.word[i / 64] |= UINT64_C(1) << i % 64;
		if (bits_refused(hostile, &bad))
			bits[count++] = (uint8_t)i;
	}
	return count;
}

/* Some of them, all over the command. */
void hostile_reserved_bits(struct hostile *hostile)
{
	enum { TRIES = 8 };
	struct bits answers[IOPF_CODE_COUNT];
	uint8_t bits[64 * COMMAND_WORDS];
	struct iopf_request request;
	uint32_t count;

	if (!hostile_hold(hostile, &request))
		return;
	answers_of(hostile, &request, answers);
	count = bad_bits(hostile, &answers[IOPF_SUCCESS], bits);
	for (uint32_t i = 0; i < TRIES && i < count; i++) {
		struct bits bad = answers[IOPF_SUCCESS];
		uint8_t bit = bits[count < TRIES ? i : i * (count - 1) / (TRIES - 1)];

		bad.word[bit / 64] |= UINT64_C(1) << bit % 64;
		bits_put(hostile, &bad);
	}
	if (count > 0)
		hostile_did(hostile, HOSTILE_reserved_bits, CLI_MIN(count, (uint32_t)TRIES), true);
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
	uint32_t count = 0;

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

		count += command_put(hostile, &command);
		hostile_turns(hostile, 1);
	}
	errors_clear(hostile);
	hostile_did(hostile, HOSTILE_invalidate_unasked, count, true);
}

void hostile_invalidate_foreign(struct hostile *hostile)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < SOME; i++) {
		const struct iopf_command command = {
			.kind = i % 2 == 0 ? IOPF_COMMAND_INVALIDATE_DEVICE :
					     IOPF_COMMAND_INVALIDATE_CONTEXT,
			.granularity = i % 2 == 0 ? IOPF_ALL : IOPF_DEVICE,
			.rid = 0x0100 + 8 * i,
			.pasid = i % 4 == 0 ? 1 : IOPF_PASID_NONE,
		};

		count += command_put(hostile, &command);
	}
	errors_clear(hostile);
	hostile_did(hostile, HOSTILE_invalidate_foreign, count, true);
}

/* A family may have no wait that does both, none that may go there, or no drain. */
void hostile_wait_anywhere(struct hostile *hostile)
{
	static const uint64_t addrs[] = { 0, LAYOUT_BASE - 4, UINT64_C(0xfee00000),
					  UINT64_C(1) << 40, UINT64_C(1) << 51,
					  UINT64_MAX & ~UINT64_C(7) };
	static const uint8_t flags[] = {
		IOPF_WAIT_STATUS | IOPF_WAIT_INTERRUPT | IOPF_WAIT_DRAIN,
		IOPF_WAIT_STATUS | IOPF_WAIT_INTERRUPT,
		IOPF_WAIT_STATUS,
	};
	uint32_t count = 0;

	for (size_t i = 0; i < CLI_COUNT(addrs) * CLI_COUNT(flags); i++) {
		const struct iopf_command command = {
			.kind = IOPF_COMMAND_WAIT,
			.wait_flags = flags[i % CLI_COUNT(flags)],
			.pasid = IOPF_PASID_NONE,
			.status_data = UINT32_MAX,
			.status_addr = addrs[i / CLI_COUNT(flags)],
		};

		if (command_put(hostile, &command) == 0)
			continue;
		errors_clear(hostile);
		count++;
	}
	hostile_did(hostile, HOSTILE_wait_anywhere, count, true);
}

/* ---- Words ------------------------------------------------------------------------- */

/* Answers carry private data where they look other with it. */
static bool private_told(const struct iopf_wire *wire)
{
	uint8_t plain[COMMAND_MAX] = { 0 }, private[COMMAND_MAX] = { 0 };
	uint32_t size_bytes = wire->command_bytes[0];
	struct iopf_command answer = { .kind = IOPF_COMMAND_RESPONSE,
				       .rid = LAYOUT_RID,
				       .pasid = 1,
				       .private_data = { 1, 1 } };
	int error = wire->encode_command(&answer, size_bytes, plain);

	answer.flags = IOPF_PRIVATE;
	if (error == 0)
		error = wire->encode_command(&answer, size_bytes, private);
	return error == 0 && memcmp(plain, private, sizeof(plain)) != 0;
}

bool hostile_can(const char *family, unsigned act)
{
	return act != HOSTILE_answer_private || private_told(iopf_wire_find(family));
}
