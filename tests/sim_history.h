/* SPDX-License-Identifier: BSD-3-Clause */
/* sim_history.h - a function whose messages go nowhere, and what its host would say, by
 * hand: for histories that are right, or broken on purpose. */
#ifndef TESTS_SIM_HISTORY_H
#define TESTS_SIM_HISTORY_H

#include "iopf/wire.h"
#include "model/config.h"
#include "sim/check.h"
#include "test.h"

enum { RID = 0x0310, ENDPOINT = 3, ALLOCATION = 4, QUEUE = 16 };

/* A function whose messages go nowhere: what the host would do is said by hand. */
static struct {
	struct sim_check *check;
	struct model_function *function;
	struct sim_check_reading reading;
	uint64_t now_ns;
	uint32_t times[512]; /* that the group of an index had its response */
} h;

static inline enum model_status translate(void *context,
					  const struct model_translation_request *request,
					  struct model_translation *translation)
{
	(void)context;
	(void)request;
	(void)translation;
	return MODEL_UR;
}

static inline void page_request(void *context, uint32_t rid, uint32_t pasid, uint8_t perm,
				uint64_t payload)
{
	(void)context;
	(void)rid;
	(void)pasid;
	(void)perm;
	(void)payload;
}

static inline enum model_status access_memory(void *context, uint32_t rid, uint64_t addr,
				       void *buffer, uint32_t size_bytes, bool write)
{
	(void)context;
	(void)rid;
	(void)addr;
	(void)buffer;
	(void)size_bytes;
	(void)write;
	return MODEL_UR;
}

static inline void interrupt(void *context, uint32_t rid, uint64_t addr, uint32_t data)
{
	(void)context;
	(void)rid;
	(void)addr;
	(void)data;
}

static inline void enable(void)
{
	model_function_config_write(h.function, CONFIG_PASID_CONTROL, 2, PASID_ENABLE);
	model_function_config_write(h.function, CONFIG_PRI_ALLOCATION, 4, ALLOCATION);
	model_function_config_write(h.function, CONFIG_PRI_CONTROL, 2, PRI_ENABLE);
}

static inline void note(struct iopf_note note)
{
	note.ns = h.now_ns;
	sim_check_note(h.check, &note);
}

static inline void attach(uint32_t pasid, uint32_t guest)
{
	note((struct iopf_note){ .kind = IOPF_NOTE_ATTACH,
				 .guest = guest,
				 .endpoint = ENDPOINT,
				 .pasid = pasid });
}

static inline void detach(uint32_t pasid, uint32_t guest)
{
	note((struct iopf_note){ .kind = IOPF_NOTE_DETACH,
				 .guest = guest,
				 .endpoint = ENDPOINT,
				 .pasid = pasid });
}

static inline void begin(uint32_t queue_entries)
{
	const struct sim_check_options options = { .queue_entries = queue_entries,
						   .wait_turns = 4,
						   .wait_ns = 100 };
	struct model_function_options function = {
		.upstream = { .translate = translate,
			      .page_request = page_request,
			      .access = access_memory,
			      .interrupt = interrupt },
		.rid = RID,
		.capacity = ALLOCATION,
		.atc_entries = 4,
		.pasid_width = 20,
		.pasid_in_response = true,
	};

	memset(&h, 0, sizeof(h));
	CHECK_EQ(sim_check_create(&options, &h.check), 0);
	CHECK_EQ(sim_check_add(h.check,
			       &(struct sim_check_function){ .rid = RID, .honest = true }),
		 0);
	function.observer = sim_check_observer(h.check);
	CHECK_EQ(model_function_create(&function, &h.function), 0);
	enable();
	CHECK_EQ(sim_check_bind(h.check, RID, ENDPOINT), 0);
	h.reading.function[0].bound = true;
	attach(1, 0);
}

/* The function asks. */
static inline void ask(uint32_t pasid, uint16_t index, bool last)
{
	const struct iopf_request request = { .addr = 0x7000,
					      .rid = RID,
					      .pasid = pasid,
					      .index = index,
					      .perm = IOPF_READ,
					      .flags = last ? IOPF_LAST : 0 };

	model_function_send_raw(h.function, pasid, 0, iopf_pcie_encode_request(&request));
}

static inline void counted(enum iopf_counter counter)
{
	h.reading.counter[counter]++;
	h.reading.function[0].counter[counter]++;
}

