/* SPDX-License-Identifier: BSD-3-Clause */
/* judge/book.c - memory, and what there is: sources, endpoints, owners, by name. */
#include "judge/book.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* ---- Memory ------------------------------------------------------------------------ */

/* The next @count of @size_bytes, on a line of the cache. Counted in 64 bits: the largest
 * tables together do not fit the memory of a small machine. */
static void *take(uint8_t *memory, uint64_t *at, uint64_t count, size_t size_bytes)
{
	uint64_t begin = *at;

	*at += (count * size_bytes + 63) & ~UINT64_C(63);
	return memory == NULL ? NULL : memory + (size_t)begin;
}

static void lay_map(struct map *map, uint32_t max, uint8_t *memory, uint64_t *at)
{
	void *cells = take(memory, at, 1, map_size_bytes(max));

	if (memory != NULL)
		map_create(map, max, cells);
}

uint64_t book_layout(struct iopf_judge *judge, const struct iopf_judge_options *options,
		     uint8_t *memory)
{
	struct iopf_judge unused;
	struct iopf_judge *to = judge != NULL ? judge : &unused;
	const struct iopf_judge_options *o = options;
	uint32_t queues = o->owner_max + o->source_max;
	uint64_t at = 0;

	take(memory, &at, 1, sizeof(*judge));
	to->sources = take(memory, &at, o->source_max, sizeof(*to->sources));
	to->endpoints = take(memory, &at, o->endpoint_max, sizeof(*to->endpoints));
	to->owners = take(memory, &at, o->owner_max, sizeof(*to->owners));
	to->spaces = take(memory, &at, o->space_max, sizeof(*to->spaces));
	to->groups = take(memory, &at, o->group_max, sizeof(*to->groups));
	to->shows = take(memory, &at, o->group_max, sizeof(*to->shows));
	to->commands = take(memory, &at, o->command_max, sizeof(*to->commands));
	to->scopes = take(memory, &at, queues, sizeof(*to->scopes));
	lay_map(&to->names, queues + o->endpoint_max, memory, &at);
	lay_map(&to->rids, 2 * o->endpoint_max, memory, &at);
	lay_map(&to->keys, o->group_max, memory, &at);
	lay_map(&to->tokens, o->group_max, memory, &at);
	lay_map(&to->pairs, o->space_max, memory, &at);
	return at;
}

/* ---- Names ------------------------------------------------------------------------- */

/* FNV-1a, of the kind of thing and its name. */
static uint64_t name_key(enum book_thing thing, const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)thing;

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return hash;
}

static size_t name_size(const char *name)
{
	size_t size = 0;

	while (name != NULL && size <= BOOK_NAME_MAX && name[size] != '\0')
		size++;
	return size;
}

static const char *name_of(const struct iopf_judge *judge, enum book_thing thing,
			   uint32_t number)
{
	if (thing == BOOK_SOURCE)
		return judge->sources[number].name;
	return thing == BOOK_OWNER ? judge->owners[number].name :
				     judge->endpoints[number].name;
}

static uint32_t new_source(struct iopf_judge *judge, const char *name, size_t size)
{
	struct book_source *source = &judge->sources[judge->source_count];

	memset(source, 0, sizeof(*source));
	memcpy(source->name, name, size);
	source->family = -1;
	source->kernel_open = BOOK_NONE;
	return judge->source_count++;
}

static uint32_t new_owner(struct iopf_judge *judge, const char *name, size_t size)
{
	struct book_owner *owner = &judge->owners[judge->owner_count];

	memset(owner, 0, sizeof(*owner));
	memcpy(owner->name, name, size);
	return judge->owner_count++;
}

static uint32_t new_endpoint(struct iopf_judge *judge, const char *name, size_t size)
{
	struct book_endpoint *endpoint = &judge->endpoints[judge->endpoint_count];

	memset(endpoint, 0, sizeof(*endpoint));
	memcpy(endpoint->name, name, size);
	endpoint->source = endpoint->physical = endpoint->rid = IOPF_NO_ID;
	endpoint->mechanism = endpoint->pasid_in_response = -1;
	for (unsigned n = 0; n < IOPF_AT_COUNT; n++) {
		endpoint->live[n] = (struct book_list){ BOOK_NONE, BOOK_NONE };
		endpoint->known[n] = book_whole(judge);
	}
	return judge->endpoint_count++;
}

int book_name(struct iopf_judge *judge, enum book_thing thing, const char *name)
{
	static uint32_t (*const makers[])(struct iopf_judge *judge, const char *name,
					  size_t size) = { new_source, new_endpoint,
							   new_owner };
	const uint32_t max[] = { judge->options.source_max, judge->options.endpoint_max,
				 judge->options.owner_max };
	const uint32_t count[] = { judge->source_count, judge->endpoint_count,
				   judge->owner_count };
	size_t size = name_size(name);
	uint64_t key;
	uint32_t number;

	if (size == 0 || size > BOOK_NAME_MAX)
		return -EINVAL;
	key = name_key(thing, name);
	for (;; key++) {
		key = key == MAP_EMPTY ? 0 : key;
		number = map_find(&judge->names, key);
		if (number == MAP_NONE)
			break;
		if (number % 3 == (uint32_t)thing &&
		    memcmp(name_of(judge, thing, number / 3), name, size + 1) == 0)
			return (int)(number / 3);
	}
	if (count[thing] == max[thing]) {
		judge->lost[thing]++;
		return -ENOSPC;
	}
	number = makers[thing](judge, name, size);
	map_add(&judge->names, key, number * 3 + (uint32_t)thing);
	return (int)number;
}

