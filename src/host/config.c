/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host/config.c - the configuration space that a guest sees of a function of its own.
 *
 * What the guest switches there is about its own side: it is shown page requests or not.
 * The function's capabilities stay as the host has set them, since the host's own stage
 * needs them. Only a function level reset goes through.
 */
#include "host/host.h"

#include <errno.h>

#include "wire/config.h"

struct host_view {
	struct iopf_host *host;
	struct host_function *function;
	void (*changed)(void *context, enum iopf_config_change change);
	void *context;
};

/* A view and its space, each function's behind that of the one before. */
enum { VIEW_ALIGN = 64 };

static size_t view_bytes(void)
{
	size_t bytes = sizeof(struct host_view) + iopf_config_size_bytes();

	return (bytes + VIEW_ALIGN - 1) / VIEW_ALIGN * VIEW_ALIGN;
}

size_t views_size_bytes(const struct iopf_host_guest_options *options)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < options->function_count && options->functions != NULL; i++)
		if (options->functions[i].config != NULL)
			bytes += view_bytes();
	return bytes;
}

static void changed(void *context, enum iopf_config_change change)
{
	struct host_view *view = context;
	struct iopf_host *host = view->host;

	if (change == IOPF_CONFIG_RESET)
		iopf_host_reset_function(host, view->function->endpoint, host->now_ns);
	if (view->changed != NULL)
		view->changed(view->context, change);
}

/* It promises what the host has granted, and asks for answers as the function does. */
static struct iopf_config_options options_of(const struct host_function *function,
					     const struct iopf_config_options *from,
					     struct host_view *view)
{
	struct iopf_config_options options = *from;

	options.capacity = function->allocation;
	options.pasid_in_response = function->wants_pasid;
	options.changed = changed;
	options.context = view;
	return options;
}

int views_create(struct iopf_host *host, struct host_guest *guest,
		 const struct iopf_host_guest_options *from, void *memory)
{
	uint8_t *at = memory;

	if ((uintptr_t)memory % VIEW_ALIGN != 0)
		return -EINVAL;
	for (uint32_t i = 0; i < from->function_count; i++) {
		struct host_function *function = &host->functions[guest->function_first + i];
		const struct iopf_config_options *seen = from->functions[i].config;
		struct host_view *view = (void *)at;
		struct iopf_config_options options;
		int error;

		if (seen == NULL)
			continue;
		options = options_of(function, seen, view);
		*view = (struct host_view){ .host = host,
					    .function = function,
					    .changed = seen->changed,
					    .context = seen->context };
		error = iopf_config_create(&options, view + 1, iopf_config_size_bytes(),
					   &function->config);
		if (error != 0)
			return error;
		at += view_bytes();
	}
	return 0;
}

bool view_caches(const struct host_function *function)
{
	struct iopf_config_state state;

	if (function->config == NULL)
		return !function->other_shown;
	iopf_config_state(function->config, &state);
	return state.ats;
}

/* ---- Access -------------------------------------------------------------------------- */

static struct host_function *function_at(const struct iopf_host *host, uint32_t guest,
					 uint32_t at)
{
	const struct host_guest *it = guest_get(host, guest);

	if (it == NULL || it->guest == NULL || it->gone || at >= it->function_count)
		return NULL;
	return &host->functions[it->function_first + at];
}

/* It is there, and not being reset: until then it lets configuration requests wait, which
 * software sees as all ones (PCIe 6.x, 2.3.1, 6.6.2). */
static bool answers(const struct iopf_host *host, uint32_t guest, uint32_t at)
{
	const struct host_function *function = function_at(host, guest, at);

	return function != NULL && function->config != NULL && !function->gone &&
	       (function->state == FUNCTION_PRESENT ||
		function->state == FUNCTION_BLOCKED);
}

uint32_t iopf_host_guest_config_read(struct iopf_host *host, uint32_t guest,
				     uint32_t function, uint32_t offset,
				     uint32_t width_bytes)
{
	if (!answers(host, guest, function))
		return config_nobody(width_bytes);
	return iopf_guest_config_read(host->guests[guest].guest, function, offset,
				      width_bytes);
}

void iopf_host_guest_config_write(struct iopf_host *host, uint32_t guest, uint32_t function,
				  uint32_t offset, uint32_t width_bytes, uint32_t value)
{
	if (answers(host, guest, function))
		iopf_guest_config_write(host->guests[guest].guest, function, offset,
					width_bytes, value);
}

struct iopf_config *iopf_host_guest_config(struct iopf_host *host, uint32_t guest,
					   uint32_t function)
{
	const struct host_function *it = function_at(host, guest, function);

	return it == NULL ? NULL : it->config;
}
