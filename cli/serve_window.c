/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/serve_window.c - which register of the window is whose. */
#include "cli/serve.h"

/* ---- Configuration space: bus, device and function, and 4 KiB of each -------------- */

static bool config_fits(uint64_t offset, uint32_t width_bytes)
{
	return width_bytes <= 4 && (offset & (width_bytes - 1)) == 0;
}

/* PCIe 7.2.2: the requester id is in bits 27:12 of an address, bus 0 alone here. */
static uint64_t ecam_read(struct serve *serve, uint64_t offset, uint32_t width_bytes)
{
	uint32_t rid = (uint32_t)(offset >> 12), at = (uint32_t)(offset & 0xfff);

	if (!config_fits(offset, width_bytes))
		return UINT64_MAX;
	return serve->machine->config_read(serve, rid, at, width_bytes);
}

static void ecam_write(struct serve *serve, uint64_t offset, uint32_t width_bytes,
		       uint64_t value)
{
	uint32_t rid = (uint32_t)(offset >> 12), at = (uint32_t)(offset & 0xfff);

	if (config_fits(offset, width_bytes))
		serve->machine->config_write(serve, rid, at, width_bytes,
					     (uint32_t)value);
}

/* ---- The other two ----------------------------------------------------------------- */

static uint64_t registers_read(struct serve *serve, uint64_t offset, uint32_t width_bytes)
{
	return serve->machine->register_read(serve, (uint32_t)offset, width_bytes);
}

static void registers_write(struct serve *serve, uint64_t offset, uint32_t width_bytes,
			    uint64_t value)
{
	serve->machine->register_write(serve, (uint32_t)offset, width_bytes, value);
}

static uint64_t memory_read(struct serve *serve, uint64_t offset, uint32_t width_bytes)
{
	return serve_memory_read(serve, serve->window + SERVE_MEMORY + offset,
				 width_bytes);
}

static void memory_write(struct serve *serve, uint64_t offset, uint32_t width_bytes,
			 uint64_t value)
{
	serve_memory_write(serve, serve->window + SERVE_MEMORY + offset, width_bytes,
			   value);
}

/* ---- The window -------------------------------------------------------------------- */

static const struct part {
	uint32_t offset, size_bytes;
	uint64_t (*read)(struct serve *serve, uint64_t offset, uint32_t width_bytes);
	void (*write)(struct serve *serve, uint64_t offset, uint32_t width_bytes,
		      uint64_t value);
} parts[] = {
	{ SERVE_REGISTERS, SERVE_REGISTERS_BYTES, registers_read, registers_write },
	{ SERVE_ECAM, SERVE_ECAM_BYTES, ecam_read, ecam_write },
	{ SERVE_MEMORY, SERVE_MEMORY_BYTES, memory_read, memory_write },
};

static const struct part *part_of(uint64_t offset)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (offset - parts[i].offset < parts[i].size_bytes)
			return &parts[i];
	return NULL;
}

static uint64_t window_read(void *context, uint64_t offset, uint32_t width_bytes)
{
	const struct part *part = part_of(offset);

	if (part == NULL)
		return UINT64_MAX;
	return part->read(context, offset - part->offset, width_bytes);
}

static void window_write(void *context, uint64_t offset, uint32_t width_bytes,
			 uint64_t value)
{
	const struct part *part = part_of(offset);

	if (part != NULL)
		part->write(context, offset - part->offset, width_bytes, value);
}

static void window_placed(void *context, uint64_t addr)
{
	struct serve *serve = context;

	serve->window = addr;
	serve->misplaced = serve->options.window != 0 && addr != serve->options.window;
}

/* Once when it is switched on. A machine that starts anew finds registers as they were
 * left, which none of metal does. */
static void window_reset(void *context)
{
	struct serve *serve = context;

	if (serve->window != 0)
		serve_problem(serve, "the machine was reset: it is to be run -no-reboot");
	serve->window = 0;
}

const struct proxy_ops serve_window_ops = { .read = window_read,
					    .write = window_write,
					    .placed = window_placed,
					    .reset = window_reset };