/* ---- By number --------------------------------------------------------------------- */

struct book_endpoint *book_endpoint(struct iopf_judge *judge, uint32_t number)
{
	return number < judge->endpoint_count ? &judge->endpoints[number] : NULL;
}

struct book_source *book_source(struct iopf_judge *judge, uint32_t number)
{
	return number < judge->source_count ? &judge->sources[number] : NULL;
}

struct book_owner *book_owner(struct iopf_judge *judge, uint32_t number)
{
	return number < judge->owner_count ? &judge->owners[number] : NULL;
}

const struct judge_family *book_family(const struct iopf_judge *judge,
				       const struct book_endpoint *endpoint)
{
	if (endpoint->source >= judge->source_count ||
	    judge->sources[endpoint->source].family < 0)
		return NULL;
	return judge_family((uint32_t)judge->sources[endpoint->source].family);
}

struct book_endpoint *book_interface(struct iopf_judge *judge, struct book_endpoint *endpoint)
{
	struct book_endpoint *physical = book_endpoint(judge, endpoint->physical);

	return physical != NULL ? physical : endpoint;
}

/* ---- By requester id --------------------------------------------------------------- */

/* Without a source, the first of that requester id. */
static uint64_t rid_key(uint32_t source, uint32_t rid)
{
	return (uint64_t)source << 32 | rid;
}

static void rid_add(struct iopf_judge *judge, uint32_t number)
{
	const struct book_endpoint *endpoint = &judge->endpoints[number];

	if (endpoint->rid == IOPF_NO_ID)
		return;
	map_add(&judge->rids, rid_key(BOOK_PASID_ALL, endpoint->rid), number);
	if (endpoint->source != IOPF_NO_ID)
		map_add(&judge->rids, rid_key(endpoint->source, endpoint->rid), number);
}

/* "rid:0x1234", or with its source's number behind it. */
static void rid_name(char *name, uint32_t source, uint32_t rid)
{
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;

	memcpy(name, "rid:0x", 6);
	at = 6;
	for (int shift = 28; shift >= 0; shift -= 4)
		name[at++] = digits[rid >> shift & 15];
	if (source != IOPF_NO_ID) {
		name[at++] = '.';
		for (int shift = 4; shift >= 0; shift -= 4)
			name[at++] = digits[source >> shift & 15];
	}
	name[at] = '\0';
}

uint32_t book_endpoint_of(struct iopf_judge *judge, const struct iopf_judge_event *event)
{
	uint32_t source = event->source < judge->source_count ? event->source : IOPF_NO_ID;
	char name[BOOK_NAME_MAX + 1];
	uint32_t found;
	int made;

	if (event->endpoint < judge->endpoint_count)
		return event->endpoint;
	if (event->rid == IOPF_NO_ID)
		return BOOK_NONE;
	found = map_find(&judge->rids,
			 rid_key(source == IOPF_NO_ID ? BOOK_PASID_ALL : source, event->rid));
	if (found != MAP_NONE)
		return found;
	rid_name(name, source, event->rid);
	made = book_name(judge, BOOK_ENDPOINT, name);
	if (made < 0)
		return BOOK_NONE;
	judge->endpoints[made].source = source;
	judge->endpoints[made].rid = event->rid;
	rid_add(judge, (uint32_t)made);
	return (uint32_t)made;
}

/* ---- What there is ----------------------------------------------------------------- */

int iopf_judge_add_source(struct iopf_judge *judge, const struct iopf_judge_source *source)
{
	int number = book_name(judge, BOOK_SOURCE, source->name);

	if (number < 0)
		return number;
	if (source->family != NULL)
		judge->sources[number].family = judge_family_find(source->family);
	if (source->slots != 0)
		judge->sources[number].slots = source->slots;
	return number;
}

int iopf_judge_add_owner(struct iopf_judge *judge, const char *name)
{
	return book_name(judge, BOOK_OWNER, name);
}

/* What says how groups are named and where they are counted: not under open ones. */
static void name_groups(struct iopf_judge *judge, uint32_t number,
			const struct iopf_judge_endpoint *said)
{
	struct book_endpoint *it = &judge->endpoints[number];
	struct book_endpoint *physical = book_endpoint(judge, said->physical);

	assert(it != NULL); /* it has just been named */
	book_forget(judge, number, IOPF_AT_COUNT);
	if (book_source(judge, said->source) != NULL)
		it->source = said->source;
	if (physical != NULL && physical != it) {
		it->physical = said->physical;
		physical->virtuals = true;
	}
	if (said->pasid_in_response >= 0)
		it->pasid_in_response = said->pasid_in_response;
}

int iopf_judge_add_endpoint(struct iopf_judge *judge,
			    const struct iopf_judge_endpoint *endpoint)
{
	int number = book_name(judge, BOOK_ENDPOINT, endpoint->name);
	struct book_endpoint *it;

	if (number < 0)
		return number;
	it = &judge->endpoints[number];
	assert(it != NULL);
	name_groups(judge, (uint32_t)number, endpoint);
	if (endpoint->allocation != 0)
		it->allocation = endpoint->allocation;
	if (endpoint->mechanism >= 0)
		it->mechanism = endpoint->mechanism;
	if (endpoint->rid != IOPF_NO_ID)
		it->rid = endpoint->rid;
	rid_add(judge, (uint32_t)number);
	return number;
}
