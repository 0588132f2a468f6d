/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vectors.h - golden vectors: text in tests/vectors, read line by line.
 *
 *	RECORD WORD... : MEMBER=VALUE ...		# begins a comment
 *
 * TEST_VECTORS is the directory, given by the build.
 */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include "base/le.h"
#include "iopf/wire.h"
#include "test.h"

struct vector {
	char line[1024];
	char record[32];
	uint64_t words[8];
	uint32_t word_count;
	char said[32][48]; /* MEMBER=VALUE */
	uint32_t said_count;
};

static inline void vector_take(struct vector *vector, const char *token, bool *behind)
{
	if (strcmp(token, ":") == 0) {
		*behind = true;
	} else if (*behind) {
		CHECK(vector->said_count < 32 && strlen(token) < 48);
		strcpy(vector->said[vector->said_count++], token);
	} else {
		CHECK(vector->word_count < 8);
		vector->words[vector->word_count++] = strtoull(token, NULL, 0);
	}
}

static inline bool vector_next(FILE *file, struct vector *vector)
{
	char line[1024], *rest, *token;
	bool behind = false;

	*vector = (struct vector){ 0 };
	while (fgets(line, sizeof(line), file) != NULL) {
		memcpy(vector->line, line, sizeof(line));
		line[strcspn(line, "#\n")] = 0;
		token = strtok_r(line, " \t", &rest);
		if (token == NULL)
			continue;
		CHECK(strlen(token) < sizeof(vector->record));
		strcpy(vector->record, token);
		while ((token = strtok_r(NULL, " \t", &rest)) != NULL)
			vector_take(vector, token, &behind);
		CHECK(behind && vector->word_count > 0);
		return true;
	}
	return false;
}

static inline FILE *vectors_open(const char *name)
{
	char path[1024];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", TEST_VECTORS, name);
	file = fopen(path, "r");
	if (file == NULL)
		printf("%s cannot be read\n", path);
	CHECK(file != NULL);
	return file;
}

static inline void vector_bytes(const struct vector *vector, uint8_t *bytes)
{
	for (uint32_t i = 0; i < vector->word_count; i++)
		le64_put(bytes + 8 * i, vector->words[i]);
}

/* The value of @member as text, or NULL. */
static inline const char *vector_text(const struct vector *vector, const char *member)
{
	size_t length = strlen(member);

	for (uint32_t i = 0; i < vector->said_count; i++)
		if (strncmp(vector->said[i], member, length) == 0 &&
		    vector->said[i][length] == '=')
			return vector->said[i] + length + 1;
	return NULL;
}

static inline uint64_t vector_number(const struct vector *vector, const char *member)
{
	const char *text = vector_text(vector, member);

	return text == NULL ? 0 : strtoull(text, NULL, 0);
}

static inline uint32_t vector_pasid(const struct vector *vector)
{
	const char *text = vector_text(vector, "pasid");

	if (text == NULL)
		return IOPF_PASID_NONE;
	return strcmp(text, "any") == 0 ? IOPF_PASID_ANY : (uint32_t)strtoul(text, NULL, 0);
}

struct vector_name {
	const char *name;
	uint32_t value;
};

/* The sum of the names in "a+b", 0 where @member is not named. */
static inline uint8_t vector_names(const struct vector *vector, const char *member,
				   const struct vector_name *names)
{
	char text[48], *rest = NULL, *token;
	uint32_t sum = 0;

	if (vector_text(vector, member) == NULL)
		return 0;
	strcpy(text, vector_text(vector, member));
	for (token = strtok_r(text, "+", &rest); token != NULL;
	     token = strtok_r(NULL, "+", &rest)) {
		const struct vector_name *at = names;

		while (at->name != NULL && strcmp(at->name, token) != 0)
			at++;
		if (at->name == NULL)
			printf("no such name: %s\n", token);
		CHECK(at->name != NULL);
		sum |= at->value;
	}
	return (uint8_t)sum;
}

static inline uint8_t vector_perm(const struct vector *vector, const char *member)
{
	const char *text = vector_text(vector, member);
	uint8_t perm = 0;

	for (; text != NULL && *text != 0; text++) {
		CHECK(strchr("rwxp", *text) != NULL);
		perm |= (uint8_t)(1 << (strchr("rwxp", *text) - "rwxp"));
	}
	return perm;
}

