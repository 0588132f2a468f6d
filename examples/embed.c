/* SPDX-License-Identifier: BSD-3-Clause */
/* embed.c - the engine alone: a request in, its owner's answer, one response out. */
#include <iopf/iopf.h>
#include <stdio.h>

#define WITH(type, ...) (&(struct type){ .size_bytes = sizeof(struct type), __VA_ARGS__ })

int main(void)
{
	static _Alignas(64) unsigned char memory[1 << 17];
	struct iopf_request request = { .rid = 0x10, .pasid = 7, .index = 3, .addr = 0x7000,
					.perm = IOPF_READ, .flags = IOPF_LAST };
	uint32_t source, owner, endpoint;
	struct iopf_response response;
	struct iopf_broker *broker;
	struct iopf_group group;

	if (iopf_broker_create(WITH(iopf_broker_options, .instance = 1, .source_max = 1,
				    .endpoint_max = 1, .owner_max = 1, .attachment_max = 1,
				    .group_max = 64), memory, sizeof(memory), &broker) != 0)
		return 1;
	iopf_broker_add_source(broker, WITH(iopf_source_options, .reserve_count = 8), &source);
	iopf_broker_add_owner(broker, WITH(iopf_owner_options, .name = 1), &owner);
	iopf_broker_add_endpoint(broker, WITH(iopf_endpoint_options, .source = source,
			.rid = 0x10, .allocation = 32, .pasid_in_response = true), &endpoint);
	iopf_broker_attach(broker, endpoint, 7, owner);

	iopf_broker_request(broker, source, &request, 0); /* a device asks for a page */
	iopf_broker_fetch(broker, owner, &group, 0);      /* its owner makes it present, */
	iopf_broker_answer(broker, owner, group.token, IOPF_SUCCESS, 0);
	printf("again: %d\n", iopf_broker_answer(broker, owner, group.token, IOPF_INVALID, 0));
	while (iopf_broker_respond(broker, source, &response, 1, 0) > 0)
		printf("index %d: %s\n", response.index, iopf_code_name(response.code));
	return 0;
}
