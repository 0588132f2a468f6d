/* SPDX-License-Identifier: BSD-3-Clause */
/* host/host.c - create, and who is taken in. */
#include "host/host.h"

#include <errno.h>
#include <string.h>

enum { HOST_ALIGN = 64 };
#define PAGE_BYTES     UINT64_C(4096)
#define ENTRIES_A_PAGE 128u

/* ---- Memory -------------------------------------------------------------------- */

struct layout {
	size_t host, guests, functions, endpoints, driver, broker, broker_bytes, end;
};

static size_t place(size_t *end, size_t size_bytes)
{
	size_t at = *end;

	*end = (at + size_bytes + HOST_ALIGN - 1) / HOST_ALIGN * HOST_ALIGN;
	return at;
}

/* Entries that software may promise away: one stays unused, some are for markers. */
static uint32_t usable_entries(const struct iopf_host_options *options)
{
	return (ENTRIES_A_PAGE << options->request_order) - 1 - HOST_STOP_MARKERS;
}

/* A stall that finds the event queue full waits in hardware; none does as long as no more
 * are let happen than it has entries. */
uint32_t host_stall_entries(const struct iopf_host_options *options)
{
	const struct hardware_family *hardware = hardware_family_find(options->family);

	if (hardware == NULL || !hardware_family_pages(hardware, IOPF_STALLS))
		return 0;
	return (uint32_t)(PAGE_BYTES / hardware->wire->fault_bytes) << options->event_order;
}

static struct iopf_broker_options broker_options(const struct iopf_host_options *options)
{
	uint32_t stalls = host_stall_entries(options);

	return (struct iopf_broker_options){
		.size_bytes = sizeof(struct iopf_broker_options),
		.instance = options->instance,
		.source_max = HOST_SOURCE_COUNT,
		.endpoint_max = options->function_max,
		.owner_max = options->guest_max,
		.attachment_max = options->attachment_max,
		.group_max = usable_entries(options) + stalls +
			     (uint32_t)HOST_RESERVE * (stalls != 0 ? 2 : 1),
		.inbox_entries = options->inbox_entries,
		.event = options->event,
		.event_context = options->context,
		.recorder = options->recorder,
		.stats = options->stats,
	};
}

static bool options_right(const struct iopf_host_options *options)
{
	return options->size_bytes == sizeof(*options) && options->request_order <= 7 &&
	       options->command_order <= 7 && options->event_order <= 7 &&
	       options->guest_max >= 1 &&
	       options->guest_max <= IOPF_HOST_GUEST_MAX && options->function_max >= 1 &&
	       options->function_max <= IOPF_HOST_FUNCTION_MAX &&
	       (options->base | options->region_bytes) % PAGE_BYTES == 0 &&
	       options->base != 0 && options->base + options->region_bytes > options->base &&
	       options->registers != NULL && options->memory != NULL &&
	       options->family != NULL;
}

static struct layout layout_of(const struct iopf_host_options *options)
{
	const struct iopf_broker_options broker = broker_options(options);
	struct layout l;
	size_t end = 0;

	l.host = place(&end, sizeof(struct iopf_host));
	l.guests = place(&end, options->guest_max * sizeof(struct host_guest));
	l.functions = place(&end, options->function_max * sizeof(struct host_function));
	l.endpoints = place(&end, options->function_max * sizeof(uint32_t));
	l.driver = place(&end, iopf_driver_size_bytes());
	l.broker_bytes = iopf_broker_size_bytes(&broker);
	l.broker = place(&end, l.broker_bytes);
	l.end = end;
	return l;
}

size_t iopf_host_size_bytes(const struct iopf_host_options *options)
{
	struct layout layout;

	if (!options_right(options))
		return 0;
	layout = layout_of(options);
	return layout.broker_bytes == 0 ? 0 : layout.end;
}

size_t iopf_host_stats_size_bytes(const struct iopf_host_options *options)
{
	const struct iopf_broker_options broker = broker_options(options);

	return options_right(options) ? iopf_stats_size_bytes(&broker) : 0;
}

/* ---- Create -------------------------------------------------------------------- */

static int create_broker(struct iopf_host *host, void *memory, size_t memory_bytes)
{
	const struct iopf_broker_options options = broker_options(&host->options);
	const struct iopf_source_options source = {
		.size_bytes = sizeof(source),
		.usable_entries = usable_entries(&host->options),
		.reserve_count = HOST_RESERVE,
	};
	int error = iopf_broker_create(&options, memory, memory_bytes, &host->broker);

	host->sources[HOST_PRI].id = host->sources[HOST_STALLS].id = IOPF_NO_ID;
	if (error != 0 || !hardware_family_pages(host->hardware, IOPF_PRI))
		return error;
	return iopf_broker_add_source(host->broker, &source, &host->sources[HOST_PRI].id);
}

