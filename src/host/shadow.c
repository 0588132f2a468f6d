/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host/shadow.c - tables that follow a guest's, where the IOMMU cannot read the guest's
 * own: another format.
 *
 * A shadow is a cache: filled where a walk of the guest's tables finds a page, emptied by
 * the guest's invalidations before its wait completes. So a page that is not in it is a
 * fault that the guest never hears of, and everything in it can be thrown away at any
 * time. A page is given the right to write only when the access that brought it writes,
 * and the guest's entry is dirty then: the next write is a fault that says so.
 */
#include "host/host.h"

#include <errno.h>

#define WHOLE UINT64_MAX

/* Tables that one page may need. */
enum { SHADOW_LEVELS = 5 };

/* ---- Places --------------------------------------------------------------------- */

static size_t array_bytes(uint32_t space_max)
{
	return (2 * (size_t)space_max * sizeof(struct host_shadow) + 63) / 64 * 64;
}

size_t shadows_size_bytes(uint32_t space_max)
{
	return array_bytes(space_max) + map_size_bytes(space_max);
}

void shadows_create(struct host_shadows *shadows, uint32_t space_max, void *memory)
{
	*shadows = (struct host_shadows){ .shadow = memory,
					  .count = 2 * space_max,
					  .waiting_first = MAP_NONE };
	map_create(&shadows->map, space_max, (uint8_t *)memory + array_bytes(space_max));
	for (uint32_t i = 0; i < shadows->count; i++)
		shadows->shadow[i] = (struct host_shadow){
			.next = i + 1 < shadows->count ? i + 1 : MAP_NONE
		};
}

static uint64_t key_of(const struct iopf_host *host, const struct host_function *function,
		       uint32_t pasid)
{
	return (uint64_t)(function - host->functions) << 32 | pasid;
}

static uint32_t index_of(const struct host_guest *guest, const struct host_shadow *shadow)
{
	return (uint32_t)(shadow - guest->shadows.shadow);
}

struct host_shadow *shadow_find(const struct host_guest *guest,
				const struct host_function *function, uint32_t pasid)
{
	const struct host_shadows *shadows = &guest->shadows;
	uint32_t at;

	if (!shadows_used(shadows))
		return NULL;
	at = map_find(&shadows->map, key_of(guest->host, function, pasid));
	return at == MAP_NONE ? NULL : &shadows->shadow[at];
}

/* One for each shadow of a guest; 0 is what no shadow has. */
uint16_t shadow_asid(const struct host_guest *guest, const struct host_shadow *shadow)
{
	return (uint16_t)(1 + index_of(guest, shadow));
}

/* ---- Pages of tables -------------------------------------------------------------- */

/* What a call of the family took or gave, since @before. */
static void count_pages(struct host_guest *guest, struct host_shadow *shadow,
			uint32_t before)
{
	uint32_t change = guest->host->pages.used_count - before; /* modulo 2^32 */

	shadow->page_count += change;
	guest->shadows.page_count += change;
}

static void wait_for_caches(struct host_shadows *shadows, struct host_shadow *shadow,
			    enum shadow_state state)
{
	if (shadow->state == SHADOW_OPEN) {
		shadow->next = shadows->waiting_first;
		shadows->waiting_first = (uint32_t)(shadow - shadows->shadow);
	}
	shadow->state = (uint8_t)state;
	shadow->wait = (struct host_wait){ 0 };
}

/* ---- Open and close --------------------------------------------------------------- */

int shadow_open(struct host_guest *guest, const struct host_function *function,
		uint32_t pasid, struct host_shadow **out)
{
	struct host_shadows *shadows = &guest->shadows;
	struct iopf_host *host = guest->host;
	uint32_t at = shadows->free_first, before = host->pages.used_count;
	struct host_shadow *shadow;
	int error;

	if (at == MAP_NONE)
		return -EAGAIN;
	shadow = &shadows->shadow[at];
	error = host->family->stage_create(&shadow->stage, &host->tables, FAMILY_FIRST);
	if (error != 0)
		return error;
	if (!map_add(&shadows->map, key_of(host, function, pasid), at)) {
		host->family->stage_destroy(&shadow->stage);
		return -EAGAIN;
	}
	shadows->free_first = shadow->next;
	shadow->function = (uint32_t)(function - host->functions);
	shadow->pasid = pasid;
	shadow->page_count = 0;
	shadow->state = SHADOW_OPEN;
	count_pages(guest, shadow, before);
	*out = shadow;
	return 0;
}

static void close_one(struct host_guest *guest, struct host_shadow *shadow)
{
	const struct host_function *function = &guest->host->functions[shadow->function];

	map_remove(&guest->shadows.map, key_of(guest->host, function, shadow->pasid));
	wait_for_caches(&guest->shadows, shadow, SHADOW_CLOSING);
}

