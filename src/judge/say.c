/* SPDX-License-Identifier: BSD-3-Clause */
/* judge/say.c - held, or not: counted, and put into words. */
#include "judge/book.h"

#include <stdarg.h>

/* ---- Words ------------------------------------------------------------------------- */

struct text {
	char *at;
	size_t left; /* without the NUL */
};

static void put(struct text *text, char character)
{
	if (text->left == 0)
		return;
	*text->at++ = character;
	*text->at = '\0';
	text->left--;
}

static void put_string(struct text *text, const char *string)
{
	while (*string != '\0')
		put(text, *string++);
}

static void put_number(struct text *text, uint64_t number, unsigned base)
{
	char digits[20];
	unsigned count = 0;

	do {
		digits[count++] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number != 0);
	while (count > 0)
		put(text, digits[--count]);
}

/* %s, %u, %llu, %llx. */
static void put_format(struct text *text, const char *format, va_list arguments)
{
	for (; *format != '\0'; format++) {
		bool wide;

		if (*format != '%') {
			put(text, *format);
			continue;
		}
		wide = format[1] == 'l';
		format += wide ? 3 : 1;
		if (*format == 's')
			put_string(text, va_arg(arguments, const char *));
		else
			put_number(text,
				   wide ? va_arg(arguments, unsigned long long) :
					  va_arg(arguments, unsigned),
				   *format == 'x' ? 16 : 10);
	}
}

const char *say_code(uint8_t code)
{
	static const char *const words[] = { [IOPF_SUCCESS] = "success",
					     [IOPF_INVALID] = "invalid",
					     [IOPF_FAILURE] = "failure" };

	return code < IOPF_CODE_COUNT ? words[code] : "a code that there is not";
}

/* ---- Counted ----------------------------------------------------------------------- */

bool judge_holds(struct iopf_judge *judge, enum judge_rule rule,
		 const struct iopf_judge_event *event,
		 const struct book_endpoint *endpoint, bool holds)
{
	struct iopf_judge_tally *tally = &judge->tally[rule];

	if (event != NULL && !(iopf_judge_rule(rule)->at >> event->interface & 1))
		return true;
	tally->judged++;
	if (holds)
		return true;
	if (endpoint != NULL && endpoint->excused >> iopf_judge_rule(rule)->party & 1) {
		tally->excused++;
		return true;
	}
	tally->violations++;
	return false;
}

void judge_unknown(struct iopf_judge *judge, enum judge_rule rule)
{
	judge->tally[rule].not_judged++;
}

/* ---- Put into words ---------------------------------------------------------------- */

static void put_where(struct say *say, uint32_t endpoint, uint32_t pasid)
{
	struct text where = { say->violation.where, sizeof(say->violation.where) - 1 };

	if (endpoint == BOOK_NONE || book_endpoint(say->judge, endpoint) == NULL)
		return;
	put_string(&where, "endpoint ");
	put_string(&where, say->judge->endpoints[endpoint].name);
	if (pasid > IOPF_PASID_MAX)
		return;
	put_string(&where, ", PASID ");
	put_number(&where, pasid, 10);
}

static void put_index(struct say *say, const char *name, uint64_t index)
{
	struct text where = { say->violation.where, sizeof(say->violation.where) - 1 };

	for (; *where.at != '\0'; where.at++)
		where.left--;
	if (where.at != say->violation.where)
		put_string(&where, ", ");
	put_string(&where, name);
	put_number(&where, index, 10);
}

struct say say_begin(struct iopf_judge *judge, enum judge_rule rule,
		     const struct iopf_judge_event *event, uint32_t endpoint)
{
	struct say say = { .judge = judge };

	say.violation.ns = event != NULL ? event->ns : judge->now_ns;
	say.violation.rule = rule;
	say.violation.endpoint = endpoint;
	say.violation.interface = event != NULL ? event->interface : 0;
	put_where(&say, endpoint, event != NULL ? event->pasid : IOPF_PASID_NONE);
	if (event != NULL && event->flags & IOPF_JUDGE_INDEX)
		put_index(&say, event->flags & IOPF_JUDGE_STALL ? "tag " : "index ",
			  event->index);
	return say;
}

struct say say_group(struct iopf_judge *judge, enum judge_rule rule,
		     const struct iopf_judge_event *event, const struct book_group *group)
{
	struct say say = say_begin(judge, rule, NULL, group->endpoint);

	say.violation.ns = event != NULL ? event->ns : judge->now_ns;
	say.violation.interface = group->interface;
	put_where(&say, group->endpoint, group->pasid);
	if (group->interface == IOPF_AT_KERNEL)
		put_index(&say, "cookie ", group->token);
	else
		put_index(&say, group->stall ? "tag " : "index ", group->index);
	say_line(&say, group->asked_line);
	if (group->last_line != group->asked_line)
		say_line(&say, group->last_line);
	return say;
}

/* In their order. Where there are too many the second one goes: the first says what it is
 * about, the last where it was seen. */
void say_line(struct say *say, uint64_t line)
{
	struct iopf_violation *violation = &say->violation;
	uint64_t *lines = violation->line;
	uint32_t at = violation->line_count;

	while (at > 0 && lines[at - 1] > line)
		at--;
	if (line == 0 || (at > 0 && lines[at - 1] == line))
		return;
	if (violation->line_count == IOPF_JUDGE_LINE_MAX) {
		for (uint32_t n = 1; n + 1 < IOPF_JUDGE_LINE_MAX; n++)
			lines[n] = lines[n + 1];
		violation->line_count--;
		at -= at > 1;
	}
	for (uint32_t n = violation->line_count++; n > at; n--)
		lines[n] = lines[n - 1];
	lines[at] = line;
}

void say_was(struct say *say, const char *format, ...)
{
	struct text was = { say->violation.was, sizeof(say->violation.was) - 1 };
	va_list arguments;

	va_start(arguments, format);
	put_format(&was, format, arguments);
	va_end(arguments);
}

void say_wanted(struct say *say, const char *format, ...)
{
	struct text wanted = { say->violation.wanted, sizeof(say->violation.wanted) - 1 };
	const struct iopf_judge *judge = say->judge;
	va_list arguments;

	va_start(arguments, format);
	put_format(&wanted, format, arguments);
	va_end(arguments);
	if (judge->options.violation != NULL)
		judge->options.violation(judge->options.context, &say->violation);
}