/* How large the pool is shows when the IOMMU is up. */
static int add_stall_source(struct iopf_host *host)
{
	uint32_t stall_max = iopf_driver_stall_max(host->driver);
	uint32_t entries = host_stall_entries(&host->options);
	const struct iopf_source_options source = {
		.size_bytes = sizeof(source),
		.stall_max = stall_max < entries ? stall_max : entries,
		.reserve_count = HOST_RESERVE,
		.name = HOST_STALLS,
	};

	if (source.stall_max == 0 || host->sources[HOST_STALLS].id != IOPF_NO_ID)
		return 0;
	return iopf_broker_add_source(host->broker, &source, &host->sources[HOST_STALLS].id);
}

static int create_driver(struct iopf_host *host, void *memory)
{
	const struct iopf_host_options *from = &host->options;
	struct iopf_driver_options options = {
		.size_bytes = sizeof(options),
		.command_bytes = host->hardware->wire->command_bytes[0],
		.wire = host->hardware->wire,
		.registers = from->registers,
		.context = from->register_context,
		.memory = from->memory,
		.root_addr = host->family->root(&host->tables),
		.root_config = host->family->root_config(&host->tables),
		.request_order = from->request_order,
		.command_order = from->command_order,
		.interrupt_addr = from->interrupt_addr,
		.event_order = from->event_order,
		.interrupt_data = from->interrupt_data,
		.forget_silent = true,
	};
	int error = pages_take(&host->pages, 1u << from->request_order,
			       &options.request_addr);

	if (error == 0)
		error = pages_take(&host->pages, 1u << from->command_order,
				   &options.command_addr);
	if (error == 0)
		error = pages_take(&host->pages, 1, &options.status_addr);
	if (error == 0 && host->hardware->wire->fault_bytes != 0)
		error = pages_take(&host->pages, 1u << from->event_order,
				   &options.event_addr);
	return error != 0 ? error :
			    iopf_driver_create(&options, memory, iopf_driver_size_bytes(),
					       &host->driver);
}

static int create_tables(struct iopf_host *host)
{
	const struct family_setup setup = {
		.memory = host->options.memory,
		.pages = { .take = pages_take, .give = pages_give, .context = &host->pages },
		.registers = { .read = host->options.registers->read,
			       .write = host->options.registers->write,
			       .context = host->options.register_context },
		.use = { .pasid_bits = HOST_PASID_BITS,
			 .pasid_none = host->family->pasid_none,
			 .rid_max = HOST_RID_MAX },
	};

	return family_create(host->family, &host->tables, &setup);
}

int iopf_host_create(const struct iopf_host_options *options, void *memory,
		     size_t memory_bytes, struct iopf_host **out)
{
	size_t size_bytes = iopf_host_size_bytes(options);
	uint8_t *base = memory;
	struct iopf_host *host = memory;
	struct layout layout;
	int error;

	if (size_bytes == 0 || (uintptr_t)memory % HOST_ALIGN != 0)
		return -EINVAL;
	if (memory_bytes < size_bytes)
		return -ENOSPC;
	layout = layout_of(options);
	memset(memory, 0, layout.broker);
	host->options = *options;
	host->family = family_find(options->family);
	host->hardware = hardware_family_find(options->family);
	host->guests = (void *)(base + layout.guests);
	host->functions = (void *)(base + layout.functions);
	host->function_of_endpoint = (void *)(base + layout.endpoints);
	memset(host->function_of_endpoint, 0xff, options->function_max * sizeof(uint32_t));
	if (host->family == NULL || host->hardware == NULL)
		return -EOPNOTSUPP;
	pages_create(&host->pages, options->memory, options->base, options->region_bytes);
	error = create_tables(host);
	if (error == 0)
		error = create_driver(host, base + layout.driver);
	if (error == 0)
		error = create_broker(host, base + layout.broker, layout.broker_bytes);
	if (error == 0)
		*out = host;
	return error;
}

int iopf_host_start(struct iopf_host *host)
{
	int error = iopf_driver_start(host->driver);

	return error != 0 ? error : add_stall_source(host);
}

int iopf_host_stop(struct iopf_host *host)
{
	return iopf_driver_stop(host->driver);
}

/* ---- Guests -------------------------------------------------------------------- */

struct host_guest *guest_get(const struct iopf_host *host, uint32_t guest)
{
	return guest < host->options.guest_max && host->guests[guest].used &&
			       !host->guests[guest].failed ?
		       &host->guests[guest] :
		       NULL;
}

int iopf_host_guest_gone(struct iopf_host *host, uint32_t guest)
{
	struct host_guest *it = guest_get(host, guest);

	if (it == NULL || it->guest == NULL)
		return -ENOENT;
	it->gone = true;
	return 0;
}

bool iopf_host_guest_over(const struct iopf_host *host, uint32_t guest)
{
	const struct host_guest *it = guest_get(host, guest);

	return it == NULL || it->over;
}