void shadow_close(struct host_guest *guest, const struct host_function *function,
		  uint32_t pasid)
{
	struct host_shadow *shadow = shadow_find(guest, function, pasid);

	if (shadow != NULL)
		close_one(guest, shadow);
}

void shadows_close(struct host_guest *guest, const struct host_function *function)
{
	for (uint32_t i = 0; i < guest->shadows.count; i++) {
		struct host_shadow *shadow = &guest->shadows.shadow[i];

		if ((shadow->state == SHADOW_OPEN || shadow->state == SHADOW_EMPTIED) &&
		    &guest->host->functions[shadow->function] == function)
			close_one(guest, shadow);
	}
}

/* The wait of a closing one begins behind the invalidations of its entry. */
static bool caches_know(struct host_guest *guest, struct host_shadow *shadow)
{
	const struct host_function *function = &guest->host->functions[shadow->function];

	if (shadow->state == SHADOW_CLOSING && function_used(function) && function->untold)
		return false;
	return host_waited(guest->host, &shadow->wait, IOPF_WAIT_FENCE) == 0;
}

static void settle(struct host_guest *guest, struct host_shadow *shadow)
{
	const struct iopf_host *host = guest->host;
	uint32_t before = host->pages.used_count;
	bool closing = shadow->state == SHADOW_CLOSING;

	if (closing)
		host->family->stage_destroy(&shadow->stage);
	else
		host->family->stage_tidy(&shadow->stage);
	count_pages(guest, shadow, before);
	shadow->state = closing ? SHADOW_FREE : SHADOW_OPEN;
	shadow->next = MAP_NONE;
	if (closing) {
		shadow->next = guest->shadows.free_first;
		guest->shadows.free_first = index_of(guest, shadow);
	}
}

bool shadows_run(struct host_guest *guest)
{
	struct host_shadows *shadows = &guest->shadows;
	uint32_t *link = &shadows->waiting_first;

	while (shadows_used(shadows) && *link != MAP_NONE) {
		struct host_shadow *shadow = &shadows->shadow[*link];
		uint32_t next = shadow->next;

		if (caches_know(guest, shadow)) {
			settle(guest, shadow);
			*link = next;
		} else {
			link = &shadow->next;
		}
	}
	return !shadows_used(shadows) || shadows->waiting_first == MAP_NONE;
}

/* ---- Caches ------------------------------------------------------------------------ */

/* What was taken out of @shadow: [@addr, @addr + @size_bytes), or all of it. The function's
 * own cache hears of it whatever the guest's IOMMU shows it. */
static void tell_caches(struct host_guest *guest, const struct host_shadow *shadow,
			uint64_t addr, uint64_t size_bytes, uint8_t hints)
{
	const struct host_function *function = &guest->host->functions[shadow->function];
	bool page = size_bytes != WHOLE;
	const struct iopf_command commands[] = {
		{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
		  .granularity = page ? IOPF_PAGE : IOPF_ONE_PASID,
		  .hints = hints,
		  .rid = function->rid,
		  .domain = caches_domain(guest->host, function),
		  .asid = shadow_asid(guest, shadow),
		  .pasid = physical_pasid(guest->host, shadow->pasid),
		  .addr = page ? addr : 0,
		  .size_bytes = page ? size_bytes : 0 },
		{ .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
		  .granularity = page ? IOPF_PAGE : IOPF_ALL,
		  .rid = function->rid,
		  .pasid = shadow->pasid,
		  .addr = page ? addr : 0,
		  .size_bytes = page ? size_bytes : 0 },
	};

	caches_put(guest->host, commands, caches_in_function(function) ? 2 : 1);
}

/* Returns: how many pages it held there. */
static int take_out(struct host_guest *guest, struct host_shadow *shadow, uint64_t addr,
		    uint64_t size_bytes, uint8_t hints)
{
	const struct family *family = guest->host->family;
	int removed = family->stage_unmap(&shadow->stage, addr, size_bytes);

	if (removed < 0) { /* a range that no table has */
		removed = family->stage_unmap(&shadow->stage, 0, WHOLE);
		size_bytes = WHOLE;
	}
	tell_caches(guest, shadow, addr, size_bytes, hints);
	return removed;
}

/* ---- Following ---------------------------------------------------------------------- */

/* Pages ran out: the one that holds most gives everything back, and fills again by
 * faults. Once for a group: what comes in then of it is better than nothing. */