/* The host takes it out of the queue. */
static inline void take(uint32_t pasid, uint16_t index, bool last)
{
	const struct iopf_request request = { .addr = 0x7000,
					      .rid = RID,
					      .pasid = pasid,
					      .index = index,
					      .perm = IOPF_READ,
					      .flags = last ? IOPF_LAST : 0 };

	note((struct iopf_note){ .kind = IOPF_NOTE_REQUEST, .request = &request });
	counted(IOPF_COUNTER_requests);
	h.reading.function[0].gauge[IOPF_GAUGE_credits_in_use]++;
	if (!last)
		return;
	counted(IOPF_COUNTER_lasts);
	h.reading.function[0].gauge[IOPF_GAUGE_ready]++;
}

/* None is ever used again. */
static inline uint64_t token_of(uint16_t index)
{
	return 0x100u + index + ((uint64_t)h.times[index] << 16);
}

static inline void show(uint32_t pasid, uint16_t index, uint16_t pages, uint32_t guest)
{
	const struct iopf_group group = { .token = token_of(index),
					  .endpoint = ENDPOINT,
					  .rid = RID,
					  .pasid = pasid,
					  .index = index,
					  .page_count = pages };

	note((struct iopf_note){ .kind = IOPF_NOTE_SHOW,
				 .guest = guest,
				 .endpoint = ENDPOINT,
				 .pasid = pasid,
				 .token = group.token,
				 .group = &group });
}

static inline void answer(uint16_t index, enum iopf_code code, uint32_t guest)
{
	note((struct iopf_note){ .kind = IOPF_NOTE_ANSWER,
				 .guest = guest,
				 .endpoint = IOPF_NO_ID,
				 .pasid = IOPF_PASID_NONE,
				 .token = token_of(index),
				 .code = (uint8_t)code });
}

static inline void respond(uint32_t pasid, uint16_t index, uint16_t count, enum iopf_code code,
		    enum iopf_ending ending)
{
	const struct iopf_response response = { .token = token_of(index),
						.endpoint = ENDPOINT,
						.rid = RID,
						.pasid = pasid,
						.index = index,
						.request_count = count,
						.code = (uint8_t)code,
						.ending = (uint8_t)ending };

	note((struct iopf_note){ .kind = IOPF_NOTE_RESPONSE,
				 .endpoint = ENDPOINT,
				 .response = &response });
	h.times[index]++;
	counted(iopf_ending_counter(ending));
	h.reading.function[0].gauge[IOPF_GAUGE_ready]--;
	h.reading.function[0].gauge[IOPF_GAUGE_credits_in_use] -= count;
}

static inline void arrive(uint32_t pasid, uint16_t index, enum iopf_code code)
{
	const struct iopf_prg_response response = { .rid = RID,
						    .pasid = pasid,
						    .index = index,
						    .code = iopf_pcie_code(code) };

	model_function_response(h.function, pasid, iopf_pcie_encode_response(&response));
}

static inline void turn(unsigned count)
{
	while (count-- > 0)
		sim_check_turn(h.check, h.now_ns += 100);
}

/* Asked, taken, shown to guest 0 and answered; not responded. */
static inline void reach_answer(uint16_t index, enum iopf_code code)
{
	ask(1, index, true);
	take(1, index, true);
	show(1, index, 1, 0);
	answer(index, code, 0);
}

static inline void whole_way(uint16_t index, enum iopf_code code)
{
	reach_answer(index, code);
	respond(1, index, 1, code, (enum iopf_ending)code);
	arrive(1, index, code);
}

static inline void audit(enum sim_rest rest)
{
	sim_check_audit(h.check, &h.reading, rest);
}

/* The judge beside the checkers saw @rule broken first; "": none. */
static inline void judged(const char *rule)
{
	const char *first = sim_check_judged(h.check)->first;

	if (rule[0] == '\0')
		CHECK_STR(first, "");
	if (strncmp(first, rule, strlen(rule)) != 0)
		printf("the judge says: %s\n", first);
	CHECK_EQ(strncmp(first, rule, strlen(rule)), 0);
}

/* Only @fired has fired; SIM_INVARIANT_COUNT: none has. */
static inline void end(enum sim_invariant fired)
{
	for (unsigned n = 0; n < SIM_INVARIANT_COUNT; n++) {
		const struct sim_check_result *result =
			sim_check_result(h.check, (enum sim_invariant)n);

		if ((result->violations > 0) != (n == fired))
			printf("%s: %" PRIu64 " violations, the first: %s\n",
			       sim_invariant_name((enum sim_invariant)n),
			       result->violations, result->first);
		CHECK_EQ(result->violations > 0, n == fired);
		CHECK_EQ(result->first[0] != 0, n == fired);
	}
	model_function_destroy(h.function);
	sim_check_destroy(h.check);
}

#endif