int iopf_host_pause_guest(struct iopf_host *host, uint32_t guest, bool paused,
			  uint64_t now_ns)
{
	struct host_guest *it = guest_get(host, guest);

	if (it == NULL)
		return -ENOENT;
	it->paused = paused;
	return iopf_broker_pause_owner(host->broker, it->owner, paused, now_ns);
}

int iopf_host_set_policy(struct iopf_host *host, uint32_t guest,
			 const struct iopf_policy *policy)
{
	const struct host_guest *it = guest_get(host, guest);

	return it == NULL ? -ENOENT :
			    iopf_broker_set_policy(host->broker, it->owner, policy);
}

uint64_t iopf_host_guest_read(struct iopf_host *host, uint32_t guest, uint32_t offset,
			      uint32_t width_bytes)
{
	struct host_guest *it = guest_get(host, guest);

	return it == NULL || it->guest == NULL || it->gone ? UINT64_MAX :
					iopf_guest_read(it->guest, offset, width_bytes);
}

void iopf_host_guest_write(struct iopf_host *host, uint32_t guest, uint32_t offset,
			   uint32_t width_bytes, uint64_t value)
{
	struct host_guest *it = guest_get(host, guest);

	if (it != NULL && it->guest != NULL && !it->gone)
		iopf_guest_write(it->guest, offset, width_bytes, value);
}

/* ---- Operations ---------------------------------------------------------------- */

int iopf_host_reset_function(struct iopf_host *host, uint32_t endpoint, uint64_t now_ns)
{
	struct host_function *function = host_function_of(host, endpoint);
	int error;

	if (function == NULL)
		return -ENOENT;
	error = iopf_broker_reset(host->broker, endpoint, now_ns);
	if (error != 0)
		return error;
	function_move(host, function, FUNCTION_RESET);
	function->restart_wanted = false;
	function->reset_wait = (struct host_wait){ 0 };
	operation_begins(function);
	host->now_ns = now_ns;
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_RESET,
					    .guest = function->guest,
					    .endpoint = endpoint,
					    .pasid = IOPF_PASID_NONE });
	return 0;
}

int iopf_host_remove_function(struct iopf_host *host, uint32_t endpoint, uint64_t now_ns)
{
	struct host_function *function = host_function_of(host, endpoint);
	int error;

	if (function == NULL)
		return -ENOENT;
	error = iopf_broker_remove(host->broker, endpoint, now_ns);
	if (error != 0)
		return error;
	if (function->state != FUNCTION_BLOCKED)
		function_move(host, function, FUNCTION_PRESENT);
	operation_begins(function);
	host->now_ns = now_ns;
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_REMOVE,
					    .guest = function->guest,
					    .endpoint = endpoint,
					    .pasid = IOPF_PASID_NONE });
	return 0;
}

int iopf_host_restart_function(struct iopf_host *host, uint32_t endpoint)
{
	return host_function_of(host, endpoint) == NULL ?
		       -ENOENT :
		       iopf_broker_restart(host->broker, endpoint);
}

bool iopf_host_busy(const struct iopf_host *host, uint32_t endpoint)
{
	return iopf_broker_step(host->broker, endpoint) > IOPF_STEP_NONE;
}

/* ---- Looking in ---------------------------------------------------------------- */

uint32_t iopf_host_endpoint(const struct iopf_host *host, uint32_t rid)
{
	for (uint32_t i = 0; i < host->function_end; i++)
		if (function_there(&host->functions[i]) && host->functions[i].rid == rid)
			return host->functions[i].endpoint;
	return IOPF_NO_ID;
}

struct iopf_broker *iopf_host_broker(struct iopf_host *host)
{
	return host->broker;
}

uint32_t iopf_host_source(const struct iopf_host *host)
{
	return host->sources[HOST_PRI].id;
}

uint32_t iopf_host_stall_source(const struct iopf_host *host)
{
	return host->sources[HOST_STALLS].id;
}

uint32_t iopf_host_owner(const struct iopf_host *host, uint32_t guest)
{
	const struct host_guest *it = guest_get(host, guest);

	return it == NULL ? IOPF_NO_ID : it->owner;
}

struct iopf_guest *iopf_host_guest(struct iopf_host *host, uint32_t guest)
{
	const struct host_guest *it = guest_get(host, guest);

	return it == NULL ? NULL : it->guest;
}

const struct iopf_driver_stats *iopf_host_driver_stats(const struct iopf_host *host)
{
	return iopf_driver_stats(host->driver);
}

void iopf_host_stats(const struct iopf_host *host, struct iopf_host_stats *stats)
{
	*stats = host->stats;
}

void iopf_host_pager_stats(const struct iopf_host *host, uint32_t guest,
			   struct iopf_pager_stats *stats)
{
	static const struct iopf_pager_stats none;
	const struct host_guest *it = guest_get(host, guest);

	*stats = it == NULL ? none : it->pager.stats;
}