static int make_room(struct host_guest *guest)
{
	struct host_shadows *shadows = &guest->shadows;
	struct host_shadow *most = &shadows->shadow[0];

	if (shadows->made_room)
		return -ENOSPC;
	for (uint32_t i = 1; i < shadows->count; i++)
		if (shadows->shadow[i].page_count > most->page_count)
			most = &shadows->shadow[i];
	if (most->state == SHADOW_OPEN && caches_room(guest->host)) {
		take_out(guest, most, 0, WHOLE, 0);
		/* What is asked again now is no lie of the guest's. */
		iopf_broker_invalidated(guest->host->broker,
					guest->host->functions[most->function].endpoint,
					most->pasid, 0, WHOLE);
		wait_for_caches(shadows, most, SHADOW_EMPTIED);
		shadows->made_room = true;
		guest->host->stats.shadow_dropped++;
	}
	return -EAGAIN;
}

/* What the shadow grants: reading, what the access wants beside that, and execution
 * where the guest grants it; to supervisors alone where users may not. */
static uint8_t rights(const struct host_guest *guest, const struct host_function *function,
		      const struct host_shadow *shadow, const struct iopf_page *page,
		      const struct iopf_translation *found)
{
	uint8_t perm = IOPF_READ | (page->perm & IOPF_WRITE), exec = found->perm;
	struct iopf_translation user;

	if ((page->perm & IOPF_PRIV) == 0)
		return perm | (exec & IOPF_EXEC);
	if (iopf_guest_translate(guest->guest, function->endpoint, shadow->pasid,
				 page->addr, page->perm & (uint8_t)~IOPF_PRIV, false,
				 &user) != 0)
		return perm | IOPF_PRIV | (exec & IOPF_EXEC);
	/* Users come in with what is meant for supervisors: no more than is theirs. */
	return perm | (exec & user.perm & IOPF_EXEC);
}

/* Something is mapped there with other rights: caches may hold it, so they are told
 * before the response that makes the device look again. */
static int replace(struct host_guest *guest, struct host_shadow *shadow, uint64_t addr,
		   uint64_t out, uint8_t perm)
{
	if (!caches_room(guest->host))
		return -EAGAIN;
	take_out(guest, shadow, addr, TABLE_PAGE_BYTES, IOPF_HINT_LEAF);
	return guest->host->family->stage_map(&shadow->stage, addr, out, perm);
}

static int map_page(struct host_guest *guest, struct host_shadow *shadow, uint64_t addr,
		    uint64_t out, uint8_t perm)
{
	struct iopf_host *host = guest->host;
	uint32_t before = host->pages.used_count;
	int error;

	if (guest->shadows.page_count + SHADOW_LEVELS > HOST_SHADOW_PAGES)
		return make_room(guest);
	error = host->family->stage_map(&shadow->stage, addr, out, perm);
	count_pages(guest, shadow, before);
	if (error == -EEXIST)
		error = replace(guest, shadow, addr, out, perm);
	if (error == -ENOSPC)
		return make_room(guest);
	host->stats.shadow_filled += error == 0;
	return error;
}

static int follow(struct host_guest *guest, const struct host_function *function,
		  struct host_shadow *shadow, const struct iopf_page *page)
{
	const struct family *family = guest->host->family;
	uint64_t addr = page->addr & ~(TABLE_PAGE_BYTES - 1), out;
	struct iopf_translation found;
	struct table_result there;
	int error;

	if (iopf_guest_translate(guest->guest, function->endpoint, shadow->pasid, addr,
				 page->perm, true, &found) != 0)
		return 0; /* the guest's to mend */
	if (family->stage_walk(&shadow->stage, addr, page->perm, &there))
		return 0;
	error = pager_out(&guest->pager, found.gpa, page->perm, &out);
	return error != 0 ? error :
			    map_page(guest, shadow, addr, out,
				     rights(guest, function, shadow, page, &found));
}

int shadow_follow(struct host_guest *guest, const struct host_function *function,
		  uint32_t pasid, const struct iopf_page *pages, uint32_t page_count)
{
	struct host_shadow *shadow = shadow_find(guest, function, pasid);
	int error = 0;

	if (shadow == NULL)
		return 0;
	if (shadow->state != SHADOW_OPEN)
		return -EAGAIN;
	for (uint32_t i = 0; error == 0 && i < page_count; i++)
		error = follow(guest, function, shadow, &pages[i]);
	guest->shadows.made_room = error == -EAGAIN && guest->shadows.made_room;
	return error == -ENOSPC ? 0 : error;
}

/* ---- Out again ----------------------------------------------------------------------- */

int shadow_invalidate(struct host_guest *guest, struct host_shadow *shadow,
		      const struct iopf_command *said)
{
	struct iopf_host *host = guest->host;
	bool page = said->granularity == IOPF_PAGE;

	if (!caches_room(host))
		return -EAGAIN;
	host->stats.shadow_removed +=
		(uint64_t)take_out(guest, shadow, page ? said->addr : 0,
				   page ? said->size_bytes : WHOLE,
				   page ? said->hints & IOPF_HINT_LEAF : 0);
	return 0;
}
