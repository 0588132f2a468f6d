/* SPDX-License-Identifier: BSD-3-Clause */
/* trace/event.c - a statement as plain values. */
#include "trace/form.h"

void trace_begin(struct trace_event *event, enum trace_kind kind, uint64_t ns)
{
	event->ns = ns;
	event->line = 0;
	event->kind = (uint8_t)kind;
	event->pair_count = 0;
	event->spoilt = false;
	event->rsvd = 0;
}

bool event_allows(const struct trace_event *event, unsigned key)
{
	return event->kind < TRACE_KIND_COUNT && (trace_key_may(key) >> event->kind & 1);
}

bool event_insert(struct trace_event *event, const struct trace_pair *pair)
{
	unsigned at = event->pair_count;

	while (at > 0 && event->pair[at - 1].key > pair->key)
		at--;
	if (event->pair_count == TRACE_PAIR_MAX ||
	    (at > 0 && event->pair[at - 1].key == pair->key))
		return false;
	memmove(&event->pair[at + 1], &event->pair[at],
		(event->pair_count - at) * sizeof(event->pair[0]));
	event->pair[at] = *pair;
	event->pair_count++;
	return true;
}

void event_copy(struct trace_event *to, const struct trace_event *from)
{
	memcpy(to, from,
	       offsetof(struct trace_event, pair) + from->pair_count * sizeof(to->pair[0]));
}

unsigned event_missing(const struct trace_event *event)
{
	for (unsigned key = 0; key < TRACE_KEY_WORDS; key++)
		if ((trace_key_must(key) >> event->kind & 1) &&
		    trace_find(event, (enum trace_key)key) == NULL)
			return key;
	return TRACE_KEY_NONE;
}

static void put(struct trace_event *event, const struct trace_pair *pair)
{
	if (!event_allows(event, pair->key) || !value_fits(pair) ||
	    !event_insert(event, pair))
		event->spoilt = true;
}

void trace_put(struct trace_event *event, enum trace_key key, uint64_t number)
{
	struct trace_pair pair = { .number = number, .key = (uint8_t)key };

	put(event, &pair);
}

void trace_put_name(struct trace_event *event, enum trace_key key, const char *name)
{
	struct trace_pair pair = { .key = (uint8_t)key };

	if (trace_key_type(key) == TRACE_TYPE_name &&
	    value_parse(key, span_of(name), &pair) == 0)
		put(event, &pair);
	else
		event->spoilt = true;
}

const struct trace_pair *trace_find(const struct trace_event *event, enum trace_key key)
{
	for (unsigned i = 0; i < event->pair_count; i++)
		if (event->pair[i].key == key)
			return &event->pair[i];
	return NULL;
}

uint64_t trace_number(const struct trace_event *event, enum trace_key key,
		      uint64_t absent)
{
	const struct trace_pair *pair = trace_find(event, key);

	return pair != NULL ? pair->number : absent;
}

const char *trace_name(const struct trace_event *event, enum trace_key key)
{
	const struct trace_pair *pair = trace_find(event, key);

	return pair != NULL ? pair->name : NULL;
}

bool trace_equal(const struct trace_event *one, const struct trace_event *other)
{
	return one->ns == other->ns && one->kind == other->kind &&
	       one->pair_count == other->pair_count &&
	       memcmp(one->pair, other->pair, one->pair_count * sizeof(one->pair[0])) == 0;
}

int trace_check(const struct trace_event *event)
{
	if (event->spoilt || event->kind >= TRACE_KIND_COUNT ||
	    event->pair_count > TRACE_PAIR_MAX ||
	    (!trace_kind_timed(event->kind) && event->ns != 0))
		return -EINVAL;
	for (unsigned i = 0; i < event->pair_count; i++)
		if (!event_allows(event, event->pair[i].key) ||
		    !value_fits(&event->pair[i]) ||
		    (i > 0 && event->pair[i].key <= event->pair[i - 1].key))
			return -EINVAL;
	return event_missing(event) == TRACE_KEY_NONE ? 0 : -EINVAL;
}
