/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/serve_memory.c - what lies behind functions' BARs: an engine, and a bench. */
#include "cli/serve.h"

#include "cli/serve_bench.h"
#include "model/config.h"

/* Where BAR 0 of @function is, as the program sees it. False: memory space is off, or
 * nobody answers for the function now. */
static bool bar_of(struct serve *serve, const struct serve_function *function,
		   uint64_t *bar)
{
	const struct serve_machine_ops *machine = serve->machine;
	uint32_t rid = function->rid;
	uint32_t command = machine->config_read(serve, rid, CONFIG_COMMAND, 2);
	uint32_t low = machine->config_read(serve, rid, CONFIG_BAR0, 4);
	uint32_t high = machine->config_read(serve, rid, CONFIG_BAR0 + 4, 4);

	*bar = (uint64_t)high << 32 | (low & ~UINT32_C(15));
	return command != 0xffff && (command & COMMAND_MEMORY) != 0;
}

/* Whose BAR the access is in, all of it, and where in that. Two BARs in one place: the
 * first function's. */
static struct serve_function *find(struct serve *serve, uint64_t addr,
				   uint32_t width_bytes, uint32_t *offset)
{
	for (uint32_t i = 0; i < serve->function_count; i++) {
		struct serve_function *function = &serve->functions[i];
		uint64_t bar;

		if (!bar_of(serve, function, &bar) || addr < bar ||
		    addr - bar > SERVE_BAR_BYTES - width_bytes)
			continue;
		*offset = (uint32_t)(addr - bar);
		return function;
	}
	return NULL;
}

uint64_t serve_memory_read(struct serve *serve, uint64_t addr, uint32_t width_bytes)
{
	uint32_t offset;
	const struct serve_function *function = find(serve, addr, width_bytes, &offset);

	if (function == NULL)
		return UINT64_MAX;
	if (offset < SERVE_BENCH)
		return model_engine_read(function->engine, offset, width_bytes);
	return function->bench != NULL ?
		       bench_read(function->bench, offset - SERVE_BENCH, width_bytes) :
		       UINT64_MAX;
}

void serve_memory_write(struct serve *serve, uint64_t addr, uint32_t width_bytes,
			uint64_t value)
{
	uint32_t offset;
	const struct serve_function *function = find(serve, addr, width_bytes, &offset);

	if (function == NULL)
		return;
	if (offset < SERVE_BENCH)
		model_engine_write(function->engine, offset, width_bytes, value);
	else if (function->bench != NULL)
		bench_write(function->bench, offset - SERVE_BENCH, width_bytes, value);
}
