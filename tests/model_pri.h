/* SPDX-License-Identifier: BSD-3-Clause */
/* tests/model_pri.h - a function, an upstream that only notes what comes, an observer. */
#ifndef TESTS_MODEL_PRI_H
#define TESTS_MODEL_PRI_H

#include <errno.h>

#include "iopf/wire.h"
#include "model/config.h"
#include "model/function.h"

#include "test.h"

#define RID   0x0310u
#define PASID 0x12345u

static struct link {
	struct model_function *function;
	struct iopf_request sent[64]; /* page request messages, the first 64 */
	uint32_t sent_count;
	enum model_outcome outcome[64]; /* by cookie */
	uint32_t outcome_count[64];
	enum model_verdict verdict; /* of the last response */
	uint32_t resets[MODEL_REMOVED + 1];
	uint32_t client_resets;
	uint32_t most_credits;
	int answer_at_once; /* a code, or -1: a last is answered inside its message */
	int answer_inside;  /* this message is answered inside the next; or -1 */
} pri;

static struct model_function_state state_now(void)
{
	struct model_function_state state;

	model_function_state(pri.function, &state);
	return state;
}

static void respond_to(uint32_t pasid, uint16_t index, uint8_t code)
{
	const struct iopf_prg_response response = { .rid = RID,
						    .pasid = pasid,
						    .index = index,
						    .code = code };

	model_function_response(pri.function, pasid, iopf_pcie_encode_response(&response));
}

/* Answer the group of message @n as a root port would. */
static inline void respond(uint32_t n, uint8_t code)
{
	const struct iopf_request *request = &pri.sent[n];

	respond_to(state_now().pasid_in_response ? request->pasid : IOPF_PASID_NONE,
		   request->index, code);
}

static enum model_status stub_translate(void *context,
					const struct model_translation_request *request,
					struct model_translation *translation)
{
	(void)context;
	*translation = (struct model_translation){ .addr = request->addr,
						   .size_bytes = 4096 };
	return MODEL_SUCCESS;
}

static void stub_page_request(void *context, uint32_t rid, uint32_t pasid, uint8_t perm,
			      uint64_t payload)
{
	struct iopf_request request;
	uint32_t n = pri.sent_count++;

	(void)context;
	CHECK_EQ(rid, RID);
	CHECK(n < 64);
	if (iopf_pcie_decode_request(payload, rid, pasid, perm, &request) != 0)
		return;
	pri.sent[n] = request;
	if (pri.answer_at_once >= 0 && request.flags & IOPF_LAST)
		respond(n, (uint8_t)pri.answer_at_once);
	if (pri.answer_inside >= 0) {
		n = (uint32_t)pri.answer_inside;
		pri.answer_inside = -1;
		respond(n, 0);
	}
}

static enum model_status stub_access(void *context, uint32_t rid, uint64_t addr,
				     void *buffer, uint32_t size_bytes, bool write)
{
	(void)context, (void)rid, (void)addr, (void)buffer, (void)size_bytes, (void)write;
	return MODEL_UR;
}

static void stub_interrupt(void *context, uint32_t rid, uint64_t addr, uint32_t data)
{
	(void)context, (void)rid, (void)addr, (void)data;
}

static void saw_request(void *context, struct model_function *function, uint32_t pasid,
			uint8_t perm, uint64_t payload)
{
	(void)context, (void)function, (void)pasid, (void)perm, (void)payload;
}

static void saw_response(void *context, struct model_function *function, uint32_t pasid,
			 uint64_t payload, enum model_verdict verdict)
{
	(void)context, (void)function, (void)pasid, (void)payload;
	pri.verdict = verdict;
}

static void saw_reset(void *context, struct model_function *function,
		      enum model_reset reset)
{
	(void)context, (void)function;
	pri.resets[reset]++;
}

static void saw_credits(void *context, struct model_function *function, uint32_t in_use,
			uint32_t allocation)
{
	(void)context, (void)function, (void)allocation;
	pri.most_credits = in_use > pri.most_credits ? in_use : pri.most_credits;
}

static void answered(void *context, uint32_t cookie, enum model_outcome outcome)
{
	(void)context;
	pri.outcome[cookie] = outcome;
	pri.outcome_count[cookie]++;
}

static void client_reset(void *context)
{
	(void)context;
	pri.client_resets++;
}

static const struct model_client client = { NULL, answered, client_reset };

static inline uint32_t get(uint32_t offset, uint32_t size_bytes)
{
	return model_function_config_read(pri.function, offset, size_bytes);
}

static inline void set(uint32_t offset, uint32_t size_bytes, uint32_t value)
{
	model_function_config_write(pri.function, offset, size_bytes, value);
}

/* As software enables: PASID, ATS, allocation, PRI (PCIe 10.5.2). */
static void enable(uint32_t allocation)
{
	set(CONFIG_COMMAND, 2, COMMAND_BUS_MASTER | COMMAND_MEMORY);
	set(CONFIG_PASID_CONTROL, 2, PASID_ENABLE | PASID_EXEC | PASID_PRIV);
	set(CONFIG_ATS_CONTROL, 2, ATS_ENABLE);
	set(CONFIG_PRI_ALLOCATION, 4, allocation);
	set(CONFIG_PRI_CONTROL, 2, PRI_ENABLE);
}

static struct model_function_options options_usual(void)
{
	return (struct model_function_options){
		.upstream = { .translate = stub_translate,
			      .page_request = stub_page_request,
			      .access = stub_access,
			      .interrupt = stub_interrupt },
		.observer = { NULL, saw_request, saw_response, saw_reset, saw_credits },
		.rid = RID,
		.capacity = 64,
		.atc_entries = 64,
		.pasid_width = 20,
		.exec = true,
		.priv = true,
		.pasid_in_response = true,
	};
}

static void start_with(const struct model_function_options *options)
{
	model_function_destroy(pri.function);
	pri = (struct link){ .answer_at_once = -1, .answer_inside = -1 };
	CHECK_EQ(model_function_create(options, &pri.function), 0);
	model_function_set_client(pri.function, &client);
}

static inline void start(uint32_t allocation)
{
	const struct model_function_options options = options_usual();

	start_with(&options);
	enable(allocation);
}

/* A group of @count pages under @cookie. */
static inline int send_group(uint32_t pasid, uint32_t cookie, uint32_t count)
{
	int group = model_group_open(pri.function, pasid, cookie), result = 0;

	for (uint32_t n = 0; n < count && group >= 0 && result == 0; n++)
		result = model_group_add(pri.function, (uint32_t)group,
					 (cookie + 1) * UINT64_C(0x100000) + n * 4096,
					 IOPF_READ, n + 1 == count);
	return group < 0 ? group : result;
}

#endif
