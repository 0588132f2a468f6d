/* SPDX-License-Identifier: BSD-3-Clause */
/* trace/value.c - values as characters: in and out side by side. */
#include "trace/form.h"

/* ---- Numbers and durations ------------------------------------------------------- */

static unsigned digit_value(char character)
{
	if (character >= '0' && character <= '9')
		return (unsigned)(character - '0');
	if (character >= 'a' && character <= 'f')
		return (unsigned)(character - 'a') + 10;
	if (character >= 'A' && character <= 'F')
		return (unsigned)(character - 'A') + 10;
	return 16;
}

/* Digits of @base at the beginning of @text, which moves on. */
static int parse_digits(struct span *text, unsigned base, uint64_t *number)
{
	uint64_t value = 0;
	bool over = false;
	size_t i = 0;

	for (; i < text->size && digit_value(text->at[i]) < base; i++) {
		unsigned digit = digit_value(text->at[i]);

		over |= value > (UINT64_MAX - digit) / base;
		value = value * base + digit;
	}
	if (i == 0)
		return -EINVAL;
	text->at += i;
	text->size -= i;
	*number = value;
	return over ? -ERANGE : 0;
}

static int parse_number(struct span text, uint64_t *number)
{
	unsigned base = 10;
	int result;

	if (text.size > 2 && text.at[0] == '0' && text.at[1] == 'x') {
		text.at += 2;
		text.size -= 2;
		base = 16;
	}
	result = parse_digits(&text, base, number);
	return text.size == 0 ? result : -EINVAL;
}

/* Largest first: a duration is written in the largest unit that divides it. */
static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "h", UINT64_C(3600000000000) },
	{ "m", UINT64_C(60000000000) },
	{ "s", UINT64_C(1000000000) },
	{ "ms", UINT64_C(1000000) },
	{ "us", UINT64_C(1000) },
	{ "ns", UINT64_C(1) },
};
enum { UNIT_COUNT = sizeof(units) / sizeof(units[0]) };

int value_parse_duration(struct span text, uint64_t *ns)
{
	uint64_t number = 0;
	int result = parse_digits(&text, 10, &number);
	unsigned unit = 0;

	if (result == -EINVAL)
		return result;
	while (text.size != 0 && unit < UNIT_COUNT && !span_is(text, units[unit].name))
		unit++;
	if (text.size == 0)
		unit = UNIT_COUNT - 1;
	if (unit == UNIT_COUNT)
		return -EINVAL;
	if (result != 0 || number > UINT64_MAX / units[unit].ns)
		return -ERANGE;
	*ns = number * units[unit].ns;
	return 0;
}

static void put_duration(struct out *out, uint64_t ns)
{
	unsigned unit = 0;

	while (ns % units[unit].ns != 0)
		unit++;
	out_number(out, ns / units[unit].ns);
	if (ns != 0)
		out_string(out, units[unit].name);
}

/* ---- Words ----------------------------------------------------------------------- */

static bool is_name_character(char character)
{
	return (character >= 'a' && character <= 'z') ||
	       (character >= 'A' && character <= 'Z') ||
	       (character >= '0' && character <= '9') ||
	       (character != '\0' && strchr("_.:-", character) != NULL);
}

static bool is_name(struct span text)
{
	if (text.size == 0 || text.size > TRACE_NAME_MAX)
		return false;
	for (size_t i = 0; i < text.size; i++)
		if (!is_name_character(text.at[i]))
			return false;
	return true;
}

static int parse_word(enum trace_type type, struct span text, uint64_t *number)
{
	const char *word;

	for (uint64_t i = 0; (word = trace_word(type, i)) != NULL; i++) {
		if (!span_is(text, word))
			continue;
		*number = i;
		return 0;
	}
	return -EINVAL;
}

static const char perm_letters[] = "rwxp";

/* Letters in the order of the bits, each at most once. */
static int parse_perm(struct span text, uint64_t *number)
{
	size_t at = 0;
	uint64_t perm = 0;

	if (span_is(text, "-")) {
		*number = 0;
		return 0;
	}
	for (unsigned bit = 0; bit < 4; bit++) {
		if (at == text.size || text.at[at] != perm_letters[bit])
			continue;
		perm |= UINT64_C(1) << bit;
		at++;
	}
	if (at != text.size || perm == 0)
		return -EINVAL;
	*number = perm;
	return 0;
}