static const struct vector_name vector_flag_names[] = {
	{ "last", IOPF_LAST },       { "stop", IOPF_STOP }, { "stall", IOPF_STALL },
	{ "private", IOPF_PRIVATE }, { NULL, 0 },
};
static const struct vector_name vector_code_names[] = {
	{ "success", IOPF_SUCCESS },
	{ "invalid", IOPF_INVALID },
	{ "failure", IOPF_FAILURE },
	{ NULL, 0 },
};
static const struct vector_name vector_wait_names[] = {
	{ "interrupt", IOPF_WAIT_INTERRUPT }, { "status", IOPF_WAIT_STATUS },
	{ "fence", IOPF_WAIT_FENCE },	      { "drain", IOPF_WAIT_DRAIN },
	{ NULL, 0 },
};
static const struct vector_name vector_kind_names[] = {
	{ "response", IOPF_COMMAND_RESPONSE },
	{ "context", IOPF_COMMAND_INVALIDATE_CONTEXT },
	{ "pasid", IOPF_COMMAND_INVALIDATE_PASID },
	{ "iotlb", IOPF_COMMAND_INVALIDATE_IOTLB },
	{ "device", IOPF_COMMAND_INVALIDATE_DEVICE },
	{ "wait", IOPF_COMMAND_WAIT },
	{ "other", IOPF_COMMAND_OTHER },
	{ "terminate", IOPF_COMMAND_TERMINATE },
	{ NULL, 0 },
};
static const struct vector_name vector_granularity_names[] = {
	{ "all", IOPF_ALL },         { "domain", IOPF_DOMAIN }, { "device", IOPF_DEVICE },
	{ "pasid", IOPF_ONE_PASID }, { "page", IOPF_PAGE },     { NULL, 0 },
};
static const struct vector_name vector_what_names[] = {
	{ "input", IOPF_FAULT_INPUT },
	{ "table", IOPF_FAULT_TABLE },
	{ "descriptor", IOPF_FAULT_DESCRIPTOR },
	{ NULL, 0 },
};

static inline struct iopf_request vector_request(const struct vector *vector)
{
	return (struct iopf_request){
		.addr = vector_number(vector, "addr"),
		.rid = (uint32_t)vector_number(vector, "rid"),
		.pasid = vector_pasid(vector),
		.index = (uint16_t)vector_number(vector, "index"),
		.perm = vector_perm(vector, "perm"),
		.flags = vector_names(vector, "flags", vector_flag_names),
		.private_data = { vector_number(vector, "private0"),
				  vector_number(vector, "private1") },
	};
}

static inline struct iopf_fault vector_fault(const struct vector *vector)
{
	return (struct iopf_fault){
		.addr = vector_number(vector, "addr"),
		.gpa = vector_number(vector, "gpa"),
		.rid = (uint32_t)vector_number(vector, "rid"),
		.pasid = vector_pasid(vector),
		.index = (uint16_t)vector_number(vector, "index"),
		.perm = vector_perm(vector, "perm"),
		.reason = (uint16_t)vector_number(vector, "reason"),
		.stage = (uint8_t)vector_number(vector, "stage"),
		.what = vector_names(vector, "what", vector_what_names),
		.table_perm = vector_perm(vector, "table"),
		.request = vector_number(vector, "request") != 0,
		.stall = vector_number(vector, "stall") != 0,
		.last = vector_number(vector, "last") != 0,
		.type = (uint8_t)vector_number(vector, "type"),
		.domain = (uint16_t)vector_number(vector, "domain"),
	};
}

/* Kinds that name a PASID have one or none; the others have 0. */
static inline bool vector_has_pasid(const struct iopf_command *command)
{
	return command->kind == IOPF_COMMAND_RESPONSE ||
	       command->kind == IOPF_COMMAND_INVALIDATE_DEVICE ||
	       command->granularity == IOPF_ONE_PASID ||
	       (command->kind == IOPF_COMMAND_INVALIDATE_IOTLB &&
		command->granularity == IOPF_PAGE);
}

static inline struct iopf_command vector_command(const struct vector *vector)
{
	struct iopf_command command = {
		.kind = vector_names(vector, "kind", vector_kind_names),
		.granularity = vector_names(vector, "granularity",
					    vector_granularity_names),
		.wait_flags = vector_names(vector, "wait", vector_wait_names),
		.code = vector_names(vector, "code", vector_code_names),
		.index = (uint16_t)vector_number(vector, "index"),
		.domain = (uint16_t)vector_number(vector, "domain"),
		.rid = (uint32_t)vector_number(vector, "rid"),
		.flags = vector_names(vector, "flags", vector_flag_names),
		.hints = (uint8_t)vector_number(vector, "hints"),
		.rid_mask = (uint8_t)vector_number(vector, "rid_mask"),
		.pending_max = (uint8_t)vector_number(vector, "pending_max"),
		.status_data = vector_number(vector, "status_data"),
		.pf_rid = (uint32_t)vector_number(vector, "pf_rid"),
		.asid = (uint32_t)vector_number(vector, "asid"),
		.status_addr = vector_number(vector, "status_addr"),
		.addr = vector_number(vector, "addr"),
		.size_bytes = vector_number(vector, "size"),
		.private_data = { vector_number(vector, "private0"),
				  vector_number(vector, "private1") },
	};

	command.pasid = vector_has_pasid(&command) ? vector_pasid(vector) : 0;
	return command;
}

#endif