static void put_perm(struct out *out, uint64_t perm)
{
	for (unsigned bit = 0; bit < 4; bit++)
		if (perm >> bit & 1)
			out_char(out, perm_letters[bit]);
	if (perm == 0)
		out_char(out, '-');
}

static int parse_pasid(struct span text, uint64_t *number)
{
	int result;

	if (span_is(text, "none") || span_is(text, "any")) {
		*number = text.at[0] == 'n' ? IOPF_PASID_NONE : IOPF_PASID_ANY;
		return 0;
	}
	result = parse_number(text, number);
	return result == 0 && *number > IOPF_PASID_MAX ? -ERANGE : result;
}

static void put_pasid(struct out *out, uint64_t pasid)
{
	if (pasid <= IOPF_PASID_MAX)
		out_number(out, pasid);
	else
		out_string(out, pasid == IOPF_PASID_NONE ? "none" : "any");
}

/* ---- A value of whatever type ---------------------------------------------------- */

static int parse_typed(unsigned key, struct span text, uint64_t *number)
{
	enum trace_type type = trace_key_type(key);
	int result;

	if (type == TRACE_TYPE_duration)
		return value_parse_duration(text, number);
	if (type == TRACE_TYPE_pasid)
		return parse_pasid(text, number);
	if (type == TRACE_TYPE_perm)
		return parse_perm(text, number);
	if (trace_word(type, 0) != NULL)
		return parse_word(type, text, number);
	result = parse_number(text, number);
	return result == 0 && *number > trace_key_max(key) ? -ERANGE : result;
}

int value_parse(unsigned key, struct span text, struct trace_pair *pair)
{
	struct trace_pair value = { .key = (uint8_t)key };
	int result = 0;

	if (trace_key_type(key) != TRACE_TYPE_name)
		result = parse_typed(key, text, &value.number);
	else if (is_name(text))
		memcpy(value.name, text.at, text.size);
	else
		result = -EINVAL;
	if (result == 0)
		*pair = value;
	return result;
}

static bool fits_name(const struct trace_pair *pair)
{
	const char *end = memchr(pair->name, 0, sizeof(pair->name));

	if (end == NULL || pair->number != 0 ||
	    !is_name((struct span){ pair->name, (size_t)(end - pair->name) }))
		return false;
	for (; end < pair->name + sizeof(pair->name); end++)
		if (*end != 0)
			return false;
	return true;
}

bool value_fits(const struct trace_pair *pair)
{
	enum trace_type type = trace_key_type(pair->key);

	if (trace_key_name(pair->key) == NULL)
		return false;
	if (type == TRACE_TYPE_name)
		return fits_name(pair);
	if (type == TRACE_TYPE_duration)
		return true;
	if (type == TRACE_TYPE_pasid)
		return pair->number <= IOPF_PASID_MAX ||
		       pair->number == IOPF_PASID_NONE || pair->number == IOPF_PASID_ANY;
	if (type == TRACE_TYPE_perm)
		return pair->number < 16;
	if (trace_word(type, 0) != NULL)
		return trace_word(type, pair->number) != NULL;
	return pair->number <= trace_key_max(pair->key);
}

void value_put(struct out *out, const struct trace_pair *pair)
{
	enum trace_type type = trace_key_type(pair->key);

	if (type == TRACE_TYPE_name) {
		out_string(out, pair->name);
	} else if (type == TRACE_TYPE_duration) {
		put_duration(out, pair->number);
	} else if (type == TRACE_TYPE_pasid) {
		put_pasid(out, pair->number);
	} else if (type == TRACE_TYPE_perm) {
		put_perm(out, pair->number);
	} else if (trace_word(type, 0) != NULL) {
		out_string(out, trace_word(type, pair->number));
	} else if (type == TRACE_TYPE_hex) {
		out_string(out, "0x");
		out_digits(out, pair->number, 16);
	} else {
		out_number(out, pair->number);
	}
}

void value_put_expected(struct out *out, unsigned key)
{
	enum trace_type type = trace_key_type(key);

	if (trace_word(type, 0) != NULL) {
		out_string(out, "one of");
		for (unsigned i = 0; trace_word(type, i) != NULL; i++) {
			out_char(out, ' ');
			out_string(out, trace_word(type, i));
		}
	} else if (type == TRACE_TYPE_number) {
		out_string(out, "0 to ");
		out_number(out, trace_key_max(key));
	} else if (type == TRACE_TYPE_hex) {
		out_string(out, "0x0 to 0x");
		out_digits(out, trace_key_max(key), 16);
	} else {
		out_string(out, trace_type_text(type));
	}
}
